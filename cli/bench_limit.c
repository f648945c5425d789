/* SPDX-License-Identifier: EUPL-1.2 */
#include "bench_limit.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "child.h"
#include "db.h"
#include "pg_private.h"
#include "sto_file.h"
#include "sto_time.h"

#define ROUNDS  2000
#define COMMITS 500

static int take(const char *line, struct bench_limit *out, struct sto_err *err)
{
    json_t *j = json_loads(line, 0, NULL), *size;
    size_t i;

    if (j == NULL) {
        return sto_fail(err, STO_E_INTERNAL, "the replay of the batches said '%.120s'", line);
    }
    double seconds = json_number_value(json_object_get(j, "seconds"));
    out->events_per_s = seconds > 0 ? json_number_value(json_object_get(j, "events")) / seconds : 0;
    json_array_foreach(json_object_get(j, "by_size"), i, size)
    {
        double s = json_number_value(json_object_get(size, "seconds"));
        if (i < 16 && s > 0) {
            out->by_size[i] = json_number_value(json_object_get(size, "events")) / s;
        }
    }
    json_decref(j);
    return 0;
}

int bench_limit_replay(const char *dir, const char *home, const char *capture,
                       struct bench_limit *out, struct sto_err *err)
{
    char *pg_dir = sto_asprintf("%s/pg-limit", dir), *sql = sto_asprintf("%s/deploy/sql", home),
         *bin = program_dir();
    struct pg_private_options o = {.dir = pg_dir, .sql_dir = sql, .shared_buffers_mib = 256};
    struct pg_private *pg = NULL;
    int rc = pg_private_start(&o, &pg, err);

    *out = (struct bench_limit){0};
    if (rc == 0) {
        char line[8192] = "";
        char *program = sto_asprintf("%s/saattod", bin);
        char *dsn =
            sto_asprintf("--set=dsn=%s", pg_private_dsn(pg, PG_PRIVATE_DATA, "saatto_admin"));
        const char *argv[] = {program, "--replay", capture, dsn, NULL};
        if (child_output(argv, line, sizeof line) != 0) {
            rc = sto_fail(err, STO_E_INTERNAL, "could not replay the batches in '%s'", capture);
        }
        free(program);
        free(dsn);
        rc = rc != 0 ? rc : take(line, out, err);
    }
    pg_private_stop(&pg);
    free(pg_dir);
    free(sql);
    free(bin);
    return rc;
}

double bench_limit_at(const struct bench_limit *l, double batch_events)
{
    int want = batch_events < 1 ? 0 : (int)log2(batch_events);

    for (int d = 0; d < 16; d++) {
        if (want - d >= 0 && want - d < 16 && l->by_size[want - d] > 0) {
            return l->by_size[want - d];
        }
        if (want + d < 16 && l->by_size[want + d] > 0) {
            return l->by_size[want + d];
        }
    }
    return l->events_per_s;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return n != 0 ? v[n / 2] : 0;
}

static void *echo(void *server)
{
    for (;;) {
        zmq_msg_t part[2];
        zmq_msg_init(&part[0]);
        zmq_msg_init(&part[1]);
        if (zmq_msg_recv(&part[0], server, 0) < 0 || zmq_msg_recv(&part[1], server, 0) <= 0) {
            break; /* an empty body ends it */
        }
        zmq_msg_send(&part[0], server, ZMQ_SNDMORE);
        zmq_msg_send(&part[1], server, 0);
    }
    return NULL;
}

double bench_curve_round_trip_ms(void)
{
    void *ctx = zmq_ctx_new(), *server = zmq_socket(ctx, ZMQ_ROUTER),
         *client = zmq_socket(ctx, ZMQ_DEALER);
    char pub[41], sec[41], cpub[41], csec[41], endpoint[128];
    static double ms[ROUNDS];
    int on = 1, linger = 0;
    size_t n = 0, size = sizeof endpoint;
    pthread_t thread;

    zmq_curve_keypair(pub, sec);
    zmq_curve_keypair(cpub, csec);
    zmq_setsockopt(server, ZMQ_CURVE_SERVER, &on, sizeof on);
    zmq_setsockopt(server, ZMQ_CURVE_SECRETKEY, sec, 41);
    zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, pub, 41);
    zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, cpub, 41);
    zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, csec, 41);
    zmq_setsockopt(server, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(client, ZMQ_LINGER, &linger, sizeof linger);
    if (zmq_bind(server, "tcp://127.0.0.1:*") == 0 &&
        zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0 &&
        zmq_connect(client, endpoint) == 0 && pthread_create(&thread, NULL, echo, server) == 0) {
        char frame[400] = {1};
        for (; n < ROUNDS; n++) {
            int64_t t = sto_mono_us();
            zmq_send(client, frame, sizeof frame, 0);
            zmq_recv(client, frame, sizeof frame, 0);
            ms[n] = (double)(sto_mono_us() - t) / 1000.0;
        }
        zmq_send(client, "", 0, 0);
        pthread_join(thread, NULL);
    }
    zmq_close(client);
    zmq_close(server);
    zmq_ctx_term(ctx);
    return median(ms, n);
}

double bench_commit_ms(const char *dsn)
{
    PGconn *db = NULL;
    static double ms[COMMITS];
    size_t n = 0;

    if (db_open(dsn, &db, NULL) != 0 ||
        db_run(db, "CREATE TABLE bench_commit (i int4)", NULL) != 0) {
        PQfinish(db);
        return 0;
    }
    for (; n < COMMITS; n++) {
        int64_t t = sto_mono_us();
        if (db_run(db, "INSERT INTO bench_commit VALUES (1)", NULL) != 0) {
            break;
        }
        ms[n] = (double)(sto_mono_us() - t) / 1000.0;
    }
    PQfinish(db);
    return median(ms, n);
}
