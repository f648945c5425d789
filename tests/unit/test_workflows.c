/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The workflows that are shipped: each is loaded with each shipped network, checked, and its
 * scenarios are run. Any finding that is an error fails; coverage gaps are printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check.h"
#include "scenario.h"
#include "shipped.h"

/* Loads, checks and plays one workflow; returns the number of errors. */
static size_t try_workflow(struct shipped_library *library, const char *dir)
{
    const network_t *net = library->net;
    struct model_file scenarios;
    struct scenario_totals t = {0};
    sto_diags_t *d = sto_diags_new();
    int64_t longest = 0;
    bool has_scenarios = read_file(dir, "scenarios.cfg", &scenarios);
    workflow_t *wf = load_shipped_workflow(net, dir, d);
    if (wf) {
        char *cfg = sto_asprintf("%s/workflow.cfg", dir);
        (void)check_workflow(wf, cfg, net, d, &longest);
        free(cfg);
        if (has_scenarios) {
            struct scenario_book book = {.net = net, .find = shipped_find, .arg = library};
            (void)scenario_run(&scenarios, wf, &book, d, &t);
        } else {
            sto_diag(d, STO_SEV_ERROR, scenarios.name, 1, "no-scenarios",
                     "a shipped workflow has scenarios");
        }
    }
    size_t errors = print_diags(d);
    print_message("%s: %u scenarios, %u failed; steps %u/%u, exits %u/%u, clocks %u/%u\n", dir,
                  t.scenarios, t.failed, t.steps_hit, t.steps, t.exits_hit, t.exits, t.clocks_hit,
                  t.clocks);
    workflow_destroy(&wf);
    sto_diags_destroy(&d);
    free_file(&scenarios);
    return errors;
}

struct trial {
    struct shipped_library library;
    size_t errors;
};

static void try_one(void *arg, const network_t *net, const char *dir)
{
    struct trial *t = arg;
    (void)net;
    t->errors += try_workflow(&t->library, dir);
}

static void every_shipped_workflow_is_sound_and_does_what_its_scenarios_say(void **state)
{
    (void)state;
    static const char *const networks[] = {"oulu-2014", "oulu-2026"};
    size_t errors = 0;
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        network_t *net = load_shipped(networks[i]);
        network_as_of(net);
        struct trial t = {.library.net = net};
        assert_true(each_shipped(net, try_one, &t) > 0);
        errors += t.errors;
        shipped_release(&t.library);
        network_destroy(&net);
    }
    assert_int_equal(errors, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shipped_workflow_is_sound_and_does_what_its_scenarios_say),
    };
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
