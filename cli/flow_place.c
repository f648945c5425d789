/* SPDX-License-Identifier: EUPL-1.2 */
/* Columns and rows. */
#include "flow_place_parts.h"

#include <string.h>

void *layout_get(struct layout *l, size_t bytes)
{
    void *p = l->full ? NULL : sto_arena_alloc(l->arena, bytes);
    l->full = p == NULL;
    return p;
}

/* ------------------------------------------------------------------- columns */

/* Depth first from the starts: a line back to what is still being followed closes a circle and does
   not count for the layers. */
static void find_circles(struct layout *l, uint16_t node)
{
    struct graph_node *n = &l->g->nodes[node];
    l->cells[node].on_path = true;
    l->cells[node].seen = true;
    for (unsigned p = 0; p < n->n_ports; p++) {
        uint16_t to = n->ports[p].ending == ENDING_NODE ? n->ports[p].to : (uint16_t)GRAPH_NONE;
        if (to != GRAPH_NONE && l->cells[to].on_path) {
            n->ports[p].back = true;
        } else if (to != GRAPH_NONE && !l->cells[to].seen) {
            find_circles(l, to);
        }
    }
    l->cells[node].on_path = false;
}

static bool push_layers(struct layout *l)
{
    bool changed = false;
    for (unsigned i = 0; i < l->g->n_nodes; i++) {
        const struct graph_node *n = &l->g->nodes[i];
        for (unsigned p = 0; p < n->n_ports; p++) {
            const struct graph_port *q = &n->ports[p];
            if (q->ending == ENDING_NODE && q->to != GRAPH_NONE && !q->back &&
                l->cells[q->to].layer <= l->cells[i].layer) {
                l->cells[q->to].layer = l->cells[i].layer + 1;
                changed = true;
            }
        }
    }
    return changed;
}

static void settle_layers(struct layout *l)
{
    struct graph *g = l->g;
    for (unsigned i = 0; i < g->n_nodes; i++) {
        if (g->nodes[i].kind == GRAPH_START && !l->cells[i].seen) {
            find_circles(l, (uint16_t)i);
        }
    }
    for (unsigned i = 0; i < g->n_nodes; i++) { /* what no start leads to */
        if (!l->cells[i].seen) {
            find_circles(l, (uint16_t)i);
        }
    }
    while (push_layers(l)) {
    }
}

static unsigned last_layer(const struct layout *l, uint16_t parent)
{
    unsigned last = 0;
    for (unsigned i = 0; i < l->g->n_nodes; i++) {
        bool inside = l->g->nodes[i].parent == parent;
        last = inside && l->cells[i].layer > last ? l->cells[i].layer : last;
    }
    return last;
}

static void fill_columns(struct layout *l, uint16_t parent)
{
    struct graph *g = l->g;
    for (unsigned layer = 0, last = last_layer(l, parent); layer <= last; layer++) {
        bool any = false;
        for (unsigned i = 0; i < g->n_nodes; i++) {
            struct graph_node *n = &g->nodes[i];
            if (n->parent == parent && l->cells[i].layer == layer && n->kind != GRAPH_STAGE) {
                n->col = n->col_last = (uint16_t)l->n_cols;
                any = true;
            }
        }
        if (any) {
            l->col_parent[l->n_cols++] = parent;
        }
        for (unsigned i = 0; i < g->n_nodes; i++) {
            struct graph_node *n = &g->nodes[i];
            if (n->parent == parent && l->cells[i].layer == layer && n->kind == GRAPH_STAGE) {
                n->col = (uint16_t)l->n_cols;
                fill_columns(l, (uint16_t)i);
                n->col_last = (uint16_t)(l->n_cols - 1);
            }
        }
    }
}

void layout_columns(struct layout *l)
{
    settle_layers(l);
    fill_columns(l, GRAPH_NONE);
}

/* ---------------------------------------------------------------------- rows */

/* Where a node stands from top to bottom; a stage where its first one does. */
static double height_of(const struct layout *l, uint16_t node)
{
    const struct graph *g = l->g;
    if (g->nodes[node].kind != GRAPH_STAGE) {
        return g->nodes[node].lane * 1000.0 + g->nodes[node].row;
    }
    double sum = 0, n = 0;
    for (unsigned i = 0; i < g->n_nodes; i++) {
        if (g->nodes[i].parent == node && g->nodes[i].kind != GRAPH_STAGE) {
            sum += g->nodes[i].lane * 1000.0 + g->nodes[i].row;
            n++;
        }
    }
    return n > 0 ? sum / n : 0;
}

static void set_weights(struct layout *l, unsigned col, bool forward)
{
    struct graph *g = l->g;
    for (unsigned i = 0; i < g->n_nodes; i++) {
        double sum = 0, n = 0;
        for (unsigned k = 0; k < g->n_nodes && g->nodes[i].col == col; k++) {
            for (unsigned p = 0; p < g->nodes[k].n_ports; p++) {
                if (g->nodes[k].ports[p].ending != ENDING_NODE) {
                    continue;
                }
                uint16_t to = g->nodes[k].ports[p].to;
                bool before = forward && to == i && g->nodes[k].col < g->nodes[i].col;
                bool after =
                    !forward && k == i && to != GRAPH_NONE && g->nodes[to].col > g->nodes[i].col;
                if (before || after) {
                    sum += height_of(l, before ? (uint16_t)k : to) + 0.01 * p;
                    n++;
                }
            }
        }
        if (g->nodes[i].col != col) {
            continue;
        }
        l->cells[i].weight = n > 0 ? sum / n : height_of(l, (uint16_t)i);
    }
}

/* Nodes of one column and lane in order of their weights, stable; fills rows from 0. */
static void order(struct layout *l, unsigned col, unsigned lane)
{
    struct graph *g = l->g;
    uint16_t v[2 * STO_WF_STEPS_MAX + 64];
    unsigned n = 0;
    for (unsigned i = 0; i < g->n_nodes; i++) {
        const struct graph_node *x = &g->nodes[i];
        if (x->kind == GRAPH_STAGE || x->col != col || x->lane != lane) {
            continue;
        }
        unsigned k = n++;
        for (; k > 0 && l->cells[v[k - 1]].weight > l->cells[i].weight; k--) {
            v[k] = v[k - 1];
        }
        v[k] = (uint16_t)i;
    }
    for (unsigned i = 0; i < n; i++) {
        g->nodes[v[i]].row = (uint16_t)i;
    }
    if (n > g->lanes[lane].rows) {
        g->lanes[lane].rows = (uint16_t)n;
    }
}

static void sweep(struct layout *l, bool forward)
{
    for (unsigned i = 0; i < l->n_cols; i++) {
        unsigned col = forward ? i : l->n_cols - 1 - i;
        set_weights(l, col, forward);
        for (unsigned lane = 0; lane < l->g->n_lanes; lane++) {
            order(l, col, lane);
        }
    }
}

/* The row of the node before it in its lane, if it has one: long ways stay straight. */
static int wish(const struct layout *l, uint16_t node)
{
    const struct graph *g = l->g;
    const struct graph_node *n = &g->nodes[node];
    int best = -1;
    unsigned best_col = 0;
    for (unsigned k = 0; k < g->n_nodes; k++) {
        const struct graph_node *x = &g->nodes[k];
        for (unsigned p = 0; p < x->n_ports && x->kind != GRAPH_STAGE; p++) {
            bool main = x->ports[p].kind == PORT_EXIT && x->ports[p].ending == ENDING_NODE;
            if (main && x->ports[p].to == node && x->lane == n->lane && x->col < n->col &&
                (best < 0 || x->col > best_col)) {
                best = x->row;
                best_col = x->col;
            }
        }
    }
    return best;
}

/* Keeps the order; moves rows down towards their wishes as far as the lane has room. */
static void spread_rows(struct layout *l, unsigned col, unsigned lane)
{
    struct graph *g = l->g;
    unsigned count = 0, next = 0;
    for (unsigned i = 0; i < g->n_nodes; i++) {
        count +=
            g->nodes[i].kind != GRAPH_STAGE && g->nodes[i].col == col && g->nodes[i].lane == lane;
    }
    for (unsigned at = 0; at < count; at++) {
        for (unsigned i = 0; i < g->n_nodes; i++) {
            struct graph_node *n = &g->nodes[i];
            if (n->kind == GRAPH_STAGE || n->col != col || n->lane != lane || n->row != at ||
                l->cells[i].seen) {
                continue;
            }
            unsigned last = g->lanes[lane].rows - (count - at);
            int wanted = wish(l, (uint16_t)i);
            unsigned row = wanted > (int)next ? (unsigned)wanted : next;
            n->row = (uint16_t)(row < last ? row : last);
            next = n->row + 1u;
            l->cells[i].seen = true;
            break;
        }
    }
}

static void number_rows(struct layout *l)
{
    struct graph *g = l->g;
    for (unsigned lane = 0; lane < g->n_lanes; lane++) {
        g->lanes[lane].first_row = (uint16_t)l->n_rows;
        l->n_rows += g->lanes[lane].rows;
    }
    for (unsigned i = 0; i < g->n_nodes; i++) {
        struct graph_node *n = &g->nodes[i];
        if (n->kind != GRAPH_STAGE) {
            n->row = n->row_last = (uint16_t)(n->row + g->lanes[n->lane].first_row);
        } else {
            n->row = UINT16_MAX;
        }
    }
    for (unsigned i = 0; i < g->n_nodes; i++) {
        const struct graph_node *n = &g->nodes[i];
        for (uint16_t up = n->parent; n->kind != GRAPH_STAGE && up != GRAPH_NONE;
             up = g->nodes[up].parent) {
            g->nodes[up].row = n->row < g->nodes[up].row ? n->row : g->nodes[up].row;
            g->nodes[up].row_last = n->row > g->nodes[up].row_last ? n->row : g->nodes[up].row_last;
        }
    }
}

void layout_rows(struct layout *l)
{
    for (unsigned i = 0; i < l->g->n_nodes; i++) {
        l->cells[i].weight = i;
        l->cells[i].seen = false;
    }
    for (unsigned col = 0; col < l->n_cols; col++) {
        for (unsigned lane = 0; lane < l->g->n_lanes; lane++) {
            order(l, col, lane);
        }
    }
    for (unsigned round = 0; round < 3; round++) {
        sweep(l, true);
        sweep(l, false);
    }
    sweep(l, true);
    for (unsigned col = 0; col < l->n_cols; col++) {
        for (unsigned lane = 0; lane < l->g->n_lanes; lane++) {
            spread_rows(l, col, lane);
        }
    }
    number_rows(l);
}

int place(struct graph *g, const struct place_style *style, struct placed **out,
          struct sto_err *err)
{
    struct layout l = {.g = g, .style = style, .arena = teller_arena(g->teller)};
    struct placed *p = layout_get(&l, sizeof *p);
    l.cells = layout_get(&l, (g->n_nodes + 1u) * sizeof *l.cells);
    l.col_parent = layout_get(&l, (2u * g->n_nodes + 2u) * sizeof *l.col_parent);
    *out = NULL;
    if (l.full) {
        return sto_fail(err, STO_E_LIMIT, "the workflow is too large to be drawn");
    }
    *p = (struct placed){.g = g, .style = style};
    layout_sizes(&l);
    layout_columns(&l);
    layout_rows(&l);
    int rc = layout_route(&l, p, err);
    *out = rc == 0 ? p : NULL;
    return rc;
}
