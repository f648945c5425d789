/* SPDX-License-Identifier: EUPL-1.2 */
/* The parts of the workflow loader, one noun each. Internal to core/. */
#ifndef WORKFLOW_LOAD_H
#define WORKFLOW_LOAD_H
#include "load.h"
#include "workflow.h"

struct wf_load {
    struct load l;
    const network_t *net;
    workflow_t *w;
    const struct sto_conf *root;                   /* group `workflow` */
    const struct sto_conf *node[STO_WF_STEPS_MAX]; /* of each step */
};

/* workflow_load_data.c */
void wf_load_roles(struct wf_load *x);
void wf_load_settings(struct wf_load *x);
void wf_load_fields(struct wf_load *x);
void wf_load_consents(struct wf_load *x);
void wf_load_messages(struct wf_load *x);
void wf_check_names_differ(struct wf_load *x);

/* workflow_load_refs.c: values that name something; faults are reported at `at` */
uint8_t wf_party(struct wf_load *x, const struct sto_conf *at, const char *s);
uint64_t wf_fields(struct wf_load *x, const struct sto_conf *g, const char *key);
uint32_t wf_roles(struct wf_load *x, const struct sto_conf *g, const char *key);
unsigned wf_parties(struct wf_load *x, const struct sto_conf *g, const char *key,
                    uint8_t out[WF_TO_MAX]);
struct wf_when wf_when(struct wf_load *x, const struct sto_conf *at, const char *s);
unsigned wf_within(struct wf_load *x, const struct sto_conf *g, struct wf_when out[WF_WITHIN_MAX]);
uint16_t wf_step_ref(struct wf_load *x, const struct sto_conf *at, const char *s);
uint8_t wf_intern(struct wf_load *x, const struct sto_conf *at, const char *exit);
/* enum wf_event by its name; 0 = no event (reported if at is not NULL). */
uint8_t wf_event(struct wf_load *x, const struct sto_conf *at, const char *name);
void wf_later(struct wf_load *x, const struct sto_conf *at, const char *what, const char *name);
void wf_first(struct wf_load *x, const struct sto_conf *g, uint16_t stage, uint16_t *out,
              uint8_t *n);

/* workflow_load_steps.c */
void wf_collect_steps(struct wf_load *x);
void wf_load_steps(struct wf_load *x);

/* workflow_load_exits.c */
void wf_load_exits(struct wf_load *x);  /* `on` and `next` of all steps and of the workflow */
void wf_check_exits(struct wf_load *x); /* names that fit the type; those that must be there */
/* "x", "join", "leave:x", "stay" as seen from step ix (WF_ROOT: from the workflow's own `on`). */
bool wf_target(struct wf_load *x, const struct sto_conf *at, const char *s, uint16_t from,
               struct wf_exit *out);

/* workflow_load_when.c */
void wf_load_conditions(struct wf_load *x); /* rules of decide steps, start.when */

/* workflow_load_texts.c */
void wf_load_texts(struct wf_load *x, const struct model_file *texts);

#endif
