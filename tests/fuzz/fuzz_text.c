/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any text as an instant, a date, a duration, an id or hex digits: what is
 * accepted reads back the same after it was written.
 */
#include <stdint.h>
#include <string.h>

#include "sto_err.h"
#include "sto_time.h"
#include "sto_uuid.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    sto_time_init();
    return 0;
}

/* UTC years 1 to 9999: an instant written with a zone may lie hours outside, and has no text then.
 */
#define FIRST_US (INT64_C(-62135596800) * STO_US_PER_SEC)
#define LAST_US  (INT64_C(253402300800) * STO_US_PER_SEC - 1)

static void times(const char *text)
{
    char buf[64];
    int64_t us = 0;
    int64_t us_again = 0;
    int32_t day = 0;
    int32_t day_again = 0;

    if (sto_us_parse(text, &us, NULL) == 0 && us >= FIRST_US && us <= LAST_US) {
        STO_ASSERT(sto_us_parse(sto_us_format(us, buf, sizeof buf), &us_again, NULL) == 0);
        STO_ASSERT(us == us_again);
        STO_ASSERT(strlen(sto_us_format_fi(us, buf, sizeof buf)) > 0);
    }
    if (sto_day_parse(text, &day, NULL) == 0) {
        STO_ASSERT(sto_day_parse(sto_day_format(day, buf, sizeof buf), &day_again, NULL) == 0);
        STO_ASSERT(day == day_again);
        STO_ASSERT(sto_day_of_us(sto_day_start_us(day)) == day);
    }
}

static void durations(const char *text)
{
    struct sto_duration d = {0};
    struct sto_duration again = {0};
    char buf[64];

    if (sto_duration_parse(text, &d, NULL) != 0) {
        return;
    }
    STO_ASSERT(sto_duration_parse(sto_duration_format(d, buf, sizeof buf), &again, NULL) == 0);
    STO_ASSERT(d.n == again.n && d.unit == again.unit);
    STO_ASSERT(sto_duration_minutes_about(d) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256];
    struct sto_uuid id;
    struct sto_uuid again;
    char buf[40];
    uint8_t raw[8];
    char hex[17];
    char hex_again[17];
    struct sto_err err = {0};

    size_t n = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, n);
    text[n] = '\0';
    times(text);
    durations(text);
    if (sto_uuid_parse(text, &id, &err) == 0) {
        STO_ASSERT(sto_uuid_parse(sto_uuid_format(&id, buf), &again, &err) == 0);
        STO_ASSERT(sto_uuid_eq(&id, &again));
    }
    if (sto_unhex(text, raw, sizeof raw, &err) == 0) {
        sto_hex(raw, sizeof raw, hex);
        STO_ASSERT(sto_unhex(hex, raw, sizeof raw, &err) == 0);
        sto_hex(raw, sizeof raw, hex_again);
        STO_ASSERT(strcmp(hex, hex_again) == 0);
    }
    return 0;
}
