/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Workflow files: call. The called workflow's steps stand inside the call as in a stage, in a scope
 * of their own; its ends are ways to leave the call, its own `on`, `within` and `meanwhile` are the
 * call's. A field that is given or taken is the caller's own field under another name.
 */
#include <stdio.h>
#include <string.h>

#include "sto_limits.h"
#include "workflow_bundle.h"
#include "workflow_scope.h"

static const char *text_of(const struct sto_conf *g, const char *key, const char *fallback)
{
    const struct sto_conf *c = sto_conf_get(g, key);
    return c && c->type == STO_CONF_STRING ? c->s : fallback;
}

/* ------------------------------------------------------------------ finding */

/* The group `workflow` of the called one; NULL, reported, if there is none that fits. */
static const struct sto_conf *find_called(struct wf_load *x, const struct sto_conf *c,
                                          const struct sto_conf **texts)
{
    const char *id = load_need_str(&x->l, c, "workflow");
    const struct sto_conf *at = sto_conf_get(c, "workflow");
    if (!*id) {
        return NULL;
    }
    for (const struct wf_scope *s = x->scope; s; s = s->up) {
        if (strcmp(text_of(s->root, "id", ""), id) == 0) {
            load_err(&x->l, at, "circle", "workflow '%s' calls itself%s; a call may not turn back",
                     id, s->root == x->scope->root ? "" : " through others");
            return NULL;
        }
    }
    const struct sto_conf *root =
        workflow_called(x->called, "workflow", id, x->root->file, x->l.scratch);
    *texts = workflow_called(x->called_texts, "texts", id, x->root->file, x->l.scratch);
    if (!root) {
        load_unknown(&x->l, at, "unknown-workflow", "workflow", id,
                     workflow_called_ids(x->called, x->l.scratch));
    }
    return root;
}

static void check_head(struct wf_load *x, struct wf_step *s, const struct sto_conf *c,
                       const struct sto_conf *root)
{
    const char *id = text_of(root, "id", "");
    const struct sto_conf *v = sto_conf_get(root, "version");
    wf_check_root_keys(x, root);
    sto_conf_need(c, "version", STO_CONF_INT, x->l.diags);
    s->calls = load_keep(&x->l, id);
    s->calls_version = (uint32_t)sto_conf_int(c, "version", 0, 1, UINT32_MAX, x->l.diags);
    if (s->calls_version && v && v->type == STO_CONF_INT && v->i != s->calls_version) {
        load_err(&x->l, sto_conf_get(c, "version"), "other-version",
                 "workflow '%s' has version %lld here; say version = %lld once its changes are "
                 "read",
                 id, (long long)v->i, (long long)v->i);
    }
    const char *subject = text_of(root, "subject", "client"),
               *own = text_of(x->root, "subject", "client");
    if (strcmp(subject, own) != 0) {
        load_err(&x->l, c, "bad-value",
                 "workflow '%s' is about a %s, this one about a %s; a call stays with the case's "
                 "subject",
                 id, subject, own);
    }
}

/* ------------------------------------------------------------------ names that pass */

static void add_alias(struct wf_scope *inner, enum wf_noun noun, const char *name, unsigned ix)
{
    if (inner->n_aliases < WF_ALIASES_MAX) {
        inner->aliases[inner->n_aliases++] =
            (struct wf_alias){.noun = noun, .ix = (uint8_t)ix, .name = name};
    }
}

/* A key of roles, gives or takes: what the called workflow declares. */
static const struct sto_conf *declared(struct wf_load *x, const struct wf_scope *inner,
                                       const struct sto_conf *c, enum wf_noun noun)
{
    bool role = noun == NOUN_ROLE;
    const struct sto_conf *d =
        sto_conf_get(sto_conf_get(inner->root, role ? "roles" : "data"), c->name);
    if (d && d->type == STO_CONF_GROUP) {
        return d;
    }
    const struct wf_scope *around = x->scope;
    x->scope = inner;
    load_unknown(&x->l, c, role ? "unknown-role" : "unknown-field",
                 role ? "role of the called workflow" : "field of the called workflow", c->name,
                 wf_names_of(x, noun));
    x->scope = around;
    return NULL;
}

static void pass_role(struct wf_load *x, struct wf_scope *inner, const struct sto_conf *at,
                      const struct sto_conf *d, uint8_t party)
{
    bool many = party < x->w->n_roles && x->w->roles[party].many;
    if (party == PARTY_NONE) {
        return;
    }
    if (party == PARTY_CLIENT || many != (sto_conf_get(d, "many") != NULL)) {
        load_err(&x->l, at, "bad-party",
                 "role '%s' of the called workflow is %s, what stands for it is %s", d->name,
                 sto_conf_get(d, "many") ? "several organisations" : "one organisation",
                 party == PARTY_CLIENT ? "the client"
                 : many                ? "several"
                                       : "one");
        return;
    }
    add_alias(inner, NOUN_ROLE, d->name, party);
}

static void pass_roles(struct wf_load *x, struct wf_scope *inner, const struct sto_conf *c)
{
    const struct sto_conf *g = load_group(&x->l, c, "roles"),
                          *all = sto_conf_get(inner->root, "roles");
    for (const struct sto_conf *r = g ? g->child : NULL; r; r = r->next) {
        const struct sto_conf *d = declared(x, inner, r, NOUN_ROLE);
        if (r->type != STO_CONF_STRING) {
            load_err(&x->l, r, "wrong-type", "roles: '%s' must be a role of this workflow \"…\"",
                     r->name);
        } else if (d) {
            pass_role(x, inner, r, d, wf_party(x, r, r->s));
        }
    }
    for (const struct sto_conf *d = all && all->type == STO_CONF_GROUP ? all->child : NULL; d;
         d = d->next) {
        uint8_t party = wf_find_role(x, d->name);
        if (d->type != STO_CONF_GROUP || sto_conf_get(g, d->name)) {
            continue;
        }
        pass_role(x, inner, c, d, party);
        if (party == PARTY_NONE && strcmp(text_of(d, "choose", ""), "call") == 0) {
            load_err(&x->l, c, "missing-role",
                     "role '%s' of workflow '%s' is the caller's to name; write roles : { %s = "
                     "\"…\"; }",
                     d->name, text_of(inner->root, "id", ""), d->name);
        }
    }
}

static bool has_code(const struct sto_conf *values, const char *code)
{
    if (values && values->type == STO_CONF_STRING) {
        return strcmp(values->s, code) == 0;
    }
    for (const struct sto_conf *v = values ? values->child : NULL; v; v = v->next) {
        if (v->type == STO_CONF_STRING && strcmp(v->s, code) == 0) {
            return true;
        }
    }
    return false;
}

/* Whatever comes across is known on the other side. */
static bool codes_fit(const struct wf_field *f, const struct sto_conf *values, bool taken)
{
    unsigned common = 0;
    for (unsigned k = 0; k < f->n_values; k++) {
        common += has_code(values, f->values[k]);
    }
    size_t theirs = values && values->type != STO_CONF_STRING ? values->n_children : 1;
    return taken ? common == theirs : common == f->n_values;
}

static bool same_field(const struct wf_field *f, const struct sto_conf *d, bool taken)
{
    static const char *const TYPES[] = {
        [FIELD_INTEGER] = "integer", [FIELD_BOOLEAN] = "boolean", [FIELD_CODE] = "code",
        [FIELD_TEXT] = "text",       [FIELD_DATE] = "date",       [FIELD_HETU] = "hetu",
        [FIELD_DECIMAL] = "decimal", [FIELD_PROFILE] = "profile"};
    const struct sto_conf *sealed = sto_conf_get(d, "sealed"), *values = sto_conf_get(d, "values");
    bool is_sealed = sealed && sealed->type == STO_CONF_BOOL && sealed->i;
    if (strcmp(TYPES[f->type], text_of(d, "type", "")) != 0 || f->sealed != is_sealed ||
        sto_conf_get(d, "per")) {
        return false;
    }
    if (f->type == FIELD_PROFILE) {
        return strcmp(f->instrument, text_of(d, "instrument", "")) == 0;
    }
    return f->type != FIELD_CODE || f->sealed || codes_fit(f, values, taken);
}

static void pass_field(struct wf_load *x, struct wf_scope *inner, const struct sto_conf *r,
                       bool taken)
{
    const struct sto_conf *d = declared(x, inner, r, NOUN_FIELD);
    if (r->type != STO_CONF_STRING) {
        load_err(&x->l, r, "wrong-type", "'%s' must be a field of this workflow \"…\"", r->name);
        return;
    }
    int f = wf_find_field(x, r->s);
    if (f < 0) {
        wf_unknown_field(x, r, r->s);
        return;
    }
    const struct wf_alias *given = d ? wf_scope_alias(inner, NOUN_FIELD, d->name) : NULL;
    if (d && !same_field(&x->w->fields[f], d, taken)) {
        load_err(&x->l, r, "wrong-type",
                 "field '%s' does not fit field '%s' of the called workflow (%s:%d): type, sealed "
                 "and instrument are equal, there is no per, and codes that %s are known %s",
                 r->s, d->name, d->file, d->line, taken ? "come back" : "are given",
                 taken ? "here" : "there");
    } else if (given && given->ix != f) {
        load_err(&x->l, r, "bad-value", "'%s' is given '%s' and taken as another field", r->name,
                 x->w->fields[given->ix].id);
    } else if (d && !given) {
        add_alias(inner, NOUN_FIELD, d->name, (unsigned)f);
    }
}

static void pass_fields(struct wf_load *x, struct wf_scope *inner, const struct sto_conf *c)
{
    static const char *const GROUPS[] = {"gives", "takes"};
    for (unsigned k = 0; k < 2; k++) {
        const struct sto_conf *g = load_group(&x->l, c, GROUPS[k]);
        for (const struct sto_conf *r = g ? g->child : NULL; r; r = r->next) {
            pass_field(x, inner, r, k == 1);
        }
    }
}

static bool same_answers(const struct wf_message *m, const struct sto_conf *d)
{
    const struct sto_conf *a = sto_conf_get(d, "answers");
    unsigned n = 0, all = 0;
    if (a && a->type == STO_CONF_STRING) {
        return m->n_answers == 1 && strcmp(m->answers[0], a->s) == 0;
    }
    for (const struct sto_conf *c = a ? a->child : NULL; c; c = c->next, all++) {
        for (unsigned k = 0; c->type == STO_CONF_STRING && k < m->n_answers; k++) {
            n += strcmp(m->answers[k], c->s) == 0;
        }
    }
    return n == all && n == m->n_answers;
}

/* What has the same name here and there is the same thing, as the caller declares it. */
static void pass_same(struct wf_load *x, struct wf_scope *inner, const char *group,
                      enum wf_noun noun)
{
    const struct sto_conf *g = sto_conf_get(inner->root, group);
    for (const struct sto_conf *d = g && g->type == STO_CONF_GROUP ? g->child : NULL; d;
         d = d->next) {
        uint8_t ix = noun == NOUN_SETTING   ? wf_find_setting(x, d->name)
                     : noun == NOUN_CONSENT ? wf_find_consent(x, d->name)
                                            : wf_find_message(x, d->name);
        if (ix == 0xff) {
            continue;
        }
        bool same = noun == NOUN_SETTING
                        ? x->w->settings[ix].is_duration ==
                              (strcmp(text_of(d, "type", ""), "duration") == 0)
                        : noun != NOUN_MESSAGE || same_answers(&x->w->messages[ix], d);
        if (!same) {
            load_err(&x->l, d, "wrong-type",
                     "'%s' stands in '%s' too, declared otherwise (%s); call one of them "
                     "differently",
                     d->name, text_of(wf_scope_workflow(x->scope)->root, "id", ""),
                     noun == NOUN_SETTING ? "type" : "answers");
        }
        add_alias(inner, noun, d->name, ix);
    }
}

/* ------------------------------------------------------------------ collecting */

static struct wf_scope *new_scope(struct wf_load *x, uint16_t ix, const struct sto_conf *root,
                                  const struct sto_conf *texts)
{
    struct wf_scope *s = sto_arena_alloc(x->l.scratch, sizeof(*s));
    struct wf_alias *aliases = sto_arena_alloc(x->l.scratch, WF_ALIASES_MAX * sizeof(*aliases));
    size_t n = strlen(x->w->steps[ix].id) + 2;
    char *prefix = sto_arena_alloc(x->l.scratch, n);
    if (!s || !aliases || !prefix) {
        sto_diag(x->l.diags, STO_SEV_ERROR, root->file, root->line, "too-large",
                 "the workflow is too large");
        return NULL;
    }
    (void)snprintf(prefix, n, "%s.", x->w->steps[ix].id);
    *s = (struct wf_scope){.up = x->scope,
                           .root = root,
                           .texts = texts,
                           .prefix = prefix,
                           .suffix = "",
                           .call = ix,
                           .each = x->scope->each,
                           .in_branch = x->scope->in_branch,
                           .over = 0xff,
                           .aliases = aliases};
    return s;
}

void wf_collect_call(struct wf_load *x, const struct sto_conf *c, uint16_t ix)
{
    const struct wf_scope *around = x->scope;
    const struct sto_conf *texts = NULL, *root = find_called(x, c, &texts);
    struct wf_scope *inner = root ? new_scope(x, ix, root, texts) : NULL;
    if (!inner) {
        return;
    }
    check_head(x, &x->w->steps[ix], c, root);
    pass_roles(x, inner, c);
    pass_fields(x, inner, c);
    pass_same(x, inner, "settings", NOUN_SETTING);
    pass_same(x, inner, "consents", NOUN_CONSENT);
    pass_same(x, inner, "messages", NOUN_MESSAGE);
    x->inner[ix] = x->scope = inner;
    wf_load_roles(x);
    wf_load_settings(x);
    wf_load_fields(x);
    wf_load_messages(x);
    wf_load_consents(x);
    wf_check_names_differ(x, root);
    wf_collect(x, sto_conf_need(root, "steps", STO_CONF_GROUP, x->l.diags), ix, WF_NONE);
    wf_collect(x, load_group(&x->l, root, "meanwhile"), x->w->steps[ix].stage, ix);
    x->scope = around;
}

const char *wf_called_end(const struct wf_load *x, const char *name)
{
    const struct wf_scope *home = wf_scope_workflow(x->scope);
    if (home->call == WF_ROOT) {
        return NULL;
    }
    const struct sto_conf *c = sto_conf_get(sto_conf_get(home->root, "steps"), name);
    return strcmp(text_of(c, "type", ""), "end") == 0 ? text_of(c, "outcome", name) : NULL;
}

/* ------------------------------------------------------------------ the step */

/* What the called workflow's start requires must come along. */
static void check_requires(struct wf_load *x, const struct sto_conf *c,
                           const struct wf_scope *inner)
{
    const struct sto_conf *r = sto_conf_get(sto_conf_get(inner->root, "start"), "requires");
    bool one = r && r->type == STO_CONF_STRING;
    for (const struct sto_conf *f = one ? r : r ? r->child : NULL; f; f = one ? NULL : f->next) {
        if (f->type == STO_CONF_STRING && !sto_conf_get(sto_conf_get(c, "gives"), f->s) &&
            !sto_conf_get(sto_conf_get(c, "takes"), f->s)) {
            load_err(&x->l, c, "missing-key",
                     "workflow '%s' begins with field '%s'; write gives : { %s = \"…\"; }",
                     text_of(inner->root, "id", ""), f->s, f->s);
        }
    }
}

void wf_load_call(struct wf_load *x, struct wf_step *s, const struct sto_conf *c, uint16_t ix)
{
    const struct wf_scope *around = x->scope, *inner = x->inner[ix];
    if (!inner) {
        return;
    }
    check_requires(x, c, inner);
    x->scope = inner;
    const struct sto_conf *start = sto_conf_need(inner->root, "start", STO_CONF_GROUP, x->l.diags);
    if (start) {
        wf_first(x, start, ix, s->first, &s->n_first);
    }
    if (!sto_conf_get(c, "within")) {
        s->n_within = (uint8_t)wf_within(x, inner->root, s->within);
    }
    x->scope = around;
}

/* ------------------------------------------------------------------ exits */

/* An `on` further out takes the event first. */
static bool named_outside(const workflow_t *w, const struct wf_step *s, unsigned exit)
{
    while (s) {
        uint16_t up = s->host != WF_NONE ? s->host : s->stage;
        s = up == WF_ROOT ? NULL : &w->steps[up];
        if (s && workflow_step_exit(s, exit)) {
            return true;
        }
    }
    for (unsigned k = 0; k < w->n_exits_on; k++) {
        if (w->exits_on[k].exit == exit) {
            return true;
        }
    }
    return false;
}

/* The called workflow's own `on`, behind what the call itself names. */
void wf_load_call_exits(struct wf_load *x, uint16_t ix)
{
    workflow_t *w = x->w;
    struct wf_step *s = &w->steps[ix];
    const struct wf_scope *around = x->scope, *inner = x->inner[ix];
    const struct sto_conf *on = inner ? load_group(&x->l, inner->root, "on") : NULL;
    if (!on || on->n_children + s->n_exits > STO_WF_EXITS_MAX) {
        return;
    }
    struct wf_exit *all = load_alloc(&x->l, (on->n_children + s->n_exits + 1) * sizeof(*all));
    if (!all) {
        return;
    }
    if (s->n_exits) {
        memcpy(all, s->exits, s->n_exits * sizeof(*all));
    }
    s->exits = all;
    x->scope = inner;
    for (const struct sto_conf *e = on->child; e; e = e->next) {
        struct wf_exit *out = &all[s->n_exits];
        *out = (struct wf_exit){0};
        wf_load_exit(x, e, ix, out);
        bool own_clock = out->exit == EXIT_EXPIRED && sto_conf_get(x->node[ix], "within");
        if (!own_clock && !workflow_step_exit(s, out->exit) &&
            !(workflow_exit_is_event(w, out->exit) && named_outside(w, s, out->exit))) {
            s->n_exits++;
        }
    }
    x->scope = around;
}

/* ------------------------------------------------------------------ checking */

static bool inside(const workflow_t *w, const struct wf_step *s, uint16_t call)
{
    while (s) {
        uint16_t up = s->host != WF_NONE ? s->host : s->stage;
        if (up == call) {
            return true;
        }
        s = up == WF_ROOT || up == WF_NONE ? NULL : &w->steps[up];
    }
    return false;
}

/* A field that is given and not taken stays as it is. */
static void check_gives(struct wf_load *x, uint16_t ix, const struct sto_conf *c)
{
    const workflow_t *w = x->w;
    const struct sto_conf *gives = sto_conf_get(c, "gives"), *takes = sto_conf_get(c, "takes");
    uint64_t collected = 0;
    for (unsigned k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        if (!inside(w, s, ix)) {
            continue;
        }
        collected |= s->collects | s->asks_for;
        for (unsigned e = 0; e < s->n_exits; e++) {
            collected |= s->exits[e].collects;
        }
    }
    for (const struct sto_conf *r = gives && gives->type == STO_CONF_GROUP ? gives->child : NULL; r;
         r = r->next) {
        const struct wf_alias *a = wf_scope_alias(x->inner[ix], NOUN_FIELD, r->name);
        if (a && !sto_conf_get(takes, r->name) && (collected & (UINT64_C(1) << a->ix))) {
            load_err(&x->l, r, "given-collected",
                     "gives: the called workflow collects '%s', which would change '%s' here; "
                     "write takes : { %s = \"%s\"; } as well if that is meant",
                     r->name, w->fields[a->ix].id, r->name,
                     r->type == STO_CONF_STRING ? r->s : "…");
        }
    }
}

static void check_ends(struct wf_load *x, uint16_t ix, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"type", "outcome", "records", "continues", NULL};
    const struct wf_step *s = &x->w->steps[ix];
    const struct sto_conf *steps = sto_conf_get(x->inner[ix]->root, "steps");
    unsigned ends = 0;
    for (const struct sto_conf *e = steps && steps->type == STO_CONF_GROUP ? steps->child : NULL; e;
         e = e->next) {
        if (strcmp(text_of(e, "type", ""), "end") != 0) {
            continue;
        }
        ends++;
        sto_conf_known(e, KEYS, "end", x->l.diags);
        if (sto_conf_get(e, "continues")) {
            load_err(
                &x->l, sto_conf_get(e, "continues"), "end-inside",
                "workflow '%s' is called from %s:%d; a called workflow cannot go on in another",
                s->calls, c->file, c->line);
            continue;
        }
        const char *outcome = load_need_str(&x->l, e, "outcome");
        int exit = *outcome ? workflow_exit(x->w, outcome) : 0;
        if (exit < 0 || (exit && !workflow_step_exit(s, (unsigned)exit))) {
            load_err(&x->l, c, "missing-exit",
                     "call '%s' does not say what follows outcome '%s' of workflow '%s'; write on "
                     ": { %s = \"…\"; }",
                     c->name, outcome, s->calls, outcome);
        }
    }
    if (ends == 0) {
        load_err(&x->l, c, "no-end", "workflow '%s' has no end, so that the call is never over",
                 s->calls);
    }
}

void wf_check_call(struct wf_load *x, uint16_t ix)
{
    const struct sto_conf *c = x->node[ix];
    if (!x->inner[ix]) {
        return;
    }
    check_ends(x, ix, c);
    check_gives(x, ix, c);
}

bool wf_is_outcome(const struct wf_load *x, uint16_t ix, const char *exit)
{
    const struct sto_conf *steps = x->inner[ix] ? sto_conf_get(x->inner[ix]->root, "steps") : NULL;
    for (const struct sto_conf *e = steps && steps->type == STO_CONF_GROUP ? steps->child : NULL; e;
         e = e->next) {
        if (strcmp(text_of(e, "type", ""), "end") == 0 &&
            strcmp(text_of(e, "outcome", ""), exit) == 0) {
            return true;
        }
    }
    return false;
}
