/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Times, dates and durations as text. Parsers are strict: whole text, ASCII
 * digits, no leading or trailing blanks; on failure *out is untouched.
 */
#include <stdio.h>
#include <string.h>

#include "sto_time.h"

#define OFFSET_MINUTES_MAX 1080 /* 18 hours: no zone is further than 14 */

/* 0001-01-01T00:00:00Z .. the last microsecond of 9999: an offset may lead out of the four-digit
 * years. */
#define US_MIN (INT64_C(-62135596800) * STO_US_PER_SEC)
#define US_MAX (INT64_C(253402300800) * STO_US_PER_SEC - 1)

struct cursor {
    const char *p;
    bool failed;
};

static int digits(struct cursor *c, int n)
{
    int v = 0;
    for (int i = 0; i < n && !c->failed; i++) {
        if (*c->p < '0' || *c->p > '9') {
            c->failed = true;
            return 0;
        }
        v = v * 10 + (*c->p++ - '0');
    }
    return v;
}

static void expect(struct cursor *c, char wanted)
{
    if (!c->failed && *c->p == wanted) {
        c->p++;
    } else {
        c->failed = true;
    }
}

static void read_date(struct cursor *c, struct sto_local *l)
{
    l->year = digits(c, 4);
    expect(c, '-');
    l->month = digits(c, 2);
    expect(c, '-');
    l->day = digits(c, 2);
    if (!c->failed && !sto_date_valid(l->year, l->month, l->day)) {
        c->failed = true;
    }
}

/* Fraction of a second, 1..9 digits; below a microsecond is cut off. */
static void read_fraction(struct cursor *c, struct sto_local *l)
{
    int n = 0;
    expect(c, '.');
    for (; !c->failed && *c->p >= '0' && *c->p <= '9'; n++) {
        int d = digits(c, 1);
        l->us = n < 6 ? l->us * 10 + d : l->us;
    }
    for (int i = n; i < 6; i++) {
        l->us *= 10;
    }
    if (n < 1 || n > 9) {
        c->failed = true;
    }
}

static void read_clock(struct cursor *c, struct sto_local *l, bool seconds)
{
    l->hour = digits(c, 2);
    expect(c, ':');
    l->minute = digits(c, 2);
    if (seconds) {
        expect(c, ':');
        l->second = digits(c, 2);
        if (!c->failed && *c->p == '.') {
            read_fraction(c, l);
        }
    }
    if (l->hour > 23 || l->minute > 59 || l->second > 59) {
        c->failed = true;
    }
}

/* Minutes east; Z is 0. */
static int read_offset(struct cursor *c)
{
    if (*c->p == 'Z' || *c->p == 'z') {
        c->p++;
        return 0;
    }
    int sign = *c->p == '-' ? -1 : 1;
    expect(c, *c->p == '-' ? '-' : '+');
    int hours = digits(c, 2);
    expect(c, ':');
    int minutes = digits(c, 2);
    if (minutes > 59 || hours * 60 + minutes > OFFSET_MINUTES_MAX) {
        c->failed = true;
    }
    return sign * (hours * 60 + minutes);
}

static int64_t rfc3339_us(const struct sto_local *l, int offset_min)
{
    int64_t sec = (int64_t)sto_day_from_civil(l->year, l->month, l->day) * 86400;
    sec += l->hour * 3600 + l->minute * 60 + l->second - offset_min * 60;
    return sec * STO_US_PER_SEC + l->us;
}

int sto_us_parse(const char *s, int64_t *out, struct sto_err *err)
{
    STO_ASSERT(s && out);
    struct cursor c = {.p = s};
    struct sto_local l = {0};
    int64_t us = 0;
    read_date(&c, &l);
    if (!c.failed && *c.p == '\0') {
        us = sto_local_to_us(&l);
    } else if (!c.failed && *c.p == ' ') {
        c.p++;
        read_clock(&c, &l, false);
        us = sto_local_to_us(&l);
    } else if (!c.failed) {
        expect(&c, *c.p == 't' ? 't' : 'T');
        read_clock(&c, &l, true);
        us = rfc3339_us(&l, c.failed ? 0 : read_offset(&c));
    }
    if (c.failed || *c.p != '\0' || us < US_MIN || us > US_MAX) {
        int rc = sto_fail(err, STO_E_FIELD, "time cannot be read: '%.80s'", s);
        sto_err_fix(err, "write 2026-11-21, '2026-11-21 10:42' or 2026-11-21T10:42:00+02:00");
        return rc;
    }
    *out = us;
    return 0;
}

int sto_day_parse(const char *s, int32_t *out, struct sto_err *err)
{
    STO_ASSERT(s && out);
    struct cursor c = {.p = s};
    struct sto_local l = {0};
    read_date(&c, &l);
    if (c.failed || *c.p != '\0') {
        return sto_fail(err, STO_E_FIELD, "date must be YYYY-MM-DD and exist, got '%.80s'", s);
    }
    *out = sto_day_from_civil(l.year, l.month, l.day);
    return 0;
}

const char *sto_day_format(int32_t day, char *buf, size_t cap)
{
    STO_ASSERT(buf && cap >= 16);
    int y, m, d;
    sto_civil_from_day(day, &y, &m, &d);
    snprintf(buf, cap, "%04d-%02d-%02d", y, m, d);
    return buf;
}

const char *sto_us_format(int64_t us, char *buf, size_t cap)
{
    STO_ASSERT(buf && cap >= 40);
    int64_t sec = us / STO_US_PER_SEC;
    int64_t frac = us % STO_US_PER_SEC;
    if (frac < 0) {
        frac += STO_US_PER_SEC;
        sec--;
    }
    int64_t day = sec / 86400;
    int64_t in_day = sec % 86400;
    if (in_day < 0) {
        in_day += 86400;
        day--;
    }
    int y, m, d;
    sto_civil_from_day((int32_t)day, &y, &m, &d);
    size_t n = (size_t)snprintf(buf, cap, "%04d-%02d-%02dT%02d:%02d:%02d", y, m, d,
                                (int)(in_day / 3600), (int)(in_day / 60 % 60), (int)(in_day % 60));
    if (frac > 0) {
        n += (size_t)snprintf(buf + n, cap - n, ".%06d", (int)frac);
        while (buf[n - 1] == '0') {
            n--;
        }
    }
    snprintf(buf + n, cap - n, "Z");
    return buf;
}

const char *sto_us_format_fi(int64_t us, char *buf, size_t cap)
{
    STO_ASSERT(buf && cap >= 32);
    struct sto_local l;
    sto_local_from_us(us, &l);
    snprintf(buf, cap, "%d.%d.%d klo %d.%02d", l.day, l.month, l.year, l.hour, l.minute);
    return buf;
}

static const struct unit_row {
    enum sto_unit unit;
    const char *one, *many;
    int32_t max;     /* 10 years in this unit */
    int32_t minutes; /* at the longest */
} UNITS[] = {
    {STO_MINUTES, "minute", "minutes", 5260320, 1},
    {STO_HOURS, "hour", "hours", 87672, 60},
    {STO_DAYS, "day", "days", 3653, 1440},
    {STO_WEEKS, "week", "weeks", 521, 7 * 1440},
    {STO_MONTHS, "month", "months", 120, 31 * 1440},
    {STO_YEARS, "year", "years", 10, 366 * 1440},
    {STO_BUSINESS_DAYS, "business day", "business days", 2610, 7 * 1440 / 5},
    /* an eighth of a business day */
    {STO_BUSINESS_HOURS, "business hour", "business hours", 20880, 7 * 1440 / 5 / 8},
};
#define N_UNITS (sizeof(UNITS) / sizeof(UNITS[0]))

static const struct unit_row *unit_by_name(const char *s)
{
    for (size_t i = 0; i < N_UNITS; i++) {
        if (strcmp(s, UNITS[i].one) == 0 || strcmp(s, UNITS[i].many) == 0) {
            return &UNITS[i];
        }
    }
    return NULL;
}

static const struct unit_row *unit_row(enum sto_unit unit)
{
    for (size_t i = 0; i < N_UNITS; i++) {
        if (UNITS[i].unit == unit) {
            return &UNITS[i];
        }
    }
    return NULL;
}

static int bad_duration(const char *s, struct sto_err *err)
{
    int rc = sto_fail(err, STO_E_FIELD, "duration must be 1 minute..10 years, got '%.80s'", s);
    sto_err_fix(err, "write a whole number and one of: minutes, hours, days, weeks, months, years, "
                     "business days, business hours");
    return rc;
}

int sto_duration_parse(const char *s, struct sto_duration *out, struct sto_err *err)
{
    STO_ASSERT(s && out);
    int32_t n = 0;
    const char *p = s;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > 99999999) {
            return bad_duration(s, err);
        }
        n = n * 10 + (*p - '0');
    }
    if (p == s || *p != ' ' || n < 1) {
        return bad_duration(s, err);
    }
    const struct unit_row *row = unit_by_name(p + 1);
    if (!row || n > row->max) {
        return bad_duration(s, err);
    }
    *out = (struct sto_duration){.n = n, .unit = row->unit};
    return 0;
}

const char *sto_duration_format(struct sto_duration d, char *buf, size_t cap)
{
    STO_ASSERT(buf && cap > 0);
    const struct unit_row *row = unit_row(d.unit);
    STO_ASSERT(row);
    snprintf(buf, cap, "%d %s", (int)d.n, d.n == 1 ? row->one : row->many);
    return buf;
}

int64_t sto_duration_minutes_about(struct sto_duration d)
{
    const struct unit_row *row = unit_row(d.unit);
    STO_ASSERT(row);
    return (int64_t)d.n * row->minutes;
}
