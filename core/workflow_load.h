/* SPDX-License-Identifier: EUPL-1.2 */
/* The parts of the workflow loader, one noun each. Internal to core/. */
#ifndef WORKFLOW_LOAD_H
#define WORKFLOW_LOAD_H
#include "load.h"
#include "workflow.h"

struct wf_scope;

struct wf_load {
    struct load l;
    const network_t *net;
    workflow_t *w;
    const struct sto_conf *root;   /* group `workflow` of the file */
    const struct sto_conf *called; /* workflows that come along, see workflow_bundle(); or NULL */
    const struct sto_conf *texts, *called_texts;
    const struct wf_scope *scope;                  /* whose names are read just now */
    const struct sto_conf *node[STO_WF_STEPS_MAX]; /* of each step */
    const struct wf_scope *scope_of[STO_WF_STEPS_MAX];
    const struct wf_scope
        *inner[STO_WF_STEPS_MAX]; /* of a call: its workflow's; of a branch: its own */
    uint64_t field_bytes;         /* of all fields so far */
    const struct sto_conf *field_node[STO_WF_FIELDS_MAX], *role_node[STO_WF_ROLES_MAX];
};

/* What a name means to x->scope: see workflow_scope.h. */
/* workflow_load_roles.c */
void wf_load_roles(struct wf_load *x);
void wf_load_settings(struct wf_load *x);
/* workflow_load_data.c */
void wf_load_fields(struct wf_load *x);
/* Makes f a profile of an instrument of the network; reports at `at` if there is none. */
bool wf_profile(struct wf_load *x, struct wf_field *f, const struct sto_conf *at, const char *id);
/* workflow_load_law.c */
void wf_load_consents(struct wf_load *x);
void wf_load_messages(struct wf_load *x);
/* workflow_load_names.c */
void wf_check_names_differ(struct wf_load *x, const struct sto_conf *root);
/* Children of a group that must be groups with proper names; others are reported, left out. */
const struct sto_conf *wf_first_named(struct wf_load *x, const struct sto_conf *c,
                                      const char *what);
bool wf_room(struct wf_load *x, const struct sto_conf *c, unsigned n, unsigned max,
             const char *what);

/* workflow_load_refs.c: values that name something; faults are reported at `at` */
uint8_t wf_party(struct wf_load *x, const struct sto_conf *at, const char *s);
uint64_t wf_fields(struct wf_load *x, const struct sto_conf *g, const char *key);
uint32_t wf_roles(struct wf_load *x, const struct sto_conf *g, const char *key);
unsigned wf_parties(struct wf_load *x, const struct sto_conf *g, const char *key,
                    uint8_t out[WF_TO_MAX]);
struct wf_when wf_when(struct wf_load *x, const struct sto_conf *at, const char *s);
unsigned wf_within(struct wf_load *x, const struct sto_conf *g, struct wf_when out[WF_WITHIN_MAX]);
/* A declared consent; unknown ones are reported, 0xff. */
uint8_t wf_consent(struct wf_load *x, const struct sto_conf *at, const char *id);
void wf_unknown_field(struct wf_load *x, const struct sto_conf *at, const char *id);
uint16_t wf_step_ref(struct wf_load *x, const struct sto_conf *at, const char *s);
uint8_t wf_intern(struct wf_load *x, const struct sto_conf *at, const char *exit);
/* enum wf_event by its name; 0 = no event (reported if at is not NULL). */
uint8_t wf_event(struct wf_load *x, const struct sto_conf *at, const char *name);
const char *wf_event_name(struct wf_load *x, uint8_t event, const char *name);
/* WF_EVENT_INVITED, _MOVED or _ABSENT by name, 0 = none of them. They come from a session only. */
uint8_t wf_session_event(const char *name);
/* A number under key, written out or as the name of a setting (then *ix is its index, else 0xff);
   absent -> 0. */
struct wf_limits {
    uint16_t min, max;
};
uint16_t wf_count(struct wf_load *x, const struct sto_conf *g, const char *key, struct wf_limits m,
                  uint8_t *ix);
bool wf_attendance(struct wf_load *x, const struct sto_conf *at, const char *s, uint16_t *days,
                   uint8_t *ix);
/* A duration, written out (0xff) or a setting (its index; *out as loaded). *out n is 0 on error. */
uint8_t wf_duration(struct wf_load *x, const struct sto_conf *at, const char *s,
                    struct sto_duration *out);
void wf_first(struct wf_load *x, const struct sto_conf *g, uint16_t stage, uint16_t *out,
              uint8_t *n);

/* workflow_load_steps.c */
void wf_collect_steps(struct wf_load *x);
void wf_load_steps(struct wf_load *x);
/* The steps of group g: of a stage, or beside host. A new step takes its scope from x->scope. */
void wf_collect(struct wf_load *x, const struct sto_conf *g, uint16_t stage, uint16_t host);
uint16_t wf_new_step(struct wf_load *x, const struct sto_conf *c, uint16_t stage, uint16_t host);
/* One party under key; which: may it be the client, the holder? */
enum { TAKES_ROLE = 0, TAKES_HOLDER = 1, TAKES_CLIENT = 2 };
uint8_t wf_need_party(struct wf_load *x, const struct sto_conf *c, const char *key, unsigned takes);
void wf_load_helps(struct wf_load *x, struct wf_step *s, const struct sto_conf *c);

/* workflow_load_kinds.c: steps that wait for what the network shares, and the short kinds */
void wf_load_session(struct wf_load *x, struct wf_step *s, const struct sto_conf *c);
void wf_load_place(struct wf_load *x, struct wf_step *s, const struct sto_conf *c);
void wf_load_panel(struct wf_load *x, struct wf_step *s, const struct sto_conf *c);
void wf_load_consent(struct wf_load *x, struct wf_step *s, const struct sto_conf *c);
void wf_load_measure(struct wf_load *x, struct wf_step *s, const struct sto_conf *c);
void wf_add_measured(struct wf_load *x, const struct sto_conf *c);
void wf_load_plan(struct wf_load *x, struct wf_step *s, const struct sto_conf *c);
/* A service (or panel) of the network of one of the shapes (bits), under key; 0 = none. */
uint16_t wf_service(struct wf_load *x, const struct sto_conf *c, const char *key, unsigned shapes);

/* workflow_load_call.c */
void wf_collect_call(struct wf_load *x, const struct sto_conf *c, uint16_t ix);
void wf_load_call(struct wf_load *x, struct wf_step *s, const struct sto_conf *c, uint16_t ix);
void wf_load_call_exits(struct wf_load *x, uint16_t ix);
void wf_check_call(struct wf_load *x, uint16_t ix);
bool wf_is_outcome(const struct wf_load *x, uint16_t ix, const char *exit);
/* workflow_load.c: keys of a group `workflow`, and of its start */
void wf_check_root_keys(struct wf_load *x, const struct sto_conf *root);
/* The outcome that step `name` of the called workflow at x->scope ends with, or NULL. */
const char *wf_called_end(const struct wf_load *x, const char *name);

/* workflow_load_each.c */
void wf_collect_each(struct wf_load *x, const struct sto_conf *c, uint16_t ix);
void wf_load_each(struct wf_load *x, struct wf_step *s, const struct sto_conf *c);
void wf_load_branch(struct wf_load *x, uint16_t ix);
void wf_load_branch_exits(struct wf_load *x, uint16_t ix);
/* The stage that the steps of one branch stand in. */
static inline bool wf_is_branch(const struct wf_step *s)
{
    return s->branch && s->each == s->stage && s->host == WF_NONE;
}

/* workflow_load_exits.c */
void wf_load_exits(
    struct wf_load *x,
    const struct wf_scope *own); /* `on` and `next` of all steps and of the workflow */
void wf_check_exits(
    struct wf_load *x,
    const struct wf_scope *own); /* names that fit the type; those that must be there */
/* "x", "join", "leave:x", "stay" as seen from step ix; from the workflow's own `on` if ix is
   x->scope->call, that is WF_ROOT or the call. */
void wf_load_exit(struct wf_load *x, const struct sto_conf *c, uint16_t from, struct wf_exit *e);
bool wf_target(struct wf_load *x, const struct sto_conf *at, const char *s, uint16_t from,
               struct wf_exit *out);

/* workflow_load_when.c */
void wf_load_conditions(struct wf_load *x,
                        const struct wf_scope *own); /* rules of decide steps, start.when */

/* workflow_load_texts.c */
void wf_load_texts(struct wf_load *x, bool given);

#endif
