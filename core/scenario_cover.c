/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Coverage of workflows by scenarios: steps that were entered, exits that were taken, clocks that
 * ran out. It watches facts; it judges nothing. The branches of an each count as one; what a call
 * brings in is counted by the scenarios of the called workflow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_play.h"

#define NAMES_BYTES 400

struct cover {
    const workflow_t *wf;
    const network_t *net; /* that it runs on */
    bool steps[STO_WF_STEPS_MAX];
    bool exits[STO_WF_STEPS_MAX + 1][STO_WF_EXITS_MAX]; /* last row: the workflow's own */
    bool clocks[STO_WF_STEPS_MAX + 1][CLOCK_KINDS];
    bool counted[STO_WF_STEPS_MAX]; /* filled for the report */
};

struct covers {
    const network_t *net;
    struct cover **list; /* each owned, in order of first use */
    unsigned n;
};

struct covers *covers_new(const network_t *net)
{
    struct covers *self = sto_xcalloc(1, sizeof *self);
    self->net = net;
    return self;
}

void covers_destroy(struct covers **self_p)
{
    if (self_p && *self_p) {
        for (unsigned i = 0; i < (*self_p)->n; i++) {
            free((*self_p)->list[i]);
        }
        free((*self_p)->list);
        free(*self_p);
        *self_p = NULL;
    }
}

static struct cover *cover_of(struct covers *self, const workflow_t *wf)
{
    for (unsigned i = 0; i < self->n; i++) {
        if (self->list[i]->wf == wf) {
            return self->list[i];
        }
    }
    self->list = sto_xrealloc(self->list, (self->n + 1) * sizeof(struct cover *));
    struct cover *c = sto_xcalloc(1, sizeof *c);
    c->wf = wf;
    c->net = self->net;
    self->list[self->n++] = c;
    return c;
}

/* ---------------------------------------------------------------- watching */

static void see_step(struct cover *c, uint16_t step)
{
    if (step < c->wf->n_steps) {
        c->steps[step] = true;
    }
}

static void see_steps(struct cover *c, const struct fact *f, const struct case_state *after)
{
    for (unsigned i = 0; i < after->n_tokens; i++) {
        see_step(c, after->tokens[i].step);
    }
    for (unsigned i = 0; i < f->n_sends; i++) {
        see_step(c, f->sends[i].step);
    }
    for (unsigned i = 0; i < c->wf->n_steps; i++) {
        c->steps[i] = c->steps[i] || after->entries[i] > 0 || after->last_exit[i] != 0;
    }
    see_step(c, after->status == CASE_CLOSED ? after->outcome_step : WF_NONE);
}

/* The workflow's own `on`: the engine leaves no step by these, so the event itself tells. */
static uint8_t root_exit(uint8_t event)
{
    static const struct {
        uint8_t event, exit;
    } rows[] = {{EVENT_CLIENT_LEFT, EXIT_CLIENT_LEFT},
                {EVENT_CLIENT_MOVED, EXIT_CLIENT_MOVED},
                {EVENT_CLIENT_DIED, EXIT_CLIENT_DIED},
                {EVENT_ASKED_FOR, EXIT_ASKED_FOR}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].event == event) {
            return rows[i].exit;
        }
    }
    return EXIT_NONE;
}

/* "<consent>-lost", EXIT_NONE if nothing of the workflow names it. */
static unsigned lost_exit(const workflow_t *wf, unsigned consent)
{
    char name[STO_NAME_BYTES_MAX + 8];
    (void)snprintf(name, sizeof name, "%s-lost", wf->consents[consent].id);
    int ix = workflow_exit(wf, name);
    return ix > 0 ? (unsigned)ix : EXIT_NONE;
}

static void see_exits(struct cover *c, const struct fact *f, const struct case_state *before,
                      const struct case_state *after)
{
    for (unsigned i = 0; i < c->wf->n_steps; i++) {
        if (after->last_exit[i] != before->last_exit[i]) {
            c->exits[i][after->last_exit[i]] = true;
        }
    }
    bool own = f->exit != 0 && f->token != 0 && f->step < c->wf->n_steps;
    if (own) {
        c->exits[f->step][f->exit] = true;
    }
    if (f->exit != 0 && f->exit < STO_WF_EXITS_MAX) {
        c->exits[STO_WF_STEPS_MAX][f->exit] = true;
    }
    c->exits[STO_WF_STEPS_MAX][root_exit(f->kind)] = true;
    for (unsigned i = 0; i < c->wf->n_consents; i++) {
        if (before->consents[i].state != CONSENT_LOST && after->consents[i].state == CONSENT_LOST) {
            c->exits[STO_WF_STEPS_MAX][lost_exit(c->wf, i)] = true;
        }
    }
}

static uint16_t clock_row(const struct cover *c, const struct case_state *s, const struct clock *k)
{
    const struct token *t = k->token ? state_token(s, k->token) : NULL;
    if (k->kind == CLOCK_STABLE) { /* runs for the case, but its handover's step set it */
        return s->right.valid && s->right.step < c->wf->n_steps ? s->right.step : STO_WF_STEPS_MAX;
    }
    if (k->kind != CLOCK_SIDE) {
        return t ? t->step : STO_WF_STEPS_MAX;
    }
    if (!t) {
        return k->side < c->wf->n_sides ? c->wf->sides[k->side] : STO_WF_STEPS_MAX;
    }
    const struct wf_step *host = &c->wf->steps[t->step];
    return k->side < host->n_sides ? host->sides[k->side] : STO_WF_STEPS_MAX;
}

static void see_clocks(struct cover *c, const struct fact *f, const struct case_state *before)
{
    if (f->kind != EVENT_CLOCK) {
        return;
    }
    for (unsigned i = 0; i < before->n_clocks; i++) {
        const struct clock *k = &before->clocks[i];
        if (!k->paused && k->due_us <= f->now_us && k->kind < CLOCK_KINDS) {
            uint16_t row = clock_row(c, before, k);
            c->clocks[row][k->kind] = true;
            if (k->kind == CLOCK_WITHIN) { /* `expired` may stay: then no step is left by it */
                c->exits[row][EXIT_EXPIRED] = true;
            }
        }
    }
}

/* The case went on in another workflow: it left this one by its end. */
static void see_continued(struct cover *c, const workflow_t *next, const struct fact *f)
{
    for (uint16_t i = 0; i < c->wf->n_steps; i++) {
        const struct wf_step *s = &c->wf->steps[i];
        if (s->type == STEP_END && s->continues && strcmp(s->continues, next->id) == 0) {
            see_step(c, i);
        }
    }
    if (f->exit != 0 && f->token != 0 && f->step < c->wf->n_steps) {
        c->exits[f->step][f->exit] = true;
    }
}

void covers_see(struct covers *covers, const workflow_t *wf, const workflow_t *after_wf,
                const struct case_state *before, const struct fact *f,
                const struct case_state *after)
{
    struct cover *c = cover_of(covers, wf);
    see_clocks(c, f, before);
    if (wf != after_wf) {
        see_continued(c, after_wf, f);
        see_steps(cover_of(covers, after_wf), &(struct fact){.step = WF_NONE}, after);
        return;
    }
    see_steps(c, f, after);
    see_exits(c, f, before, after);
}

/* ---------------------------------------------------------------- branches */

/* Does it come from a called workflow? */
static bool is_called(const workflow_t *wf, uint16_t step)
{
    for (uint16_t at = wf->steps[step].stage; at < wf->n_steps; at = wf->steps[at].stage) {
        if (wf->steps[at].type == STEP_CALL) {
            return true;
        }
    }
    return false;
}

/* Are they the same step of two branches of an each: "ask#1" and "ask#2"? */
static bool same_step(const char *a, const char *b)
{
    while (*a && *b) {
        if (*a == '#' && *b == '#') {
            a += 1 + strspn(a + 1, "0123456789");
            b += 1 + strspn(b + 1, "0123456789");
        } else if (*a++ != *b++) {
            return false;
        }
    }
    return *a == *b;
}

static void merge_rows(struct cover *c, uint16_t into, uint16_t from)
{
    c->steps[into] |= c->steps[from];
    for (unsigned e = 0; e < STO_WF_EXITS_MAX; e++) {
        c->exits[into][e] |= c->exits[from][e];
    }
    for (unsigned k = 0; k < CLOCK_KINDS; k++) {
        c->clocks[into][k] |= c->clocks[from][k];
    }
}

/* Fills `counted`: the first of alike branches, with what the others reached added to it. */
static void merge_branches(struct cover *c)
{
    for (uint16_t i = 0; i < c->wf->n_steps; i++) {
        const struct wf_step *s = &c->wf->steps[i];
        c->counted[i] = !is_called(c->wf, i);
        for (uint16_t k = 0; k < i && s->branch > 1 && c->counted[i]; k++) {
            if (c->wf->steps[k].branch > 0 && same_step(c->wf->steps[k].id, s->id)) {
                merge_rows(c, k, i);
                c->counted[i] = false;
            }
        }
    }
}

/* --------------------------------------------------------------- reporting */

struct gaps {
    unsigned all, hit, listed;
    char names[NAMES_BYTES];
};

/* `step` without the number of its branch. */
static void gap(struct gaps *g, bool hit, const char *step, const char *what)
{
    g->all++;
    if (hit) {
        g->hit++;
        return;
    }
    size_t used = strlen(g->names);
    size_t plain = strcspn(step, "#");
    const char *rest = step + plain;
    rest += *rest ? 1 + strspn(rest + 1, "0123456789") : 0;
    int n = snprintf(g->names + used, sizeof g->names - used, "%s%.*s%s%s%s", used ? ", " : "",
                     (int)plain, step, rest, what ? "." : "", what ? what : "");
    if (n < 0 || used + (size_t)n >= sizeof g->names) {
        g->names[used] = '\0'; /* the rest is counted only */
        return;
    }
    g->listed++;
}

static void gap_warning(const struct gaps *g, struct load *l, const char *file, const char *code,
                        const char *what)
{
    unsigned missed = g->all - g->hit;
    if (missed > 0) {
        char more[32] = "";
        if (missed > g->listed) {
            (void)snprintf(more, sizeof more, " and %u more", missed - g->listed);
        }
        sto_diag(l->diags, STO_SEV_WARNING, file, 1, code, "no scenario %s: %s%s", what, g->names,
                 more);
    }
}

static bool handover_like(const struct wf_step *s)
{
    return s->type == STEP_HANDOVER || s->type == STEP_REFERRAL || s->type == STEP_CONSULT;
}

static const struct service *pool_of(const struct cover *c, const struct wf_step *s)
{
    return s->type == STEP_PLACE && c->net ? network_service(c->net, s->service) : NULL;
}

/* A quota answers at once: nobody waits for it, so its clock cannot run out. */
static bool never_waits(const struct cover *c, const struct wf_step *s)
{
    const struct service *v = pool_of(c, s);
    return v && v->shape == SERVICE_QUOTA;
}

/* The pool has no reason to leave a place step by this exit. A queue that has no end and keeps
   everybody's turn never says that there is none. */
static bool never_so(const struct cover *c, const struct wf_step *s, uint8_t exit)
{
    const struct service *v = pool_of(c, s);
    if (v && v->shape == SERVICE_PLACE && exit == EXIT_NONE_FREE) {
        return (v->answer.n == 0 || v->keeps_turn) && v->valid.until_day == INT32_MAX;
    }
    return exit == EXIT_EXPIRED && never_waits(c, s);
}

static void gaps_of_exits(const struct cover *c, struct gaps *g)
{
    for (unsigned i = 0; i < c->wf->n_steps; i++) {
        const struct wf_step *s = &c->wf->steps[i];
        for (unsigned e = 0; e < s->n_exits && c->counted[i]; e++) {
            bool hit = s->type == STEP_NOTIFY ? c->steps[i] : c->exits[i][s->exits[e].exit];
            if (!hit && never_so(c, s, s->exits[e].exit)) {
                continue;
            }
            gap(g, hit, s->id, c->wf->exits[s->exits[e].exit]);
        }
    }
    for (unsigned e = 0; e < c->wf->n_exits_on; e++) {
        uint8_t exit = c->wf->exits_on[e].exit;
        bool hit = c->exits[STO_WF_STEPS_MAX][exit] ||
                   (exit == EXIT_EXPIRED && c->clocks[STO_WF_STEPS_MAX][CLOCK_WITHIN]);
        gap(g, hit, c->wf->id, c->wf->exits[exit]);
    }
}

/* Counted are the clocks that the workflow itself sets, and each offer's answer. */
static void gaps_of_step_clocks(const struct cover *c, unsigned i, struct gaps *g)
{
    const struct wf_step *s = &c->wf->steps[i];
    for (unsigned k = 0; handover_like(s) && k <= CLOCK_START; k++) {
        bool whole = s->type == STEP_CONSULT && s->n_within > 0; /* instead of the answer's */
        if ((k == CLOCK_ANSWER && !whole) || s->clocks.has[k]) {
            gap(g, c->clocks[i][k], s->id, clock_kind_name((enum clock_kind)k));
        }
    }
    if (s->type == STEP_WAIT && s->message == 0xff) {
        gap(g, c->clocks[i][CLOCK_WAIT], s->id, clock_kind_name(CLOCK_WAIT));
    } else if (s->n_within > 0 && !never_waits(c, s)) {
        gap(g, c->clocks[i][CLOCK_WITHIN], s->id, clock_kind_name(CLOCK_WITHIN));
    }
    if (s->starts.kind != STARTS_NONE && s->starts.kind != STARTS_EVENT &&
        s->starts.kind != STARTS_ATTENDANCE) {
        gap(g, c->clocks[i][CLOCK_SIDE], s->id, clock_kind_name(CLOCK_SIDE));
    }
}

/* Counted are the clocks that the workflow itself sets, and each offer's answer. */
static void gaps_of_clocks(const struct cover *c, struct gaps *g)
{
    for (unsigned i = 0; i < c->wf->n_steps; i++) {
        if (c->counted[i]) {
            gaps_of_step_clocks(c, i, g);
        }
    }
    if (c->wf->n_within > 0) {
        gap(g, c->clocks[STO_WF_STEPS_MAX][CLOCK_WITHIN], c->wf->id, clock_kind_name(CLOCK_WITHIN));
    }
}

static void gaps_of(struct cover *c, struct gaps *steps, struct gaps *exits, struct gaps *clocks)
{
    merge_branches(c);
    for (unsigned i = 0; i < c->wf->n_steps; i++) {
        if (c->counted[i]) {
            gap(steps, c->steps[i], c->wf->steps[i].id, NULL);
        }
    }
    gaps_of_exits(c, exits);
    gaps_of_clocks(c, clocks);
}

static void count(const struct gaps *steps, const struct gaps *exits, const struct gaps *clocks,
                  struct scenario_totals *totals)
{
    totals->steps = steps->all;
    totals->steps_hit = steps->hit;
    totals->exits = exits->all;
    totals->exits_hit = exits->hit;
    totals->clocks = clocks->all;
    totals->clocks_hit = clocks->hit;
}

unsigned covers_count(const struct covers *self)
{
    return self->n;
}

const workflow_t *covers_at(const struct covers *self, unsigned i, struct scenario_totals *totals)
{
    struct gaps steps = {0}, exits = {0}, clocks = {0};
    gaps_of(self->list[i], &steps, &exits, &clocks);
    count(&steps, &exits, &clocks, totals);
    return self->list[i]->wf;
}

void covers_report(struct covers *self, const workflow_t *wf, struct load *l, const char *file,
                   struct scenario_totals *totals)
{
    struct gaps steps = {0}, exits = {0}, clocks = {0};
    gaps_of(cover_of(self, wf), &steps, &exits, &clocks);
    gap_warning(&steps, l, file, "uncovered-steps", "reaches the steps");
    gap_warning(&exits, l, file, "uncovered-exits", "takes the exits");
    gap_warning(&clocks, l, file, "uncovered-clocks", "lets run out the clocks");
    count(&steps, &exits, &clocks, totals);
}
