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
    const char *setting[2] = {getenv("STORE_SETTING"), NULL}; /* one more, for experiments */
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
