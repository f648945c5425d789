/* SPDX-License-Identifier: EUPL-1.2 */
/* ZAP handler of the gate: which CURVE keys may connect. Served by the gate's own loop. */
#ifndef GATE_ZAP_H
#define GATE_ZAP_H
#include "sto_err.h"
#include <stddef.h>
#include <stdint.h>

struct zap;
/* Binds inproc://zeromq.zap.01: must be made before the first CURVE socket. */
struct zap *zap_new(void *ctx);
void zap_destroy(struct zap **self_p);
void *zap_socket(struct zap *self);
/* Answers all requests that wait. */
void zap_serve(struct zap *self);
/* Replaces the list: n keys of 41 bytes (Z85 with NUL). */
void zap_keys(struct zap *self, const char *keys, size_t n);
uint64_t zap_refused(const struct zap *self);
/*
 * Connects to the bound server socket with a random key, which must be refused.
 *
 * returns  0; -STO_E_CRYPTO if it got in (CURVE without a working ZAP handler encrypts but
 * authenticates nobody)
 */
int zap_self_test(struct zap *self, void *server, const char *server_public, struct sto_err *err);
#endif
