/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The offer's machine against the page: every state x every event x both sides gives the
 * expected next state or refusal. The table here is written from handover.md and
 * mechanisms.md section 14, not from the engine's own table.
 */
#include "engine_fixture.h"

/* How to bring the offer of a fresh case into each state: pairs of event and actor. */
struct step_to {
    uint8_t kind, org;
};
#define PATH_MAX_STEPS 6
struct at_state {
    enum offer_state state;
    struct step_to path[PATH_MAX_STEPS];
};

static const struct at_state TRANSFER[] = {
    {OFFER_OFFERED, {{0}}},
    {OFFER_IN_REVIEW, {{EVENT_TAKE_UP, CITY}}},
    {OFFER_INFO_REQUESTED, {{EVENT_TAKE_UP, CITY}, {EVENT_REQUEST_INFO, CITY}}},
    {OFFER_WAITLISTED, {{EVENT_WAITLIST, CITY}}},
    {OFFER_ACCEPTED, {{EVENT_ACCEPT, CITY}}},
    {OFFER_BOOKED, {{EVENT_ACCEPT, CITY}, {EVENT_BOOK, CITY}}},
    {OFFER_MET, {{EVENT_ACCEPT, CITY}, {EVENT_BOOK, CITY}, {EVENT_MET, CITY}}},
    {OFFER_TAKEN_OVER,
     {{EVENT_ACCEPT, CITY}, {EVENT_BOOK, CITY}, {EVENT_MET, CITY}, {EVENT_CONFIRM_TAKEOVER, CITY}}},
    {OFFER_DECLINED, {{EVENT_DECLINE, CITY}}},
    {OFFER_WITHDRAWN, {{EVENT_WITHDRAW, TE}}},
};

static const struct at_state REFERRAL[] = {
    {OFFER_OFFERED, {{0}}},
    {OFFER_IN_REVIEW, {{EVENT_TAKE_UP, FIRM}}},
    {OFFER_WAITLISTED, {{EVENT_WAITLIST, FIRM}}},
    {OFFER_ACCEPTED, {{EVENT_ACCEPT, FIRM}}},
    {OFFER_BOOKED, {{EVENT_ACCEPT, FIRM}, {EVENT_BOOK, FIRM}}},
    {OFFER_MET, {{EVENT_ACCEPT, FIRM}, {EVENT_MET, FIRM}}},
    {OFFER_IN_SERVICE, {{EVENT_ACCEPT, FIRM}, {EVENT_START_SERVICE, FIRM}}},
};

static const struct at_state CONSULT[] = {
    {OFFER_OFFERED, {{0}}},
    {OFFER_IN_REVIEW, {{EVENT_TAKE_UP, HEALTH}}},
    {OFFER_ACCEPTED, {{EVENT_ACCEPT, HEALTH}}},
};

/* One row: event, states it leaves, where it goes; r = receiver, s = sender (holder), b = both. */
struct row {
    uint8_t event;
    char who;
    uint32_t from;
    uint8_t next; /* OFFER_NONE: the same */
};
#define IN(x) (1u << (OFFER_##x))
#define EARLY (IN(OFFERED) | IN(IN_REVIEW) | IN(INFO_REQUESTED) | IN(WAITLISTED))

static const struct row TRANSFER_ROWS[] = {
    {EVENT_TAKE_UP, 'r', IN(OFFERED), OFFER_IN_REVIEW},
    {EVENT_REQUEST_INFO, 'r', IN(IN_REVIEW), OFFER_INFO_REQUESTED},
    {EVENT_GIVE_INFO, 's', IN(INFO_REQUESTED), OFFER_IN_REVIEW},
    {EVENT_WAITLIST, 'r', IN(OFFERED) | IN(IN_REVIEW), OFFER_WAITLISTED},
    {EVENT_PLACE_FREE, 'r', IN(WAITLISTED), OFFER_IN_REVIEW},
    {EVENT_CHECK_IN, 'r', IN(WAITLISTED), OFFER_NONE},
    {EVENT_ACCEPT, 'r', IN(OFFERED) | IN(IN_REVIEW) | IN(WAITLISTED), OFFER_ACCEPTED},
    {EVENT_DECLINE, 'r', EARLY | IN(ACCEPTED), OFFER_DECLINED},
    {EVENT_REDIRECT, 'r', EARLY | IN(ACCEPTED) | IN(BOOKED) | IN(MET), OFFER_NONE},
    {EVENT_BOOK, 'r', IN(ACCEPTED) | IN(BOOKED), OFFER_BOOKED},
    {EVENT_NO_SHOW, 'b', IN(BOOKED), OFFER_NONE},
    {EVENT_MET, 'b', IN(BOOKED), OFFER_MET},
    {EVENT_DISPUTE, 's', IN(MET), OFFER_BOOKED}, /* the receiver recorded the meeting */
    {EVENT_CONFIRM_TAKEOVER, 'r', IN(MET), OFFER_TAKEN_OVER},
    {EVENT_WITHDRAW, 's', EARLY | IN(ACCEPTED) | IN(BOOKED) | IN(MET), OFFER_WITHDRAWN},
    {EVENT_START_SERVICE, 'r', 0, 0},
    {EVENT_INTERRUPT, 'b', 0, 0},
    {EVENT_ANSWER, 'r', 0, 0},
};

/* In a service the holder records for who has no system of its own. */
static const struct row REFERRAL_ROWS[] = {
    {EVENT_TAKE_UP, 'b', IN(OFFERED), OFFER_IN_REVIEW},
    {EVENT_WAITLIST, 'b', IN(OFFERED) | IN(IN_REVIEW), OFFER_WAITLISTED},
    {EVENT_PLACE_FREE, 'b', IN(WAITLISTED), OFFER_IN_REVIEW},
    {EVENT_ACCEPT, 'b', IN(OFFERED) | IN(IN_REVIEW) | IN(WAITLISTED), OFFER_ACCEPTED},
    {EVENT_DECLINE, 'b', EARLY | IN(ACCEPTED), OFFER_DECLINED},
    {EVENT_BOOK, 'b', IN(ACCEPTED) | IN(BOOKED), OFFER_BOOKED},
    {EVENT_MET, 'b', IN(ACCEPTED) | IN(BOOKED), OFFER_MET},
    {EVENT_CONFIRM_TAKEOVER, 'r', 0, 0},
    {EVENT_WITHDRAW, 's', EARLY | IN(ACCEPTED) | IN(BOOKED) | IN(MET), OFFER_WITHDRAWN},
    {EVENT_START_SERVICE, 'b', IN(ACCEPTED) | IN(BOOKED) | IN(MET), OFFER_IN_SERVICE},
    {EVENT_INTERRUPT, 'b', IN(IN_SERVICE), OFFER_INTERRUPTED},
};

static const struct row CONSULT_ROWS[] = {
    {EVENT_TAKE_UP, 'b', IN(OFFERED), OFFER_IN_REVIEW},
    {EVENT_REQUEST_INFO, 'b', IN(IN_REVIEW), OFFER_INFO_REQUESTED},
    {EVENT_ACCEPT, 'b', IN(OFFERED) | IN(IN_REVIEW), OFFER_ACCEPTED},
    {EVENT_DECLINE, 'b', EARLY | IN(ACCEPTED), OFFER_DECLINED},
    {EVENT_WAITLIST, 'b', 0, 0},
    {EVENT_BOOK, 'b', 0, 0},
    {EVENT_ANSWER, 'b', EARLY | IN(ACCEPTED), OFFER_REPORTED},
    {EVENT_WITHDRAW, 's', EARLY | IN(ACCEPTED), OFFER_WITHDRAWN},
};

struct machine {
    const char *workflow;
    uint16_t receiver;
    const struct at_state *states;
    size_t n_states;
    const struct row *rows;
    size_t n_rows;
    const char *exit; /* of the task before it; NULL = the holder offers by hand */
};

static int make(struct rig *r, const struct machine *m, uint8_t kind, uint16_t org)
{
    static const struct in_field more[] = {WITH_MORE};
    struct input in = plain(r, (enum event_kind)kind, org);
    in.offer = 1;
    in.desk = org == CITY             ? "guidance"
              : m->receiver == CITY   ? "intake"
              : m->receiver == HEALTH ? "nurses"
                                      : "shop";
    if (kind == EVENT_ANSWER && m->receiver == HEALTH) {
        in.fields = more;
        in.n_fields = 1;
    }
    return rig_event(r, &in);
}

static void open_offer(struct rig *r, const struct machine *m)
{
    static const struct in_name firm[] = {{"firm", "firm", ""}};
    rig_reset(r);
    TAKEN(r, rig_start(r));
    struct input in = from(m->exit ? EVENT_TASK_RESULT : EVENT_OFFER, TE);
    in.exit = m->exit;
    in.name = "city";
    if (m->receiver == FIRM) {
        in.names = firm;
        in.n_names = 1;
    }
    TAKEN(r, rig_event(r, &in));
}

static void bring(struct rig *r, const struct machine *m, const struct at_state *a)
{
    open_offer(r, m);
    for (unsigned i = 0; i < PATH_MAX_STEPS && a->path[i].kind != 0; i++) {
        TAKEN(r, make(r, m, a->path[i].kind, a->path[i].org));
    }
}

static const char *expect(struct rig *r, const struct machine *m, const struct at_state *a,
                          const struct row *row, uint16_t org)
{
    bool receiver = org == m->receiver, holder = org == TE;
    bool side = row->who == 'b' ? receiver || holder : row->who == 'r' ? receiver : holder;
    bool live = offer_live(a->state);
    int rc = make(r, m, row->event, org);
    if (!side) {
        return rc != 0 || r->f.code == STO_E_LATE ? NULL : "the wrong side was let through";
    }
    if (row->from >> a->state & 1) {
        const struct offer *o = state_offer(&r->s, 1);
        uint8_t want = row->next ? row->next : (uint8_t)a->state;
        if (rc || r->f.code) {
            return "was refused";
        }
        return !o || o->state == want ? NULL : "went elsewhere";
    }
    if (live) {
        return rc == -STO_E_WRONG_STATE || rc == -STO_E_NOT_ALLOWED ? NULL : "was not refused";
    }
    return rc == -STO_E_WRONG_STATE || rc == -STO_E_NOT_ALLOWED ||
                   (rc == 0 && r->f.code == STO_E_LATE)
               ? NULL
               : "was neither late nor refused";
}

static void check_machine(const struct machine *m)
{
    struct rig *r = rig_new(m->workflow);
    unsigned n = 0;
    for (size_t a = 0; a < m->n_states; a++) {
        for (size_t e = 0; e < m->n_rows; e++) {
            const uint16_t sides[] = {m->receiver, TE, CLUB};
            for (unsigned k = 0; k < 3; k++) {
                bring(r, m, &m->states[a]);
                const char *what = expect(r, m, &m->states[a], &m->rows[e], sides[k]);
                if (what || r->broken) {
                    fail_msg("%s by %u in %s: %s (%s)", event_kind_name(m->rows[e].event), sides[k],
                             offer_state_name(m->states[a].state), what ? what : "broken",
                             r->err.what);
                }
                n++;
            }
        }
    }
    print_message("%u cells\n", n);
    rig_destroy(&r);
}

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void every_state_and_event_of_a_transfer(void **state)
{
    const struct machine m = {WF_TRANSFER,          CITY, TRANSFER, COUNT(TRANSFER), TRANSFER_ROWS,
                              COUNT(TRANSFER_ROWS), NULL};
    (void)state;
    check_machine(&m);
}

static void every_state_and_event_of_a_referral(void **state)
{
    const struct machine m = {
        WF_SERVICE, FIRM, REFERRAL, COUNT(REFERRAL), REFERRAL_ROWS, COUNT(REFERRAL_ROWS), "place"};
    (void)state;
    check_machine(&m);
}

static void every_state_and_event_of_a_consult(void **state)
{
    const struct machine m = {WF_SERVICE,          HEALTH,  CONSULT, COUNT(CONSULT), CONSULT_ROWS,
                              COUNT(CONSULT_ROWS), "health"};
    (void)state;
    check_machine(&m);
}

/* ------------------------------------------------------------------ guards */

static const struct machine T = {WF_TRANSFER, CITY, TRANSFER, COUNT(TRANSFER), NULL, 0, NULL};

static void questions_are_limited(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    bring(r, &T, &TRANSFER[1]);
    for (unsigned i = 0; i < r->net->clocks.info_rounds_max; i++) {
        TAKEN(r, rig_do(r, EVENT_REQUEST_INFO, CITY));
        TAKEN(r, rig_do(r, EVENT_GIVE_INFO, TE));
    }
    REFUSED(rig_do(r, EVENT_REQUEST_INFO, CITY), STO_E_LIMIT_ROUNDS);
    rig_destroy(&r);
}

static void a_decline_needs_a_reason(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    open_offer(r, &T);
    struct input in = from(EVENT_DECLINE, CITY);
    REFUSED(rig_event(r, &in), STO_E_MISSING_REASON);
    in.reason = REASON_CAPACITY;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(the_offer(r, 1)->reason, REASON_CAPACITY);
    assert_non_null(rig_sent(r, SEND_UPDATE, TE));
    rig_destroy(&r);
}

static void a_dispute_comes_once_and_from_the_other_side(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    bring(r, &T, &TRANSFER[6]);
    REFUSED(rig_do(r, EVENT_DISPUTE, CITY), STO_E_NOT_ALLOWED);
    TAKEN(r, rig_do(r, EVENT_DISPUTE, TE));
    TAKEN(r, rig_do(r, EVENT_MET, CITY));
    REFUSED(rig_do(r, EVENT_DISPUTE, TE), STO_E_WRONG_STATE);
    TAKEN(r, rig_do(r, EVENT_CONFIRM_TAKEOVER, CITY));
    rig_destroy(&r);
}

static void no_shows_are_counted_but_not_those_with_a_reason(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    bring(r, &T, &TRANSFER[5]);
    struct input in = from(EVENT_NO_SHOW, CITY);
    in.valid_reason = true;
    for (unsigned i = 0; i < 4; i++) {
        TAKEN(r, rig_event(r, &in));
        TAKEN(r, rig_do(r, EVENT_BOOK, CITY));
    }
    in.valid_reason = false;
    for (unsigned i = 0; i + 1 < r->net->clocks.no_show_limit; i++) {
        TAKEN(r, rig_event(r, &in));
        assert_int_equal(the_offer(r, 1)->state, OFFER_BOOKED);
        TAKEN(r, rig_do(r, EVENT_BOOK, CITY));
    }
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(the_offer(r, 1)->state, OFFER_NO_SHOW);
    assert_int_equal(the_at(r, "hand")->phase, HANDOVER_RETURNED);
    assert_int_equal(r->s.holder.org, TE);
    rig_destroy(&r);
}

static void a_redirect_stays_inside_and_keeps_the_clock(void **state)
{
    struct rig *r = rig_new(WF_TRANSFER);
    (void)state;
    open_offer(r, &T);
    int64_t due_us = the_clock(r, CLOCK_ANSWER)->due_us;
    struct input in = from(EVENT_REDIRECT, CITY);
    in.name = "health";
    in.desk = "nurses";
    REFUSED(rig_event(r, &in), STO_E_NOT_ALLOWED);
    in.name = "";
    REFUSED(rig_event(r, &in), STO_E_UNKNOWN_NAME);
    in.desk = "guidance";
    r->now += DAY_US;
    TAKEN(r, rig_event(r, &in));
    assert_int_equal(the_offer(r, 1)->to.desk, 2);
    assert_true(the_clock(r, CLOCK_ANSWER)->due_us == due_us);
    const struct send *x = the_sent(r, SEND_OFFER, CITY);
    assert_non_null(x);
    assert_int_equal(x->fields, 1u << workflow_field(r->wf, "days"));
    rig_destroy(&r);
}

static void a_wrong_word_is_answered_with_the_right_one(void **state)
{
    struct rig *r = rig_new(WF_SERVICE);
    const struct machine m = {WF_SERVICE, FIRM, REFERRAL, COUNT(REFERRAL), NULL, 0, "place"};
    (void)state;
    bring(r, &m, &REFERRAL[6]);
    REFUSED(rig_do(r, EVENT_WITHDRAW, TE), STO_E_WRONG_STATE);
    assert_non_null(strstr(r->err.fix, "interrupt"));
    bring(r, &m, &REFERRAL[3]);
    REFUSED(rig_do(r, EVENT_INTERRUPT, FIRM), STO_E_WRONG_STATE);
    assert_non_null(strstr(r->err.fix, "decline or withdraw"));
    rig_destroy(&r);
}

/* R99 */
static void a_service_is_not_done_before_it_must_have_lasted(void **state)
{
    struct rig *r = rig_new(WF_SERVICE);
    const struct machine m = {WF_SERVICE, FIRM, REFERRAL, COUNT(REFERRAL), NULL, 0, "place"};
    const struct in_field note[] = {WITH_NOTE};
    (void)state;
    bring(r, &m, &REFERRAL[6]);
    struct input in = from(EVENT_REPORT, FIRM);
    in.fields = note;
    in.n_fields = 1;
    r->now += DAY_US;
    REFUSED(rig_event(r, &in), STO_E_WRONG_STATE);
    assert_non_null(strstr(r->err.fix, "interrupt"));
    r->now += 2 * DAY_US;
    in.n_fields = 0;
    TAKEN(r, rig_event(r, &in)); /* note was set at the start: nothing is missing */
    assert_non_null(rig_at(r, "talk"));
    assert_int_equal(r->s.holder.org, TE);
    rig_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_and_event_of_a_transfer),
        cmocka_unit_test(every_state_and_event_of_a_referral),
        cmocka_unit_test(every_state_and_event_of_a_consult),
        cmocka_unit_test(questions_are_limited),
        cmocka_unit_test(a_decline_needs_a_reason),
        cmocka_unit_test(a_dispute_comes_once_and_from_the_other_side),
        cmocka_unit_test(no_shows_are_counted_but_not_those_with_a_reason),
        cmocka_unit_test(a_redirect_stays_inside_and_keeps_the_clock),
        cmocka_unit_test(a_wrong_word_is_answered_with_the_right_one),
        cmocka_unit_test(a_service_is_not_done_before_it_must_have_lasted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
