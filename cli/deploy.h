/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Deployment: new rows of configuration and config + 1 for all shards in one transaction, so that
 * batches decided under the old configuration are fenced and decided again. Run as the role
 * saatto_deploy.
 */
#ifndef DEPLOY_H
#define DEPLOY_H
#include "flow_source.h"

struct deploy_change {
    char *what;  /* "network oulu-2014 version 1" */
    bool is_new; /* else it stands there already, byte for byte */
};
struct deploy_report {
    struct deploy_change *v;
    size_t n;
    int64_t config; /* 0: nothing changed */
};
void deploy_report_release(struct deploy_report *r);

/*
 * Checks and deploys.
 *
 * with_network   sources->network too; else the workflows are checked against the deployed one
 * dry            rolls back
 * returns        0; -STO_E_CONFIG (faults are on stderr), -STO_E_REFUSED: other bytes under the
 * same id and version
 */
int deploy_run(PGconn *db, const struct flow_sources *sources, bool with_network, bool dry,
               struct deploy_report *out, struct sto_err *err);

/* BEGIN, all shards locked in order, their next config number. */
int deploy_begin(PGconn *db, int64_t *config, struct sto_err *err);
/* Raises config of all shards and commits (or rolls back). */
int deploy_end(PGconn *db, int64_t config, bool commit, struct sto_err *err);

#endif
