/* SPDX-License-Identifier: EUPL-1.2 */
/* Panels, consents, plans; what a step hides and must have; messages that wait for their step. */
#include "engine_kinds.h"

static int consent(struct rig *r, enum event_kind kind, uint16_t org)
{
    struct input in = from(kind, org);
    in.name = "tell";
    return rig_event(r, &in);
}

static int say(struct rig *r, enum event_kind kind, uint16_t org, const struct in_field *field)
{
    struct input in = from(kind, org);
    in.fields = field;
    in.n_fields = field != NULL;
    return rig_event(r, &in);
}

static int agenda(struct rig *r, enum mail_kind kind, int64_t at_us)
{
    return rig_mail(r, "group", (struct mail){.kind = (uint8_t)kind, .at_us = at_us});
}

static struct rig *at_panel(enum event_kind word)
{
    struct rig *r = rig_new(WF_BOARD);
    TAKEN(r, rig_start(r));
    TAKEN(r, say(r, EVENT_CORRECT, TE, &WITH_SECRET));
    TAKEN(r, consent(r, word, CITY));
    return r;
}

static struct rig *on_agenda(void)
{
    struct rig *r = at_panel(EVENT_CONSENT_GIVE);
    TAKEN(r, agenda(r, MAIL_AGENDA_DATE, r->now + 20 * DAY_US));
    r->now += 13 * DAY_US;
    TAKEN(r, agenda(r, MAIL_AGENDA_ASK, r->now + 7 * DAY_US));
    r->now += 7 * DAY_US;
    TAKEN(r, agenda(r, MAIL_AGENDA_OPEN, r->now));
    return r;
}

static void a_consent_is_asked_for_and_recorded_by_who_helps(void **state)
{
    struct rig *r = rig_new(WF_BOARD);
    (void)state;
    TAKEN(r, rig_start(r));
    assert_int_equal(engine_ball(r->net, r->wf, &r->s, the_at(r, "ask")).org, CITY);
    the_sent(r, SEND_TASK, CITY);
    REFUSED(consent(r, EVENT_CONSENT_GIVE, FIRM), STO_E_NOT_ALLOWED);
    /* its own reminder, two days before */
    assert_int_equal(the_clock(r, CLOCK_WITHIN)->rung_us, r->now + 5 * DAY_US);
    TAKEN(r, rig_until(r, r->now + 5 * DAY_US));
    the_sent(r, SEND_REMINDER, CITY);
    struct input in = from(EVENT_CONSENT_GIVE, CITY); /* by the step alone */
    in.token = the_at(r, "ask")->id;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->f.exit, EXIT_GIVEN);
    assert_int_equal(r->s.consents[0].state, CONSENT_GIVEN);
    assert_non_null(rig_at(r, "group"));
    rig_destroy(&r);
    r = at_panel(EVENT_CONSENT_REFUSE);
    assert_int_equal(r->f.exit, EXIT_REFUSED);
    assert_non_null(rig_at(r, "group"));
    rig_destroy(&r);
}

static void silence_about_a_consent_climbs_the_ladder(void **state)
{
    struct rig *r = rig_new(WF_BOARD);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, rig_until(r, r->now + 7 * DAY_US));
    assert_non_null(rig_at(r, "ask"));
    the_sent(r, SEND_ESCALATION, CITY);
    assert_int_equal(r->s.consents[0].state, CONSENT_UNASKED);
    rig_destroy(&r);
}

/* R31, R34 */
static void members_without_a_basis_are_not_asked(void **state)
{
    struct rig *r = at_panel(EVENT_CONSENT_GIVE);
    (void)state;
    assert_int_equal(the_mail(r, MAIL_AGENDA_WANTED)->service, 6);
    assert_int_equal(engine_ball(r->net, r->wf, &r->s, the_at(r, "group")).org, CITY);
    TAKEN(r, agenda(r, MAIL_AGENDA_DATE, r->now + 20 * DAY_US));
    assert_int_equal(the_sent(r, SEND_NOTICE, TE)->at_us, r->now + 20 * DAY_US);
    TAKEN(r, agenda(r, MAIL_AGENDA_ASK, r->now + 20 * DAY_US));
    assert_int_equal(the_at(r, "group")->phase, PANEL_ASKED);
    assert_true(the_sent(r, SEND_TASK, HEALTH)->fields != 0);
    assert_null(rig_sent(r, SEND_TASK, FIRM)); /* no basis for health data */
    REFUSED(say(r, EVENT_PANEL_ANSWER, FIRM, &WITH_MORE), STO_E_NOT_ALLOWED);
    REFUSED(say(r, EVENT_PANEL_ANSWER, HEALTH, &WITH_NOTE), STO_E_FIELD);
    TAKEN(r, say(r, EVENT_PANEL_ANSWER, HEALTH, &WITH_MORE));
    the_sent(r, SEND_UPDATE, CITY);
    TAKEN(r, say(r, EVENT_PANEL_ANSWER, HEALTH, &WITH_MORE));
    assert_int_equal(r->f.code, STO_E_LATE); /* it has answered */
    rig_destroy(&r);
    r = at_panel(EVENT_CONSENT_REFUSE);
    TAKEN(r, agenda(r, MAIL_AGENDA_ASK, r->now + 20 * DAY_US));
    assert_null(rig_sent(r, SEND_TASK, HEALTH));
    rig_destroy(&r);
}

static void the_panel_decides_on_its_date_and_not_before(void **state)
{
    struct rig *r = at_panel(EVENT_CONSENT_GIVE);
    (void)state;
    TAKEN(r, agenda(r, MAIL_AGENDA_DATE, r->now + 20 * DAY_US));
    REFUSED(rig_result(r, "group", CITY, "plan"), STO_E_WRONG_STATE);
    rig_destroy(&r);
    r = on_agenda();
    the_sent(r, SEND_TASK, CITY);
    REFUSED(rig_result(r, "group", HEALTH, "plan"), STO_E_NOT_ALLOWED);
    TAKEN(r, rig_result(r, "group", CITY, "plan"));
    the_mail(r, MAIL_AGENDA_RELEASED);
    assert_non_null(rig_at(r, "agree"));
    rig_destroy(&r);
}

static void a_case_is_postponed_only_so_often(void **state)
{
    struct rig *r = at_panel(EVENT_CONSENT_GIVE);
    (void)state;
    REFUSED(rig_do(r, EVENT_PANEL_POSTPONE, CITY), STO_E_WRONG_STATE);
    rig_destroy(&r);
    r = on_agenda();
    TAKEN(r, rig_do(r, EVENT_PANEL_POSTPONE, CITY));
    assert_int_equal(the_mail(r, MAIL_AGENDA_POSTPONE)->n, 1);
    assert_int_equal(the_at(r, "group")->phase, PANEL_QUEUED);
    TAKEN(r, agenda(r, MAIL_AGENDA_OPEN, r->now));
    TAKEN(r, rig_do(r, EVENT_PANEL_POSTPONE, CITY)); /* expired */
    assert_non_null(rig_at(r, "think"));
    the_mail(r, MAIL_AGENDA_RELEASED);
    rig_destroy(&r);
}

/* ------------------------------------------------------------------ plan */

static int agree(struct rig *r, uint16_t org, bool client, const char *exit)
{
    const struct token *t = the_at(r, "agree");
    struct input in = from(EVENT_TASK_RESULT, org);
    in.token = t->id;
    in.exit = exit;
    in.by_client = client;
    return rig_event(r, &in);
}

static struct rig *at_plan(void)
{
    struct rig *r = on_agenda();
    TAKEN(r, rig_result(r, "group", CITY, "plan"));
    return r;
}

/* R57, R22: one plan, in one version, agreed by all */
static void a_plan_is_agreed_when_all_agree_to_one_version(void **state)
{
    struct rig *r = at_plan();
    (void)state;
    the_sent(r, SEND_TASK, TE);
    the_sent(r, SEND_TASK, HEALTH);
    REFUSED(agree(r, HEALTH, false, "agreed"), STO_E_MISSING_FIELD); /* a part is not written */
    REFUSED(say(r, EVENT_PLAN_PART, HEALTH, &WITH_NOTE), STO_E_FIELD);
    REFUSED(say(r, EVENT_PLAN_PART, HEALTH, NULL), STO_E_MISSING_FIELD);
    REFUSED(say(r, EVENT_PLAN_PART, FIRM, &WITH_MORE), STO_E_NOT_ALLOWED);
    TAKEN(r, say(r, EVENT_PLAN_PART, HEALTH, &WITH_MORE));
    assert_int_equal(the_at(r, "agree")->count, 1);
    TAKEN(r, agree(r, HEALTH, false, "agreed"));
    assert_non_null(rig_at(r, "agree"));
    /* another version: the agreement to the old one lapses */
    TAKEN(r, say(r, EVENT_PLAN_PART, TE, &WITH_NOTE));
    assert_int_equal(the_at(r, "agree")->marks, 0);
    the_sent(r, SEND_UPDATE, HEALTH);
    TAKEN(r, agree(r, TE, true, "agreed")); /* the client's word, recorded by who helps */
    assert_non_null(rig_at(r, "agree"));
    TAKEN(r, agree(r, HEALTH, false, "agreed"));
    assert_int_equal(r->f.exit, EXIT_AGREED);
    assert_non_null(rig_at(r, "mail"));
    rig_destroy(&r);
}

static void a_word_to_an_older_version_is_refused_and_a_no_ends_the_plan(void **state)
{
    struct rig *r = at_plan();
    (void)state;
    TAKEN(r, say(r, EVENT_PLAN_PART, HEALTH, &WITH_MORE));
    TAKEN(r, say(r, EVENT_PLAN_PART, HEALTH, &WITH_MORE));
    struct input in = from(EVENT_TASK_RESULT, HEALTH);
    in.token = the_at(r, "agree")->id;
    in.exit = "agreed";
    in.place = 1;
    REFUSED(rig_event(r, &in), STO_E_WRONG_STATE);
    REFUSED(agree(r, CITY, false, "agreed"), STO_E_NOT_ALLOWED);
    TAKEN(r, agree(r, HEALTH, false, "not-agreed"));
    assert_int_equal(r->f.exit, EXIT_NOT_AGREED);
    assert_non_null(rig_at(r, "think"));
    rig_destroy(&r);
}

/* ------------------------------------------------------------------ hidden, must, kept */

/* R37, R38: a confidential service leaves no more than that */
static void a_hidden_step_tells_the_holder_only_that_something_goes_on(void **state)
{
    struct rig *r = on_agenda();
    (void)state;
    TAKEN(r, rig_result(r, "group", CITY, "private"));
    assert_int_equal(the_sent(r, SEND_TASK, HEALTH)->basis[3], 0x8000);
    TAKEN(r, rig_until(r, r->now + 30 * DAY_US)); /* it stays: the ladder climbs, unseen */
    assert_non_null(rig_at(r, "quiet"));
    for (unsigned i = 0; i < r->f.n_sends; i++) {
        assert_true(r->f.sends[i].to.org == HEALTH || r->f.sends[i].step == WF_NONE);
    }
    TAKEN(r, rig_result(r, "quiet", HEALTH, "done"));
    const struct send *x = the_sent(r, SEND_NOTICE, TE);
    assert_int_equal(x->token, 0);
    assert_int_equal(x->step, WF_NONE);
    assert_false(x->with_reason);
    assert_int_equal(x->fields, 0);
    rig_destroy(&r);
}

static void without_what_it_must_have_a_step_sends_nothing(void **state)
{
    struct rig *r = on_agenda();
    (void)state;
    TAKEN(r, consent(r, EVENT_CONSENT_WITHDRAW, TE));
    TAKEN(r, rig_result(r, "group", CITY, "private"));
    assert_null(rig_sent(r, SEND_TASK, HEALTH));
    assert_non_null(rig_at(r, "think")); /* no-basis */
    rig_destroy(&r);
}

static int letter(struct rig *r, const char *answer)
{
    struct input in = from(EVENT_MESSAGE, TE);
    in.name = "letter";
    in.exit = answer;
    return rig_event(r, &in);
}

static void a_kept_message_waits_for_its_step(void **state)
{
    struct rig *r = at_plan();
    (void)state;
    TAKEN(r, letter(r, "denied"));
    assert_non_null(rig_at(r, "agree"));
    assert_int_not_equal(r->s.kept[0], 0);
    TAKEN(r, say(r, EVENT_PLAN_PART, HEALTH, &WITH_MORE));
    TAKEN(r, agree(r, HEALTH, false, "agreed"));
    TAKEN(r, agree(r, TE, true, "agreed"));
    assert_non_null(rig_at(r, "think")); /* denied: taken as soon as it was waited for */
    assert_int_equal(r->s.kept[0], 0);
    rig_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_consent_is_asked_for_and_recorded_by_who_helps),
        cmocka_unit_test(silence_about_a_consent_climbs_the_ladder),
        cmocka_unit_test(members_without_a_basis_are_not_asked),
        cmocka_unit_test(the_panel_decides_on_its_date_and_not_before),
        cmocka_unit_test(a_case_is_postponed_only_so_often),
        cmocka_unit_test(a_plan_is_agreed_when_all_agree_to_one_version),
        cmocka_unit_test(a_word_to_an_older_version_is_refused_and_a_no_ends_the_plan),
        cmocka_unit_test(a_hidden_step_tells_the_holder_only_that_something_goes_on),
        cmocka_unit_test(without_what_it_must_have_a_step_sends_nothing),
        cmocka_unit_test(a_kept_message_waits_for_its_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
