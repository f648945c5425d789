/* SPDX-License-Identifier: EUPL-1.2 */
/* Reading (and configuring) over libpq: one blocking connection, text parameters, text or binary
 * results. */
#ifndef DB_H
#define DB_H
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "installation.h"
#include "sto_err.h"
#include "sto_uuid.h"

/* Connects; STO_E_UNREACHABLE. Closed with PQfinish. */
int db_open(const char *dsn, PGconn **out, struct sto_err *err);
/* As the role that reads. */
int db_open_read(const installation_t *in, PGconn **out, struct sto_err *err);
/* One statement with n text parameters (NULL = null). NULL with err on failure; else the caller
 * clears it. */
PGresult *db_query(PGconn *db, const char *sql, int n, const char *const *params,
                   struct sto_err *err);
/* The same, results in binary. */
PGresult *db_query_binary(PGconn *db, const char *sql, int n, const char *const *params,
                          struct sto_err *err);
/* Without a result. */
int db_run(PGconn *db, const char *sql, struct sto_err *err);
int db_error(const PGconn *db, const PGresult *res, struct sto_err *err);

/* Cells of a binary result. */
int64_t db_int(const PGresult *r, int row, int col);     /* int2, int4, int8, bool */
int64_t db_time_us(const PGresult *r, int row, int col); /* timestamptz, microseconds since 1970 */
void db_uuid(const PGresult *r, int row, int col, struct sto_uuid *out);
const uint8_t *db_bytes(const PGresult *r, int row, int col, size_t *n);
const char *db_text(const PGresult *r, int row, int col);
/* "\x…" of bytes for a text parameter of type bytea; malloc'd. */
char *db_bytea(const void *p, size_t n);

#endif
