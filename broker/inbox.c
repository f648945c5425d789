/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The inbox: what a stream may send next, repeats and their answers, receipts.
 * Key = (shard, organisation, stream, seq). BUSY, NOT_OWNER, GAP and malformed
 * consume nothing. What was taken is kept until its batch is durable; only then
 * does a receipt leave.
 */
#include "reactor_internal.h"

#include <stdio.h>
#include <string.h>

#include "sto_log.h"

struct lane *lane_get(reactor_t *r, const struct lane_key *key)
{
    struct lane *lane = table_get(&r->lanes, key);
    if (!lane) {
        lane = sto_xcalloc(1, sizeof(*lane));
        lane->key = *key;
        table_put(&r->lanes, lane);
    }
    return lane;
}

void lane_watermark(reactor_t *r, const struct lane_key *key, uint64_t last)
{
    struct lane *lane = lane_get(r, key);
    STO_ASSERT(!lane->first);
    lane->applied = (struct track){last, last, last};
    lane->taken = last;
}

/* --------------------------------------------------------- taking events */

static void refuse(reactor_t *r, const struct peer_session *s, int code, uint16_t shard,
                   uint64_t expected, const char *what)
{
    Saatto__V1__Refusal m = SAATTO__V1__REFUSAL__INIT;
    char text[STO_REASON_BYTES_MAX];
    snprintf(text, sizeof(text), "%s", what);
    m.code = (uint32_t)code;
    m.what = text;
    m.shard = shard;
    m.expected = expected;
    m.retry_ms = code == STO_E_BUSY ? RX_BUSY_RETRY_MS : 0;
    rx_refuse(r, &s->peer, &m);
}

static struct kept *kept_of_seq(const reactor_t *r, const struct lane *lane, uint64_t seq)
{
    /* Repeats of what is in flight are rare: newest first. */
    for (struct kept *k = r->kept_last; k; k = k->prev) {
        if (k->lane == lane && k->seq == seq && k->kind == KEPT_EVENT) {
            return k;
        }
    }
    return NULL;
}

static void altered(reactor_t *r, const struct peer_session *s, const struct dup *d)
{
    struct kept *k = kept_new(r, KEPT_ALTERED, d->lane->key.shard, NULL, 0);
    k->case_id = d->case_id;
    k->event = d->event;
    k->org = d->org;
    k->seq = d->seq;
    k->session = s ? s->id : 0;
    memcpy(k->key8, d->key8, sizeof(k->key8));
    memcpy(k->msg_hash, d->hash, sizeof(k->msg_hash));
    k->stream = d->lane->key.stream;
    kept_queue(r, k, NULL);
}

/* False: too many repeats wait for their answers. */
static bool repeated(reactor_t *r, struct peer_session *s, struct lane *lane,
                     const Saatto__V1__Message *m, const Saatto__V1__Event *ev)
{
    struct dup d = {.lane = lane, .seq = m->seq, .event = (uint8_t)ev->kind, .org = s->org};
    message_hash(lane->key.shard, m->seq, m->body.data, m->body.len, d.hash);
    memcpy(d.case_id.b, ev->case_id.data, 16);
    memcpy(d.key8, s->key8, sizeof(d.key8));
    if (m->seq > lane->applied.durable) {
        const struct kept *k = kept_of_seq(r, lane, m->seq);
        if (k && memcmp(k->msg_hash, d.hash, sizeof(d.hash)) != 0) {
            altered(r, s, &d);
        }
        return true; /* its receipt leaves with its batch, to the session that spoke last */
    }
    if (r->dups.n >= STO_BATCH_EVENTS_MAX) {
        return false;
    }
    lane->repeats++;
    VEC_PUSH(r->dups, d);
    return true;
}

static void take(reactor_t *r, struct peer_session *s, struct lane *lane,
                 const Saatto__V1__Message *m, Saatto__V1__Event *ev)
{
    struct kept *k = kept_new(r, KEPT_EVENT, lane->key.shard, m->body.data, (uint32_t)m->body.len);
    memcpy(k->case_id.b, ev->case_id.data, 16);
    k->event = (uint8_t)ev->kind;
    k->org = s->org;
    k->is_operator = s->is_operator;
    k->seq = m->seq;
    memcpy(k->key8, s->key8, sizeof(k->key8));
    message_hash(lane->key.shard, m->seq, m->body.data, m->body.len, k->msg_hash);
    r->hot = k;
    r->hot_event = ev;
    kept_queue(r, k, lane);
    kept_pump(r);
    r->hot = NULL;
}

/* 0, or the code that refuses this and all later messages of the shard in this frame. */
static int one_message(reactor_t *r, struct peer_session *s, uint64_t stream,
                       const Saatto__V1__Message *m, uint64_t *expected, struct sto_err *err)
{
    if (m->shard >= r->opt.n_shards || m->seq == 0 || m->body.len == 0) {
        return sto_fail(err, STO_E_MALFORMED, "Message: shard or seq out of range, or no body");
    }
    uint8_t phase = r->shards[m->shard].phase;
    if (phase == SHARD_LOST || phase == SHARD_NONE) {
        return sto_fail(err, STO_E_NOT_OWNER, "shard %u", m->shard);
    }
    Saatto__V1__Event *ev;
    struct input scratch;
    sto_arena_reset(r->event_arena);
    int rc = event_decode(m->body.data, m->body.len, r->event_arena, &ev, err);
    rc = rc ? rc : event_to_input(ev, r->event_arena, &scratch, err);
    if (rc != 0) {
        return rc;
    }
    if ((ev->case_id.data[15] & (r->opt.n_shards - 1)) != m->shard) {
        return sto_fail(err, STO_E_MALFORMED, "Message.shard: the case belongs to another");
    }
    struct lane *lane = lane_get(
        r, &(struct lane_key){
               .kind = LANE_STREAM, .shard = (uint16_t)m->shard, .org = s->org, .stream = stream});
    lane->session = s->id;
    if (m->seq <= lane->taken) {
        return repeated(r, s, lane, m, ev)
                   ? 0
                   : sto_fail(err, STO_E_BUSY, "too many repeats wait for their answers");
    }
    *expected = lane->taken + 1;
    if (m->seq > lane->taken + 1) {
        return sto_fail(err, STO_E_GAP, "seq %llu is missing", (unsigned long long)*expected);
    }
    bool stopped = phase != SHARD_OWNED || !r->cfg || r->commit == COMMIT_BACKOFF;
    bool full = r->n_kept >= r->opt.inflight_max || r->kept_bytes >= RX_KEPT_BYTES_MAX ||
                lane->taken - lane->applied.durable >= STO_BATCH_EVENTS_MAX;
    if (stopped || full) {
        return sto_fail(err, STO_E_BUSY, "too much is in flight");
    }
    take(r, s, lane, m, ev);
    return 0;
}

void inbox_events(reactor_t *r, struct peer_session *s, const Saatto__V1__Events *m)
{
    uint64_t refused[STO_SHARDS_MAX / 64] = {0};
    if (m->stream == 0 || m->stream != s->stream) {
        refuse(r, s, STO_E_MALFORMED, 0, 0, "Events.stream: not the stream of HELLO");
        return;
    }
    if (s->org == 0) { /* an event without an organisation is the broker's own */
        refuse(r, s, STO_E_NOT_ALLOWED, 0, 0, "the key is of no organisation: it sends no events");
        return;
    }
    uint64_t id = s->id;
    for (size_t i = 0; i < m->n_messages; i++) {
        const Saatto__V1__Message *one = m->messages[i];
        unsigned sh = one->shard % STO_SHARDS_MAX;
        if (refused[sh / 64] & (UINT64_C(1) << (sh % 64))) {
            continue;
        }
        struct sto_err err = {0};
        uint64_t expected = one->seq;
        if (one_message(r, s, m->stream, one, &expected, &err) != 0) {
            refused[sh / 64] |= UINT64_C(1) << (sh % 64);
            refuse(r, s, err.code, (uint16_t)sh, expected, err.what);
        }
    }
    STO_ASSERT(peer_by_id(r, id) == s);
}

/* ------------------------------------------------------------- receipts */

/* One shard's receipt under construction; leaves when it is full. */
struct draft {
    reactor_t *r;
    const struct peer_session *to;
    const struct lane *lane;
    Saatto__V1__ShardReceipt m;
    Saatto__V1__Result **results;
    uint8_t *leaves;
    size_t bytes;
    uint32_t n, cap;
};

static void draft_begin(struct draft *d, uint64_t first)
{
    saatto__v1__shard_receipt__init(&d->m);
    d->m.shard = d->lane->key.shard;
    d->m.first = first;
    d->results = sto_arena_alloc(d->r->out->arena, d->cap * sizeof(Saatto__V1__Result *));
    d->leaves = sto_arena_alloc(d->r->out->arena, (size_t)d->cap * 32);
    STO_ASSERT(d->results && d->leaves);
    d->bytes = 0;
    d->n = 0;
}

static void draft_send(struct draft *d)
{
    if (d->n == 0) {
        return;
    }
    Saatto__V1__Receipts out = SAATTO__V1__RECEIPTS__INIT;
    Saatto__V1__ShardReceipt *one = &d->m;
    d->m.results = d->results;
    d->m.leaves.data = d->leaves;
    d->m.leaves.len = d->leaves ? (size_t)d->n * 32 : 0;
    out.session = d->to->id;
    out.stream = d->lane->key.stream;
    out.n_shards = 1;
    out.shards = &one;
    rx_frame(d->r, &d->to->peer, SAATTO__V1__FRAME_TYPE__RECEIPTS, &out.base);
}

static void draft_add(struct draft *d, const struct kept *k)
{
    size_t size = 32 + (k->code ? 32 + (k->what ? strlen(k->what) : 0) : 0);
    if (d->n == d->cap || d->bytes + size > RX_FRAME_BYTES) {
        draft_send(d);
        draft_begin(d, k->seq);
    }
    memcpy(d->leaves + (size_t)d->n * 32, k->leaf, 32);
    d->m.upto = k->seq;
    d->bytes += size;
    d->n++;
    if (k->code != 0) {
        Saatto__V1__Result *res = sto_arena_alloc(d->r->out->arena, sizeof(*res));
        STO_ASSERT(res);
        saatto__v1__result__init(res);
        res->seq = k->seq;
        res->code = k->code;
        res->what = sto_arena_strdup(d->r->out->arena, k->what ? k->what : "");
        d->results[d->m.n_results++] = res;
    }
}

static void receipt_altered(reactor_t *r, const struct kept *k)
{
    const struct peer_session *s = peer_by_id(r, k->session);
    struct lane_key key = {
        .kind = LANE_STREAM, .shard = k->shard, .org = k->org, .stream = k->stream};
    const struct lane *lane = table_get(&r->lanes, &key);
    if (!s || !lane || k->seq > lane->applied.durable) {
        return; /* what it repeats is not durable itself: it is asked for again */
    }
    /* It answers its own number: beside an empty range the sender would repeat it without end. */
    Saatto__V1__Receipts out = SAATTO__V1__RECEIPTS__INIT;
    Saatto__V1__ShardReceipt one = SAATTO__V1__SHARD_RECEIPT__INIT, *ones = &one;
    Saatto__V1__Result res = SAATTO__V1__RESULT__INIT, *results = &res;
    res.seq = k->seq;
    res.code = STO_E_ALTERED;
    one.shard = k->shard;
    one.first = one.upto = k->seq;
    one.n_results = 1;
    one.results = &results;
    out.session = s->id;
    out.stream = k->stream;
    out.n_shards = 1;
    out.shards = &ones;
    rx_frame(r, &s->peer, SAATTO__V1__FRAME_TYPE__RECEIPTS, &out.base);
}

/* Answers of repeats that came before these are being read: these queue up behind them, for a
 * receipt must join on to what its session knows. */
static void answer_later(reactor_t *r, struct lane *lane, const struct kept *k)
{
    for (; k; k = k->lane_next) {
        lane->repeats++;
        struct dup d = {.lane = lane, .seq = k->seq, .event = k->event, .org = k->org};
        d.case_id = k->case_id;
        memcpy(d.key8, k->key8, sizeof(d.key8));
        memcpy(d.hash, k->msg_hash, sizeof(d.hash));
        VEC_PUSH(r->dups, d);
    }
}

/* After the batch's lanes were moved to durable: one receipt for each lane, in order of seq. */
void inbox_receipts(reactor_t *r, struct open_batch *b)
{
    for (uint32_t i = 0; i < b->inputs.n; i++) {
        struct kept *k = b->inputs.v[i];
        k->lane_next = NULL;
        if (k->kind == KEPT_ALTERED) {
            receipt_altered(r, k);
        }
        if (k->kind != KEPT_EVENT) {
            continue;
        }
        if (k->lane->done_last) {
            k->lane->done_last->lane_next = k;
        } else {
            k->lane->done_first = k;
        }
        k->lane->done_last = k;
    }
    for (uint32_t i = 0; i < b->lanes.n; i++) {
        struct lane *lane = b->lanes.v[i];
        const struct peer_session *to = peer_by_id(r, lane->session);
        struct kept *k = lane->done_first;
        lane->done_first = lane->done_last = NULL;
        if (!k || !to || to->stream != lane->key.stream || to->org != lane->key.org) {
            continue;
        }
        if (lane->repeats > 0) {
            answer_later(r, lane, k);
            continue;
        }
        struct draft d = {.r = r, .to = to, .lane = lane, .cap = STO_BATCH_EVENTS_MAX};
        draft_begin(&d, k->seq);
        for (; k; k = k->lane_next) {
            draft_add(&d, k);
        }
        draft_send(&d);
    }
}

/* ----------------------------------------------------- answers of repeats */

void inbox_ask_answers(reactor_t *r)
{
    if (r->dups.n == 0 || r->dup_load.tag != 0) {
        return;
    }
    if (r->mono_us < r->dups_again_mono_us) {
        rx_timer(r, r->dups_again_mono_us);
        return;
    }
    struct dup_load *l = &r->dup_load;
    struct store_request *req = rx_request(r, STORE_LOAD);
    l->tag = req->tag;
    l->n = r->dups.n;
    l->cap = r->dups.cap;
    l->v = r->dups.v;
    req->what = LOAD_ANSWERS;
    req->arena = sto_arena_new(RX_ARENA_BYTES);
    req->n_answers = l->n;
    req->answers = sto_arena_alloc(req->arena, l->n * sizeof(*req->answers));
    STO_ASSERT(req->answers);
    for (unsigned i = 0; i < l->n; i++) {
        const struct lane_key *key = &l->v[i].lane->key;
        req->answers[i] = (struct answer_key){key->shard, key->org, key->stream, l->v[i].seq};
    }
    r->dups.v = NULL;
    r->dups.n = r->dups.cap = 0;
    struct load ld = {.tag = req->tag, .req = {.kind = STORE_LOAD, .what = LOAD_ANSWERS}};
    VEC_PUSH(r->loads, ld);
    rx_submit(r, req);
}

static const struct loaded_answer *find_answer(const struct store_result *res, const struct dup *d)
{
    for (uint32_t i = 0; i < res->n_answers; i++) {
        const struct answer_key *k = &res->answers[i].key;
        if (k->seq == d->seq && k->stream == d->lane->key.stream &&
            k->shard == d->lane->key.shard && k->org == d->lane->key.org) {
            return res->answers[i].found ? &res->answers[i] : NULL;
        }
    }
    return NULL;
}

static void answer_again(reactor_t *r, const struct dup *d, const struct loaded_answer *a)
{
    const struct peer_session *s = peer_by_id(r, d->lane->session);
    if (r->shards[d->lane->key.shard].phase != SHARD_OWNED) {
        return; /* lost meanwhile: its new owner answers */
    }
    if (!s || s->stream != d->lane->key.stream || s->org != d->lane->key.org) {
        return;
    }
    if (a && memcmp(a->msg_hash, d->hash, sizeof(d->hash)) != 0) {
        altered(r, s, d);
        return;
    }
    struct kept again = {.seq = d->seq, .code = a ? a->code : STO_E_ALREADY};
    again.what = a && a->answer ? sto_arena_strdup(r->out->arena, a->answer) : NULL;
    struct draft draft = {.r = r, .to = s, .lane = d->lane, .cap = 1};
    draft_begin(&draft, d->seq);
    if (a) {
        memcpy(again.leaf, a->leaf, sizeof(again.leaf));
    }
    draft_add(&draft, &again);
    if (!a) {
        draft.leaves = NULL;
    }
    draft_send(&draft);
}

/* The load failed: they are asked for again, before what came meanwhile. */
static void ask_again(reactor_t *r, struct dup_load *l)
{
    for (unsigned i = 0; i < r->dups.n; i++) {
        VEC_PUSH(*l, r->dups.v[i]);
    }
    free(r->dups.v);
    r->dups.v = l->v;
    r->dups.n = l->n;
    r->dups.cap = l->cap;
    r->dups_again_mono_us = r->mono_us + RX_RETRY_FIRST_US;
}

void inbox_answers(reactor_t *r, const struct store_result *res)
{
    struct dup_load l = r->dup_load;
    if (l.tag != res->tag) {
        return;
    }
    r->dup_load = (struct dup_load){0};
    if (res->outcome != STORE_OK) {
        ask_again(r, &l);
        return;
    }
    for (unsigned i = 0; i < l.n; i++) {
        l.v[i].lane->repeats--;
        answer_again(r, &l.v[i], find_answer(res, &l.v[i]));
    }
    free(l.v);
}
