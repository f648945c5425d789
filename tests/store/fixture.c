/* SPDX-License-Identifier: EUPL-1.2 */
#include "fixture.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sto_arena.h"
#include "sto_file.h"
#include "sto_time.h"

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

void fixture_start(struct fixture *f)
{
    const char *tmp = getenv("SAATTO_TMP");
    struct sto_err err = {0};
    const char *one = getenv("STORE_SETTING"); /* one more, for experiments */
    const char *setting[2] = {one != NULL && one[0] != '\0' ? one : NULL, NULL};
    struct pg_private_options o = {
        .dir = f->dir, .sql_dir = SAATTO_SOURCE_DIR "/deploy/sql", .settings = setting};

    snprintf(f->dir, sizeof f->dir, "%s/store-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(f->dir) == NULL || chmod(f->dir, 0755) != 0) {
        give_up("fixture", f->dir);
    }
    if (pg_private_start(&o, &f->pg, &err) != 0) {
        give_up("fixture", err.what);
    }
    f->admin = fixture_open(f, "saatto_admin");
}

void fixture_stop(struct fixture *f)
{
    char command[300];

    PQfinish(f->admin);
    pg_private_stop(&f->pg);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    if (system(command) != 0) {
        give_up("fixture", "could not remove its folder");
    }
}

static void quiet(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static void take_all(struct owner *o)
{
    for (uint16_t i = 0; i < o->maker->n_shards; i++) {
        struct store_result res;
        do {
            struct store_request *r = request(STORE_TAKE_OVER);
            r->shard = i;
            store_pg_run(o->store, sto_mono_us());
            res = store_do(o->store, r);
        } while (res.outcome == STORE_RETRY);
        if (res.outcome != STORE_OK) {
            give_up("take over", res.message);
        }
        o->maker->epoch[i] = res.head.epoch;
        o->maker->config = res.head.config;
        o->maker->idx[i] = res.head.next_idx;
        for (uint32_t k = 0; k < res.head.n_heads; k++) {
            o->maker->outbox[i][res.head.heads[k].org] = res.head.heads[k].acked;
        }
        for (uint32_t k = 0; k < res.head.n_inbox; k++) {
            o->maker->inbox[i][res.head.inbox[k].org] = res.head.inbox[k].last;
        }
        if (res.head.last_us > o->maker->now_us) {
            o->maker->now_us = res.head.last_us;
        }
        sto_arena_destroy(&res.arena);
    }
}

void owner_start(struct fixture *f, struct owner *o, uint64_t core_id, int commit_timeout_ms)
{
    sql(f->admin, "DELETE FROM core");
    o->store = fixture_store(f, core_id, commit_timeout_ms, NULL);
    o->maker = maker_new(store_pg_shards(o->store), 2048);
    take_all(o);
}

void owner_stop(struct owner *o)
{
    maker_destroy(&o->maker);
    o->store->ops->destroy(&o->store);
}

void owner_again(struct owner *o)
{
    for (uint32_t i = 0; i < o->maker->n_cases; i++) {
        o->maker->cases[i].hop =
            0; /* new cases: what the failed batch did to the old is not known */
    }
    o->maker->next_case = 0;
    take_all(o);
}

enum store_outcome owner_commit(struct owner *o, uint32_t n)
{
    struct store_result r = store_do(o->store, made_commit(o->maker, n));

    sto_arena_destroy(&r.arena);
    return r.outcome;
}

int waiting_backend(struct fixture *f, store_t *s, const char *condition)
{
    int64_t until = sto_mono_us() + 30 * STO_US_PER_SEC;
    int pid = 0;

    while (pid == 0) {
        store_pg_run(s, sto_mono_us());
        pid = atoi(sql(f->admin,
                       "SELECT pid FROM pg_stat_activity WHERE usename = 'saatto_core'"
                       " AND %s ORDER BY query_start DESC LIMIT 1",
                       condition));
        if (sto_mono_us() > until) {
            give_up("waiting backend", condition);
        }
    }
    return pid;
}

PGconn *fixture_open(struct fixture *f, const char *role)
{
    PGconn *db = PQconnectdb(pg_private_dsn(f->pg, PG_PRIVATE_DATA, role));

    if (PQstatus(db) != CONNECTION_OK) {
        give_up("fixture", PQerrorMessage(db));
    }
    PQsetNoticeProcessor(db, quiet, NULL);
    return db;
}

store_t *fixture_store(struct fixture *f, uint64_t core_id, int commit_timeout_ms,
                       const char *capture)
{
    struct sto_err err = {0};
    store_t *s = NULL;
    struct store_pg_options o = {.dsn = pg_private_dsn(f->pg, PG_PRIVATE_DATA, "saatto_core"),
                                 .keys_dsn = pg_private_dsn(f->pg, PG_PRIVATE_KEYS, "saatto_core"),
                                 .core_id = core_id,
                                 .commit_timeout_ms = commit_timeout_ms,
                                 .capture = capture != NULL,
                                 .capture_path = capture};

    if (store_pg_new(&o, &s, &err) != 0) {
        give_up("store", err.what);
    }
    return s;
}

struct store_result store_wait(store_t *s)
{
    struct store_result r;
    int64_t until = sto_mono_us() + 60 * STO_US_PER_SEC;

    while (!s->ops->poll(s, &r)) {
        struct pollfd fds[3];
        unsigned n = store_pg_pollfds(s, fds, 3);
        poll(fds, n, 20);
        store_pg_run(s, sto_mono_us());
        if (sto_mono_us() > until) {
            give_up("store", "no result in 60 s");
        }
    }
    return r;
}

struct store_result store_do(store_t *s, struct store_request *r)
{
    s->ops->submit(s, r);
    return store_wait(s);
}

struct store_request *request(enum store_kind kind)
{
    struct store_request *r = sto_xcalloc(1, sizeof *r);

    r->kind = kind;
    r->arena = sto_arena_new(16u << 20);
    return r;
}

const char *sql(PGconn *db, const char *fmt, ...)
{
    static char value[65536];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    PGresult *r = PQexec(db, value);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK) {
        fprintf(stderr, "%s\n", value);
        give_up("sql", PQresultErrorMessage(r));
    }
    snprintf(value, sizeof value, "%s",
             PQntuples(r) > 0 && PQnfields(r) > 0 ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
    return value;
}

const char *sql_state(PGconn *db, const char *text)
{
    static char state[6];
    PGresult *r = PQexec(db, text);
    const char *s = PQresultErrorField(r, PG_DIAG_SQLSTATE);

    snprintf(state, sizeof state, "%s", s != NULL ? s : "00000");
    PQclear(r);
    return state;
}
