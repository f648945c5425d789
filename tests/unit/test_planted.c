/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Are the explorers any good? The engine is compiled here a second time with faults that
 * a switch turns on one by one; exploring and random walks must catch each of them, and
 * none when all are off.
 */
#include "engine_explore.h"

#ifdef __SANITIZE_ADDRESS__
#define SEQUENCES 400u /* many times as slow; the plain run finds every fault */
#else
#define SEQUENCES 4000u
#endif

int saatto_plant;

static bool caught_by_exploring(const char *workflow, unsigned n_orgs, char *what, size_t cap)
{
    struct rig *r = rig_new(workflow);
    struct explored x = {0};
    r->thorough = false;
    bool started = rig_start(r) == 0;
    if (started) {
        explore(r, n_orgs, EXPLORE_STATES_MAX, &x);
    }
    (void)snprintf(what, cap, "%s", started ? x.what : r->err.what);
    rig_destroy(&r);
    return what[0] != '\0';
}

static bool caught_at_random(const char *workflow, char *what, size_t cap)
{
    struct rig *r = rig_new(workflow);
    struct random_walk w = {.seed = 7};
    bool caught = false;
    for (unsigned i = 0; i < SEQUENCES && !caught; i++) {
        caught = !random_sequence(&w, r, 30);
    }
    (void)snprintf(what, cap, "%s", w.what);
    rig_destroy(&r);
    return caught;
}

static bool caught(char *what, size_t cap)
{
    return caught_by_exploring(WF_TRANSFER, 2, what, cap) ||
           caught_by_exploring(WF_LOOP_CLOSED, 1, what, cap) ||
           caught_by_exploring(WF_BOARD, 1, what, cap) ||
           caught_at_random(WF_BRANCHES, what, cap) || caught_at_random(WF_SERVICE, what, cap) ||
           caught_at_random(WF_PLACES, what, cap) || caught_at_random(WF_BOARD, what, cap) ||
           caught_at_random(WF_MANY, what, cap);
}

static void no_fault_is_found_where_there_is_none(void **state)
{
    char what[512];
    (void)state;
    saatto_plant = 0;
    if (caught(what, sizeof what)) {
        fail_msg("%s", what);
    }
}

#ifndef __SANITIZE_ADDRESS__
static const struct {
    int number;
    const char *what;
} plants[] = {
    {1, "every sending has a basis"},
    {2, "the expiry of an offer does nothing"},
    {3, "leaving a stage cancels nothing below it"},
    {4, "anybody may record a task's result"},
    {5, "responsibility moves on accept"},
    {6, "anybody may make an offer's events"},
    {7, "two offers may be accepted"},
    {8, "the whole package leaves with the offer"},
    {9, "the ledger is not written at a takeover"},
    {10, "giving back works after the right has lapsed"},
    {11, "a handover that came back has no clock"},
    {12, "a handover has no cap"},
    {13, "a place in the queue has no deadline"},
    {14, "a late event is taken for a timely one"},
    {15, "the fact's number skips one"},
    {16, "a case closes over an open offer"},
    {17, "a consent that was lost still covers"},
    {18, "a former holder keeps its open work"},
    {19, "a stage that is left keeps its places"},
    {20, "a panel's agenda keeps the entry of a case that has gone on"},
    {21, "agreement to an older version of a plan still counts"},
    {22, "a step is sent without what it must have"},
    {23, "any basis serves where one consent alone counts"},
    {24, "the holder hears of a hidden step"},
    {25, "a panel decides before its date"},
    {26, "a place is given up and the pool not told"},
    {27, "an each has a branch for nobody"},
    {28, "a member answers that was not asked"},
};

static void every_planted_fault_is_found(void **state)
{
    (void)state;
    unsigned missed = 0;
    for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++) {
        char what[512];
        saatto_plant = plants[i].number;
        bool found = caught(what, sizeof what);
        print_message("%2d %s: %s\n", plants[i].number, plants[i].what, found ? what : "MISSED");
        missed += !found;
    }
    saatto_plant = 0;
    assert_int_equal(missed, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_fault_is_found_where_there_is_none),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(every_planted_fault_is_found),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
