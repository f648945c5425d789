/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * From a scenario's words to the engine's input. Names of organisations, steps,
 * fields and events are resolved here; whether the event is allowed is the
 * engine's matter, so that a scenario can expect a refusal.
 */
#include <string.h>

#include "scenario_play.h"

#define CLIENT_NUMBER_MAX 1000000

bool play_party(struct play *p, const struct sto_conf *at, const char *text, struct party *out)
{
    char id[2 * STO_NAME_BYTES_MAX + 2];
    size_t n = strlen(text);
    if (n >= sizeof id) {
        play_err(p, at, "unknown-organisation", "organisation '%s' is not known", text);
        return false;
    }
    memcpy(id, text, n + 1);
    char *slash = strchr(id, '/');
    if (slash) {
        *slash = '\0';
    }
    const struct organisation *o = network_org_by_id(p->net, id);
    if (!o) {
        const char *ids[STO_ORGS_MAX + 1] = {NULL};
        for (unsigned i = 0; i < p->net->n_orgs; i++) {
            ids[i] = p->net->orgs[i].id;
        }
        const char *near = sto_nearest(id, ids);
        play_err(p, at, "unknown-organisation", "organisation '%s' is not known%s%s%s", id,
                 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        return false;
    }
    *out = (struct party){.org = o->number};
    if (slash) {
        const struct desk *d = network_desk_by_id(o, slash + 1);
        if (!d) {
            play_err(p, at, "unknown-desk", "organisation '%s' has no desk '%s'", id, slash + 1);
            return false;
        }
        out->desk = d->number;
    }
    return true;
}

uint16_t play_step(struct play *p, const struct sto_conf *at, const char *id)
{
    const workflow_t *wf = play_case(p)->wf;
    uint16_t step = workflow_step(wf, id);
    if (step == WF_NONE) {
        const char *ids[STO_WF_STEPS_MAX + 1] = {NULL};
        for (unsigned i = 0; i < wf->n_steps; i++) {
            ids[i] = wf->steps[i].id;
        }
        play_unknown(p, at, "unknown-step", "step", id, ids);
    }
    return step;
}

/* Is `id` the name `plain`, but for the numbers of branches? "ask#2" is "ask". */
static bool is_plain(const char *id, const char *plain)
{
    while (*id) {
        if (*id == '#') {
            id += 1 + strspn(id + 1, "0123456789");
        } else if (*id++ != *plain++) {
            return false;
        }
    }
    return *plain == '\0';
}

/* The organisation of the branch that a step stands in; 0 = none. */
static uint16_t branch_org(const struct play *p, const workflow_t *wf, const struct wf_step *s)
{
    const struct case_state *state = world_case(p->w, &play_case(p)->id);
    if (s->branch == 0 || s->each >= wf->n_steps || !state) {
        return 0;
    }
    unsigned role = wf->steps[s->each].over + (unsigned)s->branch;
    return role < wf->n_roles ? state->roles[role].at.org : 0;
}

/* Exactly this step, or the plain name's branch of the organisation; WF_NONE = neither. */
static uint16_t step_find(const struct play *p, const char *id, uint16_t org)
{
    const workflow_t *wf = play_case(p)->wf;
    uint16_t found = workflow_step(wf, id);
    for (uint16_t i = 0; found == WF_NONE && org != 0 && i < wf->n_steps; i++) {
        const struct wf_step *s = &wf->steps[i];
        if (s->branch != 0 && is_plain(s->id, id) && branch_org(p, wf, s) == org) {
            found = i;
        }
    }
    return found;
}

uint16_t play_step_of(struct play *p, const struct sto_conf *at, const char *id, uint16_t org)
{
    const workflow_t *wf = play_case(p)->wf;
    uint16_t found = step_find(p, id, org);
    for (uint16_t i = 0; found == WF_NONE && i < wf->n_steps; i++) {
        if (wf->steps[i].branch != 0 && is_plain(wf->steps[i].id, id)) {
            play_err(p, at, "unknown-step",
                     "step '%s' has a branch for each organisation, and none for this one; name "
                     "it, for instance '%s#1'",
                     id, id);
            return WF_NONE;
        }
    }
    return found == WF_NONE ? play_step(p, at, id) : found;
}

const struct service *play_shared(struct play *p, const struct sto_conf *at, const char *id)
{
    const struct service *s = network_service_by_id(p->net, id);
    if (s && s->shape != SERVICE_PLAIN) {
        return s;
    }
    const char *ids[STO_SERVICES_MAX + 1] = {NULL};
    for (unsigned i = 0, n = 0; i < p->net->n_services; i++) {
        if (p->net->services[i].shape != SERVICE_PLAIN) {
            ids[n++] = p->net->services[i].id;
        }
    }
    const char *near = sto_nearest(id, ids);
    play_err(p, at, "unknown-session",
             "'%s' is no service with dates, places or a quota, and no "
             "panel%s%s%s",
             id, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

bool play_time(struct play *p, const struct sto_conf *g, const char *key, int64_t *out)
{
    const struct sto_conf *at = sto_conf_get(g, key);
    const char *s = sto_conf_str(g, key, NULL, p->l->diags);
    struct sto_err err = {0};
    if (!at || !s) {
        p->failed = p->failed || at;
        return false;
    }
    if (sto_us_parse(s, out, &err) != 0) {
        play_err(p, at, "time", "%s: %s", key, err.what);
        return false;
    }
    return true;
}

/* ------------------------------------------------------------------ values */

bool input_value(const struct wf_field *f, const struct sto_conf *v, struct in_field *out)
{
    *out = (struct in_field){.name = f ? f->id : v->name};
    if (v->type == STO_CONF_INT || v->type == STO_CONF_BOOL) {
        out->type = v->type == STO_CONF_INT ? IN_INT : IN_BOOL;
        out->i = v->i;
        return true;
    }
    if (v->type != STO_CONF_STRING) {
        return false;
    }
    out->type = f && f->sealed ? IN_SEALED : IN_TEXT;
    out->s = (const uint8_t *)v->s;
    out->n = (uint32_t)strlen(v->s);
    return true;
}

const char *entry_step(struct play *p, const struct sto_conf *entry)
{
    const struct sto_conf *at = sto_conf_get(entry, "step"), *by = sto_conf_get(entry, "by");
    struct party actor = {0};
    if (!at || at->type != STO_CONF_STRING || p->case_ix >= p->n_cases) {
        return NULL;
    }
    const workflow_t *wf = play_case(p)->wf;
    if (by && by->type == STO_CONF_STRING && workflow_step(wf, at->s) == WF_NONE) {
        bool failed = p->failed;
        if (strcmp(by->s, "broker") != 0 && !play_party(p, by, by->s, &actor)) {
            p->failed = failed; /* told where the actor is read */
        }
    }
    uint16_t step = step_find(p, at->s, actor.org);
    return step == WF_NONE ? NULL : wf->steps[step].id;
}

/* An unknown field goes to the engine as it is when the scenario expects a refusal. */
static bool one_field(struct play *p, const struct sto_conf *v, const char *step, bool refused,
                      struct in_field *out)
{
    const workflow_t *wf = play_case(p)->wf;
    int ix = refused ? scope_find(wf, SCOPE_FIELD, step, v->name)
                     : scope_need(p, v, SCOPE_FIELD, step, v->name);
    if (ix < 0 && !refused) {
        return false;
    }
    if (!input_value(ix >= 0 ? &wf->fields[ix] : NULL, v, out)) {
        play_err(p, v, "field-value",
                 "field '%s' takes a number, true or false, or text; a decimal number stands in "
                 "quotes",
                 v->name);
        return false;
    }
    return true;
}

/* `set`, `names` and `step` are of a case. */
static bool needs_case(struct play *p, const struct sto_conf *at)
{
    if (p->case_ix >= p->n_cases) {
        play_err(p, at, "missing-key", "case: %s needs one", at->name);
        return false;
    }
    return true;
}

static bool fields_of(struct play *p, const struct sto_conf *g, struct made_input *out)
{
    const struct sto_conf *set = sto_conf_get(g, "set");
    bool refused = sto_conf_get(g, "refused") != NULL, ok = true;
    if (!set) {
        return true;
    }
    if (!needs_case(p, set)) {
        return false;
    }
    if (set->type != STO_CONF_GROUP || set->n_children > STO_WF_FIELDS_MAX) {
        play_err(p, set, "wrong-type", "set must be a group of at most %u fields",
                 STO_WF_FIELDS_MAX);
        return false;
    }
    const char *step = entry_step(p, g);
    for (const struct sto_conf *v = set->child; v; v = v->next) {
        ok = one_field(p, v, step, refused, &out->fields[out->in.n_fields]) && ok;
        out->in.n_fields++;
    }
    out->in.fields = out->fields;
    return ok;
}

/* One organisation of a role. */
static bool one_name(struct play *p, const struct sto_conf *at, const char *role,
                     struct made_input *out)
{
    struct party party;
    if (at->type != STO_CONF_STRING) {
        play_err(p, at, "wrong-type", "names: role '%s' takes organisations", role);
        return false;
    }
    if (!play_party(p, at, at->s, &party)) {
        return false;
    }
    if (out->in.n_names == STO_WF_ROLES_MAX) {
        play_err(p, at, "wrong-type", "names: at most %u organisations in all", STO_WF_ROLES_MAX);
        return false;
    }
    const struct organisation *o = network_org(p->net, party.org);
    const struct desk *d = party.desk ? network_desk(o, party.desk) : NULL;
    out->names[out->in.n_names++] =
        (struct in_name){.role = role, .org = o->id, .desk = d ? d->id : ""};
    return true;
}

/* What `names` says of one role: an organisation, or several for a role with many. */
static bool one_role(struct play *p, const struct sto_conf *v, const char *step,
                     struct made_input *out)
{
    bool ok = true;
    int ix = scope_need(p, v, SCOPE_ROLE, step, v->name);
    if (ix < 0) {
        return false;
    }
    const char *role = play_case(p)->wf->roles[ix].id;
    if (v->type != STO_CONF_ARRAY && v->type != STO_CONF_LIST) {
        return one_name(p, v, role, out);
    }
    for (const struct sto_conf *c = v->child; c; c = c->next) {
        ok = one_name(p, c, role, out) && ok;
    }
    return ok;
}

static bool names_of(struct play *p, const struct sto_conf *g, struct made_input *out)
{
    const struct sto_conf *names = sto_conf_get(g, "names");
    bool ok = true;
    if (!names) {
        return true;
    }
    if (!needs_case(p, names)) {
        return false;
    }
    if (names->type != STO_CONF_GROUP) {
        play_err(p, names, "wrong-type", "names must be a group of roles");
        return false;
    }
    const char *step = entry_step(p, g);
    for (const struct sto_conf *v = names->child; v; v = v->next) {
        ok = one_role(p, v, step, out) && ok;
    }
    out->in.names = out->names;
    return ok;
}

/* `by`: an organisation (its first desk unless one is named), or the broker itself. */
static bool actor_of(struct play *p, const struct sto_conf *g, struct input *in)
{
    const struct sto_conf *by = sto_conf_need(g, "by", STO_CONF_STRING, p->l->diags);
    if (!by) {
        p->failed = true;
        return false;
    }
    in->evidence = EVIDENCE_ORG;
    if (strcmp(by->s, "broker") == 0) {
        in->evidence = EVIDENCE_BROKER;
        return true;
    }
    if (!play_party(p, by, by->s, &in->actor)) {
        return false;
    }
    const struct organisation *o = network_org(p->net, in->actor.org);
    if (in->actor.desk == 0 && o->n_desks > 0) {
        in->actor.desk = o->desks[0].number;
    }
    return true;
}

static void empty_input(struct made_input *out)
{
    memset(out, 0, sizeof *out);
    out->in.worker = out->in.exit = out->in.name = "";
    out->in.desk = out->in.text = out->in.home = "";
}

/* ------------------------------------------------------------------- start */

/* The same number is the same client; each of a group has the next one. */
static void client_of(struct play *p, const struct sto_conf *start, struct input *in)
{
    const struct play_case *c = play_case(p);
    int64_t n = sto_conf_int(start, "client", 0, 0, CLIENT_NUMBER_MAX, p->l->diags);
    if (n == 0) {
        return;
    }
    n += c->number ? c->number - 1 : 0;
    for (unsigned i = 0; i < 8; i++) {
        in->client.b[8 + i] = (uint8_t)(n >> (8 * (7 - i)));
    }
    sto_uuid_v8(&in->client, in->client.b, in->client.b[15]);
}

static bool home_of(struct play *p, const struct sto_conf *start, struct input *in)
{
    const struct sto_conf *home = sto_conf_get(start, "home");
    struct party party;
    in->home = sto_conf_str(start, "home", "", p->l->diags);
    bool check = home && in->home[0] && !sto_conf_get(start, "refused");
    return !check || play_party(p, home, in->home, &party);
}

bool input_of_start(struct play *p, const struct sto_conf *start, struct made_input *out)
{
    static const char *const keys[] = {"by",      "worker",   "client", "home",   "set", "names",
                                       "refused", "workflow", "count",  "expect", NULL};
    size_t errors = sto_diags_errors(p->l->diags);
    bool own = p->own && sto_conf_get(start->parent, "name"); /* no entry around it */
    sto_conf_known(start, keys, "start", p->l->diags);
    empty_input(out);
    out->in.kind = EVENT_START;
    bool ok = actor_of(p, start, &out->in);
    ok = fields_of(p, start, out) && ok;
    ok = names_of(p, start, out) && ok;
    ok = home_of(p, start, &out->in) && ok;
    out->in.worker = sto_conf_str(start, "worker", "", p->l->diags);
    client_of(p, start, &out->in);
    if (!own && sto_conf_get(start, "expect")) {
        play_err(p, sto_conf_get(start, "expect"), "unknown-key",
                 "expect stands in the entry, beside start");
    }
    return ok && sto_diags_errors(p->l->diags) == errors;
}

/* ----------------------------------------------------------------- entries */

static bool token_of(struct play *p, const struct sto_conf *entry, struct input *in)
{
    const struct sto_conf *at = sto_conf_get(entry, "step");
    const char *id = sto_conf_str(entry, "step", NULL, p->l->diags);
    if (!id) {
        p->failed = p->failed || at;
        return !at;
    }
    if (!needs_case(p, at)) {
        return false;
    }
    uint16_t step = play_step_of(p, at, id, in->actor.org);
    if (step == WF_NONE) {
        return false;
    }
    if (play_case(p)->last_token[step] == 0) {
        play_err(p, at, "step-not-reached", "step '%s' was not reached yet", id);
        return false;
    }
    in->token = play_case(p)->last_token[step];
    in->entry = play_case(p)->last_entry[step];
    return true;
}

/* A message, consent or role of a call or branch has a longer name in the case. */
static void scoped_name(struct play *p, const struct sto_conf *entry, const char *key,
                        struct input *in)
{
    static const struct {
        const char *key;
        enum scope_noun noun;
    } rows[] = {{"message", SCOPE_MESSAGE}, {"consent", SCOPE_CONSENT}, {"for", SCOPE_ROLE}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0] && p->case_ix < p->n_cases; i++) {
        if (strcmp(rows[i].key, key) == 0) {
            const workflow_t *wf = play_case(p)->wf;
            int ix = scope_find(wf, rows[i].noun, entry_step(p, entry), in->name);
            in->name = ix < 0 ? in->name : scope_name(wf, rows[i].noun, (unsigned)ix);
        }
    }
}

/* Words that name what an event is about; one at most. */
static bool name_of(struct play *p, const struct sto_conf *entry, struct input *in)
{
    static const char *const keys[] = {"message", "consent", "to", "for"};
    const struct sto_conf *found = NULL;
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct sto_conf *at = sto_conf_get(entry, keys[i]);
        if (at && found) {
            play_err(p, at, "too-many-names", "%s and %s exclude each other", found->name, keys[i]);
            return false;
        }
        found = at ? at : found;
    }
    if (!found) {
        return true;
    }
    in->name = sto_conf_str(entry, found->name, "", p->l->diags);
    scoped_name(p, entry, found->name, in);
    struct party party;
    bool org = strcmp(found->name, "to") == 0 && in->name[0];
    return !org || play_party(p, found, in->name, &party);
}

bool event_to_shared(enum event_kind k)
{
    return k == EVENT_SESSION_RECORD || k == EVENT_SESSION_MOVE || k == EVENT_GROUP_OPEN ||
           k == EVENT_QUOTA_RETURN;
}

static bool kind_of(struct play *p, const struct sto_conf *entry, struct input *in)
{
    const struct sto_conf *at = sto_conf_need(entry, "event", STO_CONF_STRING, p->l->diags);
    if (!at) {
        p->failed = true;
        return false;
    }
    in->kind = event_kind_parse(at->s);
    bool internal = in->kind == EVENT_START || in->kind == EVENT_CLOCK || in->kind == EVENT_MAIL ||
                    in->kind == EVENT_PARKED;
    if (in->kind == 0 || internal) {
        play_err(p, at, "unknown-event", "event '%s' is not known or not for a timeline", at->s);
        return false;
    }
    bool session = event_to_shared(in->kind);
    const struct sto_conf *to_session = sto_conf_get(entry, "session");
    if (session != (to_session != NULL)) {
        play_err(p, at, "session-event", "event '%s' %s", at->s,
                 session ? "needs session = \"…\"" : "does not go to a session");
        return false;
    }
    return true;
}

static bool reason_of(struct play *p, const struct sto_conf *entry, struct input *in)
{
    const struct sto_conf *at = sto_conf_get(entry, "reason");
    const char *name = sto_conf_str(entry, "reason", NULL, p->l->diags);
    if (!at || !name) {
        p->failed = p->failed || at;
        return !at;
    }
    in->reason = reason_parse(name);
    if (in->reason == REASON_NONE) {
        play_err(p, at, "unknown-reason", "reason '%s' is not known", name);
        return false;
    }
    return true;
}

static bool second_of(struct play *p, const struct sto_conf *entry, struct input *in)
{
    const struct sto_conf *at = sto_conf_get(entry, "second-admin");
    const char *id = sto_conf_str(entry, "second-admin", NULL, p->l->diags);
    struct party party;
    if (!at || !id) {
        return true;
    }
    if (!play_party(p, at, id, &party)) {
        return false;
    }
    in->second_admin = party.org;
    return true;
}

/* Numbers that mean something with some events only. */
static bool number_of(struct play *p, const struct sto_conf *entry, struct input *in)
{
    static const struct {
        const char *key;
        enum event_kind event;
    } rows[] = {
        {"place", EVENT_WAITLIST}, {"days", EVENT_ATTENDANCE}, {"places", EVENT_QUOTA_RETURN}};
    bool ok = true;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct sto_conf *at = sto_conf_get(entry, rows[i].key);
        int64_t n = sto_conf_int(entry, rows[i].key, 0, 0, UINT16_MAX, p->l->diags);
        if (at && in->kind != 0 && in->kind != rows[i].event) {
            play_err(p, at, "wrong-key", "%s does not belong to event '%s'", rows[i].key,
                     event_kind_name(in->kind));
            ok = false;
        } else if (at) {
            in->place = (uint16_t)n;
        }
    }
    return ok;
}

bool input_of_entry(struct play *p, const struct sto_conf *entry, struct made_input *out)
{
    empty_input(out);
    struct input *in = &out->in;
    sto_diags_t *d = p->l->diags;
    bool ok = kind_of(p, entry, in);
    ok = actor_of(p, entry, in) && ok;
    ok = token_of(p, entry, in) && ok;
    ok = name_of(p, entry, in) && ok;
    ok = reason_of(p, entry, in) && ok;
    ok = second_of(p, entry, in) && ok;
    ok = fields_of(p, entry, out) && ok;
    ok = names_of(p, entry, out) && ok;
    in->offer = (uint16_t)sto_conf_int(entry, "offer", 0, 0, UINT16_MAX, d);
    ok = number_of(p, entry, in) && ok;
    in->exit = sto_conf_str(entry, "exit", "", d);
    in->worker = sto_conf_str(entry, "worker", "", d);
    in->desk = sto_conf_str(entry, "desk", "", d);
    in->text = sto_conf_str(entry, "text", "", d);
    in->home = sto_conf_str(entry, "home", "", d);
    in->valid_reason = sto_conf_bool(entry, "valid-reason", false, d);
    in->by_client = sto_conf_bool(entry, "by-client", false, d);
    if (p->case_ix < p->n_cases) {
        in->subject_case = play_case(p)->id;
    }
    (void)play_time(p, entry, "at-time", &in->at_us);
    (void)play_time(p, entry, "new-time", &in->at2_us);
    return ok && !p->failed;
}
