/* SPDX-License-Identifier: EUPL-1.2 */
/* Settings: files, command lines, defaults, and that what is printed loads again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sto_file.h"
#include "sto_settings.h"

static const struct sto_setting TABLE[] = {
    {"port", STO_SET_INT, "6432", 1, 65535, "", false, "port to listen on"},
    {"lease-ms", STO_SET_INT, "3000", 100, 60000, "ms", true, "how long a lease lasts"},
    {"big", STO_SET_INT, "0", 0, INT64_C(20000000000), "bytes", false, "more than 32 bits"},
    {"audit", STO_SET_BOOL, "true", 0, 0, "", false, "write the audit | log"},
    {"name", STO_SET_STRING, NULL, 1, 16, "", false, "name of this broker"},
    {"key-file", STO_SET_PATH, "", 0, 0, "", false, "file with the secret key"},
    {0},
};

static char folder[] = "/tmp/test_settings.XXXXXX";
static char file[64];
static sto_settings_t *settings;
static sto_diags_t *diags;
static struct sto_err err;

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(file, sizeof file, "%s/a.cfg", folder);
    settings = sto_settings_new(TABLE);
    diags = sto_diags_new();
    memset(&err, 0, sizeof err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(file);
    sto_settings_destroy(&settings);
    sto_diags_destroy(&diags);
    return 0;
}

static int load(const char *text)
{
    assert_int_equal(sto_file_write(file, text, strlen(text), 0600, &err), 0);
    return sto_settings_load(settings, file, diags, &err);
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

static void defaults_hold_until_a_file_says_otherwise(void **state)
{
    (void)state;
    assert_int_equal(sto_settings_int(settings, "port"), 6432);
    assert_true(sto_settings_bool(settings, "audit"));
    assert_null(sto_settings_str(settings, "name"));
    assert_int_equal(load("port = 7000;\naudit = false;\nname = \"lahti\";\nbig = 12345678901;\n"),
                     0);
    assert_int_equal(sto_settings_int(settings, "port"), 7000);
    assert_int_equal(sto_settings_int(settings, "lease-ms"), 3000);
    assert_true(sto_settings_int(settings, "big") == INT64_C(12345678901));
    assert_false(sto_settings_bool(settings, "audit"));
    assert_string_equal(sto_settings_str(settings, "name"), "lahti");
    assert_int_equal(load("name = \"lahti\";"), 0); /* a reload without it: the default again */
    assert_int_equal(sto_settings_int(settings, "port"), 6432);
}

static void all_errors_are_reported_and_nothing_changes(void **state)
{
    (void)state;
    assert_int_equal(
        load("port = 0;\nlease-ms = \"x\";\nprot = 5;\nname = \"much too long a name\";\n"
             "audit = 1;\nbig = 7;\n"),
        -STO_E_CONFIG);
    assert_true(found("out-of-range", 1));
    assert_true(found("wrong-type", 2));
    assert_true(found("unknown-key", 3));
    assert_true(found("out-of-range", 4));
    assert_true(found("wrong-type", 5));
    assert_int_equal(sto_diags_errors(diags), 5);
    assert_int_equal(sto_settings_int(settings, "big"), 0);
    assert_int_equal(err.code, STO_E_CONFIG);
    assert_string_equal(err.file, file);
    assert_int_equal(err.line, 1);
}

static void a_required_setting_that_is_missing_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(load("port = 1;"), -STO_E_CONFIG);
    assert_true(found("missing-key", 0));
    assert_int_equal(sto_settings_set(settings, "name=x", &err), 0);
    assert_int_equal(load("port = 1;"), 0);
}

static void a_file_that_does_not_exist_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(sto_settings_load(settings, "/nonexistent/a.cfg", diags, &err),
                     -STO_E_NOT_FOUND);
}

static void paths_are_relative_to_their_file(void **state)
{
    (void)state;
    char wanted[128];
    assert_int_equal(load("name = \"x\"; key-file = \"keys/broker.key\";"), 0);
    char *real = realpath(folder, NULL);
    snprintf(wanted, sizeof wanted, "%s/keys/broker.key", real);
    free(real);
    assert_string_equal(sto_settings_str(settings, "key-file"), wanted);
    assert_int_equal(load("name = \"x\"; key-file = \"/etc/key\";"), 0);
    assert_string_equal(sto_settings_str(settings, "key-file"), "/etc/key");
}

static void a_command_line_wins_over_the_file(void **state)
{
    (void)state;
    assert_int_equal(sto_settings_set(settings, "port=8000", &err), 0);
    assert_int_equal(load("port = 7000; name = \"x\";"), 0);
    assert_int_equal(sto_settings_int(settings, "port"), 8000);
    assert_int_equal(sto_settings_set(settings, "name=a=b", &err), 0);
    assert_string_equal(sto_settings_str(settings, "name"), "a=b");
}

static void bad_assignments_change_nothing(void **state)
{
    (void)state;
    static const char *const BAD[] = {"port=0",  "port=65536",
                                      "port=",   "port=5x",
                                      "port= 5", "audit=yes",
                                      "name=",   "name=much too long a name",
                                      "prot=5",  "port=99999999999999999999"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        if (sto_settings_set(settings, BAD[i], &err) != -STO_E_CONFIG) {
            fail_msg("'%s' was taken", BAD[i]);
        }
    }
    assert_int_equal(sto_settings_set(settings, "port", &err), -STO_E_USAGE);
    assert_int_equal(sto_settings_int(settings, "port"), 6432);
    sto_settings_set(settings, "prot=5", &err);
    assert_string_equal(err.fix, "did you mean 'port'?");
}

static char *printed(void)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    sto_settings_print(settings, out);
    fclose(out);
    return text;
}

static void what_is_printed_loads_again(void **state)
{
    (void)state;
    assert_int_equal(
        load("name = \"a \\\"b\\\\ \\n\\x01ä\"; port = 9; key-file = \"k\"; audit = false;"
             "big = 19999999999;"),
        0);
    char *first = printed();
    sto_settings_t *other = sto_settings_new(TABLE);
    sto_settings_destroy(&settings);
    settings = other;
    assert_int_equal(load(first), 0);
    assert_int_equal(sto_diags_count(diags), 0);
    char *second = printed();
    assert_string_equal(first, second);
    assert_string_equal(sto_settings_str(settings, "name"), "a \"b\\ \n\x01ä");
    free(first);
    free(second);
}

static void the_reference_has_a_row_for_each_setting(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    sto_settings_print_reference(TABLE, out);
    fclose(out);
    assert_non_null(strstr(text, "| `lease-ms` | integer | `3000` | 100..60000 ms | yes |"));
    assert_non_null(strstr(text, "| `name` | string | required | 1..16 bytes | no |"));
    assert_non_null(strstr(text, "audit \\| log"));
    free(text);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(defaults_hold_until_a_file_says_otherwise),
        CASE(all_errors_are_reported_and_nothing_changes),
        CASE(a_required_setting_that_is_missing_is_an_error),
        CASE(a_file_that_does_not_exist_is_an_error),
        CASE(paths_are_relative_to_their_file),
        CASE(a_command_line_wins_over_the_file),
        CASE(bad_assignments_change_nothing),
        CASE(what_is_printed_loads_again),
        CASE(the_reference_has_a_row_for_each_setting),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
