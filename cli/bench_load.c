/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One worker process of the benchmark: a session of one of the two organisations, which answers
 * every delivery with the next event of the handover. A hop is counted when the delivery that an
 * event led to has come; its acknowledgement leaves with the same step.
 */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench_share.h"
#include "client.h"
#include "keyfile.h"
#include "nouns.h"
#include "sto_time.h"

#define BUCKET_WIDTH    1.01
#define BUCKET_FIRST_US 10.0
#define TURNS_MAX       BENCH_CASES_MAX

struct turn { /* an event that waits for its slot or for its case to be active */
    struct saatto_event event;
    uint32_t number;
    int64_t slot_us; /* 0 = at once */
};

struct load {
    saatto_t *session;
    struct bench_share *share;
    unsigned index;
    const char *own, *other;
    struct turn *turns;
    size_t n_turns, n_slots; /* n_slots: of them, those with a slot */
    uint32_t active;         /* as make_due last saw it */
    bool counted_ready;
};

unsigned bench_bucket(int64_t us)
{
    double x = (double)(us < 10 ? 10 : us) / BUCKET_FIRST_US;
    unsigned b = (unsigned)(log(x) / log(BUCKET_WIDTH));
    return b < BENCH_BUCKETS ? b : BENCH_BUCKETS - 1;
}

double bench_bucket_us(unsigned bucket)
{
    return BUCKET_FIRST_US * pow(BUCKET_WIDTH, bucket + 1);
}

static uint32_t number_of(const uint8_t id[16])
{
    return (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
}

static void id_of(uint32_t number, uint32_t generation, uint8_t id[16])
{
    memset(id, 0, 16);
    id[9] = (uint8_t)(generation >> 16);
    id[10] = (uint8_t)(generation >> 8);
    id[11] = (uint8_t)generation;
    id[0] = (uint8_t)(number >> 24);
    id[1] = (uint8_t)(number >> 16);
    id[2] = (uint8_t)(number >> 8);
    id[3] = (uint8_t)number;
    id[6] = 0x80;
    id[8] = 0x80;
    id[15] = (uint8_t)number; /* routes: cases spread over the shards */
}

static void make(struct load *l, const struct turn *t)
{
    struct saatto_error error = {0};

    atomic_store_explicit(&l->share->sent_us[t->number],
                          t->slot_us != 0 ? t->slot_us : sto_mono_us(), memory_order_relaxed);
    if (saatto_send(l->session, &t->event, &error) < 0) {
        fprintf(stderr, "bench: %s\n", error.what);
        exit(1);
    }
}

/* Now, in its slot of the open loop, or when its case is active again. */
static void later_or_now(struct load *l, const struct turn *t)
{
    struct turn due = *t;
    int64_t pace = atomic_load(&l->share->pace_us);

    if (t->number >= atomic_load(&l->share->active)) {
        atomic_store(&l->share->resting[t->number], 1);
    } else if (pace == 0) {
        make(l, t);
        return;
    } else {
        due.slot_us = atomic_fetch_add(&l->share->next_slot_us, pace);
    }
    STO_ASSERT(l->n_turns < TURNS_MAX);
    l->turns[l->n_turns++] = due;
    l->n_slots += due.slot_us != 0;
}

static void make_due(struct load *l)
{
    int64_t now = sto_mono_us();
    uint32_t active = atomic_load(&l->share->active);
    size_t k = 0;

    if (l->n_slots == 0 && active == l->active) {
        return; /* a thousand resting cases must not cost anything */
    }
    l->active = active;
    l->n_slots = 0;
    for (size_t i = 0; i < l->n_turns; i++) {
        struct turn t = l->turns[i];
        if (t.number < active && t.slot_us == 0 &&
            atomic_exchange(&l->share->resting[t.number], 0) == 1) {
            int64_t pace = atomic_load(&l->share->pace_us);
            t.slot_us = pace == 0 ? 0 : atomic_fetch_add(&l->share->next_slot_us, pace);
            if (pace == 0) {
                make(l, &t);
                continue;
            }
        }
        if (t.number < active && t.slot_us != 0 && t.slot_us <= now) {
            make(l, &t);
        } else {
            l->turns[k++] = t;
            l->n_slots += t.slot_us != 0;
        }
    }
    l->n_turns = k;
}

/* A case of that number, anew; its start is no hop. */
static void start_case(struct load *l, uint32_t number, uint32_t generation)
{
    static const char reference[] = "benchmark person with a reference of a usual length";
    static const char need[] = "a service need in a sentence or two, about as long as people write "
                               "it into such a field, so that encryption has something to do";
    struct saatto_field fields[2] = {{.name = "reference", .type = SAATTO_TEXT, .text = reference},
                                     {.name = "need", .type = SAATTO_TEXT, .text = need}};
    struct saatto_event e = {.kind = saatto_event_kind("start"),
                             .start_workflow = "bench-handover",
                             .start_home = "",
                             .fields = fields,
                             .n_fields = 2};
    struct saatto_error error = {0};

    id_of(number, generation, e.case_id);
    id_of(number, generation, e.start_client);
    e.start_client[4] = 1;
    atomic_store(&l->share->sent_us[number], 0);
    if (saatto_send(l->session, &e, &error) < 0) {
        fprintf(stderr, "bench: %s\n", error.what);
        exit(1);
    }
}

static void count_hop(struct load *l, uint32_t number)
{
    int64_t sent = atomic_load_explicit(&l->share->sent_us[number], memory_order_relaxed);

    if (sent != 0 && atomic_load_explicit(&l->share->measuring, memory_order_relaxed) != 0) {
        int64_t us = sto_mono_us() - sent;
        atomic_fetch_add_explicit(&l->share->worker[l->index].hops, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&l->share->worker[l->index].latency[bench_bucket(us)], 1,
                                  memory_order_relaxed);
    }
}

static int on_delivery(void *arg, const struct saatto_delivery *d)
{
    static const struct {
        const char *kind, *event, *next;
    } script[] = {{"task", "", "offer"},
                  {"offer", "", "accept"},
                  {"package", "", "book"},
                  {"update", "book", "met"},
                  {"update", "met", "confirm_takeover"}};
    struct load *l = arg;
    struct turn t = {.number = number_of(d->case_id)};

    if (strcmp(d->step, "rest") == 0 && strcmp(d->kind, "task") == 0) {
        count_hop(l, t.number); /* it came of the twelfth confirmation */
        start_case(
            l, t.number,
            ((uint32_t)d->case_id[9] << 16 | (uint32_t)d->case_id[10] << 8 | d->case_id[11]) + 1);
        return SAATTO_ACK;
    }
    for (size_t i = 0; i < sizeof script / sizeof script[0]; i++) {
        if (strcmp(d->kind, script[i].kind) != 0 ||
            (script[i].event[0] != '\0' && strcmp(d->event, script[i].event) != 0)) {
            continue;
        }
        memcpy(t.event.case_id, d->case_id, 16);
        t.event.kind = saatto_event_kind(script[i].next);
        t.event.token = d->token;
        t.event.offer = d->offer;
        if (strcmp(script[i].next, "offer") == 0) {
            t.event.name = l->other;
            t.event.offer = 0;
        }
        if (strcmp(script[i].next, "book") == 0) {
            t.event.at_us = sto_real_us() + 24 * STO_US_PER_HOUR;
        } else if (strcmp(script[i].next, "met") == 0) {
            t.event.at_us = sto_real_us();
        }
        if (t.number < BENCH_CASES_MAX) {
            count_hop(l, t.number);
            later_or_now(l, &t);
        }
        break;
    }
    return SAATTO_ACK;
}

static void on_result(void *arg, uint64_t ticket, int code, const char *what, const uint8_t *leaf)
{
    struct load *l = arg;

    (void)ticket;
    (void)leaf;
    if (code != 0 && code != STO_E_ALREADY) {
        if (atomic_fetch_add(&l->share->worker[l->index].refused, 1) < 5) {
            fprintf(stderr, "bench: refused: %s %s\n", saatto_code_text(code), what);
        }
    }
}

static void on_state(void *arg, bool connected, int64_t now_us, bool manual)
{
    struct load *l = arg;

    (void)now_us;
    (void)manual;
    if (connected && !l->counted_ready) {
        l->counted_ready = true;
        atomic_fetch_add(&l->share->ready, 1);
    }
}

static struct bench_share *map_share(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *p =
        fd >= 0 ? mmap(NULL, sizeof(struct bench_share), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                : MAP_FAILED;

    if (fd >= 0) {
        close(fd);
    }
    return p == MAP_FAILED ? NULL : p;
}

static int run_load(struct load *l, const installation_t *in, const struct key_pair *keys,
                    int64_t cases, struct sto_err *err)
{
    struct saatto_options o = {.endpoint = in->endpoint,
                               .server_key = in->server_key,
                               .public_key = keys->public_key,
                               .secret_key = keys->secret_key,
                               .organisation = l->own,
                               .program = "saatto bench",
                               .credit_messages = 1024,
                               .on_delivery = on_delivery,
                               .on_result = on_result,
                               .on_state = on_state,
                               .arg = l};
    struct saatto_error error = {0};
    bool started = false;

    if (saatto_open(&o, &l->session, &error) != 0) {
        return sto_fail(err, (enum sto_code)error.code, "%s", error.what);
    }
    while (atomic_load(&l->share->stop) == 0) {
        if (saatto_step(l->session, l->n_slots != 0 ? 1 : 50, &error) < 0) {
            saatto_close(&l->session);
            return sto_fail(err, (enum sto_code)error.code, "%s", error.what);
        }
        if (!started && cases != 0 && atomic_load(&l->share->ready) == BENCH_WORKERS) {
            for (uint32_t i = 0; i < (uint32_t)cases; i++) {
                start_case(l, i, 0);
            }
            started = true;
        }
        if (l->n_turns != 0) {
            make_due(l);
        }
    }
    saatto_close(&l->session);
    return 0;
}

/* saatto bench worker INDEX --share FILE --cases N: started by the benchmark only. */
int bench_worker(struct cli *c, struct sto_err *err)
{
    struct load l = {.index = (unsigned)strtoul(c->words[0], NULL, 10)};
    installation_t *in = NULL;
    struct key_pair keys;
    int64_t cases = 0;
    const char *share = NULL;
    int rc = cli_need(c, "share", &share, err);

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    rc = rc != 0 ? rc : cli_option_int(c, "cases", 0, 0, BENCH_CASES_MAX, &cases, err);
    rc = rc != 0 ? rc : installation_open(c, &in, err);
    if (rc == 0 && l.index < BENCH_WORKERS && (l.share = map_share(share)) != NULL) {
        l.own = l.index % 2 == 0 ? "left" : "right";
        l.other = l.index % 2 == 0 ? "right" : "left";
        l.turns = calloc(TURNS_MAX, sizeof *l.turns);
        char *path = installation_path(in, "keys/%s.key", l.own);
        rc = keyfile_pair_read(path, &keys, err);
        rc = rc != 0 ? rc : run_load(&l, in, &keys, cases, err);
        free(path);
        free(l.turns);
    } else if (rc == 0) {
        rc = sto_fail(err, STO_E_USAGE, "bench worker is started by the benchmark");
    }
    installation_close(&in);
    return rc;
}
