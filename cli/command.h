/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The command line as data: nouns, their verbs, the options of each. One table drives parsing,
 * --help of all levels, completion and the reference page. Parsing reads argv only; what a verb
 * does lives in the file of its noun.
 */
#ifndef COMMAND_H
#define COMMAND_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output.h"
#include "sto_err.h"

#define COMMAND_ARGS_MAX 4096 /* words after the verb */

struct option_row {
    const char *name;  /* without the dashes */
    const char *value; /* what stands for its value in the help; NULL = a flag */
    const char *help;
};

struct cli;
struct verb {
    const char *name;  /* "list"; two words are fine ("key add"); "" = the noun alone */
    const char *words; /* positional words as the help shows them, "" = none */
    unsigned words_min, words_max;
    const struct option_row *options;               /* ends with name NULL; may be NULL */
    const char *help;                               /* one line */
    const char *more;                               /* more lines of the help; may be NULL */
    int (*run)(struct cli *c, struct sto_err *err); /* 0, or a negative code */
    bool hidden;
    const void *data; /* the verb's own */
};
struct noun {
    const char *name;
    const char *help;
    const struct verb *verbs; /* ends with name NULL */
    bool hidden;
};

/* One parsed command. Everything borrowed from argv and the tables. */
struct cli {
    const struct noun *noun;
    const struct verb *verb;
    bool help;
    const char *var; /* installation folder */
    enum output_mode mode;
    struct output out;
    const char **words;
    size_t n_words;
    struct {
        const struct option_row *option;
        const char *value; /* "" for a flag */
    } * given;
    size_t n_given;
};

/* All nouns; ends with name NULL. */
extern const struct noun command_nouns[];
/* Options that every verb has. */
extern const struct option_row command_common[];

/* argv without the program's name. STO_E_USAGE names the nearest noun, verb or option. noun and
   verb may stay NULL when --help was given. */
int command_parse(int argc, char **argv, struct cli *c, struct sto_err *err);
void command_release(struct cli *c);

/* Value of an option, NULL = not given (the last one wins). */
const char *cli_option(const struct cli *c, const char *name);
bool cli_flag(const struct cli *c, const char *name);
/* The n-th value (from 0) of an option that may be repeated; NULL = no more. */
const char *cli_option_at(const struct cli *c, const char *name, size_t n);
/* A decimal option inside limits; absent -> fallback. */
int cli_option_int(const struct cli *c, const char *name, int64_t fallback, int64_t min,
                   int64_t max, int64_t *out, struct sto_err *err);
int cli_need(const struct cli *c, const char *name, const char **out, struct sto_err *err);

/* Help: of everything (noun NULL), of a noun, of a verb. */
void command_help(const struct noun *n, const struct verb *v, FILE *out);
void command_help_markdown(FILE *out);
void command_completion_bash(FILE *out);

#endif
