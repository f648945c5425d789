/* SPDX-License-Identifier: EUPL-1.2 */
/* What the three processes of saattod share: signals, reports to the supervisor, key files. */
#ifndef PROCESS_H
#define PROCESS_H
#include "sto_err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SIGTERM and SIGINT set the stop flag; SIGPIPE is ignored; core dumps off; dies with its parent.
 */
void process_init(void);
bool process_stopped(void);
/*
 * The core of a run folder: takes the lock of core.id there, which only one living process can
 * have, so that the cores whose ids stand in it are known to be dead (0: no more); writes id before
 * them. More than the last: a core may die before it has told the database of the one before it.
 * The lock lasts until this process ends. STO_E_REFUSED: another core lives in that folder.
 */
#define PROCESS_FORMER_MAX 8
int process_core_id(const char *run_dir, uint64_t id, uint64_t former[PROCESS_FORMER_MAX],
                    struct sto_err *err);
/* One report to the supervisor over a SOCK_SEQPACKET pair; dropped when it is full. */
void process_report(int fd, const char *text, size_t n);
/* Two lines: public and secret CURVE key, Z85, 40 characters each. The file must not be readable by
 * others. */
int process_curve_keys(const char *path, char pub[41], char sec[41], struct sto_err *err);
#endif
