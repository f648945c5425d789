/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checker: every step is reached, every step can come to an end without an event such as
 * client-left, no circle turns without a choice or a limit, nothing that broke off ends by itself;
 * and how long clocks alone can take.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check_parts.h"

#define UNLIMITED INT64_MAX

/* ------------------------------------------------------------------ reach */

static void reach(struct check *c, uint16_t ix)
{
    const struct wf_step *s = &c->w->steps[ix];
    struct edge edges[CHECK_EDGES_MAX];
    if (c->reached[ix]) {
        return;
    }
    c->reached[ix] = true; /* at most STO_WF_STEPS_MAX deep */
    for (unsigned k = 0; k < s->n_first; k++) {
        reach(c, s->first[k]);
    }
    for (unsigned k = 0; k < s->n_sides; k++) {
        reach(c, s->sides[k]);
    }
    unsigned n = check_edges(c->w, ix, edges);
    for (unsigned k = 0; k < n; k++) {
        struct landing l = check_land(c->w, ix, &edges[k]);
        if (l.kind == LAND_STEP && edges[k].by != BY_INSIDE) {
            reach(c, l.step);
        }
    }
}

static void check_reached(struct check *c)
{
    const workflow_t *w = c->w;
    for (unsigned k = 0; k < w->n_first; k++) {
        reach(c, w->first[k]);
    }
    for (unsigned k = 0; k < w->n_sides; k++) {
        reach(c, w->sides[k]);
    }
    for (unsigned k = 0; k < w->n_exits_on; k++) {
        if (w->exits_on[k].kind == TARGET_STEP) {
            reach(c, w->exits_on[k].step);
        }
    }
    for (unsigned k = 0; k < w->n_steps; k++) {
        if (!c->reached[k]) {
            check_error(c, w->steps[k].line, "unreached-step",
                        "no way leads to step '%s'; name it as a target or take it out",
                        w->steps[k].id);
        }
    }
}

/* ------------------------------------------------------------------ ends */

static bool can_end(const workflow_t *w, uint16_t ix, const bool *ends)
{
    const struct wf_step *s = &w->steps[ix];
    struct edge edges[CHECK_EDGES_MAX];
    if (s->type == STEP_END) {
        return true;
    }
    for (unsigned k = 0; k < s->n_first; k++) {
        if (ends[s->first[k]]) {
            return true;
        }
    }
    unsigned n = check_edges(w, ix, edges);
    for (unsigned k = 0; k < n; k++) {
        struct landing l = check_land(w, ix, &edges[k]);
        if (edges[k].by != BY_EVENT &&
            (l.kind == LAND_SIDE_OVER || (l.kind == LAND_STEP && ends[l.step]))) {
            return true;
        }
    }
    return false;
}

static void check_ends(struct check *c)
{
    const workflow_t *w = c->w;
    bool ends[STO_WF_STEPS_MAX] = {0};
    for (bool changed = true; changed;) {
        changed = false;
        for (uint16_t k = 0; k < w->n_steps; k++) {
            if (!ends[k] && can_end(w, k, ends)) {
                ends[k] = changed = true;
            }
        }
    }
    for (unsigned k = 0; k < w->n_steps; k++) {
        if (c->reached[k] && !ends[k]) {
            check_error(c, w->steps[k].line, "no-end",
                        "from step '%s' no end can be reached unless the client leaves",
                        w->steps[k].id);
        }
    }
}

/* ------------------------------------------------------------------ circles */

/* Steps that follow ix by movers up to `most` in the order INSTANT, CLOCK, CHANCE. */
static unsigned followers(const workflow_t *w, uint16_t ix, enum mover most,
                          uint16_t out[2 * CHECK_EDGES_MAX])
{
    const struct wf_step *s = &w->steps[ix];
    struct edge edges[CHECK_EDGES_MAX];
    unsigned n_edges = check_edges(w, ix, edges), n = 0;
    for (unsigned k = 0; k < s->n_first; k++) {
        out[n++] = s->first[k];
    }
    for (unsigned k = 0; most >= BY_CLOCK && k < s->n_sides; k++) {
        out[n++] = s->sides[k];
    }
    for (unsigned k = 0; k < n_edges; k++) {
        struct landing l = check_land(w, ix, &edges[k]);
        if (edges[k].by <= most && l.kind == LAND_STEP) {
            out[n++] = l.step;
        }
    }
    return n;
}

struct search {
    const workflow_t *w;
    enum mover most;
    bool seen[STO_WF_STEPS_MAX];
    uint16_t from[STO_WF_STEPS_MAX]; /* how a step was first reached */
};

/* Does `start` come back to itself? Steps with an at-most are left out: they end a circle. */
static bool turns(struct search *s, uint16_t start)
{
    uint16_t queue[STO_WF_STEPS_MAX], next[2 * CHECK_EDGES_MAX];
    unsigned head = 0, tail = 0;
    queue[tail++] = start;
    while (head < tail) {
        uint16_t at = queue[head++];
        unsigned n = followers(s->w, at, s->most, next);
        for (unsigned k = 0; k < n; k++) {
            if (s->seen[next[k]] || s->w->steps[next[k]].at_most) {
                continue;
            }
            s->seen[next[k]] = true;
            s->from[next[k]] = at;
            if (next[k] == start) {
                return true;
            }
            queue[tail++] = next[k];
        }
    }
    return false;
}

static bool clocked_around(const workflow_t *w, uint16_t ix)
{
    for (uint16_t up = ix; up != WF_ROOT;) {
        up = w->steps[up].host != WF_NONE ? w->steps[up].host : w->steps[up].stage;
        if (up != WF_ROOT && w->steps[up].n_within) {
            return true;
        }
    }
    for (unsigned k = 0; k < w->n_exits_on; k++) {
        if (w->exits_on[k].exit == EXIT_EXPIRED && w->exits_on[k].kind == TARGET_STEP) {
            return true; /* the workflow's own clock */
        }
    }
    return false;
}

/* "a -> b -> a"; marks its steps, so that a circle is told once. */
static void tell_circle(const struct search *s, uint16_t start, bool *told, char *out, size_t cap)
{
    uint16_t path[STO_WF_STEPS_MAX];
    unsigned n = 0;
    uint16_t at = start;
    do {
        at = s->from[at];
        path[n++] = at;
        told[at] = true;
    } while (at != start && n < STO_WF_STEPS_MAX);
    out[0] = '\0';
    while (n > 0) {
        size_t used = strlen(out);
        (void)snprintf(out + used, cap - used, "%s -> ", s->w->steps[path[--n]].id);
    }
    size_t used = strlen(out);
    (void)snprintf(out + used, cap - used, "%s", s->w->steps[start].id);
}

static void check_circles(struct check *c)
{
    const workflow_t *w = c->w;
    bool told[STO_WF_STEPS_MAX] = {0};
    char path[300];
    for (uint16_t k = 0; k < w->n_steps; k++) {
        struct search s = {.w = w, .most = BY_INSTANT};
        if (!told[k] && c->reached[k] && !w->steps[k].at_most && turns(&s, k)) {
            tell_circle(&s, k, told, path, sizeof(path));
            check_error(c, w->steps[k].line, "instant-circle",
                        "these steps run at once and turn for ever: %s", path);
        }
    }
    for (uint16_t k = 0; k < w->n_steps; k++) {
        struct search s = {.w = w, .most = BY_CHANCE};
        if (!told[k] && c->reached[k] && !w->steps[k].at_most && !clocked_around(w, k) &&
            turns(&s, k)) {
            tell_circle(&s, k, told, path, sizeof(path));
            check_error(c, w->steps[k].line, "endless-circle",
                        "this turns for ever without anybody's choice: %s; give a step at-most, or "
                        "let expired stay",
                        path);
        }
    }
}

/* ------------------------------------------------------------------ breaking off */

static uint16_t ends_alone(const workflow_t *w, uint16_t start)
{
    bool seen[STO_WF_STEPS_MAX] = {0};
    uint16_t queue[STO_WF_STEPS_MAX], next[2 * CHECK_EDGES_MAX];
    unsigned head = 0, tail = 0;
    queue[tail++] = start;
    seen[start] = true;
    while (head < tail) {
        uint16_t at = queue[head++];
        if (w->steps[at].type == STEP_END) {
            return at;
        }
        unsigned n = followers(w, at, BY_CLOCK, next);
        for (unsigned k = 0; k < n; k++) {
            if (!seen[next[k]]) {
                seen[next[k]] = true;
                queue[tail++] = next[k];
            }
        }
    }
    return WF_NONE;
}

static void check_broken_off(struct check *c)
{
    const workflow_t *w = c->w;
    struct edge edges[CHECK_EDGES_MAX];
    for (uint16_t k = 0; k < w->n_steps; k++) {
        unsigned n = check_edges(w, k, edges);
        for (unsigned e = 0; e < n; e++) {
            unsigned x = edges[e].exit;
            struct landing l = check_land(w, k, &edges[e]);
            if ((x != EXIT_RETURNED && x != EXIT_GIVEN_BACK && x != EXIT_INTERRUPTED) ||
                l.kind != LAND_STEP) {
                continue;
            }
            uint16_t end = ends_alone(w, l.step);
            if (end != WF_NONE) {
                check_error(c, edges[e].line, "ends-by-itself",
                            "after '%s' of step '%s' the case ends in '%s' without a person's "
                            "choice; let a task stand between",
                            w->exits[x], w->steps[k].id, w->steps[end].id);
            }
        }
    }
}

/* ------------------------------------------------------------------ time */

static int64_t when_minutes(const workflow_t *w, const struct wf_when *t)
{
    switch (t->kind) {
    case WHEN_DURATION:
        return sto_duration_minutes_about(t->d);
    case WHEN_SETTING:
        return sto_duration_minutes_about(w->settings[t->ix].d_def);
    case WHEN_NONE:
    case WHEN_UNTIL_FIELD:
    case WHEN_ATTENDANCE:
        break;
    }
    return UNLIMITED;
}

static int64_t within_minutes(const workflow_t *w, const struct wf_step *s)
{
    int64_t least = UNLIMITED;
    for (unsigned k = 0; k < s->n_within; k++) {
        int64_t m = when_minutes(w, &s->within[k]);
        least = m < least ? m : least;
    }
    return least;
}

/* How long a step stands if nobody does anything, before it goes by this edge. */
static int64_t silence_minutes(const struct check *c, const struct wf_step *s, unsigned exit)
{
    if (s->type == STEP_DECIDE || s->type == STEP_NOTIFY) {
        return 0;
    }
    if (exit == EXIT_RETURNED) {
        const struct wf_when *answer = &s->clocks.w[0]; /* CLOCK_ANSWER */
        return s->clocks.has[0] ? when_minutes(c->w, answer)
                                : sto_duration_minutes_about(c->net->clocks.answer);
    }
    return within_minutes(c->w, s);
}

static int64_t add(int64_t a, int64_t b)
{
    return a == UNLIMITED || b == UNLIMITED ? UNLIMITED : a + b;
}

enum { FRESH, OPEN, DONE };
struct longest {
    const struct check *c;
    uint8_t phase[STO_WF_STEPS_MAX];
    int64_t minutes[STO_WF_STEPS_MAX];
};

static int64_t longest_from(struct longest *l, uint16_t ix)
{
    const workflow_t *w = l->c->w;
    const struct wf_step *s = &w->steps[ix];
    struct edge edges[CHECK_EDGES_MAX];
    if (l->phase[ix] != FRESH) {
        return l->phase[ix] == DONE ? l->minutes[ix]
                                    : UNLIMITED; /* on the way: a circle of clocks */
    }
    l->phase[ix] = OPEN;
    int64_t most = 0;
    for (unsigned k = 0; k < s->n_first; k++) {
        int64_t m = longest_from(l, s->first[k]);
        most = m > most ? m : most;
    }
    unsigned n = check_edges(w, ix, edges);
    for (unsigned k = 0; k < n; k++) {
        if (edges[k].by > BY_CLOCK || edges[k].exit == EXIT_TOO_OFTEN) {
            continue;
        }
        int64_t m = silence_minutes(l->c, s, edges[k].exit);
        struct landing to = check_land(w, ix, &edges[k]);
        if (to.kind == LAND_STEP) {
            m = add(m, longest_from(l, to.step));
        }
        most = m > most ? m : most;
    }
    l->phase[ix] = DONE;
    l->minutes[ix] = most;
    return most;
}

static int64_t longest_minutes_of(const struct check *c)
{
    struct longest l = {.c = c};
    int64_t most = 0;
    for (unsigned k = 0; k < c->w->n_first; k++) {
        int64_t m = longest_from(&l, c->w->first[k]);
        most = m > most ? m : most;
    }
    return most == UNLIMITED ? -1 : most;
}

void check_paths(struct check *c, int64_t *longest_minutes)
{
    check_reached(c);
    check_ends(c);
    check_circles(c);
    check_broken_off(c);
    *longest_minutes = longest_minutes_of(c);
}
