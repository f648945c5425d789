/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Time. Instants are int64_t microseconds since 1970 UTC (`_us`); dates are days
 * since 1970 (`_day`, proleptic Gregorian). Local time is Europe/Helsinki always,
 * by glibc's zone data: sto_time_init() must run once in main before any local
 * conversion (it sets TZ; nothing else in the process may).
 */
#ifndef STO_TIME_H
#define STO_TIME_H
#include "sto_err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STO_US_PER_SEC  INT64_C(1000000)
#define STO_US_PER_HOUR (INT64_C(3600) * STO_US_PER_SEC)

void sto_time_init(void);
int64_t sto_real_us(void); /* wall clock: shells only */
int64_t sto_mono_us(void); /* CLOCK_BOOTTIME: shells only */

struct sto_local {
    int year, month, day, hour, minute, second;
    int32_t us;
    int weekday; /* 1 Mon..7 Sun */
};
void sto_local_from_us(int64_t us, struct sto_local *out);
/* Local to instant. A local time that does not exist (spring) moves forward by the gap;
   one that exists twice (autumn) is the first. */
int64_t sto_local_to_us(const struct sto_local *l);
int32_t sto_day_from_civil(int year, int month, int day);
void sto_civil_from_day(int32_t day, int *year, int *month, int *dom);
int sto_weekday(int32_t day);                       /* 1 Mon .. 7 Sun */
int32_t sto_day_of_us(int64_t us);                  /* local date */
int64_t sto_day_start_us(int32_t day);              /* local midnight */
int64_t sto_day_minute_us(int32_t day, int minute); /* local minute of the day, 0..1440 */
bool sto_date_valid(int year, int month, int day);
int32_t sto_day_add_months(int32_t day, int months); /* clips: 31.1. + 1 month = 28./29.2. */

/* "2026-11-21T10:42:00Z" with fraction only if there is one. cap >= 40. */
const char *sto_us_format(int64_t us, char *buf, size_t cap);
/* "21.11.2026 klo 10.42" local. cap >= 32. */
const char *sto_us_format_fi(int64_t us, char *buf, size_t cap);
/* RFC 3339 with zone, or "YYYY-MM-DD" (local midnight), or "YYYY-MM-DD HH:MM" local. */
int sto_us_parse(const char *s, int64_t *out, struct sto_err *err);
int sto_day_parse(const char *s, int32_t *out, struct sto_err *err); /* YYYY-MM-DD */
const char *sto_day_format(int32_t day, char *buf, size_t cap);      /* cap >= 16 */

enum sto_unit {
    STO_MINUTES = 1,
    STO_HOURS,
    STO_DAYS,
    STO_WEEKS,
    STO_MONTHS,
    STO_YEARS,
    STO_BUSINESS_DAYS,
    STO_BUSINESS_HOURS
};
struct sto_duration {
    int32_t n;
    enum sto_unit unit;
};
/* "5 business days", "1 month", "90 minutes"; 1 minute .. 10 years. */
int sto_duration_parse(const char *s, struct sto_duration *out, struct sto_err *err);
const char *sto_duration_format(struct sto_duration d, char *buf, size_t cap);
/* Calendar units only (business units: see core/calendar.h); local wall time is kept over DST for
 * days and longer. */
int64_t sto_us_add(int64_t us, struct sto_duration d);
/* Longest this can be, for comparing and limits, in minutes (a business day counts 7/5 days). */
int64_t sto_duration_minutes_about(struct sto_duration d);

#endif
