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

struct library {
    const network_t *net;
    workflow_t *list[FILES_MAX];
    size_t n;
};

static void load_into(struct library *l, const char *id)
{
    char *dir = sto_asprintf("%s/%s", SHIPPED_ROOT, id);
    struct model_file cfg, texts, none = {.name = "texts.cfg", .text = ""};
    sto_diags_t *d = sto_diags_new();
    if (read_file(dir, "workflow.cfg", &cfg)) {
        bool has_texts = read_file(dir, "texts.cfg", &texts);
        if (workflow_load(&cfg, has_texts ? &texts : &none, l->net, d, &l->list[l->n]) == 0) {
            l->n++;
        } else {
            (void)print_diags(d);
        }
        free_file(&texts);
    }
    free_file(&cfg);
    sto_diags_destroy(&d);
    free(dir);
}

static const workflow_t *find(void *arg, const char *id)
{
    struct library *l = arg;
    for (unsigned tries = 0; tries < 2; tries++) {
        for (size_t i = 0; i < l->n; i++) {
            if (strcmp(l->list[i]->id, id) == 0) {
                return l->list[i];
            }
        }
        if (tries == 0 && l->n < FILES_MAX) {
            load_into(l, id);
        }
    }
    return NULL;
}

static size_t travel(const network_t *net, size_t *errors)
{
    char *names[FILES_MAX];
    size_t n = list_names(SHIPPED_ROOT "/journeys", ".cfg", names);
    struct library l = {.net = net};
    struct scenario_book book = {.net = net, .find = find, .arg = &l};
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
    for (size_t i = 0; i < l.n; i++) {
        workflow_destroy(&l.list[i]);
    }
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
