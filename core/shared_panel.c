/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A panel's agenda: which case is dealt with on which date, the oldest first.
 *
 * Until its cut-off a date's agenda may still change: an older case that was postponed, or one that
 * no longer needs the panel, moves the younger ones, and they hear of it. At the cut-off the
 * members are asked, at the material time the organiser and the members are told that the agenda
 * stands, on the date the panel decides; its organiser is reminded until each case is decided or
 * postponed.
 */
#include <string.h>

#include "shared_parts.h"

unsigned lines_on(const struct shared_state *s, int64_t date_us)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_seats; i++) {
        n += s->seats[i].want == WANT_AGENDA && s->seats[i].date_us == date_us && date_us != 0;
    }
    return n;
}

/* ------------------------------------------------------------------ agenda */

static bool older(const struct seat *a, const struct seat *b)
{
    if (a->since_us != b->since_us && !PLANT(108)) {
        return a->since_us < b->since_us;
    }
    return memcmp(a->case_id.b, b->case_id.b, sizeof a->case_id.b) < 0;
}

/* May the line still be put on another date? */
static bool movable(const struct work *w, const struct seat *t)
{
    return t->want == WANT_AGENDA && t->phase == PANEL_QUEUED &&
           (t->date_us == 0 || date_open(w, t->date_us));
}

static unsigned by_age(const struct work *w, uint16_t *order)
{
    const struct seat *seats = w->s->seats;
    unsigned n = 0;
    for (unsigned i = 0; i < w->s->n_seats; i++) {
        if (!movable(w, &seats[i])) {
            continue;
        }
        unsigned at = n++;
        while (at > 0 && older(&seats[i], &seats[order[at - 1]])) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = (uint16_t)i;
    }
    return n;
}

static void dates_count(struct shared_state *s)
{
    for (unsigned i = 0; i < s->n_dates; i++) {
        s->dates[i].taken = (uint16_t)lines_on(s, s->dates[i].at_us);
    }
}

static int64_t date_for(const struct work *w, const struct seat *t)
{
    struct shared_state *s = w->s;
    for (unsigned i = 0; i < s->n_dates; i++) {
        int64_t at_us = s->dates[i].at_us;
        bool room = w->svc->places == 0 || s->dates[i].taken < w->svc->places || PLANT(109);
        bool in_time = t->until_us == 0 || at_us <= t->until_us;
        if (room && in_time && at_us > t->after_us && date_open(w, at_us)) {
            s->dates[i].taken++;
            return at_us;
        }
    }
    return 0;
}

void agenda_settle(struct work *w)
{
    struct shared_state *s = w->s;
    uint16_t order[STO_SESSION_SEATS_MAX];
    int64_t was[STO_SESSION_SEATS_MAX];
    dates_count(s);
    dates_forget(w);
    dates_learn(w);
    unsigned n = by_age(w, order);
    for (unsigned k = 0; k < n; k++) {
        was[k] = s->seats[order[k]].date_us;
        s->seats[order[k]].date_us = 0;
    }
    dates_count(s);
    for (unsigned k = 0; k < n; k++) {
        struct seat *t = &s->seats[order[k]];
        t->date_us = date_for(w, t);
        t->tell = t->date_us != was[k] ? MAIL_AGENDA_DATE : t->tell;
    }
}

/* ------------------------------------------------------------------ clocks */

int64_t agenda_stage_due_us(const network_t *net, const struct service *svc,
                            const struct shared_state *s, unsigned date)
{
    const struct calendar *cal = organiser_calendar(net, svc);
    int64_t at_us = s->dates[date].at_us;
    switch ((enum date_stage)s->dates[date].stage) {
    case DATE_COMING:
        return calendar_before_us(cal, at_us, svc->cut_off);
    case DATE_CLOSED:
        return s->dates[date].taken > 0 ? calendar_before_us(cal, at_us, svc->material) : INT64_MAX;
    case DATE_SENT:
        return s->dates[date].taken > 0 ? at_us : INT64_MAX;
    case DATE_HELD:
        break;
    }
    return INT64_MAX;
}

static void lines_go_on(struct work *w, int64_t date_us, enum panel_phase phase,
                        enum mail_kind tell)
{
    for (unsigned i = 0; i < w->s->n_seats; i++) {
        struct seat *t = &w->s->seats[i];
        if (t->want == WANT_AGENDA && t->date_us == date_us) {
            t->phase = (uint8_t)phase;
            t->tell = (uint8_t)tell;
        }
    }
}

/* The agenda stands: organiser and members hear how it is to be prepared for. */
static int agenda_sent(struct work *w, int64_t date_us, struct sto_err *err)
{
    struct party to = organiser(w);
    int rc = shared_send(w, SEND_NOTICE, to, date_us, err);
    int32_t today = sto_day_of_us(w->now_us);
    for (unsigned i = 0; rc == 0 && i < w->svc->n_members; i++) {
        uint16_t org = network_in_force(w->net, w->svc->members[i], today);
        const struct organisation *o = network_org(w->net, org);
        if (o && org != to.org && o->n_desks > 0) {
            rc = shared_send(w, SEND_NOTICE, (struct party){org, o->desks[0].number}, date_us, err);
        }
    }
    return rc;
}

int agenda_stage(struct work *w, unsigned date, struct sto_err *err)
{
    struct shared_state *s = w->s;
    int64_t at_us = s->dates[date].at_us;
    switch ((enum date_stage)s->dates[date].stage) {
    case DATE_COMING:
        s->dates[date].stage = DATE_CLOSED;
        if (!PLANT(116)) {
            lines_go_on(w, at_us, PANEL_ASKED, MAIL_AGENDA_ASK);
        }
        return 0;
    case DATE_CLOSED:
        s->dates[date].stage = DATE_SENT;
        return agenda_sent(w, at_us, err);
    case DATE_SENT:
        s->dates[date].stage = DATE_HELD;
        lines_go_on(w, at_us, PANEL_ON_AGENDA, MAIL_AGENDA_OPEN);
        return 0;
    case DATE_HELD:
        break;
    }
    return 0;
}

/* A moved date takes its lines along; of a cancelled one they get another, in their turn. */
void agenda_move(struct work *w, int64_t from_us, int64_t to_us)
{
    for (unsigned i = 0; i < w->s->n_seats; i++) {
        struct seat *t = &w->s->seats[i];
        if (t->want == WANT_AGENDA && t->date_us == from_us) {
            t->phase = PANEL_QUEUED; /* members are asked again, at the new date's cut-off */
            t->date_us = to_us;
            t->tell = MAIL_AGENDA_DATE;
        }
    }
}

/* ------------------------------------------------------------------ mail */

static void postpone(struct seat *t, const struct mail *m)
{
    t->after_us = t->date_us > t->after_us ? t->date_us : t->after_us;
    t->date_us = 0;
    t->phase = PANEL_QUEUED;
    t->left = m->n;
    t->tell = 0;
}

int agenda_mail(struct work *w, const struct mail *m, struct sto_err *err)
{
    if (m->kind == MAIL_AGENDA_WANTED) {
        struct seat *t = want_add(w, m, WANT_AGENDA);
        if (t) {
            t->phase = PANEL_QUEUED;
        }
        return 0;
    }
    if (m->kind != MAIL_AGENDA_RELEASED && m->kind != MAIL_AGENDA_POSTPONE) {
        return sto_fail(err, STO_E_MALFORMED, "a panel takes no mail of kind %u",
                        (unsigned)m->kind);
    }
    struct seat *t = want_named(w, m, WANT_AGENDA);
    if (t && m->kind == MAIL_AGENDA_RELEASED) {
        want_drop(w->s, t);
    } else if (t) {
        postpone(t, m);
    }
    return 0;
}
