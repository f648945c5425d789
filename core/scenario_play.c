/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Plays one timeline in a world of its own. A wrong expectation is an error at its line and the
 * scenario goes on; an event that is answered otherwise than expected ends it, for what follows
 * would be noise.
 */
#include <stdio.h>
#include <string.h>

#include "scenario_play.h"

#define SCENARIO_YEARS_MAX 20
#define SCENARIO_YEAR_END  2200
#define ENTRY_SLACK_US     999999 /* several events in one instant are a microsecond apart */
#define TIMES_MAX          500

/* ----------------------------------------------------------------- answers */

/* The code that `refused` names; 0 = none. */
static int refused_code(struct play *p, const struct sto_conf *g)
{
    const struct sto_conf *at = sto_conf_get(g, "refused");
    const char *text = sto_conf_str(g, "refused", NULL, p->l->diags);
    if (!at || !text) {
        p->failed = p->failed || at;
        return 0;
    }
    const struct sto_err_row *row = sto_err_row_by_text(text);
    if (!row) {
        play_err(p, at, "unknown-code", "'%s' is not an error code", text);
        return 0;
    }
    return row->code;
}

/* Was the event answered as the entry says? */
static bool answered(struct play *p, const struct sto_conf *g, const char *event, int rc,
                     const struct sto_err *err)
{
    char got[640];
    int want = refused_code(p, g);
    const struct sto_conf *late = sto_conf_get(g, "late");
    bool want_late = sto_conf_bool(g, "late", false, p->l->diags);
    const struct sto_conf *at = sto_conf_get(g, "refused");
    if (p->failed) {
        return false;
    }
    if (rc != 0) {
        if (want == -rc) {
            return true;
        }
        play_err(p, at ? at : g, at ? "wrong-refusal" : "refused", "%s was refused: %s", event,
                 sto_err_format(err, got, sizeof got));
        return false;
    }
    if (want != 0) {
        play_err(p, at, "not-refused", "%s was accepted, expected the refusal %s", event,
                 sto_err_row(want)->text);
        return false;
    }
    bool is_late = world_last_code(p->w) != 0;
    if (is_late != want_late) {
        play_err(p, late ? late : g, "late", "%s was answered %s, expected %s", event,
                 is_late ? sto_err_row(world_last_code(p->w))->text : "in time",
                 want_late ? "late" : "in time");
        return false;
    }
    return true;
}

/* -------------------------------------------------------------------- time */

/* Sets p->time_us to the entry's instant. */
static bool entry_time(struct play *p, const struct sto_conf *entry)
{
    const struct sto_conf *after = sto_conf_get(entry, "after");
    const struct sto_conf *at = sto_conf_get(entry, "at");
    int64_t when = p->time_us;
    if (after && at) {
        play_err(p, at, "time", "at and after exclude each other");
        return false;
    }
    if (at && !play_time(p, entry, "at", &when)) {
        return false;
    }
    if (after) {
        const char *text = sto_conf_str(entry, "after", NULL, p->l->diags);
        struct sto_duration d;
        struct sto_err err = {0};
        if (!text || sto_duration_parse(text, &d, &err) != 0) {
            play_err(p, after, "time", "after: %s", text ? err.what : "not a duration");
            return false;
        }
        when = calendar_due_us(&p->net->calendars[0].cal, p->time_us, d);
    }
    if (when < p->time_us) {
        play_err(p, at, "time", "at is earlier than the entry before");
        return false;
    }
    if (when > sto_us_add(p->start_us, (struct sto_duration){SCENARIO_YEARS_MAX, STO_YEARS})) {
        play_err(p, entry, "time", "a scenario lasts %d years at most", SCENARIO_YEARS_MAX);
        return false;
    }
    p->time_us = when;
    return true;
}

static bool advance(struct play *p, const struct sto_conf *entry)
{
    struct sto_err err = {0};
    if (world_advance(p->w, p->time_us + ENTRY_SLACK_US, &err) == 0) {
        return true;
    }
    play_err(p, entry, "engine-fault", "%s", err.what);
    return false;
}

/* ------------------------------------------------------------------ events */

/* One event to one case, or to what `session` names. */
static bool one_event(struct play *p, const struct sto_conf *g, const struct sto_uuid *target,
                      const struct input *in)
{
    struct sto_err err = {0};
    char event[80] = "the start";
    bool start = in->kind == EVENT_START;
    if (!start) {
        (void)snprintf(event, sizeof event, "event '%s'", event_kind_name(in->kind));
    }
    int rc = world_event(p->w, start ? play_case(p)->wf : NULL, target, in, &err);
    p->events++;
    if (rc == -STO_E_INTERNAL) {
        play_err(p, g, "engine-fault", "%s", err.what);
        return false;
    }
    return answered(p, g, event, rc, &err);
}

static bool play_event(struct play *p, const struct sto_conf *entry)
{
    struct made_input made;
    struct sto_uuid target = {{0}};
    const struct sto_conf *at = sto_conf_get(entry, "session");
    if (p->case_ix < p->n_cases) {
        target = play_case(p)->id;
    }
    if (!input_of_entry(p, entry, &made)) {
        p->failed = true;
        return false;
    }
    if (at) {
        const char *id = sto_conf_str(entry, "session", "", p->l->diags);
        const struct service *svc = play_shared(p, at, id);
        if (!svc) {
            return false;
        }
        shared_id(p->net->id, svc->number, &target);
    }
    return one_event(p, entry, &target, &made.in);
}

/* Opens the case that p->case_ix says. */
static bool play_start(struct play *p, const struct sto_conf *start)
{
    struct made_input made;
    if (!input_of_start(p, start, &made)) {
        p->failed = true;
        return false;
    }
    return one_event(p, start, &play_case(p)->id, &made.in);
}

static bool open_cases(struct play *p, const struct sto_conf *entry, const struct sto_conf *start,
                       struct play_range *r)
{
    bool refused = sto_conf_get(start, "refused") != NULL;
    if (!case_add(p, entry, start, r)) {
        return false;
    }
    for (unsigned i = 0; i < r->n; i++) {
        p->case_ix = r->from + i;
        if (!play_start(p, start)) {
            return false;
        }
    }
    p->case_ix = 0;
    if (refused) { /* they are forgotten, and may be opened by another entry */
        p->n_cases = r->from;
        *r = (struct play_range){0};
    } else {
        p->cases_opened += r->n;
    }
    return true;
}

/* ----------------------------------------------------------------- entries */

static const struct sto_conf *event_of(const struct sto_conf *entry)
{
    const struct sto_conf *start = sto_conf_get(entry, "start");
    return start ? start : sto_conf_get(entry, "event");
}

/* An entry that only expects looks at the deliveries of the one before it. */
static bool happens(const struct sto_conf *entry)
{
    return sto_conf_get(entry, "after") || sto_conf_get(entry, "at") || event_of(entry);
}

static bool entry_form(struct play *p, const struct sto_conf *entry)
{
    static const char *const keys[] = {
        "after",   "at",        "by",       "event",        "step",    "offer",
        "exit",    "set",       "names",    "reason",       "message", "consent",
        "worker",  "at-time",   "new-time", "to",           "desk",    "valid-reason",
        "place",   "by-client", "text",     "home",         "refused", "late",
        "session", "expect",    "case",     "start",        "days",    "for",
        "version", "places",    "shows",    "second-admin", "times",   NULL};
    if (entry->type != STO_CONF_GROUP) {
        play_err(p, entry, "wrong-type", "an entry of the timeline must be a group { }");
        return false;
    }
    size_t errors = sto_diags_errors(p->l->diags);
    sto_conf_known(entry, keys, "entry", p->l->diags);
    const struct sto_conf *start = sto_conf_get(entry, "start");
    const struct sto_conf *event = sto_conf_get(entry, "event");
    if (start && start->type != STO_CONF_GROUP) {
        play_err(p, start, "wrong-type", "start must be a group { }");
    } else if (start && event) {
        play_err(p, event, "too-many-keys", "start and event exclude each other");
    } else if (!event && sto_conf_get(entry, "by")) {
        play_err(p, entry, "missing-key", "by without event");
    }
    play_shows(p, entry);
    return sto_diags_errors(p->l->diags) == errors;
}

/* Is the entry's event for all who share something, and about no single case? */
static bool about_nobody(const struct sto_conf *entry)
{
    return sto_conf_get(entry, "session") && !sto_conf_get(entry, "case");
}

/* A journey checks the holder after each event. */
static bool journey_form(struct play *p, const struct sto_conf *entry)
{
    const struct sto_conf *expect = sto_conf_get(entry, "expect");
    bool told = expect && expect->type == STO_CONF_GROUP && sto_conf_get(expect, "holder");
    const struct sto_conf *start = sto_conf_get(entry, "start");
    bool nobody = about_nobody(entry) || (start && sto_conf_get(start, "refused"));
    if (event_of(entry) && !told && !nobody) {
        play_err(p, entry, "no-holder",
                 "expect.holder is missing: a journey says who is "
                 "responsible after each event");
        return false;
    }
    return true;
}

/* No responsibility may move unseen: who is not named in the entry still has his holder. */
static void journey_holders(struct play *p, const struct sto_conf *entry,
                            const struct play_range *about)
{
    unsigned at = p->case_ix;
    for (unsigned i = 0; i < p->n_cases; i++) {
        struct play_case *c = &p->cases[i];
        const struct case_state *s = world_case(p->w, &c->id);
        bool named = i >= about->from && i < about->from + about->n;
        if (s && !named && !c->holder_told && c->holder.org != s->holder.org) {
            const struct organisation *was = network_org(p->net, c->holder.org);
            const struct organisation *is = network_org(p->net, s->holder.org);
            p->case_ix = i;
            play_err(p, entry, "holder-unseen",
                     "its holder changed from '%s' to '%s' and the entry does not say so",
                     was ? was->id : "nobody", is ? is->id : "nobody");
        }
        c->holder = s ? s->holder : (struct party){0};
        c->holder_told = false;
    }
    p->case_ix = at;
}

static bool play_events(struct play *p, const struct sto_conf *entry, struct play_range *r)
{
    const struct sto_conf *start = sto_conf_get(entry, "start");
    if (start) {
        return open_cases(p, entry, start, r);
    }
    bool event = sto_conf_get(entry, "event") != NULL;
    *r = case_named(p, "");
    bool own = r->n > 0 && !sto_conf_get(entry, "case");
    if (!own && event && about_nobody(entry)) {
        p->case_ix = p->n_cases;
        return play_event(p, entry);
    }
    if (!own && !event && !sto_conf_get(entry, "case")) {
        return true; /* time passes */
    }
    if (!own && !case_range(p, entry, r)) {
        return false;
    }
    for (unsigned i = 0; i < r->n && event; i++) {
        p->case_ix = r->from + i;
        if (!play_event(p, entry)) {
            return false;
        }
    }
    return true;
}

static void expect_all(struct play *p, const struct sto_conf *entry, const struct sto_conf *expect,
                       const struct play_range *r)
{
    unsigned of_all = expect_all_cases(p, expect);
    if (r->n == 0 && (of_all == 0 || of_all < expect->n_children)) {
        play_err(p, expect, "missing-key", "case: which case is it about?");
    }
    for (unsigned i = 0; i < r->n; i++) {
        p->case_ix = r->from + i;
        expect_check(p, entry, expect);
    }
}

static bool play_once(struct play *p, const struct sto_conf *entry)
{
    const struct world_send *sends;
    struct play_range r = {0};
    p->failed = false; /* what an earlier entry expected in vain ends nothing */
    p->case_ix = 0;
    if (!entry_form(p, entry) || (p->journey && !journey_form(p, entry))) {
        return false;
    }
    if (happens(entry)) {
        p->sends_seen = world_sends(p->w, &sends);
    }
    if (!entry_time(p, entry) || !advance(p, entry) || !play_events(p, entry, &r)) {
        return false;
    }
    const struct sto_conf *expect = sto_conf_get(entry, "expect");
    if (expect) {
        expect_all(p, entry, expect, &r);
    }
    p->case_ix = 0;
    if (p->journey) {
        journey_holders(p, entry, &r);
    }
    return true;
}

/* As often as `times` says: the dates of a series, for instance. */
static bool play_entry(struct play *p, const struct sto_conf *entry)
{
    const struct sto_conf *times = sto_conf_get(entry, "times");
    int64_t n = entry->type == STO_CONF_GROUP
                    ? sto_conf_int(entry, "times", 1, 1, TIMES_MAX, p->l->diags)
                    : 1;
    if (times && !sto_conf_get(entry, "after")) {
        play_err(p, times, "missing-key", "times without after: everything would happen at once");
        return false;
    }
    bool goes_on = true;
    for (int64_t i = 0; goes_on && i < n; i++) {
        goes_on = play_once(p, entry);
    }
    return goes_on;
}

/* ---------------------------------------------------------------- timeline */

/* The scenario's own start. true: the case is open and the timeline follows. */
static bool own_start(struct play *p, const struct sto_conf *start)
{
    struct play_range r;
    if (start->type != STO_CONF_GROUP) {
        play_err(p, start, "wrong-type", "start must be a group { }");
        return false;
    }
    const struct sto_conf *refused = sto_conf_get(start, "refused");
    if (!open_cases(p, start, start, &r)) {
        return false;
    }
    const struct sto_conf *expect = sto_conf_get(start, "expect");
    if (expect && r.n > 0) {
        expect_all(p, start, expect, &r);
    }
    return refused == NULL;
}

static bool begin(struct play *p, const struct sto_conf *g)
{
    if (!sto_conf_need(g, "at", STO_CONF_STRING, p->l->diags) ||
        !play_time(p, g, "at", &p->time_us)) {
        p->failed = true;
        return false;
    }
    p->start_us = p->time_us;
    if (p->start_us < sto_day_start_us(0) ||
        p->start_us >= sto_day_start_us(sto_day_from_civil(SCENARIO_YEAR_END, 1, 1))) {
        play_err(p, sto_conf_get(g, "at"), "time", "a scenario starts from 1970 to %d",
                 SCENARIO_YEAR_END - 1);
        return false;
    }
    p->w = world_new(p->net, p->time_us);
    world_watch(p->w, case_watch, p);
    world_workflows(p->w, p->book->find, p->book->arg);
    return true;
}

void play_timeline(struct play *p, const struct sto_conf *g)
{
    const struct sto_conf *start = sto_conf_get(g, "start");
    const struct sto_conf *timeline = sto_conf_get(g, "timeline");
    if (timeline && timeline->type != STO_CONF_LIST) {
        play_err(p, timeline, "wrong-type", "timeline must be a list ( )");
        return;
    }
    const struct sto_conf *e = timeline ? timeline->child : NULL;
    if (!start && !e) {
        play_err(p, g, "missing-key", "start: nothing happens in it");
        return;
    }
    if (!begin(p, g)) {
        return;
    }
    bool open = start == NULL || own_start(p, start);
    if (!open && !p->failed && e) {
        play_err(p, timeline, "timeline", "a refused start has no timeline");
    }
    for (; open && e; e = e->next) {
        open = play_entry(p, e);
    }
}
