/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Values of a program's settings. A command line's "key=value" wins over the file
 * whatever the order of the calls. A file with any error changes nothing. Secrets
 * are never values here: a setting names the file that holds one.
 */
#include "sto_settings.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sto_file.h"
#include "sto_limits.h"

#define TREE_BYTES     ((size_t)8 * 1024 * 1024)
#define PATH_BYTES_MAX 4095

struct value {
    char *text;    /* owned; NULL = required and not given yet */
    int64_t i;     /* INT, BOOL */
    bool assigned; /* by a command line: a file does not replace it */
};
struct sto_settings {
    const struct sto_setting *table;
    size_t n;
    struct value *values; /* [n] */
};

static size_t table_len(const struct sto_setting *table)
{
    size_t n = 0;
    while (table[n].key) {
        n++;
    }
    return n;
}

static int check_int(const struct sto_setting *s, int64_t i, struct sto_err *err)
{
    if (i < s->min || i > s->max) {
        return sto_fail(err, STO_E_CONFIG,
                        "'%s' must be %" PRId64 "..%" PRId64 "%s%s, got %" PRId64, s->key, s->min,
                        s->max, *s->unit ? " " : "", s->unit, i);
    }
    return 0;
}

static int check_text(const struct sto_setting *s, const char *text, struct sto_err *err)
{
    int64_t len = (int64_t)strlen(text);
    int64_t max = s->max > 0 ? s->max : s->type == STO_SET_PATH ? PATH_BYTES_MAX : INT64_MAX;
    if (len < s->min || len > max) {
        return sto_fail(err, STO_E_CONFIG,
                        "'%s' must be %" PRId64 "..%" PRId64 " bytes long, got %" PRId64, s->key,
                        s->min, max, len);
    }
    return 0;
}

static int read_int(const struct sto_setting *s, const char *text, int64_t *out,
                    struct sto_err *err)
{
    const char *digits = text + (*text == '-' ? 1 : 0);
    size_t n = strspn(digits, "0123456789");
    if (n == 0 || n > 18 || digits[n] != '\0') { /* 18 digits always fit */
        return sto_fail(err, STO_E_CONFIG, "'%s' must be a whole number, got '%.80s'", s->key,
                        text);
    }
    *out = strtoll(text, NULL, 10);
    return check_int(s, *out, err);
}

/* Text of a default or of a command line into a value; v->text is newly allocated. */
static int read_text(const struct sto_setting *s, const char *text, struct value *v,
                     struct sto_err *err)
{
    int rc = 0;
    if (s->type == STO_SET_INT) {
        rc = read_int(s, text, &v->i, err);
    } else if (s->type == STO_SET_BOOL) {
        v->i = strcmp(text, "true") == 0;
        if (!v->i && strcmp(text, "false") != 0) {
            rc = sto_fail(err, STO_E_CONFIG, "'%s' must be true or false, got '%.80s'", s->key,
                          text);
        }
    } else {
        rc = check_text(s, text, err);
    }
    if (rc == 0) {
        v->text = sto_xstrdup(text);
    }
    return rc;
}

sto_settings_t *sto_settings_new(const struct sto_setting *table)
{
    STO_ASSERT(table);
    sto_settings_t *self = sto_xcalloc(1, sizeof(*self));
    self->table = table;
    self->n = table_len(table);
    self->values = sto_xcalloc(self->n, sizeof(*self->values));
    for (size_t i = 0; i < self->n; i++) {
        STO_ASSERT(table[i].help && table[i].unit);
        if (table[i].def) {
            int rc = read_text(&table[i], table[i].def, &self->values[i], NULL);
            STO_ASSERT(rc == 0); /* a default outside its own limits */
        }
    }
    return self;
}

void sto_settings_destroy(sto_settings_t **self_p)
{
    if (!self_p || !*self_p) {
        return;
    }
    sto_settings_t *self = *self_p;
    for (size_t i = 0; i < self->n; i++) {
        free(self->values[i].text);
    }
    free(self->values);
    free(self);
    *self_p = NULL;
}

/* A relative path read from a file means: beside that file. "" stays "" (not set). */
static char *absolute_path(const char *path, const char *folder)
{
    if (*path == '/' || *path == '\0') {
        return sto_xstrdup(path);
    }
    return sto_asprintf("%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/", path);
}

static char *folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    char *folder = slash ? sto_asprintf("%.*s", (int)(slash - file) + 1, file) : sto_xstrdup(".");
    char *real = realpath(folder, NULL);
    if (!real) {
        return folder;
    }
    free(folder);
    return real;
}

static enum sto_conf_type conf_type(enum sto_setting_type type)
{
    switch (type) {
    case STO_SET_INT:
        return STO_CONF_INT;
    case STO_SET_BOOL:
        return STO_CONF_BOOL;
    case STO_SET_STRING:
    case STO_SET_PATH:
        break;
    }
    return STO_CONF_STRING;
}

/* One setting of the file into v; findings to diags. */
static void read_node(const struct sto_setting *s, const struct sto_conf *root, const char *folder,
                      struct value *v, sto_diags_t *diags)
{
    struct sto_err err = {0};
    const struct sto_conf *c = sto_conf_need(root, s->key, conf_type(s->type), diags);
    if (!c) {
        return; /* of the wrong type, reported */
    }
    int rc = 0;
    if (s->type == STO_SET_INT) {
        rc = check_int(s, c->i, &err);
    } else if (s->type != STO_SET_BOOL) {
        rc = check_text(s, c->s, &err);
    }
    if (rc != 0) {
        sto_diag(diags, STO_SEV_ERROR, c->file, c->line, "out-of-range", "%s", err.what);
        return;
    }
    v->i = c->i;
    if (s->type == STO_SET_INT) {
        v->text = sto_asprintf("%" PRId64, c->i);
    } else if (s->type == STO_SET_BOOL) {
        v->text = sto_xstrdup(c->i ? "true" : "false");
    } else {
        v->text = s->type == STO_SET_PATH ? absolute_path(c->s, folder) : sto_xstrdup(c->s);
    }
}

static void read_tree(const sto_settings_t *self, const struct sto_conf *root, const char *path,
                      struct value *fresh, sto_diags_t *diags)
{
    const char **keys = sto_xcalloc(self->n + 1, sizeof(*keys));
    char *folder = folder_of(path);
    for (size_t i = 0; i < self->n; i++) {
        const struct sto_setting *s = &self->table[i];
        keys[i] = s->key;
        if (sto_conf_get(root, s->key)) {
            read_node(s, root, folder, &fresh[i], diags);
        } else if (!s->def && !self->values[i].assigned) {
            sto_diag(diags, STO_SEV_ERROR, path, 0, "missing-key", "'%s' is missing: %s", s->key,
                     s->help);
        }
    }
    sto_conf_known(root, keys, "settings", diags);
    free(folder);
    free(keys);
}

/* All or nothing. What the file does not name any more goes back to its default (reload). */
static void take(sto_settings_t *self, struct value *fresh, bool good)
{
    for (size_t i = 0; i < self->n; i++) {
        struct value *v = &self->values[i];
        if (!good || v->assigned) {
            free(fresh[i].text);
            continue;
        }
        if (!fresh[i].text && self->table[i].def) {
            int rc = read_text(&self->table[i], self->table[i].def, &fresh[i], NULL);
            STO_ASSERT(rc == 0);
        }
        if (fresh[i].text) {
            free(v->text);
            *v = fresh[i];
        }
    }
    free(fresh);
}

static int first_error(const sto_diags_t *diags, size_t from, struct sto_err *err)
{
    size_t first = sto_diags_count(diags), n = 0;
    for (size_t i = sto_diags_count(diags); i-- > from;) {
        if (sto_diags_at(diags, i)->severity == STO_SEV_ERROR) {
            first = i;
            n++;
        }
    }
    if (first == sto_diags_count(diags)) {
        return sto_fail(err, STO_E_CONFIG, "the settings hold errors");
    }
    const struct sto_diag *d = sto_diags_at(diags, first);
    int rc = sto_fail(err, STO_E_CONFIG, "%s%s", d->text, n > 1 ? " (and more errors)" : "");
    if (err) {
        snprintf(err->file, sizeof(err->file), "%s", d->file);
        err->line = d->line;
    }
    return rc;
}

int sto_settings_load(sto_settings_t *self, const char *path, sto_diags_t *diags,
                      struct sto_err *err)
{
    STO_ASSERT(self && path && diags);
    char *text = NULL;
    size_t len = 0;
    int rc = sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &len, err);
    if (rc != 0) {
        return rc;
    }
    size_t from = sto_diags_count(diags);
    size_t errors = sto_diags_errors(diags);
    const struct sto_conf *root = NULL;
    sto_arena_t *arena = sto_arena_new(TREE_BYTES);
    struct value *fresh = sto_xcalloc(self->n, sizeof(*fresh));
    sto_conf_parse(path, text, len, arena, diags, &root);
    free(text);
    if (root) {
        read_tree(self, root, path, fresh, diags);
    }
    sto_arena_destroy(&arena);
    bool good = sto_diags_errors(diags) == errors;
    take(self, fresh, good);
    return good ? 0 : first_error(diags, from, err);
}

static size_t find(const sto_settings_t *self, const char *key, size_t n)
{
    for (size_t i = 0; i < self->n; i++) {
        if (strlen(self->table[i].key) == n && memcmp(self->table[i].key, key, n) == 0) {
            return i;
        }
    }
    return self->n;
}

static int unknown_setting(const sto_settings_t *self, const char *key, size_t n,
                           struct sto_err *err)
{
    const char **keys = sto_xcalloc(self->n + 1, sizeof(*keys));
    for (size_t i = 0; i < self->n; i++) {
        keys[i] = self->table[i].key;
    }
    char *word = sto_asprintf("%.*s", n < 64 ? (int)n : 64, key);
    const char *near = sto_nearest(word, keys);
    int rc = sto_fail(err, STO_E_CONFIG, "unknown setting '%s'", word);
    if (near) {
        sto_err_fix(err, "did you mean '%s'?", near);
    }
    free(word);
    free(keys);
    return rc;
}

int sto_settings_set(sto_settings_t *self, const char *assignment, struct sto_err *err)
{
    STO_ASSERT(self && assignment);
    const char *eq = strchr(assignment, '=');
    if (!eq) {
        return sto_fail(err, STO_E_USAGE, "a setting must be given as key=value, got '%.80s'",
                        assignment);
    }
    size_t i = find(self, assignment, (size_t)(eq - assignment));
    if (i == self->n) {
        return unknown_setting(self, assignment, (size_t)(eq - assignment), err);
    }
    struct value fresh = {.assigned = true};
    int rc = read_text(&self->table[i], eq + 1, &fresh, err);
    if (rc != 0) {
        return rc;
    }
    char cwd[PATH_MAX];
    if (self->table[i].type == STO_SET_PATH && getcwd(cwd, sizeof(cwd))) {
        char *whole = absolute_path(fresh.text, cwd);
        free(fresh.text);
        fresh.text = whole;
    }
    free(self->values[i].text);
    self->values[i] = fresh;
    return 0;
}

static const struct value *get(const sto_settings_t *self, const char *key, bool number)
{
    STO_ASSERT(self && key);
    size_t i = find(self, key, strlen(key));
    STO_ASSERT(i < self->n); /* asked for a key that the table lacks */
    bool is_number = self->table[i].type == STO_SET_INT || self->table[i].type == STO_SET_BOOL;
    STO_ASSERT(is_number == number);
    return &self->values[i];
}

int64_t sto_settings_int(const sto_settings_t *self, const char *key)
{
    return get(self, key, true)->i;
}

bool sto_settings_bool(const sto_settings_t *self, const char *key)
{
    return get(self, key, true)->i != 0;
}

const char *sto_settings_str(const sto_settings_t *self, const char *key)
{
    return get(self, key, false)->text;
}

static void print_quoted(const char *s, FILE *out)
{
    fputc('"', out);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c == '\n') {
            fputs("\\n", out);
        } else if (c < ' ' || c == 0x7F) {
            fprintf(out, "\\x%02x", (unsigned)c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

/* "1..9 ms", "1..64 bytes", "" */
static void print_range(const struct sto_setting *s, FILE *out)
{
    if (s->type == STO_SET_INT) {
        fprintf(out, "%" PRId64 "..%" PRId64 "%s%s", s->min, s->max, *s->unit ? " " : "", s->unit);
    } else if (s->type != STO_SET_BOOL && s->max > 0) {
        fprintf(out, "%" PRId64 "..%" PRId64 " bytes", s->min, s->max);
    }
}

void sto_settings_print(const sto_settings_t *self, FILE *out)
{
    STO_ASSERT(self && out);
    for (size_t i = 0; i < self->n; i++) {
        const struct sto_setting *s = &self->table[i];
        const char *text = self->values[i].text;
        fprintf(out, "# %s", s->help);
        if (s->type == STO_SET_INT) {
            fputs(" (", out);
            print_range(s, out);
            fputc(')', out);
        }
        fprintf(out, "%s\n", s->reloadable ? "; reloadable" : "");
        if (!text) {
            fprintf(out, "# %s = ;  required, not given\n", s->key);
            continue;
        }
        fprintf(out, "%s = ", s->key);
        if (conf_type(s->type) == STO_CONF_STRING) {
            print_quoted(text, out);
        } else {
            fputs(text, out);
        }
        fputs(";\n", out);
    }
}

static void print_cell(const char *s, FILE *out)
{
    for (; *s; s++) {
        if (*s == '|') {
            fputc('\\', out);
        }
        fputc(*s == '\n' ? ' ' : *s, out);
    }
}

void sto_settings_print_reference(const struct sto_setting *table, FILE *out)
{
    static const char *const TYPES[] = {"integer", "boolean", "string", "path"};
    STO_ASSERT(table && out);
    fputs("| key | type | default | range | reloadable | meaning |\n", out);
    fputs("| --- | --- | --- | --- | --- | --- |\n", out);
    for (const struct sto_setting *s = table; s->key; s++) {
        fprintf(out, "| `%s` | %s | ", s->key, TYPES[s->type]);
        if (!s->def) {
            fputs("required", out);
        } else if (conf_type(s->type) == STO_CONF_STRING && !*s->def) {
            fputs("empty", out);
        } else {
            fputc('`', out);
            print_cell(s->def, out);
            fputc('`', out);
        }
        fputs(" | ", out);
        print_range(s, out);
        fprintf(out, " | %s | ", s->reloadable ? "yes" : "no");
        print_cell(s->help, out);
        fputs(" |\n", out);
    }
}
