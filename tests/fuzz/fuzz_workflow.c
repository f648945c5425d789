/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as a workflow file on a small network: errors and nothing, or no error and a workflow
 * whose every index is in range, on which the checker comes to an end. What stands behind a line
 * "----" is the file of whatever the first part calls.
 */
#define _GNU_SOURCE /* memmem */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "sto_time.h"
#include "workflow_bundle.h"

static const char NETWORK[] =
    "network : { id = \"n\"; version = 1; coordinator = \"a\"; categories = [ \"identity\", "
    "\"dealings\", \"plan\", \"benefit\", \"service_need\" ]; };\n"
    "organisations : { a : { number = 1; name = \"A\"; kinds = [ \"te-office\", \"municipality\" "
    "]; may-hold = true; desks : { d : { number = 1; }; }; };\n"
    "  b : { number = 2; name = \"B\"; kinds = [ \"employer\" ]; desks : { d : { number = 1; }; }; "
    "}; };\n"
    "ladders : { short : { rungs = ( { after = \"1 day\"; to = \"ball\"; } ); }; };\n"
    "services : { guidance : { number = 1; organisation = \"a\"; };\n"
    "  event : { number = 2; organisation = \"a\"; dates = \"FREQ=MONTHLY\"; from = "
    "\"2008-01-01\"; at = \"10:00\"; };\n"
    "  coaching : { number = 3; organisation = \"a\"; places = 3; };\n"
    "  group : { number = 4; organisation = \"a\"; groups = true; places = 9; minimum = 2; }; };\n"
    "panels : { board : { number = 5; organisation = \"a\"; dates = \"FREQ=MONTHLY\"; from = "
    "\"2008-01-01\"; at = \"10:00\"; cut-off = \"7 days\"; members = [ \"a\" ]; }; };\n"
    "instruments : { ability : { title : { fi = \"a\"; sv = \"a\"; en = \"a\"; }; source = \"s\"; "
    "category = \"plan\"; min = 0; max = 4; items = [ \"q1\", \"q2\" ]; "
    "sums : { all : { scale = \"sum\"; items = [ \"q1\", \"q2\" ]; }; }; }; };\n";

static void exit_in_range(const workflow_t *w, const struct wf_exit *e)
{
    STO_ASSERT(e->exit < w->n_exits && e->leave < w->n_exits);
    STO_ASSERT(e->kind >= TARGET_STEP && e->kind <= TARGET_INSIDE);
    STO_ASSERT(e->kind != TARGET_STEP || e->step < w->n_steps);
    STO_ASSERT(e->kind != TARGET_INSIDE || e->step < w->n_steps || e->step == WF_NONE);
}

static void in_range(const workflow_t *w)
{
    STO_ASSERT(w->n_steps > 0 && w->n_first > 0 && w->n_steps <= STO_WF_STEPS_MAX);
    for (unsigned k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        STO_ASSERT(s->type >= STEP_TASK && s->type <= STEP_TYPE_LAST);
        STO_ASSERT(s->stage == WF_ROOT || step_is_stage(w->steps[s->stage].type));
        STO_ASSERT(s->host == WF_NONE || s->host == WF_ROOT || s->host < w->n_steps);
        STO_ASSERT(s->role < w->n_roles || s->role >= PARTY_HOLDER);
        STO_ASSERT(workflow_step(w, s->id) == k);
        for (unsigned e = 0; e < s->n_exits; e++) {
            exit_in_range(w, &s->exits[e]);
            STO_ASSERT(workflow_step_exit(s, s->exits[e].exit) == &s->exits[e]);
        }
        for (unsigned j = 0; j < s->n_first; j++) {
            STO_ASSERT(w->steps[s->first[j]].stage == k);
        }
        for (unsigned j = 0; j < s->n_sides; j++) {
            STO_ASSERT(w->steps[s->sides[j]].host == k);
        }
    }
    for (unsigned e = 0; e < w->n_exits_on; e++) {
        exit_in_range(w, &w->exits_on[e]);
    }
}

static bool find(void *arg, const char *id, struct model_file *file, struct model_file *texts)
{
    const struct model_file *called = arg;
    (void)id;
    *file = *called;
    *texts = (struct model_file){"called/texts.cfg", "", 0};
    return called->len > 0;
}

static void try_bundle(const network_t *net, const struct model_file *file,
                       const struct workflow_source *source)
{
    sto_diags_t *diags = sto_diags_new();
    struct sto_buf cfg, texts;
    workflow_t *w = NULL;
    sto_buf_init(&cfg, 0);
    sto_buf_init(&texts, 0);
    if (workflow_bundle(file, NULL, source, diags, &cfg, &texts) == 0) {
        const struct model_file whole = {file->name, (const char *)cfg.data, cfg.len};
        int rc = workflow_load(&whole, NULL, net, diags, &w);
        STO_ASSERT((rc == 0) == (w != NULL));
        STO_ASSERT((rc == 0) == (sto_diags_errors(diags) == 0));
    }
    if (w) {
        struct check_report report = {.states_max = 2000}; /* whatever it is, it comes to an end */
        in_range(w);
        (void)check_prove(w, "fuzz.cfg", net, diags, &report);
        STO_ASSERT(report.longest_minutes >= -1 && report.states <= 2000);
        STO_ASSERT(report.longest[0] != '\0');
        for (size_t k = 0; k < sto_diags_count(diags); k++) {
            STO_ASSERT(check_code_find(sto_diags_at(diags, k)->code));
        }
    }
    workflow_destroy(&w);
    sto_buf_release(&cfg);
    sto_buf_release(&texts);
    sto_diags_destroy(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char BORDER[] = "\n----\n";
    static network_t *net; /* the same for all inputs */
    if (!net) {
        sto_diags_t *diags = sto_diags_new();
        struct model_file file = {.name = "n.cfg", .text = NETWORK, .len = sizeof(NETWORK) - 1};
        STO_ASSERT(network_load("n", &file, 1, diags, &net) == 0);
        sto_diags_destroy(&diags);
    }
    const char *text = (const char *)data;
    const char *at = size ? memmem(text, size, BORDER, sizeof(BORDER) - 1) : NULL;
    size_t own = at ? (size_t)(at - text) : size, skip = own + sizeof(BORDER) - 1;
    struct model_file file = {"fuzz/workflow.cfg", text, own};
    struct model_file called = {"called/workflow.cfg", at ? text + skip : "", at ? size - skip : 0};
    const struct workflow_source source = {find, &called};
    try_bundle(net, &file, &source);
    return 0;
}
