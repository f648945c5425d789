/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The compiled workflow: what workflow.cfg says, checked and with all names
 * resolved to indexes. Immutable after loading; indexes are stable because a
 * deployed version is immutable and known by its hash.
 *
 * Step types of this version: task meeting handover referral consult session
 * decide notify wait stage end. (panel, place, consent, measure, plan, each,
 * call: named by the front end as "not in this version", an error.)
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
    const char *id;
    const char *kinds[NET_KINDS_MAX];
    uint8_t n_kinds;
    const char *service; /* id, "" = any */
    enum choose choose;  /* this version: start, home, desk, step, free (first in force) */
    bool named_worker;
    int line;
};

enum field_type {
    FIELD_INTEGER = 1,
    FIELD_BOOLEAN,
    FIELD_CODE,
    FIELD_TEXT,
    FIELD_DATE,
    FIELD_HETU
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
    uint8_t n_values; /* code */
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
enum wf_when_kind { WHEN_NONE, WHEN_DURATION, WHEN_SETTING, WHEN_UNTIL_FIELD };
struct wf_when {
    enum wf_when_kind kind;
    struct sto_duration d;
    uint8_t ix;
};

enum target_kind { TARGET_STEP = 1, TARGET_JOIN, TARGET_LEAVE, TARGET_STAY };
struct wf_exit {
    uint8_t exit; /* index into workflow.exits[] */
    enum target_kind kind;
    uint16_t step;     /* TARGET_STEP */
    uint8_t leave;     /* TARGET_LEAVE: exit of the host, index into exits[] */
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
    STEP_END
};
enum meeting_mode { MEETING_REQUIRED, MEETING_BY_PHONE, MEETING_DOCUMENTED, MEETING_AT_STEP };

/* `starts` of a meanwhile step. */
enum starts_kind {
    STARTS_NONE,
    STARTS_AFTER,
    STARTS_EVERY,
    STARTS_BEFORE_END,
    STARTS_HALF_WAY,
    STARTS_EVENT
};
struct wf_starts {
    enum starts_kind kind;
    struct sto_duration d;
    uint8_t event; /* index of a message or engine event, see wf_event */
};

struct wf_rule {
    expr_t *when; /* NULL = always (last) */
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
    const char *id;
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
    uint8_t at_most;         /* 0 = no limit */
    bool obliging;
    enum meeting_mode meeting;
    uint16_t meeting_step; /* MEETING_AT_STEP */
    uint16_t service;      /* session: number of `of` in the network */
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

typedef struct workflow workflow_t;
struct workflow {
    const char *id;
    uint32_t version;
    const char *source, *purpose;
    uint8_t hash[32]; /* SHA-256 over workflow.cfg and texts.cfg bytes */
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
    expr_t *start_when; /* NULL = always */
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
const struct wf_exit *workflow_step_exit(const struct wf_step *s,
                                         unsigned exit_ix); /* NULL = not named */
const char *workflow_text(const workflow_t *w, const char *key, const char *lang); /* "" */
const char *step_type_name(enum step_type t);

#endif
