/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * texts.cfg: what people read, in Finnish, Swedish and English. A missing language is an error.
 * Texts of called workflows come along under their names in the case ("support.find"), and those
 * of exits and codes under the plain name too unless the workflow says it itself.
 */
#include <stdio.h>
#include <string.h>

#include "sto_limits.h"
#include "workflow_scope.h"

#define TEXT_BYTES_MAX 2000u
#define KEYS_MAX       2048u
#define ROWS_MAX       8192u

struct texts {
    struct wf_load *x;
    const struct wf_scope *own;
    struct wf_texts *out;
    const char *known[KEYS_MAX + 1]; /* that the workflow uses or may use */
    unsigned n_known;
};

static void know(struct texts *t, const char *key)
{
    if (*key && t->n_known < KEYS_MAX) {
        t->known[t->n_known++] = key;
    }
}

/* ------------------------------------------------------------------ what must be there */

static void need(struct texts *t, const struct wf_scope *s, const char *key, const char *what)
{
    if (s == t->own) {
        know(t, key);
    }
    if (*key && s->texts && !sto_conf_get(s->texts, key)) {
        load_err(&t->x->l, s->texts, "missing-text",
                 "%s '%s' has no text; write %s : { fi = \"…\"; sv = \"…\"; en = \"…\"; };", what,
                 key, key);
    }
}

static const char *text_of(const struct sto_conf *g, const char *key)
{
    const struct sto_conf *c = sto_conf_get(g, key);
    return c && c->type == STO_CONF_STRING ? c->s : "";
}

static void need_step(struct texts *t, unsigned k)
{
    const struct wf_scope *s = wf_scope_workflow(t->x->scope_of[k]);
    const struct sto_conf *c = t->x->node[k];
    need(t, s, c->name, "step");
    if (t->x->w->steps[k].type == STEP_NOTIFY) {
        need(t, s, text_of(c, "text"), "notice");
    }
}

static void need_outcomes(struct texts *t, const struct wf_scope *s)
{
    const struct sto_conf *steps = sto_conf_get(s->root, "steps");
    for (const struct sto_conf *c = steps && steps->type == STO_CONF_GROUP ? steps->child : NULL; c;
         c = c->next) {
        const char *outcome = text_of(c, "outcome");
        if (strcmp(text_of(c, "type"), "end") == 0) {
            need(t, s, c->name, "step");
            if (strcmp(outcome, c->name) != 0) {
                need(t, s, outcome, "outcome");
            }
        }
    }
}

static void know_names(struct texts *t, const char *group)
{
    const struct sto_conf *g = sto_conf_get(t->own->root, group);
    for (const struct sto_conf *c = g && g->type == STO_CONF_GROUP ? g->child : NULL; c;
         c = c->next) {
        know(t, c->name);
    }
}

static void need_all(struct texts *t)
{
    const workflow_t *w = t->x->w;
    need(t, t->own, w->id, "workflow");
    need_outcomes(t, t->own);
    for (unsigned k = 0; k < w->n_steps; k++) {
        need_step(t, k);
        if (t->x->inner[k]) {
            need(t, t->x->inner[k], w->steps[k].calls, "workflow");
            need_outcomes(t, t->x->inner[k]);
        }
    }
    know_names(t, "data");
    know_names(t, "roles");
    know_names(t, "messages");
    know_names(t, "consents");
    for (unsigned k = 0; k < w->n_fields; k++) {
        know(t, w->fields[k].id);
        for (unsigned v = 0; v < w->fields[k].n_values; v++) {
            know(t, w->fields[k].values[v]);
        }
    }
    for (unsigned k = 1; k < w->n_exits; k++) {
        know(t, w->exits[k]);
    }
    t->known[t->n_known] = NULL;
}

/* ------------------------------------------------------------------ rows */

static const struct wf_text *row_of(const struct wf_texts *out, const char *key)
{
    for (unsigned k = 0; k < out->n; k++) {
        if (strcmp(out->rows[k].key, key) == 0) {
            return &out->rows[k];
        }
    }
    return NULL;
}

static void put(struct texts *t, const char *key, const struct wf_text *text)
{
    if (t->out->n < ROWS_MAX && !row_of(t->out, key)) {
        t->out->rows[t->out->n] = *text;
        t->out->rows[t->out->n++].key = load_keep(&t->x->l, key);
    }
}

static const char *language(struct texts *t, const struct sto_conf *c, const char *lang)
{
    if (!sto_conf_get(c, lang)) {
        load_err(&t->x->l, c, "missing-language", "text '%s' is missing in '%s'", c->name, lang);
        return "";
    }
    return load_str(&t->x->l, c, lang, "", TEXT_BYTES_MAX);
}

static bool load_text(struct texts *t, const struct sto_conf *c, struct wf_text *out)
{
    static const char *const LANGS[] = {"fi", "sv", "en", NULL};
    struct load *l = &t->x->l;
    if (c->type != STO_CONF_GROUP) {
        load_err(l, c, "wrong-type",
                 "text '%s' must be a group { fi = \"…\"; sv = \"…\"; en = \"…\"; }", c->name);
        return false;
    }
    sto_conf_known(c, LANGS, "text", l->diags);
    *out = (struct wf_text){
        .fi = language(t, c, "fi"), .sv = language(t, c, "sv"), .en = language(t, c, "en")};
    return true;
}

static void load_own(struct texts *t)
{
    for (const struct sto_conf *c = t->own->texts->child; c; c = c->next) {
        struct wf_text text;
        bool used = false;
        for (unsigned k = 0; k < t->n_known; k++) {
            used = used || strcmp(t->known[k], c->name) == 0;
        }
        if (!used) {
            const char *near = sto_nearest(c->name, t->known);
            load_warn(&t->x->l, c, "unused-text",
                      "text '%s' belongs to nothing in the workflow%s%s%s", c->name,
                      near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        if (load_text(t, c, &text)) {
            put(t, c->name, &text);
        }
    }
}

static void load_called(struct texts *t, const struct wf_scope *s)
{
    char key[8 * STO_NAME_BYTES_MAX];
    for (const struct sto_conf *c = s->texts ? s->texts->child : NULL; c; c = c->next) {
        struct wf_text text;
        if (load_text(t, c, &text)) {
            (void)snprintf(key, sizeof(key), "%s%.*s", s->prefix, (int)STO_NAME_BYTES_MAX, c->name);
            put(t, key, &text);
            put(t, c->name, &text);
        }
    }
}

/* What has one name in the file and another in each branch. */
static void copy_branches(struct texts *t)
{
    const workflow_t *w = t->x->w;
    unsigned all = (unsigned)w->n_steps + w->n_fields + w->n_roles;
    for (unsigned k = 0; k < all; k++) {
        unsigned f = k - w->n_steps, r = k - w->n_steps - w->n_fields;
        bool step = k < w->n_steps, field = !step && f < w->n_fields;
        const char *id = step ? w->steps[k].id : field ? w->fields[f].id : w->roles[r].id;
        const struct sto_conf *node = step    ? t->x->node[k]
                                      : field ? t->x->field_node[f]
                                              : t->x->role_node[r];
        const char *dot = strrchr(id, '.');
        char key[8 * STO_NAME_BYTES_MAX];
        if (!node || !strchr(id, '#')) {
            continue;
        }
        (void)snprintf(key, sizeof(key), "%.*s%.*s", dot ? (int)(dot + 1 - id) : 0, id,
                       (int)STO_NAME_BYTES_MAX, node->name);
        const struct wf_text *text = row_of(t->out, key);
        if (text) {
            put(t, id, &(struct wf_text){.fi = text->fi, .sv = text->sv, .en = text->en});
        }
    }
}

void wf_load_texts(struct wf_load *x, bool given)
{
    if (!given) {
        sto_diag(x->l.diags, STO_SEV_WARNING, x->root->file, x->root->line, "no-texts",
                 "workflow '%s' has no texts.cfg; people would read bare names", x->w->id);
        return;
    }
    struct texts *t = sto_arena_alloc(x->l.scratch, sizeof(*t));
    struct wf_texts *out = load_alloc(&x->l, sizeof(*out));
    struct wf_text *rows = sto_arena_alloc(x->l.scratch, ROWS_MAX * sizeof(*rows));
    if (!t || !out || !rows || !x->texts) {
        return;
    }
    *t = (struct texts){.x = x, .own = x->scope, .out = out};
    out->rows = rows;
    need_all(t);
    load_own(t);
    for (unsigned k = 0; k < x->w->n_steps; k++) {
        if (x->inner[k]) {
            load_called(t, x->inner[k]);
        }
    }
    copy_branches(t);
    out->rows = load_alloc(&x->l, (out->n + 1u) * sizeof(*rows));
    if (out->rows) {
        memcpy(out->rows, rows, out->n * sizeof(*rows));
        x->w->texts = out;
    }
}
