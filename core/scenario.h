/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * World: cases and shared things of one network in memory, on virtual time; mail is carried, clocks
 * fire in order of due time. The scenario runner, random and exhaustive tests stand on it.
 * scenario: runs scenarios.cfg and journeys.
 */
#ifndef SCENARIO_H
#define SCENARIO_H
#include "engine.h"
#include "shared.h"
#include <stdio.h>

/* The newest version of a workflow by id; NULL = there is none. */
typedef const workflow_t *workflow_find_fn(void *arg, const char *id);

typedef struct world world_t;
world_t *world_new(const network_t *net, int64_t start_us);
void world_destroy(world_t **self_p);
/* Where an end that `continues` finds its workflow; without it, none is deployed. */
void world_workflows(world_t *w, workflow_find_fn *find, void *arg);
int64_t world_now(const world_t *w);
/* EVENT_START opens `id`; others go to it (a session's id reaches the session), whose workflow is
   then its own. Carries mail until quiet, then checks invariants, and that evolve(before,
   decode(encode(fact))) equals what decide meant. An event of a case happens at max(now, the case's
   last + 1 µs), as in the broker. A refusal changes nothing and returns its code; a broken check is
   STO_E_INTERNAL. */
int world_event(world_t *w, const workflow_t *wf, const struct sto_uuid *id, const struct input *in,
                struct sto_err *err);
/* Fires everything due up to and including until_us, in order; now = until_us afterwards. */
int world_advance(world_t *w, int64_t until_us, struct sto_err *err);
const struct case_state *world_case(const world_t *w, const struct sto_uuid *id);
const struct case_data *world_data(const world_t *w, const struct sto_uuid *id);
/* The workflow that the case runs on now. */
const workflow_t *world_workflow(const world_t *w, const struct sto_uuid *id);
/* Deliveries decided so far for an organisation number (0 = all), in order. */
struct world_send {
    struct sto_uuid case_id;
    int64_t at_us;
    struct send send;
};
size_t world_sends(const world_t *w, const struct world_send **out);
/* Code of the fact of the last world_event itself (0, STO_E_LATE…), not of the mail and clocks
 * after it. */
int world_last_code(const world_t *w);
const struct shared_state *world_session(const world_t *w, const struct sto_uuid *id);
/* Called after every fact of a case (clocks and mail too), when it has passed all checks. */
typedef void world_watch_fn(void *arg, const struct sto_uuid *id, const struct case_state *before,
                            const struct fact *f, const struct case_state *after);
void world_watch(world_t *w, world_watch_fn *fn, void *arg);

/* What a file of scenarios may name. */
struct scenario_book {
    const network_t *net;
    workflow_find_fn *find; /* workflows by id; NULL = the file's own only */
    void *arg;
};
struct scenario_totals {
    unsigned scenarios, failed, skipped; /* skipped: for another network */
    unsigned steps, steps_hit, exits, exits_hit, clocks, clocks_hit;
};
/* Runs all scenarios of one file; failures and coverage gaps go to diags (errors, warnings with
 * names of uncovered steps/exits). */
int scenario_run(const struct model_file *file, const workflow_t *wf,
                 const struct scenario_book *book, sto_diags_t *diags,
                 struct scenario_totals *totals);

/* A journey: several cases of several workflows on one timeline, the holder checked after each
 * event. What it reached of each workflow is counted in order of first use. */
#define JOURNEY_WORKFLOWS_MAX 32
struct journey_totals {
    bool failed, skipped;
    unsigned cases, events;
    unsigned n_workflows;
    struct {
        const workflow_t *wf; /* the book's */
        struct scenario_totals reached;
    } workflows[JOURNEY_WORKFLOWS_MAX];
};
int journey_run(const struct model_file *file, const struct scenario_book *book, sto_diags_t *diags,
                struct journey_totals *totals);
#endif
