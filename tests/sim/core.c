/* SPDX-License-Identifier: EUPL-1.2 */
#include "core.h"

#include <stdio.h>
#include <string.h>

int64_t core_domain_us(const struct core *c)
{
    return c->m->manual_clock ? c->m->clock_us
                              : c->domain_us + c->domain_rate * c->m->sched->now_us;
}

static void tick(void *arg, uint64_t n)
{
    struct core *c = arg;
    if (c->r && n == c->timer && !c->frozen) {
        core_input(c, &(struct reactor_input){.kind = RX_TICK});
    }
}

static void poll_store(struct core *c)
{
    struct store_result res;
    while (c->r && !c->frozen && c->store->ops->poll(c->store, &res)) {
        core_input(c, &(struct reactor_input){.kind = RX_STORE, .result = &res});
        sto_arena_destroy(&res.arena);
    }
}

static void poll_later(void *arg, uint64_t n)
{
    (void)n;
    poll_store(arg);
}

static void ready(void *arg, uint64_t n)
{
    struct core *c = arg;
    (void)n;
    sched_after(c->m->sched, 0, poll_later, c, 0);
}

void core_input(struct core *c, const struct reactor_input *in)
{
    if (!c->r || c->frozen) {
        return;
    }
    reactor_step(c->r, in, c->m->sched->now_us, core_domain_us(c), &c->out);
    for (size_t i = 0; i < c->out.n; i++) {
        struct reactor_output *o = &c->out.v[i];
        switch (o->kind) {
        case RX_SEND:
            c->send(c->arg, c, o);
            break;
        case RX_STORE_REQUEST:
            c->store->ops->submit(c->store, o->request);
            break;
        case RX_TIMER: {
            int64_t d = o->at_mono_us - c->m->sched->now_us;
            sched_after(c->m->sched, d > 0 ? d : 1, tick, c, ++c->timer);
            break;
        }
        case RX_KEYS:
            break;
        case RX_FATAL:
            snprintf(c->fatal, sizeof(c->fatal), "%s", o->why);
            break;
        }
    }
    c->out.n = 0;
}

void core_start(struct core *c, uint64_t id)
{
    STO_ASSERT(!c->r);
    c->id = id;
    struct reactor_options o = {.core_id = id,
                                .n_shards = c->m->n_shards,
                                .batch_events_max = 64,
                                .cache_cases_max = c->cache_cases,
                                .inflight_max = 256,
                                .dead_after_sessions = 5,
                                .seed = id};
    c->frozen = false;
    c->r = reactor_new(&o);
    c->store = model_connect(c->m, id, ready, c);
    core_input(c, &(struct reactor_input){.kind = RX_TICK});
}

void core_stop(struct core *c)
{
    if (!c->r) {
        return;
    }
    sched_forget(c->m->sched, c);
    model_disconnect(&c->store);
    reactor_destroy(&c->r);
    reactor_outputs_release(&c->out);
}

void core_thaw(struct core *c)
{
    c->frozen = false;
    core_input(c, &(struct reactor_input){.kind = RX_TICK});
    poll_store(c);
}

void core_frame(struct core *c, const struct peer *peer, const char *key, const uint8_t head[4],
                const uint8_t *body, size_t n)
{
    struct reactor_input in = {
        .kind = RX_FRAME, .peer = *peer, .head = head, .n_head = 4, .body = body, .n_body = n};
    snprintf(in.public_key, sizeof(in.public_key), "%s", key);
    core_input(c, &in);
}
