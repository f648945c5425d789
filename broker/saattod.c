/* SPDX-License-Identifier: EUPL-1.2 */
/* saattod: the broker. Without --role it supervises a gate and a core, each a process of its own.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate.h"
#include "http.h"
#include "process.h"
#include "settings.h"
#include "shell.h"
#include "sto_arena.h"
#include "sto_crypto.h"
#include "sto_file.h"
#include "sto_log.h"
#include "sto_time.h"
#include "store_replay.h"
#include "supervisor.h"

#define REST_MAX 48

struct arguments {
    const char *config, *role, *replay;
    int report_fd;
    bool print_config, print_reference, verbose;
    const char *set[REST_MAX];
    int n_set;
};

static const char usage[] =
    "usage: saattod [-c FILE] [--set KEY=VALUE]... [--print-config] [--print-reference] "
    "[--verbose]\n"
    "\n"
    "Saatto's broker: a gate (TCP, CURVE), a core (database) and their supervisor.\n"
    "\n"
    "  -c, --config FILE      settings, libconfig; relative paths are relative to the file\n"
    "  --set KEY=VALUE        one setting; wins over the file\n"
    "  --print-config         print the settings in force, loadable again, and end\n"
    "  --print-reference      print the table of settings as Markdown, and end\n"
    "  --replay FILE          write captured batches into the database of the setting dsn, whose "
    "role\n"
    "                         must own the tables; print how fast that went, and end\n"
    "  --verbose              log debug lines too\n"
    "  -V, --version, -h, --help\n"
    "\n"
    "Ends cleanly on SIGTERM. Exit: 0 ended as asked, 1 failed, 2 usage.\n";

static int parse(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"set", required_argument, NULL, 's'},
                                            {"print-config", no_argument, NULL, 'p'},
                                            {"print-reference", no_argument, NULL, 'r'},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {"role", required_argument, NULL, 'R'},
                                            {"report-fd", required_argument, NULL, 'F'},
                                            {"replay", required_argument, NULL, 'L'},
                                            {"version", no_argument, NULL, 'V'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int c;

    a->report_fd = -1;
    while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            a->config = optarg;
            break;
        case 's':
            if (a->n_set == REST_MAX / 2) {
                fprintf(stderr, "saattod: more than %d --set\n", REST_MAX / 2);
                return 2;
            }
            a->set[a->n_set++] = optarg;
            break;
        case 'p':
            a->print_config = true;
            break;
        case 'r':
            a->print_reference = true;
            break;
        case 'v':
            a->verbose = true;
            break;
        case 'R':
            a->role = optarg;
            break;
        case 'L':
            a->replay = optarg;
            break;
        case 'F':
            a->report_fd = (int)strtol(optarg, NULL, 10);
            break;
        case 'V':
            printf("saattod %s\n", SAATTO_VERSION);
            exit(0);
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind != argc) {
        fprintf(stderr, "saattod: '%s' is not expected\n%s", argv[optind], usage);
        return 2;
    }
    return 0;
}

static int load_settings(const struct arguments *a, sto_settings_t *settings)
{
    sto_diags_t *diags = sto_diags_new();
    struct sto_err err = {0};
    char text[1024];
    int status = 0;

    if (a->config != NULL && sto_settings_load(settings, a->config, diags, &err) != 0) {
        for (size_t i = 0; i < sto_diags_count(diags); i++) {
            const struct sto_diag *d = sto_diags_at(diags, i);
            fprintf(stderr, "%s:%d: error: %s [%s]\n", d->file, d->line, d->text, d->code);
        }
        if (sto_diags_count(diags) == 0) {
            fprintf(stderr, "%s\n", sto_err_format(&err, text, sizeof text));
        }
        status = 1;
    }
    for (int i = 0; i < a->n_set; i++) {
        if (sto_settings_set(settings, a->set[i], &err) != 0) {
            fprintf(stderr, "%s\n", sto_err_format(&err, text, sizeof text));
            status = 1;
        }
    }
    sto_diags_destroy(&diags);
    return status;
}

/* The limit of a benchmark: one JSON line, rates also by size of batch. */
static int run_replay(const struct arguments *a, const sto_settings_t *s, struct sto_err *err)
{
    struct store_replay_stats st;
    int rc = store_pg_replay(a->replay, sto_settings_str(s, "dsn"), &st, err);

    if (rc != 0) {
        return rc;
    }
    printf("{\"batches\": %" PRIu64 ", \"events\": %" PRIu64 ", \"bytes\": %" PRIu64
           ", \"seconds\": %.6f, \"by_size\": [",
           st.batches, st.events, st.bytes, st.seconds);
    for (int i = 0; i < REPLAY_SIZES; i++) {
        printf("%s{\"events_from\": %d, \"batches\": %" PRIu64 ", \"events\": %" PRIu64
               ", \"seconds\": %.6f}",
               i == 0 ? "" : ", ", 1 << i, st.by_size[i].batches, st.by_size[i].events,
               st.by_size[i].seconds);
    }
    printf("]}\n");
    return 0;
}

static int run_gate(const struct arguments *a, const sto_settings_t *s, const char *endpoint,
                    struct sto_err *err)
{
    struct gate_options o = {.listen = sto_settings_str(s, "listen"),
                             .core = endpoint,
                             .server_key = sto_settings_str(s, "server-key"),
                             .memory_mib = (unsigned)sto_settings_int(s, "gate-memory"),
                             .report_fd = a->report_fd,
                             .parent_pid = getppid()};

    sto_log_init("saattod-gate", a->verbose ? STO_DEBUG : STO_INFO);
    return gate_run(&o, err);
}

static int run_core(const struct arguments *a, const sto_settings_t *s, const char *endpoint,
                    struct sto_err *err)
{
    uint64_t id = sto_random_u64() >> 1, former[PROCESS_FORMER_MAX];
    int rc = process_core_id(sto_settings_str(s, "run-dir"), id, former, err);
    const char *capture = sto_settings_str(s, "capture");
    struct shell_options o = {
        .endpoint = endpoint,
        .store = {.dsn = sto_settings_str(s, "dsn"),
                  .keys_dsn = sto_settings_str(s, "keys-dsn"),
                  .core_id = id,
                  .former_core_ids = former,
                  .n_former = PROCESS_FORMER_MAX,
                  .commit_timeout_ms = (int)sto_settings_int(s, "commit-timeout"),
                  .capture = capture[0] != '\0',
                  .capture_path = capture},
        .reactor = {.core_id = id,
                    .n_shards = 0, /* the installation's, from the database */
                    .batch_events_max = (unsigned)sto_settings_int(s, "batch-events"),
                    .cache_cases_max = (unsigned)sto_settings_int(s, "cache-cases"),
                    .inflight_max = (unsigned)sto_settings_int(s, "in-flight"),
                    .dead_after_sessions = (unsigned)sto_settings_int(s, "dead-after"),
                    .seed = sto_random_u64()},
        .report_fd = a->report_fd,
        .parent_pid = getppid()};

    sto_log_init("saattod-core", a->verbose ? STO_DEBUG : STO_INFO);
    return rc != 0 ? rc : shell_run(&o, err);
}

/* "tcp://host:port" */
static int check_listen(const char *endpoint, struct sto_err *err)
{
    const char *colon = strrchr(endpoint, ':');
    char *end = NULL;
    bool tcp = strncmp(endpoint, "tcp://", 6) == 0 && colon > endpoint + 6;
    long port = tcp ? strtol(colon + 1, &end, 10) : 0;

    if (!tcp || *end != '\0' || port < 1 || port > 65535) {
        return sto_fail(err, STO_E_CONFIG, "setting 'listen' must be tcp://host:port, got '%s'",
                        endpoint);
    }
    return 0;
}

/* What can be known to be wrong before anything is started; tells all of it. */
static int check_values(const sto_settings_t *s, struct sto_err *err)
{
    char pub[41], sec[41], text[1024];
    struct sto_err e[3] = {0};
    const char *http = sto_settings_str(s, "http");
    int n = 0;

    check_listen(sto_settings_str(s, "listen"), &e[0]);
    if (http[0] != '\0') {
        http_check(http, &e[1]);
    }
    process_curve_keys(sto_settings_str(s, "server-key"), pub, sec, &e[2]);
    sto_wipe(sec, sizeof sec);
    for (int i = 0; i < 3; i++) {
        if (e[i].code != 0) {
            fprintf(stderr, "%s\n", sto_err_format(&e[i], text, sizeof text));
            n++;
        }
    }
    return n == 0 ? 0 : sto_fail(err, STO_E_CONFIG, "%d of the settings cannot be used", n);
}

/* What the children get: the same configuration and assignments. */
static void rest_of(const struct arguments *a, char **rest)
{
    size_t n = 0;

    if (a->config != NULL) {
        rest[n++] = sto_asprintf("--config=%s", a->config);
    }
    for (int i = 0; i < a->n_set; i++) {
        rest[n++] = sto_asprintf("--set=%s", a->set[i]);
    }
    if (a->verbose) {
        rest[n++] = sto_asprintf("--verbose");
    }
    rest[n] = NULL;
}

static int run(const struct arguments *a, const sto_settings_t *s, struct sto_err *err)
{
    const char *run_dir = sto_settings_str(s, "run-dir");
    char *endpoint = sto_asprintf("ipc://%s/core.ipc", run_dir);
    bool supervises = a->replay == NULL && a->role == NULL;
    int rc = supervises ? check_values(s, err) : 0;

    rc = rc != 0 ? rc : sto_mkdirs(run_dir, 0700, err);
    process_init();
    if (rc == 0 && a->replay != NULL) {
        rc = run_replay(a, s, err);
    } else if (rc == 0 && a->role != NULL && strcmp(a->role, "gate") == 0) {
        rc = run_gate(a, s, endpoint, err);
    } else if (rc == 0 && a->role != NULL && strcmp(a->role, "core") == 0) {
        rc = run_core(a, s, endpoint, err);
    } else if (rc == 0 && a->role != NULL) {
        rc = sto_fail(err, STO_E_USAGE, "role must be gate or core, got '%s'", a->role);
    } else if (rc == 0) {
        char *rest[REST_MAX + 4];
        rest_of(a, rest);
        rc = supervisor_run("/proc/self/exe", rest, s, err);
        for (size_t i = 0; rest[i] != NULL; i++) {
            free(rest[i]);
        }
    }
    free(endpoint);
    return rc;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    struct sto_err err = {0};
    int status = parse(argc, argv, &a);

    if (status != 0) {
        return status;
    }
    sto_time_init();
    sto_log_init("saattod", a.verbose ? STO_DEBUG : STO_INFO);
    if (a.print_reference) {
        sto_settings_print_reference(saattod_settings, stdout);
        return 0;
    }
    sto_settings_t *settings = sto_settings_new(saattod_settings);
    status = load_settings(&a, settings);
    if (status == 0 && a.print_config) {
        sto_settings_print(settings, stdout);
    } else if (status == 0) {
        int rc = sto_crypto_init(&err);
        rc = rc != 0 ? rc : run(&a, settings, &err);
        if (rc != 0) {
            char text[1024];
            sto_log(STO_ERROR, "ended", "error", sto_err_format(&err, text, sizeof text), NULL);
            const struct sto_err_row *row = sto_err_row(err.code);
            status = row != NULL ? row->exit_status : 1;
        }
    }
    sto_settings_destroy(&settings);
    return status;
}
