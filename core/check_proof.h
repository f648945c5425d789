/* SPDX-License-Identifier: EUPL-1.2 */
/* What the explorer proves, as findings. Internal to core/. */
#ifndef CHECK_PROOF_H
#define CHECK_PROOF_H
#include "check_parts.h"
#include "explore.h"

#define PROOF_TOLD_MAX 256u

/* A finding that waits: another one may say the same better. */
struct waiting {
    const char *code;
    uint16_t step;
    int line;
    char *text;
};
struct proof {
    struct check *c;
    struct explore x;
    uint32_t told[PROOF_TOLD_MAX]; /* kind, step and what else: once each */
    unsigned n_told;
    struct waiting *waiting;
    unsigned n_waiting;
};

/* Explores; tells what is certain, keeps what may follow from a circle for check_proof_finish(). */
void check_proof(struct proof *p, struct check *c, uint32_t states_max);
/* circles: an instant circle (2) or an endless one (1) was found, which explains silence and more
 */
void check_proof_finish(struct proof *p, int circles);

/* check_graph.c: from each state an end; no silence. check_reach.c: all is reached; one field. */
void check_graph(void *arg, const struct explore *x, const struct x_unit *u);
void check_unreached(struct proof *p);
void check_races(struct proof *p);
void proof_wait(struct proof *p, const char *code, uint16_t step, int line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
bool proof_once(struct proof *p, unsigned kind, unsigned step, unsigned ref);

#endif
