/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Captured batches: the calls and binary parameters of every committed batch, appended to a file,
 * so that a benchmark can write the very same rows straight into PostgreSQL and know its limit.
 * File: "SAATTOC1", then for each batch, big-endian: u32 events, u32 calls; for each call u32
 * statement, u32 values; for each value u32 length and the bytes.
 */
#ifndef CAPTURE_H
#define CAPTURE_H
#include "pg_params.h"
#include "sto_err.h"

struct capture;
int capture_new(const char *path, struct capture **out, struct sto_err *err);
void capture_destroy(struct capture **self_p);
void capture_write(struct capture *self, const struct pg_params *p, uint32_t events);

struct capture_reader;
int capture_open(const char *path, struct capture_reader **out, struct sto_err *err);
void capture_close(struct capture_reader **self_p);
/* Next batch into *p; 1, 0 at the end, or an error. A batch cut off by a crash counts as the end.
 */
int capture_read(struct capture_reader *self, struct pg_params *p, uint32_t *events,
                 struct sto_err *err);
#endif
