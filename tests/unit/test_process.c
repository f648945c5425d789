/* SPDX-License-Identifier: EUPL-1.2 */
/* What a core of a run folder knows of those before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

/* A core that takes the folder and dies at once; its exit status says whether it saw `wanted`. */
static void live_and_die(const char *dir, uint64_t id, const uint64_t wanted[PROCESS_FORMER_MAX])
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        uint64_t former[PROCESS_FORMER_MAX];
        struct sto_err err;
        bool same = process_core_id(dir, id, former, &err) == 0 &&
                    memcmp(former, wanted, sizeof former) == 0;
        _exit(same ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void remove_folder(const char *dir)
{
    char path[64];

    snprintf(path, sizeof path, "%s/core.id", dir);
    unlink(path);
    rmdir(dir);
}

/* The one before may have died before the database heard of the one before that. */
static void a_core_knows_all_before_it(void **state)
{
    char dir[] = "/tmp/saatto-process-XXXXXX";
    uint64_t before[PROCESS_FORMER_MAX] = {0};

    (void)state;
    assert_non_null(mkdtemp(dir));
    for (uint64_t id = 1; id <= PROCESS_FORMER_MAX + 3; id++) {
        live_and_die(dir, id, before);
        memmove(before + 1, before, sizeof before - sizeof before[0]);
        before[0] = id;
    }
    remove_folder(dir);
}

static void a_folder_has_one_core(void **state)
{
    char dir[] = "/tmp/saatto-process-XXXXXX";
    uint64_t former[PROCESS_FORMER_MAX];
    struct sto_err err;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(process_core_id(dir, 1, former, &err), 0);
    assert_int_equal(process_core_id(dir, 2, former, &err), -STO_E_REFUSED);
    remove_folder(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_core_knows_all_before_it),
        cmocka_unit_test(a_folder_has_one_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
