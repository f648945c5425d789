/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The dates of a session, group or panel: learnt from the rule (or opened by the organiser of a
 * group), forgotten when they are over and nothing is left to record, moved and cancelled; and the
 * organiser's clock after each, which reminds by the network's ladder until all is recorded.
 */
#include <string.h>

#include "recurrence.h"
#include "shared_parts.h"

#define RULE_DATES_TRIED 64 /* dates of a rule that are skipped at most in one event */

static int64_t record_due_us(const network_t *net, const struct service *svc, int64_t date_us)
{
    return svc->record.n > 0 ? calendar_due_us(organiser_calendar(net, svc), date_us, svc->record)
                             : date_us;
}

static const struct ladder *default_ladder(const network_t *net)
{
    return net->n_ladders > 0 ? &net->ladders[0] : NULL;
}

/* When rung `i` of a date's record clock is due; INT64_MAX past the ladder's end. */
static int64_t rung_due_us(const network_t *net, const struct service *svc, int64_t date_us,
                           unsigned i)
{
    const struct ladder *l = default_ladder(net);
    if (!l || i >= l->n_rungs) {
        return INT64_MAX;
    }
    const struct calendar *cal = organiser_calendar(net, svc);
    int64_t due = record_due_us(net, svc, date_us);
    const struct rung *r = &l->rungs[i];
    /* Due at the close of a day, one business day later is the next day's close. */
    int64_t from = r->after.unit == STO_BUSINESS_DAYS ? due - 1 : due;
    int64_t at = r->before_due ? calendar_before_us(cal, due, r->after)
                               : calendar_due_us(cal, from, r->after);
    return at > date_us ? at : date_us; /* a reminder never comes before the date itself */
}

/* ------------------------------------------------------------------ the list */

unsigned date_find(const struct shared_state *s, int64_t at_us)
{
    unsigned i = 0;
    while (i < s->n_dates && s->dates[i].at_us != at_us) {
        i++;
    }
    return i;
}

void date_drop(struct shared_state *s, unsigned i)
{
    memmove(&s->dates[i], &s->dates[i + 1], (s->n_dates - i - 1u) * sizeof s->dates[0]);
    s->n_dates--;
    memset(&s->dates[s->n_dates], 0, sizeof s->dates[0]);
}

void date_insert(struct shared_state *s, int64_t at_us, uint16_t taken)
{
    STO_ASSERT(s->n_dates < STO_SESSION_DATES_MAX);
    unsigned i = s->n_dates;
    while (i > 0 && s->dates[i - 1].at_us > at_us) {
        s->dates[i] = s->dates[i - 1];
        i--;
    }
    memset(&s->dates[i], 0, sizeof s->dates[0]);
    s->dates[i].at_us = at_us;
    s->dates[i].taken = taken;
    s->n_dates++;
}

bool service_in_force(const struct service *svc, int64_t us)
{
    return validity_holds(&svc->valid, sto_day_of_us(us));
}

/* Is the invitation time, or the cut-off, of a date still to come? */
bool date_open(const struct work *w, int64_t at_us)
{
    const struct calendar *cal = organiser_calendar(w->net, w->svc);
    if (w->svc->shape == SERVICE_PANEL) {
        return w->now_us < calendar_before_us(cal, at_us, w->svc->cut_off);
    }
    if (w->svc->invite.n <= 0) {
        return w->now_us < at_us;
    }
    return w->now_us <= calendar_before_us(cal, at_us, w->svc->invite);
}

/* The rule's first date after an instant; INT64_MAX when it has ended, or there is none. */
static int64_t rule_next_us(const struct service *svc, int64_t after_us)
{
    int32_t day = sto_day_of_us(after_us);
    if (sto_day_minute_us(day, svc->at_min) > after_us) {
        day--; /* today's is still to come */
    }
    int32_t next;
    if (svc->groups || recurrence_next(svc->rrule, svc->start_day, day, &next, NULL) != 0) {
        return INT64_MAX;
    }
    return sto_day_minute_us(next, svc->at_min);
}

/* Takes the rule's next dates until the list is full or the rule ends. */
void dates_learn(struct work *w)
{
    struct shared_state *s = w->s;
    if (s->horizon_us < w->now_us) {
        s->horizon_us = w->now_us;
    }
    for (unsigned i = 0; i < RULE_DATES_TRIED && s->n_dates < STO_SESSION_DATES_MAX; i++) {
        int64_t at_us = rule_next_us(w->svc, s->horizon_us);
        if (at_us == INT64_MAX) {
            return;
        }
        s->horizon_us = at_us;
        if (date_find(s, at_us) == s->n_dates && date_open(w, at_us) &&
            service_in_force(w->svc, at_us)) {
            date_insert(s, at_us, 0);
        }
    }
}

static bool any_to_tell(const struct shared_state *s, int64_t date_us)
{
    for (unsigned i = 0; i < s->n_seats; i++) {
        if (s->seats[i].date_us == date_us && s->seats[i].tell != 0) {
            return true;
        }
    }
    return false;
}

/* Dates that are over, or can no longer be offered, and of which nothing is to be recorded. */
void dates_forget(struct work *w)
{
    struct shared_state *s = w->s;
    for (unsigned i = s->n_dates; i-- > 0;) {
        int64_t at_us = s->dates[i].at_us;
        bool over = at_us <= w->now_us || (s->dates[i].taken == 0 && !date_open(w, at_us));
        if (over && seats_waiting(s, at_us) == 0 && lines_on(s, at_us) == 0 &&
            !any_to_tell(s, at_us) && !seats_need(s, at_us)) {
            seats_forget(s, at_us);
            date_drop(s, i);
        }
    }
}

/* ------------------------------------------------------------------ clocks */

/* When date `i` has something to do by itself. */
static int64_t date_due_us(const network_t *net, const struct service *svc,
                           const struct shared_state *s, unsigned i)
{
    if (s->dates[i].stage == DATE_HELD) {
        return s->dates[i].taken > 0 ? rung_due_us(net, svc, s->dates[i].at_us, s->dates[i].rung)
                                     : INT64_MAX;
    }
    if (s->dates[i].taken == 0 && !any_queued(s)) {
        return INT64_MAX;
    }
    return svc->shape == SERVICE_PANEL ? agenda_stage_due_us(net, svc, s, i) : s->dates[i].at_us;
}

int64_t dates_due_us(const network_t *net, const struct service *svc, const struct shared_state *s)
{
    int64_t due = INT64_MAX;
    for (unsigned i = 0; i < s->n_dates; i++) {
        int64_t d = date_due_us(net, svc, s, i);
        due = d < due ? d : due;
    }
    return due;
}

static struct party rung_party(const struct work *w, enum rung_to to)
{
    struct party org = organiser(w);
    const struct organisation *c = network_org(w->net, w->net->coordinator_org);
    if (to == RUNG_COORDINATOR && c) {
        return (struct party){.org = c->number, .desk = c->n_desks > 0 ? c->desks[0].number : 0};
    }
    return org; /* nobody sent it: the organiser's own lead hears it */
}

static int send_record(struct work *w, uint8_t kind, struct party to, unsigned date,
                       struct sto_err *err)
{
    int rc = shared_send(w, kind, to, w->s->dates[date].at_us, err);
    if (rc == 0) {
        struct send *x = &w->out->sends[w->out->n_sends - 1u];
        x->clock = CLOCK_RECORD;
        x->rung = w->s->dates[date].rung;
        x->due_us = record_due_us(w->net, w->svc, x->at_us);
    }
    return rc;
}

/* The date has come: its organiser is asked to record, if there is anything to. */
static int date_held(struct work *w, unsigned i, struct sto_err *err)
{
    w->s->dates[i].stage = DATE_HELD;
    int64_t at_us = w->s->dates[i].at_us;
    return seats_waiting(w->s, at_us) + lines_on(w->s, at_us) > 0
               ? send_record(w, SEND_RECORD, organiser(w), i, err)
               : 0;
}

/* The earliest matter of a date, due at due_us. */
int dates_clock(struct work *w, int64_t due_us, struct sto_err *err)
{
    struct shared_state *s = w->s;
    unsigned i = 0;
    while (date_due_us(w->net, w->svc, s, i) != due_us) {
        i++;
    }
    if (s->dates[i].stage != DATE_HELD) {
        int rc = w->svc->shape == SERVICE_PANEL ? agenda_stage(w, i, err) : 0;
        bool held = w->svc->shape != SERVICE_PANEL || s->dates[i].stage == DATE_HELD;
        return rc == 0 && held ? date_held(w, i, err) : rc;
    }
    const struct ladder *ladder = default_ladder(w->net);
    STO_ASSERT(ladder); /* without one no rung was due */
    const struct rung *r = &ladder->rungs[s->dates[i].rung];
    uint8_t kind = r->to == RUNG_BALL ? SEND_REMINDER : SEND_ESCALATION;
    int rc = send_record(w, kind, rung_party(w, r->to), i, err);
    s->dates[i].rung++;
    return rc;
}

/* ------------------------------------------------------------------ moving */

static int new_date_fits(const struct work *w, int64_t at_us, struct sto_err *err)
{
    if (at_us <= w->now_us || date_find(w->s, at_us) < w->s->n_dates) {
        return sto_fail(err, STO_E_WRONG_STATE, "the new date is past or is a date of '%s' already",
                        w->svc->id);
    }
    if (at_us > sto_us_add(w->now_us, (struct sto_duration){AHEAD_YEARS_MAX, STO_YEARS})) {
        return sto_fail(err, STO_E_WRONG_STATE, "the new date is more than %d years ahead",
                        AHEAD_YEARS_MAX);
    }
    return 0;
}

int date_move(struct work *w, const struct input *in, struct sto_err *err)
{
    struct shared_state *s = w->s;
    unsigned i = date_find(s, in->at_us);
    if (i == s->n_dates) {
        return sto_fail(err, STO_E_NOT_FOUND, "'%s' has no such date", w->svc->id);
    }
    bool panel = w->svc->shape == SERVICE_PANEL;
    if (panel && s->dates[i].stage == DATE_HELD) {
        return sto_fail(err, STO_E_WRONG_STATE,
                        "the panel's date has come: decide or postpone each of its cases");
    }
    if (!panel && seats_waiting(s, in->at_us) != s->dates[i].taken) {
        return sto_fail(err, STO_E_WRONG_STATE, "attendance of that date is recorded already");
    }
    int rc = in->at2_us != 0 ? new_date_fits(w, in->at2_us, err) : 0;
    if (rc != 0) {
        return rc;
    }
    uint16_t taken = s->dates[i].taken;
    date_drop(s, i);
    if (panel) {
        agenda_move(w, in->at_us, in->at2_us);
    } else {
        seats_move(w, in->at_us, in->at2_us);
    }
    if (in->at2_us != 0) {
        date_insert(s, in->at2_us, taken);
    }
    return 0;
}

int group_open(struct work *w, const struct input *in, struct sto_err *err)
{
    struct shared_state *s = w->s;
    if (!w->svc->groups) {
        return sto_fail(err, STO_E_WRONG_STATE, "'%s' has no groups that are opened", w->svc->id);
    }
    int rc = new_date_fits(w, in->at_us, err);
    if (rc != 0) {
        return rc;
    }
    if (s->n_dates == STO_SESSION_DATES_MAX) {
        return sto_fail(err, STO_E_CAPACITY, "'%s' has %u open or unrecorded dates already",
                        w->svc->id, STO_SESSION_DATES_MAX);
    }
    rc = group_enough(w, err);
    if (rc == 0) {
        date_insert(s, in->at_us, 0);
        s->told_minimum = false;
        pool_give(w);
    }
    return rc;
}
