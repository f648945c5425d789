/* SPDX-License-Identifier: EUPL-1.2 */
/* Network files: ladders, legal bases, clocks, services and settings. */
#include <stdlib.h>
#include <string.h>

#include "network_load.h"
#include "recurrence.h"
#include "sto_limits.h"

#define DOCUMENT_BYTES_MAX 300u
#define RRULE_BYTES_MAX    200u

/* ------------------------------------------------------------------ categories */

struct bits_arg {
    struct load *l;
    const network_t *n;
    uint32_t bits;
};

static void add_bit(void *arg, const struct sto_conf *at, const char *s)
{
    struct bits_arg *a = arg;
    int bit = network_category(a->n, s);
    if (bit >= 0) {
        a->bits |= UINT32_C(1) << bit;
        return;
    }
    const char *names[STO_CATEGORIES_MAX + 1] = {0};
    memcpy(names, a->n->categories, a->n->n_categories * sizeof(names[0]));
    load_unknown(a->l, at, "unknown-category", "category", s, names);
}

uint32_t network_load_categories(struct load *l, const network_t *n, const struct sto_conf *g,
                                 const char *key)
{
    struct bits_arg a = {l, n, 0};
    load_strings(l, g, key, STO_CATEGORIES_MAX, add_bit, &a);
    return a.bits;
}

/* ------------------------------------------------------------------ ladders */

static void default_ladder(network_t *n)
{
    static const struct ladder DEFAULT = {
        .id = "default",
        .n_rungs = 4,
        .rungs = {{{1, STO_BUSINESS_DAYS}, true, RUNG_BALL},
                  {{1, STO_BUSINESS_DAYS}, false, RUNG_DESK_LEAD},
                  {{3, STO_BUSINESS_DAYS}, false, RUNG_SENDER_LEAD},
                  {{5, STO_BUSINESS_DAYS}, false, RUNG_COORDINATOR}}};
    n->ladders[n->n_ladders++] = DEFAULT;
}

static void load_rung(struct load *l, struct ladder *ladder, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"before", "after", "to", NULL};
    static const char *const TO[] = {"ball", "desk-lead", "sender-lead", "coordinator", NULL};
    if (c->type != STO_CONF_GROUP) {
        load_err(l, c, "wrong-type",
                 "a rung must be a group { after = \"1 business day\"; to = \"ball\"; }");
        return;
    }
    sto_conf_known(c, KEYS, "rung", l->diags);
    bool before = sto_conf_get(c, "before") != NULL;
    if (before == (sto_conf_get(c, "after") != NULL)) {
        load_err(l, c, "bad-value", "a rung has either before or after");
        return;
    }
    struct rung r = {.before_due = before};
    r.after = load_duration(l, c, before ? "before" : "after",
                            (struct sto_duration){1, STO_BUSINESS_DAYS});
    const char *to = load_need_str(l, c, "to");
    int k = *to ? load_choice(l, sto_conf_get(c, "to"), to, "to", TO) : -1;
    if (k < 0) {
        return;
    }
    r.to = (enum rung_to)k;
    const struct rung *last = ladder->n_rungs ? &ladder->rungs[ladder->n_rungs - 1] : NULL;
    if (last && ((r.before_due && !last->before_due) ||
                 (r.before_due == last->before_due && !r.before_due &&
                  sto_duration_minutes_about(r.after) < sto_duration_minutes_about(last->after)))) {
        load_err(l, c, "bad-value",
                 "rungs stand in order of time: what is due before the term first");
    }
    ladder->rungs[ladder->n_rungs++] = r;
}

void network_load_ladders(struct load *l, network_t *n, const struct sto_conf *g)
{
    static const char *const KEYS[] = {"rungs", NULL};
    for (const struct sto_conf *c = g ? g->child : NULL; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(l, c, "wrong-type", "ladder '%s' must be a group { … }", c->name);
            continue;
        }
        sto_conf_known(c, KEYS, "ladder", l->diags);
        const struct sto_conf *rungs = sto_conf_need(c, "rungs", STO_CONF_LIST, l->diags);
        if (!rungs || !load_check_id(l, c, "ladder", c->name)) {
            continue;
        }
        if (n->n_ladders == STO_LADDERS_MAX || rungs->n_children == 0 ||
            rungs->n_children > LADDER_RUNGS_MAX) {
            load_err(l, c, "too-many", "a network has at most %u ladders, each with 1 to %d rungs",
                     STO_LADDERS_MAX, LADDER_RUNGS_MAX);
            continue;
        }
        struct ladder *ladder = &n->ladders[n->n_ladders++];
        ladder->id = load_keep(l, c->name);
        for (const struct sto_conf *r = rungs->child; r; r = r->next) {
            load_rung(l, ladder, r);
        }
    }
    if (n->n_ladders == 0) {
        default_ladder(n);
    }
}

/* ------------------------------------------------------------------ legal bases */

struct basis_arg {
    struct load *l;
    const network_t *n;
    struct basis *b;
};

static void add_receiver_kind(void *arg, const struct sto_conf *at, const char *s)
{
    struct basis_arg *a = arg;
    for (unsigned k = 0; k < a->n->n_orgs; k++) {
        if (organisation_is(&a->n->orgs[k], s)) {
            a->b->receiver_kinds[a->b->n_receiver_kinds++] = load_keep(a->l, s);
            return;
        }
    }
    load_err(a->l, at, "unknown-kind", "no organisation of the network is of kind '%s'", s);
}

static void add_receiver_org(void *arg, const struct sto_conf *at, const char *s)
{
    struct basis_arg *a = arg;
    a->b->receiver_orgs[a->b->n_receiver_orgs++] = network_load_org(a->l, a->n, at, s);
}

static void load_receivers(struct load *l, const network_t *n, struct basis *b,
                           const struct sto_conf *c)
{
    static const char *const KEYS[] = {"kinds", "organisations", NULL};
    const struct sto_conf *g = sto_conf_need(c, "receivers", STO_CONF_GROUP, l->diags);
    if (!g) {
        return;
    }
    struct basis_arg a = {l, n, b};
    sto_conf_known(g, KEYS, "receivers", l->diags);
    load_strings(l, g, "kinds", NET_KINDS_MAX, add_receiver_kind, &a);
    load_strings(l, g, "organisations", sizeof(b->receiver_orgs) / sizeof(b->receiver_orgs[0]),
                 add_receiver_org, &a);
}

static void load_basis(struct load *l, network_t *n, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"number",     "version", "kind",     "purpose", "receivers",
                                       "categories", "valid",   "document", NULL};
    static const char *const KINDS[] = {"statute",        "consent",    "contract",
                                        "vital-interest", "client-act", NULL};
    sto_conf_known(c, KEYS, "basis", l->diags);
    struct basis *b = &n->bases[n->n_bases];
    b->id = load_keep(l, c->name);
    sto_conf_need(c, "number", STO_CONF_INT, l->diags);
    b->number = (uint16_t)sto_conf_int(c, "number", 0, 1, 32767, l->diags);
    b->version = (uint16_t)sto_conf_int(c, "version", 1, 1, 32767, l->diags);
    const char *kind = load_need_str(l, c, "kind");
    int k = *kind ? load_choice(l, sto_conf_get(c, "kind"), kind, "kind", KINDS) : -1;
    b->kind = (enum basis_kind)(k + 1);
    b->purpose = load_need_str(l, c, "purpose");
    load_receivers(l, n, b, c);
    b->categories = network_load_categories(l, n, c, "categories");
    b->valid = load_validity(l, c);
    b->document = load_str(l, c, "document", "", DOCUMENT_BYTES_MAX);
    for (unsigned other = 0; other < n->n_bases; other++) {
        if (b->number && n->bases[other].number == b->number &&
            n->bases[other].version == b->version) {
            load_err(l, c, "duplicate",
                     "basis number %u version %u stands twice; numbers are never used again",
                     b->number, b->version);
        }
    }
    n->n_bases++;
}

void network_load_bases(struct load *l, network_t *n, const struct sto_conf *g)
{
    for (const struct sto_conf *c = g ? g->child : NULL; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(l, c, "wrong-type", "basis '%s' must be a group { … }", c->name);
        } else if (n->n_bases == STO_BASES_MAX) {
            load_err(l, c, "too-many", "a network has at most %u bases", STO_BASES_MAX);
            return;
        } else if (load_check_id(l, c, "basis", c->name)) {
            load_basis(l, n, c);
        }
    }
}

/* ------------------------------------------------------------------ clocks */

void network_load_clocks(struct load *l, network_t *n, const struct sto_conf *g)
{
    static const char *const KEYS[] = {
        "answer", "decide", "info",  "book", "meet",        "confirm",       "check-in", "wait-max",
        "stable", "cap",    "draft", "next", "info-rounds", "no-show-limit", NULL};
    struct clock_defaults *c = &n->clocks;
    *c = (struct clock_defaults){.answer = {2, STO_BUSINESS_DAYS},
                                 .decide = {5, STO_BUSINESS_DAYS},
                                 .info = {5, STO_BUSINESS_DAYS},
                                 .book = {10, STO_BUSINESS_DAYS},
                                 .meet = {5, STO_BUSINESS_DAYS},
                                 .confirm = {3, STO_BUSINESS_DAYS},
                                 .check_in = {30, STO_DAYS},
                                 .wait_max = {6, STO_MONTHS},
                                 .stable = {30, STO_DAYS},
                                 .cap = {45, STO_BUSINESS_DAYS},
                                 .draft = {5, STO_BUSINESS_DAYS},
                                 .next = {5, STO_BUSINESS_DAYS},
                                 .info_rounds_max = 3,
                                 .no_show_limit = 2};
    if (!g) {
        return;
    }
    sto_conf_known(g, KEYS, "clocks", l->diags);
    struct sto_duration *const at[] = {&c->answer, &c->decide,  &c->info,     &c->book,
                                       &c->meet,   &c->confirm, &c->check_in, &c->wait_max,
                                       &c->stable, &c->cap,     &c->draft,    &c->next};
    for (size_t k = 0; k < sizeof(at) / sizeof(at[0]); k++) {
        *at[k] = load_duration(l, g, KEYS[k], *at[k]);
    }
    c->info_rounds_max =
        (uint8_t)sto_conf_int(g, "info-rounds", c->info_rounds_max, 0, 20, l->diags);
    c->no_show_limit = (uint8_t)sto_conf_int(g, "no-show-limit", c->no_show_limit, 1, 20, l->diags);
}

/* ------------------------------------------------------------------ services */

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
    static const char *const ONLY[] = {"from",   "at",       "places", "invite",
                                       "record", "obliging", NULL};
    s->rrule = load_str(l, c, "dates", "", RRULE_BYTES_MAX);
    if (!*s->rrule) {
        for (int k = 0; ONLY[k]; k++) {
            if (sto_conf_get(c, ONLY[k])) {
                load_err(l, sto_conf_get(c, ONLY[k]), "bad-value",
                         "%s belongs to a service with dates; service '%s' has none", ONLY[k],
                         s->id);
            }
        }
        return;
    }
    s->shape = SERVICE_SESSION;
    const char *from = load_need_str(l, c, "from"), *at = load_need_str(l, c, "at");
    if (*from && sto_day_parse(from, &s->start_day, NULL)) {
        load_err(l, sto_conf_get(c, "from"), "bad-date",
                 "from: '%s' is no date; expected \"2008-01-01\"", from);
    }
    if (*at) {
        s->at_min = minute_of_day(l, sto_conf_get(c, "at"), at);
    }
    s->places = (uint16_t)sto_conf_int(c, "places", 0, 0, 10000, l->diags);
    s->invite = load_duration(l, c, "invite", (struct sto_duration){14, STO_DAYS});
    s->record = load_duration(l, c, "record", (struct sto_duration){1, STO_BUSINESS_DAYS});
    s->obliging = sto_conf_bool(c, "obliging", false, l->diags);
    struct sto_err err = {0};
    if (recurrence_check(s->rrule, &err)) {
        load_err(l, sto_conf_get(c, "dates"), "bad-value", "dates: %s", err.what);
    }
}

static void load_service(struct load *l, network_t *n, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"number", "organisation", "desk",     "valid",
                                       "dates",  "from",         "at",       "places",
                                       "invite", "record",       "obliging", NULL};
    static const char *const LATER[] = {"groups", "minimum", "agreement", "quota",
                                        "order",  "answer",  "declined",  NULL};
    for (int k = 0; LATER[k]; k++) {
        if (sto_conf_get(c, LATER[k])) {
            load_err(l, sto_conf_get(c, LATER[k]), "later-version",
                     "%s of a service is not in this version", LATER[k]);
            return;
        }
    }
    sto_conf_known(c, KEYS, "service", l->diags);
    struct service *s = &n->services[n->n_services++];
    s->id = load_keep(l, c->name);
    sto_conf_need(c, "number", STO_CONF_INT, l->diags);
    s->number = (uint16_t)sto_conf_int(c, "number", 0, 1, 32767, l->diags);
    s->valid = load_validity(l, c);
    load_dates(l, s, c);
    const char *org = load_need_str(l, c, "organisation");
    s->org = *org ? network_load_org(l, n, sto_conf_get(c, "organisation"), org) : 0;
    const struct organisation *o = network_org(n, s->org);
    if (!s->org || !o || o->n_desks == 0) {
        return;
    }
    const char *desk = load_str(l, c, "desk", o->desks[0].id, STO_NAME_BYTES_MAX);
    const struct desk *d = network_desk_by_id(o, desk);
    if (d) {
        s->desk = d->number;
        return;
    }
    const char *names[STO_DESKS_MAX + 1] = {0};
    for (unsigned k = 0; k < o->n_desks; k++) {
        names[k] = o->desks[k].id;
    }
    load_unknown(l, sto_conf_get(c, "desk"), "unknown-desk", "desk", desk, names);
}

static int by_service_number(const void *a, const void *b)
{
    return ((const struct service *)a)->number - ((const struct service *)b)->number;
}

void network_load_services(struct load *l, network_t *n, const struct sto_conf *g)
{
    for (const struct sto_conf *c = g ? g->child : NULL; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(l, c, "wrong-type", "service '%s' must be a group { … }", c->name);
        } else if (n->n_services == STO_SERVICES_MAX) {
            load_err(l, c, "too-many", "a network has at most %u services", STO_SERVICES_MAX);
            break;
        } else if (load_check_id(l, c, "service", c->name)) {
            load_service(l, n, c);
        }
    }
    qsort(n->services, n->n_services, sizeof(n->services[0]), by_service_number);
    for (unsigned k = 1; k < n->n_services; k++) {
        if (n->services[k].number && n->services[k].number == n->services[k - 1].number) {
            load_err(l, sto_conf_get(g, n->services[k].id), "duplicate",
                     "service number %u stands twice ('%s' and '%s'); numbers are never used again",
                     n->services[k].number, n->services[k - 1].id, n->services[k].id);
        }
    }
}

/* ------------------------------------------------------------------ settings of workflows */

static void load_setting(struct load *l, network_t *n, const struct sto_conf *wf,
                         const struct sto_conf *c)
{
    const unsigned max = sizeof(n->settings) / sizeof(n->settings[0]);
    if (n->n_settings == max) {
        load_err(l, c, "too-many", "a network changes at most %u settings", max);
        return;
    }
    struct network_setting s = {
        .workflow = load_keep(l, wf->name), .name = load_keep(l, c->name), .line = c->line};
    s.file = load_keep(l, c->file);
    struct sto_err err = {0};
    if (c->type == STO_CONF_INT) {
        s.i = c->i;
    } else if (c->type == STO_CONF_STRING) {
        s.is_duration = true;
        if (sto_duration_parse(c->s, &s.d, &err)) {
            load_err(l, c, "bad-duration", "setting %s: %s", c->name, err.what);
            return;
        }
    } else {
        load_err(l, c, "wrong-type",
                 "setting '%s' must be a number or a duration such as \"10 days\"", c->name);
        return;
    }
    n->settings[n->n_settings++] = s;
}

void network_load_settings(struct load *l, network_t *n, const struct sto_conf *g)
{
    for (const struct sto_conf *wf = g ? g->child : NULL; wf; wf = wf->next) {
        if (wf->type != STO_CONF_GROUP) {
            load_err(l, wf, "wrong-type", "settings of workflow '%s' must be a group { … }",
                     wf->name);
            continue;
        }
        for (const struct sto_conf *c = wf->child; c; c = c->next) {
            load_setting(l, n, wf, c);
        }
    }
}
