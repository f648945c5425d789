/* SPDX-License-Identifier: EUPL-1.2 */
#include "flow_report.h"

#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "sto_arena.h"
#include "sto_buf.h"
#include "sto_file.h"

#define TREE_ARENA_BYTES (32u << 20)

static const char *severity(const struct sto_diag *d)
{
    return d->severity == STO_SEV_ERROR ? "error" : "warning";
}

void flow_findings_say(struct cli *c, const sto_diags_t *diags)
{
    for (size_t i = 0; i < sto_diags_count(diags); i++) {
        const struct sto_diag *d = sto_diags_at(diags, i);
        output_say(&c->out, "%s:%d: %s: %s [%s]", d->file, d->line, severity(d), d->text, d->code);
    }
}

json_t *flow_findings_json(const sto_diags_t *diags)
{
    json_t *list = json_array();

    for (size_t i = 0; i < sto_diags_count(diags); i++) {
        const struct sto_diag *d = sto_diags_at(diags, i);
        json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:s, s:s}", "file", d->file, "line",
                                              d->line, "severity", severity(d), "code", d->code,
                                              "text", d->text));
    }
    return list;
}

/* -------------------------------------------------------------------- JUnit */

static void put_text(struct sto_buf *b, const char *s)
{
    sto_put_bytes(b, s, strlen(s));
}

static void put_xml(struct sto_buf *b, const char *s)
{
    for (; *s != '\0'; s++) {
        const char *e = *s == '&'   ? "&amp;"
                        : *s == '<' ? "&lt;"
                        : *s == '>' ? "&gt;"
                        : *s == '"' ? "&quot;"
                                    : NULL;
        if (e != NULL) {
            put_text(b, e);
        } else if ((unsigned char)*s >= 0x20 || *s == '\n') {
            sto_put_bytes(b, s, 1);
        }
    }
}

static void put_attr(struct sto_buf *b, const char *key, const char *value)
{
    put_text(b, " ");
    put_text(b, key);
    put_text(b, "=\"");
    put_xml(b, value);
    put_text(b, "\"");
}

static void put_number(struct sto_buf *b, const char *key, int64_t n)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)n);
    put_attr(b, key, text);
}

static void put_time(struct sto_buf *b, int64_t us)
{
    char text[32];

    snprintf(text, sizeof text, "%lld.%06lld", (long long)(us / 1000000),
             (long long)(us % 1000000));
    put_attr(b, "time", text);
}

struct counts {
    unsigned tests, failures, skipped;
};

/* One test; what stands in its lines [from, until) failed it. */
struct lines {
    int from, until;
};

static void put_case(struct sto_buf *b, const struct junit_suite *s, const char *name,
                     struct lines in, struct counts *n)
{
    bool failed = false;

    put_text(b, "    <testcase");
    put_attr(b, "classname", s->id);
    put_attr(b, "name", name);
    if (s->file->len != 0) {
        put_attr(b, "file", s->file->name);
        put_number(b, "line", in.from);
    }
    put_text(b, ">");
    for (size_t i = 0; i < sto_diags_count(s->diags); i++) {
        const struct sto_diag *d = sto_diags_at(s->diags, i);
        if (d->severity != STO_SEV_ERROR || d->line < in.from || d->line >= in.until) {
            continue;
        }
        char line[32];
        snprintf(line, sizeof line, ":%d: ", d->line);
        put_text(b, failed ? "\n" : "\n      <failure message=\"not as expected\">");
        put_xml(b, d->file);
        put_text(b, line);
        put_xml(b, d->text);
        failed = true;
    }
    if (s->skipped) {
        put_text(b, "<skipped/>");
    }
    put_text(b, failed ? "</failure>\n    </testcase>\n" : "</testcase>\n");
    n->tests++;
    n->failures += failed;
    n->skipped += s->skipped;
}

/* The tests of one suite; a file that could not be read is one test that failed. */
static void put_cases(struct sto_buf *b, const struct junit_suite *s, struct counts *n)
{
    static const struct lines all = {0, 1 << 30};
    sto_arena_t *arena = sto_arena_new(TREE_ARENA_BYTES);
    sto_diags_t *ignored = sto_diags_new();
    const struct sto_conf *root = NULL;

    if (s->file->len != 0) {
        (void)sto_conf_parse(s->file->name, s->file->text, s->file->len, arena, ignored, &root);
    }
    const struct sto_conf *list = root != NULL ? sto_conf_get(root, s->list) : NULL;
    bool many = list != NULL && list->type == STO_CONF_LIST && list->child != NULL;
    for (const struct sto_conf *g = many ? list->child : NULL; g != NULL; g = g->next) {
        const struct sto_conf *name = g->type == STO_CONF_GROUP ? sto_conf_get(g, "name") : NULL;
        struct lines in = {g->line, g->next != NULL ? g->next->line : all.until};
        put_case(b, s, name != NULL && name->type == STO_CONF_STRING ? name->s : "?", in, n);
    }
    if (!many) {
        const struct sto_conf *name =
            list != NULL && list->type == STO_CONF_GROUP ? sto_conf_get(list, "name") : NULL;
        put_case(b, s, name != NULL && name->type == STO_CONF_STRING ? name->s : "can be read", all,
                 n);
    }
    sto_diags_destroy(&ignored);
    sto_arena_destroy(&arena);
}

static void put_counts(struct sto_buf *b, const struct counts *n, int64_t took_us)
{
    put_number(b, "tests", n->tests);
    put_number(b, "failures", n->failures);
    put_number(b, "errors", 0);
    put_number(b, "skipped", n->skipped);
    put_time(b, took_us);
    put_text(b, ">\n");
}

static void put_suite(struct sto_buf *b, const struct junit_suite *s, struct counts *sum)
{
    struct sto_buf cases;
    struct counts n = {0};

    sto_buf_init(&cases, 0);
    put_cases(&cases, s, &n);
    put_text(b, "  <testsuite");
    put_attr(b, "name", s->id);
    put_counts(b, &n, s->took_us);
    sto_put_bytes(b, cases.data, cases.len);
    put_text(b, "  </testsuite>\n");
    b->failed = b->failed || cases.failed;
    sto_buf_release(&cases);
    sum->tests += n.tests;
    sum->failures += n.failures;
    sum->skipped += n.skipped;
}

int junit_write(const char *path, const struct junit_suite *suites, size_t n, struct sto_err *err)
{
    struct sto_buf b, inner;
    struct counts sum = {0};
    int64_t took_us = 0;

    sto_buf_init(&b, 0);
    sto_buf_init(&inner, 0);
    for (size_t i = 0; i < n; i++) {
        put_suite(&inner, &suites[i], &sum);
        took_us += suites[i].took_us;
    }
    put_text(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    put_attr(&b, "name", "saatto flow test");
    put_counts(&b, &sum, took_us);
    sto_put_bytes(&b, inner.data, inner.len);
    put_text(&b, "</testsuites>\n");
    int rc = b.failed || inner.failed ? sto_fail(err, STO_E_LIMIT, "the JUnit report is too large")
                                      : sto_file_write(path, b.data, b.len, 0644, err);
    sto_buf_release(&inner);
    sto_buf_release(&b);
    return rc;
}
