/* SPDX-License-Identifier: EUPL-1.2 */
/* Workflow files: values that name a party, field, setting, step or exit, resolved to indexes. */
#include <string.h>

#include "sto_limits.h"
#include "workflow_load.h"

void wf_later(struct wf_load *x, const struct sto_conf *at, const char *what, const char *name)
{
    load_err(&x->l, at, "later-version", "%s '%s' is not in this version", what, name);
}

/* ------------------------------------------------------------------ parties */

uint8_t wf_party(struct wf_load *x, const struct sto_conf *at, const char *s)
{
    static const struct {
        const char *name;
        uint8_t party;
    } FIXED[] = {{"holder", PARTY_HOLDER}, {"sender", PARTY_SENDER}, {"client", PARTY_CLIENT}};
    const char *names[STO_WF_ROLES_MAX + 4] = {"holder", "sender", "client"};
    for (size_t k = 0; k < sizeof(FIXED) / sizeof(FIXED[0]); k++) {
        if (strcmp(FIXED[k].name, s) == 0) {
            return FIXED[k].party;
        }
    }
    int role = workflow_role(x->w, s);
    if (role >= 0) {
        return (uint8_t)role;
    }
    for (unsigned k = 0; k < x->w->n_roles; k++) {
        names[3 + k] = x->w->roles[k].id;
    }
    load_unknown(&x->l, at, "unknown-role", "role", s, names);
    return PARTY_NONE;
}

struct parties_arg {
    struct wf_load *x;
    uint8_t *out;
    unsigned n;
};

static void add_party(void *arg, const struct sto_conf *at, const char *s)
{
    struct parties_arg *a = arg;
    uint8_t p = wf_party(a->x, at, s);
    for (unsigned k = 0; k < a->n; k++) {
        if (a->out[k] == p && p != PARTY_NONE) {
            load_err(&a->x->l, at, "duplicate", "'%s' stands twice", s);
            return;
        }
    }
    a->out[a->n++] = p;
}

unsigned wf_parties(struct wf_load *x, const struct sto_conf *g, const char *key,
                    uint8_t out[WF_TO_MAX])
{
    struct parties_arg a = {x, out, 0};
    load_strings(&x->l, g, key, WF_TO_MAX, add_party, &a);
    return a.n;
}

struct roles_arg {
    struct wf_load *x;
    uint32_t bits;
};

static void add_role(void *arg, const struct sto_conf *at, const char *s)
{
    struct roles_arg *a = arg;
    const char *names[STO_WF_ROLES_MAX + 1] = {0};
    int role = workflow_role(a->x->w, s);
    if (role >= 0) {
        a->bits |= UINT32_C(1) << role;
        return;
    }
    for (unsigned k = 0; k < a->x->w->n_roles; k++) {
        names[k] = a->x->w->roles[k].id;
    }
    load_unknown(&a->x->l, at, "unknown-role", "role", s, names);
}

uint32_t wf_roles(struct wf_load *x, const struct sto_conf *g, const char *key)
{
    struct roles_arg a = {x, 0};
    load_strings(&x->l, g, key, STO_WF_ROLES_MAX, add_role, &a);
    return a.bits;
}

/* ------------------------------------------------------------------ fields */

struct fields_arg {
    struct wf_load *x;
    uint64_t bits;
};

static void unknown_field(struct wf_load *x, const struct sto_conf *at, const char *s)
{
    const char *names[STO_WF_FIELDS_MAX + 1] = {0};
    for (unsigned k = 0; k < x->w->n_fields; k++) {
        names[k] = x->w->fields[k].id;
    }
    load_unknown(&x->l, at, "unknown-field", "field", s, names);
}

static void add_field(void *arg, const struct sto_conf *at, const char *s)
{
    struct fields_arg *a = arg;
    int f = workflow_field(a->x->w, s);
    if (f < 0) {
        unknown_field(a->x, at, s);
        return;
    }
    if (a->bits & (UINT64_C(1) << f)) {
        load_err(&a->x->l, at, "duplicate", "field '%s' stands twice", s);
    }
    a->bits |= UINT64_C(1) << f;
}

uint64_t wf_fields(struct wf_load *x, const struct sto_conf *g, const char *key)
{
    struct fields_arg a = {x, 0};
    load_strings(&x->l, g, key, STO_WF_FIELDS_MAX, add_field, &a);
    return a.bits;
}

/* ------------------------------------------------------------------ durations */

static struct wf_when until_field(struct wf_load *x, const struct sto_conf *at, const char *id)
{
    struct wf_when none = {0};
    int f = workflow_field(x->w, id);
    if (f < 0) {
        unknown_field(x, at, id);
        return none;
    }
    if (x->w->fields[f].type != FIELD_DATE || x->w->fields[f].sealed) {
        load_err(&x->l, at, "wrong-type", "'until %s': the field must be an open date", id);
        return none;
    }
    return (struct wf_when){.kind = WHEN_UNTIL_FIELD, .ix = (uint8_t)f};
}

struct wf_when wf_when(struct wf_load *x, const struct sto_conf *at, const char *s)
{
    struct wf_when w = {0};
    const char *names[STO_WF_SETTINGS_MAX + 1] = {0};
    if (strncmp(s, "until ", 6) == 0) {
        return until_field(x, at, s + 6);
    }
    for (unsigned k = 0; k < x->w->n_settings; k++) {
        names[k] = x->w->settings[k].id;
        if (strcmp(names[k], s) != 0) {
            continue;
        }
        if (!x->w->settings[k].is_duration) {
            load_err(&x->l, at, "wrong-type",
                     "setting '%s' is a number, where a duration is expected", s);
            return w;
        }
        return (struct wf_when){.kind = WHEN_SETTING, .ix = (uint8_t)k};
    }
    if (strstr(s, "attendance")) {
        load_err(&x->l, at, "later-version", "attendance days are not in this version; got '%s'",
                 s);
        return w;
    }
    struct sto_err err = {0};
    if (sto_duration_parse(s, &w.d, &err)) {
        if (load_id_valid(s)) {
            load_unknown(&x->l, at, "unknown-setting", "setting", s, names);
        } else {
            load_err(&x->l, at, "bad-duration", "%s", err.what);
        }
        return (struct wf_when){0};
    }
    w.kind = WHEN_DURATION;
    return w;
}

struct within_arg {
    struct wf_load *x;
    struct wf_when *out;
    unsigned n;
};

static void add_within(void *arg, const struct sto_conf *at, const char *s)
{
    struct within_arg *a = arg;
    struct wf_when w = wf_when(a->x, at, s);
    if (w.kind != WHEN_NONE) {
        a->out[a->n++] = w;
    }
}

unsigned wf_within(struct wf_load *x, const struct sto_conf *g, struct wf_when out[WF_WITHIN_MAX])
{
    struct within_arg a = {x, out, 0};
    load_strings(&x->l, g, "within", WF_WITHIN_MAX, add_within, &a);
    return a.n;
}

/* ------------------------------------------------------------------ steps and exits */

uint16_t wf_step_ref(struct wf_load *x, const struct sto_conf *at, const char *s)
{
    const char *names[STO_WF_STEPS_MAX + 1] = {0};
    uint16_t ix = workflow_step(x->w, s);
    if (ix != WF_NONE) {
        return ix;
    }
    for (unsigned k = 0; k < x->w->n_steps; k++) {
        names[k] = x->w->steps[k].id;
    }
    load_unknown(&x->l, at, "unknown-step", "step", s, names);
    return WF_NONE;
}

uint8_t wf_intern(struct wf_load *x, const struct sto_conf *at, const char *exit)
{
    workflow_t *w = x->w;
    int ix = workflow_exit(w, exit);
    if (ix >= 0) {
        return (uint8_t)ix;
    }
    if (w->n_exits == STO_WF_EXITS_MAX) {
        load_err(&x->l, at, "too-many", "a workflow has at most %u names of exits",
                 STO_WF_EXITS_MAX);
        return EXIT_NONE;
    }
    w->exits[w->n_exits] = load_keep(&x->l, exit);
    return w->n_exits++;
}

struct first_arg {
    struct wf_load *x;
    uint16_t stage;
    uint16_t *out;
    uint8_t *n;
};

static void add_first(void *arg, const struct sto_conf *at, const char *s)
{
    struct first_arg *a = arg;
    uint16_t ix = wf_step_ref(a->x, at, s);
    if (ix == WF_NONE) {
        return;
    }
    const struct wf_step *step = &a->x->w->steps[ix];
    if (step->stage != a->stage || step->host != WF_NONE) {
        load_err(&a->x->l, at, "crosses-stage", "first: step '%s' does not stand in this stage", s);
        return;
    }
    for (unsigned k = 0; k < *a->n; k++) {
        if (a->out[k] == ix) {
            load_err(&a->x->l, at, "duplicate", "first: step '%s' stands twice", s);
            return;
        }
    }
    a->out[(*a->n)++] = ix;
}

void wf_first(struct wf_load *x, const struct sto_conf *g, uint16_t stage, uint16_t *out,
              uint8_t *n)
{
    struct first_arg a = {x, stage, out, n};
    if (load_strings(&x->l, g, "first", WF_FIRST_MAX, add_first, &a) == 0) {
        load_err(&x->l, g, "missing-key", "first is missing; it names the step to begin with");
    }
}

/* ------------------------------------------------------------------ events */

uint8_t wf_event(struct wf_load *x, const struct sto_conf *at, const char *name)
{
    static const char *const FIXED[] = {"client-left", "client-moved", "client-died", "asked-for"};
    static const char *const LATER[] = {"invited", "moved", "absent"};
    const char *names[STO_WF_MESSAGES_MAX + 5] = {FIXED[0], FIXED[1], FIXED[2], FIXED[3]};
    for (unsigned k = 0; k < 4; k++) {
        if (strcmp(FIXED[k], name) == 0) {
            return (uint8_t)(WF_EVENT_CLIENT_LEFT + k);
        }
    }
    for (unsigned k = 0; k < x->w->n_messages; k++) {
        names[4 + k] = x->w->messages[k].id;
        if (strcmp(x->w->messages[k].id, name) == 0) {
            return (uint8_t)(WF_EVENT_MESSAGE_0 + k);
        }
    }
    for (unsigned k = 0; k < x->w->n_consents; k++) {
        size_t n = strlen(x->w->consents[k].id);
        if (strncmp(x->w->consents[k].id, name, n) == 0 && strcmp(name + n, "-lost") == 0) {
            return (uint8_t)(WF_EVENT_CONSENT_LOST_0 + k);
        }
    }
    for (unsigned k = 0; at && k < 3; k++) {
        if (strcmp(LATER[k], name) == 0) {
            wf_later(x, at, "event", name);
            return 0;
        }
    }
    if (at) {
        load_unknown(&x->l, at, "unknown-event", "event", name, names);
    }
    return 0;
}
