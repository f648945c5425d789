/* SPDX-License-Identifier: EUPL-1.2 */
/* Between session.c and session_codec.c only: the ops of a session's fact. */
#ifndef SESSION_OPS_H
#define SESSION_OPS_H
#include "session.h"

/* Puts ops that lead from `before` to `after` into *out (arena-owned). */
int session_diff(const struct session_state *before, const struct session_state *after,
                 sto_arena_t *arena, struct fact *out, struct sto_err *err);

#endif
