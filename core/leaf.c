/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Leaf codec. The layout is durable: a changed layout gets a new version byte
 * and old leaves keep theirs. It knows nothing of trees or storage.
 */
#include "leaf.h"

#include <string.h>

#include "sto_crypto.h"

#define LEAF_VERSION 1
#define LEAF_DOMAIN  0x00 /* RFC 6962: a leaf, not a node */
#define LEAF_USED    227

_Static_assert(LEAF_USED <= LEAF_BYTES, "the fields fit into the leaf");

static void put(uint8_t **at, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        (*at)[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
    }
    *at += bytes;
}

static void put_raw(uint8_t **at, const void *p, size_t n)
{
    memcpy(*at, p, n);
    *at += n;
}

static uint64_t get(const uint8_t **at, unsigned bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++) {
        v = v << 8 | (*at)[i];
    }
    *at += bytes;
    return v;
}

static void get_raw(const uint8_t **at, void *out, size_t n)
{
    memcpy(out, *at, n);
    *at += n;
}

static void put_party(uint8_t **at, struct party p)
{
    put(at, p.org, 2);
    put(at, p.desk, 2);
}

static struct party get_party(const uint8_t **at)
{
    struct party p;
    p.org = (uint16_t)get(at, 2);
    p.desk = (uint16_t)get(at, 2);
    return p;
}

void leaf_encode(const struct leaf *l, uint8_t out[LEAF_BYTES])
{
    uint8_t *at = out;
    memset(out, 0, LEAF_BYTES);
    put(&at, LEAF_VERSION, 1);
    put(&at, l->shard, 2);
    put(&at, l->idx, 8);
    put(&at, (uint64_t)l->ts_us, 8);
    put(&at, l->kind, 1);
    put(&at, l->epoch, 8);
    put(&at, l->actor_org, 2);
    put_raw(&at, l->actor_key, sizeof l->actor_key);
    put(&at, l->evidence, 1);
    put_raw(&at, l->case_id.b, sizeof l->case_id.b);
    put(&at, l->case_seq, 4);
    put_party(&at, l->before);
    put_party(&at, l->after);
    put_raw(&at, l->config_hash, 32);
    put_raw(&at, l->msg_hash, 32);
    put_raw(&at, l->fact_hash, 32);
    put_raw(&at, l->ct_hash, 32);
    put_raw(&at, l->key_commitment, 32);
    STO_ASSERT(at == out + LEAF_USED);
}

int leaf_decode(const uint8_t *p, size_t n, struct leaf *out, struct sto_err *err)
{
    if (n != LEAF_BYTES) {
        return sto_fail(err, STO_E_MALFORMED, "a leaf has %d bytes, got %zu", LEAF_BYTES, n);
    }
    if (p[0] != LEAF_VERSION) {
        return sto_fail(err, STO_E_VERSION, "leaf version %u is unknown", (unsigned)p[0]);
    }
    for (size_t i = LEAF_USED; i < LEAF_BYTES; i++) {
        if (p[i] != 0) {
            return sto_fail(err, STO_E_MALFORMED, "the leaf's byte %zu is not zero", i);
        }
    }
    const uint8_t *at = p + 1;
    struct leaf l = {0};
    l.shard = (uint16_t)get(&at, 2);
    l.idx = get(&at, 8);
    l.ts_us = (int64_t)get(&at, 8);
    l.kind = (uint8_t)get(&at, 1);
    l.epoch = get(&at, 8);
    l.actor_org = (uint16_t)get(&at, 2);
    get_raw(&at, l.actor_key, sizeof l.actor_key);
    l.evidence = (uint8_t)get(&at, 1);
    get_raw(&at, l.case_id.b, sizeof l.case_id.b);
    l.case_seq = (uint32_t)get(&at, 4);
    l.before = get_party(&at);
    l.after = get_party(&at);
    get_raw(&at, l.config_hash, 32);
    get_raw(&at, l.msg_hash, 32);
    get_raw(&at, l.fact_hash, 32);
    get_raw(&at, l.ct_hash, 32);
    get_raw(&at, l.key_commitment, 32);
    *out = l;
    return 0;
}

void leaf_hash(const struct leaf *l, uint8_t out[32])
{
    const uint8_t domain = LEAF_DOMAIN;
    uint8_t bytes[LEAF_BYTES];
    leaf_encode(l, bytes);
    sto_sha256_2(&domain, 1, bytes, sizeof bytes, out);
}
