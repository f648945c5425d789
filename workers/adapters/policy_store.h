/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a modelled organisation must not forget: which deliveries it has taken,
 * what it knows of each case, what it is about to do. In memory, and in an
 * append-only journal from which memory is made again after a restart.
 *
 * A change is in memory at once and durable after plan_store_commit(); all
 * changes between two commits are one record of the journal, whole or not there.
 * It knows no rules and makes no decisions.
 */
#ifndef POLICY_STORE_H
#define POLICY_STORE_H
#include "policy_rules.h"

#define RECORD_TEXT_MAX 128 /* bytes of a person's identifier */

struct plan {
    uint64_t id; /* > 0 */
    struct occasion o;
    char record[RECORD_TEXT_MAX + 1];
    unsigned rule, choice; /* indexes in the policy */
    unsigned next;         /* event to be made */
    int64_t due_us;        /* of that event; INT64_MAX = nothing more to do (holds a place) */
    int64_t booked_us;     /* last meeting booked, 0 */
    int64_t ticket;        /* > 0: the event is (about to be) in the outbox under it */
    unsigned sent_kind;    /* kind of that event */
    bool last;             /* that event ends the sequence */
    bool place;            /* an accepted referral that runs */
};

struct known_case {
    struct sto_uuid id;
    char workflow[STO_NAME_BYTES_MAX + 1];
    char session_step[STO_NAME_BYTES_MAX + 1]; /* last step of type session */
    char record[RECORD_TEXT_MAX + 1];
    struct {
        uint64_t what; /* hash of kind and step */
        uint32_t n;
    } * counts;
    unsigned n_counts;
};

typedef struct plan_store plan_store_t;
/* dir exists. version: changes with the rules' text; *same says whether the journal was written
 * under it. */
int plan_store_open(const char *dir, uint64_t version, bool *same, plan_store_t **out,
                    struct sto_err *err);
void plan_store_close(plan_store_t **self_p);

bool plan_store_seen(const plan_store_t *self, uint64_t key);
void plan_store_key(plan_store_t *self, uint64_t key);

/* Borrowed until the next change; NULL = unknown. */
const struct known_case *plan_store_case(const plan_store_t *self, const struct sto_uuid *id);
/* Texts NULL or "" leave what is known. */
void plan_store_learn(plan_store_t *self, const struct sto_uuid *id, const char *workflow,
                      const char *session_step, const char *record);
/* Counts one more of (kind, step) in a case and returns how many there are. */
unsigned plan_store_count(plan_store_t *self, const struct sto_uuid *id, enum policy_on on,
                          const char *step);
void plan_store_forget(plan_store_t *self, const struct sto_uuid *id);

/* By position, 0..plan_store_plans()-1, in no order; a drop moves the last one into the hole. */
size_t plan_store_plans(const plan_store_t *self);
const struct plan *plan_store_at(const plan_store_t *self, size_t i);
const struct plan *plan_store_ticket(const plan_store_t *self, int64_t ticket); /* NULL */
/* Copies. id 0: a new plan, its id is given. Returns the id. */
uint64_t plan_store_put(plan_store_t *self, const struct plan *p);
void plan_store_drop(plan_store_t *self, uint64_t id);

/* Writes what changed; durable if `sync`. On failure it is kept and written by the next commit. */
int plan_store_commit(plan_store_t *self, bool sync, struct sto_err *err);

#endif
