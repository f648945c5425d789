/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a scenario's plain name means at a step: what stands in a call or in a branch of an each has
 * a longer name in the case, "support.assessment" or "opinion#2", that no key can be.
 */
#include <stdio.h>
#include <string.h>

#include "scenario_play.h"

#define NAME_BYTES (4 * STO_NAME_BYTES_MAX)

/* The i-th name of a kind; NULL = there are no more. */
static const char *name_at(const workflow_t *wf, enum scope_noun noun, unsigned i)
{
    switch (noun) {
    case SCOPE_FIELD:
        return i < wf->n_fields ? wf->fields[i].id : NULL;
    case SCOPE_ROLE:
        return i < wf->n_roles ? wf->roles[i].id : NULL;
    case SCOPE_CONSENT:
        return i < wf->n_consents ? wf->consents[i].id : NULL;
    case SCOPE_MESSAGE:
        return i < wf->n_messages ? wf->messages[i].id : NULL;
    }
    return NULL;
}

static int exact(const workflow_t *wf, enum scope_noun noun, const char *name)
{
    const char *id;
    for (unsigned i = 0; (id = name_at(wf, noun, i)) != NULL; i++) {
        if (strcmp(id, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* Seen from the step, innermost first: its call with its branch, its call, and so on outwards. */
static int from_step(const workflow_t *wf, enum scope_noun noun, const char *step, const char *name)
{
    const char *hash = strrchr(step, '#'), *suffix = hash ? hash : "";
    const char *dot = strrchr(step, '.');
    size_t prefix = dot ? (size_t)(dot - step) + 1 : 0;
    char text[NAME_BYTES];
    for (;;) {
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)prefix, step, name, suffix);
        int ix = exact(wf, noun, text);
        if (ix < 0 && *suffix) {
            (void)snprintf(text, sizeof text, "%.*s%s", (int)prefix, step, name);
            ix = exact(wf, noun, text);
        }
        if (ix >= 0 || prefix == 0) {
            return ix;
        }
        for (prefix--; prefix > 0 && step[prefix - 1] != '.';) {
            prefix--;
        }
    }
}

/* The last part of a name, without the number of a branch: does it equal `name`? */
static bool ends_as(const char *id, const char *name)
{
    const char *dot = strrchr(id, '.'), *last = dot ? dot + 1 : id;
    size_t n = strcspn(last, "#");
    return strlen(name) == n && strncmp(last, name, n) == 0;
}

const char *scope_name(const workflow_t *wf, enum scope_noun noun, unsigned ix)
{
    return name_at(wf, noun, ix);
}

int scope_find(const workflow_t *wf, enum scope_noun noun, const char *step, const char *name)
{
    int found = step ? from_step(wf, noun, step, name) : exact(wf, noun, name);
    unsigned alike = 0;
    const char *id;
    for (unsigned i = 0; found < 0 && (id = name_at(wf, noun, i)) != NULL; i++) {
        alike += ends_as(id, name);
    }
    for (unsigned i = 0; found < 0 && alike == 1 && (id = name_at(wf, noun, i)) != NULL; i++) {
        found = ends_as(id, name) ? (int)i : -1;
    }
    return found;
}

int scope_need(struct play *p, const struct sto_conf *at, enum scope_noun noun, const char *step,
               const char *name)
{
    static const struct {
        const char *code, *what;
    } words[] = {[SCOPE_FIELD] = {"unknown-field", "field"},
                 [SCOPE_ROLE] = {"unknown-role", "role"},
                 [SCOPE_CONSENT] = {"unknown-consent", "consent"},
                 [SCOPE_MESSAGE] = {"unknown-message", "message"}};
    const workflow_t *wf = play_case(p)->wf;
    const char *names[STO_WF_FIELDS_MAX + STO_WF_ROLES_MAX + 1] = {NULL};
    int ix = scope_find(wf, noun, step, name);
    for (unsigned i = 0; ix < 0 && i < STO_WF_FIELDS_MAX; i++) {
        names[i] = name_at(wf, noun, i);
        if (!names[i]) {
            break;
        }
    }
    if (ix < 0) {
        play_unknown(p, at, words[noun].code, words[noun].what, name, names);
    }
    return ix;
}
