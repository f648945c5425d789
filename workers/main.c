/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto-worker: one organisation's border post. Arguments and settings; the work is worker.c's. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "sto_crypto.h"
#include "sto_log.h"
#include "sto_time.h"
#include "worker_loop.h"
#include "worker_settings.h"

#define SET_MAX 32

struct arguments {
    const char *config;
    bool print_config, print_reference, verbose, done;
    const char *set[SET_MAX];
    int n_set;
};

static const char usage[] =
    "usage: saatto-worker [-c FILE] [--set KEY=VALUE]... [--print-config] [--print-reference] "
    "[--verbose]\n"
    "\n"
    "Connects an organisation to Saatto: takes its deliveries, sends its events.\n"
    "\n"
    "  -c, --config FILE      settings, libconfig; relative paths are relative to the file\n"
    "  --set KEY=VALUE        one setting; wins over the file\n"
    "  --print-config         print the settings in force, loadable again, and end\n"
    "  --print-reference      print the table of settings as Markdown, and end\n"
    "  --verbose              log debug lines too\n"
    "  -V, --version, -h, --help\n"
    "\n"
    "Ends cleanly on SIGTERM. Exit: 0 ended as asked, 1 failed, 2 usage.\n";

static int take_set(struct arguments *a, const char *assignment)
{
    if (a->n_set == SET_MAX) {
        fprintf(stderr, "saatto-worker: more than %d --set\n", SET_MAX);
        return 2;
    }
    a->set[a->n_set++] = assignment;
    return 0;
}

static int parse(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"set", required_argument, NULL, 's'},
        {"print-config", no_argument, NULL, 'p'}, {"print-reference", no_argument, NULL, 'r'},
        {"verbose", no_argument, NULL, 'v'},      {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {0}};
    int c, status = 0;

    while (status == 0 && (c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            a->config = optarg;
            break;
        case 's':
            status = take_set(a, optarg);
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
        case 'V':
            printf("saatto-worker %s\n", SAATTO_VERSION);
            a->done = true;
            return 0;
        case 'h':
            fputs(usage, stdout);
            a->done = true;
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (status == 0 && optind != argc) {
        fprintf(stderr, "saatto-worker: '%s' is not expected\n%s", argv[optind], usage);
        return 2;
    }
    return status;
}

static int load_settings(const struct arguments *a, sto_settings_t *settings)
{
    sto_diags_t *diags = sto_diags_new();
    struct sto_err err = {0};
    char text[1024];
    int status = 0;

    /* Assignments first: what they give is not missing from the file. */
    for (int i = 0; i < a->n_set; i++) {
        if (sto_settings_set(settings, a->set[i], &err) != 0) {
            fprintf(stderr, "%s\n", sto_err_format(&err, text, sizeof text));
            status = 1;
        }
    }
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
    sto_diags_destroy(&diags);
    return status;
}

static int run(const sto_settings_t *settings)
{
    struct sto_err err = {0};
    int rc = worker_settings_check(settings, &err);

    rc = rc != 0 ? rc : sto_crypto_init(&err);
    rc = rc != 0 ? rc : worker_run(settings, SAATTO_VERSION, &err);
    if (rc == 0) {
        return 0;
    }
    char text[1024];
    sto_log(STO_ERROR, "ended", "error", sto_err_format(&err, text, sizeof text), NULL);
    const struct sto_err_row *row = sto_err_row(err.code);
    return row != NULL && row->exit_status != 0 ? row->exit_status : 1;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    int status = parse(argc, argv, &a);

    if (status != 0 || a.done) {
        return status;
    }
    sto_time_init();
    sto_log_init("saatto-worker", a.verbose ? STO_DEBUG : STO_INFO);
    if (a.print_reference) {
        sto_settings_print_reference(worker_settings, stdout);
        return 0;
    }
    sto_settings_t *settings = sto_settings_new(worker_settings);
    status = load_settings(&a, settings);
    if (status == 0 && a.print_config) {
        sto_settings_print(settings, stdout);
    } else if (status == 0) {
        status = run(settings);
    }
    sto_settings_destroy(&settings);
    return status;
}
