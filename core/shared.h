/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What cases share, as one aggregate for each service of the network that is not plain: the dates,
 * seats and queue of a session or group, a pool of places, a quota, a panel's agenda. Cases of
 * several workflows and versions share it and reach it by mail only; it knows no workflow.
 *
 *   seat    queued -> invited (has a date) -> recorded; a series goes on to its next date
 *   place   queued -> offered (answer clock) -> reserved -> occupied -> freed
 *   quota   a wish uses one up; only its owner gives some back
 *   agenda  queued (a date, until the cut-off) -> asked -> on the agenda -> released | postponed
 *
 * Its id is derived: shared_id(network id, service number).
 */
#ifndef SHARED_H
#define SHARED_H
#include "engine.h"

enum want { WANT_SEAT = 1, WANT_PLACE, WANT_AGENDA };

/* A case's seat, place or line on an agenda, or its wish for one. A case has one of a kind. */
struct seat {
    struct sto_uuid case_id;
    uint16_t token, entry;
    uint8_t want;  /* enum want */
    uint8_t phase; /* enum seat_phase, place_phase or panel_phase */
    uint8_t exit;
    uint8_t tell;     /* enum mail_kind that the case has still to get (a fact carries
                         STO_FACT_MAILS_MAX at most), 0 */
    bool begun;       /* SEAT: a date of the series has been recorded */
    uint16_t left;    /* SEAT: dates after this one; AGENDA: times postponed */
    int64_t date_us;  /* SEAT, AGENDA: 0 = has none; PLACE offered: the pool waits for the answer
                         until then */
    int64_t after_us; /* SEAT, AGENDA: only a later date; PLACE declined: not offered before */
    int64_t since_us; /* when the wish came */
    int64_t until_us; /* no later than, 0 = any time */
};

enum date_stage {
    DATE_COMING,
    DATE_CLOSED, /* PANEL: the cut-off has passed, members are asked */
    DATE_SENT,   /* PANEL: the material is to be with the members */
    DATE_HELD    /* it has come; its organiser is asked to record */
};

struct shared_state {
    uint16_t service;
    uint32_t seq;
    int64_t last_us;
    int64_t horizon_us; /* the rule's dates up to here are in `dates`, or gone (past, moved,
                           cancelled) */
    uint16_t used;      /* QUOTA */
    bool told_minimum;  /* groups: the organiser knows that enough of them wait */
    struct {
        int64_t at_us;
        uint16_t taken; /* seats or agenda lines that stand on it */
        uint8_t stage;  /* enum date_stage */
        uint8_t rung;
    } dates[STO_SESSION_DATES_MAX];
    uint8_t n_dates; /* coming or unrecorded, ascending */
    struct seat seats[STO_SESSION_SEATS_MAX];
    uint16_t n_seats; /* in order of arrival */
};
void shared_id(const char *network, uint16_t service, struct sto_uuid *out);
bool shared_equal(const struct shared_state *a, const struct shared_state *b);
void shared_encode(const struct shared_state *s, struct sto_buf *out);
int shared_decode(const uint8_t *p, size_t n, struct shared_state *out, struct sto_err *err);
int64_t shared_next_due_us(const network_t *net, const struct shared_state *s);
/* Places that are offered, reserved or occupied; of a quota: used up. */
unsigned shared_taken(const struct service *svc, const struct shared_state *s);
const char *want_phase_name(enum want want, uint8_t phase); /* "queued" */

/* Inputs: EVENT_MAIL (every kind that goes to an aggregate), EVENT_CLOCK, EVENT_SESSION_RECORD,
   EVENT_SESSION_MOVE, EVENT_GROUP_OPEN, EVENT_QUOTA_RETURN. Fresh state: zeroed with service set.
   Same fact type: ops are the aggregate's; sends go to the organiser and a panel's members; mails
   to cases. */
int shared_decide(const network_t *net, const struct sto_uuid *id, const struct shared_state *s,
                  const struct input *in, int64_t now_us, sto_arena_t *arena, struct fact *out,
                  struct sto_err *err);
int shared_evolve(struct shared_state *s, const struct fact *f, struct sto_err *err);
int shared_invariants(const network_t *net, const struct shared_state *s,
                      struct sto_err *err); /* taken <= capacity, a case has one seat, … */

#endif
