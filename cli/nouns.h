/* SPDX-License-Identifier: EUPL-1.2 */
/* The verbs of each noun; each table stands in the noun's file and ends with name NULL. */
#ifndef NOUNS_H
#define NOUNS_H
#include "command.h"

extern const struct verb dev_verbs[];
extern const struct verb doctor_verbs[];
extern const struct verb explain_verbs[];
extern const struct verb status_verbs[];
extern const struct verb version_verbs[];
extern const struct verb help_verbs[];
extern const struct verb completion_verbs[];
extern const struct verb flow_verbs[];
extern const struct verb case_verbs[];
extern const struct verb handover_verbs[];
extern const struct verb service_verbs[];
extern const struct verb queue_verbs[];
extern const struct verb message_verbs[];
extern const struct verb org_verbs[];
extern const struct verb clock_verbs[];
extern const struct verb audit_verbs[];
extern const struct verb bench_verbs[];
extern const struct verb report_verbs[];
extern const struct verb instrument_verbs[];

/* Verbs whose code stands in a file of their own. */
int flow_deploy(struct cli *c, struct sto_err *err);
int flow_list(struct cli *c, struct sto_err *err);
int flow_diff(struct cli *c, struct sto_err *err);
int flow_draw(struct cli *c, struct sto_err *err);
int flow_fmt(struct cli *c, struct sto_err *err);
int flow_migrate(struct cli *c, struct sto_err *err);
int flow_new(struct cli *c, struct sto_err *err);
int flow_replay(struct cli *c, struct sto_err *err);
int flow_test(struct cli *c, struct sto_err *err);
int case_start_verb(struct cli *c, struct sto_err *err);
int case_show_verb(struct cli *c, struct sto_err *err);
int dev_stop(struct cli *c, struct sto_err *err);
int audit_replay_verb(struct cli *c, struct sto_err *err);
extern const struct option_row org_succeed_options[];
int org_succeed(struct cli *c, struct sto_err *err);
int bench_worker(struct cli *c, struct sto_err *err);
int report_outcomes(struct cli *c, struct sto_err *err);

#endif
