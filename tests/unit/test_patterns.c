/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The control-flow patterns of docs/reference/patterns.md: each folder of tests/patterns is a small
 * workflow that the checker finds no error in and that does what its scenarios say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check.h"
#include "scenario.h"
#include "shipped.h"

#define PATTERNS SAATTO_SOURCE_DIR "/tests/patterns"

static size_t try_pattern(const network_t *net, const char *dir)
{
    struct model_file scenarios;
    struct scenario_book book = {.net = net};
    struct scenario_totals t = {0};
    sto_diags_t *d = sto_diags_new();
    int64_t longest = 0;
    assert_true(read_file(dir, "scenarios.cfg", &scenarios));
    workflow_t *wf = load_shipped_workflow(net, dir, d);
    if (wf) {
        (void)check_workflow(wf, dir, net, d, &longest);
        (void)scenario_run(&scenarios, wf, &book, d, &t);
        assert_true(t.scenarios > 1);
        assert_int_equal(t.steps_hit, t.steps);
    }
    size_t errors = sto_diags_errors(d);
    if (errors > 0) {
        (void)print_diags(d);
    }
    workflow_destroy(&wf);
    sto_diags_destroy(&d);
    free_file(&scenarios);
    return errors;
}

static void every_pattern_does_what_its_scenarios_say(void **state)
{
    (void)state;
    char *names[FILES_MAX];
    size_t errors = 0, n = list_names(PATTERNS, "", names), tried = 0;
    network_t *net = load_network_of(PATTERNS "/network", "network");
    for (size_t i = 0; i < n; i++) {
        char *dir = sto_asprintf("%s/%s", PATTERNS, names[i]);
        if (names[i][0] >= '0' && names[i][0] <= '9') {
            errors += try_pattern(net, dir);
            tried++;
        }
        free(dir);
        free(names[i]);
    }
    network_destroy(&net);
    assert_int_equal(errors, 0);
    assert_true(tried > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pattern_does_what_its_scenarios_say),
    };
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
