/* SPDX-License-Identifier: EUPL-1.2 */
/* libsodium under the project's names. It keeps no key and picks no algorithm at run time. */
#include "sto_crypto.h"

#include <sodium.h>
#include <string.h>

_Static_assert(STO_SHA256_BYTES == crypto_hash_sha256_BYTES, "sha256 size");
_Static_assert(STO_AEAD_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key size");
_Static_assert(STO_AEAD_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce size");
_Static_assert(STO_AEAD_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag size");
_Static_assert(crypto_auth_hmacsha256_KEYBYTES == 32, "hmac key size");

int sto_crypto_init(struct sto_err *err)
{
    if (sodium_init() < 0) {
        return sto_fail(err, STO_E_CRYPTO, "libsodium could not start: no source of random bytes");
    }
    return 0;
}

void sto_random(void *p, size_t n)
{
    STO_ASSERT(p || n == 0);
    randombytes_buf(p, n);
}

uint64_t sto_random_u64(void)
{
    uint64_t v = 0;
    randombytes_buf(&v, sizeof(v));
    return v;
}

void sto_sha256(const void *p, size_t n, uint8_t out[32])
{
    sto_sha256_2(p, n, NULL, 0, out);
}

void sto_sha256_2(const void *a, size_t na, const void *b, size_t nb, uint8_t out[32])
{
    STO_ASSERT(out);
    STO_ASSERT((a || na == 0) && (b || nb == 0));
    static const uint8_t NONE[1] = {0};
    crypto_hash_sha256_state st;
    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, na > 0 ? a : NONE, na);
    crypto_hash_sha256_update(&st, nb > 0 ? b : NONE, nb);
    crypto_hash_sha256_final(&st, out);
}

void sto_hmac_sha256(const uint8_t key[32], const void *p, size_t n, uint8_t out[32])
{
    STO_ASSERT(key && out);
    STO_ASSERT(p || n == 0);
    static const uint8_t NONE[1] = {0};
    crypto_auth_hmacsha256(out, n > 0 ? p : NONE, n, key);
}

void sto_aead_seal(const uint8_t key[32], const void *ad, size_t n_ad, const void *pt, size_t n,
                   uint8_t *ct)
{
    uint8_t nonce[STO_AEAD_NONCE_BYTES];
    /* 24 random bytes do not repeat in practice, so no counter has to survive a crash. */
    randombytes_buf(nonce, sizeof(nonce));
    sto_aead_seal_nonce(key, nonce, ad, n_ad, pt, n, ct);
}

void sto_nonces_init(struct sto_nonces *self)
{
    randombytes_buf(self->prefix, sizeof(self->prefix));
    self->count = 0;
}

void sto_nonce_next(struct sto_nonces *self, uint8_t out[STO_AEAD_NONCE_BYTES])
{
    self->count++;
    memcpy(out, self->prefix, sizeof(self->prefix));
    memcpy(out + sizeof(self->prefix), &self->count, sizeof(self->count));
}

void sto_aead_seal_nonce(const uint8_t key[32], const uint8_t nonce[STO_AEAD_NONCE_BYTES],
                         const void *ad, size_t n_ad, const void *pt, size_t n, uint8_t *ct)
{
    STO_ASSERT(key && ct);
    STO_ASSERT((ad || n_ad == 0) && (pt || n == 0));
    memcpy(ct, nonce, STO_AEAD_NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(ct + STO_AEAD_NONCE_BYTES, NULL, pt, n, ad, n_ad,
                                               NULL, ct, key);
}

int sto_aead_open(const uint8_t key[32], const void *ad, size_t n_ad, const uint8_t *ct,
                  size_t n_ct, void *pt, struct sto_err *err)
{
    STO_ASSERT(key && (ct || n_ct == 0));
    STO_ASSERT(ad || n_ad == 0);
    if (n_ct < STO_AEAD_OVERHEAD) {
        return sto_fail(err, STO_E_CRYPTO, "sealed content must be %d bytes or more, got %zu",
                        STO_AEAD_OVERHEAD, n_ct);
    }
    uint8_t none[1];
    STO_ASSERT(pt || n_ct == STO_AEAD_OVERHEAD);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            pt ? pt : none, NULL, NULL, ct + STO_AEAD_NONCE_BYTES, n_ct - STO_AEAD_NONCE_BYTES, ad,
            n_ad, ct, key) != 0) {
        return sto_fail(err, STO_E_CRYPTO, "sealed content does not open with this key");
    }
    return 0;
}

void sto_key_commitment(const uint8_t key[32], uint8_t out[32])
{
    static const char LABEL[] = "saatto data key commitment 1";
    sto_hmac_sha256(key, LABEL, sizeof(LABEL) - 1, out);
}

void sto_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}
