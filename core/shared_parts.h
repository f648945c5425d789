/* SPDX-License-Identifier: EUPL-1.2 */
/* Between shared.c and shared_codec.c only: the ops of a session's fact. */
#ifndef SHARED_PARTS_H
#define SHARED_PARTS_H
#include "shared.h"

/* Puts ops that lead from `before` to `after` into *out (arena-owned). */
int shared_diff(const struct shared_state *before, const struct shared_state *after,
                sto_arena_t *arena, struct fact *out, struct sto_err *err);

#endif
