/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as scenarios.cfg of a small workflow: it runs or its errors are told, and
 * nothing that people may write breaks a check of the engine.
 */
#include <stdint.h>
#include <string.h>

#include "../unit/small_workflow.h"
#include "scenario.h"

static network_t *net;
static workflow_t *wf;

static void load_once(void)
{
    struct model_file n = {"network.cfg", small_network, sizeof small_network - 1};
    struct model_file w = {"workflow.cfg", small_workflow, sizeof small_workflow - 1};
    struct model_file t = {"texts.cfg", small_texts, sizeof small_texts - 1};
    sto_diags_t *diags = sto_diags_new();
    sto_time_init();
    STO_ASSERT(network_load("bench", &n, 1, diags, &net) == 0);
    STO_ASSERT(workflow_load(&w, &t, net, diags, &wf) == 0);
    sto_diags_destroy(&diags);
}

static const workflow_t *find(void *arg, const char *id)
{
    (void)arg;
    return strcmp(id, wf->id) == 0 ? wf : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!wf) {
        load_once();
    }
    struct model_file file = {"scenarios.cfg", (const char *)data, size};
    struct scenario_totals totals;
    sto_diags_t *diags = sto_diags_new();
    struct scenario_book book = {.net = net, .find = find};
    int rc = scenario_run(&file, wf, &book, diags, &totals);
    STO_ASSERT((rc == 0) == (sto_diags_errors(diags) == 0));
    STO_ASSERT(rc != 0 || totals.failed == 0);
    for (size_t i = 0; i < sto_diags_count(diags); i++) {
        STO_ASSERT(strcmp(sto_diags_at(diags, i)->code, "engine-fault") != 0);
    }
    sto_diags_destroy(&diags);
    return 0;
}
