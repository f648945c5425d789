/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A child process on three descriptors: its input, its output, and a pidfd that
 * tells of its end. What it writes to its error output goes to the worker's.
 * Only the child itself is signalled, by its pid, and only until it is reaped.
 */
#include "exec_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sto_arena.h"

struct child {
    pid_t pid; /* 0 = reaped */
    int pid_fd, in, out;
    char *input;
    size_t input_len, written;
    char *output;
    size_t output_len, output_cap, output_max;
    int64_t limit_us, kill_us; /* when to SIGTERM; when to SIGKILL, 0 = not asked to end yet */
    enum child_end how;
    int status;
};

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static int spawn(const char *program, int in, int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, deflt;
    char *argv[] = {(char *)(uintptr_t)program, NULL};

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawnattr_init(&attr);
    sigemptyset(&none);
    sigemptyset(&deflt);
    sigaddset(&deflt, SIGPIPE);
    posix_spawnattr_setsigmask(&attr, &none); /* the worker's own is blocked for its signalfd */
    posix_spawnattr_setsigdefault(&attr, &deflt);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int rc = posix_spawn(pid, program, &actions, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return rc;
}

static int open_pipes(int in[2], int out[2], struct sto_err *err)
{
    if (pipe2(in, O_CLOEXEC) != 0) {
        return sto_fail(err, STO_E_IO, "could not make a pipe: %s", strerror(errno));
    }
    if (pipe2(out, O_CLOEXEC) != 0) {
        int rc = sto_fail(err, STO_E_IO, "could not make a pipe: %s", strerror(errno));
        close(in[0]);
        close(in[1]);
        return rc;
    }
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    return 0;
}

int child_start(const char *program, const char *input, size_t output_max, int64_t limit_us,
                int64_t now_us, child_t **out, struct sto_err *err)
{
    int in_pipe[2] = {-1, -1}, out_pipe[2] = {-1, -1};
    pid_t pid = 0;
    int rc = open_pipes(in_pipe, out_pipe, err);

    if (rc != 0) {
        return rc;
    }
    int failed = spawn(program, in_pipe[0], out_pipe[1], &pid);
    close(in_pipe[0]);
    close(out_pipe[1]);
    if (failed != 0) {
        close(in_pipe[1]);
        close(out_pipe[0]);
        return sto_fail(err, STO_E_IO, "could not start program '%s': %s", program,
                        strerror(failed));
    }
    child_t *c = sto_xcalloc(1, sizeof *c);
    c->pid = pid;
    c->pid_fd = pidfd_open(pid, 0);
    c->in = in_pipe[1];
    c->out = out_pipe[0];
    c->input = sto_xstrdup(input);
    c->input_len = strlen(input);
    c->output_max = output_max;
    c->limit_us = now_us + limit_us;
    *out = c;
    return 0;
}

void child_destroy(child_t **self_p)
{
    if (self_p == NULL || *self_p == NULL) {
        return;
    }
    child_t *c = *self_p;
    if (c->pid != 0) {
        kill(c->pid, SIGKILL);
        waitpid(c->pid, NULL, 0);
    }
    close_fd(&c->pid_fd);
    close_fd(&c->in);
    close_fd(&c->out);
    free(c->input);
    free(c->output);
    free(c);
    *self_p = NULL;
}

unsigned child_fds(const child_t *c, struct pollfd *fds)
{
    unsigned n = 0;

    if (c->in >= 0) {
        fds[n++] = (struct pollfd){.fd = c->in, .events = POLLOUT};
    }
    if (c->out >= 0) {
        fds[n++] = (struct pollfd){.fd = c->out, .events = POLLIN};
    }
    if (c->pid_fd >= 0) {
        fds[n++] = (struct pollfd){.fd = c->pid_fd, .events = POLLIN};
    }
    return n;
}

static void write_input(child_t *c)
{
    while (c->in >= 0 && c->written < c->input_len) {
        ssize_t n = write(c->in, c->input + c->written, c->input_len - c->written);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n < 0) {
            break; /* it does not want to read on; that is its own business */
        }
        c->written += (size_t)n;
    }
    close_fd(&c->in);
}

static void read_output(child_t *c, int64_t now_us)
{
    while (c->out >= 0) {
        if (c->output_len == c->output_cap) {
            c->output_cap = c->output_cap == 0 ? 4096 : c->output_cap * 2;
            c->output = sto_xrealloc(c->output, c->output_cap);
        }
        ssize_t n = read(c->out, c->output + c->output_len, c->output_cap - c->output_len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            close_fd(&c->out);
            return;
        }
        c->output_len += (size_t)n;
        if (c->output_len > c->output_max) {
            close_fd(&c->out);
            c->how = CHILD_TOO_MUCH;
            child_stop(c, now_us);
        }
    }
}

static void reap(child_t *c, int64_t now_us)
{
    int status = 0;
    pid_t pid;

    do {
        pid = waitpid(c->pid, &status, WNOHANG);
    } while (pid < 0 && errno == EINTR);
    if (pid == 0) {
        return;
    }
    c->pid = 0;
    read_output(
        c, now_us); /* what it wrote last; a grandchild that keeps the pipe is not waited for */
    close_fd(&c->pid_fd);
    close_fd(&c->in);
    close_fd(&c->out);
    if (WIFSIGNALED(status)) {
        c->status = WTERMSIG(status);
        c->how = c->how == CHILD_RUNS ? CHILD_SIGNALLED : c->how;
    } else {
        c->status = WEXITSTATUS(status);
        c->how = c->how == CHILD_RUNS ? CHILD_EXITED : c->how;
    }
}

void child_stop(child_t *c, int64_t now_us)
{
    if (c->pid != 0 && c->kill_us == 0) {
        kill(c->pid, SIGTERM);
        c->kill_us = now_us + CHILD_GRACE_US;
    }
}

bool child_step(child_t *c, int64_t now_us)
{
    if (c->pid == 0) {
        return true;
    }
    write_input(c);
    read_output(c, now_us);
    reap(c, now_us);
    if (c->pid == 0) {
        return true;
    }
    if (c->kill_us == 0 && now_us >= c->limit_us) {
        c->how = CHILD_TIMED_OUT;
        child_stop(c, now_us);
    } else if (c->kill_us != 0 && now_us >= c->kill_us) {
        kill(c->pid, SIGKILL);
        c->kill_us = now_us + CHILD_GRACE_US;
    }
    return false;
}

int64_t child_deadline_us(const child_t *c)
{
    return c->kill_us != 0 ? c->kill_us : c->limit_us;
}

enum child_end child_how(const child_t *c, int *status)
{
    *status = c->status;
    return c->pid != 0 ? CHILD_RUNS : c->how;
}

const char *child_output(const child_t *c, size_t *n)
{
    *n = c->output_len;
    return c->output;
}
