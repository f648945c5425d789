/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto flow test: the scenarios of workflows and the journeys through several of them on virtual
 * time, and what they reach. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow_journey.h"
#include "flow_library.h"
#include "flow_report.h"
#include "nouns.h"
#include "scenario.h"

struct suite {
    struct flow_source *source; /* borrowed */
    const char *id;             /* name of the folder */
    struct scenario_totals totals;
    sto_diags_t *diags;
    struct model_file file;
    int64_t took_us;
};

struct test_run {
    struct cli *c;
    struct flow_sources sources;
    network_t *net;
    flow_library_t *library;
    struct suite *suites;
    size_t n_suites;
    struct journeys journeys;
    unsigned failed, tests, skipped;
    size_t errors;
};

static const char *id_of(const struct flow_source *s)
{
    const char *slash = strrchr(s->dir, '/');

    return slash != NULL ? slash + 1 : s->dir;
}

/* ------------------------------------------------------------------ playing */

static int play_suite(struct suite *s, flow_library_t *library, const struct scenario_book *book,
                      struct sto_err *err)
{
    const workflow_t *w = NULL;
    int rc = flow_library_load(library, s->source, s->diags, &w, err);

    if (rc == -STO_E_CONFIG) {
        return 0; /* its errors are in the diags */
    }
    if (rc == 0 && access(s->source->scenarios, R_OK) != 0) {
        sto_diag(s->diags, STO_SEV_WARNING, s->source->scenarios, 0, "no-scenarios",
                 "workflow '%s' has no scenarios", s->id);
        return 0;
    }
    rc = rc != 0
             ? rc
             : model_file_read(s->source->scenarios, s->source->scenarios, false, &s->file, err);
    if (rc == 0) {
        (void)scenario_run(&s->file, w, book, s->diags,
                           &s->totals); /* what failed is in diags and totals */
        sto_diags_sort(s->diags);
    }
    return rc;
}

static json_t *suite_json(const struct suite *s)
{
    const struct scenario_totals *t = &s->totals;

    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "workflow", s->id,
                     "scenarios", t->scenarios, "failed", t->failed, "skipped", t->skipped, "steps",
                     t->steps, "steps_reached", t->steps_hit, "exits", t->exits, "exits_reached",
                     t->exits_hit, "clocks", t->clocks, "clocks_reached", t->clocks_hit, "findings",
                     flow_findings_json(s->diags));
}

static void print_suite(struct cli *c, const struct suite *s)
{
    const struct scenario_totals *t = &s->totals;
    char skipped[48] = "";

    if (t->skipped != 0) {
        snprintf(skipped, sizeof skipped, ", %u for another network", t->skipped);
    }
    flow_findings_say(c, s->diags);
    output_say(&c->out,
               "%s: %u of %u scenarios passed%s; reached: steps %u/%u, exits %u/%u, clocks %u/%u",
               s->id, t->scenarios - t->failed - t->skipped, t->scenarios, skipped, t->steps_hit,
               t->steps, t->exits_hit, t->exits, t->clocks_hit, t->clocks);
    if (!output_text(&c->out)) {
        output_row(&c->out, suite_json(s));
    }
}

static int play_suites(struct test_run *r, const struct scenario_book *book, struct sto_err *err)
{
    int rc = 0;

    for (size_t i = 0; i < r->n_suites && rc == 0; i++) {
        struct suite *s = &r->suites[i];
        int64_t from_us = sto_mono_us();
        *s = (struct suite){
            .source = &r->sources.v[i], .id = id_of(&r->sources.v[i]), .diags = sto_diags_new()};
        rc = play_suite(s, r->library, book, err);
        s->took_us = sto_mono_us() - from_us;
        if (rc == 0) {
            print_suite(r->c, s);
            r->failed += s->totals.failed;
            r->tests += s->totals.scenarios;
            r->skipped += s->totals.skipped;
            r->errors += sto_diags_errors(s->diags);
        }
    }
    return rc;
}

static int play_journeys(struct test_run *r, const struct scenario_book *book, struct sto_err *err)
{
    int rc = 0;

    for (size_t i = 0; i < r->journeys.n && rc == 0; i++) {
        struct journey *j = &r->journeys.v[i];
        rc = journey_play(j, book, err);
        if (rc == 0) {
            journey_print(r->c, j);
            r->failed += j->totals.failed;
            r->tests++;
            r->skipped += j->totals.skipped;
            r->errors += sto_diags_errors(j->diags);
        }
    }
    return rc;
}

/* ------------------------------------------------------------------- output */

static int write_junit(const struct test_run *r, const char *path, struct sto_err *err)
{
    size_t n = 0;
    struct junit_suite *v = sto_xcalloc(r->n_suites + r->journeys.n + 1, sizeof *v);

    for (size_t i = 0; i < r->n_suites; i++) {
        const struct suite *s = &r->suites[i];
        v[n++] = (struct junit_suite){.id = s->id,
                                      .file = &s->file,
                                      .list = "scenarios",
                                      .diags = s->diags,
                                      .took_us = s->took_us};
    }
    for (size_t i = 0; i < r->journeys.n; i++) {
        const struct journey *j = &r->journeys.v[i];
        v[n++] = (struct junit_suite){.id = j->id,
                                      .file = &j->file,
                                      .list = "journey",
                                      .diags = j->diags,
                                      .skipped = j->totals.skipped,
                                      .took_us = j->took_us};
    }
    int rc = junit_write(path, v, n, err);
    free(v);
    return rc;
}

static int play_all(struct test_run *r, struct sto_err *err)
{
    struct scenario_book book = {r->net, flow_library_find, r->library};
    const char *junit = cli_option(r->c, "junit");

    if (!output_text(&r->c->out)) {
        output_table(&r->c->out, NULL);
    }
    int rc = play_suites(r, &book, err);
    rc = rc != 0 ? rc : play_journeys(r, &book, err);
    if (!output_text(&r->c->out)) {
        output_table_end(&r->c->out, "");
    }
    rc = rc != 0 || junit == NULL ? rc : write_junit(r, junit, err);
    if (rc == 0) {
        output_say(&r->c->out, "%u scenarios and journeys: %u passed, %u failed%s", r->tests,
                   r->tests - r->failed - r->skipped, r->failed,
                   r->skipped != 0 ? ", the others are for another network" : "");
    }
    if (rc == 0 && (r->failed != 0 || r->errors != 0)) {
        rc = sto_fail(err, STO_E_CONFIG, "%u of %u scenarios and journeys failed, %zu errors",
                      r->failed, r->tests, r->errors);
        sto_err_fix(err, "see the lines named above");
    }
    return rc;
}

/* ---------------------------------------------------------------------- run */

/* Which journeys and which workflows the words mean, and the network. */
static int find_all(struct test_run *r, struct sto_err *err)
{
    const char **words = sto_xcalloc(r->c->n_words + 1, sizeof *words);
    struct cli rest = *r->c;

    journeys_of(r->c, words, &rest.n_words, &r->journeys);
    rest.words = words;
    int rc = flow_sources_of(&rest, false, &r->sources, err);
    bool journeys_only = r->c->n_words != 0 && rest.n_words == 0;
    r->n_suites = journeys_only ? 0 : r->sources.n;
    free(words);
    return rc;
}

static void release(struct test_run *r)
{
    for (size_t i = 0; i < r->n_suites && r->suites != NULL; i++) {
        sto_diags_destroy(&r->suites[i].diags);
        model_file_release(&r->suites[i].file);
    }
    free(r->suites);
    journeys_release(&r->journeys);
    flow_library_destroy(&r->library);
    network_destroy(&r->net);
    flow_sources_release(&r->sources);
}

int flow_test(struct cli *c, struct sto_err *err)
{
    struct test_run r = {.c = c};
    sto_diags_t *diags = sto_diags_new();
    int rc = find_all(&r, err);

    rc = rc != 0 ? rc : model_network_dir(r.sources.network, diags, &r.net, err);
    if (rc == 0) {
        network_as_of(r.net);
    }
    if (rc != 0) {
        model_print_diags(diags);
    } else {
        r.library = flow_library_new(r.net, &r.sources);
        r.suites = sto_xcalloc(r.n_suites + 1, sizeof *r.suites);
        rc = play_all(&r, err);
    }
    sto_diags_destroy(&diags);
    release(&r);
    return rc;
}
