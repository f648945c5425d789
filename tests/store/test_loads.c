/* SPDX-License-Identifier: EUPL-1.2 */
/* Takeovers and loads: what was written comes back, and who may have a shard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sto_arena.h"
#include "store_test.h"

static struct owner o;
static struct row_event event;
static struct row_case row;
static struct row_outbox delivery;

static int start(void **state)
{
    (void)state;
    owner_start(&server, &o, 21, 15000);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    owner_stop(&o);
    return 0;
}

static struct store_result load(enum load_what what, struct store_request *r)
{
    r->what = what;
    struct store_result res = store_do(o.store, r);
    if (res.outcome != STORE_OK) {
        fail_msg("load: %s %s", res.sqlstate, res.message);
    }
    return res;
}

static struct loaded_key some_key(void)
{
    struct store_request *r = request(STORE_LOAD);
    r->n_keys = 3;
    struct store_result res = load(LOAD_KEYS, r);
    assert_int_equal(res.n_keys, 3);
    struct loaded_key k = res.keys[2];
    sto_arena_destroy(&res.arena);
    return k;
}

/* One event with a real key, its rows kept to compare. */
static struct loaded_key commit_one(void)
{
    struct loaded_key k = some_key();
    struct store_request *r = made_commit(o.maker, 1);
    r->batch->cases[0].dek = r->batch->events[0].dek = r->batch->outbox[0].dek = k.id;
    event = r->batch->events[0];
    row = r->batch->cases[0];
    delivery = r->batch->outbox[0];
    assert_int_equal(store_do(o.store, r).outcome, STORE_DURABLE);
    return k;
}

static void assert_blob(struct blob a, struct blob b)
{
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
}

static void cases_come_back_with_their_keys_in_the_order_asked(void **state)
{
    (void)state;
    struct loaded_key k = commit_one();
    struct store_request *r = request(STORE_LOAD);
    r->n_ids = 3;
    r->ids = sto_arena_alloc(r->arena, 3 * sizeof *r->ids);
    r->ids[0].b[15] = 3; /* unknown */
    r->ids[1] = row.case_id;
    r->ids[2].b[0] = 9;
    r->n_clients = 1;
    r->clients = sto_arena_alloc(r->arena, sizeof *r->clients);
    r->clients[0] = row.client;
    struct store_result res = load(LOAD_CASES, r);
    assert_int_equal(res.n_cases, 3);
    assert_false(res.cases[0].found);
    assert_false(res.cases[2].found);
    assert_true(res.cases[1].found && res.cases[1].has_key);
    assert_memory_equal(res.cases[1].key, k.key, 32);
    const struct row_case *c = &res.cases[1].row;
    assert_true(sto_uuid_eq(&c->case_id, &row.case_id));
    assert_true(sto_uuid_eq(&c->client, &row.client));
    assert_int_equal(c->shard, row.shard);
    assert_int_equal(c->seq, row.seq);
    assert_int_equal(c->wake_h, row.wake_h);
    assert_int_equal(c->holder_org, row.holder_org);
    assert_true(c->open == row.open && c->once == row.once);
    assert_string_equal(c->workflow_id, row.workflow_id);
    assert_blob(c->skeleton, row.skeleton);
    assert_blob(c->data_ct, row.data_ct);
    assert_int_equal(res.n_clients, 1);
    assert_true(sto_uuid_eq(&res.clients[0].case_id, &row.case_id));
    assert_string_equal(res.clients[0].workflow_id, row.workflow_id);
    sto_arena_destroy(&res.arena);
}

static void a_key_not_in_memory_is_looked_up(void **state)
{
    (void)state;
    struct loaded_key k = commit_one();
    owner_stop(&o);
    owner_start(&server, &o, 22, 15000);
    for (int i = 0; i < 2; i++) {
        struct store_request *r = request(STORE_LOAD);
        r->n_ids = 1;
        r->ids = sto_arena_alloc(r->arena, sizeof *r->ids);
        r->ids[0] = row.case_id;
        struct store_result res = load(LOAD_CASES, r);
        assert_true(res.cases[0].has_key);
        assert_memory_equal(res.cases[0].key, k.key, 32);
        sto_arena_destroy(&res.arena);
    }
}

static void an_erased_key_is_no_error(void **state)
{
    (void)state;
    struct loaded_key k = commit_one();
    PGconn *keys = PQconnectdb(pg_private_dsn(server.pg, PG_PRIVATE_KEYS, "saatto_admin"));
    sql(keys, "DELETE FROM dek WHERE id = %llu", (unsigned long long)k.id);
    PQfinish(keys);
    owner_stop(&o);
    owner_start(&server, &o, 23, 15000);
    struct store_request *r = request(STORE_LOAD);
    r->n_ids = 1;
    r->ids = sto_arena_alloc(r->arena, sizeof *r->ids);
    r->ids[0] = row.case_id;
    struct store_result res = load(LOAD_CASES, r);
    assert_true(res.cases[0].found);
    assert_false(res.cases[0].has_key);
    sto_arena_destroy(&res.arena);
}

static void answers_come_back_by_their_message(void **state)
{
    (void)state;
    commit_one();
    struct store_request *r = request(STORE_LOAD);
    r->n_answers = 2;
    r->answers = sto_arena_alloc(r->arena, 2 * sizeof *r->answers);
    r->answers[0] = (struct answer_key){event.shard, event.org, event.stream, event.seq + 1};
    r->answers[1] = (struct answer_key){event.shard, event.org, event.stream, event.seq};
    struct store_result res = load(LOAD_ANSWERS, r);
    assert_int_equal(res.n_answers, 2);
    assert_false(res.answers[0].found);
    assert_true(res.answers[1].found);
    assert_memory_equal(res.answers[1].leaf, event.leaf, 32);
    assert_memory_equal(res.answers[1].msg_hash, event.msg_hash, 32);
    sto_arena_destroy(&res.arena);
}

static void backlogs_begin_after_what_was_seen(void **state)
{
    (void)state;
    struct loaded_key k = commit_one();
    struct store_request *r = request(STORE_BACKLOG);
    r->shard = delivery.shard;
    r->org = delivery.org;
    r->after = delivery.seq - 1;
    r->limit = 10;
    struct store_result res = store_do(o.store, r);
    assert_int_equal(res.outcome, STORE_OK);
    assert_int_equal(res.n_backlog, 1);
    assert_int_equal(res.backlog[0].seq, delivery.seq);
    assert_string_equal(res.backlog[0].purpose, delivery.purpose);
    assert_blob(res.backlog[0].ct, delivery.ct);
    assert_true(res.backlog[0].has_key);
    assert_memory_equal(res.backlog[0].key, k.key, 32);
    sto_arena_destroy(&res.arena);
}

static void due_cases_are_those_whose_hour_has_come(void **state)
{
    (void)state;
    commit_one();
    struct store_request *r = request(STORE_DUE);
    r->shard = row.shard;
    r->until_h = row.wake_h;
    struct store_result res = store_do(o.store, r);
    assert_int_equal(res.outcome, STORE_OK);
    bool found = false;
    for (uint32_t i = 0; i < res.n_due; i++) {
        found = found || sto_uuid_eq(&res.due[i], &row.case_id);
    }
    assert_true(found == row.open);
    sto_arena_destroy(&res.arena);
    r = request(STORE_DUE);
    r->shard = row.shard;
    r->until_h = row.wake_h - 24 * 365 * 5;
    res = store_do(o.store, r);
    assert_int_equal(res.n_due, 0);
    sto_arena_destroy(&res.arena);
}

static void a_dead_delivery_leaves_its_outbox_and_can_be_redriven(void **state)
{
    (void)state;
    commit_one();
    struct row_outbox gone = delivery;
    for (int redriven = 0; redriven < 2; redriven++) {
        struct store_request *r = made_commit(o.maker, 1);
        r->batch->dead = sto_arena_alloc(r->arena, sizeof *r->batch->dead);
        r->batch->dead[0] =
            (struct row_dead){gone.shard, gone.org, gone.seq, "5 sessions", redriven == 1};
        r->batch->n_dead = 1;
        assert_int_equal(store_do(o.store, r).outcome, STORE_DURABLE);
        r = request(STORE_LOAD);
        r->shard = gone.shard ^ 1; /* the same number in another shard is another delivery */
        r->org = gone.org;
        r->after = gone.seq;
        struct store_result res = load(LOAD_DEAD, r);
        assert_int_equal(res.n_dead, 0);
        sto_arena_destroy(&res.arena);
        r = request(STORE_LOAD);
        r->shard = gone.shard;
        r->org = gone.org;
        r->after = gone.seq;
        res = load(LOAD_DEAD, r);
        assert_int_equal(res.n_dead, redriven == 0 ? 1 : 0);
        if (redriven == 0) {
            assert_int_equal(res.dead[0].shard, gone.shard);
            assert_string_equal(res.dead[0].why, "5 sessions");
            assert_blob(res.backlog[0].ct, gone.ct);
        }
        sto_arena_destroy(&res.arena);
    }
    assert_string_equal(
        sql(server.admin,
            "SELECT count(*) FROM outbox WHERE shard = %u AND org = %u AND seq = %llu", gone.shard,
            gone.org, (unsigned long long)gone.seq),
        "0");
}

#define COUNT_OPEN                                                                                 \
    "SELECT count(*) FROM case_row WHERE shard = %u AND open AND aggregate = 0"                    \
    " AND (%u = 1 OR holder_org = 0)"

static void open_cases_are_counted_in_their_shard(void **state)
{
    (void)state;
    commit_one();
    for (unsigned shard = 0; shard < 4; shard++) {
        struct store_request *r = request(STORE_LOAD);
        r->shard = (uint16_t)shard;
        struct store_result res = load(LOAD_COUNTS, r);
        char n[24];
        snprintf(n, sizeof n, "%llu", (unsigned long long)res.n_open);
        assert_string_equal(sql(server.admin, COUNT_OPEN, shard, 1), n);
        snprintf(n, sizeof n, "%llu", (unsigned long long)res.n_without_holder);
        assert_string_equal(sql(server.admin, COUNT_OPEN, shard, 0), n);
        sto_arena_destroy(&res.arena);
    }
}

static void mail_arrives_once(void **state)
{
    (void)state;
    struct store_request *r = made_commit(o.maker, 1);
    uint8_t body[3] = {1, 2, 3};
    r->batch->mails = sto_arena_alloc(r->arena, 2 * sizeof *r->batch->mails);
    r->batch->mails[0] = (struct row_mail){0, 3, 1, {body, 3}};
    r->batch->mails[1] = (struct row_mail){0, 3, 2, {body, 2}};
    r->batch->n_mails = 2;
    assert_int_equal(store_do(o.store, r).outcome, STORE_DURABLE);
    r = request(STORE_TAKE_OVER);
    r->shard = 3;
    struct store_result res = store_do(o.store, r);
    assert_int_equal(res.head.n_mails, 2);
    assert_int_equal(res.head.mails[1].seq, 2);
    assert_int_equal(res.head.mails[1].body.n, 2);
    o.maker->epoch[3] = res.head.epoch;
    sto_arena_destroy(&res.arena);
    r = made_commit(o.maker, 1);
    r->batch->mails_in = sto_arena_alloc(r->arena, sizeof *r->batch->mails_in);
    r->batch->mails_in[0] = (struct row_mail_in){3, 0, 1};
    r->batch->n_mails_in = 1;
    r->batch->trim = true;
    assert_int_equal(store_do(o.store, r).outcome, STORE_DURABLE);
    r = request(STORE_TAKE_OVER);
    r->shard = 3;
    res = store_do(o.store, r);
    assert_int_equal(res.head.n_mails, 1);
    assert_int_equal(res.head.n_mails_in, 1);
    assert_int_equal(res.head.mails_in[0].upto, 1);
    o.maker->epoch[3] = res.head.epoch;
    sto_arena_destroy(&res.arena);
    assert_string_equal(sql(server.admin, "SELECT count(*) FROM mail"), "1");
    r = request(STORE_TAKE_OVER);
    r->shard = 0;
    res = store_do(o.store, r);
    assert_int_equal(res.head.n_mails_out, 1);
    assert_int_equal(res.head.mails_out[0].dst, 3);
    assert_int_equal(res.head.mails_out[0].upto, 2);
    o.maker->epoch[0] = res.head.epoch;
    sto_arena_destroy(&res.arena);
}

static void the_configuration_is_read_in_one_piece(void **state)
{
    (void)state;
    sql(server.admin,
        "BEGIN; UPDATE shard SET config = config + 1;"
        "INSERT INTO network_file VALUES ('oulu', 1, 'network.cfg', 'a'), ('oulu', 2, "
        "'network.cfg', 'b'),"
        " ('oulu', 2, 'keys.cfg', 'c');"
        "INSERT INTO network_deployed VALUES (100001, 'oulu', 1), (100002, 'oulu', 2);"
        "INSERT INTO workflow_version (hash, id, version, cfg, texts, config, retired) VALUES"
        " (sha256('1'), 'job', 1, 'w1', 't1', 1, false), (sha256('2'), 'job', 2, 'w2', 't2', 2, "
        "false),"
        " (sha256('3'), 'job', 3, 'w3', 't3', 3, true);"
        "INSERT INTO org_key (public_key, org, org_id, operator, config) VALUES (repeat('k', 40), "
        "5, 'kela', true, 1);"
        "COMMIT");
    struct store_result res = load(LOAD_CONFIG, request(STORE_LOAD));
    assert_int_equal(res.config, o.maker->config + 1);
    assert_int_equal(res.n_shards, 4);
    assert_string_equal(res.network_id, "oulu");
    assert_int_equal(res.n_network, 2);
    assert_string_equal(res.network[1].name, "network.cfg");
    assert_int_equal(res.network[1].text.p[0], 'b');
    assert_int_equal(res.n_workflows, 1);
    assert_int_equal(res.workflows[0].version, 2);
    assert_true(res.workflows[0].newest);
    assert_int_equal(res.n_orgkeys, 1);
    assert_int_equal(res.orgkeys[0].org, 5);
    assert_true(res.orgkeys[0].is_operator);
    assert_false(res.orgkeys[0].revoked);
    struct store_request *r = request(STORE_LOAD);
    memcpy(r->workflow, res.workflows[0].hash, 32);
    uint8_t hash[32];
    memcpy(hash, res.config_hash, 32);
    sto_arena_destroy(&res.arena);
    res = load(LOAD_WORKFLOW, r);
    assert_int_equal(res.n_workflows, 1);
    assert_int_equal(res.workflows[0].cfg.text.n, 2);
    sto_arena_destroy(&res.arena);
    sql(server.admin, "UPDATE org_key SET revoked_at = now()");
    res = load(LOAD_CONFIG, request(STORE_LOAD));
    assert_true(res.orgkeys[0].revoked);
    assert_memory_not_equal(hash, res.config_hash, 32);
    sto_arena_destroy(&res.arena);
    owner_again(&o);
}

static void a_takeover_waits_for_an_open_guard(void **state)
{
    (void)state;
    PGconn *former = fixture_open(&server, "saatto_admin");
    uint64_t idx = o.maker->idx[2];
    sql(former, "BEGIN; SELECT guard('{2}', '{%llu}', %llu, 21 + 2)",
        (unsigned long long)o.maker->epoch[2], (unsigned long long)o.maker->config);
    sql(former,
        "INSERT INTO event SELECT 2, %llu, epoch, gen_random_uuid(), 0, 1, now(), 0, '', 0, 0, '', "
        "0, '', '', '',"
        " 0, 3, '', '', '' FROM shard WHERE shard = 2",
        (unsigned long long)idx);
    struct store_request *r = request(STORE_TAKE_OVER);
    r->shard = 2;
    o.store->ops->submit(o.store, r);
    waiting_backend(&server, o.store,
                    "application_name = 'saattod load' AND wait_event_type = 'Lock'");
    sql(former, "COMMIT");
    struct store_result res = store_wait(o.store);
    assert_int_equal(res.outcome, STORE_OK);
    assert_int_equal(res.head.next_idx, idx + 1);
    sto_arena_destroy(&res.arena);
    PQfinish(former);
    owner_again(&o);
}

static void a_core_that_is_alive_keeps_its_shards(void **state)
{
    (void)state;
    store_t *other = fixture_store(&server, 31, 15000, NULL);
    struct store_request *r = request(STORE_TAKE_OVER);
    r->shard = 1;
    struct store_result res = store_do(other, r);
    assert_int_equal(res.outcome, STORE_FENCED);
    assert_int_equal(res.n_owners, 1);
    assert_int_equal(res.owners[0].core, 23);
    sto_arena_destroy(&res.arena);
    assert_int_equal(owner_commit(&o, 4), STORE_DURABLE);
    sql(server.admin, "UPDATE core SET alive_at = alive_at - interval '6 seconds' WHERE id = 23");
    r = request(STORE_TAKE_OVER);
    r->shard = 1;
    res = store_do(other, r);
    assert_int_equal(res.outcome, STORE_OK);
    sto_arena_destroy(&res.arena);
    assert_int_equal(owner_commit(&o, 4), STORE_FENCED);
    other->ops->destroy(&other);
    sql(server.admin, "DELETE FROM core WHERE id = 31");
    owner_again(&o);
}

static void a_server_that_may_lose_commits_is_refused(void **state)
{
    (void)state;
    struct sto_err err = {0};
    store_t *s = NULL;
    struct store_pg_options options = {
        .dsn = pg_private_dsn(server.pg, PG_PRIVATE_DATA, "saatto_core"),
        .keys_dsn = pg_private_dsn(server.pg, PG_PRIVATE_KEYS, "saatto_core"),
        .core_id = 8,
        .commit_timeout_ms = 1000};
    sql(server.admin, "ALTER ROLE saatto_core SET synchronous_commit = off");
    assert_int_equal(store_pg_new(&options, &s, &err), -STO_E_DURABILITY);
    assert_non_null(strstr(err.what, "synchronous_commit"));
    sql(server.admin, "ALTER ROLE saatto_core SET synchronous_commit = on");
    assert_null(store_pg_unsafe(o.store));
}

int test_loads(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_come_back_with_their_keys_in_the_order_asked),
        cmocka_unit_test(a_key_not_in_memory_is_looked_up),
        cmocka_unit_test(an_erased_key_is_no_error),
        cmocka_unit_test(answers_come_back_by_their_message),
        cmocka_unit_test(backlogs_begin_after_what_was_seen),
        cmocka_unit_test(due_cases_are_those_whose_hour_has_come),
        cmocka_unit_test(a_dead_delivery_leaves_its_outbox_and_can_be_redriven),
        cmocka_unit_test(open_cases_are_counted_in_their_shard),
        cmocka_unit_test(mail_arrives_once),
        cmocka_unit_test(the_configuration_is_read_in_one_piece),
        cmocka_unit_test(a_takeover_waits_for_an_open_guard),
        cmocka_unit_test(a_core_that_is_alive_keeps_its_shards),
        cmocka_unit_test(a_server_that_may_lose_commits_is_refused),
    };
    return cmocka_run_group_tests_name("loads", tests, start, stop);
}
