/* SPDX-License-Identifier: EUPL-1.2 */
/* Pools of places and quotas: tables of every transition. */
#include "shared_fixture.h"

static int want_place(struct bench *b, unsigned c, uint16_t entry)
{
    return mail(b, MAIL_PLACE_WANTED, c, entry, 0);
}

/* The fact told case c this, and nothing else told it anything. */
static void told(const struct bench *b, unsigned c, enum mail_kind kind)
{
    struct sto_uuid id = case_of(c);
    unsigned n = 0;
    for (unsigned i = 0; i < b->f.n_mails; i++) {
        if (sto_uuid_eq(&b->f.mails[i].dst, &id)) {
            assert_int_equal(b->f.mails[i].kind, kind);
            n++;
        }
    }
    assert_int_equal(n, 1);
}

static struct service coaching(uint16_t places)
{
    struct service v = bench_service(SERVICE_PLACE, places);
    v.answer = (struct sto_duration){5, STO_BUSINESS_DAYS};
    return v;
}

static void a_free_place_without_an_answer_clock_is_reserved_at_once(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, bench_service(SERVICE_PLACE, 1));
    assert_int_equal(want_place(&b, 1, 1), 0);
    told(&b, 1, MAIL_PLACE_OFFERED);
    assert_int_equal(b.f.mails[0].until_us, 0);
    assert_int_equal(b.f.mails[0].at_us, 0);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_RESERVED);
    assert_int_equal(want_place(&b, 2, 1), 0);
    assert_int_equal(b.f.n_mails, 0);
    assert_int_equal(phase_of(&b, 2, WANT_PLACE), PLACE_QUEUED);
    assert_int_equal(shared_next_due_us(b.net, &b.s), INT64_MAX);
    bench_release(&b);
}

/* R73: a freed place is offered to the next */
static void a_place_is_offered_taken_occupied_and_freed(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, coaching(1));
    assert_int_equal(want_place(&b, 1, 1), 0);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_OFFERED);
    assert_int_equal(b.f.mails[0].until_us, at("2008-01-14 16:00"));
    assert_int_equal(want_place(&b, 2, 1), 0);
    assert_int_equal(phase_of(&b, 2, WANT_PLACE), PLACE_QUEUED); /* what is offered counts */
    assert_int_equal(shared_taken(&b.net->services[0], &b.s), 1);
    assert_int_equal(mail(&b, MAIL_PLACE_TAKEN, 1, 1, 0), 0);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_RESERVED);
    assert_int_equal(shared_next_due_us(b.net, &b.s), INT64_MAX);
    assert_int_equal(mail(&b, MAIL_PLACE_OCCUPIED, 1, 1, 0), 0);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_OCCUPIED);
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 1, 1, 0), 0);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), 0xff);
    assert_int_equal(phase_of(&b, 2, WANT_PLACE), PLACE_OFFERED);
    told(&b, 2, MAIL_PLACE_OFFERED);
    bench_release(&b);
}

/* A step whose time begins anew says its wish again: it keeps its turn and waits longer. */
static void a_wish_said_again_waits_longer_in_its_turn(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, bench_service(SERVICE_PLACE, 1));
    assert_int_equal(want_place(&b, 1, 1), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_WANTED, 2, 1, b.now + DAY), 0);
    assert_int_equal(want_place(&b, 3, 1), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_WANTED, 2, 1, b.now + 9 * DAY), 0);
    b.now += 2 * DAY;
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 1, 1, 0), 0);
    assert_int_equal(phase_of(&b, 2, WANT_PLACE), PLACE_RESERVED);
    assert_int_equal(phase_of(&b, 3, WANT_PLACE), PLACE_QUEUED);
    bench_release(&b);
}

static void silence_loses_the_turn_an_hour_after_it_was_told(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, coaching(1));
    assert_int_equal(want_place(&b, 1, 1), 0);
    assert_int_equal(want_place(&b, 2, 1), 0);
    assert_int_equal(shared_next_due_us(b.net, &b.s), at("2008-01-14 17:00"));
    assert_int_equal(tick(&b), 0);
    told(&b, 1, MAIL_PLACE_NONE);
    told(&b, 2, MAIL_PLACE_OFFERED);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), 0xff);
    bench_release(&b);
}

static void an_answer_after_the_turn_was_lost_gets_a_place_only_if_one_is_free(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, coaching(1));
    assert_int_equal(want_place(&b, 1, 1), 0);
    assert_int_equal(tick(&b), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_TAKEN, 1, 1, 0), 0);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_RESERVED);
    assert_int_equal(b.f.code, 0);
    assert_int_equal(want_place(&b, 2, 1), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_TAKEN, 3, 1, 0), 0);
    told(&b, 3, MAIL_PLACE_NONE);
    assert_int_equal(phase_of(&b, 3, WANT_PLACE), 0xff);
    assert_int_equal(phase_of(&b, 2, WANT_PLACE), PLACE_QUEUED);
    bench_release(&b);
}

static void who_declines_loses_the_turn(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, coaching(1));
    assert_int_equal(want_place(&b, 1, 1), 0);
    assert_int_equal(want_place(&b, 2, 1), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_DECLINED, 1, 1, 0), 0);
    told(&b, 1, MAIL_PLACE_NONE);
    told(&b, 2, MAIL_PLACE_OFFERED);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), 0xff);
    bench_release(&b);
}

static void who_keeps_the_turn_is_asked_again_at_the_next_free_place(void **state)
{
    (void)state;
    struct bench b;
    struct service v = coaching(1);
    v.keeps_turn = true;
    bench_with(&b, v);
    for (unsigned c = 1; c <= 3; c++) {
        assert_int_equal(want_place(&b, c, 1), 0);
    }
    assert_int_equal(mail(&b, MAIL_PLACE_DECLINED, 1, 1, 0), 0);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_QUEUED);
    told(&b, 2, MAIL_PLACE_OFFERED);
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 2, 1, 0), 0);
    told(&b, 1, MAIL_PLACE_OFFERED); /* before 3, who came later */
    assert_int_equal(phase_of(&b, 3, WANT_PLACE), PLACE_QUEUED);
    bench_release(&b);
}

static void alone_with_a_free_place_it_is_asked_again_after_an_answer_time(void **state)
{
    (void)state;
    struct bench b;
    struct service v = coaching(1);
    v.keeps_turn = true;
    bench_with(&b, v);
    assert_int_equal(want_place(&b, 1, 1), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_DECLINED, 1, 1, 0), 0);
    assert_int_equal(b.f.n_mails, 0);
    assert_int_equal(shared_next_due_us(b.net, &b.s), at("2008-01-14 16:00"));
    assert_int_equal(tick(&b), 0);
    told(&b, 1, MAIL_PLACE_OFFERED);
    bench_release(&b);
}

static void the_first_who_came_is_first_and_ties_go_by_case_id(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, bench_service(SERVICE_PLACE, 1));
    assert_int_equal(want_place(&b, 9, 1), 0);
    assert_int_equal(want_place(&b, 5, 1), 0);
    assert_int_equal(want_place(&b, 3, 1), 0); /* at the same instant as 5 */
    b.now += DAY;
    assert_int_equal(want_place(&b, 1, 1), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 9, 1, 0), 0);
    told(&b, 3, MAIL_PLACE_OFFERED);
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 3, 1, 0), 0);
    told(&b, 5, MAIL_PLACE_OFFERED);
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 5, 1, 0), 0);
    told(&b, 1, MAIL_PLACE_OFFERED);
    bench_release(&b);
}

static void urgent_is_whose_own_time_ends_first(void **state)
{
    (void)state;
    struct bench b;
    struct service v = bench_service(SERVICE_PLACE, 1);
    v.order = ORDER_URGENT;
    bench_with(&b, v);
    assert_int_equal(want_place(&b, 1, 1), 0);
    assert_int_equal(want_place(&b, 2, 1), 0); /* no end */
    assert_int_equal(mail(&b, MAIL_PLACE_WANTED, 3, 1, b.now + 90 * DAY), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_WANTED, 4, 1, b.now + 30 * DAY), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_WANTED, 5, 1, b.now + DAY), 0);
    b.now += 2 * DAY; /* 5's time is over: its case says so itself */
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 1, 1, 0), 0);
    told(&b, 4, MAIL_PLACE_OFFERED);
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 4, 1, 0), 0);
    told(&b, 3, MAIL_PLACE_OFFERED);
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 3, 1, 0), 0);
    told(&b, 2, MAIL_PLACE_OFFERED);
    bench_release(&b);
}

static void a_step_entered_again_gives_its_former_place_back(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, bench_service(SERVICE_PLACE, 1));
    assert_int_equal(want_place(&b, 1, 1), 0);
    assert_int_equal(want_place(&b, 2, 1), 0);
    b.now += DAY;
    assert_int_equal(want_place(&b, 1, 2), 0);
    told(&b, 2, MAIL_PLACE_OFFERED);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_QUEUED);
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 1, 1, 0), 0); /* of the former: nothing is lost */
    assert_int_equal(b.f.code, STO_E_LATE);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_QUEUED);
    bench_release(&b);
}

static void a_second_place_of_a_case_is_refused(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, bench_service(SERVICE_PLACE, 5));
    assert_int_equal(want_place(&b, 1, 1), 0);
    struct mail m = {.kind = MAIL_PLACE_WANTED, .src = case_of(1), .token = 8, .entry = 1};
    assert_int_equal(letter(&b, m), 0);
    told(&b, 1, MAIL_PLACE_NONE);
    assert_int_equal(b.f.mails[0].token, 8);
    assert_int_equal(shared_taken(&b.net->services[0], &b.s), 1);
    bench_release(&b);
}

static void repeats_change_nothing(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, coaching(2));
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(want_place(&b, 1, 1), 0);
        assert_int_equal(b.f.n_mails, i == 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(mail(&b, MAIL_PLACE_TAKEN, 1, 1, 0), 0);
        assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_RESERVED);
    }
    assert_int_equal(mail(&b, MAIL_PLACE_DECLINED, 1, 1, 0), 0); /* after it was taken */
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_RESERVED);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(mail(&b, MAIL_PLACE_FREED, 1, 1, 0), 0);
        assert_int_equal(b.s.n_seats, 0);
    }
    bench_release(&b);
}

static void nothing_is_offered_outside_the_service_s_validity(void **state)
{
    (void)state;
    struct bench b;
    struct service v = bench_service(SERVICE_PLACE, 1);
    v.valid.from_day = sto_day_from_civil(2008, 2, 1);
    v.valid.until_day = sto_day_from_civil(2008, 2, 29);
    bench_with(&b, v);
    assert_int_equal(want_place(&b, 1, 1), 0);
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_QUEUED);
    assert_int_equal(shared_next_due_us(b.net, &b.s), at("2008-02-01 00:00"));
    assert_int_equal(tick(&b), 0);
    told(&b, 1, MAIL_PLACE_OFFERED);
    b.now = at("2008-03-01 09:00");
    assert_int_equal(want_place(&b, 2, 1), 0);
    told(&b, 2, MAIL_PLACE_NONE);
    assert_int_equal(phase_of(&b, 2, WANT_PLACE), 0xff);
    bench_release(&b);
}

static void a_full_list_says_there_is_none(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, bench_service(SERVICE_PLACE, 1));
    for (unsigned c = 0; c < STO_SESSION_SEATS_MAX; c++) {
        assert_int_equal(want_place(&b, c, 1), 0);
    }
    assert_int_equal(want_place(&b, 999, 1), 0);
    told(&b, 999, MAIL_PLACE_NONE);
    assert_int_equal(b.s.n_seats, STO_SESSION_SEATS_MAX);
    bench_release(&b);
}

static void events_of_other_shapes_are_refused(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, bench_service(SERVICE_PLACE, 1));
    assert_int_equal(record(&b, HOST, 1, "attended"), -STO_E_WRONG_STATE);
    assert_int_equal(move(&b, b.now + DAY, 0), -STO_E_WRONG_STATE);
    assert_int_equal(open_group(&b, HOST, "2008-02-01 10:00"), -STO_E_WRONG_STATE);
    assert_int_equal(give_back(&b, HOST, 1), -STO_E_WRONG_STATE);
    assert_int_equal(want(&b, 1), -STO_E_MALFORMED);
    assert_int_equal(mail(&b, MAIL_AGENDA_WANTED, 1, 1, 0), -STO_E_MALFORMED);
    assert_int_equal(mail(&b, MAIL_PLACE_OFFERED, 1, 1, 0), -STO_E_MALFORMED);
    assert_int_equal(tick(&b), -STO_E_WRONG_STATE);
    assert_int_equal(b.s.seq, 0);
    bench_release(&b);
}

/* ------------------------------------------------------------------ quotas */

/* R74 */
static void a_quota_is_used_up_and_not_given_back_by_cases(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, bench_service(SERVICE_QUOTA, 2));
    for (unsigned c = 1; c <= 2; c++) {
        assert_int_equal(want_place(&b, c, 1), 0);
        told(&b, c, MAIL_PLACE_OFFERED);
        assert_int_equal(b.f.mails[0].until_us, 0);
    }
    assert_int_equal(b.s.used, 2);
    assert_int_equal(b.s.n_seats, 0);
    assert_int_equal(want_place(&b, 3, 1), 0);
    told(&b, 3, MAIL_PLACE_NONE);
    assert_int_equal(mail(&b, MAIL_PLACE_OCCUPIED, 1, 1, 0), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 1, 1, 0), 0);
    assert_int_equal(b.s.used, 2);
    assert_int_equal(want_place(&b, 4, 1), 0);
    told(&b, 4, MAIL_PLACE_NONE);
    bench_release(&b);
}

static void only_the_owner_returns_a_part_and_only_what_is_used(void **state)
{
    (void)state;
    struct bench b;
    bench_with(&b, bench_service(SERVICE_QUOTA, 2));
    assert_int_equal(want_place(&b, 1, 1), 0);
    assert_int_equal(want_place(&b, 2, 1), 0);
    assert_int_equal(give_back(&b, OTHER, 1), -STO_E_NOT_ALLOWED);
    assert_int_equal(give_back(&b, HOST, 0), -STO_E_WRONG_STATE);
    assert_int_equal(give_back(&b, HOST, 3), -STO_E_WRONG_STATE);
    assert_int_equal(give_back(&b, HOST, 1), 0);
    assert_int_equal(b.s.used, 1);
    assert_int_equal(want_place(&b, 3, 1), 0);
    told(&b, 3, MAIL_PLACE_OFFERED);
    assert_int_equal(b.s.used, 2);
    bench_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_place_without_an_answer_clock_is_reserved_at_once),
        cmocka_unit_test(a_place_is_offered_taken_occupied_and_freed),
        cmocka_unit_test(a_wish_said_again_waits_longer_in_its_turn),
        cmocka_unit_test(silence_loses_the_turn_an_hour_after_it_was_told),
        cmocka_unit_test(an_answer_after_the_turn_was_lost_gets_a_place_only_if_one_is_free),
        cmocka_unit_test(who_declines_loses_the_turn),
        cmocka_unit_test(who_keeps_the_turn_is_asked_again_at_the_next_free_place),
        cmocka_unit_test(alone_with_a_free_place_it_is_asked_again_after_an_answer_time),
        cmocka_unit_test(the_first_who_came_is_first_and_ties_go_by_case_id),
        cmocka_unit_test(urgent_is_whose_own_time_ends_first),
        cmocka_unit_test(a_step_entered_again_gives_its_former_place_back),
        cmocka_unit_test(a_second_place_of_a_case_is_refused),
        cmocka_unit_test(repeats_change_nothing),
        cmocka_unit_test(nothing_is_offered_outside_the_service_s_validity),
        cmocka_unit_test(a_full_list_says_there_is_none),
        cmocka_unit_test(events_of_other_shapes_are_refused),
        cmocka_unit_test(a_quota_is_used_up_and_not_given_back_by_cases),
        cmocka_unit_test(only_the_owner_returns_a_part_and_only_what_is_used),
    };
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
