/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * tests/check/broken: workflows with one fault each. The first line says `// expect: CODE`; that
 * and nothing else must be found, on the network of tests/check/network. Every code that the
 * checker gives has at least one.
 */
#include "shipped.h"

#include "check.h"

#define BROKEN       SAATTO_SOURCE_DIR "/tests/check/broken"
#define EXPECT       "// expect: "
#define BROKEN_LEAST 60

static network_t *net;
static bool seen[256]; /* codes by their place in the table */

static int set_up(void **state)
{
    (void)state;
    struct model_file file;
    sto_diags_t *d = sto_diags_new();
    sto_time_init();
    assert_true(read_file(SAATTO_SOURCE_DIR "/tests/check/network", "network.cfg", &file));
    if (network_load("check", &file, 1, d, &net)) {
        print_diags(d);
        fail_msg("the network must load");
    }
    sto_diags_destroy(&d);
    free_file(&file);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    network_destroy(&net);
    return 0;
}

static bool expected(const struct model_file *cfg, char *code, size_t cap)
{
    size_t n = strlen(EXPECT);
    if (strncmp(cfg->text, EXPECT, n) != 0) {
        return false;
    }
    (void)snprintf(code, cap, "%.*s", (int)strcspn(cfg->text + n, "\r\n "), cfg->text + n);
    return true;
}

static void note(const char *code)
{
    const struct check_code *rows = NULL;
    size_t n = check_codes(&rows);
    for (size_t k = 0; k < n && k < sizeof seen / sizeof seen[0]; k++) {
        seen[k] = seen[k] || strcmp(rows[k].code, code) == 0;
    }
}

/* Findings but for the texts, which these workflows go without. */
static size_t findings(const sto_diags_t *d, const struct sto_diag **first)
{
    size_t n = 0;
    for (size_t k = 0; k < sto_diags_count(d); k++) {
        if (strcmp(sto_diags_at(d, k)->code, "no-texts") != 0) {
            *first = n++ == 0 ? sto_diags_at(d, k) : *first;
        }
    }
    return n;
}

/* Returns whether exactly the expected finding came. */
static bool try_broken(const char *name)
{
    char *dir = sto_asprintf("%s/%s", BROKEN, name), code[64] = "";
    struct model_file cfg;
    workflow_t *w = NULL;
    sto_diags_t *d = sto_diags_new();
    struct check_report report = {0};
    assert_true(read_file(dir, "workflow.cfg", &cfg));
    bool says = expected(&cfg, code, sizeof code);
    if (workflow_load(&cfg, NULL, net, d, &w) == 0) {
        (void)check_prove(w, cfg.name, net, d, &report);
    }
    const struct sto_diag *first = NULL;
    size_t n = findings(d, &first);
    const struct check_code *row = check_code_find(code);
    bool good = says && row && n == 1 && strcmp(first->code, code) == 0 &&
                row->warning == (first->severity != STO_SEV_ERROR);
    if (!good) {
        print_message("%s: expected [%s] and nothing else, got %zu findings\n", name, code, n);
        (void)print_diags(d);
    }
    note(code);
    workflow_destroy(&w);
    sto_diags_destroy(&d);
    free_file(&cfg);
    free(dir);
    return good;
}

/* R5, R6: gaps, and joints where nobody answers, are found before deployment */
static void every_broken_workflow_gives_its_one_finding(void **state)
{
    (void)state;
    char *names[FILES_MAX];
    size_t n = list_names(BROKEN, "", names), bad = 0;
    for (size_t k = 0; k < n; k++) {
        bad += !try_broken(names[k]);
        free(names[k]);
    }
    print_message("%zu broken workflows\n", n);
    assert_true(n >= BROKEN_LEAST);
    assert_int_equal(bad, 0);
}

static void every_code_of_the_checker_has_a_broken_workflow(void **state)
{
    (void)state;
    const struct check_code *rows = NULL;
    size_t n = check_codes(&rows), bad = 0;
    assert_true(n < sizeof seen / sizeof seen[0]);
    for (size_t k = 0; k < n; k++) {
        bool form = strcmp(rows[k].group, "form") == 0;            /* the loader's: its own tests */
        bool bound = strcmp(rows[k].code, "too-many-states") == 0; /* test_check.c */
        if (!form && !bound && !seen[k]) {
            print_message("no broken workflow gives '%s'\n", rows[k].code);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_workflow_gives_its_one_finding),
        cmocka_unit_test(every_code_of_the_checker_has_a_broken_workflow),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
