/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checker: what may run at the same time. Two handovers, two tokens on one step and one field
 * collected in two branches are warnings here: whether they can really meet needs exploration.
 */
#include "check_parts.h"

/* A set of steps, a byte each. */
struct set {
    bool has[STO_WF_STEPS_MAX];
};

/* ix and all that is inside or beside it. */
static void add_tree(const workflow_t *w, uint16_t ix, struct set *set)
{
    for (uint16_t k = 0; k < w->n_steps; k++) {
        if (check_inside(w, k, ix)) {
            set->has[k] = true;
        }
    }
}

/* Everything that one branch of a stage can come to without leaving the stage. */
static void add_branch(const workflow_t *w, uint16_t stage, uint16_t ix, struct set *set)
{
    struct edge edges[CHECK_EDGES_MAX];
    if (set->has[ix]) {
        return;
    }
    add_tree(w, ix, set);
    unsigned n = check_edges(w, ix, edges);
    for (unsigned k = 0; k < n; k++) {
        if (edges[k].kind == TARGET_STEP && w->steps[edges[k].step].stage == stage) {
            add_branch(w, stage, edges[k].step, set);
        }
    }
}

static void two_handovers(struct check *c, const struct set *a, const struct set *b, bool *told)
{
    const workflow_t *w = c->w;
    for (unsigned i = 0; i < w->n_steps; i++) {
        for (unsigned j = 0; a->has[i] && w->steps[i].type == STEP_HANDOVER && j < w->n_steps;
             j++) {
            if (b->has[j] && j != i && w->steps[j].type == STEP_HANDOVER && !told[j]) {
                told[j] = true;
                check_warning(
                    c, w->steps[j].line, "two-handovers",
                    "handover '%s' may be open beside handover '%s'; a case has one at a time",
                    w->steps[j].id, w->steps[i].id);
            }
        }
    }
}

static uint64_t collected(const workflow_t *w, const struct set *s)
{
    uint64_t bits = 0;
    for (unsigned k = 0; k < w->n_steps; k++) {
        for (unsigned e = 0; s->has[k] && e < w->steps[k].n_exits; e++) {
            bits |= w->steps[k].exits[e].collects | w->steps[k].collects;
        }
    }
    return bits;
}

static void two_branches(struct check *c, int line, const char *where, const struct set *a,
                         const struct set *b)
{
    const workflow_t *w = c->w;
    struct set only_b = *b;
    for (unsigned k = 0; k < w->n_steps; k++) {
        if (a->has[k] && b->has[k]) {
            check_warning(c, w->steps[k].line, "two-tokens",
                          "two branches of '%s' may both stand on step '%s'", where,
                          w->steps[k].id);
            only_b.has[k] = false;
        }
    }
    uint64_t both = collected(w, a) & collected(w, &only_b);
    for (unsigned f = 0; f < w->n_fields; f++) {
        if (both & (UINT64_C(1) << f)) {
            check_warning(c, line, "two-collect",
                          "two branches of '%s' may collect field '%s' at once", where,
                          w->fields[f].id);
        }
    }
}

static void check_firsts(struct check *c, uint16_t stage, const uint16_t *first, unsigned n,
                         bool *told)
{
    const workflow_t *w = c->w;
    struct set sets[WF_FIRST_MAX] = {0};
    int line = stage == WF_ROOT ? w->start_line : w->steps[stage].line;
    for (unsigned k = 0; k < n; k++) {
        add_branch(w, stage, first[k], &sets[k]);
        for (unsigned j = 0; j < k; j++) {
            two_branches(c, line, stage == WF_ROOT ? w->id : w->steps[stage].id, &sets[j],
                         &sets[k]);
            two_handovers(c, &sets[j], &sets[k], told);
        }
    }
}

static void check_sides(struct check *c, uint16_t host, const uint16_t *sides, unsigned n,
                        bool *told)
{
    const workflow_t *w = c->w;
    struct set all = {0};
    for (uint16_t k = 0; k < w->n_steps; k++) {
        bool beside = false;
        for (unsigned j = 0; j < n; j++) {
            beside = beside || check_inside(w, k, sides[j]);
        }
        all.has[k] = !beside && (host == WF_ROOT || check_inside(w, k, host));
    }
    for (unsigned k = 0; k < n; k++) {
        struct set side = {0};
        add_tree(w, sides[k], &side);
        two_handovers(c, &all, &side, told);
        for (unsigned j = 0; j < w->n_steps; j++) {
            all.has[j] = all.has[j] || side.has[j];
        }
    }
}

void check_branches(struct check *c)
{
    const workflow_t *w = c->w;
    bool told[STO_WF_STEPS_MAX] = {0};
    check_firsts(c, WF_ROOT, w->first, w->n_first, told);
    check_sides(c, WF_ROOT, w->sides, w->n_sides, told);
    for (uint16_t k = 0; k < w->n_steps; k++) {
        check_firsts(c, k, w->steps[k].first, w->steps[k].n_first, told);
        check_sides(c, k, w->steps[k].sides, w->steps[k].n_sides, told);
    }
}
