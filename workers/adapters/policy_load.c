/* SPDX-License-Identifier: EUPL-1.2 */
/* Reads files and hands their text to those who understand it. */
#include "policy_load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sto_arena.h"
#include "sto_crypto.h"
#include "sto_file.h"
#include "sto_limits.h"
#include "workflow_bundle.h"

#define FILES_MAX         256
#define CALLED_MAX        32
#define RECORDS_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct text {
    char *path, *bytes;
    size_t len;
};

static int text_read(char *path, size_t max, struct text *t, struct sto_err *err)
{
    t->path = path;
    return sto_file_read(path, max, &t->bytes, &t->len, err);
}

static void text_release(struct text *t)
{
    free(t->path);
    free(t->bytes);
    *t = (struct text){0};
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* Names in a folder that `want` accepts, sorted; each malloc'd. */
static int list_folder(const char *folder, bool (*want)(const char *name), char **names,
                       unsigned *n, struct sto_err *err)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    *n = 0;
    if (dir == NULL) {
        return sto_fail(err, STO_E_NOT_FOUND, "could not read folder '%s': %s", folder,
                        strerror(errno));
    }
    /* cppcheck-suppress readdirCalled ; a stream of one's own is safe */
    while ((entry = readdir(dir)) != NULL && *n < FILES_MAX) {
        if (want(entry->d_name)) {
            names[(*n)++] = sto_xstrdup(entry->d_name);
        }
    }
    closedir(dir);
    qsort(names, *n, sizeof *names, by_text);
    return 0;
}

static bool is_cfg(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && name[0] != '.' && strcmp(name + n - 4, ".cfg") == 0;
}

static bool is_visible(const char *name)
{
    return name[0] != '.';
}

/* The .cfg files of one folder, added to texts; `path` is taken over. */
static int read_folder(char *path, struct text *texts, unsigned *n, struct sto_err *err)
{
    char *names[FILES_MAX];
    unsigned found = 0;
    int rc = list_folder(path, is_cfg, names, &found, err);

    for (unsigned i = 0; i < found; i++) {
        if (rc == 0 && *n == FILES_MAX) {
            rc = sto_fail(err, STO_E_LIMIT, "a network has more than %d files", FILES_MAX);
        }
        if (rc == 0) {
            rc = text_read(sto_asprintf("%s/%s", path, names[i]), STO_CONF_FILE_BYTES_MAX,
                           &texts[*n], err);
            (*n)++;
        }
        free(names[i]);
    }
    free(path);
    return rc;
}

/* The network's own files and the instruments, which are a part of it. */
static int load_network(const char *folder, const char *id, struct policy_files *out,
                        sto_diags_t *diags, struct sto_err *err)
{
    struct text texts[FILES_MAX] = {{0}};
    struct model_file files[FILES_MAX];
    char *instruments = sto_asprintf("%s/instruments", folder);
    unsigned n = 0;
    int rc = read_folder(sto_asprintf("%s/network/%s", folder, id), texts, &n, err);

    if (rc == 0 && access(instruments, F_OK) == 0) {
        rc = read_folder(sto_xstrdup(instruments), texts, &n, err);
    }
    for (unsigned i = 0; rc == 0 && i < n; i++) {
        files[i] = (struct model_file){texts[i].path, texts[i].bytes, texts[i].len};
    }
    rc = rc != 0 ? rc : network_load(id, files, n, diags, &out->network);
    for (unsigned i = 0; i < n; i++) {
        text_release(&texts[i]);
    }
    free(instruments);
    return rc;
}

/* Files of workflows that another one calls, from the folders beside it. */
struct beside {
    const char *own; /* path of the caller's file */
    struct text files[2 * CALLED_MAX];
    unsigned n;
};

static bool find_beside(void *arg, const char *id, struct model_file *file,
                        struct model_file *texts)
{
    struct beside *b = arg;
    struct sto_err ignored = {0};
    char cfg[WORKFLOW_PATH_BYTES], text[WORKFLOW_PATH_BYTES];

    workflow_beside(b->own, id, "workflow.cfg", cfg, sizeof cfg);
    workflow_beside(b->own, id, "texts.cfg", text, sizeof text);
    if (strchr(id, '/') != NULL || b->n + 2 > 2 * CALLED_MAX) {
        return false;
    }
    struct text *f = &b->files[b->n++], *t = &b->files[b->n++];
    int rc = text_read(sto_xstrdup(cfg), STO_CONF_FILE_BYTES_MAX, f, &ignored);
    (void)text_read(sto_xstrdup(text), STO_CONF_FILE_BYTES_MAX, t, &ignored);
    *file = (struct model_file){f->path, f->bytes, f->len};
    *texts = (struct model_file){t->path, t->bytes != NULL ? t->bytes : "", t->len};
    return rc == 0 && f->bytes != NULL;
}

/* With all that it calls. */
static int load_bundle(const struct text *file, const struct text *texts, struct policy_files *out,
                       sto_diags_t *diags)
{
    struct model_file f = {file->path, file->bytes, file->len};
    struct model_file t = {texts->path, texts->bytes != NULL ? texts->bytes : "", texts->len};
    struct beside b = {.own = file->path};
    const struct workflow_source source = {find_beside, &b};
    struct sto_buf cfg, more;

    sto_buf_init(&cfg, 0);
    sto_buf_init(&more, 0);
    int rc = workflow_bundle(&f, &t, &source, diags, &cfg, &more);
    if (rc == 0) {
        f = (struct model_file){f.name, (const char *)cfg.data, cfg.len};
        t = (struct model_file){t.name, (const char *)more.data, more.len};
        rc = workflow_load(&f, &t, out->network, diags, &out->workflows[out->n_workflows]);
    }
    for (unsigned i = 0; i < b.n; i++) {
        text_release(&b.files[i]);
    }
    sto_buf_release(&cfg);
    sto_buf_release(&more);
    return rc;
}

/* A folder without a workflow.cfg is no workflow. */
static int load_workflow(const char *folder, const char *name, struct policy_files *out,
                         sto_diags_t *diags, struct sto_err *err)
{
    struct text file = {0}, texts = {0};
    int rc = text_read(sto_asprintf("%s/%s/workflow.cfg", folder, name), STO_CONF_FILE_BYTES_MAX,
                       &file, err);

    if (rc == -STO_E_NOT_FOUND || file.bytes == NULL) {
        text_release(&file);
        return 0;
    }
    rc = rc != 0 ? rc
                 : text_read(sto_asprintf("%s/%s/texts.cfg", folder, name), STO_CONF_FILE_BYTES_MAX,
                             &texts, err);
    if (rc == -STO_E_NOT_FOUND) {
        rc = 0;
    }
    if (rc == 0 && out->n_workflows == POLICY_WORKFLOWS_MAX) {
        rc = sto_fail(err, STO_E_LIMIT, "more than %d workflows in '%s'", POLICY_WORKFLOWS_MAX,
                      folder);
    }
    if (rc == 0) {
        rc = load_bundle(&file, &texts, out, diags);
        out->n_workflows += rc == 0;
    }
    text_release(&file);
    text_release(&texts);
    return rc;
}

static int load_workflows(const char *folder, struct policy_files *out, sto_diags_t *diags,
                          struct sto_err *err)
{
    char *names[FILES_MAX];
    unsigned n = 0;
    int rc = list_folder(folder, is_visible, names, &n, err);

    for (unsigned i = 0; i < n; i++) {
        if (rc == 0 || rc == -STO_E_CONFIG) { /* go on: every fault is to be told */
            int one = load_workflow(folder, names[i], out, diags, err);
            rc = one != 0 ? one : rc;
        }
        free(names[i]);
    }
    return rc;
}

static int load_policy(const char *path, struct policy_files *out, sto_diags_t *diags,
                       struct sto_err *err)
{
    struct text t = {0};
    uint8_t hash[STO_SHA256_BYTES];
    int rc = text_read(sto_xstrdup(path), STO_CONF_FILE_BYTES_MAX, &t, err);

    if (rc == 0) {
        sto_sha256(t.bytes, t.len, hash);
        for (unsigned i = 0; i < 8; i++) {
            out->version = out->version << 8 | hash[i];
        }
        rc = policy_parse(path, t.bytes, t.len, diags, &out->policy);
    }
    text_release(&t);
    return rc;
}

static int load_records(const char *folder, struct policy_files *out, sto_diags_t *diags,
                        struct sto_err *err)
{
    int rc = 0;

    for (unsigned i = 0; i < out->policy->n_records && rc == 0; i++) {
        struct text t = {0};
        rc = text_read(sto_asprintf("%s/%s", folder, out->policy->records[i]), RECORDS_BYTES_MAX,
                       &t, err);
        rc = rc != 0 ? rc : records_add(out->records, t.path, t.bytes, t.len, diags);
        text_release(&t);
    }
    return rc;
}

int policy_files_load(const char *folder, const char *network, const char *policy,
                      struct policy_files *out, sto_diags_t *diags, struct sto_err *err)
{
    *out = (struct policy_files){.records = records_new()};
    int rc = load_network(folder, network, out, diags, err);
    rc = rc != 0 ? rc : load_workflows(folder, out, diags, err);
    rc = rc != 0 ? rc : load_policy(policy, out, diags, err);
    rc = rc != 0 ? rc : load_records(folder, out, diags, err);
    if (rc == 0) {
        out->world.network = out->network;
        out->world.records = out->records;
        out->world.n_workflows = out->n_workflows;
        for (unsigned i = 0; i < out->n_workflows; i++) {
            out->world.workflows[i] = out->workflows[i];
        }
        rc = policy_check(out->policy, &out->world, diags);
    }
    if (rc == -STO_E_CONFIG && sto_diags_errors(diags) != 0) {
        return sto_fail(err, STO_E_CONFIG, "policy '%s' or what it names is wrong", policy);
    }
    return rc;
}

void policy_files_release(struct policy_files *f)
{
    policy_destroy(&f->policy);
    records_destroy(&f->records);
    for (unsigned i = 0; i < f->n_workflows; i++) {
        workflow_destroy(&f->workflows[i]);
    }
    f->n_workflows = 0;
    network_destroy(&f->network);
}
