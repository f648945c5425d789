/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Cores and workers on the model store, joined without delay or faults: for tests of
 * the reactor that say step by step what happens. The seeded simulation is tests/sim.
 */
#ifndef REACTOR_FIXTURE_H
#define REACTOR_FIXTURE_H
#include <string.h>

#include "sim_model.h"
#include "sto_crypto.h"
#include "sto_log.h"
#include "worker.h"

#define RIG_START_US INT64_C(1357034400000000)

/* A core, a second one, a worker of the te office, and an operator who is not connected at first.
 */
struct rig {
    struct rng rng;
    struct sched sched;
    struct model *m;
    struct core core[2];
    struct worker te, op;
    unsigned talks_to;
};

struct hop {
    struct rig *g;
    struct worker *w;
    bool to_core;
    unsigned core;
    uint64_t id, routing; /* of the core; of the worker when it sent */
    uint8_t head[4];
    size_t n;
    uint8_t body[];
};

static void arrive(void *arg, uint64_t n)
{
    struct hop *h = arg;
    struct rig *g = h->g;
    struct peer peer = {.gate = 0, .n_routing = 8};
    (void)n;
    if (!h->to_core) {
        worker_hears(h->w, h->head, h->body, h->n);
    } else if (g->core[h->core].r && g->core[h->core].id == h->id) {
        memcpy(peer.routing, &h->routing, 8);
        core_frame(&g->core[h->core], &peer, h->w->key, h->head, h->body, h->n);
    }
    free(h);
}

static struct hop *hop_new(struct rig *g, unsigned core, const uint8_t head[4], const uint8_t *body,
                           size_t n)
{
    struct hop *h = sto_xcalloc(1, sizeof(*h) + n);
    h->g = g;
    h->core = core;
    h->id = g->core[core].id;
    memcpy(h->head, head, 4);
    h->n = n;
    memcpy(h->body, body, n);
    return h;
}

static void from_worker(void *arg, struct worker *w, const uint8_t head[4], const uint8_t *body,
                        size_t n)
{
    struct rig *g = arg;
    struct hop *h = hop_new(g, g->talks_to, head, body, n);
    h->w = w;
    h->to_core = true;
    h->routing = w->routing;
    sched_after(&g->sched, 10, arrive, h, 0);
}

static void from_core(void *arg, struct core *c, const struct reactor_output *o)
{
    struct rig *g = arg;
    struct worker *all[] = {&g->te, &g->op};
    unsigned core = (unsigned)(c - g->core);
    for (unsigned i = 0; i < 2 && core == g->talks_to; i++) {
        if (memcmp(o->peer.routing, &all[i]->routing, 8) == 0) {
            struct hop *h = hop_new(g, core, o->head, o->body.p, o->body.n);
            h->w = all[i];
            sched_after(&g->sched, 10, arrive, h, 0);
        }
    }
}

static void run_for(struct rig *g, int64_t us)
{
    int64_t end = g->sched.now_us + us;
    while (sched_next(&g->sched, end)) {
    }
    g->sched.now_us = end;
}

static void rig_worker(struct rig *g, struct worker *w, const char *name, const char *key)
{
    worker_init(w);
    w->m = g->m;
    w->name = name;
    w->key = key;
    w->send = from_worker;
    w->arg = g;
}

/* With a core and the te office's worker connected. */
static struct rig *rig_new(bool manual_clock)
{
    struct rig *g = sto_xcalloc(1, sizeof(*g));
    g->rng.s = 1;
    g->m = model_new(&g->rng, &g->sched, 4);
    g->m->commit_us = 1000;
    g->m->manual_clock = manual_clock;
    g->m->clock_us = manual_clock ? RIG_START_US : 0;
    for (unsigned i = 0; i < 2; i++) {
        g->core[i] = (struct core){.m = g->m,
                                   .cache_cases = 100,
                                   .domain_us = RIG_START_US,
                                   .domain_rate = 1,
                                   .send = from_core,
                                   .arg = g};
    }
    rig_worker(g, &g->te, "te", SIM_KEY_TE);
    g->te.org = 1;
    g->te.stream = 77;
    g->te.credit_messages = 100;
    g->te.credit_bytes = 65536;
    g->te.clock = manual_clock;
    rig_worker(g, &g->op, "operator", SIM_KEY_OPERATOR);
    core_start(&g->core[0], 1001);
    run_for(g, 20000);
    worker_connect(&g->te);
    run_for(g, 5000);
    assert_true(g->te.up);
    return g;
}

static int tear_down(void **state)
{
    struct rig *g = *state;
    char violation[256];
    memcpy(violation, g->m->violation, sizeof(violation));
    model_check(g->m);
    core_stop(&g->core[0]);
    core_stop(&g->core[1]);
    while (g->sched.n > 0) {
        if (g->sched.v[--g->sched.n].fn == arrive) {
            free(g->sched.v[g->sched.n].arg);
        }
    }
    worker_release(&g->te);
    worker_release(&g->op);
    assert_string_equal(g->m->violation, "");
    model_destroy(&g->m);
    sched_release(&g->sched);
    free(g);
    return 0;
}

static struct sto_uuid start(struct rig *g, unsigned n, unsigned shard)
{
    Saatto__V1__Event ev = SAATTO__V1__EVENT__INIT;
    Saatto__V1__StartCase sc = SAATTO__V1__START_CASE__INIT;
    Saatto__V1__Field days = SAATTO__V1__FIELD__INIT, *fields[] = {&days};
    struct sto_uuid id = {{1, (uint8_t)n}}, client = {{2, (uint8_t)n}};
    uint8_t salt[16] = {0};
    id.b[15] = client.b[15] = (uint8_t)shard;
    days.name = (char *)(uintptr_t) "days";
    days.value_case = SAATTO__V1__FIELD__VALUE_INTEGER;
    days.integer = 500;
    sc.workflow = (char *)(uintptr_t) "small";
    sc.home = (char *)(uintptr_t) "city";
    sc.client.data = client.b;
    sc.client.len = 16;
    ev.salt.data = salt;
    ev.salt.len = 16;
    ev.kind = EVENT_START;
    ev.case_id.data = id.b;
    ev.case_id.len = 16;
    ev.start = &sc;
    ev.n_fields = 1;
    ev.fields = fields;
    worker_post(&g->te, &ev, shard);
    return id;
}

#endif
