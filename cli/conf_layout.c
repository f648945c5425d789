/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A bracket opens a block (each bracket on a line of its own, contents two columns in) where the
 * author broke the line behind it, where comments need the room and around other blocks. Elsewhere
 * what it holds flows behind it, and continues under its first word where the author broke a line.
 *
 * Names of groups that each take one line stand in columns, comments behind code start in column
 * 54 or behind the longest line of the run.
 */
#include "conf_layout.h"

#include <string.h>

#include "conf_items.h"

#define COMMENT_COLUMN 54u
#define ARENA_BYTES    ((size_t)64 * 1024 * 1024)

/* ------------------------------------------------------------------- columns */

/* Settles what is a block; true if x is one. */
static bool settle_blocks(struct conf_item *x)
{
    bool broken = x->tail.first != NULL || x->behind_name.first != NULL;
    for (struct conf_item *c = x->child; c != NULL; c = c->next) {
        bool inner = settle_blocks(c);
        bool cut = c->trailing.first != NULL && (c->next == NULL || !c->next->breaks);
        broken = broken || inner || cut || c->before.first != NULL;
    }
    x->block =
        x->open != '\0' && (x->child != NULL || x->tail.first != NULL) && (x->block || broken);
    return x->block;
}

/* Whether x alone fills its line in a block and is a group in one piece. */
static bool one_line_group(const struct conf_item *x)
{
    return x->open == '{' && !x->block && (x->next == NULL || x->next->breaks || x->next->block);
}

static void settle_run(struct conf_item *first, const struct conf_item *end)
{
    size_t widest = 0;
    for (const struct conf_item *x = first; x != end; x = x->next) {
        widest = x->name.n > widest ? x->name.n : widest;
    }
    for (struct conf_item *x = first; x != end; x = x->next) {
        x->pad = (unsigned)widest;
    }
}

/* Columns for names where a block holds groups only, as `roles`, `data` and `steps` do. */
static void settle_columns(struct conf_item *parent)
{
    bool groups = parent->block && parent->open == '{';
    for (struct conf_item *x = parent->child; x != NULL; x = x->next) {
        groups = groups && x->open == '{';
        settle_columns(x);
    }
    for (struct conf_item *x = groups ? parent->child : NULL; x != NULL;) {
        struct conf_item *first = x;
        while (x != NULL && one_line_group(x) && (x == first || !x->blank_before)) {
            x = x->next;
        }
        settle_run(first, x);
        x = x == first ? x->next : x;
    }
}

/* --------------------------------------------------------------------- lines */

/* Lines wait until the run of lines with a comment behind the code ends. */
struct line {
    size_t at, len, columns; /* in text */
    const struct conf_comment *comment;
};
#define RUN_MAX 64
struct printer {
    struct sto_buf *out;
    struct sto_buf line; /* being written */
    size_t columns;
    struct sto_buf text; /* of the waiting lines */
    struct line run[RUN_MAX];
    unsigned n_run;
    bool blank; /* the last line was empty, or there is none yet */
};

static void put_comment(struct sto_buf *b, const struct conf_slice *s)
{
    sto_put_bytes(b, s->s, s->n);
}

static void put_blanks(struct sto_buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        sto_put_u8(b, ' ');
    }
}

static void flush_run(struct printer *p)
{
    size_t column = COMMENT_COLUMN;
    for (unsigned i = 0; i < p->n_run; i++) {
        column = p->run[i].columns + 2 > column ? p->run[i].columns + 2 : column;
    }
    for (unsigned i = 0; i < p->n_run; i++) {
        const struct line *l = &p->run[i];
        sto_put_bytes(p->out, p->text.data + l->at, l->len);
        put_blanks(p->out, column - l->columns);
        for (const struct conf_comment *c = l->comment; c != NULL; c = c->next) {
            put_comment(p->out, &c->text);
            sto_put_bytes(p->out, "\n", 1);
            put_blanks(p->out, c->next != NULL ? column : 0);
        }
    }
    p->n_run = 0;
    sto_buf_clear(&p->text);
}

static void put(struct printer *p, const char *s, size_t n)
{
    sto_put_bytes(&p->line, s, n);
    for (size_t i = 0; i < n; i++) {
        p->columns += ((unsigned char)s[i] & 0xC0u) != 0x80u;
    }
}

static void put_text(struct printer *p, const char *s)
{
    put(p, s, strlen(s));
}

static void indent(struct printer *p, size_t columns)
{
    put_blanks(&p->line, columns);
    p->columns += columns;
}

/* Ends the line, with comments behind it. */
static void end_line(struct printer *p, const struct conf_comments *behind)
{
    const struct conf_comment *c = behind != NULL ? behind->first : NULL;
    if (c == NULL || p->n_run == RUN_MAX) {
        flush_run(p);
    }
    if (c != NULL) {
        p->run[p->n_run++] = (struct line){
            .at = p->text.len, .len = p->line.len, .columns = p->columns, .comment = c};
        sto_put_bytes(&p->text, p->line.data, p->line.len);
    } else {
        sto_put_bytes(p->out, p->line.data, p->line.len);
        sto_put_bytes(p->out, "\n", 1);
    }
    sto_buf_clear(&p->line);
    p->columns = 0;
    p->blank = false;
}

static void blank_line(struct printer *p)
{
    if (!p->blank) {
        end_line(p, NULL);
        p->blank = true;
    }
}

static void put_own_lines(struct printer *p, const struct conf_comments *comments, size_t column)
{
    for (const struct conf_comment *c = comments->first; c != NULL; c = c->next) {
        if (c->blank_before) {
            blank_line(p);
        }
        indent(p, column);
        put(p, c->text.s, c->text.n);
        end_line(p, NULL);
    }
}

/* --------------------------------------------------------------------- items */

static void put_item(struct printer *p, const struct conf_item *x, size_t column);

static const char *closer_of(char open)
{
    return open == '{' ? "}" : open == '(' ? ")" : "]";
}

static const char *mark_of(const struct conf_item *parent, const struct conf_item *x)
{
    return parent->open == '{' ? ";" : x->next != NULL ? "," : "";
}

/* What stands inside a block. root: the file itself, which has no brackets. */
static void put_contents(struct printer *p, const struct conf_item *parent, size_t column)
{
    p->blank = true; /* none behind the bracket */
    for (const struct conf_item *x = parent->child; x != NULL; x = x->next) {
        put_own_lines(p, &x->before, column);
        if (x->blank_before) {
            blank_line(p);
        }
        indent(p, column);
        for (;; x = x->next) {
            put_item(p, x, column);
            put_text(p, mark_of(parent, x));
            const struct conf_item *next = x->next;
            if (next == NULL || next->breaks || next->block || next->before.first != NULL ||
                x->block || x->trailing.first != NULL) {
                break;
            }
            put_text(p, parent->open == '{' ? "  " : " ");
        }
        end_line(p, &x->trailing);
    }
    put_own_lines(p, &parent->tail, column);
}

/* A block behind its name, or alone in a list: the cursor stands where its bracket may. */
static void put_block(struct printer *p, const struct conf_item *x, size_t column)
{
    if (x->name.n != 0) {
        end_line(p, &x->behind_name);
        indent(p, column);
    }
    put(p, &x->open, 1);
    end_line(p, NULL);
    put_contents(p, x, column + 2);
    indent(p, column);
    put_text(p, closer_of(x->open));
}

static void put_flow(struct printer *p, const struct conf_item *x)
{
    put(p, &x->open, 1);
    put_text(p, " ");
    size_t column = p->columns;
    for (const struct conf_item *c = x->child; c != NULL; c = c->next) {
        put_item(p, c, column);
        put_text(p, mark_of(x, c));
        if (c->next != NULL && c->next->breaks) {
            end_line(p, &c->trailing);
            indent(p, column);
        } else if (c->next != NULL) {
            put_text(p, x->open == '{' ? "  " : " ");
        }
    }
    put_text(p, x->child != NULL ? " " : "");
    put_text(p, closer_of(x->open));
}

static void put_item(struct printer *p, const struct conf_item *x, size_t column)
{
    if (x->name.n != 0) {
        put(p, x->name.s, x->name.n);
        indent(p, x->pad > x->name.n ? x->pad - x->name.n : 0);
        put_text(p, x->open == '{' ? " :" : " =");
        put_text(p, x->block ? "" : " ");
    }
    if (x->open == '\0') {
        put(p, x->scalar.s, x->scalar.n);
    } else if (x->block) {
        put_block(p, x, column);
    } else {
        put_flow(p, x);
    }
}

/* ---------------------------------------------------------------------- file */

bool conf_same(const struct sto_conf *a, const struct sto_conf *b)
{
    if (a->type != b->type || (a->name == NULL) != (b->name == NULL) ||
        (a->name != NULL && strcmp(a->name, b->name) != 0) || a->n_children != b->n_children) {
        return false;
    }
    if (a->type == STO_CONF_STRING ? strcmp(a->s, b->s) != 0
                                   : a->i != b->i || a->f < b->f || a->f > b->f) {
        return false;
    }
    const struct sto_conf *x = a->child, *y = b->child;
    for (; x != NULL && y != NULL; x = x->next, y = y->next) {
        if (!conf_same(x, y)) {
            return false;
        }
    }
    return x == y;
}

static int print(struct conf_item *root, struct sto_buf *out, struct sto_err *err)
{
    struct printer p = {.out = out, .blank = true};
    sto_buf_init(&p.line, 0);
    sto_buf_init(&p.text, 0);
    settle_blocks(root);
    settle_columns(root);
    put_contents(&p, root, 0);
    flush_run(&p);
    bool failed = out->failed || p.line.failed || p.text.failed;
    sto_buf_release(&p.line);
    sto_buf_release(&p.text);
    return failed ? sto_fail(err, STO_E_LIMIT, "the file is too large to be laid out") : 0;
}

/* The safeguard: what was laid out must still say the same. */
static int compare(const char *file, const struct sto_conf *before, const struct sto_buf *after,
                   sto_arena_t *arena, struct sto_err *err)
{
    const struct sto_conf *tree = NULL;
    sto_diags_t *ignored = sto_diags_new();
    int rc = sto_conf_parse(file, (const char *)after->data, after->len, arena, ignored, &tree);
    sto_diags_destroy(&ignored);
    return rc == 0 && conf_same(before, tree)
               ? 0
               : sto_fail(err, STO_E_INTERNAL,
                          "'%s' would not say the same in the new layout; it is left as it is",
                          file);
}

int conf_layout(const char *file, const char *text, size_t len, struct sto_buf *out,
                sto_diags_t *diags, struct sto_err *err)
{
    sto_arena_t *arena = sto_arena_new(ARENA_BYTES);
    const struct sto_conf *tree = NULL;
    struct conf_item *root = NULL;
    struct sto_buf laid;
    sto_buf_init(&laid, 0);
    int rc = sto_conf_parse(file, text, len, arena, diags, &tree);
    if (rc != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "'%s' has %zu faults", file, sto_diags_errors(diags));
    }
    rc = rc != 0 ? rc : conf_items_read(text, len, arena, &root, err);
    rc = rc != 0 ? rc : print(root, &laid, err);
    rc = rc != 0 ? rc : compare(file, tree, &laid, arena, err);
    if (rc == 0) {
        sto_put_bytes(out, laid.data, laid.len);
        rc = out->failed ? sto_fail(err, STO_E_LIMIT, "'%s' is too large to be laid out", file) : 0;
    }
    sto_buf_release(&laid);
    sto_arena_destroy(&arena);
    return rc;
}
