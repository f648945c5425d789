/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checker: every step and exit is reached in some state, and steps that may stand side by side
 * collect different fields. What is unreached because of something unreached is not told again.
 */
#include <string.h>

#include "check_proof.h"
#include "turn.h"

static bool same_place(const struct wf_step *a, const struct wf_step *b)
{
    return a->line == b->line &&
           (a->file == b->file || (a->file && b->file && strcmp(a->file, b->file) == 0));
}

/* A branch of an each, or a workflow that is called twice, is one text: one reached copy is enough.
 */
static bool reached(const struct explore *x, uint16_t ix)
{
    for (unsigned k = 0; k < x->w->n_steps; k++) {
        if (x->reached[k] && same_place(&x->w->steps[k], &x->w->steps[ix])) {
            return true;
        }
    }
    return false;
}

static bool taken(const struct explore *x, uint16_t ix, unsigned e)
{
    int line = x->w->steps[ix].exits[e].line;
    uint8_t exit = x->w->steps[ix].exits[e].exit;
    for (unsigned k = 0; k < x->w->n_steps; k++) {
        const struct wf_step *s = &x->w->steps[k];
        for (unsigned j = 0; j < s->n_exits; j++) {
            if (s->exits[j].line == line && same_place(s, &x->w->steps[ix]) &&
                s->exits[j].exit == exit && x_bit(x->taken[k], exit)) {
                return true;
            }
        }
    }
    return false;
}

static void unreached_exits(struct proof *p, uint16_t ix)
{
    const struct explore *x = &p->x;
    const struct wf_step *s = &x->w->steps[ix];
    for (unsigned e = 0; e < s->n_exits; e++) {
        unsigned exit = s->exits[e].exit;
        if (!taken(x, ix, e) && proof_once(p, 13, ix, exit)) {
            check_step_error(p->c, ix, s->exits[e].line, "unreached-exit",
                             "step '%s' is never left by '%s'; take the exit out, or let something "
                             "lead to it",
                             s->id, x->w->exits[exit]);
        }
    }
    for (unsigned r = 0; r + 1u < s->n_rules; r++) {
        bool any = false;
        for (unsigned k = 0; k < x->w->n_steps; k++) {
            any = any || (x->rule_taken[k][r] && same_place(&x->w->steps[k], s));
        }
        if (!any && proof_once(p, 13, ix, 200u + r)) {
            check_step_error(p->c, ix, s->rules[r].line, "unreached-exit",
                             "rule %u of '%s' never holds", r + 1u, s->id);
        }
    }
}

/* Marks all that hangs on a step that was told: inside, beside, behind it. */
static void mark_behind(const workflow_t *w, uint16_t ix, bool *told)
{
    uint16_t queue[STO_WF_STEPS_MAX];
    struct edge edges[CHECK_EDGES_MAX];
    unsigned head = 0, tail = 0;
    queue[tail++] = ix;
    told[ix] = true;
    while (head < tail) {
        uint16_t at = queue[head++], next[STO_WF_STEPS_MAX];
        unsigned n = 0;
        for (uint16_t k = 0; k < w->n_steps; k++) {
            if (k != at && x_inside(w, k, at)) {
                next[n++] = k;
            }
        }
        unsigned n_edges = check_edges(w, at, edges);
        for (unsigned e = 0; e < n_edges && n < STO_WF_STEPS_MAX; e++) {
            struct landing l = check_land(w, at, &edges[e]);
            if (l.kind == LAND_STEP) {
                next[n++] = l.step;
            }
        }
        for (unsigned k = 0; k < n; k++) {
            if (!told[next[k]]) {
                told[next[k]] = true;
                queue[tail++] = next[k];
            }
        }
    }
}

/* Does a step (one that is reached) lead there? */
static bool led_to(const struct explore *x, uint16_t ix, bool by_reached)
{
    const workflow_t *w = x->w;
    struct edge edges[CHECK_EDGES_MAX];
    for (uint16_t k = 0; k < w->n_steps; k++) {
        unsigned n = k == ix || (by_reached && !x->reached[k]) ? 0 : check_edges(w, k, edges);
        for (unsigned e = 0; e < n; e++) {
            struct landing l = check_land(w, k, &edges[e]);
            if (l.kind == LAND_STEP && l.step == ix) {
                return true;
            }
        }
    }
    uint16_t up = w->steps[ix].host != WF_NONE ? w->steps[ix].host : w->steps[ix].stage;
    for (unsigned k = 0; up != WF_ROOT && k < w->steps[up].n_first; k++) {
        if (w->steps[up].first[k] == ix) {
            return !by_reached || x->reached[up];
        }
    }
    return w->steps[ix].host != WF_NONE && !by_reached;
}

void check_unreached(struct proof *p)
{
    const workflow_t *w = p->c->w;
    bool told[STO_WF_STEPS_MAX] = {0};
    for (uint16_t k = 0; k < w->n_steps; k++) {
        if (reached(&p->x, k)) {
            unreached_exits(p, k);
        }
    }
    for (unsigned round = 0; round < 2; round++) { /* those that nothing leads to come first */
        for (uint16_t k = 0; k < w->n_steps; k++) {
            if (reached(&p->x, k) || told[k] || (round == 0 && led_to(&p->x, k, false))) {
                continue;
            }
            mark_behind(w, k, told);
            if (!led_to(&p->x, k, true) && proof_once(p, 12, k, 0)) {
                check_step_error(p->c, k, w->steps[k].line, "unreached-step",
                                 "no way leads to step '%s'; name it as a target or take it out",
                                 w->steps[k].id);
            }
        }
    }
}

/* ------------------------------------------------------------------ one field, two branches */

static uint64_t collects_of(const struct wf_step *s)
{
    uint64_t bits = s->collects | s->asks_for;
    for (unsigned k = 0; k < s->n_exits; k++) {
        bits |= s->exits[k].collects;
    }
    return bits;
}

/* A unit stands in no state of what is around it: all that may run while it does. */
static void beside_unit(struct explore *x, const struct x_unit *u)
{
    const workflow_t *w = x->w;
    for (uint16_t a = 0; a < w->n_steps; a++) {
        for (uint16_t b = 0; b < w->n_steps; b++) {
            bool in_a = x_bit(u->members, a);
            bool in_b = x_bit(u->members, b);
            if (!in_a || in_b || !x->reached[a] || !x->reached[b]) {
                continue;
            }
            bool near = x_inside(w, b, u->container);
            bool far = u->container != WF_ROOT && !near && x_bit(x->beside[u->container], b);
            if (near || far) {
                x_bit_set(x->beside[a], b);
                x_bit_set(x->beside[b], a);
            }
        }
    }
}

void check_races(struct proof *p)
{
    struct explore *x = &p->x;
    const workflow_t *w = x->w;
    for (unsigned k = 0; k < x->n_units; k++) {
        beside_unit(x, &x->units[k]);
    }
    for (uint16_t a = 0; a < w->n_steps; a++) {
        for (uint16_t b = 0; b < a; b++) {
            uint64_t both = collects_of(&w->steps[a]) & collects_of(&w->steps[b]);
            if (!both || !x_bit(x->beside[a], b) || x_inside(w, a, b) || x_inside(w, b, a)) {
                continue;
            }
            for (unsigned f = 0; f < w->n_fields; f++) {
                if (both >> f & 1 && proof_once(p, 11, a, f)) {
                    check_step_error(p->c, a, w->steps[a].line, "two-collect",
                                     "steps '%s' and '%s' may run at once and both collect '%s'; "
                                     "whose value counts is left to chance",
                                     w->steps[b].id, w->steps[a].id, w->fields[f].id);
                }
            }
        }
    }
}
