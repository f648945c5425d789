/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What must hold in each state of a shared aggregate; written down a second time here, not called
 * from the code that decides.
 */
#include "shared_parts.h"

static unsigned on_date(const struct shared_state *s, int64_t date_us)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_seats; i++) {
        n += s->seats[i].want != WANT_PLACE && s->seats[i].date_us == date_us;
    }
    return n;
}

static unsigned wants(const struct shared_state *s, uint8_t want)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_seats; i++) {
        n += s->seats[i].want == want;
    }
    return n;
}

static int check_dates(const struct service *svc, const struct shared_state *s, struct sto_err *err)
{
    unsigned placed = 0;
    for (unsigned i = 0; i < s->n_dates; i++) {
        unsigned on = on_date(s, s->dates[i].at_us);
        placed += on;
        if (on != s->dates[i].taken) {
            return sto_fail(err, STO_E_INTERNAL,
                            "'%s': %u seats or lines stand on a date that counts %u", svc->id, on,
                            (unsigned)s->dates[i].taken);
        }
        if (svc->places != 0 && on > svc->places) {
            return sto_fail(err, STO_E_INTERNAL, "'%s': %u seats or lines on a date of %u places",
                            svc->id, on, (unsigned)svc->places);
        }
    }
    if (placed + on_date(s, 0) + wants(s, WANT_PLACE) != s->n_seats) {
        return sto_fail(err, STO_E_INTERNAL, "'%s': a seat or line stands on no known date",
                        svc->id);
    }
    return 0;
}

static int check_places(const struct service *svc, const struct shared_state *s,
                        struct sto_err *err)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < s->n_seats; i++) {
        const struct seat *t = &s->seats[i];
        taken += t->want == WANT_PLACE && t->phase != PLACE_QUEUED && t->phase != PLACE_NONE;
    }
    taken = svc->shape == SERVICE_QUOTA ? s->used : taken;
    bool bounded = svc->places != 0 || svc->shape == SERVICE_QUOTA;
    if (bounded && taken > svc->places) {
        return sto_fail(err, STO_E_INTERNAL, "'%s': %u of %u places are taken", svc->id, taken,
                        (unsigned)svc->places);
    }
    return 0;
}

static bool want_fits(const struct service *svc, const struct seat *t)
{
    switch (svc->shape) {
    case SERVICE_SESSION:
        return t->want == WANT_SEAT || (t->want == WANT_PLACE && svc->groups);
    case SERVICE_PLACE:
    case SERVICE_QUOTA:
        return t->want == WANT_PLACE;
    case SERVICE_PANEL:
        return t->want == WANT_AGENDA;
    case SERVICE_PLAIN:
        break;
    }
    return false;
}

static int check_seat(const struct service *svc, const struct shared_state *s, unsigned i,
                      struct sto_err *err)
{
    const struct seat *t = &s->seats[i];
    for (unsigned k = 0; k < i; k++) {
        if (s->seats[k].want == t->want && sto_uuid_eq(&s->seats[k].case_id, &t->case_id)) {
            return sto_fail(err, STO_E_INTERNAL, "'%s': a case has two seats, places or lines",
                            svc->id);
        }
    }
    if (!want_fits(svc, t)) {
        return sto_fail(err, STO_E_INTERNAL, "'%s': a wish of kind %u has no meaning here", svc->id,
                        (unsigned)t->want);
    }
    if (t->want == WANT_SEAT && (t->phase == SEAT_QUEUED) != (t->date_us == 0)) {
        return sto_fail(err, STO_E_INTERNAL, "'%s': a queued seat has a date", svc->id);
    }
    if (t->want == WANT_AGENDA && t->phase != PANEL_QUEUED && t->date_us == 0) {
        return sto_fail(err, STO_E_INTERNAL, "'%s': a line of the agenda has no date", svc->id);
    }
    if (t->want == WANT_PLACE && t->phase == PLACE_OFFERED && t->date_us == 0) {
        return sto_fail(err, STO_E_INTERNAL, "'%s': an offered place has no answer clock", svc->id);
    }
    if (t->want == WANT_PLACE && t->phase == PLACE_NONE && t->tell != MAIL_PLACE_NONE) {
        return sto_fail(err, STO_E_INTERNAL, "'%s': a lost turn is not told", svc->id);
    }
    return 0;
}

int shared_invariants(const network_t *net, const struct shared_state *s, struct sto_err *err)
{
    const struct service *svc = network_service(net, s->service);
    if (!svc) {
        return sto_fail(err, STO_E_INTERNAL, "aggregate of an unknown service %u",
                        (unsigned)s->service);
    }
    for (unsigned i = 0; i < s->n_seats; i++) {
        int rc = check_seat(svc, s, i, err);
        if (rc != 0) {
            return rc;
        }
    }
    int rc = check_places(svc, s, err);
    return rc != 0 ? rc : check_dates(svc, s, err);
}
