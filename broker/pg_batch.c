/* SPDX-License-Identifier: EUPL-1.2 */
#include "pg_batch.h"

#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"

#define TRIM_ROWS_MIN 256u  /* fewer wait for the reactor's word */
#define TRIM_ROWS_MAX 2048u /* for one batch: one long delete would delay a thousand answers */

/* clang-format off: SQL reads by clause */
const struct pg_statement pg_batch_statements[PG_COMMIT_LINK_STATEMENTS + 1] = {
    [PG_BEGIN] = {"begin", "BEGIN"},
    /* guard() locks the same rows and raises; it is called only if it will, since it costs thrice
     * as much as looking: a sixth of what a lone event costs the database. */
    [PG_GUARD] = {"guard",
                  "SELECT CASE WHEN (SELECT count(*) FROM (SELECT FROM shard h"
                  " WHERE h.shard = ANY ($1::int2[])"
                  " AND h.epoch = ($2::int8[])[array_position($1::int2[], h.shard)]"
                  " AND h.config = $3::int8 AND h.core = $4::int8"
                  " ORDER BY h.shard FOR NO KEY UPDATE OF h) held) <> cardinality($1::int2[])"
                  " THEN guard($1::int2[], $2::int8[], $3::int8, $4::int8) END"},
    [PG_EVENT] =
        {"event",
         "INSERT INTO event (shard, idx, epoch, case_id, case_seq, kind, ts, org, key, stream, seq,"
         " msg_hash, code, answer, fact, ct, dek, evidence, config_hash, key_commitment, leaf)"
         " SELECT unnest($1::int2[]), unnest($2::int8[]), unnest($3::int8[]), unnest($4::uuid[]),"
         " unnest($5::int4[]),"
         " unnest($6::int2[]), unnest($7::timestamptz[]), unnest($8::int4[]),"
         " unnest($9::bytea[]), unnest($10::int8[]), unnest($11::int8[]),"
         " unnest($12::bytea[]), unnest($13::int2[]), unnest($14::text[]), unnest($15::bytea[]),"
         " unnest($16::bytea[]), unnest($17::int8[]),"
         " unnest($18::int2[]), unnest($19::bytea[]), unnest($20::bytea[]), unnest($21::bytea[])"},
    [PG_CASE_NEW] =
        {"case_new",
         "INSERT INTO case_row (shard, case_id, aggregate, seq, wake, open, holder_org, "
         "holder_desk,"
         " workflow, workflow_id, client, once, skeleton, data_ct, dek)"
         " SELECT unnest($1::int2[]), unnest($2::uuid[]), unnest($3::int2[]), unnest($4::int4[]),"
         " unnest($5::int4[]),"
         " unnest($6::bool[]), unnest($7::int4[]), unnest($8::int4[]), unnest($9::bytea[]),"
         " unnest($10::text[]), unnest($11::uuid[]), unnest($12::bool[]),"
         " unnest($13::bytea[]), unnest($14::bytea[]), unnest($15::int8[])"
         " ON CONFLICT (shard, case_id) DO UPDATE SET aggregate = excluded.aggregate,"
         " seq = excluded.seq, wake = excluded.wake, open = excluded.open,"
         " holder_org = excluded.holder_org, holder_desk = excluded.holder_desk,"
         " workflow = excluded.workflow, workflow_id = excluded.workflow_id,"
         " client = excluded.client, once = excluded.once, skeleton = excluded.skeleton,"
         " data_ct = excluded.data_ct, dek = excluded.dek"},
    /*
     * SELECT unnest($1), unnest($2), … walks the arrays in step without storing them; FROM
     * unnest($1, $2, …) keeps every array as a table of its own first.
     *
     * A plain join with unnest may be planned the other way round, reading the whole table,
     * whenever the table was small or empty as its statistics were made: LATERAL with OFFSET 0
     * leaves but one way. A row that is not there would be lost in silence: one_for_each raises.
     */
    [PG_CASE] =
        {"case",
         "WITH done AS (UPDATE case_row c SET aggregate = j.aggregate, seq = j.seq, wake = j.wake,"
         " open = j.open, holder_org = j.holder_org, holder_desk = j.holder_desk,"
         " workflow = j.workflow, workflow_id = j.workflow_id, client = j.client, once = j.once,"
         " skeleton = j.skeleton, data_ct = j.data_ct, dek = j.dek"
         " FROM (SELECT k.*, x.at FROM (SELECT unnest($1::int2[]) AS shard,"
         " unnest($2::uuid[]) AS case_id, unnest($3::int2[]) AS aggregate,"
         " unnest($4::int4[]) AS seq,"
         " unnest($5::int4[]) AS wake, unnest($6::bool[]) AS open,"
         " unnest($7::int4[]) AS holder_org,"
         " unnest($8::int4[]) AS holder_desk, unnest($9::bytea[]) AS workflow,"
         " unnest($10::text[]) AS workflow_id, unnest($11::uuid[]) AS client,"
         " unnest($12::bool[]) AS once, unnest($13::bytea[]) AS skeleton,"
         " unnest($14::bytea[]) AS data_ct, unnest($15::int8[]) AS dek) k"
         " CROSS JOIN LATERAL (SELECT y.ctid AS at FROM case_row y"
         " WHERE y.shard = k.shard AND y.case_id = k.case_id OFFSET 0) x OFFSET 0) j"
         " WHERE c.ctid = j.at RETURNING 1)"
         " SELECT CASE WHEN count(*) <> cardinality($1)"
         " THEN one_for_each(count(*), cardinality($1)) END FROM done"},
    [PG_LEDGER] = {"ledger",
                   "INSERT INTO ledger (shard, case_id, n, since, org, desk, event_idx, prev_since)"
                   " SELECT unnest($1::int2[]), unnest($2::uuid[]), unnest($3::int4[]),"
                   " unnest($4::timestamptz[]), unnest($5::int4[]),"
                   " unnest($6::int4[]), unnest($7::int8[]), unnest($8::timestamptz[])"},
    [PG_OUTBOX] =
        {"outbox",
         "INSERT INTO outbox (shard, org, seq, case_id, kind, categories, purpose, basis_id,"
         " basis_ver, ct, dek, queued)"
         " SELECT unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::uuid[]),"
         " unnest($5::int2[]),"
         " unnest($6::int4[]), unnest($7::text[]), unnest($8::int4[]), unnest($9::int4[]),"
         " unnest($10::bytea[]), unnest($11::int8[]),"
         " unnest($12::timestamptz[])"},
    [PG_OUTBOX_HEAD] =
        {"outbox_head",
         "INSERT INTO outbox_head AS h (shard, org, last)"
         " SELECT unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[])"
         " ON CONFLICT (shard, org) DO UPDATE SET last = greatest(h.last, excluded.last)"},
    [PG_CURSOR] =
        {"cursor",
         "INSERT INTO outbox_cursor AS c (shard, org, acked)"
         " SELECT unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[])"
         " ON CONFLICT (shard, org) DO UPDATE SET acked = greatest(c.acked, excluded.acked)"},
    [PG_INBOX] =
        {"inbox",
         "INSERT INTO inbox_stream AS i (shard, org, stream, last)"
         " SELECT unnest($1::int2[]), unnest($2::int4[]), unnest($3::int8[]), unnest($4::int8[])"
         " ON CONFLICT (shard, org, stream) DO UPDATE SET last = greatest(i.last, excluded.last)"},
    [PG_MAIL] = {"mail", "INSERT INTO mail (src, dst, seq, body)"
                         " SELECT unnest($1::int2[]), unnest($2::int2[]), unnest($3::int8[]),"
                         " unnest($4::bytea[])"},
    [PG_MAIL_HEAD] =
        {"mail_head",
         "INSERT INTO mail_head AS h (src, dst, last)"
         " SELECT unnest($1::int2[]), unnest($2::int2[]), unnest($3::int8[])"
         " ON CONFLICT (src, dst) DO UPDATE SET last = greatest(h.last, excluded.last)"},
    [PG_MAIL_IN] = {"mail_in",
                    "INSERT INTO mail_in AS m (dst, src, upto)"
                    " SELECT unnest($1::int2[]), unnest($2::int2[]), unnest($3::int8[])"
                    " ON CONFLICT (dst, src) DO UPDATE SET upto = greatest(m.upto, excluded.upto)"},
    [PG_DEAD] =
        {"dead",
         "WITH gone AS (DELETE FROM outbox o USING (SELECT k.why, x.at"
         " FROM unnest($1::int2[], $2::int4[], $3::int8[], $4::text[]) AS k (shard, org, seq, why)"
         " CROSS JOIN LATERAL (SELECT y.ctid AS at FROM outbox y WHERE y.shard = k.shard"
         " AND y.org = k.org AND y.seq = k.seq OFFSET 0) x OFFSET 0) j WHERE o.ctid = j.at"
         " RETURNING o.shard, o.org, o.seq, o.case_id, o.kind, o.categories, o.purpose, o.basis_id,"
         " o.basis_ver, o.ct, o.dek, o.queued, j.why)"
         " INSERT INTO dead (shard, org, seq, case_id, kind, categories, purpose, basis_id,"
         " basis_ver, ct, dek, queued, why) SELECT * FROM gone"},
    [PG_REDRIVEN] = {"redriven",
                     "UPDATE dead SET redriven = true WHERE ctid = ANY (ARRAY(SELECT x.ctid"
                     " FROM unnest($1::int2[], $2::int4[], $3::int8[]) AS k (shard, org, seq)"
                     " CROSS JOIN LATERAL (SELECT y.ctid FROM dead y WHERE y.shard = k.shard"
                     " AND y.org = k.org AND y.seq = k.seq OFFSET 0) x))"},
    [PG_CLOCK] = {"clock",
                  "UPDATE installation SET clock = greatest(clock, $1::timestamptz) WHERE one"},
    [PG_TRIM_OUTBOX] =
        {"trim_outbox",
         "DELETE FROM outbox WHERE ctid = ANY (ARRAY(SELECT x.ctid"
         " FROM unnest($1::int2[], $2::int4[], $3::int8[], $4::int8[]) AS k (shard, org, lo, hi)"
         " CROSS JOIN LATERAL (SELECT y.ctid FROM outbox y WHERE y.shard = k.shard"
         " AND y.org = k.org AND y.seq > k.lo AND y.seq <= k.hi OFFSET 0) x))"},
    [PG_TRIM_MAIL] =
        {"trim_mail",
         "DELETE FROM mail WHERE ctid = ANY (ARRAY(SELECT x.ctid FROM mail_in i"
         " CROSS JOIN LATERAL (SELECT y.ctid FROM mail y WHERE y.src = i.src AND y.dst = i.dst"
         " AND y.seq <= i.upto OFFSET 0) x WHERE i.dst = ANY ($1::int2[])))"},
    [PG_COMMIT] = {"commit", "COMMIT"},
    [PG_ROLLBACK] = {"rollback", "ROLLBACK"},
    [PG_OWNERS] = {"owners", "SELECT shard, epoch, config, incarnation, core FROM shard"
                             " WHERE shard = ANY ($1::int2[]) ORDER BY shard"},
    [PG_FENCE] = {"fence",
                  "UPDATE shard SET epoch = epoch + 1 WHERE shard = $1::int2 AND epoch = $2::int8"},
    [PG_BEAT] =
        {"beat",
         "INSERT INTO core (id, alive_at, host) VALUES ($1::int8, clock_timestamp(), $2::text)"
         " ON CONFLICT (id) DO UPDATE SET alive_at = excluded.alive_at"},
    [PG_SETTLED] = {"settled", "SELECT epoch FROM event WHERE shard = $1::int2 AND idx = $2::int8"},
};
/* clang-format on */

#define AT(row, field) (uint16_t) offsetof(struct row, field)
#define COUNT(a)       (unsigned)(sizeof(a) / sizeof(a)[0])

/* In the order of the statement's parameters. */
static const struct pg_column event_columns[] = {
    {PG_U16_INT2, AT(row_event, shard), 0},     {PG_I64_INT8, AT(row_event, idx), 0},
    {PG_I64_INT8, AT(row_event, epoch), 0},     {PG_UUID, AT(row_event, case_id), 0},
    {PG_U32_INT4, AT(row_event, case_seq), 0},  {PG_U8_INT2, AT(row_event, kind), 0},
    {PG_US_TIME, AT(row_event, ts_us), 0},      {PG_U16_INT4, AT(row_event, org), 0},
    {PG_BYTES, AT(row_event, key), 8},          {PG_I64_INT8, AT(row_event, stream), 0},
    {PG_I64_INT8, AT(row_event, seq), 0},       {PG_BYTES, AT(row_event, msg_hash), 32},
    {PG_U16_INT2, AT(row_event, code), 0},      {PG_TEXT, AT(row_event, answer), 0},
    {PG_BLOB, AT(row_event, fact), 0},          {PG_BLOB, AT(row_event, ct), 0},
    {PG_I64_INT8, AT(row_event, dek), 0},       {PG_U8_INT2, AT(row_event, evidence), 0},
    {PG_BYTES, AT(row_event, config_hash), 32}, {PG_BYTES, AT(row_event, key_commitment), 32},
    {PG_BYTES, AT(row_event, leaf), 32},
};
static const struct pg_column case_columns[] = {
    {PG_U16_INT2, AT(row_case, shard), 0},      {PG_UUID, AT(row_case, case_id), 0},
    {PG_U8_INT2, AT(row_case, aggregate), 0},   {PG_U32_INT4, AT(row_case, seq), 0},
    {PG_U32_INT4, AT(row_case, wake_h), 0},     {PG_BOOL, AT(row_case, open), 0},
    {PG_U16_INT4, AT(row_case, holder_org), 0}, {PG_U16_INT4, AT(row_case, holder_desk), 0},
    {PG_BYTES, AT(row_case, workflow), 32},     {PG_TEXT, AT(row_case, workflow_id), 0},
    {PG_UUID, AT(row_case, client), 0},         {PG_BOOL, AT(row_case, once), 0},
    {PG_BLOB, AT(row_case, skeleton), 0},       {PG_BLOB, AT(row_case, data_ct), 0},
    {PG_I64_INT8, AT(row_case, dek), 0},
};
static const struct pg_column ledger_columns[] = {
    {PG_U16_INT2, AT(row_ledger, shard), 0},
    {PG_UUID, AT(row_ledger, case_id), 0},
    {PG_U32_INT4, AT(row_ledger, n), 0},
    {PG_US_TIME, AT(row_ledger, since_us), 0},
    {PG_U16_INT4_NULL, AT(row_ledger, org), 0},
    {PG_U16_INT4, AT(row_ledger, desk), 0},
    {PG_I64_INT8, AT(row_ledger, event_idx), 0},
    {PG_US_TIME_NULL, AT(row_ledger, prev_since_us), 0},
};
static const struct pg_column outbox_columns[] = {
    {PG_U16_INT2, AT(row_outbox, shard), 0},     {PG_U16_INT4, AT(row_outbox, org), 0},
    {PG_I64_INT8, AT(row_outbox, seq), 0},       {PG_UUID, AT(row_outbox, case_id), 0},
    {PG_U8_INT2, AT(row_outbox, kind), 0},       {PG_U32_INT4, AT(row_outbox, categories), 0},
    {PG_TEXT, AT(row_outbox, purpose), 0},       {PG_U16_INT4, AT(row_outbox, basis_id), 0},
    {PG_U16_INT4, AT(row_outbox, basis_ver), 0}, {PG_BLOB, AT(row_outbox, ct), 0},
    {PG_I64_INT8, AT(row_outbox, dek), 0},       {PG_US_TIME, AT(row_outbox, queued_us), 0},
};
static const struct pg_column cursor_columns[] = {
    {PG_U16_INT2, AT(row_cursor, shard), 0},
    {PG_U16_INT4, AT(row_cursor, org), 0},
    {PG_I64_INT8, AT(row_cursor, acked), 0},
};
static const struct pg_column inbox_columns[] = {
    {PG_U16_INT2, AT(row_inbox, shard), 0},
    {PG_U16_INT4, AT(row_inbox, org), 0},
    {PG_I64_INT8, AT(row_inbox, stream), 0},
    {PG_I64_INT8, AT(row_inbox, last), 0},
};
static const struct pg_column mail_columns[] = {
    {PG_U16_INT2, AT(row_mail, src), 0},
    {PG_U16_INT2, AT(row_mail, dst), 0},
    {PG_I64_INT8, AT(row_mail, seq), 0},
    {PG_BLOB, AT(row_mail, body), 0},
};
static const struct pg_column mail_in_columns[] = {
    {PG_U16_INT2, AT(row_mail_in, dst), 0},
    {PG_U16_INT2, AT(row_mail_in, src), 0},
    {PG_I64_INT8, AT(row_mail_in, upto), 0},
};
static const struct pg_column dead_columns[] = {
    {PG_U16_INT2, AT(row_dead, shard), 0},
    {PG_U16_INT4, AT(row_dead, org), 0},
    {PG_I64_INT8, AT(row_dead, seq), 0},
    {PG_TEXT, AT(row_dead, why), 0},
};
static const struct pg_column trim_columns[] = {
    {PG_U16_INT2, AT(pg_trim, shard), 0},
    {PG_U16_INT4, AT(pg_trim, org), 0},
    {PG_I64_INT8, AT(pg_trim, from), 0},
    {PG_I64_INT8, AT(pg_trim, next), 0},
};
#define OF_SHARDS(field)                                                                           \
    (uint16_t)(offsetof(struct batch, shards[0].field) - offsetof(struct batch, shards))
static const struct pg_column guard_columns[] = {
    {PG_U16_INT2, OF_SHARDS(shard), 0},
    {PG_I64_INT8, OF_SHARDS(epoch), 0},
};

void pg_batch_release(struct pg_batch *b)
{
    pg_params_release(&b->params);
    free(b->trims);
    free(b->scratch);
    *b = (struct pg_batch){0};
}

static void *scratch(struct pg_batch *b, size_t bytes)
{
    if (b->cap_scratch < bytes) {
        b->scratch = sto_xrealloc(b->scratch, bytes);
        b->cap_scratch = bytes;
    }
    return b->scratch;
}

static void encode_cases(struct pg_batch *b, const struct batch *batch)
{
    struct row_case *part = scratch(b, batch->n_cases * sizeof *part);

    for (int new = 0; new < 2; new ++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < batch->n_cases; i++) {
            if (batch->cases[i].is_new == (new == 1)) {
                part[n++] = batch->cases[i];
            }
        }
        if (n > 0) {
            pg_params_call(&b->params, new == 1 ? PG_CASE_NEW : PG_CASE);
            pg_params_columns(&b->params, case_columns, COUNT(case_columns), part, sizeof *part, n);
        }
    }
}

static void encode_ledger(struct pg_batch *b, const struct batch *batch)
{
    struct row_ledger *rows = scratch(b, batch->n_ledger * sizeof *rows);

    for (uint32_t i = 0; i < batch->n_ledger; i++) {
        rows[i] = batch->ledger[i];
        if (rows[i].n == 0) {
            rows[i].prev_since_us = INT64_MIN;
        }
    }
    pg_params_call(&b->params, PG_LEDGER);
    pg_params_columns(&b->params, ledger_columns, COUNT(ledger_columns), rows, sizeof *rows,
                      batch->n_ledger);
}

/* Highest sequence number of each (shard, organisation): the outbox may be empty tomorrow. */
static void encode_outbox(struct pg_batch *b, const struct batch *batch)
{
    struct row_cursor *heads = scratch(b, batch->n_outbox * sizeof *heads);
    uint32_t n = 0;

    pg_params_call(&b->params, PG_OUTBOX);
    pg_params_columns(&b->params, outbox_columns, COUNT(outbox_columns), batch->outbox,
                      sizeof *batch->outbox, batch->n_outbox);
    for (uint32_t i = 0; i < batch->n_outbox; i++) {
        const struct row_outbox *o = &batch->outbox[i];
        uint32_t k = 0;
        while (k < n && (heads[k].shard != o->shard || heads[k].org != o->org)) {
            k++;
        }
        if (k == n) {
            heads[n++] = (struct row_cursor){.shard = o->shard, .org = o->org};
        }
        heads[k].acked = o->seq > heads[k].acked ? o->seq : heads[k].acked;
    }
    pg_params_call(&b->params, PG_OUTBOX_HEAD);
    pg_params_columns(&b->params, cursor_columns, COUNT(cursor_columns), heads, sizeof *heads, n);
}

static void encode_mails(struct pg_batch *b, const struct batch *batch)
{
    struct row_mail *heads = scratch(b, batch->n_mails * sizeof *heads);
    uint32_t n = 0;

    pg_params_call(&b->params, PG_MAIL);
    pg_params_columns(&b->params, mail_columns, COUNT(mail_columns), batch->mails,
                      sizeof *batch->mails, batch->n_mails);
    for (uint32_t i = 0; i < batch->n_mails; i++) {
        const struct row_mail *m = &batch->mails[i];
        uint32_t k = 0;
        while (k < n && (heads[k].src != m->src || heads[k].dst != m->dst)) {
            k++;
        }
        if (k == n) {
            heads[n++] = (struct row_mail){.src = m->src, .dst = m->dst};
        }
        heads[k].seq = m->seq > heads[k].seq ? m->seq : heads[k].seq;
    }
    pg_params_call(&b->params, PG_MAIL_HEAD);
    pg_params_columns(&b->params, mail_columns, COUNT(mail_columns) - 1, heads, sizeof *heads, n);
}

static void encode_dead(struct pg_batch *b, const struct batch *batch)
{
    struct row_dead *part = scratch(b, batch->n_dead * sizeof *part);

    for (int redriven = 0; redriven < 2; redriven++) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < batch->n_dead; i++) {
            if (batch->dead[i].redriven == (redriven == 1)) {
                part[n++] = batch->dead[i];
            }
        }
        if (n > 0) {
            pg_params_call(&b->params, redriven == 1 ? PG_REDRIVEN : PG_DEAD);
            pg_params_columns(&b->params, dead_columns, COUNT(dead_columns) - (unsigned)redriven,
                              part, sizeof *part, n);
        }
    }
}

/* Only shards of the batch: those are what the guard covers. */
static bool covers(const struct batch *batch, uint16_t shard)
{
    for (uint16_t i = 0; i < batch->n_shards; i++) {
        if (batch->shards[i].shard == shard) {
            return true;
        }
    }
    return false;
}

static void encode_trims(struct pg_batch *b, const struct batch *batch)
{
    struct pg_trim *out = scratch(b, b->n_trims * sizeof *out + 1);
    uint64_t rows = 0;
    uint32_t n = 0;

    for (unsigned i = 0; i < b->n_trims; i++) {
        struct pg_trim *t = &b->trims[i];
        t->next = t->from;
        if (t->upto > t->from && rows < TRIM_ROWS_MAX && covers(batch, t->shard)) {
            uint64_t room = TRIM_ROWS_MAX - rows;
            /* from 0: first time since the takeover; how many rows are left is not known */
            t->next = t->from == 0 || t->upto - t->from < room ? t->upto : t->from + room;
            rows += t->next - t->from;
            out[n++] = *t;
        }
    }
    if (n > 0 && (batch->trim || rows >= TRIM_ROWS_MIN)) {
        pg_params_call(&b->params, PG_TRIM_OUTBOX);
        pg_params_columns(&b->params, trim_columns, COUNT(trim_columns), out, sizeof *out, n);
    } else {
        for (unsigned i = 0; i < b->n_trims; i++) {
            b->trims[i].next = b->trims[i].from;
        }
    }
    if (batch->trim) {
        pg_params_call(&b->params, PG_TRIM_MAIL);
        pg_params_columns(&b->params, guard_columns, 1, batch->shards, sizeof batch->shards[0],
                          batch->n_shards);
    }
}

void pg_batch_encode(struct pg_batch *b, const struct batch *batch, uint64_t core)
{
    struct pg_params *p = &b->params;

    pg_params_clear(p);
    pg_params_call(p, PG_BEGIN);
    pg_params_call(p, PG_GUARD);
    pg_params_columns(p, guard_columns, COUNT(guard_columns), batch->shards,
                      sizeof batch->shards[0], batch->n_shards);
    pg_params_int8(p, (int64_t)batch->config);
    pg_params_int8(p, (int64_t)core);
    if (batch->n_events > 0) {
        pg_params_call(p, PG_EVENT);
        pg_params_columns(p, event_columns, COUNT(event_columns), batch->events,
                          sizeof *batch->events, batch->n_events);
    }
    if (batch->n_cases > 0) {
        encode_cases(b, batch);
    }
    if (batch->n_ledger > 0) {
        encode_ledger(b, batch);
    }
    if (batch->n_outbox > 0) {
        encode_outbox(b, batch);
    }
    if (batch->n_cursors > 0) {
        pg_params_call(p, PG_CURSOR);
        pg_params_columns(p, cursor_columns, COUNT(cursor_columns), batch->cursors,
                          sizeof *batch->cursors, batch->n_cursors);
    }
    if (batch->n_inbox > 0) {
        pg_params_call(p, PG_INBOX);
        pg_params_columns(p, inbox_columns, COUNT(inbox_columns), batch->inbox,
                          sizeof *batch->inbox, batch->n_inbox);
    }
    if (batch->n_mails > 0) {
        encode_mails(b, batch);
    }
    if (batch->n_mails_in > 0) {
        pg_params_call(p, PG_MAIL_IN);
        pg_params_columns(p, mail_in_columns, COUNT(mail_in_columns), batch->mails_in,
                          sizeof *batch->mails_in, batch->n_mails_in);
    }
    if (batch->n_dead > 0) {
        encode_dead(b, batch);
    }
    if (batch->clock_us != 0) {
        pg_params_call(p, PG_CLOCK);
        pg_params_time(p, batch->clock_us);
    }
    encode_trims(b, batch);
    pg_params_call(p, PG_COMMIT);
}

static struct pg_trim *trim_of(struct pg_batch *b, uint16_t shard, uint16_t org)
{
    for (unsigned i = 0; i < b->n_trims; i++) {
        if (b->trims[i].shard == shard && b->trims[i].org == org) {
            return &b->trims[i];
        }
    }
    if (b->n_trims == b->cap_trims) {
        b->cap_trims = b->cap_trims == 0 ? 64 : b->cap_trims * 2;
        b->trims = sto_xrealloc(b->trims, b->cap_trims * sizeof *b->trims);
    }
    b->trims[b->n_trims] = (struct pg_trim){.shard = shard, .org = org};
    return &b->trims[b->n_trims++];
}

void pg_batch_committed(struct pg_batch *b, const struct batch *batch)
{
    for (unsigned i = 0; i < b->n_trims; i++) {
        if (covers(batch, b->trims[i].shard)) {
            b->trims[i].from = b->trims[i].next;
        }
    }
    for (uint32_t i = 0; i < batch->n_cursors; i++) {
        const struct row_cursor *c = &batch->cursors[i];
        struct pg_trim *t = trim_of(b, c->shard, c->org);
        t->upto = c->acked > t->upto ? c->acked : t->upto;
    }
}

void pg_batch_took_over(struct pg_batch *b, const struct shard_head *head)
{
    for (unsigned i = 0; i < b->n_trims; i++) {
        if (b->trims[i].shard == head->shard) {
            b->trims[i].from = b->trims[i].next = 0;
        }
    }
    for (uint32_t i = 0; i < head->n_cursors; i++) {
        struct pg_trim *t = trim_of(b, head->shard, head->cursors[i].org);
        t->upto = head->cursors[i].acked;
    }
}
