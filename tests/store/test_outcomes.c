/* SPDX-License-Identifier: EUPL-1.2 */
/* What came back, and what is to be done: every line of the table, on a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sto_arena.h"
#include "sto_time.h"
#include "store_test.h"

#define CORE        7
#define COMMIT_LINK "application_name = 'saattod commit'"

static struct owner o;

static int start(void **state)
{
    (void)state;
    owner_start(&server, &o, CORE, 15000);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    owner_stop(&o);
    return 0;
}

/* The session is clean after any failure: the next batch, decided anew, commits. */
static void assert_goes_on(void)
{
    owner_again(&o);
    assert_int_equal(owner_commit(&o, 3), STORE_DURABLE);
}

/* The batch whose first event this is stands in the log. */
static bool stands(const struct row_event *e)
{
    return strcmp(sql(server.admin,
                      "SELECT count(*) FROM event WHERE shard = %u AND idx = %llu AND epoch = %llu",
                      e->shard, (unsigned long long)e->idx, (unsigned long long)e->epoch),
                  "1") == 0;
}

static void durable_batches_stand_in_every_table(void **state)
{
    (void)state;
    long before = atol(sql(server.admin, "SELECT count(*) FROM event"));
    for (int i = 0; i < 25; i++) {
        assert_int_equal(owner_commit(&o, 400), STORE_DURABLE);
    }
    assert_int_equal(atol(sql(server.admin, "SELECT count(*) FROM event")), before + 10000);
    assert_string_equal(
        sql(server.admin, "SELECT count(DISTINCT case_id) = count(*) FROM case_row"), "t");
    assert_string_equal(sql(server.admin,
                            "SELECT bool_and(n = idx) FROM (SELECT idx, row_number() OVER"
                            " (PARTITION BY shard ORDER BY idx) AS n FROM event) t"),
                        "t");
    assert_string_equal(sql(server.admin,
                            "SELECT count(*) FROM case_row c WHERE seq <> (SELECT max(case_seq)"
                            " FROM event e WHERE e.shard = c.shard AND e.case_id = c.case_id)"),
                        "0");
    assert_string_equal(sql(server.admin,
                            "SELECT count(*) FROM outbox_head h WHERE last <> (SELECT max(seq)"
                            " FROM outbox o WHERE o.shard = h.shard AND o.org = h.org)"),
                        "0");
}

static void acknowledged_deliveries_leave_the_outbox(void **state)
{
    (void)state;
    struct store_request *r = made_commit(o.maker, 10);
    r->batch->trim = true;
    assert_int_equal(store_do(o.store, r).outcome, STORE_DURABLE);
    for (int i = 0; i < 8; i++) { /* at most 2,048 leave with one batch */
        r = made_commit(o.maker, 1);
        r->batch->trim = true;
        assert_int_equal(store_do(o.store, r).outcome, STORE_DURABLE);
    }
    /* the last batch's own acknowledgements leave with the next */
    assert_string_equal(sql(server.admin,
                            "SELECT count(*) FROM outbox o JOIN outbox_cursor c USING (shard, org)"
                            " WHERE o.seq < c.acked - 1"),
                        "0");
    assert_string_equal(sql(server.admin, "SELECT count(*) > 0 FROM outbox"), "t");
}

static void a_stale_owner_is_fenced(void **state)
{
    (void)state;
    uint64_t mine = o.maker->epoch[1];
    sql(server.admin, "UPDATE shard SET epoch = epoch + 1, core = 99 WHERE shard = 1");
    struct store_result r = store_do(o.store, made_commit(o.maker, 40));
    assert_int_equal(r.outcome, STORE_FENCED);
    assert_string_equal(r.sqlstate, "SA001");
    assert_true(r.fenced_shards[0] == 1u << 1);
    assert_int_equal(r.n_owners, 4);
    assert_int_equal(r.owners[1].core, 99);
    assert_int_equal(r.owners[1].epoch, mine + 1);
    assert_int_equal(r.owners[0].core, CORE);
    sto_arena_destroy(&r.arena);
    sql(server.admin, "DELETE FROM core WHERE id <> %d", CORE);
    assert_goes_on();
}

/* A core that learnt another's epoch may not write under it either. */
static void a_foreign_epoch_is_fenced(void **state)
{
    (void)state;
    sql(server.admin, "UPDATE shard SET core = 99 WHERE shard = 2");
    struct store_result r = store_do(o.store, made_commit(o.maker, 4));
    assert_int_equal(r.outcome, STORE_FENCED);
    assert_true(r.fenced_shards[0] == 1u << 2);
    sto_arena_destroy(&r.arena);
    assert_goes_on();
}

static void a_new_configuration_fences_all_shards(void **state)
{
    (void)state;
    sql(server.admin, "UPDATE shard SET config = config + 1");
    struct store_result r = store_do(o.store, made_commit(o.maker, 4));
    assert_int_equal(r.outcome, STORE_FENCED);
    assert_true(r.fenced_shards[0] == 0xf);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(r.owners[i].epoch, o.maker->epoch[i]);
        assert_int_equal(r.owners[i].config, o.maker->config + 1);
        assert_int_equal(r.owners[i].core, CORE);
    }
    sto_arena_destroy(&r.arena);
    assert_goes_on();
}

/* The SQLSTATE raised by a trigger, as if the server had met the cause. */
static void assert_state(const char *sqlstate, enum store_outcome wanted)
{
    sql(server.admin,
        "CREATE OR REPLACE FUNCTION test_raise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'simulated' USING ERRCODE = '%s'; END $$;"
        "CREATE TRIGGER test_raise BEFORE INSERT ON event EXECUTE FUNCTION test_raise()",
        sqlstate);
    struct store_result r = store_do(o.store, made_commit(o.maker, 4));
    sql(server.admin, "DROP TRIGGER test_raise ON event");
    if (r.outcome != wanted || strcmp(r.sqlstate, sqlstate) != 0) {
        fail_msg("%s: outcome %d, sqlstate '%s'", sqlstate, (int)r.outcome, r.sqlstate);
    }
    sto_arena_destroy(&r.arena);
    assert_goes_on();
}

static void passing_troubles_are_retried(void **state)
{
    static const char *const states[] = {"40001", "40P01", "55P03", "57014", "53100",
                                         "53200", "53300", "53400", "25006", "42501",
                                         "42P01", "58030", "XX000", "SA002", NULL};
    (void)state;
    for (int i = 0; states[i] != NULL; i++) {
        assert_state(states[i], STORE_RETRY);
    }
}

static void bad_data_is_poison(void **state)
{
    static const char *const states[] = {"22021", "22003", "23502", "23503", "23505",
                                         "23514", "54000", "21000", "P0001", NULL};
    (void)state;
    for (int i = 0; states[i] != NULL; i++) {
        assert_state(states[i], STORE_POISON);
    }
}

static void bytes_that_are_no_text_are_poison(void **state)
{
    (void)state;
    struct store_request *r = made_commit(o.maker, 3);
    r->batch->events[1].answer = "\xff\xfe";
    struct store_result res = store_do(o.store, r);
    assert_int_equal(res.outcome, STORE_POISON);
    assert_string_equal(res.sqlstate, "22021");
    sto_arena_destroy(&res.arena);
    assert_goes_on();
}

static void a_position_written_twice_is_poison(void **state)
{
    (void)state;
    assert_int_equal(owner_commit(&o, 5), STORE_DURABLE);
    struct store_request *r = made_commit(o.maker, 1);
    r->batch->events[0].idx = 1;
    struct store_result res = store_do(o.store, r);
    assert_int_equal(res.outcome, STORE_POISON);
    assert_string_equal(res.sqlstate, "23505");
    sto_arena_destroy(&res.arena);
    assert_goes_on();
}

/* Reloading shows that the case is new: nothing is lost in silence, nobody's message set aside. */
static void a_case_that_is_not_there_is_retried(void **state)
{
    (void)state;
    struct store_request *r = made_commit(o.maker, 1);
    r->batch->cases[0].is_new = false;
    struct store_result res = store_do(o.store, r);
    assert_int_equal(res.outcome, STORE_RETRY);
    assert_string_equal(res.sqlstate, "SA002");
    sto_arena_destroy(&res.arena);
    assert_goes_on();
}

static void a_read_only_server_is_retried(void **state)
{
    (void)state;
    sql(server.admin, "ALTER ROLE saatto_core SET default_transaction_read_only = on");
    owner_stop(&o);
    /* target_session_attrs=read-write refuses the session itself */
    struct sto_err err = {0};
    store_t *s = NULL;
    struct store_pg_options options = {
        .dsn = pg_private_dsn(server.pg, PG_PRIVATE_DATA, "saatto_core"),
        .keys_dsn = pg_private_dsn(server.pg, PG_PRIVATE_KEYS, "saatto_core"),
        .core_id = 8,
        .commit_timeout_ms = 1000};
    assert_int_equal(store_pg_new(&options, &s, &err), -STO_E_UNREACHABLE);
    sql(server.admin, "ALTER ROLE saatto_core RESET default_transaction_read_only");
    owner_start(&server, &o, CORE, 15000);
    assert_goes_on();
}

/* --------------------------------------------------- sessions that end in doubt */

static struct store_result settle(struct store_result *doubt, const struct batch *b)
{
    static struct batch copy;
    static struct row_event first;
    struct store_request *r = request(STORE_SETTLE);

    copy = *b;
    first = b->events[0];
    copy.events = &first;
    copy.n_events = 1;
    r->batch = &copy;
    sto_arena_destroy(&doubt->arena);
    return store_do(o.store, r);
}

/* A batch under way while another session holds its shards' rows. */
static PGconn *hold_shards(void)
{
    PGconn *other = fixture_open(&server, "saatto_admin");

    sql(other, "BEGIN; SELECT * FROM shard FOR UPDATE");
    return other;
}

static void keep_batch(struct batch *out, struct row_event *first, const struct store_request *r)
{
    *out = *r->batch;
    *first = r->batch->events[0];
    out->events = first;
}

static void a_backend_killed_before_commit_is_settled_as_lost(void **state)
{
    (void)state;
    struct batch b;
    struct row_event first;
    PGconn *other = hold_shards();
    struct store_request *r = made_commit(o.maker, 20);
    keep_batch(&b, &first, r);
    o.store->ops->submit(o.store, r);
    int pid = waiting_backend(&server, o.store, COMMIT_LINK " AND wait_event_type = 'Lock'");
    sql(server.admin, "SELECT pg_terminate_backend(%d)", pid);
    struct store_result doubt = store_wait(o.store);
    assert_int_equal(doubt.outcome, STORE_UNKNOWN);
    sql(other, "ROLLBACK");
    struct store_result res = settle(&doubt, &b);
    assert_int_equal(res.outcome, STORE_OK);
    assert_false(res.settled_committed);
    assert_int_equal(res.n_owners, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(res.owners[i].core, CORE);
        assert_int_equal(res.owners[i].epoch, o.maker->epoch[i] + 1);
    }
    sto_arena_destroy(&res.arena);
    PQfinish(other);
    assert_false(stands(&first));
    assert_goes_on();
}

/* Nobody answers for a standby: COMMIT waits, its transaction already visible to no one. */
static void standby(const char *names)
{
    sql(server.admin, "ALTER SYSTEM SET synchronous_standby_names = '%s'", names);
    sql(server.admin, "SELECT pg_reload_conf()");
}

static void commit_in_doubt(const char *end_it)
{
    bool waits = false;
    struct batch b;
    struct row_event first;

    standby("nobody");
    int pid = 0;
    while (pid == 0) { /* until the server has read its settings, commits pass */
        struct store_result r;
        if (!waits || o.store->ops->poll(o.store, &r)) {
            struct store_request *q = made_commit(o.maker, 20);
            keep_batch(&b, &first, q);
            o.store->ops->submit(o.store, q);
            waits = true;
        }
        store_pg_run(o.store, sto_mono_us());
        pid = atoi(sql(server.admin, "SELECT pid FROM pg_stat_activity WHERE " COMMIT_LINK
                                     " AND wait_event = 'SyncRep'"));
    }
    sql(server.admin, "%s(%d)", end_it, pid);
    struct store_result doubt = store_wait(o.store);
    standby("");
    assert_int_equal(doubt.outcome, STORE_UNKNOWN);
    struct store_result res = settle(&doubt, &b);
    assert_int_equal(res.outcome, STORE_OK);
    assert_true(res.settled_committed);
    sto_arena_destroy(&res.arena);
    assert_goes_on();
}

static void a_backend_killed_in_commit_is_settled_as_committed(void **state)
{
    (void)state;
    commit_in_doubt("SELECT pg_terminate_backend");
}

static void a_commit_with_a_warning_is_in_doubt(void **state)
{
    (void)state;
    commit_in_doubt("SELECT pg_cancel_backend");
}

static void a_backend_killed_after_commit_has_committed(void **state)
{
    (void)state;
    struct store_request *r = made_commit(o.maker, 20);
    struct batch b;
    struct row_event first;
    keep_batch(&b, &first, r);
    int pid = atoi(sql(server.admin, "SELECT pid FROM pg_stat_activity WHERE " COMMIT_LINK));
    o.store->ops->submit(o.store, r);
    while (!stands(&first)) {
        /* the store is not turned: the answer waits unread */
    }
    sql(server.admin, "SELECT pg_terminate_backend(%d)", pid);
    while (strcmp(sql(server.admin, "SELECT count(*) FROM pg_stat_activity WHERE pid = %d", pid),
                  "0") != 0) {
    }
    struct store_result doubt = store_wait(o.store);
    if (doubt.outcome == STORE_UNKNOWN) {
        struct store_result res = settle(&doubt, &b);
        assert_true(res.settled_committed);
        sto_arena_destroy(&res.arena);
    } else {
        assert_int_equal(doubt.outcome, STORE_DURABLE);
        sto_arena_destroy(&doubt.arena);
        /* whether the dead session is noticed before or after the next batch is sent is a race */
        owner_again(&o);
        r = made_commit(o.maker, 3);
        keep_batch(&b, &first, r);
        struct store_result next = store_do(o.store, r);
        if (next.outcome == STORE_UNKNOWN) {
            next = settle(&next, &b);
            assert_false(next.settled_committed);
        } else {
            assert_int_equal(next.outcome, STORE_DURABLE);
        }
        sto_arena_destroy(&next.arena);
    }
    assert_goes_on();
}

static void a_commit_without_an_answer_in_time_is_in_doubt(void **state)
{
    (void)state;
    struct batch b;
    struct row_event first;
    owner_stop(&o);
    owner_start(&server, &o, CORE, 200);
    assert_int_equal(owner_commit(&o, 5), STORE_DURABLE);
    PGconn *other = hold_shards();
    struct store_request *r = made_commit(o.maker, 20);
    keep_batch(&b, &first, r);
    o.store->ops->submit(o.store, r);
    struct store_result doubt = store_wait(o.store);
    assert_int_equal(doubt.outcome, STORE_UNKNOWN);
    sql(other,
        "ROLLBACK"); /* the old session goes on, and may still commit: or the fence comes first */
    struct store_result res = settle(&doubt, &b);
    assert_int_equal(res.outcome, STORE_OK);
    bool committed = res.settled_committed;
    sto_arena_destroy(&res.arena);
    PQfinish(other);
    /* once settled it stays so: an old session that is still there can only be fenced */
    while (strcmp(sql(server.admin, "SELECT count(*) FROM pg_stat_activity WHERE " COMMIT_LINK),
                  "1") != 0) {
    }
    assert_int_equal(stands(&first), committed);
    assert_goes_on();
    owner_stop(&o);
    owner_start(&server, &o, CORE, 15000);
}

static void settling_twice_says_the_same(void **state)
{
    (void)state;
    struct batch b;
    struct row_event first;
    struct store_request *r = made_commit(o.maker, 6);
    keep_batch(&b, &first, r);
    struct store_result res = store_do(o.store, r);
    assert_int_equal(res.outcome, STORE_DURABLE);
    for (int i = 0; i < 2; i++) {
        res = settle(&res, &b);
        assert_int_equal(res.outcome, STORE_OK);
        assert_true(res.settled_committed);
        assert_int_equal(res.owners[0].epoch, b.shards[0].epoch + 1);
    }
    sto_arena_destroy(&res.arena);
    assert_goes_on();
}

static void a_server_that_is_away_is_retried(void **state)
{
    (void)state;
    sql(server.admin, "ALTER ROLE saatto_core CONNECTION LIMIT 0");
    sql(server.admin,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'saatto_core'");
    enum store_outcome got = owner_commit(&o, 2);
    while (got == STORE_UNKNOWN) { /* the session's end was not noticed before it was sent */
        got = owner_commit(&o, 2);
    }
    assert_int_equal(got, STORE_RETRY);
    sql(server.admin, "ALTER ROLE saatto_core CONNECTION LIMIT -1");
    while (owner_commit(&o, 1) == STORE_RETRY) {
        store_pg_run(o.store, sto_mono_us()); /* backing off */
    }
    assert_goes_on();
}

int test_outcomes(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durable_batches_stand_in_every_table),
        cmocka_unit_test(acknowledged_deliveries_leave_the_outbox),
        cmocka_unit_test(a_stale_owner_is_fenced),
        cmocka_unit_test(a_foreign_epoch_is_fenced),
        cmocka_unit_test(a_new_configuration_fences_all_shards),
        cmocka_unit_test(passing_troubles_are_retried),
        cmocka_unit_test(bad_data_is_poison),
        cmocka_unit_test(bytes_that_are_no_text_are_poison),
        cmocka_unit_test(a_position_written_twice_is_poison),
        cmocka_unit_test(a_case_that_is_not_there_is_retried),
        cmocka_unit_test(a_read_only_server_is_retried),
        cmocka_unit_test(a_backend_killed_before_commit_is_settled_as_lost),
        cmocka_unit_test(a_backend_killed_in_commit_is_settled_as_committed),
        cmocka_unit_test(a_commit_with_a_warning_is_in_doubt),
        cmocka_unit_test(a_backend_killed_after_commit_has_committed),
        cmocka_unit_test(a_commit_without_an_answer_in_time_is_in_doubt),
        cmocka_unit_test(settling_twice_says_the_same),
        cmocka_unit_test(a_server_that_is_away_is_retried),
    };
    return cmocka_run_group_tests_name("outcomes", tests, start, stop);
}
