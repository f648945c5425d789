/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * saatto-worker's loop. Everything runs in one thread: libsaatto by its foreign
 * loop, the adapter by its descriptors and timers, signals by a signalfd. It
 * knows nothing of what an adapter does with a delivery.
 */
#include "worker_loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "adapter.h"
#include "sto_crypto.h"
#include "sto_file.h"
#include "sto_log.h"
#include "sto_time.h"
#include "worker_settings.h"

#define STOP_MS      10000 /* an adapter that has not ended by then is left behind */
#define ERROR_LOG_US (5 * STO_US_PER_SEC)

struct worker {
    const struct adapter *adapter;
    void *self;
    saatto_t *client;
    struct link link;
    bool connected_once, manual;
    bool stirred; /* a callback ran since the adapter was last asked */
    int64_t error_us;
    int error_code;
    uint64_t deliveries, refused;
};

/* ---------------------------------------------------------------- link */

static int64_t link_send_event(void *arg, const struct saatto_event *e, struct sto_err *err)
{
    struct worker *w = arg;
    struct saatto_error error = {0};
    int64_t ticket = saatto_send(w->client, e, &error);

    if (ticket < 0) {
        sto_fail(err, (enum sto_code)error.code, "%s", error.what);
    }
    return ticket;
}

static void link_ack(void *arg, unsigned shard, uint64_t seq)
{
    saatto_ack(((struct worker *)arg)->client, shard, seq);
}

static void link_defer(void *arg, unsigned shard, uint64_t seq, unsigned after_ms)
{
    saatto_defer(((struct worker *)arg)->client, shard, seq, after_ms);
}

static int64_t link_last_ticket(void *arg)
{
    return saatto_last_ticket(((struct worker *)arg)->client);
}

static bool link_ticket_waits(void *arg, int64_t ticket)
{
    return saatto_ticket_waits(((struct worker *)arg)->client, ticket);
}

/* ---------------------------------------------------------------- libsaatto's callbacks */

static int on_delivery(void *arg, const struct saatto_delivery *d)
{
    struct worker *w = arg;

    w->stirred = true;
    w->deliveries++;
    return w->adapter->on_delivery(w->self, d, saatto_domain_now(w->client));
}

static void on_result(void *arg, uint64_t ticket, int code, const char *what, const uint8_t *leaf)
{
    struct worker *w = arg;

    (void)leaf;
    w->stirred = true;
    w->refused += code != 0;
    w->adapter->on_result(w->self, (int64_t)ticket, code, what != NULL ? what : "");
}

static int64_t on_clock(void *arg, int64_t now_us)
{
    struct worker *w = arg;

    w->stirred = true; /* what it sends leaves at the next step */
    return w->adapter->act != NULL ? w->adapter->act(w->self, now_us) : 0;
}

static void on_state(void *arg, bool connected, int64_t domain_now_us, bool manual_clock)
{
    struct worker *w = arg;
    char now[40];

    w->stirred = true;
    w->connected_once = w->connected_once || connected;
    w->manual = manual_clock;
    sto_log(STO_INFO, connected ? "connected" : "disconnected", "clock",
            manual_clock ? "manual" : "real", "now", sto_us_format(domain_now_us, now, sizeof now),
            NULL);
}

static int open_client(struct worker *w, const sto_settings_t *s, const char *version,
                       struct sto_err *err)
{
    char server[Z85_KEY_CHARS + 1], public_key[Z85_KEY_CHARS + 1], secret[Z85_KEY_CHARS + 1];
    int rc = worker_server_key(sto_settings_str(s, "server-key"), server, err);

    rc = rc != 0 ? rc : worker_key_pair(sto_settings_str(s, "key"), public_key, secret, err);
    if (rc != 0) {
        return rc;
    }
    char *program = sto_asprintf("saatto-worker %s %s", w->adapter->name, version);
    struct saatto_options o = {.endpoint = sto_settings_str(s, "endpoint"),
                               .server_key = server,
                               .public_key = public_key,
                               .secret_key = secret,
                               .organisation = sto_settings_str(s, "organisation"),
                               .program = program,
                               .state_dir = sto_settings_str(s, "state-dir"),
                               .credit_messages = (unsigned)sto_settings_int(s, "credit"),
                               .clock = w->adapter->clock,
                               .on_delivery = on_delivery,
                               .on_result = on_result,
                               .on_clock = w->adapter->act != NULL ? on_clock : NULL,
                               .on_state = on_state,
                               .arg = w};
    struct saatto_error error = {0};
    if (saatto_open(&o, &w->client, &error) != 0) {
        rc = sto_fail(err, (enum sto_code)error.code, "%s", error.what);
        sto_err_fix(err, "%s", error.fix);
    }
    sto_wipe(secret, sizeof secret);
    free(program);
    return rc;
}

/* ---------------------------------------------------------------- loop */

/* The same failure again and again (a broker that refuses) is told once in a while. */
static void step_failed(struct worker *w, const struct saatto_error *error, int64_t now)
{
    if (error->code == w->error_code && now - w->error_us < ERROR_LOG_US) {
        return;
    }
    w->error_code = error->code;
    w->error_us = now;
    sto_log(STO_WARN, "link_failed", "code", saatto_code_text(error->code), "what", error->what,
            NULL);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* One turn; returns ms that nothing needs to be done. */
static int turn(struct worker *w)
{
    struct saatto_error error = {0};
    int wait = ADAPTER_WAIT_MAX;

    w->stirred = false;
    if (w->adapter->step != NULL) {
        wait = w->adapter->step(w->self, sto_mono_us());
    }
    if (w->adapter->act != NULL && w->connected_once && !w->manual) {
        int64_t now = sto_real_us();
        int64_t wake = w->adapter->act(w->self, now);
        int64_t ms = wake == 0 ? ADAPTER_WAIT_MAX : (wake - now) / 1000 + 1;
        wait = least(wait, ms < 0 ? 0 : ms > ADAPTER_WAIT_MAX ? ADAPTER_WAIT_MAX : (int)ms);
    }
    int step = saatto_step(w->client, 0, &error);
    if (step < 0) {
        step_failed(w, &error, sto_mono_us());
        step = 100;
    }
    return w->stirred ? 0 : least(wait, step);
}

/* Waits for the broker, the adapter or a signal; true = end. */
static bool wait_for_work(struct worker *w, int signals, int ms)
{
    struct pollfd fds[ADAPTER_FDS_MAX + 2];
    unsigned n = 2;

    fds[0] = (struct pollfd){.fd = signals, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = saatto_fd(w->client), .events = POLLIN};
    if (w->adapter->fds != NULL) {
        n += w->adapter->fds(w->self, fds + 2, ADAPTER_FDS_MAX);
    }
    if (poll(fds, n, ms) > 0 && (fds[0].revents & POLLIN) != 0) {
        struct signalfd_siginfo info;
        return read(signals, &info, sizeof info) == (ssize_t)sizeof info;
    }
    return false;
}

/* What runs may end; its events and acknowledgements still leave. */
static void stop(struct worker *w, int signals)
{
    int64_t until = sto_mono_us() + INT64_C(1000) * STOP_MS;

    while (w->adapter->stop != NULL && !w->adapter->stop(w->self, sto_mono_us()) &&
           sto_mono_us() < until) {
        int ms = turn(w);
        wait_for_work(w, signals, least(ms, 100));
    }
    struct saatto_error error = {0};
    saatto_step(w->client, 0, &error);
}

static int open_signals(struct sto_err *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    int fd = sigprocmask(SIG_BLOCK, &set, NULL) == 0
                 ? signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)
                 : -1;
    if (fd < 0) {
        return sto_fail(err, STO_E_IO, "could not watch signals: %s", strerror(errno));
    }
    return fd;
}

int worker_run(const sto_settings_t *settings, const char *version, struct sto_err *err)
{
    struct worker w = {.adapter = adapter_find(sto_settings_str(settings, "adapter"))};
    STO_ASSERT(w.adapter != NULL);
    int signals = open_signals(err);

    if (signals < 0) {
        return signals;
    }
    w.link = (struct link){.arg = &w,
                           .send = link_send_event,
                           .ack = link_ack,
                           .defer = link_defer,
                           .last_ticket = link_last_ticket,
                           .ticket_waits = link_ticket_waits};
    /* The client first: its lock on the state folder guards the adapter's files too. */
    int rc = open_client(&w, settings, version, err);
    rc = rc != 0 ? rc : w.adapter->open(&w.link, settings, &w.self, err);
    if (rc == 0) {
        sto_log(STO_INFO, "started", "org", sto_settings_str(settings, "organisation"), "adapter",
                w.adapter->name, "endpoint", sto_settings_str(settings, "endpoint"), NULL);
        while (!wait_for_work(&w, signals, turn(&w))) {
        }
        stop(&w, signals);
        sto_log(STO_INFO, "stopped", "deliveries", sto_i((int64_t)w.deliveries), "refused",
                sto_i((int64_t)w.refused), "unreceipted",
                sto_i((int64_t)saatto_unreceipted(w.client)), NULL);
    }
    w.adapter->close(&w.self);
    saatto_close(&w.client);
    close(signals);
    return rc;
}
