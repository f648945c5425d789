/* SPDX-License-Identifier: EUPL-1.2 */
/* A way through the explored states, told in sentences: "1. te opens the case and is responsible
 * 2. te: 'need' → voucher 3. client: 'choose' → chosen". */
#ifndef EXPLORE_STORY_H
#define EXPLORE_STORY_H
#include "explore.h"

#define X_STORY_BYTES 1600u

/* The shortest way to state `to` of the unit's graph and, if it is not NULL, one more move. */
void x_story(const struct explore *x, const struct x_unit *u, uint32_t to,
             const struct x_move *then, char *out, size_t cap);
/* "te", "the former guidance" */
const char *x_org_name(const struct explore *x, unsigned org, char *buf, size_t cap);
/* Who makes the move from the state: a role, "client", "time". */
const char *x_mover_name(const struct explore *x, const struct x_state *s, const struct x_move *m,
                         char *buf, size_t cap);

#endif
