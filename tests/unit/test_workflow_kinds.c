/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Workflow files: panel, place, consent, measure, plan, series, attendance days, settings as
 * numbers, roles with many. What comes out, and what each fault answers.
 */
#include "model_fixture.h"

static network_t *net;
static workflow_t *w;

static const struct instrument ABILITY = {
    .id = "ability", .category = "plan", .items = 77, .min = 0, .max = 100};

static const char TEXT[] =
    "workflow :\n"
    "{\n"
    "  id = \"kinds\";  version = 1;  purpose = \"services\";\n"
    "  roles :\n"
    "  {\n"
    "    te     : { kind = \"te-office\";  choose = \"start\"; };\n"
    "    firm   : { kind = \"employer\";  choose = \"step\"; };\n"
    "    actors : { kind = \"employer\";  choose = \"step\";  many = 3; };\n"
    "    first  : { kind = \"employer\";  service = \"guidance\";  choose = \"first-yes\";  "
    "agreement = true; };\n"
    "  };\n"
    "  settings :\n"
    "  {\n"
    "    days   : { type = \"integer\";  default = 20;  min = 5;  max = 60; };\n"
    "    dates  : { type = \"integer\";  default = 48;  min = 2;  max = 100; };\n"
    "    times  : { type = \"integer\";  default = 2;  min = 0;  max = 5; };\n"
    "    often  : { type = \"integer\";  default = 3;  min = 1;  max = 9; };\n"
    "    window : { type = \"duration\";  default = \"7 days\"; };\n"
    "  };\n"
    "  data :\n"
    "  {\n"
    "    goal    : { type = \"text\";  category = \"plan\"; };\n"
    "    steps-x : { type = \"text\";  category = \"plan\"; };\n"
    "    price   : { type = \"decimal\";  min = 0;  max = 125.5;  category = \"dealings\"; };\n"
    "    answers : { type = \"profile\";  instrument = \"ability\";  category = \"plan\"; };\n"
    "    opinion : { type = \"text\";  per = \"actors\";  category = \"plan\"; };\n"
    "  };\n"
    "  consents : { tell : { to = [ \"firm\" ];  categories = [ \"plan\" ]; }; };\n"
    "  messages : { letter : { from = [ \"te\" ];  keep = true; }; };\n"
    "  start : { by = \"te\";  first = \"ask\"; };\n"
    "  on : { client-left = \"over\"; };\n"
    "  steps :\n"
    "  {\n"
    "    ask : { type = \"consent\";  of = \"tell\";  helps = \"te\";  within = \"7 days\";  "
    "remind = \"2 days\";\n"
    "      on : { given = \"begin\";  refused = \"over\";  expired = \"stay\"; }; };\n"
    "    begin : { type = \"measure\";  instrument = \"ability\";  point = \"beginning\";  role = "
    "\"client\";  helps = \"te\";  within = \"6 weeks\";\n"
    "      on : { done = \"ended\";  expired = \"ended\"; }; };\n"
    "    ended : { type = \"measure\";  field = \"answers\";  role = \"holder\";  within = \"6 "
    "weeks\";  next = \"seat\";\n"
    "      on : { expired = \"stay\"; }; };\n"
    "    seat : { type = \"place\";  of = \"coaching\";  names = [ \"firm\" ];  carries = [ "
    "\"goal\" ];  within = \"3 months\";  must = [ \"goal\" ];  needs = \"tell\";\n"
    "      on : { got = \"series\";  none = \"over\";  expired = \"over\";  no-basis = \"over\"; "
    "}; };\n"
    "    series :\n"
    "    {\n"
    "      type = \"session\";  of = \"event\";  role = \"te\";  meetings = \"dates\";  within = "
    "\"14 months\";  visible-to = [ \"te\", \"client\" ];\n"
    "      meanwhile : { gone : { starts = \"absent\";  type = \"task\";  role = \"te\";  within = "
    "\"1 day\";  on : { done = \"join\";  expired = \"join\"; }; }; };\n"
    "      on : { done = \"group\";  interrupted = \"over\";  expired = \"group\"; };\n"
    "    };\n"
    "    group : { type = \"panel\";  of = \"board\";  asks = [ \"firm\", \"te\" ];  asks-for = [ "
    "\"goal\" ];  client = \"may-attend\";  postpones = \"times\";\n"
    "      within = \"3 months\";  at-most = \"often\";  carries = [ \"goal\", \"opinion\" ];\n"
    "      on : { try-out : { to = \"try\";  names = [ \"actors\" ]; };  expired = \"stay\";  "
    "too-often = \"over\"; }; };\n"
    "    try :\n"
    "    {\n"
    "      type = \"referral\";  to = \"firm\";  within = [ \"60 attendance days\", \"5 months\" "
    "];\n"
    "      meanwhile :\n"
    "      {\n"
    "        review : { starts = \"after days attendance days\";  type = \"task\";  role = \"te\"; "
    " within = \"1 day\";  on : { done = \"join\";  expired = \"join\"; }; };\n"
    "        look   : { starts = \"every window\";  type = \"notify\";  to = \"te\";  text = "
    "\"looking\";  next = \"join\"; };\n"
    "      };\n"
    "      on : { done = \"agree\";  expired = \"agree\";  returned = \"group\";  interrupted = "
    "\"group\"; };\n"
    "    };\n"
    "    agree : { type = \"plan\";  parts : { holder = [ \"goal\" ];  firm = [ \"steps-x\" ]; };  "
    "agreed-by = [ \"client\", \"firm\" ];  within = \"30 days\";\n"
    "      on : { agreed = \"on\";  not-agreed = \"agree\";  expired = \"stay\"; }; };\n"
    "    on   : { type = \"end\";  continues = \"other\";  records = [ \"goal\" ]; };\n"
    "    over : { type = \"end\";  outcome = \"over\"; };\n"
    "  };\n"
    "};\n";

/* The fixture's network with a place service, a panel and an instrument. */
static network_t *network_with_everything(void)
{
    static const struct service MORE[] = {
        {.number = 8, .id = "coaching", .org = 2, .desk = 1, .shape = SERVICE_PLACE, .places = 3},
        {.number = 9, .id = "board", .org = 2, .desk = 1, .shape = SERVICE_PANEL},
    };
    network_t *n = load_network(NETWORK_TEXT);
    for (unsigned k = 0; k < 2; k++) {
        n->services[n->n_services] = MORE[k];
        n->services[n->n_services++].rrule = "";
    }
    n->instruments = &ABILITY;
    n->n_instruments = 1;
    return n;
}

static int set_up(void **state)
{
    (void)state;
    sto_time_init();
    net = network_with_everything();
    sto_diags_t *d = sto_diags_new();
    w = load_workflow(TEXT, net, d);
    if (!w) {
        print_diags(d);
    }
    assert_non_null(w);
    sto_diags_destroy(&d);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    workflow_destroy(&w);
    network_destroy(&net);
    return 0;
}

static const struct wf_step *step(const char *id)
{
    uint16_t ix = workflow_step(w, id);
    assert_int_not_equal(ix, WF_NONE);
    return &w->steps[ix];
}

static uint64_t field(const char *id)
{
    assert_true(workflow_field(w, id) >= 0);
    return UINT64_C(1) << workflow_field(w, id);
}

static void a_role_with_many_is_followed_by_its_organisations(void **state)
{
    (void)state;
    int base = workflow_role(w, "actors");
    assert_int_equal(w->roles[base].many, 3);
    assert_string_equal(w->roles[base + 3].id, "actors#3");
    assert_int_equal(w->roles[base + 3].branch, 3);
    assert_int_equal(w->roles[base + 3].many, 0);
    assert_int_equal(workflow_role(w, "first"), base + 4);
    assert_true(w->roles[base + 4].agreement);
    assert_int_equal(w->roles[base + 4].choose, CHOOSE_FIRST_YES);
}

static void a_field_with_per_has_a_value_for_each(void **state)
{
    (void)state;
    int f = workflow_field(w, "opinion#2");
    assert_true(f >= 0);
    assert_int_equal(w->fields[f].per, workflow_role(w, "actors"));
    assert_int_equal(w->fields[f].branch, 2);
    assert_int_equal(workflow_field(w, "opinion"), -1);
    assert_int_equal(w->fields[0].per, 0xff);
    /* outside the branches the plain name means all of them */
    assert_int_equal(step("group")->carries,
                     field("goal") | field("opinion#1") | field("opinion#2") | field("opinion#3"));
}

static void numbers_come_from_settings_too(void **state)
{
    (void)state;
    assert_int_equal(step("series")->meetings, 48);
    assert_int_equal(step("series")->meetings_setting, 1);
    assert_int_equal(step("group")->postpones, 2);
    assert_int_equal(step("group")->postpones_setting, 2);
    assert_int_equal(step("group")->at_most, 3);
    assert_int_equal(step("group")->at_most_setting, 3);
    assert_int_equal(step("ask")->at_most_setting, 0xff);
    assert_int_equal(step("review")->starts.kind, STARTS_ATTENDANCE);
    assert_int_equal(step("review")->starts.setting, 0);
    assert_int_equal(step("review")->starts.days, 20);
    assert_int_equal(step("look")->starts.kind, STARTS_EVERY);
    assert_int_equal(step("look")->starts.setting, 4);
    assert_int_equal(step("look")->starts.d.n, 7);
    const int64_t settings[STO_WF_SETTINGS_MAX] = {7};
    assert_int_equal(wf_number(3, 0, settings), 7);
    assert_int_equal(wf_number(3, 0xff, settings), 3);
}

static void attendance_days_stand_beside_a_limit_of_the_calendar(void **state)
{
    (void)state;
    assert_int_equal(step("try")->within[0].kind, WHEN_ATTENDANCE);
    assert_int_equal(step("try")->within[0].days, 60);
    assert_int_equal(step("try")->within[0].ix, 0xff);
    assert_int_equal(step("try")->within[1].kind, WHEN_DURATION);
}

static void shared_services_are_known_by_number(void **state)
{
    (void)state;
    assert_int_equal(step("seat")->service, 8);
    assert_int_equal(step("group")->service, 9);
    assert_int_equal(step("series")->service, 2);
    assert_int_equal(step("gone")->starts.event, WF_EVENT_ABSENT);
    assert_int_equal(workflow_step_exit(step("seat"), EXIT_GOT)->names,
                     1u << workflow_role(w, "firm"));
    assert_int_equal(step("seat")->role, PARTY_NONE);
    assert_int_equal(step("group")->n_asks, 2);
    assert_int_equal(step("group")->asks_for, field("goal"));
    assert_true(step("group")->client_may_attend);
}

static void what_narrows_a_sending_is_read(void **state)
{
    (void)state;
    assert_int_equal(step("seat")->must, field("goal"));
    assert_int_equal(step("seat")->needs, 0);
    assert_int_equal(step("try")->needs, 0xff);
    assert_int_equal(step("series")->n_visible_to, 2);
    assert_int_equal(step("series")->visible_to[1], PARTY_CLIENT);
    assert_int_equal(step("ask")->remind.d.n, 2);
    assert_true(w->messages[0].keep);
}

static void a_consent_is_asked_of_the_client(void **state)
{
    (void)state;
    assert_int_equal(step("ask")->consent, 0);
    assert_int_equal(step("ask")->role, PARTY_CLIENT);
    assert_int_equal(step("ask")->helps, workflow_role(w, "te"));
    assert_int_equal(step("begin")->consent, 0xff);
}

static void a_measure_fills_a_profile(void **state)
{
    (void)state;
    int own = workflow_field(w, "ability-beginning");
    assert_true(own >= 0);
    assert_int_equal(step("begin")->field, own);
    assert_int_equal(step("begin")->collects, UINT64_C(1) << own);
    assert_int_equal(step("begin")->point, POINT_BEGINNING);
    assert_int_equal(w->fields[own].type, FIELD_PROFILE);
    assert_int_equal(w->fields[own].items, 77);
    assert_int_equal(w->fields[own].max, 100);
    assert_int_equal(w->fields[own].bytes_max, 77 * 4);
    assert_int_equal(w->fields[own].category, 2);
    assert_int_equal(step("ended")->field, workflow_field(w, "answers"));
    assert_string_equal(w->fields[step("ended")->field].instrument, "ability");
}

static void a_plan_has_parts_and_who_agrees(void **state)
{
    (void)state;
    const struct wf_step *s = step("agree");
    assert_int_equal(s->n_parts, 2);
    assert_int_equal(s->parts[0].party, PARTY_HOLDER);
    assert_int_equal(s->parts[1].party, workflow_role(w, "firm"));
    assert_int_equal(s->parts[1].fields, field("steps-x"));
    assert_int_equal(s->collects, field("goal") | field("steps-x"));
    assert_int_equal(s->n_agreed_by, 2);
}

static void an_end_may_go_on_in_another_workflow(void **state)
{
    (void)state;
    assert_string_equal(step("on")->continues, "other");
    assert_string_equal(step("on")->outcome, "on");
    assert_string_equal(step("over")->continues, "");
}

static void decimals_are_hundredths(void **state)
{
    (void)state;
    int f = workflow_field(w, "price");
    assert_int_equal(w->fields[f].min, 0);
    assert_int_equal(w->fields[f].max, 12550);
}

/* ------------------------------------------------------------------ faults */

static const struct broken BROKEN[] = {
    {"of = \"tell\"", "of = \"tel\"", "unknown-consent", 0},
    {"of = \"tell\";", "", "missing-key", 0},
    {"given = \"begin\";", "", "missing-exit", -1},
    {"refused = \"over\";", "", "missing-exit", -1},
    {"on : { given", "collects = [ \"goal\" ];  on : { given", "unknown-key", 0},
    {"instrument = \"ability\";  point", "instrument = \"abilty\";  point", "unknown-instrument",
     0},
    {"point = \"beginning\"", "point = \"start\"", "bad-value", 0},
    {"field = \"answers\"", "field = \"answer\"", "unknown-field", 0},
    {"field = \"answers\"", "field = \"goal\"", "wrong-type", 0},
    {"field = \"answers\"", "field = \"answers\";  instrument = \"ability\"", "bad-value", 0},
    {"on : { done = \"ended\"", "on : { finished = \"ended\"", "unknown-exit", 0},
    {"of = \"coaching\"", "of = \"coachng\"", "unknown-service", 0},
    {"of = \"coaching\"", "of = \"board\"", "wrong-type", 0},
    {"of = \"coaching\"", "of = \"event\"", "wrong-type", 0},
    {"none = \"over\";", "", "missing-exit", -1},
    {"no-basis = \"over\";", "", "missing-exit", -1},
    {"must = [ \"goal\" ];", "", "unknown-exit", 1},
    {"names = [ \"firm\" ];", "names = [ \"te\" ];", "bad-value", 0},
    {"needs = \"tell\"", "needs = \"told\"", "unknown-consent", 0},
    {"meetings = \"dates\"", "meetings = \"date\"", "unknown-setting", 0},
    {"meetings = \"dates\"", "meetings = \"window\"", "wrong-type", 0},
    {"meetings = \"dates\"", "meetings = \"times\"", "out-of-range", 0},
    {"meetings = \"dates\"", "meetings = 501", "out-of-range", 0},
    {"meetings = \"dates\";", "", "missing-exit", -2},
    {"starts = \"absent\"", "starts = \"abset\"", "unknown-event", 0},
    {"starts = \"after days attendance days\"", "starts = \"absent\"", "unknown-event", 0},
    {"starts = \"after days attendance days\"", "starts = \"after 0 attendance days\"",
     "bad-duration", 0},
    {"starts = \"after days attendance days\"", "starts = \"after 1001 attendance days\"",
     "bad-duration", 0},
    {"starts = \"after days attendance days\"", "starts = \"every 3 attendance days\"",
     "bad-duration", 0},
    {"starts = \"every window\"", "starts = \"every days\"", "wrong-type", 0},
    {"within = [ \"60 attendance days\", \"5 months\" ]", "within = \"60 attendance days\"",
     "missing-clock", 0},
    {"on : { client-left = \"over\"; };",
     "on : { client-left = \"over\"; };  meanwhile : { m : { starts = \"moved\";  type = "
     "\"notify\";  to = \"te\";  text = \"moved\";  next = \"join\"; }; };",
     "unknown-event", 0},
    {"remind = \"2 days\"", "remind = \"2 attendance days\"", "bad-duration", 0},
    {"asks = [ \"firm\", \"te\" ]", "asks = [ \"client\" ]", "bad-party", 0},
    {"client = \"may-attend\"", "client = \"attends\"", "bad-value", 0},
    {"postpones = \"times\"", "postpones = 51", "out-of-range", 0},
    {"of = \"board\"", "of = \"coaching\"", "wrong-type", 0},
    {"try-out : { to = \"try\";  names = [ \"actors\" ]; };", "", "missing-exit", -2},
    {"firm = [ \"steps-x\" ]", "firm = [ \"goal\" ]", "duplicate", 0},
    {"firm = [ \"steps-x\" ]", "frim = [ \"steps-x\" ]", "unknown-role", 0},
    {"firm = [ \"steps-x\" ]", "firm = [ ]", "missing-key", 0},
    {"agreed-by = [ \"client\", \"firm\" ];", "", "missing-key", 0},
    {"parts : { holder = [ \"goal\" ];  firm = [ \"steps-x\" ]; };", "", "missing-key", 0},
    {"not-agreed = \"agree\";", "", "missing-exit", -1},
    {"type = \"end\";  continues = \"other\";", "type = \"end\";", "missing-key", 0},
    {"to = \"firm\";  within", "to = \"actors\";  within", "bad-party", 0},
    {"many = 3", "many = 9", "out-of-range", 0},
};

static void every_fault_has_its_line_and_code(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (size_t k = 0; k < sizeof(BROKEN) / sizeof(BROKEN[0]); k++) {
        const struct broken *b = &BROKEN[k];
        int line;
        char *text = replaced(TEXT, b->from, b->to, &line);
        sto_diags_t *d = sto_diags_new();
        workflow_t *x = load_workflow(text, net, d);
        if (x || !has_finding(d, b->code, line + b->lines)) {
            print_message("'%s' -> '%s': expected [%s] on line %d\n", b->from, b->to, b->code,
                          line + b->lines);
            print_diags(d);
            failed++;
        }
        workflow_destroy(&x);
        sto_diags_destroy(&d);
        free(text);
    }
    assert_int_equal(failed, 0);
}

static void a_case_may_be_about_a_group(void **state)
{
    (void)state;
    static const char GROUP[] =
        "workflow : { id = \"g\"; version = 1; purpose = \"p\"; subject = \"panel\"; of = "
        "\"board\";\n"
        "  roles : { te : { kind = \"te-office\"; choose = \"start\"; }; };\n"
        "  start : { by = \"te\"; first = \"t\"; };\n"
        "  steps : { t : { type = \"task\"; role = \"te\"; within = \"1 day\"; on : { done = "
        "\"e\"; expired = \"stay\"; }; };\n"
        "    e : { type = \"end\"; outcome = \"x\"; }; }; };\n";
    static const struct broken FAULTS[] = {
        {"of = \"board\"", "of = \"event\"", "wrong-type", 0},
        {"role = \"te\"", "role = \"client\"", "bad-party", 0},
        {"by = \"te\"; first", "by = \"te\"; once = \"client\"; first", "bad-value", 0},
        {"of = \"board\"", "side = true", "bad-value", 0},
    };
    sto_diags_t *d = sto_diags_new();
    workflow_t *g = load_workflow(GROUP, net, d);
    assert_non_null(g);
    assert_int_equal(g->subject, SUBJECT_PANEL);
    assert_int_equal(g->of, 9);
    workflow_destroy(&g);
    sto_diags_destroy(&d);
    for (size_t k = 0; k < sizeof(FAULTS) / sizeof(FAULTS[0]); k++) {
        int line;
        char *text = replaced(GROUP, FAULTS[k].from, FAULTS[k].to, &line);
        d = sto_diags_new();
        assert_null(load_workflow(text, net, d));
        assert_true(has_finding(d, FAULTS[k].code, line));
        sto_diags_destroy(&d);
        free(text);
    }
}

static void branches_of_the_workflow_itself_join(void **state)
{
    (void)state;
    static const char BOTH[] =
        "workflow : { id = \"g\"; version = 1; purpose = \"p\"; subject = \"survey\";\n"
        "  roles : { te : { kind = \"te-office\"; choose = \"start\"; }; };\n"
        "  start : { by = \"te\"; first = [ \"a\", \"b\" ]; };  on : { done = \"e\"; };\n"
        "  steps : { a : { type = \"task\"; role = \"te\"; within = \"1 day\"; on : { done = "
        "\"join\"; "
        "expired = \"stay\"; }; };\n"
        "    b : { type = \"task\"; role = \"te\"; within = \"1 day\"; on : { done = \"join\"; "
        "expired = "
        "\"stay\"; }; };\n"
        "    e : { type = \"end\"; outcome = \"x\"; }; }; };\n";
    sto_diags_t *d = sto_diags_new();
    workflow_t *g = load_workflow(BOTH, net, d);
    print_diags(d);
    assert_non_null(g);
    assert_int_equal(g->exits_on[0].exit, EXIT_DONE);
    assert_int_equal(g->steps[0].exits[0].kind, TARGET_JOIN);
    workflow_destroy(&g);
    sto_diags_destroy(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_with_many_is_followed_by_its_organisations),
        cmocka_unit_test(a_field_with_per_has_a_value_for_each),
        cmocka_unit_test(numbers_come_from_settings_too),
        cmocka_unit_test(attendance_days_stand_beside_a_limit_of_the_calendar),
        cmocka_unit_test(shared_services_are_known_by_number),
        cmocka_unit_test(what_narrows_a_sending_is_read),
        cmocka_unit_test(a_consent_is_asked_of_the_client),
        cmocka_unit_test(a_measure_fills_a_profile),
        cmocka_unit_test(a_plan_has_parts_and_who_agrees),
        cmocka_unit_test(an_end_may_go_on_in_another_workflow),
        cmocka_unit_test(decimals_are_hundredths),
        cmocka_unit_test(a_case_may_be_about_a_group),
        cmocka_unit_test(branches_of_the_workflow_itself_join),
        cmocka_unit_test(every_fault_has_its_line_and_code),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
