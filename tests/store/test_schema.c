/* SPDX-License-Identifier: EUPL-1.2 */
/* What the tables refuse: a ledger with a gap or two holders, a changed audit trail, a role's
 * excess. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store_test.h"

#define CASE_ID "'00000000-0000-8000-8000-0000000000ff'"
#define ROW(n, since, org, prev)                                                                   \
    "INSERT INTO ledger (shard, case_id, n, since, org, desk, event_idx, prev_since) VALUES "      \
    "(0, " CASE_ID ", " n ", '2026-01-0" since "', " org ", 0, 1, " prev ")"

static void assert_sql(PGconn *db, const char *text, const char *state)
{
    const char *got = sql_state(db, text);

    if (strcmp(got, state) != 0) {
        fail_msg("%s: wanted %s, got %s", text, state, got);
    }
}

static void the_ledger_has_neither_gap_nor_overlap(void **state)
{
    PGconn *db = server.admin;

    (void)state;
    assert_sql(db, ROW("0", "1", "5", "NULL"), "00000");
    assert_sql(db, ROW("1", "2", "6", "'2026-01-01'"), "00000");
    assert_sql(db, ROW("1", "3", "7", "'2026-01-01'"),
               "23505"); /* a second holder from the same point */
    assert_sql(db, ROW("2", "4", "7", "'2026-01-03'"), "23503"); /* begins where nothing ended */
    assert_sql(db, ROW("3", "4", "7", "'2026-01-02'"), "23503"); /* a change point left out */
    assert_sql(db, ROW("2", "2", "7", "'2026-01-02'"), "23514"); /* an interval of no length */
    assert_sql(db, ROW("2", "1", "7", "'2026-01-02'"), "23514"); /* backwards */
    assert_sql(db, ROW("2", "4", "7", "NULL"), "23514");         /* without a predecessor */
    assert_sql(db, ROW("0", "4", "7", "'2026-01-02'"), "23514"); /* a beginning with one */
    assert_sql(db, ROW("-1", "4", "7", "'2026-01-02'"), "23514");
    assert_sql(db, ROW("2", "5", "NULL", "'2026-01-02'"), "00000"); /* closed */
    assert_sql(db, ROW("3", "6", "8", "'2026-01-05'"),
               "23503"); /* nobody is responsible after that */
}

static void several_moves_of_a_case_fit_one_statement(void **state)
{
    (void)state;
    assert_sql(
        server.admin,
        "INSERT INTO ledger (shard, case_id, n, since, org, desk, event_idx, prev_since) VALUES"
        " (1, " CASE_ID ", 0, '2026-01-01', 5, 0, 1, NULL),"
        " (1, " CASE_ID ", 1, '2026-01-02', 6, 0, 2, '2026-01-01'),"
        " (1, " CASE_ID ", 2, '2026-01-03', NULL, 0, 3, '2026-01-02')",
        "00000");
}

/* Even the superuser's session runs the triggers: resistance, not evidence. */
static void the_audit_trail_only_grows(void **state)
{
    static const char *const changes[] = {"UPDATE event SET code = 1 WHERE idx = 1",
                                          "UPDATE event SET code = 1 WHERE false",
                                          "DELETE FROM event WHERE idx = 1",
                                          "TRUNCATE event",
                                          "UPDATE ledger SET org = 1 WHERE n = 0",
                                          "DELETE FROM ledger",
                                          "TRUNCATE ledger",
                                          "DELETE FROM workflow_version",
                                          "TRUNCATE workflow_version",
                                          "UPDATE network_file SET body = ''",
                                          "DELETE FROM network_file",
                                          "TRUNCATE network_file",
                                          NULL};

    (void)state;
    for (int i = 0; changes[i] != NULL; i++) {
        assert_sql(server.admin, changes[i], "42501");
    }
}

static const struct {
    const char *statement;
    bool core, deploy, read;
} rights[] = {
    /* reading */
    {"SELECT 1 FROM event", true, true, true},
    {"SELECT 1 FROM case_row", true, true, true},
    {"SELECT 1 FROM ledger", true, true, true},
    {"SELECT 1 FROM outbox", true, true, true},
    {"SELECT 1 FROM shard", true, true, true},
    {"SELECT 1 FROM org_key", true, true, true},
    /* the log and the ledger: the core adds, nobody changes */
    {"INSERT INTO event SELECT * FROM event WHERE false", true, false, false},
    {"UPDATE event SET code = 0 WHERE false", false, false, false},
    {"DELETE FROM event WHERE false", false, false, false},
    {"TRUNCATE event", false, false, false},
    {"INSERT INTO ledger (shard) SELECT 1 WHERE false", true, false, false},
    {"UPDATE ledger SET org = 0 WHERE false", false, false, false},
    {"DELETE FROM ledger WHERE false", false, false, false},
    /* state */
    {"INSERT INTO case_row SELECT * FROM case_row WHERE false", true, false, false},
    {"UPDATE case_row SET seq = 0 WHERE false", true, false, false},
    {"DELETE FROM case_row WHERE false", false, false, false},
    {"INSERT INTO outbox SELECT * FROM outbox WHERE false", true, false, false},
    {"DELETE FROM outbox WHERE false", true, false, false},
    {"UPDATE outbox SET seq = 0 WHERE false", false, false, false},
    {"UPDATE outbox_cursor SET acked = 0 WHERE false", true, false, false},
    {"UPDATE outbox_head SET last = 0 WHERE false", true, false, false},
    {"UPDATE inbox_stream SET last = 0 WHERE false", true, false, false},
    {"DELETE FROM inbox_stream WHERE false", false, false, false},
    {"DELETE FROM mail WHERE false", true, false, false},
    {"UPDATE mail_in SET upto = 0 WHERE false", true, false, false},
    {"UPDATE dead SET redriven = true WHERE false", true, false, false},
    {"UPDATE dead SET why = '' WHERE false", false, false, false},
    {"DELETE FROM dead WHERE false", false, false, false},
    /* ownership and configuration: the core has one, deployment the other */
    {"UPDATE shard SET epoch = 1, core = 1 WHERE false", true, false, false},
    {"UPDATE shard SET config = 1 WHERE false", false, true, false},
    {"UPDATE shard SET incarnation = 1 WHERE false", false, false, false},
    {"DELETE FROM shard WHERE false", false, false, false},
    {"UPDATE installation SET clock = now() WHERE false", true, false, false},
    {"UPDATE installation SET shards = 1 WHERE false", false, false, false},
    {"UPDATE installation SET network = '' WHERE false", false, true, false},
    {"INSERT INTO network_file SELECT * FROM network_file WHERE false", false, true, false},
    {"INSERT INTO network_deployed SELECT * FROM network_deployed WHERE false", false, true, false},
    {"INSERT INTO workflow_version SELECT * FROM workflow_version WHERE false", false, true, false},
    {"UPDATE workflow_version SET retired = true WHERE false", false, true, false},
    {"UPDATE workflow_version SET cfg = '' WHERE false", false, false, false},
    {"INSERT INTO org_key SELECT * FROM org_key WHERE false", false, true, false},
    {"UPDATE org_key SET revoked_at = now() WHERE false", false, true, false},
    {"UPDATE org_key SET org = 1 WHERE false", false, false, false},
    {"DELETE FROM org_key WHERE false", false, false, false},
    {"INSERT INTO core VALUES (77, now(), '')", true, false, false},
    {"DELETE FROM core WHERE id = 77", true, false, false},
    {"SELECT guard('{}', '{}', 0, 0)", true, false, false},
    /* nothing of the schema itself */
    {"CREATE TABLE mine (a int)", false, false, false},
    {"ALTER TABLE event DISABLE TRIGGER ALL", false, false, false},
    {"DROP TABLE event", false, false, false},
    {"INSERT INTO schema_version VALUES (999, '', '')", false, false, false},
    {"SET ROLE saatto_owner", false, false, false},
    {"SET session_replication_role = replica", false, false, false},
};

static void roles_have_the_least_rights(void **state)
{
    static const char *const roles[] = {"saatto_core", "saatto_deploy", "saatto_read"};

    (void)state;
    for (int k = 0; k < 3; k++) {
        PGconn *db = fixture_open(&server, roles[k]);
        for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
            bool wanted = k == 0 ? rights[i].core : k == 1 ? rights[i].deploy : rights[i].read;
            const char *got = sql_state(db, rights[i].statement);
            if ((strcmp(got, "00000") == 0) != wanted || (!wanted && strcmp(got, "42501") != 0)) {
                fail_msg("%s: %s: got %s", roles[k], rights[i].statement, got);
            }
        }
        PQfinish(db);
    }
}

static void keys_are_for_the_core_alone(void **state)
{
    static const struct {
        const char *role, *statement, *state;
    } table[] = {
        {"saatto_core", "SELECT id FROM dek LIMIT 1", "00000"},
        {"saatto_core", "INSERT INTO dek (key) VALUES (sha256('x'))", "00000"},
        {"saatto_core", "UPDATE dek SET taken_by = 1 WHERE false", "00000"},
        {"saatto_core", "UPDATE dek SET key = '' WHERE false", "42501"},
        {"saatto_core", "DELETE FROM dek WHERE false", "42501"},
        {"saatto_read", "SELECT id FROM dek LIMIT 1", "42501"},
        {"saatto_deploy", "SELECT id FROM dek LIMIT 1", "42501"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        PGconn *db = PQconnectdb(pg_private_dsn(server.pg, PG_PRIVATE_KEYS, table[i].role));
        assert_int_equal(PQstatus(db), CONNECTION_OK);
        assert_sql(db, table[i].statement, table[i].state);
        PQfinish(db);
    }
}

static void nobody_logs_in_as_the_owner(void **state)
{
    (void)state;
    PGconn *db = PQconnectdb(pg_private_dsn(server.pg, PG_PRIVATE_DATA, "saatto_owner"));
    assert_int_equal(PQstatus(db), CONNECTION_BAD);
    PQfinish(db);
    assert_string_equal(sql(server.admin,
                            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
                            " AND tableowner <> 'saatto_owner' AND tablename <> 'schema_version'"),
                        "0");
}

int test_schema(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ledger_has_neither_gap_nor_overlap),
        cmocka_unit_test(several_moves_of_a_case_fit_one_statement),
        cmocka_unit_test(the_audit_trail_only_grows),
        cmocka_unit_test(roles_have_the_least_rights),
        cmocka_unit_test(keys_are_for_the_core_alone),
        cmocka_unit_test(nobody_logs_in_as_the_owner),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
