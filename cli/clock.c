/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * saatto clock: shows the installation's time and, where it is manual, moves it. On the way to the
 * target the clock stops at every start that waits for its date, and starts it there.
 */
#include <stdlib.h>
#include <string.h>

#include "nouns.h"
#include "starts.h"
#include "sto_arena.h"
#include "sto_time.h"

#define TIMEOUT_S 600

/* --------------------------------------------------------------------- show */

static int clock_show(struct cli *c, struct sto_err *err)
{
    struct reading r;
    json_t *waiting = NULL;
    char fi[48];
    int rc = reading_open(c, &r, err);

    if (rc != 0) {
        return rc;
    }
    rc = starts_waiting(r.in, &waiting, err);
    if (rc == 0) {
        size_t n = json_array_size(waiting);
        output_say(&c->out, "%s%s", sto_us_format_fi(r.now_us, fi, sizeof fi),
                   r.manual_clock ? " (manual clock)" : "");
        if (n != 0) {
            int64_t next = json_integer_value(json_object_get(json_array_get(waiting, 0), "at_us"));
            output_say(&c->out, "%zu cases wait for their start date, the next %s", n,
                       sto_us_format_fi(next, fi, sizeof fi));
        }
        output_object(&c->out,
                      json_pack("{s:o, s:b, s:i}", "now", time_json(&c->out, r.now_us), "manual",
                                r.manual_clock, "starts_waiting", (int)n),
                      true);
    }
    json_decref(waiting);
    reading_close(&r);
    return rc;
}

/* ------------------------------------------------------------------ advance */

struct advance {
    struct cli *c;
    struct reading r;
    struct starter starter;
    client_t *operator;
    json_t *waiting;
    int64_t target_us, until_mono_us;
    unsigned started, refused;
    char timeout_text[64];
};

static int find_target(struct advance *a, struct sto_err *err)
{
    const char *by = cli_option(a->c, "by"), *to = cli_option(a->c, "to");
    struct sto_duration d;

    if ((by == NULL) == (to == NULL)) {
        sto_fail(err, STO_E_USAGE, "either --by or --to is needed");
        sto_err_fix(err, "for instance --by \"3 weeks\"");
        return -STO_E_USAGE;
    }
    int rc = by != NULL ? sto_duration_parse(by, &d, err) : sto_us_parse(to, &a->target_us, err);
    if (rc != 0) {
        err->code = STO_E_USAGE;
        return -STO_E_USAGE;
    }
    if (by != NULL) {
        /* business units in the network's default calendar */
        a->target_us = calendar_due_us(&a->r.net->calendars[0].cal, a->r.now_us, d);
    }
    if (a->target_us < a->r.now_us) {
        return sto_fail(err, STO_E_USAGE, "the clock never goes back");
    }
    return 0;
}

static int move_to(struct advance *a, int64_t target_us, struct sto_err *err)
{
    struct saatto_error error = {0};
    char who[64] = "";
    int64_t left_ms = (a->until_mono_us - sto_mono_us()) / 1000;

    if (left_ms <= 0) {
        return sto_fail(err, STO_E_TIMEOUT, "the clock did not reach its target in %s",
                        a->timeout_text);
    }
    if (saatto_advance(client_session(a->operator), target_us, &a->r.now_us, who, sizeof who,
                       (int)left_ms, &error) == 0) {
        return 0;
    }
    int rc = sto_fail(err, (enum sto_code)error.code, "%s%s%s", error.what,
                      who[0] != '\0' ? "; waiting for " : "", who);
    if (who[0] != '\0') {
        sto_err_fix(err, "look at var/log/%s.log; go on with the same command", who);
    }
    return rc;
}

/* Starts everything that waits for a time up to now. */
static int start_due(struct advance *a, struct sto_err *err)
{
    size_t n = 0, all = json_array_size(a->waiting);

    while (n < all && json_integer_value(json_object_get(json_array_get(a->waiting, n), "at_us")) <=
                          a->r.now_us) {
        n++;
    }
    if (n == 0) {
        return 0;
    }
    json_t **list = sto_xcalloc(n, sizeof(json_t *));
    struct start_result *results = sto_xcalloc(n, sizeof *results);
    for (size_t i = 0; i < n; i++) {
        list[i] = json_array_get(a->waiting, i);
    }
    int rc = starter_run(&a->starter, list, n, results, err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        bool taken = results[i].code == 0 || results[i].code == STO_E_ALREADY;
        a->started += taken;
        a->refused += !taken;
        if (!taken) {
            fprintf(stderr, "start of record '%s' was refused: %s %s\n",
                    json_string_value(json_object_get(list[i], "record")),
                    saatto_code_text(results[i].code), results[i].what);
        }
    }
    free(results);
    free(list);
    for (size_t i = 0; i < n && rc == 0; i++) {
        json_array_remove(a->waiting, 0);
    }
    return rc != 0 ? rc : starts_keep(a->r.in, a->waiting, err);
}

static int advance(struct advance *a, struct sto_err *err)
{
    int rc = start_due(a, err);

    while (rc == 0 && a->r.now_us < a->target_us) {
        const json_t *next = json_array_get(a->waiting, 0);
        int64_t stop =
            next != NULL ? json_integer_value(json_object_get(next, "at_us")) : INT64_MAX;
        rc = move_to(a, stop < a->target_us ? stop : a->target_us, err);
        rc = rc != 0 ? rc : start_due(a, err);
    }
    return rc;
}

static int open_all(struct advance *a, struct sto_err *err)
{
    int rc = client_open(a->r.in, "operator", &a->operator, err);

    rc = rc != 0 ? rc : starter_init(&a->starter, &a->r, err);
    return rc != 0 ? rc : starts_waiting(a->r.in, &a->waiting, err);
}

static int clock_advance(struct cli *c, struct sto_err *err)
{
    struct advance a = {.c = c};
    int64_t timeout_s = TIMEOUT_S;
    char fi[48];
    int rc = cli_option_int(c, "timeout", TIMEOUT_S, 1, 86400, &timeout_s, err);

    rc = rc != 0 ? rc : reading_open(c, &a.r, err);
    if (rc != 0) {
        return rc;
    }
    snprintf(a.timeout_text, sizeof a.timeout_text, "%lld s", (long long)timeout_s);
    a.until_mono_us = sto_mono_us() + timeout_s * STO_US_PER_SEC;
    if (!a.r.manual_clock) {
        rc = sto_fail(err, STO_E_REFUSED, "this installation runs on the real clock");
        sto_err_fix(err, "saatto dev --clock=manual makes one whose time you move");
    }
    rc = rc != 0 ? rc : find_target(&a, err);
    if (rc == 0 && !cli_flag(c, "dry-run")) {
        rc = open_all(&a, err);
        rc = rc != 0 ? rc : advance(&a, err);
    }
    if (rc == 0) {
        bool dry = cli_flag(c, "dry-run");
        output_say(&c->out, dry ? "It would become %s." : "It is %s.",
                   sto_us_format_fi(dry ? a.target_us : a.r.now_us, fi, sizeof fi));
        if (a.started != 0) {
            output_say(&c->out, "%u cases were started on the way.", a.started);
        }
        output_object(&c->out,
                      json_pack("{s:o, s:b, s:i, s:i}", "now",
                                time_json(&c->out, dry ? a.target_us : a.r.now_us), "dry_run", dry,
                                "started", (int)a.started, "refused", (int)a.refused),
                      true);
    }
    json_decref(a.waiting);
    starter_release(&a.starter);
    client_close(&a.operator);
    reading_close(&a.r);
    return rc;
}

/* -------------------------------------------------------------------- table */

static const struct option_row advance_options[] = {
    {"by", "DURATION", "for instance \"3 weeks\", \"2 business days\""},
    {"to", "TIME", "\"YYYY-MM-DD HH:MM\" in Helsinki, a date, or RFC 3339"},
    {"timeout", "SECONDS", "give up after so long in real time (default 600)"},
    {"dry-run", NULL, "only say which time it would become"},
    {0},
};
const struct verb clock_verbs[] = {
    {.name = "show", .words = "", .help = "Shows the installation's time", .run = clock_show},
    {.name = "advance",
     .words = "",
     .options = advance_options,
     .help =
         "Moves the manual clock; every clock and every organisation on the way does what is due",
     .more = "Time moves only while nobody has anything left to do; who keeps it waiting for 30 s "
             "of real time is named.",
     .run = clock_advance},
    {0},
};
