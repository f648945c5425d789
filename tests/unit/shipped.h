/* SPDX-License-Identifier: EUPL-1.2 */
/* Reading the shipped networks and workflows from the source folder, for tests. */
#ifndef SHIPPED_H
#define SHIPPED_H
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sto_file.h"
#include "workflow_bundle.h"

#define SHIPPED_ROOT SAATTO_SOURCE_DIR "/workflows"
#define FILES_MAX    256

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a folder with this ending ("" = all), sorted; each malloc'd. */
static size_t list_names(const char *dir, const char *ending, char *names[FILES_MAX])
{
    DIR *d = opendir(dir);
    size_t n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) && n < FILES_MAX;) {
        size_t len = strlen(e->d_name), end = strlen(ending);
        if (e->d_name[0] != '.' && len >= end && strcmp(e->d_name + len - end, ending) == 0) {
            names[n++] = sto_xstrdup(e->d_name);
        }
    }
    (void)closedir(d);
    qsort(names, n, sizeof names[0], by_name);
    return n;
}

/* A file's bytes with its path as name; false = there is none. */
static bool read_file(const char *dir, const char *name, struct model_file *out)
{
    char *path = sto_asprintf("%s/%s", dir, name), *text = NULL;
    size_t len = 0;
    struct sto_err err = {0};
    bool there = access(path, R_OK) == 0;
    if (there && sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &len, &err) != 0) {
        fail_msg("%s: %s", path, err.what);
    }
    *out = (struct model_file){.name = path, .text = text, .len = len};
    return there;
}

static void free_file(struct model_file *f)
{
    free((void *)(uintptr_t)f->name);
    free((void *)(uintptr_t)f->text);
}

/* Files of workflows that another one calls, from the folders beside it. */
struct beside {
    const char *own;
    struct model_file files[64];
    size_t n;
};

static inline bool find_beside(void *arg, const char *id, struct model_file *file,
                               struct model_file *texts)
{
    struct beside *b = arg;
    char dir[WORKFLOW_PATH_BYTES];
    workflow_beside(b->own, id, ".", dir, sizeof dir);
    struct model_file *f = &b->files[b->n++], *t = &b->files[b->n++];
    bool there = read_file(dir, "workflow.cfg", f);
    (void)read_file(dir, "texts.cfg", t);
    *file = *f;
    *texts = *t;
    return there;
}

/* A workflow with all that it calls; NULL with the findings in d. */
static inline workflow_t *load_shipped_workflow(const network_t *net, const char *dir,
                                                sto_diags_t *d)
{
    struct model_file cfg, texts;
    struct sto_buf whole, more;
    assert_true(read_file(dir, "workflow.cfg", &cfg));
    (void)read_file(dir, "texts.cfg", &texts);
    struct beside b = {.own = cfg.name};
    const struct workflow_source source = {find_beside, &b};
    workflow_t *w = NULL;
    sto_buf_init(&whole, 0);
    sto_buf_init(&more, 0);
    if (workflow_bundle(&cfg, &texts, &source, d, &whole, &more) == 0) {
        const struct model_file file = {cfg.name, (const char *)whole.data, whole.len},
                                text = {texts.name, (const char *)more.data, more.len};
        (void)workflow_load(&file, &text, net, d, &w);
    }
    for (size_t i = 0; i < b.n; i++) {
        free_file(&b.files[i]);
    }
    sto_buf_release(&whole);
    sto_buf_release(&more);
    free_file(&cfg);
    free_file(&texts);
    return w;
}

static size_t print_diags(sto_diags_t *d)
{
    sto_diags_sort(d);
    for (size_t i = 0; i < sto_diags_count(d); i++) {
        const struct sto_diag *x = sto_diags_at(d, i);
        print_message("%s:%d: %s: %s [%s]\n", x->file, x->line,
                      x->severity == STO_SEV_ERROR ? "error" : "warning", x->text, x->code);
    }
    return sto_diags_errors(d);
}

/* Adds the .cfg files of a folder to files. */
static void read_folder(const char *dir, struct model_file *files, size_t *n)
{
    char *names[FILES_MAX];
    size_t found = list_names(dir, ".cfg", names);
    for (size_t i = 0; i < found; i++) {
        assert_true(*n < FILES_MAX);
        assert_true(read_file(dir, names[i], &files[(*n)++]));
        free(names[i]);
    }
}

/* The network of a folder, with the instruments beside the networks. */
static network_t *load_network_of(const char *dir, const char *id)
{
    char *instruments = sto_asprintf("%s/../../instruments", dir);
    struct model_file files[FILES_MAX];
    network_t *net = NULL;
    sto_diags_t *d = sto_diags_new();
    size_t n = 0;
    read_folder(dir, files, &n);
    if (access(instruments, F_OK) == 0) {
        read_folder(instruments, files, &n);
    }
    int rc = network_load(id, files, n, d, &net);
    size_t errors = print_diags(d);
    sto_diags_destroy(&d);
    for (size_t i = 0; i < n; i++) {
        free_file(&files[i]);
    }
    free(instruments);
    assert_int_equal(rc, 0);
    assert_int_equal(errors, 0);
    return net;
}

__attribute__((unused)) static network_t *load_shipped(const char *id)
{
    char *dir = sto_asprintf(SHIPPED_ROOT "/network/%s", id);
    network_t *net = load_network_of(dir, id);
    free(dir);
    return net;
}

/* Calls fn(arg, net, folder) for each folder that holds a workflow; returns how many. */
typedef void shipped_fn(void *arg, const network_t *net, const char *dir);
__attribute__((unused)) static size_t each_shipped(const network_t *net, shipped_fn *fn, void *arg)
{
    char *names[FILES_MAX];
    size_t n = list_names(SHIPPED_ROOT, "", names), tried = 0;
    for (size_t i = 0; i < n; i++) {
        char *dir = sto_asprintf("%s/%s", SHIPPED_ROOT, names[i]);
        char *cfg = sto_asprintf("%s/workflow.cfg", dir);
        if (access(cfg, R_OK) == 0) {
            fn(arg, net, dir);
            tried++;
        }
        free(cfg);
        free(dir);
        free(names[i]);
    }
    return tried;
}

/* Shipped workflows by id, as scenarios name them; each is loaded once. */
struct shipped_library {
    const network_t *net;
    workflow_t *list[FILES_MAX];
    size_t n;
};

static inline const workflow_t *shipped_find(void *arg, const char *id)
{
    struct shipped_library *l = arg;
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->list[i]->id, id) == 0) {
            return l->list[i];
        }
    }
    char *dir = sto_asprintf("%s/%s", SHIPPED_ROOT, id),
         *cfg = sto_asprintf("%s/workflow.cfg", dir);
    sto_diags_t *d = sto_diags_new();
    workflow_t *wf = NULL;
    if (access(cfg, R_OK) == 0 && l->n < FILES_MAX) {
        wf = load_shipped_workflow(l->net, dir, d);
    }
    if (wf) {
        l->list[l->n++] = wf;
    } else {
        (void)print_diags(d);
    }
    sto_diags_destroy(&d);
    free(cfg);
    free(dir);
    return wf;
}

static inline void shipped_release(struct shipped_library *l)
{
    for (size_t i = 0; i < l->n; i++) {
        workflow_destroy(&l->list[i]);
    }
    l->n = 0;
}

#endif
