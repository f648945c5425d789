/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as the one file of a network: errors and nothing, or no error and a network whose
 * look-ups hold together.
 */
#include <stdint.h>
#include <stdlib.h>

#include "network.h"
#include "sto_time.h"

static void hold_together(const network_t *n)
{
    STO_ASSERT(n->n_orgs > 0 && n->n_calendars > 0 && n->n_ladders > 0);
    STO_ASSERT(network_org(n, n->coordinator_org));
    for (unsigned k = 0; k < n->n_orgs; k++) {
        const struct organisation *o = &n->orgs[k];
        STO_ASSERT(k == 0 || n->orgs[k - 1].number < o->number);
        STO_ASSERT(network_org(n, o->number) == o && network_org_by_id(n, o->id) == o);
        STO_ASSERT(o->n_desks > 0 && o->n_kinds > 0);
        for (unsigned d = 0; d < o->n_desks; d++) {
            STO_ASSERT(network_desk(o, o->desks[d].number) == &o->desks[d]);
            STO_ASSERT(network_calendar(n, o->number, o->desks[d].number));
        }
        uint16_t now = network_in_force(n, o->number, 14000);
        STO_ASSERT(now == 0 || validity_holds(&network_org(n, now)->valid, 14000));
        for (unsigned c = 0; c < n->n_categories; c++) {
            (void)network_basis(n, "services", o->number, c, 14000);
        }
    }
    for (unsigned k = 0; k < n->n_services; k++) {
        const struct service *s = &n->services[k];
        STO_ASSERT(network_service(n, s->number) == s && network_service_by_id(n, s->id) == s);
        STO_ASSERT(s->n_providers == 1 || (s->n_providers > 1 && !service_shared(s)));
        for (unsigned p = 0; p < s->n_providers; p++) {
            const struct organisation *o = network_org(n, s->providers[p].org);
            STO_ASSERT(o && network_desk(o, s->providers[p].desk));
            STO_ASSERT(service_provider(s, o->number) == &s->providers[p]);
        }
    }
}

static void instruments_in_range(const network_t *n)
{
    for (unsigned k = 0; k < n->n_instruments; k++) {
        const struct instrument *t = &n->instruments[k];
        struct answers none = {0};
        struct score scores[STO_INSTRUMENT_SUMS_MAX];
        STO_ASSERT(t->items > 0 && t->items <= STO_INSTRUMENT_ITEMS_MAX && t->min < t->max);
        STO_ASSERT(t->n_sums > 0 && t->n_sums <= STO_INSTRUMENT_SUMS_MAX);
        for (unsigned s = 0; s < t->n_sums; s++) {
            for (unsigned i = 0; i < t->sums[s].n_items; i++) {
                STO_ASSERT(t->sums[s].items[i] < t->items);
            }
        }
        instrument_score(t, &none, scores);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_file file = {.name = "fuzz.cfg", .text = (const char *)data, .len = size};
    sto_diags_t *diags = sto_diags_new();
    network_t *n = NULL;
    int rc = network_load("", &file, 1, diags, &n);
    STO_ASSERT((rc == 0) == (n != NULL));
    STO_ASSERT((rc == 0) == (sto_diags_errors(diags) == 0));
    if (n) {
        hold_together(n);
        instruments_in_range(n);
        network_as_of(n);
    }
    network_destroy(&n);
    sto_diags_destroy(&diags);
    return 0;
}
