/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A workflow as a picture sees it: lanes, nodes, and ports from which lines go. Made from the
 * compiled workflow; flow_place.h gives it coordinates, flow_svg.c and flow_bpmn.c draw it.
 *
 * A called workflow is one node; of an each one branch is shown.
 */
#ifndef FLOW_GRAPH_H
#define FLOW_GRAPH_H
#include "flow_words.h"

#define GRAPH_NONE 0xffffu

enum graph_kind {
    GRAPH_START, /* of the case or of a stage */
    GRAPH_EVENT, /* what may happen at any time: workflow-level `on` and `meanwhile` */
    GRAPH_STEP,
    GRAPH_STAGE, /* stage or each: holds others */
    GRAPH_DECIDE,
    GRAPH_END
};
enum graph_port_kind {
    PORT_EXIT,
    PORT_CLOCK, /* time runs out: ends the step */
    PORT_EVENT, /* ends the step */
    PORT_LEFT,  /* of a stage: something in it leaves it that way */
    PORT_SIDE   /* begins a step beside it */
};
enum graph_ending {
    ENDING_NODE,
    ENDING_JOIN, /* the branch ends there */
    ENDING_LEAVE /* what stands around is left by `leave` */
};
struct graph_port {
    enum graph_port_kind kind;
    enum graph_ending ending;
    uint16_t to;       /* node */
    uint8_t leave;     /* exit */
    bool timed;        /* SIDE, EVENT of the workflow: begun by a clock */
    const char *label; /* lines */
    const char *shown; /* wrapped (flow_place.h) */
    unsigned n_exits;  /* that go this way */
    unsigned lines;    /* of it */
    bool back;         /* closes a circle */
    double x, y;       /* where its line begins: the node's border, or the event on it */
    double label_x;    /* where its label begins */
    double end_x;      /* JOIN, LEAVE: middle of the mark */
};
struct graph_node {
    enum graph_kind kind;
    uint16_t step;                   /* WF_NONE: start or event of the workflow */
    uint16_t parent;                 /* node; GRAPH_NONE = outermost */
    uint16_t lane;                   /* GRAPH_NONE for a stage */
    const char *type, *title, *note; /* note: lines */
    struct graph_port *ports;
    unsigned n_ports;
    unsigned n_in; /* lines that come in */
    bool inside;   /* EVENT: begins work beside the case instead of ending it */
    /* flow_place.h */
    uint16_t col, col_last; /* columns; a stage takes several */
    uint16_t row, row_last; /* rows of the whole picture */
    double x, y, w, h;      /* the box */
    double in_x, in_y;      /* where lines come in */
    double split_x;         /* middle of the gateway behind the box; 0 = none (BPMN) */
    const char *shown_title, *shown_note; /* wrapped */
    unsigned title_lines, note_lines;
};
struct graph_lane {
    uint8_t party; /* role or PARTY_*; PARTY_NONE = what cases share */
    const char *title;
    uint16_t first_row, rows;
    double y, h;
};
struct graph {
    const teller_t *teller;
    struct graph_node *nodes;
    unsigned n_nodes, cap;
    struct graph_lane lanes[STO_WF_ROLES_MAX + 3];
    unsigned n_lanes;
    uint16_t *node_of; /* by step */
};

/* Lives in the teller's arena; -STO_E_LIMIT when that is full. */
int graph_new(const teller_t *t, struct graph **out, struct sto_err *err);
unsigned graph_lines(const char *text);                                              /* 0 for "" */
const struct wf_step *graph_step(const struct graph *g, const struct graph_node *n); /* or NULL */

#endif
