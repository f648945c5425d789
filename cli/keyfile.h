/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Key files of an installation: CURVE pairs (two lines, public then secret, Z85) and secrets (one
 * line of hex), mode 0600. Nothing here prints a secret.
 */
#ifndef KEYFILE_H
#define KEYFILE_H
#include <stdbool.h>
#include <stdint.h>

#include "sto_err.h"

#define KEYFILE_Z85 40

struct key_pair {
    char public_key[KEYFILE_Z85 + 1], secret_key[KEYFILE_Z85 + 1];
};
/* Writes a fresh pair unless the file is there; *out (may be NULL) is what stands in it. */
int keyfile_pair_ensure(const char *path, struct key_pair *out, struct sto_err *err);
int keyfile_pair_read(const char *path, struct key_pair *out, struct sto_err *err);
int keyfile_secret_ensure(const char *path, uint8_t out[32], struct sto_err *err);
int keyfile_secret_read(const char *path, uint8_t out[32], struct sto_err *err);
/* Z85 of 40 characters? */
bool keyfile_is_z85(const char *s);

#endif
