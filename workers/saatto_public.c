/* SPDX-License-Identifier: Apache-2.0 */
/* Between the public forms of saatto.h and the wire's messages. */
#include <string.h>

#include "saatto_internal.h"
#include "sto_crypto.h"

static void *need(sto_arena_t *arena, size_t bytes)
{
    void *p = sto_arena_alloc(arena, bytes != 0 ? bytes : 1);
    STO_ASSERT(p != NULL); /* bounded by the frame that it came in */
    return p;
}

static void fields_public(const Saatto__V1__DeliveryBody *b, sto_arena_t *arena,
                          struct saatto_delivery *out)
{
    struct saatto_field *f = need(arena, b->n_fields * sizeof *f);

    for (size_t i = 0; i < b->n_fields; i++) {
        const Saatto__V1__Field *w = b->fields[i];
        f[i].name = w->name;
        if (w->value_case == SAATTO__V1__FIELD__VALUE_INTEGER) {
            f[i].type = SAATTO_INTEGER;
            f[i].integer = w->integer;
        } else if (w->value_case == SAATTO__V1__FIELD__VALUE_BOOLEAN) {
            f[i].type = SAATTO_BOOLEAN;
            f[i].integer = w->boolean != 0;
        } else if (w->value_case == SAATTO__V1__FIELD__VALUE_TEXT) {
            f[i].type = SAATTO_TEXT;
            f[i].text = w->text;
        } else {
            f[i].type = SAATTO_SEALED;
            f[i].bytes = w->sealed.data;
            f[i].n_bytes = w->sealed.len;
        }
    }
    out->fields = f;
    out->n_fields = b->n_fields;
}

static const char *kind_text(Saatto__V1__DeliveryKind k)
{
    static const char *const names[] = {"",         "offer",      "task",      "notice",
                                        "reminder", "escalation", "withdrawn", "closed",
                                        "package",  "update",     "record"};
    return (size_t)k < sizeof names / sizeof names[0] ? names[k] : "";
}

static void lists_public(const Saatto__V1__DeliveryBody *b, sto_arena_t *arena,
                         struct saatto_delivery *out)
{
    struct saatto_basis *basis = need(arena, b->n_basis * sizeof *basis);
    uint8_t(*seats)[16] = need(arena, b->n_seats * sizeof *seats);

    for (size_t i = 0; i < b->n_basis; i++) {
        basis[i] =
            (struct saatto_basis){b->basis[i]->category, b->basis[i]->id, b->basis[i]->version};
    }
    for (size_t i = 0; i < b->n_seats; i++) {
        memcpy(seats[i], b->seats[i].data, 16); /* length was validated */
    }
    out->basis = basis;
    out->n_basis = b->n_basis;
    out->seats = (const uint8_t(*)[16])seats;
    out->n_seats = b->n_seats;
    out->held_back = (const char *const *)b->held_back;
    out->n_held_back = b->n_held_back;
    out->exits = (const char *const *)b->exits;
    out->n_exits = b->n_exits;
    out->collects = (const char *const *)b->collects;
    out->n_collects = b->n_collects;
}

void delivery_public(const Saatto__V1__Delivery *d, const Saatto__V1__DeliveryBody *b,
                     sto_arena_t *arena, struct saatto_delivery *out)
{
    *out = (struct saatto_delivery){.shard = d->shard,
                                    .seq = d->seq,
                                    .kind = kind_text(b->kind),
                                    .workflow = b->workflow,
                                    .workflow_version = b->workflow_version,
                                    .step = b->step,
                                    .step_type = b->step_type,
                                    .desk = b->desk,
                                    .holder = b->holder,
                                    .from = b->from,
                                    .event = b->event,
                                    .clock = b->clock,
                                    .text = b->text,
                                    .message_key = b->message_key,
                                    .message = b->message,
                                    .purpose = b->purpose,
                                    .worker = b->worker,
                                    .meeting = b->meeting,
                                    .token = b->token,
                                    .entry = b->entry,
                                    .offer = b->offer,
                                    .rung = b->rung,
                                    .reason = b->reason,
                                    .case_seq = b->case_seq,
                                    .due_us = b->due_us,
                                    .at_us = b->at_us,
                                    .now_us = b->now_us};
    memcpy(out->case_id, b->case_id.data, b->case_id.len < 16 ? b->case_id.len : 16);
    fields_public(b, arena, out);
    lists_public(b, arena, out);
}

static char *text(const char *s)
{
    return (char *)(uintptr_t)(s != NULL ? s : "");
}

static void fields_wire(const struct saatto_event *e, sto_arena_t *arena, Saatto__V1__Event *w)
{
    w->fields = need(arena, e->n_fields * sizeof(Saatto__V1__Field *));
    w->n_fields = e->n_fields;
    for (size_t i = 0; i < e->n_fields; i++) {
        const struct saatto_field *f = &e->fields[i];
        Saatto__V1__Field *x = need(arena, sizeof *x);
        saatto__v1__field__init(x);
        x->name = text(f->name);
        if (f->type == SAATTO_INTEGER) {
            x->value_case = SAATTO__V1__FIELD__VALUE_INTEGER;
            x->integer = f->integer;
        } else if (f->type == SAATTO_BOOLEAN) {
            x->value_case = SAATTO__V1__FIELD__VALUE_BOOLEAN;
            x->boolean = f->integer != 0;
        } else if (f->type == SAATTO_TEXT) {
            x->value_case = SAATTO__V1__FIELD__VALUE_TEXT;
            x->text = text(f->text);
        } else {
            x->value_case = SAATTO__V1__FIELD__VALUE_SEALED;
            x->sealed = (ProtobufCBinaryData){f->n_bytes, (uint8_t *)(uintptr_t)f->bytes};
        }
        w->fields[i] = x;
    }
}

static void names_wire(const struct saatto_event *e, sto_arena_t *arena, Saatto__V1__Event *w)
{
    w->names = need(arena, e->n_names * sizeof(Saatto__V1__Name *));
    w->n_names = e->n_names;
    for (size_t i = 0; i < e->n_names; i++) {
        Saatto__V1__Name *x = need(arena, sizeof *x);
        saatto__v1__name__init(x);
        x->role = text(e->names[i].role);
        x->organisation = text(e->names[i].organisation);
        x->desk = text(e->names[i].desk);
        w->names[i] = x;
    }
}

int event_pack(const struct saatto_event *e, sto_arena_t *arena, const uint8_t **p, size_t *n,
               struct sto_err *err)
{
    static const uint8_t none[16];
    Saatto__V1__Event w;
    Saatto__V1__StartCase start;
    uint8_t salt[16];

    saatto__v1__event__init(&w);
    saatto__v1__start_case__init(&start);
    if (e->n_fields > STO_MSG_FIELDS_MAX || e->n_names > STO_WF_ROLES_MAX) {
        return sto_fail(err, STO_E_LIMIT, "an event has at most %u fields and %u names",
                        STO_MSG_FIELDS_MAX, STO_WF_ROLES_MAX);
    }
    sto_random(salt, sizeof salt);
    w.salt = (ProtobufCBinaryData){sizeof salt, salt};
    w.case_id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)e->case_id};
    w.kind = e->kind;
    w.token = e->token;
    w.entry = e->entry;
    w.offer = e->offer;
    w.exit = text(e->exit);
    w.name = text(e->name);
    w.desk = text(e->desk);
    w.reason = e->reason;
    w.text = text(e->text);
    w.valid_reason = e->valid_reason;
    w.by_client = e->by_client;
    w.at_us = e->at_us;
    w.at2_us = e->at2_us;
    w.place = e->place;
    w.second_admin = e->second_admin;
    w.worker = text(e->worker);
    fields_wire(e, arena, &w);
    names_wire(e, arena, &w);
    if (e->start_workflow != NULL) {
        start.workflow = text(e->start_workflow);
        start.home = text(e->start_home);
        start.client = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)e->start_client};
        w.start = &start;
    }
    if (memcmp(e->subject_case, none, 16) != 0) {
        w.subject_case = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)e->subject_case};
    }
    return message_pack(&w.base, arena, p, n, err);
}
