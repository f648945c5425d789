/* SPDX-License-Identifier: EUPL-1.2 */
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 32 /* messages in flight of one shard */

void worker_init(struct worker *w)
{
    w->arena = sto_arena_new(STO_DECODE_ARENA_BYTES * 4);
}

void worker_release(struct worker *w)
{
    for (unsigned s = 0; s < WORKER_SHARDS; s++) {
        for (uint32_t i = 0; i < w->out[s].n; i++) {
            free(w->out[s].v[i].p);
        }
        free(w->out[s].v);
    }
    sto_arena_destroy(&w->arena);
}

void worker_frame(struct worker *w, unsigned type, const ProtobufCMessage *msg)
{
    uint8_t head[4];
    const uint8_t *p;
    size_t n;
    struct sto_err err;
    head_encode(head, type);
    int rc = message_pack(msg, w->arena, &p, &n, &err);
    STO_ASSERT(rc == 0);
    w->send(w->arg, w, head, p, n);
}

/* ----------------------------------------------------------- sessions */

static void hello(struct worker *w)
{
    Saatto__V1__Hello m = SAATTO__V1__HELLO__INIT;
    uint32_t versions[] = {1};
    m.n_versions = 1;
    m.versions = versions;
    m.nonce = w->nonce;
    m.organisation = (char *)(uintptr_t)w->name;
    m.stream = w->stream;
    m.program = (char *)(uintptr_t) "sim";
    m.credit_messages = w->credit_messages;
    m.credit_bytes = w->credit_bytes;
    m.clock = w->clock;
    w->hello_us = w->m->sched->now_us;
    w->said_hello = true;
    worker_frame(w, SAATTO__V1__FRAME_TYPE__HELLO, &m.base);
}

static void forget_session(struct worker *w)
{
    w->up = false;
    w->session = 0;
    memset(w->got, 0, sizeof(w->got));
}

void worker_connect(struct worker *w)
{
    sto_arena_reset(w->arena);
    forget_session(w);
    w->nonce = rng_next(w->m->rng) | 1;
    w->routing = rng_next(w->m->rng);
    w->wants_other_core = false;
    hello(w);
}

void worker_crash(struct worker *w)
{
    forget_session(w);
    memset(w->epoch, 0, sizeof(w->epoch));
    w->said_hello = false;
    w->routing = 0;
}

void worker_bye(struct worker *w)
{
    if (w->up) {
        Saatto__V1__Bye m = SAATTO__V1__BYE__INIT;
        sto_arena_reset(w->arena);
        m.session = w->session;
        worker_frame(w, SAATTO__V1__FRAME_TYPE__BYE, &m.base);
    }
    worker_crash(w);
}

/* ------------------------------------------------------------- sending */

uint64_t worker_post(struct worker *w, const Saatto__V1__Event *ev, unsigned shard)
{
    size_t n = protobuf_c_message_get_packed_size(&ev->base);
    struct worker_msg msg = {.p = sto_xcalloc(1, n + 1), .n = (uint32_t)n};
    protobuf_c_message_pack(&ev->base, msg.p);
    if (w->out[shard].n == w->out[shard].cap) {
        w->out[shard].cap = w->out[shard].cap ? 2 * w->out[shard].cap : 16;
        w->out[shard].v =
            sto_xrealloc(w->out[shard].v, w->out[shard].cap * sizeof(*w->out[shard].v));
    }
    w->out[shard].v[w->out[shard].n++] = msg;
    return w->out[shard].n;
}

static uint64_t first_unreceipted(const struct worker *w, unsigned s)
{
    uint64_t seq = 1;
    while (seq <= w->out[s].n && w->out[s].v[seq - 1].receipted) {
        seq++;
    }
    return seq;
}

bool worker_done(const struct worker *w)
{
    for (unsigned s = 0; s < w->m->n_shards; s++) {
        if (first_unreceipted(w, s) <= w->out[s].n) {
            return false;
        }
    }
    return true;
}

static void send_events(struct worker *w)
{
    Saatto__V1__Events m = SAATTO__V1__EVENTS__INIT;
    static Saatto__V1__Message rows[STO_FRAME_MSGS_MAX];
    static Saatto__V1__Message *list[STO_FRAME_MSGS_MAX];
    size_t n = 0;
    for (unsigned s = 0; s < w->m->n_shards; s++) {
        uint64_t low = first_unreceipted(w, s);
        for (; w->next[s] <= w->out[s].n && w->next[s] < low + WINDOW && n < 200; w->next[s]++) {
            const struct worker_msg *x = &w->out[s].v[w->next[s] - 1];
            saatto__v1__message__init(&rows[n]);
            rows[n].shard = s;
            rows[n].seq = w->next[s];
            rows[n].body.data = x->p;
            rows[n].body.len = x->n;
            list[n] = &rows[n];
            n++;
        }
    }
    if (n == 0) {
        return;
    }
    m.session = w->session;
    m.stream = w->stream;
    m.messages = list;
    m.n_messages = n;
    worker_frame(w, SAATTO__V1__FRAME_TYPE__EVENTS, &m.base);
}

static void rewind_all(struct worker *w)
{
    for (unsigned s = 0; s < w->m->n_shards; s++) {
        w->next[s] = first_unreceipted(w, s);
    }
}

static bool seen(const struct worker *w, unsigned s, uint64_t seq)
{
    bool found = seq <= w->acked[s];
    for (unsigned i = 0; i < w->got[s].n && !found; i++) {
        found = w->got[s].v[i] == seq;
    }
    return found;
}

/* What is contiguous now moves into the cursor. */
static void gather(struct worker *w, unsigned s)
{
    for (unsigned i = 0; i < w->got[s].n;) {
        if (w->got[s].v[i] <= w->acked[s] + 1) {
            w->acked[s] += w->got[s].v[i] == w->acked[s] + 1;
            w->got[s].v[i] = w->got[s].v[--w->got[s].n];
            i = 0;
        } else {
            i++;
        }
    }
}

static void send_ack(struct worker *w)
{
    Saatto__V1__Ack m = SAATTO__V1__ACK__INIT;
    Saatto__V1__ShardAck rows[WORKER_SHARDS], *list[WORKER_SHARDS];
    for (unsigned s = 0; s < w->m->n_shards; s++) {
        gather(w, s);
        saatto__v1__shard_ack__init(&rows[s]);
        rows[s].shard = s;
        rows[s].upto = w->acked[s];
        rows[s].also = w->got[s].v;
        rows[s].n_also = w->got[s].n;
        list[s] = &rows[s];
    }
    m.session = w->session;
    m.incarnation = w->incarnation;
    m.n_shards = w->m->n_shards;
    m.shards = list;
    worker_frame(w, SAATTO__V1__FRAME_TYPE__ACK, &m.base);
}

static void send_defer(struct worker *w, unsigned s, uint64_t seq)
{
    Saatto__V1__Ack m = SAATTO__V1__ACK__INIT;
    Saatto__V1__ShardAck row = SAATTO__V1__SHARD_ACK__INIT, *list = &row;
    Saatto__V1__Defer d = SAATTO__V1__DEFER__INIT, *ds = &d;
    d.seq = seq;
    d.after_ms = (uint32_t)rng_between(w->m->rng, 10, 400);
    row.shard = s;
    row.upto = w->acked[s];
    row.n_defers = 1;
    row.defers = &ds;
    m.session = w->session;
    m.incarnation = w->incarnation;
    m.n_shards = 1;
    m.shards = &list;
    w->m->marks[MARK_DEFERRED]++;
    worker_frame(w, SAATTO__V1__FRAME_TYPE__ACK, &m.base);
}

void worker_tick(struct worker *w)
{
    int64_t now = w->m->sched->now_us;
    sto_arena_reset(w->arena);
    if (!w->said_hello) {
        return;
    }
    if (!w->up) {
        if (now - w->hello_us > 300000) {
            hello(w);
        }
        return;
    }
    if (now - w->last_progress_us > 600000) {
        rewind_all(w);
        w->last_progress_us = now;
        Saatto__V1__Beat m = SAATTO__V1__BEAT__INIT;
        m.session = w->session;
        worker_frame(w, SAATTO__V1__FRAME_TYPE__BEAT, &m.base);
        send_ack(w);
    }
    send_events(w);
}

/* ------------------------------------------------------------- hearing */

static void welcome(struct worker *w, const Saatto__V1__Welcome *m)
{
    if (m->nonce != w->nonce || !w->said_hello) {
        return;
    }
    w->up = true;
    w->session = m->session;
    w->incarnation = m->incarnation;
    w->clock_us = m->now_us;
    w->last_progress_us = w->m->sched->now_us;
    rewind_all(w);
    send_events(w);
}

static uint64_t watermark(const struct worker *w, unsigned shard)
{
    for (uint32_t i = 0; i < w->m->n_inbox; i++) {
        const struct row_inbox *x = &w->m->inbox[i];
        if (x->shard == shard && x->org == w->org && x->stream == w->stream) {
            return x->last;
        }
    }
    return 0;
}

static void count_result(struct worker *w, unsigned code)
{
    w->results[code < 64 ? code : 0]++;
    switch (code) {
    case STO_E_ALTERED:
        w->m->marks[MARK_ALTERED]++;
        break;
    case STO_E_ALREADY:
        w->m->marks[MARK_ALREADY_STARTED]++;
        break;
    case STO_E_DUPLICATE_CASE:
        w->m->marks[MARK_DUPLICATE_CASE]++;
        break;
    case STO_E_LATE:
        w->m->marks[MARK_LATE]++;
        break;
    case STO_E_PARKED:
        w->m->marks[MARK_PARKED]++;
        break;
    default:
        w->m->marks[MARK_REFUSED]++;
        break;
    }
}

/* What was receipted without a result counts as done: so it must stand. */
static void check_answer(struct worker *w, unsigned s, uint64_t seq)
{
    const struct model_shard *sh = &w->m->shard[s];
    unsigned told = w->out[s].v[seq - 1].code;
    for (uint32_t i = 0; i < sh->n_events && told == 0; i++) {
        const struct row_event *e = &sh->events[i];
        bool it = e->org == w->org && e->stream == w->stream && e->seq == seq;
        if (it && e->code != 0 && e->code != STO_E_ALTERED) {
            model_violate(w->m, "I12: message %llu was refused with %u and receipted as done",
                          (unsigned long long)seq, e->code);
        }
    }
}

static void shard_receipt(struct worker *w, const Saatto__V1__ShardReceipt *m)
{
    unsigned s = m->shard;
    if (m->upto > watermark(w, s)) {
        model_violate(w->m, "I1: receipt up to %llu, durable is %llu", (unsigned long long)m->upto,
                      (unsigned long long)watermark(w, s));
    }
    for (size_t i = 0; i < m->n_results; i++) {
        uint64_t seq = m->results[i]->seq;
        if (seq >= 1 && seq <= w->out[s].n) {
            struct worker_msg *x = &w->out[s].v[seq - 1];
            if (x->code != 0 && x->code != m->results[i]->code &&
                m->results[i]->code != STO_E_ALTERED) {
                model_violate(w->m, "I12: message %llu was answered %u, now %u",
                              (unsigned long long)seq, x->code, m->results[i]->code);
            }
            if (m->results[i]->code != STO_E_ALTERED) {
                x->code = (uint16_t)m->results[i]->code;
            }
        }
        count_result(w, m->results[i]->code);
    }
    if (m->leaves.len == 32 && m->upto < watermark(w, s)) {
        w->m->marks[MARK_DUPLICATE_ANSWERED]++;
    }
    if (m->first > first_unreceipted(w, s)) {
        w->next[s] = first_unreceipted(w, s); /* an answer in between was lost */
        return;
    }
    for (uint64_t seq = 1; seq <= m->upto && seq <= w->out[s].n; seq++) {
        if (!w->out[s].v[seq - 1].receipted) {
            check_answer(w, s, seq);
        }
        w->out[s].v[seq - 1].receipted = true;
    }
    if (w->next[s] <= m->upto) {
        w->next[s] = m->upto + 1;
    }
}

static void refusal(struct worker *w, const Saatto__V1__Refusal *m)
{
    w->refusals[m->code < 64 ? m->code : 0]++;
    switch (m->code) {
    case STO_E_GAP:
        w->m->marks[MARK_GAP]++;
        if (m->shard < w->m->n_shards) {
            w->next[m->shard] = m->expected;
            send_events(w);
        }
        break;
    case STO_E_BUSY:
        w->m->marks[MARK_BUSY]++;
        if (w->up && m->nonce == 0 && m->shard < w->m->n_shards) {
            w->next[m->shard] = first_unreceipted(w, m->shard);
        }
        break; /* the tick tries again */
    case STO_E_NOT_OWNER:
        w->m->marks[MARK_NOT_OWNER]++;
        w->wants_other_core = true;
        break;
    case STO_E_HELLO_REQUIRED:
        w->m->marks[MARK_HELLO_REQUIRED]++;
        if (w->up) {
            worker_connect(w);
        }
        break;
    default:
        model_violate(w->m, "refused: %u %s", m->code, m->what);
        break;
    }
}

static void delivery(struct worker *w, const Saatto__V1__Delivery *d)
{
    unsigned s = d->shard;
    Saatto__V1__DeliveryBody *body;
    struct sto_err err;
    if (s >= w->m->n_shards || d->epoch < w->epoch[s]) {
        return; /* a stale owner's */
    }
    w->epoch[s] = d->epoch;
    if (d->seq > w->m->queue[s][w->org].head) {
        model_violate(w->m, "a delivery left before it was durable: %llu of shard %u",
                      (unsigned long long)d->seq, s);
        return;
    }
    if (seen(w, s, d->seq)) {
        w->m->marks[MARK_REDELIVERED]++;
        return;
    }
    if (delivery_decode(d->body.data, d->body.len, w->arena, &body, &err) != 0) {
        model_violate(w->m, "a delivery cannot be read: %s", err.what);
        return;
    }
    if (w->got[s].n == sizeof(w->got[s].v) / sizeof(w->got[s].v[0])) {
        return;
    }
    if (rng_chance(w->m->rng, w->defers)) {
        send_defer(w, s, d->seq);
        return;
    }
    w->got[s].v[w->got[s].n++] = d->seq;
    w->received++;
    if (w->heard) {
        w->heard(w->arg, body);
    }
}

static void deliveries(struct worker *w, const Saatto__V1__Deliveries *m)
{
    if (m->n_deliveries > w->credit_messages) {
        model_violate(w->m, "more deliveries than credit");
    }
    w->m->marks[MARK_CREDIT_EXHAUSTED] += m->n_deliveries == w->credit_messages;
    for (size_t i = 0; i < m->n_deliveries; i++) {
        delivery(w, m->deliveries[i]);
    }
    if (!rng_chance(w->m->rng, w->slow)) {
        send_ack(w);
    }
}

/* What is planned for this instant is done by now: it may only be idle when all that it sent was
 * receipted. */
static void clock_frame(struct worker *w, int64_t now_us)
{
    Saatto__V1__ClockIdle m = SAATTO__V1__CLOCK_IDLE__INIT;
    Saatto__V1__Watermark rows[WORKER_SHARDS], *list[WORKER_SHARDS];
    w->clock_us = now_us;
    m.session = w->session;
    m.now_us = now_us;
    m.next_wake_us = w->wake_us > now_us ? w->wake_us : 0;
    for (unsigned s = 0; s < w->m->n_shards; s++) {
        saatto__v1__watermark__init(&rows[s]);
        rows[s].shard = s;
        rows[s].last = w->out[s].n;
        list[s] = &rows[s];
    }
    m.n_sent = w->m->n_shards;
    m.sent = list;
    worker_frame(w, SAATTO__V1__FRAME_TYPE__CLOCK_IDLE, &m.base);
}

static void dispatch(struct worker *w, int type, const ProtobufCMessage *m)
{
    switch (type) {
    case SAATTO__V1__FRAME_TYPE__WELCOME:
        welcome(w, (const Saatto__V1__Welcome *)m);
        return;
    case SAATTO__V1__FRAME_TYPE__REFUSAL:
        refusal(w, (const Saatto__V1__Refusal *)m);
        return;
    default:
        break;
    }
    if (!w->up) {
        return;
    }
    switch (type) {
    case SAATTO__V1__FRAME_TYPE__RECEIPTS: {
        const Saatto__V1__Receipts *x = (const Saatto__V1__Receipts *)m;
        for (size_t i = 0; x->session == w->session && i < x->n_shards; i++) {
            shard_receipt(w, x->shards[i]);
        }
        w->last_progress_us = w->m->sched->now_us;
        send_events(w);
        break;
    }
    case SAATTO__V1__FRAME_TYPE__DELIVERIES:
        if (((const Saatto__V1__Deliveries *)m)->session == w->session) {
            deliveries(w, (const Saatto__V1__Deliveries *)m);
        }
        break;
    case SAATTO__V1__FRAME_TYPE__CLOCK:
        clock_frame(w, ((const Saatto__V1__Clock *)m)->now_us);
        break;
    case SAATTO__V1__FRAME_TYPE__CLOCK_STATE:
        w->clock_states++;
        if (((const Saatto__V1__ClockState *)m)->target_us == 0) {
            w->advance_to = 0;
        }
        break;
    case SAATTO__V1__FRAME_TYPE__REDRIVEN:
        w->redriven += ((const Saatto__V1__Redriven *)m)->count;
        break;
    default:
        break;
    }
}

void worker_hears(struct worker *w, const uint8_t *head, const uint8_t *body, size_t n)
{
    struct sto_err err;
    ProtobufCMessage *m;
    sto_arena_reset(w->arena);
    int type = head_decode(head, 4, &err);
    if (type < 0 || frame_decode((unsigned)type, body, n, w->arena, &m, &err) != 0) {
        model_violate(w->m, "the core sent what cannot be read: %s", err.what);
        return;
    }
    dispatch(w, type, m);
}
