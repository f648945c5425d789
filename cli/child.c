/* SPDX-License-Identifier: EUPL-1.2 */
#include "child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sto_arena.h"
#include "sto_time.h"

#define PAUSE_US_MIN (STO_US_PER_SEC / 20)
#define PAUSE_US_MAX (5 * STO_US_PER_SEC)
#define HEALTHY_US   (STO_US_PER_SEC / 2) /* who lived so long starts anew at once */
#define POLL_MS      20

void child_init(struct child *c, const char *name, const char *log, bool restarts,
                const char *const *argv)
{
    *c = (struct child){.name = sto_xstrdup(name), .log = sto_xstrdup(log), .restarts = restarts};
    for (size_t i = 0; argv[i] != NULL; i++) {
        STO_ASSERT(i < CHILD_ARGS_MAX);
        c->argv[i] = sto_xstrdup(argv[i]);
    }
}

void child_release(struct child *c)
{
    for (size_t i = 0; c->argv[i] != NULL; i++) {
        free(c->argv[i]);
        c->argv[i] = NULL;
    }
    free(c->name);
    free(c->log);
    c->name = c->log = NULL;
}

/* In the child. Never returns. */
static void become(const struct child *c, pid_t parent)
{
    int log = open(c->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;

    if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) {
        _exit(126);
    }
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        _exit(0);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execv(c->argv[0], c->argv);
    dprintf(2, "could not run %s: %s\n", c->argv[0], strerror(errno));
    _exit(127);
}

int child_start(struct child *c, int64_t mono_us, struct sto_err *err)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0) {
        become(c, parent);
    }
    if (pid < 0) {
        return sto_fail(err, STO_E_IO, "could not start '%s': %s", c->name, strerror(errno));
    }
    setpgid(pid, pid); /* whoever comes first */
    c->pid = pid;
    c->started_us = mono_us;
    return 0;
}

static bool reap(struct child *c)
{
    if (c->pid == 0 || waitpid(c->pid, &c->status, WNOHANG) != c->pid) {
        return false;
    }
    c->pid = 0;
    c->ends++;
    return true;
}

bool child_watch(struct child *c, int64_t mono_us)
{
    struct sto_err ignored = {0};
    bool ended = reap(c);

    if (ended) {
        bool healthy = mono_us - c->started_us > HEALTHY_US;
        c->pause_us = healthy ? 0 : c->pause_us == 0 ? PAUSE_US_MIN : 2 * c->pause_us;
        c->pause_us = c->pause_us > PAUSE_US_MAX ? PAUSE_US_MAX : c->pause_us;
        c->start_at_us = mono_us + c->pause_us;
    }
    if (c->pid == 0 && c->restarts && c->ends > 0 && mono_us >= c->start_at_us) {
        (void)child_start(c, mono_us, &ignored); /* tried again at the next call */
    }
    return ended;
}

void child_stop_all(struct child *list, size_t n, int grace_ms)
{
    int64_t until = sto_mono_us() + (int64_t)grace_ms * 1000;
    bool alive = true;

    for (size_t i = 0; i < n; i++) {
        list[i].restarts = false;
        if (list[i].pid != 0) {
            kill(-list[i].pid, SIGTERM);
        }
    }
    while (alive) {
        bool late = sto_mono_us() > until;
        alive = false;
        for (size_t i = 0; i < n; i++) {
            if (list[i].pid != 0 && !reap(&list[i])) {
                alive = true;
                if (late) {
                    kill(-list[i].pid, SIGKILL);
                }
            }
        }
        if (alive) {
            poll(NULL, 0, POLL_MS);
        }
    }
}

int child_output(const char *const *argv, char *out, size_t cap)
{
    int pair[2], status = -1;
    size_t n = 0;
    ssize_t got = 0;

    out[0] = '\0';
    if (pipe2(pair, O_CLOEXEC) != 0) {
        return -1;
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent || dup2(pair[1], 1) < 0) {
            _exit(126);
        }
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(pair[1]);
    while (pid > 0 && n + 1 < cap && (got = read(pair[0], out + n, cap - 1 - n)) > 0) {
        n += (size_t)got;
    }
    out[n] = '\0';
    close(pair[0]);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

const char *log_tail(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "re");

    out[0] = '\0';
    if (f != NULL) {
        fseek(f, 0, SEEK_END);
        long len = ftell(f);
        fseek(f, len > (long)cap - 1 ? len - (long)cap + 1 : 0, SEEK_SET);
        out[fread(out, 1, cap - 1, f)] = '\0';
        fclose(f);
    }
    for (char *p = out; *p != '\0'; p++) {
        *p = *p == '\n' ? ' ' : *p;
    }
    return out;
}

char *program_dir(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (n <= 0) {
        return sto_xstrdup(".");
    }
    path[n] = '\0';
    *strrchr(path, '/') = '\0';
    return sto_xstrdup(path);
}

unsigned free_port(unsigned wanted)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)wanted)};
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned port = 0;

    if (fd < 0) {
        return 0;
    }
    /* libzmq binds with it too; a port that only lingers counts as free */
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0 &&
        getsockname(fd, (struct sockaddr *)&a, &size) == 0) {
        port = ntohs(a.sin_port);
    }
    close(fd);
    return port != 0 || wanted == 0 ? port : free_port(0);
}
