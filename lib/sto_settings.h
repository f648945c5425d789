/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One static table of settings for each program drives parsing, validation,
 * --print-config and the reference page.
 */
#ifndef STO_SETTINGS_H
#define STO_SETTINGS_H
#include "sto_conf.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum sto_setting_type { STO_SET_INT, STO_SET_BOOL, STO_SET_STRING, STO_SET_PATH };
struct sto_setting {
    const char *key;
    enum sto_setting_type type;
    const char *def;  /* text of the default; NULL = required */
    int64_t min, max; /* INT: value; STRING: length */
    const char *unit; /* "ms", "bytes", "" */
    bool reloadable;
    const char *help;
};
typedef struct sto_settings sto_settings_t;
/* table borrowed, must outlive it; ends with key NULL. */
sto_settings_t *sto_settings_new(const struct sto_setting *table);
void sto_settings_destroy(sto_settings_t **self_p);
/* Reads a file; PATH values relative to the file's folder become absolute. All errors into diags.
 */
int sto_settings_load(sto_settings_t *self, const char *path, sto_diags_t *diags,
                      struct sto_err *err);
/* "key=value" of a command line, checked alike. */
int sto_settings_set(sto_settings_t *self, const char *assignment, struct sto_err *err);
int64_t sto_settings_int(const sto_settings_t *self, const char *key);
bool sto_settings_bool(const sto_settings_t *self, const char *key);
const char *sto_settings_str(const sto_settings_t *self, const char *key);
void sto_settings_print(const sto_settings_t *self, FILE *out); /* --print-config: loadable again */
void sto_settings_print_reference(const struct sto_setting *table, FILE *out); /* markdown table */

#endif
