/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Opening a case: who may, what it is about, and who is responsible from the first instant.
 * A client has one responsible organisation: a case that is opened beside the client's lead
 * case is the lead holder's, and whoever opened it is its sender.
 */
#include <string.h>

#include "turn.h"

static int starter_role(struct turn *t, unsigned *role)
{
    for (unsigned i = 0; i < t->wf->n_roles; i++) {
        if (t->wf->start_by >> i & 1 && role_fits(t, i, t->in->actor.org)) {
            *role = i;
            return 0;
        }
    }
    return turn_fail(t, STO_E_NOT_ALLOWED, "this organisation does not start '%s'", t->wf->id);
}

void settings_take(struct turn *t)
{
    for (unsigned i = 0; i < t->wf->n_settings; i++) {
        const struct wf_setting *x = &t->wf->settings[i]; /* as the network says */
        struct sto_duration d = x->d_def;
        t->s->settings[i] =
            x->is_duration ? (int64_t)((uint64_t)d.unit << 32 | (uint32_t)d.n) : x->def;
    }
}

int home_take(struct turn *t)
{
    if (!t->in->home || !*t->in->home) {
        return 0;
    }
    const struct organisation *o = network_org_by_id(t->net, t->in->home);
    if (!o) {
        return turn_fail(t, STO_E_UNKNOWN_NAME, "no organisation '%s' for the client's home",
                         t->in->home);
    }
    t->s->home = o->number;
    return 0;
}

static uint32_t roles_named_at_start(const workflow_t *wf)
{
    uint32_t roles = 0;
    for (unsigned i = 0; i < wf->n_roles; i++) {
        enum choose c = wf->roles[i].choose;
        roles |= c == CHOOSE_STEP || c == CHOOSE_CALL || c == CHOOSE_DESK ? UINT32_C(1) << i : 0;
    }
    return roles;
}

static int start_names(struct turn *t)
{
    if (t->in->n_names == 0) {
        return 0;
    }
    uint32_t may = roles_named_at_start(t->wf), named = 0;
    for (unsigned i = 0; i < t->in->n_names; i++) {
        int ix = workflow_role(t->wf, t->in->names[i].role ? t->in->names[i].role : "");
        named |= ix >= 0 ? UINT32_C(1) << ix : 0;
    }
    return names_take(t, named & may);
}

/* Another organisation is responsible for the client already: the case is one beside it. */
static bool beside_lead(const struct turn *t)
{
    struct party lead = t->ctx->lead_holder;
    return t->wf->subject == SUBJECT_CLIENT && lead.org != 0 && lead.org != t->in->actor.org;
}

static int start_guard(struct turn *t)
{
    const struct organisation *o = network_org(t->net, t->in->actor.org);
    if (!o || !validity_holds(&o->valid, t->today)) {
        return turn_fail(t, STO_E_NOT_IN_FORCE, "the starting organisation is not in force today");
    }
    if (t->wf->subject != SUBJECT_CLIENT && !sto_uuid_is_zero(&t->in->client)) {
        return turn_fail(t, STO_E_FIELD, "a case of workflow '%s' is about no client", t->wf->id);
    }
    if (!o->may_hold && t->wf->subject == SUBJECT_CLIENT && !beside_lead(t)) {
        turn_fail(t, STO_E_NOT_ALLOWED, "organisation '%s' may not be responsible for a client",
                  o->id);
        turn_fix(t, "let the organisation that will be responsible start the case");
        return t->rc;
    }
    return 0;
}

static void parties_take(struct turn *t, unsigned role)
{
    struct case_state *s = t->s;
    struct party at = org_party(t->net, t->in->actor.org, t->wf->roles[role].service);
    if (t->in->actor.desk != 0) {
        at.desk = t->in->actor.desk;
    }
    s->holder = at;
    if (beside_lead(t)) { /* one organisation answers for a client */
        s->holder = t->ctx->lead_holder;
        s->sender = at;
    }
    s->ledger_since_us = t->now;
    role_set(t, role, at);
}

int case_start(struct turn *t)
{
    struct case_state *s = t->s;
    unsigned role = 0;
    if (start_guard(t) || starter_role(t, &role)) {
        return t->rc;
    }
    s->status = CASE_OPEN;
    memcpy(s->workflow, t->wf->hash, sizeof s->workflow);
    s->opened_us = t->now;
    s->client = t->in->client;
    parties_take(t, role);
    settings_take(t);
    if (home_take(t) || start_names(t) || fields_take(t, UINT64_MAX, t->wf->start_requires)) {
        return t->rc;
    }
    bool yes = true;
    if (condition_check(t, t->wf->start_when, &yes)) {
        return t->rc;
    }
    if (!yes) {
        return turn_fail(t, STO_E_CONDITION, "the workflow's start condition does not hold");
    }
    within_start(t, 0, t->now);
    sides_arm(t, 0, t->now);
    if (s->sender.org != 0) {
        note_to_holder(t);
    }
    walk_enter_first(t, 0, t->wf->first, t->wf->n_first);
    return t->rc;
}
