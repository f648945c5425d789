/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * engine_decide(): one input, one fact or one refusal. Here: the frame of a turn,
 * dispatch by event, and late events. The rules stand in engine_*.c; turn.h lists them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "turn.h"

#define OPS_FIRST_BYTES 1024u

int turn_fail(struct turn *t, enum sto_code code, const char *fmt, ...)
{
    if (t->rc != 0) {
        return t->rc;
    }
    char what[sizeof t->err->what];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    t->rc = sto_fail(t->err, code, "%s", what);
    return t->rc;
}

void turn_fix(struct turn *t, const char *fix)
{
    if (fix && *fix && t->err) {
        sto_err_fix(t->err, "%s", fix);
    }
}

void turn_about(struct turn *t, const struct token *tok, const struct offer *o)
{
    if (tok) {
        t->out->token = tok->id;
        t->out->step = tok->step;
    }
    if (o) {
        t->out->offer = o->id;
    }
}

int turn_late(struct turn *t)
{
    if (PLANT(14)) {
        return 0;
    }
    *t->s = *t->before;
    t->out->code = STO_E_LATE;
    t->out->token = t->in->token;
    t->out->offer = t->in->offer;
    fields_fill_late(t);
    return 0;
}

static int parked(struct turn *t)
{
    if (!actor_is_broker(t)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only the broker parks an event");
    }
    t->out->code = STO_E_PARKED;
    return 0;
}

/* A report is of a referral's service or, inside the stable period, of a takeover. */
static int report(struct turn *t)
{
    bool of_right = t->s->right.valid && (t->in->offer == t->s->right.offer ||
                                          (t->in->offer == 0 && actor_is(t, t->s->holder)));
    for (unsigned i = 0; of_right && t->in->offer == 0 && i < t->s->n_offers; i++) {
        const struct offer *o = &t->s->offers[i];
        of_right = o->state != OFFER_IN_SERVICE || !actor_is(t, o->to);
    }
    return of_right ? handover_report(t) : offer_event(t);
}

/* A referral's service, or a series of meetings. */
static int interrupt(struct turn *t)
{
    uint16_t series = 0;
    for (unsigned i = 0; i < t->s->n_tokens && t->in->offer == 0; i++) {
        const struct token *x = &t->s->tokens[i];
        bool named = t->in->token == x->id || t->in->token == 0;
        series = named && session_is_series(step_of(t, x)) ? x->id : series;
    }
    for (unsigned i = 0; i < t->s->n_offers && t->in->token == 0 && series != 0; i++) {
        const struct offer *o = &t->s->offers[i];
        bool mine = actor_is(t, o->to) || actor_is(t, t->s->holder);
        series = o->state == OFFER_IN_SERVICE && mine ? 0 : series;
    }
    return series != 0 ? session_interrupt(t, series) : offer_event(t);
}

static int clock_event(struct turn *t)
{
    return actor_is_broker(t) ? clock_fire(t)
                              : turn_fail(t, STO_E_NOT_ALLOWED, "only the broker keeps time");
}

static int of_shared(struct turn *t)
{
    return turn_fail(t, STO_E_WRONG_STATE, "'%s' goes to what cases share, not to a case",
                     event_kind_name(t->in->kind));
}

typedef int event_fn(struct turn *t);
static event_fn *const HANDLERS[] = {
    [EVENT_START] = case_start,
    [EVENT_OFFER] = handover_make_offer,
    [EVENT_TAKE_UP] = offer_event,
    [EVENT_REQUEST_INFO] = offer_event,
    [EVENT_GIVE_INFO] = offer_event,
    [EVENT_WAITLIST] = offer_event,
    [EVENT_PLACE_FREE] = offer_event,
    [EVENT_ACCEPT] = offer_event,
    [EVENT_DECLINE] = offer_event,
    [EVENT_REDIRECT] = offer_event,
    [EVENT_BOOK] = offer_event,
    [EVENT_NO_SHOW] = offer_event,
    [EVENT_MET] = offer_event,
    [EVENT_DISPUTE] = offer_event,
    [EVENT_CONFIRM_TAKEOVER] = offer_event,
    [EVENT_GIVE_BACK] = handover_give_back,
    [EVENT_REPORT] = report,
    [EVENT_WITHDRAW] = offer_event,
    [EVENT_CANCEL] = handover_cancel,
    [EVENT_CHECK_IN] = offer_event,
    [EVENT_START_SERVICE] = offer_event,
    [EVENT_INTERRUPT] = interrupt,
    [EVENT_ANSWER] = offer_event,
    [EVENT_CONFIRM_WITHDRAWN] = offer_event,
    [EVENT_ATTENDANCE] = offer_event,
    [EVENT_TASK_RESULT] = task_result,
    [EVENT_TASK_DECLINE] = task_decline,
    [EVENT_TASK_TAKE_UP] = task_take_up,
    [EVENT_MEETING_BOOK] = meeting_book,
    [EVENT_MEETING_NO_SHOW] = meeting_no_show,
    [EVENT_MESSAGE] = message,
    [EVENT_PANEL_ANSWER] = panel_answer,
    [EVENT_PANEL_POSTPONE] = panel_postpone,
    [EVENT_PLAN_PART] = plan_part,
    [EVENT_PLACE_ANSWER] = place_answer,
    [EVENT_CLIENT_LEFT] = client_event,
    [EVENT_CLIENT_MOVED] = client_event,
    [EVENT_CLIENT_DIED] = client_event,
    [EVENT_ASKED_FOR] = asked_for,
    [EVENT_CONSENT_GIVE] = consent_event,
    [EVENT_CONSENT_WITHDRAW] = consent_event,
    [EVENT_CONSENT_REFUSE] = consent_event,
    [EVENT_CORRECT] = correct,
    [EVENT_CLOSE] = close_by_holder,
    [EVENT_REASSIGN] = reassign,
    [EVENT_SUCCEED] = succeed,
    [EVENT_BASIS_LOST] = basis_lost,
    [EVENT_MIGRATE] = case_migrate,
    [EVENT_SESSION_RECORD] = of_shared,
    [EVENT_SESSION_MOVE] = of_shared,
    [EVENT_GROUP_OPEN] = of_shared,
    [EVENT_QUOTA_RETURN] = of_shared,
    [EVENT_CLOCK] = clock_event,
    [EVENT_MAIL] = mail_in,
    [EVENT_RESTARTED] = clocks_restarted,
    [EVENT_PARKED] = parked,
};

static int dispatch(struct turn *t)
{
    size_t k = (size_t)t->in->kind;
    if (k >= sizeof HANDLERS / sizeof HANDLERS[0] || !HANDLERS[k]) {
        return turn_fail(t, STO_E_MALFORMED, "event %d is not known", (int)t->in->kind);
    }
    return HANDLERS[k](t);
}

/* A stored state may be damaged, or another workflow's: nothing below looks again. */
static bool state_fits(const workflow_t *wf, const struct case_state *s)
{
    bool fits = s->right.step < wf->n_steps;
    for (unsigned i = 0; i < s->n_tokens && fits; i++) {
        const struct token *x = &s->tokens[i];
        fits = x->step < wf->n_steps && (x->parent == 0 || state_token(s, x->parent)) &&
               x->parent < x->id && x->host < x->id;
    }
    for (unsigned i = 0; i < s->n_offers && fits; i++) {
        fits = state_token(s, s->offers[i].token) != NULL;
    }
    for (unsigned i = 0; i < s->n_holdings && fits; i++) {
        fits = s->holdings[i].stage == 0 || state_token(s, s->holdings[i].stage);
    }
    return fits;
}

/* What may be asked at all: the case's status, and that the actor is somebody. */
static int admit(struct turn *t)
{
    enum event_kind k = t->in->kind;
    if (!actor_is_broker(t) && !network_org(t->net, t->in->actor.org)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "organisation %u is not in the network",
                         t->in->actor.org);
    }
    if (!state_fits(t->wf, t->s)) {
        return turn_fail(t, STO_E_INTERNAL, "the case's state does not fit workflow '%s'",
                         t->wf->id);
    }
    if (k == EVENT_START && t->s->status != CASE_NONE) {
        return turn_fail(t, STO_E_WRONG_STATE, "the case is open already");
    }
    if (k != EVENT_START && t->s->status == CASE_NONE) {
        return turn_fail(t, STO_E_UNKNOWN_CASE, "no such case");
    }
    if (t->s->status == CASE_CLOSED && k == EVENT_CLOCK) {
        return turn_fail(t, STO_E_WRONG_STATE, "no clock of a closed case is due");
    }
    return 0;
}

static int finish(struct turn *t)
{
    struct fact *f = t->out;
    sends_hush(t);
    f->after = t->s->holder;
    memcpy(f->workflow, t->s->workflow, sizeof f->workflow);
    struct sto_buf b;
    sto_buf_init(&b, 0);
    b.data = sto_xrealloc(NULL, OPS_FIRST_BYTES);
    b.cap = OPS_FIRST_BYTES;
    state_diff(t->before, t->s, &b, &f->n_ops);
    if (PLANT(15)) {
        f->seq += f->kind == EVENT_BOOK;
    }
    int rc = 0;
    f->ops_len = (uint32_t)b.len;
    f->ops = sto_arena_alloc(t->ctx->arena, b.len > 0 ? b.len : 1);
    if (!f->ops || f->n_ops > STO_FACT_OPS_MAX) {
        rc = turn_fail(t, STO_E_LIMIT, "the event changes more than a fact can hold");
    } else {
        memcpy(f->ops, b.data, b.len);
    }
    sto_buf_release(&b);
    return rc;
}

int engine_decide(const struct engine_ctx *ctx, const struct case_state *s, const struct input *in,
                  int64_t now_us, struct fact *out, struct sto_err *err)
{
    STO_ASSERT(ctx && ctx->net && ctx->wf && ctx->arena && s && in && out);
    struct case_state next = *s;
    struct turn t;
    memset(&t, 0, offsetof(struct turn, fresh_v));
    t.ctx = ctx;
    t.net = ctx->net;
    t.wf = ctx->wf;
    t.before = s;
    t.s = &next;
    t.in = in;
    t.now = now_us;
    t.today = sto_day_of_us(now_us);
    t.out = out;
    t.err = err;
    t.data = ctx->data;
    memset(out, 0, sizeof *out);
    out->kind = (uint8_t)in->kind;
    out->evidence = (uint8_t)(in->evidence ? in->evidence : EVIDENCE_BROKER);
    out->seq = s->seq + 1u;
    out->now_us = now_us;
    out->actor = in->actor;
    out->before = s->holder;
    out->reason = (uint8_t)in->reason;
    if (admit(&t) == 0) {
        if (s->status == CASE_CLOSED && in->kind != EVENT_PARKED) {
            turn_late(&t);
        } else {
            dispatch(&t);
        }
    }
    return t.rc ? t.rc : finish(&t);
}
