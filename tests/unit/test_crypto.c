/* SPDX-License-Identifier: EUPL-1.2 */
/* Cryptography: published vectors, and that altered content does not open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sto_crypto.h"
#include "sto_uuid.h"

static void assert_hex(const uint8_t got[32], const char *wanted)
{
    char text[65];
    sto_hex(got, 32, text);
    assert_string_equal(text, wanted);
}

/* FIPS 180-4 */
static void sha256_gives_the_published_hashes(void **state)
{
    (void)state;
    uint8_t out[32];
    sto_sha256("abc", 3, out);
    assert_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sto_sha256_2("a", 1, "bc", 2, out);
    assert_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sto_sha256(NULL, 0, out);
    assert_hex(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231 case 1, its 20-byte key filled up with zeros as HMAC does */
static void hmac_gives_the_published_tag(void **state)
{
    (void)state;
    uint8_t key[32] = {0}, out[32];
    memset(key, 0x0b, 20);
    sto_hmac_sha256(key, "Hi There", 8, out);
    assert_hex(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

static void sealed_content_opens_with_its_key_and_context(void **state)
{
    (void)state;
    uint8_t key[32] = {1}, ct[5 + STO_AEAD_OVERHEAD], again[sizeof ct], pt[5];
    struct sto_err err = {0};
    sto_aead_seal(key, "ad", 2, "hello", 5, ct);
    assert_int_equal(sto_aead_open(key, "ad", 2, ct, sizeof ct, pt, &err), 0);
    assert_memory_equal(pt, "hello", 5);
    sto_aead_seal(key, "ad", 2, "hello", 5, again);
    assert_memory_not_equal(ct, again, sizeof ct); /* a nonce of its own */
    assert_int_equal(sto_aead_open(key, "da", 2, ct, sizeof ct, pt, &err), -STO_E_CRYPTO);
    key[0] = 2;
    assert_int_equal(sto_aead_open(key, "ad", 2, ct, sizeof ct, pt, &err), -STO_E_CRYPTO);
}

static void altered_or_short_content_does_not_open(void **state)
{
    (void)state;
    uint8_t key[32] = {1}, ct[5 + STO_AEAD_OVERHEAD], pt[5];
    sto_aead_seal(key, NULL, 0, "hello", 5, ct);
    for (size_t i = 0; i < sizeof ct; i++) {
        ct[i] ^= 1;
        assert_int_equal(sto_aead_open(key, NULL, 0, ct, sizeof ct, pt, NULL), -STO_E_CRYPTO);
        ct[i] ^= 1;
    }
    assert_int_equal(sto_aead_open(key, NULL, 0, ct, STO_AEAD_OVERHEAD - 1, pt, NULL),
                     -STO_E_CRYPTO);
    assert_int_equal(sto_aead_open(key, NULL, 0, ct, sizeof ct - 1, pt, NULL), -STO_E_CRYPTO);
}

static void empty_content_seals_and_opens(void **state)
{
    (void)state;
    uint8_t key[32] = {9}, ct[STO_AEAD_OVERHEAD];
    sto_aead_seal(key, NULL, 0, NULL, 0, ct);
    assert_int_equal(sto_aead_open(key, NULL, 0, ct, sizeof ct, NULL, NULL), 0);
}

static void commitments_differ_for_different_keys(void **state)
{
    (void)state;
    uint8_t key[32] = {1}, a[32], b[32];
    sto_key_commitment(key, a);
    sto_key_commitment(key, b);
    assert_memory_equal(a, b, 32);
    key[31] = 1;
    sto_key_commitment(key, b);
    assert_memory_not_equal(a, b, 32);
}

static int init(void **state)
{
    (void)state;
    return sto_crypto_init(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_hashes),
        cmocka_unit_test(hmac_gives_the_published_tag),
        cmocka_unit_test(sealed_content_opens_with_its_key_and_context),
        cmocka_unit_test(altered_or_short_content_does_not_open),
        cmocka_unit_test(empty_content_seals_and_opens),
        cmocka_unit_test(commitments_differ_for_different_keys),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
