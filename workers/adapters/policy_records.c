/* SPDX-License-Identifier: EUPL-1.2 */
/* Rows of CSV files, read by libcsv in strict mode. Nothing is opened here. */
#include "policy_records.h"

#include <csv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"

#define RECORDS_BYTES_MAX ((size_t)256 * 1024 * 1024)

struct table {
    const char *file;
    const char *columns[RECORDS_COLUMNS_MAX];
    unsigned n_columns, key; /* column `record` */
};
struct record_row {
    const struct table *table;
    const char **cells;
    int line;
};
struct records {
    sto_arena_t *arena;
    struct table **tables;
    size_t n_tables;
    struct record_row **rows; /* sorted by record once a file is in */
    size_t n_rows, cap;
};

records_t *records_new(void)
{
    records_t *r = sto_xcalloc(1, sizeof *r);
    r->arena = sto_arena_new(RECORDS_BYTES_MAX);
    return r;
}

void records_destroy(records_t **self_p)
{
    if (self_p == NULL || *self_p == NULL) {
        return;
    }
    sto_arena_destroy(&(*self_p)->arena);
    free((*self_p)->tables);
    free((*self_p)->rows);
    free(*self_p);
    *self_p = NULL;
}

static const char *key_of(const struct record_row *row)
{
    return row->cells[row->table->key];
}

static int by_key(const void *a, const void *b)
{
    const struct record_row *const *x = a, *const *y = b;
    return strcmp(key_of(*x), key_of(*y));
}

/* One file being read. */
struct reading {
    records_t *r;
    sto_diags_t *diags;
    struct table *table;
    const char *cells[RECORDS_COLUMNS_MAX];
    unsigned n_cells;
    int line;
    bool header_done, full;
};

static void on_cell(void *bytes, size_t n, void *arg)
{
    struct reading *x = arg;

    if (x->n_cells < RECORDS_COLUMNS_MAX) {
        const char *s = sto_arena_strndup(x->r->arena, bytes != NULL ? bytes : "", n);
        x->full = x->full || s == NULL;
        x->cells[x->n_cells] = s != NULL ? s : "";
    }
    x->n_cells++;
}

static void take_header(struct reading *x)
{
    struct table *t = x->table;

    x->header_done = true;
    t->key = RECORDS_COLUMNS_MAX;
    t->n_columns = x->n_cells < RECORDS_COLUMNS_MAX ? x->n_cells : RECORDS_COLUMNS_MAX;
    if (x->n_cells > RECORDS_COLUMNS_MAX) {
        sto_diag(x->diags, STO_SEV_ERROR, t->file, x->line, "too-many",
                 "a file of records has at most %d columns, got %u", RECORDS_COLUMNS_MAX,
                 x->n_cells);
    }
    for (unsigned i = 0; i < t->n_columns; i++) {
        t->columns[i] = x->cells[i];
        if (strcmp(x->cells[i], "record") == 0) {
            t->key = i;
        }
        for (unsigned k = 0; k < i; k++) {
            if (strcmp(t->columns[k], x->cells[i]) == 0) {
                sto_diag(x->diags, STO_SEV_ERROR, t->file, x->line, "duplicate-name",
                         "column '%s' stands there twice", x->cells[i]);
            }
        }
    }
    if (t->key == RECORDS_COLUMNS_MAX) {
        t->key = 0;
        sto_diag(x->diags, STO_SEV_ERROR, t->file, x->line, "missing-key",
                 "a file of records needs a column 'record'");
    }
}

static void take_row(struct reading *x)
{
    records_t *r = x->r;

    if (x->n_cells != x->table->n_columns) {
        sto_diag(x->diags, STO_SEV_ERROR, x->table->file, x->line, "bad-row",
                 "the row has %u cells, the header %u", x->n_cells, x->table->n_columns);
        return;
    }
    struct record_row *row = sto_arena_alloc(r->arena, sizeof *row);
    const char **cells = sto_arena_alloc(r->arena, x->n_cells * sizeof *cells);
    if (row == NULL || cells == NULL || r->n_rows == RECORDS_ROWS_MAX) {
        x->full = true;
        return;
    }
    memcpy(cells, x->cells, x->n_cells * sizeof *cells);
    *row = (struct record_row){.table = x->table, .cells = cells, .line = x->line};
    if (r->n_rows == r->cap) {
        r->cap = r->cap == 0 ? 64 : r->cap * 2;
        r->rows = sto_xrealloc(r->rows, r->cap * sizeof(struct record_row *));
    }
    r->rows[r->n_rows++] = row;
}

static void on_row(int end, void *arg)
{
    struct reading *x = arg;

    (void)end;
    x->line++;
    if (!x->header_done) {
        take_header(x);
    } else {
        take_row(x);
    }
    x->n_cells = 0;
}

static void sort_rows(records_t *r, sto_diags_t *diags)
{
    if (r->n_rows == 0) {
        return;
    }
    qsort(r->rows, r->n_rows, sizeof(struct record_row *), by_key);
    for (size_t i = 1; i < r->n_rows; i++) {
        const struct record_row *a = r->rows[i - 1], *b = r->rows[i];
        if (strcmp(key_of(a), key_of(b)) == 0) {
            sto_diag(diags, STO_SEV_ERROR, b->table->file, b->line, "duplicate-name",
                     "the record of this row stands also in '%s', row %d", a->table->file, a->line);
        }
    }
}

int records_add(records_t *r, const char *name, const char *bytes, size_t n, sto_diags_t *diags)
{
    struct csv_parser parser;
    size_t before = sto_diags_errors(diags);
    struct reading x = {.r = r, .diags = diags};

    STO_ASSERT(csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) == 0);
    x.table = sto_arena_alloc(r->arena, sizeof *x.table);
    STO_ASSERT(x.table != NULL);
    x.table->file = sto_arena_strdup(r->arena, name);
    r->tables = sto_xrealloc(r->tables, (r->n_tables + 1) * sizeof(struct table *));
    r->tables[r->n_tables++] = x.table;
    if (csv_parse(&parser, bytes, n, on_cell, on_row, &x) != n ||
        csv_fini(&parser, on_cell, on_row, &x) != 0) {
        sto_diag(diags, STO_SEV_ERROR, name, x.line + 1, "syntax", "not well-formed CSV: %s",
                 csv_strerror(csv_error(&parser)));
    }
    csv_free(&parser);
    if (!x.header_done) {
        sto_diag(diags, STO_SEV_ERROR, name, 1, "missing-key", "the file has no header line");
    }
    if (x.full) {
        sto_diag(diags, STO_SEV_ERROR, name, x.line, "too-large", "more than %d rows of records",
                 RECORDS_ROWS_MAX);
    }
    sort_rows(r, diags);
    return sto_diags_errors(diags) == before ? 0 : -STO_E_CONFIG;
}

const struct record_row *records_find(const records_t *r, const char *record)
{
    size_t lo = 0, hi = r->n_rows;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = strcmp(key_of(r->rows[mid]), record);
        if (c == 0) {
            return r->rows[mid];
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

static int column_of(const struct table *t, const char *column)
{
    for (unsigned i = 0; i < t->n_columns; i++) {
        if (strcmp(t->columns[i], column) == 0) {
            return (int)i;
        }
    }
    return -1;
}

bool records_has_column(const records_t *r, const char *column)
{
    for (size_t i = 0; i < r->n_tables; i++) {
        if (column_of(r->tables[i], column) >= 0) {
            return true;
        }
    }
    return false;
}

size_t records_count(const records_t *r)
{
    return r->n_rows;
}

const char *record_value(const struct record_row *row, const char *column)
{
    int i = column_of(row->table, column);
    return i < 0 ? NULL : row->cells[i];
}
