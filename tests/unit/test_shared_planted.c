/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Is the explorer of what cases share any good? The aggregate is compiled here a second time with
 * faults that a switch turns on one by one: each must be found, and none when all are off.
 */
#include "shared_explore.h"

#define SEQUENCES 6000u

int saatto_plant;

static const struct {
    int number;
    const char *what;
} plants[] = {
    {101, "a series does not keep its place on the dates to come"},
    {102, "a group opens however few wait for it"},
    {103, "an offered place does not count"},
    {104, "the urgent do not go first"},
    {105, "a quota is never used up"},
    {106, "who declines always loses the turn"},
    {107, "a freed place is not offered to who kept its turn"},
    {108, "the oldest case does not go first"},
    {109, "a panel's date takes any number of cases"},
    {110, "anybody organises"},
    {111, "a new wish does not replace the former"},
    {112, "what one fact cannot tell is forgotten"},
    {113, "silence keeps an offered place"},
    {114, "who is moved with a date does not hear of it"},
    {115, "a seat that is given up stays counted"},
    {116, "a cut-off passes unnoticed"},
};

static bool found(unsigned sequences, char *what, size_t cap)
{
    unsigned taken = 0, refused = 0;
    return !shared_explore(sequences, 24, what, cap, &taken, &refused);
}

static void no_fault_is_found_where_there_is_none(void **state)
{
    char what[400];
    (void)state;
    saatto_plant = 0;
    if (found(SEQUENCES, what, sizeof what)) {
        fail_msg("%s", what);
    }
}

static void every_planted_fault_is_found(void **state)
{
    unsigned missed = 0;
    (void)state;
    for (size_t i = 0; i < sizeof plants / sizeof plants[0]; i++) {
        char what[400];
        saatto_plant = plants[i].number;
        bool caught = found(SEQUENCES, what, sizeof what);
        print_message("%d %s: %s\n", plants[i].number, plants[i].what, caught ? what : "MISSED");
        missed += !caught;
    }
    saatto_plant = 0;
    assert_int_equal(missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_fault_is_found_where_there_is_none),
        cmocka_unit_test(every_planted_fault_is_found),
    };
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
