/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The check of received bytes against a message's descriptor, before anything is
 * allocated (private to proto/). protobuf-c alone accepts unknown fields, bytes
 * that are no UTF-8, strings with a NUL inside (whose tail is then lost) and
 * singular fields that come twice; here all that is refused.
 */
#ifndef CODEC_CHECK_H
#define CODEC_CHECK_H
#include <stdbool.h>

#include "sto_err.h"
#include <protobuf-c/protobuf-c.h>

#define CODEC_DEPTH_MAX  6
#define CODEC_FIELDS_MAX 48 /* fields of one message type */

/* 0, or -STO_E_MALFORMED / -STO_E_LIMIT with the field's name. */
int codec_check(const ProtobufCMessageDescriptor *desc, const uint8_t *p, size_t n,
                struct sto_err *err);
bool codec_utf8_valid(const uint8_t *p, size_t n); /* and no NUL, no control but tab, LF, CR */

#endif
