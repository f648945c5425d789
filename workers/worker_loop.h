/* SPDX-License-Identifier: EUPL-1.2 */
/* The worker's loop: libsaatto on one side, an adapter on the other, one thread. */
#ifndef WORKER_LOOP_H
#define WORKER_LOOP_H
#include "sto_err.h"
#include "sto_settings.h"

/* Runs until SIGTERM or SIGINT; settings checked by worker_settings_check(). version: for people.
 */
int worker_run(const sto_settings_t *settings, const char *version, struct sto_err *err);

#endif
