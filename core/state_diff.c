/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The difference of two states of one case as ops: whole-record PUT or DROP, in
 * a fixed order, so that equal pairs give equal bytes. engine_evolve() is the
 * inverse: evolve(before, diff(before, after)) = after.
 */
#include "state_record.h"

struct diff {
    struct sto_buf *b;
    uint16_t n;
};

static void op(struct diff *d, enum op_kind kind)
{
    sto_put_u8(d->b, (uint8_t)kind);
    d->n++;
}

static void diff_tokens(struct diff *d, const struct case_state *a, const struct case_state *z)
{
    unsigned i = 0, k = 0;
    while (i < a->n_tokens || k < z->n_tokens) {
        if (k == z->n_tokens || (i < a->n_tokens && a->tokens[i].id < z->tokens[k].id)) {
            op(d, OP_TOKEN_DROP);
            sto_put_var(d->b, a->tokens[i++].id);
        } else {
            bool both = i < a->n_tokens && a->tokens[i].id == z->tokens[k].id;
            if (!both || !token_equal(&a->tokens[i], &z->tokens[k])) {
                op(d, OP_TOKEN);
                record_put_token(d->b, &z->tokens[k]);
            }
            i += both;
            k++;
        }
    }
}

static void diff_offers(struct diff *d, const struct case_state *a, const struct case_state *z)
{
    unsigned i = 0, k = 0;
    while (i < a->n_offers || k < z->n_offers) {
        if (k == z->n_offers || (i < a->n_offers && a->offers[i].id < z->offers[k].id)) {
            op(d, OP_OFFER_DROP);
            sto_put_var(d->b, a->offers[i++].id);
        } else {
            bool both = i < a->n_offers && a->offers[i].id == z->offers[k].id;
            if (!both || !offer_equal(&a->offers[i], &z->offers[k])) {
                op(d, OP_OFFER);
                record_put_offer(d->b, &z->offers[k]);
            }
            i += both;
            k++;
        }
    }
}

static void clock_drop(struct diff *d, const struct clock *c)
{
    op(d, OP_CLOCK_DROP);
    sto_put_u8(d->b, c->kind);
    sto_put_var(d->b, c->token);
    sto_put_var(d->b, c->offer);
    sto_put_u8(d->b, c->side);
}

static void diff_clocks(struct diff *d, const struct case_state *a, const struct case_state *z)
{
    unsigned i = 0, k = 0;
    while (i < a->n_clocks || k < z->n_clocks) {
        int order = i == a->n_clocks   ? 1
                    : k == z->n_clocks ? -1
                                       : clock_order(&a->clocks[i], &z->clocks[k]);
        if (order < 0) {
            clock_drop(d, &a->clocks[i++]);
        } else {
            if (order > 0 || !clock_equal(&a->clocks[i], &z->clocks[k])) {
                op(d, OP_CLOCK);
                record_put_clock(d->b, &z->clocks[k]);
            }
            i += order == 0;
            k++;
        }
    }
}

static void diff_holdings(struct diff *d, const struct case_state *a, const struct case_state *z)
{
    unsigned i = 0, k = 0;
    while (i < a->n_holdings || k < z->n_holdings) {
        int order = i == a->n_holdings   ? 1
                    : k == z->n_holdings ? -1
                                         : holding_order(&a->holdings[i], &z->holdings[k]);
        if (order < 0) {
            op(d, OP_HOLDING_DROP);
            record_put_holding(d->b, &a->holdings[i++]);
        } else {
            if (order > 0 || !holding_equal(&a->holdings[i], &z->holdings[k])) {
                op(d, OP_HOLDING);
                record_put_holding(d->b, &z->holdings[k]);
            }
            i += order == 0;
            k++;
        }
    }
}

static void diff_kept(struct diff *d, const struct case_state *a, const struct case_state *z)
{
    for (unsigned i = 0; i < STO_WF_MESSAGES_MAX; i++) {
        if (a->kept[i] != z->kept[i]) {
            op(d, OP_KEPT);
            sto_put_var(d->b, i);
            sto_put_u8(d->b, z->kept[i]);
        }
    }
}

static void diff_steps(struct diff *d, const struct case_state *a, const struct case_state *z)
{
    for (unsigned i = 0; i < STO_WF_STEPS_MAX; i++) {
        if (a->last_exit[i] != z->last_exit[i]) {
            op(d, OP_EXIT);
            sto_put_var(d->b, i);
            sto_put_u8(d->b, z->last_exit[i]);
        }
        if (a->entries[i] != z->entries[i]) {
            op(d, OP_ENTRY);
            sto_put_var(d->b, i);
            sto_put_u8(d->b, z->entries[i]);
        }
    }
}

void state_diff(const struct case_state *before, const struct case_state *after,
                struct sto_buf *ops, uint16_t *n_ops)
{
    struct diff d = {.b = ops};
    if (!head_equal(before, after)) {
        op(&d, OP_HEAD);
        record_put_head(ops, after);
    }
    if (before->next_token != after->next_token || before->next_offer != after->next_offer) {
        op(&d, OP_COUNTERS);
        sto_put_var(ops, after->next_token);
        sto_put_var(ops, after->next_offer);
    }
    if (!parties_equal(before, after)) {
        op(&d, OP_PARTIES);
        record_put_parties(ops, after);
    }
    for (unsigned i = 0; i < STO_WF_ROLES_MAX; i++) {
        if (!role_equal(before, after, i)) {
            op(&d, OP_ROLE);
            sto_put_var(ops, i);
            record_put_role(ops, after, i);
        }
    }
    if (before->fields_set != after->fields_set) {
        op(&d, OP_FIELDS);
        sto_put_u64(ops, after->fields_set);
    }
    diff_steps(&d, before, after);
    for (unsigned i = 0; i < STO_WF_CONSENTS_MAX; i++) {
        if (!consent_equal(before, after, i)) {
            op(&d, OP_CONSENT);
            sto_put_var(ops, i);
            record_put_consent(ops, after, i);
        }
    }
    diff_tokens(&d, before, after);
    diff_offers(&d, before, after);
    diff_clocks(&d, before, after);
    diff_holdings(&d, before, after);
    diff_kept(&d, before, after);
    if (before->outcome_step != after->outcome_step) {
        op(&d, OP_CLOSE);
        sto_put_var(ops, after->outcome_step);
    }
    *n_ops = d.n;
}
