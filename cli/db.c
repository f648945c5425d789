/* SPDX-License-Identifier: EUPL-1.2 */
#include "db.h"

#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"

#define PG_EPOCH_US INT64_C(946684800000000) /* 2000-01-01 in microseconds since 1970 */

/* libpq's messages have several lines and end in one. */
static void one_line(const char *s, char *out, size_t cap)
{
    size_t n = 0;

    for (; *s != '\0' && n + 1 < cap; s++) {
        out[n++] = *s == '\n' || *s == '\t' ? ' ' : *s;
    }
    while (n > 0 && out[n - 1] == ' ') {
        n--;
    }
    out[n] = '\0';
}

int db_open(const char *dsn, PGconn **out, struct sto_err *err)
{
    char text[300];
    PGconn *db = PQconnectdb(dsn);

    if (PQstatus(db) != CONNECTION_OK) {
        one_line(PQerrorMessage(db), text, sizeof text);
        int rc = sto_fail(err, STO_E_UNREACHABLE, "the database does not answer: %s", text);
        sto_err_fix(err, "start it with `saatto dev`; `saatto doctor` says what is wrong");
        PQfinish(db);
        return rc;
    }
    *out = db;
    return 0;
}

int db_open_read(const installation_t *in, PGconn **out, struct sto_err *err)
{
    return db_open(in->dsn_read, out, err);
}

int db_error(const PGconn *db, const PGresult *res, struct sto_err *err)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *what = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    char text[300];

    one_line(what != NULL ? what : PQerrorMessage(db), text, sizeof text);
    return sto_fail(err, STO_E_DB, "the database refused: %s%s%s%s", text,
                    state != NULL ? " (" : "", state != NULL ? state : "",
                    state != NULL ? ")" : "");
}

static PGresult *query(PGconn *db, const char *sql, int n, const char *const *params, int binary,
                       struct sto_err *err)
{
    PGresult *r = PQexecParams(db, sql, n, NULL, params, NULL, NULL, binary);
    ExecStatusType status = PQresultStatus(r);

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        db_error(db, r, err);
        PQclear(r);
        return NULL;
    }
    return r;
}

PGresult *db_query(PGconn *db, const char *sql, int n, const char *const *params,
                   struct sto_err *err)
{
    return query(db, sql, n, params, 0, err);
}

PGresult *db_query_binary(PGconn *db, const char *sql, int n, const char *const *params,
                          struct sto_err *err)
{
    return query(db, sql, n, params, 1, err);
}

int db_run(PGconn *db, const char *sql, struct sto_err *err)
{
    PGresult *r = PQexec(db, sql);
    ExecStatusType status = PQresultStatus(r);
    int rc = 0;

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        rc = db_error(db, r, err);
    }
    PQclear(r);
    return rc;
}

int64_t db_int(const PGresult *r, int row, int col)
{
    const uint8_t *p = (const uint8_t *)PQgetvalue(r, row, col);
    int n = PQgetlength(r, row, col);
    uint64_t v = 0;

    if (PQgetisnull(r, row, col)) {
        return 0;
    }
    STO_ASSERT(n == 1 || n == 2 || n == 4 || n == 8);
    for (int i = 0; i < n; i++) {
        v = v << 8 | p[i];
    }
    return n == 2 ? (int16_t)v : n == 4 ? (int32_t)v : (int64_t)v;
}

int64_t db_time_us(const PGresult *r, int row, int col)
{
    return PQgetisnull(r, row, col) ? 0 : db_int(r, row, col) + PG_EPOCH_US;
}

void db_uuid(const PGresult *r, int row, int col, struct sto_uuid *out)
{
    memset(out, 0, sizeof *out);
    if (!PQgetisnull(r, row, col)) {
        STO_ASSERT(PQgetlength(r, row, col) == 16);
        memcpy(out->b, PQgetvalue(r, row, col), 16);
    }
}

const uint8_t *db_bytes(const PGresult *r, int row, int col, size_t *n)
{
    *n = (size_t)PQgetlength(r, row, col);
    return (const uint8_t *)PQgetvalue(r, row, col);
}

const char *db_text(const PGresult *r, int row, int col)
{
    return PQgetvalue(r, row, col);
}

char *db_bytea(const void *p, size_t n)
{
    char *out = sto_xcalloc(1, 2 * n + 3);

    out[0] = '\\';
    out[1] = 'x';
    sto_hex(p, n, out + 2);
    return out;
}
