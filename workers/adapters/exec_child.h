/* SPDX-License-Identifier: EUPL-1.2 */
/* One run of a program: text in, text out, a time limit, an output limit. Nothing here blocks. */
#ifndef EXEC_CHILD_H
#define EXEC_CHILD_H
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "sto_err.h"

#define CHILD_FDS      3                      /* input, output, end */
#define CHILD_GRACE_US (5 * INT64_C(1000000)) /* between SIGTERM and SIGKILL */

enum child_end { CHILD_RUNS, CHILD_EXITED, CHILD_SIGNALLED, CHILD_TIMED_OUT, CHILD_TOO_MUCH };

typedef struct child child_t;
/* program: an absolute path; input is copied. STO_E_IO if it cannot be started. */
int child_start(const char *program, const char *input, size_t output_max, int64_t limit_us,
                int64_t now_us, child_t **out, struct sto_err *err);
/* Ends it by force if it still runs. */
void child_destroy(child_t **self_p);

/* At most CHILD_FDS descriptors to wait for. */
unsigned child_fds(const child_t *self, struct pollfd *fds);
/* Moves bytes, watches limits, reaps. True once it has ended. */
bool child_step(child_t *self, int64_t now_us);
/* When child_step() wants to be called though no descriptor is ready. */
int64_t child_deadline_us(const child_t *self);
/* Asks it to end (SIGTERM, later SIGKILL). */
void child_stop(child_t *self, int64_t now_us);

/* After its end: how, and the exit status or the signal's number. */
enum child_end child_how(const child_t *self, int *status);
const char *child_output(const child_t *self, size_t *n); /* borrowed */

#endif
