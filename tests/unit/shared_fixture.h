/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * For tests of what cases share: a network with one service of any shape, and its aggregate, driven
 * one input at a time. Each decision is applied from the fact's bytes, and the state's bytes and
 * invariants are checked after it.
 */
#ifndef SHARED_FIXTURE_H
#define SHARED_FIXTURE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared.h"

#define HOST    1
#define OTHER   2
#define SERVICE 7
#define MEMBER  3
#define DAY     (24 * STO_US_PER_HOUR)

struct bench {
    network_t *net;
    struct sto_uuid id;
    struct shared_state s;
    sto_arena_t *arena;
    struct fact f;
    int64_t now;
};

static inline int64_t at(const char *text)
{
    int64_t us;
    assert_int_equal(sto_us_parse(text, &us, NULL), 0);
    return us;
}

static inline struct sto_uuid case_of(unsigned n)
{
    struct sto_uuid id = {{0}};
    id.b[0] = (uint8_t)(n >> 8);
    id.b[1] = (uint8_t)n;
    id.b[6] = 0x80;
    return id;
}

static inline struct service bench_service(enum service_shape shape, uint16_t places)
{
    return (struct service){.number = SERVICE,
                            .id = "event",
                            .org = HOST,
                            .desk = 1,
                            .valid = {INT32_MIN, INT32_MAX},
                            .shape = shape,
                            .rrule = "",
                            .places = places,
                            .record = {1, STO_BUSINESS_DAYS}};
}

/* Of rule "every Tuesday at 10". */
static inline struct service bench_weekly(enum service_shape shape, uint16_t places)
{
    struct service v = bench_service(shape, places);
    v.rrule = "FREQ=WEEKLY;BYDAY=TU";
    v.start_day = sto_day_from_civil(2008, 1, 1);
    v.at_min = 600;
    return v;
}

static inline void bench_with(struct bench *b, struct service service)
{
    memset(b, 0, sizeof *b);
    network_t *n = b->net = sto_xcalloc(1, sizeof *n);
    n->id = "bench";
    n->n_orgs = 3;
    for (unsigned i = 0; i < 3; i++) {
        struct organisation *o = &n->orgs[i];
        o->number = (uint16_t)(i + 1);
        o->id = i == 0 ? "host" : i == 1 ? "other" : "member";
        o->name = o->business_id = o->municipality = "";
        o->valid = (struct validity){INT32_MIN, INT32_MAX};
        o->n_desks = 1;
        o->desks[0] = (struct desk){.number = 1, .id = "intake", .lead = ""};
    }
    n->coordinator_org = OTHER;
    n->n_calendars = 1;
    n->calendars[0].id = "office";
    calendar_default(&n->calendars[0].cal);
    n->n_ladders = 1;
    n->ladders[0].id = "default";
    n->ladders[0].n_rungs = 2;
    n->ladders[0].rungs[0] = (struct rung){{1, STO_BUSINESS_DAYS}, false, RUNG_BALL};
    n->ladders[0].rungs[1] = (struct rung){{3, STO_BUSINESS_DAYS}, false, RUNG_COORDINATOR};
    n->n_services = 1;
    n->services[0] = service;
    shared_id(n->id, SERVICE, &b->id);
    b->s.service = SERVICE;
    b->arena = sto_arena_new(1u << 20);
    b->now = at("2008-01-07 09:00");
}

/* A weekly event on Tuesdays at 10, invited two weeks before. */
static inline void bench_init(struct bench *b, uint16_t places)
{
    struct service v = bench_weekly(SERVICE_SESSION, places);
    v.invite = (struct sto_duration){14, STO_DAYS};
    bench_with(b, v);
}

static inline void bench_release(struct bench *b)
{
    sto_arena_destroy(&b->arena);
    free(b->net);
}

/* Decides, applies what came back from the fact's bytes, and checks the state. */
static inline int step(struct bench *b, const struct input *in)
{
    struct sto_err err = {0};
    struct fact again;
    struct sto_buf buf;
    sto_arena_reset(b->arena);
    int rc = shared_decide(b->net, &b->id, &b->s, in, b->now, b->arena, &b->f, &err);
    if (rc != 0) {
        return rc;
    }
    sto_buf_init(&buf, 0);
    fact_encode(&b->f, &buf);
    assert_int_equal(fact_decode(buf.data, buf.len, b->arena, &again, &err), 0);
    assert_int_equal(shared_evolve(&b->s, &again, &err), 0);
    sto_buf_clear(&buf);
    shared_encode(&b->s, &buf);
    struct shared_state back;
    assert_int_equal(shared_decode(buf.data, buf.len, &back, &err), 0);
    assert_true(shared_equal(&b->s, &back));
    sto_buf_release(&buf);
    rc = shared_invariants(b->net, &b->s, &err);
    if (rc != 0) {
        print_error("%s\n", err.what);
    }
    assert_int_equal(rc, 0);
    return 0;
}

static inline int letter(struct bench *b, struct mail m)
{
    m.dst = b->id;
    m.service = SERVICE;
    struct input in = {.kind = EVENT_MAIL, .evidence = EVIDENCE_BROKER, .mail = &m};
    return step(b, &in);
}

static inline int mail(struct bench *b, enum mail_kind kind, unsigned c, uint16_t entry,
                       int64_t until)
{
    return letter(b, (struct mail){.kind = (uint8_t)kind,
                                   .src = case_of(c),
                                   .token = 1,
                                   .entry = entry,
                                   .until_us = until});
}

static inline int want(struct bench *b, unsigned c)
{
    return mail(b, MAIL_SEAT_WANTED, c, 1, 0);
}

static inline int record(struct bench *b, uint16_t org, unsigned c, const char *exit)
{
    struct input in = {.kind = EVENT_SESSION_RECORD,
                       .evidence = EVIDENCE_ORG,
                       .actor = {org, 1},
                       .exit = exit,
                       .subject_case = case_of(c)};
    return step(b, &in);
}

static inline int move(struct bench *b, int64_t from, int64_t to)
{
    struct input in = {.kind = EVENT_SESSION_MOVE,
                       .evidence = EVIDENCE_ORG,
                       .actor = {HOST, 1},
                       .at_us = from,
                       .at2_us = to};
    return step(b, &in);
}

static inline int open_group(struct bench *b, uint16_t org, const char *when)
{
    struct input in = {
        .kind = EVENT_GROUP_OPEN, .evidence = EVIDENCE_ORG, .actor = {org, 1}, .at_us = at(when)};
    return step(b, &in);
}

static inline int give_back(struct bench *b, uint16_t org, uint16_t n)
{
    struct input in = {
        .kind = EVENT_QUOTA_RETURN, .evidence = EVIDENCE_ORG, .actor = {org, 1}, .place = n};
    return step(b, &in);
}

static inline int tick(struct bench *b)
{
    struct input in = {.kind = EVENT_CLOCK, .evidence = EVIDENCE_BROKER};
    int64_t due = shared_next_due_us(b->net, &b->s);
    b->now = due > b->now && due != INT64_MAX ? due : b->now;
    return step(b, &in);
}

static inline const struct seat *seat_of(const struct bench *b, unsigned c, enum want want)
{
    struct sto_uuid id = case_of(c);
    for (unsigned i = 0; i < b->s.n_seats; i++) {
        if (b->s.seats[i].want == want && sto_uuid_eq(&b->s.seats[i].case_id, &id)) {
            return &b->s.seats[i];
        }
    }
    return NULL;
}

static inline uint8_t phase_of(const struct bench *b, unsigned c, enum want want)
{
    const struct seat *t = seat_of(b, c, want);
    return t ? t->phase : 0xff;
}

/* Fires clocks until nothing is due before `when`, then stands there; returns how many fired. */
static inline unsigned until(struct bench *b, const char *when)
{
    unsigned fired = 0;
    while (shared_next_due_us(b->net, &b->s) <= at(when)) {
        assert_int_equal(tick(b), 0);
        assert_true(++fired < 1000);
    }
    b->now = at(when);
    return fired;
}

#endif
