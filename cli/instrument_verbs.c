/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto instrument: the questionnaires of workflows/instruments/, and answers as a profile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow_source.h"
#include "model.h"
#include "nouns.h"
#include "profile.h"
#include "sto_file.h"

static const char *const SCALES[] = {
    [SCALE_PERCENT] = "percent", [SCALE_SUM] = "sum", [SCALE_MEAN] = "mean"};

static int lang_of(const struct cli *c, int *lang, struct sto_err *err)
{
    static const char *const names[INSTRUMENT_LANGS] = {"fi", "sv", "en"};
    const char *given = cli_option(c, "lang");

    *lang = INSTRUMENT_EN;
    for (int k = 0; k < INSTRUMENT_LANGS; k++) {
        if (given != NULL && strcmp(given, names[k]) == 0) {
            *lang = k;
            return 0;
        }
    }
    return given == NULL ? 0 : sto_fail(err, STO_E_USAGE, "language '%s' is not known", given);
}

/* The network's instruments; the network is owned by the caller. */
static int network_of(const struct cli *c, network_t **net, struct sto_err *err)
{
    struct flow_sources sources = {0};
    sto_diags_t *diags = sto_diags_new();
    char *home = sto_home_dir();
    int rc = flow_sources_all(home, cli_option(c, "network"), &sources, err);

    if (rc == 0) {
        rc = model_network_dir(sources.network, diags, net, err);
        model_print_diags(diags);
    }
    flow_sources_release(&sources);
    sto_diags_destroy(&diags);
    free(home);
    return rc;
}

static int find(const network_t *net, const char *id, const struct instrument **out,
                struct sto_err *err)
{
    const char *names[STO_INSTRUMENTS_MAX + 1] = {NULL};

    *out = network_instrument(net, id);
    if (*out != NULL) {
        return 0;
    }
    for (unsigned k = 0; k < net->n_instruments; k++) {
        names[k] = net->instruments[k].id;
    }
    const char *near = sto_nearest(id, names);
    sto_fail(err, STO_E_NOT_FOUND, "there is no instrument '%s'", id);
    if (near != NULL) {
        sto_err_fix(err, "did you mean '%s'", near);
    } else {
        sto_err_fix(err, "saatto instrument list names them");
    }
    return -STO_E_NOT_FOUND;
}

/* ----------------------------------------------------------------- list, show */

static const char *const list_columns[] = {"id=INSTRUMENT", "title=TITLE",   "items=ITEMS",
                                           "sums=SUMS",     "source=SOURCE", NULL};

static int instrument_list(struct cli *c, struct sto_err *err)
{
    network_t *net = NULL;
    int lang = 0, rc = lang_of(c, &lang, err);

    rc = rc != 0 ? rc : network_of(c, &net, err);
    if (rc == 0) {
        output_table(&c->out, list_columns);
        for (unsigned k = 0; k < net->n_instruments; k++) {
            const struct instrument *t = &net->instruments[k];
            output_row(&c->out,
                       json_pack("{s:s, s:s, s:i, s:i, s:s}", "id", t->id, "title", t->title[lang],
                                 "items", t->items, "sums", t->n_sums, "source", t->source));
        }
        output_table_end(&c->out, "no instrument stands in workflows/instruments/");
    }
    network_destroy(&net);
    return rc;
}

static const char *const show_columns[] = {"sum=SUM",     "label=LABEL",       "scale=SCALE",
                                           "least=LEAST", "greatest=GREATEST", "items=ITEMS",
                                           NULL};

static json_t *items_of(const struct instrument *t, const struct instrument_sum *s)
{
    char *text = sto_asprintf("%s", "");

    for (unsigned k = 0; k < s->n_items; k++) {
        char *longer = sto_asprintf("%s%s%s%s", text, k > 0 ? " " : "", s->reversed[k] ? "-" : "",
                                    t->names[s->items[k]]);
        free(text);
        text = longer;
    }
    json_t *j = json_string(text);
    free(text);
    return j;
}

static int instrument_show(struct cli *c, struct sto_err *err)
{
    network_t *net = NULL;
    const struct instrument *t = NULL;
    int lang = 0, rc = lang_of(c, &lang, err);

    rc = rc != 0 ? rc : network_of(c, &net, err);
    rc = rc != 0 ? rc : find(net, c->words[0], &t, err);
    if (rc == 0) {
        output_say(&c->out, "%s: %u items, answers %lld to %lld, category %s", t->title[lang],
                   t->items, (long long)t->min, (long long)t->max, t->category);
        output_table(&c->out, show_columns);
        for (unsigned k = 0; k < t->n_sums; k++) {
            const struct instrument_sum *s = &t->sums[k];
            int64_t least, greatest;
            instrument_range(t, s, &least, &greatest);
            output_row(&c->out, json_pack("{s:s, s:s, s:s, s:I, s:I, s:o}", "sum", s->id, "label",
                                          s->label[lang], "scale", SCALES[s->scale], "least",
                                          (json_int_t)(least / 100), "greatest",
                                          (json_int_t)(greatest / 100), "items", items_of(t, s)));
        }
        output_table_end(&c->out, "");
    }
    network_destroy(&net);
    return rc;
}

/* -------------------------------------------------------------------- profile */

static json_t *number(bool known, int64_t hundredths)
{
    return known ? json_real((double)hundredths / 100) : json_null();
}

static void say_profile(struct cli *c, const struct profile *p, int lang)
{
    static const char *const names[] = {"beginning", "middle", "end"};
    char headings[PROFILE_SERIES_MAX][48];
    const char *columns[8] = {"sum=SUM", "label=LABEL"};
    unsigned n = 2;

    for (unsigned k = 0; k < p->n; k++) {
        snprintf(headings[k], sizeof headings[k], "%s=%s", names[p->series[k].point],
                 profile_point_name(p->series[k].point, lang));
        columns[n++] = headings[k];
    }
    columns[n] = p->n > 1 ? "change=CHANGE" : NULL;
    output_table(&c->out, columns);
    for (unsigned s = 0; s < p->instrument->n_sums; s++) {
        const struct instrument_sum *sum = &p->instrument->sums[s];
        json_t *row = json_pack("{s:s, s:s}", "sum", sum->id, "label", sum->label[lang]);
        for (unsigned k = 0; k < p->n; k++) {
            const struct score *x = &p->series[k].scores[s];
            json_object_set_new(row, names[p->series[k].point], number(x->known, x->hundredths));
        }
        int64_t change = 0;
        bool known = profile_change(p, s, &change);
        if (p->n > 1) {
            json_object_set_new(row, "change", number(known, change));
        }
        output_row(&c->out, row);
    }
    output_table_end(&c->out, "");
}

static int write_svg(struct cli *c, const struct profile *p, int lang, const char *path,
                     struct sto_err *err)
{
    struct sto_buf svg;

    sto_buf_init(&svg, 0);
    profile_svg(p, lang, &svg);
    int rc = sto_file_write(path, svg.data, svg.len, 0644, err);
    if (rc == 0) {
        output_say(&c->out, "picture: %s", path);
    }
    sto_buf_release(&svg);
    return rc;
}

static int instrument_profile(struct cli *c, struct sto_err *err)
{
    network_t *net = NULL;
    struct profile *p = sto_xcalloc(1, sizeof *p);
    const char *answers = NULL, *compare, *svg = cli_option(c, "svg");
    int lang = 0, rc = lang_of(c, &lang, err);

    rc = rc != 0 ? rc : cli_need(c, "answers", &answers, err);
    rc = rc != 0 ? rc : network_of(c, &net, err);
    rc = rc != 0 ? rc : find(net, c->words[0], &p->instrument, err);
    rc = rc != 0 ? rc : profile_add(p, answers, err);
    for (size_t k = 0; rc == 0 && (compare = cli_option_at(c, "compare", k)) != NULL; k++) {
        rc = profile_add(p, compare, err);
    }
    rc = rc != 0 ? rc : profile_settle(p, err);
    if (rc == 0) {
        say_profile(c, p, lang);
    }
    if (rc == 0 && svg != NULL) {
        rc = write_svg(c, p, lang, svg, err);
    }
    free(p);
    network_destroy(&net);
    return rc;
}

/* ---------------------------------------------------------------------- table */

#define O_NETWORK                                                                                  \
    {                                                                                              \
        "network", "DIR",                                                                          \
            "whose categories are meant: a folder, or an id (default: the first by name)"          \
    }
#define O_LANG                                                                                     \
    {                                                                                              \
        "lang", "fi|sv|en", "language of titles and labels (en)"                                   \
    }

static const struct option_row list_options[] = {O_NETWORK, O_LANG, {0}};
static const struct option_row profile_options[] = {
    {"answers", "CSV", "a CSV file, or the answers by commas, one or nothing for each item"},
    {"compare", "CSV", "the same of a later point; may be repeated"},
    {"svg", "FILE", "also draw it, all points over one another"},
    O_NETWORK,
    O_LANG,
    {0}};

const struct verb instrument_verbs[] = {
    {.name = "list",
     .words = "",
     .options = list_options,
     .help = "Lists the questionnaires of workflows/instruments/",
     .run = instrument_list},
    {.name = "show",
     .words = "ID",
     .words_min = 1,
     .words_max = 1,
     .options = list_options,
     .help = "Shows a questionnaire's sums, their ranges and items",
     .run = instrument_show},
    {.name = "profile",
     .words = "ID",
     .words_min = 1,
     .words_max = 1,
     .options = profile_options,
     .help = "Scores answers: a figure for each sum, at the beginning, in the middle, at the end",
     .more = "Without a column `point` the first filling-in is the beginning and the last the end. "
             "docs/reference/instruments.md\nsays what a CSV file holds.",
     .run = instrument_profile},
    {0},
};
