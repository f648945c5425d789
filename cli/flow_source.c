/* SPDX-License-Identifier: EUPL-1.2 */
#include "flow_source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sto_arena.h"
#include "sto_file.h"

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool holds(const char *dir, const char *file)
{
    char *path = sto_asprintf("%s/%s", dir, file);
    bool there = access(path, R_OK) == 0;

    free(path);
    return there;
}

static void add(struct flow_sources *s, const char *dir, const char *cfg)
{
    struct flow_source x = {.dir = sto_xstrdup(dir),
                            .cfg = cfg != NULL ? sto_xstrdup(cfg)
                                               : sto_asprintf("%s/workflow.cfg", dir),
                            .texts = sto_asprintf("%s/texts.cfg", dir),
                            .scenarios = sto_asprintf("%s/scenarios.cfg", dir)};

    s->v = sto_xrealloc(s->v, (s->n + 1) * sizeof *s->v);
    s->v[s->n++] = x;
}

void flow_sources_release(struct flow_sources *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->v[i].dir);
        free(s->v[i].cfg);
        free(s->v[i].texts);
        free(s->v[i].scenarios);
    }
    free(s->v);
    free(s->network);
    *s = (struct flow_sources){0};
}

/* ------------------------------------------------------------------ folders */

static int not_hidden(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* Ids hold no dot; a README.md stands beside the networks. */
static int is_id(const struct dirent *e)
{
    return strchr(e->d_name, '.') == NULL;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Every folder of workflows/ that holds a workflow.cfg. */
static int add_all(const char *workflows, struct flow_sources *s, struct sto_err *err)
{
    struct dirent **names = NULL;
    int n = scandir(workflows, &names, not_hidden, by_name);

    if (n < 0) {
        sto_fail(err, STO_E_NOT_FOUND, "could not read folder '%s': %s", workflows,
                 strerror(errno));
        sto_err_fix(err, "run it in a checkout, or set SAATTO_HOME");
        return -STO_E_NOT_FOUND;
    }
    for (int i = 0; i < n; i++) {
        char *dir = sto_asprintf("%s/%s", workflows, names[i]->d_name);
        if (holds(dir, "workflow.cfg")) {
            add(s, dir, NULL);
        }
        free(dir);
        free(names[i]);
    }
    free(names);
    return s->n != 0 ? 0
                     : sto_fail(err, STO_E_NOT_FOUND, "folder '%s' holds no workflow", workflows);
}

/* By folder or id; NULL: the first by name. */
static int find_network(const char *home, const char *given, char **out, struct sto_err *err)
{
    char *base = sto_asprintf("%s/workflows/network", home);
    int rc = 0;

    if (given != NULL && is_dir(given)) {
        *out = sto_xstrdup(given);
        for (size_t n = strlen(*out); n > 1 && (*out)[n - 1] == '/'; n--) {
            (*out)[n - 1] = '\0';
        }
        free(base);
        return 0;
    }
    struct dirent **names = NULL;
    const char *list[33] = {NULL};
    int n = scandir(base, &names, is_id, by_name);
    for (int i = 0; i < n && i < 32; i++) {
        list[i] = names[i]->d_name;
    }
    if (n <= 0) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "no network under '%s'", base);
    } else {
        const char *id = given != NULL ? given : list[0];
        *out = sto_asprintf("%s/%s", base, id);
        if (!is_dir(*out)) {
            const char *near = sto_nearest(id, list);
            free(*out);
            *out = NULL;
            rc = sto_fail(err, STO_E_NOT_FOUND, "there is no network '%s'", id);
            if (near != NULL) {
                sto_err_fix(err, "did you mean '%s'", near);
            }
        }
    }
    for (int i = 0; i < n; i++) {
        free(names[i]);
    }
    free(names);
    free(base);
    return rc;
}

int flow_sources_all(const char *home, const char *network, struct flow_sources *out,
                     struct sto_err *err)
{
    char *workflows = sto_asprintf("%s/workflows", home);
    int rc = add_all(workflows, out, err);

    rc = rc != 0 ? rc : find_network(home, network, &out->network, err);
    free(workflows);
    if (rc != 0) {
        flow_sources_release(out);
    }
    return rc;
}

static bool add_if_there(char *dir, struct flow_sources *s)
{
    bool there = holds(dir, "workflow.cfg");

    if (there) {
        add(s, dir, NULL);
    }
    free(dir);
    return there;
}

int flow_sources_one(const char *id, const struct flow_sources *beside, struct flow_sources *out,
                     struct sto_err *err)
{
    char *home = sto_home_dir();
    bool found = false;

    *out = (struct flow_sources){0};
    for (size_t i = 0; i < beside->n && !found && strchr(id, '/') == NULL; i++) {
        found = add_if_there(sto_asprintf("%s/../%s", beside->v[i].dir, id), out);
    }
    if (!found && strchr(id, '/') == NULL) {
        found = add_if_there(sto_asprintf("%s/workflows/%s", home, id), out);
    }
    free(home);
    return found ? 0 : sto_fail(err, STO_E_NOT_FOUND, "there is no workflow '%s'", id);
}

/* -------------------------------------------------------------------- words */

static int no_such(const char *home, const char *word, struct sto_err *err)
{
    struct flow_sources all = {0};
    struct sto_err ignored = {0};
    const char *names[257] = {NULL};
    char *workflows = sto_asprintf("%s/workflows", home);

    (void)add_all(workflows, &all, &ignored);
    for (size_t i = 0; i < all.n && i < 256; i++) {
        names[i] = strrchr(all.v[i].dir, '/') + 1;
    }
    const char *near = sto_nearest(word, names);
    sto_fail(err, STO_E_NOT_FOUND, "there is no workflow or network '%s'", word);
    if (near != NULL) {
        sto_err_fix(err, "did you mean '%s'", near);
    } else {
        sto_err_fix(err, "give a folder that holds workflow.cfg, or an id under %.80s", workflows);
    }
    flow_sources_release(&all);
    free(workflows);
    return -STO_E_NOT_FOUND;
}

static int add_word(const char *home, const char *given, struct flow_sources *s,
                    struct sto_err *err)
{
    char *word = sto_xstrdup(given);
    char *by_id = sto_asprintf("%s/workflows/%s", home, given);
    int rc = 0;

    for (size_t n = strlen(word); n > 1 && word[n - 1] == '/'; n--) {
        word[n - 1] = '\0';
    }
    if (is_dir(word) && holds(word, "workflow.cfg")) {
        add(s, word, NULL);
    } else if (is_dir(word) && holds(word, "network.cfg")) {
        free(s->network);
        s->network = sto_xstrdup(word);
    } else if (!is_dir(word) && access(word, R_OK) == 0) {
        char *slash = strrchr(word, '/');
        char *dir = slash != NULL ? strndup(word, (size_t)(slash - word)) : sto_xstrdup(".");
        add(s, dir, word);
        free(dir);
    } else if (holds(by_id, "workflow.cfg")) {
        add(s, by_id, NULL);
    } else {
        rc = no_such(home, given, err);
    }
    free(by_id);
    free(word);
    return rc;
}

int flow_sources_of(const struct cli *c, bool all, struct flow_sources *out, struct sto_err *err)
{
    char *home = sto_home_dir();
    int rc = 0;

    *out = (struct flow_sources){0};
    if (all || c->n_words == 0) {
        char *workflows = sto_asprintf("%s/workflows", home);
        rc = add_all(workflows, out, err);
        free(workflows);
    }
    for (size_t i = 0; i < c->n_words && rc == 0; i++) {
        rc = add_word(home, c->words[i], out, err);
    }
    if (rc == 0 && (out->network == NULL || cli_option(c, "network") != NULL)) {
        free(out->network);
        out->network = NULL;
        rc = find_network(home, cli_option(c, "network"), &out->network, err);
    }
    free(home);
    if (rc != 0) {
        flow_sources_release(out);
    }
    return rc;
}

/* ------------------------------------------------------------------ loading */

/* Files of called workflows, which stand beside; kept until the bundle is made. */
struct beside {
    const struct flow_source *s;
    struct model_file files[2 * FLOW_CALLED_MAX];
    size_t n;
    struct sto_err err;
    int rc;
};

static bool find_beside(void *arg, const char *id, struct model_file *file,
                        struct model_file *texts)
{
    struct beside *b = arg;
    char cfg[WORKFLOW_PATH_BYTES], text[WORKFLOW_PATH_BYTES];

    workflow_beside(b->s->cfg, id, "workflow.cfg", cfg, sizeof cfg);
    workflow_beside(b->s->cfg, id, "texts.cfg", text, sizeof text);
    if (strchr(id, '/') != NULL || access(cfg, R_OK) != 0 || b->n == 2 * FLOW_CALLED_MAX ||
        b->rc != 0) {
        return false;
    }
    b->rc = model_file_read(cfg, cfg, false, &b->files[b->n], &b->err);
    b->n += b->rc == 0;
    b->rc = b->rc != 0 ? b->rc : model_file_read(text, text, true, &b->files[b->n], &b->err);
    if (b->rc != 0) {
        return false;
    }
    *file = b->files[b->n - 1];
    *texts = b->files[b->n++];
    return true;
}

int flow_source_bundle(const struct flow_source *s, sto_diags_t *diags, struct sto_buf *cfg,
                       struct sto_buf *texts, struct sto_err *err)
{
    struct model_file own = {0}, own_texts = {0};
    struct beside b = {.s = s};
    int rc = model_file_read(s->cfg, s->cfg, false, &own, err);

    rc = rc != 0 ? rc : model_file_read(s->texts, s->texts, true, &own_texts, err);
    if (rc == 0) {
        const struct workflow_source source = {find_beside, &b};
        rc = workflow_bundle(&own, &own_texts, &source, diags, cfg, texts);
        if (b.rc != 0) {
            *err = b.err;
            rc = b.rc;
        } else if (rc != 0) {
            sto_fail(err, rc, "'%s' is too large with what it calls", s->cfg);
        }
    }
    for (size_t i = 0; i < b.n; i++) {
        model_file_release(&b.files[i]);
    }
    model_file_release(&own);
    model_file_release(&own_texts);
    return rc;
}

int flow_bundle_load(const struct flow_source *s, const struct sto_buf *cfg,
                     const struct sto_buf *texts, const network_t *net, sto_diags_t *diags,
                     workflow_t **out)
{
    const struct model_file file = {s->cfg, (const char *)cfg->data, cfg->len};
    const struct model_file more = {s->texts, (const char *)texts->data, texts->len};

    return workflow_load(&file, &more, net, diags, out);
}

int flow_source_load(const struct flow_source *s, const network_t *net, sto_diags_t *diags,
                     workflow_t **out, struct sto_err *err)
{
    struct sto_buf cfg, texts;

    sto_buf_init(&cfg, 0);
    sto_buf_init(&texts, 0);
    int rc = flow_source_bundle(s, diags, &cfg, &texts, err);
    if (rc == 0 && flow_bundle_load(s, &cfg, &texts, net, diags, out) != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "'%s' has %zu errors", s->cfg, sto_diags_errors(diags));
    }
    sto_buf_release(&cfg);
    sto_buf_release(&texts);
    return rc;
}
