/* SPDX-License-Identifier: EUPL-1.2 */
/* What a committed batch does to the rows, with the schema's constraints. */
#include "model_rows.h"

#include <stdlib.h>
#include <string.h>

#define PUSH(v, n, cap, value)                                                                     \
    do {                                                                                           \
        if ((n) == (cap)) {                                                                        \
            (cap) = (cap) ? 2 * (cap) : 16;                                                        \
            (v) = sto_xrealloc((v), (cap) * sizeof(*(v)));                                         \
        }                                                                                          \
        (v)[(n)++] = (value);                                                                      \
    } while (0)

static bool same_blob(const struct blob *a, const struct blob *b)
{
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static struct blob keep(struct model *m, struct blob b)
{
    if (b.n == 0) {
        return (struct blob){0};
    }
    uint8_t *p = sto_arena_alloc(m->arena, b.n);
    STO_ASSERT(p);
    memcpy(p, b.p, b.n);
    return (struct blob){p, b.n};
}

static const char *keep_text(struct model *m, const char *s)
{
    return sto_arena_strdup(m->arena, s ? s : "");
}

static void put_event(struct model *m, const struct row_event *e)
{
    struct model_shard *sh = &m->shard[e->shard];
    if (e->idx != sh->n_events + 1u) {
        model_violate(m, "event idx %llu in shard %u after %u", (unsigned long long)e->idx,
                      e->shard, sh->n_events);
    }
    if (sh->n_events > 0 && (sh->events[sh->n_events - 1].epoch > e->epoch ||
                             sh->events[sh->n_events - 1].ts_us >= e->ts_us)) {
        model_violate(m, "I5: epoch or time of event %llu of shard %u goes back",
                      (unsigned long long)e->idx, e->shard);
    }
    for (uint32_t i = 0; e->stream != 0 && i < sh->n_events; i++) {
        const struct row_event *x = &sh->events[i];
        if (x->org == e->org && x->stream == e->stream && x->seq == e->seq) {
            model_violate(m, "I2: message %llu of org %u stands twice in shard %u",
                          (unsigned long long)e->seq, e->org, e->shard);
        }
    }
    struct row_event row = *e;
    row.answer = keep_text(m, e->answer);
    row.fact = keep(m, e->fact);
    row.ct = keep(m, e->ct);
    PUSH(sh->events, sh->n_events, sh->cap_events, row);
    sh->last_us = e->ts_us;
}

static void put_case(struct model *m, const struct row_case *in)
{
    struct model_case *c = table_get(&m->cases, &in->case_id);
    if ((c == NULL) != in->is_new) {
        model_violate(m, "case row: new and not new");
    }
    if (!c) {
        c = sto_arena_alloc(m->arena, sizeof(*c));
        STO_ASSERT(c);
        c->id = in->case_id;
        table_put(&m->cases, c);
    } else if (c->row.seq > in->seq ||
               (c->row.seq == in->seq && !same_blob(&c->row.skeleton, &in->skeleton))) {
        /* the same state again is a wake written anew */
        model_violate(m, "case row: seq %u after %u", in->seq, c->row.seq);
    }
    c->row = *in;
    c->row.workflow_id = keep_text(m, in->workflow_id);
    c->row.skeleton = keep(m, in->skeleton);
    c->row.data_ct = keep(m, in->data_ct);
    m->marks[MARK_CASE_CLOSED] += !in->open;
}

/* The foreign key to the former change point, as the schema has it. */
static void put_ledger(struct model *m, const struct row_ledger *in)
{
    const struct row_ledger *prev = NULL;
    for (uint32_t i = 0; i < m->n_ledger; i++) {
        const struct row_ledger *x = &m->ledger[i];
        if (sto_uuid_eq(&x->case_id, &in->case_id)) {
            prev = x->n + 1 == in->n ? x : prev;
            if (x->n == in->n) {
                model_violate(m, "I3: change point %u stands twice", in->n);
            }
        }
    }
    if (in->n > 0 && (!prev || prev->org == 0 || prev->since_us != in->prev_since_us ||
                      in->since_us <= prev->since_us)) {
        model_violate(m, "I3: change point %u does not follow the one before", in->n);
    }
    PUSH(m->ledger, m->n_ledger, m->cap_ledger, *in);
    m->marks[MARK_TAKEN_OVER] += in->n > 0 && in->org != 0;
}

static void put_outbox(struct model *m, const struct row_outbox *in)
{
    STO_ASSERT(in->org < 8);
    struct model_queue *q = &m->queue[in->shard][in->org];
    if (in->seq != q->head + 1) {
        model_violate(m, "outbox seq %llu after %llu", (unsigned long long)in->seq,
                      (unsigned long long)q->head);
    }
    q->head = in->seq;
    struct row_outbox row = *in;
    row.purpose = keep_text(m, in->purpose);
    row.ct = keep(m, in->ct);
    PUSH(q->v, q->n, q->cap, row);
}

static void put_inbox(struct model *m, const struct row_inbox *in)
{
    for (uint32_t i = 0; i < m->n_inbox; i++) {
        struct row_inbox *x = &m->inbox[i];
        if (x->shard == in->shard && x->org == in->org && x->stream == in->stream) {
            if (in->last <= x->last) {
                model_violate(m, "inbox watermark goes back");
            }
            x->last = in->last;
            return;
        }
    }
    PUSH(m->inbox, m->n_inbox, m->cap_inbox, *in);
}

static void put_mail(struct model *m, const struct batch *b)
{
    for (uint32_t i = 0; i < b->n_mails; i++) {
        struct row_mail row = b->mails[i];
        if (row.seq != ++m->mail_head[row.src][row.dst]) {
            model_violate(m, "mail seq is not gapless");
        }
        row.body = keep(m, row.body);
        PUSH(m->mails, m->n_mails, m->cap_mails, row);
        m->marks[MARK_MAIL]++;
    }
    for (uint32_t i = 0; i < b->n_mails_in; i++) {
        const struct row_mail_in *in = &b->mails_in[i];
        uint64_t *upto = &m->mail_upto[in->src][in->dst];
        if (in->upto < *upto || in->upto > m->mail_head[in->src][in->dst]) {
            model_violate(m, "mail_in is out of range");
        }
        *upto = in->upto;
    }
}

static void put_dead(struct model *m, const struct row_dead *in)
{
    if (in->redriven) {
        for (uint32_t i = 0; i < m->n_dead; i++) {
            if (m->dead[i].d.shard == in->shard && m->dead[i].d.org == in->org &&
                m->dead[i].d.seq == in->seq) {
                m->dead[i].done = true;
                m->marks[MARK_REDRIVEN]++;
            }
        }
        return;
    }
    struct model_queue *q = &m->queue[in->shard][in->org];
    for (uint32_t i = 0; i < q->n; i++) {
        if (q->v[i].seq == in->seq) {
            if (m->n_dead == m->cap_dead) {
                m->cap_dead = m->cap_dead ? 2 * m->cap_dead : 8;
                m->dead = sto_xrealloc(m->dead, m->cap_dead * sizeof(*m->dead));
            }
            m->dead[m->n_dead].d = *in;
            m->dead[m->n_dead].d.why = keep_text(m, in->why);
            m->dead[m->n_dead].row = q->v[i];
            m->dead[m->n_dead].done = false;
            m->n_dead++;
            memmove(&q->v[i], &q->v[i + 1], (q->n - i - 1) * sizeof(*q->v));
            q->n--;
            m->marks[MARK_DEAD]++;
            return;
        }
    }
}

static void trim(struct model *m)
{
    for (unsigned s = 0; s < m->n_shards; s++) {
        for (unsigned o = 0; o < 8; o++) {
            struct model_queue *q = &m->queue[s][o];
            uint32_t n = 0;
            for (uint32_t i = 0; i < q->n; i++) {
                if (q->v[i].seq > q->acked) {
                    q->v[n++] = q->v[i];
                }
            }
            q->n = n;
        }
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->n_mails; i++) {
        if (m->mails[i].seq > m->mail_upto[m->mails[i].src][m->mails[i].dst]) {
            m->mails[n++] = m->mails[i];
        }
    }
    m->n_mails = n;
}

/* Every row belongs to a shard that the guard holds. */
static void check_guarded(struct model *m, const struct batch *b, unsigned shard)
{
    for (unsigned i = 0; i < b->n_shards; i++) {
        if (b->shards[i].shard == shard) {
            return;
        }
    }
    model_violate(m, "a row of shard %u, which the guard does not hold", shard);
}

void model_apply(struct model *m, const struct batch *b)
{
    m->n_commits++;
    for (uint32_t i = 0; i < b->n_events; i++) {
        check_guarded(m, b, b->events[i].shard);
        put_event(m, &b->events[i]);
    }
    for (uint32_t i = 0; i < b->n_cases; i++) {
        check_guarded(m, b, b->cases[i].shard);
        put_case(m, &b->cases[i]);
    }
    for (uint32_t i = 0; i < b->n_ledger; i++) {
        put_ledger(m, &b->ledger[i]);
    }
    for (uint32_t i = 0; i < b->n_outbox; i++) {
        check_guarded(m, b, b->outbox[i].shard);
        put_outbox(m, &b->outbox[i]);
    }
    for (uint32_t i = 0; i < b->n_inbox; i++) {
        check_guarded(m, b, b->inbox[i].shard);
        put_inbox(m, &b->inbox[i]);
    }
    for (uint32_t i = 0; i < b->n_dead; i++) {
        check_guarded(m, b, b->dead[i].shard);
        put_dead(m, &b->dead[i]);
    }
    for (uint32_t i = 0; i < b->n_cursors; i++) {
        struct model_queue *q = &m->queue[b->cursors[i].shard][b->cursors[i].org];
        check_guarded(m, b, b->cursors[i].shard);
        if (b->cursors[i].acked < q->acked || b->cursors[i].acked > q->head) {
            model_violate(m, "outbox cursor is out of range");
        }
        q->acked = b->cursors[i].acked;
    }
    put_mail(m, b);
    if (b->clock_us != 0) {
        if (b->clock_us < m->clock_us) {
            model_violate(m, "the manual clock goes back by %lld us",
                          (long long)(m->clock_us - b->clock_us));
        }
        m->clock_us = b->clock_us;
        m->marks[MARK_CLOCK_ADVANCED]++;
    }
    if (b->trim) {
        trim(m);
    }
}
