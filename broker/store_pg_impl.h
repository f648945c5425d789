/* SPDX-License-Identifier: EUPL-1.2 */
/* Insides of the store on PostgreSQL, shared by its files; nobody else includes this. */
#ifndef STORE_PG_IMPL_H
#define STORE_PG_IMPL_H
#include "capture.h"
#include "pg_batch.h"
#include "pg_link.h"
#include "store_pg.h"

#define STORE_QUEUE_MAX     4096u /* requests that wait; the reactor's own limits lie far below */
#define STORE_RESULTS_BYTES (512u << 20)
#define KEY_CACHE_SLOTS     4096u /* power of two; a taken key is wanted again within seconds */
#define LOAD_TIMEOUT_US     (15 * STO_US_PER_SEC)
#define SETTINGS_SQL                                                                               \
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes',"            \
    " 'data_sync_retry', 'data_checksums', 'synchronous_commit', 'wal_level', 'log_statement',"    \
    " 'log_parameter_max_length', 'log_parameter_max_length_on_error', 'server_version_num')"

struct request_queue {
    struct store_request *v[STORE_QUEUE_MAX];
    unsigned head, n;
};
void queue_push(struct request_queue *q, struct store_request *r);
struct store_request *queue_pop(struct request_queue *q); /* NULL: empty */

/* The request that a link works on, and its result as it grows. */
struct work {
    struct store_request *request; /* NULL: none */
    struct store_result result;
    unsigned step;
    bool failed; /* outcome is set by an error, or rows could not be kept */
};

struct key_slot {
    uint64_t id; /* 0: empty */
    uint8_t key[32];
};

struct check { /* of one server's settings */
    char unsafe[256];
    bool known;
};

struct store_pg {
    struct store base; /* first: store_t is this */
    uint64_t core_id, former_core_ids[STORE_FORMER_MAX];
    int64_t commit_timeout_us, now_us;
    char host[65];
    uint16_t n_shards;
    struct pg_link commit, load, keys;

    struct request_queue commits, loads;
    struct work writing, loading;
    struct pg_batch batch;
    bool tag_commit, tag_seen;
    struct capture *capture;

    struct key_slot *key_cache;
    uint64_t *wanted_keys; /* ids to look up for the load under way */
    uint32_t n_wanted_keys, cap_wanted_keys;

    uint64_t config;
    int64_t next_beat_us, next_check_us;
    bool beat_failed, former_gone, beaten;
    struct check data_check, keys_check;
    bool checks_due;

    struct store_result *results; /* finished, in order */
    unsigned n_results, cap_results, first_result;
    struct store_request *handed_over; /* of the result last polled: freed at the next turn */
};

static inline struct store_pg *store_pg_of(store_t *s)
{
    return (struct store_pg *)(void *)s;
}

/* The work is finished: its result joins the queue, its request is freed after the reactor's step.
 */
void work_finish(struct store_pg *s, struct work *w, enum store_outcome outcome);
void work_begin(struct work *w, struct store_request *r);
/* Records an error result of the server: sqlstate and message. */
void work_error(struct work *w, const PGresult *r);
/* Memory of the result; NULL past its cap (the work then fails as RETRY). */
void *work_alloc(struct work *w, size_t bytes);
const char *work_text(struct work *w, const char *text);

/* store_pg_commit.c: COMMIT and SETTLE on the commit link. */
void commit_run(struct store_pg *s);
/* How an SQLSTATE that ended a batch is to be taken. */
enum store_outcome commit_outcome(const char *sqlstate);

/* store_pg_load.c: all the rest, one at a time, on the load link. */
enum load_statement {
    LD_BEGIN,
    LD_BEGIN_READ, /* one snapshot over several statements */
    LD_COMMIT,
    LD_ROLLBACK,
    LD_TAKE,
    LD_OWNER,
    LD_HEAD_SHARD,
    LD_HEAD_EVENT,
    LD_HEAD_INBOX,
    LD_HEAD_CURSORS,
    LD_HEAD_HEADS,
    LD_HEAD_MAILS,
    LD_HEAD_MAILS_IN,
    LD_HEAD_MAILS_OUT,
    LD_CASES,
    LD_CLIENTS,
    LD_ANSWERS,
    LD_DUE,
    LD_BACKLOG,
    LD_DEAD,
    LD_COUNTS,
    LD_CONFIG_INSTALLATION,
    LD_CONFIG_NETWORK,
    LD_CONFIG_WORKFLOWS,
    LD_CONFIG_KEYS,
    LD_WORKFLOW,
    LD_BEAT,
    LD_FORMER,
    LD_CONFIG_NUMBER,
    LD_SETTINGS,
    LD_STATEMENTS
};
extern const struct pg_statement load_statements[LD_STATEMENTS + 1];
void load_run(struct store_pg *s);
/* Sends calls as one job of the load under way; result and done are the step's. */
void load_send(struct store_pg *s, const struct pg_params *p,
               void (*result)(void *, unsigned, const PGresult *), void (*done)(void *, bool));
/* The load under way ends: OK, or RETRY when it failed or the link was lost. */
void load_finish(struct store_pg *s, bool lost);

/* store_pg_head.c */
void head_start(struct store_pg *s); /* TAKE_OVER */
/* store_pg_config.c */
void config_start(struct store_pg *s);
void workflow_start(struct store_pg *s);
void owners_from(struct store_result *res, const PGresult *r); /* rows of PG_OWNERS or LD_OWNER */

/* store_pg_keys.c: the key database. */
enum key_statement { KEY_LOOK_UP, KEY_TAKE, KEY_ADD, KEY_SETTINGS, KEY_STATEMENTS };
extern const struct pg_statement key_statements[KEY_STATEMENTS + 1];
void keys_want(struct store_pg *s, uint64_t id);
/* Looks wanted keys up, then calls load_keys_known. */
void keys_look_up(struct store_pg *s);
bool keys_cached(const struct store_pg *s, uint64_t id, uint8_t key[32]);
void keys_take(struct store_pg *s); /* LOAD_KEYS */
void load_keys_known(struct store_pg *s, bool failed);

/* store_pg_watch.c: heartbeat, configuration number, settings of the servers. */
void watch_run(struct store_pg *s);

/* Values of a binary result. */
int16_t pg_int2(const PGresult *r, int row, int column);
int32_t pg_int4(const PGresult *r, int row, int column);
int64_t pg_int8(const PGresult *r, int row, int column);
int64_t pg_time_us(const PGresult *r, int row, int column);
bool pg_bool(const PGresult *r, int row, int column);
void pg_uuid(const PGresult *r, int row, int column, struct sto_uuid *out);
void pg_fixed(const PGresult *r, int row, int column, uint8_t *out, int bytes);
struct blob pg_blob(struct work *w, const PGresult *r, int row, int column);
const char *pg_text(struct work *w, const PGresult *r, int row, int column);
/* "sqlstate" of an error result; "XX000" if it has none. */
const char *pg_sqlstate(const PGresult *r);

#endif
