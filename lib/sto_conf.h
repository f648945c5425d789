/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Strict front end over libconfig.
 *
 * Reads one file's text into a tree with file and line on every node, and
 * collects all faults of the file in one run: libconfig's own syntax error,
 * and what libconfig 1.5 lets through silently (integers that wrap, missing
 * semicolons, adjacent strings joined, strings over lines, keys that differ in
 * case only, @include). Nothing is opened here: the caller brings the bytes.
 */
#ifndef STO_CONF_H
#define STO_CONF_H
#include "sto_arena.h"
#include "sto_err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sto_severity { STO_SEV_ERROR = 1, STO_SEV_WARNING };
struct sto_diag {
    enum sto_severity severity;
    int line;
    const char *file;
    const char *text; /* what; lower case, no full stop */
    const char *code; /* stable, kebab case: "unknown-key" */
};
/* A growing list, at most STO_DIAGS_MAX (then one "too-many" entry). Owns its texts. */
typedef struct sto_diags sto_diags_t;
sto_diags_t *sto_diags_new(void);
void sto_diags_destroy(sto_diags_t **self_p);
void sto_diag(sto_diags_t *d, enum sto_severity sev, const char *file, int line, const char *code,
              const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Adds all of `from` that d does not hold already: the same finding at the same place. */
void sto_diags_merge(sto_diags_t *d, const sto_diags_t *from);
size_t sto_diags_count(const sto_diags_t *d);
size_t sto_diags_errors(const sto_diags_t *d);
const struct sto_diag *sto_diags_at(const sto_diags_t *d, size_t i);
void sto_diags_sort(sto_diags_t *d); /* by file, line; stable */

enum sto_conf_type {
    STO_CONF_GROUP = 1,
    STO_CONF_LIST,
    STO_CONF_ARRAY,
    STO_CONF_INT,
    STO_CONF_FLOAT,
    STO_CONF_BOOL,
    STO_CONF_STRING
};
struct sto_conf {
    enum sto_conf_type type;
    int line;
    const char *file;
    const char *name;                             /* NULL in lists and arrays */
    const char *s;                                /* STRING */
    int64_t i;                                    /* INT, BOOL */
    double f;                                     /* FLOAT */
    const struct sto_conf *child, *next, *parent; /* in file order */
    size_t n_children;
};

/* text borrowed for the call; the tree lives in `arena` (about 5 bytes for each byte of a usual
   text, 48 at the worst; a full arena is a "too-large" error). On errors *root may still be set
   (what could be read) or NULL; the errors are in `diags`. Returns 0, or -STO_E_CONFIG if an error
   was added. */
int sto_conf_parse(const char *file, const char *text, size_t len, sto_arena_t *arena,
                   sto_diags_t *diags, const struct sto_conf **root);
const struct sto_conf *sto_conf_get(const struct sto_conf *group, const char *name);
/* Every child of group whose name is not in keys[] (NULL-terminated) is an "unknown-key" error with
 * the nearest key. */
void sto_conf_known(const struct sto_conf *group, const char *const *keys, const char *what,
                    sto_diags_t *diags);
/* Nearest of names[] (NULL-terminated) to s by edit distance ignoring case, or NULL if none is
 * near. */
const char *sto_nearest(const char *s, const char *const *names);

/* Typed getters: absent -> fallback; wrong type or out of range -> error diag and fallback. */
const char *sto_conf_str(const struct sto_conf *g, const char *key, const char *fallback,
                         sto_diags_t *d);
int64_t sto_conf_int(const struct sto_conf *g, const char *key, int64_t fallback, int64_t min,
                     int64_t max, sto_diags_t *d);
bool sto_conf_bool(const struct sto_conf *g, const char *key, bool fallback, sto_diags_t *d);
/* Error "missing-key" if absent. */
const struct sto_conf *sto_conf_need(const struct sto_conf *g, const char *key,
                                     enum sto_conf_type type, sto_diags_t *d);

#endif
