/* SPDX-License-Identifier: EUPL-1.2 */
/* What an entry of a scenario expects of the parts of a case: whose move, clocks, places, roles. */
#include <stdio.h>
#include <string.h>

#include "scenario_view.h"

/* ----------------------------------------------------------------- compare */

static char *found_add(struct found *f)
{
    return f->n < STO_CASE_CLOCKS_MAX ? f->text[f->n++] : f->text[STO_CASE_CLOCKS_MAX - 1];
}
#define FOUND_BYTES sizeof((struct found *)0)->text[0]

/* "step:te/intake" is also "step:te". */
static bool is_wanted(const char *got, const char *want)
{
    const char *slash = strchr(got, '/');
    size_t n = slash ? (size_t)(slash - got) : strlen(got);
    return strcmp(got, want) == 0 || (strlen(want) == n && strncmp(got, want, n) == 0);
}

void check_exactly(const struct view *v, const struct sto_conf *at, const char *code,
                   const struct found *f, const char *what)
{
    bool taken[STO_CASE_CLOCKS_MAX] = {false};
    unsigned hits = 0, wanted = 0;
    char text[TEXT_BYTES] = "";
    if (!strings(v, at)) {
        return;
    }
    for (const struct sto_conf *c = at->child; c; c = c->next, wanted++) {
        for (unsigned i = 0; i < f->n; i++) {
            if (!taken[i] && is_wanted(f->text[i], c->s)) {
                taken[i] = true;
                hits++;
                break;
            }
        }
    }
    if (hits == wanted && wanted == f->n) {
        return;
    }
    for (unsigned i = 0; i < f->n; i++) {
        text_add(text, f->text[i]);
    }
    play_err(v->p, at, code, "%s [%s]", what, text);
}

/* ------------------------------------------------------------------- whose */

void expect_waits_for(const struct view *v, const struct sto_conf *at)
{
    struct found f = {0};
    for (unsigned i = 0; i < v->s->n_tokens; i++) {
        const struct token *t = &v->s->tokens[i];
        if (waiting(v, t)) {
            char party[2 * STO_NAME_BYTES_MAX + 2];
            struct party ball = engine_ball(v->p->net, v->wf, v->s, t);
            (void)snprintf(found_add(&f), FOUND_BYTES, "%s:%s", v->wf->steps[t->step].id,
                           party_text(v->p, ball, true, party, sizeof party));
        }
    }
    check_exactly(v, at, "waits-for", &f, "the case waits for");
}

static void role_add(const struct view *v, struct found *f, struct party at)
{
    if (at.org) {
        (void)party_text(v->p, at, true, found_add(f), FOUND_BYTES);
    }
}

/* Organisations of one role: its own, or those of its branches. */
static void check_role(const struct view *v, const struct sto_conf *at, unsigned role)
{
    struct found f = {0};
    const struct wf_role *r = &v->wf->roles[role];
    if (at->type == STO_CONF_STRING) {
        check_party(v, at, v->s->roles[role].at, "roles");
        return;
    }
    for (unsigned i = 1; i <= r->many && role + i < v->wf->n_roles; i++) {
        role_add(v, &f, v->s->roles[role + i].at);
    }
    if (r->many == 0) {
        role_add(v, &f, v->s->roles[role].at);
    }
    check_exactly(v, at, "roles", &f, "the role is");
}

void expect_roles(const struct view *v, const struct sto_conf *at)
{
    if (at->type != STO_CONF_GROUP) {
        play_err(v->p, at, "wrong-type", "roles must be a group of roles and organisations");
        return;
    }
    for (const struct sto_conf *c = at->child; c; c = c->next) {
        int role = scope_need(v->p, c, SCOPE_ROLE, v->step, c->name);
        if (role >= 0) {
            check_role(v, c, (unsigned)role);
        }
    }
}

/* ------------------------------------------------------------------ clocks */

/* What the clock hangs on: its step; of a side clock the step that it will start. "" = the case. */
static const char *clock_of(const struct view *v, const struct clock *k)
{
    const struct token *t = k->token ? state_token(v->s, k->token) : NULL;
    const struct wf_step *w = t ? &v->wf->steps[t->step] : NULL;
    if (k->kind == CLOCK_CONSENT) {
        return k->side < v->wf->n_consents ? v->wf->consents[k->side].id : "?";
    }
    if (k->kind == CLOCK_SIDE) {
        uint16_t side = w ? w->sides[k->side] : v->wf->sides[k->side];
        return v->wf->steps[side].id;
    }
    return w ? w->id : "";
}

void expect_clocks(const struct view *v, const struct sto_conf *at)
{
    struct found f = {0};
    for (unsigned i = 0; i < v->s->n_clocks; i++) {
        const struct clock *k = &v->s->clocks[i];
        if (!k->paused) {
            const char *kind = clock_kind_name((enum clock_kind)k->kind), *of = clock_of(v, k);
            char *text = found_add(&f);
            (void)snprintf(text, FOUND_BYTES, "%s%s%s", kind, of[0] ? ":" : "", of);
            for (; *text && *text != ':'; text++) {
                *text = *text == '_' ? '-' : *text;
            }
        }
    }
    check_exactly(v, at, "clocks", &f, "the running clocks are");
}

/* ------------------------------------------------------------------- things */

void expect_places(const struct view *v, const struct sto_conf *at)
{
    struct found f = {0};
    for (unsigned i = 0; i < v->s->n_holdings; i++) {
        const struct holding *h = &v->s->holdings[i];
        const struct service *svc = network_service(v->p->net, h->service);
        (void)snprintf(found_add(&f), FOUND_BYTES, "%s:%s", svc ? svc->id : "?",
                       place_phase_name(h->phase));
    }
    check_exactly(v, at, "places", &f, "the case holds the places");
}

void expect_kept(const struct view *v, const struct sto_conf *at)
{
    struct found f = {0};
    for (unsigned i = 0; i < v->wf->n_messages; i++) {
        if (v->s->kept[i]) {
            (void)snprintf(found_add(&f), FOUND_BYTES, "%s", v->wf->messages[i].id);
        }
    }
    check_exactly(v, at, "kept", &f, "the messages kept are");
}

void expect_consents(const struct view *v, const struct sto_conf *at)
{
    static const char *const names[] = {"unasked", "given", "refused", "lost"};
    if (at->type != STO_CONF_GROUP) {
        play_err(v->p, at, "wrong-type", "consents must be a group of consents and states");
        return;
    }
    for (const struct sto_conf *c = at->child; c; c = c->next) {
        const char *want = str_of(v, c);
        int ix = scope_need(v->p, c, SCOPE_CONSENT, v->step, c->name);
        uint8_t state = ix < 0 ? 0 : v->s->consents[ix].state;
        const char *got = names[state <= CONSENT_LOST ? state : 0];
        if (ix >= 0 && want && strcmp(got, want) != 0) {
            play_err(v->p, c, "consents", "consent '%s' is '%s', expected '%s'", c->name, got,
                     want);
        }
    }
}

void expect_count(const struct view *v, const struct sto_conf *at)
{
    const struct token *t = token_about(v);
    if (at->type != STO_CONF_INT) {
        play_err(v->p, at, "wrong-type", "count must be a number");
    } else if (!t) {
        play_err(v->p, at, "count", "no waiting step counts");
    } else if (t->count != at->i) {
        play_err(v->p, at, "count", "step '%s' counts %u, expected %lld", v->wf->steps[t->step].id,
                 (unsigned)t->count, (long long)at->i);
    }
}

void expect_workflow(const struct view *v, const struct sto_conf *at)
{
    const char *want = str_of(v, at);
    if (want && strcmp(v->wf->id, want) != 0) {
        play_err(v->p, at, "workflow", "the case runs on workflow '%s', expected '%s'", v->wf->id,
                 want);
    }
}

/* Each "step:exit" must be the step's last exit. */
void expect_left(const struct view *v, const struct sto_conf *at)
{
    if (!strings(v, at)) {
        return;
    }
    for (const struct sto_conf *c = at->child; c; c = c->next) {
        char step[3 * STO_NAME_BYTES_MAX];
        const char *colon = strrchr(c->s, ':');
        (void)snprintf(step, sizeof step, "%.*s", colon ? (int)(colon - c->s) : 0, c->s);
        if (!colon) {
            play_err(v->p, c, "left", "'%s': write step:exit", c->s);
            continue;
        }
        uint16_t ix = play_step(v->p, c, step);
        const char *got = ix == WF_NONE ? NULL : v->wf->exits[v->s->last_exit[ix]];
        if (got && strcmp(got, colon + 1) != 0) {
            play_err(v->p, c, "left", "step '%s' was %s%s%s, expected '%s'", step,
                     got[0] ? "left by '" : "not left", got, got[0] ? "'" : "", colon + 1);
        }
    }
}
