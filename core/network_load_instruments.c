/* SPDX-License-Identifier: EUPL-1.2 */
/* Network files: instruments, workflows/instruments/<id>.cfg. */
#include <string.h>

#include "network_load.h"
#include "sto_limits.h"

#define TEXT_BYTES_MAX 200u
#define ANSWER_MAX     1000

/* "text" or { fi; sv; en }; absent: the fallback in every language. */
static void load_texts(struct load *l, const struct sto_conf *g, const char *key,
                       const char *fallback, const char *out[INSTRUMENT_LANGS])
{
    static const char *const LANGS[] = {"fi", "sv", "en", NULL};
    const struct sto_conf *t = sto_conf_get(g, key);
    bool group = t && t->type == STO_CONF_GROUP;
    if (group) {
        sto_conf_known(t, LANGS, key, l->diags);
    }
    for (unsigned k = 0; k < INSTRUMENT_LANGS; k++) {
        if (!group) {
            out[k] = load_str(l, g, key, fallback, TEXT_BYTES_MAX);
        } else if (sto_conf_get(t, LANGS[k])) {
            out[k] = load_str(l, t, LANGS[k], fallback, TEXT_BYTES_MAX);
        } else {
            load_err(l, t, "missing-text", "%s has no '%s'", key, LANGS[k]);
            out[k] = fallback;
        }
    }
}

/* ------------------------------------------------------------------ items */

struct item_arg {
    struct load *l;
    struct instrument *t;
    struct instrument_sum *s; /* items of a sum */
    bool reverse;
};

static int item_of(const struct instrument *t, const char *name)
{
    for (unsigned k = 0; k < t->items; k++) {
        if (strcmp(t->names[k], name) == 0) {
            return (int)k;
        }
    }
    return -1;
}

static void add_item(void *arg, const struct sto_conf *at, const char *name)
{
    struct item_arg *a = arg;
    if (!load_check_id(a->l, at, "item", name)) {
        return;
    }
    if (item_of(a->t, name) >= 0) {
        load_err(a->l, at, "duplicate", "item '%s' stands twice", name);
        return;
    }
    a->t->names[a->t->items++] = load_keep(a->l, name);
}

static int need_item(struct item_arg *a, const struct sto_conf *at, const char *name)
{
    int item = item_of(a->t, name);
    if (item < 0) {
        const char *names[STO_INSTRUMENT_ITEMS_MAX + 1] = {NULL};
        memcpy(names, a->t->names, a->t->items * sizeof *names);
        load_unknown(a->l, at, "unknown-item", "item", name, names);
    }
    return item;
}

static void add_to_sum(void *arg, const struct sto_conf *at, const char *name)
{
    struct item_arg *a = arg;
    int item = need_item(a, at, name);
    for (unsigned k = 0; item >= 0 && k < a->s->n_items; k++) {
        if (a->s->items[k] == item) {
            load_err(a->l, at, "duplicate", "item '%s' stands twice in sum '%s'", name, a->s->id);
            return;
        }
    }
    if (item >= 0) {
        a->s->items[a->s->n_items++] = (uint16_t)item;
    }
}

static void reverse(void *arg, const struct sto_conf *at, const char *name)
{
    struct item_arg *a = arg;
    int item = need_item(a, at, name);
    for (unsigned k = 0; item >= 0 && k < a->s->n_items; k++) {
        if (a->s->items[k] == item) {
            a->s->reversed[k] = true;
            return;
        }
    }
    if (item >= 0) {
        load_err(a->l, at, "unknown-item", "reversed item '%s' is none of sum '%s'", name,
                 a->s->id);
    }
}

/* ------------------------------------------------------------------ sums */

static void load_sum(struct load *l, struct instrument *t, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"label", "area", "scale", "items", "reversed", NULL};
    static const char *const SCALES[] = {"percent", "sum", "mean", NULL};
    if (c->type != STO_CONF_GROUP) {
        load_err(l, c, "wrong-type", "sum '%s' must be a group { … }", c->name);
        return;
    }
    sto_conf_known(c, KEYS, "sum", l->diags);
    if (!load_check_id(l, c, "sum", c->name)) {
        return;
    }
    struct instrument_sum *s = &t->sums[t->n_sums++];
    s->id = load_keep(l, c->name);
    load_texts(l, c, "label", s->id, s->label);
    s->area = load_str(l, c, "area", "", TEXT_BYTES_MAX);
    const char *scale = load_str(l, c, "scale", SCALES[0], STO_NAME_BYTES_MAX);
    int k = load_choice(l, sto_conf_get(c, "scale"), scale, "scale", SCALES);
    s->scale = k < 0 ? SCALE_PERCENT : (enum instrument_scale)k;
    struct item_arg a = {l, t, s, false};
    if (load_strings(l, c, "items", STO_INSTRUMENT_ITEMS_MAX, add_to_sum, &a) == 0) {
        load_err(l, c, "missing-key", "sum '%s' has no items", s->id);
    }
    load_strings(l, c, "reversed", STO_INSTRUMENT_ITEMS_MAX, reverse, &a);
}

static void load_sums(struct load *l, struct instrument *t, const struct sto_conf *c)
{
    const struct sto_conf *g = sto_conf_need(c, "sums", STO_CONF_GROUP, l->diags);
    for (const struct sto_conf *s = g ? g->child : NULL; s; s = s->next) {
        if (t->n_sums == STO_INSTRUMENT_SUMS_MAX) {
            load_err(l, s, "too-many", "an instrument has at most %u sums",
                     STO_INSTRUMENT_SUMS_MAX);
            return;
        }
        load_sum(l, t, s);
    }
    if (g && t->n_sums == 0) {
        load_err(l, g, "missing-key", "instrument '%s' has no sums", t->id);
    }
}

/* ------------------------------------------------------------------ instruments */

static void load_instrument(struct load *l, const network_t *n, struct instrument *t,
                            const struct sto_conf *c)
{
    static const char *const KEYS[] = {"title", "source",   "category", "items", "min",
                                       "max",   "answered", "sums",     NULL};
    *t = (struct instrument){.id = load_keep(l, c->name)};
    sto_conf_known(c, KEYS, "instrument", l->diags);
    load_texts(l, c, "title", t->id, t->title);
    t->source = load_str(l, c, "source", "", TEXT_BYTES_MAX);
    t->category = load_need_str(l, c, "category");
    if (*t->category && network_category(n, t->category) < 0) {
        const char *names[STO_CATEGORIES_MAX + 1] = {NULL};
        memcpy(names, n->categories, n->n_categories * sizeof *names);
        load_unknown(l, sto_conf_get(c, "category"), "unknown-category", "category", t->category,
                     names);
    }
    t->min = sto_conf_int(c, "min", 0, 0, ANSWER_MAX, l->diags);
    sto_conf_need(c, "max", STO_CONF_INT, l->diags);
    t->max = sto_conf_int(c, "max", t->min + 1, 0, ANSWER_MAX, l->diags);
    if (t->max <= t->min) {
        load_err(l, sto_conf_get(c, "max"), "bad-value", "max must be above min, which is %lld",
                 (long long)t->min);
        t->max = t->min + 1;
    }
    t->answered_least = (uint16_t)sto_conf_int(c, "answered", 50, 1, 100, l->diags);
    struct item_arg a = {l, t, NULL, false};
    if (load_strings(l, c, "items", STO_INSTRUMENT_ITEMS_MAX, add_item, &a) == 0) {
        load_err(l, c, "missing-key", "instrument '%s' has no items", t->id);
    }
    load_sums(l, t, c);
}

void network_load_instruments(struct load *l, network_t *n, const struct sto_conf *g)
{
    if (!g) {
        return;
    }
    size_t max = g->n_children < STO_INSTRUMENTS_MAX ? g->n_children : STO_INSTRUMENTS_MAX;
    struct instrument *all = max ? load_alloc(l, max * sizeof *all) : NULL;
    n->instruments = all;
    for (const struct sto_conf *c = all ? g->child : NULL; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(l, c, "wrong-type", "instrument '%s' must be a group { … }", c->name);
        } else if (n->n_instruments == STO_INSTRUMENTS_MAX) {
            load_err(l, c, "too-many", "a network has at most %u instruments", STO_INSTRUMENTS_MAX);
            return;
        } else if (load_check_id(l, c, "instrument", c->name)) {
            load_instrument(l, n, &all[n->n_instruments++], c);
        }
    }
}
