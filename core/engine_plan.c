/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The shared plan: each party writes its part; every part makes a new version, and who had
 * agreed to the older one has to agree again. All that must have agreed: exit `agreed`.
 *
 * The token counts versions; its marks tell who of `agreed-by` agreed to the present one.
 */
#include <string.h>

#include "turn.h"

static struct party part_party(struct turn *t, const struct wf_step *w, uint8_t party)
{
    return party_of(t, party == PARTY_CLIENT ? w->helps : party);
}

static bool heard_before(const struct party *told, unsigned n, struct party p)
{
    for (unsigned i = 0; i < n; i++) {
        if (told[i].org == p.org) {
            return true;
        }
    }
    return p.org == 0;
}

/* Who must agree, an organisation of a role with many for itself. */
static unsigned speakers(const struct turn *t, const struct wf_step *w, uint8_t *out)
{
    return parties_flat(t->wf, w->agreed_by, w->n_agreed_by, out);
}

static unsigned add_all(struct turn *t, const struct wf_step *w, uint8_t party, struct party *out,
                        unsigned n)
{
    uint8_t all[PARTIES_MAX];
    unsigned m = parties_flat(t->wf, &party, 1, all);
    for (unsigned i = 0; i < m && n < PARTIES_MAX; i++) {
        struct party p = part_party(t, w, all[i]);
        if (!heard_before(out, n, p)) {
            out[n++] = p;
        }
    }
    return n;
}

/* Everybody who writes or agrees, each organisation once. */
static unsigned partners(struct turn *t, const struct wf_step *w, struct party *out)
{
    unsigned n = 0;
    for (unsigned i = 0; i < w->n_parts; i++) {
        n = add_all(t, w, w->parts[i].party, out, n);
    }
    for (unsigned i = 0; i < w->n_agreed_by; i++) {
        n = add_all(t, w, w->agreed_by[i], out, n);
    }
    return n;
}

/* Does the actor write as this party? The holder records for who has no system. */
static bool writes(struct turn *t, const struct wf_step *w, uint8_t party)
{
    uint8_t all[PARTIES_MAX];
    unsigned n = parties_flat(t->wf, &party, 1, all);
    bool yes = actor_is(t, t->s->holder);
    for (unsigned i = 0; i < n && !yes; i++) {
        yes = actor_is(t, part_party(t, w, all[i]));
    }
    return yes;
}

void plan_enter(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    struct party all[PARTIES_MAX], at = party_of(t, step_addressee(w));
    unsigned n = partners(t, w, all);
    tok->at = at.org != 0 ? at : t->s->holder;
    if (left_without_basis(t, id)) {
        return;
    }
    within_or_default(t, id);
    sides_arm(t, id, t->now);
    holdings_occupy(t, id);
    work_send(t, id);
    for (unsigned i = 0; i < n; i++) {
        if (all[i].org != token_of(t, id)->at.org && must_holds(t, w, all[i].org)) {
            struct send *x = send_token(t, SEND_TASK, all[i], token_of(t, id));
            x->due_us = within_due(t, id);
            send_release(t, x, w->carries);
        }
    }
}

static void tell_partners(struct turn *t, uint16_t id)
{
    const struct wf_step *w = step_of(t, token_of(t, id));
    struct party all[PARTIES_MAX];
    unsigned n = partners(t, w, all);
    tell_holder(t, id);
    for (unsigned i = 0; i < n; i++) {
        if (!actor_is(t, all[i]) && all[i].org != t->s->holder.org) {
            struct send *x = send_token(t, SEND_UPDATE, all[i], token_of(t, id));
            x->with_reason = true;
            send_release(t, x, t->fresh);
        }
    }
}

/* ------------------------------------------------------------------ picking */

static bool takes_part(struct turn *t, const struct token *tok)
{
    const struct wf_step *w = step_of(t, tok);
    struct party all[PARTIES_MAX];
    unsigned n = partners(t, w, all);
    bool mine = actor_is(t, tok->at) || actor_is(t, t->s->holder);
    for (unsigned i = 0; i < n && !mine; i++) {
        mine = actor_is(t, all[i]);
    }
    return mine;
}

/* The plan that the event is about: 0, 1 = late, or a failure. */
static int plan_pick(struct turn *t, uint16_t *id)
{
    const struct token *found = token_find(t, t->in->token);
    unsigned n = 0;
    if (t->in->token != 0) {
        if (!found || (t->in->entry != 0 && t->in->entry != found->entry)) {
            return t->in->token <= t->s->next_token
                       ? (turn_late(t), 1)
                       : turn_fail(t, STO_E_UNKNOWN_STEP, "the case has no task %u", t->in->token);
        }
        n = step_of(t, found)->type == STEP_PLAN;
    }
    for (unsigned i = 0; t->in->token == 0 && i < t->s->n_tokens; i++) {
        if (step_of(t, &t->s->tokens[i])->type == STEP_PLAN) {
            found = &t->s->tokens[i];
            n++;
        }
    }
    if (n != 1) {
        return turn_fail(t, n > 1 ? STO_E_UNKNOWN_STEP : STO_E_WRONG_STATE,
                         n > 1 ? "more than one plan fits: name the task"
                               : "no plan of the case takes '%s' now",
                         event_kind_name(t->in->kind));
    }
    if (!takes_part(t, found)) {
        return turn_fail(t, STO_E_NOT_ALLOWED, "this organisation has no part in the plan");
    }
    *id = found->id;
    turn_about(t, found, NULL);
    return 0;
}

/* ------------------------------------------------------------------ parts */

int plan_part(struct turn *t)
{
    uint16_t id = 0;
    int rc = plan_pick(t, &id);
    if (rc) {
        return rc < 0 ? rc : 0;
    }
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    uint64_t may = 0;
    for (unsigned i = 0; i < w->n_parts; i++) {
        may |= writes(t, w, w->parts[i].party) ? w->parts[i].fields : 0;
    }
    if (t->in->n_fields == 0) {
        return turn_fail(t, STO_E_MISSING_FIELD, "a part of the plan brings at least one field");
    }
    if (fields_take(t, may, 0)) {
        return t->rc;
    }
    tok->count = (uint16_t)(tok->count < UINT16_MAX ? tok->count + 1 : tok->count);
    tok->marks = PLANT(21) ? tok->marks : 0;
    tell_partners(t, id);
    return t->rc;
}

/* ------------------------------------------------------------------ agreeing */

/*
 * Whose word it is: the actor's own, first what it has not said yet; the client's word is
 * recorded by who helps, and the holder records for others by the role's name.
 */
static int speaker(struct turn *t, const struct token *tok)
{
    const struct wf_step *w = step_of(t, tok);
    const char *name = t->in->name ? t->in->name : "";
    int role = *name ? workflow_role(t->wf, name) : -1;
    int found = -1;
    uint8_t all[PARTIES_MAX];
    unsigned n = speakers(t, w, all);
    for (unsigned i = 0; i < n; i++) {
        uint8_t who = all[i];
        bool client = who == PARTY_CLIENT;
        bool mine = actor_is(t, part_party(t, w, who));
        bool named = role >= 0 && who == role && actor_is(t, t->s->holder);
        bool fits = *name ? named : client == t->in->by_client && mine;
        fits = fits || (!*name && client && (mine || actor_is(t, t->s->holder)) && found < 0 &&
                        !t->in->by_client);
        fits = fits || (client && t->in->by_client && actor_is(t, t->s->holder));
        bool better = found < 0 || tok->marks >> found & 1;
        found = fits && better ? (int)i : found;
    }
    return found;
}

/* Bits of all whose word the plan needs; a place of a role with many that nobody has needs none. */
static uint32_t must_agree(struct turn *t, const struct wf_step *w)
{
    uint8_t all[PARTIES_MAX];
    unsigned n = speakers(t, w, all);
    uint32_t bits = 0;
    for (unsigned i = 0; i < n; i++) {
        bool empty = all[i] < t->wf->n_roles && t->wf->roles[all[i]].branch > 0 &&
                     party_known(t, all[i]).org == 0;
        bits |= empty ? 0 : UINT32_C(1) << i;
    }
    return bits;
}

bool plan_is_meant(const struct turn *t)
{
    const char *exit = t->in->exit ? t->in->exit : "";
    bool word = strcmp(exit, t->wf->exits[EXIT_AGREED]) == 0 ||
                strcmp(exit, t->wf->exits[EXIT_NOT_AGREED]) == 0;
    for (unsigned i = 0; i < t->s->n_tokens; i++) {
        const struct token *x = &t->s->tokens[i];
        if (step_of(t, x)->type == STEP_PLAN &&
            (t->in->token == x->id || (t->in->token == 0 && word))) {
            return true;
        }
    }
    return false;
}

int plan_result(struct turn *t)
{
    uint16_t id = 0;
    int rc = plan_pick(t, &id);
    if (rc) {
        return rc < 0 ? rc : 0;
    }
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    const char *exit = t->in->exit ? t->in->exit : "";
    bool yes = strcmp(exit, t->wf->exits[EXIT_AGREED]) == 0;
    if (!yes && strcmp(exit, t->wf->exits[EXIT_NOT_AGREED]) != 0) {
        return turn_fail(t, STO_E_UNKNOWN_NAME, "a plan is answered 'agreed' or 'not-agreed'");
    }
    int k = speaker(t, tok);
    if (k < 0 && !(w->n_agreed_by == 0 && actor_is(t, tok->at))) {
        turn_fail(t, STO_E_NOT_ALLOWED, "the plan does not wait for this organisation's word");
        turn_fix(t, "who is responsible names the role that it records for");
        return t->rc;
    }
    if (t->in->place != 0 && t->in->place != tok->count) {
        turn_fail(t, STO_E_WRONG_STATE, "the plan has version %u now", tok->count);
        turn_fix(t, "read it and answer again");
        return t->rc;
    }
    if (fields_take(t, 0, yes ? w->collects : 0)) {
        return t->rc;
    }
    if (k >= 0 && yes) {
        tok->marks |= UINT32_C(1) << k;
    }
    uint32_t all = must_agree(t, w);
    bool agreed = yes && (tok->marks & all) == all;
    tell_partners(t, id);
    uint8_t leaves = agreed ? EXIT_AGREED : EXIT_NOT_AGREED;
    if ((agreed || !yes) && !walk_leave(t, id, leaves) && agreed) {
        walk_join(t, id);
    }
    return t->rc;
}
