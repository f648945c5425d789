/* SPDX-License-Identifier: EUPL-1.2 */
/* Tables of people: cells, quotes, separators, and what is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "csv_rows.h"

static int parse(const char *text, struct csv_rows *rows, struct sto_err *err)
{
    return csv_rows_parse("t.csv", text, strlen(text), rows, err);
}

static void cells_are_found_by_row_and_heading(void **state)
{
    (void)state;
    struct csv_rows r;
    struct sto_err err = {0};

    assert_int_equal(parse("record,name\nps-1,Jylhä\nps-2,\n", &r, &err), 0);
    assert_int_equal(r.n_rows, 2);
    assert_int_equal(r.n_columns, 2);
    assert_string_equal(csv_rows_heading(&r, 1), "name");
    assert_string_equal(csv_rows_cell(&r, 1, csv_rows_column(&r, "name")), "Jylhä");
    assert_string_equal(csv_rows_cell(&r, 2, 1), "");
    assert_int_equal(csv_rows_column(&r, "hetu"), -1);
    csv_rows_release(&r);
    csv_rows_release(&r);
}

static void semicolons_marks_and_line_ends_of_others_are_read(void **state)
{
    (void)state;
    struct csv_rows r;
    struct sto_err err = {0};

    assert_int_equal(parse("\xef\xbb\xbf"
                           "a;b\r\n1,5;2\r\n\r\n3;4",
                           &r, &err),
                     0);
    assert_int_equal(r.n_rows, 2);
    assert_string_equal(csv_rows_heading(&r, 0), "a");
    assert_string_equal(csv_rows_cell(&r, 1, 0), "1,5");
    assert_string_equal(csv_rows_cell(&r, 2, 1), "4");
    csv_rows_release(&r);
}

static void quoted_cells_hold_anything(void **state)
{
    (void)state;
    struct csv_rows r;
    struct sto_err err = {0};

    assert_int_equal(parse("a,b\n\"x, \"\"y\"\"\nz\",\"\"\nlast,1\n", &r, &err), 0);
    assert_int_equal(r.n_rows, 2);
    assert_string_equal(csv_rows_cell(&r, 1, 0), "x, \"y\"\nz");
    assert_string_equal(csv_rows_cell(&r, 1, 1), "");
    assert_int_equal(r.lines[2], 4);
    csv_rows_release(&r);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *line;
    } wrong[] = {
        {"a,b\n1\n", "line 2"},  {"a,b\n1,2,3\n", "line 2"},         {"a\n\"x\n", "line 2"},
        {"a\nx\"y\n", "line 2"}, {"a,b\n1,2\n\"x\"y,2\n", "line 3"}, {"", "header"}};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct csv_rows r;
        struct sto_err err = {0};
        assert_int_equal(parse(wrong[i].text, &r, &err), -STO_E_CONFIG);
        assert_non_null(strstr(err.what, wrong[i].line));
        assert_null(r.cells);
    }
}

static void a_text_with_nul_is_no_table(void **state)
{
    (void)state;
    struct csv_rows r;
    struct sto_err err = {0};

    assert_int_equal(csv_rows_parse("t.csv", "a\n\0\n", 4, &r, &err), -STO_E_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_found_by_row_and_heading),
        cmocka_unit_test(semicolons_marks_and_line_ends_of_others_are_read),
        cmocka_unit_test(quoted_cells_hold_anything),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(a_text_with_nul_is_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
