/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Workflow files: the steps. First all steps of all stages get their index, in file order; then
 * each step is read by its type. Exits come after that (workflow_load_exits.c), when all names are
 * known.
 */
#include <string.h>

#include "state.h"
#include "sto_limits.h"
#include "workflow_load.h"

#define TYPE_UNKNOWN ((enum step_type)0)

static const char *const TYPES[] = {"",        "task",    "meeting", "handover", "referral",
                                    "consult", "session", "decide",  "notify",   "wait",
                                    "stage",   "end",     NULL};
static const char *const TYPES_LATER[] = {"panel", "place", "consent", "measure",
                                          "plan",  "each",  "call",    NULL};

/* Known to the language, not to this version: told apart from misspelt keys. */
static const char *const KEYS_LATER[] = {"needs",    "must",     "visible-to", "per",   "continues",
                                         "meetings", "remind",   "postpones",  "asks",  "agreed-by",
                                         "over",     "workflow", "gives",      "takes", NULL};

static const char *const KEYS_ALL[] = {"type",    "starts",    "on",     "within",
                                       "at-most", "meanwhile", "ladder", NULL};
static const char *const KEYS_TASK[] = {"role",     "helps", "carries", "collects",
                                        "obliging", "next",  NULL};
static const char *const KEYS_MEETING[] = {"role", "with", "carries", "collects", "obliging", NULL};
static const char *const KEYS_HANDOVER[] = {"to",       "meeting", "teaser", "carries",
                                            "collects", "clocks",  NULL};
static const char *const KEYS_REFERRAL[] = {"to",     "meeting",  "teaser",   "carries", "collects",
                                            "clocks", "at-least", "obliging", "next",    NULL};
static const char *const KEYS_CONSULT[] = {"to", "teaser", "carries", "collects", "clocks", NULL};
static const char *const KEYS_SESSION[] = {"of", "role", "carries", "collects", "obliging", NULL};
static const char *const KEYS_WAIT[] = {"for", "until", "message", "collects", "next", NULL};
static const char *const KEYS_STAGE[] = {"first", "wait-for", "steps", "next", NULL};
/* These run at once: no clock, nothing beside them. */
static const char *const KEYS_DECIDE[] = {"type", "starts", "rules", NULL};
static const char *const KEYS_NOTIFY[] = {"type", "starts", "to", "carries",
                                          "text", "next",   "on", NULL};
static const char *const KEYS_END[] = {"type", "outcome", "records", NULL};

static bool in_list(const char *s, const char *const *list)
{
    for (; *list; list++) {
        if (strcmp(*list, s) == 0) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------ collecting */

static void collect(struct wf_load *x, const struct sto_conf *g, uint16_t stage, uint16_t host);

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
    if (in_list(s, TYPES_LATER)) {
        wf_later(x, at, "step type", s);
    } else {
        load_unknown(&x->l, at, "unknown-type", "step type", s, TYPES + 1);
    }
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

static void collect_one(struct wf_load *x, const struct sto_conf *c, uint16_t stage, uint16_t host)
{
    workflow_t *w = x->w;
    uint16_t ix = w->n_steps++;
    struct wf_step *s = &w->steps[ix];
    *s = (struct wf_step){.id = load_keep(&x->l, c->name),
                          .line = c->line,
                          .stage = stage,
                          .host = host,
                          .role = PARTY_NONE,
                          .helps = PARTY_HOLDER,
                          .meeting_step = WF_NONE,
                          .message = 0xff,
                          .needs = 0xff,
                          .consent = 0xff,
                          .field = 0xff,
                          .over = PARTY_NONE,
                          .each = WF_NONE,
                          .starts.setting = 0xff,
                          .at_least.ix = 0xff,
                          .calls = "",
                          .continues = "",
                          .ladder_ix = -1,
                          .text = "",
                          .outcome = ""};
    x->node[ix] = c;
    s->type = step_type(x, c);
    if (host != WF_NONE) {
        add_side(x, c, host, ix);
    }
    const struct sto_conf *inner = s->type == STEP_STAGE ? load_group(&x->l, c, "steps") : NULL;
    collect(x, inner, ix, WF_NONE);
    if (s->type != TYPE_UNKNOWN) {
        collect(x, load_group(&x->l, c, "meanwhile"), stage, ix);
    }
}

static void collect(struct wf_load *x, const struct sto_conf *g, uint16_t stage, uint16_t host)
{
    for (const struct sto_conf *c = g ? g->child : NULL; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(&x->l, c, "wrong-type", "step '%s' must be a group { … }", c->name);
        } else if (x->w->n_steps == STO_WF_STEPS_MAX) {
            load_err(&x->l, c, "too-many", "a workflow has at most %u steps", STO_WF_STEPS_MAX);
            return;
        } else if (load_check_id(&x->l, c, "step", c->name)) {
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
    collect(x, g, WF_ROOT, WF_NONE);
    collect(x, load_group(&x->l, x->root, "meanwhile"), WF_ROOT, WF_ROOT);
}

/* ------------------------------------------------------------------ keys */

static const char *const *keys_of(enum step_type t)
{
    static const char *const *const KEYS[] = {
        NULL,         KEYS_TASK,   KEYS_MEETING, KEYS_HANDOVER, KEYS_REFERRAL, KEYS_CONSULT,
        KEYS_SESSION, KEYS_DECIDE, KEYS_NOTIFY,  KEYS_WAIT,     KEYS_STAGE,    KEYS_END};
    return KEYS[t];
}

static bool waits(enum step_type t)
{
    return t != STEP_DECIDE && t != STEP_NOTIFY && t != STEP_END;
}

static void check_keys(struct wf_load *x, const struct sto_conf *c, enum step_type t)
{
    const char *known[64];
    unsigned n = 0;
    for (const char *const *k = keys_of(t); *k; k++) {
        known[n++] = *k;
    }
    for (const char *const *k = KEYS_ALL; waits(t) && *k; k++) {
        known[n++] = *k;
    }
    for (const char *const *k = KEYS_LATER; *k; k++) {
        known[n++] = *k;
        if (sto_conf_get(c, *k)) {
            wf_later(x, sto_conf_get(c, *k), "key", *k);
        }
    }
    known[n] = NULL;
    sto_conf_known(c, known, TYPES[t], x->l.diags);
}

/* ------------------------------------------------------------------ parts */

/* One party under key; which: may it be the client, the holder? */
enum { TAKES_ROLE = 0, TAKES_HOLDER = 1, TAKES_CLIENT = 2 };

static uint8_t need_party(struct wf_load *x, const struct sto_conf *c, const char *key,
                          unsigned takes)
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
    return p;
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
    char text[64] = "";
    size_t n = strlen(v), tail = strlen(TAIL);
    struct sto_err err = {0};
    if (!*v || n >= sizeof(text)) {
        return;
    }
    memcpy(text, v, n + 1);
    const char *d = text;
    if (strcmp(v, "half-way") == 0) {
        s->starts.kind = STARTS_HALF_WAY;
        return;
    }
    if (strncmp(v, "after ", 6) == 0) {
        s->starts.kind = STARTS_AFTER;
        d += 6;
    } else if (strncmp(v, "every ", 6) == 0) {
        s->starts.kind = STARTS_EVERY;
        d += 6;
    } else if (n > tail && strcmp(v + n - tail, TAIL) == 0) {
        s->starts.kind = STARTS_BEFORE_END;
        text[n - tail] = '\0';
    } else {
        s->starts.kind = STARTS_EVENT;
        s->starts.event = wf_event(x, at, v);
        return;
    }
    if (strstr(d, "attendance")) {
        load_err(&x->l, at, "later-version", "attendance days are not in this version; got '%s'",
                 v);
    } else if (sto_duration_parse(d, &s->starts.d, &err)) {
        load_err(&x->l, at, "bad-duration", "starts '%s': %s", v, err.what);
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
    s->to[0] = need_party(x, c, "to", TAKES_ROLE);
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

static void load_session(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    const char *names[STO_SERVICES_MAX + 1] = {0};
    const char *of = load_need_str(&x->l, c, "of");
    unsigned n = 0;
    s->role = need_party(x, c, "role", TAKES_ROLE);
    if (!*of) {
        return;
    }
    const struct service *service = network_service_by_id(x->net, of);
    if (service && service->shape == SERVICE_SESSION) {
        s->service = service->number;
        return;
    }
    for (unsigned k = 0; k < x->net->n_services; k++) {
        if (x->net->services[k].shape == SERVICE_SESSION) {
            names[n++] = x->net->services[k].id;
        }
    }
    if (service) {
        load_err(&x->l, sto_conf_get(c, "of"), "wrong-type",
                 "service '%s' of the network has no dates; a session needs them", of);
    } else {
        load_unknown(&x->l, sto_conf_get(c, "of"), "unknown-service", "session service", of, names);
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
        const char *names[STO_WF_MESSAGES_MAX + 1] = {0};
        const char *id = load_need_str(&x->l, c, "message");
        for (unsigned k = 0; k < x->w->n_messages; k++) {
            names[k] = x->w->messages[k].id;
            s->message = strcmp(names[k], id) == 0 ? (uint8_t)k : s->message;
        }
        if (*id && s->message == 0xff) {
            load_unknown(&x->l, m, "unknown-message", "message", id, names);
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
                 s->id);
    }
    s->text = load_need_str(&x->l, c, "text");
    if (*s->text) {
        load_check_id(&x->l, sto_conf_get(c, "text"), "text", s->text);
    }
}

static void load_end(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    s->outcome = load_need_str(&x->l, c, "outcome");
    if (*s->outcome) {
        load_check_id(&x->l, sto_conf_get(c, "outcome"), "outcome", s->outcome);
    }
    s->records = wf_fields(x, c, "records");
    if (s->stage != WF_ROOT || s->host != WF_NONE) {
        load_err(&x->l, c, "end-inside",
                 "end '%s' stands inside a stage or in meanwhile; only the workflow ends, so use "
                 "leave:EXIT",
                 s->id);
    }
}

static void load_common(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    s->carries = wf_fields(x, c, "carries");
    s->collects = wf_fields(x, c, "collects");
    s->n_within = (uint8_t)wf_within(x, c, s->within);
    s->at_most = (uint8_t)sto_conf_int(c, "at-most", 0, 1, 200, x->l.diags);
    s->obliging = sto_conf_bool(c, "obliging", false, x->l.diags);
    load_starts(x, s, c);
    load_ladder(x, s, c);
}

static void load_step(struct wf_load *x, uint16_t ix)
{
    struct wf_step *s = &x->w->steps[ix];
    const struct sto_conf *c = x->node[ix];
    if (s->type == TYPE_UNKNOWN) {
        return;
    }
    check_keys(x, c, s->type);
    load_common(x, s, c);
    switch (s->type) {
    case STEP_TASK:
        s->role = need_party(x, c, "role", TAKES_HOLDER | TAKES_CLIENT);
        if (sto_conf_get(c, "helps")) {
            s->helps = need_party(x, c, "helps", TAKES_HOLDER);
            if (s->role != PARTY_CLIENT) {
                load_err(&x->l, sto_conf_get(c, "helps"), "bad-value",
                         "helps belongs to a task of the client");
            }
        }
        break;
    case STEP_MEETING:
        s->role = need_party(x, c, "role", TAKES_HOLDER);
        s->n_with = (uint8_t)wf_parties(x, c, "with", s->with);
        break;
    case STEP_HANDOVER:
    case STEP_REFERRAL:
    case STEP_CONSULT:
        load_offer(x, s, c);
        break;
    case STEP_SESSION:
        load_session(x, s, c);
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
    case STEP_PANEL:
    case STEP_PLACE:
    case STEP_CONSENT:
    case STEP_MEASURE:
    case STEP_PLAN:
    case STEP_EACH:
    case STEP_CALL:
    case STEP_DECIDE:
        break; /* rules need all exits: workflow_load_when.c */
    }
}

void wf_load_steps(struct wf_load *x)
{
    for (uint16_t k = 0; k < x->w->n_steps; k++) {
        load_step(x, k);
    }
}
