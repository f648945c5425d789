/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The rows of one applied input in the open batch: event with its leaf, ledger,
 * outbox, mail. The case row is written once for each batch, when it closes.
 */
#include <string.h>

#include "reactor_internal.h"
#include "sto_crypto.h"
#include "sto_log.h"

int64_t shard_now(const reactor_t *r, const struct shard *sh)
{
    int64_t now = rx_domain_us(r);
    return now > sh->last_us ? now : sh->last_us + 1;
}

static struct blob put_blob(reactor_t *r, const void *p, size_t n)
{
    if (n == 0) {
        return (struct blob){0};
    }
    uint8_t *q = batch_alloc(r, n);
    memcpy(q, p, n);
    return (struct blob){q, (uint32_t)n};
}

static struct blob seal(reactor_t *r, const struct centry *e, const struct content_aad *aad,
                        const void *p, size_t n)
{
    uint8_t *ct = batch_alloc(r, n + STO_AEAD_OVERHEAD);
    content_seal(e->key, &r->nonces, aad, p, n, ct);
    return (struct blob){ct, (uint32_t)(n + STO_AEAD_OVERHEAD)};
}

static void make_leaf(struct row_event *row, const struct fact *f, uint8_t out[32])
{
    struct leaf l = {.shard = row->shard,
                     .idx = row->idx,
                     .ts_us = row->ts_us,
                     .kind = row->kind,
                     .epoch = row->epoch,
                     .actor_org = row->org,
                     .evidence = row->evidence,
                     .case_id = row->case_id,
                     .case_seq = row->case_seq};
    if (f) {
        l.before = f->before;
        l.after = f->after;
    }
    memcpy(l.actor_key, row->key, sizeof(l.actor_key));
    memcpy(l.config_hash, row->config_hash, 32);
    memcpy(l.msg_hash, row->msg_hash, 32);
    memcpy(l.key_commitment, row->key_commitment, 32);
    sto_sha256(row->fact.p, row->fact.n, l.fact_hash);
    sto_sha256(row->ct.p, row->ct.n, l.ct_hash);
    leaf_hash(&l, out);
}

static uint8_t row_kind(const struct kept *k, const struct fact *f)
{
    if (f) {
        return f->kind;
    }
    return k->parked ? EVENT_PARKED : k->event;
}

void rows_event(reactor_t *r, struct kept *k, struct centry *e, const struct fact *f,
                int64_t now_us)
{
    struct shard *sh = &r->shards[k->shard];
    struct row_event row = {.shard = k->shard,
                            .idx = sh->idx.now++,
                            .epoch = sh->epoch,
                            .case_id = k->case_id,
                            .case_seq = f ? f->seq : 0,
                            .kind = row_kind(k, f),
                            .ts_us = now_us,
                            .org = k->org,
                            .code = k->code,
                            .answer = "",
                            .evidence = k->org ? EVIDENCE_ORG : EVIDENCE_BROKER};
    sh->last_us = now_us;
    batch_touch_shard(r, k->shard);
    memcpy(row.key, k->key8, sizeof(row.key));
    memcpy(row.msg_hash, k->msg_hash, sizeof(row.msg_hash));
    memcpy(row.config_hash, r->cfg->hash, sizeof(row.config_hash));
    if (k->kind == KEPT_EVENT) {
        row.stream = k->lane->key.stream;
        row.seq = k->seq;
    }
    if (k->what) {
        row.answer = batch_text(r, k->what);
    }
    if (f) {
        sto_buf_clear(&r->buf);
        fact_encode(f, &r->buf);
        STO_ASSERT(!r->buf.failed);
        row.fact = put_blob(r, r->buf.data, r->buf.len);
    }
    bool keyed = e && e->has_key && (e->exists || k->parked);
    if (keyed) {
        row.dek = e->dek;
        memcpy(row.key_commitment, e->commitment, sizeof(row.key_commitment));
    }
    if (keyed && k->kind == KEPT_EVENT) {
        struct content_aad aad = {
            .shard = row.shard, .idx = row.idx, .case_id = row.case_id, .kind = CONTENT_EVENT};
        row.ct = seal(r, e, &aad, k->body, k->n);
    }
    make_leaf(&row, f, row.leaf);
    memcpy(k->leaf, row.leaf, sizeof(k->leaf));
    VEC_PUSH(r->open->events, row);
    r->open->bytes += sizeof(row);
}

/* ---------------------------------------------------------------- facts */

static void ledger_row(reactor_t *r, const struct applied *a, uint32_t n, int64_t since_us,
                       struct party who, int64_t prev_since_us)
{
    struct row_ledger row = {.shard = a->e->shard,
                             .case_id = a->e->id,
                             .n = n,
                             .since_us = since_us,
                             .org = who.org,
                             .desk = who.desk,
                             .event_idx = r->shards[a->e->shard].idx.now - 1,
                             .prev_since_us = prev_since_us};
    VEC_PUSH(r->open->ledger, row);
    r->open->bytes += sizeof(row);
}

/* One change point when somebody else is responsible (or nobody, at the end). */
static void rows_ledger(reactor_t *r, const struct applied *a)
{
    if (!a->before) {
        return;
    }
    const struct case_state *b = a->before, *s = a->e->state;
    if (b->status == CASE_NONE) {
        ledger_row(r, a, 0, s->opened_us, s->ledger_n == 0 ? a->f->after : a->f->actor, 0);
    }
    if (s->ledger_n > b->ledger_n) {
        STO_ASSERT(s->ledger_n == b->ledger_n + 1);
        int64_t prev = b->status == CASE_NONE ? s->opened_us : b->ledger_since_us;
        ledger_row(r, a, s->ledger_n, s->ledger_since_us, a->f->after, prev);
    }
}

static uint16_t first_basis(const struct send *s, uint16_t *version)
{
    for (unsigned c = 0; c < STO_CATEGORIES_MAX; c++) {
        if (s->categories & (1u << c)) {
            *version = s->basis_ver[c];
            return s->basis[c];
        }
    }
    *version = 0;
    return 0;
}

static void row_send(reactor_t *r, const struct applied *a, const struct send *s)
{
    struct sto_err err = {0};
    struct centry *e = a->e;
    if (s->to.org == 0) {
        return;
    }
    if (delivery_build(r, a, s, &r->buf2, &err) != 0) {
        char id[37];
        sto_log(STO_ERROR, "delivery_too_large", "case", sto_uuid_format(&e->id, id), "what",
                err.what, NULL);
        return;
    }
    struct outq *q = outq_get(r, e->shard, s->to.org);
    struct row_outbox row = {.shard = e->shard,
                             .org = s->to.org,
                             .seq = ++q->head.now,
                             .case_id = e->id,
                             .kind = s->kind,
                             .categories = s->categories,
                             .purpose = batch_text(r, e->session ? "" : e->wf->w->purpose),
                             .dek = e->dek,
                             .queued_us = a->now_us};
    row.basis_id = first_basis(s, &row.basis_ver);
    struct content_aad aad = {.shard = row.shard,
                              .idx = row.seq,
                              .case_id = row.case_id,
                              .kind = CONTENT_OUTBOX,
                              .org = row.org};
    row.ct = seal(r, e, &aad, r->buf2.data, r->buf2.len);
    VEC_PUSH(r->open->outbox, row);
    r->open->bytes += sizeof(row);
    if (!q->touched) {
        q->touched = true;
        VEC_PUSH(r->open->outqs, q);
    }
    struct pending_row p = {.q = q,
                            .seq = row.seq,
                            .row = {.case_id = e->id,
                                    .phase = ROW_READY,
                                    .fresh_us = rx_domain_us(r),
                                    .kind = s->kind,
                                    .n = (uint32_t)r->buf2.len}};
    p.row.p = sto_xcalloc(1, r->buf2.len + 1);
    memcpy(p.row.p, r->buf2.data, r->buf2.len);
    VEC_PUSH(r->open->rows, p);
}

static void row_mail(reactor_t *r, const struct applied *a, const struct mail *m)
{
    uint16_t dst = (uint16_t)sto_uuid_shard(&m->dst, r->opt.n_shards);
    struct shard *sh = &r->shards[a->e->shard];
    sto_buf_clear(&r->buf2);
    mail_encode(m, &r->buf2);
    STO_ASSERT(!r->buf2.failed && r->buf2.data);
    struct row_mail row = {.src = sh->number,
                           .dst = dst,
                           .seq = ++sh->mail_out[dst].now,
                           .body = put_blob(r, r->buf2.data, r->buf2.len)};
    VEC_PUSH(r->open->mails, row);
    struct pending_mail post = {.src = row.src, .dst = dst, .seq = row.seq, .n = row.body.n};
    post.p = sto_xcalloc(1, r->buf2.len + 1);
    memcpy(post.p, r->buf2.data, r->buf2.len);
    VEC_PUSH(r->open->posts, post);
    r->open->bytes += sizeof(row);
}

void rows_fact(reactor_t *r, const struct applied *a)
{
    rows_ledger(r, a);
    for (unsigned i = 0; i < a->f->n_sends; i++) {
        row_send(r, a, &a->f->sends[i]);
    }
    for (unsigned i = 0; i < a->f->n_mails; i++) {
        row_mail(r, a, &a->f->mails[i]);
    }
}
