/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The store: six requests and no SQL above them. Two implementations:
 * store_pg (libpq pipeline) and the model store of tests/sim (with faults).
 *
 * The store is asynchronous: the reactor puts out requests, the shell hands
 * them to the store, results come back as reactor inputs in any order, COMMITs
 * one at a time (the next COMMIT is put out only when the last one's result is
 * in). A request is one malloc block; all it points at belongs to its arena. The
 * store takes both and frees them with store_request_destroy() when it needs them
 * no more; the reactor never looks at a request again after it was put out.
 *
 * The batch of a SETTLE is no copy of the one in doubt: it holds its shards with
 * epochs and, as events[0], its first event of its lowest shard (n_events 1), or
 * no event (n_events 0: then settled_committed is false). SETTLE raises the epoch
 * of those shards that still stand at the batch's epoch, core staying the same,
 * and reports all of them in owners[]; settling the same batch again is allowed.
 *
 * Outcomes, request by request:
 *   COMMIT     DURABLE | FENCED (fenced_shards, owners) | RETRY | POISON | UNKNOWN.
 *              The session is clean again when the result comes.
 *   SETTLE     OK (settled_committed, owners) | RETRY: ask again. An owner other
 *              than this core: the shard is lost (guard() checks the core too).
 *   TAKE_OVER  OK (head) | FENCED: another core that is alive owns it (owners), try
 *              later | RETRY.
 *   others     OK | RETRY: ask again, with backoff.
 */
#ifndef STORE_H
#define STORE_H
#include "leaf.h"
#include "state.h"
#include <stdlib.h>

enum store_kind {
    STORE_TAKE_OVER = 1,
    STORE_COMMIT,
    STORE_SETTLE,
    STORE_LOAD,
    STORE_DUE,
    STORE_BACKLOG
};
enum store_outcome {
    STORE_OK = 0,
    STORE_DURABLE,
    STORE_FENCED,
    STORE_RETRY,
    STORE_POISON,
    STORE_UNKNOWN
};

struct blob {
    const uint8_t *p;
    uint32_t n;
};

/* row_event.kind beside enum event_kind: an operator sent a dead delivery again (no case's event:
 * case_seq 0, no fact) */
enum { ROW_REDRIVEN = 84 };

/* ---- rows of one batch; one table each, written by unnest arrays */
struct row_event {
    uint16_t shard;
    uint64_t idx;
    uint64_t epoch;
    struct sto_uuid case_id;
    uint32_t case_seq; /* 0 = refused or stored without effect on a state */
    uint8_t kind;
    int64_t ts_us;
    uint16_t org;
    uint8_t key[8];
    uint64_t stream, seq;
    uint8_t msg_hash[32]; /* org 0: the broker, stream 0 */
    uint16_t code;
    const char *answer; /* answer's text, "" when OK */
    struct blob fact;   /* fact_encode; empty when refused */
    struct blob ct;
    uint64_t dek; /* received body, encrypted; empty for the broker's own */
    uint8_t leaf[32];
    /* the leaf's inputs that no other column holds, so that a reader can recompute it */
    uint8_t evidence;
    uint8_t config_hash[32];
    uint8_t key_commitment[32];
};
struct row_case { /* upsert: state after the batch */
    uint16_t shard;
    struct sto_uuid case_id;
    uint8_t aggregate; /* 0 case, 1 what cases share */
    uint32_t seq;
    int32_t wake_h;      /* hours since 1970, INT32_MAX = never */
    int64_t next_due_us; /* not a column with an index; for the model store and checks */
    bool open;
    bool is_new;
    uint16_t holder_org, holder_desk;
    uint8_t workflow[32];
    const char *workflow_id;
    struct sto_uuid client;
    bool once;            /* a client's: counts for DUPLICATE_CASE and the lead case */
    struct blob skeleton; /* state_encode or shared_encode */
    struct blob data_ct;
    uint64_t dek;
};
struct row_ledger {
    uint16_t shard;
    struct sto_uuid case_id;
    uint32_t n;
    int64_t since_us;
    uint16_t org, desk; /* org 0 = closed */
    uint64_t event_idx;
    int64_t prev_since_us; /* n 0: unused */
};
struct row_outbox {
    uint16_t shard, org;
    uint64_t seq;
    struct sto_uuid case_id;
    uint8_t kind;
    uint32_t categories;
    const char *purpose;
    uint16_t basis_id, basis_ver;
    struct blob ct;
    uint64_t dek;
    int64_t queued_us;
};
struct row_cursor {
    uint16_t shard, org;
    uint64_t acked;
};
struct row_inbox {
    uint16_t shard, org;
    uint64_t stream, last;
};
struct row_mail {
    uint16_t src, dst;
    uint64_t seq;
    struct blob body;
};
struct row_mail_in {
    uint16_t dst, src;
    uint64_t upto;
};
struct row_dead {
    uint16_t shard, org;
    uint64_t seq;
    const char *why;
    bool redriven;
}; /* moves the outbox row to `dead`; redriven: marks it done */

struct batch {
    uint64_t number; /* of this core, for logs */
    struct {
        uint16_t shard;
        uint64_t epoch;
    } shards[STO_SHARDS_MAX];
    uint16_t n_shards; /* ascending */
    uint64_t config;
    struct row_event *events;
    uint32_t n_events; /* idx gapless for each shard, ascending by shard then idx */
    struct row_case *cases;
    uint32_t n_cases; /* one for each case */
    struct row_ledger *ledger;
    uint32_t n_ledger;
    struct row_outbox *outbox;
    uint32_t n_outbox;
    struct row_cursor *cursors;
    uint32_t n_cursors;
    struct row_inbox *inbox;
    uint32_t n_inbox;
    struct row_mail *mails;
    uint32_t n_mails;
    struct row_mail_in *mails_in;
    uint32_t n_mails_in;
    struct row_dead *dead;
    uint32_t n_dead;
    int64_t clock_us; /* manual clock's new time, 0 = unchanged */
    bool trim;        /* also delete outbox rows <= acked, mails <= upto */
};

/* ---- requests */
enum load_what {
    LOAD_CASES = 1,
    LOAD_CONFIG,
    LOAD_WORKFLOW,
    LOAD_ANSWERS,
    LOAD_KEYS,
    LOAD_DEAD,
    LOAD_COUNTS /* open cases of a shard */
};
struct answer_key {
    uint16_t shard, org;
    uint64_t stream, seq;
};
struct store_request {
    enum store_kind kind;
    uint64_t tag;        /* comes back in the result */
    sto_arena_t *arena;  /* owns everything below; may be NULL for small requests */
    uint16_t shard;      /* TAKE_OVER, DUE, BACKLOG, LOAD_COUNTS */
    struct batch *batch; /* COMMIT; SETTLE: the batch in doubt */
    enum load_what what; /* LOAD */
    struct sto_uuid *ids;
    uint32_t n_ids; /* LOAD_CASES */
    struct sto_uuid *clients;
    uint32_t n_clients;   /* LOAD_CASES: also open `once` cases of these clients */
    uint8_t workflow[32]; /* LOAD_WORKFLOW */
    struct answer_key *answers;
    uint32_t n_answers; /* LOAD_ANSWERS: of duplicates */
    uint32_t n_keys;    /* LOAD_KEYS: take so many fresh keys from the pool */
    uint16_t org;
    uint64_t after;
    uint32_t limit;  /* BACKLOG: outbox rows of (shard, org) with seq > after. LOAD_DEAD: org 0 =
                        all; after 0 = all, else seq in shard */
    int32_t until_h; /* DUE: open cases and aggregates with wake_h <= until_h */
};

static inline void store_request_destroy(struct store_request **self_p)
{
    if (*self_p) {
        sto_arena_destroy(&(*self_p)->arena);
        free(*self_p);
        *self_p = NULL;
    }
}

/* ---- results; memory lives in `arena`, owned by the result, destroyed by the shell after the step
 */
struct loaded_case {
    struct sto_uuid id;
    bool found;
    struct row_case row;
    uint8_t key[32];
    bool has_key;
};
struct loaded_client {
    struct sto_uuid client;
    struct sto_uuid case_id;
    const char *workflow_id;
};
struct loaded_answer {
    struct answer_key key;
    bool found;
    uint8_t msg_hash[32];
    uint16_t code;
    const char *answer;
    uint8_t leaf[32];
};
struct loaded_key {
    uint64_t id;
    uint8_t key[32];
};
struct loaded_backlog {
    uint64_t seq;
    struct sto_uuid case_id;
    uint8_t kind;
    uint32_t categories;
    const char *purpose;
    uint16_t basis_id, basis_ver;
    struct blob ct;
    uint64_t dek;
    uint8_t key[32];
    bool has_key;
};
struct loaded_file {
    const char *name;
    struct blob text;
};
struct loaded_workflow {
    uint8_t hash[32];
    const char *id;
    uint32_t version;
    bool newest;
    struct loaded_file cfg, texts;
};
struct loaded_orgkey {
    char public_key[41]; /* Z85 */
    uint16_t org;
    bool is_operator;
    bool revoked;
};
struct shard_head { /* TAKE_OVER: all that a fresh owner must know of its shard */
    uint16_t shard;
    uint64_t epoch, config;
    uint32_t incarnation;
    uint64_t next_idx;
    int64_t last_us;
    struct row_inbox *inbox;
    uint32_t n_inbox; /* watermarks of all streams */
    struct row_cursor *cursors;
    uint32_t n_cursors; /* acked of each org */
    struct row_cursor *heads;
    uint32_t n_heads; /* last outbox seq of each org (acked field = seq) */
    struct row_mail *mails;
    uint32_t n_mails; /* to this shard, not yet taken in */
    struct row_mail_in *mails_in;
    uint32_t n_mails_in;
    struct row_mail_in *mails_out;
    uint32_t n_mails_out; /* last seq sent (dst, src = this shard, upto = seq) */
};
struct store_result {
    enum store_kind kind;
    uint64_t tag;
    enum store_outcome outcome;
    sto_arena_t *arena;
    char sqlstate[6];
    const char *message;                         /* of a failure */
    uint64_t fenced_shards[STO_SHARDS_MAX / 64]; /* FENCED: bits */
    bool settled_committed; /* SETTLE: the batch stands in the log. SETTLE has raised epoch of all
                               its shards */
    struct shard_head head; /* TAKE_OVER, outcome OK */
    struct {
        uint16_t shard;
        uint64_t epoch, config;
        uint32_t incarnation;
        uint64_t core;
    } owners[STO_SHARDS_MAX];
    uint16_t n_owners; /* FENCED, SETTLE: shard rows as they stand */
    struct loaded_case *cases;
    uint32_t n_cases;
    struct loaded_client *clients;
    uint32_t n_clients;
    struct loaded_answer *answers;
    uint32_t n_answers;
    struct loaded_key *keys;
    uint32_t n_keys;
    struct loaded_backlog *backlog;
    uint32_t n_backlog; /* also LOAD_DEAD (then `dead` holds org and shard) */
    struct row_dead *dead;
    uint32_t n_dead;
    struct sto_uuid *due;
    uint32_t n_due;                    /* DUE: ids */
    uint64_t n_open, n_without_holder; /* LOAD_COUNTS */
    /* LOAD_CONFIG */
    uint64_t config;
    uint16_t n_shards; /* of the installation; reactor_options.n_shards 0 means: this */
    const char *network_id;
    struct loaded_file *network;
    uint32_t n_network;
    struct loaded_workflow *workflows;
    uint32_t n_workflows; /* LOAD_CONFIG: newest of each id; LOAD_WORKFLOW: the one */
    struct loaded_orgkey *orgkeys;
    uint32_t n_orgkeys;
    bool manual_clock;
    int64_t clock_us;
    uint8_t config_hash[32];
};

/* What a store is to the shell. */
typedef struct store store_t;
struct store_ops {
    /* Takes the request (consumed) and starts it; never blocks on the network for COMMIT. */
    void (*submit)(store_t *self, struct store_request *req);
    /* Next finished result, or false. The caller owns *out and its arena. */
    bool (*poll)(store_t *self, struct store_result *out);
    void (*destroy)(store_t **self_p);
};
struct store {
    const struct store_ops *ops;
};

#endif
