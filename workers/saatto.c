/* SPDX-License-Identifier: Apache-2.0 */
/* libsaatto's public calls: options, threads, the loop. The session lives in saatto_link.c. */
#include "saatto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "saatto_internal.h"
#include "sto_crypto.h"
#include "sto_log.h"
#include "sto_time.h"

#define STEP_MS_MAX    200
#define THREAD_POLL_MS 100

static int public_error(const struct sto_err *from, struct saatto_error *to)
{
    if (to != NULL) {
        to->code = from->code;
        snprintf(to->what, sizeof to->what, "%s", from->what);
        snprintf(to->fix, sizeof to->fix, "%s", from->fix);
    }
    return -from->code;
}

static const char *own(const char *s)
{
    return s != NULL ? sto_xstrdup(s) : NULL;
}

static void disown(const char *s)
{
    free((char *)(uintptr_t)s);
}

static int check_options(const struct saatto_options *o, struct sto_err *err)
{
    if (o->endpoint == NULL || o->server_key == NULL || o->public_key == NULL ||
        o->secret_key == NULL || o->organisation == NULL) {
        return sto_fail(
            err, STO_E_USAGE,
            "endpoint, server_key, public_key, secret_key and organisation are all needed");
    }
    if (strlen(o->server_key) != 40 || strlen(o->public_key) != 40 || strlen(o->secret_key) != 40) {
        return sto_fail(err, STO_E_CRYPTO,
                        "server_key, public_key and secret_key must be Z85 text of 40 characters");
    }
    return 0;
}

static void own_options(saatto_t *s, const struct saatto_options *o)
{
    s->o = *o;
    s->o.endpoint = own(o->endpoint);
    s->o.server_key = own(o->server_key);
    s->o.public_key = own(o->public_key);
    s->o.secret_key = own(o->secret_key);
    s->o.organisation = own(o->organisation);
    s->o.program = own(o->program);
    s->o.state_dir = own(o->state_dir);
    if (s->o.credit_messages > STO_SESSION_CREDIT_MSGS) {
        s->o.credit_messages = STO_SESSION_CREDIT_MSGS;
    }
}

int saatto_open(const struct saatto_options *options, saatto_t **out, struct saatto_error *error)
{
    struct sto_err err = {0};
    int rc = check_options(options, &err);
    pthread_mutexattr_t recursive;

    rc = rc != 0 ? rc : sto_crypto_init(&err);
    if (rc != 0) {
        return public_error(&err, error);
    }
    saatto_t *s = sto_xcalloc(1, sizeof *s);
    own_options(s, options);
    pthread_mutexattr_init(&recursive); /* callbacks may send */
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&s->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    s->arena = sto_arena_new(8u * STO_DECODE_ARENA_BYTES);
    s->ctx = zmq_ctx_new();
    STO_ASSERT(s->ctx != NULL);
    s->wake_rx = zmq_socket(s->ctx, ZMQ_PAIR);
    s->wake_tx = zmq_socket(s->ctx, ZMQ_PAIR);
    STO_ASSERT(zmq_bind(s->wake_rx, "inproc://wake") == 0 &&
               zmq_connect(s->wake_tx, "inproc://wake") == 0);
    rc = sendlog_open(options->state_dir, &s->log, &err);
    rc = rc != 0 ? rc : link_open(s, &err);
    if (rc != 0) {
        saatto_close(&s);
        return public_error(&err, error);
    }
    *out = s;
    return 0;
}

void saatto_close(saatto_t **self_p)
{
    if (self_p == NULL || *self_p == NULL) {
        return;
    }
    saatto_t *s = *self_p;
    saatto_thread_stop(s);
    link_close(s);
    zmq_close(s->wake_rx);
    zmq_close(s->wake_tx);
    zmq_ctx_term(s->ctx);
    sendlog_close(&s->log);
    for (unsigned i = 0; i < STO_SHARDS_MAX; i++) {
        intake_release(&s->intake[i]);
    }
    sto_arena_destroy(&s->arena);
    pthread_mutex_destroy(&s->lock);
    disown(s->o.endpoint);
    disown(s->o.server_key);
    disown(s->o.public_key);
    sto_wipe((char *)(uintptr_t)s->o.secret_key, strlen(s->o.secret_key));
    disown(s->o.secret_key);
    disown(s->o.organisation);
    disown(s->o.program);
    disown(s->o.state_dir);
    free(s);
    *self_p = NULL;
}

/* Another thread waits in poll: tell it that there is something to send. */
static void wake(saatto_t *s)
{
    if (s->threaded && !pthread_equal(pthread_self(), s->thread)) {
        zmq_send(s->wake_tx, "", 0, ZMQ_DONTWAIT);
    }
}

int64_t saatto_send(saatto_t *s, const struct saatto_event *event, struct saatto_error *error)
{
    struct sto_err err = {0};
    const uint8_t *p = NULL;
    size_t n = 0;
    int64_t ticket = 0;
    /* an arena of its own: callbacks send while the step's arena holds the delivery that they read
     */
    sto_arena_t *arena = sto_arena_new(4u * STO_FRAME_BYTES_MAX);

    pthread_mutex_lock(&s->lock);
    int rc = event_pack(event, arena, &p, &n, &err);
    if (rc == 0) {
        ticket = sendlog_append(s->log, event->case_id[15], p, n, &err);
        s->clock_stirred = true;
        wake(s);
    }
    pthread_mutex_unlock(&s->lock);
    sto_arena_destroy(&arena);
    return rc != 0 ? public_error(&err, error) : ticket < 0 ? public_error(&err, error) : ticket;
}

void saatto_ack(saatto_t *s, unsigned shard, uint64_t seq)
{
    pthread_mutex_lock(&s->lock);
    if (shard < STO_SHARDS_MAX) {
        intake_answer(&s->intake[shard], seq, INTAKE_DONE, 0);
        s->clock_stirred = true;
        wake(s);
    }
    pthread_mutex_unlock(&s->lock);
}

size_t saatto_unreceipted(const saatto_t *s)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&s->lock;
    pthread_mutex_lock(lock);
    size_t n = sendlog_waiting(s->log);
    pthread_mutex_unlock(lock);
    return n;
}

bool saatto_connected(const saatto_t *s)
{
    return s->state == LINK_LIVE;
}

int64_t saatto_domain_now(const saatto_t *s)
{
    return s->manual ? s->domain_us : sto_real_us();
}

int saatto_fd(const saatto_t *s)
{
    int fd = -1;
    size_t size = sizeof fd;

    zmq_getsockopt(s->socket, ZMQ_FD, &fd, &size);
    return fd;
}

static bool more_to_read(const saatto_t *s)
{
    int events = 0;
    size_t size = sizeof events;

    return zmq_getsockopt(s->socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

int saatto_step(saatto_t *s, int timeout_ms, struct saatto_error *error)
{
    zmq_pollitem_t items[2] = {{.socket = s->socket, .events = ZMQ_POLLIN},
                               {.socket = s->wake_rx, .events = ZMQ_POLLIN}};
    struct sto_err err = {0};

    pthread_mutex_lock(&s->lock);
    int rc = link_flush(s, &err);
    pthread_mutex_unlock(&s->lock);
    zmq_poll(items, 2, timeout_ms < STEP_MS_MAX ? timeout_ms : STEP_MS_MAX);
    if (items[1].revents) {
        char none;
        while (zmq_recv(s->wake_rx, &none, 1, ZMQ_DONTWAIT) >= 0) {
        }
    }
    pthread_mutex_lock(&s->lock);
    link_receive(s);
    rc = rc != 0 ? rc : link_flush(s, &err);
    if (rc == 0 && s->err.code != 0) {
        err = s->err;
        s->err = (struct sto_err){0};
        rc = -err.code;
    }
    pthread_mutex_unlock(&s->lock);
    if (rc != 0) {
        return public_error(&err, error);
    }
    /* The descriptor tells of changes only, and sending may have swallowed one. */
    return more_to_read(s) ? 0 : STEP_MS_MAX;
}

static void *thread_main(void *arg)
{
    saatto_t *s = arg;

    while (!__atomic_load_n(&s->stopping, __ATOMIC_ACQUIRE)) {
        struct saatto_error error = {0};
        if (saatto_step(s, THREAD_POLL_MS, &error) < 0) {
            sto_log(STO_WARN, "saatto_step", "code", saatto_code_text(error.code), "what",
                    error.what, NULL);
        }
    }
    return NULL;
}

int saatto_thread_start(saatto_t *s, struct saatto_error *error)
{
    struct sto_err err = {0};

    if (s->threaded) {
        return 0;
    }
    s->stopping = false;
    s->threaded = true;
    if (pthread_create(&s->thread, NULL, thread_main, s) != 0) {
        s->threaded = false;
        sto_fail(&err, STO_E_LIMIT, "could not start a thread");
        return public_error(&err, error);
    }
    return 0;
}

void saatto_thread_stop(saatto_t *s)
{
    if (!s->threaded) {
        return;
    }
    __atomic_store_n(&s->stopping, true, __ATOMIC_RELEASE);
    wake(s);
    pthread_join(s->thread, NULL);
    s->threaded = false;
}

/* Sends an operator's frame once the session lives and waits for its answer. */
static int operate(saatto_t *s, unsigned type, unsigned answer, ProtobufCMessage *m,
                   uint64_t *session, int timeout_ms, struct saatto_error *error)
{
    int64_t until = sto_mono_us() + (int64_t)timeout_ms * 1000;
    struct sto_err err = {0};
    uint64_t sent =
        0; /* session that it was sent on: a broker that was started anew must be asked again */

    s->op.waiting = true;
    s->op.type = answer;
    s->op.code = 0;
    while (s->op.waiting && sto_mono_us() < until) {
        int rc = saatto_step(s, 50, error);
        if (rc < 0) {
            return rc;
        }
        if (s->state == LINK_LIVE && sent != s->session) {
            *session = s->session;
            sent = link_send(s, type, m) ? s->session : sent;
        }
    }
    if (s->op.waiting) {
        sto_fail(&err, sent != 0 ? STO_E_TIMEOUT : STO_E_UNREACHABLE,
                 sent != 0 ? "no answer in %d ms" : "no session with the broker in %d ms",
                 timeout_ms);
        return public_error(&err, error);
    }
    if (s->op.code != 0) {
        sto_fail(&err, (enum sto_code)s->op.code, "refused by the broker");
        if (s->op.code == STO_E_CLOCK_BUSY) {
            snprintf(err.what, sizeof err.what, "the clock cannot advance: '%s' is not idle",
                     s->op.waiting_for);
        }
        return public_error(&err, error);
    }
    return 0;
}

int saatto_advance(saatto_t *s, int64_t target_us, int64_t *now_us, char *waiting_for, size_t cap,
                   int timeout_ms, struct saatto_error *error)
{
    Saatto__V1__Advance m;

    saatto__v1__advance__init(&m);
    m.target_us = target_us;
    int rc = operate(s, SAATTO__V1__FRAME_TYPE__ADVANCE, SAATTO__V1__FRAME_TYPE__CLOCK_STATE,
                     &m.base, &m.session, timeout_ms, error);
    if (now_us != NULL) {
        *now_us = s->op.now_us;
    }
    if (waiting_for != NULL && cap != 0) {
        snprintf(waiting_for, cap, "%s", s->op.waiting_for);
    }
    return rc;
}

int saatto_redrive(saatto_t *s, unsigned shard, unsigned organisation, uint64_t seq,
                   unsigned *count, int timeout_ms, struct saatto_error *error)
{
    Saatto__V1__Redrive m;

    saatto__v1__redrive__init(&m);
    m.shard = shard;
    m.organisation = organisation;
    m.seq = seq;
    int rc = operate(s, SAATTO__V1__FRAME_TYPE__REDRIVE, SAATTO__V1__FRAME_TYPE__REDRIVEN, &m.base,
                     &m.session, timeout_ms, error);
    if (count != NULL) {
        *count = s->op.count;
    }
    return rc;
}

unsigned saatto_event_kind(const char *name)
{
    return (unsigned)event_kind_parse(name);
}

unsigned saatto_reason(const char *name)
{
    return (unsigned)reason_parse(name);
}

const char *saatto_code_text(int code)
{
    const struct sto_err_row *row = sto_err_row(code < 0 ? -code : code);
    return row != NULL ? row->text : "";
}

void saatto_case_id(const uint8_t secret[32], const char *record_key, const uint8_t client[16],
                    uint8_t out[16])
{
    struct sto_uuid c, id;

    memcpy(c.b, client, 16);
    case_id_make(secret, record_key, &c, &id);
    memcpy(out, id.b, 16);
}
