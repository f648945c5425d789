/* SPDX-License-Identifier: EUPL-1.2 */
/* From the files themselves, not from what is compiled of them: so no key is ever left out. */
#include "flow_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_buf.h"
#include "sto_file.h"
#include "workflow_bundle.h"

#define PARSE_BYTES ((size_t)64 * 1024 * 1024)

static const char *kept(const struct flow_facts *f, char *s)
{
    const char *copy = sto_arena_strdup(f->arena, s);
    free(s);
    return copy != NULL ? copy : "";
}

static void add(struct flow_facts *f, const char *subject, const char *aspect, const char *value,
                bool list)
{
    if (f->n == f->cap) {
        f->cap = f->cap > 0 ? 2 * f->cap : 256;
        f->v = sto_xrealloc(f->v, f->cap * sizeof *f->v);
    }
    if (f->called != NULL) {
        subject = kept(f, sto_asprintf("called '%s': %s", f->called, subject));
    }
    f->v[f->n++] = (struct flow_fact){.subject = subject,
                                      .aspect = kept(f, sto_xstrdup(aspect)),
                                      .value = kept(f, sto_xstrdup(value)),
                                      .list = list};
}

void flow_facts_release(struct flow_facts *f)
{
    free(f->v);
    *f = (struct flow_facts){0};
}

const struct flow_fact *flow_fact_find(const struct flow_facts *f, const char *subject,
                                       const char *aspect)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->v[i].subject, subject) == 0 &&
            (aspect == NULL || strcmp(f->v[i].aspect, aspect) == 0)) {
            return &f->v[i];
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------ as text */

static void render(struct sto_buf *b, const struct sto_conf *c);

static void put(struct sto_buf *b, const char *s)
{
    sto_put_bytes(b, s, strlen(s));
}

static void render_inner(struct sto_buf *b, const struct sto_conf *c)
{
    for (const struct sto_conf *x = c->child; x != NULL; x = x->next) {
        if (x->name != NULL) {
            put(b, x->name);
            put(b, " ");
        }
        render(b, x);
        put(b, x->next != NULL ? ", " : "");
    }
}

static void render(struct sto_buf *b, const struct sto_conf *c)
{
    char s[40];
    switch (c->type) {
    case STO_CONF_STRING:
        put(b, c->s);
        break;
    case STO_CONF_INT:
        snprintf(s, sizeof s, "%" PRId64, c->i);
        put(b, s);
        break;
    case STO_CONF_FLOAT:
        snprintf(s, sizeof s, "%g", c->f);
        put(b, s);
        break;
    case STO_CONF_BOOL:
        put(b, c->i != 0 ? "yes" : "no");
        break;
    case STO_CONF_ARRAY:
        render_inner(b, c);
        break;
    case STO_CONF_GROUP:
    case STO_CONF_LIST:
        put(b, "(");
        render_inner(b, c);
        put(b, ")");
        break;
    }
}

static const char *value_of(const struct flow_facts *f, const struct sto_conf *c)
{
    struct sto_buf b;
    sto_buf_init(&b, 0);
    render(&b, c);
    const char *s = sto_arena_strndup(f->arena, b.len > 0 ? (const char *)b.data : "", b.len);
    sto_buf_release(&b);
    return s != NULL ? s : "";
}

/* ---------------------------------------------------------------------- parts */

static void add_steps(struct flow_facts *f, const struct sto_conf *steps, const char *where);

static const char *target_text(const struct flow_facts *f, const char *to)
{
    if (strncmp(to, "leave:", 6) == 0) {
        return kept(f, sto_asprintf("leaves the stage by '%s'", to + 6));
    }
    return strcmp(to, "join") == 0   ? "ends the branch"
           : strcmp(to, "stay") == 0 ? "stays on the step"
                                     : kept(f, sto_asprintf("leads to '%s'", to));
}

static void add_exit(struct flow_facts *f, const char *subject, const struct sto_conf *c,
                     const char *name)
{
    const char *aspect = kept(f, sto_asprintf("exit '%s'", name));
    if (c->type == STO_CONF_STRING) {
        add(f, subject, aspect, target_text(f, c->s), false);
        return;
    }
    for (const struct sto_conf *x = c->child; c->type == STO_CONF_GROUP && x != NULL; x = x->next) {
        if (strcmp(x->name, "to") == 0 && x->type == STO_CONF_STRING) {
            add(f, subject, aspect, target_text(f, x->s), false);
        } else {
            add(f, subject, kept(f, sto_asprintf("%s %s", aspect, x->name)), value_of(f, x),
                x->type == STO_CONF_ARRAY);
        }
    }
}

static void add_rules(struct flow_facts *f, const char *subject, const struct sto_conf *rules)
{
    unsigned n = 0;
    for (const struct sto_conf *r = rules->child; r != NULL; r = r->next) {
        const struct sto_conf *when = r->type == STO_CONF_GROUP ? sto_conf_get(r, "when") : NULL;
        const struct sto_conf *to = r->type == STO_CONF_GROUP ? sto_conf_get(r, "to") : NULL;
        const char *target = to != NULL && to->type == STO_CONF_STRING ? target_text(f, to->s) : "";
        const char *s = when != NULL && when->type == STO_CONF_STRING
                            ? kept(f, sto_asprintf("if %s, %s", when->s, target))
                            : kept(f, sto_asprintf("otherwise %s", target));
        add(f, subject, kept(f, sto_asprintf("rule %u", ++n)), s, false);
    }
}

/* One key of a group; groups inside it become aspects of two words. */
static void add_key(struct flow_facts *f, const char *subject, const struct sto_conf *c)
{
    if (strcmp(c->name, "on") == 0 && c->type == STO_CONF_GROUP) {
        for (const struct sto_conf *x = c->child; x != NULL; x = x->next) {
            add_exit(f, subject, x, x->name);
        }
    } else if (strcmp(c->name, "next") == 0 && c->type == STO_CONF_STRING) {
        add_exit(f, subject, c, "done");
    } else if (strcmp(c->name, "rules") == 0 && c->type == STO_CONF_LIST) {
        add_rules(f, subject, c);
    } else if (c->type == STO_CONF_GROUP) {
        for (const struct sto_conf *x = c->child; x != NULL; x = x->next) {
            add(f, subject, kept(f, sto_asprintf("%s %s", c->name, x->name)), value_of(f, x),
                x->type == STO_CONF_ARRAY);
        }
    } else {
        add(f, subject, c->name, value_of(f, c), c->type == STO_CONF_ARRAY);
    }
}

static void add_step(struct flow_facts *f, const struct sto_conf *s, const char *where)
{
    const char *subject = kept(f, sto_asprintf("step '%s'", s->name));
    add(f, subject, "where", where, false);
    for (const struct sto_conf *c = s->type == STO_CONF_GROUP ? s->child : NULL; c != NULL;
         c = c->next) {
        if (strcmp(c->name, "steps") == 0) {
            add_steps(f, c, kept(f, sto_asprintf("inside '%s'", s->name)));
        } else if (strcmp(c->name, "meanwhile") == 0) {
            add_steps(f, c, kept(f, sto_asprintf("beside '%s'", s->name)));
        } else {
            add_key(f, subject, c);
        }
    }
}

static void add_steps(struct flow_facts *f, const struct sto_conf *steps, const char *where)
{
    for (const struct sto_conf *s = steps->type == STO_CONF_GROUP ? steps->child : NULL; s != NULL;
         s = s->next) {
        add_step(f, s, where);
    }
}

static void add_named(struct flow_facts *f, const char *kind, const struct sto_conf *g)
{
    for (const struct sto_conf *x = g->type == STO_CONF_GROUP ? g->child : NULL; x != NULL;
         x = x->next) {
        const char *subject = kept(f, sto_asprintf("%s '%s'", kind, x->name));
        if (x->type != STO_CONF_GROUP) {
            add(f, subject, "value", value_of(f, x), false);
            continue;
        }
        for (const struct sto_conf *c = x->child; c != NULL; c = c->next) {
            add_key(f, subject, c);
        }
    }
}

static void add_workflow(struct flow_facts *f, const struct sto_conf *w)
{
    static const char *const NAMED[][2] = {{"roles", "role"},       {"settings", "setting"},
                                           {"data", "field"},       {"consents", "consent"},
                                           {"messages", "message"}, {NULL, NULL}};
    for (const struct sto_conf *c = w->child; c != NULL; c = c->next) {
        unsigned k = 0;
        while (NAMED[k][0] != NULL && strcmp(NAMED[k][0], c->name) != 0) {
            k++;
        }
        if (NAMED[k][0] != NULL) {
            add_named(f, NAMED[k][1], c);
        } else if (strcmp(c->name, "steps") == 0) {
            add_steps(f, c, "in the workflow");
        } else if (strcmp(c->name, "meanwhile") == 0) {
            add_steps(f, c, "beside the whole case");
        } else if (strcmp(c->name, "start") == 0 && c->type == STO_CONF_GROUP) {
            for (const struct sto_conf *x = c->child; x != NULL; x = x->next) {
                add_key(f, "the start", x);
            }
        } else if (strcmp(c->name, "version") != 0) {
            add_key(f, "the workflow", c);
        }
    }
}

static int parse(const struct model_file *file, sto_arena_t *arena, sto_diags_t *diags,
                 const struct sto_conf **root, struct sto_err *err)
{
    *root = NULL;
    return sto_conf_parse(file->name, file->text, file->len, arena, diags, root) == 0
               ? 0
               : sto_fail(err, STO_E_CONFIG, "'%s' has faults", file->name);
}

static const struct sto_conf *group(const struct sto_conf *root, const char *name)
{
    const struct sto_conf *g = root != NULL ? sto_conf_get(root, name) : NULL;
    return g != NULL && g->type == STO_CONF_GROUP ? g : NULL;
}

static void add_one(struct flow_facts *f, const struct sto_conf *w, const struct sto_conf *texts)
{
    const struct sto_conf *version = sto_conf_get(w, "version");
    add(f, "the workflow", "version", version != NULL ? value_of(f, version) : "", false);
    add_workflow(f, w);
    if (texts != NULL) {
        add_named(f, "text", texts);
    }
}

static void add_called(struct flow_facts *f, const struct sto_conf *cfg,
                       const struct sto_conf *texts, const char *own, sto_arena_t *arena)
{
    const struct sto_conf *list = sto_conf_get(cfg, "called");
    const struct sto_conf *more = texts != NULL ? sto_conf_get(texts, "called") : NULL;
    const char *const *ids = list != NULL ? workflow_called_ids(list, arena) : NULL;
    for (; ids != NULL && *ids != NULL; ids++) {
        const struct sto_conf *w = workflow_called(list, "workflow", *ids, own, arena);
        const struct sto_conf *t =
            more != NULL ? workflow_called(more, "texts", *ids, own, arena) : NULL;
        f->called = kept(f, sto_xstrdup(*ids));
        if (w != NULL) {
            add_one(f, w, t);
        }
    }
    f->called = NULL;
}

int flow_facts_read(const struct model_file *cfg, const struct model_file *texts,
                    struct flow_facts *out, sto_diags_t *diags, struct sto_err *err)
{
    sto_arena_t *scratch = sto_arena_new(PARSE_BYTES);
    const struct sto_conf *root = NULL, *words = NULL;
    int rc = parse(cfg, scratch, diags, &root, err);
    rc = rc != 0 ? rc : parse(texts, scratch, diags, &words, err);
    if (rc == 0 && group(root, "workflow") == NULL) {
        rc = sto_fail(err, STO_E_CONFIG, "'%s' holds no group 'workflow'", cfg->name);
    }
    if (rc == 0) {
        add_one(out, group(root, "workflow"), group(words, "texts"));
        add_called(out, root, words, cfg->name, scratch);
    }
    sto_arena_destroy(&scratch);
    return rc;
}
