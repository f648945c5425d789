/* SPDX-License-Identifier: EUPL-1.2 */
/* A binary heap by (time, order of planning); splitmix64. No wall clock anywhere. */
#include "sched.h"

#include <stdlib.h>

#include "sto_arena.h"

uint64_t rng_next(struct rng *r)
{
    uint64_t x = (r->s += UINT64_C(0x9e3779b97f4a7c15));
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    return n == 0 ? 0 : rng_next(r) % n;
}

bool rng_chance(struct rng *r, unsigned per_mille)
{
    return rng_below(r, 1000) < per_mille;
}

int64_t rng_between(struct rng *r, int64_t lo, int64_t hi)
{
    return lo + (int64_t)rng_below(r, (uint64_t)(hi - lo) + 1);
}

static bool before(const struct sched_item *a, const struct sched_item *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void sift_up(struct sched *s, size_t i)
{
    struct sched_item x = s->v[i];
    for (; i > 0 && before(&x, &s->v[(i - 1) / 2]); i = (i - 1) / 2) {
        s->v[i] = s->v[(i - 1) / 2];
    }
    s->v[i] = x;
}

static void sift_down(struct sched *s, size_t i)
{
    struct sched_item x = s->v[i];
    for (size_t c; (c = 2 * i + 1) < s->n; i = c) {
        c += c + 1 < s->n && before(&s->v[c + 1], &s->v[c]);
        if (!before(&s->v[c], &x)) {
            break;
        }
        s->v[i] = s->v[c];
    }
    s->v[i] = x;
}

void sched_release(struct sched *s)
{
    free(s->v);
    *s = (struct sched){0};
}

void sched_after(struct sched *s, int64_t delay_us, sched_fn *fn, void *arg, uint64_t n)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        s->v = sto_xrealloc(s->v, s->cap * sizeof(*s->v));
    }
    s->v[s->n] = (struct sched_item){s->now_us + delay_us, ++s->order, fn, arg, n};
    sift_up(s, s->n++);
}

bool sched_next(struct sched *s, int64_t until_us)
{
    if (s->n == 0 || s->v[0].at_us > until_us) {
        return false;
    }
    struct sched_item x = s->v[0];
    s->v[0] = s->v[--s->n];
    if (s->n > 0) {
        sift_down(s, 0);
    }
    s->now_us = x.at_us;
    x.fn(x.arg, x.n);
    return true;
}

void sched_forget(struct sched *s, const void *arg)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].arg != arg) {
            s->v[n++] = s->v[i];
        }
    }
    s->n = n;
    for (size_t i = n / 2; i-- > 0;) {
        sift_down(s, i);
    }
}
