/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checker: the longest that a case can take. Each step counts its own clock once for each entry (a
 * step that stays counts until its first escalation); a stage no more than its own clock. Circles
 * that only a person's choice turns make it unlimited; at-most limits the others.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check_parts.h"

#define UNLIMITED INT64_MAX
#define MOST      (INT64_MAX / 1024)

struct longest {
    struct check *c;
    int64_t minutes[STO_WF_STEPS_MAX]; /* of the step itself, with what it holds */
    uint16_t comp[STO_WF_STEPS_MAX];   /* strongly connected steps of one stage */
    uint16_t why_step;                 /* the choice that makes it unlimited */
    uint8_t why_exit;
};

static int64_t add(int64_t a, int64_t b)
{
    return a == UNLIMITED || b == UNLIMITED || a + b > MOST ? UNLIMITED : a + b;
}

static int64_t times(int64_t a, int64_t n)
{
    return a == UNLIMITED || (n > 0 && a > MOST / n) ? UNLIMITED : a * n;
}

static int64_t when_minutes(const workflow_t *w, const struct wf_when *t)
{
    switch (t->kind) {
    case WHEN_DURATION:
        return sto_duration_minutes_about(t->d);
    case WHEN_SETTING:
        return w->settings[t->ix].d_max_minutes > 0
                   ? w->settings[t->ix].d_max_minutes
                   : sto_duration_minutes_about(w->settings[t->ix].d_def);
    case WHEN_NONE:
    case WHEN_UNTIL_FIELD:
    case WHEN_ATTENDANCE:
        break;
    }
    return UNLIMITED;
}

static int64_t within_minutes(const workflow_t *w, const struct wf_when *within, unsigned n)
{
    int64_t least = UNLIMITED;
    for (unsigned k = 0; k < n; k++) {
        int64_t m = when_minutes(w, &within[k]);
        least = m < least ? m : least;
    }
    return least;
}

/* The date `until` which a step runs is somebody's to set: its time is not the workflow's. */
static int64_t own_minutes(const struct longest *l, uint16_t ix)
{
    const struct wf_step *s = &l->c->w->steps[ix];
    int64_t cap = sto_duration_minutes_about(l->c->net->clocks.cap);
    switch (s->type) {
    case STEP_DECIDE:
    case STEP_NOTIFY:
        return 0;
    case STEP_END:
        return 0;
    case STEP_HANDOVER:
    case STEP_CONSULT:
        return cap;
    case STEP_REFERRAL: {
        int64_t m = within_minutes(l->c->w, s->within, s->n_within);
        return m == UNLIMITED ? UNLIMITED : add(cap, m);
    }
    case STEP_TASK:
    case STEP_MEETING:
    case STEP_SESSION:
    case STEP_WAIT:
    case STEP_STAGE:
    case STEP_EACH:
    case STEP_CALL:
    case STEP_PANEL:
    case STEP_PLACE:
    case STEP_CONSENT:
    case STEP_MEASURE:
    case STEP_PLAN:
        break;
    }
    return within_minutes(l->c->w, s->within, s->n_within);
}

/* ------------------------------------------------------------------ circles of one stage */

static bool sibling(const workflow_t *w, uint16_t a, uint16_t b)
{
    return w->steps[a].stage == w->steps[b].stage && w->steps[b].host == WF_NONE &&
           w->steps[a].host == WF_NONE;
}

static void flood(const struct longest *l, uint16_t from, bool back, bool *seen)
{
    const workflow_t *w = l->c->w;
    uint16_t queue[STO_WF_STEPS_MAX];
    unsigned head = 0, tail = 0;
    queue[tail++] = from;
    seen[from] = true;
    while (head < tail) {
        uint16_t at = queue[head++];
        for (uint16_t k = 0; k < w->n_steps; k++) {
            uint16_t a = back ? k : at, b = back ? at : k;
            struct edge edges[CHECK_EDGES_MAX];
            unsigned n = seen[k] || !sibling(w, at, k) ? 0 : check_edges(w, a, edges);
            for (unsigned e = 0; e < n && !seen[k]; e++) {
                if (edges[e].kind == TARGET_STEP && edges[e].step == b) {
                    seen[k] = true;
                    queue[tail++] = k;
                }
            }
        }
    }
}

static void components(struct longest *l)
{
    const workflow_t *w = l->c->w;
    for (uint16_t k = 0; k < w->n_steps; k++) {
        l->comp[k] = WF_NONE;
    }
    for (uint16_t k = 0; k < w->n_steps; k++) {
        bool to[STO_WF_STEPS_MAX] = {0}, from[STO_WF_STEPS_MAX] = {0};
        if (l->comp[k] != WF_NONE) {
            continue;
        }
        flood(l, k, false, to);
        flood(l, k, true, from);
        for (uint16_t j = 0; j < w->n_steps; j++) {
            if (to[j] && from[j]) {
                l->comp[j] = k;
            }
        }
    }
}

/* A circle inside the component that passes no step with an at-most; tells a choice on it. */
static bool turns_freely(struct longest *l, uint16_t comp)
{
    const workflow_t *w = l->c->w;
    unsigned left[STO_WF_STEPS_MAX] = {0};
    bool in[STO_WF_STEPS_MAX];
    for (uint16_t k = 0; k < w->n_steps; k++) {
        in[k] = l->comp[k] == comp && w->steps[k].at_most == 0;
    }
    struct edge edges[CHECK_EDGES_MAX];
    for (bool changed = true; changed;) { /* take away what is on no circle */
        changed = false;
        bool entered[STO_WF_STEPS_MAX] = {0};
        for (uint16_t k = 0; k < w->n_steps; k++) {
            left[k] = 0;
            unsigned n = in[k] ? check_edges(w, k, edges) : 0;
            for (unsigned e = 0; e < n; e++) {
                if (edges[e].kind == TARGET_STEP && in[edges[e].step]) {
                    left[k]++;
                    entered[edges[e].step] = true;
                }
            }
        }
        for (uint16_t k = 0; k < w->n_steps; k++) {
            if (in[k] && (left[k] == 0 || !entered[k])) {
                in[k] = false;
                changed = true;
            }
        }
    }
    for (uint16_t k = 0; k < w->n_steps; k++) {
        unsigned n = in[k] ? check_edges(w, k, edges) : 0;
        for (unsigned e = 0; e < n; e++) {
            bool choice = edges[e].by == BY_CHOICE || edges[e].by == BY_CHANCE;
            if (edges[e].kind == TARGET_STEP && in[edges[e].step]) {
                if (l->why_step == WF_NONE || (choice && l->why_exit == 0)) {
                    l->why_step = k;
                    l->why_exit = choice ? edges[e].exit : 0;
                }
            }
        }
    }
    for (uint16_t k = 0; k < w->n_steps; k++) {
        if (in[k]) {
            return true;
        }
    }
    return false;
}

/* How often a step of the component can be entered. */
static int64_t entries(const struct longest *l, uint16_t ix)
{
    const workflow_t *w = l->c->w;
    int64_t n = 1;
    for (uint16_t k = 0; k < w->n_steps; k++) {
        n += l->comp[k] == l->comp[ix] && w->steps[k].at_most ? w->steps[k].at_most : 0;
    }
    bool alone = true;
    for (uint16_t k = 0; k < w->n_steps; k++) {
        alone = alone && (k == ix || l->comp[k] != l->comp[ix]);
    }
    return alone ? 1 : w->steps[ix].at_most ? w->steps[ix].at_most : n;
}

/* ------------------------------------------------------------------ sums along ways */

static int64_t comp_minutes(struct longest *l, uint16_t comp)
{
    const workflow_t *w = l->c->w;
    int64_t sum = 0;
    if (turns_freely(l, comp)) {
        return UNLIMITED;
    }
    for (uint16_t k = 0; k < w->n_steps; k++) {
        if (l->comp[k] == comp) {
            sum = add(sum, times(l->minutes[k], entries(l, k)));
        }
    }
    return sum;
}

/* Longest way through the steps of one stage from its firsts: components have no circles. */
static int64_t stage_minutes(struct longest *l, uint16_t stage)
{
    const workflow_t *w = l->c->w;
    static const int64_t NOT_YET = -1;
    int64_t at[STO_WF_STEPS_MAX], own[STO_WF_STEPS_MAX] = {0}, most = 0;
    struct edge edges[CHECK_EDGES_MAX];
    const uint16_t *first = stage == WF_ROOT ? w->first : w->steps[stage].first;
    unsigned n_first = stage == WF_ROOT ? w->n_first : w->steps[stage].n_first;
    for (uint16_t k = 0; k < w->n_steps; k++) {
        at[k] = NOT_YET;
        own[k] = w->steps[k].stage == stage && l->comp[k] == k ? comp_minutes(l, k) : 0;
    }
    for (unsigned k = 0; k < n_first; k++) {
        uint16_t c = l->comp[first[k]];
        at[c] = own[c];
    }
    for (unsigned round = 0; round < w->n_steps; round++) {
        bool changed = false;
        for (uint16_t k = 0; k < w->n_steps; k++) {
            uint16_t c = l->comp[k];
            unsigned n =
                w->steps[k].stage != stage || at[c] == NOT_YET ? 0 : check_edges(w, k, edges);
            for (unsigned e = 0; e < n; e++) {
                uint16_t to = edges[e].kind == TARGET_STEP ? l->comp[edges[e].step] : c;
                int64_t m = to == c ? at[c] : add(at[c], own[to]);
                if (m > at[to]) {
                    at[to] = m;
                    changed = true;
                }
            }
        }
        if (!changed) {
            break;
        }
    }
    for (uint16_t k = 0; k < w->n_steps; k++) {
        most = at[k] > most ? at[k] : most;
    }
    return most;
}

static unsigned depth_of(const workflow_t *w, uint16_t ix)
{
    unsigned n = 0;
    while (ix != WF_ROOT && n <= w->n_steps) {
        ix = w->steps[ix].host != WF_NONE ? w->steps[ix].host : w->steps[ix].stage;
        n++;
    }
    return n;
}

static void words(const struct longest *l, struct check_report *out)
{
    const workflow_t *w = l->c->w;
    if (out->longest_minutes >= 0) {
        int64_t days = (out->longest_minutes + 24 * 60 - 1) / (24 * 60);
        int64_t years = days / 365, months = days % 365 / 30, rest = days % 365 % 30;
        size_t n = (size_t)snprintf(out->longest, sizeof out->longest, "longest");
        const struct {
            int64_t n;
            const char *one, *many;
        } parts[] = {{years, "year", "years"},
                     {months, "month", "months"},
                     {years ? 0 : rest, "day", "days"}};
        for (unsigned k = 0; k < 3; k++) {
            if (parts[k].n > 0 || (k == 2 && days == 0)) {
                n += (size_t)snprintf(out->longest + n, sizeof out->longest - n, " %" PRId64 " %s",
                                      parts[k].n, parts[k].n == 1 ? parts[k].one : parts[k].many);
            }
        }
        return;
    }
    if (l->why_step == WF_NONE) {
        (void)snprintf(out->longest, sizeof out->longest, "unlimited: a date sets its length");
        return;
    }
    const struct wf_step *s = &w->steps[l->why_step];
    bool offer = s->type == STEP_HANDOVER || s->type == STEP_REFERRAL || s->type == STEP_CONSULT;
    unsigned party = offer ? s->to[0] : s->role;
    const char *who = party < w->n_roles       ? w->roles[party].id
                      : party == PARTY_CLIENT  ? "the client"
                      : step_is_stage(s->type) ? "the way"
                                               : "the holder";
    (void)snprintf(out->longest, sizeof out->longest, "unlimited: %s %s '%s' in %s", who,
                   step_is_stage(s->type) ? "goes by" : "chooses", w->exits[l->why_exit], s->id);
}

void check_longest(struct check *c, struct check_report *out)
{
    const workflow_t *w = c->w;
    struct longest l = {.c = c, .why_step = WF_NONE};
    components(&l);
    for (unsigned depth = STO_WF_STEPS_MAX; depth > 0; depth--) { /* inner ones first */
        for (uint16_t k = 0; k < w->n_steps; k++) {
            if (depth_of(w, k) != depth) {
                continue;
            }
            struct longest before = l;
            int64_t own = own_minutes(&l, k);
            int64_t inside = step_is_stage(w->steps[k].type) ? stage_minutes(&l, k) : 0;
            if (step_is_stage(w->steps[k].type)) {
                if (own < UNLIMITED) { /* its own clock ends what turns inside */
                    l.why_step = before.why_step;
                    l.why_exit = before.why_exit;
                }
                own = inside < own ? inside : own;
            }
            l.minutes[k] = own;
        }
    }
    int64_t own = within_minutes(w, w->within, w->n_within), inside = stage_minutes(&l, WF_ROOT);
    int64_t most = inside < own ? inside : own;
    out->longest_minutes = most == UNLIMITED ? -1 : most;
    words(&l, out);
}
