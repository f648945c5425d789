/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The cache of cases and aggregates. LOADING entries gather the lanes that wait
 * for them; READY ones are clean or dirty; only clean ones are evicted, the least
 * recently used first. Plain contents live here and nowhere else in memory.
 */
#include "reactor_internal.h"

#include <stdio.h>
#include <string.h>

#include "sto_crypto.h"
#include "sto_log.h"

/* ---------------------------------------------------------------- least recently used */

static void lru_remove(reactor_t *r, struct centry *e)
{
    if (!e->in_lru) {
        return;
    }
    if (e->lru_prev) {
        e->lru_prev->lru_next = e->lru_next;
    } else {
        r->lru_first = e->lru_next;
    }
    if (e->lru_next) {
        e->lru_next->lru_prev = e->lru_prev;
    } else {
        r->lru_last = e->lru_prev;
    }
    e->lru_prev = e->lru_next = NULL;
    e->in_lru = false;
    r->n_lru--;
}

static void lru_add(reactor_t *r, struct centry *e)
{
    lru_remove(r, e);
    e->lru_prev = r->lru_last;
    if (r->lru_last) {
        r->lru_last->lru_next = e;
    } else {
        r->lru_first = e;
    }
    r->lru_last = e;
    e->in_lru = true;
    r->n_lru++;
}

/* ---------------------------------------------------------------- entries */

struct centry *case_peek(reactor_t *r, const struct sto_uuid *id)
{
    return table_get(&r->cases, id);
}

static void want(reactor_t *r, struct centry *e)
{
    if (r->want_tag == 0) {
        r->want_tag = ++r->tag;
    }
    e->load_tag = r->want_tag;
    VEC_PUSH(r->want_cases, e->id);
}

struct centry *case_get(reactor_t *r, const struct sto_uuid *id)
{
    struct centry *e = table_get(&r->cases, id);
    if (e) {
        return e;
    }
    e = sto_xcalloc(1, sizeof(*e));
    e->id = *id;
    e->shard = (uint16_t)sto_uuid_shard(id, r->opt.n_shards);
    e->phase = ENTRY_LOADING;
    e->heap_due = INT64_MAX;
    const struct shared_service *svc = table_get(&r->cfg->services, id);
    e->session = svc != NULL;
    e->service = svc ? svc->service : 0;
    table_put(&r->cases, e);
    want(r, e);
    return e;
}

static void wipe(struct centry *e)
{
    if (e->data) {
        explicit_bzero(e->data, e->n_data);
    }
    free(e->data);
    free(e->state);
    free(e->ses);
    explicit_bzero(e, sizeof(*e));
    free(e);
}

void case_drop(reactor_t *r, struct centry *e)
{
    lru_remove(r, e);
    STO_ASSERT(!e->waiters.first);
    struct centry *taken = table_take(&r->cases, &e->id);
    STO_ASSERT(taken == e);
    wipe(e);
}

void case_touch(reactor_t *r, struct centry *e)
{
    lru_remove(r, e);
    e->skeleton_row = (struct blob){0};
    if (!(e->dirty & DIRTY_OPEN)) {
        e->dirty |= DIRTY_OPEN;
        VEC_PUSH(r->open->dirty, e);
    }
}

/* The batch that changed it is durable. */
void case_clean(reactor_t *r, struct centry *e)
{
    r->shards[e->shard].uncounted = true;
    if (e->dirty == 0) {
        lru_add(r, e);
    }
}

void case_evict(reactor_t *r)
{
    unsigned spared = 0;
    while (r->cases.n > r->opt.cache_cases_max && r->n_lru > spared) {
        struct centry *e = r->lru_first;
        if (e->waiters.first || e->clock_kept) {
            lru_add(r, e); /* somebody is about to use it */
            spared++;
            continue;
        }
        case_drop(r, e);
    }
}

static void drop_clients(reactor_t *r, uint16_t shard)
{
    struct client_rec *c;
    do {
        for (size_t i = 0; (c = table_next(&r->clients, &i));) {
            if (sto_uuid_shard(&c->id, r->opt.n_shards) == shard) {
                break;
            }
        }
        if (c) {
            table_take(&r->clients, &c->id);
            free(c->open);
            free(c);
        }
    } while (c);
}

void case_drop_shard(reactor_t *r, uint16_t shard)
{
    struct centry *e;
    VEC(struct centry *) all = {0};
    for (size_t i = 0; (e = table_next(&r->cases, &i));) {
        if (e->shard == shard) {
            VEC_PUSH(all, e);
        }
    }
    for (uint32_t i = 0; i < all.n; i++) {
        all.v[i]->waiters = (struct lane_list){0}; /* their inputs are dropped with the shard */
        case_drop(r, all.v[i]);
    }
    free(all.v);
    drop_clients(r, shard);
}

int64_t case_next_due(const reactor_t *r, const struct centry *e)
{
    if (e->broken || !e->exists) {
        return INT64_MAX;
    }
    if (e->session) {
        return e->ses ? shared_next_due_us(r->cfg->net, e->ses) : INT64_MAX;
    }
    return e->state && e->state->status == CASE_OPEN ? state_next_due_us(e->state) : INT64_MAX;
}

/* ---------------------------------------------------------------- loading */

static int open_data(struct centry *e, const struct row_case *row, struct sto_err *err)
{
    if (row->data_ct.n == 0 || !e->has_key) {
        return 0; /* nothing was ever set, or it was erased with its key */
    }
    struct content_aad aad = {
        .shard = row->shard, .idx = row->seq, .case_id = row->case_id, .kind = CONTENT_DATA};
    e->data = sto_xcalloc(1, row->data_ct.n);
    int n = content_open(e->key, &aad, row->data_ct.p, row->data_ct.n, e->data, err);
    if (n < 0) {
        return n;
    }
    e->n_data = (uint32_t)n;
    return 0;
}

static int fill(struct centry *e, const struct loaded_case *l, struct sto_err *err)
{
    e->exists = l->found;
    if (!l->found) {
        if (e->session) {
            e->ses = sto_xcalloc(1, sizeof(*e->ses));
            e->ses->service = e->service;
        } else {
            e->state = sto_xcalloc(1, sizeof(*e->state));
        }
        return 0;
    }
    const struct row_case *row = &l->row;
    e->dek = row->dek;
    e->has_key = l->has_key;
    e->once = row->once;
    e->wake_h = row->wake_h;
    memcpy(e->key, l->key, sizeof(e->key));
    if (e->has_key) {
        sto_key_commitment(e->key, e->commitment);
    }
    e->session = row->aggregate != 0;
    if (e->session) {
        e->ses = sto_xcalloc(1, sizeof(*e->ses));
        int rc = shared_decode(row->skeleton.p, row->skeleton.n, e->ses, err);
        e->service = e->ses->service;
        return rc;
    }
    e->state = sto_xcalloc(1, sizeof(*e->state));
    int rc = state_decode(row->skeleton.p, row->skeleton.n, e->state, err);
    return rc ? rc : open_data(e, row, err);
}

static void one_loaded(reactor_t *r, const struct store_result *res, const struct loaded_case *l)
{
    struct centry *e = table_get(&r->cases, &l->id);
    if (!e || e->phase != ENTRY_LOADING || e->load_tag != res->tag) {
        return;
    }
    struct sto_err err = {0};
    if (fill(e, l, &err) != 0) {
        char id[37];
        sto_log(STO_ERROR, "case_unreadable", "case", sto_uuid_format(&e->id, id), "what", err.what,
                NULL);
        e->broken = true;
    }
    e->phase = ENTRY_READY;
    lru_add(r, e);
    kept_run(r, &e->waiters);
    cw_case_changed(r, e);
}

static void clients_loaded(reactor_t *r, const struct store_result *res)
{
    struct client_rec *c;
    for (uint32_t i = 0; i < res->n_clients; i++) {
        c = table_get(&r->clients, &res->clients[i].client);
        if (c && !c->loaded && c->load_tag == res->tag) {
            client_add(c, &res->clients[i].case_id, res->clients[i].workflow_id);
        }
    }
    for (size_t i = 0; (c = table_next(&r->clients, &i));) {
        c->loaded = c->loaded || c->load_tag == res->tag;
    }
}

/* Ask again for everything that this load was to bring. */
static void want_again(reactor_t *r, uint64_t tag)
{
    struct centry *e;
    struct client_rec *c;
    for (size_t i = 0; (e = table_next(&r->cases, &i));) {
        if (e->phase == ENTRY_LOADING && e->load_tag == tag) {
            want(r, e);
        }
    }
    for (size_t i = 0; (c = table_next(&r->clients, &i));) {
        if (!c->loaded && c->load_tag == tag) {
            VEC_PUSH(r->want_clients, c->id);
            c->load_tag = r->want_tag ? r->want_tag : (r->want_tag = ++r->tag);
        }
    }
}

void case_loaded(reactor_t *r, const struct store_result *res, bool failed)
{
    for (uint32_t i = 0; !failed && i < res->n_cases; i++) {
        one_loaded(r, res, &res->cases[i]);
    }
    if (!failed) {
        clients_loaded(r, res);
        kept_run(r, &r->misc);
        outq_case_ready(r);
    }
    if (failed) {
        want_again(r, res->tag);
        r->cases_again_mono_us = r->mono_us + RX_RETRY_FIRST_US;
    }
}

/* Batches were thrown away: what the lists were told by starts may not be true. */
void clients_reset(reactor_t *r)
{
    struct client_rec *c;
    for (size_t i = 0; (c = table_next(&r->clients, &i));) {
        c->loaded = false;
        c->n_open = 0;
        c->load_tag = r->want_tag ? r->want_tag : (r->want_tag = ++r->tag);
        VEC_PUSH(r->want_clients, c->id);
    }
}

/* ---------------------------------------------------------------- clients */

struct client_rec *client_get(reactor_t *r, const struct sto_uuid *id)
{
    struct client_rec *c = table_get(&r->clients, id);
    if (!c) {
        c = sto_xcalloc(1, sizeof(*c));
        c->id = *id;
        table_put(&r->clients, c);
        c->load_tag = r->want_tag ? r->want_tag : (r->want_tag = ++r->tag);
        VEC_PUSH(r->want_clients, *id);
    }
    return c;
}

void client_unref(reactor_t *r, const struct sto_uuid *id)
{
    struct client_rec *c = table_get(&r->clients, id);
    if (c && (c->refs == 0 || --c->refs == 0)) {
        table_take(&r->clients, id);
        free(c->open);
        free(c);
    }
}

void client_add(struct client_rec *c, const struct sto_uuid *case_id, const char *workflow)
{
    if (c->n_open == c->cap_open) {
        c->cap_open = c->cap_open ? 2 * c->cap_open : 2;
        c->open = sto_xrealloc(c->open, c->cap_open * sizeof(*c->open));
    }
    c->open[c->n_open].case_id = *case_id;
    snprintf(c->open[c->n_open].workflow, sizeof(c->open[0].workflow), "%s", workflow);
    c->n_open++;
}
