/* SPDX-License-Identifier: EUPL-1.2 */
#include "flow_picture.h"
int flow_bpmn(const teller_t *t, struct sto_buf *out, struct sto_err *err)
{ (void)t; (void)out; return sto_fail(err, STO_E_INTERNAL, "x"); }
