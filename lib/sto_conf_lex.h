/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Tokens of a configuration file (private to sto_conf*.c). Every fault of a token
 * is reported here once; the token then carries `bad`, so that the parser goes on
 * without reporting what follows from it.
 */
#ifndef STO_CONF_LEX_H
#define STO_CONF_LEX_H
#include "sto_conf.h"

enum sto_token_type {
    STO_TOK_END = 1,
    STO_TOK_NAME,
    STO_TOK_STRING,
    STO_TOK_INT,
    STO_TOK_FLOAT,
    STO_TOK_BOOL,
    STO_TOK_PUNCT, /* one of { } ( ) [ ] = : ; , */
};
struct sto_token {
    enum sto_token_type type;
    int line;
    int end_line;  /* of its last character */
    char punct;    /* PUNCT; else '\0' */
    bool bad;      /* already reported */
    const char *s; /* NAME, BOOL: as written; STRING: its value; in the arena */
    int64_t i;     /* INT, BOOL */
    double f;      /* FLOAT */
};
struct sto_lexer {
    const char *file, *p, *end;
    int line;
    sto_arena_t *arena;
    sto_diags_t *diags;
    bool full; /* the arena is; only END follows */
};
void sto_lex_init(struct sto_lexer *lx, const char *file, const char *text, size_t len,
                  sto_arena_t *arena, sto_diags_t *diags);
struct sto_token sto_lex_next(struct sto_lexer *lx);
/* True if '=' or ':' comes next: tells a key from a stray word. Consumes nothing. */
bool sto_lex_assign_follows(const struct sto_lexer *lx);
/* Reports NUL bytes and bytes that are not UTF-8, each with its first line; false if there are any.
 */
bool sto_lex_check_bytes(const char *file, const char *text, size_t len, sto_diags_t *diags);

#endif
