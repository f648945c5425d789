/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Cases as the database shows them to the role that reads: clear skeletons, never contents. And the
 * words in which a party, a time and a state are told to people.
 */
#ifndef CASES_H
#define CASES_H
#include "engine.h"
#include "model.h"
#include "output.h"
#include "shared.h"

/* What reading commands hold open. */
struct reading {
    installation_t *in;
    PGconn *db;
    deployed_t *deployed;
    const network_t *net;
    unsigned n_shards;
    bool manual_clock;
    int64_t now_us; /* the installation's time */
};
int reading_open(const struct cli *c, struct reading *r, struct sto_err *err);
void reading_close(struct reading *r);

struct case_view {
    struct sto_uuid id;
    unsigned shard;
    uint8_t workflow[32];
    char workflow_id[STO_NAME_BYTES_MAX + 1];
    const workflow_t *wf; /* NULL if its version is gone */
    struct case_state state;
};
/* An id, or the beginning of one (at least 4 characters) that only one case has. */
int case_find(struct reading *r, const char *text, struct sto_uuid *out, struct sto_err *err);
int case_load(struct reading *r, const struct sto_uuid *id, struct case_view *out,
              struct sto_err *err);

struct case_filter {
    int open;                   /* -1 both, 0 closed, 1 open */
    const char *org, *workflow; /* NULL = any; org: id of who is responsible */
};
/* Calls each(arg, view) for every case, in pages of short snapshots; a non-zero answer ends it. */
typedef int case_each_fn(void *arg, const struct case_view *v);
int case_each(struct reading *r, const struct case_filter *f, case_each_fn *each, void *arg,
              struct sto_err *err);

/* "oulu/service-guidance"; "" for nobody. */
const char *party_words(const network_t *net, struct party p, char *buf, size_t cap);
/* 21.11.2026 klo 10.42 in text, RFC 3339 with json; null for 0 and never. */
json_t *time_json(const struct output *o, int64_t us);
const char *time_words(int64_t us, char *buf, size_t cap);
/* "3 days", "5 h", "12 min" */
const char *age_words(int64_t us, char *buf, size_t cap);
/* Ids of the steps that the case stands on, comma separated. */
void steps_words(const struct case_view *v, char *buf, size_t cap);
const char *outcome_words(const struct case_view *v);
/* Step's id, "" if unknown. */
const char *step_words(const workflow_t *wf, uint16_t step);
/* Phase of a token in words: "negotiating", "booked", "queued"…; "" for plain work. */
const char *phase_words(const workflow_t *wf, const struct token *t);

#endif
