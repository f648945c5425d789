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

/* ------------------------------------------------------------------ hidden steps */

static bool named_in(const struct turn *t, const struct wf_step *w, uint16_t org)
{
    uint8_t all[PARTIES_MAX];
    unsigned n = parties_flat(t->wf, w->visible_to, w->n_visible_to, all);
    for (unsigned i = 0; i < n; i++) {
        if (party_known(t, all[i]).org == org) {
            return true;
        }
    }
    return w->n_visible_to == 0;
}

/* Does `visible-to` of the step, or of what it stands in or beside, leave the receiver out? */
static bool hidden_from(const struct turn *t, const struct token *tok, uint16_t org)
{
    if (PLANT(24) || tok->at.org == org) {
        return false;
    }
    for (unsigned i = 0; i < t->s->n_offers; i++) {
        if (t->s->offers[i].token == tok->id && t->s->offers[i].to.org == org) {
            return false;
        }
    }
    uint16_t step = tok->step;
    for (unsigned guard = 0; guard < STO_WF_STEPS_MAX && step < t->wf->n_steps; guard++) {
        const struct wf_step *w = &t->wf->steps[step];
        if (!named_in(t, w, org)) {
            return true;
        }
        step = w->host < t->wf->n_steps ? w->host : w->stage;
    }
    return false;
}

/* The holder hears only that something goes on; others hear nothing. */
static struct send *send_hidden(struct turn *t, enum send_kind kind, struct party to)
{
    if (to.org != t->s->holder.org) {
        memset(&t->spill, 0, sizeof t->spill);
        return &t->spill;
    }
    struct send *x = send_add(t, kind == SEND_ESCALATION ? kind : SEND_NOTICE, to);
    x->step = WF_NONE;
    return x;
}

void sends_hush(struct turn *t)
{
    for (unsigned i = 0; i < t->out->n_sends; i++) {
        struct send *x = &t->out->sends[i];
        if (x->step == WF_NONE && x->kind != SEND_CLOSED) {
            *x = (struct send){
                .kind = x->kind, .to = x->to, .step = WF_NONE, .event = x->event, .rung = x->rung};
        }
    }
}

struct send *send_token(struct turn *t, enum send_kind kind, struct party to,
                        const struct token *tok)
{
    uint16_t id = tok->id, entry = tok->entry, step = tok->step;
    bool may_hide = kind == SEND_NOTICE || kind == SEND_UPDATE || kind == SEND_ESCALATION ||
                    kind == SEND_REMINDER;
    if (may_hide && hidden_from(t, tok, to.org)) {
        return send_hidden(t, kind, to);
    }
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

/* A consent for another purpose than the workflow's covers only what a step sends under it. */
static bool same_purpose(const struct turn *t, const struct wf_consent *c)
{
    return !c->purpose || !*c->purpose || strcmp(c->purpose, t->wf->purpose) == 0;
}

static bool consent_reaches(const struct turn *t, const struct wf_consent *c, uint16_t org)
{
    uint8_t all[PARTIES_MAX];
    unsigned n = parties_flat(t->wf, c->to, c->n_to, all);
    for (unsigned i = 0; i < n; i++) {
        if (party_known(t, all[i]).org == org) {
            return true;
        }
    }
    return false;
}

static bool consent_covers(struct turn *t, uint16_t org, unsigned category, unsigned ix,
                           struct basis_found *out)
{
    const struct wf_consent *c = &t->wf->consents[ix];
    bool given = t->s->consents[ix].state == CONSENT_GIVEN && t->s->consents[ix].until_us > t->now;
    given = given || (PLANT(17) && t->s->consents[ix].state == CONSENT_LOST);
    if (!given || !(c->categories >> category & 1) || !consent_reaches(t, c, org)) {
        return false;
    }
    *out = (struct basis_found){(uint16_t)(0x8000u | ix), t->s->consents[ix].version};
    return true;
}

bool basis_covers(struct turn *t, uint16_t org, unsigned category, uint8_t needs,
                  struct basis_found *out)
{
    if (PLANT(1)) {
        *out = (struct basis_found){1, 1};
        return true;
    }
    if (needs < t->wf->n_consents && !PLANT(23)) {
        return consent_covers(t, org, category, needs, out);
    }
    const struct basis *b = network_basis(t->net, t->wf->purpose, org, category, t->today);
    if (b) {
        *out = (struct basis_found){b->number, b->version};
        return true;
    }
    for (unsigned i = 0; i < t->wf->n_consents; i++) {
        if (same_purpose(t, &t->wf->consents[i]) && consent_covers(t, org, category, i, out)) {
            return true;
        }
    }
    return false;
}

bool all_uncovered(struct turn *t, uint64_t fields, uint8_t needs, uint16_t org)
{
    bool any = false;
    for (unsigned i = 0; i < t->wf->n_fields; i++) {
        if (!((fields & t->s->fields_set) >> i & 1)) {
            continue;
        }
        struct basis_found found;
        any = true;
        if (basis_covers(t, org, t->wf->fields[i].category, needs, &found)) {
            return false;
        }
    }
    return any;
}

bool must_holds(struct turn *t, const struct wf_step *w, uint16_t org)
{
    for (unsigned i = 0; i < t->wf->n_fields && !PLANT(22); i++) {
        struct basis_found found;
        if (w->must >> i & 1 &&
            (!(t->s->fields_set >> i & 1) ||
             !basis_covers(t, org, t->wf->fields[i].category, w->needs, &found))) {
            return false;
        }
    }
    return true;
}

void send_release(struct turn *t, struct send *x, uint64_t fields)
{
    uint32_t asked = 0;
    uint64_t left = x->step == WF_NONE && x->kind != SEND_CLOSED ? 0 : fields;
    bool of_step = x->step < t->wf->n_steps && (x->token != 0 || x->offer != 0);
    uint8_t needs = of_step ? t->wf->steps[x->step].needs : WF_ANY_BASIS;
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
            struct basis_found found;
            if (!(x->categories >> category & 1) &&
                basis_covers(t, x->to.org, category, needs, &found)) {
                x->categories |= UINT32_C(1) << category;
                x->basis[category] = found.basis;
                x->basis_ver[category] = found.version;
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

struct mail *mail_add(struct turn *t, enum mail_kind kind, const struct token *tok,
                      uint16_t service)
{
    if (!t->out->mails) {
        t->out->mails = sto_arena_alloc(t->ctx->arena, STO_FACT_MAILS_MAX * sizeof *t->out->mails);
    }
    if (!t->out->mails || t->out->n_mails == STO_FACT_MAILS_MAX) {
        turn_fail(t, STO_E_LIMIT, "the event needs more than %u mails", STO_FACT_MAILS_MAX);
        return &t->spill_mail;
    }
    struct mail *m = &t->out->mails[t->out->n_mails++];
    memset(m, 0, sizeof *m);
    m->kind = (uint8_t)kind;
    m->src = t->ctx->case_id;
    shared_id(t->net->id, service, &m->dst);
    m->service = service;
    m->token = tok->id;
    m->entry = tok->entry;
    return m;
}
