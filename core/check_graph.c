/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checker: properties of a whole graph. From each state an end can be reached without the client's
 * leaving, breaks and refusals; and if nobody does anything, clocks lead to an end or to a step
 * that stays and escalates.
 */
#include <stdlib.h>
#include <string.h>

#include "check_proof.h"
#include "explore_story.h"

static bool stays(const workflow_t *w, const struct x_token *t)
{
    const struct wf_step *s = &w->steps[t->step];
    bool offer = s->type == STEP_HANDOVER || s->type == STEP_CONSULT ||
                 (s->type == STEP_REFERRAL && !(t->flags & X_BEGUN));
    const struct wf_exit *e = workflow_step_exit(s, offer ? EXIT_RETURNED : EXIT_EXPIRED);
    if (s->type == STEP_END) {
        return t->flags & X_HELD;
    }
    if (step_is_stage(s->type)) {
        return t->virt > 0 || (s->n_within > 0 && e && e->kind == TARGET_STAY);
    }
    if (s->type == STEP_WAIT && s->message == 0xff) {
        return false;
    }
    return !e || e->kind == TARGET_STAY;
}

/* Somebody is told again and again, until a person does something. */
static bool escalates(const workflow_t *w, const struct x_state *s)
{
    bool any = s->virt > 0;
    for (unsigned k = 0; k < s->n; k++) {
        any = any || stays(w, &s->t[k]);
    }
    for (unsigned k = 0; k < w->n_exits_on; k++) {
        any = any || (w->n_within > 0 && w->exits_on[k].exit == EXIT_EXPIRED &&
                      w->exits_on[k].kind == TARGET_STAY);
    }
    return any;
}

static bool allowed(const struct x_move *m, bool clocks_only)
{
    return clocks_only ? m->by == X_BY_CLOCK : m->by <= X_BY_CHOICE && !m->off;
}

/* From which states a good one can be reached; edges are followed backwards. */
static void reach_back(const struct x_graph *g, bool clocks_only, bool *good)
{
    uint32_t *first = sto_xcalloc(g->n_plain + 1u, sizeof *first);
    uint32_t n_edges = g->edges_from[g->n_plain], n = 0;
    uint32_t *from = sto_xcalloc(n_edges + 1u, sizeof *from);
    uint32_t *queue = sto_xcalloc(g->n_plain + 1u, sizeof *queue);
    for (uint32_t e = 0; e < n_edges; e++) {
        if (g->edges[e].to < g->n_plain) {
            first[g->edges[e].to + 1]++;
        }
    }
    for (uint32_t i = 0; i < g->n_plain; i++) {
        first[i + 1] += first[i];
    }
    uint32_t *at = sto_xcalloc(g->n_plain + 1u, sizeof *at);
    memcpy(at, first, g->n_plain * sizeof *at);
    for (uint32_t i = 0; i < g->n_plain; i++) {
        for (uint32_t e = g->edges_from[i]; e < g->edges_from[i + 1]; e++) {
            if (g->edges[e].to < g->n_plain) {
                bool way = allowed(&g->edges[e].m, clocks_only);
                from[at[g->edges[e].to]++] = way ? i : UINT32_MAX;
            }
        }
        if (good[i]) {
            queue[n++] = i;
        }
    }
    for (uint32_t head = 0; head < n; head++) {
        for (uint32_t e = first[queue[head]]; e < first[queue[head] + 1]; e++) {
            if (from[e] != UINT32_MAX && !good[from[e]]) {
                good[from[e]] = true;
                queue[n++] = from[e];
            }
        }
    }
    free(first);
    free(from);
    free(queue);
    free(at);
}

/* Where the case stands: the last waiting step that holds nothing else. */
static uint16_t stands_on(const workflow_t *w, const struct x_state *s)
{
    uint16_t step = s->n ? s->t[0].step : 0;
    for (unsigned k = 0; k < s->n; k++) {
        if (!step_is_stage(w->steps[s->t[k].step].type)) {
            step = s->t[k].step;
        }
    }
    return step;
}

static void tell(struct proof *p, const struct x_unit *u, const bool *good, bool silence)
{
    const struct x_graph *g = u->graph;
    char story[X_STORY_BYTES];
    bool told[STO_WF_STEPS_MAX] = {0};
    struct x_state s;
    for (uint32_t i = 0; i < g->n_plain; i++) {
        if (good[i]) {
            continue;
        }
        bool known = false;
        x_state_get(g, i, &s);
        for (unsigned k = 0; k < s.n; k++) {
            known = known || told[s.t[k].step];
        }
        for (unsigned k = 0; k < s.n; k++) {
            told[s.t[k].step] = true;
        }
        for (uint32_t e = g->edges_from[i]; e < g->edges_from[i + 1]; e++) {
            struct x_state to; /* what follows from it is the same fault */
            x_state_get(g, g->edges[e].to, &to);
            for (unsigned k = 0; !known && k < to.n; k++) {
                told[to.t[k].step] = true;
            }
        }
        uint16_t step = stands_on(p->c->w, &s);
        if (known || s.n == 0 || !proof_once(p, silence ? 14 : 15, step, 0)) {
            continue;
        }
        x_story(p->c ? &p->x : NULL, u, i, NULL, story, sizeof story);
        const struct wf_step *at = &p->c->w->steps[step];
        if (silence) {
            proof_wait(p, "silence", step, at->line,
                       "if nobody does anything, from step '%s' clocks turn round for ever, to no "
                       "end and to nobody's attention; let an expired stay: %s",
                       at->id, story);
        } else {
            proof_wait(p, "no-end", step, at->line,
                       "from step '%s' no end can be reached unless the client leaves or "
                       "something breaks off: %s",
                       at->id, story);
        }
    }
}

void check_graph(void *arg, const struct explore *x, const struct x_unit *u)
{
    struct proof *p = arg;
    const struct x_graph *g = u->graph;
    struct x_state s;
    if (x->bounded || g->n_plain == 0) {
        return;
    }
    bool *ends = sto_xcalloc(g->n_plain, sizeof *ends);
    bool *rests = sto_xcalloc(g->n_plain, sizeof *rests);
    for (uint32_t i = 0; i < g->n_plain; i++) {
        x_state_get(g, i, &s);
        ends[i] = s.result != 0 && u->results[s.result - 1].kind != X_END_EMPTY;
        rests[i] = ends[i] || escalates(x->w, &s);
    }
    reach_back(g, false, ends);
    tell(p, u, ends, false);
    reach_back(g, true, rests);
    for (uint32_t i = 0; i < g->n_plain; i++) {
        rests[i] = rests[i] || !ends[i]; /* no end at all says more */
    }
    tell(p, u, rests, true);
    free(ends);
    free(rests);
}
