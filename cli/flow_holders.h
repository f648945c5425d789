/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who may be responsible while a case stands on a step: roles, by following exits and takeovers
 * through the file. It never leaves one out; where branches run side by side it may name one too
 * many. For pictures and descriptions, which otherwise could only say "whoever is responsible".
 */
#ifndef FLOW_HOLDERS_H
#define FLOW_HOLDERS_H
#include "workflow.h"

/* out[n_steps]: bits of roles; 0 = the step is never reached. */
void flow_holders(const workflow_t *w, uint32_t *out);

#endif
