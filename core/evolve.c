/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * engine_evolve(): the only way a stored state changes. It applies a fact's ops
 * as they stand; it knows no rule, contents, clock or configuration, so a log
 * can be folded long after its workflow and its data are gone.
 */
#include <string.h>

#include "state_record.h"

static void apply_token(struct sto_rd *r, struct case_state *s)
{
    struct token t;
    record_get_token(r, &t);
    r->failed = r->failed || !token_put(s, &t);
}

static void apply_token_drop(struct sto_rd *r, struct case_state *s)
{
    uint16_t id = (uint16_t)record_get_max(r, UINT16_MAX);
    unsigned i = token_place(s, id);
    if (i == s->n_tokens || s->tokens[i].id != id) {
        r->failed = true;
    } else {
        token_drop_at(s, i);
    }
}

static void apply_offer(struct sto_rd *r, struct case_state *s)
{
    struct offer o;
    record_get_offer(r, &o);
    r->failed = r->failed || !offer_put(s, &o);
}

static void apply_offer_drop(struct sto_rd *r, struct case_state *s)
{
    uint16_t id = (uint16_t)record_get_max(r, UINT16_MAX);
    unsigned i = offer_place(s, id);
    if (i == s->n_offers || s->offers[i].id != id) {
        r->failed = true;
    } else {
        offer_drop_at(s, i);
    }
}

static void apply_clock(struct sto_rd *r, struct case_state *s)
{
    struct clock c;
    record_get_clock(r, &c);
    r->failed = r->failed || !clock_put(s, &c);
}

static void apply_clock_drop(struct sto_rd *r, struct case_state *s)
{
    struct clock key = {.kind = sto_get_u8(r)};
    key.token = (uint16_t)record_get_max(r, UINT16_MAX);
    key.offer = (uint16_t)record_get_max(r, UINT16_MAX);
    key.side = sto_get_u8(r);
    unsigned i = clock_place(s, &key);
    if (r->failed || i == s->n_clocks || clock_order(&s->clocks[i], &key) != 0) {
        r->failed = true;
    } else {
        clock_drop_at(s, i);
    }
}

static void apply_holding(struct sto_rd *r, struct case_state *s, bool drop)
{
    struct holding h;
    record_get_holding(r, &h);
    unsigned i = holding_place(s, &h);
    bool there = i < s->n_holdings && holding_order(&s->holdings[i], &h) == 0;
    if (r->failed || (drop && !there)) {
        r->failed = true;
    } else if (drop) {
        holding_drop_at(s, i);
    } else {
        r->failed = !holding_put(s, &h);
    }
}

static void apply_small(struct sto_rd *r, struct case_state *s, enum op_kind kind)
{
    unsigned i;
    switch (kind) {
    case OP_COUNTERS:
        s->next_token = (uint16_t)record_get_max(r, UINT16_MAX);
        s->next_offer = (uint16_t)record_get_max(r, UINT16_MAX);
        return;
    case OP_ROLE:
        i = (unsigned)record_get_max(r, STO_WF_ROLES_MAX - 1);
        record_get_role(r, s, i);
        return;
    case OP_FIELDS:
        s->fields_set = sto_get_u64(r);
        return;
    case OP_EXIT:
        i = (unsigned)record_get_max(r, STO_WF_STEPS_MAX - 1);
        s->last_exit[i] = (uint8_t)sto_get_u8(r);
        r->failed = r->failed || s->last_exit[i] >= STO_WF_EXITS_MAX;
        return;
    case OP_ENTRY:
        i = (unsigned)record_get_max(r, STO_WF_STEPS_MAX - 1);
        s->entries[i] = sto_get_u8(r);
        return;
    case OP_CONSENT:
        i = (unsigned)record_get_max(r, STO_WF_CONSENTS_MAX - 1);
        record_get_consent(r, s, i);
        return;
    case OP_CLOSE:
        s->outcome_step = (uint16_t)record_get_max(r, UINT16_MAX);
        return;
    case OP_KEPT:
        i = (unsigned)record_get_max(r, STO_WF_MESSAGES_MAX - 1);
        s->kept[i] = sto_get_u8(r);
        r->failed = r->failed || s->kept[i] >= STO_WF_EXITS_MAX;
        return;
    case OP_HEAD:
    case OP_PARTIES:
    case OP_TOKEN:
    case OP_TOKEN_DROP:
    case OP_OFFER:
    case OP_OFFER_DROP:
    case OP_CLOCK:
    case OP_CLOCK_DROP:
    case OP_HOLDING:
    case OP_HOLDING_DROP:
        break;
    }
    r->failed = true;
}

static void apply(struct sto_rd *r, struct case_state *s)
{
    uint8_t kind = sto_get_u8(r);
    switch ((enum op_kind)kind) {
    case OP_HEAD:
        record_get_head(r, s);
        return;
    case OP_PARTIES:
        record_get_parties(r, s);
        return;
    case OP_TOKEN:
        apply_token(r, s);
        return;
    case OP_TOKEN_DROP:
        apply_token_drop(r, s);
        return;
    case OP_OFFER:
        apply_offer(r, s);
        return;
    case OP_OFFER_DROP:
        apply_offer_drop(r, s);
        return;
    case OP_CLOCK:
        apply_clock(r, s);
        return;
    case OP_CLOCK_DROP:
        apply_clock_drop(r, s);
        return;
    case OP_HOLDING:
    case OP_HOLDING_DROP:
        apply_holding(r, s, kind == OP_HOLDING_DROP);
        return;
    case OP_ROLE:
    case OP_FIELDS:
    case OP_EXIT:
    case OP_ENTRY:
    case OP_CONSENT:
    case OP_CLOSE:
    case OP_COUNTERS:
    case OP_KEPT:
        apply_small(r, s, (enum op_kind)kind);
        return;
    }
    r->failed = true;
}

int engine_evolve(struct case_state *s, const struct fact *f, struct sto_err *err)
{
    if (f->seq != s->seq + 1u) {
        return sto_fail(err, STO_E_MALFORMED, "fact %u does not follow event %u of the case",
                        f->seq, s->seq);
    }
    struct case_state next = *s;
    struct sto_rd r = sto_rd(f->ops, f->ops_len);
    for (unsigned i = 0; i < f->n_ops && !r.failed; i++) {
        apply(&r, &next);
    }
    if (!sto_rd_done(&r)) {
        return sto_fail(err, STO_E_MALFORMED, "fact %u is no fact of this state", f->seq);
    }
    next.seq = f->seq;
    next.last_us = f->now_us;
    *s = next;
    return 0;
}
