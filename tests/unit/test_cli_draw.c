/* SPDX-License-Identifier: EUPL-1.2 */
/* Pictures of every shipped workflow, in both layouts and each language: nothing lies on anything
   else, and words say all that the picture shows. */
#include "shipped.h"

#include <math.h>

#include "flow_holders.h"
#include "flow_picture.h"
#include "flow_place.h"

struct drawn {
    workflow_t *wf;
    teller_t *t;
    struct graph *g;
    struct placed *p;
};

static workflow_t *load(const network_t *net, const char *dir)
{
    sto_diags_t *d = sto_diags_new();
    workflow_t *wf = load_shipped_workflow(net, dir, d);
    if (!wf) {
        print_diags(d);
        fail_msg("%s does not load", dir);
    }
    sto_diags_destroy(&d);
    return wf;
}

static void draw(const network_t *net, const char *dir, const char *lang,
                 const struct place_style *style, struct drawn *x)
{
    struct sto_err err = {0};
    *x = (struct drawn){.wf = load(net, dir)};
    if (teller_new(lang, net, x->wf, &x->t, &err) != 0 || graph_new(x->t, &x->g, &err) != 0 ||
        place(x->g, style, &x->p, &err) != 0) {
        fail_msg("%s: %s", dir, err.what);
    }
}

static void done(struct drawn *x)
{
    teller_destroy(&x->t);
    workflow_destroy(&x->wf);
}

/* ----------------------------------------------------------------- rectangles */

struct box {
    double x, y, w, h;
    const char *what;
    const struct graph_node *of;
    bool label;
};
#define BOXES_MAX 4000

static bool overlap(const struct box *a, const struct box *b)
{
    return a->x + a->w > b->x + 0.5 && b->x + b->w > a->x + 0.5 && a->y + a->h > b->y + 0.5 &&
           b->y + b->h > a->y + 0.5;
}

static unsigned boxes_of(const struct drawn *x, struct box *v)
{
    unsigned n = 0;
    for (unsigned i = 0; i < x->g->n_nodes; i++) {
        const struct graph_node *q = &x->g->nodes[i];
        if (q->kind != GRAPH_STAGE) {
            v[n++] = (struct box){q->x, q->y, q->w, q->h, q->title, q, false};
        }
        for (unsigned p = 0; p < q->n_ports; p++) {
            const struct graph_port *port = &q->ports[p];
            if (port->lines > 0) {
                double h = port->lines * PLACE_LINE;
                v[n++] = (struct box){
                    port->label_x, port->y - 3 - h, place_width(port->shown, 11), h, port->label, q,
                    true};
            }
        }
        assert_true(n < BOXES_MAX - 64);
    }
    return n;
}

static void no_boxes_overlap(const struct drawn *x, const char *dir)
{
    static struct box v[BOXES_MAX];
    unsigned n = boxes_of(x, v);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = i + 1; k < n; k++) {
            if (overlap(&v[i], &v[k])) {
                fail_msg("%s: '%s' lies on '%s'", dir, v[i].what, v[k].what);
            }
        }
        bool outside =
            v[i].x < 0 || v[i].y < 0 || v[i].x + v[i].w > x->p->w + 16 || v[i].y + v[i].h > x->p->h;
        if (outside) {
            fail_msg("%s: '%s' reaches out of the picture", dir, v[i].what);
        }
    }
}

static bool within(const struct graph *g, uint16_t container, const struct graph_node *n)
{
    for (uint16_t up = n->parent; up != GRAPH_NONE; up = g->nodes[up].parent) {
        if (up == container) {
            return true;
        }
    }
    return false;
}

static void stages_hold_their_steps_only(const struct drawn *x, const char *dir)
{
    static struct box v[BOXES_MAX];
    unsigned n = boxes_of(x, v);
    for (uint16_t i = 0; i < x->g->n_nodes; i++) {
        const struct graph_node *s = &x->g->nodes[i];
        const struct box stage = {s->x, s->y, s->w, s->h, s->title, s, false};
        for (unsigned k = 0; s->kind == GRAPH_STAGE && k < n; k++) {
            bool inside = within(x->g, i, v[k].of);
            bool covered = v[k].x >= s->x && v[k].x + v[k].w <= s->x + s->w + 0.5 &&
                           v[k].y >= s->y && v[k].y + v[k].h <= s->y + s->h + 0.5;
            if (inside ? !covered : overlap(&stage, &v[k])) {
                fail_msg("%s: '%s' and the box of stage '%s'", dir, v[k].what, s->title);
            }
        }
    }
}

static void steps_stand_in_their_lanes(const struct drawn *x, const char *dir)
{
    for (unsigned i = 0; i < x->g->n_nodes; i++) {
        const struct graph_node *n = &x->g->nodes[i];
        if (n->kind == GRAPH_STAGE) {
            continue;
        }
        const struct graph_lane *l = &x->g->lanes[n->lane];
        if (n->y < l->y || n->y + n->h > l->y + l->h) {
            fail_msg("%s: '%s' is not in its lane '%s'", dir, n->title, l->title);
        }
    }
}

/* ---------------------------------------------------------------------- lines */

static bool line_hits(const struct place_line *l, unsigned k, const struct box *b)
{
    double x0 = fmin(l->x[k], l->x[k + 1]), x1 = fmax(l->x[k], l->x[k + 1]);
    double y0 = fmin(l->y[k], l->y[k + 1]), y1 = fmax(l->y[k], l->y[k + 1]);
    return x1 > b->x + 1 && x0 < b->x + b->w - 1 && y1 > b->y + 1 && y0 < b->y + b->h - 1;
}

static void no_line_crosses_a_box(const struct drawn *x, const char *dir)
{
    static struct box v[BOXES_MAX];
    unsigned n = boxes_of(x, v);
    for (unsigned i = 0; i < x->p->n_lines; i++) {
        const struct place_line *l = &x->p->lines[i];
        assert_true(l->n >= 2);
        for (unsigned k = 0; k + 1 < l->n; k++) {
            assert_true(fabs(l->x[k] - l->x[k + 1]) < 0.01 || fabs(l->y[k] - l->y[k + 1]) < 0.01);
            for (unsigned b = 0; b < n; b++) {
                bool own = v[b].of == &x->g->nodes[l->from] && !v[b].label;
                if (!own && line_hits(l, k, &v[b])) {
                    fail_msg("%s: the line from '%s' to '%s' runs over '%s'", dir,
                             x->g->nodes[l->from].title, x->g->nodes[l->to].title, v[b].what);
                }
            }
        }
        assert_true(fabs(l->x[l->n - 1] - x->g->nodes[l->to].in_x) < 0.01);
        assert_true(fabs(l->y[l->n - 1] - x->g->nodes[l->to].in_y) < 0.01);
    }
}

/* How far two segments run on one another. */
static double shared(const struct place_line *a, unsigned i, const struct place_line *b, unsigned k)
{
    bool across = fabs(a->y[i] - a->y[i + 1]) < 0.01, other = fabs(b->y[k] - b->y[k + 1]) < 0.01;
    const double *av = across ? a->x : a->y, *bv = across ? b->x : b->y;
    const double *ac = across ? a->y : a->x, *bc = across ? b->y : b->x;
    if (across != other || fabs(ac[i] - bc[k]) > 1) {
        return 0;
    }
    return fmin(fmax(av[i], av[i + 1]), fmax(bv[k], bv[k + 1])) -
           fmax(fmin(av[i], av[i + 1]), fmin(bv[k], bv[k + 1]));
}

static void lines_to_different_steps_stay_apart(const struct drawn *x, const char *dir)
{
    for (unsigned i = 0; i < x->p->n_lines; i++) {
        for (unsigned k = i + 1; k < x->p->n_lines; k++) {
            const struct place_line *a = &x->p->lines[i], *b = &x->p->lines[k];
            for (unsigned s = 0; a->to != b->to && s + 1 < a->n; s++) {
                for (unsigned u = 0; u + 1 < b->n; u++) {
                    bool same_gateway = a->from == b->from && s == 0 && u == 0;
                    if (!same_gateway && shared(a, s, b, u) > 1) {
                        fail_msg("%s: lines to '%s' and '%s' run on one another", dir,
                                 x->g->nodes[a->to].title, x->g->nodes[b->to].title);
                    }
                }
            }
        }
    }
}

/* ---------------------------------------------------------------------- tests */

static void picture_is_sound(void *arg, const network_t *net, const char *dir)
{
    static const char *const LANGS[] = {"fi", "sv", "en"};
    (void)arg;
    for (unsigned i = 0; i < 6; i++) {
        struct drawn x;
        draw(net, dir, LANGS[i / 2], i % 2 == 0 ? &place_picture : &place_bpmn, &x);
        no_boxes_overlap(&x, dir);
        stages_hold_their_steps_only(&x, dir);
        steps_stand_in_their_lanes(&x, dir);
        no_line_crosses_a_box(&x, dir);
        lines_to_different_steps_stay_apart(&x, dir);
        done(&x);
    }
}

static void nothing_lies_on_anything_else(void **state)
{
    assert_true(each_shipped(*state, picture_is_sound, NULL) >= 4);
}

typedef int writer(const teller_t *t, struct sto_buf *out, struct sto_err *err);

static void written(const network_t *net, const char *dir, writer *write, struct sto_buf *out)
{
    struct sto_err err = {0};
    workflow_t *wf = load(net, dir);
    teller_t *t = NULL;
    sto_buf_init(out, 0);
    assert_int_equal(teller_new("en", net, wf, &t, &err), 0);
    assert_int_equal(write(t, out, &err), 0);
    sto_put_u8(out, '\0');
    teller_destroy(&t);
    workflow_destroy(&wf);
}

static void same_bytes(void *arg, const network_t *net, const char *dir)
{
    writer *const writers[] = {flow_svg, flow_text, flow_bpmn};
    (void)arg;
    for (unsigned i = 0; i < 3; i++) {
        struct sto_buf a, b;
        written(net, dir, writers[i], &a);
        written(net, dir, writers[i], &b);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len);
        sto_buf_release(&a);
        sto_buf_release(&b);
    }
}

static void the_same_workflow_gives_the_same_bytes(void **state)
{
    assert_true(each_shipped(*state, same_bytes, NULL) >= 4);
}

static void says(const struct sto_buf *b, const char *dir, const char *what)
{
    if (strstr((const char *)b->data, what) == NULL) {
        fail_msg("%s: the words do not say '%s'", dir, what);
    }
}

static void words_say_all(void *arg, const network_t *net, const char *dir)
{
    struct sto_buf b;
    struct sto_err err = {0};
    teller_t *t = NULL;
    workflow_t *wf = load(net, dir);
    (void)arg;
    written(net, dir, flow_text, &b);
    assert_int_equal(teller_new("en", net, wf, &t, &err), 0);
    for (uint16_t k = 0; k < wf->n_steps; k++) {
        const struct wf_step *s = &wf->steps[k];
        if (strpbrk(s->id, ".#") != NULL) {
            continue; /* inside a call or an each */
        }
        says(&b, dir, s->id);
        says(&b, dir, tell_step(t, k));
        for (unsigned e = 0; e < s->n_exits; e++) {
            says(&b, dir, tell_exit(t, s->exits[e].exit));
        }
        for (unsigned w = 0; w < s->n_within; w++) {
            says(&b, dir, tell_when(t, &s->within[w]));
        }
        for (unsigned r = 0; r < s->n_rules; r++) {
            says(&b, dir, s->rules[r].when_text);
        }
        for (unsigned i = 0; i < s->n_sides; i++) {
            says(&b, dir, tell_starts(t, &wf->steps[s->sides[i]].starts));
        }
    }
    teller_destroy(&t);
    workflow_destroy(&wf);
    sto_buf_release(&b);
}

static void words_say_what_the_picture_shows(void **state)
{
    assert_true(each_shipped(*state, words_say_all, NULL) >= 4);
}

/* K16: the office holds until guidance takes over; whoever must be reached then may be anybody's.
 */
static void holders_follow_takeovers(void **state)
{
    workflow_t *wf = load(*state, SHIPPED_ROOT "/keuruu-info-500");
    uint32_t at[STO_WF_STEPS_MAX];
    flow_holders(wf, at);
    unsigned te = 1u << workflow_role(wf, "te"), guidance = 1u << workflow_role(wf, "guidance");
    assert_int_equal(at[workflow_step(wf, "mapping")], guidance);
    assert_int_equal(at[workflow_step(wf, "guided")], guidance);
    assert_int_equal(at[workflow_step(wf, "reach-out")], te | guidance);
    workflow_destroy(&wf);
}

static void text_is_wrapped_between_words(void **state)
{
    workflow_t *wf = load(*state, SHIPPED_ROOT "/keuruu-info-500");
    teller_t *t = NULL;
    struct sto_err err = {0};
    assert_int_equal(teller_new("fi", *state, wf, &t, &err), 0);
    assert_string_equal(place_wrap(t, "aa bb cc", 1000, 10), "aa bb cc");
    assert_string_equal(place_wrap(t, "aa bb cc", 1, 10), "a\na\nb\nb\nc\nc");
    assert_string_equal(place_wrap(t, "äö\nåå", 1, 10), "ä\nö\nå\nå");
    assert_string_equal(place_wrap(t, "", 1, 10), "");
    const char *s = place_wrap(t, "Ilmoitus aikuissosiaalityölle poissaolosta", 120, 12);
    assert_true(place_width(s, 12) <= 120);
    teller_destroy(&t);
    workflow_destroy(&wf);
}

static int open_network(void **state)
{
    *state = load_shipped("oulu-2014");
    return 0;
}

static int close_network(void **state)
{
    network_t *net = *state;
    network_destroy(&net);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lies_on_anything_else),
        cmocka_unit_test(the_same_workflow_gives_the_same_bytes),
        cmocka_unit_test(words_say_what_the_picture_shows),
        cmocka_unit_test(holders_follow_takeovers),
        cmocka_unit_test(text_is_wrapped_between_words),
    };
    return cmocka_run_group_tests_name("draw", tests, open_network, close_network);
}
