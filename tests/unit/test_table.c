/* SPDX-License-Identifier: EUPL-1.2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "table.h"

struct entry {
    uint32_t key;
    unsigned value;
};

static void entries_are_found_until_they_are_taken(void **state)
{
    static struct entry e[2000];
    struct table t;
    (void)state;
    table_init(&t, sizeof(uint32_t), 42);
    for (uint32_t i = 0; i < 2000; i++) {
        e[i] = (struct entry){.key = i * 7919, .value = i};
        table_put(&t, &e[i]);
    }
    for (uint32_t i = 0; i < 2000; i += 2) {
        assert_ptr_equal(table_take(&t, &e[i].key), &e[i]);
    }
    for (uint32_t i = 0; i < 2000; i++) {
        assert_ptr_equal(table_get(&t, &e[i].key), i % 2 ? &e[i] : NULL);
    }
    assert_int_equal(t.n, 1000);
    unsigned n = 0;
    for (size_t i = 0; table_next(&t, &i);) {
        n++;
    }
    assert_int_equal(n, 1000);
    table_release(&t);
}

/* Every order of putting and taking over few keys, against a plain array. */
static void it_agrees_with_an_array(void **state)
{
    static struct entry e[64];
    bool in[64] = {false};
    uint64_t x = 1;
    struct table t;
    (void)state;
    table_init(&t, sizeof(uint32_t), 7);
    for (uint32_t i = 0; i < 64; i++) {
        e[i].key = i;
    }
    for (unsigned step = 0; step < 100000; step++) {
        x = table_mix(x, step);
        unsigned k = (unsigned)(x % 64);
        if (in[k]) {
            assert_ptr_equal(table_take(&t, &e[k].key), &e[k]);
        } else {
            assert_null(table_get(&t, &e[k].key));
            table_put(&t, &e[k]);
        }
        in[k] = !in[k];
        unsigned other = (unsigned)(x / 64 % 64);
        assert_ptr_equal(table_get(&t, &e[other].key), in[other] ? &e[other] : NULL);
    }
    table_release(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_until_they_are_taken),
        cmocka_unit_test(it_agrees_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
