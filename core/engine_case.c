/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Events of the case itself: closing, the client's acts, corrections, other organisations'
 * wishes, reassigning and succession.
 */
#include <limits.h>
#include <string.h>

#include "turn.h"

/* ------------------------------------------------------------------ close */

void case_close(struct turn *t, uint16_t outcome_step)
{
    struct case_state *s = t->s;
    uint64_t records = outcome_step < t->wf->n_steps ? t->wf->steps[outcome_step].records : 0;
    walk_cancel_all(t);
    for (unsigned i = s->n_clocks; i-- > 0;) {
        clock_drop_at(s, i);
    }
    struct party told[2] = {s->holder, s->sender};
    for (unsigned i = 0; i < 2; i++) {
        if (told[i].org != 0 && (i == 0 || told[1].org != told[0].org)) {
            struct send *x = send_add(t, SEND_CLOSED, told[i]);
            x->step = outcome_step;
            send_release(t, x, records);
        }
    }
    s->status = CASE_CLOSED;
    s->outcome_step = outcome_step;
    s->sender = s->holder;
    s->holder = (struct party){0};
    memset(&s->right, 0, sizeof s->right);
    s->ledger_n++;
    s->ledger_since_us = t->now;
}

/* Invariant 18: what would be left hanging at another organisation. */
static const char *open_work(const struct turn *t)
{
    const struct case_state *s = t->s;
    for (unsigned i = 0; i < s->n_offers; i++) {
        if (offer_live(s->offers[i].state)) {
            return "an offer";
        }
    }
    for (unsigned i = 0; i < s->n_tokens; i++) {
        const struct token *x = &s->tokens[i];
        enum step_type type = step_of(t, x)->type;
        if (type == STEP_SESSION) {
            return "a session seat";
        }
        if (type == STEP_PLACE) {
            return "the wish for a place";
        }
        if (type == STEP_PANEL) {
            return "a panel's agenda entry";
        }
        if (step_has_addressee(step_of(t, x)) && x->at.org != s->holder.org) {
            return "another organisation's task";
        }
    }
    return s->right.valid ? "the right of return" : NULL;
}

int close_by_holder(struct turn *t)
{
    if (!actor_is(t, t->s->holder)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only who is responsible closes the case");
    }
    const char *what = PLANT(16) ? NULL : open_work(t);
    if (what) {
        turn_fail(t, STO_E_OPEN_WORK, "%s is still open", what);
        turn_fix(t, t->s->right.valid ? "report that the service has begun, or wait until it lapses"
                                      : "withdraw it or wait for it");
        return t->rc;
    }
    if (t->in->reason == REASON_NONE) {
        return turn_fail(t, STO_E_MISSING_REASON,
                         "closing without the workflow's end needs a reason");
    }
    case_close(t, CLOSED_WITHOUT_END);
    return t->rc;
}

/* ------------------------------------------------------------------ events that steps may name */

bool sides_take(struct turn *t, uint16_t host, uint8_t event)
{
    const struct token *tok = state_token(t->s, host);
    const uint16_t *sides = tok ? step_of(t, tok)->sides : t->wf->sides;
    unsigned n = tok ? step_of(t, tok)->n_sides : t->wf->n_sides;
    bool any = false;
    for (unsigned i = 0; i < n; i++) {
        const struct wf_starts *x = &t->wf->steps[sides[i]].starts;
        if (x->kind == STARTS_EVENT && x->event == event) {
            side_start(t, host, i);
            any = true;
        }
    }
    return any;
}

bool event_spread(struct turn *t, int exit, uint8_t event)
{
    uint16_t ids[STO_CASE_TOKENS_MAX], entries[STO_CASE_TOKENS_MAX];
    unsigned n = t->s->n_tokens;
    for (unsigned i = 0; i < n; i++) { /* by id: a stage before what stands in it */
        ids[i] = t->s->tokens[i].id;
        entries[i] = t->s->tokens[i].entry;
    }
    if (exit > 0 && walk_leave_root(t, (uint8_t)exit)) {
        return true;
    }
    bool any = sides_take(t, 0, event);
    for (unsigned i = 0; i < n && !t->rc && t->s->status == CASE_OPEN; i++) {
        const struct token *tok = token_find(t, ids[i]);
        if (!tok || tok->entry != entries[i]) {
            continue;
        }
        if (exit > 0 && exit_named(t, tok, (uint8_t)exit)) {
            any = walk_leave(t, ids[i], (uint8_t)exit) || any;
        } else {
            any = sides_take(t, ids[i], event) || any;
        }
    }
    return any;
}

void note_to_holder(struct turn *t)
{
    if (t->s->holder.org != 0 && !actor_is(t, t->s->holder)) {
        send_add(t, SEND_NOTICE, t->s->holder)->with_reason = true;
    }
}

int client_event(struct turn *t)
{
    bool left = t->in->kind == EVENT_CLIENT_LEFT, moved = t->in->kind == EVENT_CLIENT_MOVED;
    uint8_t exit = left ? EXIT_CLIENT_LEFT : moved ? EXIT_CLIENT_MOVED : EXIT_CLIENT_DIED;
    uint8_t event = left    ? WF_EVENT_CLIENT_LEFT
                    : moved ? WF_EVENT_CLIENT_MOVED
                            : WF_EVENT_CLIENT_DIED;
    if (!actor_takes_part(t)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "this organisation takes no part in the case");
    }
    if (t->wf->subject != SUBJECT_CLIENT) {
        return turn_fail(t, STO_E_WRONG_STATE, "a case of workflow '%s' is about no client",
                         t->wf->id);
    }
    if (t->in->kind == EVENT_CLIENT_MOVED && home_take(t)) {
        return t->rc;
    }
    note_to_holder(t);
    if (!event_spread(t, exit, event) && actor_is(t, t->s->holder)) {
        send_add(t, SEND_NOTICE, t->s->holder)->with_reason =
            true; /* nothing reacted: shown to the holder */
    }
    return t->rc;
}

int asked_for(struct turn *t)
{
    const struct organisation *o = network_org(t->net, t->in->actor.org);
    if (!o || !o->may_hold || !validity_holds(&o->valid, t->today)) {
        return turn_fail(t, STO_E_NOT_ALLOWED,
                         "this organisation may not be responsible for a client");
    }
    if (actor_is(t, t->s->holder)) {
        return turn_fail(t, STO_E_WRONG_STATE, "this organisation is responsible already");
    }
    note_to_holder(t);
    event_spread(t, EXIT_ASKED_FOR, WF_EVENT_ASKED_FOR);
    return t->rc;
}

/* ------------------------------------------------------------------ law */

int basis_lost(struct turn *t)
{
    if (!actor_is_broker(t) && !actor_is(t, t->s->holder)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only the broker or who is responsible says so");
    }
    note_to_holder(t);
    for (unsigned i = t->s->n_tokens; i-- > 0 && t->s->status == CASE_OPEN;) {
        if (i >= t->s->n_tokens) {
            continue;
        }
        const struct token *x = &t->s->tokens[i];
        bool open = step_of(t, x)->type == STEP_HANDOVER || step_of(t, x)->type == STEP_REFERRAL ||
                    step_of(t, x)->type == STEP_CONSULT;
        /* Responsibility is untouched either way; without the exit it goes on without data. */
        if (open && x->start_us == 0 && exit_named(t, x, EXIT_NO_BASIS)) {
            uint16_t id = x->id;
            offers_end_all(t, id, OFFER_WITHDRAWN, REASON_NO_BASIS);
            handover_returned(t, id, EXIT_NO_BASIS);
        }
    }
    return t->rc;
}

/* ------------------------------------------------------------------ administration */

static int reassign_task(struct turn *t)
{
    struct token *x = token_find(t, t->in->token);
    if (!x) {
        return turn_fail(t, STO_E_UNKNOWN_STEP, "the case has no task %u", t->in->token);
    }
    if (!actor_is(t, x->at)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "the task is another organisation's");
    }
    const struct organisation *o = network_org(t->net, x->at.org);
    if (t->in->desk && *t->in->desk) {
        const struct desk *d = o ? network_desk_by_id(o, t->in->desk) : NULL;
        if (!d) {
            return turn_fail(t, STO_E_UNKNOWN_NAME, "no desk '%s'", t->in->desk);
        }
        x->at.desk = d->number;
    }
    worker_set(x->worker, t->in->worker);
    turn_about(t, x, NULL);
    work_send(t, x->id);
    return t->rc;
}

/* The person who has the case: in the holder's roles and its open work. */
static void reassign_worker(struct turn *t)
{
    for (unsigned i = 0; i < t->wf->n_roles; i++) {
        if (t->s->roles[i].at.org == t->s->holder.org) {
            worker_set(t->s->roles[i].worker, t->in->worker);
        }
    }
    for (unsigned i = 0; i < t->s->n_tokens; i++) {
        if (t->s->tokens[i].at.org == t->s->holder.org &&
            step_has_addressee(step_of(t, &t->s->tokens[i]))) {
            worker_set(t->s->tokens[i].worker, t->in->worker);
        }
    }
}

int reassign(struct turn *t)
{
    if (t->in->token != 0) {
        return reassign_task(t);
    }
    if (!actor_is(t, t->s->holder)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only who is responsible reassigns the case");
    }
    bool worker = t->in->worker && *t->in->worker;
    bool desk = t->in->desk && *t->in->desk;
    if (!worker && !desk) {
        return turn_fail(t, STO_E_MISSING_FIELD, "say which desk or worker takes the case on");
    }
    const struct organisation *o = network_org(t->net, t->s->holder.org);
    const struct desk *d = o && desk ? network_desk_by_id(o, t->in->desk) : NULL;
    if (desk && !d) {
        return turn_fail(t, STO_E_UNKNOWN_NAME, "organisation '%s' has no desk '%s'",
                         o ? o->id : "?", t->in->desk);
    }
    if (d && d->number != t->s->holder.desk) {
        holder_move(t, (struct party){.org = t->s->holder.org, .desk = d->number});
    }
    if (worker) {
        reassign_worker(t);
    }
    return t->rc;
}

struct succession {
    const struct organisation *from, *to;
};

/* To the successor's desk of the same id; where it has none, to the one that takes what comes in.
 */
static bool repoint(struct party *p, const struct succession *x)
{
    const struct desk *old = network_desk(x->from, p->desk);
    const struct desk *now = old ? network_desk_by_id(x->to, old->id) : NULL;
    if (p->org != x->from->number) {
        return false;
    }
    p->org = x->to->number;
    p->desk = now ? now->number : x->to->n_desks > 0 ? x->to->desks[0].number : 0;
    return true;
}

static void succeed_parties(struct turn *t, const struct succession *x)
{
    struct case_state *s = t->s;
    repoint(&s->sender, x);
    repoint(&s->right.back_to, x);
    for (unsigned i = 0; i < STO_WF_ROLES_MAX; i++) {
        repoint(&s->roles[i].at, x);
    }
    s->home = s->home == x->from->number ? x->to->number : s->home;
    if (repoint(&s->holder, x)) {
        s->ledger_n++;
        s->ledger_since_us = t->now;
    }
    for (unsigned i = 0; i < s->n_offers; i++) {
        struct offer *o = &s->offers[i];
        repoint(&o->from, x);
        if (repoint(&o->to, x) && offer_live(o->state)) {
            send_offer(t, SEND_NOTICE, o->to, o);
        }
    }
    for (unsigned i = 0; i < s->n_tokens; i++) {
        if (repoint(&s->tokens[i].at, x)) {
            if (step_has_addressee(step_of(t, &s->tokens[i]))) {
                work_send(t, s->tokens[i].id);
            } else {
                send_token(t, SEND_NOTICE, s->tokens[i].at, &s->tokens[i]);
            }
        }
    }
}

/* What was between the two has become a matter inside one. */
static void succeed_settle(struct turn *t)
{
    uint16_t holder = t->s->holder.org;
    for (unsigned i = 0; i < t->s->n_offers && t->s->status == CASE_OPEN; i++) {
        const struct offer *o = &t->s->offers[i];
        const struct token *x = state_token(t->s, o->token);
        if (o->to.org == holder && offer_live(o->state) && x &&
            step_of(t, x)->type == STEP_HANDOVER) {
            uint16_t token = o->token;
            offer_end(t, o->id, OFFER_WITHDRAWN, REASON_OTHER, false);
            handover_lost(t, token, EXIT_WITHDRAWN);
            i = UINT_MAX; /* offers may have gone: from the start */
        }
    }
    if (t->s->right.valid && t->s->right.back_to.org == holder) {
        right_lapse(t);
    }
}

int succeed(struct turn *t)
{
    const char *name = t->in->name ? t->in->name : "";
    const struct organisation *a =
        *name ? network_org_by_id(t->net, name) : network_org(t->net, t->in->actor.org);
    if (!a || a->successor == 0) {
        return turn_fail(t, STO_E_UNKNOWN_NAME, "organisation '%s' has no successor",
                         a ? a->id : name);
    }
    const struct organisation *b = network_org(t->net, a->successor);
    if (t->in->second_admin == 0 || t->in->second_admin == t->in->actor.org || !b ||
        t->in->second_admin != b->number) {
        turn_fail(t, STO_E_TWO_PERSONS,
                  "succession needs a second administrator, of the successor");
        turn_fix(t, "let an administrator of the successor sign too");
        return t->rc;
    }
    if (actor_is_broker(t) ||
        (t->in->actor.org != a->number && t->in->actor.org != t->net->coordinator_org)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only '%s' or the network's coordinator", a->id);
    }
    if (!validity_holds(&b->valid, t->today)) {
        return turn_fail(t, STO_E_NOT_IN_FORCE, "organisation '%s' is not in force today", b->id);
    }
    if (t->s->holder.org == a->number && !b->may_hold) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "organisation '%s' may not be responsible", b->id);
    }
    succeed_parties(t, &(struct succession){a, b});
    succeed_settle(t);
    return t->rc;
}

int correct(struct turn *t)
{
    if (!actor_is(t, t->s->holder)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only who is responsible corrects the data");
    }
    if (t->in->n_fields == 0) {
        return turn_fail(t, STO_E_MISSING_FIELD, "a correction brings at least one field");
    }
    return fields_take(t, UINT64_MAX, 0);
}
