/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto-worker's settings: one table for parsing, --print-config and docs/reference/settings.md.
 */
#ifndef WORKER_SETTINGS_H
#define WORKER_SETTINGS_H
#include "sto_err.h"
#include "sto_settings.h"

#define Z85_KEY_CHARS 40

extern const struct sto_setting worker_settings[];

/* Every required setting has a value, and what belongs to the chosen adapter is there. */
int worker_settings_check(const sto_settings_t *s, struct sto_err *err);
/* A key text, or the first line of the file of that name. */
int worker_server_key(const char *value, char out[Z85_KEY_CHARS + 1], struct sto_err *err);
/* Two lines, public then secret; a file that others may read is refused. Wipe `secret` after use.
 */
int worker_key_pair(const char *path, char public_key[Z85_KEY_CHARS + 1],
                    char secret[Z85_KEY_CHARS + 1], struct sto_err *err);

#endif
