/* SPDX-License-Identifier: EUPL-1.2 */
/* Files and child processes for the shells (never for core/). */
#ifndef STO_FILE_H
#define STO_FILE_H
#include "sto_err.h"
#include <stddef.h>
#include <sys/types.h>
/* Whole file, at most max bytes, NUL-terminated, malloc'd (caller frees). */
int sto_file_read(const char *path, size_t max, char **data, size_t *len, struct sto_err *err);
/* Write via temporary name, fsync, rename, fsync of the folder. mode e.g. 0600. */
int sto_file_write(const char *path, const void *data, size_t len, mode_t mode,
                   struct sto_err *err);
int sto_mkdirs(const char *path, mode_t mode, struct sto_err *err);
/* printf into a malloc'd string; aborts on out of memory. */
char *sto_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Folder of the running program's tree, for finding deploy/ and workflows/ in a checkout or an
   install: first $SAATTO_HOME, else the parent of the folder holding build/bin/<prog>. malloc'd. */
char *sto_home_dir(void);
#endif
