/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto dev: a whole Saatto on this machine, in the foreground or detached, until it is told to
 * stop. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cohort.h"
#include "dev_run.h"
#include "installation.h"
#include "nouns.h"
#include "sto_arena.h"
#include "sto_file.h"
#include "sto_log.h"
#include "sto_time.h"

#define START_OF_COHORT "2005-01-03 08:00" /* before the first case of workflows/cohorts/ */
#define STOP_US         (60 * STO_US_PER_SEC)
#define POLL_MS         50
#define LIST_MAX        64

struct dev_words {
    char *var, *home;
    const char *exec[LIST_MAX + 1], *settings[LIST_MAX + 1];
    struct dev_options o;
};

static int list_of(const struct cli *c, const char *name, const char *out[LIST_MAX + 1],
                   struct sto_err *err)
{
    size_t n = 0;

    while (n < LIST_MAX && (out[n] = cli_option_at(c, name, n)) != NULL) {
        if (strchr(out[n], '=') == NULL) {
            return sto_fail(err, STO_E_USAGE, "option '--%s' takes NAME=VALUE, got '%s'", name,
                            out[n]);
        }
        n++;
    }
    out[n] = NULL;
    return 0;
}

static int read_words(const struct cli *c, struct dev_words *w, struct sto_err *err)
{
    const char *clock = cli_option(c, "clock"), *start = cli_option(c, "start");
    int64_t start_us = 0;
    int rc = 0;

    if (clock != NULL && strcmp(clock, "manual") != 0 && strcmp(clock, "real") != 0) {
        return sto_fail(err, STO_E_USAGE, "option '--clock' is manual or real, got '%s'", clock);
    }
    rc = sto_us_parse(start != NULL ? start : START_OF_COHORT, &start_us, err);
    if (rc != 0) {
        err->code = STO_E_USAGE;
        return -STO_E_USAGE;
    }
    rc = list_of(c, "exec", w->exec, err);
    rc = rc != 0 ? rc : list_of(c, "set", w->settings, err);
    w->var = installation_var(c);
    w->home = sto_home_dir();
    w->o = (struct dev_options){.var = w->var,
                                .home = w->home,
                                .network = cli_option(c, "network"),
                                .manual_clock = clock == NULL ? -1 : strcmp(clock, "manual") == 0,
                                .start_us = start_us,
                                .workers = !cli_flag(c, "no-workers"),
                                .exec = w->exec,
                                .settings = w->settings,
                                .report_fd = -1};
    return rc;
}

static void free_words(struct dev_words *w)
{
    free(w->var);
    free(w->home);
}

static void say_running(struct cli *c, const char *var, bool detached, struct sto_err *err)
{
    installation_t *in = NULL;

    if (installation_open(c, &in, err) != 0) {
        return;
    }
    output_say(&c->out, "\nSaatto runs: broker %s, metrics http://%s/metrics, everything in %s",
               in->endpoint, in->http, var);
    output_say(&c->out, "Things to try:");
    char *at = c->var != NULL ? sto_asprintf(" --var %s", c->var)
                              : sto_xstrdup(""); /* else they find it as this one did */
    output_say(&c->out, "  saatto case start --cohort info-500%s", at);
    if (in->manual_clock) {
        output_say(&c->out, "  saatto clock advance --by \"3 weeks\"%s", at);
    }
    output_say(&c->out, "  saatto case list%s", at);
    output_say(&c->out, "  saatto case why CASE%s", at);
    output_say(&c->out, "  saatto handover list%s", at);
    output_say(&c->out, "  saatto audit replay%s", at);
    output_say(&c->out, detached ? "Stop it with: saatto dev --stop%s" : "It runs until Ctrl-C%s.",
               detached ? at : "");
    free(at);
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "var", var, "endpoint", in->endpoint,
                          "http", in->http, "server_key", in->server_key, "network", in->network,
                          "manual_clock", in->manual_clock);
    json_object_set(o, "pids", json_object_get(in->json, "pids"));
    output_object(&c->out, o, true);
    output_finish(&c->out);
    installation_close(&in);
}

/* SIGTERM, SIGINT and SIGCHLD come through a descriptor. */
static int catch_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* --------------------------------------------------------------- foreground */

static int run_foreground(struct cli *c, struct dev_words *w, struct sto_err *err)
{
    struct dev_run *run = sto_xcalloc(1, sizeof *run);
    int signals = catch_signals();

    w->o.report_fd = output_text(&c->out) ? STDOUT_FILENO : STDERR_FILENO;
    int rc = dev_run_start(&w->o, run, err);
    if (rc == 0) {
        say_running(c, w->var, false, err);
        rc = dev_run_watch(run, signals, err);
        output_say(&c->out, "stopping");
        dev_run_stop(run);
    }
    close(signals);
    free(run);
    return rc;
}

/* ------------------------------------------------------------------ detached */

/* What the detached process tells its starter: an error, code 0 = it runs. */
static void detached(struct dev_words *w, int tell)
{
    struct dev_run *run = sto_xcalloc(1, sizeof *run);
    struct sto_err err = {0};
    char *log = sto_asprintf("%s/log", w->var);
    int signals = catch_signals();
    int rc = sto_mkdirs(log, 0755, &err);

    free(log);
    log = sto_asprintf("%s/log/dev.log", w->var);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640),
        null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    setsid();
    if (fd >= 0 && null >= 0) {
        dup2(null, 0);
        dup2(fd, 1);
        dup2(fd, 2);
    }
    rc = rc != 0 ? rc : dev_run_start(&w->o, run, &err);
    if (w->o.report_fd >= 0) {
        close(w->o.report_fd); /* who reads our starter's output waits for its end */
        run->o.report_fd = -1;
    }
    (void)!write(tell, &err, sizeof err);
    close(tell);
    if (rc == 0) {
        (void)dev_run_watch(run, signals, &err);
        dev_run_stop(run);
    }
    _exit(rc == 0 ? 0 : 1);
}

static int run_detached(struct cli *c, struct dev_words *w, struct sto_err *err)
{
    int pair[2];
    struct sto_err told = {0};

    if (pipe2(pair, O_CLOEXEC) != 0) {
        return sto_fail(err, STO_E_IO, "could not make a pipe: %s", strerror(errno));
    }
    w->o.report_fd = output_text(&c->out) ? dup(STDOUT_FILENO) : -1;
    if (w->o.report_fd >= 0) {
        fcntl(w->o.report_fd, F_SETFD, FD_CLOEXEC); /* children must not keep it open */
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        detached(w, pair[1]);
    }
    close(pair[1]);
    if (w->o.report_fd >= 0) {
        close(w->o.report_fd);
    }
    ssize_t n = pid > 0 ? read(pair[0], &told, sizeof told) : -1;
    close(pair[0]);
    if (n != (ssize_t)sizeof told) {
        return sto_fail(err, STO_E_IO, "`saatto dev` ended at once; see %s/log/dev.log", w->var);
    }
    if (told.code != 0) {
        waitpid(pid, NULL, 0);
        *err = told;
        return -told.code;
    }
    say_running(c, w->var, true, err);
    return 0;
}

/* ---------------------------------------------------------------------- stop */

int dev_stop(struct cli *c, struct sto_err *err)
{
    char *var = installation_var(c);
    char *path = sto_asprintf("%s/dev.lock", var);
    int64_t until = sto_mono_us() + STOP_US;
    char text[24] = "";
    int rc = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0) {
        output_say(&c->out, "Nothing runs in %s.", var);
    } else {
        (void)!read(fd, text, sizeof text - 1);
        pid_t pid = (pid_t)strtol(text, NULL, 10);
        if (pid <= 1 || kill(pid, SIGTERM) != 0) {
            rc = sto_fail(err, STO_E_IO, "could not tell process %s to stop: %s", text,
                          strerror(errno));
        }
        while (rc == 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
            if (sto_mono_us() > until) {
                rc = sto_fail(err, STO_E_TIMEOUT, "process %s does not end; see %s/log", text, var);
            }
            poll(NULL, 0, POLL_MS);
        }
        if (rc == 0) {
            output_say(&c->out, "Stopped.");
        }
    }
    if (rc == 0) {
        output_object(&c->out, json_pack("{s:s, s:b}", "var", var, "stopped", text[0] != '\0'),
                      true);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    free(var);
    return rc;
}

static int dev(struct cli *c, struct sto_err *err)
{
    struct dev_words w = {0};

    if (cli_flag(c, "stop")) {
        return dev_stop(c, err);
    }
    if (cli_flag(c, "detach") && cli_flag(c, "foreground")) {
        return sto_fail(err, STO_E_USAGE, "--detach and --foreground exclude each other");
    }
    int rc = read_words(c, &w, err);
    if (rc == 0) {
        rc = cli_flag(c, "detach") ? run_detached(c, &w, err) : run_foreground(c, &w, err);
    }
    free_words(&w);
    return rc;
}

static const struct option_row dev_options[] = {
    {"clock", "manual|real",
     "of a new installation: time that you move, or the wall clock (default real)"},
    {"start", "TIME",
     "of a new installation: where the manual clock begins (default " START_OF_COHORT ")"},
    {"network", "DIR",
     "a network's folder, or its id under workflows/network/ (default: the first by name)"},
    {"no-workers", NULL, "start no organisation's worker"},
    {"exec", "ORG=PROGRAM",
     "this organisation's worker runs a program instead of a policy; may be repeated"},
    {"set", "KEY=VALUE", "a setting of saattod; may be repeated"},
    {"detach", NULL, "return once it runs"},
    {"foreground", NULL, "stay until Ctrl-C or SIGTERM (the default)"},
    {"stop", NULL, "stop the one that runs in the installation folder"},
    {0},
};
const struct verb dev_verbs[] = {
    {.name = "",
     .words = "",
     .options = dev_options,
     .help = "Runs a whole Saatto: private PostgreSQL, broker, and a worker for each organisation "
             "that has a policy",
     .more = "The installation folder keeps everything: data, keys, logs, outboxes. Started again, "
             "it goes on where it stopped.\n"
             "Several may run side by side, each in its own folder, on ports that are free.",
     .run = dev},
    {0},
};
