/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Capped bump arena. Memory lives until reset or destroy; allocations past the
 * cap answer NULL, so that sizes taken from input end in STO_E_LIMIT and not in
 * an out-of-memory kill. Blocks are kept over a reset.
 */
#ifndef STO_ARENA_H
#define STO_ARENA_H
#include <stddef.h>

typedef struct sto_arena sto_arena_t;

sto_arena_t *sto_arena_new(size_t bytes_max);
void sto_arena_destroy(sto_arena_t **self_p);
void sto_arena_reset(sto_arena_t *self);
/* 16-byte aligned, zeroed; NULL past the cap. */
void *sto_arena_alloc(sto_arena_t *self, size_t bytes);
char *sto_arena_strdup(sto_arena_t *self, const char *s);
char *sto_arena_strndup(sto_arena_t *self, const char *s, size_t n);
size_t sto_arena_used(const sto_arena_t *self);

/* malloc that aborts with a log line: for small fixed allocations only. */
void *sto_xcalloc(size_t n, size_t size);
void *sto_xrealloc(void *p, size_t bytes);
char *sto_xstrdup(const char *s);

#endif
