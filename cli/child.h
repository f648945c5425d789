/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Programs that a command starts and watches: each in a process group of its own, output in a log
 * file, ended with its starter (even if that is killed), started anew with growing pauses when it
 * dies.
 */
#ifndef CHILD_H
#define CHILD_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sto_err.h"

#define CHILD_ARGS_MAX 40

struct child {
    char *name;
    char *argv[CHILD_ARGS_MAX + 1]; /* owned; argv[0] is the program's path */
    char *log;
    bool restarts;
    pid_t pid;  /* 0 = not running */
    int status; /* of its last end */
    unsigned ends;
    int64_t started_us, start_at_us, pause_us;
};

/* argv: NULL-terminated, copied. */
void child_init(struct child *c, const char *name, const char *log, bool restarts,
                const char *const *argv);
void child_release(struct child *c);
int child_start(struct child *c, int64_t mono_us, struct sto_err *err);
/* Notices its end; true if it ended since the last call. Restarts it when its pause is over. */
bool child_watch(struct child *c, int64_t mono_us);
/* SIGTERM to the group, SIGKILL after grace_ms; reaped. NULL entries and dead ones do no harm. */
void child_stop_all(struct child *list, size_t n, int grace_ms);
/* Runs a program to its end; what it prints, cut off at cap, in out. 0 = it ended with 0. */
int child_output(const char *const *argv, char *out, size_t cap);
/* Last lines of a log file, on one line. */
const char *log_tail(const char *path, char *out, size_t cap);
/* Folder of the running program. malloc'd. */
char *program_dir(void);
/* A TCP port of 127.0.0.1 that is free now; wanted first if it is (0 = none). */
unsigned free_port(unsigned wanted);

#endif
