/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a name means at a step. A called workflow's names live in a scope of their own, and each
 * branch of an each has one, in which the plain name of the role and of what stands in the branch
 * means this branch's. Steps of all scopes come from the trees of the files as they stand; only
 * their names in the case differ: "support.find", "ask#2". Internal to core/.
 */
#ifndef WORKFLOW_SCOPE_H
#define WORKFLOW_SCOPE_H
#include "workflow_load.h"

enum wf_noun { NOUN_ROLE, NOUN_FIELD, NOUN_SETTING, NOUN_CONSENT, NOUN_MESSAGE };

/* A name of a called workflow that stands for something of its caller. */
struct wf_alias {
    enum wf_noun noun;
    uint8_t ix; /* role: a party */
    const char *name;
};
#define WF_ALIASES_MAX                                                                             \
    (STO_WF_ROLES_MAX + STO_WF_FIELDS_MAX + STO_WF_SETTINGS_MAX + STO_WF_CONSENTS_MAX +            \
     STO_WF_MESSAGES_MAX)

struct wf_scope {
    const struct wf_scope *up;    /* NULL: the workflow itself */
    const struct sto_conf *root;  /* group `workflow` that declares the names */
    const struct sto_conf *texts; /* group `texts` beside it, or NULL */
    const char *prefix, *suffix;  /* "support.", "#2"; around the names of what stands here */
    uint16_t call;                /* the call whose workflow this is; WF_ROOT */
    uint16_t each;                /* the each around, WF_NONE, and which of its branches, 1.. */
    uint8_t in_branch;
    uint8_t branch; /* 1..: this is itself a branch, over that role; else 0, 0xff */
    uint8_t over;
    struct wf_alias *aliases;
    unsigned n_aliases;
};

/* The scope of the workflow, without branches, whose names `s` sees. */
const struct wf_scope *wf_scope_workflow(const struct wf_scope *s);
const struct wf_alias *wf_scope_alias(const struct wf_scope *s, enum wf_noun noun,
                                      const char *name);

/* Steps, fields and so on by the name that the file uses, as seen from x->scope; WF_NONE, -1,
   0xff, PARTY_NONE: there is none. Nothing is reported. */
uint16_t wf_find_step(const struct wf_load *x, const char *name);
int wf_find_field(const struct wf_load *x, const char *name);
uint64_t wf_find_fields(const struct wf_load *x, const char *name); /* of all branches, outside */
uint8_t wf_find_role(const struct wf_load *x, const char *name);    /* or a party of the caller's */
uint8_t wf_find_setting(const struct wf_load *x, const char *name);
uint8_t wf_find_consent(const struct wf_load *x, const char *name);
uint8_t wf_find_message(const struct wf_load *x, const char *name);

/* All names of a noun that can be written at x->scope, for "did you mean"; in scratch. */
const char *const *wf_names_of(const struct wf_load *x, enum wf_noun noun);
const char *const *wf_names_of_steps(const struct wf_load *x);

/* The name in the case of what the file calls `name` here; too long is an error. Kept. */
const char *wf_scoped(struct wf_load *x, const struct sto_conf *at, const char *name);
const char *wf_scoped_branch(struct wf_load *x, const struct sto_conf *at, const char *name,
                             unsigned branch);

#endif
