/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Declared messages: who may send one, what it brings, which steps react. One that is kept
 * waits for the step that names it; it is taken once.
 */
#include <string.h>

#include "turn.h"

static bool message_from(struct turn *t, const struct wf_message *m)
{
    uint8_t all[PARTIES_MAX];
    unsigned n = parties_flat(t->wf, m->from, m->n_from, all);
    for (unsigned i = 0; i < n; i++) {
        struct party p = all[i] == PARTY_CLIENT ? t->s->holder : party_of(t, all[i]);
        if (actor_is(t, p)) {
            return true;
        }
    }
    return false;
}

static int message_answer(struct turn *t, const struct wf_message *m, uint8_t *exit)
{
    const char *name = t->in->exit ? t->in->exit : "";
    *exit = EXIT_DONE;
    for (unsigned i = 0; i < m->n_answers; i++) {
        if (strcmp(m->answers[i], name) == 0) {
            *exit = m->answer_exits[i];
            return 0;
        }
    }
    return m->n_answers == 0 && !*name
               ? 0
               : turn_fail(t, STO_E_UNKNOWN_NAME, "message '%s' has no answer '%s'", m->id, name);
}

/* Who waits for it now; takes the fields that it brings. A kept one may bring what its steps will
 * collect. */
static unsigned waiting(struct turn *t, unsigned ix, uint8_t exit, uint16_t *ids)
{
    unsigned n = 0;
    uint64_t allowed = 0, required = 0;
    for (unsigned i = 0; i < t->s->n_tokens; i++) {
        const struct wf_step *w = step_of(t, &t->s->tokens[i]);
        if (w->type == STEP_WAIT && w->message == ix) {
            const struct wf_exit *x = workflow_step_exit(w, exit);
            ids[n++] = t->s->tokens[i].id;
            allowed |= exit_allows(w, x);
            required |= exit_requires(w, x);
        }
    }
    for (unsigned i = 0; n == 0 && t->wf->messages[ix].keep && i < t->wf->n_steps; i++) {
        const struct wf_step *w = &t->wf->steps[i];
        if (w->type == STEP_WAIT && w->message == ix) {
            allowed |= exit_allows(w, workflow_step_exit(w, exit));
        }
    }
    fields_take(t, allowed, required);
    return n;
}

int message(struct turn *t)
{
    const char *name = t->in->name ? t->in->name : "";
    unsigned ix = 0;
    while (ix < t->wf->n_messages && strcmp(t->wf->messages[ix].id, name) != 0) {
        ix++;
    }
    if (ix == t->wf->n_messages) {
        return turn_fail(t, STO_E_UNKNOWN_NAME, "workflow '%s' declares no message '%s'", t->wf->id,
                         name);
    }
    const struct wf_message *m = &t->wf->messages[ix];
    uint8_t exit = EXIT_DONE;
    if (!message_from(t, m)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "message '%s' is not this organisation's", m->id);
    }
    if (message_answer(t, m, &exit)) {
        return t->rc;
    }
    uint16_t waits[STO_CASE_TOKENS_MAX];
    unsigned n = waiting(t, ix, exit, waits);
    if (t->rc) {
        return t->rc;
    }
    note_to_holder(t);
    bool taken = event_spread(t, workflow_exit(t->wf, m->id), (uint8_t)(WF_EVENT_MESSAGE_0 + ix));
    for (unsigned i = 0; i < n && t->s->status == CASE_OPEN; i++) {
        taken = true;
        if (token_find(t, waits[i]) && !walk_leave(t, waits[i], exit)) {
            walk_leave(t, waits[i], EXIT_DONE);
        }
    }
    if (m->keep && !taken && t->s->status == CASE_OPEN) {
        t->s->kept[ix] = exit;
    }
    return t->rc;
}

/* ------------------------------------------------------------------ kept */

bool kept_take(struct turn *t, uint16_t id)
{
    uint16_t entry = token_of(t, id)->entry;
    for (unsigned ix = 0; ix < t->wf->n_messages && !t->rc; ix++) {
        const struct token *tok = token_find(t, id);
        if (!tok || tok->entry != entry || t->s->status != CASE_OPEN) {
            return true;
        }
        uint8_t exit = t->s->kept[ix];
        const struct wf_step *w = step_of(t, tok);
        int on = workflow_exit(t->wf, t->wf->messages[ix].id);
        bool waits = w->type == STEP_WAIT && w->message == ix;
        bool named = on > 0 && workflow_step_exit(w, (unsigned)on);
        if (exit == EXIT_NONE) {
            continue;
        }
        t->s->kept[ix] = EXIT_NONE;
        if (waits || named) {
            if (!walk_leave(t, id, waits ? exit : (uint8_t)on)) {
                walk_leave(t, id, EXIT_DONE);
            }
        } else if (!sides_take(t, id, (uint8_t)(WF_EVENT_MESSAGE_0 + ix))) {
            t->s->kept[ix] = exit; /* not this step's */
        }
    }
    const struct token *tok = token_find(t, id);
    return !tok || tok->entry != entry || t->s->status != CASE_OPEN;
}
