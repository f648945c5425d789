/* SPDX-License-Identifier: Apache-2.0 */
/* libsaatto's calls about single messages: putting a delivery off, and what became of an event. */
#include "saatto_internal.h"
#include "sto_limits.h"

/* The lock guards what these look at; a const object of the caller's still has one. */
static pthread_mutex_t *lock_of(const saatto_t *s)
{
    return (pthread_mutex_t *)(uintptr_t)&s->lock;
}

void saatto_defer(saatto_t *s, unsigned shard, uint64_t seq, unsigned after_ms)
{
    pthread_mutex_lock(&s->lock);
    if (shard < STO_SHARDS_MAX) {
        intake_answer(&s->intake[shard], seq, INTAKE_DEFERRED, after_ms);
        s->clock_stirred = true;
    }
    pthread_mutex_unlock(&s->lock);
}

int64_t saatto_last_ticket(const saatto_t *s)
{
    pthread_mutex_lock(lock_of(s));
    int64_t ticket = sendlog_last_ticket(s->log);
    pthread_mutex_unlock(lock_of(s));
    return ticket;
}

bool saatto_ticket_waits(const saatto_t *s, int64_t ticket)
{
    pthread_mutex_lock(lock_of(s));
    bool waits = sendlog_ticket_waits(s->log, ticket);
    pthread_mutex_unlock(lock_of(s));
    return waits;
}
