/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Data keys of cases, from a database of their own: taken from a pool by the thousand, looked up by
 * id. A small cache by slot holds what was used last; it lives no longer than the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"
#include "sto_crypto.h"
#include "sto_time.h"
#include "store_pg_impl.h"

/* clang-format off: SQL reads by clause */
const struct pg_statement key_statements[KEY_STATEMENTS + 1] = {
    [KEY_LOOK_UP] = {"look_up", "SELECT id, key FROM dek WHERE id = ANY ($1::int8[])"},
    [KEY_TAKE] =
        {"take",
         "UPDATE dek SET taken_by = $1::int8, taken_at = now() WHERE id = ANY (ARRAY(SELECT id"
         " FROM dek WHERE taken_by IS NULL ORDER BY id LIMIT $2::int8 FOR UPDATE SKIP LOCKED))"
         " RETURNING id, key"},
    [KEY_ADD] = {"add", "INSERT INTO dek (key, taken_by, taken_at) SELECT k, $1::int8, now()"
                        " FROM unnest($2::bytea[]) AS k RETURNING id, key"},
    [KEY_SETTINGS] = {"settings", SETTINGS_SQL},
};
/* clang-format on */

static struct key_slot *slot_of(const struct store_pg *s, uint64_t id)
{
    return &s->key_cache[id & (KEY_CACHE_SLOTS - 1)];
}

bool keys_cached(const struct store_pg *s, uint64_t id, uint8_t key[32])
{
    const struct key_slot *slot = slot_of(s, id);

    if (id != 0 && slot->id == id) {
        memcpy(key, slot->key, sizeof slot->key);
        return true;
    }
    return false;
}

void keys_want(struct store_pg *s, uint64_t id)
{
    if (id == 0) {
        return;
    }
    if (s->n_wanted_keys == s->cap_wanted_keys) {
        s->cap_wanted_keys = s->cap_wanted_keys == 0 ? 256 : s->cap_wanted_keys * 2;
        s->wanted_keys = sto_xrealloc(s->wanted_keys, s->cap_wanted_keys * sizeof *s->wanted_keys);
    }
    s->wanted_keys[s->n_wanted_keys++] = id;
}

static void remember(struct store_pg *s, uint64_t id, const uint8_t key[32])
{
    struct key_slot *slot = slot_of(s, id);

    slot->id = id;
    memcpy(slot->key, key, sizeof slot->key);
}

static bool key_rows(struct store_pg *s, const PGresult *r)
{
    if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        work_error(&s->loading, r);
    }
    return PQresultStatus(r) == PGRES_TUPLES_OK;
}

static void send(struct store_pg *s, const struct pg_params *p,
                 void (*result)(void *, unsigned, const PGresult *), void (*done)(void *, bool))
{
    const struct pg_job job = {result, done, s};

    pg_link_begin(&s->keys, &job, s->now_us + LOAD_TIMEOUT_US);
    pg_link_calls(&s->keys, p);
    pg_link_send(&s->keys);
}

/* ------------------------------------------------------------------- look up */

/* Gives one row's key to every case and delivery that names it: the cache may hold but one of two.
 */
static void give(struct store_result *res, uint64_t id, const uint8_t key[32])
{
    for (uint32_t i = 0; i < res->n_cases; i++) {
        if (res->cases[i].row.dek == id) {
            memcpy(res->cases[i].key, key, 32);
            res->cases[i].has_key = true;
        }
    }
    for (uint32_t i = 0; i < res->n_backlog; i++) {
        if (res->backlog[i].dek == id) {
            memcpy(res->backlog[i].key, key, 32);
            res->backlog[i].has_key = true;
        }
    }
}

static void look_up_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;

    (void)query;
    if (!key_rows(s, r)) {
        return;
    }
    for (int i = 0; i < PQntuples(r); i++) {
        uint64_t id = (uint64_t)pg_int8(r, i, 0);
        uint8_t key[32];
        pg_fixed(r, i, 1, key, sizeof key);
        remember(s, id, key);
        give(&s->loading.result, id, key);
        sto_wipe(key, sizeof key);
    }
}

static void look_up_done(void *arg, bool lost)
{
    struct store_pg *s = arg;

    load_keys_known(s, lost || s->loading.failed);
}

static int by_id(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

void keys_look_up(struct store_pg *s)
{
    uint64_t last = 0;
    uint32_t n = 0;
    uint8_t key[32];
    struct pg_params p = {0};

    if (s->n_wanted_keys > 0) {
        qsort(s->wanted_keys, s->n_wanted_keys, sizeof *s->wanted_keys, by_id);
    }
    for (uint32_t i = 0; i < s->n_wanted_keys; i++) {
        uint64_t id = s->wanted_keys[i];
        if (id != last && keys_cached(s, id, key)) {
            give(&s->loading.result, id, key);
        } else if (id != last) {
            s->wanted_keys[n++] = id;
        }
        last = id;
    }
    sto_wipe(key, sizeof key);
    if (n == 0) {
        load_keys_known(s, false);
        return;
    }
    if (s->keys.state != PG_LINK_READY) {
        load_keys_known(s, true); /* lost since the load began */
        return;
    }
    pg_params_call(&p, KEY_LOOK_UP);
    pg_params_columns(&p, &(struct pg_column){PG_I64_INT8, 0, 0}, 1, s->wanted_keys,
                      sizeof *s->wanted_keys, n);
    send(s, &p, look_up_result, look_up_done);
    pg_params_release(&p);
}

/* ---------------------------------------------------------------------- take */

static void take_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;
    struct store_result *res = &s->loading.result;

    (void)query;
    if (!key_rows(s, r) || res->keys == NULL) {
        return;
    }
    for (int i = 0; i < PQntuples(r) && res->n_keys < s->loading.request->n_keys; i++) {
        struct loaded_key *k = &res->keys[res->n_keys++];
        k->id = (uint64_t)pg_int8(r, i, 0);
        pg_fixed(r, i, 1, k->key, sizeof k->key);
    }
}

static void add_keys(struct store_pg *s, uint32_t n);

static void take_done(void *arg, bool lost)
{
    struct store_pg *s = arg;
    const struct store_result *res = &s->loading.result;

    if (lost || s->loading.failed) {
        s->loading.failed = true;
        s->loading.result.n_keys = 0; /* what was taken stays taken: keys cost nothing */
        load_keys_known(s, true);
    } else if (res->n_keys < s->loading.request->n_keys) {
        add_keys(s, s->loading.request->n_keys - res->n_keys);
    } else {
        load_finish(s, false);
    }
}

/* The pool ran short: new keys go straight to this core. */
static void add_keys(struct store_pg *s, uint32_t n)
{
    uint8_t *random = sto_xcalloc(n, 32);
    struct pg_params p = {0};

    sto_random(random, (size_t)n * 32);
    pg_params_call(&p, KEY_ADD);
    pg_params_int8(&p, (int64_t)s->core_id);
    pg_params_columns(&p, &(struct pg_column){PG_BYTES, 0, 32}, 1, random, 32, n);
    send(s, &p, take_result, take_done);
    sto_wipe(random, (size_t)n * 32);
    free(random);
    sto_wipe(p.data, p.len);
    pg_params_release(&p);
}

void keys_take(struct store_pg *s)
{
    struct pg_params p = {0};

    s->loading.result.keys =
        work_alloc(&s->loading, s->loading.request->n_keys * sizeof *s->loading.result.keys);
    pg_params_call(&p, KEY_TAKE);
    pg_params_int8(&p, (int64_t)s->core_id);
    pg_params_int8(&p, (int64_t)s->loading.request->n_keys);
    send(s, &p, take_result, take_done);
    pg_params_release(&p);
}
