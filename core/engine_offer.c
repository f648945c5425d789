/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The offer's machine: one table of state x event -> who may, guard, next state, what
 * follows. Transfers, referrals and consults share it; a row says for which it holds.
 * What losing or winning an offer means to the handover stands in engine_handover.c.
 */
#include <string.h>

#include "turn.h"

enum who { WHO_RECEIVER, WHO_RECEIVER_ONLY, WHO_SENDER, WHO_SENDER_OR_CLIENT, WHO_EITHER };
enum { KIND_T = 1, KIND_R = 2, KIND_C = 4, KIND_TR = 3, KIND_ALL = 7 };
enum clocks { CLOCKS_NEW, CLOCKS_KEEP };

#define S(x) (UINT32_C(1) << (x))
#define BEFORE_ACCEPT                                                                              \
    (S(OFFER_OFFERED) | S(OFFER_IN_REVIEW) | S(OFFER_INFO_REQUESTED) | S(OFFER_WAITLISTED))
#define BEFORE_SERVICE (BEFORE_ACCEPT | S(OFFER_ACCEPTED) | S(OFFER_BOOKED) | S(OFFER_MET))
#define ENDED                                                                                      \
    (S(OFFER_DECLINED) | S(OFFER_EXPIRED) | S(OFFER_WITHDRAWN) | S(OFFER_SUPERSEDED) |             \
     S(OFFER_NO_SHOW) | S(OFFER_INTERRUPTED))

typedef int offer_fn(struct turn *t, uint16_t id);

struct rule {
    uint8_t event;
    uint8_t who;
    uint8_t kinds;
    uint32_t from;
    uint8_t next; /* OFFER_NONE = same */
    uint8_t clocks;
    offer_fn *guard; /* before the state changes; may fail */
    offer_fn *then;  /* after it */
};

static offer_fn guard_take_up, guard_rounds, guard_info, guard_place, guard_accept, guard_reason,
    guard_desk, guard_book, guard_met, guard_dispute, guard_confirm, guard_report, guard_interrupt,
    guard_answer, then_ask, then_answered, then_check_in, then_accept, then_redirect, then_no_show,
    then_declined, then_withdrawn, then_confirm, then_start, then_report, then_interrupt;

static const struct rule rules[] = {
    {EVENT_TAKE_UP, WHO_RECEIVER, KIND_ALL, S(OFFER_OFFERED), OFFER_IN_REVIEW, CLOCKS_NEW,
     guard_take_up, NULL},
    {EVENT_REQUEST_INFO, WHO_RECEIVER, KIND_ALL, S(OFFER_IN_REVIEW), OFFER_INFO_REQUESTED,
     CLOCKS_KEEP, guard_rounds, then_ask},
    {EVENT_GIVE_INFO, WHO_SENDER, KIND_ALL, S(OFFER_INFO_REQUESTED), OFFER_IN_REVIEW, CLOCKS_KEEP,
     guard_info, then_answered},
    {EVENT_WAITLIST, WHO_RECEIVER, KIND_TR, S(OFFER_OFFERED) | S(OFFER_IN_REVIEW), OFFER_WAITLISTED,
     CLOCKS_NEW, guard_place, NULL},
    {EVENT_PLACE_FREE, WHO_RECEIVER, KIND_TR, S(OFFER_WAITLISTED), OFFER_IN_REVIEW, CLOCKS_NEW,
     NULL, NULL},
    {EVENT_CHECK_IN, WHO_RECEIVER, KIND_TR, S(OFFER_WAITLISTED), OFFER_NONE, CLOCKS_KEEP,
     guard_place, then_check_in},
    {EVENT_ACCEPT, WHO_RECEIVER, KIND_ALL,
     S(OFFER_OFFERED) | S(OFFER_IN_REVIEW) | S(OFFER_WAITLISTED), OFFER_ACCEPTED, CLOCKS_NEW,
     guard_accept, then_accept},
    {EVENT_DECLINE, WHO_RECEIVER, KIND_ALL, BEFORE_ACCEPT | S(OFFER_ACCEPTED), OFFER_DECLINED,
     CLOCKS_NEW, guard_reason, then_declined},
    {EVENT_REDIRECT, WHO_RECEIVER, KIND_ALL, BEFORE_SERVICE | S(OFFER_IN_SERVICE), OFFER_NONE,
     CLOCKS_KEEP, guard_desk, then_redirect},
    {EVENT_BOOK, WHO_RECEIVER, KIND_TR, S(OFFER_ACCEPTED) | S(OFFER_BOOKED), OFFER_BOOKED,
     CLOCKS_NEW, guard_book, NULL},
    {EVENT_NO_SHOW, WHO_EITHER, KIND_TR, S(OFFER_BOOKED), OFFER_NONE, CLOCKS_KEEP, NULL,
     then_no_show},
    {EVENT_MET, WHO_EITHER, KIND_TR, S(OFFER_ACCEPTED) | S(OFFER_BOOKED), OFFER_MET, CLOCKS_NEW,
     guard_met, NULL},
    {EVENT_DISPUTE, WHO_EITHER, KIND_TR, S(OFFER_MET), OFFER_BOOKED, CLOCKS_NEW, guard_dispute,
     NULL},
    {EVENT_CONFIRM_TAKEOVER, WHO_RECEIVER_ONLY, KIND_T, S(OFFER_ACCEPTED) | S(OFFER_MET),
     OFFER_TAKEN_OVER, CLOCKS_NEW, guard_confirm, then_confirm},
    {EVENT_WITHDRAW, WHO_SENDER_OR_CLIENT, KIND_ALL, BEFORE_SERVICE, OFFER_WITHDRAWN, CLOCKS_NEW,
     NULL, then_withdrawn},
    {EVENT_START_SERVICE, WHO_RECEIVER, KIND_R, S(OFFER_ACCEPTED) | S(OFFER_BOOKED) | S(OFFER_MET),
     OFFER_IN_SERVICE, CLOCKS_NEW, NULL, then_start},
    {EVENT_REPORT, WHO_RECEIVER, KIND_R, S(OFFER_IN_SERVICE), OFFER_REPORTED, CLOCKS_NEW,
     guard_report, then_report},
    {EVENT_INTERRUPT, WHO_EITHER, KIND_R, S(OFFER_IN_SERVICE), OFFER_INTERRUPTED, CLOCKS_NEW,
     guard_interrupt, then_interrupt},
    {EVENT_ANSWER, WHO_RECEIVER, KIND_C, BEFORE_ACCEPT | S(OFFER_ACCEPTED), OFFER_REPORTED,
     CLOCKS_NEW, guard_answer, then_report},
    {EVENT_ATTENDANCE, WHO_RECEIVER, KIND_R, S(OFFER_IN_SERVICE), OFFER_NONE, CLOCKS_KEEP,
     attendance_guard, attendance_count},
    {EVENT_CONFIRM_WITHDRAWN, WHO_RECEIVER, KIND_ALL, ENDED, OFFER_NONE, CLOCKS_KEEP, NULL, NULL},
};

static const struct rule *rule_of(enum event_kind k)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].event == k) {
            return &rules[i];
        }
    }
    return NULL;
}

bool offer_event_is(enum event_kind k)
{
    return rule_of(k) != NULL;
}

struct offer *offer_find(struct turn *t, uint16_t id)
{
    unsigned i = offer_place(t->s, id);
    return id != 0 && i < t->s->n_offers && t->s->offers[i].id == id ? &t->s->offers[i] : NULL;
}

struct offer *offer_of(struct turn *t, uint16_t id)
{
    struct offer *o = offer_find(t, id);
    STO_ASSERT(o);
    return o;
}

/* Offers go with their token, so there always is one. */
static const struct wf_step *offer_step(const workflow_t *wf, const struct case_state *s,
                                        const struct offer *o)
{
    const struct token *tok = state_token(s, o->token);
    STO_ASSERT(tok);
    return &wf->steps[tok->step];
}

/* ------------------------------------------------------------------ who, when */

static unsigned kind_of(const struct wf_step *w)
{
    return w->type == STEP_REFERRAL ? KIND_R : w->type == STEP_CONSULT ? KIND_C : KIND_T;
}

bool meeting_counts(const struct case_state *s, const struct wf_step *w)
{
    if (w->meeting != MEETING_AT_STEP || w->meeting_step >= STO_WF_STEPS_MAX) {
        return false;
    }
    uint8_t exit = s->last_exit[w->meeting_step];
    return exit == EXIT_ATTENDED || exit == EXIT_HELD || exit == EXIT_DONE || exit >= EXIT_GOT;
}

/* Does the row hold for this state, kind and way of meeting? */
static bool rule_fits(const struct case_state *s, const struct wf_step *w, const struct offer *o,
                      const struct rule *r)
{
    if (!(r->from >> o->state & 1) || !(r->kinds & kind_of(w))) {
        return false;
    }
    if (o->state != OFFER_ACCEPTED) {
        return true;
    }
    if (r->event == EVENT_CONFIRM_TAKEOVER) {
        return meeting_counts(s, w);
    }
    if (r->event ==
        EVENT_MET) { /* without a booking: a documented contact, or a step that counted */
        return w->type == STEP_REFERRAL || w->meeting == MEETING_BY_PHONE ||
               w->meeting == MEETING_DOCUMENTED || meeting_counts(s, w);
    }
    return true;
}

static bool side_may(const struct case_state *s, const struct wf_step *w, const struct offer *o,
                     const struct rule *r, uint16_t actor, bool by_client)
{
    bool receiver = actor != 0 && actor == o->to.org;
    bool sender = actor != 0 && actor == s->holder.org;
    if (PLANT(6)) {
        return true;
    }
    switch ((enum who)r->who) {
    case WHO_RECEIVER: /* the holder records for a party without a system, never in a transfer */
        return receiver || (sender && w->type != STEP_HANDOVER);
    case WHO_RECEIVER_ONLY:
        return receiver;
    case WHO_SENDER:
        return sender;
    case WHO_SENDER_OR_CLIENT: /* the client's wish comes through either side */
        return sender || (by_client && receiver);
    case WHO_EITHER:
        return receiver || sender;
    }
    return false;
}

bool offer_may(const workflow_t *wf, const struct case_state *s, const struct offer *o,
               enum event_kind k, uint16_t actor, bool by_client)
{
    const struct rule *r = rule_of(k);
    const struct wf_step *w = offer_step(wf, s, o);
    return r && rule_fits(s, w, o, r) && side_may(s, w, o, r, actor, by_client);
}

/* Which word fits instead (handover.md "Events"). */
static const char *other_word(const struct turn *t, const struct offer *o, enum event_kind k)
{
    bool leaves = k == EVENT_WITHDRAW || k == EVENT_DECLINE || k == EVENT_INTERRUPT;
    if (o->state == OFFER_IN_SERVICE && leaves) {
        return "the service has begun: use interrupt";
    }
    if (o->state == OFFER_TAKEN_OVER && leaves) {
        return "responsibility has moved: use give_back";
    }
    if (k == EVENT_INTERRUPT) {
        return "the service has not begun: use decline or withdraw";
    }
    if (k == EVENT_CONFIRM_TAKEOVER) {
        return "record the meeting first: met";
    }
    if (k == EVENT_WITHDRAW && actor_is(t, o->to)) {
        return "a receiver declines; on the client's wish either side withdraws";
    }
    return k == EVENT_DECLINE && actor_is(t, t->s->holder) ? "a sender withdraws" : "";
}

/* The offer named: 0, 1 = late, or a failure. */
static int find_named(struct turn *t, const struct rule *r, uint16_t *id)
{
    const struct offer *o = offer_find(t, t->in->offer);
    if (!o) {
        return t->in->offer <= t->s->next_offer
                   ? 1
                   : turn_fail(t, STO_E_UNKNOWN_STEP, "the case has no offer %u", t->in->offer);
    }
    const struct wf_step *w = offer_step(t->wf, t->s, o);
    *id = o->id;
    if (!side_may(t->s, w, o, r, t->in->actor.org, t->in->by_client)) {
        turn_fail(t, STO_E_NOT_ALLOWED, "'%s' is not this organisation's to make",
                  event_kind_name(t->in->kind));
        turn_fix(t, other_word(t, o, t->in->kind));
        return t->rc;
    }
    if (rule_fits(t->s, w, o, r)) {
        return 0;
    }
    if (!offer_live(o->state) &&
        !(o->state == OFFER_TAKEN_OVER && t->s->right.valid && t->s->right.offer == o->id)) {
        return 1;
    }
    turn_fail(t, STO_E_WRONG_STATE, "'%s' does not fit an offer that is %s",
              event_kind_name(t->in->kind), offer_state_name(o->state));
    turn_fix(t, other_word(t, o, t->in->kind));
    return t->rc;
}

/* Nobody named it: the one live offer that fits; else the best reason why not. */
static int find_only(struct turn *t, const struct rule *r, uint16_t *id)
{
    unsigned n = 0;
    bool live_mine = false;
    const struct offer *wrong_side = NULL, *wrong_state = NULL, *ended = NULL;
    for (unsigned i = 0; i < t->s->n_offers; i++) {
        const struct offer *o = &t->s->offers[i];
        const struct wf_step *w = offer_step(t->wf, t->s, o);
        if (t->in->token != 0 && o->token != t->in->token) {
            continue;
        }
        bool mine = side_may(t->s, w, o, r, t->in->actor.org, t->in->by_client);
        live_mine = live_mine || (mine && offer_live(o->state));
        if (rule_fits(t->s, w, o, r)) {
            n += mine;
            *id = mine ? o->id : *id;
            wrong_side = mine ? wrong_side : o;
        } else if (offer_live(o->state)) {
            wrong_state = mine || !wrong_state ? o : wrong_state;
        } else if (mine && kind_of(w) & r->kinds) {
            ended = o;
        }
    }
    if (n == 1) {
        return 0;
    }
    if (n > 1) {
        turn_fail(t, STO_E_UNKNOWN_STEP, "more than one offer fits '%s'",
                  event_kind_name(t->in->kind));
        turn_fix(t, "name the offer");
        return t->rc;
    }
    if (ended && !live_mine) { /* its own has ended, whatever others have */
        return 1;
    }
    const struct offer *o = wrong_side ? wrong_side : wrong_state;
    turn_fail(t, wrong_side ? STO_E_NOT_ALLOWED : STO_E_WRONG_STATE,
              "no offer of the case takes '%s'%s", event_kind_name(t->in->kind),
              wrong_side ? " from this organisation" : " now");
    turn_fix(t, o ? other_word(t, o, t->in->kind) : "");
    return t->rc;
}

/* ------------------------------------------------------------------ clocks of a state */

static void clock_of(struct turn *t, const struct offer *o, enum clock_kind k, int64_t from_us)
{
    struct clock key = {.kind = (uint8_t)k, .token = o->token, .offer = o->id};
    struct sto_duration d = clock_duration(t, offer_step(t->wf, t->s, o), k);
    clock_start(t, key, from_us, d, k == CLOCK_INFO ? t->s->holder : o->to);
}

static void accepted_clock(struct turn *t, const struct offer *o, const struct wf_step *w)
{
    if (w->type == STEP_REFERRAL) {
        clock_of(t, o, CLOCK_START, t->now);
    } else if (w->type == STEP_HANDOVER) {
        clock_of(t, o, meeting_counts(t->s, w) ? CLOCK_CONFIRM : CLOCK_BOOK, t->now);
    } else if (w->n_within == 0) {
        clock_of(t, o, CLOCK_DECIDE, t->now);
    }
}

void offer_clocks(struct turn *t, struct offer *o)
{
    const struct wf_step *w = offer_step(t->wf, t->s, o);
    clocks_stop_offer(t, o->id);
    switch ((enum offer_state)o->state) {
    case OFFER_OFFERED: /* a consult may be answered as long as the step's own time lasts */
        if (w->type != STEP_CONSULT || w->n_within == 0 || w->clocks.has[CLOCK_ANSWER]) {
            clock_of(t, o, CLOCK_ANSWER, t->now);
        }
        return;
    case OFFER_IN_REVIEW:
        clock_of(t, o, CLOCK_DECIDE, t->now);
        return;
    case OFFER_INFO_REQUESTED:
        clock_of(t, o, CLOCK_INFO, t->now);
        return;
    case OFFER_WAITLISTED:
        if (!PLANT(13)) {
            clock_of(t, o, CLOCK_CHECK_IN, t->now);
            clock_of(t, o, CLOCK_WAIT_MAX, t->now);
        }
        return;
    case OFFER_ACCEPTED:
        accepted_clock(t, o, w);
        return;
    case OFFER_BOOKED:
        clock_of(t, o, CLOCK_MEET, o->meet_us > t->now ? o->meet_us : t->now);
        return;
    case OFFER_MET:
        clock_of(t, o, w->type == STEP_REFERRAL ? CLOCK_START : CLOCK_CONFIRM, t->now);
        return;
    case OFFER_NONE:
    case OFFER_IN_SERVICE: /* the step's own time runs */
    case OFFER_TAKEN_OVER:
    case OFFER_REPORTED:
    case OFFER_DECLINED:
    case OFFER_EXPIRED:
    case OFFER_WITHDRAWN:
    case OFFER_SUPERSEDED:
    case OFFER_NO_SHOW:
    case OFFER_INTERRUPTED:
        return;
    }
}

/* ------------------------------------------------------------------ guards */

static int guard_take_up(struct turn *t, uint16_t id)
{
    worker_set(offer_of(t, id)->worker, t->in->worker);
    return 0;
}

static int guard_rounds(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    if (o->rounds >= t->net->clocks.info_rounds_max) {
        turn_fail(t, STO_E_LIMIT_ROUNDS, "%u rounds of questions have been asked", o->rounds);
        turn_fix(t, "accept or decline");
        return t->rc;
    }
    o->rounds++;
    return 0;
}

static int guard_info(struct turn *t, uint16_t id)
{
    (void)id;
    return fields_take(t, UINT64_MAX, 0);
}

static int guard_place(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    if (t->in->place != 0 || o->state != OFFER_WAITLISTED) {
        o->place = t->in->place;
    }
    o->check_ins_missed = 0;
    return 0;
}

bool receivable(const struct turn *t, const struct wf_step *w, uint16_t org)
{
    const struct organisation *o = network_org(t->net, org);
    return o && validity_holds(&o->valid, t->today) && (w->type != STEP_HANDOVER || o->may_hold);
}

static int guard_accept(struct turn *t, uint16_t id)
{
    const struct offer *o = offer_of(t, id);
    const struct token *tok = token_of(t, o->token);
    if (!receivable(t, step_of(t, tok), o->to.org)) {
        return turn_fail(t, STO_E_NOT_IN_FORCE, "the receiver may not take cases today");
    }
    if (tok->phase != HANDOVER_NEGOTIATING && !PLANT(7)) {
        return turn_fail(t, STO_E_WRONG_STATE, "the handover is %s",
                         handover_state_name(tok->phase));
    }
    return 0;
}

static int guard_reason(struct turn *t, uint16_t id)
{
    (void)id;
    if (t->in->reason == REASON_NONE) {
        turn_fail(t, STO_E_MISSING_REASON, "'%s' needs a coded reason",
                  event_kind_name(t->in->kind));
        turn_fix(t, "for instance capacity, not-eligible, wrong-service, client-wish");
        return t->rc;
    }
    return 0;
}

static int guard_desk(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    const struct organisation *org = network_org(t->net, o->to.org);
    if (t->in->name && *t->in->name && (!org || strcmp(org->id, t->in->name) != 0)) {
        turn_fail(t, STO_E_NOT_ALLOWED, "a redirect stays inside the organisation");
        turn_fix(t, "decline and suggest the other service");
        return t->rc;
    }
    const struct desk *d = org && t->in->desk ? network_desk_by_id(org, t->in->desk) : NULL;
    if (!d) {
        return turn_fail(t, STO_E_UNKNOWN_NAME, "organisation '%s' has no desk '%s'",
                         org ? org->id : "?", t->in->desk ? t->in->desk : "");
    }
    o->to.desk = d->number;
    worker_set(o->worker, NULL);
    return 0;
}

static int guard_book(struct turn *t, uint16_t id)
{
    if (t->in->at_us <= 0 || t->in->at_us < t->now) {
        return turn_fail(t, STO_E_FIELD, "a meeting is booked for a time to come");
    }
    offer_of(t, id)->meet_us = t->in->at_us;
    return 0;
}

static int guard_met(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    if (t->in->at_us > t->now) {
        return turn_fail(t, STO_E_FIELD, "the meeting is still to come");
    }
    o->met_by = actor_is(t, o->to) ? 2 : 1;
    o->meet_us = t->in->at_us > 0 ? t->in->at_us : o->meet_us;
    return 0;
}

static int guard_dispute(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    bool other = o->met_by == 1 ? actor_is(t, o->to) : actor_is(t, t->s->holder);
    if (!other) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only the side that did not record the meeting");
    }
    if (o->disputed) {
        return turn_fail(t, STO_E_WRONG_STATE, "the meeting has been disputed once");
    }
    o->disputed = true;
    o->met_by = 0;
    o->meet_us = 0;
    return 0;
}

static int guard_confirm(struct turn *t, uint16_t id)
{
    const struct offer *o = offer_of(t, id);
    if (!receivable(t, offer_step(t->wf, t->s, o), o->to.org)) {
        return turn_fail(t, STO_E_NOT_IN_FORCE, "the receiver may not become responsible today");
    }
    return 0;
}

/* The exit of a result: `usual`, or one of the step's own. Takes the fields. */
static int take_result(struct turn *t, uint16_t id, uint8_t usual)
{
    const struct wf_step *w = offer_step(t->wf, t->s, offer_of(t, id));
    uint8_t exit = t->in->exit && *t->in->exit && strcmp(t->in->exit, t->wf->exits[usual]) != 0
                       ? exit_choose(t, w)
                       : usual;
    if (exit == EXIT_NONE) {
        return t->rc;
    }
    t->out->exit = exit;
    const struct wf_exit *x = workflow_step_exit(w, exit);
    int rc = fields_take(t, exit_allows(w, x), exit_requires(w, x));
    return rc ? rc : names_take(t, x ? x->names : 0);
}

static int guard_report(struct turn *t, uint16_t id)
{
    const struct offer *o = offer_of(t, id);
    const struct token *tok = token_of(t, o->token);
    const struct wf_step *w = step_of(t, tok);
    const struct calendar *cal = network_calendar(t->net, o->to.org, o->to.desk);
    bool early = w->at_least.kind == WHEN_ATTENDANCE
                     ? tok->count < attendance_days(t, w->at_least.ix, w->at_least.days)
                     : w->at_least.kind != WHEN_NONE &&
                           when_due_us(t, &w->at_least, tok->start_us, cal, false) > t->now;
    if (early) {
        turn_fail(t, STO_E_WRONG_STATE, "the service has not lasted as long as it must");
        turn_fix(t, "use interrupt");
        return t->rc;
    }
    return take_result(t, id, EXIT_DONE);
}

static int guard_answer(struct turn *t, uint16_t id)
{
    return take_result(t, id, EXIT_ANSWERED);
}

static int guard_interrupt(struct turn *t, uint16_t id)
{
    const struct wf_step *w = offer_step(t->wf, t->s, offer_of(t, id));
    const struct wf_exit *x = workflow_step_exit(w, EXIT_INTERRUPTED);
    int rc = guard_reason(t, id);
    return rc ? rc : fields_take(t, exit_allows(w, x), x ? x->collects : 0);
}

/* ------------------------------------------------------------------ what follows */

static int then_ask(struct turn *t, uint16_t id)
{
    const struct offer *o = offer_of(t, id);
    clock_pause(t, CLOCK_DECIDE, o->token, id);
    clock_of(t, o, CLOCK_INFO, t->now);
    return 0;
}

static int then_answered(struct turn *t, uint16_t id)
{
    const struct offer *o = offer_of(t, id);
    clock_stop(t, CLOCK_INFO, o->token, id);
    clock_resume(t, CLOCK_DECIDE, o->token, id, o->to);
    return 0;
}

static int then_check_in(struct turn *t, uint16_t id)
{
    clock_of(t, offer_of(t, id), CLOCK_CHECK_IN, t->now);
    return 0;
}

static int then_accept(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    struct token *tok = token_of(t, o->token);
    const struct wf_step *w = step_of(t, tok);
    tok->offer = id;
    tok->phase = HANDOVER_AGREED;
    if (w->to[0] < t->wf->n_roles) {
        role_set(t, w->to[0], o->to);
    }
    for (unsigned i = 0; i < t->s->n_offers && !PLANT(7); i++) {
        const struct offer *x = &t->s->offers[i];
        if (x->id != id && x->token == o->token && offer_live(x->state)) {
            offer_end(t, x->id, OFFER_SUPERSEDED, REASON_WORKFLOW_WENT_ON, true);
        }
    }
    if (!must_holds(t, w, o->to.org)) { /* what it cannot do without may no longer leave */
        uint16_t token = o->token;
        offer_end(t, id, OFFER_WITHDRAWN, REASON_NO_BASIS, true);
        handover_returned(t, token, EXIT_NO_BASIS);
        return 0;
    }
    struct send *x = send_offer(t, SEND_PACKAGE, o->to, offer_of(t, id));
    send_release(t, x, w->carries | w->teaser);
    if (PLANT(5)) {
        holder_move(t, offer_of(t, id)->to);
    }
    return 0;
}

static int then_redirect(struct turn *t, uint16_t id)
{
    const struct offer *o = offer_of(t, id);
    const struct wf_step *w = offer_step(t->wf, t->s, o);
    bool before = S(o->state) & BEFORE_ACCEPT;
    struct send *x = send_offer(t, before ? SEND_OFFER : SEND_PACKAGE, o->to, o);
    send_release(t, x, before ? w->teaser : w->carries | w->teaser);
    return 0;
}

static int then_no_show(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    o->meet_us = 0;
    o->no_shows = (uint8_t)(o->no_shows + !t->in->valid_reason);
    if (o->no_shows >= t->net->clocks.no_show_limit) {
        uint16_t token = o->token;
        offer_end(t, id, OFFER_NO_SHOW, REASON_NO_SHOW, true);
        handover_lost(t, token, EXIT_NO_SHOW);
        return 0;
    }
    clock_stop(t, CLOCK_MEET, o->token, id);
    clock_of(t, o, CLOCK_BOOK, t->now);
    return 0;
}

static int then_declined(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    o->reason = (uint8_t)t->in->reason;
    handover_lost(t, o->token, EXIT_DECLINED);
    return 0;
}

static int then_withdrawn(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    uint16_t token = o->token;
    o->reason = (uint8_t)(t->in->reason      ? t->in->reason
                          : t->in->by_client ? REASON_CLIENT_WISH
                                             : REASON_OTHER);
    if (!actor_is(t, o->to)) {
        send_offer(t, SEND_WITHDRAWN, o->to, o)->with_reason = true;
    }
    handover_lost(t, token, EXIT_WITHDRAWN);
    return 0;
}

static int then_confirm(struct turn *t, uint16_t id)
{
    handover_take_over(t, id);
    return 0;
}

static int then_start(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    struct token *tok = token_of(t, o->token);
    uint16_t token = tok->id;
    tok->start_us = t->now;
    clock_stop(t, CLOCK_CAP, token, 0);
    within_start(t, token, t->now);
    if (!clock_find(t, CLOCK_WITHIN, token, 0, 0)) {
        struct clock key = {.kind = CLOCK_WITHIN, .token = token};
        clock_start(t, key, t->now, t->net->clocks.cap, offer_of(t, id)->to);
    }
    sides_arm(t, token, t->now);
    holdings_occupy(t, token);
    return 0;
}

static int leave_with_result(struct turn *t, uint16_t id, uint8_t exit)
{
    uint16_t token = offer_of(t, id)->token;
    offers_end_all(t, token, OFFER_SUPERSEDED, REASON_WORKFLOW_WENT_ON);
    if (!walk_leave(t, token, exit)) {
        walk_join(t, token);
    }
    return 0;
}

static int then_report(struct turn *t, uint16_t id)
{
    return leave_with_result(t, id, t->out->exit);
}

static int then_interrupt(struct turn *t, uint16_t id)
{
    struct offer *o = offer_of(t, id);
    uint16_t token = o->token;
    o->reason = (uint8_t)t->in->reason;
    clock_stop(t, CLOCK_WITHIN, token, 0);
    holdings_break(t, token);
    if (!walk_leave_around(t, token, EXIT_INTERRUPTED)) {
        handover_returned(t, token, EXIT_RETURNED);
    }
    return 0;
}

/* ------------------------------------------------------------------ ends */

void offer_end(struct turn *t, uint16_t id, enum offer_state state, enum reason reason, bool tell)
{
    struct offer *o = offer_of(t, id);
    o->state = (uint8_t)state;
    o->reason = (uint8_t)reason;
    o->since_us = t->now;
    clocks_stop_offer(t, id);
    if (tell && !actor_is(t, o->to)) {
        send_offer(t, SEND_WITHDRAWN, o->to, o);
    }
}

void offers_end_all(struct turn *t, uint16_t token, enum offer_state state, enum reason reason)
{
    for (unsigned i = 0; i < t->s->n_offers; i++) {
        const struct offer *o = &t->s->offers[i];
        if (o->token == token && offer_live(o->state)) {
            bool broken = o->state == OFFER_IN_SERVICE && state == OFFER_WITHDRAWN;
            offer_end(t, o->id, broken ? OFFER_INTERRUPTED : state, reason, true);
        }
    }
}

void offer_expire(struct turn *t, uint16_t id, enum clock_kind clock)
{
    struct offer *o = offer_find(t, id);
    if (!o || !offer_live(o->state)) {
        return;
    }
    uint16_t token = o->token;
    struct party to = o->to;
    offer_end(t, id, OFFER_EXPIRED, REASON_NO_ANSWER, false);
    send_offer(t, SEND_WITHDRAWN, to, offer_of(t, id))->clock = (uint8_t)clock;
    send_offer(t, SEND_ESCALATION, t->s->holder, offer_of(t, id))->clock = (uint8_t)clock;
    handover_lost(t, token, EXIT_EXPIRED);
}

/* ------------------------------------------------------------------ one event */

/* Fields whose category may leave before acceptance. */
static uint64_t teaser_fields(const struct turn *t, const struct wf_step *w)
{
    uint32_t categories = t->net->teaser_always;
    uint64_t may = 0;
    for (unsigned i = 0; i < t->wf->n_fields; i++) {
        categories |= w->teaser >> i & 1 ? UINT32_C(1) << t->wf->fields[i].category : 0;
    }
    for (unsigned i = 0; i < t->wf->n_fields; i++) {
        may |= categories >> t->wf->fields[i].category & 1 ? UINT64_C(1) << i : 0;
    }
    return may;
}

/* The other side hears of the move, with what came along as far as the law allows. */
static void tell_other(struct turn *t, uint16_t id)
{
    const struct offer *o = offer_of(t, id);
    bool to_receiver = !actor_is(t, o->to);
    struct party other = to_receiver ? o->to : t->s->holder;
    if (other.org == t->in->actor.org || t->in->kind == EVENT_CONFIRM_WITHDRAWN ||
        (to_receiver && t->in->kind == EVENT_WITHDRAW)) {
        return;
    }
    const struct wf_step *w = offer_step(t->wf, t->s, o);
    bool early = to_receiver && S(o->state) & BEFORE_ACCEPT;
    uint64_t may = early ? t->fresh & teaser_fields(t, w) : t->fresh;
    struct send *x = send_offer(t, SEND_UPDATE, other, o);
    x->with_reason = true;
    send_release(t, x, may);
    x->held_back |= t->fresh & ~may;
}

static bool takes_fields(enum event_kind k)
{
    return k == EVENT_GIVE_INFO || k == EVENT_REPORT || k == EVENT_ANSWER || k == EVENT_INTERRUPT;
}

int offer_event(struct turn *t)
{
    const struct rule *r = rule_of(t->in->kind);
    uint16_t id = 0;
    int rc = t->in->offer != 0 ? find_named(t, r, &id) : find_only(t, r, &id);
    if (rc > 0) {
        return turn_late(t);
    }
    if (rc < 0) {
        return rc;
    }
    struct offer *o = offer_of(t, id);
    turn_about(t, token_of(t, o->token), o);
    if (!takes_fields(t->in->kind) && fields_take(t, 0, 0)) {
        return t->rc;
    }
    if (r->guard && r->guard(t, id)) {
        return t->rc;
    }
    o = offer_of(t, id);
    if (r->next != OFFER_NONE) {
        o->state = r->next;
        o->since_us = t->now;
    }
    if (r->clocks == CLOCKS_NEW) {
        offer_clocks(t, o);
    }
    tell_other(t, id);
    if (r->then && !t->rc) {
        r->then(t, id);
    }
    return t->rc;
}
