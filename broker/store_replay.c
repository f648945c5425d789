/* SPDX-License-Identifier: EUPL-1.2 */
#include "store_replay.h"

#include <poll.h>
#include <string.h>

#include "capture.h"
#include "pg_batch.h"
#include "sto_time.h"

#define OWN_SQL                                                                                    \
    "INSERT INTO shard (shard, epoch, config, core) SELECT t.shard, t.epoch, $3, $4"               \
    " FROM unnest($1::int2[], $2::int8[]) AS t (shard, epoch)"                                     \
    " ON CONFLICT (shard) DO UPDATE SET epoch = excluded.epoch, config = excluded.config,"         \
    " core = excluded.core"

struct replay {
    PGconn *conn;
    struct pg_params batch;
    uint8_t guard[16384]; /* parameters of the guard that the shards stand for */
    size_t n_guard;
};

static int db_error(const PGconn *conn, const char *what, struct sto_err *err)
{
    return sto_fail(err, STO_E_DB, "%s: %s", what, PQerrorMessage(conn));
}

static int prepare(PGconn *conn, struct sto_err *err)
{
    for (unsigned i = 0; i < PG_BATCH_STATEMENTS; i++) {
        PGresult *r =
            PQprepare(conn, pg_batch_statements[i].name, pg_batch_statements[i].sql, 0, NULL);
        bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;
        PQclear(r);
        if (!ok) {
            return db_error(conn, "could not prepare the batch's statements", err);
        }
    }
    return 0;
}

/* The shards must be owned as they were when the batch was made. */
static int own_shards(struct replay *p, struct sto_err *err)
{
    static const int binary[4] = {1, 1, 1, 1};
    const char *values[4];
    int lengths[4];
    unsigned first = p->batch.calls[1].first;
    size_t from = p->batch.values[first].at;
    size_t n = p->batch.values[first + 3].at + 8 - from;

    if (p->batch.n_calls < 2 || p->batch.calls[1].statement != PG_GUARD ||
        p->batch.calls[1].n != 4 || n > sizeof p->guard) {
        return sto_fail(err, STO_E_MALFORMED, "capture: a batch without a guard");
    }
    if (n == p->n_guard && memcmp(p->guard, p->batch.data + from, n) == 0) {
        return 0;
    }
    memcpy(p->guard, p->batch.data + from, n);
    p->n_guard = n;
    for (unsigned i = 0; i < 4; i++) {
        values[i] = (const char *)p->batch.data + p->batch.values[first + i].at;
        lengths[i] = p->batch.values[first + i].len;
    }
    PGresult *r = PQexecParams(p->conn, OWN_SQL, 4, NULL, values, lengths, binary, 0);
    bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;
    PQclear(r);
    return ok ? 0 : db_error(p->conn, "could not own the shards", err);
}

/* Sends what is left while reading what comes, as the store does. */
static int flush(PGconn *conn, struct sto_err *err)
{
    int rc;

    while ((rc = PQflush(conn)) == 1) {
        struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN | POLLOUT};
        poll(&fd, 1, 1000);
        if ((fd.revents & POLLIN) != 0 && PQconsumeInput(conn) == 0) {
            return db_error(conn, "connection lost", err);
        }
    }
    return rc == 0 ? 0 : db_error(conn, "connection lost", err);
}

static int write_batch(struct replay *p, struct sto_err *err)
{
    int rc;

    pg_calls_send(p->conn, pg_batch_statements, &p->batch);
    PQpipelineSync(p->conn);
    rc = flush(p->conn, err);
    for (bool synced = false; rc == 0 && !synced;) {
        PGresult *r = PQgetResult(p->conn);
        ExecStatusType status = r != NULL ? PQresultStatus(r) : PGRES_COMMAND_OK;
        synced = status == PGRES_PIPELINE_SYNC;
        if (status == PGRES_FATAL_ERROR) {
            rc = sto_fail(err, STO_E_DB, "replay: %s", PQresultErrorMessage(r));
        }
        PQclear(r);
    }
    return rc;
}

static void count(struct store_replay_stats *out, uint32_t events, double seconds)
{
    unsigned size = 0;

    while (size + 1 < REPLAY_SIZES && events >> (size + 1) != 0) {
        size++;
    }
    out->batches++;
    out->events += events;
    out->seconds += seconds;
    out->by_size[size].batches++;
    out->by_size[size].events += events;
    out->by_size[size].seconds += seconds;
}

static int replay_all(struct replay *p, struct capture_reader *reader,
                      struct store_replay_stats *out, struct sto_err *err)
{
    uint32_t events;
    int more;

    while ((more = capture_read(reader, &p->batch, &events, err)) == 1) {
        if (PQpipelineStatus(p->conn) != PQ_PIPELINE_OFF) {
            PQexitPipelineMode(p->conn);
        }
        PQsetnonblocking(p->conn, 0);
        int rc = own_shards(p, err);
        if (rc != 0) {
            return rc;
        }
        PQsetnonblocking(p->conn, 1);
        PQenterPipelineMode(p->conn);
        int64_t from = sto_mono_us();
        rc = write_batch(p, err);
        if (rc != 0) {
            return rc;
        }
        count(out, events, (double)(sto_mono_us() - from) / 1e6);
        out->bytes += p->batch.len;
    }
    return more;
}

int store_pg_replay(const char *path, const char *dsn, struct store_replay_stats *out,
                    struct sto_err *err)
{
    struct capture_reader *reader = NULL;
    struct replay p = {0};
    int rc = capture_open(path, &reader, err);

    *out = (struct store_replay_stats){0};
    if (rc == 0) {
        p.conn = pg_connect(dsn, err);
        rc = p.conn == NULL ? -STO_E_UNREACHABLE : prepare(p.conn, err);
    }
    if (rc == 0) {
        rc = replay_all(&p, reader, out, err);
    }
    PQfinish(p.conn);
    pg_params_release(&p.batch);
    capture_close(&reader);
    return rc;
}
