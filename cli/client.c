/* SPDX-License-Identifier: EUPL-1.2 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyfile.h"
#include "sto_arena.h"
#include "sto_crypto.h"
#include "sto_time.h"

#define CONNECT_MS 10000
#define STEP_MS    100

struct client {
    saatto_t *session;
    struct client_answer *answers;
    size_t n, cap, open;
};

static int of_public(const struct saatto_error *from, struct sto_err *err)
{
    int rc = sto_fail(err, (enum sto_code)from->code, "%s", from->what);

    if (from->fix[0] != '\0') {
        sto_err_fix(err, "%s", from->fix);
    }
    return rc;
}

static struct client_answer *find(const client_t *self, int64_t ticket)
{
    for (size_t i = self->n; i-- > 0;) {
        if (self->answers[i].ticket == ticket) {
            return &self->answers[i];
        }
    }
    return NULL;
}

static void on_result(void *arg, uint64_t ticket, int code, const char *what, const uint8_t *leaf)
{
    client_t *self = arg;
    struct client_answer *a = find(self, (int64_t)ticket);

    if (a == NULL || a->done) {
        return;
    }
    a->done = true;
    a->code = code;
    snprintf(a->what, sizeof a->what, "%s", what != NULL ? what : "");
    a->has_leaf = leaf != NULL;
    if (leaf != NULL) {
        memcpy(a->leaf, leaf, sizeof a->leaf);
    }
    self->open--;
}

static int connect_session(client_t *self, const char *endpoint, struct sto_err *err)
{
    int64_t until = sto_mono_us() + (int64_t)CONNECT_MS * 1000;
    struct saatto_error error = {0};

    while (!saatto_connected(self->session)) {
        if (saatto_step(self->session, STEP_MS, &error) < 0) {
            return of_public(&error, err);
        }
        if (sto_mono_us() > until) {
            sto_fail(err, STO_E_UNREACHABLE, "the broker at %s does not answer", endpoint);
            sto_err_fix(err, "is it running? `saatto doctor` tells; a key that is not registered "
                             "gets no answer either");
            return -STO_E_UNREACHABLE;
        }
    }
    return 0;
}

int client_open_with(const installation_t *in, const char *organisation, const char *keyfile,
                     client_t **out, struct sto_err *err)
{
    struct key_pair pair;
    struct saatto_error error = {0};
    int rc = keyfile_pair_read(keyfile, &pair, err);

    if (rc != 0) {
        return rc;
    }
    client_t *self = sto_xcalloc(1, sizeof *self);
    struct saatto_options o = {.endpoint = in->endpoint,
                               .server_key = in->server_key,
                               .public_key = pair.public_key,
                               .secret_key = pair.secret_key,
                               .organisation = organisation,
                               .program = "saatto " SAATTO_VERSION,
                               .on_result = on_result,
                               .arg = self};
    rc = saatto_open(&o, &self->session, &error) != 0 ? of_public(&error, err) : 0;
    sto_wipe(&pair, sizeof pair);
    rc = rc != 0 ? rc : connect_session(self, in->endpoint, err);
    if (rc != 0) {
        client_close(&self);
        return rc;
    }
    *out = self;
    return 0;
}

int client_open(const installation_t *in, const char *organisation, client_t **out,
                struct sto_err *err)
{
    char *path = installation_path(in, "keys/%s.key", organisation);
    int rc = client_open_with(in, organisation, path, out, err);

    if (rc != 0 && rc != -STO_E_UNREACHABLE && access(path, F_OK) != 0) {
        sto_err_fix(err, "saatto org key list names the organisations that have one; `saatto org "
                         "key new` makes one");
    }
    free(path);
    return rc;
}

void client_close(client_t **self_p)
{
    if (*self_p != NULL) {
        saatto_close(&(*self_p)->session);
        free((*self_p)->answers);
        free(*self_p);
        *self_p = NULL;
    }
}

saatto_t *client_session(client_t *self)
{
    return self->session;
}

int64_t client_send(client_t *self, const struct saatto_event *e, struct sto_err *err)
{
    struct saatto_error error = {0};
    int64_t ticket = saatto_send(self->session, e, &error);

    if (ticket < 0) {
        return of_public(&error, err);
    }
    if (self->n == self->cap) {
        self->cap = self->cap == 0 ? 16 : 2 * self->cap;
        self->answers = sto_xrealloc(self->answers, self->cap * sizeof *self->answers);
    }
    self->answers[self->n++] = (struct client_answer){.ticket = ticket};
    self->open++;
    return ticket;
}

int client_wait(client_t *self, int timeout_ms, struct sto_err *err)
{
    int64_t until = sto_mono_us() + (int64_t)timeout_ms * 1000;
    struct saatto_error error = {0};

    while (self->open > 0) {
        if (saatto_step(self->session, STEP_MS, &error) < 0) {
            return of_public(&error, err);
        }
        if (sto_mono_us() > until) {
            sto_fail(err, STO_E_TIMEOUT,
                     "no receipt in %d s: the event may or may not have been taken",
                     timeout_ms / 1000);
            sto_err_fix(err, "look with `saatto case show`, then do it again if it is not there");
            return -STO_E_TIMEOUT;
        }
    }
    return 0;
}

const struct client_answer *client_answer(const client_t *self, int64_t ticket)
{
    return find(self, ticket);
}
