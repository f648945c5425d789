/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Invariants of what a case has of the network's (seats, places, agenda entries), of plans
 * and of what a step hides or must have. Written against the page and not against the
 * engine, as invariant.c is.
 */
#include <string.h>

#include "invariant_parts.h"

static const struct wf_step *step(const struct look *l, const struct token *t)
{
    return &l->wf->steps[t->step];
}

static bool shared(const struct wf_step *w)
{
    return w->type == STEP_SESSION || w->type == STEP_PLACE || w->type == STEP_PANEL;
}

static const struct token *same_work(const struct case_state *s, const struct token *t)
{
    const struct token *x = state_token(s, t->id);
    return x && x->entry == t->entry ? x : NULL;
}

static bool mailed(const struct look *l, enum mail_kind kind, uint16_t token, uint16_t entry)
{
    for (unsigned i = 0; i < l->f->n_mails; i++) {
        const struct mail *m = &l->f->mails[i];
        if (m->kind == kind && m->token == token && m->entry == entry) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ one state */

static int look_holdings(const struct look *l)
{
    for (unsigned i = 0; i < l->s->n_holdings; i++) {
        const struct holding *h = &l->s->holdings[i];
        const struct token *stage = state_token(l->s, h->stage);
        if (l->s->status != CASE_OPEN) {
            return BROKEN(l, "invariant 18: a closed case holds a place of service %u", h->service);
        }
        if (h->stage != 0 && (!stage || !step_is_stage(step(l, stage)->type))) {
            return BROKEN(l, "place: a place of service %u outlives its stage", h->service);
        }
        if (h->step >= l->wf->n_steps || l->wf->steps[h->step].type != STEP_PLACE ||
            (h->phase != PLACE_RESERVED && h->phase != PLACE_OCCUPIED)) {
            return BROKEN(l, "place: a holding of service %u was taken nowhere", h->service);
        }
    }
    return 0;
}

static bool has_clock(const struct case_state *s, enum clock_kind k, uint16_t token)
{
    for (unsigned i = 0; i < s->n_clocks; i++) {
        if (s->clocks[i].kind == k && s->clocks[i].token == token) {
            return true;
        }
    }
    return false;
}

static int look_each(const struct look *l, const struct token *t, const struct wf_step *w)
{
    for (unsigned k = 0; k < w->n_first; k++) {
        bool bound =
            w->over + k + 1u < STO_WF_ROLES_MAX && l->s->roles[w->over + k + 1u].at.org != 0;
        if (t->marks >> k & 1 && !bound) {
            return BROKEN(l, "each: branch %u of '%s' is nobody's", k + 1, w->id);
        }
    }
    return t->marks == 0 ? BROKEN(l, "each: '%s' stands without a branch", w->id) : 0;
}

static int look_token(const struct look *l, const struct token *t)
{
    const struct wf_step *w = step(l, t);
    if (shared(w) && t->phase == SEAT_NONE) {
        return BROKEN(l, "shared: step '%s' waits for nothing", w->id);
    }
    if (w->type == STEP_PLACE && t->phase == PLACE_OFFERED &&
        !has_clock(l->s, CLOCK_ANSWER, t->id)) {
        return BROKEN(l, "place: the offer at '%s' need never be answered", w->id);
    }
    if (w->type == STEP_PANEL && (t->marks & 0xffffu) & ~(t->marks >> 16)) {
        return BROKEN(l, "panel: somebody has answered at '%s' who was not asked", w->id);
    }
    return w->type == STEP_EACH ? look_each(l, t, w) : 0;
}

int look_shared(const struct look *l)
{
    int rc = look_holdings(l);
    for (unsigned i = 0; i < l->s->n_tokens && !rc; i++) {
        rc = look_token(l, &l->s->tokens[i]);
    }
    return rc;
}

/* ------------------------------------------------------------------ one step: given back */

static const struct holding *holding_of(const struct case_state *s, uint16_t token, uint16_t entry)
{
    for (unsigned i = 0; i < s->n_holdings; i++) {
        if (s->holdings[i].token == token && s->holdings[i].entry == entry) {
            return &s->holdings[i];
        }
    }
    return NULL;
}

static int look_freed(const struct look *l)
{
    for (unsigned i = 0; i < l->before->n_holdings; i++) {
        const struct holding *h = &l->before->holdings[i];
        bool taken_back = l->f->kind == EVENT_MAIL; /* the pool says that there is none */
        if (!holding_of(l->s, h->token, h->entry) && !taken_back &&
            !mailed(l, MAIL_PLACE_FREED, h->token, h->entry)) {
            return BROKEN(l, "place: a place of service %u was left and not given back",
                          h->service);
        }
    }
    return 0;
}

/* A wish that the case had, and no longer has. */
static int look_left(const struct look *l, const struct token *t, const struct wf_step *w)
{
    uint16_t id = t->id, entry = t->entry;
    bool told = l->f->kind == EVENT_MAIL; /* recorded, none, or taken without an answer */
    if (!shared(w)) {
        return 0;
    }
    if (w->type == STEP_SESSION) {
        told = told || mailed(l, MAIL_SEAT_RELEASED, id, entry);
    } else if (w->type == STEP_PLACE) {
        told = told || holding_of(l->s, id, entry) || mailed(l, MAIL_PLACE_FREED, id, entry) ||
               mailed(l, MAIL_PLACE_DECLINED, id, entry);
    } else {
        told = mailed(l, MAIL_AGENDA_RELEASED, id, entry);
    }
    return told ? 0 : BROKEN(l, "shared: '%s' was left and not given back", w->id);
}

static int look_wished(const struct look *l, const struct token *t, const struct wf_step *w)
{
    enum mail_kind kind = w->type == STEP_SESSION ? MAIL_SEAT_WANTED
                          : w->type == STEP_PLACE ? MAIL_PLACE_WANTED
                                                  : MAIL_AGENDA_WANTED;
    return !shared(w) || mailed(l, kind, t->id, t->entry)
               ? 0
               : BROKEN(l, "shared: '%s' was entered and asks for nothing", w->id);
}

static int look_shares(const struct look *l)
{
    int rc = look_freed(l);
    for (unsigned i = 0; i < l->before->n_tokens && !rc; i++) {
        const struct token *t = &l->before->tokens[i];
        rc = same_work(l->s, t) ? 0 : look_left(l, t, step(l, t));
    }
    for (unsigned i = 0; i < l->s->n_tokens && !rc; i++) {
        const struct token *t = &l->s->tokens[i];
        rc = same_work(l->before, t) ? 0 : look_wished(l, t, step(l, t));
    }
    return rc;
}

/* ------------------------------------------------------------------ one step: agreed */

static unsigned bound_speakers(const struct look *l, const struct wf_step *w)
{
    unsigned n = 0;
    for (unsigned i = 0; i < w->n_agreed_by; i++) {
        uint8_t who = w->agreed_by[i];
        unsigned many = who < l->wf->n_roles ? l->wf->roles[who].many : 0;
        n += many == 0;
        for (unsigned k = 1; k <= many; k++) {
            n += l->before->roles[who + k].at.org != 0;
        }
    }
    return n;
}

static int look_decided(const struct look *l)
{
    const struct token *t = state_token(l->before, l->f->token);
    const struct token *z = t ? same_work(l->s, t) : NULL;
    const struct wf_step *w = t ? step(l, t) : NULL;
    if (w && w->type == STEP_PANEL && l->f->kind == EVENT_TASK_RESULT &&
        t->phase != PANEL_ON_AGENDA) {
        return BROKEN(l, "panel: '%s' was decided before its date", w->id);
    }
    if (w && w->type == STEP_PLAN && l->f->kind == EVENT_PLAN_PART && z &&
        (z->marks != 0 || z->count != t->count + 1)) {
        return BROKEN(l, "plan: agreement to an older version of '%s' still counts", w->id);
    }
    if (w && w->type == STEP_PLAN && l->f->kind == EVENT_TASK_RESULT && l->f->exit == EXIT_AGREED &&
        !z && (unsigned)__builtin_popcount(t->marks) + 1u < bound_speakers(l, w)) {
        return BROKEN(l, "plan: '%s' is agreed without all who must agree", w->id);
    }
    return 0;
}

/* ------------------------------------------------------------------ one step: hidden, must */

static uint16_t org_of(const struct case_state *s, uint8_t party)
{
    return party == PARTY_HOLDER                    ? s->holder.org
           : party == PARTY_SENDER && s->sender.org ? s->sender.org
           : party == PARTY_SENDER                  ? s->holder.org
           : party < STO_WF_ROLES_MAX               ? s->roles[party].at.org
                                                    : 0;
}

static bool named(const struct look *l, const struct wf_step *w, uint16_t org)
{
    bool yes = w->n_visible_to == 0;
    for (unsigned i = 0; i < w->n_visible_to && !yes; i++) {
        uint8_t p = w->visible_to[i];
        unsigned many = p < l->wf->n_roles ? l->wf->roles[p].many : 0;
        for (unsigned k = 0; k <= many && !yes; k++) {
            uint8_t role = (uint8_t)(p + k);
            yes = org_of(l->s, role) == org || org_of(l->before, role) == org;
        }
    }
    return yes;
}

static bool takes_part(const struct look *l, const struct send *x)
{
    const struct token *a = state_token(l->before, x->token), *z = state_token(l->s, x->token);
    bool yes = (a && a->at.org == x->to.org) || (z && z->at.org == x->to.org);
    for (unsigned k = 0; k < 2 && !yes; k++) {
        const struct case_state *s = k ? l->s : l->before;
        for (unsigned i = 0; i < s->n_offers && !yes; i++) {
            yes = s->offers[i].token == x->token && s->offers[i].to.org == x->to.org;
        }
    }
    return yes;
}

static int look_hidden(const struct look *l, const struct send *x)
{
    bool tells = x->kind == SEND_NOTICE || x->kind == SEND_UPDATE || x->kind == SEND_ESCALATION ||
                 x->kind == SEND_REMINDER;
    uint16_t at = x->token != 0 ? x->step : WF_NONE;
    for (unsigned guard = 0; tells && guard < STO_WF_STEPS_MAX && at < l->wf->n_steps; guard++) {
        const struct wf_step *w = &l->wf->steps[at];
        if (!named(l, w, x->to.org) && !takes_part(l, x)) {
            return BROKEN(l, "visible-to: organisation %u hears of '%s'", x->to.org, w->id);
        }
        at = w->host < l->wf->n_steps ? w->host : w->stage;
    }
    return 0;
}

static int look_must(const struct look *l, const struct send *x)
{
    bool of_step = (x->token != 0 || x->offer != 0) && x->step < l->wf->n_steps;
    if (!of_step) {
        return 0;
    }
    const struct wf_step *w = &l->wf->steps[x->step];
    bool whole = x->kind == SEND_PACKAGE || (x->kind == SEND_TASK && step_is_work(w->type));
    if (whole && w->must & ~x->fields) {
        return BROKEN(l, "must: '%s' was sent without what it must bring", w->id);
    }
    for (unsigned c = 0; c < STO_CATEGORIES_MAX && w->needs < l->wf->n_consents; c++) {
        if (x->categories >> c & 1 && x->basis[c] != (0x8000u | w->needs)) {
            return BROKEN(l, "needs: '%s' was sent on another basis than its consent", w->id);
        }
    }
    return 0;
}

int look_shared_step(const struct look *l)
{
    int rc = look_shares(l);
    rc = rc ? rc : look_decided(l);
    for (unsigned i = 0; i < l->f->n_sends && !rc; i++) {
        rc = look_hidden(l, &l->f->sends[i]);
        rc = rc ? rc : look_must(l, &l->f->sends[i]);
    }
    return rc;
}

/* ------------------------------------------------------------------ going on */

bool look_goes_on(const struct look *l)
{
    return l->before && l->before->status == CASE_OPEN &&
           memcmp(l->before->workflow, l->s->workflow, sizeof l->s->workflow) != 0;
}

static bool party_eq(struct party a, struct party b)
{
    return a.org == b.org && a.desk == b.desk;
}

/* What a case is, has and owes stays; only by which version it goes on changes. */
static int look_migrated(const struct look *l)
{
    const struct case_state *a = l->before, *z = l->s;
    bool same = party_eq(a->holder, z->holder) && party_eq(a->sender, z->sender) &&
                a->ledger_n == z->ledger_n && sto_uuid_eq(&a->client, &z->client) &&
                a->opened_us == z->opened_us && a->n_tokens == z->n_tokens &&
                a->n_offers == z->n_offers && a->n_holdings == z->n_holdings &&
                a->right.valid == z->right.valid && a->status == z->status;
    for (unsigned i = 0; i < a->n_tokens && same; i++) {
        same = a->tokens[i].id == z->tokens[i].id && a->tokens[i].entry == z->tokens[i].entry &&
               a->tokens[i].phase == z->tokens[i].phase &&
               party_eq(a->tokens[i].at, z->tokens[i].at);
    }
    if (!same || l->f->n_sends != 0 || l->f->n_mails != 0 ||
        l->f->actor.org != l->net->coordinator_org) {
        return BROKEN(l, "invariant 17: more than the version has changed");
    }
    return 0;
}

int look_going_on(const struct look *l)
{
    const struct case_state *a = l->before, *z = l->s;
    if (l->f->kind == EVENT_MIGRATE) {
        return look_migrated(l);
    }
    if (l->f->kind != EVENT_CLOCK || a->holder.org != z->holder.org || a->ledger_n != z->ledger_n ||
        !sto_uuid_eq(&a->client, &z->client) || a->opened_us != z->opened_us || z->right.valid) {
        return BROKEN(l, "continues: more than the workflow has changed");
    }
    unsigned given = 0;
    for (unsigned i = 0; i < STO_WF_CONSENTS_MAX; i++) {
        given += z->consents[i].state == CONSENT_GIVEN;
        given -= a->consents[i].state == CONSENT_GIVEN;
    }
    if ((int)given > 0) {
        return BROKEN(l, "continues: a consent was made up");
    }
    return look_freed(l);
}
