/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A network as it is on one day, at every date: see network_as_of(). It does not say what holds in
 * real life; broker and workers never call it.
 */
#include "network.h"

/* In force on the day: always. Over by then: never, but before every date, so that successors are
 * followed. Not yet begun: never. */
static void fix(struct validity *v, int32_t day)
{
    if (validity_holds(v, day)) {
        *v = (struct validity){INT32_MIN, INT32_MAX};
    } else if (day > v->until_day) {
        *v = (struct validity){INT32_MIN, INT32_MIN};
    } else {
        *v = (struct validity){INT32_MAX, INT32_MAX};
    }
}

/* Who carries on gives the service, each organisation once; who has ended without successor does
 * not. */
static void fix_providers(const network_t *n, struct service *s, int32_t day)
{
    uint8_t kept = 0;
    for (unsigned k = 0; k < s->n_providers; k++) {
        const struct organisation *o = network_org(n, s->providers[k].org);
        if (o && validity_holds(&o->valid, day)) {
            s->providers[kept++] = s->providers[k];
        }
    }
    s->n_providers = kept;
    if (kept == 0) {
        s->valid = (struct validity){INT32_MIN, INT32_MIN};
        return;
    }
    s->org = s->providers[0].org;
    s->desk = s->providers[0].desk;
}

void network_as_of(network_t *n)
{
    STO_ASSERT(n);
    int32_t day = n->as_of_day;
    if (day == INT32_MIN || n->as_of) {
        return;
    }
    for (unsigned k = 0; k < n->n_orgs; k++) {
        fix(&n->orgs[k].valid, day);
    }
    for (unsigned k = 0; k < n->n_services; k++) {
        fix(&n->services[k].valid, day);
        fix_providers(n, &n->services[k], day);
    }
    for (unsigned k = 0; k < n->n_bases; k++) {
        fix(&n->bases[k].valid, day);
    }
    n->as_of = true;
}
