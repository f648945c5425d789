/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Byte writer and reader: big-endian integers, LEB128 varints, length-prefixed
 * bytes. Both have a sticky `failed` flag, so that codecs read straight down and
 * check once. Used by the fact, state, leaf and mail codecs (never raw structs).
 */
#ifndef STO_BUF_H
#define STO_BUF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sto_buf { /* growable writer, owned by the caller */
    uint8_t *data;
    size_t len, cap, max; /* max: failed past it; 0 = 16 MiB */
    bool failed;
};
void sto_buf_init(struct sto_buf *b, size_t max);
void sto_buf_release(struct sto_buf *b);
static inline void sto_buf_clear(struct sto_buf *b)
{
    b->len = 0;
    b->failed = false;
}
void sto_put_bytes(struct sto_buf *b, const void *p, size_t n); /* raw, no length */
void sto_put_u8(struct sto_buf *b, uint8_t v);
void sto_put_u16(struct sto_buf *b, uint16_t v);
void sto_put_u32(struct sto_buf *b, uint32_t v);
void sto_put_u64(struct sto_buf *b, uint64_t v);
void sto_put_var(struct sto_buf *b, uint64_t v);               /* LEB128 */
void sto_put_svar(struct sto_buf *b, int64_t v);               /* zigzag LEB128 */
void sto_put_blob(struct sto_buf *b, const void *p, size_t n); /* var length + bytes */
void sto_put_str(struct sto_buf *b, const char *s);            /* blob; NULL as "" */

struct sto_rd { /* reader over borrowed bytes */
    const uint8_t *p, *end;
    bool failed;
};
static inline struct sto_rd sto_rd(const void *p, size_t n)
{
    /* NULL + 0 is undefined in C: an empty reader may come from a NULL blob. */
    return (struct sto_rd){.p = p, .end = p ? (const uint8_t *)p + n : NULL, .failed = !p && n > 0};
}
uint8_t sto_get_u8(struct sto_rd *r);
uint16_t sto_get_u16(struct sto_rd *r);
uint32_t sto_get_u32(struct sto_rd *r);
uint64_t sto_get_u64(struct sto_rd *r);
uint64_t sto_get_var(struct sto_rd *r);
int64_t sto_get_svar(struct sto_rd *r);
const uint8_t *sto_get_bytes(struct sto_rd *r, size_t n); /* borrowed; NULL when failed */
const uint8_t *sto_get_blob(struct sto_rd *r, size_t *n); /* borrowed; NULL when failed */
/* NUL-terminated copy into out[cap]; fails on NUL inside or when too long. */
void sto_get_str(struct sto_rd *r, char *out, size_t cap);
static inline bool sto_rd_done(const struct sto_rd *r)
{
    return !r->failed && r->p == r->end;
}

#endif
