/* SPDX-License-Identifier: EUPL-1.2 */
/* Instruments: reading answers, sums worked out by hand, the shipped ones, faults of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "network.h"
#include "shipped.h"

static network_t *net;

static int set_up(void **state)
{
    (void)state;
    sto_time_init();
    net = load_shipped("oulu-2014");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    network_destroy(&net);
    return 0;
}

/* Scores of a filling-in; fails when it is refused. */
static void score(const struct instrument *t, const char *text, struct score *out)
{
    struct answers a;
    struct sto_err err = {0};
    if (instrument_answers(t, text, strlen(text), &a, &err) != 0) {
        fail_msg("%s", err.what);
    }
    instrument_score(t, &a, out);
}

/* "v,v,…" of n items, and then what follows. */
static char *same(unsigned n, const char *v, const char *rest)
{
    char *text = sto_xcalloc(1, 2000), *p = text;
    for (unsigned k = 0; k < n; k++) {
        p += sprintf(p, "%s%s", k > 0 ? "," : "", v);
    }
    strcpy(p, rest);
    return text;
}

static void the_measure_has_77_items_in_16_sums_and_each_item_counts_once(void **state)
{
    (void)state;
    const struct instrument *t = network_instrument(net, "functional-capacity");
    unsigned counted[STO_INSTRUMENT_ITEMS_MAX] = {0};
    assert_int_equal(t->items, 77);
    assert_int_equal(t->n_sums, 16);
    for (unsigned k = 0; k < t->n_sums; k++) {
        int64_t least, greatest;
        instrument_range(t, &t->sums[k], &least, &greatest);
        assert_int_equal(least, 0);
        assert_int_equal(greatest, 10000);
        for (unsigned j = 0; j < t->sums[k].n_items; j++) {
            counted[t->sums[k].items[j]]++;
        }
    }
    for (unsigned k = 0; k < t->items; k++) {
        assert_int_equal(counted[k], 1);
    }
}

static void a_sum_is_the_per_cent_of_its_maximum(void **state)
{
    (void)state;
    const struct instrument *t = network_instrument(net, "functional-capacity");
    struct score s[STO_INSTRUMENT_SUMS_MAX];
    /* sum-01: 4+3+0+1+2 = 10 of 20; sum-02: 3+3+3+3+1 = 13 of 20; all others 4 of 4 */
    char *rest = same(67, "4", ""), *text = sto_asprintf("4,3,0,1,2,3,3,3,3,1,%s", rest);
    score(t, text, s);
    assert_true(s[0].known);
    assert_int_equal(s[0].hundredths, 5000);
    assert_int_equal(s[1].hundredths, 6500);
    for (unsigned k = 2; k < 16; k++) {
        assert_int_equal(s[k].hundredths, 10000);
    }
    free(text);
    free(rest);
    text = same(77, "0", "");
    score(t, text, s);
    assert_int_equal(s[15].hundredths, 0);
    assert_int_equal(s[15].answered, 4);
    free(text);
}

static void a_missing_answer_counts_as_the_mean_and_half_must_be_there(void **state)
{
    (void)state;
    const struct instrument *t = network_instrument(net, "functional-capacity");
    struct score s[STO_INSTRUMENT_SUMS_MAX];
    /* sum-01: 4, 3, 3 of five: 10 of 12 = 83.33; sum-02: two of five are fewer than half */
    char *rest = same(67, "", ""), *text = sto_asprintf("4,,3,,3,4,4,,,,%s", rest);
    score(t, text, s);
    assert_true(s[0].known);
    assert_int_equal(s[0].hundredths, 8333);
    assert_int_equal(s[0].answered, 3);
    assert_false(s[1].known);
    assert_int_equal(s[1].answered, 2);
    assert_false(s[15].known);
    free(text);
    free(rest);
}

/* R116 */
static void fidelity_is_a_mean_of_each_area_and_a_total_of_25_to_125(void **state)
{
    (void)state;
    const struct instrument *t = network_instrument(net, "ips-fidelity");
    struct score s[STO_INSTRUMENT_SUMS_MAX];
    int64_t least, greatest;
    assert_int_equal(t->items, 25);
    assert_int_equal(t->n_sums, 4);
    instrument_range(t, &t->sums[3], &least, &greatest);
    assert_int_equal(least, 2500);
    assert_int_equal(greatest, 12500);
    instrument_range(t, &t->sums[0], &least, &greatest);
    assert_int_equal(least, 100);
    assert_int_equal(greatest, 500);
    /* staff 5, 4, 5 = 14/3; organisation 8 × 3 = 24/8; services 13 × 2 + 5 = 31/14; total 69 */
    score(t, "5,4,5,3,3,3,3,3,3,3,3,2,2,2,2,2,2,2,2,2,2,2,2,2,5", s);
    assert_int_equal(s[0].hundredths, 467);
    assert_int_equal(s[1].hundredths, 300);
    assert_int_equal(s[2].hundredths, 221);
    assert_int_equal(s[3].hundredths, 6900);
    /* a review rates everything */
    score(t, "5,4,,3,3,3,3,3,3,3,3,2,2,2,2,2,2,2,2,2,2,2,2,2,5", s);
    assert_false(s[0].known);
    assert_true(s[1].known);
    assert_false(s[3].known);
}

static void workshop_criteria_are_six(void **state)
{
    (void)state;
    const struct instrument *t = network_instrument(net, "workshop-criteria");
    struct score s[STO_INSTRUMENT_SUMS_MAX];
    assert_int_equal(t->items, 6);
    score(t, "1,0,1,1,0,1", s);
    assert_int_equal(s[0].hundredths, 100);
    assert_int_equal(s[1].hundredths, 0);
    assert_int_equal(s[t->n_sums - 1].hundredths, 400);
}

static void answers_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const struct instrument *t = network_instrument(net, "workshop-criteria");
    static const char *const wrong[] = {"",
                                        "1,0,1,1,0",
                                        "1,0,1,1,0,1,1",
                                        "1,0,2,1,0,1",
                                        "1,0,x,1,0,1",
                                        "1,0,-1,1,0,1",
                                        "1,0,99999999999,1,0,1"};
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        struct answers a;
        struct sto_err err = {0};
        assert_int_equal(instrument_answers(t, wrong[k], strlen(wrong[k]), &a, &err),
                         -STO_E_MALFORMED);
        assert_non_null(strstr(err.what, "workshop-criteria"));
    }
    struct score s[STO_INSTRUMENT_SUMS_MAX];
    score(t, ",,,,,", s);
    assert_false(s[0].known);
}

/* ------------------------------------------------------------------ files */

#define HEAD                                                                                       \
    "network : { id = \"n\"; version = 1; coordinator = \"a\"; categories = [ \"x\" ]; };\n"       \
    "organisations : { a : { number = 1; name = \"A\"; kinds = [ \"k\" ]; desks : { d : { number " \
    "= 1; }; }; }; };\n"

static network_t *load_text(const char *instruments, sto_diags_t *d)
{
    struct model_file files[] = {{"n.cfg", HEAD, sizeof HEAD - 1},
                                 {"i.cfg", instruments, strlen(instruments)}};
    network_t *n = NULL;
    (void)network_load("n", files, 2, d, &n);
    return n;
}

static void a_reversed_item_counts_from_the_other_end(void **state)
{
    (void)state;
    sto_diags_t *d = sto_diags_new();
    network_t *n = load_text(
        "instruments : { t : { category = \"x\"; min = 1; max = 5; items = [ \"a\", \"b\" ]; "
        "sums : { s : { items = [ \"a\", \"b\" ]; reversed = [ \"b\" ]; }; }; }; };",
        d);
    struct score s[STO_INSTRUMENT_SUMS_MAX];
    assert_non_null(n);
    score(&n->instruments[0], "5,1", s); /* 5 and 6 - 1: the greatest */
    assert_int_equal(s[0].hundredths, 10000);
    score(&n->instruments[0], "1,4", s); /* 1 + 2 = 3 of 2..10 */
    assert_int_equal(s[0].hundredths, 1250);
    network_destroy(&n);
    sto_diags_destroy(&d);
}

static void faults_of_a_file_are_told_with_their_code(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code;
    } wrong[] = {
        {"category = \"y\"; max = 4; items = [ \"a\" ]; sums : { s : { items = [ \"a\" ]; }; };",
         "unknown-category"},
        {"category = \"x\"; items = [ \"a\" ]; sums : { s : { items = [ \"a\" ]; }; };",
         "missing-key"},
        {"category = \"x\"; min = 4; max = 4; items = [ \"a\" ]; sums : { s : { items = [ \"a\" ]; "
         "}; };",
         "bad-value"},
        {"category = \"x\"; max = 4; sums : { s : { items = [ \"a\" ]; }; };", "missing-key"},
        {"category = \"x\"; max = 4; items = [ \"a\", \"a\" ]; sums : { s : { items = [ \"a\" ]; "
         "}; };",
         "duplicate"},
        {"category = \"x\"; max = 4; items = [ \"a\" ];", "missing-key"},
        {"category = \"x\"; max = 4; items = [ \"a\" ]; sums : { s : { items = [ \"b\" ]; }; };",
         "unknown-item"},
        {"category = \"x\"; max = 4; items = [ \"a\", \"b\" ]; sums : { s : { items = [ \"a\" ]; "
         "reversed = [ \"b\" ]; }; };",
         "unknown-item"},
        {"category = \"x\"; max = 4; items = [ \"a\" ]; sums : { s : { items = [ \"a\", \"a\" ]; "
         "}; };",
         "duplicate"},
        {"category = \"x\"; max = 4; items = [ \"a\" ]; sums : { s : { items = [ \"a\" ]; scale = "
         "\"meen\"; }; };",
         "bad-value"},
        {"category = \"x\"; max = 4; itms = [ \"a\" ]; sums : { s : { items = [ \"a\" ]; }; };",
         "unknown-key"},
        {"title : { fi = \"T\"; }; category = \"x\"; max = 4; items = [ \"a\" ]; sums : { s : { "
         "items = [ \"a\" ]; }; };",
         "missing-text"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
        char *text = sto_asprintf("instruments : { t : { %s }; };", wrong[k].text);
        sto_diags_t *d = sto_diags_new();
        bool found = false;
        assert_null(load_text(text, d));
        for (size_t i = 0; i < sto_diags_count(d); i++) {
            found = found || (strcmp(sto_diags_at(d, i)->code, wrong[k].code) == 0 &&
                              strcmp(sto_diags_at(d, i)->file, "i.cfg") == 0);
        }
        if (!found) {
            (void)print_diags(d);
            fail_msg("expected [%s]: %s", wrong[k].code, wrong[k].text);
        }
        sto_diags_destroy(&d);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_measure_has_77_items_in_16_sums_and_each_item_counts_once),
        cmocka_unit_test(a_sum_is_the_per_cent_of_its_maximum),
        cmocka_unit_test(a_missing_answer_counts_as_the_mean_and_half_must_be_there),
        cmocka_unit_test(fidelity_is_a_mean_of_each_area_and_a_total_of_25_to_125),
        cmocka_unit_test(workshop_criteria_are_six),
        cmocka_unit_test(answers_that_do_not_fit_are_refused),
        cmocka_unit_test(a_reversed_item_counts_from_the_other_end),
        cmocka_unit_test(faults_of_a_file_are_told_with_their_code),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
