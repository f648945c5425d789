/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Validated codec of the wire contract (proto/saatto/v1/saatto.proto).
 *
 * Decode goes into a capped arena through protobuf-c's allocator hook; after
 * decode everything is validated: UTF-8, no NUL inside strings, known enum
 * values, ranges, lengths, counts, no unknown fields. What passes here is safe
 * to read; what does not is STO_E_MALFORMED (or STO_E_LIMIT) and nothing else.
 */
#ifndef SAATTO_CODEC_H
#define SAATTO_CODEC_H
#include "engine.h"
#include "saatto/v1/saatto.pb-c.h"
#include <protobuf-c/protobuf-c.h>

#define SAATTO_WIRE_VERSION 1
#define SAATTO_HEAD_BYTES   4

/* 'S' 'T' version type */
void head_encode(uint8_t head[SAATTO_HEAD_BYTES], unsigned frame_type);
/* returns the frame type 1..15, or -STO_E_MALFORMED / -STO_E_VERSION */
int head_decode(const uint8_t *head, size_t n, struct sto_err *err);

/*
 * Decode and validate the body of a frame.
 *
 * type     FrameType
 * arena    owns the message; capped by its maker (STO_DECODE_ARENA_BYTES)
 * out      ProtobufCMessage of that type, e.g. Saatto__V1__Events
 */
int frame_decode(unsigned type, const uint8_t *body, size_t n, sto_arena_t *arena,
                 ProtobufCMessage **out, struct sto_err *err);
/* Inner messages: Message.body, Delivery.body. */
int event_decode(const uint8_t *body, size_t n, sto_arena_t *arena, Saatto__V1__Event **out,
                 struct sto_err *err);
int delivery_decode(const uint8_t *body, size_t n, sto_arena_t *arena,
                    Saatto__V1__DeliveryBody **out, struct sto_err *err);

/* A decoded Event as the engine's input (strings and bytes borrowed from ev; arrays in arena).
   Numbers of EventKind and reason are checked here. `actor`, `evidence` and `mail` are the caller's
   to set. */
int event_to_input(const Saatto__V1__Event *ev, sto_arena_t *arena, struct input *out,
                   struct sto_err *err);

/* Hash of a message as received: SHA-256(0x10 ‖ shard u16 ‖ seq u64 ‖ body). */
void message_hash(uint16_t shard, uint64_t seq, const uint8_t *body, size_t n, uint8_t out[32]);

/* Packed bytes of any message, arena-owned; n <= STO_FRAME_BYTES_MAX else STO_E_LIMIT. */
int message_pack(const ProtobufCMessage *m, sto_arena_t *arena, const uint8_t **p, size_t *n,
                 struct sto_err *err);

/* UUIDv8 of a case: HMAC(organisation's secret, record key), last byte = the client reference's
 * last byte. */
void case_id_make(const uint8_t secret[32], const char *record_key, const struct sto_uuid *client,
                  struct sto_uuid *out);

#endif
