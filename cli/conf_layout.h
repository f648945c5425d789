/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The canonical layout of configuration files. Line breaks and comments are the author's; what
 * stands between them is settled here: indentation, blanks, brackets, columns.
 */
#ifndef CONF_LAYOUT_H
#define CONF_LAYOUT_H
#include "sto_buf.h"
#include "sto_conf.h"

/*
 * Lays out one file.
 *
 * file     name in findings
 * out      the new text, appended
 * returns  0; -STO_E_CONFIG: the file has faults (in diags), nothing is appended; -STO_E_LIMIT
 */
int conf_layout(const char *file, const char *text, size_t len, struct sto_buf *out,
                sto_diags_t *diags, struct sto_err *err);

/* Whether two files say the same: keys, types and values in the same order. Both free of faults. */
bool conf_same(const struct sto_conf *a, const struct sto_conf *b);

#endif
