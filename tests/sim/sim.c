/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Runs the broker's own reactor through seeds of faults.
 *
 *   sim [--seeds N] [--first S] [--budget SECONDS] [--events N] [--plants] [--verbose]
 *
 * Prints `ok sim: …` and `not ok sim: …` lines; a failing seed is named, so that
 * `sim --first S --seeds 1` repeats it. All marks together must have been hit. Every
 * hundredth seed runs twice and must do the same. --plants runs with each planted
 * fault until it is found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim_world.h"
#include "sto_crypto.h"
#include "sto_log.h"
#include "sto_time.h"

struct args {
    uint64_t first, seeds;
    long budget;
    unsigned events;
    bool verbose, plants;
};

static int parse(int argc, char **argv, struct args *a)
{
    *a = (struct args){.first = 1, .seeds = 100, .events = 220};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--verbose") == 0) {
            a->verbose = true;
            continue;
        }
        if (strcmp(argv[i], "--plants") == 0) {
            a->plants = true;
            continue;
        }
        char *end;
        unsigned long long n = strtoull(value, &end, 10);
        if (*value == '\0' || *end != '\0') {
            return -1;
        }
        if (strcmp(argv[i], "--seeds") == 0) {
            a->seeds = n;
        } else if (strcmp(argv[i], "--first") == 0) {
            a->first = n;
        } else if (strcmp(argv[i], "--budget") == 0) {
            a->budget = (long)n;
            a->seeds = UINT64_MAX;
        } else if (strcmp(argv[i], "--events") == 0) {
            a->events = (unsigned)n;
        } else {
            return -1;
        }
        i++;
    }
    return 0;
}

/* What a run did, in one number: equal for equal seeds. */
static uint64_t trace_of(const struct sim_world *w)
{
    uint64_t h = table_mix(w->rng.s, (uint64_t)w->sched.now_us);
    for (unsigned s = 0; s < w->m->n_shards; s++) {
        for (uint32_t i = 0; i < w->m->shard[s].n_events; i++) {
            const struct row_event *e = &w->m->shard[s].events[i];
            h = table_mix(h, e->seq ^ ((uint64_t)e->kind << 32) ^ ((uint64_t)e->code << 40));
            h = table_mix(h, (uint64_t)e->ts_us);
        }
    }
    return h;
}

static bool same_again(const struct args *a, uint64_t seed, uint64_t trace)
{
    struct sim_world *w = sim_world_new(seed, a->events);
    sim_world_run(w);
    bool same = trace_of(w) == trace;
    sim_world_destroy(&w);
    if (!same) {
        printf("not ok sim: seed %llu does the same when run again\n", (unsigned long long)seed);
    }
    return same;
}

static bool one_seed(const struct args *a, uint64_t seed, uint64_t marks[MARKS], uint64_t *events)
{
    struct sim_world *w = sim_world_new(seed, a->events);
    bool ok = sim_world_run(w);
    for (unsigned i = 0; i < MARKS; i++) {
        marks[i] += w->m->marks[i];
    }
    for (unsigned s = 0; s < w->m->n_shards; s++) {
        *events += w->m->shard[s].n_events;
    }
    if (!ok) {
        printf("not ok sim: seed %llu: %s\n", (unsigned long long)seed, w->m->violation);
    } else if (a->verbose) {
        printf("ok sim: seed %llu (%llu commits, %lld ms)\n", (unsigned long long)seed,
               (unsigned long long)w->m->n_commits, (long long)(w->sched.now_us / 1000));
    }
    fflush(stdout);
    uint64_t trace = trace_of(w);
    sim_world_destroy(&w);
    return ok && (seed % 100 != 1 || same_again(a, seed, trace));
}

static int run_plants(const struct args *a)
{
    int failed = 0;
    for (enum plant p = PLANT_NONE + 1; p < PLANTS; p++) {
        char found[256] = "";
        uint64_t seed = a->first;
        for (; seed < a->first + 200 && !found[0]; seed++) {
            struct sim_world *w = sim_world_new(seed, a->events);
            w->m->plant = p;
            sim_world_run(w);
            snprintf(found, sizeof(found), "%s", w->m->violation);
            sim_world_destroy(&w);
        }
        printf("%s sim: a planted fault is found: %s (%s)\n", found[0] ? "ok" : "not ok",
               plant_names[p], found);
        failed += !found[0];
    }
    return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct args a;
    struct sto_err err;
    uint64_t marks[MARKS] = {0}, events = 0, run = 0, failed = 0;
    if (parse(argc, argv, &a) != 0) {
        fprintf(stderr, "usage: sim [--seeds N] [--first S] [--budget SECONDS] [--events N] "
                        "[--plants] [--verbose]\n");
        return 2;
    }
    sto_log_init("sim", a.verbose && a.seeds == 1 ? STO_DEBUG : STO_ERROR + 1);
    sto_time_init();
    if (sto_crypto_init(&err) != 0) {
        return 1;
    }
    if (a.plants) {
        return run_plants(&a);
    }
    time_t began = time(NULL);
    for (uint64_t i = 0; i < a.seeds && failed < 5; i++) {
        if (a.budget > 0 && time(NULL) - began >= a.budget) {
            break;
        }
        failed += !one_seed(&a, a.first + i, marks, &events);
        run++;
    }
    if (failed == 0) {
        printf("ok sim: %llu seeds from %llu hold every invariant (%llu events)\n",
               (unsigned long long)run, (unsigned long long)a.first, (unsigned long long)events);
    }
    for (unsigned i = 0; i < MARKS && run >= 100; i++) {
        printf("%s sim: it happened: %s (%llu)\n", marks[i] ? "ok" : "not ok", mark_names[i],
               (unsigned long long)marks[i]);
        failed += marks[i] == 0;
    }
    return failed ? 1 : 0;
}
