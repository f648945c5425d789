/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The compiled workflow: what workflow.cfg says, checked and with all names
 * resolved to indexes. Immutable after loading; indexes are stable because a
 * deployed version is immutable and known by its hash.
 *
 * `call` and `each` are expanded before anything is resolved (workflow_expand.c): a
 * call holds the called workflow's steps, an each holds one branch (a stage) for each
 * organisation that its role may have. To the engine both are stages; names of what
 * came in that way carry a path ("support.find", "ask#2").
 */
#ifndef WORKFLOW_H
#define WORKFLOW_H
#include "expr.h"
#include "network.h"
#include <stdbool.h>
#include <stdint.h>

#define WF_NONE       0xffffu
#define WF_ROOT       0xfffeu /* "stage" of the outermost steps */
#define WF_TO_MAX     8       /* receivers of a notify, participants of a meeting */
#define WF_SIDES_MAX  8       /* meanwhile steps of one host */
#define WF_RULES_MAX  16
#define WF_WITHIN_MAX 2
#define WF_FIRST_MAX  8

enum choose {
    CHOOSE_START = 1,
    CHOOSE_HOME,
    CHOOSE_FREE,
    CHOOSE_TURN,
    CHOOSE_FIRST_YES,
    CHOOSE_DESK,
    CHOOSE_CALL,
    CHOOSE_STEP
};
/* Party of a step: a role's index, or one of these. */
enum { PARTY_HOLDER = 0xf0, PARTY_SENDER = 0xf1, PARTY_CLIENT = 0xf2, PARTY_NONE = 0xff };

struct wf_role {
    const char *id; /* of an each's branch: "actors#2" */
    const char *kinds[NET_KINDS_MAX];
    uint8_t n_kinds;
    const char *service; /* id, "" = any */
    enum choose choose;
    bool named_worker;
    bool agreement; /* the organisation needs a valid agreement for the service */
    uint8_t many;   /* organisations that `names` may bind at most, 0 = a single one. They are
                       the `many` roles that follow this one, "id#1", "id#2", … */
    uint8_t branch; /* 1..: one of those roles; 0 = none */
    uint16_t call; /* choose start, of a called workflow: whoever is the holder as the engine enters
                      this call; else WF_NONE */
    const char *file;
    int line;
};

enum field_type {
    FIELD_INTEGER = 1,
    FIELD_BOOLEAN,
    FIELD_CODE,
    FIELD_TEXT,
    FIELD_DATE,
    FIELD_HETU,
    FIELD_DECIMAL, /* i = value * 100 */
    FIELD_PROFILE  /* text: an instrument's answers "3,4,,2", one for each item; see instrument.h */
};
struct wf_field {
    const char *id;
    enum field_type type;
    uint8_t category; /* bit index in the network's categories */
    const char *category_id;
    bool sealed;        /* opaque bytes: never parsed, never in a condition */
    int64_t min, max;   /* integer: value; date: day */
    uint32_t bytes_max; /* text and sealed; default 500 (text), 512 (sealed) */
    const char **values;
    uint8_t n_values;       /* code */
    const char *instrument; /* profile: id */
    uint16_t items;         /* profile: number of its items, each min..max or empty */
    uint8_t per;    /* field of one branch of an each: index of the many role; 0xff = none */
    uint8_t branch; /* 1.. */
    const char *file;
    int line;
};

struct wf_setting {
    const char *id;
    bool is_duration;
    int64_t def, min, max;
    struct sto_duration d_def;
    int64_t d_min_minutes, d_max_minutes;
};

/* A duration of the file: literal, a setting, or "until FIELD". */
enum wf_when_kind { WHEN_NONE, WHEN_DURATION, WHEN_SETTING, WHEN_UNTIL_FIELD, WHEN_ATTENDANCE };
struct wf_when {
    enum wf_when_kind kind;
    struct sto_duration d;
    uint8_t ix;    /* setting or field; ATTENDANCE: setting that gives the days, 0xff = `days` */
    uint16_t days; /* ATTENDANCE: attendance days since the service's start */
};

/* TARGET_INSIDE: exits of a call that the called workflow's own `on` names. All inside the call is
   cancelled and it goes on at one of its own steps (`step`), its clock running on; or, with step
   WF_NONE, the call is left by its exit `leave`, an outcome. */
enum target_kind { TARGET_STEP = 1, TARGET_JOIN, TARGET_LEAVE, TARGET_STAY, TARGET_INSIDE };
struct wf_exit {
    uint8_t exit; /* index into workflow.exits[] */
    enum target_kind kind;
    uint16_t step;     /* TARGET_STEP, TARGET_INSIDE */
    uint8_t leave;     /* TARGET_LEAVE: exit of the host, TARGET_INSIDE: own; index into exits[] */
    uint64_t collects; /* fields that this exit sets */
    uint32_t names;    /* roles that this exit binds, bits */
    int line;
};

enum step_type {
    STEP_TASK = 1,
    STEP_MEETING,
    STEP_HANDOVER,
    STEP_REFERRAL,
    STEP_CONSULT,
    STEP_SESSION,
    STEP_DECIDE,
    STEP_NOTIFY,
    STEP_WAIT,
    STEP_STAGE,
    STEP_END,
    STEP_PANEL,
    STEP_PLACE,
    STEP_CONSENT,
    STEP_MEASURE,
    STEP_PLAN,
    STEP_EACH,
    STEP_CALL
};
#define STEP_TYPE_LAST STEP_CALL
/* Holds steps and has no work, ball or clock but `within`. */
static inline bool step_is_stage(enum step_type t)
{
    return t == STEP_STAGE || t == STEP_EACH || t == STEP_CALL;
}
/* Its work is answered by task_result with an exit that a person chooses. */
static inline bool step_is_work(enum step_type t)
{
    return t == STEP_TASK || t == STEP_MEETING || t == STEP_MEASURE;
}
enum measure_point { POINT_NONE, POINT_BEGINNING, POINT_MIDDLE, POINT_END };
enum meeting_mode { MEETING_REQUIRED, MEETING_BY_PHONE, MEETING_DOCUMENTED, MEETING_AT_STEP };

/* `starts` of a meanwhile step. */
enum starts_kind {
    STARTS_NONE,
    STARTS_AFTER,
    STARTS_EVERY,
    STARTS_BEFORE_END,
    STARTS_HALF_WAY,
    STARTS_EVENT,
    STARTS_ATTENDANCE
};
/* A number of a step as a case has it: `n`, or what the case's settings hold. */
static inline int64_t wf_number(uint16_t n, uint8_t setting, const int64_t *settings)
{
    return setting == 0xff ? n : settings[setting];
}
struct wf_starts {
    enum starts_kind kind;
    struct sto_duration d;
    uint8_t event;   /* index of a message or engine event, see wf_event */
    uint16_t days;   /* ATTENDANCE: after so many attendance days */
    uint8_t setting; /* ATTENDANCE, AFTER, EVERY, BEFORE_END: setting that gives it, 0xff = none */
};

struct wf_rule {
    expr_t *when;          /* NULL = always (last) */
    const char *when_text; /* as written; "" */
    uint16_t step;
    enum target_kind kind;
    uint8_t leave;
    int line;
};
struct wf_clocks {
    bool has[16];
    struct wf_when w[16];
}; /* index: enum clock_kind of state.h, CLOCK_ANSWER..CLOCK_START */

struct wf_step {
    const char *id;   /* with its path: "support.find", "ask#2" */
    const char *file; /* where it stands: the workflow's own file or a called one's */
    enum step_type type;
    int line;
    uint16_t stage; /* enclosing stage or, for a side step, the stage its host stands in; WF_ROOT */
    uint16_t host;  /* meanwhile: the host step (WF_ROOT = the workflow itself); else WF_NONE */
    struct wf_starts starts;
    uint8_t role;  /* task, meeting, session: addressee (party) */
    uint8_t helps; /* role = client: who records and has the ball; default PARTY_HOLDER */
    uint8_t to[WF_TO_MAX];
    uint8_t n_to; /* handover, referral, consult: to[0]; notify: all */
    uint8_t with[WF_TO_MAX];
    uint8_t n_with;                     /* meeting */
    uint64_t teaser, carries, collects; /* fields; carries includes teaser; collects = of any exit
                                           without its own list (`done`, `answered`, `attended`…) */
    struct wf_when within[WF_WITHIN_MAX];
    uint8_t n_within;        /* wait without a message: `for` / `until` */
    struct wf_when at_least; /* referral: no `done` before this, counted from the service's start */
    struct wf_clocks clocks; /* overrides of the handover clocks */
    uint8_t at_most; /* 0 = no limit; these three: what the file says, or the setting's value
                        as loaded; a case has its own, see wf_number() */
    uint8_t at_most_setting; /* 0xff = none */
    bool obliging;
    enum meeting_mode meeting;
    uint16_t meeting_step; /* MEETING_AT_STEP */
    uint16_t service;      /* session, place, panel: number of `of` in the network (a place may be
                              in a group) */
    uint16_t meetings;     /* session: dates of a series; 0 and 1 = a single one */
    uint8_t meetings_setting;
    uint8_t postpones; /* panel: how often a case may get the next date */
    uint8_t postpones_setting;
    uint8_t asks[WF_TO_MAX];
    uint8_t n_asks;    /* panel: members asked beforehand; none = the network's panel says */
    uint64_t asks_for; /* panel: fields that the asked may bring */
    bool client_may_attend;
    uint8_t consent; /* consent: index, 0xff none */
    uint8_t field;   /* measure: its profile field, 0xff none */
    enum measure_point point;
    uint8_t
        agreed_by[WF_TO_MAX]; /* plan: parties that must agree; PARTY_CLIENT: recorded by helps */
    uint8_t n_agreed_by;
    struct {
        uint8_t party;
        uint64_t fields;
    } parts[WF_TO_MAX]; /* plan: who writes what; the union stands in collects */
    uint8_t n_parts;
    uint8_t over;   /* each: the many role; branch k stands in first[k - 1] */
    uint8_t branch; /* each's branch and all below it: 1..; 0 = none */
    uint16_t each;  /* the each that holds the branch; WF_NONE */
    uint64_t must;  /* fields without which nothing is sent: exit no-basis */
    uint8_t needs;  /* consent that alone counts as basis, 0xff = any basis */
    uint8_t visible_to[WF_TO_MAX];
    uint8_t n_visible_to; /* 0 = whoever takes part sees the step */
    struct wf_when
        remind;        /* reminder before due instead of the ladder's; kind NONE = the ladder's */
    const char *calls; /* call: id of the called workflow */
    uint32_t calls_version;
    const char *continues; /* end: id of the workflow that goes on in the same case, "" */
    const char *text;      /* notify: key in texts.cfg */
    uint8_t message;       /* wait for a declared message: index, 0xff none */
    struct wf_rule rules[WF_RULES_MAX];
    uint8_t n_rules;
    uint16_t first[WF_FIRST_MAX];
    uint8_t n_first;
    uint8_t wait_for; /* stage; wait_for 0 = all */
    const char *outcome;
    uint64_t records; /* end */
    struct wf_exit *exits;
    uint8_t n_exits; /* `on` (and `next`) */
    uint16_t sides[WF_SIDES_MAX];
    uint8_t n_sides;   /* meanwhile */
    int16_t ladder_ix; /* network ladder, -1 default */
};

struct wf_message {
    const char *id;
    uint8_t from[WF_TO_MAX];
    uint8_t n_from;
    const char *answers[8];
    uint8_t answer_exits[8];
    uint8_t n_answers;
    bool keep; /* waits for its step */
};
enum consent_form { FORM_ANY, FORM_WRITTEN, FORM_ELECTRONIC, FORM_ORAL };
struct wf_consent {
    const char *id;
    uint8_t to[WF_TO_MAX];
    uint8_t n_to;
    uint32_t categories;
    const char *purpose;
    enum consent_form form;
    struct sto_duration lasts; /* n 0 = until withdrawn */
};

/* Events that `on` of a workflow, stage or step may name besides its own exits. */
enum wf_event {
    WF_EVENT_CLIENT_LEFT = 1,
    WF_EVENT_CLIENT_MOVED,
    WF_EVENT_CLIENT_DIED,
    WF_EVENT_ASKED_FOR,
    WF_EVENT_INVITED, /* of a session step, for what stands beside it */
    WF_EVENT_MOVED,
    WF_EVENT_ABSENT,
    WF_EVENT_MESSAGE_0 = 32 /* + message index */,
    WF_EVENT_CONSENT_LOST_0 = 64 /* + consent index */
};

/*
 * Names in conditions (expr_name.domain), and what expr_env.get must answer in expr_value.i:
 * field: its value (code: index of values[]); step: its last exit as an index of exits[], unset
 * while it has none; consent: enum consent_state, unset while unasked; setting: the number, or a
 * duration as unit << 32 | n.
 */
enum wf_domain { WF_DOMAIN_FIELD, WF_DOMAIN_STEP, WF_DOMAIN_CONSENT, WF_DOMAIN_SETTING };

/* What a case is about. Anything but a client: no client reference, the owner is the holder. */
enum subject {
    SUBJECT_CLIENT,
    SUBJECT_GROUP,
    SUBJECT_AGREEMENT,
    SUBJECT_EMPLOYER,
    SUBJECT_PANEL,
    SUBJECT_SURVEY
};

typedef struct workflow workflow_t;
struct workflow {
    const char *id;
    uint32_t version;
    const char *source, *purpose;
    enum subject subject;
    uint16_t of; /* service or panel of the network that a group's or panel's case is about, 0 */
    bool side;   /* a side case beside the client's lead case: its holder is the lead case's */
    uint8_t
        hash[32]; /* SHA-256 over the bytes of workflow.cfg and texts.cfg, called ones included */
    struct wf_role roles[STO_WF_ROLES_MAX];
    uint8_t n_roles;
    struct wf_setting settings[STO_WF_SETTINGS_MAX];
    uint8_t n_settings;
    struct wf_field fields[STO_WF_FIELDS_MAX];
    uint8_t n_fields;
    struct wf_consent consents[STO_WF_CONSENTS_MAX];
    uint8_t n_consents;
    struct wf_message messages[STO_WF_MESSAGES_MAX];
    uint8_t n_messages;
    const char *exits[STO_WF_EXITS_MAX];
    uint8_t n_exits; /* interned; [0] = "" ; fixed ones below come first */
    struct wf_step *steps;
    uint16_t n_steps;
    uint32_t start_by; /* roles, bits */
    uint64_t start_requires;
    expr_t *start_when;          /* NULL = always */
    const char *start_when_text; /* as written; "" */
    bool once_client;
    int start_line;
    uint16_t first[WF_FIRST_MAX];
    uint8_t n_first;
    struct wf_when within[WF_WITHIN_MAX];
    uint8_t n_within;
    struct wf_exit *exits_on;
    uint8_t n_exits_on; /* the workflow's own `on`: events and clocks, to its own steps */
    uint16_t sides[WF_SIDES_MAX];
    uint8_t n_sides;
    const struct wf_texts *texts; /* texts.cfg */
    sto_arena_t *arena;
};

/* Exits that the engine itself makes; interned at these indexes in every workflow. */
enum wf_exit_ix {
    EXIT_NONE,
    EXIT_DONE,
    EXIT_EXPIRED,
    EXIT_TAKEN_OVER,
    EXIT_RETURNED,
    EXIT_GIVEN_BACK,
    EXIT_INTERRUPTED,
    EXIT_ANSWERED,
    EXIT_HELD,
    EXIT_NO_SHOW,
    EXIT_ATTENDED,
    EXIT_EXCUSED,
    EXIT_ABSENT,
    EXIT_TOO_OFTEN,
    EXIT_DECLINED,
    EXIT_WITHDRAWN,
    EXIT_NO_BASIS,
    EXIT_CLIENT_LEFT,
    EXIT_CLIENT_MOVED,
    EXIT_CLIENT_DIED,
    EXIT_ASKED_FOR,
    EXIT_JOINED,
    EXIT_GOT,
    EXIT_NONE_FREE, /* "none" */
    EXIT_GIVEN,
    EXIT_REFUSED,
    EXIT_AGREED,
    EXIT_NOT_AGREED,
    EXIT_FIRST_OWN
};

struct wf_text {
    const char *key, *fi, *sv, *en;
};
struct wf_texts {
    struct wf_text *rows;
    uint16_t n;
};

/* workflow.cfg and (may have len 0) texts.cfg. Resolves against net. On errors -STO_E_CONFIG and
   *out NULL; all errors in diags (form of every key, targets, references, durations, condition
   types, equal names). Deeper findings: check.h. */
int workflow_load(const struct model_file *file, const struct model_file *texts,
                  const network_t *net, sto_diags_t *diags, workflow_t **out);
void workflow_destroy(workflow_t **self_p);

uint16_t workflow_step(const workflow_t *w, const char *id); /* WF_NONE */
int workflow_field(const workflow_t *w, const char *id);     /* -1 */
int workflow_role(const workflow_t *w, const char *id);      /* -1 */
int workflow_exit(const workflow_t *w, const char *id);      /* index into exits[], -1 */
/* Is it the name of an event: the client's, a message, a consent that is lost? */
bool workflow_exit_is_event(const workflow_t *w, unsigned exit_ix);
const struct wf_exit *workflow_step_exit(const struct wf_step *s,
                                         unsigned exit_ix); /* NULL = not named */
const char *workflow_text(const workflow_t *w, const char *key, const char *lang); /* "" */
const char *step_type_name(enum step_type t);

#endif
