/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Field values: checking what came in, the codec of a case's contents, and the two identifiers with
 * a check digit. No value of a sealed field is ever looked into.
 */
#include "data.h"

#include <inttypes.h>
#include <string.h>

#include "sto_conf.h"
#include "sto_time.h"

#define CODEC_VERSION 1u
#define OPAQUE        0x80u /* beside the type: the value is bytes */
#define HETU_CHARS    11u

/* ------------------------------------------------------------------ identifiers */

static bool digits(const char *s, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        if (s[k] < '0' || s[k] > '9') {
            return false;
        }
    }
    return true;
}

static int number(const char *s, unsigned n)
{
    int v = 0;
    for (unsigned k = 0; k < n; k++) {
        v = v * 10 + (s[k] - '0');
    }
    return v;
}

bool hetu_valid(const char *s)
{
    static const char MARKS_1900[] = "-YXWVU", MARKS_2000[] = "ABCDEF";
    static const char CHECK[] = "0123456789ABCDEFHJKLMNPRSTUVWXY";
    if (!s || strlen(s) != HETU_CHARS || !digits(s, 6) || !digits(s + 7, 3)) {
        return false;
    }
    int century;
    if (s[6] == '+') {
        century = 1800;
    } else if (strchr(MARKS_1900, s[6])) {
        century = 1900;
    } else if (strchr(MARKS_2000, s[6])) {
        century = 2000;
    } else {
        return false;
    }
    if (!sto_date_valid(century + number(s + 4, 2), number(s + 2, 2), number(s, 2)) ||
        number(s + 7, 3) < 2) { /* individual numbers begin at 002 */
        return false;
    }
    return s[10] == CHECK[(number(s, 6) * 1000 + number(s + 7, 3)) % 31];
}

bool business_id_valid(const char *s)
{
    static const int WEIGHTS[] = {7, 9, 10, 5, 8, 4, 2};
    if (!s || strlen(s) != 9 || !digits(s, 7) || s[7] != '-' || !digits(s + 8, 1)) {
        return false;
    }
    int sum = 0;
    for (int k = 0; k < 7; k++) {
        sum += WEIGHTS[k] * (s[k] - '0');
    }
    int r = sum % 11;
    return r != 1 && s[8] - '0' == (r == 0 ? 0 : 11 - r);
}

/* ------------------------------------------------------------------ one field */

static int wrong(struct sto_err *err, const struct wf_field *f, const char *expected)
{
    return sto_fail(err, STO_E_FIELD, "field '%s' must be %s", f->id, expected);
}

/* Well-formed UTF-8 without control characters but tab and line feed. */
static bool text_valid(const uint8_t *s, uint32_t n)
{
    for (uint32_t k = 0; k < n;) {
        uint8_t c = s[k];
        unsigned more = c < 0x80                ? 0
                        : c >= 0xc2 && c < 0xe0 ? 1
                        : (c & 0xf0) == 0xe0    ? 2
                        : c >= 0xf0 && c < 0xf5 ? 3
                                                : 9;
        if (more == 9 || more >= n - k || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
            c == 0x7f) {
            return false;
        }
        for (unsigned j = 1; j <= more; j++) {
            if ((s[k + j] & 0xc0) != 0x80) {
                return false;
            }
        }
        uint8_t d = more ? s[k + 1] : 0;
        if ((c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) || (c == 0xf0 && d < 0x90) ||
            (c == 0xf4 && d > 0x8f)) {
            return false; /* overlong, surrogate or beyond U+10FFFF */
        }
        k += more + 1;
    }
    return true;
}

/* A short text as a string; false if it does not fit or holds a NUL. */
static bool as_string(const struct in_field *in, char *out, size_t cap)
{
    if (in->n >= cap || (in->n && memchr(in->s, 0, in->n))) {
        return false;
    }
    if (in->n) {
        memcpy(out, in->s, in->n);
    }
    out[in->n] = '\0';
    return true;
}

static int take_bytes(const struct wf_field *f, const struct in_field *in, struct field_value *out,
                      struct sto_err *err)
{
    if (in->n > f->bytes_max) {
        return sto_fail(err, STO_E_FIELD,
                        "field '%s' takes at most %" PRIu32 " bytes, got %" PRIu32, f->id,
                        f->bytes_max, in->n);
    }
    out->s = in->s ? in->s : (const uint8_t *)"";
    out->n = in->n;
    return 0;
}

static int take_integer(const struct wf_field *f, const struct in_field *in,
                        struct field_value *out, struct sto_err *err)
{
    if (in->type != IN_INT) {
        return wrong(err, f, "a whole number");
    }
    if (in->i < f->min || in->i > f->max) {
        return sto_fail(err, STO_E_FIELD,
                        "field '%s' must be %" PRId64 "..%" PRId64 ", got %" PRId64, f->id, f->min,
                        f->max, in->i);
    }
    out->i = in->i;
    return 0;
}

static int take_code(const struct wf_field *f, const struct in_field *in, struct field_value *out,
                     struct sto_err *err)
{
    char s[STO_NAME_BYTES_MAX + 1];
    if (in->type != IN_TEXT || !as_string(in, s, sizeof(s))) {
        return wrong(err, f, "one of its codes, as text");
    }
    const char *names[256] = {0};
    for (unsigned k = 0; k < f->n_values; k++) {
        if (strcmp(f->values[k], s) == 0) {
            out->i = k;
            return 0;
        }
        names[k] = f->values[k];
    }
    /* The value is content: only our own word may be quoted. */
    const char *near = sto_nearest(s, names);
    sto_fail(err, STO_E_FIELD, "field '%s' has no such code", f->id);
    sto_err_fix(err, near ? "did you mean '%s'?" : "its first code is '%s'",
                near       ? near
                : names[0] ? names[0]
                           : "");
    return -STO_E_FIELD;
}

static int take_date(const struct wf_field *f, const struct in_field *in, struct field_value *out,
                     struct sto_err *err)
{
    char s[16], min[16], max[16];
    int32_t day;
    if (in->type != IN_TEXT || !as_string(in, s, sizeof(s)) || sto_day_parse(s, &day, NULL)) {
        return wrong(err, f, "a date as 2026-11-21");
    }
    if (day < f->min || day > f->max) {
        return sto_fail(err, STO_E_FIELD, "field '%s' must be %s..%s", f->id,
                        sto_day_format((int32_t)f->min, min, sizeof(min)),
                        sto_day_format((int32_t)f->max, max, sizeof(max)));
    }
    out->i = day;
    return 0;
}

static int take_hetu(const struct wf_field *f, const struct in_field *in, struct field_value *out,
                     struct sto_err *err)
{
    char s[HETU_CHARS + 1];
    if (in->type != IN_TEXT || !as_string(in, s, sizeof(s)) || !hetu_valid(s)) {
        return wrong(err, f, "a henkilötunnus with a date that exists and a right check character");
    }
    return take_bytes(f, in, out, err);
}

/* "12", "12.5" or "-0.25": two decimals at most. */
static bool decimal_parse(const char *s, int64_t *out)
{
    bool minus = *s == '-';
    int64_t v = 0;
    unsigned digits = 0, after = 0;
    s += minus;
    for (; *s >= '0' && *s <= '9' && digits < 15; s++, digits++) {
        v = 10 * v + (*s - '0');
    }
    if (*s == '.' && digits > 0) {
        for (s++; *s >= '0' && *s <= '9' && after < 2; s++, after++) {
            v = 10 * v + (*s - '0');
        }
        if (after == 0) {
            return false;
        }
    }
    for (; after < 2; after++) {
        v *= 10;
    }
    *out = minus ? -v : v;
    return digits > 0 && *s == '\0';
}

static int take_decimal(const struct wf_field *f, const struct in_field *in,
                        struct field_value *out, struct sto_err *err)
{
    char s[24];
    if (in->type == IN_INT && in->i > INT64_MIN / 100 && in->i < INT64_MAX / 100) {
        out->i = in->i * 100;
    } else if (in->type != IN_TEXT || !as_string(in, s, sizeof(s)) || !decimal_parse(s, &out->i)) {
        return wrong(err, f, "a number with at most two decimals, such as \"125.50\"");
    }
    if (out->i < f->min || out->i > f->max) {
        return wrong(err, f, "inside min and max");
    }
    return 0;
}

/* One number or nothing for each item, by commas. */
static int take_profile(const struct wf_field *f, const struct in_field *in,
                        struct field_value *out, struct sto_err *err)
{
    unsigned items = 1;
    int64_t v = 0;
    bool any = false, good = in->type == IN_TEXT;
    for (uint32_t i = 0; good && i < in->n; i++) {
        uint8_t c = in->s[i];
        if (c == ',') {
            good = !any || (v >= f->min && v <= f->max);
            items++;
            v = 0;
            any = false;
        } else {
            good = c >= '0' && c <= '9' && v < 100000;
            v = 10 * v + (c - '0');
            any = true;
        }
    }
    good = good && (!any || (v >= f->min && v <= f->max)) && items == f->items;
    return good ? take_bytes(f, in, out, err)
                : wrong(err, f,
                        "the instrument's answers by commas, one (or nothing) for each item");
}

static int take_value(const struct wf_field *f, const struct in_field *in, struct field_value *out,
                      struct sto_err *err)
{
    switch (f->type) {
    case FIELD_INTEGER:
        return take_integer(f, in, out, err);
    case FIELD_BOOLEAN:
        out->i = in->i != 0;
        return in->type == IN_BOOL ? 0 : wrong(err, f, "true or false");
    case FIELD_CODE:
        return take_code(f, in, out, err);
    case FIELD_TEXT:
        if (in->type != IN_TEXT || !text_valid(in->s, in->n)) {
            return wrong(err, f, "text in UTF-8 without control characters");
        }
        return take_bytes(f, in, out, err);
    case FIELD_DATE:
        return take_date(f, in, out, err);
    case FIELD_HETU:
        return take_hetu(f, in, out, err);
    case FIELD_DECIMAL:
        return take_decimal(f, in, out, err);
    case FIELD_PROFILE:
        return take_profile(f, in, out, err);
    }
    return sto_fail(err, STO_E_INTERNAL, "field '%s' has an unknown type", f->id);
}

int field_check(const workflow_t *w, const struct in_field *in, unsigned *ix,
                struct field_value *out, struct sto_err *err)
{
    STO_ASSERT(w && in && in->name && ix && out);
    int k = workflow_field(w, in->name);
    if (k < 0) {
        const char *names[STO_WF_FIELDS_MAX + 1] = {0};
        for (unsigned j = 0; j < w->n_fields; j++) {
            names[j] = w->fields[j].id;
        }
        const char *near = sto_nearest(in->name, names);
        sto_fail(err, STO_E_UNKNOWN_NAME, "workflow '%s' has no field '%.64s'", w->id, in->name);
        if (near) {
            sto_err_fix(err, "did you mean '%s'?", near);
        }
        return -STO_E_UNKNOWN_NAME;
    }
    const struct wf_field *f = &w->fields[k];
    struct field_value v = {.set = true, .type = (uint8_t)f->type};
    int rc;
    if (f->sealed || in->type == IN_SEALED) {
        if (!f->sealed || in->type != IN_SEALED) {
            return wrong(err, f, f->sealed ? "sealed" : "open; it is not declared sealed");
        }
        rc = take_bytes(f, in, &v, err);
    } else {
        rc = take_value(f, in, &v, err);
    }
    if (!rc) {
        *ix = (unsigned)k;
        *out = v;
    }
    return rc;
}

/* ------------------------------------------------------------------ codec */

static bool has_bytes(const struct field_value *v)
{
    return v->s != NULL;
}

/* version, count, then for each set field: index, type (| OPAQUE), number or bytes. */
void data_encode(const struct case_data *d, struct sto_buf *out)
{
    STO_ASSERT(d && out);
    unsigned n = 0;
    for (unsigned k = 0; k < STO_WF_FIELDS_MAX; k++) {
        n += d->v[k].set;
    }
    sto_put_u8(out, CODEC_VERSION);
    sto_put_u8(out, (uint8_t)n);
    for (unsigned k = 0; k < STO_WF_FIELDS_MAX; k++) {
        const struct field_value *v = &d->v[k];
        if (!v->set) {
            continue;
        }
        sto_put_u8(out, (uint8_t)k);
        sto_put_u8(out, (uint8_t)(v->type | (has_bytes(v) ? OPAQUE : 0)));
        if (has_bytes(v)) {
            sto_put_blob(out, v->s, v->n);
        } else {
            sto_put_svar(out, v->i);
        }
    }
}

static bool decode_value(struct sto_rd *r, struct field_value *v)
{
    uint8_t type = sto_get_u8(r);
    *v = (struct field_value){.set = true, .type = type & (uint8_t)~OPAQUE};
    if (v->type < FIELD_INTEGER || v->type > FIELD_PROFILE) {
        return false;
    }
    if (type & OPAQUE) {
        size_t n = 0;
        v->s = sto_get_blob(r, &n);
        v->n = (uint32_t)n;
        return v->s && n <= STO_CASE_CONTENT_BYTES_MAX;
    }
    v->i = sto_get_svar(r);
    return !r->failed && v->type != FIELD_TEXT && v->type != FIELD_HETU && v->type != FIELD_PROFILE;
}

int data_decode(const uint8_t *p, size_t n, struct case_data *out, struct sto_err *err)
{
    STO_ASSERT(out && (p || n == 0));
    struct case_data d = {0};
    if (n > 0) {
        struct sto_rd r = sto_rd(p, n);
        uint8_t version = sto_get_u8(&r), count = sto_get_u8(&r);
        bool good = !r.failed && version == CODEC_VERSION && count <= STO_WF_FIELDS_MAX;
        int last = -1;
        for (unsigned k = 0; good && k < count; k++) {
            int ix = sto_get_u8(&r);
            good =
                !r.failed && ix > last && ix < (int)STO_WF_FIELDS_MAX && decode_value(&r, &d.v[ix]);
            last = ix;
        }
        if (!good || !sto_rd_done(&r)) {
            return sto_fail(err, STO_E_MALFORMED, "these bytes are no contents of a case");
        }
    }
    *out = d;
    return 0;
}
