/* SPDX-License-Identifier: EUPL-1.2 */
/* Legal basis: what leaves, to whom, on what ground; what stays back. */
#include "engine_fixture.h"

static uint64_t bit(const struct rig *r, const char *field)
{
    return UINT64_C(1) << workflow_field(r->wf, field);
}

static void correct_secret(struct rig *r)
{
    const struct in_field secret[] = {WITH_SECRET};
    struct input in = from(EVENT_CORRECT, TE);
    in.fields = secret;
    in.n_fields = 1;
    TAKEN(r, rig_event(r, &in));
}

/* R32: each message has its scope */
static void only_the_teaser_leaves_before_acceptance(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    struct input in = from(EVENT_OFFER, TE);
    (void)state;
    TAKEN(r, rig_start(r));
    correct_secret(r);
    in.name = "city";
    TAKEN(r, rig_event(r, &in));
    const struct send *x = the_sent(r, SEND_OFFER, CITY);
    assert_int_equal(x->fields, bit(r, "days"));
    int dealings = network_category(r->net, "dealings");
    assert_int_equal(x->categories, 1u << dealings);
    assert_int_equal(x->basis[dealings], 1);
    assert_int_equal(x->basis_ver[dealings], 3);
    TAKEN(r, rig_do(r, EVENT_ACCEPT, CITY));
    x = the_sent(r, SEND_PACKAGE, CITY);
    assert_int_equal(x->fields, bit(r, "days") | bit(r, "hetu") | bit(r, "note"));
    assert_int_equal(x->held_back, bit(r, "secret")); /* no basis for health */
    rig_destroy(&r);
}

static void an_answer_brings_no_more_than_the_teasers_categories(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    const struct in_field fields[] = {WITH_MORE, WITH_SECRET, WITH_NOTE};
    struct input in = from(EVENT_OFFER, TE);
    (void)state;
    TAKEN(r, rig_start(r));
    in.name = "city";
    TAKEN(r, rig_event(r, &in));
    TAKEN(r, rig_do(r, EVENT_TAKE_UP, CITY));
    TAKEN(r, rig_do(r, EVENT_REQUEST_INFO, CITY));
    in = from(EVENT_GIVE_INFO, TE);
    in.fields = fields;
    in.n_fields = 3;
    TAKEN(r, rig_event(r, &in));
    const struct send *x = the_sent(r, SEND_UPDATE, CITY);
    assert_int_equal(x->fields, bit(r, "more"));
    assert_int_equal(x->held_back, bit(r, "secret") | bit(r, "note"));
    assert_true(r->s.fields_set & bit(r, "secret"));
    rig_destroy(&r);
}

static void a_receiver_without_any_basis_gets_no_offer(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    struct input in = from(EVENT_OFFER, TE);
    (void)state;
    TAKEN(r, rig_start(r));
    for (unsigned i = 0; i < r->net->n_bases; i++) {
        r->net->bases[i].valid.until_day = 0;
    }
    in.name = "city";
    REFUSED(rig_event(r, &in), STO_E_NO_BASIS);
    rig_destroy(&r);
}

/* R31, R33 */
static void a_consent_opens_and_its_loss_closes_at_the_next_sending(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    struct input give = from(EVENT_CONSENT_GIVE, TE);
    (void)state;
    TAKEN(r, rig_start(r));
    const struct send *x = the_sent(r, SEND_TASK, FIRM);
    assert_int_equal(x->fields, bit(r, "days"));
    assert_int_equal(x->held_back, bit(r, "note") | bit(r, "secret"));
    correct_secret(r);
    give.name = "tell";
    TAKEN(r, rig_event(r, &give));
    struct input again = from(EVENT_REASSIGN, FIRM);
    again.token = the_at(r, "work")->id;
    TAKEN(r, rig_event(r, &again));
    x = the_sent(r, SEND_TASK, FIRM);
    assert_int_equal(x->fields, bit(r, "days") | bit(r, "note") | bit(r, "secret"));
    int plan = network_category(r->net, "plan");
    assert_int_equal(x->basis[plan], 0x8000);
    assert_int_equal(x->basis_ver[plan], 1);
    /* sixty days later the consent has run out by itself */
    int64_t until_us = r->s.consents[0].until_us;
    assert_true(until_us == sto_us_add(r->now, (struct sto_duration){60, STO_DAYS}));
    TAKEN(r, rig_until(r, until_us));
    assert_int_equal(r->s.consents[0].state, CONSENT_LOST);
    rig_destroy(&r);
}

static void what_a_worker_collects_goes_to_the_holder(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    const struct in_field ends[] = {WITH_ENDS};
    struct input in = from(EVENT_TASK_RESULT, FIRM);
    (void)state;
    TAKEN(r, rig_start(r));
    in.exit = "done";
    in.fields = ends;
    in.n_fields = 1;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(the_sent(r, SEND_UPDATE, TE)->fields, bit(r, "ends"));
    rig_destroy(&r);
}

static void losing_a_basis_never_loses_the_client(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    struct input in = {.kind = EVENT_BASIS_LOST};
    (void)state;
    TAKEN(r, rig_start(r));
    assert_non_null(rig_at(r, "hand"));
    TAKEN(r, rig_event(r, &in)); /* the workflow names no-basis: the handover returns */
    assert_null(rig_at(r, "hand"));
    assert_non_null(rig_at(r, "think"));
    assert_non_null(rig_sent(r, SEND_WITHDRAWN, CITY));
    assert_int_equal(r->s.holder.org, TE);
    in.actor.org = FIRM;
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    rig_destroy(&r);
}

static void an_uncovered_handover_takes_its_no_basis_exit_at_once(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    (void)state;
    for (unsigned i = 0; i < r->net->n_bases; i++) {
        r->net->bases[i].valid.until_day = 0;
    }
    TAKEN(r, rig_start(r));
    assert_non_null(rig_at(r, "think"));
    assert_null(rig_sent(r, SEND_OFFER, CITY));
    assert_int_equal(the_sent(r, SEND_TASK, FIRM)->fields, 0);
    rig_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_teaser_leaves_before_acceptance),
        cmocka_unit_test(an_answer_brings_no_more_than_the_teasers_categories),
        cmocka_unit_test(a_receiver_without_any_basis_gets_no_offer),
        cmocka_unit_test(a_consent_opens_and_its_loss_closes_at_the_next_sending),
        cmocka_unit_test(what_a_worker_collects_goes_to_the_holder),
        cmocka_unit_test(losing_a_basis_never_loses_the_client),
        cmocka_unit_test(an_uncovered_handover_takes_its_no_basis_exit_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
