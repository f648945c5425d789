/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Finnish public holidays. A fixed date, a weekday inside a week of dates, or a
 * distance from Easter: nothing is stored, so every year costs the same.
 */
#include "holiday.h"

#include <stddef.h>

#include "sto_time.h"

enum { FRIDAY = 5, SATURDAY = 6 };

/* The Gregorian computus in its closed form (Meeus, Jones, Butcher). */
int32_t holiday_easter_day(int year)
{
    int a = year % 19, b = year / 100, c = year % 100;
    int d = b / 4, e = b % 4, g = (8 * b + 13) / 25;
    int h = (19 * a + b - d - g + 15) % 30;
    int i = c / 4, k = c % 4;
    int l = (32 + 2 * e + 2 * i - h - k) % 7;
    int m = (a + 11 * h + 22 * l) / 451;
    int n = h + l - 7 * m + 114;
    return sto_day_from_civil(year, n / 31, n % 31 + 1);
}

static const char *fixed_name(int month, int dom)
{
    switch (month * 100 + dom) {
    case 101:
        return "New Year's Day";
    case 106:
        return "Epiphany";
    case 501:
        return "May Day";
    case 1206:
        return "Independence Day";
    case 1224:
        return "Christmas Eve";
    case 1225:
        return "Christmas Day";
    case 1226:
        return "Boxing Day";
    default:
        return NULL;
    }
}

/* Midsummer and All Saints' Day: a Friday or Saturday inside seven dates. */
static const char *weekday_name(int month, int dom, int weekday)
{
    if (weekday == FRIDAY && month == 6 && dom >= 19 && dom <= 25) {
        return "Midsummer Eve";
    }
    if (weekday == SATURDAY && month == 6 && dom >= 20 && dom <= 26) {
        return "Midsummer Day";
    }
    if (weekday == SATURDAY && ((month == 10 && dom == 31) || (month == 11 && dom <= 6))) {
        return "All Saints' Day";
    }
    return NULL;
}

static const char *easter_name(int32_t days_after)
{
    switch (days_after) {
    case -2:
        return "Good Friday";
    case 0:
        return "Easter Sunday";
    case 1:
        return "Easter Monday";
    case 39:
        return "Ascension Day";
    case 49:
        return "Pentecost";
    default:
        return NULL;
    }
}

const char *holiday_name(int32_t day)
{
    int year, month, dom;
    sto_civil_from_day(day, &year, &month, &dom);
    const char *name = fixed_name(month, dom);
    if (!name) {
        name = weekday_name(month, dom, sto_weekday(day));
    }
    /* Good Friday is 20.3. at the earliest, Pentecost 13.6. at the latest. */
    if (!name && month >= 3 && month <= 6 && year > 0) {
        name = easter_name(day - holiday_easter_day(year));
    }
    return name;
}
