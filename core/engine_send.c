/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Deliveries and mail of a fact, and the legal basis of each: for every field that
 * would go out, its category must be covered now for this receiver by a statute or
 * contract of the network, or by a consent of the client. What is not, and what is
 * unset, stays back and is listed.
 */
#include <string.h>

#include "shared.h"
#include "turn.h"

#define SENDS_FIRST 6u

static bool sends_grow(struct turn *t)
{
    unsigned cap = t->sends_cap > 0 ? 2 * t->sends_cap : SENDS_FIRST;
    cap = cap < STO_FACT_SENDS_MAX ? cap : STO_FACT_SENDS_MAX;
    struct send *sends = sto_arena_alloc(t->ctx->arena, cap * sizeof *sends);
    if (!sends) {
        return false;
    }
    if (t->out->n_sends > 0) {
        memcpy(sends, t->out->sends, t->out->n_sends * sizeof *sends);
    }
    t->out->sends = sends;
    t->sends_cap = cap;
    return true;
}

struct send *send_add(struct turn *t, enum send_kind kind, struct party to)
{
    if (t->out->n_sends == t->sends_cap && (t->sends_cap == STO_FACT_SENDS_MAX || !sends_grow(t))) {
        /* Who only hears that work is gone will hear "late" if it answers; anything else must go
         * out. */
        if (kind != SEND_WITHDRAWN) {
            turn_fail(t, STO_E_LIMIT, "the event needs more than %u messages", STO_FACT_SENDS_MAX);
        }
        memset(&t->spill, 0, sizeof t->spill);
        return &t->spill;
    }
    struct send *x = &t->out->sends[t->out->n_sends++];
    x->kind = (uint8_t)kind;
    x->to = to;
    x->event = (uint8_t)t->in->kind;
    return x;
}

struct send *send_token(struct turn *t, enum send_kind kind, struct party to,
                        const struct token *tok)
{
    uint16_t id = tok->id, entry = tok->entry, step = tok->step;
    struct send *x = send_add(t, kind, to);
    x->token = id;
    x->entry = entry;
    x->step = step;
    return x;
}

struct send *send_offer(struct turn *t, enum send_kind kind, struct party to, const struct offer *o)
{
    const struct token *tok = state_token(t->s, o->token);
    uint16_t offer = o->id;
    int64_t at_us = o->meet_us;
    struct send *x = tok ? send_token(t, kind, to, tok) : send_add(t, kind, to);
    x->offer = offer;
    x->at_us = at_us;
    return x;
}

/* ------------------------------------------------------------------ legal basis */

static bool consent_reaches(const struct turn *t, const struct wf_consent *c, uint16_t org)
{
    if (c->purpose && *c->purpose && strcmp(c->purpose, t->wf->purpose) != 0) {
        return false;
    }
    for (unsigned i = 0; i < c->n_to; i++) {
        if (party_known(t, c->to[i]).org == org) {
            return true;
        }
    }
    return false;
}

bool basis_covers(struct turn *t, uint16_t org, unsigned category, uint16_t *basis,
                  uint16_t *version)
{
    if (PLANT(1)) {
        *basis = 1;
        *version = 1;
        return true;
    }
    const struct basis *b = network_basis(t->net, t->wf->purpose, org, category, t->today);
    if (b) {
        *basis = b->number;
        *version = b->version;
        return true;
    }
    for (unsigned i = 0; i < t->wf->n_consents; i++) {
        const struct wf_consent *c = &t->wf->consents[i];
        bool given =
            t->s->consents[i].state == CONSENT_GIVEN && t->s->consents[i].until_us > t->now;
        given = given || (PLANT(17) && t->s->consents[i].state == CONSENT_LOST);
        if (given && c->categories >> category & 1 && consent_reaches(t, c, org)) {
            *basis = (uint16_t)(0x8000u | i);
            *version = t->s->consents[i].version;
            return true;
        }
    }
    return false;
}

void send_release(struct turn *t, struct send *x, uint64_t fields)
{
    uint32_t asked = 0;
    uint64_t left = fields;
    while (left != 0) {
        unsigned ix = (unsigned)__builtin_ctzll(left);
        uint64_t bit = UINT64_C(1) << ix;
        left &= ~bit;
        unsigned category = t->wf->fields[ix].category;
        if (!(t->s->fields_set & bit) || category >= STO_CATEGORIES_MAX) {
            x->held_back |= bit;
            continue;
        }
        if (!(asked >> category & 1)) {
            asked |= UINT32_C(1) << category;
            if (!(x->categories >> category & 1) &&
                basis_covers(t, x->to.org, category, &x->basis[category],
                             &x->basis_ver[category])) {
                x->categories |= UINT32_C(1) << category;
            }
        }
        if (x->categories >> category & 1) {
            x->fields |= bit;
        } else {
            x->held_back |= bit;
        }
    }
}

void send_escalation(struct turn *t, const struct clock *c, unsigned rung, enum rung_to to)
{
    struct party ball = clock_ball(t, c);
    struct party p = ball;
    switch (to) {
    case RUNG_BALL:
    case RUNG_DESK_LEAD:
        break;
    case RUNG_SENDER_LEAD: {
        const struct offer *o = c->offer ? state_offer(t->s, c->offer) : NULL;
        p = o ? o->from : t->s->sender.org != 0 ? t->s->sender : t->s->holder;
        break;
    }
    case RUNG_COORDINATOR:
        p = org_party(t->net, t->net->coordinator_org, NULL);
        break;
    }
    if (p.org == 0) {
        p = t->s->holder;
    }
    const struct token *tok = state_token(t->s, c->token);
    enum send_kind kind = to == RUNG_BALL ? SEND_REMINDER : SEND_ESCALATION;
    int64_t due_us = c->due_us;
    uint8_t clock = c->kind;
    uint16_t offer = c->offer;
    struct send *x = tok ? send_token(t, kind, p, tok) : send_add(t, kind, p);
    x->clock = clock;
    x->rung = (uint8_t)rung;
    x->offer = offer;
    x->due_us = due_us;
}

/* ------------------------------------------------------------------ mail */

void mail_add(struct turn *t, enum mail_kind kind, const struct token *tok, uint16_t service,
              int64_t until_us)
{
    if (!t->out->mails) {
        t->out->mails = sto_arena_alloc(t->ctx->arena, STO_FACT_MAILS_MAX * sizeof *t->out->mails);
    }
    if (!t->out->mails || t->out->n_mails == STO_FACT_MAILS_MAX) {
        turn_fail(t, STO_E_LIMIT, "the event needs more than %u mails", STO_FACT_MAILS_MAX);
        return;
    }
    struct mail *m = &t->out->mails[t->out->n_mails++];
    m->kind = (uint8_t)kind;
    m->src = t->ctx->case_id;
    shared_id(t->net->id, service, &m->dst);
    m->service = service;
    m->token = tok->id;
    m->entry = tok->entry;
    m->until_us = until_us;
}
