/* SPDX-License-Identifier: EUPL-1.2 */
/* /metrics, /livez and /readyz over libmicrohttpd, from texts that the supervisor holds. */
#ifndef HTTP_H
#define HTTP_H
#include "sto_err.h"
#include <stdbool.h>
#include <stddef.h>

struct http_state { /* the supervisor's; read at each request on the same thread */
    char *core_metrics, *gate_metrics; /* malloc'd texts, NULL = none yet */
    bool core_up, gate_up, core_ready, gate_ready;
    char why[160], gate_why[160]; /* not ready: why */
    unsigned restarts;
};
typedef struct http http_t;
/* 0 if it is an address to serve on, else STO_E_CONFIG. */
int http_check(const char *address, struct sto_err *err);
/* address "host:port"; state borrowed. */
int http_new(const char *address, const struct http_state *state, http_t **out,
             struct sto_err *err);
void http_destroy(http_t **self_p);
int http_fd(const http_t *self); /* poll it for reading */
void http_run(http_t *self);
#endif
