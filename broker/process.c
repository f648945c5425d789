/* SPDX-License-Identifier: EUPL-1.2 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sto_crypto.h"
#include "sto_file.h"

#define ID_BYTES 17 /* of a line: 16 digits and its end */

static volatile sig_atomic_t stop_flag;

static void on_stop(int sig)
{
    (void)sig;
    stop_flag = 1;
}

void process_init(void)
{
    struct sigaction stop = {.sa_handler = on_stop};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct rlimit none = {0, 0};

    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    setrlimit(RLIMIT_CORE, &none); /* a core file would hold plain contents */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

bool process_stopped(void)
{
    return stop_flag != 0;
}

void process_report(int fd, const char *text, size_t n)
{
    if (fd >= 0) {
        /* SOCK_SEQPACKET keeps reports whole; a full one loses this report and the next says the
         * same */
        ssize_t sent = send(fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)sent;
    }
}

static void read_former(int fd, uint64_t former[PROCESS_FORMER_MAX])
{
    char text[ID_BYTES * PROCESS_FORMER_MAX + 1] = "";
    char *at = text, *end = NULL;

    memset(former, 0, PROCESS_FORMER_MAX * sizeof *former);
    if (pread(fd, text, sizeof text - 1, 0) <= 0) {
        return;
    }
    for (size_t i = 0; i < PROCESS_FORMER_MAX; i++, at = end) {
        former[i] = strtoull(at, &end, 16);
    }
}

int process_core_id(const char *run_dir, uint64_t id, uint64_t former[PROCESS_FORMER_MAX],
                    struct sto_err *err)
{
    char *path = sto_asprintf("%s/core.id", run_dir);
    char text[ID_BYTES * (PROCESS_FORMER_MAX + 1) + 1];
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = 0;

    if (fd < 0) {
        rc = sto_fail(err, STO_E_IO, "could not open '%s': %s", path, strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        rc = sto_fail(err, STO_E_REFUSED, "another core lives in run folder '%s'", run_dir);
        close(fd);
    } else {
        read_former(fd, former);
        int len = snprintf(text, sizeof text, "%016" PRIx64 "\n", id);
        for (size_t i = 0; i < PROCESS_FORMER_MAX && former[i] != 0; i++) {
            len += snprintf(text + len, sizeof text - (size_t)len, "%016" PRIx64 "\n", former[i]);
        }
        if (pwrite(fd, text, (size_t)len, 0) != len) {
            rc = sto_fail(err, STO_E_IO, "could not write '%s': %s", path, strerror(errno));
        }
    }
    free(path);
    return rc; /* fd stays open: it holds the lock */
}

int process_curve_keys(const char *path, char pub[41], char sec[41], struct sto_err *err)
{
    char *text = NULL;
    size_t len = 0;
    struct stat st;
    int rc = sto_file_read(path, 4096, &text, &len, err);

    if (rc != 0) {
        return rc;
    }
    if (stat(path, &st) == 0 && (st.st_mode & 077) != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "key file '%s' can be read by others", path);
        sto_err_fix(err, "chmod 600 %s", path);
    } else if (sscanf(text, "%40s %40s", pub, sec) != 2 || strlen(pub) != 40 || strlen(sec) != 40) {
        rc = sto_fail(err, STO_E_CONFIG,
                      "key file '%s' must hold two lines of 40 characters: public and secret key",
                      path);
        sto_err_fix(err, "`saatto org key new` and `saatto dev` write such files");
    }
    sto_wipe(text, len);
    free(text);
    return rc;
}
