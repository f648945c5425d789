/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The steps' own insides: task, meeting, measure, decide, notify, wait. What negotiates,
 * shares or agrees stands by its noun: engine_handover.c, engine_offer.c, engine_session.c,
 * engine_place.c, engine_panel.c, engine_plan.c, engine_consent.c, engine_continue.c (ends).
 */
#include <string.h>

#include "turn.h"

/* ------------------------------------------------------------------ entering */

void work_send(struct turn *t, uint16_t id)
{
    const struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    uint64_t carries = w->carries;
    if (!must_holds(t, w, tok->at.org)) { /* nothing is sent: whoever is responsible must know */
        send_token(t, SEND_NOTICE, t->s->holder, tok);
        return;
    }
    struct send *x = send_token(t, SEND_TASK, tok->at, tok);
    x->due_us = within_due(t, id);
    x->at_us = token_of(t, id)->start_us;
    send_release(t, x, carries);
}

bool left_without_basis(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    if (must_holds(t, step_of(t, tok), tok->at.org) || !exit_named(t, tok, EXIT_NO_BASIS)) {
        return false;
    }
    tok->at = (struct party){0}; /* nobody has heard of it */
    tok->phase = 0;
    return walk_leave(t, id, EXIT_NO_BASIS);
}

static void enter_work(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    uint8_t who = step_addressee(w);
    struct party at = party_of(t, who);
    tok->at = at.org != 0 ? at : t->s->holder; /* nobody found: whoever is responsible */
    if (at.org != 0 && who < t->wf->n_roles && t->wf->roles[who].named_worker) {
        worker_set(tok->worker, t->s->roles[who].worker);
    }
    tok->phase = w->type == STEP_MEETING ? MEET_TO_BOOK : 0;
    if (left_without_basis(t, id)) {
        return;
    }
    within_or_default(t, id);
    sides_arm(t, id, t->now);
    holdings_occupy(t, id);
    work_send(t, id);
}

static void enter_decide(struct turn *t, uint16_t id)
{
    const struct wf_step *w = step_of(t, token_of(t, id));
    for (unsigned i = 0; i < w->n_rules; i++) {
        const struct wf_rule *r = &w->rules[i];
        /* The last rule stands for "otherwise", whatever it says. */
        if (i + 1u < w->n_rules && !condition_holds(t, r->when)) {
            continue;
        }
        struct wf_exit x = {.exit = EXIT_DONE, .kind = r->kind, .step = r->step, .leave = r->leave};
        walk_leave_to(t, id, &x);
        return;
    }
    walk_join(t, id);
}

static void enter_notify(struct turn *t, uint16_t id)
{
    const struct wf_step *w = step_of(t, token_of(t, id));
    bool kept_back = false;
    uint8_t all[PARTIES_MAX];
    unsigned n = parties_flat(t->wf, w->to, w->n_to, all);
    for (unsigned i = 0; i < n; i++) {
        struct party to = party_of(t, all[i]);
        if (to.org != 0 && !must_holds(t, w, to.org)) {
            kept_back = true;
        } else if (to.org != 0) {
            struct send *x = send_token(t, SEND_NOTICE, to, token_of(t, id));
            send_release(t, x, w->carries);
        }
    }
    if (kept_back && exit_named(t, token_of(t, id), EXIT_NO_BASIS)) {
        walk_leave(t, id, EXIT_NO_BASIS);
    } else if (!walk_leave(t, id, EXIT_DONE)) {
        walk_join(t, id);
    }
}

static void enter_wait(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    tok->at = t->s->holder;
    if (w->message != 0xff || w->n_within == 0) {
        within_or_default(t, id);
        sides_arm(t, id, t->now);
        return;
    }
    struct clock key = {.kind = CLOCK_WAIT, .token = id};
    const struct calendar *cal = network_calendar(t->net, tok->at.org, tok->at.desk);
    int64_t due_us = INT64_MAX;
    for (unsigned i = 0; i < w->n_within; i++) {
        int64_t at_us = when_due_us(t, &w->within[i], t->now, cal, false);
        due_us = at_us < due_us ? at_us : due_us;
    }
    clock_start_at(t, key, due_us, tok->at);
    sides_arm(t, id, t->now);
}

void step_enter(struct turn *t, uint16_t id)
{
    switch (step_of(t, token_of(t, id))->type) {
    case STEP_TASK:
    case STEP_MEETING:
    case STEP_MEASURE:
        enter_work(t, id);
        return;
    case STEP_HANDOVER:
    case STEP_REFERRAL:
    case STEP_CONSULT:
        handover_enter(t, id);
        return;
    case STEP_SESSION:
        session_enter(t, id);
        return;
    case STEP_PLACE:
        place_enter(t, id);
        return;
    case STEP_PANEL:
        panel_enter(t, id);
        return;
    case STEP_CONSENT:
        consent_enter(t, id);
        return;
    case STEP_PLAN:
        plan_enter(t, id);
        return;
    case STEP_DECIDE:
        enter_decide(t, id);
        return;
    case STEP_NOTIFY:
        enter_notify(t, id);
        return;
    case STEP_WAIT:
        enter_wait(t, id);
        return;
    case STEP_END:
        end_enter(t, id);
        return;
    case STEP_STAGE:
    case STEP_EACH:
    case STEP_CALL:
        return; /* walk_enter() */
    }
}

/* ------------------------------------------------------------------ exits that people choose */

bool exit_is_event(const workflow_t *wf, uint8_t exit)
{
    if (exit >= EXIT_CLIENT_LEFT && exit <= EXIT_ASKED_FOR) {
        return true;
    }
    const char *name = wf->exits[exit];
    for (unsigned i = 0; i < wf->n_messages; i++) {
        if (strcmp(name, wf->messages[i].id) == 0) {
            return true;
        }
    }
    for (unsigned i = 0; i < wf->n_consents; i++) {
        size_t n = strlen(wf->consents[i].id);
        if (strncmp(name, wf->consents[i].id, n) == 0 && strcmp(name + n, "-lost") == 0) {
            return true;
        }
    }
    return false;
}

bool exit_choosable(const workflow_t *wf, uint8_t exit)
{
    return exit == EXIT_DONE || exit == EXIT_HELD || (exit >= EXIT_GOT && !exit_is_event(wf, exit));
}

uint8_t exit_choose(struct turn *t, const struct wf_step *w)
{
    const char *name = t->in->exit ? t->in->exit : "";
    uint8_t only = EXIT_NONE;
    unsigned n = 0;
    for (unsigned i = 0; i < w->n_exits; i++) {
        uint8_t exit = w->exits[i].exit;
        if (exit_choosable(t->wf, exit)) {
            if (*name && strcmp(t->wf->exits[exit], name) == 0) {
                return exit;
            }
            only = exit;
            n++;
        }
    }
    if (!*name && n == 1) {
        return only;
    }
    if (!*name) {
        turn_fail(t, STO_E_UNKNOWN_NAME, "step '%s' has %u exits", w->id, n);
        turn_fix(t, "name the exit");
    } else {
        turn_fail(t, STO_E_UNKNOWN_NAME, "step '%s' has no exit '%s' that a person chooses", w->id,
                  name);
    }
    return EXIT_NONE;
}

/* ------------------------------------------------------------------ tasks and meetings */

int work_pick(struct turn *t, uint32_t types, struct token **tok)
{
    int rc = token_pick(t, types, tok);
    if (rc > 0) {
        return turn_late(t) ? t->rc : 1;
    }
    if (rc < 0) {
        return rc;
    }
    if (!PLANT(4) && !actor_is(t, (*tok)->at) && !actor_is(t, t->s->holder)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "the work of step '%s' is another organisation's",
                         step_of(t, *tok)->id);
    }
    turn_about(t, *tok, NULL);
    return 0;
}

void tell_holder(struct turn *t, uint16_t id)
{
    if (actor_is(t, t->s->holder)) {
        return;
    }
    struct send *x = send_token(t, SEND_UPDATE, t->s->holder, token_of(t, id));
    x->with_reason = true;
    send_release(t, x, t->fresh);
}

static void worker_keep(struct turn *t, const struct token *tok)
{
    uint8_t who = step_addressee(step_of(t, tok));
    if (who < t->wf->n_roles && t->wf->roles[who].named_worker && t->in->worker && *t->in->worker &&
        actor_is(t, t->s->roles[who].at)) {
        worker_set(t->s->roles[who].worker, t->in->worker);
    }
}

#define WORK (TYPE(STEP_TASK) | TYPE(STEP_MEETING) | TYPE(STEP_MEASURE))

/* What the result of the step may bring, and must: an instrument's answers always. */
static int result_fields(struct turn *t, const struct wf_step *w, const struct wf_exit *x)
{
    uint64_t measured =
        w->type == STEP_MEASURE && w->field < t->wf->n_fields ? UINT64_C(1) << w->field : 0;
    return fields_take(t, exit_allows(w, x) | measured, exit_requires(w, x) | measured);
}

int task_result(struct turn *t)
{
    struct token *tok = NULL;
    if (plan_is_meant(t)) {
        return plan_result(t);
    }
    int rc = work_pick(t, WORK | TYPE(STEP_PANEL), &tok);
    if (rc) {
        return rc < 0 ? rc : 0;
    }
    const struct wf_step *w = step_of(t, tok);
    uint16_t id = tok->id;
    if (w->type == STEP_PANEL && tok->phase != PANEL_ON_AGENDA && !PLANT(25)) {
        turn_fail(t, STO_E_WRONG_STATE, "the date of panel step '%s' has not come", w->id);
        turn_fix(t, "decide when the case stands on the agenda");
        return t->rc;
    }
    uint8_t exit = exit_choose(t, w);
    if (exit == EXIT_NONE) {
        return t->rc;
    }
    const struct wf_exit *x = workflow_step_exit(w, exit);
    worker_keep(t, tok);
    if (result_fields(t, w, x) || names_take(t, x->names)) {
        return t->rc;
    }
    tell_holder(t, id);
    if (!walk_leave(t, id, exit)) { /* a chosen "stay": the time begins anew */
        t->out->exit = exit;
        t->s->last_exit[w - t->wf->steps] = exit;
        within_or_default(t, id);
    }
    return t->rc;
}

int task_decline(struct turn *t)
{
    struct token *tok = NULL;
    int rc = work_pick(t, WORK, &tok);
    if (rc) {
        return rc < 0 ? rc : 0;
    }
    if (t->in->reason == REASON_NONE) {
        return turn_fail(t, STO_E_MISSING_REASON, "declining a task needs a reason");
    }
    uint16_t id = tok->id;
    tell_holder(t, id);
    if (exit_named(t, tok, EXIT_DECLINED) && walk_leave(t, id, EXIT_DECLINED)) {
        return t->rc;
    }
    walk_expire(t, id);
    return t->rc;
}

int task_take_up(struct turn *t)
{
    struct token *tok = NULL;
    int rc = work_pick(t, WORK, &tok);
    if (rc) {
        return rc < 0 ? rc : 0;
    }
    if (!t->in->worker || !*t->in->worker) {
        return turn_fail(t, STO_E_MISSING_FIELD, "say who takes the task up");
    }
    worker_set(tok->worker, t->in->worker);
    worker_keep(t, tok);
    return t->rc;
}

int meeting_book(struct turn *t)
{
    struct token *tok = NULL;
    int rc = work_pick(t, TYPE(STEP_MEETING), &tok);
    if (rc) {
        return rc < 0 ? rc : 0;
    }
    if (t->in->at_us <= 0 || t->in->at_us < t->now) {
        return turn_fail(t, STO_E_FIELD, "a meeting is booked for a time to come");
    }
    const struct wf_step *w = step_of(t, tok);
    tok->phase = MEET_BOOKED;
    tok->start_us = t->in->at_us;
    uint16_t id = tok->id;
    uint8_t all[PARTIES_MAX];
    unsigned n = parties_flat(t->wf, w->with, w->n_with, all);
    for (unsigned i = 0; i < n; i++) {
        struct party p = party_of(t, all[i]);
        if (p.org != 0 && !actor_is(t, p)) {
            struct send *x = send_token(t, SEND_NOTICE, p, token_of(t, id));
            x->at_us = t->in->at_us;
            send_release(t, x, w->carries);
        }
    }
    return t->rc;
}

int meeting_no_show(struct turn *t)
{
    struct token *tok = NULL;
    int rc = work_pick(t, TYPE(STEP_MEETING), &tok);
    if (rc) {
        return rc < 0 ? rc : 0;
    }
    if (tok->phase != MEET_BOOKED) {
        turn_fail(t, STO_E_WRONG_STATE, "no meeting of step '%s' is booked", step_of(t, tok)->id);
        turn_fix(t, "book it first");
        return t->rc;
    }
    uint16_t id = tok->id;
    tok->no_shows = (uint8_t)(tok->no_shows < UINT8_MAX ? tok->no_shows + 1 : tok->no_shows);
    tell_holder(t, id);
    /* A valid reason is no absence: the meeting is booked again. */
    if (!t->in->valid_reason && exit_named(t, token_of(t, id), EXIT_NO_SHOW) &&
        walk_leave(t, id, EXIT_NO_SHOW)) {
        return t->rc;
    }
    tok = token_of(t, id);
    tok->phase = MEET_TO_BOOK;
    tok->start_us = 0;
    return t->rc;
}

/* ------------------------------------------------------------------ mail */

int mail_in(struct turn *t)
{
    const struct mail *m = t->in->mail;
    if (!actor_is_broker(t) || !m) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "mail comes from an aggregate only");
    }
    const struct token *tok = token_find(t, m->token);
    if (m->kind == MAIL_PLACE_NONE && holding_lost(t, m)) {
        return t->rc;
    }
    if (!tok || tok->entry != m->entry || step_of(t, tok)->service != m->service) {
        return turn_late(t);
    }
    turn_about(t, tok, NULL);
    enum step_type type = step_of(t, tok)->type;
    if (type == STEP_SESSION) {
        return session_mail(t, tok->id);
    }
    if (type == STEP_PLACE) {
        return place_mail(t, tok->id);
    }
    return type == STEP_PANEL ? panel_mail(t, tok->id) : turn_late(t);
}
