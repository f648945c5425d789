/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Contents at rest: what stands encrypted in event.ct, case.data_ct and
 * outbox.ct, and the frame of an outbox row's plain text. Sealed under the
 * case's data key (XChaCha20-Poly1305) with
 * AAD = shard u16 ‖ idx u64 ‖ case 16 bytes ‖ kind u8 ‖ org u16.
 */
#ifndef CONTENT_H
#define CONTENT_H
#include "state.h"
#include "sto_crypto.h"

enum content_kind {
    CONTENT_EVENT = 1,  /* idx: event.idx; plain text: the received Event */
    CONTENT_DATA = 2,   /* idx: seq of the case row; plain text: data_encode */
    CONTENT_OUTBOX = 3, /* idx: outbox.seq, org: its organisation; plain text: outbox_wrap */
};
struct content_aad {
    uint16_t shard;
    uint64_t idx;
    struct sto_uuid case_id;
    uint8_t kind;
    uint16_t org; /* 0 but for OUTBOX */
};
/* ct has room for n + STO_AEAD_OVERHEAD; nonces: a series of the caller's own. */
void content_seal(const uint8_t key[32], struct sto_nonces *nonces, const struct content_aad *a,
                  const void *pt, size_t n, uint8_t *ct);
/* pt has room for n_ct. Returns its length, or -STO_E_CRYPTO. */
int content_open(const uint8_t key[32], const struct content_aad *a, const uint8_t *ct, size_t n_ct,
                 uint8_t *pt, struct sto_err *err);

/* Which basis covered each category, so that a resend can ask again without the workflow. */
struct outbox_frame {
    uint32_t categories;                /* bits */
    uint16_t basis[STO_CATEGORIES_MAX]; /* by bit; number, or 0x8000 | consent's index */
    uint16_t basis_ver[STO_CATEGORIES_MAX];
    uint8_t n_fields;
    uint8_t field_category[STO_WF_FIELDS_MAX]; /* bit of body.fields[i] */
    const uint8_t *body;                       /* packed DeliveryBody; borrowed */
    size_t n_body;
};
void outbox_wrap(const struct outbox_frame *f, struct sto_buf *out);
int outbox_unwrap(const uint8_t *p, size_t n, struct outbox_frame *out, struct sto_err *err);

#endif
