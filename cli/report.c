/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto report: the installation in figures. Published figures beside counted ones: outcomes.c. */
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "nouns.h"
#include "sto_arena.h"

#define FACT_ARENA_BYTES (1u << 20)

/* -------------------------------------------------------------------- summary */

struct figures {
    int64_t events, refused, late, takeovers, referrals, missed, reminders, escalations, fired;
};

/* An exit or an offer that ended because nobody acted in time. */
static bool missed_clock(const struct fact *f)
{
    return f->kind == EVENT_CLOCK && f->code == 0 &&
           (f->exit == EXIT_EXPIRED || f->exit == EXIT_RETURNED);
}

static void add_fact(struct figures *g, const struct fact *f)
{
    g->fired += f->kind == EVENT_CLOCK;
    g->late += f->code == STO_E_LATE;
    g->takeovers += f->kind == EVENT_CONFIRM_TAKEOVER && f->code == 0;
    g->referrals += f->kind == EVENT_START_SERVICE && f->code == 0;
    g->missed += missed_clock(f);
    for (unsigned i = 0; i < f->n_sends; i++) {
        g->reminders += f->sends[i].kind == SEND_REMINDER;
        g->escalations += f->sends[i].kind == SEND_ESCALATION;
    }
}

/* One page of a shard's log: a short snapshot. Returns rows read, or a negative code. */
static int add_page(struct reading *r, unsigned shard, int64_t *after, struct figures *g,
                    sto_arena_t *arena, struct sto_err *err)
{
    char s[16], a[32];
    const char *params[] = {s, a};

    snprintf(s, sizeof s, "%u", shard);
    snprintf(a, sizeof a, "%lld", (long long)*after);
    PGresult *res = db_query_binary(r->db,
                                    "SELECT idx, case_seq, fact FROM event WHERE shard = $1::int2 "
                                    "AND idx > $2::int8 ORDER BY idx LIMIT 2000",
                                    2, params, err);
    if (res == NULL) {
        return -err->code;
    }
    int n = PQntuples(res);
    for (int i = 0; i < n; i++) {
        size_t bytes = 0;
        const uint8_t *p = db_bytes(res, i, 2, &bytes);
        struct fact f;
        *after = db_int(res, i, 0);
        g->events++;
        g->refused += db_int(res, i, 1) == 0;
        sto_arena_reset(arena);
        if (bytes != 0 && fact_decode(p, bytes, arena, &f, NULL) == 0) {
            add_fact(g, &f);
        }
    }
    PQclear(res);
    return n;
}

static int64_t count_of(struct reading *r, const char *sql, struct sto_err *err)
{
    PGresult *res = db_query_binary(r->db, sql, 0, NULL, err);
    int64_t n = res != NULL ? db_int(res, 0, 0) : -1;

    PQclear(res);
    return n;
}

/* Clients nobody answers for: an open case without a holder, or whose ledger's last point says
 * closed or is not there. */
static const char holderless[] = "SELECT count(*) FROM case_row c LEFT JOIN LATERAL (SELECT l.open "
                                 "FROM ledger l WHERE l.shard = c.shard AND l.case_id = c.case_id"
                                 " ORDER BY l.n DESC LIMIT 1) l ON true WHERE c.aggregate = 0 AND "
                                 "c.open AND (c.holder_org = 0 OR l.open IS NOT TRUE)";

static int report_summary(struct cli *c, struct sto_err *err)
{
    struct figures g = {0};
    struct reading r;
    int rc = reading_open(c, &r, err);

    if (rc != 0) {
        return rc;
    }
    sto_arena_t *arena = sto_arena_new(FACT_ARENA_BYTES);
    for (unsigned shard = 0; shard < r.n_shards && rc >= 0; shard++) {
        int64_t after = -1;
        do {
            rc = add_page(&r, shard, &after, &g, arena, err);
        } while (rc > 0);
    }
    int64_t open =
        rc < 0 ? 0
               : count_of(&r, "SELECT count(*) FROM case_row WHERE aggregate = 0 AND open", err);
    int64_t closed =
        rc < 0
            ? 0
            : count_of(&r, "SELECT count(*) FROM case_row WHERE aggregate = 0 AND NOT open", err);
    int64_t without = rc < 0 ? 0 : count_of(&r, holderless, err);
    rc = rc < 0 ? rc : (open < 0 || closed < 0 || without < 0) ? -err->code : 0;
    if (rc == 0) {
        output_say(&c->out, "cases                                    %6lld closed, %lld open",
                   (long long)closed, (long long)open);
        output_say(&c->out,
                   "events in the log                        %6lld (refused %lld, late %lld)",
                   (long long)g.events, (long long)g.refused, (long long)g.late);
        output_say(&c->out, "handovers, responsibility moved          %6lld",
                   (long long)g.takeovers);
        output_say(&c->out, "services begun by referral               %6lld",
                   (long long)g.referrals);
        output_say(
            &c->out,
            "clocks fired                             %6lld (reminders %lld, escalations %lld)",
            (long long)g.fired, (long long)g.reminders, (long long)g.escalations);
        output_say(&c->out, "clocks missed                            %6lld", (long long)g.missed);
        output_say(&c->out, "clients with no responsible organisation: %lld", (long long)without);
        output_object(&c->out,
                      json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                                "cases_closed", (json_int_t)closed, "cases_open", (json_int_t)open,
                                "events", (json_int_t)g.events, "refused", (json_int_t)g.refused,
                                "late", (json_int_t)g.late, "handovers", (json_int_t)g.takeovers,
                                "referrals", (json_int_t)g.referrals, "clocks_fired",
                                (json_int_t)g.fired, "clocks_missed", (json_int_t)g.missed,
                                "reminders", (json_int_t)g.reminders, "escalations",
                                (json_int_t)g.escalations, "clients_without_responsible",
                                (json_int_t)without),
                      true);
        if (without != 0) {
            rc = sto_fail(err, STO_E_DIFFERENT, "%lld clients have no responsible organisation",
                          (long long)without);
        }
    }
    sto_arena_destroy(&arena);
    reading_close(&r);
    return rc;
}

static const struct option_row outcome_options[] = {
    {"cohort", "ID", "only this cohort of workflows/cohorts/published.cfg"},
    {"lang", "fi|sv|en", "language of the labels (en)"},
    {0}};

const struct verb report_verbs[] = {
    {.name = "outcomes",
     .words = "",
     .options = outcome_options,
     .help = "Published figures of a cohort beside what the cases came to",
     .run = report_outcomes},
    {.name = "summary",
     .words = "",
     .help = "Events, handovers, missed clocks, clients without a responsible organisation",
     .run = report_summary},
    {0},
};
