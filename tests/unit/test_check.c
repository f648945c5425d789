/* SPDX-License-Identifier: EUPL-1.2 */
/* The checker: a sound workflow has no finding, and each planted fault has its code and line. */
#include "model_fixture.h"

static network_t *net;

static int set_up(void **state)
{
    (void)state;
    sto_time_init();
    net = load_network(NETWORK_TEXT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    network_destroy(&net);
    return 0;
}

/* Findings of the checker alone. */
static sto_diags_t *check(const char *text, const network_t *n, int *rc, int64_t *longest)
{
    sto_diags_t *d = sto_diags_new();
    workflow_t *w = load_workflow(text, n, d);
    if (!w) {
        print_diags(d);
        fail_msg("the workflow must load");
    }
    sto_diags_destroy(&d);
    d = sto_diags_new();
    *rc = check_workflow(w, "workflow.cfg", n, d, longest);
    workflow_destroy(&w);
    return d;
}

static void a_sound_workflow_has_no_finding(void **state)
{
    (void)state;
    int rc;
    int64_t longest;
    sto_diags_t *d = check(WORKFLOW_TEXT, net, &rc, &longest);
    print_diags(d);
    assert_int_equal(rc, 0);
    assert_int_equal(sto_diags_count(d), 0);
    assert_int_equal(longest, -1); /* the holder may choose 'again' for ever */
    sto_diags_destroy(&d);
}

static const struct planted {
    struct broken b;
    bool error;
} PLANTED[] = {
    /* reach */
    {{"    gone : {",
      "    alone : { type = \"task\";  role = \"holder\";  within = \"1 day\";  on : { done = "
      "\"gone\";  expired = \"stay\"; }; };\n    gone : {",
      "unreached-step", 0},
     true},
    {{"returned = \"choose\"; }; };\n    hand",
      "returned = \"choose\"; }; };\n    alone : { type = \"end\";  outcome = \"alone\"; };\n    "
      "hand",
      "unreached-step", 1},
     true},
    {{"stop = \"gone\";  expired = \"stay\"; }; };",
      "turn = \"trap\";  expired = \"stay\"; }; };\n    trap : { type = \"task\";  role = "
      "\"holder\";  within = \"1 day\";  on : { done = \"trap\";  expired = \"stay\"; }; };",
      "no-end", 1},
     true},
    /* circles */
    {{"within = \"4 months\";  at-most = 3;  ladder = \"short\";\n      on : { attended = "
      "\"hand\";  excused = \"event\";  absent = \"why\";  expired = \"choose\";  too-often = "
      "\"choose\"; };",
      "within = \"4 months\";\n      on : { attended = \"hand\";  excused = \"event\";  absent = "
      "\"why\";  expired = \"choose\"; };",
      "endless-circle", -3},
     true},
    {{"expired = \"stay\";  too-often = \"choose\"; }; };\n    phase",
      "expired = \"talk2\";  too-often = \"choose\"; }; };\n    talk2 : { type = \"task\";  role = "
      "\"holder\";  within = \"1 day\";  on : { done = \"gone\";  expired = \"talk3\"; }; };\n"
      "    talk3 : { type = \"task\";  role = \"holder\";  within = \"1 day\";  on : { done = "
      "\"gone\";  expired = \"talk2\"; }; };\n    phase",
      "endless-circle", 1},
     true},
    {{"next = \"choose\"; };\n",
      "next = \"judge2\"; };\n    judge2 : { type = \"decide\";  rules = ( { when = \"days > 3\";  "
      "to = \"tell-te\"; }, { to = \"choose\"; } ); };\n",
      "instant-circle", 0},
     true},
    {{"on : { answered = \"choose\";  returned = \"choose\"; }; };",
      "on : { answered = \"choose\";  returned = \"advice\"; }; };", "endless-circle", -1},
     true},
    /* ends */
    {{"declined = \"choose\";  returned = \"choose\";",
      "declined = \"choose\";  returned = \"gone\";", "ends-by-itself", 0},
     true},
    {{"given-back = \"choose\"",
      "given-back = \"tell2\"; }; };\n    tell2 : { type = \"notify\";  to = [ \"te\" ];  text = "
      "\"x\";  on : { done = \"gone\"",
      "ends-by-itself", 0},
     true},
    {{"returned = \"choose\"; }; };\n    hand",
      "returned = \"last\"; }; };\n    last : { type = \"task\";  role = \"te\";  within = \"1 "
      "day\";  on : { done = \"choose\";  expired = \"gone\"; }; };\n    hand",
      "ends-by-itself", 0},
     true},
    /* roles */
    {{"kind = [ \"employer\", \"provider\" ]", "kind = \"shop\"", "role-without-organisation", 0},
     true},
    {{"kind = \"municipality\";  service", "kind = \"employer\";  service",
      "role-without-organisation", 0},
     true},
    {{"hand : { type = \"handover\";  to = \"guidance\";",
      "hand : { type = \"handover\";  to = \"firm\";", "cannot-hold", 0},
     true},
    {{"names = [ \"firm\" ];  collects", "collects", "never-named", -35}, true},
    {{"firm     : {", "other    : { kind = \"employer\";  choose = \"free\"; };\n    firm     : {",
      "unused-role", 0},
     false},
    {{"te       : { kind = \"te-office\"", "te       : { kind = \"employer\"",
      "starter-cannot-hold", 0},
     true},
    {{"kind = \"municipality\";  service = \"guidance\";  choose = \"home\";",
      "kind = [ \"municipality\", \"employer\" ];  choose = \"home\";", "may-not-hold", 40},
     false},
    {{"meeting = \"at:event\"", "meeting = \"at:choose\"", "at-no-meeting", 0}, true},
    /* law */
    {{"purpose = \"services\";\n", "purpose = \"research\";\n", "no-basis", 29}, false},
    {{"type = \"session\";  of = \"event\";  role = \"guidance\"",
      "type = \"session\";  of = \"event\";  role = \"te\"", "other-organiser", -2},
     false},
    /* data */
    {{"requires = [ \"days\", \"hetu\", \"number\" ]", "requires = [ \"hetu\", \"number\" ]",
      "may-be-unset", 0},
     true},
    {{"collects = [ \"need\", \"ends\" ]; };  ask", "collects = [ \"ends\" ]; };  ask",
      "may-be-unset", 28},
     true},
    {{"collects = [ \"need\", \"ends\" ]; };  ask", "collects = [ \"need\" ]; };  ask",
      "may-be-unset", 14},
     true},
    {{"absent = \"why\";  expired = \"choose\"", "absent = \"judge\";  expired = \"choose\"",
      "may-be-unset", 4},
     true},
    {{"\"hetu\", \"number\" ];  when", "\"hetu\" ];  when", "unused-field", -4}, false},
    {{"\"days\", \"hetu\", \"number\" ];  when", "\"days\", \"number\" ];  when", "never-set", -9},
     false},
    /* side by side */
    {{"first = [ \"try\", \"verdict-wait\" ]", "first = [ \"try\", \"verdict-wait\", \"rest\" ]",
      "two-tokens", 16},
     true},
    {{"granted = \"join\";  refused = \"join\";",
      "granted : { to = \"join\";  collects = [ \"notes\" ]; };  refused = \"join\";",
      "two-collect", 0},
     true},
    {{"alarmed : { starts = \"alarm\";  type = \"task\";  role = \"holder\";  within = \"1 day\";  "
      "on : { done = \"join\";  expired = \"join\"; }; };",
      "alarmed : { starts = \"alarm\";  type = \"handover\";  to = \"guidance\";  on : { "
      "taken-over = \"join\";  returned = \"join\"; }; };\n"
      "            alarm2 : { starts = \"half-way\";  type = \"handover\";  to = \"guidance\";  on "
      ": { taken-over = \"join\";  returned = \"join\"; }; };",
      "two-handovers", 1},
     true},
};

static void every_planted_fault_is_found(void **state)
{
    (void)state;
    size_t bad = 0;
    for (size_t k = 0; k < sizeof(PLANTED) / sizeof(PLANTED[0]); k++) {
        const struct broken *b = &PLANTED[k].b;
        int line, rc;
        int64_t longest;
        char *text = replaced(WORKFLOW_TEXT, b->from, b->to, &line);
        sto_diags_t *d = check(text, net, &rc, &longest);
        if (!has_finding(d, b->code, line + b->lines) ||
            (PLANTED[k].error && rc != -STO_E_CONFIG) || (!PLANTED[k].error && rc != 0)) {
            print_message("'%s': expected [%s] on line %d, rc %d\n", b->to, b->code,
                          line + b->lines, rc);
            print_diags(d);
            bad++;
        }
        sto_diags_destroy(&d);
        free(text);
    }
    assert_int_equal(bad, 0);
}

/* R90: a voluntary service tells no authority of an absence */
static void an_obliging_session_needs_an_obliging_service(void **state)
{
    (void)state;
    int line, rc;
    int64_t longest;
    char *text = replaced(NETWORK_TEXT, "obliging = true;", "obliging = false;", &line);
    network_t *other = load_network(text);
    sto_diags_t *d = check(WORKFLOW_TEXT, other, &rc, &longest);
    assert_int_equal(rc, -STO_E_CONFIG);
    assert_true(has_finding(d, "voluntary-service", 0));
    sto_diags_destroy(&d);
    network_destroy(&other);
    free(text);
}

static void a_guarded_read_is_no_finding(void **state)
{
    (void)state;
    int line, rc;
    int64_t longest;
    char *text = replaced(WORKFLOW_TEXT, "absent = \"why\";", "absent = \"judge\";", &line);
    char *b =
        replaced(text, "valid and days < 1000", "valid is set and valid and days < 1000", &line);
    char *c = replaced(b, "excused = \"event\";", "excused = \"why\";", &line);
    sto_diags_t *d = check(c, net, &rc, &longest);
    print_diags(d);
    assert_int_equal(rc, 0);
    sto_diags_destroy(&d);
    free(text);
    free(b);
    free(c);
}

static void a_stage_clock_ends_a_circle_inside_it(void **state)
{
    (void)state;
    static const char TO[] =
        "returned = \"rest\";  interrupted = \"rest\"; };\n        };\n"
        "        a : { type = \"wait\";  for = \"2 days\";  next = \"b\"; };\n"
        "        b : { type = \"wait\";  for = \"2 days\";  next = \"a\"; };\n"
        "        unused : { type = \"task\";  role = \"holder\";  within = \"1 day\";  on : { done "
        "= \"a\";  end = \"join\";  expired = \"stay\"; ";
    int line, rc;
    int64_t longest;
    char *text =
        replaced(WORKFLOW_TEXT, "returned = \"rest\";  interrupted = \"rest\"; ", TO, &line);
    char *b = replaced(text, "first = [ \"try\", \"verdict-wait\" ]",
                       "first = [ \"try\", \"verdict-wait\", \"unused\" ]", &line);
    char *c = replaced(b, "};\n        };\n        rest :", "}; };\n        rest :", &line);
    sto_diags_t *d = check(c, net, &rc, &longest);
    assert_false(has_finding(d, "endless-circle", 0));
    sto_diags_destroy(&d);
    char *e = replaced(c, "wait-for = 2;  within = \"8 months\";", "wait-for = 2;", &line);
    char *f =
        replaced(e, "broken = \"choose\";  expired = \"choose\"", "broken = \"choose\"", &line);
    d = check(f, net, &rc, &longest);
    assert_true(has_finding(d, "endless-circle", 0));
    sto_diags_destroy(&d);
    free(text);
    free(b);
    free(c);
    free(e);
    free(f);
}

static void clocks_that_turn_make_the_duration_unlimited(void **state)
{
    (void)state;
    int line, rc;
    int64_t longest;
    char *text = replaced(WORKFLOW_TEXT, "within = \"5 business days\";\n",
                          "within = \"until ends\";\n", &line);
    sto_diags_t *d = check(text, net, &rc, &longest);
    assert_int_equal(longest, -1);
    sto_diags_destroy(&d);
    free(text);
}

/* ------------------------------------------------------------------ size */

/* n branches of three tasks side by side; `shared`: each reads what the last one wrote. */
static char *parallel(unsigned n, bool shared)
{
    size_t cap = 8192, at = 0;
    char *t = sto_xcalloc(cap, 1);
#define SAY(...) at += (size_t)snprintf(t + at, cap - at, __VA_ARGS__)
    SAY("workflow : { id = \"wide\"; version = 1; purpose = \"services\";\n"
        "  roles : { te : { kind = \"te-office\"; choose = \"start\"; }; };\n"
        "  data : { yes : { type = \"boolean\"; category = \"plan\"; }; };\n"
        "  start : { by = \"te\"; requires = [ \"yes\" ]; first = \"work\"; };\n"
        "  on : { client-left = \"over\"; };\n"
        "  steps : { work : { type = \"stage\"; first = [ ");
    for (unsigned k = 0; k < n; k++) {
        SAY("%s\"a%u\"", k ? ", " : "", k);
    }
    SAY(" ]; on : { done = \"over\"; }; steps : {\n");
    for (unsigned k = 0; k < n; k++) {
        SAY("    a%u : { type = \"task\"; role = \"te\"; within = \"1 day\"; on : { done = "
            "\"b%u\"; expired "
            "= \"stay\"; }; };\n"
            "    b%u : { type = \"task\"; role = \"te\"; within = \"1 day\"; on : { done = "
            "\"d%u\"; expired "
            "= \"stay\"; }; };\n"
            "    d%u : { type = \"decide\"; rules = ( %s{ to = \"c%u\"; } ); };\n"
            "    c%u : { type = \"task\"; role = \"te\"; within = \"1 day\"; on : { done = "
            "\"join\"; "
            "expired = \"stay\"; }; };\n",
            k, k, k, k, k, shared ? "{ when = \"yes\"; to = \"join\"; }, " : "", k, k);
    }
    SAY("  }; }; over : { type = \"end\"; outcome = \"over\"; }; }; };\n");
#undef SAY
    return t;
}

static struct check_report prove(const char *text, uint32_t states_max, sto_diags_t *d)
{
    struct check_report report = {.states_max = states_max};
    sto_diags_t *form = sto_diags_new();
    workflow_t *w = load_workflow(text, net, form);
    if (!w) {
        print_diags(form);
    }
    sto_diags_destroy(&form);
    assert_non_null(w);
    (void)check_prove(w, "workflow.cfg", net, d, &report);
    workflow_destroy(&w);
    return report;
}

static void eight_branches_cost_their_sum_and_not_their_product(void **state)
{
    (void)state;
    sto_diags_t *d = sto_diags_new();
    char *text = parallel(8, false);
    struct check_report report = prove(text, 0, d);
    print_diags(d);
    assert_int_equal(sto_diags_count(d), 0);
    assert_true(report.states < 100); /* 4 to the power of 8 is 65,536 */
    assert_string_equal(report.longest, "longest 3 days");
    free(text);
    sto_diags_destroy(&d);
}

static void branches_that_share_data_are_explored_together(void **state)
{
    (void)state;
    sto_diags_t *d = sto_diags_new();
    char *text = parallel(4, true);
    struct check_report report = prove(text, 0, d);
    print_diags(d);
    assert_int_equal(sto_diags_count(d), 0);
    assert_true(report.states > 400);
    free(text);
    sto_diags_destroy(&d);
}

static void the_bound_is_told_when_it_is_hit(void **state)
{
    (void)state;
    sto_diags_t *d = sto_diags_new();
    char *text = parallel(8, true);
    struct check_report report = prove(text, 1000, d);
    assert_int_equal(report.states, 1000);
    assert_int_equal(sto_diags_count(d), 1);
    assert_true(has_finding(d, "too-many-states", 0));
    assert_int_equal(sto_diags_errors(d), 0);
    free(text);
    sto_diags_destroy(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_workflow_has_no_finding),
        cmocka_unit_test(every_planted_fault_is_found),
        cmocka_unit_test(an_obliging_session_needs_an_obliging_service),
        cmocka_unit_test(a_guarded_read_is_no_finding),
        cmocka_unit_test(a_stage_clock_ends_a_circle_inside_it),
        cmocka_unit_test(clocks_that_turn_make_the_duration_unlimited),
        cmocka_unit_test(eight_branches_cost_their_sum_and_not_their_product),
        cmocka_unit_test(branches_that_share_data_are_explored_together),
        cmocka_unit_test(the_bound_is_told_when_it_is_hit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
