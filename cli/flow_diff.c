/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto flow diff */
#include <stdlib.h>
#include <string.h>

#include "flow_facts.h"
#include "flow_source.h"
#include "installation.h"
#include "nouns.h"
#include "sto_file.h"

#define ARENA_BYTES ((size_t)64 * 1024 * 1024)

struct side {
    struct flow_facts facts;
};
struct diff {
    struct cli *c;
    struct side before, after;
    sto_arena_t *arena;
    sto_diags_t *diags;
    size_t found;
};

/* ------------------------------------------------------------------ sentences */

/* How an aspect is spoken of. */
static const char *spoken(const char *aspect)
{
    static const char *const WORDS[][2] = {{"within", "the time for it"},
                                           {"role", "who does it"},
                                           {"to", "whom it goes to"},
                                           {"with", "who takes part"},
                                           {"helps", "who records for the client"},
                                           {"carries", "the data sent"},
                                           {"teaser", "the data sent with the offer"},
                                           {"collects", "the data it records"},
                                           {"must", "the data it cannot do without"},
                                           {"type", "what kind it is"},
                                           {"where", "where it stands"},
                                           {"first", "what comes first"},
                                           {"at-most", "how often it may be entered"},
                                           {"at-least", "its least duration"},
                                           {"visible-to", "who sees it"},
                                           {"starts", "when it begins"},
                                           {"kind", "the kind of organisation"},
                                           {"choose", "how it is chosen"},
                                           {"category", "the category"},
                                           {"values", "the values"},
                                           {"by", "who may open a case"},
                                           {"requires", "the data needed to open a case"},
                                           {"when", "the condition"},
                                           {"once", "what there may be one of"},
                                           {"records", "what is recorded at the end"},
                                           {"fi", "Finnish"},
                                           {"sv", "Swedish"},
                                           {"en", "English"},
                                           {NULL, NULL}};
    for (unsigned i = 0; WORDS[i][0] != NULL; i++) {
        if (strcmp(WORDS[i][0], aspect) == 0) {
            return WORDS[i][1];
        }
    }
    return aspect;
}

static void say(struct diff *d, const struct flow_fact *fact, const char *before, const char *after,
                char *text)
{
    d->found++;
    output_say(&d->c->out, "%s", text);
    if (!output_text(&d->c->out)) {
        output_row(&d->c->out,
                   json_pack("{s:s, s:s, s:s?, s:s?, s:s}", "subject", fact->subject, "aspect",
                             fact->aspect, "before", before, "after", after, "text", text));
    }
    free(text);
}

/* Exits, rules and where a step stands are sentences by themselves; others are named. */
static bool speaks(const char *aspect)
{
    return strncmp(aspect, "rule ", 5) == 0 ||
           (strncmp(aspect, "exit ", 5) == 0 && aspect[strlen(aspect) - 1] == '\'');
}

static void changed(struct diff *d, const struct flow_fact *a, const struct flow_fact *b)
{
    char *text = NULL;
    if (strncmp(a->aspect, "rule ", 5) == 0) {
        text = sto_asprintf("%s: %s is now: %s; before: %s", a->subject, a->aspect, b->value,
                            a->value);
    } else if (speaks(a->aspect)) {
        text =
            sto_asprintf("%s: %s now %s; before, it %s", a->subject, a->aspect, b->value, a->value);
    } else {
        text = sto_asprintf("%s: %s is now '%s'; before, '%s'", a->subject, spoken(a->aspect),
                            b->value, a->value);
    }
    say(d, a, a->value, b->value, text);
}

static void one_sided(struct diff *d, const struct flow_fact *f, bool is_new)
{
    bool plain = speaks(f->aspect);
    char *text =
        plain && is_new ? sto_asprintf("%s: %s is new and %s", f->subject, f->aspect, f->value)
        : plain         ? sto_asprintf("%s: %s is gone; it %s", f->subject, f->aspect, f->value)
        : is_new
            ? sto_asprintf("%s: %s is new: '%s'", f->subject, spoken(f->aspect), f->value)
            : sto_asprintf("%s: %s is gone; it was '%s'", f->subject, spoken(f->aspect), f->value);
    say(d, f, is_new ? NULL : f->value, is_new ? f->value : NULL, text);
}

/* ---------------------------------------------------------------------- lists */

static bool holds(const char *list, const char *item, size_t n)
{
    for (const char *p = list; *p != '\0';) {
        const char *end = strstr(p, ", ");
        size_t len = end != NULL ? (size_t)(end - p) : strlen(p);
        if (len == n && memcmp(p, item, n) == 0) {
            return true;
        }
        p += len + (end != NULL ? 2 : 0);
    }
    return false;
}

/* Items of a that b lacks, quoted. */
static char *missing(const char *a, const char *b)
{
    char *out = sto_xstrdup("");
    for (const char *p = a; *p != '\0';) {
        const char *end = strstr(p, ", ");
        size_t len = end != NULL ? (size_t)(end - p) : strlen(p);
        if (!holds(b, p, len)) {
            char *longer = sto_asprintf("%s%s'%.*s'", out, *out != '\0' ? ", " : "", (int)len, p);
            free(out);
            out = longer;
        }
        p += len + (end != NULL ? 2 : 0);
    }
    return out;
}

static void changed_list(struct diff *d, const struct flow_fact *a, const struct flow_fact *b)
{
    char *gone = missing(a->value, b->value), *come = missing(b->value, a->value);
    if (*gone == '\0' && *come == '\0') {
        free(gone);
        free(come);
        return; /* another order */
    }
    char *text = sto_asprintf(
        "%s: %s: %s%s%s%s%s", a->subject, spoken(a->aspect), *come != '\0' ? "now also " : "", come,
        *come != '\0' && *gone != '\0' ? ", " : "", *gone != '\0' ? "no longer " : "", gone);
    say(d, a, a->value, b->value, text);
    free(gone);
    free(come);
}

/* ------------------------------------------------------------------ comparing */

/* "step 'x' is new: type task, role holder": one sentence for all that a new subject says. */
static void whole(struct diff *d, const struct flow_facts *f, const char *subject, bool is_new)
{
    char *text = sto_asprintf("%s is %s", subject, is_new ? "new" : "gone");
    unsigned n = 0;
    for (size_t i = 0; i < f->n && is_new; i++) {
        if (strcmp(f->v[i].subject, subject) == 0) {
            char *longer = sto_asprintf("%s%s%s %s", text, n++ == 0 ? ": " : "; ", f->v[i].aspect,
                                        f->v[i].value);
            free(text);
            text = longer;
        }
    }
    const struct flow_fact fact = {.subject = subject, .aspect = ""};
    say(d, &fact, is_new ? NULL : subject, is_new ? subject : NULL, text);
}

static bool first_of_subject(const struct flow_facts *f, size_t i)
{
    return flow_fact_find(f, f->v[i].subject, NULL) == &f->v[i];
}

static void compare(struct diff *d)
{
    const struct flow_facts *a = &d->before.facts, *b = &d->after.facts;
    for (size_t i = 0; i < a->n; i++) {
        const struct flow_fact *x = &a->v[i];
        if (flow_fact_find(b, x->subject, NULL) == NULL) {
            if (first_of_subject(a, i)) {
                whole(d, a, x->subject, false);
            }
            continue;
        }
        const struct flow_fact *y = flow_fact_find(b, x->subject, x->aspect);
        if (y == NULL) {
            one_sided(d, x, false);
        } else if (strcmp(x->value, y->value) != 0) {
            if (x->list && y->list) {
                changed_list(d, x, y);
            } else {
                changed(d, x, y);
            }
        }
    }
    for (size_t i = 0; i < b->n; i++) {
        const struct flow_fact *y = &b->v[i];
        if (flow_fact_find(a, y->subject, NULL) == NULL) {
            if (first_of_subject(b, i)) {
                whole(d, b, y->subject, true);
            }
        } else if (flow_fact_find(a, y->subject, y->aspect) == NULL) {
            one_sided(d, y, true);
        }
    }
}

/* -------------------------------------------------------------------- reading */

static int read_folder(struct diff *d, const struct flow_source *s, struct side *side,
                       struct sto_err *err)
{
    struct sto_buf cfg, texts;
    sto_buf_init(&cfg, 0);
    sto_buf_init(&texts, 0);
    side->facts.arena = d->arena;
    int rc = flow_source_bundle(s, d->diags, &cfg, &texts, err);
    rc = rc != 0
             ? rc
             : flow_facts_read(&(struct model_file){s->cfg, (const char *)cfg.data, cfg.len},
                               &(struct model_file){s->texts, (const char *)texts.data, texts.len},
                               &side->facts, d->diags, err);
    sto_buf_release(&cfg);
    sto_buf_release(&texts);
    return rc;
}

static char *id_of(const struct flow_source *s)
{
    const char *slash = strrchr(s->dir, '/');
    return sto_xstrdup(slash != NULL ? slash + 1 : s->dir);
}

/* The version that is deployed: the newest, or the one that --version names. */
static int read_deployed(struct diff *d, const struct flow_source *s, struct sto_err *err)
{
    installation_t *in = NULL;
    PGconn *db = NULL;
    char *id = id_of(s);
    const char *params[] = {id, cli_option(d->c, "version")};
    int rc = installation_open(d->c, &in, err);
    rc = rc != 0 ? rc : db_open_read(in, &db, err);
    PGresult *r = rc != 0
                      ? NULL
                      : db_query_binary(db,
                                        "SELECT cfg, texts FROM workflow_version WHERE id = $1 AND "
                                        "($2::text IS NULL OR version = $2::int8) "
                                        "ORDER BY version DESC LIMIT 1",
                                        2, params, err);
    rc = rc == 0 && r == NULL ? -STO_E_DB : rc;
    if (rc == 0 && PQntuples(r) == 0) {
        rc = sto_fail(err, STO_E_UNKNOWN_WORKFLOW, "no such version of workflow '%s' is deployed",
                      id);
        sto_err_fix(err, "saatto flow list names those that are; or name two folders");
    }
    if (rc == 0) {
        size_t n_cfg = 0, n_texts = 0;
        const char *cfg = (const char *)db_bytes(r, 0, 0, &n_cfg);
        const char *texts = (const char *)db_bytes(r, 0, 1, &n_texts);
        d->before.facts.arena = d->arena;
        rc = flow_facts_read(&(struct model_file){"workflow.cfg (deployed)", cfg, n_cfg},
                             &(struct model_file){"texts.cfg (deployed)", texts, n_texts},
                             &d->before.facts, d->diags, err);
    }
    PQclear(r);
    PQfinish(db);
    installation_close(&in);
    free(id);
    return rc;
}

int flow_diff(struct cli *c, struct sto_err *err)
{
    struct flow_sources sources = {0};
    struct diff d = {.c = c, .arena = sto_arena_new(ARENA_BYTES), .diags = sto_diags_new()};
    int rc = flow_sources_of(c, false, &sources, err);
    if (rc == 0 && sources.n != c->n_words) {
        rc = sto_fail(err, STO_E_USAGE, "a network has no versions to compare; name workflows");
    } else if (rc == 0 && sources.n == 2 && cli_option(c, "version") != NULL) {
        rc = sto_fail(err, STO_E_USAGE, "--version is of what is deployed; name one folder");
    }
    rc = rc != 0 ? rc : read_folder(&d, &sources.v[sources.n - 1], &d.after, err);
    if (rc == 0) {
        rc = sources.n == 2 ? read_folder(&d, &sources.v[0], &d.before, err)
                            : read_deployed(&d, &sources.v[0], err);
    }
    model_print_diags(d.diags);
    if (rc == 0) {
        if (!output_text(&c->out)) {
            output_table(&c->out, NULL);
        }
        compare(&d);
        if (!output_text(&c->out)) {
            output_table_end(&c->out, "");
        }
        if (d.found == 0) {
            output_say(&c->out, "Nothing differs.");
        }
    }
    flow_facts_release(&d.before.facts);
    flow_facts_release(&d.after.facts);
    flow_sources_release(&sources);
    sto_diags_destroy(&d.diags);
    sto_arena_destroy(&d.arena);
    return rc;
}
