/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The session aggregate: who has a seat on which date.
 *
 * Every decision works on a copy: apply the input, settle (forget finished dates,
 * learn coming ones, seat the queue in order of arrival), tell the cases as many
 * news as one fact carries, and give the difference. What is left to tell follows
 * at once by further clock events. A date once offered to somebody moves only by
 * its organiser: an earlier seat that becomes free goes to who waits, nobody with
 * a seat is shifted. It knows nothing of workflows; cases hear by mail alone.
 */
#include "shared.h"

#include <string.h>

#include "recurrence.h"
#include "shared_parts.h"
#include "sto_crypto.h"

#define MOVE_YEARS_MAX   3
#define RULE_DATES_TRIED 64 /* dates of a rule that are skipped at most in one event */

struct work { /* one decision under way */
    const network_t *net;
    const struct service *svc;
    struct sto_uuid id;
    struct shared_state *s;
    int64_t now_us;
    sto_arena_t *arena;
    struct fact *out;
};

void shared_id(const char *network, uint16_t service, struct sto_uuid *out)
{
    static const char domain[] = "saatto/session/1";
    uint8_t hash[32];
    struct sto_buf in;
    sto_buf_init(&in, 0);
    sto_put_bytes(&in, network, strlen(network));
    sto_put_u16(&in, service);
    STO_ASSERT(!in.failed);
    sto_sha256_2(domain, sizeof domain, in.data, in.len, hash);
    sto_buf_release(&in);
    sto_uuid_v8(out, hash, hash[31]);
}

/* ------------------------------------------------------------------ dates */

static const struct calendar *organiser_calendar(const network_t *net, const struct service *svc)
{
    return network_calendar(net, svc->org, svc->desk);
}

static struct party organiser(const struct work *w)
{
    uint16_t org = network_in_force(w->net, w->svc->org, sto_day_of_us(w->now_us));
    if (org == 0 || org == w->svc->org) {
        return (struct party){.org = w->svc->org, .desk = w->svc->desk};
    }
    const struct organisation *o = network_org(w->net, org);
    return (struct party){.org = org, .desk = o && o->n_desks > 0 ? o->desks[0].number : 0};
}

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

static unsigned date_find(const struct shared_state *s, int64_t at_us)
{
    unsigned i = 0;
    while (i < s->n_dates && s->dates[i].at_us != at_us) {
        i++;
    }
    return i;
}

static void date_drop(struct shared_state *s, unsigned i)
{
    memmove(&s->dates[i], &s->dates[i + 1], (s->n_dates - i - 1u) * sizeof s->dates[0]);
    s->n_dates--;
    memset(&s->dates[s->n_dates], 0, sizeof s->dates[0]);
}

static void date_insert(struct shared_state *s, int64_t at_us, uint16_t taken)
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

/* Is the invitation time of a date still to come? */
static bool date_open(const struct work *w, int64_t at_us)
{
    if (w->svc->invite.n <= 0) {
        return w->now_us < at_us;
    }
    const struct calendar *cal = organiser_calendar(w->net, w->svc);
    return w->now_us <= calendar_before_us(cal, at_us, w->svc->invite);
}

/* The rule's first date after an instant; INT64_MAX when it has ended. */
static int64_t rule_next_us(const struct service *svc, int64_t after_us)
{
    int32_t day = sto_day_of_us(after_us);
    if (sto_day_minute_us(day, svc->at_min) > after_us) {
        day--; /* today's is still to come */
    }
    int32_t next;
    if (recurrence_next(svc->rrule, svc->start_day, day, &next, NULL) != 0) {
        return INT64_MAX;
    }
    return sto_day_minute_us(next, svc->at_min);
}

/* Takes the rule's next dates until the list is full or the rule ends. */
static void dates_learn(struct work *w)
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
            validity_holds(&w->svc->valid, sto_day_of_us(at_us))) {
            date_insert(s, at_us, 0);
        }
    }
}

/* ------------------------------------------------------------------ seats */

static struct seat *seat_find(struct shared_state *s, const struct sto_uuid *case_id)
{
    for (unsigned i = 0; i < s->n_seats; i++) {
        if (sto_uuid_eq(&s->seats[i].case_id, case_id)) {
            return &s->seats[i];
        }
    }
    return NULL;
}

static void seat_drop(struct shared_state *s, struct seat *seat)
{
    unsigned i = (unsigned)(seat - s->seats);
    memmove(seat, seat + 1, (s->n_seats - i - 1u) * sizeof *seat);
    s->n_seats--;
    memset(&s->seats[s->n_seats], 0, sizeof *seat);
}

/* Takes the seat's date away from it; the place is free again. */
static void seat_unplace(struct shared_state *s, struct seat *seat)
{
    unsigned i = date_find(s, seat->date_us);
    if (seat->date_us != 0 && i < s->n_dates && s->dates[i].taken > 0) {
        s->dates[i].taken--;
    }
    seat->date_us = 0;
}

static unsigned seats_waiting(const struct shared_state *s, int64_t date_us)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_seats; i++) {
        n += s->seats[i].date_us == date_us && s->seats[i].phase == SEAT_INVITED;
    }
    return n;
}

static void seats_forget(struct shared_state *s, int64_t date_us)
{
    for (unsigned i = s->n_seats; i-- > 0;) {
        if (s->seats[i].phase == SEAT_RECORDED && s->seats[i].date_us == date_us &&
            s->seats[i].tell == 0) {
            seat_drop(s, &s->seats[i]);
        }
    }
}

static bool seats_to_tell(const struct shared_state *s, int64_t date_us)
{
    for (unsigned i = 0; i < s->n_seats; i++) {
        if (s->seats[i].date_us == date_us && s->seats[i].tell != 0) {
            return true;
        }
    }
    return false;
}

/* Dates that are over, or can no longer be offered, and of which nothing is to be recorded. */
static void dates_forget(struct work *w)
{
    struct shared_state *s = w->s;
    for (unsigned i = s->n_dates; i-- > 0;) {
        int64_t at_us = s->dates[i].at_us;
        bool over = at_us <= w->now_us || (s->dates[i].taken == 0 && !date_open(w, at_us));
        if (over && seats_waiting(s, at_us) == 0 && !seats_to_tell(s, at_us)) {
            seats_forget(s, at_us);
            date_drop(s, i);
        }
    }
}

static void seats_give(struct work *w)
{
    struct shared_state *s = w->s;
    for (unsigned i = 0; i < s->n_seats; i++) {
        struct seat *seat = &s->seats[i];
        if (seat->phase != SEAT_QUEUED) {
            continue;
        }
        for (unsigned d = 0; d < s->n_dates; d++) {
            bool room = w->svc->places == 0 || s->dates[d].taken < w->svc->places;
            bool in_time = seat->until_us == 0 || s->dates[d].at_us <= seat->until_us;
            if (room && in_time && date_open(w, s->dates[d].at_us)) {
                s->dates[d].taken++;
                seat->date_us = s->dates[d].at_us;
                seat->phase = SEAT_INVITED;
                seat->since_us = w->now_us;
                seat->tell = seat->tell == MAIL_SEAT_MOVED ? MAIL_SEAT_MOVED : MAIL_SEAT_INVITED;
                break;
            }
        }
    }
}

static int tell(struct work *w, struct sto_err *err)
{
    struct shared_state *s = w->s;
    struct fact *f = w->out;
    f->mails = sto_arena_alloc(w->arena, STO_FACT_MAILS_MAX * sizeof *f->mails);
    if (!f->mails) {
        return sto_fail(err, STO_E_LIMIT, "the event needs more memory than is allowed");
    }
    for (unsigned i = 0; i < s->n_seats && f->n_mails < STO_FACT_MAILS_MAX; i++) {
        struct seat *seat = &s->seats[i];
        if (seat->tell != 0) {
            f->mails[f->n_mails++] = (struct mail){.kind = seat->tell,
                                                   .src = w->id,
                                                   .dst = seat->case_id,
                                                   .service = s->service,
                                                   .token = seat->token,
                                                   .entry = seat->entry,
                                                   .exit = seat->exit,
                                                   .at_us = seat->date_us,
                                                   .until_us = seat->until_us};
            seat->tell = 0;
        }
    }
    return 0;
}

/* ----------------------------------------------------------------- inputs */

static void make_room(struct shared_state *s)
{
    for (unsigned i = 0; i < s->n_seats; i++) {
        if (s->seats[i].phase == SEAT_RECORDED && s->seats[i].tell == 0) {
            seat_unplace(s, &s->seats[i]);
            seat_drop(s, &s->seats[i]);
            return;
        }
    }
}

static int seat_wanted(struct work *w, const struct mail *m)
{
    struct shared_state *s = w->s;
    struct seat *had = seat_find(s, &m->src);
    if (had && had->token == m->token && had->entry == m->entry) {
        return 0; /* a repeat */
    }
    if (had && (had->token > m->token || (had->token == m->token && had->entry > m->entry))) {
        w->out->code = STO_E_LATE; /* overtaken by a newer wish of the same case */
        return 0;
    }
    if (had) {
        seat_unplace(s, had);
        seat_drop(s, had);
    }
    if (s->n_seats == STO_SESSION_SEATS_MAX) {
        make_room(s);
    }
    if (s->n_seats == STO_SESSION_SEATS_MAX) {
        w->out->code = STO_E_CAPACITY; /* the case waits on its own clock */
        return 0;
    }
    s->seats[s->n_seats++] = (struct seat){.case_id = m->src,
                                           .token = m->token,
                                           .entry = m->entry,
                                           .phase = SEAT_QUEUED,
                                           .since_us = w->now_us,
                                           .until_us = m->until_us};
    return 0;
}

static int seat_released(struct work *w, const struct mail *m)
{
    struct seat *seat = seat_find(w->s, &m->src);
    if (seat && seat->token == m->token && seat->phase != SEAT_RECORDED) {
        seat_unplace(w->s, seat);
        seat_drop(w->s, seat);
    }
    return 0;
}

static int on_mail(struct work *w, const struct input *in, struct sto_err *err)
{
    const struct mail *m = in->mail;
    if (!m || m->service != w->svc->number) {
        return sto_fail(err, STO_E_MALFORMED, "the mail is not for service '%s'", w->svc->id);
    }
    w->out->token = m->token;
    if (m->kind == MAIL_SEAT_WANTED) {
        return seat_wanted(w, m);
    }
    if (m->kind == MAIL_SEAT_RELEASED) {
        return seat_released(w, m);
    }
    return sto_fail(err, STO_E_MALFORMED, "a session takes no mail of kind %u", (unsigned)m->kind);
}

static struct party rung_party(const struct work *w, enum rung_to to)
{
    struct party org = organiser(w);
    const struct organisation *c = network_org(w->net, w->net->coordinator_org);
    if (to == RUNG_COORDINATOR && c) {
        return (struct party){.org = c->number, .desk = c->n_desks > 0 ? c->desks[0].number : 0};
    }
    return org; /* a session has no sender: the organiser's own lead hears it */
}

static int send_record(struct work *w, uint8_t kind, struct party to, unsigned date,
                       struct sto_err *err)
{
    struct fact *f = w->out;
    f->sends = sto_arena_alloc(w->arena, sizeof *f->sends);
    if (!f->sends) {
        return sto_fail(err, STO_E_LIMIT, "the event needs more memory than is allowed");
    }
    int64_t at_us = w->s->dates[date].at_us;
    f->n_sends = 1;
    f->sends[0] = (struct send){.kind = kind,
                                .to = to,
                                .clock = CLOCK_RECORD,
                                .rung = w->s->dates[date].rung,
                                .at_us = at_us,
                                .due_us = record_due_us(w->net, w->svc, at_us)};
    return 0;
}

static bool any_queued(const struct shared_state *s)
{
    for (unsigned i = 0; i < s->n_seats; i++) {
        if (s->seats[i].phase == SEAT_QUEUED) {
            return true;
        }
    }
    return false;
}

static bool any_to_tell(const struct shared_state *s)
{
    for (unsigned i = 0; i < s->n_seats; i++) {
        if (s->seats[i].tell != 0) {
            return true;
        }
    }
    return false;
}

/* When date `i` has something to do by itself. */
static int64_t date_due_us(const network_t *net, const struct service *svc,
                           const struct shared_state *s, unsigned i)
{
    if (!s->dates[i].asked_to_record) {
        return s->dates[i].taken > 0 || any_queued(s) ? s->dates[i].at_us : INT64_MAX;
    }
    return rung_due_us(net, svc, s->dates[i].at_us, s->dates[i].rung);
}

int64_t shared_next_due_us(const network_t *net, const struct shared_state *s)
{
    const struct service *svc = network_service(net, s->service);
    if (!svc) {
        return INT64_MAX;
    }
    if (any_to_tell(s)) {
        return s->last_us;
    }
    int64_t due = INT64_MAX;
    for (unsigned i = 0; i < s->n_dates; i++) {
        int64_t d = date_due_us(net, svc, s, i);
        due = d < due ? d : due;
    }
    return due;
}

/* The earliest matter of a date; what is to be told was told by the event itself. */
static int on_clock(struct work *w, struct sto_err *err)
{
    struct shared_state *s = w->s;
    int64_t due = shared_next_due_us(w->net, s);
    if (due > w->now_us) {
        return sto_fail(err, STO_E_WRONG_STATE, "no clock of session '%s' is due", w->svc->id);
    }
    w->out->late_us = w->now_us - due;
    if (any_to_tell(s)) {
        return 0;
    }
    unsigned i = 0;
    while (date_due_us(w->net, w->svc, s, i) != due) {
        i++;
    }
    if (!s->dates[i].asked_to_record) {
        s->dates[i].asked_to_record = true;
        return seats_waiting(s, s->dates[i].at_us) > 0
                   ? send_record(w, SEND_RECORD, organiser(w), i, err)
                   : 0;
    }
    const struct ladder *ladder = default_ladder(w->net);
    STO_ASSERT(ladder); /* without one no rung was due */
    const struct rung *r = &ladder->rungs[s->dates[i].rung];
    uint8_t kind = r->to == RUNG_BALL ? SEND_REMINDER : SEND_ESCALATION;
    int rc = send_record(w, kind, rung_party(w, r->to), i, err);
    s->dates[i].rung++;
    return rc;
}

static int organiser_only(const struct work *w, const struct input *in, struct sto_err *err)
{
    if (in->actor.org == organiser(w).org) {
        return 0;
    }
    const struct organisation *o = network_org(w->net, in->actor.org);
    return sto_fail(err, STO_E_NOT_ALLOWED, "organisation '%s' does not organise session '%s'",
                    o ? o->id : "?", w->svc->id);
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

static int on_record(struct work *w, const struct input *in, struct sto_err *err)
{
    int rc = organiser_only(w, in, err);
    if (rc != 0) {
        return rc;
    }
    uint8_t exit = record_exit(in->exit);
    if (exit == EXIT_NONE) {
        return sto_fail(err, STO_E_UNKNOWN_NAME,
                        "attendance is attended, excused or absent, got '%s'",
                        in->exit ? in->exit : "");
    }
    struct seat *seat = seat_find(w->s, &in->subject_case);
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
    seat->since_us = w->now_us;
    seat->tell = MAIL_SEAT_RECORDED;
    return 0;
}

static void seats_move(struct work *w, int64_t from_us, int64_t to_us)
{
    for (unsigned i = 0; i < w->s->n_seats; i++) {
        struct seat *seat = &w->s->seats[i];
        if (seat->date_us != from_us || seat->phase != SEAT_INVITED) {
            continue;
        }
        seat->date_us = to_us;
        seat->since_us = w->now_us;
        seat->tell = MAIL_SEAT_MOVED;
        if (to_us == 0) {
            seat->phase = SEAT_QUEUED; /* it keeps its turn: its position in the list */
        }
    }
}

static int on_move(struct work *w, const struct input *in, struct sto_err *err)
{
    int rc = organiser_only(w, in, err);
    if (rc != 0) {
        return rc;
    }
    struct shared_state *s = w->s;
    unsigned i = date_find(s, in->at_us);
    if (i == s->n_dates) {
        return sto_fail(err, STO_E_NOT_FOUND, "session '%s' has no such date", w->svc->id);
    }
    if (seats_waiting(s, in->at_us) != s->dates[i].taken) {
        return sto_fail(err, STO_E_WRONG_STATE, "attendance of that date is recorded already");
    }
    if (in->at2_us != 0 && (in->at2_us <= w->now_us || date_find(s, in->at2_us) < s->n_dates)) {
        return sto_fail(err, STO_E_WRONG_STATE,
                        "the new date is past or is a date of session '%s' already", w->svc->id);
    }
    if (in->at2_us > sto_us_add(w->now_us, (struct sto_duration){MOVE_YEARS_MAX, STO_YEARS})) {
        return sto_fail(err, STO_E_WRONG_STATE, "the new date is more than %d years ahead",
                        MOVE_YEARS_MAX);
    }
    uint16_t taken = s->dates[i].taken;
    date_drop(s, i);
    seats_move(w, in->at_us, in->at2_us);
    if (in->at2_us != 0) {
        date_insert(s, in->at2_us, taken);
    }
    return 0;
}

/* A recorded excuse before the date gives the place back. */
static void free_excused(struct work *w)
{
    for (unsigned i = w->s->n_seats; i-- > 0;) {
        struct seat *seat = &w->s->seats[i];
        if (seat->phase == SEAT_RECORDED && seat->tell == 0 && seat->date_us > w->now_us) {
            seat_unplace(w->s, seat);
            seat_drop(w->s, seat);
        }
    }
}

/* ------------------------------------------------------------------ decide */

static int apply(struct work *w, const struct input *in, struct sto_err *err)
{
    if (in->kind == EVENT_MAIL) {
        return on_mail(w, in, err);
    }
    if (in->kind == EVENT_CLOCK) {
        return on_clock(w, err);
    }
    if (in->kind == EVENT_SESSION_RECORD) {
        return on_record(w, in, err);
    }
    if (in->kind == EVENT_SESSION_MOVE) {
        return on_move(w, in, err);
    }
    return sto_fail(err, STO_E_WRONG_STATE, "a session takes no event '%s'",
                    event_kind_name(in->kind));
}

int shared_decide(const network_t *net, const struct sto_uuid *id, const struct shared_state *s,
                  const struct input *in, int64_t now_us, sto_arena_t *arena, struct fact *out,
                  struct sto_err *err)
{
    const struct service *svc = network_service(net, s->service);
    if (!svc || svc->shape != SERVICE_SESSION) {
        return sto_fail(err, STO_E_UNKNOWN_NAME, "service %u is no session service",
                        (unsigned)s->service);
    }
    struct shared_state next = *s;
    now_us = now_us < s->last_us ? s->last_us : now_us;
    *out = (struct fact){.kind = (uint8_t)in->kind,
                         .evidence = (uint8_t)in->evidence,
                         .seq = s->seq + 1,
                         .now_us = now_us,
                         .actor = in->actor};
    struct work w = {net, svc, *id, &next, now_us, arena, out};
    int rc = apply(&w, in, err);
    if (rc != 0) {
        return rc;
    }
    next.seq++;
    next.last_us = now_us;
    dates_forget(&w);
    dates_learn(&w);
    seats_give(&w);
    rc = tell(&w, err);
    if (rc != 0) {
        return rc;
    }
    free_excused(&w);
    dates_forget(&w);
    seats_give(&w);
    return shared_diff(s, &next, arena, out, err);
}
