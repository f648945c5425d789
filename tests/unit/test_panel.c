/* SPDX-License-Identifier: EUPL-1.2 */
/* A panel's agenda: dates, cut-off, material, decisions and postponements. Tuesdays at 10, cut-off
   a week before, material two days before. */
#include "shared_fixture.h"

#define FIRST                                                                                      \
    "2008-01-15 10:00" /* the first Tuesday whose cut-off is still to come on 7 January            \
                        */

static void panel_init(struct bench *b, uint16_t places)
{
    struct service v = bench_weekly(SERVICE_PANEL, places);
    v.cut_off = (struct sto_duration){7, STO_DAYS};
    v.material = (struct sto_duration){2, STO_DAYS};
    v.members[v.n_members++] = HOST;
    v.members[v.n_members++] = MEMBER;
    bench_with(b, v);
}

static int want_line(struct bench *b, unsigned c)
{
    b->now += STO_US_PER_SEC;
    return mail(b, MAIL_AGENDA_WANTED, c, 1, 0);
}

static int64_t line_date(const struct bench *b, unsigned c)
{
    const struct seat *t = seat_of(b, c, WANT_AGENDA);
    return t ? t->date_us : -1;
}

static void told(const struct bench *b, unsigned c, enum mail_kind kind, const char *when)
{
    struct sto_uuid id = case_of(c);
    unsigned n = 0;
    for (unsigned i = 0; i < b->f.n_mails; i++) {
        if (sto_uuid_eq(&b->f.mails[i].dst, &id)) {
            assert_int_equal(b->f.mails[i].kind, kind);
            assert_int_equal(b->f.mails[i].at_us, when ? at(when) : 0);
            n++;
        }
    }
    assert_int_equal(n, 1);
}

/* R68 */
static void a_case_gets_the_next_date_before_its_cut_off(void **state)
{
    (void)state;
    struct bench b;
    panel_init(&b, 2);
    assert_int_equal(want_line(&b, 1), 0);
    told(&b, 1, MAIL_AGENDA_DATE, FIRST);
    b.now = at("2008-01-08 10:00"); /* the cut-off itself */
    assert_int_equal(want_line(&b, 2), 0);
    assert_int_equal(line_date(&b, 2), at("2008-01-22 10:00"));
    bench_release(&b);
}

static void a_date_takes_so_many_cases_and_the_oldest_first(void **state)
{
    (void)state;
    struct bench b;
    panel_init(&b, 2);
    for (unsigned c = 5; c >= 1; c--) {
        assert_int_equal(want_line(&b, c), 0);
    }
    assert_int_equal(line_date(&b, 5), at(FIRST));
    assert_int_equal(line_date(&b, 4), at(FIRST));
    assert_int_equal(line_date(&b, 3), at("2008-01-22 10:00"));
    assert_int_equal(line_date(&b, 1), at("2008-01-29 10:00"));
    assert_int_equal(mail(&b, MAIL_AGENDA_RELEASED, 5, 1, 0), 0);
    told(&b, 3, MAIL_AGENDA_DATE, FIRST); /* before the cut-off the younger move up */
    told(&b, 1, MAIL_AGENDA_DATE, "2008-01-22 10:00");
    assert_int_equal(b.f.n_mails, 2);
    bench_release(&b);
}

/* R83 */
static void cut_off_material_and_date_follow_one_another(void **state)
{
    (void)state;
    struct bench b;
    panel_init(&b, 2);
    assert_int_equal(want_line(&b, 1), 0);
    assert_int_equal(shared_next_due_us(b.net, &b.s), at("2008-01-08 10:00"));
    assert_int_equal(tick(&b), 0);
    told(&b, 1, MAIL_AGENDA_ASK, FIRST);
    assert_int_equal(phase_of(&b, 1, WANT_AGENDA), PANEL_ASKED);
    assert_int_equal(shared_next_due_us(b.net, &b.s), at("2008-01-13 10:00"));
    assert_int_equal(tick(&b), 0);
    assert_int_equal(b.f.n_mails, 0);
    assert_int_equal(b.f.n_sends, 2); /* the organiser, who is a member too, once */
    assert_int_equal(b.f.sends[0].kind, SEND_NOTICE);
    assert_int_equal(b.f.sends[0].to.org, HOST);
    assert_int_equal(b.f.sends[1].to.org, MEMBER);
    assert_int_equal(b.f.sends[1].at_us, at(FIRST));
    assert_int_equal(shared_next_due_us(b.net, &b.s), at(FIRST));
    assert_int_equal(tick(&b), 0);
    told(&b, 1, MAIL_AGENDA_OPEN, FIRST);
    assert_int_equal(phase_of(&b, 1, WANT_AGENDA), PANEL_ON_AGENDA);
    assert_int_equal(b.f.n_sends, 1);
    assert_int_equal(b.f.sends[0].kind, SEND_RECORD);
    assert_int_equal(b.f.sends[0].due_us, at("2008-01-16 16:00"));
    bench_release(&b);
}

static void the_organiser_is_reminded_until_each_case_is_decided(void **state)
{
    (void)state;
    struct bench b;
    panel_init(&b, 0);
    assert_int_equal(want_line(&b, 1), 0);
    assert_int_equal(want_line(&b, 2), 0);
    (void)until(&b, FIRST);
    assert_int_equal(mail(&b, MAIL_AGENDA_RELEASED, 1, 1, 0), 0);
    assert_int_equal(shared_next_due_us(b.net, &b.s), at("2008-01-17 16:00"));
    assert_int_equal(tick(&b), 0);
    assert_int_equal(b.f.sends[0].kind, SEND_REMINDER);
    assert_int_equal(tick(&b), 0);
    assert_int_equal(b.f.sends[0].kind, SEND_ESCALATION);
    assert_int_equal(b.f.sends[0].to.org, OTHER);
    assert_int_equal(mail(&b, MAIL_AGENDA_RELEASED, 2, 1, 0), 0);
    assert_int_equal(shared_next_due_us(b.net, &b.s), INT64_MAX);
    bench_release(&b);
}

static void a_postponed_case_gets_the_next_date_and_goes_before_younger_ones(void **state)
{
    (void)state;
    struct bench b;
    panel_init(&b, 1);
    assert_int_equal(want_line(&b, 1), 0);
    assert_int_equal(want_line(&b, 2), 0); /* 22 January */
    b.now = at("2008-01-10 10:00");
    (void)until(&b, "2008-01-14 10:00");
    assert_int_equal(want_line(&b, 3), 0); /* 29 January */
    assert_int_equal(line_date(&b, 3), at("2008-01-29 10:00"));
    (void)until(&b, "2008-01-15 09:59"); /* cut-off of 22 January is at 10:00 today */
    b.now = at(FIRST);
    assert_int_equal(tick(&b), 0);
    struct mail m = {
        .kind = MAIL_AGENDA_POSTPONE, .src = case_of(1), .token = 1, .entry = 1, .n = 1};
    assert_int_equal(letter(&b, m), 0);
    told(&b, 1, MAIL_AGENDA_DATE, "2008-01-29 10:00");
    told(&b, 3, MAIL_AGENDA_DATE, "2008-02-05 10:00");
    assert_int_equal(b.f.mails[0].n, 1);
    assert_int_equal(line_date(&b, 2), at("2008-01-22 10:00"));
    bench_release(&b);
}

static void a_case_postponed_before_its_cut_off_does_not_get_the_same_date(void **state)
{
    (void)state;
    struct bench b;
    panel_init(&b, 0);
    assert_int_equal(want_line(&b, 1), 0);
    assert_int_equal(mail(&b, MAIL_AGENDA_POSTPONE, 1, 1, 0), 0);
    told(&b, 1, MAIL_AGENDA_DATE, "2008-01-22 10:00");
    bench_release(&b);
}

static void a_case_is_not_put_on_a_date_after_its_own_time(void **state)
{
    (void)state;
    struct bench b;
    panel_init(&b, 1);
    assert_int_equal(want_line(&b, 1), 0);
    assert_int_equal(mail(&b, MAIL_AGENDA_WANTED, 2, 1, at("2008-01-20 16:00")), 0);
    assert_int_equal(line_date(&b, 2), 0);
    assert_int_equal(b.f.n_mails, 0);
    assert_int_equal(mail(&b, MAIL_AGENDA_RELEASED, 1, 1, 0), 0);
    told(&b, 2, MAIL_AGENDA_DATE, FIRST);
    bench_release(&b);
}

static void a_moved_date_takes_its_lines_along_and_asks_again(void **state)
{
    (void)state;
    struct bench b;
    panel_init(&b, 2);
    assert_int_equal(want_line(&b, 1), 0);
    assert_int_equal(tick(&b), 0); /* asked */
    assert_int_equal(move(&b, at(FIRST), at("2008-01-17 13:00")), 0);
    told(&b, 1, MAIL_AGENDA_DATE, "2008-01-17 13:00");
    assert_int_equal(phase_of(&b, 1, WANT_AGENDA), PANEL_QUEUED);
    assert_int_equal(tick(&b), 0);
    told(&b, 1, MAIL_AGENDA_ASK, "2008-01-17 13:00");
    (void)until(&b, "2008-01-17 13:00");
    assert_int_equal(move(&b, at("2008-01-17 13:00"), 0), -STO_E_WRONG_STATE);
    bench_release(&b);
}

static void a_cancelled_date_gives_its_lines_another(void **state)
{
    (void)state;
    struct bench b;
    panel_init(&b, 2);
    assert_int_equal(want_line(&b, 1), 0);
    assert_int_equal(tick(&b), 0);
    assert_int_equal(move(&b, at(FIRST), 0), 0);
    told(&b, 1, MAIL_AGENDA_DATE, "2008-01-22 10:00");
    bench_release(&b);
}

static void late_clocks_come_one_by_one_and_in_order(void **state)
{
    (void)state;
    struct bench b;
    panel_init(&b, 2);
    assert_int_equal(want_line(&b, 1), 0);
    b.now = at("2008-01-20 12:00"); /* the core was away */
    static const uint8_t stages[] = {DATE_CLOSED, DATE_SENT, DATE_HELD};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(tick(&b), 0);
        assert_int_equal(b.s.dates[0].stage, stages[i]);
        assert_int_equal(b.now, at("2008-01-20 12:00"));
    }
    told(&b, 1, MAIL_AGENDA_OPEN, FIRST);
    bench_release(&b);
}

static void what_is_not_a_panel_s_is_refused(void **state)
{
    (void)state;
    struct bench b;
    panel_init(&b, 2);
    assert_int_equal(want_line(&b, 1), 0);
    assert_int_equal(record(&b, HOST, 1, "attended"), -STO_E_WRONG_STATE);
    assert_int_equal(open_group(&b, HOST, "2008-02-01 10:00"), -STO_E_WRONG_STATE);
    assert_int_equal(mail(&b, MAIL_PLACE_WANTED, 1, 1, 0), -STO_E_MALFORMED);
    assert_int_equal(mail(&b, MAIL_AGENDA_RELEASED, 7, 1, 0), 0);
    assert_int_equal(b.f.code, STO_E_LATE);
    assert_int_equal(b.s.n_seats, 1);
    bench_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_gets_the_next_date_before_its_cut_off),
        cmocka_unit_test(a_date_takes_so_many_cases_and_the_oldest_first),
        cmocka_unit_test(cut_off_material_and_date_follow_one_another),
        cmocka_unit_test(the_organiser_is_reminded_until_each_case_is_decided),
        cmocka_unit_test(a_postponed_case_gets_the_next_date_and_goes_before_younger_ones),
        cmocka_unit_test(a_case_postponed_before_its_cut_off_does_not_get_the_same_date),
        cmocka_unit_test(a_case_is_not_put_on_a_date_after_its_own_time),
        cmocka_unit_test(a_moved_date_takes_its_lines_along_and_asks_again),
        cmocka_unit_test(a_cancelled_date_gives_its_lines_another),
        cmocka_unit_test(late_clocks_come_one_by_one_and_in_order),
        cmocka_unit_test(what_is_not_a_panel_s_is_refused),
    };
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
