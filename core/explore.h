/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The explorer: all states that a workflow can come to, on an abstract machine that sees only the
 * exits of each step type. A state is <holder, right of return, tracked data, token tree>; the
 * holder is an organisation: whoever a role stands for now, or stood for before it was named anew.
 *
 * What runs side by side and touches nothing that others read (a *unit*: a branch of a stage, a
 * step in meanwhile) is explored alone and stands in the state only by how it can end, so that
 * eight branches cost their sum and not their product.
 *
 * Over-approximate: whatever the engine does is a move here (test_explore_engine.c), not the other
 * way round. No recursion on the size of the input, work bounded by states_max.
 */
#ifndef EXPLORE_H
#define EXPLORE_H
#include "state.h"
#include "workflow.h"

#define X_TOKENS_MAX 64u /* of one state while it walks; a case has at most 24 */
#define X_VARS_MAX   192u
#define X_VAR_WORDS  (X_VARS_MAX / 64)
#define X_NONE       0xffu
#define X_ROOT       0xffu /* `up` of what stands outermost */
#define X_CUTS_MAX   16u   /* constants that one field is compared with */
#define X_COUNT_MAX  3u    /* entries counted; beyond that a step may have been too often or not */
#define X_RESULTS    64u   /* ways in which one unit can end */
#define X_UNITS_MAX  (2u * STO_WF_STEPS_MAX)
#define X_FORMER     32u /* organisation: role + X_FORMER = whom the role stood for before */
#define X_SENDER     80u

_Static_assert(STO_WF_STEPS_MAX < X_NONE, "a step's index is a byte here");

enum x_flag {
    X_SIDE = 1,
    X_BEGUN =
        2, /* referral: in service; end: waits for the right of return; call: its clock is over */
    X_HELD = 4,  /* end: the client was given back behind it */
    X_RIGHT = 8, /* passed the handover that may be given back */
    X_HOT = 16   /* broke off, and nobody has chosen since */
};
struct x_token {
    uint8_t step, up, flags;
    uint8_t joined; /* stage */
    uint8_t virt;   /* stage: units that run and have not joined */
    uint8_t fired;  /* sides that start once and have started */
};
enum x_root_flag { X_WITHIN_OVER = 1, X_SIDES_OVER = 2 };
struct x_state {
    uint8_t holder, right, back; /* right: step of the handover, X_NONE */
    uint8_t result;              /* 0 = open; else 1 + index of the unit's results */
    uint8_t fired, virt, root;
    uint8_t n; /* tokens */
    uint8_t vars[X_VARS_MAX];
    struct x_token t[X_TOKENS_MAX];
};

/* What makes a state go on; smaller is weaker. */
enum x_by {
    X_BY_CLOCK,
    X_BY_PLACE,  /* a place is free, or none is */
    X_BY_CHANCE, /* did not come */
    X_BY_CHOICE,
    X_BY_REFUSAL,
    X_BY_BREAK,
    X_BY_EVENT
};
enum x_move_kind {
    X_MOVE_START,
    X_MOVE_EXIT,      /* a step is left by an exit */
    X_MOVE_TAKE_OVER, /* the receiver confirms */
    X_MOVE_BEGIN,     /* a service begins */
    X_MOVE_INTERRUPT,
    X_MOVE_GIVE_BACK,
    X_MOVE_LAPSE, /* the right of return ends */
    X_MOVE_SIDE,  /* what stands beside begins */
    X_MOVE_EVENT,
    X_MOVE_CONSENT, /* the client gives or refuses by itself: exit = enum consent_state */
    X_MOVE_UNIT,    /* a unit ends: step = the unit, exit = its result */
    X_MOVE_DATA,    /* a part of a plan, a panel member's answer: fields come, the step stays */
    X_MOVE_CLOSE    /* the holder closes what was held open for it */
};
struct x_move {
    uint8_t kind, step, exit, by;
    bool off; /* an offer or service came to nothing by this */
};

enum x_end_kind { X_END_JOIN, X_END_LEAVE, X_END_CASE, X_END_EMPTY };
struct x_result {
    uint8_t kind;
    uint16_t of;  /* LEAVE: container step or WF_ROOT; CASE: end step */
    uint8_t exit; /* LEAVE */
    bool ok;      /* without breaks, refusals and events */
    bool by_clock;
    bool hot; /* by itself after something broke off */
};

enum x_var_kind { X_VAR_FIELD, X_VAR_EXIT, X_VAR_CONSENT, X_VAR_COUNT, X_VAR_BOUND };
struct x_var {
    uint8_t kind;
    uint16_t ref;
    uint8_t n_values; /* 1..n; 0 = unset */
    uint8_t n_cuts;
    int64_t cuts[X_CUTS_MAX]; /* ascending: 1 is below cuts[0], 2 is cuts[0], 3 is above it, … */
    uint8_t possible[2 * X_CUTS_MAX + 2];
};
struct x_set {
    uint64_t w[X_VAR_WORDS];
};

struct x_unit {
    uint16_t first;     /* step; WF_NONE = the whole workflow */
    uint16_t container; /* stage or host; WF_ROOT */
    bool side;
    uint8_t depth;
    struct x_result results[X_RESULTS];
    uint8_t n_results;
    uint8_t members[STO_WF_STEPS_MAX / 8]; /* its steps */
    struct x_graph *graph;                 /* borrowed by the visitor while it is asked */
};

struct x_edge {
    uint32_t to;
    struct x_move m;
};
struct x_graph {
    uint32_t n_states, n_edges;
    uint32_t n_plain;     /* states before this are no hot ones */
    uint32_t *at;         /* offset of each state's bytes */
    uint32_t *edges_from; /* n_states + 1 */
    uint32_t *parent;     /* shortest way; own index = an initial one */
    struct x_move *by;    /* the move from the parent */
    struct x_edge *edges;
    uint8_t *bytes;
    size_t n_bytes, cap_bytes;
    uint32_t cap_states, cap_edges;
    uint32_t *slots, n_slots;
};

enum x_issue_kind {
    X_ISSUE_UNSET_RULE,
    X_ISSUE_UNSET_DATE,
    X_ISSUE_UNNAMED,
    X_ISSUE_TWO_TOKENS,
    X_ISSUE_TWO_HANDOVERS,
    X_ISSUE_ENDS_ALONE,
    X_ISSUE_NO_CONSENT
};
struct x_issue {
    uint8_t kind;
    uint16_t step;
    uint16_t ref; /* field, role or other step */
    int line;
};

struct explore;
/* A fault at a move from state `from` of the graph (to nowhere yet), told once for each place. */
typedef void x_issue_fn(void *arg, const struct explore *x, const struct x_unit *u, uint32_t from,
                        const struct x_move *m, const struct x_issue *issue);
/* A unit's graph is complete (or cut off: x->bounded); it is freed afterwards. */
typedef void x_graph_fn(void *arg, const struct explore *x, const struct x_unit *u);

struct explore {
    const workflow_t *w;
    const network_t *net;
    uint32_t states_max;
    uint64_t moves_max;
    bool whole; /* no units: every branch stands in the state (for comparisons) */
    x_issue_fn *on_issue;
    x_graph_fn *on_graph;
    void *arg;
    /* what is tracked */
    struct x_var vars[X_VARS_MAX];
    unsigned n_vars;
    uint8_t var_field[STO_WF_FIELDS_MAX], var_exit[STO_WF_STEPS_MAX],
        var_consent[STO_WF_CONSENTS_MAX], var_count[STO_WF_STEPS_MAX], var_bound[STO_WF_ROLES_MAX];
    struct x_set live[STO_WF_STEPS_MAX], live_root;
    uint32_t overlap[STO_WF_ROLES_MAX]; /* roles that may be the same organisation */
    uint32_t held_by;                   /* roles that a handover or the start makes responsible */
    struct x_unit *units;
    unsigned n_units;
    uint16_t unit_of[STO_WF_STEPS_MAX]; /* the unit that begins at the step, 0xffff */
    /* what was seen */
    bool reached[STO_WF_STEPS_MAX];
    uint8_t taken[STO_WF_STEPS_MAX][STO_WF_EXITS_MAX / 8 + 1];
    bool rule_taken[STO_WF_STEPS_MAX][WF_RULES_MAX];
    uint8_t beside[STO_WF_STEPS_MAX][STO_WF_STEPS_MAX / 8]; /* two steps stood at once */
    uint32_t states;
    uint64_t moves;
    bool bounded;
};

/* Explores all units and then the whole; calls on_issue and on_graph. states_max 0: the default.
 * Returns 0, or -STO_E_LIMIT if the bound was hit (x->bounded). */
int explore_run(struct explore *x);
void explore_release(struct explore *x);

/* ------------------------------------------------------------------ parts */

static inline void x_bit_set(uint8_t *bits, unsigned i)
{
    bits[i / 8] = (uint8_t)(bits[i / 8] | 1u << i % 8);
}
static inline bool x_bit(const uint8_t *bits, unsigned i)
{
    return bits[i / 8] >> i % 8 & 1;
}

/* explore_vars.c: what is tracked, where it is still read, which units stand alone */
void x_vars_find(struct explore *x);
void x_live_find(struct explore *x);
void x_units_find(struct explore *x);
const struct x_unit *x_unit_at(const struct explore *x, uint16_t step); /* virtual one, or NULL */
/* Step ix is `of` itself or inside or beside it. */
bool x_inside(const workflow_t *w, uint16_t ix, uint16_t of);

/* Choices inside one move: asked again from the start with the next script until all are tried. */
#define X_CHOICES_MAX 24u
struct x_oracle {
    uint8_t script[X_CHOICES_MAX], of[X_CHOICES_MAX];
    unsigned n, at;
};
unsigned x_choose(struct x_oracle *o, unsigned n);
bool x_oracle_next(struct x_oracle *o);

/* explore_eval.c: conditions over abstract values; what is not known goes both ways */
bool x_eval(const struct explore *x, const struct x_state *s, const expr_t *e, struct x_oracle *o,
            uint16_t *unset);
/* Is field f compared with this constant? The class of a value among the cuts. */
uint8_t x_class(const struct x_var *v, int64_t value);

/* explore_walk.c: how tokens walk; a walk works on its own copy of the state */
struct x_walk {
    struct explore *x;
    struct x_unit *u;
    struct x_state *s;
    struct x_oracle *o;
    const struct x_move *m;
    uint32_t from;
    unsigned entered;
    bool lost; /* too many tokens or a circle of instant steps: no successor */
    uint16_t entry[X_TOKENS_MAX];
};
void x_enter(struct x_walk *k, unsigned t, uint16_t step);
bool x_leave(struct x_walk *k, unsigned t, unsigned exit);
void x_leave_to(struct x_walk *k, unsigned t, const struct wf_exit *e);
bool x_leave_around(struct x_walk *k, unsigned t, unsigned exit);
bool x_leave_root(struct x_walk *k, unsigned exit, bool hot);
void x_join(struct x_walk *k, unsigned t);
void x_cancel_below(struct x_walk *k, unsigned t);
unsigned x_token_new(struct x_walk *k, unsigned up, bool side);  /* X_NONE: no room */
void x_stage_joined(struct x_walk *k, unsigned stage, bool hot); /* one branch of it has joined */
void x_end(struct x_walk *k, enum x_end_kind kind, uint16_t of, unsigned exit, bool hot);
void x_collect(struct x_walk *k, uint64_t must, uint64_t may);
void x_name(struct x_walk *k, uint32_t roles);
void x_start(struct x_walk *k, unsigned role);
void x_issue_tell(struct x_walk *k, enum x_issue_kind kind, uint16_t step, uint16_t ref, int line);
const struct wf_exit *x_exit_of(const struct wf_step *w, unsigned exit); /* or of like meaning */
bool x_same_org(struct x_walk *k, unsigned party);
unsigned x_org_of(unsigned party);

/* explore_moves.c: what may happen in a state */
#define X_MOVES_MAX 768u
unsigned x_moves(const struct explore *x, const struct x_unit *u, const struct x_state *s,
                 struct x_move *out, uint8_t *token);
void x_apply(struct x_walk *k, const struct x_move *m, unsigned token);

/* explore.c: bytes of a state, and the graph */
void x_state_get(const struct x_graph *g, uint32_t i, struct x_state *out);
void x_canonical(const struct explore *x, const struct x_unit *u, struct x_state *s);

#endif
