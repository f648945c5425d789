/* SPDX-License-Identifier: EUPL-1.2 */
/* Branches for each organisation of a role, series of meetings, instruments, and who is chosen. */
#include "engine_kinds.h"

static const struct in_name TWO[] = {{"actors", "firm", ""}, {"actors", "club", ""}};

static int pick(struct rig *r, const char *exit, unsigned n)
{
    struct input in = from(EVENT_TASK_RESULT, TE);
    in.token = the_at(r, "pick")->id;
    in.exit = exit;
    in.names = TWO;
    in.n_names = n;
    return rig_event(r, &in);
}

static int score(struct rig *r, bool with)
{
    struct input in = from(EVENT_TASK_RESULT, TE);
    in.token = the_at(r, "score")->id;
    in.fields = &WITH_ABILITY;
    in.n_fields = with;
    return rig_event(r, &in);
}

static struct rig *at_course(void)
{
    struct rig *r = rig_new(WF_MANY);
    TAKEN(r, rig_start(r));
    TAKEN(r, pick(r, "on", 0));
    TAKEN(r, score(r, true));
    return r;
}

static int date(struct rig *r, uint8_t exit, uint16_t left)
{
    struct mail m = {.kind = MAIL_SEAT_RECORDED, .exit = exit, .at_us = r->now, .n = left};
    return rig_mail(r, "course", m);
}

static int reply(struct rig *r, const char *step, uint16_t org)
{
    return rig_result(r, step, org, "done");
}

static void an_each_has_a_branch_for_every_organisation_that_was_named(void **state)
{
    struct rig *r = rig_new(WF_MANY);
    (void)state;
    TAKEN(r, rig_start(r));
    REFUSED(pick(r, "ask", 0), STO_E_MISSING_FIELD);
    TAKEN(r, pick(r, "ask", 2));
    the_sent(r, SEND_TASK, FIRM);
    the_sent(r, SEND_TASK, CLUB);
    assert_int_equal(the_at(r, "poll")->marks, 3);
    TAKEN(r, reply(r, "reply#1", FIRM));
    assert_non_null(rig_at(r, "poll"));
    TAKEN(r, reply(r, "reply#2", CLUB));
    assert_non_null(rig_at(r, "score"));
    rig_destroy(&r);
    r = rig_new(WF_MANY); /* one of two: it alone is waited for */
    TAKEN(r, rig_start(r));
    TAKEN(r, pick(r, "ask", 1));
    assert_int_equal(the_at(r, "poll")->marks, 1);
    TAKEN(r, reply(r, "reply#1", FIRM));
    assert_non_null(rig_at(r, "score"));
    rig_destroy(&r);
}

static void an_each_over_nobody_is_done_at_once(void **state)
{
    struct rig *r = rig_new(WF_MANY);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, pick(r, "nobody", 0));
    assert_non_null(rig_at(r, "score"));
    assert_int_equal(r->s.last_exit[workflow_step(r->wf, "poll")], EXIT_DONE);
    rig_destroy(&r);
}

static void an_organisation_is_named_once(void **state)
{
    static const struct in_name same[] = {{"actors", "firm", ""}, {"actors", "firm", ""}};
    struct rig *r = rig_new(WF_MANY);
    (void)state;
    TAKEN(r, rig_start(r));
    struct input in = from(EVENT_TASK_RESULT, TE);
    in.token = the_at(r, "pick")->id;
    in.exit = "ask";
    in.names = same;
    in.n_names = 2;
    REFUSED(rig_event(r, &in), STO_E_FIELD);
    rig_destroy(&r);
}

static void an_instrument_brings_its_profile(void **state)
{
    struct rig *r = rig_new(WF_MANY);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, pick(r, "on", 0));
    REFUSED(score(r, false), STO_E_MISSING_FIELD);
    TAKEN(r, score(r, true));
    assert_true(r->s.fields_set >> workflow_field(r->wf, "ability-beginning") & 1);
    rig_destroy(&r);
}

static void a_series_counts_its_dates_and_ends_after_the_last(void **state)
{
    struct rig *r = at_course();
    (void)state;
    assert_int_equal(the_mail(r, MAIL_SEAT_WANTED)->n, 3);
    int64_t until_us = the_clock(r, CLOCK_WITHIN)->due_us;
    TAKEN(r, rig_mail(r, "course",
                      (struct mail){.kind = MAIL_SEAT_INVITED, .at_us = r->now + 8 * DAY_US}));
    REFUSED(rig_do(r, EVENT_INTERRUPT, CITY), STO_E_WRONG_STATE); /* it has not begun */
    r->now += 8 * DAY_US;
    TAKEN(r, date(r, EXIT_ATTENDED, 2));
    assert_int_equal(the_at(r, "course")->count, 1);
    assert_true(the_clock(r, CLOCK_WITHIN)->due_us > until_us); /* counts from the start */
    TAKEN(r, date(r, EXIT_ABSENT, 1));
    assert_int_equal(the_at(r, "course")->count, 1);
    assert_non_null(rig_at(r, "gone")); /* absent starts what stands beside */
    TAKEN(r, date(r, EXIT_ATTENDED, 0));
    assert_null(rig_at(r, "course"));
    assert_null(rig_at(r, "gone"));
    assert_null(rig_mailed(r, MAIL_SEAT_RELEASED)); /* it was the last */
    assert_non_null(rig_at(r, "hand"));
    rig_destroy(&r);
}

static void a_series_is_interrupted_with_a_reason(void **state)
{
    struct rig *r = at_course();
    (void)state;
    TAKEN(r, date(r, EXIT_ATTENDED, 2));
    struct input in = from(EVENT_INTERRUPT, CITY);
    REFUSED(rig_event(r, &in), STO_E_MISSING_REASON);
    in.reason = REASON_SICKNESS;
    in.actor.org = FIRM;
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    in.actor.org = CITY;
    TAKEN(r, rig_event(r, &in));
    the_mail(r, MAIL_SEAT_RELEASED);
    assert_non_null(rig_at(r, "pick"));
    rig_destroy(&r);
}

static void everybody_is_asked_and_the_first_yes_is_taken(void **state)
{
    struct rig *r = at_course();
    (void)state;
    TAKEN(r, date(r, EXIT_ATTENDED, 0));
    the_sent(r, SEND_OFFER, CITY);
    the_sent(r, SEND_OFFER, HEALTH);
    assert_null(rig_sent(r, SEND_OFFER, TE)); /* no kind of it */
    TAKEN(r, rig_do(r, EVENT_ACCEPT, HEALTH));
    the_sent(r, SEND_WITHDRAWN, CITY);
    assert_int_equal(r->s.roles[workflow_role(r->wf, "any")].at.org, HEALTH);
    rig_destroy(&r);
}

static void a_turn_falls_on_all_that_have_an_agreement_in_force(void **state)
{
    struct rig *r = at_course();
    (void)state;
    assert_int_equal(r->s.roles[workflow_role(r->wf, "club")].at.org, CLUB);
    rig_destroy(&r);
    r = rig_new(WF_MANY); /* the agreement has ended with the service's validity */
    ((struct service *)(uintptr_t)network_service(r->net, 7))->valid.until_day = 1;
    TAKEN(r, rig_start(r));
    TAKEN(r, pick(r, "on", 0));
    TAKEN(r, score(r, true));
    assert_int_equal(r->s.roles[workflow_role(r->wf, "club")].at.org, 0);
    rig_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_each_has_a_branch_for_every_organisation_that_was_named),
        cmocka_unit_test(an_each_over_nobody_is_done_at_once),
        cmocka_unit_test(an_organisation_is_named_once),
        cmocka_unit_test(an_instrument_brings_its_profile),
        cmocka_unit_test(a_series_counts_its_dates_and_ends_after_the_last),
        cmocka_unit_test(a_series_is_interrupted_with_a_reason),
        cmocka_unit_test(everybody_is_asked_and_the_first_yes_is_taken),
        cmocka_unit_test(a_turn_falls_on_all_that_have_an_agreement_in_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
