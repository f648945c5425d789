/* SPDX-License-Identifier: EUPL-1.2 */
/* The leaf: fixed vectors, and that every field is under its hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "leaf.h"
#include "sto_crypto.h"

static struct leaf sample(void)
{
    struct leaf l = {.shard = 3,
                     .idx = 0x0102030405060708,
                     .ts_us = 1199692800000000,
                     .kind = 15,
                     .epoch = 7,
                     .actor_org = 12,
                     .evidence = 1,
                     .case_seq = 9,
                     .before = {1, 2},
                     .after = {3, 4}};
    memset(l.actor_key, 0x11, sizeof l.actor_key);
    memset(l.case_id.b, 0x22, sizeof l.case_id.b);
    memset(l.config_hash, 0x33, 32);
    memset(l.msg_hash, 0x44, 32);
    memset(l.fact_hash, 0x55, 32);
    memset(l.ct_hash, 0x66, 32);
    memset(l.key_commitment, 0x77, 32);
    return l;
}

static void hash_hex(const struct leaf *l, char out[65])
{
    uint8_t h[32];
    leaf_hash(l, h);
    sto_hex(h, sizeof h, out);
}

static void an_empty_leaf_has_its_known_hash(void **state)
{
    (void)state;
    struct leaf l = {0};
    char hex[65];
    hash_hex(&l, hex);
    assert_string_equal(hex, "059793e07580b9c8137a56608881a6d2b1c96ae17a9670ff3ebbee4c4e275693");
}

static void a_full_leaf_has_its_known_bytes_and_hash(void **state)
{
    (void)state;
    struct leaf l = sample();
    uint8_t bytes[LEAF_BYTES];
    char hex[2 * LEAF_BYTES + 1];
    leaf_encode(&l, bytes);
    sto_hex(bytes, 67, hex);
    assert_string_equal(
        hex, "01000301020304050607080004431d3f2f00000f0000000000000007000c1111111111111111"
             "0122222222222222222222222222222222000000090001000200030004");
    hash_hex(&l, hex);
    assert_string_equal(hex, "bffc05f067435fcb8309785594a5d72e0c30ba4ee2267ef00760d67468705f95");
}

static void a_leaf_is_read_back_as_it_was(void **state)
{
    (void)state;
    struct leaf l = sample(), back;
    uint8_t one[LEAF_BYTES], two[LEAF_BYTES];
    leaf_encode(&l, one);
    assert_int_equal(leaf_decode(one, sizeof one, &back, NULL), 0);
    leaf_encode(&back, two);
    assert_memory_equal(one, two, sizeof one);
    assert_int_equal(back.ts_us, l.ts_us);
    assert_int_equal(back.after.desk, 4);
}

static void every_used_byte_changes_the_hash(void **state)
{
    (void)state;
    struct leaf l = sample(), other;
    uint8_t bytes[LEAF_BYTES], want[32], got[32];
    leaf_encode(&l, bytes);
    leaf_hash(&l, want);
    unsigned changed = 0;
    for (size_t i = 1; i < sizeof bytes; i++) {
        bytes[i] ^= 0x80;
        if (leaf_decode(bytes, sizeof bytes, &other, NULL) == 0) {
            leaf_hash(&other, got);
            assert_memory_not_equal(want, got, 32);
            changed++;
        }
        bytes[i] ^= 0x80;
    }
    assert_int_equal(changed, 226);
}

#define CHANGES(FIELD)                                                                             \
    do {                                                                                           \
        struct leaf l = sample();                                                                  \
        uint8_t was[32], now[32];                                                                  \
        leaf_hash(&l, was);                                                                        \
        *(uint8_t *)&l.FIELD ^= 1;                                                                 \
        leaf_hash(&l, now);                                                                        \
        assert_memory_not_equal(was, now, 32);                                                     \
    } while (0)

static void every_field_changes_the_hash(void **state)
{
    (void)state;
    CHANGES(shard);
    CHANGES(idx);
    CHANGES(ts_us);
    CHANGES(kind);
    CHANGES(epoch);
    CHANGES(actor_org);
    CHANGES(actor_key[7]);
    CHANGES(evidence);
    CHANGES(case_id.b[15]);
    CHANGES(case_seq);
    CHANGES(before.org);
    CHANGES(before.desk);
    CHANGES(after.org);
    CHANGES(after.desk);
    CHANGES(config_hash[31]);
    CHANGES(msg_hash[31]);
    CHANGES(fact_hash[31]);
    CHANGES(ct_hash[31]);
    CHANGES(key_commitment[31]);
}

static void wrong_length_version_and_tail_are_refused(void **state)
{
    (void)state;
    struct leaf l = sample(), out;
    uint8_t bytes[LEAF_BYTES + 1] = {0};
    struct sto_err err;
    leaf_encode(&l, bytes);
    assert_int_equal(leaf_decode(bytes, LEAF_BYTES - 1, &out, &err), -STO_E_MALFORMED);
    assert_int_equal(leaf_decode(bytes, LEAF_BYTES + 1, &out, &err), -STO_E_MALFORMED);
    bytes[LEAF_BYTES - 1] = 1;
    assert_int_equal(leaf_decode(bytes, LEAF_BYTES, &out, &err), -STO_E_MALFORMED);
    bytes[LEAF_BYTES - 1] = 0;
    bytes[0] = 2;
    assert_int_equal(leaf_decode(bytes, LEAF_BYTES, &out, &err), -STO_E_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_leaf_has_its_known_hash),
        cmocka_unit_test(a_full_leaf_has_its_known_bytes_and_hash),
        cmocka_unit_test(a_leaf_is_read_back_as_it_was),
        cmocka_unit_test(every_used_byte_changes_the_hash),
        cmocka_unit_test(every_field_changes_the_hash),
        cmocka_unit_test(wrong_length_version_and_tail_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
