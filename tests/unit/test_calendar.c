/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Working time: holidays by table and by a second algorithm, opening hours, clock
 * changes, pauses; and random calendars against a slow reference that asks
 * sto_time.h for every instant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "calendar.h"
#include "holiday.h"

#define DAY_MINUTES 1440

static int32_t day_of(const char *date)
{
    int32_t day = 0;
    struct sto_err err = {0};
    if (sto_day_parse(date, &day, &err) != 0) {
        fail_msg("%s: %s", date, err.what);
    }
    return day;
}

static int64_t at(const char *local)
{
    int64_t us = 0;
    struct sto_err err = {0};
    if (sto_us_parse(local, &us, &err) != 0) {
        fail_msg("%s: %s", local, err.what);
    }
    return us;
}

static struct sto_duration dur(int32_t n, enum sto_unit unit)
{
    return (struct sto_duration){.n = n, .unit = unit};
}

#define assert_instant(actual, local) assert_instant_(actual, local, __FILE__, __LINE__)
static void assert_instant_(int64_t actual, const char *local, const char *file, int line)
{
    char got[40], want[40];
    sto_us_format(actual, got, sizeof got);
    sto_us_format(at(local), want, sizeof want);
    if (strcmp(got, want) != 0) {
        print_error("got %s, expected %s (%s)\n", got, want, local);
        _fail(file, line);
    }
}

static struct calendar office(void)
{
    struct calendar c;
    calendar_default(&c);
    return c;
}

static struct calendar always_open(void)
{
    struct calendar c = {0};
    for (int i = 0; i < 7; i++) {
        c.open[i][0] = (struct calendar_span){0, DAY_MINUTES};
    }
    return c;
}

static struct calendar with_lunch(void)
{
    struct calendar c = office();
    for (int i = 0; i < 5; i++) {
        c.open[i][0] = (struct calendar_span){8 * 60, 11 * 60 + 30};
        c.open[i][1] = (struct calendar_span){12 * 60 + 30, 16 * 60};
    }
    return c;
}

static void close_days(struct calendar *c, const char *from, const char *to)
{
    assert_true(c->n_closed < CALENDAR_CLOSED_MAX);
    c->closed[c->n_closed].from_day = day_of(from);
    c->closed[c->n_closed++].to_day = day_of(to);
}

/* --------------------------------------------------------------- holidays */

static void easter_falls_on_the_known_sundays(void **state)
{
    (void)state;
    static const char *const EASTER[] = {
        "1900-04-15", "1943-04-25", "1954-04-18", "1981-04-19", "2000-04-23",
        "2005-03-27", "2008-03-23", "2010-04-04", "2011-04-24", "2014-04-20",
        "2016-03-27", "2018-04-01", "2019-04-21", "2020-04-12", "2021-04-04",
        "2022-04-17", "2023-04-09", "2024-03-31", "2025-04-20", "2026-04-05",
        "2027-03-28", "2028-04-16", "2029-04-01", "2030-04-21", "2038-04-25"};
    for (size_t i = 0; i < sizeof EASTER / sizeof *EASTER; i++) {
        int year = 0, month, dom;
        sto_civil_from_day(day_of(EASTER[i]), &year, &month, &dom);
        char got[16];
        assert_string_equal(sto_day_format(holiday_easter_day(year), got, sizeof got), EASTER[i]);
    }
}

/* Gauss's rule with its two exceptions, for 1900..2199. */
static int32_t easter_by_gauss(int year)
{
    int m = 24, n = year < 2100 ? 5 : 6;
    int d = (19 * (year % 19) + m) % 30;
    int e = (2 * (year % 4) + 4 * (year % 7) + 6 * d + n) % 7;
    if (d + e == 35 || (d == 28 && e == 6 && (11 * m + 11) % 30 < 19)) {
        e -= 7;
    }
    return sto_day_from_civil(year, 3, 22) + d + e;
}

static void easter_agrees_with_gauss_for_three_centuries(void **state)
{
    (void)state;
    for (int year = 1900; year < 2200; year++) {
        assert_int_equal(holiday_easter_day(year), easter_by_gauss(year));
        assert_int_equal(sto_weekday(holiday_easter_day(year)), 7);
    }
}

static void every_holiday_of_2026_is_known_and_no_other(void **state)
{
    (void)state;
    static const struct {
        const char *date, *name;
    } HOLIDAYS[] = {{"2026-01-01", "New Year's Day"},  {"2026-01-06", "Epiphany"},
                    {"2026-04-03", "Good Friday"},     {"2026-04-05", "Easter Sunday"},
                    {"2026-04-06", "Easter Monday"},   {"2026-05-01", "May Day"},
                    {"2026-05-14", "Ascension Day"},   {"2026-05-24", "Pentecost"},
                    {"2026-06-19", "Midsummer Eve"},   {"2026-06-20", "Midsummer Day"},
                    {"2026-10-31", "All Saints' Day"}, {"2026-12-06", "Independence Day"},
                    {"2026-12-24", "Christmas Eve"},   {"2026-12-25", "Christmas Day"},
                    {"2026-12-26", "Boxing Day"}};
    size_t i = 0;
    for (int32_t day = day_of("2026-01-01"); day <= day_of("2026-12-31"); day++) {
        const char *name = holiday_name(day);
        if (name) {
            char got[16];
            assert_true(i < sizeof HOLIDAYS / sizeof *HOLIDAYS);
            assert_string_equal(sto_day_format(day, got, sizeof got), HOLIDAYS[i].date);
            assert_string_equal(name, HOLIDAYS[i].name);
            i++;
        }
    }
    assert_int_equal(i, sizeof HOLIDAYS / sizeof *HOLIDAYS);
}

static void moving_saturdays_follow_their_weeks(void **state)
{
    (void)state;
    static const struct {
        const char *date, *name;
    } DAYS[] = {{"2020-06-19", "Midsummer Eve"},   {"2020-06-20", "Midsummer Day"},
                {"2021-06-25", "Midsummer Eve"},   {"2021-06-26", "Midsummer Day"},
                {"2014-06-20", "Midsummer Eve"},   {"2024-06-22", "Midsummer Day"},
                {"2014-11-01", "All Saints' Day"}, {"2021-11-06", "All Saints' Day"},
                {"2020-10-31", "All Saints' Day"}, {"2008-05-01", "May Day"}};
    for (size_t i = 0; i < sizeof DAYS / sizeof *DAYS; i++) {
        assert_string_equal(holiday_name(day_of(DAYS[i].date)), DAYS[i].name);
    }
}

static void every_year_has_its_holidays(void **state)
{
    (void)state;
    for (int year = 1900; year < 2200; year++) {
        int n = 0;
        for (int32_t d = sto_day_from_civil(year, 1, 1); d < sto_day_from_civil(year + 1, 1, 1);
             d++) {
            n += holiday_name(d) ? 1 : 0;
        }
        /* Ascension Day and May Day coincide when Easter is 23.3. */
        int32_t ascension = holiday_easter_day(year) + 39;
        assert_int_equal(n, ascension == sto_day_from_civil(year, 5, 1) ? 14 : 15);
    }
}

/* ---------------------------------------------------------- business days */

static void friday_afternoon_and_two_business_days_is_tuesdays_close(void **state)
{
    (void)state;
    struct calendar c = office();
    struct sto_duration two = dur(2, STO_BUSINESS_DAYS);
    assert_instant(calendar_due_us(&c, at("2026-11-20 15:00"), two), "2026-11-24 16:00");
    assert_instant(calendar_due_us(&c, at("2026-11-20 15:59"), two), "2026-11-24 16:00");
    /* outside opening hours: as if received at the next opening */
    assert_instant(calendar_due_us(&c, at("2026-11-20 16:00"), two), "2026-11-25 16:00");
    assert_instant(calendar_due_us(&c, at("2026-11-21 10:42"), two), "2026-11-25 16:00");
    assert_instant(calendar_due_us(&c, at("2026-11-23 00:00"), two), "2026-11-25 16:00");
    assert_instant(calendar_due_us(&c, at("2026-11-23 07:59"), two), "2026-11-25 16:00");
    assert_instant(calendar_due_us(&c, at("2026-11-23 08:00"), two), "2026-11-25 16:00");
}

static void holidays_are_skipped(void **state)
{
    (void)state;
    struct calendar c = office();
    /* Maundy Thursday 2.4.; Easter 3.-6.4. */
    assert_instant(calendar_due_us(&c, at("2026-04-02 09:00"), dur(1, STO_BUSINESS_DAYS)),
                   "2026-04-07 16:00");
    assert_instant(calendar_due_us(&c, at("2026-06-18 09:00"), dur(1, STO_BUSINESS_DAYS)),
                   "2026-06-22 16:00");
    assert_instant(calendar_due_us(&c, at("2026-12-23 09:00"), dur(1, STO_BUSINESS_DAYS)),
                   "2026-12-28 16:00");
    c.holidays = false;
    assert_instant(calendar_due_us(&c, at("2026-04-02 09:00"), dur(1, STO_BUSINESS_DAYS)),
                   "2026-04-03 16:00");
}

static void closed_weeks_are_skipped(void **state)
{
    (void)state;
    struct calendar c = office();
    close_days(&c, "2026-07-06", "2026-07-31");
    close_days(&c, "2026-08-03", "2026-08-03");
    assert_false(calendar_business_day(&c, day_of("2026-07-06")));
    assert_false(calendar_business_day(&c, day_of("2026-07-31")));
    assert_true(calendar_business_day(&c, day_of("2026-07-03")));
    assert_true(calendar_business_day(&c, day_of("2026-08-04")));
    assert_instant(calendar_due_us(&c, at("2026-07-03 12:00"), dur(1, STO_BUSINESS_DAYS)),
                   "2026-08-04 16:00");
    assert_instant(calendar_due_us(&c, at("2026-07-15 12:00"), dur(2, STO_BUSINESS_HOURS)),
                   "2026-08-04 10:00");
}

static void days_between_count_the_end_and_not_the_start(void **state)
{
    (void)state;
    struct calendar c = office();
    int32_t fri = day_of("2026-11-20");
    assert_int_equal(calendar_business_days_between(&c, fri, fri), 0);
    assert_int_equal(calendar_business_days_between(&c, fri, fri + 1), 0);
    assert_int_equal(calendar_business_days_between(&c, fri, fri + 4), 2);
    assert_int_equal(calendar_business_days_between(&c, fri + 4, fri), -2);
}

/* --------------------------------------------------------- business hours */

static void opening_hours_are_half_open(void **state)
{
    (void)state;
    struct calendar c = with_lunch();
    assert_false(calendar_open_at(&c, at("2026-11-23 08:00") - 1));
    assert_true(calendar_open_at(&c, at("2026-11-23 08:00")));
    assert_true(calendar_open_at(&c, at("2026-11-23 11:30") - 1));
    assert_false(calendar_open_at(&c, at("2026-11-23 11:30")));
    assert_true(calendar_open_at(&c, at("2026-11-23 12:30")));
    assert_false(calendar_open_at(&c, at("2026-11-23 16:00")));
    assert_false(calendar_open_at(&c, at("2026-11-22 12:00")));
    assert_instant(calendar_next_open_us(&c, at("2026-11-23 09:17")), "2026-11-23 09:17");
    assert_instant(calendar_next_open_us(&c, at("2026-11-23 11:30")), "2026-11-23 12:30");
    assert_instant(calendar_next_open_us(&c, at("2026-11-27 16:00")), "2026-11-30 08:00");
}

static void business_hours_walk_opening_time(void **state)
{
    (void)state;
    struct calendar c = with_lunch();
    assert_instant(calendar_due_us(&c, at("2026-11-20 11:00"), dur(1, STO_BUSINESS_HOURS)),
                   "2026-11-20 13:00");
    assert_instant(calendar_due_us(&c, at("2026-11-20 15:00"), dur(1, STO_BUSINESS_HOURS)),
                   "2026-11-20 16:00"); /* the end of a span, not the next morning */
    assert_instant(calendar_due_us(&c, at("2026-11-20 15:30"), dur(1, STO_BUSINESS_HOURS)),
                   "2026-11-23 08:30");
    assert_instant(calendar_due_us(&c, at("2026-11-21 15:30"), dur(7, STO_BUSINESS_HOURS)),
                   "2026-11-23 16:00");
    assert_instant(calendar_due_us(&c, at("2026-11-20 08:00"), dur(35, STO_BUSINESS_HOURS)),
                   "2026-11-26 16:00");
}

static void spans_may_stand_in_any_order(void **state)
{
    (void)state;
    struct calendar a = with_lunch(), b = with_lunch();
    for (int i = 0; i < 5; i++) {
        b.open[i][0] = a.open[i][1];
        b.open[i][1] = a.open[i][0];
    }
    int64_t from = at("2026-11-20 11:00");
    for (int32_t n = 1; n < 30; n++) {
        assert_int_equal(calendar_due_us(&a, from, dur(n, STO_BUSINESS_HOURS)),
                         calendar_due_us(&b, from, dur(n, STO_BUSINESS_HOURS)));
        assert_int_equal(calendar_due_us(&a, from, dur(n, STO_BUSINESS_DAYS)),
                         calendar_due_us(&b, from, dur(n, STO_BUSINESS_DAYS)));
    }
}

/* ---------------------------------------------------------- clock changes */

static void calendar_units_keep_the_wall_clock(void **state)
{
    (void)state;
    struct calendar c = office();
    assert_instant(calendar_due_us(&c, at("2026-03-27 15:00"), dur(7, STO_DAYS)),
                   "2026-04-03 15:00"); /* Good Friday: not moved */
    assert_instant(calendar_due_us(&c, at("2026-10-24 12:00"), dur(1, STO_DAYS)),
                   "2026-10-25 12:00");
    assert_instant(calendar_due_us(&c, at("2026-01-31 12:00"), dur(1, STO_MONTHS)),
                   "2026-02-28 12:00");
    assert_instant(calendar_due_us(&c, at("2026-03-29 00:00"), dur(4, STO_HOURS)),
                   "2026-03-29 05:00");
}

static void business_time_crosses_clock_changes(void **state)
{
    (void)state;
    struct calendar c = office();
    int64_t hour = STO_US_PER_HOUR;
    assert_int_equal(calendar_due_us(&c, at("2026-03-27 15:00"), dur(1, STO_BUSINESS_DAYS)) -
                         at("2026-03-27 15:00"),
                     (3 * 24 + 1 - 1) * hour);
    assert_instant(calendar_due_us(&c, at("2026-03-27 15:00"), dur(1, STO_BUSINESS_DAYS)),
                   "2026-03-30 16:00");
    assert_instant(calendar_due_us(&c, at("2026-10-23 15:00"), dur(1, STO_BUSINESS_DAYS)),
                   "2026-10-26 16:00");
    assert_instant(calendar_due_us(&c, at("2026-03-27 15:00"), dur(3, STO_BUSINESS_HOURS)),
                   "2026-03-30 10:00");
    assert_int_equal(calendar_open_us_between(&c, at("2026-03-23 00:00"), at("2026-04-06 00:00")),
                     9 * 8 * hour);
}

static void a_day_of_always_open_has_the_hours_it_has(void **state)
{
    (void)state;
    struct calendar c = always_open();
    int64_t hour = STO_US_PER_HOUR;
    assert_int_equal(calendar_open_us_between(&c, at("2026-03-29 00:00"), at("2026-03-30 00:00")),
                     23 * hour);
    assert_int_equal(calendar_open_us_between(&c, at("2026-10-25 00:00"), at("2026-10-26 00:00")),
                     25 * hour);
    assert_instant(calendar_due_us(&c, at("2026-03-29 00:00"), dur(4, STO_BUSINESS_HOURS)),
                   "2026-03-29 05:00");
    assert_instant(calendar_due_us(&c, at("2026-10-25 00:00"), dur(5, STO_BUSINESS_HOURS)),
                   "2026-10-25 04:00");
    assert_instant(calendar_due_us(&c, at("2026-10-24 12:00"), dur(1, STO_BUSINESS_DAYS)),
                   "2026-10-26 00:00");
    assert_instant(calendar_next_open_us(&c, at("2026-10-25 00:00")), "2026-10-25 00:00");
}

static void a_span_inside_the_gap_is_harmless(void **state)
{
    (void)state;
    struct calendar c = {0};
    c.open[6][0] = (struct calendar_span){3 * 60 + 30, 4 * 60};
    int64_t from = at("2026-03-28 12:00");
    assert_true(calendar_due_us(&c, from, dur(1, STO_BUSINESS_DAYS)) > from);
    assert_instant(calendar_due_us(&c, from, dur(1, STO_BUSINESS_HOURS)), "2026-04-12 04:00");
    assert_int_equal(calendar_open_us_between(&c, from, at("2026-04-06 00:00")),
                     STO_US_PER_HOUR / 2);
}

/* --------------------------------------------------------- pause, reminder */

static void a_pause_keeps_the_working_time_left(void **state)
{
    (void)state;
    struct calendar c = office();
    int64_t due = at("2026-11-24 16:00"); /* Tuesday */
    /* Monday 10:00: 14 working hours left */
    assert_instant(
        calendar_resume_us(&c, true, due, at("2026-11-23 10:00"), at("2026-11-26 09:00")),
        "2026-11-27 15:00");
    assert_instant(
        calendar_resume_us(&c, true, due, at("2026-11-23 10:00"), at("2026-11-28 09:00")),
        "2026-12-01 14:00");
    /* a pause inside a night costs nothing */
    assert_instant(
        calendar_resume_us(&c, true, due, at("2026-11-23 17:00"), at("2026-11-24 07:00")),
        "2026-11-24 16:00");
    assert_instant(
        calendar_resume_us(&c, false, due, at("2026-11-23 10:00"), at("2026-11-26 09:00")),
        "2026-11-27 15:00");
}

static void nothing_is_left_of_an_overdue_clock(void **state)
{
    (void)state;
    struct calendar c = office();
    int64_t due = at("2026-11-24 16:00");
    assert_instant(
        calendar_resume_us(&c, true, due, at("2026-11-25 10:00"), at("2026-11-26 09:00")),
        "2026-11-26 09:00");
    assert_instant(calendar_resume_us(&c, false, due, due, at("2026-11-26 09:00")),
                   "2026-11-26 09:00");
    assert_int_equal(
        calendar_resume_us(&c, true, due, at("2026-11-25 10:00"), at("2026-11-25 10:00")), due);
}

static void a_reminder_counts_back(void **state)
{
    (void)state;
    struct calendar c = with_lunch();
    int64_t due = at("2026-11-24 16:00");
    assert_instant(calendar_before_us(&c, due, dur(1, STO_BUSINESS_DAYS)), "2026-11-23 16:00");
    assert_instant(calendar_before_us(&c, due, dur(2, STO_BUSINESS_DAYS)), "2026-11-20 16:00");
    assert_instant(calendar_before_us(&c, due, dur(4, STO_BUSINESS_HOURS)), "2026-11-24 11:00");
    assert_instant(calendar_before_us(&c, due, dur(8, STO_BUSINESS_HOURS)), "2026-11-23 15:00");
    assert_instant(calendar_before_us(&c, due, dur(14, STO_DAYS)), "2026-11-10 16:00");
    assert_instant(calendar_before_us(&c, at("2026-03-30 16:00"), dur(1, STO_BUSINESS_DAYS)),
                   "2026-03-27 16:00");
}

/* ------------------------------------------------------------------ limits */

static void a_calendar_that_never_opens_falls_back_to_real_time(void **state)
{
    (void)state;
    struct calendar c = {0};
    int64_t from = at("2026-11-20 15:00");
    assert_instant(calendar_due_us(&c, from, dur(5, STO_BUSINESS_DAYS)), "2026-11-25 15:00");
    assert_instant(calendar_due_us(&c, from, dur(5, STO_BUSINESS_HOURS)), "2026-11-20 20:00");
    assert_instant(calendar_before_us(&c, from, dur(5, STO_BUSINESS_DAYS)), "2026-11-15 15:00");
    assert_int_equal(calendar_next_open_us(&c, from), from);
    assert_false(calendar_open_at(&c, from));
    assert_instant(
        calendar_resume_us(&c, true, at("2026-11-25 15:00"), from, at("2026-11-21 15:00")),
        "2026-11-26 15:00");
    c = office();
    close_days(&c, "2026-01-01", "9999-12-31");
    assert_instant(calendar_due_us(&c, from, dur(5, STO_BUSINESS_DAYS)), "2026-11-25 15:00");
    assert_instant(calendar_due_us(&c, at("2025-12-31 15:00"), dur(2, STO_BUSINESS_HOURS)),
                   "2025-12-31 17:00");
}

static void extreme_inputs_end(void **state)
{
    (void)state;
    struct calendar c = office();
    static const int64_t US[] = {INT64_MIN, -1, 0, INT64_MAX};
    static const int32_t N[] = {INT32_MIN, -1, 0, INT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            calendar_due_us(&c, US[i], dur(N[k], STO_BUSINESS_DAYS));
            calendar_due_us(&c, US[i], dur(N[k], STO_BUSINESS_HOURS));
            calendar_before_us(&c, US[i], dur(N[k], STO_BUSINESS_DAYS));
            calendar_before_us(&c, US[i], dur(N[k], STO_BUSINESS_HOURS));
            calendar_open_us_between(&c, US[i], US[k]);
            calendar_resume_us(&c, true, US[i], US[k], US[(i + k) % 4]);
            calendar_resume_us(&c, false, US[i], US[k], US[(i + k) % 4]);
            calendar_business_days_between(&c, N[i], N[k]);
        }
        calendar_next_open_us(&c, US[i]);
        calendar_open_at(&c, US[i]);
    }
}

/* --------------------------------------------- random, against a reference */

struct random {
    uint64_t s;
};

static uint32_t draw(struct random *r, uint32_t below)
{
    r->s ^= r->s << 13;
    r->s ^= r->s >> 7;
    r->s ^= r->s << 17;
    return (uint32_t)((r->s >> 11) % below);
}

static void random_span(struct random *r, struct calendar_span *s)
{
    static const int16_t STEP = 30;
    uint32_t a = draw(r, DAY_MINUTES / 30 + 1), b = draw(r, DAY_MINUTES / 30 + 1);
    *s = (struct calendar_span){(int16_t)((int16_t)(a < b ? a : b) * STEP),
                                (int16_t)((int16_t)(a < b ? b : a) * STEP)};
    if (s->from_min == s->to_min) {
        *s = (struct calendar_span){0, 0};
    }
}

static struct calendar random_calendar(struct random *r)
{
    struct calendar c = draw(r, 2) ? office() : with_lunch();
    if (draw(r, 3) == 0) {
        c = always_open();
    }
    if (draw(r, 3) == 0) {
        for (int i = 0; i < 7; i++) {
            random_span(r, &c.open[i][0]);
            random_span(r, &c.open[i][1]);
        }
        c.open[draw(r, 7)][0] = (struct calendar_span){9 * 60, 15 * 60};
    }
    c.holidays = draw(r, 2) != 0;
    for (uint32_t n = draw(r, 4); n > 0; n--) {
        int32_t from = day_of("2025-06-01") + (int32_t)draw(r, 900);
        c.closed[c.n_closed].from_day = from;
        c.closed[c.n_closed++].to_day = from + (int32_t)draw(r, 40);
    }
    return c;
}

/* Near a clock change as often as anywhere else in two years. */
static int64_t random_instant(struct random *r)
{
    static const char *const CHANGES[] = {"2026-03-29", "2026-10-25", "2025-10-26", "2027-03-28"};
    int32_t day = day_of("2025-06-01") + (int32_t)draw(r, 800);
    if (draw(r, 2)) {
        day = day_of(CHANGES[draw(r, 4)]) - 3 + (int32_t)draw(r, 6);
    }
    int64_t us = sto_day_start_us(day) + (int64_t)draw(r, DAY_MINUTES * 60) * STO_US_PER_SEC;
    return us - us % (draw(r, 2) ? STO_US_PER_HOUR / 2 : 1) + (draw(r, 4) ? 0 : draw(r, 1000000));
}

/* Intervals of a day as calendar.h defines them, every instant asked of sto_time.h. */
static int slow_spans(const struct calendar *c, int32_t day, int64_t out[2][2])
{
    if (!calendar_business_day(c, day)) {
        return 0;
    }
    struct calendar_span s[2];
    memcpy(s, c->open[sto_weekday(day) - 1], sizeof s);
    if (s[0].from_min == s[0].to_min ||
        (s[1].from_min < s[1].to_min && s[1].from_min < s[0].from_min)) {
        struct calendar_span t = s[0];
        s[0] = s[1];
        s[1] = t;
    }
    int n = 0;
    for (int i = 0; i < 2; i++) {
        int64_t from = sto_day_minute_us(day, s[i].from_min);
        int64_t to = sto_day_minute_us(day, s[i].to_min);
        from = n > 0 && from < out[n - 1][1] ? out[n - 1][1] : from;
        if (s[i].from_min < s[i].to_min && from < to) {
            out[n][0] = from;
            out[n++][1] = to;
        }
    }
    return n;
}

static int64_t slow_close(const struct calendar *c, int32_t day)
{
    const struct calendar_span *s = c->open[sto_weekday(day) - 1];
    return sto_day_minute_us(day, s[0].to_min > s[1].to_min ? s[0].to_min : s[1].to_min);
}

static int64_t slow_business_days(const struct calendar *c, int64_t from, int n)
{
    int32_t day = sto_day_of_us(from);
    while (!calendar_business_day(c, day) || from >= slow_close(c, day)) {
        day++;
    }
    while (n > 0) {
        n -= calendar_business_day(c, ++day) ? 1 : 0;
    }
    return slow_close(c, day);
}

static int64_t slow_business_hours(const struct calendar *c, int64_t from, int hours)
{
    int64_t left = hours * STO_US_PER_HOUR;
    for (int32_t day = sto_day_of_us(from);; day++) {
        int64_t v[2][2];
        int n = slow_spans(c, day, v);
        for (int i = 0; i < n; i++) {
            int64_t start = v[i][0] > from ? v[i][0] : from;
            int64_t len = v[i][1] > start ? v[i][1] - start : 0;
            if (len > 0 && left <= len) {
                return start + left;
            }
            left -= len;
        }
    }
}

static void dues_agree_with_the_slow_reference(void **state)
{
    (void)state;
    struct random r = {UINT64_C(0x5aa770)};
    for (int i = 0; i < 4000; i++) {
        struct calendar c = random_calendar(&r);
        int64_t from = random_instant(&r);
        int32_t n = 1 + (int32_t)draw(&r, i % 10 == 0 ? 300 : 12);
        int64_t due = calendar_due_us(&c, from, dur(n, STO_BUSINESS_DAYS));
        assert_int_equal(due, slow_business_days(&c, from, n));
        assert_true(due > from);
        assert_true(calendar_due_us(&c, from, dur(n + 1, STO_BUSINESS_DAYS)) > due);
        assert_true(
            calendar_due_us(&c, from + 1 + draw(&r, 100000000), dur(n, STO_BUSINESS_DAYS)) >= due);

        due = calendar_due_us(&c, from, dur(n, STO_BUSINESS_HOURS));
        assert_int_equal(due, slow_business_hours(&c, from, n));
        assert_true(due > from);
        assert_true(calendar_open_at(&c, due - 1));
        assert_int_equal(calendar_open_us_between(&c, from, due), n * STO_US_PER_HOUR);
        int64_t start = calendar_before_us(&c, due, dur(n, STO_BUSINESS_HOURS));
        assert_int_equal(start, calendar_next_open_us(&c, from));
    }
}

static void open_time_is_consistent(void **state)
{
    (void)state;
    struct random r = {UINT64_C(0xca1e4da7)};
    for (int i = 0; i < 4000; i++) {
        struct calendar c = random_calendar(&r);
        int64_t a = random_instant(&r);
        int64_t next = calendar_next_open_us(&c, a);
        assert_true(next >= a);
        assert_true(calendar_open_at(&c, next));
        assert_true(next == a || !calendar_open_at(&c, a));
        assert_true(next == a || !calendar_open_at(&c, next - 1));
        assert_int_equal(calendar_open_us_between(&c, a, next), 0);
        int64_t b = a + (int64_t)draw(&r, 4000000) * STO_US_PER_SEC;
        int64_t m = a + (b - a) / 2;
        assert_int_equal(calendar_open_us_between(&c, a, m) + calendar_open_us_between(&c, m, b),
                         calendar_open_us_between(&c, a, b));
        int32_t day = sto_day_of_us(a);
        assert_int_equal(calendar_business_days_between(&c, day, day + 30),
                         calendar_business_days_between(&c, day, day + 9) +
                             calendar_business_days_between(&c, day + 9, day + 30));
    }
}

static void resuming_keeps_what_was_left(void **state)
{
    (void)state;
    struct random r = {UINT64_C(0x9a05e)};
    for (int i = 0; i < 4000; i++) {
        struct calendar c = random_calendar(&r);
        int64_t from = random_instant(&r);
        enum sto_unit unit = draw(&r, 2) ? STO_BUSINESS_DAYS : STO_BUSINESS_HOURS;
        int64_t due = calendar_due_us(&c, from, dur(1 + (int32_t)draw(&r, 10), unit));
        int64_t paused = from + (int64_t)draw(&r, 1000) * ((due - from) / 1001);
        assert_int_equal(calendar_resume_us(&c, true, due, paused, paused), due);
        assert_int_equal(calendar_resume_us(&c, false, due, paused, paused), due);
        int64_t resumed = paused + 1 + (int64_t)draw(&r, 3000000) * STO_US_PER_SEC;
        int64_t again = calendar_resume_us(&c, true, due, paused, resumed);
        int64_t left = calendar_open_us_between(&c, paused, due);
        assert_true(again >= due && again > resumed);
        if (left > 0) {
            assert_int_equal(calendar_open_us_between(&c, resumed, again), left);
        }
        assert_int_equal(calendar_resume_us(&c, false, due, paused, resumed) - resumed,
                         due - paused);
    }
}

int main(void)
{
    sto_time_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(easter_falls_on_the_known_sundays),
        cmocka_unit_test(easter_agrees_with_gauss_for_three_centuries),
        cmocka_unit_test(every_holiday_of_2026_is_known_and_no_other),
        cmocka_unit_test(moving_saturdays_follow_their_weeks),
        cmocka_unit_test(every_year_has_its_holidays),
        cmocka_unit_test(friday_afternoon_and_two_business_days_is_tuesdays_close),
        cmocka_unit_test(holidays_are_skipped),
        cmocka_unit_test(closed_weeks_are_skipped),
        cmocka_unit_test(days_between_count_the_end_and_not_the_start),
        cmocka_unit_test(opening_hours_are_half_open),
        cmocka_unit_test(business_hours_walk_opening_time),
        cmocka_unit_test(spans_may_stand_in_any_order),
        cmocka_unit_test(calendar_units_keep_the_wall_clock),
        cmocka_unit_test(business_time_crosses_clock_changes),
        cmocka_unit_test(a_day_of_always_open_has_the_hours_it_has),
        cmocka_unit_test(a_span_inside_the_gap_is_harmless),
        cmocka_unit_test(a_pause_keeps_the_working_time_left),
        cmocka_unit_test(nothing_is_left_of_an_overdue_clock),
        cmocka_unit_test(a_reminder_counts_back),
        cmocka_unit_test(a_calendar_that_never_opens_falls_back_to_real_time),
        cmocka_unit_test(extreme_inputs_end),
        cmocka_unit_test(dues_agree_with_the_slow_reference),
        cmocka_unit_test(open_time_is_consistent),
        cmocka_unit_test(resuming_keeps_what_was_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
