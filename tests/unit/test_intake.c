/* SPDX-License-Identifier: EUPL-1.2 */
/* What a worker has taken in and what it still has to say of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>

#include "intake.h"

/* What shard_ack does once it has sent. */
static void told(struct intake *in)
{
    for (size_t i = 0; i < in->n; i++) {
        in->v[i].told = in->v[i].state != INTAKE_OPEN;
    }
    in->told = in->upto;
}

static void take_and_answer(struct intake *in, uint64_t seq)
{
    assert_true(intake_take(in, 1, seq));
    intake_answer(in, seq, INTAKE_DONE, 0);
}

static void each_delivery_is_taken_once(void **state)
{
    struct intake in = {0};

    (void)state;
    intake_session(&in, 1, 0);
    take_and_answer(&in, 1);
    assert_false(intake_take(&in, 1, 1));
    assert_int_equal(intake_open(&in), 0);
    intake_release(&in);
}

static void a_lower_epoch_is_dropped(void **state)
{
    struct intake in = {0};

    (void)state;
    intake_session(&in, 1, 0);
    assert_true(intake_take(&in, 7, 1));
    assert_false(intake_take(&in, 6, 2));
    intake_release(&in);
}

/*
 * A broker that was started anew has lost acknowledgements that were not durable. It hears the mark
 * before it has read those rows, and sends them again: then the mark must be said again.
 */
static void what_comes_again_is_acknowledged_again(void **state)
{
    struct intake in = {0};

    (void)state;
    intake_session(&in, 1, 0);
    take_and_answer(&in, 1);
    take_and_answer(&in, 2);
    told(&in);
    assert_false(intake_news(&in));
    intake_session(&in, 1, 0);
    assert_true(intake_news(&in));
    told(&in);
    assert_false(intake_take(&in, 2, 2));
    assert_true(intake_news(&in));
    told(&in);
    assert_false(intake_news(&in));
    intake_release(&in);
}

static void what_comes_again_above_the_mark_is_acknowledged_again(void **state)
{
    struct intake in = {0};

    (void)state;
    intake_session(&in, 1, 0);
    assert_true(intake_take(&in, 1, 1));
    take_and_answer(&in, 2);
    told(&in);
    assert_false(intake_news(&in));
    assert_false(intake_take(&in, 1, 2));
    assert_true(intake_news(&in));
    intake_release(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_delivery_is_taken_once),
        cmocka_unit_test(a_lower_epoch_is_dropped),
        cmocka_unit_test(what_comes_again_is_acknowledged_again),
        cmocka_unit_test(what_comes_again_above_the_mark_is_acknowledged_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
