/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a case has of the network's: wishes for a seat, a place or an agenda, and the places
 * that it holds. A holding belongs to the stage that it was taken in and is given back with
 * it. Nothing that the network shares is ever left behind: every way out passes here.
 */
#include <string.h>

#include "turn.h"

static bool is_shared(const struct wf_step *w)
{
    return w->type == STEP_SESSION || w->type == STEP_PLACE || w->type == STEP_PANEL;
}

void shared_wish(struct turn *t, uint16_t id)
{
    const struct token *tok = token_find(t, id);
    const struct wf_step *w = tok ? step_of(t, tok) : NULL;
    bool queued = tok && is_shared(w) && tok->phase == SEAT_QUEUED;
    if (!queued || t->rc) {
        return;
    }
    _Static_assert(SEAT_QUEUED == (int)PLACE_QUEUED && SEAT_QUEUED == (int)PANEL_QUEUED,
                   "whoever queues is in the same phase");
    enum mail_kind kind = w->type == STEP_SESSION ? MAIL_SEAT_WANTED
                          : w->type == STEP_PLACE ? MAIL_PLACE_WANTED
                                                  : MAIL_AGENDA_WANTED;
    struct mail *m = mail_add(t, kind, tok, w->service);
    m->until_us = within_due(t, id);
    m->n = w->type == STEP_SESSION ? session_dates(t, w) : 0;
}

void shared_release(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    if (!is_shared(w) || tok->phase == SEAT_NONE) {
        return;
    }
    if (w->type == STEP_SESSION) {
        if (tok->phase != SEAT_RECORDED) {
            mail_add(t, MAIL_SEAT_RELEASED, tok, w->service);
        }
    } else if (w->type == STEP_PLACE) {
        mail_add(t, MAIL_PLACE_FREED, tok, w->service);
    } else if (!PLANT(20)) {
        mail_add(t, MAIL_AGENDA_RELEASED, tok, w->service);
    }
    token_of(t, id)->phase = 0;
}

/* ------------------------------------------------------------------ holdings */

static void holding_mail(struct turn *t, enum mail_kind kind, const struct holding *h)
{
    struct token key = {.id = h->token, .entry = h->entry};
    mail_add(t, kind, &key, h->service);
}

static void holding_free(struct turn *t, unsigned i)
{
    struct holding h = t->s->holdings[i];
    holding_drop_at(t->s, i);
    if (!PLANT(26)) {
        holding_mail(t, MAIL_PLACE_FREED, &h);
    }
}

void holdings_free_stage(struct turn *t, uint16_t stage)
{
    for (unsigned i = t->s->n_holdings; stage != 0 && !PLANT(19) && i-- > 0;) {
        if (t->s->holdings[i].stage == stage) {
            holding_free(t, i);
        }
    }
}

void holdings_free_all(struct turn *t)
{
    while (t->s->n_holdings > 0) {
        holding_free(t, t->s->n_holdings - 1u);
    }
}

void holdings_free_since(struct turn *t, uint16_t token, int64_t since_us)
{
    for (unsigned i = t->s->n_holdings; i-- > 0;) {
        const struct holding *h = &t->s->holdings[i];
        if (h->token == token && h->since_us >= since_us) {
            holding_free(t, i);
        }
    }
}

/* Is `token` the branch, or does it stand inside or beside what the branch stands on? */
static bool in_branch(const struct turn *t, uint16_t token, uint16_t branch)
{
    for (const struct token *x = state_token(t->s, token); x;
         x = state_token(t->s, x->side ? x->host : x->parent)) {
        if (x->id == branch) {
            return true;
        }
    }
    return false;
}

void holdings_occupy(struct turn *t, uint16_t token)
{
    for (unsigned i = 0; i < t->s->n_holdings; i++) {
        struct holding *h = &t->s->holdings[i];
        if (h->phase == PLACE_RESERVED && in_branch(t, token, h->token)) {
            h->phase = PLACE_OCCUPIED;
            h->since_us = t->now;
            holding_mail(t, MAIL_PLACE_OCCUPIED, h);
        }
    }
}

void holdings_break(struct turn *t, uint16_t token)
{
    for (unsigned i = t->s->n_holdings; i-- > 0;) {
        const struct holding *h = &t->s->holdings[i];
        if (h->phase == PLACE_OCCUPIED && in_branch(t, token, h->token)) {
            holding_free(t, i);
        }
    }
}

bool holding_lost(struct turn *t, const struct mail *m)
{
    for (unsigned i = 0; i < t->s->n_holdings; i++) {
        const struct holding *h = &t->s->holdings[i];
        if (h->service == m->service && h->token == m->token && h->entry == m->entry) {
            struct token was = {.id = h->token, .entry = h->entry, .step = h->step};
            holding_drop_at(t->s, i);
            send_token(t, SEND_NOTICE, t->s->holder, &was);
            return true;
        }
    }
    return false;
}
