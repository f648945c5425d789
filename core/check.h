/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What is proven of a loaded workflow before it is deployed: soundness and responsibility by
 * exploring all its states (explore.h), time, data, law and network over its graph. Form is
 * workflow_load's. A finding has a stable code; codes are explained in check_codes.c.
 */
#ifndef CHECK_H
#define CHECK_H
#include "workflow.h"

struct check_report {
    uint32_t states_max; /* in: bound of the exploration; 0 = 200,000 */
    uint32_t states;     /* explored, of all units */
    uint64_t moves;
    int64_t longest_minutes; /* longest duration if everybody acts in time; -1 = unlimited */
    char longest[256];       /* in words: "longest 3 years 2 months", "unlimited: te chooses …" */
};
/* Adds findings; returns 0, or -STO_E_CONFIG if any is an error. *out is zero but for states_max.
 */
int check_prove(const workflow_t *w, const char *file, const network_t *net, sto_diags_t *diags,
                struct check_report *out);
/* The same with the default bound. *longest_minutes: -1 = unlimited. */
int check_workflow(const workflow_t *w, const char *file, const network_t *net, sto_diags_t *diags,
                   int64_t *longest_minutes);

/* Every code that the checker and the loader of workflows may give. */
struct check_code {
    const char *code, *group; /* "soundness" … */
    const char *meaning, *example, *mend;
    bool warning;
};
const struct check_code *check_code_find(const char *code); /* NULL = none */
size_t check_codes(const struct check_code **rows);
#endif
