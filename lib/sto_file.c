/* SPDX-License-Identifier: EUPL-1.2 */
/* Whole files in and out. It follows no include, watches nothing and locks nothing. */
#include "sto_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sto_arena.h"
#include "sto_log.h"

#define READ_CHUNK      ((size_t)65536)
#define HOME_LEVELS_MAX 6

static int fail_errno(struct sto_err *err, const char *act, const char *path)
{
    int saved = errno;
    enum sto_code code = saved == ENOENT ? STO_E_NOT_FOUND : STO_E_IO;
    return sto_fail(err, code, "could not %s '%s': %s", act, path, strerror(saved));
}

/* Read to the end; -STO_E_LIMIT past max. *data stays the caller's to free in every case. */
static int read_all(int fd, const char *path, size_t max, char **data, size_t *len,
                    struct sto_err *err)
{
    size_t cap = 0;
    for (;;) {
        if (cap - *len < 2) { /* room for a byte and the NUL */
            cap = cap == 0 ? READ_CHUNK : cap * 2;
            *data = sto_xrealloc(*data, cap);
        }
        ssize_t n = read(fd, *data + *len, cap - *len - 1);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_errno(err, "read", path);
        }
        if (n == 0) {
            (*data)[*len] = '\0';
            return 0;
        }
        *len += (size_t)n;
        if (*len > max) {
            return sto_fail(err, STO_E_LIMIT, "file '%s' is larger than %zu bytes", path, max);
        }
    }
}

int sto_file_read(const char *path, size_t max, char **data, size_t *len, struct sto_err *err)
{
    STO_ASSERT(path && data);
    STO_ASSERT(max < SIZE_MAX / 4);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(err, "open", path);
    }
    char *buf = NULL;
    size_t n = 0;
    int rc = read_all(fd, path, max, &buf, &n, err);
    close(fd);
    if (rc != 0) {
        free(buf);
        return rc;
    }
    *data = buf;
    if (len) {
        *len = n;
    }
    return 0;
}

static int write_all(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

static int sync_folder(const char *path)
{
    char *copy = sto_xstrdup(path);
    char *slash = strrchr(copy, '/');
    const char *folder = ".";
    if (slash == copy) {
        folder = "/";
    } else if (slash) {
        *slash = '\0';
        folder = copy;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0) {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    free(copy);
    return rc;
}

static int write_temporary(int fd, const void *data, size_t len, mode_t mode)
{
    bool ok = fchmod(fd, mode) == 0 && write_all(fd, data, len) == 0 && fsync(fd) == 0;
    int saved = errno;
    if (close(fd) != 0 && ok) {
        return -1;
    }
    errno = saved;
    return ok ? 0 : -1;
}

int sto_file_write(const char *path, const void *data, size_t len, mode_t mode, struct sto_err *err)
{
    STO_ASSERT(path);
    STO_ASSERT(data || len == 0);
    int rc = 0;
    char *temporary = sto_asprintf("%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC); /* 0600 until its mode is set */
    if (fd < 0) {
        rc = fail_errno(err, "create a file beside", path);
    } else if (write_temporary(fd, data, len, mode) != 0 || rename(temporary, path) != 0) {
        rc = fail_errno(err, "write", path);
        unlink(temporary);
    } else if (sync_folder(path) != 0) {
        rc = fail_errno(err, "sync the folder of", path);
    }
    free(temporary);
    return rc;
}

static int make_one(const char *path, mode_t mode, struct sto_err *err)
{
    struct stat st;
    if (mkdir(path, mode) == 0) {
        return 0;
    }
    int saved = errno;
    if (saved == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return 0;
    }
    errno = saved;
    return fail_errno(err, "make the folder", path);
}

int sto_mkdirs(const char *path, mode_t mode, struct sto_err *err)
{
    STO_ASSERT(path && *path);
    char *copy = sto_xstrdup(path);
    int rc = 0;
    for (char *p = strchr(copy + 1, '/'); p && rc == 0; p = strchr(p + 1, '/')) {
        *p = '\0';
        rc = make_one(copy, mode, err);
        *p = '/';
    }
    if (rc == 0) {
        rc = make_one(copy, mode, err);
    }
    free(copy);
    return rc;
}

char *sto_asprintf(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0) {
        sto_log(STO_ERROR, "out_of_memory", "act", "print", NULL);
        abort();
    }
    return s;
}

static bool holds_folder(const char *root, const char *name)
{
    struct stat st;
    char *path = sto_asprintf("%s/%s", root, name);
    bool ok = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    free(path);
    return ok;
}

static bool is_home(const char *folder)
{
    return holds_folder(folder, "deploy") && holds_folder(folder, "workflows");
}

/* Walk up from the program (a checkout, whatever its build folder is called) to the folder that
   holds deploy/ and workflows/, looking at share/saatto of each level too (an install). */
static char *home_above(char *folder)
{
    for (int i = 0; i < HOME_LEVELS_MAX; i++) {
        char *slash = strrchr(folder, '/');
        if (!slash || slash == folder) {
            return NULL;
        }
        *slash = '\0';
        char *share = sto_asprintf("%s/share/saatto", folder);
        if (is_home(folder) || is_home(share)) {
            bool installed = !is_home(folder);
            char *found = installed ? share : sto_xstrdup(folder);
            if (!installed) {
                free(share);
            }
            return found;
        }
        free(share);
    }
    return NULL;
}

char *sto_home_dir(void)
{
    const char *given = getenv("SAATTO_HOME");
    if (given && *given) {
        return sto_xstrdup(given);
    }
    char exe[PATH_MAX];
    char cwd[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    char *home = NULL;
    if (n > 0) {
        exe[n] = '\0';
        home = home_above(exe);
    }
    /* A build folder outside the tree: then the tree one stands in. */
    if (!home && getcwd(cwd, sizeof(cwd) - 2)) {
        memcpy(cwd + strlen(cwd), "/.", 3); /* so that cwd itself is looked at first */
        home = home_above(cwd);
    }
    return home ? home : sto_xstrdup(".");
}
