/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What could happen now: events that some organisation could make in this state. For
 * the explorers of the tests and for people who ask. Fields, names and times that an
 * event also needs are the caller's to add. Clocks and mail are not listed.
 */
#include "turn.h"

struct list {
    struct possible *out;
    unsigned n, cap;
};

static void add(struct list *l, enum event_kind kind, struct party actor, const struct token *t,
                uint16_t offer, uint8_t exit)
{
    if (l->n < l->cap) {
        l->out[l->n++] = (struct possible){.kind = kind,
                                           .actor = actor,
                                           .token = t ? t->id : 0,
                                           .entry = t ? t->entry : 0,
                                           .offer = offer,
                                           .exit = exit};
    }
}

static void of_offer(struct list *l, const workflow_t *wf, const struct case_state *s,
                     const struct offer *o)
{
    const struct token *t = state_token(s, o->token);
    for (unsigned k = EVENT_TAKE_UP; k <= EVENT_CONFIRM_WITHDRAWN; k++) {
        if (!offer_event_is((enum event_kind)k)) {
            continue;
        }
        if (offer_may(wf, s, o, (enum event_kind)k, o->to.org, k == EVENT_WITHDRAW)) {
            add(l, (enum event_kind)k, o->to, t, o->id, EXIT_NONE);
        }
        if (o->to.org != s->holder.org &&
            offer_may(wf, s, o, (enum event_kind)k, s->holder.org, false)) {
            add(l, (enum event_kind)k, s->holder, t, o->id, EXIT_NONE);
        }
    }
}

static void of_work(struct list *l, const workflow_t *wf, const struct token *t)
{
    const struct wf_step *w = &wf->steps[t->step];
    for (unsigned i = 0; i < w->n_exits; i++) {
        uint8_t exit = w->exits[i].exit;
        if (exit == EXIT_DONE || exit == EXIT_HELD ||
            (exit >= EXIT_FIRST_OWN && !exit_is_event(wf, exit))) {
            add(l, EVENT_TASK_RESULT, t->at, t, 0, exit);
        }
    }
    add(l, EVENT_TASK_DECLINE, t->at, t, 0, EXIT_NONE);
    add(l, EVENT_TASK_TAKE_UP, t->at, t, 0, EXIT_NONE);
    if (w->type == STEP_MEETING) {
        add(l, EVENT_MEETING_BOOK, t->at, t, 0, EXIT_NONE);
        if (t->phase == MEET_BOOKED) {
            add(l, EVENT_MEETING_NO_SHOW, t->at, t, 0, EXIT_NONE);
        }
    }
}

static void of_token(struct list *l, const workflow_t *wf, const struct case_state *s,
                     const struct token *t)
{
    const struct wf_step *w = &wf->steps[t->step];
    bool negotiation =
        w->type == STEP_HANDOVER || w->type == STEP_REFERRAL || w->type == STEP_CONSULT;
    if (w->type == STEP_TASK || w->type == STEP_MEETING) {
        of_work(l, wf, t);
    }
    if (negotiation && (t->phase == HANDOVER_DRAFT || t->phase == HANDOVER_NEGOTIATING ||
                        t->phase == HANDOVER_RETURNED)) {
        add(l, EVENT_OFFER, s->holder, t, 0, EXIT_NONE);
    }
    if (negotiation && (t->phase == HANDOVER_DRAFT || t->phase == HANDOVER_RETURNED ||
                        t->phase == HANDOVER_CANCELLED)) {
        add(l, EVENT_CANCEL, s->holder, t, 0, EXIT_NONE);
    }
    if (w->type == STEP_WAIT && w->message != 0xff) {
        const struct wf_message *m = &wf->messages[w->message];
        for (unsigned i = 0; i < (m->n_answers > 0 ? m->n_answers : 1u); i++) {
            add(l, EVENT_MESSAGE, s->holder, t, 0,
                m->n_answers > 0 ? m->answer_exits[i] : EXIT_NONE);
        }
    }
}

unsigned engine_possible(const network_t *net, const workflow_t *wf, const struct case_state *s,
                         struct possible *out, unsigned cap)
{
    (void)net;
    struct list l = {.out = out, .cap = cap};
    if (s->status != CASE_OPEN) {
        return 0;
    }
    for (unsigned i = 0; i < s->n_tokens; i++) {
        of_token(&l, wf, s, &s->tokens[i]);
    }
    for (unsigned i = 0; i < s->n_offers; i++) {
        of_offer(&l, wf, s, &s->offers[i]);
    }
    if (s->right.valid) {
        add(&l, EVENT_GIVE_BACK, s->holder, NULL, s->right.offer, EXIT_NONE);
        add(&l, EVENT_REPORT, s->holder, NULL, s->right.offer, EXIT_NONE);
    }
    static const enum event_kind of_holder[] = {EVENT_CLIENT_LEFT, EVENT_CLIENT_MOVED,
                                                EVENT_CLIENT_DIED, EVENT_CLOSE};
    for (unsigned i = 0; i < sizeof of_holder / sizeof of_holder[0]; i++) {
        add(&l, of_holder[i], s->holder, NULL, 0, EXIT_NONE);
    }
    for (unsigned i = 0; i < wf->n_consents; i++) {
        add(&l, s->consents[i].state == CONSENT_GIVEN ? EVENT_CONSENT_WITHDRAW : EVENT_CONSENT_GIVE,
            s->holder, NULL, 0, (uint8_t)i);
    }
    return l.n;
}
