/* SPDX-License-Identifier: EUPL-1.2 */
/* A core of the simulation: the broker's own reactor on the model store, without sockets. */
#ifndef SIM_CORE_H
#define SIM_CORE_H
#include "model_store.h"
#include "reactor.h"

struct core {
    struct model *m;
    uint64_t id;
    reactor_t *r; /* NULL: not running */
    store_t *store;
    struct reactor_outputs out;
    uint64_t timer; /* the last wish counts */
    unsigned cache_cases;
    int64_t domain_us, domain_rate; /* domain time = domain_us + rate × simulated time */
    bool frozen;                    /* stopped like by SIGSTOP: inputs wait */
    void (*send)(void *arg, struct core *from, const struct reactor_output *o);
    void *arg;
    char fatal[128];
};
void core_start(struct core *c, uint64_t id);
void core_stop(struct core *c); /* kill -9 */
void core_frame(struct core *c, const struct peer *peer, const char *key, const uint8_t head[4],
                const uint8_t *body, size_t n);
void core_input(struct core *c, const struct reactor_input *in);
void core_thaw(struct core *c);
int64_t core_domain_us(const struct core *c);

#endif
