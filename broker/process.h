/* SPDX-License-Identifier: EUPL-1.2 */
/* What the three processes of saattod share: signals, reports to the supervisor, key files. */
#ifndef PROCESS_H
#define PROCESS_H
#include <stdbool.h>
#include <stddef.h>
#include "sto_err.h"

/* SIGTERM and SIGINT set the stop flag; SIGPIPE is ignored; core dumps off; dies with its parent. */
void process_init(void);
bool process_stopped(void);
/* One report to the supervisor over a SOCK_SEQPACKET pair; dropped when it is full. */
void process_report(int fd, const char *text, size_t n);
/* Two lines: public and secret CURVE key, Z85, 40 characters each. The file must not be readable by others. */
int process_curve_keys(const char *path, char pub[41], char sec[41], struct sto_err *err);
#endif
