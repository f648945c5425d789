/* SPDX-License-Identifier: EUPL-1.2 */
/* Starts, watches and stops the programs of an installation. */
#include "dev_run.h"

#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "installation.h"
#include "sto_arena.h"
#include "sto_file.h"
#include "sto_log.h"
#include "sto_time.h"

#define READY_US     (60 * STO_US_PER_SEC)
#define CONNECTED_US (15 * STO_US_PER_SEC)
#define POLL_MS      50
#define WATCH_MS     500
#define GRACE_MS     15000

static const char *value(const struct dev_run *self, const char *key)
{
    return json_string_value(json_object_get(self->json, key));
}

static int write_json(struct dev_run *self, struct sto_err *err)
{
    json_t *pids = json_object_get(self->json, "pids"), *workers = json_object();

    if (self->n_children > 0) {
        json_object_set_new(pids, "saattod", json_integer(self->children[0].pid));
    }
    for (size_t i = 1; i < self->n_children; i++) {
        json_object_set_new(workers, self->children[i].name, json_integer(self->children[i].pid));
    }
    json_object_set_new(pids, "workers", workers);
    return installation_write(self->o.var, self->json, err);
}

static struct child *add_child(struct dev_run *self, const char *name, const char *const *argv)
{
    char *log = sto_asprintf("%s/log/%s.log", self->o.var, name);
    struct child *c = &self->children[self->n_children++];

    STO_ASSERT(self->n_children <= DEV_CHILDREN_MAX);
    child_init(c, name, log, true, argv);
    free(log);
    return c;
}

/* Arguments being put together; texts owned until free_args. */
struct args {
    char *v[CHILD_ARGS_MAX + 1];
    size_t n;
};

static void arg(struct args *a, char *text)
{
    STO_ASSERT(a->n < CHILD_ARGS_MAX);
    a->v[a->n++] = text;
}

static void set_arg(struct args *a, const char *key, const char *text)
{
    arg(a, sto_asprintf("--set=%s=%s", key, text));
}

static void free_args(struct args *a)
{
    for (size_t i = 0; i < a->n; i++) {
        free(a->v[i]);
    }
}

/* ------------------------------------------------------------------- saattod */

static int wait_ready(struct dev_run *self, struct sto_err *err)
{
    int64_t until = sto_mono_us() + READY_US;
    struct child *c = &self->children[0];
    char tail[300];

    for (;;) {
        struct sto_err ignored = {0};
        char *body = NULL;
        int status = 0;
        bool ready = http_fetch(value(self, "http"), "/readyz", &status, &body, &ignored) == 0 &&
                     status == 200;
        free(body);
        if (ready) {
            return 0;
        }
        if (child_watch(c, sto_mono_us()) && c->ends > 3) {
            return sto_fail(err, STO_E_IO, "saattod ended at once: %s",
                            log_tail(c->log, tail, sizeof tail));
        }
        if (sto_mono_us() > until) {
            return sto_fail(err, STO_E_TIMEOUT, "saattod is not ready: %s",
                            log_tail(c->log, tail, sizeof tail));
        }
        poll(NULL, 0, POLL_MS);
    }
}

static int start_broker(struct dev_run *self, struct sto_err *err)
{
    const json_t *dsn = json_object_get(self->json, "dsn");
    struct args a = {0};
    char *key = sto_asprintf("%s/keys/server.key", self->o.var);

    arg(&a, sto_asprintf("%s/saattod", self->bin));
    set_arg(&a, "listen", value(self, "endpoint"));
    set_arg(&a, "http", value(self, "http"));
    set_arg(&a, "run-dir", value(self, "run"));
    set_arg(&a, "server-key", key);
    set_arg(&a, "dsn", json_string_value(json_object_get(dsn, "core")));
    set_arg(&a, "keys-dsn", json_string_value(json_object_get(dsn, "keys")));
    for (size_t i = 0; self->o.settings != NULL && self->o.settings[i] != NULL; i++) {
        arg(&a, sto_asprintf("--set=%s", self->o.settings[i]));
    }
    struct child *c = add_child(self, "saattod", (const char *const *)a.v);
    free_args(&a);
    free(key);
    if (access(c->argv[0], X_OK) != 0) {
        return sto_fail(err, STO_E_NOT_FOUND, "the broker's program is not there: %s", c->argv[0]);
    }
    dev_progress(self, "broker: starting saattod at %s", value(self, "endpoint"));
    int rc = child_start(c, sto_mono_us(), err);
    return rc != 0 ? rc : wait_ready(self, err);
}

/* ------------------------------------------------------------------- workers */

static const char *exec_of(const struct dev_run *self, const char *org)
{
    size_t len = strlen(org);

    for (size_t i = 0; self->o.exec != NULL && self->o.exec[i] != NULL; i++) {
        if (strncmp(self->o.exec[i], org, len) == 0 && self->o.exec[i][len] == '=') {
            return self->o.exec[i] + len + 1;
        }
    }
    return NULL;
}

static int start_worker(struct dev_run *self, const char *org, const char *policy,
                        struct sto_err *err)
{
    const char *program = exec_of(self, org);
    struct args a = {0};
    char *key = sto_asprintf("%s/keys/%s.key", self->o.var, org);
    char *state = sto_asprintf("%s/workers/%s", self->o.var, org);
    char *workflows = sto_asprintf("%s/workflows", self->o.home);
    int rc = sto_mkdirs(state, 0700, err);

    arg(&a, sto_asprintf("%s/saatto-worker", self->bin));
    set_arg(&a, "organisation", org);
    set_arg(&a, "endpoint", value(self, "endpoint"));
    set_arg(&a, "server-key", value(self, "server_key"));
    set_arg(&a, "key", key);
    set_arg(&a, "state-dir", state);
    if (program != NULL) {
        set_arg(&a, "adapter", "exec");
        set_arg(&a, "program", program);
    } else {
        set_arg(&a, "adapter", "policy");
        set_arg(&a, "policy", policy);
        set_arg(&a, "workflows", workflows);
        set_arg(&a, "network", self->net->id);
    }
    struct child *c = add_child(self, org, (const char *const *)a.v);
    if (rc == 0 && access(c->argv[0], X_OK) != 0) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "the worker's program is not there: %s", c->argv[0]);
    }
    rc = rc != 0 ? rc : child_start(c, sto_mono_us(), err);
    free_args(&a);
    free(key);
    free(state);
    free(workflows);
    return rc;
}

static bool all_connected(struct dev_run *self)
{
    struct sto_err ignored = {0};
    char *metrics = NULL;
    int status = 0;
    bool all = http_fetch(value(self, "http"), "/metrics", &status, &metrics, &ignored) == 0;

    for (size_t i = 1; i < self->n_children && all; i++) {
        all = metric_connected(metrics, self->children[i].name) > 0;
    }
    free(metrics);
    return all;
}

/* One for each organisation that has a policy or a program. */
static int start_workers(struct dev_run *self, struct sto_err *err)
{
    int64_t until = sto_mono_us() + CONNECTED_US;
    int rc = 0;

    for (unsigned i = 0; i < self->net->n_orgs && rc == 0; i++) {
        const char *org = self->net->orgs[i].id;
        char *policy = sto_asprintf("%s/workflows/policies/%s.cfg", self->o.home, org);
        if ((access(policy, R_OK) == 0 || exec_of(self, org) != NULL) &&
            self->n_children < DEV_CHILDREN_MAX) {
            rc = start_worker(self, org, policy, err);
        }
        free(policy);
    }
    while (rc == 0 && !all_connected(self) && sto_mono_us() < until) {
        for (size_t i = 0; i < self->n_children; i++) {
            (void)child_watch(&self->children[i], sto_mono_us());
        }
        poll(NULL, 0, POLL_MS);
    }
    if (rc == 0) {
        dev_progress(self, "workers: %zu started%s", self->n_children - 1,
                     all_connected(self) ? ", all connected" : "; not all are connected, see log/");
    }
    return rc;
}

/* ----------------------------------------------------------------------- run */

int dev_run_start(const struct dev_options *o, struct dev_run *out, struct sto_err *err)
{
    *out = (struct dev_run){.o = *o, .lock_fd = -1, .bin = program_dir()};
    char *log = sto_asprintf("%s/log", o->var);
    int rc = dev_setup_lock(out, err);

    rc = rc != 0 ? rc : sto_mkdirs(log, 0755, err);
    rc = rc != 0 ? rc : dev_setup_database(out, err);
    rc = rc != 0 ? rc : dev_setup_configuration(out, err);
    rc = rc != 0 ? rc : dev_setup_json(out, err);
    rc = rc != 0 ? rc : start_broker(out, err);
    rc = rc != 0 ? rc : write_json(out, err);
    if (rc == 0 && o->workers) {
        rc = start_workers(out, err);
        rc = rc != 0 ? rc : write_json(out, err);
    }
    free(log);
    if (rc != 0) {
        dev_run_stop(out);
    }
    return rc;
}

/* Without reaping it: pg_private does that. */
static bool postgres_ended(const struct dev_run *self)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)pg_private_pid(self->pg), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
}

int dev_run_watch(struct dev_run *self, int signal_fd, struct sto_err *err)
{
    struct pollfd fd = {.fd = signal_fd, .events = POLLIN};
    struct signalfd_siginfo got;

    for (;;) {
        bool changed = false;
        if (poll(&fd, 1, WATCH_MS) > 0 && read(signal_fd, &got, sizeof got) == sizeof got &&
            got.ssi_signo != SIGCHLD) {
            return 0;
        }
        for (size_t i = 0; i < self->n_children; i++) {
            struct child *c = &self->children[i];
            pid_t was = c->pid;
            if (child_watch(c, sto_mono_us())) {
                sto_log(STO_WARN, "child_ended", "name", c->name, "status", sto_i(c->status), NULL);
            }
            changed = changed || c->pid != was;
        }
        if (postgres_ended(self)) {
            return sto_fail(err, STO_E_IO, "PostgreSQL ended; see %s/pg/postgres.log", self->o.var);
        }
        struct sto_err ignored = {0};
        if (changed) {
            (void)write_json(self, &ignored); /* pids for people; nothing depends on them */
        }
    }
}

/* One that was made outside var: the sockets in it, then itself. */
static void remove_run_dir(const char *dir)
{
    char *pattern = sto_asprintf("%s/*", dir);
    glob_t found;

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            unlink(found.gl_pathv[i]);
        }
    }
    globfree(&found);
    rmdir(dir);
    free(pattern);
}

void dev_run_stop(struct dev_run *self)
{
    char *path = sto_asprintf("%s/saatto.json", self->o.var);
    const char *run = self->json != NULL ? value(self, "run") : NULL;

    /* workers first, so that they say goodbye to a broker that still hears */
    if (self->n_children > 1) {
        child_stop_all(self->children + 1, self->n_children - 1, GRACE_MS);
    }
    child_stop_all(self->children, self->n_children > 0 ? 1 : 0, GRACE_MS);
    pg_private_stop(&self->pg);
    if (run != NULL && strncmp(run, self->o.var, strlen(self->o.var)) != 0) {
        remove_run_dir(run);
    }
    if (self->json != NULL) {
        struct sto_err ignored = {0};
        json_object_set_new(self->json, "pids", json_object());
        (void)installation_write(self->o.var, self->json, &ignored);
    }
    for (size_t i = 0; i < self->n_children; i++) {
        child_release(&self->children[i]);
    }
    self->n_children = 0;
    network_destroy(&self->net);
    json_decref(self->json);
    self->json = NULL;
    free(self->bin);
    self->bin = NULL;
    free(path);
    if (self->lock_fd >= 0) {
        close(self->lock_fd);
        self->lock_fd = -1;
    }
}
