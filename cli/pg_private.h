/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A private PostgreSQL for development, tests and benchmarks: its own data folder, a Unix socket in
 * a folder that only its user can enter, no TCP, trust on that socket. It is a child of the caller
 * and ends with it; its commits are as durable as any other server's. Started by root it runs as
 * the user `postgres`, since the server refuses root.
 */
#ifndef PG_PRIVATE_H
#define PG_PRIVATE_H
#include "sto_err.h"
#include <stdbool.h>
#include <sys/types.h>

struct pg_private_options {
    const char *dir; /* data/, s/ (socket) and postgres.log stand in it; made if missing, used again
                        if not empty */
    const char *sql_dir;         /* the schema; NULL = deploy/sql of the program's tree */
    unsigned shared_buffers_mib; /* 0 = 128 */
    unsigned shards;             /* of a new installation; 0 = 4 */
    bool manual_clock;           /* of a new installation */
    const char *const
        *settings; /* more server settings "name=value", NULL-terminated; may be NULL */
};

enum pg_private_database { PG_PRIVATE_DATA, PG_PRIVATE_KEYS };

struct pg_private;
/* Makes the cluster if there is none, starts it, waits until it answers, applies the schema. */
int pg_private_start(const struct pg_private_options *options, struct pg_private **out,
                     struct sto_err *err);
/* Fast shutdown, reaped; removes the socket's folder if that stood elsewhere. NULL does no harm. */
void pg_private_stop(struct pg_private **self_p);
/* libpq connection string for a role: "saatto_core", "saatto_deploy", "saatto_read", or
   "saatto_admin" (superuser). Belongs to *self and lives as long. */
const char *pg_private_dsn(struct pg_private *self, enum pg_private_database database,
                           const char *role);
pid_t pg_private_pid(const struct pg_private *self);

/* ---- also for servers that somebody else runs */

/* Applies sql_dir/NNN-*.sql in order, each in a transaction, and remembers number, name and SHA-256
   in schema_version. Applied before: nothing; applied with other contents: STO_E_DIFFERENT. */
int pg_schema_apply(const char *admin_dsn, const char *sql_dir, struct sto_err *err);
/* The installation's row and its shards, unless they are there; other shards: STO_E_DIFFERENT. */
int pg_schema_install(const char *admin_dsn, unsigned shards, bool manual_clock,
                      struct sto_err *err);

#endif
