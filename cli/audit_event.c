/* SPDX-License-Identifier: EUPL-1.2 */
/* One row of the log: its place, its leaf, and the state that its fact leads to. */
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "leaf.h"
#include "sto_arena.h"
#include "sto_crypto.h"

struct row {
    int64_t idx, epoch, ts_us, seq;
    uint64_t stream;
    struct sto_uuid id;
    uint32_t case_seq;
    uint8_t kind, evidence;
    unsigned org, code;
    const uint8_t *key, *msg_hash, *fact, *ct_hash, *config_hash, *commitment, *leaf;
    size_t n_fact;
    bool session, shaped;
};

static const uint8_t *fixed(const PGresult *r, int row, int col, size_t want, bool *shaped)
{
    size_t n = 0;
    const uint8_t *p = db_bytes(r, row, col, &n);

    *shaped = *shaped && n == want;
    return p;
}

static struct row read_row(const PGresult *r, int i)
{
    struct row x = {.shaped = true};

    x.idx = db_int(r, i, 0);
    x.epoch = db_int(r, i, 1);
    db_uuid(r, i, 2, &x.id);
    x.case_seq = (uint32_t)db_int(r, i, 3);
    x.kind = (uint8_t)db_int(r, i, 4);
    x.ts_us = db_time_us(r, i, 5);
    x.org = (unsigned)db_int(r, i, 6);
    x.key = fixed(r, i, 7, 8, &x.shaped);
    x.stream = (uint64_t)db_int(r, i, 8);
    x.seq = db_int(r, i, 9);
    x.msg_hash = fixed(r, i, 10, 32, &x.shaped);
    x.code = (unsigned)db_int(r, i, 11);
    x.fact = db_bytes(r, i, 12, &x.n_fact);
    x.ct_hash = fixed(r, i, 13, 32, &x.shaped);
    x.evidence = (uint8_t)db_int(r, i, 14);
    x.config_hash = fixed(r, i, 15, 32, &x.shaped);
    x.commitment = fixed(r, i, 16, 32, &x.shaped);
    x.leaf = fixed(r, i, 17, 32, &x.shaped);
    x.session = db_int(r, i, 18) == 1;
    return x;
}

/* ---------------------------------------------------------------------- leaf */

static void check_leaf(struct audit *a, const struct row *x, const struct fact *f)
{
    struct leaf l = {.shard = (uint16_t)a->shard,
                     .idx = (uint64_t)x->idx,
                     .ts_us = x->ts_us,
                     .kind = x->kind,
                     .epoch = (uint64_t)x->epoch,
                     .actor_org = (uint16_t)x->org,
                     .evidence = x->evidence,
                     .case_id = x->id,
                     .case_seq = x->case_seq};
    uint8_t hash[32];

    if (f != NULL) {
        l.before = f->before;
        l.after = f->after;
    }
    memcpy(l.actor_key, x->key, sizeof l.actor_key);
    memcpy(l.config_hash, x->config_hash, 32);
    memcpy(l.msg_hash, x->msg_hash, 32);
    memcpy(l.ct_hash, x->ct_hash, 32);
    memcpy(l.key_commitment, x->commitment, 32);
    sto_sha256(x->fact, x->n_fact, l.fact_hash);
    leaf_hash(&l, hash);
    a->leaves++;
    if (memcmp(hash, x->leaf, 32) != 0) {
        audit_differ(a, x->idx, &x->id, "the leaf's hash does not follow from the row");
    }
}

/* --------------------------------------------------------------------- place */

static void check_stream(struct audit *a, const struct row *x)
{
    size_t i = 0;

    if (x->org == 0 || x->stream == 0 || x->code == STO_E_ALTERED) {
        return; /* the broker's own; a repeat under a number that was used */
    }
    while (i < a->n_streams && (a->streams[i].org != x->org || a->streams[i].stream != x->stream)) {
        i++;
    }
    if (i == a->n_streams) {
        a->streams = sto_xrealloc(a->streams, (a->n_streams + 1) * sizeof *a->streams);
        a->streams[a->n_streams++] = (struct audit_stream){.org = x->org, .stream = x->stream};
    }
    if ((uint64_t)x->seq != a->streams[i].last + 1) {
        audit_differ(a, x->idx, &x->id, "sequence %lld of a stream of organisation %u follows %llu",
                     (long long)x->seq, x->org, (unsigned long long)a->streams[i].last);
    }
    a->streams[i].last = (uint64_t)x->seq;
}

static void check_place(struct audit *a, const struct row *x)
{
    if (!a->whole) {
        return;
    }
    if ((uint64_t)x->idx != a->next_idx) {
        audit_differ(a, x->idx, NULL, "index %lld stands where %llu is wanted", (long long)x->idx,
                     (unsigned long long)a->next_idx);
    }
    a->next_idx = (uint64_t)x->idx + 1;
    if (x->ts_us <= a->last_ts_us) {
        audit_differ(a, x->idx, &x->id, "its time is not after the time of the event before");
    }
    a->last_ts_us = x->ts_us;
    check_stream(a, x);
}

/* --------------------------------------------------------------------- state */

static void differ(struct audit *a, const struct row *x, struct audit_item *it, const char *what,
                   const struct sto_err *err)
{
    it->broken = true;
    audit_differ(a, x->idx, &x->id, "%s%s%s", what, err != NULL ? ": " : "",
                 err != NULL ? err->what : "");
}

/* The change points that broker and evolve agree on: the opening, then one for each move. */
static void note_ledger(struct audit *a, const struct row *x, const struct fact *f,
                        struct audit_item *it)
{
    const struct case_state *b = &a->before, *s = &a->after;
    struct ledger_point p = {.event_idx = (uint64_t)x->idx};

    if (b->status == CASE_NONE) {
        p.since_us = s->opened_us;
        p.who = s->ledger_n == 0 ? f->after : f->actor;
        audit_item_point(it, &p);
    }
    if (s->ledger_n > b->ledger_n) {
        p = (struct ledger_point){.n = s->ledger_n,
                                  .since_us = s->ledger_since_us,
                                  .prev_since_us =
                                      b->status == CASE_NONE ? s->opened_us : b->ledger_since_us,
                                  .who = f->after,
                                  .event_idx = (uint64_t)x->idx};
        audit_item_point(it, &p);
    }
}

static void keep_state(struct audit *a, struct audit_item *it)
{
    struct sto_buf b;

    sto_buf_init(&b, 0);
    if (it->session) {
        shared_encode(a->session, &b);
    } else {
        state_encode(&a->after, &b);
    }
    free(it->state);
    it->state = b.data; /* the buffer's memory changes hands */
    it->n_state = b.len;
}

static bool same_party(struct party a, struct party b)
{
    return a.org == b.org && a.desk == b.desk;
}

static void check_invariants(struct audit *a, const struct row *x, const struct fact *f,
                             struct audit_item *it)
{
    struct sto_err err = {0}, ignored = {0};
    const workflow_t *wf = NULL;

    if (deployed_workflow(a->r.deployed, a->after.workflow, &wf, &ignored) != 0) {
        return;
    }
    if (engine_invariants(a->r.net, wf, &a->before, f, &a->after, &err) != 0) {
        differ(a, x, it, "a rule of responsibility is broken", &err);
    }
}

static void evolve_case(struct audit *a, const struct row *x, const struct fact *f,
                        struct audit_item *it)
{
    struct sto_err err = {0};

    memset(&a->before, 0, sizeof a->before);
    if (it->state != NULL && state_decode(it->state, it->n_state, &a->before, &err) != 0) {
        differ(a, x, it, "the replayed state cannot be read", &err);
        return;
    }
    a->after = a->before;
    if (f->seq != a->before.seq + 1) {
        differ(a, x, it, "an event of the case is missing before it", NULL);
        return;
    }
    if (engine_evolve(&a->after, f, &err) != 0) {
        differ(a, x, it, "the fact does not fit the state before it", &err);
        return;
    }
    if (a->before.status != CASE_NONE && !same_party(f->before, a->before.holder)) {
        differ(a, x, it, "it names another organisation as responsible before it", NULL);
    }
    if (a->after.status == CASE_OPEN && !same_party(f->after, a->after.holder)) {
        differ(a, x, it, "it names another organisation as responsible after it", NULL);
    }
    if (a->after.status == CASE_OPEN && a->after.holder.org == 0) {
        differ(a, x, it, "nobody is responsible after it", NULL);
    }
    check_invariants(a, x, f, it);
    note_ledger(a, x, f, it);
    keep_state(a, it);
}

static void fresh_session(struct audit *a, const struct sto_uuid *id)
{
    memset(a->session, 0, sizeof *a->session);
    for (unsigned i = 0; i < a->r.net->n_services; i++) {
        const struct service *s = &a->r.net->services[i];
        struct sto_uuid of;
        shared_id(a->r.net->id, s->number, &of);
        if (service_shared(s) && sto_uuid_eq(&of, id)) {
            a->session->service = s->number;
        }
    }
}

static void evolve_session(struct audit *a, const struct row *x, const struct fact *f,
                           struct audit_item *it)
{
    struct sto_err err = {0};

    if (it->state == NULL) {
        fresh_session(a, &x->id);
    } else if (shared_decode(it->state, it->n_state, a->session, &err) != 0) {
        differ(a, x, it, "the replayed aggregate cannot be read", &err);
        return;
    }
    if (shared_evolve(a->session, f, &err) != 0) {
        differ(a, x, it, "the fact does not fit the aggregate before it", &err);
        return;
    }
    if (shared_invariants(a->r.net, a->session, &err) != 0) {
        differ(a, x, it, "a rule of what cases share is broken", &err);
    }
    keep_state(a, it);
}

static void apply_fact(struct audit *a, const struct row *x, const struct fact *f)
{
    bool is_new = false;
    struct audit_item *it = audit_items_get(a->items, &x->id, &is_new);

    if (is_new) {
        it->session = x->session;
        a->cases += !x->session;
        a->sessions += x->session;
    }
    it->last_idx = (uint64_t)x->idx;
    if (it->broken) {
        return;
    }
    if (f->kind != x->kind || f->seq != x->case_seq || f->now_us != x->ts_us ||
        (unsigned)f->code != x->code) {
        differ(a, x, it, "the fact says another kind, sequence, time or code than its row", NULL);
        return;
    }
    if (it->session) {
        evolve_session(a, x, f, it);
    } else {
        evolve_case(a, x, f, it);
    }
}

void audit_event(struct audit *a, const PGresult *r, int i)
{
    struct row x = read_row(r, i);
    struct sto_err err = {0};
    struct fact f;

    a->events++;
    a->bytes += x.n_fact;
    if (!x.shaped) {
        audit_differ(a, x.idx, &x.id, "a column has another length than it must have");
        return;
    }
    check_place(a, &x);
    if (x.n_fact == 0) {
        a->refused++;
        if (x.case_seq != 0) {
            audit_differ(a, x.idx, &x.id, "it changed the case but holds no fact");
        }
        check_leaf(a, &x, NULL);
        return;
    }
    sto_arena_reset(a->arena);
    if (fact_decode(x.fact, x.n_fact, a->arena, &f, &err) != 0) {
        audit_differ(a, x.idx, &x.id, "its fact cannot be read: %s", err.what);
        return;
    }
    check_leaf(a, &x, &f);
    apply_fact(a, &x, &f);
}
