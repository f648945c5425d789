/* SPDX-License-Identifier: EUPL-1.2 */
#include "sim_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_model.h"
#include "sto_crypto.h"

#define SAFETY_US_MAX   (60 * STO_US_PER_SEC)
#define LIVENESS_US_MAX (60 * STO_US_PER_SEC)
#define DOMAIN_START    INT64_C(1357034400000000) /* 2013-01-01T10:00:00Z */

/* ------------------------------------------------------------ network */

struct packet {
    struct sim_world *w;
    bool to_core;
    unsigned worker, core;
    uint64_t core_id, routing;
    uint8_t head[4];
    size_t n;
    uint8_t body[];
};

static void arrive(void *arg, uint64_t n);

static void plan_packet(struct sim_world *w, const struct packet *p)
{
    int64_t delay = rng_between(&w->rng, 100, 2000);
    int64_t *fifo = &w->fifo_us[p->worker][p->to_core];
    int64_t at = w->sched.now_us + delay;
    if (!(w->faults && rng_chance(&w->rng, w->p_reorder))) {
        at = at > *fifo ? at : *fifo + 1;
        *fifo = at;
    }
    struct packet *copy = sto_xcalloc(1, sizeof(*copy) + p->n);
    memcpy(copy, p, sizeof(*copy) + p->n);
    sched_after(&w->sched, at - w->sched.now_us, arrive, copy, 0);
}

static void put_packet(struct sim_world *w, bool to_core, unsigned worker, unsigned core,
                       const uint8_t head[4], const uint8_t *body, size_t n)
{
    struct packet *p = sto_xcalloc(1, sizeof(*p) + n);
    p->w = w;
    p->to_core = to_core;
    p->worker = worker;
    p->core = core;
    p->core_id = w->core[core].id;
    p->routing = w->worker[worker].routing;
    memcpy(p->head, head, 4);
    p->n = n;
    memcpy(p->body, body, n);
    if (!(w->faults && rng_chance(&w->rng, w->p_loss))) {
        plan_packet(w, p);
    }
    if (w->faults && rng_chance(&w->rng, w->p_dup)) {
        plan_packet(w, p);
    }
    free(p);
}

static void from_worker(void *arg, struct worker *from, const uint8_t head[4], const uint8_t *body,
                        size_t n)
{
    struct sim_world *w = arg;
    put_packet(w, true, from->index, w->core_of[from->index], head, body, n);
}

static void from_core(void *arg, struct core *from, const struct reactor_output *o)
{
    struct sim_world *w = arg;
    unsigned worker = o->peer.gate;
    uint64_t routing;
    memcpy(&routing, o->peer.routing, 8);
    if (worker < SIM_WORKERS && routing == w->worker[worker].routing &&
        &w->core[w->core_of[worker]] == from) {
        put_packet(w, false, worker, (unsigned)(from - w->core), o->head, o->body.p, o->body.n);
    }
}

static void reconnect(void *arg, uint64_t n)
{
    struct sim_world *w = arg;
    worker_connect(&w->worker[n]);
}

static void worker_dies(struct sim_world *w, unsigned i, int64_t for_us)
{
    worker_crash(&w->worker[i]);
    sched_after(&w->sched, for_us, reconnect, w, i);
}

static void arrive(void *arg, uint64_t n)
{
    struct packet *p = arg;
    struct sim_world *w = p->w;
    struct worker *worker = &w->worker[p->worker];
    struct core *core = &w->core[p->core];
    (void)n;
    if (p->to_core && core->frozen && core->id == p->core_id) {
        sched_after(&w->sched, 5000, arrive, p, 0);
        return;
    }
    if (p->to_core && core->r && core->id == p->core_id) {
        struct peer peer = {.gate = p->worker, .n_routing = 8};
        memcpy(peer.routing, &p->routing, 8);
        core_frame(core, &peer, worker->key, p->head, p->body, p->n);
    } else if (!p->to_core && worker->routing == p->routing && worker->said_hello) {
        if (p->head[3] == SAATTO__V1__FRAME_TYPE__DELIVERIES && w->dies[p->worker] > 0) {
            w->dies[p->worker]--;
            worker_dies(w, p->worker, 2000);
        } else {
            worker_hears(worker, p->head, p->body, p->n);
        }
    }
    free(p);
}

/* ------------------------------------------------------------- faults */

static void start_core(struct sim_world *w, unsigned i)
{
    if (!w->core[i].r) {
        core_start(&w->core[i], ++w->next_core);
    }
}

static void restart(void *arg, uint64_t n)
{
    start_core(arg, (unsigned)n);
}

static void switch_worker(void *arg, uint64_t n)
{
    struct sim_world *w = arg;
    unsigned worker = (unsigned)(n / 8), core = (unsigned)(n % 8);
    w->core_of[worker] = core;
    worker_connect(&w->worker[worker]);
}

static void switch_all(struct sim_world *w, unsigned core, int64_t within_us)
{
    for (unsigned i = 0; i < SIM_WORKERS; i++) {
        sched_after(&w->sched, rng_between(&w->rng, 0, within_us), switch_worker, w, i * 8 + core);
    }
}

static void stop_later(void *arg, uint64_t n)
{
    struct sim_world *w = arg;
    core_stop(&w->core[n]);
}

static void thaw(void *arg, uint64_t n)
{
    struct sim_world *w = arg;
    if (w->core[n].r && w->core[n].frozen) {
        core_thaw(&w->core[n]);
    }
}

static unsigned live_core(const struct sim_world *w)
{
    return w->core[0].r ? 0 : 1;
}

/* Another core takes every shard while the old one goes on for a while. */
static void take_over(struct sim_world *w)
{
    unsigned old = live_core(w), fresh = 1 - old;
    if (w->core[fresh].r || !w->core[old].r) {
        return;
    }
    if (rng_chance(&w->rng, 400)) {
        w->core[old].frozen = true;
        sched_after(&w->sched, rng_between(&w->rng, 1000, 300000), thaw, w, old);
    }
    start_core(w, fresh);
    switch_all(w, fresh, 400000);
    sched_after(&w->sched, rng_between(&w->rng, 300000, 900000), stop_later, w, old);
}

static void tell_config(void *arg, uint64_t n)
{
    struct sim_world *w = arg;
    core_input(&w->core[n], &(struct reactor_input){.kind = RX_CONFIG});
}

static void cure(void *arg, uint64_t n)
{
    struct sim_world *w = arg;
    (void)n;
    w->m->poison_case = (struct sto_uuid){0};
}

static void poison_some(struct sim_world *w)
{
    sched_after(&w->sched, 300000, cure, w, 0);
    const struct model_case *c;
    for (size_t i = 0; (c = table_next(&w->m->cases, &i));) {
        if (c->row.open && !c->row.aggregate && rng_chance(&w->rng, 200)) {
            w->m->poison_case = c->id;
            return;
        }
    }
}

/* Same id, other bytes: refused and audited. */
static void send_altered(struct sim_world *w)
{
    struct worker *by = &w->worker[rng_below(&w->rng, 3)];
    unsigned s = (unsigned)rng_below(&w->rng, w->m->n_shards);
    if (!by->up || by->out[s].n == 0) {
        return;
    }
    Saatto__V1__Events m = SAATTO__V1__EVENTS__INIT;
    Saatto__V1__Message row = SAATTO__V1__MESSAGE__INIT, *list = &row;
    Saatto__V1__Event ev = SAATTO__V1__EVENT__INIT;
    uint8_t id[16] = {9}, body[64];
    id[15] = (uint8_t)s;
    ev.case_id.data = id;
    ev.case_id.len = 16;
    ev.kind = EVENT_CLIENT_LEFT;
    row.shard = s;
    row.seq = 1 + rng_below(&w->rng, by->out[s].n);
    row.body.data = body;
    row.body.len = saatto__v1__event__pack(&ev, body);
    m.session = by->session;
    m.stream = by->stream;
    m.n_messages = 1;
    m.messages = &list;
    sto_arena_reset(by->arena);
    if (by->out[s].v[row.seq - 1].receipted) {
        worker_frame(by, SAATTO__V1__FRAME_TYPE__EVENTS, &m.base);
    }
}

static void redrive(struct sim_world *w)
{
    struct worker *op = &w->worker[3];
    Saatto__V1__Redrive m = SAATTO__V1__REDRIVE__INIT;
    if (!op->up) {
        return;
    }
    m.session = op->session;
    m.shard = (uint32_t)rng_below(&w->rng, w->m->n_shards);
    sto_arena_reset(op->arena);
    worker_frame(op, SAATTO__V1__FRAME_TYPE__REDRIVE, &m.base);
}

static void one_fault(struct sim_world *w)
{
    unsigned live = live_core(w), i = (unsigned)rng_below(&w->rng, 3);
    switch (rng_below(&w->rng, 12)) {
    case 0:
        core_stop(&w->core[live]);
        sched_after(&w->sched, rng_between(&w->rng, 1000, 500000), restart, w, live);
        break;
    case 1:
        take_over(w);
        break;
    case 2:
        w->core[live].frozen = w->core[live].r != NULL;
        sched_after(&w->sched, rng_between(&w->rng, 1000, 400000), thaw, w, live);
        break;
    case 3:
    case 4:
        worker_dies(w, i, rng_between(&w->rng, 1000, 800000));
        break;
    case 5:
        worker_connect(&w->worker[i]);
        break;
    case 6:
        w->m->config++;
        w->m->marks[MARK_CONFIG_CHANGED]++;
        sched_after(&w->sched, rng_between(&w->rng, 0, 500000), tell_config, w, live);
        break;
    case 7:
        poison_some(w);
        break;
    case 8:
        send_altered(w);
        break;
    case 9:
        w->dies[i] = 7;
        break;
    case 10:
        redrive(w);
        break;
    default:
        w->worker[i].slow = rng_chance(&w->rng, 500) ? 600 : 0;
        break;
    }
}

static void fault_later(void *arg, uint64_t n)
{
    struct sim_world *w = arg;
    (void)n;
    if (w->faults) {
        one_fault(w);
        sched_after(&w->sched, rng_between(&w->rng, 20000, 400000), fault_later, w, 0);
    }
}

/* --------------------------------------------------------------- phases */

static void act_later(void *arg, uint64_t n)
{
    struct sim_world *w = arg;
    (void)n;
    if (!w->acting) {
        return;
    }
    people_act(w);
    sched_after(&w->sched, rng_between(&w->rng, 500, 60000), act_later, w, 0);
}

static void tick_later(void *arg, uint64_t n)
{
    struct sim_world *w = arg;
    (void)n;
    for (unsigned i = 0; i < SIM_WORKERS; i++) {
        struct worker *x = &w->worker[i];
        if (x->wants_other_core && w->core[1 - w->core_of[i]].r) {
            w->core_of[i] = 1 - w->core_of[i];
            worker_connect(x);
        }
        x->wants_other_core = false;
        worker_tick(x);
    }
    sched_after(&w->sched, 40000, tick_later, w, 0);
}

/* The operator moves the manual clock on, whenever it stands. */
static void advance_later(void *arg, uint64_t n)
{
    struct sim_world *w = arg;
    struct worker *op = &w->worker[3];
    (void)n;
    if (op->up && w->acting) {
        Saatto__V1__Advance m = SAATTO__V1__ADVANCE__INIT;
        m.session = op->session;
        m.target_us = w->m->clock_us + rng_between(&w->rng, 1, 60) * STO_US_PER_HOUR;
        sto_arena_reset(op->arena);
        worker_frame(op, SAATTO__V1__FRAME_TYPE__ADVANCE, &m.base);
    }
    sched_after(&w->sched, 300000, advance_later, w, 0);
}

static void init_worker(struct sim_world *w, unsigned i, const char *name, const char *key,
                        uint16_t org)
{
    struct worker *x = &w->worker[i];
    worker_init(x);
    x->m = w->m;
    x->index = i;
    x->name = name;
    x->key = key;
    x->org = org;
    x->stream = i < 3 ? rng_next(&w->rng) | 1 : 0;
    x->credit_messages = i < 3 ? (uint32_t)rng_between(&w->rng, 2, 24) : 0;
    x->credit_bytes = 65536;
    x->clock = i < 3;
    x->send = from_worker;
    x->arg = w;
    x->defers = (unsigned)rng_below(&w->rng, 40);
}

static void draw_faults(struct sim_world *w)
{
    struct model *m = w->m;
    m->p_retry = (unsigned)rng_below(&w->rng, 30);
    m->p_doubt_committed = (unsigned)rng_below(&w->rng, 25);
    m->p_doubt_lost = (unsigned)rng_below(&w->rng, 25);
    m->p_doubt_later = (unsigned)rng_below(&w->rng, 25);
    m->p_load_fails = (unsigned)rng_below(&w->rng, 50);
    m->p_settle_fails = (unsigned)rng_below(&w->rng, 400);
    if (!m->manual_clock) { /* the barrier stands on an ordered transport */
        w->p_loss = (unsigned)rng_below(&w->rng, 80);
        w->p_dup = (unsigned)rng_below(&w->rng, 100);
        w->p_reorder = (unsigned)rng_below(&w->rng, 100);
    }
}

static void load_model(struct sim_world *w)
{
    struct model_file net = {"network.cfg", sim_network, sizeof(sim_network) - 1};
    struct model_file wf = {"workflow.cfg", sim_workflow, sizeof(sim_workflow) - 1};
    struct model_file texts = {"texts.cfg", sim_texts, sizeof(sim_texts) - 1};
    sto_diags_t *d = sto_diags_new();
    int rc = network_load("sim", &net, 1, d, &w->net);
    rc = rc ? rc : workflow_load(&wf, &texts, w->net, d, &w->wf);
    for (size_t i = 0; i < sto_diags_count(d); i++) {
        fprintf(stderr, "%s:%d: %s\n", sto_diags_at(d, i)->file, sto_diags_at(d, i)->line,
                sto_diags_at(d, i)->text);
    }
    STO_ASSERT(rc == 0);
    sto_diags_destroy(&d);
}

struct sim_world *sim_world_new(uint64_t seed, unsigned target)
{
    struct sim_world *w = sto_xcalloc(1, sizeof(*w));
    w->seed = seed;
    w->target = target;
    w->rng.s = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    w->m = model_new(&w->rng, &w->sched, rng_chance(&w->rng, 700) ? 4 : 2);
    w->m->manual_clock = seed % 4 == 3;
    w->m->clock_us = w->m->manual_clock ? DOMAIN_START : 0;
    load_model(w);
    for (unsigned i = 0; i < SIM_CORES; i++) {
        w->core[i].m = w->m;
        w->core[i].send = from_core;
        w->core[i].arg = w;
        w->core[i].cache_cases = (unsigned)rng_between(&w->rng, 3, 40);
        w->core[i].domain_us = DOMAIN_START;
        w->core[i].domain_rate = rng_between(&w->rng, 1, 60) * 2500;
        w->core[1].domain_rate = w->core[0].domain_rate;
    }
    init_worker(w, 0, "te", SIM_KEY_TE, 1);
    init_worker(w, 1, "te", SIM_KEY_TE2, 1);
    init_worker(w, 2, "city", SIM_KEY_CITY, 2);
    init_worker(w, 3, "te", SIM_KEY_OPERATOR, 1);
    return w;
}

void sim_world_destroy(struct sim_world **self_p)
{
    struct sim_world *w = *self_p;
    for (unsigned i = 0; i < SIM_CORES; i++) {
        core_stop(&w->core[i]);
    }
    for (size_t i = 0; i < w->sched.n; i++) {
        if (w->sched.v[i].fn == arrive) {
            free(w->sched.v[i].arg);
        }
    }
    for (unsigned i = 0; i < SIM_WORKERS; i++) {
        worker_release(&w->worker[i]);
    }
    workflow_destroy(&w->wf);
    network_destroy(&w->net);
    model_destroy(&w->m);
    sched_release(&w->sched);
    free(w);
    *self_p = NULL;
}

static bool broken(struct sim_world *w)
{
    for (unsigned i = 0; i < SIM_CORES; i++) {
        if (w->core[i].fatal[0]) {
            model_violate(w->m, "core ended: %s", w->core[i].fatal);
        }
    }
    return w->m->violation[0] != '\0';
}

/* Faults off, one core, everybody connected; domain time at its natural pace. */
static void heal(struct sim_world *w)
{
    w->faults = w->acting = false;
    struct model *m = w->m;
    m->p_retry = m->p_doubt_committed = m->p_doubt_lost = m->p_doubt_later = 0;
    m->p_load_fails = m->p_settle_fails = 0;
    m->poison_case = (struct sto_uuid){0};
    for (unsigned i = 0; i < SIM_CORES; i++) {
        int64_t now = core_domain_us(&w->core[i]);
        w->core[i].frozen = false;
        w->core[i].domain_rate = 1;
        w->core[i].domain_us = now - w->sched.now_us;
        core_stop(&w->core[i]);
    }
    sched_forget(&w->sched, w); /* faults that were still planned */
    start_core(w, 0);
    sched_after(&w->sched, 1000, tick_later, w, 0);
    for (unsigned i = 0; i < SIM_WORKERS; i++) {
        w->worker[i].slow = w->worker[i].defers = 0;
        w->dies[i] = 0;
        sched_after(&w->sched, 1000, switch_worker, w, i * 8);
    }
}

static bool all_done(struct sim_world *w)
{
    struct model *m = w->m;
    for (unsigned i = 0; i < 3; i++) {
        if (!worker_done(&w->worker[i])) {
            return false;
        }
    }
    model_check_idle(m, core_domain_us(&w->core[0]) - 2 * STO_US_PER_SEC);
    bool idle = m->violation[0] == '\0';
    m->violation[0] = '\0';
    return idle;
}

static void check_accepted(struct sim_world *w)
{
    /* I10: what was taken stands in the log exactly once. */
    for (unsigned i = 0; i < 3; i++) {
        const struct worker *x = &w->worker[i];
        for (unsigned s = 0; s < w->m->n_shards; s++) {
            uint64_t n = 0;
            for (uint32_t k = 0; k < w->m->shard[s].n_events; k++) {
                const struct row_event *e = &w->m->shard[s].events[k];
                n += e->org == x->org && e->stream == x->stream;
            }
            if (n != x->out[s].n) {
                model_violate(w->m, "I10: worker %u sent %u messages to shard %u, %llu are stored",
                              i, x->out[s].n, s, (unsigned long long)n);
            }
        }
    }
}

bool sim_world_run(struct sim_world *w)
{
    w->faults = w->acting = true;
    draw_faults(w);
    start_core(w, 0);
    for (unsigned i = 0; i < SIM_WORKERS; i++) {
        sched_after(&w->sched, 1000 * (i + 1), reconnect, w, i);
    }
    sched_after(&w->sched, 5000, act_later, w, 0);
    sched_after(&w->sched, 5000, tick_later, w, 0);
    sched_after(&w->sched, 200000, fault_later, w, 0);
    if (w->m->manual_clock) {
        sched_after(&w->sched, 300000, advance_later, w, 0);
    }
    while (!broken(w) && w->posted < w->target && sched_next(&w->sched, SAFETY_US_MAX)) {
    }
    if (broken(w)) {
        return false;
    }
    heal(w);
    int64_t end = w->sched.now_us + LIVENESS_US_MAX, look = w->sched.now_us;
    bool done = false;
    while (!broken(w) && !done && sched_next(&w->sched, end)) {
        if (w->sched.now_us - look > 50000) {
            look = w->sched.now_us;
            done = all_done(w);
        }
    }
    if (!broken(w) && !done) {
        model_check_idle(w->m, core_domain_us(&w->core[0]) - 2 * STO_US_PER_SEC);
        model_violate(w->m, "I14: messages are left in an outbox");
    }
    model_check(w->m);
    check_accepted(w);
    return !broken(w);
}
