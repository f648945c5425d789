/* SPDX-License-Identifier: EUPL-1.2 */
/* The manual clock's barrier: whom it waits for, for how long, and whom it does not wait for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reactor_fixture.h"

static int set_up(void **state)
{
    struct rig *g = rig_new(true);
    worker_connect(&g->op);
    run_for(g, 5000);
    assert_true(g->op.up);
    *state = g;
    return 0;
}

/* Seconds pass in which whoever is there beats. */
static void pass(struct rig *g, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        if (g->te.up) {
            worker_tick(&g->te);
        }
        if (g->op.up) {
            worker_tick(&g->op);
        }
        run_for(g, STO_US_PER_SEC);
    }
}

static void advance(struct rig *g)
{
    Saatto__V1__Advance m = SAATTO__V1__ADVANCE__INIT;
    m.session = g->op.session;
    m.target_us = RIG_START_US + STO_US_PER_HOUR;
    sto_arena_reset(g->op.arena);
    worker_frame(&g->op, SAATTO__V1__FRAME_TYPE__ADVANCE, &m.base);
}

static bool moved(const struct rig *g)
{
    return g->m->clock_us == RIG_START_US + STO_US_PER_HOUR;
}

/* A case whose first task the te office has got, and has acknowledged if it does not put it off. */
static void with_a_task(struct rig *g)
{
    start(g, 1, 2);
    pass(g, 3);
    assert_true(worker_done(&g->te));
    assert_int_equal(g->te.received, g->te.defers == 0 ? 1 : 0);
}

/* The core dies; another takes over, and the operator is there again. */
static void core_anew(struct rig *g)
{
    core_stop(&g->core[0]);
    worker_crash(&g->te);
    core_start(&g->core[0], 1003);
    run_for(g, 20000);
    worker_connect(&g->op);
    run_for(g, 5000);
    assert_true(g->op.up);
}

/* All sessions end at once, as when the gate dies; the operator comes back. */
static void sessions_lost(struct rig *g)
{
    struct reactor_input in = {.kind = RX_GATE_UP, .peer = {.gate = 0}};
    worker_crash(&g->te);
    core_input(&g->core[0], &in);
    worker_connect(&g->op);
    run_for(g, 5000);
}

static void what_is_not_acknowledged_keeps_the_clock(void **state)
{
    struct rig *g = *state;
    g->te.defers = 1000;
    with_a_task(g);
    advance(g);
    pass(g, 40);
    assert_false(moved(g));
    assert_true(g->op.clock_states > 0); /* it was named */
    g->te.defers = 0;
    worker_connect(&g->te); /* gets it again */
    pass(g, 3);
    assert_true(moved(g));
}

static void a_lost_worker_is_waited_for_a_while(void **state)
{
    struct rig *g = *state;
    with_a_task(g);
    sessions_lost(g);
    advance(g);
    pass(g, 9);
    assert_false(moved(g));
    pass(g, 2);
    assert_true(moved(g));
}

static void a_worker_that_comes_back_keeps_the_clock_again(void **state)
{
    struct rig *g = *state;
    with_a_task(g);
    sessions_lost(g);
    advance(g);
    pass(g, 5);
    g->te.defers = 1000;
    start(g, 2, 3);
    worker_connect(&g->te);
    pass(g, 20);
    assert_false(moved(g));
    g->te.defers = 0;
    worker_connect(&g->te);
    pass(g, 3);
    assert_true(moved(g));
}

static void who_said_goodbye_is_not_waited_for(void **state)
{
    struct rig *g = *state;
    g->te.defers = 1000;
    with_a_task(g);
    worker_bye(&g->te);
    run_for(g, 5000);
    advance(g);
    pass(g, 1);
    assert_true(moved(g));
}

static void after_a_start_a_known_worker_has_ten_seconds(void **state)
{
    struct rig *g = *state;
    with_a_task(g);
    core_anew(g);
    advance(g);
    pass(g, 9);
    assert_false(moved(g));
    pass(g, 2);
    assert_true(moved(g));
}

static void after_a_start_an_unknown_worker_has_three_seconds(void **state)
{
    struct rig *g = *state;
    g->te.defers = 1000; /* it has never acknowledged anything */
    with_a_task(g);
    core_anew(g);
    advance(g);
    pass(g, 2);
    assert_false(moved(g));
    pass(g, 2);
    assert_true(moved(g));
}

int main(void)
{
    struct sto_err err;
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(what_is_not_acknowledged_keeps_the_clock),
        TEST(a_lost_worker_is_waited_for_a_while),
        TEST(a_worker_that_comes_back_keeps_the_clock_again),
        TEST(who_said_goodbye_is_not_waited_for),
        TEST(after_a_start_a_known_worker_has_ten_seconds),
        TEST(after_a_start_an_unknown_worker_has_three_seconds),
    };
    sto_log_init("test_barrier", STO_ERROR + 1);
    sto_time_init();
    if (sto_crypto_init(&err) != 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
