/* SPDX-License-Identifier: EUPL-1.2 */
#include "supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http.h"
#include "process.h"
#include "sto_arena.h"
#include "sto_log.h"
#include "sto_time.h"

#define REPORT_BYTES_MAX 262144
#define BACKOFF_US_MIN   (STO_US_PER_SEC / 20)
#define BACKOFF_US_MAX   (2 * STO_US_PER_SEC)
#define HEALTHY_US       (STO_US_PER_SEC / 2) /* a child that lived so long starts anew at once */
#define STOP_US          (10 * STO_US_PER_SEC)

struct child {
    const char *role;
    pid_t pid;
    int report_fd;
    int64_t started_us, start_at_us, backoff_us;
};

struct supervisor {
    const char *program;
    char *const *argv_rest;
    struct child core, gate;
    struct http_state http;
    char *report;
};

static void exec_child(const struct supervisor *s, const char *role, int fd)
{
    char fd_text[16];
    const char *argv[64] = {s->program, "--role", role, "--report-fd", fd_text};
    size_t n = 5;
    sigset_t none;

    snprintf(fd_text, sizeof fd_text, "%d", fd);
    for (size_t i = 0; s->argv_rest[i] != NULL && n < 63; i++) {
        argv[n++] = s->argv_rest[i];
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(s->program, (char *const *)(uintptr_t)argv);
    _exit(127);
}

static void child_start(struct supervisor *s, struct child *c)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) {
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        exec_child(s, c->role, pair[1]);
    }
    close(pair[1]);
    c->started_us = sto_mono_us();
    if (pid < 0) {
        close(pair[0]);
        c->start_at_us = c->started_us + BACKOFF_US_MAX;
        return;
    }
    c->pid = pid;
    c->report_fd = pair[0];
    sto_log(STO_INFO, "child_started", "role", c->role, "pid", sto_i(pid), NULL);
}

static void child_ended(struct supervisor *s, struct child *c, int status)
{
    int64_t now = sto_mono_us();
    bool healthy = now - c->started_us > HEALTHY_US;

    sto_log(STO_WARN, "child_ended", "role", c->role, "pid", sto_i(c->pid), "signal",
            sto_i(WIFSIGNALED(status) ? WTERMSIG(status) : 0), "exit",
            sto_i(WIFEXITED(status) ? WEXITSTATUS(status) : -1), NULL);
    close(c->report_fd);
    c->report_fd = -1;
    c->pid = 0;
    c->backoff_us = healthy ? BACKOFF_US_MIN : c->backoff_us * 2;
    if (c->backoff_us > BACKOFF_US_MAX) {
        c->backoff_us = BACKOFF_US_MAX;
    }
    c->start_at_us = now + (healthy ? 0 : c->backoff_us);
    s->http.restarts++;
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->core.pid) {
            child_ended(s, &s->core, status);
            s->http.core_ready = false;
            snprintf(s->http.why, sizeof s->http.why, "core ended");
        } else if (pid == s->gate.pid) {
            child_ended(s, &s->gate, status);
            s->http.gate_ready = false;
            snprintf(s->http.gate_why, sizeof s->http.gate_why, "gate ended");
        }
    }
    s->http.core_up = s->core.pid != 0;
    s->http.gate_up = s->gate.pid != 0;
}

static void start_due(struct supervisor *s, struct child *c)
{
    if (c->pid == 0 && sto_mono_us() >= c->start_at_us) {
        child_start(s, c);
    }
}

/* The first line says whether it is ready, the rest are metrics. */
static void take_text(const char *report, bool *ready, char why[160], char **metrics)
{
    const char *nl = strchr(report, '\n');
    const char *not_ready = "not ready: ";
    size_t skip = strlen(not_ready);

    if (nl == NULL) {
        return;
    }
    size_t len = (size_t)(nl - report);
    *ready = len == 5 && memcmp(report, "ready", len) == 0;
    bool said = len > skip && memcmp(report, not_ready, skip) == 0;
    snprintf(why, 160, "%.*s", said ? (int)(len - skip) : 0, report + (said ? skip : 0));
    free(*metrics);
    *metrics = sto_xstrdup(nl + 1);
}

static void take_report(struct supervisor *s, struct child *c)
{
    ssize_t n = recv(c->report_fd, s->report, REPORT_BYTES_MAX, MSG_DONTWAIT);
    struct http_state *h = &s->http;

    if (n <= 0) {
        return; /* waitpid tells of its end */
    }
    s->report[n] = '\0';
    if (c == &s->core) {
        take_text(s->report, &h->core_ready, h->why, &h->core_metrics);
    } else {
        take_text(s->report, &h->gate_ready, h->gate_why, &h->gate_metrics);
    }
}

static void stop_children(struct supervisor *s)
{
    struct child *all[2] = {&s->gate, &s->core};
    int64_t until = sto_mono_us() + STOP_US;

    for (int i = 0; i < 2; i++) {
        if (all[i]->pid != 0) {
            kill(all[i]->pid, SIGTERM);
        }
    }
    for (int i = 0; i < 2; i++) {
        while (all[i]->pid != 0 && waitpid(all[i]->pid, NULL, WNOHANG) == 0) {
            if (sto_mono_us() > until) {
                kill(all[i]->pid, SIGKILL);
            }
            poll(NULL, 0, 10);
        }
    }
}

static void loop(struct supervisor *s, http_t *http)
{
    while (!process_stopped()) {
        reap(s);
        start_due(s, &s->core);
        start_due(s, &s->gate);
        struct pollfd fds[3] = {{.fd = s->core.pid != 0 ? s->core.report_fd : -1, .events = POLLIN},
                                {.fd = s->gate.pid != 0 ? s->gate.report_fd : -1, .events = POLLIN},
                                {.fd = http != NULL ? http_fd(http) : -1, .events = POLLIN}};
        poll(fds, 3, 50);
        if (fds[0].revents & POLLIN) {
            take_report(s, &s->core);
        }
        if (fds[1].revents & POLLIN) {
            take_report(s, &s->gate);
        }
        if (http != NULL) {
            http_run(http);
        }
    }
}

int supervisor_run(const char *program, char *const *argv_rest, const sto_settings_t *settings,
                   struct sto_err *err)
{
    struct supervisor s = {.program = program,
                           .argv_rest = argv_rest,
                           .core = {.role = "core", .report_fd = -1, .backoff_us = BACKOFF_US_MIN},
                           .gate = {.role = "gate", .report_fd = -1, .backoff_us = BACKOFF_US_MIN}};
    http_t *http = NULL;
    const char *address = sto_settings_str(settings, "http");

    snprintf(s.http.why, sizeof s.http.why, "starting");
    snprintf(s.http.gate_why, sizeof s.http.gate_why, "starting");
    if (address[0] != '\0') {
        int rc = http_new(address, &s.http, &http, err);
        if (rc != 0) {
            return rc;
        }
    }
    s.report = sto_xcalloc(1, REPORT_BYTES_MAX + 1);
    loop(&s, http);
    stop_children(&s);
    http_destroy(&http);
    free(s.report);
    free(s.http.core_metrics);
    free(s.http.gate_metrics);
    return 0;
}
