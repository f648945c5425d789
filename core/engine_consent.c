/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Consents: the client's word, as somebody of the case records it; the step that asks for
 * one; losing one. A consent that is lost stops data at once, whatever the workflow does.
 * How it was given (written, electronic, oral) stands in the event's text.
 */
#include <stdio.h>
#include <string.h>

#include "turn.h"

void consent_enter(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    if (w->consent < t->wf->n_consents && t->s->consents[w->consent].state == CONSENT_GIVEN &&
        t->s->consents[w->consent].until_us > t->now) {
        if (!walk_leave(t, id, EXIT_GIVEN)) {
            walk_join(t, id);
        }
        return;
    }
    struct party at = party_of(t, step_addressee(w));
    tok->at = at.org != 0 ? at : t->s->holder;
    within_or_default(t, id);
    sides_arm(t, id, t->now);
    work_send(t, id);
}

/* The steps that ask for it have their answer. */
static void answered(struct turn *t, unsigned ix, uint8_t exit)
{
    uint16_t ids[STO_CASE_TOKENS_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < t->s->n_tokens; i++) {
        const struct wf_step *w = step_of(t, &t->s->tokens[i]);
        if (w->type == STEP_CONSENT && w->consent == ix) {
            ids[n++] = t->s->tokens[i].id;
        }
    }
    for (unsigned i = 0; i < n && t->s->status == CASE_OPEN && !t->rc; i++) {
        const struct token *tok = token_find(t, ids[i]);
        if (tok && step_of(t, tok)->type == STEP_CONSENT) {
            turn_about(t, tok, NULL);
            if (!walk_leave(t, ids[i], exit) && exit == EXIT_GIVEN) {
                walk_join(t, ids[i]);
            }
        }
    }
}

static void consent_clock_stop(struct turn *t, unsigned ix)
{
    struct clock *c = clock_find(t, CLOCK_CONSENT, 0, 0, (uint8_t)ix);
    if (c) {
        clock_drop_at(t->s, (unsigned)(c - t->s->clocks));
    }
}

void consent_lose(struct turn *t, unsigned ix)
{
    char name[STO_NAME_BYTES_MAX + 8];
    if (ix >= t->wf->n_consents) {
        return;
    }
    consent_clock_stop(t, ix);
    t->s->consents[ix].state = CONSENT_LOST;
    t->s->consents[ix].until_us = 0;
    (void)snprintf(name, sizeof name, "%s-lost", t->wf->consents[ix].id);
    note_to_holder(t);
    event_spread(t, workflow_exit(t->wf, name), (uint8_t)(WF_EVENT_CONSENT_LOST_0 + ix));
}

static void consent_give(struct turn *t, unsigned ix)
{
    const struct wf_consent *c = &t->wf->consents[ix];
    consent_clock_stop(t, ix);
    int64_t until_us = c->lasts.n > 0 ? sto_us_add(t->now, c->lasts) : INT64_MAX;
    t->s->consents[ix].state = CONSENT_GIVEN;
    t->s->consents[ix].version++;
    t->s->consents[ix].until_us = until_us;
    if (until_us != INT64_MAX) {
        struct clock key = {.kind = CLOCK_CONSENT, .side = (uint8_t)ix};
        clock_start_at(t, key, until_us, t->s->holder);
    }
}

/* By its name, or as the step that the event names asks for it. */
static unsigned consent_named(const struct turn *t)
{
    const char *name = t->in->name ? t->in->name : "";
    const struct token *tok = state_token(t->s, t->in->token);
    if (!*name && tok && step_of(t, tok)->type == STEP_CONSENT) {
        return step_of(t, tok)->consent;
    }
    unsigned ix = 0;
    while (ix < t->wf->n_consents && strcmp(t->wf->consents[ix].id, name) != 0) {
        ix++;
    }
    return ix;
}

int consent_event(struct turn *t)
{
    unsigned ix = consent_named(t);
    if (ix >= t->wf->n_consents) {
        return turn_fail(t, STO_E_UNKNOWN_NAME, "workflow '%s' declares no consent '%s'", t->wf->id,
                         t->in->name ? t->in->name : "");
    }
    const char *name = t->wf->consents[ix].id;
    if (!actor_takes_part(t)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "this organisation takes no part in the case");
    }
    bool given = t->s->consents[ix].state == CONSENT_GIVEN;
    if (t->in->kind == EVENT_CONSENT_GIVE) {
        consent_give(t, ix);
        note_to_holder(t);
        answered(t, ix, EXIT_GIVEN);
        return t->rc;
    }
    if (t->in->kind == EVENT_CONSENT_REFUSE) {
        if (given) {
            turn_fail(t, STO_E_WRONG_STATE, "consent '%s' has been given", name);
            turn_fix(t, "use consent_withdraw");
            return t->rc;
        }
        t->s->consents[ix].state = CONSENT_REFUSED;
        note_to_holder(t);
        answered(t, ix, EXIT_REFUSED);
        return t->rc;
    }
    if (!given) {
        return turn_fail(t, STO_E_WRONG_STATE, "consent '%s' is not given", name);
    }
    consent_lose(t, ix);
    return t->rc;
}
