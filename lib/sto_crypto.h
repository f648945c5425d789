/* SPDX-License-Identifier: EUPL-1.2 */
/* Thin names over libsodium; no cipher is ours. sto_crypto_init() once in main. */
#ifndef STO_CRYPTO_H
#define STO_CRYPTO_H
#include "sto_err.h"
#include <stddef.h>
#include <stdint.h>

#define STO_SHA256_BYTES     32
#define STO_AEAD_KEY_BYTES   32
#define STO_AEAD_NONCE_BYTES 24
#define STO_AEAD_TAG_BYTES   16
#define STO_AEAD_OVERHEAD    (STO_AEAD_NONCE_BYTES + STO_AEAD_TAG_BYTES)

int sto_crypto_init(struct sto_err *err);
void sto_random(void *p, size_t n);
uint64_t sto_random_u64(void);
void sto_sha256(const void *p, size_t n, uint8_t out[32]);
/* SHA-256 over the concatenation of two pieces (the first is usually a domain byte). */
void sto_sha256_2(const void *a, size_t na, const void *b, size_t nb, uint8_t out[32]);
void sto_hmac_sha256(const uint8_t key[32], const void *p, size_t n, uint8_t out[32]);
/* XChaCha20-Poly1305; ct = nonce ‖ ciphertext ‖ tag, n + STO_AEAD_OVERHEAD bytes. */
void sto_aead_seal(const uint8_t key[32], const void *ad, size_t n_ad, const void *pt, size_t n,
                   uint8_t *ct);
/* The same with a nonce from a series that is drawn once: no system call for each seal. */
struct sto_nonces {
    uint8_t prefix[16]; /* random for each series: two never meet */
    uint64_t count;
};
void sto_nonces_init(struct sto_nonces *self);
void sto_nonce_next(struct sto_nonces *self, uint8_t out[STO_AEAD_NONCE_BYTES]);
void sto_aead_seal_nonce(const uint8_t key[32], const uint8_t nonce[STO_AEAD_NONCE_BYTES],
                         const void *ad, size_t n_ad, const void *pt, size_t n, uint8_t *ct);
/* pt has room for n_ct - STO_AEAD_OVERHEAD. STO_E_CRYPTO if it does not open. */
int sto_aead_open(const uint8_t key[32], const void *ad, size_t n_ad, const uint8_t *ct,
                  size_t n_ct, void *pt, struct sto_err *err);
/* Overwrites a secret so that the compiler cannot leave it out. */
void sto_wipe(void *p, size_t n);
/* Keyed hash that commits to a data key (Poly1305 alone does not). */
void sto_key_commitment(const uint8_t key[32], uint8_t out[32]);

#endif
