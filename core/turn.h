/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One decision under way: what the engine's parts share. Internal to core/engine*.c.
 *
 * engine_decide() copies the state into `s`; the parts change it freely through the
 * functions below and collect sends and mails in the fact; at the end the fact's ops
 * are the difference. The first failure sticks in `rc` and the whole turn is thrown
 * away, so the parts need not undo anything.
 *
 * Tokens, offers and clocks move inside their packed arrays whenever one comes or
 * goes: a pointer into `s` lives until the next call that may add or drop one. What
 * must outlive such a call is the id.
 */
#ifndef TURN_H
#define TURN_H
#include "engine.h"
#include "state_record.h"

/* Planted faults, for tests/unit/test_planted.c alone: a normal build knows none. */
#ifdef SAATTO_PLANTED
extern int saatto_plant;
#define PLANT(n) (saatto_plant == (n))
#else
#define PLANT(n) false
#endif

#define CLOSED_WITHOUT_END 0xffffu /* outcome_step of a case that no `end` closed */
#define RUNG_CAP           0xffu   /* send.rung: the coordinator's mandatory task */
#define END_GIVEN_BACK     2 /* phase of an end that a give-back stopped: the holder must close */
#define END_WAITS          1 /* phase of an end that waits for the right of return */
#define END_CONTINUES      3 /* ... that goes on in another workflow by its clock, at once */
#define END_NO_NEXT        4 /* ... whose next workflow is not deployed: the holder must act */

struct turn {
    const struct engine_ctx *ctx;
    const network_t *net;
    const workflow_t *wf;
    const struct case_state *before;
    struct case_state *s;
    const struct input *in;
    int64_t now;
    int32_t today;
    struct fact *out;
    struct sto_err *err;
    int rc;           /* first failure, negative; 0 */
    unsigned entered; /* steps entered in this turn */
    unsigned sends_cap, mails_cap;
    struct send spill; /* where a send goes that no longer fits */
    struct mail spill_mail;
    const struct case_data *data;                  /* contents, by the fields of `wf` */
    uint64_t fresh;                                /* fields that the event brought */
    struct field_value fresh_v[STO_WF_FIELDS_MAX]; /* read only where `fresh` says */
};

#define WF_ANY_BASIS 0xffu
struct basis_found {
    uint16_t basis, version;
};

/* ---- engine.c */
int turn_fail(struct turn *t, enum sto_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The hint of a failure; for use right after turn_fail(). */
void turn_fix(struct turn *t, const char *fix);
/* The event came after the end: nothing changes but unset fields (engine_data.c decides which). */
int turn_late(struct turn *t);
void turn_about(struct turn *t, const struct token *tok, const struct offer *o);

/* ---- engine_who.c: organisations, roles, who may */
bool party_same(struct party a, struct party b);
bool actor_is(const struct turn *t, struct party p); /* by organisation */
bool actor_is_broker(const struct turn *t);
bool actor_takes_part(const struct turn *t); /* holder, sender, role, addressee, offer */
struct party org_party(const network_t *net, uint16_t org, const char *service);
bool role_fits(const struct turn *t, unsigned role, uint16_t org);
struct party role_bind(struct turn *t, unsigned role); /* binds if it can; org 0 = nobody */
void role_set(struct turn *t, unsigned role, struct party p);
struct party party_of(struct turn *t, uint8_t party);          /* binds a role; client -> org 0 */
struct party party_known(const struct turn *t, uint8_t party); /* never binds */
uint8_t step_addressee(const struct wf_step *w);  /* party code of who works: role, or helps */
bool step_has_addressee(const struct wf_step *w); /* its work is somebody's of the case */
#define PARTIES_MAX 32u
/* A list of parties with each role that has `many` as the roles of its organisations, bound or not:
 * so that a position means the same as long as the step stands. */
unsigned parties_flat(const workflow_t *wf, const uint8_t *list, unsigned n, uint8_t *out);
struct party service_party(const struct turn *t, uint16_t service); /* who gives it today; org 0 */
int names_take(struct turn *t, uint32_t roles); /* in->names; roles that must be named */
void worker_set(char *worker, const char *name);

/* ---- engine_data.c: fields and conditions */
int fields_take(struct turn *t, uint64_t allowed, uint64_t required);
void fields_fill_late(struct turn *t);
bool condition_holds(struct turn *t,
                     const expr_t *e); /* a condition that cannot be read does not hold */
int condition_check(struct turn *t, const expr_t *e, bool *out);
int64_t date_field_us(const struct turn *t, unsigned field,
                      bool end_of_day); /* INT64_MIN = unset */
uint64_t exit_allows(const struct wf_step *w, const struct wf_exit *x);
uint64_t exit_requires(const struct wf_step *w, const struct wf_exit *x);

/* ---- engine_send.c: deliveries and mail */
struct send *send_add(struct turn *t, enum send_kind kind, struct party to);
struct send *send_token(struct turn *t, enum send_kind kind, struct party to,
                        const struct token *tok);
struct send *send_offer(struct turn *t, enum send_kind kind, struct party to,
                        const struct offer *o);
/* Put into the send what is set and covered; the rest is held back. */
void send_release(struct turn *t, struct send *x, uint64_t fields);
/* `needs`: the consent that alone counts, or WF_ANY_BASIS. */
bool basis_covers(struct turn *t, uint16_t org, unsigned category, uint8_t needs,
                  struct basis_found *out);
/* Something of the fields is set and nothing of it may leave. */
bool all_uncovered(struct turn *t, uint64_t fields, uint8_t needs, uint16_t org);
/* All that the step must bring is set and covered; without it nothing is sent. */
bool must_holds(struct turn *t, const struct wf_step *w, uint16_t org);
void send_escalation(struct turn *t, const struct clock *c, unsigned rung, enum rung_to to);
struct mail *mail_add(struct turn *t, enum mail_kind kind, const struct token *tok,
                      uint16_t service) __attribute__((returns_nonnull));
void sends_hush(struct turn *t); /* what a hidden step may not say to the holder */

/* ---- engine_clock.c */
struct sto_duration clock_duration(const struct turn *t, const struct wf_step *w,
                                   enum clock_kind k);
struct clock *clock_find(struct turn *t, enum clock_kind k, uint16_t token, uint16_t offer,
                         uint8_t side);
/* Set or set anew; due by `ball`'s calendar. */
void clock_start(struct turn *t, struct clock key, int64_t from_us, struct sto_duration d,
                 struct party ball);
void clock_start_at(struct turn *t, struct clock key, int64_t due_us, struct party ball);
void clock_stop(struct turn *t, enum clock_kind k, uint16_t token, uint16_t offer);
void clocks_stop_token(struct turn *t,
                       uint16_t token); /* all that hang on the token, offers' too */
void clocks_stop_offer(struct turn *t, uint16_t offer);
void clock_pause(struct turn *t, enum clock_kind k, uint16_t token, uint16_t offer);
void clock_resume(struct turn *t, enum clock_kind k, uint16_t token, uint16_t offer,
                  struct party ball);
/* Tell the next rung and start the clock again. */
void clock_climb(struct turn *t, struct clock c);
struct party clock_ball(struct turn *t, const struct clock *c);
/* CLOCK_WITHIN of a token (0 = the workflow) from `from_us`; none if the step has none. */
void within_start(struct turn *t, uint16_t token, int64_t from_us);
int64_t when_due_us(const struct turn *t, const struct wf_when *w, int64_t from_us,
                    const struct calendar *cal, bool end_of_day);
void sides_arm(struct turn *t, uint16_t host, int64_t from_us);
struct sto_duration starts_duration(const struct turn *t, const struct wf_starts *x);
unsigned attendance_days(const struct turn *t, unsigned setting, unsigned days);
void within_or_default(struct turn *t, uint16_t id); /* from now; nothing waits for ever */
int64_t within_due(struct turn *t, uint16_t id);     /* 0 = it has none */
/* The step's own time must not end before what follows a date of the service. */
void within_reach(struct turn *t, uint16_t id, uint16_t service, int64_t date_us);
int clock_fire(struct turn *t);       /* EVENT_CLOCK */
int clocks_restarted(struct turn *t); /* EVENT_RESTARTED */
const struct wf_step *step_of(const struct turn *t, const struct token *tok);
const struct ladder *ladder_of(const struct turn *t, const struct clock *c);

/* ---- engine_walk.c */
struct token *token_find(struct turn *t, uint16_t id); /* NULL = gone */
struct token *token_of(struct turn *t, uint16_t id)
    __attribute__((returns_nonnull)); /* must stand */
uint16_t token_new(struct turn *t, uint16_t parent, bool side, uint16_t host);
void walk_enter(struct turn *t, uint16_t id, uint16_t step);
void walk_enter_first(struct turn *t, uint16_t parent, const uint16_t *first, unsigned n);
/* Leave by an exit that the step names (or a fallback of the same meaning); false = it names none.
 */
bool walk_leave(struct turn *t, uint16_t id, uint8_t exit);
void walk_leave_to(struct turn *t, uint16_t id, const struct wf_exit *x);
void walk_join(struct turn *t, uint16_t id);
void walk_cancel(struct turn *t, uint16_t id);
void walk_cancel_below(struct turn *t, uint16_t id);
void walk_cancel_all(struct turn *t);
bool walk_leave_root(struct turn *t, uint8_t exit); /* the workflow's own `on` */
/* Nearest step at or around the token that names the exit leaves by it. */
bool walk_leave_around(struct turn *t, uint16_t id, uint8_t exit);
void walk_expire(struct turn *t, uint16_t id); /* within is over; 0 = the workflow */
void side_start(struct turn *t, uint16_t host, unsigned side);
const struct wf_exit *exit_named(const struct turn *t, const struct token *tok, uint8_t exit);
/* Find the token an event is about: *out and 0, or a failure, or 1 = the event is late. */
int token_pick(struct turn *t, uint32_t types, struct token **out);

/* ---- engine_step.c: the steps' own insides */
void step_enter(struct turn *t, uint16_t id);
int task_result(struct turn *t);
int task_decline(struct turn *t);
int task_take_up(struct turn *t);
int meeting_book(struct turn *t);
int meeting_no_show(struct turn *t);
int mail_in(struct turn *t); /* EVENT_MAIL, to the step it is for */
/* An exit that a person may choose by name; else EXIT_NONE with a failure. */
uint8_t exit_choose(struct turn *t, const struct wf_step *w);
bool exit_is_event(const workflow_t *wf, uint8_t exit);
bool exit_choosable(const workflow_t *wf, uint8_t exit);
void work_send(struct turn *t, uint16_t id); /* the addressee's SEND_TASK */
/* Entering: without what it must have the step is left by no-basis, if it names that. */
bool left_without_basis(struct turn *t, uint16_t id);
/* Pick the actor's work among these types: 0, 1 = late (done), or a failure. */
int work_pick(struct turn *t, uint32_t types, struct token **tok);
void tell_holder(struct turn *t, uint16_t id);
#define TYPE(x) (UINT32_C(1) << (x))

/* ---- what cases share: engine_session.c, engine_place.c, engine_panel.c */
void session_enter(struct turn *t, uint16_t id);
int session_mail(struct turn *t, uint16_t id);
int session_interrupt(struct turn *t, uint16_t id);
bool session_is_series(const struct wf_step *w);
uint16_t session_dates(const struct turn *t, const struct wf_step *w); /* 1 = no series */
void place_enter(struct turn *t, uint16_t id);
int place_mail(struct turn *t, uint16_t id);
int place_answer(struct turn *t);
void place_unanswered(struct turn *t, uint16_t id);
void panel_enter(struct turn *t, uint16_t id);
int panel_mail(struct turn *t, uint16_t id);
/* Members that were asked and have not answered hear that it is no longer wanted. */
void panel_release(struct turn *t, uint16_t id);
int panel_answer(struct turn *t);
int panel_postpone(struct turn *t);
/* Give back what the token's step waits for or has; for leaving and cancelling. */
void shared_release(struct turn *t, uint16_t id);
/* The wish again, with the new end of the step's time. */
void shared_wish(struct turn *t, uint16_t id);
void holdings_free_stage(struct turn *t, uint16_t stage);
void holdings_free_all(struct turn *t);
/* Of the branch that `token` is or stands in: its work has begun, or has broken off. */
void holdings_occupy(struct turn *t, uint16_t token);
void holdings_break(struct turn *t, uint16_t token);
/* The answer to the offer came too late for the pool: the case has no place after all. */
bool holding_lost(struct turn *t, const struct mail *m);
/* Places that the token took at or after an instant. */
void holdings_free_since(struct turn *t, uint16_t token, int64_t since_us);

/* ---- engine_plan.c */
void plan_enter(struct turn *t, uint16_t id);
int plan_part(struct turn *t);
/* Is the result a word on a plan? Whoever must agree gives one, not only the addressee. */
bool plan_is_meant(const struct turn *t);
int plan_result(struct turn *t);

/* ---- engine_offer.c, engine_handover.c */
int offer_event(struct turn *t);
int attendance_guard(struct turn *t, uint16_t offer);
int attendance_count(struct turn *t, uint16_t offer);
void offer_expire(struct turn *t, uint16_t id, enum clock_kind clock);
void offer_end(struct turn *t, uint16_t id, enum offer_state state, enum reason reason, bool tell);
void offers_end_all(struct turn *t, uint16_t token, enum offer_state state, enum reason reason);
void offer_clocks(struct turn *t, struct offer *o); /* the clocks of its state, anew */
bool offer_event_is(enum event_kind k);
struct offer *offer_find(struct turn *t, uint16_t id); /* NULL = gone */
struct offer *offer_of(struct turn *t, uint16_t id)
    __attribute__((returns_nonnull));                                     /* must be there */
bool meeting_counts(const struct case_state *s, const struct wf_step *w); /* at:STEP was attended */
/* What one side could do to an offer now: also for engine_possible(). */
bool offer_may(const workflow_t *wf, const struct case_state *s, const struct offer *o,
               enum event_kind k, uint16_t actor, bool by_client);

void handover_enter(struct turn *t, uint16_t id);
uint16_t handover_offer(struct turn *t, uint16_t token, struct party to); /* id; 0 = failed */
void handover_lost(struct turn *t, uint16_t token,
                   uint8_t exit); /* an offer ended: live ones left? */
void handover_returned(struct turn *t, uint16_t token, uint8_t exit);
void handover_cap(struct turn *t, uint16_t token);
int handover_make_offer(struct turn *t); /* EVENT_OFFER */
int handover_cancel(struct turn *t);
void handover_take_over(struct turn *t, uint16_t offer);
int handover_give_back(struct turn *t);
int handover_report(struct turn *t);               /* inside stable */
void right_lapse(struct turn *t);                  /* by time or report */
void holder_move(struct turn *t, struct party to); /* ledger, open work */
bool handover_open(const struct case_state *s, const workflow_t *wf, uint16_t but);
bool receivable(const struct turn *t, const struct wf_step *w, uint16_t org);

/* ---- engine_start.c, engine_case.c */
int case_start(struct turn *t);
void settings_take(struct turn *t);
int home_take(struct turn *t);
void case_close(struct turn *t, uint16_t outcome_step);
int client_event(struct turn *t); /* left, moved, died */
int asked_for(struct turn *t);
int correct(struct turn *t);
int close_by_holder(struct turn *t);
int reassign(struct turn *t);
int succeed(struct turn *t);
int basis_lost(struct turn *t);
void note_to_holder(struct turn *t);
/* Beside the host: steps that start by the event. Whether there was one. */
bool sides_take(struct turn *t, uint16_t host, uint8_t event);
/*
 * Every open step that names the event reacts, outer first; an outer `on` makes the
 * rest moot. exit < 0: no step can name it. Returns whether anything reacted.
 */
bool event_spread(struct turn *t, int exit, uint8_t event);

/* ---- migrate.c */
int case_migrate(struct turn *t);

/* ---- engine_message.c, engine_consent.c, engine_continue.c */
int message(struct turn *t);
/* A message that came before: true = the token has gone on or is gone. */
bool kept_take(struct turn *t, uint16_t id);
int consent_event(struct turn *t);
void consent_enter(struct turn *t, uint16_t id);
void consent_lose(struct turn *t, unsigned ix);
void end_enter(struct turn *t, uint16_t id);
void end_reach(struct turn *t, uint16_t id); /* nothing holds the end back any more */
/* END_CONTINUES and END_NO_NEXT: into the next workflow. Whether the token is such an end. */
bool end_clock(struct turn *t, uint16_t id);

#endif
