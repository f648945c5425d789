/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The gate's loop: peers (ROUTER, CURVE) on one side, core (DEALER, ipc) on the
 * other, ZAP requests between. Messages are moved, not copied.
 *
 * It binds only once the core has told it the keys. A peer that has just connected, and every peer
 * when the core was started anew, is told HELLO_REQUIRED at once: its session is of another life.
 *
 * Invariants: no frame passes without the key that ZAP accepted, read from the
 * payload frame's User-Id; a message has exactly two frames or is dropped and
 * counted; the core's slowness stops reading from peers (HWM), never grows memory.
 */
#include "gate.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#include "gate_zap.h"
#include "ipc.h"
#include "process.h"
#include "saatto_codec.h"
#include "sto_crypto.h"
#include "sto_file.h"
#include "sto_limits.h"
#include "sto_log.h"
#include "sto_time.h"

#define GATE_BURST        256 /* messages taken from one side before the other is looked at */
#define ROUTING_BYTES_MAX 8
#define ROUTING_BYTES     5 /* of the ids that libzmq gives: a zero and a number that counts up */
#define PEERS_SLOTS       8192 /* power of two; of two peers in one slot, the older learns later */

enum reject {
    REJECT_FRAMES,
    REJECT_HEAD,
    REJECT_SIZE,
    REJECT_KEY,
    REJECT_CORE_BUSY,
    REJECT_GONE,
    REJECT_N
};
static const char *const reject_names[REJECT_N] = {"frames", "head",      "size",
                                                   "key",    "core_busy", "peer_gone"};

/* What libzmq tells of connections; one that sends too much is ended by it, unseen by us. */
enum connection { CONNECTION_MADE, CONNECTION_ENDED, CONNECTION_FAILED, CONNECTION_N };
static const char *const connection_names[CONNECTION_N] = {"made", "ended", "handshake_failed"};
#define CONNECTIONS_AT "inproc://gate-connections"

struct gate {
    void *ctx, *peers, *core, *monitor;
    struct zap *zap;
    uint64_t core_id; /* 0 until it has told the keys */
    uint64_t frames_in, frames_out, rejected[REJECT_N], connections[CONNECTION_N];
    int64_t next_report_us;
    int report_fd;
    bool listening;
    uint8_t hello_required[64]; /* body of that refusal */
    size_t n_hello_required;
    struct {
        bool used;
        uint8_t routing[ROUTING_BYTES];
    } peer[PEERS_SLOTS];
};

static int set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

/* Reads the rest of a message away; returns how many frames there were. */
static unsigned drop_rest(void *socket)
{
    unsigned n = 0;
    int more = 1;
    size_t size = sizeof more;

    while (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more) {
        zmq_msg_t m;
        zmq_msg_init(&m);
        if (zmq_msg_recv(&m, socket, 0) < 0) {
            zmq_msg_close(&m);
            break;
        }
        zmq_msg_close(&m);
        n++;
    }
    return n;
}

static void pack_hello_required(struct gate *g)
{
    Saatto__V1__Refusal m = SAATTO__V1__REFUSAL__INIT;

    m.code = STO_E_HELLO_REQUIRED;
    STO_ASSERT(saatto__v1__refusal__get_packed_size(&m) <= sizeof g->hello_required);
    g->n_hello_required = saatto__v1__refusal__pack(&m, g->hello_required);
}

static bool tell_hello_required(struct gate *g, const void *routing, size_t n)
{
    uint8_t head[SAATTO_HEAD_BYTES];

    head_encode(head, SAATTO__V1__FRAME_TYPE__REFUSAL);
    if (zmq_send(g->peers, routing, n, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        return false;
    }
    zmq_send(g->peers, head, sizeof head, ZMQ_SNDMORE);
    zmq_send(g->peers, g->hello_required, g->n_hello_required, 0);
    return true;
}

static void remember_peer(struct gate *g, zmq_msg_t *id)
{
    const uint8_t *routing = zmq_msg_data(id);
    size_t n = zmq_msg_size(id);

    if (n == ROUTING_BYTES) {
        size_t slot = ((size_t)routing[n - 2] << 8 | routing[n - 1]) & (PEERS_SLOTS - 1);
        g->peer[slot].used = true;
        memcpy(g->peer[slot].routing, routing, n);
    }
}

static void tell_all_hello_required(struct gate *g)
{
    for (size_t i = 0; i < PEERS_SLOTS; i++) {
        if (g->peer[i].used) {
            g->peer[i].used = tell_hello_required(g, g->peer[i].routing, ROUTING_BYTES);
        }
    }
}

struct frames {
    zmq_msg_t routing, head, body;
};

static void frames_release(struct frames *f)
{
    zmq_msg_close(&f->routing);
    zmq_msg_close(&f->head);
    zmq_msg_close(&f->body);
}

/* libzmq's probe: a peer has just connected, perhaps with a session that nobody here knows. */
static bool is_probe(struct frames *f)
{
    return zmq_msg_size(&f->head) == 0 && !zmq_msg_more(&f->head);
}

/* One whole message of a peer. 1 = good, 0 = nothing there, -1 = answered, or dropped and counted.
 */
static int receive_peer(struct gate *g, struct frames *f)
{
    zmq_msg_init(&f->routing);
    zmq_msg_init(&f->head);
    zmq_msg_init(&f->body);
    if (zmq_msg_recv(&f->routing, g->peers, ZMQ_DONTWAIT) < 0) {
        return 0;
    }
    bool has_head = zmq_msg_more(&f->routing) && zmq_msg_recv(&f->head, g->peers, 0) >= 0;
    if (has_head && is_probe(f)) {
        remember_peer(g, &f->routing);
        tell_hello_required(g, zmq_msg_data(&f->routing), zmq_msg_size(&f->routing));
        return -1;
    }
    if (!has_head || !zmq_msg_more(&f->head) || zmq_msg_recv(&f->body, g->peers, 0) < 0 ||
        zmq_msg_more(&f->body)) {
        drop_rest(g->peers);
        g->rejected[REJECT_FRAMES]++;
        return -1;
    }
    if (zmq_msg_size(&f->routing) > ROUTING_BYTES_MAX ||
        zmq_msg_size(&f->head) != SAATTO_HEAD_BYTES) {
        g->rejected[REJECT_HEAD]++;
        return -1;
    }
    if (zmq_msg_size(&f->body) > STO_FRAME_BYTES_MAX) {
        g->rejected[REJECT_SIZE]++;
        return -1;
    }
    return 1;
}

static void forward(struct gate *g, struct frames *f)
{
    const char kind = IPC_FRAME;
    /* the payload frame: libzmq 4.3.4 leaves User-Id NULL on the routing frame once the socket was
     * polled */
    const char *key = zmq_msg_gets(&f->body, "User-Id");

    if (key == NULL || strlen(key) != IPC_KEY_BYTES - 1) {
        g->rejected[REJECT_KEY]++;
        return;
    }
    remember_peer(g, &f->routing);
    if (zmq_send(g->core, &kind, 1, ZMQ_SNDMORE | ZMQ_DONTWAIT) != 1) {
        g->rejected[REJECT_CORE_BUSY]++; /* the worker's outbox has it; it comes again */
        return;
    }
    zmq_msg_send(&f->routing, g->core, ZMQ_SNDMORE);
    zmq_send(g->core, key, IPC_KEY_BYTES - 1, ZMQ_SNDMORE);
    zmq_msg_send(&f->head, g->core, ZMQ_SNDMORE);
    zmq_msg_send(&f->body, g->core, 0);
    g->frames_in++;
}

static void from_peers(struct gate *g)
{
    for (int i = 0; i < GATE_BURST; i++) {
        struct frames f;
        int got = receive_peer(g, &f);
        if (got > 0) {
            forward(g, &f);
        }
        frames_release(&f);
        if (got == 0) {
            return;
        }
    }
}

static void to_peer(struct gate *g)
{
    struct frames f;

    zmq_msg_init(&f.routing);
    zmq_msg_init(&f.head);
    zmq_msg_init(&f.body);
    if (zmq_msg_recv(&f.routing, g->core, 0) >= 0 && zmq_msg_recv(&f.head, g->core, 0) >= 0 &&
        zmq_msg_recv(&f.body, g->core, 0) >= 0) {
        if (zmq_msg_send(&f.routing, g->peers, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
            g->rejected[REJECT_GONE]++; /* the row stays in the outbox */
        } else {
            zmq_msg_send(&f.head, g->peers, ZMQ_SNDMORE);
            zmq_msg_send(&f.body, g->peers, 0);
            g->frames_out++;
        }
    }
    frames_release(&f);
}

static void take_keys(struct gate *g)
{
    uint64_t core_id = 0;
    zmq_msg_t m;

    zmq_msg_init(&m);
    if (zmq_recv(g->core, &core_id, sizeof core_id, 0) == (int)sizeof core_id &&
        zmq_msg_recv(&m, g->core, 0) >= 0) {
        size_t n = zmq_msg_size(&m) / IPC_KEY_BYTES;
        zap_keys(g->zap, zmq_msg_data(&m), n);
        if (core_id != g->core_id) {
            sto_log(STO_INFO, "gate_ready", "keys", sto_i((int64_t)n), NULL);
        }
        if (core_id != g->core_id && g->peers != NULL) {
            tell_all_hello_required(g);
        }
        g->core_id = core_id;
    }
    zmq_msg_close(&m);
}

static void from_core(struct gate *g)
{
    for (int i = 0; i < GATE_BURST; i++) {
        char kind = 0;
        if (zmq_recv(g->core, &kind, 1, ZMQ_DONTWAIT) != 1) {
            return;
        }
        if (kind == IPC_SEND) {
            to_peer(g);
        } else if (kind == IPC_KEYS) {
            take_keys(g);
        }
        drop_rest(g->core);
    }
}

static void from_monitor(struct gate *g)
{
    for (int i = 0; i < GATE_BURST; i++) {
        uint8_t frame[16]; /* event, value; then the address */
        uint16_t event = 0;
        if (zmq_recv(g->monitor, frame, sizeof frame, ZMQ_DONTWAIT) < (int)sizeof event) {
            return;
        }
        memcpy(&event, frame, sizeof event);
        drop_rest(g->monitor);
        g->connections[event == ZMQ_EVENT_ACCEPTED       ? CONNECTION_MADE
                       : event == ZMQ_EVENT_DISCONNECTED ? CONNECTION_ENDED
                                                         : CONNECTION_FAILED]++;
    }
}

/* Its first line is for /readyz. */
static void report(struct gate *g)
{
    char text[2048];
    size_t n = 0;

    if (g->report_fd < 0) {
        return;
    }
    n += (size_t)snprintf(text + n, sizeof text - n, "%s\n",
                          g->listening ? "ready" : "not ready: no keys from the core yet");
    n += (size_t)snprintf(text + n, sizeof text - n,
                          "# TYPE saatto_gate_frames_total counter\n"
                          "saatto_gate_frames_total{direction=\"in\"} %llu\n"
                          "saatto_gate_frames_total{direction=\"out\"} %llu\n"
                          "# TYPE saatto_gate_refused_total counter\n",
                          (unsigned long long)g->frames_in, (unsigned long long)g->frames_out);
    for (int i = 0; i < REJECT_N; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "saatto_gate_refused_total{reason=\"%s\"} %llu\n", reject_names[i],
                              (unsigned long long)g->rejected[i]);
    }
    n += (size_t)snprintf(text + n, sizeof text - n,
                          "saatto_gate_refused_total{reason=\"unknown_key\"} %llu\n",
                          (unsigned long long)zap_refused(g->zap));
    n += (size_t)snprintf(text + n, sizeof text - n,
                          "# TYPE saatto_gate_connections_total counter\n");
    for (int i = 0; i < CONNECTION_N; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "saatto_gate_connections_total{event=\"%s\"} %llu\n",
                              connection_names[i], (unsigned long long)g->connections[i]);
    }
    process_report(g->report_fd, text, n);
}

static void watch_connections(struct gate *g)
{
    int events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;

    g->monitor = zmq_socket(g->ctx, ZMQ_PAIR);
    STO_ASSERT(g->monitor != NULL);
    set_int(g->monitor, ZMQ_LINGER, 0);
    set_int(g->monitor, ZMQ_RCVHWM, 0); /* libzmq's thread must not wait for us */
    STO_ASSERT(zmq_socket_monitor(g->peers, CONNECTIONS_AT, events) == 0);
    STO_ASSERT(zmq_connect(g->monitor, CONNECTIONS_AT) == 0);
}

static int open_peers(struct gate *g, const struct gate_options *o, struct sto_err *err)
{
    char pub[41], sec[41];
    int rc = process_curve_keys(o->server_key, pub, sec, err);

    if (rc != 0) {
        return rc;
    }
    g->peers = zmq_socket(g->ctx, ZMQ_ROUTER);
    STO_ASSERT(g->peers != NULL);
    int as_server = 1;
    zmq_setsockopt(g->peers, ZMQ_CURVE_SERVER, &as_server, sizeof as_server);
    zmq_setsockopt(g->peers, ZMQ_CURVE_SECRETKEY, sec, 41);
    zmq_setsockopt(g->peers, ZMQ_ZAP_DOMAIN, "saatto", 6);
    int max_rc = set_int(g->peers, 93, 1); /* ZMQ_ZAP_ENFORCE_DOMAIN: no handler, no connection */
    int64_t max = STO_FRAME_BYTES_MAX;
    zmq_setsockopt(g->peers, ZMQ_MAXMSGSIZE, &max, sizeof max);
    set_int(g->peers, ZMQ_HANDSHAKE_IVL, 5000);
    set_int(g->peers, ZMQ_RCVHWM, 64);
    set_int(g->peers, ZMQ_SNDHWM, 2 * (int)STO_SESSION_CREDIT_MSGS);
    set_int(g->peers, ZMQ_BACKLOG, 128);
    set_int(g->peers, ZMQ_LINGER, 0);
    set_int(g->peers, ZMQ_ROUTER_MANDATORY, 1);
    set_int(g->peers, ZMQ_ROUTER_HANDOVER, 0);
    set_int(g->peers, ZMQ_HEARTBEAT_IVL, 2000);
    set_int(g->peers, ZMQ_HEARTBEAT_TIMEOUT, 6000);
    sto_wipe(sec, sizeof sec);
    if (max_rc != 0 || zmq_bind(g->peers, o->listen) != 0) {
        return sto_fail(err, STO_E_IO, "gate: could not listen on '%s': %s", o->listen,
                        zmq_strerror(zmq_errno()));
    }
    rc = zap_self_test(g->zap, g->peers, pub, err);
    watch_connections(g);
    if (rc == 0) {
        g->listening = true;
        g->next_report_us = 0;
        sto_log(STO_INFO, "gate_listening", "endpoint", o->listen, NULL);
    }
    return rc;
}

static int loop(struct gate *g, const struct gate_options *o, struct sto_err *err)
{
    int rc = 0;

    while (!process_stopped() && rc == 0) {
        zmq_pollitem_t items[3] = {{.socket = zap_socket(g->zap), .events = ZMQ_POLLIN},
                                   {.socket = g->core, .events = ZMQ_POLLIN},
                                   {.socket = g->peers, .events = ZMQ_POLLIN}};
        int64_t now = sto_mono_us();
        if (getppid() != o->parent_pid && o->parent_pid != 0) {
            return 0;
        }
        if (now >= g->next_report_us) {
            report(g);
            g->next_report_us = now + STO_US_PER_SEC;
        }
        if (zmq_poll(items, g->peers != NULL ? 3 : 2, 500) < 0 && zmq_errno() != EINTR) {
            return 0;
        }
        if (items[0].revents) {
            zap_serve(g->zap);
        }
        from_core(g);
        if (g->peers != NULL) {
            from_peers(g);
            from_monitor(g);
        } else if (g->core_id != 0) {
            rc = open_peers(g, o, err); /* now that it could let somebody in */
        }
    }
    return rc;
}

int gate_run(const struct gate_options *o, struct sto_err *err)
{
    struct gate g = {.report_fd = o->report_fd};
    int rc;

    if (o->memory_mib != 0) {
        struct rlimit lim = {.rlim_cur = (rlim_t)o->memory_mib << 20,
                             .rlim_max = (rlim_t)o->memory_mib << 20};
        setrlimit(RLIMIT_AS, &lim);
    }
    pack_hello_required(&g);
    g.ctx = zmq_ctx_new();
    STO_ASSERT(g.ctx != NULL);
    g.zap = zap_new(g.ctx);
    g.core = zmq_socket(g.ctx, ZMQ_DEALER);
    set_int(g.core, ZMQ_LINGER, 0);
    set_int(g.core, ZMQ_SNDHWM, 4096);
    set_int(g.core, ZMQ_RCVHWM, 0);
    set_int(g.core, ZMQ_RECONNECT_IVL, 20);
    /* what was queued for a dead core belongs to no session of the new one, which we greet */
    set_int(g.core, ZMQ_IMMEDIATE, 1);
    set_int(g.core, ZMQ_PROBE_ROUTER, 1);
    zmq_setsockopt(g.core, ZMQ_ROUTING_ID, IPC_GATE_NAME, strlen(IPC_GATE_NAME));
    if (zmq_connect(g.core, o->core) != 0) {
        rc = sto_fail(err, STO_E_IO, "gate: could not connect to '%s': %s", o->core,
                      zmq_strerror(zmq_errno()));
    } else {
        rc = loop(&g, o, err);
    }
    zap_destroy(&g.zap);
    if (g.peers != NULL) {
        zmq_close(g.monitor);
        zmq_close(g.peers);
    }
    zmq_close(g.core);
    zmq_ctx_term(g.ctx);
    return rc;
}
