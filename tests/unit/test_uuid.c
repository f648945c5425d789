/* SPDX-License-Identifier: EUPL-1.2 */
/* Ids and hex: text forms, version bits, routing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sto_uuid.h"

static void an_id_reads_back_as_printed(void **state)
{
    (void)state;
    struct sto_uuid id;
    char buf[37];
    assert_int_equal(sto_uuid_parse("01234567-89AB-8def-8123-456789abcdef", &id, NULL), 0);
    assert_int_equal(id.b[0], 0x01);
    assert_int_equal(id.b[15], 0xef);
    assert_string_equal(sto_uuid_format(&id, buf), "01234567-89ab-8def-8123-456789abcdef");
}

static void what_is_no_id_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "0",
        "01234567-89ab-8def-8123-456789abcde",
        "01234567-89ab-8def-8123-456789abcdef0",
        "0123456789ab8def8123456789abcdef",
        "01234567-89ab-8def-8123-456789abcdeg",
        "0123456-789ab-8def-8123-456789abcdef",
        "{01234567-89ab-8def-8123-456789abcdef}",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct sto_uuid id = {{7}};
        struct sto_err err = {0};
        assert_int_equal(sto_uuid_parse(BAD[i], &id, &err), -STO_E_MALFORMED);
        assert_int_equal(id.b[0], 7);
        assert_non_null(strstr(err.what, "id must look like"));
    }
}

static void version_8_ends_with_its_route(void **state)
{
    (void)state;
    uint8_t hash[16];
    struct sto_uuid id;
    memset(hash, 0xff, sizeof hash);
    sto_uuid_v8(&id, hash, 0x2a);
    assert_int_equal(id.b[6], 0x8f);
    assert_int_equal(id.b[8], 0xbf);
    assert_int_equal(id.b[15], 0x2a);
    assert_int_equal(sto_uuid_shard(&id, 32), 10);
    assert_int_equal(sto_uuid_shard(&id, 256), 0x2a);
    assert_int_equal(sto_uuid_shard(&id, 1), 0);
}

static void equality_and_zero(void **state)
{
    (void)state;
    struct sto_uuid a = {{0}}, b = {{0}};
    assert_true(sto_uuid_is_zero(&a));
    b.b[15] = 1;
    assert_false(sto_uuid_is_zero(&b));
    assert_false(sto_uuid_eq(&a, &b));
    assert_true(sto_uuid_eq(&b, &b));
}

static void hex_takes_exactly_its_bytes(void **state)
{
    (void)state;
    uint8_t out[2] = {7, 7};
    char text[5];
    assert_int_equal(sto_unhex("0aFf", out, 2, NULL), 0);
    sto_hex(out, 2, text);
    assert_string_equal(text, "0aff");
    assert_int_not_equal(sto_unhex("0aF", out, 2, NULL), 0);
    assert_int_not_equal(sto_unhex("0aFf0", out, 2, NULL), 0);
    assert_int_not_equal(sto_unhex("01zz", out, 2, NULL), 0);
    assert_int_equal(out[0], 0x0a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_reads_back_as_printed),   cmocka_unit_test(what_is_no_id_is_refused),
        cmocka_unit_test(version_8_ends_with_its_route), cmocka_unit_test(equality_and_zero),
        cmocka_unit_test(hex_takes_exactly_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
