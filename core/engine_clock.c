/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Clocks of a case: set, stop, pause, fire. A clock runs in the calendar of whoever
 * has the ball. A ladder hangs on most: rungs before the due instant remind; each
 * time a clock comes due and its step stays, the next rung after it is told and the
 * clock starts again. One EVENT_CLOCK fires one thing, the earliest.
 *
 * What an expiry means to an offer, a step or a consent stands with those.
 */
#include <string.h>

#include "turn.h"

#define OUTAGE_MIN_US (INT64_C(600) * STO_US_PER_SEC)
#define OUTAGE_GRACE  ((struct sto_duration){.n = 4, .unit = STO_BUSINESS_HOURS})

const struct wf_step *step_of(const struct turn *t, const struct token *tok)
{
    return &t->wf->steps[tok->step];
}

static bool has_ladder(enum clock_kind k)
{
    switch (k) {
    case CLOCK_ANSWER:
    case CLOCK_DECIDE:
    case CLOCK_INFO:
    case CLOCK_BOOK:
    case CLOCK_MEET:
    case CLOCK_CONFIRM:
    case CLOCK_CHECK_IN:
    case CLOCK_DRAFT:
    case CLOCK_NEXT:
    case CLOCK_START:
    case CLOCK_WITHIN:
        return true;
    case CLOCK_WAIT_MAX:
    case CLOCK_STABLE:
    case CLOCK_CAP:
    case CLOCK_SIDE:
    case CLOCK_WAIT:
    case CLOCK_CONSENT:
    case CLOCK_RECORD:
    case CLOCK_KINDS:
        return false;
    }
    return false;
}

const struct ladder *ladder_of(const struct turn *t, const struct clock *c)
{
    const struct token *tok = state_token(t->s, c->token);
    int ix = tok ? step_of(t, tok)->ladder_ix : -1;
    if (ix < 0 || ix >= t->net->n_ladders) {
        ix = 0;
    }
    return t->net->n_ladders > 0 && has_ladder(c->kind) ? &t->net->ladders[ix] : NULL;
}

/* ------------------------------------------------------------------ durations */

static struct sto_duration network_clock(const struct clock_defaults *d, enum clock_kind k)
{
    switch (k) {
    case CLOCK_ANSWER:
        return d->answer;
    case CLOCK_DECIDE:
        return d->decide;
    case CLOCK_INFO:
        return d->info;
    case CLOCK_BOOK:
        return d->book;
    case CLOCK_MEET:
        return d->meet;
    case CLOCK_CONFIRM:
        return d->confirm;
    case CLOCK_CHECK_IN:
        return d->check_in;
    case CLOCK_WAIT_MAX:
        return d->wait_max;
    case CLOCK_STABLE:
        return d->stable;
    case CLOCK_CAP:
        return d->cap;
    case CLOCK_DRAFT:
        return d->draft;
    case CLOCK_START:
        return d->book; /* no default of its own: a service starts as soon as a meeting is booked */
    case CLOCK_NEXT:
    case CLOCK_WITHIN:
    case CLOCK_SIDE:
    case CLOCK_WAIT:
    case CLOCK_CONSENT:
    case CLOCK_RECORD:
    case CLOCK_KINDS:
        break;
    }
    return d->next;
}

static struct sto_duration setting_duration(const struct turn *t, unsigned ix)
{
    int64_t v = t->s->settings[ix < STO_WF_SETTINGS_MAX ? ix : 0];
    return (struct sto_duration){.n = (int32_t)(v & 0xffffffff), .unit = (enum sto_unit)(v >> 32)};
}

struct sto_duration starts_duration(const struct turn *t, const struct wf_starts *x)
{
    return x->setting < t->wf->n_settings ? setting_duration(t, x->setting) : x->d;
}

unsigned attendance_days(const struct turn *t, unsigned setting, unsigned days)
{
    if (setting >= t->wf->n_settings) {
        return days;
    }
    int64_t v = t->s->settings[setting];
    return v > 0 && v < UINT16_MAX ? (unsigned)v : days;
}

struct sto_duration clock_duration(const struct turn *t, const struct wf_step *w, enum clock_kind k)
{
    if (w && (unsigned)k < sizeof w->clocks.has / sizeof w->clocks.has[0] && w->clocks.has[k]) {
        const struct wf_when *when = &w->clocks.w[k];
        if (when->kind == WHEN_DURATION) {
            return when->d;
        }
        if (when->kind == WHEN_SETTING) {
            return setting_duration(t, when->ix);
        }
    }
    return network_clock(&t->net->clocks, k);
}

int64_t when_due_us(const struct turn *t, const struct wf_when *w, int64_t from_us,
                    const struct calendar *cal, bool end_of_day)
{
    int64_t due_us;
    switch (w->kind) {
    case WHEN_DURATION:
        return calendar_due_us(cal, from_us, w->d);
    case WHEN_SETTING:
        return calendar_due_us(cal, from_us, setting_duration(t, w->ix));
    case WHEN_UNTIL_FIELD:
        due_us = date_field_us(t, w->ix, end_of_day);
        return due_us > t->now ? due_us : t->now; /* past or not there: at once */
    case WHEN_ATTENDANCE:
        return INT64_MAX; /* counted, not timed */
    case WHEN_NONE:
        break;
    }
    return calendar_due_us(cal, from_us, t->net->clocks.next);
}

/* ------------------------------------------------------------------ one clock */

struct clock *clock_find(struct turn *t, enum clock_kind k, uint16_t token, uint16_t offer,
                         uint8_t side)
{
    struct clock key = {.kind = (uint8_t)k, .token = token, .offer = offer, .side = side};
    unsigned i = clock_place(t->s, &key);
    return i < t->s->n_clocks && clock_order(&t->s->clocks[i], &key) == 0 ? &t->s->clocks[i] : NULL;
}

/* The step's own reminder, instead of the ladder's. */
static const struct wf_when *own_reminder(const struct turn *t, const struct clock *c)
{
    const struct token *tok = state_token(t->s, c->token);
    const struct wf_when *w = tok ? &step_of(t, tok)->remind : NULL;
    return w && (w->kind == WHEN_DURATION || w->kind == WHEN_SETTING) && has_ladder(c->kind) ? w
                                                                                             : NULL;
}

static void remind_arm(const struct turn *t, struct clock *c, const struct calendar *cal,
                       const struct wf_when *w)
{
    struct sto_duration d = w->kind == WHEN_SETTING ? setting_duration(t, w->ix) : w->d;
    int64_t at_us = calendar_before_us(cal, c->due_us, d);
    c->rung &= 0xf0u;
    c->rung_us = at_us > t->now ? at_us : INT64_MAX;
}

/* The first rung before the due instant that is still to come. */
static void rung_arm(const struct turn *t, struct clock *c, const struct calendar *cal,
                     unsigned from)
{
    const struct ladder *l = ladder_of(t, c);
    const struct wf_when *own = own_reminder(t, c);
    c->rung_us = INT64_MAX;
    if (own) {
        if (from == 0) {
            remind_arm(t, c, cal, own);
        }
        return;
    }
    for (unsigned i = from; l && i < l->n_rungs; i++) {
        if (!l->rungs[i].before_due) {
            continue;
        }
        int64_t at_us = calendar_before_us(cal, c->due_us, l->rungs[i].after);
        if (at_us > t->now) {
            c->rung = (uint8_t)((c->rung & 0xf0u) | i);
            c->rung_us = at_us;
            return;
        }
    }
    c->rung = (uint8_t)((c->rung & 0xf0u) | (l ? l->n_rungs : 0));
}

void clock_start_at(struct turn *t, struct clock key, int64_t due_us, struct party ball)
{
    key.due_us = due_us;
    key.set_us = t->now;
    rung_arm(t, &key, network_calendar(t->net, ball.org, ball.desk), 0);
    if (!clock_put(t->s, &key)) {
        turn_fail(t, STO_E_LIMIT, "the case has more than %u clocks", STO_CASE_CLOCKS_MAX);
    }
}

void clock_start(struct turn *t, struct clock key, int64_t from_us, struct sto_duration d,
                 struct party ball)
{
    key.business = d.unit == STO_BUSINESS_DAYS || d.unit == STO_BUSINESS_HOURS;
    int64_t due_us = calendar_due_us(network_calendar(t->net, ball.org, ball.desk), from_us, d);
    clock_start_at(t, key, due_us, ball);
}

void clock_stop(struct turn *t, enum clock_kind k, uint16_t token, uint16_t offer)
{
    struct clock *c = clock_find(t, k, token, offer, 0);
    if (c) {
        clock_drop_at(t->s, (unsigned)(c - t->s->clocks));
    }
}

void clocks_stop_token(struct turn *t, uint16_t token)
{
    for (unsigned i = t->s->n_clocks; token != 0 && i-- > 0;) {
        if (t->s->clocks[i].token == token) {
            clock_drop_at(t->s, i);
        }
    }
}

void clocks_stop_offer(struct turn *t, uint16_t offer)
{
    for (unsigned i = t->s->n_clocks; offer != 0 && i-- > 0;) {
        if (t->s->clocks[i].offer == offer && t->s->clocks[i].kind != CLOCK_STABLE) {
            clock_drop_at(t->s, i);
        }
    }
}

void clock_pause(struct turn *t, enum clock_kind k, uint16_t token, uint16_t offer)
{
    struct clock *c = clock_find(t, k, token, offer, 0);
    if (c && !c->paused) {
        c->paused = true;
        c->paused_us = t->now;
    }
}

void clock_resume(struct turn *t, enum clock_kind k, uint16_t token, uint16_t offer,
                  struct party ball)
{
    struct clock *c = clock_find(t, k, token, offer, 0);
    if (!c || !c->paused) {
        return;
    }
    const struct calendar *cal = network_calendar(t->net, ball.org, ball.desk);
    c->due_us = calendar_resume_us(cal, c->business, c->due_us, c->paused_us, t->now);
    c->paused = false;
    c->paused_us = 0;
    rung_arm(t, c, cal, 0);
}

struct party clock_ball(struct turn *t, const struct clock *c)
{
    const struct offer *o = c->offer ? state_offer(t->s, c->offer) : NULL;
    if (o && c->kind != CLOCK_STABLE) {
        return c->kind == CLOCK_INFO ? t->s->holder : o->to;
    }
    const struct token *tok = state_token(t->s, c->token);
    if (tok) {
        struct party p = engine_ball(t->net, t->wf, t->s, tok);
        return p.org != 0 ? p : t->s->holder;
    }
    return t->s->holder;
}

/* ------------------------------------------------------------------ within, sides */

static int64_t within_due_us(const struct turn *t, const struct wf_when *within, unsigned n,
                             int64_t from_us, const struct calendar *cal)
{
    int64_t due_us = INT64_MAX;
    for (unsigned i = 0; i < n; i++) {
        int64_t at_us = when_due_us(t, &within[i], from_us, cal, true);
        due_us = at_us < due_us ? at_us : due_us;
    }
    return due_us;
}

static bool business_when(const struct turn *t, const struct wf_when *w)
{
    struct sto_duration d = w->kind == WHEN_SETTING ? setting_duration(t, w->ix) : w->d;
    return (w->kind == WHEN_DURATION || w->kind == WHEN_SETTING) &&
           (d.unit == STO_BUSINESS_DAYS || d.unit == STO_BUSINESS_HOURS);
}

void within_start(struct turn *t, uint16_t token, int64_t from_us)
{
    const struct token *tok = state_token(t->s, token);
    const struct wf_when *within = tok ? step_of(t, tok)->within : t->wf->within;
    unsigned n = tok ? step_of(t, tok)->n_within : t->wf->n_within;
    struct clock key = {.kind = CLOCK_WITHIN, .token = token};
    struct party ball = clock_ball(t, &key);
    const struct calendar *cal = network_calendar(t->net, ball.org, ball.desk);
    int64_t due_us = within_due_us(t, within, n, from_us, cal);
    if (n > 0 && due_us != INT64_MAX) {
        key.business = business_when(t, &within[0]);
        clock_start_at(t, key, due_us, ball);
    }
}

void within_or_default(struct turn *t, uint16_t id)
{
    within_start(t, id, t->now);
    if (!clock_find(t, CLOCK_WITHIN, id, 0, 0)) {
        /* The front end lets no waiting step without a clock through; nothing may wait for ever. */
        struct clock key = {.kind = CLOCK_WITHIN, .token = id};
        clock_start(t, key, t->now, t->net->clocks.cap, clock_ball(t, &key));
    }
}

int64_t within_due(struct turn *t, uint16_t id)
{
    const struct clock *c = clock_find(t, CLOCK_WITHIN, id, 0, 0);
    return c ? c->due_us : 0;
}

void within_reach(struct turn *t, uint16_t id, uint16_t service, int64_t date_us)
{
    struct clock *c = clock_find(t, CLOCK_WITHIN, id, 0, 0);
    const struct service *v = network_service(t->net, service);
    if (!c || !v) {
        return;
    }
    const struct calendar *cal = network_calendar(t->net, v->org, v->desk);
    int64_t due_us =
        calendar_due_us(cal, calendar_due_us(cal, date_us, v->record), t->net->clocks.meet);
    c->due_us = due_us > c->due_us ? due_us : c->due_us;
}

static void side_arm(struct turn *t, uint16_t host, unsigned side, const struct wf_starts *starts,
                     int64_t from_us)
{
    struct clock key = {.kind = CLOCK_SIDE, .token = host, .side = (uint8_t)side};
    struct party ball = clock_ball(t, &key);
    const struct clock *within = clock_find(t, CLOCK_WITHIN, host, 0, 0);
    int64_t due_us = INT64_MAX;
    switch (starts->kind) {
    case STARTS_AFTER:
    case STARTS_EVERY:
        clock_start(t, key, from_us, starts_duration(t, starts), ball);
        return;
    case STARTS_BEFORE_END:
        if (within) {
            due_us = calendar_before_us(network_calendar(t->net, ball.org, ball.desk),
                                        within->due_us, starts_duration(t, starts));
        }
        break;
    case STARTS_HALF_WAY:
        if (within) {
            due_us = from_us + (within->due_us - from_us) / 2;
        }
        break;
    case STARTS_NONE:
    case STARTS_EVENT:
    case STARTS_ATTENDANCE:
        return;
    }
    if (due_us != INT64_MAX) {
        clock_start_at(t, key, due_us > t->now ? due_us : t->now, ball);
    }
}

void sides_arm(struct turn *t, uint16_t host, int64_t from_us)
{
    const struct token *tok = state_token(t->s, host);
    const uint16_t *sides = tok ? step_of(t, tok)->sides : t->wf->sides;
    unsigned n = tok ? step_of(t, tok)->n_sides : t->wf->n_sides;
    for (unsigned i = 0; i < n; i++) {
        side_arm(t, host, i, &t->wf->steps[sides[i]].starts, from_us);
    }
}

/* ------------------------------------------------------------------ climbing */

/* The n-th rung after the due instant, or the last one; -1 = the ladder has none. */
static int rung_after(const struct ladder *l, unsigned n)
{
    int found = -1;
    for (unsigned i = 0, k = 0; l && i < l->n_rungs; i++) {
        if (!l->rungs[i].before_due) {
            found = (int)i;
            if (k++ == n) {
                break;
            }
        }
    }
    return found;
}

static void restart(struct turn *t, struct clock c, struct party ball)
{
    if (c.kind == CLOCK_WITHIN) {
        within_start(t, c.token, t->now);
        struct clock *again = clock_find(t, CLOCK_WITHIN, c.token, 0, 0);
        if (again && again->due_us > t->now) {
            again->rung = (uint8_t)((again->rung & 0x0fu) | (c.rung & 0xf0u));
            return;
        }
    }
    /* A date that is past would fire for ever: the network's own pace instead. */
    const struct token *tok = state_token(t->s, c.token);
    struct clock key = {.kind = c.kind, .token = c.token, .offer = c.offer, .rung = c.rung & 0xf0u};
    struct sto_duration d = c.kind == CLOCK_WITHIN
                                ? t->net->clocks.next
                                : clock_duration(t, tok ? step_of(t, tok) : NULL, c.kind);
    clock_start(t, key, t->now, d, ball);
}

void clock_climb(struct turn *t, struct clock c)
{
    unsigned climbed = c.rung >> 4;
    const struct ladder *l = ladder_of(t, &c);
    int rung = rung_after(l, climbed);
    if (rung >= 0) {
        send_escalation(t, &c, (unsigned)rung, l->rungs[rung].to);
    } else {
        send_escalation(t, &c, 0, RUNG_DESK_LEAD);
    }
    climbed = climbed < 15 ? climbed + 1 : climbed;
    c.rung = (uint8_t)((c.rung & 0x0fu) | climbed << 4);
    restart(t, c, clock_ball(t, &c));
}

/* ------------------------------------------------------------------ firing */

static const struct clock *earliest(const struct case_state *s, bool *rung)
{
    const struct clock *first = NULL;
    int64_t at_us = INT64_MAX;
    for (unsigned i = 0; i < s->n_clocks; i++) {
        const struct clock *c = &s->clocks[i];
        int64_t c_us = c->rung_us < c->due_us ? c->rung_us : c->due_us;
        if (!c->paused && c_us < at_us) {
            first = c;
            at_us = c_us;
        }
    }
    *rung = first && first->rung_us < first->due_us;
    return first;
}

static void fire_rung(struct turn *t, struct clock c)
{
    const struct ladder *l = ladder_of(t, &c);
    unsigned i = c.rung & 0x0fu;
    if (own_reminder(t, &c)) {
        send_escalation(t, &c, 0, RUNG_BALL);
    } else if (l && i < l->n_rungs) {
        send_escalation(t, &c, i, l->rungs[i].to);
    }
    struct party ball = clock_ball(t, &c);
    struct clock *at = clock_find(t, c.kind, c.token, c.offer, c.side);
    rung_arm(t, at, network_calendar(t->net, ball.org, ball.desk), i + 1);
}

static void fire_info(struct turn *t, struct clock c)
{
    struct offer *o = offer_find(t, c.offer);
    if (!o) {
        return;
    }
    o->state = OFFER_IN_REVIEW;
    o->since_us = t->now;
    struct party to = o->to;
    clock_resume(t, CLOCK_DECIDE, c.token, c.offer, to);
    send_offer(t, SEND_UPDATE, to, offer_of(t, c.offer))->clock = CLOCK_INFO;
    send_escalation(t, &c, 0, RUNG_SENDER_LEAD);
}

static void fire_check_in(struct turn *t, struct clock c)
{
    struct offer *o = offer_find(t, c.offer);
    if (o && ++o->check_ins_missed < 2) {
        struct party to = o->to;
        restart(t, c, to);
        send_escalation(t, &c, 0, RUNG_DESK_LEAD);
    } else {
        offer_expire(t, c.offer, CLOCK_CHECK_IN);
    }
}

static void fire_due(struct turn *t, struct clock c)
{
    switch ((enum clock_kind)c.kind) {
    case CLOCK_ANSWER:
        if (c.offer == 0) { /* a place that was offered */
            place_unanswered(t, c.token);
            return;
        }
        offer_expire(t, c.offer, c.kind);
        return;
    case CLOCK_DECIDE:
    case CLOCK_BOOK:
    case CLOCK_MEET:
    case CLOCK_CONFIRM:
    case CLOCK_START:
    case CLOCK_WAIT_MAX:
        offer_expire(t, c.offer, c.kind);
        return;
    case CLOCK_INFO:
        fire_info(t, c);
        return;
    case CLOCK_CHECK_IN:
        fire_check_in(t, c);
        return;
    case CLOCK_STABLE:
        right_lapse(t);
        return;
    case CLOCK_CAP:
        handover_cap(t, c.token);
        return;
    case CLOCK_DRAFT:
        clock_climb(t, c);
        return;
    case CLOCK_NEXT:
        if (!end_clock(t, c.token)) {
            clock_climb(t, c);
        }
        return;
    case CLOCK_WITHIN:
        walk_expire(t, c.token);
        return;
    case CLOCK_SIDE:
        side_start(t, c.token, c.side);
        return;
    case CLOCK_WAIT:
        if (!end_clock(t, c.token)) {
            walk_leave(t, c.token, EXIT_DONE);
        }
        return;
    case CLOCK_CONSENT:
        consent_lose(t, c.side);
        return;
    case CLOCK_RECORD:
    case CLOCK_KINDS:
        return;
    }
}

int clock_fire(struct turn *t)
{
    bool rung = false;
    const struct clock *first = earliest(t->s, &rung);
    if (!first || (rung ? first->rung_us : first->due_us) > t->now) {
        return turn_fail(t, STO_E_WRONG_STATE, "no clock of the case is due");
    }
    struct clock c = *first;
    t->out->late_us = t->now - (rung ? c.rung_us : c.due_us);
    turn_about(t, state_token(t->s, c.token), c.offer ? state_offer(t->s, c.offer) : NULL);
    if (rung) {
        fire_rung(t, c);
        return t->rc;
    }
    if (c.kind !=
        CLOCK_WITHIN) { /* a step's own time goes when the step is left, or starts again */
        clock_drop_at(t->s, (unsigned)(first - t->s->clocks));
    }
    if (PLANT(2) && c.kind <= CLOCK_CONFIRM) {
        return t->rc;
    }
    fire_due(t, c);
    return t->rc;
}

int clocks_restarted(struct turn *t)
{
    if (!actor_is_broker(t)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "only the broker says that it was down");
    }
    int64_t from_us = t->in->at2_us;
    if (t->now - from_us <= OUTAGE_MIN_US) {
        return 0;
    }
    for (unsigned i = 0; i < t->s->n_clocks; i++) {
        struct clock *c = &t->s->clocks[i];
        bool answers = c->kind == CLOCK_ANSWER || c->kind == CLOCK_DECIDE ||
                       c->kind == CLOCK_INFO || c->kind == CLOCK_CONFIRM;
        if (!answers || c->paused || c->due_us < from_us || c->due_us > t->now) {
            continue;
        }
        struct party ball = clock_ball(t, c);
        const struct calendar *cal = network_calendar(t->net, ball.org, ball.desk);
        int64_t due_us = calendar_due_us(cal, t->now, OUTAGE_GRACE);
        c->due_us = due_us > c->due_us ? due_us : c->due_us;
        rung_arm(t, c, cal, 0);
    }
    return t->rc;
}
