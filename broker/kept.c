/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Kept inputs and their lanes. An input waits in its lane, is applied into the
 * open batch, and is freed when that batch is durable; if the batch is thrown
 * away it waits again. A lane applies strictly in order; lanes that cannot go on
 * stand on the list of whatever they wait for.
 */
#include "reactor_internal.h"

#include <string.h>

struct kept *kept_new(reactor_t *r, enum kept_kind kind, uint16_t shard, const void *body,
                      uint32_t n)
{
    struct kept *k = sto_xcalloc(1, sizeof(*k) + n);
    k->kind = (uint8_t)kind;
    k->where = KEPT_WAITING;
    k->shard = shard;
    k->order = ++r->order;
    k->n = n;
    if (n > 0) {
        memcpy(k->body, body, n);
    }
    k->prev = r->kept_last;
    if (r->kept_last) {
        r->kept_last->next = k;
    } else {
        r->kept_first = k;
    }
    r->kept_last = k;
    r->n_kept++;
    r->kept_bytes += n;
    return k;
}

void kept_free(reactor_t *r, struct kept *k)
{
    if (k->prev) {
        k->prev->next = k->next;
    } else {
        r->kept_first = k->next;
    }
    if (k->next) {
        k->next->prev = k->prev;
    } else {
        r->kept_last = k->prev;
    }
    r->n_kept--;
    r->kept_bytes -= k->n;
    if (!sto_uuid_is_zero(&k->client)) {
        client_unref(r, &k->client);
    }
    if (k->lane && k->lane->key.kind == LANE_SINGLE) {
        free(k->lane);
    }
    if (k->kind == KEPT_CLOCK && k->where == KEPT_WAITING) {
        struct centry *e = case_peek(r, &k->case_id);
        if (e) {
            e->clock_kept = false;
        }
    }
    if (k->redrive) {
        redrive_durable(r, k);
        free(k->redrive->ct);
        free(k->redrive->purpose);
        free(k->redrive);
    }
    free(k->what);
    free(k);
}

/* ---------------------------------------------------------------- lanes */

void lane_list_add(struct lane_list *list, struct lane *lane)
{
    if (lane->listed) {
        return;
    }
    lane->listed = true;
    lane->next = NULL;
    if (list->last) {
        list->last->next = lane;
    } else {
        list->first = lane;
    }
    list->last = lane;
}

static struct lane *lane_list_take(struct lane_list *list)
{
    struct lane *lane = list->first;
    if (lane) {
        list->first = lane->next;
        if (!list->first) {
            list->last = NULL;
        }
        lane->next = NULL;
        lane->listed = false;
    }
    return lane;
}

void kept_run(reactor_t *r, struct lane_list *list)
{
    struct lane *lane;
    while ((lane = lane_list_take(list))) {
        lane_list_add(&r->run, lane);
    }
}

static void lane_append(struct lane *lane, struct kept *k)
{
    k->lane = lane;
    k->lane_next = NULL;
    if (lane->last) {
        lane->last->lane_next = k;
    } else {
        lane->first = k;
    }
    lane->last = k;
}

void kept_queue(reactor_t *r, struct kept *k, struct lane *lane)
{
    if (!lane) {
        lane = sto_xcalloc(1, sizeof(*lane));
        lane->key.kind = LANE_SINGLE;
        lane->key.shard = k->shard;
    } else {
        STO_ASSERT(k->seq == lane->taken + 1);
        lane->taken = k->seq;
    }
    lane_append(lane, k);
    lane_list_add(&r->run, lane); /* no effect while it stands on a waiting list */
}

static void lane_pop(struct lane *lane)
{
    lane->first = lane->first->lane_next;
    if (!lane->first) {
        lane->last = NULL;
    }
}

void kept_applied(reactor_t *r, struct kept *k)
{
    struct lane *lane = k->lane;
    k->where = KEPT_OPEN;
    VEC_PUSH(r->open->inputs, k);
    if (lane->key.kind == LANE_SINGLE) {
        return;
    }
    STO_ASSERT(k->seq == lane->applied.now + 1);
    lane->applied.now = k->seq;
    if (!lane->touched) {
        lane->touched = true;
        VEC_PUSH(r->open->lanes, lane);
    }
}

/* One input of one lane; false: the batch is full. */
static bool pump_lane(reactor_t *r, struct lane *lane)
{
    struct kept *k = lane->first;
    switch (apply_input(r, k)) {
    case APPLY_FULL:
        lane_list_add(&r->run, lane);
        return false;
    case APPLY_WAITS:
        return true;
    case APPLY_DROPPED: /* only inputs of the broker's own: nothing to store */
        STO_ASSERT(lane->key.kind == LANE_SINGLE);
        kept_free(r, k);
        return true;
    case APPLY_DONE:
        lane_pop(lane);
        if (lane->first) {
            lane_list_add(&r->run, lane);
        }
        return true;
    }
    return true;
}

void kept_pump(reactor_t *r)
{
    if (!r->cfg || r->commit == COMMIT_BACKOFF || r->commit == COMMIT_SETTLING) {
        return;
    }
    while (r->run.first && batch_has_room(r)) {
        struct lane *lane = lane_list_take(&r->run);
        if (lane->first && !pump_lane(r, lane)) {
            return;
        }
    }
}

/* ----------------------------------------------------- after a failure */

/* Every lane forgets what waits, then all inputs wait again in order of arrival. */
void kept_rewind(reactor_t *r)
{
    struct centry *e;
    while (lane_list_take(&r->run) || lane_list_take(&r->misc)) {
    }
    for (size_t i = 0; (e = table_next(&r->cases, &i));) {
        while (lane_list_take(&e->waiters)) {
        }
    }
    for (struct kept *k = r->kept_first; k; k = k->next) {
        k->lane->first = k->lane->last = NULL;
        if (k->lane->key.kind != LANE_SINGLE) {
            k->lane->applied.now = k->lane->applied.going = k->lane->applied.durable;
        }
    }
    for (struct kept *k = r->kept_first; k; k = k->next) {
        k->where = KEPT_WAITING;
        k->code = 0;
        free(k->what);
        k->what = NULL;
        lane_append(k->lane, k);
        lane_list_add(&r->run, k->lane);
    }
}

static void tell_not_owner(reactor_t *r, const struct kept *k)
{
    const struct peer_session *s = peer_by_id(r, k->lane->session);
    if (k->kind != KEPT_EVENT || !s) {
        return;
    }
    Saatto__V1__Refusal m = SAATTO__V1__REFUSAL__INIT;
    m.code = STO_E_NOT_OWNER;
    m.shard = k->shard;
    m.expected = k->seq;
    rx_refuse(r, &s->peer, &m);
}

void kept_drop_shard(reactor_t *r, uint16_t shard)
{
    /* After kept_rewind: everything waits. */
    struct lane_list other = {0};
    struct lane *lane;
    while ((lane = lane_list_take(&r->run))) {
        if (lane->key.shard != shard) {
            lane_list_add(&other, lane);
        }
    }
    while ((lane = lane_list_take(&r->misc))) {
        if (lane->key.shard != shard) {
            lane_list_add(&other, lane);
        }
    }
    r->run = other;
    for (struct kept *k = r->kept_first, *next; k; k = next) {
        next = k->next;
        if (k->shard != shard) {
            continue;
        }
        if (k->lane->first == k) {
            tell_not_owner(r, k); /* once for each lane: the rest follows it */
        }
        k->lane->first = k->lane->last = NULL;
        k->lane->taken = k->lane->applied.now;
        kept_free(r, k);
    }
}
