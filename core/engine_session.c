/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Sessions as a case sees them: queued, invited, recorded; a series counts its dates.
 * Who has a seat on which date is the aggregate's (session.c); it is reached by mail.
 */
#include <string.h>

#include "turn.h"

bool session_is_series(const struct wf_step *w)
{
    return w->type == STEP_SESSION && w->meetings > 1;
}

uint16_t session_dates(const struct turn *t, const struct wf_step *w)
{
    int64_t n = wf_number(w->meetings, w->meetings_setting, t->s->settings);
    return n > 1 && n <= UINT16_MAX ? (uint16_t)n : 1;
}

void session_enter(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    struct party role = party_of(t, w->role), organiser = service_party(t, w->service);
    tok->at = organiser.org != 0 ? organiser : role.org != 0 ? role : t->s->holder;
    if (left_without_basis(t, id)) {
        return;
    }
    token_of(t, id)->phase = SEAT_QUEUED;
    within_or_default(t, id);
    sides_arm(t, id, t->now);
    holdings_occupy(t, id);
    shared_wish(t, id);
}

static void seat_tell(struct turn *t, uint16_t id, int64_t at_us)
{
    const struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    if (must_holds(t, w, tok->at.org)) {
        struct send *x = send_token(t, SEND_NOTICE, tok->at, tok);
        x->at_us = at_us;
        send_release(t, x, w->carries);
    }
    if (t->s->holder.org != token_of(t, id)->at.org) {
        send_token(t, SEND_NOTICE, t->s->holder, token_of(t, id))->at_us = at_us;
    }
}

static int invited(struct turn *t, uint16_t id, const struct mail *m)
{
    struct token *tok = token_of(t, id);
    tok->phase = m->at_us != 0 ? SEAT_INVITED : SEAT_QUEUED;
    tok->start_us = m->at_us;
    if (m->at_us != 0) {
        within_reach(t, id, m->service, m->at_us);
    }
    seat_tell(t, id, m->at_us);
    sides_take(t, id, m->kind == MAIL_SEAT_MOVED ? WF_EVENT_MOVED : WF_EVENT_INVITED);
    return t->rc;
}

/* The series begins with its first date: its time and what stands beside it count from there. */
static void series_begin(struct turn *t, uint16_t id, int64_t date_us)
{
    within_start(t, id, date_us);
    const struct clock *c = clock_find(t, CLOCK_WITHIN, id, 0, 0);
    if (c && c->due_us <= t->now) { /* recorded long after: the step still has to be left */
        within_reach(t, id, step_of(t, token_of(t, id))->service, t->now);
    }
    sides_arm(t, id, date_us);
}

/* One date of a series; dates_left as the aggregate says. */
static void date_recorded(struct turn *t, uint16_t id, const struct mail *m)
{
    struct token *tok = token_of(t, id);
    bool first = tok->phase != SEAT_RECORDED && tok->count == 0 && tok->marks == 0;
    tok->marks = 1; /* the series has begun */
    tok->count = (uint16_t)(tok->count + (m->exit == EXIT_ATTENDED && tok->count < UINT16_MAX));
    tok->start_us = 0;
    if (m->n == 0) {
        tok->phase = SEAT_RECORDED;
        if (!walk_leave(t, id, EXIT_DONE)) {
            walk_join(t, id);
        }
        return;
    }
    if (first) {
        series_begin(t, id, m->at_us > 0 && m->at_us < t->now ? m->at_us : t->now);
    }
    if (m->exit == EXIT_ABSENT) {
        sides_take(t, id, WF_EVENT_ABSENT);
    }
}

static void seat_recorded(struct turn *t, uint16_t id, uint8_t exit)
{
    struct token *tok = token_of(t, id);
    tok->phase = SEAT_RECORDED;
    const struct wf_exit *x = exit_named(t, tok, exit);
    if (x && x->kind == TARGET_STAY) {
        walk_enter(t, id, tok->step);
    } else if (!walk_leave(t, id, exit)) {
        walk_join(t, id);
    }
}

int session_mail(struct turn *t, uint16_t id)
{
    const struct mail *m = t->in->mail;
    if (m->kind == MAIL_SEAT_INVITED || m->kind == MAIL_SEAT_MOVED) {
        return invited(t, id, m);
    }
    if (m->kind != MAIL_SEAT_RECORDED) {
        return turn_fail(t, STO_E_MALFORMED, "a session step takes no mail of kind %u", m->kind);
    }
    if (m->exit != EXIT_ATTENDED && m->exit != EXIT_EXCUSED && m->exit != EXIT_ABSENT) {
        return turn_fail(t, STO_E_MALFORMED, "attendance %u is not known", m->exit);
    }
    if (session_is_series(step_of(t, token_of(t, id)))) {
        date_recorded(t, id, m);
    } else {
        seat_recorded(t, id, m->exit);
    }
    return t->rc;
}

int session_interrupt(struct turn *t, uint16_t id)
{
    const struct token *tok = token_of(t, id);
    const struct wf_exit *x = exit_named(t, tok, EXIT_INTERRUPTED);
    turn_about(t, tok, NULL);
    if (!actor_is(t, tok->at) && !actor_is(t, t->s->holder)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "the series is another organisation's");
    }
    bool came = tok->phase == SEAT_INVITED && tok->start_us != 0 && tok->start_us <= t->now;
    if (tok->marks == 0 && !came) {
        turn_fail(t, STO_E_WRONG_STATE, "the series of step '%s' has not begun",
                  step_of(t, tok)->id);
        turn_fix(t, "no date of it has been held");
        return t->rc;
    }
    if (t->in->reason == REASON_NONE) {
        return turn_fail(t, STO_E_MISSING_REASON, "interrupting a series needs a coded reason");
    }
    if (fields_take(t, x ? x->collects : 0, x ? x->collects : 0)) {
        return t->rc;
    }
    tell_holder(t, id);
    holdings_break(t, id);
    if (!walk_leave_around(t, id, EXIT_INTERRUPTED)) {
        walk_expire(t, id);
    }
    return t->rc;
}
