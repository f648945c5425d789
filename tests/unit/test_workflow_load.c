/* SPDX-License-Identifier: EUPL-1.2 */
/* Workflow files: what comes out of every construct, and what each fault answers. */
#include "model_fixture.h"

#include "state.h"

static network_t *net;
static workflow_t *w;

static int set_up(void **state)
{
    (void)state;
    sto_time_init();
    net = load_network(NETWORK_TEXT);
    sto_diags_t *d = sto_diags_new();
    w = load_workflow(WORKFLOW_TEXT, net, d);
    if (!w) {
        print_diags(d);
    }
    assert_non_null(w);
    assert_int_equal(sto_diags_count(d), 1); /* a warning: no texts */
    assert_true(has_finding(d, "no-texts", 0));
    sto_diags_destroy(&d);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    workflow_destroy(&w);
    workflow_destroy(&w);
    network_destroy(&net);
    return 0;
}

static const struct wf_step *step(const char *id)
{
    uint16_t ix = workflow_step(w, id);
    assert_int_not_equal(ix, WF_NONE);
    return &w->steps[ix];
}

static const struct wf_exit *exit_of(const char *id, const char *exit)
{
    const struct wf_exit *e = workflow_step_exit(step(id), (unsigned)workflow_exit(w, exit));
    assert_non_null(e);
    return e;
}

static uint64_t field(const char *id)
{
    assert_true(workflow_field(w, id) >= 0);
    return UINT64_C(1) << workflow_field(w, id);
}

static void steps_are_numbered_in_file_order_with_stage_and_host(void **state)
{
    (void)state;
    assert_int_equal(workflow_step(w, "event"), 0);
    assert_int_equal(workflow_step(w, "why"), 1);
    assert_int_equal(workflow_step(w, "nothing"), WF_NONE);
    assert_int_equal(step("event")->stage, WF_ROOT);
    assert_int_equal(step("event")->host, WF_NONE);
    assert_int_equal(step("try")->stage, workflow_step(w, "phase"));
    assert_int_equal(step("half")->stage, workflow_step(w, "phase"));
    assert_int_equal(step("half")->host, workflow_step(w, "try"));
    assert_int_equal(step("watch")->stage, WF_ROOT);
    assert_int_equal(step("watch")->host, WF_ROOT);
    assert_int_equal(w->n_sides, 1);
    assert_int_equal(step("try")->n_sides, 3);
    assert_int_equal(step("phase")->n_first, 2);
    assert_int_equal(step("phase")->wait_for, 2);
    assert_int_equal(w->first[0], 0);
}

static void fixed_exits_stand_at_their_indexes(void **state)
{
    (void)state;
    assert_string_equal(w->exits[EXIT_NONE], "");
    assert_int_equal(workflow_exit(w, "done"), EXIT_DONE);
    assert_int_equal(workflow_exit(w, "taken-over"), EXIT_TAKEN_OVER);
    assert_int_equal(workflow_exit(w, "asked-for"), EXIT_ASKED_FOR);
    assert_true(workflow_exit(w, "enough") >= EXIT_FIRST_OWN);
    assert_int_equal(workflow_exit(w, "never"), -1);
}

static void exits_have_targets_fields_and_names(void **state)
{
    (void)state;
    const struct wf_exit *work = exit_of("choose", "work");
    assert_int_equal(work->kind, TARGET_STEP);
    assert_int_equal(work->step, workflow_step(w, "phase"));
    assert_int_equal(work->collects, field("need") | field("ends"));
    assert_int_equal(work->names, 1u << workflow_role(w, "firm"));
    assert_int_equal(exit_of("choose", "expired")->kind, TARGET_STAY);
    assert_int_equal(exit_of("try", "done")->kind, TARGET_JOIN);
    const struct wf_exit *enough = exit_of("half", "enough");
    assert_int_equal(enough->kind, TARGET_LEAVE);
    assert_string_equal(w->exits[enough->leave], "enough");
    assert_int_equal(exit_of("tell-te", "done")->step, workflow_step(w, "choose")); /* next */
    assert_int_equal(w->n_exits_on, 2);
    assert_int_equal(w->exits_on[0].exit, EXIT_CLIENT_LEFT);
    assert_string_equal(w->exits[w->exits_on[1].exit], "tell-lost");
}

static void parties_are_roles_or_holder_sender_client(void **state)
{
    (void)state;
    assert_int_equal(step("why")->role, PARTY_CLIENT);
    assert_int_equal(step("why")->helps, workflow_role(w, "guidance"));
    assert_int_equal(step("choose")->role, PARTY_HOLDER);
    assert_int_equal(step("choose")->helps, PARTY_HOLDER);
    assert_int_equal(step("talk")->n_with, 2);
    assert_int_equal(step("talk")->with[0], PARTY_CLIENT);
    assert_int_equal(step("tell-te")->to[1], PARTY_CLIENT);
    assert_int_equal(step("hand")->to[0], workflow_role(w, "guidance"));
    assert_int_equal(w->roles[2].n_kinds, 2);
    assert_true(w->roles[1].named_worker);
    assert_int_equal(w->roles[2].choose, CHOOSE_STEP);
}

static void durations_are_literal_settings_or_dates(void **state)
{
    (void)state;
    assert_int_equal(step("why")->within[0].kind, WHEN_SETTING);
    assert_int_equal(step("event")->within[0].kind, WHEN_DURATION);
    assert_int_equal(step("event")->within[0].d.unit, STO_MONTHS);
    assert_int_equal(step("try")->n_within, 2);
    assert_int_equal(step("try")->within[0].kind, WHEN_UNTIL_FIELD);
    assert_int_equal(step("try")->at_least.d.n, 14);
    assert_int_equal(step("event")->at_least.kind, WHEN_NONE);
    assert_true(step("hand")->clocks.has[CLOCK_ANSWER]);
    assert_true(step("hand")->clocks.has[CLOCK_CAP]);
    assert_int_equal(step("hand")->clocks.w[CLOCK_CAP].kind, WHEN_SETTING);
    assert_false(step("hand")->clocks.has[CLOCK_DECIDE]);
    assert_int_equal(step("rest")->within[0].d.n, 10);
    assert_int_equal(step("rest")->message, 0xff);
    assert_int_equal(step("verdict-wait")->message, 0);
}

static void sides_say_when_they_start(void **state)
{
    (void)state;
    assert_int_equal(step("half")->starts.kind, STARTS_HALF_WAY);
    assert_int_equal(step("before")->starts.kind, STARTS_BEFORE_END);
    assert_int_equal(step("before")->starts.d.n, 14);
    assert_int_equal(step("alarmed")->starts.kind, STARTS_EVENT);
    assert_int_equal(step("alarmed")->starts.event, WF_EVENT_MESSAGE_0 + 1);
    assert_int_equal(step("watch")->starts.kind, STARTS_EVERY);
    assert_int_equal(step("watch")->starts.d.unit, STO_MONTHS);
}

static void steps_carry_what_they_say(void **state)
{
    (void)state;
    assert_int_equal(step("hand")->teaser, field("days"));
    assert_int_equal(step("hand")->carries, field("days") | field("hetu"));
    assert_int_equal(step("hand")->meeting, MEETING_AT_STEP);
    assert_int_equal(step("hand")->meeting_step, 0);
    assert_int_equal(step("event")->service, 2);
    assert_int_equal(step("event")->at_most, 3);
    assert_int_equal(step("event")->ladder_ix, 0);
    assert_int_equal(step("choose")->ladder_ix, -1);
    assert_true(step("event")->obliging);
    assert_string_equal(step("tell-te")->text, "was-absent");
    assert_string_equal(step("gone")->outcome, "gone");
    assert_int_equal(step("done-well")->records, field("need"));
    assert_int_equal(step("judge")->n_rules, 2);
    assert_non_null(step("judge")->rules[0].when);
    assert_null(step("judge")->rules[1].when);
}

static void data_settings_consents_and_messages_are_read(void **state)
{
    (void)state;
    assert_int_equal(w->fields[0].min, 0);
    assert_int_equal(w->fields[0].max, INT64_MAX);
    assert_true(w->fields[1].sealed);
    assert_int_equal(w->fields[1].bytes_max, 512);
    assert_int_equal(w->fields[3].n_values, 3);
    assert_int_equal(w->fields[4].bytes_max, 100);
    assert_int_equal(w->fields[3].category, 2);
    assert_int_equal(w->settings[0].def, 300); /* the network says so */
    assert_int_equal(w->settings[1].d_def.n, 10);
    assert_int_equal(w->consents[0].categories, 4);
    assert_int_equal(w->consents[0].form, FORM_WRITTEN);
    assert_int_equal(w->consents[0].lasts.unit, STO_MONTHS);
    assert_int_equal(w->messages[0].n_answers, 2);
    assert_int_equal(w->messages[0].from[1], PARTY_HOLDER);
    assert_int_equal(w->messages[0].answer_exits[1], workflow_exit(w, "refused"));
    assert_int_equal(w->start_by, 1);
    assert_int_equal(w->start_requires, field("days") | field("hetu") | field("number"));
    assert_non_null(w->start_when);
    assert_true(w->once_client);
    assert_int_equal(w->version, 3);
}

static void the_hash_covers_every_byte(void **state)
{
    (void)state;
    int line;
    char *text = replaced(WORKFLOW_TEXT, "source = \"test\"", "source = \"tesT\"", &line);
    sto_diags_t *d = sto_diags_new();
    workflow_t *other = load_workflow(text, net, d), *same = load_workflow(WORKFLOW_TEXT, net, d);
    assert_memory_not_equal(other->hash, w->hash, 32);
    assert_memory_equal(same->hash, w->hash, 32);
    workflow_destroy(&other);
    workflow_destroy(&same);
    sto_diags_destroy(&d);
    free(text);
}

/* ------------------------------------------------------------------ texts */

#define T(key) "  " key " : { fi = \"" key " fi\"; sv = \"" key " sv\"; en = \"" key " en\"; };\n"
static const char TEXTS[] = "texts : {\n" T("model") T("watch") T("watching") T("event") T("why")
    T("judge") T("tell-te") T("was-absent") T("choose") T("advice") T("hand") T("talk") T("phase")
        T("try") T("half") T("before") T("ending") T("alarmed") T("rest") T("asks")
            T("verdict-wait") T("done-well") T("gone") "};\n";

static sto_diags_t *load_texts(const char *texts, workflow_t **out)
{
    struct model_file file = {"workflow.cfg", WORKFLOW_TEXT, strlen(WORKFLOW_TEXT)},
                      t = {"texts.cfg", texts, strlen(texts)};
    sto_diags_t *d = sto_diags_new();
    (void)workflow_load(&file, &t, net, d, out);
    return d;
}

static void texts_are_found_by_key_and_language(void **state)
{
    (void)state;
    workflow_t *x = NULL;
    sto_diags_t *d = load_texts(TEXTS, &x);
    print_diags(d);
    assert_int_equal(sto_diags_count(d), 0);
    assert_string_equal(workflow_text(x, "gone", "sv"), "gone sv");
    assert_string_equal(workflow_text(x, "gone", "fi"), "gone fi");
    assert_string_equal(workflow_text(x, "unknown", "fi"), "");
    assert_string_equal(workflow_text(w, "gone", "fi"), "");
    assert_memory_not_equal(x->hash, w->hash, 32);
    workflow_destroy(&x);
    sto_diags_destroy(&d);
}

static const struct broken BROKEN_TEXTS[] = {
    {T("gone"), "", "missing-text", -22},
    {T("was-absent"), "", "missing-text", -7},
    {"sv = \"hand sv\";", "", "missing-language", 0},
    {"sv = \"hand sv\";", "sv = \"hand sv\"; de = \"x\";", "unknown-key", 0},
    {"sv = \"hand sv\"", "sv = \"\"", "bad-value", 0},
    {"texts :", "text :", "unknown-key", 0},
};

static void every_fault_of_texts_has_its_line_and_code(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof(BROKEN_TEXTS) / sizeof(BROKEN_TEXTS[0]); k++) {
        int line;
        char *text = replaced(TEXTS, BROKEN_TEXTS[k].from, BROKEN_TEXTS[k].to, &line);
        workflow_t *x = NULL;
        sto_diags_t *d = load_texts(text, &x);
        assert_null(x);
        int expected =
            BROKEN_TEXTS[k].lines ? 1 : line; /* a missing text is reported at the group */
        if (!has_finding(d, BROKEN_TEXTS[k].code, expected)) {
            print_diags(d);
            fail_msg("'%s': expected [%s] on line %d", BROKEN_TEXTS[k].to, BROKEN_TEXTS[k].code,
                     expected);
        }
        sto_diags_destroy(&d);
        free(text);
    }
}

static void a_text_that_nothing_uses_is_a_warning(void **state)
{
    (void)state;
    int line;
    char *text = replaced(TEXTS, "};\n", "};\n" T("hnad"), &line);
    workflow_t *x = NULL;
    sto_diags_t *d = load_texts(text, &x);
    assert_non_null(x);
    assert_true(has_finding(d, "unused-text", line + 1));
    workflow_destroy(&x);
    sto_diags_destroy(&d);
    free(text);
}

/* ------------------------------------------------------------------ faults */

static const struct broken BROKEN[] = {
    /* head */
    {"source = \"test\"", "sourse = \"test\"", "unknown-key", 0},
    {"id = \"model\";  ", "", "missing-key", -2},
    {"id = \"model\"", "id = \"Model\"", "bad-name", 0},
    {"version = 3;  ", "", "missing-key", -2},
    {"version = 3", "version = 0", "out-of-range", 0},
    {"  purpose = \"services\";", "", "missing-key", -2},
    {"purpose = \"services\";", "purpose = \"services\";  subject = \"people\";", "bad-value", 0},
    {"purpose = \"services\";", "purpose = \"services\";  of = \"event\";", "bad-value", 0},
    {"purpose = \"services\";", "purpose = \"services\";  subject = \"survey\";", "bad-party", 38},
    {"workflow :\n", "workflows :\n", "unknown-key", 0},
    /* roles */
    {"kind = \"te-office\";  choose", "choose", "missing-key", 0},
    {"choose = \"start\"", "choose = \"begin\"", "bad-value", 0},
    {"service = \"guidance\"", "service = \"guidence\"", "unknown-service", 0},
    {"worker = \"named\"", "worker = \"nmaed\"", "bad-value", 0},
    {"te       : {", "holder   : {", "reserved-name", 0},
    {"choose = \"step\"; };", "choose = \"step\";  many = true; };", "wrong-type", 0},
    {"choose = \"step\"; };", "choose = \"step\";  many = 1; };", "out-of-range", 0},
    {"choose = \"step\"; };", "choose = \"free\";  many = 3; };", "bad-value", 0},
    {"choose = \"step\"; };", "choose = \"step\";  many = 3; };", "bad-party", 51},
    {"choose = \"step\"; };", "choose = \"step\";  agreement = true; };", "missing-key", 0},
    /* settings */
    {"default = 500", "default = 50", "out-of-range", 0},
    {"default = \"7 days\"", "default = \"70 days\"", "out-of-range", 0},
    {"default = \"7 days\"", "default = \"7 dayz\"", "bad-duration", 0},
    {"type = \"duration\"", "type = \"time\"", "bad-value", 0},
    {"min = 100;  max = 1000", "min = 100;  maximum = 1000", "unknown-key", 0},
    /* fields */
    {"type = \"integer\";  min = 0", "type = \"decimal\";  min = 0.001", "bad-value", 0},
    {"type = \"integer\";  min = 0", "type = \"decimal\";  min = 1.0e15", "out-of-range", 0},
    {"type = \"integer\";  min = 0", "type = \"decimal\";  min = \"0\"", "wrong-type", 0},
    {"type = \"integer\";  min = 0", "type = \"profile\";  instrument = \"ability\"",
     "unknown-instrument", 0},
    {"type = \"integer\";  min = 0", "type = \"profile\"", "missing-key", 0},
    {"type = \"boolean\";", "type = \"boolean\";  instrument = \"ability\";", "bad-value", 0},
    {"type = \"integer\";  min = 0", "type = \"integer\";  min = 1;  max = 0", "out-of-range", 0},
    {"type = \"integer\";  min = 0", "type = \"integer\";  values = [ \"a\" ]", "bad-value", 0},
    {"type = \"boolean\";", "type = \"boolean\";  per = \"firm\";", "bad-party", 0},
    {"type = \"boolean\";  category = \"dealings\"", "type = \"boolean\"", "missing-key", 0},
    {"type = \"boolean\";  category = \"dealings\"", "type = \"boolean\";  category = \"dealing\"",
     "unknown-category", 0},
    {"sealed = true", "sealed = true;  min = 3", "bad-value", 0},
    {"[ \"work\", \"study\", \"rest\" ];  category", "[ \"work\", \"work\" ];  category",
     "duplicate", 0},
    {"[ \"work\", \"study\", \"rest\" ];  category", "[ \"Work\" ];  category", "bad-name", 0},
    {"values = [ \"work\", \"study\", \"rest\" ];", "", "missing-key", 0},
    {"bytes = 100", "bytes = 100000", "out-of-range", 0},
    {"min = \"2000-01-01\"", "min = \"2000-02-30\"", "bad-date", 0},
    {"bytes = 100;  category = \"plan\"; };",
     "bytes = 4000;  category = \"plan\"; };\n    a : { type = \"text\"; bytes = 4096; category = "
     "\"plan\"; };\n    "
     "b : { type = \"text\"; bytes = 4096; category = \"plan\"; };\n    c : { type = \"text\"; "
     "bytes = 4096; category = \"plan\"; };\n    "
     "d : { type = \"text\"; bytes = 4096; category = \"plan\"; };\n    e : { type = \"text\"; "
     "bytes = 4096; category = \"plan\"; };\n    "
     "f : { type = \"text\"; bytes = 4096; category = \"plan\"; };\n    g : { type = \"text\"; "
     "bytes = 4096; category = \"plan\"; };\n    "
     "h : { type = \"text\"; bytes = 4096; category = \"plan\"; };",
     "too-large", 7},
    /* consents, messages */
    {"to = [ \"firm\" ];  categories", "to = [ \"frim\" ];  categories", "unknown-role", 0},
    {"categories = [ \"plan\" ];  form", "categories = [ \"plans\" ];  form", "unknown-category",
     0},
    {"form = \"written\"", "form = \"spoken\"", "bad-value", 0},
    {"from = [ \"firm\" ]; }; };", "from = [ \"frm\" ]; }; };", "unknown-role", 0},
    {"from = [ \"firm\" ]; }; };", "from = [ \"firm\" ];  keep = 1; }; };", "wrong-type", 0},
    /* names */
    {"    notes  : {", "    event  : {", "equal-names", 11},
    {"    notes  : {", "    tell   : {", "equal-names", 4},
    {"    limit  : {", "    today  : {", "reserved-name", 0},
    {"    gone : {", "    talk : {", "duplicate-key", 0},
    {"        rest : {", "        hand : {", "equal-names", 0},
    /* start */
    {"by = [ \"te\" ];  requires", "by = [ \"guidance\" ];  requires", "bad-value", 0},
    {"by = [ \"te\" ];  requires", "requires", "missing-key", 0},
    {"\"number\" ];  when", "\"numbers\" ];  when", "unknown-field", 0},
    {"once = \"client\"", "once = \"case\"", "bad-value", 0},
    {"first = \"event\"", "first = \"evnt\"", "unknown-step", 0},
    {"first = \"event\"", "first = \"try\"", "crosses-stage", 0},
    {"when = \"days >= limit\"", "when = \"days >= limt\"", "bad-condition", 0},
    {"when = \"days >= limit\"", "when = \"hetu is 'x'\"", "sealed-in-condition", 0},
    {"when = \"days >= limit\"", "when = \"days\"", "bad-condition", 0},
    /* workflow's on, meanwhile */
    {"on : { client-left = \"gone\";", "on : {", "missing-exit", -27},
    {"client-left = \"gone\";", "client-left = \"gone\";  expired = \"gone\";", "unknown-exit", 0},
    {"client-left = \"gone\";", "client-left = \"join\";", "bad-target", 0},
    {"client-left = \"gone\";", "client-left = \"try\";", "crosses-stage", 0},
    {"client-left = \"gone\";", "client-left = \"watch\";", "bad-target", 0},
    {"client-left = \"gone\";", "client-left = \"stay\";", "bad-target", 0},
    {"starts = \"every 1 month\"", "starts = \"every month\"", "unknown-setting", 0},
    {"starts = \"every 1 month\"", "starts = \"sometimes\"", "unknown-event", 0},
    {"starts = \"every 1 month\";", "", "missing-key", 0},
    {"starts = \"every 1 month\"", "starts = \"half-way\"", "missing-clock", 0},
    {"text = \"watching\";  next = \"join\"", "text = \"watching\";  next = \"gone\"", "bad-target",
     0},
    /* steps in general */
    {"why : { type = \"task\"", "why : { type = \"tsk\"", "unknown-type", 0},
    {"helps = \"guidance\";", "helps = \"guidance\";  helpz = 1;", "unknown-key", 0},
    {"helps = \"guidance\";", "helps = \"guidance\";  must = [ \"days\" ];", "bad-value", 0},
    {"why : { type = \"task\";  role = \"client\";", "why : { type = \"task\";", "missing-key", 0},
    {"why : { type = \"task\";  role = \"client\";  ",
     "why : { type = \"task\";  role = \"clients\";  ", "unknown-role", 0},
    {"role = \"client\";  helps", "role = \"te\";  helps", "bad-value", 0},
    {"helps = \"guidance\"", "helps = \"client\"", "bad-party", 0},
    {"collects = [ \"valid\" ]", "collects = [ \"valig\" ]", "unknown-field", 0},
    {"collects = [ \"valid\" ]", "collects = [ \"valid\", \"valid\" ]", "duplicate", 0},
    {"within = \"window\"", "within = \"windoww\"", "unknown-setting", 0},
    {"within = \"window\"", "within = \"limit\"", "wrong-type", 0},
    {"within = \"window\"", "within = \"0 days\"", "bad-duration", 0},
    {"within = \"window\"", "within = \"20 years\"", "bad-duration", 0},
    {"within = \"window\"", "within = \"until days\"", "wrong-type", 0},
    {"within = \"window\"", "within = \"until monday\"", "unknown-field", 0},
    {"within = \"window\"", "within = \"20 attendance days\"", "bad-duration", 0},
    {"  within = \"window\";\n", "\n", "missing-clock", 0},
    {"at-most = 3", "at-most = 0", "out-of-range", 0},
    {"ladder = \"short\"", "ladder = \"long\"", "unknown-ladder", 0},
    {"judge : { type = \"decide\";", "judge : { type = \"decide\";  within = \"3 days\";",
     "unknown-key", 0},
    {"why : { type = \"task\";", "why : { type = \"task\";  starts = \"half-way\";", "bad-value",
     0},
    /* exits */
    {"on : { done = \"judge\";  expired = \"tell-te\"; }",
     "on : { done = \"judge\";  expird = \"tell-te\"; }", "missing-exit", -1},
    {"on : { done = \"judge\";  expired = \"tell-te\"; }", "on : { expired = \"tell-te\"; }",
     "missing-exit", -1},
    {"on : { done = \"judge\";", "on : { done = \"jugde\";", "unknown-step", 0},
    {"on : { done = \"judge\";", "on : { done = \"stay\";", "bad-target", 0},
    {"on : { done = \"judge\";", "on : { done = \"join\";", "missing-exit", -39},
    {"on : { done = \"judge\";", "on : { done = \"leave:x\";", "bad-target", 0},
    {"on : { done = \"judge\";", "on : { done = 3;", "wrong-type", 0},
    {"on : { done = \"judge\";", "on : { done : { goes = \"judge\"; };", "unknown-key", 0},
    {"on : { done = \"judge\";", "next = \"judge\";\n on : { done = \"judge\";", "duplicate", 0},
    {"on : { done = \"judge\";", "on : { Done = \"judge\";", "bad-name", 0},
    {"excused = \"event\";", "", "missing-exit", -4},
    {"excused = \"event\";", "excused = \"event\";  invited = \"why\";", "unknown-exit", 0},
    {"  too-often = \"choose\"; };\n    };", " };\n    };", "missing-exit", -4},
    {"within = \"4 months\";  at-most = 3;", "within = \"4 months\";", "unknown-exit", 1},
    {"answered = \"choose\";  returned = \"choose\"", "answered = \"choose\"", "missing-exit", -1},
    {"declined = \"choose\";", "declind = \"choose\";", "unknown-exit", 0},
    {"taken-over = \"talk\";", "", "missing-exit", -2},
    {"no-show = \"talk\";", "", "missing-exit", -1},
    {"names = [ \"firm\" ]", "names = [ \"guidance\" ]", "bad-value", 0},
    {"on : { fine = \"join\";", "on : { fine = \"talk\";", "bad-target", 0},
    {"enough = \"leave:enough\"", "enough = \"leave:enoug\"", "missing-exit", 0},
    {"enough = \"leave:enough\"", "enough = \"leave:\"", "bad-name", 0},
    {"returned = \"rest\";  interrupted", "returned = \"choose\";  interrupted", "crosses-stage",
     0},
    {"interrupted = \"rest\"", "interruptd = \"rest\"", "missing-exit", -11},
    {"granted = \"join\";", "", "missing-exit", 0},
    {"on : { done = \"talk\";  broken", "on : { broken", "missing-exit", -22},
    {"broken = \"choose\";  expired = \"choose\"", "broken = \"choose\"", "missing-exit", -22},
    {"broken = \"choose\";  expired", "brokn = \"choose\";  expired", "unknown-exit", 0},
    /* types */
    {"meeting = \"at:event\"", "meeting = \"at:evnt\"", "unknown-step", 0},
    {"meeting = \"at:event\"", "meeting = \"joint\"", "bad-value", 0},
    {"cap = \"window\"", "capp = \"3 days\"", "unknown-key", 0},
    {"stable = \"30 days\"", "stable = \"30 daze\"", "bad-duration", 0},
    {"hand : { type = \"handover\";  to = \"guidance\"",
     "hand : { type = \"handover\";  to = \"client\"", "bad-party", 0},
    {"of = \"event\"", "of = \"guidance\"", "wrong-type", 0},
    {"of = \"event\"", "of = \"evnt\"", "unknown-service", 0},
    {"to = [ \"te\", \"client\" ]", "to = [ \"te\", \"te\" ]", "duplicate", 0},
    {"text = \"was-absent\";", "", "missing-key", 0},
    {"type = \"wait\";  for = \"10 days\"",
     "type = \"wait\";  for = \"10 days\";  until = \"ends\"", "bad-value", 0},
    {"type = \"wait\";  message = \"verdict\"", "type = \"wait\";  message = \"verdit\"",
     "unknown-message", 0},
    {"wait-for = 2", "wait-for = 3", "out-of-range", 0},
    {"first = [ \"try\", \"verdict-wait\" ]", "first = [ \"try\", \"choose\" ]", "crosses-stage",
     0},
    {"        rest : { type = \"wait\";",
     "        over : { type = \"end\";  outcome = \"over\"; };\n        rest : { type = \"wait\";",
     "end-inside", 0},
    {"outcome = \"gone\"", "outcome = \"gone\";  continues = \"Other\"", "bad-name", 0},
    {"records = [ \"need\" ]", "records = [ \"needs\" ]", "unknown-field", 0},
    {"  within = \"8 months\";\n", "\n", "missing-clock", -2},
    /* rules */
    {", { to = \"tell-te\"; } );", " );", "no-default-rule", 0},
    {"{ to = \"tell-te\"; } );", "{ to = \"tell-te\"; }, { to = \"event\"; } );",
     "unreachable-rule", 0},
    {"rules = ( { when = \"valid and", "rules = ( { whenn = \"valid and", "unknown-key", 0},
    {"when = \"valid and days < 1000\"", "when = \"valid and days\"", "bad-condition", 0},
    {"need in [study, rest]", "need in [study, resst]", "bad-condition", 0},
    {"try is interrupted", "try is held", "bad-condition", 0},
    {"to = \"leave:broken\"", "to = \"leave:brokn\"", "missing-exit", 0},
    /* what libconfig lets through */
    {"at-most = 2;", "at-most = 12345678901;", "out-of-range", 0},
};

static void every_fault_has_its_line_and_code(void **state)
{
    (void)state;
    size_t n = sizeof(BROKEN) / sizeof(BROKEN[0]), bad = 0;
    for (size_t k = 0; k < n; k++) {
        int line;
        char *text = replaced(WORKFLOW_TEXT, BROKEN[k].from, BROKEN[k].to, &line);
        sto_diags_t *d = sto_diags_new();
        workflow_t *x = load_workflow(text, net, d);
        if (x || !has_finding(d, BROKEN[k].code, line + BROKEN[k].lines)) {
            print_message("'%s' -> '%s': expected [%s] on line %d\n", BROKEN[k].from, BROKEN[k].to,
                          BROKEN[k].code, line + BROKEN[k].lines);
            print_diags(d);
            bad++;
        }
        workflow_destroy(&x);
        sto_diags_destroy(&d);
        free(text);
    }
    assert_int_equal(bad, 0);
}

static void all_faults_come_in_one_run(void **state)
{
    (void)state;
    int line;
    char *a =
        replaced(WORKFLOW_TEXT, "on : { done = \"judge\";", "on : { done = \"jugde\";", &line);
    char *b = replaced(a, "taken-over = \"talk\"", "taken-over = \"tlak\"", &line);
    char *c = replaced(b, "category = \"dealings\"", "category = \"dealing\"", &line);
    sto_diags_t *d = sto_diags_new();
    assert_null(load_workflow(c, net, d));
    assert_int_equal(sto_diags_errors(d), 3);
    sto_diags_sort(d); /* the first one is a warning: no texts */
    assert_string_equal(sto_diags_at(d, 1)->code, "unknown-category");
    assert_non_null(strstr(sto_diags_at(d, 1)->text, "did you mean 'dealings'"));
    assert_non_null(strstr(sto_diags_at(d, 2)->text, "did you mean 'judge'"));
    sto_diags_destroy(&d);
    free(a);
    free(b);
    free(c);
}

/* R128, R131: limits are parameters of the network */
static void a_network_may_change_settings_inside_their_limits_only(void **state)
{
    (void)state;
    static const struct broken CASES[] = {
        {"limit = 300", "limit = 2000", "out-of-range", 0},
        {"limit = 300", "limt = 300", "unknown-setting", 0},
        {"limit = 300", "limit = \"3 days\"", "wrong-type", 0},
        {"window = \"10 days\"", "window = \"15 days\"", "out-of-range", 0}};
    for (size_t k = 0; k < sizeof(CASES) / sizeof(CASES[0]); k++) {
        int line;
        char *text = replaced(NETWORK_TEXT, CASES[k].from, CASES[k].to, &line);
        network_t *other = load_network(text);
        sto_diags_t *d = sto_diags_new();
        assert_null(load_workflow(WORKFLOW_TEXT, other, d));
        assert_true(has_finding(d, CASES[k].code, line));
        assert_string_equal(sto_diags_at(d, 0)->file, "net.cfg");
        sto_diags_destroy(&d);
        network_destroy(&other);
        free(text);
    }
}

static void garbage_is_refused(void **state)
{
    (void)state;
    static const char *const TEXTS_BAD[] = {
        "",
        "workflow",
        "workflow : {",
        "workflow : { };",
        "workflow : 3;",
        "workflow : ( );",
        "\xff\xfe",
        "workflow : { steps : { a : { type = \"task\"; }; }; };"};
    for (size_t k = 0; k < sizeof(TEXTS_BAD) / sizeof(TEXTS_BAD[0]); k++) {
        sto_diags_t *d = sto_diags_new();
        assert_null(load_workflow(TEXTS_BAD[k], net, d));
        assert_true(sto_diags_errors(d) > 0);
        sto_diags_destroy(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_numbered_in_file_order_with_stage_and_host),
        cmocka_unit_test(fixed_exits_stand_at_their_indexes),
        cmocka_unit_test(exits_have_targets_fields_and_names),
        cmocka_unit_test(parties_are_roles_or_holder_sender_client),
        cmocka_unit_test(durations_are_literal_settings_or_dates),
        cmocka_unit_test(sides_say_when_they_start),
        cmocka_unit_test(steps_carry_what_they_say),
        cmocka_unit_test(data_settings_consents_and_messages_are_read),
        cmocka_unit_test(the_hash_covers_every_byte),
        cmocka_unit_test(texts_are_found_by_key_and_language),
        cmocka_unit_test(every_fault_of_texts_has_its_line_and_code),
        cmocka_unit_test(a_text_that_nothing_uses_is_a_warning),
        cmocka_unit_test(every_fault_has_its_line_and_code),
        cmocka_unit_test(all_faults_come_in_one_run),
        cmocka_unit_test(a_network_may_change_settings_inside_their_limits_only),
        cmocka_unit_test(garbage_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
