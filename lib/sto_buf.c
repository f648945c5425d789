/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Codecs' bytes. Encodings are canonical: a varint of more bytes than it needs
 * does not read, so equal values always have equal bytes (they are hashed).
 * After a failure reads answer zero and writes do nothing.
 */
#include "sto_buf.h"

#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"
#include "sto_err.h"

#define BUF_MAX_DEFAULT ((size_t)16 * 1024 * 1024)
#define VAR_BYTES_MAX   10

void sto_buf_init(struct sto_buf *b, size_t max)
{
    STO_ASSERT(b);
    *b = (struct sto_buf){.max = max > 0 ? max : BUF_MAX_DEFAULT};
}

void sto_buf_release(struct sto_buf *b)
{
    if (!b) {
        return;
    }
    free(b->data);
    b->data = NULL;
    b->len = b->cap = 0;
    b->failed = false;
}

static bool reserve(struct sto_buf *b, size_t n)
{
    size_t max = b->max > 0 ? b->max : BUF_MAX_DEFAULT;
    if (b->failed || b->len > max || n > max - b->len) {
        b->failed = true;
        return false;
    }
    size_t need = b->len + n;
    if (need > b->cap) {
        size_t cap = b->cap > 0 ? b->cap : 64;
        while (cap < need) {
            cap *= 2; /* cannot wrap: need <= max, and a max near SIZE_MAX cannot be allocated */
        }
        b->data = sto_xrealloc(b->data, cap);
        b->cap = cap;
    }
    return true;
}

void sto_put_bytes(struct sto_buf *b, const void *p, size_t n)
{
    STO_ASSERT(b);
    STO_ASSERT(p || n == 0);
    if (reserve(b, n) && n > 0) {
        memcpy(b->data + b->len, p, n);
        b->len += n;
    }
}

/* Room for any number without growing: nearly always so, and states are written at every event. */
static bool roomy(const struct sto_buf *b)
{
    size_t max = b->max > 0 ? b->max : BUF_MAX_DEFAULT;
    return !b->failed && b->cap >= b->len + VAR_BYTES_MAX && b->len + VAR_BYTES_MAX <= max;
}

static void put_be(struct sto_buf *b, uint64_t v, unsigned n)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(v >> (8u * (n - 1u - i)));
    }
    sto_put_bytes(b, bytes, n);
}

void sto_put_u8(struct sto_buf *b, uint8_t v)
{
    if (roomy(b)) {
        b->data[b->len++] = v;
    } else {
        put_be(b, v, 1);
    }
}

void sto_put_u16(struct sto_buf *b, uint16_t v)
{
    put_be(b, v, 2);
}

void sto_put_u32(struct sto_buf *b, uint32_t v)
{
    put_be(b, v, 4);
}

void sto_put_u64(struct sto_buf *b, uint64_t v)
{
    put_be(b, v, 8);
}

void sto_put_var(struct sto_buf *b, uint64_t v)
{
    if (roomy(b)) {
        uint8_t *p = b->data + b->len;
        while (v >= 0x80u) {
            *p++ = (uint8_t)(v | 0x80u);
            v >>= 7;
        }
        *p++ = (uint8_t)v;
        b->len = (size_t)(p - b->data);
        return;
    }
    uint8_t bytes[VAR_BYTES_MAX];
    size_t n = 0;
    while (v >= 0x80u) {
        bytes[n++] = (uint8_t)(v | 0x80u);
        v >>= 7;
    }
    bytes[n++] = (uint8_t)v;
    sto_put_bytes(b, bytes, n);
}

void sto_put_svar(struct sto_buf *b, int64_t v)
{
    sto_put_var(b, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

void sto_put_blob(struct sto_buf *b, const void *p, size_t n)
{
    sto_put_var(b, n);
    sto_put_bytes(b, p, n);
}

void sto_put_str(struct sto_buf *b, const char *s)
{
    sto_put_blob(b, s, s ? strlen(s) : 0);
}

const uint8_t *sto_get_bytes(struct sto_rd *r, size_t n)
{
    static const uint8_t EMPTY[1] = {0};
    STO_ASSERT(r);
    if (r->failed || n > (size_t)(r->end - r->p)) {
        r->failed = true;
        return NULL;
    }
    if (n == 0) {
        return EMPTY; /* an empty reader may have no bytes to point at; NULL means failed */
    }
    const uint8_t *p = r->p;
    r->p += n;
    return p;
}

static uint64_t get_be(struct sto_rd *r, unsigned n)
{
    const uint8_t *p = sto_get_bytes(r, n);
    uint64_t v = 0;
    for (unsigned i = 0; p && i < n; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

uint8_t sto_get_u8(struct sto_rd *r)
{
    return (uint8_t)get_be(r, 1);
}

uint16_t sto_get_u16(struct sto_rd *r)
{
    return (uint16_t)get_be(r, 2);
}

uint32_t sto_get_u32(struct sto_rd *r)
{
    return (uint32_t)get_be(r, 4);
}

uint64_t sto_get_u64(struct sto_rd *r)
{
    return get_be(r, 8);
}

uint64_t sto_get_var(struct sto_rd *r)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < VAR_BYTES_MAX; i++) {
        uint8_t byte = sto_get_u8(r);
        if (r->failed || (i == VAR_BYTES_MAX - 1 && byte > 1)) {
            break; /* the tenth byte holds bit 63 only */
        }
        v |= (uint64_t)(byte & 0x7Fu) << (7u * i);
        if (byte < 0x80u) {
            if (byte == 0 && i > 0) {
                break; /* longer than needed */
            }
            return v;
        }
    }
    r->failed = true;
    return 0;
}

int64_t sto_get_svar(struct sto_rd *r)
{
    uint64_t v = sto_get_var(r);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1u);
}

const uint8_t *sto_get_blob(struct sto_rd *r, size_t *n)
{
    STO_ASSERT(n);
    uint64_t len = sto_get_var(r);
    const uint8_t *p = len > SIZE_MAX ? NULL : sto_get_bytes(r, (size_t)len);
    if (!p) {
        r->failed = true;
    }
    *n = p ? (size_t)len : 0;
    return p;
}

void sto_get_str(struct sto_rd *r, char *out, size_t cap)
{
    STO_ASSERT(out && cap > 0);
    size_t n = 0;
    const uint8_t *p = sto_get_blob(r, &n);
    out[0] = '\0';
    if (!p || n >= cap || memchr(p, 0, n)) {
        r->failed = true;
        return;
    }
    memcpy(out, p, n);
    out[n] = '\0';
}
