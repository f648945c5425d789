/* SPDX-License-Identifier: EUPL-1.2 */
/* See workflow_bundle.h. Nothing is resolved here: it looks for steps of type call by their form.
 */
#include "workflow_bundle.h"

#include <stdio.h>
#include <string.h>

#include "sto_limits.h"

#define CALLED_MAX      32u /* workflows that one workflow calls, through others too */
#define ARENA_BYTES_MAX (64u << 20)

struct bundle {
    const struct workflow_source *source;
    sto_diags_t *diags;
    sto_arena_t *arena;
    struct {
        const char *id;
        struct model_file file, texts;
        bool readable;
    } called[CALLED_MAX];
    unsigned n;
    const char *own; /* the workflow's own id */
};

/* ------------------------------------------------------------------ looking for calls */

static const char *text_of(const struct sto_conf *g, const char *key)
{
    const struct sto_conf *c = sto_conf_get(g, key);
    return c && c->type == STO_CONF_STRING ? c->s : "";
}

static void add(struct bundle *b, const char *id, const struct sto_conf *at)
{
    for (unsigned k = 0; k < b->n; k++) {
        if (strcmp(b->called[k].id, id) == 0) {
            return;
        }
    }
    struct model_file file = {0}, texts = {0};
    if (strcmp(id, b->own) == 0 || !b->source->find(b->source->arg, id, &file, &texts)) {
        return;
    }
    if (b->n == CALLED_MAX) {
        sto_diag(b->diags, STO_SEV_ERROR, at->file, at->line, "too-many",
                 "a workflow calls at most %u others, through others too", CALLED_MAX);
        return;
    }
    b->called[b->n].id = id;
    b->called[b->n].file = file;
    b->called[b->n].texts = texts;
    b->n++;
}

static void look(struct bundle *b, const struct sto_conf *steps)
{
    for (const struct sto_conf *c = steps && steps->type == STO_CONF_GROUP ? steps->child : NULL; c;
         c = c->next) {
        if (strcmp(text_of(c, "type"), "call") == 0 && *text_of(c, "workflow")) {
            add(b, text_of(c, "workflow"), sto_conf_get(c, "workflow"));
        }
        look(b, sto_conf_get(c, "steps"));
        look(b, sto_conf_get(c, "meanwhile"));
    }
}

static const struct sto_conf *parsed(struct bundle *b, const struct model_file *f, bool *readable)
{
    const struct sto_conf *root = NULL;
    *readable = sto_conf_parse(f->name, f->text, f->len, b->arena, b->diags, &root) == 0;
    return root;
}

static void look_in(struct bundle *b, const struct sto_conf *root)
{
    const struct sto_conf *w = sto_conf_get(root, "workflow");
    look(b, sto_conf_get(w, "steps"));
    look(b, sto_conf_get(w, "meanwhile"));
}

/* ------------------------------------------------------------------ writing */

static void put(struct sto_buf *out, const char *s)
{
    sto_put_bytes(out, s, strlen(s));
}

/* As a string of libconfig. */
static void put_quoted(struct sto_buf *out, const char *s)
{
    put(out, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') {
            put(out, "\\");
        }
        sto_put_bytes(out, s, 1);
    }
    put(out, "\"");
}

/* The file's first line follows the line of the brace: that is how its lines are told. */
static void put_element(struct sto_buf *out, const char *id, const struct model_file *f)
{
    put(out, "{ id = ");
    put_quoted(out, id);
    put(out, ";\n");
    sto_put_bytes(out, f->text, f->len);
    put(out, "\n}");
}

static void put_called(struct bundle *b, struct sto_buf *out, bool texts)
{
    unsigned n = 0;
    for (unsigned k = 0; k < b->n; k++) {
        const struct model_file *f = texts ? &b->called[k].texts : &b->called[k].file;
        if (!b->called[k].readable || f->len == 0) {
            continue;
        }
        put(out, n++ ? ",\n" : "\ncalled :\n(\n");
        put_element(out, b->called[k].id, f);
    }
    if (n) {
        put(out, "\n);\n");
    }
}

int workflow_bundle(const struct model_file *file, const struct model_file *texts,
                    const struct workflow_source *source, sto_diags_t *diags, struct sto_buf *cfg,
                    struct sto_buf *texts_out)
{
    STO_ASSERT(file && source && source->find && diags && cfg && texts_out);
    /* Its own list: what a file's second reading finds may stand in the caller's already. */
    struct bundle b = {
        .source = source, .diags = sto_diags_new(), .arena = sto_arena_new(ARENA_BYTES_MAX)};
    bool readable;
    const struct sto_conf *root = parsed(&b, file, &readable);
    b.own = text_of(sto_conf_get(root, "workflow"), "id");
    if (!sto_conf_get(root, "called")) { /* else it is a bundle already */
        look_in(&b, root);
    }
    for (unsigned k = 0; k < b.n; k++) { /* grows meanwhile */
        bool texts_readable = true;
        root = parsed(&b, &b.called[k].file, &readable);
        if (b.called[k].texts.len) {
            (void)parsed(&b, &b.called[k].texts, &texts_readable);
        }
        b.called[k].readable = readable && texts_readable;
        look_in(&b, root);
    }
    sto_put_bytes(cfg, file->text, file->len);
    put_called(&b, cfg, false);
    if (texts && texts->len) {
        sto_put_bytes(texts_out, texts->text, texts->len);
        put_called(&b, texts_out, true);
    }
    int rc = 0;
    if (cfg->failed || texts_out->failed || cfg->len > STO_CONF_FILE_BYTES_MAX ||
        texts_out->len > STO_CONF_FILE_BYTES_MAX) {
        sto_diag(b.diags, STO_SEV_ERROR, file->name, 1, "too-large",
                 "with all that it calls the workflow has more than %u bytes",
                 STO_CONF_FILE_BYTES_MAX);
        rc = -STO_E_CONFIG;
    }
    sto_diags_merge(diags, b.diags);
    sto_diags_destroy(&b.diags);
    sto_arena_destroy(&b.arena);
    return rc;
}

/* ------------------------------------------------------------------ reading */

static struct sto_conf *relined(const struct sto_conf *c, const struct sto_conf *parent,
                                const char *file, int before, sto_arena_t *arena)
{
    struct sto_conf *out = sto_arena_alloc(arena, sizeof(*out));
    if (!out) {
        return NULL;
    }
    *out = *c;
    out->file = file;
    out->line = c->line - before;
    out->parent = parent;
    out->child = out->next = NULL;
    const struct sto_conf **tail = &out->child;
    for (const struct sto_conf *k = c->child; k; k = k->next) {
        struct sto_conf *copy = relined(k, out, file, before, arena);
        if (!copy) {
            return NULL;
        }
        *tail = copy;
        tail = &copy->next;
    }
    return out;
}

static const char *id_of(const struct sto_conf *element)
{
    return text_of(element, "id");
}

void workflow_beside(const char *own, const char *id, const char *leaf, char *out, size_t cap)
{
    STO_ASSERT(own && id && leaf && out && cap > 0);
    const char *end = strrchr(own, '/'); /* of the folder's path */
    size_t n = end ? (size_t)(end - own) : 0, last = n;
    while (last > 0 && own[last - 1] != '/') {
        last--;
    }
    bool relative = (n - last == 1 && own[last] == '.') ||
                    (n - last == 2 && own[last] == '.' && own[last + 1] == '.');
    (void)snprintf(out, cap, "%.*s%s%s/%s", (int)(relative ? n : last), own, relative ? "/../" : "",
                   id, leaf);
}

const struct sto_conf *workflow_called(const struct sto_conf *called, const char *key,
                                       const char *id, const char *own, sto_arena_t *arena)
{
    bool texts = strcmp(key, "texts") == 0;
    char path[WORKFLOW_PATH_BYTES];
    workflow_beside(own, id, texts ? "texts.cfg" : "workflow.cfg", path, sizeof(path));
    const char *file = sto_arena_strdup(arena, path);
    for (const struct sto_conf *e = called ? called->child : NULL; e; e = e->next) {
        const struct sto_conf *g = sto_conf_get(e, key);
        if (file && g && g->type == STO_CONF_GROUP && strcmp(id_of(e), id) == 0) {
            return relined(g, NULL, file, e->line, arena);
        }
    }
    return NULL;
}

const char *const *workflow_called_ids(const struct sto_conf *called, sto_arena_t *arena)
{
    static const char *const NONE[] = {NULL};
    size_t n = called ? called->n_children : 0;
    const char **ids = sto_arena_alloc(arena, (n + 1) * sizeof(*ids));
    n = 0;
    for (const struct sto_conf *e = called ? called->child : NULL; ids && e; e = e->next) {
        ids[n++] = id_of(e);
    }
    return ids ? ids : NONE;
}
