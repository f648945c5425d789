/* SPDX-License-Identifier: EUPL-1.2 */
/* What cases share, read from the database; for the verbs that show it and those that change it. */
#ifndef SERVICE_H
#define SERVICE_H
#include "cases.h"

/* A service that cases share, by its id; NULL with STO_E_NOT_FOUND and the nearest id. */
const struct service *service_find(const struct reading *r, const char *id, struct sto_err *err);
/* Would the organiser's event be taken in the present state? Nothing is changed. */
int service_would_take(const struct reading *r, const struct service *svc, const struct input *in,
                       struct sto_err *err);

#endif
