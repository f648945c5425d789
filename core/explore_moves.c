/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Explorer: what may happen in a state, and what it does. A clock may fire whenever it runs;
 * people, places and agendas may do anything that the step's type lets them, or nothing.
 */
#include <stdio.h>
#include <string.h>

#include "explore.h"
#include "turn.h"

#define BIT64(i) (UINT64_C(1) << (i))

struct list {
    const struct explore *x;
    const struct x_state *s;
    struct x_move *out;
    uint8_t *token;
    unsigned n;
};

static void put(struct list *l, unsigned token, struct x_move m)
{
    if (l->n < X_MOVES_MAX) {
        l->token[l->n] = (uint8_t)token;
        l->out[l->n++] = m;
    }
}

static void put_exit(struct list *l, unsigned t, unsigned exit, enum x_by by, bool off)
{
    struct x_move m = {.kind = X_MOVE_EXIT,
                       .step = l->s->t[t].step,
                       .exit = (uint8_t)exit,
                       .by = (uint8_t)by,
                       .off = off};
    put(l, t, m);
}

static void put_kind(struct list *l, unsigned t, enum x_move_kind kind, enum x_by by, bool off)
{
    struct x_move m = {
        .kind = (uint8_t)kind, .step = l->s->t[t].step, .by = (uint8_t)by, .off = off};
    put(l, t, m);
}

/* ------------------------------------------------------------------ steps */

static bool choosable(const workflow_t *w, unsigned exit)
{
    return exit == EXIT_DONE || exit == EXIT_HELD ||
           (exit >= EXIT_GOT && !exit_is_event(w, (uint8_t)exit));
}

static void work_moves(struct list *l, unsigned t, const struct wf_step *w)
{
    for (unsigned i = 0; i < w->n_exits; i++) {
        unsigned exit = w->exits[i].exit;
        if (exit == EXIT_NO_SHOW) {
            put_exit(l, t, exit, X_BY_CHANCE, false);
        } else if (exit == EXIT_DECLINED || exit == EXIT_NO_BASIS) {
            put_exit(l, t, exit, X_BY_REFUSAL, false);
        } else if (exit == EXIT_GOT || exit == EXIT_NONE_FREE) {
            put_exit(l, t, exit, w->type == STEP_PLACE ? X_BY_PLACE : X_BY_CHOICE, false);
        } else if (exit == EXIT_REFUSED && w->type == STEP_CONSENT) {
            put_exit(l, t, exit, X_BY_REFUSAL, false);
        } else if (choosable(l->x->w, exit)) {
            put_exit(l, t, exit, X_BY_CHOICE, false);
        }
    }
}

/* Fields that come while the step waits. */
static void data_moves(struct list *l, unsigned t, const struct wf_step *w)
{
    uint64_t fields = w->type == STEP_PANEL ? w->asks_for : w->type == STEP_PLAN ? w->collects : 0;
    for (unsigned f = 0; f < l->x->w->n_fields; f++) {
        if (fields & BIT64(f) && l->x->var_field[f] != X_NONE) {
            put_kind(l, t, X_MOVE_DATA, X_BY_CHOICE, false);
            return;
        }
    }
}

static void session_moves(struct list *l, unsigned t, const struct wf_step *w)
{
    static const uint8_t EXITS[] = {EXIT_ATTENDED, EXIT_EXCUSED, EXIT_ABSENT};
    for (unsigned i = 0; i < 3 && w->meetings <= 1; i++) {
        put_exit(l, t, EXITS[i], i == 0 ? X_BY_CHOICE : X_BY_CHANCE, false);
    }
    if (w->meetings > 1) {
        put_exit(l, t, EXIT_DONE, X_BY_CHOICE, false);
        put_kind(l, t, X_MOVE_INTERRUPT, X_BY_BREAK, true);
    }
}

/* An offer that comes to nothing, by whoever brings that about. */
static void return_moves(struct list *l, unsigned t, const struct wf_step *w)
{
    static const uint8_t EXITS[] = {EXIT_DECLINED, EXIT_WITHDRAWN, EXIT_NO_SHOW, EXIT_NO_BASIS};
    put_exit(l, t, EXIT_RETURNED, X_BY_CLOCK, true);
    if (w->type != STEP_REFERRAL && workflow_step_exit(w, EXIT_EXPIRED)) {
        put_exit(l, t, EXIT_EXPIRED, X_BY_CLOCK, true);
    }
    for (unsigned i = 0; i < sizeof EXITS; i++) {
        if (workflow_step_exit(w, EXITS[i])) {
            put_exit(l, t, EXITS[i], X_BY_REFUSAL, true);
        }
    }
    for (unsigned i = 0; i < w->n_exits; i++) { /* the holder calls it off */
        if (w->exits[i].exit >= EXIT_FIRST_OWN && !exit_is_event(l->x->w, w->exits[i].exit)) {
            put_exit(l, t, w->exits[i].exit, X_BY_CHOICE, true);
        }
    }
}

/* A result may be one of the step's own exits. */
static void result_moves(struct list *l, unsigned t, const struct wf_step *w)
{
    for (unsigned i = 0; i < w->n_exits; i++) {
        if (w->exits[i].exit >= EXIT_GOT && !exit_is_event(l->x->w, w->exits[i].exit)) {
            put_exit(l, t, w->exits[i].exit, X_BY_CHOICE, false);
        }
    }
}

static void referral_moves(struct list *l, unsigned t, const struct wf_step *w)
{
    if (!(l->s->t[t].flags & X_BEGUN)) {
        put_kind(l, t, X_MOVE_BEGIN, X_BY_CHOICE, false);
        return_moves(l, t, w);
        return;
    }
    put_exit(l, t, EXIT_DONE, X_BY_CHOICE, false);
    result_moves(l, t, w);
    put_kind(l, t, X_MOVE_INTERRUPT, X_BY_BREAK, true);
    put_exit(l, t, EXIT_EXPIRED, X_BY_CLOCK, false);
}

static bool holder_may_be(const struct list *l, unsigned party)
{
    unsigned role = l->s->holder % X_FORMER;
    return party >= l->x->w->n_roles || l->s->holder >= 2 * X_FORMER ||
           (l->x->overlap[party] >> role & 1);
}

static void own_moves(struct list *l, unsigned t, const struct wf_step *w)
{
    bool clock = w->type != STEP_HANDOVER && w->type != STEP_REFERRAL && w->type != STEP_CONSULT &&
                 (!step_is_stage(w->type) || w->n_within > 0);
    const struct wf_exit *expired = workflow_step_exit(w, EXIT_EXPIRED);
    clock = clock && !(step_is_stage(w->type) && (l->s->t[t].flags & X_BEGUN));
    if (clock && expired && expired->kind != TARGET_STAY) {
        put_exit(l, t, EXIT_EXPIRED, X_BY_CLOCK, false);
    }
    switch (w->type) {
    case STEP_TASK:
    case STEP_MEETING:
    case STEP_MEASURE:
    case STEP_PANEL:
    case STEP_PLACE:
    case STEP_CONSENT:
    case STEP_PLAN:
        work_moves(l, t, w);
        data_moves(l, t, w);
        return;
    case STEP_SESSION:
        session_moves(l, t, w);
        return;
    case STEP_HANDOVER:
        put_kind(l, t, X_MOVE_TAKE_OVER, X_BY_CHOICE, false);
        if (holder_may_be(l, w->to[0])) { /* it is offered to who is responsible already */
            put_exit(l, t, EXIT_TAKEN_OVER, X_BY_CHOICE, false);
        }
        return_moves(l, t, w);
        return;
    case STEP_REFERRAL:
        referral_moves(l, t, w);
        return;
    case STEP_CONSULT:
        put_exit(l, t, EXIT_ANSWERED, X_BY_CHOICE, false);
        result_moves(l, t, w);
        return_moves(l, t, w);
        return;
    case STEP_WAIT:
        if (w->message == 0xff) {
            put_exit(l, t, EXIT_DONE, X_BY_CLOCK, false);
        }
        return;
    case STEP_END:
        if (l->s->t[t].flags & X_HELD) {
            put_kind(l, t, X_MOVE_CLOSE, X_BY_CHOICE, false);
        }
        return;
    case STEP_DECIDE:
    case STEP_NOTIFY:
    case STEP_STAGE:
    case STEP_EACH:
    case STEP_CALL:
        return;
    }
}

/* ------------------------------------------------------------------ beside, inside units */

static bool side_once(const struct wf_step *side)
{
    return side->starts.kind != STARTS_EVERY && side->starts.kind != STARTS_EVENT;
}

static bool side_runs(const struct x_state *s, unsigned host, uint16_t step)
{
    for (unsigned i = 0; i < s->n; i++) {
        if ((s->t[i].flags & X_SIDE) && s->t[i].up == host && s->t[i].step == step) {
            return true;
        }
    }
    return false;
}

static void unit_moves(struct list *l, unsigned t, uint16_t first, bool branch)
{
    const struct x_unit *u = x_unit_at(l->x, first);
    for (unsigned i = 0; u && i < u->n_results; i++) {
        const struct x_result *r = &u->results[i];
        struct x_move m = {.kind = X_MOVE_UNIT, .step = (uint8_t)first, .exit = (uint8_t)i};
        if (r->kind == X_END_JOIN && !branch) {
            continue; /* what is beside is over: nothing changes */
        }
        m.by = r->by_clock ? X_BY_CLOCK : r->ok ? X_BY_CHOICE : X_BY_EVENT;
        put(l, t, m);
        if (r->by_clock && r->ok) {
            m.by = X_BY_CHOICE;
            put(l, t, m);
        }
        if (r->hot) {
            m.by = X_BY_BREAK;
            m.off = true;
            put(l, t, m);
        }
    }
}

static void side_moves(struct list *l, unsigned t, const uint16_t *sides, unsigned n,
                       unsigned fired)
{
    for (unsigned i = 0; i < n; i++) {
        const struct wf_step *side = &l->x->w->steps[sides[i]];
        unsigned event = side->starts.kind == STARTS_EVENT ? side->starts.event : 0;
        bool spread = event != 0 && event != WF_EVENT_INVITED && event != WF_EVENT_MOVED &&
                      event != WF_EVENT_ABSENT;
        if (x_unit_at(l->x, sides[i])) {
            unit_moves(l, t, sides[i], false);
        } else if (!spread && !side_runs(l->s, t, sides[i]) &&
                   !(side_once(side) && fired >> i & 1)) {
            struct x_move m = {.kind = X_MOVE_SIDE,
                               .step = (uint8_t)sides[i],
                               .exit = (uint8_t)i,
                               .by = event ? X_BY_EVENT : X_BY_CLOCK};
            put(l, t, m);
        }
    }
}

static void token_moves(struct list *l, unsigned t)
{
    const struct x_token *tok = &l->s->t[t];
    const struct wf_step *w = &l->x->w->steps[tok->step];
    own_moves(l, t, w);
    for (unsigned i = 0; tok->virt > 0 && i < w->n_first; i++) {
        unit_moves(l, t, w->first[i], true);
    }
    if (w->type != STEP_REFERRAL || (tok->flags & X_BEGUN)) {
        side_moves(l, t, w->sides, w->n_sides, tok->fired);
    }
}

/* ------------------------------------------------------------------ events of the case */

static bool starts_side(const workflow_t *w, const uint16_t *sides, unsigned n, unsigned event)
{
    for (unsigned i = 0; i < n; i++) {
        const struct wf_starts *x = &w->steps[sides[i]].starts;
        if (x->kind == STARTS_EVENT && x->event == event) {
            return true;
        }
    }
    return false;
}

static int exit_of_event(const workflow_t *w, unsigned event)
{
    char name[STO_NAME_BYTES_MAX + 8];
    if (event >= WF_EVENT_CONSENT_LOST_0) {
        (void)snprintf(name, sizeof name, "%s-lost",
                       w->consents[event - WF_EVENT_CONSENT_LOST_0].id);
        return workflow_exit(w, name);
    }
    if (event >= WF_EVENT_MESSAGE_0 && event - WF_EVENT_MESSAGE_0 < w->n_messages) {
        return workflow_exit(w, w->messages[event - WF_EVENT_MESSAGE_0].id);
    }
    return EXIT_CLIENT_LEFT + (int)event - WF_EVENT_CLIENT_LEFT;
}

static bool root_names(const workflow_t *w, int exit)
{
    for (unsigned i = 0; i < w->n_exits_on; i++) {
        if (w->exits_on[i].exit == exit && w->exits_on[i].kind == TARGET_STEP) {
            return true;
        }
    }
    return false;
}

static bool waits_for(const struct list *l, unsigned event)
{
    for (unsigned i = 0; event >= WF_EVENT_MESSAGE_0 && i < l->s->n; i++) {
        const struct wf_step *w = &l->x->w->steps[l->s->t[i].step];
        if (w->type == STEP_WAIT && w->message != 0xff &&
            w->message + (unsigned)WF_EVENT_MESSAGE_0 == event) {
            return true;
        }
    }
    return false;
}

static bool anybody_reacts(const struct list *l, const struct x_unit *u, unsigned event)
{
    const workflow_t *w = l->x->w;
    int exit = exit_of_event(w, event);
    if (u->first == WF_NONE &&
        (root_names(w, exit) || starts_side(w, w->sides, w->n_sides, event))) {
        return true;
    }
    for (unsigned i = 0; i < l->s->n; i++) {
        const struct wf_step *s = &w->steps[l->s->t[i].step];
        if ((exit > 0 && workflow_step_exit(s, (unsigned)exit)) ||
            starts_side(w, s->sides, s->n_sides, event)) {
            return true;
        }
    }
    return waits_for(l, event);
}

static void event_put(struct list *l, const struct x_unit *u, unsigned event)
{
    struct x_move m = {.kind = X_MOVE_EVENT, .step = (uint8_t)event, .by = X_BY_EVENT};
    if (!anybody_reacts(l, u, event)) {
        return;
    }
    unsigned ix = event - WF_EVENT_MESSAGE_0; /* of a message, or beyond all */
    if (ix >= l->x->w->n_messages) {
        put(l, X_ROOT, m);
        return;
    }
    const struct wf_message *message = &l->x->w->messages[ix];
    m.by = waits_for(l, event) ? X_BY_CHOICE : X_BY_EVENT;
    m.exit = EXIT_DONE;
    for (unsigned i = 0; i < message->n_answers; i++) {
        m.exit = message->answer_exits[i];
        put(l, X_ROOT, m);
    }
    if (message->n_answers == 0) {
        put(l, X_ROOT, m);
    }
}

static void event_moves(struct list *l, const struct x_unit *u)
{
    const workflow_t *w = l->x->w;
    for (unsigned e = WF_EVENT_CLIENT_LEFT; e <= WF_EVENT_ASKED_FOR; e++) {
        event_put(l, u, e);
    }
    for (unsigned i = 0; i < w->n_messages; i++) {
        event_put(l, u, WF_EVENT_MESSAGE_0 + i);
    }
    for (unsigned i = 0; i < w->n_consents; i++) {
        uint8_t var = l->x->var_consent[i];
        if (var == X_NONE) {
            event_put(l, u, WF_EVENT_CONSENT_LOST_0 + i);
            continue;
        }
        bool given = l->s->vars[var] == CONSENT_GIVEN;
        for (unsigned c = CONSENT_GIVEN; c <= CONSENT_LOST; c++) {
            struct x_move m = {
                .kind = X_MOVE_CONSENT, .step = (uint8_t)i, .exit = (uint8_t)c, .by = X_BY_EVENT};
            if ((c == CONSENT_LOST) == given) {
                put(l, X_ROOT, m);
            }
        }
    }
}

unsigned x_moves(const struct explore *x, const struct x_unit *u, const struct x_state *s,
                 struct x_move *out, uint8_t *token)
{
    struct list l = {.x = x, .s = s, .out = out, .token = token};
    const workflow_t *w = x->w;
    if (s->result) {
        return 0;
    }
    for (unsigned t = 0; t < s->n; t++) {
        token_moves(&l, t);
    }
    if (s->right != X_NONE) {
        put(&l, X_ROOT,
            (struct x_move){
                .kind = X_MOVE_GIVE_BACK, .step = s->right, .by = X_BY_REFUSAL, .off = true});
        put(&l, X_ROOT, (struct x_move){.kind = X_MOVE_LAPSE, .step = s->right, .by = X_BY_CLOCK});
    }
    if (u->first == WF_NONE) {
        for (unsigned i = 0; s->virt > 0 && i < w->n_first; i++) {
            unit_moves(&l, X_ROOT, w->first[i], true);
        }
        if (!(s->root & X_SIDES_OVER)) {
            side_moves(&l, X_ROOT, w->sides, w->n_sides, s->fired);
        }
        if (w->n_within > 0 && root_names(w, EXIT_EXPIRED) && !(s->root & X_WITHIN_OVER)) {
            put(&l, X_ROOT,
                (struct x_move){
                    .kind = X_MOVE_EXIT, .step = X_NONE, .exit = EXIT_EXPIRED, .by = X_BY_CLOCK});
        }
    }
    event_moves(&l, u);
    return l.n;
}

/* ------------------------------------------------------------------ what they do */

static const struct wf_step *at(const struct x_walk *k, unsigned t)
{
    return &k->x->w->steps[k->s->t[t].step];
}

static void apply_exit(struct x_walk *k, const struct x_move *m, unsigned t)
{
    if (m->step == X_NONE) {
        x_leave_root(k, EXIT_EXPIRED, false);
        return;
    }
    const struct wf_step *w = at(k, t);
    const struct wf_exit *e = x_exit_of(w, m->exit);
    bool silent = m->exit == EXIT_EXPIRED || m->off || w->type == STEP_HANDOVER ||
                  (w->type == STEP_WAIT && w->message == 0xff) || m->exit == EXIT_NO_SHOW ||
                  m->exit == EXIT_DECLINED || m->exit == EXIT_NO_BASIS ||
                  (w->type == STEP_PLAN && m->exit == EXIT_NOT_AGREED);
    if (w->type == STEP_CONSENT && (m->exit == EXIT_GIVEN || m->exit == EXIT_REFUSED) &&
        w->consent != 0xff && k->x->var_consent[w->consent] != X_NONE) {
        k->s->vars[k->x->var_consent[w->consent]] =
            m->exit == EXIT_GIVEN ? CONSENT_GIVEN : CONSENT_REFUSED;
    }
    if (!silent) {
        uint64_t own = e ? e->collects : 0, must = own ? own : w->collects;
        if (w->type == STEP_SESSION) { /* what the organiser records beside the attendance */
            must = 0;
        }
        x_collect(k, must, (w->collects | own | w->asks_for) & ~must);
        x_name(k, e ? e->names : 0);
    }
    bool came_to_nothing = m->off && w->type != STEP_SESSION;
    if (x_leave(k, t, m->exit) || k->lost) {
        return;
    }
    if (m->exit == EXIT_EXPIRED && w->type == STEP_REFERRAL) {
        x_leave(k, t, EXIT_RETURNED);
    } else if (came_to_nothing) { /* the handover stays with its holder, for the next offer */
        uint8_t var = k->x->var_exit[m->step];
        if (var != X_NONE) {
            k->s->vars[var] = EXIT_RETURNED;
        }
        k->s->t[t].flags &= X_SIDE | X_RIGHT | X_HOT;
    } else if (e == NULL) {
        x_join(k, t);
    }
}

static void apply_take_over(struct x_walk *k, unsigned t)
{
    const struct wf_step *w = at(k, t);
    for (unsigned i = 0; i < k->s->n; i++) {
        k->s->t[i].flags &= (uint8_t)~X_RIGHT;
    }
    k->s->t[t].flags |= X_RIGHT;
    k->s->right = k->s->t[t].step;
    k->s->back = k->s->holder;
    k->s->holder = (uint8_t)x_org_of(w->to[0]);
    if (w->to[0] < k->x->w->n_roles && k->x->var_bound[w->to[0]] != X_NONE) {
        k->s->vars[k->x->var_bound[w->to[0]]] = 1;
    }
    if (!x_leave(k, t, EXIT_TAKEN_OVER)) {
        x_join(k, t);
    }
}

static void apply_give_back(struct x_walk *k)
{
    uint16_t step = k->s->right;
    const struct wf_step *w = &k->x->w->steps[step];
    k->s->holder = k->s->back;
    k->s->right = X_NONE;
    k->s->back = 0;
    for (unsigned i = 0; i < k->s->n; i++) {
        bool end = at(k, i)->type == STEP_END && (k->s->t[i].flags & X_BEGUN);
        if (end && !(k->s->t[i].flags & X_RIGHT)) { /* must not close behind the client */
            k->s->t[i].flags = (uint8_t)((k->s->t[i].flags & ~X_BEGUN) | X_HELD);
        }
    }
    for (unsigned i = 0; i < k->s->n; i++) {
        if (!(k->s->t[i].flags & X_RIGHT)) {
            continue;
        }
        const struct wf_exit *e = workflow_step_exit(w, EXIT_GIVEN_BACK);
        e = e ? e : workflow_step_exit(w, EXIT_RETURNED);
        bool named = e && e->kind != TARGET_STAY;
        k->s->t[i].flags &= (uint8_t)~X_RIGHT;
        x_cancel_below(k, i);
        k->s->t[i].step = (uint8_t)step;
        k->s->t[i].flags &= X_SIDE | X_HOT;
        k->s->t[i].joined = k->s->t[i].fired = 0;
        if (named) {
            x_leave_to(k, i, e);
        }
        return;
    }
}

static void apply_lapse(struct x_walk *k)
{
    k->s->right = X_NONE;
    k->s->back = 0;
    for (unsigned i = 0; i < k->s->n; i++) {
        k->s->t[i].flags &= (uint8_t)~X_RIGHT;
    }
    for (unsigned i = 0; i < k->s->n; i++) {
        if (at(k, i)->type == STEP_END && (k->s->t[i].flags & X_BEGUN)) {
            x_end(k, X_END_CASE, k->s->t[i].step, 0, k->s->t[i].flags & X_HOT);
            return;
        }
    }
}

static void side_enter(struct x_walk *k, unsigned host, uint16_t step, unsigned i)
{
    if (x_unit_at(k->x, step) || side_runs(k->s, host, step)) {
        return;
    }
    if (side_once(&k->x->w->steps[step])) {
        uint8_t *fired = host == X_ROOT ? &k->s->fired : &k->s->t[host].fired;
        *fired |= (uint8_t)(1u << i);
    }
    unsigned t = x_token_new(k, host, true);
    if (t != X_NONE) {
        x_enter(k, t, step);
    }
}

static void sides_react(struct x_walk *k, unsigned host, unsigned event)
{
    const workflow_t *w = k->x->w;
    const uint16_t *sides = host == X_ROOT ? w->sides : at(k, host)->sides;
    unsigned n = host == X_ROOT ? w->n_sides : at(k, host)->n_sides;
    for (unsigned i = 0; i < n && !k->s->result; i++) {
        const struct wf_starts *x = &w->steps[sides[i]].starts;
        if (x->kind == STARTS_EVENT && x->event == event) {
            side_enter(k, host, sides[i], i);
        }
    }
}

/* Every open step that names the event reacts, outer first; an outer `on` makes the rest moot. */
static void spread(struct x_walk *k, unsigned event)
{
    int exit = exit_of_event(k->x->w, event);
    unsigned n = k->s->n;
    if (k->u->first == WF_NONE) {
        if (exit > 0 && x_leave_root(k, (unsigned)exit, false)) {
            return;
        }
        if (!(k->s->root & X_SIDES_OVER)) {
            sides_react(k, X_ROOT, event);
        }
    }
    for (unsigned i = 0; i < n && !k->s->result && !k->lost; i++) {
        if (k->s->t[i].step == X_NONE || k->entry[i] != 0) {
            continue;
        }
        const struct wf_step *w = at(k, i);
        if (exit > 0 && workflow_step_exit(w, (unsigned)exit)) {
            x_leave(k, i, (unsigned)exit);
        } else if (w->type != STEP_REFERRAL || (k->s->t[i].flags & X_BEGUN)) {
            sides_react(k, i, event);
        }
    }
}

static void apply_event(struct x_walk *k, const struct x_move *m)
{
    unsigned n = k->s->n;
    bool waits[X_TOKENS_MAX] = {0};
    uint64_t must = 0, may = 0;
    if (m->step >= WF_EVENT_MESSAGE_0 && m->step < WF_EVENT_CONSENT_LOST_0) {
        for (unsigned i = 0; i < n; i++) {
            const struct wf_step *w = at(k, i);
            const struct wf_exit *e = workflow_step_exit(w, m->exit);
            if (w->type == STEP_WAIT && w->message == m->step - WF_EVENT_MESSAGE_0) {
                waits[i] = true;
                must |= exit_requires(w, e);
                may |= exit_allows(w, e);
            }
        }
        x_collect(k, must, may & ~must);
    }
    spread(k, m->step);
    for (unsigned i = 0; i < n && !k->s->result; i++) {
        if (waits[i] && k->s->t[i].step != X_NONE && k->entry[i] == 0 && !x_leave(k, i, m->exit)) {
            x_leave(k, i, EXIT_DONE);
        }
    }
}

static void apply_unit(struct x_walk *k, const struct x_move *m, unsigned t)
{
    const struct x_unit *u = x_unit_at(k->x, m->step);
    const struct x_result *r = &u->results[m->exit];
    bool hot = m->off;
    if (r->kind == X_END_JOIN) {
        if (t == X_ROOT) {
            k->s->virt--;
            bool over = k->s->virt == 0;
            for (unsigned i = 0; i < k->s->n; i++) {
                over = over && (k->s->t[i].up != X_ROOT || (k->s->t[i].flags & X_SIDE));
            }
            if (over && !x_leave_root(k, EXIT_DONE, hot)) {
                x_end(k, X_END_EMPTY, WF_ROOT, 0, hot);
            }
            return;
        }
        k->s->t[t].virt--;
        x_stage_joined(k, t, hot);
        return;
    }
    for (unsigned i = t; i != X_ROOT; i = k->s->t[i].up) {
        if (k->s->t[i].step == r->of) {
            k->s->t[i].flags |= hot ? X_HOT : 0;
            x_leave(k, i, r->exit);
            return;
        }
    }
    if (r->of == WF_ROOT && k->u->first == WF_NONE) {
        x_leave_root(k, r->exit, hot);
    } else {
        x_end(k, X_END_LEAVE, r->of, r->exit, hot);
    }
}

static void apply_interrupt(struct x_walk *k, unsigned t)
{
    const struct wf_step *w = at(k, t);
    const struct wf_exit *e = workflow_step_exit(w, EXIT_INTERRUPTED);
    uint64_t must = e ? e->collects : 0;
    x_collect(k, must, (w->collects | must) & ~must);
    if (!x_leave_around(k, t, EXIT_INTERRUPTED) && !k->s->result && !x_leave(k, t, EXIT_RETURNED)) {
        k->s->t[t].flags &= (uint8_t)~X_BEGUN;
    }
}

/* The client's word, whoever asked for it: steps that wait for it have their answer. */
static void apply_consent(struct x_walk *k, const struct x_move *m)
{
    unsigned n = k->s->n;
    if (k->x->var_consent[m->step] != X_NONE) {
        k->s->vars[k->x->var_consent[m->step]] = m->exit;
    }
    if (m->exit == CONSENT_LOST) {
        spread(k, WF_EVENT_CONSENT_LOST_0 + m->step);
        return;
    }
    unsigned exit = m->exit == CONSENT_GIVEN ? EXIT_GIVEN : EXIT_REFUSED;
    for (unsigned i = 0; i < n && !k->s->result; i++) {
        bool asks = k->s->t[i].step != X_NONE && k->entry[i] == 0 &&
                    at(k, i)->type == STEP_CONSENT && at(k, i)->consent == m->step;
        if (asks && !x_leave(k, i, exit) && exit == EXIT_GIVEN) {
            x_join(k, i);
        }
    }
}

void x_apply(struct x_walk *k, const struct x_move *m, unsigned t)
{
    switch ((enum x_move_kind)m->kind) {
    case X_MOVE_EXIT:
        apply_exit(k, m, t);
        return;
    case X_MOVE_TAKE_OVER:
        apply_take_over(k, t);
        return;
    case X_MOVE_BEGIN:
        k->s->t[t].flags |= X_BEGUN;
        return;
    case X_MOVE_INTERRUPT:
        apply_interrupt(k, t);
        return;
    case X_MOVE_GIVE_BACK:
        apply_give_back(k);
        return;
    case X_MOVE_LAPSE:
        apply_lapse(k);
        return;
    case X_MOVE_SIDE:
        side_enter(k, t, m->step, m->exit);
        return;
    case X_MOVE_EVENT:
        apply_event(k, m);
        return;
    case X_MOVE_CONSENT:
        apply_consent(k, m);
        return;
    case X_MOVE_DATA:
        x_collect(k, 0, at(k, t)->type == STEP_PANEL ? at(k, t)->asks_for : at(k, t)->collects);
        return;
    case X_MOVE_UNIT:
        apply_unit(k, m, t);
        return;
    case X_MOVE_CLOSE:
        x_end(k, X_END_CASE, k->s->t[t].step, 0, false);
        return;
    case X_MOVE_START:
        return;
    }
}
