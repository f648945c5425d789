/* SPDX-License-Identifier: EUPL-1.2 */
/* The groups of store_test; one server for all of them. */
#ifndef STORE_TEST_H
#define STORE_TEST_H
#include "fixture.h"

extern struct fixture server; /* started before the first group */

int test_outcomes(void);
int test_loads(void);
int test_schema(void);
int test_plans(void);
int test_private(void);
#endif
