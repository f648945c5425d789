/* SPDX-License-Identifier: EUPL-1.2 */
/* Workflow files: declared names, and that all of a workflow differ. */
#include <string.h>

#include "sto_limits.h"
#include "workflow_scope.h"

const struct sto_conf *wf_first_named(struct wf_load *x, const struct sto_conf *c, const char *what)
{
    for (; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(&x->l, c, "wrong-type", "%s '%s' must be a group { … }", what, c->name);
        } else if (load_check_id(&x->l, c, what, c->name)) {
            return c;
        }
    }
    return NULL;
}

bool wf_room(struct wf_load *x, const struct sto_conf *c, unsigned n, unsigned max,
             const char *what)
{
    if (n == max) {
        load_err(&x->l, c, "too-many", "a workflow has at most %u %s", max, what);
    }
    return n < max;
}

/* ------------------------------------------------------------------ names differ */

struct named {
    const char *id, *what;
    const struct sto_conf *at;
};
struct names {
    struct named v[512];
    unsigned n;
};

static void add(struct names *all, const char *id, const char *what, const struct sto_conf *at)
{
    if (all->n < sizeof(all->v) / sizeof(all->v[0])) {
        all->v[all->n++] = (struct named){id, what, at};
    }
}

static void add_group(struct names *all, const struct sto_conf *g, const char *what)
{
    for (const struct sto_conf *c = g && g->type == STO_CONF_GROUP ? g->child : NULL; c;
         c = c->next) {
        add(all, c->name, what, c);
    }
}

/* Steps of all stages, as the file has them. */
static void add_steps(struct names *all, const struct sto_conf *g)
{
    for (const struct sto_conf *c = g && g->type == STO_CONF_GROUP ? g->child : NULL; c;
         c = c->next) {
        add(all, c->name, "step", c);
        add_steps(all, sto_conf_get(c, "steps"));
        add_steps(all, sto_conf_get(c, "meanwhile"));
    }
}

static void check_name(struct wf_load *x, const struct names *all, unsigned a)
{
    static const char *const WORDS[] = {"and",   "or",   "not",   "is",   "in",   "set",
                                        "today", "true", "false", "join", "stay", NULL};
    const struct named *name = &all->v[a];
    for (unsigned b = 0; b < a; b++) {
        if (strcmp(name->id, all->v[b].id) == 0) {
            load_err(&x->l, name->at, "equal-names",
                     "%s '%s' has the name of the %s at line %d; all names of a workflow differ",
                     name->what, name->id, all->v[b].what, all->v[b].at->line);
            break;
        }
    }
    for (unsigned k = 0; WORDS[k]; k++) {
        if (strcmp(name->id, WORDS[k]) == 0) {
            load_err(&x->l, name->at, "reserved-name",
                     "%s '%s' is a word of the language; choose another name", name->what,
                     name->id);
        }
    }
}

void wf_check_names_differ(struct wf_load *x, const struct sto_conf *root)
{
    struct names *all = sto_arena_alloc(x->l.scratch, sizeof(*all));
    if (!all) {
        return;
    }
    all->n = 0;
    add_group(all, sto_conf_get(root, "data"), "field");
    add_group(all, sto_conf_get(root, "settings"), "setting");
    add_group(all, sto_conf_get(root, "consents"), "consent");
    add_group(all, sto_conf_get(root, "messages"), "message");
    add_steps(all, sto_conf_get(root, "steps"));
    add_steps(all, sto_conf_get(root, "meanwhile"));
    for (unsigned a = 0; a < all->n; a++) {
        check_name(x, all, a);
    }
}
