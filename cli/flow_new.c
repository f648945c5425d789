/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto flow new: a workflow's folder from a template. A template is a workflow like any other,
   under workflows/templates/; only its id is put in its place. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nouns.h"
#include "sto_buf.h"
#include "sto_file.h"
#include "sto_limits.h"

static int check_id(const char *id, struct sto_err *err)
{
    bool good = *id >= 'a' && *id <= 'z' && strlen(id) < STO_NAME_BYTES_MAX;
    for (const char *p = id; *p != '\0' && good; p++) {
        good = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '-';
    }
    if (!good) {
        sto_fail(err, STO_E_USAGE, "'%.80s' is no id", id);
        sto_err_fix(err, "a letter, then letters a-z, digits and hyphens; shorter than %u bytes",
                    STO_NAME_BYTES_MAX);
        return -STO_E_USAGE;
    }
    return 0;
}

static int not_hidden(const struct dirent *e)
{
    return e->d_name[0] != '.' && strchr(e->d_name, '.') == NULL;
}

/* The template's folder; *out malloc'd. */
static int find_template(const char *home, const char *name, char **out, struct sto_err *err)
{
    char *base = sto_asprintf("%s/workflows/templates", home);
    char *cfg = sto_asprintf("%s/%s/workflow.cfg", base, name);
    if (check_id(name, err) == 0 && access(cfg, R_OK) == 0) {
        *out = sto_asprintf("%s/%s", base, name);
        free(cfg);
        free(base);
        return 0;
    }
    struct dirent **names = NULL;
    int n = scandir(base, &names, not_hidden, alphasort);
    char list[160] = "";
    for (int i = 0; i < n; i++) {
        size_t len = strlen(list);
        snprintf(list + len, sizeof list - len, "%s%.30s", i > 0 ? ", " : "", names[i]->d_name);
        free(names[i]);
    }
    free(names);
    sto_fail(err, STO_E_NOT_FOUND, "there is no template '%.60s'", name);
    sto_err_fix(err, "one of: %s", list);
    free(cfg);
    free(base);
    return -STO_E_NOT_FOUND;
}

static bool in_name(char c)
{
    return isalnum((unsigned char)c) != 0 || c == '-' || c == '_';
}

/* In workflow.cfg only the id is the template's; elsewhere its name is an ordinary word. */
static void with_id(struct sto_buf *out, const char *text, const char *from, const char *to)
{
    char *old = sto_asprintf("id = \"%s\"", from), *new = sto_asprintf("id = \"%s\"", to);
    const char *at = strstr(text, old);
    size_t before = at != NULL ? (size_t)(at - text) : strlen(text);
    sto_put_bytes(out, text, before);
    if (at != NULL) {
        sto_put_bytes(out, new, strlen(new));
        sto_put_bytes(out, at + strlen(old), strlen(at + strlen(old)));
    }
    free(old);
    free(new);
}

/* In texts.cfg it is the first key of its name. */
static void with_key(struct sto_buf *out, const char *text, const char *from, const char *to)
{
    size_t n = strlen(from);
    for (const char *p = text; *p != '\0'; p++) {
        bool line = p == text || p[-1] == '\n' || p[-1] == ' ';
        if (line && strncmp(p, from, n) == 0 && !in_name(p[n]) && strchr(" :=", p[n]) != NULL) {
            sto_put_bytes(out, text, (size_t)(p - text));
            sto_put_bytes(out, to, strlen(to));
            sto_put_bytes(out, p + n, strlen(p + n));
            return;
        }
    }
    sto_put_bytes(out, text, strlen(text));
}

static int copy(const char *from_dir, const char *to_dir, const char *file, const char *from,
                const char *to, struct sto_err *err)
{
    char *source = sto_asprintf("%s/%s", from_dir, file);
    char *target = sto_asprintf("%s/%s", to_dir, file), *text = NULL;
    struct sto_buf b;
    size_t len = 0;
    sto_buf_init(&b, 0);
    int rc = sto_file_read(source, STO_CONF_FILE_BYTES_MAX, &text, &len, err);
    if (rc == 0 && strcmp(file, "workflow.cfg") == 0) {
        with_id(&b, text, from, to);
    } else if (rc == 0 && strcmp(file, "texts.cfg") == 0) {
        with_key(&b, text, from, to);
    } else if (rc == 0) {
        sto_put_bytes(&b, text, len);
    }
    rc = rc != 0 ? rc : sto_file_write(target, b.data, b.len, 0644, err);
    sto_buf_release(&b);
    free(text);
    free(source);
    free(target);
    return rc;
}

int flow_new(struct cli *c, struct sto_err *err)
{
    static const char *const FILES[] = {"workflow.cfg", "texts.cfg", "scenarios.cfg"};
    const char *id = c->words[0], *name = NULL, *parent = cli_option(c, "in");
    char *home = sto_home_dir(), *template = NULL, *dir = NULL;
    int rc = check_id(id, err);
    rc = rc != 0 ? rc : cli_need(c, "from", &name, err);
    rc = rc != 0 ? rc : find_template(home, name, &template, err);
    if (rc == 0) {
        dir = parent != NULL ? sto_asprintf("%s/%s", parent, id)
                             : sto_asprintf("%s/workflows/%s", home, id);
        if (mkdir(dir, 0755) != 0) {
            rc = sto_fail(err, errno == EEXIST ? STO_E_REFUSED : STO_E_IO,
                          "could not make folder '%s': %s", dir, strerror(errno));
            sto_err_fix(err, "choose another id, or another folder with --in");
        }
    }
    for (unsigned i = 0; i < 3 && rc == 0; i++) {
        rc = copy(template, dir, FILES[i], name, id, err);
    }
    if (rc == 0) {
        output_say(&c->out, "%s", dir);
        output_say(&c->out,
                   "Next: edit its files, then saatto flow check %s and saatto flow test %s", dir,
                   dir);
        output_object(&c->out,
                      json_pack("{s:s, s:s, s:s}", "workflow", id, "from", name, "folder", dir),
                      true);
    }
    free(dir);
    free(template);
    free(home);
    return rc;
}
