/* SPDX-License-Identifier: EUPL-1.2 */
/* The cipher is libsodium's (sto_crypto.h); here stands only what is authenticated beside it. */
#include "content.h"

#include <string.h>

#define AAD_BYTES      29
#define OUTBOX_VERSION 1

static void aad_encode(const struct content_aad *a, uint8_t out[AAD_BYTES])
{
    out[0] = (uint8_t)(a->shard >> 8);
    out[1] = (uint8_t)a->shard;
    for (unsigned i = 0; i < 8; i++) {
        out[2 + i] = (uint8_t)(a->idx >> (56 - 8 * i));
    }
    memcpy(out + 10, a->case_id.b, 16);
    out[26] = a->kind;
    out[27] = (uint8_t)(a->org >> 8);
    out[28] = (uint8_t)a->org;
}

void content_seal(const uint8_t key[32], struct sto_nonces *nonces, const struct content_aad *a,
                  const void *pt, size_t n, uint8_t *ct)
{
    uint8_t aad[AAD_BYTES], nonce[STO_AEAD_NONCE_BYTES];
    aad_encode(a, aad);
    sto_nonce_next(nonces, nonce);
    sto_aead_seal_nonce(key, nonce, aad, sizeof(aad), pt, n, ct);
}

int content_open(const uint8_t key[32], const struct content_aad *a, const uint8_t *ct, size_t n_ct,
                 uint8_t *pt, struct sto_err *err)
{
    uint8_t aad[AAD_BYTES];
    aad_encode(a, aad);
    if (n_ct < STO_AEAD_OVERHEAD || n_ct > INT32_MAX) {
        return sto_fail(err, STO_E_CRYPTO, "content of %zu bytes is no ciphertext", n_ct);
    }
    int rc = sto_aead_open(key, aad, sizeof(aad), ct, n_ct, pt, err);
    return rc != 0 ? rc : (int)(n_ct - STO_AEAD_OVERHEAD);
}

void outbox_wrap(const struct outbox_frame *f, struct sto_buf *out)
{
    STO_ASSERT(f->n_fields <= STO_WF_FIELDS_MAX);
    sto_put_u8(out, OUTBOX_VERSION);
    sto_put_u32(out, f->categories);
    for (unsigned c = 0; c < STO_CATEGORIES_MAX; c++) {
        if (f->categories & (1u << c)) {
            sto_put_u16(out, f->basis[c]);
            sto_put_u16(out, f->basis_ver[c]);
        }
    }
    sto_put_u8(out, f->n_fields);
    sto_put_bytes(out, f->field_category, f->n_fields);
    sto_put_bytes(out, f->body, f->n_body);
}

int outbox_unwrap(const uint8_t *p, size_t n, struct outbox_frame *out, struct sto_err *err)
{
    struct sto_rd r = sto_rd(p, n);
    struct outbox_frame f = {0};
    uint8_t version = sto_get_u8(&r);
    f.categories = sto_get_u32(&r);
    for (unsigned c = 0; c < STO_CATEGORIES_MAX; c++) {
        if (f.categories & (1u << c)) {
            f.basis[c] = sto_get_u16(&r);
            f.basis_ver[c] = sto_get_u16(&r);
        }
    }
    f.n_fields = sto_get_u8(&r);
    if (f.n_fields <= STO_WF_FIELDS_MAX) {
        const uint8_t *q = sto_get_bytes(&r, f.n_fields);
        if (q) {
            memcpy(f.field_category, q, f.n_fields);
        }
    }
    if (r.failed || version != OUTBOX_VERSION || f.n_fields > STO_WF_FIELDS_MAX) {
        return sto_fail(err, STO_E_MALFORMED, "outbox row: its frame cannot be read");
    }
    f.body = r.p;
    f.n_body = (size_t)(r.end - r.p);
    *out = f;
    return 0;
}
