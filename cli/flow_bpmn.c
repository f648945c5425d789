/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * BPMN 2.0 with its diagram. A stage is an expanded sub-process, an each one with several
 * instances, a call a call activity; a clock or event that ends a step is an interrupting boundary
 * event, what starts beside a step a boundary event that does not interrupt; the end of a branch
 * is an end event, `leave:x` one with error x, which the stage catches on its border.
 *
 * BPMN knows no event that ends a whole process and goes on at one of its steps: what may happen
 * at any time is exported as a start event of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow_picture.h"
#include "flow_place.h"
#include "sto_file.h"

#define SHIFT_X 80.0
#define SHIFT_Y 40.0
#define POOL    30.0 /* its head */

struct element {
    const char *id, *tag, *name;
    const char *attributes; /* with a blank in front */
    const char *inner;      /* XML */
    uint16_t container;     /* node */
    uint16_t stage;         /* node that it holds; GRAPH_NONE */
    uint16_t lane;
    double x, y, w, h;
    double label_x, label_y, label_w, label_h; /* w 0 = inside */
};
struct flow {
    const char *name, *condition;
    unsigned from, to; /* elements */
    uint16_t container;
    bool is_default;
    double label_x, label_y, label_w, label_h;
    double x[PLACE_POINTS + 2], y[PLACE_POINTS + 2];
    unsigned n;
};
struct bpmn {
    struct sto_buf *out;
    const struct placed *p;
    const struct graph *g;
    const teller_t *t;
    const workflow_t *w;
    struct element *elements;
    unsigned n_elements;
    struct flow *flows;
    unsigned n_flows;
    struct ends {
        unsigned main, join, split, *borders; /* elements; borders and marks by port */
        unsigned *marks;
    } * of;            /* by node */
    uint8_t *error_of; /* by exit: it is thrown or caught */
    bool full;
};

/* -------------------------------------------------------------------- strings */

static void *get(struct bpmn *b, size_t n)
{
    void *p = sto_arena_alloc(teller_arena(b->t), n);
    b->full = b->full || p == NULL;
    return p;
}

static const char *kept(struct bpmn *b, char *s)
{
    const char *copy = sto_arena_strdup(teller_arena(b->t), s);
    b->full = b->full || copy == NULL;
    free(s);
    return copy != NULL ? copy : "";
}

static const char *escaped(struct bpmn *b, const char *s)
{
    struct sto_buf out;
    sto_buf_init(&out, 0);
    picture_escaped(&out, s);
    const char *copy = sto_arena_strndup(teller_arena(b->t), (const char *)out.data, out.len);
    sto_buf_release(&out);
    b->full = b->full || copy == NULL;
    return copy != NULL ? copy : "";
}

/* Lines as one. */
static const char *flat(struct bpmn *b, const char *s, const char *between)
{
    struct sto_buf out;
    sto_buf_init(&out, 0);
    for (; *s != '\0'; s++) {
        if (*s == '\n') {
            sto_put_bytes(&out, between, strlen(between));
        } else {
            sto_put_u8(&out, (uint8_t)*s);
        }
    }
    const char *copy = sto_arena_strndup(teller_arena(b->t), (const char *)out.data, out.len);
    sto_buf_release(&out);
    return copy != NULL ? copy : "";
}

/* Names of steps may hold what an XML name may not. */
static const char *node_id(struct bpmn *b, uint16_t node, const char *more)
{
    const struct graph_node *n = &b->g->nodes[node];
    const struct wf_step *s = graph_step(b->g, n);
    const char *base = s != NULL ? s->id : n->kind == GRAPH_START ? "start" : "event";
    char *id = s != NULL ? sto_asprintf("s_%s%s", base, more)
                         : sto_asprintf("%s_%u%s", base, (unsigned)node, more);
    for (char *p = id; *p != '\0'; p++) {
        *p = *p == '#' ? '_' : *p;
    }
    return kept(b, id);
}

/* ------------------------------------------------------------------- elements */

static unsigned add(struct bpmn *b, const struct element *e)
{
    b->elements[b->n_elements] = *e;
    return b->n_elements++;
}

static const char *tag_of(const struct wf_step *s)
{
    switch (s->type) {
    case STEP_NOTIFY:
        return "sendTask";
    case STEP_SESSION:
    case STEP_PANEL:
    case STEP_PLACE:
        return "receiveTask";
    case STEP_WAIT:
        return s->message != 0xff ? "receiveTask" : "task";
    case STEP_CALL:
        return "callActivity";
    case STEP_STAGE:
    case STEP_EACH:
        return "subProcess";
    case STEP_DECIDE:
        return "exclusiveGateway";
    case STEP_END:
        return "endEvent";
    case STEP_TASK:
    case STEP_MEETING:
    case STEP_HANDOVER:
    case STEP_REFERRAL:
    case STEP_CONSULT:
    case STEP_CONSENT:
    case STEP_MEASURE:
    case STEP_PLAN:
        break;
    }
    return "userTask";
}

static const char *event_definition(struct bpmn *b, bool timer, const char *when)
{
    return !timer ? "<bpmn:messageEventDefinition/>"
                  : kept(b, sto_asprintf("<bpmn:timerEventDefinition><bpmn:timeDuration "
                                         "xsi:type=\"bpmn:tFormalExpression\" "
                                         "language=\"urn:saatto:words\">%s</bpmn:timeDuration>"
                                         "</bpmn:timerEventDefinition>",
                                         escaped(b, flat(b, when, " "))));
}

static const char *error_definition(struct bpmn *b, unsigned exit)
{
    b->error_of[exit] = 1;
    return kept(
        b, sto_asprintf("<bpmn:errorEventDefinition errorRef=\"error_%s\"/>", b->w->exits[exit]));
}

static void label_above(struct element *e, const struct graph_node *n, double above)
{
    double h = n->title_lines * PLACE_TITLE + n->note_lines * PLACE_LINE;
    e->label_x = n->x;
    e->label_w = 150;
    e->label_h = h > 14 ? h : 14;
    e->label_y = n->in_y - above - 4 - e->label_h;
}

static void main_element(struct bpmn *b, uint16_t node)
{
    const struct graph_node *n = &b->g->nodes[node];
    const struct wf_step *s = graph_step(b->g, n);
    struct element e = {.id = node_id(b, node, ""),
                        .tag = s != NULL ? tag_of(s) : "startEvent",
                        .name = *n->title != '\0' ? n->title : tell(b->t, "start", NULL, NULL),
                        .attributes = "",
                        .inner = "",
                        .container = n->parent,
                        .stage = n->kind == GRAPH_STAGE ? node : (uint16_t)GRAPH_NONE,
                        .lane = n->lane,
                        .x = n->x,
                        .y = n->y,
                        .w = n->w,
                        .h = n->h};
    if (n->kind == GRAPH_EVENT) {
        e.inner = event_definition(b, n->ports[0].timed, n->title);
    }
    if (n->kind == GRAPH_EVENT || n->kind == GRAPH_START || n->kind == GRAPH_DECIDE) {
        double text = n->n_ports > 0 ? n->ports[0].lines * PLACE_LINE + 4 : 0;
        label_above(&e, n, text > n->h / 2 ? text : n->h / 2);
    } else if (n->kind == GRAPH_END) {
        e.label_x = n->x + n->w + 8;
        e.label_w = place_width(n->shown_title, 12.5);
        e.label_h = n->title_lines * PLACE_TITLE;
        e.label_y = n->in_y - e.label_h / 2;
    }
    if (s != NULL && s->type == STEP_CALL && s->calls != NULL) {
        e.attributes = kept(b, sto_asprintf(" calledElement=\"%s\"", s->calls));
    } else if (s != NULL && s->type == STEP_EACH) {
        e.inner = "<bpmn:multiInstanceLoopCharacteristics/>";
    }
    b->of[node].main = add(b, &e);
}

static void gateway(struct bpmn *b, uint16_t node, bool join)
{
    const struct graph_node *n = &b->g->nodes[node];
    double r = b->p->style->gate, x = join ? n->in_x : n->split_x - r;
    double y = join || n->n_ports == 0 ? n->in_y : n->ports[0].y;
    bool parallel = !join && n->kind == GRAPH_START;
    const struct element e = {.id = node_id(b, node, join ? "_join" : "_split"),
                              .tag = parallel ? "parallelGateway" : "exclusiveGateway",
                              .name = join || parallel ? "" : tell(b->t, "result", NULL, NULL),
                              .attributes = "",
                              .inner = "",
                              .container = n->parent,
                              .stage = GRAPH_NONE,
                              .lane = n->lane,
                              .x = x,
                              .y = y - r,
                              .w = 2 * r,
                              .h = 2 * r,
                              .label_x = x,
                              .label_y = y - r - 16,
                              .label_w = join || parallel ? 0 : 40,
                              .label_h = 14};
    *(join ? &b->of[node].join : &b->of[node].split) = add(b, &e);
}

static void border_event(struct bpmn *b, uint16_t node, unsigned port)
{
    const struct graph_node *n = &b->g->nodes[node];
    const struct graph_port *p = &n->ports[port];
    const char *host = b->elements[b->of[node].main].id;
    double r = b->p->style->event;
    bool timer = p->kind == PORT_CLOCK || (p->kind == PORT_SIDE && p->timed);
    char more[16];
    snprintf(more, sizeof more, "_b%u", port);
    const struct wf_step *s = graph_step(b->g, n);
    const char *inner = event_definition(b, timer, p->label);
    if (p->kind == PORT_LEFT) {
        for (unsigned i = 0; s != NULL && i < s->n_exits; i++) {
            bool this = strcmp(tell_exit(b->t, s->exits[i].exit), p->label) == 0;
            inner = this ? error_definition(b, s->exits[i].exit) : inner;
        }
    }
    const struct element e = {
        .id = node_id(b, node, more),
        .tag = "boundaryEvent",
        .name = flat(b, p->label, " "),
        .attributes =
            kept(b, sto_asprintf(" attachedToRef=\"%s\"%s", host,
                                 p->kind == PORT_SIDE ? " cancelActivity=\"false\"" : "")),
        .inner = inner,
        .container = n->parent,
        .stage = GRAPH_NONE,
        .lane = n->lane,
        .x = p->x - r,
        .y = n->y + n->h - r,
        .w = 2 * r,
        .h = 2 * r,
        .label_x = p->label_x,
        .label_y = p->y - 4 - p->lines * PLACE_LINE,
        .label_w = place_width(p->shown, 11) + 2,
        .label_h = p->lines * PLACE_LINE};
    b->of[node].borders[port] = add(b, &e);
}

static bool ends_at_once(const struct bpmn *b, uint16_t stage)
{
    for (unsigned i = 0; i < b->g->n_nodes; i++) {
        const struct graph_node *n = &b->g->nodes[i];
        if (n->kind == GRAPH_START && n->parent == stage) {
            return n->n_ports > 1;
        }
    }
    return false;
}

/* An error where the stage catches it on its border. Else the stage is left by what follows it,
   and what runs beside this branch ends with it. */
static const char *leaving(struct bpmn *b, const struct graph_node *n, unsigned exit)
{
    const struct wf_step *s = graph_step(b->g, n);
    bool beside = s != NULL && s->host != WF_NONE;
    uint16_t around =
        beside ? (s->host < b->w->n_steps ? b->g->node_of[s->host] : (uint16_t)GRAPH_NONE)
               : n->parent;
    if (around == GRAPH_NONE || b->g->nodes[around].kind != GRAPH_STAGE) {
        return error_definition(b, exit);
    }
    const struct graph_node *stage = &b->g->nodes[around];
    for (unsigned i = 0; i < stage->n_ports; i++) {
        if (stage->ports[i].kind == PORT_LEFT) {
            return error_definition(b, exit);
        }
    }
    return !beside && ends_at_once(b, around) ? "<bpmn:terminateEventDefinition/>" : "";
}

static void end_mark(struct bpmn *b, uint16_t node, unsigned port)
{
    const struct graph_node *n = &b->g->nodes[node];
    const struct graph_port *p = &n->ports[port];
    double r = b->p->style->mark;
    char more[16];
    snprintf(more, sizeof more, "_e%u", port);
    const char *name =
        p->ending == ENDING_LEAVE ? tell_exit(b->t, p->leave) : tell(b->t, "joined", NULL, NULL);
    const struct element e = {.id = node_id(b, node, more),
                              .tag = "endEvent",
                              .name = name,
                              .attributes = "",
                              .inner = p->ending == ENDING_LEAVE ? leaving(b, n, p->leave) : "",
                              .container = n->parent,
                              .stage = GRAPH_NONE,
                              .lane = n->lane,
                              .x = p->end_x - r,
                              .y = p->y - r,
                              .w = 2 * r,
                              .h = 2 * r,
                              .label_x = p->end_x + r + 3,
                              .label_y = p->y - 7,
                              .label_w = place_width(name, 11) + 2,
                              .label_h = 14};
    b->of[node].marks[port] = add(b, &e);
}

static void make_elements(struct bpmn *b)
{
    for (uint16_t i = 0; i < b->g->n_nodes && !b->full; i++) {
        const struct graph_node *n = &b->g->nodes[i];
        b->of[i].borders = get(b, (n->n_ports + 1u) * sizeof(unsigned));
        b->of[i].marks = get(b, (n->n_ports + 1u) * sizeof(unsigned));
        if (b->full) {
            return;
        }
        main_element(b, i);
        if (n->n_in > 1) {
            gateway(b, i, true);
        }
        if (n->split_x != 0) {
            gateway(b, i, false);
        }
        for (unsigned p = 0; p < n->n_ports; p++) {
            if (n->ports[p].kind != PORT_EXIT) {
                border_event(b, i, p);
            }
            if (n->ports[p].ending != ENDING_NODE) {
                end_mark(b, i, p);
            }
        }
    }
}

/* ---------------------------------------------------------------------- flows */

static struct flow *add_flow(struct bpmn *b, unsigned from, unsigned to, uint16_t container)
{
    struct flow *f = &b->flows[b->n_flows++];
    *f = (struct flow){.name = "", .condition = "", .from = from, .to = to, .container = container};
    return f;
}

static void to_point(struct flow *f, double x, double y)
{
    if (f->n < PLACE_POINTS + 2) {
        f->x[f->n] = x;
        f->y[f->n++] = y;
    }
}

static unsigned source(const struct bpmn *b, uint16_t node, unsigned port)
{
    const struct graph_node *n = &b->g->nodes[node];
    return n->ports[port].kind != PORT_EXIT ? b->of[node].borders[port]
           : n->split_x != 0                ? b->of[node].split
                                            : b->of[node].main;
}

static void name_flow(struct bpmn *b, struct flow *f, const struct graph_node *n, unsigned port)
{
    const struct graph_port *p = &n->ports[port];
    bool fork = p->kind == PORT_EXIT && (n->split_x != 0 || n->kind == GRAPH_DECIDE) &&
                n->kind != GRAPH_START;
    if (!fork || *p->label == '\0') {
        return;
    }
    f->name = flat(b, p->label, " / ");
    f->label_x = p->label_x;
    f->label_w = place_width(p->shown, 11) + 4;
    f->label_h = p->lines * PLACE_LINE;
    f->label_y = p->y - 3 - f->label_h;
    if (n->kind == GRAPH_DECIDE) {
        const char *otherwise = tell(b->t, "otherwise", NULL, NULL);
        const char *last = strrchr(p->label, '\n');
        f->is_default = strcmp(last != NULL ? last + 1 : p->label, otherwise) == 0;
        f->condition = f->is_default ? "" : flat(b, p->label, " or ");
    }
}

static void inner_flows(struct bpmn *b)
{
    for (uint16_t i = 0; i < b->g->n_nodes; i++) {
        const struct graph_node *n = &b->g->nodes[i];
        double r = b->p->style->gate;
        if (n->n_in > 1) {
            struct flow *f = add_flow(b, b->of[i].join, b->of[i].main, n->parent);
            to_point(f, n->in_x + 2 * r, n->in_y);
            to_point(f, n->x, n->in_y);
        }
        if (n->split_x != 0) {
            struct flow *f = add_flow(b, b->of[i].main, b->of[i].split, n->parent);
            to_point(f, n->x + n->w, n->ports[0].y);
            to_point(f, n->split_x - r, n->ports[0].y);
        }
    }
}

/* Where a line from the port begins, as in flow_route.c. */
static void begin_line(const struct bpmn *b, struct flow *f, const struct graph_node *n,
                       const struct graph_port *p)
{
    double r = b->p->style->gate, top = n->ports[0].y;
    bool level = p->y < top + 0.01;
    if (p->kind != PORT_EXIT) {
        to_point(f, p->x, n->y + n->h + b->p->style->event);
    } else if (n->split_x != 0) {
        to_point(f, n->split_x + (level ? r : 0), top + (level ? 0 : r));
    } else if (p->x < n->x + n->w - 1) {
        to_point(f, p->x, n->y + n->h);
    } else {
        to_point(f, p->x, p->y);
    }
    if (f->y[0] < p->y - 0.01) {
        to_point(f, f->x[0], p->y);
    }
}

static void make_flows(struct bpmn *b)
{
    inner_flows(b);
    for (unsigned i = 0; i < b->p->n_lines; i++) {
        const struct place_line *l = &b->p->lines[i];
        const struct graph_node *n = &b->g->nodes[l->from];
        bool join = b->g->nodes[l->to].n_in > 1;
        struct flow *f = add_flow(b, source(b, l->from, l->port),
                                  join ? b->of[l->to].join : b->of[l->to].main, n->parent);
        name_flow(b, f, n, l->port);
        for (unsigned k = 0; k < l->n; k++) {
            to_point(f, l->x[k], l->y[k]);
        }
    }
    for (uint16_t i = 0; i < b->g->n_nodes; i++) {
        const struct graph_node *n = &b->g->nodes[i];
        for (unsigned p = 0; p < n->n_ports; p++) {
            if (n->ports[p].ending != ENDING_NODE) {
                struct flow *f = add_flow(b, source(b, i, p), b->of[i].marks[p], n->parent);
                name_flow(b, f, n, p);
                begin_line(b, f, n, &n->ports[p]);
                to_point(f, n->ports[p].end_x - b->p->style->mark, n->ports[p].y);
            }
        }
    }
}

/* ------------------------------------------------------------------------ XML */

static void put_flow(struct bpmn *b, unsigned i)
{
    const struct flow *f = &b->flows[i];
    picture_put(b->out, "<bpmn:sequenceFlow id=\"f_%u\" sourceRef=\"%s\" targetRef=\"%s\"", i,
                b->elements[f->from].id, b->elements[f->to].id);
    if (*f->name != '\0') {
        picture_put(b->out, " name=\"%s\"", escaped(b, f->name));
    }
    if (*f->condition != '\0') {
        picture_put(b->out,
                    "><bpmn:conditionExpression xsi:type=\"bpmn:tFormalExpression\">%s"
                    "</bpmn:conditionExpression></bpmn:sequenceFlow>\n",
                    escaped(b, f->condition));
    } else {
        picture_put(b->out, "/>\n");
    }
}

static void put_container(struct bpmn *b, uint16_t container);

static void put_element(struct bpmn *b, unsigned i)
{
    const struct element *e = &b->elements[i];
    picture_put(b->out, "<bpmn:%s id=\"%s\"%s", e->tag, e->id, e->attributes);
    if (*e->name != '\0') {
        picture_put(b->out, " name=\"%s\"", escaped(b, flat(b, e->name, " ")));
    }
    for (unsigned k = 0; k < b->n_flows; k++) {
        if (b->flows[k].from == i && b->flows[k].is_default) {
            picture_put(b->out, " default=\"f_%u\"", k);
        }
    }
    picture_put(b->out, ">\n");
    for (uint16_t k = 0; k < b->g->n_nodes; k++) {
        if (b->of[k].main == i && *b->g->nodes[k].note != '\0') {
            picture_put(b->out, "<bpmn:documentation>%s</bpmn:documentation>\n",
                        escaped(b, b->g->nodes[k].note));
        }
    }
    for (unsigned k = 0; k < b->n_flows; k++) {
        if (b->flows[k].to == i) {
            picture_put(b->out, "<bpmn:incoming>f_%u</bpmn:incoming>\n", k);
        }
    }
    for (unsigned k = 0; k < b->n_flows; k++) {
        if (b->flows[k].from == i) {
            picture_put(b->out, "<bpmn:outgoing>f_%u</bpmn:outgoing>\n", k);
        }
    }
    picture_put(b->out, "%s", e->inner);
    if (e->stage != GRAPH_NONE) {
        put_container(b, e->stage);
    }
    picture_put(b->out, "</bpmn:%s>\n", e->tag);
}

static void put_container(struct bpmn *b, uint16_t container)
{
    for (unsigned i = 0; i < b->n_elements; i++) {
        if (b->elements[i].container == container) {
            put_element(b, i);
        }
    }
    for (unsigned i = 0; i < b->n_flows; i++) {
        if (b->flows[i].container == container) {
            put_flow(b, i);
        }
    }
}

/* The lane of a stage is that of what it begins with. */
static uint16_t lane_of(const struct bpmn *b, const struct element *e)
{
    if (e->lane != GRAPH_NONE) {
        return e->lane;
    }
    for (unsigned i = 0; i < b->g->n_lanes; i++) {
        const struct graph_lane *l = &b->g->lanes[i];
        if (e->y >= l->y - 0.01 && e->y < l->y + l->h) {
            return (uint16_t)i;
        }
    }
    return 0;
}

static void put_lanes(struct bpmn *b)
{
    picture_put(b->out, "<bpmn:laneSet id=\"lanes\">\n");
    for (unsigned i = 0; i < b->g->n_lanes; i++) {
        picture_put(b->out, "<bpmn:lane id=\"lane_%u\" name=\"%s\">\n", i,
                    escaped(b, b->g->lanes[i].title));
        for (unsigned k = 0; k < b->n_elements; k++) {
            const struct element *e = &b->elements[k];
            if (e->container == GRAPH_NONE && lane_of(b, e) == i) {
                picture_put(b->out, "<bpmn:flowNodeRef>%s</bpmn:flowNodeRef>\n", e->id);
            }
        }
        picture_put(b->out, "</bpmn:lane>\n");
    }
    picture_put(b->out, "</bpmn:laneSet>\n");
}

/* -------------------------------------------------------------------- diagram */

static void put_bounds(struct bpmn *b, double x, double y, double w, double h)
{
    picture_put(b->out, "<dc:Bounds x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\"/>",
                x + SHIFT_X, y + SHIFT_Y, w, h);
}

static void put_shapes(struct bpmn *b)
{
    const struct placed *p = b->p;
    double wide = p->w + 20;
    picture_put(b->out,
                "<bpmndi:BPMNShape id=\"d_pool\" bpmnElement=\"pool\" isHorizontal=\"true\">");
    put_bounds(b, -POOL, b->g->lanes[0].y, wide + POOL, p->h - b->g->lanes[0].y);
    picture_put(b->out, "</bpmndi:BPMNShape>\n");
    for (unsigned i = 0; i < b->g->n_lanes; i++) {
        picture_put(b->out,
                    "<bpmndi:BPMNShape id=\"d_lane_%u\" bpmnElement=\"lane_%u\" "
                    "isHorizontal=\"true\">",
                    i, i);
        put_bounds(b, 0, b->g->lanes[i].y, wide, b->g->lanes[i].h);
        picture_put(b->out, "</bpmndi:BPMNShape>\n");
    }
    for (unsigned i = 0; i < b->n_elements; i++) {
        const struct element *e = &b->elements[i];
        picture_put(b->out, "<bpmndi:BPMNShape id=\"d_%s\" bpmnElement=\"%s\"%s>", e->id, e->id,
                    e->stage != GRAPH_NONE                    ? " isExpanded=\"true\""
                    : strcmp(e->tag, "exclusiveGateway") == 0 ? " isMarkerVisible=\"true\""
                                                              : "");
        put_bounds(b, e->x, e->y, e->w, e->h);
        if (e->label_w > 0) {
            picture_put(b->out, "<bpmndi:BPMNLabel>");
            put_bounds(b, e->label_x, e->label_y, e->label_w, e->label_h);
            picture_put(b->out, "</bpmndi:BPMNLabel>");
        }
        picture_put(b->out, "</bpmndi:BPMNShape>\n");
    }
}

static void put_edges(struct bpmn *b)
{
    for (unsigned i = 0; i < b->n_flows; i++) {
        const struct flow *f = &b->flows[i];
        picture_put(b->out, "<bpmndi:BPMNEdge id=\"d_f_%u\" bpmnElement=\"f_%u\">", i, i);
        for (unsigned k = 0; k < f->n; k++) {
            picture_put(b->out, "<di:waypoint x=\"%.0f\" y=\"%.0f\"/>", f->x[k] + SHIFT_X,
                        f->y[k] + SHIFT_Y);
        }
        if (*f->name != '\0') {
            picture_put(b->out, "<bpmndi:BPMNLabel>");
            put_bounds(b, f->label_x, f->label_y, f->label_w, f->label_h);
            picture_put(b->out, "</bpmndi:BPMNLabel>");
        }
        picture_put(b->out, "</bpmndi:BPMNEdge>\n");
    }
}

static void put_document(struct bpmn *b)
{
    const workflow_t *w = b->w;
    const char *title = escaped(b, tell_title(b->t));
    picture_put(b->out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<bpmn:definitions xmlns:bpmn=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" "
                "xmlns:bpmndi=\"http://www.omg.org/spec/BPMN/20100524/DI\" "
                "xmlns:dc=\"http://www.omg.org/spec/DD/20100524/DC\" "
                "xmlns:di=\"http://www.omg.org/spec/DD/20100524/DI\" "
                "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" id=\"definitions\" "
                "targetNamespace=\"urn:saatto:%s:%u\" exporter=\"saatto\">\n",
                w->id, w->version);
    for (unsigned i = 0; i < w->n_exits; i++) {
        if (b->error_of[i] != 0) {
            picture_put(b->out, "<bpmn:error id=\"error_%s\" name=\"%s\" errorCode=\"%s\"/>\n",
                        w->exits[i], w->exits[i], w->exits[i]);
        }
    }
    picture_put(
        b->out,
        "<bpmn:collaboration id=\"collaboration\"><bpmn:participant id=\"pool\" name=\"%s\" "
        "processRef=\"process\"/></bpmn:collaboration>\n"
        "<bpmn:process id=\"process\" name=\"%s\" isExecutable=\"false\">\n",
        title, title);
    put_lanes(b);
    put_container(b, GRAPH_NONE);
    picture_put(b->out, "</bpmn:process>\n<bpmndi:BPMNDiagram id=\"diagram\">"
                        "<bpmndi:BPMNPlane id=\"plane\" bpmnElement=\"collaboration\">\n");
    put_shapes(b);
    put_edges(b);
    picture_put(b->out, "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>\n</bpmn:definitions>\n");
}

int flow_bpmn(const teller_t *t, struct sto_buf *out, struct sto_err *err)
{
    struct graph *g = NULL;
    struct placed *p = NULL;
    int rc = graph_new(t, &g, err);
    rc = rc != 0 ? rc : place(g, &place_bpmn, &p, err);
    if (rc != 0) {
        return rc;
    }
    struct bpmn b = {.out = out, .p = p, .g = g, .t = t, .w = teller_workflow(t)};
    size_t ports = 0;
    for (unsigned i = 0; i < g->n_nodes; i++) {
        ports += g->nodes[i].n_ports;
    }
    b.elements = get(&b, (3u * g->n_nodes + 2 * ports + 1) * sizeof *b.elements);
    b.flows = get(&b, (2u * g->n_nodes + 2 * ports + 1) * sizeof *b.flows);
    b.of = get(&b, (g->n_nodes + 1u) * sizeof *b.of);
    b.error_of = get(&b, STO_WF_EXITS_MAX);
    if (!b.full) {
        make_elements(&b);
        make_flows(&b);
        put_document(&b);
    }
    return b.full || out->failed ? sto_fail(err, STO_E_LIMIT, "the diagram is too large") : 0;
}
