/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Scenarios of what cases share: panels, places, quotas, groups, plans, attendance days, and a case
 * that goes on in another workflow. The scenarios are the fuzzer's seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "scenario.h"
#include "shipped.h"
#include "whole_workflow.h"

struct bench {
    network_t *net;
    workflow_t *wf;
};

static int bench_setup(void **state)
{
    struct bench *b = sto_xcalloc(1, sizeof *b);
    struct model_file net = {"network.cfg", whole_network, sizeof whole_network - 1};
    struct model_file wf = {"workflow.cfg", whole_workflow, sizeof whole_workflow - 1};
    struct model_file texts = {"texts.cfg", "", 0};
    sto_diags_t *d = sto_diags_new();
    int rc = network_load("whole", &net, 1, d, &b->net);
    rc = rc != 0 ? rc : workflow_load(&wf, &texts, b->net, d, &b->wf);
    if (rc != 0) {
        (void)print_diags(d);
    }
    sto_diags_destroy(&d);
    *state = b;
    return rc;
}

static int bench_teardown(void **state)
{
    struct bench *b = *state;
    workflow_destroy(&b->wf);
    network_destroy(&b->net);
    free(b);
    return 0;
}

static const workflow_t *find(void *arg, const char *id)
{
    const struct bench *b = arg;
    return strcmp(id, b->wf->id) == 0 ? b->wf : NULL;
}

static int run(struct bench *b, const struct model_file *file, sto_diags_t *d)
{
    struct scenario_book book = {.net = b->net, .find = find, .arg = b};
    struct scenario_totals totals;
    return scenario_run(file, b->wf, &book, d, &totals);
}

static void what_cases_share_can_be_played_and_expected(void **state)
{
    struct model_file file;
    sto_diags_t *d = sto_diags_new();
    assert_true(read_file(SAATTO_SOURCE_DIR "/tests/fuzz/corpus/scenario", "whole", &file));
    int rc = run(*state, &file, d);
    if (rc != 0) {
        (void)print_diags(d);
    }
    assert_int_equal(rc, 0);
    sto_diags_destroy(&d);
    free_file(&file);
}

static void each_wrong_expectation_of_it_is_told(void **state)
{
    static const struct {
        const char *entry;
        const char *code;
    } wrong[] = {
        {"expect : {\nconsents : { tell = \"given\"; }; };", "consents"},
        {"expect : {\ndata : { price = \"12.51\"; }; };", "data"},
        {"expect : {\ndata : { price = \"12,5\"; }; };", "field-value"},
        {"expect : {\nfree : { coaching = 0; }; };", "free"},
        {"expect : {\nfree : { board = 0; }; };", "unknown-session"},
        {"expect : {\nwaiting : { board = 1; }; };", "waiting"},
        {"expect : {\nplaces = [ \"voucher:reserved\" ]; };", "places"},
        {"expect : {\nkept = [ \"letter\" ]; };", "kept"},
        {"expect : {\nclocks = [ \"within:ask\", \"consent:tell\" ]; };", "clocks"},
        {"by = \"te\"; event = \"message\"; message = \"letter\"; exit = \"yes\";\nexpect : {\n"
         "kept = [ ]; };",
         "kept"},
        {"by = \"city\"; event = \"group-open\";\nat-time = \"2008-02-01 10:00\";",
         "session-event"},
        {"by = \"city\"; event = \"quota-return\";\nsession = \"coach\"; places = 1;",
         "unknown-session"},
        {"by = \"te\"; event = \"consent-give\";\nconsent = \"tell\"; days = 2;", "wrong-key"},
        {"by = \"te\"; event = \"correct\";\nset : { price = 12.5; };", "field-value"},
    };
    char text[1024];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(text, sizeof text,
                       "scenarios : ( { name = \"one\"; at = \"2008-01-07 09:00\";\n"
                       " start : { by = \"te\"; client = 1; home = \"city\";\n"
                       "   set : { price = \"12.50\"; }; }; timeline = ( { %s } ); } );\n",
                       wrong[i].entry);
        struct model_file file = {"scenarios.cfg", text, strlen(text)};
        sto_diags_t *d = sto_diags_new();
        assert_int_equal(run(*state, &file, d), -STO_E_CONFIG);
        if (sto_diags_errors(d) != 1 || strcmp(sto_diags_at(d, 0)->code, wrong[i].code) != 0) {
            print_message("%s: expected [%s], got:\n", wrong[i].entry, wrong[i].code);
            (void)print_diags(d);
            fail();
        }
        sto_diags_destroy(&d);
    }
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_cases_share_can_be_played_and_expected),
        TEST(each_wrong_expectation_of_it_is_told),
    };
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
