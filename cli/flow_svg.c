/* SPDX-License-Identifier: EUPL-1.2 */
/* The picture as SVG: plain shapes, no script, no font of its own; readable in print without
   colour. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow_picture.h"
#include "flow_place.h"
#include "sto_file.h"

#define MARGIN 16.0
#define HEAD   64.0
#define LEGEND 66.0

struct svg {
    struct sto_buf *out;
    const struct placed *p;
    const struct graph *g;
    const teller_t *t;
};

void picture_put(struct sto_buf *b, const char *fmt, ...)
{
    char small[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < (int)sizeof small) {
        sto_put_bytes(b, small, n > 0 ? (size_t)n : 0);
        return;
    }
    char *large = sto_xrealloc(NULL, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(large, (size_t)n + 1, fmt, ap);
    va_end(ap);
    sto_put_bytes(b, large, (size_t)n);
    free(large);
}

void picture_escaped(struct sto_buf *b, const char *s)
{
    for (; *s != '\0'; s++) {
        const char *e = *s == '<'    ? "&lt;"
                        : *s == '>'  ? "&gt;"
                        : *s == '&'  ? "&amp;"
                        : *s == '"'  ? "&quot;"
                        : *s == '\n' ? "&#10;"
                                     : NULL;
        if (e != NULL) {
            sto_put_bytes(b, e, strlen(e));
        } else if ((unsigned char)*s >= ' ') {
            sto_put_u8(b, (uint8_t)*s);
        }
    }
}

/* Lines of text, the first one's baseline at y. */
static void text(const struct svg *v, double x, double y, const char *s, const char *look)
{
    bool title = strncmp(look, "t", 1) == 0;
    for (const char *p = s; *p != '\0';) {
        size_t n = strcspn(p, "\n");
        char *line = sto_asprintf("%.*s", (int)n, p);
        picture_put(v->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", look, x, y);
        picture_escaped(v->out, line);
        picture_put(v->out, "</text>\n");
        free(line);
        y += title ? PLACE_TITLE : PLACE_LINE;
        p += n + (p[n] == '\n');
    }
}

/* Lines that end above y. */
static void text_above(const struct svg *v, double x, double y, const char *s, const char *look)
{
    text(v, x, y - (graph_lines(s) > 0 ? (graph_lines(s) - 1) * PLACE_LINE : 0), s, look);
}

static void put_style(struct sto_buf *out)
{
    picture_put(
        out, "%s",
        "<style>\n"
        "text { font-family: Arial, 'Liberation Sans', Helvetica, sans-serif; fill: #1b2733; }\n"
        ".h { font-size: 18px; font-weight: bold; }\n"
        ".l { font-size: 13px; font-weight: bold; text-anchor: middle; }\n"
        ".t { font-size: 12.5px; font-weight: bold; }\n"
        ".k { font-size: 10px; fill: #526170; }\n"
        ".n { font-size: 10.5px; fill: #3b4a58; }\n"
        ".e { font-size: 11px; stroke: #fff; stroke-width: 3px; stroke-linejoin: round; "
        "paint-order: stroke; }\n"
        ".lane { fill: #fff; stroke: #8796a5; }\n"
        ".odd { fill: #f5f8fb; }\n"
        ".head { fill: #e3eaf1; stroke: #8796a5; }\n"
        ".stage { fill: #dfe9f6; fill-opacity: 0.45; stroke: #48658c; stroke-width: 1.4; }\n"
        ".step { fill: #fff; stroke: #33475b; stroke-width: 1.3; }\n"
        ".moves { fill: #fff1cf; stroke: #8a5200; stroke-width: 2.6; }\n"
        ".other { fill: #eaf5ea; stroke: #2b6b2f; stroke-width: 1.3; }\n"
        ".shared { fill: #f0eafa; stroke: #57419a; stroke-width: 1.3; }\n"
        ".tells { fill: #f1f3f5; stroke: #5b6875; stroke-width: 1.3; stroke-dasharray: 4 2; }\n"
        ".end { fill: #e6ebf0; stroke: #1b2733; stroke-width: 2.6; }\n"
        ".line { fill: none; stroke: #33475b; stroke-width: 1.3; }\n"
        ".side { stroke-dasharray: 5 3; }\n"
        ".mark { fill: #33475b; }\n"
        ".sign { fill: #fff; stroke: #33475b; stroke-width: 1.2; }\n"
        ".beside { stroke-dasharray: 3 2; }\n"
        "</style>\n");
}

static void put_marker(struct sto_buf *out)
{
    picture_put(
        out, "%s",
        "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" "
        "markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" "
        "orient=\"auto\"><path d=\"M0,0.5 L8,4 L0,7.5 z\" fill=\"#33475b\"/></marker></defs>\n");
}

/* --------------------------------------------------------------------- signs */

static void circle(const struct svg *v, const char *look, double x, double y, double r)
{
    picture_put(v->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n", look, x, y,
                r);
}

static void cross(const struct svg *v, double x, double y, double r)
{
    picture_put(v->out, "<path class=\"line\" d=\"M%.1f,%.1f l%.1f,%.1f m0,%.1f l%.1f,%.1f\"/>\n",
                x - r, y - r, 2 * r, 2 * r, -2 * r, -2 * r, 2 * r);
}

enum sign { SIGN_CLOCK, SIGN_LETTER, SIGN_CROSS };

static void sign(const struct svg *v, double x, double y, double r, enum sign what, bool beside)
{
    circle(v, beside ? "sign beside" : "sign", x, y, r);
    switch (what) {
    case SIGN_CLOCK:
        picture_put(v->out, "<path class=\"line\" d=\"M%.1f,%.1f L%.1f,%.1f L%.1f,%.1f\"/>\n", x,
                    y - r * 0.65, x, y, x + r * 0.5, y + r * 0.2);
        break;
    case SIGN_LETTER:
        picture_put(v->out,
                    "<path class=\"line\" d=\"M%.1f,%.1f h%.1f v%.1f h%.1f z l%.1f,%.1f "
                    "l%.1f,%.1f\"/>\n",
                    x - r * 0.6, y - r * 0.4, r * 1.2, r * 0.8, -r * 1.2, r * 0.6, r * 0.5, r * 0.6,
                    -r * 0.5);
        break;
    case SIGN_CROSS:
        cross(v, x, y, r * 0.45);
        break;
    }
}

static enum sign sign_of(const struct graph_port *p)
{
    return p->kind == PORT_LEFT                                          ? SIGN_CROSS
           : p->kind == PORT_CLOCK || (p->kind == PORT_SIDE && p->timed) ? SIGN_CLOCK
                                                                         : SIGN_LETTER;
}

static void ending(const struct svg *v, double x, double y, const struct graph_port *p)
{
    double r = v->p->style->mark;
    if (p->ending == ENDING_JOIN) {
        circle(v, "mark", x, y, r);
        return;
    }
    circle(v, "sign", x, y, r + 2);
    cross(v, x, y, r * 0.6);
    text(v, x + r + 6, y + 4, tell_exit(v->t, p->leave), "n");
}

/* --------------------------------------------------------------------- lines */

/* Right angles with rounded corners. */
static void path(const struct svg *v, const double *x, const double *y, unsigned n,
                 const char *look, bool arrow)
{
    picture_put(v->out, "<path class=\"%s\"%s d=\"M%.1f,%.1f", look,
                arrow ? " marker-end=\"url(#a)\"" : "", x[0], y[0]);
    for (unsigned i = 1; i < n; i++) {
        if (i + 1 == n) {
            picture_put(v->out, " L%.1f,%.1f", x[i], y[i]);
            break;
        }
        double a = fabs(x[i] - x[i - 1]) + fabs(y[i] - y[i - 1]);
        double b = fabs(x[i + 1] - x[i]) + fabs(y[i + 1] - y[i]);
        double r = fmin(6, fmin(a, b) / 2);
        picture_put(v->out, " L%.1f,%.1f Q%.1f,%.1f %.1f,%.1f", x[i] + (x[i - 1] - x[i]) / a * r,
                    y[i] + (y[i - 1] - y[i]) / a * r, x[i], y[i], x[i] + (x[i + 1] - x[i]) / b * r,
                    y[i] + (y[i + 1] - y[i]) / b * r);
    }
    picture_put(v->out, "\"/>\n");
}

static void put_lines(const struct svg *v)
{
    for (unsigned i = 0; i < v->p->n_lines; i++) {
        const struct place_line *l = &v->p->lines[i];
        bool side = v->g->nodes[l->from].ports[l->port].kind == PORT_SIDE;
        path(v, l->x, l->y, l->n, side ? "line side" : "line", true);
    }
}

/* ---------------------------------------------------------------------- nodes */

static void put_port(const struct svg *v, const struct graph_node *n, const struct graph_port *p)
{
    double border = n->y + n->h;
    if (p->kind != PORT_EXIT) {
        sign(v, p->x, border, v->p->style->event, sign_of(p), p->kind == PORT_SIDE);
    }
    if (p->ending != ENDING_NODE) {
        double x[3] = {p->x, p->x, p->end_x}, y[3] = {p->y, p->y, p->y};
        bool below = p->kind != PORT_EXIT || p->x < n->x + n->w - 1;
        y[0] = below ? border + (p->kind != PORT_EXIT ? v->p->style->event : 0) : p->y;
        path(v, below ? x : x + 1, below ? y : y + 1, below ? 3 : 2, "line", false);
        ending(v, p->end_x, p->y, p);
    }
    text_above(v, p->label_x, p->y - 4, p->shown, "e");
}

static const char *step_look(const struct wf_step *s)
{
    switch (s->type) {
    case STEP_HANDOVER:
        return "moves";
    case STEP_REFERRAL:
    case STEP_CONSULT:
    case STEP_CALL:
        return "other";
    case STEP_SESSION:
    case STEP_PANEL:
    case STEP_PLACE:
        return "shared";
    case STEP_NOTIFY:
    case STEP_WAIT:
        return "tells";
    case STEP_TASK:
    case STEP_MEETING:
    case STEP_DECIDE:
    case STEP_STAGE:
    case STEP_END:
    case STEP_CONSENT:
    case STEP_MEASURE:
    case STEP_PLAN:
    case STEP_EACH:
        break;
    }
    return "step";
}

static void put_step(const struct svg *v, const struct graph_node *n, const struct wf_step *s)
{
    picture_put(v->out,
                "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                "rx=\"7\"/>\n",
                step_look(s), n->x, n->y, n->w, n->h);
    if (s->type == STEP_CALL) {
        picture_put(v->out,
                    "<rect class=\"line\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                    "rx=\"5\"/>\n",
                    n->x + 3, n->y + 3, n->w - 6, n->h - 6);
    }
    double y = n->y + 16;
    const char *kind = tell_join(v->t, n->type, " · ", tell_id(v->t, n->step));
    text(v, n->x + 10, y, kind, "k");
    text(v, n->x + 10, y + PLACE_TITLE, n->shown_title, "t");
    text(v, n->x + 10, y + (n->title_lines + 1) * PLACE_TITLE - 1, n->shown_note, "n");
}

static void put_small(const struct svg *v, const struct graph_node *n)
{
    double r = n->w / 2, x = n->x + r;
    double above = r;
    if (n->kind == GRAPH_DECIDE) {
        picture_put(v->out,
                    "<path class=\"sign\" d=\"M%.1f,%.1f l%.1f,%.1f l%.1f,%.1f l%.1f,%.1f z\"/>\n",
                    n->x, n->in_y, r, -r, r, r, -r, r);
    } else if (n->kind == GRAPH_EVENT) {
        sign(v, x, n->in_y, r, n->ports[0].timed ? SIGN_CLOCK : SIGN_LETTER, n->inside);
    } else {
        circle(v, "sign", x, n->in_y, r);
    }
    if (n->n_ports > 0 && n->ports[0].lines * PLACE_LINE + 4 > above) {
        above = n->ports[0].lines * PLACE_LINE + 4;
    }
    double y = n->in_y - above - 6 - n->note_lines * PLACE_LINE;
    text(v, n->x, y - (n->title_lines > 0 ? (n->title_lines - 1) * PLACE_TITLE : 0), n->shown_title,
         "t");
    text(v, n->x, y + PLACE_LINE, n->shown_note, "n");
}

static void put_end(const struct svg *v, const struct graph_node *n)
{
    picture_put(v->out,
                "<rect class=\"end\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                "rx=\"%.1f\"/>\n",
                n->x, n->y, n->w, n->h, n->h / 2 < 16 ? n->h / 2 : 16.0);
    text(v, n->x + 12, n->y + 18, n->shown_title, "t");
    text(v, n->x + 12, n->y + 17 + n->title_lines * PLACE_TITLE, n->shown_note, "n");
}

static void put_stage(const struct svg *v, const struct graph_node *n)
{
    picture_put(v->out,
                "<rect class=\"stage\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                "rx=\"9\"/>\n",
                n->x, n->y, n->w, n->h);
}

static void put_stage_text(const struct svg *v, const struct graph_node *n)
{
    const char *kind = tell_join(v->t, n->type, " · ", tell_id(v->t, n->step));
    text(v, n->x + 12, n->y + 16, kind, "k");
    text(v, n->x + 12, n->y + 16 + PLACE_TITLE, n->shown_title, "t");
    text(v, n->x + 12, n->y + 15 + (n->title_lines + 1) * PLACE_TITLE, n->shown_note, "n");
}

static void put_node(const struct svg *v, const struct graph_node *n)
{
    const struct wf_step *s = graph_step(v->g, n);
    picture_put(v->out, "<g>");
    if (s != NULL) {
        picture_put(v->out, "<title>");
        picture_escaped(v->out, tell_join(v->t, tell_id(v->t, n->step), ": ", n->title));
        picture_put(v->out, "</title>");
    }
    picture_put(v->out, "\n");
    switch (n->kind) {
    case GRAPH_STEP:
        put_step(v, n, s);
        break;
    case GRAPH_START:
    case GRAPH_EVENT:
    case GRAPH_DECIDE:
        put_small(v, n);
        break;
    case GRAPH_END:
        put_end(v, n);
        break;
    case GRAPH_STAGE:
        put_stage_text(v, n);
        break;
    }
    for (unsigned i = 0; i < n->n_ports; i++) {
        put_port(v, n, &n->ports[i]);
    }
    picture_put(v->out, "</g>\n");
}

static void put_lanes(const struct svg *v)
{
    for (unsigned i = 0; i < v->g->n_lanes; i++) {
        const struct graph_lane *l = &v->g->lanes[i];
        const char *title = place_wrap(v->t, l->title, l->h - 8, 13);
        unsigned n = graph_lines(title);
        picture_put(v->out,
                    "<rect class=\"lane%s\" x=\"0\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n"
                    "<rect class=\"head\" x=\"0\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n"
                    "<g transform=\"translate(%.1f,%.1f) rotate(-90)\">\n",
                    i % 2 == 1 ? " odd" : "", l->y, v->p->w + MARGIN, l->h, l->y, v->p->lane_w - 8,
                    l->h, (v->p->lane_w - 8) / 2, l->y + l->h / 2);
        double y = 5 - (n > 0 ? n - 1 : 0) * 7.0;
        for (const char *p = title; *p != '\0';) {
            size_t len = strcspn(p, "\n");
            char *line = sto_asprintf("%.*s", (int)len, p);
            text(v, 0, y, line, "l");
            y += 14;
            free(line);
            p += len + (p[len] == '\n');
            y += 14;
        }
        picture_put(v->out, "</g>\n");
    }
}

/* -------------------------------------------------------------------- legend */

static double legend_text(const struct svg *v, double x, double y, const char *key)
{
    const char *s = tell(v->t, key, NULL, NULL);
    text(v, x, y + 4, s, "n");
    return x + place_width(s, 10.5) + 22;
}

static void legend_box(const struct svg *v, double x, double y, const char *look)
{
    picture_put(v->out,
                "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"26\" height=\"16\" rx=\"4\"/>\n",
                look, x, y - 8);
}

/* In one line, or more where the picture is narrow. */
static void put_legend(const struct svg *v, double width)
{
    static const char *const KEYS[] = {"legend-step",  "legend-handover", "legend-stage",
                                       "legend-clock", "legend-event",    "legend-side",
                                       "legend-join",  "legend-leave"};
    double x = 0, y = v->p->h + 26, r = v->p->style->event;
    for (unsigned i = 0; i < 8; i++) {
        double need = 32 + place_width(tell(v->t, KEYS[i], NULL, NULL), 10.5);
        if (x > 0 && x + need > width) {
            x = 0;
            y += 22;
        }
        const struct graph_port join = {.ending = ENDING_JOIN};
        switch (i) {
        case 0:
        case 1:
        case 2:
            legend_box(v, x, y, i == 0 ? "step" : i == 1 ? "moves" : "stage");
            break;
        case 3:
        case 4:
        case 5:
            sign(v, x + 13, y, r, i != 4 ? SIGN_CLOCK : SIGN_LETTER, i == 5);
            break;
        case 6:
            ending(v, x + 13, y, &join);
            break;
        default:
            sign(v, x + 13, y, 7, SIGN_CROSS, false);
            break;
        }
        x = legend_text(v, x + 32, y, KEYS[i]);
    }
}

static void put_contents(const struct svg *v)
{
    put_lanes(v);
    for (unsigned i = 0; i < v->g->n_nodes; i++) { /* outer stages before those in them */
        if (v->g->nodes[i].kind == GRAPH_STAGE) {
            put_stage(v, &v->g->nodes[i]);
        }
    }
    put_lines(v);
    for (unsigned i = 0; i < v->g->n_nodes; i++) {
        put_node(v, &v->g->nodes[i]);
    }
}

int flow_svg(const teller_t *t, struct sto_buf *out, struct sto_err *err)
{
    struct graph *g = NULL;
    struct placed *p = NULL;
    const workflow_t *w = teller_workflow(t);
    int rc = graph_new(t, &g, err);
    rc = rc != 0 ? rc : place(g, &place_picture, &p, err);
    if (rc != 0) {
        return rc;
    }
    const struct svg v = {.out = out, .p = p, .g = g, .t = t};
    double wide = p->w + MARGIN, width = (wide < 640 ? 640 : wide) + 2 * MARGIN,
           height = HEAD + p->h + LEGEND + MARGIN;
    picture_put(out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                "viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"title\">\n"
                "<title id=\"title\">",
                width, height, width, height);
    picture_escaped(out, tell_title(t));
    picture_put(out, "</title>\n");
    put_style(out);
    put_marker(out);
    picture_put(out, "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n");
    text(&v, MARGIN, 26, tell_title(t), "h");
    const char *line = tell(t, "workflow-line", w->id, tell_number(t, w->version));
    if (w->source != NULL && *w->source != '\0') {
        line = tell_join(t, line, " · ", tell(t, "source", w->source, NULL));
    }
    text(&v, MARGIN, 44, line, "n");
    picture_put(out, "<g transform=\"translate(%.0f,%.0f)\">\n", MARGIN, HEAD);
    put_contents(&v);
    put_legend(&v, width - 2 * MARGIN);
    picture_put(out, "</g>\n</svg>\n");
    return out->failed ? sto_fail(err, STO_E_LIMIT, "the picture is too large") : 0;
}
