/* SPDX-License-Identifier: EUPL-1.2 */
#include "flow_journey.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow_report.h"
#include "sto_arena.h"
#include "sto_file.h"

#define TREE_ARENA_BYTES (32u << 20)

/* ------------------------------------------------------------------- words */

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool holds(const char *dir, const char *file)
{
    char *path = sto_asprintf("%s/%s", dir, file);
    bool there = access(path, F_OK) == 0;

    free(path);
    return there;
}

/* Has the file a setting `journey`? Its faults are told when it is played. */
static bool is_journey(const char *path)
{
    struct model_file file = {0};
    struct sto_err err = {0};
    const struct sto_conf *root = NULL;
    bool yes = false;

    if (model_file_read(path, path, false, &file, &err) == 0) {
        sto_arena_t *arena = sto_arena_new(TREE_ARENA_BYTES);
        sto_diags_t *ignored = sto_diags_new();
        (void)sto_conf_parse(file.name, file.text, file.len, arena, ignored, &root);
        yes = root != NULL && sto_conf_get(root, "journey") != NULL;
        sto_diags_destroy(&ignored);
        sto_arena_destroy(&arena);
    }
    model_file_release(&file);
    return yes;
}

static void add(struct journeys *s, char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t n = strlen(name);

    s->v = sto_xrealloc(s->v, (s->n + 1) * sizeof *s->v);
    s->v[s->n++] = (struct journey){.path = path, .id = strndup(name, n > 4 ? n - 4 : n)};
}

static int is_cfg(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    return n > 4 && strcmp(e->d_name + n - 4, ".cfg") == 0 && e->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct journeys *s, const char *dir)
{
    struct dirent **names = NULL;
    int n = scandir(dir, &names, is_cfg, by_name);

    for (int i = 0; i < n; i++) {
        add(s, sto_asprintf("%s/%s", dir, names[i]->d_name));
        free(names[i]);
    }
    free(names);
    return n;
}

/* Is the word one or more journeys? */
static bool take(struct journeys *s, const char *folder, const char *word)
{
    char *path = sto_xstrdup(word);
    bool taken = true;

    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) {
        path[n - 1] = '\0';
    }
    if (is_dir(path)) {
        taken =
            !holds(path, "workflow.cfg") && !holds(path, "network.cfg") && add_folder(s, path) > 0;
    } else if (access(path, R_OK) == 0) {
        taken = is_journey(path);
        if (taken) {
            add(s, sto_xstrdup(path));
        }
    } else {
        char *by_id = sto_asprintf("%s/%s.cfg", folder, path);
        taken = strchr(path, '/') == NULL && access(by_id, R_OK) == 0;
        if (taken) {
            add(s, sto_xstrdup(by_id));
        } else if (strcmp(path, "journeys") == 0) {
            taken = add_folder(s, folder) > 0;
        }
        free(by_id);
    }
    free(path);
    return taken;
}

void journeys_of(const struct cli *c, const char **words, size_t *n_words, struct journeys *out)
{
    char *home = sto_home_dir();
    char *folder = sto_asprintf("%s/workflows/journeys", home);

    *out = (struct journeys){0};
    *n_words = 0;
    if (c->n_words == 0) {
        (void)add_folder(out, folder); /* there may be none */
    }
    for (size_t i = 0; i < c->n_words; i++) {
        if (!take(out, folder, c->words[i])) {
            words[(*n_words)++] = c->words[i];
        }
    }
    free(folder);
    free(home);
}

void journeys_release(struct journeys *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->v[i].path);
        free(s->v[i].id);
        model_file_release(&s->v[i].file);
        sto_diags_destroy(&s->v[i].diags);
    }
    free(s->v);
    *s = (struct journeys){0};
}

/* ----------------------------------------------------------------- playing */

int journey_play(struct journey *j, const struct scenario_book *book, struct sto_err *err)
{
    int64_t from_us = sto_mono_us();

    j->diags = sto_diags_new();
    int rc = model_file_read(j->path, j->path, false, &j->file, err);
    if (rc == 0) {
        (void)journey_run(&j->file, book, j->diags, &j->totals); /* what failed is in both */
        sto_diags_sort(j->diags);
    }
    j->took_us = sto_mono_us() - from_us;
    return rc;
}

static json_t *reached_json(const struct journey *j)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < j->totals.n_workflows; i++) {
        const struct scenario_totals *t = &j->totals.workflows[i].reached;
        json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "workflow",
                                              j->totals.workflows[i].wf->id, "steps", t->steps,
                                              "steps_reached", t->steps_hit, "exits", t->exits,
                                              "exits_reached", t->exits_hit, "clocks", t->clocks,
                                              "clocks_reached", t->clocks_hit));
    }
    return list;
}

void journey_print(struct cli *c, const struct journey *j)
{
    const char *answer = j->totals.failed    ? "failed"
                         : j->totals.skipped ? "is for another network"
                                             : "passed";

    flow_findings_say(c, j->diags);
    output_say(&c->out, "journey %s %s: %u cases, %u events", j->id, answer, j->totals.cases,
               j->totals.events);
    for (unsigned i = 0; i < j->totals.n_workflows; i++) {
        const struct scenario_totals *t = &j->totals.workflows[i].reached;
        output_say(&c->out, "  %s: reached steps %u/%u, exits %u/%u, clocks %u/%u",
                   j->totals.workflows[i].wf->id, t->steps_hit, t->steps, t->exits_hit, t->exits,
                   t->clocks_hit, t->clocks);
    }
    if (!output_text(&c->out)) {
        output_row(&c->out,
                   json_pack("{s:s, s:b, s:b, s:i, s:i, s:o, s:o}", "journey", j->id, "failed",
                             j->totals.failed, "skipped", j->totals.skipped, "cases",
                             j->totals.cases, "events", j->totals.events, "reached",
                             reached_json(j), "findings", flow_findings_json(j->diags)));
    }
}
