/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The engine: engine_decide(workflow, state, input, context, now) -> fact | refusal.
 * Deterministic, total, without I/O. Rules live here once; the broker, the
 * scenario runner, the simulation, the checker and audit replay all call it.
 */
#ifndef ENGINE_H
#define ENGINE_H
#include "data.h"
#include "network.h"
#include "state.h"
#include "workflow.h"

/* Numbers equal the wire's EventKind (static assertions in proto/). */
enum event_kind {
    EVENT_START = 1,
    /* negotiation: handover.md "Events" */
    EVENT_OFFER = 2,
    EVENT_TAKE_UP = 3,
    EVENT_REQUEST_INFO = 4,
    EVENT_GIVE_INFO = 5,
    EVENT_WAITLIST = 6,
    EVENT_PLACE_FREE = 7,
    EVENT_ACCEPT = 8,
    EVENT_DECLINE = 9,
    EVENT_REDIRECT = 10,
    EVENT_BOOK = 11 /* and rebook */,
    EVENT_NO_SHOW = 12,
    EVENT_MET = 13,
    EVENT_DISPUTE = 14,
    EVENT_CONFIRM_TAKEOVER = 15,
    EVENT_GIVE_BACK = 16,
    EVENT_REPORT = 17,
    EVENT_WITHDRAW = 18,
    EVENT_CANCEL = 19,
    EVENT_CHECK_IN = 20 /* waitlisted: place is current */,
    EVENT_START_SERVICE = 21 /* referral */,
    EVENT_INTERRUPT = 22 /* referral in service */,
    EVENT_ANSWER = 23 /* consult */,
    EVENT_CONFIRM_WITHDRAWN = 24 /* receiver drops the package */,
    EVENT_ATTENDANCE = 25 /* referral in service: `place` more attendance days */,
    /* steps */
    EVENT_TASK_RESULT = 30,
    EVENT_TASK_DECLINE = 31,
    EVENT_TASK_TAKE_UP = 32,
    EVENT_MEETING_BOOK = 33,
    EVENT_MEETING_NO_SHOW = 34,
    EVENT_MESSAGE = 35,
    EVENT_PANEL_ANSWER = 36 /* a member asked beforehand answers: fields */,
    EVENT_PANEL_POSTPONE = 37 /* the panel did not decide on this date */,
    EVENT_PLAN_PART = 38 /* a party writes its part: fields; a new version */,
    EVENT_PLACE_ANSWER = 39 /* exit "got" or "declined", before the pool's answer time */,
    /* the client and others */
    EVENT_CLIENT_LEFT = 40,
    EVENT_CLIENT_MOVED = 41,
    EVENT_CLIENT_DIED = 42,
    EVENT_ASKED_FOR = 43,
    EVENT_CONSENT_GIVE = 44,
    EVENT_CONSENT_WITHDRAW = 45,
    EVENT_CONSENT_REFUSE = 46,
    EVENT_CORRECT = 47 /* field values corrected by the holder */,
    EVENT_CLOSE = 48 /* holder closes; invariant 18 */,
    EVENT_REASSIGN = 49 /* other desk or worker of the holder */,
    EVENT_SUCCEED = 50 /* two administrators: holders and desks re-pointed */,
    EVENT_BASIS_LOST = 51,
    EVENT_MIGRATE = 52 /* operator: to the version whose hash `name` gives; names: step -> step */,
    /* sessions: to the aggregate, by the organiser */
    EVENT_SESSION_RECORD = 60,
    EVENT_SESSION_MOVE = 61 /* a date is moved or cancelled */,
    EVENT_GROUP_OPEN = 62 /* to a group session: opens the date at_us for those who wait */,
    EVENT_QUOTA_RETURN = 63 /* to a quota, by its owner: `place` are available again */,
    /* broker */
    EVENT_CLOCK = 80 /* fires the earliest due rung or clock */,
    EVENT_MAIL = 81,
    EVENT_RESTARTED = 82 /* after an outage: answer clocks are lengthened */,
    EVENT_PARKED = 83,
};
const char *event_kind_name(enum event_kind k);     /* "confirm_takeover" */
enum event_kind event_kind_parse(const char *name); /* 0 = unknown; takes - for _ */

enum reason {
    REASON_NONE,
    REASON_CAPACITY,
    REASON_NOT_ELIGIBLE,
    REASON_WRONG_SERVICE,
    REASON_CLIENT_WISH,
    REASON_NO_ANSWER,
    REASON_NO_SHOW,
    REASON_EMPLOYED,
    REASON_EDUCATION,
    REASON_SICKNESS,
    REASON_MOVED,
    REASON_PROVIDER,
    REASON_MONEY,
    REASON_NO_BASIS,
    REASON_WORKFLOW_WENT_ON,
    REASON_CONSENT,
    REASON_OTHER
};
const char *reason_name(enum reason r);     /* "not-eligible" */
enum reason reason_parse(const char *name); /* REASON_NONE = unknown */

struct in_name {
    const char *role;
    const char *org;
    const char *desk; /* "" = default */
};
struct input {
    enum event_kind kind;
    struct party actor; /* from the key's identity; org 0 = the broker */
    enum evidence evidence;
    const char *worker; /* person acting, "" */
    uint16_t token, entry,
        offer; /* 0 = the only one that fits (ambiguous: STO_E_UNKNOWN_STEP says so) */
    const char
        *exit; /* TASK_RESULT, MESSAGE answer, SESSION_RECORD (attended | excused | absent) */
    const char *name; /* MESSAGE, CONSENT_*: its id; OFFER, REDIRECT: receiving organisation "" =
                         role's; ANSWERs: "" */
    const char *desk; /* REDIRECT, REASSIGN, OFFER: desk id */
    enum reason reason;
    const char *text;      /* free text of reason or question; content, never in the fact */
    bool valid_reason;     /* NO_SHOW */
    bool by_client;        /* WITHDRAW etc. on the client's wish, recorded by the actor */
    int64_t at_us;         /* BOOK, MET, CHECK_IN…, SESSION_MOVE */
    int64_t at2_us;        /* SESSION_MOVE: new date, 0 = cancelled; RESTARTED: outage began */
    uint16_t place;        /* WAITLIST */
    uint16_t second_admin; /* SUCCEED: organisation of the second signer */
    const struct in_field *fields;
    unsigned n_fields;
    const struct in_name *names;
    unsigned n_names;
    const struct mail *mail; /* EVENT_MAIL */
    /* START */
    struct sto_uuid client;
    const char *home;             /* id of the client's municipality organisation, "" */
    struct sto_uuid subject_case; /* SESSION_RECORD: whose seat */
};

struct engine_ctx {
    const network_t *net;
    const workflow_t *wf;         /* the version that the case started with */
    const struct case_data *data; /* before the event; sealed and erased ones may be unset */
    struct sto_uuid case_id;
    sto_arena_t *arena; /* the fact lives here */
    /* `continues`: the newest version of a workflow, NULL = not deployed. May be NULL itself. */
    const workflow_t *(*newest)(void *arg, const char *id);
    /* MIGRATE: a version by its hash, NULL = not deployed. May be NULL itself. */
    const workflow_t *(*version)(void *arg, const uint8_t hash[32]);
    void *newest_arg; /* of both */
    /* START of a client's case: holder of the client's open lead case, org 0 = there is none. */
    struct party lead_holder;
};

/*
 * Decide one input.
 *
 * s        state before; status CASE_NONE for EVENT_START
 * out      the fact. A late event gives a fact with code STO_E_LATE that only counts seq (and fills
 * unset fields). returns  0; or a refusal: -STO_E_NOT_ALLOWED, _WRONG_STATE, _UNKNOWN_STEP, _FIELD,
 * _MISSING_FIELD, _CONDITION, _NO_BASIS, … (nothing to store; state unchanged)
 */
int engine_decide(const struct engine_ctx *ctx, const struct case_state *s, const struct input *in,
                  int64_t now_us, struct fact *out, struct sto_err *err);

/* After evolve: merge the event's field values into the data (bytes borrowed from in). Only
 * f->fields_set. */
void data_merge(const workflow_t *wf, struct case_data *d, const struct input *in,
                const struct fact *f);

/* After a fact that took the case on into another workflow: the contents by the fields of that one,
 * as far as name and type are the same; the others go. After data_merge(). */
void data_continue(const workflow_t *from, const workflow_t *to, struct case_data *d);

/* MIGRATE: the hash that it names; false = it is another event, or names none. */
bool migrate_hash(const struct input *in, uint8_t out[32]);
/* Field of `to` that takes the values of one of `from`: same id and type, and at least its values.
 * -1 = none. */
int field_to(const workflow_t *from, unsigned ix, const workflow_t *to);

/* Who has the ball on a waiting token; org 0 = nobody (stages). */
struct party engine_ball(const network_t *net, const workflow_t *wf, const struct case_state *s,
                         const struct token *t);

/* One sentence for people: what the case waits for, since when, whose move it is, what happens next
 * if nobody acts. */
void engine_why(const network_t *net, const workflow_t *wf, const struct case_state *s, char *buf,
                size_t cap);

/* Invariants of handover.md that one state (and one step before -> after by fact) can show. Returns
   0 or -STO_E_INTERNAL with the number of the invariant in what ("invariant 3: …"). before/f may be
   NULL. */
int engine_invariants(const network_t *net, const workflow_t *wf, const struct case_state *before,
                      const struct fact *f, const struct case_state *after, struct sto_err *err);

/* Events that some organisation could make now: for the exhaustive and random explorers and for
 * `case why`. */
struct possible {
    enum event_kind kind;
    struct party actor;
    uint16_t token, entry, offer;
    uint8_t exit;
};
unsigned engine_possible(const network_t *net, const workflow_t *wf, const struct case_state *s,
                         struct possible *out, unsigned cap);

#endif
