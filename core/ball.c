/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Whose move it is, from the state alone: exactly one organisation for each waiting
 * step. With several offers out it is the receiver of the earliest one, unless the
 * holder owes an answer.
 */
#include "engine.h"

static struct party ball_of_offers(const struct case_state *s, const struct token *t)
{
    struct party ball = s->holder;
    bool found = false;
    for (unsigned i = 0; i < s->n_offers; i++) {
        const struct offer *o = &s->offers[i];
        if (o->token != t->id || !offer_live(o->state)) {
            continue;
        }
        if (o->state == OFFER_INFO_REQUESTED) {
            return s->holder;
        }
        if (!found) {
            ball = o->to;
            found = true;
        }
    }
    return ball;
}

struct party engine_ball(const network_t *net, const workflow_t *wf, const struct case_state *s,
                         const struct token *t)
{
    (void)net;
    switch (wf->steps[t->step].type) {
    case STEP_STAGE:
    case STEP_EACH:
    case STEP_CALL:
        return (struct party){0};
    case STEP_TASK:
    case STEP_MEETING:
    case STEP_SESSION:
    case STEP_MEASURE:
    case STEP_PANEL:
    case STEP_PLACE:
    case STEP_CONSENT:
    case STEP_PLAN:
        return t->at.org != 0 ? t->at : s->holder;
    case STEP_HANDOVER:
    case STEP_REFERRAL:
    case STEP_CONSULT:
        return ball_of_offers(s, t);
    case STEP_DECIDE:
    case STEP_NOTIFY:
    case STEP_WAIT:
    case STEP_END:
        return s->holder;
    }
    return s->holder;
}
