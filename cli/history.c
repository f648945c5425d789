/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Two states side by side: `was` evolves by the recorded facts, `is` by deciding anew. Tokens and
 * offers have numbers of their own on each side; they are paired by the step's id and the receiver.
 *
 * A clock that both sides have fires when it did; one that only the new version has, when it is
 * due.
 */
#include "history.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRES_MAX 1000u
#define WHERE_MAX 480

struct play {
    const network_t *net;
    const struct history *h;
    sto_arena_t *arena;
    struct case_state was, is, before; /* before: `was` before the event at hand */
    const workflow_t *was_wf, *is_wf, *before_wf, *next;
    struct case_data data; /* of `is` */
    struct history_result *out;
    size_t at;
};

static bool differs(struct play *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool differs(struct play *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->out->what, sizeof p->out->what, fmt, ap);
    va_end(ap);
    p->out->end = HISTORY_DIFFERS;
    p->out->event = p->at;
    return false;
}

/* ------------------------------------------------------------------- deciding */

static const workflow_t *newest(void *arg, const char *id)
{
    struct play *p = arg;
    /* The record tells which version a case went on with. */
    bool known = p->was_wf != NULL && strcmp(p->was_wf->id, id) == 0;
    p->next = known ? p->was_wf : NULL;
    return p->next;
}

static int decide(struct play *p, const struct input *in, int64_t now_us, struct sto_err *err)
{
    const struct fact *recorded = &p->h->v[p->at].fact;
    bool beside = in->kind == EVENT_START && recorded->after.org != recorded->actor.org;
    struct engine_ctx ctx = {.net = p->net,
                             .wf = p->is_wf,
                             .data = &p->data,
                             .case_id = p->h->id,
                             .arena = p->arena,
                             .newest = newest,
                             .newest_arg = p,
                             .lead_holder = beside ? recorded->after : (struct party){0}};
    struct fact f;
    struct case_state after = p->is;
    int64_t now = p->is.last_us >= now_us ? p->is.last_us + 1 : now_us;
    sto_arena_reset(p->arena);
    p->next = NULL;
    int rc = engine_decide(&ctx, &p->is, in, now, &f, err);
    rc = rc != 0 ? rc : engine_evolve(&after, &f, err);
    if (rc != 0) {
        return rc;
    }
    data_merge(p->is_wf, &p->data, in, &f);
    if (p->next != NULL && memcmp(after.workflow, p->next->hash, 32) == 0) {
        data_continue(p->is_wf, p->next, &p->data);
        p->is_wf = p->next;
    }
    p->is = after;
    return 0;
}

static bool fire(struct play *p, int64_t now_us)
{
    const struct input in = {.kind = EVENT_CLOCK, .evidence = EVIDENCE_BROKER};
    struct sto_err err = {0};
    return decide(p, &in, now_us, &err) == 0 || differs(p, "a clock cannot fire: %s", err.what);
}

/* Clocks of the new version that the record did not have before `until_us`. */
static bool fire_own(struct play *p, int64_t until_us)
{
    int64_t theirs = state_next_due_us(&p->before);
    for (unsigned i = 0; i < FIRES_MAX; i++) {
        int64_t due = p->is.status == CASE_OPEN ? state_next_due_us(&p->is) : INT64_MAX;
        if (due > until_us || due >= theirs) {
            return true;
        }
        if (!fire(p, due)) {
            return false;
        }
    }
    return differs(p, "clocks of the new version come to no end");
}

/* The record fired one clock. What is due at that instant here fires too; several of one instant
   wait for their own events, as long as the record has some left. */
static bool play_clock(struct play *p, int64_t now_us)
{
    int64_t theirs = state_next_due_us(&p->before);
    bool good = fire_own(p, now_us);
    for (unsigned i = 0; good && i < FIRES_MAX && p->is.status == CASE_OPEN; i++) {
        if (state_next_due_us(&p->is) > theirs) {
            break;
        }
        good = fire(p, now_us);
        if (p->was.status == CASE_OPEN && state_next_due_us(&p->was) <= theirs) {
            break;
        }
    }
    return good;
}

/* -------------------------------------------------------------------- pairing */

static const char *step_id(const workflow_t *w, uint16_t step)
{
    return w != NULL && step < w->n_steps ? w->steps[step].id : "?";
}

static const struct token *pair_token(const struct play *p, uint16_t id)
{
    const struct token *t = state_token(&p->before, id);
    for (unsigned i = 0; t != NULL && i < p->is.n_tokens; i++) {
        if (strcmp(step_id(p->is_wf, p->is.tokens[i].step), step_id(p->before_wf, t->step)) == 0) {
            return &p->is.tokens[i];
        }
    }
    return NULL;
}

static bool of_step(const struct case_state *s, const workflow_t *w, const struct offer *o,
                    const char *step, uint16_t org)
{
    const struct token *t = state_token(s, o->token);
    return t != NULL && o->to.org == org && strcmp(step_id(w, t->step), step) == 0;
}

/* The same receiver may have been asked several times: counted from the newest. */
static const struct offer *pair_offer(const struct play *p, uint16_t id)
{
    const struct offer *o = state_offer(&p->before, id);
    const struct token *t = o != NULL ? state_token(&p->before, o->token) : NULL;
    const char *step = t != NULL ? step_id(p->before_wf, t->step) : "";
    unsigned later = 0;
    for (unsigned i = 0; t != NULL && i < p->before.n_offers; i++) {
        const struct offer *x = &p->before.offers[i];
        later += x->id > id && of_step(&p->before, p->before_wf, x, step, o->to.org);
    }
    for (unsigned i = p->is.n_offers; t != NULL && i-- > 0;) {
        const struct offer *x = &p->is.offers[i];
        if (of_step(&p->is, p->is_wf, x, step, o->to.org) && later-- == 0) {
            return x;
        }
    }
    return NULL;
}

static bool pair(struct play *p, struct input *in, struct mail *mail)
{
    const struct token *t = in->token != 0 ? pair_token(p, in->token) : NULL;
    const struct offer *o = in->offer != 0 ? pair_offer(p, in->offer) : NULL;
    const struct token *was = in->token != 0 ? state_token(&p->before, in->token) : NULL;
    if ((in->token != 0 && t == NULL) || (in->offer != 0 && o == NULL)) {
        return differs(p, "'%s' is about step '%s', on which the case does not stand",
                       event_kind_name(in->kind),
                       was != NULL ? step_id(p->before_wf, was->step) : "?");
    }
    if (t != NULL) {
        in->token = t->id;
        in->entry = in->entry != 0 ? t->entry : 0;
    }
    in->offer = o != NULL ? o->id : 0;
    if (in->mail != NULL) {
        const struct token *m = pair_token(p, in->mail->token);
        if (m == NULL) {
            return differs(p, "mail comes for a step on which the case does not stand");
        }
        *mail = *in->mail;
        mail->token = m->id;
        mail->entry = m->entry;
        in->mail = mail;
    }
    return true;
}

/* ------------------------------------------------------------------ comparing */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "closed as 'x'", or the steps in order of their names. */
static void where(const struct case_state *s, const workflow_t *w, char *buf, size_t cap)
{
    const char *ids[STO_CASE_TOKENS_MAX];
    size_t len = 0;
    if (s->status != CASE_OPEN) {
        snprintf(buf, cap, "is closed as '%s'",
                 s->outcome_step < w->n_steps ? w->steps[s->outcome_step].outcome : "no outcome");
        return;
    }
    for (unsigned i = 0; i < s->n_tokens; i++) {
        ids[i] = step_id(w, s->tokens[i].step);
    }
    qsort(ids, s->n_tokens, sizeof ids[0], by_text);
    len = (size_t)snprintf(buf, cap, "stands on ");
    for (unsigned i = 0; i < s->n_tokens && len < cap; i++) {
        len += (size_t)snprintf(buf + len, cap - len, "%s%s", i > 0 ? ", " : "", ids[i]);
    }
}

static bool compare(struct play *p)
{
    char was[WHERE_MAX], is[WHERE_MAX];
    const struct organisation *a = network_org(p->net, p->was.holder.org);
    const struct organisation *b = network_org(p->net, p->is.holder.org);
    where(&p->was, p->was_wf, was, sizeof was);
    where(&p->is, p->is_wf, is, sizeof is);
    if (strcmp(was, is) != 0) {
        return differs(p, "it %.110s; in the record it %.110s", is, was);
    }
    if (p->was.status == CASE_OPEN && p->was.holder.org != p->is.holder.org) {
        return differs(p, "'%s' is responsible; in the record '%s' is",
                       b != NULL ? b->id : "nobody", a != NULL ? a->id : "nobody");
    }
    return true;
}

/* -------------------------------------------------------------------- playing */

/* What happened to the record alone. */
static bool only_recorded(const struct history_event *e)
{
    return e->fact.code != 0 || e->fact.kind == EVENT_RESTARTED || e->fact.kind == EVENT_PARKED ||
           e->fact.kind == EVENT_MIGRATE;
}

static bool record_step(struct play *p)
{
    const struct fact *f = &p->h->v[p->at].fact;
    struct sto_err err = {0};
    p->before = p->was;
    p->before_wf = p->was_wf;
    if (engine_evolve(&p->was, f, &err) == 0) {
        p->was_wf = p->h->version(p->h->arg, p->was.workflow);
    }
    if (p->at == 0 && p->was_wf != NULL && strcmp(p->was_wf->id, p->is_wf->id) != 0) {
        sto_fail(&err, STO_E_REFUSED, "it began in workflow '%s'", p->was_wf->id);
    }
    if (err.code != 0 || p->was_wf == NULL) {
        p->out->end = HISTORY_UNREADABLE;
        snprintf(p->out->what, sizeof p->out->what, "%.250s",
                 err.code != 0 ? err.what : "its workflow version cannot be loaded");
        return false;
    }
    return true;
}

static bool play_input(struct play *p)
{
    const struct history_event *e = &p->h->v[p->at];
    struct input in = e->input;
    struct mail mail;
    struct sto_err err = {0};
    if (in.kind != EVENT_START && (!fire_own(p, e->fact.now_us) || !pair(p, &in, &mail))) {
        return false;
    }
    if (decide(p, &in, e->fact.now_us, &err) != 0) {
        return differs(p, "'%s' is refused: %.160s", event_kind_name(in.kind), err.what);
    }
    return true;
}

void history_play(const network_t *net, const workflow_t *to, const struct history *h,
                  sto_arena_t *arena, struct history_result *out)
{
    struct play *p = sto_xcalloc(1, sizeof *p);
    *p = (struct play){.net = net, .h = h, .arena = arena, .is_wf = to, .out = out};
    *out = (struct history_result){.end = HISTORY_SAME};
    for (p->at = 0; p->at < h->n && record_step(p); p->at++) {
        const struct history_event *e = &h->v[p->at];
        bool goes_on = only_recorded(e)              ? true
                       : e->fact.kind == EVENT_CLOCK ? play_clock(p, e->fact.now_us)
                                                     : play_input(p);
        if (!goes_on || (!only_recorded(e) && !compare(p))) {
            break;
        }
    }
    free(p);
}
