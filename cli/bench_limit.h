/* SPDX-License-Identifier: EUPL-1.2 */
/* The limits that a benchmark's figures are held against: captured batches written raw, one CURVE
 * round trip, one commit. */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H
#include "sto_err.h"

struct bench_limit {
    double events_per_s; /* over all batches */
    double by_size[16];  /* events/s of batches of 1, 2.., 4.., 8.. events; 0 = there was none */
};
/* Writes the captured batches into a fresh private PostgreSQL in dir. */
int bench_limit_replay(const char *dir, const char *home, const char *capture,
                       struct bench_limit *out, struct sto_err *err);
/* For batches of so many events: of their size, or the nearest size that there was. */
double bench_limit_at(const struct bench_limit *l, double batch_events);
double bench_curve_round_trip_ms(void);  /* median of 2,000 */
double bench_commit_ms(const char *dsn); /* median of 500 one-row commits */
#endif
