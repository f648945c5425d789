/* SPDX-License-Identifier: EUPL-1.2 */
#include "gate_zap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "ipc.h"
#include "sto_arena.h"
#include "sto_log.h"
#include "sto_time.h"

#define SELF_TEST_US (5 * STO_US_PER_SEC)
#define ZAP_FRAMES   7 /* version, request id, domain, address, identity, mechanism, key */

struct zap {
    void *ctx, *socket;
    char (*keys)[IPC_KEY_BYTES];
    size_t n_keys;
    uint64_t refused;
};

struct zap *zap_new(void *ctx)
{
    struct zap *self = sto_xcalloc(1, sizeof *self);

    self->ctx = ctx;
    self->socket = zmq_socket(ctx, ZMQ_REP);
    STO_ASSERT(self->socket != NULL);
    STO_ASSERT(zmq_bind(self->socket, "inproc://zeromq.zap.01") == 0);
    return self;
}

void zap_destroy(struct zap **self_p)
{
    if (self_p == NULL || *self_p == NULL) {
        return;
    }
    zmq_close((*self_p)->socket);
    free((*self_p)->keys);
    free(*self_p);
    *self_p = NULL;
}

void *zap_socket(struct zap *self)
{
    return self->socket;
}

uint64_t zap_refused(const struct zap *self)
{
    return self->refused;
}

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, IPC_KEY_BYTES);
}

void zap_keys(struct zap *self, const char *keys, size_t n)
{
    free(self->keys);
    self->keys = sto_xcalloc(n + 1, IPC_KEY_BYTES);
    memcpy(self->keys, keys, n * IPC_KEY_BYTES);
    for (size_t i = 0; i < n; i++) {
        self->keys[i][IPC_KEY_BYTES - 1] = '\0';
    }
    qsort(self->keys, n, IPC_KEY_BYTES, by_key);
    self->n_keys = n;
}

static bool known(const struct zap *self, const char key[IPC_KEY_BYTES])
{
    return self->n_keys != 0 &&
           bsearch(key, self->keys, self->n_keys, IPC_KEY_BYTES, by_key) != NULL;
}

struct zap_request {
    char id[256];
    int id_bytes;
    bool curve;
    char key[IPC_KEY_BYTES]; /* Z85 */
};

/* Reads one request; false when none waits or it is no ZAP request. */
static bool receive(struct zap *self, struct zap_request *r)
{
    memset(r, 0, sizeof *r);
    for (int i = 0;; i++) {
        uint8_t frame[256];
        int n = zmq_recv(self->socket, frame, sizeof frame, i == 0 ? ZMQ_DONTWAIT : 0);
        int more = 0;
        size_t size = sizeof more;
        if (n < 0) {
            return false;
        }
        if (i == 1 && n <= (int)sizeof r->id) {
            memcpy(r->id, frame, (size_t)n);
            r->id_bytes = n;
        } else if (i == 5) {
            r->curve = n == 5 && memcmp(frame, "CURVE", 5) == 0;
        } else if (i == ZAP_FRAMES - 1 && n == 32) {
            zmq_z85_encode(r->key, frame, 32);
        }
        if (zmq_getsockopt(self->socket, ZMQ_RCVMORE, &more, &size) != 0 || !more) {
            return true;
        }
    }
}

void zap_serve(struct zap *self)
{
    struct zap_request r;

    while (receive(self, &r)) {
        bool ok = r.curve && known(self, r.key);
        zmq_send(self->socket, "1.0", 3, ZMQ_SNDMORE);
        zmq_send(self->socket, r.id, (size_t)r.id_bytes, ZMQ_SNDMORE);
        zmq_send(self->socket, ok ? "200" : "400", 3, ZMQ_SNDMORE);
        zmq_send(self->socket, ok ? "OK" : "unknown key", ok ? 2 : 11, ZMQ_SNDMORE);
        zmq_send(self->socket, ok ? r.key : "", ok ? IPC_KEY_BYTES - 1 : 0, ZMQ_SNDMORE);
        zmq_send(self->socket, "", 0, 0);
        if (!ok) {
            self->refused++;
            sto_log(STO_WARN, "key_refused", "key", r.key, NULL);
        }
    }
}

static uint16_t monitor_event(void *monitor)
{
    uint8_t frame[16];
    uint16_t event = 0;

    if (zmq_recv(monitor, frame, sizeof frame, ZMQ_DONTWAIT) >= 2) {
        memcpy(&event, frame, sizeof event);
        zmq_recv(monitor, frame, sizeof frame, 0);
    }
    return event;
}

int zap_self_test(struct zap *self, void *server, const char *server_public, struct sto_err *err)
{
    char endpoint[256], pub[41], sec[41];
    size_t size = sizeof endpoint;
    uint64_t refused_before = self->refused;
    bool got_in = false;
    int linger = 0;
    int64_t until = sto_mono_us() + SELF_TEST_US;

    STO_ASSERT(zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0);
    STO_ASSERT(zmq_curve_keypair(pub, sec) == 0);
    void *client = zmq_socket(self->ctx, ZMQ_DEALER);
    void *monitor = zmq_socket(self->ctx, ZMQ_PAIR);
    zmq_setsockopt(client, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, server_public, 41);
    zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, pub, 41);
    zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, sec, 41);
    zmq_socket_monitor(client, "inproc://self-test", ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    zmq_connect(monitor, "inproc://self-test");
    zmq_connect(client, endpoint);
    while (!got_in && self->refused == refused_before && sto_mono_us() < until) {
        zmq_pollitem_t items[2] = {{.socket = self->socket, .events = ZMQ_POLLIN},
                                   {.socket = monitor, .events = ZMQ_POLLIN}};
        zmq_poll(items, 2, 50);
        zap_serve(self);
        got_in = monitor_event(monitor) == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    }
    zmq_socket_monitor(client, NULL, 0);
    zmq_close(client);
    zmq_close(monitor);
    if (got_in || self->refused == refused_before) {
        return sto_fail(err, STO_E_CRYPTO, "gate: self-test: a random key %s",
                        got_in ? "was let in" : "was never asked about");
    }
    sto_log(STO_INFO, "gate_self_test", "result", "refused", NULL);
    return 0;
}
