/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Filling-ins of an instrument side by side: read from a CSV file or from answers by commas,
 * scored, and drawn. Pure but for reading the file.
 */
#ifndef PROFILE_H
#define PROFILE_H
#include "instrument.h"
#include "sto_buf.h"
#include "sto_err.h"

#define PROFILE_SERIES_MAX 3 /* beginning, middle, end */

enum profile_point { PROFILE_BEGINNING, PROFILE_MIDDLE, PROFILE_END };

struct profile_series {
    int point; /* enum profile_point; -1 = follows from how many there are */
    struct answers answers;
    struct score scores[STO_INSTRUMENT_SUMS_MAX];
};
struct profile {
    const struct instrument *instrument;
    struct profile_series series[PROFILE_SERIES_MAX];
    unsigned n;
};

/* given: a CSV file, or the answers themselves. Adds its filling-ins and scores them. */
int profile_add(struct profile *p, const char *given, struct sto_err *err);
/* Gives every series its point, in order; STO_E_USAGE when two claim the same. */
int profile_settle(struct profile *p, struct sto_err *err);
/* Greatest minus least is not judged: last minus first. false: one of them is not known. */
bool profile_change(const struct profile *p, unsigned sum, int64_t *hundredths);
/* "62.5", "7", "-3.25"; the language's decimal mark. */
const char *profile_number(int64_t hundredths, int lang, char buf[24]);
const char *profile_point_name(int point, int lang);
/* An SVG picture of its own, readable in black and white. */
void profile_svg(const struct profile *p, int lang, struct sto_buf *out);

#endif
