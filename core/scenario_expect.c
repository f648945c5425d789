/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What an entry of a scenario expects of its case: responsibility, steps, states,
 * ball, clocks, deliveries, data, outcome. Every fault stands at the line of the
 * expectation and says what was found instead. It changes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "scenario_view.h"

#define MINUTE_US (INT64_C(60) * STO_US_PER_SEC)

void text_add(char text[TEXT_BYTES], const char *more)
{
    size_t used = strlen(text);
    (void)snprintf(text + used, TEXT_BYTES - used, "%s%s", used ? ", " : "", more);
}

const char *party_text(const struct play *p, struct party party, bool with_desk, char *buf,
                       size_t cap)
{
    const struct organisation *o = network_org(p->net, party.org);
    const struct desk *d = o && with_desk ? network_desk(o, party.desk) : NULL;
    (void)snprintf(buf, cap, "%s%s%s", o ? o->id : "nobody", d ? "/" : "", d ? d->id : "");
    return buf;
}

bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        char x = *a == '_' ? '-' : *a, y = *b == '_' ? '-' : *b;
        if (x != y) {
            return false;
        }
    }
    return *a == *b;
}

const char *str_of(const struct view *v, const struct sto_conf *at)
{
    if (at->type != STO_CONF_STRING) {
        play_err(v->p, at, "wrong-type", "%s must be text in quotes", at->name);
        return NULL;
    }
    return at->s;
}

bool strings(const struct view *v, const struct sto_conf *at)
{
    bool list = at->type == STO_CONF_ARRAY || at->type == STO_CONF_LIST;
    for (const struct sto_conf *c = list ? at->child : NULL; c; c = c->next) {
        list = list && c->type == STO_CONF_STRING;
    }
    if (!list) {
        play_err(v->p, at, "wrong-type", "%s must be an array of texts", at->name);
    }
    return list;
}

/* ---------------------------------------------------------- responsibility */

void party_is(struct play *p, const struct sto_conf *at, const char *text, struct party got,
              const char *what)
{
    struct party want = {0};
    char found[TEXT_BYTES];
    bool nobody = strcmp(text, "nobody") == 0;
    if (!nobody && !play_party(p, at, text, &want)) {
        return;
    }
    if (want.org != got.org || (want.desk != 0 && want.desk != got.desk)) {
        play_err(p, at, what, "%s is '%s', expected '%s'", what,
                 party_text(p, got, want.desk != 0, found, sizeof found), text);
    }
}

void check_party(const struct view *v, const struct sto_conf *at, struct party got,
                 const char *what)
{
    const char *text = str_of(v, at);
    if (text) {
        party_is(v->p, at, text, got, what);
    }
}

static void check_holder(const struct view *v, const struct sto_conf *at)
{
    check_party(v, at, v->s->holder, "holder");
}

static void check_sender(const struct view *v, const struct sto_conf *at)
{
    check_party(v, at, v->s->sender, "sender");
}

bool waiting(const struct view *v, const struct token *t)
{
    return t->step < v->wf->n_steps && !step_is_stage(v->wf->steps[t->step].type);
}

static const struct clock *earliest(const struct view *v, uint16_t token)
{
    const struct clock *first = NULL;
    for (unsigned i = 0; i < v->s->n_clocks; i++) {
        const struct clock *k = &v->s->clocks[i];
        bool fits = !k->paused && (token == 0 || k->token == token);
        if (fits && (!first || k->due_us < first->due_us)) {
            first = k;
        }
    }
    return first;
}

const struct token *token_about(const struct view *v)
{
    const struct token *only = NULL;
    unsigned n = 0;
    if (v->about || v->about_named) {
        return v->about;
    }
    for (unsigned i = 0; i < v->s->n_tokens; i++) {
        if (waiting(v, &v->s->tokens[i])) {
            only = &v->s->tokens[i];
            n++;
        }
    }
    if (n == 1) {
        return only;
    }
    const struct clock *k = earliest(v, 0);
    return k ? state_token(v->s, k->token) : NULL;
}

static void check_ball(const struct view *v, const struct sto_conf *at)
{
    const struct token *t = token_about(v);
    struct party ball = {0};
    if (t) {
        ball = engine_ball(v->p->net, v->wf, v->s, t);
    }
    check_party(v, at, ball, "ball");
}

/* ------------------------------------------------------------------- steps */

static bool stands_on(const struct view *v, const char *step)
{
    for (unsigned i = 0; i < v->s->n_tokens; i++) {
        const struct token *t = &v->s->tokens[i];
        if (waiting(v, t) && strcmp(v->wf->steps[t->step].id, step) == 0) {
            return true;
        }
    }
    return false;
}

static void steps_text(const struct view *v, char text[TEXT_BYTES])
{
    text[0] = '\0';
    for (unsigned i = 0; i < v->s->n_tokens; i++) {
        if (waiting(v, &v->s->tokens[i])) {
            text_add(text, v->wf->steps[v->s->tokens[i].step].id);
        }
    }
}

static void check_steps(const struct view *v, const struct sto_conf *at)
{
    char found[TEXT_BYTES];
    bool ok = true;
    size_t n = 0, want = 0;
    if (!strings(v, at)) {
        return;
    }
    for (const struct sto_conf *c = at->child; c; c = c->next, want++) {
        if (play_step(v->p, c, c->s) == WF_NONE) {
            return;
        }
        ok = ok && stands_on(v, c->s);
    }
    for (unsigned i = 0; i < v->s->n_tokens; i++) {
        n += waiting(v, &v->s->tokens[i]);
    }
    if (!ok || n != want) {
        steps_text(v, found);
        play_err(v->p, at, "steps", "the case waits on [%s]", found);
    }
}

static const struct offer *newest_offer(const struct view *v, const struct token *t)
{
    const struct offer *newest = NULL;
    for (unsigned i = 0; i < v->s->n_offers; i++) {
        const struct offer *o = &v->s->offers[i];
        if (o->token == t->id && (!newest || o->id > newest->id)) {
            newest = o;
        }
    }
    return newest;
}

const char *place_phase_name(uint8_t phase)
{
    static const char *const names[] = {"none", "queued", "offered", "reserved", "occupied"};
    return phase <= PLACE_OCCUPIED ? names[phase] : "?";
}

/* The names that fit the token's state now: the offer's and the step's own. */
static void state_texts(const struct view *v, const struct token *t, const char *names[2])
{
    static const char *const seat[] = {"none", "queued", "invited", "recorded"};
    static const char *const meeting[] = {"none", "to-book", "booked"};
    static const char *const panel[] = {"none", "queued", "asked", "on-agenda"};
    enum step_type type = v->wf->steps[t->step].type;
    names[0] = names[1] = NULL;
    if (type == STEP_SESSION) {
        names[0] = t->phase <= SEAT_RECORDED ? seat[t->phase] : "?";
    } else if (type == STEP_MEETING) {
        names[0] = t->phase <= MEET_BOOKED ? meeting[t->phase] : "?";
    } else if (type == STEP_PANEL) {
        names[0] = t->phase <= PANEL_ON_AGENDA ? panel[t->phase] : "?";
    } else if (type == STEP_PLACE) {
        names[0] = place_phase_name(t->phase);
    } else if (type == STEP_HANDOVER || type == STEP_REFERRAL || type == STEP_CONSULT) {
        const struct offer *o = newest_offer(v, t);
        names[0] = o ? offer_state_name((enum offer_state)o->state) : "none";
        names[1] = handover_state_name((enum handover_state)t->phase);
    } else {
        names[0] = t->worker[0] ? "taken-up" : "open";
    }
}

static void check_state(const struct view *v, const struct sto_conf *at)
{
    const char *want = str_of(v, at), *names[2];
    const struct token *t = token_about(v);
    if (!want) {
        return;
    }
    if (!t) {
        play_err(v->p, at, "state", "no waiting step has a state, expected '%s'", want);
        return;
    }
    state_texts(v, t, names);
    if (!same_name(names[0], want) && !(names[1] && same_name(names[1], want))) {
        play_err(v->p, at, "state", "step '%s' is '%s'%s%s%s, expected '%s'",
                 v->wf->steps[t->step].id, names[0], names[1] ? " (handover '" : "",
                 names[1] ? names[1] : "", names[1] ? "')" : "", want);
    }
}

/* ------------------------------------------------------------------ clocks */

static uint16_t clock_scope(const struct view *v)
{
    return v->about_named && v->about ? v->about->id : 0;
}

static void check_clock(const struct view *v, const struct sto_conf *at)
{
    const char *want = str_of(v, at);
    const struct clock *k = earliest(v, clock_scope(v));
    const char *name = k ? clock_kind_name((enum clock_kind)k->kind) : "none";
    if (want && !same_name(name, want)) {
        play_err(v->p, at, "clock", "the earliest clock is '%s', expected '%s'", name, want);
    }
}

static void check_due(const struct view *v, const struct sto_conf *at)
{
    const struct clock *k = earliest(v, clock_scope(v));
    struct sto_err err = {0};
    int64_t want;
    const char *text = str_of(v, at);
    if (!text) {
        return;
    }
    if (sto_us_parse(text, &want, &err) != 0) {
        play_err(v->p, at, "time", "due: %s", err.what);
        return;
    }
    if (!k || k->due_us / MINUTE_US != want / MINUTE_US) {
        struct sto_local l = {0};
        sto_local_from_us(k ? k->due_us : 0, &l);
        play_err(v->p, at, "due",
                 "the earliest clock%s%s is due %04d-%02d-%02d %02d:%02d, expected %s",
                 k ? " " : " (none)", k ? clock_kind_name((enum clock_kind)k->kind) : "", l.year,
                 l.month, l.day, l.hour, l.minute, text);
    }
}

/* ----------------------------------------------------------------- outcome */

static void check_outcome(const struct view *v, const struct sto_conf *at)
{
    const char *want = str_of(v, at), *got = NULL;
    char found[TEXT_BYTES];
    if (!want) {
        return;
    }
    if (v->s->status != CASE_CLOSED) {
        steps_text(v, found);
        play_err(v->p, at, "outcome", "the case is open on [%s], expected the outcome '%s'", found,
                 want);
        return;
    }
    if (v->s->outcome_step < v->wf->n_steps) {
        got = v->wf->steps[v->s->outcome_step].outcome;
    }
    if (strcmp(got ? got : "closed", want) != 0) {
        play_err(v->p, at, "outcome", "the case ended as '%s', expected '%s'", got ? got : "closed",
                 want);
    }
}

/* ------------------------------------------------------------------- table */

static void check_nothing(const struct view *v, const struct sto_conf *at)
{
    (void)v;
    (void)at; /* `step` says what others are about; expect_all_cases() checks the others */
}

static const struct {
    const char *key;
    expect_fn *check;
} checks[] = {
    {"step", check_nothing},
    {"holders", check_nothing},
    {"holder", check_holder},
    {"sender", check_sender},
    {"ball", check_ball},
    {"steps", check_steps},
    {"state", check_state},
    {"clock", check_clock},
    {"due", check_due},
    {"sent", expect_sent},
    {"not-sent", expect_not_sent},
    {"released", expect_released},
    {"held-back", expect_held_back},
    {"clear", expect_clear},
    {"data", expect_data},
    {"outcome", check_outcome},
    {"waits-for", expect_waits_for},
    {"clocks", expect_clocks},
    {"places", expect_places},
    {"consents", expect_consents},
    {"count", expect_count},
    {"roles", expect_roles},
    {"workflow", expect_workflow},
    {"kept", expect_kept},
    {"left", expect_left},
    {"free", check_nothing},
    {"waiting", check_nothing},
};
#define CHECKS (sizeof checks / sizeof checks[0])

/* Whom `state`, `ball`, `clock` are about: expect.step, else the entry's step while it stands. */
static bool find_about(struct view *v, const struct sto_conf *entry, const struct sto_conf *expect)
{
    const struct sto_conf *named = sto_conf_get(expect, "step");
    const struct sto_conf *at = named ? named : sto_conf_get(entry, "step");
    const struct sto_conf *by = sto_conf_get(entry, "by");
    struct party actor = {0};
    if (!at || at->type != STO_CONF_STRING) {
        return !named;
    }
    if (by && by->type == STO_CONF_STRING && strcmp(by->s, "broker") != 0 &&
        !play_party(v->p, by, by->s, &actor)) {
        return false;
    }
    uint16_t step = play_step_of(v->p, at, at->s, actor.org);
    for (unsigned i = 0; i < v->s->n_tokens; i++) {
        if (v->s->tokens[i].step == step) {
            v->about = &v->s->tokens[i];
        }
    }
    v->about_named = named != NULL;
    v->step = step == WF_NONE ? NULL : v->wf->steps[step].id;
    if (named && !v->about && step != WF_NONE) {
        play_err(v->p, named, "steps", "the case does not wait on step '%s'", named->s);
        return false;
    }
    return step != WF_NONE;
}

void expect_check(struct play *p, const struct sto_conf *entry, const struct sto_conf *expect)
{
    const char *keys[CHECKS + 1] = {NULL};
    const struct play_case *c = play_case(p);
    struct view v = {.p = p, .wf = c->wf, .id = c->id, .s = world_case(p->w, &c->id)};
    for (size_t i = 0; i < CHECKS; i++) {
        keys[i] = checks[i].key;
    }
    if (expect->type != STO_CONF_GROUP) {
        play_err(p, expect, "wrong-type", "expect must be a group { }");
        return;
    }
    size_t errors = sto_diags_errors(p->l->diags);
    sto_conf_known(expect, keys, "expect", p->l->diags);
    STO_ASSERT(v.s); /* a timeline runs only on an open case */
    if (find_about(&v, entry, expect)) {
        for (size_t i = 0; i < CHECKS; i++) {
            const struct sto_conf *at = sto_conf_get(expect, checks[i].key);
            if (at) {
                checks[i].check(&v, at);
            }
        }
    }
    p->failed = p->failed || sto_diags_errors(p->l->diags) > errors;
}
