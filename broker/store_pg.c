/* SPDX-License-Identifier: EUPL-1.2 */
/* The store on PostgreSQL: its life, its queues, its turn. What a request does is in the other
 * files. */
#include "store_pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sto_arena.h"
#include "sto_crypto.h"
#include "sto_log.h"
#include "sto_time.h"
#include "store_pg_impl.h"

#define START_US (5 * STO_US_PER_SEC)

void queue_push(struct request_queue *q, struct store_request *r)
{
    STO_ASSERT(q->n < STORE_QUEUE_MAX);
    q->v[(q->head + q->n++) % STORE_QUEUE_MAX] = r;
}

struct store_request *queue_pop(struct request_queue *q)
{
    if (q->n == 0) {
        return NULL;
    }
    struct store_request *r = q->v[q->head];
    q->head = (q->head + 1) % STORE_QUEUE_MAX;
    q->n--;
    return r;
}

void work_begin(struct work *w, struct store_request *r)
{
    STO_ASSERT(w->request == NULL);
    *w = (struct work){.request = r, .result = {.kind = r->kind, .tag = r->tag}};
}

void *work_alloc(struct work *w, size_t bytes)
{
    if (w->result.arena == NULL) {
        w->result.arena = sto_arena_new(STORE_RESULTS_BYTES);
    }
    void *p = sto_arena_alloc(w->result.arena, bytes == 0 ? 1 : bytes);
    if (p == NULL) {
        w->failed = true;
        w->result.message = "the result is larger than the store may hold";
    }
    return p;
}

const char *work_text(struct work *w, const char *text)
{
    size_t n = strlen(text);
    char *copy = work_alloc(w, n + 1);

    return copy != NULL ? memcpy(copy, text, n + 1) : "";
}

void work_error(struct work *w, const PGresult *r)
{
    if (w->failed) {
        return; /* the first error is the cause of those behind it */
    }
    w->failed = true;
    snprintf(w->result.sqlstate, sizeof w->result.sqlstate, "%s", pg_sqlstate(r));
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    w->result.message = work_text(w, text != NULL ? text : PQresultErrorMessage(r));
}

/* A result as it goes out: queued rather than told, so that the caller's turn decides when. */
void work_finish(struct store_pg *s, struct work *w, enum store_outcome outcome)
{
    w->result.outcome = outcome;
    if (s->n_results == s->cap_results) {
        s->cap_results = s->cap_results == 0 ? 16 : s->cap_results * 2;
        s->results = sto_xrealloc(s->results, s->cap_results * sizeof *s->results);
    }
    s->results[s->n_results++] = w->result;
    store_request_destroy(&w->request);
    *w = (struct work){0};
}

static void run_all(struct store_pg *s, int64_t now)
{
    s->now_us = now;
    pg_link_run(&s->commit, now);
    pg_link_run(&s->load, now);
    pg_link_run(&s->keys, now);
    commit_run(s);
    watch_run(s);
    load_run(s);
}

static void submit(store_t *base, struct store_request *r)
{
    struct store_pg *s = store_pg_of(base);

    s->now_us = sto_mono_us();
    if (r->kind == STORE_COMMIT || r->kind == STORE_SETTLE) {
        queue_push(&s->commits, r);
        commit_run(s);
    } else {
        queue_push(&s->loads, r);
        load_run(s);
    }
}

static bool poll_result(store_t *base, struct store_result *out)
{
    struct store_pg *s = store_pg_of(base);

    if (s->first_result == s->n_results) {
        s->first_result = s->n_results = 0;
        return false;
    }
    *out = s->results[s->first_result++];
    return true;
}

static void drop_queue(struct request_queue *q)
{
    struct store_request *r;

    while ((r = queue_pop(q)) != NULL) {
        store_request_destroy(&r);
    }
}

static void drop_work(struct work *w)
{
    if (w->request != NULL) {
        store_request_destroy(&w->request);
        sto_arena_destroy(&w->result.arena);
    }
}

static void destroy(store_t **self_p)
{
    if (self_p == NULL || *self_p == NULL) {
        return;
    }
    struct store_pg *s = store_pg_of(*self_p);
    struct store_result r;
    pg_link_release(&s->commit);
    pg_link_release(&s->load);
    pg_link_release(&s->keys);
    while (poll_result(&s->base, &r)) {
        sto_arena_destroy(&r.arena);
    }
    drop_queue(&s->commits);
    drop_queue(&s->loads);
    drop_work(&s->writing);
    drop_work(&s->loading);
    pg_batch_release(&s->batch);
    capture_destroy(&s->capture);
    sto_wipe(s->key_cache, KEY_CACHE_SLOTS * sizeof *s->key_cache);
    free(s->key_cache);
    free(s->wanted_keys);
    free(s->results);
    free(s);
    *self_p = NULL;
}

static const struct store_ops ops = {submit, poll_result, destroy};

unsigned store_pg_pollfds(store_t *base, struct pollfd *fds, unsigned cap)
{
    struct store_pg *s = store_pg_of(base);
    const struct pg_link *links[] = {&s->commit, &s->load, &s->keys};
    unsigned n = 0;

    for (size_t i = 0; i < sizeof links / sizeof links[0] && n < cap; i++) {
        n += pg_link_pollfd(links[i], &fds[n]) ? 1 : 0;
    }
    return n;
}

void store_pg_run(store_t *base, int64_t mono_us)
{
    run_all(store_pg_of(base), mono_us);
}

uint64_t store_pg_config(const store_t *base)
{
    return ((const struct store_pg *)(const void *)base)->config;
}

unsigned store_pg_shards(const store_t *base)
{
    return ((const struct store_pg *)(const void *)base)->n_shards;
}

const char *store_pg_unsafe(const store_t *base)
{
    const struct store_pg *s = (const struct store_pg *)(const void *)base;

    if (s->data_check.unsafe[0] != '\0') {
        return s->data_check.unsafe;
    }
    return s->keys_check.unsafe[0] != '\0' ? s->keys_check.unsafe : NULL;
}

static int links_init(struct store_pg *s, const struct store_pg_options *o, struct sto_err *err)
{
    int rc = pg_link_init(&s->commit, "commit", o->dsn, pg_batch_statements, err);

    rc = rc != 0 ? rc : pg_link_init(&s->load, "load", o->dsn, load_statements, err);
    rc = rc != 0 ? rc : pg_link_init(&s->keys, "keys", o->keys_dsn, key_statements, err);
    if (rc == 0 && o->capture) {
        rc = capture_new(o->capture_path, &s->capture, err);
    }
    return rc;
}

static bool started(const struct store_pg *s)
{
    return s->commit.state == PG_LINK_READY && s->data_check.known && s->keys_check.known &&
           s->beaten;
}

/* Until the first heartbeat stands and the settings are known: nothing may be taken over before. */
static int start(struct store_pg *s, struct sto_err *err)
{
    int64_t until = sto_mono_us() + START_US;
    const struct pg_link *links[] = {&s->commit, &s->load, &s->keys};

    while (!started(s)) {
        struct pollfd fds[3];
        unsigned n = store_pg_pollfds(&s->base, fds, 3);
        poll(fds, n, 20);
        run_all(s, sto_mono_us());
        for (size_t i = 0; i < 3; i++) {
            if (pg_link_hopeless(links[i])) {
                return sto_fail(err, STO_E_UNREACHABLE, "%s connection: %s", links[i]->label,
                                links[i]->why);
            }
        }
        if (s->beat_failed) {
            return sto_fail(err, STO_E_CONFIG, "the database is not set up: %s", s->load.why);
        }
        if (sto_mono_us() > until) {
            return sto_fail(err, STO_E_TIMEOUT, "the database did not answer in %d s",
                            (int)(START_US / STO_US_PER_SEC));
        }
    }
    const char *unsafe = store_pg_unsafe(&s->base);
    return unsafe == NULL ? 0 : sto_fail(err, STO_E_DURABILITY, "%s", unsafe);
}

int store_pg_new(const struct store_pg_options *o, store_t **out, struct sto_err *err)
{
    struct store_pg *s = sto_xcalloc(1, sizeof *s);
    store_t *base = &s->base;

    s->base.ops = &ops;
    s->core_id = o->core_id;
    for (unsigned i = 0; i < o->n_former && i < STORE_FORMER_MAX; i++) {
        s->former_core_ids[i] = o->former_core_ids[i];
    }
    s->commit_timeout_us = (int64_t)o->commit_timeout_ms * 1000;
    s->key_cache = sto_xcalloc(KEY_CACHE_SLOTS, sizeof *s->key_cache);
    if (gethostname(s->host, sizeof s->host - 1) != 0) {
        snprintf(s->host, sizeof s->host, "unknown");
    }
    int rc = links_init(s, o, err);
    if (rc == 0) {
        rc = start(s, err);
    }
    if (rc != 0) {
        destroy(&base);
        return rc;
    }
    *out = base;
    return 0;
}
