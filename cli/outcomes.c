/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * saatto report outcomes: published figures of a cohort beside what the running system's cases came
 * to. Everything counted comes out of states of cases; the cohort's file only says which case is
 * whose, and what the organisation that opened it has in its own register. A cohort without people
 * of its own counts persons over several others.
 */
#include <stdlib.h>
#include <string.h>

#include "cohort.h"
#include "csv_rows.h"
#include "nouns.h"
#include "starts.h"
#include "sto_arena.h"
#include "sto_file.h"

#define TREE_ARENA_BYTES (8u << 20)
#define COHORTS_MAX      32

struct person { /* one row of the cohort's file and what became of its case */
    bool started, granted;
    size_t row;            /* of the file */
    struct case_view view; /* started only */
};

struct cohort_report {
    const struct sto_conf *published; /* its group in published.cfg */
    const char *id, *file;            /* file "": none of its own */
    struct csv_rows rows;
    struct person *people;
    size_t n_people;
    bool read;
};

struct outcomes {
    struct cli *c;
    struct reading r;
    const char *lang;
    struct cohort_report cohorts[COHORTS_MAX];
    size_t n;
    unsigned differ;
};

static const char *text_in(const struct sto_conf *g, const char *key)
{
    const struct sto_conf *t = g != NULL ? sto_conf_get(g, key) : NULL;
    return t != NULL && t->type == STO_CONF_STRING ? t->s : "";
}

/* -------------------------------------------------------------------- counting */

static bool granted(const struct case_view *v)
{
    for (uint16_t i = 0; v->wf != NULL && i < v->wf->n_steps; i++) {
        uint8_t x = v->state.last_exit[i];
        if (x != 0 && x < v->wf->n_exits && strcmp(v->wf->exits[x], "granted") == 0) {
            return true;
        }
    }
    return false;
}

static bool one_of(const struct sto_conf *list, const char *text)
{
    for (const struct sto_conf *e = list->child; e != NULL; e = e->next) {
        if (e->type == STO_CONF_STRING && strcmp(e->s, text) == 0) {
            return true;
        }
    }
    return false;
}

static bool left_by(const struct case_view *v, const struct sto_conf *pair)
{
    const struct sto_conf *step = pair->child, *exit = step != NULL ? step->next : NULL;
    uint16_t ix = exit != NULL && v->wf != NULL ? workflow_step(v->wf, step->s) : WF_NONE;

    return ix != WF_NONE && strcmp(v->wf->exits[v->state.last_exit[ix]], exit->s) == 0;
}

/* The opener's register says so. */
static bool is_so(const struct cohort_report *k, const struct person *p, const struct sto_conf *is)
{
    for (const struct sto_conf *v = is->child; v != NULL; v = v->next) {
        int column = csv_rows_column(&k->rows, v->name);
        if (column < 0 || v->type != STO_CONF_STRING ||
            strcmp(csv_rows_cell(&k->rows, p->row, column), v->s) != 0) {
            return false;
        }
    }
    return true;
}

/* All keys of a row's `count` must hold (workflows/cohorts/README.md). */
static bool counts(const struct cohort_report *k, const struct person *p,
                   const struct sto_conf *count)
{
    bool holds = p->started;

    for (const struct sto_conf *key = count->child; key != NULL && holds; key = key->next) {
        if (strcmp(key->name, "granted") == 0) {
            holds = p->granted == (key->i != 0);
        } else if (strcmp(key->name, "is") == 0) {
            holds = is_so(k, p, key);
        } else if (strcmp(key->name, "outcomes") == 0) {
            holds = one_of(key, outcome_words(&p->view));
        } else if (strcmp(key->name, "exit") == 0) {
            holds = left_by(&p->view, key);
        } else {
            holds = strcmp(key->name, "started") == 0 || strcmp(key->name, "cohort") == 0;
        }
    }
    return holds;
}

static int read_people(struct outcomes *o, struct cohort_report *k, struct sto_err *err)
{
    struct starter starter;
    json_t *starts = json_array();
    char *path = sto_asprintf("%s/workflows/%s", o->r.in->home, k->file);
    char *text = NULL;
    size_t n = 0;
    int rc = sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &n, err);

    rc = rc != 0 ? rc : csv_rows_parse(path, text, n, &k->rows, err);
    rc = rc != 0 ? rc : cohort_starts(o->r.in->home, k->id, starts, err);
    rc = rc != 0 ? rc : starter_init(&starter, &o->r, err);
    if (rc == 0) {
        k->n_people = json_array_size(starts);
        k->people = sto_xcalloc(k->n_people + 1, sizeof *k->people);
        for (size_t i = 0; i < k->n_people && rc == 0; i++) {
            struct person *p = &k->people[i];
            struct sto_uuid id;
            struct sto_err none = {0};
            p->row = i + 1;
            rc = starter_case_id(&starter, json_array_get(starts, i), &id, err);
            p->started = rc == 0 && case_load(&o->r, &id, &p->view, &none) == 0;
            p->granted = p->started && granted(&p->view);
        }
        starter_release(&starter);
    }
    k->read = rc == 0;
    json_decref(starts);
    free(text);
    free(path);
    return rc;
}

static int cohort_get(struct outcomes *o, const char *id, struct cohort_report **out,
                      struct sto_err *err)
{
    for (size_t i = 0; i < o->n; i++) {
        if (strcmp(o->cohorts[i].id, id) == 0) {
            *out = &o->cohorts[i];
            return (*out)->read || (*out)->file[0] == '\0' ? 0 : read_people(o, *out, err);
        }
    }
    return sto_fail(err, STO_E_CONFIG, "published.cfg counts in cohort '%s', which is not there",
                    id);
}

/* Persons: each client once, whatever number of cases. */
struct persons {
    struct sto_uuid *v;
    size_t n;
};

static void person_add(struct persons *all, const struct sto_uuid *client)
{
    for (size_t i = 0; i < all->n; i++) {
        if (sto_uuid_eq(&all->v[i], client)) {
            return;
        }
    }
    all->v = realloc(all->v, (all->n + 1) * sizeof *all->v);
    STO_ASSERT(all->v != NULL);
    all->v[all->n++] = *client;
}

static int count_persons(struct outcomes *o, const struct sto_conf *any, int64_t *out,
                         struct sto_err *err)
{
    struct persons all = {0};
    int rc = 0;

    for (const struct sto_conf *one = any->child; one != NULL && rc == 0; one = one->next) {
        struct cohort_report *k = NULL;
        rc = cohort_get(o, text_in(one, "cohort"), &k, err);
        for (size_t i = 0; rc == 0 && i < k->n_people; i++) {
            if (counts(k, &k->people[i], one)) {
                person_add(&all, &k->people[i].view.state.client);
            }
        }
    }
    *out = (int64_t)all.n;
    free(all.v);
    return rc;
}

static int count_row(struct outcomes *o, const struct cohort_report *k, const struct sto_conf *row,
                     int64_t *out, struct sto_err *err)
{
    const struct sto_conf *count = sto_conf_get(row, "count");
    const struct sto_conf *any = count != NULL ? sto_conf_get(count, "any") : NULL;

    *out = 0;
    if (any != NULL) {
        return count_persons(o, any, out, err);
    }
    for (size_t i = 0; i < k->n_people && count != NULL; i++) {
        *out += counts(k, &k->people[i], count);
    }
    return 0;
}

/* -------------------------------------------------------------------- printing */

static const struct sto_conf *row_of(const struct cohort_report *k, const char *key)
{
    const struct sto_conf *rows = sto_conf_get(k->published, "rows");

    for (const struct sto_conf *row = rows != NULL ? rows->child : NULL; row != NULL;
         row = row->next) {
        if (strcmp(text_in(row, "key"), key) == 0) {
            return row;
        }
    }
    return NULL;
}

/* Per cent of the row that `of` names, halves rounded up cell by cell (I5); -1 = it has none. */
static int percent_of(struct outcomes *o, const struct cohort_report *k, const struct sto_conf *row,
                      int64_t counted, int64_t *percent, struct sto_err *err)
{
    const struct sto_conf *whole = row_of(k, text_in(row, "of"));
    int64_t n = 0;
    int rc = whole != NULL ? count_row(o, k, whole, &n, err) : 0;

    *percent = n > 0 ? (200 * counted + n) / (2 * n) : -1;
    return rc;
}

/* In text "4 (18 %)". */
static json_t *figure_json(const struct output *out, int64_t figure, int64_t percent)
{
    if (figure < 0) {
        return json_string("–");
    }
    if (percent < 0 || !output_text(out)) {
        return json_integer(figure);
    }
    char *text = sto_asprintf("%lld (%lld %%)", (long long)figure, (long long)percent);
    json_t *j = json_string(text);
    free(text);
    return j;
}

static int print_row(struct outcomes *o, const struct cohort_report *k, const struct sto_conf *row,
                     struct sto_err *err)
{
    const struct sto_conf *figure = sto_conf_get(row, "figure"),
                          *share = sto_conf_get(row, "percent");
    int64_t published = figure != NULL ? figure->i : -1, percent = share != NULL ? share->i : -1;
    int64_t counted = 0, counted_percent = -1;
    int rc = count_row(o, k, row, &counted, err);

    rc = rc != 0 || share == NULL ? rc : percent_of(o, k, row, counted, &counted_percent, err);
    if (rc != 0) {
        return rc;
    }
    bool same = published < 0 || (published == counted && percent == counted_percent);
    o->differ += !same;
    json_t *shown =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s}", "cohort", k->id, "key",
                  text_in(row, "key"), "what", text_in(sto_conf_get(row, "label"), o->lang),
                  "published", figure_json(&o->c->out, published, percent), "counted",
                  figure_json(&o->c->out, counted, counted_percent), "same",
                  published < 0 ? ""
                  : same        ? "yes"
                                : "NO",
                  "page", text_in(row, "page"));
    if (share != NULL) {
        json_object_set_new(shown, "percent", json_integer(percent));
        json_object_set_new(shown, "counted_percent", json_integer(counted_percent));
    }
    output_row(&o->c->out, shown);
    return 0;
}

static void print_notes(struct outcomes *o, const struct cohort_report *k)
{
    const struct sto_conf *notes = sto_conf_get(k->published, "notes");

    output_say(&o->c->out, "%s", "");
    for (const struct sto_conf *note = notes != NULL ? notes->child : NULL; note != NULL;
         note = note->next) {
        output_say(&o->c->out, "  %-4s %s", text_in(note, "id"),
                   text_in(sto_conf_get(note, "text"), o->lang));
    }
}

static const char *const columns[] = {"what=",     "published=PUBLISHED", "counted=COUNTED",
                                      "same=SAME", "page=PAGE",           NULL};

static int report_cohort(struct outcomes *o, const char *id, struct sto_err *err)
{
    struct cohort_report *k = NULL;
    int rc = cohort_get(o, id, &k, err);

    if (rc != 0) {
        return rc;
    }
    output_say(&o->c->out, "\n%s (%s)", text_in(sto_conf_get(k->published, "title"), o->lang),
               text_in(k->published, "source"));
    if (output_text(&o->c->out)) {
        output_table(&o->c->out, columns);
    }
    const struct sto_conf *rows = sto_conf_get(k->published, "rows");
    for (const struct sto_conf *row = rows != NULL ? rows->child : NULL; row != NULL && rc == 0;
         row = row->next) {
        rc = print_row(o, k, row, err);
    }
    if (output_text(&o->c->out)) {
        output_table_end(&o->c->out, "no figures");
    }
    print_notes(o, k);
    return rc;
}

/* ------------------------------------------------------------------------- verb */

static int read_published(struct outcomes *o, sto_arena_t *arena, struct sto_err *err)
{
    char *path = sto_asprintf("%s/workflows/cohorts/published.cfg", o->r.in->home), *text = NULL;
    sto_diags_t *diags = sto_diags_new();
    const struct sto_conf *root = NULL;
    size_t n = 0;
    int rc = sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &n, err);

    if (rc == 0 && sto_conf_parse(path, text, n, arena, diags, &root) != 0) {
        model_print_diags(diags);
        rc = sto_fail(err, STO_E_CONFIG, "'%s' has %zu errors", path, sto_diags_errors(diags));
    }
    const struct sto_conf *list = rc == 0 ? sto_conf_get(root, "published") : NULL;
    for (const struct sto_conf *g = list != NULL ? list->child : NULL;
         g != NULL && o->n < COHORTS_MAX; g = g->next) {
        o->cohorts[o->n++] = (struct cohort_report){
            .published = g, .id = text_in(g, "id"), .file = text_in(g, "file")};
    }
    free(text);
    free(path);
    sto_diags_destroy(&diags);
    return rc;
}

static int report_all(struct outcomes *o, struct sto_err *err)
{
    const char *only = cli_option(o->c, "cohort");
    unsigned seen = 0;
    int rc = 0;

    if (!output_text(&o->c->out)) { /* one value for all cohorts; each row names its own */
        output_table(&o->c->out, columns);
    }
    for (size_t i = 0; i < o->n && rc == 0; i++) {
        if (only == NULL || strcmp(o->cohorts[i].id, only) == 0) {
            seen++;
            rc = report_cohort(o, o->cohorts[i].id, err);
        }
    }
    if (!output_text(&o->c->out)) {
        output_table_end(&o->c->out, "");
    }
    if (rc == 0 && seen == 0) {
        rc = sto_fail(err, STO_E_NOT_FOUND,
                      "there is no cohort '%s' in workflows/cohorts/published.cfg",
                      only != NULL ? only : "");
    } else if (rc == 0 && o->differ != 0) {
        rc = sto_fail(err, STO_E_DIFFERENT, "%u figures differ from the published ones", o->differ);
    }
    return rc;
}

int report_outcomes(struct cli *c, struct sto_err *err)
{
    struct outcomes *o = sto_xcalloc(1, sizeof *o);
    const char *lang = cli_option(c, "lang");
    sto_arena_t *arena = sto_arena_new(TREE_ARENA_BYTES);

    o->c = c;
    o->lang = lang != NULL ? lang : "en";
    int rc = reading_open(c, &o->r, err);
    if (rc == 0) {
        rc = read_published(o, arena, err);
        rc = rc != 0 ? rc : report_all(o, err);
        reading_close(&o->r);
    }
    for (size_t i = 0; i < o->n; i++) {
        csv_rows_release(&o->cohorts[i].rows);
        free(o->cohorts[i].people);
    }
    sto_arena_destroy(&arena);
    free(o);
    return rc;
}
