/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * saatto service: what cases share, as its organisers see it: dates and their free seats, places,
 * quotas, who waits, and a panel's agendas. Cases are shown by id alone. What an organiser does
 * about it are events: saatto handover session-record, session-move, group-open, quota-return.
 */
#include <stdlib.h>
#include <string.h>

#include "nouns.h"
#include "service.h"
#include "sto_uuid.h"

#define ARENA_BYTES (1u << 20)

struct viewing {
    struct cli *c;
    struct reading r;
    const struct service *svc;
    struct shared_state s;
};

static const char *kind_words(const struct service *svc)
{
    static const char *const KINDS[] = {[SERVICE_PLAIN] = "plain",
                                        [SERVICE_SESSION] = "session",
                                        [SERVICE_PLACE] = "places",
                                        [SERVICE_QUOTA] = "quota",
                                        [SERVICE_PANEL] = "panel"};
    return svc->groups ? "group" : KINDS[svc->shape];
}

/* The stored state; a fresh one if no case has come yet. */
static int load(const struct reading *r, const struct service *svc, struct shared_state *out,
                struct sto_err *err)
{
    struct sto_uuid id;
    char text[37];
    const char *params[] = {text};
    size_t n = 0;

    memset(out, 0, sizeof *out);
    out->service = svc->number;
    shared_id(r->net->id, svc->number, &id);
    sto_uuid_format(&id, text);
    PGresult *res = db_query_binary(
        r->db, "SELECT skeleton FROM case_row WHERE case_id = $1::uuid AND aggregate <> 0", 1,
        params, err);
    if (res == NULL) {
        return -STO_E_DB;
    }
    int rc = 0;
    if (PQntuples(res) > 0) {
        const uint8_t *p = db_bytes(res, 0, 0, &n);
        rc = shared_decode(p, n, out, err);
    }
    PQclear(res);
    return rc;
}

static unsigned waiting(const struct shared_state *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->n_seats; i++) {
        const struct seat *t = &s->seats[i];
        n += t->want == WANT_AGENDA ? t->date_us == 0 : t->phase == SEAT_QUEUED;
    }
    return n;
}
_Static_assert((int)SEAT_QUEUED == (int)PLACE_QUEUED, "both wait");

static bool has_dates(const struct service *svc)
{
    return svc->shape == SERVICE_SESSION || svc->shape == SERVICE_PANEL;
}

static unsigned next_date(const struct viewing *x)
{
    unsigned i = 0;

    while (i < x->s.n_dates && x->s.dates[i].at_us < x->r.now_us) {
        i++;
    }
    return i;
}

/* Of how many: JSON null where there is no limit. */
static json_t *limit_json(unsigned n, bool limited)
{
    return limited ? json_integer((json_int_t)n) : json_null();
}

static json_t *summary(const struct viewing *x)
{
    const struct service *svc = x->svc;
    char org[2 * STO_NAME_BYTES_MAX + 2];
    unsigned i = next_date(x), taken = shared_taken(svc, &x->s);
    bool dated = has_dates(svc), next = dated && i < x->s.n_dates;
    bool limited = svc->places != 0 || svc->shape == SERVICE_QUOTA;

    if (dated && !(svc->groups && taken > 0)) {
        taken = next ? x->s.dates[i].taken : 0;
    }
    unsigned open = limited && svc->places > taken ? svc->places - taken : 0;
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:i, s:o, s:i}", "service", svc->id, "kind",
                     kind_words(svc), "organiser",
                     party_words(x->r.net, (struct party){svc->org, svc->desk}, org, sizeof org),
                     "next", time_json(&x->c->out, next ? x->s.dates[i].at_us : 0), "places",
                     limit_json(svc->places, limited), "taken", (int)taken, "free",
                     limit_json(open, limited), "waiting", (int)waiting(&x->s));
}

static int service_list(struct cli *c, struct sto_err *err)
{
    static const char *const columns[] = {
        "service=SERVICE", "kind=KIND",       "organiser=ORGANISER",
        "next=NEXT DATE",  "places=PLACES",   "taken=TAKEN",
        "free=FREE",       "waiting=WAITING", NULL};
    struct viewing *x = sto_xcalloc(1, sizeof *x);
    const char *org = cli_option(c, "org");
    int rc = reading_open(c, &x->r, err);

    x->c = c;
    if (rc != 0) {
        free(x);
        return rc;
    }
    const struct organisation *o = org != NULL ? network_org_by_id(x->r.net, org) : NULL;
    if (org != NULL && o == NULL) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "there is no organisation '%s'", org);
    }
    output_table(&c->out, columns);
    for (unsigned i = 0; rc == 0 && i < x->r.net->n_services; i++) {
        const struct service *svc = &x->r.net->services[i];
        if (service_shared(svc) && (o == NULL || svc->org == o->number)) {
            x->svc = svc;
            rc = load(&x->r, svc, &x->s, err);
            if (rc == 0) {
                output_row(&c->out, summary(x));
            }
        }
    }
    if (rc == 0) {
        output_table_end(&c->out, "cases share no service");
    }
    reading_close(&x->r);
    free(x);
    return rc;
}

/* ---------------------------------------------------------------------- show */

static json_t *dates_json(const struct viewing *x)
{
    static const char *const STAGES[] = {"coming", "closed", "material", "held"};
    json_t *list = json_array();

    for (unsigned i = 0; i < x->s.n_dates; i++) {
        unsigned taken = x->s.dates[i].taken, places = x->svc->places;
        bool held = x->s.dates[i].stage == DATE_HELD;
        json_array_append_new(
            list,
            json_pack("{s:o, s:s, s:i, s:o}", "date", time_json(&x->c->out, x->s.dates[i].at_us),
                      "state", x->s.dates[i].stage <= DATE_HELD ? STAGES[x->s.dates[i].stage] : "?",
                      "taken", (int)taken, "free",
                      limit_json(places > taken && !held ? places - taken : 0, places != 0)));
    }
    return list;
}

static json_t *cases_json(const struct viewing *x)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < x->s.n_seats; i++) {
        const struct seat *t = &x->s.seats[i];
        char id[37];
        bool left = t->want != WANT_PLACE && t->left != 0;
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:o, s:i, s:s}", "case",
                                              sto_uuid_format(&t->case_id, id), "phase",
                                              want_phase_name((enum want)t->want, t->phase), "date",
                                              time_json(&x->c->out, t->date_us), "since",
                                              time_json(&x->c->out, t->since_us), "until",
                                              time_json(&x->c->out, t->until_us), "left",
                                              left ? (int)t->left : 0, "what",
                                              t->want == WANT_SEAT    ? "seat"
                                              : t->want == WANT_PLACE ? "place"
                                                                      : "agenda"));
    }
    return list;
}

static const char *cell(const json_t *o, const char *key, char *buf, size_t cap)
{
    const json_t *v = json_object_get(o, key);

    if (json_is_integer(v)) {
        snprintf(buf, cap, "%lld", (long long)json_integer_value(v));
    } else {
        snprintf(buf, cap, "%s", json_is_string(v) ? json_string_value(v) : "–");
    }
    return buf;
}

static void say(const struct viewing *x, const json_t *o)
{
    struct output *out = &x->c->out;
    char a[80], b[80], d[80], e[80], f[80], g[24];
    const json_t *row;
    size_t i;

    output_say(out, "%s, %s of %s: %s places, %s taken, %s free; %s waiting", x->svc->id,
               cell(o, "kind", a, sizeof a), cell(o, "organiser", b, sizeof b),
               cell(o, "places", d, sizeof d), cell(o, "taken", e, sizeof e),
               cell(o, "free", f, sizeof f), cell(o, "waiting", g, sizeof g));
    json_array_foreach(json_object_get(o, "dates"), i, row)
    {
        output_say(out, "%s%-26s %-10s %s taken, %s free", i == 0 ? "\nDates\n  " : "  ",
                   cell(row, "date", a, sizeof a), cell(row, "state", b, sizeof b),
                   cell(row, "taken", d, sizeof d), cell(row, "free", e, sizeof e));
    }
    json_array_foreach(json_object_get(o, "cases"), i, row)
    {
        output_say(out, "%s%s  %-7s %-10s %-22s since %s", i == 0 ? "\nCases\n  " : "  ",
                   cell(row, "case", a, sizeof a), cell(row, "what", b, sizeof b),
                   cell(row, "phase", d, sizeof d), cell(row, "date", e, sizeof e),
                   cell(row, "since", f, sizeof f));
    }
}

const struct service *service_find(const struct reading *r, const char *id, struct sto_err *err)
{
    const char *names[STO_SERVICES_MAX + 1] = {NULL};
    size_t n = 0;

    for (unsigned i = 0; i < r->net->n_services; i++) {
        const struct service *svc = &r->net->services[i];
        if (!service_shared(svc)) {
            continue;
        }
        if (strcmp(svc->id, id) == 0) {
            return svc;
        }
        names[n++] = svc->id;
    }
    const char *near = sto_nearest(id, names);
    sto_fail(err, STO_E_NOT_FOUND, "there is no service '%s' that cases share", id);
    sto_err_fix(err, near != NULL ? "did you mean '%s'" : "saatto service list shows them%s",
                near != NULL ? near : "");
    return NULL;
}

int service_would_take(const struct reading *r, const struct service *svc, const struct input *in,
                       struct sto_err *err)
{
    struct shared_state *s = sto_xcalloc(1, sizeof *s);
    sto_arena_t *arena = sto_arena_new(ARENA_BYTES);
    struct sto_uuid id;
    struct fact f;
    int rc = load(r, svc, s, err);

    shared_id(r->net->id, svc->number, &id);
    rc = rc != 0 ? rc : shared_decide(r->net, &id, s, in, r->now_us, arena, &f, err);
    sto_arena_destroy(&arena);
    free(s);
    return rc;
}

static int service_show(struct cli *c, struct sto_err *err)
{
    struct viewing *x = sto_xcalloc(1, sizeof *x);
    int rc = reading_open(c, &x->r, err);

    x->c = c;
    if (rc == 0) {
        x->svc = service_find(&x->r, c->words[0], err);
        rc = x->svc != NULL ? load(&x->r, x->svc, &x->s, err) : -STO_E_NOT_FOUND;
        if (rc == 0) {
            json_t *o = summary(x);
            json_object_set_new(o, "dates", dates_json(x));
            json_object_set_new(o, "cases", cases_json(x));
            if (output_text(&c->out)) {
                say(x, o);
            }
            output_object(&c->out, o, true);
        }
        reading_close(&x->r);
    }
    free(x);
    return rc;
}

static const struct option_row list_options[] = {
    {"org", "ORGANISATION", "only what it organises"},
    {0},
};
const struct verb service_verbs[] = {
    {.name = "list",
     .words = "",
     .options = list_options,
     .help = "Lists sessions, groups, places, quotas and panels: next date, free places, who waits",
     .run = service_list},
    {.name = "show",
     .words = "SERVICE",
     .words_min = 1,
     .words_max = 1,
     .help = "Shows its dates with free seats, and its seats, places, queue or agenda by case",
     .run = service_show},
    {0},
};
