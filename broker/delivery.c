/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a delivery says: names for the engine's numbers, the field values that were
 * released, what was held back and why the rest may go. At a resend the basis of
 * every category is asked again; what is no longer covered is taken out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "reactor_internal.h"

#define FRESH_US (2 * STO_US_PER_SEC)

/* One delivery under construction; lives in the arena. */
struct draft {
    reactor_t *r;
    const struct applied *a;
    const struct send *s;
    sto_arena_t *arena;
    const workflow_t *w; /* NULL: of an aggregate */
    const struct wf_step *step;
    Saatto__V1__DeliveryBody m;
    struct outbox_frame frame;
};

static char *name(const char *s)
{
    return (char *)(uintptr_t)(s ? s : ""); /* packed at once, never written */
}

static const char *org_name(const reactor_t *r, uint16_t number)
{
    const struct organisation *o = number ? network_org(r->cfg->net, number) : NULL;
    return o ? o->id : "";
}

static const char *desk_name(const reactor_t *r, struct party p)
{
    const struct organisation *o = network_org(r->cfg->net, p.org);
    const struct desk *d = o ? network_desk(o, p.desk) : NULL;
    return d ? d->id : "";
}

static void *get(struct draft *d, size_t n)
{
    void *p = sto_arena_alloc(d->arena, n);
    STO_ASSERT(p); /* bounded by a case's content */
    return p;
}

static char *copy_text(struct draft *d, const uint8_t *s, uint32_t n)
{
    char *p = get(d, (size_t)n + 1);
    memcpy(p, s, n);
    return p;
}

static void set_value(struct draft *d, const struct wf_field *def, const struct field_value *v,
                      Saatto__V1__Field *f)
{
    if (def->sealed) {
        f->value_case = SAATTO__V1__FIELD__VALUE_SEALED;
        f->sealed.data = (uint8_t *)(uintptr_t)v->s;
        f->sealed.len = v->n;
        return;
    }
    f->value_case = SAATTO__V1__FIELD__VALUE_TEXT;
    switch (def->type) {
    case FIELD_INTEGER:
        f->value_case = SAATTO__V1__FIELD__VALUE_INTEGER;
        f->integer = v->i;
        break;
    case FIELD_BOOLEAN:
        f->value_case = SAATTO__V1__FIELD__VALUE_BOOLEAN;
        f->boolean = v->i != 0;
        break;
    case FIELD_CODE:
        f->text = name(v->i >= 0 && v->i < def->n_values ? def->values[v->i] : "");
        break;
    case FIELD_DATE:
        f->text = get(d, 16);
        sto_day_format((int32_t)v->i, f->text, 16);
        break;
    case FIELD_DECIMAL:
        f->text = get(d, 24);
        snprintf(f->text, 24, "%s%" PRId64 ".%02d", v->i < 0 ? "-" : "",
                 (v->i < 0 ? -v->i : v->i) / 100, (int)((v->i < 0 ? -v->i : v->i) % 100));
        break;
    case FIELD_TEXT:
    case FIELD_HETU:
    case FIELD_PROFILE:
        f->text = copy_text(d, v->s, v->n);
        break;
    }
}

static void put_fields(struct draft *d)
{
    if (!d->w || d->s->fields == 0) {
        return;
    }
    d->m.fields = get(d, STO_WF_FIELDS_MAX * sizeof(Saatto__V1__Field *));
    for (unsigned i = 0; i < d->w->n_fields; i++) {
        const struct field_value *v = &d->a->data->v[i];
        if (!(d->s->fields >> i & 1) || !v->set) {
            continue;
        }
        Saatto__V1__Field *f = get(d, sizeof(*f));
        saatto__v1__field__init(f);
        f->name = name(d->w->fields[i].id);
        set_value(d, &d->w->fields[i], v, f);
        d->frame.field_category[d->m.n_fields] = d->w->fields[i].category;
        d->m.fields[d->m.n_fields++] = f;
    }
    d->frame.n_fields = (uint8_t)d->m.n_fields;
}

static void put_names(struct draft *d, uint64_t bits, char ***list, size_t *n)
{
    if (!d->w || bits == 0) {
        return;
    }
    *list = get(d, STO_WF_FIELDS_MAX * sizeof(char *));
    for (unsigned i = 0; i < d->w->n_fields; i++) {
        if (bits >> i & 1) {
            (*list)[(*n)++] = name(d->w->fields[i].id);
        }
    }
}

static const char *basis_name(const struct draft *d, uint16_t number)
{
    if (number & 0x8000) {
        unsigned ix = number & 0x7fff;
        return d->w && ix < d->w->n_consents ? d->w->consents[ix].id : "";
    }
    const network_t *net = d->r->cfg->net;
    for (unsigned i = 0; i < net->n_bases; i++) {
        if (net->bases[i].number == number) {
            return net->bases[i].id;
        }
    }
    return "";
}

static void put_basis(struct draft *d)
{
    const network_t *net = d->r->cfg->net;
    d->frame.categories = d->s->categories;
    memcpy(d->frame.basis, d->s->basis, sizeof(d->frame.basis));
    memcpy(d->frame.basis_ver, d->s->basis_ver, sizeof(d->frame.basis_ver));
    if (d->s->categories == 0) {
        return;
    }
    d->m.basis = get(d, STO_CATEGORIES_MAX * sizeof(Saatto__V1__Basis *));
    for (unsigned c = 0; c < net->n_categories; c++) {
        if (!(d->s->categories >> c & 1)) {
            continue;
        }
        Saatto__V1__Basis *b = get(d, sizeof(*b));
        saatto__v1__basis__init(b);
        b->category = name(net->categories[c]);
        b->id = name(basis_name(d, d->s->basis[c]));
        b->version = d->s->basis_ver[c];
        d->m.basis[d->m.n_basis++] = b;
    }
}

/* Exits that a person or system may answer with; the rest are the engine's. */
static bool answers_with(unsigned exit)
{
    return exit >= EXIT_GOT || exit == EXIT_DONE || exit == EXIT_HELD || exit == EXIT_ANSWERED ||
           exit == EXIT_NO_SHOW;
}

/* A member of a panel that is asked beforehand, not the organiser that decides. */
static bool asked_member(const struct draft *d)
{
    const struct token *t = state_token(d->a->e->state, d->s->token);
    return d->step->type == STEP_PANEL && (!t || t->at.org != d->s->to.org);
}

static void put_task(struct draft *d)
{
    const struct wf_step *st = d->step;
    bool asks = d->s->kind == SEND_TASK || d->s->kind == SEND_REMINDER ||
                d->s->kind == SEND_ESCALATION || d->s->kind == SEND_OFFER ||
                d->s->kind == SEND_PACKAGE;
    if (!st || !asks) {
        return;
    }
    uint64_t collects = st->collects | (st->type == STEP_PANEL ? st->asks_for : 0);
    if (asked_member(d)) { /* it brings its answer, and chooses nothing */
        put_names(d, st->asks_for, &d->m.collects, &d->m.n_collects);
        return;
    }
    if (st->n_exits > 0) {
        d->m.exits = get(d, st->n_exits * sizeof(char *));
    }
    for (unsigned i = 0; i < st->n_exits; i++) {
        collects |= st->exits[i].collects;
        if (answers_with(st->exits[i].exit)) {
            d->m.exits[d->m.n_exits++] = name(d->w->exits[st->exits[i].exit]);
        }
    }
    put_names(d, collects, &d->m.collects, &d->m.n_collects);
}

static void put_step(struct draft *d)
{
    static const char *const modes[] = {"required", "by-phone", "documented", "at-step"};
    const struct wf_step *st = d->step;
    if (!st) {
        return;
    }
    d->m.step = name(st->id);
    d->m.step_type = name(step_type_name(st->type));
    if (st->type == STEP_HANDOVER || st->type == STEP_REFERRAL) {
        d->m.meeting = name(modes[st->meeting]);
    }
    if (d->s->kind == SEND_NOTICE && st->text) {
        d->m.message_key = name(st->text);
        d->m.message = name(workflow_text(d->w, st->text, "fi"));
    }
}

static void put_case(struct draft *d)
{
    const struct case_state *s = d->a->e->state;
    const struct offer *o = d->s->offer ? state_offer(s, d->s->offer) : NULL;
    const struct token *t = d->s->token ? state_token(s, d->s->token) : NULL;
    d->m.workflow = name(d->w->id);
    d->m.workflow_version = d->w->version;
    d->m.purpose = name(d->w->purpose);
    d->m.holder = name(org_name(d->r, s->holder.org));
    d->m.worker = name(o && o->worker[0] ? o->worker : t ? t->worker : "");
}

/* What cases share: which cases the date is about. */
static void put_shared(struct draft *d)
{
    const struct centry *e = d->a->e;
    const struct service *svc = network_service(d->r->cfg->net, e->service);
    d->m.step = name(svc ? svc->id : "");
    d->m.step_type = name(svc && svc->shape == SERVICE_PANEL ? "panel" : "session");
    d->m.holder = name(svc ? org_name(d->r, svc->org) : "");
    d->m.seats = get(d, (e->ses->n_seats + 1u) * sizeof(*d->m.seats));
    for (unsigned i = 0; i < e->ses->n_seats; i++) {
        const struct seat *seat = &e->ses->seats[i];
        bool stands =
            seat->want == WANT_SEAT ? seat->phase == SEAT_INVITED : seat->want == WANT_AGENDA;
        if (stands && d->s->at_us != 0 && seat->date_us == d->s->at_us) {
            ProtobufCBinaryData *b = &d->m.seats[d->m.n_seats++];
            b->data = get(d, 16);
            memcpy(b->data, seat->case_id.b, 16);
            b->len = 16;
        }
    }
}

static void put_head(struct draft *d)
{
    const struct send *s = d->s;
    const struct applied *a = d->a;
    d->m.kind = (Saatto__V1__DeliveryKind)s->kind;
    d->m.case_id.data = get(d, 16);
    d->m.case_id.len = 16;
    memcpy(d->m.case_id.data, a->e->id.b, 16);
    d->m.token = s->token;
    d->m.entry = s->entry;
    d->m.offer = s->offer;
    d->m.desk = name(desk_name(d->r, s->to));
    d->m.from = name(org_name(d->r, a->k->org));
    d->m.event = name(event_kind_name((enum event_kind)(s->event ? s->event : a->f->kind)));
    d->m.rung = s->rung;
    d->m.due_us = s->due_us;
    d->m.at_us = s->at_us;
    d->m.now_us = a->now_us;
    d->m.case_seq = a->f->seq;
    if (s->kind == SEND_REMINDER || s->kind == SEND_ESCALATION) {
        d->m.clock = name(clock_kind_name((enum clock_kind)s->clock));
    }
    if (s->with_reason) {
        d->m.reason = a->in->reason;
        d->m.text = name(a->in->text);
    }
}

int delivery_build(reactor_t *r, const struct applied *a, const struct send *s,
                   struct sto_buf *wrapped, struct sto_err *err)
{
    struct draft d = {.r = r, .a = a, .s = s, .arena = r->fact_arena};
    d.w = a->e->session ? NULL : a->e->wf->w;
    d.step = d.w && s->token != 0 && s->step < d.w->n_steps ? &d.w->steps[s->step] : NULL;
    saatto__v1__delivery_body__init(&d.m);
    put_head(&d);
    if (d.w) {
        put_case(&d);
        put_step(&d);
        put_task(&d);
    } else {
        put_shared(&d);
    }
    put_fields(&d);
    put_names(&d, s->held_back, &d.m.held_back, &d.m.n_held_back);
    put_basis(&d);
    int rc = message_pack(&d.m.base, r->fact_arena, &d.frame.body, &d.frame.n_body, err);
    if (rc == 0 && d.frame.n_body > RX_FRAME_BYTES) {
        rc = sto_fail(err, STO_E_LIMIT, "delivery of %zu bytes", d.frame.n_body);
    }
    if (rc == 0) {
        sto_buf_clear(wrapped);
        outbox_wrap(&d.frame, wrapped);
        rc = wrapped->failed ? sto_fail(err, STO_E_LIMIT, "delivery does not fit") : 0;
    }
    return rc;
}

/* ------------------------------------------------------------ at a resend */

/* The consent's place in the workflow that the case is in now: it may have gone on since. */
static unsigned consent_place(const struct centry *e, unsigned ix, const char *id)
{
    for (unsigned i = 0; e->wf && i < e->wf->w->n_consents; i++) {
        if (strcmp(e->wf->w->consents[i].id, id) == 0) {
            return i;
        }
    }
    return e->wf ? STO_WF_CONSENTS_MAX : ix;
}

/* Of a consent: looked up in the case's state. *waits if that is not in memory. */
static bool consent_holds(reactor_t *r, const struct orow *row, uint16_t basis, const char *id,
                          bool *waits)
{
    struct centry *e = case_get(r, &row->case_id);
    if (e->phase == ENTRY_LOADING) {
        *waits = true;
        r->resend_waits = true;
        return true;
    }
    unsigned ix = consent_place(e, basis & 0x7fff, id);
    return e->state && ix < STO_WF_CONSENTS_MAX && e->state->consents[ix].state == CONSENT_GIVEN &&
           e->state->consents[ix].until_us > rx_domain_us(r);
}

/* The name that the delivery gives the basis of a category. */
static const char *basis_id(const reactor_t *r, const Saatto__V1__DeliveryBody *m, unsigned c)
{
    for (size_t i = 0; i < m->n_basis; i++) {
        if (network_category(r->cfg->net, m->basis[i]->category) == (int)c) {
            return m->basis[i]->id;
        }
    }
    return "";
}

static uint32_t covered(reactor_t *r, const struct outq *q, const struct orow *row,
                        const struct outbox_frame *f, const Saatto__V1__DeliveryBody *m,
                        bool *waits)
{
    int32_t day = sto_day_of_us(rx_domain_us(r));
    uint32_t bits = 0;
    for (unsigned c = 0; c < STO_CATEGORIES_MAX; c++) {
        if (!(f->categories >> c & 1)) {
            continue;
        }
        bool holds = network_basis(r->cfg->net, m->purpose, q->org, c, day) != NULL ||
                     ((f->basis[c] & 0x8000) &&
                      consent_holds(r, row, f->basis[c], basis_id(r, m, c), waits));
        bits |= (uint32_t)holds << c;
    }
    return bits;
}

/* Fields of uncovered categories move from `fields` to `held_back`. */
static void strip(const reactor_t *r, const struct outbox_frame *f, uint32_t bits,
                  Saatto__V1__DeliveryBody *m, sto_arena_t *arena)
{
    char **held = sto_arena_alloc(arena, (m->n_held_back + m->n_fields + 1) * sizeof(*held));
    STO_ASSERT(held);
    size_t n = 0, kept = 0;
    for (; n < m->n_held_back; n++) {
        held[n] = m->held_back[n];
    }
    for (size_t i = 0; i < m->n_fields; i++) {
        unsigned c = i < f->n_fields ? f->field_category[i] : STO_CATEGORIES_MAX;
        if (c < STO_CATEGORIES_MAX && (bits >> c & 1)) {
            m->fields[kept++] = m->fields[i];
        } else {
            held[n++] = m->fields[i]->name;
        }
    }
    m->n_fields = kept;
    m->held_back = held;
    m->n_held_back = n;
    kept = 0;
    for (size_t i = 0; i < m->n_basis; i++) {
        int c = network_category(r->cfg->net, m->basis[i]->category);
        if (c >= 0 && (bits >> c & 1)) {
            m->basis[kept++] = m->basis[i];
        }
    }
    m->n_basis = kept;
}

int delivery_again(reactor_t *r, const struct outq *q, const struct orow *row, sto_arena_t *arena,
                   const uint8_t **p, size_t *n, bool *waits)
{
    struct outbox_frame f;
    struct sto_err err;
    Saatto__V1__DeliveryBody *m;
    if (outbox_unwrap(row->p, row->n, &f, &err) != 0) {
        return -STO_E_MALFORMED;
    }
    *p = f.body;
    *n = f.n_body;
    int64_t now = rx_domain_us(r);
    bool fresh = row->fresh_us != INT64_MIN && now - row->fresh_us < FRESH_US;
    if (f.categories == 0 || fresh) {
        return 0;
    }
    if (delivery_decode(f.body, f.n_body, arena, &m, &err) != 0) {
        return -STO_E_MALFORMED;
    }
    uint32_t bits = covered(r, q, row, &f, m, waits);
    if (*waits || bits == f.categories) {
        return 0;
    }
    strip(r, &f, bits, m, arena);
    return message_pack(&m->base, arena, p, n, &err);
}
