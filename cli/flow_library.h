/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Workflows by id, as scenarios and journeys name them: each is loaded once from its folder, beside
 * those given or under workflows/.
 */
#ifndef FLOW_LIBRARY_H
#define FLOW_LIBRARY_H
#include "flow_source.h"
#include "scenario.h"

typedef struct flow_library flow_library_t;
/* net and sources are borrowed: their folders are looked at first. */
flow_library_t *flow_library_new(const network_t *net, const struct flow_sources *sources);
void flow_library_destroy(flow_library_t **self_p);
/* workflow_find_fn; NULL also for one with errors, which are told on stderr once. */
const workflow_t *flow_library_find(void *self, const char *id);
/* One of the sources, with its errors in diags (then -STO_E_CONFIG). *out is borrowed. */
int flow_library_load(flow_library_t *self, const struct flow_source *s, sto_diags_t *diags,
                      const workflow_t **out, struct sto_err *err);

#endif
