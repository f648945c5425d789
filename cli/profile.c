/* SPDX-License-Identifier: EUPL-1.2 */
/* Reading filling-ins. */
#include "profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "csv_rows.h"
#include "sto_file.h"

#define FILE_BYTES_MAX (1u << 20)
#define TEXT_MAX       (STO_INSTRUMENT_ITEMS_MAX * 8u)

static const char *const POINTS[] = {"beginning", "middle", "end"};

static int add_answers(struct profile *p, int point, const char *text, struct sto_err *err)
{
    if (p->n == PROFILE_SERIES_MAX) {
        return sto_fail(err, STO_E_USAGE, "a profile shows %d filling-ins at most",
                        PROFILE_SERIES_MAX);
    }
    struct profile_series *s = &p->series[p->n];
    int rc = instrument_answers(p->instrument, text, strlen(text), &s->answers, err);
    if (rc == 0) {
        s->point = point;
        instrument_score(p->instrument, &s->answers, s->scores);
        p->n++;
    }
    return rc;
}

/* ---------------------------------------------------------------- CSV files */

static int point_of(const char *cell, const char *name, int line, int *point, struct sto_err *err)
{
    *point = -1;
    for (int k = 0; k < PROFILE_SERIES_MAX; k++) {
        if (strcmp(cell, POINTS[k]) == 0) {
            *point = k;
        }
    }
    if (*point >= 0 || *cell == '\0') {
        return 0;
    }
    sto_fail(err, STO_E_MALFORMED, "%s:%d: point '%s' is not known", name, line, cell);
    sto_err_fix(err, "write beginning, middle or end");
    return -STO_E_MALFORMED;
}

static int add_row(struct profile *p, const struct csv_rows *r, size_t row, const char *name,
                   struct sto_err *err)
{
    char text[TEXT_MAX + 1] = "";
    size_t len = 0;
    int column = csv_rows_column(r, "point"), point = -1;
    int rc =
        column < 0 ? 0 : point_of(csv_rows_cell(r, row, column), name, r->lines[row], &point, err);

    for (unsigned k = 0; rc == 0 && k < p->instrument->items; k++) {
        const char *cell = csv_rows_cell(r, row, csv_rows_column(r, p->instrument->names[k]));
        int n = snprintf(text + len, sizeof text - len, "%s%s", k > 0 ? "," : "", cell);
        if (n < 0 || (size_t)n >= sizeof text - len || strchr(cell, ',') != NULL) {
            return sto_fail(err, STO_E_MALFORMED, "%s:%d: item '%s' is no whole number", name,
                            r->lines[row], p->instrument->names[k]);
        }
        len += (size_t)n;
    }
    return rc != 0 ? rc : add_answers(p, point, text, err);
}

static int add_file(struct profile *p, const char *path, struct sto_err *err)
{
    char *text = NULL;
    size_t len = 0;
    struct csv_rows r = {0};
    int rc = sto_file_read(path, FILE_BYTES_MAX, &text, &len, err);

    rc = rc != 0 ? rc : csv_rows_parse(path, text, len, &r, err);
    for (unsigned k = 0; rc == 0 && k < p->instrument->items; k++) {
        if (csv_rows_column(&r, p->instrument->names[k]) < 0) {
            rc = sto_fail(err, STO_E_MALFORMED, "%s: there is no column '%s'", path,
                          p->instrument->names[k]);
            sto_err_fix(err, "the header names every item; saatto instrument show %s lists them",
                        p->instrument->id);
        }
    }
    if (rc == 0 && r.n_rows == 0) {
        rc = sto_fail(err, STO_E_MALFORMED, "%s: there is no filling-in below the header", path);
    }
    for (size_t row = 1; rc == 0 && row <= r.n_rows; row++) {
        rc = add_row(p, &r, row, path, err);
    }
    csv_rows_release(&r);
    free(text);
    return rc;
}

int profile_add(struct profile *p, const char *given, struct sto_err *err)
{
    bool answers = given[strspn(given, "0123456789,")] == '\0';

    return answers && access(given, F_OK) != 0 ? add_answers(p, -1, given, err)
                                               : add_file(p, given, err);
}

/* ------------------------------------------------------------------ meaning */

int profile_settle(struct profile *p, struct sto_err *err)
{
    static const int in_order[PROFILE_SERIES_MAX][PROFILE_SERIES_MAX] = {
        {PROFILE_BEGINNING},
        {PROFILE_BEGINNING, PROFILE_END},
        {PROFILE_BEGINNING, PROFILE_MIDDLE, PROFILE_END}};
    struct profile_series sorted[PROFILE_SERIES_MAX];
    unsigned n = 0;

    for (unsigned k = 0; k < p->n; k++) {
        if (p->series[k].point < 0) {
            p->series[k].point = in_order[p->n - 1][k];
        }
    }
    for (int point = 0; point < PROFILE_SERIES_MAX; point++) {
        unsigned before = n;
        for (unsigned k = 0; k < p->n; k++) {
            if (p->series[k].point == point) {
                sorted[n++] = p->series[k];
            }
        }
        if (n > before + 1) {
            return sto_fail(err, STO_E_USAGE, "two filling-ins are of the point '%s'",
                            POINTS[point]);
        }
    }
    memcpy(p->series, sorted, n * sizeof *sorted);
    return 0;
}

bool profile_change(const struct profile *p, unsigned sum, int64_t *hundredths)
{
    const struct score *first = &p->series[0].scores[sum], *last = &p->series[p->n - 1].scores[sum];

    *hundredths = last->hundredths - first->hundredths;
    return p->n > 1 && first->known && last->known;
}

const char *profile_number(int64_t hundredths, int lang, char buf[24])
{
    char mark = lang == INSTRUMENT_EN ? '.' : ',';
    int64_t v = hundredths < 0 ? -hundredths : hundredths;
    const char *minus = hundredths < 0 ? "-" : "";

    if (v % 100 == 0) {
        snprintf(buf, 24, "%s%lld", minus, (long long)(v / 100));
    } else if (v % 10 == 0) {
        snprintf(buf, 24, "%s%lld%c%d", minus, (long long)(v / 100), mark, (int)(v % 100 / 10));
    } else {
        snprintf(buf, 24, "%s%lld%c%02d", minus, (long long)(v / 100), mark, (int)(v % 100));
    }
    return buf;
}

const char *profile_point_name(int point, int lang)
{
    static const char *const names[][PROFILE_SERIES_MAX] = {
        [INSTRUMENT_FI] = {"alku", "väli", "loppu"},
        [INSTRUMENT_SV] = {"början", "mitten", "slutet"},
        [INSTRUMENT_EN] = {"beginning", "middle", "end"}};

    return names[lang][point];
}
