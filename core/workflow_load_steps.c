/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Workflow files: the steps. First all steps of all stages get their index, in file order; then
 * each step is read by its type. Exits come after that (workflow_load_exits.c), when all names are
 * known.
 */
#include <stdio.h>
#include <string.h>

#include "state.h"
#include "sto_limits.h"
#include "workflow_scope.h"

#define TYPE_UNKNOWN ((enum step_type)0)

static const char *const TYPES[] = {"",        "task",    "meeting", "handover", "referral",
                                    "consult", "session", "decide",  "notify",   "wait",
                                    "stage",   "end",     "panel",   "place",    "consent",
                                    "measure", "plan",    "each",    "call",     NULL};
_Static_assert(sizeof(TYPES) / sizeof(TYPES[0]) == STEP_TYPE_LAST + 2, "every type has a name");

static const char *const KEYS_WAITING[] = {"type",      "starts", "on",     "within",     "at-most",
                                           "meanwhile", "ladder", "remind", "visible-to", NULL};
static const char *const KEYS_SENDING[] = {"carries", "must", "needs", NULL};
static const char *const KEYS_TASK[] = {"role", "helps", "collects", "obliging", "next", NULL};
static const char *const KEYS_MEETING[] = {"role", "with", "collects", "obliging", NULL};
static const char *const KEYS_HANDOVER[] = {"to", "meeting", "teaser", "collects", "clocks", NULL};
static const char *const KEYS_REFERRAL[] = {"to",       "meeting",  "teaser", "collects", "clocks",
                                            "at-least", "obliging", "next",   NULL};
static const char *const KEYS_CONSULT[] = {"to", "teaser", "collects", "clocks", NULL};
static const char *const KEYS_SESSION[] = {"of", "role", "meetings", "collects", "obliging", NULL};
static const char *const KEYS_WAIT[] = {"for", "until", "message", "collects", "next", NULL};
static const char *const KEYS_STAGE[] = {"first", "wait-for", "steps", "next", NULL};
static const char *const KEYS_PANEL[] = {"of",        "asks",   "asks-for", "collects",
                                         "postpones", "client", NULL};
static const char *const KEYS_PLACE[] = {"of", "role", "names", NULL};
static const char *const KEYS_CONSENT[] = {"of", "helps", NULL};
static const char *const KEYS_MEASURE[] = {"instrument", "field",    "point", "role",
                                           "helps",      "obliging", "next",  NULL};
static const char *const KEYS_PLAN[] = {"parts", "agreed-by", "helps", NULL};
static const char *const KEYS_EACH[] = {"over", "first", "wait-for", "steps", "next", NULL};
static const char *const KEYS_CALL[] = {"workflow", "version", "roles", "gives", "takes", NULL};
/* These run at once: no clock, nothing beside them. */
static const char *const KEYS_DECIDE[] = {"type", "starts", "rules", NULL};
static const char *const KEYS_NOTIFY[] = {"type", "starts",     "to",   "text",
                                          "on",   "visible-to", "next", NULL};
static const char *const KEYS_END[] = {"type", "outcome", "records", "continues", NULL};

static const struct {
    const char *const *keys;
    bool waits, sends;
} STEP_KEYS[] = {
    [STEP_TASK] = {KEYS_TASK, true, true},         [STEP_MEETING] = {KEYS_MEETING, true, true},
    [STEP_HANDOVER] = {KEYS_HANDOVER, true, true}, [STEP_REFERRAL] = {KEYS_REFERRAL, true, true},
    [STEP_CONSULT] = {KEYS_CONSULT, true, true},   [STEP_SESSION] = {KEYS_SESSION, true, true},
    [STEP_DECIDE] = {KEYS_DECIDE, false, false},   [STEP_NOTIFY] = {KEYS_NOTIFY, false, true},
    [STEP_WAIT] = {KEYS_WAIT, true, false},        [STEP_STAGE] = {KEYS_STAGE, true, false},
    [STEP_END] = {KEYS_END, false, false},         [STEP_PANEL] = {KEYS_PANEL, true, true},
    [STEP_PLACE] = {KEYS_PLACE, true, true},       [STEP_CONSENT] = {KEYS_CONSENT, true, false},
    [STEP_MEASURE] = {KEYS_MEASURE, true, true},   [STEP_PLAN] = {KEYS_PLAN, true, true},
    [STEP_EACH] = {KEYS_EACH, true, false},        [STEP_CALL] = {KEYS_CALL, true, false},
};

/* ------------------------------------------------------------------ collecting */

static enum step_type step_type(struct wf_load *x, const struct sto_conf *c)
{
    const char *s = load_need_str(&x->l, c, "type");
    if (!*s) {
        return TYPE_UNKNOWN;
    }
    const struct sto_conf *at = sto_conf_get(c, "type");
    for (unsigned k = 1; TYPES[k]; k++) {
        if (strcmp(TYPES[k], s) == 0) {
            return (enum step_type)k;
        }
    }
    load_unknown(&x->l, at, "unknown-type", "step type", s, TYPES + 1);
    return TYPE_UNKNOWN;
}

static void add_side(struct wf_load *x, const struct sto_conf *c, uint16_t host, uint16_t ix)
{
    workflow_t *w = x->w;
    uint16_t *sides = host == WF_ROOT ? w->sides : w->steps[host].sides;
    uint8_t *n = host == WF_ROOT ? &w->n_sides : &w->steps[host].n_sides;
    if (*n == WF_SIDES_MAX) {
        load_err(&x->l, c, "too-many", "at most %d steps stand in meanwhile", WF_SIDES_MAX);
        return;
    }
    sides[(*n)++] = ix;
}

uint16_t wf_new_step(struct wf_load *x, const struct sto_conf *c, uint16_t stage, uint16_t host)
{
    if (x->w->n_steps == STO_WF_STEPS_MAX) {
        load_err(&x->l, c, "too-many",
                 "a workflow has at most %u steps, called ones and branches included",
                 STO_WF_STEPS_MAX);
        return WF_NONE;
    }
    uint16_t ix = x->w->n_steps++;
    struct wf_step *s = &x->w->steps[ix];
    *s = (struct wf_step){.id = wf_scoped(x, c, c->name),
                          .file = load_keep(&x->l, c->file),
                          .line = c->line,
                          .stage = stage,
                          .host = host,
                          .starts = {.setting = 0xff},
                          .role = PARTY_NONE,
                          .helps = PARTY_HOLDER,
                          .at_most_setting = 0xff,
                          .meetings_setting = 0xff,
                          .postpones_setting = 0xff,
                          .meeting_step = WF_NONE,
                          .consent = 0xff,
                          .field = 0xff,
                          .over = 0xff,
                          .branch = x->scope->in_branch,
                          .each = x->scope->each,
                          .needs = 0xff,
                          .message = 0xff,
                          .ladder_ix = -1,
                          .text = "",
                          .calls = "",
                          .continues = "",
                          .outcome = ""};
    x->node[ix] = c;
    x->scope_of[ix] = x->scope;
    return ix;
}

static void collect_one(struct wf_load *x, const struct sto_conf *c, uint16_t stage, uint16_t host)
{
    uint16_t ix = wf_new_step(x, c, stage, host);
    if (ix == WF_NONE) {
        return;
    }
    struct wf_step *s = &x->w->steps[ix];
    s->type = step_type(x, c);
    if (host != WF_NONE) {
        add_side(x, c, host, ix);
    }
    if (s->type == STEP_MEASURE) {
        wf_add_measured(x, c);
    } else if (s->type == STEP_STAGE) {
        wf_collect(x, load_group(&x->l, c, "steps"), ix, WF_NONE);
    } else if (s->type == STEP_EACH) {
        wf_collect_each(x, c, ix);
    } else if (s->type == STEP_CALL) {
        wf_collect_call(x, c, ix);
    }
    if (s->type != TYPE_UNKNOWN) {
        wf_collect(x, load_group(&x->l, c, "meanwhile"), stage, ix);
    }
}

void wf_collect(struct wf_load *x, const struct sto_conf *g, uint16_t stage, uint16_t host)
{
    for (const struct sto_conf *c = g ? g->child : NULL; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(&x->l, c, "wrong-type", "step '%s' must be a group { … }", c->name);
        } else if (load_check_id(&x->l, c, "step", c->name) &&
                   !(stage == x->scope->call && host == WF_NONE && wf_called_end(x, c->name))) {
            collect_one(x, c, stage, host);
        }
    }
}

void wf_collect_steps(struct wf_load *x)
{
    x->w->steps = load_alloc(&x->l, STO_WF_STEPS_MAX * sizeof(*x->w->steps));
    if (!x->w->steps) {
        sto_diag(x->l.diags, STO_SEV_ERROR, x->root->file, x->root->line, "too-large",
                 "the workflow is too large");
        return;
    }
    const struct sto_conf *g = sto_conf_need(x->root, "steps", STO_CONF_GROUP, x->l.diags);
    wf_collect(x, g, WF_ROOT, WF_NONE);
    wf_collect(x, load_group(&x->l, x->root, "meanwhile"), WF_ROOT, WF_ROOT);
}

/* ------------------------------------------------------------------ keys */

static void check_keys(struct wf_load *x, const struct sto_conf *c, enum step_type t)
{
    const char *known[32];
    unsigned n = 0;
    for (const char *const *k = STEP_KEYS[t].keys; *k; k++) {
        known[n++] = *k;
    }
    for (const char *const *k = KEYS_WAITING; STEP_KEYS[t].waits && *k; k++) {
        known[n++] = *k;
    }
    for (const char *const *k = KEYS_SENDING; STEP_KEYS[t].sends && *k; k++) {
        known[n++] = *k;
    }
    known[n] = NULL;
    sto_conf_known(c, known, TYPES[t], x->l.diags);
}

/* ------------------------------------------------------------------ parts */

uint8_t wf_need_party(struct wf_load *x, const struct sto_conf *c, const char *key, unsigned takes)
{
    const char *s = load_need_str(&x->l, c, key);
    if (!*s) {
        return PARTY_NONE;
    }
    const struct sto_conf *at = sto_conf_get(c, key);
    uint8_t p = wf_party(x, at, s);
    if ((p == PARTY_CLIENT && !(takes & TAKES_CLIENT)) ||
        (p == PARTY_HOLDER && !(takes & TAKES_HOLDER))) {
        load_err(&x->l, at, "bad-party", "%s cannot be '%s' here; name a role", key, s);
        return PARTY_NONE;
    }
    if (p < x->w->n_roles && x->w->roles[p].many) {
        load_err(&x->l, at, "bad-party",
                 "%s: '%s' may be several organisations; put the step into an each over it", key,
                 s);
        return PARTY_NONE;
    }
    return p;
}

/* "after X", "every X" and "X before end", where X is a duration or a setting; "after" also
   attendance days. */
static void starts_time(struct wf_load *x, struct wf_step *s, const struct sto_conf *at,
                        const char *d)
{
    if (s->starts.kind == STARTS_AFTER &&
        wf_attendance(x, at, d, &s->starts.days, &s->starts.setting)) {
        s->starts.kind = STARTS_ATTENDANCE;
        return;
    }
    s->starts.setting = wf_duration(x, at, d, &s->starts.d);
}

static void load_starts(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    static const char TAIL[] = " before end";
    const struct sto_conf *at = sto_conf_get(c, "starts");
    if (s->host == WF_NONE) {
        if (at) {
            load_err(&x->l, at, "bad-value", "starts belongs to steps in meanwhile");
        }
        return;
    }
    const char *v = load_need_str(&x->l, c, "starts");
    char text[2 * STO_NAME_BYTES_MAX] = "";
    size_t n = strlen(v), tail = strlen(TAIL);
    if (!*v || n >= sizeof(text)) {
        if (*v) {
            load_err(&x->l, at, "bad-value", "starts has more than %zu characters",
                     sizeof(text) - 1);
        }
        return;
    }
    memcpy(text, v, n + 1);
    if (strcmp(v, "half-way") == 0) {
        s->starts.kind = STARTS_HALF_WAY;
    } else if (strncmp(v, "after ", 6) == 0) {
        s->starts.kind = STARTS_AFTER;
        starts_time(x, s, at, text + 6);
    } else if (strncmp(v, "every ", 6) == 0) {
        s->starts.kind = STARTS_EVERY;
        starts_time(x, s, at, text + 6);
    } else if (n > tail && strcmp(v + n - tail, TAIL) == 0) {
        s->starts.kind = STARTS_BEFORE_END;
        text[n - tail] = '\0';
        starts_time(x, s, at, text);
    } else {
        s->starts.kind = STARTS_EVENT;
        s->starts.event = wf_session_event(v);
        s->starts.event = s->starts.event ? s->starts.event : wf_event(x, at, v);
    }
}

static void load_clocks(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"answer",  "decide",   "info",     "book",   "meet",
                                       "confirm", "check-in", "wait-max", "stable", "cap",
                                       "draft",   "next",     "start",    NULL};
    static const enum clock_kind KINDS[] = {
        CLOCK_ANSWER,  CLOCK_DECIDE,   CLOCK_INFO,     CLOCK_BOOK,   CLOCK_MEET,
        CLOCK_CONFIRM, CLOCK_CHECK_IN, CLOCK_WAIT_MAX, CLOCK_STABLE, CLOCK_CAP,
        CLOCK_DRAFT,   CLOCK_NEXT,     CLOCK_START};
    const struct sto_conf *g = load_group(&x->l, c, "clocks");
    if (!g) {
        return;
    }
    sto_conf_known(g, KEYS, "clocks", x->l.diags);
    for (unsigned k = 0; KEYS[k]; k++) {
        const char *v = load_str(&x->l, g, KEYS[k], "", STO_NAME_BYTES_MAX);
        if (*v) {
            s->clocks.w[KINDS[k]] = wf_when(x, sto_conf_get(g, KEYS[k]), v);
            s->clocks.has[KINDS[k]] = s->clocks.w[KINDS[k]].kind != WHEN_NONE;
        }
    }
}

static void load_meeting_mode(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    static const char *const MODES[] = {"required", "by-phone", "documented", "at:STEP", NULL};
    const char *v =
        load_str(&x->l, c, "meeting", s->type == STEP_HANDOVER ? "required" : "documented",
                 2 * STO_NAME_BYTES_MAX);
    const struct sto_conf *at = sto_conf_get(c, "meeting");
    if (strncmp(v, "at:", 3) == 0) {
        s->meeting = MEETING_AT_STEP;
        s->meeting_step = wf_step_ref(x, at, v + 3);
        return;
    }
    int k = load_choice(&x->l, at ? at : c, v, "meeting", MODES);
    s->meeting = k < 0 ? MEETING_REQUIRED : (enum meeting_mode)k;
}

static void load_ladder(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    const char *id = load_str(&x->l, c, "ladder", "", STO_NAME_BYTES_MAX);
    const char *names[STO_LADDERS_MAX + 1] = {0};
    for (int k = 0; *id && k < x->net->n_ladders; k++) {
        names[k] = x->net->ladders[k].id;
        if (strcmp(names[k], id) == 0) {
            s->ladder_ix = (int16_t)k;
        }
    }
    if (*id && s->ladder_ix < 0) {
        load_unknown(&x->l, sto_conf_get(c, "ladder"), "unknown-ladder", "ladder", id, names);
    }
}

/* ------------------------------------------------------------------ types */

static void load_offer(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    s->to[0] = wf_need_party(x, c, "to", TAKES_ROLE);
    s->n_to = 1;
    s->teaser = wf_fields(x, c, "teaser");
    s->carries |= s->teaser;
    load_clocks(x, s, c);
    if (s->type != STEP_CONSULT) {
        load_meeting_mode(x, s, c);
    }
    const char *v = load_str(&x->l, c, "at-least", "", STO_NAME_BYTES_MAX);
    if (*v) {
        s->at_least = wf_when(x, sto_conf_get(c, "at-least"), v);
    }
}

static void load_wait(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    const struct sto_conf *f = sto_conf_get(c, "for"), *u = sto_conf_get(c, "until"),
                          *m = sto_conf_get(c, "message");
    if ((f != NULL) + (u != NULL) + (m != NULL) != 1) {
        load_err(&x->l, c, "bad-value", "a wait has exactly one of for, until and message");
        return;
    }
    if (m) {
        const char *id = load_need_str(&x->l, c, "message");
        s->message = *id ? wf_find_message(x, id) : 0xff;
        if (*id && s->message == 0xff) {
            load_unknown(&x->l, m, "unknown-message", "message", id, wf_names_of(x, NOUN_MESSAGE));
        }
        return;
    }
    if (s->n_within) {
        load_err(&x->l, sto_conf_get(c, "within"), "bad-value",
                 "a wait for a time has no other clock; take within out");
    }
    const char *v = load_need_str(&x->l, c, f ? "for" : "until");
    char until[STO_NAME_BYTES_MAX + 8] = "until ";
    if (u) {
        strncat(until, v, STO_NAME_BYTES_MAX);
    }
    s->within[0] = *v ? wf_when(x, f ? f : u, f ? v : until) : (struct wf_when){0};
    s->n_within = 1;
}

static void load_stage(struct wf_load *x, struct wf_step *s, const struct sto_conf *c, uint16_t ix)
{
    sto_conf_need(c, "steps", STO_CONF_GROUP, x->l.diags);
    wf_first(x, c, ix, s->first, &s->n_first);
    s->wait_for = (uint8_t)sto_conf_int(c, "wait-for", 0, 1, WF_FIRST_MAX, x->l.diags);
    if (s->wait_for > s->n_first && s->n_first) {
        load_err(&x->l, sto_conf_get(c, "wait-for"), "out-of-range",
                 "wait-for = %u, but first begins only %u", s->wait_for, s->n_first);
    }
}

static void load_notify(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    s->n_to = (uint8_t)wf_parties(x, c, "to", s->to);
    if (s->n_to == 0) {
        load_err(&x->l, c, "missing-key", "notify '%s': to is missing; it names who is told",
                 c->name);
    }
    const char *text = load_need_str(&x->l, c, "text");
    const struct sto_conf *at = sto_conf_get(c, "text");
    if (*text && load_check_id(&x->l, at, "text", text)) {
        char key[4 * STO_NAME_BYTES_MAX];
        (void)snprintf(key, sizeof(key), "%s%s", x->scope->prefix, text);
        s->text = load_keep(&x->l, key);
    }
}

static void load_end(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    s->continues = load_str(&x->l, c, "continues", "", STO_NAME_BYTES_MAX);
    if (*s->continues) {
        load_check_id(&x->l, sto_conf_get(c, "continues"), "workflow", s->continues);
    }
    s->outcome = *s->continues ? load_str(&x->l, c, "outcome", s->id, STO_NAME_BYTES_MAX)
                               : load_need_str(&x->l, c, "outcome");
    if (sto_conf_get(c, "outcome") && *s->outcome) {
        load_check_id(&x->l, sto_conf_get(c, "outcome"), "outcome", s->outcome);
    }
    s->records = wf_fields(x, c, "records");
    if (s->stage != WF_ROOT || s->host != WF_NONE) {
        load_err(&x->l, c, "end-inside",
                 "end '%s' stands inside a stage or in meanwhile; only the workflow ends, so use "
                 "leave:EXIT",
                 c->name);
    }
}

void wf_load_helps(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    if (sto_conf_get(c, "helps")) {
        s->helps = wf_need_party(x, c, "helps", TAKES_HOLDER);
    }
}

static void load_work(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    s->role = wf_need_party(x, c, "role", TAKES_HOLDER | TAKES_CLIENT);
    wf_load_helps(x, s, c);
    if (s->role != PARTY_CLIENT && sto_conf_get(c, "helps")) {
        load_err(&x->l, sto_conf_get(c, "helps"), "bad-value",
                 "helps belongs to a task of the client");
    }
}

/* What narrows a sending: fields that must go, and the consent that alone counts. */
static void load_sending(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    s->must = wf_fields(x, c, "must");
    uint64_t sent = s->carries | wf_fields(x, c, "teaser");
    if (s->must & ~sent) {
        load_err(&x->l, sto_conf_get(c, "must"), "bad-value",
                 "must names a field that the step does not carry; name it in carries too");
    }
    const char *needs = load_str(&x->l, c, "needs", "", STO_NAME_BYTES_MAX);
    if (*needs) {
        s->needs = wf_consent(x, sto_conf_get(c, "needs"), needs);
    }
}

static void load_common(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    s->carries = wf_fields(x, c, "carries");
    s->collects = wf_fields(x, c, "collects");
    load_sending(x, s, c);
    s->n_within = (uint8_t)wf_within(x, c, s->within);
    s->at_most =
        (uint8_t)wf_count(x, c, "at-most", (struct wf_limits){1, 200}, &s->at_most_setting);
    s->obliging = sto_conf_bool(c, "obliging", false, x->l.diags);
    s->n_visible_to = (uint8_t)wf_parties(x, c, "visible-to", s->visible_to);
    const char *remind = load_str(&x->l, c, "remind", "", STO_NAME_BYTES_MAX);
    if (*remind) {
        s->remind = wf_when(x, sto_conf_get(c, "remind"), remind);
    }
    load_starts(x, s, c);
    load_ladder(x, s, c);
}

static void load_by_type(struct wf_load *x, struct wf_step *s, const struct sto_conf *c,
                         uint16_t ix)
{
    switch (s->type) {
    case STEP_TASK:
        load_work(x, s, c);
        break;
    case STEP_MEASURE:
        load_work(x, s, c);
        wf_load_measure(x, s, c);
        break;
    case STEP_MEETING:
        s->role = wf_need_party(x, c, "role", TAKES_HOLDER);
        s->n_with = (uint8_t)wf_parties(x, c, "with", s->with);
        break;
    case STEP_HANDOVER:
    case STEP_REFERRAL:
    case STEP_CONSULT:
        load_offer(x, s, c);
        break;
    case STEP_SESSION:
        wf_load_session(x, s, c);
        break;
    case STEP_PLACE:
        wf_load_place(x, s, c);
        break;
    case STEP_PANEL:
        wf_load_panel(x, s, c);
        break;
    case STEP_CONSENT:
        wf_load_consent(x, s, c);
        break;
    case STEP_PLAN:
        wf_load_plan(x, s, c);
        break;
    case STEP_NOTIFY:
        load_notify(x, s, c);
        break;
    case STEP_WAIT:
        load_wait(x, s, c);
        break;
    case STEP_STAGE:
        load_stage(x, s, c, ix);
        break;
    case STEP_END:
        load_end(x, s, c);
        break;
    case STEP_EACH:
        wf_load_each(x, s, c);
        break;
    case STEP_CALL:
        wf_load_call(x, s, c, ix);
        break;
    case STEP_DECIDE:
        break; /* rules need all exits: workflow_load_when.c */
    }
}

static void load_step(struct wf_load *x, uint16_t ix)
{
    struct wf_step *s = &x->w->steps[ix];
    const struct sto_conf *c = x->node[ix];
    x->scope = x->scope_of[ix];
    if (s->type == TYPE_UNKNOWN) {
        return;
    }
    if (wf_is_branch(s)) {
        wf_load_branch(x, ix);
        return;
    }
    check_keys(x, c, s->type);
    load_common(x, s, c);
    load_by_type(x, s, c, ix);
}

void wf_load_steps(struct wf_load *x)
{
    for (uint16_t k = 0; k < x->w->n_steps; k++) {
        load_step(x, k);
    }
}
