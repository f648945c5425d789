/* SPDX-License-Identifier: EUPL-1.2 */
/* Values of a binary result. Types are those the statements cast to; a NULL reads as zero. */
#include <endian.h>
#include <string.h>

#include "store_pg_impl.h"

static const char *value(const PGresult *r, int row, int column, int bytes)
{
    if (PQgetisnull(r, row, column)) {
        return NULL;
    }
    STO_ASSERT(PQgetlength(r, row, column) == bytes);
    return PQgetvalue(r, row, column);
}

int16_t pg_int2(const PGresult *r, int row, int column)
{
    uint16_t v = 0;
    const char *p = value(r, row, column, 2);

    if (p != NULL) {
        memcpy(&v, p, 2);
    }
    return (int16_t)be16toh(v);
}

int32_t pg_int4(const PGresult *r, int row, int column)
{
    uint32_t v = 0;
    const char *p = value(r, row, column, 4);

    if (p != NULL) {
        memcpy(&v, p, 4);
    }
    return (int32_t)be32toh(v);
}

int64_t pg_int8(const PGresult *r, int row, int column)
{
    uint64_t v = 0;
    const char *p = value(r, row, column, 8);

    if (p != NULL) {
        memcpy(&v, p, 8);
    }
    return (int64_t)be64toh(v);
}

int64_t pg_time_us(const PGresult *r, int row, int column)
{
    return PQgetisnull(r, row, column) ? 0 : pg_int8(r, row, column) + PG_EPOCH_US;
}

bool pg_bool(const PGresult *r, int row, int column)
{
    const char *p = value(r, row, column, 1);

    return p != NULL && *p != 0;
}

void pg_uuid(const PGresult *r, int row, int column, struct sto_uuid *out)
{
    pg_fixed(r, row, column, out->b, sizeof out->b);
}

/* Shorter values leave the rest zero: columns are bytea, whose length the schema does not hold. */
void pg_fixed(const PGresult *r, int row, int column, uint8_t *out, int bytes)
{
    int n = PQgetlength(r, row, column);

    memset(out, 0, (size_t)bytes);
    memcpy(out, PQgetvalue(r, row, column), (size_t)(n < bytes ? n : bytes));
}

struct blob pg_blob(struct work *w, const PGresult *r, int row, int column)
{
    int n = PQgetlength(r, row, column);
    uint8_t *copy = n > 0 ? work_alloc(w, (size_t)n) : NULL;

    if (copy == NULL) {
        return (struct blob){NULL, 0};
    }
    memcpy(copy, PQgetvalue(r, row, column), (size_t)n);
    return (struct blob){copy, (uint32_t)n};
}

const char *pg_text(struct work *w, const PGresult *r, int row, int column)
{
    return work_text(w, PQgetvalue(r, row, column));
}

const char *pg_sqlstate(const PGresult *r)
{
    const char *s = PQresultErrorField(r, PG_DIAG_SQLSTATE);

    return s != NULL ? s : "XX000";
}
