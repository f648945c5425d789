/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Reads files of scenarios and journeys and plays what stands in them; counts what passed and what
 * was reached. Grammar: docs/reference/scenarios.md.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_play.h"

#define TREE_ARENA_BYTES (32u << 20)
#define REQUIREMENTS_MAX 200

void play_err(struct play *p, const struct sto_conf *at, const char *code, const char *fmt, ...)
{
    char text[512], who[160] = "";
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (p->case_ix < p->n_cases && play_case(p)->name[0]) {
        char name[100];
        (void)snprintf(who, sizeof who, " (%s)", case_text(play_case(p), name, sizeof name));
    }
    load_err(p->l, at, code, "%s '%s'%s: %s", p->journey ? "journey" : "scenario", p->name, who,
             text);
    p->failed = true;
}

void play_unknown(struct play *p, const struct sto_conf *at, const char *code, const char *what,
                  const char *id, const char *const *names)
{
    const char *near = sto_nearest(id, names);
    play_err(p, at, code, "%s '%s' is not known%s%s%s", what, id, near ? "; did you mean '" : "",
             near ? near : "", near ? "'?" : "");
}

/* ------------------------------------------------------------------- heads */

/* "R12": a requirement of the process catalogue. */
static void requirement(void *arg, const struct sto_conf *at, const char *s)
{
    struct load *l = arg;
    size_t n = strlen(s);
    if (n < 2 || n > 4 || s[0] != 'R' || s[1] == '0' || strspn(s + 1, "0123456789") != n - 1) {
        load_err(l, at, "shows", "shows '%s': a requirement is written as \"R12\"", s);
    }
}

void play_shows(struct play *p, const struct sto_conf *g)
{
    (void)load_strings(p->l, g, "shows", REQUIREMENTS_MAX, requirement, p->l);
}

/* Is it for the network that is loaded? */
static bool network_fits(struct play *p, const struct sto_conf *g)
{
    const char *id = sto_conf_str(g, "network", NULL, p->l->diags);
    return !id || strcmp(id, p->net->id) == 0;
}

/* Reads the keys that scenarios and journeys have in common, and plays it. false: skipped. */
static bool play_group(struct play *p, const struct sto_conf *g, const char *const *keys)
{
    size_t errors = sto_diags_errors(p->l->diags);
    sto_conf_known(g, keys, p->journey ? "journey" : "scenario", p->l->diags);
    const struct sto_conf *name = sto_conf_need(g, "name", STO_CONF_STRING, p->l->diags);
    p->name = name ? name->s : "?";
    play_shows(p, g);
    (void)sto_conf_str(g, "text", NULL, p->l->diags);
    bool fits = network_fits(p, g);
    if (fits && sto_diags_errors(p->l->diags) == errors) {
        play_timeline(p, g);
    }
    world_destroy(&p->w);
    free(p->cases);
    p->cases = NULL;
    p->n_cases = p->cap_cases = 0;
    return fits;
}

static struct play *play_new(struct load *l, const struct scenario_book *book,
                             const workflow_t *own, struct covers *covers)
{
    struct play *p = sto_xcalloc(1, sizeof *p);
    *p = (struct play){.l = l,
                       .book = book,
                       .net = book->net,
                       .own = own,
                       .covers = covers,
                       .journey = own == NULL,
                       .name = "?"};
    return p;
}

/* --------------------------------------------------------------- scenarios */

static void run_all(struct load *l, const struct sto_conf *list, const workflow_t *wf,
                    const struct scenario_book *book, struct covers *covers,
                    struct scenario_totals *totals)
{
    static const char *const keys[] = {"name", "text", "network", "shows", PLAY_KEYS, NULL};
    for (const struct sto_conf *s = list->child; s; s = s->next) {
        size_t errors = sto_diags_errors(l->diags);
        struct play *p = play_new(l, book, wf, covers);
        totals->scenarios++;
        if (s->type == STO_CONF_GROUP) {
            totals->skipped += !play_group(p, s, keys);
        } else {
            load_err(l, s, "wrong-type", "a scenario must be a group { }");
        }
        totals->failed += sto_diags_errors(l->diags) > errors;
        free(p);
    }
}

/* The file's root, whose one setting is `key`; NULL with errors. */
static const struct sto_conf *root_of(struct load *l, const struct model_file *file,
                                      const char *key, enum sto_conf_type type)
{
    const char *const keys[] = {key, NULL};
    const struct sto_conf *root = NULL;
    if (sto_conf_parse(file->name, file->text, file->len, l->arena, l->diags, &root) != 0 ||
        !root) {
        return NULL;
    }
    sto_conf_known(root, keys, "file", l->diags);
    return sto_conf_need(root, key, type, l->diags);
}

int scenario_run(const struct model_file *file, const workflow_t *wf,
                 const struct scenario_book *book, sto_diags_t *diags,
                 struct scenario_totals *totals)
{
    struct scenario_totals sum = {0};
    size_t errors = sto_diags_errors(diags);
    sto_arena_t *arena = sto_arena_new(TREE_ARENA_BYTES);
    struct load l = {.arena = arena, .scratch = arena, .diags = diags};
    struct covers *covers = covers_new(book->net);
    const struct sto_conf *list = root_of(&l, file, "scenarios", STO_CONF_LIST);
    if (list) {
        run_all(&l, list, wf, book, covers, &sum);
        covers_report(covers, wf, &l, file->name, &sum);
    }
    covers_destroy(&covers);
    sto_arena_destroy(&arena);
    if (totals) {
        *totals = sum;
    }
    return sto_diags_errors(diags) > errors
               ? sto_fail(NULL, STO_E_CONFIG, "the scenarios of '%s' fail", file->name)
               : 0;
}

/* ---------------------------------------------------------------- journeys */

static void journey_play(struct load *l, const struct sto_conf *g, const struct scenario_book *book,
                         struct covers *covers, struct journey_totals *sum)
{
    static const char *const keys[] = {"name",  "source", "text",     "network",
                                       "shows", "at",     "timeline", NULL};
    struct play *p = play_new(l, book, NULL, covers);
    (void)sto_conf_str(g, "source", NULL, l->diags);
    sum->skipped = !play_group(p, g, keys);
    sum->events = p->events;
    sum->cases = p->cases_opened;
    sum->n_workflows = covers_count(covers);
    for (unsigned i = 0; i < sum->n_workflows && i < JOURNEY_WORKFLOWS_MAX; i++) {
        sum->workflows[i].wf = covers_at(covers, i, &sum->workflows[i].reached);
    }
    free(p);
}

int journey_run(const struct model_file *file, const struct scenario_book *book, sto_diags_t *diags,
                struct journey_totals *totals)
{
    struct journey_totals sum = {0};
    size_t errors = sto_diags_errors(diags);
    sto_arena_t *arena = sto_arena_new(TREE_ARENA_BYTES);
    struct load l = {.arena = arena, .scratch = arena, .diags = diags};
    struct covers *covers = covers_new(book->net);
    const struct sto_conf *g = root_of(&l, file, "journey", STO_CONF_GROUP);
    if (g) {
        journey_play(&l, g, book, covers, &sum);
    }
    sum.failed = sto_diags_errors(diags) > errors;
    covers_destroy(&covers);
    sto_arena_destroy(&arena);
    if (totals) {
        *totals = sum;
    }
    return sum.failed ? sto_fail(NULL, STO_E_CONFIG, "the journey '%s' fails", file->name) : 0;
}
