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
    for (unsigned k = EVENT_TAKE_UP; k <= EVENT_ATTENDANCE; k++) {
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
        if (exit_choosable(wf, exit)) {
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

static void of_panel(struct list *l, const network_t *net, const workflow_t *wf,
                     const struct token *t)
{
    const struct wf_step *w = &wf->steps[t->step];
    for (unsigned i = 0; t->phase == PANEL_ON_AGENDA && i < w->n_exits; i++) {
        if (exit_choosable(wf, w->exits[i].exit)) {
            add(l, EVENT_TASK_RESULT, t->at, t, 0, w->exits[i].exit);
        }
    }
    if (t->phase == PANEL_ON_AGENDA) {
        add(l, EVENT_PANEL_POSTPONE, t->at, t, 0, EXIT_NONE);
    }
    const struct service *v = network_service(net, w->service);
    for (unsigned k = 0; w->n_asks == 0 && v && k < v->n_members; k++) {
        if (t->marks >> (16 + k) & 1 && !(t->marks >> k & 1)) {
            add(l, EVENT_PANEL_ANSWER, org_party(net, v->members[k], NULL), t, 0, EXIT_NONE);
        }
    }
}

static void of_asked(struct list *l, const workflow_t *wf, const struct case_state *s,
                     const struct token *t)
{
    const struct wf_step *w = &wf->steps[t->step];
    uint8_t all[PARTIES_MAX];
    unsigned n = parties_flat(wf, w->asks, w->n_asks, all);
    for (unsigned k = 0; k < n && k < 16; k++) {
        uint8_t who = all[k];
        struct party p = who < STO_WF_ROLES_MAX ? s->roles[who].at : s->holder;
        if (t->marks >> (16 + k) & 1 && !(t->marks >> k & 1)) {
            add(l, EVENT_PANEL_ANSWER, p, t, 0, EXIT_NONE);
        }
    }
}

/* Whoever writes or agrees; what it could not write is refused as anybody's would be. */
static void of_plan(struct list *l, const workflow_t *wf, const struct case_state *s,
                    const struct token *t)
{
    const struct wf_step *w = &wf->steps[t->step];
    for (unsigned i = 0; i < w->n_parts; i++) {
        uint8_t who = w->parts[i].party;
        add(l, EVENT_PLAN_PART, who < STO_WF_ROLES_MAX ? s->roles[who].at : s->holder, t, 0,
            EXIT_NONE);
    }
    uint8_t all[PARTIES_MAX];
    unsigned n = parties_flat(wf, w->agreed_by, w->n_agreed_by, all);
    for (unsigned i = 0; i < n; i++) {
        uint8_t who = all[i];
        struct party p = who < STO_WF_ROLES_MAX ? s->roles[who].at : s->holder;
        add(l, EVENT_TASK_RESULT, p, t, 0, EXIT_AGREED);
        add(l, EVENT_TASK_RESULT, p, t, 0, EXIT_NOT_AGREED);
    }
}

static void of_place(struct list *l, const struct token *t)
{
    if (t->phase == PLACE_OFFERED || t->phase == PLACE_RESERVED) {
        add(l, EVENT_PLACE_ANSWER, t->at, t, 0, EXIT_GOT);
        add(l, EVENT_PLACE_ANSWER, t->at, t, 0, EXIT_DECLINED);
    }
}

/* What only steps of the later kinds take. */
static void of_shared(struct list *l, const network_t *net, const workflow_t *wf,
                      const struct case_state *s, const struct token *t)
{
    const struct wf_step *w = &wf->steps[t->step];
    if (w->type == STEP_PANEL) {
        of_panel(l, net, wf, t);
        of_asked(l, wf, s, t);
    } else if (w->type == STEP_PLACE) {
        of_place(l, t);
    } else if (w->type == STEP_PLAN) {
        of_plan(l, wf, s, t);
    } else if (w->type == STEP_CONSENT && w->consent < wf->n_consents) {
        add(l, EVENT_CONSENT_GIVE, t->at, t, 0, w->consent);
        add(l, EVENT_CONSENT_REFUSE, t->at, t, 0, w->consent);
    } else if (session_is_series(w)) {
        add(l, EVENT_INTERRUPT, t->at, t, 0, EXIT_NONE);
    }
}

static void of_token(struct list *l, const workflow_t *wf, const struct case_state *s,
                     const struct token *t)
{
    const struct wf_step *w = &wf->steps[t->step];
    bool negotiation =
        w->type == STEP_HANDOVER || w->type == STEP_REFERRAL || w->type == STEP_CONSULT;
    if (step_is_work(w->type)) {
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
    struct list l = {.out = out, .cap = cap};
    if (s->status != CASE_OPEN) {
        return 0;
    }
    for (unsigned i = 0; i < s->n_tokens; i++) {
        of_token(&l, wf, s, &s->tokens[i]);
        of_shared(&l, net, wf, s, &s->tokens[i]);
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
    bool client = wf->subject == SUBJECT_CLIENT;
    for (unsigned i = client ? 0 : 3; i < sizeof of_holder / sizeof of_holder[0]; i++) {
        add(&l, of_holder[i], s->holder, NULL, 0, EXIT_NONE);
    }
    for (unsigned i = 0; i < wf->n_consents; i++) {
        add(&l, s->consents[i].state == CONSENT_GIVEN ? EVENT_CONSENT_WITHDRAW : EVENT_CONSENT_GIVE,
            s->holder, NULL, 0, (uint8_t)i);
    }
    return l.n;
}
