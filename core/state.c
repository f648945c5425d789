/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * State of a case: equality, look-ups, packed arrays, names. It decides nothing
 * and encodes nothing (state_codec.c, state_diff.c).
 */
#include "state.h"

#include <string.h>

#include "state_record.h"

static bool party_equal(const struct party *a, const struct party *b)
{
    return a->org == b->org && a->desk == b->desk;
}

static bool worker_equal(const char *a, const char *b)
{
    return memcmp(a, b, STATE_WORKER_MAX) == 0;
}

bool head_equal(const struct case_state *a, const struct case_state *b)
{
    return a->status == b->status && a->opened_us == b->opened_us && a->home == b->home &&
           memcmp(a->workflow, b->workflow, sizeof a->workflow) == 0 &&
           sto_uuid_eq(&a->client, &b->client) &&
           memcmp(a->settings, b->settings, sizeof a->settings) == 0;
}

bool parties_equal(const struct case_state *a, const struct case_state *b)
{
    const struct right_of_return *x = &a->right, *y = &b->right;
    return party_equal(&a->holder, &b->holder) && party_equal(&a->sender, &b->sender) &&
           a->ledger_n == b->ledger_n && a->ledger_since_us == b->ledger_since_us &&
           x->valid == y->valid && x->token == y->token && x->step == y->step &&
           x->offer == y->offer && party_equal(&x->back_to, &y->back_to) &&
           x->until_us == y->until_us;
}

bool role_equal(const struct case_state *a, const struct case_state *b, unsigned ix)
{
    return party_equal(&a->roles[ix].at, &b->roles[ix].at) &&
           worker_equal(a->roles[ix].worker, b->roles[ix].worker);
}

bool consent_equal(const struct case_state *a, const struct case_state *b, unsigned ix)
{
    return a->consents[ix].state == b->consents[ix].state &&
           a->consents[ix].version == b->consents[ix].version &&
           a->consents[ix].until_us == b->consents[ix].until_us;
}

bool token_equal(const struct token *a, const struct token *b)
{
    return a->id == b->id && a->step == b->step && a->parent == b->parent && a->host == b->host &&
           a->side == b->side && a->phase == b->phase && a->joined == b->joined &&
           a->entry == b->entry && party_equal(&a->at, &b->at) && a->offer == b->offer &&
           a->no_shows == b->no_shows && worker_equal(a->worker, b->worker) &&
           a->since_us == b->since_us && a->start_us == b->start_us && a->count == b->count &&
           a->marks == b->marks;
}

bool offer_equal(const struct offer *a, const struct offer *b)
{
    return a->id == b->id && a->token == b->token && a->state == b->state &&
           a->rounds == b->rounds && a->no_shows == b->no_shows &&
           a->check_ins_missed == b->check_ins_missed && a->disputed == b->disputed &&
           party_equal(&a->to, &b->to) && party_equal(&a->from, &b->from) &&
           a->met_by == b->met_by && a->reason == b->reason && a->place == b->place &&
           worker_equal(a->worker, b->worker) && a->since_us == b->since_us &&
           a->meet_us == b->meet_us;
}

bool clock_equal(const struct clock *a, const struct clock *b)
{
    return clock_order(a, b) == 0 && a->rung == b->rung && a->paused == b->paused &&
           a->business == b->business && a->due_us == b->due_us && a->rung_us == b->rung_us &&
           a->paused_us == b->paused_us && a->set_us == b->set_us;
}

bool holding_equal(const struct holding *a, const struct holding *b)
{
    return holding_order(a, b) == 0 && a->stage == b->stage && a->step == b->step &&
           a->phase == b->phase && a->since_us == b->since_us;
}

static bool lists_equal(const struct case_state *a, const struct case_state *b)
{
    if (a->n_tokens != b->n_tokens || a->n_offers != b->n_offers || a->n_clocks != b->n_clocks ||
        a->n_holdings != b->n_holdings) {
        return false;
    }
    for (unsigned i = 0; i < a->n_holdings; i++) {
        if (!holding_equal(&a->holdings[i], &b->holdings[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < a->n_tokens; i++) {
        if (!token_equal(&a->tokens[i], &b->tokens[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < a->n_offers; i++) {
        if (!offer_equal(&a->offers[i], &b->offers[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < a->n_clocks; i++) {
        if (!clock_equal(&a->clocks[i], &b->clocks[i])) {
            return false;
        }
    }
    return true;
}

bool state_equal(const struct case_state *a, const struct case_state *b)
{
    if (!head_equal(a, b) || !parties_equal(a, b) || a->seq != b->seq || a->last_us != b->last_us ||
        a->fields_set != b->fields_set || a->next_token != b->next_token ||
        a->next_offer != b->next_offer || a->outcome_step != b->outcome_step ||
        memcmp(a->last_exit, b->last_exit, sizeof a->last_exit) != 0 ||
        memcmp(a->entries, b->entries, sizeof a->entries) != 0 ||
        memcmp(a->kept, b->kept, sizeof a->kept) != 0) {
        return false;
    }
    for (unsigned i = 0; i < STO_WF_ROLES_MAX; i++) {
        if (!role_equal(a, b, i)) {
            return false;
        }
    }
    for (unsigned i = 0; i < STO_WF_CONSENTS_MAX; i++) {
        if (!consent_equal(a, b, i)) {
            return false;
        }
    }
    return lists_equal(a, b);
}

/* ------------------------------------------------------------------ packed arrays */

int clock_order(const struct clock *a, const struct clock *b)
{
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    if (a->token != b->token) {
        return a->token < b->token ? -1 : 1;
    }
    if (a->offer != b->offer) {
        return a->offer < b->offer ? -1 : 1;
    }
    return a->side == b->side ? 0 : a->side < b->side ? -1 : 1;
}

int holding_order(const struct holding *a, const struct holding *b)
{
    if (a->service != b->service) {
        return a->service < b->service ? -1 : 1;
    }
    if (a->token != b->token) {
        return a->token < b->token ? -1 : 1;
    }
    return a->entry == b->entry ? 0 : a->entry < b->entry ? -1 : 1;
}

unsigned token_place(const struct case_state *s, uint16_t id)
{
    unsigned i = 0;
    while (i < s->n_tokens && s->tokens[i].id < id) {
        i++;
    }
    return i;
}

unsigned offer_place(const struct case_state *s, uint16_t id)
{
    unsigned i = 0;
    while (i < s->n_offers && s->offers[i].id < id) {
        i++;
    }
    return i;
}

unsigned clock_place(const struct case_state *s, const struct clock *key)
{
    unsigned i = 0;
    while (i < s->n_clocks && clock_order(&s->clocks[i], key) < 0) {
        i++;
    }
    return i;
}

unsigned holding_place(const struct case_state *s, const struct holding *key)
{
    unsigned i = 0;
    while (i < s->n_holdings && holding_order(&s->holdings[i], key) < 0) {
        i++;
    }
    return i;
}

bool token_put(struct case_state *s, const struct token *t)
{
    unsigned i = token_place(s, t->id);
    if (i == s->n_tokens || s->tokens[i].id != t->id) {
        if (s->n_tokens >= STO_CASE_TOKENS_MAX) {
            return false;
        }
        memmove(&s->tokens[i + 1], &s->tokens[i], (s->n_tokens - i) * sizeof s->tokens[0]);
        s->n_tokens++;
    }
    s->tokens[i] = *t;
    return true;
}

bool offer_put(struct case_state *s, const struct offer *o)
{
    unsigned i = offer_place(s, o->id);
    if (i == s->n_offers || s->offers[i].id != o->id) {
        if (s->n_offers >= STO_CASE_OFFERS_MAX) {
            return false;
        }
        memmove(&s->offers[i + 1], &s->offers[i], (s->n_offers - i) * sizeof s->offers[0]);
        s->n_offers++;
    }
    s->offers[i] = *o;
    return true;
}

bool clock_put(struct case_state *s, const struct clock *c)
{
    unsigned i = clock_place(s, c);
    if (i == s->n_clocks || clock_order(&s->clocks[i], c) != 0) {
        if (s->n_clocks >= STO_CASE_CLOCKS_MAX) {
            return false;
        }
        memmove(&s->clocks[i + 1], &s->clocks[i], (s->n_clocks - i) * sizeof s->clocks[0]);
        s->n_clocks++;
    }
    s->clocks[i] = *c;
    return true;
}

bool holding_put(struct case_state *s, const struct holding *h)
{
    unsigned i = holding_place(s, h);
    if (i == s->n_holdings || holding_order(&s->holdings[i], h) != 0) {
        if (s->n_holdings >= STO_CASE_HOLDINGS_MAX) {
            return false;
        }
        memmove(&s->holdings[i + 1], &s->holdings[i], (s->n_holdings - i) * sizeof s->holdings[0]);
        s->n_holdings++;
    }
    s->holdings[i] = *h;
    return true;
}

void token_drop_at(struct case_state *s, unsigned i)
{
    STO_ASSERT(i < s->n_tokens);
    s->n_tokens--;
    memmove(&s->tokens[i], &s->tokens[i + 1], (s->n_tokens - i) * sizeof s->tokens[0]);
    memset(&s->tokens[s->n_tokens], 0, sizeof s->tokens[0]);
}

void offer_drop_at(struct case_state *s, unsigned i)
{
    STO_ASSERT(i < s->n_offers);
    s->n_offers--;
    memmove(&s->offers[i], &s->offers[i + 1], (s->n_offers - i) * sizeof s->offers[0]);
    memset(&s->offers[s->n_offers], 0, sizeof s->offers[0]);
}

void clock_drop_at(struct case_state *s, unsigned i)
{
    STO_ASSERT(i < s->n_clocks);
    s->n_clocks--;
    memmove(&s->clocks[i], &s->clocks[i + 1], (s->n_clocks - i) * sizeof s->clocks[0]);
    memset(&s->clocks[s->n_clocks], 0, sizeof s->clocks[0]);
}

void holding_drop_at(struct case_state *s, unsigned i)
{
    STO_ASSERT(i < s->n_holdings);
    s->n_holdings--;
    memmove(&s->holdings[i], &s->holdings[i + 1], (s->n_holdings - i) * sizeof s->holdings[0]);
    memset(&s->holdings[s->n_holdings], 0, sizeof s->holdings[0]);
}

/* ------------------------------------------------------------------ look-ups */

int64_t state_next_due_us(const struct case_state *s)
{
    int64_t due = INT64_MAX;
    if (s->status != CASE_OPEN) {
        return due;
    }
    for (unsigned i = 0; i < s->n_clocks; i++) {
        const struct clock *c = &s->clocks[i];
        if (!c->paused) {
            due = c->due_us < due ? c->due_us : due;
            due = c->rung_us < due ? c->rung_us : due;
        }
    }
    return due;
}

const struct token *state_token(const struct case_state *s, uint16_t id)
{
    unsigned i = token_place(s, id);
    return i < s->n_tokens && s->tokens[i].id == id ? &s->tokens[i] : NULL;
}

const struct offer *state_offer(const struct case_state *s, uint16_t id)
{
    unsigned i = offer_place(s, id);
    return i < s->n_offers && s->offers[i].id == id ? &s->offers[i] : NULL;
}

const char *offer_state_name(enum offer_state s)
{
    static const char *const names[] = {
        [OFFER_NONE] = "none",
        [OFFER_OFFERED] = "offered",
        [OFFER_IN_REVIEW] = "in_review",
        [OFFER_INFO_REQUESTED] = "info_requested",
        [OFFER_WAITLISTED] = "waitlisted",
        [OFFER_ACCEPTED] = "accepted",
        [OFFER_BOOKED] = "meeting_booked",
        [OFFER_MET] = "met",
        [OFFER_IN_SERVICE] = "in_service",
        [OFFER_TAKEN_OVER] = "taken_over",
        [OFFER_REPORTED] = "reported",
        [OFFER_DECLINED] = "declined",
        [OFFER_EXPIRED] = "expired",
        [OFFER_WITHDRAWN] = "withdrawn",
        [OFFER_SUPERSEDED] = "superseded",
        [OFFER_NO_SHOW] = "no_show",
        [OFFER_INTERRUPTED] = "interrupted",
    };
    return (unsigned)s <= OFFER_INTERRUPTED ? names[s] : "?";
}

const char *handover_state_name(enum handover_state s)
{
    static const char *const names[] = {
        [HANDOVER_NONE] = "none",
        [HANDOVER_DRAFT] = "draft",
        [HANDOVER_NEGOTIATING] = "negotiating",
        [HANDOVER_AGREED] = "agreed",
        [HANDOVER_TAKEN_OVER] = "taken_over",
        [HANDOVER_CLOSED] = "closed",
        [HANDOVER_RETURNED] = "returned",
        [HANDOVER_CANCELLED] = "cancelled",
    };
    return (unsigned)s <= HANDOVER_CANCELLED ? names[s] : "?";
}

const char *clock_kind_name(enum clock_kind k)
{
    static const char *const names[] = {
        [CLOCK_ANSWER] = "answer",     [CLOCK_DECIDE] = "decide",     [CLOCK_INFO] = "info",
        [CLOCK_BOOK] = "book",         [CLOCK_MEET] = "meet",         [CLOCK_CONFIRM] = "confirm",
        [CLOCK_CHECK_IN] = "check_in", [CLOCK_WAIT_MAX] = "wait_max", [CLOCK_STABLE] = "stable",
        [CLOCK_CAP] = "cap",           [CLOCK_DRAFT] = "draft",       [CLOCK_NEXT] = "next",
        [CLOCK_START] = "start",       [CLOCK_WITHIN] = "within",     [CLOCK_SIDE] = "side",
        [CLOCK_WAIT] = "wait",         [CLOCK_CONSENT] = "consent",   [CLOCK_RECORD] = "record",
    };
    return (unsigned)k < CLOCK_KINDS ? names[k] : "?";
}
