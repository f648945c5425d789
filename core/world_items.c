/* SPDX-License-Identifier: EUPL-1.2 */
/* Hash table and heap of the world's cases and sessions; no rule of the domain. */
#include "world_items.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 64

static size_t slot_of(const struct world_items *s, const struct sto_uuid *id)
{
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < sizeof id->b; i++) {
        h = (h ^ id->b[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)(h ^ h >> 32) & (s->slots - 1);
}

static void table_put(struct world_items *s, const struct world_item *it)
{
    size_t at = slot_of(s, &it->id);
    while (s->table[at] != 0) {
        at = (at + 1) & (s->slots - 1);
    }
    s->table[at] = it->n + 1;
}

static void table_rebuild(struct world_items *s, size_t slots)
{
    free(s->table);
    s->slots = slots;
    s->table = sto_xcalloc(slots, sizeof *s->table);
    for (size_t i = 0; i < s->n; i++) {
        table_put(s, s->list[i]);
    }
}

static bool before(const struct world_item *a, const struct world_item *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->n < b->n;
}

static void heap_set(struct world_items *s, size_t at, struct world_item *it)
{
    s->heap[at] = it;
    it->heap_at = at;
}

static void sift_up(struct world_items *s, size_t at)
{
    struct world_item *it = s->heap[at];
    while (at > 0 && before(it, s->heap[(at - 1) / 2])) {
        heap_set(s, at, s->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_set(s, at, it);
}

static void sift_down(struct world_items *s, size_t at)
{
    struct world_item *it = s->heap[at];
    for (size_t child; (child = 2 * at + 1) < s->n; at = child) {
        if (child + 1 < s->n && before(s->heap[child + 1], s->heap[child])) {
            child++;
        }
        if (!before(s->heap[child], it)) {
            break;
        }
        heap_set(s, at, s->heap[child]);
    }
    heap_set(s, at, it);
}

void world_items_init(struct world_items *s)
{
    memset(s, 0, sizeof *s);
    table_rebuild(s, SLOTS_MIN);
}

static void item_free(struct world_item *it)
{
    free(it->state);
    free(it->data);
    free(it->session);
    free(it);
}

void world_items_release(struct world_items *s)
{
    for (size_t i = 0; i < s->n; i++) {
        item_free(s->list[i]);
    }
    free(s->list);
    free(s->heap);
    free(s->table);
    memset(s, 0, sizeof *s);
}

struct world_item *world_items_add(struct world_items *s, const struct sto_uuid *id)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : SLOTS_MIN / 2;
        s->list = sto_xrealloc(s->list, s->cap * sizeof(void *));
        s->heap = sto_xrealloc(s->heap, s->cap * sizeof(void *));
    }
    struct world_item *it = sto_xcalloc(1, sizeof *it);
    it->id = *id;
    it->n = s->n;
    it->due_us = INT64_MAX;
    s->list[s->n] = it;
    s->heap[s->n] = it;
    it->heap_at = s->n++;
    sift_up(s, it->heap_at);
    if (2 * s->n > s->slots) {
        table_rebuild(s, 2 * s->slots);
    } else {
        table_put(s, it);
    }
    return it;
}

void world_items_drop_last(struct world_items *s)
{
    STO_ASSERT(s->n > 0);
    struct world_item *it = s->list[s->n - 1];
    world_items_due(s, it,
                    INT64_MAX); /* last of the last: the end of the heap, or a tie of equals */
    struct world_item *end = s->heap[s->n - 1];
    size_t at = it->heap_at;
    s->n--;
    if (end != it) {
        heap_set(s, at, end);
        sift_down(s, at);
        sift_up(s, end->heap_at);
    }
    table_rebuild(s, s->slots);
    item_free(it);
}

struct world_item *world_items_find(const struct world_items *s, const struct sto_uuid *id)
{
    for (size_t at = slot_of(s, id); s->table[at] != 0; at = (at + 1) & (s->slots - 1)) {
        if (sto_uuid_eq(&s->list[s->table[at] - 1]->id, id)) {
            return s->list[s->table[at] - 1];
        }
    }
    return NULL;
}

struct world_item *world_items_next(const struct world_items *s)
{
    return s->n > 0 ? s->heap[0] : NULL;
}

void world_items_due(struct world_items *s, struct world_item *it, int64_t due_us)
{
    it->due_us = due_us;
    sift_up(s, it->heap_at);
    sift_down(s, it->heap_at);
}
