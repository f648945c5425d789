/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Codecs of a state's records, shared by the state codec (state_codec.c), the
 * difference (state_diff.c) and evolve (evolve.c). Internal to core/.
 *
 * A get function leaves its record zeroed but for what it read; wrong values set
 * the reader's sticky `failed`.
 */
#ifndef STATE_RECORD_H
#define STATE_RECORD_H
#include "state.h"

uint64_t record_get_max(struct sto_rd *r, uint64_t max); /* varint; fails above max */

void record_put_party(struct sto_buf *b, const struct party *p);
void record_get_party(struct sto_rd *r, struct party *p);
/* status, workflow, client, opened, home, settings; seq and last stand in each fact's head */
void record_put_head(struct sto_buf *b, const struct case_state *s);
void record_get_head(struct sto_rd *r, struct case_state *s);
void record_put_parties(struct sto_buf *b, const struct case_state *s);
void record_get_parties(struct sto_rd *r, struct case_state *s);
void record_put_role(struct sto_buf *b, const struct case_state *s, unsigned ix);
void record_get_role(struct sto_rd *r, struct case_state *s, unsigned ix);
void record_put_consent(struct sto_buf *b, const struct case_state *s, unsigned ix);
void record_get_consent(struct sto_rd *r, struct case_state *s, unsigned ix);
void record_put_token(struct sto_buf *b, const struct token *t);
void record_get_token(struct sto_rd *r, struct token *t);
void record_put_offer(struct sto_buf *b, const struct offer *o);
void record_get_offer(struct sto_rd *r, struct offer *o);
void record_put_clock(struct sto_buf *b, const struct clock *c);
void record_get_clock(struct sto_rd *r, struct clock *c);
void record_put_holding(struct sto_buf *b, const struct holding *h);
void record_get_holding(struct sto_rd *r, struct holding *h);

bool head_equal(const struct case_state *a, const struct case_state *b);
bool parties_equal(const struct case_state *a, const struct case_state *b);
bool role_equal(const struct case_state *a, const struct case_state *b, unsigned ix);
bool consent_equal(const struct case_state *a, const struct case_state *b, unsigned ix);
bool token_equal(const struct token *a, const struct token *b);
bool offer_equal(const struct offer *a, const struct offer *b);
bool clock_equal(const struct clock *a, const struct clock *b);
bool holding_equal(const struct holding *a, const struct holding *b);

/* Order of the packed clocks: kind, token, offer, side. */
int clock_order(const struct clock *a, const struct clock *b);
/* Order of the packed holdings: service, token, entry. */
int holding_order(const struct holding *a, const struct holding *b);
/* Position of an id or key in the packed array, or where it would stand. */
unsigned token_place(const struct case_state *s, uint16_t id);
unsigned offer_place(const struct case_state *s, uint16_t id);
unsigned clock_place(const struct case_state *s, const struct clock *key);
unsigned holding_place(const struct case_state *s, const struct holding *key);
/* Replace or insert in order; false = full. */
bool token_put(struct case_state *s, const struct token *t);
bool offer_put(struct case_state *s, const struct offer *o);
bool clock_put(struct case_state *s, const struct clock *c);
bool holding_put(struct case_state *s, const struct holding *h);
/* Remove at a position; the freed record is zeroed. */
void token_drop_at(struct case_state *s, unsigned i);
void offer_drop_at(struct case_state *s, unsigned i);
void clock_drop_at(struct case_state *s, unsigned i);
void holding_drop_at(struct case_state *s, unsigned i);

#endif
