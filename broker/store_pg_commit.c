/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * COMMIT and SETTLE. A batch is durable only if its COMMIT came back as "COMMIT", without a warning
 * and with the Sync behind it; a session that ended otherwise without a clear error is never used
 * again. Time runs out on this side only: nothing is ever cancelled in the server.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_log.h"
#include "sto_time.h"
#include "store_pg_impl.h"

static void start_next(struct store_pg *s);

/* ------------------------------------------------------------------ outcome */

static bool is_one_of(const char *state, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(state, *list) == 0) {
            return true;
        }
    }
    return false;
}

enum store_outcome commit_outcome(const char *state)
{
    /* data that cannot be written as it is; also rows of one statement that contradict each other
     */
    static const char *const poison[] = {"22", "23", "54", NULL};
    static const char *const poison_too[] = {"21000", "P0001", NULL};
    const char class[3] = {state[0], state[0] != '\0' ? state[1] : '\0', '\0'};

    if (strcmp(state, "SA001") == 0) {
        return STORE_FENCED;
    }
    /*
     * All else is RETRY: serialization, deadlock, lock timeout, cancelled, resources, read-only,
     * and faults of the installation (rights, schema), which must never set anybody's message
     * aside.
     */
    return is_one_of(class, poison) || is_one_of(state, poison_too) ? STORE_POISON : STORE_RETRY;
}

static void fenced_from_detail(struct store_result *res, const char *detail)
{
    for (const char *p = detail; p != NULL && *p != '\0';) {
        char *end;
        unsigned long shard = strtoul(p, &end, 10);
        if (end == p) {
            return;
        }
        if (shard < STO_SHARDS_MAX) {
            res->fenced_shards[shard / 64] |= UINT64_C(1) << (shard % 64);
        }
        p = *end == ',' ? end + 1 : end;
    }
}

void owners_from(struct store_result *res, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r) && res->n_owners < STO_SHARDS_MAX; i++) {
        res->owners[res->n_owners].shard = (uint16_t)pg_int2(r, i, 0);
        res->owners[res->n_owners].epoch = (uint64_t)pg_int8(r, i, 1);
        res->owners[res->n_owners].config = (uint64_t)pg_int8(r, i, 2);
        res->owners[res->n_owners].incarnation = (uint32_t)pg_int4(r, i, 3);
        res->owners[res->n_owners].core = (uint64_t)pg_int8(r, i, 4);
        res->n_owners++;
    }
}

/* ------------------------------------------------------------------- COMMIT */

static void batch_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;
    struct work *w = &s->writing;

    if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        if (!w->failed && strcmp(pg_sqlstate(r), "SA001") == 0) {
            fenced_from_detail(&w->result, PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL));
        }
        work_error(w, r);
    } else if (query == s->batch.params.n_calls - 1) {
        s->tag_seen = true;
        /* PQcmdStatus asks for a result that can be changed, and changes nothing */
        s->tag_commit = strcmp(PQcmdStatus((PGresult *)(uintptr_t)r), "COMMIT") == 0;
    }
}

static void finish_commit(struct store_pg *s, enum store_outcome outcome)
{
    if (outcome == STORE_DURABLE) {
        const struct batch *batch = s->writing.request->batch;
        pg_batch_committed(&s->batch, batch);
        if (s->capture != NULL) {
            capture_write(s->capture, &s->batch.params, batch->n_events);
        }
    }
    work_finish(s, &s->writing, outcome);
    start_next(s);
}

static void clean_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;

    if (query == 1 && PQresultStatus(r) == PGRES_TUPLES_OK) {
        owners_from(&s->writing.result, r);
    }
}

static void clean_done(void *arg, bool lost)
{
    struct store_pg *s = arg;
    enum store_outcome outcome = s->writing.result.sqlstate[0] != '\0'
                                     ? commit_outcome(s->writing.result.sqlstate)
                                     : STORE_RETRY;

    /* the transaction is gone either way; without the shard rows FENCED says nothing: ask again */
    if (outcome == STORE_FENCED && (lost || s->writing.result.n_owners == 0)) {
        outcome = STORE_RETRY;
    }
    finish_commit(s, outcome);
}

static void call_owners(struct pg_params *p, const struct batch *batch)
{
    uint16_t shards[STO_SHARDS_MAX];
    static const struct pg_column column = {PG_U16_INT2, 0, 0};

    for (uint16_t i = 0; i < batch->n_shards; i++) {
        shards[i] = batch->shards[i].shard;
    }
    pg_params_call(p, PG_OWNERS);
    pg_params_columns(p, &column, 1, shards, sizeof shards[0], batch->n_shards);
}

/* After any error the session stays in an aborted transaction until it is told. */
static void clean_up(struct store_pg *s)
{
    const struct pg_job job = {clean_result, clean_done, s};
    struct pg_params p = {0};

    pg_params_call(&p, PG_ROLLBACK);
    call_owners(&p, s->writing.request->batch);
    pg_link_begin(&s->commit, &job, s->now_us + s->commit_timeout_us);
    pg_link_calls(&s->commit, &p);
    pg_link_send(&s->commit);
    pg_params_release(&p);
}

static void batch_done(void *arg, bool lost)
{
    struct store_pg *s = arg;
    struct work *w = &s->writing;

    if (lost) {
        snprintf(w->result.sqlstate, sizeof w->result.sqlstate, "08006");
        w->result.message = work_text(w, s->commit.why);
        finish_commit(s, STORE_UNKNOWN);
    } else if (w->failed || (s->tag_seen && !s->tag_commit)) {
        clean_up(s);
    } else if (s->commit.doubt_warning || !s->tag_seen) {
        pg_link_discard(&s->commit, "commit came with a warning");
        w->result.message = "the commit was not confirmed by the standby";
        finish_commit(s, STORE_UNKNOWN);
    } else {
        finish_commit(s, STORE_DURABLE);
    }
}

static void start_commit(struct store_pg *s)
{
    const struct pg_job job = {batch_result, batch_done, s};

    s->tag_seen = s->tag_commit = false;
    pg_batch_encode(&s->batch, s->writing.request->batch, s->core_id);
    pg_link_begin(&s->commit, &job, s->now_us + s->commit_timeout_us);
    pg_link_calls(&s->commit, &s->batch.params);
    pg_link_send(&s->commit);
}

/* ------------------------------------------------------------------- SETTLE */

static void settle_read(struct store_pg *s);
static void settle_fence(struct store_pg *s);

static void settle_failed(struct store_pg *s, const char *why)
{
    if (s->commit.conn != NULL && s->commit.state == PG_LINK_READY) {
        pg_link_discard(&s->commit, why); /* in doubt, or inside an aborted transaction */
    }
    if (s->writing.result.message == NULL) {
        s->writing.result.message = work_text(&s->writing, why);
    }
    work_finish(s, &s->writing, STORE_RETRY);
    start_next(s);
}

static void fence_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;

    if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        work_error(&s->writing, r);
    } else if (query == 3) {
        s->tag_commit = strcmp(PQcmdStatus((PGresult *)(uintptr_t)r), "COMMIT") == 0;
    }
}

static void fence_done(void *arg, bool lost)
{
    struct store_pg *s = arg;
    const struct batch *batch = s->writing.request->batch;

    if (lost || s->writing.failed || !s->tag_commit || s->commit.doubt_warning) {
        settle_failed(s, lost ? s->commit.why : "the fence did not become durable");
        return;
    }
    if (s->writing.step < batch->n_shards) {
        settle_fence(s);
    } else {
        settle_read(s);
    }
}

/*
 * One shard a transaction, ascending: it waits for the doubtful session's row lock. The heartbeat
 * beside it makes the transaction write in any case, so that a durable COMMIT here means that all
 * before it, another owner's fence included, is durable too.
 */
static void settle_fence(struct store_pg *s)
{
    const struct batch *batch = s->writing.request->batch;
    const struct pg_job job = {fence_result, fence_done, s};
    struct pg_params p = {0};
    unsigned at = s->writing.step++; /* counts the shards fenced */

    s->tag_commit = false;
    pg_link_begin(&s->commit, &job, s->now_us + s->commit_timeout_us);
    pg_params_call(&p, PG_BEGIN);
    pg_params_call(&p, PG_FENCE);
    pg_params_int2(&p, (int16_t)batch->shards[at].shard);
    pg_params_int8(&p, (int64_t)batch->shards[at].epoch);
    pg_params_call(&p, PG_BEAT);
    pg_params_int8(&p, (int64_t)s->core_id);
    pg_params_raw(&p, s->host, (int)strlen(s->host));
    pg_params_call(&p, PG_COMMIT);
    pg_link_calls(&s->commit, &p);
    pg_link_send(&s->commit);
    pg_params_release(&p);
}

static void settle_read_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;
    const struct batch *batch = s->writing.request->batch;

    if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        work_error(&s->writing, r);
    } else if (query == 0) {
        owners_from(&s->writing.result, r);
    } else if (PQntuples(r) == 1) {
        s->writing.result.settled_committed = (uint64_t)pg_int8(r, 0, 0) == batch->events[0].epoch;
    }
}

static void settle_read_done(void *arg, bool lost)
{
    struct store_pg *s = arg;

    if (lost || s->writing.failed) {
        settle_failed(s, lost ? s->commit.why : "the log could not be read");
        return;
    }
    work_finish(s, &s->writing, STORE_OK);
    start_next(s);
}

static void settle_read(struct store_pg *s)
{
    const struct batch *batch = s->writing.request->batch;
    const struct pg_job job = {settle_read_result, settle_read_done, s};
    struct pg_params p = {0};

    pg_link_begin(&s->commit, &job, s->now_us + s->commit_timeout_us);
    call_owners(&p, batch);
    if (batch->n_events > 0) {
        const struct row_event *e = &batch->events[0];
        pg_params_call(&p, PG_SETTLED);
        pg_params_int2(&p, (int16_t)e->shard);
        pg_params_int8(&p, (int64_t)e->idx);
    }
    pg_link_calls(&s->commit, &p);
    pg_link_send(&s->commit);
    pg_params_release(&p);
}

/* --------------------------------------------------------------------- queue */

static void start_next(struct store_pg *s)
{
    while (s->writing.request == NULL && s->commits.n > 0) {
        if (!pg_link_ready(&s->commit) && !pg_link_hopeless(&s->commit)) {
            return; /* a connection is on its way */
        }
        work_begin(&s->writing, queue_pop(&s->commits));
        if (pg_link_hopeless(&s->commit)) {
            s->writing.result.message = work_text(&s->writing, s->commit.why);
            snprintf(s->writing.result.sqlstate, sizeof s->writing.result.sqlstate, "08001");
            work_finish(s, &s->writing, STORE_RETRY);
        } else if (s->writing.request->kind == STORE_SETTLE) {
            settle_fence(s);
        } else {
            start_commit(s);
        }
    }
}

void commit_run(struct store_pg *s)
{
    start_next(s);
}
