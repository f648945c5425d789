/* SPDX-License-Identifier: EUPL-1.2 */
/* 128-bit ids. A case id is a UUIDv8 whose last byte routes to its shard. */
#ifndef STO_UUID_H
#define STO_UUID_H
#include "sto_err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sto_uuid {
    uint8_t b[16];
};
static inline unsigned sto_uuid_shard(const struct sto_uuid *id, unsigned n_shards)
{
    return id->b[15] & (n_shards - 1u);
}
bool sto_uuid_eq(const struct sto_uuid *a, const struct sto_uuid *b);
bool sto_uuid_is_zero(const struct sto_uuid *a);
const char *sto_uuid_format(const struct sto_uuid *id, char buf[37]);
int sto_uuid_parse(const char *s, struct sto_uuid *out, struct sto_err *err);
/* Sets version 8 and variant over 16 hash bytes; last byte := route. */
void sto_uuid_v8(struct sto_uuid *out, const uint8_t hash[16], uint8_t route);
void sto_hex(const void *p, size_t n, char *out /* 2n+1 */);
int sto_unhex(const char *s, void *out, size_t n, struct sto_err *err); /* exactly n bytes */

#endif
