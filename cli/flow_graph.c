/* SPDX-License-Identifier: EUPL-1.2 */
#include "flow_graph.h"

#include <string.h>

#include "flow_holders.h"
#include "state.h"
#include "sto_limits.h"

struct maker {
    struct graph *g;
    const teller_t *t;
    const workflow_t *w;
    uint32_t *holders; /* by step */
    bool full;
};

static void *get(struct maker *m, size_t bytes)
{
    void *p = m->full ? NULL : sto_arena_alloc(teller_arena(m->t), bytes);
    m->full = p == NULL;
    return p;
}

unsigned graph_lines(const char *text)
{
    unsigned n = *text != '\0';
    for (const char *p = text; *p != '\0'; p++) {
        n += *p == '\n';
    }
    return n;
}

const struct wf_step *graph_step(const struct graph *g, const struct graph_node *n)
{
    const workflow_t *w = teller_workflow(g->teller);
    return n->step < w->n_steps ? &w->steps[n->step] : NULL;
}

static const char *lines(const struct maker *m, const char *a, const char *b)
{
    return tell_join(m->t, a, "\n", b);
}

/* --------------------------------------------------------------------- lanes */

/* One lane for all the organisations of a `many` role. */
static uint8_t lane_party(const struct maker *m, unsigned party)
{
    if (party < m->w->n_roles && m->w->roles[party].branch > 0 &&
        party >= m->w->roles[party].branch) {
        return (uint8_t)(party - m->w->roles[party].branch);
    }
    return (uint8_t)party;
}

static uint16_t lane_of(struct maker *m, unsigned party)
{
    struct graph *g = m->g;
    uint8_t key = lane_party(m, party);
    for (unsigned i = 0; i < g->n_lanes; i++) {
        if (g->lanes[i].party == key) {
            return (uint16_t)i;
        }
    }
    const char *title = key == PARTY_NONE      ? tell(m->t, "lane-shared", NULL, NULL)
                        : key == PARTY_CLIENT  ? tell(m->t, "lane-client", NULL, NULL)
                        : key >= m->w->n_roles ? tell(m->t, "lane-holder", NULL, NULL)
                                               : tell_name(m->t, m->w->roles[key].id);
    g->lanes[g->n_lanes] = (struct graph_lane){.party = key, .title = title};
    return (uint16_t)g->n_lanes++;
}

/* The holder's lane is a role's where only that one can be responsible. */
static unsigned resolved(const struct maker *m, unsigned party, uint16_t step)
{
    uint32_t roles = step < m->w->n_steps ? m->holders[step] : m->w->start_by;
    if (party < m->w->n_roles || party == PARTY_CLIENT) {
        return party;
    }
    for (unsigned r = 0; r < m->w->n_roles; r++) {
        if (roles == UINT32_C(1) << r) {
            return r;
        }
    }
    return PARTY_HOLDER;
}

/* PARTY_NONE: whoever comes before it. */
static unsigned party_of(const struct wf_step *s)
{
    switch (s->type) {
    case STEP_TASK:
    case STEP_MEETING:
    case STEP_MEASURE:
    case STEP_PLAN:
        return s->role == PARTY_NONE ? PARTY_HOLDER : s->role;
    case STEP_HANDOVER:
    case STEP_REFERRAL:
    case STEP_CONSULT:
    case STEP_NOTIFY:
        return s->n_to > 0 ? s->to[0] : PARTY_HOLDER;
    case STEP_CONSENT:
        return PARTY_CLIENT;
    case STEP_WAIT:
    case STEP_CALL:
    case STEP_SESSION:
    case STEP_PANEL:
    case STEP_PLACE:
    case STEP_STAGE:
    case STEP_EACH:
        return PARTY_HOLDER;
    case STEP_DECIDE:
    case STEP_END:
        break;
    }
    return PARTY_NONE;
}

static uint16_t step_lane(struct maker *m, uint16_t k)
{
    const struct wf_step *s = &m->w->steps[k];
    if (s->type == STEP_SESSION || s->type == STEP_PANEL || s->type == STEP_PLACE) {
        return lane_of(m, PARTY_NONE);
    }
    unsigned party = party_of(s);
    return party == PARTY_NONE ? GRAPH_NONE : lane_of(m, resolved(m, party, k));
}

/* --------------------------------------------------------------------- notes */

static const char *stays(const struct maker *m, const struct wf_step *s)
{
    const struct wf_exit *e = workflow_step_exit(s, EXIT_EXPIRED);
    return e != NULL && e->kind == TARGET_STAY ? tell(m->t, "stays-short", NULL, NULL) : "";
}

/* The clock of its own exit stands at that exit. */
static bool clock_has_port(const struct wf_step *s)
{
    const struct wf_exit *e = workflow_step_exit(s, EXIT_EXPIRED);
    return e != NULL && e->kind != TARGET_STAY && s->n_within > 0;
}

static const char *handover_clocks(const struct maker *m, const struct wf_step *s)
{
    static const char *const KEYS[] = {
        [CLOCK_ANSWER] = "clock-answer",     [CLOCK_DECIDE] = "clock-decide",
        [CLOCK_INFO] = "clock-info",         [CLOCK_BOOK] = "clock-book",
        [CLOCK_MEET] = "clock-meet",         [CLOCK_CONFIRM] = "clock-confirm",
        [CLOCK_CHECK_IN] = "clock-check-in", [CLOCK_WAIT_MAX] = "clock-wait-max",
        [CLOCK_STABLE] = "clock-stable",     [CLOCK_CAP] = "clock-cap",
        [CLOCK_DRAFT] = "clock-draft",       [CLOCK_NEXT] = "clock-next",
        [CLOCK_START] = "clock-start"};
    const char *n = "";
    for (unsigned k = CLOCK_ANSWER; k <= CLOCK_START; k++) {
        if (s->clocks.has[k]) {
            n = lines(m, n, tell(m->t, KEYS[k], tell_when(m->t, &s->clocks.w[k]), NULL));
        }
    }
    return n;
}

/* How often, as written or by a setting; "" = it says nothing of it. */
static const char *count_note(const struct maker *m, const char *key, int64_t n, unsigned setting)
{
    if (setting < m->w->n_settings) {
        const struct wf_setting *x = &m->w->settings[setting];
        const char *value = tell(m->t, "setting", tell_number(m->t, x->def), x->id);
        return tell(m->t, key, value, NULL);
    }
    return n > 0 ? tell(m->t, key, tell_number(m->t, n), NULL) : "";
}

static const char *clock_note(const struct maker *m, const struct wf_step *s)
{
    const char *n = "";
    if (s->type == STEP_WAIT && s->message == 0xff) {
        for (unsigned i = 0; i < s->n_within; i++) {
            const char *one = tell_when(m->t, &s->within[i]);
            n = lines(m, n,
                      s->within[i].kind == WHEN_UNTIL_FIELD ? one
                                                            : tell(m->t, "wait-for", one, NULL));
        }
    } else if (!clock_has_port(s)) {
        n = tell_join(m->t, tell_within(m->t, s->within, s->n_within), ", ", stays(m, s));
    }
    if (s->at_least.kind != WHEN_NONE) {
        n = lines(m, n, tell(m->t, "at-least", tell_when(m->t, &s->at_least), NULL));
    }
    n = lines(m, n, count_note(m, "at-most", s->at_most, s->at_most_setting));
    n = lines(m, n,
              count_note(m, "meetings", s->meetings > 1 ? s->meetings : 0, s->meetings_setting));
    n = lines(m, n, count_note(m, "postpones", s->postpones, s->postpones_setting));
    return lines(m, n, handover_clocks(m, s));
}

static const char *party_note(const struct maker *m, const struct wf_step *s)
{
    const char *n = "";
    if (s->n_with > 0) {
        n = lines(m, n, tell(m->t, "with", tell_parties(m->t, s->with, s->n_with), NULL));
    }
    if (s->role == PARTY_CLIENT && s->type != STEP_END) {
        n = lines(m, n, tell(m->t, "helps", tell_party(m->t, s->helps), NULL));
    }
    if (s->type == STEP_NOTIFY && s->n_to > 1) {
        n = lines(m, n, tell(m->t, "to", tell_parties(m->t, s->to, s->n_to), NULL));
    }
    if (s->n_asks > 0) {
        n = lines(m, n, tell(m->t, "asks", tell_parties(m->t, s->asks, s->n_asks), NULL));
    }
    if (s->n_agreed_by > 0) {
        n = lines(m, n,
                  tell(m->t, "agreed-by", tell_parties(m->t, s->agreed_by, s->n_agreed_by), NULL));
    }
    if (s->type == STEP_EACH && s->over < m->w->n_roles) {
        n = lines(m, n, tell(m->t, "over", tell_party(m->t, s->over), NULL));
    }
    return n;
}

static const char *service_note(const struct maker *m, const struct wf_step *s)
{
    const char *n = "";
    const struct service *of = network_service(teller_network(m->t), s->service);
    if ((s->type == STEP_SESSION || s->type == STEP_PANEL || s->type == STEP_PLACE) && of != NULL) {
        n = tell(m->t, "of", of->id, NULL);
    }
    if (s->type == STEP_CALL && s->calls != NULL) {
        n = tell(m->t, "calls", s->calls, NULL);
    }
    if (s->type == STEP_END && s->continues != NULL && *s->continues != '\0') {
        n = tell(m->t, "continues", s->continues, NULL);
    }
    if (s->type == STEP_HANDOVER && s->meeting == MEETING_AT_STEP) {
        n = lines(m, n, tell(m->t, "meeting-at-step", tell_step(m->t, s->meeting_step), NULL));
    }
    if (s->wait_for > 0 && s->n_first > 1) {
        n = lines(m, n, tell(m->t, "wait-for-branches", tell_number(m->t, s->wait_for), NULL));
    }
    return n;
}

/* --------------------------------------------------------------------- ports */

static bool is_event(const struct maker *m, unsigned exit)
{
    const char *id = m->w->exits[exit];
    size_t n = strlen(id);
    if (exit >= EXIT_CLIENT_LEFT && exit <= EXIT_ASKED_FOR) {
        return true;
    }
    for (unsigned i = 0; i < m->w->n_messages; i++) {
        if (strcmp(m->w->messages[i].id, id) == 0) {
            return true;
        }
    }
    for (unsigned i = 0; i < m->w->n_consents; i++) {
        size_t c = strlen(m->w->consents[i].id);
        if (n == c + 5 && strncmp(id, m->w->consents[i].id, c) == 0 &&
            strcmp(id + c, "-lost") == 0) {
            return true;
        }
    }
    return false;
}

static enum graph_port_kind port_kind(const struct maker *m, const struct wf_step *s, unsigned exit)
{
    bool offer = s->type == STEP_HANDOVER || s->type == STEP_CONSULT;
    bool timer = s->type == STEP_WAIT && s->message == 0xff;
    if (exit == EXIT_EXPIRED && !offer && !timer) {
        return PORT_CLOCK;
    }
    if (is_event(m, exit)) {
        return PORT_EVENT;
    }
    bool stage = s->type == STEP_STAGE || s->type == STEP_EACH;
    /* Where no branch simply ends, its names are the stage's ordinary exits. */
    return stage && exit != EXIT_DONE && workflow_step_exit(s, EXIT_DONE) ? PORT_LEFT : PORT_EXIT;
}

static bool same_way(const struct graph_port *p, const struct graph_port *q)
{
    return p->kind == PORT_EXIT && q->kind == PORT_EXIT && p->ending == q->ending &&
           p->to == q->to && p->leave == q->leave;
}

static void add_port(struct maker *m, struct graph_node *n, const struct graph_port *p)
{
    for (unsigned i = 0; i < n->n_ports; i++) {
        if (same_way(&n->ports[i], p)) {
            n->ports[i].label = lines(m, n->ports[i].label, p->label);
            n->ports[i].n_exits++;
            return;
        }
    }
    n->ports[n->n_ports] = *p;
    n->ports[n->n_ports++].n_exits = 1;
}

static struct graph_port to_target(const struct maker *m, const struct wf_exit *e)
{
    return (struct graph_port){
        .ending = e->kind == TARGET_JOIN    ? ENDING_JOIN
                  : e->kind == TARGET_LEAVE ? ENDING_LEAVE
                                            : ENDING_NODE,
        .to = e->kind == TARGET_STEP ? m->g->node_of[e->step] : (uint16_t)GRAPH_NONE,
        .leave = e->kind == TARGET_LEAVE ? e->leave : 0,
    };
}

static void exit_ports(struct maker *m, struct graph_node *n, const struct wf_step *s)
{
    for (unsigned i = 0; i < s->n_exits; i++) {
        const struct wf_exit *e = &s->exits[i];
        /* what the called workflow takes itself leaves the call by one of its outcomes, drawn as
         * such */
        if (e->kind == TARGET_STAY || e->kind == TARGET_INSIDE) {
            continue;
        }
        struct graph_port p = to_target(m, e);
        p.kind = port_kind(m, s, e->exit);
        bool plain = (s->type == STEP_NOTIFY || s->type == STEP_WAIT) && e->exit == EXIT_DONE &&
                     s->n_exits == 1;
        p.label = plain ? "" : tell_exit(m->t, e->exit);
        if (p.kind == PORT_CLOCK && s->n_within > 0) {
            p.label = tell_within(m->t, s->within, s->n_within);
        }
        add_port(m, n, &p);
    }
}

static void rule_ports(struct maker *m, struct graph_node *n, const struct wf_step *s)
{
    for (unsigned i = 0; i < s->n_rules; i++) {
        const struct wf_rule *r = &s->rules[i];
        const struct wf_exit e = {.kind = r->kind, .step = r->step, .leave = r->leave};
        struct graph_port p = to_target(m, &e);
        p.label = r->when != NULL ? r->when_text : tell(m->t, "otherwise", NULL, NULL);
        add_port(m, n, &p);
    }
}

static bool timed(const struct wf_starts *s)
{
    return s->kind != STARTS_EVENT;
}

static void side_ports(struct maker *m, struct graph_node *n, const struct wf_step *s)
{
    for (unsigned i = 0; i < s->n_sides; i++) {
        const struct wf_step *side = &m->w->steps[s->sides[i]];
        const struct graph_port p = {.kind = PORT_SIDE,
                                     .to = m->g->node_of[s->sides[i]],
                                     .timed = timed(&side->starts),
                                     .label = tell_starts(m->t, &side->starts)};
        add_port(m, n, &p);
    }
}

/* Exits first, then what hangs on the border below. */
static void sort_ports(struct graph_node *n)
{
    for (unsigned i = 1; i < n->n_ports; i++) {
        struct graph_port p = n->ports[i];
        unsigned k = i;
        for (; k > 0 && n->ports[k - 1].kind > p.kind; k--) {
            n->ports[k] = n->ports[k - 1];
        }
        n->ports[k] = p;
    }
}

static void first_ports(struct maker *m, struct graph_node *n, const uint16_t *first,
                        unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct graph_port p = {.to = m->g->node_of[first[i]], .label = ""};
        if (p.to != GRAPH_NONE) {
            add_port(m, n, &p);
        }
    }
}

/* --------------------------------------------------------------------- nodes */

static struct graph_node *add_node(struct maker *m, enum graph_kind kind, uint16_t step,
                                   uint16_t parent)
{
    struct graph *g = m->g;
    if (g->n_nodes == g->cap) {
        m->full = true;
        return NULL;
    }
    struct graph_node *n = &g->nodes[g->n_nodes++];
    *n = (struct graph_node){.kind = kind,
                             .step = step,
                             .parent = parent,
                             .lane = GRAPH_NONE,
                             .type = "",
                             .title = "",
                             .note = ""};
    return n;
}

static enum graph_kind kind_of(enum step_type t)
{
    return t == STEP_END                       ? GRAPH_END
           : t == STEP_DECIDE                  ? GRAPH_DECIDE
           : t == STEP_STAGE || t == STEP_EACH ? GRAPH_STAGE
                                               : GRAPH_STEP;
}

/* Not shown: further branches of an each, its branch's own stage, and what a call holds. */
static bool shown(const workflow_t *w, uint16_t k)
{
    const struct wf_step *s = &w->steps[k];
    if (s->branch > 1 || (s->stage < w->n_steps && w->steps[s->stage].type == STEP_EACH)) {
        return false;
    }
    for (uint16_t up = s->stage; up < w->n_steps; up = w->steps[up].stage) {
        if (w->steps[up].type == STEP_CALL) {
            return false;
        }
    }
    return true;
}

static uint16_t parent_of(const struct maker *m, const struct wf_step *s)
{
    uint16_t up = s->stage;
    if (up < m->w->n_steps && m->w->steps[up].stage < m->w->n_steps &&
        m->w->steps[m->w->steps[up].stage].type == STEP_EACH) {
        up = m->w->steps[up].stage;
    }
    return up < m->w->n_steps ? m->g->node_of[up] : (uint16_t)GRAPH_NONE;
}

/* Stages may be written behind what they hold: all numbers first. */
static void add_steps(struct maker *m)
{
    for (uint16_t k = 0; k < m->w->n_steps; k++) {
        m->g->node_of[k] = GRAPH_NONE;
        if (shown(m->w, k) && add_node(m, kind_of(m->w->steps[k].type), k, GRAPH_NONE) != NULL) {
            m->g->node_of[k] = (uint16_t)(m->g->n_nodes - 1);
        }
    }
    for (unsigned i = 0; i < m->g->n_nodes; i++) {
        struct graph_node *n = &m->g->nodes[i];
        const struct wf_step *s = &m->w->steps[n->step];
        n->parent = parent_of(m, s);
        n->lane = n->kind == GRAPH_STAGE ? (uint16_t)GRAPH_NONE : step_lane(m, n->step);
        n->type = tell_type(m->t, s->type);
        n->title = tell_step(m->t, n->step);
        n->note = lines(m, lines(m, party_note(m, s), service_note(m, s)), clock_note(m, s));
        n->ports = get(m, (size_t)(s->n_exits + s->n_rules + s->n_sides + 1) * sizeof *n->ports);
        if (n->ports == NULL) {
            return;
        }
        exit_ports(m, n, s);
        rule_ports(m, n, s);
        side_ports(m, n, s);
        sort_ports(n);
    }
}

static void add_start(struct maker *m, uint16_t parent, const uint16_t *first, unsigned n_first)
{
    struct graph_node *n = add_node(m, GRAPH_START, WF_NONE, parent);
    if (n == NULL || (n->ports = get(m, (n_first + 1) * sizeof *n->ports)) == NULL) {
        return;
    }
    first_ports(m, n, first, n_first);
    n->lane = n->n_ports > 0 ? m->g->nodes[n->ports[0].to].lane : (uint16_t)GRAPH_NONE;
    if (parent == GRAPH_NONE) {
        n->lane = lane_of(m, resolved(m, PARTY_HOLDER, WF_NONE));
        n->title = tell(m->t, "start-by", tell_roles(m->t, m->w->start_by), NULL);
        n->note = *m->w->start_when_text != '\0' ? m->w->start_when_text : "";
    }
}

static void add_starts(struct maker *m)
{
    unsigned steps = m->g->n_nodes;
    add_start(m, GRAPH_NONE, m->w->first, m->w->n_first);
    for (unsigned i = 0; i < steps; i++) {
        const struct graph_node *n = &m->g->nodes[i];
        const struct wf_step *s = &m->w->steps[n->step];
        if (s->type == STEP_EACH && s->n_first > 0) {
            const struct wf_step *branch = &m->w->steps[s->first[0]];
            add_start(m, (uint16_t)i, branch->first, branch->n_first);
        } else if (n->kind == GRAPH_STAGE) {
            add_start(m, (uint16_t)i, s->first, s->n_first);
        }
    }
}

static void add_event(struct maker *m, const struct graph_port *p, const char *title, bool inside)
{
    struct graph_node *n = add_node(m, GRAPH_EVENT, WF_NONE, GRAPH_NONE);
    if (n == NULL || (n->ports = get(m, sizeof *n->ports)) == NULL) {
        return;
    }
    n->title = title;
    n->inside = inside;
    n->lane = m->g->nodes[p->to].lane;
    add_port(m, n, p);
}

static void add_events(struct maker *m)
{
    const workflow_t *w = m->w;
    for (unsigned i = 0; i < w->n_exits_on; i++) {
        struct graph_port p = to_target(m, &w->exits_on[i]);
        p.label = "";
        p.timed = w->exits_on[i].exit == EXIT_EXPIRED;
        if (p.ending == ENDING_NODE && p.to != GRAPH_NONE) {
            add_event(m, &p,
                      p.timed ? tell_within(m->t, w->within, w->n_within)
                              : tell_exit(m->t, w->exits_on[i].exit),
                      false);
        }
    }
    for (unsigned i = 0; i < w->n_sides; i++) {
        const struct wf_starts *s = &w->steps[w->sides[i]].starts;
        const struct graph_port p = {
            .to = m->g->node_of[w->sides[i]], .label = "", .timed = timed(s)};
        if (p.to != GRAPH_NONE) {
            add_event(m, &p, tell_starts(m->t, s), true);
        }
    }
}

/* Rules and ends stand with whoever came before; what nobody leads to, with the holder. */
static void settle_lanes(struct maker *m)
{
    struct graph *g = m->g;
    for (unsigned round = 0; round < g->n_nodes; round++) {
        bool changed = false;
        for (unsigned i = 0; i < g->n_nodes; i++) {
            const struct graph_node *n = &g->nodes[i];
            for (unsigned p = 0; p < n->n_ports; p++) {
                uint16_t to = n->ports[p].to;
                if (to != GRAPH_NONE && g->nodes[to].lane == GRAPH_NONE &&
                    g->nodes[to].kind != GRAPH_STAGE && n->lane != GRAPH_NONE) {
                    g->nodes[to].lane = n->lane;
                    changed = true;
                }
            }
        }
        if (!changed) {
            break;
        }
    }
    for (unsigned i = 0; i < g->n_nodes; i++) {
        if (g->nodes[i].lane == GRAPH_NONE && g->nodes[i].kind != GRAPH_STAGE) {
            g->nodes[i].lane = lane_of(m, resolved(m, PARTY_HOLDER, g->nodes[i].step));
        }
    }
}

/* The client first, then roles as the file has them, the unknown holder, what is shared. */
static unsigned lane_rank(uint8_t party)
{
    return party == PARTY_CLIENT ? 0 : party == PARTY_NONE ? 1000 : 1u + party;
}

static void sort_lanes(struct graph *g)
{
    uint16_t place[sizeof g->lanes / sizeof g->lanes[0]] = {0};
    const struct graph old = *g;
    for (unsigned i = 0; i < g->n_lanes; i++) {
        for (unsigned k = 0; k < g->n_lanes; k++) {
            unsigned other = lane_rank(old.lanes[k].party), own = lane_rank(old.lanes[i].party);
            bool before = other < own || (other == own && k < i);
            place[i] = (uint16_t)(place[i] + before);
        }
        g->lanes[place[i]] = old.lanes[i];
    }
    for (unsigned i = 0; i < g->n_nodes; i++) {
        if (g->nodes[i].lane != GRAPH_NONE) {
            g->nodes[i].lane = place[g->nodes[i].lane];
        }
    }
}

static void count(struct graph *g)
{
    for (unsigned i = 0; i < g->n_nodes; i++) {
        for (unsigned p = 0; p < g->nodes[i].n_ports; p++) {
            struct graph_port *port = &g->nodes[i].ports[p];
            port->lines = graph_lines(port->label);
            if (port->ending == ENDING_NODE && port->to != GRAPH_NONE) {
                g->nodes[port->to].n_in++;
            }
        }
    }
}

static int too_large(const workflow_t *w, struct sto_err *err)
{
    return sto_fail(err, STO_E_LIMIT, "workflow '%s' is too large to be drawn", w->id);
}

int graph_new(const teller_t *t, struct graph **out, struct sto_err *err)
{
    const workflow_t *w = teller_workflow(t);
    struct maker m = {.t = t, .w = w};
    struct graph *g = get(&m, sizeof *g);
    *out = NULL;
    if (g == NULL) {
        return too_large(w, err);
    }
    m.g = g;
    g->teller = t;
    g->cap = 2u * w->n_steps + w->n_exits_on + w->n_sides + 2;
    g->nodes = get(&m, g->cap * sizeof *g->nodes);
    g->node_of = get(&m, ((size_t)w->n_steps + 1) * sizeof *g->node_of);
    m.holders = get(&m, ((size_t)w->n_steps + 1) * sizeof *m.holders);
    if (!m.full) {
        flow_holders(w, m.holders);
        add_steps(&m);
    }
    if (!m.full) {
        add_starts(&m);
    }
    if (!m.full) {
        add_events(&m);
    }
    if (m.full) {
        return too_large(w, err);
    }
    settle_lanes(&m);
    sort_lanes(g);
    count(g);
    *out = g;
    return 0;
}
