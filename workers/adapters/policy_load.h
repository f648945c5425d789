/* SPDX-License-Identifier: EUPL-1.2 */
/* A policy and all that its words stand for, read from the folder workflows/. */
#ifndef POLICY_LOAD_H
#define POLICY_LOAD_H
#include "policy_rules.h"

struct policy_files {
    policy_t *policy;
    network_t *network;
    workflow_t *workflows[POLICY_WORKFLOWS_MAX];
    unsigned n_workflows;
    records_t *records;
    struct policy_world world; /* borrows the above */
    uint64_t version;          /* of the policy file's text */
};

/* All faults of all files go to diags: -STO_E_CONFIG. *out is released by policy_files_release() in
 * every case. */
int policy_files_load(const char *folder, const char *network, const char *policy,
                      struct policy_files *out, sto_diags_t *diags, struct sto_err *err);
void policy_files_release(struct policy_files *f);

#endif
