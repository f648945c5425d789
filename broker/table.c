/* SPDX-License-Identifier: EUPL-1.2 */
/* Linear probing with backward shift on removal; never more than half full. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"
#include "sto_err.h"

#define CAP_MIN 16

uint64_t table_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a ^ (b * UINT64_C(0x9e3779b97f4a7c15));
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t hash_of(const struct table *t, const void *key)
{
    const uint8_t *p = key;
    uint64_t h = t->seed;
    size_t n = t->key_bytes;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        h = table_mix(h, w);
    }
    uint64_t tail = 0;
    memcpy(&tail, p, n);
    return table_mix(h, tail + n);
}

void table_init(struct table *t, size_t key_bytes, uint64_t seed)
{
    STO_ASSERT(key_bytes > 0);
    *t = (struct table){.key_bytes = key_bytes, .seed = seed, .cap = CAP_MIN};
    t->slots = sto_xcalloc(t->cap, sizeof(*t->slots));
}

void table_release(struct table *t)
{
    free(t->slots);
    *t = (struct table){0};
}

static size_t slot_of(const struct table *t, const void *key)
{
    size_t i = (size_t)hash_of(t, key) & (t->cap - 1);
    while (t->slots[i] && memcmp(t->slots[i], key, t->key_bytes) != 0) {
        i = (i + 1) & (t->cap - 1);
    }
    return i;
}

void *table_get(const struct table *t, const void *key)
{
    return t->slots[slot_of(t, key)];
}

static void grow(struct table *t)
{
    void **old = t->slots;
    size_t old_cap = t->cap;
    t->cap *= 2;
    t->slots = sto_xcalloc(t->cap, sizeof(*t->slots));
    for (size_t i = 0; i < old_cap; i++) {
        if (old[i]) {
            t->slots[slot_of(t, old[i])] = old[i];
        }
    }
    free(old);
}

void table_put(struct table *t, void *entry)
{
    if (2 * (t->n + 1) > t->cap) {
        grow(t);
    }
    size_t i = slot_of(t, entry);
    STO_ASSERT(!t->slots[i]);
    t->slots[i] = entry;
    t->n++;
}

void *table_take(struct table *t, const void *key)
{
    size_t i = slot_of(t, key);
    void *found = t->slots[i];
    if (!found) {
        return NULL;
    }
    t->n--;
    for (size_t j = (i + 1) & (t->cap - 1); t->slots[j]; j = (j + 1) & (t->cap - 1)) {
        size_t home = (size_t)hash_of(t, t->slots[j]) & (t->cap - 1);
        bool stays = i <= j ? (home > i && home <= j) : (home > i || home <= j);
        if (!stays) {
            t->slots[i] = t->slots[j];
            i = j;
        }
    }
    t->slots[i] = NULL;
    return found;
}

void *table_next(const struct table *t, size_t *i)
{
    while (*i < t->cap) {
        void *e = t->slots[(*i)++];
        if (e) {
            return e;
        }
    }
    return NULL;
}
