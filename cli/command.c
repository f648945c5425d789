/* SPDX-License-Identifier: EUPL-1.2 */
/* Parsing of the command line against the tables; help is in command_help.c. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"
#include "sto_conf.h"

const struct option_row command_common[] = {
    {"output", "FORMAT", "text, json or jsonl (also -o); with json nothing else is on stdout"},
    {"var", "DIR", "installation folder (default: $SAATTO_VAR, else ./var)"},
    {"help", NULL, "what this command does (also -h)"},
    {0},
};

#define NAMES_MAX 64

/* ", did you mean 'x'?" as the error's fix, else what there is. */
static int unknown(struct sto_err *err, const char *what, const char *got, const char *const *names)
{
    const char *near = sto_nearest(got, names);
    int rc = sto_fail(err, STO_E_USAGE, "there is no %s '%s'", what, got);

    if (near != NULL) {
        sto_err_fix(err, "did you mean '%s'", near);
        return rc;
    }
    char list[160] = "";
    size_t n = 0;
    for (size_t i = 0; names[i] != NULL && n + strlen(names[i]) + 3 < sizeof list; i++) {
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i != 0 ? ", " : "", names[i]);
    }
    sto_err_fix(err, "one of: %s", list);
    return rc;
}

static const struct noun *noun_by_name(const char *name)
{
    for (const struct noun *n = command_nouns; n->name != NULL; n++) {
        if (strcmp(n->name, name) == 0) {
            return n;
        }
    }
    return NULL;
}

static int find_noun(const char *name, const struct noun **out, struct sto_err *err)
{
    const char *names[NAMES_MAX + 1];
    size_t n = 0;

    *out = noun_by_name(name);
    if (*out != NULL) {
        return 0;
    }
    for (const struct noun *k = command_nouns; k->name != NULL && n < NAMES_MAX; k++) {
        if (!k->hidden) {
            names[n++] = k->name;
        }
    }
    names[n] = NULL;
    return unknown(err, "command", name, names);
}

/* The verb that words[0] (and words[1], for names of two words) gives. *used: how many words it
 * took. */
static int find_verb(const struct noun *noun, const char *const *words, size_t n_words,
                     const struct verb **out, size_t *used, struct sto_err *err)
{
    const char *names[NAMES_MAX + 1];
    size_t n = 0;
    char two[96];

    snprintf(two, sizeof two, "%s %s", n_words > 0 ? words[0] : "", n_words > 1 ? words[1] : "");
    for (const struct verb *v = noun->verbs; v->name != NULL; v++) {
        bool alone = v->name[0] == '\0';
        bool one = n_words > 0 && strcmp(v->name, words[0]) == 0;
        if (alone || one || strcmp(v->name, two) == 0) {
            *out = v;
            *used = alone ? 0 : one ? 1 : 2;
            return 0;
        }
        if (!v->hidden && n < NAMES_MAX) {
            names[n++] = v->name;
        }
    }
    names[n] = NULL;
    if (n_words == 0) {
        sto_fail(err, STO_E_USAGE, "'%s' needs a verb", noun->name);
        sto_err_fix(err, "see saatto %s --help", noun->name);
        return -STO_E_USAGE;
    }
    char what[64];
    snprintf(what, sizeof what, "verb of '%s' called", noun->name);
    bool first_of_two = false;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(words[0]);
        first_of_two =
            first_of_two || (strncmp(names[i], words[0], len) == 0 && names[i][len] == ' ');
    }
    return unknown(err, what, first_of_two ? two : words[0], names);
}

static const struct option_row *option_in(const struct option_row *rows, const char *name,
                                          size_t len)
{
    for (; rows != NULL && rows->name != NULL; rows++) {
        if (strlen(rows->name) == len && strncmp(rows->name, name, len) == 0) {
            return rows;
        }
    }
    return NULL;
}

static int unknown_option(const struct verb *v, const char *name, size_t len, struct sto_err *err)
{
    const char *names[NAMES_MAX + 1];
    char got[64];
    size_t n = 0;

    for (const struct option_row *r = v->options; r != NULL && r->name != NULL && n < NAMES_MAX;
         r++) {
        names[n++] = r->name;
    }
    for (const struct option_row *r = command_common; r->name != NULL && n < NAMES_MAX; r++) {
        names[n++] = r->name;
    }
    names[n] = NULL;
    snprintf(got, sizeof got, "%.*s", (int)(len < 60 ? len : 60), name);
    const char *near = sto_nearest(got, names);
    int rc = sto_fail(err, STO_E_USAGE, "there is no option '--%s' here", got);
    if (near != NULL) {
        sto_err_fix(err, "did you mean '--%s'", near);
    } else {
        sto_err_fix(err, "see --help");
    }
    return rc;
}

static int take_common(struct cli *c, const char *name, const char *value, struct sto_err *err)
{
    if (strcmp(name, "help") == 0) {
        c->help = true;
        return 0;
    }
    STO_ASSERT(value != NULL); /* the table says that the others have one */
    if (strcmp(name, "var") == 0) {
        c->var = value;
    } else if (strcmp(value, "text") == 0) {
        c->mode = OUTPUT_TEXT;
    } else if (strcmp(value, "json") == 0) {
        c->mode = OUTPUT_JSON;
    } else if (strcmp(value, "jsonl") == 0) {
        c->mode = OUTPUT_JSONL;
    } else {
        sto_fail(err, STO_E_USAGE, "option '--output' is text, json or jsonl, got '%s'", value);
        return -STO_E_USAGE;
    }
    return 0;
}

/* argv[*i] begins with a dash. The verb may not be known yet (options before it): then only common
 * ones. */
static int take_option(int argc, char **argv, int *i, struct cli *c, struct sto_err *err)
{
    const char *word = argv[*i];
    const char *value = NULL;
    const char *name = word + 2;
    size_t len;

    if (word[1] != '-') {
        name = word[1] == 'o' ? "output" : word[1] == 'h' && word[2] == '\0' ? "help" : NULL;
        if (name == NULL) {
            sto_fail(err, STO_E_USAGE, "there is no option '%s'", word);
            sto_err_fix(err,
                        "short options are -o FORMAT and -h; all others begin with two dashes");
            return -STO_E_USAGE;
        }
        value = word[1] == 'o' && word[2] != '\0' ? word + 2 + (word[2] == '=') : NULL;
        len = strlen(name);
    } else {
        len = strcspn(name, "=");
        value = name[len] == '=' ? name + len + 1 : NULL;
    }
    const struct option_row *common = option_in(command_common, name, len);
    const struct option_row *own = c->verb != NULL ? option_in(c->verb->options, name, len) : NULL;
    const struct option_row *row = own != NULL ? own : common;
    if (row == NULL) {
        static const struct verb none = {.name = ""};
        return unknown_option(c->verb != NULL ? c->verb : &none, name, len, err);
    }
    if (row->value == NULL && value != NULL) {
        return sto_fail(err, STO_E_USAGE, "option '--%s' takes no value", row->name);
    }
    if (row->value != NULL && value == NULL) {
        if (*i + 1 >= argc) {
            return sto_fail(err, STO_E_USAGE, "option '--%s' needs a value (%s)", row->name,
                            row->value);
        }
        value = argv[++*i];
    }
    if (own == NULL) {
        return take_common(c, row->name, value, err);
    }
    c->given[c->n_given].option = row;
    c->given[c->n_given++].value = value != NULL ? value : "";
    return 0;
}

/* First pass: which noun and verb? Options before the verb's end are skipped, with their values
 * where they are common. */
static int find_command(int argc, char **argv, struct cli *c, size_t *used, struct sto_err *err)
{
    const char *words[3];
    size_t n = 0;

    for (int i = 0; i < argc && n < 3; i++) {
        if (strcmp(argv[i], "--") == 0) {
            break;
        }
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            bool apart = strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--output") == 0 ||
                         strcmp(argv[i], "--var") == 0;
            c->help = c->help || strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0;
            i += apart;
            /* an option of the verb: what follows it cannot belong to the verb's name */
            if (!apart && n > 0 && strcmp(argv[i], "--help") != 0) {
                break;
            }
            continue;
        }
        words[n++] = argv[i];
    }
    if (n == 0) {
        if (c->help) {
            return 0;
        }
        sto_fail(err, STO_E_USAGE, "what shall be done?");
        sto_err_fix(err, "see saatto --help");
        return -STO_E_USAGE;
    }
    int rc = find_noun(words[0], &c->noun, err);
    if (rc != 0 || (n == 1 && c->help && c->noun->verbs[0].name[0] != '\0')) {
        return rc;
    }
    size_t of_verb = 0;
    rc = find_verb(c->noun, words + 1, n - 1, &c->verb, &of_verb, err);
    *used = 1 + of_verb;
    return rc;
}

static int check_words(const struct cli *c, struct sto_err *err)
{
    const struct verb *v = c->verb;

    if (c->help || (c->n_words >= v->words_min && c->n_words <= v->words_max)) {
        return 0;
    }
    if (c->n_words > v->words_max) {
        sto_fail(err, STO_E_USAGE, "'%s' is one word too many", c->words[v->words_max]);
    } else {
        sto_fail(err, STO_E_USAGE, "'%s%s%s' needs %s", c->noun->name, v->name[0] ? " " : "",
                 v->name, v->words);
    }
    sto_err_fix(err, "see saatto %s%s%s --help", c->noun->name, v->name[0] ? " " : "", v->name);
    return -STO_E_USAGE;
}

int command_parse(int argc, char **argv, struct cli *c, struct sto_err *err)
{
    size_t skip = 0;
    bool only_words = false;

    *c = (struct cli){.mode = OUTPUT_TEXT};
    c->words = sto_xcalloc((size_t)argc + 1, sizeof *c->words);
    c->given = sto_xcalloc((size_t)argc + 1, sizeof *c->given);
    int rc = find_command(argc, argv, c, &skip, err);
    if (rc != 0 || c->verb == NULL) {
        return rc;
    }
    for (int i = 0; i < argc && rc == 0; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
            rc = take_option(argc, argv, &i, c, err);
        } else if (skip > 0) {
            skip--;
        } else if (c->n_words < COMMAND_ARGS_MAX) {
            c->words[c->n_words++] = argv[i];
        }
    }
    return rc != 0 ? rc : check_words(c, err);
}

void command_release(struct cli *c)
{
    free(c->words);
    free(c->given);
    c->words = NULL;
    c->given = NULL;
    c->n_words = c->n_given = 0;
}

const char *cli_option(const struct cli *c, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < c->n_given; i++) {
        if (strcmp(c->given[i].option->name, name) == 0) {
            value = c->given[i].value;
        }
    }
    return value;
}

bool cli_flag(const struct cli *c, const char *name)
{
    return cli_option(c, name) != NULL;
}

const char *cli_option_at(const struct cli *c, const char *name, size_t n)
{
    for (size_t i = 0; i < c->n_given; i++) {
        if (strcmp(c->given[i].option->name, name) == 0 && n-- == 0) {
            return c->given[i].value;
        }
    }
    return NULL;
}

int cli_option_int(const struct cli *c, const char *name, int64_t fallback, int64_t min,
                   int64_t max, int64_t *out, struct sto_err *err)
{
    const char *text = cli_option(c, name);
    char *end = NULL;

    *out = fallback;
    if (text == NULL) {
        return 0;
    }
    long long v = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || v < min || v > max) {
        return sto_fail(err, STO_E_USAGE, "option '--%s' must be %lld..%lld, got '%s'", name,
                        (long long)min, (long long)max, text);
    }
    *out = v;
    return 0;
}

int cli_need(const struct cli *c, const char *name, const char **out, struct sto_err *err)
{
    *out = cli_option(c, name);
    if (*out == NULL || (*out)[0] == '\0') {
        return sto_fail(err, STO_E_USAGE, "option '--%s' is needed", name);
    }
    return 0;
}
