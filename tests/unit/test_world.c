/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A crowd in the world: many cases of each shipped workflow at once, whose organisations do
 * anything that is possible and some that is not, over months of virtual time. The world checks
 * every fact; this test also holds that seats and cases agree, and that nobody is ever left without
 * a clock.
 */
#include "scenario.h"
#include "shipped.h"

#define CASES    60
#define TURNS    4000
#define POSSIBLE 96
#define START_US INT64_C(1199689200000000) /* 2008-01-07 09:00 */
#define DAY_US   (24 * STO_US_PER_HOUR)

struct crowd {
    const network_t *net;
    workflow_t *wf;
    world_t *w;
    uint64_t seed;
    unsigned n_cases, accepted, closed;
};

struct made {
    struct input in;
    struct in_field fields[STO_WF_FIELDS_MAX];
    struct in_name names[STO_WF_ROLES_MAX];
};

static unsigned draw(struct crowd *c, unsigned n)
{
    c->seed = c->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(c->seed >> 33) % n;
}

static struct sto_uuid case_of(unsigned n)
{
    struct sto_uuid id = {{0}};
    id.b[14] = (uint8_t)(n >> 8);
    id.b[15] = (uint8_t)n;
    id.b[0] = 0xca;
    return id;
}

static void holds(int rc, const struct sto_err *err)
{
    if (rc == -STO_E_INTERNAL) {
        fail_msg("%s", err->what);
    }
}

/* ------------------------------------------------------------------ inputs */

static struct in_field value(struct crowd *c, const struct wf_field *f)
{
    struct in_field v = {
        .name = f->id, .type = IN_TEXT, .s = (const uint8_t *)"2009-06-01", .n = 10};
    if (f->sealed) {
        v.type = IN_SEALED;
    } else if (f->type == FIELD_INTEGER) {
        v.type = IN_INT;
        v.i =
            f->min + (int64_t)draw(c, 1000) % (f->max - f->min < 1000 ? f->max - f->min + 1 : 1000);
    } else if (f->type == FIELD_BOOLEAN) {
        v.type = IN_BOOL;
        v.i = draw(c, 2);
    } else if (f->type == FIELD_CODE) {
        v.s = (const uint8_t *)f->values[draw(c, f->n_values)];
        v.n = (uint32_t)strlen((const char *)v.s);
    } else if (f->type == FIELD_DECIMAL) {
        v.type = IN_INT;
        v.i = (f->min + 99) / 100;
    } else if (f->type == FIELD_PROFILE) {
        v.s = (const uint8_t *)"";
        v.n = 0;
    } else if (f->type == FIELD_HETU) {
        v.s = (const uint8_t *)"010594Y9032";
        v.n = 11;
    }
    return v;
}

static void add_fields(struct crowd *c, struct made *m, uint64_t bits)
{
    for (unsigned i = 0; i < c->wf->n_fields; i++) {
        if (bits >> i & 1) {
            m->fields[m->in.n_fields++] = value(c, &c->wf->fields[i]);
        }
    }
    m->in.fields = m->fields;
}

static bool fits(const struct wf_role *r, const struct organisation *o)
{
    for (unsigned i = 0; i < r->n_kinds; i++) {
        if (organisation_is(o, r->kinds[i])) {
            return true;
        }
    }
    return false;
}

static void add_names(struct crowd *c, struct made *m, uint32_t roles)
{
    for (unsigned i = 0; i < c->wf->n_roles; i++) {
        for (unsigned tries = 0; roles >> i & 1 && tries < 50; tries++) {
            const struct organisation *o = &c->net->orgs[draw(c, c->net->n_orgs)];
            if (fits(&c->wf->roles[i], o)) {
                m->names[m->in.n_names++] = (struct in_name){c->wf->roles[i].id, o->id, ""};
                break;
            }
        }
    }
    m->in.names = m->names;
}

static void made_init(struct crowd *c, struct made *m, enum event_kind kind, struct party actor)
{
    memset(m, 0, sizeof *m);
    m->in.kind = kind;
    m->in.actor = actor;
    m->in.evidence = EVIDENCE_ORG;
    m->in.worker = draw(c, 2) ? "W. Worker" : "";
    m->in.exit = m->in.name = m->in.desk = m->in.text = m->in.home = "";
    m->in.reason = (enum reason)(1 + draw(c, REASON_OTHER));
    m->in.valid_reason = draw(c, 2);
}

/* Most often somebody who may start. */
static const struct organisation *starter(struct crowd *c)
{
    const struct organisation *o = NULL;
    for (unsigned tries = 0; tries < 200; tries++) {
        o = &c->net->orgs[draw(c, c->net->n_orgs)];
        bool may = o->may_hold || c->wf->subject != SUBJECT_CLIENT;
        for (unsigned i = 0; may && i < c->wf->n_roles; i++) {
            if (c->wf->start_by >> i & 1 && fits(&c->wf->roles[i], o)) {
                return o;
            }
        }
    }
    return o;
}

static void start_one(struct crowd *c)
{
    struct made m;
    struct sto_err err = {0};
    struct sto_uuid id = case_of(c->n_cases);
    const struct organisation *o = starter(c);
    made_init(c, &m, EVENT_START, (struct party){o->number, o->n_desks ? o->desks[0].number : 0});
    m.in.home = "oulu";
    if (c->wf->subject == SUBJECT_CLIENT) {
        m.in.client = id;
    }
    uint32_t named = 0;
    for (unsigned i = 0; i < c->wf->n_roles; i++) {
        named |= c->wf->roles[i].choose == CHOOSE_STEP ? UINT32_C(1) << i : 0;
    }
    add_fields(c, &m, c->wf->start_requires);
    add_names(c, &m, draw(c, 2) ? named : 0);
    int rc = world_event(c->w, c->wf, &id, &m.in, &err);
    holds(rc, &err);
    c->n_cases += rc == 0;
}

/* -------------------------------------------------------------------- turns */

static int64_t time_for(struct crowd *c, enum event_kind kind)
{
    int64_t now = world_now(c->w);
    return kind == EVENT_MET ? now : now + (int64_t)(1 + draw(c, 10)) * DAY_US;
}

static void one_event(struct crowd *c, const struct sto_uuid *id, const struct possible *p)
{
    struct made m;
    struct sto_err err = {0};
    const struct case_state *s = world_case(c->w, id);
    const struct token *t = state_token(s, p->token);
    const struct wf_step *w = t ? &c->wf->steps[t->step] : NULL;
    struct party actor = p->actor;
    if (draw(c, 30) == 0) { /* somebody who may not */
        actor.org = c->net->orgs[draw(c, c->net->n_orgs)].number;
    }
    made_init(c, &m, p->kind, actor);
    m.in.token = p->token;
    m.in.offer = p->offer;
    m.in.at_us = time_for(c, p->kind);
    m.in.place = 1;
    if (p->kind == EVENT_TASK_RESULT || p->kind == EVENT_MESSAGE) {
        const struct wf_exit *x = w ? workflow_step_exit(w, p->exit) : NULL;
        m.in.exit = c->wf->exits[p->exit];
        add_fields(c, &m, (x ? x->collects : 0) | (x && !x->collects && w ? w->collects : 0));
        add_names(c, &m, x ? x->names : 0);
    } else if (w && (p->kind == EVENT_REPORT || p->kind == EVENT_ANSWER)) {
        add_fields(c, &m, w->collects);
    } else if (w && p->kind == EVENT_PLACE_ANSWER) {
        const struct wf_exit *x = workflow_step_exit(w, p->exit);
        m.in.exit = c->wf->exits[p->exit];
        add_names(c, &m, x ? x->names : 0);
    } else if (w && p->kind == EVENT_PANEL_ANSWER) {
        add_fields(c, &m, w->asks_for);
    } else if (w && p->kind == EVENT_PLAN_PART && w->n_parts > 0) {
        add_fields(c, &m, w->parts[draw(c, w->n_parts)].fields);
    }
    if (p->kind >= EVENT_CONSENT_GIVE && p->kind <= EVENT_CONSENT_REFUSE &&
        p->kind != EVENT_ASKED_FOR) {
        m.in.name = c->wf->consents[p->exit].id;
    }
    int rc = world_event(c->w, c->wf, id, &m.in, &err);
    holds(rc, &err);
    c->accepted += rc == 0 && world_last_code(c->w) == 0;
}

static void one_record(struct crowd *c, const struct sto_uuid *id)
{
    static const char *const exits[] = {"attended", "excused", "absent"};
    struct sto_err err = {0};
    for (unsigned i = 0; i < c->net->n_services; i++) {
        const struct service *svc = &c->net->services[i];
        struct sto_uuid session;
        struct made m;
        shared_id(c->net->id, svc->number, &session);
        if (svc->shape == SERVICE_SESSION && world_session(c->w, &session)) {
            made_init(c, &m, EVENT_SESSION_RECORD, (struct party){svc->org, svc->desk});
            m.in.exit = exits[draw(c, 3)];
            m.in.subject_case = *id;
            holds(world_event(c->w, c->wf, &session, &m.in, &err), &err);
        }
    }
}

static bool rare(enum event_kind k)
{
    return k == EVENT_CLIENT_LEFT || k == EVENT_CLIENT_MOVED || k == EVENT_CLIENT_DIED ||
           k == EVENT_CLOSE || k == EVENT_CANCEL || k == EVENT_WITHDRAW || k == EVENT_DECLINE ||
           k == EVENT_CONFIRM_WITHDRAWN || k == EVENT_TASK_DECLINE;
}

static bool leads_on(enum event_kind k)
{
    return k == EVENT_ACCEPT || k == EVENT_BOOK || k == EVENT_MET || k == EVENT_CONFIRM_TAKEOVER ||
           k == EVENT_START_SERVICE || k == EVENT_REPORT || k == EVENT_ANSWER ||
           k == EVENT_GIVE_BACK || k == EVENT_OFFER || k == EVENT_GIVE_INFO ||
           k == EVENT_PLACE_ANSWER || k == EVENT_PLAN_PART || k == EVENT_CONSENT_GIVE;
}

/* One of what is possible; two times of three something that leads on, if there is any. */
static const struct possible *choose(struct crowd *c, const struct possible *list, unsigned n)
{
    const struct possible *p = NULL;
    for (unsigned tries = 0; n > 0 && tries < 12; tries++) {
        p = &list[draw(c, n)];
        if (tries == 0 && draw(c, 3) == 0) {
            break;
        }
        if (leads_on(p->kind)) {
            return p;
        }
    }
    return p && (!rare(p->kind) || draw(c, 25) == 0) ? p : NULL;
}

static void turn(struct crowd *c)
{
    struct possible list[POSSIBLE];
    struct sto_err err = {0};
    if (c->n_cases < CASES && (c->n_cases == 0 || draw(c, 4) == 0)) {
        start_one(c);
    }
    if (c->n_cases > 0) {
        struct sto_uuid id = case_of(draw(c, c->n_cases));
        unsigned n = engine_possible(c->net, c->wf, world_case(c->w, &id), list, POSSIBLE);
        const struct possible *p = choose(c, list, n);
        if (p) {
            one_event(c, &id, p);
        }
        if (draw(c, 4) == 0) {
            one_record(c, &id);
        }
    }
    int64_t until = world_now(c->w) + (int64_t)draw(c, 3) * STO_US_PER_HOUR;
    holds(world_advance(c->w, until, &err), &err);
}

/* ------------------------------------------------------------- what must hold */

/* A place is somebody's: held, or being answered or waited for. */
static bool place_agrees(const struct case_state *k, const struct shared_state *s,
                         const struct seat *x)
{
    for (unsigned i = 0; i < k->n_holdings; i++) {
        const struct holding *h = &k->holdings[i];
        if (h->service == s->service && h->token == x->token && h->entry == x->entry) {
            return h->phase == x->phase;
        }
    }
    const struct token *t = state_token(k, x->token);
    return t && t->entry == x->entry && t->phase == x->phase;
}

/* Every seat, place and line on an agenda belongs to a waiting token, or a holding, of an open
 * case. */
static void seats_agree(const struct crowd *c, const struct shared_state *s)
{
    for (unsigned i = 0; s && i < s->n_seats; i++) {
        const struct seat *x = &s->seats[i];
        const struct case_state *k = world_case(c->w, &x->case_id);
        if (x->want == WANT_SEAT && x->phase == SEAT_RECORDED) {
            continue;
        }
        assert_non_null(k);
        if (x->want == WANT_PLACE) {
            assert_true(place_agrees(k, s, x));
            continue;
        }
        const struct token *t = state_token(k, x->token);
        assert_non_null(t);
        assert_int_equal(t->phase, x->phase);
        assert_int_equal(t->start_us, x->date_us);
    }
}

static bool held_by(const struct shared_state *s, const struct sto_uuid *id, uint16_t token)
{
    for (unsigned j = 0; j < s->n_seats; j++) {
        if (sto_uuid_eq(&s->seats[j].case_id, id) && s->seats[j].token == token) {
            return true;
        }
    }
    return false;
}

/* Every token that waits for what is shared stands in its list, and every holding; of a quota only
 * the number is kept. */
static void tokens_agree(const struct crowd *c, const struct case_state *k,
                         const struct sto_uuid *id)
{
    struct sto_uuid shared;
    for (unsigned i = 0; i < k->n_tokens; i++) {
        const struct wf_step *w = &c->wf->steps[k->tokens[i].step];
        if (w->type == STEP_SESSION || w->type == STEP_PLACE || w->type == STEP_PANEL) {
            shared_id(c->net->id, w->service, &shared);
            assert_non_null(world_session(c->w, &shared));
            assert_true(network_service(c->net, w->service)->shape == SERVICE_QUOTA ||
                        held_by(world_session(c->w, &shared), id, k->tokens[i].id));
        }
    }
    for (unsigned i = 0; i < k->n_holdings; i++) {
        const struct holding *h = &k->holdings[i];
        shared_id(c->net->id, h->service, &shared);
        assert_non_null(world_session(c->w, &shared));
        assert_true(network_service(c->net, h->service)->shape == SERVICE_QUOTA ||
                    held_by(world_session(c->w, &shared), id, h->token));
    }
}

static void check_all(struct crowd *c)
{
    c->closed = 0;
    for (unsigned i = 0; i < c->n_cases; i++) {
        struct sto_uuid id = case_of(i);
        const struct case_state *k = world_case(c->w, &id);
        c->closed += k->status == CASE_CLOSED;
        if (k->status == CASE_OPEN) {
            assert_true(state_next_due_us(k) < INT64_MAX);
            assert_true(state_next_due_us(k) >= world_now(c->w));
            assert_true(k->holder.org != 0);
            tokens_agree(c, k, &id);
        }
    }
    for (unsigned i = 0; i < c->net->n_services; i++) {
        struct sto_uuid session;
        shared_id(c->net->id, c->net->services[i].number, &session);
        seats_agree(c, world_session(c->w, &session));
    }
}

static void live(void *arg, const network_t *net, const char *dir)
{
    struct sto_err err = {0};
    struct crowd c = {.net = net, .seed = 7};
    sto_diags_t *d = sto_diags_new();
    (void)arg;
    c.wf = load_shipped_workflow(net, dir, d);
    assert_non_null(c.wf);
    c.w = world_new(net, START_US);
    for (unsigned i = 0; i < TURNS; i++) {
        turn(&c);
        if (i % 50 == 0) {
            check_all(&c);
        }
    }
    holds(world_advance(c.w, world_now(c.w) + 700 * DAY_US, &err), &err);
    check_all(&c);
    print_message("%s: %u cases, %u events taken, %u closed\n", dir, c.n_cases, c.accepted,
                  c.closed);
    assert_int_equal(c.n_cases, CASES);
    assert_true(c.accepted > CASES); /* whoever waits for a panel waits long */
    assert_true(c.closed > CASES / 4 || c.wf->subject != SUBJECT_CLIENT);
    world_destroy(&c.w);
    workflow_destroy(&c.wf);
    sto_diags_destroy(&d);
}

static void whatever_a_crowd_does_nobody_is_lost(void **state)
{
    (void)state;
    network_t *net = load_shipped("oulu-2014");
    assert_true(each_shipped(net, live, NULL) > 0);
    network_destroy(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_a_crowd_does_nobody_is_lost),
    };
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
