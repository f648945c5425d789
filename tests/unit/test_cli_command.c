/* SPDX-License-Identifier: EUPL-1.2 */
/* The command line's words: what they are taken for, and what is said when they are off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nouns.h"

#define WORDS_MAX 16

static int parse(struct cli *c, struct sto_err *err, const char *const *words)
{
    char *argv[WORDS_MAX + 1] = {NULL};
    int argc = 0;

    for (; words[argc] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)words[argc];
    }
    return command_parse(argc, argv, c, err);
}

#define PARSE(c, err, ...) parse(c, err, (const char *const[]){__VA_ARGS__, NULL})

static void a_noun_and_its_verb_are_found(void **state)
{
    (void)state;
    struct cli c;
    struct sto_err err = {0};

    assert_int_equal(PARSE(&c, &err, "flow", "check", "a", "--all", "b"), 0);
    assert_string_equal(c.noun->name, "flow");
    assert_string_equal(c.verb->name, "check");
    assert_int_equal(c.n_words, 2);
    assert_string_equal(c.words[1], "b");
    assert_true(cli_flag(&c, "all"));
    command_release(&c);
}

static void a_verb_may_have_two_words(void **state)
{
    (void)state;
    struct cli c;
    struct sto_err err = {0};

    assert_int_equal(PARSE(&c, &err, "org", "key", "new", "verve"), 0);
    assert_string_equal(c.verb->name, "key new");
    assert_int_equal(c.n_words, 1);
    assert_string_equal(c.words[0], "verve");
    command_release(&c);
}

static void common_options_stand_anywhere(void **state)
{
    (void)state;
    struct cli c;
    struct sto_err err = {0};

    assert_int_equal(PARSE(&c, &err, "-o", "json", "--var", "v", "case", "show", "abcd"), 0);
    assert_int_equal(c.mode, OUTPUT_JSON);
    assert_string_equal(c.var, "v");
    assert_string_equal(c.verb->name, "show");
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "case", "show", "abcd", "--output=jsonl", "--var=w"), 0);
    assert_int_equal(c.mode, OUTPUT_JSONL);
    assert_string_equal(c.var, "w");
    command_release(&c);
}

static void an_option_may_come_several_times(void **state)
{
    (void)state;
    struct cli c;
    struct sto_err err = {0};

    assert_int_equal(PARSE(&c, &err, "case", "start", "--set", "a=1", "--set=b=2"), 0);
    assert_string_equal(cli_option_at(&c, "set", 0), "a=1");
    assert_string_equal(cli_option_at(&c, "set", 1), "b=2");
    assert_null(cli_option_at(&c, "set", 2));
    assert_string_equal(cli_option(&c, "set"), "b=2");
    command_release(&c);
}

static void after_two_dashes_all_are_words(void **state)
{
    (void)state;
    struct cli c;
    struct sto_err err = {0};

    assert_int_equal(PARSE(&c, &err, "flow", "check", "--", "--all"), 0);
    assert_false(cli_flag(&c, "all"));
    assert_string_equal(c.words[0], "--all");
    command_release(&c);
}

static void wrong_words_name_the_nearest(void **state)
{
    (void)state;
    struct cli c;
    struct sto_err err = {0};

    assert_int_equal(PARSE(&c, &err, "flw", "check"), -STO_E_USAGE);
    assert_non_null(strstr(err.fix, "'flow'"));
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "handover", "acept"), -STO_E_USAGE);
    assert_non_null(strstr(err.fix, "'accept'"));
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "org", "key", "nwe", "x"), -STO_E_USAGE);
    assert_non_null(strstr(err.fix, "'key new'"));
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "flow", "check", "--netwrok", "x"), -STO_E_USAGE);
    assert_non_null(strstr(err.fix, "'--network'"));
    command_release(&c);
}

static void too_few_and_too_many_words_are_refused(void **state)
{
    (void)state;
    struct cli c;
    struct sto_err err = {0};

    assert_int_equal(PARSE(&c, &err, "case", "show"), -STO_E_USAGE);
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "case", "show", "a", "b"), -STO_E_USAGE);
    assert_non_null(strstr(err.what, "'b'"));
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "case"), -STO_E_USAGE);
    command_release(&c);
}

static void options_hold_to_their_form(void **state)
{
    (void)state;
    struct cli c;
    struct sto_err err = {0};
    int64_t v = 0;

    assert_int_equal(PARSE(&c, &err, "flow", "check", "--all=x"), -STO_E_USAGE);
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "flow", "check", "--network"), -STO_E_USAGE);
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "case", "list", "-o", "xml"), -STO_E_USAGE);
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "case", "list", "--limit", "12x"), 0);
    assert_int_equal(cli_option_int(&c, "limit", 7, 1, 100, &v, &err), -STO_E_USAGE);
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "case", "list"), 0);
    assert_int_equal(cli_option_int(&c, "limit", 7, 1, 100, &v, &err), 0);
    assert_int_equal(v, 7);
    command_release(&c);
}

static void help_needs_no_words(void **state)
{
    (void)state;
    struct cli c;
    struct sto_err err = {0};

    assert_int_equal(PARSE(&c, &err, "--help"), 0);
    assert_true(c.help && c.noun == NULL);
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "case", "--help"), 0);
    assert_true(c.help && c.noun != NULL && c.verb == NULL);
    command_release(&c);
    assert_int_equal(PARSE(&c, &err, "case", "show", "-h"), 0);
    assert_true(c.help && c.verb != NULL);
    command_release(&c);
}

static void every_verb_is_whole(void **state)
{
    (void)state;
    for (const struct noun *n = command_nouns; n->name != NULL; n++) {
        assert_non_null(n->help);
        for (const struct verb *v = n->verbs; v->name != NULL; v++) {
            assert_non_null(v->run);
            assert_non_null(v->words);
            assert_true(v->help != NULL && v->help[0] != '\0' &&
                        v->help[strlen(v->help) - 1] != '.');
            assert_true(v->words_min <= v->words_max);
            for (const struct option_row *o = v->options; o != NULL && o->name != NULL; o++) {
                assert_true(o->help != NULL && o->help[0] != '\0');
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_noun_and_its_verb_are_found),
        cmocka_unit_test(a_verb_may_have_two_words),
        cmocka_unit_test(common_options_stand_anywhere),
        cmocka_unit_test(an_option_may_come_several_times),
        cmocka_unit_test(after_two_dashes_all_are_words),
        cmocka_unit_test(wrong_words_name_the_nearest),
        cmocka_unit_test(too_few_and_too_many_words_are_refused),
        cmocka_unit_test(options_hold_to_their_form),
        cmocka_unit_test(help_needs_no_words),
        cmocka_unit_test(every_verb_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
