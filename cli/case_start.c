/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto case start: one case from options, or one for each row of a file or cohort. */
#include <stdlib.h>
#include <string.h>

#include "cohort.h"
#include "fields.h"
#include "nouns.h"
#include "starts.h"
#include "sto_arena.h"
#include "sto_file.h"
#include "sto_time.h"

/* ------------------------------------------------------------ from the words */

static int assign_all(const struct cli *c, const char *option, json_t *into, struct sto_err *err)
{
    const char *text;

    for (size_t i = 0; (text = cli_option_at(c, option, i)) != NULL; i++) {
        char key[STO_NAME_BYTES_MAX + 1];
        const char *value = assignment_split(text, key, sizeof key);
        if (value == NULL) {
            return sto_fail(err, STO_E_USAGE, "option '--%s' takes NAME=VALUE, got '%s'", option,
                            text);
        }
        json_object_set_new(into, key, json_string(value));
    }
    return 0;
}

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

static int from_options(const struct cli *c, json_t *list, struct sto_err *err)
{
    const char *workflow = NULL, *org = NULL, *record = NULL;
    json_t *set = json_object(), *names = json_object();
    int rc = cli_need(c, "workflow", &workflow, err);

    rc = rc != 0 ? rc : cli_need(c, "org", &org, err);
    rc = rc != 0 ? rc : cli_need(c, "record", &record, err);
    rc = rc != 0 ? rc : assign_all(c, "set", set, err);
    rc = rc != 0 ? rc : assign_all(c, "name", names, err);
    if (rc != 0) {
        json_decref(set);
        json_decref(names);
        return rc;
    }
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:o}",
                                          "organisation", org, "workflow", workflow, "record",
                                          record, "client", or_empty(cli_option(c, "client")),
                                          "home", or_empty(cli_option(c, "home")), "at_us", 0,
                                          "set", set, "names", names));
    return 0;
}

/* A field of the workflow called `record` gets the record key, unless it was given. */
static void record_as_field(struct starter *s, json_t *start)
{
    const workflow_t *wf = NULL;
    struct sto_err ignored = {0};
    json_t *set = json_object_get(start, "set");

    if (deployed_newest(s->r->deployed, json_string_value(json_object_get(start, "workflow")), &wf,
                        &ignored) == 0 &&
        workflow_field(wf, "record") >= 0 && json_object_get(set, "record") == NULL) {
        json_object_set(set, "record", json_object_get(start, "record"));
    }
}

/* ------------------------------------------------------------------- running */

static json_t *result_json(const struct cli *c, const json_t *start, const struct sto_uuid *id,
                           const char *state, const char *what)
{
    char text[37] = "";

    if (id != NULL) {
        sto_uuid_format(id, text);
    }
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:s}", "record", json_string_value(json_object_get(start, "record")),
        "case", text, "state", state, "at",
        time_json(&c->out, json_integer_value(json_object_get(start, "at_us"))), "what", what);
}

struct outcome {
    unsigned started, again, waiting, refused;
    struct sto_err first;
};

static void report(struct cli *c, const struct start_result *r, struct outcome *o)
{
    const char *state = r->code == 0               ? "started"
                        : r->code == STO_E_ALREADY ? "started before"
                                                   : "refused";

    o->started += r->code == 0;
    o->again += r->code == STO_E_ALREADY;
    if (r->code != 0 && r->code != STO_E_ALREADY) {
        if (o->refused++ == 0) {
            const struct sto_err_row *row = sto_err_row(r->code);
            sto_fail(&o->first, row != NULL ? (enum sto_code)r->code : STO_E_REFUSED,
                     "record '%s': %s", json_string_value(json_object_get(r->start, "record")),
                     r->what[0] != '\0' ? r->what
                     : row != NULL      ? row->explain
                                        : "");
        }
    }
    output_row(&c->out, result_json(c, r->start, &r->case_id, state, r->what));
}

/* Those whose time has come now, the others into the file that `clock advance` reads. */
static int run_starts(struct cli *c, struct starter *s, const json_t *list, struct outcome *o,
                      struct sto_err *err)
{
    size_t n = json_array_size(list), n_now = 0;
    json_t **now = sto_xcalloc(n + 1, sizeof(json_t *));
    struct start_result *results = sto_xcalloc(n + 1, sizeof *results);
    json_t *waiting = NULL;
    int rc = starts_waiting(s->r->in, &waiting, err);

    for (size_t i = 0; i < n && rc == 0; i++) {
        json_t *start = json_array_get(list, i);
        rc = starter_check(s, start, err);
        if (rc == 0 && json_integer_value(json_object_get(start, "at_us")) > s->r->now_us) {
            if (!s->r->manual_clock) {
                rc =
                    sto_fail(err, STO_E_USAGE,
                             "record '%s' starts in the future; only the manual clock can reach it",
                             json_string_value(json_object_get(start, "record")));
            }
            json_array_append(waiting, start);
            o->waiting++;
        } else {
            now[n_now++] = start;
        }
    }
    rc = rc != 0 ? rc : starter_run(s, now, n_now, results, err);
    for (size_t i = 0; i < n_now && rc == 0; i++) {
        report(c, &results[i], o);
    }
    if (rc == 0 && o->waiting != 0) {
        rc = starts_keep(s->r->in, waiting, err);
        for (size_t i = 0; i < n && rc == 0; i++) {
            const json_t *start = json_array_get(list, i);
            if (json_integer_value(json_object_get(start, "at_us")) > s->r->now_us) {
                output_row(&c->out, result_json(c, start, NULL, "waits for the clock", ""));
            }
        }
    }
    json_decref(waiting);
    free(results);
    free(now);
    return rc;
}

static int dry_run(struct cli *c, struct starter *s, const json_t *list, struct sto_err *err)
{
    int rc = 0;

    for (size_t i = 0; i < json_array_size(list) && rc == 0; i++) {
        const json_t *start = json_array_get(list, i);
        rc = starter_check(s, start, err);
        if (rc == 0) {
            output_row(&c->out, result_json(c, start, NULL, "would start", ""));
        }
    }
    return rc;
}

static int start_list(struct cli *c, struct starter *s, const json_t *list, struct sto_err *err)
{
    static const char *const columns[] = {"record=RECORD", "case=CASE", "state=STATE",
                                          "at=AT",         "what=WHAT", NULL};
    struct outcome o = {0};

    for (size_t i = 0; i < json_array_size(list); i++) {
        record_as_field(s, json_array_get(list, i));
    }
    output_table(&c->out, columns);
    int rc = cli_flag(c, "dry-run") ? dry_run(c, s, list, err) : run_starts(c, s, list, &o, err);
    if (rc != 0) {
        return rc;
    }
    output_table_end(&c->out, "no row");
    if (!cli_flag(c, "dry-run")) {
        output_say(&c->out, "%u started, %u started before, %u wait for the clock, %u refused",
                   o.started, o.again, o.waiting, o.refused);
    }
    if (o.refused != 0) {
        *err = o.first;
        return -o.first.code;
    }
    return 0;
}

int case_start_verb(struct cli *c, struct sto_err *err)
{
    struct reading r;
    struct starter s = {0};
    json_t *list = json_array();
    int rc = reading_open(c, &r, err);

    if (rc == 0) {
        rc = starter_init(&s, &r, err);
        if (rc == 0 && cli_option(c, "cohort") != NULL) {
            rc = cohort_starts(r.in->home, cli_option(c, "cohort"), list, err);
        } else if (rc == 0 && cli_option(c, "file") != NULL) {
            rc = cohort_file_starts(c, &r, list, err);
        } else if (rc == 0) {
            rc = from_options(c, list, err);
        }
        rc = rc != 0 ? rc : start_list(c, &s, list, err);
        starter_release(&s);
        reading_close(&r);
    }
    json_decref(list);
    return rc;
}
