/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A workflow and all that it calls as one text, which is what is deployed and hashed. The files
 * stand in it as they are: the workflow's own first, then a list `called` with the others, so that
 * a finding can be told at the line of the file that it comes from.
 */
#ifndef WORKFLOW_BUNDLE_H
#define WORKFLOW_BUNDLE_H
#include "sto_buf.h"
#include "workflow.h"

#define WORKFLOW_PATH_BYTES 1024

/* Where called workflows come from: the newest files of workflow `id`, borrowed until the bundle
   is made; false = there is none. texts may have len 0. */
struct workflow_source {
    bool (*find)(void *arg, const char *id, struct model_file *file, struct model_file *texts);
    void *arg;
};

/* Fills cfg and texts (both initialised by the caller) with file, texts and all that they call,
   through others too. Without calls they are the same bytes. A file that cannot be read is told in
   diags and left out; a workflow that is not found is left out (workflow_load() tells who calls
   it). Returns 0 or -STO_E_CONFIG if the result would be larger than a file may be. */
int workflow_bundle(const struct model_file *file, const struct model_file *texts,
                    const struct workflow_source *source, sto_diags_t *diags, struct sto_buf *cfg,
                    struct sto_buf *texts_out);

/* The path of file `leaf` of workflow id, whose folder stands beside that of the file `own`. */
void workflow_beside(const char *own, const char *id, const char *leaf, char *out, size_t cap);

/* Of a bundle's list `called` (or NULL): the group `key` ("workflow", "texts") of workflow id, with
   the lines and the path of its own file; own: the workflow's own file. NULL = not in it. Lives in
   arena. */
const struct sto_conf *workflow_called(const struct sto_conf *called, const char *key,
                                       const char *id, const char *own, sto_arena_t *arena);
const char *const *workflow_called_ids(const struct sto_conf *called, sto_arena_t *arena);

#endif
