/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The core process: reads the ipc socket, the store's connections and the
 * clock, feeds the reactor, does what it puts out. No rule lives here.
 */
#ifndef SHELL_H
#define SHELL_H
#include "reactor.h"
#include "store_pg.h"

struct shell_options {
    const char *endpoint; /* ipc endpoint that gates connect to */
    struct store_pg_options store;
    struct reactor_options reactor;
    int report_fd; /* metrics text once a second, -1 = nowhere */
    int parent_pid;
};
/* Runs until SIGTERM. Returns 0; an error at start; -STO_E_FENCED or another code when it must be
 * started anew. */
int shell_run(const struct shell_options *options, struct sto_err *err);
#endif
