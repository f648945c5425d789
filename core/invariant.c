/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The invariants of handover.md, as far as one state and one step before -> after can
 * show them. Written against the page and not against the engine, so that a fault in
 * one is seen by the other. Invariants 12-14, 16 and 17 belong to the broker.
 */
#include <string.h>

#include "invariant_parts.h"

static const struct wf_step *step(const struct look *l, const struct token *t)
{
    return &l->wf->steps[t->step];
}

static bool negotiation(const struct wf_step *w)
{
    return w->type == STEP_HANDOVER || w->type == STEP_REFERRAL || w->type == STEP_CONSULT;
}

static bool instant(const struct wf_step *w)
{
    return w->type == STEP_DECIDE || w->type == STEP_NOTIFY;
}

static bool early(uint8_t state) /* before acceptance */
{
    return state >= OFFER_OFFERED && state <= OFFER_WAITLISTED;
}

static const struct clock *clock_at(const struct case_state *s, enum clock_kind k, uint16_t token,
                                    uint16_t offer)
{
    for (unsigned i = 0; i < s->n_clocks; i++) {
        const struct clock *c = &s->clocks[i];
        if (c->kind == k && c->token == token && c->offer == offer) {
            return c;
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------ shape */

static int check_token(const struct look *l, const struct token *t)
{
    const struct wf_step *w = step(l, t);
    const struct token *parent = state_token(l->s, t->parent);
    const struct token *host = state_token(l->s, t->host);
    if (t->step >= l->wf->n_steps || instant(w)) {
        return BROKEN(l, "shape: token %u stands on step %u, where nothing can stand", t->id,
                      t->step);
    }
    if (t->parent != 0 && (!parent || !step_is_stage(step(l, parent)->type))) {
        return BROKEN(l, "shape: token %u stands in no stage", t->id);
    }
    if (t->side && t->host != 0 && !host) {
        return BROKEN(l, "shape: token %u stands beside nothing", t->id);
    }
    if (t->id > l->s->next_token || t->entry == 0) {
        return BROKEN(l, "shape: token %u was never made", t->id);
    }
    for (unsigned i = 0; i < l->s->n_tokens; i++) {
        const struct token *x = &l->s->tokens[i];
        if (x->id > t->id && x->side && t->side && x->host == t->host && x->step == t->step) {
            return BROKEN(l, "shape: two of a kind beside token %u", t->host);
        }
    }
    return 0;
}

static int check_branches(const struct look *l)
{
    unsigned root = 0;
    for (unsigned i = 0; i < l->s->n_tokens; i++) {
        const struct token *t = &l->s->tokens[i];
        unsigned n = 0;
        for (unsigned k = 0; k < l->s->n_tokens; k++) {
            n += l->s->tokens[k].parent == t->id && !l->s->tokens[k].side;
        }
        const struct wf_step *w = step(l, t);
        if (n > (step_is_stage(w->type) ? w->n_first : 0u)) {
            return BROKEN(l, "shape: %u branches under token %u", n, t->id);
        }
        if (step_is_stage(w->type) && n == 0) {
            return BROKEN(l, "shape: stage '%s' is empty", w->id);
        }
        root += t->parent == 0 && !t->side;
    }
    unsigned may = l->wf->n_first > 1 ? l->wf->n_first : 1;
    if (l->s->status == CASE_OPEN && (root == 0 || root > may)) {
        return BROKEN(l, "shape: the case stands on %u outermost steps", root);
    }
    return 0;
}

static int check_clocks(const struct look *l)
{
    for (unsigned i = 0; i < l->s->n_clocks; i++) {
        const struct clock *c = &l->s->clocks[i];
        const struct offer *o = state_offer(l->s, c->offer);
        if (c->token != 0 && !state_token(l->s, c->token)) {
            return BROKEN(l, "shape: clock %s runs for token %u, which is gone",
                          clock_kind_name(c->kind), c->token);
        }
        if (c->offer != 0 && c->kind != CLOCK_STABLE && (!o || !offer_live(o->state))) {
            return BROKEN(l, "invariant 7: clock %s runs for offer %u, which has ended",
                          clock_kind_name(c->kind), c->offer);
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ responsibility */

static int check_holder(const struct look *l)
{
    const struct case_state *s = l->s;
    if (s->status == CASE_OPEN && (s->holder.org == 0 || !network_org(l->net, s->holder.org))) {
        return BROKEN(l, "invariant 1: nobody is responsible for an open case");
    }
    if (s->status == CASE_CLOSED && s->holder.org != 0) {
        return BROKEN(l, "invariant 1: somebody is responsible for a closed case");
    }
    const struct right_of_return *y = &s->right;
    if (y->valid && (!clock_at(s, CLOCK_STABLE, 0, y->offer) || y->back_to.org == s->holder.org)) {
        return BROKEN(l, "invariant 2: a right of return without end or to the holder itself");
    }
    if (!y->valid && y->back_to.org != 0) {
        return BROKEN(l, "invariant 2: a right of return that has lapsed is remembered");
    }
    return 0;
}

static bool may_move(const struct look *l)
{
    const struct right_of_return *y = &l->before->right;
    const struct offer *o = state_offer(l->before, l->f->offer);
    const struct organisation *old = network_org(l->net, l->before->holder.org);
    uint16_t actor = l->f->actor.org, now = l->s->holder.org;
    if (l->f->kind == EVENT_START) { /* beside a lead case the starter is its sender */
        return l->before->status == CASE_NONE && (actor == now || actor == l->s->sender.org);
    }
    if (l->f->kind == EVENT_CONFIRM_TAKEOVER) {
        return o && (o->state == OFFER_MET || o->state == OFFER_ACCEPTED) && actor == now &&
               o->to.org == now;
    }
    if (l->f->kind == EVENT_GIVE_BACK) {
        return y->valid && actor == l->before->holder.org && now == y->back_to.org;
    }
    return l->f->kind == EVENT_SUCCEED && old && old->successor == now;
}

static int check_move(const struct look *l)
{
    const struct party a = l->before->holder, z = l->s->holder;
    bool moved = a.org != z.org, desk = a.desk != z.desk;
    if (l->f->before.org != a.org || l->f->after.org != z.org || l->f->before.desk != a.desk ||
        l->f->after.desk != z.desk) {
        return BROKEN(l, "invariant 2: the fact tells another holder than the states");
    }
    /* A case that ends in the same event has passed to the receiver and then to nobody. */
    if (moved && l->s->status == CASE_OPEN && !may_move(l)) {
        return BROKEN(l, "invariant 3: '%s' by %u moved responsibility from %u to %u",
                      event_kind_name(l->f->kind), l->f->actor.org, a.org, z.org);
    }
    bool point = l->s->ledger_n != l->before->ledger_n || l->before->status == CASE_NONE;
    bool at_once = l->before->status == CASE_NONE && l->s->status == CASE_CLOSED;
    if ((moved || desk) != point &&
        !at_once) { /* opened and over in one event: from nobody to nobody */
        return BROKEN(l, "invariant 2: the ledger and the holder do not move together");
    }
    if (point && l->s->ledger_since_us != l->f->now_us) {
        return BROKEN(l, "invariant 1: the ledger's change point is not now");
    }
    return 0;
}

/* ------------------------------------------------------------------ law */

static bool covered(const struct look *l, const struct send *x, unsigned category)
{
    uint16_t basis = x->basis[category];
    if (basis == 0) {
        return false;
    }
    if (!(basis & 0x8000u)) {
        const struct basis *b =
            network_basis(l->net, l->wf->purpose, x->to.org, category, sto_day_of_us(l->f->now_us));
        return b && b->number == basis && b->version == x->basis_ver[category];
    }
    unsigned ix = basis & 0x7fffu;
    return ix < l->wf->n_consents && l->wf->consents[ix].categories >> category & 1 &&
           (l->before->consents[ix].state == CONSENT_GIVEN ||
            l->s->consents[ix].state == CONSENT_GIVEN);
}

static uint32_t categories_of(const workflow_t *wf, uint64_t fields)
{
    uint32_t c = 0;
    for (unsigned i = 0; i < wf->n_fields; i++) {
        c |= fields >> i & 1 ? UINT32_C(1) << wf->fields[i].category : 0;
    }
    return c;
}

static int check_send(const struct look *l, const struct send *x)
{
    uint32_t categories = categories_of(l->wf, x->fields);
    if (categories != x->categories || x->fields & x->held_back) {
        return BROKEN(l, "invariant 4: a message's fields and categories differ");
    }
    for (unsigned c = 0; c < STO_CATEGORIES_MAX; c++) {
        if (categories >> c & 1 && !covered(l, x, c)) {
            return BROKEN(l, "invariant 4: category %u goes to %u without a basis", c, x->to.org);
        }
    }
    if (x->fields & ~(l->before->fields_set | l->s->fields_set)) {
        return BROKEN(l, "invariant 4: a message carries what is not set");
    }
    const struct offer *o = state_offer(l->s, x->offer);
    bool at_step = x->step < l->wf->n_steps;
    bool to_receiver =
        o && early(o->state) && x->to.org == o->to.org && x->to.org != l->before->holder.org;
    if (at_step && (x->kind == SEND_OFFER || to_receiver)) {
        const struct wf_step *w = &l->wf->steps[x->step];
        bool before = !o || early(o->state);
        if (before && categories & ~(categories_of(l->wf, w->teaser) | l->net->teaser_always)) {
            return BROKEN(l, "invariant 5: more than the teaser leaves before acceptance");
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ waiting */

static bool clock_runs(const struct look *l, const struct token *t)
{
    for (unsigned i = 0; i < l->s->n_clocks; i++) {
        const struct clock *c = &l->s->clocks[i];
        if (c->token == t->id && !c->paused && c->kind != CLOCK_SIDE) {
            return true;
        }
    }
    const struct wf_step *w = step(l, t);
    bool closes =
        w->type == STEP_END || (w->type == STEP_HANDOVER && t->phase == HANDOVER_TAKEN_OVER);
    return closes && l->s->right.valid;
}

static int check_waiting(const struct look *l, const struct token *t)
{
    const struct wf_step *w = step(l, t);
    if (step_is_stage(w->type)) {
        return 0;
    }
    struct party ball = engine_ball(l->net, l->wf, l->s, t);
    bool helped = w->type == STEP_CONSENT || w->role == PARTY_CLIENT;
    bool work = step_is_work(w->type) || w->type == STEP_CONSENT || w->type == STEP_PLAN;
    uint8_t who = helped ? w->helps : w->role;
    if (work && who == PARTY_HOLDER && t->at.org != l->s->holder.org) {
        return BROKEN(l, "invariant 6: the holder's work at '%s' did not follow responsibility",
                      w->id);
    }
    if (ball.org == 0) {
        return BROKEN(l, "invariant 6: nobody has the ball at step '%s'", w->id);
    }
    if (!clock_runs(l, t)) {
        return BROKEN(l, "invariant 6: no clock runs at step '%s'", w->id);
    }
    return 0;
}

static bool offer_clocked(const struct look *l, const struct offer *o, const struct wf_step *w)
{
    for (unsigned i = 0; i < l->s->n_clocks; i++) {
        if (l->s->clocks[i].offer == o->id && !l->s->clocks[i].paused) {
            return true;
        }
    }
    bool own_time = o->state == OFFER_IN_SERVICE || w->type == STEP_CONSULT;
    return own_time && clock_at(l->s, CLOCK_WITHIN, o->token, 0);
}

static int check_offers(const struct look *l, const struct token *t, unsigned *live,
                        unsigned *accepted)
{
    for (unsigned i = 0; i < l->s->n_offers; i++) {
        const struct offer *o = &l->s->offers[i];
        if (o->token != t->id || !offer_live(o->state)) {
            continue;
        }
        (*live)++;
        *accepted += !early(o->state);
        if (!offer_clocked(l, o, step(l, t))) {
            return BROKEN(l, "invariant 7: offer %u (%s) has no deadline", o->id,
                          offer_state_name(o->state));
        }
        if (!early(o->state) && t->offer != o->id) {
            return BROKEN(l, "invariant 8: offer %u is accepted but not the handover's", o->id);
        }
        if (o->from.org != l->s->holder.org) {
            return BROKEN(l, "invariant 10: offer %u is not the holder's", o->id);
        }
    }
    return 0;
}

static int check_handover(const struct look *l, const struct token *t)
{
    const struct wf_step *w = step(l, t);
    unsigned live = 0, accepted = 0;
    int rc = check_offers(l, t, &live, &accepted);
    if (rc) {
        return rc;
    }
    if (accepted > 1 || (accepted == 1 && live > 1)) {
        return BROKEN(l, "invariant 8: %u offers accepted and %u live at step '%s'", accepted, live,
                      w->id);
    }
    bool fits = t->phase == HANDOVER_NEGOTIATING ? live > 0 && accepted == 0
                : t->phase == HANDOVER_AGREED    ? accepted == 1
                                                 : live == 0 && t->phase != HANDOVER_NONE;
    if (!fits) {
        return BROKEN(l, "invariant 8: handover '%s' is %s with %u live offers", w->id,
                      handover_state_name(t->phase), live);
    }
    if ((t->phase == HANDOVER_RETURNED || t->phase == HANDOVER_CANCELLED) &&
        !clock_at(l->s, CLOCK_NEXT, t->id, 0)) {
        return BROKEN(l, "invariant 9: '%s' came back and nobody must go on", w->id);
    }
    bool over =
        t->phase == HANDOVER_TAKEN_OVER || t->phase == HANDOVER_CANCELLED || t->start_us != 0;
    if (!over && !clock_at(l->s, CLOCK_CAP, t->id, 0)) {
        return BROKEN(l, "invariant 19: handover '%s' has no end in time", w->id);
    }
    return 0;
}

static int check_tokens(const struct look *l)
{
    unsigned transfers = 0;
    for (unsigned i = 0; i < l->s->n_tokens; i++) {
        const struct token *t = &l->s->tokens[i];
        const struct wf_step *w = step(l, t);
        int rc = check_token(l, t);
        rc = rc ? rc : check_waiting(l, t);
        rc = rc || !negotiation(w) ? rc : check_handover(l, t);
        if (rc) {
            return rc;
        }
        transfers += w->type == STEP_HANDOVER &&
                     (t->phase == HANDOVER_NEGOTIATING || t->phase == HANDOVER_AGREED);
    }
    if (transfers > 1) {
        return BROKEN(l, "invariant 3: two handovers of the case are open");
    }
    for (unsigned i = 0; i < l->s->n_offers; i++) {
        const struct token *t = state_token(l->s, l->s->offers[i].token);
        if (!t || (offer_live(l->s->offers[i].state) && !negotiation(step(l, t)))) {
            return BROKEN(l, "invariant 7: offer %u belongs to no handover", l->s->offers[i].id);
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ who */

enum side {
    SIDE_ANY,
    SIDE_RECEIVER_ONLY,
    SIDE_RECEIVER,
    SIDE_EITHER,
    SIDE_IN_IT,
    SIDE_HOLDER,
    SIDE_WORKER,
    SIDE_SPEAKS,
    SIDE_BROKER
};
static const uint8_t side_of[] = {
    [EVENT_CONFIRM_TAKEOVER] = SIDE_RECEIVER_ONLY,
    [EVENT_TAKE_UP] = SIDE_RECEIVER,
    [EVENT_REQUEST_INFO] = SIDE_RECEIVER,
    [EVENT_WAITLIST] = SIDE_RECEIVER,
    [EVENT_PLACE_FREE] = SIDE_RECEIVER,
    [EVENT_ACCEPT] = SIDE_RECEIVER,
    [EVENT_DECLINE] = SIDE_RECEIVER,
    [EVENT_REDIRECT] = SIDE_RECEIVER,
    [EVENT_BOOK] = SIDE_RECEIVER,
    [EVENT_CHECK_IN] = SIDE_RECEIVER,
    [EVENT_START_SERVICE] = SIDE_RECEIVER,
    [EVENT_ANSWER] = SIDE_RECEIVER,
    [EVENT_ATTENDANCE] = SIDE_RECEIVER,
    [EVENT_PANEL_POSTPONE] = SIDE_WORKER,
    [EVENT_PLACE_ANSWER] = SIDE_WORKER,
    [EVENT_WITHDRAW] = SIDE_EITHER,
    [EVENT_NO_SHOW] = SIDE_EITHER,
    [EVENT_MET] = SIDE_EITHER,
    [EVENT_DISPUTE] = SIDE_EITHER,
    [EVENT_INTERRUPT] = SIDE_IN_IT,
    [EVENT_OFFER] = SIDE_HOLDER,
    [EVENT_GIVE_INFO] = SIDE_HOLDER,
    [EVENT_CANCEL] = SIDE_HOLDER,
    [EVENT_GIVE_BACK] = SIDE_HOLDER,
    [EVENT_CLOSE] = SIDE_HOLDER,
    [EVENT_CORRECT] = SIDE_HOLDER,
    [EVENT_TASK_RESULT] = SIDE_SPEAKS,
    [EVENT_TASK_DECLINE] = SIDE_WORKER,
    [EVENT_TASK_TAKE_UP] = SIDE_WORKER,
    [EVENT_MEETING_BOOK] = SIDE_WORKER,
    [EVENT_MEETING_NO_SHOW] = SIDE_WORKER,
    [EVENT_CLOCK] = SIDE_BROKER,
    [EVENT_MAIL] = SIDE_BROKER,
    [EVENT_RESTARTED] = SIDE_BROKER,
    [EVENT_PARKED] = SIDE_BROKER,
};

/* One of those whose word a plan waits for. */
static bool agrees(const struct look *l, const struct wf_step *w, uint16_t actor)
{
    for (unsigned i = 0; w->type == STEP_PLAN && i < w->n_agreed_by; i++) {
        uint8_t who = w->agreed_by[i] == PARTY_CLIENT ? w->helps : w->agreed_by[i];
        unsigned many = who < l->wf->n_roles ? l->wf->roles[who].many : 0;
        for (unsigned k = 0; who < l->wf->n_roles && k <= many; k++) {
            if (l->before->roles[who + k].at.org == actor) {
                return true;
            }
        }
        if (who == PARTY_SENDER && l->before->sender.org == actor) {
            return true;
        }
    }
    return false;
}

static bool right_side(const struct look *l)
{
    const struct case_state *b = l->before;
    const struct offer *o = state_offer(b, l->f->offer);
    const struct token *t = state_token(b, l->f->token);
    uint16_t actor = l->f->actor.org;
    bool holder = actor != 0 && actor == b->holder.org;
    bool receiver = o && actor == o->to.org;
    bool transfer = t && step(l, t)->type == STEP_HANDOVER;
    bool known = l->f->kind < sizeof side_of;
    switch (known ? (enum side)side_of[l->f->kind] : SIDE_ANY) {
    case SIDE_ANY:
        return true;
    case SIDE_RECEIVER_ONLY:
        return receiver;
    case SIDE_RECEIVER:
        return receiver || (holder && !transfer);
    case SIDE_EITHER:
        return receiver || holder;
    case SIDE_IN_IT: /* a service, or a series of meetings */
        return receiver || holder || (t && actor == t->at.org);
    case SIDE_HOLDER:
        return holder;
    case SIDE_WORKER:
        return holder || (t && actor == t->at.org);
    case SIDE_SPEAKS:
        return holder || (t && actor == t->at.org) || (t && agrees(l, step(l, t), actor));
    case SIDE_BROKER:
        return actor == 0;
    }
    return false;
}

static int check_late(const struct look *l)
{
    const struct case_state *a = l->before, *z = l->s;
    bool same = a->n_tokens == z->n_tokens && a->n_offers == z->n_offers &&
                a->n_clocks == z->n_clocks && a->status == z->status &&
                memcmp(a->last_exit, z->last_exit, sizeof a->last_exit) == 0 &&
                (a->fields_set & ~z->fields_set) == 0;
    if (!same || l->f->n_sends != 0 || l->f->fields_set & a->fields_set) {
        return BROKEN(l, "late: an event after the end changed something");
    }
    return 0;
}

static int check_step(const struct look *l)
{
    if (l->f->seq != l->before->seq + 1u || l->s->seq != l->f->seq) {
        return BROKEN(l, "invariant 11: event %u follows %u", l->f->seq, l->before->seq);
    }
    int rc = check_move(l);
    if (rc) {
        return rc;
    }
    if (l->f->code != 0) {
        return check_late(l);
    }
    if (look_goes_on(l)) {
        return look_going_on(l);
    }
    rc = look_shared_step(l);
    if (rc) {
        return rc;
    }
    if (!right_side(l)) {
        return BROKEN(l, "invariant 10: '%s' is not for organisation %u to make",
                      event_kind_name(l->f->kind), l->f->actor.org);
    }
    for (unsigned i = 0; i < l->f->n_sends; i++) {
        rc = check_send(l, &l->f->sends[i]);
        if (rc) {
            return rc;
        }
    }
    if (l->f->kind == EVENT_CLOSE) {
        for (unsigned i = 0; i < l->before->n_offers; i++) {
            if (offer_live(l->before->offers[i].state)) {
                return BROKEN(l, "invariant 18: the case was closed over an open offer");
            }
        }
        if (l->before->right.valid) {
            return BROKEN(l, "invariant 18: the case was closed over a right of return");
        }
    }
    if (l->f->kind == EVENT_BASIS_LOST && l->s->status != l->before->status) {
        return BROKEN(l, "invariant 15: losing a basis lost the client");
    }
    return 0;
}

int engine_invariants(const network_t *net, const workflow_t *wf, const struct case_state *before,
                      const struct fact *f, const struct case_state *after, struct sto_err *err)
{
    struct look l = {.net = net, .wf = wf, .before = before, .f = f, .s = after, .err = err};
    int rc = check_holder(&l);
    rc = rc ? rc : check_tokens(&l);
    rc = rc ? rc : check_branches(&l);
    rc = rc ? rc : check_clocks(&l);
    rc = rc ? rc : look_shared(&l);
    if (!rc && after->status == CASE_CLOSED &&
        (after->n_tokens != 0 || after->n_offers != 0 || after->n_clocks != 0)) {
        rc = BROKEN(&l, "invariant 18: a closed case has open work");
    }
    return rc || !before || !f ? rc : check_step(&l);
}
