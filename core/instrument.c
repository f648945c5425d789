/* SPDX-License-Identifier: EUPL-1.2 */
/* Reading answers and scoring them; whole numbers throughout. */
#include "instrument.h"

/* One number or nothing up to the next comma. */
static bool take(const char **p, const char *end, bool *given, int64_t *value)
{
    *given = false;
    *value = 0;
    for (; *p < end && **p != ','; (*p)++) {
        if (**p < '0' || **p > '9' || *value > 99999) {
            return false;
        }
        *value = 10 * *value + (**p - '0');
        *given = true;
    }
    return true;
}

int instrument_answers(const struct instrument *t, const char *text, size_t n, struct answers *out,
                       struct sto_err *err)
{
    STO_ASSERT(t && text && out);
    const char *p = text, *end = text + n;
    *out = (struct answers){0};
    for (unsigned k = 0; k < t->items; k++) {
        if (!take(&p, end, &out->given[k], &out->value[k])) {
            return sto_fail(err, STO_E_MALFORMED, "item '%s' of instrument '%s' is no whole number",
                            t->names[k], t->id);
        }
        if (out->given[k] && (out->value[k] < t->min || out->value[k] > t->max)) {
            return sto_fail(
                err, STO_E_MALFORMED, "item '%s' of instrument '%s' must be %lld to %lld, got %lld",
                t->names[k], t->id, (long long)t->min, (long long)t->max, (long long)out->value[k]);
        }
        bool last = k + 1 == t->items;
        if ((p < end) == last) {
            return sto_fail(err, STO_E_MALFORMED, "instrument '%s' has %u items, got %s", t->id,
                            t->items, last ? "more" : "fewer");
        }
        p += !last;
    }
    return 0;
}

/* a / b to the nearest, halves up; a is not negative where a scale begins at 0 or above. */
static int64_t rounded(int64_t a, int64_t b)
{
    int64_t twice = 2 * a + b;
    int64_t q = twice / (2 * b);
    return twice % (2 * b) < 0 ? q - 1 : q;
}

/* Sum of the answered items; *n = how many. */
static int64_t answered(const struct instrument *t, const struct instrument_sum *s,
                        const struct answers *a, int64_t *n)
{
    int64_t sum = 0;
    *n = 0;
    for (unsigned k = 0; k < s->n_items; k++) {
        unsigned item = s->items[k];
        if (a->given[item]) {
            sum += s->reversed[k] ? t->max + t->min - a->value[item] : a->value[item];
            (*n)++;
        }
    }
    return sum;
}

static struct score score_of(const struct instrument *t, const struct instrument_sum *s,
                             const struct answers *a)
{
    int64_t n = 0, sum = answered(t, s, a, &n);
    struct score r = {.answered = (uint16_t)n};
    if (n == 0 || n * 100 < (int64_t)t->answered_least * s->n_items) {
        return r;
    }
    r.known = true;
    switch (s->scale) {
    case SCALE_PERCENT:
        r.hundredths = rounded((sum - n * t->min) * 10000, n * (t->max - t->min));
        break;
    case SCALE_SUM:
        r.hundredths = rounded(sum * s->n_items * 100, n);
        break;
    case SCALE_MEAN:
        r.hundredths = rounded(sum * 100, n);
        break;
    }
    return r;
}

void instrument_score(const struct instrument *t, const struct answers *a,
                      struct score out[STO_INSTRUMENT_SUMS_MAX])
{
    STO_ASSERT(t && a && out);
    for (unsigned k = 0; k < t->n_sums; k++) {
        out[k] = score_of(t, &t->sums[k], a);
    }
}

void instrument_range(const struct instrument *t, const struct instrument_sum *s, int64_t *least,
                      int64_t *greatest)
{
    int64_t n = s->scale == SCALE_SUM ? s->n_items : 1;
    *least = s->scale == SCALE_PERCENT ? 0 : n * t->min * 100;
    *greatest = s->scale == SCALE_PERCENT ? 10000 : n * t->max * 100;
}
