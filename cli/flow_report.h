/* SPDX-License-Identifier: EUPL-1.2 */
/* Findings of `flow` commands for people and as JSON, and JUnit XML for build servers. */
#ifndef FLOW_REPORT_H
#define FLOW_REPORT_H
#include "command.h"
#include "model.h"

void flow_findings_say(struct cli *c, const sto_diags_t *diags);
json_t *flow_findings_json(const sto_diags_t *diags);

/* One group of tests: a workflow's scenarios, or a journey. */
struct junit_suite {
    const char *id;
    const struct model_file *file; /* len 0: it could not be read */
    const char *list;              /* "scenarios": a test each; "journey": one test */
    const sto_diags_t *diags;      /* sorted; errors fail the test whose lines they stand in */
    bool skipped;                  /* all of it */
    int64_t took_us;
};
int junit_write(const char *path, const struct junit_suite *suites, size_t n, struct sto_err *err);

#endif
