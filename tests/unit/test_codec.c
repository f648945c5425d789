/* SPDX-License-Identifier: EUPL-1.2 */
/* The wire codec: what passes is safe to read, everything else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "content.h"
#include "saatto_codec.h"
#include "sto_crypto.h"

static sto_arena_t *arena;

static int set_up(void **state)
{
    struct sto_err err;
    (void)state;
    arena = sto_arena_new(STO_DECODE_ARENA_BYTES);
    return sto_crypto_init(&err);
}

static int tear_down(void **state)
{
    (void)state;
    sto_arena_destroy(&arena);
    return 0;
}

/* ---------------------------------------------------------------- head */

static void a_head_is_four_bytes_of_a_known_type(void **state)
{
    uint8_t head[4], bad[4];
    struct sto_err err;
    (void)state;
    for (unsigned type = 1; type <= 15; type++) {
        head_encode(head, type);
        assert_int_equal(head_decode(head, 4, &err), (int)type);
    }
    assert_int_equal(head_decode(head, 3, &err), -STO_E_MALFORMED);
    assert_int_equal(head_decode(head, 5, &err), -STO_E_MALFORMED);
    memcpy(bad, "ST\2\1", 4);
    assert_int_equal(head_decode(bad, 4, &err), -STO_E_VERSION);
    memcpy(bad, "ST\1\0", 4);
    assert_int_equal(head_decode(bad, 4, &err), -STO_E_MALFORMED);
    memcpy(bad, "ST\1\20", 4);
    assert_int_equal(head_decode(bad, 4, &err), -STO_E_MALFORMED);
    memcpy(bad, "XT\1\1", 4);
    assert_int_equal(head_decode(bad, 4, &err), -STO_E_MALFORMED);
}

/* ------------------------------------------------- descriptor graph */

static bool reaches(const ProtobufCMessageDescriptor *from, const ProtobufCMessageDescriptor *what,
                    unsigned depth, unsigned *deepest)
{
    *deepest = depth > *deepest ? depth : *deepest;
    if (depth > 20) {
        return true;
    }
    for (unsigned i = 0; i < from->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &from->fields[i];
        if (f->type == PROTOBUF_C_TYPE_MESSAGE &&
            (f->descriptor == what || reaches(f->descriptor, what, depth + 1, deepest))) {
            return true;
        }
    }
    return false;
}

static void no_message_type_is_recursive(void **state)
{
    static const ProtobufCMessageDescriptor *const all[] = {
        &saatto__v1__hello__descriptor,         &saatto__v1__welcome__descriptor,
        &saatto__v1__events__descriptor,        &saatto__v1__receipts__descriptor,
        &saatto__v1__deliveries__descriptor,    &saatto__v1__ack__descriptor,
        &saatto__v1__beat__descriptor,          &saatto__v1__refusal__descriptor,
        &saatto__v1__clock__descriptor,         &saatto__v1__clock_idle__descriptor,
        &saatto__v1__advance__descriptor,       &saatto__v1__clock_state__descriptor,
        &saatto__v1__redrive__descriptor,       &saatto__v1__redriven__descriptor,
        &saatto__v1__bye__descriptor,           &saatto__v1__event__descriptor,
        &saatto__v1__delivery_body__descriptor,
    };
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        unsigned deepest = 1;
        assert_false(reaches(all[i], all[i], 1, &deepest));
        assert_true(deepest <= 6);
        assert_true(all[i]->n_fields <= 48);
    }
}

/* ------------------------------------------------------------ decoding */

static size_t packed_hello(uint8_t *buf)
{
    Saatto__V1__Hello m = SAATTO__V1__HELLO__INIT;
    uint32_t versions[] = {1, 2};
    m.n_versions = 2;
    m.versions = versions;
    m.nonce = 7;
    m.organisation = (char *)(uintptr_t) "kela-oulu";
    m.program = (char *)(uintptr_t) "tyollisyys \xc3\xa4";
    return saatto__v1__hello__pack(&m, buf);
}

static int decode_hello(const uint8_t *p, size_t n)
{
    ProtobufCMessage *m;
    struct sto_err err;
    sto_arena_reset(arena);
    return frame_decode(SAATTO__V1__FRAME_TYPE__HELLO, p, n, arena, &m, &err);
}

static void a_valid_frame_decodes(void **state)
{
    uint8_t buf[256];
    ProtobufCMessage *m;
    struct sto_err err;
    (void)state;
    size_t n = packed_hello(buf);
    assert_int_equal(frame_decode(SAATTO__V1__FRAME_TYPE__HELLO, buf, n, arena, &m, &err), 0);
    const Saatto__V1__Hello *h = (const Saatto__V1__Hello *)m;
    assert_int_equal(h->n_versions, 2);
    assert_string_equal(h->organisation, "kela-oulu");
    assert_int_equal(decode_hello(buf, 0), 0); /* all fields may be absent */
}

static void every_truncation_is_refused_or_shorter(void **state)
{
    uint8_t buf[256];
    (void)state;
    size_t n = packed_hello(buf);
    for (size_t i = 0; i < n; i++) {
        int rc = decode_hello(buf, i);
        assert_true(rc == 0 || rc == -STO_E_MALFORMED);
    }
}

static void unknown_fields_and_repeats_are_refused(void **state)
{
    uint8_t buf[300];
    (void)state;
    size_t n = packed_hello(buf);
    memcpy(buf + n, "\xf8\x01\x01", 3); /* field 31, varint 1 */
    assert_int_equal(decode_hello(buf, n + 3), -STO_E_MALFORMED);
    memcpy(buf + n, "\x1a\x01x", 3); /* organisation once more */
    assert_int_equal(decode_hello(buf, n + 3), -STO_E_MALFORMED);
    memcpy(buf + n, "\x13", 1); /* a group begins */
    assert_int_equal(decode_hello(buf, n + 1), -STO_E_MALFORMED);
    memcpy(buf, "\x18\x05", 2); /* organisation as a number */
    assert_int_equal(decode_hello(buf, 2), -STO_E_MALFORMED);
}

static void strings_are_utf8_without_nul_and_of_bounded_length(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        int rc;
    } cases[] = {
        {"\x1a\x03"
         "a\0b",
         5, -STO_E_MALFORMED},
        {"\x1a\x02\xc0\x80", 4, -STO_E_MALFORMED},
        {"\x1a\x01\x80", 3, -STO_E_MALFORMED},
        {"\x1a\x03\xed\xa0\x80", 5, -STO_E_MALFORMED},
        {"\x1a\x04\xf4\x90\x80\x80", 6, -STO_E_MALFORMED},
        {"\x1a\x02\xc3\xa4", 4, 0},
        {"\x1a\x01\x07", 3, -STO_E_MALFORMED},
        {"\x1a\x04\xf0\x9f\x98\x80", 6, 0},
        {"\x1a\xff\xff\xff\xff\x0f", 6, -STO_E_MALFORMED},
    };
    uint8_t longer[80] = {0x1a, 65};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(decode_hello((const uint8_t *)cases[i].bytes, cases[i].n), cases[i].rc);
    }
    memset(longer + 2, 'a', 65);
    assert_int_equal(decode_hello(longer, 67), -STO_E_LIMIT);
}

static void lists_and_frames_are_bounded(void **state)
{
    static uint8_t buf[STO_FRAME_BYTES_MAX + 1];
    size_t n = 0;
    (void)state;
    for (unsigned i = 0; i < 17; i++) { /* versions: at most 16 */
        buf[n++] = 0x08;
        buf[n++] = 1;
    }
    assert_int_equal(decode_hello(buf, n), -STO_E_LIMIT);
    assert_int_equal(decode_hello(buf, sizeof(buf)), -STO_E_LIMIT);
    ProtobufCMessage *m;
    struct sto_err err;
    for (n = 0; n + 8 < STO_FRAME_BYTES_MAX; n += 2) { /* Events.messages: 32,000 empty ones */
        buf[n] = 0x1a;
        buf[n + 1] = 0;
    }
    assert_int_equal(frame_decode(SAATTO__V1__FRAME_TYPE__EVENTS, buf, n, arena, &m, &err),
                     -STO_E_LIMIT);
}

static void a_second_value_of_a_field_is_refused(void **state)
{
    static const uint8_t two[] = {0x92, 0x01, 6, 0x0a, 1,
                                  'x',  0x10, 2, 0x18}; /* integer, then boolean */
    uint8_t buf[16];
    Saatto__V1__Event *ev;
    struct sto_err err;
    (void)state;
    memcpy(buf, two, sizeof(two));
    buf[2] = 7;
    buf[9] = 1;
    assert_int_equal(event_decode(buf, 10, arena, &ev, &err), -STO_E_MALFORMED);
    buf[2] = 5;
    assert_int_equal(event_decode(buf, 8, arena, &ev, &err), 0);
}

/* -------------------------------------------------------------- events */

static Saatto__V1__Event start_event(uint8_t id[16], uint8_t client[16],
                                     Saatto__V1__StartCase *start)
{
    Saatto__V1__Event ev = SAATTO__V1__EVENT__INIT;
    saatto__v1__start_case__init(start);
    ev.kind = EVENT_START;
    ev.case_id.data = id;
    ev.case_id.len = 16;
    start->workflow = (char *)(uintptr_t) "w";
    start->client.data = client;
    start->client.len = 16;
    ev.start = start;
    return ev;
}

static int to_input(const Saatto__V1__Event *ev, struct input *in)
{
    struct sto_err err;
    sto_arena_reset(arena);
    return event_to_input(ev, arena, in, &err);
}

static void a_start_routes_with_its_client(void **state)
{
    uint8_t id[16] = {1}, client[16] = {2};
    Saatto__V1__StartCase start;
    struct input in;
    (void)state;
    Saatto__V1__Event ev = start_event(id, client, &start);
    assert_int_equal(to_input(&ev, &in), 0);
    assert_int_equal(in.kind, EVENT_START);
    client[15] = 1;
    assert_int_equal(to_input(&ev, &in), -STO_E_MALFORMED);
    client[15] = 0;
    ev.case_id.len = 0;
    assert_int_equal(to_input(&ev, &in), -STO_E_MALFORMED);
    ev.case_id.len = 16;
    ev.kind = EVENT_OFFER; /* a start that is none */
    assert_int_equal(to_input(&ev, &in), -STO_E_MALFORMED);
    ev.kind = EVENT_START;
    ev.start = NULL;
    assert_int_equal(to_input(&ev, &in), -STO_E_MALFORMED);
}

static void a_start_about_no_client_lies_anywhere(void **state)
{
    uint8_t id[16] = {[0] = 1, [15] = 9}, client[16] = {0};
    Saatto__V1__StartCase start;
    struct input in;
    (void)state;
    Saatto__V1__Event ev = start_event(id, client, &start);
    assert_int_equal(to_input(&ev, &in), 0);
    assert_true(sto_uuid_is_zero(&in.client));
}

static void numbers_of_events_are_checked(void **state)
{
    uint8_t id[16] = {1};
    struct input in;
    Saatto__V1__Event ev = SAATTO__V1__EVENT__INIT;
    (void)state;
    ev.case_id.data = id;
    ev.case_id.len = 16;
    ev.kind = EVENT_ACCEPT;
    ev.token = 65535;
    assert_int_equal(to_input(&ev, &in), 0);
    assert_int_equal(in.token, 65535);
    ev.token = 65536;
    assert_int_equal(to_input(&ev, &in), -STO_E_MALFORMED);
    ev.token = 0;
    ev.reason = REASON_OTHER + 1;
    assert_int_equal(to_input(&ev, &in), -STO_E_MALFORMED);
    ev.reason = REASON_CAPACITY;
    assert_int_equal(to_input(&ev, &in), 0);
    ev.second_admin = 3;
    assert_int_equal(to_input(&ev, &in), -STO_E_MALFORMED);
    ev.kind = EVENT_SUCCEED;
    assert_int_equal(to_input(&ev, &in), 0);
    assert_int_equal(in.second_admin, 3);
    ev.second_admin = 65536;
    assert_int_equal(to_input(&ev, &in), -STO_E_MALFORMED);
    ev.second_admin = 0;
    static const uint32_t never[] = {
        0, 26, 29, 53, 79, EVENT_CLOCK, EVENT_MAIL, EVENT_PARKED, 255, 256 + EVENT_ACCEPT};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        ev.kind = never[i]; /* unknown, or the broker's own */
        assert_int_equal(to_input(&ev, &in), -STO_E_MALFORMED);
    }
}

static void fields_need_a_value_and_come_once(void **state)
{
    uint8_t id[16] = {1};
    struct input in;
    Saatto__V1__Event ev = SAATTO__V1__EVENT__INIT;
    Saatto__V1__Field a = SAATTO__V1__FIELD__INIT, b = SAATTO__V1__FIELD__INIT, *list[] = {&a, &b};
    (void)state;
    ev.case_id.data = id;
    ev.case_id.len = 16;
    ev.kind = EVENT_TASK_RESULT;
    ev.n_fields = 2;
    ev.fields = list;
    a.name = (char *)(uintptr_t) "days";
    a.value_case = SAATTO__V1__FIELD__VALUE_INTEGER;
    a.integer = -5;
    b.name = (char *)(uintptr_t) "need";
    assert_int_equal(to_input(&ev, &in), -STO_E_MALFORMED);
    b.value_case = SAATTO__V1__FIELD__VALUE_TEXT;
    b.text = (char *)(uintptr_t) "work";
    assert_int_equal(to_input(&ev, &in), 0);
    assert_int_equal(in.n_fields, 2);
    assert_int_equal(in.fields[0].i, -5);
    assert_int_equal(in.fields[1].n, 4);
    b.name = a.name;
    assert_int_equal(to_input(&ev, &in), -STO_E_MALFORMED);
}

/* ----------------------------------------------------------------- ids */

static void a_message_hash_binds_shard_and_seq(void **state)
{
    uint8_t a[32], b[32];
    (void)state;
    message_hash(1, 2, (const uint8_t *)"body", 4, a);
    message_hash(1, 2, (const uint8_t *)"body", 4, b);
    assert_memory_equal(a, b, 32);
    message_hash(1, 3, (const uint8_t *)"body", 4, b);
    assert_memory_not_equal(a, b, 32);
    message_hash(2, 2, (const uint8_t *)"body", 4, b);
    assert_memory_not_equal(a, b, 32);
}

static void a_start_run_again_is_the_same_case(void **state)
{
    uint8_t secret[32] = {3};
    struct sto_uuid client = {{0, 1, 2}}, a, b;
    (void)state;
    client.b[15] = 0x9c;
    case_id_make(secret, "row 17", &client, &a);
    case_id_make(secret, "row 17", &client, &b);
    assert_true(sto_uuid_eq(&a, &b));
    assert_int_equal(a.b[15], 0x9c);
    assert_int_equal(a.b[6] >> 4, 8);
    case_id_make(secret, "row 18", &client, &b);
    assert_false(sto_uuid_eq(&a, &b));
}

/* ------------------------------------------------------------ contents */

static void contents_open_only_in_their_place(void **state)
{
    uint8_t key[32] = {5}, ct[5 + STO_AEAD_OVERHEAD], pt[32];
    struct sto_nonces nonces;
    struct content_aad aad = {.shard = 1, .idx = 2, .kind = CONTENT_OUTBOX, .org = 3};
    struct sto_err err;
    (void)state;
    sto_nonces_init(&nonces);
    content_seal(key, &nonces, &aad, "hello", 5, ct);
    assert_int_equal(content_open(key, &aad, ct, sizeof(ct), pt, &err), 5);
    assert_memory_equal(pt, "hello", 5);
    aad.idx = 3;
    assert_int_equal(content_open(key, &aad, ct, sizeof(ct), pt, &err), -STO_E_CRYPTO);
    aad.idx = 2;
    aad.org = 4;
    assert_int_equal(content_open(key, &aad, ct, sizeof(ct), pt, &err), -STO_E_CRYPTO);
    assert_int_equal(content_open(key, &aad, ct, 10, pt, &err), -STO_E_CRYPTO);
}

static void an_outbox_frame_reads_back(void **state)
{
    struct outbox_frame f = {
        .categories = 0x11, .n_fields = 2, .body = (const uint8_t *)"xyz", .n_body = 3};
    struct outbox_frame g;
    struct sto_buf b;
    struct sto_err err;
    (void)state;
    f.basis[0] = 7;
    f.basis_ver[4] = 9;
    f.field_category[1] = 4;
    sto_buf_init(&b, 0);
    outbox_wrap(&f, &b);
    assert_int_equal(outbox_unwrap(b.data, b.len, &g, &err), 0);
    assert_int_equal(g.basis[0], 7);
    assert_int_equal(g.basis_ver[4], 9);
    assert_int_equal(g.field_category[1], 4);
    assert_int_equal(g.n_body, 3);
    for (size_t n = 0; n + 3 < b.len; n++) {
        assert_int_equal(outbox_unwrap(b.data, n, &g, &err), -STO_E_MALFORMED);
    }
    sto_buf_release(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_four_bytes_of_a_known_type),
        cmocka_unit_test(no_message_type_is_recursive),
        cmocka_unit_test(a_valid_frame_decodes),
        cmocka_unit_test(every_truncation_is_refused_or_shorter),
        cmocka_unit_test(unknown_fields_and_repeats_are_refused),
        cmocka_unit_test(strings_are_utf8_without_nul_and_of_bounded_length),
        cmocka_unit_test(lists_and_frames_are_bounded),
        cmocka_unit_test(a_second_value_of_a_field_is_refused),
        cmocka_unit_test(a_start_routes_with_its_client),
        cmocka_unit_test(a_start_about_no_client_lies_anywhere),
        cmocka_unit_test(numbers_of_events_are_checked),
        cmocka_unit_test(fields_need_a_value_and_come_once),
        cmocka_unit_test(a_message_hash_binds_shard_and_seq),
        cmocka_unit_test(a_start_run_again_is_the_same_case),
        cmocka_unit_test(contents_open_only_in_their_place),
        cmocka_unit_test(an_outbox_frame_reads_back),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
