/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Clocks of cases: a heap of exact instants for a window of hours, filled from the
 * store by window and kept up by every change. Entries are hints: what is due is
 * read from the case's state when its instant has come, so a stale one does no harm.
 * After an outage the cases concerned get EVENT_RESTARTED before any clock fires.
 */
#include <string.h>

#include "reactor_internal.h"
#include "sto_log.h"

#define FIRE_AT_ONCE 1024u /* clock inputs kept at a time: the rest stays in the heap */

/* ----------------------------------------------------------------- heap */

static bool before(const struct due *a, const struct due *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : memcmp(&a->id, &b->id, sizeof(a->id)) < 0;
}

static void push(struct heap *h, struct due d)
{
    if (h->n == h->cap) {
        h->cap = h->cap ? 2 * h->cap : 64;
        h->v = sto_xrealloc(h->v, h->cap * sizeof(*h->v));
    }
    size_t i = h->n++;
    while (i > 0 && before(&d, &h->v[(i - 1) / 2])) {
        h->v[i] = h->v[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->v[i] = d;
}

static struct due pop(struct heap *h)
{
    struct due top = h->v[0], last = h->v[--h->n];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < h->n; i = child) {
        if (child + 1 < h->n && before(&h->v[child + 1], &h->v[child])) {
            child++;
        }
        if (!before(&h->v[child], &last)) {
            break;
        }
        h->v[i] = h->v[child];
    }
    if (h->n > 0) {
        h->v[i] = last;
    }
    return top;
}

/* --------------------------------------------------------------- windows */

int32_t cw_hour_of(int64_t us)
{
    if (us == INT64_MAX) {
        return INT32_MAX;
    }
    int64_t h = us / STO_US_PER_HOUR - (us % STO_US_PER_HOUR < 0);
    return h >= INT32_MAX ? INT32_MAX - 1 : h <= INT32_MIN ? INT32_MIN : (int32_t)h;
}

static int64_t end_of(int32_t hour)
{
    return hour == INT32_MIN ? INT64_MIN : ((int64_t)hour + 1) * STO_US_PER_HOUR - 1;
}

/* The store does not know yet what batches have changed. */
static void push_dirty(reactor_t *r)
{
    for (unsigned i = 0; i < sizeof(r->b) / sizeof(r->b[0]); i++) {
        for (uint32_t k = 0; k < r->b[i].dirty.n; k++) {
            cw_case_changed(r, r->b[i].dirty.v[k]);
        }
    }
}

void cw_horizon(reactor_t *r, int64_t until_us)
{
    if (!r->cfg) {
        return;
    }
    int32_t want = cw_hour_of(until_us);
    bool asked = false;
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        struct shard *sh = &r->shards[i];
        if (sh->phase != SHARD_OWNED || sh->asked_h >= want || sh->asked_h > sh->horizon_h) {
            continue;
        }
        sh->asked_h = want;
        loads_ask(r,
                  &(struct store_request){.kind = STORE_DUE, .shard = sh->number, .until_h = want});
        asked = true;
    }
    if (asked) {
        push_dirty(r);
    }
}

bool cw_complete(const reactor_t *r, int64_t until_us)
{
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        const struct shard *sh = &r->shards[i];
        if (sh->phase == SHARD_OWNED && end_of(sh->horizon_h) < until_us) {
            return false;
        }
    }
    return r->loads_cases == 0 && r->want_cases.n == 0;
}

int64_t cw_next(const reactor_t *r)
{
    return r->heap.n > 0 ? r->heap.v[0].at_us : INT64_MAX;
}

/* Its row woke it too early; left alone, every window would load it again. */
static void write_wake_anew(reactor_t *r, struct centry *e)
{
    struct shard *sh = &r->shards[e->shard];
    bool absent = false;
    if (!e->exists || e->broken || e->dirty != 0 || sh->phase != SHARD_OWNED) {
        return;
    }
    if (!e->session && !e->wf) {
        e->wf = deployed_wf(r, e->state->workflow, &absent);
    }
    if (e->session || e->wf) {
        case_touch(r, e);
        sh->touched = true;
    }
}

void cw_case_changed(reactor_t *r, struct centry *e)
{
    int64_t due = case_next_due(r, e);
    const struct shard *sh = &r->shards[e->shard];
    if (due > end_of(sh->asked_h) && e->wake_h <= sh->asked_h) {
        write_wake_anew(r, e);
    }
    if (due == INT64_MAX || due == e->heap_due || due > end_of(sh->asked_h)) {
        return;
    }
    e->heap_due = due;
    push(&r->heap, (struct due){due, e->id});
}

void cw_due_loaded(reactor_t *r, const struct store_result *res)
{
    const struct store_request *req = loads_of(r, res->tag);
    struct shard *sh = &r->shards[req->shard];
    if (sh->phase != SHARD_OWNED || sh->asked_h != req->until_h) {
        return; /* of a former life of the shard */
    }
    sh->horizon_h = req->until_h;
    for (uint32_t i = 0; i < res->n_due; i++) {
        struct centry *e = case_get(r, &res->due[i]); /* a load tells its instant */
        if (e->phase == ENTRY_READY) {
            cw_case_changed(r, e);
        }
    }
}

static void forget(reactor_t *r)
{
    struct centry *e;
    r->heap.n = 0;
    for (size_t i = 0; (e = table_next(&r->cases, &i));) {
        e->heap_due = INT64_MAX;
    }
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        r->shards[i].horizon_h = r->shards[i].asked_h = INT32_MIN;
    }
}

void cw_thrown(reactor_t *r)
{
    forget(r);
    cw_horizon(r, rx_domain_us(r) + STO_US_PER_HOUR);
}

void cw_drop_shard(reactor_t *r, uint16_t shard)
{
    r->shards[shard].horizon_h = r->shards[shard].asked_h = INT32_MIN;
}

/* ---------------------------------------------------------------- firing */

static void look_for_outage(reactor_t *r, struct shard *sh)
{
    int64_t now = rx_domain_us(r);
    if (sh->restart_from_us == 0 || sh->restart_at_us != 0) {
        return;
    }
    if (r->cfg->manual_clock || now - sh->restart_from_us <= RX_OUTAGE_US) {
        sh->restart_from_us = 0;
        return;
    }
    sh->restart_at_us = now;
    sto_log(STO_WARN, "outage_ended", "shard", sto_i(sh->number), "seconds",
            sto_i((now - sh->restart_from_us) / STO_US_PER_SEC), NULL);
}

static void keep_clock(reactor_t *r, struct centry *e, int64_t due)
{
    struct shard *sh = &r->shards[e->shard];
    bool restart = !e->restarted && sh->restart_at_us != 0 && due <= sh->restart_at_us &&
                   due > sh->restart_from_us;
    if (restart) {
        struct kept *k = kept_new(r, KEPT_RESTARTED, e->shard, NULL, 0);
        k->case_id = e->id;
        k->at2_us = sh->restart_from_us;
        e->restarted = true;
        kept_queue(r, k, NULL);
    }
    struct kept *k = kept_new(r, KEPT_CLOCK, e->shard, NULL, 0);
    k->case_id = e->id;
    e->clock_kept = true;
    kept_queue(r, k, NULL);
}

/* False: its case is not in memory yet; the load brings it back into the heap. */
static void look_at(reactor_t *r, const struct due *d, int64_t now)
{
    struct centry *e = case_get(r, &d->id);
    if (e->phase == ENTRY_LOADING) {
        return;
    }
    if (e->heap_due == d->at_us) {
        e->heap_due = INT64_MAX;
    }
    int64_t due = case_next_due(r, e);
    if (due > now) {
        cw_case_changed(r, e);
    } else if (e->clock_kept) {
        return; /* when it has fired, the change pushes the next */
    } else if (e->not_before_us > now) {
        if (e->not_before_us != INT64_MAX) {
            push(&r->heap, (struct due){e->not_before_us, e->id});
        }
    } else {
        keep_clock(r, e, due);
    }
}

void cw_fire(reactor_t *r)
{
    if (!r->cfg || r->commit == COMMIT_BACKOFF || r->commit == COMMIT_SETTLING) {
        return;
    }
    int64_t now = rx_domain_us(r);
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        if (r->shards[i].phase == SHARD_OWNED) {
            look_for_outage(r, &r->shards[i]);
        }
    }
    unsigned room = r->n_kept < r->opt.inflight_max ? FIRE_AT_ONCE : 0;
    for (unsigned n = 0; r->heap.n > 0 && r->heap.v[0].at_us <= now && n < room; n++) {
        struct due d = pop(&r->heap);
        unsigned shard = sto_uuid_shard(&d.id, r->opt.n_shards);
        if (r->shards[shard].phase == SHARD_OWNED) {
            look_at(r, &d, now);
        }
    }
}

void cw_timer(reactor_t *r)
{
    if (!r->cfg || r->cfg->manual_clock || r->heap.n == 0) {
        return;
    }
    int64_t wait = r->heap.v[0].at_us - rx_domain_us(r);
    rx_timer(r, r->mono_us + (wait > 0 ? wait : 1));
}
