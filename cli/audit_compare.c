/* SPDX-License-Identifier: EUPL-1.2 */
/* What the database says, against what the log led to. */
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "sto_arena.h"
#include "sto_time.h"

/* --------------------------------------------------------------------- cases */

/* shard, case_id, aggregate, seq, wake, open, holder_org, holder_desk, workflow, client, skeleton
 */
static int32_t hour_of(int64_t us)
{
    if (us == INT64_MAX) {
        return INT32_MAX;
    }
    int64_t h = us / STO_US_PER_HOUR - (us % STO_US_PER_HOUR < 0);
    return h >= INT32_MAX ? INT32_MAX - 1 : h <= INT32_MIN ? INT32_MIN : (int32_t)h;
}

static void compare_columns(struct audit *a, const PGresult *r, int i, const struct case_state *s,
                            const struct sto_uuid *id)
{
    struct sto_uuid client;
    size_t n = 0;
    const uint8_t *workflow = db_bytes(r, i, 8, &n);

    db_uuid(r, i, 9, &client);
    if (db_int(r, i, 3) != s->seq || (db_int(r, i, 5) != 0) != (s->status == CASE_OPEN)) {
        audit_differ(a, 0, id, "the columns seq and open of its row are not those of its state");
    }
    if (db_int(r, i, 6) != s->holder.org || db_int(r, i, 7) != s->holder.desk) {
        audit_differ(a, 0, id, "the columns of who is responsible are not those of its state");
    }
    if (n != sizeof s->workflow || memcmp(workflow, s->workflow, n) != 0 ||
        !sto_uuid_eq(&client, &s->client)) {
        audit_differ(a, 0, id, "the columns workflow and client are not those of its state");
    }
    if (s->status == CASE_OPEN && db_int(r, i, 4) > hour_of(state_next_due_us(s))) {
        audit_differ(a, 0, id, "it would be woken after its next clock");
    }
}

static void compare_state(struct audit *a, const PGresult *r, int i, struct audit_item *it)
{
    struct sto_err err = {0};
    size_t n = 0;
    const uint8_t *skeleton = db_bytes(r, i, 10, &n);

    if (it->session) {
        struct shared_state *stored = sto_xcalloc(1, sizeof *stored);
        bool same = shared_decode(skeleton, n, stored, &err) == 0 &&
                    shared_decode(it->state, it->n_state, a->session, &err) == 0 &&
                    shared_equal(stored, a->session);
        free(stored);
        if (!same) {
            audit_differ(a, (int64_t)it->last_idx, &it->id,
                         "the stored aggregate is not what its events lead to");
        }
        return;
    }
    if (state_decode(skeleton, n, &a->before, &err) != 0) {
        audit_differ(a, 0, &it->id, "the stored state cannot be read: %s", err.what);
        return;
    }
    if (state_decode(it->state, it->n_state, &a->after, &err) != 0 ||
        !state_equal(&a->before, &a->after)) {
        audit_differ(a, (int64_t)it->last_idx, &it->id,
                     "the stored state (event %u) is not what its events lead to (event %u)",
                     a->before.seq, a->after.seq);
        return;
    }
    compare_columns(a, r, i, &a->after, &it->id);
}

int audit_compare_cases(struct audit *a, const PGresult *r)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct sto_uuid id;
        db_uuid(r, i, 1, &id);
        struct audit_item *it = audit_items_find(a->items, &id);
        if (it == NULL) {
            audit_differ(a, 0, &id, "it stands in the database without any event");
            continue;
        }
        it->compared = true;
        if (!it->broken) {
            compare_state(a, r, i, it);
        }
    }
    return 0;
}

/* -------------------------------------------------------------------- ledger */

/* case_id, n, since, org, desk, event_idx, prev_since; ordered by case_id, n */
static void compare_point(struct audit *a, const PGresult *r, int i, const struct ledger_point *p,
                          const struct sto_uuid *id)
{
    bool first = p->n == 0;

    a->ledger_points++;
    if (db_int(r, i, 1) != p->n || db_time_us(r, i, 2) != p->since_us ||
        db_int(r, i, 3) != p->who.org || db_int(r, i, 4) != (p->who.org == 0 ? 0 : p->who.desk) ||
        db_int(r, i, 5) != (int64_t)p->event_idx || (PQgetisnull(r, i, 6) != 0) != first ||
        (!first && db_time_us(r, i, 6) != p->prev_since_us)) {
        audit_differ(a, (int64_t)p->event_idx, id,
                     "change point %u of the ledger is not what the events lead to", p->n);
    }
}

/* Cases of the page whose change points are all gone. */
static void without_ledger(struct audit *a, const PGresult *rows)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        struct sto_uuid id;
        db_uuid(rows, i, 1, &id);
        const struct audit_item *it = audit_items_find(a->items, &id);
        if (it != NULL && !it->broken && !it->in_ledger && it->n_ledger != 0) {
            audit_differ(a, 0, &id,
                         "the ledger knows nothing of it, the events lead to %zu change points",
                         it->n_ledger);
        }
    }
}

int audit_compare_ledger(struct audit *a, const PGresult *rows, const PGresult *r)
{
    int i = 0, n = PQntuples(r);

    while (i < n) {
        struct sto_uuid id, next;
        int from = i;
        db_uuid(r, i, 0, &id);
        for (next = id; i < n && sto_uuid_eq(&id, &next); i++) {
            if (i + 1 < n) {
                db_uuid(r, i + 1, 0, &next);
            }
        }
        struct audit_item *it = audit_items_find(a->items, &id);
        if (it == NULL || it->broken) {
            continue; /* said where its row was compared */
        }
        it->in_ledger = true;
        if ((size_t)(i - from) != it->n_ledger) {
            audit_differ(a, 0, &id, "the ledger has %d change points, the events lead to %zu",
                         i - from, it->n_ledger);
            continue;
        }
        for (size_t k = 0; k < it->n_ledger; k++) {
            compare_point(a, r, from + (int)k, &it->ledger[k], &id);
        }
    }
    without_ledger(a, rows);
    return 0;
}

/* --------------------------------------------------------- inbox, outbox, mail */

static PGresult *of_shard(struct audit *a, const char *sql, struct sto_err *err)
{
    char shard[12];
    const char *params[] = {shard};

    snprintf(shard, sizeof shard, "%u", a->shard);
    return db_query_binary(a->r.db, sql, 1, params, err);
}

static int compare_inbox(struct audit *a, struct sto_err *err)
{
    PGresult *r =
        of_shard(a, "SELECT org, stream, last FROM inbox_stream WHERE shard = $1::int2", err);

    if (r == NULL) {
        return -STO_E_DB;
    }
    for (int i = 0; i < PQntuples(r); i++) {
        uint64_t last = 0;
        for (size_t k = 0; k < a->n_streams; k++) {
            if (a->streams[k].org == (unsigned)db_int(r, i, 0) &&
                a->streams[k].stream == (uint64_t)db_int(r, i, 1)) {
                last = a->streams[k].last;
            }
        }
        if (last != (uint64_t)db_int(r, i, 2)) {
            audit_differ(
                a, 0, NULL, "the inbox of organisation %lld says %lld events, the log has %llu",
                (long long)db_int(r, i, 0), (long long)db_int(r, i, 2), (unsigned long long)last);
        }
    }
    if ((size_t)PQntuples(r) != a->n_streams) {
        audit_differ(a, 0, NULL, "the inbox knows %d streams, the log has %zu", PQntuples(r),
                     a->n_streams);
    }
    PQclear(r);
    return 0;
}

static int compare_outbox(struct audit *a, struct sto_err *err)
{
    PGresult *r = of_shard(
        a,
        "SELECT h.org, h.last, coalesce(k.acked, 0), (SELECT count(*) FROM outbox o WHERE o.shard "
        "= h.shard AND o.org = h.org AND "
        "o.seq > coalesce(k.acked, 0)), (SELECT count(*) FROM dead d WHERE d.shard = h.shard AND "
        "d.org = h.org AND d.seq > "
        "coalesce(k.acked, 0)), (SELECT coalesce(max(o.seq), 0) FROM outbox o WHERE o.shard = "
        "h.shard AND o.org = h.org) "
        "FROM outbox_head h LEFT JOIN outbox_cursor k USING (shard, org) WHERE h.shard = $1::int2",
        err);
    if (r == NULL) {
        return -STO_E_DB;
    }
    for (int i = 0; i < PQntuples(r); i++) {
        long long org = db_int(r, i, 0), last = db_int(r, i, 1), acked = db_int(r, i, 2),
                  rows = db_int(r, i, 3), dead = db_int(r, i, 4);
        if (acked > last || db_int(r, i, 5) > last) {
            audit_differ(a, 0, NULL,
                         "the outbox of organisation %lld goes beyond its last number %lld", org,
                         last);
        } else if (rows + dead != last - acked) {
            audit_differ(a, 0, NULL,
                         "the outbox of organisation %lld holds %lld deliveries and %lld set aside "
                         "where %lld wait",
                         org, rows, dead, last - acked);
        }
    }
    PQclear(r);
    return 0;
}

static int compare_mail(struct audit *a, struct sto_err *err)
{
    PGresult *r = of_shard(a,
                           "SELECT h.dst, h.last, coalesce(i.upto, 0), (SELECT count(*) FROM mail "
                           "m WHERE m.src = h.src AND m.dst = h.dst AND m.seq > "
                           "coalesce(i.upto, 0)) FROM mail_head h LEFT JOIN mail_in i ON i.src = "
                           "h.src AND i.dst = h.dst WHERE h.src = $1::int2",
                           err);
    if (r == NULL) {
        return -STO_E_DB;
    }
    for (int i = 0; i < PQntuples(r); i++) {
        long long last = db_int(r, i, 1), upto = db_int(r, i, 2), rows = db_int(r, i, 3);
        if (upto > last || rows != last - upto) {
            audit_differ(a, 0, NULL, "mail to shard %lld: %lld sent, %lld taken, %lld wait",
                         (long long)db_int(r, i, 0), last, upto, rows);
        }
    }
    PQclear(r);
    return 0;
}

int audit_compare_shard(struct audit *a, struct sto_err *err)
{
    int rc = compare_inbox(a, err);

    rc = rc != 0 ? rc : compare_outbox(a, err);
    return rc != 0 ? rc : compare_mail(a, err);
}
