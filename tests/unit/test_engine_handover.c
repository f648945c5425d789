/* SPDX-License-Identifier: EUPL-1.2 */
/* Who is responsible: takeover, the right of return, parallel offers, coming to nothing, ends. */
#include "engine_fixture.h"

static int offer_to(struct rig *r, const char *org)
{
    struct input in = from(EVENT_OFFER, TE);
    in.name = org;
    return rig_event(r, &in);
}

/* The case in the hands of the city, inside the stable period. */
static void taken_over(struct rig *r)
{
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_to(r, "city"));
    TAKEN(r, rig_do(r, EVENT_ACCEPT, CITY));
    TAKEN(r, rig_do(r, EVENT_BOOK, CITY));
    TAKEN(r, rig_do(r, EVENT_MET, CITY));
    assert_int_equal(r->s.holder.org, TE);
    TAKEN(r, rig_do(r, EVENT_CONFIRM_TAKEOVER, CITY));
}

/* R1: the sender answers until the receiver confirms */
static void responsibility_moves_on_confirmation_alone(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    taken_over(r);
    assert_int_equal(r->s.holder.org, CITY);
    assert_int_equal(r->s.sender.org, TE);
    assert_int_equal(r->f.before.org, TE);
    assert_int_equal(r->f.after.org, CITY);
    assert_int_equal(r->s.ledger_n, 1);
    assert_true(r->s.ledger_since_us == r->now);
    assert_true(r->s.right.valid);
    assert_int_equal(r->s.right.back_to.org, TE);
    assert_int_equal(the_at(r, "after")->at.org, CITY);
    assert_non_null(rig_sent(r, SEND_UPDATE, TE));
    assert_non_null(rig_sent(r, SEND_TASK, CITY));
    rig_destroy(&r);
}

static void giving_back_calls_the_branch_back(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    taken_over(r);
    struct input in = from(EVENT_GIVE_BACK, CITY);
    REFUSED(rig_event(r, &in), STO_E_MISSING_REASON);
    in.reason = REASON_WRONG_SERVICE;
    in.actor.org = TE;
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    in.actor.org = CITY;
    r->now += DAY_US;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->s.holder.org, TE);
    assert_int_equal(r->s.sender.org, CITY);
    assert_int_equal(r->s.ledger_n, 2);
    assert_false(r->s.right.valid);
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_RETURNED);
    assert_non_null(rig_clock(r, CLOCK_NEXT));
    assert_null(rig_clock(r, CLOCK_STABLE));
    assert_null(rig_at(r, "after"));
    TAKEN(r, offer_to(r, "health"));
    in.actor.org = TE;
    REFUSED(rig_event(r, &in), STO_E_RETURN_LAPSED);
    rig_destroy(&r);
}

static void the_right_lapses_by_time_and_by_report(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    taken_over(r);
    TAKEN(r, rig_do(r, EVENT_REPORT, CITY));
    assert_false(r->s.right.valid);
    assert_non_null(rig_sent(r, SEND_UPDATE, TE));
    REFUSED(rig_do(r, EVENT_GIVE_BACK, CITY), STO_E_RETURN_LAPSED);
    rig_reset(r);
    taken_over(r);
    TAKEN(r, rig_until(r, r->s.right.until_us - 1));
    assert_true(r->s.right.valid);
    TAKEN(r, rig_until(r, r->now + 1));
    assert_false(r->s.right.valid);
    REFUSED(rig_do(r, EVENT_GIVE_BACK, CITY), STO_E_RETURN_LAPSED);
    rig_destroy(&r);
}

/* R4: a case does not end before what comes next has begun */
static void an_end_waits_until_the_right_has_lapsed(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    taken_over(r);
    REFUSED(rig_do(r, EVENT_CLOSE, CITY), STO_E_OPEN_WORK);
    TAKEN(r, rig_do(r, EVENT_TASK_RESULT, CITY));
    assert_int_equal(r->s.status, CASE_OPEN);
    assert_non_null(rig_at(r, "fin"));
    TAKEN(r, rig_do(r, EVENT_REPORT, CITY));
    assert_int_equal(r->s.status, CASE_CLOSED);
    assert_int_equal(r->s.holder.org, 0);
    assert_int_equal(r->f.after.org, 0);
    assert_string_equal(r->wf->steps[r->s.outcome_step].outcome, "fine");
    assert_non_null(rig_sent(r, SEND_CLOSED, TE));
    assert_non_null(rig_sent(r, SEND_CLOSED, CITY));
    rig_destroy(&r);
}

static void a_client_given_back_at_the_end_is_not_lost(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    taken_over(r);
    TAKEN(r, rig_do(r, EVENT_TASK_RESULT, CITY));
    TAKEN(r, rig_do(r, EVENT_GIVE_BACK, CITY));
    assert_int_equal(r->s.status, CASE_OPEN);
    assert_int_equal(r->s.holder.org, TE);
    assert_non_null(rig_at(r, "hand"));
    assert_null(rig_at(r, "fin"));
    rig_destroy(&r);
}

static void the_first_of_parallel_offers_wins(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_to(r, "city"));
    TAKEN(r, offer_to(r, "health"));
    REFUSED(offer_to(r, "city"), STO_E_WRONG_STATE);
    struct input in = plain(r, EVENT_DECLINE, HEALTH);
    TAKEN(r, rig_event(r, &in)); /* one is left: the handover does not return */
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_NEGOTIATING);
    TAKEN(r, offer_to(r, "health"));
    TAKEN(r, rig_do(r, EVENT_ACCEPT, HEALTH));
    assert_int_equal(the_offer(r, 1)->state, OFFER_SUPERSEDED);
    assert_non_null(rig_sent(r, SEND_WITHDRAWN, CITY));
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_AGREED);
    TAKEN(r, rig_do(r, EVENT_ACCEPT, CITY));
    assert_int_equal(r->f.code, STO_E_LATE);
    REFUSED(offer_to(r, "te"), STO_E_WRONG_STATE);
    rig_destroy(&r);
}

static void what_expires_returns_and_climbs(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_to(r, "city"));
    const struct clock *c = the_clock(r, CLOCK_ANSWER);
    TAKEN(r, rig_until(r, c->due_us));
    assert_int_equal(the_offer(r, 1)->state, OFFER_EXPIRED);
    assert_non_null(rig_sent(r, SEND_WITHDRAWN, CITY));
    assert_non_null(rig_sent(r, SEND_ESCALATION, TE));
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_RETURNED);
    assert_int_equal(r->s.holder.org, TE);
    uint8_t climbed = the_clock(r, CLOCK_NEXT)->rung >> 4;
    TAKEN(r, rig_until(r, the_clock(r, CLOCK_NEXT)->due_us));
    assert_int_equal(the_clock(r, CLOCK_NEXT)->rung >> 4, climbed + 1);
    rig_destroy(&r);
}

static void the_cap_ends_every_handover(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_to(r, "city"));
    TAKEN(r, rig_do(r, EVENT_WAITLIST, CITY));
    int64_t cap_us = the_clock(r, CLOCK_CAP)->due_us;
    for (int64_t us = r->now; us < cap_us;
         us += 20 * DAY_US) { /* the place is kept current all along */
        TAKEN(r, rig_until(r, us));
        TAKEN(r, rig_do(r, EVENT_CHECK_IN, CITY));
    }
    TAKEN(r, rig_until(r, cap_us));
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_CANCELLED);
    assert_int_equal(r->s.holder.org, TE);
    const struct send *x = the_sent(r, SEND_ESCALATION, COORD);
    assert_non_null(x);
    assert_int_equal(x->rung, 0xff);
    assert_non_null(rig_sent(r, SEND_WITHDRAWN, CITY));
    assert_non_null(rig_clock(r, CLOCK_NEXT));
    TAKEN(r, rig_do(r, EVENT_CLOSE, TE));
    assert_int_equal(r->s.status, CASE_CLOSED);
    rig_destroy(&r);
}

static void a_place_not_kept_current_twice_is_lost(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_to(r, "city"));
    TAKEN(r, rig_do(r, EVENT_WAITLIST, CITY));
    assert_int_equal(the_offer(r, 1)->place, 3);
    TAKEN(r, rig_until(r, the_clock(r, CLOCK_CHECK_IN)->due_us));
    assert_int_equal(the_offer(r, 1)->check_ins_missed, 1);
    TAKEN(r, rig_until(r, the_clock(r, CLOCK_CHECK_IN)->due_us));
    assert_int_equal(the_offer(r, 1)->state, OFFER_EXPIRED);
    rig_destroy(&r);
}

static void the_client_may_withdraw_through_either_side(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_to(r, "city"));
    struct input in = from(EVENT_WITHDRAW, CITY);
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    in.by_client = true;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(the_offer(r, 1)->reason, REASON_CLIENT_WISH);
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_RETURNED);
    TAKEN(r, rig_do(r, EVENT_CONFIRM_WITHDRAWN, CITY));
    assert_int_equal(r->f.code, 0);
    rig_destroy(&r);
}

/* The client's wish opens a withdrawal to the receiver, and nothing else of the sender's. */
static void the_receiver_never_answers_its_own_question(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_to(r, "city"));
    struct input in = from(EVENT_TAKE_UP, CITY);
    in.worker = "Maija";
    TAKEN(r, rig_event(r, &in));
    in = from(EVENT_REQUEST_INFO, CITY);
    in.text = "which days";
    TAKEN(r, rig_event(r, &in));
    in = from(EVENT_GIVE_INFO, CITY);
    in.by_client = true;
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    rig_destroy(&r);
}

/* R23: by the network, public organisations alone may hold */
static void only_who_may_hold_and_is_in_force_receives(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    REFUSED(offer_to(r, "firm"), STO_E_NOT_ALLOWED);
    REFUSED(offer_to(r, "nobody"), STO_E_UNKNOWN_NAME);
    r->now += 400 * DAY_US;
    REFUSED(offer_to(r, "te"), STO_E_NOT_IN_FORCE);
    struct input in = from(EVENT_OFFER, CITY);
    in.name = "health";
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    rig_destroy(&r);
}

static void a_draft_reminds_and_stays(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_DRAFT);
    assert_non_null(rig_sent(r, SEND_TASK, TE));
    TAKEN(r, rig_until(r, the_clock(r, CLOCK_DRAFT)->due_us));
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_DRAFT);
    assert_non_null(rig_clock(r, CLOCK_DRAFT));
    rig_destroy(&r);
}

static void exits_of_their_own_tell_a_no_from_silence(void **state)
{
    struct rig *r = rig_new(WF_LOOP_CLOSED);
    (void)state;
    TAKEN(r, rig_start(r)); /* the receiver is bound: the offer is out at once */
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_NEGOTIATING);
    TAKEN(r, rig_do(r, EVENT_DECLINE, CITY));
    assert_non_null(rig_at(r, "said-no"));
    TAKEN(r, rig_do(r, EVENT_TASK_RESULT, TE));
    TAKEN(r, rig_until(r, the_clock(r, CLOCK_ANSWER)->due_us));
    assert_non_null(rig_at(r, "again"));
    rig_destroy(&r);
}

static void by_phone_needs_a_contact_but_no_booking(void **state)
{
    struct rig *r = rig_new(WF_LOOP_CLOSED);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, rig_do(r, EVENT_ACCEPT, CITY));
    REFUSED(rig_do(r, EVENT_CONFIRM_TAKEOVER, CITY), STO_E_WRONG_STATE);
    TAKEN(r, rig_do(r, EVENT_MET, TE));
    REFUSED(rig_do(r, EVENT_CONFIRM_TAKEOVER, TE), STO_E_NOT_ALLOWED);
    TAKEN(r, rig_do(r, EVENT_CONFIRM_TAKEOVER, CITY));
    assert_int_equal(r->s.holder.org, CITY);
    rig_destroy(&r);
}

/* R129: an organisation closes, its open cases go on with its successor */
static void succession_needs_two_and_repoints_all(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    TAKEN(r, offer_to(r, "city"));
    struct input in = from(EVENT_SUCCEED, TE);
    in.name = "te";
    REFUSED(rig_event(r, &in), STO_E_TWO_PERSONS);
    in.second_admin = CITY;
    REFUSED(rig_event(r, &in), STO_E_TWO_PERSONS);
    in.second_admin = TE_NEW;
    in.actor.org = CITY;
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    in.actor.org = TE;
    r->now += DAY_US;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->s.holder.org, TE_NEW);
    assert_int_equal(the_offer(r, 1)->from.org, TE_NEW);
    assert_int_equal(r->s.ledger_n, 1);
    struct input withdraw = from(EVENT_WITHDRAW, TE);
    REFUSED(rig_event(r, &withdraw), STO_E_NOT_ALLOWED);
    rig_destroy(&r);
}

static void succession_keeps_the_desk_of_the_same_name(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    struct input in = from(EVENT_REASSIGN, TE);
    in.desk = "back";
    r->now += DAY_US;
    TAKEN(r, rig_event(r, &in));
    network_t *net = r->net; /* the successor has that desk too, under another number */
    unsigned ix = 0;
    while (net->orgs[ix].number != TE_NEW) {
        ix++;
    }
    struct organisation *now = &net->orgs[ix];
    now->desks[now->n_desks++] = (struct desk){.number = 77, .id = "back", .lead = ""};
    in = from(EVENT_SUCCEED, TE);
    in.second_admin = TE_NEW;
    r->now += DAY_US;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->s.holder.org, TE_NEW);
    assert_int_equal(r->s.holder.desk, 77);
    rig_destroy(&r);
}

/* R20, R24: responsibility changes hands inside an organisation, with a reason and a record */
static void another_desk_of_the_holder_is_a_change_point(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    struct input in = from(EVENT_REASSIGN, TE);
    in.desk = "back";
    r->now += DAY_US;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->s.holder.desk, 2);
    assert_int_equal(r->s.ledger_n, 1);
    in.desk = "";
    REFUSED(rig_event(r, &in), STO_E_MISSING_FIELD);
    in.worker = "maija";
    TAKEN(r, rig_event(r, &in));
    assert_string_equal(r->s.roles[0].worker, "maija");
    assert_int_equal(r->s.ledger_n, 1);
    in.actor.org = CITY;
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    rig_destroy(&r);
}

static void succession_settles_what_was_between_the_two(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    TAKEN(r, rig_start(r));
    network_t *net = r->net; /* the city follows the office, as if so configured */
    for (unsigned i = 0; i < net->n_orgs; i++) {
        net->orgs[i].successor = net->orgs[i].number == TE ? CITY : 0;
    }
    TAKEN(r, offer_to(r, "city"));
    struct input in = from(EVENT_SUCCEED, TE);
    in.second_admin = CITY;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(r->s.holder.org, CITY);
    assert_int_equal(the_offer(r, 1)->state, OFFER_WITHDRAWN);
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_RETURNED);
    rig_reset(r);
    taken_over(r);
    TAKEN(r, rig_event(r, &in));
    assert_false(r->s.right.valid); /* nobody gives back to itself */
    rig_destroy(&r);
}

/* R23 */
static void who_may_not_hold_does_not_start(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    struct input in = from(EVENT_START, FIRM);
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    in.actor.org = CITY;
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    in.actor.org = TE;
    REFUSED(rig_event(r, &in), STO_E_MISSING_FIELD);
    in.actor.org = 99;
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    rig_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responsibility_moves_on_confirmation_alone),
        cmocka_unit_test(giving_back_calls_the_branch_back),
        cmocka_unit_test(the_right_lapses_by_time_and_by_report),
        cmocka_unit_test(an_end_waits_until_the_right_has_lapsed),
        cmocka_unit_test(a_client_given_back_at_the_end_is_not_lost),
        cmocka_unit_test(the_first_of_parallel_offers_wins),
        cmocka_unit_test(what_expires_returns_and_climbs),
        cmocka_unit_test(the_cap_ends_every_handover),
        cmocka_unit_test(a_place_not_kept_current_twice_is_lost),
        cmocka_unit_test(the_client_may_withdraw_through_either_side),
        cmocka_unit_test(the_receiver_never_answers_its_own_question),
        cmocka_unit_test(only_who_may_hold_and_is_in_force_receives),
        cmocka_unit_test(a_draft_reminds_and_stays),
        cmocka_unit_test(exits_of_their_own_tell_a_no_from_silence),
        cmocka_unit_test(by_phone_needs_a_contact_but_no_booking),
        cmocka_unit_test(succession_needs_two_and_repoints_all),
        cmocka_unit_test(succession_keeps_the_desk_of_the_same_name),
        cmocka_unit_test(another_desk_of_the_holder_is_a_change_point),
        cmocka_unit_test(succession_settles_what_was_between_the_two),
        cmocka_unit_test(who_may_not_hold_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
