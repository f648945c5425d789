/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Explorer: how tokens walk, as engine_walk.c does it: enter, leave, join, cancel. A token keeps
 * its place in the array for the whole walk (step X_NONE = gone), so that a place is its identity.
 */
#include <string.h>

#include "explore.h"

#define ENTERED_MAX 256u
#define BIT64(i)    (UINT64_C(1) << (i))

static const struct wf_step *step_of(const struct x_walk *k, unsigned t)
{
    return &k->x->w->steps[k->s->t[t].step];
}

static bool alive(const struct x_walk *k, unsigned t)
{
    return t < k->s->n && k->s->t[t].step != X_NONE;
}

void x_issue_tell(struct x_walk *k, enum x_issue_kind kind, uint16_t step, uint16_t ref, int line)
{
    struct x_issue issue = {.kind = (uint8_t)kind, .step = step, .ref = ref, .line = line};
    k->x->on_issue(k->x->arg, k->x, k->u, k->from, k->m, &issue);
}

static void var_set(struct x_walk *k, uint8_t var, unsigned value)
{
    if (var != X_NONE) {
        k->s->vars[var] = (uint8_t)value;
    }
}

unsigned x_token_new(struct x_walk *k, unsigned up, bool side)
{
    unsigned i = 0;
    while (i < k->s->n && (k->s->t[i].step != X_NONE || k->entry[i] != 0)) {
        i++; /* a place that was used in this walk is not used again */
    }
    if (i == X_TOKENS_MAX) {
        k->lost = true;
        return X_NONE;
    }
    k->s->n = i == k->s->n ? (uint8_t)(i + 1) : k->s->n;
    k->s->t[i] = (struct x_token){
        .step = X_NONE, .up = (uint8_t)up, .flags = side ? (uint8_t)X_SIDE : (uint8_t)0};
    k->entry[i] = 1;
    return i;
}

/* ------------------------------------------------------------------ cancelling */

void x_cancel_below(struct x_walk *k, unsigned t)
{
    bool gone[X_TOKENS_MAX] = {0};
    gone[t] = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (unsigned i = 0; i < k->s->n; i++) {
            if (alive(k, i) && !gone[i] && k->s->t[i].up != X_ROOT && gone[k->s->t[i].up]) {
                gone[i] = changed = true;
            }
        }
    }
    for (unsigned i = 0; i < k->s->n; i++) {
        if (i != t && gone[i] && alive(k, i)) {
            k->s->t[i].step = X_NONE;
            k->entry[i] = 1;
        }
    }
    k->s->t[t].virt = 0;
}

static void cancel(struct x_walk *k, unsigned t)
{
    x_cancel_below(k, t);
    k->s->t[t].step = X_NONE;
    k->entry[t] = 1;
}

static void cancel_all(struct x_walk *k)
{
    for (unsigned i = 0; i < k->s->n; i++) {
        k->s->t[i].step = X_NONE;
        k->entry[i] = 1;
    }
    k->s->virt = 0;
    k->s->root |= X_SIDES_OVER;
}

/* ------------------------------------------------------------------ ends of the unit */

void x_end(struct x_walk *k, enum x_end_kind kind, uint16_t of, unsigned exit, bool hot)
{
    struct x_unit *u = k->u;
    unsigned i = 0;
    while (i < u->n_results &&
           (u->results[i].kind != kind || u->results[i].of != of || u->results[i].exit != exit)) {
        i++;
    }
    if (i == X_RESULTS) {
        k->lost = true;
        return;
    }
    if (i == u->n_results) {
        u->results[u->n_results++] =
            (struct x_result){.kind = (uint8_t)kind, .of = of, .exit = (uint8_t)exit};
    }
    u->results[i].hot = u->results[i].hot || hot;
    if (hot && (kind == X_END_CASE || kind == X_END_EMPTY)) {
        x_issue_tell(k, X_ISSUE_ENDS_ALONE, of, 0, 0);
    }
    memset(k->s, 0, sizeof *k->s);
    k->s->right = X_NONE;
    k->s->result = (uint8_t)(i + 1);
    memset(k->entry, 0, sizeof k->entry);
}

/* ------------------------------------------------------------------ leaving */

static unsigned fallback(unsigned exit)
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
    case EXIT_GIVEN_BACK:
        return EXIT_RETURNED;
    default:
        return EXIT_NONE;
    }
}

const struct wf_exit *x_exit_of(const struct wf_step *w, unsigned exit)
{
    const struct wf_exit *e = workflow_step_exit(w, exit);
    while (!e && exit != EXIT_NONE) {
        exit = fallback(exit);
        e = exit != EXIT_NONE ? workflow_step_exit(w, exit) : NULL;
    }
    return e;
}

static const struct wf_exit *root_exit(const workflow_t *w, unsigned exit)
{
    for (unsigned i = 0; i < w->n_exits_on; i++) {
        if (w->exits_on[i].exit == exit && w->exits_on[i].kind == TARGET_STEP) {
            return &w->exits_on[i];
        }
    }
    return NULL;
}

bool x_leave_root(struct x_walk *k, unsigned exit, bool hot)
{
    const struct wf_exit *e = root_exit(k->x->w, exit);
    if (!e) {
        return false;
    }
    if (k->u->first != WF_NONE) {
        x_end(k, X_END_LEAVE, WF_ROOT, exit, hot);
        return true;
    }
    cancel_all(k);
    if (exit == EXIT_EXPIRED) {
        k->s->root |= X_WITHIN_OVER;
    }
    unsigned t = x_token_new(k, X_ROOT, false);
    if (t != X_NONE) {
        k->s->t[t].flags |= hot ? X_HOT : 0;
        x_enter(k, t, e->step);
    }
    return true;
}

/* An exit of what holds the unit itself. */
static bool leave_container(struct x_walk *k, uint16_t of, unsigned exit, bool hot)
{
    if (of == WF_ROOT) {
        return x_leave_root(k, exit, hot);
    }
    const struct wf_exit *e = x_exit_of(&k->x->w->steps[of], exit);
    if (!e || e->kind == TARGET_STAY) {
        return false;
    }
    x_end(k, X_END_LEAVE, of, exit, hot);
    return true;
}

static void leave_around(struct x_walk *k, unsigned t, unsigned exit)
{
    unsigned up = k->s->t[t].up;
    bool hot = k->s->t[t].flags & X_HOT;
    bool left;
    if (up == X_ROOT) {
        left = leave_container(k, k->u->container, exit, hot);
    } else {
        uint8_t flags = k->s->t[up].flags;
        k->s->t[up].flags |= hot ? X_HOT : 0;
        left = x_leave(k, up, exit);
        if (!left) {
            k->s->t[up].flags = flags;
        }
    }
    if (!left) {
        x_join(k, t);
    }
}

/* The own `on` of a called workflow: the call stays, one of its steps begins. */
static void go_inside(struct x_walk *k, unsigned t, const struct wf_exit *e)
{
    if (e->step == WF_NONE) {
        (void)x_leave(k, t, e->leave);
        return;
    }
    x_cancel_below(k, t);
    k->s->t[t].joined = 0;
    k->s->t[t].flags |= e->exit == EXIT_EXPIRED ? X_BEGUN : 0; /* its clock is over */
    unsigned inside = x_token_new(k, t, false);
    if (inside != X_NONE) {
        x_enter(k, inside, e->step);
    }
}

void x_leave_to(struct x_walk *k, unsigned t, const struct wf_exit *e)
{
    uint16_t step = k->s->t[t].step;
    if (e->kind == TARGET_INSIDE) {
        x_bit_set(k->x->taken[step], e->exit);
        go_inside(k, t, e);
        return;
    }
    var_set(k, k->x->var_exit[step], e->exit);
    x_bit_set(k->x->taken[step], e->exit);
    x_cancel_below(k, t);
    k->s->t[t].flags &= X_SIDE | X_RIGHT | X_HOT;
    switch (e->kind) {
    case TARGET_STEP:
        x_enter(k, t, e->step);
        return;
    case TARGET_JOIN:
        x_join(k, t);
        return;
    case TARGET_LEAVE:
        leave_around(k, t, e->leave);
        return;
    case TARGET_STAY:
    case TARGET_INSIDE:
        return;
    }
}

bool x_leave(struct x_walk *k, unsigned t, unsigned exit)
{
    if (k->lost || !alive(k, t)) {
        return true;
    }
    const struct wf_exit *e = x_exit_of(step_of(k, t), exit);
    if (!e || e->kind == TARGET_STAY) {
        return false;
    }
    x_leave_to(k, t, e);
    return true;
}

static unsigned branches_of(const struct x_walk *k, unsigned up)
{
    unsigned n = 0;
    for (unsigned i = 0; i < k->s->n; i++) {
        n += alive(k, i) && k->s->t[i].up == up && !(k->s->t[i].flags & X_SIDE);
    }
    return n;
}

void x_stage_joined(struct x_walk *k, unsigned stage, bool hot)
{
    const struct wf_step *w = step_of(k, stage);
    unsigned want = w->wait_for > 0 ? w->wait_for : w->n_first;
    struct x_token *s = &k->s->t[stage];
    s->joined++;
    if (s->joined < want && branches_of(k, stage) + s->virt > 0) {
        return;
    }
    s->flags |= hot ? X_HOT : 0;
    if (!x_leave(k, stage, EXIT_DONE)) {
        x_join(k, stage);
    }
}

void x_join(struct x_walk *k, unsigned t)
{
    uint8_t up = k->s->t[t].up;
    bool side = k->s->t[t].flags & X_SIDE, hot = k->s->t[t].flags & X_HOT;
    cancel(k, t);
    if (up == X_ROOT && k->u->first != WF_NONE &&
        (!side || k->u->side)) { /* the unit's own token */
        x_end(k, X_END_JOIN, k->u->container, EXIT_DONE, hot);
    } else if (up == X_ROOT && !side) {
        if (branches_of(k, X_ROOT) + k->s->virt == 0 && !x_leave_root(k, EXIT_DONE, hot)) {
            x_end(k, X_END_EMPTY, WF_ROOT, 0, hot);
        }
    } else if (!side) {
        x_stage_joined(k, up, hot);
    }
}

bool x_leave_around(struct x_walk *k, unsigned t, unsigned exit)
{
    bool hot = k->s->t[t].flags & X_HOT;
    for (unsigned at = t; at != X_ROOT; at = k->s->t[at].up) {
        if (workflow_step_exit(step_of(k, at), exit)) {
            k->s->t[at].flags |= hot ? X_HOT : 0;
            return x_leave(k, at, exit);
        }
    }
    const workflow_t *w = k->x->w;
    for (uint16_t of = k->u->first != WF_NONE ? k->u->container : WF_ROOT; of != WF_ROOT;) {
        const struct wf_step *s = &w->steps[of];
        if (workflow_step_exit(s, exit)) {
            return leave_container(k, of, exit, hot);
        }
        of = s->host != WF_NONE ? s->host : s->stage;
    }
    return x_leave_root(k, exit, hot);
}

/* ------------------------------------------------------------------ data and parties */

static void field_set(struct x_walk *k, unsigned f, bool must)
{
    uint8_t var = k->x->var_field[f];
    if (var == X_NONE) {
        return;
    }
    const struct x_var *v = &k->x->vars[var];
    unsigned values[256], n = 0;
    if (!must) {
        values[n++] = k->s->vars[var];
    }
    for (unsigned c = 1; c <= v->n_values && c < 255; c++) {
        if (v->kind != X_VAR_FIELD || c >= sizeof v->possible || v->possible[c]) {
            values[n++] = c;
        }
    }
    k->s->vars[var] = n > 0 ? (uint8_t)values[x_choose(k->o, n) % n] : 1;
}

void x_collect(struct x_walk *k, uint64_t must, uint64_t may)
{
    for (unsigned f = 0; f < k->x->w->n_fields; f++) {
        if ((must | may) & BIT64(f)) {
            field_set(k, f, must & BIT64(f));
        }
    }
}

static bool org_role(unsigned org, unsigned *role)
{
    *role = org % X_FORMER;
    return org < 2 * X_FORMER;
}

/* A role named anew: whom it stood for stays responsible where it was. */
void x_name(struct x_walk *k, uint32_t roles)
{
    for (unsigned r = 0; r < k->x->w->n_roles; r++) {
        if (!(roles >> r & 1)) {
            continue;
        }
        for (unsigned b = 0; b <= k->x->w->roles[r].many; b++) { /* those of an each follow */
            var_set(k, k->x->var_bound[r + b], 1);
        }
        bool stands = k->s->holder == r || (k->s->right != X_NONE && k->s->back == r);
        if (stands && x_choose(k->o, 2) == 1) {
            k->s->holder = k->s->holder == r ? (uint8_t)(r + X_FORMER) : k->s->holder;
            k->s->back =
                k->s->right != X_NONE && k->s->back == r ? (uint8_t)(r + X_FORMER) : k->s->back;
        }
    }
}

unsigned x_org_of(unsigned party)
{
    return party < X_FORMER ? party : X_SENDER;
}

/* Is that party who is responsible now? */
bool x_same_org(struct x_walk *k, unsigned party)
{
    unsigned role = 0;
    if (party == PARTY_HOLDER || k->s->holder == party) {
        return true;
    }
    if (party >= k->x->w->n_roles || !org_role(k->s->holder, &role)) {
        return x_choose(k->o, 2) == 1;
    }
    if (k->s->holder == party + X_FORMER || !(k->x->overlap[party] >> role & 1)) {
        return false;
    }
    return x_choose(k->o, 2) == 1;
}

/* ------------------------------------------------------------------ entering */

static void forget(struct x_walk *k, uint16_t stage)
{
    for (uint16_t i = 0; i < k->x->w->n_steps; i++) {
        if (i != stage && (k->x->var_exit[i] != X_NONE || k->x->var_count[i] != X_NONE) &&
            x_inside(k->x->w, i, stage)) {
            var_set(k, k->x->var_exit[i], 0);
            var_set(k, k->x->var_count[i], 0);
        }
    }
}

static void enter_stage(struct x_walk *k, unsigned t)
{
    const struct wf_step *w = step_of(k, t);
    uint16_t step = k->s->t[t].step;
    unsigned n = w->n_first;
    forget(k, step);
    if (w->type == STEP_EACH) {
        n = x_choose(k->o, n < 2 ? n + 1 : 3);
        if (n == 0) {
            if (!x_leave(k, t, EXIT_DONE)) {
                x_join(k, t);
            }
            return;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        k->s->t[t].virt = (uint8_t)(k->s->t[t].virt + (x_unit_at(k->x, w->first[i]) != NULL));
    }
    uint16_t entry = k->entry[t];
    for (unsigned i = 0; i < n && !k->lost; i++) {
        if (x_unit_at(k->x, w->first[i])) {
            continue;
        }
        unsigned b = x_token_new(k, t, false);
        if (b != X_NONE) {
            x_enter(k, b, w->first[i]);
        }
        if (k->s->result || !alive(k, t) || k->entry[t] != entry) {
            return; /* an earlier branch has left the stage at once */
        }
    }
}

static void enter_decide(struct x_walk *k, unsigned t)
{
    const struct wf_step *w = step_of(k, t);
    uint16_t step = k->s->t[t].step;
    for (unsigned i = 0; i < w->n_rules; i++) {
        const struct wf_rule *r = &w->rules[i];
        uint16_t unset = WF_NONE;
        bool yes = x_eval(k->x, k->s, r->when, k->o, &unset);
        if (unset != WF_NONE) {
            x_issue_tell(k, X_ISSUE_UNSET_RULE, step, unset, r->line);
        }
        if (i + 1u < w->n_rules && !yes) {
            continue;
        }
        struct wf_exit e = {.exit = EXIT_DONE, .kind = r->kind, .step = r->step, .leave = r->leave};
        k->x->rule_taken[step][i] = true;
        x_leave_to(k, t, &e);
        return;
    }
    x_join(k, t);
}

static void enter_end(struct x_walk *k, unsigned t)
{
    if (k->s->right != X_NONE) {
        k->s->t[t].flags |= X_BEGUN;
        return;
    }
    x_end(k, X_END_CASE, k->s->t[t].step, 0, k->s->t[t].flags & X_HOT);
}

static void check_bound(struct x_walk *k, uint16_t step)
{
    const struct wf_step *w = &k->x->w->steps[step];
    for (unsigned i = 0; i < 2u + w->n_to; i++) {
        unsigned p = i == 0 ? w->role : i == 1 ? w->helps : w->to[i - 2];
        uint8_t var = p < k->x->w->n_roles ? k->x->var_bound[p] : X_NONE;
        if (var != X_NONE && k->s->vars[var] == 0) {
            x_issue_tell(k, X_ISSUE_UNNAMED, step, (uint16_t)p, w->line);
        }
    }
}

static void check_needs(struct x_walk *k, uint16_t step)
{
    const struct wf_step *w = &k->x->w->steps[step];
    uint8_t var = w->needs < k->x->w->n_consents ? k->x->var_consent[w->needs] : X_NONE;
    bool refused =
        var != X_NONE && (k->s->vars[var] == CONSENT_UNASKED || k->s->vars[var] == CONSENT_REFUSED);
    /* A notice without contents does no harm; whoever shall work needs them. */
    if (refused && w->type != STEP_NOTIFY && !workflow_step_exit(w, EXIT_NO_BASIS)) {
        x_issue_tell(k, X_ISSUE_NO_CONSENT, step, w->needs, w->line);
    }
}

static bool is_unset(const struct x_walk *k, unsigned f)
{
    uint8_t var = k->x->var_field[f];
    return var != X_NONE && k->s->vars[var] == 0;
}

static void check_dates(struct x_walk *k, uint16_t step)
{
    const struct wf_step *w = &k->x->w->steps[step];
    for (unsigned i = 0; i < 17u + w->n_within; i++) {
        const struct wf_when *at = i < 16    ? (w->clocks.has[i] ? &w->clocks.w[i] : NULL)
                                   : i == 16 ? &w->at_least
                                             : &w->within[i - 17];
        if (at && at->kind == WHEN_UNTIL_FIELD && is_unset(k, at->ix)) {
            x_issue_tell(k, X_ISSUE_UNSET_DATE, step, at->ix, w->line);
        }
    }
}

/* What is given already is not asked again. */
static void enter_consent(struct x_walk *k, unsigned t)
{
    const struct wf_step *w = step_of(k, t);
    uint8_t var = w->consent < k->x->w->n_consents ? k->x->var_consent[w->consent] : X_NONE;
    bool given = var != X_NONE ? k->s->vars[var] == CONSENT_GIVEN : x_choose(k->o, 2) == 1;
    if (given && !x_leave(k, t, EXIT_GIVEN)) {
        x_join(k, t);
    }
}

static void enter_step(struct x_walk *k, unsigned t)
{
    const struct wf_step *w = step_of(k, t);
    switch (w->type) {
    case STEP_DECIDE:
        enter_decide(k, t);
        return;
    case STEP_NOTIFY:
        if (!(workflow_step_exit(w, EXIT_NO_BASIS) && x_choose(k->o, 2) == 1 &&
              x_leave(k, t, EXIT_NO_BASIS)) &&
            !x_leave(k, t, EXIT_DONE)) {
            x_join(k, t);
        }
        return;
    case STEP_CONSENT:
        enter_consent(k, t);
        return;
    case STEP_END:
        enter_end(k, t);
        return;
    case STEP_HANDOVER:
        if (x_same_org(k, w->to[0]) && !x_leave(k, t, EXIT_TAKEN_OVER)) {
            x_join(k, t);
        }
        return;
    case STEP_STAGE:
    case STEP_EACH:
    case STEP_CALL:
        enter_stage(k, t);
        return;
    case STEP_TASK:
    case STEP_MEETING:
    case STEP_REFERRAL:
    case STEP_CONSULT:
    case STEP_SESSION:
    case STEP_WAIT:
    case STEP_PANEL:
    case STEP_PLACE:
    case STEP_MEASURE:
    case STEP_PLAN:
        return; /* it waits */
    }
}

static bool too_often(struct x_walk *k, uint16_t step)
{
    const struct wf_step *w = &k->x->w->steps[step];
    uint8_t count = k->x->var_count[step];
    if (count == X_NONE) {
        return w->at_most > 0 && x_choose(k->o, 2) == 1;
    }
    unsigned most = w->at_most < X_COUNT_MAX ? w->at_most : X_COUNT_MAX;
    if (k->s->vars[count] < most) {
        k->s->vars[count]++;
        return false;
    }
    if (w->at_most > X_COUNT_MAX && x_choose(k->o, 2) == 0) {
        return false;
    }
    k->s->vars[count] = (uint8_t)(most + 1);
    return true;
}

void x_enter(struct x_walk *k, unsigned t, uint16_t step)
{
    if (k->lost || k->s->result || !(t < k->s->n)) {
        return;
    }
    if (++k->entered > ENTERED_MAX) {
        k->lost = true;
        return;
    }
    struct x_token *tok = &k->s->t[t];
    tok->step = (uint8_t)step;
    tok->flags &= X_SIDE | X_RIGHT | X_HOT;
    tok->joined = tok->virt = tok->fired = 0;
    k->entry[t]++;
    k->x->reached[step] = true;
    if (too_often(k, step) && x_leave(k, t, EXIT_TOO_OFTEN)) {
        return;
    }
    check_bound(k, step);
    check_dates(k, step);
    check_needs(k, step);
    enter_step(k, t);
}

void x_start(struct x_walk *k, unsigned role)
{
    const workflow_t *w = k->x->w;
    k->s->right = X_NONE;
    k->s->holder = (uint8_t)role;
    if (k->u->first != WF_NONE) {
        unsigned t = x_token_new(k, X_ROOT, k->u->side);
        x_enter(k, t, k->u->first);
        return;
    }
    uint16_t unset = WF_NONE;
    x_name(k, w->start_by);
    x_collect(k, w->start_requires, 0);
    /* What the condition reads and the start does not require is told elsewhere. */
    k->lost = !x_eval(k->x, k->s, w->start_when, k->o, &unset) && unset == WF_NONE;
    for (unsigned i = 0; i < w->n_first; i++) {
        k->s->virt = (uint8_t)(k->s->virt + (x_unit_at(k->x, w->first[i]) != NULL));
    }
    for (unsigned i = 0; i < w->n_first && !k->lost && !k->s->result; i++) {
        if (!x_unit_at(k->x, w->first[i])) {
            unsigned t = x_token_new(k, X_ROOT, false);
            if (t != X_NONE) {
                x_enter(k, t, w->first[i]);
            }
        }
    }
}
