/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A batch as SQL: one prepared statement for each table, the guard first, COMMIT last. Also decides
 * which delivered outbox rows leave with a batch. It encodes; store_pg_commit sends.
 */
#ifndef PG_BATCH_H
#define PG_BATCH_H
#include "pg_link.h"
#include "pg_params.h"
#include "store.h"

enum pg_batch_statement {
    PG_BEGIN,
    PG_GUARD,
    PG_EVENT,
    PG_CASE_NEW,
    PG_CASE,
    PG_LEDGER,
    PG_OUTBOX,
    PG_OUTBOX_HEAD,
    PG_CURSOR,
    PG_INBOX,
    PG_MAIL,
    PG_MAIL_HEAD,
    PG_MAIL_IN,
    PG_DEAD,
    PG_REDRIVEN,
    PG_CLOCK,
    PG_TRIM_OUTBOX,
    PG_TRIM_MAIL,
    PG_COMMIT,
    PG_BATCH_STATEMENTS, /* those before are captured and replayed */
    PG_ROLLBACK = PG_BATCH_STATEMENTS,
    PG_OWNERS,
    PG_FENCE,
    PG_BEAT,
    PG_SETTLED,
    PG_COMMIT_LINK_STATEMENTS
};
/* All that the commit link prepares; a NULL row ends it. */
extern const struct pg_statement pg_batch_statements[PG_COMMIT_LINK_STATEMENTS + 1];

/* Rows of one (shard, organisation) between `from` and `upto` are acknowledged and may go. */
struct pg_trim {
    uint16_t shard, org;
    uint64_t from, upto, next; /* next: `from` after the batch that is under way */
};

struct pg_batch {
    struct pg_params params;
    struct pg_trim *trims;
    unsigned n_trims, cap_trims;
    void *scratch;
    size_t cap_scratch;
};
void pg_batch_release(struct pg_batch *b);
void pg_batch_encode(struct pg_batch *b, const struct batch *batch, uint64_t core);
/* After DURABLE: acknowledged rows of this batch may leave with the next. */
void pg_batch_committed(struct pg_batch *b, const struct batch *batch);
/* A fresh owner: what its shard's cursors allow to go. */
void pg_batch_took_over(struct pg_batch *b, const struct shard_head *head);

#endif
