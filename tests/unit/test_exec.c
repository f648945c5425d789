/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The exec adapter with real programs: small shell scripts, written by the test.
 * It waits for descriptors, never for time.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "adapter.h"
#include "engine.h"
#include "exec_json.h"
#include "sto_file.h"
#include "sto_log.h"
#include "sto_time.h"
#include "worker_settings.h"

#define EVENTS_MAX 64

struct box {
    char dir[64], program[96], failed[96];
    sto_settings_t *settings;
    struct link link;
    void *self;
    struct saatto_event sent[EVENTS_MAX]; /* texts not kept */
    char text[EVENTS_MAX][64];
    unsigned n_sent, acked, deferred, deferred_ms, sent_at_ack;
    uint64_t order[EVENTS_MAX]; /* of acknowledgements */
};

static int64_t box_send(void *arg, const struct saatto_event *e, struct sto_err *err)
{
    struct box *b = arg;
    (void)err;
    assert_true(b->n_sent < EVENTS_MAX);
    b->sent[b->n_sent] = *e;
    snprintf(b->text[b->n_sent], sizeof b->text[0], "%s", e->text != NULL ? e->text : "");
    return (int64_t)++b->n_sent;
}

static void box_ack(void *arg, unsigned shard, uint64_t seq)
{
    struct box *b = arg;
    (void)shard;
    b->sent_at_ack = b->n_sent;
    b->order[b->acked++] = seq;
}

static void box_defer(void *arg, unsigned shard, uint64_t seq, unsigned after_ms)
{
    struct box *b = arg;
    (void)shard;
    (void)seq;
    b->deferred++;
    b->deferred_ms = after_ms;
}

static void set(sto_settings_t *s, const char *key, const char *value)
{
    struct sto_err err = {0};
    char *text = sto_asprintf("%s=%s", key, value);
    if (sto_settings_set(s, text, &err) != 0) {
        fail_msg("%s", err.what);
    }
    free(text);
}

static struct box *box_new(const char *script, const char *key, const char *value)
{
    struct box *b = calloc(1, sizeof *b);
    struct sto_err err = {0};
    snprintf(b->dir, sizeof b->dir, "/tmp/saatto-exec-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    snprintf(b->program, sizeof b->program, "%s/program", b->dir);
    snprintf(b->failed, sizeof b->failed, "%s/failed.jsonl", b->dir);
    char *text = sto_asprintf("#!/bin/sh\n%s\n", script);
    assert_int_equal(sto_file_write(b->program, text, strlen(text), 0700, NULL), 0);
    free(text);
    b->settings = sto_settings_new(worker_settings);
    set(b->settings, "organisation", "verve");
    set(b->settings, "state-dir", b->dir);
    set(b->settings, "program", b->program);
    if (key != NULL) {
        set(b->settings, key, value);
    }
    b->link = (struct link){b, box_send, box_ack, box_defer, NULL, NULL};
    if (adapter_exec.open(&b->link, b->settings, &b->self, &err) != 0) {
        fail_msg("%s", err.what);
    }
    return b;
}

static void box_destroy(struct box *b)
{
    adapter_exec.close(&b->self);
    sto_settings_destroy(&b->settings);
    unlink(b->program);
    unlink(b->failed);
    assert_int_equal(rmdir(b->dir), 0);
    free(b);
}

static struct saatto_delivery offer(uint64_t seq, uint8_t which)
{
    struct saatto_delivery d = {.shard = 1,
                                .seq = seq,
                                .kind = "offer",
                                .workflow = "palkkatuki",
                                .step = "placement",
                                .token = 3,
                                .entry = 2,
                                .offer = 7,
                                .due_us = INT64_C(1200000000000000)};
    d.case_id[0] = which;
    return d;
}

static void deliver(struct box *b, uint64_t seq, uint8_t which)
{
    struct saatto_delivery d = offer(seq, which);
    assert_int_equal(adapter_exec.on_delivery(b->self, &d, 0), SAATTO_LATER);
}

/* Until `n` deliveries are acknowledged or put off. ahead_us: how far the adapter's clock is set
 * forward. */
static void run(struct box *b, unsigned n, int64_t ahead_us)
{
    struct pollfd fds[ADAPTER_FDS_MAX];
    while (b->acked + b->deferred < n) {
        adapter_exec.step(b->self, sto_mono_us() + ahead_us);
        unsigned k = adapter_exec.fds(b->self, fds, ADAPTER_FDS_MAX);
        if (b->acked + b->deferred < n) {
            assert_true(k > 0);
            poll(fds, k, 10000);
        }
    }
}

/* The line of failed.jsonl that was written last; its reason. */
static void failed_reason(const struct box *b, char *out, size_t cap)
{
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(sto_file_read(b->failed, 1 << 20, &text, &n, NULL), 0);
    assert_int_equal(text[n - 1], '\n');
    json_t *o = json_loads(text, 0, NULL);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "delivery"), "kind")),
                        "offer");
    snprintf(out, cap, "%s", json_string_value(json_object_get(o, "reason")));
    json_decref(o);
    free(text);
}

static void events_are_in_the_outbox_before_the_acknowledgement(void **state)
{
    (void)state;
    struct box *b = box_new("cat >/dev/null\n"
                            "echo '{\"events\":[{\"kind\":\"take-up\",\"worker\":\"liisa\"},"
                            "{\"kind\":\"decline\",\"reason\":\"capacity\",\"text\":\"täynnä\"}]}'",
                            NULL, NULL);
    deliver(b, 17, 9);
    run(b, 1, 0);
    assert_int_equal(b->acked, 1);
    assert_int_equal(b->sent_at_ack, 2);
    assert_int_equal(b->sent[0].kind, EVENT_TAKE_UP);
    assert_int_equal(b->sent[1].kind, EVENT_DECLINE);
    assert_int_equal(b->sent[1].reason, REASON_CAPACITY);
    assert_int_equal(b->sent[1].offer, 7);
    assert_int_equal(b->sent[1].token, 0);
    assert_int_equal(b->sent[1].case_id[0], 9);
    assert_string_equal(b->text[1], "täynnä");
    box_destroy(b);
}

static void a_program_reads_the_whole_delivery(void **state)
{
    (void)state;
    struct saatto_field fields[] = {{.name = "months", .type = SAATTO_INTEGER, .integer = 6},
                                    {.name = "reached", .type = SAATTO_BOOLEAN, .integer = 1},
                                    {.name = "record", .type = SAATTO_TEXT, .text = "ps-001"},
                                    {.name = "hetu",
                                     .type = SAATTO_SEALED,
                                     .bytes = (const uint8_t *)"\x01\x02\xff",
                                     .n_bytes = 3}};
    const char *exits[] = {"done", "refused"};
    struct saatto_basis basis = {"identity", "act-1", 2};
    uint8_t seat[1][16] = {{0xab}};
    struct saatto_delivery d = offer(5, 0x10);
    d.fields = fields;
    d.n_fields = 4;
    d.exits = exits;
    d.n_exits = 2;
    d.basis = &basis;
    d.n_basis = 1;
    d.seats = (const uint8_t(*)[16])seat;
    d.n_seats = 1;
    d.reason = REASON_MOVED;
    char *text = exec_input("verve", &d);
    assert_string_equal(
        text, "{\"delivery\":\"1-5\",\"organisation\":\"verve\",\"kind\":\"offer\","
              "\"case\":\"10000000-0000-0000-0000-000000000000\",\"shard\":1,\"seq\":5,"
              "\"workflow\":\"palkkatuki\",\"step\":\"placement\",\"reason\":\"moved\",\"token\":3,"
              "\"entry\":2,\"offer\":7,\"due\":\"2008-01-10T21:20:00Z\",\"fields\":{\"months\":6,"
              "\"reached\":true,\"record\":\"ps-001\",\"hetu\":{\"sealed\":\"AQL/\"}},"
              "\"exits\":[\"done\",\"refused\"],\"basis\":[{\"category\":\"identity\","
              "\"id\":\"act-1\",\"version\":2}],"
              "\"seats\":[\"ab000000-0000-0000-0000-000000000000\"]}");
    free(text);
}

static void an_answer_may_set_every_member_of_an_event(void **state)
{
    (void)state;
    static const char answer[] =
        "{\"events\":[{\"kind\":\"task-result\",\"exit\":\"done\",\"fields\":{\"months\":6,"
        "\"reached\":false,\"record\":\"ps-001\",\"hetu\":{\"sealed\":\"AQL/\"}},"
        "\"names\":{\"employer\":\"verve\",\"social\":{\"organisation\":\"oulu\",\"desk\":\"x\"}}},"
        "{\"kind\":\"book\",\"at\":\"2008-01-10T21:20:00Z\",\"offer\":8},"
        "{\"kind\":\"start\",\"case\":\"10000000-0000-8000-8000-000000000001\",\"start\":"
        "{\"workflow\":\"palkkatuki\",\"client\":\"000102030405060708090a0b0c0d0e01\"}}]}";
    struct exec_origin origin = {.case_id = {9}, .token = 3, .entry = 2, .offer = 7};
    struct saatto_event e[EXEC_EVENTS_MAX];
    sto_arena_t *arena = sto_arena_new(1 << 20);
    struct sto_err err = {0};
    size_t n = 0;
    assert_int_equal(exec_output(answer, sizeof answer - 1, &origin, arena, e, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_int_equal(e[0].token, 3);
    assert_int_equal(e[0].entry, 2);
    assert_int_equal(e[0].offer, 0);
    assert_int_equal(e[0].n_fields, 4);
    assert_int_equal(e[0].fields[0].integer, 6);
    assert_int_equal(e[0].fields[3].type, SAATTO_SEALED);
    assert_memory_equal(e[0].fields[3].bytes, "\x01\x02\xff", 3);
    assert_string_equal(e[0].names[1].desk, "x");
    assert_int_equal(e[1].at_us, INT64_C(1200000000000000));
    assert_int_equal(e[1].offer, 8);
    assert_int_equal(e[2].case_id[0], 0x10);
    assert_string_equal(e[2].start_workflow, "palkkatuki");
    assert_int_equal(e[2].start_client[15], 1);
    sto_arena_destroy(&arena);
}

static void a_wrong_answer_says_what_is_wrong_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *what;
    } wrong[] = {
        {"{", "the answer is no JSON: line 1, column 1"},
        {"{\"events\":[]}{}", "the answer is no JSON: line 1, column 14"},
        {"[]", "the answer must be {\"events\": [ … ]}"},
        {"{\"event\":[]}", "the answer must be {\"events\": [ … ]}"},
        {"{\"events\":[{\"kind\":\"accept\"},{\"kind\":\"acept\"}]}",
         "event 2: 'kind' must be the name of an event"},
        {"{\"events\":[{}]}", "event 1: 'kind' must be the name of an event"},
        {"{\"events\":[{\"kind\":\"accept\",\"offr\":1}]}", "event 1: unknown key 'offr'"},
        {"{\"events\":[{\"kind\":\"accept\",\"offer\":-1}]}",
         "event 1: 'offer' must be a whole number"},
        {"{\"events\":[{\"kind\":\"decline\",\"reason\":\"bored\"}]}",
         "event 1: 'reason' must be a coded reason"},
        {"{\"events\":[{\"kind\":\"book\",\"at\":\"soon\"}]}",
         "event 1: 'at' must be a time such as 2026-11-21T10:42:00Z"},
        {"{\"events\":[{\"kind\":\"report\",\"fields\":{\"x\":1.5}}]}",
         "event 1: 'x' must be a number, a text, true, false or {\"sealed\": base64}"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct exec_origin origin = {0};
        struct saatto_event e[EXEC_EVENTS_MAX];
        sto_arena_t *arena = sto_arena_new(1 << 20);
        struct sto_err err = {0};
        size_t n = 9;
        assert_int_not_equal(
            exec_output(wrong[i].answer, strlen(wrong[i].answer), &origin, arena, e, &n, &err), 0);
        assert_int_equal(n, 0);
        assert_string_equal(err.what, wrong[i].what);
        sto_arena_destroy(&arena);
    }
}

static void how_a_program_ends_decides_what_becomes_of_the_delivery(void **state)
{
    (void)state;
    static const struct {
        const char *script, *reason; /* NULL: no failure */
        bool deferred;
    } ends[] = {
        {"cat >/dev/null", NULL, false}, /* nothing to say */
        {"exit 0", NULL, false},         /* nor anything to read */
        {"exit 75", NULL, true},
        {"exit 3", "the program ended with exit status 3", false},
        {"kill -9 $$", "the program was ended by signal 9", false},
        {"echo hello", "the answer is no JSON: line 1, column 5", false},
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct box *b = box_new(ends[i].script, NULL, NULL);
        char reason[200];
        deliver(b, 1, 1);
        run(b, 1, 0);
        assert_int_equal(b->deferred, ends[i].deferred);
        assert_int_equal(b->acked, !ends[i].deferred);
        assert_int_equal(b->n_sent, 0);
        if (ends[i].deferred) {
            assert_int_equal(b->deferred_ms, 60000);
        }
        if (ends[i].reason != NULL) {
            failed_reason(b, reason, sizeof reason);
            assert_string_equal(reason, ends[i].reason);
        } else {
            assert_int_not_equal(access(b->failed, F_OK), 0);
        }
        box_destroy(b);
    }
}

static void who_runs_too_long_or_writes_too_much_is_ended(void **state)
{
    (void)state;
    char reason[200];
    /* It waits for its input's end, which never comes; the adapter's clock is set an hour ahead. */
    struct box *b = box_new("exec tail -f /dev/null", NULL, NULL);
    deliver(b, 1, 1);
    adapter_exec.step(b->self, sto_mono_us());
    run(b, 1, INT64_C(3600) * STO_US_PER_SEC);
    failed_reason(b, reason, sizeof reason);
    assert_string_equal(reason, "the program ran longer than 60000 ms");
    assert_int_equal(b->acked, 1);
    box_destroy(b);

    b = box_new("exec cat /dev/zero", "output-limit", "100000");
    deliver(b, 1, 1);
    run(b, 1, 0);
    failed_reason(b, reason, sizeof reason);
    assert_string_equal(reason, "the program wrote more than 100000 bytes");
    box_destroy(b);

    b = box_new("trap '' TERM\necho ready\nwhile :; do read x </dev/zero; done", "output-limit",
                "1024");
    struct pollfd fds[ADAPTER_FDS_MAX];
    deliver(b, 1, 1);
    adapter_exec.step(b->self, sto_mono_us());
    unsigned k = adapter_exec.fds(b->self, fds, ADAPTER_FDS_MAX);
    while (k == 3) { /* its input is written and it has said that it is ready */
        poll(fds, k, 10000);
        adapter_exec.step(b->self, sto_mono_us());
        k = adapter_exec.fds(b->self, fds, ADAPTER_FDS_MAX);
    }
    adapter_exec.step(b->self,
                      sto_mono_us() + INT64_C(3600) * STO_US_PER_SEC); /* SIGTERM: ignored */
    run(b, 1, INT64_C(7200) * STO_US_PER_SEC);                         /* SIGKILL */
    assert_int_equal(b->acked, 1);
    box_destroy(b);
}

static void deliveries_of_a_case_keep_their_order_and_others_run_beside(void **state)
{
    (void)state;
    /* The first of case 1 waits until the file exists that the one of case 2 makes. */
    struct box *b = box_new("read -r line\ncd \"${0%/*}\"\n"
                            "case $line in\n"
                            "*'\"1-1\"'*) mkfifo pipe 2>/dev/null; cat pipe;;\n"
                            "*'\"1-3\"'*) until [ -p pipe ]; do :; done; echo >pipe;;\n"
                            "esac\n",
                            "children", "4");
    deliver(b, 1, 1);
    deliver(b, 2, 1);
    deliver(b, 3, 2);
    run(b, 3, 0);
    unsigned first = 0, second = 0;
    for (unsigned i = 0; i < 3; i++) {
        first = b->order[i] == 1 ? i : first;
        second = b->order[i] == 2 ? i : second;
    }
    assert_true(first < second);
    char *pipe = sto_asprintf("%s/pipe", b->dir);
    unlink(pipe);
    free(pipe);
    box_destroy(b);
}

static void a_worker_that_ends_leaves_unfinished_deliveries_unacknowledged(void **state)
{
    (void)state;
    struct box *b = box_new("exec tail -f /dev/null", NULL, NULL);
    struct pollfd fds[ADAPTER_FDS_MAX];
    deliver(b, 1, 1);
    deliver(b, 2, 2);
    adapter_exec.step(b->self, sto_mono_us());
    while (!adapter_exec.stop(b->self, sto_mono_us())) {
        unsigned k = adapter_exec.fds(b->self, fds, ADAPTER_FDS_MAX);
        poll(fds, k, 10000);
        adapter_exec.step(b->self, sto_mono_us());
    }
    assert_int_equal(b->acked + b->deferred, 0);
    assert_int_not_equal(access(b->failed, F_OK), 0);
    box_destroy(b);
}

static void the_sample_program_accepts_an_offer(void **state)
{
    (void)state;
    struct box *b =
        box_new("exec " SAATTO_SOURCE_DIR "/workers/samples/exec-sample.py", NULL, NULL);
    deliver(b, 1, 1);
    struct saatto_delivery notice = offer(2, 2);
    notice.kind = "notice";
    assert_int_equal(adapter_exec.on_delivery(b->self, &notice, 0), SAATTO_LATER);
    run(b, 2, 0);
    assert_int_equal(b->acked, 2);
    assert_int_equal(b->n_sent, 1);
    assert_int_equal(b->sent[0].kind, EVENT_ACCEPT);
    assert_int_equal(b->sent[0].offer, 7);
    assert_int_not_equal(access(b->failed, F_OK), 0);
    box_destroy(b);
}

static int prepare(void **state)
{
    (void)state;
    sto_time_init();
    sto_log_init("test", STO_ERROR);
    signal(SIGPIPE, SIG_IGN); /* as the worker does */
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_in_the_outbox_before_the_acknowledgement),
        cmocka_unit_test(a_program_reads_the_whole_delivery),
        cmocka_unit_test(an_answer_may_set_every_member_of_an_event),
        cmocka_unit_test(a_wrong_answer_says_what_is_wrong_and_changes_nothing),
        cmocka_unit_test(how_a_program_ends_decides_what_becomes_of_the_delivery),
        cmocka_unit_test(who_runs_too_long_or_writes_too_much_is_ended),
        cmocka_unit_test(deliveries_of_a_case_keep_their_order_and_others_run_beside),
        cmocka_unit_test(a_worker_that_ends_leaves_unfinished_deliveries_unacknowledged),
        cmocka_unit_test(the_sample_program_accepts_an_offer),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
