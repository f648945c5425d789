/* SPDX-License-Identifier: EUPL-1.2 */
/* What the parts of the layout share (flow_place*.c, flow_route*.c). */
#ifndef FLOW_PLACE_PARTS_H
#define FLOW_PLACE_PARTS_H
#include "flow_place.h"

/* Room that a node takes in its column and row. */
struct cell {
    double left;     /* before the box: gateway that joins lines (BPMN) */
    double w;        /* all of it: left, box, gateway, labels */
    double up, down; /* above and below in_y */
    unsigned layer;
    double weight;      /* for ordering */
    bool on_path, seen; /* of the search for circles */
};
struct layout {
    struct graph *g;
    const struct place_style *style;
    sto_arena_t *arena;
    struct cell *cells; /* by node */
    unsigned n_cols, n_rows;
    uint16_t *col_parent; /* node whose contents stand in the column */
    bool full;
};

void *layout_get(struct layout *l, size_t bytes);
/* Size of each node that is no stage, and of the labels of all. */
void layout_sizes(struct layout *l);
void layout_columns(struct layout *l);
void layout_rows(struct layout *l);
/* Heights of what hangs below a stage, and of its exits on the right. */
double layout_skirt(const struct layout *l, const struct graph_node *n);
double layout_exits(const struct layout *l, const struct graph_node *n);
double layout_exit_labels(const struct layout *l, const struct graph_node *n);
/* Ports of a stage whose box has its coordinates. */
void layout_stage_ports(const struct layout *l, struct graph_node *n, double label_w);
/* Ports of another node whose in_x, in_y are set. */
void layout_node_ports(const struct layout *l, struct graph_node *n);
int layout_route(struct layout *l, struct placed *out, struct sto_err *err);

#endif
