/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Adapter policy: models an organisation from its configuration
 * (workflows/policies/README.md). A delivery becomes a plan, a plan's events are
 * sent when they are due; both are in the journal before anything is
 * acknowledged or sent, so a restart loses nothing and repeats nothing:
 *
 *   delivery    journalled with its plan, then acknowledged (step)
 *   event       journalled with the ticket that it will get, then put in the
 *               outbox. After a crash the outbox's last ticket tells whether it
 *               went there.
 *   answer      journalled; if lost, the outbox tells that the event is answered
 *
 * Matching, draws and times are policy_match.c's and policy_time.c's, pure.
 */
#include <stdlib.h>
#include <string.h>

#include "adapter.h"
#include "policy_event.h"
#include "policy_load.h"
#include "policy_store.h"
#include "sto_arena.h"
#include "sto_buf.h"
#include "sto_crypto.h"
#include "sto_file.h"
#include "sto_log.h"

#define RETRY_MS 5000 /* a journal that cannot be written */

struct taken {
    unsigned shard;
    uint64_t seq;
};
struct policy_adapter {
    const struct link *link;
    struct policy_files files;
    const policy_t *policy; /* the same, shorter */
    const struct organisation *org;
    plan_store_t *store;
    struct taken *taken; /* journalled, not yet acknowledged */
    size_t n_taken, cap_taken;
    struct plan *due; /* copies, of one act() */
    size_t cap_due;
};

/* ---------------------------------------------------------------- what is known */

static const struct record_row *row_of(const struct policy_adapter *a, const struct plan *p)
{
    return p->record[0] != '\0' ? records_find(a->files.records, p->record) : NULL;
}

static const struct calendar *calendar_of(const struct policy_adapter *a, const struct occasion *o)
{
    const struct desk *desk = network_desk_by_id(a->org, o->desk);
    return network_calendar(a->files.network, a->org->number, desk != NULL ? desk->number : 0);
}

static const struct policy_choice *choice_of(const struct policy_adapter *a, const struct plan *p)
{
    return &a->policy->rules[p->rule].choices[p->choice];
}

static void log_plan(enum sto_level level, const char *event, const struct policy_adapter *a,
                     const struct plan *p, const char *key, const char *value)
{
    char id[37];

    sto_log(level, event, "case", sto_uuid_format(&p->o.case_id, id), "step", p->o.step, "line",
            sto_i(a->policy->rules[p->rule].line), "kind",
            p->sent_kind != 0 ? event_kind_name((enum event_kind)p->sent_kind) : "", key, value,
            NULL);
}

/* ---------------------------------------------------------------- deliveries */

/* Number of a delivery: its place in the queue, and what it says (a restored broker numbers anew).
 */
static uint64_t key_of(const struct saatto_delivery *d)
{
    struct sto_buf b;
    uint8_t hash[STO_SHA256_BYTES];
    uint64_t key = 0;

    sto_buf_init(&b, 0);
    sto_put_var(&b, d->shard);
    sto_put_var(&b, d->seq);
    sto_put_bytes(&b, d->case_id, sizeof d->case_id);
    sto_put_str(&b, d->kind);
    sto_put_str(&b, d->step);
    sto_put_var(&b, d->token);
    sto_put_var(&b, d->entry);
    sto_put_var(&b, d->offer);
    sto_put_var(&b, d->case_seq);
    sto_put_svar(&b, d->now_us);
    sto_sha256(b.data, b.len, hash);
    sto_buf_release(&b);
    for (unsigned i = 0; i < 8; i++) {
        key = key << 8 | hash[i];
    }
    return key != 0 ? key : 1;
}

static void copy_name(char out[STO_NAME_BYTES_MAX + 1], const char *s)
{
    size_t n = s != NULL ? strnlen(s, STO_NAME_BYTES_MAX) : 0;

    if (n != 0) {
        memcpy(out, s, n);
    }
    out[n] = '\0';
}

static bool is(const char *a, const char *b)
{
    return a != NULL && strcmp(a, b) == 0;
}

static void learn(struct policy_adapter *a, const struct saatto_delivery *d)
{
    struct sto_uuid id;
    const char *record = NULL;

    memcpy(id.b, d->case_id, sizeof id.b);
    for (size_t i = 0; i < d->n_fields; i++) {
        if (d->fields[i].type == SAATTO_TEXT && is(d->fields[i].name, "record")) {
            record = d->fields[i].text;
        }
    }
    plan_store_learn(a->store, &id, d->workflow, is(d->step_type, "session") ? d->step : NULL,
                     record);
}

/* What was planned for work that is void ends; so does the place it held. */
static void end_plans(struct policy_adapter *a, const struct saatto_delivery *d, bool closed)
{
    for (size_t i = plan_store_plans(a->store); i-- > 0;) {
        const struct plan *p = plan_store_at(a->store, i);
        bool of_case = memcmp(p->o.case_id.b, d->case_id, sizeof d->case_id) == 0;
        bool of_work =
            d->offer != 0 ? p->o.offer == d->offer : p->o.token == d->token && p->o.offer == 0;
        if (of_case && (closed || of_work)) {
            plan_store_drop(a->store, p->id);
        }
    }
}

/* One occasion: count it, find the rule, plan its first event. */
static void react(struct policy_adapter *a, struct occasion *o)
{
    struct plan p = {.o = *o};
    const struct known_case *known = plan_store_case(a->store, &o->case_id);

    if (known != NULL) {
        /* An attendance list names the network's service as its step: the case knows its own. */
        bool list = o->on == ON_RECORD && known->session_step[0] != '\0';
        copy_name(p.o.workflow, o->workflow[0] != '\0' ? o->workflow : known->workflow);
        copy_name(p.o.step, list ? known->session_step : o->step);
        memcpy(p.record, known->record, sizeof p.record);
    }
    p.o.n = plan_store_count(a->store, &o->case_id, o->on, p.o.step);
    const struct record_row *row = row_of(a, &p);
    const struct policy_rule *rule = policy_match(a->policy, &p.o, row, &p.choice);
    if (rule == NULL || rule->choices[p.choice].n_events == 0) {
        char id[37];
        sto_log(STO_DEBUG, rule == NULL ? "no_rule" : "silent", "case",
                sto_uuid_format(&o->case_id, id), "step", p.o.step, "kind", policy_on_name(o->on),
                NULL);
        return;
    }
    p.rule = (unsigned)(rule - a->policy->rules);
    p.due_us = policy_due_us(a->policy, calendar_of(a, &p.o), &p.o,
                             &rule->choices[p.choice].events[0], 0, row, p.o.now_us, 0);
    plan_store_put(a->store, &p);
}

static void occasions(struct policy_adapter *a, const struct saatto_delivery *d, uint64_t key,
                      int64_t now_us)
{
    struct occasion o = {.key = key,
                         .on = policy_on_parse(d->kind),
                         .event = d->event != NULL ? event_kind_parse(d->event) : 0,
                         .referral = is(d->step_type, "referral"),
                         .token = d->token,
                         .entry = d->entry,
                         .offer = d->offer,
                         .at_us = d->at_us,
                         .now_us = d->now_us != 0 ? d->now_us : now_us};

    copy_name(o.workflow, d->workflow);
    copy_name(o.step, d->step);
    copy_name(o.desk, d->desk);
    memcpy(o.case_id.b, d->case_id, sizeof o.case_id.b);
    if (o.on != ON_RECORD) {
        react(a, &o);
        return;
    }
    o.session_id = o.case_id;
    for (size_t i = 0; i < d->n_seats; i++) {
        memcpy(o.case_id.b, d->seats[i], sizeof o.case_id.b);
        react(a, &o);
    }
}

static int on_delivery(void *self, const struct saatto_delivery *d, int64_t now_us)
{
    struct policy_adapter *a = self;
    uint64_t key = key_of(d);

    if (!plan_store_seen(a->store, key)) {
        bool record = is(d->kind, "record"), closed = is(d->kind, "closed");
        if (!record) { /* that one is about a session, not a case */
            learn(a, d);
        }
        if (closed || is(d->kind, "withdrawn")) {
            end_plans(a, d, closed);
        }
        occasions(a, d, key, now_us);
        if (closed) {
            struct sto_uuid id;
            memcpy(id.b, d->case_id, sizeof id.b);
            plan_store_forget(a->store, &id);
        }
        plan_store_key(a->store, key);
    }
    if (a->n_taken == a->cap_taken) {
        a->cap_taken = a->cap_taken == 0 ? 64 : a->cap_taken * 2;
        a->taken = sto_xrealloc(a->taken, a->cap_taken * sizeof *a->taken);
    }
    a->taken[a->n_taken++] = (struct taken){d->shard, d->seq};
    return SAATTO_LATER;
}

/* One sync for all that came; then they may be acknowledged. */
static int step(void *self, int64_t mono_us)
{
    struct policy_adapter *a = self;
    struct sto_err err = {0};

    (void)mono_us;
    if (a->n_taken == 0) {
        return ADAPTER_WAIT_MAX;
    }
    int rc = plan_store_commit(a->store, true, &err);
    if (rc != 0) {
        sto_log(STO_ERROR, "journal_failed", "error", err.what, NULL);
    }
    for (size_t i = 0; i < a->n_taken; i++) {
        if (rc == 0) {
            a->link->ack(a->link->arg, a->taken[i].shard, a->taken[i].seq);
        } else {
            a->link->defer(a->link->arg, a->taken[i].shard, a->taken[i].seq, RETRY_MS);
        }
    }
    a->n_taken = 0;
    return ADAPTER_WAIT_MAX;
}

/* ---------------------------------------------------------------- events */

static size_t places_taken(const struct policy_adapter *a)
{
    size_t n = 0;

    for (size_t i = 0; i < plan_store_plans(a->store); i++) {
        n += plan_store_at(a->store, i)->place;
    }
    return n;
}

/* What the planned event becomes now. */
static enum event_kind kind_now(const struct policy_adapter *a, const struct plan *p,
                                const struct policy_event *e, unsigned i)
{
    if (policy_no_show(a->policy, &p->o, e, i)) {
        return e->kind == EVENT_MET ? EVENT_NO_SHOW : EVENT_MEETING_NO_SHOW;
    }
    if (e->kind == EVENT_ACCEPT && p->o.referral && a->policy->places >= 0 &&
        places_taken(a) >= (size_t)a->policy->places) {
        return EVENT_DECLINE;
    }
    return e->kind;
}

static int64_t meeting_of(const struct policy_adapter *a, const struct plan *p,
                          const struct policy_event *e, enum event_kind kind)
{
    if (kind == EVENT_BOOK || kind == EVENT_MEETING_BOOK) {
        return policy_meeting_us(a->policy, calendar_of(a, &p->o), e, row_of(a, p), p->due_us);
    }
    if (kind == EVENT_MET || kind == EVENT_NO_SHOW || kind == EVENT_MEETING_NO_SHOW) {
        return p->booked_us <= p->due_us ? p->booked_us : 0;
    }
    return 0;
}

/* Settles what a due plan sends and under which ticket; false = not now (the desk is closed). */
static bool prepare(struct policy_adapter *a, struct plan *p, int64_t now_us, int64_t ticket)
{
    const struct policy_choice *choice = choice_of(a, p);
    const struct policy_event *e = &choice->events[p->next];
    int64_t open = policy_open_us(a->policy, calendar_of(a, &p->o), now_us);

    if (open > now_us) { /* the worker was away when it was due */
        p->due_us = open;
        return false;
    }
    enum event_kind kind = kind_now(a, p, e, p->next);
    int64_t meeting = meeting_of(a, p, e, kind);
    if (kind == EVENT_BOOK || kind == EVENT_MEETING_BOOK) {
        /* of the plan's own time; a worker that comes back late books from now */
        p->booked_us = meeting > now_us ? meeting
                                        : policy_open_us(a->policy, calendar_of(a, &p->o),
                                                         now_us + STO_US_PER_HOUR);
    }
    p->sent_kind = kind;
    p->ticket = ticket;
    p->last = kind != e->kind || p->next + 1 == choice->n_events;
    p->place = p->place || (kind == EVENT_ACCEPT && p->o.referral);
    return true;
}

static int64_t send_plan(struct policy_adapter *a, const struct plan *p, struct sto_err *err)
{
    const struct policy_event *e = &choice_of(a, p)->events[p->next];
    enum event_kind kind = (enum event_kind)p->sent_kind;
    struct built_event built;
    bool books = kind == EVENT_BOOK || kind == EVENT_MEETING_BOOK;
    int64_t at = books ? p->booked_us : meeting_of(a, p, e, kind);

    policy_event_build(p, e, kind, at, row_of(a, p),
                       policy_workflow(&a->files.world, p->o.workflow), &built);
    return a->link->send(a->link->arg, &built.event, err);
}

/* The order must not depend on the order of arrival: time, case, kind, step, number. */
static int by_due(const void *x, const void *y)
{
    const struct plan *p = x, *q = y;

    if (p->due_us != q->due_us) {
        return p->due_us < q->due_us ? -1 : 1;
    }
    int c = memcmp(p->o.case_id.b, q->o.case_id.b, sizeof p->o.case_id.b);
    c = c != 0 ? c : (int)p->o.on - (int)q->o.on;
    c = c != 0 ? c : strcmp(p->o.step, q->o.step);
    return c != 0 ? c : (p->o.n > q->o.n) - (p->o.n < q->o.n);
}

static size_t find_due(struct policy_adapter *a, int64_t now_us)
{
    size_t n = 0, plans = plan_store_plans(a->store);

    if (a->cap_due < plans) {
        a->cap_due = plans * 2;
        a->due = sto_xrealloc(a->due, a->cap_due * sizeof *a->due);
    }
    for (size_t i = 0; i < plans; i++) {
        const struct plan *p = plan_store_at(a->store, i);
        if (p->ticket == 0 && p->due_us <= now_us) {
            a->due[n++] = *p;
        }
    }
    if (n != 0) {
        qsort(a->due, n, sizeof *a->due, by_due);
    }
    return n;
}

/* The next event, or the end of the sequence. */
static void go_on(struct policy_adapter *a, struct plan p)
{
    const struct policy_choice *choice = choice_of(a, &p);
    enum event_kind done = (enum event_kind)p.sent_kind;
    bool freed = done == EVENT_REPORT || done == EVENT_INTERRUPT;
    bool booked = done == EVENT_BOOK || done == EVENT_MEETING_BOOK;

    p.ticket = 0;
    if (freed) {
        p.place = false;
    }
    if (!p.last) {
        p.next++;
        p.due_us = policy_due_us(a->policy, calendar_of(a, &p.o), &p.o, &choice->events[p.next],
                                 p.next, row_of(a, &p), p.due_us, booked ? p.booked_us : 0);
        p.sent_kind = 0;
        plan_store_put(a->store, &p);
    } else if (p.place) {
        p.due_us = INT64_MAX; /* until the service ends */
        plan_store_put(a->store, &p);
    } else {
        plan_store_drop(a->store, p.id);
    }
    if (!freed || p.o.offer == 0) {
        return;
    }
    for (size_t i = plan_store_plans(a->store); i-- > 0;) { /* told by another sequence */
        const struct plan *q = plan_store_at(a->store, i);
        if (q->due_us == INT64_MAX && q->o.offer == p.o.offer &&
            sto_uuid_eq(&q->o.case_id, &p.o.case_id)) {
            plan_store_drop(a->store, q->id);
        }
    }
}

/* An event that cannot even be put in the outbox ends its sequence, unless trying again may help.
 */
static void send_failed(struct policy_adapter *a, const struct plan *p, int rc,
                        const struct sto_err *err)
{
    const struct sto_err_row *row = sto_err_row(-rc);
    struct plan again = *p;

    log_plan(STO_ERROR, "event_not_sent", a, p, "error", err->what);
    if (row != NULL && row->retryable) {
        again.ticket = 0;
        plan_store_put(a->store, &again);
    } else {
        plan_store_drop(a->store, p->id);
    }
}

static int64_t next_wake(const struct policy_adapter *a)
{
    int64_t wake = INT64_MAX;

    for (size_t i = 0; i < plan_store_plans(a->store); i++) {
        const struct plan *p = plan_store_at(a->store, i);
        if (p->ticket == 0 && p->due_us < wake) {
            wake = p->due_us;
        }
    }
    return wake == INT64_MAX ? 0 : wake;
}

static int64_t act(void *self, int64_t now_us)
{
    struct policy_adapter *a = self;
    struct sto_err err = {0};
    size_t n = find_due(a, now_us), ready = 0;
    int64_t ticket = a->link->last_ticket(a->link->arg);

    for (size_t i = 0; i < n; i++) {
        struct plan p = a->due[i];
        bool now = prepare(a, &p, now_us, ticket + 1);
        plan_store_put(a->store, &p);
        if (now) {
            ticket++;
            a->due[ready++] = p;
        }
    }
    if (ready != 0 && plan_store_commit(a->store, true, &err) != 0) {
        /* not written down, so nothing leaves; the plans stay due */
        sto_log(STO_ERROR, "journal_failed", "error", err.what, NULL);
        for (size_t i = 0; i < ready; i++) {
            a->due[i].ticket = 0;
            plan_store_put(a->store, &a->due[i]);
        }
        return now_us + STO_US_PER_SEC;
    }
    for (size_t i = 0; i < ready; i++) {
        struct plan *p = &a->due[i];
        int64_t got = send_plan(a, p, &err);
        if (got < 0) {
            send_failed(a, p, (int)got, &err);
        } else if (got != p->ticket) { /* one before it failed */
            p->ticket = got;
            plan_store_put(a->store, p);
        }
    }
    return next_wake(a);
}

static void on_result(void *self, int64_t ticket, int code, const char *what)
{
    struct policy_adapter *a = self;
    const struct plan *p = plan_store_ticket(a->store, ticket);
    struct sto_err err = {0};

    if (p == NULL) {
        if (code != 0) {
            sto_log(STO_INFO, "event_refused", "ticket", sto_i(ticket), "code",
                    saatto_code_text(code), "what", what, NULL);
        }
        return; /* its case closed or its step was withdrawn meanwhile */
    }
    if (code != 0 && code != STO_E_ALREADY) {
        log_plan(STO_WARN, "event_refused", a, p, "what", what);
        plan_store_drop(a->store, p->id);
    } else {
        log_plan(STO_DEBUG, "event_taken", a, p, "what", "");
        go_on(a, *p);
    }
    if (plan_store_commit(a->store, false, &err) != 0) {
        sto_log(STO_ERROR, "journal_failed", "error", err.what, NULL);
    }
}

/* ---------------------------------------------------------------- life */

/* Plans that the rules of today no longer know; and what became of events that were being sent. */
static void recover(struct policy_adapter *a, bool same)
{
    unsigned resumed = 0, dropped = 0;
    int64_t last = a->link->last_ticket(a->link->arg);

    for (size_t i = plan_store_plans(a->store); i-- > 0;) {
        if (i >= plan_store_plans(a->store)) {
            continue; /* going on with one may have dropped another */
        }
        struct plan p = *plan_store_at(a->store, i);
        bool known = p.rule < a->policy->n_rules && p.choice < a->policy->rules[p.rule].n_choices &&
                     p.next < choice_of(a, &p)->n_events;
        if (!known) {
            plan_store_drop(a->store, p.id);
            dropped++;
        } else if (p.ticket > last) { /* never reached the outbox */
            p.ticket = 0;
            plan_store_put(a->store, &p);
            resumed++;
        } else if (p.ticket > 0 && !a->link->ticket_waits(a->link->arg, p.ticket)) {
            go_on(a, p); /* answered while we fell */
            resumed++;
        }
    }
    sto_log(same ? STO_INFO : STO_WARN, same ? "plans_read" : "policy_changed", "plans",
            sto_i((int64_t)plan_store_plans(a->store)), "resumed", sto_i(resumed), "dropped",
            sto_i(dropped), NULL);
}

static void print_faults(const sto_diags_t *diags)
{
    for (size_t i = 0; i < sto_diags_count(diags); i++) {
        const struct sto_diag *d = sto_diags_at(diags, i);
        if (d->severity == STO_SEV_ERROR) {
            fprintf(stderr, "%s:%d: error: %s [%s]\n", d->file, d->line, d->text, d->code);
        }
    }
}

static int load_files(struct policy_adapter *a, const sto_settings_t *s, struct sto_err *err)
{
    sto_diags_t *diags = sto_diags_new();
    const char *folder = sto_settings_str(s, "workflows"), *policy = sto_settings_str(s, "policy");
    const char *org = sto_settings_str(s, "organisation");
    char *home = sto_home_dir(), *default_folder = sto_asprintf("%s/workflows", home);

    folder = folder[0] != '\0' ? folder : default_folder;
    char *default_policy = sto_asprintf("%s/policies/%s.cfg", folder, org);
    policy = policy[0] != '\0' ? policy : default_policy;
    int rc =
        policy_files_load(folder, sto_settings_str(s, "network"), policy, &a->files, diags, err);
    print_faults(diags);
    a->policy = a->files.policy;
    if (rc == 0 && strcmp(a->policy->organisation, org) != 0) {
        rc = sto_fail(err, STO_E_CONFIG,
                      "policy '%s' is of organisation '%s', this worker's is '%s'", policy,
                      a->policy->organisation, org);
    }
    a->org = rc == 0 ? network_org_by_id(a->files.network, org) : NULL;
    sto_diags_destroy(&diags);
    free(default_policy);
    free(default_folder);
    free(home);
    return rc;
}

static void close_policy(void **self_p)
{
    struct policy_adapter *a = *self_p;
    struct sto_err err = {0};

    if (a == NULL) {
        return;
    }
    if (a->store != NULL && plan_store_commit(a->store, true, &err) != 0) {
        sto_log(STO_ERROR, "journal_failed", "error", err.what, NULL);
    }
    plan_store_close(&a->store);
    policy_files_release(&a->files);
    free(a->taken);
    free(a->due);
    free(a);
    *self_p = NULL;
}

static int open_policy(const struct link *link, const sto_settings_t *s, void **self,
                       struct sto_err *err)
{
    struct policy_adapter *a = sto_xcalloc(1, sizeof *a);
    bool same = true;

    a->link = link;
    *self = a;
    int rc = load_files(a, s, err);
    rc = rc != 0 ? rc
                 : plan_store_open(sto_settings_str(s, "state-dir"), a->files.version, &same,
                                   &a->store, err);
    if (rc != 0) {
        close_policy(self);
        return rc;
    }
    recover(a, same);
    return plan_store_commit(a->store, true, err);
}

const struct adapter adapter_policy = {.name = "policy",
                                       .clock = true,
                                       .open = open_policy,
                                       .close = close_policy,
                                       .on_delivery = on_delivery,
                                       .on_result = on_result,
                                       .act = act,
                                       .step = step};
