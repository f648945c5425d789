/* SPDX-License-Identifier: EUPL-1.2 */
/* Workflow files: conditions, that is the rules of decide steps and the condition of the start. */
#include <stdio.h>
#include <string.h>

#include "sto_limits.h"
#include "workflow_scope.h"

struct scope {
    struct wf_load *x;
    const char *sealed;      /* a sealed field was named */
    const char *bad_setting; /* a duration that no date takes */
    const char *per;         /* a field that has a value for each organisation */
    const char **names;
};

static const char *const CONSENT_STATES[] = {NULL, "given", "refused",
                                             "lost"}; /* as enum consent_state */

/* Codes that a called workflow declares and its caller does not: words that nothing equals. */
static void more_codes(struct wf_load *x, const char *name, struct expr_name *out)
{
    const struct sto_conf *d =
        sto_conf_get(sto_conf_get(wf_scope_workflow(x->scope)->root, "data"), name);
    const struct sto_conf *v = sto_conf_get(d, "values");
    unsigned max = out->n_values + (v ? (unsigned)v->n_children : 0), n = out->n_values;
    const char **all = load_alloc(&x->l, (max + 1) * sizeof(*all));
    if (!all || !v || x->scope->call == WF_ROOT) {
        return;
    }
    memcpy(all, out->values, n * sizeof(*all));
    for (v = v->child; v; v = v->next) {
        unsigned k = 0;
        while (k < n && v->type == STO_CONF_STRING && strcmp(all[k], v->s) != 0) {
            k++;
        }
        if (k == n && v->type == STO_CONF_STRING) {
            all[n++] = load_keep(&x->l, v->s);
        }
    }
    out->values = all;
    out->n_values = n;
}

static void field_meaning(struct scope *s, const char *name, unsigned ix, struct expr_name *out)
{
    static const enum expr_type TYPES[] = {
        [FIELD_INTEGER] = EXPR_INT,     [FIELD_BOOLEAN] = EXPR_BOOL, [FIELD_CODE] = EXPR_CODE,
        [FIELD_TEXT] = EXPR_TEXT,       [FIELD_DATE] = EXPR_DATE,    [FIELD_HETU] = EXPR_TEXT,
        [FIELD_DECIMAL] = EXPR_DECIMAL, [FIELD_PROFILE] = EXPR_TEXT};
    const struct wf_field *f = &s->x->w->fields[ix];
    *out =
        (struct expr_name){.type = TYPES[f->type], .ref = (uint16_t)ix, .domain = WF_DOMAIN_FIELD};
    if (f->type == FIELD_CODE) {
        out->values = f->values;
        out->n_values = f->n_values;
        more_codes(s->x, name, out);
    }
    if (f->sealed) {
        s->sealed = f->id;
    }
}

/* The step's exits at their indexes of exits[], with holes for those it has not. */
static void step_meaning(struct scope *s, unsigned ix, struct expr_name *out)
{
    const workflow_t *w = s->x->w;
    const struct wf_step *step = &w->steps[ix];
    const char **values = load_alloc(&s->x->l, w->n_exits * sizeof(*values));
    for (unsigned k = 0; values && k < step->n_exits; k++) {
        const char *exit = w->exits[step->exits[k].exit], *prefix = s->x->scope->prefix;
        size_t n = strlen(prefix); /* an event of a called workflow */
        values[step->exits[k].exit] = strncmp(exit, prefix, n) == 0 ? exit + n : exit;
    }
    *out = (struct expr_name){.type = EXPR_STEP,
                              .ref = (uint16_t)ix,
                              .domain = WF_DOMAIN_STEP,
                              .values = values,
                              .n_values = values ? w->n_exits : 0};
}

static void setting_meaning(struct scope *s, unsigned ix, struct expr_name *out)
{
    const struct wf_setting *t = &s->x->w->settings[ix];
    *out = (struct expr_name){.type = t->is_duration ? EXPR_DURATION : EXPR_INT,
                              .ref = (uint16_t)ix,
                              .domain = WF_DOMAIN_SETTING};
    if (t->is_duration && t->d_def.unit != STO_DAYS && t->d_def.unit != STO_WEEKS &&
        t->d_def.unit != STO_MONTHS && t->d_def.unit != STO_YEARS) {
        s->bad_setting = t->id;
    }
}

static unsigned lowest(uint64_t bits)
{
    unsigned k = 0;
    while (!(bits & (UINT64_C(1) << k))) {
        k++;
    }
    return k;
}

static bool lookup(const void *arg, const char *name, struct expr_name *out)
{
    struct scope *s = *(struct scope *const *)arg;
    struct wf_load *x = s->x;
    uint64_t fields = wf_find_fields(x, name);
    int f = wf_find_field(x, name);
    if (fields) {
        s->per = f < 0 ? name : s->per;
        field_meaning(s, name, f < 0 ? lowest(fields) : (unsigned)f, out);
        return true;
    }
    uint16_t step = wf_find_step(x, name);
    if (step != WF_NONE) {
        step_meaning(s, step, out);
        return true;
    }
    uint8_t consent = wf_find_consent(x, name), setting = wf_find_setting(x, name);
    if (consent != 0xff) {
        *out = (struct expr_name){.type = EXPR_CONSENT,
                                  .ref = consent,
                                  .domain = WF_DOMAIN_CONSENT,
                                  .values = CONSENT_STATES,
                                  .n_values = 4};
        return true;
    }
    if (setting != 0xff) {
        setting_meaning(s, setting, out);
        return true;
    }
    return false;
}

static const char *const *all_names(const void *arg)
{
    struct scope *s = *(struct scope *const *)arg;
    const struct wf_load *x = s->x;
    const char *const *all[] = {wf_names_of(x, NOUN_FIELD), wf_names_of_steps(x),
                                wf_names_of(x, NOUN_CONSENT), wf_names_of(x, NOUN_SETTING)};
    unsigned n = 0;
    for (unsigned k = 0; k < 4; k++) {
        for (unsigned j = 0; all[k][j]; j++) {
            n++;
        }
    }
    s->names = sto_arena_alloc(x->l.scratch, (n + 1u) * sizeof(*s->names));
    n = 0;
    for (unsigned k = 0; s->names && k < 4; k++) {
        for (unsigned j = 0; all[k][j]; j++) {
            s->names[n++] = all[k][j];
        }
    }
    return s->names;
}

static expr_t *condition(struct wf_load *x, const struct sto_conf *at)
{
    struct scope s = {.x = x};
    struct scope *sp = &s; /* the scope's argument is const, what it points at need not be */
    const struct expr_scope scope = {
        .lookup = lookup, .names = all_names, .arg = (const void *)&sp};
    struct sto_err err = {0};
    expr_t *e = NULL;
    if (at->type != STO_CONF_STRING) {
        load_err(&x->l, at, "wrong-type", "when must be a condition in quotes");
    } else if (expr_parse(at->s, &scope, x->l.arena, &e, &err)) {
        load_err(&x->l, at, "bad-condition", "when '%.100s': %s", at->s, err.what);
    } else if (s.sealed) {
        load_err(&x->l, at, "sealed-in-condition",
                 "when: field '%s' is sealed; the broker cannot read it", s.sealed);
    } else if (s.per) {
        load_err(&x->l, at, "outside-each",
                 "when: field '%s' has a value for each organisation; only a step inside the each "
                 "may read it",
                 s.per);
    } else if (s.bad_setting) {
        load_err(&x->l, at, "bad-condition",
                 "when: setting '%s' is not in days, weeks, months or years, which dates take",
                 s.bad_setting);
    }
    return e;
}

static void load_rule(struct wf_load *x, uint16_t ix, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"when", "to", NULL};
    struct wf_step *s = &x->w->steps[ix];
    if (c->type != STO_CONF_GROUP) {
        load_err(&x->l, c, "wrong-type", "a rule must be a group { when = \"…\"; to = \"…\"; }");
        return;
    }
    sto_conf_known(c, KEYS, "rule", x->l.diags);
    struct wf_rule *r = &s->rules[s->n_rules++];
    const struct sto_conf *when = sto_conf_get(c, "when"),
                          *to = sto_conf_need(c, "to", STO_CONF_STRING, x->l.diags);
    struct wf_exit target = {0};
    r->line = c->line;
    r->when = when ? condition(x, when) : NULL;
    r->when_text = when && when->type == STO_CONF_STRING ? load_keep(&x->l, when->s) : "";
    if (to && wf_target(x, to, to->s, ix, &target)) {
        r->kind = target.kind;
        r->step = target.step;
        r->leave = target.leave;
        if (target.kind == TARGET_STAY) {
            load_err(&x->l, to, "bad-target", "a rule cannot stay; a decide step runs at once");
        }
    }
    if (!when && c->next) {
        load_err(&x->l, c, "unreachable-rule", "rules after one without when are never reached");
    } else if (when && !c->next) {
        load_err(&x->l, c, "no-default-rule",
                 "decide '%s': the last rule must have no when, so that one always holds",
                 x->node[ix]->name);
    }
}

void wf_load_conditions(struct wf_load *x, const struct wf_scope *own)
{
    for (uint16_t k = 0; k < x->w->n_steps; k++) {
        x->scope = x->scope_of[k];
        if (x->w->steps[k].type != STEP_DECIDE) {
            continue;
        }
        const struct sto_conf *rules =
            sto_conf_need(x->node[k], "rules", STO_CONF_LIST, x->l.diags);
        if (rules && (rules->n_children == 0 || rules->n_children > WF_RULES_MAX)) {
            load_err(&x->l, rules, "too-many", "a decide step has 1 to %d rules", WF_RULES_MAX);
            continue;
        }
        for (const struct sto_conf *c = rules ? rules->child : NULL; c; c = c->next) {
            load_rule(x, k, c);
        }
    }
    x->scope = own;
    const struct sto_conf *when = sto_conf_get(sto_conf_get(x->root, "start"), "when");
    x->w->start_when_text = when && when->type == STO_CONF_STRING ? load_keep(&x->l, when->s) : "";
    if (when) {
        x->w->start_when = condition(x, when);
    }
}
