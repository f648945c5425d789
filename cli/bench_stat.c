/* SPDX-License-Identifier: EUPL-1.2 */
#include "bench_stat.h"

#include <ctype.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "db.h"

struct process {
    pid_t pid, parent;
    double cpu_us;
    char role[16]; /* of a saattod child */
};

static void role_of(struct process *p)
{
    char path[64], text[512];
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)p->pid);
    f = fopen(path, "r");
    size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f != NULL) {
        fclose(f);
    }
    text[n] = '\0';
    for (size_t i = 0; i + 8 < n; i++) {
        if (strcmp(text + i, "--role") == 0) {
            snprintf(p->role, sizeof p->role, "%s", text + i + 7);
        }
    }
}

static bool read_process(pid_t pid, struct process *p)
{
    char path[64], text[1024];

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f != NULL) {
        fclose(f);
    }
    text[n] = '\0';
    const char *after = strrchr(text, ')'); /* the name may hold anything */
    if (after == NULL) {
        return false;
    }
    /* From the state on: the second is the parent, the 12th and 13th user and system time. */
    const char *at = after + 1;
    unsigned long field[14] = {0};
    for (unsigned i = 1; i < 14 && *at != '\0'; i++) {
        at += strspn(at, " ");
        field[i] = strtoul(at, NULL, 10); /* the state is a letter: 0 */
        at += strcspn(at, " ");
    }
    *p = (struct process){.pid = pid,
                          .parent = (pid_t)field[2],
                          .cpu_us =
                              (double)(field[12] + field[13]) * 1e6 / (double)sysconf(_SC_CLK_TCK)};
    return true;
}

/* Calls each for every process of the machine. */
static void each_process(void (*each)(void *arg, struct process *p), void *arg)
{
    DIR *d = opendir("/proc");
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        struct process p;
        if (isdigit((unsigned char)e->d_name[0]) &&
            read_process((pid_t)strtol(e->d_name, NULL, 10), &p)) {
            each(arg, &p);
        }
    }
    if (d != NULL) {
        closedir(d);
    }
}

struct cpu_arg {
    pid_t saattod, postgres;
    const pid_t *workers;
    size_t n_workers;
    struct bench_cpu *out;
};

static void add_cpu(void *arg, struct process *p)
{
    struct cpu_arg *a = arg;

    if (p->pid == a->postgres || p->parent == a->postgres) {
        a->out->postgres_us += p->cpu_us;
    } else if (p->parent == a->saattod) {
        role_of(p);
        *(strcmp(p->role, "gate") == 0 ? &a->out->gate_us : &a->out->core_us) += p->cpu_us;
    }
    for (size_t i = 0; i < a->n_workers; i++) {
        a->out->workers_us += p->pid == a->workers[i] ? p->cpu_us : 0;
    }
}

void bench_cpu(pid_t saattod, pid_t postgres, const pid_t *workers, size_t n_workers,
               struct bench_cpu *out)
{
    *out = (struct bench_cpu){0};
    struct cpu_arg a = {saattod, postgres, workers, n_workers, out};
    each_process(add_cpu, &a);
}

struct rss_arg {
    pid_t saattod;
    const char *role;
    double mib;
};

static void find_rss(void *arg, struct process *p)
{
    struct rss_arg *a = arg;
    char path[64], line[256];

    if (p->parent != a->saattod) {
        return;
    }
    role_of(p);
    if (strcmp(p->role, a->role) != 0) {
        return;
    }
    snprintf(path, sizeof path, "/proc/%d/status", (int)p->pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            a->mib = (double)strtol(line + 6, NULL, 10) / 1024.0;
        }
    }
    if (f != NULL) {
        fclose(f);
    }
}

double bench_rss_mib(pid_t saattod, const char *role)
{
    struct rss_arg a = {saattod, role, 0};

    each_process(find_rss, &a);
    return a.mib;
}

static double metric(const char *text, const char *name)
{
    size_t n = strlen(name);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, n) == 0 && line[n] == ' ') {
            return strtod(line + n, NULL);
        }
        if (*line == '\0') {
            break;
        }
    }
    return 0;
}

void bench_batches(const char *http, struct bench_batches *out)
{
    char *text = NULL;
    int status = 0;

    if (http_fetch(http, "/metrics", &status, &text, NULL) == 0 && text != NULL) {
        out->batches = metric(text, "saatto_batches_total");
        out->events = metric(text, "saatto_events_committed_total");
    }
    free(text);
}

static const char *setting(PGconn *db, const char *sql, char *buf, size_t cap)
{
    PGresult *r = db_query(db, sql, 0, NULL, NULL);

    snprintf(buf, cap, "%s", r != NULL && PQntuples(r) == 1 ? PQgetvalue(r, 0, 0) : "?");
    PQclear(r);
    return buf;
}

json_t *bench_conditions(struct pg_private *pg)
{
    PGconn *db = NULL;
    char a[64], b[64], c[64], d[64], e[64];

    if (db_open(pg_private_dsn(pg, PG_PRIVATE_DATA, "saatto_admin"), &db, NULL) != 0) {
        return json_pack("{s:s}", "bench", "conditions");
    }
    json_t *row =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:b, s:b, s:s}", "bench", "conditions",
                  "fsync", setting(db, "SHOW fsync", a, sizeof a), "synchronous_commit",
                  setting(db, "SHOW synchronous_commit", b, sizeof b), "full_page_writes",
                  setting(db, "SHOW full_page_writes", c, sizeof c), "shared_buffers",
                  setting(db, "SHOW shared_buffers", d, sizeof d), "checkpoints",
                  setting(db, "SELECT checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter", e,
                          sizeof e),
                  "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "curve", 1, "encryption_at_rest", 1,
                  "legal_basis", 1, "frame_signatures", "not in this version");
    PQfinish(db);
    return row;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    (void)remove(path); /* what is still being written goes at the next try */
    return 0;
}

void bench_remove_tree(const char *dir)
{
    nftw(dir, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}
