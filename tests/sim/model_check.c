/* SPDX-License-Identifier: EUPL-1.2 */
/* Invariants over the committed rows alone, numbered as in the test plan. */
#include <stdio.h>
#include <string.h>

#include "content.h"
#include "engine.h"
#include "leaf.h"
#include "model_rows.h"
#include "shared.h"
#include "sto_crypto.h"

static void check_leaf(struct model *m, const struct row_event *e, const struct fact *f)
{
    struct leaf l = {.shard = e->shard,
                     .idx = e->idx,
                     .ts_us = e->ts_us,
                     .kind = e->kind,
                     .epoch = e->epoch,
                     .actor_org = e->org,
                     .evidence = e->evidence,
                     .case_id = e->case_id,
                     .case_seq = e->case_seq};
    uint8_t hash[32];
    if (f) {
        l.before = f->before;
        l.after = f->after;
    }
    memcpy(l.actor_key, e->key, sizeof(l.actor_key));
    memcpy(l.config_hash, e->config_hash, 32);
    memcpy(l.msg_hash, e->msg_hash, 32);
    memcpy(l.key_commitment, e->key_commitment, 32);
    sto_sha256(e->fact.p, e->fact.n, l.fact_hash);
    sto_sha256(e->ct.p, e->ct.n, l.ct_hash);
    leaf_hash(&l, hash);
    if (memcmp(hash, e->leaf, 32) != 0) {
        model_violate(m, "I8: the leaf of event %llu of shard %u is not its row's",
                      (unsigned long long)e->idx, e->shard);
    }
}

static void check_content(struct model *m, const struct row_event *e)
{
    uint8_t key[32], commitment[32], pt[65536];
    struct sto_err err;
    if (e->ct.n == 0) {
        return;
    }
    struct content_aad aad = {
        .shard = e->shard, .idx = e->idx, .case_id = e->case_id, .kind = CONTENT_EVENT};
    if (!model_key(m, e->dek, key) || content_open(key, &aad, e->ct.p, e->ct.n, pt, &err) < 0) {
        model_violate(m, "event %llu of shard %u cannot be read with its key",
                      (unsigned long long)e->idx, e->shard);
        return;
    }
    sto_key_commitment(key, commitment);
    if (memcmp(commitment, e->key_commitment, 32) != 0) {
        model_violate(m, "I8: the key commitment of event %llu is another key's",
                      (unsigned long long)e->idx);
    }
}

/* The state that folding the case's facts gives. */
struct fold {
    struct case_state s;
    struct shared_state ses;
    uint32_t seq;
};

static void fold_event(struct model *m, struct fold *f, const struct row_case *row,
                       const struct row_event *e, sto_arena_t *arena)
{
    struct fact fact;
    struct sto_err err = {0};
    if (fact_decode(e->fact.p, e->fact.n, arena, &fact, &err) != 0) {
        model_violate(m, "fact of event %llu cannot be read: %s", (unsigned long long)e->idx,
                      err.what);
        return;
    }
    check_leaf(m, e, &fact);
    if (e->case_seq != f->seq + 1) {
        model_violate(m, "I4: case event %u after %u", e->case_seq, f->seq);
    }
    f->seq = e->case_seq;
    if (row->aggregate) {
        struct sto_uuid id;
        if (f->ses.service == 0) {
            f->ses.service = 2;
            shared_id("sim", f->ses.service, &id);
            if (!sto_uuid_eq(&id, &row->case_id)) {
                model_violate(m, "an aggregate that no service has");
            }
        }
        if (shared_evolve(&f->ses, &fact, &err) != 0) {
            model_violate(m, "session does not evolve: %s", err.what);
        }
    } else if (engine_evolve(&f->s, &fact, &err) != 0) {
        model_violate(m, "case does not evolve: %s", err.what);
    }
    if (e->kind == EVENT_CLOCK) {
        m->marks[MARK_CLOCK_FIRED]++;
    }
    m->marks[MARK_RESTARTED_EVENT] += e->kind == EVENT_RESTARTED;
}

static void check_state(struct model *m, const struct fold *f, const struct row_case *row)
{
    struct sto_err err = {0};
    static struct case_state stored;
    static struct shared_state ses;
    if (row->seq != f->seq) {
        model_violate(m, "case row has seq %u, its log %u", row->seq, f->seq);
    } else if (row->aggregate) {
        if (shared_decode(row->skeleton.p, row->skeleton.n, &ses, &err) != 0 ||
            !shared_equal(&ses, &f->ses)) {
            model_violate(m, "replay of a session gives another state than its row");
        }
    } else if (state_decode(row->skeleton.p, row->skeleton.n, &stored, &err) != 0 ||
               !state_equal(&stored, &f->s)) {
        model_violate(m, "replay of a case gives another state than its row %s", err.what);
    }
}

/* I3: change points 0..n without a gap; the last one is the holder, or nobody if closed. */
static void check_ledger(struct model *m, const struct fold *f, const struct row_case *row)
{
    uint32_t n = 0;
    const struct row_ledger *last = NULL;
    for (uint32_t i = 0; i < m->n_ledger; i++) {
        if (sto_uuid_eq(&m->ledger[i].case_id, &row->case_id)) {
            n++;
            last = !last || m->ledger[i].n > last->n ? &m->ledger[i] : last;
        }
    }
    if (!last || last->n + 1 != n || last->n != f->s.ledger_n) {
        model_violate(m, "I3: %u change points, the last %u, the state says %u", n,
                      last ? last->n : 0, f->s.ledger_n);
    } else if ((last->org == 0) != !row->open || (row->open && last->org != row->holder_org)) {
        model_violate(m, "I3: the ledger ends with %u, the holder is %u", last->org,
                      row->holder_org);
    }
}

static void check_data(struct model *m, const struct row_case *row)
{
    uint8_t key[32], pt[65536];
    struct sto_err err;
    struct content_aad aad = {
        .shard = row->shard, .idx = row->seq, .case_id = row->case_id, .kind = CONTENT_DATA};
    if (row->data_ct.n > 0 &&
        (!model_key(m, row->dek, key) ||
         content_open(key, &aad, row->data_ct.p, row->data_ct.n, pt, &err) < 0)) {
        model_violate(m, "contents of a case cannot be read with its key");
    }
}

static void check_case(struct model *m, const struct row_case *row, sto_arena_t *arena)
{
    static struct fold f;
    memset(&f, 0, sizeof(f));
    const struct model_shard *sh = &m->shard[row->shard];
    for (uint32_t i = 0; i < sh->n_events; i++) {
        const struct row_event *e = &sh->events[i];
        if (e->fact.n > 0 && sto_uuid_eq(&e->case_id, &row->case_id)) {
            fold_event(m, &f, row, e, arena);
        }
    }
    check_state(m, &f, row);
    check_data(m, row);
    if (!row->aggregate) {
        check_ledger(m, &f, row);
    }
}

void model_check(struct model *m)
{
    const struct model_case *c;
    sto_arena_t *arena = sto_arena_new((size_t)256 << 20);
    for (size_t i = 0; (c = table_next(&m->cases, &i));) {
        check_case(m, &c->row, arena);
        sto_arena_reset(arena);
    }
    sto_arena_destroy(&arena);
    for (unsigned s = 0; s < m->n_shards; s++) {
        for (uint32_t i = 0; i < m->shard[s].n_events; i++) {
            const struct row_event *e = &m->shard[s].events[i];
            check_content(m, e);
            if (e->fact.n == 0) {
                check_leaf(m, e, NULL);
            } else if (!model_case(m, &e->case_id)) {
                model_violate(m, "I8: an effect without a case");
            }
        }
    }
}

void model_check_idle(struct model *m, int64_t now_us)
{
    const struct model_case *c;
    for (size_t i = 0; (c = table_next(&m->cases, &i));) {
        if (c->row.open && c->row.next_due_us <= now_us) {
            char id[37];
            model_violate(m, "I14: a clock of %s is overdue by %lld s", sto_uuid_format(&c->id, id),
                          (long long)((now_us - c->row.next_due_us) / 1000000));
        }
    }
    for (unsigned s = 0; s < m->n_shards; s++) {
        for (unsigned d = 0; d < m->n_shards; d++) {
            if (m->mail_upto[s][d] != m->mail_head[s][d]) {
                model_violate(m, "I14: mail %u to %u was not taken in", s, d);
            }
        }
        for (unsigned o = 0; o < 8; o++) {
            const struct model_queue *q = &m->queue[s][o];
            if (q->acked != q->head) {
                model_violate(m, "I14: deliveries to %u of shard %u: acked %llu of %llu", o, s,
                              (unsigned long long)q->acked, (unsigned long long)q->head);
            }
        }
    }
}
