/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * saatto bench: brings up its own installation in a temporary folder, drives it with four worker
 * processes over CURVE, and prints one JSON object for each figure. It measures and never judges;
 * the limit comes from the batches of the same run.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench_limit.h"
#include "bench_share.h"
#include "bench_stat.h"
#include "child.h"
#include "client.h"
#include "db.h"
#include "dev_run.h"
#include "nouns.h"
#include "sto_arena.h"
#include "sto_file.h"
#include "sto_time.h"

#define LEVELS_MAX  16
#define WARM_UP_MS  1500
#define SETTLE_MS   10000
#define PACE_US     1000
#define SWEEP_POLLS 200

struct bench {
    struct cli *c;
    char *dir, *share_path, *capture, *home;
    pid_t sweeper; /* removes dir when this process ends, however that comes */
    int sweeper_fd;
    struct dev_run run;
    bool running;
    struct child workers[BENCH_WORKERS];
    struct bench_share *share;
    int64_t seconds;
};

static void wait_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static int make_share(struct bench *b, struct sto_err *err)
{
    b->share_path = sto_asprintf("%s/share", b->dir);
    int fd = open(b->share_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || ftruncate(fd, (off_t)sizeof *b->share) != 0) {
        return sto_fail(err, STO_E_IO, "could not make '%s'", b->share_path);
    }
    b->share = mmap(NULL, sizeof *b->share, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (b->share == MAP_FAILED) {
        b->share = NULL;
        return sto_fail(err, STO_E_IO, "could not map '%s'", b->share_path);
    }
    return 0;
}

static int start_workers(struct bench *b, int64_t cases, struct sto_err *err)
{
    char *dir = program_dir();
    char *program = sto_asprintf("%s/saatto", dir);
    int rc = 0;

    for (int i = 0; i < BENCH_WORKERS && rc == 0; i++) {
        char index[8], number[16];
        char *log = sto_asprintf("%s/worker-%d.log", b->dir, i);
        snprintf(index, sizeof index, "%d", i);
        snprintf(number, sizeof number, "%lld", (long long)(i == 0 ? cases : 0));
        const char *argv[] = {program,   "bench", "worker", index,        "--share", b->share_path,
                              "--cases", number,  "--var",  b->run.o.var, NULL};
        child_init(&b->workers[i], "bench worker", log, false, argv);
        rc = child_start(&b->workers[i], sto_mono_us(), err);
        free(log);
    }
    free(program);
    free(dir);
    return rc;
}

/* All cases started and resting at their first turn. */
static int wait_resting(struct bench *b, uint32_t cases, struct sto_err *err)
{
    int64_t until = sto_mono_us() + SETTLE_MS * 1000 + (int64_t)cases * 2000;
    uint32_t n = 0;

    while (n < cases && sto_mono_us() < until) {
        n = 0;
        for (uint32_t i = 0; i < cases; i++) {
            n += atomic_load(&b->share->resting[i]);
        }
        wait_ms(10);
    }
    if (n < cases) {
        char tail[400];
        char *log = sto_asprintf("%s/worker-0.log", b->dir);
        int rc = sto_fail(err, STO_E_TIMEOUT, "only %u of %u cases came to rest: %s", n, cases,
                          log_tail(log, tail, sizeof tail));
        free(log);
        return rc;
    }
    return 0;
}

static int bring_up(struct bench *b, uint32_t cases, struct sto_err *err)
{
    static const char *settings[2];
    char *setting = sto_asprintf("capture=%s", b->capture);
    struct dev_options o = {.network = "network",
                            .manual_clock = 0,
                            .shared_buffers_mib = 256,
                            .report_fd = -1,
                            .settings = settings};

    settings[0] = setting;
    o.var = sto_asprintf("%s/var", b->dir);
    o.home = b->home;
    o.network = sto_asprintf("%s/cli/bench/bench", b->home);
    o.flows = sto_asprintf("%s/cli/bench", b->home);
    int rc = dev_run_start(&o, &b->run, err);
    b->running = rc == 0;
    rc = rc != 0 ? rc : make_share(b, err);
    rc = rc != 0 ? rc : start_workers(b, cases, err);
    rc = rc != 0 ? rc : wait_resting(b, cases, err);
    free(setting);
    settings[0] = NULL;
    return rc;
}

static void shut_down(struct bench *b)
{
    if (b->share != NULL) {
        atomic_store(&b->share->stop, 1);
    }
    child_stop_all(b->workers, BENCH_WORKERS, 5000);
    for (int i = 0; i < BENCH_WORKERS; i++) {
        child_release(&b->workers[i]);
    }
    if (b->running) {
        dev_run_stop(&b->run);
        b->running = false;
    }
    if (b->share != NULL) {
        munmap(b->share, sizeof *b->share);
        b->share = NULL;
    }
}

struct level {
    uint32_t in_flight;
    uint64_t hops, refused;
    double seconds, p50_ms, p99_ms, batch_mean;
    struct bench_cpu cpu;
    double rss_mib;
};

static double quantile_ms(const uint64_t *bucket, uint64_t total, double q)
{
    uint64_t want = (uint64_t)((double)total * q), sum = 0;

    for (unsigned i = 0; i < BENCH_BUCKETS; i++) {
        sum += bucket[i];
        if (sum > want) {
            return bench_bucket_us(i) / 1000.0;
        }
    }
    return 0;
}

static void clear_counts(struct bench *b)
{
    for (int w = 0; w < BENCH_WORKERS; w++) {
        atomic_store(&b->share->worker[w].hops, 0);
        for (unsigned i = 0; i < BENCH_BUCKETS; i++) {
            atomic_store(&b->share->worker[w].latency[i], 0);
        }
    }
}

static void collect(struct bench *b, struct level *l)
{
    static uint64_t bucket[BENCH_BUCKETS];

    memset(bucket, 0, sizeof bucket);
    for (int w = 0; w < BENCH_WORKERS; w++) {
        l->hops += atomic_load(&b->share->worker[w].hops);
        l->refused += atomic_load(&b->share->worker[w].refused);
        for (unsigned i = 0; i < BENCH_BUCKETS; i++) {
            bucket[i] += atomic_load(&b->share->worker[w].latency[i]);
        }
    }
    l->p50_ms = quantile_ms(bucket, l->hops, 0.50);
    l->p99_ms = quantile_ms(bucket, l->hops, 0.99);
}

/* One level: let so many cases go on, warm up, measure, let them come to rest. */
static int measure(struct bench *b, uint32_t in_flight, int64_t pace_us, struct level *out,
                   struct sto_err *err)
{
    struct bench_cpu before, after;
    struct bench_batches b0 = {0}, b1 = {0};
    pid_t workers[BENCH_WORKERS];

    *out = (struct level){.in_flight = in_flight};
    for (int i = 0; i < BENCH_WORKERS; i++) {
        workers[i] = b->workers[i].pid;
    }
    atomic_store(&b->share->next_slot_us, sto_mono_us());
    atomic_store(&b->share->pace_us, pace_us);
    atomic_store(&b->share->active, in_flight);
    wait_ms(WARM_UP_MS);
    clear_counts(b);
    bench_batches(json_string_value(json_object_get(b->run.json, "http")), &b0);
    bench_cpu(b->run.children[0].pid, pg_private_pid(b->run.pg), workers, BENCH_WORKERS, &before);
    int64_t t0 = sto_mono_us();
    atomic_store(&b->share->measuring, 1);
    wait_ms(b->seconds * 1000);
    atomic_store(&b->share->measuring, 0);
    out->seconds = (double)(sto_mono_us() - t0) / 1e6;
    bench_cpu(b->run.children[0].pid, pg_private_pid(b->run.pg), workers, BENCH_WORKERS, &after);
    wait_ms(1100); /* the core reports once a second */
    bench_batches(json_string_value(json_object_get(b->run.json, "http")), &b1);
    collect(b, out);
    out->cpu = (struct bench_cpu){.gate_us = after.gate_us - before.gate_us,
                                  .core_us = after.core_us - before.core_us,
                                  .workers_us = after.workers_us - before.workers_us,
                                  .postgres_us = after.postgres_us - before.postgres_us};
    out->batch_mean =
        b1.batches > b0.batches ? (b1.events - b0.events) / (b1.batches - b0.batches) : 0;
    out->rss_mib = bench_rss_mib(b->run.children[0].pid, "core");
    atomic_store(&b->share->active, 0);
    if (out->hops == 0) {
        return sto_fail(err, STO_E_TIMEOUT, "no hop was done in %.1f s with %u cases in flight",
                        out->seconds, in_flight);
    }
    return 0;
}

static void print_level(struct bench *b, const char *bench, const struct level *l, int64_t pace_us)
{
    double hops = (double)l->hops;
    json_t *row = json_pack(
        "{s:s, s:i, s:f, s:f, s:f, s:I, s:f, s:I, s:f, s:f, s:{s:f, s:f, s:f, s:f}}", "bench",
        bench, "in_flight", (int)l->in_flight, "hops_per_s", hops / l->seconds, "p50_ms", l->p50_ms,
        "p99_ms", l->p99_ms, "hops", (json_int_t)l->hops, "seconds", l->seconds, "refused",
        (json_int_t)l->refused, "batch_events_mean", l->batch_mean, "core_rss_mib", l->rss_mib,
        "cpu_us_per_hop", "gate", l->cpu.gate_us / hops, "core", l->cpu.core_us / hops, "workers",
        l->cpu.workers_us / hops, "postgres", l->cpu.postgres_us / hops);

    if (pace_us != 0) {
        json_object_set_new(row, "open_loop_hops_per_s",
                            json_integer((json_int_t)(1000000 / pace_us)));
    }
    char *text = json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(6));
    fprintf(b->c->out.file, "%s\n", text);
    fflush(b->c->out.file);
    free(text);
    json_decref(row);
}

static void print_json(struct bench *b, json_t *row)
{
    char *text = json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(6));

    fprintf(b->c->out.file, "%s\n", text);
    fflush(b->c->out.file);
    free(text);
    json_decref(row);
}

static bool server_runs(const char *dir)
{
    char *limit = sto_asprintf("%s/pg-limit/data/postmaster.pid", dir);
    char *own = sto_asprintf("%s/var/pg/data/postmaster.pid", dir);
    bool runs = access(limit, F_OK) == 0 || access(own, F_OK) == 0;

    free(limit);
    free(own);
    return runs;
}

/* A process of its own that waits for our end. The servers end with us, it after them. */
static int start_sweeper(struct bench *b, struct sto_err *err)
{
    int pair[2];
    char none;

    if (pipe2(pair, O_CLOEXEC) != 0) {
        return sto_fail(err, STO_E_IO, "could not make a pipe");
    }
    fflush(NULL);
    b->sweeper = fork();
    if (b->sweeper == 0) {
        setsid();
        close(pair[1]);
        while (read(pair[0], &none, 1) < 0) {
        }
        for (int i = 0; i < SWEEP_POLLS && server_runs(b->dir); i++) {
            wait_ms(100);
        }
        for (int i = 0; i < SWEEP_POLLS && access(b->dir, F_OK) == 0; i++) {
            bench_remove_tree(b->dir);
            wait_ms(access(b->dir, F_OK) == 0 ? 100 : 0);
        }
        _exit(0);
    }
    close(pair[0]);
    b->sweeper_fd = pair[1];
    return 0;
}

static int begin(struct bench *b, struct cli *c, struct sto_err *err)
{
    const char *tmp = getenv("TMPDIR");
    int rc = cli_option_int(c, "seconds", 5, 1, 600, &b->seconds, err);

    if (rc != 0) {
        return rc;
    }
    b->c = c;
    b->home = sto_home_dir();
    b->dir = sto_asprintf("%s/saatto-bench-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(b->dir) == NULL || chmod(b->dir, 0755) != 0) {
        return sto_fail(err, STO_E_IO, "could not make a temporary folder '%s'", b->dir);
    }
    b->capture = sto_asprintf("%s/capture.bin", b->dir);
    return getenv("SAATTO_BENCH_KEEP") != NULL ? 0 : start_sweeper(b, err);
}

static void end(struct bench *b)
{
    shut_down(b);
    if (b->sweeper > 0) {
        close(b->sweeper_fd);
        waitpid(b->sweeper, NULL, 0);
    }
    free(b->dir);
    free(b->share_path);
    free(b->capture);
    free(b->home);
}

/* "1,16,64" */
static int parse_levels(const char *text, uint32_t *levels, size_t *n, struct sto_err *err)
{
    *n = 0;
    for (const char *p = text; *p != '\0';) {
        char *e = NULL;
        long v = strtol(p, &e, 10);
        if (e == p || v < 1 || v > BENCH_CASES_MAX || *n == LEVELS_MAX ||
            (*e != '\0' && *e != ',')) {
            return sto_fail(err, STO_E_USAGE,
                            "option '--in-flight' takes numbers 1..%d with commas, got '%s'",
                            BENCH_CASES_MAX, text);
        }
        levels[(*n)++] = (uint32_t)v;
        p = *e == ',' ? e + 1 : e;
    }
    return *n != 0 ? 0 : sto_fail(err, STO_E_USAGE, "option '--in-flight' is empty");
}

static int bench_hops(struct cli *c, struct sto_err *err)
{
    struct bench b = {0};
    uint32_t levels[LEVELS_MAX], most = 1;
    size_t n = 0;
    struct level l[LEVELS_MAX];
    const char *text = cli_option(c, "in-flight");
    int rc = parse_levels(text != NULL ? text : "1,16,64,256,1024", levels, &n, err);

    for (size_t i = 0; i < n; i++) {
        most = levels[i] > most ? levels[i] : most;
    }
    rc = rc != 0 ? rc : begin(&b, c, err);
    rc = rc != 0 ? rc : bring_up(&b, most, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = measure(&b, levels[i], 0, &l[i], err);
        if (rc == 0) {
            print_level(&b, "hops", &l[i], 0);
            rc = i + 1 < n ? wait_resting(&b, most, err) : 0;
        }
    }
    if (rc == 0) {
        print_json(&b, bench_conditions(b.run.pg));
        shut_down(&b);
        struct bench_limit limit;
        rc = bench_limit_replay(b.dir, b.home, b.capture, &limit, err);
        for (size_t i = 0; i < n && rc == 0; i++) {
            double at = bench_limit_at(&limit, l[i].batch_mean);
            print_json(&b, json_pack("{s:s, s:i, s:f, s:f, s:f, s:f}", "bench", "limit",
                                     "in_flight", (int)l[i].in_flight, "limit_hops_per_s", at,
                                     "ratio", at > 0 ? (double)l[i].hops / l[i].seconds / at : 0.0,
                                     "at_batch_events", l[i].batch_mean,
                                     "limit_all_batches_events_per_s", limit.events_per_s));
        }
    }
    end(&b);
    return rc;
}

static int bench_latency(struct cli *c, struct sto_err *err)
{
    struct bench b = {0};
    struct level lone, open;
    int rc = begin(&b, c, err);

    rc = rc != 0 ? rc : bring_up(&b, 256, err);
    rc = rc != 0 ? rc : measure(&b, 1, 0, &lone, err);
    if (rc == 0) {
        double curve_ms = bench_curve_round_trip_ms(),
               commit_ms =
                   bench_commit_ms(pg_private_dsn(b.run.pg, PG_PRIVATE_DATA, "saatto_admin"));
        print_level(&b, "latency", &lone, 0);
        print_json(&b, json_pack("{s:s, s:f, s:f, s:f, s:f}", "bench", "latency-limit", "limit_ms",
                                 curve_ms + commit_ms, "curve_round_trip_ms", curve_ms, "commit_ms",
                                 commit_ms, "ratio", lone.p50_ms / (curve_ms + commit_ms)));
        rc = wait_resting(&b, 256, err);
    }
    rc = rc != 0 ? rc : measure(&b, 256, PACE_US, &open, err);
    if (rc == 0) {
        print_level(&b, "latency", &open, PACE_US);
        print_json(&b, bench_conditions(b.run.pg));
    }
    end(&b);
    return rc;
}

static const struct option_row hops_options[] = {
    {"in-flight", "N[,N...]", "cases in flight (1,16,64,256,1024)"},
    {"seconds", "S", "how long each level is measured (5)"},
    {0}};
static const struct option_row latency_options[] = {
    {"seconds", "S", "how long each is measured (5)"}, {0}};
static const struct option_row worker_options[] = {
    {"share", "FILE", "inside"}, {"cases", "N", "inside"}, {0}};

const struct verb bench_verbs[] = {
    {.name = "hops",
     .words = "",
     .options = hops_options,
     .help = "Durable handover hops a second, closed loop; one JSON line a figure",
     .run = bench_hops},
    {.name = "latency",
     .words = "",
     .options = latency_options,
     .help = "Latency of a lone hop, and at 1,000 hops/s; one JSON line a figure",
     .run = bench_latency},
    {.name = "worker",
     .words = "INDEX",
     .words_min = 1,
     .words_max = 1,
     .options = worker_options,
     .help = "inside",
     .run = bench_worker,
     .hidden = true},
    {0},
};
