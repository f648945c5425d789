/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Static findings over a loaded workflow: responsibility (all exits, receivers that may hold, roles
 * that find an organisation) and time (every waiting step has a clock and `expired`; every circle
 * has a choice, an at-most or a stage clock; longest duration), reachability. Form is
 * workflow_load's. The full proof by state exploration comes later.
 */
#ifndef CHECK_H
#define CHECK_H
#include "workflow.h"
/* Adds findings with stable codes; returns 0, or -STO_E_CONFIG if any is an error.
 * *longest_minutes: longest duration by clocks alone, -1 = unlimited. */
int check_workflow(const workflow_t *w, const char *file, const network_t *net, sto_diags_t *diags,
                   int64_t *longest_minutes);
#endif
