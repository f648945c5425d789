/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Preloaded into the processes of an installation under test: counts their calls
 * that cross the process's border (sockets, files) and ends one of them with
 * SIGKILL at the k-th, before or after the call is done. So a crash comes at a
 * counted call, never after a sleep.
 *
 * The control file ($SAATTO_KILLPOINT) is mapped by all; the driver arms it. With `again`, one of
 * the same kind is killed once more, so many calls later: most often the successor while it starts.
 * PostgreSQL: only backends that have read from a client count, not its helpers.
 */
#define _GNU_SOURCE 1 /* memmem, RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum role { ROLE_OTHER, ROLE_CORE, ROLE_GATE, ROLE_WORKER, ROLE_BACKEND, ROLES };

struct control {
    _Atomic uint32_t armed;    /* enum role, 0 = nobody */
    _Atomic uint32_t after;    /* 0: before the call is done, 1: after it */
    _Atomic int64_t countdown; /* calls left */
    _Atomic uint32_t fired;    /* how often it has killed */
    _Atomic uint32_t fired_pid;
    _Atomic int64_t again; /* after the first kill: the next countdown, 0 = none */
    _Atomic uint64_t calls[ROLES];
};

static struct control *control;
static enum role role;
static pid_t first_pid; /* postgres: the postmaster; its forked children inherit it */
static bool backend;

static bool contains(const char *text, size_t n, const char *word)
{
    return memmem(text, n, word, strlen(word)) != NULL;
}

static enum role find_role(void)
{
    char text[1024];
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : 0;

    if (fd >= 0) {
        close(fd);
    }
    if (n <= 0) {
        return ROLE_OTHER;
    }
    size_t len = (size_t)n;
    if (contains(text, len, "--role")) {
        return memmem(text, len, "--role\0gate", 11) != NULL ? ROLE_GATE : ROLE_CORE;
    }
    size_t program = strnlen(text, len);
    if (contains(text, program, "saatto-worker")) {
        return ROLE_WORKER;
    }
    return contains(text, program, "/postgres") ? ROLE_BACKEND : ROLE_OTHER;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("SAATTO_KILLPOINT");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

    first_pid = getpid();
    if (fd < 0) {
        return;
    }
    void *p = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    role = find_role();
    control = p == MAP_FAILED ? NULL : p;
}

/* Counts one call; kills if it is the one. */
static void point(bool after)
{
    if (control == NULL || role == ROLE_OTHER ||
        (role == ROLE_BACKEND && (!backend || getpid() == first_pid))) {
        return;
    }
    if (!after) {
        atomic_fetch_add(&control->calls[role], 1);
    }
    if (atomic_load(&control->armed) != (uint32_t)role ||
        atomic_load(&control->after) != (uint32_t)after) {
        return;
    }
    if (atomic_fetch_sub(&control->countdown, 1) == 1) {
        int64_t again = atomic_exchange(&control->again, 0);
        if (again > 0) {
            atomic_store(&control->countdown, again);
        } else {
            atomic_store(&control->armed, 0);
        }
        atomic_store(&control->fired_pid, (uint32_t)getpid());
        atomic_fetch_add(&control->fired, 1);
        kill(getpid(), SIGKILL);
    }
}

/* ISO C knows no conversion from dlsym's pointer to a function's; POSIX promises this one. */
#define FIND(next, name) (*(void **)&(next) = dlsym(RTLD_NEXT, name))
#define WRAP(type, name, parameters, arguments)                                                    \
    type name parameters                                                                           \
    {                                                                                              \
        static __typeof__(&name) next;                                                             \
        if (next == NULL) {                                                                        \
            FIND(next, #name);                                                                     \
        }                                                                                          \
        point(false);                                                                              \
        type result = next arguments;                                                              \
        point(true);                                                                               \
        return result;                                                                             \
    }

WRAP(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))

ssize_t recv(int fd, void *p, size_t n, int flags)
{
    static __typeof__(&recv) next;

    if (next == NULL) {
        FIND(next, "recv");
    }
    backend = true; /* PostgreSQL's helpers do not recv */
    point(false);
    ssize_t result = next(fd, p, n, flags);
    point(true);
    return result;
}
