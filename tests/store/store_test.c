/* SPDX-License-Identifier: EUPL-1.2 */
#include "store_test.h"

#include "sto_crypto.h"
#include "sto_log.h"
#include "sto_time.h"

struct fixture server;

int main(void)
{
    struct sto_err err = {0};
    int failed = 0;

    sto_time_init();
    sto_log_init("store_test", STO_ERROR);
    if (sto_crypto_init(&err) != 0) {
        return 1;
    }
    fixture_start(&server);
    failed += test_plans(); /* first: half of it wants empty tables */
    failed += test_outcomes();
    failed += test_loads();
    failed += test_schema();
    fixture_stop(&server);
    failed += test_private();
    return failed == 0 ? 0 : 1;
}
