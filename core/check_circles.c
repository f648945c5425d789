/* SPDX-License-Identifier: EUPL-1.2 */
/* Checker: no circle turns without a person's choice, an at-most or a stage's clock around it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check_parts.h"

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

int check_circles(struct check *c)
{
    int found = 0;
    const workflow_t *w = c->w;
    bool told[STO_WF_STEPS_MAX] = {0};
    char path[300];
    for (uint16_t k = 0; k < w->n_steps; k++) {
        struct search s = {.w = w, .most = BY_INSTANT};
        if (!told[k] && c->reached[k] && !w->steps[k].at_most && turns(&s, k)) {
            tell_circle(&s, k, told, path, sizeof(path));
            found = 2;
            check_step_error(c, k, w->steps[k].line, "instant-circle",
                             "these steps run at once and turn for ever: %s", path);
        }
    }
    for (uint16_t k = 0; k < w->n_steps; k++) {
        struct search s = {.w = w, .most = BY_CHANCE};
        if (!told[k] && c->reached[k] && !w->steps[k].at_most && !clocked_around(w, k) &&
            turns(&s, k)) {
            tell_circle(&s, k, told, path, sizeof(path));
            found = found ? found : 1;
            check_step_error(
                c, k, w->steps[k].line, "endless-circle",
                "this turns for ever without anybody's choice: %s; give a step at-most, or "
                "let expired stay",
                path);
        }
    }
    return found;
}
