/* SPDX-License-Identifier: EUPL-1.2 */
/* Errors: the table, the texts, and that long input is cut between characters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sto_err.h"

static void codes_texts_and_names_are_unique(void **state)
{
    (void)state;
    const struct sto_err_row *rows = NULL;
    size_t n = sto_err_rows(&rows);
    assert_true(n > 40);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(sto_err_row(rows[i].code), &rows[i]);
        assert_ptr_equal(sto_err_row(-rows[i].code), &rows[i]);
        assert_ptr_equal(sto_err_row_by_text(rows[i].text), &rows[i]);
        assert_true(rows[i].http >= 200 && rows[i].http < 600);
        assert_int_equal(strncmp(rows[i].text, "E-", 2), 0);
    }
    assert_null(sto_err_row(0));
    assert_null(sto_err_row(9999));
    assert_null(sto_err_row_by_text("E-nothing"));
}

static void an_error_prints_code_what_and_fix(void **state)
{
    (void)state;
    struct sto_err err;
    char buf[256];
    assert_int_equal(sto_fail(&err, STO_E_FIELD, "within must be %d minute or more", 1),
                     -STO_E_FIELD);
    assert_string_equal(sto_err_format(&err, buf, sizeof buf),
                        "E-field: within must be 1 minute or more.");
    sto_err_context(&err, "step '%s'", "offer");
    sto_err_fix(&err, "write %s", "1 minute");
    assert_string_equal(
        sto_err_format(&err, buf, sizeof buf),
        "E-field: step 'offer': within must be 1 minute or more. Fix: write 1 minute.");
    snprintf(err.file, sizeof err.file, "a.cfg");
    err.line = 7;
    sto_err_format(&err, buf, sizeof buf);
    assert_int_equal(strncmp(buf, "E-field: a.cfg:7: step", 22), 0);
}

static void an_error_may_quote_itself_and_be_null(void **state)
{
    (void)state;
    struct sto_err err = {0};
    assert_int_equal(sto_fail(NULL, STO_E_IO, "x"), -STO_E_IO);
    sto_err_fix(NULL, "x");
    sto_err_context(NULL, "x");
    sto_fail(&err, STO_E_IO, "inner");
    sto_err_fix(&err, "old");
    sto_fail(&err, STO_E_DB, "outer, because %s", err.what);
    assert_string_equal(err.what, "outer, because inner");
    assert_string_equal(err.fix, "");
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    char long_text[1024];
    struct sto_err err;
    for (size_t start = 0; start < 2; start++) {
        size_t n = 0;
        long_text[n++] = 'x';
        n -= start;
        while (n < sizeof long_text - 2) {
            memcpy(long_text + n, "ä", 2);
            n += 2;
        }
        long_text[n] = '\0';
        sto_fail(&err, STO_E_FIELD, "%s", long_text);
        size_t len = strlen(err.what);
        assert_true(len >= sizeof err.what - 2 && len < sizeof err.what);
        assert_memory_equal(err.what + len - 2, "ä", 2);
        sto_err_context(&err, "head");
        assert_memory_equal(err.what + strlen(err.what) - 2, "ä", 2);
        char buf[11];
        sto_err_format(&err, buf, sizeof buf);
        assert_true(strlen(buf) < sizeof buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_texts_and_names_are_unique),
        cmocka_unit_test(an_error_prints_code_what_and_fix),
        cmocka_unit_test(an_error_may_quote_itself_and_be_null),
        cmocka_unit_test(long_texts_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
