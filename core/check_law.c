/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checker: what no legal basis of the network and no consent would let through, consents that
 * nobody asks for, and absences that a voluntary service would tell. What is given on a path is the
 * explorer's.
 */
#include <string.h>

#include "check_parts.h"

#define BIT(i)   (UINT32_C(1) << (i))
#define BIT64(i) (UINT64_C(1) << (i))

static bool basis_covers(const struct check *c, const struct organisation *o, unsigned category)
{
    for (unsigned k = 0; k < c->net->n_bases; k++) {
        const struct basis *b = &c->net->bases[k];
        bool receiver = false;
        for (unsigned j = 0; j < b->n_receiver_orgs; j++) {
            receiver = receiver || b->receiver_orgs[j] == o->number;
        }
        for (unsigned j = 0; j < b->n_receiver_kinds; j++) {
            receiver = receiver || organisation_is(o, b->receiver_kinds[j]);
        }
        if (receiver && (b->categories & BIT(category)) && strcmp(b->purpose, c->w->purpose) == 0) {
            return true;
        }
    }
    return false;
}

static bool same_role(const workflow_t *w, unsigned a, unsigned b)
{
    return a == b || (w->roles[a].branch && a - w->roles[a].branch == b) ||
           (w->roles[b].branch && b - w->roles[b].branch == a);
}

static bool consent_covers(const struct wf_consent *x, const workflow_t *w, unsigned role,
                           unsigned category)
{
    for (unsigned j = 0; j < x->n_to; j++) {
        if (x->to[j] < w->n_roles && same_role(w, x->to[j], role) &&
            (x->categories & BIT(category))) {
            return true;
        }
    }
    return false;
}

static bool covered(const struct check *c, const struct wf_step *s, unsigned role,
                    unsigned category)
{
    const workflow_t *w = c->w;
    for (unsigned k = 0; k < w->n_consents; k++) {
        bool counts = s->needs == 0xff || s->needs == k;
        if (counts && consent_covers(&w->consents[k], w, role, category)) {
            return true;
        }
    }
    for (unsigned k = 0; s->needs == 0xff && k < c->net->n_orgs; k++) {
        if (check_candidate(c, role, &c->net->orgs[k]) &&
            basis_covers(c, &c->net->orgs[k], category)) {
            return true;
        }
    }
    return false;
}

static void law_of(struct check *c, uint16_t ix, unsigned role)
{
    const struct wf_step *s = &c->w->steps[ix];
    uint32_t told = 0;
    for (unsigned f = 0; f < c->w->n_fields; f++) {
        const struct wf_field *field = &c->w->fields[f];
        if (!(s->carries & BIT64(f)) || (told & BIT(field->category)) ||
            covered(c, s, role, field->category)) {
            continue;
        }
        told |= BIT(field->category);
        check_step_warning(
            c, ix, s->line, "no-basis",
            "step '%s' carries '%s' to role '%s', but no basis for '%s' and category "
            "'%s' covers it; it will be held back",
            s->id, field->id, c->w->roles[role].id, c->w->purpose, field->category_id);
    }
}

/* ------------------------------------------------------------------ consents */

static bool asked(const workflow_t *w, unsigned consent)
{
    for (unsigned k = 0; k < w->n_steps; k++) {
        if (w->steps[k].type == STEP_CONSENT && w->steps[k].consent == consent) {
            return true;
        }
    }
    return false;
}

static void check_needs(struct check *c, uint16_t ix)
{
    const struct wf_step *s = &c->w->steps[ix];
    if (s->needs < c->w->n_consents && !asked(c->w, s->needs)) {
        check_step_error(c, ix, s->line, "never-asked",
                         "step '%s' needs consent '%s', which no step asks for; write a consent "
                         "step before it",
                         s->id, c->w->consents[s->needs].id);
    }
}

/* ------------------------------------------------------------------ voluntary services */

static bool voluntary(const struct check *c, const struct wf_step *s)
{
    const struct service *v = s->type == STEP_SESSION ? network_service(c->net, s->service) : NULL;
    return (s->type == STEP_SESSION || s->type == STEP_MEETING) && !s->obliging &&
           !(v && v->obliging);
}

/* A notice that comes of itself after an absence, to others than who is responsible. */
static uint16_t absence_told(const struct check *c, uint16_t ix, struct edge from)
{
    const workflow_t *w = c->w;
    bool seen[STO_WF_STEPS_MAX] = {0};
    uint16_t queue[STO_WF_STEPS_MAX];
    unsigned head = 0, tail = 0;
    struct landing l = check_land(w, ix, &from);
    if (l.kind == LAND_STEP) {
        seen[l.step] = true;
        queue[tail++] = l.step;
    }
    while (head < tail) {
        uint16_t at = queue[head++];
        const struct wf_step *s = &w->steps[at];
        struct edge edges[CHECK_EDGES_MAX];
        for (unsigned k = 0; s->type == STEP_NOTIFY && k < s->n_to; k++) {
            if (s->to[k] < w->n_roles || s->to[k] == PARTY_SENDER) {
                return at;
            }
        }
        unsigned n =
            s->type == STEP_NOTIFY || s->type == STEP_DECIDE ? check_edges(w, at, edges) : 0;
        for (unsigned e = 0; e < n; e++) {
            l = check_land(w, at, &edges[e]);
            if (l.kind == LAND_STEP && !seen[l.step]) {
                seen[l.step] = true;
                queue[tail++] = l.step;
            }
        }
    }
    return WF_NONE;
}

static void check_absence(struct check *c, uint16_t ix)
{
    const workflow_t *w = c->w;
    const struct wf_step *s = &w->steps[ix];
    struct edge edges[CHECK_EDGES_MAX];
    unsigned n = voluntary(c, s) ? check_edges(w, ix, edges) : 0;
    for (unsigned e = 0; e < n; e++) {
        bool absence = edges[e].exit == EXIT_ABSENT || edges[e].exit == EXIT_NO_SHOW;
        uint16_t told = absence ? absence_told(c, ix, edges[e]) : WF_NONE;
        if (told != WF_NONE) {
            check_step_error(c, ix, edges[e].line, "absence-told",
                             "%s '%s' is voluntary, but '%s' tells its '%s' to others than the "
                             "holder; let the holder choose, or mark it obliging if it is",
                             step_type_name(s->type), s->id, w->steps[told].id,
                             w->exits[edges[e].exit]);
        }
    }
}

static void check_session(struct check *c, uint16_t ix)
{
    const struct wf_step *s = &c->w->steps[ix];
    const struct service *service =
        s->type == STEP_SESSION ? network_service(c->net, s->service) : NULL;
    if (!service) {
        return;
    }
    const struct organisation *o = network_org(c->net, service->org);
    if (s->obliging && !service->obliging) {
        check_step_error(c, ix, s->line, "voluntary-service",
                         "session '%s' is obliging, but service '%s' of the network is voluntary: "
                         "no absence may be told",
                         s->id, service->id);
    }
    if (o && s->role < c->w->n_roles && !check_candidate(c, s->role, o)) {
        check_step_warning(c, ix, s->line, "other-organiser",
                           "session '%s': service '%s' is organised by '%s', which is no "
                           "organisation of role '%s'",
                           s->id, service->id, o->id, c->w->roles[s->role].id);
    }
}

void check_law(struct check *c)
{
    const workflow_t *w = c->w;
    for (uint16_t k = 0; k < w->n_steps; k++) {
        uint32_t receivers = check_uses(w, &w->steps[k]);
        for (unsigned r = 0; r < w->n_roles; r++) {
            if (receivers & BIT(r)) {
                law_of(c, k, r);
            }
        }
        check_needs(c, k);
        check_session(c, k);
        check_absence(c, k);
    }
}
