/* SPDX-License-Identifier: EUPL-1.2 */
/* Places of the network: wished for, offered, taken, occupied, given back; attendance days. */
#include "engine_kinds.h"

static const struct in_name FIRM_NAMED[] = {{"firm", "firm", ""}};

static int answer(struct rig *r, const char *step, uint16_t org, const char *exit, bool named)
{
    const struct token *t = the_at(r, step);
    struct input in = from(EVENT_PLACE_ANSWER, org);
    in.token = t->id;
    in.entry = t->entry;
    in.exit = exit;
    in.names = FIRM_NAMED;
    in.n_names = named;
    return rig_event(r, &in);
}

static int offer_place(struct rig *r, const char *step, int64_t until_us)
{
    return rig_mail(r, step, (struct mail){.kind = MAIL_PLACE_OFFERED, .until_us = until_us});
}

/* Into the service at the firm: found, offered, accepted, begun. */
static struct rig *in_service(void)
{
    struct rig *r = rig_new(WF_PLACES);
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_place(r, "find", r->now + 5 * DAY_US));
    TAKEN(r, answer(r, "find", TE, "got", true));
    TAKEN(r, rig_do(r, EVENT_ACCEPT, FIRM));
    TAKEN(r, rig_do(r, EVENT_START_SERVICE, FIRM));
    return r;
}

static int attend(struct rig *r, uint16_t days)
{
    struct input in = from(EVENT_ATTENDANCE, FIRM);
    in.place = days;
    return rig_event(r, &in);
}

static void an_offered_place_is_answered_and_names_the_organisation(void **state)
{
    struct rig *r = rig_new(WF_PLACES);
    (void)state;
    TAKEN(r, rig_start(r));
    assert_int_equal(r->f.n_mails, 2); /* the pool and the quota */
    assert_int_equal(engine_ball(r->net, r->wf, &r->s, the_at(r, "find")).org, CITY);
    REFUSED(answer(r, "find", TE, "got", true), STO_E_WRONG_STATE);
    TAKEN(r, offer_place(r, "find", r->now + 5 * DAY_US));
    assert_int_equal(the_at(r, "find")->phase, PLACE_OFFERED);
    assert_int_equal(engine_ball(r->net, r->wf, &r->s, the_at(r, "find")).org, TE);
    assert_int_equal(the_sent(r, SEND_TASK, TE)->due_us, r->now + 5 * DAY_US);
    REFUSED(answer(r, "find", CITY, "got", true), STO_E_NOT_ALLOWED);
    REFUSED(answer(r, "find", TE, "perhaps", true), STO_E_UNKNOWN_NAME);
    REFUSED(answer(r, "find", TE, "got", false), STO_E_MISSING_FIELD);
    TAKEN(r, answer(r, "find", TE, "got", true));
    the_mail(r, MAIL_PLACE_TAKEN);
    assert_null(rig_mailed(r, MAIL_PLACE_FREED));
    assert_int_equal(r->s.n_holdings, 1);
    assert_int_equal(r->s.holdings[0].phase, PLACE_RESERVED);
    assert_int_equal(r->s.holdings[0].stage, the_at(r, "phase")->id);
    assert_int_equal(the_at(r, "try")->phase, HANDOVER_NEGOTIATING);
    the_sent(r, SEND_OFFER, FIRM);
    int note = workflow_field(r->wf, "note");
    assert_int_equal(the_sent(r, SEND_NOTICE, CITY)->fields, UINT64_C(1) << note);
    rig_destroy(&r);
}

static void nobody_queues_without_what_the_provider_must_get(void **state)
{
    struct rig *r = rig_new(WF_PLACES);
    const struct in_field days[] = {WITH_DAYS};
    struct input in = from(EVENT_START, TE);
    (void)state;
    in.fields = days;
    in.n_fields = 1;
    in.home = "city";
    TAKEN(r, rig_event(r, &in)); /* no note: no-basis at once, and its stage is left */
    assert_null(rig_at(r, "find"));
    assert_non_null(rig_at(r, "result"));
    assert_int_equal(r->f.n_mails, 0);
    rig_destroy(&r);
}

static void who_declines_keeps_the_turn_if_the_service_says_so(void **state)
{
    struct rig *r = rig_new(WF_PLACES);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_place(r, "find", r->now + 5 * DAY_US));
    TAKEN(r, answer(r, "find", TE, "declined", false));
    the_mail(r, MAIL_PLACE_DECLINED);
    assert_int_equal(the_at(r, "find")->phase, PLACE_QUEUED);
    assert_null(rig_clock(r, CLOCK_ANSWER));
    /* nobody answers: the same, by the clock, and the holder hears of it */
    TAKEN(r, offer_place(r, "find", r->now + 5 * DAY_US));
    TAKEN(r, rig_until(r, r->now + 5 * DAY_US));
    assert_int_equal(the_at(r, "find")->phase, PLACE_QUEUED);
    ((struct service *)(uintptr_t)network_service(r->net, 3))->keeps_turn = false;
    TAKEN(r, offer_place(r, "find", r->now + 5 * DAY_US));
    TAKEN(r, answer(r, "find", TE, "declined", false));
    assert_null(rig_at(r, "find")); /* none: the stage is left */
    assert_non_null(rig_at(r, "result"));
    rig_destroy(&r);
}

static void a_place_that_needs_no_answer_is_taken_at_once(void **state)
{
    struct rig *r = rig_new(WF_PLACES);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_place(r, "vouch", 0));
    assert_non_null(rig_at(r, "use"));
    assert_int_equal(r->s.n_holdings, 1);
    assert_int_equal(r->s.holdings[0].phase, PLACE_OCCUPIED); /* the stage's next work began */
    the_mail(r, MAIL_PLACE_OCCUPIED);
    /* got names an organisation that the pool cannot be: it is kept until somebody says which */
    TAKEN(r, offer_place(r, "find", 0));
    assert_int_equal(the_at(r, "find")->phase, PLACE_RESERVED);
    TAKEN(r, answer(r, "find", TE, "got", true));
    assert_null(rig_mailed(r, MAIL_PLACE_TAKEN));
    assert_int_equal(r->s.n_holdings, 2);
    rig_destroy(&r);
}

static void there_is_none_and_a_late_offer_changes_nothing(void **state)
{
    struct rig *r = rig_new(WF_PLACES);
    (void)state;
    TAKEN(r, rig_start(r));
    struct token was = *the_at(r, "find");
    TAKEN(r, rig_mail(r, "find", (struct mail){.kind = MAIL_PLACE_NONE}));
    for (unsigned i = 0; i < r->f.n_mails; i++) { /* the other wish goes back, this one is gone */
        assert_int_not_equal(r->f.mails[i].token, was.id);
    }
    assert_non_null(rig_at(r, "result"));
    struct mail m = {.kind = MAIL_PLACE_OFFERED, .service = 3, .token = was.id, .entry = was.entry};
    struct input in = {.kind = EVENT_MAIL, .mail = &m};
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->f.code, STO_E_LATE);
    assert_int_equal(r->s.n_holdings, 0);
    rig_destroy(&r);
}

static void the_place_is_occupied_by_the_service_and_freed_with_the_stage(void **state)
{
    struct rig *r = in_service();
    (void)state;
    assert_int_equal(r->s.holdings[0].phase, PLACE_OCCUPIED);
    the_mail(r, MAIL_PLACE_OCCUPIED);
    TAKEN(r, rig_mail(r, "vouch", (struct mail){.kind = MAIL_PLACE_NONE})); /* joins */
    r->now += 3 * DAY_US;
    struct input in = from(EVENT_REPORT, FIRM);
    in.fields = &WITH_NOTE;
    in.n_fields = 1;
    TAKEN(r, rig_event(r, &in));
    assert_non_null(rig_at(r, "result"));
    assert_int_equal(r->s.n_holdings, 0);
    assert_int_equal(the_mail(r, MAIL_PLACE_FREED)->service, 3);
    rig_destroy(&r);
}

static void an_interrupted_service_gives_its_place_back(void **state)
{
    struct rig *r = in_service();
    (void)state;
    TAKEN(r, rig_do(r, EVENT_INTERRUPT, FIRM));
    assert_non_null(rig_at(r, "talk"));
    assert_int_equal(r->s.n_holdings, 0);
    the_mail(r, MAIL_PLACE_FREED);
    TAKEN(r, rig_result(r, "talk", TE, "again"));
    the_mail(r, MAIL_PLACE_WANTED);
    rig_destroy(&r);
}

static void entered_anew_the_former_place_goes_back_first(void **state)
{
    struct rig *r = rig_new(WF_PLACES);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_place(r, "find", r->now + 5 * DAY_US));
    TAKEN(r, answer(r, "find", TE, "got", true));
    TAKEN(r, rig_do(r, EVENT_DECLINE, FIRM)); /* returned: back to the search */
    assert_non_null(rig_at(r, "find"));
    assert_int_equal(r->s.n_holdings, 0);
    assert_int_equal(r->f.n_mails, 2);
    assert_int_equal(r->f.mails[0].kind, MAIL_PLACE_FREED);
    assert_int_equal(r->f.mails[1].kind, MAIL_PLACE_WANTED);
    assert_true(r->f.mails[1].entry > r->f.mails[0].entry);
    rig_destroy(&r);
}

static void an_answer_too_late_for_the_pool_takes_the_place_away(void **state)
{
    struct rig *r = rig_new(WF_PLACES);
    (void)state;
    TAKEN(r, rig_start(r));
    struct token was = *the_at(r, "find");
    TAKEN(r, offer_place(r, "find", r->now + 5 * DAY_US));
    TAKEN(r, answer(r, "find", TE, "got", true));
    struct mail m = {.kind = MAIL_PLACE_NONE, .service = 3, .token = was.id, .entry = was.entry};
    struct input in = {.kind = EVENT_MAIL, .mail = &m};
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->s.n_holdings, 0);
    the_sent(r, SEND_NOTICE, TE);
    rig_destroy(&r);
}

static void a_case_that_closes_holds_nothing(void **state)
{
    struct rig *r = in_service();
    (void)state;
    REFUSED(rig_do(r, EVENT_CLOSE, TE), STO_E_OPEN_WORK);
    TAKEN(r, rig_do(r, EVENT_CLIENT_LEFT, TE));
    assert_int_equal(r->s.status, CASE_CLOSED);
    assert_int_equal(r->s.n_holdings, 0);
    the_mail(r, MAIL_PLACE_FREED);
    rig_destroy(&r);
}

static void attendance_days_start_what_stands_beside_and_end_the_service(void **state)
{
    struct rig *r = in_service();
    (void)state;
    REFUSED(attend(r, 0), STO_E_FIELD);
    TAKEN(r, attend(r, 4));
    assert_int_equal(the_at(r, "try")->count, 4);
    assert_null(rig_at(r, "review"));
    TAKEN(r, attend(r, 1));
    assert_non_null(rig_at(r, "review"));
    TAKEN(r, rig_result(r, "review", TE, "longer"));
    TAKEN(r, attend(r, 4));
    assert_null(rig_at(r, "review")); /* once */
    assert_non_null(rig_at(r, "try"));
    TAKEN(r, attend(r, 1));
    assert_null(rig_at(r, "try")); /* ten days: over */
    rig_destroy(&r);
}

static void a_service_may_have_to_last_some_attendance_days(void **state)
{
    struct rig *r = in_service();
    (void)state;
    struct wf_step *w = &r->wf->steps[workflow_step(r->wf, "try")];
    w->at_least = (struct wf_when){.kind = WHEN_ATTENDANCE, .days = 3, .ix = 0xff};
    struct input in = from(EVENT_REPORT, FIRM);
    in.fields = &WITH_NOTE;
    in.n_fields = 1;
    r->now += 10 * DAY_US;
    REFUSED(rig_event(r, &in), STO_E_WRONG_STATE);
    TAKEN(r, attend(r, 3));
    TAKEN(r, rig_event(r, &in));
    rig_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offered_place_is_answered_and_names_the_organisation),
        cmocka_unit_test(nobody_queues_without_what_the_provider_must_get),
        cmocka_unit_test(who_declines_keeps_the_turn_if_the_service_says_so),
        cmocka_unit_test(a_place_that_needs_no_answer_is_taken_at_once),
        cmocka_unit_test(there_is_none_and_a_late_offer_changes_nothing),
        cmocka_unit_test(the_place_is_occupied_by_the_service_and_freed_with_the_stage),
        cmocka_unit_test(an_interrupted_service_gives_its_place_back),
        cmocka_unit_test(entered_anew_the_former_place_goes_back_first),
        cmocka_unit_test(an_answer_too_late_for_the_pool_takes_the_place_away),
        cmocka_unit_test(a_case_that_closes_holds_nothing),
        cmocka_unit_test(attendance_days_start_what_stands_beside_and_end_the_service),
        cmocka_unit_test(a_service_may_have_to_last_some_attendance_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
