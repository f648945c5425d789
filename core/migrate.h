/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Moving a running case to another version of its workflow. Steps are paired by id or as a map
 * says; roles, fields, consents, messages and settings by id. A case moves whole or not at all:
 * whatever of it has no counterpart strands it.
 *
 * Clocks that run run on. What the new version has beside a step begins with the next entry.
 */
#ifndef MIGRATE_H
#define MIGRATE_H
#include "engine.h"

#define MIGRATION_WHY_BYTES 160

struct migration {
    const workflow_t *from, *to;
    uint16_t step[STO_WF_STEPS_MAX]; /* by step of `from`; WF_NONE = has no counterpart */
};

/* map[].role: id of a step of `from`, map[].org: of `to`. STO_E_UNKNOWN_NAME names one that is
   none; STO_E_REFUSED: the two are not versions of one workflow. */
int migration_init(struct migration *m, const workflow_t *from, const workflow_t *to,
                   const struct in_name *map, unsigned n, struct sto_err *err);

typedef void migration_strand_fn(void *arg, const char *why);
/* Calls fn for each reason why the case cannot move; returns how many. fn may be NULL. */
unsigned migration_strands(const struct migration *m, const struct case_state *s,
                           migration_strand_fn *fn, void *arg);

/* The state under the new version; must not strand. Clocks without a counterpart are dropped. */
void migration_apply(const struct migration *m, struct case_state *s);

#endif
