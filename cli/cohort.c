/* SPDX-License-Identifier: EUPL-1.2 */
#include "cohort.h"

#include <stdlib.h>
#include <string.h>

#include "csv_rows.h"
#include "sto_arena.h"
#include "sto_file.h"
#include "sto_time.h"

#define FILE_BYTES_MAX   (32u << 20)
#define TREE_ARENA_BYTES (8u << 20)
#define OPENS_MINUTE     (9 * 60)

int cohort_time(const char *text, int64_t *out, struct sto_err *err)
{
    int32_t day;

    STO_ASSERT(text != NULL);
    if (strlen(text) == 10) {
        int rc = sto_day_parse(text, &day, err);
        if (rc == 0) {
            *out = sto_day_minute_us(day, OPENS_MINUTE);
        }
        return rc;
    }
    return sto_us_parse(text, out, err);
}

static int read_table(const char *path, struct csv_rows *rows, struct sto_err *err)
{
    char *text = NULL;
    size_t n = 0;
    int rc = sto_file_read(path, FILE_BYTES_MAX, &text, &n, err);

    rc = rc != 0 ? rc : csv_rows_parse(path, text, n, rows, err);
    free(text);
    return rc;
}

/* ------------------------------------------------------------------- cohort */

struct cohort {
    const struct sto_conf *start;
    const char *by, *home, *at, *client, *workflow, *file;
};

/* A literal, or the row's cell when it begins with '@'. */
static int value_of(const struct csv_rows *rows, size_t row, const char *text, const char **out,
                    struct sto_err *err)
{
    if (text[0] != '@') {
        *out = text;
        return 0;
    }
    int column = csv_rows_column(rows, text + 1);
    if (column < 0) {
        return sto_fail(err, STO_E_CONFIG, "the cohort's file has no column '%s'", text + 1);
    }
    *out = csv_rows_cell(rows, row, column);
    return 0;
}

static int fill_group(const struct csv_rows *rows, size_t row, const struct sto_conf *g,
                      json_t *into, struct sto_err *err)
{
    int rc = 0;

    for (const struct sto_conf *v = g != NULL ? g->child : NULL; v != NULL && rc == 0;
         v = v->next) {
        const char *text = NULL;
        rc = v->type == STO_CONF_STRING
                 ? value_of(rows, row, v->s, &text, err)
                 : sto_fail(err, STO_E_CONFIG, "%s:%d: a text is wanted", v->file, v->line);
        if (rc == 0 && text != NULL && text[0] != '\0') {
            json_object_set_new(into, v->name, json_string(text));
        }
    }
    return rc;
}

static int row_start(const struct cohort *k, const struct csv_rows *rows, size_t row, json_t *list,
                     struct sto_err *err)
{
    json_t *set = json_object(), *names = json_object();
    const char *at = NULL, *client = NULL, *home = NULL, *record = NULL;
    int64_t at_us = 0;
    int rc = value_of(rows, row, k->at, &at, err);

    rc = rc != 0 ? rc : value_of(rows, row, k->client, &client, err);
    rc = rc != 0 ? rc : value_of(rows, row, k->home, &home, err);
    rc = rc != 0 ? rc : value_of(rows, row, "@record", &record, err);
    rc = rc != 0 ? rc : cohort_time(at, &at_us, err);
    rc = rc != 0 ? rc : fill_group(rows, row, sto_conf_get(k->start, "set"), set, err);
    rc = rc != 0 ? rc : fill_group(rows, row, sto_conf_get(k->start, "names"), names, err);
    if (rc != 0) {
        json_decref(set);
        json_decref(names);
        sto_err_context(err, "%s line %d", k->file, rows->lines[row]);
        return rc;
    }
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o}",
                                          "organisation", k->by, "workflow", k->workflow, "record",
                                          record, "client", client, "home", home, "at_us",
                                          (json_int_t)at_us, "set", set, "names", names));
    return 0;
}

static int find_cohort(const struct sto_conf *root, const char *id, struct cohort *out,
                       sto_diags_t *diags, struct sto_err *err)
{
    const struct sto_conf *list = root != NULL ? sto_conf_get(root, "published") : NULL;
    const char *names[33] = {NULL};
    size_t n = 0;

    for (const struct sto_conf *g = list != NULL ? list->child : NULL; g != NULL; g = g->next) {
        const char *name = sto_conf_str(g, "id", "", diags);
        const struct sto_conf *start = sto_conf_get(g, "start");
        if (n < 32) {
            names[n++] = name;
        }
        if (strcmp(name, id) == 0 && start != NULL) {
            *out = (struct cohort){.start = start,
                                   .by = sto_conf_str(start, "by", "", diags),
                                   .home = sto_conf_str(start, "home", "", diags),
                                   .at = sto_conf_str(start, "at", "", diags),
                                   .client = sto_conf_str(start, "client", "@record", diags),
                                   .workflow = sto_conf_str(g, "workflow", "", diags),
                                   .file = sto_conf_str(g, "file", "", diags)};
            return 0;
        }
    }
    const char *near = sto_nearest(id, names);
    sto_fail(err, STO_E_NOT_FOUND, "there is no cohort '%s' in workflows/cohorts/published.cfg",
             id);
    if (near != NULL || n > 0) {
        sto_err_fix(err, near != NULL ? "did you mean '%s'" : "for instance '%s'",
                    near != NULL ? near : names[0]);
    }
    return -STO_E_NOT_FOUND;
}

int cohort_starts(const char *home, const char *id, json_t *list, struct sto_err *err)
{
    char *path = sto_asprintf("%s/workflows/cohorts/published.cfg", home);
    sto_arena_t *arena = sto_arena_new(TREE_ARENA_BYTES);
    sto_diags_t *diags = sto_diags_new();
    const struct sto_conf *root = NULL;
    struct cohort k = {0};
    struct csv_rows rows = {0};
    char *text = NULL;
    size_t n = 0;
    int rc = sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &n, err);

    if (rc == 0 && sto_conf_parse(path, text, n, arena, diags, &root) != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "'%s' has %zu errors", path, sto_diags_errors(diags));
        model_print_diags(diags);
    }
    rc = rc != 0 ? rc : find_cohort(root, id, &k, diags, err);
    if (rc == 0) {
        char *table = sto_asprintf("%s/workflows/%s", home, k.file);
        rc = read_table(table, &rows, err);
        free(table);
    }
    for (size_t row = 1; rc == 0 && row <= rows.n_rows; row++) {
        rc = row_start(&k, &rows, row, list, err);
    }
    csv_rows_release(&rows);
    free(text);
    sto_diags_destroy(&diags);
    sto_arena_destroy(&arena);
    free(path);
    return rc;
}

/* --------------------------------------------------------------------- file */

static int check_columns(const struct csv_rows *rows, const workflow_t *wf, struct sto_err *err)
{
    static const char *const own[] = {"record", "client", "home", "start-date", NULL};

    for (size_t i = 0; i < rows->n_columns; i++) {
        const char *h = csv_rows_heading(rows, i);
        const char *names[STO_WF_FIELDS_MAX + 5] = {NULL};
        bool known = strncmp(h, "name:", 5) == 0 ? workflow_role(wf, h + 5) >= 0
                                                 : workflow_field(wf, h) >= 0;
        size_t n = 0;
        for (; own[n] != NULL; n++) {
            known = known || strcmp(h, own[n]) == 0;
            names[n] = own[n];
        }
        for (unsigned f = 0; f < wf->n_fields; f++) {
            names[n++] = wf->fields[f].id;
        }
        if (!known) {
            const char *near = sto_nearest(h, names);
            int rc = sto_fail(err, STO_E_UNKNOWN_NAME,
                              "column '%s' is no field or role of workflow '%s'", h, wf->id);
            if (near != NULL) {
                sto_err_fix(err, "did you mean '%s'", near);
            }
            return rc;
        }
    }
    return csv_rows_column(rows, "record") >= 0
               ? 0
               : sto_fail(err, STO_E_CONFIG, "the file has no column 'record'");
}

static const char *cell_or(const struct csv_rows *rows, size_t row, const char *name,
                           const char *otherwise)
{
    int column = csv_rows_column(rows, name);
    const char *cell = column >= 0 ? csv_rows_cell(rows, row, column) : "";

    return cell[0] != '\0' ? cell : otherwise != NULL ? otherwise : "";
}

static int file_row(const struct cli *c, const struct csv_rows *rows, size_t row,
                    const workflow_t *wf, const char *org, json_t *list, struct sto_err *err)
{
    json_t *set = json_object(), *names = json_object();
    const char *date = cell_or(rows, row, "start-date", NULL);
    int64_t at_us = 0;
    int rc = date[0] != '\0' ? cohort_time(date, &at_us, err) : 0;

    for (size_t i = 0; i < rows->n_columns; i++) {
        const char *h = csv_rows_heading(rows, i), *cell = csv_rows_cell(rows, row, (int)i);
        if (strncmp(h, "name:", 5) == 0) {
            json_object_set_new(names, h + 5, json_string(cell));
        } else if (cell[0] != '\0' && workflow_field(wf, h) >= 0) {
            json_object_set_new(set, h, json_string(cell));
        }
    }
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o}",
                                          "organisation", org, "workflow", wf->id, "record",
                                          cell_or(rows, row, "record", NULL), "client",
                                          cell_or(rows, row, "client", NULL), "home",
                                          cell_or(rows, row, "home", cli_option(c, "home")),
                                          "at_us", (json_int_t)at_us, "set", set, "names", names));
    if (rc != 0) {
        sto_err_context(err, "line %d", rows->lines[row]);
    }
    return rc;
}

int cohort_file_starts(const struct cli *c, const struct reading *r, json_t *list,
                       struct sto_err *err)
{
    const char *workflow = NULL, *org = NULL;
    const workflow_t *wf = NULL;
    struct csv_rows rows = {0};
    int rc = cli_need(c, "workflow", &workflow, err);

    rc = rc != 0 ? rc : cli_need(c, "org", &org, err);
    rc = rc != 0 ? rc : deployed_newest(r->deployed, workflow, &wf, err);
    rc = rc != 0 ? rc : read_table(cli_option(c, "file"), &rows, err);
    rc = rc != 0 ? rc : check_columns(&rows, wf, err);
    for (size_t row = 1; rc == 0 && row <= rows.n_rows; row++) {
        rc = file_row(c, &rows, row, wf, org, list, err);
    }
    csv_rows_release(&rows);
    return rc;
}
