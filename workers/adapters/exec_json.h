/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a program of the organisation reads and writes: one delivery as a JSON
 * object, the events that it answers with. docs/how-to/connect-a-program.md.
 */
#ifndef EXEC_JSON_H
#define EXEC_JSON_H
#include <stddef.h>

#include "saatto.h"
#include "sto_arena.h"
#include "sto_err.h"

#define EXEC_EVENTS_MAX 64 /* of one answer */

/* One line of JSON without its end; malloc'd. */
char *exec_input(const char *organisation, const struct saatto_delivery *d);

/* What the events of an answer fall back to: the delivery that they answer. */
struct exec_origin {
    uint8_t case_id[16];
    unsigned token, entry, offer;
};

/*
 * Reads an answer: nothing but blanks, or {"events": [ … ]}. All or nothing.
 *
 * arena    owns what the events borrow
 * returns  0; STO_E_MALFORMED (what says where), STO_E_LIMIT
 */
int exec_output(const char *text, size_t n, const struct exec_origin *origin, sto_arena_t *arena,
                struct saatto_event *events, size_t *n_events, struct sto_err *err);

#endif
