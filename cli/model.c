/* SPDX-License-Identifier: EUPL-1.2 */
#include "model.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sto_arena.h"
#include "sto_file.h"

/* ---------------------------------------------------------------- folders */

int model_file_read(const char *path, const char *shown, bool optional, struct model_file *out,
                    struct sto_err *err)
{
    char *text = NULL;
    size_t n = 0;

    if (optional && access(path, F_OK) != 0) {
        *out = (struct model_file){.name = sto_xstrdup(shown), .text = sto_xstrdup(""), .len = 0};
        return 0;
    }
    int rc = sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &n, err);
    if (rc == 0) {
        *out = (struct model_file){.name = sto_xstrdup(shown), .text = text, .len = n};
    }
    return rc;
}

void model_file_release(struct model_file *f)
{
    free((char *)(uintptr_t)f->name);
    free((char *)(uintptr_t)f->text);
    *f = (struct model_file){0};
}

void model_files_release(struct model_files *f)
{
    for (size_t i = 0; i < f->n; i++) {
        model_file_release(&f->v[i]);
    }
    f->n = 0;
}

static int is_cfg(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return n > 4 && strcmp(e->d_name + n - 4, ".cfg") == 0 && e->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Adds all *.cfg of dir in name order; how many there are. */
static int add_folder(const char *dir, const char *shown, struct model_files *out,
                      struct sto_err *err)
{
    struct dirent **names = NULL;
    int n = scandir(dir, &names, is_cfg, by_name);
    int rc = 0;

    if (n < 0) {
        return sto_fail(err, STO_E_NOT_FOUND, "could not read folder '%s': %s", dir,
                        strerror(errno));
    }
    for (int i = 0; i < n; i++) {
        if (rc == 0 && out->n == MODEL_FILES_MAX) {
            rc = sto_fail(err, STO_E_LIMIT, "folder '%s' brings more than %d .cfg files in all",
                          dir, MODEL_FILES_MAX);
        }
        if (rc == 0) {
            char *path = sto_asprintf("%s/%s", dir, names[i]->d_name);
            char *name = shown != NULL ? sto_asprintf("%s/%s", shown, names[i]->d_name)
                                       : sto_xstrdup(names[i]->d_name);
            rc = model_file_read(path, name, false, &out->v[out->n], err);
            out->n += rc == 0;
            free(name);
            free(path);
        }
        free(names[i]);
    }
    free(names);
    return rc == 0 ? n : rc;
}

int model_network_files(const char *dir, const char *shown, struct model_files *out,
                        struct sto_err *err)
{
    char *instruments = sto_asprintf("%s/../../instruments", dir);

    out->n = 0;
    int rc = add_folder(dir, shown, out, err);
    if (rc == 0) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "folder '%s' holds no .cfg file", dir);
    }
    if (rc > 0 && access(instruments, F_OK) == 0) {
        rc = add_folder(instruments, shown != NULL ? instruments : "instruments", out, err);
    }
    free(instruments);
    if (rc < 0) {
        model_files_release(out);
    }
    return rc < 0 ? rc : 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

int model_network_dir(const char *dir, sto_diags_t *diags, network_t **out, struct sto_err *err)
{
    struct model_files files;
    int rc = model_network_files(dir, dir, &files, err);

    if (rc != 0) {
        return rc;
    }
    rc = network_load(base_name(dir), files.v, files.n, diags, out);
    if (rc != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "network '%s' has %zu errors", base_name(dir),
                      sto_diags_errors(diags));
    }
    model_files_release(&files);
    return rc;
}

void model_print_diags(const sto_diags_t *diags)
{
    for (size_t i = 0; i < sto_diags_count(diags); i++) {
        const struct sto_diag *d = sto_diags_at(diags, i);
        fprintf(stderr, "%s:%d: %s: %s [%s]\n", d->file, d->line,
                d->severity == STO_SEV_ERROR ? "error" : "warning", d->text, d->code);
    }
}

/* --------------------------------------------------------------- deployed */

struct deployed {
    PGconn *db; /* borrowed */
    network_t *net;
    workflow_t **workflows;
    size_t n;
};

static int load_network(PGconn *db, network_t **out, struct sto_err *err)
{
    PGresult *r = db_query_binary(
        db,
        "SELECT f.network, f.name, f.body FROM network_file f JOIN (SELECT network, version FROM "
        "network_deployed ORDER BY config DESC LIMIT 1) d USING (network, version) "
        "ORDER BY f.name COLLATE \"C\"",
        0, NULL, err);
    struct model_file files[MODEL_FILES_MAX];
    sto_diags_t *diags = sto_diags_new();
    int rc = 0;

    if (r == NULL) {
        sto_diags_destroy(&diags);
        return -STO_E_DB;
    }
    int n = PQntuples(r);
    for (int i = 0; i < n && i < MODEL_FILES_MAX; i++) {
        size_t len = 0;
        const uint8_t *body = db_bytes(r, i, 2, &len);
        files[i] =
            (struct model_file){.name = db_text(r, i, 1), .text = (const char *)body, .len = len};
    }
    if (n == 0) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "no network is deployed");
        sto_err_fix(err, "saatto flow deploy --network DIR");
    } else if (n > MODEL_FILES_MAX ||
               network_load(db_text(r, 0, 0), files, (size_t)n, diags, out) != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "the deployed network '%s' cannot be loaded",
                      db_text(r, 0, 0));
        model_print_diags(diags);
    }
    sto_diags_destroy(&diags);
    PQclear(r);
    return rc;
}

int deployed_new(PGconn *db, deployed_t **out, struct sto_err *err)
{
    network_t *net = NULL;
    int rc = load_network(db, &net, err);

    if (rc == 0) {
        *out = sto_xcalloc(1, sizeof **out);
        **out = (deployed_t){.db = db, .net = net};
    }
    return rc;
}

void deployed_destroy(deployed_t **self_p)
{
    if (*self_p == NULL) {
        return;
    }
    deployed_t *self = *self_p;
    for (size_t i = 0; i < self->n; i++) {
        workflow_destroy(&self->workflows[i]);
    }
    free(self->workflows);
    network_destroy(&self->net);
    free(self);
    *self_p = NULL;
}

const network_t *deployed_network(const deployed_t *self)
{
    return self->net;
}

static int take_workflow(deployed_t *self, const PGresult *r, const workflow_t **out,
                         struct sto_err *err)
{
    size_t n_cfg = 0, n_texts = 0;
    const char *cfg = (const char *)db_bytes(r, 0, 1, &n_cfg);
    const char *texts = (const char *)db_bytes(r, 0, 2, &n_texts);
    char *name = sto_asprintf("%s/workflow.cfg", db_text(r, 0, 0));
    char *texts_name = sto_asprintf("%s/texts.cfg", db_text(r, 0, 0));
    sto_diags_t *diags = sto_diags_new();
    workflow_t *w = NULL;
    int rc = workflow_load(&(struct model_file){name, cfg, n_cfg},
                           &(struct model_file){texts_name, texts, n_texts}, self->net, diags, &w);

    if (rc != 0) {
        rc = sto_fail(err, STO_E_CONFIG,
                      "the deployed workflow '%s' does not fit the deployed network",
                      db_text(r, 0, 0));
        model_print_diags(diags);
    } else {
        self->workflows = sto_xrealloc(self->workflows, (self->n + 1) * sizeof(workflow_t *));
        self->workflows[self->n++] = w;
        *out = w;
    }
    sto_diags_destroy(&diags);
    free(name);
    free(texts_name);
    return rc;
}

int deployed_workflow(deployed_t *self, const uint8_t hash[32], const workflow_t **out,
                      struct sto_err *err)
{
    for (size_t i = 0; i < self->n; i++) {
        if (memcmp(self->workflows[i]->hash, hash, 32) == 0) {
            *out = self->workflows[i];
            return 0;
        }
    }
    char *text = db_bytea(hash, 32);
    const char *params[] = {text};
    PGresult *r = db_query_binary(
        self->db, "SELECT id, cfg, texts FROM workflow_version WHERE hash = $1::bytea", 1, params,
        err);
    int rc = r == NULL ? -STO_E_DB : 0;
    if (rc == 0 && PQntuples(r) == 0) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "workflow version %.14s… is not in the database",
                      text + 2);
    }
    rc = rc != 0 ? rc : take_workflow(self, r, out, err);
    PQclear(r);
    free(text);
    return rc;
}

int deployed_version(deployed_t *self, const char *id, int64_t version, const workflow_t **out,
                     struct sto_err *err)
{
    char number[24];
    const char *params[] = {id, number};
    snprintf(number, sizeof number, "%lld", (long long)version);
    PGresult *r = db_query_binary(
        self->db, "SELECT hash FROM workflow_version WHERE id = $1 AND version = $2::int8", 2,
        params, err);
    int rc = r == NULL ? -STO_E_DB : 0;

    if (rc == 0 && PQntuples(r) == 0) {
        rc = sto_fail(err, STO_E_UNKNOWN_WORKFLOW, "version %s of workflow '%s' is not deployed",
                      number, id);
        sto_err_fix(err, "saatto flow list names those that are");
    }
    if (rc == 0) {
        size_t n = 0;
        rc = deployed_workflow(self, db_bytes(r, 0, 0, &n), out, err);
    }
    PQclear(r);
    return rc;
}

int deployed_newest(deployed_t *self, const char *id, const workflow_t **out, struct sto_err *err)
{
    const char *params[] = {id};
    PGresult *r = db_query_binary(self->db,
                                  "SELECT hash FROM workflow_version WHERE id = $1 AND NOT retired "
                                  "ORDER BY version DESC LIMIT 1",
                                  1, params, err);
    int rc = r == NULL ? -STO_E_DB : 0;

    if (rc == 0 && PQntuples(r) == 0) {
        rc = sto_fail(err, STO_E_UNKNOWN_WORKFLOW, "no workflow '%s' is deployed", id);
        sto_err_fix(err, "saatto flow list names those that are");
    }
    if (rc == 0) {
        size_t n = 0;
        rc = deployed_workflow(self, db_bytes(r, 0, 0, &n), out, err);
    }
    PQclear(r);
    return rc;
}
