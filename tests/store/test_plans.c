/* SPDX-License-Identifier: EUPL-1.2 */
/* Plans made on empty tables must hold on full ones: every statement that runs often uses an index.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pg_batch.h"
#include "sto_arena.h"
#include "store_pg_impl.h"
#include "store_test.h"

static const unsigned hot_loads[] = {LD_TAKE,       LD_HEAD_EVENT, LD_HEAD_INBOX, LD_HEAD_CURSORS,
                                     LD_HEAD_HEADS, LD_HEAD_MAILS, LD_CASES,      LD_CLIENTS,
                                     LD_ANSWERS,    LD_DUE,        LD_BACKLOG,    LD_COUNTS,
                                     LD_BEAT};

/* The plan of a statement as a session of the store has it; malloc'd. */
static char *plan_of(PGconn *db, const struct pg_statement *st)
{
    char text[4096];
    size_t at = 0;

    snprintf(text, sizeof text,
             "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = '%s'",
             st->name);
    PGresult *r = PQprepare(db, st->name, st->sql, 0, NULL);
    if (PQresultStatus(r) != PGRES_COMMAND_OK) {
        fail_msg("%s: %s", st->name, PQresultErrorMessage(r));
    }
    PQclear(r);
    int n = atoi(sql(db, "%s", text));
    snprintf(text, sizeof text, "EXPLAIN (COSTS OFF) EXECUTE \"%s\"", st->name);
    for (int i = 0; i < n; i++) {
        strcat(text, i == 0 ? "(NULL" : ", NULL");
    }
    strcat(text, n > 0 ? ")" : "");
    r = PQexec(db, text);
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", st->name, PQresultErrorMessage(r));
    }
    char *plan = sto_xcalloc(1, 16384);
    for (int i = 0; i < PQntuples(r); i++) {
        at += (size_t)snprintf(plan + at, 16384 - at, "%s\n", PQgetvalue(r, i, 0));
    }
    PQclear(r);
    sql(db, "DEALLOCATE \"%s\"", st->name);
    return plan;
}

static void look_at(PGconn *db, const struct pg_statement *st, char **kept)
{
    char *plan = plan_of(db, st);

    if (strstr(plan, "Seq Scan") != NULL || strstr(plan, "Join Filter") != NULL) {
        fail_msg("%s reads a whole table:\n%s", st->name, plan);
    }
    if (*kept != NULL && strcmp(*kept, plan) != 0) {
        fail_msg("%s: the plan changed with the tables' size:\n%s---\n%s", st->name, *kept, plan);
    }
    free(*kept);
    *kept = plan;
}

static void look_at_all(char **kept)
{
    struct sto_err err = {0};
    PGconn *db = pg_connect(pg_private_dsn(server.pg, PG_PRIVATE_DATA, "saatto_core"), &err);

    assert_non_null(db);
    for (unsigned i = 0; i < PG_COMMIT_LINK_STATEMENTS; i++) {
        if (i != PG_BEGIN && i != PG_COMMIT && i != PG_ROLLBACK) {
            look_at(db, &pg_batch_statements[i], &kept[i]);
        }
    }
    for (size_t i = 0; i < sizeof hot_loads / sizeof hot_loads[0]; i++) {
        look_at(db, &load_statements[hot_loads[i]], &kept[PG_COMMIT_LINK_STATEMENTS + i]);
    }
    PQfinish(db);
}

static void hot_statements_use_the_same_indexes_whatever_the_tables_size(void **state)
{
    char *kept[PG_COMMIT_LINK_STATEMENTS + sizeof hot_loads / sizeof hot_loads[0]] = {0};
    struct owner o;

    (void)state;
    look_at_all(kept); /* never analyzed */
    sql(server.admin, "VACUUM ANALYZE");
    look_at_all(kept); /* known to be empty */
    owner_start(&server, &o, 3, 15000);
    assert_int_equal(owner_commit(&o, 10), STORE_DURABLE);
    sql(server.admin, "VACUUM ANALYZE");
    look_at_all(kept); /* known to be small */
    for (int i = 0; i < 40; i++) {
        assert_int_equal(owner_commit(&o, 500), STORE_DURABLE);
    }
    owner_stop(&o);
    sql(server.admin, "VACUUM ANALYZE");
    look_at_all(kept);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        free(kept[i]);
    }
}

/* Updates of cases must not touch indexes: no indexed column changes from hop to hop. */
static void most_updates_of_cases_leave_the_indexes_alone(void **state)
{
    (void)state;
    assert_string_equal(
        sql(server.admin,
            "SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid"
            " AND a.attnum = ANY (i.indkey) WHERE i.indrelid = 'case_row'::regclass"
            " AND a.attname IN ('seq', 'open', 'holder_org', 'skeleton', 'data_ct')"),
        "0");
}

int test_plans(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hot_statements_use_the_same_indexes_whatever_the_tables_size),
        cmocka_unit_test(most_updates_of_cases_leave_the_indexes_alone),
    };
    return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
