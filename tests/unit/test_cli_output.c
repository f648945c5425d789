/* SPDX-License-Identifier: EUPL-1.2 */
/* What reaches stdout in each mode: with json one value and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "output.h"

static const char *const columns[] = {"id=CASE", "n=NUMBER", NULL};

/* Two rows and a line for people; what was written. */
static char *two_rows(enum output_mode mode)
{
    struct output o;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    output_init(&o, mode, f);
    output_table(&o, columns);
    output_row(&o, json_pack("{s:s, s:i}", "id", "ä", "n", 7));
    output_row(&o, json_pack("{s:s, s:n}", "id", "bcd", "n"));
    output_table_end(&o, "none");
    output_say(&o, "two");
    assert_int_equal(output_finish(&o), 0);
    fclose(f);
    return text;
}

static void text_is_a_table_whose_columns_line_up(void **state)
{
    (void)state;
    char *text = two_rows(OUTPUT_TEXT);

    assert_string_equal(text, "CASE  NUMBER\nä     7\nbcd   –\ntwo\n");
    free(text);
}

static void json_is_one_array_and_nothing_else(void **state)
{
    (void)state;
    char *text = two_rows(OUTPUT_JSON);
    json_t *all = json_loads(text, 0, NULL);

    assert_int_equal(json_array_size(all), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(all, 0), "n")), 7);
    json_decref(all);
    free(text);
}

static void jsonl_is_one_value_a_line(void **state)
{
    (void)state;
    char *text = two_rows(OUTPUT_JSONL);

    assert_string_equal(text, "{\"id\":\"ä\",\"n\":7}\n{\"id\":\"bcd\",\"n\":null}\n");
    free(text);
}

static void an_empty_table_says_so(void **state)
{
    (void)state;
    struct output o;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    output_init(&o, OUTPUT_TEXT, f);
    output_table(&o, columns);
    output_table_end(&o, "no case");
    assert_int_equal(output_finish(&o), 0);
    fclose(f);
    assert_string_equal(text, "no case\n");
    free(text);
}

static void a_table_that_was_not_ended_writes_nothing(void **state)
{
    (void)state;
    struct output o;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    output_init(&o, OUTPUT_JSON, f);
    output_table(&o, columns);
    output_row(&o, json_pack("{s:s}", "id", "x"));
    assert_int_equal(output_finish(&o), 0);
    fclose(f);
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_a_table_whose_columns_line_up),
        cmocka_unit_test(json_is_one_array_and_nothing_else),
        cmocka_unit_test(jsonl_is_one_value_a_line),
        cmocka_unit_test(an_empty_table_says_so),
        cmocka_unit_test(a_table_that_was_not_ended_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
