/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * logfmt on stderr, one event a line, stable event names, never client content.
 * The only global of the tree.
 *   sto_log(STO_INFO, "offer_expired", "case", id, "org", org, NULL)
 */
#ifndef STO_LOG_H
#define STO_LOG_H
#include <stdint.h>
enum sto_level { STO_DEBUG, STO_INFO, STO_WARN, STO_ERROR };
void sto_log_init(const char *prog, enum sto_level min);
/* pairs of (const char *key, const char *value), NULL ends; values are quoted where needed. */
void sto_log(enum sto_level level, const char *event, ...) __attribute__((sentinel));
/* Decimal text of an integer in one of 8 rotating thread-local buffers, for sto_log values. */
const char *sto_i(int64_t v);
#endif
