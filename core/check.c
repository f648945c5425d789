/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The checker: the graph of steps that its static parts share, and the order of all parts. Every
 * finding has a code that stays; check_codes.c and docs/reference/checker.md list them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_proof.h"

struct place {
    const char *file, *code;
    int line;
};

static void report(struct check *c, enum sto_severity sev, struct place at, const char *fmt,
                   va_list ap)
{
    char text[2048];
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    sto_diag(c->diags, sev, at.file, at.line, at.code, "%s", text);
}

void check_file_error(struct check *c, const char *file, int line, const char *code,
                      const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(c, STO_SEV_ERROR, (struct place){file && *file ? file : c->file, code, line}, fmt, ap);
    va_end(ap);
}

void check_file_warning(struct check *c, const char *file, int line, const char *code,
                        const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(c, STO_SEV_WARNING, (struct place){file && *file ? file : c->file, code, line}, fmt, ap);
    va_end(ap);
}

static struct place at_step(const struct check *c, uint16_t step, int line, const char *code)
{
    const char *file = step < c->w->n_steps ? c->w->steps[step].file : NULL;
    return (struct place){file && *file ? file : c->file, code, line};
}

void check_step_error(struct check *c, uint16_t step, int line, const char *code, const char *fmt,
                      ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(c, STO_SEV_ERROR, at_step(c, step, line, code), fmt, ap);
    va_end(ap);
}

void check_step_warning(struct check *c, uint16_t step, int line, const char *code, const char *fmt,
                        ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(c, STO_SEV_WARNING, at_step(c, step, line, code), fmt, ap);
    va_end(ap);
}

void check_error(struct check *c, int line, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(c, STO_SEV_ERROR, (struct place){c->file, code, line}, fmt, ap);
    va_end(ap);
}

void check_warning(struct check *c, int line, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    report(c, STO_SEV_WARNING, (struct place){c->file, code, line}, fmt, ap);
    va_end(ap);
}

/* ------------------------------------------------------------------ the graph */

static bool is_event(const workflow_t *w, unsigned exit)
{
    const char *name = w->exits[exit];
    if (exit >= EXIT_CLIENT_LEFT && exit <= EXIT_ASKED_FOR) {
        return true;
    }
    for (unsigned k = 0; k < w->n_messages; k++) {
        if (strcmp(w->messages[k].id, name) == 0) {
            return true;
        }
    }
    for (unsigned k = 0; k < w->n_consents; k++) {
        size_t n = strlen(w->consents[k].id);
        if (strncmp(w->consents[k].id, name, n) == 0 && strcmp(name + n, "-lost") == 0) {
            return true;
        }
    }
    return false;
}

static enum mover mover(const workflow_t *w, const struct wf_step *s, unsigned exit)
{
    if (s->type == STEP_NOTIFY) {
        return BY_INSTANT;
    }
    if (is_event(w, exit)) {
        return BY_EVENT;
    }
    if (exit == EXIT_EXPIRED || exit == EXIT_TOO_OFTEN || exit == EXIT_RETURNED) {
        return BY_CLOCK; /* an offer that nobody answers comes back by its clock */
    }
    if (exit == EXIT_NO_SHOW || exit == EXIT_EXCUSED || exit == EXIT_ABSENT) {
        return BY_CHANCE;
    }
    if (s->type == STEP_WAIT && exit == EXIT_DONE && s->message == 0xff) {
        return BY_CLOCK;
    }
    return step_is_stage(s->type) ? BY_INSIDE : BY_CHOICE;
}

/* Fields that are surely set when a person took this exit: the engine refuses it without them. */
static uint64_t brings(const struct wf_step *s, const struct wf_exit *e)
{
    if (s->type == STEP_HANDOVER || e->exit == EXIT_DECLINED) {
        return 0;
    }
    return e->collects || e->exit == EXIT_INTERRUPTED ? e->collects : s->collects;
}

unsigned check_edges(const workflow_t *w, uint16_t ix, struct edge out[CHECK_EDGES_MAX])
{
    const struct wf_step *s = &w->steps[ix];
    unsigned n = 0;
    for (unsigned k = 0; k < s->n_exits && n < CHECK_EDGES_MAX; k++) {
        const struct wf_exit *e = &s->exits[k];
        enum mover by = mover(w, s, e->exit);
        out[n++] = (struct edge){.exit = e->exit,
                                 .by = by,
                                 .kind = e->kind,
                                 .step = e->step,
                                 .leave = e->leave,
                                 .collects = by == BY_CHOICE ? brings(s, e) : 0,
                                 .line = e->line};
    }
    for (unsigned k = 0; k < s->n_rules && n < CHECK_EDGES_MAX; k++) {
        const struct wf_rule *r = &s->rules[k];
        out[n++] = (struct edge){
            .by = BY_INSTANT, .kind = r->kind, .step = r->step, .leave = r->leave, .line = r->line};
    }
    return n;
}

static const struct wf_exit *workflow_on(const workflow_t *w, unsigned exit)
{
    for (unsigned k = 0; k < w->n_exits_on; k++) {
        if (w->exits_on[k].exit == exit) {
            return &w->exits_on[k];
        }
    }
    return NULL;
}

struct landing check_land(const workflow_t *w, uint16_t ix, const struct edge *e)
{
    enum target_kind kind = e->kind;
    uint16_t step = e->step;
    uint8_t leave = e->leave;
    for (unsigned depth = 0; depth <= w->n_steps; depth++) {
        if (kind == TARGET_STEP) {
            return (struct landing){LAND_STEP, step};
        }
        if (kind == TARGET_STAY) {
            return (struct landing){LAND_STAY, ix};
        }
        if (kind == TARGET_INSIDE && step != WF_NONE) {
            return (struct landing){LAND_STEP, step};
        }
        if (kind == TARGET_INSIDE) { /* an outcome of the call itself */
            const struct wf_exit *own = workflow_step_exit(&w->steps[ix], leave);
            if (!own || own->kind == TARGET_INSIDE) {
                break;
            }
            kind = own->kind;
            step = own->step;
            leave = own->leave;
            continue;
        }
        bool side = w->steps[ix].host != WF_NONE;
        if (kind == TARGET_JOIN && side) {
            return (struct landing){LAND_SIDE_OVER, ix};
        }
        uint16_t up = side ? w->steps[ix].host : w->steps[ix].stage;
        unsigned exit = kind == TARGET_JOIN ? EXIT_DONE : leave;
        const struct wf_exit *next =
            up == WF_ROOT ? workflow_on(w, exit) : workflow_step_exit(&w->steps[up], exit);
        if (!next || (up == WF_ROOT && next->kind != TARGET_STEP)) {
            break;
        }
        if (up == WF_ROOT) {
            return (struct landing){LAND_STEP, next->step};
        }
        ix = up;
        kind = next->kind;
        step = next->step;
        leave = next->leave;
    }
    return (struct landing){LAND_NOWHERE, WF_NONE};
}

bool check_inside(const workflow_t *w, uint16_t ix, uint16_t of)
{
    while (ix != WF_ROOT && ix != of) {
        ix = w->steps[ix].host != WF_NONE ? w->steps[ix].host : w->steps[ix].stage;
    }
    return ix == of;
}

int check_prove(const workflow_t *w, const char *file, const network_t *net, sto_diags_t *diags,
                struct check_report *out)
{
    STO_ASSERT(w && file && net && diags && out);
    struct check c = {.w = w, .net = net, .file = file, .diags = diags};
    struct proof *p = sto_xcalloc(1, sizeof *p);
    size_t before = sto_diags_errors(diags);
    check_proof(p, &c, out->states_max);
    out->states = p->x.states;
    out->moves = p->x.moves;
    check_proof_finish(p, check_circles(&c));
    check_longest(&c, out);
    check_parties(&c);
    check_law(&c);
    check_dates(&c);
    check_data(&c);
    free(p);
    return sto_diags_errors(diags) > before ? -STO_E_CONFIG : 0;
}

int check_workflow(const workflow_t *w, const char *file, const network_t *net, sto_diags_t *diags,
                   int64_t *longest_minutes)
{
    struct check_report report = {0};
    int rc = check_prove(w, file, net, diags, &report);
    *longest_minutes = report.longest_minutes;
    return rc;
}
