/* SPDX-License-Identifier: EUPL-1.2 */
/* Network files: ladders, legal bases, clocks and settings. */
#include <stdlib.h>
#include <string.h>

#include "network_load.h"
#include "sto_limits.h"

#define DOCUMENT_BYTES_MAX 300u

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

static void load_basis(struct load *l, network_t *n, const struct sto_conf *g,
                       const struct sto_conf *c)
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
            const struct sto_conf *at = sto_conf_get(g, n->bases[other].id);
            load_err(l, c, "duplicate",
                     "basis number %u version %u already stands in %s:%d ('%s'); numbers are never "
                     "used again",
                     b->number, b->version, at ? at->file : c->file, at ? at->line : 0,
                     n->bases[other].id);
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
            load_basis(l, n, g, c);
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

/* ------------------------------------------------------------------ settings of workflows */

static void load_setting(struct load *l, network_t *n, const struct sto_conf *wf,
                         const struct sto_conf *c)
{
    if (n->n_settings == NET_SETTINGS_MAX) {
        load_err(l, c, "too-many", "a network changes at most %d settings", NET_SETTINGS_MAX);
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
