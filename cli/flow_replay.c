/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * saatto flow replay: recorded histories of real cases on a version that is not deployed yet. Reads
 * the log and, as it decides anew, contents: it needs the database of keys. Nothing is written, and
 * no content is printed.
 */
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "content.h"
#include "flow_source.h"
#include "history.h"
#include "installation.h"
#include "nouns.h"
#include "saatto_codec.h"
#include "sto_crypto.h"
#include "sto_file.h"

#define CASE_ARENA_BYTES ((size_t)64 * 1024 * 1024)
#define FACT_ARENA_BYTES ((size_t)8 * 1024 * 1024)
#define EVENTS_MAX       100000u

/* Mail of shared aggregates to one case, in the order in which it was sent. */
struct letter {
    struct sto_uuid dst;
    int64_t at_us;
    size_t order;
    struct mail mail;
    bool used;
};

struct replaying {
    struct cli *c;
    struct reading r;
    PGconn *keys;
    const workflow_t *to;
    sto_arena_t *arena, *facts; /* of one case; of one decision */
    struct letter *letters;
    size_t n_letters, cap_letters;
    size_t same, different, unreadable;
    size_t limit;
};

/* ----------------------------------------------------------------------- mail */

static int by_case(const void *a, const void *b)
{
    const struct letter *x = a, *y = b;
    int id = memcmp(x->dst.b, y->dst.b, sizeof x->dst.b);
    return id != 0                ? id
           : x->at_us != y->at_us ? (x->at_us > y->at_us) - (x->at_us < y->at_us)
                                  : (x->order > y->order) - (x->order < y->order);
}

static void keep_letters(struct replaying *x, const struct fact *f)
{
    for (unsigned i = 0; i < f->n_mails; i++) {
        if (x->n_letters == x->cap_letters) {
            x->cap_letters = x->cap_letters > 0 ? 2 * x->cap_letters : 256;
            x->letters = sto_xrealloc(x->letters, x->cap_letters * sizeof *x->letters);
        }
        x->letters[x->n_letters] = (struct letter){
            .dst = f->mails[i].dst, .at_us = f->now_us, .order = x->n_letters, .mail = f->mails[i]};
        x->n_letters++;
    }
}

/* What dates, pools and panels told their cases stands in their own facts. */
static int read_letters(struct replaying *x, struct sto_err *err)
{
    PGresult *r = db_query_binary(
        x->r.db,
        "SELECT e.fact FROM event e JOIN case_row c ON c.shard = e.shard AND c.case_id = e.case_id "
        "WHERE c.aggregate = 1 AND e.case_seq > 0 ORDER BY e.ts, e.shard, e.idx",
        0, NULL, err);
    int rc = r == NULL ? -STO_E_DB : 0;
    for (int i = 0; rc == 0 && i < PQntuples(r); i++) {
        size_t n = 0;
        const uint8_t *p = db_bytes(r, i, 0, &n);
        struct fact f;
        sto_arena_reset(x->facts);
        rc = fact_decode(p, n, x->facts, &f, err);
        if (rc == 0) {
            keep_letters(x, &f);
        }
    }
    PQclear(r);
    qsort(x->letters, x->n_letters, sizeof *x->letters, by_case);
    return rc;
}

static struct mail *letter_for(struct replaying *x, const struct sto_uuid *id, const struct fact *f)
{
    for (size_t i = 0; i < x->n_letters; i++) {
        struct letter *l = &x->letters[i];
        if (!l->used && sto_uuid_eq(&l->dst, id) && l->mail.token == f->token &&
            l->at_us <= f->now_us) {
            l->used = true;
            return &l->mail;
        }
    }
    return NULL;
}

/* --------------------------------------------------------------------- events */

/* The data key of the case; false: it is erased, or there never was one. */
static int read_key(struct replaying *x, int64_t dek, uint8_t key[32], bool *there,
                    struct sto_err *err)
{
    char id[24];
    const char *params[] = {id};
    size_t n = 0;
    snprintf(id, sizeof id, "%lld", (long long)dek);
    PGresult *r =
        db_query_binary(x->keys, "SELECT key FROM dek WHERE id = $1::int8", 1, params, err);
    if (r == NULL) {
        return -STO_E_DB;
    }
    const uint8_t *p = PQntuples(r) == 1 ? db_bytes(r, 0, 0, &n) : NULL;
    *there = p != NULL && n == 32;
    if (*there) {
        memcpy(key, p, 32);
    }
    PQclear(r);
    return 0;
}

/* idx, org, fact, ct, dek, stream */
static int read_input(struct replaying *x, const struct case_view *v, const PGresult *r, int i,
                      const uint8_t key[32], struct history_event *e, struct sto_err *err)
{
    Saatto__V1__Event *ev = NULL;
    size_t n = 0;
    const uint8_t *ct = db_bytes(r, i, 3, &n);
    uint8_t *pt = sto_arena_alloc(x->arena, n + 1);
    const struct content_aad aad = {.shard = (uint16_t)v->shard,
                                    .idx = (uint64_t)db_int(r, i, 0),
                                    .case_id = v->id,
                                    .kind = CONTENT_EVENT};
    int len = pt == NULL ? sto_fail(err, STO_E_LIMIT, "the case's history is too large")
                         : content_open(key, &aad, ct, n, pt, err);
    int rc = len < 0 ? len : event_decode(pt, (size_t)len, x->arena, &ev, err);
    rc = rc != 0 ? rc : event_to_input(ev, x->arena, &e->input, err);
    const struct organisation *o = network_org(x->r.net, (uint16_t)db_int(r, i, 1));
    e->input.actor = (struct party){(uint16_t)db_int(r, i, 1),
                                    o != NULL && o->n_desks > 0 ? o->desks[0].number : 0};
    e->input.evidence = EVIDENCE_ORG;
    return rc;
}

static int read_event(struct replaying *x, const struct case_view *v, const PGresult *r, int i,
                      const uint8_t key[32], struct history_event *e, struct sto_err *err)
{
    size_t n = 0;
    const uint8_t *p = db_bytes(r, i, 2, &n);
    uint8_t *copy = sto_arena_alloc(x->arena, n + 1);
    if (copy == NULL) {
        return sto_fail(err, STO_E_LIMIT, "the case's history is too large");
    }
    memcpy(copy, p, n);
    int rc = fact_decode(copy, n, x->arena, &e->fact, err);
    e->input = (struct input){.kind = (enum event_kind)e->fact.kind, .evidence = EVIDENCE_BROKER};
    if (rc == 0 && db_int(r, i, 5) != 0) {
        rc = read_input(x, v, r, i, key, e, err);
    } else if (rc == 0 && e->fact.kind == EVENT_MAIL && e->fact.code == 0) {
        e->input.mail = letter_for(x, &v->id, &e->fact);
        rc = e->input.mail != NULL
                 ? 0
                 : sto_fail(err, STO_E_NOT_FOUND, "the mail of event %u is not in the log",
                            e->fact.seq);
    }
    return rc;
}

/* 0; 1: not to be read (told in err); else an error. */
static int read_history(struct replaying *x, const struct case_view *v, struct history *h,
                        struct sto_err *err)
{
    char shard[12], id[37];
    const char *params[] = {shard, sto_uuid_format(&v->id, id)};
    uint8_t key[32] = {0};
    bool there = false;
    snprintf(shard, sizeof shard, "%u", v->shard);
    PGresult *r = db_query_binary(x->r.db,
                                  "SELECT idx, org, fact, ct, dek, stream FROM event WHERE shard = "
                                  "$1::int2 AND case_id = $2::uuid AND case_seq > 0 ORDER BY "
                                  "case_seq LIMIT 100000",
                                  2, params, err);
    int rc = r == NULL ? -STO_E_DB : 0;
    h->n = rc == 0 ? (size_t)PQntuples(r) : 0;
    h->v = rc == 0 ? sto_arena_alloc(x->arena, (h->n + 1) * sizeof *h->v) : NULL;
    if (rc == 0 && h->n > 0) {
        rc = read_key(x, db_int(r, 0, 4), key, &there, err);
    }
    if (rc == 0 && (h->v == NULL || !there || h->n >= EVENTS_MAX)) {
        sto_fail(err, STO_E_CRYPTO, "%s",
                 !there ? "its contents are erased" : "its history is too large");
        rc = 1;
    }
    for (size_t i = 0; i < h->n && rc == 0; i++) {
        rc = read_event(x, v, r, (int)i, key, &h->v[i], err) == 0 ? 0 : 1;
    }
    sto_wipe(key, sizeof key);
    PQclear(r);
    return rc;
}

/* ---------------------------------------------------------------------- cases */

static const workflow_t *recorded(void *arg, const uint8_t hash[32])
{
    struct replaying *x = arg;
    const workflow_t *w = NULL;
    struct sto_err ignored = {0};
    return deployed_workflow(x->r.deployed, hash, &w, &ignored) == 0 ? w : NULL;
}

static void tell_result(struct replaying *x, const struct case_view *v, const struct history *h,
                        const struct history_result *res)
{
    static const char *const ENDS[] = {"same", "differs", "unreadable"};
    char id[37], at[40] = "";
    const char *event = "";
    sto_uuid_format(&v->id, id);
    if (res->end == HISTORY_DIFFERS && res->event < h->n) {
        event = event_kind_name((enum event_kind)h->v[res->event].fact.kind);
        sto_us_format(h->v[res->event].fact.now_us, at, sizeof at);
        output_say(&x->c->out, "%s: event %zu, %s, %s: %s", id, res->event + 1, event, at,
                   res->what);
    } else if (res->end != HISTORY_SAME) {
        output_say(&x->c->out, "%s: cannot be replayed: %s", id, res->what);
    }
    if (!output_text(&x->c->out)) {
        output_row(&x->c->out,
                   json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "case", id, "result", ENDS[res->end],
                             "event", res->end == HISTORY_DIFFERS ? (int)res->event + 1 : 0, "kind",
                             event, "at", at, "what", res->what));
    }
    x->same += res->end == HISTORY_SAME;
    x->different += res->end == HISTORY_DIFFERS;
    x->unreadable += res->end == HISTORY_UNREADABLE;
}

static int replay_one(void *arg, const struct case_view *v)
{
    struct replaying *x = arg;
    struct history h = {.id = v->id, .version = recorded, .arg = x};
    struct history_result res = {.end = HISTORY_UNREADABLE};
    struct sto_err err = {0};
    if (x->same + x->different + x->unreadable >= x->limit) {
        return 1;
    }
    sto_arena_reset(x->arena);
    if (read_history(x, v, &h, &err) == 0) {
        history_play(x->r.net, x->to, &h, x->facts, &res);
    } else {
        snprintf(res.what, sizeof res.what, "%.250s", err.what);
    }
    tell_result(x, v, &h, &res);
    return 0;
}

static int replay_cases(struct replaying *x, struct sto_err *err)
{
    struct case_filter f = {.open = -1, .workflow = x->to->id};
    const char *text = NULL;
    int rc = 0;
    if (cli_option(x->c, "case") == NULL) {
        return case_each(&x->r, &f, replay_one, x, err);
    }
    struct case_view *v = sto_xcalloc(1, sizeof *v);
    for (size_t i = 0; rc == 0 && (text = cli_option_at(x->c, "case", i)) != NULL; i++) {
        rc = case_find(&x->r, text, &v->id, err);
        rc = rc != 0 ? rc : case_load(&x->r, &v->id, v, err);
        if (rc == 0 && strcmp(v->workflow_id, x->to->id) != 0) {
            rc = sto_fail(err, STO_E_USAGE, "case %s is of workflow '%s', not of '%s'", text,
                          v->workflow_id, x->to->id);
        }
        if (rc == 0) {
            (void)replay_one(x, v);
        }
    }
    free(v);
    return rc;
}

/* --------------------------------------------------------------------- command */

static int open_keys(struct replaying *x, struct sto_err *err)
{
    const char *dsn =
        json_string_value(json_object_get(json_object_get(x->r.in->json, "dsn"), "keys"));
    if (dsn == NULL) {
        sto_fail(err, STO_E_NOT_FOUND,
                 "the installation does not say where the keys of contents are");
        sto_err_fix(err, "dsn.keys in saatto.json; deciding anew reads contents");
        return -STO_E_NOT_FOUND;
    }
    return db_open(dsn, &x->keys, err);
}

static int load_candidate(struct replaying *x, workflow_t **out, struct sto_err *err)
{
    struct flow_sources sources = {0};
    sto_diags_t *diags = sto_diags_new();
    int rc = flow_sources_of(x->c, false, &sources, err);
    if (rc == 0 && sources.n != 1) {
        rc = sto_fail(err, STO_E_USAGE, "name one workflow");
    }
    rc = rc != 0 ? rc : flow_source_load(&sources.v[0], x->r.net, diags, out, err);
    model_print_diags(diags);
    x->to = *out;
    sto_diags_destroy(&diags);
    flow_sources_release(&sources);
    return rc;
}

static int conclude(struct replaying *x, struct sto_err *err)
{
    output_say(&x->c->out, "%zu histories: %zu go the same way, %zu differ, %zu cannot be replayed",
               x->same + x->different + x->unreadable, x->same, x->different, x->unreadable);
    if (x->different != 0) {
        sto_fail(err, STO_E_DIFFERENT, "%zu histories differ on version %u of '%s'", x->different,
                 x->to->version, x->to->id);
        sto_err_fix(err, "see the first difference of each above");
        return -STO_E_DIFFERENT;
    }
    return 0;
}

int flow_replay(struct cli *c, struct sto_err *err)
{
    struct replaying x = {
        .c = c, .arena = sto_arena_new(CASE_ARENA_BYTES), .facts = sto_arena_new(FACT_ARENA_BYTES)};
    workflow_t *candidate = NULL;
    int64_t limit = 0;
    int rc = cli_option_int(c, "limit", 10000, 1, 10000000, &limit, err);
    x.limit = (size_t)limit;
    rc = rc != 0 ? rc : reading_open(c, &x.r, err);
    rc = rc != 0 ? rc : load_candidate(&x, &candidate, err);
    rc = rc != 0 ? rc : open_keys(&x, err);
    rc = rc != 0 ? rc : read_letters(&x, err);
    if (rc == 0) {
        if (!output_text(&c->out)) {
            output_table(&c->out, NULL);
        }
        rc = replay_cases(&x, err);
        if (!output_text(&c->out)) {
            output_table_end(&c->out, "");
        }
    }
    rc = rc != 0 ? rc : conclude(&x, err);
    PQfinish(x.keys);
    workflow_destroy(&candidate);
    reading_close(&x.r);
    free(x.letters);
    sto_arena_destroy(&x.arena);
    sto_arena_destroy(&x.facts);
    return rc;
}
