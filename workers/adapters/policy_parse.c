/* SPDX-License-Identifier: EUPL-1.2 */
/* Policy file to policy: form only. What its names stand for is policy_check.c's. */
#include <stdlib.h>
#include <string.h>

#include "policy_rules.h"
#include "sto_arena.h"
#include "sto_limits.h"

#define POLICY_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define TREE_BYTES_MAX   ((size_t)16 * 1024 * 1024)

struct parse {
    policy_t *p;
    sto_diags_t *diags;
};

static const char *const on_names[] = {[ON_OFFER] = "offer",         [ON_TASK] = "task",
                                       [ON_PACKAGE] = "package",     [ON_UPDATE] = "update",
                                       [ON_NOTICE] = "notice",       [ON_RECORD] = "record",
                                       [ON_REMINDER] = "reminder",   [ON_ESCALATION] = "escalation",
                                       [ON_WITHDRAWN] = "withdrawn", [ON_CLOSED] = "closed",
                                       [ON_CLOSED + 1] = NULL};

enum policy_on policy_on_parse(const char *kind)
{
    for (unsigned i = ON_OFFER; i <= ON_CLOSED; i++) {
        if (kind != NULL && strcmp(kind, on_names[i]) == 0) {
            return (enum policy_on)i;
        }
    }
    return ON_NONE;
}

const char *policy_on_name(enum policy_on on)
{
    return on >= ON_OFFER && on <= ON_CLOSED ? on_names[on] : "";
}

static void fault(struct parse *x, const struct sto_conf *at, const char *code, const char *text,
                  const char *value)
{
    sto_diag(x->diags, STO_SEV_ERROR, at->file, at->line, code, "%s%s%s%s", text,
             value != NULL ? " '" : "", value != NULL ? value : "", value != NULL ? "'" : "");
}

static void *keep_alloc(struct parse *x, size_t bytes)
{
    void *p = sto_arena_alloc(x->p->arena, bytes != 0 ? bytes : 1);
    STO_ASSERT(p != NULL); /* the file's own size is limited far below the arena's */
    return p;
}

static const char *keep(struct parse *x, const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(keep_alloc(x, n), s, n);
}

/* A text under key, kept; NULL if absent. */
static const char *text_of(struct parse *x, const struct sto_conf *g, const char *key)
{
    const char *s = sto_conf_str(g, key, NULL, x->diags);
    return s != NULL ? keep(x, s) : NULL;
}

static struct sto_duration duration_of(struct parse *x, const struct sto_conf *g, const char *key,
                                       struct sto_duration fallback)
{
    struct sto_err err = {0};
    struct sto_duration d = fallback;
    const char *s = sto_conf_str(g, key, NULL, x->diags);

    if (s != NULL && sto_duration_parse(s, &d, &err) != 0) {
        const struct sto_conf *at = sto_conf_get(g, key);
        sto_diag(x->diags, STO_SEV_ERROR, at->file, at->line, "bad-duration", "%s: %s", key,
                 err.what);
        return fallback;
    }
    return d;
}

static void value_of(struct parse *x, const struct sto_conf *c, struct policy_value *out)
{
    out->line = c->line;
    if (c->type == STO_CONF_STRING && c->s[0] == '@') {
        out->type = VALUE_COLUMN;
        out->text = keep(x, c->s + 1);
    } else if (c->type == STO_CONF_STRING) {
        out->type = VALUE_TEXT;
        out->text = keep(x, c->s);
    } else if (c->type == STO_CONF_INT) {
        out->type = VALUE_INTEGER;
        out->integer = c->i;
    } else if (c->type == STO_CONF_BOOL) {
        out->type = VALUE_BOOLEAN;
        out->integer = c->i;
    } else {
        fault(x, c, "wrong-type", "a value must be a text, a whole number, true or false", NULL);
    }
}

/* A text or a column under key. */
static void text_value(struct parse *x, const struct sto_conf *g, const char *key,
                       struct policy_value *out)
{
    const struct sto_conf *c = sto_conf_get(g, key);

    if (c == NULL) {
        return;
    }
    if (c->type != STO_CONF_STRING || c->s[0] == '\0') {
        fault(x, c, "wrong-type", "a text is expected for", key);
        return;
    }
    value_of(x, c, out);
}

static const struct policy_pair *pairs_of(struct parse *x, const struct sto_conf *g,
                                          const char *key, unsigned *n)
{
    const struct sto_conf *c = sto_conf_get(g, key);
    struct policy_pair *pairs;

    *n = 0;
    if (c == NULL || sto_conf_need(g, key, STO_CONF_GROUP, x->diags) == NULL) {
        return NULL;
    }
    if (c->n_children > POLICY_PAIRS_MAX) {
        fault(x, c, "too-many", "too many members in", key);
        return NULL;
    }
    pairs = keep_alloc(x, c->n_children * sizeof *pairs);
    for (const struct sto_conf *m = c->child; m != NULL; m = m->next) {
        pairs[*n].name = keep(x, m->name);
        value_of(x, m, &pairs[*n].value);
        ++*n;
    }
    return pairs;
}

/* ---------------------------------------------------------------- events */

static void parse_at(struct parse *x, const struct sto_conf *g, struct policy_event *e)
{
    const struct sto_conf *c = sto_conf_get(g, "at");
    struct sto_err err = {0};
    int32_t day;

    text_value(x, g, "at", &e->at);
    if (c == NULL || e->at.type != VALUE_TEXT) {
        return;
    }
    if (e->at.text[0] == '+') {
        if (sto_duration_parse(e->at.text + 1, &e->at_after, &err) != 0) {
            fault(x, c, "bad-duration", err.what, NULL);
        }
    } else if (sto_day_parse(e->at.text, &day, &err) != 0) {
        fault(x, c, "bad-date", "at must be a date, a column or '+' and a duration, not", c->s);
    }
}

static void parse_no_show(struct parse *x, const struct sto_conf *g, struct policy_event *e)
{
    e->no_show = (unsigned)sto_conf_int(g, "no-show", 0, 0, 100, x->diags);
    if (e->no_show != 0 && e->kind != EVENT_MET && e->kind != EVENT_TASK_RESULT) {
        fault(x, sto_conf_get(g, "no-show"), "not-possible",
              "only met and task-result can become a no-show, not",
              sto_conf_str(g, "event", "", x->diags));
    }
}

static void parse_event(struct parse *x, const struct sto_conf *g, struct policy_event *e)
{
    static const char *const keys[] = {"event",  "after",        "not-before", "exit",
                                       "reason", "valid-reason", "name",       "at",
                                       "set",    "names",        "no-show",    NULL};
    struct sto_err err = {0};
    int32_t day;

    e->line = g->line;
    if (g->type != STO_CONF_GROUP) {
        fault(x, g, "wrong-type", "an event must be a group { event = …; }", NULL);
        return;
    }
    sto_conf_known(g, keys, "an event", x->diags);
    const struct sto_conf *name = sto_conf_need(g, "event", STO_CONF_STRING, x->diags);
    e->kind = name != NULL ? event_kind_parse(name->s) : 0;
    if (name != NULL && (e->kind == 0 || e->kind == EVENT_START || e->kind >= EVENT_CLOCK)) {
        fault(x, name, "unknown-event", "no organisation makes an event", name->s);
    }
    e->has_after = sto_conf_get(g, "after") != NULL;
    e->after = duration_of(x, g, "after", (struct sto_duration){1, STO_MINUTES});
    text_value(x, g, "not-before", &e->not_before);
    if (e->not_before.type == VALUE_TEXT && sto_day_parse(e->not_before.text, &day, &err) != 0) {
        fault(x, sto_conf_get(g, "not-before"), "bad-date", err.what, NULL);
    }
    text_value(x, g, "exit", &e->exit);
    text_value(x, g, "name", &e->name);
    text_value(x, g, "reason", &e->reason);
    if (e->reason.type == VALUE_TEXT && reason_parse(e->reason.text) == REASON_NONE) {
        fault(x, sto_conf_get(g, "reason"), "unknown-reason", "there is no coded reason",
              e->reason.text);
    }
    e->valid_reason = sto_conf_bool(g, "valid-reason", false, x->diags);
    parse_at(x, g, e);
    e->set = pairs_of(x, g, "set", &e->n_set);
    e->names = pairs_of(x, g, "names", &e->n_names);
    parse_no_show(x, g, e);
}

static void parse_do(struct parse *x, const struct sto_conf *g, struct policy_choice *out)
{
    const struct sto_conf *list = sto_conf_need(g, "do", STO_CONF_LIST, x->diags);
    struct policy_event *events;

    if (list == NULL) {
        return;
    }
    if (list->n_children > POLICY_EVENTS_MAX) {
        fault(x, list, "too-many", "too many events in one sequence", NULL);
        return;
    }
    events = keep_alloc(x, list->n_children * sizeof *events);
    for (const struct sto_conf *c = list->child; c != NULL; c = c->next) {
        parse_event(x, c, &events[out->n_events++]);
    }
    out->events = events;
}

static void parse_choose(struct parse *x, const struct sto_conf *g, struct policy_rule *r)
{
    static const char *const keys[] = {"weight", "do", NULL};
    const struct sto_conf *list = sto_conf_need(g, "choose", STO_CONF_LIST, x->diags);
    struct policy_choice *choices;

    if (list == NULL) {
        return;
    }
    if (list->n_children == 0 || list->n_children > POLICY_CHOICES_MAX) {
        fault(x, list, "too-many", "choose takes 1 to 16 alternatives", NULL);
        return;
    }
    choices = keep_alloc(x, list->n_children * sizeof *choices);
    for (const struct sto_conf *c = list->child; c != NULL; c = c->next) {
        struct policy_choice *one = &choices[r->n_choices++];
        if (c->type != STO_CONF_GROUP) {
            fault(x, c, "wrong-type", "an alternative must be a group", NULL);
            continue;
        }
        sto_conf_known(c, keys, "an alternative", x->diags);
        one->weight = (unsigned)sto_conf_int(c, "weight", 1, 1, 1000000, x->diags);
        parse_do(x, c, one);
    }
    r->choices = choices;
}

static void parse_rule(struct parse *x, const struct sto_conf *g, struct policy_rule *r)
{
    static const char *const keys[] = {"on",   "workflow", "step",   "event", "nth",
                                       "when", "do",       "choose", NULL};
    r->line = g->line;
    if (g->type != STO_CONF_GROUP) {
        fault(x, g, "wrong-type", "a rule must be a group { on = …; do = …; }", NULL);
        return;
    }
    sto_conf_known(g, keys, "a rule", x->diags);
    const struct sto_conf *on = sto_conf_need(g, "on", STO_CONF_STRING, x->diags);
    r->on = on != NULL ? policy_on_parse(on->s) : ON_NONE;
    if (on != NULL && r->on == ON_NONE) {
        const char *near = sto_nearest(on->s, on_names + 1);
        fault(x, on, "unknown-kind",
              near != NULL ? "there is no such kind of delivery; did you mean"
                           : "there is no kind of delivery",
              near != NULL ? near : on->s);
    }
    r->workflow = text_of(x, g, "workflow");
    r->step = text_of(x, g, "step");
    r->nth = (unsigned)sto_conf_int(g, "nth", 0, 1, 1000, x->diags);
    const char *event = sto_conf_str(g, "event", NULL, x->diags);
    r->event = event != NULL ? event_kind_parse(event) : 0;
    if (event != NULL && (r->event == 0 || r->on != ON_UPDATE)) {
        fault(x, sto_conf_get(g, "event"), "unknown-event",
              r->event == 0 ? "there is no event" : "only a rule on update has an event, not",
              event);
    }
    r->when = pairs_of(x, g, "when", &r->n_when);
    bool has_do = sto_conf_get(g, "do") != NULL, has_choose = sto_conf_get(g, "choose") != NULL;
    if (has_do == has_choose) {
        fault(x, g, "missing-key", "a rule has either do or choose", NULL);
    } else if (has_choose) {
        parse_choose(x, g, r);
    } else {
        struct policy_choice *one = keep_alloc(x, sizeof *one);
        one->weight = 1;
        parse_do(x, g, one);
        r->choices = one;
        r->n_choices = 1;
    }
}

/* ---------------------------------------------------------------- file */

static void parse_absence(struct parse *x, const struct sto_conf *c)
{
    policy_t *p = x->p;
    char from[11] = "";
    struct sto_err err = {0};
    int32_t a = 0, b = 0;

    if (p->n_absences == POLICY_ABSENCES_MAX) {
        fault(x, c, "too-many", "more absences than a policy can have", NULL);
        return;
    }
    bool good =
        c->type == STO_CONF_STRING && strlen(c->s) == 22 && strncmp(c->s + 10, "..", 2) == 0;
    if (good) {
        memcpy(from, c->s, 10);
        good = sto_day_parse(from, &a, &err) == 0 && sto_day_parse(c->s + 12, &b, &err) == 0;
    }
    if (!good || b < a) {
        fault(x, c, "bad-date", "an absence is written as 2008-07-07..2008-07-20", NULL);
        return;
    }
    p->absences[p->n_absences].from_day = a;
    p->absences[p->n_absences++].to_day = b;
}

static void parse_records(struct parse *x, const struct sto_conf *c)
{
    policy_t *p = x->p;

    if (c->type != STO_CONF_STRING || c->s[0] == '\0' || c->s[0] == '/' ||
        strstr(c->s, "..") != NULL) {
        fault(x, c, "bad-path", "records are files inside the folder workflows", NULL);
    } else if (p->n_records == POLICY_RECORD_FILES_MAX) {
        fault(x, c, "too-many", "more files of records than a policy can have", NULL);
    } else {
        p->records[p->n_records++] = keep(x, c->s);
    }
}

static void parse_list(struct parse *x, const struct sto_conf *g, const char *key,
                       void (*each)(struct parse *x, const struct sto_conf *c))
{
    const struct sto_conf *list = sto_conf_get(g, key);

    if (list == NULL) {
        return;
    }
    if (list->type != STO_CONF_ARRAY && list->type != STO_CONF_LIST) {
        fault(x, list, "wrong-type", "a list [ … ] is expected for", key);
        return;
    }
    for (const struct sto_conf *c = list->child; c != NULL; c = c->next) {
        each(x, c);
    }
}

static void parse_reaction(struct parse *x, const struct sto_conf *g)
{
    static const char *const keys[] = {"from", "to", NULL};
    const struct sto_conf *r = sto_conf_get(g, "reaction");
    policy_t *p = x->p;

    p->from = (struct sto_duration){1, STO_BUSINESS_HOURS};
    p->to = (struct sto_duration){1, STO_BUSINESS_DAYS};
    if (r == NULL || sto_conf_need(g, "reaction", STO_CONF_GROUP, x->diags) == NULL) {
        return;
    }
    sto_conf_known(r, keys, "reaction", x->diags);
    p->from = duration_of(x, r, "from", p->from);
    p->to = duration_of(x, r, "to", p->to);
    if (sto_duration_minutes_about(p->to) < sto_duration_minutes_about(p->from)) {
        fault(x, r, "out-of-range", "reaction: `to` is shorter than `from`", NULL);
    }
}

static void parse_policy(struct parse *x, const struct sto_conf *g)
{
    static const char *const keys[] = {"organisation", "seed",   "records", "reaction",
                                       "absences",     "places", "rules",   NULL};
    policy_t *p = x->p;

    sto_conf_known(g, keys, "policy", x->diags);
    const struct sto_conf *org = sto_conf_need(g, "organisation", STO_CONF_STRING, x->diags);
    p->organisation = org != NULL ? keep(x, org->s) : "";
    p->seed = sto_conf_int(g, "seed", 1, INT64_MIN, INT64_MAX, x->diags);
    p->places = sto_conf_int(g, "places", -1, 0, 100000, x->diags);
    parse_reaction(x, g);
    parse_list(x, g, "absences", parse_absence);
    parse_list(x, g, "records", parse_records);
    const struct sto_conf *rules = sto_conf_need(g, "rules", STO_CONF_LIST, x->diags);
    if (rules == NULL) {
        return;
    }
    if (rules->n_children > POLICY_RULES_MAX) {
        fault(x, rules, "too-many", "more rules than a policy can have", NULL);
        return;
    }
    struct policy_rule *list = keep_alloc(x, rules->n_children * sizeof *list);
    for (const struct sto_conf *c = rules->child; c != NULL; c = c->next) {
        parse_rule(x, c, &list[p->n_rules++]);
    }
    p->rules = list;
}

int policy_parse(const char *file, const char *text, size_t len, sto_diags_t *diags, policy_t **out)
{
    static const char *const keys[] = {"policy", NULL};
    const struct sto_conf *root = NULL;
    size_t before = sto_diags_errors(diags);
    sto_arena_t *scratch = sto_arena_new(TREE_BYTES_MAX);
    policy_t *p = sto_xcalloc(1, sizeof *p);
    struct parse x = {.p = p, .diags = diags};

    *out = NULL;
    p->arena = sto_arena_new(POLICY_BYTES_MAX);
    p->file = keep(&x, file);
    sto_conf_parse(p->file, text, len, scratch, diags, &root);
    if (root != NULL) {
        sto_conf_known(root, keys, "a policy file", diags);
        const struct sto_conf *g = sto_conf_need(root, "policy", STO_CONF_GROUP, diags);
        if (g != NULL) {
            parse_policy(&x, g);
        }
    }
    sto_arena_destroy(&scratch);
    if (sto_diags_errors(diags) != before) {
        policy_destroy(&p);
        return -STO_E_CONFIG;
    }
    *out = p;
    return 0;
}

void policy_destroy(policy_t **self_p)
{
    if (self_p == NULL || *self_p == NULL) {
        return;
    }
    sto_arena_destroy(&(*self_p)->arena);
    free(*self_p);
    *self_p = NULL;
}
