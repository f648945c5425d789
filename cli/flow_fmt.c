/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto flow fmt */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf_layout.h"
#include "model.h"
#include "nouns.h"
#include "sto_file.h"
#include "sto_limits.h"

struct fmt {
    struct cli *c;
    bool check;
    size_t files, changed, faulty;
};

static int lay_out(struct fmt *f, const char *path, const char *text, size_t len,
                   struct sto_err *err)
{
    struct sto_buf laid;
    sto_diags_t *diags = sto_diags_new();
    sto_buf_init(&laid, 0);
    int rc = conf_layout(path, text, len, &laid, diags, err);
    bool same = rc == 0 && laid.len == len && memcmp(laid.data, text, len) == 0;
    if (rc == -STO_E_CONFIG) { /* the others are laid out all the same */
        model_print_diags(diags);
        f->faulty++;
        rc = 0;
    } else if (rc == 0 && !same) {
        f->changed++;
        rc = f->check ? 0 : sto_file_write(path, laid.data, laid.len, 0644, err);
        output_say(&f->c->out, "%s", path);
        if (!output_text(&f->c->out)) {
            output_row(&f->c->out, json_pack("{s:s, s:b}", "file", path, "written", !f->check));
        }
    }
    sto_buf_release(&laid);
    sto_diags_destroy(&diags);
    return rc;
}

static int fmt_file(struct fmt *f, const char *path, struct sto_err *err)
{
    char *text = NULL;
    size_t len = 0;
    int rc = sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &len, err);
    f->files++;
    rc = rc != 0 ? rc : lay_out(f, path, text, len, err);
    free(text);
    return rc;
}

static int cfg_or_folder(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    bool cfg = n > 4 && strcmp(e->d_name + n - 4, ".cfg") == 0;
    return e->d_name[0] != '.' && (cfg || e->d_type == DT_DIR || e->d_type == DT_UNKNOWN);
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A file; or every *.cfg of a folder and of the folders below it. */
static int fmt_path(struct fmt *f, const char *path, unsigned depth, struct sto_err *err)
{
    struct dirent **names = NULL;
    if (!is_folder(path)) {
        return fmt_file(f, path, err);
    }
    int n = depth > 8 ? 0 : scandir(path, &names, cfg_or_folder, alphasort);
    int rc = n >= 0 ? 0 : sto_fail(err, STO_E_IO, "could not read folder '%s'", path);
    for (int i = 0; i < n; i++) {
        char *inner = sto_asprintf("%s/%s", path, names[i]->d_name);
        size_t len = strlen(inner);
        bool cfg = len > 4 && strcmp(inner + len - 4, ".cfg") == 0;
        if (rc == 0 && (cfg || is_folder(inner))) {
            rc = fmt_path(f, inner, depth + 1, err);
        }
        free(inner);
        free(names[i]);
    }
    free(names);
    return rc;
}

int flow_fmt(struct cli *c, struct sto_err *err)
{
    struct fmt f = {.c = c, .check = cli_flag(c, "check")};
    int rc = 0;
    if (!output_text(&c->out)) {
        output_table(&c->out, NULL);
    }
    for (size_t i = 0; i < c->n_words && rc == 0; i++) {
        char *path = sto_xstrdup(c->words[i]);
        for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) {
            path[n - 1] = '\0';
        }
        rc = fmt_path(&f, path, 0, err);
        free(path);
    }
    if (!output_text(&c->out)) {
        output_table_end(&c->out, "");
    }
    if (rc == 0) {
        output_say(&c->out, "%zu files: %zu %s", f.files, f.changed,
                   f.check ? "are not laid out" : "laid out anew");
    }
    if (rc == 0 && f.faulty != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "%zu of %zu files have faults", f.faulty, f.files);
        sto_err_fix(err, "mend the lines named above; those files are left as they are");
    } else if (rc == 0 && f.check && f.changed != 0) {
        rc =
            sto_fail(err, STO_E_DIFFERENT, "%zu of %zu files are not laid out", f.changed, f.files);
        sto_err_fix(err, "run saatto flow fmt on them");
    }
    return rc;
}
