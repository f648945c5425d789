/* SPDX-License-Identifier: EUPL-1.2 */
/* Workflow files: roles and settings. */
#include <inttypes.h>
#include <string.h>

#include "sto_limits.h"
#include "workflow_scope.h"

/* ------------------------------------------------------------------ roles */

struct kind_arg {
    struct wf_load *x;
    struct wf_role *r;
};

static void add_kind(void *arg, const struct sto_conf *at, const char *s)
{
    struct kind_arg *a = arg;
    if (load_check_id(&a->x->l, at, "kind", s)) {
        a->r->kinds[a->r->n_kinds++] = load_keep(&a->x->l, s);
    }
}

static void check_service(struct wf_load *x, const struct sto_conf *c, const char *id)
{
    const char *names[STO_SERVICES_MAX + 1] = {0};
    if (!*id || network_service_by_id(x->net, id)) {
        return;
    }
    for (unsigned k = 0; k < x->net->n_services; k++) {
        names[k] = x->net->services[k].id;
    }
    load_unknown(&x->l, sto_conf_get(c, "service"), "unknown-service", "service", id, names);
}

/* The organisations that a role with many may have are roles of their own, right behind it. */
static void load_many(struct wf_load *x, const struct sto_conf *c, const struct wf_role *base)
{
    const struct wf_role r = *base;
    workflow_t *w = x->w;
    if (r.choose != CHOOSE_STEP && r.choose != CHOOSE_DESK) {
        load_err(&x->l, sto_conf_get(c, "many"), "bad-value",
                 "many: role '%s' is chosen otherwise; give it choose = \"step\"", r.id);
    }
    if (w->n_roles + (unsigned)r.many > STO_WF_ROLES_MAX) {
        load_err(&x->l, c, "too-many",
                 "role '%s' counts as %u; a workflow has at most %u roles in all", r.id,
                 r.many + 1u, STO_WF_ROLES_MAX);
        return;
    }
    for (unsigned k = 1; k <= r.many; k++) {
        x->role_node[w->n_roles] = c;
        struct wf_role *b = &w->roles[w->n_roles++];
        *b = r;
        b->id = wf_scoped_branch(x, c, c->name, k);
        b->many = 0;
        b->branch = (uint8_t)k;
    }
}

static void load_role(struct wf_load *x, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"kind", "service",   "choose", "worker",
                                       "many", "agreement", NULL};
    static const char *const CHOOSE[] = {"start", "home", "free", "turn", "first-yes",
                                         "desk",  "call", "step", NULL};
    struct load *l = &x->l;
    sto_conf_known(c, KEYS, "role", l->diags);
    struct wf_role *r = &x->w->roles[x->w->n_roles++];
    r->id = wf_scoped(x, c, c->name);
    r->file = load_keep(l, c->file);
    r->line = c->line;
    r->call = WF_NONE;
    x->role_node[x->w->n_roles - 1] = c;
    struct kind_arg a = {x, r};
    if (load_strings(l, c, "kind", NET_KINDS_MAX, add_kind, &a) == 0) {
        load_err(l, c, "missing-key",
                 "role '%s': kind is missing; a role finds its organisation by kind", c->name);
    }
    r->service = load_str(l, c, "service", "", STO_NAME_BYTES_MAX);
    check_service(x, c, r->service);
    const char *choose = load_need_str(l, c, "choose");
    int k = *choose ? load_choice(l, sto_conf_get(c, "choose"), choose, "choose", CHOOSE) : -1;
    r->choose = (enum choose)(k + 1);
    r->agreement = sto_conf_bool(c, "agreement", false, l->diags);
    if (r->choose == CHOOSE_START && x->scope->call != WF_ROOT) {
        r->call = x->scope->call;
    }
    if (r->agreement && !*r->service) {
        load_err(l, sto_conf_get(c, "agreement"), "missing-key",
                 "agreement: role '%s' names no service that the agreement would be for", r->id);
    }
    const char *worker = load_str(l, c, "worker", "", STO_NAME_BYTES_MAX);
    r->named_worker = strcmp(worker, "named") == 0;
    if (*worker && !r->named_worker) {
        load_err(l, sto_conf_get(c, "worker"), "bad-value", "worker must be 'named', got '%s'",
                 worker);
    }
    r->many = (uint8_t)sto_conf_int(c, "many", 0, 2, WF_FIRST_MAX, l->diags);
    if (r->many) {
        load_many(x, c, r);
    }
}

void wf_load_roles(struct wf_load *x)
{
    const struct sto_conf *g = sto_conf_need(x->scope->root, "roles", STO_CONF_GROUP, x->l.diags);
    for (const struct sto_conf *c = wf_first_named(x, g ? g->child : NULL, "role"); c;
         c = wf_first_named(x, c->next, "role")) {
        if (wf_scope_alias(x->scope, NOUN_ROLE, c->name)) {
            continue;
        }
        if (strcmp(c->name, "holder") == 0 || strcmp(c->name, "sender") == 0 ||
            strcmp(c->name, "client") == 0) {
            load_err(&x->l, c, "reserved-name",
                     "role '%s' exists in every workflow; choose another name", c->name);
        } else if (!wf_room(x, c, x->w->n_roles, STO_WF_ROLES_MAX, "roles")) {
            return;
        } else {
            load_role(x, c);
        }
    }
}

/* ------------------------------------------------------------------ settings */

static void load_setting_number(struct wf_load *x, struct wf_setting *s, const struct sto_conf *c)
{
    sto_diags_t *d = x->l.diags;
    sto_conf_need(c, "default", STO_CONF_INT, d);
    s->min = sto_conf_int(c, "min", INT64_MIN, INT64_MIN, INT64_MAX, d);
    s->max = sto_conf_int(c, "max", INT64_MAX, INT64_MIN, INT64_MAX, d);
    s->def = sto_conf_int(c, "default", s->min, INT64_MIN, INT64_MAX, d);
    if (s->min > s->max || s->def < s->min || s->def > s->max) {
        load_err(&x->l, c, "out-of-range",
                 "setting '%s': default %" PRId64 " is not inside %" PRId64 "..%" PRId64, s->id,
                 s->def, s->min, s->max);
    }
}

static void load_setting_duration(struct wf_load *x, struct wf_setting *s, const struct sto_conf *c)
{
    struct load *l = &x->l;
    struct sto_duration minute = {1, STO_MINUTES}, years = {10, STO_YEARS};
    sto_conf_need(c, "default", STO_CONF_STRING, l->diags);
    s->is_duration = true;
    s->d_def = load_duration(l, c, "default", minute);
    s->d_min_minutes = sto_duration_minutes_about(load_duration(l, c, "min", minute));
    s->d_max_minutes = sto_duration_minutes_about(load_duration(l, c, "max", years));
    int64_t def = sto_duration_minutes_about(s->d_def);
    if (def < s->d_min_minutes || def > s->d_max_minutes) {
        load_err(l, c, "out-of-range", "setting '%s': default is not between min and max", s->id);
    }
}

static const char *workflow_of(const struct wf_load *x)
{
    const struct sto_conf *id = sto_conf_get(x->scope->root, "id");
    return id && id->type == STO_CONF_STRING ? id->s : "";
}

/* What the network says instead of the default; the engine reads the default only. */
static void apply_network(struct wf_load *x, struct wf_setting *s, const char *name)
{
    for (unsigned k = 0; k < x->net->n_settings; k++) {
        const struct network_setting *n = &x->net->settings[k];
        if (strcmp(n->workflow, workflow_of(x)) != 0 || strcmp(n->name, name) != 0) {
            continue;
        }
        int64_t v = n->is_duration ? sto_duration_minutes_about(n->d) : n->i;
        if (n->is_duration != s->is_duration) {
            sto_diag(x->l.diags, STO_SEV_ERROR, n->file, n->line, "wrong-type",
                     "setting '%s' of workflow '%s' is a %s", n->name, n->workflow,
                     s->is_duration ? "duration such as \"10 days\"" : "number");
        } else if (s->is_duration ? v < s->d_min_minutes || v > s->d_max_minutes
                                  : v < s->min || v > s->max) {
            sto_diag(x->l.diags, STO_SEV_ERROR, n->file, n->line, "out-of-range",
                     "setting '%s' is outside the limits of workflow '%s'", n->name, n->workflow);
        } else {
            s->def = n->i;
            s->d_def = n->d;
        }
    }
}

static void check_network_settings(struct wf_load *x)
{
    const struct sto_conf *g = sto_conf_get(x->scope->root, "settings");
    for (unsigned k = 0; k < x->net->n_settings; k++) {
        const struct network_setting *n = &x->net->settings[k];
        if (strcmp(n->workflow, workflow_of(x)) == 0 && !sto_conf_get(g, n->name)) {
            const struct sto_conf at = {.file = n->file, .line = n->line};
            load_unknown(&x->l, &at, "unknown-setting", "setting", n->name,
                         wf_names_of(x, NOUN_SETTING));
        }
    }
}

void wf_load_settings(struct wf_load *x)
{
    static const char *const KEYS[] = {"type", "default", "min", "max", "source", NULL};
    static const char *const TYPES[] = {"integer", "duration", NULL};
    const struct sto_conf *g = load_group(&x->l, x->scope->root, "settings");
    for (const struct sto_conf *c = wf_first_named(x, g ? g->child : NULL, "setting"); c;
         c = wf_first_named(x, c->next, "setting")) {
        if (wf_scope_alias(x->scope, NOUN_SETTING, c->name)) {
            continue;
        }
        if (!wf_room(x, c, x->w->n_settings, STO_WF_SETTINGS_MAX, "settings")) {
            break;
        }
        sto_conf_known(c, KEYS, "setting", x->l.diags);
        struct wf_setting *s = &x->w->settings[x->w->n_settings++];
        s->id = wf_scoped(x, c, c->name);
        const char *type = load_need_str(&x->l, c, "type");
        int k = *type ? load_choice(&x->l, sto_conf_get(c, "type"), type, "type", TYPES) : -1;
        if (k == 0) {
            load_setting_number(x, s, c);
        } else if (k == 1) {
            load_setting_duration(x, s, c);
        }
        (void)load_str(&x->l, c, "source", "", 200); /* for readers; checked, not kept */
        apply_network(x, s, c->name);
    }
    check_network_settings(x);
}
