/* SPDX-License-Identifier: EUPL-1.2 */
/* The register of keys: rows of org_key, each change with config + 1 so that every core and gate
 * takes it at once. */
#ifndef ORG_KEYS_H
#define ORG_KEYS_H
#include "db.h"

struct org_key_row {
    const char *public_key, *org_id;
    uint16_t org; /* number; 0 = the operator */
    bool is_operator;
};
/* Registers those that are not there yet, in one transaction. A key that stands there for somebody
   else or was revoked is STO_E_REFUSED. *added: how many are new. dry: rolls back. */
int org_keys_add(PGconn *db, const struct org_key_row *rows, size_t n, bool dry, unsigned *added,
                 struct sto_err *err);

#endif
