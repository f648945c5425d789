/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Redrive: dead deliveries go to the end of their outbox again, as new rows with the
 * old contents. Operators only. A job is one REDRIVE; its rows are kept inputs.
 */
#include <string.h>

#include "reactor_internal.h"
#include "sto_crypto.h"
#include "sto_log.h"

static void answer(reactor_t *r, uint64_t session, unsigned count, int code)
{
    const struct peer_session *s = peer_by_id(r, session);
    if (!s) {
        return;
    }
    Saatto__V1__Redriven m = SAATTO__V1__REDRIVEN__INIT;
    m.session = s->id;
    m.count = count;
    m.code = (uint32_t)code;
    rx_frame(r, &s->peer, SAATTO__V1__FRAME_TYPE__REDRIVEN, &m.base);
}

void redrive_ask(reactor_t *r, struct peer_session *s, const Saatto__V1__Redrive *m)
{
    if (!s->is_operator) {
        answer(r, s->id, 0, STO_E_NOT_ALLOWED);
        return;
    }
    if (m->shard >= r->opt.n_shards || r->shards[m->shard].phase != SHARD_OWNED) {
        answer(r, s->id, 0, STO_E_NOT_OWNER);
        return;
    }
    struct store_request req = {.kind = STORE_LOAD,
                                .what = LOAD_DEAD,
                                .shard = (uint16_t)m->shard,
                                .org = (uint16_t)m->organisation,
                                .after = m->seq};
    uint64_t tag = loads_ask(r, &req);
    struct redrive_job job = {.tag = tag, .session = s->id, .org = s->org};
    memcpy(job.key8, s->key8, sizeof(job.key8));
    VEC_PUSH(r->redrives, job);
}

static struct redrive_job *job_of(reactor_t *r, uint64_t tag)
{
    for (uint32_t i = 0; i < r->redrives.n; i++) {
        if (r->redrives.v[i].tag == tag) {
            return &r->redrives.v[i];
        }
    }
    return NULL;
}

static void job_step(reactor_t *r, struct redrive_job *job)
{
    if (job->left == 0) {
        answer(r, job->session, job->count, 0);
        *job = r->redrives.v[--r->redrives.n];
    }
}

void redrive_loaded(reactor_t *r, const struct store_result *res)
{
    struct redrive_job *job = job_of(r, res->tag);
    if (!job) {
        return;
    }
    for (uint32_t i = 0; i < res->n_dead && i < res->n_backlog; i++) {
        const struct loaded_backlog *l = &res->backlog[i];
        if (!l->has_key || l->ct.n == 0 || r->shards[res->dead[i].shard].phase != SHARD_OWNED) {
            continue; /* erased with its key: nothing is left to deliver */
        }
        struct redrive *d = sto_xcalloc(1, sizeof(*d));
        d->tag = res->tag;
        d->dead = res->dead[i];
        d->row = *l;
        d->ct = sto_xcalloc(1, l->ct.n);
        memcpy(d->ct, l->ct.p, l->ct.n);
        d->purpose = sto_xstrdup(l->purpose ? l->purpose : "");
        struct kept *k = kept_new(r, KEPT_REDRIVE, res->dead[i].shard, NULL, 0);
        k->case_id = l->case_id;
        k->redrive = d;
        k->event = ROW_REDRIVEN;
        k->org = job->org;
        memcpy(k->key8, job->key8, sizeof(k->key8));
        job->left++;
        kept_queue(r, k, NULL);
    }
    job_step(r, job);
}

static void put_row(reactor_t *r, const struct redrive *d, struct outq *q, const uint8_t *plain,
                    size_t n)
{
    struct row_outbox row = {.shard = q->shard,
                             .org = q->org,
                             .seq = ++q->head.now,
                             .case_id = d->row.case_id,
                             .kind = d->row.kind,
                             .categories = d->row.categories,
                             .basis_id = d->row.basis_id,
                             .basis_ver = d->row.basis_ver,
                             .dek = d->row.dek,
                             .queued_us = rx_domain_us(r)};
    struct content_aad aad = {.shard = row.shard,
                              .idx = row.seq,
                              .case_id = row.case_id,
                              .kind = CONTENT_OUTBOX,
                              .org = row.org};
    uint8_t *ct = batch_alloc(r, n + STO_AEAD_OVERHEAD);
    content_seal(d->row.key, &r->nonces, &aad, plain, n, ct);
    row.ct = (struct blob){ct, (uint32_t)(n + STO_AEAD_OVERHEAD)};
    row.purpose = batch_text(r, d->purpose);
    VEC_PUSH(r->open->outbox, row);
    struct pending_row p = {.q = q,
                            .seq = row.seq,
                            .row = {.case_id = row.case_id,
                                    .phase = ROW_READY,
                                    .kind = row.kind,
                                    .fresh_us = INT64_MIN,
                                    .n = (uint32_t)n}};
    p.row.p = sto_xcalloc(1, n + 1);
    memcpy(p.row.p, plain, n);
    VEC_PUSH(r->open->rows, p);
}

enum apply_result redrive_apply(reactor_t *r, struct kept *k)
{
    struct redrive *d = k->redrive;
    struct outq *q = outq_get(r, d->dead.shard, d->dead.org);
    struct content_aad aad = {.shard = d->dead.shard,
                              .idx = d->row.seq,
                              .case_id = d->row.case_id,
                              .kind = CONTENT_OUTBOX,
                              .org = d->dead.org};
    struct sto_err err;
    uint8_t *plain = sto_arena_alloc(r->fact_arena, d->row.ct.n);
    STO_ASSERT(plain);
    int n = content_open(d->row.key, &aad, d->ct, d->row.ct.n, plain, &err);
    batch_touch_shard(r, d->dead.shard);
    if (n >= 0) {
        put_row(r, d, q, plain, (size_t)n);
        if (!q->touched) {
            q->touched = true;
            VEC_PUSH(r->open->outqs, q);
        }
        struct row_dead dead = {.shard = d->dead.shard,
                                .org = d->dead.org,
                                .seq = d->row.seq,
                                .why = "",
                                .redriven = true};
        VEC_PUSH(r->open->dead, dead);
    } else {
        sto_log(STO_ERROR, "redrive_unreadable", "what", err.what, NULL);
        k->code = STO_E_CRYPTO;
    }
    /* An event of the log, so that a batch in doubt can be settled by it; and who did it stands
     * there. */
    rows_event(r, k, NULL, NULL, shard_now(r, &r->shards[k->shard]));
    kept_applied(r, k);
    return APPLY_DONE;
}

/* Its batch is durable, or its shard is another core's. */
void redrive_durable(reactor_t *r, struct kept *k)
{
    struct redrive_job *job = job_of(r, k->redrive->tag);
    if (!job) {
        return;
    }
    job->left--;
    job->count += k->where == KEPT_GOING && k->code == 0;
    job_step(r, job);
}
