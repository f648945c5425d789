/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Getters over a configuration tree for the two loaders. They report and go on; nothing here knows
 * what a network or a workflow is.
 */
#include "load.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sto_limits.h"

#define TEXT_BYTES_MAX 1000u

static void report(struct load *l, enum sto_severity sev, const struct sto_conf *at,
                   const char *code, const char *text)
{
    sto_diag(l->diags, sev, at->file, at->line, code, "%s", text);
}

void load_err(struct load *l, const struct sto_conf *at, const char *code, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    report(l, STO_SEV_ERROR, at, code, text);
}

void load_warn(struct load *l, const struct sto_conf *at, const char *code, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    report(l, STO_SEV_WARNING, at, code, text);
}

void load_unknown(struct load *l, const struct sto_conf *at, const char *code, const char *what,
                  const char *value, const char *const *names)
{
    const char *near = names ? sto_nearest(value, names) : NULL;
    if (near) {
        load_err(l, at, code, "%s '%s' is not known; did you mean '%s'?", what, value, near);
    } else {
        load_err(l, at, code, "%s '%s' is not known", what, value);
    }
}

void *load_alloc(struct load *l, size_t bytes)
{
    return sto_arena_alloc(l->arena, bytes);
}

const char *load_keep(struct load *l, const char *s)
{
    const char *kept = sto_arena_strdup(l->arena, s);
    if (!kept) {
        sto_diag(l->diags, STO_SEV_ERROR, "", 0, "too-large", "the files hold more text than fits");
        return "";
    }
    return kept;
}

bool load_id_valid(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > STO_NAME_BYTES_MAX || s[0] < 'a' || s[0] > 'z') {
        return false;
    }
    for (size_t k = 0; k < n; k++) {
        bool letter = s[k] >= 'a' && s[k] <= 'z', digit = s[k] >= '0' && s[k] <= '9';
        if (!letter && !digit && s[k] != '-' && s[k] != '_') {
            return false;
        }
    }
    return true;
}

bool load_check_id(struct load *l, const struct sto_conf *at, const char *what, const char *id)
{
    if (load_id_valid(id)) {
        return true;
    }
    load_err(l, at, "bad-name",
             "%s '%.80s' is no name; expected lower-case letters, digits and hyphens, a letter "
             "first, at most %u",
             what, id, STO_NAME_BYTES_MAX);
    return false;
}

const char *load_str(struct load *l, const struct sto_conf *g, const char *key,
                     const char *fallback, size_t bytes_max)
{
    const struct sto_conf *at = sto_conf_get(g, key);
    if (!at) {
        return fallback;
    }
    const char *s = sto_conf_str(g, key, NULL, l->diags);
    if (!s) {
        return fallback;
    }
    if (!*s || strlen(s) > bytes_max) {
        load_err(l, at, "bad-value", "%s must be 1 to %zu characters, got %zu", key, bytes_max,
                 strlen(s));
        return fallback;
    }
    return load_keep(l, s);
}

const char *load_need_str(struct load *l, const struct sto_conf *g, const char *key)
{
    if (!sto_conf_need(g, key, STO_CONF_STRING, l->diags)) {
        return "";
    }
    return load_str(l, g, key, "", TEXT_BYTES_MAX);
}

const struct sto_conf *load_group(struct load *l, const struct sto_conf *g, const char *key)
{
    const struct sto_conf *at = sto_conf_get(g, key);
    if (at && at->type != STO_CONF_GROUP) {
        load_err(l, at, "wrong-type", "%s must be a group { … }", key);
        return NULL;
    }
    return at;
}

unsigned load_strings(struct load *l, const struct sto_conf *g, const char *key, unsigned max,
                      load_string_fn *each, void *arg)
{
    const struct sto_conf *at = sto_conf_get(g, key);
    if (!at) {
        return 0;
    }
    if (at->type == STO_CONF_STRING) {
        each(arg, at, at->s);
        return 1;
    }
    if (at->type != STO_CONF_ARRAY && at->type != STO_CONF_LIST) {
        load_err(l, at, "wrong-type", "%s must be a list of texts [ \"…\", \"…\" ]", key);
        return 0;
    }
    unsigned n = 0;
    for (const struct sto_conf *c = at->child; c; c = c->next) {
        if (c->type != STO_CONF_STRING) {
            load_err(l, c, "wrong-type", "%s must hold texts only", key);
        } else if (n == max) {
            load_err(l, c, "too-many", "%s holds more than %u", key, max);
            break;
        } else {
            each(arg, c, c->s);
            n++;
        }
    }
    return n;
}

struct sto_duration load_duration(struct load *l, const struct sto_conf *g, const char *key,
                                  struct sto_duration fallback)
{
    const struct sto_conf *at = sto_conf_get(g, key);
    const char *s = at ? sto_conf_str(g, key, NULL, l->diags) : NULL;
    struct sto_err err = {0};
    struct sto_duration d = fallback;
    if (s && sto_duration_parse(s, &d, &err)) {
        load_err(l, at, "bad-duration", "%s: %s", key, err.what);
        return fallback;
    }
    return d;
}

static int32_t validity_day(struct load *l, const struct sto_conf *c, int32_t open)
{
    int32_t day;
    if (c->type != STO_CONF_STRING) {
        load_err(l, c, "wrong-type", "valid must hold two dates \"2001-01-01\", \"\" for open");
        return open;
    }
    if (!*c->s) {
        return open;
    }
    if (sto_day_parse(c->s, &day, NULL)) {
        load_err(l, c, "bad-date", "valid: '%s' is no date; expected \"2001-01-01\" or \"\"", c->s);
        return open;
    }
    return day;
}

struct validity load_validity(struct load *l, const struct sto_conf *g)
{
    struct validity v = {.from_day = INT32_MIN, .until_day = INT32_MAX};
    const struct sto_conf *at = sto_conf_get(g, "valid");
    if (!at) {
        return v;
    }
    if ((at->type != STO_CONF_ARRAY && at->type != STO_CONF_LIST) || at->n_children != 2) {
        load_err(l, at, "wrong-type", "valid must be two dates [ \"2001-01-01\", \"\" ]");
        return v;
    }
    v.from_day = validity_day(l, at->child, INT32_MIN);
    v.until_day = validity_day(l, at->child->next, INT32_MAX);
    if (v.from_day > v.until_day) {
        load_err(l, at, "bad-date", "valid ends before it begins");
    }
    return v;
}

int load_choice(struct load *l, const struct sto_conf *at, const char *s, const char *what,
                const char *const *names)
{
    char list[240] = "";
    for (int k = 0; names[k]; k++) {
        if (strcmp(names[k], s) == 0) {
            return k;
        }
        size_t used = strlen(list);
        (void)snprintf(list + used, sizeof(list) - used, "%s%s", k ? ", " : "", names[k]);
    }
    load_err(l, at, "bad-value", "%s must be one of %s, got '%s'", what, list, s);
    return -1;
}
