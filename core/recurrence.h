/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Dates of an RRULE (RFC 5545), by libical. Whole days only: the time of day and
 * what a date is for belong to the service. Rules of less than a day, with a time
 * of day, of another calendar (RSCALE), or without any date are refused.
 *
 * Each call opens libical's calendar anew (0.1 to 0.5 ms): for session services,
 * not for every event.
 */
#ifndef RECURRENCE_H
#define RECURRENCE_H
#include <stdint.h>

#include "sto_err.h"

#define RECURRENCE_RULE_BYTES_MAX 256   /* longest rule that is read */
#define RECURRENCE_DATES_MAX      20000 /* dates walked in one call, yearly ones and counted ones */

/*
 * First date of the rule after a day.
 *
 * rrule      borrowed; "FREQ=MONTHLY;BYDAY=2TU"
 * start_day  the rule's anchor (DTSTART), itself a date only if the rule says so
 * returns    0; STO_E_CONFIG (the rule is wrong), STO_E_NOT_FOUND (it has ended: COUNT,
 *            UNTIL, or the limit above); *day is set on success only
 */
int recurrence_next(const char *rrule, int32_t start_day, int32_t after_day, int32_t *day,
                    struct sto_err *err) __attribute__((warn_unused_result));

/* 0 if the rule is well formed and has a date at all, whatever its anchor; else STO_E_CONFIG. */
int recurrence_check(const char *rrule, struct sto_err *err) __attribute__((warn_unused_result));

#endif
