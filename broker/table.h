/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Open-addressing hash table of pointers. An entry begins with its key: the first
 * key_bytes of what it points at. The hash is seeded, so that a peer cannot aim
 * its ids at one slot. The table owns no entry.
 */
#ifndef TABLE_H
#define TABLE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table {
    void **slots;
    size_t cap, n; /* cap: power of two */
    size_t key_bytes;
    uint64_t seed;
};
void table_init(struct table *t, size_t key_bytes, uint64_t seed);
void table_release(struct table *t);
void *table_get(const struct table *t, const void *key); /* NULL = none */
void table_put(struct table *t, void *entry);            /* the key must not be there yet */
void *table_take(struct table *t, const void *key);      /* removes; NULL = none */
/* Every entry: for (size_t i = 0; (e = table_next(t, &i));) … Changing the table meanwhile is not
 * allowed. */
void *table_next(const struct table *t, size_t *i);
uint64_t table_mix(uint64_t a, uint64_t b); /* a good 64-bit mix, also for rendezvous hashing */

#endif
