/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A configuration file as it was written: items with their comments and line breaks. For the
 * formatter; meaning is sto_conf's.
 */
#ifndef CONF_ITEMS_H
#define CONF_ITEMS_H
#include <stdbool.h>
#include <stddef.h>

#include "sto_arena.h"
#include "sto_err.h"

/* Bytes of the file. */
struct conf_slice {
    const char *s;
    size_t n;
};
struct conf_comment {
    struct conf_slice text;
    bool blank_before; /* an empty line stands before it */
    struct conf_comment *next;
};
struct conf_comments {
    struct conf_comment *first, **last;
};
struct conf_item {
    struct conf_comments before, behind_name, trailing;
    struct conf_slice name;   /* n 0 in lists and arrays */
    char open;                /* '{', '(', '[' or '\0': a plain value */
    struct conf_slice scalar; /* as written */
    struct conf_item *child, *next;
    struct conf_comments tail; /* before the closing bracket */
    bool breaks;               /* stands on a line of its own, or begins one */
    bool blank_before;
    bool block;   /* brackets on lines of their own */
    unsigned pad; /* columns that the name takes at least */
};

/* text must be free of faults (sto_conf_parse) and outlives the tree in arena. The result stands
   for the file: its children are the outermost settings. STO_E_LIMIT: the arena is full. */
int conf_items_read(const char *text, size_t len, sto_arena_t *arena, struct conf_item **out,
                    struct sto_err *err);

#endif
