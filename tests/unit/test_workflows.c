/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The workflows that are shipped: each is loaded with the network oulu-2014, checked, and its
 * scenarios are run. Any finding that is an error fails; coverage gaps are printed.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "check.h"
#include "scenario.h"
#include "sto_file.h"

#define NETWORK   "oulu-2014"
#define ROOT      SAATTO_SOURCE_DIR "/workflows"
#define FILES_MAX 64

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a folder with this ending ("" = all), sorted; each malloc'd. */
static size_t list(const char *dir, const char *ending, char *names[FILES_MAX])
{
    DIR *d = opendir(dir);
    size_t n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) && n < FILES_MAX;) {
        size_t len = strlen(e->d_name), end = strlen(ending);
        if (e->d_name[0] != '.' && len >= end && strcmp(e->d_name + len - end, ending) == 0) {
            names[n++] = sto_xstrdup(e->d_name);
        }
    }
    (void)closedir(d);
    qsort(names, n, sizeof names[0], by_name);
    return n;
}

/* A file's bytes with its path as name; false = there is none. */
static bool read_file(const char *dir, const char *name, struct model_file *out)
{
    char *path = sto_asprintf("%s/%s", dir, name), *text = NULL;
    size_t len = 0;
    struct sto_err err = {0};
    bool there = access(path, R_OK) == 0;
    if (there && sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &len, &err) != 0) {
        fail_msg("%s: %s", path, err.what);
    }
    *out = (struct model_file){.name = path, .text = text, .len = len};
    return there;
}

static void free_file(struct model_file *f)
{
    free((void *)(uintptr_t)f->name);
    free((void *)(uintptr_t)f->text);
}

static size_t print_diags(sto_diags_t *d)
{
    sto_diags_sort(d);
    for (size_t i = 0; i < sto_diags_count(d); i++) {
        const struct sto_diag *x = sto_diags_at(d, i);
        print_message("%s:%d: %s: %s [%s]\n", x->file, x->line,
                      x->severity == STO_SEV_ERROR ? "error" : "warning", x->text, x->code);
    }
    return sto_diags_errors(d);
}

static network_t *load_network(void)
{
    char *names[FILES_MAX];
    struct model_file files[FILES_MAX];
    network_t *net = NULL;
    sto_diags_t *d = sto_diags_new();
    size_t n = list(ROOT "/network/" NETWORK, ".cfg", names);
    for (size_t i = 0; i < n; i++) {
        assert_true(read_file(ROOT "/network/" NETWORK, names[i], &files[i]));
        free(names[i]);
    }
    int rc = network_load(NETWORK, files, n, d, &net);
    size_t errors = print_diags(d);
    sto_diags_destroy(&d);
    for (size_t i = 0; i < n; i++) {
        free_file(&files[i]);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(errors, 0);
    return net;
}

/* Loads, checks and plays one workflow; returns the number of errors. */
static size_t try_workflow(const network_t *net, const char *dir)
{
    struct model_file cfg, texts, scenarios;
    struct scenario_totals t = {0};
    workflow_t *wf = NULL;
    sto_diags_t *d = sto_diags_new();
    int64_t longest = 0;
    assert_true(read_file(dir, "workflow.cfg", &cfg));
    bool has_texts = read_file(dir, "texts.cfg", &texts);
    bool has_scenarios = read_file(dir, "scenarios.cfg", &scenarios);
    struct model_file none = {.name = texts.name, .text = "", .len = 0};
    if (workflow_load(&cfg, has_texts ? &texts : &none, net, d, &wf) == 0) {
        (void)check_workflow(wf, cfg.name, net, d, &longest);
        if (has_scenarios) {
            (void)scenario_run(&scenarios, wf, net, d, &t);
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
    free_file(&cfg);
    free_file(&texts);
    free_file(&scenarios);
    return errors;
}

static void every_shipped_workflow_is_sound_and_does_what_its_scenarios_say(void **state)
{
    (void)state;
    char *names[FILES_MAX];
    network_t *net = load_network();
    size_t n = list(ROOT, "", names), errors = 0, tried = 0;
    for (size_t i = 0; i < n; i++) {
        char *dir = sto_asprintf("%s/%s", ROOT, names[i]);
        char *cfg = sto_asprintf("%s/workflow.cfg", dir);
        if (access(cfg, R_OK) == 0) {
            errors += try_workflow(net, dir);
            tried++;
        }
        free(cfg);
        free(dir);
        free(names[i]);
    }
    network_destroy(&net);
    assert_true(tried > 0);
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
