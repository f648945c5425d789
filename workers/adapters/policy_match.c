/* SPDX-License-Identifier: EUPL-1.2 */
/* Which rule answers a delivery. The first that matches acts; without a row, columns match nothing.
 */
#include <stdio.h>
#include <string.h>

#include "policy_rules.h"

const char *policy_text(const struct policy_value *v, const struct record_row *row)
{
    const char *s = NULL;

    if (v->type == VALUE_TEXT) {
        s = v->text;
    } else if (v->type == VALUE_COLUMN && row != NULL) {
        s = record_value(row, v->text);
    }
    return s != NULL && s[0] != '\0' ? s : NULL;
}

static bool when_holds(const struct policy_pair *w, const struct record_row *row)
{
    char number[24];
    const char *have = row != NULL ? record_value(row, w->name) : NULL;

    if (have == NULL) {
        return false;
    }
    switch (w->value.type) {
    case VALUE_TEXT:
        return strcmp(have, w->value.text) == 0;
    case VALUE_INTEGER:
        snprintf(number, sizeof number, "%lld", (long long)w->value.integer);
        return strcmp(have, number) == 0;
    case VALUE_BOOLEAN:
        return strcmp(have, w->value.integer != 0 ? "yes" : "no") == 0;
    case VALUE_COLUMN: {
        const char *other = record_value(row, w->value.text);
        return other != NULL && strcmp(have, other) == 0;
    }
    case VALUE_ABSENT:
        break;
    }
    return false;
}

/* A column must be there, and must say something where an event cannot do without. */
static bool column_says(const struct policy_value *v, const struct record_row *row, bool needed)
{
    if (v->type != VALUE_COLUMN) {
        return true;
    }
    const char *s = row != NULL ? record_value(row, v->text) : NULL;
    return s != NULL && (!needed || s[0] != '\0');
}

static bool event_possible(const struct policy_event *e, const struct record_row *row)
{
    if (!column_says(&e->exit, row, true) || !column_says(&e->reason, row, true) ||
        !column_says(&e->name, row, true) || !column_says(&e->at, row, true) ||
        !column_says(&e->not_before, row, false)) {
        return false;
    }
    for (unsigned i = 0; i < e->n_set; i++) {
        if (!column_says(&e->set[i].value, row, false)) {
            return false;
        }
    }
    for (unsigned i = 0; i < e->n_names; i++) {
        if (!column_says(&e->names[i].value, row, true)) {
            return false;
        }
    }
    return true;
}

static bool rule_possible(const struct policy_rule *r, const struct record_row *row)
{
    for (unsigned c = 0; c < r->n_choices; c++) {
        for (unsigned i = 0; i < r->choices[c].n_events; i++) {
            if (!event_possible(&r->choices[c].events[i], row)) {
                return false;
            }
        }
    }
    return true;
}

static bool rule_matches(const struct policy_rule *r, const struct occasion *o,
                         const struct record_row *row)
{
    if (r->on != o->on || (r->workflow != NULL && strcmp(r->workflow, o->workflow) != 0) ||
        (r->step != NULL && strcmp(r->step, o->step) != 0) ||
        (r->event != 0 && r->event != o->event) || (r->nth != 0 && r->nth != o->n)) {
        return false;
    }
    for (unsigned i = 0; i < r->n_when; i++) {
        if (!when_holds(&r->when[i], row)) {
            return false;
        }
    }
    return rule_possible(r, row);
}

static unsigned draw_choice(const policy_t *p, const struct policy_rule *r,
                            const struct occasion *o)
{
    uint64_t sum = 0, at;

    for (unsigned i = 0; i < r->n_choices; i++) {
        sum += r->choices[i].weight;
    }
    at = (uint64_t)policy_draw(p, o, "choose", 0) * sum >> 32;
    for (unsigned i = 0; i + 1 < r->n_choices; i++) {
        if (at < r->choices[i].weight) {
            return i;
        }
        at -= r->choices[i].weight;
    }
    return r->n_choices - 1;
}

const struct policy_rule *policy_match(const policy_t *p, const struct occasion *o,
                                       const struct record_row *row, unsigned *choice)
{
    for (unsigned i = 0; i < p->n_rules; i++) {
        const struct policy_rule *r = &p->rules[i];
        if (rule_matches(r, o, row)) {
            *choice = draw_choice(p, r, o);
            return r;
        }
    }
    return NULL;
}
