/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The broker without I/O: reactor_step(r, input, mono_now, domain_now) -> outputs.
 *
 * Inputs: frame, session end, store result, tick. Outputs: frame, store request, timer, log line.
 * Only broker/shell knows libpq and ZeroMQ. The simulation runs this same code on the model store.
 *
 * Machine time (mono: timeouts, leases, beats) and domain time (clocks of cases) are two
 * parameters. With the manual clock the reactor keeps domain time itself (durable in the store) and
 * ignores domain_now.
 *
 * Nothing that read case state is put out before the batch it belongs to is durable.
 */
#ifndef REACTOR_H
#define REACTOR_H
#include "store.h"

typedef struct reactor reactor_t;

/* Reply path of a frame: a gate and its routing id; both meaningless outside the process. */
struct peer {
    uint32_t gate;
    uint8_t routing[8];
    uint8_t n_routing;
};

enum rx_in {
    RX_FRAME = 1,
    RX_GATE_UP /* a gate connected: sessions of its former life are gone, send it the keys */,
    RX_STORE,
    RX_TICK,
    RX_CONFIG /* config number in the database rose */
};
struct reactor_input {
    enum rx_in kind;
    struct peer peer;    /* FRAME; GATE_UP: gate only */
    char public_key[41]; /* FRAME: User-Id of the payload frame (Z85 of the CURVE key) */
    const uint8_t *head;
    size_t n_head; /* FRAME: the 4-byte frame */
    const uint8_t *body;
    size_t n_body;
    struct store_result *result; /* STORE; borrowed for the step */
};

enum rx_out { RX_SEND = 1, RX_STORE_REQUEST, RX_TIMER, RX_KEYS, RX_FATAL };
struct reactor_output {
    enum rx_out kind;
    struct peer peer;
    uint8_t head[4];
    struct blob body; /* SEND; KEYS: n × (41-byte key) for gate peer.gate (0xffffffff = all) */
    struct store_request *request; /* consumed by the shell */
    int64_t at_mono_us;            /* TIMER: call a TICK then (one timer; the last wins) */
    char why[128];                 /* FATAL: the process must end and start anew */
};
/* Outputs of one step; memory of bodies lives until the next step. */
struct reactor_outputs {
    struct reactor_output *v;
    size_t n, cap;
    sto_arena_t *arena;
};
void reactor_outputs_release(
    struct reactor_outputs *out); /* starts zeroed; reactor_step makes what it needs */

struct reactor_options {
    uint64_t core_id;             /* random */
    unsigned n_shards;            /* power of two */
    unsigned batch_events_max;    /* <= STO_BATCH_EVENTS_MAX */
    unsigned cache_cases_max;     /* cached cases; cold clean ones are evicted */
    unsigned inflight_max;        /* kept inputs; beyond: BUSY */
    unsigned dead_after_sessions; /* 5 */
    uint64_t seed;                /* for rendezvous and tie breaking only */
};
reactor_t *reactor_new(const struct reactor_options *options);
void reactor_destroy(reactor_t **self_p);
void reactor_step(reactor_t *r, const struct reactor_input *in, int64_t mono_us, int64_t domain_us,
                  struct reactor_outputs *out);

/* Figures for /metrics and /readyz; names are Prometheus names without the saatto_ prefix. */
struct reactor_stats {
    bool ready;
    const char *not_ready;                                          /* why not */
    uint64_t events_committed, events_refused, frames_rejected[64]; /* by sto_code */
    uint64_t batches, batch_events_last;
    double commit_seconds_sum;
    uint64_t commit_bucket[12];
    uint64_t batch_bucket[12];
    uint64_t cases_open, cases_without_holder, handovers_open, clocks_fired, clocks_late,
        outbox_rows, dead_rows, sessions, bytes_cached;
    int64_t timer_lag_us;
    uint64_t fenced, retried, poisoned, doubted;
};
void reactor_stats(const reactor_t *r, struct reactor_stats *out);
/* Per organisation: queue length (last outbox seq - acked) and connected sessions. Calls visit for
 * each. */
void reactor_queues(const reactor_t *r,
                    void (*visit)(void *arg, const char *org, uint64_t queued, unsigned sessions),
                    void *arg);

#endif
