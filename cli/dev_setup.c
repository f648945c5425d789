/* SPDX-License-Identifier: EUPL-1.2 */
/* What an installation needs before its programs start: lock, keys, database, configuration. All of
 * it may stand there already. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "deploy.h"
#include "dev_run.h"
#include "keyfile.h"
#include "org_keys.h"
#include "sto_arena.h"
#include "sto_file.h"
#include "sto_time.h"

#define RUN_DIR_MAX 80 /* the path of a socket in it has at most 107 bytes */

void dev_progress(const struct dev_run *self, const char *fmt, ...)
{
    va_list ap;

    if (self->o.report_fd >= 0) {
        va_start(ap, fmt);
        vdprintf(self->o.report_fd, fmt, ap);
        va_end(ap);
        dprintf(self->o.report_fd, "\n");
    }
}

/* --------------------------------------------------------------------- lock */

int dev_setup_lock(struct dev_run *self, struct sto_err *err)
{
    char *path = sto_asprintf("%s/dev.lock", self->o.var);
    char pid[24] = "";
    int rc = sto_mkdirs(self->o.var, 0755, err);

    if (rc == 0) {
        self->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (self->lock_fd < 0) {
            rc = sto_fail(err, STO_E_IO, "could not open '%s': %s", path, strerror(errno));
        } else if (flock(self->lock_fd, LOCK_EX | LOCK_NB) != 0) {
            (void)!read(self->lock_fd, pid, sizeof pid - 1);
            rc = sto_fail(err, STO_E_REFUSED, "another `saatto dev` (process %s) runs in '%s'", pid,
                          self->o.var);
            sto_err_fix(err, "stop it with `saatto dev --stop`, or take another folder with --var");
        }
    }
    if (rc == 0) {
        int n = snprintf(pid, sizeof pid, "%d", (int)getpid());
        rc = ftruncate(self->lock_fd, 0) == 0 && pwrite(self->lock_fd, pid, (size_t)n, 0) == n
                 ? 0
                 : sto_fail(err, STO_E_IO, "could not write '%s'", path);
    }
    free(path);
    return rc;
}

/* ----------------------------------------------------------------- database */

static int set_clock(struct dev_run *self, struct sto_err *err)
{
    char text[48];
    const char *params[] = {text};
    PGconn *db = NULL;
    int rc = db_open(pg_private_dsn(self->pg, PG_PRIVATE_DATA, "saatto_admin"), &db, err);

    sto_us_format(self->o.start_us, text, sizeof text);
    if (rc == 0) {
        PGresult *r = db_query(
            db,
            "UPDATE installation SET clock = $1::timestamptz WHERE manual_clock AND clock IS NULL",
            1, params, err);
        rc = r == NULL ? -STO_E_DB : 0;
        PQclear(r);
    }
    PGresult *r =
        rc == 0 ? db_query(db, "SELECT manual_clock FROM installation", 0, NULL, err) : NULL;
    if (r != NULL) {
        self->manual_clock = db_text(r, 0, 0)[0] == 't';
    }
    PQclear(r);
    PQfinish(db);
    if (rc == 0 && self->o.manual_clock >= 0 && self->manual_clock != (self->o.manual_clock == 1)) {
        rc = sto_fail(err, STO_E_REFUSED,
                      "the installation in '%s' runs on the %s clock, which is fixed at set-up",
                      self->o.var, self->manual_clock ? "manual" : "real");
        sto_err_fix(err, "leave --clock out, or take another folder with --var");
    }
    return rc;
}

int dev_setup_database(struct dev_run *self, struct sto_err *err)
{
    char *dir = sto_asprintf("%s/pg", self->o.var);
    char *sql = sto_asprintf("%s/deploy/sql", self->o.home);
    struct pg_private_options o = {.dir = dir,
                                   .sql_dir = sql,
                                   .shared_buffers_mib = self->o.shared_buffers_mib,
                                   .manual_clock = self->o.manual_clock == 1};

    dev_progress(self, "database: starting PostgreSQL in %s", dir);
    int rc = pg_private_start(&o, &self->pg, err);
    free(dir);
    free(sql);
    return rc != 0 ? rc : set_clock(self, err);
}

/* ------------------------------------------------------------ configuration */

/* The coordinator's operator: moves cases to other versions. Its row stands last. */
static int make_coordinator_key(struct dev_run *self, const char *dir, struct org_key_row *rows,
                                struct key_pair *pairs, struct sto_err *err)
{
    unsigned i = self->net->n_orgs + 1u;
    const struct organisation *o = network_org(self->net, self->net->coordinator_org);
    char *path = sto_asprintf("%s/%s.operator.key", dir, o != NULL ? o->id : "");
    int rc = keyfile_pair_ensure(path, &pairs[i], err);

    rows[i] = (struct org_key_row){pairs[i].public_key, o != NULL ? o->id : "",
                                   self->net->coordinator_org, true};
    free(path);
    return rc;
}

static int make_keys(struct dev_run *self, struct org_key_row *rows, struct key_pair *pairs,
                     struct sto_err *err)
{
    char *dir = sto_asprintf("%s/keys", self->o.var);
    char *path = sto_asprintf("%s/server.key", dir);
    uint8_t secret[32];
    int rc = sto_mkdirs(dir, 0700, err);

    rc = rc != 0 ? rc : keyfile_pair_ensure(path, NULL, err);
    free(path);
    path = sto_asprintf("%s/network.key", dir);
    rc = rc != 0 ? rc : keyfile_secret_ensure(path, secret, err);
    free(path);
    path = sto_asprintf("%s/operator.key", dir);
    rc = rc != 0 ? rc : keyfile_pair_ensure(path, &pairs[self->net->n_orgs], err);
    free(path);
    rows[self->net->n_orgs] =
        (struct org_key_row){pairs[self->net->n_orgs].public_key, "operator", 0, true};
    rc = rc != 0 ? rc : make_coordinator_key(self, dir, rows, pairs, err);
    for (unsigned i = 0; i < self->net->n_orgs && rc == 0; i++) {
        const struct organisation *o = &self->net->orgs[i];
        path = sto_asprintf("%s/%s.key", dir, o->id);
        rc = keyfile_pair_ensure(path, &pairs[i], err);
        free(path);
        path = sto_asprintf("%s/%s.secret", dir, o->id);
        rc = rc != 0 ? rc : keyfile_secret_ensure(path, secret, err);
        free(path);
        rows[i] = (struct org_key_row){pairs[i].public_key, o->id, o->number, false};
    }
    free(dir);
    return rc;
}

static int register_keys(struct dev_run *self, PGconn *db, struct sto_err *err)
{
    size_t n = self->net->n_orgs + 2u; /* two operators */
    struct org_key_row *rows = sto_xcalloc(n, sizeof *rows);
    struct key_pair *pairs = sto_xcalloc(n, sizeof *pairs);
    unsigned added = 0;
    int rc = make_keys(self, rows, pairs, err);

    rc = rc != 0 ? rc : org_keys_add(db, rows, n, false, &added, err);
    if (rc == 0) {
        dev_progress(self, "keys: %zu in %s/keys, %u newly registered", n, self->o.var, added);
    }
    free(rows);
    free(pairs);
    return rc;
}

static int deploy_all(struct dev_run *self, PGconn *db, struct sto_err *err)
{
    struct flow_sources sources = {0};
    struct deploy_report report = {0};
    sto_diags_t *diags = sto_diags_new();
    int rc = flow_sources_all(self->o.flows != NULL ? self->o.flows : self->o.home, self->o.network,
                              &sources, err);

    rc = rc != 0 ? rc : model_network_dir(sources.network, diags, &self->net, err);
    if (rc == 0) {
        rc = deploy_run(db, &sources, true, false, &report, err);
    } else {
        model_print_diags(diags);
    }
    for (size_t i = 0; i < report.n && rc == 0; i++) {
        dev_progress(self, "deploy: %s%s", report.v[i].what,
                     report.v[i].is_new ? "" : " (stood there)");
    }
    deploy_report_release(&report);
    sto_diags_destroy(&diags);
    flow_sources_release(&sources);
    return rc;
}

int dev_setup_configuration(struct dev_run *self, struct sto_err *err)
{
    PGconn *db = NULL;
    int rc = db_open(pg_private_dsn(self->pg, PG_PRIVATE_DATA, "saatto_deploy"), &db, err);

    rc = rc != 0 ? rc : deploy_all(self, db, err);
    rc = rc != 0 ? rc : register_keys(self, db, err);
    PQfinish(db);
    return rc;
}

/* --------------------------------------------------------------- saatto.json */

static unsigned port_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    const char *colon = text != NULL ? strrchr(text, ':') : NULL;

    return colon != NULL ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
}

static json_t *dsns(struct dev_run *self)
{
    struct pg_private *pg = self->pg;

    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "core",
                     pg_private_dsn(pg, PG_PRIVATE_DATA, "saatto_core"), "read",
                     pg_private_dsn(pg, PG_PRIVATE_DATA, "saatto_read"), "deploy",
                     pg_private_dsn(pg, PG_PRIVATE_DATA, "saatto_deploy"), "admin",
                     pg_private_dsn(pg, PG_PRIVATE_DATA, "saatto_admin"), "keys",
                     pg_private_dsn(pg, PG_PRIVATE_KEYS, "saatto_core"));
}

/* Sockets of gate and core; elsewhere when var's path is too long for a socket. */
static char *run_dir(const struct dev_run *self, const json_t *former, struct sto_err *err)
{
    char *dir = sto_asprintf("%s/run", self->o.var);
    const char *was = json_string_value(json_object_get(former, "run"));

    if (strlen(dir) > RUN_DIR_MAX && was != NULL && access(was, W_OK) == 0) {
        free(dir);
        return sto_xstrdup(was);
    }
    if (strlen(dir) > RUN_DIR_MAX) {
        free(dir);
        dir = sto_xstrdup("/tmp/saatto-run.XXXXXX");
        if (mkdtemp(dir) == NULL) {
            sto_fail(err, STO_E_IO, "could not make '%s': %s", dir, strerror(errno));
            free(dir);
            return NULL;
        }
    } else if (sto_mkdirs(dir, 0700, err) != 0) {
        free(dir);
        return NULL;
    }
    return dir;
}

int dev_setup_json(struct dev_run *self, struct sto_err *err)
{
    char *path = sto_asprintf("%s/saatto.json", self->o.var);
    char *key_path = sto_asprintf("%s/keys/server.key", self->o.var);
    json_t *former = json_load_file(path, 0, NULL);
    char *run = run_dir(self, former, err);
    struct key_pair server;
    int rc = run == NULL ? -err->code : keyfile_pair_read(key_path, &server, err);

    if (rc == 0) {
        unsigned port = free_port(port_of(former, "endpoint")),
                 http = free_port(port_of(former, "http"));
        char *endpoint = sto_asprintf("tcp://127.0.0.1:%u", port);
        char *address = sto_asprintf("127.0.0.1:%u", http);
        self->json =
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:{s:i, s:i}}", "endpoint", endpoint,
                      "http", address, "server_key", server.public_key, "network", self->net->id,
                      "run", run, "manual_clock", self->manual_clock, "dsn", dsns(self), "pids",
                      "dev", (int)getpid(), "postgres", (int)pg_private_pid(self->pg));
        free(endpoint);
        free(address);
        explicit_bzero(&server, sizeof server);
    }
    json_decref(former);
    free(run);
    free(key_path);
    free(path);
    return rc;
}
