/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Network files: services and panels. The shape of a service follows from its keys: `dates` or
 * `groups` make a session, `quota` a quota, `places` alone a pool of places; what stands under
 * `panels` is a panel. Numbers and ids of services and panels are of one space.
 */
#include <stdlib.h>
#include <string.h>

#include "network_load.h"
#include "recurrence.h"
#include "sto_limits.h"

#define RRULE_BYTES_MAX 200u
#define PLACES_MAX      10000

static const char *const SHAPE_NAMES[] = {[SERVICE_PLAIN] = "a plain service",
                                          [SERVICE_SESSION] = "a service with dates or groups",
                                          [SERVICE_PLACE] = "a service with places alone",
                                          [SERVICE_QUOTA] = "a quota",
                                          [SERVICE_PANEL] = "a panel"};

/* ------------------------------------------------------------------ shapes */

/* Keys that not every shape has. */
enum key_of { OF_DATES = 1, OF_GROUPS = 2, OF_PLACES = 4, OF_QUOTA = 8, OF_PLAIN = 16 };
static const struct {
    const char *key, *where;
    unsigned of;
} ONLY[] = {
    {"from", "a service with dates", OF_DATES},
    {"at", "a service with dates", OF_DATES},
    {"invite", "a service with dates", OF_DATES},
    {"record", "a service with dates or groups", OF_DATES | OF_GROUPS},
    {"obliging", "a service with dates or groups", OF_DATES | OF_GROUPS},
    {"minimum", "a service with groups", OF_GROUPS},
    {"order", "a service with places alone", OF_PLACES},
    {"answer", "a service with places alone", OF_PLACES},
    {"declined", "a service with places alone", OF_PLACES},
    {"places", "a service with dates, groups or places alone", OF_DATES | OF_GROUPS | OF_PLACES},
    {"organisations", "a plain service: whose dates, places or quota are shared has one organiser",
     OF_PLAIN},
};

static unsigned shape_of(struct load *l, struct service *s, const struct sto_conf *c)
{
    const struct sto_conf *dates = sto_conf_get(c, "dates"), *quota = sto_conf_get(c, "quota");
    s->groups = sto_conf_bool(c, "groups", false, l->diags);
    if ((dates != NULL) + s->groups + (quota != NULL) > 1) {
        load_err(l, c, "bad-value", "service '%s' has more than one of dates, groups and quota",
                 s->id);
    }
    if (dates || s->groups) {
        s->shape = SERVICE_SESSION;
        return dates ? OF_DATES : OF_GROUPS;
    }
    if (quota) {
        s->shape = SERVICE_QUOTA;
        return OF_QUOTA;
    }
    s->shape = sto_conf_get(c, "places") ? SERVICE_PLACE : SERVICE_PLAIN;
    return s->shape == SERVICE_PLACE ? OF_PLACES : OF_PLAIN;
}

static void only_of(struct load *l, const struct service *s, const struct sto_conf *c, unsigned of)
{
    for (size_t k = 0; k < sizeof(ONLY) / sizeof(ONLY[0]); k++) {
        if (sto_conf_get(c, ONLY[k].key) && !(ONLY[k].of & of)) {
            load_err(l, sto_conf_get(c, ONLY[k].key), "bad-value",
                     "%s belongs to %s; '%s' is %s, take the key out", ONLY[k].key, ONLY[k].where,
                     s->id, SHAPE_NAMES[s->shape]);
        }
    }
}

/* ------------------------------------------------------------------ dates */

static int16_t minute_of_day(struct load *l, const struct sto_conf *at, const char *s)
{
    bool form = strlen(s) == 5 && s[2] == ':';
    for (int k = 0; form && k < 5; k++) {
        form = k == 2 || (s[k] >= '0' && s[k] <= '9');
    }
    int h = form ? (s[0] - '0') * 10 + s[1] - '0' : 24,
        m = form ? (s[3] - '0') * 10 + s[4] - '0' : 0;
    if (h > 23 || m > 59) {
        load_err(l, at, "bad-value", "at: '%s' is no time of day; expected \"10:00\"", s);
        return 0;
    }
    return (int16_t)(h * 60 + m);
}

static void load_dates(struct load *l, struct service *s, const struct sto_conf *c)
{
    s->rrule = load_str(l, c, "dates", "", RRULE_BYTES_MAX);
    const char *from = load_need_str(l, c, "from"), *at = load_need_str(l, c, "at");
    if (*from && sto_day_parse(from, &s->start_day, NULL)) {
        load_err(l, sto_conf_get(c, "from"), "bad-date",
                 "from: '%s' is no date; expected \"2008-01-01\"", from);
    }
    if (*at) {
        s->at_min = minute_of_day(l, sto_conf_get(c, "at"), at);
    }
    s->places = (uint16_t)sto_conf_int(c, "places", 0, 0, PLACES_MAX, l->diags);
    s->record = load_duration(l, c, "record", (struct sto_duration){1, STO_BUSINESS_DAYS});
    struct sto_err err = {0};
    if (*s->rrule && recurrence_check(s->rrule, &err)) {
        load_err(l, sto_conf_get(c, "dates"), "bad-value", "dates: %s", err.what);
    }
}

static void load_session(struct load *l, struct service *s, const struct sto_conf *c)
{
    if (s->groups) {
        s->places = (uint16_t)sto_conf_int(c, "places", 0, 0, PLACES_MAX, l->diags);
        s->minimum = (uint16_t)sto_conf_int(c, "minimum", 1, 1, STO_SESSION_SEATS_MAX, l->diags);
        s->record = load_duration(l, c, "record", (struct sto_duration){1, STO_BUSINESS_DAYS});
        if (s->places != 0 && s->minimum > s->places) {
            load_err(l, sto_conf_get(c, "minimum"), "bad-value",
                     "minimum: a group of %u cannot have %u places", s->minimum, s->places);
        }
    } else {
        load_dates(l, s, c);
        s->invite = load_duration(l, c, "invite", (struct sto_duration){14, STO_DAYS});
    }
    s->obliging = sto_conf_bool(c, "obliging", false, l->diags);
}

/* ------------------------------------------------------------------ places */

static void load_pool(struct load *l, struct service *s, const struct sto_conf *c)
{
    static const char *const ORDERS[] = {"date", "urgent", NULL};
    static const char *const DECLINED[] = {"loses-turn", "keeps-turn", NULL};
    s->places = (uint16_t)sto_conf_int(c, "places", 1, 1, STO_SESSION_SEATS_MAX, l->diags);
    const char *order = load_str(l, c, "order", ORDERS[0], STO_NAME_BYTES_MAX);
    s->order = load_choice(l, sto_conf_get(c, "order"), order, "order", ORDERS) == 1
                   ? ORDER_URGENT
                   : ORDER_ARRIVAL;
    const char *declined = load_str(l, c, "declined", DECLINED[0], STO_NAME_BYTES_MAX);
    s->keeps_turn =
        load_choice(l, sto_conf_get(c, "declined"), declined, "declined", DECLINED) == 1;
    s->answer = load_duration(l, c, "answer", (struct sto_duration){0});
    if (sto_conf_get(c, "declined") && !sto_conf_get(c, "answer")) {
        load_err(l, sto_conf_get(c, "declined"), "bad-value",
                 "declined: a place of '%s' is offered to be answered only with answer = \"5 "
                 "business days\"",
                 s->id);
    }
}

/* ------------------------------------------------------------------ who gives it */

static uint16_t desk_of(struct load *l, const struct organisation *o, const struct sto_conf *c,
                        bool alone)
{
    const char *id = load_str(l, c, "desk", o->desks[0].id, STO_NAME_BYTES_MAX);
    const struct desk *d = network_desk_by_id(o, id);
    if (d) {
        return d->number;
    }
    if (!alone) {
        load_err(l, sto_conf_get(c, "desk"), "unknown-desk",
                 "organisation '%s' has no desk '%s'; without desk each takes its first", o->id,
                 id);
        return o->desks[0].number;
    }
    const char *names[STO_DESKS_MAX + 1] = {0};
    for (unsigned k = 0; k < o->n_desks; k++) {
        names[k] = o->desks[k].id;
    }
    load_unknown(l, sto_conf_get(c, "desk"), "unknown-desk", "desk", id, names);
    return o->desks[0].number;
}

struct provider_arg {
    struct load *l;
    const network_t *n;
    struct service *s;
    const struct sto_conf *c;
    bool alone;
};

static void add_provider(void *arg, const struct sto_conf *at, const char *id)
{
    struct provider_arg *a = arg;
    uint16_t number = network_load_org(a->l, a->n, at, id);
    const struct organisation *o = network_org(a->n, number);
    if (number == 0 || !o || o->n_desks == 0) {
        return;
    }
    if (service_provider(a->s, number)) {
        load_err(a->l, at, "duplicate", "organisation '%s' stands twice", id);
        return;
    }
    a->s->providers[a->s->n_providers++] =
        (struct provider){.org = number, .desk = desk_of(a->l, o, a->c, a->alone)};
}

static void load_providers(struct load *l, const network_t *n, struct service *s,
                           const struct sto_conf *c)
{
    struct provider_arg a = {.l = l, .n = n, .s = s, .c = c};
    const struct sto_conf *one = sto_conf_get(c, "organisation"),
                          *many = sto_conf_get(c, "organisations");
    if (one && many) {
        load_err(l, many, "bad-value",
                 "'%s' has both organisation and organisations; take one of them out", s->id);
    } else if (many) {
        if (load_strings(l, c, "organisations", NET_PROVIDERS_MAX, add_provider, &a) == 0) {
            load_err(l, many, "missing-key", "organisations of '%s' names nobody", s->id);
        }
    } else {
        const char *id = load_need_str(l, c, "organisation");
        a.alone = true;
        if (*id) {
            add_provider(&a, one, id);
        }
    }
    s->org = s->providers[0].org;
    s->desk = s->providers[0].desk;
}

static struct service *add_service(struct load *l, network_t *n, const struct sto_conf *c)
{
    struct service *s = &n->services[n->n_services++];
    s->id = load_keep(l, c->name);
    s->rrule = "";
    sto_conf_need(c, "number", STO_CONF_INT, l->diags);
    s->number = (uint16_t)sto_conf_int(c, "number", 0, 1, 32767, l->diags);
    s->valid = load_validity(l, c);
    s->agreement = load_str(l, c, "agreement", "", STO_NAME_BYTES_MAX);
    load_providers(l, n, s, c);
    return s;
}

static void load_service(struct load *l, network_t *n, const struct sto_conf *c)
{
    static const char *const KEYS[] = {
        "number",  "organisation", "organisations", "desk",     "valid",  "agreement", "dates",
        "from",    "at",           "places",        "invite",   "record", "obliging",  "groups",
        "minimum", "order",        "answer",        "declined", "quota",  NULL};
    sto_conf_known(c, KEYS, "service", l->diags);
    struct service *s = add_service(l, n, c);
    only_of(l, s, c, shape_of(l, s, c));
    switch (s->shape) {
    case SERVICE_SESSION:
        load_session(l, s, c);
        break;
    case SERVICE_PLACE:
        load_pool(l, s, c);
        break;
    case SERVICE_QUOTA:
        s->places = (uint16_t)sto_conf_int(c, "quota", 0, 0, PLACES_MAX, l->diags);
        break;
    case SERVICE_PLAIN:
    case SERVICE_PANEL:
        break;
    }
}

/* ------------------------------------------------------------------ panels */

static void add_member(void *arg, const struct sto_conf *at, const char *id)
{
    struct provider_arg *a = arg;
    uint16_t number = network_load_org(a->l, a->n, at, id);
    for (unsigned k = 0; k < a->s->n_members; k++) {
        if (number != 0 && a->s->members[k] == number) {
            load_err(a->l, at, "duplicate", "member '%s' stands twice", id);
            return;
        }
    }
    if (number != 0) {
        a->s->members[a->s->n_members++] = number;
    }
}

static void load_panel(struct load *l, network_t *n, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"number",  "organisation", "desk",    "valid",  "agreement",
                                       "dates",   "from",         "at",      "places", "record",
                                       "cut-off", "material",     "members", "quorum", NULL};
    sto_conf_known(c, KEYS, "panel", l->diags);
    struct service *s = add_service(l, n, c);
    s->shape = SERVICE_PANEL;
    sto_conf_need(c, "dates", STO_CONF_STRING, l->diags);
    load_dates(l, s, c);
    s->cut_off = load_duration(l, c, "cut-off", (struct sto_duration){7, STO_DAYS});
    s->material = load_duration(l, c, "material", (struct sto_duration){2, STO_DAYS});
    if (sto_duration_minutes_about(s->material) > sto_duration_minutes_about(s->cut_off)) {
        load_err(l, sto_conf_get(c, "material") ? sto_conf_get(c, "material") : c, "bad-value",
                 "material: it goes out after the cut-off, so it must not be longer than cut-off");
    }
    struct provider_arg a = {.l = l, .n = n, .s = s, .c = c};
    load_strings(l, c, "members", NET_MEMBERS_MAX, add_member, &a);
    s->quorum = (uint8_t)sto_conf_int(c, "quorum", s->n_members / 2 + (s->n_members > 0), 0,
                                      NET_MEMBERS_MAX, l->diags);
    if (s->quorum > s->n_members) {
        load_err(l, sto_conf_get(c, "quorum"), "bad-value",
                 "quorum: %u of %u members can never meet", s->quorum, s->n_members);
    }
}

/* ------------------------------------------------------------------ all */

static int by_service_number(const void *a, const void *b)
{
    return ((const struct service *)a)->number - ((const struct service *)b)->number;
}

typedef void load_entry_fn(struct load *l, network_t *n, const struct sto_conf *c);

static void load_entries(struct load *l, network_t *n, const struct sto_conf *g, const char *what,
                         load_entry_fn *load_entry)
{
    for (const struct sto_conf *c = g ? g->child : NULL; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(l, c, "wrong-type", "%s '%s' must be a group { … }", what, c->name);
        } else if (n->n_services == STO_SERVICES_MAX) {
            load_err(l, c, "too-many", "a network has at most %u services and panels",
                     STO_SERVICES_MAX);
            break;
        } else if (load_check_id(l, c, what, c->name)) {
            load_entry(l, n, c);
        }
    }
}

void network_load_services(struct load *l, network_t *n, const struct sto_conf *services,
                           const struct sto_conf *panels)
{
    load_entries(l, n, services, "service", load_service);
    load_entries(l, n, panels, "panel", load_panel);
    for (const struct sto_conf *c = panels ? panels->child : NULL; c; c = c->next) {
        const struct sto_conf *other = sto_conf_get(services, c->name);
        if (other) {
            load_err(l, c, "duplicate", "panel '%s' has the id of the service in %s:%d", c->name,
                     other->file, other->line);
        }
    }
    qsort(n->services, n->n_services, sizeof(n->services[0]), by_service_number);
    for (unsigned k = 1; k < n->n_services; k++) {
        const struct service *a = &n->services[k - 1], *b = &n->services[k];
        if (b->number && a->number == b->number) {
            const struct sto_conf *at_a =
                sto_conf_get(a->shape == SERVICE_PANEL ? panels : services, a->id);
            const struct sto_conf *at_b =
                sto_conf_get(b->shape == SERVICE_PANEL ? panels : services, b->id);
            if (at_a && at_b) {
                network_load_same_number(l, "service", b->number, at_a, at_b);
            }
        }
    }
}
