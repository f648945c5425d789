/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Explorer: the graph of one unit, breadth first, so that the way to a state is a shortest one.
 * States are packed bytes in one block and found by a hash table of their numbers. After all plain
 * states come the hot ones: from each break-off, what clocks and places alone bring about.
 */
#include <stdlib.h>
#include <string.h>

#include "check_parts.h"
#include "explore.h"

#define STATES_MAX_DEFAULT 200000u
#define MOVES_PER_STATE    64u
#define TOKEN_BYTES        6u
#define HEAD_BYTES         8u

/* ------------------------------------------------------------------ bytes of a state */

static unsigned state_pack(const struct explore *x, const struct x_state *s, uint8_t *p)
{
    const uint8_t head[HEAD_BYTES] = {s->holder, s->right, s->back, s->result,
                                      s->fired,  s->virt,  s->root, s->n};
    memcpy(p, head, HEAD_BYTES);
    memcpy(p + HEAD_BYTES, s->vars, x->n_vars);
    unsigned at = HEAD_BYTES + x->n_vars;
    for (unsigned i = 0; i < s->n; i++, at += TOKEN_BYTES) {
        const struct x_token *t = &s->t[i];
        const uint8_t bytes[TOKEN_BYTES] = {t->step, t->up, t->flags, t->joined, t->virt, t->fired};
        memcpy(p + at, bytes, TOKEN_BYTES);
    }
    return at;
}

static void state_unpack(const uint8_t *p, unsigned n_vars, struct x_state *s)
{
    s->holder = p[0];
    s->right = p[1];
    s->back = p[2];
    s->result = p[3];
    s->fired = p[4];
    s->virt = p[5];
    s->root = p[6];
    s->n = p[7];
    memcpy(s->vars, p + HEAD_BYTES, n_vars);
    const uint8_t *at = p + HEAD_BYTES + n_vars;
    for (unsigned i = 0; i < s->n; i++, at += TOKEN_BYTES) {
        s->t[i] = (struct x_token){at[0], at[1], at[2], at[3], at[4], at[5]};
    }
}

/* Each state's bytes begin with the number of variables of its explorer. */
void x_state_get(const struct x_graph *g, uint32_t i, struct x_state *out)
{
    const uint8_t *p = g->bytes + g->at[i];
    memset(out, 0, sizeof *out);
    state_unpack(p + 1, p[0], out);
}

static uint64_t hash(const uint8_t *p, unsigned n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (unsigned i = 0; i < n; i++) {
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    }
    return h ^ h >> 29;
}

/* ------------------------------------------------------------------ one form for equal states */

static uint32_t token_key(const struct x_token *t)
{
    return (uint32_t)t->step << 16 | (uint32_t)t->flags << 8 | (uint32_t)(t->joined << 4) |
           (t->virt & 15u);
}

/* Parents first, those of one parent by step: order says nothing. */
static void order_tokens(struct x_state *s)
{
    struct x_token out[X_TOKENS_MAX];
    uint8_t was[X_TOKENS_MAX] = {0};
    unsigned n = 0;
    for (unsigned done = 0; done <= n; done++) { /* done == 0: the outermost */
        unsigned up = done == 0 ? X_ROOT : was[done - 1], begin = n;
        for (unsigned i = 0; i < s->n; i++) {
            if (s->t[i].step == X_NONE || s->t[i].up != up) {
                continue;
            }
            unsigned at = n++;
            while (at > begin && token_key(&out[at - 1]) > token_key(&s->t[i])) {
                out[at] = out[at - 1];
                was[at] = was[at - 1];
                at--;
            }
            out[at] = s->t[i];
            out[at].up = (uint8_t)(done == 0 ? X_ROOT : done - 1);
            was[at] = (uint8_t)i;
        }
    }
    memcpy(s->t, out, n * sizeof out[0]);
    s->n = (uint8_t)n;
}

static void drop_dead(const struct explore *x, const struct x_unit *u, struct x_state *s)
{
    struct x_set live = u->first == WF_NONE ? x->live_root : (struct x_set){0};
    for (unsigned i = 0; i < s->n; i++) {
        for (unsigned k = 0; k < X_VAR_WORDS; k++) {
            live.w[k] |= x->live[s->t[i].step].w[k];
        }
    }
    for (unsigned k = 0; s->right != X_NONE && k < X_VAR_WORDS; k++) {
        live.w[k] |= x->live[s->right].w[k];
    }
    for (unsigned v = 0; v < x->n_vars; v++) {
        if (!(live.w[v / 64] >> v % 64 & 1)) {
            s->vars[v] = 0;
        }
    }
}

void x_canonical(const struct explore *x, const struct x_unit *u, struct x_state *s)
{
    order_tokens(s);
    drop_dead(x, u, s);
}

/* ------------------------------------------------------------------ the graph */

static struct x_graph *graph_new(void)
{
    struct x_graph *g = sto_xcalloc(1, sizeof *g);
    g->cap_states = 256;
    g->cap_edges = 1024;
    g->cap_bytes = 16384;
    g->n_slots = 1024;
    g->at = sto_xcalloc(g->cap_states, sizeof *g->at);
    g->edges_from = sto_xcalloc(g->cap_states + 1, sizeof *g->edges_from);
    g->parent = sto_xcalloc(g->cap_states, sizeof *g->parent);
    g->by = sto_xcalloc(g->cap_states, sizeof *g->by);
    g->edges = sto_xcalloc(g->cap_edges, sizeof *g->edges);
    g->bytes = sto_xcalloc(1, g->cap_bytes);
    g->slots = sto_xcalloc(g->n_slots, sizeof *g->slots);
    return g;
}

static void graph_free(struct x_graph *g)
{
    free(g->at);
    free(g->edges_from);
    free(g->parent);
    free(g->by);
    free(g->edges);
    free(g->bytes);
    free(g->slots);
    free(g);
}

static void graph_room(struct x_graph *g, unsigned bytes)
{
    if (g->n_states == g->cap_states) {
        g->cap_states *= 2;
        g->at = sto_xrealloc(g->at, g->cap_states * sizeof *g->at);
        g->edges_from = sto_xrealloc(g->edges_from, (g->cap_states + 1u) * sizeof *g->edges_from);
        g->parent = sto_xrealloc(g->parent, g->cap_states * sizeof *g->parent);
        g->by = sto_xrealloc(g->by, g->cap_states * sizeof *g->by);
    }
    while (g->n_bytes + bytes > g->cap_bytes) {
        g->cap_bytes *= 2;
        g->bytes = sto_xrealloc(g->bytes, g->cap_bytes);
    }
}

static uint32_t slot_of(const struct x_graph *g, const uint8_t *p, unsigned n)
{
    uint32_t at = (uint32_t)(hash(p, n) & (g->n_slots - 1));
    while (g->slots[at]) {
        uint32_t i = g->slots[at] - 1;
        size_t end = i + 1 < g->n_states ? g->at[i + 1] : g->n_bytes;
        if (end - g->at[i] == n && memcmp(g->bytes + g->at[i], p, n) == 0) {
            break;
        }
        at = (at + 1) & (g->n_slots - 1);
    }
    return at;
}

static void slots_grow(struct x_graph *g)
{
    free(g->slots);
    g->n_slots *= 4;
    g->slots = sto_xcalloc(g->n_slots, sizeof *g->slots);
    for (uint32_t i = 0; i < g->n_states; i++) {
        size_t end = i + 1 < g->n_states ? g->at[i + 1] : g->n_bytes;
        uint32_t at =
            (uint32_t)(hash(g->bytes + g->at[i], (unsigned)(end - g->at[i])) & (g->n_slots - 1));
        while (g->slots[at]) {
            at = (at + 1) & (g->n_slots - 1);
        }
        g->slots[at] = i + 1;
    }
}

#define PACKED_MAX (1u + HEAD_BYTES + X_VARS_MAX + X_TOKENS_MAX * TOKEN_BYTES)

static unsigned pack(const struct explore *x, const struct x_state *s, uint8_t p[PACKED_MAX])
{
    p[0] = (uint8_t)x->n_vars;
    return 1 + state_pack(x, s, p + 1);
}

/* ------------------------------------------------------------------ a run over one unit */

struct run {
    struct explore *x;
    struct x_unit *u;
    struct x_graph *g;
    uint32_t own_edges; /* where those of the state at hand begin */
};

static uint32_t state_add(struct run *r, struct x_state *s, uint32_t from, const struct x_move *m)
{
    struct x_graph *g = r->g;
    uint8_t p[PACKED_MAX] = {0};
    x_canonical(r->x, r->u, s);
    unsigned n = pack(r->x, s, p);
    uint32_t at = slot_of(g, p, n);
    if (g->slots[at]) {
        return g->slots[at] - 1;
    }
    graph_room(g, n);
    uint32_t i = g->n_states;
    memcpy(g->bytes + g->n_bytes, p, n);
    g->at[i] = (uint32_t)g->n_bytes;
    g->parent[i] = from == UINT32_MAX ? i : from;
    g->by[i] = *m;
    g->n_bytes += n;
    g->slots[at] = ++g->n_states;
    r->x->states++;
    if (g->n_states > g->n_slots / 2) {
        slots_grow(g);
    }
    return i;
}

static void edge_add(struct run *r, uint32_t to, const struct x_move *m)
{
    struct x_graph *g = r->g;
    if (g->n_edges > r->own_edges) { /* both ways of one condition often come to the same */
        const struct x_edge *last = &g->edges[g->n_edges - 1];
        if (last->to == to && memcmp(&last->m, m, sizeof *m) == 0) {
            return;
        }
    }
    if (g->n_edges == g->cap_edges) {
        g->cap_edges *= 2;
        g->edges = sto_xrealloc(g->edges, g->cap_edges * sizeof *g->edges);
    }
    g->edges[g->n_edges++] = (struct x_edge){.to = to, .m = *m};
}

static bool spent(struct explore *x)
{
    if (x->states >= x->states_max || x->moves >= x->moves_max) {
        x->bounded = true;
    }
    return x->bounded;
}

/* All outcomes of one move from one state. */
static void try_move(struct run *r, uint32_t from, const struct x_state *s, const struct x_move *m,
                     unsigned token, bool hot)
{
    struct x_oracle o = {0};
    do {
        struct x_state next = *s;
        struct x_walk k = {.x = r->x, .u = r->u, .s = &next, .o = &o, .m = m, .from = from};
        r->x->moves++;
        if (hot && token != X_ROOT) {
            next.t[token].flags |= X_HOT;
        }
        for (unsigned i = 0; hot && m->kind == X_MOVE_GIVE_BACK && i < next.n; i++) {
            next.t[i].flags |= next.t[i].flags & X_RIGHT ? X_HOT : 0;
        }
        if (m->kind == X_MOVE_START) {
            x_start(&k, m->step);
        } else {
            x_apply(&k, m, token);
        }
        if (!k.lost) {
            edge_add(r, state_add(r, &next, from, m), m);
        }
    } while (x_oracle_next(&o) && !spent(r->x));
}

/* What stands on a hot token is hot. */
static void hot_tokens(const struct x_state *s, bool hot[X_TOKENS_MAX])
{
    for (unsigned i = 0; i < s->n; i++) { /* parents first */
        hot[i] = (s->t[i].flags & X_HOT) || (s->t[i].up != X_ROOT && hot[s->t[i].up]);
    }
}

static bool any_hot(const struct x_state *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (s->t[i].flags & X_HOT) {
            return true;
        }
    }
    return false;
}

static void seen(struct run *r, const struct x_state *s, uint32_t i)
{
    struct explore *x = r->x;
    struct x_walk k = {.x = x, .u = r->u, .from = i};
    unsigned handover = X_NONE;
    for (unsigned a = 0; a < s->n; a++) {
        uint16_t step = s->t[a].step;
        for (unsigned b = 0; b < a; b++) {
            if (s->t[b].step == step) {
                x_issue_tell(&k, X_ISSUE_TWO_TOKENS, step, step, x->w->steps[step].line);
            }
            x_bit_set(x->beside[step], s->t[b].step);
            x_bit_set(x->beside[s->t[b].step], step);
        }
        if (x->w->steps[step].type == STEP_HANDOVER) {
            if (handover != X_NONE && handover != step) {
                x_issue_tell(&k, X_ISSUE_TWO_HANDOVERS, step, (uint16_t)handover,
                             x->w->steps[step].line);
            }
            handover = step;
        }
        const struct wf_exit *e = workflow_step_exit(&x->w->steps[step], EXIT_EXPIRED);
        if (e && e->kind == TARGET_STAY) {
            x_bit_set(x->taken[step], EXIT_EXPIRED);
        }
    }
}

static void expand(struct run *r, uint32_t i, struct x_move *moves, uint8_t *token)
{
    struct x_state s;
    bool hot[X_TOKENS_MAX];
    x_state_get(r->g, i, &s);
    r->g->edges_from[i] = r->own_edges = r->g->n_edges;
    bool is_hot = any_hot(&s);
    hot_tokens(&s, hot);
    if (!is_hot) {
        seen(r, &s, i);
    }
    unsigned n = x_moves(r->x, r->u, &s, moves, token);
    for (unsigned m = 0; m < n && !spent(r->x); m++) {
        bool lapse_of_hot = moves[m].kind == X_MOVE_LAPSE;
        for (unsigned t = 0; is_hot && lapse_of_hot && t < s.n; t++) {
            lapse_of_hot = !(r->x->w->steps[s.t[t].step].type == STEP_END && !hot[t]);
        }
        if (is_hot &&
            (moves[m].by > X_BY_PLACE || (token[m] == X_ROOT ? !lapse_of_hot : !hot[token[m]]))) {
            continue;
        }
        if (!is_hot && moves[m].kind == X_MOVE_UNIT && moves[m].off) {
            continue; /* only the hot pass asks for it */
        }
        try_move(r, i, &s, &moves[m], token[m], false);
    }
}

/* From each plain state once more what comes to nothing, marked, and whither clocks take it. */
static void hot_from(struct run *r, uint32_t i, struct x_move *moves, uint8_t *token)
{
    struct x_state s;
    x_state_get(r->g, i, &s);
    unsigned n = x_moves(r->x, r->u, &s, moves, token);
    for (unsigned m = 0; m < n && !spent(r->x); m++) {
        if (moves[m].off) {
            uint32_t edges = r->g->n_edges;
            try_move(r, i, &s, &moves[m], token[m], true);
            r->g->n_edges = edges; /* they are no moves of their own */
        }
    }
}

static void unit_starts(struct run *r)
{
    const workflow_t *w = r->x->w;
    struct x_state none;
    memset(&none, 0, sizeof none);
    for (unsigned role = 0; role < w->n_roles; role++) {
        if (w->start_by >> role & 1) {
            struct x_move m = {.kind = X_MOVE_START, .step = (uint8_t)role, .by = X_BY_CHOICE};
            try_move(r, UINT32_MAX, &none, &m, X_ROOT, false);
            if (r->u->first != WF_NONE) {
                break; /* who is responsible makes no difference inside */
            }
        }
    }
    r->g->n_edges = 0;
}

/* Which of the unit's ends clocks lead to, and which need no refusal. */
static void results_weigh(struct run *r)
{
    struct x_graph *g = r->g;
    bool *ok = sto_xcalloc(g->n_states, sizeof *ok);
    struct x_state s;
    for (uint32_t i = 0; i < g->n_plain; i++) { /* breadth first: nearly in order */
        ok[i] = g->parent[i] == i;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < g->n_plain; i++) {
            for (uint32_t e = g->edges_from[i]; e < g->edges_from[i + 1]; e++) {
                const struct x_edge *x = &g->edges[e];
                bool plain = x->m.by <= X_BY_CHOICE && !x->m.off;
                if (ok[i] && plain && !ok[x->to]) {
                    ok[x->to] = changed = true;
                }
            }
        }
    }
    for (uint32_t i = 0; i < g->n_plain; i++) {
        for (uint32_t e = g->edges_from[i]; e < g->edges_from[i + 1]; e++) {
            x_state_get(g, g->edges[e].to, &s);
            if (s.result) {
                struct x_result *to = &r->u->results[s.result - 1];
                to->by_clock = to->by_clock || g->edges[e].m.by == X_BY_CLOCK;
                to->ok = to->ok || ok[g->edges[e].to];
            }
        }
        x_state_get(g, i, &s);
        if (s.result && g->parent[i] == i) { /* over at once */
            r->u->results[s.result - 1].ok = r->u->results[s.result - 1].by_clock = true;
        }
    }
    free(ok);
}

static void unit_run(struct explore *x, struct x_unit *u)
{
    struct run r = {.x = x, .u = u, .g = graph_new()};
    struct x_move *moves = sto_xcalloc(X_MOVES_MAX, sizeof *moves);
    uint8_t *token = sto_xcalloc(X_MOVES_MAX, sizeof *token);
    uint32_t i = 0;
    r.g->n_plain = UINT32_MAX; /* so far none is hot */
    u->graph = r.g;
    unit_starts(&r);
    for (; i < r.g->n_states && !spent(x); i++) {
        expand(&r, i, moves, token);
    }
    r.g->n_plain = i;
    for (uint32_t p = 0; p < r.g->n_plain && !spent(x); p++) {
        hot_from(&r, p, moves, token);
    }
    for (; i < r.g->n_states && !spent(x); i++) {
        expand(&r, i, moves, token);
    }
    for (; i <= r.g->n_states; i++) {
        r.g->edges_from[i] = r.g->n_edges;
    }
    if (!x->bounded) {
        results_weigh(&r);
    }
    x->on_graph(x->arg, x, u);
    u->graph = NULL;
    graph_free(r.g);
    free(moves);
    free(token);
}

/* ------------------------------------------------------------------ all units */

static void overlaps_find(struct explore *x)
{
    struct check c = {.w = x->w, .net = x->net};
    for (unsigned a = 0; a < x->w->n_roles; a++) {
        x->overlap[a] |= UINT32_C(1) << a;
        for (unsigned b = 0; b < a; b++) {
            for (unsigned k = 0; k < x->net->n_orgs; k++) {
                const struct organisation *o = &x->net->orgs[k];
                if (check_candidate(&c, a, o) && check_candidate(&c, b, o)) {
                    x->overlap[a] |= UINT32_C(1) << b;
                    x->overlap[b] |= UINT32_C(1) << a;
                }
            }
        }
    }
}

int explore_run(struct explore *x)
{
    STO_ASSERT(x && x->w && x->net && x->on_issue && x->on_graph && !x->units);
    x->states_max = x->states_max ? x->states_max : STATES_MAX_DEFAULT;
    x->moves_max = (uint64_t)x->states_max * MOVES_PER_STATE;
    x->units = sto_xcalloc(X_UNITS_MAX + 1, sizeof *x->units);
    x_vars_find(x);
    x_live_find(x);
    overlaps_find(x);
    x_units_find(x);
    for (unsigned depth = STO_WF_STEPS_MAX; depth > 0; depth--) { /* inner ones first */
        for (unsigned k = 0; k < x->n_units; k++) {
            if (x->units[k].depth == depth) {
                unit_run(x, &x->units[k]);
            }
        }
    }
    struct x_unit *whole = &x->units[x->n_units];
    *whole = (struct x_unit){.first = WF_NONE, .container = WF_ROOT};
    unit_run(x, whole);
    return x->bounded ? -STO_E_LIMIT : 0;
}

void explore_release(struct explore *x)
{
    free(x->units);
    x->units = NULL;
}
