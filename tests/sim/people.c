/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * People and systems that make events: mostly what is possible in the committed
 * state of some case, now and then what is not.
 */
#include <stdio.h>
#include <string.h>

#include "shared.h"
#include "sim_world.h"

static struct worker *random_worker(struct sim_world *w)
{
    return &w->worker[rng_below(&w->rng, 3)];
}

static void post(struct sim_world *w, struct worker *by, Saatto__V1__Event *ev)
{
    uint8_t salt[16];
    for (unsigned i = 0; i < sizeof(salt); i += 8) {
        uint64_t x = rng_next(&w->rng);
        memcpy(salt + i, &x, 8);
    }
    ev->salt.data = salt;
    ev->salt.len = sizeof(salt);
    worker_post(by, ev, ev->case_id.data[15] & (w->m->n_shards - 1));
    w->posted++;
}

static void random_uuid(struct sim_world *w, struct sto_uuid *out)
{
    for (unsigned i = 0; i < 16; i += 8) {
        uint64_t x = rng_next(&w->rng);
        memcpy(out->b + i, &x, 8);
    }
}

static void start_case(struct sim_world *w, struct worker *by)
{
    Saatto__V1__Event ev = SAATTO__V1__EVENT__INIT;
    Saatto__V1__StartCase start = SAATTO__V1__START_CASE__INIT;
    Saatto__V1__Field days = SAATTO__V1__FIELD__INIT, hetu = SAATTO__V1__FIELD__INIT;
    Saatto__V1__Field *fields[] = {&days, &hetu};
    struct sto_uuid client, id;
    uint8_t secret[32] = {1}, sealed[48];
    char record[32];
    bool again = w->n_clients > 0 && rng_chance(&w->rng, 150);
    if (again) {
        client = w->clients[rng_below(&w->rng, w->n_clients)].client;
    } else {
        random_uuid(w, &client);
        if (w->n_clients < 256) {
            w->clients[w->n_clients++].client = client;
        }
    }
    /* The same record again is the same case; another record of the same client is a second case.
     */
    snprintf(record, sizeof(record), "%s-%u", again && rng_chance(&w->rng, 400) ? "same" : "record",
             again ? (unsigned)rng_below(&w->rng, 1000) : 0);
    if (again && rng_chance(&w->rng, 400)) {
        snprintf(record, sizeof(record), "record-0");
    }
    case_id_make(secret, record, &client, &id);
    id.b[0] ^= client.b[0]; /* records are named by their client too */
    id.b[1] ^= client.b[1];
    id.b[2] ^= client.b[2];
    memset(sealed, (int)rng_below(&w->rng, 256), sizeof(sealed));
    days.name = (char *)(uintptr_t) "days";
    days.value_case = SAATTO__V1__FIELD__VALUE_INTEGER;
    days.integer = rng_chance(&w->rng, 60) ? 50 : 500;
    hetu.name = (char *)(uintptr_t) "hetu";
    hetu.value_case = SAATTO__V1__FIELD__VALUE_SEALED;
    hetu.sealed.data = sealed;
    hetu.sealed.len = sizeof(sealed);
    start.workflow = (char *)(uintptr_t)(rng_chance(&w->rng, 20) ? "unknown" : "small");
    start.client.data = client.b;
    start.client.len = 16;
    start.home = (char *)(uintptr_t) "city";
    ev.kind = EVENT_START;
    ev.case_id.data = id.b;
    ev.case_id.len = 16;
    ev.start = &start;
    ev.n_fields = 2;
    ev.fields = fields;
    post(w, by, &ev);
}

static const struct row_case *random_case(struct sim_world *w, bool aggregate)
{
    const struct model_case *c;
    const struct row_case *found = NULL;
    unsigned n = 0;
    for (size_t i = 0; (c = table_next(&w->m->cases, &i));) {
        if ((c->row.aggregate != 0) != aggregate || (!c->row.open && !rng_chance(&w->rng, 30))) {
            continue;
        }
        if (rng_below(&w->rng, ++n) == 0) {
            found = &c->row;
        }
    }
    return found;
}

static void fill_possible(struct sim_world *w, const struct possible *p, Saatto__V1__Event *ev,
                          Saatto__V1__Field *need, Saatto__V1__Field **fields)
{
    int64_t now = core_domain_us(&w->core[0]);
    ev->kind = p->kind;
    ev->token = p->token;
    ev->entry = rng_chance(&w->rng, 900) ? p->entry : 0;
    ev->offer = p->offer;
    ev->worker = (char *)(uintptr_t) "w";
    if (p->kind == EVENT_TASK_RESULT) {
        ev->exit = (char *)(uintptr_t)w->wf->exits[p->exit];
        need->name = (char *)(uintptr_t) "need";
        need->value_case = SAATTO__V1__FIELD__VALUE_TEXT;
        need->text = (char *)(uintptr_t)(rng_chance(&w->rng, 500) ? "work" : "study");
        fields[0] = need;
        ev->fields = fields;
        ev->n_fields = rng_chance(&w->rng, 950);
    }
    if (p->kind == EVENT_BOOK || p->kind == EVENT_MEETING_BOOK) {
        ev->at_us = now + rng_between(&w->rng, 1, 5) * 24 * STO_US_PER_HOUR;
    } else if (p->kind == EVENT_MET) {
        ev->at_us = now;
    }
    if (p->kind == EVENT_DECLINE || p->kind == EVENT_CANCEL || p->kind == EVENT_GIVE_BACK ||
        p->kind == EVENT_WITHDRAW || p->kind == EVENT_INTERRUPT || p->kind == EVENT_TASK_DECLINE) {
        ev->reason = REASON_CAPACITY;
        ev->text = (char *)(uintptr_t) "no place";
    }
}

/* What moves a case on, rather than what stops it. */
static bool moves_on(enum event_kind k)
{
    return k == EVENT_OFFER || k == EVENT_TAKE_UP || k == EVENT_ACCEPT || k == EVENT_MET ||
           k == EVENT_CONFIRM_TAKEOVER || k == EVENT_TASK_RESULT;
}

static struct possible *choose(struct sim_world *w, const struct worker *by, struct possible *list,
                               unsigned n)
{
    bool keen = rng_chance(&w->rng, 700);
    for (unsigned tries = 0; tries < 20 && n > 0; tries++) {
        struct possible *x = &list[rng_below(&w->rng, n)];
        bool rare = x->kind >= EVENT_CLIENT_LEFT || x->kind == EVENT_CANCEL;
        bool fits = x->actor.org == by->org || rng_chance(&w->rng, 20);
        if (fits && (!keen || moves_on(x->kind)) && (!rare || rng_chance(&w->rng, 100))) {
            return x;
        }
    }
    return NULL;
}

static bool act_on_case(struct sim_world *w, struct worker *by)
{
    static struct case_state s;
    struct possible list[64], *p = NULL;
    struct sto_err err;
    const struct row_case *row = NULL;
    for (unsigned tries = 0; tries < 6 && !p; tries++) {
        row = random_case(w, false);
        if (!row || state_decode(row->skeleton.p, row->skeleton.n, &s, &err) != 0) {
            return false;
        }
        p = choose(w, by, list, engine_possible(w->net, w->wf, &s, list, 64));
    }
    if (!p) {
        return false;
    }
    Saatto__V1__Event ev = SAATTO__V1__EVENT__INIT;
    Saatto__V1__Field need = SAATTO__V1__FIELD__INIT, *fields[1];
    struct sto_uuid id = row->case_id;
    ev.case_id.data = id.b;
    ev.case_id.len = 16;
    fill_possible(w, p, &ev, &need, fields);
    post(w, by, &ev);
    return true;
}

static bool record_session(struct sim_world *w, struct worker *by)
{
    static struct shared_state s;
    struct sto_err err;
    const struct row_case *row = random_case(w, true);
    if (!row || shared_decode(row->skeleton.p, row->skeleton.n, &s, &err) != 0) {
        return false;
    }
    for (unsigned i = 0; i < s.n_seats; i++) {
        if (s.seats[i].phase != SEAT_INVITED || s.seats[i].date_us > core_domain_us(&w->core[0])) {
            continue;
        }
        static const char *const exits[] = {"attended", "attended", "excused", "absent"};
        Saatto__V1__Event ev = SAATTO__V1__EVENT__INIT;
        struct sto_uuid id = row->case_id, seat = s.seats[i].case_id;
        ev.case_id.data = id.b;
        ev.case_id.len = 16;
        ev.kind = EVENT_SESSION_RECORD;
        ev.exit = (char *)(uintptr_t)exits[rng_below(&w->rng, 4)];
        ev.subject_case.data = seat.b;
        ev.subject_case.len = 16;
        ev.at_us = s.seats[i].date_us;
        post(w, by, &ev);
        return true;
    }
    return false;
}

void people_act(struct sim_world *w)
{
    struct worker *by = random_worker(w);
    if (by->org == 2 && rng_chance(&w->rng, 400) && record_session(w, by)) {
        return;
    }
    if (by->org == 1 && (w->m->cases.n < 4 || rng_chance(&w->rng, 80))) {
        start_case(w, by);
        return;
    }
    if (!act_on_case(w, by) && by->org == 1 && rng_chance(&w->rng, 300)) {
        start_case(w, by);
    }
}
