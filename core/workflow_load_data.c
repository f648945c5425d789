/* SPDX-License-Identifier: EUPL-1.2 */
/* Workflow files: roles, settings, fields, consents and messages; and that no two names are equal.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sto_limits.h"
#include "workflow_load.h"

#define TEXT_BYTES   500u
#define SEALED_BYTES 512u
#define CODES_MAX    64u

/* Children of a group that must be groups with proper names; others are reported and left out. */
static const struct sto_conf *first_named(struct wf_load *x, const struct sto_conf *c,
                                          const char *what)
{
    for (; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(&x->l, c, "wrong-type", "%s '%s' must be a group { … }", what, c->name);
        } else if (load_check_id(&x->l, c, what, c->name)) {
            return c;
        }
    }
    return NULL;
}

static bool room(struct wf_load *x, const struct sto_conf *c, unsigned n, unsigned max,
                 const char *what)
{
    if (n == max) {
        load_err(&x->l, c, "too-many", "a workflow has at most %u %s", max, what);
    }
    return n < max;
}

/* ------------------------------------------------------------------ roles */

struct kind_arg {
    struct wf_load *x;
    struct wf_role *r;
};

static void add_kind(void *arg, const struct sto_conf *at, const char *s)
{
    struct kind_arg *a = arg;
    if (load_check_id(&a->x->l, at, "kind", s)) {
        a->r->kinds[a->r->n_kinds++] = load_keep(&a->x->l, s);
    }
}

static void check_service(struct wf_load *x, const struct sto_conf *c, const char *id)
{
    const char *names[STO_SERVICES_MAX + 1] = {0};
    if (!*id || network_service_by_id(x->net, id)) {
        return;
    }
    for (unsigned k = 0; k < x->net->n_services; k++) {
        names[k] = x->net->services[k].id;
    }
    load_unknown(&x->l, sto_conf_get(c, "service"), "unknown-service", "service", id, names);
}

/* The organisations that a role with many may have are roles of their own, right behind it. */
static void load_many(struct wf_load *x, const struct sto_conf *c, const struct wf_role *base)
{
    const struct wf_role r = *base;
    workflow_t *w = x->w;
    if (r.choose != CHOOSE_STEP && r.choose != CHOOSE_DESK) {
        load_err(&x->l, sto_conf_get(c, "many"), "bad-value",
                 "many: role '%s' is chosen otherwise; give it choose = \"step\"", r.id);
    }
    if (w->n_roles + (unsigned)r.many > STO_WF_ROLES_MAX) {
        load_err(&x->l, c, "too-many",
                 "role '%s' counts as %u; a workflow has at most %u roles in all", r.id,
                 r.many + 1u, STO_WF_ROLES_MAX);
        return;
    }
    for (unsigned k = 1; k <= r.many; k++) {
        struct wf_role *b = &w->roles[w->n_roles++];
        *b = r;
        b->id = wf_branch_id(x, r.id, k);
        b->many = 0;
        b->branch = (uint8_t)k;
    }
}

static void load_role(struct wf_load *x, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"kind", "service",   "choose", "worker",
                                       "many", "agreement", NULL};
    static const char *const CHOOSE[] = {"start", "home", "free", "turn", "first-yes",
                                         "desk",  "call", "step", NULL};
    struct load *l = &x->l;
    sto_conf_known(c, KEYS, "role", l->diags);
    struct wf_role *r = &x->w->roles[x->w->n_roles++];
    r->id = load_keep(l, c->name);
    r->line = c->line;
    struct kind_arg a = {x, r};
    if (load_strings(l, c, "kind", NET_KINDS_MAX, add_kind, &a) == 0) {
        load_err(l, c, "missing-key",
                 "role '%s': kind is missing; a role finds its organisation by kind", r->id);
    }
    r->service = load_str(l, c, "service", "", STO_NAME_BYTES_MAX);
    check_service(x, c, r->service);
    const char *choose = load_need_str(l, c, "choose");
    int k = *choose ? load_choice(l, sto_conf_get(c, "choose"), choose, "choose", CHOOSE) : -1;
    r->choose = (enum choose)(k + 1);
    r->agreement = sto_conf_bool(c, "agreement", false, l->diags);
    if (r->agreement && !*r->service) {
        load_err(l, sto_conf_get(c, "agreement"), "missing-key",
                 "agreement: role '%s' names no service that the agreement would be for", r->id);
    }
    const char *worker = load_str(l, c, "worker", "", STO_NAME_BYTES_MAX);
    r->named_worker = strcmp(worker, "named") == 0;
    if (*worker && !r->named_worker) {
        load_err(l, sto_conf_get(c, "worker"), "bad-value", "worker must be 'named', got '%s'",
                 worker);
    }
    r->many = (uint8_t)sto_conf_int(c, "many", 0, 2, WF_FIRST_MAX, l->diags);
    if (r->many) {
        load_many(x, c, r);
    }
}

void wf_load_roles(struct wf_load *x)
{
    const struct sto_conf *g = sto_conf_need(x->root, "roles", STO_CONF_GROUP, x->l.diags);
    for (const struct sto_conf *c = first_named(x, g ? g->child : NULL, "role"); c;
         c = first_named(x, c->next, "role")) {
        if (strcmp(c->name, "holder") == 0 || strcmp(c->name, "sender") == 0 ||
            strcmp(c->name, "client") == 0) {
            load_err(&x->l, c, "reserved-name",
                     "role '%s' exists in every workflow; choose another name", c->name);
        } else if (!room(x, c, x->w->n_roles, STO_WF_ROLES_MAX, "roles")) {
            return;
        } else {
            load_role(x, c);
        }
    }
}

/* ------------------------------------------------------------------ settings */

static void load_setting_number(struct wf_load *x, struct wf_setting *s, const struct sto_conf *c)
{
    sto_diags_t *d = x->l.diags;
    sto_conf_need(c, "default", STO_CONF_INT, d);
    s->min = sto_conf_int(c, "min", INT64_MIN, INT64_MIN, INT64_MAX, d);
    s->max = sto_conf_int(c, "max", INT64_MAX, INT64_MIN, INT64_MAX, d);
    s->def = sto_conf_int(c, "default", s->min, INT64_MIN, INT64_MAX, d);
    if (s->min > s->max || s->def < s->min || s->def > s->max) {
        load_err(&x->l, c, "out-of-range",
                 "setting '%s': default %" PRId64 " is not inside %" PRId64 "..%" PRId64, s->id,
                 s->def, s->min, s->max);
    }
}

static void load_setting_duration(struct wf_load *x, struct wf_setting *s, const struct sto_conf *c)
{
    struct load *l = &x->l;
    struct sto_duration minute = {1, STO_MINUTES}, years = {10, STO_YEARS};
    sto_conf_need(c, "default", STO_CONF_STRING, l->diags);
    s->is_duration = true;
    s->d_def = load_duration(l, c, "default", minute);
    s->d_min_minutes = sto_duration_minutes_about(load_duration(l, c, "min", minute));
    s->d_max_minutes = sto_duration_minutes_about(load_duration(l, c, "max", years));
    int64_t def = sto_duration_minutes_about(s->d_def);
    if (def < s->d_min_minutes || def > s->d_max_minutes) {
        load_err(l, c, "out-of-range", "setting '%s': default is not between min and max", s->id);
    }
}

/* What the network says instead of the default; the engine reads the default only. */
static void apply_network(struct wf_load *x, struct wf_setting *s)
{
    for (unsigned k = 0; k < x->net->n_settings; k++) {
        const struct network_setting *n = &x->net->settings[k];
        if (strcmp(n->workflow, x->w->id) != 0 || strcmp(n->name, s->id) != 0) {
            continue;
        }
        int64_t v = n->is_duration ? sto_duration_minutes_about(n->d) : n->i;
        if (n->is_duration != s->is_duration) {
            sto_diag(x->l.diags, STO_SEV_ERROR, n->file, n->line, "wrong-type",
                     "setting '%s' of workflow '%s' is a %s", n->name, n->workflow,
                     s->is_duration ? "duration such as \"10 days\"" : "number");
        } else if (s->is_duration ? v < s->d_min_minutes || v > s->d_max_minutes
                                  : v < s->min || v > s->max) {
            sto_diag(x->l.diags, STO_SEV_ERROR, n->file, n->line, "out-of-range",
                     "setting '%s' is outside the limits of workflow '%s'", n->name, n->workflow);
        } else {
            s->def = n->i;
            s->d_def = n->d;
        }
    }
}

static void check_network_settings(struct wf_load *x)
{
    const char *names[STO_WF_SETTINGS_MAX + 1] = {0};
    for (unsigned k = 0; k < x->w->n_settings; k++) {
        names[k] = x->w->settings[k].id;
    }
    for (unsigned k = 0; k < x->net->n_settings; k++) {
        const struct network_setting *n = &x->net->settings[k];
        bool known = strcmp(n->workflow, x->w->id) != 0;
        for (unsigned j = 0; j < x->w->n_settings; j++) {
            known = known || strcmp(n->name, names[j]) == 0;
        }
        if (!known) {
            const struct sto_conf at = {.file = n->file, .line = n->line};
            load_unknown(&x->l, &at, "unknown-setting", "setting", n->name, names);
        }
    }
}

void wf_load_settings(struct wf_load *x)
{
    static const char *const KEYS[] = {"type", "default", "min", "max", "source", NULL};
    static const char *const TYPES[] = {"integer", "duration", NULL};
    const struct sto_conf *g = load_group(&x->l, x->root, "settings");
    for (const struct sto_conf *c = first_named(x, g ? g->child : NULL, "setting"); c;
         c = first_named(x, c->next, "setting")) {
        if (!room(x, c, x->w->n_settings, STO_WF_SETTINGS_MAX, "settings")) {
            break;
        }
        sto_conf_known(c, KEYS, "setting", x->l.diags);
        struct wf_setting *s = &x->w->settings[x->w->n_settings++];
        s->id = load_keep(&x->l, c->name);
        const char *type = load_need_str(&x->l, c, "type");
        int k = *type ? load_choice(&x->l, sto_conf_get(c, "type"), type, "type", TYPES) : -1;
        if (k == 0) {
            load_setting_number(x, s, c);
        } else if (k == 1) {
            load_setting_duration(x, s, c);
        }
        (void)load_str(&x->l, c, "source", "", 200); /* for readers; checked, not kept */
        apply_network(x, s);
    }
    check_network_settings(x);
}

/* ------------------------------------------------------------------ fields */

struct code_arg {
    struct wf_load *x;
    struct wf_field *f;
};

static void add_code(void *arg, const struct sto_conf *at, const char *s)
{
    struct code_arg *a = arg;
    if (!load_check_id(&a->x->l, at, "code", s)) {
        return;
    }
    for (unsigned k = 0; k < a->f->n_values; k++) {
        if (strcmp(a->f->values[k], s) == 0) {
            load_err(&a->x->l, at, "duplicate", "code '%s' stands twice", s);
            return;
        }
    }
    a->f->values[a->f->n_values++] = load_keep(&a->x->l, s);
}

static int64_t date_limit(struct wf_load *x, const struct sto_conf *c, const char *key,
                          int64_t open)
{
    const char *s = load_str(&x->l, c, key, "", 16);
    int32_t day;
    if (!*s) {
        return open;
    }
    if (sto_day_parse(s, &day, NULL)) {
        load_err(&x->l, sto_conf_get(c, key), "bad-date",
                 "%s: '%s' is no date; expected \"2026-11-21\"", key, s);
        return open;
    }
    return day;
}

static void refuse_keys(struct wf_load *x, const struct sto_conf *c, const char *const *keys,
                        const char *type)
{
    for (; *keys; keys++) {
        if (sto_conf_get(c, *keys)) {
            load_err(&x->l, sto_conf_get(c, *keys), "bad-value", "%s does not fit %s", *keys, type);
        }
    }
}

/* A decimal field's limit in hundredths; absent -> open. */
static int64_t decimal_limit(struct wf_load *x, const struct sto_conf *c, const char *key,
                             int64_t open)
{
    static const double MAX = 1e13; /* what a field's text may hold, and exact in a double */
    const struct sto_conf *at = sto_conf_get(c, key);
    if (!at) {
        return open;
    }
    double v = at->type == STO_CONF_INT ? (double)at->i : at->f;
    if (at->type != STO_CONF_INT && at->type != STO_CONF_FLOAT) {
        load_err(&x->l, at, "wrong-type", "%s must be a number such as 125.50", key);
        return open;
    }
    if (!(v >= -MAX && v <= MAX)) {
        load_err(&x->l, at, "out-of-range", "%s must be -10000000000000..10000000000000", key);
        return open;
    }
    int64_t hundredths = (int64_t)(v * 100 + (v < 0 ? -0.5 : 0.5));
    double off = (double)hundredths - v * 100;
    if (off > 1e-3 || off < -1e-3) {
        load_err(&x->l, at, "bad-value", "%s has more than two decimals", key);
    }
    return hundredths;
}

static void load_profile(struct wf_load *x, struct wf_field *f, const struct sto_conf *c)
{
    const char *id = load_need_str(&x->l, c, "instrument");
    if (*id) {
        wf_profile(x, f, sto_conf_get(c, "instrument"), id);
    }
}

static void load_limits(struct wf_load *x, struct wf_field *f, const struct sto_conf *c)
{
    static const char *const RANGE[] = {"min", "max", "values", NULL};
    sto_diags_t *d = x->l.diags;
    const char *const *refuse = RANGE;
    f->min = INT64_MIN;
    f->max = INT64_MAX;
    f->bytes_max = f->sealed ? SEALED_BYTES : TEXT_BYTES;
    if (f->sealed) {
        refuse_keys(x, c, RANGE, "a sealed field, which the broker cannot read");
    } else if (f->type == FIELD_INTEGER) {
        f->min = sto_conf_int(c, "min", INT64_MIN, INT64_MIN, INT64_MAX, d);
        f->max = sto_conf_int(c, "max", INT64_MAX, INT64_MIN, INT64_MAX, d);
        refuse = RANGE + 2;
    } else if (f->type == FIELD_DATE) {
        f->min = date_limit(x, c, "min", sto_day_from_civil(1800, 1, 1));
        f->max = date_limit(x, c, "max", sto_day_from_civil(2999, 12, 31));
        refuse = RANGE + 2;
    } else if (f->type == FIELD_DECIMAL) {
        f->min = decimal_limit(x, c, "min", INT64_MIN);
        f->max = decimal_limit(x, c, "max", INT64_MAX);
        refuse = RANGE + 2;
    } else if (f->type == FIELD_PROFILE) {
        load_profile(x, f, c);
    }
    if (f->type != FIELD_PROFILE && sto_conf_get(c, "instrument")) {
        load_err(&x->l, sto_conf_get(c, "instrument"), "bad-value",
                 "instrument fits a profile only");
    }
    if (!f->sealed && f->type != FIELD_CODE) {
        refuse_keys(x, c, refuse, "a field of this type");
    }
    if (f->min > f->max) {
        load_err(&x->l, c, "out-of-range", "field '%s': min is greater than max", f->id);
    }
    if (f->type == FIELD_TEXT || f->sealed) {
        f->bytes_max = (uint32_t)sto_conf_int(c, "bytes", f->bytes_max, 1, STO_FIELD_BYTES_MAX, d);
    } else if (sto_conf_get(c, "bytes")) {
        load_err(&x->l, sto_conf_get(c, "bytes"), "bad-value",
                 "bytes fits text and sealed fields only");
    }
}

static void load_codes(struct wf_load *x, struct wf_field *f, const struct sto_conf *c)
{
    static const char *const RANGE[] = {"min", "max", NULL};
    struct code_arg a = {x, f};
    refuse_keys(x, c, RANGE, "a code");
    f->values = load_alloc(&x->l, CODES_MAX * sizeof(*f->values));
    if (!f->values || load_strings(&x->l, c, "values", CODES_MAX, add_code, &a) == 0) {
        load_err(&x->l, c, "missing-key", "field '%s': values is missing; a code lists its values",
                 f->id);
    }
}

static void load_field(struct wf_load *x, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"type",   "category", "sealed", "min",        "max",
                                       "values", "bytes",    "per",    "instrument", NULL};
    static const char *const TYPES[] = {"integer", "boolean", "code",    "text", "date",
                                        "hetu",    "decimal", "profile", NULL};
    struct load *l = &x->l;
    sto_conf_known(c, KEYS, "field", l->diags);
    struct wf_field *f = &x->w->fields[x->w->n_fields++];
    f->id = load_keep(l, c->name);
    f->line = c->line;
    f->per = 0xff;
    const char *type = load_need_str(l, c, "type");
    int k = *type ? load_choice(l, sto_conf_get(c, "type"), type, "type", TYPES) : -1;
    f->type = k < 0 ? FIELD_TEXT : (enum field_type)(k + 1);
    f->sealed = sto_conf_bool(c, "sealed", false, l->diags);
    if (k >= 0) {
        load_limits(x, f, c);
    }
    if (f->type == FIELD_CODE && !f->sealed) {
        load_codes(x, f, c);
    }
    f->category_id = load_need_str(l, c, "category");
    int bit = network_category(x->net, f->category_id);
    if (*f->category_id && bit < 0) {
        const char *names[STO_CATEGORIES_MAX + 1] = {0};
        memcpy(names, x->net->categories, x->net->n_categories * sizeof(names[0]));
        load_unknown(l, sto_conf_get(c, "category"), "unknown-category", "category", f->category_id,
                     names);
    }
    f->category = bit < 0 ? 0 : (uint8_t)bit;
}

/* A field with a value for each organisation of a role becomes as many fields. */
static void load_per(struct wf_load *x, const struct sto_conf *c)
{
    workflow_t *w = x->w;
    const char *per = load_str(&x->l, c, "per", "", STO_NAME_BYTES_MAX);
    if (!*per) {
        return;
    }
    struct wf_field *f = &w->fields[w->n_fields - 1], base = *f;
    const struct sto_conf *at = sto_conf_get(c, "per");
    uint8_t role = wf_party(x, at, per);
    if (role == PARTY_NONE) {
        return;
    }
    if (role >= w->n_roles || !w->roles[role].many) {
        load_err(&x->l, at, "bad-party", "per: '%s' is no role with many", per);
        return;
    }
    unsigned n = w->roles[role].many;
    if (w->n_fields - 1u + n > STO_WF_FIELDS_MAX) {
        load_err(&x->l, c, "too-many",
                 "field '%s' counts as %u; a workflow has at most %u fields in all", base.id, n,
                 STO_WF_FIELDS_MAX);
        return;
    }
    w->n_fields--;
    for (unsigned k = 1; k <= n; k++) {
        f = &w->fields[w->n_fields++];
        *f = base;
        f->id = wf_branch_id(x, base.id, k);
        f->per = role;
        f->branch = (uint8_t)k;
    }
}

/* How many bytes of a case's contents the field may take. */
static uint64_t bytes_of(const struct wf_field *f)
{
    bool opaque = f->type == FIELD_TEXT || f->type == FIELD_PROFILE || f->sealed;
    return opaque ? f->bytes_max : 16;
}

void wf_load_fields(struct wf_load *x)
{
    const struct sto_conf *g = load_group(&x->l, x->root, "data");
    uint64_t bytes = 0;
    bool told = false;
    for (const struct sto_conf *c = first_named(x, g ? g->child : NULL, "field"); c;
         c = first_named(x, c->next, "field")) {
        if (!room(x, c, x->w->n_fields, STO_WF_FIELDS_MAX, "fields")) {
            return;
        }
        unsigned before = x->w->n_fields;
        load_field(x, c);
        load_per(x, c);
        const struct wf_field *f = &x->w->fields[x->w->n_fields - 1];
        bytes += bytes_of(f) * (x->w->n_fields - before);
        if (bytes > STO_CASE_CONTENT_BYTES_MAX && !told) {
            told = true;
            load_err(&x->l, c, "too-large",
                     "the fields up to '%s' may hold more than %u bytes; lower their bytes", f->id,
                     STO_CASE_CONTENT_BYTES_MAX);
        }
    }
}

/* ------------------------------------------------------------------ consents, messages */

struct category_arg {
    struct wf_load *x;
    uint32_t bits;
};

static void add_category(void *arg, const struct sto_conf *at, const char *s)
{
    struct category_arg *a = arg;
    int bit = network_category(a->x->net, s);
    if (bit >= 0) {
        a->bits |= UINT32_C(1) << bit;
        return;
    }
    const char *names[STO_CATEGORIES_MAX + 1] = {0};
    memcpy(names, a->x->net->categories, a->x->net->n_categories * sizeof(names[0]));
    load_unknown(&a->x->l, at, "unknown-category", "category", s, names);
}

void wf_load_consents(struct wf_load *x)
{
    static const char *const KEYS[] = {"to", "categories", "purpose", "form", "lasts", NULL};
    static const char *const FORMS[] = {"any", "written", "electronic", "oral", NULL};
    struct load *l = &x->l;
    const struct sto_conf *g = load_group(l, x->root, "consents");
    for (const struct sto_conf *c = first_named(x, g ? g->child : NULL, "consent"); c;
         c = first_named(x, c->next, "consent")) {
        if (!room(x, c, x->w->n_consents, STO_WF_CONSENTS_MAX, "consents")) {
            return;
        }
        sto_conf_known(c, KEYS, "consent", l->diags);
        struct wf_consent *k = &x->w->consents[x->w->n_consents++];
        struct category_arg a = {x, 0};
        k->id = load_keep(l, c->name);
        k->n_to = (uint8_t)wf_parties(x, c, "to", k->to);
        if (load_strings(l, c, "categories", STO_CATEGORIES_MAX, add_category, &a) == 0 ||
            k->n_to == 0) {
            load_err(l, c, "missing-key",
                     "consent '%s' names its receivers in to and what they get in categories",
                     k->id);
        }
        k->categories = a.bits;
        k->purpose = load_str(l, c, "purpose", x->w->purpose, STO_NAME_BYTES_MAX);
        const char *form = load_str(l, c, "form", "any", STO_NAME_BYTES_MAX);
        int f = load_choice(l, sto_conf_get(c, "form") ? sto_conf_get(c, "form") : c, form, "form",
                            FORMS);
        k->form = f < 0 ? FORM_ANY : (enum consent_form)f;
        k->lasts = load_duration(l, c, "lasts", (struct sto_duration){0, STO_DAYS});
    }
}

struct answer_arg {
    struct wf_load *x;
    struct wf_message *m;
};

static void add_answer(void *arg, const struct sto_conf *at, const char *s)
{
    struct answer_arg *a = arg;
    if (load_check_id(&a->x->l, at, "answer", s)) {
        a->m->answer_exits[a->m->n_answers] = wf_intern(a->x, at, s);
        a->m->answers[a->m->n_answers++] = load_keep(&a->x->l, s);
    }
}

void wf_load_messages(struct wf_load *x)
{
    static const char *const KEYS[] = {"from", "answers", "keep", NULL};
    struct load *l = &x->l;
    const struct sto_conf *g = load_group(l, x->root, "messages");
    for (const struct sto_conf *c = first_named(x, g ? g->child : NULL, "message"); c;
         c = first_named(x, c->next, "message")) {
        if (!room(x, c, x->w->n_messages, STO_WF_MESSAGES_MAX, "messages")) {
            return;
        }
        sto_conf_known(c, KEYS, "message", l->diags);
        struct wf_message *m = &x->w->messages[x->w->n_messages++];
        struct answer_arg a = {x, m};
        m->id = load_keep(l, c->name);
        m->n_from = (uint8_t)wf_parties(x, c, "from", m->from);
        if (m->n_from == 0) {
            load_err(l, c, "missing-key", "message '%s': from is missing; it names who may send it",
                     m->id);
        }
        load_strings(l, c, "answers", sizeof(m->answers) / sizeof(m->answers[0]), add_answer, &a);
        m->keep = sto_conf_bool(c, "keep", false, l->diags);
    }
}

/* ------------------------------------------------------------------ names differ */

struct named {
    const char *id, *what;
    const struct sto_conf *at;
};

static unsigned add_names(const struct sto_conf *g, const char *what, struct named *out, unsigned n,
                          unsigned max)
{
    for (const struct sto_conf *c = g && g->type == STO_CONF_GROUP ? g->child : NULL; c && n < max;
         c = c->next) {
        out[n++] = (struct named){c->name, what, c};
    }
    return n;
}

void wf_check_names_differ(struct wf_load *x)
{
    static const char *const WORDS[] = {"and",   "or",   "not",   "is",   "in",   "set",
                                        "today", "true", "false", "join", "stay", NULL};
    enum { MAX = 512 };
    struct named *all = sto_arena_alloc(x->l.scratch, MAX * sizeof(*all));
    unsigned n = 0;
    if (!all) {
        return;
    }
    n = add_names(sto_conf_get(x->root, "data"), "field", all, n, MAX);
    n = add_names(sto_conf_get(x->root, "settings"), "setting", all, n, MAX);
    n = add_names(sto_conf_get(x->root, "consents"), "consent", all, n, MAX);
    n = add_names(sto_conf_get(x->root, "messages"), "message", all, n, MAX);
    for (unsigned k = 0; k < x->w->n_steps && n < MAX; k++) {
        all[n++] = (struct named){x->w->steps[k].id, "step", x->node[k]};
    }
    for (unsigned a = 0; a < n; a++) {
        for (unsigned b = 0; b < a; b++) {
            if (strcmp(all[a].id, all[b].id) == 0) {
                load_err(
                    &x->l, all[a].at, "equal-names",
                    "%s '%s' has the name of the %s at line %d; all names of a workflow differ",
                    all[a].what, all[a].id, all[b].what, all[b].at->line);
                break;
            }
        }
        for (unsigned k = 0; WORDS[k]; k++) {
            if (strcmp(all[a].id, WORDS[k]) == 0) {
                load_err(&x->l, all[a].at, "reserved-name",
                         "%s '%s' is a word of the language; choose another name", all[a].what,
                         all[a].id);
            }
        }
    }
}
