/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whether the names in a policy stand for something: a misspelt step would make
 * a rule silent, and a misspelt exit be refused only years later on the clock.
 */
#include <string.h>

#include "policy_event.h"
#include "policy_rules.h"

struct check {
    const policy_t *p;
    const struct policy_world *w;
    sto_diags_t *diags;
};

static void fault(struct check *x, int line, const char *code, const char *what, const char *name)
{
    sto_diag(x->diags, STO_SEV_ERROR, x->p->file, line, code, "%s '%s'", what, name);
}

const workflow_t *policy_workflow(const struct policy_world *w, const char *id)
{
    for (unsigned i = 0; i < w->n_workflows; i++) {
        if (strcmp(w->workflows[i]->id, id) == 0) {
            return w->workflows[i];
        }
    }
    return NULL;
}

static void check_column(struct check *x, const struct policy_value *v)
{
    if (v->type == VALUE_COLUMN && !records_has_column(x->w->records, v->text)) {
        fault(x, v->line, "unknown-column", "no file of records has a column", v->text);
    }
}

static void check_set(struct check *x, const struct policy_event *e, const workflow_t *wf,
                      const char *step)
{
    for (unsigned i = 0; i < e->n_set; i++) {
        check_column(x, &e->set[i].value);
        if (wf != NULL && policy_field(wf, step, e->set[i].name) == NULL) {
            fault(x, e->set[i].value.line, "unknown-field", "the workflow has no field",
                  e->set[i].name);
        }
    }
    for (unsigned i = 0; i < e->n_names; i++) {
        const struct policy_value *v = &e->names[i].value;
        check_column(x, v);
        if (wf != NULL && workflow_role(wf, e->names[i].name) < 0) {
            fault(x, v->line, "unknown-role", "the workflow has no role", e->names[i].name);
        }
        if (v->type == VALUE_TEXT && network_org_by_id(x->w->network, v->text) == NULL) {
            fault(x, v->line, "unknown-organisation", "the network has no organisation", v->text);
        }
    }
}

static void check_event(struct check *x, const struct policy_event *e, const workflow_t *wf,
                        const char *step)
{
    check_column(x, &e->exit);
    check_column(x, &e->reason);
    check_column(x, &e->name);
    check_column(x, &e->at);
    check_column(x, &e->not_before);
    /* A message's answers and a session's attendance are no exits of a step. */
    bool of_step = e->kind == EVENT_TASK_RESULT;
    if (of_step && wf != NULL && e->exit.type == VALUE_TEXT &&
        workflow_exit(wf, e->exit.text) < 0) {
        fault(x, e->exit.line, "unknown-exit", "the workflow has no exit", e->exit.text);
    }
    check_set(x, e, wf, step);
}

static void check_rule(struct check *x, const struct policy_rule *r)
{
    const workflow_t *wf = r->workflow != NULL ? policy_workflow(x->w, r->workflow) : NULL;

    if (r->workflow != NULL && wf == NULL) {
        fault(x, r->line, "unknown-workflow", "there is no workflow", r->workflow);
    }
    if (wf != NULL && r->step != NULL && workflow_step(wf, r->step) == WF_NONE) {
        fault(x, r->line, "unknown-step", "the workflow has no step", r->step);
    }
    for (unsigned i = 0; i < r->n_when; i++) {
        if (!records_has_column(x->w->records, r->when[i].name)) {
            fault(x, r->when[i].value.line, "unknown-column", "no file of records has a column",
                  r->when[i].name);
        }
        check_column(x, &r->when[i].value);
    }
    for (unsigned c = 0; c < r->n_choices; c++) {
        for (unsigned i = 0; i < r->choices[c].n_events; i++) {
            check_event(x, &r->choices[c].events[i], wf, r->step != NULL ? r->step : "");
        }
    }
}

int policy_check(const policy_t *p, const struct policy_world *w, sto_diags_t *diags)
{
    struct check x = {.p = p, .w = w, .diags = diags};
    size_t before = sto_diags_errors(diags);

    if (network_org_by_id(w->network, p->organisation) == NULL) {
        fault(&x, 1, "unknown-organisation", "the network has no organisation", p->organisation);
    }
    for (unsigned i = 0; i < p->n_rules; i++) {
        check_rule(&x, &p->rules[i]);
    }
    return sto_diags_errors(diags) == before ? 0 : -STO_E_CONFIG;
}
