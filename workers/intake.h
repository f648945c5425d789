/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one shard's deliveries have come to: contiguous mark, single ones above
 * it, those handed over but not yet answered, those deferred. Decides whether a
 * delivery is new and what an acknowledgement says.
 */
#ifndef INTAKE_H
#define INTAKE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum intake_state { INTAKE_OPEN = 1, INTAKE_DONE, INTAKE_DEFERRED };
struct intake_item {
    uint64_t seq;
    uint8_t state; /* enum intake_state */
    bool told;     /* DONE or DEFERRED: the broker knows */
    uint32_t after_ms;
};
struct intake {
    uint32_t incarnation;
    uint64_t epoch;        /* highest seen */
    uint64_t upto;         /* everything up to here is done */
    uint64_t told;         /* acknowledged up to here */
    struct intake_item *v; /* above upto, ascending */
    size_t n, cap;
    bool fresh; /* no delivery in this session yet */
};
void intake_release(struct intake *in);
/* A new session: what was handed over stays open, what was deferred comes again. */
void intake_session(struct intake *in, uint32_t incarnation, uint64_t upto);
/* True if this one is to be handed over now. */
bool intake_take(struct intake *in, uint64_t epoch, uint64_t seq);
void intake_answer(struct intake *in, uint64_t seq, enum intake_state state, uint32_t after_ms);
/* Anything to say to the broker? */
bool intake_news(const struct intake *in);
/* Handed over and not answered yet. */
size_t intake_open(const struct intake *in);
#endif
