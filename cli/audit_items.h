/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Cases and sessions while their log is replayed: the state after the events so far (encoded, so
 * that a million fit) and the change points of responsibility that these events must have left in
 * the ledger.
 */
#ifndef AUDIT_ITEMS_H
#define AUDIT_ITEMS_H
#include "shared.h"
#include "state.h"

struct ledger_point {
    uint32_t n;
    int64_t since_us, prev_since_us;
    struct party who;
    uint64_t event_idx;
};
struct audit_item {
    struct sto_uuid id;
    bool session;
    bool broken;    /* a difference was found: what follows from it is not reported again */
    bool compared;  /* its row was found */
    bool in_ledger; /* its change points were */
    uint8_t *state; /* owned; encoded */
    size_t n_state;
    uint64_t last_idx;
    struct ledger_point *ledger; /* owned */
    size_t n_ledger;
};

typedef struct audit_items audit_items_t;
audit_items_t *audit_items_new(void);
void audit_items_destroy(audit_items_t **self_p);
/* Found or made. */
struct audit_item *audit_items_get(audit_items_t *self, const struct sto_uuid *id, bool *is_new);
struct audit_item *audit_items_find(const audit_items_t *self, const struct sto_uuid *id);
/* The next one; *i begins at 0. NULL = no more. */
struct audit_item *audit_items_next(const audit_items_t *self, size_t *i);
size_t audit_items_count(const audit_items_t *self);
void audit_item_point(struct audit_item *it, const struct ledger_point *p);

#endif
