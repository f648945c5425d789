/* SPDX-License-Identifier: EUPL-1.2 */
/* Conditions: tables of what is true, what is refused at reading and where, and what at running. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "expr.h"
#include "sto_time.h"

static const char *const NEEDS[] = {"work", "study", "rest"};
static const char *const EXITS[] = {NULL, "done", NULL, "held", "no-show"}; /* with holes */
static const char *const STATES[] = {NULL, "given", "refused", "lost"};

/* The names that the conditions below read, with the value that the evaluator gets. */
static const struct named {
    const char *name;
    struct expr_name meaning;
    struct expr_value value;
} NAMES[] = {
    {"days", {EXPR_INT, 0, 0, NULL, 0}, {EXPR_INT, true, 500, NULL}},
    {"valid", {EXPR_BOOL, 1, 0, NULL, 0}, {EXPR_BOOL, true, 1, NULL}},
    {"need", {EXPR_CODE, 2, 0, NEEDS, 3}, {EXPR_CODE, true, 1, NULL}}, /* study */
    {"notes", {EXPR_TEXT, 3, 0, NULL, 0}, {EXPR_TEXT, true, 0, "ok then"}},
    {"starts-on", {EXPR_DATE, 4, 0, NULL, 0}, {EXPR_DATE, true, 14275, NULL}}, /* 2009-01-31 */
    {"unset-int", {EXPR_INT, 5, 0, NULL, 0}, {EXPR_INT, false, 0, NULL}},
    {"unset-code", {EXPR_CODE, 6, 0, NEEDS, 3}, {EXPR_CODE, false, 0, NULL}},
    {"huge", {EXPR_INT, 7, 0, NULL, 0}, {EXPR_INT, true, INT64_MAX, NULL}},
    {"small", {EXPR_INT, 8, 0, NULL, 0}, {EXPR_INT, true, INT64_MIN, NULL}},
    {"far", {EXPR_DATE, 9, 0, NULL, 0}, {EXPR_DATE, true, 2932890, NULL}},
    {"price", {EXPR_DECIMAL, 10, 0, NULL, 0}, {EXPR_DECIMAL, true, 12550, NULL}},
    {"talk", {EXPR_STEP, 0, 1, EXITS, 5}, {EXPR_STEP, true, 3, NULL}}, /* held */
    {"other", {EXPR_STEP, 1, 1, EXITS, 5}, {EXPR_STEP, false, 0, NULL}},
    {"study", {EXPR_CONSENT, 0, 2, STATES, 4}, {EXPR_CONSENT, true, 1, NULL}}, /* given */
    {"limit", {EXPR_INT, 0, 3, NULL, 0}, {EXPR_INT, true, 450, NULL}},
    {"window",
     {EXPR_DURATION, 1, 3, NULL, 0},
     {EXPR_DURATION, true, ((int64_t)STO_DAYS << 32) | 10, NULL}},
    {"offices",
     {EXPR_DURATION, 2, 3, NULL, 0},
     {EXPR_DURATION, true, ((int64_t)STO_BUSINESS_DAYS << 32) | 10, NULL}},
};
#define N_NAMES (sizeof(NAMES) / sizeof(NAMES[0]))

static bool lookup(const void *arg, const char *name, struct expr_name *out)
{
    (void)arg;
    for (size_t k = 0; k < N_NAMES; k++) {
        if (strcmp(NAMES[k].name, name) == 0) {
            *out = NAMES[k].meaning;
            return true;
        }
    }
    return false;
}

static const char *const *all_names(const void *arg)
{
    static const char *list[N_NAMES + 1];
    (void)arg;
    for (size_t k = 0; k < N_NAMES; k++) {
        list[k] = NAMES[k].name;
    }
    return list;
}

static unsigned reads; /* of names, for the early stop */

static void get(const void *arg, uint8_t domain, uint16_t ref, struct expr_value *out)
{
    (void)arg;
    reads++;
    for (size_t k = 0; k < N_NAMES; k++) {
        if (NAMES[k].meaning.domain == domain && NAMES[k].meaning.ref == ref) {
            *out = NAMES[k].value;
        }
    }
}

static const struct expr_scope SCOPE = {lookup, all_names, NULL};
static sto_arena_t *arena;

static int set_up(void **state)
{
    (void)state;
    sto_time_init();
    arena = sto_arena_new(1 << 22);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sto_arena_destroy(&arena);
    return 0;
}

/* 1, 0, or the negative code of reading or running. */
static int run(const char *text, struct sto_err *err)
{
    expr_t *e = NULL;
    int rc = expr_parse(text, &SCOPE, arena, &e, err);
    if (rc) {
        assert_null(e);
        return rc;
    }
    struct expr_env env = {.get = get, .today = sto_day_from_civil(2009, 3, 1)};
    bool yes = false;
    rc = expr_eval(e, &env, &yes, err);
    return rc ? rc : yes;
}

static const struct {
    const char *text;
    int yes;
} TRUTHS[] = {
    {"true", 1},
    {"false", 0},
    {"valid", 1},
    {"not valid", 0},
    {"not not valid", 1},
    {"valid is true", 1},
    {"valid is not true", 0},
    {"days >= limit", 1},
    {"days < limit", 0},
    {"days <= 500", 1},
    {"days < 500", 0},
    {"days > 499", 1},
    {"500 > days", 0},
    {"days is 500", 1},
    {"days is not 500", 0},
    {"days in [1, 500]", 1},
    {"days not in [1, 500]", 0},
    {"days is -500", 0},
    {"days + 1 > 500", 1},
    {"price > 125", 1},
    {"price >= 126", 0},
    {"price is 125.5", 1},
    {"price is not 125.50", 0},
    {"price in [125.5, 3]", 1},
    {"price in [125]", 0},
    {"price > limit", 0},
    {"limit > price", 1},
    {"price + 1 > 126.49", 1},
    {"price + days is 625.50", 1},
    {"days + limit > price + 824.49", 1},
    {"days is 500.0", 1},
    {"days > 499.99", 1},
    {"-0.5 < price", 1},
    {"0 - price is -125.5", 1},
    {"days - 1 >= 500", 0},
    {"days - 100 + 50 is limit", 1},
    {"(days) > (limit)", 1},
    {"need is study", 1},
    {"need is work", 0},
    {"need is not work", 1},
    {"need in [work, rest]", 0},
    {"need in [work, study]", 1},
    {"need not in [work]", 1},
    {"need is 'study'", 1},
    {"notes is 'ok then'", 1},
    {"notes is not 'ok'", 1},
    {"notes is ''", 0},
    {"starts-on is 2009-01-31", 1},
    {"starts-on < today", 1},
    {"starts-on + 1 month is 2009-02-28", 1},
    {"starts-on + 30 days <= today", 0},
    {"starts-on + 4 weeks < today", 1},
    {"starts-on - 1 year is 2008-01-31", 1},
    {"starts-on + window is 2009-02-10", 1},
    {"today is 2009-03-01", 1},
    {"talk is held", 1},
    {"talk is no-show", 0},
    {"talk in [done, held]", 1},
    {"other is held", 0},
    {"other is not held", 1},
    {"other is set", 0},
    {"other in [done, held]", 0},
    {"other not in [done]", 1},
    {"study is given", 1},
    {"study is lost", 0},
    {"talk is set", 1},
    {"unset-int is set", 0},
    {"unset-int is not set", 1},
    {"days is set", 1},
    {"valid and days > 1", 1},
    {"valid and false", 0},
    {"false or valid", 1},
    {"false or false", 0},
    {"true or false and false", 1},
    {"(true or false) and false", 0},
    {"not false and true", 1},
    {"not (false or true)", 0},
    {"  valid\n and\ttrue ", 1},
    {"unset-int is set and unset-int > 3", 0},
    {"unset-int is not set or unset-int > 3", 1},
    {"true or unset-int > 3", 1},
    {"false and unset-int > 3", 0},
};

static void conditions_mean_what_they_say(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof(TRUTHS) / sizeof(TRUTHS[0]); k++) {
        struct sto_err err = {0};
        int got = run(TRUTHS[k].text, &err);
        if (got != TRUTHS[k].yes) {
            fail_msg("'%s' gave %d (%s), expected %d", TRUTHS[k].text, got, err.what,
                     TRUTHS[k].yes);
        }
    }
}

static const struct {
    const char *text;
    int column;
    const char *says;
} FAULTS[] = {
    {"", 1, "expected"},
    {"and", 1, "'and'"},
    {"valid and", 10, "the end"},
    {"valid valid", 7, "'and', 'or'"},
    {"(valid", 7, "')'"},
    {"valid)", 6, "')'"},
    {"days", 1, "a number, where a yes or no"},
    {"not days", 5, "yes or no"},
    {"valid and days", 11, "yes or no"},
    {"days or valid", 1, "yes or no"},
    {"dais > 3", 1, "did you mean 'days'"},
    {"qwertyuiop > 3", 1, "no field"},
    {"need is stdy", 9, "did you mean 'study'"},
    {"need is held", 9, "none of its values"},
    {"talk is given", 9, "none of its values"},
    {"need in [work, held]", 16, "none of its values"},
    {"need in work", 9, "'['"},
    {"need in [work", 14, "',' or ']'"},
    {"need in []", 10, "cannot be compared"},
    {"valid in [true]", 7, "'in' takes"},
    {"need not study", 10, "'in' is expected"},
    {"need > work", 8, "no field"},
    {"need is 3", 9, "cannot be compared"},
    {"days is work", 9, "no field"},
    {"days is 'x'", 9, "cannot be compared"},
    {"days is valid", 9, "cannot be compared"},
    {"price is 1.234", 10, "two decimals"},
    {"price is 100000000000000000.5", 10, "two decimals"},
    {"price is 1000000000000000000", 10, "64 bits"},
    {"price is work", 10, "no field"},
    {"price", 1, "a decimal number, where"},
    {"notes < 'x'", 9, "by order"},
    {"days < starts-on", 8, "by order"},
    {"days = 3", 6, "'is'"},
    {"days != 3", 6, "'is'"},
    {"valid && valid", 7, "'and'"},
    {"days -1 > 3", 6, "'and', 'or'"},
    {"days +1 > 3", 6, "blank"},
    {"valid # x", 7, "means nothing"},
    {"notes is 'x", 10, "never closed"},
    {"starts-on + 3 business days > today", 15, "not 'business'"},
    {"starts-on + 3 hours > today", 15, "not 'hours'"},
    {"starts-on + 3 > today", 13, "such as '30 days'"},
    {"days + starts-on > 3", 1, "cannot be added"},
    {"valid + valid", 1, "cannot be added"},
    {"3 days is 3 days", 11, "not compared"},
    {"window", 1, "a duration"},
    {"starts-on > 2009-02-30", 13, "no date"},
    {"days > 99999999999999999999", 8, "64 bits"},
    {"days > 3x", 8, "neither"},
    {"(days > 3) is set", 15, "takes a name"},
    {"starts-on + 0 days > today", 13, "1 to 36500"},
    {"is set", 1, "'is'"},
    {"days > ", 8, "the end"},
    {"days > > 3", 8, "expected"},
};

static void faults_are_told_with_their_column(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof(FAULTS) / sizeof(FAULTS[0]); k++) {
        struct sto_err err = {0};
        char column[32];
        (void)snprintf(column, sizeof(column), "column %d:", FAULTS[k].column);
        int rc = run(FAULTS[k].text, &err);
        if (rc != -STO_E_CONFIG || strncmp(err.what, column, strlen(column)) != 0 ||
            !strstr(err.what, FAULTS[k].says)) {
            fail_msg("'%s' gave %d '%s', expected '%s … %s'", FAULTS[k].text, rc, err.what, column,
                     FAULTS[k].says);
        }
    }
}

static void an_unset_value_and_an_overflow_are_refused_at_running(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"unset-int > 3",
                                        "unset-code is work",
                                        "unset-code in [work]",
                                        "unset-int > 3 or true",
                                        "huge + 1 > 0",
                                        "price > huge",
                                        "small - 1 < 0",
                                        "far + 10 days > today",
                                        "far + 100 years > today",
                                        "starts-on + offices > today",
                                        "today - 3000 years < today"};
    for (size_t k = 0; k < sizeof(TEXTS) / sizeof(TEXTS[0]); k++) {
        struct sto_err err = {0};
        int rc = run(TEXTS[k], &err);
        if (rc != -STO_E_CONDITION) {
            fail_msg("'%s' gave %d '%s'", TEXTS[k], rc, err.what);
        }
    }
}

static void evaluation_stops_as_soon_as_it_knows(void **state)
{
    (void)state;
    struct sto_err err = {0};
    reads = 0;
    assert_int_equal(run("valid or days > 1 or need is work", &err), 1);
    assert_int_equal(reads, 1);
    reads = 0;
    assert_int_equal(run("not valid and days > 1", &err), 0);
    assert_int_equal(reads, 1);
}

static char *repeated(const char *head, const char *part, unsigned n, const char *tail)
{
    size_t cap = strlen(head) + n * strlen(part) + strlen(tail) + 1;
    char *s = calloc(1, cap);
    assert_non_null(s);
    int at = snprintf(s, cap, "%s", head);
    for (unsigned k = 0; k < n; k++) {
        at += snprintf(s + at, cap - (size_t)at, "%s", part);
    }
    (void)snprintf(s + at, cap - (size_t)at, "%s", tail);
    return s;
}

static void depth_and_size_are_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *head, *part;
        unsigned n;
        const char *tail;
        int rc;
    } CASES[] = {
        {"", "not ", 20, "valid", 1},
        {"", "not ", 40, "valid", -STO_E_CONFIG},
        {"", "(", 31, "valid", -STO_E_CONFIG},
        {"", "(", 1000, "valid", -STO_E_CONFIG},
        {"valid", " and valid", 20, "", 1},
        {"valid", " and valid", 40, "", -STO_E_CONFIG},
        {"valid", " and valid", 190, "", -STO_E_CONFIG},
        {"", "not ", 100000, "valid", -STO_E_CONFIG},
        {"days in [1", ", 1", 20, "]", 0},
        {"days in [1", ", 1", 40, "]", -STO_E_CONFIG},
    };
    for (size_t k = 0; k < sizeof(CASES) / sizeof(CASES[0]); k++) {
        struct sto_err err = {0};
        char *s = repeated(CASES[k].head, CASES[k].part, CASES[k].n, CASES[k].tail);
        assert_int_equal(run(s, &err), CASES[k].rc);
        free(s);
    }
}

struct seen {
    unsigned n;
    uint16_t refs[16];
    uint8_t domains[16];
};

static void note(void *arg, uint8_t domain, uint16_t ref)
{
    struct seen *s = arg;
    s->domains[s->n] = domain;
    s->refs[s->n++] = ref;
}

static void what_a_condition_reads_is_known(void **state)
{
    (void)state;
    expr_t *e = NULL;
    struct sto_err err = {0};
    struct seen s = {0};
    assert_int_equal(
        expr_parse("days > limit and talk is held or unset-int is set", &SCOPE, arena, &e, &err),
        0);
    expr_reads(e, note, &s);
    assert_int_equal(s.n, 4);
    assert_int_equal(s.domains[0] + s.domains[1], 3); /* a field and a setting */
    assert_int_equal(s.domains[2], 1);
    assert_int_equal(s.refs[3], 5);
    expr_reads(NULL, note, &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_mean_what_they_say),
        cmocka_unit_test(faults_are_told_with_their_column),
        cmocka_unit_test(an_unset_value_and_an_overflow_are_refused_at_running),
        cmocka_unit_test(evaluation_stops_as_soon_as_it_knows),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(what_a_condition_reads_is_known),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
