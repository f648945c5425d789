/* SPDX-License-Identifier: EUPL-1.2 */
/* A private PostgreSQL in a temporary folder, stores on it, and plain connections beside them. */
#ifndef FIXTURE_H
#define FIXTURE_H
#include "made.h"
#include "pg_private.h"
#include "store_pg.h"
#include <libpq-fe.h>

struct fixture {
    char dir[256];
    struct pg_private *pg;
    PGconn *admin; /* superuser on the data database */
};

/* Folder: under $SAATTO_TMP or /tmp. Ends the program with a message when it cannot. */
void fixture_start(struct fixture *f);
void fixture_stop(struct fixture *f);
/* A store as the role saatto_core. */
store_t *fixture_store(struct fixture *f, uint64_t core_id, int commit_timeout_ms,
                       const char *capture);
/* Turns the store until a result is there; at most 60 s. */
struct store_result store_wait(store_t *s);
/* submit and wait. */
struct store_result store_do(store_t *s, struct store_request *r);
struct store_request *request(enum store_kind kind);
/* Plain SQL; fails the test on an error. Returns the first value, "" if none, in a static buffer.
 */
const char *sql(PGconn *db, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Plain SQL that may fail: its SQLSTATE, "00000" if it did not. */
const char *sql_state(PGconn *db, const char *text);
PGconn *fixture_open(struct fixture *f, const char *role);

/* A store with all shards of the installation, and a maker of batches that knows their epochs. */
struct owner {
    store_t *store;
    struct maker *maker;
};
void owner_start(struct fixture *f, struct owner *o, uint64_t core_id, int commit_timeout_ms);
void owner_stop(struct owner *o);
/* Makes the maker go on from what the database says: after a batch that failed. */
void owner_again(struct owner *o);
/* Commits a batch of n events and returns its outcome. */
enum store_outcome owner_commit(struct owner *o, uint32_t n);
/* Process number of a backend of saatto_core once pg_stat_activity says `condition` of it; turns
   the store meanwhile. */
int waiting_backend(struct fixture *f, store_t *s, const char *condition);
#endif
