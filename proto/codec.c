/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Frames: head, decode into a capped arena, pack. The bytes are checked against
 * the descriptor first (codec_check.c), so that what protobuf-c unpacks is known
 * to be well-formed; its allocator is the caller's arena with a cap on the count.
 */
#include "saatto_codec.h"

#include <string.h>

#include "codec_check.h"
#include "sto_crypto.h"
#include "sto_limits.h"

/* Numbers of the wire are numbers of the core. */
#define SAME(wire, core) _Static_assert((int)(wire) == (int)(core), #wire " is " #core)
SAME(SAATTO__V1__DELIVERY_KIND__OFFER, SEND_OFFER);
SAME(SAATTO__V1__DELIVERY_KIND__TASK, SEND_TASK);
SAME(SAATTO__V1__DELIVERY_KIND__NOTICE, SEND_NOTICE);
SAME(SAATTO__V1__DELIVERY_KIND__REMINDER, SEND_REMINDER);
SAME(SAATTO__V1__DELIVERY_KIND__ESCALATION, SEND_ESCALATION);
SAME(SAATTO__V1__DELIVERY_KIND__WITHDRAWN, SEND_WITHDRAWN);
SAME(SAATTO__V1__DELIVERY_KIND__CLOSED, SEND_CLOSED);
SAME(SAATTO__V1__DELIVERY_KIND__PACKAGE, SEND_PACKAGE);
SAME(SAATTO__V1__DELIVERY_KIND__UPDATE, SEND_UPDATE);
SAME(SAATTO__V1__DELIVERY_KIND__RECORD, SEND_RECORD);
SAME(SAATTO__V1__FRAME_TYPE__HELLO, 1);
SAME(SAATTO__V1__FRAME_TYPE__BYE, 15);

void head_encode(uint8_t head[SAATTO_HEAD_BYTES], unsigned frame_type)
{
    STO_ASSERT(frame_type >= 1 && frame_type <= 15);
    head[0] = 'S';
    head[1] = 'T';
    head[2] = SAATTO_WIRE_VERSION;
    head[3] = (uint8_t)frame_type;
}

int head_decode(const uint8_t *head, size_t n, struct sto_err *err)
{
    if (n != SAATTO_HEAD_BYTES || head[0] != 'S' || head[1] != 'T') {
        return sto_fail(err, STO_E_MALFORMED, "frame head: not 4 bytes 'S' 'T' version type");
    }
    if (head[2] != SAATTO_WIRE_VERSION) {
        return sto_fail(err, STO_E_VERSION, "frame head: wire version %u, spoken here: %u", head[2],
                        SAATTO_WIRE_VERSION);
    }
    if (head[3] < SAATTO__V1__FRAME_TYPE__HELLO || head[3] > SAATTO__V1__FRAME_TYPE__BYE) {
        return sto_fail(err, STO_E_MALFORMED, "frame head: unknown type %u", head[3]);
    }
    return head[3];
}

static const ProtobufCMessageDescriptor *descriptor_of(unsigned type)
{
    switch (type) {
    case SAATTO__V1__FRAME_TYPE__HELLO:
        return &saatto__v1__hello__descriptor;
    case SAATTO__V1__FRAME_TYPE__WELCOME:
        return &saatto__v1__welcome__descriptor;
    case SAATTO__V1__FRAME_TYPE__EVENTS:
        return &saatto__v1__events__descriptor;
    case SAATTO__V1__FRAME_TYPE__RECEIPTS:
        return &saatto__v1__receipts__descriptor;
    case SAATTO__V1__FRAME_TYPE__DELIVERIES:
        return &saatto__v1__deliveries__descriptor;
    case SAATTO__V1__FRAME_TYPE__ACK:
        return &saatto__v1__ack__descriptor;
    case SAATTO__V1__FRAME_TYPE__BEAT:
        return &saatto__v1__beat__descriptor;
    case SAATTO__V1__FRAME_TYPE__REFUSAL:
        return &saatto__v1__refusal__descriptor;
    case SAATTO__V1__FRAME_TYPE__CLOCK:
        return &saatto__v1__clock__descriptor;
    case SAATTO__V1__FRAME_TYPE__CLOCK_IDLE:
        return &saatto__v1__clock_idle__descriptor;
    case SAATTO__V1__FRAME_TYPE__ADVANCE:
        return &saatto__v1__advance__descriptor;
    case SAATTO__V1__FRAME_TYPE__CLOCK_STATE:
        return &saatto__v1__clock_state__descriptor;
    case SAATTO__V1__FRAME_TYPE__REDRIVE:
        return &saatto__v1__redrive__descriptor;
    case SAATTO__V1__FRAME_TYPE__REDRIVEN:
        return &saatto__v1__redriven__descriptor;
    case SAATTO__V1__FRAME_TYPE__BYE:
        return &saatto__v1__bye__descriptor;
    default:
        return NULL;
    }
}

struct arena_counter {
    sto_arena_t *arena;
    unsigned left;
};

static void *counted_alloc(void *arg, size_t n)
{
    struct arena_counter *c = arg;
    if (c->left == 0) {
        return NULL;
    }
    c->left--;
    return sto_arena_alloc(c->arena, n);
}

static void counted_free(void *arg, void *p)
{
    (void)arg; /* the arena frees all at once */
    (void)p;
}

static int decode(const ProtobufCMessageDescriptor *desc, const uint8_t *body, size_t n,
                  sto_arena_t *arena, ProtobufCMessage **out, struct sto_err *err)
{
    if (n > STO_FRAME_BYTES_MAX) {
        return sto_fail(err, STO_E_LIMIT, "%s: %zu bytes, at most %u", desc->short_name, n,
                        STO_FRAME_BYTES_MAX);
    }
    int rc = codec_check(desc, body, n, err);
    if (rc != 0) {
        return rc;
    }
    struct arena_counter counter = {.arena = arena, .left = STO_DECODE_ALLOCS_MAX};
    ProtobufCAllocator allocator = {counted_alloc, counted_free, &counter};
    ProtobufCMessage *m = protobuf_c_message_unpack(desc, &allocator, n, body);
    if (!m) {
        return sto_fail(err, STO_E_LIMIT, "%s: needs too much memory", desc->short_name);
    }
    *out = m;
    return 0;
}

int frame_decode(unsigned type, const uint8_t *body, size_t n, sto_arena_t *arena,
                 ProtobufCMessage **out, struct sto_err *err)
{
    const ProtobufCMessageDescriptor *desc = descriptor_of(type);
    if (!desc) {
        return sto_fail(err, STO_E_MALFORMED, "unknown frame type %u", type);
    }
    return decode(desc, body, n, arena, out, err);
}

int event_decode(const uint8_t *body, size_t n, sto_arena_t *arena, Saatto__V1__Event **out,
                 struct sto_err *err)
{
    ProtobufCMessage *m = NULL;
    int rc = decode(&saatto__v1__event__descriptor, body, n, arena, &m, err);
    if (rc == 0) {
        *out = (Saatto__V1__Event *)m;
    }
    return rc;
}

int delivery_decode(const uint8_t *body, size_t n, sto_arena_t *arena,
                    Saatto__V1__DeliveryBody **out, struct sto_err *err)
{
    ProtobufCMessage *m = NULL;
    int rc = decode(&saatto__v1__delivery_body__descriptor, body, n, arena, &m, err);
    if (rc == 0) {
        *out = (Saatto__V1__DeliveryBody *)m;
    }
    return rc;
}

int message_pack(const ProtobufCMessage *m, sto_arena_t *arena, const uint8_t **p, size_t *n,
                 struct sto_err *err)
{
    size_t size = protobuf_c_message_get_packed_size(m);
    if (size > STO_FRAME_BYTES_MAX) {
        return sto_fail(err, STO_E_LIMIT, "%s: %zu bytes, at most %u", m->descriptor->short_name,
                        size, STO_FRAME_BYTES_MAX);
    }
    uint8_t *buf = sto_arena_alloc(arena, size);
    if (!buf) {
        return sto_fail(err, STO_E_LIMIT, "%s: arena is full", m->descriptor->short_name);
    }
    *n = protobuf_c_message_pack(m, buf);
    *p = buf;
    return 0;
}

void message_hash(uint16_t shard, uint64_t seq, const uint8_t *body, size_t n, uint8_t out[32])
{
    uint8_t head[11] = {0x10, (uint8_t)(shard >> 8), (uint8_t)shard};
    for (unsigned i = 0; i < 8; i++) {
        head[3 + i] = (uint8_t)(seq >> (56 - 8 * i));
    }
    sto_sha256_2(head, sizeof(head), body, n, out);
}

void case_id_make(const uint8_t secret[32], const char *record_key, const struct sto_uuid *client,
                  struct sto_uuid *out)
{
    uint8_t mac[32];
    sto_hmac_sha256(secret, record_key, strlen(record_key), mac);
    sto_uuid_v8(out, mac, client->b[15]);
}
