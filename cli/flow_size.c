/* SPDX-License-Identifier: EUPL-1.2 */
/* Sizes of nodes and the places of ports on them. */
#include <string.h>

#include "flow_place_parts.h"

#define GAP         8.0 /* between slots of ports */
#define LABEL_WIDTH 150.0
#define PAD         10.0

const struct place_style place_picture = {.event = 8, .mark = 5, .circle = 13};
const struct place_style place_bpmn = {
    .gate = 20, .event = 14, .mark = 14, .circle = 18, .end_circle = true};

static bool on_border(const struct graph_port *p)
{
    return p->kind != PORT_EXIT;
}

static double below_line(const struct layout *l, const struct graph_port *p)
{
    return p->ending == ENDING_NODE ? 4 : l->style->mark + 2;
}

/* A slot below a border: the label above its line, a mark around it. */
static double slot_height(const struct layout *l, const struct graph_port *p)
{
    double text = p->lines * PLACE_LINE + GAP / 2, mark = l->style->mark + 2;
    double above = p->ending != ENDING_NODE && mark > text ? mark : text;
    double event = l->style->event * 0.6 + 4;
    return (above > event ? above : event) + below_line(l, p);
}

/* Gateways and diamonds reach down to where the second line would begin. */
static double below_diamond(const struct layout *l, const struct graph_node *n)
{
    bool diamond = n->kind == GRAPH_DECIDE || l->style->gate > 0;
    return diamond ? (l->style->gate > 20 ? l->style->gate : 20) + 3 : 0;
}

/* From one exit's line to the next one's: the label stands above its line, a mark around it. */
static double exit_offset(const struct layout *l, const struct graph_node *n, unsigned port)
{
    double y = 0;
    unsigned last = 0;
    bool any = false;
    for (unsigned i = 0; i <= port && i < n->n_ports; i++) {
        if (on_border(&n->ports[i])) {
            continue;
        }
        if (any) {
            double text = n->ports[i].lines * PLACE_LINE + GAP;
            double marks = (n->ports[last].ending != ENDING_NODE ? l->style->mark + 3 : 0) +
                           (n->ports[i].ending != ENDING_NODE ? l->style->mark + 3 : 0);
            y += text > marks ? text : marks;
            double least = last == 0 ? below_diamond(l, n) : 0;
            y = y > least ? y : least;
        }
        any = true;
        last = i;
    }
    return y;
}

static double exits_height(const struct layout *l, const struct graph_node *n)
{
    return n->n_ports > 0 ? exit_offset(l, n, n->n_ports - 1) : 0;
}

static unsigned exits_of(const struct graph_node *n)
{
    unsigned k = 0;
    for (unsigned i = 0; i < n->n_ports; i++) {
        k += !on_border(&n->ports[i]);
    }
    return k;
}

double layout_skirt(const struct layout *l, const struct graph_node *n)
{
    double h = 0;
    for (unsigned i = 0; i < n->n_ports; i++) {
        h += on_border(&n->ports[i]) ? slot_height(l, &n->ports[i]) : 0;
    }
    return h > 0 ? h + l->style->event + 4 : 0;
}

double layout_exits(const struct layout *l, const struct graph_node *n)
{
    return exits_of(n) > 0 ? exits_height(l, n) + n->ports[0].lines * PLACE_LINE + 2 * PAD : 0;
}

static double leave_width(const struct layout *l, const struct graph_port *p)
{
    if (p->ending == ENDING_NODE) {
        return 0;
    }
    const char *name = p->ending == ENDING_LEAVE ? tell_exit(l->g->teller, p->leave) : "";
    return 2 * l->style->mark + 12 + (*name != '\0' ? place_width(name, 11) + 8 : 0);
}

static double port_width(const struct layout *l, const struct graph_port *p)
{
    return place_width(p->shown, 11) + 14 + leave_width(l, p);
}

double layout_exit_labels(const struct layout *l, const struct graph_node *n)
{
    double w = 0;
    for (unsigned i = 0; i < n->n_ports; i++) {
        double one = on_border(&n->ports[i]) ? 0 : port_width(l, &n->ports[i]);
        w = one > w ? one : w;
    }
    return w;
}

static double border_x(const struct layout *l, unsigned nth)
{
    return 16 + l->style->event + nth * (2 * l->style->event + 14);
}

/* How far labels of what hangs on the border reach, from the box's left side. */
static double border_reach(const struct layout *l, const struct graph_node *n)
{
    double w = 0;
    unsigned nth = 0;
    for (unsigned i = 0; i < n->n_ports; i++) {
        if (on_border(&n->ports[i])) {
            double one = border_x(l, nth++) + 6 + port_width(l, &n->ports[i]);
            w = one > w ? one : w;
        }
    }
    return w;
}

/* --------------------------------------------------------------------- sizes */

static double max(double a, double b)
{
    return a > b ? a : b;
}

static void wrap_labels(struct layout *l, struct graph_node *n)
{
    const teller_t *t = l->g->teller;
    double title = n->kind == GRAPH_STAGE ? 420 : n->kind == GRAPH_STEP ? PLACE_BOX - 20 : 140;
    n->shown_title = place_wrap(t, n->title, title, 12.5);
    n->shown_note = place_wrap(t, n->note, title, 10.5);
    n->title_lines = graph_lines(n->shown_title);
    n->note_lines = graph_lines(n->shown_note);
    for (unsigned i = 0; i < n->n_ports; i++) {
        n->ports[i].shown = place_wrap(t, n->ports[i].label, LABEL_WIDTH, 11);
        n->ports[i].lines = graph_lines(n->ports[i].shown);
    }
}

static double gate_width(const struct layout *l)
{
    return l->style->gate > 0 ? 2 * l->style->gate + 18 : 0;
}

/* A box with its text inside. */
static void size_step(const struct layout *l, struct graph_node *n, struct cell *c)
{
    double text = PLACE_LINE + n->title_lines * PLACE_TITLE + n->note_lines * PLACE_LINE + 20;
    n->w = PLACE_BOX;
    n->h = max(text, exits_height(l, n) + PLACE_IN + 12);
    n->h = max(n->h, border_x(l, 0));
    double split = exits_of(n) > 1 ? gate_width(l) : 0;
    c->left = n->n_in > 1 ? gate_width(l) : 0;
    c->up = max(PLACE_IN, n->n_ports > 0 ? n->ports[0].lines * PLACE_LINE + 6 : 0);
    c->down = n->h - PLACE_IN + layout_skirt(l, n);
    c->w = c->left + max(n->w + split + layout_exit_labels(l, n), border_reach(l, n));
}

/* A circle or diamond with its text above. */
static void size_small(const struct layout *l, struct graph_node *n, struct cell *c)
{
    double r = n->kind == GRAPH_DECIDE ? max(l->style->gate, 20) : l->style->circle;
    double text = n->title_lines * PLACE_TITLE + n->note_lines * PLACE_LINE;
    bool split = n->kind != GRAPH_DECIDE && exits_of(n) > 1;
    n->w = n->h = 2 * r;
    double above = max(r, n->n_ports > 0 ? n->ports[0].lines * PLACE_LINE + 4 : 0);
    c->left = n->n_in > 1 ? gate_width(l) : 0;
    c->up = max(PLACE_IN, above + (text > 0 ? text + 6 : 0));
    c->down = max(r, exits_height(l, n) + l->style->mark) + 6;
    c->w = c->left + n->w + (split ? gate_width(l) : 0) + layout_exit_labels(l, n);
    c->w =
        max(c->w,
            c->left + max(place_width(n->shown_title, 12.5), place_width(n->shown_note, 10.5)) + 6);
}

static void size_end(const struct layout *l, struct graph_node *n, struct cell *c)
{
    double text = n->title_lines * PLACE_TITLE + n->note_lines * PLACE_LINE;
    double r = l->style->circle;
    double wide = max(place_width(n->shown_title, 12.5), place_width(n->shown_note, 10.5));
    c->left = n->n_in > 1 ? gate_width(l) : 0;
    if (l->style->end_circle) {
        n->w = n->h = 2 * r;
        c->up = max(PLACE_IN, text / 2);
        c->down = max(r, text / 2) + 6;
        c->w = c->left + n->w + 8 + wide;
        return;
    }
    n->w = wide + 24;
    n->h = text + 14;
    c->up = max(PLACE_IN, n->h / 2);
    c->down = n->h / 2;
    c->w = n->w;
}

void layout_sizes(struct layout *l)
{
    for (unsigned i = 0; i < l->g->n_nodes; i++) {
        struct graph_node *n = &l->g->nodes[i];
        struct cell *c = &l->cells[i];
        wrap_labels(l, n);
        switch (n->kind) {
        case GRAPH_STEP:
            size_step(l, n, c);
            break;
        case GRAPH_START:
        case GRAPH_EVENT:
        case GRAPH_DECIDE:
            size_small(l, n, c);
            break;
        case GRAPH_END:
            size_end(l, n, c);
            break;
        case GRAPH_STAGE:
            c->left = n->n_in > 1 ? gate_width(l) : 0;
            break;
        }
    }
}

/* --------------------------------------------------------------------- ports */

/* Slots below the border: the last event has the topmost, so that no line crosses a label. */
static void place_border(const struct layout *l, struct graph_node *n)
{
    double y = n->y + n->h + l->style->event + 4;
    unsigned nth = 0;
    for (unsigned i = 0; i < n->n_ports; i++) {
        nth += on_border(&n->ports[i]);
    }
    for (unsigned i = n->n_ports; i-- > 0;) {
        struct graph_port *p = &n->ports[i];
        if (on_border(p)) {
            y += slot_height(l, p);
            nth--;
            p->x = n->x + border_x(l, nth);
            p->y = y - below_line(l, p);
            p->label_x = p->x + 6;
            p->end_x = p->label_x + place_width(p->shown, 11) + 12 + l->style->mark;
        }
    }
}

static void place_exits(const struct layout *l, struct graph_node *n, double label_x)
{
    for (unsigned i = 0; i < n->n_ports; i++) {
        struct graph_port *p = &n->ports[i];
        if (on_border(p)) {
            continue;
        }
        bool small = n->kind != GRAPH_STEP && n->kind != GRAPH_STAGE && i > 0;
        p->x = small ? n->x + n->w / 2 : n->x + n->w;
        p->y = n->in_y + exit_offset(l, n, i);
        p->label_x = label_x;
        p->end_x = label_x + place_width(p->shown, 11) + 12 + l->style->mark;
    }
}

void layout_node_ports(const struct layout *l, struct graph_node *n)
{
    bool split = l->style->gate > 0 && exits_of(n) > 1 && n->kind != GRAPH_DECIDE;
    n->split_x = split ? n->x + n->w + 18 + l->style->gate : 0;
    place_exits(l, n, (split ? n->split_x + l->style->gate : n->x + n->w) + 6);
    place_border(l, n);
}

void layout_stage_ports(const struct layout *l, struct graph_node *n, double label_w)
{
    bool split = l->style->gate > 0 && exits_of(n) > 1;
    double in_y = n->in_y;
    (void)label_w;
    n->split_x = split ? n->x + n->w + 18 + l->style->gate : 0;
    n->in_y = n->y + PAD + max(PLACE_IN, n->n_ports > 0 ? n->ports[0].lines * PLACE_LINE : 0);
    place_exits(l, n, (split ? n->split_x + l->style->gate : n->x + n->w) + 6);
    n->in_y = in_y;
    place_border(l, n);
}
