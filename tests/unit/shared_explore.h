/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Random sequences of events for what cases share, beside a model of what each case believes: it
 * hears mail only. What must hold is written down here a second time: nobody holds more than there
 * is, by the cases' own belief; nobody waits while there is room; turns are kept; no letter is
 * lost.
 *
 * Dates come from a rule of our own (every Tuesday at 10), for libical would take most of the time.
 */
#ifndef SHARED_EXPLORE_H
#define SHARED_EXPLORE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recurrence.h"
#include "shared.h"

#define CROWD     24
#define X_HOST    1
#define X_OTHER   2
#define X_SERVICE 7
#define X_DAY     (24 * STO_US_PER_HOUR)
#define X_START   INT64_C(1199692800000000) /* Monday, 7 January 2008, 10:00 */

int recurrence_next(const char *rrule, int32_t start_day, int32_t after_day, int32_t *day,
                    struct sto_err *err)
{
    (void)rrule;
    (void)start_day;
    (void)err;
    *day = after_day + 1;
    while ((*day - 5) % 7 != 0) { /* 6 January 1970 was a Tuesday */
        (*day)++;
    }
    return 0;
}

int recurrence_check(const char *rrule, struct sto_err *err)
{
    (void)rrule;
    (void)err;
    return 0;
}

enum belief { NOTHING, WAITS, LOSES, OFFERED, HAS, USES, INVITED, ASKED, ON_AGENDA };

struct soul { /* a case, as it sees itself */
    uint16_t token, entry;
    enum belief is;
    bool begun, recorded;
    unsigned left;
    int64_t date_us, since_us, until_us, not_before_us, after_us, next_us;
};

struct rig {
    network_t *net;
    struct service *svc;
    struct sto_uuid id;
    struct shared_state s, fresh;
    struct soul c[CROWD];
    sto_arena_t *arena;
    struct fact f;
    struct shared_state before;
    int64_t now;
    uint64_t seed;
    unsigned granted, returned;
    bool shifted; /* a date was moved or cancelled in this sequence */
    bool thorough;
    unsigned taken, refused;
    char what[300];
};

__attribute__((format(printf, 2, 3))) static inline bool fault(struct rig *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(r->what, sizeof r->what, fmt, ap);
    va_end(ap);
    return false;
}

static inline unsigned draw(struct rig *r, unsigned n)
{
    r->seed = r->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(r->seed >> 33) % n;
}

static inline struct rig *rig_of(struct service service)
{
    struct rig *r = sto_xcalloc(1, sizeof *r);
    network_t *n = r->net = sto_xcalloc(1, sizeof *n);
    n->id = "crowd";
    n->n_orgs = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct organisation *o = &n->orgs[i];
        o->number = (uint16_t)(i + 1);
        o->id = i == 0 ? "host" : "other";
        o->valid = (struct validity){INT32_MIN, INT32_MAX};
        o->n_desks = 1;
        o->desks[0] = (struct desk){.number = 1, .id = "intake", .lead = ""};
    }
    n->coordinator_org = X_OTHER;
    n->n_calendars = 1;
    calendar_default(&n->calendars[0].cal);
    n->n_ladders = 1;
    n->ladders[0].n_rungs = 1;
    n->ladders[0].rungs[0] = (struct rung){{1, STO_DAYS}, false, RUNG_BALL};
    n->n_services = 1;
    service.number = X_SERVICE;
    service.id = "crowd";
    service.org = X_HOST;
    service.desk = 1;
    service.valid = (struct validity){INT32_MIN, INT32_MAX};
    service.rrule = "weekly";
    service.at_min = 600;
    service.record = (struct sto_duration){1, STO_DAYS};
    n->services[0] = service;
    r->svc = &n->services[0];
    shared_id(n->id, X_SERVICE, &r->id);
    r->fresh.service = X_SERVICE;
    r->arena = sto_arena_new(1u << 20);
    return r;
}

static inline void rig_end(struct rig **r_p)
{
    sto_arena_destroy(&(*r_p)->arena);
    free((*r_p)->net);
    free(*r_p);
    *r_p = NULL;
}

static inline struct sto_uuid soul_id(unsigned c)
{
    struct sto_uuid id = {{0}};
    id.b[0] = (uint8_t)((c * 37u) % 251u); /* ids are in another order than the cases */
    id.b[1] = (uint8_t)c;
    return id;
}

/* ------------------------------------------------------------------ one decision */

static inline bool hear(struct rig *r, const struct mail *m);

static inline bool same_from_bytes(struct rig *r, const struct shared_state *after)
{
    struct sto_buf buf;
    struct fact again;
    struct sto_err err = {0};
    struct shared_state replayed = r->before;
    sto_buf_init(&buf, 0);
    fact_encode(&r->f, &buf);
    bool same = fact_decode(buf.data, buf.len, r->arena, &again, &err) == 0 &&
                shared_evolve(&replayed, &again, &err) == 0 && shared_equal(&replayed, after);
    sto_buf_clear(&buf);
    shared_encode(after, &buf);
    same = same && shared_decode(buf.data, buf.len, &replayed, &err) == 0 &&
           shared_equal(&replayed, after);
    sto_buf_release(&buf);
    return same || fault(r, "read back from its bytes it is another: %s", err.what);
}

/* Decides; a refusal leaves *taken false. false = a fault. */
static inline bool decide(struct rig *r, const struct input *in, bool *taken)
{
    struct sto_err err = {0};
    sto_arena_reset(r->arena);
    r->before = r->s;
    int rc = shared_decide(r->net, &r->id, &r->s, in, r->now, r->arena, &r->f, &err);
    *taken = rc == 0;
    r->refused += rc != 0;
    if (rc != 0) {
        return rc != -STO_E_INTERNAL || fault(r, "%s", err.what);
    }
    r->taken++;
    if (shared_evolve(&r->s, &r->f, &err) != 0 || shared_invariants(r->net, &r->s, &err) != 0) {
        return fault(r, "%s", err.what);
    }
    if (r->thorough && !same_from_bytes(r, &r->s)) {
        return false;
    }
    for (unsigned i = 0; i < r->f.n_mails; i++) {
        if (!hear(r, &r->f.mails[i])) {
            return false;
        }
    }
    return true;
}

static inline bool send_mail(struct rig *r, unsigned c, enum mail_kind kind, unsigned n)
{
    const struct soul *x = &r->c[c];
    struct mail m = {.kind = (uint8_t)kind,
                     .src = soul_id(c),
                     .dst = r->id,
                     .service = X_SERVICE,
                     .token = x->token,
                     .entry = x->entry,
                     .until_us = x->until_us,
                     .n = (uint16_t)n};
    struct input in = {.kind = EVENT_MAIL, .evidence = EVIDENCE_BROKER, .mail = &m};
    bool taken = false;
    return decide(r, &in, &taken) && (taken || fault(r, "a letter of kind %d is refused", kind));
}

/* An event of the organiser; now and then somebody else's, which must be refused. */
static inline bool organise(struct rig *r, struct input in, bool *taken)
{
    bool foreign = draw(r, 8) == 0;
    in.evidence = EVIDENCE_ORG;
    in.actor = (struct party){foreign ? X_OTHER : X_HOST, 1};
    if (!decide(r, &in, taken)) {
        return false;
    }
    return !foreign || !*taken || fault(r, "somebody else organises");
}

static inline bool tick(struct rig *r)
{
    struct input in = {.kind = EVENT_CLOCK, .evidence = EVIDENCE_BROKER};
    bool taken = false;
    return decide(r, &in, &taken) && (taken || fault(r, "a clock that was due is refused"));
}

static inline bool drain(struct rig *r)
{
    for (unsigned i = 0; shared_next_due_us(r->net, &r->s) <= r->now; i++) {
        if (i > 300) {
            return fault(r, "clocks fire for ever");
        }
        if (!tick(r)) {
            return false;
        }
    }
    return true;
}

static inline void wish(struct rig *r, unsigned c, unsigned meetings)
{
    struct soul *x = &r->c[c];
    bool again = x->is != NOTHING;
    *x = (struct soul){.token = (uint16_t)(again ? x->token : x->token + draw(r, 2)),
                       .entry = (uint16_t)(x->entry + 1),
                       .is = WAITS,
                       .left = meetings > 1 ? meetings - 1 : 0,
                       .since_us = r->now,
                       .until_us = draw(r, 3) ? 0 : r->now + (int64_t)(1 + draw(r, 40)) * X_DAY};
}

#include "shared_explore_dates.h"
#include "shared_explore_places.h"

static inline bool hear(struct rig *r, const struct mail *m)
{
    unsigned c = m->dst.b[1];
    struct sto_uuid id = soul_id(c < CROWD ? c : 0);
    if (c >= CROWD || !sto_uuid_eq(&id, &m->dst) || m->service != X_SERVICE) {
        return fault(r, "a letter for nobody");
    }
    struct soul *x = &r->c[c];
    if (m->token != x->token || m->entry != x->entry || x->is == NOTHING) {
        return fault(r, "case %u hears of a wish that it no longer has", c);
    }
    if (m->kind >= MAIL_PLACE_WANTED && m->kind <= MAIL_PLACE_OCCUPIED) {
        return hear_place(r, c, m);
    }
    return m->kind >= MAIL_AGENDA_WANTED ? hear_agenda(r, c, m) : hear_seat(r, c, m);
}

/* ------------------------------------------------------------------ sequences */

static inline bool act(struct rig *r)
{
    switch (r->svc->shape) {
    case SERVICE_PLACE:
    case SERVICE_QUOTA:
        return act_place(r);
    case SERVICE_PANEL:
        return act_agenda(r);
    case SERVICE_SESSION:
        return act_seat(r);
    case SERVICE_PLAIN:
        break;
    }
    return false;
}

static inline bool check(struct rig *r)
{
    switch (r->svc->shape) {
    case SERVICE_PLACE:
    case SERVICE_QUOTA:
        return check_places(r);
    case SERVICE_PANEL:
        return check_agenda(r);
    case SERVICE_SESSION:
        return check_seats(r);
    case SERVICE_PLAIN:
        break;
    }
    return false;
}

static inline bool sequence(struct rig *r, uint64_t seed, unsigned steps)
{
    memset(r->c, 0, sizeof r->c);
    r->s = r->fresh;
    r->now = X_START;
    r->seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    r->granted = r->returned = 0;
    r->shifted = false;
    r->thorough = seed % 64 == 0;
    r->what[0] = '\0';
    for (unsigned i = 0; i < CROWD; i++) {
        r->c[i].token = 1;
    }
    for (unsigned i = 0; i < steps; i++) {
        bool ok = true;
        if (draw(r, 4) == 0) {
            static const int64_t JUMPS[] = {STO_US_PER_HOUR, X_DAY, 3 * X_DAY, 8 * X_DAY};
            r->now += JUMPS[draw(r, 4)];
        } else {
            ok = act(r);
        }
        if (ok && (draw(r, 4) != 0 || i + 1 == steps)) {
            ok = drain(r) && check(r);
        }
        if (!ok) {
            size_t n = strlen(r->what);
            (void)snprintf(r->what + n, sizeof r->what - n, " (seed %llu, step %u)",
                           (unsigned long long)seed, i);
            return false;
        }
    }
    return true;
}

static inline struct service shared_kind(unsigned k)
{
    struct service v = {.shape = SERVICE_PLACE, .places = (uint16_t)(1 + k % 3)};
    switch (k % 8) {
    case 0: /* places with an answer clock */
        v.answer = (struct sto_duration){5, STO_DAYS};
        break;
    case 1: /* who declines keeps the turn; the most urgent first */
        v.answer = (struct sto_duration){2, STO_BUSINESS_DAYS};
        v.keeps_turn = true;
        v.order = ORDER_URGENT;
        break;
    case 2: /* reserved at once */
        v.order = k % 2 ? ORDER_URGENT : ORDER_ARRIVAL;
        break;
    case 3:
        v.shape = SERVICE_QUOTA;
        v.places = 5;
        break;
    case 4:
    case 5:
        v.shape = SERVICE_PANEL;
        v.places = k % 8 == 4 ? 2 : 0;
        v.cut_off = (struct sto_duration){7, STO_DAYS};
        v.material = (struct sto_duration){2, STO_DAYS};
        v.n_members = 1;
        v.members[0] = X_OTHER;
        v.quorum = 1;
        break;
    case 6: /* series and single dates of a rule */
        v.shape = SERVICE_SESSION;
        v.places = (uint16_t)(k % 3 == 0 ? 0 : 1 + k % 3);
        v.invite = (struct sto_duration){3, STO_DAYS};
        break;
    default: /* groups */
        v.shape = SERVICE_SESSION;
        v.groups = true;
        v.places = (uint16_t)(2 + k % 3);
        v.minimum = 2;
        break;
    }
    return v;
}
#define SHARED_KINDS 24

/* Sequences over all kinds, side by side; false = a fault, told in *what. */
static inline bool shared_explore(unsigned sequences, unsigned steps, char *what, size_t cap,
                                  unsigned *taken, unsigned *refused)
{
    bool ok = true;
    for (unsigned k = 0; ok && k < SHARED_KINDS; k++) {
        struct rig *r = rig_of(shared_kind(k));
        for (unsigned i = 0; ok && i < sequences / SHARED_KINDS + 1; i++) {
            ok = sequence(r, (uint64_t)k << 32 | i, steps);
        }
        (void)snprintf(what, cap, "kind %u: %s", k, r->what);
        *taken += r->taken;
        *refused += r->refused;
        rig_end(&r);
    }
    if (ok) {
        what[0] = '\0';
    }
    return ok;
}

#endif
