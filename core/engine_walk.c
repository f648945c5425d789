/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * How tokens walk: enter, leave, join, cancel; stages and what runs beside them.
 * Leaving takes along all that belongs to the step: what runs inside or beside it,
 * clocks, open work, offers not taken over, seats. What has happened stays, and
 * cancelling never moves responsibility.
 */
#include <string.h>

#include "turn.h"

struct token *token_find(struct turn *t, uint16_t id)
{
    unsigned i = token_place(t->s, id);
    return id != 0 && i < t->s->n_tokens && t->s->tokens[i].id == id ? &t->s->tokens[i] : NULL;
}

struct token *token_of(struct turn *t, uint16_t id)
{
    struct token *tok = token_find(t, id);
    STO_ASSERT(tok);
    return tok;
}

uint16_t token_new(struct turn *t, uint16_t parent, bool side, uint16_t host)
{
    if (t->s->n_tokens == STO_CASE_TOKENS_MAX || t->s->next_token == UINT16_MAX) {
        turn_fail(t, STO_E_LIMIT, "the case stands on more than %u steps", STO_CASE_TOKENS_MAX);
        return 0;
    }
    struct token tok;
    memset(&tok, 0, sizeof tok);
    tok.id = ++t->s->next_token;
    tok.parent = parent;
    tok.side = side;
    tok.host = host;
    token_put(t->s, &tok);
    return tok.id;
}

/* ------------------------------------------------------------------ cancelling */

/* What the token holds at its step goes; its addressee hears so if `tell`. */
static void release_work(struct turn *t, uint16_t id, bool tell)
{
    offers_end_all(t, id, OFFER_WITHDRAWN, REASON_WORKFLOW_WENT_ON);
    clocks_stop_token(t, id);
    holdings_free_stage(t, id);
    const struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    bool asked = w->type == STEP_PLACE ? tok->phase >= PLACE_OFFERED
                                       : tok->phase != 0 && tok->phase != SEAT_QUEUED;
    bool work =
        step_has_addressee(w) ||
        (asked && (w->type == STEP_SESSION || w->type == STEP_PANEL || w->type == STEP_PLACE));
    bool booked = w->type == STEP_MEETING && tok->phase == MEET_BOOKED;
    shared_release(t, id);
    tok = token_of(t, id);
    if (!tell || !work || tok->at.org == 0) {
        return;
    }
    if (!actor_is(t, tok->at)) {
        send_token(t, SEND_WITHDRAWN, tok->at, tok);
    }
    if (w->type == STEP_PANEL) {
        panel_release(t, id);
    }
    uint8_t all[PARTIES_MAX];
    unsigned n = parties_flat(t->wf, w->with, booked ? w->n_with : 0, all);
    for (unsigned i = 0; i < n; i++) {
        struct party p = party_known(t, all[i]);
        if (p.org != 0 && !party_same(p, tok->at)) {
            send_token(t, SEND_WITHDRAWN, p, token_of(t, id));
        }
    }
}

static void drop_offers_of(struct turn *t, uint16_t token)
{
    for (unsigned i = t->s->n_offers; i-- > 0;) {
        if (t->s->offers[i].token == token) {
            offer_drop_at(t->s, i);
        }
    }
}

static void token_gone(struct turn *t, uint16_t id)
{
    drop_offers_of(t, id);
    unsigned i = token_place(t->s, id);
    token_drop_at(t->s, i);
}

void walk_cancel_below(struct turn *t, uint16_t id)
{
    if (PLANT(3)) {
        return;
    }
    /* What stands below has a higher id than what it stands on, so going down skips nobody. */
    for (unsigned i = t->s->n_tokens; i-- > 0;) {
        const struct token *x = &t->s->tokens[i];
        if (x->side ? x->host == id : x->parent == id) {
            walk_cancel(t, x->id);
        }
    }
}

void walk_cancel(struct turn *t, uint16_t id)
{
    walk_cancel_below(t, id);
    if (token_find(t, id)) {
        release_work(t, id, true);
        token_gone(t, id);
    }
}

void walk_cancel_all(struct turn *t)
{
    while (t->s->n_tokens > 0) {
        walk_cancel(t, t->s->tokens[t->s->n_tokens - 1].id);
    }
    holdings_free_all(t);
    /* What hung on the workflow itself: its own time and what it would start. */
    for (unsigned i = t->s->n_clocks; i-- > 0;) {
        if (t->s->clocks[i].kind == CLOCK_SIDE && t->s->clocks[i].token == 0) {
            clock_drop_at(t->s, i);
        }
    }
}

/* ------------------------------------------------------------------ leaving */

const struct wf_exit *exit_named(const struct turn *t, const struct token *tok, uint8_t exit)
{
    return workflow_step_exit(step_of(t, tok), exit);
}

/* An exit the step does not name may have another of the same meaning. */
static uint8_t exit_fallback(uint8_t exit)
{
    switch (exit) {
    case EXIT_TAKEN_OVER:
    case EXIT_ANSWERED:
    case EXIT_HELD:
    case EXIT_ATTENDED:
        return EXIT_DONE;
    case EXIT_DECLINED:
        return EXIT_EXPIRED;
    case EXIT_EXCUSED:
        return EXIT_ABSENT;
    case EXIT_NONE_FREE:
        return EXIT_EXPIRED;
    case EXIT_REFUSED:
    case EXIT_NOT_AGREED:
        return EXIT_EXPIRED;
    case EXIT_GIVEN:
    case EXIT_AGREED:
    case EXIT_GOT:
        return EXIT_DONE;
    case EXIT_GIVEN_BACK:
        return EXIT_RETURNED;
    default:
        return EXIT_NONE;
    }
}

static void go(struct turn *t, uint16_t id, const struct wf_exit *x);

/* The own `on` of a called workflow: the call stays, all inside goes, one of its steps begins. */
static void go_inside(struct turn *t, uint16_t id, const struct wf_exit *x)
{
    if (x->step == WF_NONE) {
        (void)walk_leave(t, id, x->leave);
        return;
    }
    walk_cancel_below(t, id);
    holdings_free_stage(t, id);
    for (unsigned i = t->s->n_clocks; i-- > 0;) {
        const struct clock *c = &t->s->clocks[i];
        if (c->token == id &&
            (c->kind == CLOCK_SIDE || (c->kind == CLOCK_WITHIN && x->exit == EXIT_EXPIRED))) {
            clock_drop_at(t->s, i);
        }
    }
    token_of(t, id)->joined = 0;
    if (t->out->exit == EXIT_NONE) {
        t->out->exit = x->exit;
    }
    uint16_t inside = token_new(t, id, false, 0);
    if (inside != 0) {
        walk_enter(t, inside, x->step);
    }
}

static void leave(struct turn *t, uint16_t id, const struct wf_exit *x)
{
    if (x->kind == TARGET_INSIDE) {
        go_inside(t, id, x);
        return;
    }
    const struct token *tok = token_of(t, id);
    bool tell = !actor_is(t, tok->at);
    t->s->last_exit[tok->step] = x->exit;
    if (t->out->exit == EXIT_NONE) {
        t->out->exit = x->exit;
    }
    walk_cancel_below(t, id);
    release_work(t, id, tell);
    struct token *left = token_of(t, id);
    left->phase = 0;
    left->at = (struct party){0}; /* nobody works here any more: nothing is released twice */
    go(t, id, x);
}

void walk_leave_to(struct turn *t, uint16_t id, const struct wf_exit *x)
{
    leave(t, id, x);
}

bool walk_leave(struct turn *t, uint16_t id, uint8_t exit)
{
    const struct token *tok = token_find(t, id);
    if (t->rc || !tok) {
        return true;
    }
    const struct wf_exit *x = exit_named(t, tok, exit);
    while (!x && exit != EXIT_NONE) {
        exit = exit_fallback(exit);
        x = exit != EXIT_NONE ? exit_named(t, tok, exit) : NULL;
    }
    if (!x || x->kind == TARGET_STAY) {
        return false;
    }
    leave(t, id, x);
    return true;
}

bool walk_leave_root(struct turn *t, uint8_t exit)
{
    for (unsigned i = 0; i < t->wf->n_exits_on; i++) {
        const struct wf_exit *x = &t->wf->exits_on[i];
        if (x->exit == exit && x->kind == TARGET_STEP) {
            walk_cancel_all(t);
            if (exit == EXIT_EXPIRED) {
                clock_stop(t, CLOCK_WITHIN, 0, 0);
            }
            uint16_t id = token_new(t, 0, false, 0);
            walk_enter(t, id, x->step);
            return true;
        }
    }
    return false;
}

/* Leave what holds the token by an exit; what names none lets the token join instead. */
static void leave_around(struct turn *t, uint16_t id, uint8_t exit)
{
    const struct token *tok = token_of(t, id);
    uint16_t around = tok->side ? tok->host : tok->parent;
    if (around == 0 ? !walk_leave_root(t, exit) : !walk_leave(t, around, exit)) {
        walk_join(t, id);
    }
}

static void go(struct turn *t, uint16_t id, const struct wf_exit *x)
{
    switch (x->kind) {
    case TARGET_STEP:
        walk_enter(t, id, x->step);
        return;
    case TARGET_JOIN:
        walk_join(t, id);
        return;
    case TARGET_LEAVE:
        leave_around(t, id, x->leave);
        return;
    case TARGET_STAY:
    case TARGET_INSIDE: /* never left: leave() */
        return;
    }
}

static unsigned branches_of(const struct case_state *s, uint16_t stage)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_tokens; i++) {
        n += s->tokens[i].parent == stage && !s->tokens[i].side;
    }
    return n;
}

/* Of an each only the branches that were entered count. */
static unsigned joins_wanted(const struct wf_step *w, const struct token *stage)
{
    unsigned entered =
        w->type == STEP_EACH ? (unsigned)__builtin_popcount(stage->marks) : w->n_first;
    return w->wait_for > 0 && w->wait_for < entered ? w->wait_for : entered;
}

void walk_join(struct turn *t, uint16_t id)
{
    const struct token *tok = token_of(t, id);
    uint16_t parent = tok->parent;
    bool side = tok->side;
    walk_cancel(t, id);
    if (side) {
        return;
    }
    struct token *stage = token_find(t, parent);
    if (!stage) { /* the outermost stage: when all have joined, the case has run out of steps */
        if (branches_of(t->s, 0) == 0 && !walk_leave_root(t, EXIT_DONE)) {
            case_close(t, CLOSED_WITHOUT_END);
        }
        return;
    }
    stage->joined++;
    unsigned want = joins_wanted(step_of(t, stage), stage);
    if ((stage->joined >= want || branches_of(t->s, parent) == 0) &&
        !walk_leave(t, parent, EXIT_DONE)) {
        walk_join(t, parent);
    }
}

bool walk_leave_around(struct turn *t, uint16_t id, uint8_t exit)
{
    for (const struct token *tok = token_find(t, id); tok;) {
        if (exit_named(t, tok, exit)) {
            return walk_leave(t, tok->id, exit);
        }
        tok = token_find(t, tok->side ? tok->host : tok->parent);
    }
    return walk_leave_root(t, exit);
}

/* ------------------------------------------------------------------ entering */

static bool step_inside(const workflow_t *wf, uint16_t step, uint16_t stage)
{
    for (unsigned guard = 0; guard < STO_WF_STEPS_MAX && step < wf->n_steps; guard++) {
        const struct wf_step *w = &wf->steps[step];
        if (w->stage == stage || w->host == stage) {
            return true;
        }
        step = w->host < wf->n_steps ? w->host : w->stage;
    }
    return false;
}

/* A stage entered anew: its steps have not been left and not been counted. */
static void stage_forget(struct turn *t, uint16_t stage)
{
    for (uint16_t i = 0; i < t->wf->n_steps; i++) {
        if ((t->s->last_exit[i] || t->s->entries[i]) && step_inside(t->wf, i, stage)) {
            t->s->last_exit[i] = EXIT_NONE;
            t->s->entries[i] = 0;
        }
    }
}

void walk_enter_first(struct turn *t, uint16_t parent, const uint16_t *first, unsigned n)
{
    uint16_t ids[WF_FIRST_MAX];
    const struct token *stage = token_find(t, parent);
    uint16_t entry = stage ? stage->entry : 0;
    /* All stand there before the first one moves, so that one that joins at once is not the last.
     */
    for (unsigned i = 0; i < n; i++) {
        ids[i] = token_new(t, parent, false, 0);
        if (ids[i] == 0) {
            return;
        }
        token_of(t, ids[i])->step = first[i];
    }
    for (unsigned i = 0; i < n && !t->rc && t->s->status == CASE_OPEN; i++) {
        stage = token_find(t, parent);
        if (parent != 0 && (!stage || stage->entry != entry)) {
            return; /* an earlier branch has left the stage at once */
        }
        walk_enter(t, ids[i], first[i]);
    }
}

/* One branch for each organisation that the role has; none = done at once. */
static void enter_each(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    uint16_t first[WF_FIRST_MAX];
    unsigned n = 0;
    for (unsigned k = 0; k < w->n_first; k++) {
        unsigned role = w->over + k + 1u;
        bool bound = role < t->wf->n_roles && t->s->roles[role].at.org != 0;
        if (bound || PLANT(27)) {
            tok->marks |= UINT32_C(1) << k;
            first[n++] = w->first[k];
        }
    }
    if (n > 0) {
        walk_enter_first(t, id, first, n);
    } else if (!walk_leave(t, id, EXIT_DONE)) {
        walk_join(t, id);
    }
}

/* Whoever starts a called workflow is who is the holder as it is called. */
static void bind_starters(struct turn *t, uint16_t call)
{
    for (unsigned k = 0; k < t->wf->n_roles; k++) {
        if (t->wf->roles[k].call == call) {
            memset(&t->s->roles[k], 0, sizeof t->s->roles[k]);
            t->s->roles[k].at = t->s->holder;
        }
    }
}

static void enter_stage(struct turn *t, uint16_t id)
{
    const struct wf_step *w = step_of(t, token_of(t, id));
    stage_forget(t, (uint16_t)(w - t->wf->steps));
    if (w->type == STEP_CALL) {
        bind_starters(t, (uint16_t)(w - t->wf->steps));
    }
    within_start(t, id, t->now);
    sides_arm(t, id, t->now);
    if (kept_take(t, id)) {
        return;
    }
    if (w->type == STEP_EACH) {
        enter_each(t, id);
    } else {
        walk_enter_first(t, id, w->first, w->n_first);
    }
}

void walk_enter(struct turn *t, uint16_t id, uint16_t step)
{
    struct token *tok = token_find(t, id);
    if (t->rc || !tok) {
        return;
    }
    if (++t->entered > STO_INSTANT_STEPS_MAX) {
        turn_fail(t, STO_E_LIMIT, "more than %u steps in one event: the workflow goes in a circle",
                  STO_INSTANT_STEPS_MAX);
        return;
    }
    const struct wf_step *w = &t->wf->steps[step];
    tok->step = step;
    tok->entry++;
    tok->phase = 0;
    tok->joined = 0;
    tok->no_shows = 0;
    tok->at = (struct party){0};
    tok->offer = 0;
    worker_set(tok->worker, NULL);
    tok->since_us = t->now;
    tok->start_us = 0;
    tok->count = 0;
    tok->marks = 0;
    if (t->s->entries[step] < UINT8_MAX) {
        t->s->entries[step]++;
    }
    int64_t at_most = wf_number(w->at_most, w->at_most_setting, t->s->settings);
    if (at_most > 0 && t->s->entries[step] > at_most && walk_leave(t, id, EXIT_TOO_OFTEN)) {
        return;
    }
    if (step_is_stage(w->type)) {
        enter_stage(t, id);
        return;
    }
    uint16_t entry = tok->entry;
    step_enter(t, id);
    tok = token_find(t, id);
    if (tok && tok->entry == entry && !t->rc && t->s->status == CASE_OPEN) {
        kept_take(t, id);
    }
}

/* ------------------------------------------------------------------ beside, time */

void side_start(struct turn *t, uint16_t host, unsigned side)
{
    const struct token *tok = state_token(t->s, host);
    const uint16_t *sides = tok ? step_of(t, tok)->sides : t->wf->sides;
    unsigned n = tok ? step_of(t, tok)->n_sides : t->wf->n_sides;
    if (side >= n || (host != 0 && !tok)) {
        return;
    }
    const struct wf_step *w = &t->wf->steps[sides[side]];
    uint16_t parent = tok ? tok->parent : 0;
    if (w->starts.kind == STARTS_EVERY) {
        struct clock key = {.kind = CLOCK_SIDE, .token = host, .side = (uint8_t)side};
        clock_start(t, key, t->now, starts_duration(t, &w->starts), clock_ball(t, &key));
    }
    for (unsigned i = 0; i < t->s->n_tokens; i++) {
        const struct token *x = &t->s->tokens[i];
        if (x->side && x->host == host && x->step == sides[side]) {
            return; /* one of a kind: noted by the fact itself */
        }
    }
    uint16_t id = token_new(t, parent, true, host);
    if (id != 0) {
        walk_enter(t, id, sides[side]);
    }
}

static void expire_root(struct turn *t)
{
    struct clock c = {.kind = CLOCK_WITHIN};
    struct clock *at = clock_find(t, CLOCK_WITHIN, 0, 0, 0);
    c = at ? *at : c;
    if (!walk_leave_root(t, EXIT_EXPIRED)) {
        clock_climb(t, c);
    }
}

void walk_expire(struct turn *t, uint16_t id)
{
    const struct token *tok = token_find(t, id);
    if (id == 0) {
        expire_root(t);
        return;
    }
    if (!tok) {
        return;
    }
    const struct wf_step *w = step_of(t, tok);
    if (w->type == STEP_HANDOVER || w->type == STEP_REFERRAL || w->type == STEP_CONSULT) {
        bool served = tok->start_us != 0;
        offers_end_all(t, id, OFFER_EXPIRED, REASON_NO_ANSWER);
        clock_stop(t, CLOCK_WITHIN, id, 0);
        if (!served || !walk_leave(t, id, EXIT_EXPIRED)) {
            handover_returned(t, id, EXIT_RETURNED);
        }
        return;
    }
    struct clock *c = clock_find(t, CLOCK_WITHIN, id, 0, 0);
    struct clock was = c ? *c : (struct clock){.kind = CLOCK_WITHIN, .token = id};
    if (!walk_leave(t, id, EXIT_EXPIRED)) {
        clock_climb(t, was); /* silence closes nothing: the step stays */
        shared_wish(t, id);
    }
}

/* ------------------------------------------------------------------ picking */

static bool pick_fits(const struct turn *t, const struct token *tok, uint32_t types)
{
    const struct wf_step *w = step_of(t, tok);
    if (!(types >> w->type & 1)) {
        return false;
    }
    if (t->in->token == 0 && !actor_is(t, tok->at) && !actor_is(t, t->s->holder)) {
        return false;
    }
    const char *exit = t->in->kind == EVENT_TASK_RESULT ? t->in->exit : NULL;
    if (t->in->token == 0 && exit && *exit) {
        int ix = workflow_exit(t->wf, exit);
        return ix > 0 && workflow_step_exit(w, (unsigned)ix);
    }
    return true;
}

int token_pick(struct turn *t, uint32_t types, struct token **out)
{
    const struct input *in = t->in;
    struct token *found = NULL;
    if (in->token != 0) {
        found = token_find(t, in->token);
        if (!found || (in->entry != 0 && found->entry != in->entry)) {
            if (in->token > t->s->next_token || (found && in->entry > found->entry)) {
                return turn_fail(t, STO_E_UNKNOWN_STEP, "the case has no task %u", in->token);
            }
            return 1;
        }
        if (!pick_fits(t, found, types)) {
            return turn_fail(t, STO_E_WRONG_STATE, "'%s' does not fit step '%s'",
                             event_kind_name(in->kind), step_of(t, found)->id);
        }
        *out = found;
        return 0;
    }
    /* The actor's own work comes before what the holder could record for others. */
    unsigned n[2] = {0, 0};
    struct token *first[2] = {NULL, NULL};
    for (unsigned i = 0; i < t->s->n_tokens; i++) {
        if (pick_fits(t, &t->s->tokens[i], types)) {
            unsigned other = !actor_is(t, t->s->tokens[i].at);
            first[other] = n[other]++ == 0 ? &t->s->tokens[i] : first[other];
        }
    }
    found = first[0] ? first[0] : first[1];
    if (n[first[0] ? 0 : 1] > 1) {
        turn_fail(t, STO_E_UNKNOWN_STEP, "more than one task fits '%s'", event_kind_name(in->kind));
        turn_fix(t, "name the task");
        return t->rc;
    }
    if (!found) {
        return turn_fail(t, STO_E_WRONG_STATE, "no task of the case fits '%s' now",
                         event_kind_name(in->kind));
    }
    *out = found;
    return 0;
}
