/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Two explorers of the engine: every state of a small case that any order of events and
 * clocks can reach, and random walks of valid and invalid events. Both stop at the first
 * broken invariant.
 */
#ifndef ENGINE_EXPLORE_H
#define ENGINE_EXPLORE_H
#include "engine_kinds.h"
#include "sto_crypto.h"

#define EXPLORE_STATES_MAX (1u << 17)
#define POSSIBLE_MAX       128u

struct explored {
    unsigned states, moves;
    uint32_t offer_states, handover_states; /* bits seen */
    uint32_t clocks;                        /* kinds that have fired */
    uint32_t steps;                         /* types of step that were stood on */
    char what[384];                         /* first fault, "" = none */
};

/* ------------------------------------------------------------------ inputs for a move */

static const char *const PICKED[] = {"city", "health", "te", "firm", "te-new"};

/* Field values for all that an exit or a step may collect. */
static unsigned fields_for(const workflow_t *wf, uint64_t bits, struct in_field *out)
{
    const struct in_field all[] = {WITH_DAYS, WITH_NOTE, WITH_SECRET, WITH_MORE,
                                   WITH_ENDS, WITH_HETU, WITH_ABILITY};
    unsigned n = 0;
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        int ix = workflow_field(wf, all[i].name);
        if (ix >= 0 && bits >> ix & 1) {
            out[n++] = all[i];
        }
    }
    return n;
}

struct move_input {
    struct input in;
    struct in_field fields[8];
    struct in_name names[4];
};

/* An organisation for each role that an exit names; two where it may have several. */
static void names_for(const workflow_t *wf, uint32_t roles, struct move_input *m)
{
    unsigned n = 0;
    for (unsigned i = 0; i < wf->n_roles && n < 3; i++) {
        if (roles >> i & 1) {
            m->names[n++] = (struct in_name){wf->roles[i].id, "firm", ""};
            if (wf->roles[i].many > 0) {
                m->names[n++] = (struct in_name){wf->roles[i].id, "club", ""};
            }
        }
    }
    m->in.names = m->names;
    m->in.n_names = n;
}

static void move_make(const struct rig *r, const struct possible *p, const char *org,
                      struct move_input *m)
{
    memset(m, 0, sizeof *m);
    m->in = plain(r, p->kind, p->actor.org);
    m->in.token = p->token;
    m->in.entry = p->entry;
    m->in.offer = p->offer;
    const struct token *t = state_token(&r->s, p->token);
    const struct wf_step *w = t ? &r->wf->steps[t->step] : NULL;
    uint64_t bits = 0;
    if (p->kind == EVENT_TASK_RESULT && w) {
        const struct wf_exit *x = workflow_step_exit(w, p->exit);
        m->in.exit = r->wf->exits[p->exit];
        bits = w->type == STEP_PLAN ? 0 : w->collects | (x ? x->collects : 0);
        names_for(r->wf, x ? x->names : 0, m);
    } else if (p->kind == EVENT_PLACE_ANSWER && w) {
        const struct wf_exit *x = workflow_step_exit(w, EXIT_GOT);
        m->in.exit = r->wf->exits[p->exit];
        names_for(r->wf, x && p->exit == EXIT_GOT ? x->names : 0, m);
    } else if (p->kind == EVENT_PANEL_ANSWER && w) {
        bits = w->asks_for;
    } else if (p->kind == EVENT_PLAN_PART && w) {
        for (unsigned i = 0; i < w->n_parts; i++) {
            uint8_t who = w->parts[i].party;
            bool mine = who < STO_WF_ROLES_MAX && r->s.roles[who].at.org == p->actor.org;
            bits |= mine || p->actor.org == r->s.holder.org ? w->parts[i].fields : 0;
        }
    } else if (p->kind == EVENT_MESSAGE && w) {
        m->in.name = r->wf->messages[w->message].id;
        m->in.exit = p->exit ? r->wf->exits[p->exit] : "";
        bits = w->collects;
    } else if (p->kind == EVENT_REPORT || p->kind == EVENT_ANSWER) {
        bits = w ? w->collects : 0;
    } else if (p->kind == EVENT_OFFER) {
        m->in.name = org;
    } else if (p->kind == EVENT_REDIRECT) {
        m->in.desk = p->actor.org == CITY ? "guidance" : "intake";
    } else if (p->kind >= EVENT_CONSENT_GIVE && p->kind <= EVENT_CONSENT_REFUSE) {
        m->in.name = r->wf->n_consents > 0 ? r->wf->consents[p->exit].id : "";
    } else if (p->kind == EVENT_WITHDRAW) {
        m->in.by_client = true;
    }
    m->in.n_fields = fields_for(r->wf, bits, m->fields);
    m->in.fields = m->fields;
}

/* ------------------------------------------------------------------ exhaustive */

/* Ids by rank: what was numbered 7 and 9 becomes 1 and 2. */
static uint16_t token_rank(const struct case_state *s, uint16_t id)
{
    uint16_t n = 0;
    for (unsigned i = 0; i < s->n_tokens; i++) {
        n = s->tokens[i].id == id ? (uint16_t)(i + 1) : n;
    }
    return n;
}

static uint16_t offer_rank(const struct case_state *s, const uint16_t *kept, uint16_t id)
{
    uint16_t n = 0;
    for (unsigned i = 0; i < s->n_offers; i++) {
        n = s->offers[i].id == id ? kept[i] : n;
    }
    return n;
}

static void key_offers(const struct case_state *s, struct case_state *k, uint16_t *kept)
{
    memset(k->offers, 0, sizeof k->offers);
    k->n_offers = 0;
    for (unsigned i = 0; i < s->n_offers; i++) { /* of the ended only the right's */
        const struct offer *o = &s->offers[i];
        kept[i] = 0;
        if (offer_live(o->state) || (s->right.valid && s->right.offer == o->id)) {
            struct offer *x = &k->offers[k->n_offers++];
            *x = *o;
            x->id = kept[i] = k->n_offers;
            x->token = token_rank(s, o->token);
            x->since_us = x->meet_us = 0;
            x->place = x->to.desk = 0;
            x->reason = REASON_NONE;
            memset(x->worker, 0, sizeof x->worker);
        }
    }
}

/* Counters without a bound: versions of a plan, days of attendance past the last that matters. */
static uint16_t key_count(const workflow_t *wf, const struct token *t)
{
    enum step_type type = wf->steps[t->step].type;
    return type == STEP_PLAN ? 0 : t->count < 12 ? t->count : 12;
}

/* What two states share to be one for the explorer: all but times, desks and counters without a
 * bound. */
static void state_key(const workflow_t *r_wf, const struct case_state *s, struct sto_buf *b,
                      uint8_t key[32])
{
    struct case_state k = *s;
    uint16_t kept[STO_CASE_OFFERS_MAX] = {0};
    k.seq = k.ledger_n = k.next_offer = k.next_token = 0;
    k.last_us = k.opened_us = k.ledger_since_us = k.right.until_us = 0;
    k.holder.desk = k.sender.desk = k.right.back_to.desk = 0;
    memset(k.entries, 0, sizeof k.entries);
    memset(k.last_exit, 0, sizeof k.last_exit);
    memset(k.roles, 0, sizeof k.roles);
    for (unsigned i = 0; i < STO_WF_CONSENTS_MAX; i++) {
        k.consents[i].version = 0;
        k.consents[i].until_us = 0;
    }
    key_offers(s, &k, kept);
    for (unsigned i = 0; i < k.n_tokens; i++) {
        struct token *t = &k.tokens[i];
        t->id = (uint16_t)(i + 1);
        t->parent = token_rank(s, t->parent);
        t->host = token_rank(s, t->host);
        t->offer = offer_rank(s, kept, t->offer);
        t->entry = t->at.desk = t->no_shows = 0;
        t->since_us = 0;
        t->start_us = t->start_us != 0;
        t->count = key_count(r_wf, t);
        memset(t->worker, 0, sizeof t->worker);
    }
    for (unsigned i = 0; i < k.n_holdings; i++) {
        struct holding *h = &k.holdings[i];
        h->token = (uint16_t)(i + 1);
        h->stage = token_rank(s, h->stage);
        h->entry = 0;
        h->since_us = 0;
    }
    for (unsigned i = 0; i < k.n_clocks; i++) {
        struct clock *c = &k.clocks[i];
        c->token = token_rank(s, c->token);
        c->offer = offer_rank(s, kept, c->offer);
        c->due_us = c->rung_us = c->paused_us = c->set_us = 0;
        c->rung = 0;
    }
    k.right.token = token_rank(s, k.right.token);
    k.right.offer = offer_rank(s, kept, k.right.offer);
    sto_buf_clear(b);
    state_encode(&k, b);
    sto_sha256(b->data, b->len, key);
}

struct explorer {
    struct rig *r;
    struct case_state *queue;
    int64_t *now;
    uint8_t (*keys)[32];
    uint32_t *slots; /* hash table of queue positions + 1 */
    unsigned n, max;
    struct sto_buf b;
    struct explored *out;
};

static void explorer_see(struct explorer *e)
{
    const struct case_state *s = &e->r->s;
    uint8_t key[32];
    for (unsigned i = 0; i < s->n_tokens; i++) {
        e->out->steps |= 1u << e->r->wf->steps[s->tokens[i].step].type;
    }
    for (unsigned i = 0; i < s->n_offers; i++) {
        e->out->offer_states |= 1u << s->offers[i].state;
    }
    for (unsigned i = 0; i < s->n_tokens; i++) {
        enum step_type type = e->r->wf->steps[s->tokens[i].step].type;
        if (type == STEP_HANDOVER || type == STEP_REFERRAL || type == STEP_CONSULT) {
            e->out->handover_states |= 1u << s->tokens[i].phase;
        }
    }
    state_key(e->r->wf, s, &e->b, key);
    uint32_t at;
    memcpy(&at, key, sizeof at);
    for (at %= 2 * EXPLORE_STATES_MAX; e->slots[at]; at = (at + 1) % (2 * EXPLORE_STATES_MAX)) {
        if (memcmp(e->keys[e->slots[at] - 1], key, sizeof key) == 0) {
            return;
        }
    }
    if (e->n < e->max) {
        e->queue[e->n] = *s;
        e->now[e->n] = e->r->now;
        memcpy(e->keys[e->n], key, sizeof key);
        e->slots[at] = ++e->n;
    }
}

/* One event from queue[i]; true = go on. */
static bool explorer_try(struct explorer *e, unsigned i, const struct input *in)
{
    struct rig *r = e->r;
    int rc = rig_event(r, in);
    e->out->moves++;
    if (r->broken) {
        (void)snprintf(e->out->what, sizeof e->out->what, "%s", r->err.what);
        return false;
    }
    if (!rc) {
        explorer_see(e);
    }
    r->s = e->queue[i];
    r->now = e->now[i];
    r->wf = rig_wf_of(r, &r->s);
    return true;
}

/* What the aggregates of the network could say to a step that waits for one. */
static unsigned mails_for(const struct rig *r, const struct token *t, struct mail *out)
{
    const struct wf_step *w = &r->wf->steps[t->step];
    struct mail m = {.service = w->service, .token = t->id, .entry = t->entry};
    int64_t at_us = r->now + 8 * DAY_US;
    unsigned n = 0;
#define SAY(...)                                                                                   \
    out[n] = m, out[n++] = (struct mail)                                                           \
    {                                                                                              \
        .service = m.service, .token = m.token, .entry = m.entry, __VA_ARGS__                      \
    }
    if (w->type == STEP_SESSION) {
        SAY(.kind = MAIL_SEAT_INVITED, .at_us = at_us);
        SAY(.kind = MAIL_SEAT_MOVED);
        for (unsigned k = 0; k < 6; k++) {
            SAY(.kind = MAIL_SEAT_RECORDED, .at_us = r->now,
                .exit = (uint8_t)(EXIT_ATTENDED + k / 2), .n = k % 2);
        }
    } else if (w->type == STEP_PLACE) {
        SAY(.kind = MAIL_PLACE_OFFERED);
        SAY(.kind = MAIL_PLACE_OFFERED, .until_us = at_us);
        SAY(.kind = MAIL_PLACE_NONE);
    } else if (w->type == STEP_PANEL) {
        SAY(.kind = MAIL_AGENDA_DATE, .at_us = at_us);
        SAY(.kind = MAIL_AGENDA_DATE);
        SAY(.kind = MAIL_AGENDA_ASK, .at_us = at_us);
        SAY(.kind = MAIL_AGENDA_OPEN, .at_us = r->now);
    }
#undef SAY
    return n;
}

#define MAILS_MAX 8u

static bool explorer_mails(struct explorer *e, unsigned i)
{
    for (unsigned k = 0; k < e->queue[i].n_tokens; k++) {
        struct mail mails[MAILS_MAX];
        unsigned n = mails_for(e->r, &e->queue[i].tokens[k], mails);
        for (unsigned x = 0; x < n; x++) {
            struct input in = {.kind = EVENT_MAIL, .mail = &mails[x]};
            if (!explorer_try(e, i, &in)) {
                return false;
            }
        }
    }
    return true;
}

/* Any clock that runs may be the next: the others are put off. */
static bool explorer_clocks(struct explorer *e, unsigned i)
{
    for (unsigned k = 0; k < e->queue[i].n_clocks * 2u; k++) {
        struct case_state *s = &e->r->s;
        struct clock *c = &s->clocks[k / 2];
        bool rung = k % 2;
        if (c->paused || (rung && c->rung_us == INT64_MAX)) {
            continue;
        }
        for (unsigned x = 0; x < s->n_clocks; x++) {
            s->clocks[x].due_us = e->r->now + 1000 * DAY_US;
            s->clocks[x].rung_us = x == k / 2 ? c->rung_us : INT64_MAX;
        }
        c->rung_us = rung ? e->r->now : INT64_MAX;
        c->due_us = rung ? c->due_us : e->r->now;
        e->out->clocks |= rung ? 0 : 1u << c->kind;
        struct input in = {.kind = EVENT_CLOCK};
        if (!explorer_try(e, i, &in)) {
            return false;
        }
    }
    return true;
}

static bool explorer_step(struct explorer *e, unsigned i, unsigned n_orgs)
{
    struct possible all[POSSIBLE_MAX];
    struct rig *r = e->r;
    r->s = e->queue[i];
    r->now = e->now[i];
    r->wf = rig_wf_of(r, &r->s);
    unsigned n = engine_possible(r->net, r->wf, &r->s, all, POSSIBLE_MAX);
    for (unsigned k = 0; k < n; k++) {
        for (unsigned o = 0; o < (all[k].kind == EVENT_OFFER ? n_orgs : 1u); o++) {
            struct move_input m;
            move_make(r, &all[k], PICKED[o], &m);
            if (!explorer_try(e, i, &m.in)) {
                return false;
            }
        }
    }
    /* And what nobody should be able to do: by either side, in every state. */
    static const enum event_kind tried[] = {EVENT_GIVE_BACK, EVENT_REPORT, EVENT_CONFIRM_TAKEOVER,
                                            EVENT_ACCEPT,    EVENT_CLOSE,  EVENT_CANCEL,
                                            EVENT_WITHDRAW,  EVENT_CLOCK,  EVENT_TASK_RESULT};
    for (unsigned k = 0; k < 2 * sizeof tried / sizeof tried[0]; k++) {
        struct input in = plain(r, tried[k / 2], k % 2 ? CITY : TE);
        if (!explorer_try(e, i, &in)) {
            return false;
        }
    }
    for (unsigned k = 0; k < 2; k++) { /* a member of a panel, asked or not */
        struct input in = plain(r, EVENT_PANEL_ANSWER, k ? FIRM : HEALTH);
        if (!explorer_try(e, i, &in)) {
            return false;
        }
    }
    return explorer_mails(e, i) && explorer_clocks(e, i);
}

/* From the state that r stands in, breadth first; offers go to the first n_orgs of PICKED. */
static inline void explore(struct rig *r, unsigned n_orgs, unsigned max, struct explored *out)
{
    struct explorer e = {.r = r, .max = max, .out = out};
    memset(out, 0, sizeof *out);
    e.queue = sto_xcalloc(EXPLORE_STATES_MAX, sizeof *e.queue);
    e.now = sto_xcalloc(EXPLORE_STATES_MAX, sizeof *e.now);
    e.keys = sto_xcalloc(EXPLORE_STATES_MAX, sizeof *e.keys);
    e.slots = sto_xcalloc(2 * EXPLORE_STATES_MAX, sizeof *e.slots);
    sto_buf_init(&e.b, 0);
    explorer_see(&e);
    for (unsigned i = 0; i < e.n && explorer_step(&e, i, n_orgs); i++) {
    }
    out->states = e.n;
    sto_buf_release(&e.b);
    free(e.queue);
    free(e.now);
    free(e.keys);
    free(e.slots);
}

/* ------------------------------------------------------------------ random */

struct random_walk {
    uint64_t seed;
    unsigned taken, refused, clocks, closed;
    char what[512];
};

static uint64_t next_random(struct random_walk *w)
{
    uint64_t z = (w->seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned below(struct random_walk *w, unsigned n)
{
    return (unsigned)(next_random(w) % n);
}

static const uint8_t ANY_KIND[] = {2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                   16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 30, 31, 32, 33,
                                   34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                   48, 49, 50, 51, 60, 61, 62, 63, 80, 81, 82, 83};

/* Anything from anybody: most of it must be refused. */
static void garbage(struct random_walk *w, const struct rig *r, struct move_input *m)
{
    static const char *const names[] = {"",      "city", "health",  "verdict",
                                        "alarm", "tell", "no-such", "te"};
    memset(m, 0, sizeof *m);
    struct input *in = &m->in;
    *in = plain(r, (enum event_kind)ANY_KIND[below(w, sizeof ANY_KIND)], (uint16_t)below(w, 9));
    in->token = (uint16_t)below(w, 6);
    in->entry = (uint16_t)(below(w, 3) ? 0 : below(w, 4));
    in->offer = (uint16_t)(below(w, 2) ? 0 : below(w, 5));
    in->exit = below(w, 2) ? r->wf->exits[below(w, r->wf->n_exits)] : "";
    in->name = names[below(w, 8)];
    in->desk = below(w, 2) ? "intake" : "guidance";
    in->reason = (enum reason)below(w, REASON_OTHER + 1);
    in->valid_reason = below(w, 2);
    in->by_client = below(w, 2);
    in->second_admin = (uint16_t)below(w, 8);
    in->at_us = below(w, 2) ? r->now + (int64_t)below(w, 40) * DAY_US : 0;
    in->at2_us = r->now - (int64_t)below(w, 3) * DAY_US;
    in->n_fields = fields_for(r->wf, next_random(w) & next_random(w), m->fields);
    in->fields = m->fields;
}

/* One of what the aggregates could say to one of the steps that wait for them. */
static bool shared_mail(struct random_walk *w, const struct rig *r, struct move_input *m,
                        struct mail *mail)
{
    struct mail all[MAILS_MAX];
    unsigned first = r->s.n_tokens > 0 ? below(w, r->s.n_tokens) : 0;
    for (unsigned i = 0; i < r->s.n_tokens; i++) {
        unsigned n = mails_for(r, &r->s.tokens[(first + i) % r->s.n_tokens], all);
        if (n > 0) {
            memset(m, 0, sizeof *m);
            *mail = all[below(w, n)];
            m->in = (struct input){.kind = EVENT_MAIL, .mail = mail};
            return true;
        }
    }
    return false;
}

static void random_input(struct random_walk *w, struct rig *r, struct move_input *m,
                         struct mail *mail)
{
    struct possible all[POSSIBLE_MAX];
    unsigned dice = below(w, 100);
    int64_t due_us = state_next_due_us(&r->s);
    if (dice < 22 && due_us != INT64_MAX) {
        r->now = due_us > r->now ? due_us : r->now;
        memset(m, 0, sizeof *m);
        m->in = (struct input){.kind = EVENT_CLOCK};
        w->clocks++;
        return;
    }
    if (dice < 34 && shared_mail(w, r, m, mail)) {
        return;
    }
    unsigned n = engine_possible(r->net, r->wf, &r->s, all, POSSIBLE_MAX);
    if (dice < 80 && n > 0) {
        unsigned k = below(w, n);
        /* What ends a case at once comes up a little less often than the rest. */
        k = all[k].kind >= EVENT_CLIENT_LEFT && all[k].kind <= EVENT_CLOSE ? below(w, n) : k;
        move_make(r, &all[k], PICKED[below(w, 5)], m);
        m->in.valid_reason = below(w, 2);
        m->in.by_client = below(w, 2);
        m->in.place = m->in.kind == EVENT_ATTENDANCE ? (uint16_t)(1 + below(w, 5)) : m->in.place;
        return;
    }
    garbage(w, r, m);
}

/* One sequence of up to n events from the start; false = an invariant broke. */
static inline bool random_sequence(struct random_walk *w, struct rig *r, unsigned n)
{
    rig_reset(r);
    if (rig_start(r) != 0) {
        (void)snprintf(w->what, sizeof w->what, "start: %s", r->err.what);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        struct move_input m;
        struct mail mail;
        random_input(w, r, &m, &mail);
        r->now += 1 + (int64_t)below(w, 4) * 3 * STO_US_PER_HOUR;
        r->thorough = below(w, 16) == 0;
        int rc = rig_event(r, &m.in);
        if (r->broken) {
            (void)snprintf(w->what, sizeof w->what, "%s (event %u: %s by %u)", r->err.what, i,
                           event_kind_name(m.in.kind), m.in.actor.org);
            return false;
        }
        w->taken += rc == 0;
        w->refused += rc != 0;
    }
    if (below(w, 50) == 0) { /* then nobody does anything for three years */
        r->thorough = false;
        (void)rig_until(r, r->now + 1100 * DAY_US);
        if (r->broken) {
            (void)snprintf(w->what, sizeof w->what, "%s (in silence)", r->err.what);
            return false;
        }
    }
    w->closed += r->s.status == CASE_CLOSED;
    return true;
}

#endif
