/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Starting cases: what a start says (a JSON object), sending it with its organisation's key, and
 * the starts that wait for the manual clock (var/starts.jsonl).
 *
 *   { organisation, workflow, record, client, home, at_us, set : { field : text }, names : { role :
 * "org/desk" } }
 *
 * The case's id follows from the organisation's secret, the workflow and the record, so a start
 * that is run again is the same case.
 */
#ifndef STARTS_H
#define STARTS_H
#include "cases.h"
#include "client.h"

#define STARTS_ORGS_MAX 32

struct start_result {
    struct sto_uuid case_id;
    const json_t *start; /* borrowed */
    int code;            /* 0 taken, STO_E_ALREADY started before, else refused */
    char what[384];
    client_t *client; /* inside */
    int64_t ticket;
};

struct starter {
    struct reading *r;
    struct {
        char *organisation;
        client_t *client;
        uint8_t secret[32];
    } orgs[STARTS_ORGS_MAX];
    size_t n_orgs;
    uint8_t network_key[32];
};
int starter_init(struct starter *s, struct reading *r, struct sto_err *err);
void starter_release(struct starter *s);
/* Checks fields and names against the newest version of its workflow, and sends nothing. */
int starter_check(struct starter *s, const json_t *start, struct sto_err *err);
/* Checks likewise; the case that this start opens, or has opened. */
int starter_case_id(struct starter *s, const json_t *start, struct sto_uuid *out,
                    struct sto_err *err);
/* Sends starts[0..n) and waits for all receipts. results[n]. */
int starter_run(struct starter *s, json_t *const *starts, size_t n, struct start_result *results,
                struct sto_err *err);

/* The starts that wait, in order of their time; an array, empty if there are none. */
int starts_waiting(const installation_t *in, json_t **out, struct sto_err *err);
int starts_keep(const installation_t *in, const json_t *list, struct sto_err *err);

#endif
