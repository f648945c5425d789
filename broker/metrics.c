/* SPDX-License-Identifier: EUPL-1.2 */
#include "metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "sto_buf.h"
#include "sto_time.h"

static void line(struct sto_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void line(struct sto_buf *b, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    sto_put_bytes(b, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

static void one(struct sto_buf *b, const char *name, const char *type, double value)
{
    line(b, "# TYPE saatto_%s %s\nsaatto_%s %.17g\n", name, type, name, value);
}

static void histogram(struct sto_buf *b, const char *name, const uint64_t bucket[12],
                      const double *upper, double sum)
{
    uint64_t n = 0;

    line(b, "# TYPE saatto_%s histogram\n", name);
    for (int i = 0; i < 12; i++) {
        n += bucket[i];
        if (i < 11) {
            line(b, "saatto_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, upper[i], n);
        }
    }
    line(b,
         "saatto_%s_bucket{le=\"+Inf\"} %" PRIu64 "\nsaatto_%s_sum %.17g\nsaatto_%s_count %" PRIu64
         "\n",
         name, n, name, sum, name, n);
}

struct queue_arg {
    struct sto_buf *b;
    bool sessions;
};

static void queue(void *arg, const char *org, uint64_t queued, unsigned sessions)
{
    struct queue_arg *q = arg;

    if (q->sessions) {
        line(q->b, "saatto_adapter_connected{org=\"%s\"} %u\n", org, sessions);
    } else {
        line(q->b, "saatto_queue_messages{org=\"%s\"} %" PRIu64 "\n", org, queued);
    }
}

static double resident_bytes(void)
{
    char text[128] = "", *second = text; /* "size resident …", in pages */
    FILE *f = fopen("/proc/self/statm", "re");

    if (f != NULL) {
        if (fgets(text, sizeof text, f) != NULL) {
            strtol(text, &second, 10);
        }
        fclose(f);
    }
    return (double)strtol(second, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

void metrics_report(int fd, const reactor_t *r, const struct reactor_stats *s)
{
    struct sto_buf b;
    static const double seconds[12] = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
                                       0.05,   0.1,   0.2,   0.5,   1,    0};
    static const double events[12] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 0};

    sto_buf_init(&b, 0);
    line(&b, s->ready ? "ready\n" : "not ready: %s\n", s->not_ready != NULL ? s->not_ready : "");
    one(&b, "cases_open", "gauge", (double)s->cases_open);
    one(&b, "cases_without_holder", "gauge", (double)s->cases_without_holder);
    one(&b, "handovers_open", "gauge", (double)s->handovers_open);
    one(&b, "events_committed_total", "counter", (double)s->events_committed);
    one(&b, "events_refused_total", "counter", (double)s->events_refused);
    one(&b, "clocks_fired_total", "counter", (double)s->clocks_fired);
    one(&b, "clocks_late_total", "counter", (double)s->clocks_late);
    one(&b, "outbox_messages", "gauge", (double)s->outbox_rows);
    one(&b, "dead_messages", "gauge", (double)s->dead_rows);
    one(&b, "sessions", "gauge", (double)s->sessions);
    one(&b, "timer_lag_seconds", "gauge", (double)s->timer_lag_us / 1e6);
    one(&b, "batches_total", "counter", (double)s->batches);
    one(&b, "commits_fenced_total", "counter", (double)s->fenced);
    one(&b, "commits_retried_total", "counter", (double)s->retried);
    one(&b, "commits_poisoned_total", "counter", (double)s->poisoned);
    one(&b, "commits_in_doubt_total", "counter", (double)s->doubted);
    one(&b, "cache_bytes", "gauge", (double)s->bytes_cached);
    one(&b, "core_resident_bytes", "gauge", resident_bytes());
    histogram(&b, "commit_seconds", s->commit_bucket, seconds, s->commit_seconds_sum);
    histogram(&b, "batch_events", s->batch_bucket, events, (double)s->events_committed);
    line(&b, "# TYPE saatto_messages_rejected_total counter\n");
    for (int code = 1; code < 64; code++) {
        const struct sto_err_row *row = sto_err_row(code);
        if (row != NULL && s->frames_rejected[code] != 0) {
            line(&b, "saatto_messages_rejected_total{reason=\"%s\"} %" PRIu64 "\n", row->text,
                 s->frames_rejected[code]);
        }
    }
    line(&b, "# TYPE saatto_queue_messages gauge\n");
    reactor_queues(r, queue, &(struct queue_arg){&b, false});
    line(&b, "# TYPE saatto_adapter_connected gauge\n");
    reactor_queues(r, queue, &(struct queue_arg){&b, true});
    if (!b.failed && fd >= 0) {
        process_report(fd, (const char *)b.data, b.len);
    }
    sto_buf_release(&b);
}
