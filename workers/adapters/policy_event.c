/* SPDX-License-Identifier: EUPL-1.2 */
/* Values of a rule become values of an event; a column's text becomes what the field's type asks
 * for. */
#include "policy_event.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool whole_number(const char *s, int64_t *out)
{
    char *end = NULL;

    errno = 0;
    long long v = strtoll(s, &end, 10);
    *out = v;
    return errno == 0 && end != s && *end == '\0';
}

/* A text as the field's type; what does not fit stays a text, and the broker says what is wrong
 * with it. */
static void field_text(struct saatto_field *f, const char *s, const workflow_t *wf)
{
    int ix = wf != NULL ? workflow_field(wf, f->name) : -1;
    enum field_type type = ix >= 0 ? wf->fields[ix].type : FIELD_TEXT;
    int64_t number = 0;

    f->type = SAATTO_TEXT;
    f->text = s;
    if (type == FIELD_INTEGER && whole_number(s, &number)) {
        f->type = SAATTO_INTEGER;
        f->integer = number;
    } else if (type == FIELD_BOOLEAN && (strcmp(s, "yes") == 0 || strcmp(s, "true") == 0)) {
        f->type = SAATTO_BOOLEAN;
        f->integer = 1;
    } else if (type == FIELD_BOOLEAN && (strcmp(s, "no") == 0 || strcmp(s, "false") == 0)) {
        f->type = SAATTO_BOOLEAN;
        f->integer = 0;
    }
}

const char *policy_field(const workflow_t *wf, const char *step, const char *name)
{
    char id[2 * STO_NAME_BYTES_MAX + 2];
    const char *dot = strrchr(step, '.');
    int f = -1;

    if (dot != NULL) {
        (void)snprintf(id, sizeof id, "%.*s.%s", (int)(dot - step), step, name);
        f = workflow_field(wf, id);
    }
    f = f >= 0 ? f : workflow_field(wf, name);
    return f >= 0 ? wf->fields[f].id : NULL;
}

static void build_fields(const struct policy_event *e, const struct record_row *row,
                         const struct occasion *o, const workflow_t *wf, struct built_event *out)
{
    size_t n = 0;

    for (unsigned i = 0; i < e->n_set; i++) {
        const struct policy_value *v = &e->set[i].value;
        struct saatto_field *f = &out->fields[n];
        const char *id = wf != NULL ? policy_field(wf, o->step, e->set[i].name) : NULL;
        *f = (struct saatto_field){.name = id != NULL ? id : e->set[i].name};
        if (v->type == VALUE_INTEGER || v->type == VALUE_BOOLEAN) {
            f->type = v->type == VALUE_INTEGER ? SAATTO_INTEGER : SAATTO_BOOLEAN;
            f->integer = v->integer;
            n++;
            continue;
        }
        const char *s = policy_text(v, row);
        if (s != NULL) { /* an empty cell leaves the field out */
            field_text(f, s, wf);
            n++;
        }
    }
    out->event.fields = out->fields;
    out->event.n_fields = n;
}

static void build_names(const struct policy_event *e, const struct record_row *row,
                        struct built_event *out)
{
    size_t n = 0;

    for (unsigned i = 0; i < e->n_names; i++) {
        const char *org = policy_text(&e->names[i].value, row);
        if (org != NULL) {
            out->names[n++] = (struct saatto_name){.role = e->names[i].name, .organisation = org};
        }
    }
    out->event.names = out->names;
    out->event.n_names = n;
}

/* Which of the delivery's numbers the event answers: docs/reference/protocol.md "Events". */
static void build_address(const struct occasion *o, enum event_kind kind, struct saatto_event *ev)
{
    memcpy(ev->case_id, o->case_id.b, sizeof ev->case_id);
    if (kind == EVENT_SESSION_RECORD) {
        memcpy(ev->case_id, o->session_id.b, sizeof ev->case_id);
        memcpy(ev->subject_case, o->case_id.b, sizeof ev->subject_case);
    } else if (kind == EVENT_OFFER || kind == EVENT_CANCEL) {
        ev->token = o->token;
    } else if ((kind >= EVENT_TASK_RESULT && kind <= EVENT_MEETING_NO_SHOW) ||
               (kind >= EVENT_PANEL_ANSWER && kind <= EVENT_PLACE_ANSWER)) {
        ev->token = o->token;
        ev->entry = o->entry;
    } else if (kind >= EVENT_TAKE_UP && kind <= EVENT_CONFIRM_WITHDRAWN) {
        ev->offer = o->offer;
        if (kind == EVENT_INTERRUPT && o->offer == 0) { /* a series of meetings has no offer */
            ev->token = o->token;
        }
    }
}

void policy_event_build(const struct plan *p, const struct policy_event *e, enum event_kind kind,
                        int64_t at_us, const struct record_row *row, const workflow_t *wf,
                        struct built_event *out)
{
    struct saatto_event *ev = &out->event;
    const char *reason = policy_text(&e->reason, row);

    *ev = (struct saatto_event){.kind = kind, .at_us = at_us, .valid_reason = e->valid_reason};
    build_address(&p->o, kind, ev);
    if (kind == EVENT_DECLINE && e->kind != EVENT_DECLINE) {
        ev->reason = REASON_CAPACITY; /* no place is free */
        return;
    }
    ev->reason = reason != NULL ? reason_parse(reason) : REASON_NONE;
    if (kind != e->kind) {
        return; /* a no-show has neither exit nor fields */
    }
    ev->exit = policy_text(&e->exit, row);
    ev->name = policy_text(&e->name, row);
    build_fields(e, row, &p->o, wf, out);
    build_names(e, row, out);
}
