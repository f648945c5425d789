/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A whole installation on this machine, under one folder: private PostgreSQL, keys, configuration,
 * broker, workers. Used by `saatto dev` and, in a temporary folder, by `saatto bench`.
 */
#ifndef DEV_RUN_H
#define DEV_RUN_H
#include <jansson.h>

#include "child.h"
#include "model.h"
#include "pg_private.h"

#define DEV_CHILDREN_MAX 64

struct dev_options {
    const char *var;     /* absolute */
    const char *home;    /* holds workflows/ and deploy/ */
    const char *network; /* folder or id; NULL = the only one */
    const char *flows;   /* folder that holds the workflows/ to deploy; NULL = home */
    int manual_clock;    /* -1 = as it was, or real */
    int64_t start_us;    /* of a new installation's manual clock */
    bool workers;
    const char *const *exec;     /* "ORG=PROGRAM", NULL-terminated; may be NULL */
    const char *const *settings; /* "key=value" of saattod, NULL-terminated; may be NULL */
    unsigned shared_buffers_mib; /* 0 = 128 */
    int report_fd;               /* lines of progress go there; -1 = nowhere */
};

struct dev_run {
    struct dev_options o;
    int lock_fd;
    struct pg_private *pg;
    network_t *net;
    char *bin;
    json_t *json;                            /* what stands in saatto.json */
    struct child children[DEV_CHILDREN_MAX]; /* [0] is saattod */
    size_t n_children;
    bool manual_clock;
};

/* Everything up to a broker that answers; on failure all is stopped again. */
int dev_run_start(const struct dev_options *o, struct dev_run *out, struct sto_err *err);
/* Watches until stop() says so, or PostgreSQL ends (then -STO_E_IO). */
int dev_run_watch(struct dev_run *self, int signal_fd, struct sto_err *err);
void dev_run_stop(struct dev_run *self);

/* Inside: dev_setup.c */
int dev_setup_lock(struct dev_run *self, struct sto_err *err);
int dev_setup_database(struct dev_run *self, struct sto_err *err);
int dev_setup_configuration(struct dev_run *self, struct sto_err *err);
int dev_setup_json(struct dev_run *self, struct sto_err *err);
void dev_progress(const struct dev_run *self, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
