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
#include "workflow.h"

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

#endif
