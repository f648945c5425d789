/* SPDX-License-Identifier: EUPL-1.2 */
/* Network files: what comes out of every key, the look-ups, and what each fault answers. */
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
    network_destroy(&net);
    return 0;
}

static int32_t day(int y, int m, int d)
{
    return sto_day_from_civil(y, m, d);
}

static void organisations_are_found_by_number_and_id(void **state)
{
    (void)state;
    assert_string_equal(net->id, "testnet");
    assert_int_equal(net->version, 2);
    assert_int_equal(net->n_orgs, 4);
    for (unsigned k = 1; k < net->n_orgs; k++) {
        assert_true(net->orgs[k - 1].number < net->orgs[k].number);
    }
    const struct organisation *te = network_org(net, 1);
    assert_string_equal(te->id, "te");
    assert_ptr_equal(te, network_org_by_id(net, "te"));
    assert_null(network_org(net, 99));
    assert_null(network_org_by_id(net, "kela"));
    assert_true(organisation_is(te, "te-office"));
    assert_false(organisation_is(te, "municipality"));
    assert_true(te->may_hold);
    assert_false(network_org(net, 4)->may_hold);
    assert_string_equal(te->municipality, "oulu");
    assert_string_equal(network_org(net, 2)->municipality, "");
    assert_int_equal(net->coordinator_org, 2);
}

static void desks_have_numbers_leads_and_calendars(void **state)
{
    (void)state;
    const struct organisation *te = network_org(net, 1);
    assert_int_equal(te->n_desks, 2);
    assert_string_equal(te->desks[0].lead, "Lea Lead");
    assert_int_equal(network_desk_by_id(te, "back")->number, 2);
    assert_null(network_desk(te, 3));
    assert_null(network_desk_by_id(te, "front"));
    const struct calendar *office = network_calendar(net, 1, 1),
                          *always = network_calendar(net, 1, 2);
    assert_int_equal(office->open[0][0].from_min, 8 * 60);
    assert_int_equal(office->open[0][1].to_min, 16 * 60);
    assert_int_equal(office->open[1][0].to_min, 0);
    assert_int_equal(office->n_closed, 2);
    assert_int_equal(office->closed[1].from_day, office->closed[1].to_day);
    assert_int_equal(always->open[6][0].to_min, 24 * 60);
    assert_false(always->holidays);
    assert_ptr_equal(network_calendar(net, 77, 1), office);
}

static void successors_are_followed_to_who_is_in_force(void **state)
{
    (void)state;
    assert_int_equal(network_in_force(net, 1, day(2024, 12, 31)), 1);
    assert_int_equal(network_in_force(net, 1, day(2025, 1, 1)), 3);
    assert_int_equal(network_in_force(net, 1, day(2000, 12, 31)), 0);
    assert_int_equal(network_in_force(net, 3, day(2024, 12, 31)), 0);
    assert_int_equal(network_in_force(net, 99, day(2024, 12, 31)), 0);
}

static void a_basis_covers_purpose_receiver_category_and_day(void **state)
{
    (void)state;
    unsigned dealings = (unsigned)network_category(net, "dealings");
    const struct basis *b = network_basis(net, "services", 1, dealings, day(2008, 1, 1));
    assert_non_null(b);
    assert_string_equal(b->document, "916/2012");
    assert_ptr_equal(b, network_basis(net, "services", 4, dealings, day(2008, 1, 1)));
    assert_null(network_basis(net, "other", 1, dealings, day(2008, 1, 1)));
    assert_null(network_basis(net, "services", 1, dealings, day(2000, 1, 1)));
    assert_null(network_basis(net, "services", 1, 9, day(2008, 1, 1)));
    assert_int_equal(network_category(net, "health"), -1);
}

static void services_clocks_ladders_and_settings_are_read(void **state)
{
    (void)state;
    const struct service *e = network_service_by_id(net, "event"), *g = network_service(net, 1);
    assert_int_equal(e->shape, SERVICE_SESSION);
    assert_int_equal(e->at_min, 630);
    assert_int_equal(e->places, 40);
    assert_int_equal(e->start_day, day(2008, 1, 1));
    assert_true(e->obliging);
    assert_string_equal(g->id, "guidance");
    assert_int_equal(g->shape, SERVICE_PLAIN);
    assert_int_equal(g->desk, 1);
    assert_null(network_service(net, 3));
    assert_int_equal(net->clocks.answer.n, 3);
    assert_int_equal(net->clocks.decide.n, 5);
    assert_int_equal(net->clocks.info_rounds_max, 2);
    assert_int_equal(net->clocks.no_show_limit, 2);
    assert_int_equal(net->n_ladders, 1);
    assert_int_equal(net->ladders[0].n_rungs, 3);
    assert_true(net->ladders[0].rungs[0].before_due);
    assert_int_equal(net->ladders[0].rungs[2].to, RUNG_COORDINATOR);
    assert_int_equal(net->n_settings, 2);
    assert_true(net->settings[1].is_duration);
    assert_int_equal(net->teaser_always, 2);
}

/* The fixture with `more` as a second file; the findings stay in d. */
static network_t *load_with(const char *more, sto_diags_t *d)
{
    struct model_file files[] = {{"a.cfg", NETWORK_TEXT, strlen(NETWORK_TEXT)},
                                 {"b.cfg", more, strlen(more)}};
    network_t *n = NULL;
    int rc = network_load("testnet", files, 2, d, &n);
    assert_int_equal(rc == 0, n != NULL);
    return n;
}

static network_t *load_with_clean(const char *more)
{
    sto_diags_t *d = sto_diags_new();
    network_t *n = load_with(more, d);
    if (!n) {
        print_diags(d);
        fail_msg("the network must load");
    }
    sto_diags_destroy(&d);
    return n;
}

static void a_group_s_entries_may_stand_in_several_files(void **state)
{
    (void)state;
    network_t *n = load_with_clean(
        "services : { trial : { number = 20; organisation = \"firm\"; }; };\n"
        "organisations : { aid : { number = 9; name = \"Aid\"; kinds = [ \"association\" ]; desks "
        ": { d : { number = 1; }; }; }; };\n"
        "clocks : { decide = \"4 business days\"; };\n"
        "bases : { more : { number = 2; kind = \"contract\"; purpose = \"x\"; receivers : { kinds "
        "= "
        "[ \"association\" ]; }; categories = [ \"plan\" ]; }; };\n"
        "settings : { other : { days = 3; }; };\n"
        "calendars : { night : { open = ( { days = [ \"sat\" ]; hours = [ \"20:00-22:00\" ]; } ); "
        "}; };\n");
    assert_int_equal(n->n_services, 3);
    assert_int_equal(n->n_orgs, 5);
    assert_string_equal(network_service_by_id(n, "trial")->id, "trial");
    assert_int_equal(n->clocks.answer.n, 3);
    assert_int_equal(n->clocks.decide.n, 4);
    assert_int_equal(n->n_bases, 2);
    assert_int_equal(n->n_settings, 3);
    assert_int_equal(n->n_calendars, 3);
    network_destroy(&n);
}

static void an_entry_twice_is_told_with_both_places(void **state)
{
    (void)state;
    static const struct {
        const char *more, *told;
    } TWICE[] = {
        {"services : { guidance : { number = 21; organisation = \"te\"; }; };\n",
         "'guidance' of services already stands in a.cfg:"},
        {"services : { other : { number = 1; organisation = \"te\"; }; };\n",
         "service number 1 of 'other' already stands in a.cfg:"},
        {"organisations : { x : { number = 2; name = \"X\"; kinds = [ \"k\" ]; desks : { d : { "
         "number = 1; }; }; }; };\n",
         "organisation number 2 of 'x' already stands in a.cfg:"},
        {"bases : { b : { number = 1; version = 1; kind = \"statute\"; purpose = \"x\"; receivers "
         ": "
         "{ kinds = [ \"te-office\" ]; }; categories = [ \"plan\" ]; }; };\n",
         "basis number 1 version 1 already stands in a.cfg:"},
        {"clocks : { answer = \"4 business days\"; };\n",
         "'answer' of clocks already stands in a.cfg:"},
        {"panels : { guidance : { number = 30; organisation = \"te\"; dates = \"FREQ=DAILY\"; from "
         "= "
         "\"2008-01-01\"; at = \"09:00\"; }; };\n",
         "panel 'guidance' has the id of the service in a.cfg:"},
        {"panels : { p : { number = 2; organisation = \"te\"; dates = \"FREQ=DAILY\"; from = "
         "\"2008-01-01\"; at = \"09:00\"; }; };\n",
         "service number 2 of 'p' already stands in a.cfg:"},
        {"network : { id = \"testnet\"; };\n", "network already stands in a.cfg:1"},
    };
    for (size_t k = 0; k < sizeof(TWICE) / sizeof(TWICE[0]); k++) {
        sto_diags_t *d = sto_diags_new();
        assert_null(load_with(TWICE[k].more, d));
        const struct sto_diag *x = sto_diags_at(d, 0);
        if (sto_diags_count(d) != 1 || !strstr(x->text, TWICE[k].told)) {
            print_diags(d);
            fail_msg("expected one finding '%s'", TWICE[k].told);
        }
        assert_string_equal(x->code, "duplicate");
        assert_string_equal(x->file, "b.cfg");
        assert_int_equal(x->line, 1);
        sto_diags_destroy(&d);
    }
}

static void the_shape_of_a_service_follows_from_its_keys(void **state)
{
    (void)state;
    network_t *n = load_with_clean(
        "services : {\n"
        " pilot : { number = 10; organisation = \"firm\"; groups = true; places = 15; minimum = "
        "8;\n"
        "   agreement = \"city-firm-2026\"; record = \"2 business days\"; obliging = true; };\n"
        " coaching : { number = 11; organisation = \"city\"; places = 30; order = \"urgent\"; "
        "answer "
        "= \"5 business days\"; declined = \"keeps-turn\"; };\n"
        " simple : { number = 12; organisation = \"city\"; places = 2; };\n"
        " subsidy : { number = 13; organisation = \"city\"; quota = 36; };\n"
        " trial : { number = 14; organisations = [ \"firm\", \"city\", \"te\" ]; };\n"
        "};\n"
        "panels : { needs : { number = 15; organisation = \"te\"; desk = \"back\"; dates = "
        "\"FREQ=MONTHLY;BYDAY=1TU,3TU\"; from = \"2008-01-01\"; at = \"13:00\"; cut-off = \"7 "
        "days\"; material = \"3 days\"; places = 12; members = [ \"te\", \"city\", \"firm\" ]; }; "
        "};\n");
    const struct service *s = network_service(n, 10);
    assert_int_equal(s->shape, SERVICE_SESSION);
    assert_true(s->groups && s->obliging);
    assert_int_equal(s->places, 15);
    assert_int_equal(s->minimum, 8);
    assert_int_equal(s->record.n, 2);
    assert_string_equal(s->agreement, "city-firm-2026");
    s = network_service(n, 11);
    assert_int_equal(s->shape, SERVICE_PLACE);
    assert_int_equal(s->order, ORDER_URGENT);
    assert_int_equal(s->answer.n, 5);
    assert_true(s->keeps_turn);
    s = network_service(n, 12);
    assert_int_equal(s->shape, SERVICE_PLACE);
    assert_int_equal(s->order, ORDER_ARRIVAL);
    assert_int_equal(s->answer.n, 0);
    assert_false(s->keeps_turn);
    s = network_service(n, 13);
    assert_int_equal(s->shape, SERVICE_QUOTA);
    assert_int_equal(s->places, 36);
    s = network_service(n, 14);
    assert_int_equal(s->shape, SERVICE_PLAIN);
    assert_false(service_shared(s));
    assert_int_equal(s->n_providers, 3);
    assert_int_equal(s->org, 4);
    assert_int_equal(service_provider(s, 4)->desk, 7);
    assert_int_equal(service_provider(s, 1)->desk, 1);
    assert_null(service_provider(s, 3));
    s = network_service_by_id(n, "needs");
    assert_int_equal(s->shape, SERVICE_PANEL);
    assert_true(service_shared(s));
    assert_int_equal(s->desk, 2);
    assert_int_equal(s->at_min, 780);
    assert_int_equal(s->cut_off.n, 7);
    assert_int_equal(s->material.n, 3);
    assert_int_equal(s->n_members, 3);
    assert_int_equal(s->quorum, 2);
    network_destroy(&n);
}

static void each_shape_has_its_own_keys(void **state)
{
    (void)state;
    static const struct {
        const char *keys, *code;
    } WRONG[] = {
        {"organisation = \"te\"; quota = 3; places = 4;", "bad-value"},
        {"organisation = \"te\"; quota = 3; groups = true;", "bad-value"},
        {"organisation = \"te\"; groups = true; dates = \"FREQ=DAILY\"; from = \"2008-01-01\"; at "
         "= "
         "\"09:00\";",
         "bad-value"},
        {"organisation = \"te\"; groups = true; invite = \"3 days\";", "bad-value"},
        {"organisation = \"te\"; groups = true; places = 4; minimum = 5;", "bad-value"},
        {"organisation = \"te\"; places = 4; minimum = 2;", "bad-value"},
        {"organisation = \"te\"; places = 0;", "out-of-range"},
        {"organisation = \"te\"; places = 4; order = \"size\";", "bad-value"},
        {"organisation = \"te\"; places = 4; declined = \"keeps-turn\";", "bad-value"},
        {"organisation = \"te\"; answer = \"5 days\";", "bad-value"},
        {"organisation = \"te\"; obliging = true;", "bad-value"},
        {"organisation = \"te\"; organisations = [ \"city\" ];", "bad-value"},
        {"organisations = [ \"city\", \"te\" ]; places = 4;", "bad-value"},
        {"organisations = [ \"city\", \"city\" ];", "duplicate"},
        {"organisations = [ \"city\", \"te\" ]; desk = \"back\";", "unknown-desk"},
        {"organisations = [ ];", "missing-key"},
        {"organisation = \"te\"; cut-off = \"3 days\";", "unknown-key"},
    };
    for (size_t k = 0; k < sizeof(WRONG) / sizeof(WRONG[0]); k++) {
        char text[300];
        (void)snprintf(text, sizeof(text), "services : { x : { number = 40; %s }; };\n",
                       WRONG[k].keys);
        sto_diags_t *d = sto_diags_new();
        assert_null(load_with(text, d));
        if (!has_finding(d, WRONG[k].code, 1)) {
            print_diags(d);
            fail_msg("'%s': expected [%s]", WRONG[k].keys, WRONG[k].code);
        }
        sto_diags_destroy(&d);
    }
}

static void a_panel_can_meet_and_has_its_times_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *keys, *code;
    } WRONG[] = {
        {"", "missing-key"},
        {"dates = \"FREQ=DAILY\"; at = \"09:00\";", "missing-key"},
        {"dates = \"FREQ=DAILY\"; from = \"2008-01-01\"; at = \"09:00\"; cut-off = \"1 day\";",
         "bad-value"},
        {"dates = \"FREQ=DAILY\"; from = \"2008-01-01\"; at = \"09:00\"; members = [ \"te\" ]; "
         "quorum "
         "= 2;",
         "bad-value"},
        {"dates = \"FREQ=DAILY\"; from = \"2008-01-01\"; at = \"09:00\"; members = [ \"te\", "
         "\"te\" "
         "];",
         "duplicate"},
        {"dates = \"FREQ=DAILY\"; from = \"2008-01-01\"; at = \"09:00\"; members = [ \"tee\" ];",
         "unknown-organisation"},
        {"dates = \"FREQ=DAILY\"; from = \"2008-01-01\"; at = \"09:00\"; invite = \"1 day\";",
         "unknown-key"},
    };
    for (size_t k = 0; k < sizeof(WRONG) / sizeof(WRONG[0]); k++) {
        char text[300];
        (void)snprintf(text, sizeof(text),
                       "panels : { x : { number = 40; organisation = \"te\"; %s }; };\n",
                       WRONG[k].keys);
        sto_diags_t *d = sto_diags_new();
        assert_null(load_with(text, d));
        if (!has_finding(d, WRONG[k].code, 1)) {
            print_diags(d);
            fail_msg("'%s': expected [%s]", WRONG[k].keys, WRONG[k].code);
        }
        sto_diags_destroy(&d);
    }
}

static void sections_may_stand_in_any_file(void **state)
{
    (void)state;
    const char *second = strstr(NETWORK_TEXT, "services :\n");
    struct model_file files[] = {{"a.cfg", NETWORK_TEXT, (size_t)(second - NETWORK_TEXT)},
                                 {"b.cfg", second, strlen(second)}};
    sto_diags_t *d = sto_diags_new();
    network_t *n = NULL;
    assert_int_equal(network_load("testnet", files, 2, d, &n), 0);
    assert_int_equal(n->n_services, 2);
    assert_memory_not_equal(n->hash, net->hash, 32);
    network_destroy(&n);
    sto_diags_destroy(&d);
}

static void without_calendars_and_ladders_there_are_defaults(void **state)
{
    (void)state;
    static const char TEXT[] =
        "network : { id = \"n\"; version = 1; coordinator = \"a\"; categories = [ \"x\" ]; };\n"
        "organisations : { a : { number = 1; name = \"A\"; kinds = [ \"k\" ]; desks : { d : { "
        "number = 1; }; }; }; };\n";
    struct model_file file = {"n.cfg", TEXT, sizeof(TEXT) - 1};
    sto_diags_t *d = sto_diags_new();
    network_t *n = NULL;
    assert_int_equal(network_load("n", &file, 1, d, &n), 0);
    assert_string_equal(n->calendars[0].id, "office");
    assert_int_equal(n->ladders[0].n_rungs, 4);
    assert_int_equal(n->clocks.answer.n, 2);
    network_destroy(&n);
    sto_diags_destroy(&d);
}

static const struct broken BROKEN[] = {
    {"version = 2;", "version = 2; verion = 1;", "unknown-key", 0},
    {"id = \"testnet\"", "id = \"other\"", "bad-name", 0},
    {"coordinator = \"city\"", "coordinator = \"cty\"", "unknown-organisation", 0},
    {" coordinator = \"city\";", "", "missing-key", 0},
    {"\"dealings\", \"plan\" ]; teaser", "\"dealings\", \"dealings\" ]; teaser", "duplicate", 0},
    {"teaser-always = [ \"dealings\" ]", "teaser-always = [ \"dealing\" ]", "unknown-category", 0},
    {"days = [ \"mon\", \"fri\" ]", "days = [ \"mon\", \"friday\" ]", "bad-value", 0},
    {"\"08:00-11:30\"", "\"8-11:30\"", "bad-value", 0},
    {"\"12:00-16:00\"", "\"11:00-16:00\"", "bad-value", 0},
    {"2008-07-07..2008-07-20", "2008-07-20..2008-07-07", "bad-date", 0},
    {"\"2008-12-24\"", "\"2008-13-24\"", "bad-date", 0},
    {"before = \"1 hour\"; to", "before = \"1 hour\"; after = \"1 day\"; to", "bad-value", 0},
    {"to = \"desk-lead\"", "to = \"desk-lad\"", "bad-value", 0},
    {"after = \"1 day\"", "after = \"1 minute\"", "bad-value", 0},
    {"after = \"1 day\"", "after = \"soon\"", "bad-duration", 0},
    {"number = 3;", "number = 1;", "duplicate", 2},
    {"number = 3;", "number = 0;", "out-of-range", 0},
    {"number = 3;", "", "missing-key", 0},
    {"name = \"Firm\";", "", "missing-key", 0},
    {"kinds = [ \"te-office\" ]; may-hold = true;\n", "may-hold = true;\n", "missing-key", 0},
    {"0737546-2", "0737546-1", "bad-value", 0},
    {"\"2001-01-01\", \"2024-12-31\"", "\"2024-12-31\", \"2001-01-01\"", "bad-date", 0},
    {"[ \"2001-01-01\", \"2024-12-31\" ]", "\"2024-12-31\"", "wrong-type", 0},
    {"successor = \"te-2025\"", "successor = \"te-2052\"", "unknown-organisation", 0},
    {"valid = [ \"2025-01-01\", \"\" ];",
     "valid = [ \"2025-01-01\", \"2026-01-01\" ]; successor = \"te\";", "circle", -1},
    {"valid = [ \"2025-01-01\", \"\" ];", "successor = \"city\";", "bad-value", 0},
    {"back : { number = 2; calendar", "back : { number = 1; calendar", "duplicate", 0},
    {"calendar = \"always\"", "calendar = \"alwys\"", "unknown-calendar", 0},
    {"shop : { number = 7; };", "", "missing-key", 0},
    {"may-hold = true; business-id", "may-hold = \"yes\"; business-id", "wrong-type", 0},
    {"act : { number = 1;", "act : { number = 1; statute = 2;", "unknown-key", 0},
    {"kind = \"statute\"", "kind = \"law\"", "bad-value", 0},
    {"\"te-office\", \"municipality\" ]; organisations", "\"te-ofice\" ]; organisations",
     "unknown-kind", 0},
    {"organisations = [ \"firm\" ]", "organisations = [ \"frim\" ]", "unknown-organisation", 0},
    {"answer = \"3 business days\"", "answer = \"3 busines days\"", "bad-duration", 0},
    {"answer = \"3 business days\"", "anwser = \"3 business days\"", "unknown-key", 0},
    {"info-rounds = 2", "info-rounds = 200", "out-of-range", 0},
    {"organisation = \"city\"; desk", "organisation = \"cit\"; desk", "unknown-organisation", 0},
    {"desk = \"intake\"", "desk = \"intak\"", "unknown-desk", 0},
    {"FREQ=MONTHLY;BYDAY=2TU", "FREQ=MONTLY", "bad-value", 0},
    {"at = \"10:30\"", "at = \"25:30\"", "bad-value", 0},
    {"from = \"2008-01-01\"; ", "", "missing-key", -1},
    {"guidance : { number = 1;", "guidance : { number = 2;", "duplicate", 0},
    {"guidance : { number = 1;", "guidance : { number = 1; places = 4; at = \"09:00\";",
     "bad-value", 0},
    {"guidance : { number = 1;", "guidance : { number = 1; quota = -1;", "out-of-range", 0},
    {"window = \"10 days\"", "window = \"10 dys\"", "bad-duration", 0},
    {"window = \"10 days\"", "window = true", "wrong-type", 0},
    {"settings :", "panels = 3; settings :", "wrong-type", 0},
    {"te : { number = 1;", "Te : { number = 1;", "bad-name", 0},
};

static void every_fault_has_its_line_and_code(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof(BROKEN) / sizeof(BROKEN[0]); k++) {
        int line;
        char *text = replaced(NETWORK_TEXT, BROKEN[k].from, BROKEN[k].to, &line);
        struct model_file file = {"net.cfg", text, strlen(text)};
        sto_diags_t *d = sto_diags_new();
        network_t *n = NULL;
        assert_int_equal(network_load("testnet", &file, 1, d, &n), -STO_E_CONFIG);
        assert_null(n);
        if (!has_finding(d, BROKEN[k].code, line + BROKEN[k].lines)) {
            print_diags(d);
            fail_msg("'%s' -> '%s': expected [%s] on line %d", BROKEN[k].from, BROKEN[k].to,
                     BROKEN[k].code, line + BROKEN[k].lines);
        }
        sto_diags_destroy(&d);
        free(text);
    }
}

static void nothing_at_all_is_an_error(void **state)
{
    (void)state;
    sto_diags_t *d = sto_diags_new();
    network_t *n = NULL;
    assert_int_equal(network_load("n", NULL, 0, d, &n), -STO_E_CONFIG);
    assert_true(has_finding(d, "missing-key", 0));
    sto_diags_destroy(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(organisations_are_found_by_number_and_id),
        cmocka_unit_test(desks_have_numbers_leads_and_calendars),
        cmocka_unit_test(successors_are_followed_to_who_is_in_force),
        cmocka_unit_test(a_basis_covers_purpose_receiver_category_and_day),
        cmocka_unit_test(services_clocks_ladders_and_settings_are_read),
        cmocka_unit_test(sections_may_stand_in_any_file),
        cmocka_unit_test(a_group_s_entries_may_stand_in_several_files),
        cmocka_unit_test(an_entry_twice_is_told_with_both_places),
        cmocka_unit_test(the_shape_of_a_service_follows_from_its_keys),
        cmocka_unit_test(each_shape_has_its_own_keys),
        cmocka_unit_test(a_panel_can_meet_and_has_its_times_in_order),
        cmocka_unit_test(without_calendars_and_ladders_there_are_defaults),
        cmocka_unit_test(every_fault_has_its_line_and_code),
        cmocka_unit_test(nothing_at_all_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
