/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Attendance days of a referral's service: told by who gives it, counted on the token; what
 * starts after some of them, and the end of a service that lasts so many.
 */
#include <string.h>

#include "turn.h"

#define ATTENDANCE_DAYS_MAX 366

int attendance_guard(struct turn *t, uint16_t id)
{
    (void)id;
    return t->in->place > 0 && t->in->place <= ATTENDANCE_DAYS_MAX
               ? 0
               : turn_fail(t, STO_E_FIELD, "attendance is told in days, 1..%d, got %u",
                           ATTENDANCE_DAYS_MAX, t->in->place);
}

/* So many days more: what starts after them, and the end when they are the last. */
int attendance_count(struct turn *t, uint16_t id)
{
    struct token *tok = token_of(t, offer_of(t, id)->token);
    const struct wf_step *w = step_of(t, tok);
    uint16_t token = tok->id;
    unsigned was = tok->count, now = was + t->in->place;
    tok->count = (uint16_t)(now < UINT16_MAX ? now : UINT16_MAX);
    for (unsigned i = 0; i < w->n_sides && !t->rc; i++) {
        const struct wf_starts *x = &t->wf->steps[w->sides[i]].starts;
        unsigned days = attendance_days(t, x->setting, x->days);
        if (x->kind == STARTS_ATTENDANCE && was < days && now >= days) {
            side_start(t, token, i);
        }
    }
    for (unsigned i = 0; i < w->n_within && !t->rc; i++) {
        const struct wf_when *x = &w->within[i];
        const struct offer *o = offer_find(t, id);
        bool over = x->kind == WHEN_ATTENDANCE && now >= attendance_days(t, x->ix, x->days);
        if (over && o && o->state == OFFER_IN_SERVICE) {
            walk_expire(t, token);
        }
    }
    return 0;
}
