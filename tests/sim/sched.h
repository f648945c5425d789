/* SPDX-License-Identifier: EUPL-1.2 */
/* Simulated time: what is to happen when, in one order for one seed; and the seed's numbers. */
#ifndef SCHED_H
#define SCHED_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s;
};
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t n); /* 0..n-1; n 0: 0 */
bool rng_chance(struct rng *r, unsigned per_mille);
int64_t rng_between(struct rng *r, int64_t lo, int64_t hi);

typedef void sched_fn(void *arg, uint64_t n);
struct sched_item {
    int64_t at_us;
    uint64_t order;
    sched_fn *fn;
    void *arg;
    uint64_t n;
};
struct sched {
    int64_t now_us;
    uint64_t order;
    struct sched_item *v;
    size_t n, cap;
};
void sched_release(struct sched *s);
void sched_after(struct sched *s, int64_t delay_us, sched_fn *fn, void *arg, uint64_t n);
bool sched_next(struct sched *s, int64_t until_us);  /* runs one; false: none before until_us */
void sched_forget(struct sched *s, const void *arg); /* drops all with that argument */

#endif
