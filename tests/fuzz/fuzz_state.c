/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as a stored state: refused, or the one form of the value that they are. What
 * was read can be asked for its next due instant and compared with what a second read gives.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct case_state s, again;
    struct sto_err err;
    if (state_decode(data, size, &s, &err) != 0) {
        STO_ASSERT(err.code != 0);
        return 0;
    }
    struct sto_buf b;
    sto_buf_init(&b, 0);
    state_encode(&s, &b);
    STO_ASSERT(b.len == size && memcmp(b.data, data, size) == 0);
    STO_ASSERT(state_decode(b.data, b.len, &again, &err) == 0);
    STO_ASSERT(state_equal(&s, &again));
    (void)state_next_due_us(&s);
    for (unsigned i = 0; i < s.n_tokens; i++) {
        STO_ASSERT(state_token(&s, s.tokens[i].id) == &s.tokens[i]);
    }
    sto_buf_release(&b);
    return 0;
}
