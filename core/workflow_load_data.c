/* SPDX-License-Identifier: EUPL-1.2 */
/* Workflow files: fields. */
#include <inttypes.h>
#include <string.h>

#include "sto_limits.h"
#include "workflow_scope.h"

#define TEXT_BYTES   500u
#define SEALED_BYTES 512u
#define CODES_MAX    64u

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
    f->id = wf_scoped(x, c, c->name);
    f->file = load_keep(l, c->file);
    f->line = c->line;
    x->field_node[x->w->n_fields - 1] = c;
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
                 "field '%s' counts as %u; a workflow has at most %u fields in all", c->name, n,
                 STO_WF_FIELDS_MAX);
        return;
    }
    w->n_fields--;
    for (unsigned k = 1; k <= n; k++) {
        x->field_node[w->n_fields] = c;
        f = &w->fields[w->n_fields++];
        *f = base;
        f->id = wf_scoped_branch(x, c, c->name, k);
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
    const struct sto_conf *g = load_group(&x->l, x->scope->root, "data");
    for (const struct sto_conf *c = wf_first_named(x, g ? g->child : NULL, "field"); c;
         c = wf_first_named(x, c->next, "field")) {
        if (wf_scope_alias(x->scope, NOUN_FIELD, c->name)) {
            continue;
        }
        if (!wf_room(x, c, x->w->n_fields, STO_WF_FIELDS_MAX, "fields")) {
            return;
        }
        unsigned before = x->w->n_fields;
        load_field(x, c);
        load_per(x, c);
        const struct wf_field *f = &x->w->fields[x->w->n_fields - 1];
        uint64_t had = x->field_bytes;
        x->field_bytes += bytes_of(f) * (x->w->n_fields - before);
        if (x->field_bytes > STO_CASE_CONTENT_BYTES_MAX && had <= STO_CASE_CONTENT_BYTES_MAX) {
            load_err(&x->l, c, "too-large",
                     "the fields up to '%s' may hold more than %u bytes; lower their bytes", f->id,
                     STO_CASE_CONTENT_BYTES_MAX);
        }
    }
}
