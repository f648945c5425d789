/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsaatto: an organisation's end of Saatto's wire contract.
 *
 * Give it an endpoint and keys, send events, get deliveries. It keeps an outbox (in state_dir,
 * file-locked; in memory without one), numbers the events of its stream for each shard, batches
 * what waits into one frame, reconnects, says HELLO again, rewinds to the watermark of WELCOME,
 * drops duplicates, and acknowledges what was handed over.
 *
 * Threads: a saatto_t belongs to one thread, either the caller's (saatto_fd + saatto_step, "foreign
 * loop") or its own (saatto_thread_start: callbacks then run on that thread, and only saatto_send,
 * saatto_ack and saatto_thread_stop may be called from others).
 */
#ifndef SAATTO_H
#define SAATTO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#define SAATTO_API __attribute__((visibility("default")))

typedef struct saatto saatto_t;

struct saatto_error {
    int code;
    char what[384];
    char fix[192];
}; /* code: docs/reference/protocol.md "Codes"; 0 = none */

enum saatto_field_type {
    SAATTO_INTEGER = 1,
    SAATTO_BOOLEAN,
    SAATTO_TEXT /* text, code, date, hetu */,
    SAATTO_SEALED
};
struct saatto_field {
    const char *name;
    enum saatto_field_type type;
    int64_t integer;
    const char *text;
    const uint8_t *bytes;
    size_t n_bytes;
};
struct saatto_name {
    const char *role, *organisation, *desk;
};

/* One event. Zeroed members are absent. kind: docs/reference/protocol.md "Events";
 * saatto_event_kind("accept") gives it by name. */
struct saatto_event {
    uint8_t case_id[16];
    unsigned kind;
    unsigned token, entry, offer;
    const char *exit, *name, *desk, *worker, *text;
    unsigned reason;
    bool valid_reason, by_client;
    int64_t at_us, at2_us;
    unsigned place;
    const struct saatto_field *fields;
    size_t n_fields;
    const struct saatto_name *names;
    size_t n_names;
    const char *start_workflow, *start_home; /* kind 1 (start) */
    uint8_t start_client[16];
    uint8_t subject_case[16]; /* kind 60 (session record) */
    unsigned second_admin;    /* kind 50 (succeed): number of the second signer's organisation */
};

struct saatto_basis {
    const char *category, *id;
    unsigned version;
};
/* One delivery; everything borrowed for the callback. */
struct saatto_delivery {
    unsigned shard;
    uint64_t seq;
    const char
        *kind; /* offer task notice reminder escalation withdrawn closed package update record */
    uint8_t case_id[16];
    const char *workflow;
    unsigned workflow_version;
    const char *step, *step_type, *desk, *holder, *from, *event, *clock, *text, *message_key,
        *message, *purpose, *worker, *meeting;
    unsigned token, entry, offer, rung, reason, case_seq;
    int64_t due_us, at_us, now_us;
    const struct saatto_field *fields;
    size_t n_fields;
    const char *const *held_back;
    size_t n_held_back;
    const char *const *exits;
    size_t n_exits;
    const char *const *collects;
    size_t n_collects;
    const struct saatto_basis *basis;
    size_t n_basis;
    const uint8_t (*seats)[16];
    size_t n_seats;
};

enum saatto_answer {
    SAATTO_ACK = 0,    /* stored or handed over: never "done" */
    SAATTO_LATER = -1, /* the caller will call saatto_ack(shard, seq) itself */
    /* > 0: defer, deliver again after that many milliseconds */
};

struct saatto_options {
    const char *endpoint;                /* "tcp://127.0.0.1:7700"; several separated by a comma */
    const char *server_key;              /* Z85, 40 characters */
    const char *public_key, *secret_key; /* Z85 of the organisation's pair */
    const char *organisation;            /* id; must be the key's */
    const char *program;                 /* for people */
    const char
        *state_dir; /* outbox and what was seen; NULL = memory only, new stream at each start */
    unsigned credit_messages; /* deliveries in flight; 0 = wants none (sender only) */
    bool clock;               /* takes part in the manual clock: on_clock is called */
    int (*on_delivery)(void *arg, const struct saatto_delivery *d);
    /* An event's answer: code 0 = taken and durable; else refused (docs "Codes"). leaf: 32 bytes or
     * NULL. */
    void (*on_result)(void *arg, uint64_t ticket, int code, const char *what, const uint8_t *leaf);
    /* Manual clock: do what is due at now_us (send events), then return the next wake or 0. The
     * library answers CLOCK_IDLE when everything sent is receipted. */
    int64_t (*on_clock)(void *arg, int64_t now_us);
    void (*on_state)(void *arg, bool connected, int64_t domain_now_us, bool manual_clock);
    void *arg;
};

SAATTO_API int saatto_open(const struct saatto_options *options, saatto_t **out,
                           struct saatto_error *err);
SAATTO_API void saatto_close(
    saatto_t **self_p); /* says BYE; the outbox keeps what is not receipted */

/* Puts an event into the outbox (durable if there is a state_dir) and returns its ticket (> 0), or
 * a negative code. */
SAATTO_API int64_t saatto_send(saatto_t *self, const struct saatto_event *event,
                               struct saatto_error *err);
SAATTO_API void saatto_ack(saatto_t *self, unsigned shard, uint64_t seq);
/* For a delivery answered SAATTO_LATER: deliver it again after that many milliseconds. */
SAATTO_API void saatto_defer(saatto_t *self, unsigned shard, uint64_t seq, unsigned after_ms);
/* Tickets are given in order, so one above the last was never sent; one that does not wait has its
   receipt. With a state_dir both hold over restarts: an application that wrote down beforehand what
   it was about to send knows what became of it. */
SAATTO_API int64_t saatto_last_ticket(const saatto_t *self);
SAATTO_API bool saatto_ticket_waits(const saatto_t *self, int64_t ticket);
SAATTO_API size_t saatto_unreceipted(const saatto_t *self);
SAATTO_API bool saatto_connected(const saatto_t *self);
SAATTO_API int64_t
saatto_domain_now(const saatto_t *self); /* manual clock: the broker's; else the wall clock */

/* Foreign loop: wait until saatto_fd is readable (or timeout), then step. Ask for the descriptor
   before each wait: a new connection has another. Returns ms until the next step is wanted, or
   negative code. */
SAATTO_API int saatto_fd(const saatto_t *self);
SAATTO_API int saatto_step(saatto_t *self, int timeout_ms, struct saatto_error *err);
SAATTO_API int saatto_thread_start(saatto_t *self, struct saatto_error *err);
SAATTO_API void saatto_thread_stop(saatto_t *self);

/* Operator calls (keys registered as operator). Result through on_operator of saatto_operator. */
SAATTO_API int saatto_advance(saatto_t *self, int64_t target_us, int64_t *now_us, char *waiting_for,
                              size_t cap, int timeout_ms, struct saatto_error *err);
SAATTO_API int saatto_redrive(saatto_t *self, unsigned shard, unsigned organisation, uint64_t seq,
                              unsigned *count, int timeout_ms, struct saatto_error *err);

SAATTO_API unsigned saatto_event_kind(const char *name); /* 0 = unknown */
SAATTO_API unsigned saatto_reason(const char *name);     /* 0 = unknown */
SAATTO_API const char *saatto_code_text(int code);       /* "E-not-allowed" */
/* UUIDv8 from HMAC(secret, record key): a start that is run again is the same case. */
SAATTO_API void saatto_case_id(const uint8_t secret[32], const char *record_key,
                               const uint8_t client[16], uint8_t out[16]);

#ifdef __cplusplus
}
#endif
#endif
