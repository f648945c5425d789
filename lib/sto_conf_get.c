/* SPDX-License-Identifier: EUPL-1.2 */
/* Reading a tree: lookups, typed getters, unknown keys and the nearest known one. */
#include <inttypes.h>
#include <string.h>

#include "sto_conf.h"

#define NEAR_BYTES_MAX 64 /* longer words are not compared */

static const char *type_name(enum sto_conf_type type)
{
    switch (type) {
    case STO_CONF_GROUP:
        return "a group { }";
    case STO_CONF_LIST:
        return "a list ( )";
    case STO_CONF_ARRAY:
        return "an array [ ]";
    case STO_CONF_INT:
        return "a whole number";
    case STO_CONF_FLOAT:
        return "a decimal number";
    case STO_CONF_BOOL:
        return "true or false";
    case STO_CONF_STRING:
        return "text in quotes";
    }
    return "a value";
}

const struct sto_conf *sto_conf_get(const struct sto_conf *group, const char *name)
{
    STO_ASSERT(name);
    if (!group || group->type != STO_CONF_GROUP) {
        return NULL;
    }
    for (const struct sto_conf *c = group->child; c; c = c->next) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static unsigned min2(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours between two words, ignoring case. */
static unsigned distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    unsigned rows[3][NEAR_BYTES_MAX + 1];
    for (size_t j = 0; j <= nb; j++) {
        rows[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= na; i++) {
        const unsigned *two_up = rows[(i + 1) % 3];
        const unsigned *up = rows[(i - 1) % 3];
        unsigned *row = rows[i % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            row[j] = min2(up[j - 1] + (x == y ? 0u : 1u), min2(up[j], row[j - 1]) + 1u);
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2])) {
                row[j] = min2(row[j], two_up[j - 2] + 1u);
            }
        }
    }
    return rows[na % 3][nb];
}

const char *sto_nearest(const char *s, const char *const *names)
{
    STO_ASSERT(s && names);
    const char *best = NULL;
    size_t len = strlen(s);
    unsigned best_distance =
        (unsigned)len / 3u + 1u; /* one slip, and one more for each three letters */
    if (len == 0 || len > NEAR_BYTES_MAX) {
        return NULL;
    }
    for (; *names; names++) {
        size_t n = strlen(*names);
        if (n > NEAR_BYTES_MAX) {
            continue;
        }
        unsigned d = distance(s, *names);
        if (d < len && (d < best_distance || (d == best_distance && !best))) {
            best = *names;
            best_distance = d;
        }
    }
    return best;
}

void sto_conf_known(const struct sto_conf *group, const char *const *keys, const char *what,
                    sto_diags_t *diags)
{
    STO_ASSERT(keys && what && diags);
    if (!group || group->type != STO_CONF_GROUP) {
        return;
    }
    for (const struct sto_conf *c = group->child; c; c = c->next) {
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], c->name) != 0) {
            i++;
        }
        if (keys[i]) {
            continue;
        }
        const char *near = sto_nearest(c->name, keys);
        sto_diag(diags, STO_SEV_ERROR, c->file, c->line, "unknown-key",
                 "%s: unknown key '%.64s'%s%s%s", what, c->name, near ? "; did you mean '" : "",
                 near ? near : "", near ? "'?" : "");
    }
}

/* NULL if absent or of another type (then reported). */
static const struct sto_conf *get_typed(const struct sto_conf *g, const char *key,
                                        enum sto_conf_type type, sto_diags_t *d)
{
    STO_ASSERT(d);
    const struct sto_conf *c = sto_conf_get(g, key);
    if (c && c->type != type) {
        sto_diag(d, STO_SEV_ERROR, c->file, c->line, "wrong-type", "'%s' must be %s, got %s", key,
                 type_name(type), type_name(c->type));
        return NULL;
    }
    return c;
}

const char *sto_conf_str(const struct sto_conf *g, const char *key, const char *fallback,
                         sto_diags_t *d)
{
    const struct sto_conf *c = get_typed(g, key, STO_CONF_STRING, d);
    return c ? c->s : fallback;
}

int64_t sto_conf_int(const struct sto_conf *g, const char *key, int64_t fallback, int64_t min,
                     int64_t max, sto_diags_t *d)
{
    STO_ASSERT(min <= max);
    const struct sto_conf *c = get_typed(g, key, STO_CONF_INT, d);
    if (!c) {
        return fallback;
    }
    if (c->i < min || c->i > max) {
        sto_diag(d, STO_SEV_ERROR, c->file, c->line, "out-of-range",
                 "'%s' must be %" PRId64 "..%" PRId64 ", got %" PRId64, key, min, max, c->i);
        return fallback;
    }
    return c->i;
}

bool sto_conf_bool(const struct sto_conf *g, const char *key, bool fallback, sto_diags_t *d)
{
    const struct sto_conf *c = get_typed(g, key, STO_CONF_BOOL, d);
    return c ? c->i != 0 : fallback;
}

const struct sto_conf *sto_conf_need(const struct sto_conf *g, const char *key,
                                     enum sto_conf_type type, sto_diags_t *d)
{
    STO_ASSERT(g && d);
    if (!sto_conf_get(g, key)) {
        sto_diag(d, STO_SEV_ERROR, g->file, g->line, "missing-key", "'%s' is missing%s%s", key,
                 g->name ? " in " : "", g->name ? g->name : "");
        return NULL;
    }
    return get_typed(g, key, type, d);
}
