/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Insides of the reactor, shared by its files; nobody else includes this.
 *
 * Vocabulary
 *   kept      an input that stays until the batch it went into is durable
 *   lane      a stream of inputs that must be applied in order: (shard, org, stream) or mail (dst,
 * src) entry     a cached case or aggregate: LOADING, then READY; dirty while a batch that is not
 * durable changed it batch     `open` collects, `going` is being committed; on any failure both are
 * thrown away and their inputs applied again outq      the outbox of one organisation in one shard:
 * a window of rows in memory over the rows in the database
 *
 * A number that a batch moves stands three times: now (applied), going (in the batch under commit),
 * durable.
 */
#ifndef REACTOR_INTERNAL_H
#define REACTOR_INTERNAL_H
#include "content.h"
#include "reactor.h"
#include "saatto_codec.h"
#include "shared.h"
#include "table.h"

#define RX_RETRY_FIRST_US (50 * INT64_C(1000))
#define RX_RETRY_LAST_US  STO_US_PER_SEC
#define RX_TICK_US        STO_US_PER_SEC        /* trim, silence, horizon */
#define RX_SILENCE_US     (20 * STO_US_PER_SEC) /* a session without any frame is dead */
#define RX_OUTAGE_US      (600 * STO_US_PER_SEC)
#define RX_IDLE_US        (30 * STO_US_PER_SEC) /* manual clock: then the worker is named */
#define RX_BACK_US        (10 * STO_US_PER_SEC) /* manual clock: for a worker that was lost */
#define RX_FIRST_US       (3 * STO_US_PER_SEC)  /* manual clock: for one never heard of */
#define RX_COUNT_SHARE    100                   /* counting takes one in so many microseconds */
#define RX_KEYS_WANTED    4096u
#define RX_KEYS_LOW       1024u
#define RX_WINDOW_HOURS   2
#define RX_OUTQ_ROWS_MAX  1024u
#define RX_OUTQ_BYTES_MAX (16u << 20) /* of all rows in memory */
#define RX_BACKLOG_ROWS   256u
#define RX_FRAME_BYTES    60000u /* what we put into one frame, under STO_FRAME_BYTES_MAX */
#define RX_ARENA_BYTES    (64u << 20)
#define RX_KEPT_BYTES_MAX (16u << 20) /* bodies of kept inputs; beyond: BUSY */
#define RX_BUSY_RETRY_MS  200u

struct lane;
struct kept;
struct centry;
struct outq;

struct track {
    uint64_t now, going, durable;
};

struct lane_list {
    struct lane *first, *last;
};

/* ------------------------------------------------------------ inputs */

enum kept_kind {
    KEPT_EVENT = 1,
    KEPT_ALTERED /* same id, other bytes: an audit row */,
    KEPT_MAIL,
    KEPT_CLOCK,
    KEPT_RESTARTED,
    KEPT_REDRIVE
};
enum kept_where { KEPT_WAITING, KEPT_OPEN, KEPT_GOING };
struct kept {
    struct kept *prev, *next; /* all, in order of arrival */
    struct kept *lane_next;
    uint8_t kind, where;
    bool parked;
    uint16_t shard, org;
    uint64_t order;
    struct sto_uuid case_id;
    struct sto_uuid client; /* of a start */
    struct lane *lane;
    uint64_t seq;
    uint64_t session; /* who asked: ALTERED, REDRIVE */
    bool is_operator; /* EVENT: came with an operator's key */
    uint64_t stream;  /* ALTERED: of the message; its own lane is another */
    uint8_t key8[8];
    uint8_t msg_hash[32];
    uint8_t event;           /* enum event_kind, for rows without a fact */
    int64_t at2_us;          /* RESTARTED: outage began */
    struct redrive *redrive; /* REDRIVE */
    /* the answer, set when applied */
    uint16_t code;
    char *what; /* malloc; NULL = "" */
    uint8_t leaf[32];
    uint32_t n;
    uint8_t body[]; /* EVENT: received bytes; MAIL: mail_encode */
};

enum lane_kind {
    LANE_STREAM = 1,
    LANE_MAIL,
    LANE_SINGLE /* one input of the broker's own; freed with it */
};
struct lane_key {
    uint64_t stream;
    uint16_t shard, org /* MAIL: src */;
    uint32_t kind;
};
struct lane {
    struct lane_key key; /* first: the table's key */
    struct track applied;
    uint64_t taken;            /* >= applied.now: kept */
    struct kept *first, *last; /* waiting, by seq */
    uint64_t session;          /* who gets receipts: the last that spoke for this stream */
    uint32_t repeats;          /* whose answers are being read */
    struct lane *next;         /* in one list: run queue or somebody's waiters */
    bool listed;
    bool touched;                        /* in open batch's lanes */
    struct kept *done_first, *done_last; /* while receipts are made */
};

/* ------------------------------------------------------------- cache */

enum entry_phase { ENTRY_LOADING = 1, ENTRY_READY };
enum { DIRTY_OPEN = 1, DIRTY_GOING = 2 };
struct centry {
    struct sto_uuid id; /* first: the table's key */
    uint16_t shard;
    uint8_t phase, dirty;
    bool exists;     /* has a row, or will have with the batch */
    bool is_new;     /* its row is first written by the open batch */
    bool session;    /* aggregate */
    bool broken;     /* its row cannot be read */
    bool once;       /* a client's case: it stands in the list of the client's open ones */
    bool clock_kept; /* a clock input of it is kept */
    bool restarted;  /* got EVENT_RESTARTED since the takeover */
    uint16_t service;
    uint64_t load_tag;
    struct case_state *state;
    struct shared_state *ses;
    struct wf *wf;
    uint8_t *data; /* data_encode, plain */
    uint32_t n_data;
    uint64_t dek;
    uint8_t key[32];
    bool has_key;
    uint8_t commitment[32];
    struct blob skeleton_row, data_row; /* as they stand, in the open batch; NULL = changed since */
    int64_t heap_due;                   /* last pushed; INT64_MAX = none */
    int32_t wake_h;        /* as the store has it, or will have: may be too early, never too late */
    int64_t not_before_us; /* a clock that failed is not tried again before */
    struct lane_list waiters;
    struct centry *lru_prev, *lru_next; /* while clean and READY */
    bool in_lru;
};

/* Open cases of a client, while a start of it is kept: for once = "client" and the lead case. */
struct client_rec {
    struct sto_uuid id; /* first: the table's key */
    bool loaded;
    uint64_t load_tag;
    unsigned refs; /* kept starts */
    struct {
        struct sto_uuid case_id;
        char workflow[STO_NAME_BYTES_MAX + 1];
    } * open;
    unsigned n_open, cap_open;
};

/* ------------------------------------------------------------ shards */

enum shard_phase { SHARD_NONE, SHARD_TAKING, SHARD_OWNED, SHARD_LOST, SHARD_HOLD };
struct shard {
    uint16_t number;
    uint8_t phase;
    uint64_t epoch;
    uint32_t incarnation;
    struct track idx; /* next */
    int64_t last_us, last_going_us, last_durable_us;
    struct track *mail_out;                 /* [n_shards]: last seq sent to each */
    int32_t horizon_h;                      /* clocks up to the end of this hour are in the heap */
    int32_t asked_h;                        /* asked for; > horizon_h while under way */
    int64_t restart_from_us, restart_at_us; /* an outage: clocks due in it are lengthened; 0 */
    bool touched;                           /* by the open batch */
    bool trim;                              /* something can be deleted */
    bool uncounted;                         /* its cases changed since they were counted */
    uint64_t n_open, n_without_holder;      /* as last counted */
    uint64_t load_tag_min;                  /* loads with a lower tag are of a former life */
};

/* ------------------------------------------------------------ outbox */

enum row_phase { ROW_READY = 1, ROW_SENT, ROW_ACKED, ROW_DEFERRED };
struct orow {
    struct sto_uuid case_id;
    uint8_t phase;
    int64_t fresh_us; /* domain time at which its basis was evaluated; INT64_MIN = sent before, ask
                         again */
    uint8_t kind;
    int64_t again_mono_us; /* DEFERRED */
    uint32_t n;            /* 0 = nothing left that could be sent */
    uint8_t *p;            /* malloc; outbox_wrap */
    uint32_t sent_bytes;
};
struct outq {
    uint16_t shard, org;
    struct track head; /* last seq given */
    uint64_t acked;
    struct track saved; /* cursor as written; `now` unused */
    struct orow *rows;  /* ring: seq acked + 1 + i at (start + i) & (cap - 1) */
    unsigned start, n_rows, cap;
    unsigned in_flight, n_deferred;
    unsigned next_ready; /* no READY row before this index */
    uint64_t to;         /* session; 0 = none */
    bool loading;
    uint64_t load_tag, load_upto; /* backlog under way; durable head when it was asked for */
    bool touched;                 /* in open batch's outqs */
    uint64_t dead_head;
    unsigned dead_count;
    bool dying; /* a dead row is on its way into the database */
};
struct org {
    uint16_t number; /* first: the table's key */
    uint16_t unused_[3];
    struct outq **q;   /* [n_shards], each may be NULL */
    unsigned sessions; /* with credit */
    unsigned clock_sessions;
    /* manual clock */
    bool met;              /* had a session in this life */
    bool lost_clock;       /* what it lost took part in the clock */
    int64_t back_until_us; /* lost without BYE and waited for, machine time; 0 = not */
    bool dispatch;         /* listed for the end of the step */
    struct org *next_dispatch;
};

/* ---------------------------------------------------------- sessions */

struct peer_session {
    uint64_t id; /* first: the table's key */
    struct peer peer;
    char public_key[41];
    uint8_t key8[8];
    uint16_t org;
    bool is_operator, clock;
    uint64_t nonce, stream;
    uint32_t credit_messages, credit_bytes;
    uint32_t out_messages, out_bytes; /* in flight */
    uint32_t kept;                    /* inputs kept for it */
    int64_t heard_mono_us;
    uint64_t progress;
    bool idle, asked; /* manual clock */
    int64_t wake_us;
    int64_t not_idle_since_us;
};

/* ------------------------------------------------------------- batch */

#define VEC(type)                                                                                  \
    struct {                                                                                       \
        type *v;                                                                                   \
        uint32_t n, cap;                                                                           \
    }
struct pending_row {
    struct outq *q;
    uint64_t seq;
    struct orow row;
};
struct pending_mail {
    uint16_t src, dst;
    uint64_t seq;
    uint8_t *p; /* malloc */
    uint32_t n;
};
struct open_batch {
    uint64_t number;
    sto_arena_t *arena; /* becomes the request's */
    size_t bytes;
    VEC(struct row_event) events;
    VEC(struct row_ledger) ledger;
    VEC(struct row_outbox) outbox;
    VEC(struct row_mail) mails;
    VEC(struct row_dead) dead;
    VEC(struct kept *) inputs;
    VEC(struct centry *) dirty;
    uint32_t encoded; /* of dirty, ahead of the closing */
    VEC(struct lane *) lanes;
    VEC(struct outq *) outqs;     /* heads moved */
    VEC(struct outq *) cursors;   /* acks written */
    VEC(struct pending_row) rows; /* for memory, once durable */
    VEC(struct pending_mail) posts;
    int64_t clock_us;
    bool trim, mail_in;
    int64_t submitted_mono_us;
    struct batch *settle; /* what SETTLE needs; malloc */
    sto_arena_t *settle_arena;
};

enum commit_phase { COMMIT_FREE, COMMIT_UNDER_WAY, COMMIT_SETTLING, COMMIT_BACKOFF };

/* ------------------------------------------------------------ config */

struct wf {
    uint8_t hash[32]; /* first: the table's key */
    workflow_t *w;
    bool newest;
};
struct orgkey {
    char key[41];
    uint8_t key8[8];
    uint16_t org;
    bool is_operator, revoked;
};
struct shared_service {
    struct sto_uuid id;
    uint16_t service;
};
struct config {
    uint64_t number;
    network_t *net;
    struct table wfs;      /* struct wf */
    struct table keys;     /* struct orgkey */
    struct table services; /* struct shared_service */
    uint8_t hash[32];
    bool manual_clock;
};

/* ------------------------------------------------------------- clock */

struct due {
    int64_t at_us;
    struct sto_uuid id;
};
struct heap {
    struct due *v;
    size_t n, cap;
};

struct redrive {
    uint64_t tag;
    struct row_dead dead;
    struct loaded_backlog row;
    uint8_t *ct;
    char *purpose;
};
struct redrive_job {
    uint64_t tag, session;
    unsigned left, count;
    uint16_t org;
    uint8_t key8[8];
};

struct dup {
    struct lane *lane;
    uint64_t seq;
    uint8_t hash[32];
    uint8_t event;
    struct sto_uuid case_id;
    uint16_t org;
    uint8_t key8[8];
};
struct dup_load {
    uint64_t tag; /* 0: none is under way */
    struct dup *v;
    uint32_t n, cap;
};

struct advance {
    uint64_t session;
    int64_t target_us;
    int64_t since_mono_us;
};

struct reactor {
    struct reactor_options opt;
    int64_t mono_us, domain_us; /* of this step */
    int64_t ready_mono_us;      /* when sessions could first be had; 0 = not yet */
    struct reactor_outputs *out;
    bool started, fatal;
    unsigned first_round; /* shards that have not been taken the first time */

    struct config *cfg, *cfg_next; /* next: to install when no batch is under way */
    bool cfg_loading;
    struct shard *shards; /* [n_shards] */
    struct table lanes, cases, clients, sessions, orgs;

    struct kept *kept_first, *kept_last;
    unsigned n_kept;
    size_t kept_bytes;
    uint64_t order;
    struct lane_list run;  /* lanes that may have something to apply */
    struct lane_list misc; /* wait for a key, a workflow or a client's list */

    struct open_batch b[3], *open, *going, *leaving; /* leaving: durable, not yet released */
    enum commit_phase commit;
    uint64_t batch_number;
    unsigned batch_limit; /* events; halved by a poison */
    int64_t retry_mono_us, retry_delay_us;
    bool settle_again;

    VEC(struct sto_uuid) want_cases;
    VEC(struct sto_uuid) want_clients;
    uint64_t tag, want_tag;
    VEC(struct load) loads; /* under way: to repeat what failed */
    VEC(struct load) again; /* failed, to be put out again at again_mono_us */
    int64_t again_mono_us, cases_again_mono_us;
    unsigned loads_cases; /* LOAD_CASES under way */
    struct {
        bool asked, more; /* more: the last look found one */
        unsigned next;    /* shard to look at first */
        int64_t asked_mono_us, again_mono_us;
    } count;

    VEC(struct loaded_key) keys; /* pool */
    bool keys_asked;
    struct centry *lru_first, *lru_last;
    unsigned n_lru;

    struct org *dispatch;
    size_t out_row_bytes; /* of all outq rows in memory */
    uint64_t next_session;

    struct heap heap;
    VEC(struct redrive_job) redrives;
    struct advance adv;
    int64_t clock_us;       /* manual */
    int64_t clock_doubt_us; /* may stand in the database already: set before anything else */

    VEC(struct dup) dups;
    struct dup_load dup_load;
    int64_t dups_again_mono_us;

    int64_t next_tick_mono_us, timer_mono_us;
    sto_arena_t *frame_arena; /* decoded frame */
    sto_arena_t *event_arena; /* decoded event of `hot` */
    sto_arena_t *fact_arena;  /* one application */
    const struct kept *hot;   /* decoded already */
    Saatto__V1__Event *hot_event;
    struct sto_nonces nonces;
    struct sto_buf buf, buf2;
    struct turn *turn;               /* apply.c's */
    struct case_state before, after; /* scratch of one application */
    struct reactor_stats stats;
    uint64_t n_outbox_rows;
    bool resend_waits; /* a resend waits for a case to be loaded */
};
struct load {
    uint64_t tag;
    struct store_request req;
}; /* req: scalars only */

#define VEC_PUSH(vec, value)                                                                       \
    do {                                                                                           \
        if ((vec).n == (vec).cap) {                                                                \
            (vec).cap = (vec).cap ? 2 * (vec).cap : 16;                                            \
            /* of pointers too: NOLINTNEXTLINE(bugprone-sizeof-expression) */                      \
            (vec).v = sto_xrealloc((vec).v, (vec).cap * sizeof(*(vec).v));                         \
        }                                                                                          \
        (vec).v[(vec).n++] = (value);                                                              \
    } while (0)

/* reactor.c */
int64_t rx_domain_us(const reactor_t *r);
void rx_timer(reactor_t *r, int64_t at_mono_us);
void rx_frame(reactor_t *r, const struct peer *to, unsigned type, const ProtobufCMessage *m);
void rx_refuse(reactor_t *r, const struct peer *to, const Saatto__V1__Refusal *refusal);
void rx_fatal(reactor_t *r, const char *why);
struct store_request *rx_request(reactor_t *r, enum store_kind kind);
void rx_submit(reactor_t *r, struct store_request *req);
struct reactor_output *rx_put(reactor_t *r, enum rx_out kind);

/* peer_session.c */
void peer_hello(reactor_t *r, const struct reactor_input *in, const Saatto__V1__Hello *m);
struct peer_session *peer_of(reactor_t *r, const struct reactor_input *in,
                             uint64_t id); /* NULL: was told HELLO_REQUIRED */
struct peer_session *peer_by_id(reactor_t *r, uint64_t id);
enum peer_end {
    END_BYE,
    END_DEAD,
    END_ANEW /* its peer lives and said HELLO again */,
    END_GATE,
    END_REVOKED
};
void peer_end(reactor_t *r, struct peer_session *s, enum peer_end why);
void peer_gate_up(reactor_t *r, const struct reactor_input *in);
void peer_tick(reactor_t *r);
void peer_config_changed(reactor_t *r);
void peer_keys_out(reactor_t *r, uint32_t gate);

/* inbox.c */
void inbox_events(reactor_t *r, struct peer_session *s, const Saatto__V1__Events *m);
void inbox_answers(reactor_t *r, const struct store_result *res);
void inbox_ask_answers(reactor_t *r);
void inbox_receipts(reactor_t *r, struct open_batch *b);
struct lane *lane_get(reactor_t *r, const struct lane_key *key);
void lane_watermark(reactor_t *r, const struct lane_key *key, uint64_t last);

/* kept.c */
struct kept *kept_new(reactor_t *r, enum kept_kind kind, uint16_t shard, const void *body,
                      uint32_t n);
void kept_free(reactor_t *r, struct kept *k);
void kept_queue(reactor_t *r, struct kept *k, struct lane *lane); /* lane NULL: a lane of its own */
void lane_list_add(struct lane_list *list, struct lane *lane);
void kept_run(reactor_t *r, struct lane_list *list); /* moves all to the run queue */
void kept_pump(reactor_t *r);
void kept_applied(reactor_t *r, struct kept *k);    /* moves it into the open batch */
void kept_rewind(reactor_t *r);                     /* all batches were thrown away */
void kept_drop_shard(reactor_t *r, uint16_t shard); /* lost: answer NOT_OWNER */

/* apply.c */
enum apply_result {
    APPLY_DONE,
    APPLY_DROPPED,
    APPLY_WAITS /* lane was put on a waiting list */,
    APPLY_FULL
};
enum apply_result apply_input(reactor_t *r, struct kept *k);
struct turn *turn_new(void); /* scratch of one application; malloc */

/* apply_rows.c */
struct applied {
    const struct kept *k;
    struct centry *e;
    const struct fact *f;
    const struct input *in;
    const struct case_state *before; /* NULL: an aggregate */
    const struct case_data *data;    /* after */
    int64_t now_us;
};
void rows_event(reactor_t *r, struct kept *k, struct centry *e, const struct fact *f,
                int64_t now_us);
void rows_fact(reactor_t *r, const struct applied *a);
int64_t shard_now(const reactor_t *r, const struct shard *sh);

/* batch.c */
void batch_init(reactor_t *r);
void batch_release(reactor_t *r);
void batch_touch_shard(reactor_t *r, uint16_t shard);
bool batch_has_room(const reactor_t *r);
bool batch_empty(const struct open_batch *b);
void *batch_alloc(reactor_t *r, size_t n);
const char *batch_text(reactor_t *r, const char *text); /* a request owns all it points at */
void batch_close(reactor_t *r); /* submits it if the connection is free and there is something */
/*
 * The next batch goes first, so that the database has work; what the durable one releases leaves
 * with batch_leave, which every step begins with.
 */
void batch_durable(reactor_t *r, bool next_first);
void batch_leave(reactor_t *r);
void batch_encode_ahead(reactor_t *r); /* rows of cases, while another batch is under way */
void batch_throw(reactor_t *r);        /* both batches: state of their cases dropped, heads back to
                                          durable, inputs wait again */

/* outcome.c */
void outcome_commit(reactor_t *r, const struct store_result *res);
void outcome_settle(reactor_t *r, const struct store_result *res);
void outcome_tick(reactor_t *r);

/* cases.c */
struct centry *case_get(reactor_t *r,
                        const struct sto_uuid *id); /* LOADING ones are put on the wish list */
struct centry *case_peek(reactor_t *r, const struct sto_uuid *id);
void case_touch(reactor_t *r, struct centry *e);
void case_clean(reactor_t *r, struct centry *e);
void case_drop(reactor_t *r, struct centry *e);
void case_drop_shard(reactor_t *r, uint16_t shard);
void case_evict(reactor_t *r);
void case_loaded(reactor_t *r, const struct store_result *res, bool failed);
int64_t case_next_due(const reactor_t *r, const struct centry *e);
struct client_rec *client_get(reactor_t *r, const struct sto_uuid *id);
void clients_reset(reactor_t *r);
void client_unref(reactor_t *r, const struct sto_uuid *id);
void client_add(struct client_rec *c, const struct sto_uuid *case_id, const char *workflow);

/* loads.c */
uint64_t loads_ask(
    reactor_t *r,
    const struct store_request *scalars); /* returns the tag; repeated by itself when it fails */
const struct store_request *loads_of(const reactor_t *r, uint64_t tag);
void loads_done(reactor_t *r, const struct store_result *res);
void loads_end_of_step(reactor_t *r);
void loads_keys(reactor_t *r);
void loads_release(reactor_t *r);
bool key_take(reactor_t *r, struct centry *e);

/* takeover.c */
void takeover_start(reactor_t *r);
bool taking_over(const reactor_t *r); /* not every shard has been answered yet */
void takeover_done(reactor_t *r, const struct store_result *res);
void shard_lose(reactor_t *r, struct shard *sh);

/* deployed.c */
void deployed_ask(reactor_t *r);
void deployed_loaded(reactor_t *r, const struct store_result *res);
void deployed_install(reactor_t *r); /* cfg_next, if nothing is under way */
void deployed_destroy(struct config **self_p);
void deployed_workflow_loaded(reactor_t *r, const struct store_result *res, const uint8_t hash[32]);
struct wf *deployed_newest(const reactor_t *r, const char *id);
/* NULL: asked for; *absent: there is none with that hash. */
struct wf *deployed_wf(reactor_t *r, const uint8_t hash[32], bool *absent);

/* outbox.c */
struct org *org_get(reactor_t *r, uint16_t number);
struct outq *outq_get(reactor_t *r, uint16_t shard, uint16_t org);
void outq_durable(reactor_t *r, struct pending_row *row);
void outq_backlog(reactor_t *r, const struct store_result *res);
void outq_ack(reactor_t *r, struct peer_session *s, const Saatto__V1__Ack *m);
void outq_session_ended(reactor_t *r, struct peer_session *s, enum peer_end why);
void outq_case_ready(reactor_t *r);
void outq_dead_durable(reactor_t *r, const struct row_dead *d);
void outq_drop_shard(reactor_t *r, uint16_t shard);
void outq_tick(reactor_t *r);
void outq_release_rows(reactor_t *r, struct outq *q);
void org_want_dispatch(reactor_t *r, struct org *o);
void outbox_dispatch(reactor_t *r);
uint64_t outq_unacked(const struct outq *q);

/* delivery.c */
int delivery_build(reactor_t *r, const struct applied *a, const struct send *s,
                   struct sto_buf *wrapped, struct sto_err *err);
/* A resend evaluates the basis again. *waits: a consent must be looked at, its case is being
 * loaded. out arena-owned. */
int delivery_again(reactor_t *r, const struct outq *q, const struct orow *row, sto_arena_t *arena,
                   const uint8_t **p, size_t *n, bool *waits);

/* clockwork.c */
void cw_case_changed(reactor_t *r, struct centry *e);
void cw_fire(reactor_t *r);
void cw_due_loaded(reactor_t *r, const struct store_result *res);
void cw_drop_shard(reactor_t *r, uint16_t shard);
void cw_thrown(reactor_t *r); /* cached states were dropped: what the heap knew may be wrong */
/* Hours since 1970; never (INT64_MAX) is INT32_MAX. */
int32_t cw_hour_of(int64_t us);
void cw_horizon(reactor_t *r, int64_t until_us);
bool cw_complete(const reactor_t *r, int64_t until_us); /* heap holds everything up to there */
int64_t cw_next(const reactor_t *r);                    /* INT64_MAX = none in the heap */
void cw_timer(reactor_t *r);

/* stats.c */
void counts_ask(reactor_t *r);
void counts_loaded(reactor_t *r, unsigned shard, const struct store_result *res);

/* barrier.c */
void barrier_idle(reactor_t *r, struct peer_session *s, const Saatto__V1__ClockIdle *m);
void barrier_advance(reactor_t *r, struct peer_session *s, const Saatto__V1__Advance *m);
void barrier_step(reactor_t *r);
void barrier_durable(reactor_t *r, int64_t clock_us);
void barrier_session_ended(reactor_t *r, struct peer_session *s);

/* redrive.c */
void redrive_ask(reactor_t *r, struct peer_session *s, const Saatto__V1__Redrive *m);
void redrive_loaded(reactor_t *r, const struct store_result *res);
enum apply_result redrive_apply(reactor_t *r, struct kept *k);
void redrive_durable(reactor_t *r, struct kept *k);

#endif
