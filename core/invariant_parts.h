/* SPDX-License-Identifier: EUPL-1.2 */
/* What the files of the invariants share. Internal to core/invariant*.c. */
#ifndef INVARIANT_PARTS_H
#define INVARIANT_PARTS_H
#include "engine.h"

struct look {
    const network_t *net;
    const workflow_t *wf;            /* of the state after */
    const struct case_state *before; /* may be NULL */
    const struct fact *f;            /* may be NULL */
    const struct case_state *s;
    struct sto_err *err;
};

#define BROKEN(l, ...) sto_fail((l)->err, STO_E_INTERNAL, __VA_ARGS__)

/* Did the fact take the case on into another workflow? `before` is then not of l->wf. */
bool look_goes_on(const struct look *l);
/* What one state shows of places, agendas, seats, plans and each; 0 or broken. */
int look_shared(const struct look *l);
/* What one step shows of them, and of what a step hides or must have. */
int look_shared_step(const struct look *l);
int look_going_on(const struct look *l);

#endif
