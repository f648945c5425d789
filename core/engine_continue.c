/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Ends, and what comes after one: a case closes, or goes on in the newest version of another
 * workflow. Going on is an event of its own, by a clock that is due at once: until then all
 * that the case sent reads by the old workflow, from then on by the new one.
 *
 * Carried over by name: roles, consents, and fields of the same type; settings, steps and
 * clocks begin anew; places go back. Holder, client, ledger and log are the case's.
 */
#include <string.h>

#include "turn.h"

/* ------------------------------------------------------------------ the end */

void end_reach(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    if (!w->continues || !*w->continues) {
        case_close(t, tok->step);
        return;
    }
    for (unsigned i = t->s->n_tokens; i-- > 0;) { /* the end ends everything else */
        if (i < t->s->n_tokens && t->s->tokens[i].id != id &&
            (t->s->tokens[i].parent == 0 || t->s->tokens[i].side)) {
            walk_cancel(t, t->s->tokens[i].id);
        }
    }
    holdings_free_all(t);
    tok = token_of(t, id);
    tok->phase = END_CONTINUES;
    tok->at = t->s->holder;
    struct clock key = {.kind = CLOCK_WAIT, .token = id};
    clock_start_at(t, key, t->now, t->s->holder);
}

void end_enter(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    if (t->s->right
            .valid) { /* the receiver may still give the client back: the end waits for that */
        tok->phase = END_WAITS;
        tok->at = t->s->holder;
        return;
    }
    end_reach(t, id);
}

/* ------------------------------------------------------------------ by name */

static int value_to(const struct wf_field *a, unsigned value, const struct wf_field *b)
{
    for (unsigned i = 0; value < a->n_values && i < b->n_values; i++) {
        if (strcmp(a->values[value], b->values[i]) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int field_to(const workflow_t *from, unsigned ix, const workflow_t *to)
{
    const struct wf_field *a = &from->fields[ix];
    int k = workflow_field(to, a->id);
    if (k < 0) {
        return -1;
    }
    const struct wf_field *b = &to->fields[k];
    bool same = a->type == b->type && a->sealed == b->sealed && a->items == b->items;
    for (unsigned i = 0; same && i < a->n_values; i++) {
        same = value_to(a, i, b) >= 0;
    }
    return same ? k : -1;
}

void data_continue(const workflow_t *from, const workflow_t *to, struct case_data *d)
{
    struct case_data old = *d;
    memset(d, 0, sizeof *d);
    for (unsigned i = 0; i < from->n_fields; i++) {
        int k = old.v[i].set ? field_to(from, i, to) : -1;
        if (k >= 0) {
            d->v[k] = old.v[i];
            if (from->fields[i].type == FIELD_CODE) {
                int v = value_to(&from->fields[i], (unsigned)old.v[i].i, &to->fields[k]);
                d->v[k].i = v >= 0 ? v : old.v[i].i;
            }
        }
    }
}

static uint64_t fields_moved(const workflow_t *from, const workflow_t *to, uint64_t set)
{
    uint64_t moved = 0;
    for (unsigned i = 0; i < from->n_fields; i++) {
        int k = set >> i & 1 ? field_to(from, i, to) : -1;
        moved |= k >= 0 ? UINT64_C(1) << k : 0;
    }
    return moved;
}

static void consents_move(struct turn *t, const workflow_t *from)
{
    struct case_state *s = t->s;
    struct case_state old = *s;
    memset(s->consents, 0, sizeof s->consents);
    for (unsigned k = 0; k < t->wf->n_consents; k++) {
        for (unsigned i = 0; i < from->n_consents; i++) {
            if (strcmp(from->consents[i].id, t->wf->consents[k].id) == 0) {
                s->consents[k] = old.consents[i];
            }
        }
        if (s->consents[k].state == CONSENT_GIVEN && s->consents[k].until_us != INT64_MAX) {
            struct clock key = {.kind = CLOCK_CONSENT, .side = (uint8_t)k};
            clock_start_at(t, key, s->consents[k].until_us, s->holder);
        }
    }
}

static void roles_move(struct turn *t, const workflow_t *from)
{
    struct case_state *s = t->s;
    struct case_state old = *s;
    memset(s->roles, 0, sizeof s->roles);
    for (unsigned k = 0; k < t->wf->n_roles; k++) {
        int i = workflow_role(from, t->wf->roles[k].id);
        if (i >= 0 && old.roles[i].at.org != 0 && role_fits(t, k, old.roles[i].at.org)) {
            s->roles[k] = old.roles[i];
        }
        bool starts = t->wf->start_by >> k & 1 && t->wf->roles[k].choose == CHOOSE_START;
        if (starts && s->roles[k].at.org == 0 && role_fits(t, k, s->holder.org)) {
            role_set(t, k, s->holder);
        }
    }
}

/* ------------------------------------------------------------------ going on */

static void go_on(struct turn *t, const workflow_t *to)
{
    struct case_state *s = t->s;
    const workflow_t *from = t->wf;
    struct case_data *data = sto_arena_alloc(t->ctx->arena, sizeof *data);
    if (!data) {
        turn_fail(t, STO_E_LIMIT, "the event needs more memory than is allowed");
        return;
    }
    walk_cancel_all(t);
    for (unsigned i = s->n_clocks; i-- > 0;) {
        clock_drop_at(s, i);
    }
    memset(s->last_exit, 0, sizeof s->last_exit);
    memset(s->entries, 0, sizeof s->entries);
    memset(s->kept, 0, sizeof s->kept);
    memset(s->settings, 0, sizeof s->settings);
    if (t->data) {
        *data = *t->data;
    }
    data_continue(from, to, data);
    s->fields_set = fields_moved(from, to, s->fields_set);
    memcpy(s->workflow, to->hash, sizeof s->workflow);
    t->wf = to;
    t->data = data;
    t->out->token = t->out->step = 0;
    settings_take(t);
    roles_move(t, from);
    consents_move(t, from);
    within_start(t, 0, t->now);
    sides_arm(t, 0, t->now);
    walk_enter_first(t, 0, to->first, to->n_first);
}

/* There is no such workflow, or it is about something else: the holder must act. */
static void stay(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    struct clock key = {.kind = CLOCK_NEXT, .token = id};
    tok->phase = END_NO_NEXT;
    tok->at = t->s->holder;
    clock_start(t, key, t->now, t->net->clocks.next, t->s->holder);
    const struct clock *c = clock_find(t, CLOCK_NEXT, id, 0, 0);
    int64_t due_us = c ? c->due_us : 0;
    send_token(t, SEND_TASK, t->s->holder, token_of(t, id))->due_us = due_us;
}

bool end_clock(struct turn *t, uint16_t id)
{
    const struct token *tok = token_find(t, id);
    const struct wf_step *w = tok ? step_of(t, tok) : NULL;
    if (!w || w->type != STEP_END || (tok->phase != END_CONTINUES && tok->phase != END_NO_NEXT)) {
        return false;
    }
    const workflow_t *to = t->ctx->newest ? t->ctx->newest(t->ctx->newest_arg, w->continues) : NULL;
    if (to && to->subject == t->wf->subject) {
        go_on(t, to);
        return true;
    }
    if (tok->phase == END_CONTINUES) {
        stay(t, id);
        return true;
    }
    return false;
}
