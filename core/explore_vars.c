/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Explorer: what of the data is tracked (what a condition, a date or a `must` reads), at which
 * steps a value may still be read, and which branches touch nothing that others touch and hold no
 * handover, so that they can be explored alone.
 */
#include <string.h>

#include "check_parts.h"
#include "explore.h"
#include "expr_node.h"

#define BIT64(i) (UINT64_C(1) << (i))

bool x_inside(const workflow_t *w, uint16_t ix, uint16_t of)
{
    return check_inside(w, ix, of);
}

/* ------------------------------------------------------------------ variables */

static uint8_t var_add(struct explore *x, uint8_t *slot, enum x_var_kind kind, uint16_t ref,
                       unsigned n_values)
{
    if (*slot == X_NONE && x->n_vars < X_VARS_MAX) {
        *slot = (uint8_t)x->n_vars;
        x->vars[x->n_vars++] =
            (struct x_var){.kind = (uint8_t)kind, .ref = ref, .n_values = (uint8_t)n_values};
    }
    return *slot;
}

static void field_add(struct explore *x, unsigned f)
{
    const struct wf_field *field = &x->w->fields[f];
    unsigned n = field->type == FIELD_BOOLEAN ? 2 : field->type == FIELD_CODE ? field->n_values : 1;
    var_add(x, &x->var_field[f], X_VAR_FIELD, (uint16_t)f, n ? n : 1);
}

static void cut_add(struct x_var *v, int64_t c)
{
    unsigned i = 0;
    while (i < v->n_cuts && v->cuts[i] < c) {
        i++;
    }
    if (v->n_cuts == X_CUTS_MAX || (i < v->n_cuts && v->cuts[i] == c)) {
        return; /* beyond that a comparison goes both ways */
    }
    memmove(&v->cuts[i + 1], &v->cuts[i], (v->n_cuts - i) * sizeof v->cuts[0]);
    v->cuts[i] = c;
    v->n_cuts++;
}

static bool is_number(const workflow_t *w, unsigned f)
{
    enum field_type t = w->fields[f].type;
    return t == FIELD_INTEGER || t == FIELD_DECIMAL || t == FIELD_DATE;
}

static void cuts_of(struct explore *x, const expr_t *name, const expr_t *other, const expr_t *in)
{
    if (!name || name->kind != EXPR_NAME || name->domain != WF_DOMAIN_FIELD ||
        !is_number(x->w, name->ref) || x->var_field[name->ref] == X_NONE) {
        return;
    }
    struct x_var *v = &x->vars[x->var_field[name->ref]];
    if (other && other->kind == EXPR_CONST) {
        cut_add(v, other->i);
    }
    for (unsigned k = 0; in && k < in->n_list; k++) {
        cut_add(v, in->list[k]);
    }
}

/* Names first, then the constants that they are compared with. Depth is bounded by the parser. */
static void expr_track(struct explore *x, const expr_t *e, bool cuts)
{
    if (!e) {
        return;
    }
    if (!cuts && (e->kind == EXPR_NAME || e->kind == EXPR_SET)) {
        if (e->domain == WF_DOMAIN_FIELD) {
            field_add(x, e->ref);
        } else if (e->domain == WF_DOMAIN_STEP) {
            var_add(x, &x->var_exit[e->ref], X_VAR_EXIT, e->ref, x->w->n_exits);
        } else if (e->domain == WF_DOMAIN_CONSENT) {
            var_add(x, &x->var_consent[e->ref], X_VAR_CONSENT, e->ref, CONSENT_LOST);
        }
    }
    if (cuts && (e->kind == EXPR_LESS || e->kind == EXPR_EQ)) {
        cuts_of(x, e->a, e->b, NULL);
        cuts_of(x, e->b, e->a, NULL);
    }
    if (cuts && e->kind == EXPR_IN) {
        cuts_of(x, e->a, NULL, e);
    }
    expr_track(x, e->a, cuts);
    expr_track(x, e->b, cuts);
}

static uint64_t until_of(const struct wf_step *s)
{
    uint64_t bits = 0;
    const struct wf_when *all[WF_WITHIN_MAX + 1] = {&s->at_least};
    for (unsigned k = 0; k < s->n_within; k++) {
        all[k + 1] = &s->within[k];
    }
    for (unsigned k = 0; k < s->n_within + 1u; k++) {
        bits |= all[k]->kind == WHEN_UNTIL_FIELD ? BIT64(all[k]->ix) : 0;
    }
    for (unsigned k = 0; k < 16; k++) {
        bits |= s->clocks.has[k] && s->clocks.w[k].kind == WHEN_UNTIL_FIELD
                    ? BIT64(s->clocks.w[k].ix)
                    : 0;
    }
    return bits;
}

static void conditions_track(struct explore *x, bool cuts)
{
    const workflow_t *w = x->w;
    expr_track(x, w->start_when, cuts);
    for (unsigned k = 0; k < w->n_steps; k++) {
        for (unsigned r = 0; r < w->steps[k].n_rules; r++) {
            expr_track(x, w->steps[k].rules[r].when, cuts);
        }
    }
}

/* Which classes of a number a field's own limits let through. */
static void classes_find(struct explore *x)
{
    for (unsigned k = 0; k < x->n_vars; k++) {
        struct x_var *v = &x->vars[k];
        if (v->kind != X_VAR_FIELD || !is_number(x->w, v->ref)) {
            memset(v->possible, 1, sizeof v->possible);
            continue;
        }
        const struct wf_field *f = &x->w->fields[v->ref];
        bool limits = f->min < f->max;
        v->n_values = (uint8_t)(2 * v->n_cuts + 1);
        for (unsigned c = 1; c <= v->n_values; c++) {
            unsigned i = (c - 1) / 2; /* odd: between cuts[i - 1] and cuts[i]; even: cuts[i] */
            int64_t lo = c % 2 == 0 ? v->cuts[i] : i > 0 ? v->cuts[i - 1] + 1 : INT64_MIN;
            int64_t hi = c % 2 == 0 ? v->cuts[i] : i < v->n_cuts ? v->cuts[i] - 1 : INT64_MAX;
            v->possible[c] = lo <= hi && (!limits || (hi >= f->min && lo <= f->max));
        }
    }
}

uint8_t x_class(const struct x_var *v, int64_t value)
{
    for (unsigned i = 0; i < v->n_cuts; i++) {
        if (value <= v->cuts[i]) {
            return (uint8_t)(2 * i + (value == v->cuts[i] ? 2 : 1));
        }
    }
    return (uint8_t)(2 * v->n_cuts + 1);
}

static uint32_t names_of(const struct wf_step *s)
{
    uint32_t names = 0;
    for (unsigned k = 0; k < s->n_exits; k++) {
        names |= s->exits[k].names;
    }
    return names;
}

void x_vars_find(struct explore *x)
{
    const workflow_t *w = x->w;
    memset(x->var_field, X_NONE, sizeof x->var_field);
    memset(x->var_exit, X_NONE, sizeof x->var_exit);
    memset(x->var_consent, X_NONE, sizeof x->var_consent);
    memset(x->var_count, X_NONE, sizeof x->var_count);
    memset(x->var_bound, X_NONE, sizeof x->var_bound);
    for (uint16_t k = 0; k < w->n_steps; k++) { /* these end circles: they come first */
        if (w->steps[k].at_most) {
            unsigned n = w->steps[k].at_most < X_COUNT_MAX ? w->steps[k].at_most : X_COUNT_MAX;
            var_add(x, &x->var_count[k], X_VAR_COUNT, k, n + 1u);
        }
    }
    unsigned asked = 0;
    uint32_t named = 0; /* a role that nobody names at all is told elsewhere */
    conditions_track(x, false);
    for (uint16_t k = 0; k < w->n_steps; k++) {
        named |= names_of(&w->steps[k]);
        uint64_t bits = until_of(&w->steps[k]);
        if (w->steps[k].type == STEP_CONSENT) {
            asked |= w->steps[k].consent < w->n_consents ? 1u << w->steps[k].consent : 0;
        }
        for (unsigned f = 0; f < w->n_fields; f++) {
            if (bits & BIT64(f)) {
                field_add(x, f);
            }
        }
    }
    for (uint16_t k = 0; k < w->n_steps; k++) {
        uint8_t needs = w->steps[k].needs;
        if (needs < w->n_consents && asked >> needs & 1) {
            var_add(x, &x->var_consent[needs], X_VAR_CONSENT, needs, CONSENT_LOST);
        }
    }
    for (unsigned r = 0; r < w->n_roles; r++) {
        bool one = !w->roles[r].many && !w->roles[r].branch;
        if (w->roles[r].choose == CHOOSE_STEP && one && (named >> r & 1)) {
            var_add(x, &x->var_bound[r], X_VAR_BOUND, (uint16_t)r, 1);
        }
    }
    conditions_track(x, true);
    classes_find(x);
}

/* ------------------------------------------------------------------ reading and writing */

static void set_add(struct x_set *s, unsigned var)
{
    if (var != X_NONE) {
        s->w[var / 64] |= BIT64(var % 64);
    }
}

static bool set_join(struct x_set *to, const struct x_set *from)
{
    bool changed = false;
    for (unsigned k = 0; k < X_VAR_WORDS; k++) {
        uint64_t was = to->w[k];
        to->w[k] |= from->w[k];
        changed = changed || to->w[k] != was;
    }
    return changed;
}

static bool set_meets(const struct x_set *a, const struct x_set *b)
{
    for (unsigned k = 0; k < X_VAR_WORDS; k++) {
        if (a->w[k] & b->w[k]) {
            return true;
        }
    }
    return false;
}

static void fields_add(const struct explore *x, struct x_set *s, uint64_t bits)
{
    for (unsigned f = 0; f < x->w->n_fields; f++) {
        if (bits & BIT64(f)) {
            set_add(s, x->var_field[f]);
        }
    }
}

static void expr_vars(const struct explore *x, const expr_t *e, struct x_set *s)
{
    if (!e) {
        return;
    }
    if (e->kind == EXPR_NAME || e->kind == EXPR_SET) {
        set_add(s, e->domain == WF_DOMAIN_FIELD     ? x->var_field[e->ref]
                   : e->domain == WF_DOMAIN_STEP    ? x->var_exit[e->ref]
                   : e->domain == WF_DOMAIN_CONSENT ? x->var_consent[e->ref]
                                                    : X_NONE);
    }
    expr_vars(x, e->a, s);
    expr_vars(x, e->b, s);
}

static uint32_t parties_of(const workflow_t *w, const struct wf_step *s)
{
    uint32_t bits = 0;
    const struct {
        const uint8_t *p;
        unsigned n;
    } lists[] = {{&s->role, 1},        {&s->helps, 1},       {s->to, s->n_to},
                 {s->with, s->n_with}, {s->asks, s->n_asks}, {s->agreed_by, s->n_agreed_by}};
    for (unsigned k = 0; k < sizeof lists / sizeof lists[0]; k++) {
        for (unsigned j = 0; j < lists[k].n; j++) {
            bits |= lists[k].p[j] < w->n_roles ? UINT32_C(1) << lists[k].p[j] : 0;
        }
    }
    return bits;
}

/* `needs` counts only as far as a step asks: otherwise it is told as never asked. */
static uint8_t needs_of(const struct explore *x, const struct wf_step *w)
{
    return w->needs < x->w->n_consents ? x->var_consent[w->needs] : X_NONE;
}

static void reads_of(const struct explore *x, uint16_t ix, struct x_set *s)
{
    const struct wf_step *w = &x->w->steps[ix];
    set_add(s, x->var_count[ix]);
    fields_add(x, s, until_of(w));
    set_add(s, needs_of(x, w));
    for (unsigned r = 0; r < w->n_rules; r++) {
        expr_vars(x, w->rules[r].when, s);
    }
    uint32_t roles = parties_of(x->w, w);
    for (unsigned r = 0; r < x->w->n_roles; r++) {
        if (roles >> r & 1) {
            set_add(s, x->var_bound[r]);
        }
    }
}

static void writes_of(const struct explore *x, uint16_t ix, struct x_set *s)
{
    const struct wf_step *w = &x->w->steps[ix];
    uint64_t fields = w->collects | w->asks_for;
    uint32_t names = 0;
    for (unsigned k = 0; k < w->n_exits; k++) {
        fields |= w->exits[k].collects;
        names |= w->exits[k].names;
    }
    fields_add(x, s, fields);
    set_add(s, x->var_exit[ix]);
    set_add(s, x->var_count[ix]);
    if (w->consent != 0xff && w->type == STEP_CONSENT) {
        set_add(s, x->var_consent[w->consent]);
    }
    for (unsigned r = 0; r < x->w->n_roles; r++) {
        if (names >> r & 1) {
            set_add(s, x->var_bound[r]);
        }
    }
}

/* ------------------------------------------------------------------ where a value is still read */

static bool live_flow(struct explore *x, uint16_t to, uint16_t from, uint8_t but, uint64_t fields)
{
    struct x_set s = x->live[from], gone = {0};
    fields_add(x, &gone, fields);
    set_add(&gone, but);
    for (unsigned k = 0; k < X_VAR_WORDS; k++) {
        s.w[k] &= ~gone.w[k];
    }
    return set_join(&x->live[to], &s);
}

static bool live_step(struct explore *x, uint16_t ix)
{
    const workflow_t *w = x->w;
    const struct wf_step *s = &w->steps[ix];
    struct edge edges[CHECK_EDGES_MAX];
    bool changed = false;
    for (unsigned k = 0; k < s->n_first; k++) {
        changed |= live_flow(x, ix, s->first[k], X_NONE, 0);
    }
    for (unsigned k = 0; k < s->n_sides; k++) {
        changed |= live_flow(x, ix, s->sides[k], X_NONE, 0);
    }
    unsigned n = check_edges(w, ix, edges);
    for (unsigned k = 0; k < n; k++) {
        struct landing l = check_land(w, ix, &edges[k]);
        if (l.kind == LAND_STEP) {
            changed |= live_flow(
                x, ix, l.step, x->var_exit[ix],
                edges[k].by == BY_CHOICE && s->type != STEP_SESSION ? edges[k].collects : 0);
        }
    }
    return changed;
}

void x_live_find(struct explore *x)
{
    const workflow_t *w = x->w;
    for (uint16_t k = 0; k < w->n_steps; k++) {
        reads_of(x, k, &x->live[k]);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint16_t k = w->n_steps; k-- > 0;) {
            changed |= live_step(x, k);
        }
    }
    for (unsigned k = 0; k < w->n_exits_on; k++) {
        if (w->exits_on[k].kind == TARGET_STEP) {
            set_join(&x->live_root, &x->live[w->exits_on[k].step]);
        }
    }
    for (unsigned k = 0; k < w->n_sides; k++) {
        set_join(&x->live_root, &x->live[w->sides[k]]);
    }
}

/* ------------------------------------------------------------------ units */

struct members {
    bool has[STO_WF_STEPS_MAX];
};

static void members_tree(const workflow_t *w, uint16_t ix, struct members *m)
{
    for (uint16_t k = 0; k < w->n_steps; k++) {
        m->has[k] = m->has[k] || x_inside(w, k, ix);
    }
}

/* All that one branch comes to without leaving its stage. */
static void members_branch(const workflow_t *w, uint16_t first, struct members *m)
{
    uint16_t queue[STO_WF_STEPS_MAX];
    bool queued[STO_WF_STEPS_MAX] = {0};
    unsigned head = 0, tail = 0;
    queue[tail++] = first;
    queued[first] = true;
    while (head < tail) {
        uint16_t at = queue[head++];
        const struct wf_step *s = &w->steps[at];
        members_tree(w, at, m);
        for (unsigned k = 0; k < s->n_exits + s->n_rules; k++) {
            bool exit = k < s->n_exits;
            enum target_kind kind = exit ? s->exits[k].kind : s->rules[k - s->n_exits].kind;
            uint16_t to = exit ? s->exits[k].step : s->rules[k - s->n_exits].step;
            if (kind == TARGET_STEP && !queued[to]) {
                queued[to] = true;
                queue[tail++] = to;
            }
        }
    }
}

static bool stands_alone(const struct explore *x, const struct members *m)
{
    const workflow_t *w = x->w;
    struct x_set in = {0}, out = {0};
    fields_add(x, &out, w->start_requires);
    expr_vars(x, w->start_when, &out);
    for (uint16_t k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        struct x_set *to = m->has[k] ? &in : &out;
        reads_of(x, k, to);
        writes_of(x, k, to);
        if (m->has[k] &&
            (s->type == STEP_HANDOVER || s->type == STEP_END || (names_of(s) & x->held_by) != 0)) {
            return false;
        }
    }
    return !set_meets(&in, &out);
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

static void unit_add(struct explore *x, uint16_t first, uint16_t container, bool side,
                     const struct members *m)
{
    if (x->whole || x->n_units == X_UNITS_MAX || x->unit_of[first] != WF_NONE ||
        !stands_alone(x, m)) {
        return;
    }
    struct x_unit *u = &x->units[x->n_units];
    x->unit_of[first] = (uint16_t)x->n_units++;
    *u = (struct x_unit){.first = first,
                         .container = container,
                         .side = side,
                         .depth = (uint8_t)depth_of(x->w, first)};
    for (unsigned k = 0; k < x->w->n_steps; k++) {
        if (m->has[k]) {
            x_bit_set(u->members, k);
        }
    }
}

static void units_of(struct explore *x, uint16_t container, const uint16_t *first, unsigned n_first,
                     const uint16_t *sides, unsigned n_sides)
{
    const workflow_t *w = x->w;
    struct members m[WF_FIRST_MAX];
    bool each = container != WF_ROOT && w->steps[container].type == STEP_EACH;
    memset(m, 0, sizeof m);
    for (unsigned k = 0; k < n_first; k++) {
        members_branch(w, first[k], &m[k]);
    }
    for (unsigned k = 0; (n_first > 1 || each) && k < n_first; k++) {
        bool shared = false;
        for (unsigned j = 0; j < n_first; j++) {
            for (unsigned i = 0; j != k && i < w->n_steps; i++) {
                shared = shared || (m[k].has[i] && m[j].has[i]);
            }
        }
        if (!shared) {
            unit_add(x, first[k], container, false, &m[k]);
        }
    }
    for (unsigned k = 0; k < n_sides; k++) {
        struct members side = {0};
        members_tree(w, sides[k], &side);
        unit_add(x, sides[k], container, true, &side);
    }
}

const struct x_unit *x_unit_at(const struct explore *x, uint16_t step)
{
    return x->unit_of[step] == WF_NONE ? NULL : &x->units[x->unit_of[step]];
}

void x_units_find(struct explore *x)
{
    const workflow_t *w = x->w;
    x->held_by = w->start_by;
    for (unsigned k = 0; k < STO_WF_STEPS_MAX; k++) {
        x->unit_of[k] = WF_NONE;
    }
    for (unsigned k = 0; k < w->n_steps; k++) {
        if (w->steps[k].type == STEP_HANDOVER && w->steps[k].to[0] < w->n_roles) {
            x->held_by |= UINT32_C(1) << w->steps[k].to[0];
        }
    }
    units_of(x, WF_ROOT, w->first, w->n_first, w->sides, w->n_sides);
    for (uint16_t k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        units_of(x, k, s->first, s->n_first, s->sides, s->n_sides);
    }
}
