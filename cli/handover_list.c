/* SPDX-License-Identifier: EUPL-1.2 */
#include "handover_list.h"

#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "sto_arena.h"

struct listing {
    struct cli *c;
    const struct reading *r;
    unsigned org; /* 0 = all */
    bool live_only;
};

/* The earliest clock of an offer (or of its handover). */
static int64_t offer_due(const struct case_state *s, const struct offer *o)
{
    int64_t due = INT64_MAX;

    for (unsigned i = 0; i < s->n_clocks; i++) {
        const struct clock *k = &s->clocks[i];
        if (!k->paused && k->token == o->token && (k->offer == 0 || k->offer == o->id) &&
            k->due_us < due) {
            due = k->due_us;
        }
    }
    return due;
}

static json_t *offer_json(const struct listing *l, const struct case_view *v, const struct offer *o)
{
    const struct token *t = state_token(&v->state, o->token);
    const network_t *net = l->r->net;
    char from[160], to[160], ball[160] = "", id[37];

    if (t != NULL && v->wf != NULL && offer_live((enum offer_state)o->state)) {
        party_words(net, engine_ball(net, v->wf, &v->state, t), ball, sizeof ball);
    }
    return json_pack(
        "{s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:o, s:o}", "case",
        sto_uuid_format(&v->id, id), "workflow", v->workflow_id, "step",
        t != NULL ? step_words(v->wf, t->step) : "", "offer", (int)o->id, "state",
        offer_state_name((enum offer_state)o->state), "from",
        party_words(net, o->from, from, sizeof from), "to", party_words(net, o->to, to, sizeof to),
        "move", ball, "reason", reason_name((enum reason)o->reason), "token", (int)o->token,
        "since", time_json(&l->c->out, o->since_us), "due",
        offer_live((enum offer_state)o->state) ? time_json(&l->c->out, offer_due(&v->state, o))
                                               : json_null(),
        "meeting", time_json(&l->c->out, o->meet_us));
}

static int list_case(void *arg, const struct case_view *v)
{
    const struct listing *l = arg;

    for (unsigned i = 0; i < v->state.n_offers; i++) {
        const struct offer *o = &v->state.offers[i];
        bool wanted = l->org == 0 || o->from.org == l->org || o->to.org == l->org;
        if (wanted && (!l->live_only || offer_live((enum offer_state)o->state))) {
            output_row(&l->c->out, offer_json(l, v, o));
        }
    }
    return 0;
}

static int number_of(const struct reading *r, const char *id, unsigned *out, struct sto_err *err)
{
    const struct organisation *o = id != NULL ? network_org_by_id(r->net, id) : NULL;

    if (id != NULL && o == NULL) {
        return sto_fail(err, STO_E_NOT_FOUND, "there is no organisation '%s'", id);
    }
    *out = o != NULL ? o->number : 0;
    return 0;
}

int handover_list(struct cli *c, struct sto_err *err)
{
    static const char *const columns[] = {
        "case=CASE", "workflow=WORKFLOW", "step=STEP",   "offer=OFFER", "state=STATE", "from=FROM",
        "to=TO",     "move=MOVE",         "since=SINCE", "due=DUE",     NULL};
    struct case_filter filter = {.open = 1};
    struct reading r;
    int rc = reading_open(c, &r, err);

    if (rc != 0) {
        return rc;
    }
    struct listing l = {.c = c, .r = &r, .live_only = true};
    rc = number_of(&r, cli_option(c, "org"), &l.org, err);
    if (rc == 0) {
        output_table(&c->out, columns);
        rc = case_each(&r, &filter, list_case, &l, err);
    }
    if (rc == 0) {
        output_table_end(&c->out, "nothing is under negotiation");
    }
    reading_close(&r);
    return rc;
}

int handover_show(struct cli *c, struct sto_err *err)
{
    static const char *const columns[] = {
        "step=STEP",   "offer=OFFER", "state=STATE",     "from=FROM",     "to=TO", "move=MOVE",
        "since=SINCE", "due=DUE",     "meeting=MEETING", "reason=REASON", NULL};
    struct case_view *v = sto_xcalloc(1, sizeof *v);
    struct sto_uuid id;
    struct reading r;
    int rc = reading_open(c, &r, err);

    if (rc == 0) {
        struct listing l = {.c = c, .r = &r};
        rc = case_find(&r, c->words[0], &id, err);
        rc = rc != 0 ? rc : case_load(&r, &id, v, err);
        if (rc == 0) {
            output_table(&c->out, columns);
            list_case(&l, v);
            output_table_end(&c->out, "the case has no offers now");
        }
        reading_close(&r);
    }
    free(v);
    return rc;
}
