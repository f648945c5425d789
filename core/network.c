/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Look-ups in a loaded network. Everything is read only; numbers are found by binary search, ids by
 * reading along (at most 256 organisations).
 */
#include "network.h"

#include <stdlib.h>
#include <string.h>

void network_destroy(network_t **self_p)
{
    if (!self_p || !*self_p) {
        return;
    }
    sto_arena_t *arena = (*self_p)->arena;
    free(*self_p);
    *self_p = NULL;
    sto_arena_destroy(&arena);
}

const struct organisation *network_org(const network_t *n, uint16_t number)
{
    STO_ASSERT(n);
    unsigned lo = 0, hi = n->n_orgs;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (n->orgs[mid].number < number) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < n->n_orgs && n->orgs[lo].number == number ? &n->orgs[lo] : NULL;
}

const struct organisation *network_org_by_id(const network_t *n, const char *id)
{
    STO_ASSERT(n && id);
    for (unsigned k = 0; k < n->n_orgs; k++) {
        if (strcmp(n->orgs[k].id, id) == 0) {
            uint16_t now = n->as_of ? network_in_force(n, n->orgs[k].number, n->as_of_day) : 0;
            return now != 0 ? network_org(n, now) : &n->orgs[k];
        }
    }
    return NULL;
}

const struct desk *network_desk(const struct organisation *o, uint16_t number)
{
    STO_ASSERT(o);
    for (unsigned k = 0; k < o->n_desks; k++) {
        if (o->desks[k].number == number) {
            return &o->desks[k];
        }
    }
    return NULL;
}

const struct desk *network_desk_by_id(const struct organisation *o, const char *id)
{
    STO_ASSERT(o && id);
    for (unsigned k = 0; k < o->n_desks; k++) {
        if (strcmp(o->desks[k].id, id) == 0) {
            return &o->desks[k];
        }
    }
    return NULL;
}

const struct service *network_service(const network_t *n, uint16_t number)
{
    STO_ASSERT(n);
    unsigned lo = 0, hi = n->n_services;
    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (n->services[mid].number < number) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < n->n_services && n->services[lo].number == number ? &n->services[lo] : NULL;
}

const struct service *network_service_by_id(const network_t *n, const char *id)
{
    STO_ASSERT(n && id);
    for (unsigned k = 0; k < n->n_services; k++) {
        if (strcmp(n->services[k].id, id) == 0) {
            return &n->services[k];
        }
    }
    return NULL;
}

const struct provider *service_provider(const struct service *s, uint16_t org)
{
    STO_ASSERT(s);
    for (unsigned k = 0; k < s->n_providers; k++) {
        if (s->providers[k].org == org) {
            return &s->providers[k];
        }
    }
    return NULL;
}

int network_category(const network_t *n, const char *id)
{
    STO_ASSERT(n && id);
    for (unsigned k = 0; k < n->n_categories; k++) {
        if (strcmp(n->categories[k], id) == 0) {
            return (int)k;
        }
    }
    return -1;
}

const struct instrument *network_instrument(const network_t *n, const char *id)
{
    STO_ASSERT(n && id);
    for (unsigned k = 0; k < n->n_instruments; k++) {
        if (strcmp(n->instruments[k].id, id) == 0) {
            return &n->instruments[k];
        }
    }
    return NULL;
}

bool organisation_is(const struct organisation *o, const char *kind)
{
    STO_ASSERT(o && kind);
    for (unsigned k = 0; k < o->n_kinds; k++) {
        if (strcmp(o->kinds[k], kind) == 0) {
            return true;
        }
    }
    return false;
}

uint16_t network_in_force(const network_t *n, uint16_t number, int32_t day)
{
    const struct organisation *o = network_org(n, number);
    /* The loader refuses circles; the bound holds all the same. */
    for (unsigned steps = 0; o && steps <= n->n_orgs; steps++) {
        if (validity_holds(&o->valid, day)) {
            return o->number;
        }
        if (day < o->valid.from_day || o->successor == 0) {
            return 0;
        }
        o = network_org(n, o->successor);
    }
    return 0;
}

const struct calendar *network_calendar(const network_t *n, uint16_t org, uint16_t desk)
{
    const struct organisation *o = network_org(n, org);
    const struct desk *d = o ? network_desk(o, desk) : NULL;
    unsigned ix = (unsigned)(d ? d->calendar_ix : o ? o->calendar_ix : 0);
    STO_ASSERT(ix < n->n_calendars);
    return &n->calendars[ix].cal;
}

static bool receives(const struct basis *b, const struct organisation *o)
{
    for (unsigned k = 0; k < b->n_receiver_orgs; k++) {
        if (b->receiver_orgs[k] == o->number) {
            return true;
        }
    }
    for (unsigned k = 0; k < b->n_receiver_kinds; k++) {
        if (organisation_is(o, b->receiver_kinds[k])) {
            return true;
        }
    }
    return false;
}

const struct basis *network_basis(const network_t *n, const char *purpose, uint16_t receiver_org,
                                  unsigned category, int32_t day)
{
    STO_ASSERT(n && purpose && category < STO_CATEGORIES_MAX);
    const struct organisation *o = network_org(n, receiver_org);
    const struct basis *found = NULL;
    for (unsigned k = 0; o && k < n->n_bases; k++) {
        const struct basis *b = &n->bases[k];
        if ((b->kind != BASIS_STATUTE && b->kind != BASIS_CONTRACT) ||
            strcmp(b->purpose, purpose) != 0 || !(b->categories & (UINT32_C(1) << category)) ||
            !validity_holds(&b->valid, day) || !receives(b, o)) {
            continue;
        }
        /* The first of the file, in its newest version. */
        if (!found || (b->number == found->number && b->version > found->version)) {
            found = b;
        }
    }
    return found;
}
