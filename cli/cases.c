/* SPDX-License-Identifier: EUPL-1.2 */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"
#include "sto_time.h"

#define PAGE_ROWS  500
#define TEXT(n)    TEXT_(n)
#define TEXT_(n)   #n
#define PREFIX_MIN 4

/* ------------------------------------------------------------------ reading */

static int read_installation(struct reading *r, struct sto_err *err)
{
    PGresult *res = db_query_binary(r->db, "SELECT shards, manual_clock, clock FROM installation",
                                    0, NULL, err);

    if (res == NULL) {
        return -STO_E_DB;
    }
    if (PQntuples(res) != 1) {
        PQclear(res);
        return sto_fail(err, STO_E_DB, "the database was never set up");
    }
    r->n_shards = (unsigned)db_int(res, 0, 0);
    r->manual_clock = db_int(res, 0, 1) != 0;
    r->now_us = r->manual_clock ? db_time_us(res, 0, 2) : sto_real_us();
    PQclear(res);
    return 0;
}

int reading_open(const struct cli *c, struct reading *r, struct sto_err *err)
{
    *r = (struct reading){0};
    int rc = installation_open(c, &r->in, err);
    rc = rc != 0 ? rc : db_open_read(r->in, &r->db, err);
    rc = rc != 0 ? rc : read_installation(r, err);
    rc = rc != 0 ? rc : deployed_new(r->db, &r->deployed, err);
    if (rc != 0) {
        reading_close(r);
        return rc;
    }
    r->net = deployed_network(r->deployed);
    return 0;
}

void reading_close(struct reading *r)
{
    deployed_destroy(&r->deployed);
    PQfinish(r->db);
    r->db = NULL;
    installation_close(&r->in);
}

/* -------------------------------------------------------------------- cases */

static bool hex_or_dash(const char *s)
{
    return strspn(s, "0123456789abcdefABCDEF-") == strlen(s);
}

static int find_prefix(struct reading *r, const char *text, struct sto_uuid *out,
                       struct sto_err *err)
{
    const char *params[] = {text};
    PGresult *res = db_query_binary(r->db,
                                    "SELECT case_id FROM case_row WHERE aggregate = 0 AND "
                                    "case_id::text LIKE lower($1) || '%' LIMIT 2",
                                    1, params, err);
    if (res == NULL) {
        return -STO_E_DB;
    }
    int n = PQntuples(res);
    if (n == 1) {
        db_uuid(res, 0, 0, out);
    }
    PQclear(res);
    if (n == 1) {
        return 0;
    }
    if (n == 0) {
        sto_fail(err, STO_E_NOT_FOUND, "no case's id begins with '%s'", text);
        sto_err_fix(err, "saatto case list shows the ids");
        return -STO_E_NOT_FOUND;
    }
    return sto_fail(err, STO_E_USAGE, "several cases' ids begin with '%s'", text);
}

int case_find(struct reading *r, const char *text, struct sto_uuid *out, struct sto_err *err)
{
    struct sto_err ignored = {0};

    if (sto_uuid_parse(text, out, &ignored) == 0) {
        return 0;
    }
    if (!hex_or_dash(text) || strlen(text) < PREFIX_MIN) {
        sto_fail(err, STO_E_USAGE, "'%s' is not a case id", text);
        sto_err_fix(err, "give the whole id, or at least its first %d characters", PREFIX_MIN);
        return -STO_E_USAGE;
    }
    return find_prefix(r, text, out, err);
}

/* Columns: shard, case_id, workflow, workflow_id, skeleton. */
#define VIEW_COLUMNS "shard, case_id, workflow, workflow_id, skeleton"

static int take_view(struct reading *r, const PGresult *res, int row, struct case_view *v,
                     struct sto_err *err)
{
    struct sto_err ignored = {0};
    size_t n = 0;
    char id[37];

    memset(v, 0, sizeof *v);
    v->shard = (unsigned)db_int(res, row, 0);
    db_uuid(res, row, 1, &v->id);
    const uint8_t *hash = db_bytes(res, row, 2, &n);
    memcpy(v->workflow, hash, n < sizeof v->workflow ? n : sizeof v->workflow);
    snprintf(v->workflow_id, sizeof v->workflow_id, "%s", db_text(res, row, 3));
    if (deployed_workflow(r->deployed, v->workflow, &v->wf, &ignored) != 0) {
        v->wf = NULL;
    }
    const uint8_t *skeleton = db_bytes(res, row, 4, &n);
    int rc = state_decode(skeleton, n, &v->state, err);
    if (rc != 0) {
        sto_err_context(err, "case %s", sto_uuid_format(&v->id, id));
    }
    return rc;
}

int case_load(struct reading *r, const struct sto_uuid *id, struct case_view *out,
              struct sto_err *err)
{
    char text[37], shard[12];
    const char *params[] = {shard, text};

    snprintf(shard, sizeof shard, "%u", sto_uuid_shard(id, r->n_shards));
    sto_uuid_format(id, text);
    PGresult *res = db_query_binary(
        r->db,
        "SELECT " VIEW_COLUMNS
        " FROM case_row WHERE shard = $1::int2 AND case_id = $2::uuid AND aggregate = 0",
        2, params, err);
    int rc = res == NULL ? -STO_E_DB : 0;
    if (rc == 0 && PQntuples(res) == 0) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "there is no case %s", text);
        sto_err_fix(err, "saatto case list shows the ids");
    }
    rc = rc != 0 ? rc : take_view(r, res, 0, out, err);
    PQclear(res);
    return rc;
}

static int filter_org(struct reading *r, const struct case_filter *f, char *out, size_t cap,
                      struct sto_err *err)
{
    const struct organisation *o = f->org != NULL ? network_org_by_id(r->net, f->org) : NULL;

    if (f->org != NULL && o == NULL) {
        const char *names[STO_ORGS_MAX + 1] = {NULL};
        for (unsigned i = 0; i < r->net->n_orgs; i++) {
            names[i] = r->net->orgs[i].id;
        }
        const char *near = sto_nearest(f->org, names);
        int rc = sto_fail(err, STO_E_NOT_FOUND, "there is no organisation '%s'", f->org);
        if (near != NULL) {
            sto_err_fix(err, "did you mean '%s'", near);
        }
        return rc;
    }
    snprintf(out, cap, "%d", o != NULL ? (int)o->number : 0);
    return 0;
}

int case_each(struct reading *r, const struct case_filter *f, case_each_fn *each, void *arg,
              struct sto_err *err)
{
    char shard[12] = "-1", id[37] = "00000000-0000-0000-0000-000000000000", org[12], open[12];
    const char *params[] = {shard, id, open, org, f->workflow != NULL ? f->workflow : ""};
    struct case_view *v = sto_xcalloc(1, sizeof *v);
    int rc = filter_org(r, f, org, sizeof org, err);
    bool more = true;

    snprintf(open, sizeof open, "%d", f->open);
    while (rc == 0 && more) {
        PGresult *res =
            db_query_binary(r->db,
                            "SELECT " VIEW_COLUMNS
                            " FROM case_row WHERE (shard, case_id) > ($1::int2, $2::uuid) AND "
                            "aggregate = 0 AND ($3::int4 < 0 OR open = ($3::int4 = 1)) AND "
                            "($4::int4 = 0 OR holder_org "
                            "= $4::int4) AND ($5 = '' OR workflow_id = $5) ORDER BY shard, case_id "
                            "LIMIT " TEXT(PAGE_ROWS),
                            5, params, err);
        if (res == NULL) {
            rc = -STO_E_DB;
            break;
        }
        int n = PQntuples(res);
        for (int i = 0; i < n && rc == 0 && more; i++) {
            rc = take_view(r, res, i, v, err);
            more = rc == 0 && each(arg, v) == 0;
        }
        more = more && n == PAGE_ROWS;
        snprintf(shard, sizeof shard, "%u", v->shard);
        sto_uuid_format(&v->id, id);
        PQclear(res);
    }
    free(v);
    return rc;
}

/* -------------------------------------------------------------------- words */

const char *party_words(const network_t *net, struct party p, char *buf, size_t cap)
{
    const struct organisation *o = network_org(net, p.org);

    if (p.org == 0) {
        snprintf(buf, cap, "%s", "");
    } else if (o == NULL) {
        snprintf(buf, cap, "organisation %u", p.org);
    } else {
        const struct desk *d = p.desk != 0 ? network_desk(o, p.desk) : NULL;
        snprintf(buf, cap, "%s%s%s", o->id, d != NULL ? "/" : "", d != NULL ? d->id : "");
    }
    return buf;
}

json_t *time_json(const struct output *o, int64_t us)
{
    char buf[48];

    if (us == 0 || us == INT64_MAX) {
        return json_null();
    }
    return json_string(output_text(o) ? sto_us_format_fi(us, buf, sizeof buf)
                                      : sto_us_format(us, buf, sizeof buf));
}

const char *time_words(int64_t us, char *buf, size_t cap)
{
    if (us == 0 || us == INT64_MAX) {
        snprintf(buf, cap, "–");
        return buf;
    }
    return sto_us_format_fi(us, buf, cap);
}

const char *age_words(int64_t us, char *buf, size_t cap)
{
    int64_t s = us / STO_US_PER_SEC;

    if (s >= 2 * 86400) {
        snprintf(buf, cap, "%lld days", (long long)(s / 86400));
    } else if (s >= 2 * 3600) {
        snprintf(buf, cap, "%lld h", (long long)(s / 3600));
    } else if (s >= 120) {
        snprintf(buf, cap, "%lld min", (long long)(s / 60));
    } else {
        snprintf(buf, cap, "%lld s", (long long)s);
    }
    return buf;
}

const char *step_words(const workflow_t *wf, uint16_t step)
{
    return wf != NULL && step < wf->n_steps ? wf->steps[step].id : "";
}

void steps_words(const struct case_view *v, char *buf, size_t cap)
{
    size_t n = 0;

    buf[0] = '\0';
    for (unsigned i = 0; i < v->state.n_tokens && n < cap; i++) {
        n += (size_t)snprintf(buf + n, cap - n, "%s%s", i != 0 ? ", " : "",
                              step_words(v->wf, v->state.tokens[i].step));
    }
}

const char *outcome_words(const struct case_view *v)
{
    const struct case_state *s = &v->state;
    bool ended = s->status == CASE_CLOSED && v->wf != NULL && s->outcome_step < v->wf->n_steps;
    const char *outcome = ended ? v->wf->steps[s->outcome_step].outcome : NULL;

    return outcome != NULL ? outcome : "";
}

const char *phase_words(const workflow_t *wf, const struct token *t)
{
    enum step_type type = wf != NULL && t->step < wf->n_steps ? wf->steps[t->step].type : STEP_END;

    if (type == STEP_HANDOVER || type == STEP_REFERRAL || type == STEP_CONSULT) {
        return handover_state_name((enum handover_state)t->phase);
    }
    if (type == STEP_SESSION) {
        return t->phase == SEAT_QUEUED     ? "queued"
               : t->phase == SEAT_INVITED  ? "invited"
               : t->phase == SEAT_RECORDED ? "recorded"
                                           : "";
    }
    if (type == STEP_MEETING) {
        return t->phase == MEET_BOOKED ? "booked" : "to be booked";
    }
    return "";
}
