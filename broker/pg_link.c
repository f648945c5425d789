/* SPDX-License-Identifier: EUPL-1.2 */
#include "pg_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"
#include "sto_file.h"
#include "sto_log.h"
#include "sto_time.h"

#define CONNECT_US     (5 * STO_US_PER_SEC)
#define PREPARE_US     (10 * STO_US_PER_SEC)
#define BACKOFF_US_MIN (STO_US_PER_SEC / 20)
#define BACKOFF_US_MAX (STO_US_PER_SEC / 4)  /* a server that recovers is back within the second */
#define IDLE_LOOK_US   (STO_US_PER_SEC / 10) /* how soon the end of an idle session is noticed */
#define KEYWORDS_MAX   64

/* A dead peer must be noticed in seconds, and only the primary is of use. */
static const struct {
    const char *key, *value;
} defaults[] = {
    {"connect_timeout", "5"},    {"tcp_user_timeout", "10000"},
    {"keepalives_idle", "5"},    {"keepalives_interval", "2"},
    {"keepalives_count", "3"},   {"target_session_attrs", "read-write"},
    {"sslmode", "verify-full"}, /* a Unix socket knows no TLS and ignores it */
    {"application_name", NULL}, /* "saattod" and the link's label: an operator sees who is who */
    {"client_encoding", "UTF8"},
};

/*
 * Plans made on an empty table must hold on a full one: nested loops over indexes, for ever. The
 * settings travel with the connection, so that they hold whatever role the dsn names.
 */
static const char session_options[] =
    "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off "
    "-c jit=off -c plan_cache_mode=force_generic_plan -c lock_timeout=2s -c statement_timeout=10s "
    "-c idle_in_transaction_session_timeout=10s -c client_connection_check_interval=5s";

/* Calls connect with the dsn's own keywords and our defaults behind them. */
static PGconn *start(const char *dsn, const char *label, bool blocking)
{
    const char *keys[KEYWORDS_MAX + 1], *values[KEYWORDS_MAX + 1];
    char *options = NULL, *application = sto_asprintf("saattod %s", label);
    int n = 0;
    PQconninfoOption *given = PQconninfoParse(dsn, NULL);

    if (given == NULL) {
        free(application);
        return NULL;
    }
    for (PQconninfoOption *o = given; o->keyword != NULL && n < KEYWORDS_MAX - 12; o++) {
        if (o->val != NULL && strcmp(o->keyword, "options") == 0) {
            options = sto_asprintf("%s %s", session_options, o->val);
        } else if (o->val != NULL) {
            keys[n] = o->keyword;
            values[n++] = o->val;
        }
    }
    int n_given = n;
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        bool has = false;
        for (int k = 0; k < n_given; k++) {
            has = has || strcmp(keys[k], defaults[i].key) == 0;
        }
        if (!has) {
            keys[n] = defaults[i].key;
            values[n++] = defaults[i].value != NULL ? defaults[i].value : application;
        }
    }
    keys[n] = "options";
    values[n++] = options != NULL ? options : session_options;
    keys[n] = NULL;
    values[n] = NULL;
    PGconn *conn =
        blocking ? PQconnectdbParams(keys, values, 0) : PQconnectStartParams(keys, values, 0);
    PQconninfoFree(given);
    free(options);
    free(application);
    return conn;
}

static void ignore_notice(void *arg, const PGresult *r)
{
    (void)arg;
    (void)r;
}

PGconn *pg_connect(const char *dsn, struct sto_err *err)
{
    PGconn *conn = start(dsn, "replay", true);

    if (conn == NULL) {
        sto_fail(err, STO_E_CONFIG, "the database's connection string cannot be read");
        return NULL;
    }
    if (PQstatus(conn) != CONNECTION_OK) {
        sto_fail(err, STO_E_UNREACHABLE, "could not reach the database: %s", PQerrorMessage(conn));
        PQfinish(conn);
        return NULL;
    }
    PQsetNoticeReceiver(conn, ignore_notice, NULL);
    return conn;
}

int pg_link_init(struct pg_link *l, const char *label, const char *dsn,
                 const struct pg_statement *statements, struct sto_err *err)
{
    char *text = NULL;
    PQconninfoOption *parsed = PQconninfoParse(dsn, &text);

    *l = (struct pg_link){.label = label, .statements = statements};
    if (parsed == NULL) {
        sto_fail(err, STO_E_CONFIG, "the %s connection string cannot be read: %s", label,
                 text != NULL ? text : "out of memory");
        PQfreemem(text);
        return -STO_E_CONFIG;
    }
    PQconninfoFree(parsed);
    l->dsn = sto_xstrdup(dsn);
    return 0;
}

void pg_link_release(struct pg_link *l)
{
    if (l->conn != NULL) {
        PQfinish(l->conn);
    }
    free(l->dsn);
    *l = (struct pg_link){0};
}

static void remember(struct pg_link *l, const char *why)
{
    snprintf(l->why, sizeof l->why, "%s", why);
    for (char *p = l->why; *p != '\0'; p++) {
        if (*p == '\n') {
            *p = p[1] == '\0' ? '\0' : ' ';
        }
    }
}

void pg_link_discard(struct pg_link *l, const char *why)
{
    if (why != l->why) {
        remember(l, why);
    }
    if (l->conn != NULL) {
        PQfinish(l->conn);
        l->conn = NULL;
    }
    l->state = PG_LINK_DOWN;
    l->unsent = false;
    l->retry_us = 0; /* a session that had worked: at once, and only then with backoff */
    l->backoff_us = 0;
}

/* The attempt to connect failed. */
static void not_connected(struct pg_link *l, int64_t now, const char *why)
{
    int64_t backoff = l->backoff_us == 0 ? BACKOFF_US_MIN : l->backoff_us * 2;

    pg_link_discard(l, why);
    l->backoff_us = backoff > BACKOFF_US_MAX ? BACKOFF_US_MAX : backoff;
    l->retry_us = now + l->backoff_us;
    sto_log(STO_WARN, "db_not_connected", "link", l->label, "error", l->why, NULL);
}

/* The session ended under a job or while idle. */
static void lost(struct pg_link *l, const char *why)
{
    bool busy = l->state == PG_LINK_BUSY;
    struct pg_job job = l->job;

    pg_link_discard(l, why);
    sto_log(STO_WARN, "db_lost", "link", l->label, "busy", busy ? "yes" : "no", "error", l->why,
            NULL);
    if (busy) {
        job.done(job.arg, true);
    }
}

static void notice(void *arg, const PGresult *r)
{
    struct pg_link *l = arg;
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

    /* "canceling wait for synchronous replication" is but a warning, and COMMIT says OK */
    if (state != NULL && (strcmp(state, "01000") == 0 || strcmp(state, "57P01") == 0)) {
        l->doubt_warning = true;
        sto_log(STO_WARN, "db_warning", "link", l->label, "sqlstate", state, "text",
                PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY), NULL);
    }
}

static void prepare_result(void *arg, unsigned query, const PGresult *r)
{
    struct pg_link *l = arg;

    if (PQresultStatus(r) == PGRES_FATAL_ERROR && l->why[0] == '\0') {
        char text[PG_LINK_WHY_BYTES];
        snprintf(text, sizeof text, "statement '%s': %s", l->statements[query].name,
                 PQresultErrorMessage(r));
        remember(l, text);
    }
}

static void prepare_done(void *arg, bool was_lost)
{
    (void)arg;
    (void)was_lost;
}

static void prepare(struct pg_link *l, int64_t now)
{
    PQsetNoticeReceiver(l->conn, notice, l);
    if (PQsetnonblocking(l->conn, 1) != 0 || PQenterPipelineMode(l->conn) != 1) {
        not_connected(l, now, PQerrorMessage(l->conn));
        return;
    }
    l->state = PG_LINK_PREPARING;
    l->job = (struct pg_job){prepare_result, prepare_done, l};
    l->query = 0;
    l->why[0] = '\0';
    l->deadline_us = now + PREPARE_US;
    for (const struct pg_statement *s = l->statements; s->sql != NULL; s++) {
        PQsendPrepare(l->conn, s->name, s->sql, 0, NULL);
    }
    PQpipelineSync(l->conn);
    l->unsent = PQflush(l->conn) == 1;
}

static void connect_some(struct pg_link *l, int64_t now)
{
    if (l->state == PG_LINK_DOWN) {
        if (now < l->retry_us) {
            return;
        }
        l->conn = start(l->dsn, l->label, false);
        if (l->conn == NULL || PQstatus(l->conn) == CONNECTION_BAD) {
            not_connected(l, now, l->conn != NULL ? PQerrorMessage(l->conn) : "out of memory");
            return;
        }
        l->state = PG_LINK_CONNECTING;
        l->unsent = true; /* a new connection waits to write first */
        l->deadline_us = now + CONNECT_US;
        return;
    }
    struct pollfd fd;
    pg_link_pollfd(l, &fd);
    if (poll(&fd, 1, 0) > 0) {
        PostgresPollingStatusType s = PQconnectPoll(l->conn);
        if (s == PGRES_POLLING_FAILED) {
            not_connected(l, now, PQerrorMessage(l->conn));
            return;
        }
        l->unsent = s == PGRES_POLLING_WRITING;
        if (s == PGRES_POLLING_OK) {
            prepare(l, now);
            return;
        }
    }
    if (now > l->deadline_us) {
        not_connected(l, now, "no connection in time");
    }
}

/* Sync of the prepare step or of a job. */
static void synced(struct pg_link *l)
{
    if (l->state == PG_LINK_PREPARING) {
        if (l->why[0] != '\0') {
            not_connected(l, sto_mono_us(), l->why);
            return;
        }
        l->state = PG_LINK_READY;
        l->backoff_us = 0;
        sto_log(STO_DEBUG, "db_connected", "link", l->label, NULL);
        return;
    }
    l->state = PG_LINK_READY;
    l->job.done(l->job.arg, false);
}

static bool working(const struct pg_link *l)
{
    return l->state == PG_LINK_BUSY || l->state == PG_LINK_PREPARING;
}

/* Takes what has arrived. A query's results end in NULL; a Sync has none behind it. */
static void take_results(struct pg_link *l)
{
    bool ended = false;

    while (working(l) && PQisBusy(l->conn) == 0) {
        PGresult *r = PQgetResult(l->conn);
        if (r == NULL) {
            if (ended) {
                return; /* twice nothing: the rest has not arrived */
            }
            ended = true;
            l->query++;
            continue;
        }
        ended = false;
        ExecStatusType status = PQresultStatus(r);
        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(r);
            synced(l);
            return;
        }
        if (status != PGRES_PIPELINE_ABORTED) {
            l->job.result(l->job.arg, l->query, r);
        }
        PQclear(r);
        if (PQstatus(l->conn) == CONNECTION_BAD) {
            return;
        }
    }
}

static void gone(struct pg_link *l, int64_t now, const char *why)
{
    if (l->state == PG_LINK_PREPARING) {
        not_connected(l, now, why);
    } else {
        lost(l, why);
    }
}

void pg_link_run(struct pg_link *l, int64_t now)
{
    if (l->state == PG_LINK_DOWN || l->state == PG_LINK_CONNECTING) {
        connect_some(l, now);
        return;
    }
    if (l->state == PG_LINK_READY && now < l->idle_look_us) {
        return;
    }
    l->idle_look_us = now + IDLE_LOOK_US;
    if (l->unsent) {
        l->unsent = PQflush(l->conn) == 1;
    }
    const PGconn *conn = l->conn;
    int read = PQconsumeInput(l->conn);
    if (working(l)) {
        take_results(l);
    }
    if (l->conn != conn || l->state == PG_LINK_DOWN) {
        return; /* the job's end discarded the session */
    }
    if (read == 0 || PQstatus(l->conn) == CONNECTION_BAD) {
        gone(l, now, PQerrorMessage(l->conn));
    } else if (working(l) && now > l->deadline_us) {
        gone(l, now, "no answer in time");
    }
}

bool pg_link_pollfd(const struct pg_link *l, struct pollfd *out)
{
    if (l->conn == NULL || PQsocket(l->conn) < 0) {
        return false;
    }
    *out = (struct pollfd){.fd = PQsocket(l->conn), .events = POLLIN};
    if (l->state == PG_LINK_CONNECTING) {
        out->events = l->unsent ? POLLOUT : POLLIN;
    } else if (l->unsent) {
        out->events = POLLIN | POLLOUT;
    }
    return true;
}

bool pg_link_ready(struct pg_link *l)
{
    if (l->state == PG_LINK_READY &&
        (PQconsumeInput(l->conn) == 0 || PQstatus(l->conn) == CONNECTION_BAD)) {
        lost(l, PQerrorMessage(l->conn));
    }
    return l->state == PG_LINK_READY;
}

bool pg_link_hopeless(const struct pg_link *l)
{
    return l->state == PG_LINK_DOWN && l->backoff_us > 0;
}

void pg_link_begin(struct pg_link *l, const struct pg_job *job, int64_t deadline_us)
{
    STO_ASSERT(l->state == PG_LINK_READY);
    l->state = PG_LINK_BUSY;
    l->job = *job;
    l->query = 0;
    l->doubt_warning = false;
    l->deadline_us = deadline_us;
}

void pg_calls_send(PGconn *conn, const struct pg_statement *statements, const struct pg_params *p)
{
    static const int binary[32] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                   1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

    for (unsigned i = 0; i < p->n_calls; i++) {
        const char *values[32];
        int lengths[32];
        unsigned n = p->calls[i].n;
        STO_ASSERT(n <= 32);
        for (unsigned k = 0; k < n; k++) {
            unsigned v = p->calls[i].first + k;
            values[k] = (const char *)p->data + p->values[v].at;
            lengths[k] = p->values[v].len;
        }
        /* a failure shows as a lost session at the next read */
        PQsendQueryPrepared(conn, statements[p->calls[i].statement].name, (int)n, values, lengths,
                            binary, 1);
    }
}

void pg_link_calls(struct pg_link *l, const struct pg_params *p)
{
    pg_calls_send(l->conn, l->statements, p);
}

void pg_link_send(struct pg_link *l)
{
    PQpipelineSync(l->conn);
    l->unsent = PQflush(l->conn) == 1;
}
