/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Binary parameters of the statements of one batch, encoded into one buffer that is used again and
 * again: arrays of columns over rows of C structs, and plain values. This is the hot path. It
 * neither sends nor knows SQL; what it made can be sent, or kept in a file and sent later.
 */
#ifndef PG_PARAMS_H
#define PG_PARAMS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PG_CALLS_MAX  32u
#define PG_VALUES_MAX 128u

/* Microseconds between 1970 and PostgreSQL's epoch, 2000-01-01. */
#define PG_EPOCH_US INT64_C(946684800000000)

/* How a field of a row becomes an element: C type, then PostgreSQL's. */
enum pg_column_kind {
    PG_U8_INT2,
    PG_U16_INT2,
    PG_U16_INT4,
    PG_U16_INT4_NULL, /* 0 is NULL */
    PG_U32_INT4,
    PG_I64_INT8, /* unsigned ones keep their bits */
    PG_US_TIME,
    PG_US_TIME_NULL, /* INT64_MIN is NULL */
    PG_UUID,
    PG_BYTES, /* fixed array of `bytes` */
    PG_BLOB,  /* struct blob */
    PG_TEXT,  /* const char * */
    PG_BOOL
};

struct pg_column {
    enum pg_column_kind kind;
    uint16_t offset;
    uint16_t bytes;
};

struct pg_params {
    uint8_t *data;
    size_t len, cap;
    struct {
        size_t at;
        int len;
    } values[PG_VALUES_MAX];
    unsigned n_values;
    struct {
        unsigned statement, first, n;
    } calls[PG_CALLS_MAX];
    unsigned n_calls;
};

void pg_params_clear(struct pg_params *p);
void pg_params_release(struct pg_params *p);

/* Begins a call of a statement; what is put next are its parameters. */
void pg_params_call(struct pg_params *p, unsigned statement);
/* One array a column over rows[n], each `stride` bytes. */
void pg_params_columns(struct pg_params *p, const struct pg_column *columns, unsigned n_columns,
                       const void *rows, size_t stride, uint32_t n);
void pg_params_int2(struct pg_params *p, int16_t v);
void pg_params_int4(struct pg_params *p, int32_t v);
void pg_params_int8(struct pg_params *p, int64_t v);
void pg_params_time(struct pg_params *p, int64_t us);
/* Bytes as they stand: a value encoded before. */
void pg_params_raw(struct pg_params *p, const void *bytes, int n);

#endif
