/* SPDX-License-Identifier: EUPL-1.2 */
/* Deliveries to JSON and answers from JSON, by jansson, strictly: an unknown key is an error. */
#include "exec_json.h"

#include <jansson.h>
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "sto_limits.h"
#include "sto_time.h"
#include "sto_uuid.h"

/* ---------------------------------------------------------------- to JSON */

static void put(json_t *o, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new(o, key, value) != 0) {
        abort(); /* out of memory: the restart is the recovery */
    }
}

/* Empty texts and zeroes are left out: absent is absent. */
static void put_text(json_t *o, const char *key, const char *s)
{
    if (s != NULL && s[0] != '\0') {
        put(o, key, json_string(s));
    }
}

static void put_number(json_t *o, const char *key, unsigned v)
{
    if (v != 0) {
        put(o, key, json_integer((json_int_t)v));
    }
}

static void put_time(json_t *o, const char *key, int64_t us)
{
    char text[40];

    if (us != 0) {
        put(o, key, json_string(sto_us_format(us, text, sizeof text)));
    }
}

static void put_uuid(json_t *o, const char *key, const uint8_t id[16])
{
    struct sto_uuid u;
    char text[37];

    memcpy(u.b, id, sizeof u.b);
    put(o, key, json_string(sto_uuid_format(&u, text)));
}

static json_t *sealed_value(const struct saatto_field *f)
{
    size_t cap = sodium_base64_encoded_len(f->n_bytes, sodium_base64_VARIANT_ORIGINAL);
    char *text = sto_xcalloc(1, cap);

    sodium_bin2base64(text, cap, f->bytes, f->n_bytes, sodium_base64_VARIANT_ORIGINAL);
    json_t *o = json_pack("{s:s}", "sealed", text);
    free(text);
    return o;
}

static json_t *fields_value(const struct saatto_delivery *d)
{
    json_t *o = json_object();

    for (size_t i = 0; i < d->n_fields; i++) {
        const struct saatto_field *f = &d->fields[i];
        switch (f->type) {
        case SAATTO_INTEGER:
            put(o, f->name, json_integer(f->integer));
            break;
        case SAATTO_BOOLEAN:
            put(o, f->name, json_boolean(f->integer != 0));
            break;
        case SAATTO_TEXT:
            put(o, f->name, json_string(f->text));
            break;
        case SAATTO_SEALED:
            put(o, f->name, sealed_value(f));
            break;
        }
    }
    return o;
}

static void put_list(json_t *o, const char *key, const char *const *list, size_t n)
{
    if (n == 0) {
        return;
    }
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(a, json_string(list[i]));
    }
    put(o, key, a);
}

static void put_basis(json_t *o, const struct saatto_delivery *d)
{
    json_t *a = json_array();

    for (size_t i = 0; i < d->n_basis; i++) {
        json_array_append_new(a,
                              json_pack("{s:s, s:s, s:i}", "category", d->basis[i].category, "id",
                                        d->basis[i].id, "version", (int)d->basis[i].version));
    }
    put(o, "basis", a);
}

static void put_seats(json_t *o, const struct saatto_delivery *d)
{
    json_t *a = json_array();

    for (size_t i = 0; i < d->n_seats; i++) {
        struct sto_uuid u;
        char text[37];
        memcpy(u.b, d->seats[i], sizeof u.b);
        json_array_append_new(a, json_string(sto_uuid_format(&u, text)));
    }
    put(o, "seats", a);
}

static void put_texts(json_t *o, const struct saatto_delivery *d)
{
    put_text(o, "workflow", d->workflow);
    put_number(o, "workflow_version", d->workflow_version);
    put_text(o, "step", d->step);
    put_text(o, "step_type", d->step_type);
    put_text(o, "desk", d->desk);
    put_text(o, "holder", d->holder);
    put_text(o, "from", d->from);
    put_text(o, "event", d->event);
    put_text(o, "clock", d->clock);
    put_number(o, "rung", d->rung);
    put_text(o, "text", d->text);
    put_text(o, "message_key", d->message_key);
    put_text(o, "message", d->message);
    put_text(o, "purpose", d->purpose);
    put_text(o, "worker", d->worker);
    put_text(o, "meeting", d->meeting);
    if (d->reason != 0) {
        put_text(o, "reason", reason_name((enum reason)d->reason));
    }
}

char *exec_input(const char *organisation, const struct saatto_delivery *d)
{
    json_t *o = json_object();
    char id[48];

    snprintf(id, sizeof id, "%u-%llu", d->shard, (unsigned long long)d->seq);
    put(o, "delivery", json_string(id));
    put(o, "organisation", json_string(organisation));
    put(o, "kind", json_string(d->kind));
    put_uuid(o, "case", d->case_id);
    put(o, "shard", json_integer((json_int_t)d->shard));
    put(o, "seq", json_integer((json_int_t)d->seq));
    put_number(o, "case_seq", d->case_seq);
    put_texts(o, d);
    put_number(o, "token", d->token);
    put_number(o, "entry", d->entry);
    put_number(o, "offer", d->offer);
    put_time(o, "due", d->due_us);
    put_time(o, "at", d->at_us);
    put_time(o, "now", d->now_us);
    put(o, "fields", fields_value(d));
    put_list(o, "held_back", d->held_back, d->n_held_back);
    put_list(o, "exits", d->exits, d->n_exits);
    put_list(o, "collects", d->collects, d->n_collects);
    put_basis(o, d);
    if (d->n_seats != 0) {
        put_seats(o, d);
    }
    char *text = json_dumps(o, JSON_COMPACT);
    STO_ASSERT(text != NULL);
    json_decref(o);
    return text;
}

/* ---------------------------------------------------------------- from JSON */

struct answer {
    const struct exec_origin *origin;
    sto_arena_t *arena;
    struct saatto_event *event;
    size_t i; /* which event */
    struct sto_err *err;
    int rc; /* the first fault */
};

static void bad(struct answer *x, const char *key, const char *expected)
{
    if (x->rc == 0) {
        x->rc = sto_fail(x->err, STO_E_MALFORMED, "event %zu: '%s' must be %s", x->i + 1, key,
                         expected);
    }
}

static void *need(struct answer *x, size_t bytes)
{
    void *p = sto_arena_alloc(x->arena, bytes != 0 ? bytes : 1);

    if (p == NULL && x->rc == 0) {
        x->rc = sto_fail(x->err, STO_E_LIMIT, "event %zu: the answer is too large", x->i + 1);
    }
    return p;
}

static const char *text_of(struct answer *x, const char *key, const json_t *v)
{
    if (!json_is_string(v) || strlen(json_string_value(v)) != json_string_length(v)) {
        bad(x, key, "a text");
        return NULL;
    }
    char *s = need(x, json_string_length(v) + 1);
    return s != NULL ? memcpy(s, json_string_value(v), json_string_length(v) + 1) : NULL;
}

static unsigned number_of(struct answer *x, const char *key, const json_t *v)
{
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > UINT32_MAX) {
        bad(x, key, "a whole number");
        return 0;
    }
    return (unsigned)json_integer_value(v);
}

static bool truth_of(struct answer *x, const char *key, const json_t *v)
{
    if (!json_is_boolean(v)) {
        bad(x, key, "true or false");
    }
    return json_is_true(v);
}

static int64_t time_of(struct answer *x, const char *key, const json_t *v)
{
    int64_t us = 0;

    if (!json_is_string(v) || sto_us_parse(json_string_value(v), &us, NULL) != 0) {
        bad(x, key, "a time such as 2026-11-21T10:42:00Z");
    }
    return us;
}

static void uuid_of(struct answer *x, const char *key, const json_t *v, uint8_t out[16])
{
    struct sto_uuid u = {{0}};

    if (!json_is_string(v) || sto_uuid_parse(json_string_value(v), &u, NULL) != 0) {
        bad(x, key, "an id");
    }
    memcpy(out, u.b, 16);
}

static void sealed_of(struct answer *x, const char *key, const json_t *v, struct saatto_field *f)
{
    const char *text = json_string_value(json_object_get(v, "sealed"));
    size_t cap = text != NULL ? strlen(text) : 0;
    uint8_t *bytes = text != NULL ? need(x, cap) : NULL;

    f->type = SAATTO_SEALED;
    f->bytes = bytes;
    if (bytes == NULL || json_object_size(v) != 1 ||
        sodium_base642bin(bytes, cap, text, strlen(text), NULL, &f->n_bytes, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        bad(x, key, "a number, a text, true, false or {\"sealed\": base64}");
    }
}

static void fields_of(struct answer *x, const json_t *o)
{
    size_t n = json_object_size(o), k = 0;
    const char *name;
    json_t *v;

    if (!json_is_object(o) || n > STO_MSG_FIELDS_MAX) {
        bad(x, "fields", "an object of at most 64 members");
        return;
    }
    struct saatto_field *fields = need(x, n * sizeof *fields);
    json_object_foreach((json_t *)(uintptr_t)o, name, v)
    {
        json_t *key = json_string(name);
        if (fields == NULL || x->rc != 0) {
            json_decref(key);
            return;
        }
        struct saatto_field *f = &fields[k++];
        f->name = text_of(x, "fields", key);
        json_decref(key);
        if (json_is_integer(v)) {
            f->type = SAATTO_INTEGER;
            f->integer = json_integer_value(v);
        } else if (json_is_boolean(v)) {
            f->type = SAATTO_BOOLEAN;
            f->integer = json_is_true(v);
        } else if (json_is_string(v)) {
            f->type = SAATTO_TEXT;
            f->text = text_of(x, name, v);
        } else {
            sealed_of(x, name, v, f);
        }
    }
    x->event->fields = fields;
    x->event->n_fields = k;
}

/* {"role": "organisation"} or {"role": {"organisation": …, "desk": …}} */
static void names_of(struct answer *x, const json_t *o)
{
    size_t n = json_object_size(o), k = 0;
    const char *role;
    json_t *v;

    if (!json_is_object(o) || n > STO_WF_ROLES_MAX) {
        bad(x, "names", "an object of at most 16 members");
        return;
    }
    struct saatto_name *names = need(x, n * sizeof *names);
    json_object_foreach((json_t *)(uintptr_t)o, role, v)
    {
        if (names == NULL || x->rc != 0) {
            return;
        }
        json_t *key = json_string(role);
        const json_t *desk = json_object_get(v, "desk");
        names[k].role = text_of(x, "names", key);
        json_decref(key);
        names[k].organisation =
            text_of(x, role, json_is_object(v) ? json_object_get(v, "organisation") : v);
        names[k++].desk = desk != NULL ? text_of(x, "desk", desk) : NULL;
    }
    x->event->names = names;
    x->event->n_names = k;
}

/* {"workflow": …, "client": 32 hexadecimal digits, "home": …} */
static void start_of(struct answer *x, const json_t *o)
{
    const json_t *home = json_object_get(o, "home");
    const char *client = json_string_value(json_object_get(o, "client"));

    x->event->start_workflow = text_of(x, "start.workflow", json_object_get(o, "workflow"));
    x->event->start_home = home != NULL ? text_of(x, "start.home", home) : NULL;
    if (client == NULL || sto_unhex(client, x->event->start_client, 16, NULL) != 0) {
        bad(x, "start.client", "32 hexadecimal digits");
    }
}

static void take_kind(struct answer *x, const char *key, const json_t *v)
{
    const char *name = json_string_value(v);

    x->event->kind = name != NULL ? saatto_event_kind(name) : 0;
    if (x->event->kind == 0) {
        bad(x, key, "the name of an event");
    }
}

static void take_reason(struct answer *x, const char *key, const json_t *v)
{
    const char *name = json_string_value(v);

    x->event->reason = name != NULL ? saatto_reason(name) : 0;
    if (x->event->reason == 0) {
        bad(x, key, "a coded reason");
    }
}

enum member_type { TEXT, NUMBER, TRUTH, TIME, UUID };
static const struct member {
    const char *key;
    enum member_type type;
    size_t offset;
} members[] = {{"exit", TEXT, offsetof(struct saatto_event, exit)},
               {"name", TEXT, offsetof(struct saatto_event, name)},
               {"desk", TEXT, offsetof(struct saatto_event, desk)},
               {"worker", TEXT, offsetof(struct saatto_event, worker)},
               {"text", TEXT, offsetof(struct saatto_event, text)},
               {"token", NUMBER, offsetof(struct saatto_event, token)},
               {"entry", NUMBER, offsetof(struct saatto_event, entry)},
               {"offer", NUMBER, offsetof(struct saatto_event, offer)},
               {"place", NUMBER, offsetof(struct saatto_event, place)},
               {"valid_reason", TRUTH, offsetof(struct saatto_event, valid_reason)},
               {"by_client", TRUTH, offsetof(struct saatto_event, by_client)},
               {"at", TIME, offsetof(struct saatto_event, at_us)},
               {"at2", TIME, offsetof(struct saatto_event, at2_us)},
               {"case", UUID, offsetof(struct saatto_event, case_id)},
               {"subject_case", UUID, offsetof(struct saatto_event, subject_case)}};

static bool take_member(struct answer *x, const char *key, const json_t *v)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const struct member *m = &members[i];
        void *at = (char *)x->event + m->offset;
        if (strcmp(m->key, key) != 0) {
            continue;
        }
        switch (m->type) {
        case TEXT:
            *(const char **)at = text_of(x, key, v);
            break;
        case NUMBER:
            *(unsigned *)at = number_of(x, key, v);
            break;
        case TRUTH:
            *(bool *)at = truth_of(x, key, v);
            break;
        case TIME:
            *(int64_t *)at = time_of(x, key, v);
            break;
        case UUID:
            uuid_of(x, key, v, at);
            break;
        }
        return true;
    }
    return false;
}

/* Which of the delivery's numbers an event answers, where it names none itself. */
static void fall_back(struct answer *x, const json_t *o)
{
    struct saatto_event *e = x->event;
    bool of_step = e->kind >= EVENT_TASK_RESULT && e->kind <= EVENT_MEETING_NO_SHOW;
    bool of_offer = e->kind >= EVENT_TAKE_UP && e->kind <= EVENT_CONFIRM_WITHDRAWN;

    if (json_object_get(o, "case") == NULL) {
        memcpy(e->case_id, x->origin->case_id, sizeof e->case_id);
    }
    if (json_object_get(o, "token") == NULL && (of_step || e->kind == EVENT_OFFER)) {
        e->token = x->origin->token;
        if (of_step && json_object_get(o, "entry") == NULL) {
            e->entry = x->origin->entry;
        }
    }
    if (json_object_get(o, "offer") == NULL && of_offer && e->kind != EVENT_GIVE_BACK &&
        e->kind != EVENT_CANCEL) {
        e->offer = x->origin->offer;
    }
}

static void take_event(struct answer *x, const json_t *o)
{
    const char *key;
    json_t *v;

    if (!json_is_object(o)) {
        bad(x, "events", "a list of objects");
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)o, key, v)
    {
        if (strcmp(key, "kind") == 0) {
            take_kind(x, key, v);
        } else if (strcmp(key, "reason") == 0) {
            take_reason(x, key, v);
        } else if (strcmp(key, "fields") == 0) {
            fields_of(x, v);
        } else if (strcmp(key, "names") == 0) {
            names_of(x, v);
        } else if (strcmp(key, "start") == 0) {
            start_of(x, v);
        } else if (!take_member(x, key, v) && x->rc == 0) {
            x->rc =
                sto_fail(x->err, STO_E_MALFORMED, "event %zu: unknown key '%.64s'", x->i + 1, key);
        }
    }
    if (x->event->kind == 0) {
        bad(x, "kind", "the name of an event");
    }
    fall_back(x, o);
}

static bool blank(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strchr(" \t\r\n", text[i]) == NULL || text[i] == '\0') {
            return false;
        }
    }
    return true;
}

static int take_answer(const json_t *root, struct answer *x, struct saatto_event *events,
                       size_t *n_events)
{
    const json_t *list = json_object_get(root, "events");
    size_t n = json_array_size(list);

    if (!json_is_object(root) || json_object_size(root) != (list != NULL ? 1u : 0u) ||
        (list != NULL && !json_is_array(list))) {
        return sto_fail(x->err, STO_E_MALFORMED, "the answer must be {\"events\": [ … ]}");
    }
    if (n > EXEC_EVENTS_MAX) {
        return sto_fail(x->err, STO_E_LIMIT, "an answer has at most %d events, got %zu",
                        EXEC_EVENTS_MAX, n);
    }
    for (x->i = 0; x->i < n && x->rc == 0; x->i++) {
        x->event = &events[x->i];
        *x->event = (struct saatto_event){0};
        take_event(x, json_array_get(list, x->i));
    }
    *n_events = x->rc == 0 ? n : 0;
    return x->rc;
}

int exec_output(const char *text, size_t n, const struct exec_origin *origin, sto_arena_t *arena,
                struct saatto_event *events, size_t *n_events, struct sto_err *err)
{
    struct answer x = {.origin = origin, .arena = arena, .err = err};
    json_error_t error;

    *n_events = 0;
    if (blank(text, n)) {
        return 0;
    }
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        /* jansson's words may quote the answer, which is client content: only the place is told */
        return sto_fail(err, STO_E_MALFORMED, "the answer is no JSON: line %d, column %d",
                        error.line, error.column);
    }
    int rc = take_answer(root, &x, events, n_events);
    json_decref(root);
    return rc;
}
