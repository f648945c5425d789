/* SPDX-License-Identifier: EUPL-1.2 */
#include "flow_library.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sto_file.h"

struct entry {
    char *id;       /* name of the folder */
    workflow_t *wf; /* NULL = there is none, or it has errors */
};

struct flow_library {
    const network_t *net;
    const struct flow_sources *sources;
    struct entry *v;
    size_t n;
};

flow_library_t *flow_library_new(const network_t *net, const struct flow_sources *sources)
{
    flow_library_t *self = sto_xcalloc(1, sizeof *self);

    self->net = net;
    self->sources = sources;
    return self;
}

void flow_library_destroy(flow_library_t **self_p)
{
    if (*self_p == NULL) {
        return;
    }
    for (size_t i = 0; i < (*self_p)->n; i++) {
        free((*self_p)->v[i].id);
        workflow_destroy(&(*self_p)->v[i].wf);
    }
    free((*self_p)->v);
    free(*self_p);
    *self_p = NULL;
}

static const char *folder_of(const struct flow_source *s)
{
    const char *slash = strrchr(s->dir, '/');

    return slash != NULL ? slash + 1 : s->dir;
}

static void keep(flow_library_t *self, const char *id, workflow_t *wf)
{
    self->v = sto_xrealloc(self->v, (self->n + 1) * sizeof *self->v);
    self->v[self->n++] = (struct entry){.id = sto_xstrdup(id), .wf = wf};
}

int flow_library_load(flow_library_t *self, const struct flow_source *s, sto_diags_t *diags,
                      const workflow_t **out, struct sto_err *err)
{
    workflow_t *wf = NULL;
    int rc = flow_source_load(s, self->net, diags, &wf, err);

    if (rc == 0 || rc == -STO_E_CONFIG) {
        keep(self, wf != NULL ? wf->id : folder_of(s), wf);
    }
    *out = wf;
    return rc;
}

/* Loads home/workflows/<id>, or what stands beside the folders that were given. */
static void look_for(flow_library_t *self, const char *id)
{
    struct flow_sources one = {0};
    struct sto_err err = {0};
    const workflow_t *wf = NULL;
    sto_diags_t *diags = sto_diags_new();

    for (size_t i = 0; i < self->sources->n; i++) {
        if (strcmp(folder_of(&self->sources->v[i]), id) == 0) {
            (void)flow_library_load(self, &self->sources->v[i], diags, &wf, &err);
            break;
        }
    }
    if (wf == NULL && sto_diags_count(diags) == 0 &&
        flow_sources_one(id, self->sources, &one, &err) == 0) {
        (void)flow_library_load(self, &one.v[0], diags, &wf, &err);
    }
    if (sto_diags_errors(diags) != 0) {
        model_print_diags(diags);
    }
    if (wf == NULL) {
        keep(self, id, NULL); /* not looked for again */
    }
    flow_sources_release(&one);
    sto_diags_destroy(&diags);
}

const workflow_t *flow_library_find(void *arg, const char *id)
{
    flow_library_t *self = arg;

    for (unsigned tries = 0; tries < 2; tries++) {
        for (size_t i = 0; i < self->n; i++) {
            if (strcmp(self->v[i].id, id) == 0) {
                return self->v[i].wf;
            }
        }
        if (tries == 0) {
            look_for(self, id);
        }
    }
    return NULL;
}
