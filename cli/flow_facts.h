/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a workflow's files say, as a flat list: subject ("step 'event'"), aspect ("within"), value
 * ("4 months"). Order and layout of the files do not show in it. For comparing versions.
 */
#ifndef FLOW_FACTS_H
#define FLOW_FACTS_H
#include "network.h"
#include "sto_arena.h"

struct flow_fact {
    const char *subject, *aspect, *value;
    bool list; /* values by ", ": order says nothing */
};
struct flow_facts {
    struct flow_fact *v; /* by subject in file order, then by aspect */
    size_t n, cap;
    sto_arena_t *arena; /* borrowed; holds the strings */
    const char *called; /* while a called workflow is read: its id */
};

/* Appends; cfg and texts may be bundles (workflow_bundle.h), texts may have len 0. Faults go to
 * diags (then -STO_E_CONFIG). */
int flow_facts_read(const struct model_file *cfg, const struct model_file *texts,
                    struct flow_facts *out, sto_diags_t *diags, struct sto_err *err);
void flow_facts_release(struct flow_facts *f);
const struct flow_fact *flow_fact_find(const struct flow_facts *f, const char *subject,
                                       const char *aspect); /* aspect NULL: any */

#endif
