/* SPDX-License-Identifier: EUPL-1.2 */
/* The numbered SQL files and the table that remembers them. */
#include <dirent.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_private.h"
#include "sto_crypto.h"
#include "sto_file.h"
#include "sto_limits.h"
#include "sto_uuid.h"

#define SQL_BYTES_MAX (4u << 20)
#define LOCK_NUMBER   "7361617474" /* two that migrate at once: one after the other */

static int run(PGconn *db, const char *sql, const char *what, struct sto_err *err)
{
    PGresult *r = PQexec(db, sql);
    ExecStatusType status = PQresultStatus(r);
    int rc = 0;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        rc = sto_fail(err, STO_E_DB, "%s: %s", what, PQresultErrorMessage(r));
    }
    PQclear(r);
    return rc;
}

static PGconn *open_db(const char *dsn, struct sto_err *err)
{
    PGconn *db = PQconnectdb(dsn);

    if (PQstatus(db) != CONNECTION_OK) {
        sto_fail(err, STO_E_UNREACHABLE, "could not reach the database: %s", PQerrorMessage(db));
        PQfinish(db);
        return NULL;
    }
    return db;
}

/* "001-schema.sql" */
static int is_numbered(const struct dirent *e)
{
    const char *n = e->d_name;
    size_t len = strlen(n);

    return len > 8 && n[0] >= '0' && n[0] <= '9' && n[1] >= '0' && n[1] <= '9' && n[2] >= '0' &&
           n[2] <= '9' && n[3] == '-' && strcmp(n + len - 4, ".sql") == 0;
}

/* 1: applied with these contents; 0: not yet; else an error. */
static int applied(PGconn *db, const char *name, const char *hash, struct sto_err *err)
{
    const char *values[1] = {name};
    PGresult *r =
        PQexecParams(db, "SELECT name, sha256 FROM schema_version WHERE number = left($1, 3)::int",
                     1, NULL, values, NULL, NULL, 0);
    int rc = 0;

    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        rc = sto_fail(err, STO_E_DB, "schema: %s", PQresultErrorMessage(r));
    } else if (PQntuples(r) == 1) {
        rc = 1;
        if (strcmp(PQgetvalue(r, 0, 0), name) != 0 || strcmp(PQgetvalue(r, 0, 1), hash) != 0) {
            rc = sto_fail(err, STO_E_DIFFERENT,
                          "schema file '%s' was applied with other contents (as '%s')", name,
                          PQgetvalue(r, 0, 0));
            sto_err_fix(err, "files that were applied are never changed: add a new one");
        }
    }
    PQclear(r);
    return rc;
}

static int apply_text(PGconn *db, const char *name, const char *sql, const char *hash,
                      struct sto_err *err)
{
    const char *values[2] = {name, hash};
    int rc = run(db, "BEGIN", name, err);

    rc = rc != 0 ? rc : run(db, sql, name, err);
    if (rc == 0) {
        PGresult *r = PQexecParams(db,
                                   "INSERT INTO schema_version (number, name, sha256)"
                                   " VALUES (left($1, 3)::int, $1, $2)",
                                   2, NULL, values, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_COMMAND_OK) {
            rc = sto_fail(err, STO_E_DB, "%s: %s", name, PQresultErrorMessage(r));
        }
        PQclear(r);
    }
    if (rc != 0) {
        run(db, "ROLLBACK", name, NULL);
        return rc;
    }
    return run(db, "COMMIT", name, err);
}

static int apply_file(PGconn *db, const char *dir, const char *name, struct sto_err *err)
{
    char *path = sto_asprintf("%s/%s", dir, name);
    char *sql = NULL;
    size_t len = 0;
    uint8_t hash[32];
    char hex[65];
    int rc = sto_file_read(path, SQL_BYTES_MAX, &sql, &len, err);

    if (rc == 0) {
        sto_sha256(sql, len, hash);
        sto_hex(hash, sizeof hash, hex);
        rc = applied(db, name, hex, err);
        if (rc == 0) {
            rc = apply_text(db, name, sql, hex, err);
        } else if (rc == 1) {
            rc = 0;
        }
    }
    free(sql);
    free(path);
    return rc;
}

int pg_schema_apply(const char *admin_dsn, const char *sql_dir, struct sto_err *err)
{
    static const char table[] =
        "SET client_min_messages = warning; SELECT pg_advisory_lock(" LOCK_NUMBER ");"
        "CREATE TABLE IF NOT EXISTS schema_version (number int4 PRIMARY KEY, name text NOT NULL,"
        " sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";
    struct dirent **files = NULL;
    PGconn *db = open_db(admin_dsn, err);

    if (db == NULL) {
        return -STO_E_UNREACHABLE;
    }
    int rc = run(db, table, "schema", err);
    int n = rc == 0 ? scandir(sql_dir, &files, is_numbered, alphasort) : 0;
    if (rc == 0 && n <= 0) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "no schema files in folder '%s'", sql_dir);
    }
    for (int i = 0; i < n; i++) {
        rc = rc != 0 ? rc : apply_file(db, sql_dir, files[i]->d_name, err);
        free(files[i]);
    }
    free(files);
    PQfinish(db); /* the lock goes with the session */
    return rc;
}

int pg_schema_install(const char *admin_dsn, unsigned shards, bool manual_clock,
                      struct sto_err *err)
{
    PGconn *db = open_db(admin_dsn, err);
    char sql[512];

    if (db == NULL) {
        return -STO_E_UNREACHABLE;
    }
    if (shards == 0 || shards > STO_SHARDS_MAX || (shards & (shards - 1)) != 0) {
        PQfinish(db);
        return sto_fail(err, STO_E_USAGE, "shards must be a power of two to %u, got '%u'",
                        STO_SHARDS_MAX, shards);
    }
    snprintf(sql, sizeof sql,
             "BEGIN; INSERT INTO installation (shards, manual_clock) VALUES (%u, %s)"
             " ON CONFLICT DO NOTHING;"
             "INSERT INTO shard (shard) SELECT g FROM generate_series(0, %u) g"
             " ON CONFLICT DO NOTHING; COMMIT",
             shards, manual_clock ? "true" : "false", shards - 1);
    PGresult *r = PQexec(db, "SELECT shards FROM installation");
    int rc = 0;
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        rc = sto_fail(err, STO_E_DB, "schema: %s", PQresultErrorMessage(r));
    } else if (PQntuples(r) == 0) {
        rc = run(db, sql, "installation", err);
    } else if (strtoul(PQgetvalue(r, 0, 0), NULL, 10) != shards) {
        rc = sto_fail(
            err, STO_E_DIFFERENT,
            "the installation has %s shards, which is fixed at set-up; asked for were '%u'",
            PQgetvalue(r, 0, 0), shards);
    }
    PQclear(r);
    PQfinish(db);
    return rc;
}
