/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Network files: the groups of all files of one network, merged in file name order and read in
 * loading order, and the organisations. The other groups stand in network_load_parts.c,
 * network_load_services.c and network_load_calendar.c.
 */
#include "network_load.h"

#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "sto_crypto.h"
#include "sto_limits.h"

#define ARENA_BYTES_MAX   (4u << 20)
#define SCRATCH_BYTES_MAX (64u << 20)
#define NAME_TEXT_MAX     200u

static const char *const SECTIONS[] = {"network", "organisations", "calendars", "ladders",
                                       "bases",   "clocks",        "services",  "settings",
                                       "panels",  "instruments",   NULL};
enum {
    S_NETWORK,
    S_ORGS,
    S_CALENDARS,
    S_LADDERS,
    S_BASES,
    S_CLOCKS,
    S_SERVICES,
    S_SETTINGS,
    S_PANELS,
    S_INSTRUMENTS,
    S_N
};

/* ------------------------------------------------------------------ sections */

/* A group that gathers a section's entries out of all files; it stands where the first one does. */
struct section {
    struct sto_conf group;
    const struct sto_conf *
        *end; /* where the next entry is linked; NULL = no file has the section */
};

static void section_add(struct load *l, struct section *s, const struct sto_conf *c)
{
    const struct sto_conf *other = sto_conf_get(&s->group, c->name);
    if (other) {
        load_err(l, c, "duplicate", "'%s' of %s already stands in %s:%d; a network has it once",
                 c->name, s->group.name, other->file, other->line);
        return;
    }
    struct sto_conf *entry = sto_arena_alloc(l->scratch, sizeof(*entry));
    if (!entry) {
        load_err(l, c, "too-large", "the files hold more text than fits");
        return;
    }
    *entry = *c;
    entry->next = NULL;
    *s->end = entry;
    s->end = &entry->next;
    s->group.n_children++;
}

static void section_merge(struct load *l, struct section *s, const struct sto_conf *c)
{
    if (!s->end) {
        s->group = *c;
        s->group.child = NULL;
        s->group.n_children = 0;
        s->end = &s->group.child;
    }
    for (const struct sto_conf *e = c->child; e; e = e->next) {
        section_add(l, s, e);
    }
}

static void take_sections(struct load *l, const struct sto_conf *root, struct section *sections)
{
    sto_conf_known(root, SECTIONS, "network file", l->diags);
    for (const struct sto_conf *c = root->child; c; c = c->next) {
        for (unsigned k = 0; k < S_N; k++) {
            if (strcmp(c->name, SECTIONS[k]) != 0) {
                continue;
            }
            const struct sto_conf *first = &sections[k].group;
            if (c->type != STO_CONF_GROUP) {
                load_err(l, c, "wrong-type", "%s must be a group { … }", c->name);
            } else if (k == S_NETWORK && sections[k].end) {
                load_err(l, c, "duplicate", "%s already stands in %s:%d; a network has it once",
                         c->name, first->file, first->line);
            } else {
                section_merge(l, &sections[k], c);
            }
        }
    }
}

struct category_arg {
    struct load *l;
    network_t *n;
};

static void add_category(void *arg, const struct sto_conf *at, const char *s)
{
    struct category_arg *a = arg;
    if (!load_check_id(a->l, at, "category", s)) {
        return;
    }
    if (network_category(a->n, s) >= 0) {
        load_err(a->l, at, "duplicate", "category '%s' stands twice", s);
        return;
    }
    a->n->categories[a->n->n_categories++] = load_keep(a->l, s);
}

static int32_t load_day(struct load *l, const struct sto_conf *g, const char *key, int32_t none)
{
    const char *text = load_str(l, g, key, "", NAME_TEXT_MAX);
    int32_t day = none;
    if (*text && sto_day_parse(text, &day, NULL)) {
        load_err(l, sto_conf_get(g, key), "bad-date",
                 "%s: '%s' is no date; expected \"2026-06-01\"", key, text);
    }
    return day;
}

static void load_head(struct load *l, network_t *n, const char *id, const struct sto_conf *g)
{
    static const char *const KEYS[] = {
        "id", "version", "coordinator", "categories", "teaser-always", "as-of", "until", NULL};
    sto_conf_known(g, KEYS, "network", l->diags);
    n->id = load_need_str(l, g, "id");
    if (*n->id && id && *id && strcmp(id, n->id) != 0) {
        load_err(l, sto_conf_get(g, "id"), "bad-name", "network id '%s' must equal its folder '%s'",
                 n->id, id);
    }
    if (*n->id) {
        load_check_id(l, sto_conf_get(g, "id"), "network id", n->id);
    }
    n->version = (uint32_t)sto_conf_int(g, "version", 1, 1, UINT32_MAX, l->diags);
    struct category_arg a = {l, n};
    if (load_strings(l, g, "categories", STO_CATEGORIES_MAX, add_category, &a) == 0) {
        load_err(l, g, "missing-key",
                 "network: categories is missing; name every kind of data, for instance [ "
                 "\"identity\" ]");
    }
    n->teaser_always = network_load_categories(l, n, g, "teaser-always");
    n->as_of_day = load_day(l, g, "as-of", INT32_MIN);
    n->until_day = load_day(l, g, "until", INT32_MAX);
}

static void load_coordinator(struct load *l, network_t *n, const struct sto_conf *g)
{
    const char *id = load_need_str(l, g, "coordinator");
    if (*id) {
        n->coordinator_org = network_load_org(l, n, sto_conf_get(g, "coordinator"), id);
    }
}

/* ------------------------------------------------------------------ organisations */

uint16_t network_load_org(struct load *l, const network_t *n, const struct sto_conf *at,
                          const char *id)
{
    const struct organisation *o = network_org_by_id(n, id);
    if (o) {
        return o->number;
    }
    const char *names[STO_ORGS_MAX + 1];
    for (unsigned k = 0; k < n->n_orgs; k++) {
        names[k] = n->orgs[k].id;
    }
    names[n->n_orgs] = NULL;
    load_unknown(l, at, "unknown-organisation", "organisation", id, names);
    return 0;
}

struct org_arg {
    struct load *l;
    struct organisation *o;
};

static void add_kind(void *arg, const struct sto_conf *at, const char *s)
{
    struct org_arg *a = arg;
    if (load_check_id(a->l, at, "kind", s)) {
        a->o->kinds[a->o->n_kinds++] = load_keep(a->l, s);
    }
}

static void load_desks(struct load *l, const network_t *n, struct organisation *o,
                       const struct sto_conf *org)
{
    static const char *const KEYS[] = {"number", "lead", "calendar", NULL};
    const struct sto_conf *g = sto_conf_need(org, "desks", STO_CONF_GROUP, l->diags);
    for (const struct sto_conf *c = g ? g->child : NULL; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(l, c, "wrong-type", "desk '%s' must be a group { … }", c->name);
            continue;
        }
        sto_conf_known(c, KEYS, "desk", l->diags);
        if (!load_check_id(l, c, "desk", c->name)) {
            continue;
        }
        if (o->n_desks == STO_DESKS_MAX) {
            load_err(l, c, "too-many", "an organisation has at most %u desks", STO_DESKS_MAX);
            return;
        }
        struct desk d = {.id = load_keep(l, c->name),
                         .lead = load_str(l, c, "lead", "", NAME_TEXT_MAX)};
        sto_conf_need(c, "number", STO_CONF_INT, l->diags);
        d.number = (uint16_t)sto_conf_int(c, "number", 0, 1, 32767, l->diags);
        d.calendar_ix = (int16_t)network_load_calendar_ix(l, n, c, o->calendar_ix);
        if (d.number && network_desk(o, d.number)) {
            load_err(l, c, "duplicate",
                     "desk number %u of '%s' stands twice; numbers are never used again", d.number,
                     o->id);
        }
        o->desks[o->n_desks++] = d;
    }
    if (g && o->n_desks == 0) {
        load_err(l, g, "missing-key",
                 "organisation '%s' has no desk; the first one takes what comes in", o->id);
    }
}

static void load_org(struct load *l, network_t *n, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"number",   "name",        "kinds", "municipality",
                                       "may-hold", "business-id", "valid", "successor",
                                       "calendar", "desks",       NULL};
    sto_conf_known(c, KEYS, "organisation", l->diags);
    struct organisation *o = &n->orgs[n->n_orgs++];
    o->id = load_keep(l, c->name);
    sto_conf_need(c, "number", STO_CONF_INT, l->diags);
    o->number = (uint16_t)sto_conf_int(c, "number", 0, 1, 32767, l->diags);
    o->name = load_need_str(l, c, "name");
    struct org_arg a = {l, o};
    if (load_strings(l, c, "kinds", NET_KINDS_MAX, add_kind, &a) == 0) {
        load_err(l, c, "missing-key", "organisation '%s': kinds is missing; roles find it by kind",
                 o->id);
    }
    o->municipality = load_str(l, c, "municipality", "", STO_NAME_BYTES_MAX);
    o->may_hold = sto_conf_bool(c, "may-hold", false, l->diags);
    o->business_id = load_str(l, c, "business-id", "", STO_NAME_BYTES_MAX);
    if (*o->business_id && !business_id_valid(o->business_id)) {
        load_err(l, sto_conf_get(c, "business-id"), "bad-value",
                 "business-id '%s' is no Y-tunnus; expected NNNNNNN-T with a right check digit",
                 o->business_id);
    }
    o->valid = load_validity(l, c);
    o->calendar_ix = (int16_t)network_load_calendar_ix(l, n, c, 0);
    load_desks(l, n, o, c);
}

void network_load_same_number(struct load *l, const char *what, unsigned number,
                              const struct sto_conf *a, const struct sto_conf *b)
{
    int files = strcmp(a->file, b->file);
    bool b_later = files < 0 || (files == 0 && a->line < b->line);
    const struct sto_conf *first = b_later ? a : b, *second = b_later ? b : a;
    load_err(l, second, "duplicate",
             "%s number %u of '%s' already stands in %s:%d ('%s'); numbers are never used again",
             what, number, second->name, first->file, first->line, first->name);
}

static int by_org_number(const void *a, const void *b)
{
    return ((const struct organisation *)a)->number - ((const struct organisation *)b)->number;
}

static const struct sto_conf *org_node(const struct sto_conf *g, const char *id)
{
    const struct sto_conf *c = sto_conf_get(g, id);
    return c ? c : g;
}

static void load_successors(struct load *l, network_t *n, const struct sto_conf *g)
{
    for (unsigned k = 0; k < n->n_orgs; k++) {
        struct organisation *o = &n->orgs[k];
        const struct sto_conf *c = org_node(g, o->id);
        const char *id = load_str(l, c, "successor", "", STO_NAME_BYTES_MAX);
        if (!*id) {
            continue;
        }
        o->successor = network_load_org(l, n, sto_conf_get(c, "successor"), id);
        if (o->valid.until_day == INT32_MAX) {
            load_err(l, sto_conf_get(c, "successor"), "bad-value",
                     "organisation '%s' has a successor but no end; write valid = [ \"…\", "
                     "\"2024-12-31\" ]",
                     o->id);
        }
    }
    for (unsigned k = 0; k < n->n_orgs; k++) {
        const struct organisation *o = &n->orgs[k];
        for (unsigned steps = 0; o && o->successor; steps++) {
            if (steps > n->n_orgs) {
                load_err(l, org_node(g, n->orgs[k].id), "circle",
                         "the successors of '%s' turn in a circle", n->orgs[k].id);
                break;
            }
            o = network_org(n, o->successor);
        }
    }
}

void network_load_organisations(struct load *l, network_t *n, const struct sto_conf *g)
{
    for (const struct sto_conf *c = g ? g->child : NULL; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(l, c, "wrong-type", "organisation '%s' must be a group { … }", c->name);
        } else if (n->n_orgs == STO_ORGS_MAX) {
            load_err(l, c, "too-many", "a network has at most %u organisations", STO_ORGS_MAX);
            break;
        } else if (load_check_id(l, c, "organisation", c->name)) {
            load_org(l, n, c);
        }
    }
    qsort(n->orgs, n->n_orgs, sizeof(n->orgs[0]), by_org_number);
    for (unsigned k = 1; k < n->n_orgs; k++) {
        if (n->orgs[k].number && n->orgs[k].number == n->orgs[k - 1].number) {
            network_load_same_number(l, "organisation", n->orgs[k].number,
                                     org_node(g, n->orgs[k - 1].id), org_node(g, n->orgs[k].id));
        }
    }
    load_successors(l, n, g);
}

/* ------------------------------------------------------------------ all */

static const struct sto_conf *group_of(const struct section *s)
{
    return s->end ? &s->group : NULL;
}

static void load_all(struct load *l, network_t *n, const char *id, const struct section *s)
{
    const struct sto_conf *head = group_of(&s[S_NETWORK]), *orgs = group_of(&s[S_ORGS]);
    if (!head || !orgs) {
        sto_diag(l->diags, STO_SEV_ERROR, id ? id : "network", 0, "missing-key",
                 "the network files hold no group '%s'", head ? "organisations" : "network");
    }
    if (head) {
        load_head(l, n, id, head);
    } else {
        n->id = "";
    }
    network_load_calendars(l, n, group_of(&s[S_CALENDARS]));
    network_load_ladders(l, n, group_of(&s[S_LADDERS]));
    network_load_organisations(l, n, orgs);
    if (head) {
        load_coordinator(l, n, head);
    }
    network_load_bases(l, n, group_of(&s[S_BASES]));
    network_load_clocks(l, n, group_of(&s[S_CLOCKS]));
    network_load_services(l, n, group_of(&s[S_SERVICES]), group_of(&s[S_PANELS]));
    network_load_instruments(l, n, group_of(&s[S_INSTRUMENTS]));
    network_load_settings(l, n, group_of(&s[S_SETTINGS]));
}

int network_load(const char *id, const struct model_file *files, size_t n_files, sto_diags_t *diags,
                 network_t **out)
{
    STO_ASSERT((files || n_files == 0) && diags && out);
    *out = NULL;
    size_t before = sto_diags_errors(diags);
    network_t *n = sto_xcalloc(1, sizeof(*n));
    n->arena = sto_arena_new(ARENA_BYTES_MAX);
    struct load l = {
        .arena = n->arena, .scratch = sto_arena_new(SCRATCH_BYTES_MAX), .diags = diags};
    struct section sections[S_N] = {0};
    for (size_t k = 0; k < n_files; k++) {
        const struct sto_conf *root = NULL;
        uint8_t h[2][STO_SHA256_BYTES];
        memcpy(h[0], n->hash, sizeof(h[0]));
        sto_sha256(files[k].text, files[k].len, h[1]);
        sto_sha256(h, sizeof(h), n->hash);
        sto_conf_parse(files[k].name, files[k].text, files[k].len, l.scratch, diags, &root);
        if (root) {
            take_sections(&l, root, sections);
        }
    }
    load_all(&l, n, id, sections);
    sto_arena_destroy(&l.scratch);
    if (sto_diags_errors(diags) > before) {
        network_destroy(&n);
        return -STO_E_CONFIG;
    }
    *out = n;
    return 0;
}
