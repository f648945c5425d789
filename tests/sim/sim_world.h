/* SPDX-License-Identifier: EUPL-1.2 */
/* One simulated run: cores, workers, the network between them, people who act, faults; all from one
 * seed. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H
#include "worker.h"

#define SIM_WORKERS 4 /* te, te (a second process), city, operator */
#define SIM_CORES   2

struct sim_world;
struct sim_world {
    uint64_t seed;
    struct rng rng;
    struct sched sched;
    struct model *m;
    struct core core[SIM_CORES];
    struct worker worker[SIM_WORKERS];
    unsigned core_of[SIM_WORKERS];   /* to which core each worker talks */
    int64_t fifo_us[SIM_WORKERS][2]; /* when the last packet of a direction arrives */
    unsigned dies[SIM_WORKERS];      /* crashes left at the next deliveries */
    network_t *net;
    workflow_t *wf;
    unsigned p_loss, p_dup, p_reorder;
    bool faults, acting;
    uint64_t posted, next_core, next_client;
    unsigned target; /* messages to post */
    struct {
        struct sto_uuid client;
    } clients[256];
    unsigned n_clients;
    sto_arena_t *arena;
    bool trace;
};
struct sim_world *sim_world_new(uint64_t seed, unsigned target);
void sim_world_destroy(struct sim_world **self_p);
/* Both phases and all checks; false: m->violation says what. */
bool sim_world_run(struct sim_world *w);
void people_act(struct sim_world *w); /* one message of somebody into an outbox */

#endif
