/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Workflow files: steps that wait for what cases share in the network (session, place, panel), and
 * consent, measure and plan.
 */
#include <stdio.h>
#include <string.h>

#include "sto_limits.h"
#include "workflow_scope.h"

#define BIT(n) (1u << (n))

/* ------------------------------------------------------------------ services */

static bool shape_fits(const struct service *s, unsigned shapes)
{
    if (s->shape == SERVICE_SESSION && s->groups && (shapes & BIT(SERVICE_PLACE))) {
        return true; /* a place in a group */
    }
    return (shapes & BIT(s->shape)) != 0;
}

uint16_t wf_service(struct wf_load *x, const struct sto_conf *c, const char *key, unsigned shapes)
{
    static const char *const WHAT[] = {[SERVICE_PLAIN] = "plain service",
                                       [SERVICE_SESSION] = "service with dates or groups",
                                       [SERVICE_PLACE] = "service with places or a quota",
                                       [SERVICE_QUOTA] = "service with a quota",
                                       [SERVICE_PANEL] = "panel"};
    const char *names[STO_SERVICES_MAX + 1] = {0};
    const char *of = load_need_str(&x->l, c, key);
    const struct sto_conf *at = sto_conf_get(c, key);
    unsigned n = 0, first = 0;
    if (!*of) {
        return 0;
    }
    while (!(shapes & BIT(first))) {
        first++;
    }
    const struct service *service = network_service_by_id(x->net, of);
    if (service && shape_fits(service, shapes)) {
        return service->number;
    }
    for (unsigned k = 0; k < x->net->n_services; k++) {
        if (shape_fits(&x->net->services[k], shapes)) {
            names[n++] = x->net->services[k].id;
        }
    }
    if (service) {
        load_err(&x->l, at, "wrong-type", "%s: '%s' of the network is a %s, where a %s is expected",
                 key, of, WHAT[service->shape], WHAT[first]);
    } else {
        load_unknown(&x->l, at, "unknown-service", WHAT[first], of, names);
    }
    return 0;
}

void wf_load_session(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    s->role = wf_need_party(x, c, "role", TAKES_ROLE);
    s->service = wf_service(x, c, "of", BIT(SERVICE_SESSION));
    s->meetings = wf_count(x, c, "meetings", (struct wf_limits){1, 500}, &s->meetings_setting);
}

void wf_load_place(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    if (sto_conf_get(c, "role")) {
        s->role = wf_need_party(x, c, "role", TAKES_ROLE);
    }
    s->service = wf_service(x, c, "of", BIT(SERVICE_PLACE) | BIT(SERVICE_QUOTA));
}

void wf_load_panel(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    s->service = wf_service(x, c, "of", BIT(SERVICE_PANEL));
    s->n_asks = (uint8_t)wf_parties(x, c, "asks", s->asks);
    for (unsigned k = 0; k < s->n_asks; k++) {
        if (s->asks[k] == PARTY_CLIENT) {
            load_err(&x->l, sto_conf_get(c, "asks"), "bad-party",
                     "asks: members of the panel are asked, never the client");
        }
    }
    s->asks_for = wf_fields(x, c, "asks-for");
    s->postpones =
        (uint8_t)wf_count(x, c, "postpones", (struct wf_limits){0, 50}, &s->postpones_setting);
    const char *client = load_str(&x->l, c, "client", "", STO_NAME_BYTES_MAX);
    s->client_may_attend = strcmp(client, "may-attend") == 0;
    if (*client && !s->client_may_attend) {
        load_err(&x->l, sto_conf_get(c, "client"), "bad-value",
                 "client must be 'may-attend', got '%s'", client);
    }
}

/* ------------------------------------------------------------------ consent */

void wf_load_consent(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    const char *of = load_need_str(&x->l, c, "of");
    s->role = PARTY_CLIENT;
    wf_load_helps(x, s, c);
    if (*of) {
        s->consent = wf_consent(x, sto_conf_get(c, "of"), of);
    }
}

/* ------------------------------------------------------------------ measure */

bool wf_profile(struct wf_load *x, struct wf_field *f, const struct sto_conf *at, const char *id)
{
    const char **names;
    const struct instrument *t = network_instrument(x->net, id);
    if (!t) {
        names = sto_arena_alloc(x->l.scratch, (x->net->n_instruments + 1u) * sizeof(*names));
        for (unsigned k = 0; names && k < x->net->n_instruments; k++) {
            names[k] = x->net->instruments[k].id;
        }
        load_unknown(&x->l, at, "unknown-instrument", "instrument", id, names);
        return false;
    }
    char most[24];
    f->type = FIELD_PROFILE;
    f->instrument = t->id;
    f->items = t->items;
    f->min = t->min;
    f->max = t->max;
    f->bytes_max =
        t->items * ((uint32_t)snprintf(most, sizeof(most), "%lld", (long long)t->max) + 1);
    return true;
}

/* The field of a measure that names its instrument only: "INSTRUMENT-POINT". */
static const char *measured_name(struct wf_load *x, const struct sto_conf *c)
{
    const struct sto_conf *t = sto_conf_get(c, "instrument"), *p = sto_conf_get(c, "point");
    char text[2 * STO_NAME_BYTES_MAX + 2];
    if (!t || t->type != STO_CONF_STRING || sto_conf_get(c, "field")) {
        return "";
    }
    bool point = p && p->type == STO_CONF_STRING;
    (void)snprintf(text, sizeof(text), "%.*s%s%.*s", (int)STO_NAME_BYTES_MAX, t->s,
                   point ? "-" : "", (int)STO_NAME_BYTES_MAX, point ? p->s : "");
    return load_keep(&x->l, text);
}

void wf_add_measured(struct wf_load *x, const struct sto_conf *c)
{
    workflow_t *w = x->w;
    const char *name = measured_name(x, c);
    const struct sto_conf *at = sto_conf_get(c, "instrument");
    if (!*name || wf_find_field(x, name) >= 0 || !load_check_id(&x->l, at, "field", name)) {
        return;
    }
    if (w->n_fields == STO_WF_FIELDS_MAX) {
        load_err(&x->l, c, "too-many", "a workflow has at most %u fields", STO_WF_FIELDS_MAX);
        return;
    }
    unsigned branch = x->scope->branch;
    struct wf_field f = {.per = x->scope->over,
                         .branch = x->scope->branch,
                         .file = load_keep(&x->l, c->file),
                         .line = c->line};
    f.id = branch ? wf_scoped_branch(x, at, name, branch) : wf_scoped(x, at, name);
    if (!wf_profile(x, &f, at, at->s)) {
        return;
    }
    const struct instrument *t = network_instrument(x->net, at->s);
    int bit = network_category(x->net, t->category);
    f.category_id = t->category;
    f.category = bit < 0 ? 0 : (uint8_t)bit;
    if (bit < 0) {
        load_err(&x->l, at, "unknown-category",
                 "instrument '%s' is of category '%s', which the network does not have", t->id,
                 t->category);
    }
    w->fields[w->n_fields++] = f;
}

void wf_load_measure(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    static const char *const POINTS[] = {"beginning", "middle", "end", NULL};
    const struct sto_conf *field = sto_conf_get(c, "field"),
                          *instrument = sto_conf_get(c, "instrument");
    const char *point = load_str(&x->l, c, "point", "", STO_NAME_BYTES_MAX);
    if (*point) {
        int k = load_choice(&x->l, sto_conf_get(c, "point"), point, "point", POINTS);
        s->point = k < 0 ? POINT_NONE : (enum measure_point)(k + 1);
    }
    if ((field != NULL) == (instrument != NULL)) {
        load_err(&x->l, c, "bad-value",
                 "a measure has either instrument, or field (a profile of data)");
        return;
    }
    const char *name = field ? load_need_str(&x->l, c, "field") : measured_name(x, c);
    int f = wf_find_field(x, name);
    if (f < 0) {
        if (field && *name) {
            wf_unknown_field(x, field, name);
        }
        return;
    }
    if (x->w->fields[f].type != FIELD_PROFILE || x->w->fields[f].sealed ||
        (instrument && strcmp(x->w->fields[f].instrument, instrument->s) != 0)) {
        load_err(&x->l, field ? field : instrument, "wrong-type",
                 "field '%s' must be a profile%s%s, which the measure fills", name,
                 instrument ? " of instrument " : "", instrument ? instrument->s : "");
        return;
    }
    s->field = (uint8_t)f;
    s->collects |= UINT64_C(1) << f;
}

/* ------------------------------------------------------------------ plan */

static void load_part(struct wf_load *x, struct wf_step *s, const struct sto_conf *parts,
                      const struct sto_conf *c)
{
    if (s->n_parts == WF_TO_MAX) {
        load_err(&x->l, c, "too-many", "a plan has at most %d parts", WF_TO_MAX);
        return;
    }
    uint8_t party = wf_party(x, c, c->name);
    uint64_t fields = wf_fields(x, parts, c->name);
    if (fields & s->collects) {
        load_err(&x->l, c, "duplicate", "parts: a field of '%s' stands in another part too",
                 c->name);
    }
    if (fields == 0) {
        load_err(&x->l, c, "missing-key", "parts: '%s' writes no field", c->name);
    }
    s->collects |= fields;
    s->parts[s->n_parts].party = party;
    s->parts[s->n_parts++].fields = fields;
}

void wf_load_plan(struct wf_load *x, struct wf_step *s, const struct sto_conf *c)
{
    const struct sto_conf *g = sto_conf_need(c, "parts", STO_CONF_GROUP, x->l.diags);
    s->role = PARTY_HOLDER;
    wf_load_helps(x, s, c);
    for (const struct sto_conf *p = g ? g->child : NULL; p; p = p->next) {
        load_part(x, s, g, p);
    }
    if (g && g->n_children == 0) {
        load_err(&x->l, g, "missing-key",
                 "parts is empty; write parts : { holder = [ \"goal\" ]; }");
    }
    s->n_agreed_by = (uint8_t)wf_parties(x, c, "agreed-by", s->agreed_by);
    if (s->n_agreed_by == 0) {
        load_err(&x->l, c, "missing-key", "agreed-by is missing; it names who must agree");
    }
}
