/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The supervisor: starts gate and core as processes of their own (the same
 * program with --role), starts them anew when they die, holds their last
 * report and serves /metrics. It has neither keys nor database rights in use.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H
#include "sto_settings.h"
/* argv_rest: what the children need besides --role (configuration and assignments),
 * NULL-terminated. Runs until SIGTERM. */
int supervisor_run(const char *program, char *const *argv_rest, const sto_settings_t *settings,
                   struct sto_err *err);
#endif
