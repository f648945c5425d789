/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Lines and coordinates. A line leaves its port to the right, into the channel behind its column;
 * goes up or down there; crosses over along an empty row or between rows, where it has to; and
 * comes into its node from the left. Tracks are given by target: lines to one node join.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow_place_parts.h"

#define TRACK     9.0 /* between lines side by side */
#define CHANNEL   13.0
#define ROW_GAP   12.0
#define LANE_HEAD 52.0

enum way { WAY_NEXT, WAY_TARGET_ROW, WAY_SOURCE_ROW, WAY_BETWEEN };
enum zone_kind { ZONE_BOTTOM, ZONE_MIDDLE, ZONE_TOP };

struct net { /* all lines to one node in one channel or zone */
    uint16_t to;
    double low, high; /* that it covers */
    unsigned track;
    bool placed;
};
struct channel { /* up and down: in a gap between columns, outside or inside a stage */
    unsigned gap;
    uint16_t parent;
    double before, after; /* labels and gateways of a stage that ends or begins here */
    double x, w;
    struct net *nets;
    unsigned n_nets, tracks;
};
struct zone { /* left and right: between rows */
    enum zone_kind kind;
    unsigned boundary, depth;
    double y;
    struct net *nets;
    unsigned n_nets, tracks;
};
struct edge {
    uint16_t from, port, to, parent;
    enum way way;
    unsigned start, end; /* channels */
    struct zone *zone;
};
struct router {
    struct layout *l;
    struct graph *g;
    struct edge *edges;
    unsigned n_edges;
    struct channel *channels;
    unsigned n_channels;
    struct zone *zones;
    unsigned n_zones;
    unsigned depth; /* of stages */
    double *row_y;  /* where lines come in */
    double *col_x;
};

/* --------------------------------------------------------------------- parts */

static unsigned depth_of(const struct graph *g, uint16_t node)
{
    unsigned d = 0;
    for (uint16_t n = node; n != GRAPH_NONE; n = g->nodes[n].parent) {
        d++;
    }
    return d;
}

static bool inside(const struct graph *g, uint16_t container, uint16_t node)
{
    for (uint16_t n = node; n != GRAPH_NONE; n = g->nodes[n].parent) {
        if (n == container) {
            return true;
        }
    }
    return container == GRAPH_NONE;
}

static unsigned find_channel(const struct router *r, unsigned gap, uint16_t parent)
{
    for (unsigned i = 0; i < r->n_channels; i++) {
        if (r->channels[i].gap == gap && r->channels[i].parent == parent) {
            return i;
        }
    }
    return 0;
}

static struct zone *find_zone(struct router *r, enum zone_kind kind, unsigned boundary,
                              unsigned depth)
{
    for (unsigned i = 0; i < r->n_zones; i++) {
        struct zone *z = &r->zones[i];
        if (z->kind == kind && z->boundary == boundary && z->depth == depth) {
            return z;
        }
    }
    struct zone *z = &r->zones[r->n_zones++];
    *z = (struct zone){.kind = kind, .boundary = boundary, .depth = depth};
    z->nets = layout_get(r->l, (r->n_edges + 1u) * sizeof *z->nets);
    return z;
}

static struct net *net_of(struct net *nets, unsigned *n, uint16_t to, double low, double high)
{
    for (unsigned i = 0; i < *n; i++) {
        if (nets[i].to == to) {
            nets[i].low = low < nets[i].low ? low : nets[i].low;
            nets[i].high = high > nets[i].high ? high : nets[i].high;
            return &nets[i];
        }
    }
    nets[*n] = (struct net){.to = to, .low = low, .high = high};
    return &nets[(*n)++];
}

static const struct net *net_to(const struct net *nets, unsigned n, uint16_t to)
{
    for (unsigned i = 0; i < n; i++) {
        if (nets[i].to == to) {
            return &nets[i];
        }
    }
    return NULL;
}

/* ------------------------------------------------------------------ channels */

static void add_channel(struct router *r, unsigned gap, uint16_t parent)
{
    struct channel *c = &r->channels[r->n_channels++];
    *c = (struct channel){.gap = gap, .parent = parent};
    c->nets = layout_get(r->l, (r->n_edges + 1u) * sizeof *c->nets);
}

/* From inside the left column's stages out to what both sides stand in, and in again. */
static void make_channels(struct router *r)
{
    const struct layout *l = r->l;
    for (unsigned gap = 0; gap <= l->n_cols; gap++) {
        uint16_t left = gap > 0 ? l->col_parent[gap - 1] : (uint16_t)GRAPH_NONE;
        uint16_t right = gap < l->n_cols ? l->col_parent[gap] : (uint16_t)GRAPH_NONE;
        uint16_t common = left;
        while (!inside(r->g, common, right)) {
            add_channel(r, gap, common);
            common = r->g->nodes[common].parent;
        }
        add_channel(r, gap, common);
        uint16_t path[64];
        unsigned n = 0;
        for (uint16_t x = right; x != common && n < 64; x = r->g->nodes[x].parent) {
            path[n++] = x;
        }
        while (n > 0) {
            add_channel(r, gap, path[--n]);
        }
    }
}

static void make_edges(struct router *r)
{
    struct graph *g = r->g;
    for (unsigned i = 0; i < g->n_nodes; i++) {
        for (unsigned p = 0; p < g->nodes[i].n_ports; p++) {
            const struct graph_port *q = &g->nodes[i].ports[p];
            if (q->ending == ENDING_NODE && q->to != GRAPH_NONE) {
                r->edges[r->n_edges++] = (struct edge){.from = (uint16_t)i,
                                                       .port = (uint16_t)p,
                                                       .to = q->to,
                                                       .parent = g->nodes[i].parent};
            }
        }
    }
}

/* -------------------------------------------------------------------- routes */

/* Whether nothing stands in the row between the columns, but what holds the line. */
static bool row_free(const struct router *r, unsigned row, unsigned col, unsigned end,
                     uint16_t parent)
{
    for (unsigned i = 0; i < r->g->n_nodes; i++) {
        const struct graph_node *n = &r->g->nodes[i];
        if (n->row <= row && n->row_last >= row && n->col < end && n->col_last >= col &&
            !inside(r->g, (uint16_t)i, parent)) {
            return false;
        }
    }
    return true;
}

/* Whether another line along the row, to another node, has the same height there. */
static bool row_taken(const struct router *r, const struct edge *e, double y, unsigned col,
                      unsigned end)
{
    const struct graph *g = r->g;
    for (const struct edge *x = r->edges; x < e; x++) {
        if ((x->way != WAY_TARGET_ROW && x->way != WAY_SOURCE_ROW) || x->to == e->to) {
            continue;
        }
        const struct graph_node *at = &g->nodes[x->way == WAY_TARGET_ROW ? x->to : x->from];
        const struct graph_node *mine = &g->nodes[e->way == WAY_TARGET_ROW ? e->to : e->from];
        double its = x->way == WAY_TARGET_ROW ? 0 : g->nodes[x->from].ports[x->port].y;
        if (at->row == mine->row && fabs(its - y) < 5 && g->nodes[x->from].col_last + 1u < end &&
            g->nodes[x->to].col > col) {
            return true;
        }
    }
    return false;
}

static bool along_row(const struct router *r, struct edge *e, enum way way)
{
    const struct graph *g = r->g;
    const struct graph_node *from = &g->nodes[e->from], *to = &g->nodes[e->to];
    const struct graph_node *at = way == WAY_TARGET_ROW ? to : from;
    unsigned col = from->col_last + 1u, end = to->col;
    if (at->kind == GRAPH_STAGE || end <= col) {
        return false;
    }
    e->way = way;
    double y = way == WAY_TARGET_ROW ? 0 : from->ports[e->port].y;
    return row_free(r, at->row, col, end, e->parent) && !row_taken(r, e, y, col, end);
}

/* Stages that a line between the rows would cut through. */
static unsigned cuts(const struct router *r, const struct edge *e, unsigned boundary)
{
    const struct graph *g = r->g;
    unsigned a = g->nodes[e->from].col_last + 1u, b = g->nodes[e->to].col, n = 0;
    unsigned low = a < b ? a : b, high = a < b ? b : a;
    for (unsigned i = 0; i < g->n_nodes; i++) {
        const struct graph_node *s = &g->nodes[i];
        n += s->kind == GRAPH_STAGE && s->parent == e->parent && s->row < boundary &&
             boundary <= s->row_last && s->col < high && s->col_last >= low;
    }
    return n;
}

static void between_rows(struct router *r, struct edge *e)
{
    const struct graph *g = r->g;
    const struct graph_node *from = &g->nodes[e->from], *to = &g->nodes[e->to];
    unsigned first = 0, last = r->l->n_rows, depth = depth_of(g, e->parent), best = 0;
    double least = 1e9;
    if (e->parent != GRAPH_NONE) {
        first = g->nodes[e->parent].row;
        last = g->nodes[e->parent].row_last + 1u;
    }
    bool low = from->ports[e->port].kind != PORT_EXIT || from->ports[e->port].y > 0;
    double start = from->kind == GRAPH_STAGE
                       ? (low && from->ports[e->port].kind != PORT_EXIT ? from->row_last + 0.9
                                                                        : from->row + 0.2)
                       : from->row + (low ? 0.6 : 0.45);
    double end = to->row + (to->kind == GRAPH_STAGE ? 0.1 : 0.45);
    for (unsigned b = first; b <= last; b++) {
        double cost = fabs(start - b) + fabs(end - b) + 6 * cuts(r, e, b);
        if (cost < least - 0.001) {
            least = cost;
            best = b;
        }
    }
    e->way = WAY_BETWEEN;
    if (e->parent != GRAPH_NONE && (best == first || best == last)) {
        e->zone = find_zone(r, best == first ? ZONE_TOP : ZONE_BOTTOM, best, depth);
    } else {
        e->zone = find_zone(r, ZONE_MIDDLE, best, 0);
    }
}

static void choose_ways(struct router *r)
{
    const struct graph *g = r->g;
    for (unsigned i = 0; i < r->n_edges; i++) {
        struct edge *e = &r->edges[i];
        unsigned start = g->nodes[e->from].col_last + 1u, end = g->nodes[e->to].col;
        e->start = find_channel(r, start, e->parent);
        e->end = find_channel(r, end, e->parent);
        if (start == end) {
            e->way = WAY_NEXT;
        } else if (!along_row(r, e, WAY_TARGET_ROW) && !along_row(r, e, WAY_SOURCE_ROW)) {
            between_rows(r, e);
        }
    }
}

/* First fit: a net gets the first track where it meets no other. */
static unsigned fit(struct net *nets, unsigned n, double margin)
{
    unsigned tracks = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned t = 0;
        for (unsigned k = 0; k < i; k++) {
            bool meets = nets[k].track == t && nets[k].low <= nets[i].high + margin &&
                         nets[i].low <= nets[k].high + margin;
            if (meets) {
                t++;
                k = UINT32_MAX; /* from the first again */
            }
        }
        nets[i].track = t;
        tracks = t + 1 > tracks ? t + 1 : tracks;
    }
    return tracks;
}

static void fill_zones(struct router *r)
{
    for (unsigned i = 0; i < r->n_edges; i++) {
        const struct edge *e = &r->edges[i];
        if (e->way == WAY_BETWEEN) {
            unsigned low = e->start < e->end ? e->start : e->end;
            unsigned high = e->start < e->end ? e->end : e->start;
            net_of(e->zone->nets, &e->zone->n_nets, e->to, low, high);
        }
    }
    for (unsigned i = 0; i < r->n_zones; i++) {
        r->zones[i].tracks = fit(r->zones[i].nets, r->zones[i].n_nets, 0);
    }
}

/* ------------------------------------------------------------------- heights */

static double zone_height(struct router *r, enum zone_kind kind, unsigned boundary, unsigned depth,
                          double y)
{
    for (unsigned i = 0; i < r->n_zones; i++) {
        struct zone *z = &r->zones[i];
        if (z->kind == kind && z->boundary == boundary && z->depth == depth) {
            z->y = y + 6;
            return z->tracks * TRACK + 4;
        }
    }
    return 0;
}

static double stage_bottoms(struct router *r, unsigned boundary, double y)
{
    struct graph *g = r->g;
    for (unsigned d = r->depth; d > 0; d--) {
        double skirt = 0, tracks = -1;
        for (unsigned i = 0; i < g->n_nodes; i++) {
            struct graph_node *n = &g->nodes[i];
            if (n->kind == GRAPH_STAGE && n->row_last + 1u == boundary &&
                depth_of(g, (uint16_t)i) == d) {
                tracks = tracks < 0 ? zone_height(r, ZONE_BOTTOM, boundary, d, y) : tracks;
                n->h = y + tracks + 6 - n->y;
                double s = layout_skirt(r->l, n);
                skirt = s > skirt ? s : skirt;
            }
        }
        y += tracks >= 0 ? tracks + 12 + skirt : 0;
    }
    return y;
}

static double stage_tops(struct router *r, unsigned boundary, double y)
{
    struct graph *g = r->g;
    for (unsigned d = 1; d <= r->depth; d++) {
        double head = 0;
        for (unsigned i = 0; i < g->n_nodes; i++) {
            struct graph_node *n = &g->nodes[i];
            if (n->kind == GRAPH_STAGE && n->row == boundary && depth_of(g, (uint16_t)i) == d) {
                double exits = layout_exits(r->l, n) - 90;
                double text =
                    14 + PLACE_LINE + n->title_lines * PLACE_TITLE + n->note_lines * PLACE_LINE;
                n->y = y;
                n->in_y = y + 20;
                head =
                    text + (exits > 0 ? exits : 0) > head ? text + (exits > 0 ? exits : 0) : head;
            }
        }
        if (head > 0) {
            y += head;
            y += zone_height(r, ZONE_TOP, boundary, d, y);
        }
    }
    return y;
}

static double row_height(struct router *r, unsigned row, double y)
{
    double up = PLACE_IN, down = 20;
    for (unsigned i = 0; i < r->g->n_nodes; i++) {
        const struct graph_node *n = &r->g->nodes[i];
        const struct cell *c = &r->l->cells[i];
        if (n->kind != GRAPH_STAGE && n->row == row) {
            up = c->up > up ? c->up : up;
            down = c->down > down ? c->down : down;
        }
    }
    r->row_y[row] = y + up;
    return y + up + down + 4;
}

static void set_heights(struct router *r, struct placed *out)
{
    struct graph *g = r->g;
    double y = 0;
    for (unsigned b = 0; b <= r->l->n_rows; b++) {
        y = stage_bottoms(r, b, y);
        for (unsigned i = 0; i < g->n_lanes; i++) {
            if (g->lanes[i].first_row == b) {
                g->lanes[i].y = y;
            }
        }
        double middle = zone_height(r, ZONE_MIDDLE, b, 0, y);
        y += middle > ROW_GAP ? middle : ROW_GAP;
        y = stage_tops(r, b, y);
        y = b < r->l->n_rows ? row_height(r, b, y) : y;
    }
    for (unsigned i = 0; i < g->n_lanes; i++) {
        g->lanes[i].h = (i + 1 < g->n_lanes ? g->lanes[i + 1].y : y) - g->lanes[i].y;
    }
    out->h = y;
    for (unsigned i = 0; i < g->n_nodes; i++) {
        struct graph_node *n = &g->nodes[i];
        if (n->kind != GRAPH_STAGE) {
            bool box = n->kind == GRAPH_STEP;
            n->in_y = r->row_y[n->row];
            n->y = n->in_y - (box ? PLACE_IN : n->h / 2);
            layout_node_ports(r->l, n);
        } else {
            layout_stage_ports(r->l, n, 0);
        }
    }
}

/* -------------------------------------------------------------------- widths */

static double zone_y(const struct edge *e)
{
    const struct net *n = net_to(e->zone->nets, e->zone->n_nets, e->to);
    return e->zone->y + (n != NULL ? n->track * TRACK : 0);
}

static void cover(struct channel *c, uint16_t to, double a, double b)
{
    net_of(c->nets, &c->n_nets, to, a < b ? a : b, a < b ? b : a);
}

/* A net must stand left of one that goes in at the height where it comes out. */
static bool must_precede(const struct router *r, unsigned channel, uint16_t a, uint16_t b)
{
    const struct graph *g = r->g;
    for (unsigned i = 0; i < r->n_edges; i++) {
        const struct edge *e = &r->edges[i];
        double y = g->nodes[e->from].ports[e->port].y;
        bool comes = e->to == a && (e->way == WAY_SOURCE_ROW ? e->end : e->start) == channel;
        if (comes && fabs(y - g->nodes[b].in_y) < 4) {
            return true;
        }
    }
    return false;
}

static bool goes_in(const struct router *r, unsigned channel, uint16_t to)
{
    for (unsigned i = 0; i < r->n_edges; i++) {
        const struct edge *e = &r->edges[i];
        if (e->to == to && (e->way == WAY_TARGET_ROW ? e->start : e->end) == channel) {
            return true;
        }
    }
    return false;
}

/* Those that go up first, the upper ones leftmost; then those that go down, the lower leftmost. */
static void sort_nets(const struct router *r, struct channel *c)
{
    for (unsigned i = 1; i < c->n_nets; i++) {
        struct net n = c->nets[i];
        double to = r->g->nodes[n.to].in_y;
        bool up = to <= (n.low + n.high) / 2;
        unsigned k = i;
        for (; k > 0; k--) {
            const struct net *q = &c->nets[k - 1];
            bool q_up = r->g->nodes[q->to].in_y <= (q->low + q->high) / 2;
            bool before = up != q_up ? up : up ? n.high < q->high : n.low > q->low;
            if (!before) {
                break;
            }
            c->nets[k] = c->nets[k - 1];
        }
        c->nets[k] = n;
    }
}

static void set_tracks(const struct router *r, unsigned channel)
{
    struct channel *c = &r->channels[channel];
    sort_nets(r, c);
    for (unsigned placed = 0; placed < c->n_nets; placed++) {
        unsigned pick = UINT32_MAX;
        for (unsigned i = 0; i < c->n_nets && pick == UINT32_MAX; i++) {
            bool ready = !c->nets[i].placed && goes_in(r, channel, c->nets[i].to);
            ready = ready || !c->nets[i].placed;
            for (unsigned k = 0; k < c->n_nets && ready; k++) {
                ready = k == i || c->nets[k].placed || !goes_in(r, channel, c->nets[i].to) ||
                        !must_precede(r, channel, c->nets[k].to, c->nets[i].to);
            }
            pick = ready ? i : pick;
        }
        for (unsigned i = 0; i < c->n_nets && pick == UINT32_MAX; i++) {
            pick = c->nets[i].placed ? pick : i; /* a circle of wishes: any */
        }
        struct net *n = &c->nets[pick];
        unsigned t = 0;
        for (unsigned k = 0; k < c->n_nets; k++) {
            const struct net *q = &c->nets[k];
            bool meets = q->placed && k != pick && q->low <= n->high + 8 && n->low <= q->high + 8;
            bool after = q->placed && k != pick && goes_in(r, channel, n->to) &&
                         must_precede(r, channel, q->to, n->to);
            t = (meets || after) && q->track + 1 > t ? q->track + 1 : t;
        }
        n->track = t;
        n->placed = true;
        c->tracks = t + 1 > c->tracks ? t + 1 : c->tracks;
    }
}

static void fill_channels(struct router *r)
{
    for (unsigned i = 0; i < r->n_edges; i++) {
        const struct edge *e = &r->edges[i];
        double from = r->g->nodes[e->from].ports[e->port].y, to = r->g->nodes[e->to].in_y;
        switch (e->way) {
        case WAY_NEXT:
        case WAY_TARGET_ROW:
            cover(&r->channels[e->start], e->to, from, to);
            break;
        case WAY_SOURCE_ROW:
            cover(&r->channels[e->end], e->to, from, to);
            break;
        case WAY_BETWEEN:
            cover(&r->channels[e->start], e->to, from, zone_y(e));
            cover(&r->channels[e->end], e->to, zone_y(e), to);
            break;
        }
    }
    for (unsigned i = 0; i < r->n_channels; i++) {
        set_tracks(r, i);
    }
}

static void stage_margins(struct router *r)
{
    for (unsigned i = 0; i < r->g->n_nodes; i++) {
        struct graph_node *n = &r->g->nodes[i];
        if (n->kind != GRAPH_STAGE) {
            continue;
        }
        double gate = n->split_x != 0 ? 2 * r->l->style->gate + 18 : 0;
        r->channels[find_channel(r, n->col_last + 1u, n->parent)].before =
            layout_exit_labels(r->l, n) + gate;
        r->channels[find_channel(r, n->col, n->parent)].after = r->l->cells[i].left;
    }
}

static double column_width(const struct router *r, unsigned col)
{
    double w = 0;
    for (unsigned i = 0; i < r->g->n_nodes; i++) {
        const struct graph_node *n = &r->g->nodes[i];
        if (n->kind != GRAPH_STAGE && n->col == col && r->l->cells[i].w > w) {
            w = r->l->cells[i].w;
        }
    }
    return w;
}

static void set_widths(struct router *r, struct placed *out)
{
    struct graph *g = r->g;
    double x = LANE_HEAD;
    stage_margins(r);
    for (unsigned i = 0; i < r->n_channels; i++) {
        struct channel *c = &r->channels[i];
        c->x = x + c->before + CHANNEL;
        c->w = c->before + 2 * CHANNEL + (c->tracks > 0 ? (c->tracks - 1) * TRACK : 0) + c->after;
        x += c->w;
        bool last = i + 1 == r->n_channels || r->channels[i + 1].gap != c->gap;
        if (last && c->gap < r->l->n_cols) {
            r->col_x[c->gap] = x;
            x += column_width(r, c->gap);
        }
    }
    out->lane_x = 0;
    out->lane_w = LANE_HEAD;
    out->w = x;
    for (unsigned i = 0; i < g->n_nodes; i++) {
        struct graph_node *n = &g->nodes[i];
        double left = r->l->cells[i].left;
        if (n->kind != GRAPH_STAGE) {
            n->in_x = r->col_x[n->col];
            n->x = n->in_x + left;
            layout_node_ports(r->l, n);
            continue;
        }
        const struct channel *a = &r->channels[find_channel(r, n->col, (uint16_t)i)];
        const struct channel *b = &r->channels[find_channel(r, n->col_last + 1u, (uint16_t)i)];
        n->x = a->x - a->before - CHANNEL;
        n->w = b->x - b->before - CHANNEL + b->w - n->x;
        n->in_x = n->x - left;
        layout_stage_ports(r->l, n, 0);
    }
}

/* --------------------------------------------------------------------- lines */

static void point(struct place_line *l, double x, double y)
{
    if (l->n > 1 && fabs(l->y[l->n - 1] - y) < 0.01 && fabs(l->y[l->n - 2] - y) < 0.01) {
        l->n--; /* on one line */
    }
    if (l->n < PLACE_POINTS &&
        (l->n == 0 || fabs(l->x[l->n - 1] - x) > 0.01 || fabs(l->y[l->n - 1] - y) > 0.01)) {
        l->x[l->n] = x;
        l->y[l->n++] = y;
    }
}

static double track_x(const struct router *r, unsigned channel, uint16_t to)
{
    const struct channel *c = &r->channels[channel];
    const struct net *n = net_to(c->nets, c->n_nets, to);
    return c->x + (n != NULL ? n->track * TRACK : 0);
}

static void draw(const struct router *r, const struct edge *e, struct place_line *l)
{
    const struct graph_node *from = &r->g->nodes[e->from], *to = &r->g->nodes[e->to];
    const struct graph_port *p = &from->ports[e->port];
    *l = (struct place_line){.from = e->from, .to = e->to, .port = e->port};
    bool small = p->kind == PORT_EXIT && p->x < from->x + from->w - 1;
    if (p->kind != PORT_EXIT) {
        point(l, p->x, from->y + from->h + r->l->style->event);
    } else if (from->split_x != 0) {
        bool level = fabs(p->y - from->ports[0].y) < 0.01;
        point(l, from->split_x + (level ? r->l->style->gate : 0),
              from->ports[0].y + (level ? 0 : r->l->style->gate));
    } else if (small) {
        point(l, p->x, from->y + from->h);
    }
    point(l,
          p->kind == PORT_EXIT && from->split_x != 0 ? (l->n > 0 ? l->x[0] : from->split_x) : p->x,
          p->y);
    if (e->way == WAY_BETWEEN) {
        double a = track_x(r, e->start, e->to), b = track_x(r, e->end, e->to), y = zone_y(e);
        point(l, a, p->y);
        point(l, a, y);
        point(l, b, y);
        point(l, b, to->in_y);
    } else {
        double a = track_x(r, e->way == WAY_SOURCE_ROW ? e->end : e->start, e->to);
        if (fabs(p->y - to->in_y) > 0.01) {
            point(l, a, p->y);
            point(l, a, to->in_y);
        }
    }
    point(l, to->in_x, to->in_y);
}

int layout_route(struct layout *l, struct placed *out, struct sto_err *err)
{
    struct graph *g = l->g;
    struct router r = {.l = l, .g = g};
    unsigned ports = 0;
    for (unsigned i = 0; i < g->n_nodes; i++) {
        unsigned d = g->nodes[i].kind == GRAPH_STAGE ? depth_of(g, (uint16_t)i) : 0;
        r.depth = d > r.depth ? d : r.depth;
        ports += g->nodes[i].n_ports;
    }
    r.edges = layout_get(l, (ports + 1u) * sizeof *r.edges);
    r.channels = layout_get(l, (l->n_cols + 1u) * (2u * r.depth + 1u) * sizeof *r.channels);
    r.zones = layout_get(l, (l->n_rows + 1u) * (2u * r.depth + 1u) * sizeof *r.zones);
    r.row_y = layout_get(l, (l->n_rows + 1u) * sizeof *r.row_y);
    r.col_x = layout_get(l, (l->n_cols + 1u) * sizeof *r.col_x);
    out->lines = layout_get(l, (ports + 1u) * sizeof *out->lines);
    if (l->full) {
        return sto_fail(err, STO_E_LIMIT, "the workflow is too large to be drawn");
    }
    make_edges(&r);
    make_channels(&r);
    for (unsigned i = 0; i < g->n_nodes; i++) { /* heights of ports on their nodes, for the ways */
        struct graph_node *n = &g->nodes[i];
        n->in_y = 0;
        n->y = n->kind == GRAPH_STEP ? -PLACE_IN : -n->h / 2;
        layout_node_ports(l, n);
    }
    choose_ways(&r);
    fill_zones(&r);
    set_heights(&r, out);
    fill_channels(&r);
    set_widths(&r, out);
    for (unsigned i = 0; i < r.n_edges && !l->full; i++) {
        draw(&r, &r.edges[i], &out->lines[out->n_lines++]);
    }
    return l->full ? sto_fail(err, STO_E_LIMIT, "the workflow is too large to be drawn") : 0;
}
