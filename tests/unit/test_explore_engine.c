/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The checker's explorer against the engine: in random runs of the real engine, every state stands
 * on an explored abstract state, and every event is a move (or a few) that the explorer knows. So
 * what the explorer proves to be impossible does not happen.
 */
#include "engine_explore.h"
#include "engine_kinds.h"
#include "explore.h"
#include "turn.h"

#ifdef __SANITIZE_ADDRESS__
#define RUNS 300u
#else
#define RUNS 4000u
#endif
#define STEPS_AT_ONCE 1u /* a message that was kept, an answer that was there already */

struct compared {
    const char *text;
    struct rig *r;
    unsigned states, moves, closed;
    bool seen[STO_WF_STEPS_MAX];
};

/*
 * What cannot be read off a case: which organisation of a role it is, and which sides have been.
 * Roles may be named at the start already; the explorer takes the worse, that they are not.
 */
static void mask(const struct explore *x, struct x_state *s)
{
    for (unsigned v = 0; v < x->n_vars; v++) {
        s->vars[v] = x->vars[v].kind == X_VAR_BOUND ? 0 : s->vars[v];
    }
    s->holder = s->back = s->fired = s->root = 0;
    for (unsigned i = 0; i < s->n; i++) {
        s->t[i].fired = 0;
    }
}

/* ------------------------------------------------------------------ from a case to a state */

static uint8_t place_of(const struct case_state *s, uint16_t id)
{
    for (unsigned i = 0; i < s->n_tokens; i++) {
        if (s->tokens[i].id == id) {
            return (uint8_t)i;
        }
    }
    return X_ROOT;
}

static uint8_t field_class(const struct rig *r, const struct x_var *v)
{
    const struct field_value *f = &r->data.v[v->ref];
    enum field_type type = r->wf->fields[v->ref].type;
    if (!f->set) {
        return 0;
    }
    if (type == FIELD_BOOLEAN || type == FIELD_CODE) {
        return (uint8_t)(f->i + 1);
    }
    return type == FIELD_TEXT || type == FIELD_HETU || type == FIELD_PROFILE ? 1 : x_class(v, f->i);
}

static uint8_t var_of(const struct explore *x, const struct rig *r, const struct x_var *v)
{
    const struct case_state *s = &r->s;
    unsigned most = 0;
    switch ((enum x_var_kind)v->kind) {
    case X_VAR_FIELD:
        return field_class(r, v);
    case X_VAR_EXIT:
        return s->last_exit[v->ref];
    case X_VAR_CONSENT:
        return s->consents[v->ref].state;
    case X_VAR_COUNT:
        most = x->w->steps[v->ref].at_most;
        if (s->entries[v->ref] > most) {
            return (uint8_t)((most < X_COUNT_MAX ? most : X_COUNT_MAX) + 1);
        }
        return s->entries[v->ref] < X_COUNT_MAX ? s->entries[v->ref] : (uint8_t)X_COUNT_MAX;
    case X_VAR_BOUND:
        return s->roles[v->ref].at.org != 0;
    }
    return 0;
}

static void project(const struct explore *x, const struct x_unit *u, const struct rig *r,
                    struct x_state *out)
{
    const struct case_state *s = &r->s;
    memset(out, 0, sizeof *out);
    out->right = s->right.valid ? (uint8_t)s->right.step : (uint8_t)X_NONE;
    out->n = s->n_tokens;
    for (unsigned i = 0; i < s->n_tokens; i++) {
        const struct token *t = &s->tokens[i];
        const struct wf_step *w = &x->w->steps[t->step];
        uint8_t flags = t->side ? X_SIDE : 0;
        if (w->type == STEP_REFERRAL && t->start_us != 0) {
            flags |= X_BEGUN;
        }
        if (w->type == STEP_END) {
            flags |= t->phase == END_WAITS ? X_BEGUN : X_HELD;
        }
        if (s->right.valid && s->right.token == t->id) {
            flags |= X_RIGHT;
        }
        out->t[i] = (struct x_token){.step = (uint8_t)t->step,
                                     .up = place_of(s, t->side ? t->host : t->parent),
                                     .flags = flags,
                                     .joined = t->joined};
    }
    for (unsigned v = 0; v < x->n_vars; v++) {
        out->vars[v] = var_of(x, r, &x->vars[v]);
    }
    x_canonical(x, u, out);
    mask(x, out);
}

/* ------------------------------------------------------------------ following a case */

static bool equal(const struct x_state *a, const struct x_state *b, unsigned n_vars)
{
    return a->right == b->right && a->result == b->result && a->virt == b->virt && a->n == b->n &&
           memcmp(a->vars, b->vars, n_vars) == 0 && memcmp(a->t, b->t, a->n * sizeof a->t[0]) == 0;
}

/* Bit i: explored state i is what the case stands on. */
static unsigned stands_on(const struct explore *x, const struct x_graph *g,
                          const struct x_state *all, const struct x_state *s, uint8_t *set)
{
    unsigned n = 0;
    memset(set, 0, g->n_plain / 8 + 1);
    for (uint32_t i = 0; i < g->n_plain; i++) {
        if (equal(&all[i], s, x->n_vars)) {
            x_bit_set(set, i);
            n++;
        }
    }
    return n;
}

/* One more move from any of the set's states. */
static void spread_set(const struct x_graph *g, uint8_t *set)
{
    uint8_t *more = sto_xcalloc(g->n_plain / 8 + 1, 1);
    for (uint32_t i = 0; i < g->n_plain; i++) {
        for (uint32_t e = g->edges_from[i]; x_bit(set, i) && e < g->edges_from[i + 1]; e++) {
            x_bit_set(more, g->edges[e].to);
        }
    }
    for (uint32_t i = 0; i < g->n_plain / 8 + 1; i++) {
        set[i] |= more[i];
    }
    free(more);
}

static bool meets(const uint8_t *a, const uint8_t *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (a[i] & b[i]) {
            return true;
        }
    }
    return false;
}

static void print_state(const struct explore *x, const char *what, const struct x_state *s)
{
    print_message("%s: right %u result %u", what, s->right, s->result);
    for (unsigned i = 0; i < s->n; i++) {
        print_message("  [%s up %u flags %u joined %u]", x->w->steps[s->t[i].step].id, s->t[i].up,
                      s->t[i].flags, s->t[i].joined);
    }
    for (unsigned v = 0; v < x->n_vars; v++) {
        print_message(" %u/%u=%u", x->vars[v].kind, x->vars[v].ref, s->vars[v]);
    }
    print_message("\n");
}

/* Acts that no workflow speaks of: corrections, closing by hand, whatever comes too late. */
static bool outside(const struct rig *r, const struct input *in)
{
    return in->kind == EVENT_CORRECT || in->kind == EVENT_CLOSE || r->f.code != 0;
}

struct tracker {
    const struct explore *x;
    const struct x_unit *u;
    const struct x_graph *g;
    struct x_state *all; /* masked */
    uint8_t *at, *next;
};

static void begin(struct tracker *k, const struct rig *r)
{
    struct x_state s;
    project(k->x, k->u, r, &s);
    if (stands_on(k->x, k->g, k->all, &s, k->at) == 0) {
        print_state(k->x, "start", &s);
        fail_msg("the case begins where the explorer has not been");
    }
}

/* Closed, or at an end that goes on in another workflow: both are an end to the explorer. */
static bool is_over(const struct rig *r)
{
    for (unsigned i = 0; i < r->s.n_tokens; i++) {
        const struct token *t = &r->s.tokens[i];
        if (r->wf->steps[t->step].type == STEP_END && t->phase != END_WAITS &&
            t->phase != END_GIVEN_BACK) {
            return true;
        }
    }
    return r->s.status == CASE_CLOSED;
}

static void follow(struct tracker *k, struct compared *c, const struct input *in)
{
    struct rig *r = c->r;
    unsigned bytes = k->g->n_plain / 8 + 1;
    struct x_state s;
    memset(k->next, 0, bytes);
    if (is_over(r)) {
        c->closed++;
        for (uint32_t i = 0; i < k->g->n_plain; i++) {
            if (k->all[i].result) {
                x_bit_set(k->next, i);
            }
        }
    } else {
        project(k->x, k->u, r, &s);
        if (stands_on(k->x, k->g, k->all, &s, k->next) == 0) {
            print_state(k->x, "state", &s);
            fail_msg("%s: %s leads where the explorer has not been", r->wf->id,
                     event_kind_name(in->kind));
        }
    }
    for (unsigned n = 0; n < STEPS_AT_ONCE && !meets(k->at, k->next, bytes); n++) {
        spread_set(k->g, k->at);
    }
    if (!meets(k->at, k->next, bytes)) {
        for (uint32_t i = 0; i < k->g->n_plain; i++) {
            if (x_bit(k->next, i)) {
                print_state(k->x, "to", &k->all[i]);
                break;
            }
        }
        fail_msg("%s: %s at step '%s' is no move of the explorer", r->wf->id,
                 event_kind_name(in->kind),
                 r->f.step < r->wf->n_steps ? r->wf->steps[r->f.step].id : "");
    }
    for (unsigned i = 0; i < bytes; i++) {
        k->at[i] &= k->next[i];
    }
    if (!meets(k->at, k->at, bytes)) {
        memcpy(k->at, k->next, bytes);
    }
}

static void run_once(struct tracker *k, struct compared *c, struct random_walk *w)
{
    struct rig *r = c->r;
    rig_reset(r);
    r->thorough = false;
    assert_int_equal(rig_start(r), 0);
    begin(k, r);
    for (unsigned i = 0; i < 25 && !is_over(r); i++) {
        struct move_input m;
        struct mail mail;
        random_input(w, r, &m, &mail);
        r->now += 1 + (int64_t)below(w, 4) * 3 * STO_US_PER_HOUR;
        if (rig_event(r, &m.in) != 0) {
            continue;
        }
        if (outside(r, &m.in)) {
            return;
        }
        follow(k, c, &m.in);
        c->moves++;
        for (unsigned t = 0; t < r->s.n_tokens; t++) {
            c->seen[r->s.tokens[t].step] = true;
        }
    }
}

static void compare(void *arg, const struct explore *x, const struct x_unit *u)
{
    struct compared *c = arg;
    struct tracker k = {.x = x, .u = u, .g = u->graph};
    struct random_walk w = {.seed = 7};
    assert_false(x->bounded);
    c->states = k.g->n_plain;
    k.all = sto_xcalloc(k.g->n_plain, sizeof *k.all);
    k.at = sto_xcalloc(k.g->n_plain / 8 + 1, 1);
    k.next = sto_xcalloc(k.g->n_plain / 8 + 1, 1);
    for (uint32_t i = 0; i < k.g->n_plain; i++) {
        x_state_get(k.g, i, &k.all[i]);
        mask(x, &k.all[i]);
    }
    for (unsigned i = 0; i < RUNS; i++) {
        run_once(&k, c, &w);
    }
    free(k.all);
    free(k.at);
    free(k.next);
}

static void no_issue(void *arg, const struct explore *x, const struct x_unit *u, uint32_t from,
                     const struct x_move *m, const struct x_issue *issue)
{
    (void)arg;
    (void)x;
    (void)u;
    (void)from;
    (void)m;
    (void)issue;
}

static const char *const TEXTS[] = {WF_TRANSFER, WF_LOOP_CLOSED, WF_SERVICE, WF_DATES,
                                    WF_PLACES,   WF_BOARD,       WF_MANY,    WF_BRANCHES};
#define N_TEXTS (sizeof TEXTS / sizeof TEXTS[0])

static struct explore *explored(struct rig *r, bool whole, x_graph_fn *on_graph, void *arg)
{
    struct explore *x = sto_xcalloc(1, sizeof *x);
    *x = (struct explore){.w = r->wf,
                          .net = r->net,
                          .whole = whole,
                          .on_issue = no_issue,
                          .on_graph = on_graph,
                          .arg = arg};
    assert_int_equal(explore_run(x), 0);
    return x;
}

static void explored_free(struct explore *x)
{
    explore_release(x);
    free(x);
}

static void every_event_of_the_engine_is_a_move_of_the_explorer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_TEXTS; i++) {
        struct compared c = {.text = TEXTS[i], .r = rig_new(TEXTS[i])};
        struct explore *x = explored(c.r, true, compare, &c);
        print_message("%s: %u states, %u events followed, %u cases closed\n", c.r->wf->id, c.states,
                      c.moves, c.closed);
        assert_true(c.moves > RUNS && c.closed > RUNS / 20);
        explored_free(x);
        rig_destroy(&c.r);
    }
}

static void no_graph(void *arg, const struct explore *x, const struct x_unit *u)
{
    (void)x;
    *(unsigned *)arg += u->first != WF_NONE;
}

/* What is found apart is what is found together: steps, exits and rules that are reached. */
static void units_explored_alone_reach_what_the_whole_reaches(void **state)
{
    (void)state;
    unsigned units = 0, fewer = 0;
    for (unsigned i = 0; i < N_TEXTS; i++) {
        struct rig *r = rig_new(TEXTS[i]);
        struct explore *whole = explored(r, true, no_graph, &(unsigned){0});
        struct explore *apart = explored(r, false, no_graph, &units);
        assert_memory_equal(whole->reached, apart->reached, sizeof whole->reached);
        assert_memory_equal(whole->taken, apart->taken, sizeof whole->taken);
        assert_memory_equal(whole->rule_taken, apart->rule_taken, sizeof whole->rule_taken);
        fewer += apart->states < whole->states;
        explored_free(whole);
        explored_free(apart);
        rig_destroy(&r);
    }
    assert_true(units > 4 && fewer > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_of_the_engine_is_a_move_of_the_explorer),
        cmocka_unit_test(units_explored_alone_reach_what_the_whole_reaches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
