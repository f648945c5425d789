/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as scenarios.cfg of two small workflows, or as a journey: it runs or its errors are
 * told, and nothing that people may write breaks a check of the engine.
 */
#define _GNU_SOURCE 1 /* memmem */
#include <stdint.h>
#include <string.h>

#include "../unit/small_workflow.h"
#include "../unit/whole_workflow.h"
#include "scenario.h"

struct bench {
    network_t *net;
    workflow_t *wf;
};
static struct bench small, whole;

static void load(struct bench *b, const char *id, const char *network, const char *workflow,
                 const char *texts)
{
    struct model_file n = {"network.cfg", network, strlen(network)};
    struct model_file w = {"workflow.cfg", workflow, strlen(workflow)};
    struct model_file t = {"texts.cfg", texts, strlen(texts)};
    sto_diags_t *diags = sto_diags_new();
    STO_ASSERT(network_load(id, &n, 1, diags, &b->net) == 0);
    STO_ASSERT(workflow_load(&w, &t, b->net, diags, &b->wf) == 0);
    sto_diags_destroy(&diags);
}

static void load_once(void)
{
    sto_time_init();
    load(&small, "bench", small_network, small_workflow, small_texts);
    load(&whole, "whole", whole_network, whole_workflow, "");
}

static const workflow_t *find(void *arg, const char *id)
{
    const struct bench *b = arg;
    return strcmp(id, b->wf->id) == 0 ? b->wf : NULL;
}

/* The answer and the findings agree, and nothing was the engine's fault. */
static void told(const sto_diags_t *diags, int rc)
{
    STO_ASSERT((rc == 0) == (sto_diags_errors(diags) == 0));
    for (size_t i = 0; i < sto_diags_count(diags); i++) {
        STO_ASSERT(strcmp(sto_diags_at(diags, i)->code, "engine-fault") != 0);
    }
}

static void play(struct bench *b, const struct model_file *file)
{
    struct scenario_book book = {.net = b->net, .find = find, .arg = b};
    struct scenario_totals totals;
    sto_diags_t *diags = sto_diags_new();
    int rc = scenario_run(file, b->wf, &book, diags, &totals);
    told(diags, rc);
    STO_ASSERT(rc != 0 || totals.failed == 0);
    sto_diags_destroy(&diags);
}

static void travel(struct bench *b, const struct model_file *file)
{
    struct scenario_book book = {.net = b->net, .find = find, .arg = b};
    struct journey_totals totals;
    sto_diags_t *diags = sto_diags_new();
    int rc = journey_run(file, &book, diags, &totals);
    told(diags, rc);
    STO_ASSERT((rc != 0) == totals.failed);
    sto_diags_destroy(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!small.wf) {
        load_once();
    }
    struct model_file file = {"scenarios.cfg", (const char *)data, size};
    if (memmem(data, size, "journey", strlen("journey"))) {
        travel(&whole, &file);
    } else {
        play(&small, &file);
        play(&whole, &file);
    }
    return 0;
}
