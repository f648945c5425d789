/* SPDX-License-Identifier: EUPL-1.2 */
#include "deploy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "sto_arena.h"
#include "sto_file.h"

/* Everything of one run. */
struct run {
    PGconn *db;
    int64_t config;
    network_t *net; /* to check against */
    struct deploy_report *report;
    char config_text[24];
};

void deploy_report_release(struct deploy_report *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->v[i].what);
    }
    free(r->v);
    *r = (struct deploy_report){0};
}

static void note(struct run *x, bool is_new, char *what)
{
    struct deploy_report *r = x->report;

    r->v = sto_xrealloc(r->v, (r->n + 1) * sizeof *r->v);
    r->v[r->n++] = (struct deploy_change){.what = what, .is_new = is_new};
}

int deploy_begin(PGconn *db, int64_t *config, struct sto_err *err)
{
    int rc = db_run(db, "BEGIN", err);

    /* In order, as the guard of a batch locks them. */
    rc = rc != 0 ? rc : db_run(db, "SELECT shard FROM shard ORDER BY shard FOR UPDATE", err);
    PGresult *r = rc != 0 ? NULL
                          : db_query(db, "SELECT coalesce(max(config), 0) + 1, count(*) FROM shard",
                                     0, NULL, err);
    if (r == NULL) {
        return rc != 0 ? rc : -STO_E_DB;
    }
    *config = strtoll(db_text(r, 0, 0), NULL, 10);
    if (db_text(r, 0, 1)[0] == '0') {
        rc = sto_fail(err, STO_E_DB, "the database has no shards: it was never set up");
        sto_err_fix(err, "saatto dev sets one up");
    }
    PQclear(r);
    return rc;
}

int deploy_end(PGconn *db, int64_t config, bool commit, struct sto_err *err)
{
    char sql[80];

    if (!commit) {
        struct sto_err ignored = {0};
        (void)db_run(db, "ROLLBACK", &ignored);
        return 0;
    }
    snprintf(sql, sizeof sql, "UPDATE shard SET config = %lld", (long long)config);
    int rc = db_run(db, sql, err);
    return rc != 0 ? rc : db_run(db, "COMMIT", err);
}

static int insert(struct run *x, const char *sql, int n, const char *const *params,
                  struct sto_err *err)
{
    PGresult *r = db_query(x->db, sql, n, params, err);

    PQclear(r);
    return r == NULL ? -STO_E_DB : 0;
}

/* ------------------------------------------------------------------ network */

static int refuse_other(const char *what, struct sto_err *err)
{
    sto_fail(err, STO_E_REFUSED, "%s is deployed with other contents", what);
    sto_err_fix(err, "a deployed version never changes; give the changed files the next version");
    return -STO_E_REFUSED;
}

/* 1: stands there byte for byte; 0: not there; else an error. */
static int network_there(struct run *x, const struct model_files *files, const char *version,
                         struct sto_err *err)
{
    const char *params[] = {x->net->id, version};
    PGresult *r = db_query_binary(
        x->db, "SELECT name, body FROM network_file WHERE network = $1 AND version = $2::int8", 2,
        params, err);
    if (r == NULL) {
        return -STO_E_DB;
    }
    int n = PQntuples(r);
    bool same = (size_t)n == files->n;
    for (int i = 0; i < n && same; i++) {
        size_t len = 0;
        const uint8_t *body = db_bytes(r, i, 1, &len);
        bool found = false;
        for (size_t k = 0; k < files->n; k++) {
            found = found || (strcmp(files->v[k].name, db_text(r, i, 0)) == 0 &&
                              files->v[k].len == len && memcmp(files->v[k].text, body, len) == 0);
        }
        same = found;
    }
    PQclear(r);
    if (n == 0) {
        return 0;
    }
    char what[120];
    snprintf(what, sizeof what, "network '%s' version %s", x->net->id, version);
    return same ? 1 : refuse_other(what, err);
}

static bool is_current(struct run *x, const char *version)
{
    struct sto_err ignored = {0};
    const char *params[] = {x->net->id, version};
    PGresult *r = db_query(x->db,
                           "SELECT network = $1 AND version = $2::int8 FROM network_deployed ORDER "
                           "BY config DESC LIMIT 1",
                           2, params, &ignored);
    bool current = r != NULL && PQntuples(r) == 1 && db_text(r, 0, 0)[0] == 't';

    PQclear(r);
    return current;
}

static int put_network(struct run *x, const struct model_files *files, struct sto_err *err)
{
    char version[24];
    int rc = 0;

    snprintf(version, sizeof version, "%u", x->net->version);
    int there = network_there(x, files, version, err);
    if (there < 0) {
        return there;
    }
    for (size_t i = 0; i < files->n && rc == 0 && there == 0; i++) {
        char *body = db_bytea(files->v[i].text, files->v[i].len);
        const char *params[] = {x->net->id, version, files->v[i].name, body};
        rc = insert(x, "INSERT INTO network_file VALUES ($1, $2::int8, $3, $4::bytea)", 4, params,
                    err);
        free(body);
    }
    bool current = there != 0 && is_current(x, version);
    if (rc == 0 && !current) {
        const char *params[] = {x->config_text, x->net->id, version};
        rc = insert(x, "INSERT INTO network_deployed VALUES ($1::int8, $2, $3::int8)", 3, params,
                    err);
        const char *name[] = {x->net->id};
        rc = rc != 0 ? rc : insert(x, "UPDATE installation SET network = $1", 1, name, err);
    }
    if (rc == 0) {
        note(x, !current, sto_asprintf("network %s version %s", x->net->id, version));
    }
    return rc;
}

/* A new network must still carry what is deployed. */
static int still_fit(struct run *x, sto_diags_t *diags, struct sto_err *err)
{
    PGresult *r = db_query_binary(
        x->db,
        "SELECT DISTINCT ON (id) id, cfg, texts FROM workflow_version WHERE NOT retired "
        "ORDER BY id, version DESC",
        0, NULL, err);
    int rc = r == NULL ? -STO_E_DB : 0;

    for (int i = 0; rc == 0 && i < PQntuples(r); i++) {
        size_t n_cfg = 0, n_texts = 0;
        const char *cfg = (const char *)db_bytes(r, i, 1, &n_cfg);
        const char *texts = (const char *)db_bytes(r, i, 2, &n_texts);
        char *name = sto_asprintf("%s/workflow.cfg", db_text(r, i, 0));
        char *texts_name = sto_asprintf("%s/texts.cfg", db_text(r, i, 0));
        workflow_t *w = NULL;
        if (workflow_load(&(struct model_file){name, cfg, n_cfg},
                          &(struct model_file){texts_name, texts, n_texts}, x->net, diags,
                          &w) != 0) {
            rc = sto_fail(err, STO_E_REFUSED,
                          "the deployed workflow '%s' does not fit this network", db_text(r, i, 0));
        }
        workflow_destroy(&w);
        free(name);
        free(texts_name);
    }
    PQclear(r);
    return rc;
}

static int deploy_network(struct run *x, const char *dir, sto_diags_t *diags, struct sto_err *err)
{
    struct model_files files;
    int rc = model_network_dir(dir, diags, &x->net, err);

    rc = rc != 0 ? rc : still_fit(x, diags, err);
    rc = rc != 0 ? rc : model_network_files(dir, NULL, &files, err);
    if (rc == 0) {
        rc = put_network(x, &files, err);
        model_files_release(&files);
    }
    return rc;
}

/* ---------------------------------------------------------------- workflows */

/* What is deployed: a workflow and all that it calls, as bytes. */
struct bundle {
    struct sto_buf cfg, texts;
};

static int insert_workflow(struct run *x, const workflow_t *w, const struct bundle *b,
                           const char *hash, struct sto_err *err)
{
    char version[24];
    char *cfg = db_bytea(b->cfg.data, b->cfg.len), *texts = db_bytea(b->texts.data, b->texts.len);
    const char *params[] = {hash, w->id, version, cfg, texts, x->config_text};

    snprintf(version, sizeof version, "%u", w->version);
    int rc = insert(x,
                    "INSERT INTO workflow_version (hash, id, version, cfg, texts, config) VALUES "
                    "($1::bytea, $2, $3::int4, "
                    "$4::bytea, $5::bytea, $6::int8)",
                    6, params, err);
    free(cfg);
    free(texts);
    return rc;
}

static int put_workflow(struct run *x, const workflow_t *w, const struct bundle *b,
                        struct sto_err *err)
{
    char version[24], what[160];
    char *hash = db_bytea(w->hash, sizeof w->hash);
    const char *key[] = {w->id, version};

    snprintf(version, sizeof version, "%u", w->version);
    snprintf(what, sizeof what, "workflow '%s' version %s", w->id, version);
    PGresult *r = db_query(x->db,
                           "SELECT '\\x' || encode(hash, 'hex') FROM workflow_version WHERE id = "
                           "$1 AND version = $2::int4",
                           2, key, err);
    int rc = r == NULL ? -STO_E_DB : 0;
    bool there = rc == 0 && PQntuples(r) == 1;
    if (there && strcmp(db_text(r, 0, 0), hash) != 0) {
        rc = refuse_other(what, err);
    }
    PQclear(r);
    if (rc == 0 && !there) {
        rc = insert_workflow(x, w, b, hash, err);
    }
    if (rc == 0) {
        note(x, !there, sto_asprintf("workflow %s version %s", w->id, version));
    }
    free(hash);
    return rc;
}

static int deploy_workflow(struct run *x, const struct flow_source *s, sto_diags_t *diags,
                           struct sto_err *err)
{
    workflow_t *w = NULL;
    int64_t longest = 0;
    struct bundle b;

    sto_buf_init(&b.cfg, 0);
    sto_buf_init(&b.texts, 0);
    int rc = flow_source_bundle(s, diags, &b.cfg, &b.texts, err);
    if (rc == 0 && flow_bundle_load(s, &b.cfg, &b.texts, x->net, diags, &w) != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "'%s' has %zu errors", s->cfg, sto_diags_errors(diags));
    }

    if (rc == 0 && check_workflow(w, s->cfg, x->net, diags, &longest) != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "workflow '%s' does not pass its check", w->id);
        sto_err_fix(err, "saatto flow check %.120s", s->dir);
    }
    rc = rc != 0 ? rc : put_workflow(x, w, &b, err);
    workflow_destroy(&w);
    sto_buf_release(&b.cfg);
    sto_buf_release(&b.texts);
    return rc;
}

static int deployed_net(struct run *x, deployed_t **kept, struct sto_err *err)
{
    int rc = deployed_new(x->db, kept, err);

    if (rc == 0) {
        x->net = (network_t *)(uintptr_t)deployed_network(*kept);
    }
    return rc;
}

int deploy_run(PGconn *db, const struct flow_sources *sources, bool with_network, bool dry,
               struct deploy_report *out, struct sto_err *err)
{
    struct run x = {.db = db, .report = out};
    sto_diags_t *diags = sto_diags_new();
    deployed_t *kept = NULL;
    bool changed = false;

    *out = (struct deploy_report){0};
    int rc = deploy_begin(db, &x.config, err);
    snprintf(x.config_text, sizeof x.config_text, "%lld", (long long)x.config);
    rc = rc != 0        ? rc
         : with_network ? deploy_network(&x, sources->network, diags, err)
                        : deployed_net(&x, &kept, err);
    for (size_t i = 0; i < sources->n && rc == 0; i++) {
        rc = deploy_workflow(&x, &sources->v[i], diags, err);
    }
    for (size_t i = 0; i < out->n; i++) {
        changed = changed || out->v[i].is_new;
    }
    if (rc != 0) {
        model_print_diags(diags);
    }
    struct sto_err end = {0};
    int ended = deploy_end(db, x.config, rc == 0 && changed && !dry, &end);
    if (rc == 0 && ended != 0) {
        *err = end;
        rc = ended;
    }
    out->config = rc == 0 && changed ? x.config : 0;
    if (kept != NULL) {
        deployed_destroy(&kept);
    } else {
        network_destroy(&x.net);
    }
    sto_diags_destroy(&diags);
    return rc;
}
