/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Figures for /metrics and /readyz. Open cases are counted in the store, a shard at a
 * time, so often that it takes a hundredth of the time; handovers among those in memory.
 */
#include <string.h>

#include "reactor_internal.h"

static const char *why_not_ready(const reactor_t *r)
{
    unsigned owned = 0, taking = 0;
    if (r->fatal) {
        return "ending";
    }
    if (!r->cfg) {
        return "no configuration yet";
    }
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        owned += r->shards[i].phase == SHARD_OWNED;
        taking += r->shards[i].phase == SHARD_TAKING;
    }
    if (taking > 0) {
        return "taking shards over";
    }
    if (owned == 0) {
        return "owns no shard";
    }
    return r->commit == COMMIT_BACKOFF || r->commit == COMMIT_SETTLING ? "commits fail" : NULL;
}

static unsigned handovers_of(const struct case_state *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_offers; i++) {
        n += offer_live((enum offer_state)s->offers[i].state);
    }
    return n > 0;
}

/* The next shard whose cases have changed, if it is time. */
void counts_ask(reactor_t *r)
{
    if (r->count.asked || !r->cfg || taking_over(r)) {
        return;
    }
    if (r->mono_us < r->count.again_mono_us) {
        if (r->count.more) {
            rx_timer(r, r->count.again_mono_us);
        }
        return;
    }
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        struct shard *sh = &r->shards[(r->count.next + i) % r->opt.n_shards];
        if (sh->phase == SHARD_OWNED && sh->uncounted) {
            sh->uncounted = false;
            r->count.asked = r->count.more = true;
            r->count.asked_mono_us = r->mono_us;
            r->count.next = sh->number + 1u;
            loads_ask(r, &(struct store_request){
                             .kind = STORE_LOAD, .what = LOAD_COUNTS, .shard = sh->number});
            return;
        }
    }
    r->count.more = false; /* the tick looks again */
    r->count.again_mono_us = r->mono_us + RX_TICK_US / 4;
}

void counts_loaded(reactor_t *r, unsigned shard, const struct store_result *res)
{
    struct shard *sh = &r->shards[shard];
    int64_t took_us = r->mono_us - r->count.asked_mono_us;
    r->count.asked = false;
    r->count.again_mono_us = r->mono_us + RX_COUNT_SHARE * (took_us > 0 ? took_us : 1);
    sh->n_open = res->n_open;
    sh->n_without_holder = res->n_without_holder;
}

void reactor_stats(const reactor_t *r, struct reactor_stats *out)
{
    const struct centry *e;
    *out = r->stats;
    out->not_ready = why_not_ready(r);
    out->ready = out->not_ready == NULL;
    out->cases_open = out->cases_without_holder = out->handovers_open = 0;
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        const struct shard *sh = &r->shards[i];
        out->cases_open += sh->phase == SHARD_OWNED ? sh->n_open : 0;
        out->cases_without_holder += sh->phase == SHARD_OWNED ? sh->n_without_holder : 0;
    }
    out->bytes_cached = r->out_row_bytes;
    for (size_t i = 0; (e = table_next(&r->cases, &i));) {
        out->bytes_cached += sizeof(*e) + e->n_data;
        if (e->phase != ENTRY_READY || !e->state) {
            continue;
        }
        out->bytes_cached += sizeof(*e->state);
        if (e->state->status == CASE_OPEN) {
            out->handovers_open += handovers_of(e->state);
        }
    }
    out->outbox_rows = r->n_outbox_rows;
    out->sessions = r->sessions.n;
}

void reactor_queues(const reactor_t *r,
                    void (*visit)(void *arg, const char *org, uint64_t queued, unsigned sessions),
                    void *arg)
{
    const struct org *o;
    for (size_t i = 0; (o = table_next(&r->orgs, &i));) {
        uint64_t queued = 0;
        for (unsigned s = 0; s < r->opt.n_shards; s++) {
            queued += o->q[s] ? outq_unacked(o->q[s]) : 0;
        }
        const struct organisation *org = r->cfg ? network_org(r->cfg->net, o->number) : NULL;
        visit(arg, org ? org->id : "unknown", queued, o->sessions);
    }
}
