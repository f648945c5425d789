/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto queue and message: what waits for organisations, and deliveries that were set aside. */
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "client.h"
#include "nouns.h"

/* --------------------------------------------------------------------- queue */

static void queue_row(struct cli *c, const struct reading *r, const struct organisation *o,
                      const PGresult *res, int row, const char *metrics)
{
    char age[32] = "";
    int64_t oldest = row >= 0 ? db_time_us(res, row, 2) : 0;
    int64_t age_us = oldest != 0 && r->now_us > oldest ? r->now_us - oldest : 0;

    if (oldest != 0) {
        age_words(age_us, age, sizeof age);
    }
    output_row(&c->out, json_pack("{s:s, s:I, s:s, s:I, s:i, s:I}", "organisation", o->id, "queued",
                                  (json_int_t)(row >= 0 ? db_int(res, row, 1) : 0), "oldest", age,
                                  "oldest_seconds", (json_int_t)(age_us / 1000000), "sessions",
                                  (int)metric_connected(metrics, o->id), "dead",
                                  (json_int_t)(row >= 0 ? db_int(res, row, 3) : 0)));
}

static int queue_list(struct cli *c, struct sto_err *err)
{
    static const char *const columns[] = {
        "organisation=ORGANISATION", "oldest=OLDEST",  "queued=QUEUED",
        "sessions=CONNECTED",        "dead=SET ASIDE", NULL};
    struct sto_err ignored = {0};
    struct reading r;
    char *metrics = NULL;
    int status = 0;
    int rc = reading_open(c, &r, err);

    if (rc != 0) {
        return rc;
    }
    (void)http_fetch(r.in->http, "/metrics", &status, &metrics,
                     &ignored); /* without it nobody is connected */
    PGresult *res = db_query_binary(r.db,
                                    "SELECT coalesce(q.org, d.org), coalesce(q.n, 0), q.oldest, "
                                    "coalesce(d.n, 0) FROM (SELECT o.org, count(*) AS n, "
                                    "min(o.queued) AS oldest FROM outbox o LEFT JOIN outbox_cursor "
                                    "k USING (shard, org) WHERE o.seq > "
                                    "coalesce(k.acked, 0) GROUP BY o.org) q FULL JOIN (SELECT org, "
                                    "count(*) AS n FROM dead WHERE NOT "
                                    "redriven GROUP BY org) d ON d.org = q.org",
                                    0, NULL, err);
    rc = res == NULL ? -STO_E_DB : 0;
    if (rc == 0) {
        output_table(&c->out, columns);
        for (unsigned i = 0; i < r.net->n_orgs; i++) {
            int row = -1;
            for (int k = 0; k < PQntuples(res); k++) {
                row = db_int(res, k, 0) == r.net->orgs[i].number ? k : row;
            }
            queue_row(c, &r, &r.net->orgs[i], res, row, metrics);
        }
        output_table_end(&c->out, "no organisations");
    }
    PQclear(res);
    free(metrics);
    reading_close(&r);
    return rc;
}

const struct verb queue_verbs[] = {
    {.name = "list",
     .words = "",
     .help = "Lists by organisation: age of the oldest delivery, how many wait, who is connected",
     .run = queue_list},
    {0},
};

/* ------------------------------------------------------------------- message */

/* Which of those set aside: all, an organisation's, or the one in `shard` with number `seq`. */
struct dead_choice {
    unsigned org;
    int64_t shard, seq;
};

static int list_chosen(struct cli *c, const struct reading *r, const struct dead_choice *d,
                       struct sto_err *err)
{
    static const char *const columns[] = {"organisation=ORGANISATION",
                                          "shard=SHARD",
                                          "seq=SEQ",
                                          "case=CASE",
                                          "kind=KIND",
                                          "why=WHY",
                                          "since=SINCE",
                                          NULL};
    static const char *const kinds[] = {"",         "offer",      "task",      "notice",
                                        "reminder", "escalation", "withdrawn", "closed",
                                        "package",  "update",     "record"};
    char org[12], shard[24], seq[24];
    const char *params[] = {org, shard, seq};

    snprintf(org, sizeof org, "%u", d->org);
    snprintf(shard, sizeof shard, "%lld", (long long)d->shard);
    snprintf(seq, sizeof seq, "%lld", (long long)d->seq);
    PGresult *res = db_query_binary(r->db,
                                    "SELECT org, shard, seq, case_id, kind, why, since FROM dead "
                                    "WHERE NOT redriven AND ($1::int4 = 0 OR org = $1::int4) AND "
                                    "($3::int8 = 0 OR (seq = $3::int8 AND shard = $2::int2)) "
                                    "ORDER BY why, org, shard, seq",
                                    3, params, err);
    int rc = res == NULL ? -STO_E_DB : 0;
    if (rc == 0) {
        output_table(&c->out, columns);
        for (int i = 0; i < PQntuples(res); i++) {
            const struct organisation *o = network_org(r->net, (uint16_t)db_int(res, i, 0));
            struct sto_uuid id;
            char text[37];
            size_t kind = (size_t)db_int(res, i, 4);
            db_uuid(res, i, 3, &id);
            output_row(
                &c->out,
                json_pack("{s:s, s:I, s:I, s:s, s:s, s:s, s:o}", "organisation",
                          o != NULL ? o->id : "?", "shard", (json_int_t)db_int(res, i, 1), "seq",
                          (json_int_t)db_int(res, i, 2), "case", sto_uuid_format(&id, text), "kind",
                          kind < sizeof kinds / sizeof kinds[0] ? kinds[kind] : "?", "why",
                          db_text(res, i, 5), "since", time_json(&c->out, db_time_us(res, i, 6))));
        }
        output_table_end(&c->out, "nothing was set aside");
    }
    PQclear(res);
    return rc;
}

static int dead_list(struct cli *c, struct sto_err *err)
{
    struct reading r;
    int rc = reading_open(c, &r, err);

    if (rc == 0) {
        rc = list_chosen(c, &r, &(struct dead_choice){0}, err);
        reading_close(&r);
    }
    return rc;
}

static int redrive(struct cli *c, const struct reading *r, const struct dead_choice *d,
                   struct sto_err *err)
{
    unsigned count = 0;
    client_t *client = NULL;
    struct saatto_error error = {0};
    int rc = client_open(r->in, "operator", &client, err);

    if (rc == 0 && saatto_redrive(client_session(client), (unsigned)d->shard, d->org,
                                  (uint64_t)d->seq, &count, CLIENT_TIMEOUT_MS, &error) != 0) {
        rc = sto_fail(err, (enum sto_code)error.code, "%s", error.what);
    }
    if (rc == 0) {
        output_say(&c->out, "%u deliveries go out again.", count);
        output_object(
            &c->out,
            json_pack("{s:i, s:s}", "redriven", (int)count, "reason", cli_option(c, "reason")),
            true);
    }
    client_close(&client);
    return rc;
}

static int choose(const struct cli *c, const struct reading *r, struct dead_choice *d,
                  struct sto_err *err)
{
    const char *org = cli_option(c, "org");
    const struct organisation *o = org != NULL ? network_org_by_id(r->net, org) : NULL;
    int rc = cli_option_int(c, "shard", 0, 0, STO_SHARDS_MAX - 1, &d->shard, err);

    rc = rc != 0 ? rc : cli_option_int(c, "seq", 0, 1, INT64_MAX, &d->seq, err);
    if (rc == 0 && org != NULL && o == NULL) {
        return sto_fail(err, STO_E_NOT_FOUND, "there is no organisation '%s'", org);
    }
    d->org = o != NULL ? o->number : 0;
    bool one = cli_option(c, "shard") != NULL && org != NULL && d->seq != 0;
    bool all = cli_option(c, "shard") == NULL && d->seq == 0;
    if (rc == 0 && !one && !all) {
        rc =
            sto_fail(err, STO_E_USAGE, "one message is named by --org, --shard and --seq together");
    }
    return rc;
}

static int dead_redrive(struct cli *c, struct sto_err *err)
{
    const char *reason = NULL;
    struct dead_choice d = {0};
    struct reading r;
    int rc = cli_need(c, "reason", &reason, err);

    rc = rc != 0 ? rc : reading_open(c, &r, err);
    if (rc != 0) {
        return rc;
    }
    rc = choose(c, &r, &d, err);
    if (rc == 0 && cli_flag(c, "dry-run")) {
        output_say(&c->out, "These would go out again:");
        rc = list_chosen(c, &r, &d, err);
    } else if (rc == 0) {
        rc = redrive(c, &r, &d, err);
    }
    reading_close(&r);
    return rc;
}

static const struct option_row redrive_options[] = {
    {"org", "ORGANISATION", "only its deliveries"},
    {"shard", "N", "with --seq: of this shard"},
    {"seq", "N", "only this one"},
    {"reason", "TEXT", "why they may go out again (required)"},
    {"dry-run", NULL, "only list what would go out"},
    {0},
};
const struct verb message_verbs[] = {
    {.name = "dead list",
     .words = "",
     .help = "Lists deliveries that were set aside, grouped by cause",
     .run = dead_list},
    {.name = "dead redrive",
     .words = "",
     .options = redrive_options,
     .help = "Delivers again what was set aside; the legal basis is evaluated anew",
     .run = dead_redrive},
    {0},
};
