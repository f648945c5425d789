/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Adapter exec: answers each delivery by running the organisation's program
 * (docs/how-to/connect-a-program.md). Deliveries of one case run one after the
 * other, others side by side up to a limit.
 *
 * A delivery is acknowledged only after its events are in the outbox, or after
 * its failure stands in failed.jsonl. Who falls between the program's run and
 * that has it run again, with the same `delivery`.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapter.h"
#include "exec_child.h"
#include "exec_json.h"
#include "sto_arena.h"
#include "sto_file.h"
#include "sto_log.h"
#include "sto_time.h"
#include "sto_uuid.h"

#define EXIT_DONE  0
#define EXIT_LATER 75 /* EX_TEMPFAIL of sysexits.h */
#define RETRY_MS                                                                                   \
    5000 /* an outbox or failure file that cannot be written, a program that cannot be started */
#define ANSWER_ARENA_MAX ((size_t)32 * 1024 * 1024)

struct job {
    struct job *next;
    unsigned shard;
    uint64_t seq;
    char kind[16];
    struct exec_origin origin;
    char *input;
    child_t *child; /* NULL = waits */
};
struct exec_adapter {
    const struct link *link;
    const char *organisation, *program;
    char *failed_path;
    unsigned children_max, defer_ms;
    size_t output_max;
    int64_t limit_us;
    struct job *jobs; /* in order of arrival */
    unsigned running;
    bool stopping;
    uint64_t done, deferred, failed;
};

/* ---------------------------------------------------------------- ends of a job */

static void log_job(enum sto_level level, const char *event, const struct job *j, const char *key,
                    const char *value)
{
    struct sto_uuid id;
    char text[37];

    memcpy(id.b, j->origin.case_id, sizeof id.b);
    sto_log(level, event, "case", sto_uuid_format(&id, text), "kind", j->kind, "shard",
            sto_i((int64_t)j->shard), "seq", sto_i((int64_t)j->seq), key, value, NULL);
}

static void job_free(struct job *j)
{
    child_destroy(&j->child);
    free(j->input);
    free(j);
}

static int append_line(const char *path, const char *line, struct sto_err *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600), rc = 0;
    char *whole = sto_asprintf("%s\n", line);
    size_t n = strlen(whole);

    if (fd < 0 || write(fd, whole, n) != (ssize_t)n || fsync(fd) != 0) {
        rc = sto_fail(err, STO_E_IO, "could not write '%s': %s", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    free(whole);
    return rc;
}

/* One line of failed.jsonl: when, why, and the delivery itself, so that people can redo it. */
static int write_failure(const struct exec_adapter *a, const struct job *j, const char *reason,
                         struct sto_err *err)
{
    char now[40];
    json_t *delivery = json_loads(j->input, 0, NULL);
    json_t *o =
        json_pack("{s:s, s:s, s:o*}", "failed", sto_us_format(sto_real_us(), now, sizeof now),
                  "reason", reason, "delivery", delivery);
    char *line = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
    STO_ASSERT(line != NULL);
    int rc = append_line(a->failed_path, line, err);

    free(line);
    json_decref(o);
    return rc;
}

static void put_off(struct exec_adapter *a, const struct job *j, unsigned ms)
{
    a->deferred++;
    a->link->defer(a->link->arg, j->shard, j->seq, ms);
}

static void fail(struct exec_adapter *a, const struct job *j, const char *reason)
{
    struct sto_err err = {0};

    log_job(STO_ERROR, "program_failed", j, "reason", reason);
    if (write_failure(a, j, reason, &err) != 0) {
        log_job(STO_ERROR, "failure_not_written", j, "error", err.what);
        put_off(a, j, RETRY_MS); /* nothing may vanish */
        return;
    }
    a->failed++;
    a->link->ack(a->link->arg, j->shard, j->seq);
}

/* Into the outbox, then the acknowledgement; libsaatto syncs the one before it sends the other. */
static void send_events(struct exec_adapter *a, const struct job *j,
                        const struct saatto_event *events, size_t n)
{
    struct sto_err err = {0};

    for (size_t i = 0; i < n; i++) {
        int64_t ticket = a->link->send(a->link->arg, &events[i], &err);
        if (ticket < 0 && err.code == STO_E_IO) {
            log_job(STO_ERROR, "event_not_sent", j, "error", err.what);
            put_off(a, j, RETRY_MS);
            return;
        }
        if (ticket < 0) {
            fail(a, j, err.what);
            return;
        }
        log_job(STO_DEBUG, "event_sent", j, "ticket", sto_i(ticket));
    }
    a->done++;
    a->link->ack(a->link->arg, j->shard, j->seq);
}

static void take_answer(struct exec_adapter *a, const struct job *j)
{
    struct saatto_event events[EXEC_EVENTS_MAX];
    struct sto_err err = {0};
    size_t n_events = 0, n = 0;
    const char *text = child_output(j->child, &n);
    sto_arena_t *arena = sto_arena_new(ANSWER_ARENA_MAX);

    if (exec_output(text != NULL ? text : "", n, &j->origin, arena, events, &n_events, &err) != 0) {
        fail(a, j, err.what);
    } else {
        send_events(a, j, events, n_events);
    }
    sto_arena_destroy(&arena);
}

static void ended(struct exec_adapter *a, const struct job *j)
{
    int status = 0;
    char reason[80];
    enum child_end how = child_how(j->child, &status);

    if (a->stopping && (how != CHILD_EXITED || status != EXIT_DONE)) {
        return; /* by our own hand: not acknowledged, so it comes again */
    }
    switch (how) {
    case CHILD_EXITED:
        if (status == EXIT_DONE) {
            take_answer(a, j);
        } else if (status == EXIT_LATER) {
            log_job(STO_INFO, "program_later", j, "ms", sto_i((int64_t)a->defer_ms));
            put_off(a, j, a->defer_ms);
        } else {
            snprintf(reason, sizeof reason, "the program ended with exit status %d", status);
            fail(a, j, reason);
        }
        break;
    case CHILD_SIGNALLED:
        snprintf(reason, sizeof reason, "the program was ended by signal %d", status);
        fail(a, j, reason);
        break;
    case CHILD_TIMED_OUT:
        snprintf(reason, sizeof reason, "the program ran longer than %lld ms",
                 (long long)(a->limit_us / 1000));
        fail(a, j, reason);
        break;
    case CHILD_TOO_MUCH:
        snprintf(reason, sizeof reason, "the program wrote more than %zu bytes", a->output_max);
        fail(a, j, reason);
        break;
    case CHILD_RUNS:
        break;
    }
}

/* ---------------------------------------------------------------- running */

/* An earlier delivery of the same case that is not through yet? */
static bool must_wait(const struct exec_adapter *a, const struct job *j)
{
    for (const struct job *x = a->jobs; x != j; x = x->next) {
        if (memcmp(x->origin.case_id, j->origin.case_id, sizeof j->origin.case_id) == 0) {
            return true;
        }
    }
    return false;
}

/* False: it could not be started and was put off. */
static bool start(struct exec_adapter *a, struct job *j, int64_t now_us)
{
    struct sto_err err = {0};

    if (child_start(a->program, j->input, a->output_max, a->limit_us, now_us, &j->child, &err) !=
        0) {
        log_job(STO_ERROR, "program_not_started", j, "error", err.what);
        put_off(a, j, RETRY_MS);
        return false;
    }
    a->running++;
    return true;
}

static void step_running(struct exec_adapter *a, int64_t now_us)
{
    for (struct job **at = &a->jobs; *at != NULL;) {
        struct job *j = *at;
        if (j->child == NULL || !child_step(j->child, now_us)) {
            at = &j->next;
            continue;
        }
        ended(a, j);
        a->running--;
        *at = j->next;
        job_free(j);
    }
}

static void start_waiting(struct exec_adapter *a, int64_t now_us)
{
    for (struct job **at = &a->jobs; *at != NULL && a->running < a->children_max;) {
        struct job *j = *at;
        if (j->child != NULL || must_wait(a, j) || start(a, j, now_us)) {
            at = &j->next;
            continue;
        }
        *at = j->next;
        job_free(j);
    }
}

static int step(void *self, int64_t now_us)
{
    struct exec_adapter *a = self;
    int64_t next = now_us + INT64_C(1000) * ADAPTER_WAIT_MAX;

    step_running(a, now_us);
    if (!a->stopping) {
        start_waiting(a, now_us);
    }
    for (const struct job *j = a->jobs; j != NULL; j = j->next) {
        if (j->child != NULL && child_deadline_us(j->child) < next) {
            next = child_deadline_us(j->child);
        }
    }
    return next <= now_us ? 0 : (int)((next - now_us) / 1000) + 1;
}

static unsigned fds(void *self, struct pollfd *list, unsigned cap)
{
    struct exec_adapter *a = self;
    unsigned n = 0;

    for (const struct job *j = a->jobs; j != NULL && n + CHILD_FDS <= cap; j = j->next) {
        if (j->child != NULL) {
            n += child_fds(j->child, list + n);
        }
    }
    return n;
}

static bool stop(void *self, int64_t now_us)
{
    struct exec_adapter *a = self;

    a->stopping = true;
    for (struct job *j = a->jobs; j != NULL; j = j->next) {
        if (j->child != NULL) {
            child_stop(j->child, now_us);
        }
    }
    return a->running == 0;
}

/* ---------------------------------------------------------------- callbacks */

static int on_delivery(void *self, const struct saatto_delivery *d, int64_t now_us)
{
    struct exec_adapter *a = self;
    struct job *j = sto_xcalloc(1, sizeof *j), **at = &a->jobs;

    (void)now_us;
    j->shard = d->shard;
    j->seq = d->seq;
    snprintf(j->kind, sizeof j->kind, "%s", d->kind);
    memcpy(j->origin.case_id, d->case_id, sizeof j->origin.case_id);
    j->origin.token = d->token;
    j->origin.entry = d->entry;
    j->origin.offer = d->offer;
    j->input = exec_input(a->organisation, d);
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = j;
    return SAATTO_LATER;
}

/* The broker's no to an event: the program is long gone, so people must learn of it. */
static void on_result(void *self, int64_t ticket, int code, const char *what)
{
    struct exec_adapter *a = self;
    struct sto_err err = {0};
    char now[40];

    if (code == 0 || code == STO_E_ALREADY) {
        return;
    }
    a->failed++;
    sto_log(STO_ERROR, "event_refused", "ticket", sto_i(ticket), "code", saatto_code_text(code),
            "what", what, NULL);
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:I}", "failed", sto_us_format(sto_real_us(), now, sizeof now),
                  "reason", saatto_code_text(code), "what", what, "ticket", (json_int_t)ticket);
    char *line = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
    if (line != NULL && append_line(a->failed_path, line, &err) != 0) {
        sto_log(STO_ERROR, "failure_not_written", "error", err.what, NULL);
    }
    free(line);
    json_decref(o);
}

static void close_exec(void **self_p)
{
    struct exec_adapter *a = *self_p;

    if (a == NULL) {
        return;
    }
    while (a->jobs != NULL) { /* not acknowledged: they come again */
        struct job *j = a->jobs;
        a->jobs = j->next;
        job_free(j);
    }
    sto_log(STO_INFO, "programs", "done", sto_i((int64_t)a->done), "deferred",
            sto_i((int64_t)a->deferred), "failed", sto_i((int64_t)a->failed), NULL);
    free(a->failed_path);
    free(a);
    *self_p = NULL;
}

static int open_exec(const struct link *link, const sto_settings_t *s, void **self,
                     struct sto_err *err)
{
    const char *program = sto_settings_str(s, "program");

    if (access(program, X_OK) != 0) {
        return sto_fail(err, STO_E_CONFIG, "program '%s' cannot be run: %s", program,
                        strerror(errno));
    }
    struct exec_adapter *a = sto_xcalloc(1, sizeof *a);
    a->link = link;
    a->organisation = sto_settings_str(s, "organisation");
    a->program = program;
    a->failed_path = sto_asprintf("%s/failed.jsonl", sto_settings_str(s, "state-dir"));
    a->children_max = (unsigned)sto_settings_int(s, "children");
    a->defer_ms = (unsigned)sto_settings_int(s, "defer");
    a->output_max = (size_t)sto_settings_int(s, "output-limit");
    a->limit_us = sto_settings_int(s, "time-limit") * 1000;
    *self = a;
    return 0;
}

const struct adapter adapter_exec = {.name = "exec",
                                     .clock = false,
                                     .open = open_exec,
                                     .close = close_exec,
                                     .on_delivery = on_delivery,
                                     .on_result = on_result,
                                     .fds = fds,
                                     .step = step,
                                     .stop = stop};
