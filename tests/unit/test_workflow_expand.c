/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Workflow files: call and each. What stands where in the case, what its names mean, what a bundle
 * holds and at which line of which file a fault is told.
 */
#include "model_fixture.h"

#include "workflow_bundle.h"

static network_t *net;

static const char CALLER[] =
    "workflow :\n"
    "{\n"
    "  id = \"caller\";  version = 1;  purpose = \"services\";\n"
    "  roles :\n"
    "  {\n"
    "    te     : { kind = \"te-office\";  choose = \"start\"; };\n"
    "    firm   : { kind = \"employer\";  choose = \"step\"; };\n"
    "    actors : { kind = \"employer\";  choose = \"step\";  many = 3; };\n"
    "  };\n"
    "  settings : { window : { type = \"duration\";  default = \"9 days\"; }; };\n"
    "  data :\n"
    "  {\n"
    "    why     : { type = \"code\";  values = [ \"sick\", \"moved\" ];  category = \"plan\"; };\n"
    "    next    : { type = \"text\";  category = \"plan\"; };\n"
    "    opinion : { type = \"text\";  per = \"actors\";  category = \"plan\"; };\n"
    "    agreed  : { type = \"boolean\";  per = \"actors\";  category = \"plan\"; };\n"
    "  };\n"
    "  messages : { letter : { from = [ \"te\" ];  answers = [ \"yes\", \"no\" ]; }; };\n"
    "  start : { by = \"te\";  first = \"begin\"; };\n"
    "  on : { client-left = \"over\";  client-died = \"over\"; };\n"
    "  steps :\n"
    "  {\n"
    "    begin : { type = \"task\";  role = \"te\";  within = \"1 day\";\n"
    "      on : { done : { to = \"support\";  collects = [ \"why\" ];  names = [ \"firm\", "
    "\"actors\" ]; };  expired = \"stay\"; }; };\n"
    "    support : { type = \"call\";  workflow = \"called\";  version = 4;  roles : { provider = "
    "\"firm\"; };\n"
    "      gives : { reason = \"why\"; };  takes : { next-step = \"next\"; };\n"
    "      on : { solved = \"ask\";  left = \"over\"; }; };\n"
    "    ask :\n"
    "    {\n"
    "      type = \"each\";  over = \"actors\";  first = \"tell\";  within = \"30 days\";  "
    "wait-for = 2;\n"
    "      steps :\n"
    "      {\n"
    "        tell : { type = \"task\";  role = \"actors\";  within = \"7 days\";\n"
    "          on : { done : { to = \"judge\";  collects = [ \"opinion\", \"agreed\" ]; };  never "
    "= \"leave:broken\";  expired = \"join\"; }; };\n"
    "        judge : { type = \"decide\";  rules = ( { when = \"agreed and tell is done\";  to = "
    "\"join\"; }, { to = \"tell\"; } ); };\n"
    "      };\n"
    "      on : { done = \"read\";  broken = \"over\";  expired = \"read\"; };\n"
    "    };\n"
    "    read : { type = \"task\";  role = \"te\";  carries = [ \"opinion\", \"next\" ];  within = "
    "\"1 day\";  on : { done = \"look\";  expired = \"stay\"; }; };\n"
    "    look : { type = \"decide\";  rules = ( { when = \"support is solved\";  to = \"over\"; }, "
    "{ to = \"over\"; } ); };\n"
    "    over : { type = \"end\";  outcome = \"over\"; };\n"
    "  };\n"
    "};\n";

static const char CALLED[] =
    "workflow :\n"
    "{\n"
    "  id = \"called\";  version = 4;  purpose = \"other-services\";\n"
    "  roles :\n"
    "  {\n"
    "    lead     : { kind = \"te-office\";  choose = \"start\"; };\n"
    "    provider : { kind = \"employer\";  choose = \"call\"; };\n"
    "    home     : { kind = \"municipality\";  choose = \"home\"; };\n"
    "  };\n"
    "  settings : { window : { type = \"duration\";  default = \"5 days\"; };  extra : { type = "
    "\"integer\";  default = 3;  min = 1;  max = 9; }; };\n"
    "  data :\n"
    "  {\n"
    "    reason    : { type = \"code\";  values = [ \"moved\", \"sick\", \"other\" ];  category = "
    "\"plan\"; };\n"
    "    view      : { type = \"text\";  category = \"plan\"; };\n"
    "    next-step : { type = \"text\";  category = \"plan\"; };\n"
    "  };\n"
    "  consents : { tell-all : { to = [ \"home\" ];  categories = [ \"plan\" ]; }; };\n"
    "  messages : { letter : { from = [ \"lead\" ];  answers = [ \"no\", \"yes\" ]; };  alarm : { "
    "from = [ \"provider\" ]; }; };\n"
    "  start : { by = \"lead\";  requires = [ \"reason\" ];  first = \"talk\"; };\n"
    "  within = \"60 days\";\n"
    "  on : { client-left = \"gone\";  tell-all-lost = \"again\";  expired = \"again\"; };\n"
    "  meanwhile : { watch : { starts = \"alarm\";  type = \"task\";  role = \"lead\";  within = "
    "\"1 day\";  on : { done = \"join\";  stop = \"leave:left\";  expired = \"join\"; }; }; };\n"
    "  steps :\n"
    "  {\n"
    "    talk : { type = \"task\";  role = \"provider\";  carries = [ \"reason\" ];  within = "
    "\"window\";  at-most = \"extra\";\n"
    "      on : { done : { to = \"which\";  collects = [ \"view\" ]; };  expired = \"again\";  "
    "too-often = \"gone\"; }; };\n"
    "    which : { type = \"decide\";  rules = ( { when = \"reason is other\";  to = \"gone\"; }, "
    "{ when = \"talk is done\";  to = \"again\"; }, { to = \"solved\"; } ); };\n"
    "    again : { type = \"task\";  role = \"holder\";  carries = [ \"view\" ];  within = \"3 "
    "days\";\n"
    "      on : { done : { to = \"solved\";  collects = [ \"next-step\" ]; };  alarm = \"talk\";  "
    "more = \"talk\";  expired = \"stay\"; }; };\n"
    "    solved : { type = \"end\";  outcome = \"solved\";  records = [ \"next-step\" ]; };\n"
    "    gone   : { type = \"end\";  outcome = \"left\"; };\n"
    "  };\n"
    "};\n";

static int set_up(void **state)
{
    (void)state;
    sto_time_init();
    net = load_network(NETWORK_TEXT);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    network_destroy(&net);
    return 0;
}

/* ------------------------------------------------------------------ a folder of two files */

struct folder {
    const char *called, *texts; /* of "called" */
};

static bool find(void *arg, const char *id, struct model_file *file, struct model_file *texts)
{
    const struct folder *f = arg;
    if (strcmp(id, "called") != 0 || !f->called) {
        return false;
    }
    *file = (struct model_file){"called/workflow.cfg", f->called, strlen(f->called)};
    *texts = (struct model_file){"called/texts.cfg", f->texts, f->texts ? strlen(f->texts) : 0};
    return true;
}

static workflow_t *load(const char *caller, const char *texts, struct folder f, sto_diags_t *d)
{
    const struct workflow_source source = {find, &f};
    struct model_file file = {"caller/workflow.cfg", caller, strlen(caller)},
                      t = {"caller/texts.cfg", texts, texts ? strlen(texts) : 0};
    struct sto_buf cfg, text;
    sto_buf_init(&cfg, 0);
    sto_buf_init(&text, 0);
    workflow_t *w = NULL;
    if (workflow_bundle(&file, &t, &source, d, &cfg, &text) == 0) {
        file.text = (const char *)cfg.data;
        file.len = cfg.len;
        t.text = (const char *)text.data;
        t.len = text.len;
        (void)workflow_load(&file, &t, net, d, &w);
    }
    sto_buf_release(&cfg);
    sto_buf_release(&text);
    return w;
}

static workflow_t *both(void)
{
    sto_diags_t *d = sto_diags_new();
    workflow_t *w = load(CALLER, NULL, (struct folder){CALLED, NULL}, d);
    if (!w) {
        print_diags(d);
    }
    assert_non_null(w);
    sto_diags_destroy(&d);
    return w;
}

static const struct wf_step *step(const workflow_t *w, const char *id)
{
    uint16_t ix = workflow_step(w, id);
    if (ix == WF_NONE) {
        fail_msg("no step '%s'", id);
    }
    return &w->steps[ix];
}

static const struct wf_exit *exit_of(const workflow_t *w, const char *id, const char *exit)
{
    int ix = workflow_exit(w, exit);
    assert_true(ix >= 0);
    const struct wf_exit *e = workflow_step_exit(step(w, id), (unsigned)ix);
    if (!e) {
        fail_msg("step '%s' has no exit '%s'", id, exit);
    }
    return e;
}

/* ------------------------------------------------------------------ call */

static void a_call_holds_the_called_steps(void **state)
{
    (void)state;
    workflow_t *w = both();
    uint16_t call = workflow_step(w, "support");
    assert_int_equal(step(w, "support")->type, STEP_CALL);
    assert_string_equal(step(w, "support")->calls, "called");
    assert_int_equal(step(w, "support")->calls_version, 4);
    assert_int_equal(step(w, "support.talk")->stage, call);
    assert_int_equal(step(w, "support")->n_first, 1);
    assert_int_equal(step(w, "support")->first[0], workflow_step(w, "support.talk"));
    assert_int_equal(workflow_step(w, "support.gone"), WF_NONE);
    assert_int_equal(workflow_step(w, "talk"), WF_NONE);
    assert_int_equal(step(w, "support.watch")->host, call);
    assert_int_equal(step(w, "support")->n_sides, 1);
    assert_string_equal(step(w, "support.talk")->file, "called/workflow.cfg");
    assert_int_equal(step(w, "support.talk")->line, 25);
    assert_string_equal(step(w, "support")->file, "caller/workflow.cfg");
    workflow_destroy(&w);
}

static void its_ends_leave_the_call_by_their_outcomes(void **state)
{
    (void)state;
    workflow_t *w = both();
    const struct wf_exit *e = exit_of(w, "support.again", "done");
    assert_int_equal(e->kind, TARGET_LEAVE);
    assert_string_equal(w->exits[e->leave], "solved");
    assert_int_equal(exit_of(w, "support.talk", "expired")->step,
                     workflow_step(w, "support.again"));
    assert_int_equal(step(w, "support.which")->rules[0].kind, TARGET_LEAVE);
    assert_string_equal(w->exits[step(w, "support.which")->rules[0].leave], "left");
    assert_int_equal(exit_of(w, "support", "solved")->step, workflow_step(w, "ask"));
    assert_int_equal(step(w, "look")->n_rules, 2);
    workflow_destroy(&w);
}

static void its_own_on_and_clock_are_the_calls(void **state)
{
    (void)state;
    workflow_t *w = both();
    assert_int_equal(step(w, "support")->within[0].d.n, 60);
    const struct wf_exit *e = exit_of(w, "support", "expired");
    assert_int_equal(e->kind, TARGET_INSIDE);
    assert_int_equal(e->step, workflow_step(w, "support.again"));
    e = exit_of(w, "support", "support.tell-all-lost");
    assert_int_equal(e->kind, TARGET_INSIDE);
    assert_true(workflow_exit_is_event(w, e->exit));
    /* the caller's own `on` takes this one first */
    assert_null(workflow_step_exit(step(w, "support"), EXIT_CLIENT_LEFT));
    workflow_destroy(&w);
}

static void names_pass_or_live_in_the_call(void **state)
{
    (void)state;
    workflow_t *w = both();
    int lead = workflow_role(w, "support.lead"), firm = workflow_role(w, "firm");
    assert_int_equal(step(w, "support.talk")->role, firm);
    assert_int_equal(workflow_role(w, "support.provider"), -1);
    assert_true(lead >= 0 && workflow_role(w, "support.home") >= 0);
    assert_int_equal(w->roles[lead].call, workflow_step(w, "support"));
    assert_int_equal(w->roles[0].call, WF_NONE);
    assert_int_equal(step(w, "support.watch")->role, lead);
    assert_int_equal(workflow_field(w, "support.reason"), -1);
    assert_int_equal(step(w, "support.talk")->carries, UINT64_C(1) << workflow_field(w, "why"));
    assert_int_equal(exit_of(w, "support.again", "done")->collects,
                     UINT64_C(1) << workflow_field(w, "next"));
    assert_int_equal(exit_of(w, "support.talk", "done")->collects,
                     UINT64_C(1) << workflow_field(w, "support.view"));
    /* the same setting and message by name, the others added */
    assert_int_equal(w->n_settings, 2);
    assert_string_equal(w->settings[1].id, "support.extra");
    assert_int_equal(step(w, "support.talk")->within[0].ix, 0);
    assert_int_equal(step(w, "support.talk")->at_most_setting, 1);
    assert_int_equal(w->n_messages, 2);
    assert_string_equal(w->messages[1].id, "support.alarm");
    assert_int_equal(step(w, "support.watch")->starts.event, WF_EVENT_MESSAGE_0 + 1);
    assert_int_equal(exit_of(w, "support.again", "support.alarm")->step,
                     workflow_step(w, "support.talk"));
    assert_string_equal(w->consents[0].id, "support.tell-all");
    assert_string_equal(w->consents[0].purpose, "services");
    workflow_destroy(&w);
}

/* ------------------------------------------------------------------ each */

static void an_each_has_a_branch_for_each_organisation(void **state)
{
    (void)state;
    workflow_t *w = both();
    const struct wf_step *each = step(w, "ask");
    uint16_t ix = workflow_step(w, "ask");
    assert_int_equal(each->type, STEP_EACH);
    assert_int_equal(each->n_first, 3);
    assert_int_equal(each->wait_for, 2);
    assert_int_equal(each->over, workflow_role(w, "actors"));
    for (unsigned k = 1; k <= 3; k++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "ask#%u", k);
        const struct wf_step *b = step(w, id);
        assert_int_equal(each->first[k - 1], workflow_step(w, id));
        assert_int_equal(b->type, STEP_STAGE);
        assert_int_equal(b->stage, ix);
        assert_int_equal(b->branch, k);
        assert_int_equal(b->each, ix);
        assert_int_equal(b->n_within, 0);
        assert_int_equal(workflow_step_exit(b, EXIT_DONE)->kind, TARGET_JOIN);
        assert_int_equal(exit_of(w, id, "broken")->kind, TARGET_LEAVE);
        assert_int_equal(b->n_exits, 2);
    }
    assert_int_equal(each->branch, 0);
    assert_int_equal(each->each, WF_NONE);
    workflow_destroy(&w);
}

static void plain_names_in_a_branch_are_its_own(void **state)
{
    (void)state;
    workflow_t *w = both();
    const struct wf_step *tell = step(w, "tell#2");
    assert_int_equal(tell->stage, workflow_step(w, "ask#2"));
    assert_int_equal(tell->branch, 2);
    assert_int_equal(tell->each, workflow_step(w, "ask"));
    assert_int_equal(tell->role, workflow_role(w, "actors#2"));
    assert_int_equal(exit_of(w, "tell#2", "done")->collects,
                     UINT64_C(1) << workflow_field(w, "opinion#2") |
                         UINT64_C(1) << workflow_field(w, "agreed#2"));
    assert_int_equal(exit_of(w, "tell#3", "done")->step, workflow_step(w, "judge#3"));
    assert_int_equal(step(w, "judge#3")->rules[1].step, workflow_step(w, "tell#3"));
    assert_int_equal(step(w, "read")->carries, UINT64_C(1) << workflow_field(w, "opinion#1") |
                                                   UINT64_C(1) << workflow_field(w, "opinion#2") |
                                                   UINT64_C(1) << workflow_field(w, "opinion#3") |
                                                   UINT64_C(1) << workflow_field(w, "next"));
    assert_int_equal(exit_of(w, "begin", "done")->names,
                     1u << workflow_role(w, "firm") | 1u << workflow_role(w, "actors"));
    workflow_destroy(&w);
}

static void calls_and_eaches_nest(void **state)
{
    (void)state;
    static const char EACH[] =
        "workflow : { id = \"caller\"; version = 1; purpose = \"services\";\n"
        "  roles : { te : { kind = \"te-office\"; choose = \"start\"; };\n"
        "    actors : { kind = \"employer\"; choose = \"desk\"; many = 2; }; };\n"
        "  data : { why : { type = \"code\"; values = [ \"sick\" ]; per = \"actors\"; category = "
        "\"plan\"; };\n"
        "    next : { type = \"text\"; per = \"actors\"; category = \"plan\"; }; };\n"
        "  start : { by = \"te\"; first = \"all\"; };  on : { client-left = \"over\"; };\n"
        "  steps : { all : { type = \"each\"; over = \"actors\"; first = \"help\";\n"
        "      steps : { help : { type = \"call\"; workflow = \"called\"; version = 4; roles : { "
        "provider = \"actors\"; };\n"
        "        gives : { reason = \"why\"; }; takes : { next-step = \"next\"; }; on : { solved = "
        "\"join\"; left = \"join\"; }; }; };\n"
        "      on : { done = \"over\"; }; };\n"
        "    over : { type = \"end\"; outcome = \"over\"; }; }; };\n";
    sto_diags_t *d = sto_diags_new();
    workflow_t *w = load(EACH, NULL, (struct folder){CALLED, NULL}, d);
    if (!w) {
        print_diags(d);
    }
    assert_non_null(w);
    assert_int_equal(step(w, "help#2.talk")->role, workflow_role(w, "actors#2"));
    assert_int_equal(step(w, "help#2.talk")->branch, 2);
    assert_int_equal(step(w, "help#2.talk")->carries, UINT64_C(1) << workflow_field(w, "why#2"));
    assert_int_equal(step(w, "help#1.talk")->stage, workflow_step(w, "help#1"));
    assert_true(workflow_field(w, "help#1.view") >= 0);
    workflow_destroy(&w);
    sto_diags_destroy(&d);
}

/* ------------------------------------------------------------------ bundle, texts */

static void without_calls_a_bundle_is_the_file(void **state)
{
    (void)state;
    struct folder f = {CALLED, NULL};
    const struct workflow_source source = {find, &f};
    struct model_file file = {"w.cfg", WORKFLOW_TEXT, strlen(WORKFLOW_TEXT)};
    struct sto_buf cfg, texts;
    sto_diags_t *d = sto_diags_new();
    sto_buf_init(&cfg, 0);
    sto_buf_init(&texts, 0);
    assert_int_equal(workflow_bundle(&file, NULL, &source, d, &cfg, &texts), 0);
    assert_int_equal(cfg.len, file.len);
    assert_memory_equal(cfg.data, file.text, file.len);
    assert_int_equal(texts.len, 0);
    sto_buf_release(&cfg);
    sto_buf_release(&texts);
    sto_diags_destroy(&d);
}

static void the_hash_covers_what_is_called(void **state)
{
    (void)state;
    int line;
    char *changed = replaced(CALLED, "within = \"3 days\"", "within = \"4 days\"", &line);
    sto_diags_t *d = sto_diags_new();
    workflow_t *w = both(), *other = load(CALLER, NULL, (struct folder){changed, NULL}, d),
               *same = both();
    assert_memory_equal(w->hash, same->hash, 32);
    assert_memory_not_equal(w->hash, other->hash, 32);
    workflow_destroy(&w);
    workflow_destroy(&other);
    workflow_destroy(&same);
    sto_diags_destroy(&d);
    free(changed);
}

#define T(key) "  " key " : { fi = \"" key " fi\"; sv = \"" key " sv\"; en = \"" key " en\"; };\n"
static const char CALLER_TEXTS[] = "texts : {\n" T("caller") T("begin") T("support") T("ask")
    T("tell") T("judge") T("read") T("look") T("over") T("opinion") "};\n";
static const char CALLED_TEXTS[] = "texts : {\n" T("called") T("talk") T("which") T("again")
    T("watch") T("solved") T("gone") T("left") T("done") "};\n";

static void texts_come_along(void **state)
{
    (void)state;
    sto_diags_t *d = sto_diags_new();
    workflow_t *w = load(CALLER, CALLER_TEXTS, (struct folder){CALLED, CALLED_TEXTS}, d);
    print_diags(d);
    assert_non_null(w);
    assert_int_equal(sto_diags_count(d), 0);
    assert_string_equal(workflow_text(w, "support.talk", "sv"), "talk sv");
    assert_string_equal(workflow_text(w, "tell#2", "en"), "tell en");
    assert_string_equal(workflow_text(w, "ask#1", "en"), "ask en");
    assert_string_equal(workflow_text(w, "opinion#3", "fi"), "opinion fi");
    assert_string_equal(workflow_text(w, "left", "fi"), "left fi");
    assert_string_equal(workflow_text(w, "over", "fi"), "over fi");
    workflow_destroy(&w);
    sto_diags_destroy(&d);
}

static void a_missing_text_is_told_in_its_own_file(void **state)
{
    (void)state;
    int line;
    char *texts = replaced(CALLED_TEXTS, T("again"), "", &line);
    sto_diags_t *d = sto_diags_new();
    assert_null(load(CALLER, CALLER_TEXTS, (struct folder){CALLED, texts}, d));
    assert_true(has_finding(d, "missing-text", 1));
    assert_string_equal(sto_diags_at(d, 0)->file, "called/texts.cfg");
    sto_diags_destroy(&d);
    free(texts);
}

/* ------------------------------------------------------------------ faults */

struct fault {
    bool called; /* in which file */
    const char *from, *to, *code;
    int lines;
    bool told_in_called;
};
static const struct fault FAULTS[] = {
    {false, "workflow = \"called\"", "workflow = \"caled\"", "unknown-workflow", 0, false},
    {false, "workflow = \"called\"", "workflow = \"caller\"", "circle", 0, false},
    {false, "workflow = \"called\";", "", "missing-key", 0, false},
    {false, "version = 4", "version = 3", "other-version", 0, false},
    {false, "version = 4;  roles", "roles", "missing-key", 0, false},
    {false, "roles : { provider = \"firm\"; }", "roles : { povider = \"firm\"; }", "unknown-role",
     0, false},
    {false, "roles : { provider = \"firm\"; }", "roles : { provider = \"frim\"; }", "unknown-role",
     0, false},
    {false, "roles : { provider = \"firm\"; }", "roles : { provider = \"actors\"; }", "bad-party",
     0, false},
    {false, "roles : { provider = \"firm\"; }", "roles : { provider = \"client\"; }", "bad-party",
     0, false},
    {false, "roles : { provider = \"firm\"; };", "", "missing-role", 0, false},
    {false, "gives : { reason = \"why\"; };", "", "missing-key", -1, false},
    {false, "gives : { reason = \"why\"; }", "gives : { reason = \"next\"; }", "wrong-type", 0,
     false},
    {false, "gives : { reason = \"why\"; }", "gives : { reasn = \"why\"; }", "unknown-field", 0,
     false},
    {false, "gives : { reason = \"why\"; }", "gives : { reason = \"wy\"; }", "unknown-field", 0,
     false},
    {false, "values = [ \"sick\", \"moved\" ]", "values = [ \"sick\", \"elsewhere\" ]",
     "wrong-type", 13, false},
    {false, "takes : { next-step = \"next\"; }", "takes : { reason = \"why\"; }", "wrong-type", 0,
     false},
    {false, "takes : { next-step = \"next\"; };", "", "missing-exit", 99, false}, /* see below */
    {false, "on : { solved = \"ask\";", "on : {", "missing-exit", -2, false},
    {false, "on : { solved = \"ask\";", "on : { solved = \"ask\";  other = \"ask\";",
     "unknown-exit", 0, false},
    {false, "answers = [ \"yes\", \"no\" ]", "answers = [ \"yes\" ]", "wrong-type", 0, true},
    {true, "within = \"3 days\"", "within = \"3 dayz\"", "bad-duration", 0, true},
    {true, "outcome = \"left\"", "outcome = \"lost\"", "missing-exit", 0, false},
    {true, "outcome = \"left\"", "outcome = \"left\";  continues = \"other\"", "end-inside", 0,
     true},
    {true, "outcome = \"left\"", "outcom = \"left\"", "unknown-key", 0, true},
    {true, "to = \"gone\"; },", "to = \"watch\"; },", "bad-target", 0, true},
    {true, "to = \"gone\"; },", "to = \"leave:x\"; },", "bad-target", 0, true},
    {true, "to = \"gone\"; },", "to = \"join\"; },", "missing-exit", 0, false},
    {true, "to = \"gone\"; },", "to = \"begin\"; },", "unknown-step", 0, true},
    {true, "tell-all-lost = \"again\"", "tell-all-lost = \"join\"", "bad-target", 0, true},
    {true, "stop = \"leave:left\"", "stop = \"leave:right\"", "missing-exit", 0, true},
    {true, "reason is other", "reason is othr", "bad-condition", 0, true},
    {true, "reason is other", "why is sick", "bad-condition", 0, true},
    {true, "id = \"called\"", "id = \"called\";  subjct = \"client\"", "unknown-key", 0, true},
    {true, "first = \"talk\"", "first = \"tak\"", "unknown-step", 0, true},
    {true, "data :", "daata :", "unknown-key", 0, true},
    {true, "alarm : {", "talk : {", "equal-names", 7, true},
    {false, "on : { solved = \"ask\";  left = \"over\"; };", "", "missing-exit", -2, false},
    {false, "over = \"actors\"", "over = \"firm\"", "bad-party", 0, false},
    {false, "over = \"actors\"", "over = \"actor\"", "unknown-role", 0, false},
    {false, "over = \"actors\";", "", "missing-key", -2, false},
    {false, "wait-for = 2", "wait-for = 4", "out-of-range", 0, false},
    {false, "first = \"tell\"", "first = \"read\"", "crosses-stage", 0, false},
    {false, "never = \"leave:broken\"", "never = \"leave:other\"", "missing-exit", 0, false},
    {false, "on : { done = \"read\";", "on : {", "missing-exit", -9, false},
    {false, "agreed and tell is done", "agreed and tell is don", "bad-condition", 0, false},
    {false, "support is solved", "agreed", "outside-each", 0, false},
    {false, "support is solved", "tell is done", "bad-condition", 0, false},
    {false, "carries = [ \"opinion\", \"next\" ]", "collects = [ \"opinion\" ]", "outside-each", 0,
     false},
    {false, "many = 3", "many = 2", "missing-exit", 99, false}, /* no fault: fewer branches */
};

static void every_fault_is_told_where_it_stands(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (size_t k = 0; k < sizeof(FAULTS) / sizeof(FAULTS[0]); k++) {
        const struct fault *b = &FAULTS[k];
        int line;
        char *text = replaced(b->called ? CALLED : CALLER, b->from, b->to, &line);
        sto_diags_t *d = sto_diags_new();
        workflow_t *w = load(b->called ? CALLER : text, NULL,
                             (struct folder){b->called ? text : CALLED, NULL}, d);
        bool told = b->lines == 99 && w;
        int expected = b->called == b->told_in_called ? line + b->lines : 0;
        for (size_t i = 0; i < sto_diags_count(d); i++) {
            const struct sto_diag *x = sto_diags_at(d, i);
            const char *file = b->told_in_called ? "called/workflow.cfg" : "caller/workflow.cfg";
            told = told || (!w && strcmp(x->code, b->code) == 0 && strcmp(x->file, file) == 0 &&
                            (expected == 0 || x->line == expected));
        }
        if (!told) {
            print_message("'%s' -> '%s': expected [%s] on line %d\n", b->from, b->to, b->code,
                          expected);
            print_diags(d);
            failed++;
        }
        workflow_destroy(&w);
        sto_diags_destroy(&d);
        free(text);
    }
    assert_int_equal(failed, 0);
}

static void what_is_given_only_is_not_collected(void **state)
{
    (void)state;
    int line, given;
    char *called = replaced(CALLED, "collects = [ \"view\" ]", "collects = [ \"reason\" ]", &line);
    char *taken = replaced(CALLER, "takes : {", "takes : { reason = \"why\"; ", &given);
    char *same =
        replaced(taken, "[ \"sick\", \"moved\" ]", "[ \"sick\", \"other\", \"moved\" ]", &line);
    sto_diags_t *d = sto_diags_new();
    assert_null(load(CALLER, NULL, (struct folder){called, NULL}, d));
    assert_true(has_finding(d, "given-collected", given));
    sto_diags_destroy(&d);
    d = sto_diags_new();
    workflow_t *w = load(same, NULL, (struct folder){called, NULL}, d);
    print_diags(d);
    assert_non_null(w);
    workflow_destroy(&w);
    sto_diags_destroy(&d);
    free(called);
    free(taken);
    free(same);
}

static void a_called_file_that_cannot_be_read_is_told_at_its_lines(void **state)
{
    (void)state;
    int line;
    char *called = replaced(CALLED, "purpose = \"other-services\";", "purpose = other;", &line);
    sto_diags_t *d = sto_diags_new();
    assert_null(load(CALLER, NULL, (struct folder){called, NULL}, d));
    assert_int_equal(sto_diags_at(d, 0)->line, line);
    assert_string_equal(sto_diags_at(d, 0)->file, "called/workflow.cfg");
    sto_diags_destroy(&d);
    free(called);
}

static void a_finding_is_told_once_and_still_fails_the_second(void **state)
{
    (void)state;
    int line;
    char *called = replaced(CALLED, "within = \"3 days\"", "within = \"3 dayz\"", &line);
    sto_diags_t *d = sto_diags_new();
    assert_null(load(CALLER, NULL, (struct folder){called, NULL}, d));
    size_t n = sto_diags_count(d);
    assert_null(load(CALLER, NULL, (struct folder){called, NULL}, d));
    assert_int_equal(sto_diags_count(d), n);
    sto_diags_destroy(&d);
    free(called);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_holds_the_called_steps),
        cmocka_unit_test(its_ends_leave_the_call_by_their_outcomes),
        cmocka_unit_test(its_own_on_and_clock_are_the_calls),
        cmocka_unit_test(names_pass_or_live_in_the_call),
        cmocka_unit_test(an_each_has_a_branch_for_each_organisation),
        cmocka_unit_test(plain_names_in_a_branch_are_its_own),
        cmocka_unit_test(calls_and_eaches_nest),
        cmocka_unit_test(without_calls_a_bundle_is_the_file),
        cmocka_unit_test(the_hash_covers_what_is_called),
        cmocka_unit_test(texts_come_along),
        cmocka_unit_test(a_missing_text_is_told_in_its_own_file),
        cmocka_unit_test(what_is_given_only_is_not_collected),
        cmocka_unit_test(a_called_file_that_cannot_be_read_is_told_at_its_lines),
        cmocka_unit_test(a_finding_is_told_once_and_still_fails_the_second),
        cmocka_unit_test(every_fault_is_told_where_it_stands),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
