/* SPDX-License-Identifier: EUPL-1.2 */
/* Part of shared_explore.h: dates, seats, series and groups; panels. */
#ifndef SHARED_EXPLORE_DATES_H
#define SHARED_EXPLORE_DATES_H
#include "shared_explore.h"

static inline unsigned on_date(const struct rig *r, int64_t date_us)
{
    unsigned n = 0;
    for (unsigned c = 0; c < CROWD; c++) {
        n += r->c[c].is != NOTHING && r->c[c].is != WAITS && r->c[c].date_us == date_us;
    }
    return n;
}

static inline int64_t days_before(const struct rig *r, int64_t at_us, struct sto_duration d)
{
    return calendar_before_us(&r->net->calendars[0].cal, at_us, d);
}

/* A date is moved or cancelled, mostly one that stands. */
static inline bool act_move(struct rig *r)
{
    if (r->s.n_dates == 0) {
        return true;
    }
    int64_t from = r->s.dates[draw(r, r->s.n_dates)].at_us;
    int64_t to = draw(r, 2) ? 0 : r->now + (int64_t)draw(r, 30) * X_DAY + STO_US_PER_HOUR;
    struct input in = {.kind = EVENT_SESSION_MOVE, .at_us = from, .at2_us = to};
    bool taken = false;
    r->shifted = true;
    return organise(r, in, &taken);
}

/* Everybody comes at one time: more news than one fact carries. */
static inline bool crowd_comes(struct rig *r, enum mail_kind kind)
{
    for (unsigned c = 0; c < CROWD; c++) {
        if (r->c[c].is == NOTHING) {
            wish(r, c, 0);
            if (!send_mail(r, c, kind, 0)) {
                return false;
            }
        }
    }
    return true;
}

/* ------------------------------------------------------------------ panels */

static inline bool hear_agenda(struct rig *r, unsigned c, const struct mail *m)
{
    struct soul *x = &r->c[c];
    if (m->kind == MAIL_AGENDA_DATE) {
        if (m->at_us != 0 && m->at_us <= x->after_us && !r->shifted) {
            return fault(r, "case %u is put on a date that it was postponed from", c);
        }
        x->is = m->at_us != 0 ? INVITED : WAITS;
        x->date_us = m->at_us;
        return true;
    }
    bool ask = m->kind == MAIL_AGENDA_ASK;
    if (m->at_us != x->date_us || x->is != (ask ? INVITED : ASKED)) {
        return fault(r, "case %u hears %u out of turn", c, (unsigned)m->kind);
    }
    int64_t due = ask ? days_before(r, m->at_us, r->svc->cut_off) : m->at_us;
    if (r->now < due) {
        return fault(r, "case %u hears %u too early", c, (unsigned)m->kind);
    }
    x->is = ask ? ASKED : ON_AGENDA;
    return true;
}

static inline bool act_agenda(struct rig *r)
{
    unsigned c = draw(r, CROWD / 2);
    struct soul *x = &r->c[c];
    if (draw(r, 8) == 0) {
        return act_move(r);
    }
    if (draw(r, 150) == 0) {
        return crowd_comes(r, MAIL_AGENDA_WANTED);
    }
    if (x->is == NOTHING) {
        wish(r, c, 0);
        return send_mail(r, c, MAIL_AGENDA_WANTED, 0);
    }
    if (draw(r, 3) == 0) {
        x->is = NOTHING;
        return send_mail(r, c, MAIL_AGENDA_RELEASED, 0);
    }
    if (x->is == ON_AGENDA || draw(r, 6) == 0) {
        x->after_us = x->date_us > x->after_us ? x->date_us : x->after_us;
        x->is = WAITS;
        x->date_us = 0;
        return send_mail(r, c, MAIL_AGENDA_POSTPONE, ++x->left);
    }
    return true;
}

static inline bool date_suits(const struct rig *r, const struct soul *x, int64_t at_us)
{
    return r->now < days_before(r, at_us, r->svc->cut_off) && at_us > x->after_us &&
           (x->until_us == 0 || at_us <= x->until_us);
}

static inline bool older_than(const struct rig *r, unsigned a, unsigned b)
{
    struct sto_uuid i = soul_id(a), k = soul_id(b);
    return r->c[a].since_us != r->c[b].since_us ? r->c[a].since_us < r->c[b].since_us
                                                : memcmp(i.b, k.b, sizeof i.b) < 0;
}

static inline bool check_line(struct rig *r, unsigned c)
{
    const struct soul *x = &r->c[c];
    int64_t now = r->now;
    if ((x->is == INVITED && now >= days_before(r, x->date_us, r->svc->cut_off)) ||
        (x->is == ASKED && now >= x->date_us)) {
        return fault(r, "case %u has not heard of its cut-off or date", c);
    }
    for (unsigned d = 0; d < r->s.n_dates && (x->is == WAITS || x->is == INVITED); d++) {
        int64_t at_us = r->s.dates[d].at_us;
        bool earlier = x->is == WAITS || at_us < x->date_us;
        bool room = r->svc->places == 0 || on_date(r, at_us) < r->svc->places;
        if (earlier && room && date_suits(r, x, at_us)) {
            return fault(r, "case %u waits while a date has room", c);
        }
        for (unsigned k = 0; k < CROWD && earlier && date_suits(r, x, at_us); k++) {
            if (r->c[k].is == INVITED && r->c[k].date_us == at_us && older_than(r, c, k)) {
                return fault(r, "the younger case %u goes before %u", k, c);
            }
        }
    }
    return true;
}

static inline bool check_agenda(struct rig *r)
{
    for (unsigned c = 0; c < CROWD; c++) {
        const struct soul *x = &r->c[c];
        if (x->is != NOTHING && x->is != WAITS && r->svc->places != 0 &&
            on_date(r, x->date_us) > r->svc->places) {
            return fault(r, "too many cases are on one date");
        }
        if (x->is != NOTHING && !check_line(r, c)) {
            return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------ seats */

static inline bool hear_recorded(struct rig *r, unsigned c, const struct mail *m)
{
    struct soul *x = &r->c[c];
    /* An excuse may overtake the invitation, or the news that the date was moved. */
    bool date = x->is == WAITS || r->shifted || m->at_us == x->date_us;
    if (!x->recorded || !date || m->n != x->left) {
        return fault(r, "case %u hears of a record that was not made", c);
    }
    x->recorded = false;
    if (x->left == 0) {
        x->is = NOTHING;
        return true;
    }
    x->left--;
    x->begun = true;
    x->is = WAITS;
    x->after_us = m->at_us;
    x->next_us = 0;
    for (unsigned i = r->before.n_dates; i-- > 0;) {
        if (r->before.dates[i].at_us > m->at_us) {
            x->next_us = r->before.dates[i].at_us;
        }
    }
    return true;
}

static inline bool hear_seat(struct rig *r, unsigned c, const struct mail *m)
{
    struct soul *x = &r->c[c];
    if (m->kind == MAIL_SEAT_RECORDED) {
        return hear_recorded(r, c, m);
    }
    bool moved = m->kind == MAIL_SEAT_MOVED;
    if (m->n != x->left || x->is != (moved ? INVITED : WAITS)) {
        return fault(r, "case %u hears of a date out of turn", c);
    }
    if (x->begun && !moved && !r->shifted && x->next_us != 0 && m->at_us != x->next_us) {
        return fault(r, "the series of case %u loses its place", c);
    }
    x->is = m->at_us != 0 ? INVITED : WAITS;
    x->date_us = m->at_us;
    x->next_us = 0;
    return true;
}

static inline bool runs(const struct rig *r, unsigned *wanted)
{
    bool any = false;
    *wanted = 0;
    for (unsigned c = 0; c < CROWD; c++) {
        const struct soul *x = &r->c[c];
        *wanted += x->is == WAITS && !x->begun;
        any =
            any || (x->is == INVITED && (x->left > 0 || x->begun)) || (x->is == WAITS && x->begun);
    }
    for (unsigned i = 0; i < r->s.n_seats; i++) { /* recorded to the end, on a date still open */
        any = any || r->s.seats[i].begun;
    }
    return any;
}

static inline bool act_open(struct rig *r)
{
    unsigned wanted;
    bool running = runs(r, &wanted), taken = false;
    struct input in = {.kind = EVENT_GROUP_OPEN,
                       .at_us = r->now + (int64_t)draw(r, 20) * X_DAY + STO_US_PER_HOUR};
    if (!organise(r, in, &taken)) {
        return false;
    }
    return !taken || running || wanted >= r->svc->minimum ||
           fault(r, "a group of %u is opened that needs %u", wanted, (unsigned)r->svc->minimum);
}

static inline bool act_record(struct rig *r, unsigned c)
{
    static const char *const EXITS[] = {"attended", "excused", "absent"};
    struct input in = {
        .kind = EVENT_SESSION_RECORD, .exit = EXITS[draw(r, 3)], .subject_case = soul_id(c)};
    bool taken = false, had = r->c[c].recorded;
    r->c[c].recorded = true; /* what the letter of this very event says is true */
    if (!organise(r, in, &taken)) {
        return false;
    }
    if (!taken || r->f.code != 0) {
        r->c[c].recorded = had;
    }
    return true;
}

static inline bool act_seat(struct rig *r)
{
    unsigned c = draw(r, CROWD);
    struct soul *x = &r->c[c];
    if (draw(r, 12) == 0) {
        return act_move(r);
    }
    if (r->svc->groups && draw(r, 5) == 0) {
        return act_open(r);
    }
    if (draw(r, 150) == 0) {
        return crowd_comes(r, MAIL_SEAT_WANTED);
    }
    if (x->is == NOTHING) {
        wish(r, c, draw(r, 5));
        return send_mail(r, c, MAIL_SEAT_WANTED, x->left > 0 ? x->left + 1 : draw(r, 2));
    }
    if (draw(r, 6) == 0 && !x->recorded) {
        x->is = NOTHING;
        return send_mail(r, c, MAIL_SEAT_RELEASED, 0);
    }
    return act_record(r, c);
}

/* Who is on date `d` by its own belief, or will be as its series goes on. */
static inline unsigned load_of(const struct rig *r, unsigned d)
{
    unsigned n = 0;
    for (unsigned c = 0; c < CROWD; c++) {
        const struct soul *x = &r->c[c];
        unsigned between = 0;
        bool stands = false;
        for (unsigned i = 0; i <= d && x->is == INVITED; i++) {
            between += r->s.dates[i].at_us > x->date_us;
            stands = stands || r->s.dates[i].at_us == x->date_us;
        }
        n += stands && between <= x->left;
    }
    return n;
}

static inline bool could_sit(const struct rig *r, const struct soul *x, unsigned d)
{
    int64_t at_us = r->s.dates[d].at_us;
    unsigned places = r->svc->places ? r->svc->places : UINT32_MAX;
    bool open =
        r->svc->invite.n > 0 ? r->now <= days_before(r, at_us, r->svc->invite) : r->now < at_us;
    if (at_us <= x->after_us || at_us <= r->now) {
        return false;
    }
    if (x->begun) {
        return load_of(r, d) < places;
    }
    bool in_time = x->until_us == 0 || at_us <= x->until_us;
    for (unsigned k = d; k < r->s.n_dates && k - d <= x->left; k++) {
        in_time = in_time && load_of(r, k) < places;
    }
    return open && in_time;
}

static inline bool check_seats(struct rig *r)
{
    for (unsigned c = 0; c < CROWD; c++) {
        const struct soul *x = &r->c[c];
        if (x->is == INVITED && r->svc->places != 0 && on_date(r, x->date_us) > r->svc->places) {
            return fault(r, "too many seats are on one date");
        }
        if (x->recorded) {
            return fault(r, "case %u never hears what was recorded", c);
        }
        for (unsigned d = 0; d < r->s.n_dates && x->is == WAITS; d++) {
            if (could_sit(r, x, d)) {
                return fault(r, "case %u waits while a date has room", c);
            }
        }
    }
    return true;
}

#endif
