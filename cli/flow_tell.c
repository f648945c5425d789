/* SPDX-License-Identifier: EUPL-1.2 */
/* The picture in words: all that it shows, and what data goes where, for whoever cannot see it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow_picture.h"
#include "flow_place.h"

struct telling {
    struct sto_buf *out;
    const struct graph *g;
    const teller_t *t;
    const workflow_t *w;
    unsigned number;   /* of the last step */
    unsigned *numbers; /* by step */
};

static void line(const struct telling *x, unsigned depth, const char *mark, const char *s)
{
    if (*s == '\0') {
        return;
    }
    for (unsigned i = 0; i < depth; i++) {
        sto_put_bytes(x->out, "   ", 3);
    }
    picture_put(x->out, "%s", mark);
    for (const char *p = s; *p != '\0'; p++) {
        if (*p == '\n') {
            sto_put_bytes(x->out, "; ", 2);
        } else {
            sto_put_u8(x->out, (uint8_t)*p);
        }
    }
    sto_put_u8(x->out, '\n');
}

static void heading(const struct telling *x, const char *key)
{
    picture_put(x->out, "\n%s\n", tell(x->t, key, NULL, NULL));
}

/* -------------------------------------------------------------------- parties */

static const char *how_chosen(const struct telling *x, const struct wf_role *r)
{
    static const char *const KEYS[] = {"",
                                       "choose-start",
                                       "choose-home",
                                       "choose-free",
                                       "choose-turn",
                                       "choose-first-yes",
                                       "choose-desk",
                                       "choose-call",
                                       "choose-step"};
    return (unsigned)r->choose < sizeof KEYS / sizeof KEYS[0]
               ? tell(x->t, KEYS[r->choose], NULL, NULL)
               : "";
}

static void tell_who(const struct telling *x)
{
    heading(x, "who");
    for (unsigned i = 0; i < x->w->n_roles; i++) {
        const struct wf_role *r = &x->w->roles[i];
        if (r->branch > 0) {
            continue;
        }
        const char *kinds = "";
        for (unsigned k = 0; k < r->n_kinds; k++) {
            kinds = tell_join(x->t, kinds, ", ", r->kinds[k]);
        }
        const char *s = tell_join(x->t, kinds, ", ",
                                  *r->service != '\0' ? tell(x->t, "of", r->service, NULL) : "");
        s = tell_join(x->t, s, "; ", how_chosen(x, r));
        if (r->many > 0) {
            s = tell_join(x->t, s, ", ", tell(x->t, "many", tell_number(x->t, r->many), NULL));
        }
        line(x, 0, "- ", tell(x->t, "then", tell_name(x->t, r->id), s));
    }
}

/* ---------------------------------------------------------------------- start */

static const char *step_name(const struct telling *x, uint16_t step)
{
    return x->numbers[step] == 0
               ? tell_step(x->t, step)
               : tell_join(x->t, tell_number(x->t, x->numbers[step]), ". ", tell_step(x->t, step));
}

static const char *steps_list(const struct telling *x, const uint16_t *v, unsigned n)
{
    const char *s = "";
    for (unsigned i = 0; i < n; i++) {
        s = tell_join(x->t, s, ", ", step_name(x, v[i]));
    }
    return s;
}

static void tell_first(const struct telling *x, unsigned depth, const uint16_t *v, unsigned n)
{
    line(x, depth, "- ",
         tell(x->t, n > 1 ? "first-steps" : "first-step", steps_list(x, v, n), NULL));
}

static void tell_start(const struct telling *x)
{
    const workflow_t *w = x->w;
    heading(x, "how-start");
    line(x, 0, "- ", tell(x->t, "start-by", tell_roles(x->t, w->start_by), NULL));
    if (w->start_requires != 0) {
        line(x, 0, "- ", tell(x->t, "start-needs", tell_fields(x->t, w->start_requires), NULL));
    }
    if (w->start_when_text != NULL && *w->start_when_text != '\0') {
        line(x, 0, "- ", tell(x->t, "start-when", w->start_when_text, NULL));
    }
    if (w->once_client) {
        line(x, 0, "- ", tell(x->t, "start-once", NULL, NULL));
    }
    tell_first(x, 0, w->first, w->n_first);
}

/* ---------------------------------------------------------------------- exits */

static const char *target(const struct telling *x, const struct wf_exit *e)
{
    switch (e->kind) {
    case TARGET_STEP:
        return step_name(x, e->step);
    case TARGET_INSIDE:
        return e->step != WF_NONE ? step_name(x, e->step)
                                  : tell(x->t, "leaves", tell_exit(x->t, e->leave), NULL);
    case TARGET_JOIN:
        return tell(x->t, "branch-ends", NULL, NULL);
    case TARGET_LEAVE:
        return tell(x->t, "leaves", tell_exit(x->t, e->leave), NULL);
    case TARGET_STAY:
        break;
    }
    return tell(x->t, "stays", NULL, NULL);
}

static void tell_one_exit(const struct telling *x, unsigned depth, const struct wf_exit *e,
                          const char *name)
{
    const char *s = tell(x->t, "goes-to", name, target(x, e));
    if (e->collects != 0) {
        s = tell_join(x->t, s, "; ", tell(x->t, "brings", tell_fields(x->t, e->collects), NULL));
    }
    if (e->names != 0) {
        s = tell_join(x->t, s, "; ", tell(x->t, "names", tell_roles(x->t, e->names), NULL));
    }
    line(x, depth, "- ", s);
}

static void tell_exits(const struct telling *x, unsigned depth, const struct wf_step *s)
{
    for (unsigned i = 0; i < s->n_exits; i++) {
        const struct wf_exit *e = &s->exits[i];
        const char *name = tell_exit(x->t, e->exit);
        if (e->exit == EXIT_EXPIRED && s->n_within > 0) {
            name = tell_join(x->t, name, " – ", tell_within(x->t, s->within, s->n_within));
        }
        tell_one_exit(x, depth, e, name);
    }
    for (unsigned i = 0; i < s->n_rules; i++) {
        const struct wf_rule *r = &s->rules[i];
        const struct wf_exit e = {.kind = r->kind, .step = r->step, .leave = r->leave};
        tell_one_exit(x, depth, &e,
                      r->when != NULL ? tell(x->t, "if", r->when_text, NULL)
                                      : tell(x->t, "otherwise", NULL, NULL));
    }
}

static void tell_sides(const struct telling *x, unsigned depth, const uint16_t *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const char *when = tell_starts(x->t, &x->w->steps[v[i]].starts);
        line(x, depth, "- ", tell(x->t, "beside", when, step_name(x, v[i])));
    }
}

static void tell_any_time(const struct telling *x)
{
    if (x->w->n_exits_on + x->w->n_sides == 0) {
        return;
    }
    heading(x, "any-time");
    for (unsigned i = 0; i < x->w->n_exits_on; i++) {
        tell_one_exit(x, 0, &x->w->exits_on[i], tell_exit(x->t, x->w->exits_on[i].exit));
    }
    tell_sides(x, 0, x->w->sides, x->w->n_sides);
}

/* ---------------------------------------------------------------------- steps */

static void tell_data(const struct telling *x, unsigned depth, const struct wf_step *s)
{
    const char *data =
        s->carries != 0 ? tell(x->t, "sends", tell_fields(x->t, s->carries), NULL) : "";
    if (s->teaser != 0 && s->teaser != s->carries) {
        data =
            tell_join(x->t, data, "; ", tell(x->t, "teaser", tell_fields(x->t, s->teaser), NULL));
    }
    line(x, depth, "", data);
    if (s->collects != 0) {
        line(x, depth, "", tell(x->t, "brings", tell_fields(x->t, s->collects), NULL));
    }
}

static void tell_contents(struct telling *x, uint16_t parent, unsigned depth);

static void tell_node(struct telling *x, uint16_t node, unsigned depth)
{
    const struct graph_node *n = &x->g->nodes[node];
    const struct wf_step *s = graph_step(x->g, n);
    const char *lane = n->lane != GRAPH_NONE ? x->g->lanes[n->lane].title : "";
    char mark[16];
    snprintf(mark, sizeof mark, "%u. ", x->numbers[n->step]);
    line(x, depth, mark, tell_step(x->t, n->step));
    line(x, depth + 1, "",
         tell_join(x->t, tell_join(x->t, n->type, " · ", tell_id(x->t, n->step)), " · ", lane));
    line(x, depth + 1, "", n->note);
    tell_data(x, depth + 1, s);
    if (n->kind == GRAPH_STAGE) {
        const struct wf_step *branch =
            s->type == STEP_EACH && s->n_first > 0 ? &x->w->steps[s->first[0]] : s;
        tell_first(x, depth + 1, branch->first, branch->n_first);
    }
    tell_exits(x, depth + 1, s);
    tell_sides(x, depth + 1, s->sides, s->n_sides);
    if (n->kind == GRAPH_STAGE) {
        tell_contents(x, node, depth + 1);
    }
}

/* In reading order: by column, then by row. */
static unsigned members(const struct telling *x, uint16_t parent, bool ends, uint16_t *v)
{
    unsigned count = 0;
    for (unsigned i = 0; i < x->g->n_nodes; i++) {
        const struct graph_node *n = &x->g->nodes[i];
        if (n->parent != parent || n->step == WF_NONE || (n->kind == GRAPH_END) != ends) {
            continue;
        }
        unsigned k = count++;
        for (; k > 0; k--) {
            const struct graph_node *q = &x->g->nodes[v[k - 1]];
            if (q->col < n->col || (q->col == n->col && q->row <= n->row)) {
                break;
            }
            v[k] = v[k - 1];
        }
        v[k] = (uint16_t)i;
    }
    return count;
}

static void tell_contents(struct telling *x, uint16_t parent, unsigned depth)
{
    uint16_t v[STO_WF_STEPS_MAX];
    unsigned n = members(x, parent, false, v);
    for (unsigned i = 0; i < n; i++) {
        tell_node(x, v[i], depth);
    }
}

static void give_numbers(struct telling *x, uint16_t parent)
{
    uint16_t v[STO_WF_STEPS_MAX];
    unsigned n = members(x, parent, false, v);
    for (unsigned i = 0; i < n; i++) {
        x->numbers[x->g->nodes[v[i]].step] = ++x->number;
        give_numbers(x, v[i]);
    }
}

static void tell_ends(const struct telling *x)
{
    uint16_t v[STO_WF_STEPS_MAX];
    unsigned n = members(x, GRAPH_NONE, true, v);
    heading(x, "endings");
    for (unsigned i = 0; i < n; i++) {
        const struct graph_node *node = &x->g->nodes[v[i]];
        const struct wf_step *s = graph_step(x->g, node);
        const char *text = tell_join(x->t, tell_step(x->t, node->step), " · ", s->id);
        if (s->records != 0) {
            text = tell_join(x->t, text, "; ",
                             tell(x->t, "records", tell_fields(x->t, s->records), NULL));
        }
        line(x, 0, "- ", tell_join(x->t, text, "; ", node->note));
    }
}

int flow_text(const teller_t *t, struct sto_buf *out, struct sto_err *err)
{
    struct graph *g = NULL;
    struct placed *p = NULL;
    const workflow_t *w = teller_workflow(t);
    int rc = graph_new(t, &g, err);
    rc = rc != 0 ? rc : place(g, &place_picture, &p, err);
    if (rc != 0) {
        return rc;
    }
    struct telling x = {.out = out, .g = g, .t = t, .w = w};
    x.numbers = sto_xcalloc((size_t)w->n_steps + 1, sizeof *x.numbers);
    give_numbers(&x, GRAPH_NONE);
    picture_put(out, "%s\n", tell_title(t));
    line(&x, 0, "", tell(t, "workflow-line", w->id, tell_number(t, w->version)));
    if (w->source != NULL && *w->source != '\0') {
        line(&x, 0, "", tell(t, "source", w->source, NULL));
    }
    tell_who(&x);
    tell_start(&x);
    tell_any_time(&x);
    heading(&x, "steps");
    tell_contents(&x, GRAPH_NONE, 0);
    tell_ends(&x);
    free(x.numbers);
    return out->failed ? sto_fail(err, STO_E_LIMIT, "the description is too large") : 0;
}
