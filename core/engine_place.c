/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Place steps: queued -> offered (with an answer clock) -> reserved, which is the exit `got`
 * and a holding from then on (engine_shared.c). The places themselves are the pool's.
 *
 * An offer that needs no answer is taken at once, unless `got` has to name an organisation
 * that nobody but a person knows: then it is kept for the case until somebody says so.
 */
#include <string.h>

#include "turn.h"

static void queue(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    struct party provider = service_party(t, w->service);
    tok->phase = PLACE_QUEUED;
    tok->start_us = 0;
    tok->at = provider.org != 0 ? provider : t->s->holder;
    clock_stop(t, CLOCK_ANSWER, id, 0);
}

void place_enter(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    for (unsigned i = t->s->n_holdings; i-- > 0;) { /* entered anew: the former place goes back */
        const struct holding *h = &t->s->holdings[i];
        if (h->step == tok->step && h->stage == tok->parent) {
            holdings_free_since(t, h->token, h->since_us);
            i = t->s->n_holdings;
        }
    }
    queue(t, id);
    if (left_without_basis(t, id)) {
        return;
    }
    within_or_default(t, id);
    sides_arm(t, id, t->now);
    shared_wish(t, id);
}

/* Whoever gives the place gets what the step carries, once it is somebody's. */
static void tell_provider(struct turn *t, uint16_t id)
{
    const struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    struct party provider = service_party(t, w->service);
    if (w->carries != 0 && provider.org != 0 && must_holds(t, w, provider.org)) {
        struct send *x = send_token(t, SEND_NOTICE, provider, tok);
        send_release(t, x, w->carries);
    }
}

/* The place is the case's: a holding of the stage, and the exit `got`. */
static void got(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, id);
    struct holding h = {.service = step_of(t, tok)->service,
                        .token = tok->id,
                        .entry = tok->entry,
                        .stage = tok->parent,
                        .step = tok->step,
                        .phase = PLACE_RESERVED,
                        .since_us = t->now};
    if (!holding_put(t->s, &h)) {
        turn_fail(t, STO_E_LIMIT, "the case holds more than %u places", STO_CASE_HOLDINGS_MAX);
        return;
    }
    tok->phase = PLACE_NONE; /* from here on the holding is what is given back */
    tell_provider(t, id);
    if (!walk_leave(t, id, EXIT_GOT)) {
        walk_join(t, id);
    }
}

static void none(struct turn *t, uint16_t id, uint8_t exit)
{
    const struct token *tok = token_of(t, id);
    exit = exit_named(t, tok, exit) ? exit : (uint8_t)EXIT_NONE_FREE;
    if (!walk_leave(t, id, exit)) { /* it stays: the next wish, and the ladder */
        queue(t, id);
        walk_expire(t, id);
    }
}

/* Roles that `got` names and that the provider of the place cannot be. */
static uint32_t roles_to_name(struct turn *t, uint16_t id)
{
    const struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    const struct wf_exit *x = workflow_step_exit(w, EXIT_GOT);
    uint16_t provider = service_party(t, w->service).org;
    uint32_t roles = x ? x->names : 0;
    for (unsigned i = 0; i < t->wf->n_roles; i++) {
        if (roles >> i & 1 && provider != 0 && role_fits(t, i, provider)) {
            roles &= ~(UINT32_C(1) << i);
        }
    }
    return roles;
}

static void name_provider(struct turn *t, uint16_t id, uint32_t but)
{
    const struct wf_step *w = step_of(t, token_of(t, id));
    const struct wf_exit *x = workflow_step_exit(w, EXIT_GOT);
    struct party provider = service_party(t, w->service);
    for (unsigned i = 0; x && i < t->wf->n_roles; i++) {
        if ((x->names & ~but) >> i & 1) {
            role_set(t, i, provider);
        }
    }
}

static void ask_holder(struct turn *t, uint16_t id, int64_t until_us)
{
    struct token *tok = token_of(t, id);
    struct party at = party_of(t, step_addressee(step_of(t, tok)));
    tok->at = at.org != 0 ? at : t->s->holder;
    if (until_us != 0) {
        struct clock key = {.kind = CLOCK_ANSWER, .token = id};
        clock_start_at(t, key, until_us > t->now ? until_us : t->now, tok->at);
    }
    send_token(t, SEND_TASK, tok->at, token_of(t, id))->due_us =
        until_us != 0 ? until_us : within_due(t, id);
}

static void offered(struct turn *t, uint16_t id, int64_t until_us)
{
    uint32_t open = roles_to_name(t, id);
    if (until_us == 0 && open == 0) {
        name_provider(t, id, 0);
        got(t, id);
        return;
    }
    token_of(t, id)->phase = until_us != 0 ? PLACE_OFFERED : PLACE_RESERVED;
    ask_holder(t, id, until_us);
}

int place_mail(struct turn *t, uint16_t id)
{
    const struct mail *m = t->in->mail;
    if (m->kind == MAIL_PLACE_OFFERED) {
        if (token_of(t, id)->phase == PLACE_QUEUED) { /* else a repeat */
            offered(t, id, m->until_us);
        }
        return t->rc;
    }
    if (m->kind == MAIL_PLACE_NONE) {
        token_of(t, id)->phase = PLACE_NONE; /* nothing to give back */
        none(t, id, EXIT_NONE_FREE);
        return t->rc;
    }
    return turn_fail(t, STO_E_MALFORMED, "a place step takes no mail of kind %u", m->kind);
}

/* Nobody takes it: who keeps the turn waits on, the others leave. */
static void decline(struct turn *t, uint16_t id, uint8_t exit)
{
    const struct token *tok = token_of(t, id);
    const struct wf_step *w = step_of(t, tok);
    const struct service *v = network_service(t->net, w->service);
    if (tok->phase == PLACE_OFFERED) {
        mail_add(t, MAIL_PLACE_DECLINED, tok, w->service);
        if (v && v->keeps_turn) {
            queue(t, id);
            return;
        }
    } else {
        mail_add(t, MAIL_PLACE_FREED, tok, w->service);
    }
    token_of(t, id)->phase = PLACE_NONE;
    none(t, id, exit);
}

void place_unanswered(struct turn *t, uint16_t id)
{
    const struct token *tok = token_find(t, id);
    if (tok && step_of(t, tok)->type == STEP_PLACE && tok->phase == PLACE_OFFERED) {
        send_token(t, SEND_ESCALATION, t->s->holder, tok)->clock = CLOCK_ANSWER;
        decline(t, id, EXIT_NONE_FREE);
    }
}

static int take(struct turn *t, uint16_t id)
{
    const struct wf_step *w = step_of(t, token_of(t, id));
    const struct wf_exit *x = workflow_step_exit(w, EXIT_GOT);
    uint32_t open = t->in->n_names > 0 && x ? x->names : roles_to_name(t, id);
    for (unsigned i = 0; i < t->wf->n_roles; i++) { /* what is named at `got` is named anew */
        if (open >> i & 1) {
            role_set(t, i, (struct party){0});
        }
    }
    if (fields_take(t, exit_allows(w, x), exit_requires(w, x)) || names_take(t, open)) {
        return t->rc;
    }
    name_provider(t, id, open);
    const struct token *tok = token_of(t, id);
    if (tok->phase == PLACE_OFFERED) {
        mail_add(t, MAIL_PLACE_TAKEN, tok, w->service);
    }
    tell_holder(t, id);
    got(t, id);
    return t->rc;
}

int place_answer(struct turn *t)
{
    struct token *tok = NULL;
    int rc = work_pick(t, TYPE(STEP_PLACE), &tok);
    if (rc) {
        return rc < 0 ? rc : 0;
    }
    const char *exit = t->in->exit ? t->in->exit : "";
    uint16_t id = tok->id;
    if (tok->phase != PLACE_OFFERED && tok->phase != PLACE_RESERVED) {
        turn_fail(t, STO_E_WRONG_STATE, "no place is offered at step '%s'", step_of(t, tok)->id);
        turn_fix(t, "wait until the pool offers one");
        return t->rc;
    }
    if (strcmp(exit, "got") == 0) {
        return take(t, id);
    }
    if (strcmp(exit, "declined") != 0) {
        turn_fail(t, STO_E_UNKNOWN_NAME,
                  "an offered place is answered 'got' or 'declined', got '%s'", exit);
        return t->rc;
    }
    if (fields_take(t, 0, 0)) {
        return t->rc;
    }
    tell_holder(t, id);
    decline(t, id, EXIT_DECLINED);
    return t->rc;
}
