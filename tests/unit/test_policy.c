/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The policy adapter: its language, its draws and times, and the whole adapter
 * against an outbox that stands in for libsaatto's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapter.h"
#include "policy_event.h"
#include "policy_load.h"
#include "policy_store.h"
#include "sto_file.h"
#include "sto_log.h"
#include "worker_settings.h"

#define WORKFLOWS SAATTO_SOURCE_DIR "/workflows"
#define SENT_MAX  512
#ifdef __SANITIZE_ADDRESS__
#define RESTART_EVERY 23 /* each start reads all workflows; the plain run has more */
#else
#define RESTART_EVERY 5
#endif

static int64_t instant(const char *text)
{
    int64_t us = 0;
    assert_int_equal(sto_us_parse(text, &us, NULL), 0);
    return us;
}

/* ---------------------------------------------------------------- addresses */

/* A place and a message go to the piece of work, a broken series has no offer but a token. */
static void an_event_names_what_it_answers(void **state)
{
    (void)state;
    static const struct {
        enum event_kind kind;
        unsigned offer;               /* of the delivery */
        unsigned token, entry, named; /* of the event; named: its offer */
    } answers[] = {{EVENT_TASK_RESULT, 0, 4, 2, 0},  {EVENT_PLACE_ANSWER, 0, 4, 2, 0},
                   {EVENT_PANEL_ANSWER, 0, 4, 2, 0}, {EVENT_ACCEPT, 3, 0, 0, 3},
                   {EVENT_INTERRUPT, 3, 0, 0, 3},    {EVENT_INTERRUPT, 0, 4, 0, 0}};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct plan p = {.o = {.token = 4, .entry = 2, .offer = answers[i].offer}};
        struct policy_event e = {.kind = answers[i].kind};
        struct built_event out;
        policy_event_build(&p, &e, e.kind, 0, NULL, NULL, &out);
        assert_int_equal(out.event.token, answers[i].token);
        assert_int_equal(out.event.entry, answers[i].entry);
        assert_int_equal(out.event.offer, answers[i].named);
    }
}

static void inside_a_call_its_fields_come_before_the_callers(void **state)
{
    (void)state;
    static struct wf_field fields[] = {{.id = "goal"}, {.id = "note"}, {.id = "support.note"}};
    workflow_t *wf = sto_xcalloc(1, sizeof *wf);
    memcpy(wf->fields, fields, sizeof fields);
    wf->n_fields = 3;
    assert_string_equal(policy_field(wf, "support.talk", "note"), "support.note");
    assert_string_equal(policy_field(wf, "support.talk", "goal"), "goal");
    assert_string_equal(policy_field(wf, "talk", "note"), "note");
    assert_null(policy_field(wf, "support.talk", "nothing"));
    free(wf);
}

/* ---------------------------------------------------------------- language */

static policy_t *parse(const char *body)
{
    sto_diags_t *diags = sto_diags_new();
    policy_t *p = NULL;
    char *text = sto_asprintf("policy : { organisation = \"verve\"; %s };", body);
    if (policy_parse("test.cfg", text, strlen(text), diags, &p) != 0) {
        fail_msg("%s", sto_diags_at(diags, 0)->text);
    }
    free(text);
    sto_diags_destroy(&diags);
    return p;
}

static void every_shipped_policy_is_right(void **state)
{
    (void)state;
    static const char *const orgs[] = {"kela-oulu",
                                       "nuorten-tyopaja",
                                       "oulu",
                                       "oulu-te",
                                       "tekninen-liikelaitos",
                                       "tuira-health",
                                       "verve",
                                       "yhdistys-koivu",
                                       "yhdistys-kuusi",
                                       "yritys-honka",
                                       "oulu-social",
                                       "oulu-typ",
                                       "development-project"};
    for (size_t i = 0; i < sizeof orgs / sizeof orgs[0]; i++) {
        sto_diags_t *diags = sto_diags_new();
        struct sto_err err = {0};
        struct policy_files files;
        char *path = sto_asprintf(WORKFLOWS "/policies/%s.cfg", orgs[i]);
        int rc = policy_files_load(WORKFLOWS, "oulu-2014", path, &files, diags, &err);
        for (size_t k = 0; k < sto_diags_count(diags); k++) {
            const struct sto_diag *d = sto_diags_at(diags, k);
            print_message("%s:%d: %s\n", d->file, d->line, d->text);
        }
        assert_int_equal(rc, 0);
        assert_string_equal(files.policy->organisation, orgs[i]);
        policy_files_release(&files);
        sto_diags_destroy(&diags);
        free(path);
    }
}

static void every_fault_of_a_file_is_told_in_one_run(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code;
    } faults[] = {
        {"sede = 1; rules = ( );", "unknown-key"},
        {"", "missing-key"},
        {"rules = ( { on = \"ofer\"; do = ( ); } );", "unknown-kind"},
        {"rules = ( { on = \"offer\"; } );", "missing-key"},
        {"rules = ( { on = \"offer\"; do = ( { event = \"acept\"; } ); } );", "unknown-event"},
        {"rules = ( { on = \"offer\"; do = ( { event = \"clock\"; } ); } );", "unknown-event"},
        {"rules = ( { on = \"offer\"; do = ( { event = \"decline\"; reason = \"x\"; } ); } );",
         "unknown-reason"},
        {"rules = ( { on = \"offer\"; do = ( { event = \"accept\"; no-show = 5; } ); } );",
         "not-possible"},
        {"rules = ( { on = \"offer\"; do = ( { event = \"book\"; at = \"+5 moons\"; } ); } );",
         "bad-duration"},
        {"absences = [ \"2008-07-20..2008-07-07\" ]; rules = ( );", "bad-date"},
        {"reaction : { from = \"2 days\"; to = \"1 day\"; }; rules = ( );", "out-of-range"},
        {"records = [ \"../secret.csv\" ]; rules = ( );", "bad-path"},
        {"rules = ( { on = \"offer\"; event = \"met\"; do = ( ); } );", "unknown-event"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        sto_diags_t *diags = sto_diags_new();
        policy_t *p = NULL;
        char *text = sto_asprintf("policy : { organisation = \"verve\"; %s };", faults[i].text);
        assert_int_equal(policy_parse("t.cfg", text, strlen(text), diags, &p), -STO_E_CONFIG);
        assert_null(p);
        assert_string_equal(sto_diags_at(diags, 0)->code, faults[i].code);
        sto_diags_destroy(&diags);
        free(text);
    }
}

static void names_that_stand_for_nothing_are_told(void **state)
{
    (void)state;
    static const char text[] =
        "policy : { organisation = \"verve\"; records = [ \"cohorts/info-500.csv\" ]; rules = (\n"
        "{ on = \"task\"; workflow = \"palkkatuk\"; do = ( ); },\n"
        "{ on = \"task\"; workflow = \"palkkatuki\"; step = \"aply\"; do = ( ); },\n"
        "{ on = \"task\"; workflow = \"palkkatuki\"; do = ( { event = \"task-result\"; exit = "
        "\"aplied\"; } ); },\n"
        "{ on = \"task\"; when : { colour = \"red\"; }; do = ( { event = \"task-result\"; exit = "
        "\"@shape\"; } ); },\n"
        "{ on = \"task\"; workflow = \"palkkatuki\"; do = ( { event = \"task-result\"; "
        "set : { x = 1; }; names : { employer = \"nobody\"; boss = \"oulu\"; }; } ); } ); };";
    static const char *const codes[] = {"unknown-workflow",     "unknown-step",   "unknown-exit",
                                        "unknown-column",       "unknown-column", "unknown-field",
                                        "unknown-organisation", "unknown-role"};
    char path[] = "/tmp/saatto-policy-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(sto_file_write(path, text, sizeof text - 1, 0600, NULL), 0);
    sto_diags_t *diags = sto_diags_new();
    struct policy_files files;
    struct sto_err err = {0};
    assert_int_equal(policy_files_load(WORKFLOWS, "oulu-2014", path, &files, diags, &err),
                     -STO_E_CONFIG);
    assert_int_equal(sto_diags_count(diags), sizeof codes / sizeof codes[0]);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_string_equal(sto_diags_at(diags, i)->code, codes[i]);
    }
    policy_files_release(&files);
    sto_diags_destroy(&diags);
    unlink(path);
}

/* ---------------------------------------------------------------- records and matching */

static records_t *records(const char *csv)
{
    sto_diags_t *diags = sto_diags_new();
    records_t *r = records_new();
    assert_int_equal(records_add(r, "r.csv", csv, strlen(csv), diags), 0);
    sto_diags_destroy(&diags);
    return r;
}

static void a_row_is_found_by_its_record(void **state)
{
    (void)state;
    records_t *r = records("record,note,kind\nb-2,\"said \"\"no\"\", twice\",city\na-1,,company\n");
    assert_int_equal(records_count(r), 2);
    assert_string_equal(record_value(records_find(r, "b-2"), "note"), "said \"no\", twice");
    assert_string_equal(record_value(records_find(r, "a-1"), "note"), "");
    assert_null(record_value(records_find(r, "a-1"), "colour"));
    assert_null(records_find(r, "c-3"));
    sto_diags_t *diags = sto_diags_new();
    assert_int_equal(records_add(r, "s.csv", "record\na-1\n", 11, diags), -STO_E_CONFIG);
    assert_int_equal(records_add(r, "t.csv", "name\nx\n", 7, diags), -STO_E_CONFIG);
    assert_int_equal(records_add(r, "u.csv", "record,x\nq,1,2\n", 15, diags), -STO_E_CONFIG);
    sto_diags_destroy(&diags);
    records_destroy(&r);
}

static unsigned matched(const policy_t *p, const struct occasion *o, const struct record_row *row)
{
    unsigned choice = 0;
    const struct policy_rule *rule = policy_match(p, o, row, &choice);
    return rule == NULL ? 0 : (unsigned)(rule - p->rules) + 1;
}

static void the_first_rule_that_matches_acts(void **state)
{
    (void)state;
    policy_t *p =
        parse("rules = ("
              "{ on = \"task\"; workflow = \"w\"; step = \"s\"; nth = 2; do = ( ); },"
              "{ on = \"task\"; step = \"s\"; when : { kind = \"city\"; months = 6; }; do = ( ); },"
              "{ on = \"task\"; step = \"s\"; do = ( { event = \"task-result\"; exit = \"@after\"; "
              "} ); },"
              "{ on = \"update\"; event = \"met\"; do = ( ); },"
              "{ on = \"task\"; do = ( ); } );");
    records_t *r = records("record,kind,months,after\n1,city,6,x\n2,city,7,x\n3,city,7,\n");
    struct occasion o = {.on = ON_TASK, .workflow = "w", .step = "s", .n = 1};
    assert_int_equal(matched(p, &o, records_find(r, "1")), 2);
    assert_int_equal(matched(p, &o, records_find(r, "2")), 3);
    assert_int_equal(matched(p, &o, records_find(r, "3")), 5); /* no exit to give */
    assert_int_equal(matched(p, &o, NULL), 5);
    o.n = 2;
    assert_int_equal(matched(p, &o, NULL), 1);
    memcpy(o.workflow, "v", 2);
    assert_int_equal(matched(p, &o, records_find(r, "1")), 2);
    o.on = ON_UPDATE;
    assert_int_equal(matched(p, &o, NULL), 0);
    o.event = EVENT_MET;
    assert_int_equal(matched(p, &o, NULL), 4);
    records_destroy(&r);
    policy_destroy(&p);
}

static void alternatives_are_drawn_by_their_weight(void **state)
{
    (void)state;
    policy_t *p = parse("rules = ( { on = \"offer\"; choose = ( { weight = 9; do = ( ); },"
                        "{ weight = 1; do = ( ); } ); } );");
    unsigned drawn[2] = {0, 0};
    for (unsigned i = 0; i < 2000; i++) {
        struct occasion o = {.on = ON_OFFER, .step = "s", .n = 1};
        unsigned choice = 9, again = 9;
        memcpy(o.case_id.b, &i, sizeof i);
        assert_non_null(policy_match(p, &o, NULL, &choice));
        assert_non_null(policy_match(p, &o, NULL, &again));
        assert_int_equal(choice, again);
        drawn[choice]++;
    }
    assert_in_range(drawn[1], 140, 260);
    policy_destroy(&p);
}

/* ---------------------------------------------------------------- times */

static void reactions_fall_into_working_time_and_not_into_absences(void **state)
{
    (void)state;
    policy_t *p = parse("reaction : { from = \"2 business hours\"; to = \"3 business days\"; };"
                        "absences = [ \"2008-03-12..2008-03-12\" ];"
                        "rules = ( { on = \"task\"; do = ( { event = \"task-result\"; } ); } );");
    struct calendar cal;
    calendar_default(&cal);
    const struct policy_event *e = &p->rules[0].choices[0].events[0];
    int64_t from = instant("2008-03-10 10:00"), earliest = INT64_MAX, latest = 0;
    int32_t away = sto_day_of_us(instant("2008-03-12"));
    for (unsigned i = 0; i < 400; i++) {
        struct occasion o = {.on = ON_TASK, .step = "s", .n = 1};
        memcpy(o.case_id.b, &i, sizeof i);
        int64_t due = policy_due_us(p, &cal, &o, e, 0, NULL, from, 0);
        assert_true(calendar_open_at(&cal, due));
        assert_int_not_equal(sto_day_of_us(due), away);
        assert_true(due >= instant("2008-03-10 12:00") && due <= instant("2008-03-14 08:00"));
        earliest = due < earliest ? due : earliest;
        latest = due > latest ? due : latest;
    }
    assert_true(earliest < instant("2008-03-10 14:00"));
    assert_true(latest >= instant("2008-03-13 08:00"));
    policy_destroy(&p);
}

static void delays_dates_and_meetings_mean_what_the_readme_says(void **state)
{
    (void)state;
    policy_t *p = parse(
        "rules = ( { on = \"offer\"; do = ("
        "{ event = \"accept\"; after = \"2 business hours\"; },"
        "{ event = \"book\"; at = \"+5 business days\"; after = \"1 business day\"; },"
        "{ event = \"met\"; },"
        "{ event = \"start-service\"; not-before = \"@starts\"; after = \"1 business hour\"; },"
        "{ event = \"book\"; at = \"@starts\"; } ); } );");
    records_t *r = records("record,starts\n1,2008-03-29\n2,\n");
    struct calendar cal;
    calendar_default(&cal);
    const struct policy_event *e = p->rules[0].choices[0].events;
    struct occasion o = {.on = ON_OFFER, .step = "s", .n = 1};
    const struct record_row *row = records_find(r, "1"), *empty = records_find(r, "2");
    int64_t monday = instant("2008-03-10 10:00");
    assert_int_equal(policy_due_us(p, &cal, &o, &e[0], 0, row, monday, 0),
                     instant("2008-03-10 12:00"));
    /* one business day ends with Tuesday; the first opening after it is Wednesday's */
    assert_int_equal(policy_due_us(p, &cal, &o, &e[1], 1, row, monday, 0),
                     instant("2008-03-12 08:00"));
    int64_t booked = policy_meeting_us(p, &cal, &e[1], row, monday);
    assert_int_equal(booked, instant("2008-03-18 08:00"));
    assert_int_equal(policy_due_us(p, &cal, &o, &e[2], 2, row, monday, booked), booked);
    /* the 29th is a Saturday */
    assert_int_equal(policy_due_us(p, &cal, &o, &e[3], 3, row, monday, 0),
                     instant("2008-03-31 08:00"));
    assert_int_equal(policy_due_us(p, &cal, &o, &e[3], 3, empty, monday, 0),
                     instant("2008-03-10 11:00"));
    assert_int_equal(policy_meeting_us(p, &cal, &e[4], row, monday), instant("2008-03-31 08:00"));
    /* a day that has come is booked an hour ahead */
    assert_int_equal(policy_meeting_us(p, &cal, &e[4], row, instant("2008-04-01 09:00")),
                     instant("2008-04-01 10:00"));
    records_destroy(&r);
    policy_destroy(&p);
}

/* ---------------------------------------------------------------- the adapter */

struct sent {
    int64_t at_us;
    struct saatto_event e; /* texts not kept */
    char exit[32], fields[160];
};
/* An outbox that stands in for libsaatto's. */
struct box {
    char dir[64];
    sto_settings_t *settings;
    struct link link;
    void *self;
    int64_t now_us;
    struct sent sent[SENT_MAX];
    size_t n_sent, answered;
    unsigned acked, deferred;
    bool lose;     /* the process "dies" before the outbox has the event */
    char *journal; /* as it stood then */
    size_t journal_len;
};

static void fields_text(const struct saatto_event *e, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < e->n_fields && n < cap; i++) {
        const struct saatto_field *f = &e->fields[i];
        n += (size_t)(f->type == SAATTO_TEXT
                          ? snprintf(out + n, cap - n, "%s='%s' ", f->name, f->text)
                          : snprintf(out + n, cap - n, "%s=%lld ", f->name, (long long)f->integer));
    }
    for (size_t i = 0; i < e->n_names && n < cap; i++) {
        n += (size_t)snprintf(out + n, cap - n, "%s:%s ", e->names[i].role,
                              e->names[i].organisation);
    }
}

static int64_t box_send(void *arg, const struct saatto_event *e, struct sto_err *err)
{
    struct box *b = arg;
    assert_true(b->n_sent < SENT_MAX);
    if (b->lose) {
        char *path = sto_asprintf("%s/plans.log", b->dir);
        assert_int_equal(sto_file_read(path, 1 << 20, &b->journal, &b->journal_len, NULL), 0);
        free(path);
        return sto_fail(err, STO_E_IO, "gone");
    }
    struct sent *s = &b->sent[b->n_sent];
    s->at_us = b->now_us;
    s->e = *e;
    snprintf(s->exit, sizeof s->exit, "%s", e->exit != NULL ? e->exit : "");
    fields_text(e, s->fields, sizeof s->fields);
    return (int64_t)++b->n_sent;
}

static void box_ack(void *arg, unsigned shard, uint64_t seq)
{
    (void)shard;
    (void)seq;
    ((struct box *)arg)->acked++;
}

static void box_defer(void *arg, unsigned shard, uint64_t seq, unsigned after_ms)
{
    (void)shard;
    (void)seq;
    (void)after_ms;
    ((struct box *)arg)->deferred++;
}

static int64_t box_last(void *arg)
{
    return (int64_t)((struct box *)arg)->n_sent;
}

static bool box_waits(void *arg, int64_t ticket)
{
    return ticket > (int64_t)((struct box *)arg)->answered;
}

static void set(sto_settings_t *s, const char *key, const char *value)
{
    struct sto_err err = {0};
    char *text = sto_asprintf("%s=%s", key, value);
    if (sto_settings_set(s, text, &err) != 0) {
        fail_msg("%s", err.what);
    }
    free(text);
}

static void open_adapter(struct box *b)
{
    struct sto_err err = {0};
    if (adapter_policy.open(&b->link, b->settings, &b->self, &err) != 0) {
        fail_msg("%s", err.what);
    }
}

static struct box *box_new(const char *organisation)
{
    struct box *b = calloc(1, sizeof *b);
    snprintf(b->dir, sizeof b->dir, "/tmp/saatto-policy-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    b->settings = sto_settings_new(worker_settings);
    set(b->settings, "organisation", organisation);
    set(b->settings, "state-dir", b->dir);
    set(b->settings, "workflows", WORKFLOWS);
    b->link = (struct link){b, box_send, box_ack, box_defer, box_last, box_waits};
    open_adapter(b);
    return b;
}

static void box_destroy(struct box *b)
{
    char *path = sto_asprintf("%s/plans.log", b->dir);
    adapter_policy.close(&b->self);
    sto_settings_destroy(&b->settings);
    unlink(path);
    free(path);
    assert_int_equal(rmdir(b->dir), 0);
    free(b);
}

static void restart(struct box *b)
{
    adapter_policy.close(&b->self);
    if (b->journal != NULL) { /* a process that dies writes no more */
        char *path = sto_asprintf("%s/plans.log", b->dir);
        assert_int_equal(sto_file_write(path, b->journal, b->journal_len, 0600, NULL), 0);
        free(path);
        free(b->journal);
        b->journal = NULL;
    }
    open_adapter(b);
}

static void deliver(struct box *b, const struct saatto_delivery *d)
{
    unsigned before = b->acked;
    assert_int_equal(adapter_policy.on_delivery(b->self, d, b->now_us), SAATTO_LATER);
    assert_int_equal(b->acked, before); /* not before it is in the journal */
    adapter_policy.step(b->self, 0);
    assert_int_equal(b->acked, before + 1);
}

/* Every event is answered by `code`. */
static void answer(struct box *b, int code)
{
    while (b->answered < b->n_sent) {
        b->answered++;
        adapter_policy.on_result(b->self, (int64_t)b->answered, code, "");
    }
}

/*
 * The manual clock from wake to wake until nothing is planned. restarts: the worker dies at every
 * fifth moment, before an answer and after one in turn; each time it reads all its files anew.
 */
static void run(struct box *b, bool restarts)
{
    for (int turns = 0; turns < 2000; turns++) {
        size_t before = b->n_sent;
        int64_t wake = adapter_policy.act(b->self, b->now_us);
        if (restarts && 2 * turns % RESTART_EVERY == 0) {
            restart(b);
        }
        answer(b, 0);
        if (restarts && (2 * turns + 1) % RESTART_EVERY == 0) {
            restart(b);
        }
        if (b->n_sent == before) {
            if (wake == 0) {
                return;
            }
            assert_true(wake > b->now_us);
            b->now_us = wake;
        }
    }
    fail_msg("the plans do not end");
}

static struct saatto_delivery offer_to(unsigned i, const char *workflow, const char *step)
{
    struct saatto_delivery d = {.shard = i % 4,
                                .seq = 1 + i / 4,
                                .kind = "offer",
                                .workflow = workflow,
                                .step = step,
                                .step_type = "referral",
                                .token = 3,
                                .entry = 1,
                                .offer = 7,
                                .case_seq = 5,
                                .now_us = instant("2008-03-10 10:00")};
    d.case_id[0] = (uint8_t)(i * 37);
    d.case_id[15] = (uint8_t)i;
    return d;
}

static void a_record_drives_a_sequence_to_its_end(void **state)
{
    (void)state;
    struct box *b = box_new("yritys-honka");
    struct saatto_field record = {.name = "record", .type = SAATTO_TEXT, .text = "ps-001"};
    struct saatto_delivery d = offer_to(1, "palkkatuki", "placement");
    d.now_us = b->now_us = instant("2005-05-02 10:00");
    d.fields = &record;
    d.n_fields = 1;
    deliver(b, &d);
    assert_int_equal(b->n_sent, 0);
    run(b, false);
    static const enum event_kind kinds[] = {EVENT_ACCEPT, EVENT_BOOK, EVENT_MET,
                                            EVENT_START_SERVICE, EVENT_REPORT};
    assert_int_equal(b->n_sent, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(b->sent[i].e.kind, kinds[i]);
        assert_int_equal(b->sent[i].e.offer, 7);
        assert_int_equal(b->sent[i].e.token, 0);
        assert_memory_equal(b->sent[i].e.case_id, d.case_id, 16);
    }
    /* contract 11 May 2005 to the report of 9 March 2006, as the row says */
    assert_int_equal(sto_day_of_us(b->sent[1].e.at_us), sto_day_of_us(instant("2005-05-11")));
    assert_int_equal(b->sent[2].at_us, b->sent[1].e.at_us);
    assert_int_equal(b->sent[2].e.at_us, b->sent[1].e.at_us);
    assert_true(b->sent[3].at_us > b->sent[2].at_us);
    assert_int_equal(sto_day_of_us(b->sent[4].at_us), sto_day_of_us(instant("2006-03-09")));
    assert_string_equal(b->sent[4].fields, "follow-up-notes='Työ sujui sovitusti.' ");
    box_destroy(b);
}

static void values_of_a_row_become_what_their_fields_ask_for(void **state)
{
    (void)state;
    struct box *b = box_new("oulu");
    struct saatto_field record = {.name = "record", .type = SAATTO_TEXT, .text = "ps-001"};
    struct saatto_delivery d = offer_to(2, "palkkatuki", "prepare");
    d.kind = "task";
    d.step_type = "task";
    d.offer = 0;
    d.fields = &record;
    d.n_fields = 1;
    b->now_us = d.now_us;
    deliver(b, &d);
    struct saatto_delivery w = offer_to(3, "keuruu-info-500", "why-absent");
    record.text = "in-002";
    w.kind = "task";
    w.step_type = "task";
    w.fields = &record;
    w.n_fields = 1;
    deliver(b, &w);
    run(b, false);
    assert_int_equal(b->n_sent, 2);
    assert_string_equal(b->sent[0].exit, "done");
    assert_string_equal(b->sent[0].fields, "valid-reason=1 ");
    assert_string_equal(b->sent[1].exit, "place-found");
    assert_string_equal(b->sent[1].fields, "employer-kind='company' months-asked=10 "
                                           "job-goals='kassa ja varasto' employer:yritys-honka ");
    assert_int_equal(b->sent[1].e.token, 3);
    assert_int_equal(b->sent[1].e.entry, 1);
    assert_int_equal(b->sent[1].e.offer, 0);
    box_destroy(b);
}

static void attendance_is_recorded_for_each_seat(void **state)
{
    (void)state;
    struct box *b = box_new("oulu");
    static const char *const people[] = {"in-001", "in-002", "in-003"};
    uint8_t seats[3][16];
    for (unsigned i = 0; i < 3; i++) { /* the invitations told who is who */
        struct saatto_field record = {.name = "record", .type = SAATTO_TEXT, .text = people[i]};
        struct saatto_delivery d = offer_to(i, "keuruu-info-500", "event");
        d.kind = "notice";
        d.step_type = "session";
        d.fields = &record;
        d.n_fields = 1;
        memcpy(seats[i], d.case_id, 16);
        deliver(b, &d);
    }
    struct saatto_delivery r = {.kind = "record",
                                .step = "info-event", /* the service; the rule knows the step */
                                .seq = 90,
                                .seats = (const uint8_t(*)[16])seats,
                                .n_seats = 3,
                                .now_us = instant("2008-02-12 12:00"),
                                .at_us = instant("2008-02-12 12:00")};
    memset(r.case_id, 0xee, 16);
    b->now_us = r.now_us;
    deliver(b, &r);
    run(b, false);
    assert_int_equal(b->n_sent, 3);
    for (size_t i = 0; i < 3; i++) {
        unsigned who = b->sent[i].e.subject_case[15];
        assert_int_equal(b->sent[i].e.kind, EVENT_SESSION_RECORD);
        assert_memory_equal(b->sent[i].e.case_id, r.case_id, 16);
        assert_string_equal(b->sent[i].exit, who == 0 ? "attended" : "absent");
    }
    /* the second list of who came again */
    r.seq = 91;
    r.seats = (const uint8_t(*)[16])(seats + 1);
    r.n_seats = 1;
    r.now_us = b->now_us = instant("2008-03-11 12:00");
    deliver(b, &r);
    run(b, false);
    assert_int_equal(b->n_sent, 4);
    assert_string_equal(b->sent[3].exit, "attended");
    box_destroy(b);
}

static void same_events(const struct box *a, const struct box *b)
{
    assert_int_equal(a->n_sent, b->n_sent);
    for (size_t i = 0; i < a->n_sent; i++) {
        assert_int_equal(a->sent[i].at_us, b->sent[i].at_us);
        assert_int_equal(a->sent[i].e.kind, b->sent[i].e.kind);
        assert_int_equal(a->sent[i].e.at_us, b->sent[i].e.at_us);
        assert_int_equal(a->sent[i].e.reason, b->sent[i].e.reason);
        assert_memory_equal(a->sent[i].e.case_id, b->sent[i].e.case_id, 16);
    }
}

/* Forty offers at one instant to an organisation with fifteen places. */
static struct box *forty_offers(bool backwards, bool restarts)
{
    struct box *b = box_new("verve");
    b->now_us = instant("2008-03-10 10:00");
    for (unsigned i = 0; i < 40; i++) {
        struct saatto_delivery d = offer_to(backwards ? 39 - i : i, "any", "service");
        if (backwards) {
            d.seq += 1000; /* numbers of a queue are no part of what happens */
        }
        deliver(b, &d);
        if (restarts && i % 7 == 0) {
            deliver(b, &d); /* it was not acknowledged in time */
            restart(b);
            deliver(b, &d);
        }
    }
    run(b, restarts);
    return b;
}

static void neither_order_of_arrival_nor_restarts_change_what_happens(void **state)
{
    (void)state;
    struct box *a = forty_offers(false, false), *b = forty_offers(true, false);
    struct box *c = forty_offers(false, true);
    same_events(a, b);
    same_events(a, c);
    unsigned accepted = 0, full = 0, refused = 0;
    for (size_t i = 0; i < a->n_sent; i++) {
        accepted += a->sent[i].e.kind == EVENT_ACCEPT;
        full += a->sent[i].e.kind == EVENT_DECLINE && a->sent[i].e.reason == REASON_CAPACITY;
        refused += a->sent[i].e.kind == EVENT_DECLINE && a->sent[i].e.reason == REASON_NOT_ELIGIBLE;
    }
    assert_int_equal(accepted, 15);
    assert_int_equal(accepted + full + refused, 40);
    assert_true(full > 0 && refused > 0);
    box_destroy(a);
    box_destroy(b);
    box_destroy(c);
}

static void a_place_is_free_again_when_the_service_ends(void **state)
{
    (void)state;
    struct box *b = forty_offers(false, false);
    struct saatto_delivery d = {.kind = "withdrawn", .seq = 5000, .offer = 7};
    size_t before = b->n_sent;
    for (size_t i = 0; i < before; i++) { /* all that run are withdrawn */
        if (b->sent[i].e.kind == EVENT_ACCEPT) {
            memcpy(d.case_id, b->sent[i].e.case_id, 16);
            d.seq++;
            deliver(b, &d);
        }
    }
    unsigned accepted = 0;
    for (unsigned i = 40; i < 80; i++) {
        struct saatto_delivery o = offer_to(i, "any", "service");
        o.now_us = b->now_us;
        deliver(b, &o);
    }
    run(b, false);
    for (size_t i = before; i < b->n_sent; i++) {
        accepted += b->sent[i].e.kind == EVENT_ACCEPT;
    }
    assert_int_equal(accepted, 15);
    box_destroy(b);
}

static void a_plan_ends_with_its_work_its_case_or_a_refusal(void **state)
{
    (void)state;
    static const char *const endings[] = {"withdrawn", "closed", "refused"};
    for (unsigned i = 0; i < 3; i++) {
        struct box *b = box_new("verve");
        struct saatto_delivery d = offer_to(1, "any", "service");
        b->now_us = d.now_us;
        deliver(b, &d);
        if (i == 2) {
            b->now_us = adapter_policy.act(b->self, b->now_us);
            adapter_policy.act(b->self, b->now_us);
            assert_int_equal(b->n_sent, 1);
            answer(b, STO_E_WRONG_STATE);
        } else {
            d.kind = endings[i];
            d.seq++;
            deliver(b, &d);
        }
        size_t sent = b->n_sent;
        assert_int_equal(adapter_policy.act(b->self, b->now_us), 0);
        run(b, false);
        assert_int_equal(b->n_sent, sent);
        box_destroy(b);
    }
}

static void an_event_that_never_reached_the_outbox_is_sent_after_the_restart(void **state)
{
    (void)state;
    struct box *b = box_new("verve");
    struct saatto_delivery d = offer_to(1, "any", "service");
    b->now_us = d.now_us;
    deliver(b, &d);
    b->now_us = adapter_policy.act(b->self, b->now_us);
    b->lose = true;
    adapter_policy.act(b->self, b->now_us); /* journalled, and no more */
    b->lose = false;
    restart(b);
    assert_int_equal(b->n_sent, 0);
    adapter_policy.act(b->self, b->now_us);
    assert_int_equal(b->n_sent, 1);
    restart(b); /* in the outbox, unanswered: not sent again */
    adapter_policy.act(b->self, b->now_us);
    assert_int_equal(b->n_sent, 1);
    b->answered = 1; /* answered while nobody listened: the sequence goes on */
    restart(b);
    assert_true(adapter_policy.act(b->self, b->now_us) > b->now_us);
    box_destroy(b);
}

static void a_desk_that_was_closed_when_the_worker_came_back_waits_for_its_opening(void **state)
{
    (void)state;
    struct box *b = box_new("verve");
    struct saatto_delivery d = offer_to(1, "any", "service");
    b->now_us = d.now_us;
    deliver(b, &d);
    b->now_us = instant("2008-03-15 12:00"); /* Saturday, long after */
    assert_int_equal(adapter_policy.act(b->self, b->now_us), instant("2008-03-17 08:00"));
    assert_int_equal(b->n_sent, 0);
    box_destroy(b);
}

static void a_torn_journal_keeps_what_was_committed(void **state)
{
    (void)state;
    char dir[] = "/tmp/saatto-plans-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *path = sto_asprintf("%s/plans.log", dir), *data = NULL;
    plan_store_t *s = NULL;
    struct sto_uuid id = {{1, 2, 3}};
    size_t len = 0;
    bool same = false;
    assert_int_equal(plan_store_open(dir, 7, &same, &s, NULL), 0);
    assert_true(same);
    struct plan p = {.o = {.case_id = id, .on = ON_TASK, .n = 2}, .due_us = 99, .place = true};
    plan_store_learn(s, &id, "w", NULL, "ps-001");
    assert_int_equal(plan_store_count(s, &id, ON_TASK, "s"), 1);
    uint64_t plan = plan_store_put(s, &p);
    plan_store_key(s, 4711);
    assert_int_equal(plan_store_commit(s, true, NULL), 0);
    assert_int_equal(plan_store_count(s, &id, ON_TASK, "s"), 2);
    plan_store_drop(s, plan);
    plan_store_key(s, 4712);
    assert_int_equal(plan_store_commit(s, true, NULL), 0);
    plan_store_close(&s);
    assert_int_equal(sto_file_read(path, 1 << 20, &data, &len, NULL), 0);
    for (size_t cut = 1; cut < 30; cut++) {
        assert_int_equal(sto_file_write(path, data, len - cut, 0600, NULL), 0);
        assert_int_equal(plan_store_open(dir, 8, &same, &s, NULL), 0);
        assert_false(same);
        assert_true(plan_store_seen(s, 4711));
        assert_false(plan_store_seen(s, 4712)); /* all of the second commit or nothing */
        assert_int_equal(plan_store_plans(s), 1);
        assert_true(plan_store_at(s, 0)->place);
        assert_string_equal(plan_store_case(s, &id)->record, "ps-001");
        assert_int_equal(plan_store_count(s, &id, ON_TASK, "s"), 2);
        plan_store_close(&s);
    }
    free(data);
    unlink(path);
    free(path);
    assert_int_equal(rmdir(dir), 0);
}

static int prepare(void **state)
{
    (void)state;
    sto_time_init();
    sto_log_init("test", STO_WARN);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_names_what_it_answers),
        cmocka_unit_test(inside_a_call_its_fields_come_before_the_callers),
        cmocka_unit_test(every_shipped_policy_is_right),
        cmocka_unit_test(every_fault_of_a_file_is_told_in_one_run),
        cmocka_unit_test(names_that_stand_for_nothing_are_told),
        cmocka_unit_test(a_row_is_found_by_its_record),
        cmocka_unit_test(the_first_rule_that_matches_acts),
        cmocka_unit_test(alternatives_are_drawn_by_their_weight),
        cmocka_unit_test(reactions_fall_into_working_time_and_not_into_absences),
        cmocka_unit_test(delays_dates_and_meetings_mean_what_the_readme_says),
        cmocka_unit_test(a_record_drives_a_sequence_to_its_end),
        cmocka_unit_test(values_of_a_row_become_what_their_fields_ask_for),
        cmocka_unit_test(attendance_is_recorded_for_each_seat),
        cmocka_unit_test(neither_order_of_arrival_nor_restarts_change_what_happens),
        cmocka_unit_test(a_place_is_free_again_when_the_service_ends),
        cmocka_unit_test(a_plan_ends_with_its_work_its_case_or_a_refusal),
        cmocka_unit_test(an_event_that_never_reached_the_outbox_is_sent_after_the_restart),
        cmocka_unit_test(a_desk_that_was_closed_when_the_worker_came_back_waits_for_its_opening),
        cmocka_unit_test(a_torn_journal_keeps_what_was_committed),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
