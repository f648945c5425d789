/* SPDX-License-Identifier: EUPL-1.2 */
/* Workflow files: values that name a party, field, setting, step or exit, resolved to indexes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sto_limits.h"
#include "workflow_scope.h"

/* ------------------------------------------------------------------ numbers and settings */

static void unknown_setting(struct wf_load *x, const struct sto_conf *at, const char *id)
{
    load_unknown(&x->l, at, "unknown-setting", "setting", id, wf_names_of(x, NOUN_SETTING));
}

/* The setting's index if it is a number whose limits lie inside min..max; else an error, 0xff. */
static uint8_t number_setting(struct wf_load *x, const struct sto_conf *at, const char *id,
                              const struct wf_limits *m)
{
    uint8_t k = wf_find_setting(x, id);
    if (k == 0xff) {
        unknown_setting(x, at, id);
        return k;
    }
    const struct wf_setting *s = &x->w->settings[k];
    if (s->is_duration) {
        load_err(&x->l, at, "wrong-type", "setting '%s' is a duration, where a number is expected",
                 id);
        return 0xff;
    }
    if (s->min < m->min || s->max > m->max) {
        load_err(&x->l, at, "out-of-range",
                 "setting '%s' may be %" PRId64 "..%" PRId64 ", where %u..%u is expected", id,
                 s->min, s->max, m->min, m->max);
        return 0xff;
    }
    return k;
}

uint16_t wf_count(struct wf_load *x, const struct sto_conf *g, const char *key, struct wf_limits m,
                  uint8_t *ix)
{
    const struct sto_conf *at = sto_conf_get(g, key);
    *ix = 0xff;
    if (at && at->type == STO_CONF_STRING) {
        *ix = number_setting(x, at, at->s, &m);
        return *ix == 0xff ? 0 : (uint16_t)x->w->settings[*ix].def;
    }
    return (uint16_t)sto_conf_int(g, key, 0, m.min, m.max, x->l.diags);
}

/* "20 attendance days" or "SETTING attendance days"; false = it is none of these. */
bool wf_attendance(struct wf_load *x, const struct sto_conf *at, const char *s, uint16_t *days,
                   uint8_t *ix)
{
    static const char *const TAILS[] = {" attendance days", " attendance day"};
    const struct wf_limits m = {1, 1000};
    char head[STO_NAME_BYTES_MAX + 1];
    size_t n = strlen(s), len = 0;
    for (unsigned k = 0; k < 2 && len == 0; k++) {
        size_t tail = strlen(TAILS[k]);
        len = n > tail && strcmp(s + n - tail, TAILS[k]) == 0 ? n - tail : 0;
    }
    if (len == 0 || len >= sizeof(head)) {
        return false;
    }
    memcpy(head, s, len);
    head[len] = '\0';
    *days = 1;
    *ix = 0xff;
    if (load_id_valid(head)) {
        *ix = number_setting(x, at, head, &m);
        *days = *ix == 0xff ? 1 : (uint16_t)x->w->settings[*ix].def;
        return true;
    }
    unsigned v = 0;
    for (const char *p = head; *p && v <= m.max; p++) {
        v = *p >= '0' && *p <= '9' ? 10 * v + (unsigned)(*p - '0') : m.max + 1u;
    }
    if (v < m.min || v > m.max) {
        load_err(&x->l, at, "bad-duration",
                 "'%s': expected 1 to 1000 attendance days or a setting's name before them", s);
        return true;
    }
    *days = (uint16_t)v;
    return true;
}

/* ------------------------------------------------------------------ parties */

/* parties: may holder, sender and client stand there too? */
static void unknown_role(struct wf_load *x, const struct sto_conf *at, const char *s, bool parties)
{
    const char *names[STO_WF_ROLES_MAX + 4] = {0};
    const char *const *roles = wf_names_of(x, NOUN_ROLE);
    unsigned n = 0;
    for (; n < STO_WF_ROLES_MAX && roles[n]; n++) {
        names[n] = roles[n];
    }
    if (parties) {
        names[n++] = "holder";
        names[n++] = "sender";
        names[n++] = "client";
    }
    load_unknown(&x->l, at, "unknown-role", "role", s, names);
}

uint8_t wf_party(struct wf_load *x, const struct sto_conf *at, const char *s)
{
    static const struct {
        const char *name;
        uint8_t party;
    } FIXED[] = {{"holder", PARTY_HOLDER}, {"sender", PARTY_SENDER}, {"client", PARTY_CLIENT}};
    for (size_t k = 0; k < sizeof(FIXED) / sizeof(FIXED[0]); k++) {
        if (strcmp(FIXED[k].name, s) != 0) {
            continue;
        }
        if (FIXED[k].party == PARTY_CLIENT && x->w->subject != SUBJECT_CLIENT) {
            load_err(&x->l, at, "bad-party", "'client': the case is not about a client");
            return PARTY_NONE;
        }
        return FIXED[k].party;
    }
    uint8_t role = wf_find_role(x, s);
    if (role == PARTY_NONE) {
        unknown_role(x, at, s, true);
    }
    return role;
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
    uint8_t role = wf_find_role(a->x, s);
    if (role < a->x->w->n_roles) {
        a->bits |= UINT32_C(1) << role;
    } else if (role == PARTY_NONE) {
        unknown_role(a->x, at, s, false);
    } else {
        load_err(&a->x->l, at, "bad-party",
                 "role '%s' stands for the caller's holder or sender, which nothing names", s);
    }
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
    bool wide; /* may a field with per stand for the values of all branches? */
};

void wf_unknown_field(struct wf_load *x, const struct sto_conf *at, const char *s)
{
    load_unknown(&x->l, at, "unknown-field", "field", s, wf_names_of(x, NOUN_FIELD));
}

static void add_field(void *arg, const struct sto_conf *at, const char *s)
{
    struct fields_arg *a = arg;
    uint64_t bits = wf_find_fields(a->x, s);
    if (bits == 0) {
        wf_unknown_field(a->x, at, s);
    } else if ((bits & (bits - 1)) && !a->wide) {
        load_err(&a->x->l, at, "outside-each",
                 "field '%s' has a value for each organisation; only a step inside the each may "
                 "name it here",
                 s);
    } else if (a->bits & bits) {
        load_err(&a->x->l, at, "duplicate", "field '%s' stands twice", s);
    }
    a->bits |= bits;
}

uint64_t wf_fields(struct wf_load *x, const struct sto_conf *g, const char *key)
{
    struct fields_arg a = {x, 0, true};
    a.wide = strcmp(key, "carries") == 0 || strcmp(key, "teaser") == 0 ||
             strcmp(key, "records") == 0 || strcmp(key, "must") == 0;
    load_strings(&x->l, g, key, STO_WF_FIELDS_MAX, add_field, &a);
    return a.bits;
}

uint8_t wf_consent(struct wf_load *x, const struct sto_conf *at, const char *id)
{
    uint8_t k = wf_find_consent(x, id);
    if (k == 0xff) {
        load_unknown(&x->l, at, "unknown-consent", "consent", id, wf_names_of(x, NOUN_CONSENT));
    }
    return k;
}

/* ------------------------------------------------------------------ durations */

static struct wf_when until_field(struct wf_load *x, const struct sto_conf *at, const char *id)
{
    struct wf_when none = {0};
    int f = wf_find_field(x, id);
    if (f < 0) {
        wf_unknown_field(x, at, id);
        return none;
    }
    if (x->w->fields[f].type != FIELD_DATE || x->w->fields[f].sealed) {
        load_err(&x->l, at, "wrong-type", "'until %s': the field must be an open date", id);
        return none;
    }
    return (struct wf_when){.kind = WHEN_UNTIL_FIELD, .ix = (uint8_t)f};
}

/* attendance: may it be a number of attendance days? */
static struct wf_when read_when(struct wf_load *x, const struct sto_conf *at, const char *s,
                                bool attendance)
{
    struct wf_when w = {0};
    uint16_t days;
    uint8_t ix;
    if (strncmp(s, "until ", 6) == 0) {
        return until_field(x, at, s + 6);
    }
    if (wf_attendance(x, at, s, &days, &ix)) {
        if (!attendance) {
            load_err(&x->l, at, "bad-duration",
                     "'%s': attendance days stand in within of a referral and in starts only", s);
            return w;
        }
        return (struct wf_when){.kind = WHEN_ATTENDANCE, .ix = ix, .days = days};
    }
    ix = wf_duration(x, at, s, &w.d);
    if (ix != 0xff) {
        return (struct wf_when){.kind = WHEN_SETTING, .ix = ix};
    }
    w.kind = w.d.n ? WHEN_DURATION : WHEN_NONE;
    return w;
}

struct wf_when wf_when(struct wf_load *x, const struct sto_conf *at, const char *s)
{
    return read_when(x, at, s, false);
}

uint8_t wf_duration(struct wf_load *x, const struct sto_conf *at, const char *s,
                    struct sto_duration *out)
{
    struct sto_err err = {0};
    *out = (struct sto_duration){0};
    if (!load_id_valid(s)) {
        if (sto_duration_parse(s, out, &err)) {
            load_err(&x->l, at, "bad-duration", "%s", err.what);
        }
        return 0xff;
    }
    uint8_t k = wf_find_setting(x, s);
    if (k == 0xff) {
        unknown_setting(x, at, s);
    } else if (!x->w->settings[k].is_duration) {
        load_err(&x->l, at, "wrong-type", "setting '%s' is a number, where a duration is expected",
                 s);
        k = 0xff;
    } else {
        *out = x->w->settings[k].d_def;
    }
    return k;
}

struct within_arg {
    struct wf_load *x;
    struct wf_when *out;
    unsigned n;
};

static void add_within(void *arg, const struct sto_conf *at, const char *s)
{
    struct within_arg *a = arg;
    struct wf_when w = read_when(a->x, at, s, true);
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
    uint16_t ix = wf_find_step(x, s);
    if (ix == WF_NONE) {
        load_unknown(&x->l, at, "unknown-step", "step", s, wf_names_of_steps(x));
    }
    return ix;
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

uint8_t wf_session_event(const char *name)
{
    static const char *const NAMES[] = {"invited", "moved", "absent"};
    for (unsigned k = 0; k < 3; k++) {
        if (strcmp(NAMES[k], name) == 0) {
            return (uint8_t)(WF_EVENT_INVITED + k);
        }
    }
    return 0;
}

uint8_t wf_event(struct wf_load *x, const struct sto_conf *at, const char *name)
{
    static const char *const FIXED[] = {"client-left", "client-moved", "client-died", "asked-for"};
    static const char LOST[] = "-lost";
    char consent[STO_NAME_BYTES_MAX + 1] = "";
    const char *names[STO_WF_MESSAGES_MAX + 5] = {FIXED[0], FIXED[1], FIXED[2], FIXED[3]};
    for (unsigned k = 0; k < 4; k++) {
        if (strcmp(FIXED[k], name) == 0) {
            return (uint8_t)(WF_EVENT_CLIENT_LEFT + k);
        }
    }
    uint8_t message = wf_find_message(x, name);
    if (message != 0xff) {
        return (uint8_t)(WF_EVENT_MESSAGE_0 + message);
    }
    size_t n = strlen(name), tail = sizeof(LOST) - 1;
    if (n > tail && n - tail < sizeof(consent) && strcmp(name + n - tail, LOST) == 0) {
        memcpy(consent, name, n - tail);
        uint8_t k = wf_find_consent(x, consent);
        if (k != 0xff) {
            return (uint8_t)(WF_EVENT_CONSENT_LOST_0 + k);
        }
    }
    if (at) {
        const char *const *messages = wf_names_of(x, NOUN_MESSAGE);
        for (unsigned k = 0; k < STO_WF_MESSAGES_MAX && messages[k]; k++) {
            names[4 + k] = messages[k];
        }
        load_unknown(&x->l, at, "unknown-event", "event", name, names);
    }
    return 0;
}

/* What the engine calls an event: a called workflow's message has its name in the case. */
const char *wf_event_name(struct wf_load *x, uint8_t event, const char *name)
{
    for (unsigned i = 0; i < x->w->n_messages; i++) {
        if (event == WF_EVENT_MESSAGE_0 + i) {
            return x->w->messages[i].id;
        }
    }
    for (unsigned i = 0; i < x->w->n_consents; i++) {
        if (event == WF_EVENT_CONSENT_LOST_0 + i) {
            char text[2 * STO_NAME_BYTES_MAX + 8];
            (void)snprintf(text, sizeof(text), "%s-lost", x->w->consents[i].id);
            return load_keep(&x->l, text);
        }
    }
    return name;
}
