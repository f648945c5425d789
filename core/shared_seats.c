/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Seats of a session or group: who comes on which date. The queue is seated in order of arrival.
 * A date once offered to somebody moves only by its organiser: an earlier seat that becomes free
 * goes to who waits, nobody with a seat is shifted.
 *
 * A series keeps its place for as many dates in a row as it has meetings: a date counts those who
 * will still come to it, and whoever has begun goes before the queue. Attendance is recorded for
 * one date after the other, so a seat stands on the earliest that is not recorded.
 */
#include <string.h>

#include "shared_parts.h"

static bool stands(const struct seat *t, int64_t date_us)
{
    return t->want == WANT_SEAT && t->phase == SEAT_INVITED && t->date_us == date_us;
}

unsigned seats_waiting(const struct shared_state *s, int64_t date_us)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_seats; i++) {
        n += stands(&s->seats[i], date_us);
    }
    return n;
}

void seats_forget(struct shared_state *s, int64_t date_us)
{
    for (unsigned i = s->n_seats; i-- > 0;) {
        const struct seat *t = &s->seats[i];
        if (t->want == WANT_SEAT && t->phase == SEAT_RECORDED && t->date_us == date_us &&
            t->tell == 0) {
            want_drop(s, &s->seats[i]);
        }
    }
}

/* Does the series of the seat, which stands on an earlier date, go on to date `i`? */
static bool series_comes_to(const struct shared_state *s, const struct seat *t, unsigned i)
{
    if (t->want != WANT_SEAT || t->left == 0 || t->date_us == 0 ||
        t->date_us >= s->dates[i].at_us) {
        return false;
    }
    unsigned at = date_find(s, t->date_us);
    return at < i && i - at <= t->left;
}

bool seats_need(const struct shared_state *s, int64_t date_us)
{
    unsigned d = date_find(s, date_us);
    for (unsigned i = 0; d < s->n_dates && i < s->n_seats; i++) {
        if (series_comes_to(s, &s->seats[i], d)) {
            return true;
        }
    }
    return false;
}

/* Seats that stand on date `i` or will. */
static unsigned date_load(const struct shared_state *s, unsigned i)
{
    unsigned n = s->dates[i].taken;
    for (unsigned k = 0; k < s->n_seats && !PLANT(101); k++) {
        n += series_comes_to(s, &s->seats[k], i);
    }
    return n;
}

/* Takes the seat's date away from it; the place is free again. */
void seat_unplace(struct shared_state *s, struct seat *seat)
{
    unsigned i = date_find(s, seat->date_us);
    if (seat->date_us != 0 && i < s->n_dates && s->dates[i].taken > 0) {
        s->dates[i].taken--;
    }
    seat->date_us = 0;
}

static void seat_place(struct shared_state *s, struct seat *seat, unsigned i)
{
    if (s->dates[i].stage ==
        DATE_HELD) { /* recorded late: the organiser is asked for this one too */
        s->dates[i].stage = DATE_COMING;
        s->dates[i].rung = 0;
    }
    s->dates[i].taken++;
    seat->date_us = s->dates[i].at_us;
    seat->phase = SEAT_INVITED;
    seat->tell = seat->tell == MAIL_SEAT_MOVED ? MAIL_SEAT_MOVED : MAIL_SEAT_INVITED;
}

/* ------------------------------------------------------------------ giving */

static bool room_on(const struct work *w, unsigned i)
{
    unsigned places = w->svc->places;
    return places == 0 || (w->s->dates[i].taken < places && date_load(w->s, i) < places);
}

/* goes_on: it was recorded just now, and its next date may be past as well. */
static bool fits(const struct work *w, const struct seat *t, unsigned i, bool goes_on)
{
    const struct shared_state *s = w->s;
    int64_t at_us = s->dates[i].at_us;
    if (at_us <= t->after_us || !room_on(w, i)) {
        return false;
    }
    if (t->begun) {
        return goes_on || at_us > w->now_us; /* its next date, however near */
    }
    bool in_time = t->until_us == 0 || at_us <= t->until_us;
    if (!in_time || !date_open(w, at_us)) {
        return false;
    }
    for (unsigned k = i + 1; k < s->n_dates && k - i <= t->left; k++) {
        if (!room_on(w, k)) {
            return false;
        }
    }
    return true;
}

static void seat_give(struct work *w, struct seat *t, bool goes_on)
{
    for (unsigned d = 0; d < w->s->n_dates; d++) {
        if (fits(w, t, d, goes_on)) {
            seat_place(w->s, t, d);
            return;
        }
    }
}

static void seats_give(struct work *w)
{
    for (int begun = 1; begun >= 0; begun--) {
        for (unsigned i = 0; i < w->s->n_seats; i++) {
            struct seat *t = &w->s->seats[i];
            if (t->want == WANT_SEAT && t->phase == SEAT_QUEUED && t->begun == (begun == 1)) {
                seat_give(w, t, false);
            }
        }
    }
}

/* What was told is done with: a series goes on to its next date, an excuse before the date gives
   the place back. */
void seats_told(struct work *w)
{
    struct shared_state *s = w->s;
    for (unsigned i = s->n_seats; i-- > 0;) {
        struct seat *t = &s->seats[i];
        if (t->want != WANT_SEAT || t->phase != SEAT_RECORDED || t->tell != 0) {
            continue;
        }
        if (t->left > 0) {
            t->after_us = t->date_us;
            seat_unplace(s, t);
            t->phase = SEAT_QUEUED;
            t->exit = 0;
            t->begun = true;
            t->left--;
            seat_give(w, t, true);
        } else if (t->date_us > w->now_us) {
            want_drop(s, t);
        }
    }
}

/* ------------------------------------------------------------------ groups */

struct group {
    unsigned wanted; /* wishes of who is new */
    bool runs;       /* somebody has a place in it, or dates to come after the present one */
};

static struct group group_of(const struct shared_state *s)
{
    struct group g = {0};
    for (unsigned i = 0; i < s->n_seats; i++) {
        const struct seat *t = &s->seats[i];
        bool queued =
            t->want == WANT_PLACE ? t->phase == PLACE_QUEUED : t->phase == SEAT_QUEUED && !t->begun;
        bool had = t->want == WANT_PLACE ? place_held(t)
                                         : t->begun || (t->phase == SEAT_INVITED && t->left > 0);
        g.wanted += queued;
        g.runs = g.runs || had;
    }
    return g;
}

int group_enough(const struct work *w, struct sto_err *err)
{
    struct group g = group_of(w->s);
    if (g.runs || g.wanted >= w->svc->minimum || PLANT(102)) {
        return 0;
    }
    return sto_fail(err, STO_E_WRONG_STATE, "%u wait for a group of '%s', which needs %u", g.wanted,
                    w->svc->id, (unsigned)w->svc->minimum);
}

/* The organiser hears once that a group can be opened. */
static int group_tell(struct work *w, struct sto_err *err)
{
    struct group g = group_of(w->s);
    bool enough = !g.runs && g.wanted >= w->svc->minimum;
    bool tell = enough && !w->s->told_minimum;
    w->s->told_minimum = enough;
    return tell ? shared_send(w, SEND_NOTICE, organiser(w), 0, err) : 0;
}

int seats_settle(struct work *w, struct sto_err *err)
{
    dates_forget(w);
    dates_learn(w);
    seats_give(w);
    return w->svc->groups ? group_tell(w, err) : 0;
}

/* ------------------------------------------------------------------ inputs */

static int seat_wanted(struct work *w, const struct mail *m)
{
    struct seat *t = want_add(w, m, WANT_SEAT);
    if (t) {
        t->phase = SEAT_QUEUED;
        t->left = (uint16_t)(m->n > 1 ? m->n - 1 : 0);
    }
    return 0;
}

static int seat_released(struct work *w, const struct mail *m)
{
    struct seat *t = want_find(w->s, &m->src, WANT_SEAT);
    if (t && t->token == m->token && (t->phase != SEAT_RECORDED || t->left > 0)) {
        want_drop(w->s, t);
    }
    return 0;
}

int seats_mail(struct work *w, const struct mail *m, struct sto_err *err)
{
    if (m->kind == MAIL_SEAT_WANTED) {
        return seat_wanted(w, m);
    }
    if (m->kind == MAIL_SEAT_RELEASED) {
        return seat_released(w, m);
    }
    if (w->svc->groups) { /* places in a group: given when its organiser opens it */
        return pool_mail(w, m, err);
    }
    return sto_fail(err, STO_E_MALFORMED, "a session takes no mail of kind %u", (unsigned)m->kind);
}

static uint8_t record_exit(const char *name)
{
    static const struct {
        const char *name;
        uint8_t exit;
    } exits[] = {{"attended", EXIT_ATTENDED}, {"excused", EXIT_EXCUSED}, {"absent", EXIT_ABSENT}};
    for (size_t i = 0; name && i < sizeof exits / sizeof exits[0]; i++) {
        if (strcmp(exits[i].name, name) == 0) {
            return exits[i].exit;
        }
    }
    return EXIT_NONE;
}

int seats_record(struct work *w, const struct input *in, struct sto_err *err)
{
    uint8_t exit = record_exit(in->exit);
    if (exit == EXIT_NONE) {
        return sto_fail(err, STO_E_UNKNOWN_NAME,
                        "attendance is attended, excused or absent, got '%s'",
                        in->exit ? in->exit : "");
    }
    struct seat *seat = want_find(w->s, &in->subject_case, WANT_SEAT);
    if (!seat) {
        return sto_fail(err, STO_E_UNKNOWN_CASE, "the case has no seat in session '%s'",
                        w->svc->id);
    }
    w->out->token = seat->token;
    w->out->exit = exit;
    if (seat->phase == SEAT_RECORDED) {
        w->out->code = STO_E_LATE;
        return 0;
    }
    if (seat->phase != SEAT_INVITED) {
        return sto_fail(err, STO_E_WRONG_STATE, "the case still waits for a date of session '%s'",
                        w->svc->id);
    }
    if (exit != EXIT_EXCUSED && seat->date_us > w->now_us) {
        return sto_fail(err, STO_E_WRONG_STATE,
                        "the date of session '%s' is still to come: only excused fits", w->svc->id);
    }
    seat->phase = SEAT_RECORDED;
    seat->exit = exit;
    seat->tell = MAIL_SEAT_RECORDED;
    return 0;
}

void seats_move(struct work *w, int64_t from_us, int64_t to_us)
{
    for (unsigned i = 0; i < w->s->n_seats; i++) {
        struct seat *seat = &w->s->seats[i];
        if (!stands(seat, from_us)) {
            continue;
        }
        seat->date_us = to_us;
        seat->tell = PLANT(114) ? 0 : MAIL_SEAT_MOVED;
        if (to_us == 0) {
            seat->phase = SEAT_QUEUED; /* it keeps its turn: its position in the list */
        }
    }
}
