/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checker: what the explorer meets on its way, as findings with the shortest way there as a story.
 * Each place is told once.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_proof.h"
#include "explore_story.h"

bool proof_once(struct proof *p, unsigned kind, unsigned step, unsigned ref)
{
    /* The steps of a branch or of a workflow that is called twice stand on the same line. */
    const workflow_t *w = p->c->w;
    unsigned line = step < w->n_steps ? (unsigned)w->steps[step].line : step;
    uint32_t key = kind << 28 ^ line << 8 ^ ref;
    for (unsigned k = 0; k < p->n_told; k++) {
        if (p->told[k] == key) {
            return false;
        }
    }
    if (p->n_told == PROOF_TOLD_MAX) {
        return false;
    }
    p->told[p->n_told++] = key;
    return true;
}

void proof_wait(struct proof *p, const char *code, uint16_t step, int line, const char *fmt, ...)
{
    char text[X_STORY_BYTES + 400];
    va_list ap;
    if (p->n_waiting == PROOF_TOLD_MAX) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    p->waiting[p->n_waiting++] = (struct waiting){code, step, line, sto_xstrdup(text)};
}

/* ------------------------------------------------------------------ breaking off */

struct broke {
    uint16_t step, exit;
};

static bool is_hot(const struct x_graph *g, uint32_t i)
{
    return i >= g->n_plain;
}

/* What came to nothing before the end: the move that made the first hot state. */
static struct x_move broke_off(const struct x_graph *g, uint32_t from, const struct x_move *m)
{
    struct x_move by = *m;
    for (uint32_t at = from; is_hot(g, at); at = g->parent[at]) {
        by = g->by[at];
    }
    return by;
}

/* The exit that takes it: of the step, or of the nearest one around that names it. */
static const struct wf_exit *exit_taken(const workflow_t *w, const struct x_move *m, unsigned *exit)
{
    *exit = m->kind == X_MOVE_INTERRUPT   ? EXIT_INTERRUPTED
            : m->kind == X_MOVE_GIVE_BACK ? EXIT_GIVEN_BACK
                                          : m->exit;
    for (uint16_t ix = m->step; ix < w->n_steps;) {
        const struct wf_step *s = &w->steps[ix];
        const struct wf_exit *e =
            m->kind == X_MOVE_INTERRUPT ? workflow_step_exit(s, *exit) : x_exit_of(s, *exit);
        if (!e && m->kind != X_MOVE_INTERRUPT) {
            e = workflow_step_exit(s, EXIT_RETURNED);
        }
        if (e) {
            return e;
        }
        ix = s->host != WF_NONE ? s->host : s->stage;
    }
    return NULL;
}

static void tell_ends_alone(struct proof *p, const struct x_unit *u, uint32_t from,
                            const struct x_move *m, uint16_t end, const char *story)
{
    const workflow_t *w = p->c->w;
    struct x_move by = broke_off(u->graph, from, m);
    if (by.kind == X_MOVE_UNIT) {
        if (proof_once(p, X_ISSUE_ENDS_ALONE, by.step, 0)) {
            check_step_error(p->c, by.step, w->steps[by.step].line, "ends-by-itself",
                             "what breaks off in what begins with '%s' ends the case without a "
                             "person's choice; let a task stand between: %s",
                             w->steps[by.step].id, story);
        }
        return;
    }
    unsigned exit = 0;
    const struct wf_exit *e = exit_taken(w, &by, &exit);
    int line = e ? e->line : w->steps[by.step].line;
    if (proof_once(p, X_ISSUE_ENDS_ALONE, (unsigned)line + STO_WF_STEPS_MAX, 0)) {
        check_step_error(p->c, by.step, line, "ends-by-itself",
                         "after '%s' of step '%s' the case ends%s%s%s without a person's choice; "
                         "let a task stand between: %s",
                         w->exits[exit], w->steps[by.step].id, end < w->n_steps ? " in '" : "",
                         end < w->n_steps ? w->steps[end].id : "", end < w->n_steps ? "'" : "",
                         story);
    }
}

/* ------------------------------------------------------------------ met on the way */

static void tell_unset(struct proof *p, const struct x_issue *issue, const char *story)
{
    const struct wf_step *s = &p->c->w->steps[issue->step];
    const char *field = p->c->w->fields[issue->ref].id;
    if (issue->kind == X_ISSUE_UNSET_RULE) {
        check_step_error(p->c, issue->step, issue->line, "may-be-unset",
                         "a rule of '%s' reads '%s', which may have no value there; ask '%s is set "
                         "and …', or collect it before: %s",
                         s->id, field, field, story);
        return;
    }
    check_step_error(p->c, issue->step, issue->line, "may-be-unset",
                     "step '%s' runs until '%s', which may have no value there; collect it "
                     "before: %s",
                     s->id, field, story);
}

static void on_issue(void *arg, const struct explore *x, const struct x_unit *u, uint32_t from,
                     const struct x_move *m, const struct x_issue *issue)
{
    struct proof *p = arg;
    const workflow_t *w = x->w;
    char story[X_STORY_BYTES];
    unsigned kind = issue->kind, step = issue->step;
    if (kind != X_ISSUE_ENDS_ALONE && !proof_once(p, kind, step, issue->ref)) {
        return;
    }
    x_story(x, u, from, m, story, sizeof story);
    switch ((enum x_issue_kind)kind) {
    case X_ISSUE_UNSET_RULE:
    case X_ISSUE_UNSET_DATE:
        tell_unset(p, issue, story);
        return;
    case X_ISSUE_UNNAMED:
        check_step_error(p->c, issue->step, issue->line, "unnamed-role",
                         "step '%s' turns to role '%s', which no exit may have named yet; name it "
                         "before: %s",
                         w->steps[step].id, w->roles[issue->ref].id, story);
        return;
    case X_ISSUE_TWO_TOKENS:
        check_step_error(p->c, issue->step, issue->line, "two-tokens",
                         "the case may stand twice on step '%s': %s", w->steps[step].id, story);
        return;
    case X_ISSUE_TWO_HANDOVERS:
        check_step_error(p->c, issue->step, issue->line, "two-handovers",
                         "handover '%s' may be open beside handover '%s'; a case has one at a "
                         "time: %s",
                         w->steps[step].id, w->steps[issue->ref].id, story);
        return;
    case X_ISSUE_ENDS_ALONE:
        tell_ends_alone(p, u, from, m, issue->step, story);
        return;
    case X_ISSUE_NO_CONSENT:
        check_step_warning(p->c, issue->step, issue->line, "consent-not-given",
                           "step '%s' needs consent '%s', which may not be given there; everything "
                           "is held back then; lead elsewhere, or name no-basis: %s",
                           w->steps[step].id, w->consents[issue->ref].id, story);
        return;
    }
}

void check_proof(struct proof *p, struct check *c, uint32_t states_max)
{
    p->c = c;
    p->waiting = sto_xcalloc(PROOF_TOLD_MAX, sizeof *p->waiting);
    p->x = (struct explore){.w = c->w,
                            .net = c->net,
                            .states_max = states_max,
                            .on_issue = on_issue,
                            .on_graph = check_graph,
                            .arg = p};
    if (explore_run(&p->x)) {
        check_warning(c, c->w->start_line, "too-many-states",
                      "exploring stopped at %u states: what lies beyond is not proven; take calls "
                      "or branches apart, or let them share less data",
                      p->x.states);
    }
    for (unsigned k = 0; k < c->w->n_steps; k++) {
        c->reached[k] = p->x.reached[k] || p->x.bounded;
    }
}

void check_proof_finish(struct proof *p, int circles)
{
    if (!p->x.bounded && circles < 2) {
        check_unreached(p);
    }
    check_races(p);
    for (unsigned k = 0; k < p->n_waiting; k++) {
        const struct waiting *f = &p->waiting[k];
        bool silence = strcmp(f->code, "silence") == 0;
        if (circles < (silence ? 1 : 2)) {
            check_step_error(p->c, f->step, f->line, f->code, "%s", f->text);
        }
        free(f->text);
    }
    free(p->waiting);
    explore_release(&p->x);
}
