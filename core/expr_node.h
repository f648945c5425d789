/* SPDX-License-Identifier: EUPL-1.2 */
/* The tree of a condition, shared by its parser and its evaluator only. */
#ifndef EXPR_NODE_H
#define EXPR_NODE_H
#include "expr.h"

#define EXPR_DEPTH_MAX 32
#define EXPR_NODES_MAX 256

enum expr_kind {
    EXPR_CONST,
    EXPR_TODAY,
    EXPR_NAME,
    EXPR_SET,
    EXPR_NOT,
    EXPR_AND,
    EXPR_OR,
    EXPR_EQ,
    EXPR_LESS,
    EXPR_IN,
    EXPR_ADD
};

struct expr {
    enum expr_kind kind;
    enum expr_type type;
    bool negate;    /* EQ: is not; IN: not in; SET: is not set; ADD: minus */
    bool or_equal;  /* LESS */
    bool scaled;    /* NAME of an integer that meets decimals: its value times 100 */
    uint8_t domain; /* NAME, SET */
    uint16_t ref;
    uint16_t depth; /* of the tree below, 1 = a leaf */
    uint16_t n_list;
    int64_t i;           /* CONST; a duration as unit << 32 | n */
    const char *s;       /* CONST of text; NAME and SET: the name */
    const int64_t *list; /* IN */
    const expr_t *a, *b; /* b of LESS is the right side: a < b */
};

#endif
