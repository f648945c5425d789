/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The manual clock. It advances only when nothing is queued, no batch is open or
 * under commit, no delivery of a connected organisation is unacknowledged and every worker that
 * takes part says it is idle at this instant; then to the nearest of target, next clock of a case
 * and next wake of a worker, durable first. Who keeps it from advancing for 30 seconds of machine
 * time is named to the operator.
 */
#include <string.h>

#include "reactor_internal.h"
#include "sto_log.h"

static void tell_state(reactor_t *r, uint64_t session, const char *waiting_for, int code)
{
    const struct peer_session *s = peer_by_id(r, session);
    if (!s) {
        return;
    }
    Saatto__V1__ClockState m = SAATTO__V1__CLOCK_STATE__INIT;
    m.session = s->id;
    m.now_us = rx_domain_us(r);
    m.target_us = r->adv.session == session ? r->adv.target_us : 0;
    m.waiting_for = (char *)(uintptr_t)waiting_for;
    m.code = (uint32_t)code;
    rx_frame(r, &s->peer, SAATTO__V1__FRAME_TYPE__CLOCK_STATE, &m.base);
}

void barrier_advance(reactor_t *r, struct peer_session *s, const Saatto__V1__Advance *m)
{
    if (!s->is_operator || !r->cfg->manual_clock) {
        tell_state(r, s->id, "", STO_E_NOT_ALLOWED);
        return;
    }
    if (r->adv.session != 0 && r->adv.session != s->id && r->adv.target_us != 0) {
        tell_state(r, s->id, "another operator", STO_E_CLOCK_BUSY);
        return;
    }
    r->adv =
        (struct advance){.session = s->id, .target_us = m->target_us, .since_mono_us = r->mono_us};
    if (m->target_us <= r->clock_us) {
        r->adv.target_us = 0;
        tell_state(r, s->id, "", 0);
    }
}

void barrier_session_ended(reactor_t *r, struct peer_session *s)
{
    if (r->adv.session == s->id) {
        r->adv = (struct advance){0};
    }
}

void barrier_idle(reactor_t *r, struct peer_session *s, const Saatto__V1__ClockIdle *m)
{
    if (!s->clock || m->now_us != r->clock_us || s->out_messages > 0) {
        return; /* of another instant, or what it was sent meanwhile is not handled yet */
    }
    for (size_t i = 0; i < m->n_sent; i++) {
        struct lane_key key = {.kind = LANE_STREAM,
                               .shard = (uint16_t)m->sent[i]->shard,
                               .org = s->org,
                               .stream = s->stream};
        const struct lane *lane = table_get(&r->lanes, &key);
        if (m->sent[i]->last > (lane ? lane->applied.durable : 0)) {
            s->asked = false; /* its events are not durable yet: it is asked again then */
            return;
        }
    }
    s->idle = true;
    s->wake_us = m->next_wake_us;
}

/* --------------------------------------------------------------- waiting */

static bool core_idle(const reactor_t *r)
{
    return r->kept_first == NULL && r->commit == COMMIT_FREE && batch_empty(r->open) &&
           r->loads_cases == 0 && r->want_cases.n == 0 && !r->cfg_next && cw_next(r) > r->clock_us;
}

static bool unacked(const struct org *o, unsigned n_shards)
{
    for (unsigned i = 0; i < n_shards; i++) {
        if (o->q[i] && outq_unacked(o->q[i]) > 0) {
            return true;
        }
    }
    return false;
}

/* Of an organisation not met in this life of the core: how long it has after the core's start. */
static int64_t first_chance_us(const struct org *o, unsigned n_shards)
{
    int64_t chance = 0;
    for (unsigned i = 0; i < n_shards; i++) {
        if (o->q[i] && o->q[i]->acked > 0) {
            return RX_BACK_US; /* it has had a worker */
        }
        if (o->q[i] && o->q[i]->head.durable > 0) {
            chance = RX_FIRST_US;
        }
    }
    return chance;
}

/*
 * An organisation whose worker is there keeps the clock by what it has not acknowledged. One whose
 * worker was lost is waited for a while, so that a killed one can come back; so is one that the
 * core, just started, has not met yet. Who said BYE, and who has no worker, is not waited for.
 */
static bool org_keeps_clock(reactor_t *r, struct org *o)
{
    int64_t until = o->back_until_us;
    if (!o->met) {
        until = r->ready_mono_us + first_chance_us(o, r->opt.n_shards);
    }
    if (until > r->mono_us) {
        rx_timer(r, until);
        return true;
    }
    if (o->back_until_us != 0) {
        o->back_until_us = 0;
        sto_log(STO_WARN, "clock_goes_on_without", "org", sto_i(o->number), NULL);
    }
    return o->sessions > 0 && unacked(o, r->opt.n_shards);
}

/* The organisation that keeps the clock, 0 = none. */
static uint16_t org_not_idle(reactor_t *r)
{
    struct org *o;
    for (size_t i = 0; (o = table_next(&r->orgs, &i));) {
        if (org_keeps_clock(r, o)) {
            return o->number;
        }
    }
    return 0;
}

static void ask(reactor_t *r, struct peer_session *s)
{
    Saatto__V1__Clock m = SAATTO__V1__CLOCK__INIT;
    m.session = s->id;
    m.now_us = r->clock_us;
    s->asked = true;
    s->idle = false;
    rx_frame(r, &s->peer, SAATTO__V1__FRAME_TYPE__CLOCK, &m.base);
}

/* The organisation of a session that is not idle, 0 = all are; *wake: the earliest of theirs. */
static uint16_t session_not_idle(reactor_t *r, int64_t *wake)
{
    struct peer_session *s;
    uint16_t waiting = 0;
    for (size_t i = 0; (s = table_next(&r->sessions, &i));) {
        if (!s->clock) {
            continue;
        }
        if (!s->idle) {
            waiting = s->org;
            if (!s->asked) {
                ask(r, s);
            }
            continue;
        }
        if (s->wake_us > r->clock_us && s->wake_us < *wake) {
            *wake = s->wake_us;
        }
    }
    return waiting;
}

static void name_who(reactor_t *r, uint16_t org)
{
    if (r->mono_us - r->adv.since_mono_us < RX_IDLE_US) {
        rx_timer(r, r->adv.since_mono_us + RX_IDLE_US);
        return;
    }
    r->adv.since_mono_us = r->mono_us;
    const struct organisation *o = network_org(r->cfg->net, org);
    sto_log(STO_WARN, "clock_waits", "org", o ? o->id : "", NULL);
    tell_state(r, r->adv.session, o ? o->id : "the core", STO_E_CLOCK_BUSY);
}

static void reached(reactor_t *r)
{
    uint64_t session = r->adv.session;
    r->adv.target_us = 0;
    tell_state(r, session, "", 0);
    r->adv.session = 0;
}

static bool owns_all(const reactor_t *r)
{
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        if (r->shards[i].phase != SHARD_OWNED) {
            return false;
        }
    }
    return true;
}

void barrier_step(reactor_t *r)
{
    if (!r->cfg || !r->cfg->manual_clock || !owns_all(r)) {
        return; /* only who owns every shard may move the clock: the guard is on all of them */
    }
    r->ready_mono_us = r->ready_mono_us != 0 ? r->ready_mono_us : r->mono_us;
    if (r->clock_doubt_us > r->clock_us) {
        r->open->clock_us = r->clock_doubt_us;
        return;
    }
    if (r->adv.target_us == 0) {
        return;
    }
    if (!core_idle(r)) {
        name_who(r, 0);
        return;
    }
    uint16_t org = org_not_idle(r);
    int64_t next = r->adv.target_us;
    org = org ? org : session_not_idle(r, &next);
    if (org != 0) {
        name_who(r, org);
        return;
    }
    if (r->clock_us >= r->adv.target_us) {
        reached(r);
        return;
    }
    if (!cw_complete(r, next)) {
        /* A day at a time: what is due in it comes first. */
        int64_t day = r->clock_us + 24 * STO_US_PER_HOUR;
        if (!cw_complete(r, next < day ? next : day)) {
            cw_horizon(r, next < day ? next : day);
            return;
        }
        next = next < day ? next : day;
    }
    next = cw_next(r) < next ? cw_next(r) : next;
    r->adv.since_mono_us = r->mono_us;
    r->open->clock_us = next;
}

/* The new instant is durable: now the workers may hear of it. */
void barrier_durable(reactor_t *r, int64_t clock_us)
{
    struct peer_session *s;
    r->clock_us = clock_us;
    for (size_t i = 0; (s = table_next(&r->sessions, &i));) {
        if (s->clock) {
            ask(r, s);
        }
    }
    cw_horizon(r, clock_us + STO_US_PER_HOUR);
}
