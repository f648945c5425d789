/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Writes captured batches straight into a fresh database of the same schema: same statements, same
 * parameters, same batch sizes, one connection, one batch after the other. What it reaches is the
 * limit of the benchmark. The dsn's role must own the tables (it sets the shards' owners).
 */
#ifndef STORE_REPLAY_H
#define STORE_REPLAY_H
#include "sto_err.h"
#include <stdint.h>

#define REPLAY_SIZES 11 /* batches of 1, 2.., 4.., … 1,024 events */

struct store_replay_stats {
    uint64_t batches, events, bytes;
    double seconds; /* of the batches alone */
    struct {
        uint64_t batches, events;
        double seconds;
    } by_size[REPLAY_SIZES];
};
int store_pg_replay(const char *path, const char *dsn, struct store_replay_stats *out,
                    struct sto_err *err);
#endif
