/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A policy file as workflows/policies/README.md describes it: parsed, checked,
 * matched. Pure: no files, no clock, no chance. Everything lives in the
 * policy's arena and is borrowed from it.
 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "policy_records.h"
#include "sto_conf.h"
#include "sto_time.h"
#include "sto_uuid.h"

#define POLICY_RECORD_FILES_MAX 8
#define POLICY_ABSENCES_MAX     16
#define POLICY_WORKFLOWS_MAX    256
#define POLICY_PAIRS_MAX        16 /* of `when`, `set`, `names` */
#define POLICY_EVENTS_MAX       16 /* of one sequence */
#define POLICY_CHOICES_MAX      16 /* alternatives of one rule */
#define POLICY_RULES_MAX        200

/* Kinds of delivery, in the words of saatto.h and of `on`. */
enum policy_on {
    ON_NONE,
    ON_OFFER,
    ON_TASK,
    ON_PACKAGE,
    ON_UPDATE,
    ON_NOTICE,
    ON_RECORD,
    ON_REMINDER,
    ON_ESCALATION,
    ON_WITHDRAWN,
    ON_CLOSED
};
enum policy_on policy_on_parse(const char *kind); /* ON_NONE = unknown */
const char *policy_on_name(enum policy_on on);

/* A literal, or a column of the record. */
enum policy_value_type { VALUE_ABSENT, VALUE_TEXT, VALUE_INTEGER, VALUE_BOOLEAN, VALUE_COLUMN };
struct policy_value {
    enum policy_value_type type;
    const char *text; /* TEXT; COLUMN: its name */
    int64_t integer;  /* INTEGER, BOOLEAN */
    int line;
};
struct policy_pair {
    const char *name;
    struct policy_value value;
};

struct policy_event {
    enum event_kind kind;
    int line;
    bool has_after;
    struct sto_duration after;
    struct policy_value not_before, exit, reason, name, at;
    struct sto_duration at_after; /* n 0 = `at` is a date, or absent */
    bool valid_reason;
    unsigned no_show; /* per cent */
    const struct policy_pair *set, *names;
    unsigned n_set, n_names;
};
struct policy_choice {
    unsigned weight;
    const struct policy_event *events;
    unsigned n_events;
};
struct policy_rule {
    enum policy_on on;
    int line;
    const char *workflow, *step; /* NULL = any */
    enum event_kind event;       /* 0 = any */
    unsigned nth;                /* 0 = every one */
    const struct policy_pair *when;
    unsigned n_when;
    const struct policy_choice *choices; /* `do` is one of weight 1 */
    unsigned n_choices;
};

typedef struct policy policy_t;
struct policy {
    const char *file;
    const char *organisation;
    int64_t seed;
    const char *records[POLICY_RECORD_FILES_MAX];
    unsigned n_records;
    struct sto_duration from, to; /* reaction */
    struct {
        int32_t from_day, to_day;
    } absences[POLICY_ABSENCES_MAX];
    unsigned n_absences;
    int64_t places; /* -1 = no limit */
    const struct policy_rule *rules;
    unsigned n_rules;
    sto_arena_t *arena;
};

/* text borrowed for the call. On errors -STO_E_CONFIG, *out NULL, all of them in diags. */
int policy_parse(const char *file, const char *text, size_t len, sto_diags_t *diags,
                 policy_t **out);
void policy_destroy(policy_t **self_p);

/* What the policy's words stand for. All borrowed. */
struct policy_world {
    const network_t *network;
    const workflow_t *workflows[POLICY_WORKFLOWS_MAX];
    unsigned n_workflows;
    const records_t *records;
};
const workflow_t *policy_workflow(const struct policy_world *w, const char *id); /* NULL */
/* Organisation, workflows, steps, exits, fields, roles and columns that the file names but nobody
 * knows. -STO_E_CONFIG if any. */
int policy_check(const policy_t *p, const struct policy_world *w, sto_diags_t *diags);

/* What of a delivery (or of one seat of it) the rules look at and an answer needs. */
struct occasion {
    uint64_t key; /* of the delivery: the same one again has the same key */
    struct sto_uuid case_id;
    struct sto_uuid session_id; /* RECORD: whose attendance list; else zero */
    enum policy_on on;
    char workflow[STO_NAME_BYTES_MAX + 1];
    char step[STO_NAME_BYTES_MAX + 1];
    char desk[STO_NAME_BYTES_MAX + 1];
    enum event_kind event; /* UPDATE */
    bool referral;
    unsigned token, entry, offer;
    unsigned n; /* how many of this kind for this step of the case, this one counted */
    int64_t at_us, now_us;
};

/* First rule that matches, and the alternative drawn; NULL = none. row: the person's, NULL =
 * unknown. */
const struct policy_rule *policy_match(const policy_t *p, const struct occasion *o,
                                       const struct record_row *row, unsigned *choice);

/* Value of a text that may be a column; NULL = absent, or an empty cell. */
const char *policy_text(const struct policy_value *v, const struct record_row *row);

/* ---- draws and times (policy_time.c) */

/* 0 <= x < 2^32, the same for the same arguments: hash of seed, organisation, case, kind, step, n
 * and the draw's own name. */
uint32_t policy_draw(const policy_t *p, const struct occasion *o, const char *what, unsigned i);

/* First instant >= us at which the desk works: opening hours, no absence. */
int64_t policy_open_us(const policy_t *p, const struct calendar *cal, int64_t us);

/*
 * When the i-th event of a sequence is made.
 *
 * before_us   when the event before was, or the delivery
 * booked_us   meeting that the event before booked; 0 = it booked none
 */
int64_t policy_due_us(const policy_t *p, const struct calendar *cal, const struct occasion *o,
                      const struct policy_event *e, unsigned i, const struct record_row *row,
                      int64_t before_us, int64_t booked_us);
/* Time of the meeting that an event made at now_us books; 0 = it books none. */
int64_t policy_meeting_us(const policy_t *p, const struct calendar *cal,
                          const struct policy_event *e, const struct record_row *row,
                          int64_t now_us);
/* Is it to become the no-show of its kind? */
bool policy_no_show(const policy_t *p, const struct occasion *o, const struct policy_event *e,
                    unsigned i);

#endif
