/* SPDX-License-Identifier: EUPL-1.2 */
/* Contents of a case: field values, by field index of its workflow. Plain text in memory only. */
#ifndef DATA_H
#define DATA_H
#include "sto_buf.h"
#include "workflow.h"

struct field_value {
    bool set;
    uint8_t type; /* enum field_type */
    int64_t i;    /* INTEGER, BOOLEAN, CODE index, DATE day */
    const uint8_t *s;
    uint32_t n; /* TEXT, HETU, sealed: bytes */
};
struct case_data {
    struct field_value v[STO_WF_FIELDS_MAX];
};

/* A field as it came in: by name, with the type that the wire gave it. */
enum in_type {
    IN_INT = 1,
    IN_BOOL,
    IN_TEXT /* text, code, date, hetu: by the field's type */,
    IN_SEALED
};
struct in_field {
    const char *name;
    enum in_type type;
    int64_t i;
    const uint8_t *s;
    uint32_t n;
};

/* Checks name, type, limits of one field against the workflow: STO_E_UNKNOWN_NAME, STO_E_FIELD. *ix
 * and *out set on success; bytes borrowed. */
int field_check(const workflow_t *w, const struct in_field *in, unsigned *ix,
                struct field_value *out, struct sto_err *err);
void data_encode(const struct case_data *d, struct sto_buf *out);
/* Bytes borrowed from p. Empty input is empty data. */
int data_decode(const uint8_t *p, size_t n, struct case_data *out, struct sto_err *err);
bool hetu_valid(const char *s); /* handover.md "Formats"; compares all 11 characters */
bool business_id_valid(const char *s);

#endif
