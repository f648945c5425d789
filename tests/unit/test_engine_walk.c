/* SPDX-License-Identifier: EUPL-1.2 */
/* How a case walks: stages, joins, side steps, cancelling, loops, messages, sessions, late answers.
 */
#include "engine_fixture.h"

static int task(struct rig *r, const char *step, uint16_t org, const char *exit)
{
    const struct token *t = the_at(r, step);
    assert_non_null(t);
    const struct wf_step *w = &r->wf->steps[t->step];
    const struct in_field more[] = {WITH_MORE}, ends[] = {WITH_ENDS};
    struct input in = from(EVENT_TASK_RESULT, org);
    in.token = t->id;
    in.entry = t->entry;
    in.exit = exit;
    in.fields = w->collects >> workflow_field(r->wf, "more") & 1 ? more : ends;
    in.n_fields = w->collects != 0;
    return rig_event(r, &in);
}

static int seat(struct rig *r, enum mail_kind kind, uint8_t exit)
{
    const struct token *t = the_at(r, "event");
    assert_non_null(t);
    struct mail m = {.kind = (uint8_t)kind,
                     .token = t->id,
                     .entry = t->entry,
                     .exit = exit,
                     .at_us = r->now + 8 * DAY_US};
    m.service = r->wf->steps[t->step].service;
    struct input in = {.kind = EVENT_MAIL, .mail = &m};
    return rig_event(r, &in);
}

static void branches_start_together_and_enough_of_them_end_the_stage(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    (void)state;
    TAKEN(r, rig_start(r));
    assert_non_null(rig_at(r, "event"));
    assert_non_null(rig_at(r, "work"));
    assert_non_null(rig_at(r, "hand"));
    assert_int_equal(r->f.n_mails, 1);
    assert_int_equal(r->f.mails[0].kind, MAIL_SEAT_WANTED);
    assert_true(r->f.mails[0].until_us > r->now);
    TAKEN(r, seat(r, MAIL_SEAT_INVITED, 0));
    assert_int_equal(the_at(r, "event")->phase, SEAT_INVITED);
    TAKEN(r, seat(r, MAIL_SEAT_RECORDED, EXIT_ATTENDED));
    assert_null(rig_at(r, "event"));
    assert_non_null(rig_at(r, "phase"));
    assert_int_equal(the_at(r, "phase")->joined, 1);
    /* the event counts as the joint meeting: accept, confirm, and the branch goes on */
    TAKEN(r, rig_do(r, EVENT_ACCEPT, CITY));
    TAKEN(r, rig_do(r, EVENT_CONFIRM_TAKEOVER, CITY));
    assert_non_null(rig_at(r, "follow"));
    TAKEN(r, task(r, "follow", CITY, "held"));
    /* two have joined: the third is cancelled and its worker told */
    assert_null(rig_at(r, "phase"));
    assert_null(rig_at(r, "work"));
    assert_non_null(rig_at(r, "result"));
    assert_non_null(rig_sent(r, SEND_WITHDRAWN, FIRM));
    rig_destroy(&r);
}

static void absence_takes_its_own_way_and_leaving_frees_the_seat(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, seat(r, MAIL_SEAT_RECORDED, EXIT_ABSENT));
    assert_non_null(rig_at(r, "why"));
    assert_int_equal(the_at(r, "why")->at.org, CITY);
    TAKEN(r, task(r, "why", CITY, "done"));
    assert_non_null(rig_at(r, "event")); /* a valid reason: a new seat */
    TAKEN(r, rig_do(r, EVENT_CLIENT_LEFT, TE));
    assert_int_equal(r->s.status, CASE_CLOSED);
    assert_int_equal(r->f.n_mails, 1);
    assert_int_equal(r->f.mails[0].kind, MAIL_SEAT_RELEASED);
    assert_non_null(rig_sent(r, SEND_WITHDRAWN, CITY));
    assert_non_null(rig_sent(r, SEND_WITHDRAWN, FIRM));
    rig_destroy(&r);
}

static void a_loop_ends_by_too_often_and_a_stage_entered_anew_forgets(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    (void)state;
    TAKEN(r, rig_start(r));
    for (unsigned i = 0; i < 3; i++) {
        TAKEN(r, seat(r, MAIL_SEAT_RECORDED, EXIT_EXCUSED));
    }
    assert_null(rig_at(r, "event")); /* at most three */
    assert_non_null(rig_at(r, "why"));
    TAKEN(r, rig_until(r, the_clock(r, CLOCK_WITHIN)->due_us));
    while (!rig_at(r, "result")) {
        TAKEN(r, rig_until(r, state_next_due_us(&r->s)));
    }
    TAKEN(r, task(r, "result", TE, "more"));
    assert_non_null(rig_at(r, "event"));
    assert_int_equal(r->s.entries[workflow_step(r->wf, "event")], 1);
    assert_int_equal(r->s.last_exit[workflow_step(r->wf, "why")], EXIT_NONE);
    rig_destroy(&r);
}

static void a_side_step_runs_beside_one_of_a_kind_and_may_end_its_host(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    struct input in = from(EVENT_MESSAGE, FIRM);
    (void)state;
    TAKEN(r, rig_start(r));
    in.name = "alarm";
    TAKEN(r, rig_event(r, &in));
    assert_non_null(rig_at(r, "alarmed"));
    assert_non_null(rig_at(r, "work"));
    unsigned n = r->s.n_tokens;
    TAKEN(r, rig_event(r, &in)); /* noted: one runs already */
    assert_int_equal(r->s.n_tokens, n);
    in.actor.org = HEALTH;
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    TAKEN(r, task(r, "alarmed", TE, "enough"));
    assert_null(rig_at(r, "alarmed"));
    assert_null(rig_at(r, "work"));
    assert_non_null(rig_at(r, "rest"));
    rig_destroy(&r);
}

static void what_recurs_beside_the_workflow_starts_again_each_time(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    (void)state;
    TAKEN(r, rig_start(r));
    int64_t due_us = the_clock(r, CLOCK_SIDE)->due_us;
    TAKEN(r, rig_until(r, due_us));
    assert_non_null(rig_at(r, "watch"));
    assert_true(the_at(r, "watch")->side);
    assert_true(the_clock(r, CLOCK_SIDE)->due_us > due_us);
    TAKEN(r, task(r, "watch", TE, "done"));
    assert_null(rig_at(r, "watch"));
    rig_destroy(&r);
}

static void a_wait_takes_its_message_and_its_time(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    struct input in = from(EVENT_MESSAGE, TE);
    (void)state;
    TAKEN(r, rig_start(r));
    struct input decline = plain(r, EVENT_TASK_DECLINE, FIRM);
    TAKEN(r, rig_event(r, &decline));
    assert_non_null(rig_sent(r, SEND_NOTICE, FIRM));
    assert_non_null(rig_at(r, "rest"));
    int64_t due_us = the_clock(r, CLOCK_WAIT)->due_us;
    assert_true(due_us == r->now + 3 * DAY_US);
    TAKEN(r, rig_until(r, due_us));
    assert_non_null(rig_at(r, "verdict-wait"));
    in.name = "verdict";
    in.exit = "perhaps";
    REFUSED(rig_event(r, &in), STO_E_UNKNOWN_NAME);
    in.exit = "refused";
    TAKEN(r, rig_event(r, &in));
    assert_non_null(rig_at(r, "work"));
    rig_destroy(&r);
}

static void a_late_answer_fills_what_is_unset_and_moves_nothing(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    (void)state;
    TAKEN(r, rig_start(r));
    const struct token *t = the_at(r, "work");
    const struct in_field ends[] = {WITH_ENDS};
    struct input in = from(EVENT_TASK_RESULT, FIRM);
    in.token = t->id;
    in.entry = t->entry;
    in.exit = "done";
    in.fields = ends;
    in.n_fields = 1;
    struct input decline = plain(r, EVENT_TASK_DECLINE, FIRM);
    TAKEN(r, rig_event(r, &decline));
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->f.code, STO_E_LATE);
    assert_non_null(rig_at(r, "rest"));
    assert_true(r->f.fields_set >> workflow_field(r->wf, "ends") & 1);
    TAKEN(r, rig_event(r, &in)); /* now it is set: stored, changes nothing at all */
    assert_int_equal(r->f.fields_set, 0);
    in.actor.org = CLUB;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->f.fields_set, 0);
    rig_destroy(&r);
}

/* R47, R104: who has no system answers on paper or by phone, and it is recorded */
static void work_is_the_addressees_or_recorded_by_the_holder(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    (void)state;
    TAKEN(r, rig_start(r));
    REFUSED(task(r, "work", CITY, "done"), STO_E_NOT_ALLOWED);
    REFUSED(task(r, "work", FIRM, "expired"), STO_E_UNKNOWN_NAME);
    REFUSED(task(r, "work", FIRM, "no-such"), STO_E_UNKNOWN_NAME);
    struct input in = from(EVENT_TASK_RESULT, FIRM);
    in.exit = "done";
    REFUSED(rig_event(r, &in), STO_E_MISSING_FIELD);
    const struct in_field more[] = {WITH_MORE, WITH_ENDS};
    in.fields = more;
    in.n_fields = 2;
    REFUSED(rig_event(r, &in), STO_E_FIELD);
    TAKEN(r, task(r, "work", TE, "done"));
    assert_int_equal(r->f.actor.org, TE);
    assert_non_null(rig_sent(r, SEND_WITHDRAWN, FIRM));
    rig_destroy(&r);
}

static void a_result_names_who_comes_next(void **state)
{
    struct rig *r = rig_new(WF_SERVICE);
    const struct in_name club[] = {{"firm", "club", ""}}, firm[] = {{"firm", "firm", "shop"}};
    struct input in = from(EVENT_TASK_RESULT, TE);
    (void)state;
    TAKEN(r, rig_start(r));
    REFUSED(rig_event(r, &in), STO_E_UNKNOWN_NAME); /* two exits: which? */
    in.exit = "place";
    REFUSED(rig_event(r, &in), STO_E_MISSING_FIELD);
    in.names = club;
    in.n_names = 1;
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    in.names = firm;
    TAKEN(r, rig_event(r, &in));
    assert_non_null(rig_sent(r, SEND_OFFER, FIRM));
    rig_destroy(&r);
}

static void a_meeting_is_booked_missed_and_held(void **state)
{
    struct rig *r = rig_new(WF_SERVICE);
    const struct in_name firm[] = {{"firm", "firm", "shop"}};
    struct input in = from(EVENT_TASK_RESULT, TE);
    (void)state;
    TAKEN(r, rig_start(r));
    in.exit = "place";
    in.names = firm;
    in.n_names = 1;
    TAKEN(r, rig_event(r, &in));
    TAKEN(r, rig_do(r, EVENT_ACCEPT, FIRM));
    TAKEN(r, rig_do(r, EVENT_START_SERVICE, FIRM));
    TAKEN(r, rig_until(r, r->now + 3 * DAY_US));
    TAKEN(r, rig_do(r, EVENT_REPORT, FIRM));
    assert_non_null(rig_at(r, "talk"));
    REFUSED(rig_do(r, EVENT_MEETING_NO_SHOW, TE), STO_E_WRONG_STATE);
    TAKEN(r, rig_do(r, EVENT_MEETING_BOOK, TE));
    assert_non_null(rig_sent(r, SEND_NOTICE, FIRM));
    struct input missed = from(EVENT_MEETING_NO_SHOW, TE);
    missed.valid_reason = true;
    TAKEN(r, rig_event(r, &missed));
    assert_int_equal(the_at(r, "talk")->phase, MEET_TO_BOOK);
    for (unsigned i = 0; i < 2; i++) {
        TAKEN(r, rig_do(r, EVENT_MEETING_BOOK, TE));
        missed.valid_reason = false;
        TAKEN(r, rig_event(r, &missed));
    }
    assert_non_null(rig_at(r, "ask")); /* the third entry is too often */
    rig_destroy(&r);
}

static void closing_waits_for_others_work(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    (void)state;
    TAKEN(r, rig_start(r));
    REFUSED(rig_do(r, EVENT_CLOSE, TE), STO_E_OPEN_WORK);
    REFUSED(rig_do(r, EVENT_CLOSE, CITY), STO_E_NOT_ALLOWED);
    TAKEN(r, rig_do(r, EVENT_CLIENT_LEFT, TE));
    TAKEN(r, rig_do(r, EVENT_CLOSE, TE));
    assert_int_equal(r->f.code, STO_E_LATE);
    rig_destroy(&r);
}

static void losing_a_consent_is_an_event_of_the_workflow(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    (void)state;
    TAKEN(r, rig_start(r));
    struct input in = from(EVENT_CONSENT_GIVE, TE);
    in.name = "tell";
    TAKEN(r, rig_event(r, &in));
    assert_non_null(rig_clock(r, CLOCK_CONSENT));
    in.kind = EVENT_CONSENT_REFUSE;
    REFUSED(rig_event(r, &in), STO_E_WRONG_STATE);
    in.kind = EVENT_CONSENT_WITHDRAW;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->s.consents[0].state, CONSENT_LOST);
    assert_non_null(rig_at(r, "result"));
    assert_null(rig_at(r, "phase"));
    rig_destroy(&r);
}

static void what_nobody_handles_is_shown_to_the_holder(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    (void)state;
    TAKEN(r, rig_start(r));
    struct input in = from(EVENT_CLIENT_MOVED, FIRM);
    in.home = "health";
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->s.home, HEALTH);
    assert_non_null(rig_sent(r, SEND_NOTICE, TE));
    in = from(EVENT_ASKED_FOR, HEALTH);
    TAKEN(r, rig_event(r, &in));
    assert_non_null(rig_sent(r, SEND_NOTICE, TE));
    in.actor.org = FIRM;
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    rig_destroy(&r);
}

static int service(struct rig *r, const char *exit)
{
    struct input in = from(EVENT_TASK_RESULT, FIRM);
    in.token = the_at(r, "service")->id;
    in.exit = exit;
    return rig_event(r, &in);
}

static void conditions_read_settings_fields_steps_consents_and_today(void **state)
{
    struct rig *r = rig_new(WF_DATES);
    struct input give = from(EVENT_CONSENT_GIVE, TE);
    (void)state;
    TAKEN(r, rig_start(r)); /* the network's limit is 300: 500 days are enough */
    assert_int_equal(r->s.settings[0], 300);
    assert_int_equal(the_at(r, "service")->at.org, FIRM);
    TAKEN(r, service(r, "broken"));
    assert_non_null(rig_at(r, "ready-wait"));
    rig_reset(r);
    TAKEN(r, rig_start(r));
    TAKEN(r, service(r, "done")); /* no consent: the last rule */
    assert_int_equal(r->s.status, CASE_CLOSED);
    rig_reset(r);
    TAKEN(r, rig_start(r));
    give.name = "tell";
    TAKEN(r, rig_event(r, &give));
    assert_null(rig_clock(r, CLOCK_CONSENT)); /* it lasts until withdrawn */
    TAKEN(r, service(r, "done"));
    assert_non_null(rig_at(r, "until-ends"));
    int64_t ends_us = 0;
    TAKEN(r, sto_us_parse("2008-12-31", &ends_us, &r->err));
    assert_true(the_clock(r, CLOCK_WAIT)->due_us == ends_us); /* as the day begins */
    TAKEN(r, rig_until(r, ends_us));
    assert_int_equal(r->s.status, CASE_CLOSED);
    rig_destroy(&r);
}

static void a_date_is_a_deadline_until_its_day_is_over(void **state)
{
    struct rig *r = rig_new(WF_DATES);
    int64_t over_us = 0;
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, sto_us_parse("2009-01-01", &over_us, &r->err));
    assert_true(the_clock(r, CLOCK_WITHIN)->due_us == over_us);
    TAKEN(r, rig_until(r, over_us - 30 * DAY_US));
    assert_non_null(rig_at(r, "before"));
    TAKEN(r, rig_until(r, over_us));
    assert_non_null(
        rig_at(r, "service")); /* stays, at the network's pace: the date does not come again */
    assert_true(the_clock(r, CLOCK_WITHIN)->due_us > over_us);
    rig_destroy(&r);
}

static void a_start_that_does_not_fit_is_refused(void **state)
{
    struct rig *r = rig_new(WF_DATES);
    struct in_field fields[] = {WITH_DAYS, WITH_ENDS};
    struct in_name names[] = {{"firm", "firm", ""}};
    struct input in = from(EVENT_START, TE);
    (void)state;
    in.fields = fields;
    in.n_fields = 2;
    in.names = names;
    in.n_names = 1;
    fields[0].i = 299;
    REFUSED(rig_event(r, &in), STO_E_CONDITION);
    fields[0].i = -1;
    REFUSED(rig_event(r, &in), STO_E_FIELD);
    fields[0].i = 300;
    fields[1].name = "days";
    REFUSED(rig_event(r, &in), STO_E_FIELD);
    fields[1].name = "no-such";
    REFUSED(rig_event(r, &in), STO_E_UNKNOWN_NAME);
    fields[1].name = "ends";
    in.home = "atlantis";
    REFUSED(rig_event(r, &in), STO_E_UNKNOWN_NAME);
    in.home = "";
    names[0].role = "te";
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    names[0].role = "firm";
    TAKEN(r, rig_event(r, &in));
    REFUSED(rig_event(r, &in), STO_E_WRONG_STATE);
    rig_reset(r);
    in.kind = EVENT_CLOSE;
    REFUSED(rig_event(r, &in), STO_E_UNKNOWN_CASE);
    in.kind = (enum event_kind)99;
    REFUSED(rig_event(r, &in), STO_E_UNKNOWN_CASE);
    rig_destroy(&r);
}

static void a_message_without_answers_brings_its_fields(void **state)
{
    struct rig *r = rig_new(WF_DATES);
    struct in_field more[] = {WITH_MORE};
    struct input in = from(EVENT_MESSAGE, FIRM);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, service(r, "broken"));
    in.name = "ready";
    REFUSED(rig_event(r, &in), STO_E_MISSING_FIELD);
    in.fields = more;
    in.n_fields = 1;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->s.status, CASE_CLOSED);
    rig_destroy(&r);
}

/* R17: one named worker */
static void one_person_keeps_a_named_workers_work(void **state)
{
    struct rig *r = rig_new(WF_DATES);
    struct input in = from(EVENT_TASK_TAKE_UP, TE);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, rig_until(r, the_clock(r, CLOCK_SIDE)->due_us));
    in.token = the_at(r, "before")->id;
    REFUSED(rig_event(r, &in), STO_E_MISSING_FIELD);
    in.worker = "maija";
    TAKEN(r, rig_event(r, &in));
    assert_string_equal(the_at(r, "before")->worker, "maija");
    assert_string_equal(r->s.roles[0].worker, "maija");
    rig_destroy(&r);
}

static void a_state_of_another_workflow_is_refused(void **state)
{
    struct rig *r = rig_new(WF_DATES);
    (void)state;
    TAKEN(r, rig_start(r));
    r->s.tokens[0].step = 90;
    REFUSED(rig_do(r, EVENT_CLIENT_LEFT, TE), STO_E_INTERNAL);
    assert_false(r->broken);
    rig_destroy(&r);
}

static void why_says_it_in_one_sentence(void **state)
{
    struct rig *r = rig_new(WF_LOOP_CLOSED);
    char why[400];
    (void)state;
    TAKEN(r, rig_start(r));
    engine_why(r->net, r->wf, &r->s, why, sizeof why);
    assert_string_equal(
        why, "The case waits at 'hand' for an answer to the offer since 7.1.2008 klo 9.00; "
             "the move is city's, and te is responsible; if nobody acts by "
             "9.1.2008 klo 16.00, the offer expires and returns to the sender.");
    TAKEN(r, rig_do(r, EVENT_CLIENT_LEFT, TE));
    engine_why(r->net, r->wf, &r->s, why, sizeof why);
    assert_string_equal(why, "The case was closed on 7.1.2008 klo 9.00 with outcome 'stopped'.");
    engine_why(r->net, r->wf, &r->s, why, 10);
    assert_int_equal(strlen(why), 9);
    rig_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(branches_start_together_and_enough_of_them_end_the_stage),
        cmocka_unit_test(absence_takes_its_own_way_and_leaving_frees_the_seat),
        cmocka_unit_test(a_loop_ends_by_too_often_and_a_stage_entered_anew_forgets),
        cmocka_unit_test(a_side_step_runs_beside_one_of_a_kind_and_may_end_its_host),
        cmocka_unit_test(what_recurs_beside_the_workflow_starts_again_each_time),
        cmocka_unit_test(a_wait_takes_its_message_and_its_time),
        cmocka_unit_test(a_late_answer_fills_what_is_unset_and_moves_nothing),
        cmocka_unit_test(work_is_the_addressees_or_recorded_by_the_holder),
        cmocka_unit_test(a_result_names_who_comes_next),
        cmocka_unit_test(a_meeting_is_booked_missed_and_held),
        cmocka_unit_test(closing_waits_for_others_work),
        cmocka_unit_test(losing_a_consent_is_an_event_of_the_workflow),
        cmocka_unit_test(what_nobody_handles_is_shown_to_the_holder),
        cmocka_unit_test(conditions_read_settings_fields_steps_consents_and_today),
        cmocka_unit_test(a_date_is_a_deadline_until_its_day_is_over),
        cmocka_unit_test(a_start_that_does_not_fit_is_refused),
        cmocka_unit_test(a_message_without_answers_brings_its_fields),
        cmocka_unit_test(one_person_keeps_a_named_workers_work),
        cmocka_unit_test(a_state_of_another_workflow_is_refused),
        cmocka_unit_test(why_says_it_in_one_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
