/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Finnish public holidays, by rule, for every year of the Gregorian calendar
 * (checked 1900..2199). Midsummer Eve and Christmas Eve are no public holidays by
 * law, but offices are closed: they count here. Present law's dates are used for
 * every year; what was moved in the past (Epiphany and Ascension Day lay on
 * Saturdays 1973..1991) is not reproduced.
 */
#ifndef HOLIDAY_H
#define HOLIDAY_H
#include <stdint.h>

/* English name of the holiday on a day (days since 1970), a constant; NULL = none. */
const char *holiday_name(int32_t day);
/* Easter Sunday of a year, as a day since 1970. */
int32_t holiday_easter_day(int year);

#endif
