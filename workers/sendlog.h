/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox of an organisation: events in order, numbered for each shard,
 * until they are receipted; and up to where deliveries were taken in. With a
 * folder it is a file-locked append-only log, compacted when it has grown;
 * without one it lives in memory under a new stream.
 *
 * An event's number follows from the order of the log: the n-th event of its
 * shard since the stream began. So nothing but the event itself is stored.
 */
#ifndef SENDLOG_H
#define SENDLOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sto_err.h"
#include "sto_limits.h"

struct sendlog_event {
    int64_t ticket;
    uint64_t seq;  /* 0 until the number of shards is known */
    uint8_t route; /* last byte of the case id */
    uint32_t n;
    uint8_t *body;
};

typedef struct sendlog sendlog_t;
/* dir NULL: memory only. STO_E_BUSY if another process holds the lock. */
int sendlog_open(const char *dir, sendlog_t **out, struct sto_err *err);
void sendlog_close(sendlog_t **self_p);
uint64_t sendlog_stream(const sendlog_t *self);

/* Appends (body copied); returns the ticket. Durable after sendlog_sync. */
int64_t sendlog_append(sendlog_t *self, uint8_t route, const uint8_t *body, size_t n,
                       struct sto_err *err);
/* Must run before anything leaves. Does nothing if nothing was appended. */
int sendlog_sync(sendlog_t *self, struct sto_err *err);

/* From WELCOME: fixes the number of shards (STO_E_DIFFERENT if it was another). */
int sendlog_shards(sendlog_t *self, unsigned n_shards, struct sto_err *err);
/* Everything of the shard up to seq is receipted: dropped. `each` is called for every dropped
 * event, in order. */
void sendlog_receipt(sendlog_t *self, unsigned shard, uint64_t upto,
                     void (*each)(void *arg, const struct sendlog_event *e), void *arg);
/* The i-th event of a shard that has no receipt; NULL past the end. */
const struct sendlog_event *sendlog_at(const sendlog_t *self, unsigned shard, size_t i);
size_t sendlog_waiting(const sendlog_t *self);
/* Highest ticket ever given, over restarts too; 0 = none. */
int64_t sendlog_last_ticket(const sendlog_t *self);
/* Has the event of this ticket no receipt yet? */
bool sendlog_ticket_waits(const sendlog_t *self, int64_t ticket);

/* Deliveries taken in: everything of the shard up to seq, in this incarnation. */
void sendlog_taken(sendlog_t *self, unsigned shard, uint32_t incarnation, uint64_t upto);
uint64_t sendlog_taken_upto(const sendlog_t *self, unsigned shard, uint32_t incarnation);
#endif
