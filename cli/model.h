/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Networks and workflows as the command line needs them: read from folders (what designers edit),
 * or from the database (what is deployed, and the version that a case started with).
 */
#ifndef MODEL_H
#define MODEL_H
#include "db.h"
#include "network.h"
#include "sto_conf.h"
#include "workflow.h"

#define MODEL_FILES_MAX 64

/* Files of one folder; texts and names owned. */
struct model_files {
    struct model_file v[MODEL_FILES_MAX];
    size_t n;
};
/*
 * Files of the network in dir, in name order, and of the instruments, which stand beside the
 * networks. shown: how the folder is called in names (NULL = base names only).
 */
int model_network_files(const char *dir, const char *shown, struct model_files *out,
                        struct sto_err *err);
/* One file; a missing one is empty when optional. */
int model_file_read(const char *path, const char *shown, bool optional, struct model_file *out,
                    struct sto_err *err);
void model_file_release(struct model_file *f);
void model_files_release(struct model_files *f);

/* Networks of a folder workflows/network/<id>. Faults go to diags. */
int model_network_dir(const char *dir, sto_diags_t *diags, network_t **out, struct sto_err *err);

/* What is deployed: the network, and workflows by hash, each loaded once. */
typedef struct deployed deployed_t;
int deployed_new(PGconn *db, deployed_t **out,
                 struct sto_err *err); /* STO_E_NOT_FOUND: no network is deployed */
void deployed_destroy(deployed_t **self_p);
const network_t *deployed_network(const deployed_t *self);
/* Borrowed; STO_E_NOT_FOUND. */
int deployed_workflow(deployed_t *self, const uint8_t hash[32], const workflow_t **out,
                      struct sto_err *err);
/* One version of an id; STO_E_UNKNOWN_WORKFLOW. */
int deployed_version(deployed_t *self, const char *id, int64_t version, const workflow_t **out,
                     struct sto_err *err);
/* The newest version of an id. */
int deployed_newest(deployed_t *self, const char *id, const workflow_t **out, struct sto_err *err);

/* Faults on stderr, as "file:line: error: text [code]". */
void model_print_diags(const sto_diags_t *diags);

#endif
