/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One connection to PostgreSQL in pipeline mode, never blocking: connects, prepares its statements,
 * carries one job at a time (some queries and one Sync) and comes back after a loss with backoff.
 * It knows nothing of batches. A connection that was lost or discarded is never used again: the
 * next job has a new session.
 */
#ifndef PG_LINK_H
#define PG_LINK_H
#include "pg_params.h"
#include "sto_err.h"
#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define PG_LINK_WHY_BYTES 512

enum pg_link_state {
    PG_LINK_DOWN,
    PG_LINK_CONNECTING,
    PG_LINK_PREPARING,
    PG_LINK_READY,
    PG_LINK_BUSY
};

struct pg_statement {
    const char *name;
    const char *sql;
};

/* What the owner of a job hears. Queries count from 0 in the order they were sent. */
struct pg_job {
    void (*result)(void *arg, unsigned query, const PGresult *r); /* rows, command or error */
    void (*done)(void *arg, bool lost);                           /* Sync came, or the link died */
    void *arg;
};

struct pg_link {
    const char *label; /* for logs: "commit" */
    char *dsn;
    const struct pg_statement *statements; /* prepared on each new session; sql NULL ends */
    PGconn *conn;
    enum pg_link_state state;
    struct pg_job job;
    unsigned query;
    bool unsent;        /* PQflush left bytes behind: POLLOUT is wanted */
    bool doubt_warning; /* a notice 01000 or 57P01 came in this job */
    int64_t deadline_us, retry_us, backoff_us, idle_look_us;
    char why[PG_LINK_WHY_BYTES]; /* of the last loss */
};

/* dsn: copied and completed by the settings of a careful client, unless it gives them itself. */
int pg_link_init(struct pg_link *l, const char *label, const char *dsn,
                 const struct pg_statement *statements, struct sto_err *err);
void pg_link_release(struct pg_link *l);

/* Reads, writes, connects, times out; calls the job's functions. */
void pg_link_run(struct pg_link *l, int64_t mono_us);
/* false: nothing to poll now. */
bool pg_link_pollfd(const struct pg_link *l, struct pollfd *out);
/* A job may begin. Looks first whether the server has ended the session: better now than in doubt.
 */
bool pg_link_ready(struct pg_link *l);
/* Down, and the last attempt failed: whoever waits for it should be told. */
bool pg_link_hopeless(const struct pg_link *l);

/* Begins a job; the link must be READY. Queries are then sent, pg_link_send ends it. */
void pg_link_begin(struct pg_link *l, const struct pg_job *job, int64_t deadline_us);
/* Sends calls of the link's own statements; parameters and results are binary. */
void pg_link_calls(struct pg_link *l, const struct pg_params *p);
void pg_link_send(struct pg_link *l);
/* Ends the session without a word to the job. */
void pg_link_discard(struct pg_link *l, const char *why);

/* The same on a connection that is no link's. */
void pg_calls_send(PGconn *conn, const struct pg_statement *statements, const struct pg_params *p);
/* Connection parameters of a dsn completed as for a link; for clients that may block. */
PGconn *pg_connect(const char *dsn, struct sto_err *err);
#endif
