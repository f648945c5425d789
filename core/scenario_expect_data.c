/* SPDX-License-Identifier: EUPL-1.2 */
/* What an entry of a scenario expects of deliveries and of the case's contents. */
#include <stdio.h>
#include <string.h>

#include "scenario_view.h"

/* -------------------------------------------------------------- deliveries */

static const char *const send_names[] = {
    [SEND_OFFER] = "offer",           [SEND_TASK] = "task",
    [SEND_NOTICE] = "notice",         [SEND_REMINDER] = "reminder",
    [SEND_ESCALATION] = "escalation", [SEND_WITHDRAWN] = "withdrawn",
    [SEND_CLOSED] = "closed",         [SEND_PACKAGE] = "package",
    [SEND_UPDATE] = "update",         [SEND_RECORD] = "record"};
#define SEND_NAMES (sizeof send_names / sizeof send_names[0])

static const char *send_text(const struct play *p, const struct send *s, char *buf, size_t cap)
{
    char party[2 * STO_NAME_BYTES_MAX + 2];
    (void)snprintf(buf, cap, "%s:%s", s->kind < SEND_NAMES ? send_names[s->kind] : "?",
                   party_text(p, s->to, true, party, sizeof party));
    return buf;
}

/* Deliveries of this entry in this case, and those of what it shares with others. */
static bool is_ours(const struct view *v, const struct world_send *s)
{
    return sto_uuid_eq(&s->case_id, &v->id) || !world_case(v->p->w, &s->case_id);
}

/* "kind:organisation" or "kind:organisation/desk"; without a desk any will do. */
struct wanted {
    unsigned kind;
    struct party to;
};

static bool send_known(const struct view *v, const struct sto_conf *at, struct wanted *out)
{
    const char *colon = strchr(at->s, ':');
    for (unsigned i = 1; colon && i < SEND_NAMES; i++) {
        size_t n = (size_t)(colon - at->s);
        if (strlen(send_names[i]) == n && strncmp(send_names[i], at->s, n) == 0) {
            out->kind = i;
            return play_party(v->p, at, colon + 1, &out->to);
        }
    }
    play_err(v->p, at, "unknown-delivery", "'%s' is no delivery: write kind:organisation", at->s);
    return false;
}

static void sends_text(const struct view *v, char text[TEXT_BYTES])
{
    const struct world_send *sends;
    size_t n = world_sends(v->p->w, &sends);
    char one[3 * STO_NAME_BYTES_MAX];
    text[0] = '\0';
    for (size_t i = v->p->sends_seen; i < n; i++) {
        if (is_ours(v, &sends[i])) {
            text_add(text, send_text(v->p, &sends[i].send, one, sizeof one));
        }
    }
}

static bool was_sent(const struct view *v, const struct wanted *want)
{
    const struct world_send *sends;
    size_t n = world_sends(v->p->w, &sends);
    for (size_t i = v->p->sends_seen; i < n; i++) {
        const struct send *s = &sends[i].send;
        if (is_ours(v, &sends[i]) && s->kind == want->kind && s->to.org == want->to.org &&
            (want->to.desk == 0 || s->to.desk == want->to.desk)) {
            return true;
        }
    }
    return false;
}

static void check_deliveries(const struct view *v, const struct sto_conf *at, bool wanted)
{
    char found[TEXT_BYTES];
    if (!strings(v, at)) {
        return;
    }
    for (const struct sto_conf *c = at->child; c; c = c->next) {
        struct wanted want = {0};
        if (send_known(v, c, &want) && was_sent(v, &want) != wanted) {
            sends_text(v, found);
            play_err(v->p, at, at->name, "'%s' was %s; sent were [%s]", c->s,
                     wanted ? "not sent" : "sent", found);
        }
    }
}

void expect_sent(const struct view *v, const struct sto_conf *at)
{
    check_deliveries(v, at, true);
}

void expect_not_sent(const struct view *v, const struct sto_conf *at)
{
    check_deliveries(v, at, false);
}

/* -------------------------------------------------------------------- data */

static bool field_at(const struct view *v, const struct sto_conf *at, const char *id, unsigned *ix)
{
    int found = scope_need(v->p, at, SCOPE_FIELD, v->step, id);
    *ix = found < 0 ? 0 : (unsigned)found;
    return found >= 0;
}

static void check_fields(const struct view *v, const struct sto_conf *at, uint64_t got)
{
    uint64_t want = 0;
    unsigned ix;
    char found[TEXT_BYTES] = "";
    if (!strings(v, at)) {
        return;
    }
    for (const struct sto_conf *c = at->child; c; c = c->next) {
        if (!field_at(v, c, c->s, &ix)) {
            return;
        }
        want |= UINT64_C(1) << ix;
    }
    for (unsigned i = 0; i < v->wf->n_fields; i++) {
        if (got >> i & 1) {
            text_add(found, v->wf->fields[i].id);
        }
    }
    if (want != got) {
        play_err(v->p, at, at->name, "%s were [%s]", at->name, found);
    }
}

void expect_released(const struct view *v, const struct sto_conf *at)
{
    const struct world_send *sends;
    size_t n = world_sends(v->p->w, &sends);
    uint64_t fields = 0;
    for (size_t i = v->p->sends_seen; i < n; i++) {
        fields |= is_ours(v, &sends[i]) ? sends[i].send.fields : 0;
    }
    check_fields(v, at, fields);
}

void expect_held_back(const struct view *v, const struct sto_conf *at)
{
    const struct world_send *sends;
    size_t n = world_sends(v->p->w, &sends);
    uint64_t fields = 0;
    for (size_t i = v->p->sends_seen; i < n; i++) {
        fields |= is_ours(v, &sends[i]) ? sends[i].send.held_back : 0;
    }
    check_fields(v, at, fields);
}

void expect_clear(const struct view *v, const struct sto_conf *at)
{
    unsigned ix;
    if (!strings(v, at)) {
        return;
    }
    for (const struct sto_conf *c = at->child; c; c = c->next) {
        if (field_at(v, c, c->s, &ix) && (v->s->fields_set >> ix & 1)) {
            play_err(v->p, c, "clear", "field '%s' is set, expected to have no value", c->s);
        }
    }
}

/* The wanted value as the engine would read it. */
static bool value_wanted(const struct view *v, const struct sto_conf *at, unsigned field,
                         struct field_value *out)
{
    struct in_field in;
    struct sto_err err = {0};
    unsigned ix;
    if (!input_value(&v->wf->fields[field], at, &in)) {
        play_err(v->p, at, "field-value", "field '%s' is a number, true or false, or text",
                 at->name);
        return false;
    }
    if (field_check(v->wf, &in, &ix, out, &err) != 0) {
        play_err(v->p, at, "field-value", "%s", err.what);
        return false;
    }
    return true;
}

static bool value_same(const struct field_value *a, const struct field_value *b)
{
    return a->set && b->set && a->i == b->i && a->n == b->n &&
           (a->n == 0 || memcmp(a->s, b->s, a->n) == 0);
}

void expect_data(const struct view *v, const struct sto_conf *at)
{
    const struct case_data *d = world_data(v->p->w, &v->id);
    unsigned ix;
    if (at->type != STO_CONF_GROUP) {
        play_err(v->p, at, "wrong-type", "data must be a group of fields");
        return;
    }
    for (const struct sto_conf *c = at->child; c; c = c->next) {
        struct field_value want = {0};
        if (field_at(v, c, c->name, &ix) && value_wanted(v, c, ix, &want) &&
            !value_same(&d->v[ix], &want)) {
            play_err(v->p, c, "data", "field '%s' %s", c->name,
                     d->v[ix].set ? "has another value" : "has no value");
        }
    }
}
