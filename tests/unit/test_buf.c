/* SPDX-License-Identifier: EUPL-1.2 */
/* Codec bytes: what is written reads back, nothing reads past the end, encodings are canonical. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sto_buf.h"

static void what_is_written_reads_back(void **state)
{
    (void)state;
    static const uint64_t VARS[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    static const int64_t SVARS[] = {0, -1, 1, -64, 64, INT64_MIN, INT64_MAX};
    struct sto_buf b;
    sto_buf_init(&b, 0);
    sto_put_u8(&b, 0xAB);
    sto_put_u16(&b, 0x1234);
    sto_put_u32(&b, 0x89ABCDEF);
    sto_put_u64(&b, 0x0123456789ABCDEF);
    for (size_t i = 0; i < sizeof VARS / sizeof *VARS; i++) {
        sto_put_var(&b, VARS[i]);
    }
    for (size_t i = 0; i < sizeof SVARS / sizeof *SVARS; i++) {
        sto_put_svar(&b, SVARS[i]);
    }
    sto_put_str(&b, "äiti");
    sto_put_str(&b, NULL);
    sto_put_blob(&b, "\0\1", 2);
    assert_false(b.failed);
    assert_memory_equal(b.data, "\xAB\x12\x34\x89\xAB\xCD\xEF", 7); /* big-endian */

    struct sto_rd r = sto_rd(b.data, b.len);
    assert_int_equal(sto_get_u8(&r), 0xAB);
    assert_int_equal(sto_get_u16(&r), 0x1234);
    assert_int_equal(sto_get_u32(&r), 0x89ABCDEF);
    assert_true(sto_get_u64(&r) == 0x0123456789ABCDEF);
    for (size_t i = 0; i < sizeof VARS / sizeof *VARS; i++) {
        assert_true(sto_get_var(&r) == VARS[i]);
    }
    for (size_t i = 0; i < sizeof SVARS / sizeof *SVARS; i++) {
        assert_true(sto_get_svar(&r) == SVARS[i]);
    }
    char s[16];
    size_t n = 9;
    sto_get_str(&r, s, sizeof s);
    assert_string_equal(s, "äiti");
    sto_get_str(&r, s, sizeof s);
    assert_string_equal(s, "");
    assert_memory_equal(sto_get_blob(&r, &n), "\0\1", 2);
    assert_int_equal(n, 2);
    assert_true(sto_rd_done(&r));
    sto_buf_release(&b);
    sto_buf_release(&b);
}

static void a_short_reader_fails_and_stays_failed(void **state)
{
    (void)state;
    struct sto_rd r = sto_rd("\1\2\3", 3);
    assert_int_equal(sto_get_u32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(sto_get_u8(&r), 0);
    assert_false(sto_rd_done(&r));
    r = sto_rd("\5ab", 3); /* a length past the end */
    size_t n = 7;
    assert_null(sto_get_blob(&r, &n));
    assert_int_equal(n, 0);
    r = sto_rd("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
    assert_null(sto_get_blob(&r, &n));
    r = sto_rd(NULL, 0);
    assert_true(sto_rd_done(&r));
    assert_int_equal(sto_get_u8(&r), 0);
    assert_true(r.failed);
}

static void varints_longer_than_needed_fail(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "\x80",                                     /* cut off */
        "\x81\x80",                                 /* cut off */
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", /* bit 64 */
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct sto_rd r = sto_rd(BAD[i], strlen(BAD[i]));
        assert_true(sto_get_var(&r) == 0);
        assert_true(r.failed);
    }
    struct sto_rd r = sto_rd("\x80\x00", 2); /* zero in two bytes */
    sto_get_var(&r);
    assert_true(r.failed);
}

static void text_with_nul_or_too_long_fails(void **state)
{
    (void)state;
    char s[4] = "?";
    struct sto_rd r = sto_rd("\3a\0b", 4);
    sto_get_str(&r, s, sizeof s);
    assert_true(r.failed);
    assert_string_equal(s, "");
    r = sto_rd("\4abcd", 5);
    sto_get_str(&r, s, sizeof s);
    assert_true(r.failed);
    r = sto_rd("\3abc", 4);
    sto_get_str(&r, s, sizeof s);
    assert_string_equal(s, "abc");
}

static void a_writer_stops_at_its_maximum(void **state)
{
    (void)state;
    struct sto_buf b;
    sto_buf_init(&b, 4);
    sto_put_u32(&b, 1);
    assert_false(b.failed);
    sto_put_u8(&b, 1);
    assert_true(b.failed);
    assert_int_equal(b.len, 4);
    sto_buf_clear(&b);
    assert_false(b.failed);
    sto_put_bytes(&b, "abcde", 5);
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
    sto_buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(a_short_reader_fails_and_stays_failed),
        cmocka_unit_test(varints_longer_than_needed_fail),
        cmocka_unit_test(text_with_nul_or_too_long_fails),
        cmocka_unit_test(a_writer_stops_at_its_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
