/* SPDX-License-Identifier: EUPL-1.2 */
/* Time: both clock changes in Europe/Helsinki, month ends, text forms, durations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sto_time.h"

static int64_t utc(const char *s)
{
    int64_t us = 0;
    struct sto_err err;
    if (sto_us_parse(s, &us, &err) != 0) {
        fail_msg("%s", err.what);
    }
    return us;
}

static void assert_instant(int64_t us, const char *wanted)
{
    char buf[40];
    assert_string_equal(sto_us_format(us, buf, sizeof buf), wanted);
}

static int64_t add(const char *from, const char *duration)
{
    struct sto_duration d;
    assert_int_equal(sto_duration_parse(duration, &d, NULL), 0);
    return sto_us_add(utc(from), d);
}

static void local_time_follows_helsinki(void **state)
{
    (void)state;
    struct sto_local l;
    sto_local_from_us(utc("2026-01-15T12:00:00Z"), &l);
    assert_int_equal(l.hour, 14);
    assert_int_equal(l.weekday, 4);
    sto_local_from_us(utc("2026-07-15T22:30:15.25Z"), &l);
    assert_int_equal(l.day, 16);
    assert_int_equal(l.hour, 1);
    assert_int_equal(l.second, 15);
    assert_int_equal(l.us, 250000);
    assert_true(sto_local_to_us(&l) == utc("2026-07-15T22:30:15.25Z"));
}

/* 29.3.2026 03:00 -> 04:00 */
static void a_time_in_the_spring_gap_moves_forward(void **state)
{
    (void)state;
    assert_instant(utc("2026-03-29 02:59"), "2026-03-29T00:59:00Z");
    assert_instant(utc("2026-03-29 03:00"), "2026-03-29T01:00:00Z"); /* 04:00 */
    assert_instant(utc("2026-03-29 03:30"), "2026-03-29T01:30:00Z"); /* 04:30 */
    assert_instant(utc("2026-03-29 04:00"), "2026-03-29T01:00:00Z");
    struct sto_local l;
    sto_local_from_us(utc("2026-03-29 03:30"), &l);
    assert_int_equal(l.hour, 4);
    assert_int_equal(l.minute, 30);
}

/* 25.10.2026 04:00 -> 03:00 */
static void a_time_that_comes_twice_in_autumn_is_the_first(void **state)
{
    (void)state;
    assert_instant(utc("2026-10-25 02:59"), "2026-10-24T23:59:00Z");
    assert_instant(utc("2026-10-25 03:30"), "2026-10-25T00:30:00Z");
    assert_instant(utc("2026-10-25 04:00"), "2026-10-25T02:00:00Z");
    struct sto_local l; /* both readings show 03:30 */
    sto_local_from_us(utc("2026-10-25T01:30:00Z"), &l);
    assert_int_equal(l.hour, 3);
    assert_int_equal(l.minute, 30);
}

static void days_keep_wall_time_over_clock_changes_and_hours_do_not(void **state)
{
    (void)state;
    assert_instant(add("2026-03-28 12:00", "1 day"), "2026-03-29T09:00:00Z");
    assert_instant(add("2026-03-28 12:00", "24 hours"), "2026-03-29T10:00:00Z");
    assert_instant(add("2026-10-24 12:00", "1 week"), "2026-10-31T10:00:00Z");
    assert_instant(add("2026-03-28 03:30", "1 day"), "2026-03-29T01:30:00Z"); /* the gap */
    assert_instant(add("2026-10-25T00:30:00Z", "90 minutes"), "2026-10-25T02:00:00Z");
    assert_true(sto_day_start_us(sto_day_from_civil(2026, 3, 30)) -
                    sto_day_start_us(sto_day_from_civil(2026, 3, 29)) ==
                23 * STO_US_PER_HOUR);
    assert_true(sto_day_start_us(sto_day_from_civil(2026, 10, 26)) -
                    sto_day_start_us(sto_day_from_civil(2026, 10, 25)) ==
                25 * STO_US_PER_HOUR);
}

static void months_clip_to_the_last_day(void **state)
{
    (void)state;
    assert_instant(add("2026-01-31 12:00", "1 month"), "2026-02-28T10:00:00Z");
    assert_instant(add("2028-01-31 12:00", "1 month"), "2028-02-29T10:00:00Z");
    assert_instant(add("2028-02-29 12:00", "1 year"), "2029-02-28T10:00:00Z");
    assert_instant(add("2026-10-31 12:00", "4 months"), "2027-02-28T10:00:00Z");
    assert_int_equal(sto_day_add_months(sto_day_from_civil(2026, 3, 31), -1),
                     sto_day_from_civil(2026, 2, 28));
    assert_int_equal(sto_day_add_months(sto_day_from_civil(2026, 1, 15), -13),
                     sto_day_from_civil(2024, 12, 15));
}

static void civil_dates_and_days_agree(void **state)
{
    (void)state;
    assert_int_equal(sto_day_from_civil(1970, 1, 1), 0);
    assert_int_equal(sto_day_from_civil(2000, 3, 1), 11017);
    assert_int_equal(sto_weekday(0), 4);
    assert_int_equal(sto_weekday(sto_day_from_civil(2026, 11, 22)), 7);
    assert_int_equal(sto_weekday(-4), 7);
    int32_t day = sto_day_from_civil(1599, 1, 1);
    for (int weekday = sto_weekday(day); day < sto_day_from_civil(2401, 1, 1); day++) {
        int y, m, d;
        sto_civil_from_day(day, &y, &m, &d);
        assert_true(sto_date_valid(y, m, d));
        assert_int_equal(sto_day_from_civil(y, m, d), day);
        assert_int_equal(sto_weekday(day), weekday);
        weekday = weekday % 7 + 1;
    }
    assert_false(sto_date_valid(1900, 2, 29));
    assert_true(sto_date_valid(2000, 2, 29));
    assert_false(sto_date_valid(2026, 13, 1));
    assert_false(sto_date_valid(2026, 4, 31));
    assert_false(sto_date_valid(2026, 4, 0));
}

static void the_local_date_begins_at_local_midnight(void **state)
{
    (void)state;
    int32_t day = sto_day_from_civil(2026, 11, 21);
    assert_instant(sto_day_start_us(day), "2026-11-20T22:00:00Z");
    assert_int_equal(sto_day_of_us(sto_day_start_us(day)), day);
    assert_int_equal(sto_day_of_us(sto_day_start_us(day) - 1), day - 1);
    assert_instant(sto_day_minute_us(day, 8 * 60 + 15), "2026-11-21T06:15:00Z");
    assert_true(sto_day_minute_us(day, 1440) == sto_day_start_us(day + 1));
}

static void instants_read_and_print(void **state)
{
    (void)state;
    char buf[40];
    assert_instant(utc("2026-11-21T10:42:00Z"), "2026-11-21T10:42:00Z");
    assert_instant(utc("2026-11-21T10:42:00.120+02:00"), "2026-11-21T08:42:00.12Z");
    assert_instant(utc("2026-11-21t10:42:00.000001-05:30"), "2026-11-21T16:12:00.000001Z");
    assert_instant(utc("2026-11-21"), "2026-11-20T22:00:00Z");
    assert_instant(-1, "1969-12-31T23:59:59.999999Z");
    assert_string_equal(sto_us_format_fi(utc("2026-11-21 10:02"), buf, sizeof buf),
                        "21.11.2026 klo 10.02");
    assert_string_equal(sto_day_format(sto_day_from_civil(2026, 1, 2), buf, sizeof buf),
                        "2026-01-02");
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "x",
        "2026",
        "2026-1-1",
        "2026-02-29",
        "2026-13-01",
        "2026-11-21 24:00",
        "2026-11-21 10:60",
        "2026-11-21T10:42:00",
        "2026-11-21T10:42Z",
        "2026-11-21T10:42:00.Z",
        "2026-11-21T10:42:60Z",
        "2026-11-21T10:42:00+0200",
        "2026-11-21T10:42:00Zx",
        " 2026-11-21",
        "2026-11-21 ",
        "2026-11-21T10:42:00+25:00",
        "0001-01-01",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        int64_t us = 42;
        struct sto_err err = {0};
        if (sto_us_parse(BAD[i], &us, &err) != -STO_E_FIELD) {
            fail_msg("'%s' was read as a time", BAD[i]);
        }
        assert_true(us == 42);
        assert_int_equal(err.code, STO_E_FIELD);
    }
    int32_t day = 42;
    assert_int_not_equal(sto_day_parse("2026-11-31", &day, NULL), 0);
    assert_int_not_equal(sto_day_parse("2026-11-21 10:00", &day, NULL), 0);
    assert_int_equal(day, 42);
}

static void durations_read_and_print(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "1 minute", "90 minutes",      "1 hour",         "20 days",          "2 weeks",   "1 month",
        "10 years", "5 business days", "1 business day", "4 business hours", "120 months"};
    char buf[40];
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        struct sto_duration d;
        assert_int_equal(sto_duration_parse(GOOD[i], &d, NULL), 0);
        assert_string_equal(sto_duration_format(d, buf, sizeof buf), GOOD[i]);
    }
    static const char *const BAD[] = {
        "",          "0 days",    "-1 days",         "5",        "5days",
        "5  days",   "5 days ",   "5 Days",          "11 years", "99999999999 minutes",
        "1.5 hours", "five days", "5 business weeks"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct sto_duration d = {.n = 42};
        if (sto_duration_parse(BAD[i], &d, NULL) != -STO_E_FIELD || d.n != 42) {
            fail_msg("'%s' was read as a duration", BAD[i]);
        }
    }
}

static void durations_compare_by_their_longest(void **state)
{
    (void)state;
    assert_true(sto_duration_minutes_about((struct sto_duration){5, STO_BUSINESS_DAYS}) ==
                7 * 1440);
    assert_true(sto_duration_minutes_about((struct sto_duration){1, STO_MONTHS}) == 31 * 1440);
    assert_true(sto_duration_minutes_about((struct sto_duration){2, STO_HOURS}) == 120);
}

static int init(void **state)
{
    (void)state;
    sto_time_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_time_follows_helsinki),
        cmocka_unit_test(a_time_in_the_spring_gap_moves_forward),
        cmocka_unit_test(a_time_that_comes_twice_in_autumn_is_the_first),
        cmocka_unit_test(days_keep_wall_time_over_clock_changes_and_hours_do_not),
        cmocka_unit_test(months_clip_to_the_last_day),
        cmocka_unit_test(civil_dates_and_days_agree),
        cmocka_unit_test(the_local_date_begins_at_local_midnight),
        cmocka_unit_test(instants_read_and_print),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(durations_read_and_print),
        cmocka_unit_test(durations_compare_by_their_longest),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
