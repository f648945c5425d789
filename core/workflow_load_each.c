/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Workflow files: each. One branch (a stage) for each organisation that its role may have; the
 * branches read the same steps, each in a scope in which the role's plain name is its own.
 */
#include <stdio.h>
#include <string.h>

#include "sto_limits.h"
#include "workflow_scope.h"

static const struct wf_scope *branch_scope(struct wf_load *x, uint16_t each, unsigned branch)
{
    struct wf_scope *s = sto_arena_alloc(x->l.scratch, sizeof(*s));
    char suffix[64];
    if (!s) {
        return NULL;
    }
    *s = *x->scope;
    (void)snprintf(suffix, sizeof(suffix), "%s#%u", x->scope->suffix, branch);
    s->up = x->scope;
    s->suffix = sto_arena_strdup(x->l.scratch, suffix);
    s->each = each;
    s->over = x->w->steps[each].over;
    s->branch = s->in_branch = (uint8_t)branch;
    s->aliases = NULL; /* those of the workflow around */
    s->n_aliases = 0;
    return s->suffix ? s : NULL;
}

static void collect_branch(struct wf_load *x, const struct sto_conf *c, uint16_t ix,
                           unsigned branch)
{
    const struct wf_scope *around = x->scope, *own = branch_scope(x, ix, branch);
    struct wf_step *each = &x->w->steps[ix];
    if (!own) {
        sto_diag(x->l.diags, STO_SEV_ERROR, c->file, c->line, "too-large",
                 "the workflow is too large");
        return;
    }
    x->scope = own;
    uint16_t stage = wf_new_step(x, c, ix, WF_NONE);
    if (stage != WF_NONE) {
        x->w->steps[stage].type = STEP_STAGE;
        each->first[each->n_first++] = stage;
        wf_collect(x, load_group(&x->l, c, "steps"), stage, WF_NONE);
    }
    x->scope = around;
}

void wf_collect_each(struct wf_load *x, const struct sto_conf *c, uint16_t ix)
{
    struct wf_step *s = &x->w->steps[ix];
    const char *over = load_need_str(&x->l, c, "over");
    const struct sto_conf *at = sto_conf_get(c, "over");
    uint8_t role = *over ? wf_party(x, at, over) : PARTY_NONE;
    if (role == PARTY_NONE) {
        return;
    }
    if (role >= x->w->n_roles || x->w->roles[role].many == 0) {
        load_err(&x->l, at, "bad-party",
                 "over: '%s' is no role with many; an each has a branch for each organisation of "
                 "one",
                 over);
        return;
    }
    s->over = role;
    for (unsigned k = 1; k <= x->w->roles[role].many; k++) {
        collect_branch(x, c, ix, k);
    }
}

void wf_load_each(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    sto_conf_need(c, "steps", STO_CONF_GROUP, x->l.diags);
    s->wait_for = (uint8_t)sto_conf_int(c, "wait-for", 0, 1, WF_FIRST_MAX, x->l.diags);
    if (s->wait_for > s->n_first && s->n_first) {
        load_err(&x->l, sto_conf_get(c, "wait-for"), "out-of-range",
                 "wait-for = %u, but there are at most %u branches", s->wait_for, s->n_first);
    }
}

void wf_load_branch(struct wf_load *x, uint16_t ix)
{
    struct wf_step *s = &x->w->steps[ix];
    wf_first(x, x->node[ix], ix, s->first, &s->n_first);
}

/* ------------------------------------------------------------------ exits */

struct exits {
    struct wf_exit v[STO_WF_EXITS_MAX];
    uint8_t n;
};

static void add(struct exits *out, uint8_t exit, enum target_kind kind, int line)
{
    for (unsigned k = 0; k < out->n; k++) {
        if (out->v[k].exit == exit) {
            return;
        }
    }
    if (out->n < STO_WF_EXITS_MAX) {
        out->v[out->n++] =
            (struct wf_exit){.exit = exit, .kind = kind, .leave = exit, .line = line};
    }
}

static void add_target(struct exits *out, enum target_kind kind, uint8_t leave, int line)
{
    if (kind == TARGET_JOIN) {
        add(out, EXIT_DONE, TARGET_JOIN, line);
    } else if (kind == TARGET_LEAVE) {
        add(out, leave, TARGET_LEAVE, line);
    }
}

/* By done a branch joins; by leave:EXIT of a step in it the whole each is left. */
void wf_load_branch_exits(struct wf_load *x, uint16_t ix)
{
    workflow_t *w = x->w;
    struct exits *out = sto_arena_alloc(x->l.scratch, sizeof(*out));
    if (!out) {
        return;
    }
    out->n = 0;
    for (unsigned k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        for (unsigned e = 0; s->stage == ix && s->host == WF_NONE && e < s->n_exits; e++) {
            add_target(out, s->exits[e].kind, s->exits[e].leave, s->exits[e].line);
        }
        for (unsigned r = 0; s->stage == ix && s->host == WF_NONE && r < s->n_rules; r++) {
            add_target(out, s->rules[r].kind, s->rules[r].leave, s->rules[r].line);
        }
    }
    w->steps[ix].exits = load_alloc(&x->l, (out->n + 1u) * sizeof(out->v[0]));
    if (w->steps[ix].exits) {
        memcpy(w->steps[ix].exits, out->v, out->n * sizeof(out->v[0]));
        w->steps[ix].n_exits = out->n;
    }
}
