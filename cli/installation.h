/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * An installation folder (var/): where the running broker listens, how its databases are reached,
 * where the keys lie. `saatto dev` writes it; every other command finds everything here.
 *
 *   saatto.json    endpoint, http, server_key, network, manual_clock, dsn {core, read, deploy,
 * keys, admin}, pids pg/ keys/ run/ log/ workers/<org>/ starts.jsonl
 */
#ifndef INSTALLATION_H
#define INSTALLATION_H
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "sto_err.h"

typedef struct installation installation_t;
struct installation {
    char *var;  /* absolute */
    char *home; /* holds workflows/ and deploy/ */
    json_t *json;
    const char *endpoint, *http, *server_key, *network; /* in json */
    const char *dsn_read, *dsn_deploy;
    bool manual_clock;
};

/* --var, else $SAATTO_VAR, else ./var; absolute, malloc'd. */
char *installation_var(const struct cli *c);
/* Reads var/saatto.json; STO_E_UNREACHABLE without one. */
int installation_open(const struct cli *c, installation_t **out, struct sto_err *err);
void installation_close(installation_t **self_p);
/* printf of a path below var; malloc'd. */
char *installation_path(const installation_t *self, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Writes json as var/saatto.json (0600). */
int installation_write(const char *var, const json_t *json, struct sto_err *err);

#endif
