/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What came back from a commit, line by line of the outcome table: durable, fenced,
 * retry, poison, in doubt. In doubt is settled by fencing first and reading the log
 * after, never by guessing. Whatever is not durable is thrown away with all that was
 * built on it, and its inputs are applied again.
 */
#include "reactor_internal.h"

#include <string.h>

#include "sto_log.h"

static void backoff(reactor_t *r)
{
    r->commit = COMMIT_BACKOFF;
    r->retry_mono_us = r->mono_us + r->retry_delay_us;
    r->retry_delay_us *= 2;
    if (r->retry_delay_us > RX_RETRY_LAST_US) {
        r->retry_delay_us = RX_RETRY_LAST_US;
    }
}

static void durable(reactor_t *r, bool next_first)
{
    r->commit = COMMIT_FREE;
    r->retry_delay_us = RX_RETRY_FIRST_US;
    if (r->batch_limit < r->opt.batch_events_max) {
        r->batch_limit *= 2;
        if (r->batch_limit > r->opt.batch_events_max) {
            r->batch_limit = r->opt.batch_events_max;
        }
    }
    batch_durable(r, next_first);
}

/* Shard rows as they stand: what is another core's is lost, a new epoch of ours is taken on. */
static void look_at_owners(reactor_t *r, const struct store_result *res)
{
    for (unsigned i = 0; i < res->n_owners; i++) {
        if (res->owners[i].shard >= r->opt.n_shards) {
            continue;
        }
        struct shard *sh = &r->shards[res->owners[i].shard];
        if (sh->phase != SHARD_OWNED) {
            continue;
        }
        if (res->owners[i].core != r->opt.core_id) {
            shard_lose(r, sh);
        } else {
            sh->epoch = res->owners[i].epoch;
            sh->incarnation = res->owners[i].incarnation;
        }
        if (r->cfg && res->owners[i].config > r->cfg->number) {
            deployed_ask(r);
        }
    }
}

static void fenced(reactor_t *r, const struct store_result *res)
{
    r->stats.fenced++;
    sto_log(STO_WARN, "commit_fenced", "what", res->message ? res->message : "", NULL);
    batch_throw(r);
    r->commit = COMMIT_FREE;
    look_at_owners(r, res);
    if (r->cfg_loading) {
        backoff(
            r); /* whatever is decided before the new configuration is here would be fenced too */
    }
}

static void retry(reactor_t *r, const struct store_result *res)
{
    r->stats.retried++;
    sto_log(STO_WARN, "commit_retry", "sqlstate", res->sqlstate, "what",
            res->message ? res->message : "", NULL);
    batch_throw(r);
    backoff(r);
}

static void hold(reactor_t *r, uint16_t shard)
{
    sto_log(STO_ERROR, "shard_on_hold", "shard", sto_i(shard), NULL);
    shard_lose(r, &r->shards[shard]);
    r->shards[shard].phase = SHARD_HOLD;
}

/* Halve until one input fails alone; park that one; if even that fails, its shard stands still. */
static void poison(reactor_t *r, const struct store_result *res)
{
    r->stats.poisoned++;
    struct open_batch *b = r->going;
    uint32_t n = b->inputs.n;
    struct kept *alone = n == 1 ? b->inputs.v[0] : NULL;
    sto_log(STO_ERROR, "commit_poisoned", "sqlstate", res->sqlstate, "inputs", sto_i(n), "what",
            res->message ? res->message : "", NULL);
    bool parked_before = alone && alone->parked;
    uint16_t shard = alone ? alone->shard : 0;
    batch_throw(r);
    r->commit = COMMIT_FREE;
    if (parked_before) {
        hold(r, shard);
    } else if (alone) {
        alone->parked = true;
        r->batch_limit = 1; /* it goes alone again */
    } else if (n > 1) {
        r->batch_limit = n / 2;
    } else {
        backoff(r); /* no input at all: cursors, trim or clock */
    }
}

static void ask_settle(reactor_t *r)
{
    const struct batch *in = r->going->settle;
    struct store_request *req = rx_request(r, STORE_SETTLE);
    req->arena = sto_arena_new(RX_ARENA_BYTES);
    struct batch *b = sto_arena_alloc(req->arena, sizeof(*b));
    STO_ASSERT(b && in);
    *b = *in;
    if (in->n_events > 0) {
        b->events = sto_arena_alloc(req->arena, sizeof(*b->events));
        STO_ASSERT(b->events);
        b->events[0] = in->events[0];
    }
    req->batch = b;
    r->commit = COMMIT_SETTLING;
    rx_submit(r, req);
}

void outcome_commit(reactor_t *r, const struct store_result *res)
{
    if (r->commit != COMMIT_UNDER_WAY) {
        return;
    }
    switch (res->outcome) {
    case STORE_DURABLE:
        durable(r, r->cfg_next == NULL); /* a new configuration waits for the gap */
        break;
    case STORE_FENCED:
        fenced(r, res);
        break;
    case STORE_RETRY:
        retry(r, res);
        break;
    case STORE_POISON:
        poison(r, res);
        break;
    case STORE_UNKNOWN:
        r->stats.doubted++;
        sto_log(STO_WARN, "commit_in_doubt", "batch", sto_i((int64_t)r->going->number), NULL);
        ask_settle(r);
        break;
    case STORE_OK:
        STO_ASSERT(false);
    }
}

void outcome_settle(reactor_t *r, const struct store_result *res)
{
    if (r->commit != COMMIT_SETTLING) {
        return;
    }
    if (res->outcome != STORE_OK) {
        /* The fence itself did not come back: ask again, as often as it takes. */
        r->retry_mono_us = r->mono_us + RX_RETRY_FIRST_US;
        r->settle_again = true;
        return;
    }
    sto_log(STO_WARN, "commit_settled", "batch", sto_i((int64_t)r->going->number), "committed",
            res->settled_committed ? "yes" : "no", NULL);
    if (res->settled_committed) {
        durable(r, false);
        /* The open batch was decided under epochs that are gone now. */
        batch_throw(r);
        look_at_owners(r, res);
        return;
    }
    /* Without an event nobody can tell whether the manual clock was set: it is set again, to the
     * same. */
    if (r->going->clock_us > r->clock_doubt_us) {
        r->clock_doubt_us = r->going->clock_us;
    }
    batch_throw(r);
    r->commit = COMMIT_FREE;
    look_at_owners(r, res);
}

void outcome_tick(reactor_t *r)
{
    if (r->commit == COMMIT_SETTLING && r->settle_again) {
        if (r->mono_us >= r->retry_mono_us) {
            r->settle_again = false;
            ask_settle(r);
        } else {
            rx_timer(r, r->retry_mono_us);
        }
    }
    if (r->commit == COMMIT_BACKOFF) {
        if (r->mono_us >= r->retry_mono_us && !r->cfg_loading) {
            r->commit = COMMIT_FREE;
        } else {
            rx_timer(r, r->cfg_loading ? r->mono_us + RX_RETRY_FIRST_US : r->retry_mono_us);
        }
    }
}
