/* SPDX-License-Identifier: EUPL-1.2 */
/* Starts from tables of people: a CSV whose columns are fields, or a cohort of
 * workflows/cohorts/published.cfg. */
#ifndef COHORT_H
#define COHORT_H
#include "cases.h"

/* Appends one start (starts.h) for each row. */
int cohort_starts(const char *home, const char *id, json_t *list, struct sto_err *err);
/* --file with --workflow and --org. */
int cohort_file_starts(const struct cli *c, const struct reading *r, json_t *list,
                       struct sto_err *err);
/* "YYYY-MM-DD" is nine o'clock of that day in Helsinki. */
int cohort_time(const char *text, int64_t *out, struct sto_err *err);

#endif
