/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The leaf of one event: fixed big-endian bytes with a version, and its RFC 6962
 * leaf hash SHA-256(0x00 ‖ bytes). Written in the event's own transaction.
 */
#ifndef LEAF_H
#define LEAF_H
#include "state.h"

#define LEAF_BYTES 249
struct leaf {
    uint16_t shard;
    uint64_t idx;
    int64_t ts_us;
    uint8_t kind;
    uint64_t epoch;
    uint16_t actor_org;
    uint8_t actor_key[8]; /* first bytes of the key's hash */
    uint8_t evidence;
    struct sto_uuid case_id;
    uint32_t case_seq;
    struct party before, after;
    uint8_t config_hash[32], msg_hash[32], fact_hash[32] /* SHA-256(fact bytes) */,
        ct_hash[32] /* SHA-256(ct) */, key_commitment[32];
};
void leaf_encode(const struct leaf *l, uint8_t out[LEAF_BYTES]); /* unused tail zero */
int leaf_decode(const uint8_t *p, size_t n, struct leaf *out, struct sto_err *err);
void leaf_hash(const struct leaf *l, uint8_t out[32]);
#endif
