/* SPDX-License-Identifier: EUPL-1.2 */
/* Between the files of the shared aggregate only. */
#ifndef SHARED_PARTS_H
#define SHARED_PARTS_H
#include "shared.h"

/* Planted faults, for tests alone: a normal build knows none. */
#ifdef SAATTO_PLANTED
extern int saatto_plant;
#define PLANT(n) (saatto_plant == (n))
#else
#define PLANT(n) false
#endif

#define AHEAD_YEARS_MAX 3 /* a date is moved, and a group opened, so far ahead at most */

struct work { /* one decision under way */
    const network_t *net;
    const struct service *svc;
    struct sto_uuid id;
    struct shared_state *s;
    int64_t now_us;
    sto_arena_t *arena;
    struct fact *out;
};

/* shared.c */
const struct calendar *organiser_calendar(const network_t *net, const struct service *svc);
struct party organiser(const struct work *w);
/* Adds a delivery to the fact; at_us 0 = about no date. */
int shared_send(struct work *w, uint8_t kind, struct party to, int64_t at_us, struct sto_err *err);
/* A letter to the case of a wish that is not on the list. */
void shared_answer(struct work *w, const struct mail *wish, enum mail_kind kind);
struct seat *want_find(struct shared_state *s, const struct sto_uuid *case_id, enum want want);
/* The seat, place or line that a letter is about; NULL with code LATE if it names none. */
struct seat *want_named(struct work *w, const struct mail *m, enum want want);
void want_drop(struct shared_state *s, struct seat *seat);
/* Adds a wish; a repeat, one that was overtaken, and one that does not fit give NULL. */
struct seat *want_add(struct work *w, const struct mail *m, enum want want);
bool any_queued(const struct shared_state *s);

/* shared_dates.c */
unsigned date_find(const struct shared_state *s, int64_t at_us);
void date_drop(struct shared_state *s, unsigned i);
void date_insert(struct shared_state *s, int64_t at_us, uint16_t taken);
bool date_open(const struct work *w, int64_t at_us); /* may somebody still be given it? */
bool service_in_force(const struct service *svc, int64_t us);
void dates_learn(struct work *w);
void dates_forget(struct work *w);
int64_t dates_due_us(const network_t *net, const struct service *svc, const struct shared_state *s);
int dates_clock(struct work *w, int64_t due_us, struct sto_err *err);
int date_move(struct work *w, const struct input *in, struct sto_err *err);
int group_open(struct work *w, const struct input *in, struct sto_err *err);

/* shared_seats.c */
int seats_mail(struct work *w, const struct mail *m, struct sto_err *err);
int seats_record(struct work *w, const struct input *in, struct sto_err *err);
int group_enough(const struct work *w, struct sto_err *err); /* may a group be opened? */
bool seats_need(const struct shared_state *s, int64_t date_us);
unsigned seats_waiting(const struct shared_state *s, int64_t date_us);
void seats_forget(struct shared_state *s, int64_t date_us);
void seat_unplace(struct shared_state *s, struct seat *seat);
void seats_move(struct work *w, int64_t from_us, int64_t to_us);
int seats_settle(struct work *w, struct sto_err *err);
void seats_told(struct work *w);

/* shared_pool.c */
int pool_mail(struct work *w, const struct mail *m, struct sto_err *err);
void pool_give(struct work *w); /* free places go to who waits */
void pool_told(struct work *w);
int64_t pool_due_us(const struct service *svc, const struct shared_state *s);
void pool_clock(struct work *w);
int quota_return(struct work *w, const struct input *in, struct sto_err *err);
bool place_held(const struct seat *seat);
int64_t place_answer_by(const struct seat *offered);

/* shared_panel.c */
int agenda_mail(struct work *w, const struct mail *m, struct sto_err *err);
void agenda_settle(struct work *w);
void agenda_move(struct work *w, int64_t from_us, int64_t to_us);
int64_t agenda_stage_due_us(const network_t *net, const struct service *svc,
                            const struct shared_state *s, unsigned date);
int agenda_stage(struct work *w, unsigned date, struct sto_err *err);
unsigned lines_on(const struct shared_state *s, int64_t date_us);

/* shared_codec.c: puts ops that lead from `before` to `after` into *out (arena-owned). */
int shared_diff(const struct shared_state *before, const struct shared_state *after,
                sto_arena_t *arena, struct fact *out, struct sto_err *err);
bool seat_is(const struct seat *seat, const struct sto_uuid *case_id, uint8_t want);

#endif
