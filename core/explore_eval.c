/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Explorer: conditions over abstract values. A value is a range; what two ranges cannot decide goes
 * both ways. Codes, booleans, exits and consents are ranges of one.
 */
#include "explore.h"
#include "expr_node.h"

struct range {
    int64_t lo, hi;
    bool set;
};
struct ctx {
    const struct explore *x;
    const struct x_state *s;
    struct x_oracle *o;
    uint16_t *unset;
    bool failed;
};

unsigned x_choose(struct x_oracle *o, unsigned n)
{
    if (n < 2 || o->at == X_CHOICES_MAX) {
        return 0;
    }
    if (o->at == o->n) {
        o->script[o->n] = 0;
        o->n++;
    }
    o->of[o->at] = (uint8_t)(n < 255 ? n : 255);
    return o->script[o->at++];
}

bool x_oracle_next(struct x_oracle *o)
{
    o->n = o->at;
    o->at = 0;
    while (o->n > 0) {
        if (++o->script[o->n - 1] < o->of[o->n - 1]) {
            return true;
        }
        o->n--;
    }
    return false;
}

static struct range exactly(int64_t i)
{
    return (struct range){i, i, true};
}

static const struct range ANY = {INT64_MIN, INT64_MAX, true};

static struct range class_range(const struct x_var *v, unsigned c)
{
    unsigned i = (c - 1) / 2;
    if (c % 2 == 0) {
        return exactly(v->cuts[i]);
    }
    return (struct range){i > 0 ? v->cuts[i - 1] + 1 : INT64_MIN,
                          i < v->n_cuts ? v->cuts[i] - 1 : INT64_MAX, true};
}

static struct range field_value(const struct ctx *c, unsigned f)
{
    uint8_t var = c->x->var_field[f];
    if (var == X_NONE) {
        return ANY; /* more is read than can be tracked */
    }
    uint8_t value = c->s->vars[var];
    if (value == 0) {
        return (struct range){0, 0, false};
    }
    switch (c->x->w->fields[f].type) {
    case FIELD_BOOLEAN:
    case FIELD_CODE:
        return exactly(value - 1);
    case FIELD_INTEGER:
    case FIELD_DECIMAL:
    case FIELD_DATE:
        return class_range(&c->x->vars[var], value);
    case FIELD_TEXT:
    case FIELD_HETU:
    case FIELD_PROFILE:
        break;
    }
    return ANY;
}

static struct range coded(const struct ctx *c, uint8_t var)
{
    if (var == X_NONE) {
        return ANY;
    }
    return (struct range){c->s->vars[var], c->s->vars[var], c->s->vars[var] != 0};
}

static struct range name_value(const struct ctx *c, const expr_t *e)
{
    switch ((enum wf_domain)e->domain) {
    case WF_DOMAIN_FIELD:
        return field_value(c, e->ref);
    case WF_DOMAIN_STEP:
        return coded(c, c->x->var_exit[e->ref]);
    case WF_DOMAIN_CONSENT:
        return coded(c, c->x->var_consent[e->ref]);
    case WF_DOMAIN_SETTING: {
        const struct wf_setting *t = &c->x->w->settings[e->ref];
        return t->is_duration ? ANY : (struct range){t->min, t->max, true};
    }
    }
    return ANY;
}

static struct range value_of(struct ctx *c, const expr_t *e);

static struct range add(struct ctx *c, const expr_t *e)
{
    struct range a = value_of(c, e->a), b = value_of(c, e->b), out = ANY;
    if (e->type == EXPR_DATE) {
        return ANY;
    }
    bool far = e->negate ? __builtin_sub_overflow(a.lo, b.hi, &out.lo) ||
                               __builtin_sub_overflow(a.hi, b.lo, &out.hi)
                         : __builtin_add_overflow(a.lo, b.lo, &out.lo) ||
                               __builtin_add_overflow(a.hi, b.hi, &out.hi);
    return far || a.lo == INT64_MIN || a.hi == INT64_MAX || b.lo == INT64_MIN || b.hi == INT64_MAX
               ? ANY
               : out;
}

static struct range hundredths(struct range v)
{
    struct range out = {.set = v.set};
    bool far =
        __builtin_mul_overflow(v.lo, 100, &out.lo) || __builtin_mul_overflow(v.hi, 100, &out.hi);
    return far ? ANY : out;
}

/* Value of what is no truth: names, constants, sums. Depth is bounded by the parser. */
static struct range value_of(struct ctx *c, const expr_t *e)
{
    switch (e->kind) {
    case EXPR_CONST:
        return e->type == EXPR_TEXT ? ANY : exactly(e->i);
    case EXPR_NAME: {
        struct range v = name_value(c, e);
        if (!v.set && e->type != EXPR_STEP && e->type != EXPR_CONSENT) {
            c->failed = true;
            *c->unset = e->ref;
        }
        return e->scaled ? hundredths(v) : v;
    }
    case EXPR_ADD:
        return add(c, e);
    case EXPR_TODAY:
    case EXPR_SET:
    case EXPR_NOT:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_EQ:
    case EXPR_LESS:
    case EXPR_IN:
        break;
    }
    return ANY;
}

static bool truth(struct ctx *c, const expr_t *e);

static bool is_truth(const expr_t *e)
{
    return e->type == EXPR_BOOL && e->kind != EXPR_NAME && e->kind != EXPR_CONST;
}

static struct range operand(struct ctx *c, const expr_t *e)
{
    return is_truth(e) ? exactly(truth(c, e)) : value_of(c, e);
}

static bool equal(struct ctx *c, const expr_t *e)
{
    struct range a = operand(c, e->a), b = c->failed ? a : operand(c, e->b);
    bool yes = false;
    if (a.set && b.set && a.lo <= b.hi && b.lo <= a.hi) {
        bool sure = a.lo == a.hi && b.lo == b.hi;
        yes = sure || x_choose(c->o, 2) == 0;
    }
    return yes != e->negate;
}

static bool less(struct ctx *c, const expr_t *e)
{
    struct range a = operand(c, e->a), b = c->failed ? a : operand(c, e->b);
    if (e->or_equal ? a.hi <= b.lo : a.hi < b.lo) {
        return true;
    }
    if (e->or_equal ? a.lo > b.hi : a.lo >= b.hi) {
        return false;
    }
    return x_choose(c->o, 2) == 0;
}

static bool in_list(struct ctx *c, const expr_t *e)
{
    struct range a = operand(c, e->a);
    bool maybe = false;
    for (unsigned k = 0; a.set && k < e->n_list; k++) {
        if (a.lo <= e->list[k] && e->list[k] <= a.hi) {
            maybe = true;
        }
    }
    bool sure = a.lo == a.hi;
    return (maybe && (sure || x_choose(c->o, 2) == 0)) != e->negate;
}

static bool truth(struct ctx *c, const expr_t *e)
{
    if (c->failed) {
        return false;
    }
    switch (e->kind) {
    case EXPR_SET:
        return name_value(c, e).set != e->negate;
    case EXPR_NOT:
        return !truth(c, e->a);
    case EXPR_AND:
        return truth(c, e->a) && truth(c, e->b);
    case EXPR_OR:
        return truth(c, e->a) || truth(c, e->b);
    case EXPR_EQ:
        return equal(c, e);
    case EXPR_LESS:
        return less(c, e);
    case EXPR_IN:
        return in_list(c, e);
    case EXPR_CONST:
    case EXPR_NAME:
    case EXPR_TODAY:
    case EXPR_ADD:
        break;
    }
    struct range v = value_of(c, e);
    return v.lo == v.hi ? v.lo != 0 : x_choose(c->o, 2) == 0;
}

bool x_eval(const struct explore *x, const struct x_state *s, const expr_t *e, struct x_oracle *o,
            uint16_t *unset)
{
    struct ctx c = {.x = x, .s = s, .o = o, .unset = unset};
    *unset = WF_NONE;
    bool yes = !e || truth(&c, e);
    return yes && !c.failed;
}
