/* SPDX-License-Identifier: EUPL-1.2 */
/* What a modelled organisation knows about people: rows of CSV files, found by their column
 * `record`. */
#ifndef POLICY_RECORDS_H
#define POLICY_RECORDS_H
#include <stdbool.h>
#include <stddef.h>

#include "sto_conf.h"

#define RECORDS_COLUMNS_MAX 64
#define RECORDS_ROWS_MAX    100000

typedef struct records records_t;
struct record_row;

records_t *records_new(void);
void records_destroy(records_t **self_p);
/* One file, header line first; bytes borrowed for the call. Faults go to diags: -STO_E_CONFIG. */
int records_add(records_t *self, const char *name, const char *bytes, size_t n, sto_diags_t *diags);
const struct record_row *records_find(const records_t *self, const char *record); /* NULL */
bool records_has_column(const records_t *self, const char *column);
size_t records_count(const records_t *self);
/* Cell of a row, "" if empty; NULL: its file has no such column. */
const char *record_value(const struct record_row *row, const char *column);

#endif
