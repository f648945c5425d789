/* SPDX-License-Identifier: EUPL-1.2 */
/* Explorer: the shortest way to a state as a story in sentences, with the organisations' roles. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explore_story.h"

#define STEPS_TOLD_MAX 14u

struct out {
    char *buf;
    size_t cap, n;
};

static void say(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct out *o, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = o->n < o->cap ? vsnprintf(o->buf + o->n, o->cap - o->n, fmt, ap) : 0;
    va_end(ap);
    o->n += n > 0 ? (size_t)n : 0;
}

const char *x_org_name(const struct explore *x, unsigned org, char *buf, size_t cap)
{
    unsigned role = org % X_FORMER;
    if (org >= 2 * X_FORMER || role >= x->w->n_roles) {
        return "the former holder";
    }
    (void)snprintf(buf, cap, "%s%s", org >= X_FORMER ? "the former " : "", x->w->roles[role].id);
    return buf;
}

static const char *party_name(const struct explore *x, const struct x_state *s, unsigned party,
                              char *buf, size_t cap)
{
    if (party == PARTY_CLIENT) {
        return "client";
    }
    if (party < x->w->n_roles) {
        return x->w->roles[party].id;
    }
    return x_org_name(x, s->holder, buf, cap);
}

const char *x_mover_name(const struct explore *x, const struct x_state *s, const struct x_move *m,
                         char *buf, size_t cap)
{
    const struct wf_step *w = m->step < x->w->n_steps ? &x->w->steps[m->step] : NULL;
    bool offer =
        w && (w->type == STEP_HANDOVER || w->type == STEP_REFERRAL || w->type == STEP_CONSULT);
    if (m->by == X_BY_CLOCK || !w) {
        return "time";
    }
    if (offer && m->exit == EXIT_WITHDRAWN) {
        return x_org_name(x, s->holder, buf, cap);
    }
    if (offer) {
        return party_name(x, s, w->to[0], buf, cap);
    }
    if (w->type == STEP_CONSENT) {
        return "client";
    }
    if (w->type == STEP_PLACE) {
        return "the pool";
    }
    return party_name(x, s, w->role, buf, cap);
}

static const char *event_name(const workflow_t *w, unsigned event, char *buf, size_t cap)
{
    if (event >= WF_EVENT_CONSENT_LOST_0) {
        (void)snprintf(buf, cap, "%s-lost", w->consents[event - WF_EVENT_CONSENT_LOST_0].id);
        return buf;
    }
    if (event >= WF_EVENT_MESSAGE_0 && event - WF_EVENT_MESSAGE_0 < w->n_messages) {
        return w->messages[event - WF_EVENT_MESSAGE_0].id;
    }
    return event <= WF_EVENT_ASKED_FOR ? w->exits[EXIT_CLIENT_LEFT + event - WF_EVENT_CLIENT_LEFT]
                                       : "";
}

static void tell_unit(const struct explore *x, const struct x_move *m, struct out *o)
{
    const struct x_unit *u = x_unit_at(x, m->step);
    const struct x_result *r = u && m->exit < u->n_results ? &u->results[m->exit] : NULL;
    const char *id = x->w->steps[m->step].id;
    if (r && r->kind == X_END_LEAVE) {
        say(o, "what began with '%s' → leave:%s", id, x->w->exits[r->exit]);
    } else {
        say(o, "what began with '%s' joins", id);
    }
}

static void tell_start(const struct explore *x, const struct x_unit *u, unsigned role,
                       struct out *o)
{
    const workflow_t *w = x->w;
    if (u->first == WF_NONE) {
        say(o, "%s opens the case and is responsible", w->roles[role].id);
    } else if (u->side) {
        say(o, "'%s' begins beside '%s'", w->steps[u->first].id,
            u->container == WF_ROOT ? w->id : w->steps[u->container].id);
    } else {
        say(o, "'%s' of '%s' begins", w->steps[u->first].id,
            u->container == WF_ROOT ? w->id : w->steps[u->container].id);
    }
}

static void tell(const struct explore *x, const struct x_unit *u, const struct x_state *s,
                 const struct x_move *m, struct out *o)
{
    const workflow_t *w = x->w;
    char a[STO_NAME_BYTES_MAX + 16], b[STO_NAME_BYTES_MAX + 16];
    const char *id = m->step < w->n_steps ? w->steps[m->step].id : w->id;
    const char *who = x_mover_name(x, s, m, a, sizeof a);
    switch ((enum x_move_kind)m->kind) {
    case X_MOVE_START:
        tell_start(x, u, m->step, o);
        return;
    case X_MOVE_EXIT:
        say(o, "%s: '%s' → %s", who, id, w->exits[m->exit]);
        return;
    case X_MOVE_TAKE_OVER:
        say(o, "%s: '%s' → taken-over; %s is responsible", who, id, who);
        return;
    case X_MOVE_BEGIN:
        say(o, "%s: the service of '%s' begins", who, id);
        return;
    case X_MOVE_INTERRUPT:
        say(o, "%s: '%s' → interrupted", who, id);
        return;
    case X_MOVE_GIVE_BACK:
        say(o, "%s gives the client back ('%s' → given-back); %s is responsible",
            x_org_name(x, s->holder, a, sizeof a), id, x_org_name(x, s->back, b, sizeof b));
        return;
    case X_MOVE_LAPSE:
        say(o, "the right of return ends");
        return;
    case X_MOVE_SIDE:
        say(o, "time: '%s' begins", id);
        return;
    case X_MOVE_EVENT:
        say(o, "%s", event_name(w, m->step, a, sizeof a));
        if (m->step >= WF_EVENT_MESSAGE_0 && m->step < WF_EVENT_CONSENT_LOST_0 &&
            m->exit != EXIT_DONE) {
            say(o, " → %s", w->exits[m->exit]);
        }
        return;
    case X_MOVE_CONSENT:
        say(o, "client: consent '%s' is %s", w->consents[m->step].id,
            m->exit == CONSENT_GIVEN     ? "given"
            : m->exit == CONSENT_REFUSED ? "refused"
                                         : "lost");
        return;
    case X_MOVE_DATA:
        say(o, "something is written in '%s'", id);
        return;
    case X_MOVE_UNIT:
        tell_unit(x, m, o);
        return;
    case X_MOVE_CLOSE:
        say(o, "%s closes the case", x_org_name(x, s->holder, a, sizeof a));
        return;
    }
}

void x_story(const struct explore *x, const struct x_unit *u, uint32_t to,
             const struct x_move *then, char *buf, size_t cap)
{
    const struct x_graph *g = u->graph;
    struct out o = {buf, cap, 0};
    uint32_t way[64], n = 0, all = 0;
    buf[0] = '\0';
    if (then && then->kind == X_MOVE_START) { /* at the start itself */
        struct x_state none = {0};
        say(&o, "1. ");
        tell(x, u, &none, then, &o);
        return;
    }
    for (uint32_t at = to;; at = g->parent[at]) {
        if (n < sizeof way / sizeof way[0]) {
            way[n++] = at;
        }
        all++;
        if (g->parent[at] == at) {
            break;
        }
    }
    bool cut = all > n;
    for (uint32_t i = n; i-- > 0;) {
        struct x_state s;
        uint32_t no = all - i; /* sentences are numbered from the start */
        if (n > STEPS_TOLD_MAX && i >= STEPS_TOLD_MAX - 2 && i + 2 < n) {
            cut = true;
            continue;
        }
        say(&o, "%s%s%u. ", o.n ? " " : "", cut ? "… " : "", no);
        cut = false;
        x_state_get(g, g->parent[way[i]], &s);
        tell(x, u, &s, &g->by[way[i]], &o);
    }
    if (then && then->kind != X_MOVE_START && (then->by || then->step || then->kind)) {
        struct x_state s;
        x_state_get(g, to, &s);
        say(&o, " %u. ", all + 1);
        tell(x, u, &s, then, &o);
    }
}
