/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Outboxes: rows in memory over rows in the database, one session for each
 * (shard, organisation), credit, acks, deferrals, the dead. Sequence numbers are
 * gapless; a session starts at acked + 1; nothing is sent twice inside a live
 * session but what was deferred.
 */
#include "reactor_internal.h"

#include <string.h>

#include "sto_log.h"

struct org *org_get(reactor_t *r, uint16_t number)
{
    struct org *o = table_get(&r->orgs, &number);
    if (!o) {
        o = sto_xcalloc(1, sizeof(*o));
        o->number = number;
        o->q = sto_xcalloc(r->opt.n_shards, sizeof(struct outq *));
        table_put(&r->orgs, o);
    }
    return o;
}

struct outq *outq_get(reactor_t *r, uint16_t shard, uint16_t org)
{
    struct org *o = org_get(r, org);
    if (!o->q[shard]) {
        struct outq *q = sto_xcalloc(1, sizeof(*q));
        q->shard = shard;
        q->org = org;
        o->q[shard] = q;
    }
    return o->q[shard];
}

uint64_t outq_unacked(const struct outq *q)
{
    return q->head.durable - q->acked;
}

void org_want_dispatch(reactor_t *r, struct org *o)
{
    if (!o->dispatch) {
        o->dispatch = true;
        o->next_dispatch = r->dispatch;
        r->dispatch = o;
    }
}

/* ------------------------------------------------------------ the window */

static struct orow *row_at(const struct outq *q, unsigned i)
{
    return &q->rows[(q->start + i) & (q->cap - 1)];
}

static void row_free(reactor_t *r, struct orow *row)
{
    r->out_row_bytes -= row->n;
    if (row->p) {
        explicit_bzero(row->p, row->n);
    }
    free(row->p);
    row->p = NULL;
    row->n = 0;
}

static struct orow *row_append(struct outq *q)
{
    if (q->n_rows == q->cap) {
        unsigned cap = q->cap ? 2 * q->cap : 8;
        struct orow *rows = sto_xcalloc(cap, sizeof(*rows));
        for (unsigned i = 0; i < q->n_rows; i++) {
            rows[i] = *row_at(q, i);
        }
        free(q->rows);
        q->rows = rows;
        q->cap = cap;
        q->start = 0;
    }
    return row_at(q, q->n_rows++);
}

/* A row that is not there any more: dead, or acked before. */
static void append_gone(struct outq *q)
{
    *row_append(q) = (struct orow){.phase = ROW_ACKED};
}

static bool window_has_room(const reactor_t *r, const struct outq *q)
{
    return q->n_rows < RX_OUTQ_ROWS_MAX && r->out_row_bytes < RX_OUTQ_BYTES_MAX;
}

void outq_durable(reactor_t *r, struct pending_row *p)
{
    struct outq *q = p->q;
    r->n_outbox_rows++;
    if (p->seq == q->acked + q->n_rows + 1 && window_has_room(r, q)) {
        *row_append(q) = p->row;
        r->out_row_bytes += p->row.n;
        p->row.p = NULL;
    }
    org_want_dispatch(r, org_get(r, q->org));
}

void outq_release_rows(reactor_t *r, struct outq *q)
{
    for (unsigned i = 0; i < q->n_rows; i++) {
        row_free(r, row_at(q, i));
    }
    q->n_rows = q->start = q->in_flight = q->n_deferred = q->next_ready = 0;
}

void outq_drop_shard(reactor_t *r, uint16_t shard)
{
    struct org *o;
    for (size_t i = 0; (o = table_next(&r->orgs, &i));) {
        struct outq *q = o->q[shard];
        if (!q) {
            continue;
        }
        uint64_t n = outq_unacked(q);
        r->n_outbox_rows -= n < r->n_outbox_rows ? n : r->n_outbox_rows;
        outq_release_rows(r, q);
        free(q->rows);
        free(q);
        o->q[shard] = NULL;
    }
}

/* ------------------------------------------------------- acknowledgements */

static void credit_back(reactor_t *r, struct outq *q, struct orow *row)
{
    struct peer_session *s = peer_by_id(r, q->to);
    q->in_flight--;
    if (s) {
        s->out_messages--;
        s->out_bytes -= row->sent_bytes;
    }
    row->sent_bytes = 0;
}

/* Rows acked from the front leave; the cursor follows. */
static void advance(reactor_t *r, struct outq *q)
{
    while (q->n_rows > 0 && row_at(q, 0)->phase == ROW_ACKED) {
        row_free(r, row_at(q, 0));
        q->start = (q->start + 1) & (q->cap - 1);
        q->n_rows--;
        q->next_ready -= q->next_ready > 0;
        q->acked++;
        r->n_outbox_rows -= r->n_outbox_rows > 0;
        q->dead_count = 0;
    }
}

static void ack_row(reactor_t *r, struct outq *q, unsigned i)
{
    struct orow *row = row_at(q, i);
    if (row->phase == ROW_SENT) {
        credit_back(r, q, row);
    } else if (row->phase == ROW_DEFERRED) {
        q->n_deferred--;
    } else {
        return; /* never sent, or acked before */
    }
    row->phase = ROW_ACKED;
}

static void defer_row(reactor_t *r, struct outq *q, unsigned i, uint32_t after_ms)
{
    struct orow *row = row_at(q, i);
    if (row->phase != ROW_SENT) {
        return;
    }
    credit_back(r, q, row);
    row->phase = ROW_DEFERRED;
    row->again_mono_us = r->mono_us + (int64_t)after_ms * 1000;
    q->n_deferred++;
}

static void ack_shard(reactor_t *r, struct outq *q, const Saatto__V1__ShardAck *m)
{
    for (unsigned i = 0; i < q->n_rows && q->acked + 1 + i <= m->upto; i++) {
        ack_row(r, q, i);
    }
    for (size_t j = 0; j < m->n_also; j++) {
        uint64_t at = m->also[j] - q->acked - 1;
        if (m->also[j] > q->acked && at < q->n_rows) {
            ack_row(r, q, (unsigned)at);
        }
    }
    for (size_t j = 0; j < m->n_defers; j++) {
        uint64_t at = m->defers[j]->seq - q->acked - 1;
        if (m->defers[j]->seq > q->acked && at < q->n_rows) {
            defer_row(r, q, (unsigned)at, m->defers[j]->after_ms);
        }
    }
    advance(r, q);
}

void outq_ack(reactor_t *r, struct peer_session *s, const Saatto__V1__Ack *m)
{
    struct org *o = org_get(r, s->org);
    s->idle = s->asked = false;
    for (size_t i = 0; i < m->n_shards; i++) {
        const Saatto__V1__ShardAck *a = m->shards[i];
        bool mine = a->shard < r->opt.n_shards && r->shards[a->shard].phase == SHARD_OWNED &&
                    r->shards[a->shard].incarnation == m->incarnation;
        struct outq *q = mine ? o->q[a->shard] : NULL;
        if (q && q->to == s->id) {
            ack_shard(r, q, a);
        }
    }
    org_want_dispatch(r, o);
}

/* -------------------------------------------------------- sessions that end */

static void count_death(reactor_t *r, struct outq *q)
{
    uint64_t head = q->acked + 1;
    q->dead_count = q->dead_head == head ? q->dead_count + 1 : 1;
    q->dead_head = head;
    if (q->dead_count < r->opt.dead_after_sessions || q->dying ||
        r->shards[q->shard].phase != SHARD_OWNED) {
        return;
    }
    q->dying = true;
    sto_log(STO_ERROR, "delivery_dead", "org", sto_i(q->org), "shard", sto_i(q->shard), "seq",
            sto_i((int64_t)head), NULL);
    struct row_dead row = {
        .shard = q->shard, .org = q->org, .seq = head, .why = "its sessions died on it"};
    VEC_PUSH(r->open->dead, row);
    batch_touch_shard(r, q->shard);
}

void outq_session_ended(reactor_t *r, struct peer_session *s, enum peer_end why)
{
    struct org *o = org_get(r, s->org);
    for (unsigned sh = 0; sh < r->opt.n_shards; sh++) {
        struct outq *q = o->q[sh];
        if (!q || q->to != s->id) {
            continue;
        }
        bool head_sent = q->n_rows > 0 && row_at(q, 0)->phase == ROW_SENT;
        for (unsigned i = 0; i < q->n_rows; i++) {
            struct orow *row = row_at(q, i);
            if (row->phase == ROW_SENT || row->phase == ROW_DEFERRED) {
                row->phase = ROW_READY;
                row->fresh_us = INT64_MIN;
                row->sent_bytes = 0;
            }
        }
        q->in_flight = q->n_deferred = q->next_ready = 0;
        q->to = 0;
        if (head_sent && why == END_DEAD) {
            count_death(r, q);
        }
    }
    org_want_dispatch(r, o);
}

/* The row stands in `dead` now: the stream goes on after it. */
void outq_dead_durable(reactor_t *r, const struct row_dead *d)
{
    if (d->redriven) {
        r->stats.dead_rows -= r->stats.dead_rows > 0;
        return;
    }
    struct org *o = org_get(r, d->org);
    struct outq *q = o->q[d->shard];
    r->stats.dead_rows++;
    if (!q || d->seq != q->acked + 1) {
        return; /* acked in the last moment */
    }
    q->dying = false;
    if (q->n_rows > 0) {
        struct orow *row = row_at(q, 0);
        if (row->phase == ROW_SENT) {
            credit_back(r, q, row);
        } else if (row->phase == ROW_DEFERRED) {
            q->n_deferred--;
        }
        row->phase = ROW_ACKED;
        advance(r, q);
    } else {
        q->acked++;
    }
    org_want_dispatch(r, o);
}

/* ---------------------------------------------------------------- backlog */

static void ask_backlog(reactor_t *r, struct outq *q)
{
    uint64_t last = q->acked + q->n_rows;
    if (q->loading || last >= q->head.durable || !window_has_room(r, q)) {
        return;
    }
    q->loading = true;
    q->load_upto = q->head.durable;
    q->load_tag = loads_ask(r, &(struct store_request){.kind = STORE_BACKLOG,
                                                       .shard = q->shard,
                                                       .org = q->org,
                                                       .after = last,
                                                       .limit = RX_BACKLOG_ROWS});
}

static void backlog_row(reactor_t *r, struct outq *q, const struct loaded_backlog *l)
{
    struct orow row = {
        .case_id = l->case_id, .phase = ROW_READY, .kind = l->kind, .fresh_us = INT64_MIN};
    struct content_aad aad = {.shard = q->shard,
                              .idx = l->seq,
                              .case_id = l->case_id,
                              .kind = CONTENT_OUTBOX,
                              .org = q->org};
    if (l->has_key && l->ct.n > 0) {
        struct sto_err err;
        row.p = sto_xcalloc(1, l->ct.n);
        int n = content_open(l->key, &aad, l->ct.p, l->ct.n, row.p, &err);
        row.n = n > 0 ? (uint32_t)n : 0;
        if (n < 0) {
            sto_log(STO_ERROR, "delivery_unreadable", "org", sto_i(q->org), "seq",
                    sto_i((int64_t)l->seq), NULL);
        }
    }
    *row_append(q) = row;
    r->out_row_bytes += row.n;
}

void outq_backlog(reactor_t *r, const struct store_result *res)
{
    const struct store_request *req = loads_of(r, res->tag);
    struct org *o = org_get(r, req->org);
    struct outq *q = o->q[req->shard];
    if (!q || q->load_tag != res->tag) {
        return;
    }
    q->loading = false;
    for (uint32_t i = 0; i < res->n_backlog; i++) {
        const struct loaded_backlog *l = &res->backlog[i];
        if (l->seq > q->head.durable) {
            break;
        }
        /* A row that is missing in between was acked or is dead: it counts as acked. */
        while (q->acked + q->n_rows + 1 < l->seq && l->seq > q->acked) {
            append_gone(q);
        }
        if (l->seq == q->acked + q->n_rows + 1) {
            backlog_row(r, q, l);
        }
    }
    if (res->n_backlog == 0 && req->after == q->acked + q->n_rows) {
        while (q->acked + q->n_rows < q->load_upto) {
            append_gone(q); /* all gone; what came since is not judged */
        }
    }
    advance(r, q);
    org_want_dispatch(r, o);
}

/* --------------------------------------------------------------- dispatch */

struct sending {
    struct peer_session *s;
    Saatto__V1__Delivery **v;
    unsigned n;
    size_t bytes;
};

static void flush(reactor_t *r, struct sending *d, uint32_t incarnation)
{
    if (d->n == 0) {
        return;
    }
    Saatto__V1__Deliveries m = SAATTO__V1__DELIVERIES__INIT;
    m.session = d->s->id;
    m.incarnation = incarnation;
    m.n_deliveries = d->n;
    m.deliveries = d->v;
    rx_frame(r, &d->s->peer, SAATTO__V1__FRAME_TYPE__DELIVERIES, &m.base);
    d->n = 0;
    d->bytes = 0;
}

/* The session with the highest hash, among those with credit: rendezvous. */
static uint64_t choose(reactor_t *r, const struct outq *q)
{
    struct peer_session *s;
    uint64_t best = 0, best_hash = 0;
    for (size_t i = 0; (s = table_next(&r->sessions, &i));) {
        if (s->org != q->org || s->credit_messages == 0) {
            continue;
        }
        uint64_t h = table_mix(s->id ^ r->opt.seed, ((uint64_t)q->shard << 16) | q->org);
        if (best == 0 || h > best_hash) {
            best = s->id;
            best_hash = h;
        }
    }
    return best;
}

static bool earlier_deferred(const struct outq *q, unsigned upto)
{
    const struct sto_uuid *id = &row_at(q, upto)->case_id;
    for (unsigned i = 0; i < upto && q->n_deferred > 0; i++) {
        const struct orow *row = row_at(q, i);
        if (row->phase == ROW_DEFERRED && sto_uuid_eq(&row->case_id, id)) {
            return true;
        }
    }
    return false;
}

static void deferred_again(reactor_t *r, struct outq *q)
{
    for (unsigned i = 0; i < q->n_rows && q->n_deferred > 0; i++) {
        struct orow *row = row_at(q, i);
        if (row->phase != ROW_DEFERRED) {
            continue;
        }
        if (row->again_mono_us <= r->mono_us) {
            row->phase = ROW_READY;
            row->fresh_us = INT64_MIN;
            q->n_deferred--;
            q->next_ready = i < q->next_ready ? i : q->next_ready;
        } else {
            rx_timer(r, row->again_mono_us);
        }
    }
}

static void put_delivery(reactor_t *r, struct outq *q, unsigned i, const uint8_t *p, size_t n,
                         struct sending *d)
{
    struct orow *row = row_at(q, i);
    Saatto__V1__Delivery *m = sto_arena_alloc(r->out->arena, sizeof(*m));
    uint8_t *body = sto_arena_alloc(r->out->arena, n + 1);
    STO_ASSERT(m && body);
    memcpy(body, p, n); /* the row may move before the frame is packed */
    saatto__v1__delivery__init(m);
    m->shard = q->shard;
    m->epoch = r->shards[q->shard].epoch;
    m->seq = q->acked + 1 + i;
    m->body.data = body;
    m->body.len = n;
    if (!d->v) {
        d->v = sto_arena_alloc(r->out->arena, STO_FRAME_MSGS_MAX * sizeof(Saatto__V1__Delivery *));
        STO_ASSERT(d->v);
    }
    d->v[d->n++] = m;
    d->bytes += n + 32;
    row->phase = ROW_SENT;
    row->sent_bytes = (uint32_t)n;
    q->in_flight++;
    d->s->out_messages++;
    d->s->out_bytes += (uint32_t)n;
    d->s->idle = d->s->asked = false;
}

enum sent { SENT_ONE, SENT_NONE, SENT_STOP };

static enum sent send_row(reactor_t *r, struct outq *q, unsigned i, struct sending *d)
{
    struct orow *row = row_at(q, i);
    struct peer_session *s = d->s;
    if (row->phase != ROW_READY || (q->n_deferred > 0 && earlier_deferred(q, i))) {
        return SENT_NONE;
    }
    const uint8_t *p = NULL;
    size_t n = 0;
    bool waits_for_case = false;
    if (row->n == 0 || delivery_again(r, q, row, r->out->arena, &p, &n, &waits_for_case) != 0) {
        row->phase = ROW_ACKED; /* erased with its key: nothing is left to send */
        return SENT_NONE;
    }
    bool full = s->out_messages >= s->credit_messages ||
                (s->out_messages > 0 && s->out_bytes + n > s->credit_bytes);
    if (waits_for_case || full) {
        return SENT_STOP;
    }
    if (d->n == STO_FRAME_MSGS_MAX || d->bytes + n + 64 > RX_FRAME_BYTES) {
        flush(r, d, r->shards[q->shard].incarnation);
    }
    put_delivery(r, q, i, p, n, d);
    return SENT_ONE;
}

static void dispatch_queue(reactor_t *r, struct outq *q, struct sending *d)
{
    deferred_again(r, q);
    unsigned i = q->next_ready;
    bool held = false;
    for (; i < q->n_rows; i++) {
        enum sent done = send_row(r, q, i, d);
        if (done == SENT_STOP) {
            break;
        }
        held = held || (done == SENT_NONE && row_at(q, i)->phase == ROW_READY);
        if (!held) {
            q->next_ready = i + 1;
        }
    }
    advance(r, q);
    if (q->next_ready >= q->n_rows) {
        ask_backlog(r, q);
    }
}

static void dispatch_org(reactor_t *r, struct org *o)
{
    if (o->sessions == 0) {
        return;
    }
    struct sending d = {0};
    uint32_t incarnation = 0;
    for (unsigned sh = 0; sh < r->opt.n_shards; sh++) {
        struct outq *q = o->q[sh];
        if (!q || outq_unacked(q) == 0 || r->shards[sh].phase != SHARD_OWNED) {
            continue;
        }
        if (q->to == 0 || (q->in_flight == 0 && q->n_deferred == 0)) {
            q->to = choose(r, q);
        }
        struct peer_session *s = peer_by_id(r, q->to);
        if (!s) {
            continue;
        }
        if (d.n > 0 && (d.s != s || incarnation != r->shards[sh].incarnation)) {
            flush(r, &d, incarnation);
        }
        d.s = s;
        incarnation = r->shards[sh].incarnation;
        dispatch_queue(r, q, &d);
    }
    flush(r, &d, incarnation);
}

void outbox_dispatch(reactor_t *r)
{
    struct org *o = r->dispatch;
    r->dispatch = NULL;
    while (o) {
        struct org *next = o->next_dispatch;
        o->dispatch = false;
        o->next_dispatch = NULL;
        if (r->cfg) {
            dispatch_org(r, o);
        }
        o = next;
    }
}

/* A case came into the cache: a resend may have waited for its consents. */
void outq_case_ready(reactor_t *r)
{
    struct org *o;
    if (!r->resend_waits) {
        return;
    }
    r->resend_waits = false;
    for (size_t i = 0; (o = table_next(&r->orgs, &i));) {
        org_want_dispatch(r, o);
    }
}

void outq_tick(reactor_t *r)
{
    struct org *o;
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        const struct shard *sh = &r->shards[i];
        r->open->trim = r->open->trim || (sh->phase == SHARD_OWNED && sh->trim);
    }
    for (size_t i = 0; (o = table_next(&r->orgs, &i));) {
        for (unsigned s = 0; s < r->opt.n_shards; s++) {
            const struct outq *q = o->q[s];
            if (q && q->acked > q->saved.going && r->shards[s].phase == SHARD_OWNED) {
                r->open->trim = true;
            }
        }
        if (o->sessions > 0) {
            org_want_dispatch(r, o);
        }
    }
}
