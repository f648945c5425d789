/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The tree builder: recursive descent over our own tokens, going on after each
 * fault so that one run lists them all. A text without findings is then given to
 * libconfig, the judge of the grammar: what it refuses is refused. Values are
 * taken from our tokens, because libconfig's integers wrap.
 */
#include "sto_conf.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sto_conf_lex.h"
#include "sto_limits.h"

struct parser {
    struct sto_lexer lx;
    struct sto_token tok; /* the next one, not yet consumed */
    int prev_line;        /* where the last consumed token ended */
    const char *file;
    unsigned depth;
    bool stop; /* a limit is passed: nothing more is read */
};
/* A group, list or array that is being filled. */
struct filling {
    struct sto_conf *node, *last;
};

static bool parse_value(struct parser *p, struct sto_conf *node);

#define FAULT(p, line, code, ...)                                                                  \
    sto_diag((p)->lx.diags, STO_SEV_ERROR, (p)->file, (line), (code), __VA_ARGS__)

static void advance(struct parser *p)
{
    p->prev_line = p->tok.end_line;
    p->tok = sto_lex_next(&p->lx);
    if (p->lx.full) {
        p->stop = true;
    }
}

static bool at(const struct parser *p, char punct)
{
    return p->tok.type == STO_TOK_PUNCT && p->tok.punct == punct;
}

static bool is_scalar(enum sto_token_type t)
{
    return t == STO_TOK_STRING || t == STO_TOK_INT || t == STO_TOK_FLOAT || t == STO_TOK_BOOL;
}

static const char *describe(const struct sto_token *t, char *buf, size_t cap)
{
    switch (t->type) {
    case STO_TOK_END:
        return "the end of the file";
    case STO_TOK_STRING:
        snprintf(buf, cap, "the text \"%.40s\"", t->s);
        return buf;
    case STO_TOK_PUNCT:
        snprintf(buf, cap, "'%c'", t->punct);
        return buf;
    case STO_TOK_NAME:
    case STO_TOK_INT:
    case STO_TOK_FLOAT:
    case STO_TOK_BOOL:
        break;
    }
    snprintf(buf, cap, "'%.40s'", t->s);
    return buf;
}

/* Skip to behind the ';' of this setting, or before the bracket that closes its group. */
static void recover(struct parser *p)
{
    int open = 0;
    while (!p->stop && p->tok.type != STO_TOK_END) {
        char c = p->tok.punct;
        if (open == 0 && c == ';') {
            advance(p);
            return;
        }
        if (c == '{' || c == '(' || c == '[') {
            open++;
        } else if ((c == '}' || c == ')' || c == ']') && open > 0) {
            open--;
        } else if (c == '}') {
            return;
        }
        advance(p);
    }
}

static struct sto_conf *new_node(struct parser *p, const char *name, int line)
{
    struct sto_conf *node = p->stop ? NULL : sto_arena_alloc(p->lx.arena, sizeof(*node));
    if (!node) {
        if (!p->stop) {
            FAULT(p, line, "too-large", "the file needs more memory than is allowed for it");
        }
        p->stop = true;
        return NULL;
    }
    node->line = line;
    node->file = p->file;
    node->name = name;
    return node;
}

/* NULL when a limit is passed (reported; p->stop is set). */
static struct sto_conf *new_child(struct parser *p, struct filling *in, const char *name)
{
    if (in->node->n_children >= STO_CONF_CHILDREN_MAX) {
        FAULT(p, p->tok.line, "too-many-children", "more than %u entries in one group or list",
              STO_CONF_CHILDREN_MAX);
        p->stop = true;
        return NULL;
    }
    struct sto_conf *child = new_node(p, name, p->tok.line);
    if (child) {
        child->parent = in->node;
    }
    return child;
}

/* Only a child that has a value is linked in, so that readers never see a typeless node. */
static void link_child(struct filling *in, struct sto_conf *child)
{
    if (in->last) {
        in->last->next = child;
    } else {
        in->node->child = child;
    }
    in->last = child;
    in->node->n_children++;
}

static void set_scalar(struct sto_conf *node, const struct sto_token *t)
{
    if (t->type == STO_TOK_STRING) {
        node->type = STO_CONF_STRING;
        node->s = t->s;
    } else if (t->type == STO_TOK_FLOAT) {
        node->type = STO_CONF_FLOAT;
        node->f = t->f;
    } else {
        node->type = t->type == STO_TOK_INT ? STO_CONF_INT : STO_CONF_BOOL;
        node->i = t->i;
    }
}

static void parse_scalar(struct parser *p, struct sto_conf *node)
{
    set_scalar(node, &p->tok);
    bool text = p->tok.type == STO_TOK_STRING;
    bool bad = p->tok.bad;
    advance(p);
    if (text && p->tok.type == STO_TOK_STRING) {
        if (!bad && !p->tok.bad) {
            FAULT(p, p->tok.line, "adjacent-strings",
                  "two texts stand side by side and would be joined: a ',' or ';' is missing "
                  "between them");
        }
        while (!p->stop && p->tok.type == STO_TOK_STRING) {
            advance(p);
        }
    }
}

static void not_a_value(struct parser *p)
{
    char buf[64];
    const char *s = p->tok.type == STO_TOK_NAME ? p->tok.s : "";
    if (p->tok.bad) {
        return;
    }
    if (strcasecmp(s, "yes") == 0 || strcasecmp(s, "no") == 0 || strcasecmp(s, "on") == 0 ||
        strcasecmp(s, "off") == 0) {
        FAULT(p, p->tok.line, "unquoted-text", "write true or false, not '%s'; text needs quotes",
              s);
    } else if (*s) {
        FAULT(p, p->tok.line, "unquoted-text", "text needs quotes: \"%.40s\"", s);
    } else {
        FAULT(p, p->tok.line, "no-value", "a value must stand here, got %s",
              describe(&p->tok, buf, sizeof(buf)));
    }
}

/* The ';' after a setting. */
static void end_setting(struct parser *p, const struct sto_conf *node, bool bad)
{
    if (at(p, ';')) {
        advance(p);
        return;
    }
    if (at(p, ',')) {
        FAULT(p, p->tok.line, "comma-for-semicolon", "setting '%s' must end with ';', not ','",
              node->name);
        advance(p);
        return;
    }
    bool key_follows = p->tok.type == STO_TOK_NAME && sto_lex_assign_follows(&p->lx);
    if (!bad && !p->tok.bad && p->tok.type == STO_TOK_NAME && !key_follows) {
        FAULT(p, p->tok.line, "unquoted-text",
              "'%.40s' stands after the value of '%s': text of several words needs quotes",
              p->tok.s, node->name);
    } else if (!bad && (!p->tok.bad || key_follows)) {
        FAULT(p, p->prev_line, "missing-semicolon", "setting '%s' does not end with ';'",
              node->name);
    }
    if (!key_follows && !at(p, '}')) {
        recover(p);
    }
}

static void parse_setting(struct parser *p, struct filling *in)
{
    char buf[64];
    if (p->tok.type == STO_TOK_BOOL) {
        FAULT(p, p->tok.line, "reserved-name", "'%s' cannot be a key", p->tok.s);
    }
    struct sto_conf *node = new_child(p, in, p->tok.s);
    if (!node) {
        return;
    }
    bool bad_name = p->tok.bad;
    advance(p);
    if (!at(p, '=') && !at(p, ':')) {
        if (!bad_name && !p->tok.bad) {
            FAULT(p, p->prev_line, "no-assignment", "'=' or ':' must follow '%.64s', got %s",
                  node->name, describe(&p->tok, buf, sizeof(buf)));
        }
        recover(p);
        return;
    }
    advance(p);
    bool bad_value = p->tok.bad;
    if (!parse_value(p, node)) {
        recover(p);
        return;
    }
    link_child(in, node);
    if (!p->stop) {
        end_setting(p, node, bad_value);
    }
}

struct named {
    const struct sto_conf *node;
    size_t order;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a;
    const struct named *y = b;
    int names = strcasecmp(x->node->name, y->node->name);
    return names != 0 ? names : (x->order > y->order) - (x->order < y->order);
}

/* Sorted, because 2,000 settings compared pairwise in every group would be a way to stall a check.
 */
static void check_names(struct parser *p, const struct sto_conf *group)
{
    size_t n = 0;
    struct named *all = sto_xcalloc(group->n_children, sizeof(*all));
    for (const struct sto_conf *c = group->child; c; c = c->next, n++) {
        all[n] = (struct named){.node = c, .order = n};
    }
    qsort(all, n, sizeof(*all), by_name);
    for (size_t i = 1, first = 0; i < n; i++) {
        const struct sto_conf *a = all[first].node;
        const struct sto_conf *b = all[i].node;
        if (strcasecmp(a->name, b->name) != 0) {
            first = i;
        } else if (strcmp(a->name, b->name) == 0) {
            FAULT(p, b->line, "duplicate-key",
                  "key '%s' stands twice in one group, first on line %d", b->name, a->line);
        } else {
            FAULT(p, b->line, "near-key", "keys '%s' (line %d) and '%s' differ in case only",
                  a->name, a->line, b->name);
        }
    }
    free(all);
}

/* Settings up to `closer` ('}' or '\0' for the end of the file), which is consumed. */
static void parse_settings(struct parser *p, struct sto_conf *group, char closer, int opened)
{
    char buf[64];
    struct filling in = {.node = group};
    while (!p->stop) {
        if (p->tok.type == STO_TOK_NAME || p->tok.type == STO_TOK_BOOL) {
            parse_setting(p, &in);
        } else if (p->tok.type == STO_TOK_END) {
            if (closer) {
                FAULT(p, opened, "open-bracket", "the '{' that opens here is not closed");
                p->stop = true; /* which of the outer ones was meant is anybody's guess */
            }
            break;
        } else if (at(p, '}')) {
            if (closer) {
                advance(p);
                break;
            }
            FAULT(p, p->tok.line, "extra-bracket", "this '}' closes nothing");
            advance(p);
            if (at(p, ';')) {
                advance(p);
            }
        } else if (at(p, ';')) {
            FAULT(p, p->tok.line, "extra-semicolon", "this ';' ends nothing");
            advance(p);
        } else {
            if (!p->tok.bad) {
                FAULT(p, p->tok.line, "no-key", "a key must stand here, got %s",
                      describe(&p->tok, buf, sizeof(buf)));
            }
            recover(p);
        }
    }
    check_names(p, group);
}

static void check_element(struct parser *p, const struct sto_conf *list,
                          const struct sto_conf *element)
{
    if (list->type != STO_CONF_ARRAY) {
        return;
    }
    if (element->type <= STO_CONF_ARRAY) {
        FAULT(p, element->line, "array-nesting",
              "an array [ ] holds plain values only; for groups and lists write a list ( )");
    } else if (list->child && list->child->type != element->type &&
               list->child->type > STO_CONF_ARRAY) {
        FAULT(p, element->line, "mixed-array",
              "an array [ ] holds values of one type; write a list ( )");
    }
}

/* After an element; true if another one is to be read. */
static bool next_element(struct parser *p, char closer, int opened)
{
    char buf[64];
    if (at(p, ',')) {
        int line = p->tok.line;
        advance(p);
        if (at(p, ')') || at(p, ']') || at(p, '}')) {
            FAULT(p, line, "trailing-comma", "no ',' may stand before '%c'", p->tok.punct);
        } else {
            return true;
        }
    }
    if (at(p, closer)) {
        advance(p);
        return false;
    }
    if (at(p, ')') || at(p, ']')) {
        FAULT(p, p->tok.line, "wrong-bracket", "'%c' must close what opened on line %d, got '%c'",
              closer, opened, p->tok.punct);
        advance(p);
        return false;
    }
    if (is_scalar(p->tok.type) || at(p, '{') || at(p, '(') || at(p, '[')) {
        if (!p->tok.bad) {
            FAULT(p, p->prev_line, "missing-comma", "a ',' is missing before %s",
                  describe(&p->tok, buf, sizeof(buf)));
        }
        return true;
    }
    FAULT(p, opened, "open-bracket", "'%c' must close what opens here, got %s on line %d", closer,
          describe(&p->tok, buf, sizeof(buf)), p->tok.line);
    p->stop = p->tok.type == STO_TOK_END;
    return false;
}

static void parse_elements(struct parser *p, struct sto_conf *list, char closer, int opened)
{
    struct filling in = {.node = list};
    if (at(p, closer)) {
        advance(p);
        return;
    }
    do {
        struct sto_conf *element = new_child(p, &in, NULL);
        if (!element) {
            return;
        }
        if (parse_value(p, element)) {
            check_element(p, list, element);
            link_child(&in, element);
        } else if (!p->stop && p->tok.type == STO_TOK_NAME) {
            advance(p); /* a word without quotes, reported: the list goes on behind it */
        }
    } while (!p->stop && next_element(p, closer, opened));
}

static bool parse_container(struct parser *p, struct sto_conf *node)
{
    int opened = p->tok.line;
    char opener = p->tok.punct;
    if (p->depth >= STO_CONF_DEPTH_MAX) {
        FAULT(p, opened, "too-deep", "groups and lists stand more than %u deep",
              STO_CONF_DEPTH_MAX);
        p->stop = true;
        return false;
    }
    p->depth++;
    advance(p);
    if (opener == '{') {
        node->type = STO_CONF_GROUP;
        parse_settings(p, node, '}', opened);
    } else if (opener == '(') {
        node->type = STO_CONF_LIST;
        parse_elements(p, node, ')', opened);
    } else {
        node->type = STO_CONF_ARRAY;
        parse_elements(p, node, ']', opened);
    }
    p->depth--;
    return true;
}

/* False if no value stands here (reported); nothing is consumed then. */
static bool parse_value(struct parser *p, struct sto_conf *node)
{
    if (p->stop) {
        return false;
    }
    if (is_scalar(p->tok.type)) {
        parse_scalar(p, node);
        return true;
    }
    if (at(p, '{') || at(p, '(') || at(p, '[')) {
        return parse_container(p, node);
    }
    not_a_value(p);
    return false;
}

static void ask_libconfig(const char *file, const char *text, size_t len, sto_diags_t *diags)
{
    char *copy = sto_xrealloc(NULL, len + 2);
    memcpy(copy, text, len);
    memcpy(copy + len, "\n", 2); /* its scanner wants the last line closed */
    config_t cfg;
    config_init(&cfg);
    if (config_read_string(&cfg, copy) != CONFIG_TRUE) {
        sto_diag(diags, STO_SEV_ERROR, file, config_error_line(&cfg), "syntax", "%s",
                 config_error_text(&cfg) ? config_error_text(&cfg) : "syntax error");
    }
    config_destroy(&cfg);
    free(copy);
}

static const struct sto_conf *parse_text(const char *file, const char *text, size_t len,
                                         sto_arena_t *arena, sto_diags_t *diags)
{
    struct parser p = {.file = sto_arena_strdup(arena, file)};
    if (!p.file) {
        sto_diag(diags, STO_SEV_ERROR, file, 0, "too-large", "no memory is left for the file");
        return NULL;
    }
    sto_lex_init(&p.lx, p.file, text, len, arena, diags);
    struct sto_conf *root = new_node(&p, NULL, 1);
    if (!root) {
        return NULL;
    }
    root->type = STO_CONF_GROUP;
    p.prev_line = 1;
    p.tok = sto_lex_next(&p.lx);
    p.stop = p.lx.full;
    parse_settings(&p, root, '\0', 1);
    return root;
}

int sto_conf_parse(const char *file, const char *text, size_t len, sto_arena_t *arena,
                   sto_diags_t *diags, const struct sto_conf **root)
{
    STO_ASSERT(file && arena && diags && root);
    STO_ASSERT(text || len == 0);
    size_t errors = sto_diags_errors(diags);
    *root = NULL;
    if (len > STO_CONF_FILE_BYTES_MAX) {
        sto_diag(diags, STO_SEV_ERROR, file, 0, "too-large", "the file is larger than %u bytes",
                 STO_CONF_FILE_BYTES_MAX);
        return -STO_E_CONFIG;
    }
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3; /* the mark some editors put in front of UTF-8 */
        len -= 3;
    }
    text = len > 0 ? text : "";
    if (!sto_lex_check_bytes(file, text, len, diags)) {
        return -STO_E_CONFIG;
    }
    *root = parse_text(file, text, len, arena, diags);
    if (sto_diags_errors(diags) == errors) {
        ask_libconfig(file, text, len, diags);
    }
    return sto_diags_errors(diags) > errors ? -STO_E_CONFIG : 0;
}
