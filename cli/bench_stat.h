/* SPDX-License-Identifier: EUPL-1.2 */
/* Figures of processes and of the database, for the benchmark. */
#ifndef BENCH_STAT_H
#define BENCH_STAT_H
#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#include "pg_private.h"

struct bench_cpu {
    double gate_us, core_us, workers_us, postgres_us;
}; /* user and system time */
/* saattod's children by their role, PostgreSQL with its children, and the workers. */
void bench_cpu(pid_t saattod, pid_t postgres, const pid_t *workers, size_t n_workers,
               struct bench_cpu *out);
/* Highest resident size so far of saattod's child with that role. */
double bench_rss_mib(pid_t saattod, const char *role);

struct bench_batches {
    double batches, events;
};
void bench_batches(const char *http, struct bench_batches *out);
/* What was on: settings, checkpoints. */
json_t *bench_conditions(struct pg_private *pg);
void bench_remove_tree(const char *dir);
#endif
