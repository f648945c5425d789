/* SPDX-License-Identifier: EUPL-1.2 */
/* Batches as a busy broker would make them: cases of five hops, one of them moving the ledger. */
#ifndef MADE_H
#define MADE_H
#include "store.h"

#define MADE_HOPS 5

struct made_case {
    struct sto_uuid id;
    uint32_t hop;
    uint32_t ledger_n;
    int64_t since_us;
};

struct maker {
    unsigned n_shards, n_orgs;
    uint64_t epoch[STO_SHARDS_MAX], idx[STO_SHARDS_MAX], config, core;
    uint64_t outbox[STO_SHARDS_MAX][16], inbox[STO_SHARDS_MAX][16];
    bool sent[STO_SHARDS_MAX][16], came[STO_SHARDS_MAX][16]; /* in the batch being made */
    int64_t now_us;
    struct made_case *cases; /* open ones, in a ring */
    uint32_t n_cases, next_case;
    uint64_t number, made;
    uint32_t bytes_fact, bytes_ct, bytes_skeleton, bytes_data, bytes_out;
    uint8_t bytes[4096]; /* of blobs: random, since ciphertext is */
};

/* in_flight: cases that take turns. */
struct maker *maker_new(unsigned n_shards, uint32_t in_flight);
void maker_destroy(struct maker **self_p);
/* A batch of n events; all of it in one arena, which the request of a COMMIT takes along. */
struct store_request *made_commit(struct maker *m, uint32_t n);
#endif
