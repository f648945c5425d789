/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Reads from the store: what is under way, what failed and is asked again after a
 * pause, the wish list of a step (one LOAD_CASES for all), the pool of data keys.
 */
#include "reactor_internal.h"

#include <string.h>

#include "sto_crypto.h"
#include "sto_log.h"

#define AGAIN_US (100 * INT64_C(1000))

uint64_t loads_ask(reactor_t *r, const struct store_request *scalars)
{
    struct store_request *req = rx_request(r, scalars->kind);
    uint64_t tag = req->tag;
    *req = *scalars;
    req->tag = tag;
    struct load l = {.tag = tag, .req = *scalars};
    VEC_PUSH(r->loads, l);
    rx_submit(r, req);
    return tag;
}

const struct store_request *loads_of(const reactor_t *r, uint64_t tag)
{
    for (unsigned i = 0; i < r->loads.n; i++) {
        if (r->loads.v[i].tag == tag) {
            return &r->loads.v[i].req;
        }
    }
    return NULL;
}

static bool take(reactor_t *r, uint64_t tag, struct load *out)
{
    for (unsigned i = 0; i < r->loads.n; i++) {
        if (r->loads.v[i].tag == tag) {
            *out = r->loads.v[i];
            r->loads.v[i] = r->loads.v[--r->loads.n];
            return true;
        }
    }
    return false;
}

static void ask_again(reactor_t *r, const struct load *l, const struct store_result *res)
{
    sto_log(STO_WARN, "load_failed", "kind", sto_i(res->kind), "sqlstate", res->sqlstate, "what",
            res->message ? res->message : "", NULL);
    VEC_PUSH(r->again, *l);
    r->again_mono_us = r->mono_us + AGAIN_US;
}

static void keys_loaded(reactor_t *r, const struct store_result *res)
{
    r->keys_asked = false;
    for (uint32_t i = 0; i < res->n_keys; i++) {
        VEC_PUSH(r->keys, res->keys[i]);
    }
    if (res->n_keys == 0) {
        sto_log(STO_ERROR, "key_pool_empty", NULL);
        r->again_mono_us = r->mono_us + AGAIN_US;
        return;
    }
    kept_run(r, &r->misc);
}

static void loaded(reactor_t *r, const struct load *l, const struct store_result *res)
{
    switch (l->req.what) {
    case LOAD_CONFIG:
        deployed_loaded(r, res);
        break;
    case LOAD_WORKFLOW:
        deployed_workflow_loaded(r, res, l->req.workflow);
        break;
    case LOAD_ANSWERS:
        inbox_answers(r, res);
        break;
    case LOAD_KEYS:
        keys_loaded(r, res);
        break;
    case LOAD_DEAD:
        redrive_loaded(r, res);
        break;
    case LOAD_COUNTS:
        counts_loaded(r, l->req.shard, res);
        break;
    case LOAD_CASES:
        r->loads_cases--;
        case_loaded(r, res, res->outcome != STORE_OK);
        break;
    }
}

void loads_done(reactor_t *r, const struct store_result *res)
{
    struct load l;
    if (!take(r, res->tag, &l)) {
        return;
    }
    bool failed = res->outcome != STORE_OK;
    bool repeats =
        l.req.kind != STORE_LOAD || (l.req.what != LOAD_CASES && l.req.what != LOAD_ANSWERS);
    if (failed && repeats) {
        ask_again(r, &l, res);
        return;
    }
    switch (l.req.kind) {
    case STORE_TAKE_OVER:
        takeover_done(r, res);
        break;
    case STORE_DUE:
        VEC_PUSH(r->loads, l); /* it looks at what was asked */
        cw_due_loaded(r, res);
        take(r, res->tag, &l);
        break;
    case STORE_BACKLOG:
        VEC_PUSH(r->loads, l);
        outq_backlog(r, res);
        take(r, res->tag, &l);
        break;
    case STORE_LOAD:
        loaded(r, &l, res);
        break;
    case STORE_COMMIT:
    case STORE_SETTLE:
        break;
    }
}

void loads_keys(reactor_t *r)
{
    if (r->keys.n >= RX_KEYS_LOW || r->keys_asked) {
        return;
    }
    r->keys_asked = true;
    loads_ask(r, &(struct store_request){
                     .kind = STORE_LOAD, .what = LOAD_KEYS, .n_keys = RX_KEYS_WANTED});
}

/* A key for a new case; false: none is there, more are asked for. */
bool key_take(reactor_t *r, struct centry *e)
{
    loads_keys(r);
    if (r->keys.n == 0) {
        return false;
    }
    struct loaded_key k = r->keys.v[--r->keys.n];
    explicit_bzero(&r->keys.v[r->keys.n], sizeof(k));
    e->dek = k.id;
    memcpy(e->key, k.key, sizeof(e->key));
    e->has_key = true;
    sto_key_commitment(e->key, e->commitment);
    explicit_bzero(&k, sizeof(k));
    return true;
}

static void *copy_ids(sto_arena_t *arena, const struct sto_uuid *ids, uint32_t n)
{
    struct sto_uuid *v = sto_arena_alloc(arena, (size_t)n * sizeof(*v) + 1);
    STO_ASSERT(v);
    memcpy(v, ids, (size_t)n * sizeof(*v));
    return v;
}

static void ask_cases(reactor_t *r)
{
    struct store_request *req = rx_request(r, STORE_LOAD);
    req->what = LOAD_CASES;
    req->arena = sto_arena_new(RX_ARENA_BYTES);
    req->tag = r->want_tag;
    req->n_ids = r->want_cases.n;
    req->n_clients = r->want_clients.n;
    if (req->n_ids > 0) {
        req->ids = copy_ids(req->arena, r->want_cases.v, r->want_cases.n);
    }
    if (req->n_clients > 0) {
        req->clients = copy_ids(req->arena, r->want_clients.v, r->want_clients.n);
    }
    struct load l = {.tag = req->tag, .req = {.kind = STORE_LOAD, .what = LOAD_CASES}};
    VEC_PUSH(r->loads, l);
    r->loads_cases++;
    r->want_cases.n = 0;
    r->want_clients.n = 0;
    r->want_tag = 0;
    rx_submit(r, req);
}

void loads_end_of_step(reactor_t *r)
{
    if (r->again.n > 0 && r->mono_us >= r->again_mono_us) {
        for (unsigned i = 0; i < r->again.n; i++) {
            struct store_request *req = rx_request(r, r->again.v[i].req.kind);
            *req = r->again.v[i].req;
            req->tag = r->again.v[i].tag; /* who waits for it knows the tag */
            VEC_PUSH(r->loads, r->again.v[i]);
            rx_submit(r, req);
        }
        r->again.n = 0;
    }
    if (r->again.n > 0) {
        rx_timer(r, r->again_mono_us);
    }
    if (r->want_cases.n + r->want_clients.n > 0) {
        if (r->mono_us >= r->cases_again_mono_us) {
            ask_cases(r);
        } else {
            rx_timer(r, r->cases_again_mono_us);
        }
    }
}

void loads_release(reactor_t *r)
{
    free(r->dup_load.v);
    if (r->keys.v) {
        explicit_bzero(r->keys.v, r->keys.n * sizeof(*r->keys.v));
    }
    free(r->keys.v);
    free(r->loads.v);
    free(r->again.v);
    free(r->want_cases.v);
    free(r->want_clients.v);
    free(r->dups.v);
    free(r->redrives.v);
}
