/* SPDX-License-Identifier: EUPL-1.2 */
/* 100,000 random sequences of events for pools, quotas, panels, series and groups. */
#include "shared_explore.h"

#ifdef __SANITIZE_ADDRESS__
#define SEQUENCES 10000u /* many times as slow; the plain run has them all */
#else
#define SEQUENCES 100000u
#endif

static void whatever_happens_nobody_is_cheated(void **state)
{
    char what[400];
    unsigned taken = 0, refused = 0;
    (void)state;
    if (!shared_explore(SEQUENCES, 14, what, sizeof what, &taken, &refused)) {
        fail_msg("%s", what);
    }
    print_message("%u decided, %u refused\n", taken, refused);
    assert_true(taken > 7 * SEQUENCES && refused > SEQUENCES / 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_happens_nobody_is_cheated)};
    sto_time_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
