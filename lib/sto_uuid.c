/* SPDX-License-Identifier: EUPL-1.2 */
/* Text and bits of ids. It makes no random ids: callers bring hash bytes. */
#include "sto_uuid.h"

#include <string.h>

bool sto_uuid_eq(const struct sto_uuid *a, const struct sto_uuid *b)
{
    STO_ASSERT(a && b);
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool sto_uuid_is_zero(const struct sto_uuid *a)
{
    STO_ASSERT(a);
    static const struct sto_uuid ZERO = {{0}};
    return sto_uuid_eq(a, &ZERO);
}

void sto_hex(const void *p, size_t n, char *out)
{
    static const char DIGITS[] = "0123456789abcdef";
    STO_ASSERT(out);
    STO_ASSERT(p || n == 0);
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = DIGITS[bytes[i] >> 4];
        out[2 * i + 1] = DIGITS[bytes[i] & 15u];
    }
    out[2 * n] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* Two digits, or -1; reads no byte past a NUL. */
static int hex_byte(const char *s)
{
    int hi = hex_digit(s[0]);
    int lo = hi < 0 ? -1 : hex_digit(s[1]);
    return lo < 0 ? -1 : hi * 16 + lo;
}

int sto_unhex(const char *s, void *out, size_t n, struct sto_err *err)
{
    STO_ASSERT(s);
    STO_ASSERT(out || n == 0);
    /* Validate first: out is untouched on failure. */
    for (size_t i = 0; i < n; i++) {
        if (hex_byte(s + 2 * i) < 0) {
            return sto_fail(err, STO_E_MALFORMED, "hex must be %zu digits 0-9a-f, got '%.80s'",
                            2 * n, s);
        }
    }
    if (s[2 * n] != '\0') {
        return sto_fail(err, STO_E_MALFORMED, "hex must be %zu digits, got more: '%.80s'", 2 * n,
                        s);
    }
    uint8_t *bytes = out;
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)hex_byte(s + 2 * i);
    }
    return 0;
}

static bool dash_before(size_t i)
{
    return i == 4 || i == 6 || i == 8 || i == 10;
}

const char *sto_uuid_format(const struct sto_uuid *id, char buf[37])
{
    STO_ASSERT(id && buf);
    char *p = buf;
    for (size_t i = 0; i < sizeof(id->b); i++) {
        if (dash_before(i)) {
            *p++ = '-';
        }
        sto_hex(&id->b[i], 1, p);
        p += 2;
    }
    return buf;
}

static bool read_uuid(const char *p, struct sto_uuid *out)
{
    for (size_t i = 0; i < sizeof(out->b); i++) {
        if (dash_before(i) && *p++ != '-') {
            return false;
        }
        int v = hex_byte(p);
        if (v < 0) {
            return false;
        }
        out->b[i] = (uint8_t)v;
        p += 2;
    }
    return *p == '\0';
}

int sto_uuid_parse(const char *s, struct sto_uuid *out, struct sto_err *err)
{
    STO_ASSERT(s && out);
    struct sto_uuid id;
    if (!read_uuid(s, &id)) {
        return sto_fail(err, STO_E_MALFORMED,
                        "id must look like 01234567-89ab-8def-8123-456789abcdef, got '%.80s'", s);
    }
    *out = id;
    return 0;
}

void sto_uuid_v8(struct sto_uuid *out, const uint8_t hash[16], uint8_t route)
{
    STO_ASSERT(out && hash);
    memmove(out->b, hash, sizeof(out->b));
    out->b[6] = (uint8_t)((out->b[6] & 0x0Fu) | 0x80u);
    out->b[8] = (uint8_t)((out->b[8] & 0x3Fu) | 0x80u);
    out->b[15] = route;
}
