/* SPDX-License-Identifier: EUPL-1.2 */
#include "flow_holders.h"

#include <stdlib.h>

struct sets {
    const workflow_t *w;
    uint32_t *at;    /* holders on the step; of a stage: while it runs, by whatever stands in it */
    uint32_t *enter; /* of a stage: when it is entered */
    uint32_t *leave; /* of a stage: when a branch in it ends */
    bool changed;
};

static void add(struct sets *x, uint32_t *set, uint32_t roles)
{
    x->changed = x->changed || (*set | roles) != *set;
    *set |= roles;
}

static void enter(struct sets *x, uint16_t step, uint32_t roles)
{
    const struct wf_step *s = &x->w->steps[step];
    add(x, &x->at[step], roles);
    if (step_is_stage(s->type)) {
        add(x, &x->enter[step], roles);
        for (unsigned i = 0; i < s->n_first; i++) {
            enter(x, s->first[i], roles);
        }
    }
}

static uint32_t receiver(const struct sets *x, const struct wf_step *s)
{
    return s->n_to > 0 && s->to[0] < x->w->n_roles ? UINT32_C(1) << s->to[0] : 0;
}

/* What ends the step from outside may come whoever is responsible inside it then. */
static bool from_outside(unsigned exit)
{
    return exit == EXIT_EXPIRED || (exit >= EXIT_CLIENT_LEFT && exit <= EXIT_ASKED_FOR);
}

static void follow(struct sets *x, uint16_t step, const struct wf_exit *e)
{
    const struct wf_step *s = &x->w->steps[step];
    uint16_t around = s->host != WF_NONE ? s->host : s->stage;
    uint32_t now = step_is_stage(s->type) && !from_outside(e->exit) ? x->leave[step] : x->at[step];
    if (s->type == STEP_HANDOVER && e->exit == EXIT_TAKEN_OVER && receiver(x, s) != 0) {
        now = receiver(x, s);
    }
    if (e->kind == TARGET_STEP || (e->kind == TARGET_INSIDE && e->step != WF_NONE)) {
        enter(x, e->step, now);
    } else if (e->kind != TARGET_STAY && around < x->w->n_steps) {
        add(x, &x->leave[around], now);
    }
}

static bool holds(const workflow_t *w, uint16_t container, uint16_t step)
{
    for (uint16_t k = step; k < w->n_steps;) {
        const struct wf_step *s = &w->steps[k];
        uint16_t around = s->host != WF_NONE ? s->host : s->stage;
        if (around == container) {
            return true;
        }
        k = around;
    }
    return false;
}

/* A takeover changes who is responsible for all that runs at the same time: what the handover
   stands in or beside, and everything in there. */
static void spread(struct sets *x, uint16_t handover)
{
    const workflow_t *w = x->w;
    uint32_t to = receiver(x, &w->steps[handover]);
    for (uint16_t k = handover; to != 0 && k < w->n_steps;) {
        const struct wf_step *s = &w->steps[k];
        uint16_t around = s->host != WF_NONE ? s->host : s->stage;
        unsigned branches = around == WF_ROOT   ? w->n_first
                            : around == WF_NONE ? 0
                                                : w->steps[around].n_first;
        bool beside = s->host != WF_NONE || branches > 1;
        for (uint16_t i = 0; beside && i < w->n_steps; i++) {
            if (i != handover && (i == around || around == WF_ROOT || holds(w, around, i)) &&
                x->at[i] != 0) {
                add(x, &x->at[i], to);
            }
        }
        if (around < w->n_steps && x->at[around] != 0) {
            add(x, &x->at[around], to);
        }
        k = around;
    }
}

static void sides(struct sets *x, const uint16_t *v, unsigned n, uint32_t roles)
{
    for (unsigned i = 0; i < n && roles != 0; i++) {
        enter(x, v[i], roles);
    }
}

static void once(struct sets *x)
{
    const workflow_t *w = x->w;
    uint32_t anybody = 0;
    for (uint16_t k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        anybody |= x->at[k];
        if (x->at[k] == 0) {
            continue;
        }
        if (s->stage < w->n_steps) {
            add(x, &x->at[s->stage], x->at[k]);
        }
        for (unsigned e = 0; e < s->n_exits; e++) {
            follow(x, k, &s->exits[e]);
        }
        for (unsigned r = 0; r < s->n_rules; r++) {
            const struct wf_exit e = {.kind = s->rules[r].kind, .step = s->rules[r].step};
            follow(x, k, &e);
        }
        sides(x, s->sides, s->n_sides, x->at[k]);
        if (s->type == STEP_HANDOVER) {
            spread(x, k);
        }
    }
    sides(x, w->sides, w->n_sides, anybody);
    for (unsigned e = 0; e < w->n_exits_on; e++) {
        if (w->exits_on[e].kind == TARGET_STEP) {
            enter(x, w->exits_on[e].step, anybody);
        }
    }
}

void flow_holders(const workflow_t *w, uint32_t *out)
{
    struct sets x = {.w = w, .at = out};
    x.enter = sto_xcalloc((size_t)w->n_steps + 1, sizeof *x.enter);
    x.leave = sto_xcalloc((size_t)w->n_steps + 1, sizeof *x.leave);
    for (unsigned k = 0; k < w->n_steps; k++) {
        out[k] = 0;
    }
    for (unsigned i = 0; i < w->n_first; i++) {
        enter(&x, w->first[i], w->start_by);
    }
    do {
        x.changed = false;
        once(&x);
    } while (x.changed);
    free(x.enter);
    free(x.leave);
}
