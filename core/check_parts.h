/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The parts of the checker. They see a workflow as a graph of steps: an edge is an exit or a rule;
 * where it lands is found by following join and leave:EXIT out of stages. Internal to core/.
 */
#ifndef CHECK_PARTS_H
#define CHECK_PARTS_H
#include "check.h"

#define CHECK_EDGES_MAX (STO_WF_EXITS_MAX + WF_RULES_MAX)

struct check {
    const workflow_t *w;
    const network_t *net;
    const char *file;
    sto_diags_t *diags;
    bool reached[STO_WF_STEPS_MAX];
};

/* What makes a step go this way. */
enum mover {
    BY_INSTANT,
    BY_CLOCK,
    BY_CHANCE /* no-show, excused, absent */,
    BY_CHOICE,
    BY_EVENT,
    BY_INSIDE /* of a stage or a host */
};

struct edge {
    uint8_t exit; /* 0: a rule */
    enum mover by;
    enum target_kind kind;
    uint16_t step;
    uint8_t leave;
    uint64_t collects;
    int line;
};
unsigned check_edges(const workflow_t *w, uint16_t ix, struct edge out[CHECK_EDGES_MAX]);

enum land { LAND_NOWHERE, LAND_STEP, LAND_STAY, LAND_SIDE_OVER };
struct landing {
    enum land kind;
    uint16_t step;
};
/* Where an edge of step ix comes down, through the stages that it leaves. */
struct landing check_land(const workflow_t *w, uint16_t ix, const struct edge *e);

/* Is step ix step `of` itself, or inside or beside it? Everything is inside WF_ROOT. */
bool check_inside(const workflow_t *w, uint16_t ix, uint16_t of);

void check_error(struct check *c, int line, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* At something of a called workflow, a role or a field: in its own file. */
void check_file_error(struct check *c, const char *file, int line, const char *code,
                      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void check_file_warning(struct check *c, const char *file, int line, const char *code,
                        const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* A finding at a step: the file is that of the workflow it was called from. */
void check_step_error(struct check *c, uint16_t step, int line, const char *code, const char *fmt,
                      ...) __attribute__((format(printf, 5, 6)));
void check_step_warning(struct check *c, uint16_t step, int line, const char *code, const char *fmt,
                        ...) __attribute__((format(printf, 5, 6)));
void check_warning(struct check *c, int line, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* May this role come to be that organisation? */
bool check_candidate(const struct check *c, unsigned role, const struct organisation *o);
bool check_candidate_on(const struct check *c, unsigned role, const struct organisation *o,
                        int32_t day);
/* Roles that a step is addressed to or turns to, bits. */
uint32_t check_uses(const workflow_t *w, const struct wf_step *s);

int check_circles(struct check *c); /* 0 = none, 1 = an endless one, 2 = an instant one */
/* Longest possible duration, or whose choice makes it unlimited. */
void check_longest(struct check *c, struct check_report *out);
void check_data(struct check *c);    /* fields that nothing sets or uses */
void check_parties(struct check *c); /* roles, holders */
void check_law(struct check *c);     /* bases, consents, voluntary services */
void check_dates(struct check *c);   /* what ends while cases may live */

#endif
