/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The scanner. It is stricter than libconfig's: what libconfig would wrap, join,
 * swallow or read as octal is a finding here. It never copies more than the text
 * is long, and never looks back.
 */
#include "sto_conf_lex.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define QUOTED_MAX 40 /* of input in a finding */

void sto_lex_init(struct sto_lexer *lx, const char *file, const char *text, size_t len,
                  sto_arena_t *arena, sto_diags_t *diags)
{
    *lx = (struct sto_lexer){
        .file = file, .p = text, .end = text + len, .line = 1, .arena = arena, .diags = diags};
}

/* Length of the UTF-8 character at p, 0 if it is none (overlong forms and surrogates are none). */
static size_t utf8_len(const char *p, const char *end)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0x80                ? 1u
               : c >= 0xC2 && c < 0xE0 ? 2u
               : c >= 0xE0 && c < 0xF0 ? 3u
               : c >= 0xF0 && c < 0xF5 ? 4u
                                       : 0u;
    if (n == 0 || (size_t)(end - p) < n) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)p[i] & 0xC0u) != 0x80u) {
            return 0;
        }
    }
    unsigned char second = n > 1 ? (unsigned char)p[1] : 0;
    bool wrong = (c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F) ||
                 (c == 0xF0 && second < 0x90) || (c == 0xF4 && second > 0x8F);
    return wrong ? 0 : n;
}

bool sto_lex_check_bytes(const char *file, const char *text, size_t len, sto_diags_t *diags)
{
    bool nul = false;
    bool bad = false;
    int line = 1;
    const char *end = text + len;
    for (const char *p = text; p < end;) {
        size_t n = utf8_len(p, end);
        if (*p == '\0' && !nul) {
            nul = true;
            sto_diag(diags, STO_SEV_ERROR, file, line, "nul-byte", "the file holds a NUL byte");
        }
        if (n == 0 && !bad) {
            bad = true;
            sto_diag(diags, STO_SEV_ERROR, file, line, "not-utf8",
                     "byte 0x%02x is not UTF-8; save the file as UTF-8",
                     (unsigned)(unsigned char)*p);
        }
        line += *p == '\n' ? 1 : 0;
        p += n > 0 ? n : 1;
    }
    return !nul && !bad;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_start(char c)
{
    return is_alpha(c) || c == '*';
}

static bool is_name_char(char c)
{
    return is_name_start(c) || is_digit(c) || c == '-' || c == '_';
}

static char peek(const struct sto_lexer *lx, size_t at)
{
    return (size_t)(lx->end - lx->p) > at ? lx->p[at] : '\0';
}

static void skip_line(struct sto_lexer *lx)
{
    while (lx->p < lx->end && *lx->p != '\n') {
        lx->p++;
    }
}

static void skip_block_comment(struct sto_lexer *lx)
{
    int opened = lx->line;
    for (lx->p += 2; lx->p < lx->end; lx->p++) {
        if (*lx->p == '*' && peek(lx, 1) == '/') {
            lx->p += 2;
            return;
        }
        lx->line += *lx->p == '\n' ? 1 : 0;
    }
    sto_diag(lx->diags, STO_SEV_ERROR, lx->file, opened, "open-comment",
             "the comment that opens here is not closed with */");
}

static void skip_blanks(struct sto_lexer *lx)
{
    while (lx->p < lx->end) {
        char c = *lx->p;
        if (c == '\n') {
            lx->line++;
            lx->p++;
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
            lx->p++;
        } else if (c == '#' || (c == '/' && peek(lx, 1) == '/')) {
            skip_line(lx);
        } else if (c == '/' && peek(lx, 1) == '*') {
            skip_block_comment(lx);
        } else if (c == '@') {
            sto_diag(lx->diags, STO_SEV_ERROR, lx->file, lx->line, "include",
                     "'@' directives such as @include are refused: a file stands by itself");
            skip_line(lx);
        } else {
            return;
        }
    }
}

static const char *keep(struct sto_lexer *lx, const char *s, size_t n)
{
    const char *copy = sto_arena_strndup(lx->arena, s, n);
    if (!copy && !lx->full) {
        lx->full = true;
        sto_diag(lx->diags, STO_SEV_ERROR, lx->file, lx->line, "too-large",
                 "the file needs more memory than is allowed for it");
    }
    return copy ? copy : "";
}

/* How much of s[n] a finding quotes: whole characters. */
static int quoted(const char *s, size_t n)
{
    size_t len = 0;
    while (len < n && len < QUOTED_MAX) {
        size_t c = utf8_len(s + len, s + n);
        len += c > 0 ? c : 1;
    }
    return (int)len;
}

static int hex_value(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | 0x20) : NULL;
    return at && (is_digit(c) || is_alpha(c)) ? (int)(at - digits) : -1;
}

/* One escape at lx->p (on the backslash); returns its byte, or -1 after reporting. */
static int read_escape(struct sto_lexer *lx)
{
    static const char FROM[] = "nrtf\\\"";
    static const char TO[] = "\n\r\t\f\\\"";
    char c = peek(lx, 1);
    const char *at = c ? strchr(FROM, c) : NULL;
    if (at) {
        lx->p += 2;
        return TO[at - FROM];
    }
    int hi = c == 'x' || c == 'X' ? hex_value(peek(lx, 2)) : -1;
    int lo = hi >= 0 ? hex_value(peek(lx, 3)) : -1;
    if (lo >= 0 && hi * 16 + lo > 0) {
        lx->p += 4;
        return hi * 16 + lo;
    }
    sto_diag(lx->diags, STO_SEV_ERROR, lx->file, lx->line, "bad-escape",
             "'\\' in a string must be followed by n, r, t, f, \\, \" or x01..xff");
    lx->p++;
    return -1;
}

/* At the newline inside a string: does it go on below and close properly, or did somebody forget
   the quote? If a quote comes whose next character ends a value, the string was meant to span
   lines. */
static const char *closes_below(const struct sto_lexer *lx)
{
    const char *quote = memchr(lx->p, '"', (size_t)(lx->end - lx->p));
    if (!quote || quote[-1] == '\\') {
        return NULL;
    }
    const char *p = quote + 1;
    while (p < lx->end && (*p == ' ' || *p == '\t' || *p == '\r')) {
        p++;
    }
    bool ends = p == lx->end || *p == ';' || *p == ',' || *p == ')' || *p == ']' || *p == '\n';
    return ends ? quote : NULL;
}

/* Skips what belongs to a string that reached the end of its line. */
static void string_over_line(struct sto_lexer *lx, int opened)
{
    sto_diag(lx->diags, STO_SEV_ERROR, lx->file, opened, "open-string",
             "the string that opens here is not closed on its line");
    const char *quote = closes_below(lx);
    for (; quote && lx->p <= quote; lx->p++) {
        lx->line += *lx->p == '\n' ? 1 : 0;
    }
}

static bool valid_utf8(const char *s, size_t n)
{
    for (size_t i = 0, c = 0; i < n; i += c) {
        c = utf8_len(s + i, s + n);
        if (c == 0) {
            return false;
        }
    }
    return true;
}

static struct sto_token read_string(struct sto_lexer *lx)
{
    struct sto_token t = {.type = STO_TOK_STRING, .line = lx->line, .s = ""};
    const char *begin = ++lx->p;
    /* The value is never longer than its text up to the line's end. */
    const char *eol = memchr(begin, '\n', (size_t)(lx->end - begin));
    const char *close = begin;
    while (close < (eol ? eol : lx->end) && *close != '"') {
        close += *close == '\\' && close + 1 < (eol ? eol : lx->end) ? 2 : 1;
    }
    const char *kept = keep(lx, begin, (size_t)(close - begin));
    char *out = lx->full ? NULL : (char *)(uintptr_t)kept; /* ours until the token is returned */
    size_t n = 0;
    while (lx->p < lx->end && *lx->p != '"' && *lx->p != '\n') {
        int c = (unsigned char)*lx->p;
        if (c == '\\') {
            c = read_escape(lx);
            t.bad = t.bad || c < 0;
        } else {
            if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7F) {
                sto_diag(lx->diags, STO_SEV_ERROR, lx->file, lx->line, "control-character",
                         "control character 0x%02x in a string", (unsigned)c);
                t.bad = true;
            }
            lx->p++;
        }
        if (out && c >= 0) {
            out[n++] = (char)c;
        }
    }
    if (lx->p < lx->end && *lx->p == '"') {
        lx->p++;
    } else {
        string_over_line(lx, t.line);
        t.bad = true;
    }
    if (out) {
        out[n] = '\0';
        t.s = out;
    }
    if (out && !t.bad && !valid_utf8(out, n)) {
        sto_diag(lx->diags, STO_SEV_ERROR, lx->file, t.line, "not-utf8",
                 "the string's \\x bytes are not UTF-8");
        t.bad = true;
    }
    return t;
}

/* 'text': what people write who come from other languages. */
static struct sto_token read_single_quoted(struct sto_lexer *lx)
{
    struct sto_token t = {.type = STO_TOK_STRING, .line = lx->line, .bad = true, .s = ""};
    sto_diag(lx->diags, STO_SEV_ERROR, lx->file, lx->line, "single-quotes",
             "text stands in double quotes here; single quotes are for text inside conditions");
    lx->p++;
    while (lx->p < lx->end && *lx->p != '\'' && *lx->p != '\n' && *lx->p != ';') {
        lx->p++;
    }
    lx->p += lx->p < lx->end && *lx->p == '\'' ? 1 : 0;
    return t;
}

static struct sto_token read_name(struct sto_lexer *lx)
{
    struct sto_token t = {.type = STO_TOK_NAME, .line = lx->line};
    const char *begin = lx->p;
    while (lx->p < lx->end && is_name_char(*lx->p)) {
        lx->p++;
    }
    if (lx->p < lx->end && (*lx->p == '.' || (unsigned char)*lx->p >= 0x80)) {
        while (lx->p < lx->end &&
               (is_name_char(*lx->p) || *lx->p == '.' || (unsigned char)*lx->p >= 0x80)) {
            lx->p++;
        }
        size_t n = (size_t)(lx->p - begin);
        sto_diag(lx->diags, STO_SEV_ERROR, lx->file, lx->line, "bad-name",
                 "'%.*s' cannot be a key: letters a-z, digits, '-' and '_' only; text needs quotes",
                 quoted(begin, n), begin);
        t.bad = true;
    }
    t.s = keep(lx, begin, (size_t)(lx->p - begin));
    if (strcasecmp(t.s, "true") == 0 || strcasecmp(t.s, "false") == 0) {
        t.type = STO_TOK_BOOL;
        t.i = strcasecmp(t.s, "true") == 0;
    }
    return t;
}

/* Digits of one base, at least one. libconfig's suffix L is not taken: every integer has 64 bits
 * here. */
static bool is_integer(const char *s, bool hex)
{
    const char *p = s;
    while (is_digit(*p) || (hex && hex_value(*p) >= 0)) {
        p++;
    }
    return p > s && *p == '\0';
}

/* digits . digits [e [sign] digits] */
static bool is_float(const char *s)
{
    const char *p = s;
    while (is_digit(*p)) {
        p++;
    }
    if (p == s || *p != '.' || !is_digit(p[1])) {
        return false;
    }
    for (p++; is_digit(*p); p++) {
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        p += *p == '+' || *p == '-' ? 1 : 0;
        if (!is_digit(*p)) {
            return false;
        }
        for (; is_digit(*p); p++) {
        }
    }
    return *p == '\0';
}

static void number_fault(struct sto_lexer *lx, struct sto_token *t, const char *code,
                         const char *why)
{
    sto_diag(lx->diags, STO_SEV_ERROR, lx->file, t->line, code, "'%.*s' %s",
             quoted(t->s, strlen(t->s)), t->s, why);
    t->bad = true;
}

static void set_number(struct sto_lexer *lx, struct sto_token *t)
{
    const char *unsigned_part = t->s + (*t->s == '-' || *t->s == '+' ? 1 : 0);
    bool hex = t->s[0] == '0' && (t->s[1] == 'x' || t->s[1] == 'X');
    errno = 0;
    if (is_integer(hex ? t->s + 2 : unsigned_part, hex)) {
        t->i = strtoll(t->s, NULL, hex ? 16 : 10);
        if (errno == ERANGE) {
            number_fault(lx, t, "integer-range", "does not fit in 64 bits");
        } else if (!hex && unsigned_part[0] == '0' && is_digit(unsigned_part[1])) {
            /* libconfig would read it as octal */
            number_fault(lx, t, "leading-zero", "begins with 0; leave the zeros out, or quote it");
        }
    } else if (is_float(unsigned_part)) {
        t->type = STO_TOK_FLOAT;
        t->f = strtod(t->s, NULL);
        if (!isfinite(t->f)) {
            number_fault(lx, t, "float-range", "is too large");
        }
    } else {
        number_fault(lx, t, "bad-number",
                     "is no number; dates, durations and other text need quotes, a key begins with "
                     "a letter");
    }
}

static struct sto_token read_number(struct sto_lexer *lx)
{
    struct sto_token t = {.type = STO_TOK_INT, .line = lx->line};
    const char *begin = lx->p;
    while (lx->p < lx->end && (is_name_char(*lx->p) || *lx->p == '.' || *lx->p == '+' ||
                               (unsigned char)*lx->p >= 0x80)) {
        lx->p++;
    }
    t.s = keep(lx, begin, (size_t)(lx->p - begin));
    if (!lx->full) {
        set_number(lx, &t);
    }
    return t;
}

/* A run of what can stand nowhere outside quotes: one finding for the run, and a name that is bad.
 */
static struct sto_token read_illegal(struct sto_lexer *lx)
{
    struct sto_token t = {.type = STO_TOK_NAME, .line = lx->line, .bad = true};
    const char *begin = lx->p++;
    while (lx->p < lx->end && (unsigned char)*lx->p > ' ' && *lx->p != '"' &&
           !strchr("{}()[]=:;,", *lx->p)) {
        lx->p++;
    }
    size_t n = (size_t)(lx->p - begin);
    sto_diag(lx->diags, STO_SEV_ERROR, lx->file, lx->line, "illegal-character",
             "'%.*s' cannot stand here; text needs quotes", quoted(begin, n), begin);
    t.s = keep(lx, begin, n);
    return t;
}

struct sto_token sto_lex_next(struct sto_lexer *lx)
{
    struct sto_token t = {.type = STO_TOK_END};
    skip_blanks(lx);
    char c = peek(lx, 0);
    if (lx->p >= lx->end || lx->full) {
        t.line = lx->line;
    } else if (c == '"') {
        t = read_string(lx);
    } else if (c == '\'') {
        t = read_single_quoted(lx);
    } else if (is_name_start(c)) {
        t = read_name(lx);
    } else if (is_digit(c) || c == '-' || c == '+' || c == '.') {
        t = read_number(lx);
    } else if (strchr("{}()[]=:;,", c)) {
        t = (struct sto_token){.type = STO_TOK_PUNCT, .line = lx->line, .punct = c};
        lx->p++;
    } else {
        t = read_illegal(lx);
    }
    t.end_line = lx->line;
    return t;
}

bool sto_lex_assign_follows(const struct sto_lexer *lx)
{
    const char *p = lx->p;
    while (p < lx->end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) {
        p++;
    }
    return p < lx->end && (*p == '=' || *p == ':');
}
