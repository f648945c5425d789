/* SPDX-License-Identifier: EUPL-1.2 */
/* The canonical layout: what it looks like, that it changes no meaning, and that it is reached in
   one go, over every shipped file and every input that the fuzzers keep. */
#define _GNU_SOURCE
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf_layout.h"
#include "sto_file.h"
#include "sto_limits.h"

#define SHIPPED_ROOT SAATTO_SOURCE_DIR "/workflows"
#define ARENA        ((size_t)64 * 1024 * 1024)

static int lay(const char *text, size_t len, struct sto_buf *out)
{
    struct sto_err err = {0};
    sto_diags_t *d = sto_diags_new();
    sto_buf_init(out, 0);
    int rc = conf_layout("t.cfg", text, len, out, d, &err);
    if (rc != 0 && rc != -STO_E_CONFIG) {
        fail_msg("%s", err.what);
    }
    sto_diags_destroy(&d);
    sto_put_u8(out, '\0');
    out->len--;
    return rc;
}

static void looks(const char *from, const char *to)
{
    struct sto_buf out;
    assert_int_equal(lay(from, strlen(from), &out), 0);
    assert_string_equal((const char *)out.data, to);
    sto_buf_release(&out);
}

static void brackets_blanks_and_indentation_are_settled(void **state)
{
    (void)state;
    looks("a=1;b = [1,2 , 3];\nc:{x=1;y=\"ä;{\";};\n",
          "a = 1;  b = [ 1, 2, 3 ];\nc : { x = 1;  y = \"ä;{\"; };\n");
    looks("g = {\na = 1;\n\n\n  b = ( ); };", "g :\n{\n  a = 1;\n\n  b = ( );\n};\n");
    looks("\xEF\xBB\xBF"
          "a = true;\r\nb = 0x1F;\r\n",
          "a = true;\nb = 0x1F;\n");
    looks("", "");
}

static void lists_flow_or_stand_as_blocks(void **state)
{
    (void)state;
    looks("r = ( { a = 1; },\n { b = 2; } );\n", "r = ( { a = 1; },\n      { b = 2; } );\n");
    looks("s = (\n{ a = 1; },\n{\nb = 2; }\n);\n",
          "s =\n(\n  { a = 1; },\n  {\n    b = 2;\n  }\n);\n");
    looks("x : { a = 1; g : {\nb = 1; }; c = 2; };\n",
          "x :\n{\n  a = 1;\n  g :\n  {\n    b = 1;\n  };\n  c = 2;\n};\n");
}

static void names_stand_in_columns_where_there_are_groups_only(void **state)
{
    (void)state;
    looks("m : {\na : { x = 1; };\n// c\nlong : { x = 2; };\n\nb : { x = 3; };\n};\n",
          "m :\n{\n  a    : { x = 1; };\n  // c\n  long : { x = 2; };\n\n  b : { x = 3; };\n};\n");
    looks("m : {\nid = 1;\nstart : { x = 1; };\non : { x = 2; };\n};\n",
          "m :\n{\n  id = 1;\n  start : { x = 1; };\n  on : { x = 2; };\n};\n");
}

static void comments_stay_with_what_they_explain(void **state)
{
    (void)state;
    looks("// head\n\na = 1; // one\nb = 2; # two\n/* tail */\n",
          "// head\n\na = 1;                                                // one\n"
          "b = 2;                                                # two\n/* tail */\n");
    looks("g : // why\n{\na = 1;\n// last\n};\n",
          "g :                                                   // why\n{\n  a = 1;\n"
          "  // last\n};\n");
    looks("a /* x */ = // y\n 1 // z\n ;\n",
          "/* x */\n// y\na = 1;"
          "                                                // z\n");
    looks("l = ( 1, // one\n 2 // two\n );\n",
          "l =\n(\n  1,                                                  // one\n"
          "  2                                                   // two\n);\n");
}

static void a_faulty_file_is_left_alone(void **state)
{
    (void)state;
    struct sto_buf out;
    static const char *const FAULTY[] = {"a = 1", "a = ;", "a : { b = 1;", "a = 1; a = 2;", "}"};
    for (size_t i = 0; i < sizeof FAULTY / sizeof FAULTY[0]; i++) {
        assert_int_equal(lay(FAULTY[i], strlen(FAULTY[i]), &out), -STO_E_CONFIG);
        assert_int_equal(out.len, 0);
        sto_buf_release(&out);
    }
}

/* ---------------------------------------------------------------- every file */

static size_t laid_out, refused;

static const struct sto_conf *parse(const char *text, size_t len, sto_arena_t *arena)
{
    const struct sto_conf *root = NULL;
    sto_diags_t *d = sto_diags_new();
    int rc = sto_conf_parse("t.cfg", text, len, arena, d, &root);
    sto_diags_destroy(&d);
    return rc == 0 ? root : NULL;
}

/* Slashes and hashes inside texts make this a count of the same thing twice, not of comments. */
static size_t count(const char *text, size_t len, const char *mark)
{
    size_t n = 0;
    for (size_t i = 0; i + strlen(mark) <= len; i++) {
        n += memcmp(text + i, mark, strlen(mark)) == 0;
    }
    return n;
}

static void holds_for(const char *name, const char *text, size_t len)
{
    struct sto_buf once, twice;
    if (lay(text, len, &once) != 0) {
        refused++;
        sto_buf_release(&once);
        return;
    }
    sto_arena_t *arena = sto_arena_new(ARENA);
    const struct sto_conf *before = parse(text, len, arena);
    const struct sto_conf *after = parse((const char *)once.data, once.len, arena);
    if (before == NULL || after == NULL || !conf_same(before, after)) {
        fail_msg("%s: the layout changes what the file says", name);
    }
    assert_int_equal(lay((const char *)once.data, once.len, &twice), 0);
    if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0) {
        fail_msg("%s: laid out twice it is not the same:\n%s\n----\n%s", name, once.data,
                 twice.data);
    }
    static const char *const MARKS[] = {"//", "#", "/*"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(count(text, len, MARKS[i]),
                         count((const char *)once.data, once.len, MARKS[i]));
    }
    laid_out++;
    sto_arena_destroy(&arena);
    sto_buf_release(&twice);
    sto_buf_release(&once);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
    size_t n = strlen(path);
    bool cfg = n > 4 && strcmp(path + n - 4, ".cfg") == 0;
    (void)at;
    if (type == FTW_F && st->st_size > 0 && (cfg || strstr(path, "/corpus/") != NULL)) {
        char *text = NULL;
        size_t len = 0;
        struct sto_err err = {0};
        assert_int_equal(sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &len, &err), 0);
        holds_for(path, text, len);
        free(text);
    }
    return 0;
}

static void every_file_means_the_same_and_is_laid_out_in_one_go(void **state)
{
    (void)state;
    assert_int_equal(nftw(SHIPPED_ROOT, visit, 16, FTW_PHYS), 0);
    assert_int_equal(refused, 0);
    size_t shipped = laid_out;
    assert_true(shipped >= 20);
    static const char *const CORPORA[] = {"conf", "network", "scenario", "workflow"};
    for (size_t i = 0; i < 4; i++) {
        char *dir = sto_asprintf("%s/tests/fuzz/corpus/%s", SAATTO_SOURCE_DIR, CORPORA[i]);
        assert_int_equal(nftw(dir, visit, 16, FTW_PHYS), 0);
        free(dir);
    }
    assert_true(laid_out >= shipped + 5); /* most inputs of fuzzers are faulty */
}

/* Any bytes of a file that was cut, or had one byte changed, are refused or laid out as well. */
static void damaged_files_too(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    struct sto_err err = {0};
    assert_int_equal(sto_file_read(SHIPPED_ROOT "/keuruu-info-500/workflow.cfg",
                                   STO_CONF_FILE_BYTES_MAX, &text, &len, &err),
                     0);
    static const char DAMAGE[] = "{}()[]=:;,\"#/*\\ \nx";
    char *copy = sto_xrealloc(NULL, len);
    uint32_t seed = 20261128;
    for (unsigned i = 0; i < 1500; i++) {
        memcpy(copy, text, len);
        for (unsigned k = 0; k < 1 + i % 2; k++) {
            seed = seed * 1664525u + 1013904223u;
            copy[(seed >> 8) % len] = DAMAGE[(seed >> 4) % (sizeof DAMAGE - 1)];
        }
        holds_for("damaged", copy, len);
    }
    free(copy);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brackets_blanks_and_indentation_are_settled),
        cmocka_unit_test(lists_flow_or_stand_as_blocks),
        cmocka_unit_test(names_stand_in_columns_where_there_are_groups_only),
        cmocka_unit_test(comments_stay_with_what_they_explain),
        cmocka_unit_test(a_faulty_file_is_left_alone),
        cmocka_unit_test(every_file_means_the_same_and_is_laid_out_in_one_go),
        cmocka_unit_test(damaged_files_too),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
