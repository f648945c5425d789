/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What an adapter is to saatto-worker: one organisation's way of answering
 * deliveries. It runs in the worker's one thread and never blocks.
 *
 * It reaches the broker only through `struct link`, so that a test can stand on
 * the other side of it.
 */
#ifndef ADAPTER_H
#define ADAPTER_H
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "saatto.h"
#include "sto_err.h"
#include "sto_settings.h"

#define ADAPTER_FDS_MAX  256
#define ADAPTER_WAIT_MAX 60000 /* ms: nothing planned */

/* Towards the broker: libsaatto's calls of the same names. */
struct link {
    void *arg;
    int64_t (*send)(void *arg, const struct saatto_event *e, struct sto_err *err);
    void (*ack)(void *arg, unsigned shard, uint64_t seq);
    void (*defer)(void *arg, unsigned shard, uint64_t seq, unsigned after_ms);
    int64_t (*last_ticket)(void *arg);
    bool (*ticket_waits)(void *arg, int64_t ticket);
};

struct adapter {
    const char *name;
    bool clock; /* takes part in the manual clock's barrier */
    /* link and settings borrowed for the adapter's life. */
    int (*open)(const struct link *link, const sto_settings_t *settings, void **self,
                struct sto_err *err);
    void (*close)(void **self_p);
    /* As saatto_options.on_delivery; now_us is domain time. */
    int (*on_delivery)(void *self, const struct saatto_delivery *d, int64_t now_us);
    void (*on_result)(void *self, int64_t ticket, int code, const char *what);
    /* Does what is due at now_us (domain time); returns the next wake, 0 = none. NULL: needs no
     * clock. */
    int64_t (*act)(void *self, int64_t now_us);
    /* Descriptors to wait for (at most cap); returns how many. NULL: none. */
    unsigned (*fds)(void *self, struct pollfd *fds, unsigned cap);
    /* Looks at its descriptors and timers (mono_us: CLOCK_BOOTTIME); returns ms until it wants to
     * be called again. NULL: never. */
    int (*step)(void *self, int64_t mono_us);
    /* Ends cleanly: nothing new is begun. True once nothing runs any more. NULL: at once. */
    bool (*stop)(void *self, int64_t mono_us);
};

extern const struct adapter adapter_exec;
extern const struct adapter adapter_policy;
/* NULL = no adapter of that name. */
const struct adapter *adapter_find(const char *name);

#endif
