/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Instruments: questionnaires whose answers give scored sums, for instance 77 questions into 16
 * sums of 0 to 100. Read from workflows/instruments/<id>.cfg as part of a network; a workflow's
 * profile field holds one filling-in. Answers are text, "3,4,,2": one number or nothing for each
 * item, in the instrument's order.
 *
 * Nothing is judged here: a sum has no good or bad end, and nothing follows from it by itself.
 */
#ifndef INSTRUMENT_H
#define INSTRUMENT_H
#include "sto_err.h"
#include "sto_limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum instrument_scale {
    SCALE_PERCENT, /* 0 to 100 of the way from the least possible sum to the greatest */
    SCALE_SUM,
    SCALE_MEAN
};
enum { INSTRUMENT_FI, INSTRUMENT_SV, INSTRUMENT_EN, INSTRUMENT_LANGS };

struct instrument_sum {
    const char *id;
    const char *label[INSTRUMENT_LANGS]; /* the id where a language is not given */
    const char *area;                    /* heading that several sums share, "" = none */
    enum instrument_scale scale;
    uint16_t items[STO_INSTRUMENT_ITEMS_MAX]; /* indexes */
    bool reversed[STO_INSTRUMENT_ITEMS_MAX];  /* by place in items: counts max + min - answer */
    uint16_t n_items;
};

struct instrument {
    const char *id;
    const char *title[INSTRUMENT_LANGS];
    const char *source;
    const char *category; /* of the answers, as a field's */
    const char *names[STO_INSTRUMENT_ITEMS_MAX];
    uint16_t items;
    int64_t min, max;        /* of each answer */
    uint16_t answered_least; /* per cent of a sum's items; with fewer answers it has no value */
    struct instrument_sum sums[STO_INSTRUMENT_SUMS_MAX];
    uint16_t n_sums;
};

/* Answers of one filling-in. */
struct answers {
    bool given[STO_INSTRUMENT_ITEMS_MAX];
    int64_t value[STO_INSTRUMENT_ITEMS_MAX];
};
int instrument_answers(const struct instrument *t, const char *text, size_t n, struct answers *out,
                       struct sto_err *err);

struct score {
    bool known;
    int64_t hundredths; /* 62.5 is 6250; halves are rounded up */
    uint16_t answered;
};
/* Scores of all sums. An item without an answer counts as the mean of the sum's answered ones. */
void instrument_score(const struct instrument *t, const struct answers *a,
                      struct score out[STO_INSTRUMENT_SUMS_MAX]);
/* Least and greatest value of a sum, in hundredths. */
void instrument_range(const struct instrument *t, const struct instrument_sum *s, int64_t *least,
                      int64_t *greatest);

#endif
