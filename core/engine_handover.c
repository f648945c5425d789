/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The handover's machine: draft -> negotiating -> agreed -> taken_over | returned |
 * cancelled, the ledger's moves and the right of return. Responsibility moves here and
 * nowhere else: by the receiver's confirmation, by giving back, by succession.
 */
#include <limits.h>
#include <string.h>

#include "turn.h"

#define FIRST_YES_MAX 8u /* asked at once; more would crowd out the case's other offers */

bool handover_open(const struct case_state *s, const workflow_t *wf, uint16_t but)
{
    for (unsigned i = 0; i < s->n_tokens; i++) {
        const struct token *x = &s->tokens[i];
        if (x->id != but && wf->steps[x->step].type == STEP_HANDOVER &&
            (x->phase == HANDOVER_NEGOTIATING || x->phase == HANDOVER_AGREED)) {
            return true;
        }
    }
    return false;
}

static bool is_negotiation(const struct wf_step *w)
{
    return w->type == STEP_HANDOVER || w->type == STEP_REFERRAL || w->type == STEP_CONSULT;
}

/* ------------------------------------------------------------------ offering */

static bool offers_room(struct turn *t)
{
    if (t->s->n_offers < STO_CASE_OFFERS_MAX) {
        return true;
    }
    for (unsigned i = 0; i < t->s->n_offers; i++) {
        if (!offer_live(t->s->offers[i].state)) {
            offer_drop_at(t->s, i); /* the oldest that has ended */
            return true;
        }
    }
    turn_fail(t, STO_E_LIMIT, "the case has %u open offers", STO_CASE_OFFERS_MAX);
    return false;
}

uint16_t handover_offer(struct turn *t, uint16_t token, struct party to)
{
    if (!offers_room(t)) {
        return 0;
    }
    struct token *tok = token_of(t, token);
    const struct wf_step *w = step_of(t, tok);
    struct offer o;
    memset(&o, 0, sizeof o);
    o.id = ++t->s->next_offer;
    o.token = token;
    o.state = OFFER_OFFERED;
    o.to = to;
    o.from = t->s->holder;
    o.since_us = t->now;
    offer_put(t->s, &o);
    tok->phase = HANDOVER_NEGOTIATING;
    clock_stop(t, CLOCK_DRAFT, token, 0);
    clock_stop(t, CLOCK_NEXT, token, 0);
    offer_clocks(t, offer_of(t, o.id));
    struct send *x = send_offer(t, SEND_OFFER, to, &o);
    const struct clock *c = clock_find(t, CLOCK_ANSWER, token, o.id, 0);
    x->due_us = c ? c->due_us : 0;
    send_release(t, x, PLANT(8) ? w->carries : w->teaser);
    return o.id;
}

static void draft(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    tok->phase = HANDOVER_DRAFT;
    struct clock key = {.kind = CLOCK_DRAFT, .token = id};
    struct sto_duration d = clock_duration(t, step_of(t, tok), CLOCK_DRAFT);
    clock_start(t, key, t->now, d, t->s->holder);
    const struct clock *c = clock_find(t, CLOCK_DRAFT, id, 0, 0);
    int64_t due_us = c ? c->due_us : 0;
    send_token(t, SEND_TASK, t->s->holder, token_of(t, id))->due_us = due_us;
}

/* A handover to who is responsible already: only the desk may change. */
static void take_over_by_holder(struct turn *t, uint16_t id, struct party to)
{
    if (!party_same(to, t->s->holder)) {
        holder_move(t, to);
    }
    if (!walk_leave(t, id, EXIT_TAKEN_OVER)) {
        walk_join(t, id);
    }
}

/* choose = first-yes: everybody that fits is asked; the first to accept is bound. */
static bool ask_all(struct turn *t, uint16_t id)
{
    const struct wf_step *w = step_of(t, token_of(t, id));
    uint8_t role = w->to[0];
    unsigned n = 0;
    if (role >= t->wf->n_roles || t->wf->roles[role].choose != CHOOSE_FIRST_YES) {
        return false;
    }
    for (unsigned i = 0; i < t->net->n_orgs && n < FIRST_YES_MAX && !t->rc; i++) {
        uint16_t org = t->net->orgs[i].number;
        bool self = w->type == STEP_HANDOVER && org == t->s->holder.org;
        if (self || !role_fits(t, role, org) || !receivable(t, w, org) || !must_holds(t, w, org) ||
            all_uncovered(t, w->teaser, w->needs, org)) {
            continue;
        }
        n += handover_offer(t, id, org_party(t->net, org, t->wf->roles[role].service)) != 0;
    }
    return n > 0;
}

void handover_enter(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    tok->at = t->s->holder;
    struct party to = party_of(t, w->to[0]);
    if (w->type == STEP_HANDOVER && to.org != 0 && to.org == t->s->holder.org) {
        take_over_by_holder(t, id, to);
        return;
    }
    struct clock cap = {.kind = CLOCK_CAP, .token = id};
    if (!PLANT(12)) {
        clock_start(t, cap, t->now, clock_duration(t, w, CLOCK_CAP), t->s->holder);
    }
    if (w->type != STEP_REFERRAL) {
        within_start(t, id, t->now);
        sides_arm(t, id, t->now);
    }
    if (w->type != STEP_HANDOVER || !handover_open(t->s, t->wf, id)) {
        if (to.org == 0 && ask_all(t, id)) {
            return;
        }
    }
    bool picks = w->to[0] < t->wf->n_roles && t->wf->roles[w->to[0]].choose == CHOOSE_DESK;
    bool second = w->type == STEP_HANDOVER && handover_open(t->s, t->wf, id);
    if (picks || second || to.org == 0 || !receivable(t, w, to.org)) {
        draft(t, id);
        return;
    }
    bool bare = exit_named(t, token_of(t, id), EXIT_NO_BASIS) &&
                all_uncovered(t, w->carries, w->needs, to.org);
    if (bare || !must_holds(t, w, to.org)) {
        handover_returned(t, id, EXIT_NO_BASIS);
        return;
    }
    handover_offer(t, id, to);
}

/* ------------------------------------------------------------------ EVENT_OFFER */

static int pick_draft(struct turn *t, struct token **out)
{
    struct token *found = NULL;
    if (t->in->token != 0) {
        found = token_find(t, t->in->token);
        if (!found || (t->in->entry != 0 && t->in->entry != found->entry)) {
            return t->in->token <= t->s->next_token
                       ? 1
                       : turn_fail(t, STO_E_UNKNOWN_STEP, "the case has no step %u", t->in->token);
        }
        if (!is_negotiation(step_of(t, found))) {
            return turn_fail(t, STO_E_WRONG_STATE, "step '%s' is no handover",
                             step_of(t, found)->id);
        }
        *out = found;
        return 0;
    }
    unsigned n = 0;
    for (unsigned i = 0; i < t->s->n_tokens; i++) {
        struct token *x = &t->s->tokens[i];
        bool open = x->phase == HANDOVER_DRAFT || x->phase == HANDOVER_RETURNED ||
                    (t->in->kind == EVENT_CANCEL ? x->phase == HANDOVER_CANCELLED
                                                 : x->phase == HANDOVER_NEGOTIATING);
        if (is_negotiation(step_of(t, x)) && open) {
            found = x;
            n++;
        }
    }
    if (n > 1) {
        turn_fail(t, STO_E_UNKNOWN_STEP, "more than one handover is open");
        turn_fix(t, "name the step's token");
        return t->rc;
    }
    if (!found) {
        return turn_fail(t, STO_E_WRONG_STATE, "no handover of the case takes '%s' now",
                         event_kind_name(t->in->kind));
    }
    *out = found;
    return 0;
}

static int receiver_of(struct turn *t, const struct wf_step *w, struct party *to)
{
    const char *name = t->in->name ? t->in->name : "";
    bool role = w->to[0] < t->wf->n_roles;
    if (*name) {
        const struct organisation *o = network_org_by_id(t->net, name);
        if (!o) {
            return turn_fail(t, STO_E_UNKNOWN_NAME, "no organisation '%s'", name);
        }
        if (!validity_holds(&o->valid, t->today)) {
            return turn_fail(t, STO_E_NOT_IN_FORCE, "organisation '%s' is not in force today",
                             name);
        }
        if (role && !role_fits(t, w->to[0], o->number)) {
            return turn_fail(t, STO_E_NOT_ALLOWED, "organisation '%s' cannot be role '%s'", name,
                             t->wf->roles[w->to[0]].id);
        }
        *to = org_party(t->net, o->number, role ? t->wf->roles[w->to[0]].service : NULL);
    } else {
        *to = party_of(t, w->to[0]);
        if (to->org == 0) {
            turn_fail(t, STO_E_MISSING_FIELD, "nobody is bound to receive at step '%s'", w->id);
            turn_fix(t, "name the receiving organisation");
            return t->rc;
        }
    }
    const struct organisation *o = network_org(t->net, to->org);
    if (t->in->desk && *t->in->desk) {
        const struct desk *d = o ? network_desk_by_id(o, t->in->desk) : NULL;
        if (!d) {
            return turn_fail(t, STO_E_UNKNOWN_NAME, "no desk '%s'", t->in->desk);
        }
        to->desk = d->number;
    }
    if (!receivable(t, w, to->org)) {
        return turn_fail(t, STO_E_NOT_IN_FORCE, "organisation '%s' may not receive this today",
                         o ? o->id : name);
    }
    return 0;
}

static int offer_guard(struct turn *t, const struct token *tok, struct party to)
{
    const struct wf_step *w = step_of(t, tok);
    if (tok->phase != HANDOVER_DRAFT && tok->phase != HANDOVER_RETURNED &&
        tok->phase != HANDOVER_NEGOTIATING) {
        return turn_fail(t, STO_E_WRONG_STATE, "the handover of step '%s' is %s", w->id,
                         handover_state_name(tok->phase));
    }
    if (w->type == STEP_HANDOVER && handover_open(t->s, t->wf, tok->id)) {
        return turn_fail(t, STO_E_WRONG_STATE, "another handover of the case is open");
    }
    if (w->type == STEP_HANDOVER && to.org == t->s->holder.org) {
        turn_fail(t, STO_E_WRONG_STATE, "that organisation is responsible already");
        turn_fix(t, "withdraw the open offers first, or reassign the case to another desk");
        return t->rc;
    }
    for (unsigned i = 0; i < t->s->n_offers; i++) {
        const struct offer *o = &t->s->offers[i];
        if (o->token == tok->id && offer_live(o->state) && o->to.org == to.org) {
            return turn_fail(t, STO_E_WRONG_STATE, "that organisation has an open offer already");
        }
    }
    if (!must_holds(t, w, to.org)) {
        turn_fail(t, STO_E_NO_BASIS, "what step '%s' must bring is unset or not covered", w->id);
        turn_fix(t, "fill it in, ask the client's consent, or choose another receiver");
        return t->rc;
    }
    if (all_uncovered(t, w->teaser, w->needs, to.org)) {
        turn_fail(t, STO_E_NO_BASIS, "no legal basis covers any of the teaser of step '%s'", w->id);
        turn_fix(t, "ask the client's consent, or choose another receiver");
        return t->rc;
    }
    return 0;
}

int handover_make_offer(struct turn *t)
{
    struct token *tok = NULL;
    int rc = pick_draft(t, &tok);
    if (rc > 0) {
        return turn_late(t);
    }
    if (rc < 0) {
        return rc;
    }
    if (!actor_is(t, t->s->holder)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only who is responsible offers a case");
    }
    uint16_t id = tok->id;
    struct party to = {0};
    turn_about(t, tok, NULL);
    if (fields_take(t, 0, 0) || receiver_of(t, step_of(t, tok), &to)) {
        return t->rc;
    }
    if (step_of(t, tok)->type == STEP_HANDOVER && to.org == t->s->holder.org &&
        (tok->phase == HANDOVER_DRAFT || tok->phase == HANDOVER_RETURNED)) {
        take_over_by_holder(t, id, to);
        return t->rc;
    }
    if (offer_guard(t, tok, to)) {
        return t->rc;
    }
    t->out->offer = handover_offer(t, id, to);
    return t->rc;
}

/* ------------------------------------------------------------------ coming to nothing */

static void wait_next(struct turn *t, uint16_t id, enum handover_state phase)
{
    struct token *tok = token_of(t, id);
    tok->phase = (uint8_t)phase;
    tok->offer = 0;
    tok->start_us = 0;
    tok->at = t->s->holder;
    struct clock key = {.kind = CLOCK_NEXT, .token = id};
    struct sto_duration d = clock_duration(t, step_of(t, tok), CLOCK_NEXT);
    if (!PLANT(11)) {
        clock_start(t, key, t->now, d, t->s->holder);
    }
    const struct clock *c = clock_find(t, CLOCK_NEXT, id, 0, 0);
    int64_t due_us = c ? c->due_us : 0;
    send_token(t, SEND_TASK, t->s->holder, token_of(t, id))->due_us = due_us;
}

/* Its time beside the offers must go on: a referral that had begun has lost its cap. */
static void cap_again(struct turn *t, uint16_t id)
{
    struct clock cap = {.kind = CLOCK_CAP, .token = id};
    if (!clock_find(t, CLOCK_CAP, id, 0, 0) && !PLANT(12)) {
        struct sto_duration d = clock_duration(t, step_of(t, token_of(t, id)), CLOCK_CAP);
        clock_start(t, cap, t->now, d, t->s->holder);
    }
}

void handover_returned(struct turn *t, uint16_t id, uint8_t exit)
{
    const struct token *tok = token_find(t, id);
    if (!tok || t->rc) {
        return;
    }
    const struct wf_step *w = step_of(t, tok);
    /* A referral's `expired` speaks of a service that had begun. */
    bool own = exit != EXIT_RETURNED && !(w->type == STEP_REFERRAL && exit == EXIT_EXPIRED) &&
               workflow_step_exit(w, exit);
    const struct wf_exit *x = workflow_step_exit(w, own ? exit : EXIT_RETURNED);
    if (x && x->kind != TARGET_STAY) {
        walk_leave_to(t, id, x);
        return;
    }
    t->s->last_exit[tok->step] = EXIT_RETURNED;
    cap_again(t, id);
    wait_next(t, id, HANDOVER_RETURNED);
}

void handover_lost(struct turn *t, uint16_t id, uint8_t exit)
{
    struct token *tok = token_of(t, id);
    for (unsigned i = 0; i < t->s->n_offers; i++) {
        if (t->s->offers[i].token == id && offer_live(t->s->offers[i].state)) {
            tok->phase = HANDOVER_NEGOTIATING;
            return;
        }
    }
    handover_returned(t, id, exit);
}

void handover_cap(struct turn *t, uint16_t id)
{
    struct token *tok = token_find(t, id);
    if (!tok) {
        return;
    }
    struct party coordinator = org_party(t->net, t->net->coordinator_org, NULL);
    offers_end_all(t, id, OFFER_EXPIRED, REASON_NO_ANSWER);
    clocks_stop_token(t, id);
    tok = token_of(t, id);
    tok->phase = HANDOVER_CANCELLED;
    struct send *x =
        send_token(t, SEND_ESCALATION, coordinator.org != 0 ? coordinator : t->s->holder, tok);
    x->clock = CLOCK_CAP;
    x->rung = RUNG_CAP;
    const struct wf_exit *returned = exit_named(t, tok, EXIT_RETURNED);
    if (returned && returned->kind != TARGET_STAY) {
        walk_leave_to(t, id, returned);
        return;
    }
    t->s->last_exit[tok->step] = EXIT_RETURNED;
    wait_next(t, id, HANDOVER_CANCELLED);
}

/* Exits by which a holder may call a handover off: not those that tell of success. */
static const struct wf_exit *cancel_exit(struct turn *t, const struct wf_step *w)
{
    const char *name = t->in->exit ? t->in->exit : "";
    for (unsigned i = 0; i < w->n_exits; i++) {
        const struct wf_exit *x = &w->exits[i];
        bool off = x->exit == EXIT_RETURNED || x->exit == EXIT_WITHDRAWN ||
                   x->exit == EXIT_DECLINED || x->exit == EXIT_NO_BASIS || x->exit >= EXIT_GOT;
        if (off && x->kind != TARGET_STAY && !exit_is_event(t->wf, x->exit) &&
            strcmp(*name ? name : t->wf->exits[EXIT_RETURNED], t->wf->exits[x->exit]) == 0) {
            return x;
        }
    }
    return NULL;
}

int handover_cancel(struct turn *t)
{
    struct token *tok = NULL;
    int rc = pick_draft(t, &tok);
    if (rc > 0) {
        return turn_late(t);
    }
    if (rc < 0 || !tok) {
        return t->rc;
    }
    if (!actor_is(t, t->s->holder)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only who is responsible cancels a handover");
    }
    const struct wf_step *w = step_of(t, tok);
    if (tok->phase != HANDOVER_DRAFT && tok->phase != HANDOVER_RETURNED &&
        tok->phase != HANDOVER_CANCELLED) {
        turn_fail(t, STO_E_WRONG_STATE, "the handover of step '%s' is %s", w->id,
                  handover_state_name(tok->phase));
        turn_fix(t, "withdraw its offers first");
        return t->rc;
    }
    const struct wf_exit *x = cancel_exit(t, w);
    if (!x) {
        turn_fail(t, STO_E_UNKNOWN_NAME, "step '%s' names no exit '%s' for that", w->id,
                  t->in->exit && *t->in->exit ? t->in->exit : "returned");
        turn_fix(t, "name one of its exits, or close the case");
        return t->rc;
    }
    uint16_t id = tok->id;
    turn_about(t, tok, NULL);
    tok->phase = HANDOVER_CANCELLED;
    walk_leave_to(t, id, x);
    return t->rc;
}

/* ------------------------------------------------------------------ responsibility */

/* Open work of whoever is responsible follows, with its clocks running on. */
static void readdress(struct turn *t, struct party old)
{
    struct party holder = t->s->holder;
    for (unsigned i = 0; i < t->s->n_tokens; i++) {
        struct token *x = &t->s->tokens[i];
        const struct wf_step *w = step_of(t, x);
        bool answers = w->type == STEP_PLACE && x->phase != PLACE_QUEUED;
        bool work = step_has_addressee(w) || answers;
        uint8_t who = work ? step_addressee(w) : (uint8_t)PARTY_HOLDER;
        bool follows = who == PARTY_HOLDER || party_known(t, who).org == 0;
        bool others = step_is_stage(w->type) || w->type == STEP_SESSION || w->type == STEP_PANEL ||
                      (w->type == STEP_PLACE && !answers);
        if (others || !follows || x->at.org != old.org) {
            continue;
        }
        if (work && old.org != holder.org) {
            send_token(t, SEND_WITHDRAWN, old, x);
        }
        x->at = holder;
        worker_set(x->worker, NULL);
        bool drafts =
            is_negotiation(w) && (x->phase == HANDOVER_DRAFT || x->phase == HANDOVER_RETURNED);
        if (work) {
            work_send(t, x->id);
        } else if (drafts) {
            send_token(t, SEND_TASK, holder, x);
        }
    }
    for (unsigned i = 0; i < t->s->n_offers; i++) {
        if (offer_live(t->s->offers[i].state) && t->s->offers[i].from.org == old.org) {
            t->s->offers[i].from = holder;
        }
    }
}

void holder_move(struct turn *t, struct party to)
{
    struct party old = t->s->holder;
    if (old.org != to.org) {
        t->s->sender = old;
    }
    t->s->holder = to;
    if (!PLANT(9)) {
        t->s->ledger_n++;
        t->s->ledger_since_us = t->now;
    }
    if (!PLANT(18)) {
        readdress(t, old);
    }
}

void handover_take_over(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    struct party to = o->to, old = t->s->holder;
    uint16_t token = o->token;
    const struct wf_step *w = step_of(t, token_of(t, token));
    struct sto_duration stable = clock_duration(t, w, CLOCK_STABLE);
    if (t->s->right.valid) { /* the former right of return lapses by this takeover */
        clock_stop(t, CLOCK_STABLE, 0, t->s->right.offer);
    }
    struct token *tok = token_of(t, token);
    tok->phase = HANDOVER_TAKEN_OVER;
    tok->offer = id;
    clock_stop(t, CLOCK_CAP, token, 0);
    holder_move(t, to);
    holdings_occupy(t, token);
    struct clock key = {.kind = CLOCK_STABLE, .offer = id};
    clock_start(t, key, t->now, stable, to);
    const struct clock *c = clock_find(t, CLOCK_STABLE, 0, id, 0);
    t->s->right = (struct right_of_return){.token = token,
                                           .step = (uint16_t)(w - t->wf->steps),
                                           .offer = id,
                                           .back_to = old,
                                           .until_us = c ? c->due_us : t->now,
                                           .valid = true};
    t->s->last_exit[w - t->wf->steps] = EXIT_TAKEN_OVER;
    walk_leave(t, token,
               EXIT_TAKEN_OVER); /* names none: the token stays until the loop is closed */
}

/* Ends that waited may end; a handover that names no exit after it is closed. */
static void after_lapse(struct turn *t)
{
    for (unsigned i = 0; i < t->s->n_tokens && t->s->status == CASE_OPEN && !t->rc; i++) {
        struct token *x = &t->s->tokens[i];
        const struct wf_step *w = step_of(t, x);
        if (w->type == STEP_END && x->phase == END_WAITS) {
            end_reach(t, x->id);
            return;
        }
        if (w->type == STEP_HANDOVER && x->phase == HANDOVER_TAKEN_OVER) {
            uint16_t id = x->id;
            x->phase = HANDOVER_CLOSED;
            if (!walk_leave(t, id, EXIT_DONE)) {
                walk_join(t, id);
            }
            i = UINT_MAX; /* the list has changed: from the start */
        }
    }
}

void right_lapse(struct turn *t)
{
    clock_stop(t, CLOCK_STABLE, 0, t->s->right.offer);
    memset(&t->s->right, 0, sizeof t->s->right);
    after_lapse(t);
}

int handover_report(struct turn *t)
{
    const struct right_of_return *y = &t->s->right;
    if (t->in->offer != 0 && t->in->offer != y->offer) {
        return turn_late(t);
    }
    if (!actor_is(t, t->s->holder)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only who took over reports");
    }
    const struct wf_step *w = &t->wf->steps[y->step];
    t->out->offer = y->offer;
    t->out->step = y->step;
    if (fields_take(t, w->collects, 0)) {
        return t->rc;
    }
    struct send *x = send_add(t, SEND_UPDATE, y->back_to);
    x->offer = y->offer;
    x->step = y->step;
    x->with_reason = true;
    send_release(t, x, t->fresh);
    right_lapse(t);
    return t->rc;
}

static bool has_offer_out(const struct turn *t)
{
    for (unsigned i = 0; i < t->s->n_offers; i++) {
        const struct offer *o = &t->s->offers[i];
        if (offer_live(o->state) && o->state != OFFER_IN_SERVICE) {
            return true;
        }
    }
    return false;
}

/* The branch that passed the handover goes back to where the handover stood. */
static void call_back(struct turn *t, uint16_t id, uint16_t step)
{
    const struct wf_step *w = &t->wf->steps[step];
    const struct wf_exit *x = workflow_step_exit(w, EXIT_GIVEN_BACK);
    x = x ? x : workflow_step_exit(w, EXIT_RETURNED);
    if (x && x->kind != TARGET_STAY) {
        t->s->last_exit[step] = x->exit; /* before what its target may ask of it */
        walk_leave_to(t, id, x);
        return;
    }
    /* No target named: leave what stands there and wait at the handover for the next offer. */
    struct wf_exit here = {.exit = EXIT_GIVEN_BACK, .kind = TARGET_STAY};
    walk_leave_to(t, id, &here);
    struct token *tok = token_of(t, id);
    tok->step = step;
    tok->entry++;
    tok->no_shows = 0;
    tok->since_us = t->now;
    cap_again(t, id);
    wait_next(t, id, HANDOVER_RETURNED);
}

/* An end that waited must not close the case behind a client who was given back. */
static void hold_ends(struct turn *t)
{
    for (unsigned i = 0; i < t->s->n_tokens; i++) {
        struct token *x = &t->s->tokens[i];
        if (step_of(t, x)->type == STEP_END && x->phase == END_WAITS) {
            struct clock key = {.kind = CLOCK_NEXT, .token = x->id};
            x->phase = END_GIVEN_BACK;
            x->at = t->s->holder;
            clock_start(t, key, t->now, t->net->clocks.next, t->s->holder);
            send_token(t, SEND_TASK, t->s->holder, x);
        }
    }
}

int handover_give_back(struct turn *t)
{
    const struct right_of_return y = t->s->right;
    if (!y.valid && !(PLANT(10) && t->s->sender.org != 0)) {
        return t->s->sender.org != 0
                   ? turn_fail(t, STO_E_RETURN_LAPSED, "the right of return has ended")
                   : turn_fail(t, STO_E_WRONG_STATE, "the case has not been taken over");
    }
    if (!actor_is(t, t->s->holder)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only who took over gives back");
    }
    if (t->in->reason == REASON_NONE) {
        return turn_fail(t, STO_E_MISSING_REASON, "giving back needs a coded reason");
    }
    if (has_offer_out(t)) {
        turn_fail(t, STO_E_WRONG_STATE, "an offer of the case is open");
        turn_fix(t, "withdraw it first");
        return t->rc;
    }
    struct party back_to = y.valid ? y.back_to : t->s->sender;
    t->out->offer = y.offer;
    t->out->step = y.step;
    clock_stop(t, CLOCK_STABLE, 0, y.offer);
    memset(&t->s->right, 0, sizeof t->s->right);
    struct offer *o = offer_find(t, y.offer);
    if (o) {
        o->reason = (uint8_t)t->in->reason;
    }
    holder_move(t, back_to);
    holdings_free_since(t, y.token, t->before->ledger_since_us);
    struct send *x = send_add(t, SEND_UPDATE, back_to);
    x->offer = y.offer;
    x->step = y.step;
    x->with_reason = true;
    if (token_find(t, y.token)) {
        call_back(t, y.token, y.step);
    }
    hold_ends(t);
    return t->rc;
}
