/* SPDX-License-Identifier: EUPL-1.2 */
#include "conf_items.h"

#include <string.h>

enum kind { KIND_END, KIND_WORD, KIND_TEXT, KIND_PUNCT, KIND_COMMENT };
struct token {
    enum kind kind;
    struct conf_slice at;
    unsigned newlines; /* before it */
};
struct reader {
    const char *p, *end;
    struct token tok; /* not yet taken */
    sto_arena_t *arena;
    bool full;
};

static size_t comment_len(const char *p, const char *end)
{
    const char *q = p + 1;
    if (*p == '/' && q < end && *q == '*') {
        for (q++; q + 1 < end && !(q[0] == '*' && q[1] == '/'); q++) {
        }
        return (size_t)((q + 2 < end ? q + 2 : end) - p);
    }
    while (q < end && *q != '\n') {
        q++;
    }
    while (q > p && strchr(" \t\r\f", q[-1]) != NULL) {
        q--;
    }
    return (size_t)(q - p);
}

static size_t text_len(const char *p, const char *end)
{
    const char *q = p + 1;
    while (q < end && *q != '"') {
        q += *q == '\\' && q + 1 < end ? 2 : 1;
    }
    return (size_t)((q < end ? q + 1 : end) - p);
}

static size_t word_len(const char *p, const char *end)
{
    const char *q = p;
    while (q < end && *q != '\0' && strchr(" \t\r\n\f{}()[]=:;,\"#", *q) == NULL &&
           !(*q == '/' && q + 1 < end && (q[1] == '/' || q[1] == '*'))) {
        q++;
    }
    return q > p ? (size_t)(q - p) : 1;
}

static void advance(struct reader *r)
{
    struct token t = {.kind = KIND_END};
    while (r->p < r->end && strchr(" \t\r\n\f", *r->p) != NULL) {
        t.newlines += *r->p == '\n';
        r->p++;
    }
    size_t n = 0;
    if (r->p < r->end) {
        bool slash = *r->p == '/' && r->p + 1 < r->end && (r->p[1] == '/' || r->p[1] == '*');
        if (*r->p == '#' || slash) {
            t.kind = KIND_COMMENT;
            n = comment_len(r->p, r->end);
        } else if (*r->p == '"') {
            t.kind = KIND_TEXT;
            n = text_len(r->p, r->end);
        } else if (strchr("{}()[]=:;,", *r->p) != NULL) {
            t.kind = KIND_PUNCT;
            n = 1;
        } else {
            t.kind = KIND_WORD;
            n = word_len(r->p, r->end);
        }
    }
    t.at = (struct conf_slice){.s = r->p, .n = n};
    r->p += n;
    r->tok = t;
}

static void *get(struct reader *r, size_t n)
{
    void *p = r->full ? NULL : sto_arena_alloc(r->arena, n);
    r->full = p == NULL;
    return p;
}

static void comments_init(struct conf_comments *c)
{
    *c = (struct conf_comments){.first = NULL};
}

static void comments_add(struct conf_comments *c, struct conf_comment *x)
{
    if (c->last == NULL) {
        c->last = &c->first;
    }
    *c->last = x;
    c->last = &x->next;
}

static void comments_move(struct conf_comments *to, struct conf_comments *from)
{
    for (struct conf_comment *x = from->first, *next; x != NULL; x = next) {
        next = x->next;
        x->next = NULL;
        comments_add(to, x);
    }
    comments_init(from);
}

/* All comments that stand here; same_line: only those before the line ends. */
static void take_comments(struct reader *r, struct conf_comments *into, bool same_line)
{
    while (r->tok.kind == KIND_COMMENT && (!same_line || r->tok.newlines == 0)) {
        struct conf_comment *x = get(r, sizeof *x);
        if (x == NULL) {
            return;
        }
        x->text = r->tok.at;
        x->blank_before = r->tok.newlines > 1;
        comments_add(into, x);
        advance(r);
    }
}

static bool at(const struct reader *r, char c)
{
    return r->tok.kind == KIND_PUNCT && *r->tok.at.s == c;
}

static void read_items(struct reader *r, struct conf_item *into, char closer);

static char closer_of(char open)
{
    return open == '{' ? '}' : open == '(' ? ')' : ']';
}

static void read_value(struct reader *r, struct conf_item *x)
{
    if (r->tok.kind == KIND_PUNCT && strchr("{([", *r->tok.at.s) != NULL) {
        x->open = *r->tok.at.s;
        advance(r);
        x->block = r->tok.newlines > 0;
        read_items(r, x, closer_of(x->open));
        if (r->tok.kind != KIND_END) {
            advance(r);
        }
    } else if (r->tok.kind != KIND_END) {
        x->scalar = r->tok.at;
        advance(r);
    }
}

/* after: gets the comments that stand below the item. */
static void read_item(struct reader *r, struct conf_item *x, bool named,
                      struct conf_comments *after)
{
    if (named) {
        x->name = r->tok.at;
        advance(r);
        take_comments(r, &x->behind_name, false);
        if (at(r, ':') || at(r, '=')) {
            advance(r);
        }
        take_comments(r, &x->behind_name, false);
    }
    read_value(r, x);
    if (x->open == '\0') {
        comments_move(&x->before, &x->behind_name); /* a plain value stays on its name's line */
    }
    take_comments(r, &x->trailing, true);
    take_comments(r, after, false);
    if (at(r, ';') || at(r, ',')) {
        comments_move(&x->trailing, after); /* those between the value and its mark */
        advance(r);
        take_comments(r, &x->trailing, true);
    }
}

static void read_items(struct reader *r, struct conf_item *into, char closer)
{
    struct conf_item **link = &into->child;
    bool named = closer == '}' || closer == '\0';
    struct conf_comments before = {0};
    for (;;) {
        unsigned newlines = r->tok.newlines;
        bool comment = r->tok.kind == KIND_COMMENT;
        take_comments(r, &before, false);
        if (r->tok.kind == KIND_END || (closer != '\0' && at(r, closer)) || r->full) {
            break;
        }
        struct conf_item *x = get(r, sizeof *x);
        if (x == NULL) {
            break;
        }
        x->breaks = newlines > 0 || comment;
        x->blank_before = r->tok.newlines > 1;
        comments_move(&x->before, &before);
        read_item(r, x, named, &before);
        *link = x;
        link = &x->next;
    }
    comments_move(&into->tail, &before);
}

int conf_items_read(const char *text, size_t len, sto_arena_t *arena, struct conf_item **out,
                    struct sto_err *err)
{
    struct reader r = {.p = text, .end = text + len, .arena = arena};
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        r.p += 3;
    }
    struct conf_item *root = get(&r, sizeof *root);
    if (root != NULL) {
        root->open = '{';
        root->block = true;
        advance(&r);
        read_items(&r, root, '\0');
    }
    *out = root;
    return r.full ? sto_fail(err, STO_E_LIMIT, "the file is too large to be laid out") : 0;
}
