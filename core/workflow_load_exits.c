/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Workflow files: `on`, `next` and targets; and, once all are read, whether each step names the
 * exits that its type makes and no others. The engine relies on that: every exit it can take is
 * named.
 */
#include <string.h>

#include "sto_limits.h"
#include "workflow_scope.h"

#define BIT(exit) (UINT32_C(1) << (exit))
#define RETURNS                                                                                    \
    (BIT(EXIT_RETURNED) | BIT(EXIT_DECLINED) | BIT(EXIT_WITHDRAWN) | BIT(EXIT_NO_SHOW) |           \
     BIT(EXIT_NO_BASIS) | BIT(EXIT_EXPIRED))

#define SEATED    (BIT(EXIT_ATTENDED) | BIT(EXIT_EXCUSED) | BIT(EXIT_ABSENT) | BIT(EXIT_EXPIRED))
#define PLACED    (BIT(EXIT_GOT) | BIT(EXIT_NONE_FREE) | BIT(EXIT_EXPIRED))
#define CONSENTED (BIT(EXIT_GIVEN) | BIT(EXIT_REFUSED) | BIT(EXIT_EXPIRED))
#define PLANNED   (BIT(EXIT_AGREED) | BIT(EXIT_NOT_AGREED) | BIT(EXIT_EXPIRED))

_Static_assert(EXIT_FIRST_OWN <= 32, "fixed exits are a uint32_t");

/* What the engine makes for each type, and what must be named whatever else the step says. */
static const struct exits_of {
    uint32_t may, must;
    bool own; /* the addressee chooses among the step's own exits */
} EXITS[] = {
    [STEP_TASK] = {BIT(EXIT_DONE) | BIT(EXIT_EXPIRED) | BIT(EXIT_DECLINED), BIT(EXIT_EXPIRED),
                   true},
    [STEP_MEETING] = {BIT(EXIT_HELD) | BIT(EXIT_NO_SHOW) | BIT(EXIT_EXPIRED), BIT(EXIT_EXPIRED),
                      true},
    [STEP_HANDOVER] = {RETURNS | BIT(EXIT_TAKEN_OVER) | BIT(EXIT_GIVEN_BACK), BIT(EXIT_TAKEN_OVER),
                       false},
    [STEP_REFERRAL] = {RETURNS | BIT(EXIT_DONE) | BIT(EXIT_INTERRUPTED),
                       BIT(EXIT_DONE) | BIT(EXIT_RETURNED) | BIT(EXIT_EXPIRED), false},
    [STEP_CONSULT] = {RETURNS | BIT(EXIT_ANSWERED), BIT(EXIT_ANSWERED) | BIT(EXIT_RETURNED), false},
    [STEP_SESSION] = {SEATED, SEATED, false}, /* a series: see exits_of() */
    [STEP_NOTIFY] = {BIT(EXIT_DONE), BIT(EXIT_DONE), false},
    [STEP_WAIT] = {BIT(EXIT_DONE) | BIT(EXIT_EXPIRED), 0, false},
    [STEP_STAGE] = {BIT(EXIT_DONE) | BIT(EXIT_EXPIRED), 0, false},
    [STEP_END] = {0, 0, false},
    [STEP_PANEL] = {BIT(EXIT_DONE) | BIT(EXIT_EXPIRED), BIT(EXIT_EXPIRED), true},
    [STEP_PLACE] = {PLACED, PLACED, false},
    [STEP_CONSENT] = {CONSENTED, CONSENTED, false},
    [STEP_MEASURE] = {BIT(EXIT_DONE) | BIT(EXIT_EXPIRED) | BIT(EXIT_DECLINED),
                      BIT(EXIT_DONE) | BIT(EXIT_EXPIRED), false},
    [STEP_PLAN] = {PLANNED, PLANNED, false},
    [STEP_EACH] = {BIT(EXIT_DONE) | BIT(EXIT_EXPIRED), 0, false},
    [STEP_CALL] = {BIT(EXIT_DONE) | BIT(EXIT_EXPIRED), 0, false},
};

static bool waits(enum step_type t)
{
    return t != STEP_DECIDE && t != STEP_NOTIFY && t != STEP_END;
}

static bool is_series(const struct wf_step *s)
{
    return s->type == STEP_SESSION && (s->meetings > 1 || s->meetings_setting != 0xff);
}

static struct exits_of exits_of(const struct wf_step *s)
{
    static const struct exits_of SERIES = {BIT(EXIT_DONE) | BIT(EXIT_INTERRUPTED) |
                                               BIT(EXIT_EXPIRED),
                                           BIT(EXIT_DONE) | BIT(EXIT_EXPIRED), false};
    struct exits_of e = is_series(s) ? SERIES : EXITS[s->type];
    if (s->must && !(e.may & BIT(EXIT_NO_BASIS))) { /* an offer's belongs to its returns */
        e.may |= BIT(EXIT_NO_BASIS);
        e.must |= BIT(EXIT_NO_BASIS);
    }
    return e;
}

/* ------------------------------------------------------------------ targets */

static bool target_step(struct wf_load *x, const struct sto_conf *at, const char *s, uint16_t from,
                        struct wf_exit *out)
{
    bool own = from == x->scope->call; /* the `on` of the workflow, or of the called one */
    bool beside = !own && x->w->steps[from].host != WF_NONE;
    uint16_t stage = own ? from : x->w->steps[from].stage;
    const char *outcome = wf_called_end(x, s);
    out->kind = own && from != WF_ROOT ? TARGET_INSIDE : TARGET_STEP;
    if (outcome && stage == x->scope->call && !beside) {
        out->kind = own ? TARGET_INSIDE : TARGET_LEAVE;
        out->step = WF_NONE;
        out->leave = wf_intern(x, at, outcome);
        return true;
    }
    if (outcome) {
        load_err(&x->l, at, "crosses-stage",
                 "step '%s' stands in another stage; leave this one by join or leave:EXIT", s);
        return false;
    }
    out->step = wf_step_ref(x, at, s);
    if (out->step == WF_NONE) {
        return false;
    }
    const struct wf_step *to = &x->w->steps[out->step];
    if (beside) {
        load_err(&x->l, at, "bad-target",
                 "a step in meanwhile ends by join or leave:EXIT, not in step '%s'", s);
    } else if (to->host != WF_NONE) {
        load_err(&x->l, at, "bad-target",
                 "step '%s' stands in meanwhile; it is begun by its starts only", s);
    } else if (to->stage != stage) {
        load_err(&x->l, at, "crosses-stage",
                 "step '%s' stands in another stage; leave this one by join or leave:EXIT", s);
    } else {
        return true;
    }
    return false;
}

bool wf_target(struct wf_load *x, const struct sto_conf *at, const char *s, uint16_t from,
               struct wf_exit *out)
{
    const struct wf_step *f = from == x->scope->call ? NULL : &x->w->steps[from];
    bool inside = f && (f->stage != x->scope->call || f->host != WF_NONE);
    bool leave = strncmp(s, "leave:", 6) == 0;
    if (!inside && (leave || (!f && strcmp(s, "join") == 0))) {
        load_err(&x->l, at, "bad-target",
                 "'%s': there is no stage here to leave; name a step of the workflow", s);
        return false;
    }
    if (strcmp(s, "stay") == 0) {
        out->kind = TARGET_STAY;
    } else if (strcmp(s, "join") == 0) {
        out->kind = TARGET_JOIN;
    } else if (leave) {
        if (!load_check_id(&x->l, at, "exit", s + 6)) {
            return false;
        }
        out->kind = TARGET_LEAVE;
        out->leave = wf_intern(x, at, s + 6);
    } else {
        return target_step(x, at, s, from, out);
    }
    return true;
}

/* ------------------------------------------------------------------ reading */

static void check_names(struct wf_load *x, const struct sto_conf *at, uint32_t roles)
{
    for (unsigned k = 0; k < x->w->n_roles; k++) {
        if ((roles & BIT(k)) && x->w->roles[k].choose != CHOOSE_STEP &&
            x->w->roles[k].choose != CHOOSE_DESK) {
            load_err(&x->l, at, "bad-value",
                     "names: role '%s' is chosen otherwise; give it choose = \"step\"",
                     x->w->roles[k].id);
        }
    }
}

/* An event has the name that it has in the case. */
static uint8_t exit_index(struct wf_load *x, const struct sto_conf *c)
{
    uint8_t event = wf_event(x, NULL, c->name);
    return wf_intern(x, c, event ? wf_event_name(x, event, c->name) : c->name);
}

void wf_load_exit(struct wf_load *x, const struct sto_conf *c, uint16_t from, struct wf_exit *e)
{
    static const char *const KEYS[] = {"to", "collects", "names", NULL};
    const struct sto_conf *at = c;
    e->line = c->line;
    e->kind = TARGET_STAY;
    if (load_check_id(&x->l, c, "exit", c->name)) {
        e->exit = exit_index(x, c);
    }
    if (c->type == STO_CONF_GROUP) {
        sto_conf_known(c, KEYS, "exit", x->l.diags);
        e->collects = wf_fields(x, c, "collects");
        e->names = wf_roles(x, c, "names");
        check_names(x, c, e->names);
        at = sto_conf_need(c, "to", STO_CONF_STRING, x->l.diags);
    } else if (c->type != STO_CONF_STRING) {
        load_err(&x->l, c, "wrong-type",
                 "exit '%s' must be a target \"…\" or a group { to = \"…\"; }", c->name);
        at = NULL;
    }
    if (at) {
        wf_target(x, at, at->s, from, e);
    }
}

static void load_on(struct wf_load *x, const struct sto_conf *c, uint16_t from,
                    struct wf_exit **out, uint8_t *n)
{
    const struct sto_conf *on = load_group(&x->l, c, "on"),
                          *next = from == WF_ROOT ? NULL : sto_conf_get(c, "next");
    size_t max = (on ? on->n_children : 0) + (next != NULL);
    if (max > STO_WF_EXITS_MAX) {
        load_err(&x->l, c, "too-many", "a step has at most %u exits", STO_WF_EXITS_MAX);
        return;
    }
    *out = max ? load_alloc(&x->l, max * sizeof(**out)) : NULL;
    if (!*out) {
        return;
    }
    for (const struct sto_conf *e = on ? on->child : NULL; e; e = e->next) {
        wf_load_exit(x, e, from, &(*out)[(*n)++]);
    }
    if (!next) {
        return;
    }
    if (sto_conf_get(on, "done")) {
        load_err(&x->l, next, "duplicate",
                 "next is short for on : { done = …; }, which stands there too");
    } else if (next->type != STO_CONF_STRING) {
        load_err(&x->l, next, "wrong-type", "next must be a target \"…\"");
    } else {
        struct wf_exit *e = &(*out)[(*n)++];
        *e = (struct wf_exit){.exit = EXIT_DONE, .kind = TARGET_STAY, .line = next->line};
        wf_target(x, next, next->s, from, e);
    }
}

/* `names` of a place: whose place it is becomes known as it is got. */
static void name_placed(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    uint32_t names = wf_roles(x, c, "names");
    check_names(x, sto_conf_get(c, "names"), names);
    for (unsigned k = 0; k < s->n_exits; k++) {
        if (s->exits[k].exit == EXIT_GOT) {
            s->exits[k].names |= names;
        }
    }
}

void wf_load_exits(struct wf_load *x, const struct wf_scope *own)
{
    x->scope = own;
    load_on(x, x->root, WF_ROOT, &x->w->exits_on, &x->w->n_exits_on);
    for (uint16_t k = 0; k < x->w->n_steps; k++) {
        struct wf_step *s = &x->w->steps[k];
        x->scope = x->scope_of[k];
        if ((int)s->type != 0 && !wf_is_branch(s)) {
            load_on(x, x->node[k], k, &s->exits, &s->n_exits);
        }
        if (s->type == STEP_CALL) {
            wf_load_call_exits(x, k);
        }
        if (s->type == STEP_PLACE && sto_conf_get(x->node[k], "names")) {
            name_placed(x, s, x->node[k]);
        }
    }
}

/* ------------------------------------------------------------------ checking */

static const struct wf_exit *find(const struct wf_exit *exits, unsigned n, unsigned exit)
{
    for (unsigned k = 0; k < n; k++) {
        if (exits[k].exit == exit) {
            return &exits[k];
        }
    }
    return NULL;
}

/* The exit by which something inside or beside container leaves it. */
static bool left_by(const workflow_t *w, uint16_t container, unsigned exit)
{
    for (unsigned k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        uint16_t of = s->host != WF_NONE ? s->host : s->stage;
        for (unsigned e = 0; of == container && e < s->n_exits; e++) {
            if (s->exits[e].kind == TARGET_LEAVE && s->exits[e].leave == exit) {
                return true;
            }
        }
        for (unsigned r = 0; of == container && r < s->n_rules; r++) {
            if (s->rules[r].kind == TARGET_LEAVE && s->rules[r].leave == exit) {
                return true;
            }
        }
    }
    return false;
}

static bool joined_inside(const workflow_t *w, uint16_t stage)
{
    for (unsigned k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        if (s->stage != stage || s->host != WF_NONE) {
            continue;
        }
        for (unsigned e = 0; e < s->n_exits; e++) {
            if (s->exits[e].kind == TARGET_JOIN) {
                return true;
            }
        }
        for (unsigned r = 0; r < s->n_rules; r++) {
            if (s->rules[r].kind == TARGET_JOIN) {
                return true;
            }
        }
    }
    return false;
}

static bool is_answer(const workflow_t *w, const struct wf_step *s, unsigned exit)
{
    if (s->type != STEP_WAIT || s->message == 0xff) {
        return false;
    }
    const struct wf_message *m = &w->messages[s->message];
    for (unsigned k = 0; k < m->n_answers; k++) {
        if (m->answer_exits[k] == exit) {
            return true;
        }
    }
    return false;
}

static void check_name(struct wf_load *x, const struct wf_step *s, uint16_t ix,
                       const struct wf_exit *e, const struct sto_conf *at)
{
    const workflow_t *w = x->w;
    const struct exits_of of = exits_of(s);
    const char *name = w->exits[e->exit], *names[EXIT_FIRST_OWN + 1];
    unsigned n = 0;
    bool fixed = e->exit < EXIT_FIRST_OWN;
    bool own = of.own && e->exit != EXIT_TOO_OFTEN && e->exit != EXIT_JOINED;
    if (e->kind == TARGET_INSIDE || (s->type == STEP_CALL && wf_is_outcome(x, ix, name)) ||
        (fixed && (of.may & BIT(e->exit))) || own ||
        (e->exit == EXIT_TOO_OFTEN && (s->at_most || s->at_most_setting != 0xff)) ||
        is_answer(w, s, e->exit) || left_by(w, ix, e->exit) ||
        (e->exit == EXIT_INTERRUPTED && step_is_stage(s->type)) ||
        (s->type != STEP_NOTIFY && workflow_exit_is_event(w, e->exit))) {
        return;
    }
    for (unsigned k = 1; k < EXIT_FIRST_OWN; k++) {
        if (of.may & BIT(k)) {
            names[n++] = w->exits[k];
        }
    }
    names[n] = NULL;
    const char *near = sto_nearest(name, names);
    load_err(&x->l, at, "unknown-exit", "%s '%s' has no exit '%s'%s%s%s", step_type_name(s->type),
             x->node[ix]->name, name,
             near                        ? "; did you mean '"
             : e->exit == EXIT_TOO_OFTEN ? "; it belongs to at-most"
                                         : "",
             near ? near : "", near ? "'?" : "");
}

static bool may_stay(const struct wf_step *s)
{
    bool offer = s->type == STEP_HANDOVER || s->type == STEP_REFERRAL || s->type == STEP_CONSULT;
    return waits(s->type) && !offer && (s->type != STEP_WAIT || s->message != 0xff);
}

static void missing(struct wf_load *x, const struct sto_conf *c, const struct wf_step *s,
                    const char *exit)
{
    const char *names[STO_WF_EXITS_MAX + 1] = {0};
    unsigned n = 0;
    for (unsigned k = 0; s && k < s->n_exits; k++) {
        if (s->exits[k].exit >= EXIT_FIRST_OWN) {
            names[n++] = x->w->exits[s->exits[k].exit];
        }
    }
    const char *near = sto_nearest(exit, names);
    load_err(&x->l, c, "missing-exit",
             "%s '%s' does not say what follows '%s'%s%s%s; write on : { %s = \"…\"; }",
             s ? step_type_name(s->type) : "workflow", s ? c->name : x->w->id, exit,
             near ? " ('" : "", near ? near : "", near ? "' looks like it)" : "", exit);
}

/* An exit that its addressee chooses, not a clock or an event. */
static bool has_choice(struct wf_load *x, const struct wf_step *s)
{
    for (unsigned k = 0; k < s->n_exits; k++) {
        unsigned e = s->exits[k].exit;
        if (e != EXIT_EXPIRED && e != EXIT_DECLINED && e != EXIT_TOO_OFTEN && e != EXIT_NO_SHOW &&
            !workflow_exit_is_event(x->w, e)) {
            return true;
        }
    }
    return false;
}

/* The referral, a stage around it or the workflow names `interrupted`. */
static bool interruption_named(const workflow_t *w, const struct wf_step *s)
{
    while (s) {
        if (workflow_step_exit(s, EXIT_INTERRUPTED)) {
            return true;
        }
        uint16_t up = s->host != WF_NONE ? s->host : s->stage;
        s = up == WF_ROOT ? NULL : &w->steps[up];
    }
    return find(w->exits_on, w->n_exits_on, EXIT_INTERRUPTED) != NULL;
}

static bool meets_client(const struct wf_step *s)
{
    for (unsigned k = 0; k < s->n_with; k++) {
        if (s->with[k] == PARTY_CLIENT) {
            return true;
        }
    }
    return false;
}

static uint32_t must_name(struct wf_load *x, const struct wf_step *s, uint16_t ix)
{
    uint32_t must = exits_of(s).must;
    if (s->at_most || s->at_most_setting != 0xff) {
        must |= BIT(EXIT_TOO_OFTEN);
    }
    if (s->type == STEP_MEETING && meets_client(s)) {
        must |= BIT(EXIT_NO_SHOW);
    }
    if ((s->type == STEP_REFERRAL || is_series(s)) && !interruption_named(x->w, s)) {
        must |= BIT(EXIT_INTERRUPTED);
    }
    if (s->type == STEP_EACH) {
        must |= BIT(EXIT_DONE); /* nobody may be bound */
    }
    if (step_is_stage(s->type)) {
        must |=
            (s->n_within ? BIT(EXIT_EXPIRED) : 0) | (joined_inside(x->w, ix) ? BIT(EXIT_DONE) : 0);
    }
    if (s->type == STEP_WAIT) {
        must |= s->message != 0xff ? BIT(EXIT_EXPIRED) : BIT(EXIT_DONE);
        if (s->message != 0xff && x->w->messages[s->message].n_answers == 0) {
            must |= BIT(EXIT_DONE);
        }
    }
    return must;
}

static void check_must(struct wf_load *x, const struct wf_step *s, uint16_t ix)
{
    const workflow_t *w = x->w;
    const struct sto_conf *c = x->node[ix];
    uint32_t must = must_name(x, s, ix);
    for (unsigned k = 1; k < EXIT_FIRST_OWN; k++) {
        if ((must & BIT(k)) && !workflow_step_exit(s, k)) {
            missing(x, c, s, w->exits[k]);
        }
    }
    if (s->type == STEP_WAIT && s->message != 0xff) {
        const struct wf_message *m = &w->messages[s->message];
        for (unsigned k = 0; k < m->n_answers; k++) {
            if (!workflow_step_exit(s, m->answer_exits[k])) {
                missing(x, c, s, m->answers[k]);
            }
        }
    }
    if (exits_of(s).own && !has_choice(x, s)) {
        missing(x, c, s, s->type == STEP_MEETING ? "held" : "done");
    }
}

/* Attendance days pass only as somebody comes: a calendar limit stands beside them. */
static void check_attendance(struct wf_load *x, const struct wf_step *s, const struct sto_conf *c)
{
    unsigned days = 0;
    for (unsigned k = 0; k < s->n_within; k++) {
        days += s->within[k].kind == WHEN_ATTENDANCE;
    }
    const struct sto_conf *at = sto_conf_get(c, "within");
    if (days && s->type != STEP_REFERRAL) {
        load_err(&x->l, at, "bad-duration", "attendance days are counted in a referral only");
    } else if (days && days == s->n_within) {
        load_err(&x->l, at, "missing-clock",
                 "attendance days need a limit of the calendar beside them; write within = [ "
                 "\"60 attendance days\", \"5 months\" ]");
    }
    for (unsigned k = 0; k < s->n_sides; k++) {
        const struct wf_step *side = &x->w->steps[s->sides[k]];
        const struct sto_conf *starts = sto_conf_get(x->node[s->sides[k]], "starts");
        uint8_t e = side->starts.kind == STARTS_EVENT ? side->starts.event : 0;
        if (side->starts.kind == STARTS_ATTENDANCE && s->type != STEP_REFERRAL && !is_series(s)) {
            load_err(&x->l, starts, "bad-duration",
                     "starts: attendance days are counted in a referral or a series of meetings");
        } else if (e >= WF_EVENT_INVITED && e <= WF_EVENT_ABSENT && s->type != STEP_SESSION) {
            load_err(&x->l, starts, "unknown-event",
                     "starts: '%s' comes from a session; '%s' is a %s", starts->s, c->name,
                     step_type_name(s->type));
        }
    }
}

static void check_clock(struct wf_load *x, const struct wf_step *s, const struct sto_conf *c)
{
    bool needs = waits(s->type) && !step_is_stage(s->type) && s->type != STEP_HANDOVER &&
                 s->type != STEP_CONSULT;
    if (needs && s->n_within == 0 && !sto_conf_get(c, "within") && !sto_conf_get(c, "for") &&
        !sto_conf_get(c, "until")) {
        load_err(&x->l, c, "missing-clock",
                 "%s '%s' has no clock; write within = \"5 business days\"",
                 step_type_name(s->type), c->name);
    }
    if (step_is_stage(s->type) && s->n_within == 0 && workflow_step_exit(s, EXIT_EXPIRED)) {
        load_err(&x->l, c, "missing-clock", "%s '%s' names expired but has no within",
                 step_type_name(s->type), c->name);
    }
    check_attendance(x, s, c);
    for (unsigned k = 0; k < s->n_sides; k++) {
        const struct wf_step *side = &x->w->steps[s->sides[k]];
        if ((side->starts.kind == STARTS_BEFORE_END || side->starts.kind == STARTS_HALF_WAY) &&
            s->n_within == 0) {
            load_err(&x->l, x->node[s->sides[k]], "missing-clock",
                     "starts: '%s' has no within to count from", c->name);
        }
    }
}

/* leave:x of a step inside or beside: the container must say what follows. */
static void check_leave(struct wf_load *x, const struct wf_step *s, uint8_t exit, int line)
{
    const workflow_t *w = x->w;
    uint16_t of = s->host != WF_NONE ? s->host : s->stage;
    if (s->host == WF_NONE && of != WF_ROOT && w->steps[of].type == STEP_CALL) {
        return; /* an end of the called workflow: wf_check_call() */
    }
    const struct wf_exit *e = of == WF_ROOT ? find(w->exits_on, w->n_exits_on, exit)
                                            : workflow_step_exit(&w->steps[of], exit);
    if (!e) {
        const struct sto_conf at = {.file = s->file, .line = line};
        load_err(&x->l, &at, "missing-exit", "'leave:%s': %s '%s' does not name exit '%s' in on",
                 w->exits[exit], of == WF_ROOT ? "workflow" : step_type_name(w->steps[of].type),
                 of == WF_ROOT ? w->id : x->node[of]->name, w->exits[exit]);
    }
}

static void check_step(struct wf_load *x, uint16_t ix)
{
    const struct wf_step *s = &x->w->steps[ix];
    const struct sto_conf *c = x->node[ix], *on = sto_conf_get(c, "on");
    for (unsigned k = 0; k < s->n_exits; k++) {
        const struct wf_exit *e = &s->exits[k];
        const struct sto_conf *at = sto_conf_get(on, x->w->exits[e->exit]);
        at = at ? at : c;
        check_name(x, s, ix, e, at);
        if (e->kind == TARGET_STAY && (e->exit != EXIT_EXPIRED || !may_stay(s)) &&
            at->type == STO_CONF_STRING && strcmp(at->s, "stay") == 0) {
            load_err(&x->l, at, "bad-target",
                     "'stay' follows expired only, and not of an offer (handover, referral, "
                     "consult) or of a wait for a time");
        }
        if (e->kind == TARGET_LEAVE) {
            check_leave(x, s, e->leave, e->line);
        }
    }
    for (unsigned k = 0; k < s->n_rules; k++) {
        if (s->rules[k].kind == TARGET_LEAVE) {
            check_leave(x, s, s->rules[k].leave, s->rules[k].line);
        }
    }
    check_must(x, s, ix);
    if (!wf_is_branch(s)) {
        check_clock(x, s, c);
    }
}

static void check_workflow_on(struct wf_load *x)
{
    const workflow_t *w = x->w;
    const struct sto_conf *on = sto_conf_get(x->root, "on");
    for (unsigned k = 0; k < w->n_exits_on; k++) {
        const struct wf_exit *e = &w->exits_on[k];
        const struct sto_conf *at = sto_conf_get(on, w->exits[e->exit]);
        at = at ? at : x->root;
        bool known = (e->exit == EXIT_EXPIRED && w->n_within) ||
                     (e->exit == EXIT_DONE && joined_inside(w, WF_ROOT)) ||
                     e->exit == EXIT_INTERRUPTED || workflow_exit_is_event(w, e->exit) ||
                     left_by(w, WF_ROOT, e->exit);
        if (!known) {
            load_err(&x->l, at, "unknown-exit", "the workflow has no exit '%s'%s",
                     w->exits[e->exit], e->exit == EXIT_EXPIRED ? "; it belongs to within" : "");
        }
        if (e->kind == TARGET_STAY && e->exit != EXIT_EXPIRED) {
            load_err(&x->l, at, "bad-target", "'stay' follows expired only");
        }
    }
    if (w->n_within && !find(w->exits_on, w->n_exits_on, EXIT_EXPIRED)) {
        missing(x, x->root, NULL, "expired");
    }
    if (joined_inside(w, WF_ROOT) && !find(w->exits_on, w->n_exits_on, EXIT_DONE)) {
        missing(x, x->root, NULL, "done");
    }
    if (w->subject == SUBJECT_CLIENT && !find(w->exits_on, w->n_exits_on, EXIT_CLIENT_LEFT)) {
        missing(x, x->root, NULL, "client-left");
    }
    for (unsigned k = 0; k < w->n_sides; k++) {
        enum starts_kind kind = w->steps[w->sides[k]].starts.kind;
        uint8_t event = w->steps[w->sides[k]].starts.event;
        if (kind == STARTS_ATTENDANCE ||
            (kind == STARTS_EVENT && event >= WF_EVENT_INVITED && event <= WF_EVENT_ABSENT)) {
            load_err(&x->l, x->node[w->sides[k]], "unknown-event",
                     "starts: this comes from a step; beside the whole workflow there is none");
        }
        if ((kind == STARTS_BEFORE_END || kind == STARTS_HALF_WAY) && w->n_within == 0) {
            load_err(&x->l, x->node[w->sides[k]], "missing-clock",
                     "starts: the workflow has no within to count from");
        }
    }
}

void wf_check_exits(struct wf_load *x, const struct wf_scope *own)
{
    for (uint16_t k = 0; k < x->w->n_steps; k++) {
        if (wf_is_branch(&x->w->steps[k])) {
            wf_load_branch_exits(x, k);
        }
    }
    for (uint16_t k = 0; k < x->w->n_steps; k++) {
        x->scope = x->scope_of[k];
        if ((int)x->w->steps[k].type != 0 && x->w->steps[k].type != STEP_DECIDE) {
            check_step(x, k);
        }
        if (x->w->steps[k].type == STEP_CALL) {
            wf_check_call(x, k);
        }
    }
    x->scope = own;
    for (uint16_t k = 0; k < x->w->n_steps; k++) {
        const struct wf_step *s = &x->w->steps[k];
        for (unsigned r = 0; s->type == STEP_DECIDE && r < s->n_rules; r++) {
            if (s->rules[r].kind == TARGET_LEAVE) {
                check_leave(x, s, s->rules[r].leave, s->rules[r].line);
            }
        }
    }
    check_workflow_on(x);
}
