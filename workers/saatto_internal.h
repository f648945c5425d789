/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of libsaatto: one object, shared by saatto.c (API, threads) and saatto_link.c (session and
 * frames). */
#ifndef SAATTO_INTERNAL_H
#define SAATTO_INTERNAL_H
#include <pthread.h>

#include "intake.h"
#include "saatto.h"
#include "saatto_codec.h"
#include "sendlog.h"

enum link_state { LINK_DOWN, LINK_HELLO, LINK_LIVE };

struct saatto {
    struct saatto_options o; /* strings owned */
    void *ctx, *socket, *wake_rx, *wake_tx;
    void *monitor;      /* tells of refused handshakes */
    int64_t refused_us; /* when the gate last refused the key, 0 = not since the socket was made */
    pthread_mutex_t lock; /* over everything below while a thread runs */
    pthread_t thread;
    bool threaded, stopping;

    sendlog_t *log;
    sto_arena_t *arena; /* one step */

    enum link_state state;
    uint64_t session, nonce, progress;
    uint32_t incarnation, n_shards, in_flight_max;
    int64_t hello_us, heard_us, beat_us, busy_until_us;
    bool manual;
    int64_t domain_us;

    uint64_t sent_upto[STO_SHARDS_MAX]; /* of this session */
    uint64_t last_seq[STO_SHARDS_MAX];  /* highest number ever sent, for CLOCK_IDLE */
    size_t in_flight;
    struct intake intake[STO_SHARDS_MAX];

    bool clock_stirred; /* something happened since the last answer */

    struct {
        bool waiting;
        unsigned type;
        int code;
        int64_t now_us, target_us;
        char waiting_for[64];
        unsigned count;
    } op;
    struct sto_err err; /* last failure of a step */
};

int link_open(saatto_t *s, struct sto_err *err);
void link_close(saatto_t *s);
/* Takes all frames that wait. */
void link_receive(saatto_t *s);
/* Makes durable, then sends: HELLO, events, acknowledgements, beat, CLOCK_IDLE. */
int link_flush(saatto_t *s, struct sto_err *err);
/* One frame now; false if the socket did not take it. */
bool link_send(saatto_t *s, unsigned type, const ProtobufCMessage *m);

/* A decoded delivery in the public form; arrays in arena. */
void delivery_public(const Saatto__V1__Delivery *d, const Saatto__V1__DeliveryBody *b,
                     sto_arena_t *arena, struct saatto_delivery *out);
/* Packs a public event. */
int event_pack(const struct saatto_event *e, sto_arena_t *arena, const uint8_t **p, size_t *n,
               struct sto_err *err);
#endif
