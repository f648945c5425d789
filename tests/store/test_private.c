/* SPDX-License-Identifier: EUPL-1.2 */
/* The private server: made, stopped, started again; what it says when it cannot; captures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sto_arena.h"
#include "sto_file.h"
#include "store_replay.h"
#include "store_test.h"

static struct fixture f;

static int start(void **state)
{
    (void)state;
    fixture_start(&f);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_stop(&f);
    return 0;
}

static void what_was_written_is_there_after_a_restart(void **state)
{
    struct sto_err err = {0};
    struct pg_private_options o = {.dir = f.dir, .sql_dir = SAATTO_SOURCE_DIR "/deploy/sql"};
    char socket[300];
    struct stat st;

    (void)state;
    sql(f.admin, "INSERT INTO core VALUES (5, now(), 'kept')");
    snprintf(socket, sizeof socket, "%s/s/.s.PGSQL.5432", f.dir);
    assert_int_equal(stat(socket, &st), 0);
    pid_t former = pg_private_pid(f.pg);
    PQfinish(f.admin);
    pg_private_stop(&f.pg);
    assert_int_equal(stat(socket, &st), -1);
    assert_null(f.pg);
    assert_int_equal(pg_private_start(&o, &f.pg, &err), 0);
    assert_int_not_equal(pg_private_pid(f.pg), former);
    f.admin = fixture_open(&f, "saatto_admin");
    assert_string_equal(sql(f.admin, "SELECT host FROM core WHERE id = 5"), "kept");
    assert_string_equal(sql(f.admin, "SELECT count(*) FROM schema_version"), "4");
    assert_string_equal(sql(f.admin, "SHOW data_checksums"), "on");
    assert_string_equal(sql(f.admin, "SHOW listen_addresses"), "");
}

static void a_folder_in_use_is_refused(void **state)
{
    struct sto_err err = {0};
    struct pg_private *second = NULL;
    struct pg_private_options o = {.dir = f.dir, .sql_dir = SAATTO_SOURCE_DIR "/deploy/sql"};

    (void)state;
    assert_int_equal(pg_private_start(&o, &second, &err), -STO_E_IO);
    assert_non_null(strstr(err.what, "postmaster.pid"));
    assert_string_equal(sql(f.admin, "SELECT 1"), "1");
}

static void a_long_path_gets_its_socket_elsewhere(void **state)
{
    struct sto_err err = {0};
    struct pg_private *pg = NULL;
    char *dir = sto_asprintf("%s/%0120d", f.dir, 7);
    struct pg_private_options o = {
        .dir = dir, .sql_dir = SAATTO_SOURCE_DIR "/deploy/sql", .shards = 8};
    char host[200];

    (void)state;
    assert_int_equal(pg_private_start(&o, &pg, &err), 0);
    const char *dsn = pg_private_dsn(pg, PG_PRIVATE_DATA, "saatto_core");
    assert_int_equal(sscanf(dsn, "host=%199s", host), 1);
    assert_int_equal(strncmp(host, "/tmp/saatto-", 12), 0);
    PGconn *db = PQconnectdb(dsn);
    assert_string_equal(sql(db, "SELECT shards FROM installation"), "8");
    PQfinish(db);
    pg_private_stop(&pg);
    assert_int_equal(access(host, F_OK), -1);
    free(dir);
}

static void a_changed_schema_file_is_refused(void **state)
{
    struct sto_err err = {0};
    char *dir = sto_asprintf("%s/sql", f.dir), *path = sto_asprintf("%s/001-a.sql", dir);
    const char *dsn = pg_private_dsn(f.pg, PG_PRIVATE_KEYS, "saatto_admin");

    (void)state;
    PGconn *db = PQconnectdb(dsn);
    sql(db, "CREATE DATABASE migrated");
    PQfinish(db);
    char *other = sto_asprintf("%.*smigrated user=saatto_admin",
                               (int)(strstr(dsn, "saatto_keys") - dsn), dsn);
    assert_int_equal(sto_mkdirs(dir, 0755, &err), 0);
    assert_int_equal(sto_file_write(path, "CREATE TABLE a (a int);", 23, 0644, &err), 0);
    assert_int_equal(pg_schema_apply(other, dir, &err), 0);
    assert_int_equal(pg_schema_apply(other, dir, &err), 0);
    assert_int_equal(sto_file_write(path, "CREATE TABLE b (a int);", 23, 0644, &err), 0);
    assert_int_equal(pg_schema_apply(other, dir, &err), -STO_E_DIFFERENT);
    assert_int_equal(sto_file_write(path, "CREATE TABLE a (a int);", 23, 0644, &err), 0);
    free(path);
    path = sto_asprintf("%s/002-b.sql", dir);
    assert_int_equal(sto_file_write(path, "CREATE TABLE b (a int); SELECT 1/0;", 35, 0644, &err),
                     0);
    assert_int_equal(pg_schema_apply(other, dir, &err), -STO_E_DB);
    db = PQconnectdb(other);
    assert_string_equal(sql(db, "SELECT to_regclass('b') IS NULL"),
                        "t"); /* all of a file or nothing */
    PQfinish(db);
    free(other);
    free(path);
    free(dir);
}

static void shards_are_fixed_at_set_up(void **state)
{
    struct sto_err err = {0};

    (void)state;
    assert_int_equal(
        pg_schema_install(pg_private_dsn(f.pg, PG_PRIVATE_DATA, "saatto_admin"), 8, false, &err),
        -STO_E_DIFFERENT);
    assert_int_equal(
        pg_schema_install(pg_private_dsn(f.pg, PG_PRIVATE_DATA, "saatto_admin"), 5, false, &err),
        -STO_E_USAGE);
}

static void a_capture_replays_to_the_same_rows(void **state)
{
    struct sto_err err = {0};
    struct store_replay_stats stats;
    char *capture = sto_asprintf("%s/capture", f.dir);
    static const char *const sums[] = {
        "SELECT md5(string_agg(e::text, ',' ORDER BY shard, idx)) FROM event e",
        "SELECT md5(string_agg(e::text, ',' ORDER BY shard, case_id)) FROM case_row e",
        "SELECT md5(string_agg(e::text, ',' ORDER BY shard, case_id, n)) FROM ledger e",
        "SELECT md5(string_agg(e::text, ',' ORDER BY shard, org, seq)) FROM outbox e",
        "SELECT md5(string_agg(e::text, ',' ORDER BY shard, org)) FROM outbox_cursor e",
        "SELECT md5(string_agg(e::text, ',' ORDER BY shard, org)) FROM outbox_head e",
    };
    char before[6][64];
    struct owner o;

    (void)state;
    owner_start(&f, &o, 11, 15000);
    store_t *plain = o.store;
    o.store = fixture_store(&f, 11, 15000, capture);
    plain->ops->destroy(&plain);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(owner_commit(&o, 300), STORE_DURABLE);
    }
    owner_stop(&o);
    for (int i = 0; i < 6; i++) {
        snprintf(before[i], sizeof before[i], "%s", sql(f.admin, "%s", sums[i]));
    }
    sql(f.admin, "SET session_replication_role = replica; TRUNCATE event, case_row, ledger, "
                 "outbox, outbox_cursor,"
                 " outbox_head, inbox_stream; SET session_replication_role = origin;"
                 "UPDATE shard SET epoch = 0, core = 0");
    assert_int_equal(store_pg_replay(capture, pg_private_dsn(f.pg, PG_PRIVATE_DATA, "saatto_admin"),
                                     &stats, &err),
                     0);
    assert_int_equal(stats.batches, 12);
    assert_int_equal(stats.events, 3600);
    assert_int_equal(stats.by_size[8].batches, 12);
    for (int i = 0; i < 6; i++) {
        assert_string_equal(sql(f.admin, "%s", sums[i]), before[i]);
    }
    assert_int_equal(store_pg_replay("/dev/null", "", &stats, &err), -STO_E_CONFIG);
    free(capture);
}

int test_private(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_there_after_a_restart),
        cmocka_unit_test(a_folder_in_use_is_refused),
        cmocka_unit_test(a_long_path_gets_its_socket_elsewhere),
        cmocka_unit_test(a_changed_schema_file_is_refused),
        cmocka_unit_test(shards_are_fixed_at_set_up),
        cmocka_unit_test(a_capture_replays_to_the_same_rows),
    };
    return cmocka_run_group_tests_name("private server", tests, start, stop);
}
