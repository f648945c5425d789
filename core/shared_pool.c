/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Pools of places, places in groups, and quotas.
 *
 * A free place goes to the first who waits: by date, or the one whose own time ends first, then by
 * case id. With an answer clock it is offered and counts as taken meanwhile; silence loses the
 * turn, a refusal keeps or loses it as the service says. Whoever kept its turn is passed over until
 * the next place becomes free, or for another answer time. The pool waits for an answer a little
 * longer than it told, lest a timely one that was under way finds its place gone.
 *
 * A quota is used up at once or there is none; nothing gives it back but its owner.
 */
#include <string.h>

#include "shared_parts.h"

#define ANSWER_GRACE_US STO_US_PER_HOUR

bool place_held(const struct seat *t)
{
    return t->want == WANT_PLACE && t->phase >= PLACE_OFFERED;
}

int64_t place_answer_by(const struct seat *t)
{
    return t->date_us - ANSWER_GRACE_US;
}

static unsigned held(const struct shared_state *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_seats; i++) {
        n += place_held(&s->seats[i]) && !(PLANT(103) && s->seats[i].phase == PLACE_OFFERED);
    }
    return n;
}

unsigned shared_taken(const struct service *svc, const struct shared_state *s)
{
    return svc->shape == SERVICE_QUOTA ? s->used : held(s);
}

/* ------------------------------------------------------------------ giving */

static bool before(const struct service *svc, const struct seat *a, const struct seat *b)
{
    int64_t a_until = a->until_us == 0 ? INT64_MAX : a->until_us,
            b_until = b->until_us == 0 ? INT64_MAX : b->until_us;
    if (svc->order == ORDER_URGENT && a_until != b_until && !PLANT(104)) {
        return a_until < b_until;
    }
    if (a->since_us != b->since_us) {
        return a->since_us < b->since_us;
    }
    return memcmp(a->case_id.b, b->case_id.b, sizeof a->case_id.b) < 0;
}

static bool eligible(const struct seat *t, int64_t now_us)
{
    return t->want == WANT_PLACE && t->phase == PLACE_QUEUED && t->after_us <= now_us &&
           (t->until_us == 0 || t->until_us > now_us);
}

static void place_give(struct work *w, struct seat *t)
{
    t->tell = MAIL_PLACE_OFFERED;
    t->phase = PLACE_RESERVED;
    t->after_us = 0;
    if (w->svc->answer.n > 0) {
        int64_t due =
            calendar_due_us(organiser_calendar(w->net, w->svc), w->now_us, w->svc->answer);
        due = t->until_us != 0 && t->until_us < due ? t->until_us : due;
        t->phase = PLACE_OFFERED;
        t->date_us = due + ANSWER_GRACE_US;
    }
}

void pool_give(struct work *w)
{
    struct shared_state *s = w->s;
    unsigned taken = held(s);
    bool in_force = service_in_force(w->svc, w->now_us);
    while (in_force && (w->svc->places == 0 || taken < w->svc->places)) {
        struct seat *first = NULL;
        for (unsigned i = 0; i < s->n_seats; i++) {
            struct seat *t = &s->seats[i];
            if (eligible(t, w->now_us) && (!first || before(w->svc, t, first))) {
                first = t;
            }
        }
        if (!first) {
            return;
        }
        place_give(w, first);
        taken++;
    }
}

/* A refusal was told, and so was a part of a quota: no more is to be known of them. */
void pool_told(struct work *w)
{
    for (unsigned i = w->s->n_seats; i-- > 0;) {
        struct seat *t = &w->s->seats[i];
        bool over = t->phase == PLACE_NONE || w->svc->shape == SERVICE_QUOTA;
        if (t->want == WANT_PLACE && t->tell == 0 && over) {
            want_drop(w->s, t);
        }
    }
}

/* ------------------------------------------------------------------ clocks */

int64_t pool_due_us(const struct service *svc, const struct shared_state *s)
{
    int64_t due = INT64_MAX;
    bool room = svc->places == 0 || held(s) < svc->places;
    for (unsigned i = 0; i < s->n_seats && svc->shape == SERVICE_PLACE; i++) {
        const struct seat *t = &s->seats[i];
        int64_t at = INT64_MAX;
        if (t->want == WANT_PLACE && t->phase == PLACE_OFFERED) {
            at = t->date_us;
        } else if (t->want == WANT_PLACE && t->phase == PLACE_QUEUED && room) {
            bool early = sto_day_of_us(s->last_us) < svc->valid.from_day;
            int64_t opens = early ? sto_day_minute_us(svc->valid.from_day, 0) : 0;
            at = t->after_us > opens ? t->after_us : opens;
            bool waits = at > s->last_us && (t->until_us == 0 || at < t->until_us) &&
                         service_in_force(svc, at);
            at = waits ? at : INT64_MAX;
        }
        due = at < due ? at : due;
    }
    return due;
}

/* One offer that was not answered loses its turn; what else was due is given by the settling. */
void pool_clock(struct work *w)
{
    struct seat *first = NULL;
    for (unsigned i = 0; i < w->s->n_seats; i++) {
        struct seat *t = &w->s->seats[i];
        if (t->want == WANT_PLACE && t->phase == PLACE_OFFERED && t->date_us <= w->now_us &&
            (!first || t->date_us < first->date_us)) {
            first = t;
        }
    }
    if (first && PLANT(113)) {
        first->date_us += STO_US_PER_HOUR;
    } else if (first) {
        first->phase = PLACE_NONE;
        first->date_us = 0;
        first->tell = MAIL_PLACE_NONE;
    }
}

/* ------------------------------------------------------------------ mail */

/* A place has become free: whoever declined the one before is asked again first. */
static void turns_come(struct work *w)
{
    for (unsigned i = 0; i < w->s->n_seats; i++) {
        if (w->s->seats[i].want == WANT_PLACE) {
            w->s->seats[i].after_us = 0;
        }
    }
}

static bool never_again(const struct work *w)
{
    return sto_day_of_us(w->now_us) > w->svc->valid.until_day;
}

static int quota_wanted(struct work *w, const struct mail *m)
{
    bool left = w->s->used < w->svc->places || PLANT(105);
    if (!left || !service_in_force(w->svc, w->now_us)) {
        shared_answer(w, m, MAIL_PLACE_NONE);
        return 0;
    }
    struct seat *t = want_add(w, m, WANT_PLACE);
    if (t) {
        w->s->used++;
        t->phase = PLACE_RESERVED;
        t->tell = MAIL_PLACE_OFFERED;
    } else if (w->out->code == STO_E_CAPACITY) {
        w->out->code = 0;
        shared_answer(w, m, MAIL_PLACE_NONE);
    }
    return 0;
}

static int place_wanted(struct work *w, const struct mail *m)
{
    const struct seat *had = want_find(w->s, &m->src, WANT_PLACE);
    bool other = had && place_held(had) && had->token != m->token;
    if (other || never_again(w)) { /* what it holds must be given back first */
        shared_answer(w, m, MAIL_PLACE_NONE);
        return 0;
    }
    if (had && place_held(had) && m->entry > had->entry) { /* it goes back with the new wish */
        turns_come(w);
    }
    struct seat *t = want_add(w, m, WANT_PLACE);
    if (t) {
        t->phase = PLACE_QUEUED;
    } else if (w->out->code == STO_E_CAPACITY) {
        w->out->code = 0;
        shared_answer(w, m, MAIL_PLACE_NONE);
    }
    return 0;
}

static void place_declined(struct work *w, struct seat *t)
{
    t->date_us = 0;
    t->tell = 0;
    if (w->svc->keeps_turn && !PLANT(106)) {
        t->phase = PLACE_QUEUED;
        t->after_us =
            calendar_due_us(organiser_calendar(w->net, w->svc), w->now_us, w->svc->answer);
    } else {
        t->phase = PLACE_NONE;
        t->tell = MAIL_PLACE_NONE;
    }
}

/* An answer after the turn was lost: the place, if one is still free, else there is none. */
static void place_taken_late(struct work *w, struct seat *t, const struct mail *m)
{
    bool room = w->svc->places == 0 || held(w->s) < w->svc->places;
    w->out->code = 0;
    t = room && !t ? want_add(w, m, WANT_PLACE) : t;
    if (room && t) {
        t->phase = PLACE_RESERVED;
        t->tell = 0;
    } else if (!t) {
        shared_answer(w, m, MAIL_PLACE_NONE);
    }
}

static void place_freed(struct work *w, struct seat *t)
{
    bool was_held = place_held(t);
    if (w->svc->shape == SERVICE_QUOTA && w->s->used > 0) {
        w->s->used--; /* it was not told yet: nobody has used it */
    }
    want_drop(w->s, t);
    if (was_held && !PLANT(107)) {
        turns_come(w);
    }
}

static void place_taken(struct work *w, struct seat *t, const struct mail *m)
{
    if (t && t->phase == PLACE_OFFERED) {
        t->phase = PLACE_RESERVED;
        t->date_us = 0;
    } else if ((!t || t->phase == PLACE_NONE) && w->svc->answer.n > 0) {
        place_taken_late(w, t, m);
    }
}

int pool_mail(struct work *w, const struct mail *m, struct sto_err *err)
{
    if (m->kind == MAIL_PLACE_WANTED) {
        return w->svc->shape == SERVICE_QUOTA ? quota_wanted(w, m) : place_wanted(w, m);
    }
    if (m->kind != MAIL_PLACE_FREED && m->kind != MAIL_PLACE_TAKEN &&
        m->kind != MAIL_PLACE_DECLINED && m->kind != MAIL_PLACE_OCCUPIED) {
        return sto_fail(err, STO_E_MALFORMED, "places take no mail of kind %u", (unsigned)m->kind);
    }
    struct seat *t = want_named(w, m, WANT_PLACE);
    if (m->kind == MAIL_PLACE_TAKEN) {
        place_taken(w, t, m);
    } else if (t && m->kind == MAIL_PLACE_FREED) {
        place_freed(w, t);
    } else if (t && m->kind == MAIL_PLACE_DECLINED && t->phase == PLACE_OFFERED) {
        place_declined(w, t);
    } else if (t && m->kind == MAIL_PLACE_OCCUPIED && place_held(t)) {
        t->phase = PLACE_OCCUPIED;
        t->date_us = 0;
    }
    return 0;
}

/* ------------------------------------------------------------------ quotas */

int quota_return(struct work *w, const struct input *in, struct sto_err *err)
{
    if (w->svc->shape != SERVICE_QUOTA) {
        return sto_fail(err, STO_E_WRONG_STATE, "'%s' is no quota", w->svc->id);
    }
    if (in->place == 0 || in->place > w->s->used) {
        return sto_fail(err, STO_E_WRONG_STATE,
                        "%u cannot be given back: %u of quota '%s' are used", (unsigned)in->place,
                        (unsigned)w->s->used, w->svc->id);
    }
    w->s->used = (uint16_t)(w->s->used - in->place);
    return 0;
}
