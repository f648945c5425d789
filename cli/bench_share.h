/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the benchmark's controller and its worker processes share: a mapped file. A case is known by
 * its number, which stands in the first bytes of its id, so any process can tell when the event was
 * sent that led to a delivery.
 */
#ifndef BENCH_SHARE_H
#define BENCH_SHARE_H
#include <stdatomic.h>
#include <stdint.h>

#define BENCH_WORKERS   4
#define BENCH_CASES_MAX 4096
#define BENCH_BUCKETS                                                                              \
    1400 /* of latency: each 1 % wider than the last, from 10 us to about 10 s                     \
          */

struct bench_share {
    _Atomic uint32_t stop; /* 1: end */
    _Atomic uint32_t measuring;
    _Atomic uint32_t active; /* cases below this number go on; the others rest at their next turn */
    _Atomic int64_t pace_us; /* open loop: microseconds between two events of all workers together;
                                0 = closed loop */
    _Atomic int64_t next_slot_us;
    _Atomic uint32_t ready;                    /* workers with a session */
    _Atomic uint32_t resting[BENCH_CASES_MAX]; /* 1: has a turn that waits for `active` */
    _Atomic int64_t sent_us[BENCH_CASES_MAX];
    struct {
        _Atomic uint64_t hops, refused, latency[BENCH_BUCKETS];
    } worker[BENCH_WORKERS];
};

unsigned bench_bucket(int64_t us);
double bench_bucket_us(unsigned bucket);

#endif
