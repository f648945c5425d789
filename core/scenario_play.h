/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Shared by the parts of the scenario runner: scenario.c (files), scenario_play.c (the timeline),
 * scenario_case.c (cases by name), scenario_input.c (an entry's event), scenario_expect*.c (what
 * must hold) and scenario_cover.c (what was reached).
 */
#ifndef SCENARIO_PLAY_H
#define SCENARIO_PLAY_H
#include "load.h"
#include "scenario.h"

struct covers; /* what all scenarios of a file have reached, by workflow */

/* One case of a scenario. */
struct play_case {
    const char *name; /* "" = the scenario's own */
    unsigned number;  /* in its group, 1..; 0 = it is alone */
    struct sto_uuid id;
    const workflow_t *wf;                  /* that it runs on now */
    uint16_t last_token[STO_WF_STEPS_MAX]; /* newest piece of work on each step: its token */
    uint16_t last_entry[STO_WF_STEPS_MAX]; /* and entry */
    struct party holder;                   /* after the entry before, for journeys */
    bool holder_told;                      /* the present entry says who it is */
};

/* One scenario being played. */
struct play {
    struct load *l;
    const struct scenario_book *book;
    const network_t *net;
    const workflow_t *own; /* of the file; NULL in a journey */
    struct covers *covers;
    bool journey;
    const char *name;
    world_t *w;
    struct play_case *cases; /* in order of opening */
    unsigned n_cases, cap_cases;
    unsigned case_ix; /* that the present entry is about */
    int64_t start_us;
    int64_t time_us;   /* nominal time of the present entry */
    size_t sends_seen; /* deliveries of earlier entries */
    unsigned events, cases_opened;
    bool failed; /* an error in the present entry */
};
static inline struct play_case *play_case(const struct play *p)
{
    return &p->cases[p->case_ix];
}

/* An error at a node, with the scenario's name in front; the entry has failed. */
void play_err(struct play *p, const struct sto_conf *at, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with "; did you mean 'near'?" for the nearest of names[] (NULL-terminated). */
void play_unknown(struct play *p, const struct sto_conf *at, const char *code, const char *what,
                  const char *id, const char *const *names);

/* Checks the form of `shows`: requirements of the process catalogue that this shows. */
void play_shows(struct play *p, const struct sto_conf *g);

/* Plays `at`, `start` and `timeline` of a scenario's or journey's group. */
void play_timeline(struct play *p, const struct sto_conf *g);
/* Keys that play_timeline() reads; ends with NULL. */
#define PLAY_KEYS "at", "start", "timeline"

/* ------------------------------------------------------------------- cases */

/* Cases that an entry is about: indexes [from, from + n) of p->cases. */
struct play_range {
    unsigned from, n;
};
/* `case` of the entry: "olli", "others" (all of a group), "others#3", "others#1-19"; absent: the
   scenario's own. false: an error was reported. */
bool case_range(struct play *p, const struct sto_conf *entry, struct play_range *out);
/* A case by a name as above; n 0 = there is none. */
struct play_range case_named(const struct play *p, const char *name);
/* New cases that `start` opens: `case` names them, `count` how many; to be opened one by one. */
bool case_add(struct play *p, const struct sto_conf *entry, const struct sto_conf *start,
              struct play_range *out);
/* "olli", "others#3" or "the case". */
const char *case_text(const struct play_case *c, char *buf, size_t cap);
world_watch_fn case_watch; /* arg: struct play * */

/* ------------------------------------------------------------------ inputs */

/* An event's input; it lives as long as this struct and the file's tree. */
struct made_input {
    struct input in;
    struct in_field fields[STO_WF_FIELDS_MAX];
    struct in_name names[STO_WF_ROLES_MAX];
};
/* false: it was not understood, the errors are reported. */
bool input_of_start(struct play *p, const struct sto_conf *start, struct made_input *out);
bool input_of_entry(struct play *p, const struct sto_conf *entry, struct made_input *out);
/* Does the event go to what cases share, and not to a case? */
bool event_to_shared(enum event_kind k);
/* A value as libconfig has it for a field (NULL: an unknown one); false: neither number, true or
 * false, nor text. */
bool input_value(const struct wf_field *f, const struct sto_conf *v, struct in_field *out);

enum scope_noun { SCOPE_FIELD, SCOPE_ROLE, SCOPE_CONSENT, SCOPE_MESSAGE };
/* Index of what `name` means, seen from a step (NULL: from the workflow); else the only one with
   that last part, in whatever call or branch; -1 = there is none, or several. */
int scope_find(const workflow_t *wf, enum scope_noun noun, const char *step, const char *name);
const char *scope_name(const workflow_t *wf, enum scope_noun noun, unsigned ix);
/* scope_find() with an error. */
int scope_need(struct play *p, const struct sto_conf *at, enum scope_noun noun, const char *step,
               const char *name);
/* Id of the step that an entry is about, as the case names it; NULL = none, or it is unknown. */
const char *entry_step(struct play *p, const struct sto_conf *entry);

/* "oulu" or "oulu/service-guidance" under key; desk 0 = none was named. */
bool play_party(struct play *p, const struct sto_conf *at, const char *text, struct party *out);
/* Index of a step named at `at`, or WF_NONE with an error. */
uint16_t play_step(struct play *p, const struct sto_conf *at, const char *id);
/* The same, but a plain name inside an each finds the branch of this organisation. */
uint16_t play_step_of(struct play *p, const struct sto_conf *at, const char *id, uint16_t org);
/* A text in local time under key; absent: false. Faults are reported. */
bool play_time(struct play *p, const struct sto_conf *g, const char *key, int64_t *out);
/* A session, place, quota or panel of the network, or NULL with an error. */
const struct service *play_shared(struct play *p, const struct sto_conf *at, const char *id);

/* Checks entry's `expect` against the case that p->case_ix says. */
void expect_check(struct play *p, const struct sto_conf *entry, const struct sto_conf *expect);

/* Checks what an expect says of no single case: holders, free, waiting. Returns how many keys. */
unsigned expect_all_cases(struct play *p, const struct sto_conf *expect);

/* ---------------------------------------------------------------- coverage */

struct covers *covers_new(const network_t *net);
void covers_destroy(struct covers **self_p);
/* What a fact of a case on wf shows; after: the case may have gone on in another workflow. */
void covers_see(struct covers *c, const workflow_t *wf, const workflow_t *after_wf,
                const struct case_state *before, const struct fact *f,
                const struct case_state *after);
unsigned covers_count(const struct covers *c);
/* The i-th workflow, in order of first use, and what was reached of it. */
const workflow_t *covers_at(const struct covers *c, unsigned i, struct scenario_totals *totals);
/* One warning each for steps, exits and clocks that no scenario reached. */
void covers_report(struct covers *c, const workflow_t *wf, struct load *l, const char *file,
                   struct scenario_totals *totals);

#endif
