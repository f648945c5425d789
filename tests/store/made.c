/* SPDX-License-Identifier: EUPL-1.2 */
#include "made.h"

#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"
#include "sto_crypto.h"

struct maker *maker_new(unsigned n_shards, uint32_t in_flight)
{
    struct maker *m = sto_xcalloc(1, sizeof *m);

    m->n_shards = n_shards;
    m->n_orgs = 5;
    m->bytes_fact = 120;
    m->bytes_ct = 200;
    m->bytes_skeleton = 200;
    m->bytes_data = 250;
    m->bytes_out = 250;
    m->n_cases = in_flight;
    m->cases = sto_xcalloc(in_flight, sizeof *m->cases);
    m->now_us = INT64_C(1790000000000000);
    sto_random(m->bytes, sizeof m->bytes);
    for (unsigned s = 0; s < n_shards; s++) {
        m->idx[s] = 1;
    }
    return m;
}

void maker_destroy(struct maker **self_p)
{
    if (self_p != NULL && *self_p != NULL) {
        free((*self_p)->cases);
        free(*self_p);
        *self_p = NULL;
    }
}

static struct blob some(struct maker *m, uint32_t n)
{
    return (struct blob){m->bytes + m->made % (sizeof m->bytes - n), n};
}

static void add_event(struct maker *m, struct batch *b, const struct made_case *c, uint16_t shard)
{
    uint16_t org = (uint16_t)(m->made % m->n_orgs + 1);
    struct row_event *e = &b->events[b->n_events++];

    *e = (struct row_event){.shard = shard,
                            .idx = m->idx[shard]++,
                            .epoch = m->epoch[shard],
                            .case_id = c->id,
                            .case_seq = c->hop + 1,
                            .kind = (uint8_t)(c->hop + 1),
                            .ts_us = m->now_us,
                            .org = org,
                            .stream = UINT64_C(0x9000000000000000) + org,
                            .seq = ++m->inbox[shard][org],
                            .answer = "",
                            .fact = some(m, m->bytes_fact),
                            .ct = some(m, m->bytes_ct),
                            .dek = 1 + m->made / MADE_HOPS,
                            .evidence = 1};
    memcpy(e->leaf, m->bytes + m->made % 2048, 32);
    memcpy(e->msg_hash, m->bytes + m->made % 1024, 32);
}

static void add_case(struct maker *m, struct batch *b, const struct made_case *c, uint16_t shard)
{
    b->cases[b->n_cases++] = (struct row_case){.shard = shard,
                                               .case_id = c->id,
                                               .seq = c->hop + 1,
                                               .wake_h = (int32_t)(m->now_us / 3600000000 + 72),
                                               .open = c->hop + 1 < MADE_HOPS,
                                               .is_new = c->hop == 0,
                                               .holder_org = (uint16_t)(c->ledger_n + 1),
                                               .workflow_id = "escorted-handover",
                                               .client = c->id,
                                               .once = true,
                                               .skeleton = some(m, m->bytes_skeleton),
                                               .data_ct = some(m, m->bytes_data),
                                               .dek = 1 + m->made / MADE_HOPS};
}

static void add_ledger(struct maker *m, struct batch *b, struct made_case *c, uint16_t shard)
{
    if (c->hop != 0 && c->hop + 1 != MADE_HOPS) {
        return;
    }
    bool closes = c->hop + 1 == MADE_HOPS;
    b->ledger[b->n_ledger++] = (struct row_ledger){.shard = shard,
                                                   .case_id = c->id,
                                                   .n = c->ledger_n,
                                                   .since_us = m->now_us,
                                                   .org = closes ? 0 : (uint16_t)(c->ledger_n + 1),
                                                   .event_idx = m->idx[shard] - 1,
                                                   .prev_since_us = c->since_us};
    c->ledger_n++;
    c->since_us = m->now_us;
}

static void add_outbox(struct maker *m, struct batch *b, const struct made_case *c, uint16_t shard)
{
    uint16_t org = (uint16_t)((m->made + 2) % m->n_orgs + 1);

    b->outbox[b->n_outbox++] = (struct row_outbox){.shard = shard,
                                                   .org = org,
                                                   .seq = ++m->outbox[shard][org],
                                                   .case_id = c->id,
                                                   .kind = 1,
                                                   .categories = 3,
                                                   .purpose = "service",
                                                   .basis_id = 4,
                                                   .basis_ver = 1,
                                                   .ct = some(m, m->bytes_out),
                                                   .dek = 1 + m->made / MADE_HOPS,
                                                   .queued_us = m->now_us};
}

/* Everything but the last 300 deliveries of a stream is acknowledged; the inbox's marks move. */
static void add_marks(struct maker *m, struct batch *b)
{
    for (uint16_t s = 0; s < m->n_shards; s++) {
        for (uint16_t o = 1; o <= m->n_orgs; o++) {
            if (m->sent[s][o] && m->outbox[s][o] > 300) {
                b->cursors[b->n_cursors++] = (struct row_cursor){s, o, m->outbox[s][o] - 300};
            }
            if (m->came[s][o]) {
                b->inbox[b->n_inbox++] =
                    (struct row_inbox){s, o, UINT64_C(0x9000000000000000) + o, m->inbox[s][o]};
            }
        }
    }
}

static int by_shard(const void *a, const void *b)
{
    const struct row_event *x = a, *y = b;

    if (x->shard != y->shard) {
        return x->shard < y->shard ? -1 : 1;
    }
    return (x->idx > y->idx) - (x->idx < y->idx);
}

static void hop(struct maker *m, struct batch *b)
{
    struct made_case *c = &m->cases[m->next_case];

    m->next_case = (m->next_case + 1) % m->n_cases;
    if (c->hop == 0) {
        sto_random(c->id.b, sizeof c->id.b);
        c->ledger_n = 0;
    }
    uint16_t shard = (uint16_t)sto_uuid_shard(&c->id, m->n_shards);
    m->now_us++;
    m->came[shard][m->made % m->n_orgs + 1] = m->sent[shard][(m->made + 2) % m->n_orgs + 1] = true;
    add_event(m, b, c, shard);
    add_case(m, b, c, shard);
    add_ledger(m, b, c, shard);
    add_outbox(m, b, c, shard);
    m->made++;
    c->hop = (c->hop + 1) % MADE_HOPS;
}

struct store_request *made_commit(struct maker *m, uint32_t n)
{
    struct store_request *r = sto_xcalloc(1, sizeof *r);
    uint32_t marks = m->n_shards * m->n_orgs;

    memset(m->sent, 0, sizeof m->sent);
    memset(m->came, 0, sizeof m->came);

    r->kind = STORE_COMMIT;
    r->arena = sto_arena_new(64u << 20);
    r->tag = ++m->number;
    struct batch *b = r->batch = sto_arena_alloc(r->arena, sizeof *b);
    b->number = m->number;
    b->config = m->config;
    b->events = sto_arena_alloc(r->arena, n * sizeof *b->events);
    b->cases = sto_arena_alloc(r->arena, n * sizeof *b->cases);
    b->ledger = sto_arena_alloc(r->arena, n * sizeof *b->ledger);
    b->outbox = sto_arena_alloc(r->arena, n * sizeof *b->outbox);
    b->cursors = sto_arena_alloc(r->arena, marks * sizeof *b->cursors);
    b->inbox = sto_arena_alloc(r->arena, marks * sizeof *b->inbox);
    for (uint16_t s = 0; s < m->n_shards; s++) {
        b->shards[b->n_shards].shard = s;
        b->shards[b->n_shards++].epoch = m->epoch[s];
    }
    STO_ASSERT(n <= m->n_cases); /* a case stands once in a batch */
    for (uint32_t i = 0; i < n; i++) {
        hop(m, b);
    }
    qsort(b->events, b->n_events, sizeof *b->events, by_shard);
    add_marks(m, b);
    return r;
}
