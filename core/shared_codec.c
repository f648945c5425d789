/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Codecs of the shared aggregate: its stored state, the ops of its facts, and
 * evolve, which applies them without calendar, rule or clock.
 */
#include <string.h>

#include "shared_parts.h"

#define SHARED_VERSION 2
#define INSTANT_US_MAX                                                                             \
    (INT64_C(1) << 56) /* the year 4253: arithmetic on a stored instant is safe */

enum session_op { SOP_HEAD = 1, SOP_DATES, SOP_SEAT_DROP, SOP_SEAT_PUT };

bool seat_is(const struct seat *seat, const struct sto_uuid *case_id, uint8_t want)
{
    return seat->want == want && sto_uuid_eq(&seat->case_id, case_id);
}

static bool seat_same(const struct seat *a, const struct seat *b)
{
    return seat_is(a, &b->case_id, b->want) && a->token == b->token && a->entry == b->entry &&
           a->phase == b->phase && a->exit == b->exit && a->tell == b->tell &&
           a->begun == b->begun && a->left == b->left && a->date_us == b->date_us &&
           a->after_us == b->after_us && a->since_us == b->since_us && a->until_us == b->until_us;
}

static bool dates_same(const struct shared_state *a, const struct shared_state *b)
{
    if (a->n_dates != b->n_dates) {
        return false;
    }
    for (unsigned i = 0; i < a->n_dates; i++) {
        if (a->dates[i].at_us != b->dates[i].at_us || a->dates[i].taken != b->dates[i].taken ||
            a->dates[i].stage != b->dates[i].stage || a->dates[i].rung != b->dates[i].rung) {
            return false;
        }
    }
    return true;
}

bool shared_equal(const struct shared_state *a, const struct shared_state *b)
{
    if (a->service != b->service || a->seq != b->seq || a->last_us != b->last_us ||
        a->horizon_us != b->horizon_us || a->used != b->used ||
        a->told_minimum != b->told_minimum || a->n_seats != b->n_seats || !dates_same(a, b)) {
        return false;
    }
    for (unsigned i = 0; i < a->n_seats; i++) {
        if (!seat_same(&a->seats[i], &b->seats[i])) {
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- records */

static int64_t get_instant(struct sto_rd *r)
{
    int64_t us = sto_get_svar(r);
    r->failed = r->failed || us < -INSTANT_US_MAX || us > INSTANT_US_MAX;
    return us;
}

static bool get_bool(struct sto_rd *r)
{
    uint8_t b = sto_get_u8(r);
    r->failed = r->failed || b > 1;
    return b == 1;
}

static void put_head(struct sto_buf *b, const struct shared_state *s)
{
    sto_put_u16(b, s->service);
    sto_put_var(b, s->seq);
    sto_put_svar(b, s->last_us);
    sto_put_svar(b, s->horizon_us);
    sto_put_u16(b, s->used);
    sto_put_u8(b, s->told_minimum);
}

static void get_head(struct sto_rd *r, struct shared_state *s)
{
    s->service = sto_get_u16(r);
    uint64_t seq = sto_get_var(r);
    s->seq = (uint32_t)seq;
    r->failed = r->failed || seq > UINT32_MAX;
    s->last_us = get_instant(r);
    s->horizon_us = get_instant(r);
    s->used = sto_get_u16(r);
    s->told_minimum = get_bool(r);
}

static void put_dates(struct sto_buf *b, const struct shared_state *s)
{
    sto_put_u8(b, s->n_dates);
    for (unsigned i = 0; i < s->n_dates; i++) {
        sto_put_svar(b, s->dates[i].at_us);
        sto_put_u16(b, s->dates[i].taken);
        sto_put_u8(b, s->dates[i].stage);
        sto_put_u8(b, s->dates[i].rung);
    }
}

static void get_dates(struct sto_rd *r, struct shared_state *s)
{
    memset(s->dates, 0, sizeof s->dates);
    s->n_dates = 0;
    unsigned n = sto_get_u8(r);
    if (n > STO_SESSION_DATES_MAX) {
        r->failed = true;
    }
    for (unsigned i = 0; i < n && !r->failed; i++) {
        s->dates[i].at_us = get_instant(r);
        s->dates[i].taken = sto_get_u16(r);
        s->dates[i].stage = sto_get_u8(r);
        s->dates[i].rung = sto_get_u8(r);
        bool ascending = i == 0 || s->dates[i - 1].at_us < s->dates[i].at_us;
        r->failed = r->failed || s->dates[i].stage > DATE_HELD || !ascending ||
                    s->dates[i].rung > LADDER_RUNGS_MAX;
    }
    s->n_dates = (uint8_t)(r->failed ? 0 : n);
}

static void put_seat(struct sto_buf *b, const struct seat *t)
{
    sto_put_bytes(b, t->case_id.b, sizeof t->case_id.b);
    sto_put_u8(b, t->want);
    sto_put_u16(b, t->token);
    sto_put_u16(b, t->entry);
    sto_put_u8(b, t->phase);
    sto_put_u8(b, t->exit);
    sto_put_u8(b, t->tell);
    sto_put_u8(b, t->begun);
    sto_put_u16(b, t->left);
    sto_put_svar(b, t->date_us);
    sto_put_svar(b, t->after_us);
    sto_put_svar(b, t->since_us);
    sto_put_svar(b, t->until_us);
}

static void get_uuid(struct sto_rd *r, struct sto_uuid *out)
{
    const uint8_t *p = sto_get_bytes(r, sizeof out->b);
    if (p) {
        memcpy(out->b, p, sizeof out->b);
    }
}

/* Do phase, date and news of the seat go together? */
static bool seat_whole(const struct seat *t)
{
    switch ((enum want)t->want) {
    case WANT_SEAT:
        return t->phase >= SEAT_QUEUED && t->phase <= SEAT_RECORDED &&
               (t->phase == SEAT_QUEUED) == (t->date_us == 0);
    case WANT_PLACE:
        return t->phase <= PLACE_OCCUPIED && (t->phase == PLACE_OFFERED || t->date_us == 0);
    case WANT_AGENDA:
        return t->phase >= PANEL_QUEUED && t->phase <= PANEL_ON_AGENDA &&
               (t->phase == PANEL_QUEUED || t->date_us != 0);
    }
    return false;
}

static void get_seat(struct sto_rd *r, struct seat *t)
{
    memset(t, 0, sizeof *t);
    get_uuid(r, &t->case_id);
    t->want = sto_get_u8(r);
    t->token = sto_get_u16(r);
    t->entry = sto_get_u16(r);
    t->phase = sto_get_u8(r);
    t->exit = sto_get_u8(r);
    t->tell = sto_get_u8(r);
    t->begun = get_bool(r);
    t->left = sto_get_u16(r);
    t->date_us = get_instant(r);
    t->after_us = get_instant(r);
    t->since_us = sto_get_svar(r);
    t->until_us = sto_get_svar(r);
    r->failed = r->failed || t->tell > MAIL_KIND_LAST || !seat_whole(t);
}

/* ------------------------------------------------------------------ state */

void shared_encode(const struct shared_state *s, struct sto_buf *out)
{
    sto_put_u8(out, SHARED_VERSION);
    put_head(out, s);
    put_dates(out, s);
    sto_put_u16(out, s->n_seats);
    for (unsigned i = 0; i < s->n_seats; i++) {
        put_seat(out, &s->seats[i]);
    }
}

int shared_decode(const uint8_t *p, size_t n, struct shared_state *out, struct sto_err *err)
{
    struct sto_rd r = sto_rd(p, n);
    if (sto_get_u8(&r) != SHARED_VERSION) {
        return sto_fail(err, STO_E_MALFORMED, "the aggregate's state has an unknown version");
    }
    struct shared_state s;
    memset(&s, 0, sizeof s);
    get_head(&r, &s);
    get_dates(&r, &s);
    unsigned seats = sto_get_u16(&r);
    if (seats > STO_SESSION_SEATS_MAX) {
        r.failed = true;
    }
    for (unsigned i = 0; i < seats && !r.failed; i++) {
        get_seat(&r, &s.seats[i]);
    }
    if (!sto_rd_done(&r)) {
        return sto_fail(err, STO_E_MALFORMED, "the aggregate's state cannot be read");
    }
    s.n_seats = (uint16_t)seats;
    *out = s;
    return 0;
}

/* -------------------------------------------------------------------- ops */

static unsigned seat_index(const struct shared_state *s, const struct sto_uuid *case_id,
                           uint8_t want)
{
    unsigned i = 0;
    while (i < s->n_seats && !seat_is(&s->seats[i], case_id, want)) {
        i++;
    }
    return i;
}

/* A seat of the same case that came anew stands at the list's end: dropped first, then put. */
static void diff_seats(const struct shared_state *before, const struct shared_state *after,
                       struct sto_buf *drop, unsigned *n_drop, struct sto_buf *put, unsigned *n_put)
{
    unsigned a = 0;
    for (unsigned i = 0; i < before->n_seats; i++) {
        const struct seat *was = &before->seats[i];
        bool kept = a < after->n_seats && seat_is(&after->seats[a], &was->case_id, was->want);
        if (!kept) {
            sto_put_bytes(drop, was->case_id.b, sizeof was->case_id.b);
            sto_put_u8(drop, was->want);
            (*n_drop)++;
            continue;
        }
        if (!seat_same(was, &after->seats[a])) {
            put_seat(put, &after->seats[a]);
            (*n_put)++;
        }
        a++;
    }
    for (; a < after->n_seats; a++) {
        put_seat(put, &after->seats[a]);
        (*n_put)++;
    }
}

static void put_list(struct sto_buf *ops, enum session_op op, unsigned n,
                     const struct sto_buf *list, struct fact *out)
{
    if (n > 0) {
        sto_put_u8(ops, (uint8_t)op);
        sto_put_u16(ops, (uint16_t)n);
        sto_put_bytes(ops, list->data, list->len);
        out->n_ops++;
    }
}

int shared_diff(const struct shared_state *before, const struct shared_state *after,
                sto_arena_t *arena, struct fact *out, struct sto_err *err)
{
    struct sto_buf ops, drop, put;
    unsigned n_drop = 0, n_put = 0;
    sto_buf_init(&ops, 0);
    sto_buf_init(&drop, 0);
    sto_buf_init(&put, 0);
    sto_put_u8(&ops, SOP_HEAD);
    put_head(&ops, after);
    out->n_ops = 1;
    if (!dates_same(before, after)) {
        sto_put_u8(&ops, SOP_DATES);
        put_dates(&ops, after);
        out->n_ops++;
    }
    diff_seats(before, after, &drop, &n_drop, &put, &n_put);
    put_list(&ops, SOP_SEAT_DROP, n_drop, &drop, out);
    put_list(&ops, SOP_SEAT_PUT, n_put, &put, out);
    out->ops = sto_arena_alloc(arena, ops.len);
    out->ops_len = (uint32_t)ops.len;
    if (out->ops && !ops.failed) {
        memcpy(out->ops, ops.data, ops.len);
    }
    bool failed = !out->ops || ops.failed || drop.failed || put.failed;
    sto_buf_release(&ops);
    sto_buf_release(&drop);
    sto_buf_release(&put);
    return failed ? sto_fail(err, STO_E_LIMIT, "the event needs more memory than is allowed") : 0;
}

static void evolve_drop(struct sto_rd *r, struct shared_state *s)
{
    unsigned n = sto_get_u16(r);
    for (unsigned i = 0; i < n && !r->failed; i++) {
        struct sto_uuid id = {{0}};
        get_uuid(r, &id);
        uint8_t want = sto_get_u8(r);
        unsigned at = seat_index(s, &id, want);
        if (r->failed || at == s->n_seats) {
            r->failed = true;
            return;
        }
        memmove(&s->seats[at], &s->seats[at + 1], (s->n_seats - at - 1u) * sizeof s->seats[0]);
        s->n_seats--;
        memset(&s->seats[s->n_seats], 0, sizeof s->seats[0]);
    }
}

static void evolve_put(struct sto_rd *r, struct shared_state *s)
{
    unsigned n = sto_get_u16(r);
    for (unsigned i = 0; i < n && !r->failed; i++) {
        struct seat seat;
        get_seat(r, &seat);
        unsigned at = seat_index(s, &seat.case_id, seat.want);
        if (r->failed || at == STO_SESSION_SEATS_MAX) {
            r->failed = true;
            return;
        }
        s->seats[at] = seat;
        s->n_seats = (uint16_t)(at == s->n_seats ? at + 1 : s->n_seats);
    }
}

static void evolve_op(struct sto_rd *r, struct shared_state *s)
{
    uint16_t service = s->service;
    switch ((enum session_op)sto_get_u8(r)) {
    case SOP_HEAD:
        get_head(r, s);
        r->failed = r->failed || s->service != service;
        return;
    case SOP_DATES:
        get_dates(r, s);
        return;
    case SOP_SEAT_DROP:
        evolve_drop(r, s);
        return;
    case SOP_SEAT_PUT:
        evolve_put(r, s);
        return;
    }
    r->failed = true;
}

int shared_evolve(struct shared_state *s, const struct fact *f, struct sto_err *err)
{
    struct sto_rd r = sto_rd(f->ops, f->ops_len);
    struct shared_state next = *s;
    for (unsigned i = 0; i < f->n_ops && !r.failed; i++) {
        evolve_op(&r, &next);
    }
    if (!sto_rd_done(&r) || next.seq != f->seq || f->seq != s->seq + 1) {
        return sto_fail(err, STO_E_MALFORMED,
                        "the fact %u does not follow the aggregate's state %u", (unsigned)f->seq,
                        (unsigned)s->seq);
    }
    *s = next;
    return 0;
}
