/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Shared by the parts of the scenario runner: scenario.c (file, timeline),
 * scenario_input.c (an entry's event), scenario_expect.c (what must hold) and
 * scenario_cover.c (what was reached).
 */
#ifndef SCENARIO_PLAY_H
#define SCENARIO_PLAY_H
#include "load.h"
#include "scenario.h"

struct cover; /* what all scenarios of a file have reached */

/* One scenario being played. */
struct play {
    struct load *l;
    const network_t *net;
    const workflow_t *wf;
    struct cover *cover;
    const char *name;
    world_t *w;
    struct sto_uuid id;
    int64_t start_us;
    int64_t time_us;                       /* nominal time of the present entry */
    size_t sends_seen;                     /* deliveries of earlier entries */
    uint16_t last_token[STO_WF_STEPS_MAX]; /* newest token that stood on each step */
    bool failed;                           /* an error in the present entry */
};

/* An error at a node, with the scenario's name in front; the entry has failed. */
void play_err(struct play *p, const struct sto_conf *at, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* An event's input; it lives as long as this struct and the file's tree. */
struct made_input {
    struct input in;
    struct in_field fields[STO_WF_FIELDS_MAX];
    struct in_name names[STO_WF_ROLES_MAX];
};
/* false: it was not understood, the errors are reported. */
bool input_of_start(struct play *p, const struct sto_conf *start, struct made_input *out);
bool input_of_entry(struct play *p, const struct sto_conf *entry, struct made_input *out);

/* "oulu" or "oulu/service-guidance" under key; desk 0 = none was named. */
bool play_party(struct play *p, const struct sto_conf *at, const char *text, struct party *out);
/* Index of a step named at `at`, or WF_NONE with an error. */
uint16_t play_step(struct play *p, const struct sto_conf *at, const char *id);
/* A text in local time under key; absent: false. Faults are reported. */
bool play_time(struct play *p, const struct sto_conf *g, const char *key, int64_t *out);

/* Checks entry's `expect` against the world. */
void expect_check(struct play *p, const struct sto_conf *entry, const struct sto_conf *expect);

struct cover *cover_new(const workflow_t *wf);
void cover_destroy(struct cover **self_p);
world_watch_fn cover_watch; /* arg: struct cover * */
/* One warning each for steps, exits and clocks that no scenario reached. */
void cover_report(const struct cover *c, struct load *l, const char *file,
                  struct scenario_totals *totals);

#endif
