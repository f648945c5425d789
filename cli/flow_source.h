/* SPDX-License-Identifier: EUPL-1.2 */
/* Which workflows and which network a `flow` command means, by folder, file or id. */
#ifndef FLOW_SOURCE_H
#define FLOW_SOURCE_H
#include "command.h"
#include "model.h"
#include "workflow_bundle.h"

#define FLOW_CALLED_MAX 32

struct flow_source {
    char *dir;                     /* folder */
    char *cfg, *texts, *scenarios; /* paths of its files */
};
struct flow_sources {
    struct flow_source *v;
    size_t n;
    char *network; /* folder */
};

/* c's words and its option --network. all (or no word): every workflow of the folder workflows/. A
   word that names a network's folder becomes the network. */
int flow_sources_of(const struct cli *c, bool all, struct flow_sources *out, struct sto_err *err);
/* The same without a command: every workflow below home/workflows, and the network by id or folder.
 */
int flow_sources_all(const char *home, const char *network, struct flow_sources *out,
                     struct sto_err *err);
/* The workflow with this id: beside those given, or below the home's workflows/. */
int flow_sources_one(const char *id, const struct flow_sources *beside, struct flow_sources *out,
                     struct sto_err *err);
void flow_sources_release(struct flow_sources *s);
/* The workflow's files with those that it calls, from the folders beside it, as they are deployed.
   Buffers are initialised and released by the caller. */
int flow_source_bundle(const struct flow_source *s, sto_diags_t *diags, struct sto_buf *cfg,
                       struct sto_buf *texts, struct sto_err *err);
/* The workflow of a bundle; faults go to diags. */
int flow_bundle_load(const struct flow_source *s, const struct sto_buf *cfg,
                     const struct sto_buf *texts, const network_t *net, sto_diags_t *diags,
                     workflow_t **out);
/* Both of these. Faults go to diags (then -STO_E_CONFIG). */
int flow_source_load(const struct flow_source *s, const network_t *net, sto_diags_t *diags,
                     workflow_t **out, struct sto_err *err);

#endif
