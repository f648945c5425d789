/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto case: list, why, and the table. `start` and `show` stand in files of their own. */
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "nouns.h"
#include "sto_arena.h"
#include "sto_time.h"

/* --------------------------------------------------------------------- list */

struct listing {
    struct cli *c;
    const struct reading *r;
    int64_t limit, n;
};

static int list_case(void *arg, const struct case_view *v)
{
    struct listing *l = arg;
    const struct case_state *s = &v->state;
    char id[37], client[37], holder[160], steps[400];

    if (l->n == l->limit) {
        return 1;
    }
    l->n++;
    steps_words(v, steps, sizeof steps);
    output_row(&l->c->out,
               json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:o}", "case",
                         sto_uuid_format(&v->id, id), "workflow", v->workflow_id, "state",
                         s->status == CASE_OPEN ? "open" : "closed", "holder",
                         party_words(l->r->net, s->holder, holder, sizeof holder), "steps", steps,
                         "outcome", outcome_words(v), "client", sto_uuid_format(&s->client, client),
                         "seq", (int)s->seq, "opened", time_json(&l->c->out, s->opened_us),
                         "next_due",
                         s->status == CASE_OPEN ? time_json(&l->c->out, state_next_due_us(s))
                                                : json_null()));
    return 0;
}

static int case_list(struct cli *c, struct sto_err *err)
{
    static const char *const columns[] = {
        "case=CASE",       "workflow=WORKFLOW", "state=STATE",       "holder=RESPONSIBLE",
        "steps=STANDS ON", "outcome=OUTCOME",   "next_due=NEXT DUE", NULL};
    struct case_filter filter = {
        .open = -1, .org = cli_option(c, "org"), .workflow = cli_option(c, "workflow")};
    struct reading r;
    struct listing l = {.c = c, .r = &r};
    int rc = cli_option_int(c, "limit", 1000, 1, 10000000, &l.limit, err);

    if (cli_flag(c, "open") != cli_flag(c, "closed")) {
        filter.open = cli_flag(c, "open") ? 1 : 0;
    }
    rc = rc != 0 ? rc : reading_open(c, &r, err);
    if (rc != 0) {
        return rc;
    }
    output_table(&c->out, columns);
    rc = case_each(&r, &filter, list_case, &l, err);
    if (rc == 0) {
        output_table_end(&c->out, "no such case");
        if (l.n == l.limit) {
            output_say(&c->out, "The first %lld; --limit shows more.", (long long)l.limit);
        }
    }
    reading_close(&r);
    return rc;
}

/* ---------------------------------------------------------------------- why */

static json_t *possible_json(const struct reading *r, const struct case_view *v)
{
    struct possible *p = sto_xcalloc(256, sizeof *p);
    unsigned n = v->wf != NULL ? engine_possible(r->net, v->wf, &v->state, p, 256) : 0;
    json_t *list = json_array();
    char who[160];

    for (unsigned i = 0; i < n; i++) {
        const char *exit =
            v->wf != NULL && p[i].exit < v->wf->n_exits ? v->wf->exits[p[i].exit] : "";
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i, s:i, s:s}", "event",
                                              event_kind_name(p[i].kind), "by",
                                              party_words(r->net, p[i].actor, who, sizeof who),
                                              "token", (int)p[i].token, "entry", (int)p[i].entry,
                                              "offer", (int)p[i].offer, "exit", exit));
    }
    free(p);
    return list;
}

static void say_possible(struct cli *c, const json_t *list)
{
    size_t i;
    const json_t *p;

    output_say(&c->out, "\nWhat could happen now:");
    json_array_foreach(list, i, p)
    {
        char event[64];
        snprintf(event, sizeof event, "%s", json_string_value(json_object_get(p, "event")));
        for (char *q = event; *q != '\0'; q++) {
            *q = *q == '_' ? '-' : *q;
        }
        output_say(&c->out, "  %-28s %-20s %s", json_string_value(json_object_get(p, "by")), event,
                   json_string_value(json_object_get(p, "exit")));
    }
}

static int case_why(struct cli *c, struct sto_err *err)
{
    struct case_view *v = sto_xcalloc(1, sizeof *v);
    struct sto_uuid id;
    struct reading r;
    char why[1024], text[37];
    int rc = reading_open(c, &r, err);

    if (rc != 0) {
        free(v);
        return rc;
    }
    rc = case_find(&r, c->words[0], &id, err);
    rc = rc != 0 ? rc : case_load(&r, &id, v, err);
    if (rc == 0 && v->wf == NULL) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "the case's workflow version is not in the database");
    }
    if (rc == 0) {
        json_t *list = possible_json(&r, v);
        engine_why(r.net, v->wf, &v->state, why, sizeof why);
        output_say(&c->out, "%s", why);
        if (cli_flag(c, "possible")) {
            say_possible(c, list);
        }
        output_object(&c->out,
                      json_pack("{s:s, s:s, s:o}", "case", sto_uuid_format(&v->id, text), "why",
                                why, "possible", list),
                      true);
    }
    reading_close(&r);
    free(v);
    return rc;
}

/* -------------------------------------------------------------------- table */

/* clang-format off */
static const struct option_row list_options[] = {
    {"open", NULL, "only open ones"},
    {"closed", NULL, "only closed ones"},
    {"org", "ORGANISATION", "only those that it is responsible for"},
    {"workflow", "ID", "only those of a workflow"},
    {"limit", "N", "at most so many (default 1000)"},
    {0},
};
static const struct option_row why_options[] = {
    {"possible", NULL, "also every event that somebody could make now"},
    {0},
};
static const struct option_row start_options[] = {
    {"org", "ORGANISATION", "who opens the case; its key in the installation is used"},
    {"workflow", "ID", "which workflow; the newest deployed version is taken"},
    {"file", "CSV", "one case a row: columns are fields, name:ROLE, record, client, home, start-date"},
    {"cohort", "ID", "the people of a cohort, as workflows/cohorts/published.cfg says (instead of --file)"},
    {"record", "KEY", "the organisation's own record key: a start that is run again is the same case"},
    {"client", "REF", "who it is about: text that means the same person to all organisations, or a UUID"},
    {"home", "ORGANISATION", "the client's municipality"},
    {"set", "FIELD=VALUE", "a field's value; may be repeated"},
    {"name", "ROLE=ORG[/DESK]", "bind a role; may be repeated"},
    {"dry-run", NULL, "check fields and roles; start nothing"},
    {0},
};

const struct verb case_verbs[] = {
    {.name = "list", .words = "", .options = list_options, .help = "Lists cases: where each stands and who is responsible", .run = case_list},
    {.name = "show", .words = "CASE", .words_min = 1, .words_max = 1,
     .help = "Shows a case: state in words, responsibility through time, work, offers, clocks, events",
     .more = "CASE is an id or its beginning. Contents are never shown: fields are named, not told.", .run = case_show_verb},
    {.name = "why", .words = "CASE", .words_min = 1, .words_max = 1, .options = why_options,
     .help = "Says in one sentence what a case waits for, whose move it is, and what happens if nobody acts", .run = case_why},
    {.name = "start", .words = "", .options = start_options,
     .help = "Starts one case, or one for each row of a file",
     .more = "On the manual clock, rows whose start-date lies ahead are kept and started by `saatto clock advance` when the clock\n"
             "reaches them.", .run = case_start_verb},
    {0},
};
/* clang-format on */
