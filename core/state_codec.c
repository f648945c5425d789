/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Bytes of a state: compact, versioned, one form for each value (equal states
 * have equal bytes). Decoding checks every range, order and count, since the
 * bytes come from a database that may be damaged.
 */
#include <string.h>

#include "state_record.h"

#define STATE_VERSION 2
#define STEP_TOP      STO_WF_STEPS_MAX /* steps are below it */

uint64_t record_get_max(struct sto_rd *r, uint64_t max)
{
    uint64_t v = sto_get_var(r);
    if (v > max) {
        r->failed = true;
        return 0;
    }
    return v;
}

static void put_worker(struct sto_buf *b, const char *s)
{
    sto_put_str(b, s);
}

static void get_worker(struct sto_rd *r, char *s)
{
    memset(s, 0, STATE_WORKER_MAX);
    sto_get_str(r, s, STATE_WORKER_MAX);
}

void record_put_party(struct sto_buf *b, const struct party *p)
{
    sto_put_var(b, p->org);
    sto_put_var(b, p->desk);
}

void record_get_party(struct sto_rd *r, struct party *p)
{
    p->org = (uint16_t)record_get_max(r, UINT16_MAX);
    p->desk = (uint16_t)record_get_max(r, UINT16_MAX);
}

static unsigned used_settings(const struct case_state *s)
{
    unsigned n = STO_WF_SETTINGS_MAX;
    while (n > 0 && s->settings[n - 1] == 0) {
        n--;
    }
    return n;
}

void record_put_head(struct sto_buf *b, const struct case_state *s)
{
    sto_put_u8(b, s->status);
    sto_put_bytes(b, s->workflow, sizeof s->workflow);
    sto_put_bytes(b, s->client.b, sizeof s->client.b);
    sto_put_svar(b, s->opened_us);
    sto_put_var(b, s->home);
    unsigned n = used_settings(s);
    sto_put_var(b, n);
    for (unsigned i = 0; i < n; i++) {
        sto_put_svar(b, s->settings[i]);
    }
}

void record_get_head(struct sto_rd *r, struct case_state *s)
{
    s->status = sto_get_u8(r);
    r->failed = r->failed || s->status > CASE_CLOSED;
    const uint8_t *p = sto_get_bytes(r, sizeof s->workflow);
    if (p) {
        memcpy(s->workflow, p, sizeof s->workflow);
    }
    p = sto_get_bytes(r, sizeof s->client.b);
    if (p) {
        memcpy(s->client.b, p, sizeof s->client.b);
    }
    s->opened_us = sto_get_svar(r);
    s->home = (uint16_t)record_get_max(r, UINT16_MAX);
    unsigned n = (unsigned)record_get_max(r, STO_WF_SETTINGS_MAX);
    memset(s->settings, 0, sizeof s->settings);
    for (unsigned i = 0; i < n && !r->failed; i++) {
        s->settings[i] = sto_get_svar(r);
    }
    r->failed = r->failed || used_settings(s) != n;
}

void record_put_parties(struct sto_buf *b, const struct case_state *s)
{
    record_put_party(b, &s->holder);
    record_put_party(b, &s->sender);
    sto_put_var(b, s->ledger_n);
    sto_put_svar(b, s->ledger_since_us);
    const struct right_of_return *y = &s->right;
    sto_put_u8(b, y->valid);
    sto_put_var(b, y->token);
    sto_put_var(b, y->step);
    sto_put_var(b, y->offer);
    record_put_party(b, &y->back_to);
    sto_put_svar(b, y->until_us);
}

static bool get_bool(struct sto_rd *r)
{
    return record_get_max(r, 1) != 0;
}

void record_get_parties(struct sto_rd *r, struct case_state *s)
{
    record_get_party(r, &s->holder);
    record_get_party(r, &s->sender);
    s->ledger_n = (uint32_t)record_get_max(r, UINT32_MAX);
    s->ledger_since_us = sto_get_svar(r);
    struct right_of_return *y = &s->right;
    y->valid = get_bool(r);
    y->token = (uint16_t)record_get_max(r, UINT16_MAX);
    y->step = (uint16_t)record_get_max(r, STEP_TOP - 1);
    y->offer = (uint16_t)record_get_max(r, UINT16_MAX);
    record_get_party(r, &y->back_to);
    y->until_us = sto_get_svar(r);
}

void record_put_role(struct sto_buf *b, const struct case_state *s, unsigned ix)
{
    record_put_party(b, &s->roles[ix].at);
    put_worker(b, s->roles[ix].worker);
}

void record_get_role(struct sto_rd *r, struct case_state *s, unsigned ix)
{
    record_get_party(r, &s->roles[ix].at);
    get_worker(r, s->roles[ix].worker);
}

void record_put_consent(struct sto_buf *b, const struct case_state *s, unsigned ix)
{
    sto_put_u8(b, s->consents[ix].state);
    sto_put_var(b, s->consents[ix].version);
    sto_put_svar(b, s->consents[ix].until_us);
}

void record_get_consent(struct sto_rd *r, struct case_state *s, unsigned ix)
{
    s->consents[ix].state = sto_get_u8(r);
    r->failed = r->failed || s->consents[ix].state > CONSENT_LOST;
    s->consents[ix].version = (uint16_t)record_get_max(r, UINT16_MAX);
    s->consents[ix].until_us = sto_get_svar(r);
}

void record_put_token(struct sto_buf *b, const struct token *t)
{
    sto_put_var(b, t->id);
    sto_put_var(b, t->step);
    sto_put_var(b, t->parent);
    sto_put_var(b, t->host);
    sto_put_u8(b, t->side);
    sto_put_u8(b, t->phase);
    sto_put_u8(b, t->joined);
    sto_put_var(b, t->entry);
    record_put_party(b, &t->at);
    sto_put_var(b, t->offer);
    sto_put_u8(b, t->no_shows);
    put_worker(b, t->worker);
    sto_put_svar(b, t->since_us);
    sto_put_svar(b, t->start_us);
    sto_put_var(b, t->count);
    sto_put_var(b, t->marks);
}

void record_get_token(struct sto_rd *r, struct token *t)
{
    memset(t, 0, sizeof *t);
    t->id = (uint16_t)record_get_max(r, UINT16_MAX);
    t->step = (uint16_t)record_get_max(r, STEP_TOP - 1);
    t->parent = (uint16_t)record_get_max(r, UINT16_MAX);
    t->host = (uint16_t)record_get_max(r, UINT16_MAX);
    t->side = get_bool(r);
    t->phase = sto_get_u8(r);
    t->joined = sto_get_u8(r);
    t->entry = (uint16_t)record_get_max(r, UINT16_MAX);
    record_get_party(r, &t->at);
    t->offer = (uint16_t)record_get_max(r, UINT16_MAX);
    t->no_shows = sto_get_u8(r);
    get_worker(r, t->worker);
    t->since_us = sto_get_svar(r);
    t->start_us = sto_get_svar(r);
    t->count = (uint16_t)record_get_max(r, UINT16_MAX);
    t->marks = (uint32_t)record_get_max(r, UINT32_MAX);
    r->failed = r->failed || t->id == 0 || t->phase > HANDOVER_CANCELLED;
}

void record_put_offer(struct sto_buf *b, const struct offer *o)
{
    sto_put_var(b, o->id);
    sto_put_var(b, o->token);
    sto_put_u8(b, o->state);
    sto_put_u8(b, o->rounds);
    sto_put_u8(b, o->no_shows);
    sto_put_u8(b, o->check_ins_missed);
    sto_put_u8(b, o->disputed);
    record_put_party(b, &o->to);
    record_put_party(b, &o->from);
    sto_put_u8(b, o->met_by);
    sto_put_u8(b, o->reason);
    sto_put_var(b, o->place);
    put_worker(b, o->worker);
    sto_put_svar(b, o->since_us);
    sto_put_svar(b, o->meet_us);
}

void record_get_offer(struct sto_rd *r, struct offer *o)
{
    memset(o, 0, sizeof *o);
    o->id = (uint16_t)record_get_max(r, UINT16_MAX);
    o->token = (uint16_t)record_get_max(r, UINT16_MAX);
    o->state = sto_get_u8(r);
    o->rounds = sto_get_u8(r);
    o->no_shows = sto_get_u8(r);
    o->check_ins_missed = sto_get_u8(r);
    o->disputed = get_bool(r);
    record_get_party(r, &o->to);
    record_get_party(r, &o->from);
    o->met_by = sto_get_u8(r);
    o->reason = sto_get_u8(r);
    o->place = (uint16_t)record_get_max(r, UINT16_MAX);
    get_worker(r, o->worker);
    o->since_us = sto_get_svar(r);
    o->meet_us = sto_get_svar(r);
    r->failed = r->failed || o->id == 0 || o->state > OFFER_INTERRUPTED || o->met_by > 2;
}

void record_put_clock(struct sto_buf *b, const struct clock *c)
{
    sto_put_u8(b, c->kind);
    sto_put_var(b, c->token);
    sto_put_var(b, c->offer);
    sto_put_u8(b, c->side);
    sto_put_u8(b, c->rung);
    sto_put_u8(b, (uint8_t)(c->paused | c->business << 1));
    sto_put_svar(b, c->due_us);
    sto_put_svar(b, c->rung_us);
    sto_put_svar(b, c->paused_us);
    sto_put_svar(b, c->set_us);
}

void record_get_clock(struct sto_rd *r, struct clock *c)
{
    memset(c, 0, sizeof *c);
    c->kind = sto_get_u8(r);
    c->token = (uint16_t)record_get_max(r, UINT16_MAX);
    c->offer = (uint16_t)record_get_max(r, UINT16_MAX);
    c->side = sto_get_u8(r);
    c->rung = sto_get_u8(r);
    uint8_t flags = sto_get_u8(r);
    c->paused = flags & 1;
    c->business = (flags >> 1) & 1;
    c->due_us = sto_get_svar(r);
    c->rung_us = sto_get_svar(r);
    c->paused_us = sto_get_svar(r);
    c->set_us = sto_get_svar(r);
    r->failed = r->failed || c->kind >= CLOCK_KINDS || flags > 3;
}

void record_put_holding(struct sto_buf *b, const struct holding *h)
{
    sto_put_var(b, h->service);
    sto_put_var(b, h->token);
    sto_put_var(b, h->entry);
    sto_put_var(b, h->stage);
    sto_put_var(b, h->step);
    sto_put_u8(b, h->phase);
    sto_put_svar(b, h->since_us);
}

void record_get_holding(struct sto_rd *r, struct holding *h)
{
    memset(h, 0, sizeof *h);
    h->service = (uint16_t)record_get_max(r, UINT16_MAX);
    h->token = (uint16_t)record_get_max(r, UINT16_MAX);
    h->entry = (uint16_t)record_get_max(r, UINT16_MAX);
    h->stage = (uint16_t)record_get_max(r, UINT16_MAX);
    h->step = (uint16_t)record_get_max(r, STEP_TOP - 1);
    h->phase = sto_get_u8(r);
    h->since_us = sto_get_svar(r);
    r->failed = r->failed || h->phase > PLACE_OCCUPIED;
}

/* ------------------------------------------------------------------ whole states */

static void put_kept(struct sto_buf *b, const struct case_state *s)
{
    unsigned n = STO_WF_MESSAGES_MAX;
    while (n > 0 && s->kept[n - 1] == 0) {
        n--;
    }
    sto_put_var(b, n);
    sto_put_bytes(b, s->kept, n);
}

static void get_kept(struct sto_rd *r, struct case_state *s)
{
    unsigned n = (unsigned)record_get_max(r, STO_WF_MESSAGES_MAX);
    for (unsigned i = 0; i < n && !r->failed; i++) {
        s->kept[i] = sto_get_u8(r);
        r->failed = r->failed || s->kept[i] >= STO_WF_EXITS_MAX;
    }
    r->failed = r->failed || (n > 0 && s->kept[n - 1] == 0);
}

static void put_steps(struct sto_buf *b, const struct case_state *s)
{
    unsigned n = STO_WF_STEPS_MAX;
    while (n > 0 && s->last_exit[n - 1] == 0 && s->entries[n - 1] == 0) {
        n--;
    }
    sto_put_var(b, n);
    for (unsigned i = 0; i < n; i++) {
        sto_put_u8(b, s->last_exit[i]);
        sto_put_u8(b, s->entries[i]);
    }
}

static void get_steps(struct sto_rd *r, struct case_state *s)
{
    unsigned n = (unsigned)record_get_max(r, STO_WF_STEPS_MAX);
    for (unsigned i = 0; i < n && !r->failed; i++) {
        s->last_exit[i] = sto_get_u8(r);
        s->entries[i] = sto_get_u8(r);
        r->failed = r->failed || s->last_exit[i] >= STO_WF_EXITS_MAX;
    }
    r->failed = r->failed || (n > 0 && s->last_exit[n - 1] == 0 && s->entries[n - 1] == 0);
}

/* Roles and consents: a bit for each that differs from zero, then those. */
static void put_sparse(struct sto_buf *b, const struct case_state *s)
{
    static const struct case_state empty;
    uint32_t roles = 0, consents = 0;
    for (unsigned i = 0; i < STO_WF_ROLES_MAX; i++) {
        roles |= role_equal(s, &empty, i) ? 0 : UINT32_C(1) << i;
    }
    for (unsigned i = 0; i < STO_WF_CONSENTS_MAX; i++) {
        consents |= consent_equal(s, &empty, i) ? 0 : UINT32_C(1) << i;
    }
    sto_put_var(b, roles);
    for (unsigned i = 0; i < STO_WF_ROLES_MAX; i++) {
        if (roles >> i & 1) {
            record_put_role(b, s, i);
        }
    }
    sto_put_var(b, consents);
    for (unsigned i = 0; i < STO_WF_CONSENTS_MAX; i++) {
        if (consents >> i & 1) {
            record_put_consent(b, s, i);
        }
    }
}

static void get_sparse(struct sto_rd *r, struct case_state *s)
{
    static const struct case_state empty;
    uint64_t roles = record_get_max(r, (UINT64_C(1) << STO_WF_ROLES_MAX) - 1);
    for (unsigned i = 0; i < STO_WF_ROLES_MAX; i++) {
        if (roles >> i & 1) {
            record_get_role(r, s, i);
            r->failed = r->failed || role_equal(s, &empty, i);
        }
    }
    uint64_t consents = record_get_max(r, (UINT64_C(1) << STO_WF_CONSENTS_MAX) - 1);
    for (unsigned i = 0; i < STO_WF_CONSENTS_MAX; i++) {
        if (consents >> i & 1) {
            record_get_consent(r, s, i);
            r->failed = r->failed || consent_equal(s, &empty, i);
        }
    }
}

static void put_lists(struct sto_buf *b, const struct case_state *s)
{
    sto_put_var(b, s->n_tokens);
    for (unsigned i = 0; i < s->n_tokens; i++) {
        record_put_token(b, &s->tokens[i]);
    }
    sto_put_var(b, s->n_offers);
    for (unsigned i = 0; i < s->n_offers; i++) {
        record_put_offer(b, &s->offers[i]);
    }
    sto_put_var(b, s->n_clocks);
    for (unsigned i = 0; i < s->n_clocks; i++) {
        record_put_clock(b, &s->clocks[i]);
    }
    sto_put_var(b, s->n_holdings);
    for (unsigned i = 0; i < s->n_holdings; i++) {
        record_put_holding(b, &s->holdings[i]);
    }
    put_kept(b, s);
}

static void get_lists(struct sto_rd *r, struct case_state *s)
{
    unsigned n = (unsigned)record_get_max(r, STO_CASE_TOKENS_MAX);
    for (unsigned i = 0; i < n && !r->failed; i++) {
        record_get_token(r, &s->tokens[i]);
        r->failed = r->failed || (i > 0 && s->tokens[i].id <= s->tokens[i - 1].id);
        s->n_tokens = (uint8_t)(i + 1);
    }
    n = (unsigned)record_get_max(r, STO_CASE_OFFERS_MAX);
    for (unsigned i = 0; i < n && !r->failed; i++) {
        record_get_offer(r, &s->offers[i]);
        r->failed = r->failed || (i > 0 && s->offers[i].id <= s->offers[i - 1].id);
        s->n_offers = (uint8_t)(i + 1);
    }
    n = (unsigned)record_get_max(r, STO_CASE_CLOCKS_MAX);
    for (unsigned i = 0; i < n && !r->failed; i++) {
        record_get_clock(r, &s->clocks[i]);
        r->failed = r->failed || (i > 0 && clock_order(&s->clocks[i - 1], &s->clocks[i]) >= 0);
        s->n_clocks = (uint8_t)(i + 1);
    }
    n = (unsigned)record_get_max(r, STO_CASE_HOLDINGS_MAX);
    for (unsigned i = 0; i < n && !r->failed; i++) {
        record_get_holding(r, &s->holdings[i]);
        r->failed =
            r->failed || (i > 0 && holding_order(&s->holdings[i - 1], &s->holdings[i]) >= 0);
        s->n_holdings = (uint8_t)(i + 1);
    }
    get_kept(r, s);
}

void state_encode(const struct case_state *s, struct sto_buf *out)
{
    sto_put_u8(out, STATE_VERSION);
    sto_put_var(out, s->seq);
    sto_put_svar(out, s->last_us);
    record_put_head(out, s);
    record_put_parties(out, s);
    sto_put_u64(out, s->fields_set);
    sto_put_var(out, s->next_token);
    sto_put_var(out, s->next_offer);
    sto_put_var(out, s->outcome_step);
    put_steps(out, s);
    put_sparse(out, s);
    put_lists(out, s);
}

int state_decode(const uint8_t *p, size_t n, struct case_state *out, struct sto_err *err)
{
    struct sto_rd r = sto_rd(p, n);
    uint8_t version = sto_get_u8(&r);
    if (!r.failed && version != STATE_VERSION) {
        return sto_fail(err, STO_E_VERSION, "state of version %u is not known here", version);
    }
    memset(out, 0, sizeof *out);
    out->seq = (uint32_t)record_get_max(&r, UINT32_MAX);
    out->last_us = sto_get_svar(&r);
    record_get_head(&r, out);
    record_get_parties(&r, out);
    out->fields_set = sto_get_u64(&r);
    out->next_token = (uint16_t)record_get_max(&r, UINT16_MAX);
    out->next_offer = (uint16_t)record_get_max(&r, UINT16_MAX);
    out->outcome_step = (uint16_t)record_get_max(&r, UINT16_MAX);
    get_steps(&r, out);
    get_sparse(&r, out);
    get_lists(&r, out);
    if (!sto_rd_done(&r)) {
        memset(out, 0, sizeof *out);
        return sto_fail(err, STO_E_MALFORMED, "stored state of a case cannot be read");
    }
    return 0;
}
