/* SPDX-License-Identifier: EUPL-1.2 */
/* Prometheus text of the core's figures; base units, bounded labels, never an id of a client or
 * case. */
#ifndef METRICS_H
#define METRICS_H
#include "reactor.h"
/* First line of a report: "ready" or "not ready: why"; then the metrics. */
void metrics_report(int fd, const reactor_t *r, const struct reactor_stats *s);
#endif
