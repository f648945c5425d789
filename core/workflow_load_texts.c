/* SPDX-License-Identifier: EUPL-1.2 */
/* texts.cfg: what people read, in Finnish, Swedish and English. A missing language is an error. */
#include <string.h>

#include "sto_limits.h"
#include "workflow_load.h"

#define TEXT_BYTES_MAX 2000u
#define KEYS_MAX       320u

struct texts {
    struct wf_load *x;
    const struct sto_conf *g; /* group `texts` */
    const char *file;
    const char *known[KEYS_MAX + 1]; /* that the workflow uses or may use */
    unsigned n_known;
};

static void know(struct texts *t, const char *key)
{
    if (*key && t->n_known < KEYS_MAX) {
        t->known[t->n_known++] = key;
    }
}

static void need(struct texts *t, const char *key, const char *what)
{
    know(t, key);
    if (*key && !sto_conf_get(t->g, key)) {
        sto_diag(t->x->l.diags, STO_SEV_ERROR, t->file, t->g->line, "missing-text",
                 "%s '%s' has no text; write %s : { fi = \"…\"; sv = \"…\"; en = \"…\"; };", what,
                 key, key);
    }
}

static void need_all(struct texts *t)
{
    const workflow_t *w = t->x->w;
    need(t, w->id, "workflow");
    for (unsigned k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        need(t, s->id, "step");
        if (s->type == STEP_END && strcmp(s->id, s->outcome) != 0) {
            need(t, s->outcome, "outcome");
        }
        if (s->type == STEP_NOTIFY) {
            need(t, s->text, "notice");
        }
    }
    for (unsigned k = 0; k < w->n_fields; k++) {
        know(t, w->fields[k].id);
        for (unsigned v = 0; v < w->fields[k].n_values; v++) {
            know(t, w->fields[k].values[v]);
        }
    }
    for (unsigned k = 0; k < w->n_roles; k++) {
        know(t, w->roles[k].id);
    }
    for (unsigned k = 0; k < w->n_messages; k++) {
        know(t, w->messages[k].id);
    }
    for (unsigned k = 0; k < w->n_consents; k++) {
        know(t, w->consents[k].id);
    }
    for (unsigned k = 1; k < w->n_exits; k++) {
        know(t, w->exits[k]);
    }
    t->known[t->n_known] = NULL;
}

static const char *language(struct texts *t, const struct sto_conf *c, const char *lang)
{
    if (!sto_conf_get(c, lang)) {
        load_err(&t->x->l, c, "missing-language", "text '%s' is missing in '%s'", c->name, lang);
        return "";
    }
    return load_str(&t->x->l, c, lang, "", TEXT_BYTES_MAX);
}

static void load_text(struct texts *t, struct wf_texts *out, const struct sto_conf *c)
{
    static const char *const LANGS[] = {"fi", "sv", "en", NULL};
    struct load *l = &t->x->l;
    if (c->type != STO_CONF_GROUP) {
        load_err(l, c, "wrong-type",
                 "text '%s' must be a group { fi = \"…\"; sv = \"…\"; en = \"…\"; }", c->name);
        return;
    }
    sto_conf_known(c, LANGS, "text", l->diags);
    bool used = false;
    for (unsigned k = 0; k < t->n_known; k++) {
        used = used || strcmp(t->known[k], c->name) == 0;
    }
    if (!used) {
        const char *near = sto_nearest(c->name, t->known);
        load_warn(l, c, "unused-text", "text '%s' belongs to nothing in the workflow%s%s%s",
                  c->name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    struct wf_text *row = &out->rows[out->n++];
    row->key = load_keep(l, c->name);
    row->fi = language(t, c, "fi");
    row->sv = language(t, c, "sv");
    row->en = language(t, c, "en");
}

void wf_load_texts(struct wf_load *x, const struct model_file *texts)
{
    static const char *const KEYS[] = {"texts", NULL};
    const struct sto_conf *root = NULL;
    if (!texts || texts->len == 0) {
        sto_diag(x->l.diags, STO_SEV_WARNING, x->root->file, x->root->line, "no-texts",
                 "workflow '%s' has no texts.cfg; people would read bare names", x->w->id);
        return;
    }
    sto_conf_parse(texts->name, texts->text, texts->len, x->l.scratch, x->l.diags, &root);
    if (!root) {
        return;
    }
    sto_conf_known(root, KEYS, "texts file", x->l.diags);
    const struct sto_conf *g = sto_conf_need(root, "texts", STO_CONF_GROUP, x->l.diags);
    struct texts *t = sto_arena_alloc(x->l.scratch, sizeof(*t));
    struct wf_texts *out = load_alloc(&x->l, sizeof(*out));
    if (!g || !t || !out) {
        return;
    }
    *t = (struct texts){.x = x, .g = g, .file = texts->name};
    need_all(t);
    out->rows = load_alloc(&x->l, (g->n_children + 1) * sizeof(*out->rows));
    for (const struct sto_conf *c = g->child; c && out->rows; c = c->next) {
        load_text(t, out, c);
    }
    x->w->texts = out;
}
