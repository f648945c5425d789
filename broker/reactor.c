/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The step: hands an input to its file, then lets everything that may now go on
 * do so, in a fixed order: clocks, inputs, manual clock, commit, deliveries,
 * loads. It decides nothing of the domain and touches no socket, file or clock.
 */
#include "reactor_internal.h"

#include <stdio.h>
#include <string.h>

#include "sto_crypto.h"
#include "sto_log.h"

reactor_t *reactor_new(const struct reactor_options *options)
{
    STO_ASSERT(options->n_shards >= 1 && options->n_shards <= STO_SHARDS_MAX);
    STO_ASSERT((options->n_shards & (options->n_shards - 1)) == 0);
    STO_ASSERT(options->batch_events_max >= 1 && options->batch_events_max <= STO_BATCH_EVENTS_MAX);
    reactor_t *r = sto_xcalloc(1, sizeof(*r));
    r->opt = *options;
    uint64_t seed = table_mix(options->core_id, options->seed);
    table_init(&r->lanes, sizeof(struct lane_key), seed);
    table_init(&r->cases, sizeof(struct sto_uuid), seed);
    table_init(&r->clients, sizeof(struct sto_uuid), seed);
    table_init(&r->sessions, sizeof(uint64_t), seed);
    table_init(&r->orgs, sizeof(uint16_t), seed);
    r->shards = sto_xcalloc(options->n_shards, sizeof(*r->shards));
    for (unsigned i = 0; i < options->n_shards; i++) {
        r->shards[i].number = (uint16_t)i;
        r->shards[i].mail_out = sto_xcalloc(options->n_shards, sizeof(struct track));
    }
    r->batch_limit = options->batch_events_max;
    r->retry_delay_us = RX_RETRY_FIRST_US;
    r->frame_arena = sto_arena_new(STO_DECODE_ARENA_BYTES);
    r->event_arena = sto_arena_new(STO_DECODE_ARENA_BYTES);
    r->fact_arena = sto_arena_new(RX_ARENA_BYTES);
    sto_nonces_init(&r->nonces);
    sto_buf_init(&r->buf, 0);
    sto_buf_init(&r->buf2, 0);
    r->turn = turn_new();
    batch_init(r);
    return r;
}

static void release_tables(reactor_t *r)
{
    struct peer_session *s;
    struct org *o;
    struct lane *l;
    while (r->kept_first) {
        kept_free(r, r->kept_first);
    }
    for (size_t i = 0; (l = table_next(&r->lanes, &i));) {
        free(l);
    }
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        case_drop_shard(r, (uint16_t)i);
        outq_drop_shard(r, (uint16_t)i);
        free(r->shards[i].mail_out);
    }
    STO_ASSERT(r->cases.n == 0); /* every case belongs to a shard */
    for (size_t i = 0; (s = table_next(&r->sessions, &i));) {
        free(s);
    }
    for (size_t i = 0; (o = table_next(&r->orgs, &i));) {
        free(o->q);
        free(o);
    }
    free(r->shards);
}

void reactor_destroy(reactor_t **self_p)
{
    if (!self_p || !*self_p) {
        return;
    }
    reactor_t *r = *self_p;
    release_tables(r);
    table_release(&r->lanes);
    table_release(&r->cases);
    table_release(&r->clients);
    table_release(&r->sessions);
    table_release(&r->orgs);
    batch_release(r);
    loads_release(r);
    deployed_destroy(&r->cfg);
    deployed_destroy(&r->cfg_next);
    free(r->heap.v);
    free(r->turn);
    sto_arena_destroy(&r->frame_arena);
    sto_arena_destroy(&r->event_arena);
    sto_arena_destroy(&r->fact_arena);
    sto_buf_release(&r->buf);
    sto_buf_release(&r->buf2);
    free(r);
    *self_p = NULL;
}

void reactor_outputs_release(struct reactor_outputs *out)
{
    free(out->v);
    sto_arena_destroy(&out->arena);
    *out = (struct reactor_outputs){0};
}

int64_t rx_domain_us(const reactor_t *r)
{
    return r->cfg && r->cfg->manual_clock ? r->clock_us : r->domain_us;
}

void rx_timer(reactor_t *r, int64_t at_mono_us)
{
    if (at_mono_us < r->timer_mono_us) {
        r->timer_mono_us = at_mono_us;
    }
}

struct reactor_output *rx_put(reactor_t *r, enum rx_out kind)
{
    struct reactor_outputs *out = r->out;
    if (out->n == out->cap) {
        out->cap = out->cap ? 2 * out->cap : 64;
        out->v = sto_xrealloc(out->v, out->cap * sizeof(*out->v));
    }
    struct reactor_output *o = &out->v[out->n++];
    memset(o, 0, sizeof(*o));
    o->kind = kind;
    return o;
}

void rx_frame(reactor_t *r, const struct peer *to, unsigned type, const ProtobufCMessage *m)
{
    const uint8_t *p;
    size_t n;
    struct sto_err err;
    if (message_pack(m, r->out->arena, &p, &n, &err) != 0) {
        sto_log(STO_ERROR, "frame_too_large", "type", sto_i((int64_t)type), "what", err.what, NULL);
        return;
    }
    struct reactor_output *o = rx_put(r, RX_SEND);
    o->peer = *to;
    head_encode(o->head, type);
    o->body = (struct blob){p, (uint32_t)n};
}

void rx_refuse(reactor_t *r, const struct peer *to, const Saatto__V1__Refusal *refusal)
{
    if (refusal->code < sizeof(r->stats.frames_rejected) / sizeof(r->stats.frames_rejected[0])) {
        r->stats.frames_rejected[refusal->code]++;
    }
    rx_frame(r, to, SAATTO__V1__FRAME_TYPE__REFUSAL, &refusal->base);
}

void rx_fatal(reactor_t *r, const char *why)
{
    sto_log(STO_ERROR, "core_ends", "why", why, NULL);
    struct reactor_output *o = rx_put(r, RX_FATAL);
    snprintf(o->why, sizeof(o->why), "%s", why);
    r->fatal = true;
}

struct store_request *rx_request(reactor_t *r, enum store_kind kind)
{
    struct store_request *req = sto_xcalloc(1, sizeof(*req));
    req->kind = kind;
    req->tag = ++r->tag;
    return req;
}

void rx_submit(reactor_t *r, struct store_request *req)
{
    rx_put(r, RX_STORE_REQUEST)->request = req;
}

/* ------------------------------------------------------------- inputs */

static void malformed(reactor_t *r, const struct reactor_input *in, const struct sto_err *err)
{
    Saatto__V1__Refusal m = SAATTO__V1__REFUSAL__INIT;
    char what[sizeof(err->what)];
    snprintf(what, sizeof(what), "%s", err->what);
    m.code = (uint32_t)err->code;
    m.what = what;
    rx_refuse(r, &in->peer, &m);
}

static void beat(reactor_t *r, struct peer_session *s, const Saatto__V1__Beat *m)
{
    s->progress = m->progress;
    Saatto__V1__Beat back = SAATTO__V1__BEAT__INIT;
    back.session = s->id;
    back.progress = r->stats.events_committed;
    rx_frame(r, &s->peer, SAATTO__V1__FRAME_TYPE__BEAT, &back.base);
}

static void session_frame(reactor_t *r, struct peer_session *s, unsigned type,
                          const ProtobufCMessage *m)
{
    switch (type) {
    case SAATTO__V1__FRAME_TYPE__EVENTS:
        inbox_events(r, s, (const Saatto__V1__Events *)m);
        break;
    case SAATTO__V1__FRAME_TYPE__ACK:
        outq_ack(r, s, (const Saatto__V1__Ack *)m);
        break;
    case SAATTO__V1__FRAME_TYPE__BEAT:
        beat(r, s, (const Saatto__V1__Beat *)m);
        break;
    case SAATTO__V1__FRAME_TYPE__CLOCK_IDLE:
        barrier_idle(r, s, (const Saatto__V1__ClockIdle *)m);
        break;
    case SAATTO__V1__FRAME_TYPE__ADVANCE:
        barrier_advance(r, s, (const Saatto__V1__Advance *)m);
        break;
    case SAATTO__V1__FRAME_TYPE__REDRIVE:
        redrive_ask(r, s, (const Saatto__V1__Redrive *)m);
        break;
    case SAATTO__V1__FRAME_TYPE__BYE:
        peer_end(r, s, END_BYE);
        break;
    default:
        STO_ASSERT(false);
    }
}

/* Every frame of a session starts with `fixed64 session = 1`. */
static uint64_t session_in(unsigned type, const ProtobufCMessage *m)
{
    switch (type) {
    case SAATTO__V1__FRAME_TYPE__EVENTS:
        return ((const Saatto__V1__Events *)m)->session;
    case SAATTO__V1__FRAME_TYPE__ACK:
        return ((const Saatto__V1__Ack *)m)->session;
    case SAATTO__V1__FRAME_TYPE__BEAT:
        return ((const Saatto__V1__Beat *)m)->session;
    case SAATTO__V1__FRAME_TYPE__CLOCK_IDLE:
        return ((const Saatto__V1__ClockIdle *)m)->session;
    case SAATTO__V1__FRAME_TYPE__ADVANCE:
        return ((const Saatto__V1__Advance *)m)->session;
    case SAATTO__V1__FRAME_TYPE__REDRIVE:
        return ((const Saatto__V1__Redrive *)m)->session;
    case SAATTO__V1__FRAME_TYPE__BYE:
        return ((const Saatto__V1__Bye *)m)->session;
    default:
        return 0;
    }
}

static bool worker_may_send(unsigned type)
{
    switch (type) {
    case SAATTO__V1__FRAME_TYPE__HELLO:
    case SAATTO__V1__FRAME_TYPE__EVENTS:
    case SAATTO__V1__FRAME_TYPE__ACK:
    case SAATTO__V1__FRAME_TYPE__BEAT:
    case SAATTO__V1__FRAME_TYPE__CLOCK_IDLE:
    case SAATTO__V1__FRAME_TYPE__ADVANCE:
    case SAATTO__V1__FRAME_TYPE__REDRIVE:
    case SAATTO__V1__FRAME_TYPE__BYE:
        return true;
    default:
        return false;
    }
}

static void frame(reactor_t *r, const struct reactor_input *in)
{
    struct sto_err err = {0};
    ProtobufCMessage *m = NULL;
    sto_arena_reset(r->frame_arena);
    int type = head_decode(in->head, in->n_head, &err);
    if (type > 0 && !worker_may_send((unsigned)type)) {
        type = sto_fail(&err, STO_E_MALFORMED, "frame type %d is not a worker's to send", type);
    }
    if (type < 0 ||
        frame_decode((unsigned)type, in->body, in->n_body, r->frame_arena, &m, &err) != 0) {
        malformed(r, in, &err);
        return;
    }
    if (type == SAATTO__V1__FRAME_TYPE__HELLO) {
        peer_hello(r, in, (const Saatto__V1__Hello *)m);
        return;
    }
    struct peer_session *s = peer_of(r, in, session_in((unsigned)type, m));
    if (s) {
        s->heard_mono_us = r->mono_us;
        session_frame(r, s, (unsigned)type, m);
    }
}

static void store_result(reactor_t *r, const struct store_result *res)
{
    switch (res->kind) {
    case STORE_COMMIT:
        outcome_commit(r, res);
        break;
    case STORE_SETTLE:
        outcome_settle(r, res);
        break;
    case STORE_TAKE_OVER:
    case STORE_LOAD:
    case STORE_DUE:
    case STORE_BACKLOG:
        loads_done(r, res);
        break;
    }
}

static void tick(reactor_t *r)
{
    if (r->mono_us < r->next_tick_mono_us) {
        return;
    }
    r->next_tick_mono_us = r->mono_us + RX_TICK_US;
    peer_tick(r);
    outq_tick(r);
    loads_keys(r);
    cw_horizon(r, rx_domain_us(r) + STO_US_PER_HOUR);
}

static void begin(reactor_t *r, int64_t mono_us, int64_t domain_us, struct reactor_outputs *out)
{
    r->mono_us = mono_us;
    r->domain_us = domain_us;
    r->out = out;
    out->n = 0;
    if (!out->arena) {
        out->arena = sto_arena_new(RX_ARENA_BYTES);
    }
    sto_arena_reset(out->arena);
    r->timer_mono_us = INT64_MAX;
    if (!r->started) {
        r->started = true;
        loads_keys(r);
        takeover_start(r);
    }
}

/* Everything that may go on now. */
static void settle_step(reactor_t *r)
{
    tick(r);
    outcome_tick(r);
    deployed_install(r);
    cw_fire(r);
    kept_pump(r);
    inbox_ask_answers(r);
    barrier_step(r);
    batch_close(r);
    batch_encode_ahead(r);
    outbox_dispatch(r);
    counts_ask(r);
    loads_end_of_step(r);
    case_evict(r);
    cw_timer(r);
    rx_timer(r, r->next_tick_mono_us);
    rx_put(r, RX_TIMER)->at_mono_us = r->timer_mono_us;
}

void reactor_step(reactor_t *r, const struct reactor_input *in, int64_t mono_us, int64_t domain_us,
                  struct reactor_outputs *out)
{
    STO_ASSERT(r && in && out);
    begin(r, mono_us, domain_us, out);
    if (r->fatal) {
        return;
    }
    batch_leave(r);
    switch (in->kind) {
    case RX_FRAME:
        frame(r, in);
        break;
    case RX_GATE_UP:
        peer_gate_up(r, in);
        break;
    case RX_STORE:
        store_result(r, in->result);
        break;
    case RX_TICK:
        break;
    case RX_CONFIG:
        deployed_ask(r);
        break;
    }
    if (r->leaving) {
        /* the next batch must reach the database before anything else is done */
        rx_put(r, RX_TIMER)->at_mono_us = r->mono_us;
        return;
    }
    settle_step(r);
}
