/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Every line of the outcome table, on the model store: what a commit came back with,
 * and what the reactor makes of it. One te office, one city, no random faults.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reactor_fixture.h"

static int set_up(void **state)
{
    *state = rig_new(false);
    return 0;
}

static void script(struct rig *g, enum fate f)
{
    g->m->script[g->m->n_script++] = f;
}

static struct reactor_stats stats(const struct rig *g)
{
    struct reactor_stats s;
    reactor_stats(g->core[0].r, &s);
    return s;
}

/* Posts and sends; runs until everything that can happen in a second has. */
static void go(struct rig *g)
{
    worker_tick(&g->te);
    run_for(g, STO_US_PER_SEC);
    worker_tick(&g->te);
    run_for(g, STO_US_PER_SEC);
}

/* ------------------------------------------------------------- the table */

static void durable_releases_and_not_before(void **state)
{
    struct rig *g = *state;
    struct sto_uuid id = start(g, 1, 2);
    worker_tick(&g->te);
    run_for(g, 900); /* the commit takes 1 ms */
    assert_false(worker_done(&g->te));
    assert_int_equal(g->te.received, 0);
    run_for(g, 20000);
    assert_true(worker_done(&g->te));
    assert_int_equal(g->te.received, 1); /* the first task */
    assert_non_null(model_case(g->m, &id));
}

static void fenced_by_another_owner_drops_the_shard(void **state)
{
    struct rig *g = *state;
    core_start(&g->core[1], 1002);
    run_for(g, 20000);
    start(g, 1, 2);
    worker_tick(&g->te);
    run_for(g, 50000);
    assert_true(g->m->marks[MARK_STALE_OWNER] > 0);
    assert_int_equal(g->te.results[0], 0);
    assert_true(g->te.refusals[STO_E_NOT_OWNER] > 0);
    assert_false(worker_done(&g->te));
    assert_int_equal(g->m->shard[2].n_events, 0);
    g->talks_to = 1; /* the library follows the owner */
    worker_connect(&g->te);
    go(g);
    assert_true(worker_done(&g->te));
    assert_int_equal(g->m->shard[2].n_events, 1);
}

static void a_stale_owners_batch_under_way_does_not_land_after_takeover(void **state)
{
    struct rig *g = *state;
    start(g, 1, 2);
    worker_tick(&g->te);
    run_for(g, 200);
    core_start(&g->core[1], 1002); /* waits for the old owner's open transaction, if there is one */
    run_for(g, 50000);
    start(g, 2, 2);
    worker_tick(&g->te);
    run_for(g, 50000);
    g->talks_to = 1;
    worker_connect(&g->te);
    go(g);
    assert_true(worker_done(&g->te));
    assert_int_equal(g->m->shard[2].n_events, 2);
}

static void fenced_by_configuration_decides_again(void **state)
{
    struct rig *g = *state;
    g->m->config = 2;
    start(g, 1, 2);
    go(g);
    assert_true(g->m->marks[MARK_FENCED_CONFIG] > 0);
    assert_true(worker_done(&g->te));
    assert_int_equal(g->te.results[0] + g->te.refusals[STO_E_NOT_OWNER], 0);
    assert_int_equal(g->m->shard[2].events[0].config_hash[0], 2);
}

static void retry_applies_the_kept_inputs_again_in_order(void **state)
{
    struct rig *g = *state;
    script(g, FATE_RETRY);
    script(g, FATE_RETRY);
    for (unsigned i = 0; i < 5; i++) {
        start(g, i, 2);
    }
    go(g);
    assert_true(worker_done(&g->te));
    assert_int_equal(stats(g).retried, 2);
    assert_int_equal(g->m->shard[2].n_events, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(g->m->shard[2].events[i].seq, i + 1);
    }
}

static void retry_answers_busy_to_new_inputs(void **state)
{
    struct rig *g = *state;
    script(g, FATE_RETRY);
    start(g, 1, 2);
    worker_tick(&g->te);
    run_for(g, 3000);
    start(g, 2, 2);
    worker_tick(&g->te);
    run_for(g, 1000);
    assert_true(g->te.refusals[STO_E_BUSY] > 0);
    go(g);
    assert_true(worker_done(&g->te));
}

static void poison_is_parked_alone(void **state)
{
    struct rig *g = *state;
    struct sto_uuid id[6];
    for (unsigned i = 0; i < 6; i++) {
        id[i] = start(g, i, i % 4);
    }
    g->m->poison_case = id[3];
    go(g);
    assert_true(worker_done(&g->te));
    assert_int_equal(g->te.results[STO_E_PARKED], 1);
    for (unsigned i = 0; i < 6; i++) {
        assert_true((model_case(g->m, &id[i]) != NULL) == (i != 3));
    }
    const struct model_shard *sh = &g->m->shard[3];
    assert_int_equal(sh->events[0].kind, EVENT_PARKED);
    assert_true(sh->events[0].ct.n > 0); /* the bytes are kept */
    assert_int_equal(sh->events[0].fact.n, 0);
}

static void a_parked_event_that_fails_too_holds_its_shard_alone(void **state)
{
    struct rig *g = *state;
    struct sto_uuid bad = start(g, 1, 3);
    g->m->poison_case = bad;
    g->m->poison_parked = true;
    go(g);
    struct sto_uuid good = start(g, 2, 1);
    go(g);
    assert_non_null(model_case(g->m, &good));
    assert_null(model_case(g->m, &bad));
    assert_true(g->te.refusals[STO_E_BUSY] > 0); /* of shard 3 */
    assert_int_equal(g->m->shard[3].n_events, 0);
}

static void in_doubt_and_committed_is_released_after_settling(void **state)
{
    struct rig *g = *state;
    script(g, FATE_DOUBT_COMMITTED);
    start(g, 1, 2);
    go(g);
    assert_true(worker_done(&g->te));
    assert_int_equal(g->m->marks[MARK_SETTLE_COMMITTED], 1);
    assert_int_equal(g->m->shard[2].n_events, 1);
    assert_int_equal(g->m->shard[2].epoch, 3); /* taken twice, fenced once */
}

static void in_doubt_and_lost_is_applied_again(void **state)
{
    struct rig *g = *state;
    script(g, FATE_DOUBT_LOST);
    start(g, 1, 2);
    go(g);
    assert_true(worker_done(&g->te));
    assert_int_equal(g->m->marks[MARK_SETTLE_LOST], 1);
    assert_int_equal(g->m->shard[2].n_events, 1);
    assert_int_equal(g->m->shard[2].events[0].epoch, 3);
}

static void in_doubt_and_landing_later_is_waited_for(void **state)
{
    struct rig *g = *state;
    script(g, FATE_DOUBT_LATER);
    start(g, 1, 2);
    worker_tick(&g->te);
    run_for(g, 700);
    assert_int_equal(g->m->shard[2].n_events, 0);
    go(g);
    assert_true(worker_done(&g->te));
    assert_int_equal(g->m->marks[MARK_SETTLE_COMMITTED], 1);
    assert_int_equal(g->m->shard[2].n_events, 1);
}

static void a_fence_that_does_not_come_back_is_asked_again(void **state)
{
    struct rig *g = *state;
    g->m->p_settle_fails = 1000;
    script(g, FATE_DOUBT_COMMITTED);
    start(g, 1, 2);
    worker_tick(&g->te);
    run_for(g, 300000);
    assert_true(g->m->marks[MARK_SETTLE_FAILED] > 1);
    assert_false(worker_done(&g->te)); /* nothing leaves while it is open */
    g->m->p_settle_fails = 0;
    go(g);
    assert_true(worker_done(&g->te));
    assert_int_equal(g->m->shard[2].n_events, 1);
}

static void a_repeat_gets_the_same_answer_and_an_altered_one_is_refused(void **state)
{
    struct rig *g = *state;
    start(g, 1, 2);
    start(g, 1, 2); /* the same case once more: refused */
    go(g);
    assert_int_equal(g->te.results[STO_E_ALREADY], 1);
    g->te.next[2] = 1; /* everything again, as after a lost receipt */
    g->te.out[2].v[0].receipted = g->te.out[2].v[1].receipted = false;
    go(g);
    assert_int_equal(g->te.results[STO_E_ALREADY], 2);
    assert_int_equal(g->m->shard[2].n_events, 2);
    g->te.out[2].v[1].receipted = false;
    g->te.out[2].v[1].p[5] ^= 1; /* inside the salt */
    g->te.next[2] = 2;
    go(g);
    assert_int_equal(g->te.results[STO_E_ALTERED], 1);
    assert_int_equal(g->m->shard[2].n_events, 3); /* audited */
    assert_int_equal(g->m->shard[2].events[2].stream, 0);
}

/* ------------------------------------------------------------- resends */

struct seen {
    unsigned offers, fields, held_back;
};
static struct seen seen;

static void hears_offer(void *arg, const Saatto__V1__DeliveryBody *body)
{
    (void)arg;
    if (body->kind == SAATTO__V1__DELIVERY_KIND__OFFER) {
        seen.offers++;
        seen.fields += (unsigned)body->n_fields;
        seen.held_back += (unsigned)body->n_held_back;
    }
}

/* A te case is offered to the city, which is not connected. */
static void offer_to_city(struct rig *g)
{
    struct sto_uuid id = start(g, 1, 2);
    go(g);
    Saatto__V1__Event ev = SAATTO__V1__EVENT__INIT;
    Saatto__V1__Field need = SAATTO__V1__FIELD__INIT, *fields[] = {&need};
    need.name = (char *)(uintptr_t) "need";
    need.value_case = SAATTO__V1__FIELD__VALUE_TEXT;
    need.text = (char *)(uintptr_t) "work";
    ev.kind = EVENT_TASK_RESULT;
    ev.case_id.data = id.b;
    ev.case_id.len = 16;
    ev.exit = (char *)(uintptr_t) "done";
    ev.n_fields = 1;
    ev.fields = fields;
    worker_post(&g->te, &ev, 2);
    go(g);
    assert_true(worker_done(&g->te));
}

static void become_city(struct rig *g)
{
    worker_bye(&g->te);
    g->te.name = "city";
    g->te.key = SIM_KEY_CITY;
    g->te.org = 2;
    g->te.stream = 0;
    g->te.heard = hears_offer;
    memset(g->te.acked, 0, sizeof(g->te.acked));
    seen = (struct seen){0};
    worker_connect(&g->te);
    run_for(g, STO_US_PER_SEC);
}

static void a_sending_carries_what_a_basis_covers(void **state)
{
    struct rig *g = *state;
    offer_to_city(g);
    become_city(g);
    assert_int_equal(seen.offers, 1);
    assert_int_equal(seen.fields, 1);
    assert_int_equal(seen.held_back, 0);
}

static void a_later_sending_asks_for_the_basis_again(void **state)
{
    struct rig *g = *state;
    static char text[sizeof(sim_network) + 16];
    const char *valid = strstr(sim_network, "\"2001-01-01\", \"\"");
    assert_non_null(valid);
    size_t at = (size_t)(valid - sim_network) + strlen("\"2001-01-01\", \"");
    memcpy(text, sim_network, at);
    memcpy(text + at, "2013-01-02", 10);
    memcpy(text + at + 10, sim_network + at, sizeof(sim_network) - at);
    g->m->network_text = text;
    g->m->config = 2; /* the act ends with 2.1.2013 */
    offer_to_city(g);
    g->core[0].domain_us +=
        36 * STO_US_PER_HOUR; /* 1.1. 10:00 UTC to 2.1. 22:00 UTC: the 3rd here */
    become_city(g);
    assert_int_equal(seen.offers, 1);
    assert_int_equal(seen.fields, 0);
    assert_int_equal(seen.held_back, 1);
}

static void a_core_that_owns_no_shard_commits_nothing(void **state)
{
    struct rig *g = *state;
    core_start(&g->core[1], 1002);
    run_for(g, 20000);
    uint64_t before = g->m->n_commits;
    g->talks_to = 0;
    start(g, 1, 0);
    go(g);
    assert_int_equal(g->m->n_commits, before);
    assert_string_equal(stats(g).not_ready ? stats(g).not_ready : "", "owns no shard");
}

int main(void)
{
    struct sto_err err;
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(durable_releases_and_not_before),
        TEST(fenced_by_another_owner_drops_the_shard),
        TEST(a_stale_owners_batch_under_way_does_not_land_after_takeover),
        TEST(fenced_by_configuration_decides_again),
        TEST(retry_applies_the_kept_inputs_again_in_order),
        TEST(retry_answers_busy_to_new_inputs),
        TEST(poison_is_parked_alone),
        TEST(a_parked_event_that_fails_too_holds_its_shard_alone),
        TEST(in_doubt_and_committed_is_released_after_settling),
        TEST(in_doubt_and_lost_is_applied_again),
        TEST(in_doubt_and_landing_later_is_waited_for),
        TEST(a_fence_that_does_not_come_back_is_asked_again),
        TEST(a_repeat_gets_the_same_answer_and_an_altered_one_is_refused),
        TEST(a_core_that_owns_no_shard_commits_nothing),
        TEST(a_sending_carries_what_a_basis_covers),
        TEST(a_later_sending_asks_for_the_basis_again),
    };
    sto_log_init("test_outcome", STO_ERROR + 1);
    sto_time_init();
    if (sto_crypto_init(&err) != 0) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
