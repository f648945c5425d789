/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Loads: cases, answers, due cases, backlogs, dead deliveries; one request at a time on a link of
 * their own, so that reading never stands between two commits. Keys come from the key database.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_time.h"
#include "store_pg_impl.h"

#define CASE_COLUMNS                                                                               \
    "shard, case_id, aggregate, seq, wake, open, holder_org, holder_desk, workflow, workflow_id,"  \
    " client, once, skeleton, data_ct, dek"
#define DELIVERY_COLUMNS                                                                           \
    "shard, org, seq, case_id, kind, categories, purpose, basis_id, basis_ver, ct, dek"

/* clang-format off: SQL reads by clause */
const struct pg_statement load_statements[LD_STATEMENTS + 1] = {
    [LD_BEGIN] = {"begin", "BEGIN"},
    [LD_BEGIN_READ] = {"begin_read", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
    [LD_COMMIT] = {"commit", "COMMIT"},
    [LD_ROLLBACK] = {"rollback", "ROLLBACK"},
    /* a core that is alive keeps its shards; the row lock waits for an open guard */
    [LD_TAKE] =
        {"take",
         "UPDATE shard s SET epoch = epoch + 1, core = $2::int8 WHERE s.shard = $1::int2"
         " AND (s.core = 0 OR s.core = $2 OR NOT EXISTS (SELECT FROM core c WHERE c.id = s.core"
         " AND c.alive_at > clock_timestamp() - interval '5 seconds')) RETURNING s.epoch"},
    [LD_OWNER] =
        {"owner",
         "SELECT shard, epoch, config, incarnation, core FROM shard WHERE shard = $1::int2"},
    [LD_HEAD_SHARD] =
        {"head_shard",
         "SELECT epoch, config, incarnation FROM shard WHERE shard = $1::int2 AND core = $2::int8"},
    [LD_HEAD_EVENT] =
        {"head_event",
         "SELECT idx, ts FROM event WHERE shard = $1::int2 ORDER BY idx DESC LIMIT 1"},
    [LD_HEAD_INBOX] = {"head_inbox",
                       "SELECT org, stream, last FROM inbox_stream WHERE shard = $1::int2"},
    [LD_HEAD_CURSORS] = {"head_cursors",
                         "SELECT org, acked FROM outbox_cursor WHERE shard = $1::int2"},
    [LD_HEAD_HEADS] = {"head_heads", "SELECT org, last FROM outbox_head WHERE shard = $1::int2"},
    [LD_HEAD_MAILS] =
        {"head_mails",
         "SELECT m.src, m.seq, m.body FROM mail_head h CROSS JOIN LATERAL (SELECT y.src, y.seq, "
         "y.body"
         " FROM mail y WHERE y.src = h.src AND y.dst = h.dst AND y.seq > coalesce((SELECT i.upto"
         " FROM mail_in i WHERE i.dst = h.dst AND i.src = h.src), 0) OFFSET 0) m"
         " WHERE h.dst = $1::int2 ORDER BY m.src, m.seq"},
    [LD_HEAD_MAILS_IN] = {"head_mails_in", "SELECT src, upto FROM mail_in WHERE dst = $1::int2"},
    [LD_HEAD_MAILS_OUT] = {"head_mails_out",
                           "SELECT dst, last FROM mail_head WHERE src = $1::int2"},
    [LD_CASES] =
        {"cases",
         "SELECT c.*, k.n FROM unnest($1::int2[], $2::uuid[]) WITH ORDINALITY AS k (at, id, n)"
         " CROSS JOIN LATERAL (SELECT " CASE_COLUMNS " FROM case_row y"
         " WHERE y.shard = k.at AND y.case_id = k.id OFFSET 0) c"},
    [LD_CLIENTS] = {"clients", "SELECT client, case_id, workflow_id FROM case_row"
                               " WHERE client = ANY ($1::uuid[]) AND once AND open"},
    [LD_ANSWERS] =
        {"answers",
         "SELECT k.n, e.msg_hash, e.code, e.answer, e.leaf"
         " FROM unnest($1::int2[], $2::int4[], $3::int8[], $4::int8[]) WITH ORDINALITY"
         " AS k (shard, org, stream, seq, n) CROSS JOIN LATERAL (SELECT msg_hash, code, answer, "
         "leaf"
         " FROM event y WHERE y.shard = k.shard AND y.org = k.org AND y.stream = k.stream"
         " AND y.seq = k.seq AND y.org <> 0 OFFSET 0) e"},
    [LD_DUE] =
        {"due",
         "SELECT case_id FROM case_row WHERE shard = $1::int2 AND wake <= $2::int4"
         " AND wake < 2147483647 AND (open OR aggregate <> 0) ORDER BY shard, wake LIMIT $3::int8"},
    [LD_BACKLOG] = {"backlog", "SELECT " DELIVERY_COLUMNS " FROM outbox"
                               " WHERE shard = $1::int2 AND org = $2::int4 AND seq > $3::int8"
                               " ORDER BY shard, org, seq LIMIT $4::int8"},
    [LD_DEAD] = {"dead", "SELECT " DELIVERY_COLUMNS ", why FROM dead WHERE NOT redriven"
                         " AND ($1::int4 = 0 OR org = $1)"
                         " AND ($2::int8 = 0 OR (seq = $2 AND shard = $4::int2))"
                         " ORDER BY shard, org, seq LIMIT $3::int8"},
    /* an open case always has a clock, so the index of clocks finds it */
    [LD_COUNTS] = {"counts", "SELECT count(*), count(*) FILTER (WHERE holder_org = 0) FROM case_row"
                             " WHERE shard = $1::int2 AND wake < 2147483647 AND open"
                             " AND aggregate = 0"},
    [LD_CONFIG_INSTALLATION] =
        {"config_installation",
         "SELECT (SELECT max(config) FROM shard), shards, manual_clock, clock FROM installation"},
    [LD_CONFIG_NETWORK] =
        {"config_network",
         "SELECT f.network, f.name, f.body FROM (SELECT network, version FROM network_deployed"
         " ORDER BY config DESC LIMIT 1) d JOIN network_file f"
         " ON f.network = d.network AND f.version = d.version ORDER BY f.name"},
    [LD_CONFIG_WORKFLOWS] =
        {"config_workflows",
         "SELECT DISTINCT ON (id) hash, id, version, cfg, texts FROM workflow_version"
         " WHERE NOT retired ORDER BY id, version DESC"},
    [LD_CONFIG_KEYS] = {"config_keys",
                        "SELECT public_key, org, operator, revoked_at IS NOT NULL FROM org_key"
                        " ORDER BY public_key"},
    [LD_WORKFLOW] =
        {"workflow",
         "SELECT hash, id, version, cfg, texts, NOT retired AND NOT EXISTS (SELECT FROM"
         " workflow_version n WHERE n.id = w.id AND n.version > w.version AND NOT n.retired)"
         " FROM workflow_version w WHERE hash = $1::bytea"},
    [LD_BEAT] =
        {"beat",
         "INSERT INTO core (id, alive_at, host) VALUES ($1::int8, clock_timestamp(), $2::text)"
         " ON CONFLICT (id) DO UPDATE SET alive_at = excluded.alive_at"},
    [LD_FORMER] = {"former", "DELETE FROM core WHERE id = $1::int8"},
    [LD_CONFIG_NUMBER] = {"config_number",
                          "SELECT (SELECT max(config) FROM shard), shards FROM installation"},
    [LD_SETTINGS] = {"settings", SETTINGS_SQL},
};
/* clang-format on */

/* ------------------------------------------------------------------ one load */

void load_send(struct store_pg *s, const struct pg_params *p,
               void (*result)(void *, unsigned, const PGresult *), void (*done)(void *, bool))
{
    const struct pg_job job = {result, done, s};

    pg_link_begin(&s->load, &job, s->now_us + LOAD_TIMEOUT_US);
    pg_link_calls(&s->load, p);
    pg_link_send(&s->load);
}

void load_finish(struct store_pg *s, bool lost)
{
    struct work *w = &s->loading;

    if (lost && w->result.message == NULL) {
        snprintf(w->result.sqlstate, sizeof w->result.sqlstate, "08006");
        w->result.message = work_text(w, s->load.why);
    }
    work_finish(s, w, lost || w->failed ? STORE_RETRY : STORE_OK);
    load_run(s);
}

/* The error of a statement ends the load; returns true when there are rows to read. */
static bool rows_of(struct store_pg *s, const PGresult *r)
{
    if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        work_error(&s->loading, r);
    }
    return PQresultStatus(r) == PGRES_TUPLES_OK && !s->loading.failed;
}

static void simple_done(void *arg, bool lost)
{
    load_finish(arg, lost);
}

/* The keys that the rows name are looked up before the result goes out. */
static void keyed_done(void *arg, bool lost)
{
    struct store_pg *s = arg;

    if (lost || s->loading.failed) {
        load_finish(s, lost);
    } else {
        keys_look_up(s);
    }
}

void load_keys_known(struct store_pg *s, bool failed)
{
    struct store_result *res = &s->loading.result;

    if (failed) {
        s->loading.failed = true;
        if (res->message == NULL) {
            res->message = work_text(&s->loading, s->keys.why);
        }
    }
    load_finish(s, false);
}

/* --------------------------------------------------------------------- cases */

static void case_from(struct store_pg *s, struct loaded_case *c, const PGresult *r, int i)
{
    struct work *w = &s->loading;
    struct row_case *row = &c->row;

    c->found = true;
    row->shard = (uint16_t)pg_int2(r, i, 0);
    pg_uuid(r, i, 1, &row->case_id);
    row->aggregate = (uint8_t)pg_int2(r, i, 2);
    row->seq = (uint32_t)pg_int4(r, i, 3);
    row->wake_h = pg_int4(r, i, 4);
    row->open = pg_bool(r, i, 5);
    row->holder_org = (uint16_t)pg_int4(r, i, 6);
    row->holder_desk = (uint16_t)pg_int4(r, i, 7);
    pg_fixed(r, i, 8, row->workflow, sizeof row->workflow);
    row->workflow_id = pg_text(w, r, i, 9);
    pg_uuid(r, i, 10, &row->client);
    row->once = pg_bool(r, i, 11);
    row->skeleton = pg_blob(w, r, i, 12);
    row->data_ct = pg_blob(w, r, i, 13);
    row->dek = (uint64_t)pg_int8(r, i, 14);
    keys_want(s, row->dek);
}

static void clients_from(struct store_pg *s, const PGresult *r)
{
    struct store_result *res = &s->loading.result;
    int n = PQntuples(r);

    res->clients = work_alloc(&s->loading, (size_t)n * sizeof *res->clients);
    for (int i = 0; i < n && !s->loading.failed; i++) {
        struct loaded_client *c = &res->clients[res->n_clients++];
        pg_uuid(r, i, 0, &c->client);
        pg_uuid(r, i, 1, &c->case_id);
        c->workflow_id = pg_text(&s->loading, r, i, 2);
    }
}

static void cases_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;
    struct store_result *res = &s->loading.result;

    if (!rows_of(s, r)) {
        return;
    }
    if (query == 1 || s->loading.request->n_ids == 0) {
        clients_from(s, r);
        return;
    }
    for (int i = 0; i < PQntuples(r); i++) {
        int64_t n = pg_int8(r, i, 15);
        STO_ASSERT(n >= 1 && n <= res->n_cases);
        case_from(s, &res->cases[n - 1], r, i);
    }
}

/* A case's shard is in its id: the last byte routes. */
static void cases_start(struct store_pg *s)
{
    const struct store_request *q = s->loading.request;
    struct store_result *res = &s->loading.result;
    struct routed {
        uint16_t shard;
        struct sto_uuid id;
    } *ids = sto_xcalloc(q->n_ids + 1, sizeof *ids);
    static const struct pg_column columns[] = {{PG_U16_INT2, offsetof(struct routed, shard), 0},
                                               {PG_UUID, offsetof(struct routed, id), 0}};
    struct pg_params p = {0};

    res->cases = work_alloc(&s->loading, q->n_ids * sizeof *res->cases);
    for (uint32_t i = 0; i < q->n_ids && res->cases != NULL; i++) {
        res->cases[i].id = q->ids[i];
        res->n_cases++;
        ids[i] = (struct routed){(uint16_t)sto_uuid_shard(&q->ids[i], s->n_shards), q->ids[i]};
    }
    if (q->n_ids > 0) {
        pg_params_call(&p, LD_CASES);
        pg_params_columns(&p, columns, 2, ids, sizeof *ids, q->n_ids);
    }
    if (q->n_clients > 0) {
        pg_params_call(&p, LD_CLIENTS);
        pg_params_columns(&p, &(struct pg_column){PG_UUID, 0, 0}, 1, q->clients, sizeof *q->clients,
                          q->n_clients);
    }
    load_send(s, &p, cases_result, keyed_done);
    pg_params_release(&p);
    free(ids);
}

/* ------------------------------------------------------------------- answers */

static void answers_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;
    struct store_result *res = &s->loading.result;

    (void)query;
    if (!rows_of(s, r)) {
        return;
    }
    for (int i = 0; i < PQntuples(r); i++) {
        int64_t n = pg_int8(r, i, 0);
        STO_ASSERT(n >= 1 && n <= res->n_answers);
        struct loaded_answer *a = &res->answers[n - 1];
        a->found = true;
        pg_fixed(r, i, 1, a->msg_hash, sizeof a->msg_hash);
        a->code = (uint16_t)pg_int2(r, i, 2);
        a->answer = pg_text(&s->loading, r, i, 3);
        pg_fixed(r, i, 4, a->leaf, sizeof a->leaf);
    }
}

static void answers_start(struct store_pg *s)
{
    const struct store_request *q = s->loading.request;
    struct store_result *res = &s->loading.result;
    static const struct pg_column columns[] = {
        {PG_U16_INT2, offsetof(struct answer_key, shard), 0},
        {PG_U16_INT4, offsetof(struct answer_key, org), 0},
        {PG_I64_INT8, offsetof(struct answer_key, stream), 0},
        {PG_I64_INT8, offsetof(struct answer_key, seq), 0}};
    struct pg_params p = {0};

    res->answers = work_alloc(&s->loading, q->n_answers * sizeof *res->answers);
    for (uint32_t i = 0; i < q->n_answers && res->answers != NULL; i++) {
        res->answers[i] = (struct loaded_answer){.key = q->answers[i], .answer = ""};
        res->n_answers++;
    }
    pg_params_call(&p, LD_ANSWERS);
    pg_params_columns(&p, columns, 4, q->answers, sizeof *q->answers, q->n_answers);
    load_send(s, &p, answers_result, simple_done);
    pg_params_release(&p);
}

/* ----------------------------------------------------- due, backlog and dead */

static void due_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;
    struct store_result *res = &s->loading.result;

    (void)query;
    if (!rows_of(s, r)) {
        return;
    }
    int n = PQntuples(r);
    res->due = work_alloc(&s->loading, (size_t)n * sizeof *res->due);
    for (int i = 0; i < n && res->due != NULL; i++) {
        pg_uuid(r, i, 0, &res->due[res->n_due++]);
    }
}

static int64_t limit_of(const struct store_request *q)
{
    return q->limit == 0 ? INT32_MAX : (int64_t)q->limit;
}

static void due_start(struct store_pg *s)
{
    const struct store_request *q = s->loading.request;
    struct pg_params p = {0};

    pg_params_call(&p, LD_DUE);
    pg_params_int2(&p, (int16_t)q->shard);
    pg_params_int4(&p, q->until_h);
    pg_params_int8(&p, limit_of(q));
    load_send(s, &p, due_result, simple_done);
    pg_params_release(&p);
}

static void delivery_from(struct store_pg *s, struct loaded_backlog *d, const PGresult *r, int i)
{
    struct work *w = &s->loading;

    d->seq = (uint64_t)pg_int8(r, i, 2);
    pg_uuid(r, i, 3, &d->case_id);
    d->kind = (uint8_t)pg_int2(r, i, 4);
    d->categories = (uint32_t)pg_int4(r, i, 5);
    d->purpose = pg_text(w, r, i, 6);
    d->basis_id = (uint16_t)pg_int4(r, i, 7);
    d->basis_ver = (uint16_t)pg_int4(r, i, 8);
    d->ct = pg_blob(w, r, i, 9);
    d->dek = (uint64_t)pg_int8(r, i, 10);
    keys_want(s, d->dek);
}

static void deliveries_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;
    struct store_result *res = &s->loading.result;
    bool dead = s->loading.request->kind == STORE_LOAD;

    (void)query;
    if (!rows_of(s, r)) {
        return;
    }
    int n = PQntuples(r);
    res->backlog = work_alloc(&s->loading, (size_t)n * sizeof *res->backlog);
    res->dead = dead ? work_alloc(&s->loading, (size_t)n * sizeof *res->dead) : NULL;
    for (int i = 0; i < n && !s->loading.failed; i++) {
        delivery_from(s, &res->backlog[res->n_backlog++], r, i);
        if (dead) {
            res->dead[res->n_dead++] = (struct row_dead){.shard = (uint16_t)pg_int2(r, i, 0),
                                                         .org = (uint16_t)pg_int4(r, i, 1),
                                                         .seq = (uint64_t)pg_int8(r, i, 2),
                                                         .why = pg_text(&s->loading, r, i, 11)};
        }
    }
}

static void backlog_start(struct store_pg *s)
{
    const struct store_request *q = s->loading.request;
    struct pg_params p = {0};

    pg_params_call(&p, LD_BACKLOG);
    pg_params_int2(&p, (int16_t)q->shard);
    pg_params_int4(&p, q->org);
    pg_params_int8(&p, (int64_t)q->after);
    pg_params_int8(&p, limit_of(q));
    load_send(s, &p, deliveries_result, keyed_done);
    pg_params_release(&p);
}

static void dead_start(struct store_pg *s)
{
    const struct store_request *q = s->loading.request;
    struct pg_params p = {0};

    pg_params_call(&p, LD_DEAD);
    pg_params_int4(&p, q->org);
    pg_params_int8(&p, (int64_t)q->after);
    pg_params_int8(&p, limit_of(q));
    pg_params_int2(&p, (int16_t)q->shard);
    load_send(s, &p, deliveries_result, keyed_done);
    pg_params_release(&p);
}

static void counts_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;

    (void)query;
    if (rows_of(s, r)) {
        s->loading.result.n_open = (uint64_t)pg_int8(r, 0, 0);
        s->loading.result.n_without_holder = (uint64_t)pg_int8(r, 0, 1);
    }
}

static void counts_start(struct store_pg *s)
{
    struct pg_params p = {0};

    pg_params_call(&p, LD_COUNTS);
    pg_params_int2(&p, (int16_t)s->loading.request->shard);
    load_send(s, &p, counts_result, simple_done);
    pg_params_release(&p);
}

/* --------------------------------------------------------------------- queue */

static void load_start(struct store_pg *s)
{
    switch (s->loading.request->what) {
    case LOAD_CASES:
        cases_start(s);
        break;
    case LOAD_CONFIG:
        config_start(s);
        break;
    case LOAD_WORKFLOW:
        workflow_start(s);
        break;
    case LOAD_ANSWERS:
        answers_start(s);
        break;
    case LOAD_KEYS:
        keys_take(s);
        break;
    case LOAD_DEAD:
        dead_start(s);
        break;
    case LOAD_COUNTS:
        counts_start(s);
        break;
    }
}

static bool empty(const struct store_request *q)
{
    return q->kind == STORE_LOAD &&
           ((q->what == LOAD_CASES && q->n_ids == 0 && q->n_clients == 0) ||
            (q->what == LOAD_ANSWERS && q->n_answers == 0) ||
            (q->what == LOAD_KEYS && q->n_keys == 0));
}

static void start_request(struct store_pg *s)
{
    switch (s->loading.request->kind) {
    case STORE_TAKE_OVER:
        head_start(s);
        break;
    case STORE_LOAD:
        load_start(s);
        break;
    case STORE_DUE:
        due_start(s);
        break;
    case STORE_BACKLOG:
        backlog_start(s);
        break;
    case STORE_COMMIT:
    case STORE_SETTLE:
        STO_ASSERT(false);
    }
}

void load_run(struct store_pg *s)
{
    while (s->loading.request == NULL && s->loads.n > 0) {
        bool ready = pg_link_ready(&s->load) && pg_link_ready(&s->keys);
        bool hopeless = pg_link_hopeless(&s->load) || pg_link_hopeless(&s->keys);
        if (!ready && !hopeless) {
            return;
        }
        work_begin(&s->loading, queue_pop(&s->loads));
        s->n_wanted_keys = 0;
        if (hopeless) {
            const struct pg_link *l = pg_link_hopeless(&s->load) ? &s->load : &s->keys;
            s->loading.result.message = work_text(&s->loading, l->why);
            snprintf(s->loading.result.sqlstate, sizeof s->loading.result.sqlstate, "08001");
            work_finish(s, &s->loading, STORE_RETRY);
        } else if (empty(s->loading.request)) {
            work_finish(s, &s->loading, STORE_OK);
        } else {
            start_request(s);
        }
    }
}
