/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto explain, for codes of findings. */
#ifndef EXPLAIN_FINDING_H
#define EXPLAIN_FINDING_H
#include <stdbool.h>
#include <stdio.h>

#include "nouns.h"

bool explain_finding(struct cli *c, const char *code); /* false = no finding has that code */
void explain_findings_markdown(FILE *out);             /* docs/reference/checker.md */

#endif
