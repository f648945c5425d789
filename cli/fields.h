/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Field values given as text ("--set k=v", cells of a table) as the wire wants them, by the field's
 * type in its workflow. A sealed field's text becomes opaque bytes under a key that only this
 * organisation holds.
 */
#ifndef FIELDS_H
#define FIELDS_H
#include "saatto.h"
#include "sto_arena.h"
#include "workflow.h"

/* name and text borrowed; what is made lives in arena. secret: the organisation's (32 bytes). "no
   value" (empty text) is the caller's to leave out. */
int field_from_text(const workflow_t *wf, const char *name, const char *text,
                    const uint8_t secret[32], sto_arena_t *arena, struct saatto_field *out,
                    struct sto_err *err);
/* "key=value" split: key into buf; returns the value, or NULL without '='. */
const char *assignment_split(const char *text, char *key, size_t cap);

#endif
