/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Instants, local time and the civil calendar. glibc answers one question only:
 * the offset of the local zone at an instant; everything else is arithmetic here,
 * so that gaps and overlaps are decided by us and alike everywhere. Parsing and
 * durations are in sto_time_text.c. Only the two *_us() clocks read a clock.
 */
#include "sto_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SEC_PER_DAY INT64_C(86400)
#define US_PER_DAY  (SEC_PER_DAY * STO_US_PER_SEC)

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

static int32_t clamp_day(int64_t day)
{
    return day > INT32_MAX ? INT32_MAX : day < INT32_MIN ? INT32_MIN : (int32_t)day;
}

/* Seconds east of Greenwich at an instant. */
static int64_t offset_at(int64_t utc_sec)
{
    time_t t = (time_t)utc_sec;
    struct tm tm;
    return localtime_r(&t, &tm) ? (int64_t)tm.tm_gmtoff : 0;
}

void sto_time_init(void)
{
    const int64_t july_2026 = INT64_C(1783000000);
    setenv("TZ", "Europe/Helsinki", 1);
    tzset();
    if (offset_at(july_2026) != 3 * 3600) {
        /* No zone data on this machine: the rule in force, as POSIX text. */
        setenv("TZ", "EET-2EEST,M3.5.0/3,M10.5.0/4", 1);
        tzset();
    }
}

static int64_t clock_us(clockid_t id)
{
    struct timespec ts = {0};
    int rc = clock_gettime(id, &ts);
    STO_ASSERT(rc == 0);
    return (int64_t)ts.tv_sec * STO_US_PER_SEC + ts.tv_nsec / 1000;
}

int64_t sto_real_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t sto_mono_us(void)
{
    return clock_us(CLOCK_BOOTTIME);
}

/* Howard Hinnant's days_from_civil: years begin in March, so the leap day is last. */
int32_t sto_day_from_civil(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2 ? 1 : 0);
    int64_t era = floor_div(y, 400);
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return clamp_day(era * 146097 + doe - 719468);
}

void sto_civil_from_day(int32_t day, int *year, int *month, int *dom)
{
    STO_ASSERT(year && month && dom);
    int64_t z = (int64_t)day + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *dom = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + era * 400 + (*month <= 2 ? 1 : 0));
}

int sto_weekday(int32_t day)
{
    int64_t w = ((int64_t)day + 3) % 7; /* 1.1.1970 was a Thursday */
    return (int)(w < 0 ? w + 7 : w) + 1;
}

static int month_days(int year, int month)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return DAYS[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool sto_date_valid(int year, int month, int day)
{
    return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
           day <= month_days(year, month);
}

int32_t sto_day_add_months(int32_t day, int months)
{
    int year, month, dom;
    sto_civil_from_day(day, &year, &month, &dom);
    int64_t total = (int64_t)year * 12 + (month - 1) + months;
    int y = (int)floor_div(total, 12);
    int m = (int)(total - (int64_t)y * 12) + 1;
    int last = month_days(y, m);
    return sto_day_from_civil(y, m, dom < last ? dom : last);
}

void sto_local_from_us(int64_t us, struct sto_local *out)
{
    STO_ASSERT(out);
    int64_t sec = floor_div(us, STO_US_PER_SEC);
    int64_t local = sec + offset_at(sec);
    int32_t day = clamp_day(floor_div(local, SEC_PER_DAY));
    int64_t in_day = local - floor_div(local, SEC_PER_DAY) * SEC_PER_DAY;
    sto_civil_from_day(day, &out->year, &out->month, &out->day);
    out->hour = (int)(in_day / 3600);
    out->minute = (int)(in_day / 60 % 60);
    out->second = (int)(in_day % 60);
    out->us = (int32_t)(us - sec * STO_US_PER_SEC);
    out->weekday = sto_weekday(day);
}

/* Local seconds (as if the zone were UTC) to UTC seconds. */
static int64_t local_sec_to_utc(int64_t local)
{
    /* Zone changes are months apart: the offsets a day before and after are all there can be. */
    int64_t before = offset_at(local - SEC_PER_DAY);
    int64_t after = offset_at(local + SEC_PER_DAY);
    if (before == after || offset_at(local - before) == before) {
        return local - before; /* of two such times the first */
    }
    if (offset_at(local - after) == after) {
        return local - after;
    }
    return local - before; /* in the gap: what the clock shows when it has been put forward */
}

int64_t sto_local_to_us(const struct sto_local *l)
{
    STO_ASSERT(l);
    int64_t day = sto_day_from_civil(l->year, l->month, l->day);
    int64_t local =
        day * SEC_PER_DAY + (int64_t)l->hour * 3600 + (int64_t)l->minute * 60 + l->second;
    int64_t us = 0;
    if (__builtin_mul_overflow(local_sec_to_utc(local), STO_US_PER_SEC, &us) ||
        __builtin_add_overflow(us, (int64_t)l->us, &us)) {
        return local < 0 ? INT64_MIN : INT64_MAX;
    }
    return us;
}

int32_t sto_day_of_us(int64_t us)
{
    int64_t sec = floor_div(us, STO_US_PER_SEC);
    return clamp_day(floor_div(sec + offset_at(sec), SEC_PER_DAY));
}

int64_t sto_day_minute_us(int32_t day, int minute)
{
    STO_ASSERT(minute >= 0 && minute <= 1440);
    struct sto_local l = {.minute = minute};
    sto_civil_from_day(day, &l.year, &l.month, &l.day);
    return sto_local_to_us(&l);
}

int64_t sto_day_start_us(int32_t day)
{
    return sto_day_minute_us(day, 0);
}

static int64_t add_fixed(int64_t us, int64_t n, int64_t unit_us)
{
    int64_t add = n * unit_us; /* n is 32-bit, units are minutes and hours: fits */
    int64_t sum = 0;
    return __builtin_add_overflow(us, add, &sum) ? (add < 0 ? INT64_MIN : INT64_MAX) : sum;
}

static int64_t add_days(int64_t us, int64_t days, int64_t months)
{
    struct sto_local l;
    sto_local_from_us(us, &l);
    int64_t day = sto_day_from_civil(l.year, l.month, l.day);
    if (months != 0) {
        int64_t capped = months > 2400000 ? 2400000 : months < -2400000 ? -2400000 : months;
        day = sto_day_add_months((int32_t)day, (int)capped);
    }
    sto_civil_from_day(clamp_day(day + days), &l.year, &l.month, &l.day);
    return sto_local_to_us(&l);
}

int64_t sto_us_add(int64_t us, struct sto_duration d)
{
    switch (d.unit) {
    case STO_MINUTES:
        return add_fixed(us, d.n, 60 * STO_US_PER_SEC);
    case STO_HOURS:
        return add_fixed(us, d.n, STO_US_PER_HOUR);
    case STO_DAYS:
        return add_days(us, d.n, 0);
    case STO_WEEKS:
        return add_days(us, (int64_t)d.n * 7, 0);
    case STO_MONTHS:
        return add_days(us, 0, d.n);
    case STO_YEARS:
        return add_days(us, 0, (int64_t)d.n * 12);
    case STO_BUSINESS_DAYS:
    case STO_BUSINESS_HOURS:
        break;
    }
    STO_ASSERT(!"business units need a calendar");
    return us;
}
