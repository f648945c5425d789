/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A short session with the broker through libsaatto: as an organisation (events and their answers)
 * or as the operator. Keeps its outbox in memory only: the caller waits for the receipts.
 */
#ifndef CLIENT_H
#define CLIENT_H
#include <stdint.h>

#include "installation.h"
#include "saatto.h"

#define CLIENT_TIMEOUT_MS 15000

struct client_answer {
    int64_t ticket;
    bool done;
    int code; /* 0 = taken and durable */
    char what[384];
    bool has_leaf;
    uint8_t leaf[32];
};

typedef struct client client_t;
/* With keys/<organisation>.key. Waits for the session: STO_E_UNREACHABLE. */
int client_open(const installation_t *in, const char *organisation, client_t **out,
                struct sto_err *err);
/* The same with the pair of another file. */
int client_open_with(const installation_t *in, const char *organisation, const char *keyfile,
                     client_t **out, struct sto_err *err);
void client_close(client_t **self_p);
/* Sends one event; its answer comes in answers, by the returned ticket (> 0, or negative code). */
int64_t client_send(client_t *self, const struct saatto_event *e, struct sto_err *err);
/* Steps until every event sent is answered. */
int client_wait(client_t *self, int timeout_ms, struct sto_err *err);
const struct client_answer *client_answer(const client_t *self, int64_t ticket);
saatto_t *client_session(client_t *self);

/* Value of `name` (labels included) in a page of metrics; 0 if it is not there. */
double metric_value(const char *metrics, const char *name);
/* saatto_adapter_connected of an organisation. metrics may be NULL. */
unsigned metric_connected(const char *metrics, const char *organisation);
/* GET of http://address/path; *body malloc'd. */
int http_fetch(const char *address, const char *path, int *status, char **body,
               struct sto_err *err);

#endif
