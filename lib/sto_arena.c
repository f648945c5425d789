/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Blocks in one list; those before `current` and itself are in use, those after
 * it are free and kept over a reset. The cap counts bytes given out, so a
 * request's limit does not depend on how blocks happen to be filled. It frees no
 * single allocation and is for one thread.
 */
#include "sto_arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sto_err.h"
#include "sto_log.h"

#define ALIGN       ((size_t)16)
#define BLOCK_BYTES ((size_t)32 * 1024)

struct block {
    struct block *next;
    size_t cap, used;
    _Alignas(16) unsigned char data[];
};

struct sto_arena {
    struct block *first, *current;
    size_t used, max, held;
};

sto_arena_t *sto_arena_new(size_t bytes_max)
{
    STO_ASSERT(bytes_max > 0);
    sto_arena_t *self = sto_xcalloc(1, sizeof(*self));
    self->max = bytes_max;
    return self;
}

static void free_blocks(sto_arena_t *self)
{
    for (struct block *b = self->first; b;) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
    self->first = self->current = NULL;
    self->held = 0;
}

void sto_arena_destroy(sto_arena_t **self_p)
{
    if (!self_p || !*self_p) {
        return;
    }
    free_blocks(*self_p);
    free(*self_p);
    *self_p = NULL;
}

void sto_arena_reset(sto_arena_t *self)
{
    STO_ASSERT(self);
    /* Ever new block sizes would pile up: start afresh when more is held than could be given out.
     */
    if (self->held > self->max && self->held - self->max > BLOCK_BYTES) {
        free_blocks(self);
    }
    for (struct block *b = self->first; b; b = b->next) {
        b->used = 0;
    }
    self->current = self->first;
    self->used = 0;
}

/* Take a free block of at least n bytes out of the list behind `current`, or NULL. */
static struct block *take_free(sto_arena_t *self, size_t n)
{
    struct block **link = self->current ? &self->current->next : &self->first;
    for (; *link; link = &(*link)->next) {
        struct block *b = *link;
        if (b->cap >= n) {
            *link = b->next;
            b->next = NULL;
            return b;
        }
    }
    return NULL;
}

static struct block *next_block(sto_arena_t *self, size_t n)
{
    struct block *b = take_free(self, n);
    if (!b) {
        size_t cap = n > BLOCK_BYTES ? n : BLOCK_BYTES;
        b = malloc(sizeof(*b) + cap);
        if (!b) {
            return NULL;
        }
        b->cap = cap;
        self->held += cap;
    }
    b->used = 0;
    struct block **link = self->current ? &self->current->next : &self->first;
    b->next = *link;
    *link = b;
    self->current = b;
    return b;
}

void *sto_arena_alloc(sto_arena_t *self, size_t bytes)
{
    STO_ASSERT(self);
    if (bytes > self->max) {
        return NULL; /* also keeps the rounding below from wrapping */
    }
    size_t n = bytes > SIZE_MAX - ALIGN ? bytes : (bytes + ALIGN - 1) & ~(ALIGN - 1);
    n = n > 0 ? n : ALIGN;
    if (n > self->max - self->used) {
        return NULL;
    }
    struct block *b = self->current;
    if (!b || n > b->cap - b->used) {
        b = next_block(self, n);
        if (!b) {
            return NULL;
        }
    }
    void *p = b->data + b->used;
    b->used += n;
    self->used += n;
    return memset(p, 0, n);
}

char *sto_arena_strndup(sto_arena_t *self, const char *s, size_t n)
{
    STO_ASSERT(self);
    STO_ASSERT(s || n == 0);
    if (n == SIZE_MAX) {
        return NULL;
    }
    char *copy = sto_arena_alloc(self, n + 1);
    if (copy && n > 0) {
        memcpy(copy, s, n);
    }
    return copy;
}

char *sto_arena_strdup(sto_arena_t *self, const char *s)
{
    STO_ASSERT(s);
    return sto_arena_strndup(self, s, strlen(s));
}

size_t sto_arena_used(const sto_arena_t *self)
{
    STO_ASSERT(self);
    return self->used;
}

static _Noreturn void out_of_memory(size_t bytes)
{
    sto_log(STO_ERROR, "out_of_memory", "bytes", sto_i((int64_t)(bytes & INT64_MAX)), NULL);
    abort();
}

void *sto_xcalloc(size_t n, size_t size)
{
    void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);
    if (!p) {
        out_of_memory(size);
    }
    return p;
}

void *sto_xrealloc(void *p, size_t bytes)
{
    void *q = realloc(p, bytes > 0 ? bytes : 1);
    if (!q) {
        out_of_memory(bytes);
    }
    return q;
}

char *sto_xstrdup(const char *s)
{
    STO_ASSERT(s);
    size_t n = strlen(s) + 1;
    return memcpy(sto_xrealloc(NULL, n), s, n);
}
