/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Conditions: words, grammar and types.
 *
 *   or    = and { "or" and }          and  = not { "and" not }
 *   not   = "not" not | test
 *   test  = sum [ ("<" | "<=" | ">" | ">=") sum
 *               | "is" ["not"] ("set" | sum | code) | ["not"] "in" "[" code { "," code } "]" ]
 *   sum   = value { ("+" | "-") value }
 *   value = "(" or ")" | name | number | date | duration | 'text' | "today" | "true" | "false"
 *
 * Names hold hyphens, so a minus stands between blanks. The first fault ends the reading: what
 * follows a misread word is seldom worth a second message.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "expr_node.h"
#include "sto_conf.h"
#include "sto_limits.h"

#define LIST_MAX       32u
#define TEXT_BYTES_MAX 2000u

enum lex { L_END, L_WORD, L_INT, L_DECIMAL, L_DATE, L_TEXT, L_OP };
struct word {
    enum lex kind;
    int col;
    char s[STO_NAME_BYTES_MAX + 1]; /* WORD, OP: itself; else as it stood, cut */
    int64_t i;
    const char *text;
};

struct parser {
    const char *text;
    size_t pos;
    struct word w;
    const struct expr_scope *scope;
    sto_arena_t *arena;
    struct sto_err *err;
    int nodes, depth;
    bool failed;
};

static expr_t *parse_or(struct parser *p);

static expr_t *fail(struct parser *p, int col, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static expr_t *fail(struct parser *p, int col, const char *fmt, ...)
{
    if (!p->failed) {
        char buf[300];
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(buf, sizeof(buf), fmt, ap);
        va_end(ap);
        sto_fail(p->err, STO_E_CONFIG, "column %d: %s", col, buf);
        p->failed = true;
    }
    return NULL;
}

/* ------------------------------------------------------------------ words */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void keep_word(struct word *w, const char *s, size_t n)
{
    size_t m = n < STO_NAME_BYTES_MAX ? n : STO_NAME_BYTES_MAX;
    memcpy(w->s, s, m);
    w->s[m] = '\0';
}

static void lex_text(struct parser *p, struct word *w)
{
    const char *from = p->text + p->pos + 1;
    const char *to = strchr(from, '\'');
    if (!to) {
        fail(p, w->col, "the text that opens here with ' is never closed");
        return;
    }
    w->kind = L_TEXT;
    keep_word(w, from, (size_t)(to - from));
    w->text = sto_arena_strndup(p->arena, from, (size_t)(to - from));
    if (!w->text) {
        fail(p, w->col, "the condition is too large");
    }
    p->pos = (size_t)(to - p->text) + 1;
}

/* ".5" or ".25" behind a number: as hundredths. */
static size_t lex_decimals(struct parser *p, struct word *w, const char *s, bool minus)
{
    size_t n = 1;
    int64_t part = (s[1] - '0') * 10;
    for (n++; is_digit(s[n]); n++) {
        part += n == 2 ? s[n] - '0' : 0;
    }
    if (n > 3 || __builtin_mul_overflow(w->i, 100, &w->i) ||
        __builtin_add_overflow(w->i, minus ? -part : part, &w->i)) {
        fail(p, w->col, "'%s.…' is no number with at most two decimals", w->s);
    }
    w->kind = L_DECIMAL;
    return n;
}

/* A number, or a date such as 2026-11-21. */
static void lex_number(struct parser *p, struct word *w)
{
    const char *s = p->text + p->pos;
    size_t n = *s == '-';
    bool over = false;
    int64_t v = 0;
    for (; is_digit(s[n]); n++) {
        over =
            over || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, s[n] - '0', &v);
    }
    if (n == 4 && s[4] == '-' && is_digit(s[5])) {
        while (is_digit(s[n]) || s[n] == '-') {
            n++;
        }
        int32_t day;
        keep_word(w, s, n);
        if (sto_day_parse(w->s, &day, NULL)) {
            fail(p, w->col, "'%s' is no date of the calendar; a date is written 2026-11-21", w->s);
        } else {
            w->kind = L_DATE;
            w->i = day;
        }
    } else {
        keep_word(w, s, n);
        w->kind = L_INT;
        w->i = *s == '-' ? -v : v;
        if (over) {
            fail(p, w->col, "'%s' does not fit in 64 bits", w->s);
        } else if (s[n] == '.' && is_digit(s[n + 1])) {
            n += lex_decimals(p, w, s + n, *s == '-');
        }
    }
    if (is_letter(s[n]) && !p->failed) {
        fail(p, w->col, "'%s%c…' is neither a number nor a name", w->s, s[n]);
    }
    p->pos += n;
}

static void lex_op(struct parser *p, struct word *w)
{
    const char *s = p->text + p->pos;
    size_t n = (*s == '<' || *s == '>') && s[1] == '=' ? 2 : 1;
    if (!strchr("<>()[],+-", *s)) {
        if (*s == '=' || *s == '!') {
            fail(p, w->col, "'%c' means nothing here; equality is written 'is' or 'is not'", *s);
        } else if (*s == '&' || *s == '|') {
            fail(p, w->col, "'%c' means nothing here; write 'and' or 'or'", *s);
        } else {
            fail(p, w->col, "'%c' means nothing here; texts stand in single quotes", *s);
        }
        return;
    }
    if ((*s == '+' || *s == '-') && (!is_blank(s[1]) || (p->pos > 0 && !is_blank(s[-1])))) {
        fail(p, w->col, "'%c' needs a blank on both sides, because names hold hyphens", *s);
        return;
    }
    w->kind = L_OP;
    keep_word(w, s, n);
    p->pos += n;
}

static void next(struct parser *p)
{
    while (is_blank(p->text[p->pos])) {
        p->pos++;
    }
    const char *s = p->text + p->pos;
    p->w = (struct word){.kind = L_END, .col = (int)p->pos + 1};
    if (!*s || p->failed) {
        return;
    }
    if (is_letter(*s)) {
        size_t n = 1;
        while (is_letter(s[n]) || is_digit(s[n]) || s[n] == '-' || s[n] == '_') {
            n++;
        }
        if (n > STO_NAME_BYTES_MAX) {
            fail(p, p->w.col, "the name here is longer than %u characters", STO_NAME_BYTES_MAX);
            return;
        }
        p->w.kind = L_WORD;
        keep_word(&p->w, s, n);
        p->pos += n;
    } else if (is_digit(*s) || (*s == '-' && is_digit(s[1]))) {
        lex_number(p, &p->w);
    } else if (*s == '\'') {
        lex_text(p, &p->w);
    } else {
        lex_op(p, &p->w);
    }
}

static bool at_word(const struct parser *p, const char *s)
{
    return p->w.kind == L_WORD && strcmp(p->w.s, s) == 0;
}

static bool at_op(const struct parser *p, const char *s)
{
    return p->w.kind == L_OP && strcmp(p->w.s, s) == 0;
}

static const char *shown(const struct word *w)
{
    return w->kind == L_END ? "the end" : w->s;
}

/* ------------------------------------------------------------------ nodes */

static expr_t *node(struct parser *p, enum expr_kind kind, enum expr_type type, const expr_t *a,
                    const expr_t *b)
{
    if (p->failed) {
        return NULL;
    }
    if (++p->nodes > EXPR_NODES_MAX) {
        return fail(p, p->w.col,
                    "the condition has more than %d parts; split it over two decide steps",
                    EXPR_NODES_MAX);
    }
    unsigned da = a ? a->depth : 0, db = b ? b->depth : 0;
    unsigned depth = 1 + (da > db ? da : db);
    if (depth > EXPR_DEPTH_MAX) {
        return fail(p, p->w.col, "the condition is nested deeper than %d", EXPR_DEPTH_MAX);
    }
    expr_t *e = sto_arena_alloc(p->arena, sizeof(*e));
    if (!e) {
        return fail(p, p->w.col, "the condition is too large");
    }
    e->kind = kind;
    e->type = type;
    e->a = a;
    e->b = b;
    e->depth = (uint16_t)depth;
    return e;
}

static const char *type_name(enum expr_type t)
{
    static const char *const NAMES[] = {
        "",           "a yes or no",   "a number",          "a date",          "a code", "text",
        "a duration", "a step's exit", "a consent's state", "a decimal number"};
    return NAMES[t];
}

static bool is_coded(enum expr_type t)
{
    return t == EXPR_CODE || t == EXPR_STEP || t == EXPR_CONSENT;
}

static bool need_bool(struct parser *p, const expr_t *e, int col)
{
    if (e && e->type != EXPR_BOOL) {
        fail(p, col, "this is %s, where a yes or no is expected; compare it with something",
             type_name(e->type));
    }
    return !p->failed;
}

static expr_t *unknown_name(struct parser *p, const struct word *w)
{
    const char *near = NULL;
    if (p->scope->names) {
        near = sto_nearest(w->s, p->scope->names(p->scope->arg));
    }
    if (near) {
        return fail(p, w->col, "'%s' is no field, step, consent or setting; did you mean '%s'?",
                    w->s, near);
    }
    return fail(p, w->col, "'%s' is no field, step, consent or setting of this workflow", w->s);
}

static expr_t *parse_name(struct parser *p, struct expr_name *meaning)
{
    struct word w = p->w;
    static const char *const KEYWORDS[] = {"and", "or", "not", "is", "in", "set"};
    for (size_t k = 0; k < sizeof(KEYWORDS) / sizeof(KEYWORDS[0]); k++) {
        if (strcmp(w.s, KEYWORDS[k]) == 0) {
            return fail(p, w.col, "a name or value is expected here, not '%s'", w.s);
        }
    }
    if (!p->scope->lookup(p->scope->arg, w.s, meaning)) {
        return unknown_name(p, &w);
    }
    expr_t *e = node(p, EXPR_NAME, meaning->type, NULL, NULL);
    if (e) {
        e->domain = meaning->domain;
        e->ref = meaning->ref;
        e->s = sto_arena_strdup(p->arena, w.s);
        if (!e->s) {
            return fail(p, w.col, "the condition is too large");
        }
    }
    next(p);
    return e;
}

static expr_t *constant(struct parser *p, enum expr_type type, int64_t i, const char *s)
{
    expr_t *e = node(p, EXPR_CONST, type, NULL, NULL);
    if (e) {
        e->i = i;
        e->s = s;
    }
    next(p);
    return e;
}

/* "30 days" after the number has been read; the number alone otherwise. */
static expr_t *parse_number(struct parser *p)
{
    struct word w = p->w;
    static const struct {
        const char *one, *many;
        enum sto_unit unit;
    } UNITS[] = {{"day", "days", STO_DAYS},
                 {"week", "weeks", STO_WEEKS},
                 {"month", "months", STO_MONTHS},
                 {"year", "years", STO_YEARS}};
    next(p);
    for (size_t k = 0; k < sizeof(UNITS) / sizeof(UNITS[0]); k++) {
        if (at_word(p, UNITS[k].one) || at_word(p, UNITS[k].many)) {
            if (w.i < 1 || w.i > 36500) {
                return fail(p, w.col, "a duration in a condition is 1 to 36500, not '%s'", w.s);
            }
            return constant(p, EXPR_DURATION, ((int64_t)UNITS[k].unit << 32) | w.i, NULL);
        }
    }
    if (at_word(p, "business") || at_word(p, "hour") || at_word(p, "hours") ||
        at_word(p, "minute") || at_word(p, "minutes")) {
        return fail(p, p->w.col, "dates take days, weeks, months or years, not '%s'", p->w.s);
    }
    expr_t *e = node(p, EXPR_CONST, EXPR_INT, NULL, NULL);
    if (e) {
        e->i = w.i;
    }
    return e;
}

/* meaning is filled if the value is a single name. */
static expr_t *parse_value(struct parser *p, struct expr_name *meaning)
{
    struct word w = p->w;
    switch (w.kind) {
    case L_INT:
        return parse_number(p);
    case L_DECIMAL:
        return constant(p, EXPR_DECIMAL, w.i, NULL);
    case L_DATE:
        return constant(p, EXPR_DATE, w.i, NULL);
    case L_TEXT:
        return constant(p, EXPR_TEXT, 0, w.text);
    case L_WORD:
        if (at_word(p, "today")) {
            expr_t *e = node(p, EXPR_TODAY, EXPR_DATE, NULL, NULL);
            next(p);
            return e;
        }
        if (at_word(p, "true") || at_word(p, "false")) {
            return constant(p, EXPR_BOOL, at_word(p, "true"), NULL);
        }
        return parse_name(p, meaning);
    case L_OP:
        if (at_op(p, "(")) {
            next(p);
            expr_t *e = parse_or(p);
            if (!p->failed && !at_op(p, ")")) {
                return fail(p, p->w.col, "')' is expected here, not '%s'", shown(&p->w));
            }
            next(p);
            return e;
        }
        break;
    case L_END:
        break;
    }
    return fail(p, w.col, "a name or value is expected here, not '%s'", shown(&w));
}

/* An integer becomes hundredths: constants now, names as they are read. */
static bool scale(struct parser *p, int col, const expr_t *e)
{
    expr_t *own = (expr_t *)(uintptr_t)e; /* this parse made it */
    own->type = EXPR_DECIMAL;
    if (e->kind == EXPR_NAME) {
        own->scaled = true;
    } else if (e->kind == EXPR_ADD) {
        return scale(p, col, e->a) && scale(p, col, e->b);
    } else if (__builtin_mul_overflow(e->i, 100, &own->i)) {
        fail(p, col, "the number here does not fit in 64 bits beside decimals");
        return false;
    }
    return true;
}

/* Where a decimal meets an integer both become decimals. */
static bool meet(struct parser *p, int col, const expr_t *a, const expr_t *b)
{
    if (a->type == EXPR_DECIMAL && b->type == EXPR_INT) {
        return scale(p, col, b);
    }
    return a->type != EXPR_INT || b->type != EXPR_DECIMAL || scale(p, col, a);
}

static bool is_number(enum expr_type t)
{
    return t == EXPR_INT || t == EXPR_DECIMAL;
}

static expr_t *parse_sum(struct parser *p, struct expr_name *meaning)
{
    int col = p->w.col;
    expr_t *a = parse_value(p, meaning);
    while (!p->failed && (at_op(p, "+") || at_op(p, "-"))) {
        bool minus = at_op(p, "-");
        struct expr_name unused = {0};
        next(p);
        int at = p->w.col;
        const expr_t *b = parse_value(p, &unused);
        if (p->failed || !a || !b || !meet(p, at, a, b)) {
            return NULL;
        }
        bool dates = a->type == EXPR_DATE && b->type == EXPR_DURATION;
        if (!dates && (!is_number(a->type) || !is_number(b->type))) {
            if (a->type == EXPR_DATE) {
                return fail(p, at, "a date takes a duration such as '30 days', not %s",
                            type_name(b->type));
            }
            return fail(p, col, "%s and %s cannot be added", type_name(a->type),
                        type_name(b->type));
        }
        a = node(p, EXPR_ADD, a->type, a, b);
        if (a) {
            a->negate = minus;
        }
        *meaning = (struct expr_name){0};
    }
    return p->failed ? NULL : a;
}

/* ------------------------------------------------------------------ tests */

/* Index of a code; NULL entries are holes (values that this name cannot have). */
static bool code_index(struct parser *p, const struct expr_name *m, int64_t *out)
{
    const char *names[STO_WF_EXITS_MAX + 1];
    unsigned n = 0;
    for (unsigned k = 0; k < m->n_values; k++) {
        if (!m->values[k]) {
            continue;
        }
        if (strcmp(m->values[k], p->w.s) == 0) {
            *out = k;
            return true;
        }
        if (n < STO_WF_EXITS_MAX) {
            names[n++] = m->values[k];
        }
    }
    names[n] = NULL;
    char list[160] = "";
    for (unsigned k = 0; k < n && strlen(list) + strlen(names[k]) + 3 < sizeof(list); k++) {
        (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", k ? ", " : "",
                       names[k]);
    }
    const char *near = sto_nearest(p->w.s, names);
    fail(p, p->w.col, "'%s' is none of its values (%s)%s%s%s", shown(&p->w), list,
         near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return false;
}

/* One code, or a number where the left side is one. */
static bool parse_code(struct parser *p, const expr_t *a, const struct expr_name *m, int64_t *out)
{
    if (is_number(a->type) && p->w.kind == L_INT) {
        if (__builtin_mul_overflow(p->w.i, a->type == EXPR_INT ? 1 : 100, out)) {
            fail(p, p->w.col, "the number here does not fit in 64 bits beside decimals");
            return false;
        }
    } else if (a->type == EXPR_DECIMAL && p->w.kind == L_DECIMAL) {
        *out = p->w.i;
    } else if (is_coded(a->type) && (p->w.kind == L_WORD || p->w.kind == L_TEXT)) {
        if (!code_index(p, m, out)) {
            return false;
        }
    } else {
        fail(p, p->w.col, "%s cannot be compared with '%s'", type_name(a->type), shown(&p->w));
        return false;
    }
    next(p);
    return !p->failed;
}

static expr_t *parse_in(struct parser *p, const expr_t *a, const struct expr_name *m, bool negate)
{
    int64_t list[LIST_MAX];
    unsigned n = 0;
    if (!is_coded(a->type) && !is_number(a->type)) {
        return fail(p, p->w.col, "'in' takes a code or a number on its left, not %s",
                    type_name(a->type));
    }
    next(p);
    if (!at_op(p, "[")) {
        return fail(p, p->w.col, "'[' is expected after 'in', not '%s'", shown(&p->w));
    }
    do {
        next(p);
        if (n == LIST_MAX) {
            return fail(p, p->w.col, "the list has more than %u values", LIST_MAX);
        }
        if (p->failed || !parse_code(p, a, m, &list[n++])) {
            return NULL;
        }
    } while (at_op(p, ","));
    if (!at_op(p, "]")) {
        return fail(p, p->w.col, "',' or ']' is expected here, not '%s'", shown(&p->w));
    }
    next(p);
    expr_t *e = node(p, EXPR_IN, EXPR_BOOL, a, NULL);
    int64_t *kept = e ? sto_arena_alloc(p->arena, n * sizeof(*kept)) : NULL;
    if (!kept) {
        return fail(p, p->w.col, "the condition is too large");
    }
    memcpy(kept, list, n * sizeof(*kept));
    e->list = kept;
    e->n_list = (uint16_t)n;
    e->negate = negate;
    return e;
}

static expr_t *parse_is(struct parser *p, const expr_t *a, const struct expr_name *m)
{
    next(p);
    bool negate = at_word(p, "not");
    if (negate) {
        next(p);
    }
    if (at_word(p, "set")) {
        if (a->kind != EXPR_NAME) {
            return fail(p, p->w.col, "'is set' takes a name on its left");
        }
        next(p);
        expr_t *e = node(p, EXPR_SET, EXPR_BOOL, NULL, NULL);
        if (e) {
            e->domain = a->domain;
            e->ref = a->ref;
            e->s = a->s;
            e->negate = negate;
        }
        return e;
    }
    int col = p->w.col;
    const expr_t *b = NULL;
    if (is_coded(a->type)) {
        int64_t i = 0;
        if (!parse_code(p, a, m, &i)) {
            return NULL;
        }
        expr_t *c = node(p, EXPR_CONST, a->type, NULL, NULL);
        if (c) {
            c->i = i;
        }
        b = c;
    } else {
        struct expr_name unused = {0};
        b = parse_sum(p, &unused);
    }
    if (p->failed || !b || !meet(p, col, a, b)) {
        return NULL;
    }
    if (b->type != a->type) {
        return fail(p, col, "%s cannot be compared with %s", type_name(a->type),
                    type_name(b->type));
    }
    if (a->type == EXPR_DURATION) {
        return fail(p, col, "durations are not compared; compare dates");
    }
    expr_t *e = node(p, EXPR_EQ, EXPR_BOOL, a, b);
    if (e) {
        e->negate = negate;
    }
    return e;
}

static expr_t *parse_less(struct parser *p, const expr_t *a)
{
    bool greater = p->w.s[0] == '>', or_equal = p->w.s[1] == '=';
    struct expr_name unused = {0};
    next(p);
    int col = p->w.col;
    const expr_t *b = parse_sum(p, &unused);
    if (p->failed || !b || !meet(p, col, a, b)) {
        return NULL;
    }
    if (a->type != b->type || (!is_number(a->type) && a->type != EXPR_DATE)) {
        return fail(p, col, "%s cannot be compared by order with %s", type_name(a->type),
                    type_name(b->type));
    }
    expr_t *e = greater ? node(p, EXPR_LESS, EXPR_BOOL, b, a) : node(p, EXPR_LESS, EXPR_BOOL, a, b);
    if (e) {
        e->or_equal = or_equal;
    }
    return e;
}

static expr_t *parse_test(struct parser *p)
{
    struct expr_name meaning = {0};
    expr_t *a = parse_sum(p, &meaning);
    if (p->failed) {
        return NULL;
    }
    if (at_word(p, "is")) {
        return parse_is(p, a, &meaning);
    }
    if (at_word(p, "in")) {
        return parse_in(p, a, &meaning, false);
    }
    if (at_word(p, "not")) {
        next(p);
        if (!at_word(p, "in")) {
            return fail(p, p->w.col, "'in' is expected after 'not', not '%s'", shown(&p->w));
        }
        return parse_in(p, a, &meaning, true);
    }
    if (p->w.kind == L_OP && (p->w.s[0] == '<' || p->w.s[0] == '>')) {
        return parse_less(p, a);
    }
    return a;
}

static expr_t *parse_not(struct parser *p)
{
    /* Every nesting of the grammar passes here: the one place that bounds the recursion. */
    if (++p->depth > EXPR_DEPTH_MAX) {
        return fail(p, p->w.col, "the condition is nested deeper than %d", EXPR_DEPTH_MAX);
    }
    expr_t *e;
    if (at_word(p, "not")) {
        next(p);
        int col = p->w.col;
        const expr_t *a = parse_not(p);
        e = need_bool(p, a, col) ? node(p, EXPR_NOT, EXPR_BOOL, a, NULL) : NULL;
    } else {
        e = parse_test(p);
    }
    p->depth--;
    return e;
}

static expr_t *parse_and(struct parser *p)
{
    int col = p->w.col;
    expr_t *a = parse_not(p);
    while (!p->failed && at_word(p, "and")) {
        next(p);
        int right = p->w.col;
        const expr_t *b = parse_not(p);
        if (!need_bool(p, a, col) || !need_bool(p, b, right)) {
            return NULL;
        }
        a = node(p, EXPR_AND, EXPR_BOOL, a, b);
    }
    return p->failed ? NULL : a;
}

static expr_t *parse_or(struct parser *p)
{
    int col = p->w.col;
    expr_t *a = parse_and(p);
    while (!p->failed && at_word(p, "or")) {
        next(p);
        int right = p->w.col;
        const expr_t *b = parse_and(p);
        if (!need_bool(p, a, col) || !need_bool(p, b, right)) {
            return NULL;
        }
        a = node(p, EXPR_OR, EXPR_BOOL, a, b);
    }
    return p->failed ? NULL : a;
}

int expr_parse(const char *text, const struct expr_scope *scope, sto_arena_t *arena, expr_t **out,
               struct sto_err *err)
{
    STO_ASSERT(text && scope && scope->lookup && arena && out);
    if (strlen(text) > TEXT_BYTES_MAX) {
        return sto_fail(err, STO_E_CONFIG, "the condition is longer than %u characters",
                        TEXT_BYTES_MAX);
    }
    struct parser p = {.text = text, .scope = scope, .arena = arena, .err = err};
    next(&p);
    expr_t *e = parse_or(&p);
    if (!p.failed && p.w.kind != L_END) {
        fail(&p, p.w.col, "'and', 'or' or the end is expected here, not '%s'", shown(&p.w));
    }
    if (!need_bool(&p, e, 1)) {
        return -STO_E_CONFIG;
    }
    *out = e;
    return 0;
}
