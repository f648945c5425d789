/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Replaying the log: facts are evolved into states, leaves recomputed from the rows, sequences
 * counted; then all is compared with what the database says of cases, ledger, inbox, outbox and
 * mail, inside one snapshot for each page. Uses evolve only: it needs no contents and no keys.
 */
#ifndef AUDIT_H
#define AUDIT_H
#include "audit_items.h"
#include "cases.h"

#define AUDIT_KEPT_MAX 100 /* differences that are told; the rest is counted */

struct audit_difference {
    int shard;   /* -1 = none */
    int64_t idx; /* 0 = none */
    struct sto_uuid case_id;
    char what[256];
};
struct audit_stream {
    unsigned org;
    uint64_t stream, last;
};
struct audit {
    struct reading r;
    audit_items_t *items; /* of one shard at a time */
    sto_arena_t *arena;   /* of one fact */
    struct case_state before, after;
    struct shared_state *session;
    struct audit_stream *streams; /* of one shard */
    size_t n_streams;
    uint64_t next_idx;
    int64_t last_ts_us;
    bool whole; /* a whole shard: idx gapless, inbox counted */
    unsigned shard;

    uint64_t events, refused, leaves, cases, sessions, ledger_points, bytes;
    struct audit_difference kept[AUDIT_KEPT_MAX];
    uint64_t differences;
};

void audit_differ(struct audit *a, int64_t idx, const struct sto_uuid *id, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* audit_event.c: one row of the log. Columns of AUDIT_EVENT_COLUMNS. */
#define AUDIT_EVENT_COLUMNS                                                                        \
    "e.idx, e.epoch, e.case_id, e.case_seq, e.kind, e.ts, e.org, e.key, e.stream, e.seq, "         \
    "e.msg_hash, e.code, e.fact, "                                                                 \
    "sha256(e.ct), e.evidence, e.config_hash, e.key_commitment, e.leaf, c.aggregate"
void audit_event(struct audit *a, const PGresult *r, int row);
/* audit_compare.c: a page of rows against what the log led to. */
int audit_compare_cases(struct audit *a, const PGresult *rows);
int audit_compare_ledger(struct audit *a, const PGresult *rows, const PGresult *ledger);
int audit_compare_shard(struct audit *a,
                        struct sto_err *err); /* inbox, outbox, mail of the shard */

#endif
