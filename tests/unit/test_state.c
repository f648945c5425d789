/* SPDX-License-Identifier: EUPL-1.2 */
/* Bytes of states, facts and mails: one form for each value; damaged ones are refused. Names. */
#include "engine_explore.h"

/* A case with something of everything in it, and the fact that brought it there. */
static struct rig *full_case(void)
{
    struct rig *r = rig_new(WF_BRANCHES);
    struct input in = from(EVENT_CONSENT_GIVE, TE), alarm = from(EVENT_MESSAGE, FIRM);
    in.name = "tell";
    alarm.name = "alarm";
    TAKEN(r, rig_start(r));
    TAKEN(r, rig_event(r, &in));
    TAKEN(r, rig_event(r, &alarm));
    TAKEN(r, rig_do(r, EVENT_TAKE_UP, CITY));
    TAKEN(r, rig_do(r, EVENT_ACCEPT, CITY));
    return r;
}

static void every_damaged_state_is_refused_or_reads_back_the_same(void **state)
{
    struct rig *r = full_case();
    struct case_state z;
    (void)state;
    sto_buf_clear(&r->a);
    state_encode(&r->s, &r->a);
    print_message("state: %zu bytes\n", r->a.len);
    for (size_t n = 0; n < r->a.len; n++) {
        assert_int_not_equal(state_decode(r->a.data, n, &z, &r->err), 0);
    }
    for (size_t i = 0; i < r->a.len * 8; i++) {
        r->a.data[i / 8] ^= (uint8_t)(1u << i % 8);
        if (state_decode(r->a.data, r->a.len, &z, &r->err) == 0) {
            sto_buf_clear(&r->b);
            state_encode(&z, &r->b);
            assert_int_equal(r->b.len, r->a.len);
            assert_memory_equal(r->b.data, r->a.data, r->a.len);
        }
        r->a.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    rig_destroy(&r);
}

static void every_damaged_fact_is_refused_or_evolves_to_something(void **state)
{
    struct rig *r = full_case();
    struct fact f;
    (void)state;
    sto_buf_clear(&r->a);
    fact_encode(&r->f, &r->a);
    print_message("fact of an accept: %zu bytes\n", r->a.len);
    for (size_t n = 0; n < r->a.len; n++) {
        assert_int_not_equal(fact_decode(r->a.data, n, r->arena, &f, &r->err), 0);
    }
    for (size_t i = 0; i < r->a.len * 8; i++) {
        sto_arena_reset(r->arena);
        r->a.data[i / 8] ^= (uint8_t)(1u << i % 8);
        if (fact_decode(r->a.data, r->a.len, r->arena, &f, &r->err) == 0) {
            struct case_state z = r->s;
            z.seq = f.seq - 1u;
            (void)engine_evolve(&z, &f, &r->err);
            sto_buf_clear(&r->b);
            state_encode(&z, &r->b);
        }
        r->a.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    rig_destroy(&r);
}

static void a_fact_applies_once_and_in_order(void **state)
{
    struct rig *r = full_case();
    struct case_state z = r->s;
    (void)state;
    assert_int_equal(engine_evolve(&z, &r->f, &r->err), -STO_E_MALFORMED);
    assert_true(state_equal(&z, &r->s));
    rig_destroy(&r);
}

static void a_difference_leads_from_any_state_to_any_other(void **state)
{
    struct rig *r = rig_new(WF_BRANCHES);
    struct random_walk w = {.seed = 5};
    struct case_state kept[8];
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        assert_true(random_sequence(&w, r, 12));
        kept[i] = r->s;
    }
    for (unsigned i = 0; i < 64; i++) {
        struct case_state a = kept[i / 8];
        const struct case_state *b = &kept[i % 8];
        struct fact f = {.seq = b->seq, .now_us = b->last_us};
        sto_buf_clear(&r->a);
        state_diff(&a, b, &r->a, &f.n_ops);
        f.ops = r->a.data;
        f.ops_len = (uint32_t)r->a.len;
        a.seq = b->seq - 1u;
        TAKEN(r, engine_evolve(&a, &f, &r->err));
        assert_true(state_equal(&a, b));
    }
    rig_destroy(&r);
}

static void a_mail_reads_back(void **state)
{
    struct mail m = {.kind = MAIL_SEAT_RECORDED,
                     .service = 3,
                     .token = 4,
                     .entry = 5,
                     .exit = EXIT_ABSENT,
                     .at_us = -6,
                     .until_us = 7},
                z;
    struct sto_buf b;
    struct sto_err err;
    (void)state;
    memset(m.src.b, 1, sizeof m.src.b);
    memset(m.dst.b, 2, sizeof m.dst.b);
    sto_buf_init(&b, 0);
    mail_encode(&m, &b);
    assert_int_equal(mail_decode(b.data, b.len, &z, &err), 0);
    assert_true(z.kind == m.kind && z.service == 3 && z.token == 4 && z.entry == 5 &&
                z.exit == m.exit && z.at_us == -6 && z.until_us == 7);
    assert_true(sto_uuid_eq(&z.src, &m.src) && sto_uuid_eq(&z.dst, &m.dst));
    assert_int_equal(mail_decode(b.data, b.len - 1, &z, &err), -STO_E_MALFORMED);
    b.data[0] = 9;
    assert_int_equal(mail_decode(b.data, b.len, &z, &err), -STO_E_VERSION);
    sto_buf_release(&b);
}

static void names_read_both_ways(void **state)
{
    unsigned n = 0;
    (void)state;
    for (unsigned k = 0; k < 256; k++) {
        const char *name = event_kind_name((enum event_kind)k);
        if (name[0] != '?') {
            assert_int_equal(event_kind_parse(name), k);
            n++;
        }
    }
    assert_int_equal(n, 56);
    assert_int_equal(event_kind_parse("confirm-takeover"), EVENT_CONFIRM_TAKEOVER);
    assert_int_equal(event_kind_parse("confirm"), 0);
    assert_int_equal(event_kind_parse(""), 0);
    for (unsigned k = 1; k <= REASON_OTHER; k++) {
        assert_int_equal(reason_parse(reason_name((enum reason)k)), k);
    }
    assert_int_equal(reason_parse("no-such"), REASON_NONE);
    for (unsigned k = 0; k < CLOCK_KINDS; k++) {
        assert_non_null(clock_kind_name((enum clock_kind)k));
    }
    assert_string_equal(offer_state_name(OFFER_BOOKED), "meeting_booked");
    assert_string_equal(handover_state_name(HANDOVER_TAKEN_OVER), "taken_over");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_damaged_state_is_refused_or_reads_back_the_same),
        cmocka_unit_test(every_damaged_fact_is_refused_or_evolves_to_something),
        cmocka_unit_test(a_fact_applies_once_and_in_order),
        cmocka_unit_test(a_difference_leads_from_any_state_to_any_other),
        cmocka_unit_test(a_mail_reads_back),
        cmocka_unit_test(names_read_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
