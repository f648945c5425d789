/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Panel steps: queued -> members are asked (at the cut-off) -> on the agenda -> decided, or
 * postponed to the next date. The agenda is the panel's own (an aggregate of the network);
 * its organiser has the ball and decides by one of the step's exits. A member without a
 * legal basis for what would be sent is not asked.
 *
 * Marks of the token: low half = who has answered, high half = who has been asked.
 */
#include <string.h>

#include "turn.h"

#define ASKED(k)    (UINT32_C(0x10000) << (k))
#define ANSWERED(k) (UINT32_C(1) << (k))
#define MEMBERS_MAX 16u
_Static_assert(NET_MEMBERS_MAX <= MEMBERS_MAX, "a bit each in half of marks");

void panel_enter(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    struct party organiser = service_party(t, w->service);
    tok->at = organiser.org != 0 ? organiser : t->s->holder;
    if (left_without_basis(t, id)) {
        return;
    }
    token_of(t, id)->phase = PANEL_QUEUED;
    within_or_default(t, id);
    sides_arm(t, id, t->now);
    shared_wish(t, id);
}

/* ------------------------------------------------------------------ members */

static unsigned members(const struct turn *t, const struct wf_step *w)
{
    const struct service *v = network_service(t->net, w->service);
    uint8_t all[PARTIES_MAX];
    unsigned n = parties_flat(t->wf, w->asks, w->n_asks, all);
    n = w->n_asks > 0 ? n : v ? v->n_members : 0;
    return n < MEMBERS_MAX ? n : MEMBERS_MAX;
}

static struct party member(struct turn *t, const struct wf_step *w, unsigned k)
{
    if (w->n_asks > 0) {
        uint8_t all[PARTIES_MAX];
        return k < parties_flat(t->wf, w->asks, w->n_asks, all) ? party_of(t, all[k])
                                                                : (struct party){0};
    }
    const struct service *v = network_service(t->net, w->service);
    uint16_t org = v ? network_in_force(t->net, v->members[k], t->today) : 0;
    return org_party(t->net, org, NULL);
}

static void ask_members(struct turn *t, uint16_t id, int64_t at_us)
{
    const struct wf_step *w = step_of(t, token_of(t, id));
    for (unsigned k = 0; k < members(t, w); k++) {
        struct party p = member(t, w, k);
        bool barred =
            p.org == 0 || all_uncovered(t, w->carries, w->needs, p.org) || !must_holds(t, w, p.org);
        if (barred || token_of(t, id)->marks & ANSWERED(k)) {
            continue;
        }
        token_of(t, id)->marks |= ASKED(k);
        struct send *x = send_token(t, SEND_TASK, p, token_of(t, id));
        x->due_us = at_us;
        x->at_us = at_us;
        send_release(t, x, w->carries);
    }
}

void panel_release(struct turn *t, uint16_t id)
{
    const struct wf_step *w = step_of(t, token_of(t, id));
    for (unsigned k = 0; k < members(t, w); k++) {
        const struct token *tok = token_of(t, id);
        struct party p = member(t, w, k);
        bool waits = tok->marks & ASKED(k) && !(tok->marks & ANSWERED(k));
        if (waits && p.org != 0 && !actor_is(t, p) && !party_same(p, tok->at)) {
            send_token(t, SEND_WITHDRAWN, p, tok);
        }
    }
}

/* ------------------------------------------------------------------ mail */

static void on_date(struct turn *t, uint16_t id, int64_t at_us)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    tok->phase = PANEL_QUEUED;
    tok->start_us = at_us;
    within_reach(t, id, w->service, at_us);
    if (t->s->holder.org != token_of(t, id)->at.org) {
        send_token(t, SEND_NOTICE, t->s->holder, token_of(t, id))->at_us = at_us;
    }
    if (must_holds(t, w, token_of(t, id)->at.org)) {
        struct send *x = send_token(t, SEND_NOTICE, token_of(t, id)->at, token_of(t, id));
        x->at_us = at_us;
        send_release(t, x, w->carries);
    }
}

/* The date has come: the organiser gets the material with what the asked have brought. */
static void open_agenda(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    tok->phase = PANEL_ON_AGENDA;
    within_reach(t, id, w->service, t->now);
    struct send *x = send_token(t, SEND_TASK, token_of(t, id)->at, token_of(t, id));
    x->at_us = token_of(t, id)->start_us;
    x->due_us = within_due(t, id);
    send_release(t, x, w->carries | w->asks_for);
}

int panel_mail(struct turn *t, uint16_t id)
{
    const struct mail *m = t->in->mail;
    struct token *tok = token_of(t, id);
    if (m->kind == MAIL_AGENDA_DATE) {
        if (m->at_us != 0) {
            on_date(t, id, m->at_us);
        } else { /* the date is cancelled: the turn is kept */
            tok->phase = PANEL_QUEUED;
            tok->start_us = 0;
        }
        return t->rc;
    }
    if (m->kind == MAIL_AGENDA_ASK) {
        tok->phase = PANEL_ASKED;
        tok->start_us = m->at_us;
        ask_members(t, id, m->at_us);
        return t->rc;
    }
    if (m->kind == MAIL_AGENDA_OPEN) {
        open_agenda(t, id);
        return t->rc;
    }
    return turn_fail(t, STO_E_MALFORMED, "a panel step takes no mail of kind %u", m->kind);
}

/* ------------------------------------------------------------------ a member answers */

/* Which of the asked answers: by its key, or named by the holder who records for it. */
static int answering(struct turn *t, const struct token *tok, unsigned *out)
{
    const struct wf_step *w = step_of(t, tok);
    const char *name = t->in->name ? t->in->name : "";
    const struct organisation *o =
        *name ? network_org_by_id(t->net, name) : network_org(t->net, t->in->actor.org);
    for (unsigned k = 0; o && k < members(t, w); k++) {
        bool mine = member(t, w, k).org == o->number;
        if (mine && (tok->marks & ASKED(k) || PLANT(28))) {
            *out = k;
            return o->number == t->in->actor.org || actor_is(t, t->s->holder)
                       ? 0
                       : turn_fail(t, STO_E_NOT_ALLOWED, "'%s' answers for itself", o->id);
        }
    }
    return turn_fail(t, STO_E_NOT_ALLOWED, "'%s' has not been asked", o ? o->id : name);
}

static int panel_pick(struct turn *t, uint16_t *id)
{
    struct token *tok = NULL;
    if (t->in->token == 0) { /* a member is not the addressee: the only panel that waits */
        unsigned n = 0;
        for (unsigned i = 0; i < t->s->n_tokens; i++) {
            if (step_of(t, &t->s->tokens[i])->type == STEP_PANEL) {
                tok = &t->s->tokens[i];
                n++;
            }
        }
        if (n != 1) {
            return turn_fail(t, n > 1 ? STO_E_UNKNOWN_STEP : STO_E_WRONG_STATE,
                             n > 1 ? "more than one panel fits: name the task"
                                   : "the case waits for no panel");
        }
    } else {
        int rc = token_pick(t, TYPE(STEP_PANEL), &tok);
        if (rc) {
            return rc > 0 ? (turn_late(t), 1) : rc;
        }
    }
    *id = tok->id;
    turn_about(t, tok, NULL);
    return 0;
}

int panel_answer(struct turn *t)
{
    uint16_t id = 0;
    unsigned k = 0;
    int rc = panel_pick(t, &id);
    if (rc) {
        return rc < 0 ? rc : 0;
    }
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    if (answering(t, tok, &k)) {
        return t->rc;
    }
    if (tok->marks & ANSWERED(k)) {
        return turn_late(t);
    }
    if (fields_take(t, w->asks_for, 0)) {
        return t->rc;
    }
    tok->marks |= ANSWERED(k);
    tell_holder(t, id);
    if (!actor_is(t, tok->at) && tok->at.org != t->s->holder.org) {
        struct send *x = send_token(t, SEND_UPDATE, tok->at, tok);
        x->with_reason = true;
        send_release(t, x, t->fresh);
    }
    return t->rc;
}

/* ------------------------------------------------------------------ postponed */

int panel_postpone(struct turn *t)
{
    struct token *tok = NULL;
    int rc = work_pick(t, TYPE(STEP_PANEL), &tok);
    if (rc) {
        return rc < 0 ? rc : 0;
    }
    const struct wf_step *w = step_of(t, tok);
    uint16_t id = tok->id;
    if (tok->phase != PANEL_ON_AGENDA) {
        turn_fail(t, STO_E_WRONG_STATE, "the date of panel step '%s' has not come", w->id);
        turn_fix(t, "move the panel's date instead");
        return t->rc;
    }
    if (fields_take(t, 0, 0)) {
        return t->rc;
    }
    tell_holder(t, id);
    tok = token_of(t, id);
    tok->count = (uint16_t)(tok->count < UINT16_MAX ? tok->count + 1 : tok->count);
    if (tok->count > wf_number(w->postpones, w->postpones_setting, t->s->settings)) {
        walk_expire(t, id);
        tok = token_find(t, id);
        if (!tok || tok->phase != PANEL_ON_AGENDA) {
            return t->rc;
        }
    }
    tok->phase = PANEL_QUEUED; /* it keeps its turn */
    tok->start_us = 0;
    struct mail *m = mail_add(t, MAIL_AGENDA_POSTPONE, tok, w->service);
    m->n = tok->count;
    m->until_us = within_due(t, id);
    return t->rc;
}
