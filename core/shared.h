/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A session service's aggregate: its dates, seats and queue; shared by cases of
 * several workflows and versions, reached only by mail. Its organiser records
 * attendance. queued -> invited (seat taken) -> recorded.
 *
 * Its id is derived: shared_id(network id, service number).
 */
#ifndef SHARED_H
#define SHARED_H
#include "engine.h"

struct seat {
    struct sto_uuid case_id;
    uint16_t token, entry;
    uint8_t phase; /* enum seat_phase */
    uint8_t exit;
    int64_t date_us; /* 0 = queued */
    int64_t since_us, until_us;
    uint8_t tell; /* enum mail_kind that the case has still to get (a fact carries
                     STO_FACT_MAILS_MAX at most), 0 */
};
struct shared_state {
    uint16_t service;
    uint32_t seq;
    int64_t last_us;
    int64_t horizon_us; /* the rule's dates up to here are in `dates`, or gone (past, moved,
                           cancelled) */
    struct {
        int64_t at_us;
        uint16_t taken;
        bool asked_to_record;
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

/* Inputs: EVENT_MAIL (SEAT_WANTED, SEAT_RELEASED), EVENT_CLOCK, EVENT_SESSION_RECORD,
   EVENT_SESSION_MOVE. Fresh state: zeroed with service set. Same fact type: ops are the session's;
   sends go to the organiser (SEND_RECORD, reminders); mails to cases. */
int shared_decide(const network_t *net, const struct sto_uuid *id, const struct shared_state *s,
                  const struct input *in, int64_t now_us, sto_arena_t *arena, struct fact *out,
                  struct sto_err *err);
int shared_evolve(struct shared_state *s, const struct fact *f, struct sto_err *err);
int shared_invariants(const network_t *net, const struct shared_state *s,
                      struct sto_err *err); /* taken <= capacity, a case has one seat, … */

#endif
