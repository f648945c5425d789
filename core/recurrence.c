/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * RRULEs by libical, with what it leaves open decided here: which parts make sense
 * for whole days (libical takes some combinations of RFC 5545's "not applicable"
 * silently), and that every walk ends.
 */
#include "recurrence.h"

#include <libical/ical.h>
#include <string.h>

#include "sto_time.h"

#define YEAR_MAX 2582 /* where libical itself stops looking */

typedef struct icalrecurrencetype rule_t;

static void iterator_free(icalrecur_iterator **it)
{
    if (*it) {
        icalrecur_iterator_free(*it);
        *it = NULL;
    }
}

static bool part_given(const short *part)
{
    return part[0] != ICAL_RECURRENCE_ARRAY_MAX;
}

static bool day_numbered(const rule_t *r)
{
    bool numbered = false;
    for (int i = 0; i < ICAL_BY_DAY_SIZE && r->by_day[i] != ICAL_RECURRENCE_ARRAY_MAX; i++) {
        numbered = numbered || icalrecurrencetype_day_position(r->by_day[i]) != 0;
    }
    return numbered;
}

/* NULL, or the part of the rule that does not go with the rest. */
static const char *misfit(const rule_t *r)
{
    bool yearly = r->freq == ICAL_YEARLY_RECURRENCE;
    bool monthly = r->freq == ICAL_MONTHLY_RECURRENCE;
    bool weekly = r->freq == ICAL_WEEKLY_RECURRENCE;
    if (!yearly && !monthly && !weekly && r->freq != ICAL_DAILY_RECURRENCE) {
        return "FREQ (DAILY, WEEKLY, MONTHLY or YEARLY here)";
    }
    if (part_given(r->by_hour) || part_given(r->by_minute) || part_given(r->by_second)) {
        return "a time of day (BYHOUR, BYMINUTE, BYSECOND)";
    }
    if (day_numbered(r) && !yearly && !monthly) {
        return "a numbered BYDAY (with MONTHLY or YEARLY only)";
    }
    if (part_given(r->by_month_day) && weekly) {
        return "BYMONTHDAY (not with WEEKLY)";
    }
    if ((part_given(r->by_week_no) || part_given(r->by_year_day)) && !yearly) {
        return "BYWEEKNO or BYYEARDAY (with YEARLY only)";
    }
    if (part_given(r->by_set_pos) && !yearly && !monthly) {
        return "BYSETPOS (with MONTHLY or YEARLY only)";
    }
    return NULL;
}

static int rule_parse(const char *rrule, rule_t *out, struct sto_err *err)
{
    STO_ASSERT(rrule && out);
    size_t len = strlen(rrule);
    if (len == 0 || len > RECURRENCE_RULE_BYTES_MAX) {
        return sto_fail(err, STO_E_CONFIG, "a recurrence rule has 1 to %d characters, got %zu",
                        RECURRENCE_RULE_BYTES_MAX, len);
    }
    if (strspn(rrule, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=;,+-") != len) {
        return sto_fail(err, STO_E_CONFIG,
                        "recurrence rule '%s' has other characters than capitals, digits and =;,+-",
                        rrule);
    }
    /* Looked for before parsing: libical's parser leaks the name it reads. */
    if (strstr(rrule, "RSCALE") || strstr(rrule, "SKIP")) {
        return sto_fail(err, STO_E_CONFIG,
                        "recurrence rule '%s': RSCALE and SKIP are not supported", rrule);
    }
    icalerror_set_errors_are_fatal(0); /* the library would abort on bad input */
    rule_t r = icalrecurrencetype_from_string(rrule);
    icalerror_clear_errno();
    if (r.freq == ICAL_NO_RECURRENCE) {
        sto_fail(err, STO_E_CONFIG, "recurrence rule '%s' is not an RRULE of RFC 5545", rrule);
        sto_err_fix(err, "write it like FREQ=MONTHLY;BYDAY=2TU");
        return -STO_E_CONFIG;
    }
    const char *part = misfit(&r);
    if (part) {
        return sto_fail(err, STO_E_CONFIG, "recurrence rule '%s': cannot use %s", rrule, part);
    }
    *out = r;
    return 0;
}

static struct icaltimetype date_of(int32_t day)
{
    struct icaltimetype t;
    memset(&t, 0, sizeof t); /* icaltime_null_date() has hour -1, which derails the iterator */
    sto_civil_from_day(day, &t.year, &t.month, &t.day);
    t.is_date = 1;
    return t;
}

/*
 * An anchor nearer to after_day that gives the same dates from there on: whole periods of the rule
 * later. Not for a rule that counts its dates or takes the day of the month from its anchor.
 */
static int32_t nearer(const rule_t *r, int32_t start_day, int32_t after_day)
{
    int32_t every = r->interval > 0 ? r->interval : 1;
    int32_t days = r->freq == ICAL_WEEKLY_RECURRENCE ? 7 * every : every;
    bool monthly = r->freq == ICAL_MONTHLY_RECURRENCE;
    if (r->count != 0 || after_day <= start_day || r->freq == ICAL_YEARLY_RECURRENCE) {
        return start_day;
    }
    if (!monthly) {
        return start_day + (after_day - start_day) / days * days;
    }
    int year, month, dom, to_year, to_month, to_dom;
    sto_civil_from_day(start_day, &year, &month, &dom);
    sto_civil_from_day(after_day, &to_year, &to_month, &to_dom);
    int32_t months = 12 * (to_year - year) + to_month - month;
    months -= months % every;
    if (months < every || !(part_given(r->by_day) || part_given(r->by_month_day))) {
        return start_day;
    }
    months += 12 * year + month - 1;
    return sto_day_from_civil(months / 12, months % 12 + 1, 1);
}

int recurrence_next(const char *rrule, int32_t start_day, int32_t after_day, int32_t *day,
                    struct sto_err *err)
{
    rule_t rule;
    int rc = rule_parse(rrule, &rule, err);
    if (rc != 0) {
        return rc;
    }
    struct icaltimetype start = date_of(start_day);
    if (start.year < 1900 || start.year >= YEAR_MAX) {
        return sto_fail(err, STO_E_CONFIG, "recurrence rule '%s': first year %d is not in 1900..%d",
                        rrule, start.year, YEAR_MAX - 1);
    }
    __attribute__((cleanup(iterator_free))) icalrecur_iterator *it =
        icalrecur_iterator_new(rule, date_of(nearer(&rule, start_day, after_day)));
    icalerror_clear_errno();
    for (int i = 0; it && i < RECURRENCE_DATES_MAX; i++) {
        struct icaltimetype t = icalrecur_iterator_next(it);
        if (icaltime_is_null_time(t)) {
            break;
        }
        int32_t found = sto_day_from_civil(t.year, t.month, t.day);
        if (found > after_day && found >= start_day) {
            *day = found;
            return 0;
        }
    }
    return sto_fail(err, STO_E_NOT_FOUND, "recurrence rule '%s' has no further date", rrule);
}

int recurrence_check(const char *rrule, struct sto_err *err)
{
    rule_t rule;
    int rc = rule_parse(rrule, &rule, err);
    if (rc != 0) {
        return rc;
    }
    /* A leap year; a rule that has ended before it was right too. */
    int year = icaltime_is_null_time(rule.until) ? 2024 : 1996;
    int32_t start = sto_day_from_civil(year, 1, 1);
    int32_t day = 0;
    if (recurrence_next(rrule, start, start - 1, &day, NULL) != 0) {
        return sto_fail(err, STO_E_CONFIG, "recurrence rule '%s' never falls on any date", rrule);
    }
    return 0;
}
