/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The gate process: TCP listener with CURVE and ZAP, frame and size checks. It
 * knows public keys and nothing else: no database, no domain. It may die at any
 * time (a peer may even bring it down); its peers reconnect and nothing is lost.
 */
#ifndef GATE_H
#define GATE_H
#include "sto_err.h"

struct gate_options {
    const char *listen;     /* ZeroMQ endpoint */
    const char *core;       /* ipc endpoint of the core */
    const char *server_key; /* file: public and secret key, Z85 */
    unsigned memory_mib;    /* limit of the address space, 0 = none */
    int report_fd;          /* metrics text is written here once a second, -1 = nowhere */
    int parent_pid;         /* ends when this is no longer the parent */
};
/* Runs until SIGTERM. Returns 0, or an error at start (self-test included). */
int gate_run(const struct gate_options *options, struct sto_err *err);
#endif
