/* SPDX-License-Identifier: EUPL-1.2 */
#include "check.h"
const struct check_code *check_code_find(const char *code)
{
    (void)code;
    return NULL;
}
size_t check_codes(const struct check_code **rows)
{
    *rows = NULL;
    return 0;
}
