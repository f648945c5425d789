/* SPDX-License-Identifier: EUPL-1.2 */
/* Files: whole or not at all, limits, folders; the log's one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sto_file.h"
#include "sto_log.h"

static char folder[] = "/tmp/test_file.XXXXXX";

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

static void a_file_reads_back_with_its_mode(void **state)
{
    (void)state;
    char *path = sto_asprintf("%s/a", folder);
    char *data = NULL;
    size_t len = 0;
    struct sto_err err;
    struct stat st;
    assert_int_equal(sto_file_write(path, "one", 3, 0640, &err), 0);
    assert_int_equal(sto_file_write(path, "a\0b", 3, 0600, &err), 0);
    assert_int_equal(sto_file_read(path, 3, &data, &len, &err), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(data, "a\0b", 4);
    free(data);
    data = NULL;
    assert_int_equal(sto_file_read(path, 2, &data, &len, &err), -STO_E_LIMIT);
    assert_null(data);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(sto_file_read(path, 2, &data, &len, &err), -STO_E_NOT_FOUND);
    assert_int_equal(sto_file_read(folder, 2, &data, &len, &err), -STO_E_IO);
    free(path);
}

static void a_large_file_reads_whole(void **state)
{
    (void)state;
    char *path = sto_asprintf("%s/large", folder);
    char *data = malloc(300000);
    char *again = NULL;
    size_t len = 0;
    memset(data, 'x', 300000);
    assert_int_equal(sto_file_write(path, data, 300000, 0600, NULL), 0);
    assert_int_equal(sto_file_read(path, 300000, &again, &len, NULL), 0);
    assert_int_equal(len, 300000);
    assert_memory_equal(data, again, len);
    free(again);
    free(data);
    unlink(path);
    free(path);
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    char *one = sto_asprintf("%s/b", folder);
    char *two = sto_asprintf("%s/b/c", folder);
    assert_int_equal(sto_mkdirs(two, 0700, NULL), 0);
    assert_int_equal(sto_mkdirs(two, 0700, NULL), 0);
    assert_int_equal(rmdir(two), 0);
    assert_int_equal(sto_file_write(two, "", 0, 0600, NULL), 0);
    assert_int_equal(sto_mkdirs(two, 0700, NULL), -STO_E_IO);
    assert_int_equal(unlink(two), 0);
    assert_int_equal(rmdir(one), 0);
    free(one);
    free(two);
}

static void home_is_what_the_environment_says(void **state)
{
    (void)state;
    setenv("SAATTO_HOME", "/opt/saatto", 1);
    char *home = sto_home_dir();
    assert_string_equal(home, "/opt/saatto");
    free(home);
    unsetenv("SAATTO_HOME");
}

static void a_log_event_is_one_line_of_logfmt(void **state)
{
    (void)state;
    int pipes[2];
    char line[8192] = "";
    char big[6000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    assert_int_equal(pipe(pipes), 0);
    int saved = dup(STDERR_FILENO);
    dup2(pipes[1], STDERR_FILENO);
    sto_log_init("saattod", STO_INFO);
    sto_log(STO_DEBUG, "not_shown", NULL);
    sto_log(STO_WARN, "offer_expired", "org", "kela-oulu", "why", "a \"b\"\n", "n", sto_i(-5), "e",
            "", NULL);
    sto_log(STO_INFO, "big", "a", "1", "v", big, NULL);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipes[1]);
    ssize_t n = read(pipes[0], line, sizeof line - 1);
    close(pipes[0]);
    assert_true(n > 0);
    assert_int_equal(strncmp(line, "ts=2", 4), 0);
    char *second = strchr(line, '\n') + 1;
    assert_non_null(strstr(second, " event=big a=1 cut=true\n"));
    *second = '\0';
    assert_string_equal(
        strstr(line, "Z level=") + 1,
        " level=warn prog=saattod event=offer_expired org=kela-oulu why=\"a \\\"b\\\"\\n\" "
        "n=-5 e=\"\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_reads_back_with_its_mode),
        cmocka_unit_test(a_large_file_reads_whole),
        cmocka_unit_test(folders_are_made_with_their_parents),
        cmocka_unit_test(home_is_what_the_environment_says),
        cmocka_unit_test(a_log_event_is_one_line_of_logfmt),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
