/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Becoming and ceasing to be the owner of a shard. A fresh owner starts from the
 * shard's head alone; everything else is read when it is needed.
 *
 * Every shard is taken twice: in the first round the former owner may still send
 * mail from a shard that is not taken yet to one that is; the heads of the second
 * round, when nobody else can write, miss nothing.
 */
#include "reactor_internal.h"

#include <string.h>

#include "sto_log.h"

static void take_all(reactor_t *r)
{
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        r->shards[i].phase = SHARD_TAKING;
        loads_ask(r, &(struct store_request){.kind = STORE_TAKE_OVER, .shard = (uint16_t)i});
    }
}

bool taking_over(const reactor_t *r)
{
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        if (r->shards[i].phase == SHARD_TAKING) {
            return true;
        }
    }
    return false;
}

void takeover_start(reactor_t *r)
{
    r->first_round = r->opt.n_shards;
    take_all(r);
}

static void track_set(struct track *t, uint64_t v)
{
    *t = (struct track){v, v, v};
}

static void streams(reactor_t *r, const struct shard_head *h)
{
    for (uint32_t i = 0; i < h->n_inbox; i++) {
        const struct row_inbox *w = &h->inbox[i];
        lane_watermark(
            r,
            &(struct lane_key){
                .kind = LANE_STREAM, .shard = h->shard, .org = w->org, .stream = w->stream},
            w->last);
    }
    for (uint32_t i = 0; i < h->n_mails_in; i++) {
        const struct row_mail_in *m = &h->mails_in[i];
        lane_watermark(r, &(struct lane_key){.kind = LANE_MAIL, .shard = h->shard, .org = m->src},
                       m->upto);
    }
}

static void queues(reactor_t *r, const struct shard_head *h)
{
    for (uint32_t i = 0; i < h->n_heads; i++) {
        struct outq *q = outq_get(r, h->shard, h->heads[i].org);
        track_set(&q->head, h->heads[i].acked);
    }
    for (uint32_t i = 0; i < h->n_cursors; i++) {
        struct outq *q = outq_get(r, h->shard, h->cursors[i].org);
        q->acked = h->cursors[i].acked;
        track_set(&q->saved, q->acked);
        if (q->head.now < q->acked) { /* its rows are all deleted */
            track_set(&q->head, q->acked);
        }
    }
    for (size_t i = 0;;) {
        struct org *o = table_next(&r->orgs, &i);
        if (!o) {
            break;
        }
        struct outq *q = o->q[h->shard];
        if (q) {
            r->n_outbox_rows += outq_unacked(q);
            org_want_dispatch(r, o);
        }
    }
}

static void mails(reactor_t *r, const struct shard_head *h)
{
    for (uint32_t i = 0; i < h->n_mails; i++) {
        const struct row_mail *m = &h->mails[i];
        struct lane *lane =
            lane_get(r, &(struct lane_key){.kind = LANE_MAIL, .shard = h->shard, .org = m->src});
        if (m->seq != lane->taken + 1) {
            continue; /* handed over in memory already, or a stranger's */
        }
        struct kept *k = kept_new(r, KEPT_MAIL, h->shard, m->body.p, m->body.n);
        k->seq = m->seq;
        kept_queue(r, k, lane);
    }
}

void takeover_done(reactor_t *r, const struct store_result *res)
{
    const struct shard_head *h = &res->head;
    STO_ASSERT(h->shard < r->opt.n_shards);
    struct shard *sh = &r->shards[h->shard];
    if (r->first_round > 0) {
        if (--r->first_round == 0) {
            take_all(r);
        }
        return;
    }
    sh->phase = SHARD_OWNED;
    sh->uncounted = true;
    sh->epoch = h->epoch;
    sh->incarnation = h->incarnation;
    track_set(&sh->idx, h->next_idx);
    sh->last_us = sh->last_going_us = sh->last_durable_us = h->last_us;
    sh->restart_from_us = h->last_us;
    sh->restart_at_us = 0;
    sh->horizon_h = sh->asked_h = INT32_MIN;
    sh->load_tag_min = r->tag + 1;
    memset(sh->mail_out, 0, r->opt.n_shards * sizeof(*sh->mail_out));
    for (uint32_t i = 0; i < h->n_mails_out; i++) {
        STO_ASSERT(h->mails_out[i].dst < r->opt.n_shards);
        track_set(&sh->mail_out[h->mails_out[i].dst], h->mails_out[i].upto);
    }
    streams(r, h);
    queues(r, h);
    mails(r, h);
    sto_log(STO_INFO, "shard_taken", "shard", sto_i(h->shard), "epoch", sto_i((int64_t)h->epoch),
            "next_idx", sto_i((int64_t)h->next_idx), NULL);
    cw_horizon(r, rx_domain_us(r) + STO_US_PER_HOUR);
    /* Read after the last takeover: no former owner can move the manual clock behind our back. */
    if (!taking_over(r) && (!r->cfg || h->config > r->cfg->number)) {
        deployed_ask(r);
    }
}

/* Only after batch_throw(): nothing of the shard is in a batch any more. */
void shard_lose(reactor_t *r, struct shard *sh)
{
    sto_log(STO_WARN, "shard_lost", "shard", sto_i(sh->number), "epoch", sto_i((int64_t)sh->epoch),
            NULL);
    sh->phase = SHARD_LOST;
    cw_drop_shard(r, sh->number);
    case_drop_shard(r, sh->number);
    kept_drop_shard(r, sh->number);
    outq_drop_shard(r, sh->number);
}
