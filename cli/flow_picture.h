/* SPDX-License-Identifier: EUPL-1.2 */
/* What is made of a workflow for people and their programs: pictures, words, BPMN. Each appends to
   out and gives the same bytes for the same workflow, network and words. */
#ifndef FLOW_PICTURE_H
#define FLOW_PICTURE_H
#include "flow_words.h"
#include "sto_buf.h"

int flow_svg(const teller_t *t, struct sto_buf *out, struct sto_err *err);
int flow_text(const teller_t *t, struct sto_buf *out, struct sto_err *err);
int flow_bpmn(const teller_t *t, struct sto_buf *out, struct sto_err *err);

/* For their writers. */
void picture_put(struct sto_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void picture_escaped(struct sto_buf *b, const char *s); /* of XML text and attributes */

#endif
