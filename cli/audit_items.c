/* SPDX-License-Identifier: EUPL-1.2 */
#include "audit_items.h"

#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"

struct audit_items {
    struct audit_item **slots;
    size_t n, cap; /* cap: a power of two */
};

audit_items_t *audit_items_new(void)
{
    audit_items_t *self = sto_xcalloc(1, sizeof *self);

    self->cap = 1024;
    self->slots = sto_xcalloc(self->cap, sizeof(struct audit_item *));
    return self;
}

void audit_items_destroy(audit_items_t **self_p)
{
    if (*self_p == NULL) {
        return;
    }
    for (size_t i = 0; i < (*self_p)->cap; i++) {
        struct audit_item *it = (*self_p)->slots[i];
        if (it != NULL) {
            free(it->state);
            free(it->ledger);
            free(it);
        }
    }
    free((*self_p)->slots);
    free(*self_p);
    *self_p = NULL;
}

/* Ids are hashes; the version bits and the routing byte are not in these. */
static size_t slot_of(const audit_items_t *self, const struct sto_uuid *id)
{
    uint32_t h;

    memcpy(&h, id->b, sizeof h);
    size_t i = (h * 2654435761u) & (self->cap - 1);
    while (self->slots[i] != NULL && !sto_uuid_eq(&self->slots[i]->id, id)) {
        i = (i + 1) & (self->cap - 1);
    }
    return i;
}

static void grow(audit_items_t *self)
{
    struct audit_item **old = self->slots;
    size_t n = self->cap;

    self->cap *= 2;
    self->slots = sto_xcalloc(self->cap, sizeof(struct audit_item *));
    for (size_t i = 0; i < n; i++) {
        if (old[i] != NULL) {
            self->slots[slot_of(self, &old[i]->id)] = old[i];
        }
    }
    free(old);
}

struct audit_item *audit_items_find(const audit_items_t *self, const struct sto_uuid *id)
{
    return self->slots[slot_of(self, id)];
}

struct audit_item *audit_items_get(audit_items_t *self, const struct sto_uuid *id, bool *is_new)
{
    size_t i = slot_of(self, id);

    *is_new = self->slots[i] == NULL;
    if (*is_new) {
        if (2 * self->n >= self->cap) {
            grow(self);
            i = slot_of(self, id);
        }
        self->slots[i] = sto_xcalloc(1, sizeof **self->slots);
        self->slots[i]->id = *id;
        self->n++;
    }
    return self->slots[i];
}

struct audit_item *audit_items_next(const audit_items_t *self, size_t *i)
{
    while (*i < self->cap) {
        struct audit_item *it = self->slots[(*i)++];
        if (it != NULL) {
            return it;
        }
    }
    return NULL;
}

size_t audit_items_count(const audit_items_t *self)
{
    return self->n;
}

void audit_item_point(struct audit_item *it, const struct ledger_point *p)
{
    it->ledger = sto_xrealloc(it->ledger, (it->n_ledger + 1) * sizeof *it->ledger);
    it->ledger[it->n_ledger++] = *p;
}
