/* SPDX-License-Identifier: EUPL-1.2 */
#include "pg_private.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sto_arena.h"
#include "sto_file.h"
#include "sto_time.h"

#define SOCKET_PATH_MAX 107u /* sun_path, less its end */
#define SOCKET_NAME     "/.s.PGSQL.5432"
#define START_US        (60 * STO_US_PER_SEC)
#define STOP_US         (30 * STO_US_PER_SEC)
#define ARGS_MAX        96
#define DSNS_MAX        16

struct pg_private {
    char *dir, *data, *sockets, *log, *bin;
    bool sockets_elsewhere;
    uid_t uid;
    gid_t gid;
    bool as_other; /* we are root, the server is not */
    pid_t pid;
    char *dsn[DSNS_MAX];
    unsigned n_dsn;
};

/* ------------------------------------------------------------------- programs */

/* Folder of initdb and postgres: $SAATTO_PG_BIN, or the newest of Debian's. */
static char *find_bin(struct sto_err *err)
{
    const char *given = getenv("SAATTO_PG_BIN");
    glob_t found;
    long best = 0;
    char *bin = NULL;

    if (given != NULL && given[0] != '\0') {
        return sto_xstrdup(given);
    }
    if (glob("/usr/lib/postgresql/[0-9]*/bin/postgres", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            long version = strtol(found.gl_pathv[i] + strlen("/usr/lib/postgresql/"), NULL, 10);
            if (version > best) {
                best = version;
                free(bin);
                bin = sto_asprintf("/usr/lib/postgresql/%ld/bin", version);
            }
        }
    }
    globfree(&found);
    if (best < 15) {
        free(bin);
        sto_fail(err, STO_E_NOT_FOUND, "PostgreSQL 15 or newer is not installed");
        sto_err_fix(err, "apt-get install postgresql-15, or set SAATTO_PG_BIN");
        return NULL;
    }
    return bin;
}

/* In the child: the server's user, its log, our end its end. Never returns. */
static void become(const struct pg_private *s, char *const *argv, pid_t parent)
{
    int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;

    if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) {
        _exit(126);
    }
    if (s->as_other && (setgroups(0, NULL) != 0 || setgid(s->gid) != 0 || setuid(s->uid) != 0)) {
        _exit(126);
    }
    if (chdir(s->dir) != 0) {
        dprintf(2, "user %u cannot enter folder %s\n", (unsigned)s->uid, s->dir);
        _exit(125);
    }
    setpgid(0, 0); /* a terminal's Ctrl-C is for our starter, who then ends us in order */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGINT); /* after setuid, which clears it; SIGINT: fast shutdown */
    if (getppid() != parent) {
        _exit(0);
    }
    setenv("LC_ALL", "C", 1);
    setenv("TZ", "UTC", 1);
    execv(argv[0], argv);
    dprintf(2, "could not run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static pid_t launch(const struct pg_private *s, char *const *argv)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0) {
        become(s, argv, parent);
    }
    return pid;
}

/* The last lines of the server's log, for an error's text. */
static const char *log_tail(const struct pg_private *s, char *out, size_t cap)
{
    FILE *f = fopen(s->log, "re");
    size_t n = 0;

    out[0] = '\0';
    if (f != NULL) {
        fseek(f, 0, SEEK_END);
        long len = ftell(f);
        fseek(f, len > (long)cap ? len - (long)cap + 1 : 0, SEEK_SET);
        n = fread(out, 1, cap - 1, f);
        out[n] = '\0';
        fclose(f);
    }
    for (char *p = out; *p != '\0'; p++) {
        *p = *p == '\n' ? ' ' : *p;
    }
    return out;
}

/* -------------------------------------------------------------------- folders */

static int find_user(struct pg_private *s, struct sto_err *err)
{
    s->uid = geteuid();
    s->gid = getegid();
    if (s->uid != 0) {
        return 0;
    }
    struct passwd entry, *pw = NULL;
    char text[4096];
    if (getpwnam_r("postgres", &entry, text, sizeof text, &pw) != 0 || pw == NULL) {
        return sto_fail(err, STO_E_NOT_FOUND, "there is no user 'postgres' to run the server as");
    }
    s->uid = pw->pw_uid;
    s->gid = pw->pw_gid;
    s->as_other = true;
    return 0;
}

static int own(const struct pg_private *s, const char *path, mode_t mode, struct sto_err *err)
{
    int rc = sto_mkdirs(path, mode, err);

    if (rc == 0 && ((s->as_other && chown(path, s->uid, s->gid) != 0) || chmod(path, mode) != 0)) {
        rc = sto_fail(err, STO_E_IO, "could not own folder '%s': %s", path, strerror(errno));
    }
    return rc;
}

/* The socket stands in the folder, or in one of a short name when its path would be too long. */
static int make_sockets(struct pg_private *s, struct sto_err *err)
{
    char elsewhere[] = "/tmp/saatto-XXXXXX";

    s->sockets = sto_asprintf("%s/s", s->dir);
    if (strlen(s->sockets) + strlen(SOCKET_NAME) > SOCKET_PATH_MAX) {
        free(s->sockets);
        s->sockets = NULL;
        if (mkdtemp(elsewhere) == NULL) {
            return sto_fail(err, STO_E_IO, "could not make a folder in /tmp: %s", strerror(errno));
        }
        s->sockets = sto_xstrdup(elsewhere);
        s->sockets_elsewhere = true;
    }
    return own(s, s->sockets, 0700, err);
}

static int make_folders(struct pg_private *s, const char *dir, struct sto_err *err)
{
    char full[PATH_MAX];
    int rc = sto_mkdirs(dir, 0755, err);

    if (rc != 0) {
        return rc;
    }
    if (realpath(dir, full) == NULL) {
        return sto_fail(err, STO_E_IO, "folder '%s': %s", dir, strerror(errno));
    }
    s->dir = sto_xstrdup(full);
    s->data = sto_asprintf("%s/data", s->dir);
    s->log = sto_asprintf("%s/postgres.log", s->dir);
    rc = own(s, s->data, 0700, err);
    return rc != 0 ? rc : make_sockets(s, err);
}

/* --------------------------------------------------------------------- server */

static int init_cluster(const struct pg_private *s, struct sto_err *err)
{
    char *version = sto_asprintf("%s/PG_VERSION", s->data);
    struct stat st;
    bool there = stat(version, &st) == 0;
    int status = 0, rc = 0;
    char tail[300];

    free(version);
    if (there) {
        return 0;
    }
    char *program = sto_asprintf("%s/initdb", s->bin);
    char *const argv[] = {program,
                          (char[]){"-D"},
                          s->data,
                          (char[]){"-U"},
                          (char[]){"saatto_admin"},
                          (char[]){"-A"},
                          (char[]){"trust"},
                          (char[]){"-E"},
                          (char[]){"UTF8"},
                          (char[]){"--no-locale"},
                          (char[]){"--data-checksums"},
                          NULL};
    pid_t pid = launch(s, argv);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        rc = sto_fail(err, STO_E_IO, "could not make a database cluster in '%s': %s", s->data,
                      log_tail(s, tail, sizeof tail));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 125) {
            sto_err_fix(err, "choose a folder that the user 'postgres' can enter");
        }
    }
    free(program);
    return rc;
}

/* argv of the server; freed by free_args. */
static char **server_args(const struct pg_private *s, const struct pg_private_options *o)
{
    static const char *const fixed[] = {"listen_addresses=",
                                        "port=5432",
                                        "unix_socket_permissions=0700",
                                        "max_connections=64",
                                        "fsync=on",
                                        "full_page_writes=on",
                                        "synchronous_commit=on",
                                        "data_sync_retry=off",
                                        "wal_level=replica",
                                        "max_wal_size=4GB",
                                        "checkpoint_timeout=15min",
                                        "jit=off",
                                        "log_statement=none",
                                        "log_parameter_max_length=0",
                                        "log_parameter_max_length_on_error=0",
                                        "log_error_verbosity=terse",
                                        "autovacuum_naptime=15s",
                                        "bgwriter_lru_maxpages=1000",
                                        "logging_collector=off",
                                        NULL};
    char **argv = sto_xcalloc(ARGS_MAX, sizeof *argv);
    size_t n = 0;

    argv[n++] = sto_asprintf("%s/postgres", s->bin);
    argv[n++] = sto_asprintf("-D%s", s->data);
    argv[n++] = sto_asprintf("-cunix_socket_directories=%s", s->sockets);
    argv[n++] = sto_asprintf("-cshared_buffers=%uMB",
                             o->shared_buffers_mib == 0 ? 128 : o->shared_buffers_mib);
    for (size_t i = 0; fixed[i] != NULL; i++) {
        argv[n++] = sto_asprintf("-c%s", fixed[i]);
    }
    for (size_t i = 0; o->settings != NULL && o->settings[i] != NULL && n < ARGS_MAX - 1; i++) {
        argv[n++] = sto_asprintf("-c%s", o->settings[i]);
    }
    return argv;
}

static void free_args(char **argv)
{
    for (size_t i = 0; argv[i] != NULL; i++) {
        free(argv[i]);
    }
    free(argv);
}

/* The server that answers is ours, not one that had the folder before. */
static bool is_ours(const struct pg_private *s)
{
    char *path = sto_asprintf("%s/postmaster.pid", s->data);
    char first[32] = "";
    FILE *f = fopen(path, "re");

    if (f != NULL) {
        if (fgets(first, sizeof first, f) == NULL) {
            first[0] = '\0';
        }
        fclose(f);
    }
    free(path);
    return strtol(first, NULL, 10) == (long)s->pid;
}

static int wait_ready(struct pg_private *s, struct sto_err *err)
{
    int64_t until = sto_mono_us() + START_US;
    char *dsn = sto_asprintf(
        "host=%s port=5432 user=saatto_admin dbname=postgres connect_timeout=2", s->sockets);
    int rc = 1;
    char tail[300];

    while (rc == 1) {
        if (waitpid(s->pid, NULL, WNOHANG) == s->pid) {
            s->pid = 0;
            rc = sto_fail(err, STO_E_IO, "the database server ended at once: %s",
                          log_tail(s, tail, sizeof tail));
        } else if (PQping(dsn) == PQPING_OK && is_ours(s)) {
            rc = 0;
        } else if (sto_mono_us() > until) {
            rc = sto_fail(err, STO_E_TIMEOUT, "the database server does not answer: %s",
                          log_tail(s, tail, sizeof tail));
        } else {
            poll(NULL, 0, 20);
        }
    }
    free(dsn);
    return rc;
}

static int make_database(struct pg_private *s, const char *name, struct sto_err *err)
{
    char *dsn = sto_asprintf("host=%s port=5432 user=saatto_admin dbname=postgres", s->sockets);
    PGconn *db = PQconnectdb(dsn);
    const char *values[1] = {name};
    PGresult *r = PQexecParams(db, "SELECT FROM pg_database WHERE datname = $1", 1, NULL, values,
                               NULL, NULL, 0);
    int rc = PQresultStatus(r) == PGRES_TUPLES_OK ? 0 : -STO_E_DB;

    if (rc == 0 && PQntuples(r) == 0) {
        char *sql = sto_asprintf("CREATE DATABASE %s", name);
        PQclear(r);
        r = PQexec(db, sql);
        rc = PQresultStatus(r) == PGRES_COMMAND_OK ? 0 : -STO_E_DB;
        free(sql);
    }
    if (rc != 0) {
        sto_fail(err, STO_E_DB, "database '%s': %s", name, PQerrorMessage(db));
    }
    PQclear(r);
    PQfinish(db);
    free(dsn);
    return rc;
}

static int make_schema(struct pg_private *s, const struct pg_private_options *o,
                       struct sto_err *err)
{
    char *home = o->sql_dir == NULL ? sto_home_dir() : NULL;
    char *sql = home != NULL ? sto_asprintf("%s/deploy/sql", home)
                             : sto_xstrdup(o->sql_dir != NULL ? o->sql_dir : "deploy/sql");
    char *keys = sto_asprintf("%s/keys", sql);
    const char *admin = pg_private_dsn(s, PG_PRIVATE_DATA, "saatto_admin");
    int rc = make_database(s, "saatto", err);

    rc = rc != 0 ? rc : make_database(s, "saatto_keys", err);
    rc = rc != 0 ? rc : pg_schema_apply(admin, sql, err);
    rc = rc != 0 ? rc
                 : pg_schema_apply(pg_private_dsn(s, PG_PRIVATE_KEYS, "saatto_admin"), keys, err);
    rc = rc != 0 ? rc
                 : pg_schema_install(admin, o->shards == 0 ? 4 : o->shards, o->manual_clock, err);
    free(keys);
    free(sql);
    free(home);
    return rc;
}

int pg_private_start(const struct pg_private_options *o, struct pg_private **out,
                     struct sto_err *err)
{
    struct pg_private *s = sto_xcalloc(1, sizeof *s);
    int rc = 0;

    s->bin = find_bin(err);
    rc = s->bin == NULL ? -STO_E_NOT_FOUND : find_user(s, err);
    rc = rc != 0 ? rc : make_folders(s, o->dir, err);
    rc = rc != 0 ? rc : init_cluster(s, err);
    if (rc == 0) {
        char **argv = server_args(s, o);
        s->pid = launch(s, argv);
        free_args(argv);
        rc = s->pid > 0 ? wait_ready(s, err)
                        : sto_fail(err, STO_E_IO, "could not start a process: %s", strerror(errno));
    }
    rc = rc != 0 ? rc : make_schema(s, o, err);
    if (rc != 0) {
        pg_private_stop(&s);
        return rc;
    }
    *out = s;
    return 0;
}

static void end_server(struct pg_private *s)
{
    int64_t until = sto_mono_us() + STOP_US;

    kill(s->pid, SIGINT);
    while (waitpid(s->pid, NULL, WNOHANG) == 0) {
        if (sto_mono_us() > until) {
            kill(s->pid, SIGQUIT);
            until = INT64_MAX;
        }
        poll(NULL, 0, 10);
    }
}

void pg_private_stop(struct pg_private **self_p)
{
    if (self_p == NULL || *self_p == NULL) {
        return;
    }
    struct pg_private *s = *self_p;
    if (s->pid > 0) {
        end_server(s);
    }
    if (s->sockets_elsewhere) {
        rmdir(s->sockets);
    }
    for (unsigned i = 0; i < s->n_dsn; i++) {
        free(s->dsn[i]);
    }
    free(s->dir);
    free(s->data);
    free(s->sockets);
    free(s->log);
    free(s->bin);
    free(s);
    *self_p = NULL;
}

const char *pg_private_dsn(struct pg_private *s, enum pg_private_database database,
                           const char *role)
{
    char *dsn = sto_asprintf("host=%s port=5432 dbname=%s user=%s", s->sockets,
                             database == PG_PRIVATE_KEYS ? "saatto_keys" : "saatto", role);

    for (unsigned i = 0; i < s->n_dsn; i++) {
        if (strcmp(s->dsn[i], dsn) == 0) {
            free(dsn);
            return s->dsn[i];
        }
    }
    STO_ASSERT(s->n_dsn < DSNS_MAX);
    s->dsn[s->n_dsn] = dsn;
    return s->dsn[s->n_dsn++];
}

pid_t pg_private_pid(const struct pg_private *s)
{
    return s->pid;
}
