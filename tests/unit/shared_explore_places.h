/* SPDX-License-Identifier: EUPL-1.2 */
/* Part of shared_explore.h: pools of places and quotas. */
#ifndef SHARED_EXPLORE_PLACES_H
#define SHARED_EXPLORE_PLACES_H
#include "shared_explore.h"

static inline unsigned believers(const struct rig *r)
{
    unsigned n = 0;
    for (unsigned c = 0; c < CROWD; c++) {
        n += r->c[c].is == OFFERED || r->c[c].is == HAS || r->c[c].is == USES;
    }
    return n;
}

static inline bool can_be_offered(const struct rig *r, const struct soul *x)
{
    return x->is == WAITS && x->not_before_us <= r->now &&
           (x->until_us == 0 || x->until_us > r->now);
}

static inline bool precedes(const struct rig *r, unsigned a, unsigned b)
{
    const struct soul *x = &r->c[a], *y = &r->c[b];
    int64_t xu = x->until_us ? x->until_us : INT64_MAX, yu = y->until_us ? y->until_us : INT64_MAX;
    if (r->svc->order == ORDER_URGENT && xu != yu) {
        return xu < yu;
    }
    struct sto_uuid i = soul_id(a), k = soul_id(b);
    return x->since_us != y->since_us ? x->since_us < y->since_us
                                      : memcmp(i.b, k.b, sizeof i.b) < 0;
}

static inline bool in_this_fact(const struct rig *r, unsigned c)
{
    for (unsigned i = 0; i < r->f.n_mails; i++) {
        if (r->f.mails[i].dst.b[1] == c && r->f.mails[i].kind == MAIL_PLACE_OFFERED) {
            return true;
        }
    }
    return false;
}

static inline bool hear_offer(struct rig *r, unsigned c, const struct mail *m)
{
    struct soul *x = &r->c[c];
    if (x->is != WAITS) {
        return fault(r, "case %u, which does not wait, is offered a place", c);
    }
    for (unsigned k = 0; k < CROWD && r->svc->shape == SERVICE_PLACE; k++) {
        if (k != c && can_be_offered(r, &r->c[k]) && precedes(r, k, c) && !in_this_fact(r, k)) {
            return fault(r, "case %u is passed over for %u", k, c);
        }
    }
    x->is = m->until_us != 0 ? OFFERED : HAS;
    x->date_us = m->until_us;
    r->granted += r->svc->shape == SERVICE_QUOTA;
    if (r->svc->shape == SERVICE_QUOTA && r->granted - r->returned > r->svc->places) {
        return fault(r, "more than the quota is used");
    }
    return true;
}

static inline bool hear_place(struct rig *r, unsigned c, const struct mail *m)
{
    struct soul *x = &r->c[c];
    if (m->kind == MAIL_PLACE_OFFERED) {
        return hear_offer(r, c, m);
    }
    if (m->kind != MAIL_PLACE_NONE) {
        return fault(r, "a case hears mail %u", (unsigned)m->kind);
    }
    bool silent = x->is == OFFERED && r->now >= x->date_us;
    bool used_up = r->svc->shape == SERVICE_QUOTA && x->is == WAITS &&
                   r->granted - r->returned == r->svc->places;
    if (!silent && !used_up && x->is != LOSES) {
        return fault(r, "case %u loses its turn for nothing", c);
    }
    x->is = NOTHING;
    return true;
}

/* A held place goes back: whoever declined the last one is asked again first. */
static inline void goes_back(struct rig *r)
{
    for (unsigned k = 0; k < CROWD; k++) {
        r->c[k].not_before_us = 0;
    }
}

static inline bool free_place(struct rig *r, unsigned c)
{
    struct soul *x = &r->c[c];
    if (x->is == OFFERED || x->is == HAS || x->is == USES) {
        goes_back(r);
    }
    x->is = NOTHING;
    return send_mail(r, c, MAIL_PLACE_FREED, 0);
}

static inline bool answer_place(struct rig *r, unsigned c)
{
    struct soul *x = &r->c[c];
    if (draw(r, 3) == 0) {
        x->is = HAS;
        return send_mail(r, c, MAIL_PLACE_TAKEN, 0);
    }
    if (draw(r, 3) == 0) {
        return true; /* silence */
    }
    x->is = r->svc->keeps_turn ? WAITS : LOSES;
    x->not_before_us =
        r->svc->keeps_turn ? calendar_due_us(&r->net->calendars[0].cal, r->now, r->svc->answer) : 0;
    return send_mail(r, c, MAIL_PLACE_DECLINED, 0);
}

static inline bool act_quota(struct rig *r)
{
    struct input in = {.kind = EVENT_QUOTA_RETURN, .place = (uint16_t)draw(r, 3)};
    bool taken = false;
    if (!organise(r, in, &taken)) {
        return false;
    }
    r->returned += taken ? in.place : 0;
    return r->returned <= r->granted || fault(r, "more is returned than was used");
}

static inline bool act_place(struct rig *r)
{
    unsigned c = draw(r, CROWD / 3);
    struct soul *x = &r->c[c];
    bool held = x->is == HAS || x->is == USES;
    if (r->svc->shape == SERVICE_QUOTA && draw(r, 5) == 0) {
        return act_quota(r);
    }
    if (x->is == NOTHING || (held && draw(r, 6) == 0)) {
        if (held && r->svc->shape == SERVICE_PLACE) {
            goes_back(r);
        }
        wish(r, c, 0);
        return send_mail(r, c, MAIL_PLACE_WANTED, 0);
    }
    if (x->is == OFFERED && draw(r, 5) != 0) {
        return r->now >= x->date_us || answer_place(r, c);
    }
    if (x->is == HAS && draw(r, 2)) {
        x->is = USES;
        return send_mail(r, c, MAIL_PLACE_OCCUPIED, 0);
    }
    return x->is == LOSES || draw(r, 2) || free_place(r, c);
}

static inline enum belief phase_believed(uint8_t phase)
{
    static const enum belief B[] = {NOTHING, WAITS, OFFERED, HAS, USES};
    return phase < 5 ? B[phase] : NOTHING;
}

static inline bool check_places(struct rig *r)
{
    bool quota = r->svc->shape == SERVICE_QUOTA;
    unsigned held = believers(r);
    if (!quota && held > r->svc->places) {
        return fault(r, "%u cases hold %u places", held, (unsigned)r->svc->places);
    }
    for (unsigned c = 0; c < CROWD; c++) {
        const struct soul *x = &r->c[c];
        struct sto_uuid id = soul_id(c);
        enum belief has = NOTHING;
        for (unsigned i = 0; i < r->s.n_seats; i++) {
            if (sto_uuid_eq(&r->s.seats[i].case_id, &id)) {
                has = phase_believed(r->s.seats[i].phase);
            }
        }
        if (!quota && has != x->is) {
            return fault(r, "case %u believes %d, the pool %d", c, x->is, has);
        }
        if (quota && x->is == WAITS) {
            return fault(r, "case %u waits for a quota that answers at once", c);
        }
        if (!quota && can_be_offered(r, x) && held < r->svc->places) {
            return fault(r, "case %u waits while there is room", c);
        }
        if (x->is == OFFERED && r->now > x->date_us + 2 * STO_US_PER_HOUR) {
            return fault(r, "case %u does not answer and keeps its place", c);
        }
    }
    return !quota || r->s.used == r->granted - r->returned ||
           fault(r, "%u of the quota are counted, %u used", (unsigned)r->s.used,
                 r->granted - r->returned);
}

#endif
