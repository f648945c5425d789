/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Clocks in working time. Days are counted as numbers; only the ends of spans are
 * instants. Asking for the zone's offset is what costs (0.1-0.2 us each), so one
 * call learns an interval of equal offset around its instants (struct zone) and
 * asks again only outside it. No offset is ever assumed: a bound of the interval
 * has been asked for, or follows from the two facts stated below.
 */
#include "calendar.h"

#include <string.h>

#include "holiday.h"

#define MIN_US (60 * STO_US_PER_SEC)
#define DAY_US (1440 * MIN_US)

/* Finland's clock changes at night, between 2 and 4 (since 1981) and never by day. */
#define NIGHT_FROM_MIN 60
#define NIGHT_TO_MIN   300
/* Two changes are never within 42 days, so equal offsets that near mean equal between. */
#define ZONE_REACH_US (21 * DAY_US)

#define IDLE_DAYS_MAX 1100  /* closed days in a row: a calendar that never opens */
#define WALK_DAYS_MAX 36525 /* a century: bounds every loop, whatever the input */

/* The offset of local time, known to hold from lo to hi (both included). */
struct zone {
    int64_t lo, hi, off;
    int64_t bad;  /* an instant after hi known to have another offset */
    int32_t day;  /* local day of the instant it was made for */
    int64_t wall; /* that instant's local time of day, microseconds */
};

struct interval {
    int64_t from, to;
};

/* "Never" and other extremes stay far away, but sums with them no longer overflow. */
static int64_t clamp_us(int64_t us)
{
    const int64_t max = INT64_MAX / 4;
    return us > max ? max : us < -max ? -max : us;
}

static int64_t wall_of(int64_t us, int32_t *day)
{
    struct sto_local l;
    sto_local_from_us(us, &l);
    *day = sto_day_from_civil(l.year, l.month, l.day);
    return ((int64_t)l.hour * 3600 + (int64_t)l.minute * 60 + l.second) * STO_US_PER_SEC + l.us;
}

static int64_t offset_at(int64_t us)
{
    int32_t day;
    int64_t wall = wall_of(us, &day);
    return day * DAY_US + wall - us;
}

static void zone_init(struct zone *z, int64_t us)
{
    z->wall = wall_of(us, &z->day);
    z->off = z->day * DAY_US + z->wall - us;
    z->lo = z->hi = us;
    z->bad = INT64_MAX;
    if (z->wall >= NIGHT_TO_MIN * MIN_US) { /* by day: back to 5:00 and on to 1:00 */
        z->lo = us - (z->wall - NIGHT_TO_MIN * MIN_US);
        z->hi = us + (DAY_US + NIGHT_FROM_MIN * MIN_US - z->wall);
    }
}

/* Does the known offset hold at `us` too? Learns from the answer. */
static bool zone_holds(struct zone *z, int64_t us)
{
    if (us >= z->lo && us <= z->hi) {
        return true;
    }
    if (us > z->hi && us - z->hi <= ZONE_REACH_US && z->bad > us + ZONE_REACH_US) {
        int64_t far = us + ZONE_REACH_US;
        if (offset_at(far) == z->off) {
            z->hi = far;
            return true;
        }
        z->bad = far;
    }
    if (offset_at(us) != z->off) {
        return false;
    }
    if (us > z->hi && us - z->hi <= ZONE_REACH_US) {
        z->hi = us;
    } else if (us < z->lo && z->lo - us <= ZONE_REACH_US) {
        z->lo = us;
    } else {
        z->lo = z->hi = us;
        z->bad = INT64_MAX;
    }
    return true;
}

/* The instant of a local minute (0..1440) of a day; the same as sto_day_minute_us. */
static int64_t zone_instant(struct zone *z, int32_t day, int minute)
{
    if (minute > NIGHT_FROM_MIN && minute < NIGHT_TO_MIN) {
        return sto_day_minute_us(day, minute);
    }
    int64_t wall = day * DAY_US + minute * MIN_US;
    if (zone_holds(z, wall - z->off)) {
        return wall - z->off;
    }
    int64_t us = sto_day_minute_us(day, minute);
    z->off = wall - us;
    z->lo = z->hi = us;
    z->bad = INT64_MAX;
    return us;
}

static bool span_given(const struct calendar_span *s)
{
    return s->from_min < s->to_min;
}

static const struct calendar_span *spans_of(const struct calendar *c, int32_t day)
{
    return c->open[sto_weekday(day) - 1];
}

bool calendar_business_day(const struct calendar *c, int32_t day)
{
    STO_ASSERT(c && c->n_closed >= 0 && c->n_closed <= CALENDAR_CLOSED_MAX);
    const struct calendar_span *s = spans_of(c, day);
    bool open = false;
    for (int i = 0; i < CALENDAR_SPANS_MAX; i++) {
        open = open || span_given(&s[i]);
    }
    if (!open || (c->holidays && holiday_name(day))) {
        return false;
    }
    for (int i = 0; i < c->n_closed; i++) {
        if (day >= c->closed[i].from_day && day <= c->closed[i].to_day) {
            return false;
        }
    }
    return true;
}

/* Opening intervals of a day in order, without overlap; returns how many. */
static int day_spans(struct zone *z, const struct calendar *c, int32_t day,
                     struct interval out[CALENDAR_SPANS_MAX])
{
    if (!calendar_business_day(c, day)) {
        return 0;
    }
    _Static_assert(CALENDAR_SPANS_MAX == 2, "two spans are put in order below");
    const struct calendar_span *s = spans_of(c, day);
    int first = span_given(&s[1]) && s[1].from_min < s[0].from_min ? 1 : 0;
    int n = 0;
    for (int i = 0; i < CALENDAR_SPANS_MAX; i++) {
        const struct calendar_span *span = &s[i == 0 ? first : 1 - first];
        if (!span_given(span)) {
            continue;
        }
        struct interval v = {zone_instant(z, day, span->from_min),
                             zone_instant(z, day, span->to_min)};
        if (n > 0 && v.from < out[n - 1].to) {
            v.from = out[n - 1].to;
        }
        if (v.from < v.to) { /* a span may vanish in the night of a clock change */
            out[n++] = v;
        }
    }
    return n;
}

/* When a business day closes for good. */
static int64_t day_close_us(struct zone *z, const struct calendar *c, int32_t day)
{
    const struct calendar_span *s = spans_of(c, day);
    int to = span_given(&s[0]) ? s[0].to_min : 0;
    if (span_given(&s[1]) && s[1].to_min > to) {
        to = s[1].to_min;
    }
    return zone_instant(z, day, to);
}

/* Steps to the next business day after (step 1) or before (-1) *day; false: there is none. */
static bool business_day_step(const struct calendar *c, int32_t *day, int step)
{
    int32_t d = *day;
    for (int i = 0; i < IDLE_DAYS_MAX; i++) {
        d += step;
        if (calendar_business_day(c, d)) {
            *day = d;
            return true;
        }
    }
    return false;
}

/* The instant at which `left` (> 0) of opening time has passed since `from`. */
static bool open_forward(struct zone *z, const struct calendar *c, int64_t from, int64_t left,
                         int64_t *out)
{
    int32_t day = z->day;
    for (int walked = 0, idle = 0; walked < WALK_DAYS_MAX && idle < IDLE_DAYS_MAX; walked++) {
        struct interval v[CALENDAR_SPANS_MAX];
        int n = day_spans(z, c, day++, v);
        idle = n > 0 ? 0 : idle + 1;
        for (int i = 0; i < n; i++) {
            int64_t start = v[i].from > from ? v[i].from : from;
            if (start >= v[i].to) {
                continue;
            }
            if (left <= v[i].to - start) {
                *out = start + left;
                return true;
            }
            left -= v[i].to - start;
        }
    }
    return false;
}

/* The instant from which `left` (> 0) of opening time passes until `to`. */
static bool open_back(struct zone *z, const struct calendar *c, int64_t to, int64_t left,
                      int64_t *out)
{
    int32_t day = z->day;
    for (int walked = 0, idle = 0; walked < WALK_DAYS_MAX && idle < IDLE_DAYS_MAX; walked++) {
        struct interval v[CALENDAR_SPANS_MAX];
        int n = day_spans(z, c, day--, v);
        idle = n > 0 ? 0 : idle + 1;
        for (int i = n - 1; i >= 0; i--) {
            int64_t end = v[i].to < to ? v[i].to : to;
            if (end <= v[i].from) {
                continue;
            }
            if (left <= end - v[i].from) {
                *out = end - left;
                return true;
            }
            left -= end - v[i].from;
        }
    }
    return false;
}

/* The n-th business day after the one that `from` counts as, at its close. */
static bool business_days_due(const struct calendar *c, int64_t from, int32_t n, int64_t *out)
{
    struct zone z;
    zone_init(&z, from);
    int32_t day = z.day;
    bool today = calendar_business_day(c, day) && from < day_close_us(&z, c, day);
    if (!today && !business_day_step(c, &day, 1)) {
        return false;
    }
    for (int32_t i = 0; i < n; i++) {
        if (day - z.day > WALK_DAYS_MAX || !business_day_step(c, &day, 1)) {
            return false;
        }
    }
    *out = day_close_us(&z, c, day);
    return true;
}

static bool business_days_before(const struct calendar *c, int64_t us, int32_t n, int64_t *out)
{
    struct sto_local l;
    sto_local_from_us(us, &l);
    int32_t day = sto_day_from_civil(l.year, l.month, l.day);
    int32_t first = day;
    for (int32_t i = 0; i < n; i++) {
        if (first - day > WALK_DAYS_MAX || !business_day_step(c, &day, -1)) {
            return false;
        }
    }
    sto_civil_from_day(day, &l.year, &l.month, &l.day);
    *out = n > 0 ? sto_local_to_us(&l) : us;
    return true;
}

static bool business_hours(const struct calendar *c, int64_t us, int64_t n, bool back, int64_t *out)
{
    if (n <= 0) {
        *out = us;
        return true;
    }
    struct zone z;
    zone_init(&z, us);
    int64_t left = n * STO_US_PER_HOUR; /* n is 32-bit: fits */
    return back ? open_back(&z, c, us, left, out) : open_forward(&z, c, us, left, out);
}

/* What a duration means in real time where working time has no answer. */
static struct sto_duration real_unit(struct sto_duration d)
{
    if (d.unit == STO_BUSINESS_DAYS) {
        d.unit = STO_DAYS;
    } else if (d.unit == STO_BUSINESS_HOURS) {
        d.unit = STO_HOURS;
    }
    return d;
}

void calendar_default(struct calendar *c)
{
    STO_ASSERT(c);
    memset(c, 0, sizeof *c);
    for (int i = 0; i < 5; i++) {
        c->open[i][0] = (struct calendar_span){8 * 60, 16 * 60};
    }
    c->holidays = true;
}

bool calendar_open_at(const struct calendar *c, int64_t us)
{
    us = clamp_us(us);
    struct zone z;
    zone_init(&z, us);
    struct interval v[CALENDAR_SPANS_MAX];
    int n = day_spans(&z, c, z.day, v);
    bool open = false;
    for (int i = 0; i < n; i++) {
        open = open || (us >= v[i].from && us < v[i].to);
    }
    return open;
}

int64_t calendar_next_open_us(const struct calendar *c, int64_t us)
{
    us = clamp_us(us);
    struct zone z;
    zone_init(&z, us);
    int64_t after = us; /* where the first microsecond of opening time ends */
    return open_forward(&z, c, us, 1, &after) ? after - 1 : us;
}

int64_t calendar_due_us(const struct calendar *c, int64_t from_us, struct sto_duration d)
{
    from_us = clamp_us(from_us);
    int64_t out = 0;
    bool found = false;
    if (d.unit == STO_BUSINESS_DAYS) {
        found = business_days_due(c, from_us, d.n, &out);
    } else if (d.unit == STO_BUSINESS_HOURS) {
        found = business_hours(c, from_us, d.n, false, &out);
    }
    return found ? out : sto_us_add(from_us, real_unit(d));
}

int64_t calendar_before_us(const struct calendar *c, int64_t us, struct sto_duration d)
{
    us = clamp_us(us);
    int64_t out = 0;
    bool found = false;
    if (d.unit == STO_BUSINESS_DAYS) {
        found = business_days_before(c, us, d.n, &out);
    } else if (d.unit == STO_BUSINESS_HOURS) {
        found = business_hours(c, us, d.n, true, &out);
    }
    if (found) {
        return out;
    }
    d = real_unit(d);
    d.n = d.n == INT32_MIN ? INT32_MAX : -d.n;
    return sto_us_add(us, d);
}

int64_t calendar_resume_us(const struct calendar *c, bool business, int64_t due_us,
                           int64_t paused_us, int64_t resumed_us)
{
    if (resumed_us <= paused_us) {
        return due_us;
    }
    if (due_us <= paused_us) {
        return resumed_us;
    }
    due_us = clamp_us(due_us);
    paused_us = clamp_us(paused_us);
    resumed_us = clamp_us(resumed_us);
    int64_t open = business ? calendar_open_us_between(c, paused_us, due_us) : 0;
    int64_t out = 0;
    if (open > 0) {
        struct zone z;
        zone_init(&z, resumed_us);
        if (open_forward(&z, c, resumed_us, open, &out)) {
            return out;
        }
    }
    return resumed_us + (due_us - paused_us);
}

int64_t calendar_open_us_between(const struct calendar *c, int64_t a_us, int64_t b_us)
{
    a_us = clamp_us(a_us);
    b_us = clamp_us(b_us);
    if (b_us <= a_us) {
        return 0;
    }
    struct zone z;
    zone_init(&z, a_us);
    int32_t last = sto_day_of_us(b_us);
    if (last - z.day > WALK_DAYS_MAX) {
        last = z.day + WALK_DAYS_MAX;
    }
    int64_t sum = 0;
    for (int32_t day = z.day; day <= last; day++) {
        struct interval v[CALENDAR_SPANS_MAX];
        int n = day_spans(&z, c, day, v);
        for (int i = 0; i < n; i++) {
            int64_t from = v[i].from > a_us ? v[i].from : a_us;
            int64_t to = v[i].to < b_us ? v[i].to : b_us;
            sum += from < to ? to - from : 0;
        }
    }
    return sum;
}

int calendar_business_days_between(const struct calendar *c, int32_t a, int32_t b)
{
    int32_t lo = a < b ? a : b;
    int64_t hi = a < b ? b : a;
    if (hi - lo > WALK_DAYS_MAX) {
        hi = (int64_t)lo + WALK_DAYS_MAX;
    }
    int n = 0;
    for (int64_t day = (int64_t)lo + 1; day <= hi; day++) {
        n += calendar_business_day(c, (int32_t)day) ? 1 : 0;
    }
    return a <= b ? n : -n;
}
