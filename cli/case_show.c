/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto case show: everything about a case but its contents. */
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "nouns.h"
#include "sto_arena.h"
#include "sto_time.h"

struct showing {
    struct cli *c;
    struct reading r;
    struct case_view v;
    char shard[12], id[37];
};

static json_t *party_json(const struct showing *x, struct party p)
{
    char buf[160];

    return p.org == 0 ? json_null() : json_string(party_words(x->r.net, p, buf, sizeof buf));
}

static json_t *tokens_json(const struct showing *x)
{
    const struct case_state *s = &x->v.state;
    json_t *list = json_array();

    for (unsigned i = 0; i < s->n_tokens; i++) {
        const struct token *t = &s->tokens[i];
        const workflow_t *wf = x->v.wf;
        struct party ball = wf != NULL ? engine_ball(x->r.net, wf, s, t) : (struct party){0};
        const char *type =
            wf != NULL && t->step < wf->n_steps ? step_type_name(wf->steps[t->step].type) : "";
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o, s:o, s:i, s:i, s:s}", "step",
                                              step_words(wf, t->step), "type", type, "phase",
                                              phase_words(wf, t), "since",
                                              time_json(&x->c->out, t->since_us), "move",
                                              party_json(x, ball), "token", (int)t->id, "entry",
                                              (int)t->entry, "worker", t->worker));
    }
    return list;
}

static json_t *offers_json(const struct showing *x)
{
    const struct case_state *s = &x->v.state;
    json_t *list = json_array();

    for (unsigned i = 0; i < s->n_offers; i++) {
        const struct offer *o = &s->offers[i];
        json_array_append_new(list,
                              json_pack("{s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:s, s:s}", "offer",
                                        (int)o->id, "token", (int)o->token, "state",
                                        offer_state_name((enum offer_state)o->state), "from",
                                        party_json(x, o->from), "to", party_json(x, o->to), "since",
                                        time_json(&x->c->out, o->since_us), "meeting",
                                        time_json(&x->c->out, o->meet_us), "reason",
                                        reason_name((enum reason)o->reason), "worker", o->worker));
    }
    return list;
}

static json_t *clocks_json(const struct showing *x)
{
    const struct case_state *s = &x->v.state;
    json_t *list = json_array();

    for (unsigned i = 0; i < s->n_clocks; i++) {
        const struct clock *k = &s->clocks[i];
        const struct token *t = state_token(s, k->token);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:i, s:o, s:b}", "clock",
                            clock_kind_name((enum clock_kind)k->kind), "step",
                            t != NULL ? step_words(x->v.wf, t->step) : "", "offer", (int)k->offer,
                            "due", time_json(&x->c->out, k->due_us), "paused", k->paused));
    }
    return list;
}

static json_t *fields_json(const struct showing *x)
{
    json_t *list = json_array();

    for (unsigned i = 0; x->v.wf != NULL && i < x->v.wf->n_fields; i++) {
        if ((x->v.state.fields_set & (UINT64_C(1) << i)) != 0) {
            json_array_append_new(list, json_string(x->v.wf->fields[i].id));
        }
    }
    return list;
}

static int ledger_json(struct showing *x, json_t **out, struct sto_err *err)
{
    const char *params[] = {x->shard, x->id};
    PGresult *r = db_query_binary(x->r.db,
                                  "SELECT n, since, org, desk FROM ledger WHERE shard = $1::int2 "
                                  "AND case_id = $2::uuid ORDER BY n",
                                  2, params, err);

    if (r == NULL) {
        return -STO_E_DB;
    }
    *out = json_array();
    for (int i = 0; i < PQntuples(r); i++) {
        struct party p = {(uint16_t)db_int(r, i, 2), (uint16_t)db_int(r, i, 3)};
        bool last = i + 1 == PQntuples(r);
        json_array_append_new(
            *out,
            json_pack("{s:o, s:o, s:o}", "since", time_json(&x->c->out, db_time_us(r, i, 1)),
                      "until", last ? json_null() : time_json(&x->c->out, db_time_us(r, i + 1, 1)),
                      "responsible", party_json(x, p)));
    }
    PQclear(r);
    return 0;
}

static int events_json(struct showing *x, json_t **out, struct sto_err *err)
{
    const char *params[] = {x->shard, x->id};
    PGresult *r = db_query_binary(x->r.db,
                                  "SELECT case_seq, kind, ts, org, code, idx FROM event WHERE "
                                  "shard = $1::int2 AND case_id = $2::uuid "
                                  "AND case_seq > 0 ORDER BY case_seq",
                                  2, params, err);
    if (r == NULL) {
        return -STO_E_DB;
    }
    *out = json_array();
    for (int i = 0; i < PQntuples(r); i++) {
        struct party p = {(uint16_t)db_int(r, i, 3), 0};
        const struct sto_err_row *code = sto_err_row((int)db_int(r, i, 4));
        json_array_append_new(
            *out, json_pack("{s:I, s:s, s:o, s:o, s:s, s:I}", "seq", (json_int_t)db_int(r, i, 0),
                            "event", event_kind_name((enum event_kind)db_int(r, i, 1)), "at",
                            time_json(&x->c->out, db_time_us(r, i, 2)), "by",
                            p.org == 0 ? json_string("broker") : party_json(x, p), "code",
                            code != NULL ? code->text : "", "idx", (json_int_t)db_int(r, i, 5)));
    }
    PQclear(r);
    return 0;
}

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s != NULL ? s : "–";
}

static void say_list(struct cli *c, const char *title, const json_t *list,
                     const char *const keys[5])
{
    size_t i;
    const json_t *o;

    if (json_array_size(list) == 0) {
        return;
    }
    output_say(&c->out, "\n%s", title);
    json_array_foreach(list, i, o)
    {
        output_say(&c->out, "  %-26s %-20s %-24s %-24s %s", str(o, keys[0]), str(o, keys[1]),
                   str(o, keys[2]), keys[3] ? str(o, keys[3]) : "", keys[4] ? str(o, keys[4]) : "");
    }
}

static void say_case(struct showing *x, const json_t *o, const char *why)
{
    static const char *const work[5] = {"step", "type", "since", "move", "phase"};
    static const char *const offers[5] = {"state", "to", "from", "since", "reason"};
    static const char *const clocks[5] = {"due", "clock", "step", NULL, NULL};
    static const char *const ledger[5] = {"since", "responsible", "until", NULL, NULL};
    static const char *const events[5] = {"at", "event", "by", "code", NULL};
    struct output *out = &x->c->out;

    output_say(out, "Case %s, %s, workflow %s version %lld", str(o, "case"), str(o, "state"),
               str(o, "workflow"), (long long)json_integer_value(json_object_get(o, "version")));
    output_say(out, "Responsible: %s; opened %s%s%s", str(o, "holder"), str(o, "opened"),
               json_string_length(json_object_get(o, "outcome")) ? "; outcome: " : "",
               json_string_length(json_object_get(o, "outcome")) ? str(o, "outcome") : "");
    output_say(out, "%s", why);
    say_list(x->c, "Responsibility", json_object_get(o, "ledger"), ledger);
    say_list(x->c, "Stands on", json_object_get(o, "work"), work);
    say_list(x->c, "Offers", json_object_get(o, "offers"), offers);
    say_list(x->c, "Clocks", json_object_get(o, "clocks"), clocks);
    say_list(x->c, "Events", json_object_get(o, "events"), events);
    if (json_array_size(json_object_get(o, "fields_set")) != 0) {
        char *fields = json_dumps(json_object_get(o, "fields_set"), JSON_COMPACT);
        output_say(out, "\nFields set (contents are not shown): %s", fields);
        free(fields);
    }
}

static int show(struct showing *x, struct sto_err *err)
{
    const struct case_state *s = &x->v.state;
    json_t *ledger = NULL, *events = NULL;
    char why[1024] = "", client[37];
    int rc = ledger_json(x, &ledger, err);

    rc = rc != 0 ? rc : events_json(x, &events, err);
    if (rc != 0) {
        json_decref(ledger);
        return rc;
    }
    if (x->v.wf != NULL) {
        engine_why(x->r.net, x->v.wf, s, why, sizeof why);
    }
    json_t *o = json_pack(
        "{s:s, s:s, s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:i}", "case", x->id, "workflow",
        x->v.workflow_id, "version", x->v.wf != NULL ? (int)x->v.wf->version : 0, "state",
        s->status == CASE_OPEN ? "open" : "closed", "why", why, "client",
        sto_uuid_format(&s->client, client), "holder", party_json(x, s->holder), "sender",
        party_json(x, s->sender), "opened", time_json(&x->c->out, s->opened_us), "next_due",
        time_json(&x->c->out, state_next_due_us(s)), "seq", (int)s->seq);
    json_object_set_new(o, "outcome", json_string(outcome_words(&x->v)));
    json_object_set_new(o, "ledger", ledger);
    json_object_set_new(o, "work", tokens_json(x));
    json_object_set_new(o, "offers", offers_json(x));
    json_object_set_new(o, "clocks", clocks_json(x));
    json_object_set_new(o, "fields_set", fields_json(x));
    json_object_set_new(o, "events", events);
    if (output_text(&x->c->out)) {
        say_case(x, o, why);
    }
    output_object(&x->c->out, o, true);
    return 0;
}

int case_show_verb(struct cli *c, struct sto_err *err)
{
    struct showing *x = sto_xcalloc(1, sizeof *x);
    struct sto_uuid id;

    x->c = c;
    int rc = reading_open(c, &x->r, err);
    if (rc == 0) {
        rc = case_find(&x->r, c->words[0], &id, err);
        rc = rc != 0 ? rc : case_load(&x->r, &id, &x->v, err);
        if (rc == 0) {
            snprintf(x->shard, sizeof x->shard, "%u", x->v.shard);
            sto_uuid_format(&id, x->id);
            rc = show(x, err);
        }
        reading_close(&x->r);
    }
    free(x);
    return rc;
}
