/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto audit replay: reads the log in short snapshots, shard by shard, and tells what differs. */
#include "audit.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "nouns.h"
#include "sto_arena.h"
#include "sto_time.h"

#define CHUNK_ROWS       2000
#define PAGE_ROWS        1000
#define TEXT(n)          TEXT_(n)
#define TEXT_(n)         #n
#define FACT_ARENA_BYTES (8u << 20)

void audit_differ(struct audit *a, int64_t idx, const struct sto_uuid *id, const char *fmt, ...)
{
    va_list ap;

    if (a->differences < AUDIT_KEPT_MAX) {
        struct audit_difference *d = &a->kept[a->differences];
        *d = (struct audit_difference){.shard = (int)a->shard, .idx = idx};
        if (id != NULL) {
            d->case_id = *id;
        }
        va_start(ap, fmt);
        vsnprintf(d->what, sizeof d->what, fmt, ap);
        va_end(ap);
    }
    a->differences++;
}

/* ------------------------------------------------------------------- a shard */

/* Events from next_idx on; how many rows there were, or an error. */
static int read_events(struct audit *a, struct sto_err *err)
{
    char shard[12], from[24];
    const char *params[] = {shard, from};

    snprintf(shard, sizeof shard, "%u", a->shard);
    snprintf(from, sizeof from, "%llu", (unsigned long long)a->next_idx);
    PGresult *r = db_query_binary(
        a->r.db,
        "SELECT " AUDIT_EVENT_COLUMNS
        " FROM event e LEFT JOIN case_row c ON c.shard = e.shard AND c.case_id = e.case_id "
        "WHERE e.shard = $1::int2 AND e.idx >= $2::int8 ORDER BY e.idx LIMIT " TEXT(CHUNK_ROWS),
        2, params, err);
    if (r == NULL) {
        return -STO_E_DB;
    }
    int n = PQntuples(r);
    for (int i = 0; i < n; i++) {
        audit_event(a, r, i);
    }
    PQclear(r);
    return n;
}

static int all_events(struct audit *a, struct sto_err *err)
{
    int n = CHUNK_ROWS;

    while (n == CHUNK_ROWS) {
        n = read_events(a, err);
    }
    return n < 0 ? n : 0;
}

/* One page of rows and their ledger, in the snapshot that also gave the log's last events. last:
 * the id to go on from. */
static int compare_page(struct audit *a, char last[37], int *n, struct sto_err *err)
{
    char shard[12], upto[37];
    const char *params[] = {shard, last, upto};

    snprintf(shard, sizeof shard, "%u", a->shard);
    int rc = all_events(a, err);
    PGresult *rows =
        rc != 0 ? NULL
                : db_query_binary(a->r.db,
                                  "SELECT shard, case_id, aggregate, seq, wake, open, holder_org, "
                                  "holder_desk, workflow, client, skeleton FROM "
                                  "case_row WHERE shard = $1::int2 AND case_id > $2::uuid ORDER BY "
                                  "case_id LIMIT " TEXT(PAGE_ROWS),
                                  2, params, err);
    if (rows == NULL) {
        return rc != 0 ? rc : -STO_E_DB;
    }
    *n = PQntuples(rows);
    rc = audit_compare_cases(a, rows);
    if (rc == 0 && *n > 0) {
        struct sto_uuid id;
        db_uuid(rows, *n - 1, 1, &id);
        sto_uuid_format(&id, upto);
        PGresult *ledger =
            db_query_binary(a->r.db,
                            "SELECT case_id, n, since, org, desk, event_idx, prev_since FROM "
                            "ledger WHERE shard = $1::int2 AND case_id > "
                            "$2::uuid AND case_id <= $3::uuid ORDER BY case_id, n",
                            3, params, err);
        rc = ledger == NULL ? -STO_E_DB : audit_compare_ledger(a, rows, ledger);
        PQclear(ledger);
        memcpy(last, upto, sizeof upto);
    }
    PQclear(rows);
    return rc;
}

/* begin … end: one snapshot */
static int in_snapshot(struct audit *a, int (*work)(struct audit *, void *, struct sto_err *),
                       void *arg, struct sto_err *err)
{
    struct sto_err ignored = {0};
    int rc = db_run(a->r.db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);

    rc = rc != 0 ? rc : work(a, arg, err);
    if (db_run(a->r.db, "COMMIT", &ignored) != 0 && rc == 0) {
        *err = ignored;
        rc = -STO_E_DB;
    }
    return rc;
}

struct page {
    char last[37];
    int n;
};

static int page_work(struct audit *a, void *arg, struct sto_err *err)
{
    struct page *p = arg;

    return compare_page(a, p->last, &p->n, err);
}

static int end_work(struct audit *a, void *arg, struct sto_err *err)
{
    (void)arg;
    int rc = all_events(a, err);
    return rc != 0 ? rc : audit_compare_shard(a, err);
}

static void missing_rows(struct audit *a)
{
    const struct audit_item *it;

    for (size_t i = 0; (it = audit_items_next(a->items, &i)) != NULL;) {
        /* one that was opened after its page was compared has not been looked at, which is no fault
         */
        if (!it->compared && !it->broken && it->last_idx < a->next_idx) {
            char shard[12], text[37];
            const char *params[] = {shard, text};
            struct sto_err ignored = {0};
            snprintf(shard, sizeof shard, "%u", a->shard);
            sto_uuid_format(&it->id, text);
            PGresult *r = db_query(
                a->r.db, "SELECT 1 FROM case_row WHERE shard = $1::int2 AND case_id = $2::uuid", 2,
                params, &ignored);
            if (r != NULL && PQntuples(r) == 0) {
                audit_differ(a, (int64_t)it->last_idx, &it->id, "it has events but no row");
            }
            PQclear(r);
        }
    }
}

static int replay_shard(struct audit *a, unsigned shard, struct sto_err *err)
{
    struct page p = {.last = "00000000-0000-0000-0000-000000000000", .n = PAGE_ROWS};
    int n = CHUNK_ROWS, rc = 0;

    a->shard = shard;
    a->whole = true;
    a->next_idx = 1;
    a->last_ts_us = INT64_MIN;
    a->n_streams = 0;
    audit_items_destroy(&a->items);
    a->items = audit_items_new();
    while (n == CHUNK_ROWS) {
        n = read_events(a, err); /* each a snapshot of its own: long ones would hurt the hot rows */
    }
    rc = n < 0 ? n : 0;
    while (rc == 0 && p.n == PAGE_ROWS) {
        rc = in_snapshot(a, page_work, &p, err);
    }
    rc = rc != 0 ? rc : in_snapshot(a, end_work, NULL, err);
    if (rc == 0) {
        missing_rows(a);
    }
    return rc;
}

/* -------------------------------------------------------------------- a case */

static int case_work(struct audit *a, void *arg, struct sto_err *err)
{
    const struct sto_uuid *id = arg;
    char shard[12], text[37];
    const char *params[] = {shard, text};

    snprintf(shard, sizeof shard, "%u", a->shard);
    sto_uuid_format(id, text);
    PGresult *r = db_query_binary(
        a->r.db,
        "SELECT " AUDIT_EVENT_COLUMNS
        " FROM event e LEFT JOIN case_row c ON c.shard = e.shard AND c.case_id = e.case_id "
        "WHERE e.shard = $1::int2 AND e.case_id = $2::uuid AND e.case_seq > 0 ORDER BY e.case_seq",
        2, params, err);
    if (r == NULL) {
        return -STO_E_DB;
    }
    for (int i = 0; i < PQntuples(r); i++) {
        audit_event(a, r, i);
    }
    PQclear(r);
    r = db_query_binary(a->r.db,
                        "SELECT shard, case_id, aggregate, seq, wake, open, holder_org, "
                        "holder_desk, workflow, client, skeleton FROM case_row WHERE "
                        "shard = $1::int2 AND case_id = $2::uuid",
                        2, params, err);
    int rc = r == NULL ? -STO_E_DB : audit_compare_cases(a, r);
    PGresult *ledger = rc != 0
                           ? NULL
                           : db_query_binary(a->r.db,
                                             "SELECT case_id, n, since, org, desk, event_idx, "
                                             "prev_since FROM ledger WHERE shard = $1::int2 AND "
                                             "case_id = $2::uuid ORDER BY n",
                                             2, params, err);
    rc = rc != 0 ? rc : ledger == NULL ? -STO_E_DB : audit_compare_ledger(a, r, ledger);
    PQclear(ledger);
    PQclear(r);
    return rc;
}

static int replay_case(struct audit *a, const char *text, struct sto_err *err)
{
    struct sto_uuid id;
    int rc = case_find(&a->r, text, &id, err);

    a->shard = sto_uuid_shard(&id, a->r.n_shards);
    a->items = audit_items_new();
    rc = rc != 0 ? rc : in_snapshot(a, case_work, &id, err);
    if (rc == 0 && a->events == 0) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "no event of case %s is in the log", text);
    }
    return rc;
}

/* -------------------------------------------------------------------- result */

static json_t *differences_json(const struct audit *a)
{
    json_t *list = json_array();

    for (uint64_t i = 0; i < a->differences && i < AUDIT_KEPT_MAX; i++) {
        const struct audit_difference *d = &a->kept[i];
        char text[37];
        json_array_append_new(
            list,
            json_pack("{s:i, s:I, s:s, s:s}", "shard", d->shard, "idx", (json_int_t)d->idx, "case",
                      sto_uuid_is_zero(&d->case_id) ? "" : sto_uuid_format(&d->case_id, text),
                      "what", d->what));
    }
    return list;
}

static int tell(struct cli *c, const struct audit *a, double seconds, struct sto_err *err)
{
    for (uint64_t i = 0; i < a->differences && i < AUDIT_KEPT_MAX; i++) {
        const struct audit_difference *d = &a->kept[i];
        char text[37];
        output_say(&c->out, "differs: shard %d idx %lld%s%s: %s", d->shard, (long long)d->idx,
                   sto_uuid_is_zero(&d->case_id) ? "" : " case ",
                   sto_uuid_is_zero(&d->case_id) ? "" : sto_uuid_format(&d->case_id, text),
                   d->what);
    }
    output_say(&c->out,
               "replayed %llu events (%llu refused) of %llu cases and %llu sessions; %llu leaves "
               "recomputed; %llu change points of the ledger",
               (unsigned long long)a->events, (unsigned long long)a->refused,
               (unsigned long long)a->cases, (unsigned long long)a->sessions,
               (unsigned long long)a->leaves, (unsigned long long)a->ledger_points);
    output_say(&c->out,
               a->differences == 0
                   ? "State, ledger, inbox and outbox follow from the log: no differences%.0llu."
                   : "%llu differences.",
               (unsigned long long)a->differences);
    output_object(&c->out,
                  json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:o}", "ok",
                            a->differences == 0, "events", (json_int_t)a->events, "refused",
                            (json_int_t)a->refused, "cases", (json_int_t)a->cases, "sessions",
                            (json_int_t)a->sessions, "leaves", (json_int_t)a->leaves,
                            "ledger_points", (json_int_t)a->ledger_points, "differences",
                            (json_int_t)a->differences, "seconds", seconds, "found",
                            differences_json(a)),
                  true);
    if (a->differences != 0) {
        sto_fail(err, STO_E_DIFFERENT, "%llu differences between the log and what is stored",
                 (unsigned long long)a->differences);
        sto_err_fix(err, "the log is the truth; keep the database as it is and report it");
        return -STO_E_DIFFERENT;
    }
    return 0;
}

int audit_replay_verb(struct cli *c, struct sto_err *err)
{
    struct audit *a = sto_xcalloc(1, sizeof *a);
    int64_t began = sto_mono_us();
    int rc = reading_open(c, &a->r, err);

    if (rc == 0) {
        a->arena = sto_arena_new(FACT_ARENA_BYTES);
        a->session = sto_xcalloc(1, sizeof *a->session);
        if (cli_option(c, "case") != NULL) {
            rc = replay_case(a, cli_option(c, "case"), err);
        } else {
            for (unsigned s = 0; s < a->r.n_shards && rc == 0; s++) {
                rc = replay_shard(a, s, err);
            }
        }
        rc = rc != 0 ? rc : tell(c, a, (double)(sto_mono_us() - began) / 1e6, err);
        sto_arena_destroy(&a->arena);
        reading_close(&a->r);
    }
    audit_items_destroy(&a->items);
    free(a->session);
    free(a->streams);
    free(a);
    return rc;
}

static const struct option_row replay_options[] = {
    {"case", "CASE", "only this case"},
    {0},
};
const struct verb audit_verbs[] = {
    {.name = "replay",
     .words = "",
     .options = replay_options,
     .help = "Evolves the log of every case anew and compares with stored state and ledger; "
             "recomputes every leaf",
     .more = "Also checked: indexes and sequences without gaps, the rules of responsibility after "
             "every event, inbox, outbox and mail.\n"
             "Exit 10 if anything differs.",
     .run = audit_replay_verb},
    {0},
};
