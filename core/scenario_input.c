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
    uint16_t step = workflow_step(p->wf, id);
    if (step == WF_NONE) {
        const char *ids[STO_WF_STEPS_MAX + 1] = {NULL};
        for (unsigned i = 0; i < p->wf->n_steps; i++) {
            ids[i] = p->wf->steps[i].id;
        }
        const char *near = sto_nearest(id, ids);
        play_err(p, at, "unknown-step", "step '%s' is not known%s%s%s", id,
                 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return step;
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

static const char *nearest_field(const struct play *p, const char *id)
{
    const char *ids[STO_WF_FIELDS_MAX + 1] = {NULL};
    for (unsigned i = 0; i < p->wf->n_fields; i++) {
        ids[i] = p->wf->fields[i].id;
    }
    return sto_nearest(id, ids);
}

/* An unknown field goes to the engine as it is when the scenario expects a refusal. */
static bool one_field(struct play *p, const struct sto_conf *v, bool refused, struct in_field *out)
{
    int ix = workflow_field(p->wf, v->name);
    if (ix < 0 && !refused) {
        const char *near = nearest_field(p, v->name);
        play_err(p, v, "unknown-field", "field '%s' is not known%s%s%s", v->name,
                 near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        return false;
    }
    out->name = v->name;
    if (v->type == STO_CONF_INT || v->type == STO_CONF_BOOL) {
        out->type = v->type == STO_CONF_INT ? IN_INT : IN_BOOL;
        out->i = v->i;
        return true;
    }
    if (v->type != STO_CONF_STRING) {
        play_err(p, v, "field-value", "field '%s' takes a number, true or false, or text", v->name);
        return false;
    }
    out->type = ix >= 0 && p->wf->fields[ix].sealed ? IN_SEALED : IN_TEXT;
    out->s = (const uint8_t *)v->s;
    out->n = (uint32_t)strlen(v->s);
    return true;
}

static bool fields_of(struct play *p, const struct sto_conf *g, struct made_input *out)
{
    const struct sto_conf *set = sto_conf_get(g, "set");
    bool refused = sto_conf_get(g, "refused") != NULL, ok = true;
    if (!set) {
        return true;
    }
    if (set->type != STO_CONF_GROUP || set->n_children > STO_WF_FIELDS_MAX) {
        play_err(p, set, "wrong-type", "set must be a group of at most %u fields",
                 STO_WF_FIELDS_MAX);
        return false;
    }
    for (const struct sto_conf *v = set->child; v; v = v->next) {
        ok = one_field(p, v, refused, &out->fields[out->in.n_fields]) && ok;
        out->in.n_fields++;
    }
    out->in.fields = out->fields;
    return ok;
}

static bool one_name(struct play *p, const struct sto_conf *v, struct in_name *out)
{
    struct party party;
    if (v->type != STO_CONF_STRING) {
        play_err(p, v, "wrong-type", "names: role '%s' takes an organisation", v->name);
        return false;
    }
    if (workflow_role(p->wf, v->name) < 0) {
        play_err(p, v, "unknown-role", "role '%s' is not known", v->name);
        return false;
    }
    if (!play_party(p, v, v->s, &party)) {
        return false;
    }
    const struct organisation *o = network_org(p->net, party.org);
    const struct desk *d = party.desk ? network_desk(o, party.desk) : NULL;
    *out = (struct in_name){.role = v->name, .org = o->id, .desk = d ? d->id : ""};
    return true;
}

static bool names_of(struct play *p, const struct sto_conf *g, struct made_input *out)
{
    const struct sto_conf *names = sto_conf_get(g, "names");
    bool ok = true;
    if (!names) {
        return true;
    }
    if (names->type != STO_CONF_GROUP || names->n_children > STO_WF_ROLES_MAX) {
        play_err(p, names, "wrong-type", "names must be a group of at most %u roles",
                 STO_WF_ROLES_MAX);
        return false;
    }
    for (const struct sto_conf *v = names->child; v; v = v->next) {
        ok = one_name(p, v, &out->names[out->in.n_names]) && ok;
        out->in.n_names++;
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

bool input_of_start(struct play *p, const struct sto_conf *start, struct made_input *out)
{
    static const char *const keys[] = {"by",    "worker",  "client", "home", "set",
                                       "names", "refused", "expect", NULL};
    sto_conf_known(start, keys, "start", p->l->diags);
    empty_input(out);
    out->in.kind = EVENT_START;
    bool ok = actor_of(p, start, &out->in);
    ok = fields_of(p, start, out) && ok;
    ok = names_of(p, start, out) && ok;
    out->in.worker = sto_conf_str(start, "worker", "", p->l->diags);
    int64_t client = sto_conf_int(start, "client", 0, 0, CLIENT_NUMBER_MAX, p->l->diags);
    if (client != 0) {
        for (unsigned i = 0; i < 8; i++) {
            out->in.client.b[8 + i] = (uint8_t)(client >> (8 * (7 - i)));
        }
        sto_uuid_v8(&out->in.client, out->in.client.b, out->in.client.b[15]);
    }
    const struct sto_conf *home = sto_conf_get(start, "home");
    out->in.home = sto_conf_str(start, "home", "", p->l->diags);
    struct party party;
    if (home && out->in.home[0] && !sto_conf_get(start, "refused")) {
        ok = play_party(p, home, out->in.home, &party) && ok;
    }
    return ok;
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
    uint16_t step = play_step(p, at, id);
    if (step == WF_NONE) {
        return false;
    }
    if (p->last_token[step] == 0) {
        play_err(p, at, "step-not-reached", "step '%s' was not reached yet", id);
        return false;
    }
    in->token = p->last_token[step];
    return true;
}

/* Words that name what an event is about; one at most. */
static bool name_of(struct play *p, const struct sto_conf *entry, struct input *in)
{
    static const char *const keys[] = {"message", "consent", "to"};
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
    struct party party;
    bool org = strcmp(found->name, "to") == 0 && in->name[0];
    return !org || play_party(p, found, in->name, &party);
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
    bool session = in->kind >= EVENT_SESSION_RECORD && in->kind <= EVENT_QUOTA_RETURN;
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
    in->place = (uint16_t)sto_conf_int(entry, "place", 0, 0, UINT16_MAX, d);
    in->exit = sto_conf_str(entry, "exit", "", d);
    in->worker = sto_conf_str(entry, "worker", "", d);
    in->desk = sto_conf_str(entry, "desk", "", d);
    in->text = sto_conf_str(entry, "text", "", d);
    in->home = sto_conf_str(entry, "home", "", d);
    in->valid_reason = sto_conf_bool(entry, "valid-reason", false, d);
    in->by_client = sto_conf_bool(entry, "by-client", false, d);
    in->subject_case = p->id;
    (void)play_time(p, entry, "at-time", &in->at_us);
    (void)play_time(p, entry, "new-time", &in->at2_us);
    return ok && !p->failed;
}
