/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One sentence for people: what the case waits for, since when, whose move it is, and
 * what happens next if nobody acts. From the state alone; it names no client content.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"

struct text {
    char *buf;
    size_t cap, len;
};

static void say(struct text *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct text *x, const char *fmt, ...)
{
    if (x->len + 1 >= x->cap) {
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(x->buf + x->len, x->cap - x->len, fmt, ap);
    va_end(ap);
    x->len += n > 0 ? (size_t)n : 0;
    x->len = x->len < x->cap ? x->len : x->cap - 1;
}

static const char *org_name(const network_t *net, uint16_t org)
{
    const struct organisation *o = network_org(net, org);
    return o ? o->id : "nobody";
}

/* The waiting step whose clock is due first, and that clock. */
static const struct token *first_waiting(const workflow_t *wf, const struct case_state *s,
                                         const struct clock **clock)
{
    const struct token *found = NULL;
    *clock = NULL;
    for (unsigned i = 0; i < s->n_clocks; i++) {
        const struct clock *c = &s->clocks[i];
        const struct token *t = state_token(s, c->token);
        bool waits = t && !step_is_stage(wf->steps[t->step].type) && c->kind != CLOCK_SIDE &&
                     c->kind != CLOCK_CAP && !c->paused;
        if (waits && (!*clock || c->due_us < (*clock)->due_us)) {
            *clock = c;
            found = t;
        }
    }
    for (unsigned i = 0; !found && i < s->n_tokens; i++) {
        found = !step_is_stage(wf->steps[s->tokens[i].step].type) ? &s->tokens[i] : NULL;
    }
    return found;
}

static const char *waits_for_offer(const struct wf_step *w, const struct token *t,
                                   const struct offer *o)
{
    if (!o) {
        return t->phase == HANDOVER_DRAFT ? "a receiver to be chosen"
               : t->phase == HANDOVER_TAKEN_OVER
                   ? "the loop to be closed"
                   : "the next offer, since the last one came to nothing";
    }
    switch ((enum offer_state)o->state) {
    case OFFER_OFFERED:
        return "an answer to the offer";
    case OFFER_IN_REVIEW:
        return "a decision on the offer";
    case OFFER_INFO_REQUESTED:
        return "an answer to the receiver's question";
    case OFFER_WAITLISTED:
        return "a place to become free";
    case OFFER_ACCEPTED:
        return w->type == STEP_REFERRAL  ? "the service to begin"
               : w->type == STEP_CONSULT ? "the answer"
                                         : "the joint meeting to be booked";
    case OFFER_BOOKED:
        return "the booked joint meeting";
    case OFFER_MET:
        return w->type == STEP_REFERRAL ? "the service to begin" : "the takeover to be confirmed";
    case OFFER_IN_SERVICE:
        return "the service's result";
    case OFFER_NONE:
    case OFFER_TAKEN_OVER:
    case OFFER_REPORTED:
    case OFFER_DECLINED:
    case OFFER_EXPIRED:
    case OFFER_WITHDRAWN:
    case OFFER_SUPERSEDED:
    case OFFER_NO_SHOW:
    case OFFER_INTERRUPTED:
        break;
    }
    return "the next step";
}

static const char *waits_for(const struct case_state *s, const struct wf_step *w,
                             const struct token *t, const struct offer *o)
{
    switch (w->type) {
    case STEP_TASK:
        return "the result of a task";
    case STEP_MEETING:
        return t->phase == MEET_BOOKED ? "a booked meeting" : "a meeting to be booked";
    case STEP_SESSION:
        if (w->meetings > 1 && t->marks != 0) {
            return "the series' next date and its attendance";
        }
        return t->phase == SEAT_INVITED ? "the session's date and its attendance"
                                        : "a seat on the next date";
    case STEP_WAIT:
        return w->message != 0xff ? "a message" : "a date";
    case STEP_END:
        return s->right.valid                  ? "the right of return to lapse"
               : w->continues && *w->continues ? "the next workflow, or the holder to close it"
                                               : "the holder to close it";
    case STEP_PANEL:
        return t->phase == PANEL_ON_AGENDA ? "the panel's decision"
               : t->phase == PANEL_ASKED   ? "the panel's date, and its members' answers"
               : t->start_us != 0          ? "the panel's date"
                                           : "a place on the panel's agenda";
    case STEP_PLACE:
        return t->phase == PLACE_OFFERED    ? "an answer to the offered place"
               : t->phase == PLACE_RESERVED ? "word of who gives the reserved place"
                                            : "a free place";
    case STEP_CONSENT:
        return "the client's consent or refusal";
    case STEP_MEASURE:
        return "an instrument to be filled in";
    case STEP_PLAN:
        return "the shared plan to be written and agreed";
    case STEP_HANDOVER:
    case STEP_REFERRAL:
    case STEP_CONSULT:
    case STEP_DECIDE:
    case STEP_NOTIFY:
    case STEP_STAGE:
    case STEP_EACH:
    case STEP_CALL:
        break;
    }
    return waits_for_offer(w, t, o);
}

static const char *what_then(const workflow_t *wf, const struct wf_step *w, const struct clock *c)
{
    const struct wf_exit *x;
    switch ((enum clock_kind)c->kind) {
    case CLOCK_ANSWER:
        return c->offer == 0 ? "the place is offered to the next"
                             : "the offer expires and returns to the sender";
    case CLOCK_DECIDE:
    case CLOCK_BOOK:
    case CLOCK_MEET:
    case CLOCK_CONFIRM:
    case CLOCK_START:
    case CLOCK_WAIT_MAX:
        return "the offer expires and returns to the sender";
    case CLOCK_CHECK_IN:
        return "the receiver is reminded that the place must be kept current";
    case CLOCK_INFO:
        return "the receiver decides without an answer";
    case CLOCK_DRAFT:
    case CLOCK_NEXT:
        return "the next in the ladder is told";
    case CLOCK_WITHIN:
        x = workflow_step_exit(w, EXIT_EXPIRED);
        if (x && x->kind == TARGET_STEP) {
            return wf->steps[x->step].id;
        }
        return x && x->kind != TARGET_STAY ? "this branch ends" : "the next in the ladder is told";
    case CLOCK_WAIT:
        return "the workflow goes on";
    case CLOCK_STABLE:
    case CLOCK_CAP:
    case CLOCK_SIDE:
    case CLOCK_CONSENT:
    case CLOCK_RECORD:
    case CLOCK_KINDS:
        break;
    }
    return "the workflow goes on";
}

static const struct offer *offer_shown(const struct case_state *s, const struct token *t,
                                       const struct clock *c)
{
    const struct offer *o = c && c->offer ? state_offer(s, c->offer) : NULL;
    for (unsigned i = 0; !o && i < s->n_offers; i++) {
        bool mine = s->offers[i].token == t->id && offer_live(s->offers[i].state);
        o = mine ? &s->offers[i] : NULL;
    }
    return o;
}

void engine_why(const network_t *net, const workflow_t *wf, const struct case_state *s, char *buf,
                size_t cap)
{
    struct text x = {.buf = buf, .cap = cap};
    char at[48];
    if (cap == 0) {
        return;
    }
    buf[0] = '\0';
    if (s->status != CASE_OPEN) {
        bool named = s->outcome_step < wf->n_steps;
        say(&x, s->status == CASE_NONE ? "There is no such case." : "The case was closed on %s",
            sto_us_format_fi(s->last_us, at, sizeof at));
        if (s->status == CASE_CLOSED) {
            say(&x, named ? " with outcome '%s'." : " by its holder.",
                named ? wf->steps[s->outcome_step].outcome : "");
        }
        return;
    }
    const struct clock *c = NULL;
    const struct token *t = first_waiting(wf, s, &c);
    if (!t) {
        say(&x, "%s is responsible; the case waits for nothing.", org_name(net, s->holder.org));
        return;
    }
    const struct wf_step *w = &wf->steps[t->step];
    const struct offer *o = offer_shown(s, t, c);
    struct party ball = o && c && c->offer ? (c->kind == CLOCK_INFO ? s->holder : o->to)
                                           : engine_ball(net, wf, s, t);
    say(&x, "The case waits at '%s' for %s since %s; the move is %s's, and %s is responsible",
        w->id, waits_for(s, w, t, o),
        sto_us_format_fi(o ? o->since_us : t->since_us, at, sizeof at), org_name(net, ball.org),
        org_name(net, s->holder.org));
    if (c) {
        const char *then = what_then(wf, w, c);
        bool step = c->kind == CLOCK_WITHIN && workflow_step(wf, then) != WF_NONE;
        say(&x, "; if nobody acts by %s, %s%s%s.", sto_us_format_fi(c->due_us, at, sizeof at),
            step ? "the case goes on to '" : "", then, step ? "'" : "");
    } else {
        say(&x, ".");
    }
}
