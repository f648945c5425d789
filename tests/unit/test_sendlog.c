/* SPDX-License-Identifier: EUPL-1.2 */
/* The outbox of an organisation: what survives, in which order, under which numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sendlog.h"
#include "sto_file.h"

struct fixture {
    char dir[64], path[96];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/saatto-sendlog-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/outbox.log", f->dir);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char lock[96];
    snprintf(lock, sizeof lock, "%s/outbox.lock", f->dir);
    unlink(f->path);
    unlink(lock);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

static sendlog_t *open_log(const char *dir)
{
    sendlog_t *log = NULL;
    struct sto_err err = {0};
    if (sendlog_open(dir, &log, &err) != 0) {
        fail_msg("%s", err.what);
    }
    return log;
}

static int64_t add(sendlog_t *log, uint8_t route, const char *text)
{
    struct sto_err err = {0};
    int64_t ticket = sendlog_append(log, route, (const uint8_t *)text, strlen(text), &err);
    assert_true(ticket > 0);
    return ticket;
}

static void expect(const sendlog_t *log, unsigned shard, size_t i, uint64_t seq, const char *text)
{
    const struct sendlog_event *e = sendlog_at(log, shard, i);
    assert_non_null(e);
    assert_int_equal(e->seq, seq);
    assert_int_equal(e->n, strlen(text));
    assert_memory_equal(e->body, text, e->n);
}

static void events_number_from_one_in_each_shard(void **state)
{
    (void)state;
    sendlog_t *log = open_log(NULL);
    assert_int_equal(sendlog_shards(log, 4, NULL), 0);
    assert_int_equal(add(log, 0, "a"), 1);
    assert_int_equal(add(log, 5, "b"), 2);
    assert_int_equal(add(log, 4, "c"), 3);
    expect(log, 0, 0, 1, "a");
    expect(log, 0, 1, 2, "c");
    expect(log, 1, 0, 1, "b");
    assert_null(sendlog_at(log, 1, 1));
    assert_int_equal(sendlog_waiting(log), 3);
    sendlog_close(&log);
    assert_null(log);
    sendlog_close(&log);
}

static void events_of_before_the_shards_were_known_are_numbered_in_their_order(void **state)
{
    struct fixture *f = *state;
    sendlog_t *log = open_log(f->dir);
    add(log, 6, "first");
    add(log, 2, "second"); /* other route, same shard of four */
    add(log, 1, "third");
    assert_int_equal(sendlog_at(log, 6, 0)->seq, 0);
    assert_int_equal(sendlog_sync(log, NULL), 0);
    sendlog_close(&log);

    log = open_log(f->dir); /* and once more, so that the numbering is replayed too */
    assert_int_equal(sendlog_shards(log, 4, NULL), 0);
    add(log, 2, "fourth");
    sendlog_close(&log);
    log = open_log(f->dir);
    expect(log, 2, 0, 1, "first");
    expect(log, 2, 1, 2, "second");
    expect(log, 2, 2, 3, "fourth");
    expect(log, 1, 0, 1, "third");
    struct sto_err err = {0};
    assert_int_equal(sendlog_shards(log, 8, &err), -STO_E_DIFFERENT);
    assert_int_equal(sendlog_shards(log, 4, &err), 0);
    sendlog_close(&log);
}

static void collect(void *arg, const struct sendlog_event *e)
{
    char *text = arg;
    snprintf(text + strlen(text), 64 - strlen(text), "%lld ", (long long)e->ticket);
}

static void a_receipt_drops_what_it_covers_and_numbers_go_on_over_a_restart(void **state)
{
    struct fixture *f = *state;
    char seen[64] = "";
    sendlog_t *log = open_log(f->dir);
    uint64_t stream = sendlog_stream(log);
    assert_int_equal(sendlog_shards(log, 2, NULL), 0);
    for (int i = 0; i < 5; i++) {
        add(log, 0, "x");
    }
    sendlog_receipt(log, 0, 3, collect, seen);
    assert_string_equal(seen, "1 2 3 ");
    sendlog_receipt(log, 0, 3, collect, seen); /* a repeat */
    assert_string_equal(seen, "1 2 3 ");
    assert_false(sendlog_ticket_waits(log, 3));
    assert_true(sendlog_ticket_waits(log, 4));
    sendlog_close(&log);

    log = open_log(f->dir);
    assert_int_equal(sendlog_stream(log), stream);
    assert_int_equal(sendlog_last_ticket(log), 5);
    assert_int_equal(sendlog_waiting(log), 2);
    expect(log, 0, 0, 4, "x");
    sendlog_receipt(log, 0, 5, NULL, NULL);
    sendlog_close(&log);

    log = open_log(f->dir); /* nothing waits, and still nothing is numbered twice */
    assert_int_equal(sendlog_waiting(log), 0);
    assert_int_equal(add(log, 0, "y"), 6);
    expect(log, 0, 0, 6, "y");
    assert_false(sendlog_ticket_waits(log, 7));
    sendlog_close(&log);
}

static void a_torn_end_is_cut_off_wherever_it_tears(void **state)
{
    struct fixture *f = *state;
    sendlog_t *log = open_log(f->dir);
    assert_int_equal(sendlog_shards(log, 1, NULL), 0);
    add(log, 0, "whole");
    sendlog_close(&log);
    struct stat before, after;
    assert_int_equal(stat(f->path, &before), 0);
    log = open_log(f->dir);
    add(log, 0, "torn event");
    sendlog_close(&log);
    char *data = NULL;
    size_t len = 0;
    assert_int_equal(sto_file_read(f->path, 1 << 20, &data, &len, NULL), 0);
    assert_true(len > (size_t)before.st_size);

    for (size_t cut = len - 1; cut > len - 10; cut--) {
        assert_int_equal(sto_file_write(f->path, data, cut, 0600, NULL), 0);
        log = open_log(f->dir);
        assert_int_equal(sendlog_waiting(log), 1);
        expect(log, 0, 0, 1, "whole");
        add(log, 0, "next");
        expect(log, 0, 1, 2, "next");
        sendlog_close(&log);
    }
    assert_int_equal(stat(f->path, &after), 0);
    free(data);
}

static void an_outbox_has_one_owner(void **state)
{
    struct fixture *f = *state;
    struct sto_err err = {0};
    sendlog_t *log = open_log(f->dir), *other = NULL;
    assert_int_equal(sendlog_open(f->dir, &other, &err), -STO_E_BUSY);
    assert_null(other);
    sendlog_close(&log);
    log = open_log(f->dir);
    sendlog_close(&log);
}

static void a_log_of_receipted_events_shrinks(void **state)
{
    struct fixture *f = *state;
    static char big[60000];
    memset(big, 'b', sizeof big - 1);
    sendlog_t *log = open_log(f->dir);
    assert_int_equal(sendlog_shards(log, 1, NULL), 0);
    for (uint64_t i = 1; i <= 40; i++) {
        add(log, 0, big);
        assert_int_equal(sendlog_sync(log, NULL), 0);
        sendlog_receipt(log, 0, i - 1, NULL, NULL);
    }
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_true(st.st_size < 2 * 1048576);
    expect(log, 0, 0, 40, big);
    sendlog_close(&log);
    log = open_log(f->dir);
    expect(log, 0, 0, 40, big);
    assert_int_equal(sendlog_last_ticket(log), 40);
    sendlog_close(&log);
}

static void deliveries_taken_in_are_remembered_for_their_incarnation(void **state)
{
    struct fixture *f = *state;
    sendlog_t *log = open_log(f->dir);
    assert_int_equal(sendlog_shards(log, 4, NULL), 0);
    sendlog_taken(log, 3, 1, 17);
    sendlog_close(&log);
    log = open_log(f->dir); /* replayed, then compacted */
    sendlog_close(&log);
    log = open_log(f->dir);
    assert_int_equal(sendlog_taken_upto(log, 3, 1), 17);
    assert_int_equal(sendlog_taken_upto(log, 3, 2), 0);
    assert_int_equal(sendlog_taken_upto(log, 0, 1), 0);
    sendlog_close(&log);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_number_from_one_in_each_shard),
        T(events_of_before_the_shards_were_known_are_numbered_in_their_order),
        T(a_receipt_drops_what_it_covers_and_numbers_go_on_over_a_restart),
        T(a_torn_end_is_cut_off_wherever_it_tears),
        T(an_outbox_has_one_owner),
        T(a_log_of_receipted_events_shrinks),
        T(deliveries_taken_in_are_remembered_for_their_incarnation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
