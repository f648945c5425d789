/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How fast batches can be written: through the store, then replayed from its capture. Prints
 * figures and judges none. store_raw [events in a batch] [seconds]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fixture.h"
#include "made.h"
#include "sto_arena.h"
#include "sto_crypto.h"
#include "sto_log.h"
#include "sto_time.h"
#include "store_replay.h"

static void take_over(store_t *s, struct maker *m)
{
    for (uint16_t i = 0; i < m->n_shards; i++) {
        struct store_request *r = request(STORE_TAKE_OVER);
        r->shard = i;
        struct store_result res = store_do(s, r);
        if (res.outcome != STORE_OK) {
            fprintf(stderr, "take over: %s\n", res.message);
            exit(1);
        }
        m->epoch[i] = res.head.epoch;
        m->config = res.head.config;
        sto_arena_destroy(&res.arena);
    }
}

/* Seconds of processor time that a process has used. */
static double cpu_of(int pid)
{
    char path[64];
    unsigned long user = 0, system = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    if (f == NULL || fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                            &user, &system) != 2) {
        user = system = 0;
    }
    if (f != NULL) {
        fclose(f);
    }
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void through_store(struct fixture *f, uint32_t n, int64_t seconds, const char *capture)
{
    store_t *s = fixture_store(f, 7, 15000, capture);
    struct maker *m = maker_new(4, n * 4 + 51);
    struct rusage before, after;

    const char *bytes = getenv("STORE_BYTES"); /* of every blob alike */
    if (bytes != NULL) {
        m->bytes_fact = m->bytes_ct = m->bytes_skeleton = m->bytes_data = m->bytes_out =
            (uint32_t)atoi(bytes);
    }
    take_over(s, m);
    int backend = atoi(sql(
        f->admin, "SELECT pid FROM pg_stat_activity WHERE application_name = 'saattod commit'"));
    getrusage(RUSAGE_SELF, &before);
    int64_t from = sto_mono_us(), until = from + seconds * STO_US_PER_SEC;
    while (sto_mono_us() < until) {
        struct store_request *r = made_commit(m, n);
        struct store_result res = store_do(s, r);
        if (res.outcome != STORE_DURABLE) {
            fprintf(stderr, "commit: outcome %d %s %s\n", (int)res.outcome, res.sqlstate,
                    res.message);
            exit(1);
        }
        sto_arena_destroy(&res.arena);
    }
    double took = (double)(sto_mono_us() - from) / 1e6;
    getrusage(RUSAGE_SELF, &after);
    double cpu = (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
                 (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6 +
                 (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
                 (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6;
    printf(
        "store  batch %u: %.0f hops/s, %.2f ms a batch, cpu us a hop: client %.1f, backend %.1f\n",
        n, (double)m->made / took, took / (double)m->number * 1e3, cpu / (double)m->made * 1e6,
        cpu_of(backend) / (double)m->made * 1e6);
    maker_destroy(&m);
    s->ops->destroy(&s);
}

int main(int argc, char **argv)
{
    uint32_t n = argc > 1 ? (uint32_t)atoi(argv[1]) : 256;
    int64_t seconds = argc > 2 ? atoi(argv[2]) : 5;
    struct fixture f = {0};
    struct sto_err err = {0};
    char capture[300];

    sto_log_init("store_raw", STO_WARN);
    if (sto_crypto_init(&err) != 0) {
        return 1;
    }
    fixture_start(&f);
    const char *prepare = getenv("STORE_RAW_SQL");
    if (prepare != NULL) {
        sql(f.admin, "%s", prepare);
    }
    snprintf(capture, sizeof capture, "%s/capture", f.dir);
    through_store(&f, n, seconds, capture);
    if (getenv("STORE_STATEMENTS") !=
        NULL) { /* with STORE_SETTING=shared_preload_libraries=pg_stat_statements */
        printf("%s\n", sql(f.admin,
                           "SELECT string_agg(format('%%8s us  %%s', round(us), q), E'\n') FROM "
                           "(SELECT total_exec_time * 1000 / calls AS us, left(query, 60) AS q "
                           "FROM pg_stat_statements WHERE calls > 50 ORDER BY 1 DESC LIMIT 20) t"));
    }
    printf(
        "wal: %s\n",
        sql(f.admin,
            "SELECT format('%%s bytes a hop, %%s full pages, %%s syncs of %%s us, %%s writes of "
            "%%s us', wal_bytes / (SELECT count(*) FROM event), wal_fpi, wal_sync, "
            "round((wal_sync_time * 1000 / greatest(wal_sync, 1))::numeric), wal_write, "
            "round((wal_write_time * 1000 / greatest(wal_write, 1))::numeric)) FROM pg_stat_wal"));
    printf("outbox %s rows, hot updates of cases ", sql(f.admin, "SELECT count(*) FROM outbox"));
    printf("%s\n",
           sql(f.admin, "SELECT n_tup_hot_upd || ' of ' || n_tup_upd FROM pg_stat_user_tables"
                        " WHERE relname = 'case_row'"));
    sql(f.admin, "SET session_replication_role = replica; TRUNCATE event, case_row, ledger, "
                 "outbox, outbox_cursor, outbox_head,"
                 " inbox_stream CASCADE; SET session_replication_role = origin");
    struct store_replay_stats stats;
    if (store_pg_replay(capture, pg_private_dsn(f.pg, PG_PRIVATE_DATA, "saatto_admin"), &stats,
                        &err) != 0) {
        fprintf(stderr, "replay: %s\n", err.what);
        return 1;
    }
    printf("replay batch %u: %.0f hops/s, %.2f ms a batch, %.0f bytes a hop\n", n,
           (double)stats.events / stats.seconds, stats.seconds / (double)stats.batches * 1e3,
           (double)stats.bytes / (double)stats.events);
    fixture_stop(&f);
    return 0;
}
