/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsaatto's session: HELLO, frames in, frames out. Order of a flush: the
 * outbox is made durable, then events leave, then acknowledgements; so a
 * delivery is never acknowledged before the events it led to are safe.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "saatto_internal.h"
#include "sto_crypto.h"
#include "sto_log.h"
#include "sto_time.h"

#define HELLO_EVERY_US   STO_US_PER_SEC
#define SILENCE_US       (10 * STO_US_PER_SEC)
#define BEAT_EVERY_US    (2 * STO_US_PER_SEC)
#define FRAME_ROOM       512 /* bytes of a frame that are not messages */
#define REFUSED_RETRY_US (STO_US_PER_SEC / 2)

static int set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

static int connect_all(saatto_t *s, struct sto_err *err)
{
    char *list = strdup(s->o.endpoint), *save = NULL;
    int rc = 0;

    STO_ASSERT(list != NULL);
    for (char *e = strtok_r(list, ", ", &save); e != NULL && rc == 0;
         e = strtok_r(NULL, ", ", &save)) {
        if (zmq_connect(s->socket, e) != 0) {
            rc = sto_fail(err, STO_E_UNREACHABLE, "could not connect to '%s': %s", e,
                          zmq_strerror(zmq_errno()));
        }
    }
    free(list);
    return rc;
}

/* libzmq never tries again after a refused handshake, so somebody must watch for it. */
static void watch(saatto_t *s)
{
    char address[48];

    snprintf(address, sizeof address, "inproc://monitor-%p", s->socket);
    s->refused_us = 0;
    if (zmq_socket_monitor(s->socket, address, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) == 0) {
        s->monitor = zmq_socket(s->ctx, ZMQ_PAIR);
        STO_ASSERT(s->monitor != NULL && zmq_connect(s->monitor, address) == 0);
    }
}

/* Was the handshake refused since the last look? */
static bool refused(saatto_t *s)
{
    char bytes[256];
    bool any = false;

    while (s->monitor != NULL && zmq_recv(s->monitor, bytes, sizeof bytes, ZMQ_DONTWAIT) >= 0) {
        any = true; /* the only event that is asked for, in two frames */
    }
    return any;
}

int link_open(saatto_t *s, struct sto_err *err)
{
    s->socket = zmq_socket(s->ctx, ZMQ_DEALER);
    STO_ASSERT(s->socket != NULL);
    if (zmq_setsockopt(s->socket, ZMQ_CURVE_SERVERKEY, s->o.server_key, 41) != 0 ||
        zmq_setsockopt(s->socket, ZMQ_CURVE_PUBLICKEY, s->o.public_key, 41) != 0 ||
        zmq_setsockopt(s->socket, ZMQ_CURVE_SECRETKEY, s->o.secret_key, 41) != 0) {
        return sto_fail(err, STO_E_CRYPTO,
                        "server_key, public_key and secret_key must be Z85 text of 40 characters");
    }
    int64_t max = STO_FRAME_BYTES_MAX;
    zmq_setsockopt(s->socket, ZMQ_MAXMSGSIZE, &max, sizeof max);
    set_int(s->socket, ZMQ_LINGER, 200); /* for BYE */
    set_int(s->socket, ZMQ_RCVHWM, 0);   /* bounded by credit */
    set_int(s->socket, ZMQ_HEARTBEAT_IVL, 2000);
    set_int(s->socket, ZMQ_HEARTBEAT_TIMEOUT, 6000);
    set_int(s->socket, ZMQ_RECONNECT_IVL, 50);
    set_int(s->socket, ZMQ_RECONNECT_IVL_MAX, 1000);
    set_int(s->socket, ZMQ_HANDSHAKE_IVL, 5000);
    /* Nothing outlives a connection, and the gate answers the probe of a new one: so a lost session
     * is known at once. */
    set_int(s->socket, ZMQ_IMMEDIATE, 1);
    set_int(s->socket, ZMQ_PROBE_ROUTER, 1);
    watch(s);
    return connect_all(s, err);
}

void link_close(saatto_t *s)
{
    if (s->socket != NULL) {
        if (s->state == LINK_LIVE) {
            Saatto__V1__Bye bye;
            saatto__v1__bye__init(&bye);
            bye.session = s->session;
            link_send(s, SAATTO__V1__FRAME_TYPE__BYE, &bye.base);
        }
        zmq_socket_monitor(s->socket, NULL, 0);
        zmq_close(s->socket);
        s->socket = NULL;
    }
    if (s->monitor != NULL) {
        zmq_close(s->monitor);
        s->monitor = NULL;
    }
}

bool link_send(saatto_t *s, unsigned type, const ProtobufCMessage *m)
{
    uint8_t head[SAATTO_HEAD_BYTES];
    const uint8_t *p = NULL;
    size_t n = 0;
    struct sto_err err = {0};

    if (message_pack(m, s->arena, &p, &n, &err) != 0) {
        sto_log(STO_ERROR, "frame_too_large", "error", err.what, NULL);
        return false;
    }
    head_encode(head, type);
    if (zmq_send(s->socket, head, sizeof head, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        return false;
    }
    return zmq_send(s->socket, p, n, ZMQ_DONTWAIT) >= 0;
}

static void link_down(saatto_t *s)
{
    bool was = s->state == LINK_LIVE;

    s->state = LINK_DOWN;
    s->hello_us = 0;
    if (was && s->o.on_state != NULL) {
        s->o.on_state(s->o.arg, false, s->domain_us, s->manual);
    }
}

static void hello(saatto_t *s, int64_t now)
{
    Saatto__V1__Hello m;
    uint32_t version = SAATTO_WIRE_VERSION;

    saatto__v1__hello__init(&m);
    if (s->state == LINK_HELLO && now - s->hello_us < HELLO_EVERY_US) {
        return;
    }
    if (s->state == LINK_DOWN) {
        s->nonce = sto_random_u64(); /* said again, it is the same HELLO */
    }
    m.n_versions = 1;
    m.versions = &version;
    m.nonce = s->nonce;
    m.organisation = (char *)(uintptr_t)s->o.organisation;
    m.stream = sendlog_stream(s->log);
    m.program = (char *)(uintptr_t)(s->o.program != NULL ? s->o.program : "");
    m.credit_messages = s->o.credit_messages;
    m.credit_bytes = s->o.credit_messages == 0 ? 0 : STO_SESSION_CREDIT_BYTES;
    m.clock = s->o.clock && s->o.on_clock != NULL;
    s->state = LINK_HELLO;
    s->hello_us = link_send(s, SAATTO__V1__FRAME_TYPE__HELLO, &m.base) ? now : 0;
}

struct receipt {
    saatto_t *s;
    const Saatto__V1__ShardReceipt *r;
};

static void receipted(void *arg, const struct sendlog_event *e)
{
    const struct receipt *x = arg;
    int code = 0;
    const char *what = "";
    const uint8_t *leaf = NULL;

    for (size_t i = 0; i < x->r->n_results; i++) {
        if (x->r->results[i]->seq == e->seq) {
            code = (int)x->r->results[i]->code;
            what = x->r->results[i]->what;
        }
    }
    if (e->seq >= x->r->first && (e->seq - x->r->first + 1) * 32 <= x->r->leaves.len) {
        leaf = x->r->leaves.data + (e->seq - x->r->first) * 32;
    }
    if (x->s->in_flight != 0 && e->seq <= x->s->sent_upto[e->route & (x->s->n_shards - 1u)]) {
        x->s->in_flight--;
    }
    if (x->s->o.on_result != NULL) {
        x->s->o.on_result(x->s->o.arg, (uint64_t)e->ticket, code, what, leaf);
    }
}

static void on_welcome(saatto_t *s, const Saatto__V1__Welcome *w, int64_t now)
{
    if (s->state != LINK_HELLO || w->nonce != s->nonce) {
        return;
    }
    if (sendlog_shards(s->log, w->shards, &s->err) != 0) {
        return; /* the step reports it */
    }
    s->session = w->session;
    s->incarnation = w->incarnation;
    s->n_shards = w->shards;
    s->in_flight_max = w->events_in_flight == 0 ? 1 : w->events_in_flight;
    s->manual = w->manual_clock;
    s->domain_us = w->now_us;
    s->in_flight = 0;
    s->state = LINK_LIVE;
    s->heard_us = now;
    /* Everything without a receipt goes out again, what lies below the watermark too: a repeat gets
       its answer again, and without it nobody would learn of a refusal whose receipt was lost. */
    memset(s->sent_upto, 0, sizeof s->sent_upto);
    for (unsigned i = 0; i < s->n_shards; i++) {
        intake_session(&s->intake[i], w->incarnation,
                       sendlog_taken_upto(s->log, i, w->incarnation));
    }
    s->clock_stirred = true;
    if (s->o.on_state != NULL) {
        s->o.on_state(s->o.arg, true, s->domain_us, s->manual);
    }
}

static void on_receipts(saatto_t *s, const Saatto__V1__Receipts *m)
{
    for (size_t i = 0; i < m->n_shards; i++) {
        const Saatto__V1__ShardReceipt *r = m->shards[i];
        struct receipt x = {s, r};
        const struct sendlog_event *oldest =
            r->shard < s->n_shards ? sendlog_at(s->log, r->shard, 0) : NULL;
        if (oldest == NULL || r->upto < oldest->seq) {
            continue;
        }
        if (r->first > oldest->seq) { /* an answer in between was lost: ask for it */
            s->sent_upto[r->shard] = oldest->seq - 1;
            s->in_flight = 0;
        } else {
            sendlog_receipt(s->log, r->shard, r->upto, receipted, &x);
        }
    }
    s->clock_stirred = true;
}

static void on_deliveries(saatto_t *s, const Saatto__V1__Deliveries *m)
{
    for (size_t i = 0; i < m->n_deliveries; i++) {
        const Saatto__V1__Delivery *d = m->deliveries[i];
        Saatto__V1__DeliveryBody *body = NULL;
        struct saatto_delivery pub;
        struct sto_err err = {0};
        if (d->shard >= s->n_shards || !intake_take(&s->intake[d->shard], d->epoch, d->seq)) {
            continue;
        }
        s->clock_stirred = true;
        s->progress++;
        if (delivery_decode(d->body.data, d->body.len, s->arena, &body, &err) != 0) {
            sto_log(STO_ERROR, "delivery_malformed", "error", err.what, NULL);
            intake_answer(&s->intake[d->shard], d->seq, INTAKE_DONE, 0);
            continue;
        }
        delivery_public(d, body, s->arena, &pub);
        int answer = s->o.on_delivery != NULL ? s->o.on_delivery(s->o.arg, &pub) : SAATTO_ACK;
        if (answer == SAATTO_ACK) {
            intake_answer(&s->intake[d->shard], d->seq, INTAKE_DONE, 0);
        } else if (answer > 0) {
            intake_answer(&s->intake[d->shard], d->seq, INTAKE_DEFERRED, (uint32_t)answer);
        }
    }
}

static void on_refusal(saatto_t *s, const Saatto__V1__Refusal *m, int64_t now)
{
    if (m->nonce != 0 && m->nonce != s->nonce) {
        return;
    }
    switch (m->code) {
    case STO_E_HELLO_REQUIRED:
        if (s->state == LINK_HELLO) {
            s->hello_us = 0;
        } else {
            link_down(s);
        }
        break;
    case STO_E_GAP:
        if (m->shard < s->n_shards && m->expected != 0) {
            s->sent_upto[m->shard] = m->expected - 1;
        }
        s->in_flight = 0;
        break;
    case STO_E_BUSY:
    case STO_E_NOT_OWNER:
        if (m->nonce != 0) { /* HELLO itself */
            s->hello_us = now + (int64_t)m->retry_ms * 1000 - HELLO_EVERY_US;
        }
        s->busy_until_us = now + (int64_t)(m->retry_ms != 0 ? m->retry_ms : 50) * 1000;
        memset(s->sent_upto, 0,
               sizeof s->sent_upto); /* go-back-N from the oldest without a receipt */
        s->in_flight = 0;
        break;
    default:
        sto_log(STO_WARN, "refused", "code", sto_i(m->code), "what", m->what, NULL);
        s->err = (struct sto_err){.code = (int)m->code};
        snprintf(s->err.what, sizeof s->err.what, "the broker refused: %s", m->what);
        break;
    }
}

static void on_operator(saatto_t *s, unsigned type, const ProtobufCMessage *m)
{
    if (type == SAATTO__V1__FRAME_TYPE__CLOCK_STATE) {
        const Saatto__V1__ClockState *c = (const Saatto__V1__ClockState *)m;
        s->op.now_us = c->now_us;
        s->op.target_us = c->target_us;
        s->op.code = (int)c->code;
        snprintf(s->op.waiting_for, sizeof s->op.waiting_for, "%s", c->waiting_for);
        s->domain_us = c->now_us;
        if (s->op.type == type && (c->target_us == 0 || c->code != 0)) {
            s->op.waiting = false;
        }
    } else if (s->op.type == type) {
        const Saatto__V1__Redriven *r = (const Saatto__V1__Redriven *)m;
        s->op.code = (int)r->code;
        s->op.count = r->count;
        s->op.waiting = false;
    }
}

static void on_frame(saatto_t *s, unsigned type, const ProtobufCMessage *m, int64_t now)
{
    switch (type) {
    case SAATTO__V1__FRAME_TYPE__WELCOME:
        on_welcome(s, (const Saatto__V1__Welcome *)m, now);
        break;
    case SAATTO__V1__FRAME_TYPE__RECEIPTS:
        if (((const Saatto__V1__Receipts *)m)->session == s->session && s->state == LINK_LIVE) {
            on_receipts(s, (const Saatto__V1__Receipts *)m);
        }
        break;
    case SAATTO__V1__FRAME_TYPE__DELIVERIES:
        if (((const Saatto__V1__Deliveries *)m)->session == s->session && s->state == LINK_LIVE) {
            on_deliveries(s, (const Saatto__V1__Deliveries *)m);
        }
        break;
    case SAATTO__V1__FRAME_TYPE__REFUSAL:
        on_refusal(s, (const Saatto__V1__Refusal *)m, now);
        break;
    case SAATTO__V1__FRAME_TYPE__CLOCK:
        s->domain_us = ((const Saatto__V1__Clock *)m)->now_us;
        s->clock_stirred = true;
        break;
    case SAATTO__V1__FRAME_TYPE__CLOCK_STATE:
    case SAATTO__V1__FRAME_TYPE__REDRIVEN:
        on_operator(s, type, m);
        break;
    default:
        break; /* BEAT: being heard is all */
    }
}

void link_receive(saatto_t *s)
{
    for (int i = 0; i < 256; i++) {
        zmq_msg_t head, body;
        ProtobufCMessage *m = NULL;
        struct sto_err err = {0};
        int64_t now = sto_mono_us();
        zmq_msg_init(&head);
        zmq_msg_init(&body);
        bool got = zmq_msg_recv(&head, s->socket, ZMQ_DONTWAIT) >= 0;
        bool whole = got && zmq_msg_more(&head) && zmq_msg_recv(&body, s->socket, 0) >= 0 &&
                     !zmq_msg_more(&body);
        if (whole) {
            int type = head_decode(zmq_msg_data(&head), zmq_msg_size(&head), &err);
            sto_arena_reset(s->arena);
            if (type > 0 && frame_decode((unsigned)type, zmq_msg_data(&body), zmq_msg_size(&body),
                                         s->arena, &m, &err) == 0) {
                s->heard_us = now;
                on_frame(s, (unsigned)type, m, now);
            } else {
                sto_log(STO_WARN, "frame_malformed", "error", err.what, NULL);
            }
        }
        zmq_msg_close(&head);
        zmq_msg_close(&body);
        if (!got) {
            return;
        }
    }
}

/* ---------------------------------------------------------------- out */

/* One EVENTS frame with what waits; false when there is nothing (more) to send now. */
static bool send_events(saatto_t *s)
{
    Saatto__V1__Message *m[STO_FRAME_MSGS_MAX], store[STO_FRAME_MSGS_MAX];
    Saatto__V1__Events frame;
    uint64_t upto[STO_SHARDS_MAX];
    size_t n = 0, bytes = FRAME_ROOM;
    bool full = false;

    saatto__v1__events__init(&frame);
    memcpy(upto, s->sent_upto, sizeof upto);
    for (unsigned shard = 0; shard < s->n_shards && !full; shard++) {
        const struct sendlog_event *first = sendlog_at(s->log, shard, 0);
        size_t i =
            first == NULL || upto[shard] < first->seq ? 0 : (size_t)(upto[shard] - first->seq + 1);
        const struct sendlog_event *e;
        while ((e = sendlog_at(s->log, shard, i++)) != NULL) {
            if (n == STO_FRAME_MSGS_MAX || bytes + e->n + 32 > STO_FRAME_BYTES_MAX ||
                s->in_flight + n >= s->in_flight_max) {
                full = true;
                break;
            }
            saatto__v1__message__init(&store[n]);
            store[n].shard = shard;
            store[n].seq = e->seq;
            store[n].body = (ProtobufCBinaryData){e->n, e->body};
            m[n] = &store[n];
            bytes += e->n + 32;
            n++;
            upto[shard] = e->seq;
        }
    }
    if (n == 0) {
        return false;
    }
    frame.session = s->session;
    frame.stream = sendlog_stream(s->log);
    frame.n_messages = n;
    frame.messages = m;
    if (!link_send(s, SAATTO__V1__FRAME_TYPE__EVENTS, &frame.base)) {
        return false;
    }
    memcpy(s->sent_upto, upto, sizeof upto);
    for (unsigned i = 0; i < s->n_shards; i++) {
        s->last_seq[i] = upto[i] > s->last_seq[i] ? upto[i] : s->last_seq[i];
    }
    s->in_flight += n;
    s->progress += n;
    return full;
}

/* Fills one shard's acknowledgement; arrays in the arena. */
static bool shard_ack(saatto_t *s, unsigned shard, Saatto__V1__ShardAck *a)
{
    struct intake *in = &s->intake[shard];

    if (!intake_news(in)) {
        return false;
    }
    saatto__v1__shard_ack__init(a);
    a->shard = shard;
    a->upto = in->upto;
    a->also = sto_arena_alloc(s->arena, (in->n + 1) * sizeof *a->also);
    a->defers = sto_arena_alloc(s->arena, (in->n + 1) * sizeof(Saatto__V1__Defer *));
    STO_ASSERT(a->also != NULL && a->defers != NULL);
    for (size_t i = 0; i < in->n && a->n_also + a->n_defers < STO_FRAME_MSGS_MAX; i++) {
        struct intake_item *item = &in->v[i];
        if (item->state == INTAKE_OPEN || item->told) {
            continue;
        }
        if (item->state == INTAKE_DONE) {
            a->also[a->n_also++] = item->seq;
        } else {
            Saatto__V1__Defer *d = sto_arena_alloc(s->arena, sizeof *d);
            STO_ASSERT(d != NULL);
            saatto__v1__defer__init(d);
            d->seq = item->seq;
            d->after_ms = item->after_ms;
            a->defers[a->n_defers++] = d;
        }
        item->told = true;
    }
    if (in->upto > in->told) {
        sendlog_taken(s->log, shard, s->incarnation, in->upto);
    }
    in->told = in->upto;
    return true;
}

static void send_acks(saatto_t *s)
{
    Saatto__V1__ShardAck *list[STO_SHARDS_MAX];
    Saatto__V1__Ack frame;
    size_t n = 0;

    saatto__v1__ack__init(&frame);
    for (unsigned i = 0; i < s->n_shards; i++) {
        Saatto__V1__ShardAck *a = sto_arena_alloc(s->arena, sizeof *a);
        STO_ASSERT(a != NULL);
        if (shard_ack(s, i, a)) {
            list[n++] = a;
        }
    }
    if (n == 0) {
        return;
    }
    frame.session = s->session;
    frame.incarnation = s->incarnation;
    frame.n_shards = n;
    frame.shards = list;
    link_send(s, SAATTO__V1__FRAME_TYPE__ACK, &frame.base);
}

static bool quiet(const saatto_t *s)
{
    if (sendlog_waiting(s->log) != 0) {
        return false;
    }
    for (unsigned i = 0; i < s->n_shards; i++) {
        if (intake_open(&s->intake[i]) != 0 || intake_news(&s->intake[i])) {
            return false;
        }
    }
    return true;
}

/* Manual clock: when nothing is left to do, say so and when the next thing is planned. */
static void clock_idle(saatto_t *s)
{
    Saatto__V1__ClockIdle m;
    Saatto__V1__Watermark *list[STO_SHARDS_MAX], store[STO_SHARDS_MAX];
    size_t n = 0;

    saatto__v1__clock_idle__init(&m);
    if (!s->manual || !s->o.clock || s->o.on_clock == NULL || !s->clock_stirred || !quiet(s)) {
        return;
    }
    int64_t wake = s->o.on_clock(s->o.arg, s->domain_us);
    if (!quiet(s)) {
        return; /* it sent something: idle when that is receipted */
    }
    for (unsigned i = 0; i < s->n_shards; i++) {
        if (s->last_seq[i] != 0) {
            saatto__v1__watermark__init(&store[n]);
            store[n].shard = i;
            store[n].last = s->last_seq[i];
            list[n] = &store[n];
            n++;
        }
    }
    m.session = s->session;
    m.now_us = s->domain_us;
    m.next_wake_us = wake;
    m.n_sent = n;
    m.sent = list;
    if (link_send(s, SAATTO__V1__FRAME_TYPE__CLOCK_IDLE, &m.base)) {
        s->clock_stirred = false;
    }
}

static void beat(saatto_t *s, int64_t now)
{
    Saatto__V1__Beat m;

    saatto__v1__beat__init(&m);
    if (now - s->beat_us < BEAT_EVERY_US) {
        return;
    }
    m.session = s->session;
    m.progress = s->progress;
    link_send(s, SAATTO__V1__FRAME_TYPE__BEAT, &m.base);
    s->beat_us = now;
}

/* A gate that does not know the key yet (it starts, or the key is registered later) is asked again
 * by a new socket. */
static int try_again(saatto_t *s, int64_t now, struct sto_err *err)
{
    if (refused(s) && s->refused_us == 0) {
        s->refused_us = now;
        sto_log(STO_WARN, "key_refused", "org", s->o.organisation, "key", s->o.public_key, NULL);
    }
    if (s->refused_us == 0 || now - s->refused_us < REFUSED_RETRY_US) {
        return 0;
    }
    s->state = LINK_DOWN;
    set_int(s->socket, ZMQ_LINGER, 0);
    link_close(s);
    return link_open(s, err);
}

int link_flush(saatto_t *s, struct sto_err *err)
{
    int64_t now = sto_mono_us();

    sto_arena_reset(s->arena);
    if (s->state == LINK_LIVE && now - s->heard_us > SILENCE_US) {
        link_down(s);
    }
    if (s->state != LINK_LIVE) {
        int rc = try_again(s, now, err);
        if (rc == 0) {
            hello(s, now);
        }
        return rc;
    }
    clock_idle(s); /* may send events */
    int rc = sendlog_sync(s->log, err);
    if (rc != 0) {
        return rc;
    }
    while (now >= s->busy_until_us && send_events(s)) {
        sto_arena_reset(s->arena);
    }
    send_acks(s);
    clock_idle(s);
    beat(s, now);
    return 0;
}
