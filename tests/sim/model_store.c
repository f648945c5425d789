/* SPDX-License-Identifier: EUPL-1.2 */
#include "model_store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_rows.h"
#include "sim_model.h"
#include "sto_crypto.h"

const char *const mark_names[MARKS] = {
    "fenced by another owner",
    "fenced by configuration",
    "retry",
    "poison",
    "parked",
    "in doubt, committed",
    "in doubt, lost",
    "in doubt, landed later",
    "settled: committed",
    "settled: lost",
    "settle failed",
    "takeover during a commit",
    "stale owner's batch refused",
    "load failed",
    "gap",
    "busy",
    "not owner",
    "hello required",
    "duplicate answered",
    "altered",
    "started before",
    "duplicate case",
    "late",
    "refused",
    "credit exhausted",
    "backlog loaded",
    "deferred",
    "dead",
    "redriven",
    "redelivered",
    "clock fired",
    "clocks lengthened after an outage",
    "mail carried",
    "mail after a restart",
    "taken over",
    "case closed",
    "manual clock advanced",
    "configuration changed",
};

const char *const plant_names[PLANTS] = {
    "none",
    "the guard lets everything through",
    "a lost commit is called durable",
    "settling says committed",
    "settling says lost",
    "nobody waits for the row lock",
    "a retry had committed",
    "a takeover forgets the watermarks",
    "a takeover brings mail again",
    "clocks are found a day late",
    "a repeat gets another answer",
};

struct txn; /* a commit between its guard and its end */

struct conn {
    store_t base;
    struct model *m;
    uint64_t core;
    sched_fn *ready;
    void *arg;
    struct store_result *done; /* ring of finished results */
    unsigned n_done, cap_done;
    struct store_request **pending;
    unsigned n_pending, cap_pending;
    bool gone;
};
struct txn {
    struct conn *c;
    struct store_request *req;
    enum fate fate;
    bool told;
};

void model_violate(struct model *m, const char *fmt, ...)
{
    if (m->violation[0]) {
        return; /* the first one tells */
    }
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(m->violation, sizeof(m->violation), fmt, ap);
    va_end(ap);
}

struct model *model_new(struct rng *rng, struct sched *sched, unsigned n_shards)
{
    STO_ASSERT(n_shards <= 16);
    struct model *m = sto_xcalloc(1, sizeof(*m));
    m->rng = rng;
    m->sched = sched;
    m->n_shards = n_shards;
    m->arena = sto_arena_new((size_t)1 << 30);
    table_init(&m->cases, sizeof(struct sto_uuid), 1);
    table_init(&m->keys, sizeof(uint64_t), 1);
    m->config = 1;
    return m;
}

void model_destroy(struct model **self_p)
{
    struct model *m = *self_p;
    if (!m) {
        return;
    }
    table_release(&m->cases);
    table_release(&m->keys);
    for (unsigned s = 0; s < m->n_shards; s++) {
        free(m->shard[s].events);
        for (unsigned o = 0; o < 8; o++) {
            free(m->queue[s][o].v);
        }
    }
    free(m->inbox);
    free(m->mails);
    free(m->ledger);
    free(m->dead);
    sto_arena_destroy(&m->arena);
    free(m);
    *self_p = NULL;
}

const struct row_case *model_case(const struct model *m, const struct sto_uuid *id)
{
    const struct model_case *c = table_get(&m->cases, id);
    return c ? &c->row : NULL;
}

bool model_key(const struct model *m, uint64_t dek, uint8_t out[32])
{
    const struct model_key *k = table_get(&m->keys, &dek);
    if (k) {
        memcpy(out, k->key, 32);
    }
    return k != NULL;
}

/* --------------------------------------------------------------- results */

static void finish(struct conn *c, struct store_request *req, struct store_result *res)
{
    res->kind = req->kind;
    res->tag = req->tag;
    store_request_destroy(&req);
    if (c->gone) {
        sto_arena_destroy(&res->arena);
        return;
    }
    if (c->n_done == c->cap_done) {
        c->cap_done = c->cap_done ? 2 * c->cap_done : 8;
        c->done = sto_xrealloc(c->done, c->cap_done * sizeof(*c->done));
    }
    c->done[c->n_done++] = *res;
    c->ready(c->arg, 0);
}

static bool poll_result(store_t *self, struct store_result *out)
{
    struct conn *c = (struct conn *)self;
    if (c->n_done == 0) {
        return false;
    }
    *out = c->done[0];
    memmove(c->done, c->done + 1, (--c->n_done) * sizeof(*c->done));
    return true;
}

static void owners(const struct model *m, struct store_result *res)
{
    for (unsigned s = 0; s < m->n_shards; s++) {
        res->owners[res->n_owners].shard = (uint16_t)s;
        res->owners[res->n_owners].epoch = m->shard[s].epoch;
        res->owners[res->n_owners].config = m->config;
        res->owners[res->n_owners].incarnation = 1;
        res->owners[res->n_owners].core = m->shard[s].core;
        res->n_owners++;
    }
}

/* ---------------------------------------------------------------- commit */

static bool locked(const struct model *m, const struct batch *b, const void *but)
{
    for (unsigned i = 0; i < b->n_shards && m->plant != PLANT_NO_ROW_LOCK; i++) {
        const void *by = m->shard[b->shards[i].shard].locked_by;
        if (by && by != but) {
            return true;
        }
    }
    return false;
}

static void unlock(struct model *m, const void *by)
{
    for (unsigned s = 0; s < m->n_shards; s++) {
        if (m->shard[s].locked_by == by) {
            m->shard[s].locked_by = NULL;
        }
    }
}

static bool guard(struct model *m, const struct batch *b, struct store_result *res)
{
    bool stale = false;
    for (unsigned i = 0; i < b->n_shards && m->plant != PLANT_NO_GUARD; i++) {
        unsigned s = b->shards[i].shard;
        if (m->shard[s].epoch != b->shards[i].epoch || m->config != b->config) {
            res->fenced_shards[s / 64] |= UINT64_C(1) << (s % 64);
            res->outcome = STORE_FENCED;
            stale = stale || m->shard[s].epoch != b->shards[i].epoch;
        }
    }
    if (res->outcome == STORE_FENCED) {
        m->marks[stale ? MARK_FENCED_OWNER : MARK_FENCED_CONFIG]++;
        owners(m, res);
    }
    return res->outcome != STORE_FENCED;
}

static bool poisoned(const struct model *m, const struct batch *b)
{
    if (sto_uuid_is_zero(&m->poison_case)) {
        return false;
    }
    for (uint32_t i = 0; i < b->n_events; i++) {
        bool parked = b->events[i].kind == EVENT_PARKED && b->events[i].fact.n == 0;
        if (sto_uuid_eq(&b->events[i].case_id, &m->poison_case) && (!parked || m->poison_parked)) {
            return true;
        }
    }
    return false;
}

static enum fate draw(struct model *m, const struct batch *b)
{
    if (poisoned(m, b)) {
        return FATE_POISON;
    }
    if (m->n_script > 0) {
        enum fate f = m->script[0];
        memmove(m->script, m->script + 1, (--m->n_script) * sizeof(m->script[0]));
        return f;
    }
    unsigned x = (unsigned)rng_below(m->rng, 1000);
    const struct {
        unsigned p;
        enum fate f;
    } odds[] = {
        {m->p_retry, FATE_RETRY},
        {m->p_doubt_committed, FATE_DOUBT_COMMITTED},
        {m->p_doubt_lost, FATE_DOUBT_LOST},
        {m->p_doubt_later, FATE_DOUBT_LATER},
    };
    for (unsigned i = 0; i < sizeof(odds) / sizeof(odds[0]); i++) {
        if (x < odds[i].p) {
            return odds[i].f;
        }
        x -= odds[i].p;
    }
    return FATE_DURABLE;
}

static void tell(struct txn *t, enum store_outcome outcome)
{
    struct store_result res = {.outcome = outcome, .message = ""};
    t->told = true;
    struct store_request *req = sto_xcalloc(1, sizeof(*req));
    req->kind = STORE_COMMIT;
    req->tag = t->req->tag;
    finish(t->c, req, &res);
}

static void conn_release(struct conn *c);

static void txn_end(struct txn *t)
{
    struct conn *c = t->c;
    unlock(c->m, t);
    store_request_destroy(&t->req);
    free(t);
    conn_release(c);
}

/* The commit point, and what the client hears. */
static void commit_point(void *arg, uint64_t n)
{
    struct txn *t = arg;
    struct model *m = t->c->m;
    (void)n;
    switch (t->fate) {
    case FATE_DURABLE:
        model_apply(m, t->req->batch);
        tell(t, STORE_DURABLE);
        break;
    case FATE_DOUBT_COMMITTED:
        m->marks[MARK_DOUBT_COMMITTED]++;
        model_apply(m, t->req->batch);
        tell(t, STORE_UNKNOWN);
        break;
    case FATE_DOUBT_LATER:
        model_apply(m, t->req->batch);
        break;
    case FATE_DOUBT_LOST:
        m->marks[MARK_DOUBT_LOST]++;
        tell(t, m->plant == PLANT_LOST_IS_DURABLE ? STORE_DURABLE : STORE_UNKNOWN);
        break;
    case FATE_RETRY:
        m->marks[MARK_RETRY]++;
        if (m->plant == PLANT_RETRY_COMMITS) {
            model_apply(m, t->req->batch);
        }
        tell(t, STORE_RETRY);
        break;
    case FATE_POISON:
        m->marks[MARK_POISON]++;
        tell(t, STORE_POISON);
        break;
    case FATE_NONE:
        break; /* the core died and its backend with it: rolled back */
    }
    txn_end(t);
}

static void exec(void *arg, uint64_t n);

static void exec_commit(struct conn *c, struct store_request *req)
{
    struct model *m = c->m;
    struct store_result res = {.message = "fenced"};
    if (locked(m, req->batch, NULL)) {
        c->pending[c->n_pending++] = req;
        sched_after(m->sched, 500, exec, c, req->tag);
        return;
    }
    if (!guard(m, req->batch, &res)) {
        m->marks[MARK_STALE_OWNER] += m->shard[req->batch->shards[0].shard].core != c->core;
        finish(c, req, &res);
        return;
    }
    struct txn *t = sto_xcalloc(1, sizeof(*t));
    *t = (struct txn){.c = c, .req = req, .fate = draw(m, req->batch)};
    for (unsigned i = 0; i < req->batch->n_shards; i++) {
        m->shard[req->batch->shards[i].shard].locked_by = t;
    }
    int64_t d = m->commit_us ? m->commit_us : rng_between(m->rng, 200, 4000);
    if (t->fate == FATE_DOUBT_LATER) {
        m->marks[MARK_DOUBT_LATER]++;
        tell(t, STORE_UNKNOWN);
        d += rng_between(m->rng, 1000, 400000);
    }
    sched_after(m->sched, d, commit_point, t, 0);
}

/* ---------------------------------------------------- take over and settle */

static bool held(const struct model *m, const struct batch *b)
{
    return locked(m, b, NULL);
}

static void exec_take_over(struct conn *c, struct store_request *req)
{
    struct model *m = c->m;
    struct model_shard *sh = &m->shard[req->shard];
    if (sh->locked_by &&
        m->plant !=
            PLANT_NO_ROW_LOCK) { /* it waits for the old owner's open transaction by row lock */
        m->marks[MARK_TAKEOVER_DURING_COMMIT]++;
        c->pending[c->n_pending++] = req;
        sched_after(m->sched, 1000, exec, c, req->tag);
        return;
    }
    sh->epoch++;
    sh->core = c->core;
    struct store_result res = {.outcome = STORE_OK, .message = ""};
    res.arena = sto_arena_new((size_t)64 << 20);
    model_head(m, req->shard, &res);
    finish(c, req, &res);
}

static void exec_settle(struct conn *c, struct store_request *req)
{
    struct model *m = c->m;
    const struct batch *b = req->batch;
    if (held(m, b)) {
        c->pending[c->n_pending++] = req;
        sched_after(m->sched, 1000, exec, c, req->tag);
        return;
    }
    struct store_result res = {.outcome = STORE_OK, .message = ""};
    bool lost = rng_chance(m->rng, m->p_settle_fails);
    if (lost && rng_chance(m->rng, 500)) {
        res.outcome = STORE_RETRY; /* not even the fence happened */
        m->marks[MARK_SETTLE_FAILED]++;
        finish(c, req, &res);
        return;
    }
    for (unsigned i = 0; i < b->n_shards; i++) {
        struct model_shard *sh = &m->shard[b->shards[i].shard];
        sh->epoch += sh->epoch == b->shards[i].epoch;
    }
    if (lost) {
        res.outcome = STORE_RETRY; /* it happened, but that did not come back */
        m->marks[MARK_SETTLE_FAILED]++;
    } else if (b->n_events > 0) {
        const struct model_shard *sh = &m->shard[b->events[0].shard];
        res.settled_committed = b->events[0].idx <= sh->n_events &&
                                sh->events[b->events[0].idx - 1].epoch == b->events[0].epoch;
        if (m->plant == PLANT_SETTLE_SAYS_COMMITTED || m->plant == PLANT_SETTLE_SAYS_LOST) {
            res.settled_committed = m->plant == PLANT_SETTLE_SAYS_COMMITTED;
        }
        m->marks[res.settled_committed ? MARK_SETTLE_COMMITTED : MARK_SETTLE_LOST]++;
    }
    owners(m, &res);
    finish(c, req, &res);
}

/* ----------------------------------------------------------------- reads */

static void exec_read(struct conn *c, struct store_request *req)
{
    struct model *m = c->m;
    struct store_result res = {.outcome = STORE_OK, .message = ""};
    res.arena = sto_arena_new((size_t)64 << 20);
    if (rng_chance(m->rng, m->p_load_fails)) {
        m->marks[MARK_LOAD_FAILED]++;
        res.outcome = STORE_RETRY;
    } else {
        model_read(m, req, &res);
    }
    finish(c, req, &res);
}

static void exec(void *arg, uint64_t tag)
{
    struct conn *c = arg;
    struct store_request *req = NULL;
    for (unsigned i = 0; i < c->n_pending; i++) {
        if (c->pending[i]->tag == tag) {
            req = c->pending[i];
            c->pending[i] = c->pending[--c->n_pending];
            break;
        }
    }
    STO_ASSERT(req);
    switch (req->kind) {
    case STORE_COMMIT:
        exec_commit(c, req);
        break;
    case STORE_TAKE_OVER:
        exec_take_over(c, req);
        break;
    case STORE_SETTLE:
        exec_settle(c, req);
        break;
    case STORE_LOAD:
    case STORE_DUE:
    case STORE_BACKLOG:
        exec_read(c, req);
        break;
    }
}

static void submit(store_t *self, struct store_request *req)
{
    struct conn *c = (struct conn *)self;
    if (c->n_pending + 1 >= c->cap_pending) {
        c->cap_pending = c->cap_pending ? 2 * c->cap_pending : 16;
        c->pending = sto_xrealloc(c->pending, c->cap_pending * sizeof(struct store_request *));
    }
    c->pending[c->n_pending++] = req;
    int64_t d = c->m->commit_us ? 50 : rng_between(c->m->rng, 50, 800);
    sched_after(c->m->sched, d, exec, c, req->tag);
}

/* ------------------------------------------------------------ connections */

static void conn_destroy(store_t **self_p)
{
    model_disconnect(self_p);
}

static const struct store_ops ops = {submit, poll_result, conn_destroy};

store_t *model_connect(struct model *m, uint64_t core, sched_fn *ready, void *arg)
{
    struct conn *c = sto_xcalloc(1, sizeof(*c));
    c->base.ops = &ops;
    c->m = m;
    c->core = core;
    c->ready = ready;
    c->arg = arg;
    return &c->base;
}

static unsigned txns_of(const struct conn *c)
{
    unsigned n = 0;
    for (size_t i = 0; i < c->m->sched->n; i++) {
        const struct sched_item *x = &c->m->sched->v[i];
        n += x->fn == commit_point && ((const struct txn *)x->arg)->c == c;
    }
    return n;
}

/* A connection that is gone lives on until its last transaction has ended. */
static void conn_release(struct conn *c)
{
    if (c->gone && txns_of(c) == 0) {
        free(c->pending);
        free(c->done);
        free(c);
    }
}

void model_disconnect(store_t **conn_p)
{
    struct conn *c = (struct conn *)*conn_p;
    if (!c) {
        return;
    }
    sched_forget(c->m->sched, c);
    for (unsigned i = 0; i < c->n_pending; i++) {
        store_request_destroy(&c->pending[i]);
    }
    for (unsigned i = 0; i < c->n_done; i++) {
        sto_arena_destroy(&c->done[i].arena);
    }
    c->n_pending = c->n_done = 0;
    c->gone = true;
    for (size_t i = 0; i < c->m->sched->n; i++) {
        struct sched_item *x = &c->m->sched->v[i];
        if (x->fn == commit_point && ((struct txn *)x->arg)->c == c && rng_chance(c->m->rng, 500)) {
            ((struct txn *)x->arg)->fate = FATE_NONE;
        }
    }
    conn_release(c);
    *conn_p = NULL;
}
