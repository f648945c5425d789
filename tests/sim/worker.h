/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A worker process of one organisation, as a careful library writer would make it:
 * a durable outbox, rewind to the watermark, acknowledgements, and everything else
 * lost at a crash. What it hears is checked against the committed rows at once.
 */
#ifndef SIM_WORKER_H
#define SIM_WORKER_H
#include "core.h"
#include "saatto_codec.h"

#define WORKER_SHARDS 16

struct worker_msg {
    uint8_t *p;
    uint32_t n;
    bool receipted;
    uint16_t code;
};
struct worker {
    struct model *m;
    unsigned index;         /* gate number of its reply path */
    const char *name, *key; /* organisation's id, public key */
    uint16_t org;
    uint64_t stream;
    uint32_t credit_messages, credit_bytes;
    bool clock, operator_key;
    /* durable */
    struct {
        struct worker_msg *v;
        uint32_t n, cap;
    } out[WORKER_SHARDS];          /* seq = position + 1 */
    uint64_t acked[WORKER_SHARDS]; /* deliveries stored up to here */
    /* lost at a crash */
    bool up, said_hello;
    uint64_t nonce, session;
    uint64_t routing; /* a new one for each connection */
    uint32_t incarnation;
    uint64_t next[WORKER_SHARDS]; /* next seq to send */
    uint64_t epoch[WORKER_SHARDS];
    struct {
        uint64_t v[512];
        unsigned n;
    } got[WORKER_SHARDS]; /* deliveries above acked; other processes of the organisation have others
                           */
    int64_t last_progress_us, hello_us;
    int64_t clock_us;
    int64_t wake_us;    /* planned: it will do something then */
    int64_t advance_to; /* operator: target that was asked for */
    unsigned slow;      /* per mille of acks that are withheld */
    unsigned defers;    /* per mille of deliveries that are deferred */
    void (*send)(void *arg, struct worker *from, const uint8_t head[4], const uint8_t *body,
                 size_t n);
    void *arg;
    void (*heard)(void *arg,
                  const Saatto__V1__DeliveryBody *body); /* each new delivery; may be NULL */
    sto_arena_t *arena;
    uint64_t received, refusals[64], results[64], clock_states, redriven;
    bool wants_other_core; /* was told NOT_OWNER */
};
void worker_init(struct worker *w);
void worker_release(struct worker *w);
void worker_connect(struct worker *w); /* new reply path, HELLO */
void worker_crash(struct worker *w);
void worker_bye(struct worker *w);
uint64_t worker_post(struct worker *w, const Saatto__V1__Event *ev,
                     unsigned shard); /* into the outbox; returns seq */
void worker_tick(struct worker *w);   /* resends what got no answer, beats */
void worker_hears(struct worker *w, const uint8_t *head, const uint8_t *body, size_t n);
void worker_frame(struct worker *w, unsigned type, const ProtobufCMessage *msg);
bool worker_done(const struct worker *w);

#endif
