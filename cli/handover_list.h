/* SPDX-License-Identifier: EUPL-1.2 */
/* What is under negotiation, over all cases or in one. */
#ifndef HANDOVER_LIST_H
#define HANDOVER_LIST_H
#include "command.h"

int handover_list(struct cli *c, struct sto_err *err);
int handover_show(struct cli *c, struct sto_err *err);

#endif
