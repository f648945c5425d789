/* SPDX-License-Identifier: EUPL-1.2 */
#include "worker_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "adapter.h"
#include "sto_crypto.h"
#include "sto_file.h"

#define KEY_FILE_BYTES_MAX 4096

const struct sto_setting worker_settings[] = {
    {"organisation", STO_SET_STRING, NULL, 1, 64, "", false,
     "id of the organisation; the key must be registered for it"},
    {"endpoint", STO_SET_STRING, "tcp://127.0.0.1:7700", 6, 1000, "", false,
     "the broker's gate; several separated by a comma"},
    {"server-key", STO_SET_STRING, NULL, 1, 400, "", false,
     "the gate's public key (40 characters of Z85), or a file whose first line it is"},
    {"key", STO_SET_PATH, NULL, 1, 400, "", false,
     "file with the organisation's CURVE key pair: two lines, public then secret, Z85; mode 0600"},
    {"state-dir", STO_SET_PATH, NULL, 1, 400, "", false,
     "folder of this process alone: outbox, plans, failures"},
    {"adapter", STO_SET_STRING, "policy", 1, 32, "", false,
     "how deliveries are answered: exec (a program) or policy (a modelled organisation)"},
    {"credit", STO_SET_INT, "256", 1, 1024, "deliveries", false,
     "deliveries that may be in flight to this process"},
    {"program", STO_SET_PATH, "", 0, 400, "", false,
     "exec: the program; JSON on its input and output, exit 0 done, 75 later, else permanent"},
    {"children", STO_SET_INT, "4", 1, 64, "processes", false,
     "exec: programs that may run at once"},
    {"time-limit", STO_SET_INT, "60000", 10, 3600000, "ms", false,
     "exec: a program that runs longer is ended (SIGTERM, then SIGKILL)"},
    {"output-limit", STO_SET_INT, "262144", 1024, 16777216, "bytes", false,
     "exec: a program that writes more is ended"},
    {"defer", STO_SET_INT, "60000", 100, 86400000, "ms", false,
     "exec: when a program says later (exit 75), the delivery comes again after this long"},
    {"policy", STO_SET_PATH, "", 0, 400, "", false,
     "policy: the file; empty: policies/<organisation>.cfg in the folder workflows"},
    {"workflows", STO_SET_PATH, "", 0, 400, "", false,
     "policy: the folder with network, cohorts and workflows; empty: the one of this installation"},
    {"network", STO_SET_STRING, "oulu-2014", 1, 64, "", false,
     "policy: id of the network whose calendars count"},
    {0},
};

static const struct adapter *const adapters[] = {&adapter_exec, &adapter_policy};

const struct adapter *adapter_find(const char *name)
{
    for (size_t i = 0; i < sizeof adapters / sizeof adapters[0]; i++) {
        if (strcmp(adapters[i]->name, name) == 0) {
            return adapters[i];
        }
    }
    return NULL;
}

int worker_settings_check(const sto_settings_t *s, struct sto_err *err)
{
    for (const struct sto_setting *t = worker_settings; t->key != NULL; t++) {
        if (t->def == NULL && sto_settings_str(s, t->key) == NULL) {
            return sto_fail(err, STO_E_CONFIG, "'%s' is missing: %s", t->key, t->help);
        }
    }
    const char *name = sto_settings_str(s, "adapter");
    if (adapter_find(name) == NULL) {
        return sto_fail(err, STO_E_CONFIG, "'adapter' must be exec or policy, got '%s'", name);
    }
    if (strcmp(name, "exec") == 0 && sto_settings_str(s, "program")[0] == '\0') {
        return sto_fail(err, STO_E_CONFIG, "'program' is missing: the adapter exec runs one");
    }
    return 0;
}

static bool is_key(const char *s, size_t n)
{
    static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   ".-:+=^!/*?&<>()[]{}@%$#";
    return n == Z85_KEY_CHARS && strspn(s, alphabet) >= n;
}

/* Line `nth` (from 0) of text; its length without the line's end. */
static const char *line_of(const char *text, unsigned nth, size_t *n)
{
    while (nth-- > 0 && *text != '\0') {
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    *n = strcspn(text, "\r\n");
    return text;
}

static int take_line(const char *path, const char *text, unsigned nth, char *out,
                     struct sto_err *err)
{
    size_t n = 0;
    const char *line = line_of(text, nth, &n);

    if (!is_key(line, n)) {
        return sto_fail(err, STO_E_CRYPTO, "line %u of key file '%s' is no key of 40 characters",
                        nth + 1, path);
    }
    memcpy(out, line, Z85_KEY_CHARS);
    out[Z85_KEY_CHARS] = '\0';
    return 0;
}

int worker_server_key(const char *value, char out[Z85_KEY_CHARS + 1], struct sto_err *err)
{
    char *text = NULL;
    size_t n = 0;

    if (is_key(value, strlen(value))) {
        memcpy(out, value, Z85_KEY_CHARS + 1);
        return 0;
    }
    int rc = sto_file_read(value, KEY_FILE_BYTES_MAX, &text, &n, err);
    if (rc != 0) {
        sto_err_fix(err, "give the key itself or a file that holds it, not '%.80s'", value);
        return rc;
    }
    rc = take_line(value, text, 0, out, err);
    sto_wipe(text, n); /* the file of a gate holds its secret too */
    free(text);
    return rc;
}

int worker_key_pair(const char *path, char public_key[Z85_KEY_CHARS + 1],
                    char secret[Z85_KEY_CHARS + 1], struct sto_err *err)
{
    struct stat st;
    char *text = NULL;
    size_t n = 0;

    if (stat(path, &st) != 0) {
        return sto_fail(err, STO_E_NOT_FOUND, "could not read key file '%s': %s", path,
                        strerror(errno));
    }
    if ((st.st_mode & 077) != 0) {
        int rc = sto_fail(err, STO_E_CRYPTO, "key file '%s' is open to others (mode %03o)", path,
                          (unsigned)st.st_mode & 0777u);
        sto_err_fix(err, "chmod 600 '%.150s'", path);
        return rc;
    }
    int rc = sto_file_read(path, KEY_FILE_BYTES_MAX, &text, &n, err);
    if (rc != 0) {
        return rc;
    }
    rc = take_line(path, text, 0, public_key, err);
    rc = rc != 0 ? rc : take_line(path, text, 1, secret, err);
    sto_wipe(text, n);
    free(text);
    return rc;
}
