/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Applies one kept input: finds its case, asks the engine, evolves the cached
 * state. What the decision leads to (rows) is written by apply_rows.c. An input
 * that cannot go on yet puts its lane on the list of what it waits for; nothing
 * is changed then.
 */
#include <stdio.h>
#include <string.h>

#include "reactor_internal.h"
#include "sto_crypto.h"
#include "sto_log.h"

#define CLOCK_PAUSE_US (60 * STO_US_PER_SEC)

/* One application under way. */
struct turn {
    reactor_t *r;
    struct kept *k;
    struct centry *e;
    struct wf *wf;
    struct input in;
    struct case_data data;
    struct sto_err err;
    const char *workflow; /* a start's */
    struct party lead;    /* a start's: holder of the client's open lead case */
    struct wf *next;      /* that the case goes on in; NULL = in its own */
};

static enum apply_result waits(struct turn *t, struct lane_list *list)
{
    lane_list_add(list, t->k->lane);
    return APPLY_WAITS;
}

static bool own(const struct kept *k)
{
    return k->kind != KEPT_EVENT;
}

/* Stored as an event with a code and no fact, so that a repeat gets the same answer. */
static enum apply_result refused(struct turn *t)
{
    reactor_t *r = t->r;
    struct kept *k = t->k;
    if (k->kind == KEPT_MAIL) {
        r->open->mail_in = true;
        batch_touch_shard(r, k->shard);
        kept_applied(r, k);
        return APPLY_DONE;
    }
    if (own(k)) {
        if (t->e && k->kind == KEPT_CLOCK) {
            t->e->not_before_us = rx_domain_us(r) + CLOCK_PAUSE_US;
        }
        return APPLY_DROPPED;
    }
    k->code = (uint16_t)t->err.code;
    k->what = sto_xstrdup(t->err.what);
    rows_event(r, k, t->e, NULL, shard_now(r, &r->shards[k->shard]));
    kept_applied(r, k);
    r->stats.events_refused++;
    return APPLY_DONE;
}

static enum apply_result refuse(struct turn *t, enum sto_code code, const char *what)
{
    sto_fail(&t->err, code, "%s", what);
    return refused(t);
}

/* ------------------------------------------------------------- finding */

/* The entry READY and with its workflow; else *out says what the input does. */
static bool find_entry(struct turn *t, const struct sto_uuid *id, enum apply_result *out)
{
    reactor_t *r = t->r;
    struct centry *e = case_get(r, id);
    if (e->phase == ENTRY_LOADING) {
        *out = waits(t, &e->waiters);
        return false;
    }
    t->e = e;
    if (e->broken) {
        *out = refuse(t, STO_E_INTERNAL, "the case's row cannot be read");
        return false;
    }
    if (e->session || !e->exists) {
        return true;
    }
    bool absent = false;
    e->wf = e->wf ? e->wf : deployed_wf(r, e->state->workflow, &absent);
    if (absent) {
        *out = refuse(t, STO_E_UNKNOWN_WORKFLOW, "the case's workflow version cannot be loaded");
        return false;
    }
    if (!e->wf) {
        *out = waits(t, &r->misc);
        return false;
    }
    t->wf = e->wf;
    return true;
}

static bool still_open(reactor_t *r, const struct sto_uuid *case_id)
{
    const struct centry *e = case_peek(r, case_id);
    bool known = e && e->phase == ENTRY_READY && e->state;
    return !known || e->state->status == CASE_OPEN;
}

/* The client's open cases; NULL: they are being loaded, and *out says so. */
static const struct client_rec *client_cases(struct turn *t, enum apply_result *out)
{
    struct client_rec *c = client_get(t->r, &t->in.client);
    if (sto_uuid_is_zero(&t->k->client)) {
        t->k->client = t->in.client;
        c->refs++;
    }
    if (!c->loaded) {
        *out = waits(t, &t->r->misc);
        return NULL;
    }
    return c;
}

/* once = "client": no second open case of this workflow. True: *out says what happens instead. */
static bool once_stops(struct turn *t, const struct client_rec *c, enum apply_result *out)
{
    for (unsigned i = 0; i < c->n_open; i++) {
        if (strcmp(c->open[i].workflow, t->wf->w->id) == 0 &&
            still_open(t->r, &c->open[i].case_id)) {
            char id[37];
            sto_fail(&t->err, STO_E_DUPLICATE_CASE, "the client has the open case %s",
                     sto_uuid_format(&c->open[i].case_id, id));
            *out = refused(t);
            return true;
        }
    }
    return false;
}

/* The oldest open case of the client that is no side case. False: *out says what it waits for. */
static bool find_lead(struct turn *t, const struct client_rec *c, enum apply_result *out)
{
    reactor_t *r = t->r;
    int64_t opened_us = INT64_MAX;
    for (unsigned i = 0; i < c->n_open; i++) {
        const struct wf *wf = deployed_newest(r, c->open[i].workflow);
        if ((wf && wf->w->side) || sto_uuid_eq(&c->open[i].case_id, &t->e->id)) {
            continue;
        }
        struct centry *e = case_get(r, &c->open[i].case_id);
        if (e->phase == ENTRY_LOADING) {
            *out = waits(t, &e->waiters);
            return false;
        }
        bool open = e->exists && e->state && e->state->status == CASE_OPEN;
        if (open && e->state->opened_us < opened_us) {
            opened_us = e->state->opened_us;
            t->lead = e->state->holder;
        }
    }
    return true;
}

static bool client_allows(struct turn *t, enum apply_result *out)
{
    const struct client_rec *c = client_cases(t, out);
    return c && !(t->wf->w->once_client && once_stops(t, c, out)) && find_lead(t, c, out);
}

static bool prepare_start(struct turn *t, enum apply_result *out)
{
    reactor_t *r = t->r;
    if (t->e->exists || t->e->session) {
        *out = refuse(t, STO_E_ALREADY, "this case was started before");
        return false;
    }
    t->wf = deployed_newest(r, t->workflow);
    if (!t->wf) {
        *out = refuse(t, STO_E_UNKNOWN_WORKFLOW, "no such workflow is deployed");
        return false;
    }
    return sto_uuid_is_zero(&t->in.client) || client_allows(t, out);
}

/* ------------------------------------------------------------ deciding */

static const workflow_t *newest(void *arg, const char *id)
{
    struct turn *t = arg;
    t->next = deployed_newest(t->r, id);
    return t->next ? t->next->w : NULL;
}

/* MIGRATE: any version that is deployed; wanted() has seen to it that it is loaded. */
static const workflow_t *version(void *arg, const uint8_t hash[32])
{
    struct turn *t = arg;
    bool absent = false;
    t->next = deployed_wf(t->r, hash, &absent);
    return t->next ? t->next->w : NULL;
}

static int decide_case(struct turn *t, struct fact *f, int64_t now_us, struct case_state *after)
{
    struct centry *e = t->e;
    struct engine_ctx ctx = {.net = t->r->cfg->net,
                             .wf = t->wf->w,
                             .data = &t->data,
                             .case_id = e->id,
                             .arena = t->r->fact_arena,
                             .newest = newest,
                             .version = version,
                             .newest_arg = t,
                             .lead_holder = t->lead};
    int rc = data_decode(e->data, e->n_data, &t->data, &t->err);
    rc = rc ? rc : engine_decide(&ctx, e->state, &t->in, now_us, f, &t->err);
    if (rc != 0) {
        return rc;
    }
    *after = *e->state;
    if (engine_evolve(after, f, &t->err) != 0) {
        return sto_fail(&t->err, STO_E_INTERNAL, "the decided fact does not fit its state");
    }
    bool goes_on = e->state->status == CASE_OPEN &&
                   memcmp(after->workflow, e->state->workflow, sizeof(after->workflow)) != 0;
    t->next = goes_on ? t->next : NULL;
    return 0;
}

/* The event's values beside the stored ones; the sum is limited. */
static int merge_data(struct turn *t, const struct fact *f)
{
    if (f->fields_set == 0 && !t->next) {
        return 0;
    }
    struct sto_buf *b = &t->r->buf;
    data_merge(t->wf->w, &t->data, &t->in, f);
    if (t->next) {
        data_continue(t->wf->w, t->next->w, &t->data);
    }
    sto_buf_clear(b);
    data_encode(&t->data, b);
    if (b->failed || b->len > STO_CASE_CONTENT_BYTES_MAX) {
        return sto_fail(&t->err, STO_E_LIMIT, "contents of the case: over %u bytes",
                        STO_CASE_CONTENT_BYTES_MAX);
    }
    struct centry *e = t->e;
    uint8_t *old = e->data;
    uint32_t n_old = e->n_data;
    e->data = sto_xcalloc(1, b->len + 1);
    memcpy(e->data, b->data, b->len);
    e->n_data = (uint32_t)b->len;
    /* data borrows from the old bytes; from here on it shall from the new ones. */
    int rc = data_decode(e->data, e->n_data, &t->data, &t->err);
    STO_ASSERT(rc == 0);
    if (old) {
        explicit_bzero(old, n_old);
    }
    free(old);
    return 0;
}

static void done(struct turn *t, const struct fact *f, const struct case_state *before,
                 int64_t now_us)
{
    reactor_t *r = t->r;
    struct kept *k = t->k;
    if (!t->e->exists) {
        t->e->exists = t->e->is_new = true;
    }
    case_touch(r, t->e);
    if (f->code != 0) {
        k->code = (uint16_t)f->code;
        const struct sto_err_row *row = sto_err_row(f->code);
        k->what = sto_xstrdup(row ? row->explain : "");
    }
    if (k->kind == KEPT_MAIL) {
        r->open->mail_in = true;
    }
    struct applied a = {.k = k,
                        .e = t->e,
                        .f = f,
                        .in = &t->in,
                        .before = before,
                        .data = &t->data,
                        .now_us = now_us};
    rows_event(r, k, t->e, f, now_us);
    rows_fact(r, &a);
    kept_applied(r, k);
    cw_case_changed(r, t->e);
}

/* From here on the case is of another workflow: its messages, its row, the client's list. */
static void go_on(struct turn *t)
{
    struct centry *e = t->e;
    struct client_rec *c = e->once ? table_get(&t->r->clients, &e->state->client) : NULL;
    e->wf = t->wf = t->next;
    for (unsigned i = 0; c && i < c->n_open; i++) {
        if (sto_uuid_eq(&c->open[i].case_id, &e->id)) {
            (void)snprintf(c->open[i].workflow, sizeof(c->open[i].workflow), "%s", e->wf->w->id);
        }
    }
}

static enum apply_result apply_to_case(struct turn *t)
{
    reactor_t *r = t->r;
    struct centry *e = t->e;
    struct fact f = {0};
    int64_t now_us = shard_now(r, &r->shards[t->k->shard]);
    if (decide_case(t, &f, now_us, &r->after) != 0 || merge_data(t, &f) != 0) {
        return refused(t);
    }
    r->before = *e->state;
    *e->state = r->after;
    if (t->in.kind == EVENT_START) {
        e->wf = t->wf;
        e->once = !sto_uuid_is_zero(&e->state->client);
        struct client_rec *c = e->once ? table_get(&r->clients, &e->state->client) : NULL;
        if (c) {
            client_add(c, &e->id, t->wf->w->id);
        }
    } else if (t->next) {
        go_on(t);
    }
    done(t, &f, &r->before, now_us);
    return APPLY_DONE;
}

static enum apply_result apply_to_session(struct turn *t)
{
    reactor_t *r = t->r;
    struct centry *e = t->e;
    struct fact f = {0};
    int64_t now_us = shard_now(r, &r->shards[t->k->shard]);
    struct shared_state *after = sto_arena_alloc(r->fact_arena, sizeof(*after));
    STO_ASSERT(after);
    *after = *e->ses;
    int rc = shared_decide(r->cfg->net, &e->id, e->ses, &t->in, now_us, r->fact_arena, &f, &t->err);
    if (rc == 0 && shared_evolve(after, &f, &t->err) != 0) {
        rc = sto_fail(&t->err, STO_E_INTERNAL, "the decided fact does not fit its aggregate");
    }
    if (rc != 0) {
        return refused(t);
    }
    *e->ses = *after;
    done(t, &f, NULL, now_us);
    return APPLY_DONE;
}

/* -------------------------------------------------------------- inputs */

static void set_actor(struct turn *t)
{
    const struct organisation *o = network_org(t->r->cfg->net, t->k->org);
    t->in.actor.org = t->k->org;
    t->in.actor.desk = o && o->n_desks > 0 ? o->desks[0].number : 0;
    t->in.evidence = EVIDENCE_ORG;
}

static int read_event(struct turn *t)
{
    reactor_t *r = t->r;
    Saatto__V1__Event *ev = r->hot == t->k ? r->hot_event : NULL;
    int rc = ev ? 0 : event_decode(t->k->body, t->k->n, r->fact_arena, &ev, &t->err);
    rc = rc ? rc : event_to_input(ev, r->fact_arena, &t->in, &t->err);
    if (rc == 0) {
        t->workflow = ev->start ? ev->start->workflow : "";
    }
    return rc;
}

/* False: the version that a MIGRATE names is being loaded. */
static bool wanted(struct turn *t)
{
    uint8_t hash[32];
    bool absent = false;
    return !migrate_hash(&t->in, hash) || deployed_wf(t->r, hash, &absent) || absent;
}

static enum apply_result apply_event(struct turn *t)
{
    enum apply_result out;
    if (read_event(t) != 0) {
        return refused(t); /* it was read when it came: cannot be */
    }
    set_actor(t);
    if ((t->in.kind == EVENT_SUCCEED || t->in.kind == EVENT_MIGRATE) && !t->k->is_operator) {
        return refuse(t, STO_E_NOT_ALLOWED, "this needs an operator's key");
    }
    if (!find_entry(t, &t->k->case_id, &out)) {
        return out;
    }
    if (t->in.kind == EVENT_START) {
        if (!prepare_start(t, &out)) {
            return out;
        }
        if (!t->e->has_key && !key_take(t->r, t->e)) {
            return waits(t, &t->r->misc);
        }
        return apply_to_case(t);
    }
    if (!t->e->exists && !t->e->session) {
        return refuse(t, STO_E_UNKNOWN_CASE, "no case has that id");
    }
    if (!wanted(t)) {
        return waits(t, &t->r->misc);
    }
    return t->e->session ? apply_to_session(t) : apply_to_case(t);
}

static enum apply_result apply_mail(struct turn *t)
{
    enum apply_result out;
    struct mail *m = sto_arena_alloc(t->r->fact_arena, sizeof(*m));
    STO_ASSERT(m);
    if (mail_decode(t->k->body, t->k->n, m, &t->err) != 0) {
        return refused(t);
    }
    t->k->case_id = m->dst;
    t->in.kind = EVENT_MAIL;
    t->in.evidence = EVIDENCE_BROKER;
    t->in.mail = m;
    if (!find_entry(t, &m->dst, &out)) {
        return out;
    }
    if (!t->e->exists && !t->e->session) {
        return refuse(t, STO_E_UNKNOWN_CASE, "mail for nobody");
    }
    if (!t->e->has_key && !t->e->exists && !key_take(t->r, t->e)) {
        return waits(t, &t->r->misc);
    }
    return t->e->session ? apply_to_session(t) : apply_to_case(t);
}

static enum apply_result apply_clock(struct turn *t)
{
    enum apply_result out;
    t->in.evidence = EVIDENCE_BROKER;
    t->in.kind = t->k->kind == KEPT_CLOCK ? EVENT_CLOCK : EVENT_RESTARTED;
    t->in.at2_us = t->k->at2_us;
    if (!find_entry(t, &t->k->case_id, &out)) {
        return out;
    }
    reactor_t *r = t->r;
    if (t->k->kind == KEPT_CLOCK) {
        t->e->clock_kept = false; /* what it leads to may be due at once */
    }
    int64_t due = case_next_due(r, t->e);
    if (!t->e->exists || due > shard_now(r, &r->shards[t->k->shard])) {
        return APPLY_DROPPED; /* an event came first */
    }
    out = t->e->session ? apply_to_session(t) : apply_to_case(t);
    if (out == APPLY_DONE && t->k->kind == KEPT_CLOCK) {
        int64_t lag = rx_domain_us(r) - due;
        r->stats.clocks_fired++;
        r->stats.clocks_late += lag > 60 * STO_US_PER_SEC;
        r->stats.timer_lag_us = lag > 0 ? lag : 0;
    } else if (out == APPLY_DROPPED && t->k->kind == KEPT_CLOCK) {
        char id[37];
        sto_log(STO_ERROR, "clock_refused", "case", sto_uuid_format(&t->e->id, id), "what",
                t->err.what, NULL);
    }
    return out;
}

/* It made a batch fail by itself: kept as bytes, responsibility unchanged. */
static enum apply_result apply_parked(struct turn *t)
{
    reactor_t *r = t->r;
    struct kept *k = t->k;
    struct centry *e = case_get(r, &k->case_id);
    if (e->phase == ENTRY_LOADING) {
        return waits(t, &e->waiters);
    }
    if (!e->has_key && k->kind == KEPT_EVENT && !key_take(r, e)) {
        return waits(t, &r->misc);
    }
    k->code = STO_E_PARKED;
    k->what = sto_xstrdup("the message could not be stored and waits for people");
    char id[37];
    sto_log(STO_ERROR, "event_parked", "case", sto_uuid_format(&k->case_id, id), "org",
            sto_i(k->org), NULL);
    if (k->kind == KEPT_CLOCK || k->kind == KEPT_RESTARTED) {
        e->not_before_us = INT64_MAX;
    }
    r->open->mail_in = r->open->mail_in || k->kind == KEPT_MAIL;
    rows_event(r, k, e, NULL, shard_now(r, &r->shards[k->shard]));
    kept_applied(r, k);
    return APPLY_DONE;
}

static enum apply_result apply_altered(struct turn *t)
{
    t->k->code = STO_E_ALTERED;
    t->k->what = sto_xstrdup("another message came with the id of one that was taken");
    rows_event(t->r, t->k, NULL, NULL, shard_now(t->r, &t->r->shards[t->k->shard]));
    kept_applied(t->r, t->k);
    t->r->stats.events_refused++;
    return APPLY_DONE;
}

enum apply_result apply_input(reactor_t *r, struct kept *k)
{
    struct turn *t = r->turn;
    memset(&t->r, 0, offsetof(struct turn, data));
    t->err = (struct sto_err){0};
    t->workflow = "";
    t->lead = (struct party){0};
    t->next = NULL;
    t->r = r;
    t->k = k;
    sto_arena_reset(r->fact_arena);
    if (k->parked) {
        return apply_parked(t);
    }
    switch ((enum kept_kind)k->kind) {
    case KEPT_EVENT:
        return apply_event(t);
    case KEPT_ALTERED:
        return apply_altered(t);
    case KEPT_MAIL:
        return apply_mail(t);
    case KEPT_CLOCK:
    case KEPT_RESTARTED:
        return apply_clock(t);
    case KEPT_REDRIVE:
        return redrive_apply(r, k);
    }
    return APPLY_DROPPED;
}

struct turn *turn_new(void)
{
    return sto_xcalloc(1, sizeof(struct turn));
}
