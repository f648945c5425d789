/* SPDX-License-Identifier: EUPL-1.2 */
/* Names and what they mean, see workflow_scope.h. */
#include "workflow_scope.h"

#include <stdio.h>
#include <string.h>

#include "sto_limits.h"

/* A name in the case: its parts are far shorter than this. */
#define ID_BYTES 512

const struct wf_scope *wf_scope_workflow(const struct wf_scope *s)
{
    while (s->branch) {
        s = s->up;
    }
    return s;
}

const struct wf_alias *wf_scope_alias(const struct wf_scope *s, enum wf_noun noun, const char *name)
{
    const struct wf_scope *home = wf_scope_workflow(s);
    for (unsigned k = 0; k < home->n_aliases; k++) {
        if (home->aliases[k].noun == noun && strcmp(home->aliases[k].name, name) == 0) {
            return &home->aliases[k];
        }
    }
    return NULL;
}

/* id is prefix, name and nothing more. */
static bool is(const char *id, const struct wf_scope *s, const char *name)
{
    size_t n = strlen(s->prefix);
    return strncmp(id, s->prefix, n) == 0 && strcmp(id + n, name) == 0;
}

/* ------------------------------------------------------------------ finding */

uint16_t wf_find_step(const struct wf_load *x, const char *name)
{
    const struct wf_scope *s = x->scope;
    for (;; s = s->up) {
        char id[ID_BYTES];
        int n = snprintf(id, sizeof(id), "%s%s%s", s->prefix, name, s->suffix);
        uint16_t ix = n >= 0 && (size_t)n < sizeof(id) ? workflow_step(x->w, id) : WF_NONE;
        if (ix != WF_NONE || !s->branch) {
            return ix;
        }
    }
}

static uint8_t role_of_workflow(const struct wf_load *x, const char *name)
{
    const struct wf_scope *home = wf_scope_workflow(x->scope);
    const struct wf_alias *a = wf_scope_alias(home, NOUN_ROLE, name);
    if (a) {
        return a->ix;
    }
    for (unsigned k = 0; k < x->w->n_roles; k++) {
        if (!x->w->roles[k].branch && is(x->w->roles[k].id, home, name)) {
            return (uint8_t)k;
        }
    }
    return PARTY_NONE;
}

uint8_t wf_find_role(const struct wf_load *x, const char *name)
{
    uint8_t role = role_of_workflow(x, name);
    for (const struct wf_scope *s = x->scope; s->branch; s = s->up) {
        if (s->over == role) {
            return (uint8_t)(role + s->branch);
        }
    }
    return role;
}

uint64_t wf_find_fields(const struct wf_load *x, const char *name)
{
    const workflow_t *w = x->w;
    const struct wf_scope *home = wf_scope_workflow(x->scope);
    const struct wf_alias *a = wf_scope_alias(home, NOUN_FIELD, name);
    size_t before = strlen(home->prefix), n = strlen(name);
    uint64_t bits = 0;
    if (a) {
        return UINT64_C(1) << a->ix;
    }
    for (unsigned k = 0; k < w->n_fields; k++) {
        const struct wf_field *f = &w->fields[k];
        if (strncmp(f->id, home->prefix, before) != 0 || strncmp(f->id + before, name, n) != 0 ||
            f->id[before + n] != (f->branch ? '#' : '\0')) {
            continue;
        }
        const struct wf_scope *s = x->scope;
        while (s->branch && (!f->branch || s->over != f->per)) {
            s = s->up;
        }
        if (!f->branch || !s->branch || s->branch == f->branch) {
            bits |= UINT64_C(1) << k;
        }
    }
    return bits;
}

int wf_find_field(const struct wf_load *x, const char *name)
{
    uint64_t bits = wf_find_fields(x, name);
    int ix = -1;
    for (int k = 0; bits && k < (int)STO_WF_FIELDS_MAX; k++) {
        if (bits == UINT64_C(1) << k) {
            ix = k;
        }
    }
    return ix;
}

uint8_t wf_find_setting(const struct wf_load *x, const char *name)
{
    const struct wf_scope *home = wf_scope_workflow(x->scope);
    const struct wf_alias *a = wf_scope_alias(home, NOUN_SETTING, name);
    for (unsigned k = 0; !a && k < x->w->n_settings; k++) {
        if (is(x->w->settings[k].id, home, name)) {
            return (uint8_t)k;
        }
    }
    return a ? a->ix : 0xff;
}

uint8_t wf_find_consent(const struct wf_load *x, const char *name)
{
    const struct wf_scope *home = wf_scope_workflow(x->scope);
    const struct wf_alias *a = wf_scope_alias(home, NOUN_CONSENT, name);
    for (unsigned k = 0; !a && k < x->w->n_consents; k++) {
        if (is(x->w->consents[k].id, home, name)) {
            return (uint8_t)k;
        }
    }
    return a ? a->ix : 0xff;
}

uint8_t wf_find_message(const struct wf_load *x, const char *name)
{
    const struct wf_scope *home = wf_scope_workflow(x->scope);
    const struct wf_alias *a = wf_scope_alias(home, NOUN_MESSAGE, name);
    for (unsigned k = 0; !a && k < x->w->n_messages; k++) {
        if (is(x->w->messages[k].id, home, name)) {
            return (uint8_t)k;
        }
    }
    return a ? a->ix : 0xff;
}

/* ------------------------------------------------------------------ names for "did you mean" */

static const struct sto_conf *declared(const struct wf_load *x, enum wf_noun noun)
{
    static const char *const GROUPS[] = {[NOUN_ROLE] = "roles",
                                         [NOUN_FIELD] = "data",
                                         [NOUN_SETTING] = "settings",
                                         [NOUN_CONSENT] = "consents",
                                         [NOUN_MESSAGE] = "messages"};
    return sto_conf_get(wf_scope_workflow(x->scope)->root, GROUPS[noun]);
}

const char *const *wf_names_of(const struct wf_load *x, enum wf_noun noun)
{
    static const char *const NONE[] = {NULL};
    const struct sto_conf *g = declared(x, noun);
    if (!g || g->type != STO_CONF_GROUP) {
        return NONE;
    }
    const char **names = sto_arena_alloc(x->l.scratch, (g->n_children + 1) * sizeof(*names));
    unsigned n = 0;
    for (const struct sto_conf *c = g->child; names && c; c = c->next) {
        names[n++] = c->name;
    }
    return names ? names : NONE;
}

const char *const *wf_names_of_steps(const struct wf_load *x)
{
    static const char *const NONE[] = {NULL};
    const struct wf_scope *home = wf_scope_workflow(x->scope);
    const char **names = sto_arena_alloc(x->l.scratch, (x->w->n_steps + 1u) * sizeof(*names));
    unsigned n = 0;
    for (unsigned k = 0; names && k < x->w->n_steps; k++) {
        if (wf_scope_workflow(x->scope_of[k]) == home) {
            names[n++] = x->node[k]->name;
        }
    }
    return names ? names : NONE;
}

/* ------------------------------------------------------------------ names in the case */

static const char *keep(struct wf_load *x, const struct sto_conf *at, const char *id, int n)
{
    if (n > (int)STO_NAME_BYTES_MAX) {
        load_err(&x->l, at, "bad-name",
                 "the name '%.80s…' comes to %d characters in the case, at most %u fit; shorten "
                 "the names that it is made of",
                 id, n, STO_NAME_BYTES_MAX);
    }
    return load_keep(&x->l, id);
}

const char *wf_scoped(struct wf_load *x, const struct sto_conf *at, const char *name)
{
    char id[ID_BYTES];
    int n = snprintf(id, sizeof(id), "%s%s%s", x->scope->prefix, name, x->scope->suffix);
    return keep(x, at, id, n);
}

const char *wf_scoped_branch(struct wf_load *x, const struct sto_conf *at, const char *name,
                             unsigned branch)
{
    char id[ID_BYTES];
    int n = snprintf(id, sizeof(id), "%s%s#%u", wf_scope_workflow(x->scope)->prefix, name, branch);
    return keep(x, at, id, n);
}
