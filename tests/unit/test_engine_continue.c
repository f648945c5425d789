/* SPDX-License-Identifier: EUPL-1.2 */
/* Ends that continue in another workflow, cases without a client, cases beside a lead case. */
#include "engine_kinds.h"

/* The end after the takeover is reached, and the right of return has lapsed: the next event of
 * the case is its clock, due at once. */
static struct rig *at_end(bool deployed)
{
    struct rig *r = rig_new(WF_MANY);
    if (deployed) {
        rig_deploy(r, WF_TRANSFER);
    }
    TAKEN(r, rig_start(r));
    struct input in = from(EVENT_CONSENT_GIVE, TE);
    in.name = "tell";
    TAKEN(r, rig_event(r, &in));
    TAKEN(r, rig_result(r, "pick", TE, "on"));
    const struct token *t = the_at(r, "score");
    in = from(EVENT_TASK_RESULT, TE);
    in.token = t->id;
    in.fields = &WITH_ABILITY;
    in.n_fields = 1;
    TAKEN(r, rig_event(r, &in));
    struct mail m = {.kind = MAIL_SEAT_RECORDED, .exit = EXIT_ATTENDED, .at_us = r->now};
    TAKEN(r, rig_mail(r, "course", m));
    TAKEN(r, rig_do(r, EVENT_ACCEPT, CITY));
    TAKEN(r, rig_do(r, EVENT_MET, CITY));
    TAKEN(r, rig_do(r, EVENT_CONFIRM_TAKEOVER, CITY));
    assert_int_equal(the_at(r, "next")->phase, 1); /* waits for the right of return */
    TAKEN(r, rig_do(r, EVENT_REPORT, CITY));
    return r;
}

static void a_case_goes_on_in_the_next_workflow(void **state)
{
    struct rig *r = at_end(true);
    struct party holder = r->s.holder;
    uint32_t ledger = r->s.ledger_n;
    struct input clock = {.kind = EVENT_CLOCK};
    (void)state;
    assert_int_equal(r->s.status, CASE_OPEN);
    assert_int_equal(state_next_due_us(&r->s), r->now);
    TAKEN(r, rig_event(r, &clock));
    assert_string_equal(r->wf->id, "transfer");
    assert_memory_equal(r->s.workflow, r->next->hash, 32);
    assert_int_equal(r->s.holder.org, holder.org);
    assert_int_equal(r->s.ledger_n, ledger);
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_DRAFT);
    assert_int_equal(r->s.n_tokens, 1);
    /* contents by name: days and note; the instrument's answers have no field there */
    int days = workflow_field(r->next, "days");
    assert_true(r->s.fields_set >> days & 1);
    assert_int_equal(r->data.v[days].i, 500);
    assert_int_equal(r->s.fields_set >> r->next->n_fields, 0);
    int te = workflow_role(r->next, "te");
    assert_int_equal(r->s.roles[te].at.org, TE);
    assert_int_equal(r->s.consents[0].state, CONSENT_UNASKED); /* the next one declares none */
    /* and it lives on there */
    struct input in = from(EVENT_OFFER, CITY);
    in.name = "health";
    TAKEN(r, rig_event(r, &in));
    TAKEN(r, rig_do(r, EVENT_ACCEPT, HEALTH));
    rig_destroy(&r);
}

static void without_the_next_workflow_the_case_is_not_lost(void **state)
{
    struct rig *r = at_end(false);
    struct input clock = {.kind = EVENT_CLOCK};
    (void)state;
    TAKEN(r, rig_event(r, &clock));
    assert_int_equal(r->s.status, CASE_OPEN);
    assert_non_null(rig_at(r, "next"));
    the_sent(r, SEND_TASK, CITY);
    assert_int_equal(engine_ball(r->net, r->wf, &r->s, the_at(r, "next")).org, CITY);
    TAKEN(r, rig_until(r, r->now + 30 * DAY_US)); /* the ladder climbs */
    assert_non_null(rig_at(r, "next"));
    assert_int_equal(r->s.status, CASE_OPEN);
    /* it is deployed afterwards: the next round goes on */
    rig_deploy(r, WF_TRANSFER);
    TAKEN(r, rig_until(r, r->now + 30 * DAY_US));
    assert_string_equal(rig_wf_of(r, &r->s)->id, "transfer");
    rig_destroy(&r);
    r = at_end(false);
    TAKEN(r, rig_event(r, &clock));
    TAKEN(r, rig_do(r, EVENT_CLOSE, CITY)); /* or the holder closes */
    rig_destroy(&r);
}

static void a_case_without_a_client_is_its_owners(void **state)
{
    struct rig *r = rig_new(WF_PLACES);
    (void)state;
    r->wf->subject = SUBJECT_GROUP;
    const struct in_field days[] = {WITH_DAYS};
    struct input in = from(EVENT_START, TE);
    in.fields = days;
    in.n_fields = 1;
    in.client.b[0] = 1;
    REFUSED(rig_event(r, &in), STO_E_FIELD);
    in.client.b[0] = 0;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->s.holder.org, TE);
    REFUSED(rig_do(r, EVENT_CLIENT_LEFT, TE), STO_E_WRONG_STATE);
    struct possible all[64];
    unsigned n = engine_possible(r->net, r->wf, &r->s, all, 64);
    for (unsigned i = 0; i < n; i++) {
        assert_int_not_equal(all[i].kind, EVENT_CLIENT_LEFT);
    }
    rig_destroy(&r);
}

static void a_case_beside_the_lead_case_is_the_lead_holders(void **state)
{
    struct rig *r = rig_new(WF_PLACES);
    (void)state;
    r->lead = (struct party){.org = CITY, .desk = 1};
    TAKEN(r, rig_start(r));
    assert_int_equal(r->s.holder.org, CITY);
    assert_int_equal(r->s.sender.org, TE);
    assert_int_equal(r->f.after.org, CITY);
    the_sent(r, SEND_NOTICE, CITY); /* it hears of it */
    REFUSED(rig_do(r, EVENT_GIVE_BACK, CITY), STO_E_RETURN_LAPSED);
    rig_destroy(&r);
    r = rig_new(WF_PLACES);
    r->lead = (struct party){.org = TE, .desk = 2};
    TAKEN(r, rig_start(r));
    assert_int_equal(r->s.holder.org, TE);
    assert_int_equal(r->s.sender.org, 0);
    rig_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_goes_on_in_the_next_workflow),
        cmocka_unit_test(without_the_next_workflow_the_case_is_not_lost),
        cmocka_unit_test(a_case_without_a_client_is_its_owners),
        cmocka_unit_test(a_case_beside_the_lead_case_is_the_lead_holders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
