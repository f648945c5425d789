/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as a fact: refused, or the one form of the value that they are. Its ops, applied
 * to an empty state, either fail and change nothing or lead to a state that reads back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

static void evolve(const struct fact *f)
{
    struct case_state s, before, again;
    struct sto_err err;
    memset(&s, 0, sizeof s);
    s.seq = f->seq - 1u;
    before = s;
    if (engine_evolve(&s, f, &err) != 0) {
        STO_ASSERT(state_equal(&s, &before));
        return;
    }
    struct sto_buf b;
    sto_buf_init(&b, 0);
    state_encode(&s, &b);
    STO_ASSERT(state_decode(b.data, b.len, &again, &err) == 0);
    STO_ASSERT(state_equal(&s, &again));
    sto_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fact f;
    struct mail m;
    struct sto_err err;
    sto_arena_t *arena = sto_arena_new(1u << 20);
    (void)mail_decode(data, size, &m, &err);
    if (fact_decode(data, size, arena, &f, &err) == 0) {
        struct sto_buf b;
        sto_buf_init(&b, 0);
        fact_encode(&f, &b);
        STO_ASSERT(b.len == size && memcmp(b.data, data, size) == 0);
        sto_buf_release(&b);
        evolve(&f);
    }
    sto_arena_destroy(&arena);
    return 0;
}
