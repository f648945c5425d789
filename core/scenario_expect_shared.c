/* SPDX-License-Identifier: EUPL-1.2 */
/* What an entry of a scenario expects of no single case: who is responsible, and what is shared. */
#include <stdio.h>
#include <string.h>

#include "scenario_view.h"

/* ----------------------------------------------------------------- holders */

/* One "case:organisation". */
static void holder_one(struct play *p, const struct sto_conf *at)
{
    char name[2 * STO_NAME_BYTES_MAX];
    const char *colon = strchr(at->s, ':');
    unsigned kept = p->case_ix;
    if (!colon) {
        play_err(p, at, "wrong-type", "holders '%s': write case:organisation", at->s);
        return;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)(colon - at->s), at->s);
    struct play_range r = case_named(p, name);
    if (r.n == 0) {
        play_err(p, at, "unknown-case", "case '%s' is not known", name);
    }
    for (unsigned i = r.from; i < r.from + r.n; i++) {
        p->case_ix = i;
        party_is(p, at, colon + 1, world_case(p->w, &p->cases[i].id)->holder, "holder");
        p->cases[i].holder_told = true;
    }
    p->case_ix = kept;
}

static void check_holders(struct play *p, const struct sto_conf *holders)
{
    struct view v = {.p = p};
    if (strings(&v, holders)) {
        for (const struct sto_conf *c = holders->child; c; c = c->next) {
            holder_one(p, c);
        }
    }
}

/* ------------------------------------------------------------------ shared */

/* Its state, NULL while no case has wanted anything of it. */
static const struct shared_state *shared_of(const struct play *p, const struct service *svc)
{
    struct sto_uuid id;
    shared_id(p->net->id, svc->number, &id);
    return world_session(p->w, &id);
}

static void is_number(struct play *p, const struct sto_conf *at, const char *what, unsigned got)
{
    if (at->type != STO_CONF_INT) {
        play_err(p, at, "wrong-type", "%s of '%s' must be a number", what, at->name);
    } else if (at->i != got) {
        play_err(p, at, what, "%s of '%s' are %u, expected %lld", what, at->name, got,
                 (long long)at->i);
    }
}

/* Places of a pool that nobody has; of a quota, what is left. */
static void check_free(struct play *p, const struct sto_conf *at)
{
    const struct service *svc = play_shared(p, at, at->name);
    if (svc && svc->shape != SERVICE_PLACE && svc->shape != SERVICE_QUOTA) {
        play_err(p, at, "unknown-session", "'%s' has neither places without dates nor a quota",
                 at->name);
    } else if (svc) {
        const struct shared_state *s = shared_of(p, svc);
        unsigned taken = s ? shared_taken(svc, s) : 0;
        is_number(p, at, "free", svc->places > taken ? svc->places - taken : 0);
    }
}

/* Cases that have neither a date nor a place yet. */
static void check_waiting(struct play *p, const struct sto_conf *at)
{
    const struct service *svc = play_shared(p, at, at->name);
    const struct shared_state *s = svc ? shared_of(p, svc) : NULL;
    unsigned n = 0;
    _Static_assert(SEAT_QUEUED == (int)PLACE_QUEUED && SEAT_QUEUED == (int)PANEL_QUEUED,
                   "whoever waits is in the same phase");
    for (unsigned i = 0; s && i < s->n_seats; i++) {
        n += s->seats[i].phase == SEAT_QUEUED && s->seats[i].date_us == 0;
    }
    if (svc) {
        is_number(p, at, "waiting", n);
    }
}

static void of_services(struct play *p, const struct sto_conf *g,
                        void (*check)(struct play *p, const struct sto_conf *at))
{
    if (g->type != STO_CONF_GROUP) {
        play_err(p, g, "wrong-type", "%s must be a group of services and numbers", g->name);
        return;
    }
    for (const struct sto_conf *c = g->child; c; c = c->next) {
        check(p, c);
    }
}

unsigned expect_all_cases(struct play *p, const struct sto_conf *expect)
{
    if (expect->type != STO_CONF_GROUP) {
        return 0;
    }
    const struct sto_conf *holders = sto_conf_get(expect, "holders");
    const struct sto_conf *free_places = sto_conf_get(expect, "free");
    const struct sto_conf *waiting_cases = sto_conf_get(expect, "waiting");
    if (holders) {
        check_holders(p, holders);
    }
    if (free_places) {
        of_services(p, free_places, check_free);
    }
    if (waiting_cases) {
        of_services(p, waiting_cases, check_waiting);
    }
    return (holders ? 1u : 0u) + (free_places ? 1u : 0u) + (waiting_cases ? 1u : 0u);
}
