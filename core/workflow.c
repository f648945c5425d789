/* SPDX-License-Identifier: EUPL-1.2 */
/* Look-ups in a loaded workflow. Everything is read only. */
#include "workflow.h"

#include <stdlib.h>
#include <string.h>

void workflow_destroy(workflow_t **self_p)
{
    if (!self_p || !*self_p) {
        return;
    }
    sto_arena_t *arena = (*self_p)->arena;
    free(*self_p);
    *self_p = NULL;
    sto_arena_destroy(&arena);
}

uint16_t workflow_step(const workflow_t *w, const char *id)
{
    STO_ASSERT(w && id);
    for (uint16_t k = 0; k < w->n_steps; k++) {
        if (strcmp(w->steps[k].id, id) == 0) {
            return k;
        }
    }
    return WF_NONE;
}

int workflow_field(const workflow_t *w, const char *id)
{
    STO_ASSERT(w && id);
    for (int k = 0; k < w->n_fields; k++) {
        if (strcmp(w->fields[k].id, id) == 0) {
            return k;
        }
    }
    return -1;
}

int workflow_role(const workflow_t *w, const char *id)
{
    STO_ASSERT(w && id);
    for (int k = 0; k < w->n_roles; k++) {
        if (strcmp(w->roles[k].id, id) == 0) {
            return k;
        }
    }
    return -1;
}

int workflow_exit(const workflow_t *w, const char *id)
{
    STO_ASSERT(w && id);
    for (int k = 1; k < w->n_exits; k++) {
        if (strcmp(w->exits[k], id) == 0) {
            return k;
        }
    }
    return -1;
}

bool workflow_exit_is_event(const workflow_t *w, unsigned exit_ix)
{
    STO_ASSERT(w && exit_ix < w->n_exits);
    const char *name = w->exits[exit_ix];
    bool event = exit_ix >= EXIT_CLIENT_LEFT && exit_ix <= EXIT_ASKED_FOR;
    for (unsigned k = 0; k < w->n_messages && !event; k++) {
        event = strcmp(w->messages[k].id, name) == 0;
    }
    for (unsigned k = 0; k < w->n_consents && !event; k++) {
        size_t n = strlen(w->consents[k].id);
        event = strncmp(w->consents[k].id, name, n) == 0 && strcmp(name + n, "-lost") == 0;
    }
    return event;
}

const struct wf_exit *workflow_step_exit(const struct wf_step *s, unsigned exit_ix)
{
    STO_ASSERT(s);
    for (unsigned k = 0; k < s->n_exits; k++) {
        if (s->exits[k].exit == exit_ix) {
            return &s->exits[k];
        }
    }
    return NULL;
}

const char *workflow_text(const workflow_t *w, const char *key, const char *lang)
{
    STO_ASSERT(w && key && lang);
    for (unsigned k = 0; w->texts && k < w->texts->n; k++) {
        const struct wf_text *t = &w->texts->rows[k];
        if (strcmp(t->key, key) != 0) {
            continue;
        }
        const char *s = strcmp(lang, "sv") == 0 ? t->sv : strcmp(lang, "en") == 0 ? t->en : t->fi;
        return s ? s : "";
    }
    return "";
}

const char *step_type_name(enum step_type t)
{
    static const char *const NAMES[] = {"",        "task",    "meeting", "handover", "referral",
                                        "consult", "session", "decide",  "notify",   "wait",
                                        "stage",   "end",     "panel",   "place",    "consent",
                                        "measure", "plan",    "each",    "call"};
    return (unsigned)t < sizeof(NAMES) / sizeof(NAMES[0]) ? NAMES[t] : "";
}
