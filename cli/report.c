/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * saatto report: published figures of a cohort beside what the running system's cases came to, and
 * the installation in figures. Everything counted comes out of states and facts of cases; the
 * cohort's file only says which case is whose and of what kind its employer was (what the
 * organisation that opened it has in its own register).
 */
#include <stdlib.h>
#include <string.h>

#include "cohort.h"
#include "csv_rows.h"
#include "nouns.h"
#include "starts.h"
#include "sto_arena.h"
#include "sto_file.h"

#define TREE_ARENA_BYTES (8u << 20)
#define FACT_ARENA_BYTES (1u << 20)
#define COHORTS_MAX      32
#define PEOPLE_MAX       10000

/* ------------------------------------------------------------------- outcomes */

struct person { /* one row of the cohort's file and what became of its case */
    bool started, granted;
    char employer_kind[32];
    struct case_view view; /* started only */
};

struct cohort_report {
    const struct sto_conf *published; /* its group in published.cfg */
    const char *id, *file;
    struct person *people;
    size_t n_people;
};

static bool granted(const struct case_view *v)
{
    for (uint16_t i = 0; v->wf != NULL && i < v->wf->n_steps; i++) {
        uint8_t x = v->state.last_exit[i];
        if (x != 0 && x < v->wf->n_exits && strcmp(v->wf->exits[x], "granted") == 0) {
            return true;
        }
    }
    return false;
}

static bool one_of(const struct sto_conf *list, const char *text)
{
    for (const struct sto_conf *e = list->child; e != NULL; e = e->next) {
        if (e->type == STO_CONF_STRING && strcmp(e->s, text) == 0) {
            return true;
        }
    }
    return false;
}

static bool left_by(const struct case_view *v, const struct sto_conf *pair)
{
    const struct sto_conf *step = pair->child, *exit = step != NULL ? step->next : NULL;
    uint16_t ix = exit != NULL && v->wf != NULL ? workflow_step(v->wf, step->s) : WF_NONE;

    return ix != WF_NONE && strcmp(v->wf->exits[v->state.last_exit[ix]], exit->s) == 0;
}

/* All keys of a row's `count` must hold (workflows/cohorts/README.md). */
static bool counts(const struct person *p, const struct sto_conf *count)
{
    bool holds = p->started;

    for (const struct sto_conf *k = count->child; k != NULL && holds; k = k->next) {
        if (strcmp(k->name, "granted") == 0) {
            holds = p->granted == (k->i != 0);
        } else if (strcmp(k->name, "employer-kinds") == 0) {
            holds = one_of(k, p->employer_kind);
        } else if (strcmp(k->name, "outcomes") == 0) {
            holds = one_of(k, outcome_words(&p->view));
        } else if (strcmp(k->name, "exit") == 0) {
            holds = left_by(&p->view, k);
        } else {
            holds = strcmp(k->name, "started") == 0;
        }
    }
    return holds;
}

static int read_people(struct reading *r, struct cohort_report *k, struct sto_err *err)
{
    struct starter starter;
    struct csv_rows rows = {0};
    json_t *starts = json_array();
    char *path = sto_asprintf("%s/workflows/%s", r->in->home, k->file);
    char *text = NULL;
    size_t n = 0;
    int rc = sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &n, err);

    rc = rc != 0 ? rc : csv_rows_parse(path, text, n, &rows, err);
    rc = rc != 0 ? rc : cohort_starts(r->in->home, k->id, starts, err);
    rc = rc != 0 ? rc : starter_init(&starter, r, err);
    if (rc == 0) {
        int column = csv_rows_column(&rows, "employer-kind");
        k->n_people = json_array_size(starts);
        k->people = sto_xcalloc(k->n_people + 1, sizeof *k->people);
        for (size_t i = 0; i < k->n_people && rc == 0; i++) {
            struct person *p = &k->people[i];
            struct sto_uuid id;
            struct sto_err none = {0};
            if (column >= 0) {
                snprintf(p->employer_kind, sizeof p->employer_kind, "%s",
                         csv_rows_cell(&rows, i + 1, column));
            }
            rc = starter_case_id(&starter, json_array_get(starts, i), &id, err);
            p->started = rc == 0 && case_load(r, &id, &p->view, &none) == 0;
            p->granted = p->started && granted(&p->view);
        }
        starter_release(&starter);
    }
    csv_rows_release(&rows);
    json_decref(starts);
    free(text);
    free(path);
    return rc;
}

static const char *label_of(const struct sto_conf *texts, const char *lang)
{
    const struct sto_conf *t = texts != NULL ? sto_conf_get(texts, lang) : NULL;
    return t != NULL && t->type == STO_CONF_STRING ? t->s : "";
}

/* Returns how many figures differ. */
static unsigned print_rows(struct cli *c, const struct cohort_report *k, const char *lang)
{
    const struct sto_conf *rows = sto_conf_get(k->published, "rows");
    unsigned differ = 0;

    for (const struct sto_conf *row = rows != NULL ? rows->child : NULL; row != NULL;
         row = row->next) {
        const struct sto_conf *figure = sto_conf_get(row, "figure"),
                              *count = sto_conf_get(row, "count");
        const struct sto_conf *page = sto_conf_get(row, "page"), *key = sto_conf_get(row, "key");
        int64_t published = figure != NULL ? figure->i : -1, counted = 0;
        for (size_t i = 0; i < k->n_people && count != NULL; i++) {
            counted += counts(&k->people[i], count);
        }
        bool same = published < 0 || published == counted;
        differ += !same;
        output_row(&c->out, json_pack("{s:s, s:s, s:s, s:o, s:I, s:s, s:s}", "cohort", k->id, "key",
                                      key != NULL ? key->s : "", "what",
                                      label_of(sto_conf_get(row, "label"), lang), "published",
                                      published < 0 ? json_string("–") : json_integer(published),
                                      "counted", (json_int_t)counted, "same",
                                      published < 0 ? ""
                                      : same        ? "yes"
                                                    : "NO",
                                      "page", page != NULL ? page->s : ""));
    }
    return differ;
}

static void print_notes(struct cli *c, const struct cohort_report *k, const char *lang)
{
    const struct sto_conf *notes = sto_conf_get(k->published, "notes");

    output_say(&c->out, "%s", "");
    for (const struct sto_conf *note = notes != NULL ? notes->child : NULL; note != NULL;
         note = note->next) {
        const struct sto_conf *id = sto_conf_get(note, "id");
        output_say(&c->out, "  %-4s %s", id != NULL ? id->s : "",
                   label_of(sto_conf_get(note, "text"), lang));
    }
}

static const char *const outcome_columns[] = {"what=",     "published=PUBLISHED", "counted=COUNTED",
                                              "same=SAME", "page=PAGE",           NULL};

static int report_cohort(struct cli *c, struct reading *r, const struct sto_conf *g,
                         const char *lang, unsigned *differ, struct sto_err *err)
{
    const struct sto_conf *id = sto_conf_get(g, "id"), *file = sto_conf_get(g, "file"),
                          *source = sto_conf_get(g, "source");
    struct cohort_report k = {
        .published = g, .id = id != NULL ? id->s : "", .file = file != NULL ? file->s : ""};
    int rc = read_people(r, &k, err);

    if (rc == 0) {
        output_say(&c->out, "\n%s (%s)", label_of(sto_conf_get(g, "title"), lang),
                   source != NULL ? source->s : "");
        if (output_text(&c->out)) {
            output_table(&c->out, outcome_columns);
        }
        *differ += print_rows(c, &k, lang);
        if (output_text(&c->out)) {
            output_table_end(&c->out, "no figures");
        }
        print_notes(c, &k, lang);
    }
    free(k.people);
    return rc;
}

static int report_outcomes(struct cli *c, struct sto_err *err)
{
    const char *only = cli_option(c, "cohort"), *lang = cli_option(c, "lang");
    struct reading r;
    int rc = reading_open(c, &r, err);
    unsigned differ = 0, seen = 0;

    if (rc != 0) {
        return rc;
    }
    char *path = sto_asprintf("%s/workflows/cohorts/published.cfg", r.in->home), *text = NULL;
    sto_arena_t *arena = sto_arena_new(TREE_ARENA_BYTES);
    sto_diags_t *diags = sto_diags_new();
    const struct sto_conf *root = NULL, *list;
    size_t n = 0;
    rc = sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &n, err);
    if (rc == 0 && sto_conf_parse(path, text, n, arena, diags, &root) != 0) {
        model_print_diags(diags);
        rc = sto_fail(err, STO_E_CONFIG, "'%s' has %zu errors", path, sto_diags_errors(diags));
    }
    list = rc == 0 ? sto_conf_get(root, "published") : NULL;
    if (!output_text(&c->out)) { /* one value for all cohorts; each row names its own */
        output_table(&c->out, outcome_columns);
    }
    for (const struct sto_conf *g = list != NULL ? list->child : NULL; g != NULL && rc == 0;
         g = g->next) {
        const struct sto_conf *id = sto_conf_get(g, "id");
        if (only == NULL || (id != NULL && strcmp(id->s, only) == 0)) {
            seen++;
            rc = report_cohort(c, &r, g, lang != NULL ? lang : "en", &differ, err);
        }
    }
    if (!output_text(&c->out)) {
        output_table_end(&c->out, "");
    }
    if (rc == 0 && seen == 0) {
        rc = sto_fail(err, STO_E_NOT_FOUND,
                      "there is no cohort '%s' in workflows/cohorts/published.cfg",
                      only != NULL ? only : "");
    } else if (rc == 0 && differ != 0) {
        rc = sto_fail(err, STO_E_DIFFERENT, "%u figures differ from the published ones", differ);
    }
    free(text);
    sto_diags_destroy(&diags);
    sto_arena_destroy(&arena);
    free(path);
    reading_close(&r);
    return rc;
}

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
