/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * When a modelled organisation acts: draws, working time, absences. Everything
 * follows from the arguments, so a run repeats itself however deliveries were
 * batched and however often the worker was started.
 */
#include <string.h>

#include "policy_rules.h"
#include "sto_buf.h"
#include "sto_crypto.h"

#define US_PER_MINUTE    (60 * STO_US_PER_SEC)
#define MEETING_AHEAD_US STO_US_PER_HOUR /* a day that has begun is booked an hour ahead */

uint32_t policy_draw(const policy_t *p, const struct occasion *o, const char *what, unsigned i)
{
    struct sto_buf b;
    uint8_t hash[STO_SHA256_BYTES];

    sto_buf_init(&b, 0);
    sto_put_str(&b, "saatto/policy/1");
    sto_put_svar(&b, p->seed);
    sto_put_str(&b, p->organisation);
    sto_put_bytes(&b, o->case_id.b, sizeof o->case_id.b);
    sto_put_var(&b, (uint64_t)o->on);
    sto_put_str(&b, o->step);
    sto_put_var(&b, o->n);
    sto_put_str(&b, what);
    sto_put_var(&b, i);
    sto_sha256(b.data, b.len, hash);
    sto_buf_release(&b);
    return (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
}

/* The desk's calendar with the absences as closed days; as many as fit. */
static struct calendar with_absences(const policy_t *p, const struct calendar *cal)
{
    struct calendar c = *cal;

    for (unsigned i = 0; i < p->n_absences && c.n_closed < CALENDAR_CLOSED_MAX; i++) {
        c.closed[c.n_closed].from_day = p->absences[i].from_day;
        c.closed[c.n_closed++].to_day = p->absences[i].to_day;
    }
    return c;
}

int64_t policy_open_us(const policy_t *p, const struct calendar *cal, int64_t us)
{
    struct calendar c = with_absences(p, cal);
    return calendar_next_open_us(&c, us);
}

/* The point of [lo, hi] by which `part` of 2^32 of its working time has gone, on a whole minute. */
static int64_t working_point(const struct calendar *cal, int64_t lo, int64_t hi, uint32_t part)
{
    int64_t open = calendar_open_us_between(cal, lo, hi) / US_PER_MINUTE;
    int64_t wanted = (int64_t)((uint64_t)open * part >> 32) * US_PER_MINUTE;
    int64_t a = 0, b = (hi - lo) / US_PER_MINUTE;

    while (a < b) {
        int64_t mid = (a + b) / 2;
        if (calendar_open_us_between(cal, lo, lo + mid * US_PER_MINUTE) >= wanted) {
            b = mid;
        } else {
            a = mid + 1;
        }
    }
    return lo + a * US_PER_MINUTE;
}

static int64_t reaction_us(const policy_t *p, const struct calendar *cal, const struct occasion *o,
                           unsigned i, int64_t before_us)
{
    int64_t lo = calendar_due_us(cal, before_us, p->from);
    int64_t hi = calendar_due_us(cal, before_us, p->to);

    return hi <= lo ? lo : working_point(cal, lo, hi, policy_draw(p, o, "reaction", i));
}

/* A day under a value; false if there is none (absent, empty, or no date in the record). */
static bool day_of(const struct policy_value *v, const struct record_row *row, int32_t *day)
{
    const char *s = policy_text(v, row);
    return s != NULL && sto_day_parse(s, day, NULL) == 0;
}

int64_t policy_due_us(const policy_t *p, const struct calendar *cal, const struct occasion *o,
                      const struct policy_event *e, unsigned i, const struct record_row *row,
                      int64_t before_us, int64_t booked_us)
{
    int64_t due;
    int32_t day;

    if (e->has_after) {
        due = calendar_due_us(cal, before_us, e->after);
    } else if (booked_us > before_us) {
        due = booked_us;
    } else {
        due = reaction_us(p, cal, o, i, before_us);
    }
    if (day_of(&e->not_before, row, &day) && due < sto_day_start_us(day)) {
        due = sto_day_start_us(day);
    }
    return policy_open_us(p, cal, due);
}

int64_t policy_meeting_us(const policy_t *p, const struct calendar *cal,
                          const struct policy_event *e, const struct record_row *row,
                          int64_t now_us)
{
    int64_t at;
    int32_t day;

    if (e->at_after.n > 0) {
        at = calendar_due_us(cal, now_us, e->at_after);
    } else if (day_of(&e->at, row, &day)) {
        at = sto_day_start_us(day);
    } else {
        return 0;
    }
    if (at < now_us + MEETING_AHEAD_US) {
        at = now_us + MEETING_AHEAD_US;
    }
    return policy_open_us(p, cal, at);
}

bool policy_no_show(const policy_t *p, const struct occasion *o, const struct policy_event *e,
                    unsigned i)
{
    return e->no_show != 0 &&
           (uint64_t)policy_draw(p, o, "no-show", i) * 100 >> 32 < (uint64_t)e->no_show;
}
