/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A decoded Event as the engine's input: numbers are narrowed with a check, text
 * and bytes stay borrowed. Whether a name exists or the event fits is not asked
 * here; that is the engine's.
 */
#include "saatto_codec.h"

#include <string.h>

static int narrow(uint32_t v, const char *what, uint16_t *out, struct sto_err *err)
{
    if (v > UINT16_MAX) {
        return sto_fail(err, STO_E_MALFORMED, "Event.%s: %u is out of range", what, v);
    }
    *out = (uint16_t)v;
    return 0;
}

static void text_of(struct in_field *f, const char *s)
{
    f->type = IN_TEXT;
    f->s = (const uint8_t *)s;
    f->n = (uint32_t)strlen(s);
}

static int field_to_input(const Saatto__V1__Field *in, struct in_field *out, struct sto_err *err)
{
    if (in->name[0] == '\0') {
        return sto_fail(err, STO_E_MALFORMED, "Event.fields: a field without a name");
    }
    out->name = in->name;
    switch (in->value_case) {
    case SAATTO__V1__FIELD__VALUE_INTEGER:
        out->type = IN_INT;
        out->i = in->integer;
        return 0;
    case SAATTO__V1__FIELD__VALUE_BOOLEAN:
        out->type = IN_BOOL;
        out->i = in->boolean ? 1 : 0;
        return 0;
    case SAATTO__V1__FIELD__VALUE_TEXT:
        text_of(out, in->text);
        return 0;
    case SAATTO__V1__FIELD__VALUE_SEALED:
        out->type = IN_SEALED;
        out->s = in->sealed.data ? in->sealed.data : (const uint8_t *)"";
        out->n = (uint32_t)in->sealed.len;
        return 0;
    case SAATTO__V1__FIELD__VALUE__NOT_SET:
    case _SAATTO__V1__FIELD__VALUE__CASE_IS_INT_SIZE:
    default:
        return sto_fail(err, STO_E_MALFORMED, "Event.fields: '%s' has no value", in->name);
    }
}

static int fields_to_input(const Saatto__V1__Event *ev, sto_arena_t *arena, struct input *out,
                           struct sto_err *err)
{
    if (ev->n_fields == 0) {
        return 0;
    }
    struct in_field *v = sto_arena_alloc(arena, ev->n_fields * sizeof(*v));
    if (!v) {
        return sto_fail(err, STO_E_LIMIT, "Event.fields: arena is full");
    }
    for (size_t i = 0; i < ev->n_fields; i++) {
        int rc = field_to_input(ev->fields[i], &v[i], err);
        if (rc != 0) {
            return rc;
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(v[k].name, v[i].name) == 0) {
                return sto_fail(err, STO_E_MALFORMED, "Event.fields: '%s' comes twice", v[i].name);
            }
        }
    }
    out->fields = v;
    out->n_fields = (unsigned)ev->n_fields;
    return 0;
}

static int names_to_input(const Saatto__V1__Event *ev, sto_arena_t *arena, struct input *out,
                          struct sto_err *err)
{
    if (ev->n_names == 0) {
        return 0;
    }
    struct in_name *v = sto_arena_alloc(arena, ev->n_names * sizeof(*v));
    if (!v) {
        return sto_fail(err, STO_E_LIMIT, "Event.names: arena is full");
    }
    for (size_t i = 0; i < ev->n_names; i++) {
        v[i].role = ev->names[i]->role;
        v[i].org = ev->names[i]->organisation;
        v[i].desk = ev->names[i]->desk;
    }
    out->names = v;
    out->n_names = (unsigned)ev->n_names;
    return 0;
}

static int numbers_to_input(const Saatto__V1__Event *ev, struct input *out, struct sto_err *err)
{
    /* 80 and above are made by the broker alone. */
    if (ev->kind >= EVENT_CLOCK || event_kind_name((enum event_kind)ev->kind)[0] == '?') {
        return sto_fail(err, STO_E_MALFORMED, "Event.kind: %u is no event", ev->kind);
    }
    if (ev->reason > REASON_OTHER) {
        return sto_fail(err, STO_E_MALFORMED, "Event.reason: %u is no reason", ev->reason);
    }
    out->kind = (enum event_kind)ev->kind;
    out->reason = (enum reason)ev->reason;
    int rc = narrow(ev->token, "token", &out->token, err);
    rc = rc ? rc : narrow(ev->entry, "entry", &out->entry, err);
    rc = rc ? rc : narrow(ev->offer, "offer", &out->offer, err);
    rc = rc ? rc : narrow(ev->second_admin, "second_admin", &out->second_admin, err);
    if (rc == 0 && ev->second_admin != 0 && out->kind != EVENT_SUCCEED) {
        return sto_fail(err, STO_E_MALFORMED,
                        "Event.second_admin: belongs to kind 50 and to no other");
    }
    return rc ? rc : narrow(ev->place, "place", &out->place, err);
}

static int start_to_input(const Saatto__V1__Event *ev, struct input *out, struct sto_err *err)
{
    out->home = "";
    if ((ev->start != NULL) != (out->kind == EVENT_START)) {
        return sto_fail(err, STO_E_MALFORMED, "Event.start: belongs to kind 1 and to no other");
    }
    if (!ev->start) {
        return 0;
    }
    if (ev->start->client.len != 16 || ev->start->workflow[0] == '\0') {
        return sto_fail(err, STO_E_MALFORMED, "StartCase: needs a workflow and a client reference");
    }
    memcpy(out->client.b, ev->start->client.data, 16);
    bool nobody = sto_uuid_is_zero(&out->client); /* the case is about no client */
    if (!nobody && out->client.b[15] != ev->case_id.data[15]) {
        return sto_fail(err, STO_E_MALFORMED,
                        "StartCase.client: its last byte differs from the case id's");
    }
    out->home = ev->start->home;
    return 0;
}

int event_to_input(const Saatto__V1__Event *ev, sto_arena_t *arena, struct input *out,
                   struct sto_err *err)
{
    struct input in = {0};
    if (ev->case_id.len != 16) {
        return sto_fail(err, STO_E_MALFORMED, "Event.case_id: not 16 bytes");
    }
    int rc = numbers_to_input(ev, &in, err);
    rc = rc ? rc : start_to_input(ev, &in, err);
    rc = rc ? rc : fields_to_input(ev, arena, &in, err);
    rc = rc ? rc : names_to_input(ev, arena, &in, err);
    if (rc != 0) {
        return rc;
    }
    if (ev->subject_case.len == 16) {
        memcpy(in.subject_case.b, ev->subject_case.data, 16);
    }
    in.exit = ev->exit;
    in.name = ev->name;
    in.desk = ev->desk;
    in.text = ev->text;
    in.worker = ev->worker;
    in.valid_reason = ev->valid_reason;
    in.by_client = ev->by_client;
    in.at_us = ev->at_us;
    in.at2_us = ev->at2_us;
    *out = in;
    return 0;
}
