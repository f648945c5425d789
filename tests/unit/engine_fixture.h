/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * For tests of the engine: a network, small workflows, and a case that is driven one
 * event at a time. Every event that is taken is checked on its way: the fact's bytes
 * read back, evolve gives the same state from them, and the invariants hold.
 */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "shared.h"

enum { TE = 1, CITY = 2, HEALTH = 3, FIRM = 4, COORD = 5, TE_NEW = 6, CLUB = 7 };
#define DAY_US  (24 * STO_US_PER_HOUR)
#define T0_TEXT "2008-01-07 09:00" /* a Monday */

static const char ENGINE_NETWORK[] =
    "network : { id = \"enginenet\"; version = 1; coordinator = \"coord\";\n"
    "  categories = [ \"dealings\", \"identity\", \"plan\", \"health\" ]; };\n"
    "organisations : {\n"
    "  te : { number = 1; name = \"TE\"; kinds = [ \"te-office\", \"holder\" ]; may-hold = true;\n"
    "    valid = [ \"\", \"2008-12-31\" ]; successor = \"te-new\"; desks : { intake : { number = "
    "1; lead = \"L\"; }; back : { number = 2; }; }; };\n"
    "  city : { number = 2; name = \"City\"; kinds = [ \"municipality\", \"holder\" ]; "
    "municipality = \"city\";\n"
    "    may-hold = true; desks : { intake : { number = 1; }; guidance : { number = 2; }; }; };\n"
    "  health : { number = 3; name = \"Health\"; kinds = [ \"health-station\", \"holder\" ]; "
    "municipality = \"city\";\n"
    "    may-hold = true; desks : { nurses : { number = 1; }; }; };\n"
    "  firm : { number = 4; name = \"Firm\"; kinds = [ \"employer\" ]; desks : { shop : { number = "
    "1; }; }; };\n"
    "  coord : { number = 5; name = \"Coordinator\"; kinds = [ \"office\" ]; may-hold = true;\n"
    "    desks : { all : { number = 1; }; }; };\n"
    "  te-new : { number = 6; name = \"Area\"; kinds = [ \"te-office\", \"area\" ]; may-hold = "
    "true;\n"
    "    desks : { intake : { number = 1; }; }; };\n"
    "  club : { number = 7; name = \"Club\"; kinds = [ \"club\" ]; desks : { desk : { number = 1; "
    "}; }; };\n"
    "};\n"
    "calendars : { office : { open = ( { days = [ \"mon\", \"tue\", \"wed\", \"thu\", \"fri\" ];\n"
    "  hours = [ \"08:00-16:00\" ]; } ); holidays = true; }; };\n"
    "ladders : { default : { rungs = ( { before = \"1 business day\"; to = \"ball\"; },\n"
    "  { after = \"1 business day\"; to = \"desk-lead\"; }, { after = \"3 business days\"; to = "
    "\"sender-lead\"; },\n"
    "  { after = \"5 business days\"; to = \"coordinator\"; } ); }; };\n"
    "bases : { act : { number = 1; version = 3; kind = \"statute\"; purpose = \"services\";\n"
    "  receivers : { kinds = [ \"te-office\", \"municipality\", \"health-station\", \"office\" ]; "
    "};\n"
    "  categories = [ \"dealings\", \"identity\", \"plan\" ]; valid = [ \"2001-01-01\", \"\" ]; "
    "document = \"act\"; };\n"
    "  deal : { number = 2; version = 1; kind = \"contract\"; purpose = \"services\";\n"
    "  receivers : { kinds = [ \"employer\" ]; };\n"
    "  categories = [ \"dealings\" ]; valid = [ \"2001-01-01\", \"\" ]; document = \"deal\"; }; "
    "};\n"
    "services : { guidance : { number = 1; organisation = \"city\"; desk = \"guidance\"; };\n"
    "  event : { number = 2; organisation = \"city\"; desk = \"guidance\";\n"
    "    dates = \"FREQ=WEEKLY;BYDAY=TU\"; from = \"2008-01-01\"; at = \"10:00\"; places = 2;\n"
    "    invite = \"7 days\"; record = \"1 business day\"; };\n"
    "  pool : { number = 3; organisation = \"city\"; desk = \"guidance\"; places = 2;\n"
    "    answer = \"5 business days\"; declined = \"keeps-turn\"; };\n"
    "  spot : { number = 4; organisation = \"firm\"; desk = \"shop\"; places = 1; };\n"
    "  voucher : { number = 5; organisation = \"city\"; desk = \"guidance\"; quota = 3; };\n"
    "  deal-work : { number = 7; organisation = \"club\"; desk = \"desk\"; agreement = "
    "\"club-2008\"; }; };\n"
    "panels : { board : { number = 6; organisation = \"city\"; desk = \"guidance\";\n"
    "    dates = \"FREQ=MONTHLY;BYDAY=1TU\"; from = \"2008-01-01\"; at = \"10:00\";\n"
    "    cut-off = \"7 days\"; material = \"2 days\"; places = 9; members = [ \"health\", "
    "\"firm\" ]; quorum = 1; }; };\n"
    "settings : { dates : { limit = 300; }; };\n";

static const struct instrument ENGINE_INSTRUMENT = {
    .id = "ability", .category = "plan", .items = 3, .min = 0, .max = 100};

#define ENGINE_HEAD(name)                                                                          \
    "workflow : { id = \"" name "\"; version = 1; source = \"test\"; purpose = \"services\";\n"    \
    "  data : { days : { type = \"integer\"; min = 0; category = \"dealings\"; };\n"               \
    "    hetu : { type = \"hetu\"; category = \"identity\"; sealed = true; };\n"                   \
    "    note : { type = \"text\"; category = \"plan\"; };\n"                                      \
    "    secret : { type = \"text\"; category = \"health\"; };\n"                                  \
    "    more : { type = \"boolean\"; category = \"dealings\"; };\n"                               \
    "    ends : { type = \"date\"; category = \"plan\"; }; };\n"

/* A transfer to whom the holder picks; the page's machine with every state. */
static const char WF_TRANSFER[] = ENGINE_HEAD(
    "transfer") "  roles : { te : { kind = \"te-office\"; choose = \"start\"; }; recv : { kind = "
                "\"holder\"; choose = \"desk\"; }; };\n"
                "  start : { by = [ \"te\" ]; requires = [ \"days\" ]; first = \"hand\"; };\n"
                "  on : { client-left = \"fin\"; };\n"
                "  steps : {\n"
                "    hand : { type = \"handover\"; to = \"recv\"; teaser = [ \"days\" ]; carries = "
                "[ \"days\", \"hetu\", \"note\", \"secret\" ];\n"
                "      collects = [ \"note\" ]; on : { taken-over = \"after\"; }; };\n"
                "    after : { type = \"task\"; role = \"holder\"; within = \"5 business days\"; "
                "on : { done = \"fin\"; expired = \"stay\"; }; };\n"
                "    fin : { type = \"end\"; outcome = \"fine\"; records = [ \"days\" ]; };\n"
                "  }; };\n";

/* An end that waits for the right of return; exits of its own for a no and for giving back. */
static const char WF_LOOP_CLOSED[] = ENGINE_HEAD(
    "loop-closed") "  roles : { te : { kind = \"te-office\"; choose = \"start\"; }; recv : { kind "
                   "= \"municipality\"; choose = \"free\"; }; };\n"
                   "  start : { by = [ \"te\" ]; requires = [ \"days\" ]; first = \"hand\"; };\n"
                   "  on : { client-left = \"fin\"; };\n"
                   "  steps : {\n"
                   "    hand : { type = \"handover\"; to = \"recv\"; teaser = [ \"days\" ]; "
                   "carries = [ \"days\", \"hetu\" ]; meeting = \"by-phone\";\n"
                   "      on : { taken-over = \"fin\"; returned = \"again\"; declined = "
                   "\"said-no\"; given-back = \"again\"; }; };\n"
                   "    again : { type = \"task\"; role = \"holder\"; within = \"5 business "
                   "days\"; on : { offer = \"hand\"; stop = \"fin\"; expired = \"stay\"; }; };\n"
                   "    said-no : { type = \"task\"; role = \"holder\"; within = \"5 business "
                   "days\"; on : { offer = \"hand\"; expired = \"stay\"; }; };\n"
                   "    fin : { type = \"end\"; outcome = \"stopped\"; };\n"
                   "  }; };\n";

/* A service and a question; something beside the service. */
static const char WF_SERVICE[] = ENGINE_HEAD(
    "service") "  roles : { te : { kind = \"te-office\"; choose = \"start\"; }; firm : { kind = "
               "\"employer\"; choose = \"step\"; };\n"
               "    doctor : { kind = \"health-station\"; choose = \"home\"; }; };\n"
               "  start : { by = [ \"te\" ]; requires = [ \"days\" ]; first = \"ask\"; };\n"
               "  on : { client-left = \"fin\"; };\n"
               "  steps : {\n"
               "    ask : { type = \"task\"; role = \"holder\"; within = \"5 business days\";\n"
               "      on : { place : { to = \"serve\"; names = [ \"firm\" ]; }; health = "
               "\"advice\"; expired = \"stay\"; }; };\n"
               "    advice : { type = \"consult\"; to = \"doctor\"; teaser = [ \"days\" ]; carries "
               "= [ \"days\", \"note\" ]; collects = [ \"more\" ];\n"
               "      on : { answered = \"ask\"; returned = \"ask\"; }; };\n"
               "    serve : { type = \"referral\"; to = \"firm\"; teaser = [ \"days\" ]; carries = "
               "[ \"days\", \"hetu\" ]; collects = [ \"note\" ];\n"
               "      at-least = \"2 days\"; within = \"30 days\";\n"
               "      meanwhile : { review : { starts = \"half-way\"; type = \"task\"; role = "
               "\"holder\"; within = \"3 business days\";\n"
               "          on : { fine = \"join\"; enough = \"leave:enough\"; expired = \"join\"; "
               "}; };\n"
               "        visit : { starts = \"every 7 days\"; type = \"notify\"; to = [ \"holder\" "
               "]; text = \"visit\"; next = \"join\"; }; };\n"
               "      on : { done = \"talk\"; enough = \"talk\"; expired = \"talk\"; returned = "
               "\"ask\"; interrupted = \"ask\"; }; };\n"
               "    talk : { type = \"meeting\"; role = \"holder\"; with = [ \"client\", \"firm\" "
               "]; within = \"10 business days\"; at-most = 2;\n"
               "      on : { held = \"fin\"; no-show = \"talk\"; expired = \"stay\"; too-often = "
               "\"ask\"; }; };\n"
               "    fin : { type = \"end\"; outcome = \"served\"; records = [ \"note\" ]; };\n"
               "  }; };\n";

/* Stages, branches, loops, messages, consents; a handover in a branch; a session. */
static const char WF_BRANCHES[] = ENGINE_HEAD(
    "branches") "  roles : { te : { kind = \"te-office\"; choose = \"start\"; }; home : { kind = "
                "\"municipality\"; service = \"guidance\"; choose = \"home\"; };\n"
                "    firm : { kind = \"employer\"; choose = \"free\"; }; };\n"
                "  settings : { window : { type = \"duration\"; default = \"7 days\"; max = \"14 "
                "days\"; }; };\n"
                "  consents : { tell : { to = [ \"firm\" ]; categories = [ \"plan\", \"health\" ]; "
                "lasts = \"60 days\"; }; };\n"
                "  messages : { verdict : { from = [ \"home\", \"holder\" ]; answers = [ "
                "\"granted\", \"refused\" ]; }; alarm : { from = [ \"firm\", \"holder\" ]; }; };\n"
                "  start : { by = [ \"te\" ]; requires = [ \"days\" ]; first = \"phase\"; };\n"
                "  within = \"2 years\";\n"
                "  on : { client-left = \"gone\"; expired = \"stay\"; };\n"
                "  meanwhile : { watch : { starts = \"every 1 month\"; type = \"task\"; role = "
                "\"holder\"; within = \"3 business days\"; on : { done = \"join\"; expired = "
                "\"join\"; }; }; };\n"
                "  steps : {\n"
                "    phase : { type = \"stage\"; first = [ \"event\", \"work\", \"hand\" ]; "
                "wait-for = 2; within = \"4 months\";\n"
                "      steps : {\n"
                "        event : { type = \"session\"; of = \"event\"; role = \"home\"; carries = "
                "[ \"hetu\" ]; within = \"2 months\"; at-most = 3;\n"
                "          on : { attended = \"join\"; excused = \"event\"; absent = \"why\"; "
                "expired = \"why\"; too-often = \"why\"; }; };\n"
                "        why : { type = \"task\"; role = \"client\"; helps = \"home\"; collects = "
                "[ \"more\" ]; within = \"window\"; at-most = 2;\n"
                "          on : { done = \"judge\"; expired = \"leave:broken\"; too-often = "
                "\"leave:broken\"; }; };\n"
                "        judge : { type = \"decide\"; rules = ( { when = \"more\"; to = \"event\"; "
                "}, { to = \"leave:broken\"; } ); };\n"
                "        work : { type = \"task\"; role = \"firm\"; carries = [ \"days\", "
                "\"note\", \"secret\" ]; collects = [ \"ends\" ]; within = \"window\";\n"
                "          meanwhile : { alarmed : { starts = \"alarm\"; type = \"task\"; role = "
                "\"holder\"; within = \"1 day\"; on : { done = \"join\"; enough = \"leave:done\"; "
                "expired = \"join\"; }; }; };\n"
                "          on : { done = \"rest\"; declined = \"say\"; expired = \"say\"; }; };\n"
                "        say : { type = \"notify\"; to = [ \"firm\", \"home\" ]; carries = [ "
                "\"note\" ]; text = \"over\"; next = \"rest\"; };\n"
                "        rest : { type = \"wait\"; for = \"3 days\"; on : { done = "
                "\"verdict-wait\"; }; };\n"
                "        verdict-wait : { type = \"wait\"; message = \"verdict\"; within = \"20 "
                "days\"; on : { granted = \"join\"; refused = \"work\"; expired = \"join\"; }; };\n"
                "        hand : { type = \"handover\"; to = \"home\"; meeting = \"at:event\"; "
                "teaser = [ \"days\" ]; carries = [ \"days\", \"hetu\", \"note\" ];\n"
                "          clocks : { answer = \"window\"; stable = \"10 days\"; };\n"
                "          on : { taken-over = \"follow\"; returned = \"think\"; no-basis = "
                "\"think\"; }; };\n"
                "        follow : { type = \"meeting\"; role = \"holder\"; with = [ \"client\", "
                "\"te\" ]; carries = [ \"days\" ]; within = \"10 business days\";\n"
                "          on : { held = \"join\"; no-show = \"join\"; expired = \"stay\"; }; };\n"
                "        think : { type = \"task\"; role = \"holder\"; within = \"3 business "
                "days\"; at-most = 3;\n"
                "          on : { again = \"hand\"; enough = \"join\"; expired = \"stay\"; "
                "too-often = \"join\"; }; };\n"
                "      };\n"
                "      on : { done = \"result\"; broken = \"result\"; expired = \"result\"; "
                "tell-lost = \"result\"; }; };\n"
                "    result : { type = \"task\"; role = \"holder\"; within = \"5 business days\"; "
                "on : { more = \"phase\"; close = \"fin\"; expired = \"stay\"; }; };\n"
                "    fin : { type = \"end\"; outcome = \"finished\"; records = [ \"days\", "
                "\"more\" ]; };\n"
                "    gone : { type = \"end\"; outcome = \"gone\"; };\n"
                "  }; };\n";

/* Conditions over everything, dates, roles named at the start, a setting that the network changes.
 */
static const char WF_DATES[] = ENGINE_HEAD(
    "dates") "  roles : { te : { kind = \"te-office\"; choose = \"start\"; worker = \"named\"; }; "
             "firm : { kind = \"employer\"; choose = \"step\"; }; };\n"
             "  settings : { limit : { type = \"integer\"; default = 100; max = 1000; }; };\n"
             "  consents : { tell : { to = [ \"firm\" ]; categories = [ \"plan\" ]; }; };\n"
             "  messages : { ready : { from = [ \"firm\" ]; }; };\n"
             "  start : { by = [ \"te\" ]; requires = [ \"days\", \"ends\" ]; when = \"days >= "
             "limit and (note is not set or note is 'n')\"; first = \"service\"; };\n"
             "  on : { client-left = \"fin\"; };\n"
             "  steps : {\n"
             "    service : { type = \"task\"; role = \"firm\"; carries = [ \"days\" ]; within = "
             "\"until ends\";\n"
             "      meanwhile : { before : { starts = \"30 days before end\"; type = \"task\"; "
             "role = \"te\"; within = \"3 business days\"; on : { done = \"join\"; expired = "
             "\"join\"; }; }; };\n"
             "      on : { done = \"which\"; broken = \"which\"; expired = \"stay\"; }; };\n"
             "    which : { type = \"decide\"; rules = ( { when = \"service is broken\"; to = "
             "\"ready-wait\"; },\n"
             "      { when = \"tell is given and ends > today + 10 days\"; to = \"until-ends\"; }, "
             "{ to = \"fin\"; } ); };\n"
             "    ready-wait : { type = \"wait\"; message = \"ready\"; collects = [ \"more\" ]; "
             "within = \"20 days\"; on : { done = \"fin\"; expired = \"stay\"; }; };\n"
             "    until-ends : { type = \"wait\"; until = \"ends\"; on : { done = \"fin\"; }; };\n"
             "    fin : { type = \"end\"; outcome = \"over\"; records = [ \"ends\" ]; };\n"
             "  }; };\n";

/* ------------------------------------------------------------------ a driven case */

struct rig {
    network_t *net;
    workflow_t *wf;    /* that the case is in now */
    workflow_t *first; /* that it starts in */
    workflow_t *next;  /* that it may go on in; NULL = not deployed */
    sto_arena_t *arena;
    struct sto_buf a, b;
    struct case_state s;
    struct case_data data;
    struct fact f;      /* of the last event that was taken */
    struct sto_err err; /* of the last one that was not */
    struct sto_uuid id;
    int64_t now;
    bool broken;       /* an invariant failed; what it says is in err */
    struct party lead; /* of another case of the client, at the start */
    bool thorough;     /* also encode and decode states and facts */
};

static void rig_print(const sto_diags_t *d)
{
    for (size_t i = 0; i < sto_diags_count(d); i++) {
        const struct sto_diag *x = sto_diags_at(d, i);
        print_message("  %s:%d: %s [%s]\n", x->file, x->line, x->text, x->code);
    }
}

static struct rig *rig_new(const char *workflow)
{
    struct rig *r = sto_xcalloc(1, sizeof *r);
    sto_diags_t *d = sto_diags_new();
    struct model_file net = {"network.cfg", ENGINE_NETWORK, sizeof ENGINE_NETWORK - 1};
    struct model_file wf = {"workflow.cfg", workflow, strlen(workflow)};
    sto_time_init();
    int rc = network_load("enginenet", &net, 1, d, &r->net);
    if (!rc) {
        r->net->instruments = &ENGINE_INSTRUMENT;
        r->net->n_instruments = 1;
    }
    if (rc || workflow_load(&wf, NULL, r->net, d, &r->wf)) {
        rig_print(d);
        fail_msg("the fixture does not load");
    }
    sto_diags_destroy(&d);
    r->first = r->wf;
    r->arena = sto_arena_new(4u << 20);
    sto_buf_init(&r->a, 0);
    sto_buf_init(&r->b, 0);
    memset(r->id.b, 7, sizeof r->id.b);
    r->thorough = true;
    assert_int_equal(sto_us_parse(T0_TEXT, &r->now, &r->err), 0);
    return r;
}

/* Deploys a workflow that ends may continue in. */
static inline void rig_deploy(struct rig *r, const char *workflow)
{
    sto_diags_t *d = sto_diags_new();
    struct model_file wf = {"workflow.cfg", workflow, strlen(workflow)};
    if (workflow_load(&wf, NULL, r->net, d, &r->next)) {
        rig_print(d);
        fail_msg("the next workflow does not load");
    }
    sto_diags_destroy(&d);
}

static inline const workflow_t *rig_newest(void *arg, const char *id)
{
    const struct rig *r = arg;
    return r->next && strcmp(r->next->id, id) == 0 ? r->next : NULL;
}

static inline const workflow_t *rig_version(void *arg, const uint8_t hash[32])
{
    const struct rig *r = arg;
    const workflow_t *w = r->next && memcmp(hash, r->next->hash, 32) == 0 ? r->next : r->first;
    return memcmp(hash, w->hash, 32) == 0 ? w : NULL;
}

/* The workflow of a state. */
static inline workflow_t *rig_wf_of(struct rig *r, const struct case_state *s)
{
    bool on = r->next && memcmp(s->workflow, r->next->hash, sizeof s->workflow) == 0;
    return on ? r->next : r->first;
}

static inline void rig_destroy(struct rig **r_p)
{
    struct rig *r = *r_p;
    workflow_destroy(&r->first);
    workflow_destroy(&r->next);
    network_destroy(&r->net);
    sto_arena_destroy(&r->arena);
    sto_buf_release(&r->a);
    sto_buf_release(&r->b);
    free(r);
    *r_p = NULL;
}

static inline void rig_reset(struct rig *r)
{
    memset(&r->s, 0, sizeof r->s);
    memset(&r->data, 0, sizeof r->data);
    r->broken = false;
    r->wf = r->first;
    assert_int_equal(sto_us_parse(T0_TEXT, &r->now, &r->err), 0);
}

static int rig_broken(struct rig *r, const char *what)
{
    r->broken = true;
    return sto_fail(&r->err, STO_E_INTERNAL, "%s", what);
}

/* The fact and the state survive their bytes. */
static int rig_codecs(struct rig *r, const struct case_state *after)
{
    struct fact again;
    struct case_state z = r->s;
    sto_buf_clear(&r->a);
    sto_buf_clear(&r->b);
    fact_encode(&r->f, &r->a);
    if (fact_decode(r->a.data, r->a.len, r->arena, &again, &r->err)) {
        return rig_broken(r, "codec: a fact does not read back");
    }
    fact_encode(&again, &r->b);
    if (r->a.len != r->b.len || memcmp(r->a.data, r->b.data, r->a.len) != 0) {
        return rig_broken(r, "codec: a fact changes when read back");
    }
    if (engine_evolve(&z, &again, &r->err) || !state_equal(&z, after)) {
        return rig_broken(r, "codec: evolve differs on a decoded fact");
    }
    sto_buf_clear(&r->a);
    state_encode(after, &r->a);
    if (state_decode(r->a.data, r->a.len, &z, &r->err) || !state_equal(&z, after)) {
        return rig_broken(r, "codec: a state changes when read back");
    }
    char why[512];
    engine_why(r->net, r->wf, after, why, sizeof why);
    return why[0] != '\0' && strchr(why, '?') == NULL ? 0 : rig_broken(r, "why: says nothing");
}

/* One event at r->now. 0 = taken (r->s has moved); else the refusal. r->broken tells of faults. */
static int rig_event(struct rig *r, const struct input *in)
{
    r->wf = rig_wf_of(r, &r->s);
    struct engine_ctx ctx = {.net = r->net,
                             .wf = r->wf,
                             .data = &r->data,
                             .case_id = r->id,
                             .arena = r->arena,
                             .newest = rig_newest,
                             .version = rig_version,
                             .newest_arg = r,
                             .lead_holder = r->lead};
    struct case_state after = r->s;
    sto_arena_reset(r->arena);
    int rc = engine_decide(&ctx, &r->s, in, r->now, &r->f, &r->err);
    if (rc) {
        return rc;
    }
    if (engine_evolve(&after, &r->f, &r->err)) {
        return rig_broken(r, "evolve does not take what decide made");
    }
    workflow_t *was = r->wf;
    r->wf = rig_wf_of(r, &after);
    if (r->thorough && rig_codecs(r, &after)) {
        return -STO_E_INTERNAL;
    }
    if (engine_invariants(r->net, r->wf, &r->s, &r->f, &after, &r->err)) {
        r->broken = true;
        return -STO_E_INTERNAL;
    }
    for (unsigned i = 0; i < in->n_fields; i++) { /* bytes of the fixture's fields live on */
        data_merge(was, &r->data, in, &r->f);
    }
    if (r->wf != was) {
        data_continue(was, r->wf, &r->data);
    }
    r->s = after;
    return 0;
}

/* ------------------------------------------------------------------ inputs */

static const struct in_field WITH_DAYS = {"days", IN_INT, 500, NULL, 0};
static const struct in_field WITH_NOTE = {"note", IN_TEXT, 0, (const uint8_t *)"n", 1};
static const struct in_field WITH_SECRET = {"secret", IN_TEXT, 0, (const uint8_t *)"s", 1};
static const struct in_field WITH_MORE = {"more", IN_BOOL, 1, NULL, 0};
static const struct in_field WITH_ENDS = {"ends", IN_TEXT, 0, (const uint8_t *)"2008-12-31", 10};
static const struct in_field WITH_ABILITY = {"ability-beginning", IN_TEXT, 0,
                                             (const uint8_t *)"1,,3", 4};
static const struct in_field WITH_HETU = {"hetu", IN_SEALED, 0, (const uint8_t *)"sealed", 6};

static inline struct input from(enum event_kind kind, uint16_t org)
{
    return (struct input){.kind = kind, .actor = {.org = org}, .evidence = EVIDENCE_ORG};
}

/* Opens the case with days, hetu and note set, at home in the city. */
static inline int rig_start(struct rig *r)
{
    static const struct in_name firm[] = {{"firm", "firm", ""}};
    const struct in_field fields[] = {WITH_DAYS, WITH_HETU, WITH_NOTE, WITH_ENDS};
    struct input in = from(EVENT_START, TE);
    bool dates =
        strcmp(r->wf->id, "dates") == 0; /* the only one that starts with a date and a firm */
    in.home = "city";
    in.fields = fields;
    in.n_fields = dates ? 4 : 3;
    in.names = firm;
    in.n_names = dates;
    return rig_event(r, &in);
}

/* A plain event by its usual words: a reason, a time tomorrow where one is booked. */
static inline struct input plain(const struct rig *r, enum event_kind kind, uint16_t org)
{
    struct input in = from(kind, org);
    in.reason = kind == EVENT_DECLINE || kind == EVENT_GIVE_BACK || kind == EVENT_INTERRUPT ||
                        kind == EVENT_TASK_DECLINE || kind == EVENT_CLOSE ||
                        kind == EVENT_PANEL_POSTPONE
                    ? REASON_OTHER
                    : REASON_NONE;
    in.at_us = kind == EVENT_BOOK || kind == EVENT_MEETING_BOOK ? r->now + DAY_US : 0;
    in.worker = kind == EVENT_TAKE_UP || kind == EVENT_TASK_TAKE_UP ? "w" : "";
    in.place = kind == EVENT_WAITLIST || kind == EVENT_ATTENDANCE ? 3 : 0;
    return in;
}

static inline int rig_do(struct rig *r, enum event_kind kind, uint16_t org)
{
    struct input in = plain(r, kind, org);
    return rig_event(r, &in);
}

/* Fires what is due up to then, one at a time; now = until_us. */
static inline int rig_until(struct rig *r, int64_t until_us)
{
    struct input in = {.kind = EVENT_CLOCK};
    for (unsigned i = 0; i < 10000 && state_next_due_us(&r->s) <= until_us; i++) {
        int64_t due_us = state_next_due_us(&r->s);
        r->now = due_us > r->now ? due_us : r->now;
        int rc = rig_event(r, &in);
        if (rc) {
            return rc;
        }
    }
    r->now = until_us;
    return 0;
}

static inline const struct token *rig_at(const struct rig *r, const char *step)
{
    for (unsigned i = 0; i < r->s.n_tokens; i++) {
        if (strcmp(r->wf->steps[r->s.tokens[i].step].id, step) == 0) {
            return &r->s.tokens[i];
        }
    }
    return NULL;
}

static inline const struct send *rig_sent(const struct rig *r, enum send_kind kind, uint16_t org)
{
    for (unsigned i = 0; i < r->f.n_sends; i++) {
        if (r->f.sends[i].kind == kind && r->f.sends[i].to.org == org) {
            return &r->f.sends[i];
        }
    }
    return NULL;
}

static inline const struct clock *rig_clock(const struct rig *r, enum clock_kind k)
{
    for (unsigned i = 0; i < r->s.n_clocks; i++) {
        if (r->s.clocks[i].kind == k) {
            return &r->s.clocks[i];
        }
    }
    return NULL;
}

/* The same, of what must be there. */
#define THE(type, name, get, ...)                                                                  \
    __attribute__((returns_nonnull)) static inline const type *name(__VA_ARGS__)                   \
    {                                                                                              \
        const type *p = get;                                                                       \
        if (!p) {                                                                                  \
            fail_msg("%s: there is none", #name);                                                  \
            abort();                                                                               \
        }                                                                                          \
        return p;                                                                                  \
    }
THE(struct token, the_at, rig_at(r, step), const struct rig *r, const char *step)
THE(struct clock, the_clock, rig_clock(r, k), const struct rig *r, enum clock_kind k)
THE(struct send, the_sent, rig_sent(r, k, org), const struct rig *r, enum send_kind k, uint16_t org)
THE(struct offer, the_offer, state_offer(&r->s, id), const struct rig *r, uint16_t id)

#define TAKEN(r, x)                                                                                \
    do {                                                                                           \
        if ((x) != 0) {                                                                            \
            fail_msg("%s: %s", #x, (r)->err.what);                                                 \
        }                                                                                          \
    } while (0)
#define REFUSED(x, code) assert_int_equal((x), -(code))

#endif
