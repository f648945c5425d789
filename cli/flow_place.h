/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Coordinates for a graph: a layered layout with lanes. Columns are the longest ways from the
 * start; a stage has its columns for itself, so that its box holds nothing else; within a lane the
 * rows of a column follow the mean of what leads there. Lines run in channels between columns and
 * rows, all lines to one node on one track, so that no line crosses a box or lies on another.
 *
 * The same graph gives the same coordinates, always.
 */
#ifndef FLOW_PLACE_H
#define FLOW_PLACE_H
#include "flow_graph.h"

#define PLACE_LINE   13.0 /* height of a line of small text */
#define PLACE_TITLE  15.0 /* and of a title */
#define PLACE_BOX    190.0
#define PLACE_IN     24.0 /* from the top of a box to where lines come in */
#define PLACE_POINTS 8

struct place_style {
    double gate;     /* half of a gateway's diagonal between steps; 0 = none are drawn */
    double event;    /* radius of an event on a border */
    double mark;     /* radius of a mark where a branch ends */
    double circle;   /* radius of start and event */
    bool end_circle; /* an end is a circle with its text beside it, else a box around it */
};
extern const struct place_style place_picture, place_bpmn;

struct place_line {
    uint16_t from, to;
    uint16_t port; /* of from */
    double x[PLACE_POINTS], y[PLACE_POINTS];
    unsigned n;
};
struct placed {
    struct graph *g;
    const struct place_style *style;
    struct place_line *lines;
    unsigned n_lines;
    double lane_x, lane_w; /* of the lanes' heads */
    double w, h;
};

/* Sets the coordinates in g, too. Lives in the teller's arena. */
int place(struct graph *g, const struct place_style *style, struct placed **out,
          struct sto_err *err);

/* Wraps text to the width, by '\n'; a word too long for a line is broken. In the arena. */
const char *place_wrap(const teller_t *t, const char *text, double width, double size);
double place_width(const char *text, double size); /* of the longest line */

#endif
