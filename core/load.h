/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the loaders of network files and of workflow files share: getters that report a fault at its
 * line and go on, so that one run shows every fault. Strings given out live in the model's arena.
 * Internal to core/.
 */
#ifndef LOAD_H
#define LOAD_H
#include "network.h"
#include "sto_conf.h"
#include "sto_time.h"
#include <stdbool.h>
#include <stdint.h>

struct load {
    sto_arena_t *arena;   /* of the model: lives as long as it */
    sto_arena_t *scratch; /* of the files' trees: gone after loading */
    sto_diags_t *diags;
};

/* An error at a node: "what 'value': expected; how to mend it". */
void load_err(struct load *l, const struct sto_conf *at, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void load_warn(struct load *l, const struct sto_conf *at, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* load_err(), with "; did you mean 'near'?" if one of names[] (NULL-terminated) is near. */
void load_unknown(struct load *l, const struct sto_conf *at, const char *code, const char *what,
                  const char *value, const char *const *names);

/* Copy into the model; "" past the arena's cap (an error has then been added). */
const char *load_keep(struct load *l, const char *s);
void *load_alloc(struct load *l, size_t bytes);
/* Lower-case letters, digits and hyphens, a letter first, at most STO_NAME_BYTES_MAX. */
bool load_id_valid(const char *s);
bool load_check_id(struct load *l, const struct sto_conf *at, const char *what, const char *id);

/* A string in limits, kept; absent -> fallback, empty or longer -> error. */
const char *load_str(struct load *l, const struct sto_conf *g, const char *key,
                     const char *fallback, size_t bytes_max);
const char *load_need_str(struct load *l, const struct sto_conf *g, const char *key);
/* A group that must be there or may be absent; wrong type -> error, NULL. */
const struct sto_conf *load_group(struct load *l, const struct sto_conf *g, const char *key);
/* Calls each(arg, element) for each string of an array, list or single string under key; returns
   how many; absent -> 0. More than max -> error. */
typedef void load_string_fn(void *arg, const struct sto_conf *at, const char *s);
unsigned load_strings(struct load *l, const struct sto_conf *g, const char *key, unsigned max,
                      load_string_fn *each, void *arg);

struct sto_duration load_duration(struct load *l, const struct sto_conf *g, const char *key,
                                  struct sto_duration fallback);
/* valid = [ "2001-01-01", "2024-12-31" ]; "" or absence is open. */
struct validity load_validity(struct load *l, const struct sto_conf *g);
/* Index of s in names[] (NULL-terminated), or -1 with an error that lists them. */
int load_choice(struct load *l, const struct sto_conf *at, const char *s, const char *what,
                const char *const *names);

#endif
