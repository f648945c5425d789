/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Working time of an organisation or desk: opening hours by weekday, public
 * holidays, closed weeks; and the arithmetic of clocks in it. Pure: no allocation,
 * no clock, no cache. Local time is Europe/Helsinki, results are UTC instants.
 *
 * A span is half-open: open at 8:00:00, no longer at 16:00:00. In the night of a
 * clock change a span is what lies between the instants that sto_time.h gives its
 * ends. A calendar that never opens (no open day in about three years) falls back
 * to real time: 1 business day = 1 day, 1 business hour = 1 hour.
 */
#ifndef CALENDAR_H
#define CALENDAR_H
#include <stdbool.h>
#include <stdint.h>

#include "sto_time.h"

#define CALENDAR_SPANS_MAX  2  /* opening spans a day, e.g. 8:00-11:30, 12:30-16:00 */
#define CALENDAR_CLOSED_MAX 32 /* closed date ranges (closed weeks) */

/* Local minutes of the day, from < to <= 1440. */
struct calendar_span {
    int16_t from_min, to_min;
};
struct calendar {
    struct calendar_span open[7][CALENDAR_SPANS_MAX]; /* [0] = Monday; from == to == 0: none */
    struct {
        int32_t from_day, to_day;
    } closed[CALENDAR_CLOSED_MAX]; /* inclusive, since 1970 */
    int n_closed;
    bool holidays; /* Finnish public holidays, Midsummer Eve and Christmas Eve are closed */
};

void calendar_default(struct calendar *c); /* Mon-Fri 8:00-16:00, Finnish holidays */

/* Is the day open at all? */
bool calendar_business_day(const struct calendar *c, int32_t day);
bool calendar_open_at(const struct calendar *c, int64_t us);
/* First instant >= us that is working time; us itself if the calendar never opens. */
int64_t calendar_next_open_us(const struct calendar *c, int64_t us);

/*
 * Due instant of a clock: from + duration.
 *
 * Business days: the n-th following business day, at the end of its opening hours
 * (received Friday 15:00 + 2 business days = Tuesday's close); an instant outside
 * opening hours counts as the next opening. Business hours: walks opening time.
 * Calendar units: sto_us_add, never moved to an open day (so "7 days" is 7 days).
 * A business unit needs n >= 1 to be later than from; n <= 0 counts as 0.
 */
int64_t calendar_due_us(const struct calendar *c, int64_t from_us, struct sto_duration d);

/*
 * The instant a duration before another: reminders before a due, invitations before
 * a date. Business days: the n-th preceding business day at the same time of day;
 * business hours: walks opening time back; calendar units: sto_us_add of -n.
 */
int64_t calendar_before_us(const struct calendar *c, int64_t us, struct sto_duration d);

/*
 * A clock due at due_us was paused at paused_us and resumes at resumed_us: its new due.
 * The same amount of working time (business) or of real time is left; nothing is left
 * of a clock that was due when it was paused. resumed <= paused: due_us stays.
 */
int64_t calendar_resume_us(const struct calendar *c, bool business, int64_t due_us,
                           int64_t paused_us, int64_t resumed_us);

/* Working time in [a, b), microseconds; 0 if b <= a. Looks at a century at most. */
int64_t calendar_open_us_between(const struct calendar *c, int64_t a_us, int64_t b_us);
/* Business days d with a < d <= b; the negative of the reverse if b < a. A century at most. */
int calendar_business_days_between(const struct calendar *c, int32_t a, int32_t b);

#endif
