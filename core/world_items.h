/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The world's cases and sessions: found by id (hash table), and by what is due
 * next (binary heap, ties in order of opening). Used by world.c only.
 */
#ifndef WORLD_ITEMS_H
#define WORLD_ITEMS_H
#include "engine.h"
#include "shared.h"

struct world_item {
    struct sto_uuid id;
    const workflow_t *wf;         /* borrowed; NULL for a session */
    struct case_state *state;     /* owned; NULL for a session */
    struct case_data *data;       /* owned; NULL for a session */
    struct shared_state *session; /* owned; NULL for a case */
    int64_t due_us;               /* INT64_MAX = nothing */
    size_t n, heap_at;
};

struct world_items {
    struct world_item **list; /* in order of opening; each owned */
    size_t n, cap;
    struct world_item **heap;
    size_t *table; /* 1 + index into list, 0 = free; a power of two of slots */
    size_t slots;
};

void world_items_init(struct world_items *s);
void world_items_release(struct world_items *s);
struct world_item *world_items_add(struct world_items *s, const struct sto_uuid *id);
void world_items_drop_last(struct world_items *s);
struct world_item *world_items_find(const struct world_items *s, const struct sto_uuid *id);
struct world_item *world_items_next(const struct world_items *s); /* NULL = none */
void world_items_due(struct world_items *s, struct world_item *it, int64_t due_us);

#endif
