/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The journeys that are shipped: each is played in each shipped network, with the shipped workflows
 * that it names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario.h"
#include "shipped.h"

static size_t travel(const network_t *net, size_t *errors)
{
    char *names[FILES_MAX];
    size_t n = list_names(SHIPPED_ROOT "/journeys", ".cfg", names);
    struct shipped_library l = {.net = net};
    struct scenario_book book = {.net = net, .find = shipped_find, .arg = &l};
    for (size_t i = 0; i < n; i++) {
        struct model_file file;
        struct journey_totals t;
        sto_diags_t *d = sto_diags_new();
        assert_true(read_file(SHIPPED_ROOT "/journeys", names[i], &file));
        (void)journey_run(&file, &book, d, &t);
        *errors += print_diags(d);
        print_message("%s: %u cases of %u workflows, %u events%s\n", names[i], t.cases,
                      t.n_workflows, t.events, t.skipped ? ", skipped" : "");
        sto_diags_destroy(&d);
        free_file(&file);
        free(names[i]);
    }
    shipped_release(&l);
    return n;
}

static void every_journey_goes_as_it_says_in_both_networks(void **state)
{
    (void)state;
    static const char *const networks[] = {"oulu-2014", "oulu-2026"};
    size_t errors = 0;
    for (unsigned k = 0; k < 2; k++) {
        network_t *net = load_shipped(networks[k]);
        network_as_of(net);
        assert_true(travel(net, &errors) > 0);
        network_destroy(&net);
    }
    assert_int_equal(errors, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_journey_goes_as_it_says_in_both_networks),
    };
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
