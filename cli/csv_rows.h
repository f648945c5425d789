/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Rows of a CSV text: header first, separator comma or semicolon (whichever the header has), cells
 * may be quoted, UTF-8 with or without a mark. Every row has as many cells as the header. Pure.
 */
#ifndef CSV_ROWS_H
#define CSV_ROWS_H
#include <stddef.h>

#include "sto_err.h"

#define CSV_COLUMNS_MAX 128
#define CSV_ROWS_MAX    100000

struct csv_rows {
    char *text;               /* owned; cells point into it */
    char **cells;             /* [n_rows + 1][n_columns]; row 0 is the header */
    int *lines;               /* first line of each row */
    size_t n_columns, n_rows; /* without the header */
};
/* name: for errors. */
int csv_rows_parse(const char *name, const char *text, size_t len, struct csv_rows *out,
                   struct sto_err *err);
void csv_rows_release(struct csv_rows *r);
/* Column's number, or -1. */
int csv_rows_column(const struct csv_rows *r, const char *name);
/* Cell of row 1..n_rows. */
const char *csv_rows_cell(const struct csv_rows *r, size_t row, int column);
static inline const char *csv_rows_heading(const struct csv_rows *r, size_t column)
{
    return r->cells[column];
}

#endif
