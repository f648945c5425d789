/* SPDX-License-Identifier: EUPL-1.2 */
/* Between the files of the model store only: rows in, rows out. */
#ifndef MODEL_ROWS_H
#define MODEL_ROWS_H
#include "engine.h"
#include "model_store.h"

void model_apply(struct model *m, const struct batch *b); /* the commit point */
void model_head(struct model *m, uint16_t shard, struct store_result *res);
void model_read(struct model *m, const struct store_request *req, struct store_result *res);

#endif
