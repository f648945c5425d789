/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto doctor and status: what keeps Saatto from working here, and how it is doing. Looks only;
 * changes nothing. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <zmq.h>

#include "cases.h"
#include "child.h"
#include "client.h"
#include "nouns.h"
#include "sto_file.h"
#include "sto_time.h"

#define SKEW_WARN_US (STO_US_PER_SEC)
#define SKEW_FAIL_US (30 * STO_US_PER_SEC)

enum finding { FINE, WARN, FAIL };

struct exam {
    struct cli *c;
    unsigned warned, failed;
};

static void found(struct exam *e, enum finding f, const char *what, const char *mend,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));
static void found(struct exam *e, enum finding f, const char *what, const char *mend,
                  const char *fmt, ...)
{
    static const char *const words[] = {"ok", "warn", "fail"};
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    e->warned += f == WARN;
    e->failed += f == FAIL;
    output_say(&e->c->out, "%-5s %-22s %s%s%s", words[f], what, text,
               f != FINE && mend[0] != '\0' ? ". Mend: " : "", f != FINE ? mend : "");
    if (!output_text(&e->c->out)) {
        output_row(&e->c->out, json_pack("{s:s, s:s, s:s, s:s}", "check", what, "finding", words[f],
                                         "what", text, "mend", f == FINE ? "" : mend));
    }
}

/* ------------------------------------------------------------------ machine */

static void exam_programs(struct exam *e)
{
    static const char *const names[] = {"saattod", "saatto-worker"};
    char *dir = program_dir();

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = sto_asprintf("%s/%s", dir, names[i]);
        bool there = access(path, X_OK) == 0;
        found(e, there ? FINE : FAIL, names[i], "build it: deploy/bootstrap", "%s%s", path,
              there ? "" : " is not there");
        free(path);
    }
    free(dir);
}

static void exam_libraries(struct exam *e)
{
    int major = 0, minor = 0, patch = 0;

    zmq_version(&major, &minor, &patch);
    bool curve = zmq_has("curve") == 1;
    found(e, curve && (major > 4 || (major == 4 && minor >= 3)) ? FINE : FAIL, "libzmq",
          "install libzmq3-dev 4.3 or newer", "%d.%d.%d, CURVE %s", major, minor, patch,
          curve ? "built in" : "is missing");
    found(e, PQlibVersion() >= 140000 ? FINE : FAIL, "libpq",
          "install libpq-dev 14 or newer (pipeline mode)", "%d.%d", PQlibVersion() / 10000,
          PQlibVersion() % 10000);
    found(e, FINE, "libsodium", "", "%s", sodium_version_string());
    /* Midsummer noon in Helsinki is three hours ahead of UTC, in winter two. */
    struct sto_local l = {.year = 2026, .month = 6, .day = 24, .hour = 12};
    bool zone = sto_local_to_us(&l) == INT64_C(1782291600000000);
    found(e, zone ? FINE : FAIL, "time zone", "install tzdata", "Europe/Helsinki %s",
          zone ? "is known" : "is not known: times would be wrong");
}

/* -------------------------------------------------------------- installation */

static void exam_keys(struct exam *e, const installation_t *in)
{
    char *dir = installation_path(in, "keys");
    DIR *d = opendir(dir);
    struct dirent *f;
    struct stat st;
    unsigned n = 0, open_files = 0;

    while (d != NULL && (f = readdir(d)) != NULL) {
        char *path = sto_asprintf("%s/%s", dir, f->d_name);
        if (f->d_name[0] != '.' && stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
            n++;
            if ((st.st_mode & 077) != 0) {
                open_files++;
                found(e, FAIL, "key file",
                      "chmod 600 it, then make a new pair with saatto org key new",
                      "%s is open to others (mode %03o)", path, (unsigned)st.st_mode & 0777u);
            }
        }
        free(path);
    }
    if (d == NULL) {
        found(e, FAIL, "keys", "run saatto dev", "could not read %s: %s", dir, strerror(errno));
    } else if (open_files == 0) {
        found(e, FINE, "keys", "", "%u files, none open to others", n);
    }
    if (d != NULL) {
        closedir(d);
    }
    free(dir);
}

static void exam_setting(struct exam *e, PGconn *db, const char *name, const char *const *good,
                         const char *mend)
{
    struct sto_err err = {0};
    const char *params[] = {name};
    PGresult *r = db_query(db, "SELECT current_setting($1)", 1, params, &err);
    bool fine = false;

    if (r == NULL) {
        found(e, WARN, name, mend, "%s", err.what);
        return;
    }
    for (size_t i = 0; good[i] != NULL; i++) {
        fine = fine || strcmp(db_text(r, 0, 0), good[i]) == 0;
    }
    found(e, fine ? FINE : FAIL, name, mend, "%s", db_text(r, 0, 0));
    PQclear(r);
}

static void exam_clock(struct exam *e, PGconn *db)
{
    struct sto_err err = {0};
    int64_t before = sto_real_us();
    PGresult *r = db_query_binary(db, "SELECT clock_timestamp()", 0, NULL, &err);
    int64_t after = sto_real_us();

    if (r != NULL) {
        int64_t middle = before + (after - before) / 2, skew = db_time_us(r, 0, 0) - middle;
        int64_t size = skew < 0 ? -skew : skew;
        found(e,
              size > SKEW_FAIL_US   ? FAIL
              : size > SKEW_WARN_US ? WARN
                                    : FINE,
              "clock skew", "let NTP set both clocks", "the database's clock is %.3f s away",
              (double)skew / 1e6);
    }
    PQclear(r);
}

static void exam_database(struct exam *e, const installation_t *in)
{
    static const char *const on[] = {"on", NULL}, *const none[] = {"none", "ddl", NULL},
                             *const zero[] = {"0", NULL},
                             *const commit[] = {"on", "remote_apply", "remote_write", NULL};
    struct sto_err err = {0};
    PGconn *db = NULL;

    if (db_open_read(in, &db, &err) != 0) {
        found(e, FAIL, "database", "saatto dev starts it", "%s", err.what);
        return;
    }
    int version = PQserverVersion(db);
    found(e, version >= 150000 ? FINE : FAIL, "database", "use PostgreSQL 15 or newer",
          "PostgreSQL %d.%d", version / 10000, version % 10000);
    exam_setting(e, db, "fsync", on, "set fsync = on: without it acknowledged events can be lost");
    exam_setting(e, db, "full_page_writes", on, "set full_page_writes = on");
    exam_setting(e, db, "synchronous_commit", commit, "set synchronous_commit = on");
    exam_setting(e, db, "log_statement", none,
                 "set log_statement = none or ddl: contents would stand in the log");
    exam_setting(e, db, "log_parameter_max_length", zero,
                 "set it to 0: contents would stand in the log");
    exam_setting(e, db, "log_parameter_max_length_on_error", zero,
                 "set it to 0: contents would stand in the log");
    exam_clock(e, db);
    PQfinish(db);
}

static void exam_broker(struct exam *e, const installation_t *in)
{
    struct sto_err err = {0};
    char *body = NULL, *metrics = NULL;
    int status = 0;

    if (http_fetch(in->http, "/readyz?verbose", &status, &body, &err) != 0) {
        found(e, FAIL, "broker", "saatto dev starts it; see var/log/saattod.log", "%s", err.what);
        return;
    }
    for (char *p = body; *p != '\0'; p++) {
        *p = *p == '\n' ? ' ' : *p;
    }
    found(e, status == 200 ? FINE : FAIL, "broker", "see var/log/saattod.log", "%s", body);
    free(body);
    if (http_fetch(in->http, "/metrics", &status, &metrics, &err) != 0) {
        return;
    }
    const json_t *workers = json_object_get(json_object_get(in->json, "pids"), "workers");
    const char *org;
    json_t *pid;
    json_object_foreach((json_t *)(uintptr_t)workers, org, pid)
    {
        bool there = metric_connected(metrics, org) > 0;
        found(e, there ? FINE : FAIL, "worker", "see its file in var/log", "%s is %sconnected", org,
              there ? "" : "not ");
    }
    free(metrics);
}

static int doctor(struct cli *c, struct sto_err *err)
{
    struct exam e = {.c = c};
    struct sto_err none = {0};
    installation_t *in = NULL;

    if (!output_text(&c->out)) {
        output_table(&c->out, NULL);
    }
    exam_programs(&e);
    exam_libraries(&e);
    if (installation_open(c, &in, &none) != 0) {
        found(&e, WARN, "installation", "saatto dev, or --var DIR", "%s", none.what);
    } else {
        exam_keys(&e, in);
        exam_database(&e, in);
        exam_broker(&e, in);
    }
    installation_close(&in);
    if (!output_text(&c->out)) {
        output_table_end(&c->out, "");
    }
    if (e.failed != 0) {
        return sto_fail(err, STO_E_DURABILITY, "%u checks failed, %u warn", e.failed, e.warned);
    }
    output_say(&c->out, e.warned == 0 ? "All is well." : "It works; see the warnings.");
    return 0;
}

const struct verb doctor_verbs[] = {
    {.name = "",
     .words = "",
     .help = "Checks programs, libraries, database settings, keys, broker, workers and clocks; "
             "says how to mend what is off",
     .run = doctor},
    {0},
};

/* ------------------------------------------------------------------- status */

static int status_counts(const struct reading *r, json_t *o, struct sto_err *err)
{
    PGresult *res =
        db_query_binary(r->db,
                        "SELECT (SELECT count(*) FROM case_row WHERE aggregate = 0 AND open), "
                        "(SELECT count(*) FROM case_row WHERE "
                        "aggregate = 0 AND NOT open), (SELECT count(*) FROM case_row WHERE "
                        "aggregate = 0 AND open AND holder_org = 0), "
                        "(SELECT coalesce(sum(n), 0)::int8 FROM (SELECT max(idx) AS n FROM event "
                        "GROUP BY shard) x), (SELECT count(*) "
                        "FROM dead WHERE NOT redriven), (SELECT max(config) FROM shard)",
                        0, NULL, err);
    static const char *const names[] = {"cases_open", "cases_closed", "without_responsible",
                                        "events",     "set_aside",    "configuration"};

    if (res == NULL) {
        return -STO_E_DB;
    }
    for (int i = 0; i < 6; i++) {
        json_object_set_new(o, names[i], json_integer(db_int(res, 0, i)));
    }
    PQclear(res);
    return 0;
}

static long long count(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

static int status(struct cli *c, struct sto_err *err)
{
    struct sto_err away = {0};
    struct reading r;
    char *metrics = NULL, *body = NULL, fi[48];
    int code = 0;
    int rc = reading_open(c, &r, err);

    if (rc != 0) {
        return rc;
    }
    bool ready = http_fetch(r.in->http, "/readyz", &code, &body, &away) == 0 && code == 200;
    (void)http_fetch(r.in->http, "/metrics", &code, &metrics, &away); /* counts below do without */
    json_t *o = json_pack(
        "{s:b, s:s, s:o, s:b, s:i, s:i, s:f}", "ready", ready, "network", r.net->id, "now",
        time_json(&c->out, r.now_us), "manual_clock", r.manual_clock, "sessions",
        metrics != NULL ? (int)metric_value(metrics, "saatto_sessions") : 0, "queued",
        metrics != NULL ? (int)metric_value(metrics, "saatto_outbox_messages") : 0,
        "core_resident_mib",
        metrics != NULL ? metric_value(metrics, "saatto_core_resident_bytes") / 1048576 : 0.0);
    rc = status_counts(&r, o, err);
    if (rc == 0) {
        output_say(&c->out, "%s; network %s, it is %s%s",
                   ready ? "Saatto runs" : "The broker is not ready", r.net->id,
                   sto_us_format_fi(r.now_us, fi, sizeof fi),
                   r.manual_clock ? " (manual clock)" : "");
        output_say(&c->out,
                   "cases: %lld open, %lld closed; clients with no responsible organisation: %lld",
                   count(o, "cases_open"), count(o, "cases_closed"),
                   count(o, "without_responsible"));
        output_say(&c->out,
                   "events: %lld; deliveries waiting: %lld, set aside: %lld; sessions: %lld; "
                   "configuration %lld",
                   count(o, "events"), count(o, "queued"), count(o, "set_aside"),
                   count(o, "sessions"), count(o, "configuration"));
    }
    if (rc == 0 && !ready) {
        rc = sto_fail(err, STO_E_UNREACHABLE, "the broker is not ready");
        sto_err_fix(err, "saatto doctor");
    }
    output_object(&c->out, o, true);
    free(metrics);
    free(body);
    reading_close(&r);
    return rc;
}

const struct verb status_verbs[] = {
    {.name = "",
     .words = "",
     .help = "Says how the installation is doing: readiness, cases, events, queues",
     .run = status},
    {0},
};
