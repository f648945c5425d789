/* SPDX-License-Identifier: EUPL-1.2 */
/* Dates of RRULEs: what a workflow designer writes, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "recurrence.h"
#include "sto_time.h"

static int32_t day_of(const char *date)
{
    int32_t day = 0;
    assert_int_equal(sto_day_parse(date, &day, NULL), 0);
    return day;
}

/* The rule's dates after `after` are exactly these, then more if `more`. */
static void expect(const char *rrule, const char *start, const char *after,
                   const char *const *dates, int more)
{
    int32_t day = day_of(after);
    struct sto_err err = {0};
    assert_int_equal(recurrence_check(rrule, &err), 0);
    for (; *dates; dates++) {
        char got[16];
        int rc = recurrence_next(rrule, day_of(start), day, &day, &err);
        if (rc != 0) {
            fail_msg("%s: %s", rrule, err.what);
        }
        assert_string_equal(sto_day_format(day, got, sizeof got), *dates);
    }
    int32_t next = day;
    int rc = recurrence_next(rrule, day_of(start), day, &next, &err);
    assert_int_equal(rc, more ? 0 : -STO_E_NOT_FOUND);
    assert_true(more ? next > day : next == day);
}

#define DATES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void second_tuesdays(void **state)
{
    (void)state;
    expect("FREQ=MONTHLY;BYDAY=2TU", "2026-01-01", "2025-06-01",
           DATES("2026-01-13", "2026-02-10", "2026-03-10", "2026-04-14"), 1);
    expect("FREQ=MONTHLY;BYDAY=2TU", "2026-01-01", "2026-02-10", DATES("2026-03-10"), 1);
    expect("FREQ=MONTHLY;BYDAY=2TU", "2026-01-01", "2026-02-09", DATES("2026-02-10"), 1);
    expect("FREQ=MONTHLY;BYDAY=2TU", "2014-01-01", "2049-12-31", DATES("2050-01-11", "2050-02-08"),
           1);
}

static void common_rules(void **state)
{
    (void)state;
    expect("FREQ=WEEKLY;BYDAY=MO,WE", "2026-11-20", "2026-11-20",
           DATES("2026-11-23", "2026-11-25", "2026-11-30"), 1);
    expect("FREQ=WEEKLY;INTERVAL=2;BYDAY=WE,FR", "2019-01-01", "2018-01-01",
           DATES("2019-01-02", "2019-01-04", "2019-01-16"), 1);
    expect("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-01", "2026-01-31",
           DATES("2026-02-28", "2026-03-31"), 1);
    expect("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-01", "2026-01-01",
           DATES("2026-01-31", "2026-03-31", "2026-05-31"), 1);
    expect("FREQ=MONTHLY;INTERVAL=3;BYDAY=2TU", "2026-01-01", "2026-01-01",
           DATES("2026-01-13", "2026-04-14", "2026-07-14"), 1);
    expect("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-01-01", "2026-01-01",
           DATES("2026-01-30", "2026-02-27", "2026-03-31"), 1);
    expect("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2026-01-01", "2026-01-01",
           DATES("2028-02-29", "2032-02-29"), 1);
    expect("FREQ=YEARLY;BYMONTH=2,9;BYDAY=1MO", "2026-01-01", "2026-01-01",
           DATES("2026-02-02", "2026-09-07", "2027-02-01"), 1);
    expect("FREQ=DAILY;INTERVAL=10", "2026-01-01", "2026-01-01", DATES("2026-01-11", "2026-01-21"),
           1);
}

static void a_rule_ends_by_count_or_until(void **state)
{
    (void)state;
    expect("FREQ=DAILY;COUNT=3", "2026-01-01", "2025-01-01",
           DATES("2026-01-01", "2026-01-02", "2026-01-03"), 0);
    expect("FREQ=DAILY;COUNT=3", "2026-01-01", "2026-01-02", DATES("2026-01-03"), 0);
    expect("FREQ=WEEKLY;BYDAY=TU;UNTIL=20260120", "2026-01-01", "2026-01-01",
           DATES("2026-01-06", "2026-01-13", "2026-01-20"), 0);
}

static void dates_never_go_back(void **state)
{
    (void)state;
    static const char *const RULES[] = {"FREQ=MONTHLY;BYDAY=2TU", "FREQ=WEEKLY;BYDAY=MO,TH",
                                        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
                                        "FREQ=MONTHLY;BYMONTHDAY=1,15;BYMONTH=1,2,9"};
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) {
        for (int32_t start = day_of("2026-01-01"); start < day_of("2026-01-09"); start++) {
            for (int32_t k = 0, after = start - 1; k < 40; k++) {
                int32_t day = 0, from_before = 0;
                assert_int_equal(recurrence_next(RULES[i], start, after, &day, NULL), 0);
                assert_true(day > after && day >= start);
                assert_int_equal(recurrence_next(RULES[i], start, day - 1, &from_before, NULL), 0);
                assert_int_equal(from_before, day);
                after = day;
            }
        }
    }
}

static void bad_rules_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",
                                      "rubbish",
                                      "FREQ=MONTHLY;BYDAY=XX",
                                      "BYDAY=MO",
                                      "FREQ=FORTNIGHTLY",
                                      "FREQ=HOURLY",
                                      "FREQ=DAILY;BYHOUR=9",
                                      "FREQ=MONTHLY;BYDAY=2TU;NONSENSE=3",
                                      "FREQ=DAILY;INTERVAL=0",
                                      "FREQ=DAILY;INTERVAL=-1",
                                      "FREQ=DAILY;COUNT=0",
                                      "FREQ=MONTHLY;BYDAY=2TU;BYDAY=3TU",
                                      "FREQ=WEEKLY;BYDAY=2TU",
                                      "FREQ=DAILY;BYDAY=2TU",
                                      "FREQ=WEEKLY;BYMONTHDAY=3",
                                      "FREQ=DAILY;BYSETPOS=2",
                                      "FREQ=MONTHLY;BYWEEKNO=2",
                                      "FREQ=MONTHLY;BYMONTHDAY=32",
                                      "FREQ=MONTHLY;BYDAY=2TU;RSCALE=GREGORIAN",
                                      "FREQ=MONTHLY;BYDAY=2TU;UNTIL=rubb",
                                      "FREQ=MONTHLY;BYDAY=2TU\n",
                                      "freq=monthly;byday=2tu",
                                      "FREQ=MONTHLY;BYDAY=6TU",
                                      "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
                                      "FREQ=MONTHLY;BYDAY=2TU;BYMONTHDAY=20"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct sto_err err = {0};
        if (recurrence_check(BAD[i], &err) != -STO_E_CONFIG) {
            fail_msg("accepted: '%s'", BAD[i]);
        }
        assert_int_equal(err.code, STO_E_CONFIG);
        assert_true(err.what[0] != '\0');
    }
    char longest[RECURRENCE_RULE_BYTES_MAX + 2];
    memset(longest, 'A', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(recurrence_check(longest, NULL), -STO_E_CONFIG);
}

static void a_rule_that_falls_on_no_date_is_refused(void **state)
{
    (void)state;
    struct sto_err err = {0};
    assert_int_equal(recurrence_check("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", &err), -STO_E_CONFIG);
    assert_non_null(strstr(err.what, "never"));
}

static void without_a_date_the_result_is_untouched(void **state)
{
    (void)state;
    int32_t day = 4711;
    struct sto_err err = {0};
    assert_int_equal(recurrence_next("rubbish", 0, 0, &day, &err), -STO_E_CONFIG);
    assert_int_equal(recurrence_next("FREQ=DAILY", INT32_MAX, 0, &day, &err), -STO_E_CONFIG);
    assert_int_equal(recurrence_next("FREQ=DAILY", 0, INT32_MAX, &day, &err), -STO_E_NOT_FOUND);
    assert_int_equal(day, 4711);
}

/* A rule that counts is walked from its anchor, the others begin nearer: the dates are the same. */
static void it_does_not_matter_where_the_walk_begins(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=DAILY;INTERVAL=2;BYMONTH=3,4",
        "FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=MO,TU",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO",
        "FREQ=WEEKLY;INTERVAL=3;BYDAY=TU;WKST=SU",
        "FREQ=MONTHLY",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=2MO",
        "FREQ=MONTHLY;INTERVAL=3;BYDAY=-1FR",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=YEARLY;BYMONTH=2;BYDAY=1MO",
    };
    static const char *const starts[] = {"2005-01-03", "2005-01-31", "2004-02-29", "2005-12-25"};
    for (unsigned r = 0; r < sizeof rules / sizeof rules[0]; r++) {
        for (unsigned s = 0; s < sizeof starts / sizeof starts[0]; s++) {
            char counted[128];
            (void)snprintf(counted, sizeof counted, "%s;COUNT=9000", rules[r]);
            int32_t start = day_of(starts[s]);
            for (int32_t after = start - 3; after < start + 2500; after += 37) {
                int32_t near = 0, walked = 0;
                assert_int_equal(recurrence_next(rules[r], start, after, &near, NULL), 0);
                assert_int_equal(recurrence_next(counted, start, after, &walked, NULL), 0);
                if (near != walked) {
                    fail_msg("%s from %s after %d: %d and %d", rules[r], starts[s], (int)after,
                             (int)near, (int)walked);
                }
            }
        }
    }
}

int main(void)
{
    sto_time_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_tuesdays),
        cmocka_unit_test(it_does_not_matter_where_the_walk_begins),
        cmocka_unit_test(common_rules),
        cmocka_unit_test(a_rule_ends_by_count_or_until),
        cmocka_unit_test(dates_never_go_back),
        cmocka_unit_test(bad_rules_are_refused_with_a_reason),
        cmocka_unit_test(a_rule_that_falls_on_no_date_is_refused),
        cmocka_unit_test(without_a_date_the_result_is_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
