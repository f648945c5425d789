/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checker: on every date on which cases begin, every role that works finds an organisation and
 * what was covered by a legal basis still is. Days are looked at where something of the network
 * ends or begins; what begins later than the first case may is no fault.
 */
#include <stdlib.h>

#include "check_parts.h"

#define DAYS_MAX 256u

struct days {
    int32_t day[DAYS_MAX];
    unsigned n;
};

static void day_add(struct days *d, int32_t day)
{
    unsigned i = 0;
    while (i < d->n && d->day[i] < day) {
        i++;
    }
    if (d->n == DAYS_MAX || (i < d->n && d->day[i] == day)) {
        return;
    }
    for (unsigned k = d->n++; k > i; k--) {
        d->day[k] = d->day[k - 1];
    }
    d->day[i] = day;
}

static void span_add(struct days *d, const struct validity *v)
{
    day_add(d, v->from_day);
    if (v->until_day != INT32_MAX) {
        day_add(d, v->until_day + 1);
    }
}

static bool found(const struct check *c, unsigned role, int32_t day)
{
    for (unsigned k = 0; k < c->net->n_orgs; k++) {
        if (check_candidate_on(c, role, &c->net->orgs[k], day)) {
            return true;
        }
    }
    return false;
}

static bool begins(const struct check *c, int32_t day)
{
    for (unsigned r = 0; r < c->w->n_roles; r++) {
        if ((c->w->start_by >> r & 1) && found(c, r, day)) {
            return true;
        }
    }
    return false;
}

static void check_role(struct check *c, const struct days *d, unsigned role)
{
    bool before = false;
    for (unsigned k = 0; k < d->n; k++) {
        bool now = found(c, role, d->day[k]);
        if (before && !now) {
            char text[16];
            sto_day_format(d->day[k], text, sizeof text);
            check_file_error(
                c, c->w->roles[role].file, c->w->roles[role].line, "role-ends",
                "from %s on role '%s' finds no organisation in network '%s', though cases "
                "begin; name a successor, or end the workflow",
                text, c->w->roles[role].id, c->net->id);
            return;
        }
        before = now;
    }
}

static bool basis_on(const struct check *c, unsigned role, unsigned category, int32_t day)
{
    for (unsigned k = 0; k < c->net->n_orgs; k++) {
        const struct organisation *o = &c->net->orgs[k];
        if (check_candidate_on(c, role, o, day) &&
            network_basis(c->net, c->w->purpose, o->number, category, day)) {
            return true;
        }
    }
    return false;
}

static void check_basis(struct check *c, const struct days *d, uint16_t ix, unsigned role)
{
    const workflow_t *w = c->w;
    const struct wf_step *s = &w->steps[ix];
    uint32_t categories = 0;
    for (unsigned f = 0; f < w->n_fields; f++) {
        categories |= s->carries >> f & 1 ? UINT32_C(1) << w->fields[f].category : 0;
    }
    for (unsigned cat = 0; cat < STO_CATEGORIES_MAX; cat++) {
        bool before = false;
        for (unsigned k = 0; (categories >> cat & 1) && k < d->n; k++) {
            bool now = basis_on(c, role, cat, d->day[k]);
            if (before && !now && found(c, role, d->day[k])) {
                char text[16];
                sto_day_format(d->day[k], text, sizeof text);
                check_step_warning(c, ix, s->line, "basis-ends",
                                   "from %s on no basis covers category '%s' of step '%s' for role "
                                   "'%s'; it will be held back",
                                   text, c->net->categories[cat], s->id, w->roles[role].id);
                break;
            }
            before = now;
        }
    }
}

void check_dates(struct check *c)
{
    const workflow_t *w = c->w;
    struct days all = {0}, d = {0};
    uint32_t used = w->start_by;
    day_add(&all, INT32_MIN);
    for (unsigned k = 0; k < c->net->n_orgs; k++) {
        span_add(&all, &c->net->orgs[k].valid);
    }
    for (unsigned k = 0; k < c->net->n_services; k++) {
        span_add(&all, &c->net->services[k].valid);
    }
    for (unsigned k = 0; k < c->net->n_bases; k++) {
        span_add(&all, &c->net->bases[k].valid);
    }
    for (unsigned k = 0; k < all.n; k++) {
        if (all.day[k] <= c->net->until_day && begins(c, all.day[k])) {
            d.day[d.n++] = all.day[k];
        }
    }
    for (uint16_t k = 0; k < w->n_steps && d.n > 1; k++) {
        uint32_t roles = check_uses(w, &w->steps[k]);
        used |= roles;
        for (unsigned r = 0; r < w->n_roles; r++) {
            if (roles >> r & 1) {
                check_basis(c, &d, k, r);
            }
        }
    }
    for (unsigned r = 0; r < w->n_roles && d.n > 1; r++) {
        if (used >> r & 1) {
            check_role(c, &d, r);
        }
    }
}
