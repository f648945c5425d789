/* SPDX-License-Identifier: EUPL-1.2 */
/* The session aggregate: tables of what holds, and a random walk under its invariants. */
#include "shared_fixture.h"

static int64_t date_of(const struct bench *b, unsigned c)
{
    struct sto_uuid id = case_of(c);
    for (unsigned i = 0; i < b->s.n_seats; i++) {
        if (sto_uuid_eq(&b->s.seats[i].case_id, &id)) {
            return b->s.seats[i].date_us;
        }
    }
    return -1;
}

/* ------------------------------------------------------------------ tables */

static void the_first_gets_the_next_date_that_can_still_be_invited(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 2);
    assert_int_equal(want(&b, 1), 0);
    assert_int_equal(date_of(&b, 1), at("2008-01-22 10:00"));
    assert_int_equal(b.f.n_mails, 1);
    assert_int_equal(b.f.mails[0].kind, MAIL_SEAT_INVITED);
    assert_int_equal(b.f.mails[0].at_us, at("2008-01-22 10:00"));
    bench_release(&b);
}

/* R69, R70 */
static void who_comes_when_a_date_is_full_gets_the_following_one(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 2);
    for (unsigned c = 1; c <= 5; c++) {
        assert_int_equal(want(&b, c), 0);
    }
    assert_int_equal(date_of(&b, 2), at("2008-01-22 10:00"));
    assert_int_equal(date_of(&b, 3), at("2008-01-29 10:00"));
    assert_int_equal(date_of(&b, 5), at("2008-02-05 10:00"));
    bench_release(&b);
}

static void a_repeated_wish_changes_nothing(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 2);
    assert_int_equal(want(&b, 1), 0);
    assert_int_equal(want(&b, 1), 0);
    assert_int_equal(b.f.n_mails, 0);
    assert_int_equal(b.s.n_seats, 1);
    assert_int_equal(b.s.seq, 2);
    assert_int_equal(mail(&b, MAIL_SEAT_WANTED, 1, 2, 0), 0);
    assert_int_equal(b.s.n_seats, 1);
    assert_int_equal(want(&b, 1), 0);
    assert_int_equal(b.f.code, STO_E_LATE);
    bench_release(&b);
}

static void a_released_seat_goes_to_who_waits(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    for (unsigned c = 1; c <= 10; c++) {
        assert_int_equal(want(&b, c), 0);
    }
    assert_int_equal(date_of(&b, 8), at("2008-03-11 10:00"));
    assert_int_equal(date_of(&b, 9), 0);
    assert_int_equal(mail(&b, MAIL_SEAT_RELEASED, 3, 1, 0), 0);
    assert_int_equal(date_of(&b, 3), -1);
    assert_int_equal(date_of(&b, 9), at("2008-02-05 10:00"));
    assert_int_equal(date_of(&b, 10), 0);
    assert_int_equal(mail(&b, MAIL_SEAT_RELEASED, 3, 1, 0), 0);
    assert_int_equal(b.f.n_mails, 0);
    bench_release(&b);
}

static void nobody_is_seated_after_the_time_it_waits_until(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    assert_int_equal(want(&b, 1), 0);
    assert_int_equal(mail(&b, MAIL_SEAT_WANTED, 2, 1, at("2008-01-25 10:00")), 0);
    assert_int_equal(date_of(&b, 2), 0);
    assert_int_equal(mail(&b, MAIL_SEAT_WANTED, 3, 1, at("2008-01-30 10:00")), 0);
    assert_int_equal(date_of(&b, 3), at("2008-01-29 10:00"));
    bench_release(&b);
}

static void after_the_date_the_organiser_is_asked_reminded_and_escalated(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 2);
    assert_int_equal(want(&b, 1), 0);
    assert_int_equal(tick(&b), 0);
    assert_int_equal(b.now, at("2008-01-22 10:00"));
    assert_int_equal(b.f.n_sends, 1);
    assert_int_equal(b.f.sends[0].kind, SEND_RECORD);
    assert_int_equal(b.f.sends[0].to.org, HOST);
    assert_int_equal(b.f.sends[0].clock, CLOCK_RECORD);
    assert_int_equal(b.f.sends[0].due_us, at("2008-01-23 16:00"));
    assert_int_equal(tick(&b), 0);
    assert_int_equal(b.now, at("2008-01-24 16:00"));
    assert_int_equal(b.f.sends[0].kind, SEND_REMINDER);
    assert_int_equal(tick(&b), 0);
    assert_int_equal(b.now, at("2008-01-28 16:00"));
    assert_int_equal(b.f.sends[0].kind, SEND_ESCALATION);
    assert_int_equal(b.f.sends[0].to.org, OTHER);
    assert_int_equal(shared_next_due_us(b.net, &b.s), INT64_MAX);
    assert_int_equal(tick(&b), -STO_E_WRONG_STATE);
    bench_release(&b);
}

static void only_the_organiser_records_and_only_what_fits(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 2);
    assert_int_equal(want(&b, 1), 0);
    assert_int_equal(want(&b, 2), 0);
    assert_int_equal(record(&b, HOST, 1, "attended"), -STO_E_WRONG_STATE);
    assert_int_equal(record(&b, HOST, 9, "attended"), -STO_E_UNKNOWN_CASE);
    b.now = at("2008-01-22 12:00");
    assert_int_equal(record(&b, OTHER, 1, "attended"), -STO_E_NOT_ALLOWED);
    assert_int_equal(record(&b, HOST, 1, "present"), -STO_E_UNKNOWN_NAME);
    assert_int_equal(record(&b, HOST, 1, "attended"), 0);
    assert_int_equal(b.f.n_mails, 1);
    assert_int_equal(b.f.mails[0].kind, MAIL_SEAT_RECORDED);
    assert_int_equal(b.f.mails[0].exit, EXIT_ATTENDED);
    assert_int_equal(record(&b, HOST, 1, "absent"), 0);
    assert_int_equal(b.f.code, STO_E_LATE);
    assert_int_equal(b.f.n_mails, 0);
    assert_int_equal(record(&b, HOST, 2, "absent"), 0);
    assert_int_equal(b.f.mails[0].exit, EXIT_ABSENT);
    assert_int_equal(b.s.n_seats, 0);
    bench_release(&b);
}

static void an_excuse_before_the_date_gives_the_place_back(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    assert_int_equal(want(&b, 1), 0);
    assert_int_equal(record(&b, HOST, 1, "excused"), 0);
    assert_int_equal(b.f.mails[0].exit, EXIT_EXCUSED);
    assert_int_equal(want(&b, 2), 0);
    assert_int_equal(date_of(&b, 2), at("2008-01-22 10:00"));
    bench_release(&b);
}

/* R85 */
static void a_moved_date_takes_its_seats_along(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 2);
    for (unsigned c = 1; c <= 3; c++) {
        assert_int_equal(want(&b, c), 0);
    }
    assert_int_equal(move(&b, at("2008-01-22 10:00"), at("2008-01-29 10:00")), -STO_E_WRONG_STATE);
    assert_int_equal(move(&b, at("2008-01-23 10:00"), at("2008-01-24 10:00")), -STO_E_NOT_FOUND);
    assert_int_equal(move(&b, at("2008-01-22 10:00"), at("2008-02-01 12:00")), 0);
    assert_int_equal(b.f.n_mails, 2);
    assert_int_equal(b.f.mails[0].kind, MAIL_SEAT_MOVED);
    assert_int_equal(b.f.mails[1].at_us, at("2008-02-01 12:00"));
    assert_int_equal(date_of(&b, 1), at("2008-02-01 12:00"));
    assert_int_equal(date_of(&b, 3), at("2008-01-29 10:00"));
    bench_release(&b);
}

static void who_loses_a_date_keeps_its_turn(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    for (unsigned c = 1; c <= 9; c++) {
        assert_int_equal(want(&b, c), 0);
    }
    assert_int_equal(date_of(&b, 9), 0);
    assert_int_equal(move(&b, at("2008-01-22 10:00"), 0), 0);
    assert_int_equal(date_of(&b, 1),
                     at("2008-03-18 10:00")); /* before 9, who waits longer for it */
    assert_int_equal(date_of(&b, 9), 0);
    assert_int_equal(b.f.mails[0].kind, MAIL_SEAT_MOVED);
    assert_int_equal(b.f.mails[0].at_us, at("2008-03-18 10:00"));
    bench_release(&b);
}

static void many_are_told_over_several_facts(void **state)
{
    (void)state;
    struct bench b;
    unsigned told = 0, facts = 0;
    bench_init(&b, 40);
    for (unsigned c = 1; c <= 40; c++) {
        assert_int_equal(want(&b, c), 0);
    }
    assert_int_equal(move(&b, at("2008-01-22 10:00"), at("2008-02-01 12:00")), 0);
    for (told = b.f.n_mails; told < 40; told += b.f.n_mails, facts++) {
        assert_true(b.f.n_mails > 0 && b.f.n_mails <= STO_FACT_MAILS_MAX);
        assert_true(shared_next_due_us(b.net, &b.s) <= b.now);
        assert_int_equal(tick(&b), 0);
    }
    assert_int_equal(told, 40);
    assert_int_equal(facts, 2);
    assert_true(shared_next_due_us(b.net, &b.s) > b.now);
    bench_release(&b);
}

static void the_list_is_bounded_and_says_so(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    for (unsigned c = 1; c <= STO_SESSION_SEATS_MAX; c++) {
        assert_int_equal(want(&b, c), 0);
        assert_int_equal(b.f.code, 0);
    }
    assert_int_equal(want(&b, 9999), 0);
    assert_int_equal(b.f.code, STO_E_CAPACITY);
    assert_int_equal(date_of(&b, 9999), -1);
    bench_release(&b);
}

static void daily_dates_inside_the_invitation_time_do_not_hide_later_ones(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    b.net->services[0].rrule = "FREQ=DAILY";
    assert_int_equal(want(&b, 1), 0);
    assert_int_equal(date_of(&b, 1), at("2008-01-21 10:00"));
    bench_release(&b);
}

static void a_rule_that_has_ended_leaves_people_waiting(void **state)
{
    (void)state;
    struct bench b;
    bench_init(&b, 1);
    b.net->services[0].rrule = "FREQ=WEEKLY;BYDAY=TU;UNTIL=20080123";
    assert_int_equal(want(&b, 1), 0);
    assert_int_equal(want(&b, 2), 0);
    assert_int_equal(date_of(&b, 1), at("2008-01-22 10:00"));
    assert_int_equal(date_of(&b, 2), 0);
    bench_release(&b);
}

static void each_cut_of_a_state_is_refused(void **state)
{
    (void)state;
    struct bench b;
    struct sto_buf buf;
    struct shared_state out;
    bench_init(&b, 2);
    for (unsigned c = 1; c <= 5; c++) {
        assert_int_equal(want(&b, c), 0);
    }
    sto_buf_init(&buf, 0);
    shared_encode(&b.s, &buf);
    for (size_t n = 0; n < buf.len; n++) {
        assert_int_equal(shared_decode(buf.data, n, &out, NULL), -STO_E_MALFORMED);
    }
    sto_put_u8(&buf, 0);
    assert_int_equal(shared_decode(buf.data, buf.len, &out, NULL), -STO_E_MALFORMED);
    sto_buf_release(&buf);
    bench_release(&b);
}

/* ------------------------------------------------------------------ random */

#define WALKERS 40

struct walker {
    uint16_t entry; /* of its present wish */
    bool wants;
    int64_t told; /* date it was told, 0 = none */
};

struct walk {
    struct bench b;
    struct walker c[WALKERS];
    uint64_t seed;
};

static unsigned draw(struct walk *w, unsigned n)
{
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(w->seed >> 33) % n;
}

static void walk_mails(struct walk *w)
{
    for (unsigned i = 0; i < w->b.f.n_mails; i++) {
        const struct mail *m = &w->b.f.mails[i];
        struct walker *c = &w->c[m->dst.b[1]];
        assert_int_equal(m->entry, c->entry);
        assert_true(c->wants);
        if (m->kind == MAIL_SEAT_RECORDED) {
            c->wants = false;
        } else {
            c->told = m->at_us;
        }
    }
}

/* No seat lost, nobody misled, nobody passed over. */
static void walk_check(const struct walk *w)
{
    const struct shared_state *s = &w->b.s;
    for (unsigned i = 0; i < WALKERS; i++) {
        if (w->c[i].wants) {
            assert_true(date_of(&w->b, i) >= 0);
        }
    }
    for (unsigned i = 0; i < s->n_seats; i++) {
        const struct seat *t = &s->seats[i];
        if (t->tell == 0 && t->phase != SEAT_RECORDED) {
            assert_int_equal(w->c[t->case_id.b[1]].told, t->date_us);
        }
        for (unsigned d = 0; t->phase == SEAT_QUEUED && d < s->n_dates; d++) {
            bool open = w->b.now <= s->dates[d].at_us - 14 * DAY - STO_US_PER_HOUR;
            bool room = s->dates[d].taken < w->b.net->services[0].places;
            bool in_time = t->until_us == 0 || s->dates[d].at_us <= t->until_us;
            assert_false(open && room && in_time);
        }
    }
}

static void walk_move(struct walk *w)
{
    struct shared_state *s = &w->b.s;
    if (s->n_dates == 0) {
        return;
    }
    int64_t from = s->dates[draw(w, s->n_dates)].at_us;
    int64_t to = draw(w, 2) ? 0 : w->b.now + (int64_t)draw(w, 60) * DAY;
    (void)move(&w->b, from, to);
}

static void walk_step(struct walk *w)
{
    static const char *const exits[] = {"attended", "excused", "absent"};
    unsigned i = draw(w, WALKERS), what = draw(w, 10);
    struct walker *c = &w->c[i];
    w->b.f.n_mails = 0;
    if (what < 3 && !c->wants) {
        int64_t until = draw(w, 3) ? 0 : w->b.now + (int64_t)draw(w, 90) * DAY;
        *c = (struct walker){.entry = (uint16_t)(c->entry + 1), .wants = true};
        assert_int_equal(mail(&w->b, MAIL_SEAT_WANTED, i, c->entry, until), 0);
        assert_int_equal(w->b.f.code, 0);
    } else if (what == 3 && c->wants) {
        c->wants = false;
        assert_int_equal(mail(&w->b, MAIL_SEAT_RELEASED, i, c->entry, 0), 0);
    } else if (what < 7) {
        (void)record(&w->b, HOST, i, exits[draw(w, 3)]);
    } else if (what == 7 && draw(w, 4) == 0) {
        walk_move(w);
    } else {
        w->b.now += (int64_t)draw(w, 3) * DAY / 2;
        if (shared_next_due_us(w->b.net, &w->b.s) <= w->b.now) {
            assert_int_equal(tick(&w->b), 0);
        }
    }
    walk_mails(w);
    walk_check(w);
}

static void whatever_happens_no_seat_is_lost_or_given_twice(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 8; seed++) {
        struct walk *w = sto_xcalloc(1, sizeof *w);
        bench_init(&w->b, (uint16_t)(1 + seed % 4));
        w->seed = seed;
        for (unsigned i = 0; i < 700; i++) {
            walk_step(w);
        }
        bench_release(&w->b);
        free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_gets_the_next_date_that_can_still_be_invited),
        cmocka_unit_test(who_comes_when_a_date_is_full_gets_the_following_one),
        cmocka_unit_test(a_repeated_wish_changes_nothing),
        cmocka_unit_test(a_released_seat_goes_to_who_waits),
        cmocka_unit_test(nobody_is_seated_after_the_time_it_waits_until),
        cmocka_unit_test(after_the_date_the_organiser_is_asked_reminded_and_escalated),
        cmocka_unit_test(only_the_organiser_records_and_only_what_fits),
        cmocka_unit_test(an_excuse_before_the_date_gives_the_place_back),
        cmocka_unit_test(a_moved_date_takes_its_seats_along),
        cmocka_unit_test(who_loses_a_date_keeps_its_turn),
        cmocka_unit_test(many_are_told_over_several_facts),
        cmocka_unit_test(the_list_is_bounded_and_says_so),
        cmocka_unit_test(daily_dates_inside_the_invitation_time_do_not_hide_later_ones),
        cmocka_unit_test(a_rule_that_has_ended_leaves_people_waiting),
        cmocka_unit_test(each_cut_of_a_state_is_refused),
        cmocka_unit_test(whatever_happens_no_seat_is_lost_or_given_twice),
    };
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
