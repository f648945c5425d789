/* SPDX-License-Identifier: EUPL-1.2 */
/* The configuration front end: every trap of libconfig 1.5, all errors in one run, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sto_conf.h"
#include "sto_limits.h"

static sto_arena_t *arena;
static sto_diags_t *diags;
static const struct sto_conf *root;
static int rc;

static int set_up(void **state)
{
    (void)state;
    arena = sto_arena_new((size_t)64 << 20);
    diags = sto_diags_new();
    root = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sto_diags_destroy(&diags);
    sto_arena_destroy(&arena);
    return 0;
}

static void parse_bytes(const char *text, size_t len)
{
    sto_diags_destroy(&diags);
    diags = sto_diags_new();
    rc = sto_conf_parse("a.cfg", text, len, arena, diags, &root);
}

static void parse(const char *text)
{
    parse_bytes(text, strlen(text));
}

static void dump(void)
{
    for (size_t i = 0; i < sto_diags_count(diags); i++) {
        const struct sto_diag *d = sto_diags_at(diags, i);
        print_message("  %s:%d: %s [%s]\n", d->file, d->line, d->text, d->code);
    }
}

/* Exactly one error, with this code, on this line. */
static void one_error(const char *text, const char *code, int line)
{
    parse(text);
    if (sto_diags_count(diags) != 1 || strcmp(sto_diags_at(diags, 0)->code, code) != 0 ||
        sto_diags_at(diags, 0)->line != line) {
        print_message("of: %s\n", text);
        dump();
        fail_msg("wanted one '%s' on line %d", code, line);
    }
    assert_int_equal(rc, -STO_E_CONFIG);
    assert_string_equal(sto_diags_at(diags, 0)->file, "a.cfg");
}

static void no_error(const char *text)
{
    parse(text);
    if (rc != 0) {
        print_message("of: %s\n", text);
        dump();
    }
    assert_int_equal(rc, 0);
    assert_int_equal(sto_diags_count(diags), 0);
    assert_non_null(root);
}

static bool found(const char *code, int line)
{
    for (size_t i = 0; i < sto_diags_count(diags); i++) {
        const struct sto_diag *d = sto_diags_at(diags, i);
        if (d->line == line && strcmp(d->code, code) == 0) {
            return true;
        }
    }
    return false;
}

static void a_file_reads_as_a_tree_with_lines(void **state)
{
    (void)state;
    no_error("// comment\nname = \"K16\"; # other\ngroup : { a = 1; b = [ \"x\", \"y\" ]; };\n"
             "/* two\nlines */ list = ( { to = \"end\"; }, 2, 3.5 ); yes-no = TRUE;");
    assert_int_equal(root->n_children, 4);
    assert_null(root->name);
    const struct sto_conf *name = root->child;
    assert_string_equal(name->name, "name");
    assert_string_equal(name->s, "K16");
    assert_int_equal(name->line, 2);
    const struct sto_conf *group = sto_conf_get(root, "group");
    assert_int_equal(group->type, STO_CONF_GROUP);
    assert_ptr_equal(group->parent, root);
    assert_int_equal(sto_conf_get(group, "a")->i, 1);
    const struct sto_conf *b = sto_conf_get(group, "b");
    assert_int_equal(b->type, STO_CONF_ARRAY);
    assert_string_equal(b->child->next->s, "y");
    const struct sto_conf *list = sto_conf_get(root, "list");
    assert_int_equal(list->line, 5);
    assert_int_equal(list->n_children, 3);
    assert_string_equal(sto_conf_get(list->child, "to")->s, "end");
    assert_true(list->child->next->next->f > 3.4);
    assert_int_equal(sto_conf_get(root, "yes-no")->i, 1);
}

static void empty_files_and_groups_are_legal(void **state)
{
    (void)state;
    no_error("");
    no_error("\xEF\xBB\xBF// a byte order mark\r\na = {}; b = (); c = [];\r\n");
    no_error("a = 1; # no newline at the end");
    no_error("a = 1; /* nor here */");
    parse_bytes(NULL, 0);
    assert_int_equal(rc, 0);
}

static void integers_are_64_bit_and_do_not_wrap(void **state)
{
    (void)state;
    no_error("a = 12345678901; b = -9223372036854775808; c = 0x7fffffffffffffff; e = +7;");
    assert_true(sto_conf_get(root, "a")->i == INT64_C(12345678901));
    assert_true(sto_conf_get(root, "b")->i == INT64_MIN);
    assert_true(sto_conf_get(root, "c")->i == INT64_MAX);
    assert_int_equal(sto_conf_get(root, "e")->i, 7);
    one_error("a = 1;\nb = 9223372036854775808;", "integer-range", 2);
    one_error("b = 0x8000000000000000;", "integer-range", 1);
    one_error("b = 99999999999999999999999999;", "integer-range", 1);
    one_error("b = 5L;", "bad-number", 1);
    one_error("b = 1.0e999;", "float-range", 1);
}

static void a_leading_zero_is_not_octal(void **state)
{
    (void)state;
    one_error("port = 010;", "leading-zero", 1);
    no_error("port = 0; x = -0;");
}

static void duplicate_and_near_keys_are_errors(void **state)
{
    (void)state;
    one_error("a = 1;\nb = 2;\na = 3;", "duplicate-key", 3);
    assert_non_null(strstr(sto_diags_at(diags, 0)->text, "line 1"));
    one_error("on : {\n expired = \"x\";\n Expired = \"y\";\n};", "near-key", 3);
    no_error("a : { x = 1; }; b : { x = 1; };");
}

static void adjacent_strings_are_not_joined(void **state)
{
    (void)state;
    one_error("a = \"x\"\n    \"y\";", "adjacent-strings", 2);
    one_error("a = [ \"x\" \"y\" ];", "adjacent-strings", 1);
}

static void an_open_string_is_reported_where_it_opened(void **state)
{
    (void)state;
    one_error("a = 1;\nb = \"over\ntwo lines\";\nc = 2;", "open-string", 2);
    assert_int_equal(sto_conf_get(root, "c")->line, 4);
    one_error("a = 1;\nb = \"lost;\nc = \"two\";\nd = 3;", "open-string", 2);
    assert_string_equal(sto_conf_get(root, "c")->s, "two");
    one_error("b = \"lost", "open-string", 1);
}

static void a_missing_semicolon_is_reported_on_its_line(void **state)
{
    (void)state;
    one_error("a = 1\nb = 2;", "missing-semicolon", 1);
    assert_int_equal(sto_conf_get(root, "b")->i, 2);
    one_error("g : {\n a = 1;\n}\nb = 2;", "missing-semicolon", 3);
    one_error("g : { a = 1 };", "missing-semicolon", 1);
    one_error("a = 1, b = 2;", "comma-for-semicolon", 1);
    one_error("a = 1", "missing-semicolon", 1);
}

static void include_is_refused_and_opens_nothing(void **state)
{
    (void)state;
    one_error("a = 1;\n  @include \"/etc/passwd\"\nb = 2;", "include", 2);
    no_error("a = \"@include\"; // @include \"x\"");
}

static void commas_and_brackets_are_strict(void **state)
{
    (void)state;
    one_error("a = [ 1, 2, ];", "trailing-comma", 1);
    one_error("a = (\n 1,\n);", "trailing-comma", 2);
    one_error("a = [ 1 2 ];", "missing-comma", 1);
    one_error("a = [ 1, \"x\" ];", "mixed-array", 1);
    one_error("a = [ [ 1 ] ];", "array-nesting", 1);
    one_error("a = ( 1, 2 ];", "wrong-bracket", 1);
    one_error("g : {\n a = 1;\n", "open-bracket", 1);
    one_error("a = [ 1, 2;\nb = 1;", "open-bracket", 1);
    one_error("a = 1;\n};", "extra-bracket", 2);
    one_error("a = 1;;", "extra-semicolon", 1);
}

static void what_is_no_value_or_key_says_what_mends_it(void **state)
{
    (void)state;
    one_error("a = yes;", "unquoted-text", 1);
    assert_non_null(strstr(sto_diags_at(diags, 0)->text, "true or false"));
    one_error("within = 20 days;\nb = 1;", "unquoted-text", 1);
    assert_non_null(sto_conf_get(root, "b"));
    one_error("day = 2026-11-21;", "bad-number", 1);
    one_error("a = 'x';", "single-quotes", 1);
    one_error("a = ;", "no-value", 1);
    one_error("a 1;\nb = 2;", "no-assignment", 1);
    one_error("leave:x = 1;", "unquoted-text", 1);
    one_error("a.b = 1;", "bad-name", 1);
    one_error("työ = 1;", "bad-name", 1);
    one_error("ä = 1;", "illegal-character", 1);
    one_error("true = 1;", "reserved-name", 1);
    one_error("2nd = 1;", "bad-number", 1);
    one_error("a = 1 % ;", "illegal-character", 1);
}

static void strings_keep_escapes_and_utf8(void **state)
{
    (void)state;
    no_error("a = \"\\\"q\\\" \\\\ \\n\\t\\x41 äö €\";");
    assert_string_equal(root->child->s, "\"q\" \\ \n\tA äö €");
    one_error("a = \"\\q\";", "bad-escape", 1);
    one_error("a = \"\\x00\";", "bad-escape", 1);
    one_error("a = \"\\xff\";", "not-utf8", 1);
    one_error("a = \"\x01\";", "control-character", 1);
    one_error("a = 1;\nb = \"\xe4\";", "not-utf8", 2);
    one_error("a = \"\xed\xa0\x80\";", "not-utf8", 1);
}

static void comments_must_close(void **state)
{
    (void)state;
    one_error("a = 1;\n/* never\nclosed", "open-comment", 2);
}

static void all_errors_come_in_one_run(void **state)
{
    (void)state;
    parse("a = 1\nb = 010;\nc = [ 1, ];\nd = \"x\" \"y\";\n@include \"z\"\nB = 5;\ne = maybe;\n"
          "g : { h = 99999999999999999999; i = (; };\nj = \"open;\nk = 1;\nk = 2;\n");
    assert_int_equal(rc, -STO_E_CONFIG);
    assert_true(found("missing-semicolon", 1));
    assert_true(found("leading-zero", 2));
    assert_true(found("trailing-comma", 3));
    assert_true(found("adjacent-strings", 4));
    assert_true(found("include", 5));
    assert_true(found("near-key", 6));
    assert_true(found("unquoted-text", 7));
    assert_true(found("integer-range", 8));
    assert_true(found("open-string", 9));
    assert_true(found("duplicate-key", 11));
    sto_diags_sort(diags);
    for (size_t i = 1; i < sto_diags_count(diags); i++) {
        assert_true(sto_diags_at(diags, i - 1)->line <= sto_diags_at(diags, i)->line);
    }
}

static void unknown_keys_name_the_nearest(void **state)
{
    (void)state;
    static const char *const keys[] = {"within", "collects", "role", NULL};
    no_error("s : { wihtin = 1; Role = 2; zzz = 3; collects = 4; };");
    sto_conf_known(sto_conf_get(root, "s"), keys, "step 's'", diags);
    assert_int_equal(sto_diags_errors(diags), 3);
    assert_string_equal(sto_diags_at(diags, 0)->text,
                        "step 's': unknown key 'wihtin'; did you mean 'within'?");
    assert_string_equal(sto_diags_at(diags, 1)->text,
                        "step 's': unknown key 'Role'; did you mean 'role'?");
    assert_string_equal(sto_diags_at(diags, 2)->text, "step 's': unknown key 'zzz'");
    assert_string_equal(sto_diags_at(diags, 2)->code, "unknown-key");
}

static void nearest_ignores_case_and_far_words(void **state)
{
    (void)state;
    static const char *const words[] = {"handover", "task", "decide", NULL};
    assert_string_equal(sto_nearest("handovr", words), "handover");
    assert_string_equal(sto_nearest("TASK", words), "task");
    assert_string_equal(sto_nearest("decied", words), "decide");
    assert_null(sto_nearest("x", words));
    assert_null(sto_nearest("", words));
    assert_null(sto_nearest("completely-else", words));
}

static void typed_getters_report_type_and_range(void **state)
{
    (void)state;
    no_error("n = 5;\ns = \"x\";\nb = true;\n");
    assert_int_equal(sto_conf_int(root, "n", 1, 0, 10, diags), 5);
    assert_string_equal(sto_conf_str(root, "s", "y", diags), "x");
    assert_true(sto_conf_bool(root, "b", false, diags));
    assert_int_equal(sto_conf_int(root, "absent", 3, 0, 10, diags), 3);
    assert_string_equal(sto_conf_str(root, "absent", "y", diags), "y");
    assert_int_equal(sto_diags_count(diags), 0);
    assert_int_equal(sto_conf_int(root, "n", 1, 6, 10, diags), 1);
    assert_true(found("out-of-range", 1));
    assert_string_equal(sto_conf_str(root, "n", "y", diags), "y");
    assert_true(found("wrong-type", 1));
    assert_null(sto_conf_need(root, "absent", STO_CONF_INT, diags));
    assert_true(found("missing-key", 1));
    assert_null(sto_conf_need(root, "s", STO_CONF_GROUP, diags));
    assert_true(found("wrong-type", 2));
}

/* "g:{" n times, inside it "a=1;", then closed n times. */
static char *nested(unsigned n)
{
    char *text = calloc(n * 6 + 16, 1);
    for (unsigned i = 0; i < n; i++) {
        strcat(text, "g:{");
    }
    strcat(text, "a=1;");
    for (unsigned i = 0; i < n; i++) {
        strcat(text, "};");
    }
    return text;
}

static void depth_is_limited(void **state)
{
    (void)state;
    char *good = nested(STO_CONF_DEPTH_MAX);
    char *bad = nested(STO_CONF_DEPTH_MAX + 1);
    char *silly = nested(10000);
    no_error(good);
    one_error(bad, "too-deep", 1);
    one_error(silly, "too-deep", 1);
    free(good);
    free(bad);
    free(silly);
}

static void the_number_of_settings_is_limited(void **state)
{
    (void)state;
    char *text = calloc(STO_CONF_CHILDREN_MAX + 1, 16);
    size_t len = 0;
    for (unsigned i = 0; i < STO_CONF_CHILDREN_MAX; i++) {
        len += (size_t)sprintf(text + len, "k%u=1;\n", i);
    }
    no_error(text);
    strcat(text, "more=1;");
    one_error(text, "too-many-children", (int)STO_CONF_CHILDREN_MAX + 1);
    free(text);
}

static void a_file_has_a_mebibyte_at_most(void **state)
{
    (void)state;
    char *text = malloc(STO_CONF_FILE_BYTES_MAX + 2);
    memset(text, ' ', STO_CONF_FILE_BYTES_MAX + 1);
    memcpy(text, "a=1;", 4);
    parse_bytes(text, STO_CONF_FILE_BYTES_MAX);
    assert_int_equal(rc, 0);
    parse_bytes(text, STO_CONF_FILE_BYTES_MAX + 1);
    assert_int_equal(rc, -STO_E_CONFIG);
    assert_true(found("too-large", 0));
    assert_null(root);
    free(text);
}

static void a_nul_byte_is_an_error(void **state)
{
    (void)state;
    parse_bytes("a = 1;\nb\0 = 2;", 14);
    assert_int_equal(rc, -STO_E_CONFIG);
    assert_true(found("nul-byte", 2));
}

static void a_full_arena_is_an_error(void **state)
{
    (void)state;
    sto_arena_t *small = sto_arena_new(512);
    rc = sto_conf_parse("a.cfg", "a=1;b=2;c=3;d=4;e=5;f=6;g=7;", 28, small, diags, &root);
    assert_int_equal(rc, -STO_E_CONFIG);
    assert_true(found("too-large", 1));
    sto_arena_destroy(&small);
}

static void findings_are_limited_and_printable(void **state)
{
    (void)state;
    for (unsigned i = 0; i < STO_DIAGS_MAX + 50; i++) {
        sto_diag(diags, STO_SEV_WARNING, "a.cfg", 9, "w", "n %u", i);
    }
    assert_int_equal(sto_diags_count(diags), STO_DIAGS_MAX + 1);
    assert_int_equal(sto_diags_errors(diags), 0);
    sto_diag(diags, STO_SEV_ERROR, "a.cfg", 1, "e", "error");
    assert_int_equal(sto_diags_count(diags), STO_DIAGS_MAX + 1);
    assert_int_equal(sto_diags_errors(diags), 1);
    sto_diags_sort(diags);
    assert_string_equal(sto_diags_at(diags, STO_DIAGS_MAX)->code, "too-many");
    sto_diags_destroy(&diags);
    diags = sto_diags_new();
    sto_diag(diags, STO_SEV_ERROR, NULL, 0, "e", "esc \x1b[31m\nline");
    assert_string_equal(sto_diags_at(diags, 0)->text, "esc ?[31m?line");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void merging_tells_the_same_finding_once(void **state)
{
    (void)state;
    sto_diags_t *all = sto_diags_new(), *more = sto_diags_new();
    sto_diag(all, STO_SEV_ERROR, "a.cfg", 1, "code", "text");
    sto_diag(more, STO_SEV_ERROR, "a.cfg", 1, "code", "text");
    sto_diag(more, STO_SEV_ERROR, "a.cfg", 2, "code", "text");
    sto_diag(more, STO_SEV_ERROR, "a.cfg", 2, "code", "text");
    sto_diag(more, STO_SEV_WARNING, "a.cfg", 2, "code", "text");
    sto_diag(more, STO_SEV_ERROR, "b.cfg", 1, "code", "text");
    assert_int_equal(sto_diags_count(more), 5);
    sto_diags_merge(all, more);
    assert_int_equal(sto_diags_count(all), 4);
    assert_int_equal(sto_diags_errors(all), 3);
    sto_diags_destroy(&all);
    sto_diags_destroy(&more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(merging_tells_the_same_finding_once),
        CASE(a_file_reads_as_a_tree_with_lines),
        CASE(empty_files_and_groups_are_legal),
        CASE(integers_are_64_bit_and_do_not_wrap),
        CASE(a_leading_zero_is_not_octal),
        CASE(duplicate_and_near_keys_are_errors),
        CASE(adjacent_strings_are_not_joined),
        CASE(an_open_string_is_reported_where_it_opened),
        CASE(a_missing_semicolon_is_reported_on_its_line),
        CASE(include_is_refused_and_opens_nothing),
        CASE(commas_and_brackets_are_strict),
        CASE(what_is_no_value_or_key_says_what_mends_it),
        CASE(strings_keep_escapes_and_utf8),
        CASE(comments_must_close),
        CASE(all_errors_come_in_one_run),
        CASE(unknown_keys_name_the_nearest),
        CASE(nearest_ignores_case_and_far_words),
        CASE(typed_getters_report_type_and_range),
        CASE(depth_is_limited),
        CASE(the_number_of_settings_is_limited),
        CASE(a_file_has_a_mebibyte_at_most),
        CASE(a_nul_byte_is_an_error),
        CASE(a_full_arena_is_an_error),
        CASE(findings_are_limited_and_printable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
