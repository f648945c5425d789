/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto flow: check, and the table of verbs; the others stand in files of their own. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "flow_source.h"
#include "nouns.h"
#include "sto_file.h"

/* -------------------------------------------------------------------- check */

struct totals {
    unsigned networks, workflows;
    size_t errors, warnings;
};

static void print_findings(struct cli *c, sto_diags_t *diags, struct totals *t)
{
    sto_diags_sort(diags);
    for (size_t i = 0; i < sto_diags_count(diags); i++) {
        const struct sto_diag *d = sto_diags_at(diags, i);
        const char *severity = d->severity == STO_SEV_ERROR ? "error" : "warning";
        t->errors += d->severity == STO_SEV_ERROR;
        t->warnings += d->severity != STO_SEV_ERROR;
        output_say(&c->out, "%s:%d: %s: %s [%s]", d->file, d->line, severity, d->text, d->code);
        if (!output_text(&c->out)) {
            output_row(&c->out,
                       json_pack("{s:s, s:i, s:s, s:s, s:s}", "file", d->file, "line", d->line,
                                 "severity", severity, "code", d->code, "text", d->text));
        }
    }
}

/* An end may go on in a workflow that is nowhere: only here is every workflow at hand. */
static void check_continues(const workflow_t *w, const struct flow_source *s, sto_diags_t *diags)
{
    for (unsigned i = 0; i < w->n_steps; i++) {
        const struct wf_step *x = &w->steps[i];
        char path[WORKFLOW_PATH_BYTES];
        workflow_beside(s->cfg, x->continues, "workflow.cfg", path, sizeof path);
        if (*x->continues != '\0' && access(path, R_OK) != 0) {
            sto_diag(diags, STO_SEV_ERROR, x->file, x->line, "unknown-workflow",
                     "end '%s' continues in workflow '%s', which is not there: no file '%s'", x->id,
                     x->continues, path);
        }
    }
}

static int check_one(struct cli *c, const struct flow_source *s, const network_t *net,
                     struct totals *t, struct sto_err *err)
{
    sto_diags_t *diags = sto_diags_new();
    workflow_t *w = NULL;
    struct check_report report = {0};
    int rc = flow_source_load(s, net, diags, &w, err);

    t->workflows++;
    if (rc == 0) {
        check_continues(w, s, diags);
        (void)check_prove(w, s->cfg, net, diags, &report); /* its findings are what counts */
    }
    if (sto_diags_errors(diags) == 0 && rc == 0) {
        output_say(&c->out, "%s: workflow '%s' version %u: %u steps, %u states, %s", s->cfg, w->id,
                   w->version, w->n_steps, report.states, report.longest);
    }
    print_findings(c, diags, t);
    workflow_destroy(&w);
    sto_diags_destroy(&diags);
    return rc == -STO_E_CONFIG ? 0 : rc;
}

static int check_network(struct cli *c, const char *dir, network_t **net, struct totals *t,
                         struct sto_err *err)
{
    sto_diags_t *diags = sto_diags_new();
    int rc = model_network_dir(dir, diags, net, err);

    t->networks++;
    if (rc == 0) {
        network_as_of(*net);
        output_say(&c->out, "%s: network '%s' version %u: %u organisations, %u services", dir,
                   (*net)->id, (*net)->version, (*net)->n_orgs, (*net)->n_services);
    }
    print_findings(c, diags, t);
    sto_diags_destroy(&diags);
    return rc;
}

static int flow_check(struct cli *c, struct sto_err *err)
{
    struct flow_sources sources = {0};
    struct totals t = {0};
    network_t *net = NULL;

    int rc = flow_sources_of(c, cli_flag(c, "all"), &sources, err);
    if (rc != 0) {
        return rc;
    }
    if (!output_text(&c->out)) {
        output_table(&c->out, NULL);
    }
    /* Without a network nothing can be resolved; its own faults come first. */
    rc = check_network(c, sources.network, &net, &t, err);
    for (size_t i = 0; i < sources.n && rc == 0; i++) {
        rc = check_one(c, &sources.v[i], net, &t, err);
    }
    if (!output_text(&c->out)) {
        output_table_end(&c->out, "");
    }
    output_say(&c->out, "%u network and %u workflows checked: %zu errors, %zu warnings", t.networks,
               t.workflows, t.errors, t.warnings);
    if ((rc == 0 || rc == -STO_E_CONFIG) && t.errors != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "%zu errors in what was checked", t.errors);
        sto_err_fix(err, "mend the lines named above");
    }
    network_destroy(&net);
    flow_sources_release(&sources);
    return rc;
}

/* -------------------------------------------------------------------- table */

static const struct option_row check_options[] = {
    {"all", NULL, "the network and every workflow of the folder workflows/"},
    {"network", "DIR",
     "network to check against: a folder, or the id of one under workflows/network/"},
    {0},
};
static const struct option_row replay_options[] = {
    {"case", "CASE", "only this case; may be repeated"},
    {"limit", "N", "at most so many cases (default 10000)"},
    {0},
};
static const struct option_row migrate_options[] = {
    {"from", "N", "version that the cases run on"},
    {"to", "N", "version that they go on with; deployed already"},
    {"map", "FILE", "steps with another id: map = ( [ \"old\", \"new\" ], … );"},
    {"key", "FILE",
     "key pair of the coordinator's operator (default keys/COORDINATOR.operator.key)"},
    {"dry-run", NULL, "tell which cases would move and which would strand; change nothing"},
    {0},
};
static const struct option_row new_options[] = {
    {"from", "TEMPLATE", "two-party, offer-to-many, panel, group or return"},
    {"in", "DIR", "make the folder there instead of under workflows/"},
    {0},
};
static const struct option_row diff_options[] = {
    {"version", "N", "compare with this deployed version instead of the newest"},
    {0},
};
static const struct option_row draw_options[] = {
    {"text", NULL, "the same in words"},
    {"bpmn", NULL, "the same as BPMN 2.0 with its layout, for other programs"},
    {"file", "FILE", "write it there"},
    {"lang", "LANG", "language of the labels: fi (the default), sv or en"},
    {"network", "DIR",
     "network to read it with: a folder, or the id of one under workflows/network/"},
    {0},
};
static const struct option_row fmt_options[] = {
    {"check", NULL,
     "change nothing; name the files that are not laid out and fail if there are any"},
    {0},
};
static const struct option_row test_options[] = {
    {"network", "DIR", "network to play in: a folder, or the id of one under workflows/network/"},
    {"junit", "FILE", "also write the results as JUnit XML"},
    {0},
};
static const struct option_row deploy_options[] = {
    {"network", "DIR",
     "also deploy this network: a folder, or the id of one under workflows/network/"},
    {"dry-run", NULL, "check and say what would change; change nothing"},
    {0},
};

const struct verb flow_verbs[] = {
    {.name = "list",
     .words = "",
     .help = "Lists the workflow versions that are deployed and how many cases run on each",
     .run = flow_list},
    {.name = "new",
     .words = "ID",
     .words_min = 1,
     .words_max = 1,
     .options = new_options,
     .help =
         "Makes the folder of a new workflow from a template, with texts and scenarios that pass",
     .more =
         "The templates stand under workflows/templates/; each is a workflow that runs as it is.",
     .run = flow_new},
    {.name = "check",
     .words = "[FILE…]",
     .words_max = COMMAND_ARGS_MAX,
     .options = check_options,
     .help = "Checks form, responsibility and time; reports all errors at once, with file and line",
     .more = "FILE is a workflow's folder, its workflow.cfg, its id under workflows/, or the "
             "folder of a network.",
     .run = flow_check},
    {.name = "test",
     .words = "[ID…]",
     .words_max = COMMAND_ARGS_MAX,
     .options = test_options,
     .help = "Plays scenarios of workflows and journeys on virtual time and says what they do not "
             "reach",
     .more = "ID is a workflow's folder or its id under workflows/, a journey's file or its name "
             "under workflows/journeys/,\n"
             "or a folder of journeys; without one, all workflows and all journeys.",
     .run = flow_test},
    {.name = "diff",
     .words = "[BEFORE] AFTER",
     .words_min = 1,
     .words_max = 2,
     .options = diff_options,
     .help = "Says in words what differs between two versions of a workflow",
     .more =
         "BEFORE and AFTER are folders, or ids under workflows/. Without BEFORE it is the newest "
         "deployed version\nof AFTER. Order and layout of the files make no difference.",
     .run = flow_diff},
    {.name = "draw",
     .words = "WORKFLOW",
     .words_min = 1,
     .words_max = 1,
     .options = draw_options,
     .help = "Draws a workflow as SVG: one lane for each organisation, stages, exits and clocks",
     .more = "WORKFLOW is a workflow's folder, its workflow.cfg, or its id under workflows/.",
     .run = flow_draw},
    {.name = "fmt",
     .words = "FILE…",
     .words_min = 1,
     .words_max = COMMAND_ARGS_MAX,
     .options = fmt_options,
     .help =
         "Lays configuration files out in the canonical form, in place; comments and line breaks "
         "stay",
     .more = "FILE is a file, or a folder: then every .cfg in it and below it.",
     .run = flow_fmt},
    {.name = "deploy",
     .words = "[DIR…]",
     .words_max = COMMAND_ARGS_MAX,
     .options = deploy_options,
     .help =
         "Deploys workflows (and a network) in one transaction; running cases keep their version",
     .more = "A deployed version never changes: other bytes under the same id and version are "
             "refused. Give a changed\n"
             "workflow the next version.",
     .run = flow_deploy},
    {.name = "replay",
     .words = "WORKFLOW",
     .words_min = 1,
     .words_max = 1,
     .options = replay_options,
     .help = "Plays the recorded histories of real cases on a version that is not deployed yet",
     .more =
         "WORKFLOW is a workflow's folder or id. What organisations did is done again at the same "
         "instants, clocks run by\nthe new version; for each case the first difference is told. "
         "Reads contents (the database of keys), writes\nnothing. Exit 10 if anything differs.",
     .run = flow_replay},
    {.name = "migrate",
     .words = "WORKFLOW",
     .words_min = 1,
     .words_max = 1,
     .options = migrate_options,
     .help = "Moves the open cases of one version to another: all of them, or none",
     .more =
         "Steps are paired by id. A case strands that stands on a step without a counterpart, or "
         "has a role, value or\nconsent without one; every such case is named, and then nothing "
         "is moved. Needs the key of the coordinator's\noperator, "
         "keys/COORDINATOR.operator.key.",
     .run = flow_migrate},
    {0},
};
