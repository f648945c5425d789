/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Conditions: the evaluator. A tree that expr_parse() gave out is well typed and bounded, so
 * evaluation cannot loop, recurse away or meet a type that it does not know. What it can still meet
 * is an unset field, a date beyond the calendar or an overflow: refusals, never a guess.
 */
#include <string.h>

#include "expr_node.h"

/* Years 0001..9999: beyond them a date has no written form. */
#define DAY_MIN INT64_C(-719162)
#define DAY_MAX INT64_C(2932896)

static int eval(const expr_t *e, const struct expr_env *env, struct expr_value *out,
                struct sto_err *err);

static int eval_name(const expr_t *e, const struct expr_env *env, struct expr_value *out,
                     struct sto_err *err)
{
    struct expr_value v = {0};
    env->get(env->arg, e->domain, e->ref, &v);
    v.type = e->type;
    if (!v.set && e->type != EXPR_STEP && e->type != EXPR_CONSENT) {
        sto_fail(err, STO_E_CONDITION, "'%s' has no value yet", e->s);
        sto_err_fix(err, "set it first, or ask '%s is set and …'", e->s);
        return -STO_E_CONDITION;
    }
    if (e->scaled && __builtin_mul_overflow(v.i, 100, &v.i)) {
        return sto_fail(err, STO_E_CONDITION, "the number does not fit in 64 bits");
    }
    *out = v;
    return 0;
}

static int eval_logic(const expr_t *e, const struct expr_env *env, struct expr_value *out,
                      struct sto_err *err)
{
    int rc = eval(e->a, env, out, err);
    /* The left side decides alone where it can, so that "x is set and x > 3" is safe. */
    if (rc || (e->kind == EXPR_AND) != (out->i != 0)) {
        return rc;
    }
    return eval(e->b, env, out, err);
}

static bool same(const struct expr_value *a, const struct expr_value *b)
{
    if (!a->set || !b->set) {
        return false; /* a step never left, a consent never asked: not equal to anything */
    }
    if (a->type == EXPR_TEXT) {
        return strcmp(a->s ? a->s : "", b->s ? b->s : "") == 0;
    }
    return a->i == b->i;
}

static int eval_in(const expr_t *e, const struct expr_env *env, struct expr_value *out,
                   struct sto_err *err)
{
    struct expr_value v;
    int rc = eval(e->a, env, &v, err);
    if (rc) {
        return rc;
    }
    bool found = false;
    for (unsigned k = 0; v.set && k < e->n_list; k++) {
        found = found || e->list[k] == v.i;
    }
    *out = (struct expr_value){.type = EXPR_BOOL, .set = true, .i = found != e->negate};
    return 0;
}

static int add_date(int64_t day, int64_t duration, bool minus, int64_t *out)
{
    int64_t n = (int32_t)(duration & 0xffffffff);
    if (minus) {
        n = -n;
    }
    switch ((enum sto_unit)(duration >> 32)) {
    case STO_DAYS:
        *out = day + n;
        break;
    case STO_WEEKS:
        *out = day + 7 * n;
        break;
    case STO_MONTHS:
        *out = sto_day_add_months((int32_t)day, (int)n);
        break;
    case STO_YEARS:
        *out = sto_day_add_months((int32_t)day, (int)(12 * n));
        break;
    case STO_MINUTES:
    case STO_HOURS:
    case STO_BUSINESS_DAYS:
    case STO_BUSINESS_HOURS:
    default:
        return -STO_E_CONDITION; /* a setting of a unit that no date takes */
    }
    return *out < DAY_MIN || *out > DAY_MAX ? -STO_E_CONDITION : 0;
}

static int eval_add(const expr_t *e, const struct expr_env *env, struct expr_value *out,
                    struct sto_err *err)
{
    struct expr_value a, b;
    int rc = eval(e->a, env, &a, err);
    if (!rc) {
        rc = eval(e->b, env, &b, err);
    }
    if (rc) {
        return rc;
    }
    *out = (struct expr_value){.type = e->type, .set = true};
    if (e->type == EXPR_DATE) {
        if (a.i < DAY_MIN || a.i > DAY_MAX || add_date(a.i, b.i, e->negate, &out->i)) {
            return sto_fail(err, STO_E_CONDITION, "the date goes beyond the years 1 to 9999");
        }
        return 0;
    }
    if (e->negate ? __builtin_sub_overflow(a.i, b.i, &out->i)
                  : __builtin_add_overflow(a.i, b.i, &out->i)) {
        return sto_fail(err, STO_E_CONDITION, "the number does not fit in 64 bits");
    }
    return 0;
}

static int eval_compare(const expr_t *e, const struct expr_env *env, struct expr_value *out,
                        struct sto_err *err)
{
    struct expr_value a, b;
    int rc = eval(e->a, env, &a, err);
    if (!rc) {
        rc = eval(e->b, env, &b, err);
    }
    if (rc) {
        return rc;
    }
    bool yes =
        e->kind == EXPR_EQ ? same(&a, &b) != e->negate : (a.i < b.i || (e->or_equal && a.i == b.i));
    *out = (struct expr_value){.type = EXPR_BOOL, .set = true, .i = yes};
    return 0;
}

static int eval(const expr_t *e, const struct expr_env *env, struct expr_value *out,
                struct sto_err *err)
{
    int rc;
    switch (e->kind) {
    case EXPR_CONST:
        *out = (struct expr_value){.type = e->type, .set = true, .i = e->i, .s = e->s};
        return 0;
    case EXPR_TODAY:
        *out = (struct expr_value){.type = EXPR_DATE, .set = true, .i = env->today};
        return 0;
    case EXPR_NAME:
        return eval_name(e, env, out, err);
    case EXPR_SET: {
        struct expr_value v = {0};
        env->get(env->arg, e->domain, e->ref, &v);
        *out = (struct expr_value){.type = EXPR_BOOL, .set = true, .i = v.set != e->negate};
        return 0;
    }
    case EXPR_NOT:
        rc = eval(e->a, env, out, err);
        out->i = rc ? 0 : !out->i;
        return rc;
    case EXPR_AND:
    case EXPR_OR:
        return eval_logic(e, env, out, err);
    case EXPR_EQ:
    case EXPR_LESS:
        return eval_compare(e, env, out, err);
    case EXPR_IN:
        return eval_in(e, env, out, err);
    case EXPR_ADD:
        return eval_add(e, env, out, err);
    }
    return sto_fail(err, STO_E_INTERNAL, "a condition has an unknown node");
}

int expr_eval(const expr_t *e, const struct expr_env *env, bool *out, struct sto_err *err)
{
    STO_ASSERT(e && env && env->get && out);
    STO_ASSERT(e->depth <= EXPR_DEPTH_MAX);
    struct expr_value v = {0};
    int rc = eval(e, env, &v, err);
    if (!rc) {
        *out = v.i != 0;
    }
    return rc;
}

void expr_reads(const expr_t *e, void (*visit)(void *arg, uint8_t domain, uint16_t ref), void *arg)
{
    if (!e) {
        return;
    }
    if (e->kind == EXPR_NAME || e->kind == EXPR_SET) {
        visit(arg, e->domain, e->ref);
    }
    expr_reads(e->a, visit, arg);
    expr_reads(e->b, visit, arg);
}
