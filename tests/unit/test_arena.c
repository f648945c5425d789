/* SPDX-License-Identifier: EUPL-1.2 */
/* The arena: its cap, its zeroed and aligned memory, and that reset gives all back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sto_arena.h"

static void memory_is_zeroed_aligned_and_separate(void **state)
{
    (void)state;
    sto_arena_t *a = sto_arena_new(1 << 20);
    for (int round = 0; round < 3; round++) {
        unsigned char *last = NULL;
        for (size_t n = 0; n < 300; n++) {
            unsigned char *p = sto_arena_alloc(a, n);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(p[i], 0);
            }
            memset(p, 0xff, n);
            assert_ptr_not_equal(p, last);
            last = p;
        }
        sto_arena_reset(a);
        assert_int_equal(sto_arena_used(a), 0);
    }
    sto_arena_destroy(&a);
    assert_null(a);
    sto_arena_destroy(&a);
}

static void past_the_cap_there_is_nothing(void **state)
{
    (void)state;
    sto_arena_t *a = sto_arena_new(1024);
    assert_null(sto_arena_alloc(a, 1025));
    assert_null(sto_arena_alloc(a, SIZE_MAX));
    assert_null(sto_arena_strndup(a, "x", SIZE_MAX));
    for (int i = 0; i < 64; i++) {
        assert_non_null(sto_arena_alloc(a, 16));
    }
    assert_null(sto_arena_alloc(a, 1));
    sto_arena_reset(a);
    assert_non_null(sto_arena_alloc(a, 1024));
    assert_null(sto_arena_strdup(a, ""));
    sto_arena_destroy(&a);
}

static void large_and_small_mix_over_resets(void **state)
{
    (void)state;
    sto_arena_t *a = sto_arena_new(1 << 20);
    for (size_t round = 1; round < 200; round++) {
        assert_non_null(sto_arena_alloc(a, 10));
        assert_non_null(sto_arena_alloc(a, round * 5000));
        char *s = sto_arena_strndup(a, "abcdef", 3);
        assert_string_equal(s, "abc");
        sto_arena_reset(a);
    }
    sto_arena_destroy(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_separate),
        cmocka_unit_test(past_the_cap_there_is_nothing),
        cmocka_unit_test(large_and_small_mix_over_resets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
