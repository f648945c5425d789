/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto flow test: the scenarios of workflows on virtual time, their coverage, and JUnit XML for
 * machines. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow_source.h"
#include "nouns.h"
#include "scenario.h"
#include "sto_arena.h"
#include "sto_buf.h"
#include "sto_file.h"

#define TREE_ARENA_BYTES (32u << 20)

struct suite {
    struct flow_source *source; /* borrowed */
    const char *id;             /* name of the folder */
    struct scenario_totals totals;
    sto_diags_t *diags;
    struct model_file file;
    bool loaded;
};

static const char *id_of(const struct flow_source *s)
{
    const char *slash = strrchr(s->dir, '/');

    return slash != NULL ? slash + 1 : s->dir;
}

static int run_suite(struct suite *s, const network_t *net, struct sto_err *err)
{
    workflow_t *w = NULL;
    int rc = flow_source_load(s->source, net, s->diags, &w, err);

    if (rc == -STO_E_CONFIG) {
        return 0; /* its errors are in the diags */
    }
    if (rc == 0 && access(s->source->scenarios, R_OK) != 0) {
        sto_diag(s->diags, STO_SEV_WARNING, s->source->scenarios, 0, "no-scenarios",
                 "workflow '%s' has no scenarios", s->id);
        workflow_destroy(&w);
        return 0;
    }
    rc = rc != 0
             ? rc
             : model_file_read(s->source->scenarios, s->source->scenarios, false, &s->file, err);
    if (rc == 0) {
        s->loaded = true;
        (void)scenario_run(&s->file, w, net, s->diags,
                           &s->totals); /* what failed is in diags and totals */
        sto_diags_sort(s->diags);
    }
    workflow_destroy(&w);
    return rc;
}

/* -------------------------------------------------------------------- JUnit */

static void put_xml(struct sto_buf *b, const char *s)
{
    for (; *s != '\0'; s++) {
        const char *e = *s == '&'   ? "&amp;"
                        : *s == '<' ? "&lt;"
                        : *s == '>' ? "&gt;"
                        : *s == '"' ? "&quot;"
                                    : NULL;
        if (e != NULL) {
            sto_put_bytes(b, e, strlen(e));
        } else if ((unsigned char)*s >= 0x20 || *s == '\n') {
            sto_put_bytes(b, s, 1);
        }
    }
}

static void put_text(struct sto_buf *b, const char *s)
{
    sto_put_bytes(b, s, strlen(s));
}

/* Errors of lines [from, until) belong to one scenario. */
static void junit_case(struct sto_buf *b, const struct suite *s, const char *name, int from,
                       int until)
{
    bool failed = false;

    put_text(b, "    <testcase classname=\"");
    put_xml(b, s->id);
    put_text(b, "\" name=\"");
    put_xml(b, name);
    put_text(b, "\">");
    for (size_t i = 0; i < sto_diags_count(s->diags); i++) {
        const struct sto_diag *d = sto_diags_at(s->diags, i);
        if (d->severity != STO_SEV_ERROR || d->line < from || d->line >= until) {
            continue;
        }
        char line[32];
        snprintf(line, sizeof line, "line %d: ", d->line);
        put_text(b, failed ? "\n" : "\n      <failure message=\"expectation not met\">");
        put_text(b, line);
        put_xml(b, d->text);
        failed = true;
    }
    put_text(b, failed ? "</failure>\n    </testcase>\n" : "</testcase>\n");
}

static void junit_suite(struct sto_buf *b, const struct suite *s)
{
    sto_arena_t *arena = sto_arena_new(TREE_ARENA_BYTES);
    sto_diags_t *ignored = sto_diags_new();
    const struct sto_conf *root = NULL;
    char *head = sto_asprintf("  <testsuite name=\"%s\" tests=\"%u\" failures=\"%u\">\n", s->id,
                              s->totals.scenarios, s->totals.failed);

    put_text(b, head);
    free(head);
    if (s->loaded) {
        (void)sto_conf_parse(s->file.name, s->file.text, s->file.len, arena, ignored, &root);
    }
    const struct sto_conf *list = root != NULL ? sto_conf_get(root, "scenarios") : NULL;
    for (const struct sto_conf *g = list != NULL ? list->child : NULL; g != NULL; g = g->next) {
        const struct sto_conf *name = g->type == STO_CONF_GROUP ? sto_conf_get(g, "name") : NULL;
        if (name != NULL && name->type == STO_CONF_STRING) {
            junit_case(b, s, name->s, g->line, g->next != NULL ? g->next->line : 1 << 30);
        }
    }
    if (!s->loaded) {
        junit_case(b, s, "the workflow loads", 0, 1 << 30);
    }
    put_text(b, "  </testsuite>\n");
    sto_diags_destroy(&ignored);
    sto_arena_destroy(&arena);
}

static int junit_write(const char *path, const struct suite *suites, size_t n, struct sto_err *err)
{
    struct sto_buf b;

    sto_buf_init(&b, 0);
    put_text(
        &b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"saatto flow test\">\n");
    for (size_t i = 0; i < n; i++) {
        junit_suite(&b, &suites[i]);
    }
    put_text(&b, "</testsuites>\n");
    int rc = b.failed ? sto_fail(err, STO_E_LIMIT, "the JUnit report is too large")
                      : sto_file_write(path, b.data, b.len, 0644, err);
    sto_buf_release(&b);
    return rc;
}

/* ------------------------------------------------------------------- output */

static json_t *suite_json(const struct suite *s)
{
    const struct scenario_totals *t = &s->totals;
    json_t *findings = json_array();

    for (size_t i = 0; i < sto_diags_count(s->diags); i++) {
        const struct sto_diag *d = sto_diags_at(s->diags, i);
        json_array_append_new(
            findings, json_pack("{s:s, s:i, s:s, s:s, s:s}", "file", d->file, "line", d->line,
                                "severity", d->severity == STO_SEV_ERROR ? "error" : "warning",
                                "code", d->code, "text", d->text));
    }
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "workflow", s->id,
                     "scenarios", t->scenarios, "failed", t->failed, "steps", t->steps,
                     "steps_reached", t->steps_hit, "exits", t->exits, "exits_reached",
                     t->exits_hit, "clocks", t->clocks, "clocks_reached", t->clocks_hit, "findings",
                     findings);
}

static void print_suite(struct cli *c, const struct suite *s)
{
    const struct scenario_totals *t = &s->totals;

    for (size_t i = 0; i < sto_diags_count(s->diags); i++) {
        const struct sto_diag *d = sto_diags_at(s->diags, i);
        output_say(&c->out, "%s:%d: %s: %s [%s]", d->file, d->line,
                   d->severity == STO_SEV_ERROR ? "error" : "warning", d->text, d->code);
    }
    output_say(&c->out,
               "%s: %u of %u scenarios passed; reached: steps %u/%u, exits %u/%u, clocks %u/%u",
               s->id, t->scenarios - t->failed, t->scenarios, t->steps_hit, t->steps, t->exits_hit,
               t->exits, t->clocks_hit, t->clocks);
    if (!output_text(&c->out)) {
        output_row(&c->out, suite_json(s));
    }
}

static int run_all(struct cli *c, const struct flow_sources *sources, const network_t *net,
                   struct suite *suites, struct sto_err *err)
{
    unsigned failed = 0, scenarios = 0;
    size_t errors = 0;
    int rc = 0;

    if (!output_text(&c->out)) {
        output_table(&c->out, NULL);
    }
    for (size_t i = 0; i < sources->n && rc == 0; i++) {
        suites[i] = (struct suite){
            .source = &sources->v[i], .id = id_of(&sources->v[i]), .diags = sto_diags_new()};
        rc = run_suite(&suites[i], net, err);
        if (rc == 0) {
            print_suite(c, &suites[i]);
            failed += suites[i].totals.failed;
            scenarios += suites[i].totals.scenarios;
            errors += sto_diags_errors(suites[i].diags);
        }
    }
    if (!output_text(&c->out)) {
        output_table_end(&c->out, "");
    }
    if (rc == 0 && cli_option(c, "junit") != NULL) {
        rc = junit_write(cli_option(c, "junit"), suites, sources->n, err);
    }
    if (rc == 0 && (failed != 0 || errors != 0)) {
        rc = sto_fail(err, STO_E_CONFIG, "%u of %u scenarios failed, %zu errors", failed, scenarios,
                      errors);
        sto_err_fix(err, "see the lines named above");
    }
    return rc;
}

int flow_test(struct cli *c, struct sto_err *err)
{
    struct flow_sources sources = {0};
    network_t *net = NULL;
    sto_diags_t *diags = sto_diags_new();
    int rc = flow_sources_of(c, false, &sources, err);

    rc = rc != 0 ? rc : model_network_dir(sources.network, diags, &net, err);
    if (rc == 0) {
        network_as_of(net);
    }
    if (rc != 0) {
        model_print_diags(diags);
    } else {
        struct suite *suites = sto_xcalloc(sources.n, sizeof *suites);
        rc = run_all(c, &sources, net, suites, err);
        for (size_t i = 0; i < sources.n; i++) {
            sto_diags_destroy(&suites[i].diags);
            model_file_release(&suites[i].file);
        }
        free(suites);
    }
    sto_diags_destroy(&diags);
    network_destroy(&net);
    flow_sources_release(&sources);
    return rc;
}
