/* SPDX-License-Identifier: EUPL-1.2 */
/* Clocks: working time, reminders, ladders, pauses, lateness, order, outages. */
#include "engine_fixture.h"

static int64_t at(const char *text)
{
    struct sto_err err;
    int64_t us = 0;
    if (sto_us_parse(text, &us, &err)) {
        fail_msg("%s", err.what);
    }
    return us;
}

static int fire(struct rig *r)
{
    struct input in = {.kind = EVENT_CLOCK};
    return rig_event(r, &in);
}

static void an_answer_is_due_in_the_receivers_working_time(void **state)
{
    struct rig *r = rig_new(WF_LOOP_CLOSED);
    (void)state;
    r->now = at("2008-01-04 15:00"); /* a Friday, before the weekend */
    TAKEN(r, rig_start(r));
    const struct clock *c = the_clock(r, CLOCK_ANSWER);
    assert_true(c->due_us == at("2008-01-08 16:00"));
    assert_true(c->business);
    assert_true(the_sent(r, SEND_OFFER, CITY)->due_us == c->due_us);
    rig_destroy(&r);
}

static void a_reminder_comes_before_the_due_and_once(void **state)
{
    struct rig *r = rig_new(WF_LOOP_CLOSED);
    (void)state;
    TAKEN(r, rig_start(r));
    const struct clock *c = the_clock(r, CLOCK_ANSWER);
    assert_true(c->rung_us < c->due_us);
    r->now = c->rung_us;
    TAKEN(r, fire(r));
    const struct send *x = the_sent(r, SEND_REMINDER, CITY);
    assert_non_null(x);
    assert_int_equal(x->clock, CLOCK_ANSWER);
    assert_true(the_clock(r, CLOCK_ANSWER)->rung_us == INT64_MAX);
    REFUSED(fire(r), STO_E_WRONG_STATE);
    rig_destroy(&r);
}

/* R10: beyond its time somebody is told, and then the next */
static void a_step_that_stays_climbs_the_ladder_rung_by_rung(void **state)
{
    struct rig *r = rig_new(WF_SERVICE);
    static const uint16_t told[] = {TE, TE, COORD, COORD};
    (void)state;
    TAKEN(r, rig_start(r));
    for (unsigned i = 0; i < 4; i++) {
        int64_t due_us = the_clock(r, CLOCK_WITHIN)->due_us;
        TAKEN(r, rig_until(r, due_us));
        const struct send *x = the_sent(r, SEND_ESCALATION, told[i]);
        assert_non_null(x);
        assert_int_equal(x->rung, i < 3 ? i + 1 : 3);
        assert_non_null(rig_at(r, "ask"));
        assert_true(the_clock(r, CLOCK_WITHIN)->due_us > due_us);
    }
    rig_destroy(&r);
}

static void deciding_pauses_while_the_sender_answers(void **state)
{
    struct rig *r = rig_new(WF_LOOP_CLOSED);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, rig_do(r, EVENT_TAKE_UP, CITY));
    int64_t due_us = the_clock(r, CLOCK_DECIDE)->due_us;
    r->now = at("2008-01-08 09:00");
    TAKEN(r, rig_do(r, EVENT_REQUEST_INFO, CITY));
    assert_true(the_clock(r, CLOCK_DECIDE)->paused);
    assert_false(the_clock(r, CLOCK_INFO)->paused);
    r->now = at("2008-01-10 09:00"); /* two business days later */
    TAKEN(r, rig_do(r, EVENT_GIVE_INFO, TE));
    assert_null(rig_clock(r, CLOCK_INFO));
    const struct clock *c = the_clock(r, CLOCK_DECIDE);
    assert_false(c->paused);
    assert_true(due_us == at("2008-01-14 16:00"));
    assert_true(c->due_us == at("2008-01-16 16:00"));
    rig_destroy(&r);
}

static void without_an_answer_the_receiver_decides_anyway(void **state)
{
    struct rig *r = rig_new(WF_LOOP_CLOSED);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, rig_do(r, EVENT_TAKE_UP, CITY));
    TAKEN(r, rig_do(r, EVENT_REQUEST_INFO, CITY));
    TAKEN(r, rig_until(r, the_clock(r, CLOCK_INFO)->due_us));
    assert_int_equal(the_offer(r, 1)->state, OFFER_IN_REVIEW);
    assert_false(the_clock(r, CLOCK_DECIDE)->paused);
    rig_destroy(&r);
}

static void a_late_clock_fires_once_and_says_how_late(void **state)
{
    struct rig *r = rig_new(WF_LOOP_CLOSED);
    (void)state;
    TAKEN(r, rig_start(r));
    r->now = the_clock(r, CLOCK_ANSWER)->rung_us;
    TAKEN(r, fire(r));
    r->now = the_clock(r, CLOCK_ANSWER)->due_us + 90 * STO_US_PER_SEC;
    TAKEN(r, fire(r));
    assert_true(r->f.late_us == 90 * STO_US_PER_SEC);
    assert_int_equal(r->f.kind, EVENT_CLOCK);
    assert_non_null(rig_at(r, "again"));
    REFUSED(fire(r), STO_E_WRONG_STATE);
    struct input in = from(EVENT_CLOCK, TE);
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    rig_destroy(&r);
}

static void what_is_due_first_fires_first_and_ties_go_by_kind(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    (void)state;
    TAKEN(r, rig_start(r));
    for (unsigned i = 0; i < r->s.n_clocks; i++) {
        r->s.clocks[i].due_us = r->now;
        r->s.clocks[i].rung_us = INT64_MAX;
    }
    uint8_t first = r->s.clocks[0].kind;
    assert_int_equal(first, CLOCK_ANSWER);
    TAKEN(r, fire(r));
    assert_null(rig_clock(r, CLOCK_ANSWER));
    assert_non_null(rig_at(r, "think"));
    assert_non_null(rig_at(r, "work")); /* one thing at a time */
    rig_destroy(&r);
}

static void an_outage_gives_answers_four_working_hours_more(void **state)
{
    struct rig *r = rig_new(WF_LOOP_CLOSED);
    (void)state;
    TAKEN(r, rig_start(r));
    int64_t due_us = the_clock(r, CLOCK_ANSWER)->due_us; /* Wednesday 16:00 */
    struct input in = {.kind = EVENT_RESTARTED, .at2_us = due_us - 5 * 60 * STO_US_PER_SEC};
    r->now = due_us + STO_US_PER_SEC;
    TAKEN(r, rig_event(r, &in)); /* five minutes are no outage */
    assert_true(the_clock(r, CLOCK_ANSWER)->due_us == due_us);
    in.at2_us = due_us - 60 * 60 * STO_US_PER_SEC;
    TAKEN(r, rig_event(r, &in));
    assert_true(the_clock(r, CLOCK_ANSWER)->due_us == at("2008-01-10 12:00"));
    int64_t cap_us = the_clock(r, CLOCK_CAP)->due_us;
    TAKEN(r, rig_event(r, &in));
    assert_true(the_clock(r, CLOCK_CAP)->due_us == cap_us);
    rig_destroy(&r);
}

static void half_way_comes_in_the_middle_of_the_service(void **state)
{
    struct rig *r = rig_new(WF_SERVICE);
    const struct in_name firm[] = {{"firm", "firm", ""}};
    struct input in = from(EVENT_TASK_RESULT, TE);
    (void)state;
    TAKEN(r, rig_start(r));
    in.exit = "place";
    in.names = firm;
    in.n_names = 1;
    TAKEN(r, rig_event(r, &in));
    TAKEN(r, rig_do(r, EVENT_ACCEPT, FIRM));
    assert_null(rig_clock(r, CLOCK_SIDE)); /* counts from the service's start */
    assert_null(rig_clock(r, CLOCK_WITHIN));
    TAKEN(r, rig_do(r, EVENT_START_SERVICE, FIRM));
    int64_t start_us = r->now, due_us = the_clock(r, CLOCK_WITHIN)->due_us;
    assert_null(rig_clock(r, CLOCK_CAP));
    TAKEN(r, rig_until(r, start_us + (due_us - start_us) / 2));
    assert_non_null(rig_at(r, "review"));
    TAKEN(r, rig_until(r, due_us));
    assert_non_null(rig_at(r, "talk")); /* expired */
    assert_null(rig_at(r, "review"));
    rig_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_due_in_the_receivers_working_time),
        cmocka_unit_test(a_reminder_comes_before_the_due_and_once),
        cmocka_unit_test(a_step_that_stays_climbs_the_ladder_rung_by_rung),
        cmocka_unit_test(deciding_pauses_while_the_sender_answers),
        cmocka_unit_test(without_an_answer_the_receiver_decides_anyway),
        cmocka_unit_test(a_late_clock_fires_once_and_says_how_late),
        cmocka_unit_test(what_is_due_first_fires_first_and_ties_go_by_kind),
        cmocka_unit_test(an_outage_gives_answers_four_working_hours_more),
        cmocka_unit_test(half_way_comes_in_the_middle_of_the_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
