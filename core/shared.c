/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What cases share: the decision, by the shape of the service.
 *
 * Every decision works on a copy: apply the input, settle (finish what is over, give what is free
 * to who waits), tell the cases as many news as one fact carries, and give the difference. What is
 * left to tell follows at once by further clock events. It knows nothing of workflows; cases hear
 * by mail alone.
 */
#include "shared.h"

#include <string.h>

#include "shared_parts.h"
#include "sto_crypto.h"

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

const char *want_phase_name(enum want want, uint8_t phase)
{
    static const char *const NAMES[][5] = {
        [WANT_SEAT] = {"", "queued", "invited", "recorded", ""},
        [WANT_PLACE] = {"none", "queued", "offered", "reserved", "occupied"},
        [WANT_AGENDA] = {"", "queued", "asked", "on_agenda", ""}};
    return want >= WANT_SEAT && want <= WANT_AGENDA && phase < 5 ? NAMES[want][phase] : "";
}

/* ------------------------------------------------------------------ who */

const struct calendar *organiser_calendar(const network_t *net, const struct service *svc)
{
    return network_calendar(net, svc->org, svc->desk);
}

struct party organiser(const struct work *w)
{
    uint16_t org = network_in_force(w->net, w->svc->org, sto_day_of_us(w->now_us));
    if (org == 0 || org == w->svc->org) {
        return (struct party){.org = w->svc->org, .desk = w->svc->desk};
    }
    const struct organisation *o = network_org(w->net, org);
    return (struct party){.org = org, .desk = o && o->n_desks > 0 ? o->desks[0].number : 0};
}

static int organiser_only(const struct work *w, const struct input *in, struct sto_err *err)
{
    if (in->actor.org == organiser(w).org || PLANT(110)) {
        return 0;
    }
    const struct organisation *o = network_org(w->net, in->actor.org);
    return sto_fail(err, STO_E_NOT_ALLOWED, "organisation '%s' does not organise '%s'",
                    o ? o->id : "?", w->svc->id);
}

/* ------------------------------------------------------------------ what leaves */

int shared_send(struct work *w, uint8_t kind, struct party to, int64_t at_us, struct sto_err *err)
{
    struct fact *f = w->out;
    if (!f->sends) {
        f->sends = sto_arena_alloc(w->arena, STO_FACT_SENDS_MAX * sizeof *f->sends);
    }
    if (!f->sends || f->n_sends == STO_FACT_SENDS_MAX) {
        return sto_fail(err, STO_E_LIMIT, "the event needs more memory than is allowed");
    }
    f->sends[f->n_sends++] = (struct send){.kind = kind, .to = to, .at_us = at_us};
    return 0;
}

static void mail_put(struct work *w, const struct mail *m)
{
    STO_ASSERT(w->out->n_mails < STO_FACT_MAILS_MAX);
    w->out->mails[w->out->n_mails++] = *m;
}

void shared_answer(struct work *w, const struct mail *wish, enum mail_kind kind)
{
    mail_put(w, &(struct mail){.kind = (uint8_t)kind,
                               .src = w->id,
                               .dst = wish->src,
                               .service = w->s->service,
                               .token = wish->token,
                               .entry = wish->entry});
}

static struct mail news_of(const struct work *w, const struct seat *t)
{
    struct mail m = {.kind = t->tell,
                     .src = w->id,
                     .dst = t->case_id,
                     .service = w->s->service,
                     .token = t->token,
                     .entry = t->entry,
                     .exit = t->exit,
                     .at_us = t->date_us,
                     .until_us = t->until_us,
                     .n = t->left};
    if (t->want == WANT_PLACE) { /* the time of the offer is when it is to be answered by */
        m.at_us = 0;
        m.until_us = t->phase == PLACE_OFFERED ? place_answer_by(t) : 0;
        m.n = 0;
    }
    return m;
}

static void tell(struct work *w)
{
    struct shared_state *s = w->s;
    for (unsigned i = 0; i < s->n_seats && w->out->n_mails < STO_FACT_MAILS_MAX; i++) {
        struct seat *t = &s->seats[i];
        if (t->tell != 0) {
            struct mail m = news_of(w, t);
            mail_put(w, &m);
            t->tell = 0;
        }
    }
    for (unsigned i = 0; PLANT(112) && i < s->n_seats; i++) {
        s->seats[i].tell = 0;
    }
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

/* ------------------------------------------------------------------ wishes */

struct seat *want_find(struct shared_state *s, const struct sto_uuid *case_id, enum want want)
{
    for (unsigned i = 0; i < s->n_seats; i++) {
        if (seat_is(&s->seats[i], case_id, (uint8_t)want)) {
            return &s->seats[i];
        }
    }
    return NULL;
}

struct seat *want_named(struct work *w, const struct mail *m, enum want want)
{
    struct seat *t = want_find(w->s, &m->src, want);
    if (t && t->token == m->token && t->entry == m->entry) {
        return t;
    }
    w->out->code = STO_E_LATE;
    return NULL;
}

void want_drop(struct shared_state *s, struct seat *t)
{
    if (t->want == WANT_SEAT && !PLANT(115)) {
        seat_unplace(s, t);
    }
    unsigned i = (unsigned)(t - s->seats);
    memmove(t, t + 1, (s->n_seats - i - 1u) * sizeof *t);
    s->n_seats--;
    memset(&s->seats[s->n_seats], 0, sizeof *t);
}

/* Whose attendance was recorded and told makes room for who comes. */
static void make_room(struct shared_state *s)
{
    for (unsigned i = 0; i < s->n_seats; i++) {
        const struct seat *t = &s->seats[i];
        if (t->want == WANT_SEAT && t->phase == SEAT_RECORDED && t->tell == 0) {
            want_drop(s, &s->seats[i]);
            return;
        }
    }
}

struct seat *want_add(struct work *w, const struct mail *m, enum want want)
{
    struct shared_state *s = w->s;
    struct seat *had = want_find(s, &m->src, want);
    if (had && had->token == m->token && had->entry == m->entry) {
        had->until_us = m->until_us; /* a repeat, or its step's time was begun anew */
        return NULL;
    }
    if (had && (had->token > m->token || (had->token == m->token && had->entry > m->entry))) {
        w->out->code = STO_E_LATE; /* overtaken by a newer wish of the same case */
        return NULL;
    }
    if (had && !PLANT(111)) {
        want_drop(s, had);
    }
    if (s->n_seats == STO_SESSION_SEATS_MAX) {
        make_room(s);
    }
    if (s->n_seats == STO_SESSION_SEATS_MAX) {
        w->out->code = STO_E_CAPACITY; /* the case waits on its own clock */
        return NULL;
    }
    struct seat *t = &s->seats[s->n_seats++];
    *t = (struct seat){.case_id = m->src,
                       .token = m->token,
                       .entry = m->entry,
                       .want = (uint8_t)want,
                       .since_us = w->now_us,
                       .until_us = m->until_us};
    return t;
}

bool any_queued(const struct shared_state *s)
{
    for (unsigned i = 0; i < s->n_seats; i++) {
        const struct seat *t = &s->seats[i];
        if ((t->want == WANT_SEAT && t->phase == SEAT_QUEUED) ||
            (t->want == WANT_AGENDA && t->date_us == 0)) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ by shape */

static bool has_dates(const struct service *svc)
{
    return svc->shape == SERVICE_SESSION || svc->shape == SERVICE_PANEL;
}

int64_t shared_next_due_us(const network_t *net, const struct shared_state *s)
{
    const struct service *svc = network_service(net, s->service);
    if (!svc || !service_shared(svc)) {
        return INT64_MAX;
    }
    if (any_to_tell(s)) {
        return s->last_us;
    }
    return has_dates(svc) ? dates_due_us(net, svc, s) : pool_due_us(svc, s);
}

static int on_clock(struct work *w, struct sto_err *err)
{
    int64_t due = shared_next_due_us(w->net, w->s);
    if (due > w->now_us) {
        return sto_fail(err, STO_E_WRONG_STATE, "no clock of '%s' is due", w->svc->id);
    }
    w->out->late_us = w->now_us - due;
    if (any_to_tell(w->s)) {
        return 0; /* the event itself tells it */
    }
    if (has_dates(w->svc)) {
        return dates_clock(w, due, err);
    }
    pool_clock(w);
    return 0;
}

static int on_mail(struct work *w, const struct input *in, struct sto_err *err)
{
    const struct mail *m = in->mail;
    if (!m || m->service != w->svc->number) {
        return sto_fail(err, STO_E_MALFORMED, "the mail is not for service '%s'", w->svc->id);
    }
    w->out->token = m->token;
    switch (w->svc->shape) {
    case SERVICE_SESSION:
        return seats_mail(w, m, err);
    case SERVICE_PANEL:
        return agenda_mail(w, m, err);
    case SERVICE_PLACE:
    case SERVICE_QUOTA:
        return pool_mail(w, m, err);
    case SERVICE_PLAIN:
        break;
    }
    return sto_fail(err, STO_E_MALFORMED, "service '%s' is not shared", w->svc->id);
}

static int wrong_shape(const struct work *w, const struct input *in, struct sto_err *err)
{
    static const char *const TAKES[] = {
        [SERVICE_PLAIN] = "nothing",
        [SERVICE_SESSION] = "session-record, session-move and, with groups, group-open",
        [SERVICE_PLACE] = "mail of cases only",
        [SERVICE_QUOTA] = "quota-return",
        [SERVICE_PANEL] = "session-move; what the panel decides goes to the case"};
    return sto_fail(err, STO_E_WRONG_STATE, "'%s' takes no event '%s': it takes %s", w->svc->id,
                    event_kind_name(in->kind), TAKES[w->svc->shape]);
}

static int apply(struct work *w, const struct input *in, struct sto_err *err)
{
    if (in->kind == EVENT_MAIL) {
        return on_mail(w, in, err);
    }
    if (in->kind == EVENT_CLOCK) {
        return on_clock(w, err);
    }
    int rc = organiser_only(w, in, err);
    if (rc != 0) {
        return rc;
    }
    if (in->kind == EVENT_SESSION_MOVE && has_dates(w->svc)) {
        return date_move(w, in, err);
    }
    if (in->kind == EVENT_SESSION_RECORD && w->svc->shape == SERVICE_SESSION) {
        return seats_record(w, in, err);
    }
    if (in->kind == EVENT_GROUP_OPEN && w->svc->shape == SERVICE_SESSION) {
        return group_open(w, in, err);
    }
    if (in->kind == EVENT_QUOTA_RETURN && w->svc->shape == SERVICE_QUOTA) {
        return quota_return(w, in, err);
    }
    return wrong_shape(w, in, err);
}

/* Finishes what is over and gives what is free. */
static int settle(struct work *w, struct sto_err *err)
{
    if (w->svc->shape == SERVICE_SESSION) {
        return seats_settle(w, err);
    }
    if (w->svc->shape == SERVICE_PANEL) {
        agenda_settle(w);
    } else if (w->svc->shape == SERVICE_PLACE) {
        pool_give(w);
    }
    return 0;
}

static void told(struct work *w)
{
    if (w->svc->shape == SERVICE_SESSION) {
        seats_told(w);
    }
    if (w->svc->shape != SERVICE_PANEL) {
        pool_told(w);
    }
}

int shared_decide(const network_t *net, const struct sto_uuid *id, const struct shared_state *s,
                  const struct input *in, int64_t now_us, sto_arena_t *arena, struct fact *out,
                  struct sto_err *err)
{
    const struct service *svc = network_service(net, s->service);
    if (!svc || !service_shared(svc)) {
        return sto_fail(err, STO_E_UNKNOWN_NAME, "service %u has nothing that cases share",
                        (unsigned)s->service);
    }
    struct shared_state next = *s;
    now_us = now_us < s->last_us ? s->last_us : now_us;
    *out = (struct fact){.kind = (uint8_t)in->kind,
                         .evidence = (uint8_t)in->evidence,
                         .seq = s->seq + 1,
                         .now_us = now_us,
                         .actor = in->actor};
    out->mails = sto_arena_alloc(arena, STO_FACT_MAILS_MAX * sizeof *out->mails);
    if (!out->mails) {
        return sto_fail(err, STO_E_LIMIT, "the event needs more memory than is allowed");
    }
    struct work w = {net, svc, *id, &next, now_us, arena, out};
    int rc = apply(&w, in, err);
    if (rc != 0) {
        return rc;
    }
    next.seq++;
    next.last_us = now_us;
    rc = settle(&w, err);
    tell(&w);
    told(&w);
    rc = rc != 0 ? rc : settle(&w, err);
    tell(&w);
    return rc != 0 ? rc : shared_diff(s, &next, arena, out, err);
}
