/* SPDX-License-Identifier: EUPL-1.2 */
/* The scenario runner over a small workflow: what holds passes, each wrong word is told at its
 * line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenario.h"
#include "small_workflow.h"

struct bench {
    network_t *net;
    workflow_t *wf;
    sto_diags_t *diags;
    struct scenario_totals totals;
};

static void print_diags(const sto_diags_t *d)
{
    for (size_t i = 0; i < sto_diags_count(d); i++) {
        const struct sto_diag *x = sto_diags_at(d, i);
        print_message("%s:%d: %s [%s]\n", x->file, x->line, x->text, x->code);
    }
}

static int bench_setup(void **state)
{
    struct bench *b = sto_xcalloc(1, sizeof *b);
    struct model_file net = {"network.cfg", small_network, sizeof small_network - 1};
    struct model_file wf = {"workflow.cfg", small_workflow, sizeof small_workflow - 1};
    struct model_file texts = {"texts.cfg", small_texts, sizeof small_texts - 1};
    b->diags = sto_diags_new();
    int rc = network_load("bench", &net, 1, b->diags, &b->net);
    rc = rc != 0 ? rc : workflow_load(&wf, &texts, b->net, b->diags, &b->wf);
    if (rc != 0) {
        print_diags(b->diags);
    }
    *state = b;
    return rc;
}

static int bench_teardown(void **state)
{
    struct bench *b = *state;
    workflow_destroy(&b->wf);
    network_destroy(&b->net);
    sto_diags_destroy(&b->diags);
    free(b);
    return 0;
}

static const workflow_t *find(void *arg, const char *id)
{
    const struct bench *b = arg;
    return strcmp(id, b->wf->id) == 0 ? b->wf : NULL;
}

static int run_text(struct bench *b, const char *text)
{
    struct model_file file = {"scenarios.cfg", text, strlen(text)};
    sto_diags_destroy(&b->diags);
    b->diags = sto_diags_new();
    struct scenario_book book = {.net = b->net, .find = find, .arg = b};
    return scenario_run(&file, b->wf, &book, b->diags, &b->totals);
}

/* The start stands on lines 1 to 3, the timeline's entries from line 4 on. */
static int run(struct bench *b, const char *entries)
{
    static char text[8192];
    (void)snprintf(text, sizeof text,
                   "scenarios : ( { name = \"one\"; at = \"2008-01-07 09:00\";\n"
                   "  start : { by = \"te\"; client = 1; home = \"city\";\n"
                   "    set : { days = 120; hetu = \"sealed:x\"; }; }; timeline = (\n"
                   "%s ); } );\n",
                   entries);
    return run_text(b, text);
}

static void passes(struct bench *b, const char *entries)
{
    int rc = run(b, entries);
    if (rc != 0) {
        print_diags(b->diags);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(b->totals.failed, 0);
}

/* One error, with this code, at this line. */
static void fails_at(struct bench *b, int line, const char *code)
{
    const struct sto_diag *error = NULL;
    for (size_t i = 0; i < sto_diags_count(b->diags); i++) {
        const struct sto_diag *d = sto_diags_at(b->diags, i);
        error = d->severity == STO_SEV_ERROR && !error ? d : error;
    }
    if (sto_diags_errors(b->diags) != 1 || !error || error->line != line ||
        strcmp(error->code, code) != 0) {
        print_message("expected line %d [%s], got:\n", line, code);
        print_diags(b->diags);
        fail();
    }
    assert_int_equal(b->totals.failed, 1);
}

static void fails(struct bench *b, const char *entries, int line, const char *code)
{
    assert_int_equal(run(b, entries), -STO_E_CONFIG);
    fails_at(b, line, code);
}

#define OFFERED                                                                                    \
    "{ after = \"1 day\"; by = \"te\"; event = \"task-result\"; step = \"ask\"; exit = \"done\";"  \
    " set : { need = \"work\"; };\n"
#define ACCEPTED                                                                                   \
    OFFERED "}, { after = \"1 day\"; by = \"city\"; event = \"accept\"; step = \"hand\";\n"

/* ------------------------------------------------------------------ passing */

static void a_case_walks_to_its_end(void **state)
{
    passes(
        *state,
        "{ expect : { holder = \"te\"; steps = [ \"ask\" ]; ball = \"te\"; clock = \"within\";\n"
        "  due = \"2008-01-14 09:00\"; sent = [ \"task:te/intake\" ]; clear = [ \"need\" ];\n"
        "  data : { days = 120; hetu = \"sealed:x\"; }; }; },\n" OFFERED
        "  expect : { holder = \"te\"; steps = [ \"hand\" ]; data : { need = \"work\"; }; }; },\n"
        "{ after = \"1 hour\"; by = \"te\"; event = \"client-left\"; reason = \"employed\";\n"
        "  expect : { outcome = \"gone\"; holder = \"nobody\"; steps = [ ]; }; }");
}

static void silence_runs_a_clock_out(void **state)
{
    passes(*state, "{ after = \"6 days\"; expect : { steps = [ \"ask\" ]; }; },\n"
                   "{ after = \"1 day\"; expect : { outcome = \"gone\"; }; }");
}

static void a_session_seats_and_records(void **state)
{
    passes(*state,
           "{ after = \"1 hour\"; by = \"te\"; event = \"task-result\"; exit = \"meet\";\n"
           "  set : { need = \"study\"; };\n"
           "  expect : { steps = [ \"event\" ]; state = \"invited\"; ball = \"city\"; }; },\n"
           "{ at = \"2008-01-15 12:00\"; session = \"event\"; by = \"city\";\n"
           "  event = \"session-record\"; exit = \"attended\";\n"
           "  expect : { steps = [ \"hand\" ]; sent = [ ]; }; }");
}

static void an_excused_client_gets_another_seat(void **state)
{
    passes(*state,
           "{ after = \"1 hour\"; by = \"te\"; event = \"task-result\"; exit = \"meet\";\n"
           "  set : { need = \"study\"; }; },\n"
           "{ after = \"1 day\"; session = \"event\"; by = \"city\"; event = \"session-record\";\n"
           "  exit = \"excused\"; expect : { steps = [ \"event\" ]; state = \"invited\"; }; },\n"
           "{ after = \"1 day\"; session = \"event\"; by = \"city\"; event = \"session-move\";\n"
           "  at-time = \"2008-01-22 10:00\"; new-time = \"2008-01-30 10:00\";\n"
           "  expect : { state = \"invited\"; }; },\n"
           "{ at = \"2008-01-30 11:00\"; session = \"event\"; by = \"city\"; event = "
           "\"session-record\";\n"
           "  exit = \"absent\"; expect : { steps = [ \"ask-again\" ]; }; }");
}

static void a_refusal_can_be_expected(void **state)
{
    struct bench *b = *state;
    passes(b, "{ by = \"city\"; event = \"task-result\"; step = \"ask\"; exit = \"done\";\n"
              "  set : { need = \"work\"; }; refused = \"E-not-allowed\";\n"
              "  expect : { steps = [ \"ask\" ]; }; }");
    assert_int_equal(
        run_text(b, "scenarios : ( { name = \"young\"; at = \"2008-01-07 09:00\";\n"
                    " start : { by = \"te\"; client = 1; home = \"city\"; set : { days = 5; };\n"
                    "   refused = \"E-condition\"; }; } );"),
        0);
}

static void the_package_holds_back_what_no_basis_covers(void **state)
{
    passes(*state,
           ACCEPTED "  expect : { state = \"accepted\"; holder = \"te\"; released = [ \"days\" ];\n"
                    "    held-back = [ \"hetu\" ]; sent = [ \"package:city\" ];\n"
                    "    not-sent = [ \"offer:city\" ]; }; }");
}

static void a_late_answer_is_said_to_be_late(void **state)
{
    passes(*state, "{ after = \"8 days\"; expect : { outcome = \"gone\"; }; },\n"
                   "{ after = \"1 hour\"; by = \"te\"; event = \"task-result\"; step = \"ask\";\n"
                   "  exit = \"done\"; late = true; expect : { outcome = \"gone\"; }; }");
}

static void all_parts_of_a_case_can_be_expected(void **state)
{
    passes(*state,
           "{ expect : { waits-for = [ \"ask:te\" ]; clocks = [ \"within:ask\" ]; places = [ ];\n"
           "  kept = [ ]; roles : { te = \"te/intake\"; city = \"nobody\"; };\n"
           "  workflow = \"small\"; count = 0; }; },\n" ACCEPTED
           "  expect : { waits-for = [ \"hand:city/guidance\" ]; left = [ \"ask:done\" ];\n"
           "  clocks = [ \"book:hand\", \"cap:hand\" ]; roles : { city = [ \"city\" ]; }; }; }");
}

/* ------------------------------------------------------------ several cases */

#define OTHERS(N)                                                                                  \
    "{ case = \"others\"; start : { by = \"te\"; client = 10; count = " #N "; home = \"city\";\n"  \
    "  set : { days = 300; }; }; expect : { holder = \"te\"; steps = [ \"ask\" ]; }; },\n"         \
    "{ after = \"1 hour\"; case = \"others\"; by = \"te\"; event = \"task-result\";\n"             \
    "  exit = \"meet\"; set : { need = \"work\"; }; "

static void others_fill_the_session_first(void **state)
{
    passes(
        *state,
        OTHERS(2) "expect : { state = \"invited\"; waiting : { event = 0; }; due = \"2008-05-07 "
                  "10:00\"; }; },\n"
                  "{ after = \"1 hour\"; by = \"te\"; event = \"task-result\"; exit = \"meet\";\n"
                  "  set : { need = \"study\"; }; },\n"
                  "{ at = \"2008-01-15 12:00\"; case = \"others#1-2\"; session = \"event\"; by = "
                  "\"city\";\n"
                  "  event = \"session-record\"; exit = \"attended\";\n"
                  "  expect : { steps = [ \"hand\" ]; sent = [ \"offer:city\" ]; }; },\n"
                  "{ session = \"event\"; by = \"city\"; event = \"session-record\"; exit = "
                  "\"attended\";\n"
                  "  refused = \"E-wrong-state\"; expect : { steps = [ \"event\" ]; state = "
                  "\"invited\"; }; },\n"
                  "{ case = \"others#2\"; by = \"te\"; event = \"client-left\"; reason = "
                  "\"employed\";\n"
                  "  expect : { outcome = \"gone\"; }; },\n"
                  "{ expect : { holders = [ \"others#1:te\" ]; }; }");
}

static void a_scenario_may_open_its_own_case_later(void **state)
{
    assert_int_equal(
        run_text(
            *state,
            "scenarios : ( { name = \"later\"; at = \"2008-01-07 09:00\"; shows = [ \"R69\" ];\n"
            " timeline = ( { case = \"first\"; start : { by = \"te\"; client = 1; home = "
            "\"city\";\n"
            "   set : { days = 120; }; }; },\n"
            " { after = \"1 day\"; start : { by = \"te\"; client = 2; home = \"city\";\n"
            "   workflow = \"small\"; set : { days = 5; }; refused = \"E-condition\"; }; },\n"
            " { after = \"1 day\"; start : { by = \"te\"; client = 2; home = \"city\";\n"
            "   set : { days = 130; }; }; expect : { data : { days = 130; }; }; },\n"
            " { case = \"first\"; expect : { data : { days = 120; }; }; } ); } );"),
        0);
}

static void a_scenario_of_another_network_is_skipped(void **state)
{
    struct bench *b = *state;
    assert_int_equal(run_text(b,
                              "scenarios : ( { name = \"far\"; at = \"2008-01-07\";\n"
                              " network = \"elsewhere\"; start : { by = \"nobody-here\"; }; } );"),
                     0);
    assert_int_equal(b->totals.skipped, 1);
    assert_int_equal(b->totals.failed, 0);
}

/* --------------------------------------------------------------- journeys */

static int travel(struct bench *b, const char *entries, struct journey_totals *totals)
{
    static char text[8192];
    struct scenario_book book = {.net = b->net, .find = find, .arg = b};
    (void)snprintf(
        text, sizeof text,
        "journey : { name = \"two people\"; source = \"S0\"; at = \"2008-01-07 09:00\";\n"
        "timeline = (\n%s ); };\n",
        entries);
    struct model_file file = {"journey.cfg", text, strlen(text)};
    sto_diags_destroy(&b->diags);
    b->diags = sto_diags_new();
    return journey_run(&file, &book, b->diags, totals);
}

#define PENA                                                                                       \
    "{ case = \"pena\"; start : { workflow = \"small\"; by = \"te\"; client = 1; home = "          \
    "\"city\";\n"                                                                                  \
    "  set : { days = 120; }; }; expect : { holder = \"te\"; }; },\n"
#define LIISA                                                                                      \
    "{ case = \"liisa\"; start : { workflow = \"small\"; by = \"te\"; client = 2; home = "         \
    "\"city\";\n"                                                                                  \
    "  set : { days = 120; }; }; expect : { holder = \"te\"; }; },\n"

static void a_journey_follows_several_people(void **state)
{
    struct bench *b = *state;
    struct journey_totals t;
    int rc = travel(b,
                    PENA LIISA
                    "{ after = \"1 day\"; case = \"pena\"; by = \"te\"; event = \"client-left\";\n"
                    "  expect : { holder = \"nobody\"; outcome = \"gone\"; }; },\n"
                    "{ after = \"8 days\"; expect : { holders = [ \"liisa:nobody\" ]; }; }",
                    &t);
    if (rc != 0) {
        print_diags(b->diags);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(t.cases, 2);
    assert_int_equal(t.events, 3);
    assert_int_equal(t.n_workflows, 1);
    assert_ptr_equal(t.workflows[0].wf, b->wf);
    assert_int_equal(t.workflows[0].reached.steps_hit, 2);
}

static void a_journey_leaves_no_holder_unsaid(void **state)
{
    static const struct {
        const char *entries;
        int line;
        const char *code;
    } wrong[] = {
        {PENA "{ after = \"1 day\"; case = \"pena\"; by = \"te\"; event = \"client-left\"; }", 5,
         "no-holder"},
        {PENA "{ by = \"te\"; event = \"client-left\"; expect : { holder = \"te\"; }; }", 5,
         "missing-key"},
        {PENA LIISA "{ after = \"8 days\"; case = \"pena\"; expect : { holder = \"nobody\"; }; }",
         7, "holder-unseen"},
        {PENA "{ after = \"8 days\"; expect : { holders = [ \"pena:te\" ]; }; }", 5, "holder"},
        {PENA "{ after = \"1 day\"; expect : { steps = [ \"ask\" ]; }; }", 5, "missing-key"},
        {"{ case = \"pena\"; start : { by = \"te\"; }; expect : { holder = \"te\"; }; }", 3,
         "missing-key"},
        {"{ case = \"pena\"; start : { workflow = \"big\"; by = \"te\"; };\n"
         "expect : { holder = \"te\"; }; }",
         3, "unknown-workflow"},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct journey_totals t;
        assert_int_equal(travel(b, wrong[i].entries, &t), -STO_E_CONFIG);
        assert_true(t.failed);
        const struct sto_diag *d = sto_diags_count(b->diags) ? sto_diags_at(b->diags, 0) : NULL;
        if (sto_diags_errors(b->diags) != 1 || d->line != wrong[i].line ||
            strcmp(d->code, wrong[i].code) != 0) {
            print_message("case %zu: expected line %d [%s], got:\n", i, wrong[i].line,
                          wrong[i].code);
            print_diags(b->diags);
            fail();
        }
    }
}

/* ------------------------------------------------------------------ failing */

static void each_wrong_expectation_is_told_at_its_line(void **state)
{
    static const struct {
        const char *expect;
        const char *code;
    } wrong[] = {
        {"holder = \"city\";", "holder"},
        {"sender = \"city\";", "sender"},
        {"steps = [ \"hand\" ];", "steps"},
        {"steps = [ ];", "steps"},
        {"state = \"offered\";", "state"},
        {"ball = \"city\";", "ball"},
        {"ball = \"city/guidance\";", "ball"},
        {"clock = \"answer\";", "clock"},
        {"due = \"2008-01-14 09:01\";", "due"},
        {"sent = [ \"offer:city\" ];", "sent"},
        {"not-sent = [ \"task:te\" ];", "not-sent"},
        {"released = [ \"hetu\" ];", "released"},
        {"held-back = [ \"days\" ];", "held-back"},
        {"clear = [ \"days\" ];", "clear"},
        {"data : { days = 121; };", "data"},
        {"data : { need = \"work\"; };", "data"},
        {"outcome = \"gone\";", "outcome"},
        {"step = \"hand\";", "steps"},
        {"waits-for = [ \"ask:city\" ];", "waits-for"},
        {"waits-for = [ ];", "waits-for"},
        {"clocks = [ \"within:ask\", \"cap:hand\" ];", "clocks"},
        {"clocks = [ ];", "clocks"},
        {"places = [ \"event:reserved\" ];", "places"},
        {"kept = [ \"letter\" ];", "kept"},
        {"count = 1;", "count"},
        {"roles : { te = \"city\"; };", "roles"},
        {"roles : { te = [ \"te\", \"city\" ]; };", "roles"},
        {"workflow = \"large\";", "workflow"},
        {"left = [ \"ask:done\" ];", "left"},
        {"waiting : { event = 1; };", "waiting"},
    };
    char entries[256];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(entries, sizeof entries, "{ expect : {\n%s\n}; }", wrong[i].expect);
        fails(*state, entries, 5, wrong[i].code);
    }
}

static void each_wrong_word_is_told_at_its_line(void **state)
{
    static const struct {
        const char *entry;
        const char *code;
    } wrong[] = {
        {"after = \"2 dayz\";", "time"},
        {"at = \"2008-01-06 09:00\";", "time"},
        {"at = \"monday\";", "time"},
        {"times = 3;", "missing-key"},
        {"after = \"1 day\"; times = 0;", "out-of-range"},
        {"expcet : { };", "unknown-key"},
        {"expect : { holdr = \"te\"; };", "unknown-key"},
        {"expect : { holder = \"tee\"; };", "unknown-organisation"},
        {"expect : { holder = 1; };", "wrong-type"},
        {"expect : { ball = \"te/cellar\"; };", "unknown-desk"},
        {"expect : { steps = [ \"asks\" ]; };", "unknown-step"},
        {"expect : { steps = \"ask\"; };", "wrong-type"},
        {"expect : { sent = [ \"letter:te\" ]; };", "unknown-delivery"},
        {"expect : { released = [ \"dais\" ]; };", "unknown-field"},
        {"by = \"te\"; event = \"task-resullt\";", "unknown-event"},
        {"by = \"te\"; event = \"clock\";", "unknown-event"},
        {"by = \"te\"; event = \"session-record\"; exit = \"attended\";", "session-event"},
        {"by = \"te\"; event = \"offer\"; session = \"event\";", "session-event"},
        {"by = \"city\"; event = \"session-record\"; session = \"guidance\";", "unknown-session"},
        {"event = \"task-result\";", "missing-key"},
        {"by = \"te\";", "missing-key"},
        {"by = \"the\"; event = \"task-result\";", "unknown-organisation"},
        {"by = \"te\"; event = \"task-result\"; step = \"asc\";", "unknown-step"},
        {"by = \"te\"; event = \"offer\"; step = \"hand\";", "step-not-reached"},
        {"by = \"te\"; event = \"task-result\"; set : { dais = 1; };", "unknown-field"},
        {"by = \"te\"; event = \"task-result\"; set : { days = 1.5; };", "field-value"},
        {"by = \"te\"; event = \"task-result\"; names : { town = \"city\"; };", "unknown-role"},
        {"by = \"te\"; event = \"client-left\"; reason = \"bored\";", "unknown-reason"},
        {"by = \"te\"; event = \"client-left\"; refused = \"E-bored\";", "unknown-code"},
        {"by = \"te\"; event = \"offer\"; to = \"city\"; consent = \"x\";", "too-many-names"},
        {"by = \"te\"; event = \"offer\"; days = 3;", "wrong-key"},
        {"by = \"te\"; event = \"accept\"; place = 3;", "wrong-key"},
        {"by = \"te\"; event = \"task-result\"; case = \"olli\";", "unknown-case"},
        {"by = \"te\"; event = \"task-result\"; case = \"#\";", "unknown-case"},
        {"case = \"olli\"; start : { by = \"te\"; }; event = \"task-result\";", "too-many-keys"},
        {"case = \"Olli\"; start : { by = \"te\"; };", "case"},
        {"start : { by = \"te\"; count = 3; };", "case"},
        {"case = \"olli\"; start : { by = \"te\"; workflow = \"x\"; };", "unknown-workflow"},
        {"by = \"te\"; event = \"task-result\"; names : { te = [ \"city\", \"citty\" ]; };",
         "unknown-organisation"},
        {"by = \"te\"; event = \"task-result\"; shows = [ \"12\" ];", "shows"},
        {"expect : { holders = [ \"olli:te\" ]; };", "unknown-case"},
        {"expect : { consents : { x = \"given\"; }; };", "unknown-consent"},
        {"expect : { roles : { x = \"te\"; }; };", "unknown-role"},
        {"expect : { left = [ \"ask\" ]; };", "left"},
        {"expect : { waiting : { evnt = 1; }; };", "unknown-session"},
        {"expect : { waiting : { guidance = 1; }; };", "unknown-session"},
        {"expect : { free : { event = 1; }; };", "unknown-session"},
        {"expect : { waiting : { event = \"1\"; }; };", "wrong-type"},
    };
    char entries[256];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(entries, sizeof entries, "{\n%s\n}", wrong[i].entry);
        assert_int_equal(run(*state, entries), -STO_E_CONFIG);
        struct bench *b = *state;
        const struct sto_diag *d = NULL;
        for (size_t k = 0; k < sto_diags_count(b->diags) && !d; k++) {
            const struct sto_diag *x = sto_diags_at(b->diags, k);
            d = x->severity == STO_SEV_ERROR ? x : NULL;
        }
        if (!d || strcmp(d->code, wrong[i].code) != 0 || (d->line != 5 && d->line != 4)) {
            print_message("%s: expected [%s], got:\n", wrong[i].entry, wrong[i].code);
            print_diags(b->diags);
            fail();
        }
    }
}

static void an_unexpected_answer_ends_the_scenario_at_its_line(void **state)
{
    struct bench *b = *state;
    fails(b,
          "{ after = \"1 hour\"; expect : { holder = \"te\"; }; },\n"
          "{ by = \"city\"; event = \"task-result\"; step = \"ask\"; exit = \"done\"; },\n"
          "{ expect : { holder = \"city\"; }; }",
          5, "refused");
    fails(b, OFFERED "refused = \"E-not-allowed\"; }", 5, "not-refused");
    fails(b, "{ by = \"city\"; event = \"task-result\"; step = \"ask\";\n refused = \"E-late\"; }",
          5, "wrong-refusal");
    fails(b, OFFERED "late = true; }", 5, "late");
}

static void a_start_that_should_be_refused_is_told(void **state)
{
    struct bench *b = *state;
    assert_int_equal(
        run_text(b, "scenarios : ( { name = \"old\"; at = \"2008-01-07 09:00\";\n"
                    " start : { by = \"te\"; client = 1; home = \"city\"; set : { days = 500; };\n"
                    "   refused = \"E-condition\"; }; } );"),
        -STO_E_CONFIG);
    fails_at(b, 3, "not-refused");
    assert_int_equal(
        run_text(b, "scenarios : ( { name = \"young\"; at = \"2008-01-07 09:00\";\n"
                    " start : { by = \"te\"; client = 1; home = \"city\"; set : { days = 5; };\n"
                    " }; } );"),
        -STO_E_CONFIG);
    fails_at(b, 2, "refused");
}

static void every_wrong_expectation_of_an_entry_is_told(void **state)
{
    struct bench *b = *state;
    assert_int_equal(run(b,
                         "{ expect : { holder = \"city\";\nsteps = [ ];\nclock = \"cap\"; }; },\n"
                         "{ expect : { ball = \"city\"; }; }"),
                     -STO_E_CONFIG);
    assert_int_equal(sto_diags_errors(b->diags), 4);
    assert_int_equal(b->totals.failed, 1);
    assert_int_equal(run(b, "{ expect : { holder = \"city\"; }; },\n" OFFERED
                            "expect : { steps = [ \"ask\" ]; }; },\n"
                            "{ after = \"1 day\"; expect : { outcome = \"over\"; }; }"),
                     -STO_E_CONFIG);
    assert_int_equal(sto_diags_errors(b->diags), 3);
}

/* ----------------------------------------------------------------- coverage */

static const struct sto_diag *warning(const struct bench *b, const char *code)
{
    for (size_t i = 0; i < sto_diags_count(b->diags); i++) {
        const struct sto_diag *d = sto_diags_at(b->diags, i);
        if (d->severity == STO_SEV_WARNING && strcmp(d->code, code) == 0) {
            return d;
        }
    }
    return NULL;
}

static void what_no_scenario_reaches_is_a_warning(void **state)
{
    struct bench *b = *state;
    passes(b, "{ after = \"8 days\"; expect : { outcome = \"gone\"; }; }");
    assert_int_equal(b->totals.scenarios, 1);
    assert_int_equal(b->totals.steps, 6);
    assert_int_equal(b->totals.steps_hit, 2);
    assert_int_equal(b->totals.exits_hit, 1);
    assert_int_equal(b->totals.clocks_hit, 1);
    assert_non_null(warning(b, "uncovered-steps"));
    assert_non_null(strstr(warning(b, "uncovered-steps")->text, "hand"));
    assert_null(strstr(warning(b, "uncovered-steps")->text, "gone"));
    assert_non_null(strstr(warning(b, "uncovered-exits")->text, "ask.done"));
    assert_null(strstr(warning(b, "uncovered-exits")->text, "ask.expired"));
    assert_non_null(strstr(warning(b, "uncovered-clocks")->text, "hand.answer"));
}

/* A quota says at once whether something is left, a queue that keeps everybody's turn never says
 * that there is none, a consult with a clock of its own has none for the answer: the exits and
 * clocks that cannot be owe no scenario. */
static void what_cannot_be_owes_no_scenario(void **state)
{
    static const char net_text[] =
        "network : { id = \"bench\"; version = 1; coordinator = \"te\"; categories = [ \"a\" ]; "
        "};\n"
        "organisations : { te : { number = 1; name = \"TE\"; kinds = [ \"te-office\" ];\n"
        "  may-hold = true; desks : { intake : { number = 1; }; }; }; };\n"
        "services : { grant : { number = 1; organisation = \"te\"; quota = 1; };\n"
        "  bench : { number = 2; organisation = \"te\"; places = 1; }; };\n";
    static const char wf_text[] =
        "workflow : { id = \"grants\"; version = 1; purpose = \"services\";\n"
        "  roles : { te : { kind = \"te-office\"; choose = \"start\"; };\n"
        "    adviser : { kind = \"te-office\"; choose = \"free\"; }; };\n"
        "  start : { by = [ \"te\" ]; first = \"grant\"; }; on : { client-left = \"over\"; };\n"
        "  steps : { grant : { type = \"place\"; of = \"grant\"; within = \"1 month\";\n"
        "      on : { got = \"queue\"; none = \"used-up\"; expired = \"used-up\"; }; };\n"
        "    queue : { type = \"place\"; of = \"bench\"; within = \"1 month\";\n"
        "      on : { got = \"over\"; none = \"used-up\"; expired = \"ask\"; }; };\n"
        "    ask : { type = \"consult\"; to = \"adviser\"; within = \"1 month\";\n"
        "      on : { answered = \"over\"; returned = \"over\"; expired = \"over\"; }; };\n"
        "    used-up : { type = \"end\"; outcome = \"used-up\"; };\n"
        "    over : { type = \"end\"; outcome = \"over\"; }; }; };\n";
    static const char text[] =
        "scenarios : ( { name = \"used up\"; at = \"2008-01-07 09:00\";\n"
        "  start : { by = \"te\"; client = 1; expect : { outcome = \"over\"; }; };\n"
        "  timeline = ( { case = \"second\"; start : { by = \"te\"; client = 2; };\n"
        "    expect : { outcome = \"used-up\"; }; } ); } );\n";
    (void)state;
    struct bench b = {.diags = sto_diags_new()};
    struct model_file net = {"network.cfg", net_text, sizeof net_text - 1};
    struct model_file wf = {"workflow.cfg", wf_text, sizeof wf_text - 1};
    struct model_file none = {"texts.cfg", "", 0};
    assert_int_equal(network_load("bench", &net, 1, b.diags, &b.net), 0);
    assert_int_equal(workflow_load(&wf, &none, b.net, b.diags, &b.wf), 0);
    int rc = run_text(&b, text);
    print_diags(b.diags);
    assert_int_equal(rc, 0);
    assert_int_equal(b.totals.exits, 8); /* got, none; got, expired; three of ask; client-left */
    assert_int_equal(b.totals.exits_hit, 3);
    assert_int_equal(b.totals.clocks, 2); /* of the queue, and of ask as a whole */
    assert_int_equal(b.totals.clocks_hit, 0);
    workflow_destroy(&b.wf);
    network_destroy(&b.net);
    sto_diags_destroy(&b.diags);
}

/* -------------------------------------------------------------------- world */

static void thousands_of_cases_wait_and_expire_in_order(void **state)
{
    enum { CASES = 3000 };
    struct bench *b = *state;
    const int64_t start = INT64_C(1199689200000000); /* 2008-01-07 09:00 */
    world_t *w = world_new(b->net, start);
    struct in_field days = {.name = "days", .type = IN_INT, .i = 200};
    struct sto_err err = {0};
    struct sto_uuid id = {{0}};
    for (unsigned i = 0; i < CASES; i++) {
        struct input in = {.kind = EVENT_START,
                           .actor = {1, 1},
                           .evidence = EVIDENCE_ORG,
                           .fields = &days,
                           .n_fields = 1,
                           .home = "city",
                           .worker = "",
                           .exit = "",
                           .name = "",
                           .desk = "",
                           .text = ""};
        id.b[0] = (uint8_t)(i >> 8);
        id.b[1] = (uint8_t)i;
        assert_int_equal(world_event(w, b->wf, &id, &in, &err), 0);
        assert_int_equal(world_advance(w, start + (int64_t)(i + 1) * 60 * STO_US_PER_SEC, &err), 0);
    }
    const struct world_send *sends;
    assert_int_equal(world_advance(w, start + 30 * 24 * STO_US_PER_HOUR, &err), 0);
    size_t n = world_sends(w, &sends);
    assert_true(n >= CASES);
    for (size_t i = 1; i < n; i++) {
        assert_true(sends[i - 1].at_us <= sends[i].at_us);
    }
    for (unsigned i = 0; i < CASES; i++) {
        id.b[0] = (uint8_t)(i >> 8);
        id.b[1] = (uint8_t)i;
        assert_int_equal(world_case(w, &id)->status, CASE_CLOSED);
    }
    assert_null(world_session(w, &id));
    world_destroy(&w);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_case_walks_to_its_end),
        TEST(silence_runs_a_clock_out),
        TEST(a_session_seats_and_records),
        TEST(an_excused_client_gets_another_seat),
        TEST(a_refusal_can_be_expected),
        TEST(the_package_holds_back_what_no_basis_covers),
        TEST(a_late_answer_is_said_to_be_late),
        TEST(all_parts_of_a_case_can_be_expected),
        TEST(others_fill_the_session_first),
        TEST(a_scenario_may_open_its_own_case_later),
        TEST(a_scenario_of_another_network_is_skipped),
        TEST(a_journey_follows_several_people),
        TEST(a_journey_leaves_no_holder_unsaid),
        TEST(each_wrong_expectation_is_told_at_its_line),
        TEST(each_wrong_word_is_told_at_its_line),
        TEST(an_unexpected_answer_ends_the_scenario_at_its_line),
        TEST(a_start_that_should_be_refused_is_told),
        TEST(every_wrong_expectation_of_an_entry_is_told),
        TEST(what_no_scenario_reaches_is_a_warning),
        TEST(what_cannot_be_owes_no_scenario),
        TEST(thousands_of_cases_wait_and_expire_in_order),
    };
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
