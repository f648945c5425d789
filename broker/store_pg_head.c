/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * TAKE_OVER: first fence the former owner in a transaction of its own, which waits for an open
 * guard; then read in one snapshot what a fresh owner must know. Nobody else writes the shard
 * between the two: whoever still tries carries the old epoch.
 */
#include <string.h>

#include "sto_time.h"
#include "store_pg_impl.h"

/* The queries of the second step, in order. */
enum {
    HEAD_BEGIN,
    HEAD_SHARD,
    HEAD_EVENT,
    HEAD_INBOX,
    HEAD_CURSORS,
    HEAD_HEADS,
    HEAD_MAILS,
    HEAD_MAILS_IN,
    HEAD_MAILS_OUT
};

static struct row_cursor *cursors_from(struct work *w, uint16_t shard, const PGresult *r,
                                       uint32_t *n)
{
    int rows = PQntuples(r);
    struct row_cursor *v = work_alloc(w, (size_t)rows * sizeof *v);

    for (int i = 0; i < rows && v != NULL; i++) {
        v[i] = (struct row_cursor){
            .shard = shard, .org = (uint16_t)pg_int4(r, i, 0), .acked = (uint64_t)pg_int8(r, i, 1)};
    }
    *n = v != NULL ? (uint32_t)rows : 0;
    return v;
}

static void inbox_from(struct work *w, struct shard_head *h, const PGresult *r)
{
    int rows = PQntuples(r);

    h->inbox = work_alloc(w, (size_t)rows * sizeof *h->inbox);
    for (int i = 0; i < rows && h->inbox != NULL; i++) {
        h->inbox[h->n_inbox++] = (struct row_inbox){.shard = h->shard,
                                                    .org = (uint16_t)pg_int4(r, i, 0),
                                                    .stream = (uint64_t)pg_int8(r, i, 1),
                                                    .last = (uint64_t)pg_int8(r, i, 2)};
    }
}

static void mails_from(struct work *w, struct shard_head *h, const PGresult *r)
{
    int rows = PQntuples(r);

    h->mails = work_alloc(w, (size_t)rows * sizeof *h->mails);
    for (int i = 0; i < rows && h->mails != NULL; i++) {
        h->mails[h->n_mails++] = (struct row_mail){.src = (uint16_t)pg_int2(r, i, 0),
                                                   .dst = h->shard,
                                                   .seq = (uint64_t)pg_int8(r, i, 1),
                                                   .body = pg_blob(w, r, i, 2)};
    }
}

/* mails_in: dst is this shard; mails_out: src is. */
static struct row_mail_in *marks_from(struct work *w, uint16_t shard, const PGresult *r, bool out,
                                      uint32_t *n)
{
    int rows = PQntuples(r);
    struct row_mail_in *v = work_alloc(w, (size_t)rows * sizeof *v);

    for (int i = 0; i < rows && v != NULL; i++) {
        uint16_t other = (uint16_t)pg_int2(r, i, 0);
        v[i] = (struct row_mail_in){.dst = out ? other : shard,
                                    .src = out ? shard : other,
                                    .upto = (uint64_t)pg_int8(r, i, 1)};
    }
    *n = v != NULL ? (uint32_t)rows : 0;
    return v;
}

static void head_rows(struct store_pg *s, unsigned query, const PGresult *r)
{
    struct work *w = &s->loading;
    struct shard_head *h = &w->result.head;

    switch (query) {
    case HEAD_SHARD:
        if (PQntuples(r) == 1) {
            h->epoch = (uint64_t)pg_int8(r, 0, 0);
            h->config = (uint64_t)pg_int8(r, 0, 1);
            h->incarnation = (uint32_t)pg_int4(r, 0, 2);
        }
        break;
    case HEAD_EVENT:
        h->next_idx = PQntuples(r) == 1 ? (uint64_t)pg_int8(r, 0, 0) + 1 : 1;
        h->last_us = PQntuples(r) == 1 ? pg_time_us(r, 0, 1) : 0;
        break;
    case HEAD_INBOX:
        inbox_from(w, h, r);
        break;
    case HEAD_CURSORS:
        h->cursors = cursors_from(w, h->shard, r, &h->n_cursors);
        break;
    case HEAD_HEADS:
        h->heads = cursors_from(w, h->shard, r, &h->n_heads);
        break;
    case HEAD_MAILS:
        mails_from(w, h, r);
        break;
    case HEAD_MAILS_IN:
        h->mails_in = marks_from(w, h->shard, r, false, &h->n_mails_in);
        break;
    case HEAD_MAILS_OUT:
        h->mails_out = marks_from(w, h->shard, r, true, &h->n_mails_out);
        break;
    default:
        break;
    }
}

static void read_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;

    if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        work_error(&s->loading, r);
    } else if (PQresultStatus(r) == PGRES_TUPLES_OK) {
        head_rows(s, query, r);
    }
}

static void read_done(void *arg, bool lost)
{
    struct store_pg *s = arg;

    if (!lost && s->loading.failed) {
        pg_link_discard(&s->load, "the shard could not be read"); /* its transaction is aborted */
    } else if (!lost && s->loading.result.head.epoch == 0) {
        s->loading.failed = true;
        s->loading.result.message = "the shard was taken over by another core";
    } else if (!lost) {
        pg_batch_took_over(&s->batch, &s->loading.result.head);
    }
    load_finish(s, lost);
}

static void read_head(struct store_pg *s)
{
    static const unsigned reads[] = {LD_HEAD_EVENT,    LD_HEAD_INBOX, LD_HEAD_CURSORS,
                                     LD_HEAD_HEADS,    LD_HEAD_MAILS, LD_HEAD_MAILS_IN,
                                     LD_HEAD_MAILS_OUT};
    int16_t shard = (int16_t)s->loading.request->shard;
    struct pg_params p = {0};

    s->loading.result.head.shard = s->loading.request->shard;
    pg_params_call(&p, LD_BEGIN_READ);
    pg_params_call(&p, LD_HEAD_SHARD);
    pg_params_int2(&p, shard);
    pg_params_int8(&p, (int64_t)s->core_id);
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        pg_params_call(&p, reads[i]);
        pg_params_int2(&p, shard);
    }
    pg_params_call(&p, LD_COMMIT);
    load_send(s, &p, read_result, read_done);
    pg_params_release(&p);
}

static void take_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;

    if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        work_error(&s->loading, r);
    } else if (query == 1) {
        s->loading.step = PQntuples(r) == 1 ? 1 : 0; /* taken */
    } else if (query == 2 && s->loading.step == 0) {
        owners_from(&s->loading.result, r);
    } else if (query == 3 && strcmp(PQcmdStatus((PGresult *)(uintptr_t)r), "COMMIT") != 0) {
        s->loading.failed = true;
    }
}

static void take_done(void *arg, bool lost)
{
    struct store_pg *s = arg;

    if (!lost && (s->loading.failed || s->load.doubt_warning)) {
        /* in doubt or aborted: taking over again raises the epoch once more, which harms nobody */
        s->loading.failed = true;
        pg_link_discard(&s->load, "the takeover did not become durable");
    }
    if (lost || s->loading.failed) {
        load_finish(s, lost);
    } else if (s->loading.step == 1) {
        read_head(s);
    } else {
        s->loading.result.message = "another core that is alive owns the shard";
        work_finish(s, &s->loading, STORE_FENCED);
        load_run(s);
    }
}

void head_start(struct store_pg *s)
{
    int16_t shard = (int16_t)s->loading.request->shard;
    struct pg_params p = {0};

    pg_params_call(&p, LD_BEGIN);
    pg_params_call(&p, LD_TAKE);
    pg_params_int2(&p, shard);
    pg_params_int8(&p, (int64_t)s->core_id);
    pg_params_call(&p, LD_OWNER);
    pg_params_int2(&p, shard);
    pg_params_call(&p, LD_COMMIT);
    load_send(s, &p, take_result, take_done);
    pg_params_release(&p);
}
