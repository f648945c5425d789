/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest client of Saatto: an organisation that accepts every offer.
 *
 *   saatto-sample-minimal ENDPOINT SERVER_KEY PUBLIC_KEY SECRET_KEY ORGANISATION STATE_DIR [COUNT]
 *
 * Keys are Z85 text of 40 characters. It answers each offer with `accept`, prints what happens, and
 * ends after COUNT accepted offers (without COUNT: never). What it does not do: book meetings,
 * confirm takeovers, read a configuration. docs/how-to/connect-a-program.md shows the easier way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "saatto.h"

struct client {
    saatto_t *saatto;
    unsigned long accepted;
};

static int on_delivery(void *arg, const struct saatto_delivery *d)
{
    struct client *c = arg;
    struct saatto_error error = {0};
    struct saatto_event accept = {.offer = d->offer};

    printf("%s of step %s\n", d->kind, d->step);
    if (strcmp(d->kind, "offer") != 0) {
        return SAATTO_ACK;
    }
    accept.kind = saatto_event_kind("accept");
    memcpy(accept.case_id, d->case_id, sizeof accept.case_id);
    if (saatto_send(c->saatto, &accept, &error) < 0) {
        fprintf(stderr, "could not send: %s\n", error.what);
        return 5000; /* the delivery comes again in five seconds */
    }
    return SAATTO_ACK; /* the answer is in the outbox: Saatto need not remember the delivery */
}

static void on_result(void *arg, uint64_t ticket, int code, const char *what, const uint8_t *leaf)
{
    struct client *c = arg;

    (void)leaf;
    if (code == 0) {
        c->accepted++;
        printf("event %llu is durable\n", (unsigned long long)ticket);
    } else {
        printf("event %llu was refused: %s %s\n", (unsigned long long)ticket,
               saatto_code_text(code), what);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct client c = {0};
    struct saatto_error error = {0};

    if (argc != 7 && argc != 8) {
        fprintf(stderr,
                "usage: %s ENDPOINT SERVER_KEY PUBLIC_KEY SECRET_KEY ORGANISATION STATE_DIR"
                " [COUNT]\n",
                argv[0]);
        return 2;
    }
    unsigned long count = argc == 8 ? strtoul(argv[7], NULL, 10) : 0;
    struct saatto_options options = {.endpoint = argv[1],
                                     .server_key = argv[2],
                                     .public_key = argv[3],
                                     .secret_key = argv[4],
                                     .organisation = argv[5],
                                     .state_dir = argv[6],
                                     .program = "saatto-sample-minimal",
                                     .credit_messages = 16,
                                     .on_delivery = on_delivery,
                                     .on_result = on_result,
                                     .arg = &c};
    if (saatto_open(&options, &c.saatto, &error) != 0) {
        fprintf(stderr, "%s\n", error.what);
        return 1;
    }
    while (count == 0 || c.accepted < count) {
        if (saatto_step(c.saatto, 200, &error) < 0) {
            fprintf(stderr, "%s %s\n", saatto_code_text(error.code), error.what);
        }
    }
    saatto_close(&c.saatto); /* what has no receipt stays in STATE_DIR and is sent next time */
    return 0;
}
