/* SPDX-License-Identifier: EUPL-1.2 */
#include "shell.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc.h"
#include "metrics.h"
#include "process.h"
#include "sto_log.h"
#include "sto_time.h"

#define SHELL_GATES_MAX     16
#define SHELL_BURST         128 /* frames taken before the store is looked at again */
#define SHELL_POLL_MS_MAX   100 /* the store wants a turn at least this often */
#define REPORT_US           STO_US_PER_SEC
#define DURABILITY_CHECK_US (60 * STO_US_PER_SEC)

struct shell {
    void *ctx, *gates;
    store_t *store;
    reactor_t *reactor;
    struct reactor_outputs out;
    struct {
        uint8_t routing[16];
        uint8_t n;
    } gate[SHELL_GATES_MAX];
    unsigned n_gates;
    int64_t timer_us, next_report_us, next_durability_us;
    uint64_t config, core_id;
    int report_fd;
    int fatal; /* STO_E_*, 0 = none */
    char why[128];
};

static void step(struct shell *sh, const struct reactor_input *in);

static uint32_t gate_index(struct shell *sh, const uint8_t *routing, size_t n)
{
    for (unsigned i = 0; i < sh->n_gates; i++) {
        if (sh->gate[i].n == n && memcmp(sh->gate[i].routing, routing, n) == 0) {
            return i;
        }
    }
    if (sh->n_gates == SHELL_GATES_MAX || n > sizeof sh->gate[0].routing) {
        return UINT32_MAX;
    }
    memcpy(sh->gate[sh->n_gates].routing, routing, n);
    sh->gate[sh->n_gates].n = (uint8_t)n;
    return sh->n_gates++;
}

static void send_frame(struct shell *sh, const struct reactor_output *o)
{
    const char kind = IPC_SEND;

    if (o->peer.gate >= sh->n_gates) {
        return;
    }
    /* a send that fails leaves the row in the outbox; the session's end is noticed by the worker's
     * silence */
    if (zmq_send(sh->gates, sh->gate[o->peer.gate].routing, sh->gate[o->peer.gate].n,
                 ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        return;
    }
    zmq_send(sh->gates, &kind, 1, ZMQ_SNDMORE);
    zmq_send(sh->gates, o->peer.routing, o->peer.n_routing, ZMQ_SNDMORE);
    zmq_send(sh->gates, o->head, sizeof o->head, ZMQ_SNDMORE);
    zmq_send(sh->gates, o->body.p, o->body.n, 0);
}

static void send_keys(struct shell *sh, const struct reactor_output *o)
{
    const char kind = IPC_KEYS;

    for (unsigned i = 0; i < sh->n_gates; i++) {
        if (o->peer.gate != UINT32_MAX && o->peer.gate != i) {
            continue;
        }
        if (zmq_send(sh->gates, sh->gate[i].routing, sh->gate[i].n, ZMQ_SNDMORE | ZMQ_DONTWAIT) <
            0) {
            continue;
        }
        zmq_send(sh->gates, &kind, 1, ZMQ_SNDMORE);
        zmq_send(sh->gates, &sh->core_id, sizeof sh->core_id, ZMQ_SNDMORE);
        zmq_send(sh->gates, o->body.p, o->body.n, 0);
    }
}

static void perform(struct shell *sh)
{
    for (size_t i = 0; i < sh->out.n; i++) {
        struct reactor_output *o = &sh->out.v[i];
        switch (o->kind) {
        case RX_SEND:
            send_frame(sh, o);
            break;
        case RX_STORE_REQUEST:
            sh->store->ops->submit(sh->store, o->request);
            break;
        case RX_TIMER:
            sh->timer_us = o->at_mono_us;
            break;
        case RX_KEYS:
            send_keys(sh, o);
            break;
        case RX_FATAL:
            sh->fatal = STO_E_FENCED;
            snprintf(sh->why, sizeof sh->why, "%s", o->why);
            break;
        }
    }
    sh->out.n = 0;
}

static void step(struct shell *sh, const struct reactor_input *in)
{
    reactor_step(sh->reactor, in, sto_mono_us(), sto_real_us(), &sh->out);
    perform(sh);
}

static size_t part(struct shell *sh, zmq_msg_t *m)
{
    zmq_msg_init(m);
    return zmq_msg_recv(m, sh->gates, 0) < 0 ? 0 : zmq_msg_size(m);
}

static void frame_from_gate(struct shell *sh, uint32_t gate)
{
    zmq_msg_t routing, key, head, body;
    struct reactor_input in = {.kind = RX_FRAME, .peer = {.gate = gate}};
    size_t n_routing = part(sh, &routing), n_key = part(sh, &key);

    in.n_head = part(sh, &head);
    in.n_body = part(sh, &body);
    in.head = zmq_msg_data(&head);
    in.body = zmq_msg_data(&body);
    if (n_routing <= sizeof in.peer.routing && n_key == IPC_KEY_BYTES - 1 && gate != UINT32_MAX) {
        memcpy(in.peer.routing, zmq_msg_data(&routing), n_routing);
        in.peer.n_routing = (uint8_t)n_routing;
        memcpy(in.public_key, zmq_msg_data(&key), n_key);
        step(sh, &in);
    }
    zmq_msg_close(&routing);
    zmq_msg_close(&key);
    zmq_msg_close(&head);
    zmq_msg_close(&body);
}

/* One message of a gate; false when none waits. */
static bool from_gate(struct shell *sh)
{
    uint8_t routing[16];
    char kind = 0;
    int n = zmq_recv(sh->gates, routing, sizeof routing, ZMQ_DONTWAIT);

    if (n < 0) {
        return false;
    }
    uint32_t gate = gate_index(sh, routing, (size_t)n);
    if (zmq_recv(sh->gates, &kind, 1, 0) == 0) { /* the probe of a new connection */
        step(sh, &(struct reactor_input){.kind = RX_GATE_UP, .peer = {.gate = gate}});
    } else if (kind == IPC_FRAME) {
        frame_from_gate(sh, gate);
    }
    return true;
}

static void from_store(struct shell *sh)
{
    struct store_result res;

    store_pg_run(sh->store, sto_mono_us());
    while (sh->store->ops->poll(sh->store, &res)) {
        struct reactor_input in = {.kind = RX_STORE, .result = &res};
        step(sh, &in);
        sto_arena_destroy(&res.arena);
        if (sto_mono_us() >= sh->timer_us) {
            step(sh, &(struct reactor_input){.kind = RX_TICK});
        }
    }
    uint64_t config = store_pg_config(sh->store);
    if (config > sh->config) {
        sh->config = config;
        step(sh, &(struct reactor_input){.kind = RX_CONFIG});
    }
}

static void housekeeping(struct shell *sh, int64_t now)
{
    if (now >= sh->next_report_us) {
        struct reactor_stats stats;
        reactor_stats(sh->reactor, &stats);
        metrics_report(sh->report_fd, sh->reactor, &stats);
        sh->next_report_us = now + REPORT_US;
    }
    if (now >= sh->next_durability_us) {
        const char *unsafe = store_pg_unsafe(sh->store);
        if (unsafe != NULL) {
            sh->fatal = STO_E_DURABILITY; /* stop acknowledging: what is sent comes again */
            snprintf(sh->why, sizeof sh->why, "%s", unsafe);
        }
        sh->next_durability_us = now + DURABILITY_CHECK_US;
    }
}

static int timeout_ms(const struct shell *sh)
{
    int64_t left = (sh->timer_us - sto_mono_us()) / 1000;

    return left < 0 ? 0 : left > SHELL_POLL_MS_MAX ? SHELL_POLL_MS_MAX : (int)left;
}

static void loop(struct shell *sh, const struct shell_options *o)
{
    while (!process_stopped() && sh->fatal == 0 &&
           (o->parent_pid == 0 || getppid() == o->parent_pid)) {
        struct pollfd fds[3];
        unsigned n = store_pg_pollfds(sh->store, fds, 3);
        zmq_pollitem_t items[4] = {{.socket = sh->gates, .events = ZMQ_POLLIN}};
        for (unsigned i = 0; i < n; i++) {
            /* ZMQ_POLLOUT is not POLLOUT: a store that waits for room would otherwise wait for the
             * next frame */
            short wanted = (short)((fds[i].events & POLLIN ? ZMQ_POLLIN : 0) |
                                   (fds[i].events & POLLOUT ? ZMQ_POLLOUT : 0));
            items[i + 1] = (zmq_pollitem_t){.fd = fds[i].fd, .events = wanted};
        }
        if (zmq_poll(items, (int)n + 1, timeout_ms(sh)) < 0 && zmq_errno() != EINTR) {
            sh->fatal = STO_E_IO;
            snprintf(sh->why, sizeof sh->why, "poll: %s", zmq_strerror(zmq_errno()));
        }
        from_store(sh); /* first: what is durable leaves before new work is taken */
        for (int i = 0; i < SHELL_BURST && from_gate(sh); i++) {
        }
        int64_t now = sto_mono_us();
        if (now >= sh->timer_us) {
            sh->timer_us = now + SHELL_POLL_MS_MAX * 1000;
            step(sh, &(struct reactor_input){.kind = RX_TICK});
        }
        housekeeping(sh, now);
    }
}

static int open_gates(struct shell *sh, const char *endpoint, struct sto_err *err)
{
    int on = 1, none = 0;

    sh->ctx = zmq_ctx_new();
    STO_ASSERT(sh->ctx != NULL);
    sh->gates = zmq_socket(sh->ctx, ZMQ_ROUTER);
    STO_ASSERT(sh->gates != NULL);
    zmq_setsockopt(sh->gates, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(sh->gates, ZMQ_ROUTER_MANDATORY, &on, sizeof on);
    /* a gate that was started anew takes its former name over; the socket is the supervisor's own
     * folder */
    zmq_setsockopt(sh->gates, ZMQ_ROUTER_HANDOVER, &on, sizeof on);
    zmq_setsockopt(sh->gates, ZMQ_SNDHWM, &none, sizeof none); /* bounded by sessions' credit */
    if (zmq_bind(sh->gates, endpoint) != 0) {
        return sto_fail(err, STO_E_IO, "core: could not listen on '%s': %s", endpoint,
                        zmq_strerror(zmq_errno()));
    }
    return 0;
}

int shell_run(const struct shell_options *o, struct sto_err *err)
{
    struct shell sh = {.report_fd = o->report_fd, .core_id = o->reactor.core_id};
    int rc = store_pg_new(&o->store, &sh.store, err);

    if (rc == 0) {
        rc = open_gates(&sh, o->endpoint, err);
    }
    if (rc == 0) {
        struct reactor_options reactor = o->reactor;
        if (reactor.n_shards == 0) {
            reactor.n_shards = store_pg_shards(sh.store);
        }
        sh.reactor = reactor_new(&reactor);
        sh.next_durability_us = sto_mono_us() + DURABILITY_CHECK_US;
        sh.config =
            store_pg_config(sh.store); /* the reactor reads it by itself, after the takeover */
        step(&sh, &(struct reactor_input){.kind = RX_TICK});
        loop(&sh, o);
        if (sh.fatal != 0) {
            rc = sto_fail(err, (enum sto_code)sh.fatal, "core: %s", sh.why);
        }
    }
    reactor_destroy(&sh.reactor);
    if (sh.store != NULL) {
        sh.store->ops->destroy(&sh.store);
    }
    if (sh.gates != NULL) {
        zmq_close(sh.gates);
    }
    if (sh.ctx != NULL) {
        zmq_ctx_term(sh.ctx);
    }
    sto_arena_destroy(&sh.out.arena);
    return rc;
}
