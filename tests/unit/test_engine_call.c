/* SPDX-License-Identifier: EUPL-1.2 */
/* A called workflow inside a case: whom its roles are, how it is left, what its own `on` does. */
#include "engine_kinds.h"

static const char WF_CALLING[] = ENGINE_HEAD(
    "calling") "  roles : { te : { kind = \"te-office\"; choose = \"start\"; }; city : { kind = "
               "\"municipality\"; choose = \"home\"; }; };\n"
               "  start : { by = \"te\"; requires = \"days\"; first = \"help\"; };\n"
               "  on : { client-left = \"fin\"; };\n"
               "  steps : {\n"
               "    hand : { type = \"handover\"; to = \"city\"; meeting = \"documented\"; on : { "
               "taken-over = \"help\"; returned = \"help\"; }; };\n"
               "    help : { type = \"call\"; workflow = \"called\"; version = 1; takes : { view = "
               "\"note\"; }; on : { solved = \"check\"; lost = \"fin\"; }; };\n"
               "    check : { type = \"task\"; role = \"te\"; within = \"3 days\"; on : { again = "
               "\"hand\"; done = \"fin\"; expired = \"stay\"; }; };\n"
               "    fin : { type = \"end\"; outcome = \"over\"; };\n"
               "  }; };\n"
               "called : ( { id = \"called\";\n"
               "workflow : { id = \"called\"; version = 1; purpose = \"services\";\n"
               "  roles : { lead : { kind = [ \"te-office\", \"municipality\" ]; choose = "
               "\"start\"; }; };\n"
               "  data : { view : { type = \"text\"; category = \"plan\"; }; };\n"
               "  messages : { alarm : { from = [ \"lead\" ]; }; stop : { from = [ \"lead\" ]; }; "
               "};\n"
               "  start : { by = \"lead\"; first = [ \"ask\", \"look\" ]; };\n"
               "  within = \"20 days\";\n"
               "  on : { client-left = \"gone\"; alarm = \"again\"; stop = \"gone\"; expired = "
               "\"again\"; };\n"
               "  steps : {\n"
               "    ask : { type = \"task\"; role = \"lead\"; within = \"60 days\"; on : { done : "
               "{ "
               "to = \"solved\"; collects = [ \"view\" ]; }; expired = \"stay\"; }; };\n"
               "    look : { type = \"task\"; role = \"lead\"; within = \"60 days\"; on : { done = "
               "\"again\"; expired = \"stay\"; }; };\n"
               "    again : { type = \"task\"; role = \"lead\"; within = \"60 days\"; on : { done "
               "= "
               "\"solved\"; expired = \"stay\"; }; };\n"
               "    solved : { type = \"end\"; outcome = \"solved\"; };\n"
               "    gone : { type = \"end\"; outcome = \"lost\"; };\n"
               "  }; }; } );\n";

static struct rig *in_call(void)
{
    struct rig *r = rig_new(WF_CALLING);
    TAKEN(r, rig_start(r));
    return r;
}

static int message(struct rig *r, const char *name)
{
    struct input in = from(EVENT_MESSAGE, TE);
    in.name = name;
    return rig_event(r, &in);
}

static int done(struct rig *r, const char *step, uint16_t org)
{
    struct input in = from(EVENT_TASK_RESULT, org);
    in.token = the_at(r, step)->id;
    in.exit = "done";
    in.fields = &WITH_NOTE;
    in.n_fields = strcmp(step, "help.ask") == 0;
    return rig_event(r, &in);
}

static const char *last(const struct rig *r, const char *step)
{
    return r->wf->exits[r->s.last_exit[workflow_step(r->wf, step)]];
}

static void whoever_starts_it_is_the_holder_as_it_is_called(void **state)
{
    (void)state;
    struct rig *r = in_call();
    int lead = workflow_role(r->wf, "help.lead");
    assert_int_equal(r->s.roles[lead].at.org, TE);
    assert_int_equal(the_at(r, "help.ask")->at.org, TE);
    TAKEN(r, done(r, "help.ask", TE));
    struct input in = from(EVENT_TASK_RESULT, TE);
    in.token = the_at(r, "check")->id;
    in.exit = "again";
    TAKEN(r, rig_event(r, &in)); /* to the city, and then the call once more */
    TAKEN(r, rig_do(r, EVENT_ACCEPT, CITY));
    TAKEN(r, rig_do(r, EVENT_MET, CITY));
    TAKEN(r, rig_do(r, EVENT_CONFIRM_TAKEOVER, CITY));
    assert_int_equal(r->s.holder.org, CITY);
    assert_int_equal(r->s.roles[lead].at.org, CITY);
    assert_int_equal(the_at(r, "help.ask")->at.org, CITY);
    rig_destroy(&r);
}

static void an_end_leaves_the_call_by_its_outcome(void **state)
{
    (void)state;
    struct rig *r = in_call();
    assert_non_null(rig_at(r, "help.look"));
    TAKEN(r, done(r, "help.ask", TE));
    assert_string_equal(last(r, "help"), "solved");
    assert_non_null(rig_at(r, "check"));
    assert_null(rig_at(r, "help.look"));
    assert_int_equal(r->s.n_tokens, 1);
    rig_destroy(&r);
}

static void its_own_on_goes_on_inside(void **state)
{
    (void)state;
    struct rig *r = in_call();
    uint16_t call = the_at(r, "help")->id;
    TAKEN(r, message(r, "help.alarm"));
    assert_int_equal(the_at(r, "help")->id, call);
    assert_int_equal(the_at(r, "help.again")->parent, call);
    assert_null(rig_at(r, "help.ask"));
    assert_null(rig_at(r, "help.look"));
    assert_int_equal(r->s.n_tokens, 2);
    assert_non_null(rig_clock(r, CLOCK_WITHIN)); /* the call's, running on */
    TAKEN(r, done(r, "help.again", TE));
    assert_string_equal(last(r, "help"), "solved");
    rig_destroy(&r);
}

static void its_own_on_may_lead_to_an_end(void **state)
{
    (void)state;
    struct rig *r = in_call();
    TAKEN(r, message(r, "help.stop"));
    assert_int_equal(r->s.status, CASE_CLOSED);
    assert_string_equal(last(r, "help"), "lost");
    rig_destroy(&r);
}

static void its_clock_runs_out_once(void **state)
{
    (void)state;
    struct rig *r = in_call();
    TAKEN(r, rig_until(r, r->now + 21 * DAY_US));
    uint16_t again = the_at(r, "help.again")->id;
    TAKEN(r, rig_until(r, r->now + 22 * DAY_US));
    assert_int_equal(the_at(r, "help.again")->id, again);
    rig_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_starts_it_is_the_holder_as_it_is_called),
        cmocka_unit_test(an_end_leaves_the_call_by_its_outcome),
        cmocka_unit_test(its_own_on_goes_on_inside),
        cmocka_unit_test(its_own_on_may_lead_to_an_end),
        cmocka_unit_test(its_clock_runs_out_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
