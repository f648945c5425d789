/* SPDX-License-Identifier: EUPL-1.2 */
#include "csv_rows.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"

struct parser {
    const char *name;
    const char *p, *end; /* still to read */
    char *w;             /* where the next cell's bytes go; never ahead of p */
    char separator;
    int line;
};

static char find_separator(const char *p, const char *end)
{
    bool quoted = false;

    for (; p < end && (quoted || *p != '\n'); p++) {
        quoted ^= *p == '"';
        if (!quoted && (*p == ',' || *p == ';')) {
            return *p;
        }
    }
    return ',';
}

/* One cell to x->w, NUL-ended; leaves p at its separator, line end or the end. */
static int take_cell(struct parser *x, char **out, struct sto_err *err)
{
    int began = x->line;

    *out = x->w;
    if (x->p < x->end && *x->p == '"') {
        x->p++;
        while (x->p < x->end && (*x->p != '"' || (x->p + 1 < x->end && x->p[1] == '"'))) {
            x->p += *x->p == '"';
            x->line += *x->p == '\n';
            *x->w++ = *x->p++;
        }
        if (x->p == x->end) {
            return sto_fail(err, STO_E_CONFIG, "%s line %d: a quoted cell does not end", x->name,
                            began);
        }
        x->p++;
        if (x->p < x->end && *x->p != x->separator && *x->p != '\n' && *x->p != '\r') {
            return sto_fail(err, STO_E_CONFIG, "%s line %d: text after a quoted cell", x->name,
                            x->line);
        }
    } else {
        while (x->p < x->end && *x->p != x->separator && *x->p != '\n' && *x->p != '\r') {
            if (*x->p == '"') {
                return sto_fail(err, STO_E_CONFIG,
                                "%s line %d: a quotation mark inside an unquoted cell", x->name,
                                x->line);
            }
            *x->w++ = *x->p++;
        }
    }
    return 0;
}

/* Past the cell's end; true at the row's end. The byte that ended the cell is free for its NUL. */
static bool cell_ends_row(struct parser *x)
{
    bool row_ends = x->p == x->end || *x->p != x->separator;

    if (x->p < x->end && *x->p == '\r') {
        x->p++;
    }
    if (x->p < x->end) {
        x->line += *x->p == '\n';
        x->p++;
    }
    *x->w++ = '\0';
    return row_ends;
}

static int take_row(struct parser *x, struct csv_rows *out, size_t row, struct sto_err *err)
{
    char *cells[CSV_COLUMNS_MAX];
    size_t n = 0;
    int line = x->line;
    bool ends = false;

    while (!ends) {
        if (n == CSV_COLUMNS_MAX) {
            return sto_fail(err, STO_E_LIMIT, "%s line %d: more than %d columns", x->name, line,
                            CSV_COLUMNS_MAX);
        }
        int rc = take_cell(x, &cells[n], err);
        if (rc != 0) {
            return rc;
        }
        n++;
        ends = cell_ends_row(x);
    }
    if (row == 0) {
        out->n_columns = n;
    } else if (n != out->n_columns) {
        return sto_fail(err, STO_E_CONFIG, "%s line %d: %zu cells, the header has %zu", x->name,
                        line, n, out->n_columns);
    }
    out->cells = sto_xrealloc(out->cells, (row + 1) * out->n_columns * sizeof *out->cells);
    memcpy(out->cells + row * out->n_columns, cells, n * sizeof *cells);
    out->lines = sto_xrealloc(out->lines, (row + 1) * sizeof *out->lines);
    out->lines[row] = line;
    return 0;
}

int csv_rows_parse(const char *name, const char *text, size_t len, struct csv_rows *out,
                   struct sto_err *err)
{
    struct parser x = {.name = name, .line = 1};
    size_t row = 0;
    int rc = 0;

    *out = (struct csv_rows){0};
    if (memchr(text, '\0', len) != NULL) {
        return sto_fail(err, STO_E_CONFIG, "%s: not a text file", name);
    }
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    x.p = text;
    x.end = text + len;
    x.separator = find_separator(x.p, x.end);
    out->text = sto_xcalloc(1, len + 2);
    x.w = out->text;
    while (rc == 0 && x.p < x.end) {
        if (*x.p == '\n' ||
            (*x.p == '\r' && x.p + 1 < x.end && x.p[1] == '\n')) { /* an empty line */
            x.p += *x.p == '\r' ? 2 : 1;
            x.line++;
            continue;
        }
        rc = row > CSV_ROWS_MAX
                 ? sto_fail(err, STO_E_LIMIT, "%s: more than %d rows", name, CSV_ROWS_MAX)
                 : take_row(&x, out, row++, err);
    }
    if (rc == 0 && row == 0) {
        rc = sto_fail(err, STO_E_CONFIG, "%s: no header line", name);
    }
    if (rc != 0) {
        csv_rows_release(out);
        return rc;
    }
    out->n_rows = row - 1;
    return 0;
}

void csv_rows_release(struct csv_rows *r)
{
    free(r->text);
    free(r->cells);
    free(r->lines);
    *r = (struct csv_rows){0};
}

int csv_rows_column(const struct csv_rows *r, const char *name)
{
    for (size_t i = 0; i < r->n_columns; i++) {
        if (strcmp(r->cells[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

const char *csv_rows_cell(const struct csv_rows *r, size_t row, int column)
{
    STO_ASSERT(row >= 1 && row <= r->n_rows && column >= 0 && (size_t)column < r->n_columns);
    return r->cells[row * r->n_columns + (size_t)column];
}
