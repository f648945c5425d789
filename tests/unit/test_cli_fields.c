/* SPDX-License-Identifier: EUPL-1.2 */
/* Values given as text become what the workflow's fields are; sealed ones cannot be read by others.
 */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fields.h"
#include "sto_crypto.h"
#include "sto_time.h"

static const uint8_t secret[32] = {7};

static int prepare(void **state)
{
    struct sto_err err = {0};
    static workflow_t wf;

    wf = (workflow_t){.id = "w", .n_fields = 6};
    wf.fields[0] = (struct wf_field){.id = "days", .type = FIELD_INTEGER};
    wf.fields[1] = (struct wf_field){.id = "valid", .type = FIELD_BOOLEAN};
    wf.fields[2] = (struct wf_field){.id = "note", .type = FIELD_TEXT, .bytes_max = 500};
    wf.fields[3] = (struct wf_field){.id = "ends", .type = FIELD_DATE};
    wf.fields[4] =
        (struct wf_field){.id = "hetu", .type = FIELD_HETU, .sealed = true, .bytes_max = 512};
    wf.fields[5] =
        (struct wf_field){.id = "diary", .type = FIELD_TEXT, .sealed = true, .bytes_max = 60};
    *state = &wf;
    sto_time_init();
    return sto_crypto_init(&err);
}

static int take(const workflow_t *wf, const char *name, const char *text, struct saatto_field *out,
                struct sto_err *err)
{
    static sto_arena_t *arena;

    sto_arena_destroy(&arena);
    arena = sto_arena_new(1u << 16);
    return field_from_text(wf, name, text, secret, arena, out, err);
}

static void text_becomes_the_type_of_its_field(void **state)
{
    const workflow_t *wf = *state;
    struct saatto_field f;
    struct sto_err err = {0};

    assert_int_equal(take(wf, "days", "512", &f, &err), 0);
    assert_true(f.type == SAATTO_INTEGER && f.integer == 512);
    assert_int_equal(take(wf, "valid", "yes", &f, &err), 0);
    assert_true(f.type == SAATTO_BOOLEAN && f.integer == 1);
    assert_int_equal(take(wf, "valid", "no", &f, &err), 0);
    assert_true(f.integer == 0);
    assert_int_equal(take(wf, "note", "työ", &f, &err), 0);
    assert_true(f.type == SAATTO_TEXT);
    assert_string_equal(f.text, "työ");
    assert_int_equal(take(wf, "ends", "2008-02-29", &f, &err), 0);
}

static void what_does_not_fit_is_refused(void **state)
{
    const workflow_t *wf = *state;
    struct saatto_field f;
    struct sto_err err = {0};

    assert_int_equal(take(wf, "days", "many", &f, &err), -STO_E_FIELD);
    assert_int_equal(take(wf, "days", "99999999999999999999", &f, &err), -STO_E_FIELD);
    assert_int_equal(take(wf, "valid", "perhaps", &f, &err), -STO_E_FIELD);
    assert_int_equal(take(wf, "ends", "2007-02-29", &f, &err), -STO_E_FIELD);
    assert_int_equal(take(wf, "hetu", "131052-308U", &f, &err), -STO_E_FIELD);
    assert_int_equal(take(wf, "dyas", "1", &f, &err), -STO_E_UNKNOWN_NAME);
    assert_non_null(strstr(err.fix, "'days'"));
    assert_int_equal(take(wf, "diary", "longer than sixty bytes can be once sealed", &f, &err),
                     -STO_E_FIELD);
}

static void a_sealed_value_shows_nothing_and_opens_with_the_secret(void **state)
{
    const workflow_t *wf = *state;
    struct saatto_field f;
    struct sto_err err = {0};
    char plain[64] = "";

    assert_int_equal(take(wf, "hetu", "010594Y9032", &f, &err), 0);
    assert_int_equal(f.type, SAATTO_SEALED);
    assert_null(memmem(f.bytes, f.n_bytes, "010594", 6));
    assert_memory_equal(f.bytes, "sealed:", 7);
    assert_int_equal(sto_aead_open(secret, "hetu", 4, f.bytes + 7, f.n_bytes - 7, plain, &err), 0);
    assert_string_equal(plain, "010594Y9032");
}

static void assignments_are_split_at_the_first_sign(void **state)
{
    (void)state;
    char key[8];

    assert_string_equal(assignment_split("a=b=c", key, sizeof key), "b=c");
    assert_string_equal(key, "a");
    assert_null(assignment_split("abc", key, sizeof key));
    assert_null(assignment_split("=x", key, sizeof key));
    assert_null(assignment_split("longer-than-it=1", key, sizeof key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_the_type_of_its_field),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_sealed_value_shows_nothing_and_opens_with_the_secret),
        cmocka_unit_test(assignments_are_split_at_the_first_sign),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
