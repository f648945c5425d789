/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The open batch, its closing, what follows when it is durable, and throwing both
 * batches away. There is no timer: a batch closes when the connection is free.
 */
#include "reactor_internal.h"

#include <limits.h>
#include <string.h>

#include "sto_crypto.h"

void batch_init(reactor_t *r)
{
    r->open = &r->b[0];
    r->going = &r->b[1];
}

static void clear(struct open_batch *b)
{
    for (uint32_t i = 0; i < b->rows.n; i++) {
        free(b->rows.v[i].row.p); /* those that went into a queue were taken out */
    }
    for (uint32_t i = 0; i < b->posts.n; i++) {
        free(b->posts.v[i].p);
    }
    sto_arena_destroy(&b->arena);
    free(b->settle);
    b->settle = NULL;
    b->events.n = b->ledger.n = b->outbox.n = b->mails.n = b->dead.n = 0;
    b->inputs.n = b->dirty.n = b->lanes.n = b->outqs.n = b->cursors.n = 0;
    b->rows.n = b->posts.n = 0;
    b->encoded = 0;
    b->bytes = 0;
    b->clock_us = 0;
    b->trim = b->mail_in = false;
}

void batch_release(reactor_t *r)
{
    for (unsigned i = 0; i < sizeof(r->b) / sizeof(r->b[0]); i++) {
        struct open_batch *b = &r->b[i];
        clear(b);
        free(b->events.v);
        free(b->ledger.v);
        free(b->outbox.v);
        free(b->mails.v);
        free(b->dead.v);
        free(b->inputs.v);
        free(b->dirty.v);
        free(b->lanes.v);
        free(b->outqs.v);
        free(b->cursors.v);
        free(b->rows.v);
        free(b->posts.v);
    }
}

void batch_touch_shard(reactor_t *r, uint16_t shard)
{
    STO_ASSERT(r->shards[shard].phase == SHARD_OWNED);
    r->shards[shard].touched = true;
}

bool batch_has_room(const reactor_t *r)
{
    return r->open->inputs.n < r->batch_limit && r->open->bytes < STO_BATCH_BYTES_MAX;
}

bool batch_empty(const struct open_batch *b)
{
    return b->events.n == 0 && !b->mail_in && b->dead.n == 0 && b->clock_us == 0 && !b->trim;
}

void *batch_alloc(reactor_t *r, size_t n)
{
    struct open_batch *b = r->open;
    if (!b->arena) {
        b->arena = sto_arena_new(RX_ARENA_BYTES);
    }
    void *p = sto_arena_alloc(b->arena, n);
    STO_ASSERT(p); /* a batch closes long before */
    b->bytes += n;
    return p;
}

const char *batch_text(reactor_t *r, const char *text)
{
    size_t n = strlen(text) + 1;
    return n > 1 ? memcpy(batch_alloc(r, n), text, n) : "";
}

/* --------------------------------------------------------------- closing */

#define COPY_OUT(r, dst, n_dst, vec)                                                               \
    do {                                                                                           \
        (n_dst) = (vec).n;                                                                         \
        if ((vec).n > 0) {                                                                         \
            (dst) = batch_alloc((r), (vec).n * sizeof(*(vec).v));                                  \
            memcpy((dst), (vec).v, (vec).n * sizeof(*(vec).v));                                    \
        }                                                                                          \
    } while (0)

/* By shard, keeping the order inside each. */
static void put_events(reactor_t *r, struct batch *out)
{
    const struct open_batch *b = r->open;
    uint32_t at[STO_SHARDS_MAX + 1] = {0};
    out->n_events = b->events.n;
    if (b->events.n == 0) {
        return;
    }
    out->events = batch_alloc(r, b->events.n * sizeof(*out->events));
    for (uint32_t i = 0; i < b->events.n; i++) {
        at[b->events.v[i].shard + 1]++;
    }
    for (unsigned s = 0; s < STO_SHARDS_MAX; s++) {
        at[s + 1] += at[s];
    }
    for (uint32_t i = 0; i < b->events.n; i++) {
        out->events[at[b->events.v[i].shard]++] = b->events.v[i];
    }
}

static struct blob out_of(reactor_t *r, const struct sto_buf *b)
{
    STO_ASSERT(!b->failed);
    uint8_t *p = batch_alloc(r, b->len);
    memcpy(p, b->data, b->len);
    return (struct blob){p, (uint32_t)b->len};
}

/* The long part of a case's row: its state, and its contents encrypted. */
static void encode(reactor_t *r, struct centry *e)
{
    sto_buf_clear(&r->buf);
    if (e->session) {
        shared_encode(e->ses, &r->buf);
    } else {
        state_encode(e->state, &r->buf);
    }
    e->skeleton_row = out_of(r, &r->buf);
    e->data_row = (struct blob){0};
    if (!e->session && e->n_data > 0 && e->has_key) {
        struct content_aad aad = {
            .shard = e->shard, .idx = e->state->seq, .case_id = e->id, .kind = CONTENT_DATA};
        uint8_t *ct = batch_alloc(r, e->n_data + STO_AEAD_OVERHEAD);
        content_seal(e->key, &r->nonces, &aad, e->data, e->n_data, ct);
        e->data_row = (struct blob){ct, e->n_data + (uint32_t)STO_AEAD_OVERHEAD};
    }
}

/*
 * Between two commits the database waits for the closing alone: so what can be done before is done
 * while the commit before is under way. A case that changes again is encoded again.
 */
void batch_encode_ahead(reactor_t *r)
{
    struct open_batch *b = r->open;
    if (r->commit == COMMIT_FREE) {
        return;
    }
    size_t bytes = b->bytes; /* the limit is meant for what inputs bring */
    for (; b->encoded < b->dirty.n; b->encoded++) {
        encode(r, b->dirty.v[b->encoded]);
    }
    b->bytes = bytes;
}

static void fill_session(reactor_t *r, const struct centry *e, struct row_case *row)
{
    const struct service *svc = network_service(r->cfg->net, e->service);
    row->aggregate = 1;
    row->seq = e->ses->seq;
    row->open = true;
    row->holder_org = svc ? svc->org : 0;
    row->holder_desk = svc ? svc->desk : 0;
    row->workflow_id = "";
}

static void fill_case(reactor_t *r, const struct centry *e, struct row_case *row)
{
    const struct case_state *s = e->state;
    row->seq = s->seq;
    row->open = s->status == CASE_OPEN;
    row->holder_org = s->holder.org;
    row->holder_desk = s->holder.desk;
    memcpy(row->workflow, s->workflow, sizeof(row->workflow));
    row->workflow_id = batch_text(r, e->wf->w->id);
    row->client = s->client;
    row->once = e->once;
}

/*
 * A row may wake its case too early, never too late. So `wake` stays as it stands while that lies
 * ahead of the window and not behind the true instant: its column has an index, and an update that
 * leaves it alone touches no index at all (HOT).
 */
static int32_t wake_of(const reactor_t *r, struct centry *e, int64_t due)
{
    int32_t want = cw_hour_of(due);
    bool keep = !e->is_new && want != INT32_MAX && e->wake_h <= want &&
                e->wake_h > r->shards[e->shard].asked_h;

    e->wake_h = keep ? e->wake_h : want;
    return e->wake_h;
}

static void put_cases(reactor_t *r, struct batch *out)
{
    const struct open_batch *b = r->open;
    out->n_cases = b->dirty.n;
    if (b->dirty.n == 0) {
        return;
    }
    out->cases = batch_alloc(r, b->dirty.n * sizeof(*out->cases));
    for (uint32_t i = 0; i < b->dirty.n; i++) {
        struct centry *e = b->dirty.v[i];
        struct row_case *row = &out->cases[i];
        int64_t due = case_next_due(r, e);
        row->shard = e->shard;
        row->case_id = e->id;
        row->is_new = e->is_new;
        row->next_due_us = due;
        row->wake_h = wake_of(r, e, due);
        row->dek = e->dek;
        if (e->session) {
            fill_session(r, e, row);
        } else {
            fill_case(r, e, row);
        }
        if (e->skeleton_row.p == NULL) {
            encode(r, e);
        }
        row->skeleton = e->skeleton_row;
        row->data_ct = e->data_row;
        e->skeleton_row = e->data_row = (struct blob){0}; /* the arena is the request's now */
        e->is_new = false;
        e->dirty = (uint8_t)((e->dirty & ~DIRTY_OPEN) | DIRTY_GOING);
    }
}

static void put_watermarks(reactor_t *r, struct batch *out)
{
    struct open_batch *b = r->open;
    out->inbox = batch_alloc(r, (b->lanes.n + 1) * sizeof(*out->inbox));
    out->mails_in = batch_alloc(r, (b->lanes.n + 1) * sizeof(*out->mails_in));
    for (uint32_t i = 0; i < b->lanes.n; i++) {
        struct lane *lane = b->lanes.v[i];
        lane->applied.going = lane->applied.now;
        lane->touched = false;
        if (lane->key.kind == LANE_STREAM) {
            out->inbox[out->n_inbox++] = (struct row_inbox){lane->key.shard, lane->key.org,
                                                            lane->key.stream, lane->applied.now};
        } else {
            out->mails_in[out->n_mails_in++] =
                (struct row_mail_in){lane->key.shard, lane->key.org, lane->applied.now};
            r->shards[lane->key.shard].trim = true;
        }
    }
    for (uint32_t i = 0; i < b->outqs.n; i++) {
        b->outqs.v[i]->head.going = b->outqs.v[i]->head.now;
        b->outqs.v[i]->touched = false;
    }
}

/* Acks ride along with whatever goes; alone they wait for the trim of each second. */
static void put_cursors(reactor_t *r, struct batch *out)
{
    struct open_batch *b = r->open;
    struct org *o;
    uint32_t n = 0;
    for (size_t i = 0; (o = table_next(&r->orgs, &i));) {
        for (unsigned s = 0; s < r->opt.n_shards; s++) {
            struct outq *q = o->q[s];
            if (q && q->acked > q->saved.going && r->shards[s].phase == SHARD_OWNED) {
                VEC_PUSH(b->cursors, q);
                n++;
            }
        }
    }
    if (n == 0) {
        return;
    }
    out->cursors = batch_alloc(r, n * sizeof(*out->cursors));
    for (uint32_t i = 0; i < n; i++) {
        struct outq *q = b->cursors.v[i];
        q->saved.going = q->acked;
        out->cursors[out->n_cursors++] = (struct row_cursor){q->shard, q->org, q->acked};
        r->shards[q->shard].touched = true;
        r->shards[q->shard].trim = true;
    }
}

static void put_shards(reactor_t *r, struct batch *out)
{
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        struct shard *sh = &r->shards[i];
        bool named = sh->touched || (r->open->trim && sh->trim) || r->open->clock_us != 0;
        if (!named || sh->phase != SHARD_OWNED) {
            continue;
        }
        out->shards[out->n_shards].shard = sh->number;
        out->shards[out->n_shards].epoch = sh->epoch;
        out->n_shards++;
        sh->touched = false;
        sh->idx.going = sh->idx.now;
        sh->last_going_us = sh->last_us;
        sh->trim = sh->trim && !r->open->trim;
        for (unsigned d = 0; d < r->opt.n_shards; d++) {
            sh->mail_out[d].going = sh->mail_out[d].now;
        }
    }
}

/* All that SETTLE needs, should this batch end in doubt. */
static void remember(struct open_batch *b, const struct batch *out)
{
    b->settle = sto_xcalloc(1, sizeof(*b->settle) + sizeof(struct row_event));
    *b->settle = (struct batch){.number = out->number, .config = out->config};
    memcpy(b->settle->shards, out->shards, sizeof(out->shards));
    b->settle->n_shards = out->n_shards;
    if (out->n_events > 0) {
        struct row_event *first = (struct row_event *)(b->settle + 1);
        *first = (struct row_event){.shard = out->events[0].shard,
                                    .idx = out->events[0].idx,
                                    .epoch = out->events[0].epoch,
                                    .case_id = out->events[0].case_id,
                                    .answer = ""};
        b->settle->events = first;
        b->settle->n_events = 1;
    }
}

static struct open_batch *free_slot(reactor_t *r)
{
    struct open_batch *b = r->b;
    while (b == r->going || b == r->leaving) {
        b++;
    }
    return b;
}

void batch_close(reactor_t *r)
{
    struct open_batch *b = r->open;
    if (r->commit != COMMIT_FREE || !r->cfg || batch_empty(b)) {
        return;
    }
    struct batch *out = batch_alloc(r, sizeof(*out));
    out->number = b->number = ++r->batch_number;
    out->config = r->cfg->number;
    out->trim = b->trim;
    out->clock_us = b->clock_us;
    put_events(r, out);
    put_cases(r, out);
    COPY_OUT(r, out->ledger, out->n_ledger, b->ledger);
    COPY_OUT(r, out->outbox, out->n_outbox, b->outbox);
    COPY_OUT(r, out->mails, out->n_mails, b->mails);
    COPY_OUT(r, out->dead, out->n_dead, b->dead);
    put_watermarks(r, out);
    put_cursors(r, out);
    put_shards(r, out);
    STO_ASSERT(out->n_shards > 0); /* a guard over nothing lets everything through */
    remember(b, out);
    for (uint32_t i = 0; i < b->inputs.n; i++) {
        b->inputs.v[i]->where = KEPT_GOING;
    }
    struct store_request *req = rx_request(r, STORE_COMMIT);
    req->batch = out;
    req->arena = b->arena;
    b->arena = NULL;
    b->submitted_mono_us = r->mono_us;
    r->going = b;
    r->open = free_slot(r);
    r->commit = COMMIT_UNDER_WAY;
    rx_submit(r, req);
}

/* --------------------------------------------------------------- durable */

static void heads_durable(reactor_t *r, const struct open_batch *b)
{
    for (uint32_t i = 0; i < b->settle->n_shards; i++) {
        struct shard *sh = &r->shards[b->settle->shards[i].shard];
        sh->idx.durable = sh->idx.going;
        sh->last_durable_us = sh->last_going_us;
        for (unsigned d = 0; d < r->opt.n_shards; d++) {
            sh->mail_out[d].durable = sh->mail_out[d].going;
        }
    }
    for (uint32_t i = 0; i < b->lanes.n; i++) {
        b->lanes.v[i]->applied.durable = b->lanes.v[i]->applied.going;
    }
    for (uint32_t i = 0; i < b->outqs.n; i++) {
        b->outqs.v[i]->head.durable = b->outqs.v[i]->head.going;
    }
    for (uint32_t i = 0; i < b->cursors.n; i++) {
        b->cursors.v[i]->saved.durable = b->cursors.v[i]->saved.going;
    }
}

static void hand_over_mail(reactor_t *r, const struct open_batch *b)
{
    for (uint32_t i = 0; i < b->posts.n; i++) {
        const struct pending_mail *m = &b->posts.v[i];
        if (r->shards[m->dst].phase != SHARD_OWNED) {
            continue; /* its owner finds the row */
        }
        struct lane *lane =
            lane_get(r, &(struct lane_key){.kind = LANE_MAIL, .shard = m->dst, .org = m->src});
        if (m->seq == lane->taken + 1) {
            struct kept *k = kept_new(r, KEPT_MAIL, m->dst, m->p, m->n);
            k->seq = m->seq;
            kept_queue(r, k, lane);
        }
    }
}

static unsigned bucket_of(double v, const double *upper, unsigned n)
{
    unsigned i = 0;
    while (i < n && v > upper[i]) {
        i++;
    }
    return i;
}

static void count_batch(reactor_t *r, const struct open_batch *b)
{
    static const double seconds[11] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
                                       0.05,   0.1,   0.2,   0.5,   1};
    static const double events[11] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
    double took = (double)(r->mono_us - b->submitted_mono_us) / 1e6;
    r->stats.batches++;
    r->stats.batch_events_last = b->events.n;
    r->stats.events_committed += b->events.n;
    r->stats.commit_seconds_sum += took;
    r->stats.commit_bucket[bucket_of(took, seconds, 11)]++;
    r->stats.batch_bucket[bucket_of((double)b->events.n, events, 11)]++;
}

static void give_back_inputs(reactor_t *r, struct open_batch *b)
{
    for (uint32_t i = 0; i < b->inputs.n; i++) {
        struct kept *k = b->inputs.v[i];
        kept_free(r, k);
    }
    b->inputs.n = 0;
}

/* Now, and only now, may anything of the batch leave. */
void batch_durable(reactor_t *r, bool next_first)
{
    struct open_batch *b = r->going;
    STO_ASSERT(b->settle && !r->leaving);
    count_batch(r, b);
    heads_durable(r, b);
    for (uint32_t i = 0; i < b->dirty.n; i++) {
        b->dirty.v[i]->dirty &= (uint8_t)~DIRTY_GOING;
        case_clean(r, b->dirty.v[i]);
    }
    b->dirty.n = 0;
    r->leaving = b;
    if (next_first && b->clock_us == 0) {
        batch_close(r);
    }
    if (r->commit == COMMIT_FREE) {
        batch_leave(r);
    }
}

void batch_leave(reactor_t *r)
{
    struct open_batch *b = r->leaving;
    if (!b) {
        return;
    }
    r->leaving = NULL;
    inbox_receipts(r, b);
    for (uint32_t i = 0; i < b->rows.n; i++) {
        outq_durable(r, &b->rows.v[i]);
    }
    for (uint32_t i = 0; i < b->dead.n; i++) {
        outq_dead_durable(r, &b->dead.v[i]);
    }
    hand_over_mail(r, b);
    give_back_inputs(r, b);
    if (b->clock_us != 0) {
        barrier_durable(r, b->clock_us);
    }
    clear(b);
}

/* -------------------------------------------------------------- throwing */

static void heads_back(reactor_t *r)
{
    struct org *o;
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        struct shard *sh = &r->shards[i];
        sh->idx.now = sh->idx.going = sh->idx.durable;
        sh->last_us = sh->last_going_us = sh->last_durable_us;
        sh->touched = false;
        sh->trim = true;
        for (unsigned d = 0; d < r->opt.n_shards; d++) {
            sh->mail_out[d].now = sh->mail_out[d].going = sh->mail_out[d].durable;
        }
    }
    for (size_t i = 0; (o = table_next(&r->orgs, &i));) {
        for (unsigned s = 0; s < r->opt.n_shards; s++) {
            struct outq *q = o->q[s];
            if (q) {
                q->head.now = q->head.going = q->head.durable;
                q->saved.going = q->saved.durable;
                q->touched = q->dying = false;
            }
        }
    }
}

/* Lanes first: a dropped entry must have no waiters. */
void batch_throw(reactor_t *r)
{
    STO_ASSERT(!r->leaving); /* what is durable is not thrown away */
    for (unsigned i = 0; i < sizeof(r->b) / sizeof(r->b[0]); i++) {
        struct open_batch *b = &r->b[i];
        for (uint32_t j = 0; j < b->lanes.n; j++) {
            struct lane *lane = b->lanes.v[j];
            lane->applied.now = lane->applied.going = lane->applied.durable;
            lane->touched = false;
        }
    }
    kept_rewind(r);
    struct open_batch *both[2] = {r->going, r->open};
    for (unsigned i = 0; i < 2; i++) {
        struct open_batch *b = both[i];
        for (uint32_t j = 0; j < b->dirty.n; j++) {
            struct centry *e = b->dirty.v[j];
            if (b == r->going && (e->dirty & DIRTY_OPEN)) {
                continue; /* stands in the open batch too, dropped there */
            }
            case_drop(r, e);
        }
        clear(b);
    }
    clients_reset(r);
    heads_back(r);
    cw_thrown(r);
}
