/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Contents inside a decision: fields that an event brings, and conditions over them.
 * The facts that come out hold bits of fields, never values.
 */
#include <string.h>

#include "turn.h"

static bool field_value(const struct turn *t, unsigned ix, struct field_value *out)
{
    if (t->fresh >> ix & 1) {
        *out = t->fresh_v[ix];
        return true;
    }
    if (t->data && t->data->v[ix].set) {
        *out = t->data->v[ix];
        return true;
    }
    return false;
}

int fields_take(struct turn *t, uint64_t allowed, uint64_t required)
{
    for (unsigned i = 0; i < t->in->n_fields; i++) {
        unsigned ix = 0;
        struct field_value v;
        struct sto_err err;
        int rc = field_check(t->wf, &t->in->fields[i], &ix, &v, &err);
        if (rc) {
            return turn_fail(t, (enum sto_code) - rc, "%s", err.what);
        }
        if (!(allowed >> ix & 1)) {
            return turn_fail(t, STO_E_FIELD, "field '%s' is not collected here",
                             t->wf->fields[ix].id);
        }
        if (t->fresh >> ix & 1) {
            return turn_fail(t, STO_E_FIELD, "field '%s' came twice", t->wf->fields[ix].id);
        }
        t->fresh |= UINT64_C(1) << ix;
        t->fresh_v[ix] = v;
    }
    t->s->fields_set |= t->fresh;
    t->out->fields_set |= t->fresh;
    uint64_t missing = required & ~t->s->fields_set;
    for (unsigned i = 0; missing != 0 && i < t->wf->n_fields; i++) {
        if (missing >> i & 1) {
            return turn_fail(t, STO_E_MISSING_FIELD, "field '%s' is needed", t->wf->fields[i].id);
        }
    }
    return 0;
}

uint64_t exit_allows(const struct wf_step *w, const struct wf_exit *x)
{
    return w->collects | (x ? x->collects : 0);
}

uint64_t exit_requires(const struct wf_step *w, const struct wf_exit *x)
{
    return x && x->collects ? x->collects : w->collects;
}

/* Fields that steps addressed to the actor may bring: what a late answer may still fill. */
static uint64_t actor_collects(const struct turn *t)
{
    uint64_t may = 0;
    for (unsigned i = 0; i < t->wf->n_steps; i++) {
        const struct wf_step *w = &t->wf->steps[i];
        bool offer =
            w->type == STEP_HANDOVER || w->type == STEP_REFERRAL || w->type == STEP_CONSULT;
        uint8_t who = offer ? w->to[0] : step_addressee(w);
        if (actor_is(t, party_known(t, who))) {
            may |= w->collects;
            may |= w->type == STEP_MEASURE && w->field < STO_WF_FIELDS_MAX ? UINT64_C(1) << w->field
                                                                           : 0;
            for (unsigned k = 0; k < w->n_exits; k++) {
                may |= w->exits[k].collects;
            }
        }
        for (unsigned k = 0; k < w->n_parts; k++) {
            may |= actor_is(t, party_known(t, w->parts[k].party)) ? w->parts[k].fields : 0;
        }
        for (unsigned k = 0; k < w->n_asks; k++) {
            may |= actor_is(t, party_known(t, w->asks[k])) ? w->asks_for : 0;
        }
    }
    return may;
}

void fields_fill_late(struct turn *t)
{
    enum event_kind k = t->in->kind;
    bool answers = k == EVENT_TASK_RESULT || k == EVENT_ANSWER || k == EVENT_REPORT ||
                   k == EVENT_PANEL_ANSWER || k == EVENT_PLAN_PART;
    if (!answers || t->s->status != CASE_OPEN) {
        return;
    }
    uint64_t may = actor_collects(t) & ~t->s->fields_set;
    for (unsigned i = 0; i < t->in->n_fields; i++) {
        unsigned ix = 0;
        struct field_value v;
        struct sto_err err;
        if (field_check(t->wf, &t->in->fields[i], &ix, &v, &err) == 0 && may >> ix & 1) {
            t->out->fields_set |= UINT64_C(1) << ix;
        }
    }
    t->s->fields_set |= t->out->fields_set;
}

void data_merge(const workflow_t *wf, struct case_data *d, const struct input *in,
                const struct fact *f)
{
    for (unsigned i = 0; i < in->n_fields; i++) {
        unsigned ix = 0;
        struct field_value v;
        struct sto_err err;
        if (field_check(wf, &in->fields[i], &ix, &v, &err) == 0 && f->fields_set >> ix & 1) {
            d->v[ix] = v;
        }
    }
}

/* ------------------------------------------------------------------ conditions */

static void get_field(const struct turn *t, uint16_t ref, struct expr_value *out)
{
    struct field_value v;
    if (ref >= t->wf->n_fields || !field_value(t, ref, &v)) {
        return;
    }
    out->set = true;
    out->i = v.i;
    if (v.s && (t->wf->fields[ref].type == FIELD_TEXT || t->wf->fields[ref].type == FIELD_HETU)) {
        /* texts are compared as NUL-terminated; the arena owns the copy */
        out->s = sto_arena_strndup(t->ctx->arena, (const char *)v.s, v.n);
        out->set = out->s != NULL;
    }
}

static void get_name(const void *arg, uint8_t domain, uint16_t ref, struct expr_value *out)
{
    const struct turn *t = arg;
    switch ((enum wf_domain)domain) {
    case WF_DOMAIN_FIELD:
        get_field(t, ref, out);
        return;
    case WF_DOMAIN_STEP:
        out->set = ref < STO_WF_STEPS_MAX && t->s->last_exit[ref] != EXIT_NONE;
        out->i = out->set ? t->s->last_exit[ref] : 0;
        return;
    case WF_DOMAIN_CONSENT:
        out->set = ref < STO_WF_CONSENTS_MAX && t->s->consents[ref].state != CONSENT_UNASKED;
        out->i = out->set ? t->s->consents[ref].state : 0;
        return;
    case WF_DOMAIN_SETTING:
        out->set = ref < STO_WF_SETTINGS_MAX;
        out->i = out->set ? t->s->settings[ref] : 0;
        return;
    }
}

int condition_check(struct turn *t, const expr_t *e, bool *out)
{
    *out = true;
    if (!e) {
        return 0;
    }
    struct expr_env env = {.get = get_name, .arg = t, .today = t->today};
    struct sto_err err;
    int rc = expr_eval(e, &env, out, &err);
    return rc ? turn_fail(t, (enum sto_code) - rc, "%s", err.what) : 0;
}

bool condition_holds(struct turn *t, const expr_t *e)
{
    if (!e) {
        return true;
    }
    struct expr_env env = {.get = get_name, .arg = t, .today = t->today};
    bool yes = false;
    struct sto_err err;
    /* A clock must never be stuck on a value that is not there: the rule does not hold. */
    return expr_eval(e, &env, &yes, &err) == 0 && yes;
}

int64_t date_field_us(const struct turn *t, unsigned field, bool end_of_day)
{
    struct field_value v;
    if (field >= t->wf->n_fields || !field_value(t, field, &v) || v.i < INT32_MIN / 2 ||
        v.i > INT32_MAX / 2) {
        return INT64_MIN;
    }
    return sto_day_start_us((int32_t)v.i + (end_of_day ? 1 : 0));
}
