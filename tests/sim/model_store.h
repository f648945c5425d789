/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The model store: a database in memory with the row locks of the guard, a commit
 * point, commits whose acknowledgement is lost, that never happen, or that land after
 * the client was told "in doubt". Several connections (cores) share one model. Every
 * constraint that the schema holds is checked at the commit point.
 */
#ifndef MODEL_STORE_H
#define MODEL_STORE_H
#include "sched.h"
#include "store.h"
#include "table.h"

enum fate {
    FATE_NONE,
    FATE_DURABLE,
    FATE_RETRY,
    FATE_POISON,
    FATE_DOUBT_COMMITTED,
    FATE_DOUBT_LOST,
    FATE_DOUBT_LATER
};

struct model_case {
    struct sto_uuid id;
    struct row_case row;
}; /* row: deep copy */
struct model_queue {
    struct row_outbox *v;
    uint32_t n, cap;
    uint64_t head, acked;
};
struct model_shard {
    uint64_t core, epoch;
    struct row_event *events;
    uint32_t n_events, cap_events; /* idx = position + 1 */
    int64_t last_us;
    const void *locked_by; /* transaction that holds the guard's row lock */
};
struct model_key {
    uint64_t id;
    uint8_t key[32];
};

/* Planted faults of the database, to test the test: each must be found. */
enum plant {
    PLANT_NONE,
    PLANT_NO_GUARD,
    PLANT_LOST_IS_DURABLE,
    PLANT_SETTLE_SAYS_COMMITTED,
    PLANT_SETTLE_SAYS_LOST,
    PLANT_NO_ROW_LOCK,
    PLANT_RETRY_COMMITS,
    PLANT_WATERMARK_LOST,
    PLANT_MAIL_TWICE,
    PLANT_WAKE_LATE,
    PLANT_OTHER_ANSWER,
    PLANTS
};
extern const char *const plant_names[PLANTS];

/* Marks: things that must have happened over a run of seeds, lest the run be vacuous. */
enum model_mark {
    MARK_FENCED_OWNER,
    MARK_FENCED_CONFIG,
    MARK_RETRY,
    MARK_POISON,
    MARK_PARKED,
    MARK_DOUBT_COMMITTED,
    MARK_DOUBT_LOST,
    MARK_DOUBT_LATER,
    MARK_SETTLE_COMMITTED,
    MARK_SETTLE_LOST,
    MARK_SETTLE_FAILED,
    MARK_TAKEOVER_DURING_COMMIT,
    MARK_STALE_OWNER,
    MARK_LOAD_FAILED,
    MARK_GAP,
    MARK_BUSY,
    MARK_NOT_OWNER,
    MARK_HELLO_REQUIRED,
    MARK_DUPLICATE_ANSWERED,
    MARK_ALTERED,
    MARK_ALREADY_STARTED,
    MARK_DUPLICATE_CASE,
    MARK_LATE,
    MARK_REFUSED,
    MARK_CREDIT_EXHAUSTED,
    MARK_BACKLOG,
    MARK_DEFERRED,
    MARK_DEAD,
    MARK_REDRIVEN,
    MARK_REDELIVERED,
    MARK_CLOCK_FIRED,
    MARK_RESTARTED_EVENT,
    MARK_MAIL,
    MARK_MAIL_AFTER_RESTART,
    MARK_TAKEN_OVER,
    MARK_CASE_CLOSED,
    MARK_CLOCK_ADVANCED,
    MARK_CONFIG_CHANGED,
    MARKS
};
extern const char *const mark_names[MARKS];

struct model {
    struct rng *rng;
    struct sched *sched;
    unsigned n_shards;
    sto_arena_t *arena;
    struct model_shard shard[STO_SHARDS_MAX];
    struct table cases;                          /* struct model_case */
    struct model_queue queue[STO_SHARDS_MAX][8]; /* by organisation number, < 8 here */
    struct row_inbox *inbox;
    uint32_t n_inbox, cap_inbox;
    struct row_mail *mails;
    uint32_t n_mails, cap_mails;
    uint64_t mail_head[16][16], mail_upto[16][16]; /* [src][dst] */
    struct row_ledger *ledger;
    uint32_t n_ledger, cap_ledger;
    struct {
        struct row_dead d;
        struct row_outbox row;
        bool done;
    } * dead;
    uint32_t n_dead, cap_dead;
    uint64_t config;
    uint64_t next_key;
    struct table keys; /* struct model_key */
    bool manual_clock;
    int64_t clock_us;
    struct sto_uuid poison_case; /* events of it cannot be stored, but as parked */
    bool poison_parked;          /* not even that */
    enum plant plant;
    const char *network_text; /* instead of sim_network */
    /* faults, per mille */
    unsigned p_retry, p_doubt_committed, p_doubt_lost, p_doubt_later, p_load_fails, p_settle_fails;
    enum fate script[32];
    unsigned n_script; /* fates of the next commits, first first */
    int64_t commit_us; /* 0: drawn */
    char violation[256];
    uint64_t marks[MARKS];
    uint64_t n_commits;
};
struct model *model_new(struct rng *rng, struct sched *sched, unsigned n_shards);
void model_destroy(struct model **self_p);

/* A core's connection. `ready` is called when a result can be polled. */
store_t *model_connect(struct model *m, uint64_t core, sched_fn *ready, void *arg);
/* The core died: what it waited for is dropped; a commit under way may still land. */
void model_disconnect(store_t **conn_p);

const struct row_case *model_case(const struct model *m, const struct sto_uuid *id);
bool model_key(const struct model *m, uint64_t dek, uint8_t out[32]);
void model_violate(struct model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Everything that can be checked on the rows alone: ledger, sequences, replay, leaves, contents. */
void model_check(struct model *m);
/* After healing: nothing is left undone at domain time now_us. */
void model_check_idle(struct model *m, int64_t now_us);

#endif
