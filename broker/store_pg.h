/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The store on PostgreSQL: one commit connection in pipeline mode (one batch = BEGIN, guard, one
 * unnest statement for each table, COMMIT, one Sync), one connection for loads, one to the key
 * database. Non-blocking; the shell polls its descriptors.
 *
 * Outcome of a COMMIT: mechanisms of docs/explanation/commit.md. A commit connection that ended in
 * doubt is never used again.
 */
#ifndef STORE_PG_H
#define STORE_PG_H
#include "store.h"
#include <poll.h>

#define STORE_FORMER_MAX 8
struct store_pg_options {
    const char *dsn;      /* data database, role saatto_core */
    const char *keys_dsn; /* key database */
    uint64_t core_id;
    const uint64_t *former_core_ids; /* of cores that are known to have ended: their shards need not
                                        wait for a last heartbeat to age; 0 = none. Copied */
    unsigned n_former;               /* at most STORE_FORMER_MAX */
    int commit_timeout_ms;           /* client side, 15,000: then in doubt */
    bool capture; /* keep a copy of every committed batch's parameters in capture_path, for bench
                     `limit` */
    const char *capture_path;
};
/* Connects (blocking, connect_timeout 5), asserts durability and logging settings (STO_E_DURABILITY
 * names the setting and its value), prepares. */
int store_pg_new(const struct store_pg_options *options, store_t **out, struct sto_err *err);
/* Descriptors to poll and the events wanted; returns how many (<= 3). */
unsigned store_pg_pollfds(store_t *self, struct pollfd *fds, unsigned cap);
/* Call after poll (and at least every 100 ms): reads, writes, reconnects with backoff, times out.
 */
void store_pg_run(store_t *self, int64_t mono_us);
/* Config number now in the database, polled by store_pg_run each 500 ms; a rise becomes RX_CONFIG.
 * 0 = not known yet. */
uint64_t store_pg_config(const store_t *self);
/* Shards of the installation, known since store_pg_new. */
unsigned store_pg_shards(const store_t *self);
/* durability settings again (each minute); NULL = fine, else what changed: the shell then stops
 * acknowledging. */
const char *store_pg_unsafe(const store_t *self);
#endif
