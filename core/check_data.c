/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checker: which fields surely have a value where a condition or a date reads them. A field is sure
 * if every way to the step passes a person's exit that collects it, or the start requires it.
 */
#include "check_parts.h"
#include "expr_node.h"

struct flow {
    const workflow_t *w;
    uint64_t in[STO_WF_STEPS_MAX]; /* surely set on entering */
};

static uint64_t collects_of(const struct wf_step *s)
{
    uint64_t bits = s->collects;
    for (unsigned k = 0; k < s->n_exits; k++) {
        bits |= s->exits[k].collects;
    }
    return bits;
}

/*
 * Leaving stages that hold several branches: the other branches have done their part too. Which of
 * them surely have is not worked out; the benefit of the doubt is given.
 */
static uint64_t branches_left(const workflow_t *w, uint16_t from, uint16_t to)
{
    uint64_t bits = 0;
    uint16_t up = w->steps[from].stage;
    while (up != WF_ROOT && !check_inside(w, to, up)) {
        for (uint16_t k = 0; w->steps[up].n_first > 1 && k < w->n_steps; k++) {
            bits |= check_inside(w, k, up) ? collects_of(&w->steps[k]) : 0;
        }
        up = w->steps[up].stage;
    }
    return bits;
}

static bool narrow(struct flow *f, uint16_t ix, uint64_t set)
{
    uint64_t before = f->in[ix];
    f->in[ix] &= set;
    return f->in[ix] != before;
}

static bool flow_step(struct flow *f, uint16_t ix)
{
    const struct wf_step *s = &f->w->steps[ix];
    struct edge edges[CHECK_EDGES_MAX];
    bool changed = false;
    for (unsigned k = 0; k < s->n_first; k++) {
        changed |= narrow(f, s->first[k], f->in[ix]);
    }
    for (unsigned k = 0; k < s->n_sides; k++) {
        changed |= narrow(f, s->sides[k], f->in[ix]);
    }
    unsigned n = check_edges(f->w, ix, edges);
    for (unsigned k = 0; k < n; k++) {
        struct landing l = check_land(f->w, ix, &edges[k]);
        if (l.kind == LAND_STEP && edges[k].by != BY_INSIDE) {
            changed |=
                narrow(f, l.step, f->in[ix] | edges[k].collects | branches_left(f->w, ix, l.step));
        }
    }
    return changed;
}

static void flow_run(struct flow *f)
{
    const workflow_t *w = f->w;
    for (unsigned k = 0; k < STO_WF_STEPS_MAX; k++) {
        f->in[k] = UINT64_MAX;
    }
    for (unsigned k = 0; k < w->n_first; k++) {
        f->in[w->first[k]] = w->start_requires;
    }
    for (unsigned k = 0; k < w->n_sides; k++) {
        f->in[w->sides[k]] = w->start_requires;
    }
    for (unsigned k = 0; k < w->n_exits_on; k++) {
        if (w->exits_on[k].kind == TARGET_STEP) {
            f->in[w->exits_on[k].step] &= w->start_requires;
        }
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint16_t k = 0; k < w->n_steps; k++) {
            changed |= flow_step(f, k);
        }
    }
}

/* Fields that a condition reads, and those it asks "is set" of. */
static void reads(const expr_t *e, uint64_t *read, uint64_t *asked)
{
    if (!e) {
        return;
    }
    if (e->domain == WF_DOMAIN_FIELD && e->kind == EXPR_NAME) {
        *read |= UINT64_C(1) << e->ref;
    }
    if (e->domain == WF_DOMAIN_FIELD && e->kind == EXPR_SET) {
        *asked |= UINT64_C(1) << e->ref;
    }
    reads(e->a, read, asked);
    reads(e->b, read, asked);
}

static void check_condition(struct check *c, const expr_t *when, uint64_t set, int line,
                            const char *where)
{
    uint64_t read = 0, asked = 0;
    reads(when, &read, &asked);
    uint64_t unsure = read & ~asked & ~set;
    for (unsigned f = 0; f < c->w->n_fields; f++) {
        if (unsure & (UINT64_C(1) << f)) {
            check_error(c, line, "may-be-unset",
                        "%s reads '%s', which may have no value there; ask '%s is set and …', or "
                        "collect it before",
                        where, c->w->fields[f].id, c->w->fields[f].id);
        }
    }
}

static void check_until(struct check *c, const struct wf_step *s, const struct wf_when *t,
                        uint64_t set)
{
    if (t->kind == WHEN_UNTIL_FIELD && !(set & (UINT64_C(1) << t->ix))) {
        check_error(c, s->line, "may-be-unset",
                    "step '%s' runs until '%s', which may have no value there; collect it before",
                    s->id, c->w->fields[t->ix].id);
    }
}

static void check_never_set(struct check *c)
{
    const workflow_t *w = c->w;
    uint64_t set = w->start_requires, used = 0;
    for (unsigned k = 0; k < w->n_steps; k++) {
        set |= collects_of(&w->steps[k]);
        used |= w->steps[k].carries | w->steps[k].records;
    }
    for (unsigned f = 0; f < w->n_fields; f++) {
        uint64_t bit = UINT64_C(1) << f;
        if (!(set & bit)) {
            check_warning(c, w->fields[f].line, used & bit ? "never-set" : "unused-field",
                          "field '%s' %s", w->fields[f].id,
                          used & bit ? "is sent or recorded, but nothing collects or requires it"
                                     : "is collected by nothing");
        }
    }
}

void check_data(struct check *c)
{
    const workflow_t *w = c->w;
    struct flow f = {.w = w};
    flow_run(&f);
    check_condition(c, w->start_when, w->start_requires, w->start_line, "the condition of start");
    for (unsigned k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        if (!c->reached[k]) {
            continue;
        }
        for (unsigned r = 0; r < s->n_rules; r++) {
            check_condition(c, s->rules[r].when, f.in[k], s->rules[r].line, "a rule");
        }
        for (unsigned j = 0; j < s->n_within; j++) {
            check_until(c, s, &s->within[j], f.in[k]);
        }
        for (unsigned j = 0; j < sizeof(s->clocks.w) / sizeof(s->clocks.w[0]); j++) {
            check_until(c, s, &s->clocks.w[j], f.in[k]);
        }
        check_until(c, s, &s->at_least, f.in[k]);
    }
    check_never_set(c);
}
