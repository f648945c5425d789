/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Every state of one handover with two offers under every order of events and clocks;
 * one service and one question likewise; and 100,000 random sequences over workflows
 * with stages, branches, side steps, messages, consents and a session.
 */
#include "engine_explore.h"

#define BIT(x) (1u << (x))
#ifdef __SANITIZE_ADDRESS__
#define SEQUENCES 10000u /* twenty times as slow; the plain run has them all */
#define NEAREST   3000u
#else
#define SEQUENCES 100000u
#define NEAREST   10000u
#endif

static void report(const char *name, const struct explored *x)
{
    print_message("%s: %u states, %u moves%s%s\n", name, x->states, x->moves,
                  x->what[0] ? ": " : "", x->what);
    assert_string_equal(x->what, "");
    assert_true(x->states < EXPLORE_STATES_MAX);
}

/* R2, R17: in every state exactly one is responsible and a clock runs */
static void two_offers_and_all_clocks_reach_every_state_and_break_nothing(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    struct explored x;
    (void)state;
    assert_int_equal(rig_start(r), 0);
    r->thorough = false;
    explore(r, 2, EXPLORE_STATES_MAX, &x);
    report("transfer", &x);
    for (unsigned s = OFFER_OFFERED; s <= OFFER_NO_SHOW; s++) {
        bool referral = s == OFFER_IN_SERVICE || s == OFFER_REPORTED;
        if (!referral && !(x.offer_states & BIT(s))) {
            fail_msg("offer state %s was not reached", offer_state_name((enum offer_state)s));
        }
    }
    uint32_t phases = BIT(HANDOVER_DRAFT) | BIT(HANDOVER_NEGOTIATING) | BIT(HANDOVER_AGREED) |
                      BIT(HANDOVER_RETURNED) | BIT(HANDOVER_CANCELLED);
    assert_int_equal(x.handover_states & phases, phases);
    uint32_t clocks = BIT(CLOCK_ANSWER) | BIT(CLOCK_DECIDE) | BIT(CLOCK_INFO) | BIT(CLOCK_BOOK) |
                      BIT(CLOCK_MEET) | BIT(CLOCK_CONFIRM) | BIT(CLOCK_CHECK_IN) |
                      BIT(CLOCK_WAIT_MAX) | BIT(CLOCK_STABLE) | BIT(CLOCK_CAP) | BIT(CLOCK_DRAFT) |
                      BIT(CLOCK_NEXT) | BIT(CLOCK_WITHIN);
    assert_int_equal(x.clocks & clocks, clocks);
    rig_destroy(&r);
}

static void an_end_waits_for_the_right_of_return(void **state)
{
    struct rig *r = rig_new(WF_LOOP_CLOSED);
    struct explored x;
    (void)state;
    assert_int_equal(rig_start(r), 0);
    r->thorough = false;
    explore(r, 1, EXPLORE_STATES_MAX, &x);
    report("loop-closed", &x);
    assert_true(x.clocks & BIT(CLOCK_STABLE));
    rig_destroy(&r);
}

/* The front end wants an exit after the takeover; without one the handover itself stays, then
 * closes. */
static void a_loop_is_closed_or_called_back(void **state)
{
    struct rig *r = rig_new(WF_LOOP_CLOSED);
    struct explored x;
    (void)state;
    struct wf_step *hand = &r->wf->steps[workflow_step(r->wf, "hand")];
    for (unsigned i = 0; i < hand->n_exits; i++) {
        if (hand->exits[i].exit == EXIT_TAKEN_OVER) {
            hand->exits[i] = hand->exits[--hand->n_exits];
        }
    }
    assert_int_equal(rig_start(r), 0);
    r->thorough = false;
    explore(r, 1, EXPLORE_STATES_MAX, &x);
    report("loop-closed, no exit", &x);
    assert_true(x.handover_states & BIT(HANDOVER_TAKEN_OVER));
    rig_destroy(&r);
}

static void a_service_and_a_question_reach_every_state(void **state)
{
    struct rig *r = rig_new(WF_SERVICE);
    struct explored x;
    (void)state;
    assert_int_equal(rig_start(r), 0);
    r->thorough = false;
    explore(r, 1, EXPLORE_STATES_MAX, &x);
    report("service", &x);
    assert_true(x.offer_states & BIT(OFFER_IN_SERVICE));
    assert_true(x.offer_states & BIT(OFFER_REPORTED));
    assert_true(x.offer_states & BIT(OFFER_INTERRUPTED));
    assert_true(x.clocks & BIT(CLOCK_START));
    assert_true(x.clocks & BIT(CLOCK_SIDE));
    rig_destroy(&r);
}

/* Too many to see them all: the nearest ones, breadth first. */
static void branches_side_by_side_break_nothing_near_the_start(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    struct explored x;
    (void)state;
    assert_int_equal(rig_start(r), 0);
    r->thorough = false;
    explore(r, 1, NEAREST, &x);
    report("branches", &x);
    rig_destroy(&r);
}

static void explore_kind(const char *workflow, const char *next, unsigned max, uint32_t steps)
{
    struct rig *r = rig_new(workflow);
    struct explored x;
    if (next) {
        rig_deploy(r, next);
    }
    assert_int_equal(rig_start(r), 0);
    r->thorough = false;
    explore(r, 1, max, &x);
    print_message("%s: %u states, %u moves: %s\n", r->first->id, x.states, x.moves, x.what);
    assert_string_equal(x.what, "");
    assert_int_equal(x.steps & steps, steps);
    rig_destroy(&r);
}

static void places_are_given_back_whatever_happens(void **state)
{
    (void)state;
    explore_kind(WF_PLACES, NULL, NEAREST, BIT(STEP_PLACE) | BIT(STEP_REFERRAL) | BIT(STEP_STAGE));
}

static void a_panel_a_plan_and_a_consent_reach_every_state(void **state)
{
    (void)state;
    explore_kind(WF_BOARD, NULL, EXPLORE_STATES_MAX,
                 BIT(STEP_PANEL) | BIT(STEP_PLAN) | BIT(STEP_CONSENT) | BIT(STEP_WAIT));
}

static void branches_of_an_each_and_the_next_workflow_break_nothing(void **state)
{
    (void)state;
    explore_kind(WF_MANY, WF_TRANSFER, NEAREST,
                 BIT(STEP_EACH) | BIT(STEP_MEASURE) | BIT(STEP_SESSION) | BIT(STEP_HANDOVER) |
                     BIT(STEP_END));
}

static void random_sequences_break_nothing(void **state)
{
    static const char *const texts[] = {WF_TRANSFER, WF_LOOP_CLOSED, WF_SERVICE, WF_BRANCHES,
                                        WF_DATES,    WF_PLACES,      WF_BOARD,   WF_MANY};
    const unsigned n = sizeof texts / sizeof texts[0];
    struct random_walk w = {.seed = 2026};
    (void)state;
    for (unsigned k = 0; k < n; k++) {
        struct rig *r = rig_new(texts[k]);
        if (texts[k] == WF_MANY) {
            rig_deploy(r, WF_TRANSFER);
        }
        for (unsigned i = 0; i < SEQUENCES / n; i++) {
            uint64_t seed = w.seed;
            if (!random_sequence(&w, r, 4 + below(&w, 20))) {
                fail_msg("workflow %s, seed %llu: %s", r->first->id, (unsigned long long)seed,
                         w.what);
            }
        }
        rig_destroy(&r);
    }
    print_message("random: %u taken, %u refused, %u clocks, %u cases closed\n", w.taken, w.refused,
                  w.clocks, w.closed);
    assert_true(w.taken > SEQUENCES && w.refused > SEQUENCES / 2 && w.closed > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_offers_and_all_clocks_reach_every_state_and_break_nothing),
        cmocka_unit_test(an_end_waits_for_the_right_of_return),
        cmocka_unit_test(a_loop_is_closed_or_called_back),
        cmocka_unit_test(a_service_and_a_question_reach_every_state),
        cmocka_unit_test(branches_side_by_side_break_nothing_near_the_start),
        cmocka_unit_test(places_are_given_back_whatever_happens),
        cmocka_unit_test(a_panel_a_plan_and_a_consent_reach_every_state),
        cmocka_unit_test(branches_of_an_each_and_the_next_workflow_break_nothing),
        cmocka_unit_test(random_sequences_break_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
