/* SPDX-License-Identifier: EUPL-1.2 */
#include "installation.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sto_arena.h"
#include "sto_file.h"

#define FILE_BYTES_MAX (1u << 20)

static char *absolute(const char *path)
{
    char cwd[PATH_MAX];

    if (path[0] == '/' || getcwd(cwd, sizeof cwd) == NULL) {
        return sto_xstrdup(path);
    }
    while (path[0] == '.' && path[1] == '/') {
        path += 2;
    }
    return sto_asprintf("%s/%s", cwd, path);
}

char *installation_var(const struct cli *c)
{
    const char *given = c->var != NULL ? c->var : getenv("SAATTO_VAR");

    return absolute(given != NULL && given[0] != '\0' ? given : "var");
}

static const char *text_of(const json_t *json, const char *key)
{
    const char *s = json_string_value(json_object_get(json, key));

    return s != NULL ? s : "";
}

int installation_open(const struct cli *c, installation_t **out, struct sto_err *err)
{
    char *var = installation_var(c);
    char *path = sto_asprintf("%s/saatto.json", var);
    char *text = NULL;
    size_t n = 0;
    json_error_t fault;
    int rc = 0;

    if (access(path, R_OK) != 0) {
        rc = sto_fail(err, STO_E_UNREACHABLE, "no Saatto is installed in '%s'", var);
        sto_err_fix(err,
                    "start one with `saatto dev`, or say where it is with --var DIR or SAATTO_VAR");
    } else {
        rc = sto_file_read(path, FILE_BYTES_MAX, &text, &n, err);
    }
    json_t *json = rc == 0 ? json_loads(text, 0, &fault) : NULL;
    if (rc == 0 && json == NULL) {
        rc = sto_fail(err, STO_E_CONFIG, "'%s' line %d: %s", path, fault.line, fault.text);
    }
    free(text);
    free(path);
    if (rc != 0) {
        free(var);
        return rc;
    }
    installation_t *self = sto_xcalloc(1, sizeof *self);
    const json_t *dsn = json_object_get(json, "dsn");
    *self = (installation_t){.var = var,
                             .home = sto_home_dir(),
                             .json = json,
                             .endpoint = text_of(json, "endpoint"),
                             .http = text_of(json, "http"),
                             .server_key = text_of(json, "server_key"),
                             .network = text_of(json, "network"),
                             .dsn_read = text_of(dsn, "read"),
                             .dsn_deploy = text_of(dsn, "deploy"),
                             .manual_clock = json_is_true(json_object_get(json, "manual_clock"))};
    *out = self;
    return 0;
}

void installation_close(installation_t **self_p)
{
    if (*self_p != NULL) {
        free((*self_p)->var);
        free((*self_p)->home);
        json_decref((*self_p)->json);
        free(*self_p);
        *self_p = NULL;
    }
}

char *installation_path(const installation_t *self, const char *fmt, ...)
{
    char tail[PATH_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(tail, sizeof tail, fmt, ap);
    va_end(ap);
    return sto_asprintf("%s/%s", self->var, tail);
}

int installation_write(const char *var, const json_t *json, struct sto_err *err)
{
    char *path = sto_asprintf("%s/saatto.json", var);
    char *text = json_dumps(json, JSON_INDENT(2));
    int rc = text == NULL ? sto_fail(err, STO_E_INTERNAL, "could not write JSON")
                          : sto_file_write(path, text, strlen(text), 0600, err);

    free(text);
    free(path);
    return rc;
}
