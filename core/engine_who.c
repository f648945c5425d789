/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Who: organisations of the network, roles and their binding, and whether the actor
 * takes part. A role is bound when first needed; afterwards only an exit's `names`
 * (or the holder's choice of a receiver) binds it anew. What one event may be made
 * by whom stands with the event.
 */
#include <string.h>

#include "turn.h"

bool party_same(struct party a, struct party b)
{
    return a.org == b.org && a.desk == b.desk;
}

bool actor_is(const struct turn *t, struct party p)
{
    return t->in->actor.org != 0 && t->in->actor.org == p.org;
}

bool actor_is_broker(const struct turn *t)
{
    return t->in->actor.org == 0;
}

bool actor_takes_part(const struct turn *t)
{
    const struct case_state *s = t->before;
    if (actor_is(t, s->holder) || actor_is(t, s->sender)) {
        return true;
    }
    for (unsigned i = 0; i < STO_WF_ROLES_MAX; i++) {
        if (actor_is(t, s->roles[i].at)) {
            return true;
        }
    }
    for (unsigned i = 0; i < s->n_tokens; i++) {
        if (actor_is(t, s->tokens[i].at)) {
            return true;
        }
    }
    for (unsigned i = 0; i < s->n_offers; i++) {
        if (actor_is(t, s->offers[i].to)) {
            return true;
        }
    }
    return false;
}

void worker_set(char *worker, const char *name)
{
    size_t n = name ? strlen(name) : 0;
    if (n >= STATE_WORKER_MAX) { /* cut between two characters, not inside one */
        n = STATE_WORKER_MAX - 1;
        while (n > 0 && ((unsigned char)name[n] & 0xc0u) == 0x80u) {
            n--;
        }
    }
    memset(worker, 0, STATE_WORKER_MAX); /* states are compared: no byte may be left over */
    for (size_t i = 0; name && i < n; i++) {
        worker[i] = name[i];
    }
}

/* ------------------------------------------------------------------ organisations */

struct party org_party(const network_t *net, uint16_t org, const char *service)
{
    const struct organisation *o = network_org(net, org);
    if (!o) {
        return (struct party){0};
    }
    const struct service *v = service && *service ? network_service_by_id(net, service) : NULL;
    const struct provider *p = v ? service_provider(v, org) : NULL;
    return (struct party){.org = org,
                          .desk = p                ? p->desk
                                  : o->n_desks > 0 ? o->desks[0].number
                                                   : 0};
}

static bool gives_service(const struct turn *t, uint16_t org, const char *service)
{
    const struct service *v = network_service_by_id(t->net, service);
    return v && validity_holds(&v->valid, t->today) && service_provider(v, org);
}

/* An agreement is in force as long as the service that stands on it is valid. */
static bool has_agreement(const struct turn *t, const struct wf_role *r, uint16_t org)
{
    for (unsigned i = 0; i < t->net->n_services; i++) {
        const struct service *v = &t->net->services[i];
        bool same = !r->service || !*r->service || strcmp(v->id, r->service) == 0;
        if (same && service_provider(v, org) && v->agreement && *v->agreement &&
            validity_holds(&v->valid, t->today)) {
            return true;
        }
    }
    return false;
}

bool role_fits(const struct turn *t, unsigned role, uint16_t org)
{
    const struct wf_role *r = &t->wf->roles[role];
    const struct organisation *o = network_org(t->net, org);
    if (!o || !validity_holds(&o->valid, t->today)) {
        return false;
    }
    bool kind = r->n_kinds == 0;
    for (unsigned i = 0; i < r->n_kinds && !kind; i++) {
        kind = organisation_is(o, r->kinds[i]);
    }
    return kind && (!r->agreement || has_agreement(t, r, org)) &&
           (!r->service || !*r->service || gives_service(t, org, r->service));
}

/* ------------------------------------------------------------------ roles */

/* 2 = the client's municipality itself, 1 = lies in it or serves everywhere, 0 = elsewhere. */
static int home_rank(const struct turn *t, const struct organisation *o)
{
    const struct organisation *home = network_org(t->net, t->s->home);
    if (home && home->number == o->number) {
        return 2;
    }
    if (!o->municipality || !*o->municipality) {
        return 1;
    }
    return home && (strcmp(o->municipality, home->municipality) == 0 ||
                    strcmp(o->municipality, home->id) == 0);
}

/*
 * Whose turn it is, so that cases fall evenly on all that fit. No case sees the others: the
 * case's own id says it, which is the same whenever it is asked.
 */
static uint16_t role_in_turn(const struct turn *t, unsigned role)
{
    unsigned n = 0, k = 0;
    for (unsigned i = 0; i < t->net->n_orgs; i++) {
        n += role_fits(t, role, t->net->orgs[i].number);
    }
    for (size_t i = 0; i < sizeof t->ctx->case_id.b; i++) {
        k = k * 31u + t->ctx->case_id.b[i];
    }
    for (unsigned i = 0, seen = 0; n > 0 && i < t->net->n_orgs; i++) {
        if (role_fits(t, role, t->net->orgs[i].number) && seen++ == k % n) {
            return t->net->orgs[i].number;
        }
    }
    return 0;
}

static uint16_t role_choose(const struct turn *t, unsigned role)
{
    enum choose choose = t->wf->roles[role].choose;
    if (choose == CHOOSE_TURN) {
        return role_in_turn(t, role);
    }
    if (choose != CHOOSE_HOME && choose != CHOOSE_FREE) {
        return 0;
    }
    uint16_t best = 0;
    int best_rank = 0;
    for (unsigned i = 0; i < t->net->n_orgs; i++) {
        const struct organisation *o = &t->net->orgs[i];
        int rank = choose == CHOOSE_FREE ? 1 : home_rank(t, o);
        if (rank > best_rank && role_fits(t, role, o->number)) {
            best = o->number;
            best_rank = rank;
        }
    }
    return best;
}

void role_set(struct turn *t, unsigned role, struct party p)
{
    if (t->s->roles[role].at.org != p.org) {
        worker_set(t->s->roles[role].worker, NULL);
    }
    t->s->roles[role].at = p;
}

struct party role_bind(struct turn *t, unsigned role)
{
    struct party at = t->s->roles[role].at;
    const char *service = t->wf->roles[role].service;
    if (at.org != 0) {
        uint16_t now = network_in_force(t->net, at.org, t->today);
        if (now == at.org || now == 0) {
            return at;
        }
        at = org_party(t->net, now, service);
    } else {
        uint16_t org = role_choose(t, role);
        if (org == 0) {
            return at;
        }
        at = org_party(t->net, org, service);
    }
    role_set(t, role, at);
    return at;
}

struct party party_of(struct turn *t, uint8_t party)
{
    switch (party) {
    case PARTY_HOLDER:
        return t->s->holder;
    case PARTY_SENDER:
        return t->s->sender.org != 0 ? t->s->sender : t->s->holder;
    case PARTY_CLIENT:
    case PARTY_NONE:
        return (struct party){0};
    default:
        return party < t->wf->n_roles ? role_bind(t, party) : (struct party){0};
    }
}

struct party party_known(const struct turn *t, uint8_t party)
{
    switch (party) {
    case PARTY_HOLDER:
        return t->s->holder;
    case PARTY_SENDER:
        return t->s->sender.org != 0 ? t->s->sender : t->s->holder;
    case PARTY_CLIENT:
    case PARTY_NONE:
        return (struct party){0};
    default:
        return party < STO_WF_ROLES_MAX ? t->s->roles[party].at : (struct party){0};
    }
}

uint8_t step_addressee(const struct wf_step *w)
{
    if (w->type == STEP_CONSENT || w->type == STEP_PLACE) {
        return w->helps;
    }
    uint8_t role = w->role == PARTY_NONE ? (uint8_t)PARTY_HOLDER : w->role;
    return role == PARTY_CLIENT ? w->helps : role;
}

unsigned parties_flat(const workflow_t *wf, const uint8_t *list, unsigned n, uint8_t *out)
{
    unsigned m = 0;
    for (unsigned i = 0; i < n; i++) {
        uint8_t many = list[i] < wf->n_roles ? wf->roles[list[i]].many : 0;
        for (uint8_t k = many > 0; k <= many && m < PARTIES_MAX; k++) {
            out[m++] = (uint8_t)(list[i] + k);
        }
    }
    return m;
}

bool step_has_addressee(const struct wf_step *w)
{
    return step_is_work(w->type) || w->type == STEP_CONSENT || w->type == STEP_PLAN;
}

struct party service_party(const struct turn *t, uint16_t service)
{
    const struct service *v = network_service(t->net, service);
    uint16_t org = v ? network_in_force(t->net, v->org, t->today) : 0;
    return org != 0 ? org_party(t->net, org, v->id) : (struct party){0};
}

/* A role with `many`: the organisations take the roles that follow it, in order. */
static int many_add(struct turn *t, unsigned role, struct party p)
{
    const struct wf_role *r = &t->wf->roles[role];
    for (unsigned k = 1; k <= r->many && role + k < t->wf->n_roles; k++) {
        struct party at = t->s->roles[role + k].at;
        if (at.org == p.org) {
            return turn_fail(t, STO_E_FIELD, "role '%s' is named twice for one organisation",
                             r->id);
        }
        if (at.org == 0) {
            role_set(t, role + k, p);
            if (k == 1) {
                role_set(t, role, p);
            }
            return 0;
        }
    }
    return turn_fail(t, STO_E_LIMIT, "role '%s' may have %u organisations", r->id, r->many);
}

/* Named anew: what the roles had before goes. */
static void many_forget(struct turn *t, uint32_t roles)
{
    for (unsigned i = 0; i < t->in->n_names; i++) {
        int ix = workflow_role(t->wf, t->in->names[i].role ? t->in->names[i].role : "");
        if (ix < 0 || !(roles >> ix & 1) || t->wf->roles[ix].many == 0) {
            continue;
        }
        for (unsigned k = 0; k <= t->wf->roles[ix].many && (unsigned)ix + k < t->wf->n_roles; k++) {
            role_set(t, (unsigned)ix + k, (struct party){0});
        }
    }
}

static int name_one(struct turn *t, const struct in_name *n, uint32_t roles, unsigned *role)
{
    int ix = workflow_role(t->wf, n->role ? n->role : "");
    if (ix < 0) {
        return turn_fail(t, STO_E_UNKNOWN_NAME, "no role '%s' in workflow '%s'",
                         n->role ? n->role : "", t->wf->id);
    }
    if (!(roles >> ix & 1)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "role '%s' is not named here", n->role);
    }
    const struct organisation *o = network_org_by_id(t->net, n->org ? n->org : "");
    if (!o) {
        return turn_fail(t, STO_E_UNKNOWN_NAME, "no organisation '%s'", n->org ? n->org : "");
    }
    if (!validity_holds(&o->valid, t->today)) {
        return turn_fail(t, STO_E_NOT_IN_FORCE, "organisation '%s' is not in force today", o->id);
    }
    if (!role_fits(t, (unsigned)ix, o->number)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "organisation '%s' cannot be role '%s'", o->id,
                         n->role);
    }
    struct party p = org_party(t->net, o->number, t->wf->roles[ix].service);
    if (n->desk && *n->desk) {
        const struct desk *d = network_desk_by_id(o, n->desk);
        if (!d) {
            return turn_fail(t, STO_E_UNKNOWN_NAME, "organisation '%s' has no desk '%s'", o->id,
                             n->desk);
        }
        p.desk = d->number;
    }
    *role = (unsigned)ix;
    return t->wf->roles[ix].many > 0 ? many_add(t, (unsigned)ix, p)
                                     : (role_set(t, (unsigned)ix, p), 0);
}

int names_take(struct turn *t, uint32_t roles)
{
    many_forget(t, roles);
    for (unsigned i = 0; i < t->in->n_names; i++) {
        unsigned role = 0;
        int rc = name_one(t, &t->in->names[i], roles, &role);
        if (rc) {
            return rc;
        }
    }
    for (unsigned i = 0; i < t->wf->n_roles; i++) {
        if (roles >> i & 1 && t->s->roles[i].at.org == 0) {
            turn_fail(t, STO_E_MISSING_FIELD, "this exit names role '%s'", t->wf->roles[i].id);
            turn_fix(t, "say which organisation it is");
            return t->rc;
        }
    }
    return 0;
}
