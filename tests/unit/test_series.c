/* SPDX-License-Identifier: EUPL-1.2 */
/* Series of dates and groups that their organiser opens. */
#include "shared_fixture.h"

static int want_series(struct bench *b, unsigned c, uint16_t meetings)
{
    return letter(
        b, (struct mail){
               .kind = MAIL_SEAT_WANTED, .src = case_of(c), .token = 1, .entry = 1, .n = meetings});
}

static int64_t date_of(const struct bench *b, unsigned c)
{
    const struct seat *t = seat_of(b, c, WANT_SEAT);
    return t ? t->date_us : -1;
}

/* The i-th letter of the fact is this one. */
static void letter_is(const struct bench *b, unsigned i, enum mail_kind kind, const char *when,
                      unsigned n)
{
    assert_true(i < b->f.n_mails);
    assert_int_equal(b->f.mails[i].kind, kind);
    assert_int_equal(b->f.mails[i].at_us, when ? at(when) : 0);
    assert_int_equal(b->f.mails[i].n, n);
}

static void a_series_goes_from_date_to_date(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 2);
    assert_int_equal(want_series(&b, 1, 3), 0);
    letter_is(&b, 0, MAIL_SEAT_INVITED, "2008-01-22 10:00", 2);
    (void)until(&b, "2008-01-22 12:00");
    assert_int_equal(record(&b, HOST, 1, "attended"), 0);
    assert_int_equal(b.f.n_mails, 2);
    letter_is(&b, 0, MAIL_SEAT_RECORDED, "2008-01-22 10:00", 2);
    assert_int_equal(b.f.mails[0].exit, EXIT_ATTENDED);
    letter_is(&b, 1, MAIL_SEAT_INVITED, "2008-01-29 10:00", 1);
    assert_int_equal(record(&b, HOST, 1, "attended"), -STO_E_WRONG_STATE); /* still to come */
    (void)until(&b, "2008-01-29 12:00");
    assert_int_equal(record(&b, HOST, 1, "absent"), 0);
    letter_is(&b, 0, MAIL_SEAT_RECORDED, "2008-01-29 10:00", 1);
    letter_is(&b, 1, MAIL_SEAT_INVITED, "2008-02-05 10:00", 0);
    (void)until(&b, "2008-02-05 12:00");
    assert_int_equal(record(&b, HOST, 1, "attended"), 0);
    assert_int_equal(b.f.n_mails, 1);
    letter_is(&b, 0, MAIL_SEAT_RECORDED, "2008-02-05 10:00", 0);
    bench_release(&b);
}

static void a_series_keeps_its_place_on_every_date(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    assert_int_equal(want_series(&b, 1, 3), 0); /* 22, 29 January, 5 February */
    assert_int_equal(want(&b, 2), 0);
    assert_int_equal(date_of(&b, 2), at("2008-02-12 10:00"));
    assert_int_equal(want_series(&b, 3, 2), 0);
    assert_int_equal(date_of(&b, 3), at("2008-02-19 10:00"));
    bench_release(&b);
}

static void a_series_begins_where_all_its_dates_have_room(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    assert_int_equal(want_series(&b, 1, 2), 0); /* 22, 29 January */
    assert_int_equal(want(&b, 2), 0);           /* 5 February */
    assert_int_equal(mail(&b, MAIL_SEAT_RELEASED, 1, 1, 0), 0);
    assert_int_equal(want_series(&b, 3, 3), 0); /* 22 and 29 are free, 5 is not */
    assert_int_equal(date_of(&b, 3), at("2008-02-12 10:00"));
    assert_int_equal(want_series(&b, 4, 2), 0);
    assert_int_equal(date_of(&b, 4), at("2008-01-22 10:00"));
    bench_release(&b);
}

static void recorded_late_the_dates_come_one_after_the_other(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    assert_int_equal(want_series(&b, 1, 3), 0);
    (void)until(&b, "2008-01-30 12:00"); /* two dates have passed, none is recorded */
    assert_int_equal(record(&b, HOST, 1, "attended"), 0);
    letter_is(&b, 1, MAIL_SEAT_INVITED, "2008-01-29 10:00", 1);
    assert_true(shared_next_due_us(b.net, &b.s) <= b.now); /* asked for that one as well */
    assert_int_equal(tick(&b), 0);
    assert_int_equal(b.f.sends[0].kind, SEND_RECORD);
    assert_int_equal(b.f.sends[0].at_us, at("2008-01-29 10:00"));
    assert_int_equal(record(&b, HOST, 1, "absent"), 0);
    letter_is(&b, 1, MAIL_SEAT_INVITED, "2008-02-05 10:00", 0);
    bench_release(&b);
}

static void an_excuse_beforehand_frees_that_date_only(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    assert_int_equal(want_series(&b, 1, 2), 0);
    assert_int_equal(record(&b, HOST, 1, "excused"), 0);
    letter_is(&b, 0, MAIL_SEAT_RECORDED, "2008-01-22 10:00", 1);
    letter_is(&b, 1, MAIL_SEAT_INVITED, "2008-01-29 10:00", 0);
    assert_int_equal(want(&b, 2), 0);
    assert_int_equal(date_of(&b, 2), at("2008-01-22 10:00"));
    bench_release(&b);
}

static void a_cancelled_date_is_made_up_for(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    assert_int_equal(want_series(&b, 1, 2), 0);
    assert_int_equal(move(&b, at("2008-01-22 10:00"), 0), 0);
    letter_is(&b, 0, MAIL_SEAT_MOVED, "2008-01-29 10:00", 1);
    (void)until(&b, "2008-01-29 12:00");
    assert_int_equal(record(&b, HOST, 1, "attended"), 0);
    letter_is(&b, 1, MAIL_SEAT_INVITED, "2008-02-05 10:00", 0);
    bench_release(&b);
}

static void a_series_that_breaks_off_frees_all_its_dates(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    assert_int_equal(want_series(&b, 1, 8), 0);
    assert_int_equal(want(&b, 2), 0);
    assert_int_equal(date_of(&b, 2), 0);
    (void)until(&b, "2008-01-22 09:00");
    assert_int_equal(mail(&b, MAIL_SEAT_RELEASED, 1, 1, 0), 0);
    assert_int_equal(date_of(&b, 2), at("2008-02-05 10:00")); /* the first in invitation time */
    bench_release(&b);
}

/* ------------------------------------------------------------------ groups */

static void groups_init(struct bench *b, uint16_t places, uint16_t minimum)
{
    struct service v = bench_service(SERVICE_SESSION, places);
    v.groups = true;
    v.minimum = minimum;
    bench_with(b, v);
}

static void a_group_opens_once_enough_wait(void **state)
{
    (void)state;
    struct bench b;
    groups_init(&b, 3, 2);
    assert_int_equal(want(&b, 1), 0);
    assert_int_equal(b.f.n_sends, 0);
    assert_int_equal(open_group(&b, HOST, "2008-02-04 10:00"), -STO_E_WRONG_STATE);
    assert_int_equal(want(&b, 2), 0);
    assert_int_equal(b.f.n_sends, 1); /* now its organiser can open it, and hears so once */
    assert_int_equal(b.f.sends[0].kind, SEND_NOTICE);
    assert_int_equal(b.f.sends[0].to.org, HOST);
    assert_int_equal(want(&b, 3), 0);
    assert_int_equal(b.f.n_sends, 0);
    assert_int_equal(want(&b, 4), 0);
    assert_int_equal(shared_next_due_us(b.net, &b.s), INT64_MAX);
    assert_int_equal(open_group(&b, OTHER, "2008-02-04 10:00"), -STO_E_NOT_ALLOWED);
    assert_int_equal(open_group(&b, HOST, "2008-01-04 10:00"), -STO_E_WRONG_STATE);
    assert_int_equal(open_group(&b, HOST, "2012-01-04 10:00"), -STO_E_WRONG_STATE);
    assert_int_equal(open_group(&b, HOST, "2008-02-04 10:00"), 0);
    assert_int_equal(b.f.n_mails, 3);
    letter_is(&b, 2, MAIL_SEAT_INVITED, "2008-02-04 10:00", 0);
    assert_int_equal(date_of(&b, 4), 0);
    assert_int_equal(open_group(&b, HOST, "2008-02-04 10:00"), -STO_E_WRONG_STATE);
    assert_int_equal(open_group(&b, HOST, "2008-02-11 10:00"), -STO_E_WRONG_STATE); /* one waits */
    bench_release(&b);
}

static void a_rule_or_a_quota_opens_no_group(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 2);
    assert_int_equal(open_group(&b, HOST, "2008-02-04 10:00"), -STO_E_WRONG_STATE);
    bench_release(&b);
}

static void a_group_that_runs_is_continued_and_filled_up(void **state)
{
    (void)state;
    struct bench b;
    groups_init(&b, 2, 2);
    assert_int_equal(want_series(&b, 1, 3), 0);
    assert_int_equal(want_series(&b, 2, 3), 0);
    assert_int_equal(want_series(&b, 3, 2), 0);
    assert_int_equal(open_group(&b, HOST, "2008-02-04 10:00"), 0);
    (void)until(&b, "2008-02-04 12:00");
    assert_int_equal(record(&b, HOST, 1, "attended"), 0);
    assert_int_equal(b.f.n_mails, 1); /* the next date is not open yet */
    letter_is(&b, 0, MAIL_SEAT_RECORDED, "2008-02-04 10:00", 2);
    assert_int_equal(date_of(&b, 1), 0);
    assert_int_equal(record(&b, HOST, 2, "attended"), 0);
    assert_int_equal(open_group(&b, HOST, "2008-02-11 10:00"), 0); /* no minimum: it runs */
    assert_int_equal(date_of(&b, 1), at("2008-02-11 10:00"));
    assert_int_equal(date_of(&b, 2), at("2008-02-11 10:00"));
    assert_int_equal(date_of(&b, 3), 0);
    assert_int_equal(mail(&b, MAIL_SEAT_RELEASED, 1, 1, 0), 0); /* it breaks off */
    assert_int_equal(date_of(&b, 3), at("2008-02-11 10:00"));
    bench_release(&b);
}

static void a_place_in_a_group_is_given_when_it_opens(void **state)
{
    (void)state;
    struct bench b;
    groups_init(&b, 2, 2);
    assert_int_equal(mail(&b, MAIL_PLACE_WANTED, 1, 1, 0), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_WANTED, 2, 1, 0), 0);
    assert_int_equal(mail(&b, MAIL_PLACE_WANTED, 3, 1, 0), 0);
    assert_int_equal(b.f.n_mails, 0);
    assert_int_equal(open_group(&b, HOST, "2008-02-04 10:00"), 0);
    assert_int_equal(b.f.n_mails, 2);
    assert_int_equal(b.f.mails[0].kind, MAIL_PLACE_OFFERED);
    assert_int_equal(b.f.mails[0].until_us, 0);
    assert_int_equal(shared_taken(&b.net->services[0], &b.s), 2);
    struct mail m = {.kind = MAIL_SEAT_WANTED, .src = case_of(1), .token = 1, .entry = 2, .n = 48};
    assert_int_equal(letter(&b, m), 0); /* the place stays beside the seat */
    assert_int_equal(date_of(&b, 1), at("2008-02-04 10:00"));
    assert_int_equal(phase_of(&b, 1, WANT_PLACE), PLACE_RESERVED);
    assert_int_equal(mail(&b, MAIL_PLACE_FREED, 2, 1, 0), 0);
    assert_int_equal(phase_of(&b, 3, WANT_PLACE), PLACE_QUEUED);
    assert_int_equal(open_group(&b, HOST, "2008-02-11 10:00"), 0);
    assert_int_equal(phase_of(&b, 3, WANT_PLACE), PLACE_RESERVED);
    bench_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_goes_from_date_to_date),
        cmocka_unit_test(a_series_keeps_its_place_on_every_date),
        cmocka_unit_test(a_series_begins_where_all_its_dates_have_room),
        cmocka_unit_test(recorded_late_the_dates_come_one_after_the_other),
        cmocka_unit_test(an_excuse_beforehand_frees_that_date_only),
        cmocka_unit_test(a_cancelled_date_is_made_up_for),
        cmocka_unit_test(a_series_that_breaks_off_frees_all_its_dates),
        cmocka_unit_test(a_group_opens_once_enough_wait),
        cmocka_unit_test(a_rule_or_a_quota_opens_no_group),
        cmocka_unit_test(a_group_that_runs_is_continued_and_filled_up),
        cmocka_unit_test(a_place_in_a_group_is_given_when_it_opens),
    };
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
