/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * State of one case (its clear skeleton), the facts that change it, and their
 * codecs. A state is a fixed-size value without pointers: copied by assignment,
 * compared by state_equal(), all unused bytes zero. It holds no client content;
 * contents are case_data (data.h), kept and encrypted beside it.
 *
 * A fact's ops are whole-record PUT / DROP, made by state_diff(before, after);
 * evolve applies them and needs no contents, clock or configuration.
 */
#ifndef STATE_H
#define STATE_H
#include "sto_arena.h"
#include "sto_buf.h"
#include "sto_err.h"
#include "sto_limits.h"
#include "sto_uuid.h"
#include <stdbool.h>
#include <stdint.h>

#define STATE_WORKER_MAX 24

struct party {
    uint16_t org, desk;
}; /* numbers of the network; org 0 = nobody */

/* What people see of one offer (mechanisms: the offer's machine). */
enum offer_state {
    OFFER_NONE,
    OFFER_OFFERED,
    OFFER_IN_REVIEW,
    OFFER_INFO_REQUESTED,
    OFFER_WAITLISTED,
    OFFER_ACCEPTED,
    OFFER_BOOKED,
    OFFER_MET,
    OFFER_IN_SERVICE, /* referral only */
    OFFER_TAKEN_OVER,
    OFFER_REPORTED,
    OFFER_DECLINED,
    OFFER_EXPIRED,
    OFFER_WITHDRAWN,
    OFFER_SUPERSEDED,
    OFFER_NO_SHOW,
    OFFER_INTERRUPTED
};
static inline bool offer_live(enum offer_state s)
{
    return s >= OFFER_OFFERED && s <= OFFER_IN_SERVICE;
}

/* The handover that holds the offers; phase of a handover, referral or consult token. */
enum handover_state {
    HANDOVER_NONE,
    HANDOVER_DRAFT,
    HANDOVER_NEGOTIATING,
    HANDOVER_AGREED,
    HANDOVER_TAKEN_OVER,
    HANDOVER_CLOSED,
    HANDOVER_RETURNED,
    HANDOVER_CANCELLED
};

/* Phase of a session token and of a meeting token. */
enum seat_phase { SEAT_NONE, SEAT_QUEUED, SEAT_INVITED, SEAT_RECORDED };
enum meeting_phase { MEET_NONE, MEET_TO_BOOK, MEET_BOOKED };
/* Phase of a panel token: waits for its cut-off, members are asked, stands on the agenda. */
enum panel_phase { PANEL_NONE, PANEL_QUEUED, PANEL_ASKED, PANEL_ON_AGENDA };
/* Phase of a place token and of a holding. */
enum place_phase { PLACE_NONE, PLACE_QUEUED, PLACE_OFFERED, PLACE_RESERVED, PLACE_OCCUPIED };

enum clock_kind {
    CLOCK_ANSWER,
    CLOCK_DECIDE,
    CLOCK_INFO,
    CLOCK_BOOK,
    CLOCK_MEET,
    CLOCK_CONFIRM,
    CLOCK_CHECK_IN,
    CLOCK_WAIT_MAX,
    CLOCK_STABLE,
    CLOCK_CAP,
    CLOCK_DRAFT,
    CLOCK_NEXT,
    CLOCK_START,
    CLOCK_WITHIN,  /* of a step, stage or the workflow (token 0) */
    CLOCK_SIDE,    /* starts a meanwhile step: `side` says which */
    CLOCK_WAIT,    /* wait for/until */
    CLOCK_CONSENT, /* a consent's validity ends: `side` = consent */
    CLOCK_RECORD,  /* of a session's date, never of a case: attendance is to be recorded ("record")
                    */
    CLOCK_KINDS
};

struct token {
    uint16_t id; /* 1.., never used again in the case */
    uint16_t step;
    uint16_t parent; /* token of the stage it stands in; 0 = outermost */
    uint16_t host;   /* side token: token it stands beside (0 with side: the workflow) */
    bool side;
    uint8_t phase;
    uint8_t joined;  /* stage: branches that have joined */
    uint16_t entry;  /* counts moves of this token; (id, entry) names one piece of work */
    struct party at; /* addressee now */
    uint16_t offer;  /* accepted offer, 0 */
    uint8_t no_shows;
    char worker[STATE_WORKER_MAX]; /* who took the task up; "" */
    int64_t since_us;
    int64_t start_us; /* service began, seat's, meeting's or agenda's time; 0 */
    uint16_t count;   /* referral: attendance days; series: dates attended; plan: version; panel:
                         times   postponed */
    uint32_t marks;   /* plan: who of agreed_by agreed to this version; panel: who has answered (low
                         half) and been asked (high half), by position in asks or among the network's
                         members; each: branches that were entered; series: 1 = has begun */
};

/* A place of the network that the case holds (reserved or occupied); given back when the stage that
   it was taken in is left. */
struct holding {
    uint16_t service;
    uint16_t token, entry; /* of the place step: names it towards the pool */
    uint16_t stage;        /* token of the stage, 0 = the case */
    uint16_t step;
    uint8_t phase; /* enum place_phase */
    int64_t since_us;
};

struct offer {
    uint16_t id; /* 1.., never used again */
    uint16_t token;
    uint8_t state; /* enum offer_state */
    uint8_t rounds, no_shows, check_ins_missed;
    bool disputed; /* a dispute was made once */
    struct party to;
    struct party from; /* who offered */
    uint8_t met_by;    /* 1 sender, 2 receiver */
    uint8_t reason;    /* enum reason, of the ending */
    uint16_t place;    /* waitlist number */
    char worker[STATE_WORKER_MAX];
    int64_t since_us;
    int64_t meet_us; /* booked time */
};

struct clock {
    uint8_t kind;   /* enum clock_kind */
    uint16_t token; /* 0 = the case */
    uint16_t offer; /* 0 = the token's */
    uint8_t side;   /* CLOCK_SIDE: index in host's sides[]; CLOCK_CONSENT: consent */
    uint8_t
        rung;    /* low half: next rung of this round; high half: rounds climbed (expired = stay) */
    bool paused; /* due_us is then as of paused_us */
    bool business;
    int64_t due_us;
    int64_t rung_us; /* when the next rung is due; INT64_MAX = none left */
    int64_t paused_us;
    int64_t set_us;
};

enum consent_state { CONSENT_UNASKED, CONSENT_GIVEN, CONSENT_REFUSED, CONSENT_LOST };

struct right_of_return {
    uint16_t token, step, offer;
    struct party back_to;
    int64_t until_us;
    bool valid;
};

enum case_status { CASE_NONE, CASE_OPEN, CASE_CLOSED };

struct case_state {
    uint8_t status;       /* enum case_status */
    uint32_t seq;         /* events so far */
    uint8_t workflow[32]; /* hash */
    int64_t opened_us, last_us;
    struct sto_uuid client; /* reference; zero = none */
    struct party holder, sender;
    uint32_t ledger_n;
    int64_t ledger_since_us; /* last change point */
    struct right_of_return right;
    struct {
        struct party at;
        char worker[STATE_WORKER_MAX];
    } roles[STO_WF_ROLES_MAX];
    uint16_t home;                         /* organisation number of the client's municipality, 0 */
    int64_t settings[STO_WF_SETTINGS_MAX]; /* integer, or duration as unit<<32 | n */
    uint64_t fields_set;
    uint8_t last_exit[STO_WF_STEPS_MAX]; /* index into workflow.exits, 0 = none */
    uint8_t entries[STO_WF_STEPS_MAX];   /* since its stage began; saturates */
    struct {
        uint8_t state;
        uint16_t version;
        int64_t until_us;
    } consents[STO_WF_CONSENTS_MAX];
    uint16_t next_token, next_offer; /* last used */
    struct token tokens[STO_CASE_TOKENS_MAX];
    uint8_t n_tokens; /* packed, by id */
    struct offer offers[STO_CASE_OFFERS_MAX];
    uint8_t n_offers; /* packed, by id; ended ones are kept while their token stands, oldest dropped
                         first */
    struct clock clocks[STO_CASE_CLOCKS_MAX];
    uint8_t n_clocks;      /* packed */
    uint16_t outcome_step; /* of CLOSED, else 0xffff… 0 while open */
    struct holding holdings[STO_CASE_HOLDINGS_MAX];
    uint8_t n_holdings;                /* packed, by (service, token, entry) */
    uint8_t kept[STO_WF_MESSAGES_MAX]; /* a message that came before its step: its answer's exit, or
                                          EXIT_DONE; 0 = none */
};

bool state_equal(const struct case_state *a, const struct case_state *b);
void state_encode(const struct case_state *s, struct sto_buf *out); /* compact, versioned */
int state_decode(const uint8_t *p, size_t n, struct case_state *out, struct sto_err *err);

/* Earliest instant at which the engine has something to do by itself; INT64_MAX = never. */
int64_t state_next_due_us(const struct case_state *s);
const struct token *state_token(const struct case_state *s, uint16_t id);
const struct offer *state_offer(const struct case_state *s, uint16_t id);
const char *offer_state_name(enum offer_state s); /* "in_review" */
const char *handover_state_name(enum handover_state s);
const char *clock_kind_name(enum clock_kind k); /* "answer" */

/* ------------------------------------------------------------------ facts */

enum op_kind {
    OP_HEAD = 1, /* status, workflow, client, opened, home, settings: one record; seq and last are
                    in each fact's head */
    OP_TOKEN,
    OP_TOKEN_DROP,
    OP_OFFER,
    OP_OFFER_DROP,
    OP_CLOCK,
    OP_CLOCK_DROP,
    OP_PARTIES /* holder, sender, right, ledger */,
    OP_ROLE,
    OP_FIELDS,
    OP_EXIT,
    OP_ENTRY,
    OP_CONSENT,
    OP_CLOSE,
    OP_COUNTERS /* next_token, next_offer */,
    OP_HOLDING,
    OP_HOLDING_DROP,
    OP_KEPT
};

enum send_kind {
    SEND_OFFER = 1,
    SEND_TASK,
    SEND_NOTICE,
    SEND_REMINDER,
    SEND_ESCALATION,
    SEND_WITHDRAWN,
    SEND_CLOSED,
    SEND_PACKAGE /* full data on acceptance */,
    SEND_UPDATE /* the other side's move: accepted, declined, booked, met, question, answer, result
                 */
    ,
    SEND_RECORD /* session organiser: record attendance */
};

/* One delivery that was decided. Contents are added by the broker from case_data by `fields`. */
struct send {
    uint8_t kind;
    struct party to;
    uint16_t token, entry, offer;
    uint16_t step;
    uint8_t event; /* enum event_kind that caused an UPDATE */
    uint8_t clock; /* REMINDER, ESCALATION: enum clock_kind; rung in `rung` */
    uint8_t rung;
    uint64_t fields;     /* released now */
    uint64_t held_back;  /* carried by the step but uncovered */
    uint32_t categories; /* of fields */
    uint16_t
        basis[STO_CATEGORIES_MAX]; /* number by category bit; 0 = none. Consents: 0x8000 | index */
    uint16_t basis_ver[STO_CATEGORIES_MAX];
    int64_t due_us;   /* by when; 0 */
    int64_t at_us;    /* meeting, session time; 0 */
    bool with_reason; /* the event's reason/text travels along */
};

/* Between a case and what cases share. ">": from the case; "<": to the case. */
enum mail_kind {
    MAIL_SEAT_WANTED = 1, /* > a session's date or group: until_us, n = dates of the series */
    MAIL_SEAT_RELEASED,   /* > */
    MAIL_SEAT_INVITED,    /* < at_us */
    MAIL_SEAT_MOVED,      /* < at_us; 0 = the date is cancelled, the turn is kept */
    MAIL_SEAT_RECORDED,   /* < exit, at_us; series: n = dates still to come, 0 = it was the last */
    MAIL_PLACE_WANTED,    /* > until_us */
    MAIL_PLACE_FREED,     /* > the wish or the place is given back, in whatever phase */
    MAIL_PLACE_OFFERED,   /* < until_us = to be answered by; 0 = needs no answer, it is reserved */
    MAIL_PLACE_TAKEN,     /* > */
    MAIL_PLACE_DECLINED,  /* > */
    MAIL_PLACE_NONE,      /* < there is none, or the offer was not answered and the turn is lost */
    MAIL_PLACE_OCCUPIED,  /* > the service has begun */
    MAIL_AGENDA_WANTED,   /* > until_us */
    MAIL_AGENDA_RELEASED, /* > decided, or no longer wanted */
    MAIL_AGENDA_DATE,     /* < at_us: stands on that date's agenda, before the cut-off */
    MAIL_AGENDA_ASK,      /* < cut-off reached: members are asked, at_us */
    MAIL_AGENDA_OPEN,     /* < the date has come: the panel decides now */
    MAIL_AGENDA_POSTPONE  /* > not decided on this date: next one, n = times so far */
};
#define MAIL_KIND_LAST MAIL_AGENDA_POSTPONE
struct mail {
    uint8_t kind;
    struct sto_uuid src, dst;
    uint16_t service;      /* number */
    uint16_t token, entry; /* of the case */
    uint8_t exit;          /* RECORDED: EXIT_ATTENDED, _EXCUSED, _ABSENT */
    int64_t at_us;         /* date */
    int64_t until_us;      /* WANTED: no later than (within) */
    uint16_t n;
};
void mail_encode(const struct mail *m, struct sto_buf *out);
int mail_decode(const uint8_t *p, size_t n, struct mail *out, struct sto_err *err);

enum evidence { EVIDENCE_ORG = 1, EVIDENCE_GATEWAY, EVIDENCE_BROKER };

struct fact {
    uint8_t kind; /* enum event_kind */
    uint8_t evidence;
    uint32_t seq; /* of the case, 1.. */
    int64_t now_us;
    int64_t late_us; /* clocks: now - due */
    struct party actor;
    struct party before, after;  /* responsible; org 0 = nobody (before opening, after closing) */
    uint8_t workflow[8];         /* first bytes of the hash; whole hash stands in the state */
    uint16_t token, offer, step; /* that it was about */
    uint8_t exit;                /* exit taken, 0 */
    uint8_t reason;              /* enum reason */
    int code;            /* 0, or STO_E_LATE / STO_E_PARKED…: stored but changed nothing */
    uint64_t fields_set; /* fields whose value the event brought */
    uint8_t *ops;
    uint32_t ops_len; /* encoded ops; arena-owned */
    uint16_t n_ops;
    struct send *sends;
    uint16_t n_sends; /* arena-owned */
    struct mail *mails;
    uint16_t n_mails; /* arena-owned */
};
void fact_encode(const struct fact *f, struct sto_buf *out);
/* Everything of *out lives in arena. */
int fact_decode(const uint8_t *p, size_t n, sto_arena_t *arena, struct fact *out,
                struct sto_err *err);
void state_diff(const struct case_state *before, const struct case_state *after,
                struct sto_buf *ops, uint16_t *n_ops);

/* evolve: the only way a stored state changes. Fails (STO_E_MALFORMED) only on bytes that are no
 * fact of this state. */
int engine_evolve(struct case_state *s, const struct fact *f, struct sto_err *err);

#endif
