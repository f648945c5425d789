/* SPDX-License-Identifier: EUPL-1.2 */
#include "pg_params.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"
#include "store.h"

/* Type numbers of the system catalogue: fixed since PostgreSQL's first versions. */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_TIMESTAMPTZ = 1184,
    OID_UUID = 2950
};

static const struct {
    uint32_t oid, element_bytes; /* 0: as long as the value */
} kinds[] = {
    [PG_U8_INT2] = {OID_INT2, 2},        [PG_U16_INT2] = {OID_INT2, 2},
    [PG_U16_INT4] = {OID_INT4, 4},       [PG_U16_INT4_NULL] = {OID_INT4, 4},
    [PG_U32_INT4] = {OID_INT4, 4},       [PG_I64_INT8] = {OID_INT8, 8},
    [PG_US_TIME] = {OID_TIMESTAMPTZ, 8}, [PG_US_TIME_NULL] = {OID_TIMESTAMPTZ, 8},
    [PG_UUID] = {OID_UUID, 16},          [PG_BYTES] = {OID_BYTEA, 0},
    [PG_BLOB] = {OID_BYTEA, 0},          [PG_TEXT] = {OID_TEXT, 0},
    [PG_BOOL] = {OID_BOOL, 1},
};

void pg_params_clear(struct pg_params *p)
{
    p->len = 0;
    p->n_values = 0;
    p->n_calls = 0;
}

void pg_params_release(struct pg_params *p)
{
    free(p->data);
    *p = (struct pg_params){0};
}

static void need(struct pg_params *p, size_t n)
{
    if (p->cap - p->len < n) {
        size_t cap = p->cap == 0 ? 65536 : p->cap;
        while (cap - p->len < n) {
            cap *= 2;
        }
        p->data = sto_xrealloc(p->data, cap);
        p->cap = cap;
    }
}

static uint8_t *put32(uint8_t *d, uint32_t v)
{
    uint32_t be = htobe32(v);

    memcpy(d, &be, 4);
    return d + 4;
}

static uint8_t *put64(uint8_t *d, uint64_t v)
{
    uint64_t be = htobe64(v);

    memcpy(d, &be, 8);
    return d + 8;
}

static uint8_t *put16(uint8_t *d, uint16_t v)
{
    uint16_t be = htobe16(v);

    memcpy(d, &be, 2);
    return d + 2;
}

void pg_params_call(struct pg_params *p, unsigned statement)
{
    STO_ASSERT(p->n_calls < PG_CALLS_MAX);
    p->calls[p->n_calls].statement = statement;
    p->calls[p->n_calls].first = p->n_values;
    p->calls[p->n_calls].n = 0;
    p->n_calls++;
}

static void begin_value(struct pg_params *p)
{
    STO_ASSERT(p->n_values < PG_VALUES_MAX && p->n_calls > 0);
    p->values[p->n_values].at = p->len;
}

static void end_value(struct pg_params *p)
{
    p->values[p->n_values].len = (int)(p->len - p->values[p->n_values].at);
    p->n_values++;
    p->calls[p->n_calls - 1].n++;
}

/* An element whose length is in its kind; *null when it is one. Room is there. */
static uint8_t *put_fixed(uint8_t *d, const struct pg_column *c, const uint8_t *field, bool *null)
{
    uint16_t u16;
    uint32_t u32;
    int64_t i64;

    d += 4;
    switch (c->kind) {
    case PG_U8_INT2:
        return put16(d, *field);
    case PG_BOOL:
        *d = *field != 0;
        return d + 1;
    case PG_UUID:
        memcpy(d, field, 16);
        return d + 16;
    case PG_U16_INT2:
        memcpy(&u16, field, sizeof u16);
        return put16(d, u16);
    case PG_U16_INT4:
    case PG_U16_INT4_NULL:
        memcpy(&u16, field, sizeof u16);
        *null = u16 == 0 && c->kind == PG_U16_INT4_NULL;
        return put32(d, u16);
    case PG_U32_INT4:
        memcpy(&u32, field, sizeof u32);
        return put32(d, u32);
    case PG_I64_INT8:
        memcpy(&i64, field, sizeof i64);
        return put64(d, (uint64_t)i64);
    case PG_US_TIME:
    case PG_US_TIME_NULL:
        memcpy(&i64, field, sizeof i64);
        *null = i64 == INT64_MIN && c->kind == PG_US_TIME_NULL;
        return put64(d, *null ? 0 : (uint64_t)(i64 - PG_EPOCH_US));
    case PG_BYTES:
    case PG_BLOB:
    case PG_TEXT:
        break;
    }
    sto_assert_failed("a kind of fixed length", __FILE__, __LINE__);
}

/* Returns whether the column holds a NULL. */
static bool fixed_elements(struct pg_params *p, const struct pg_column *c, const uint8_t *rows,
                           size_t stride, uint32_t n)
{
    uint32_t bytes = kinds[c->kind].element_bytes;
    bool nulls = false;

    need(p, (size_t)n * (4 + bytes));
    uint8_t *d = p->data + p->len;
    for (uint32_t i = 0; i < n; i++) {
        bool null = false;
        uint8_t *next = put_fixed(d, c, rows + i * stride + c->offset, &null);
        put32(d, null ? UINT32_MAX : bytes);
        d = null ? d + 4 : next;
        nulls = nulls || null;
    }
    p->len = (size_t)(d - p->data);
    return nulls;
}

static void long_elements(struct pg_params *p, const struct pg_column *c, const uint8_t *rows,
                          size_t stride, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *field = rows + i * stride + c->offset;
        struct blob b = {field, c->bytes};
        if (c->kind == PG_BLOB) {
            memcpy(&b, field, sizeof b);
        } else if (c->kind == PG_TEXT) {
            const char *text;
            memcpy(&text, field, sizeof text);
            b.p = (const uint8_t *)text;
            b.n = text != NULL ? (uint32_t)strlen(text) : 0;
        }
        need(p, 4 + (size_t)b.n);
        uint8_t *d = put32(p->data + p->len, b.n);
        if (b.n > 0) {
            memcpy(d, b.p, b.n);
        }
        p->len += 4 + (size_t)b.n;
    }
}

void pg_params_columns(struct pg_params *p, const struct pg_column *columns, unsigned n_columns,
                       const void *rows, size_t stride, uint32_t n)
{
    for (unsigned k = 0; k < n_columns; k++) {
        const struct pg_column *c = &columns[k];
        begin_value(p);
        need(p, 20);
        size_t at = p->len;
        bool nulls = false;
        p->len += 20;
        if (kinds[c->kind].element_bytes != 0) {
            nulls = fixed_elements(p, c, rows, stride, n);
        } else {
            long_elements(p, c, rows, stride, n);
        }
        uint8_t *d = put32(p->data + at, 1); /* dimensions */
        d = put32(d, nulls);
        d = put32(d, kinds[c->kind].oid);
        d = put32(d, n);
        put32(d, 1); /* lower bound */
        end_value(p);
    }
}

void pg_params_int2(struct pg_params *p, int16_t v)
{
    begin_value(p);
    need(p, 2);
    put16(p->data + p->len, (uint16_t)v);
    p->len += 2;
    end_value(p);
}

void pg_params_int4(struct pg_params *p, int32_t v)
{
    begin_value(p);
    need(p, 4);
    put32(p->data + p->len, (uint32_t)v);
    p->len += 4;
    end_value(p);
}

void pg_params_int8(struct pg_params *p, int64_t v)
{
    begin_value(p);
    need(p, 8);
    put64(p->data + p->len, (uint64_t)v);
    p->len += 8;
    end_value(p);
}

void pg_params_time(struct pg_params *p, int64_t us)
{
    pg_params_int8(p, us - PG_EPOCH_US);
}

void pg_params_raw(struct pg_params *p, const void *bytes, int n)
{
    begin_value(p);
    need(p, (size_t)n);
    memcpy(p->data + p->len, bytes, (size_t)n);
    p->len += (size_t)n;
    end_value(p);
}
