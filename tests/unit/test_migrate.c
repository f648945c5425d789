/* SPDX-License-Identifier: EUPL-1.2 */
/* Moving running cases to another version: what stays, what strands, who may; and that a version
   that says the same leads every case on alike. */
#include "engine_fixture.h"

#include "migrate.h"

/* Text with each `from` replaced; pairs end with NULL. malloc'd. */
static char *edited(const char *text, const char *const *pairs)
{
    char *s = sto_xstrdup(text);
    for (unsigned i = 0; pairs[i]; i += 2) {
        const char *at = strstr(s, pairs[i]);
        if (!at) {
            fail_msg("the fixture does not say '%s'", pairs[i]);
        }
        struct sto_buf b;
        sto_buf_init(&b, 0);
        sto_put_bytes(&b, s, (size_t)(at - s));
        sto_put_bytes(&b, pairs[i + 1], strlen(pairs[i + 1]));
        sto_put_bytes(&b, at + strlen(pairs[i]), strlen(at + strlen(pairs[i])) + 1);
        free(s);
        s = sto_xstrdup((const char *)b.data);
        sto_buf_release(&b);
    }
    return s;
}

#define EDITED(text, ...) edited(text, (const char *const[]){__VA_ARGS__, NULL})

/* The same, but with everything at another number. */
static char *renumbered(const char *text)
{
    return EDITED(text, "version = 1", "version = 2", "roles : { te",
                  "roles : { spare : { kind = "
                  "\"club\"; choose = \"free\"; }; te",
                  "days : {", "zero : { type = \"integer\"; category = \"dealings\"; }; days : {",
                  "  steps : {\n",
                  "  steps : { unused : { type = \"task\"; role = \"spare\"; "
                  "collects = [ \"zero\" ]; within = \"1 day\"; on : { odd = \"fin\"; expired = "
                  "\"stay\"; }; };\n");
}

static const char *hash_text(const workflow_t *w)
{
    static char text[65];
    for (unsigned i = 0; i < 32; i++) {
        snprintf(text + 2 * i, 3, "%02x", w->hash[i]);
    }
    return text;
}

static int migrate(struct rig *r, const struct in_name *map, unsigned n)
{
    struct input in = from(EVENT_MIGRATE, COORD);
    in.name = hash_text(r->next);
    in.names = map;
    in.n_names = n;
    return rig_event(r, &in);
}

/* From `workflow` to its next version, both loaded; the case is open. */
static struct rig *rig_pair(const char *workflow, char *next)
{
    struct rig *r = rig_new(workflow);
    rig_deploy(r, next);
    free(next);
    assert_int_equal(rig_start(r), 0);
    return r;
}

static int64_t due_of(const struct rig *r, enum clock_kind k)
{
    const struct clock *c = rig_clock(r, k);
    return c ? c->due_us : -1;
}

static int do_exit(struct rig *r, const char *step, const char *exit, uint16_t org)
{
    const struct token *t = rig_at(r, step);
    struct input in = plain(r, EVENT_TASK_RESULT, org);
    in.token = t ? t->id : 0xffff;
    in.entry = t ? t->entry : 0;
    in.exit = exit;
    return rig_event(r, &in);
}

/* ------------------------------------------------------------------------ stays */

static void a_case_stands_where_it_stood(void **state)
{
    (void)state;
    struct rig *r = rig_pair(WF_BRANCHES, renumbered(WF_BRANCHES));
    assert_int_equal(rig_until(r, r->now + 2 * DAY_US), 0);
    struct case_state before = r->s;
    const workflow_t *was = r->wf;
    assert_int_equal(migrate(r, NULL, 0), 0);
    assert_ptr_equal(r->wf, r->next);
    assert_int_equal(r->f.kind, EVENT_MIGRATE);
    assert_int_equal(r->f.n_sends + r->f.n_mails, 0);
    assert_int_equal(r->s.n_tokens, before.n_tokens);
    for (unsigned i = 0; i < before.n_tokens; i++) {
        const struct token *a = &before.tokens[i], *b = &r->s.tokens[i];
        assert_true(a->step != b->step);
        assert_string_equal(was->steps[a->step].id, r->wf->steps[b->step].id);
        assert_int_equal(a->id, b->id);
        assert_int_equal(a->entry, b->entry);
        assert_int_equal(a->at.org, b->at.org);
    }
    assert_int_equal(r->s.n_clocks, before.n_clocks);
    for (unsigned i = 0; i < before.n_clocks; i++) {
        assert_int_equal(before.clocks[i].due_us, r->s.clocks[i].due_us);
        assert_int_equal(before.clocks[i].set_us, r->s.clocks[i].set_us);
    }
    assert_true(r->data.v[workflow_field(r->wf, "days")].set);
    assert_int_equal(r->data.v[workflow_field(r->wf, "days")].i, 500);
    assert_int_equal(before.holder.org, r->s.holder.org);
    assert_int_equal(before.roles[workflow_role(was, "home")].at.org,
                     r->s.roles[workflow_role(r->wf, "home")].at.org);
    rig_destroy(&r);
}

static void answers_to_what_was_sent_before_are_taken(void **state)
{
    (void)state;
    struct rig *r = rig_pair(WF_SERVICE, renumbered(WF_SERVICE));
    static const struct in_name firm[] = {{"firm", "firm", ""}};
    struct input in = plain(r, EVENT_TASK_RESULT, TE);
    in.exit = "place";
    in.names = firm;
    in.n_names = 1;
    assert_int_equal(rig_event(r, &in), 0);
    assert_int_equal(rig_do(r, EVENT_ACCEPT, FIRM), 0);
    assert_int_equal(migrate(r, NULL, 0), 0);
    assert_int_equal(rig_do(r, EVENT_START_SERVICE, FIRM), 0);
    assert_non_null(rig_clock(r, CLOCK_SIDE));
    assert_int_equal(rig_until(r, r->now + 16 * DAY_US), 0);
    assert_non_null(rig_at(r, "review")); /* what starts beside it does */
    rig_destroy(&r);
}

static void a_step_goes_by_the_name_that_the_map_gives(void **state)
{
    (void)state;
    char *next =
        EDITED(WF_SERVICE, "version = 1", "version = 2", "first = \"ask\"", "first = \"inquire\"",
               "    ask : {", "    inquire : {", "answered = \"ask\"", "answered = \"inquire\"",
               "returned = \"ask\"", "returned = \"inquire\"", "returned = \"ask\"",
               "returned = \"inquire\"", "interrupted = \"ask\"", "interrupted = \"inquire\"",
               "too-often = \"ask\"", "too-often = \"inquire\"");
    struct rig *r = rig_pair(WF_SERVICE, next);
    int64_t due_us = due_of(r, CLOCK_WITHIN);
    static const struct in_name map[] = {{"ask", "inquire", ""}};
    static const struct in_name wrong[] = {{"ask", "question", ""}};
    assert_int_equal(migrate(r, NULL, 0), -STO_E_REFUSED);
    assert_non_null(strstr(r->err.what, "'ask', which has no counterpart"));
    assert_int_equal(migrate(r, wrong, 1), -STO_E_UNKNOWN_NAME);
    assert_int_equal(migrate(r, map, 1), 0);
    assert_non_null(rig_at(r, "inquire"));
    assert_int_equal(due_of(r, CLOCK_WITHIN), due_us);
    assert_int_equal(do_exit(r, "inquire", "health", TE), 0);
    assert_non_null(rig_at(r, "advice"));
    rig_destroy(&r);
}

static void times_that_are_new_begin_and_those_that_are_gone_end(void **state)
{
    (void)state;
    char *next = EDITED(WF_BRANCHES, "version = 1", "version = 2", "  within = \"2 years\";\n", "",
                        "client-left = \"gone\"; expired = \"stay\"", "client-left = \"gone\"",
                        "starts = \"every 1 month\"", "starts = \"every 2 months\"");
    struct rig *r = rig_pair(WF_BRANCHES, next);
    assert_int_equal(migrate(r, NULL, 0), 0);
    for (unsigned i = 0; i < r->s.n_clocks; i++) {
        assert_false(r->s.clocks[i].kind == CLOCK_WITHIN && r->s.clocks[i].token == 0);
    }
    rig_destroy(&r);
    next = EDITED(WF_SERVICE, "version = 1", "version = 2", "  on : { client-left = \"fin\"; };",
                  "  within = \"1 year\"; on : { client-left = \"fin\"; expired = \"stay\"; };");
    r = rig_pair(WF_SERVICE, next);
    r->now += 3 * DAY_US;
    assert_int_equal(migrate(r, NULL, 0), 0);
    int64_t set_us = 0;
    for (unsigned i = 0; i < r->s.n_clocks; i++) {
        set_us = r->s.clocks[i].token == 0 ? r->s.clocks[i].set_us : set_us;
    }
    assert_int_equal(set_us, r->now);
    rig_destroy(&r);
}

static const char WF_CODES[] =
    "workflow : { id = \"codes\"; version = 1; source = \"test\"; purpose = \"services\";\n"
    "  roles : { te : { kind = \"te-office\"; choose = \"start\"; }; };\n"
    "  data : { days : { type = \"integer\"; category = \"dealings\"; };\n"
    "    note : { type = \"text\"; category = \"plan\"; }; hetu : { type = \"hetu\"; category = "
    "\"identity\"; sealed = true; };\n"
    "    way : { type = \"code\"; values = [ \"one\", \"two\" ]; category = \"plan\"; }; };\n"
    "  start : { by = [ \"te\" ]; requires = [ \"days\" ]; first = \"ask\"; };\n"
    "  on : { client-left = \"fin\"; };\n"
    "  steps : { ask : { type = \"task\"; role = \"holder\"; within = \"5 days\";\n"
    "      on : { again : { to = \"ask\"; collects = [ \"way\" ]; }; done = \"fin\"; expired = "
    "\"stay\"; }; };\n"
    "    fin : { type = \"end\"; outcome = \"over\"; records = [ \"way\" ]; }; }; };\n";

static void codes_are_known_by_their_words(void **state)
{
    (void)state;
    static const struct in_field two[] = {{"way", IN_TEXT, 0, (const uint8_t *)"two", 3}};
    char *next = EDITED(WF_CODES, "version = 1", "version = 2", "[ \"one\", \"two\" ]",
                        "[ \"zero\", \"two\", \"one\" ]");
    struct rig *r = rig_pair(WF_CODES, next);
    struct input in = plain(r, EVENT_TASK_RESULT, TE);
    in.exit = "again";
    in.fields = two;
    in.n_fields = 1;
    assert_int_equal(rig_event(r, &in), 0);
    assert_int_equal(migrate(r, NULL, 0), 0);
    const struct field_value *v = &r->data.v[workflow_field(r->wf, "way")];
    assert_string_equal(r->wf->fields[workflow_field(r->wf, "way")].values[v->i], "two");
    rig_destroy(&r);
    next = EDITED(WF_CODES, "version = 1", "version = 2", "[ \"one\", \"two\" ]",
                  "[ \"one\", \"three\" ]");
    r = rig_pair(WF_CODES, next);
    assert_int_equal(rig_event(r, &in), 0);
    assert_int_equal(migrate(r, NULL, 0), -STO_E_REFUSED); /* "two" is no value any more */
    rig_destroy(&r);
}

/* --------------------------------------------------------------------- strands */

struct whys {
    char text[16][MIGRATION_WHY_BYTES];
    unsigned n;
};

static void keep_why(void *arg, const char *why)
{
    struct whys *w = arg;
    assert_true(w->n < 16);
    snprintf(w->text[w->n++], MIGRATION_WHY_BYTES, "%s", why);
}

static void strands(const char *workflow, char *next, const char *why)
{
    struct rig *r = rig_pair(workflow, next);
    struct migration m;
    struct whys w = {.n = 0};
    bool found = false;
    assert_int_equal(migration_init(&m, r->first, r->next, NULL, 0, &r->err), 0);
    unsigned n = migration_strands(&m, &r->s, keep_why, &w);
    assert_int_equal(n, w.n);
    for (unsigned i = 0; i < n; i++) {
        found = found || strstr(w.text[i], why) != NULL;
    }
    if (!found) {
        fail_msg("'%s' is not said; first of %u: %s", why, n, n > 0 ? w.text[0] : "");
    }
    assert_int_equal(migrate(r, NULL, 0), -STO_E_REFUSED);
    assert_ptr_equal(r->wf, r->first);
    rig_destroy(&r);
}

static void whatever_has_no_counterpart_strands_the_case(void **state)
{
    (void)state;
    strands(WF_CODES,
            EDITED(WF_CODES, "version = 1", "version = 2", "ask : { type = \"task\"",
                   "ask : { type = \"meeting\"; with = [ \"client\" ]", "done = \"fin\"",
                   "held = \"fin\"; no-show = \"fin\""),
            "is a task and would be a meeting");
    strands(WF_CODES,
            EDITED(WF_CODES, "version = 1", "version = 2", "days : { type = \"integer\"",
                   "days : { type = \"text\""),
            "field 'days' has a value and is of another type");
    strands(WF_CODES,
            EDITED(WF_CODES, "version = 1", "version = 2", "note : { type", "remark : { type"),
            "field 'note' has a value and has no counterpart");
    strands(WF_CODES,
            EDITED(WF_CODES, "version = 1", "version = 2", "roles : { te :", "roles : { office :",
                   "by = [ \"te\" ]", "by = [ \"office\" ]"),
            "role 'te' is somebody's and has no counterpart");
    strands(
        WF_CODES,
        EDITED(WF_CODES, "version = 1", "version = 2", "first = \"ask\"", "first = \"phase\"",
               "steps : { ask",
               "steps : { phase : { type = \"stage\"; first = [ \"ask\" ]; "
               "within = \"9 days\"; on : { done = \"fin\"; expired = \"fin\"; }; steps : { ask",
               "done = \"fin\"; expired = \"stay\"; }; };",
               "done = \"join\"; expired = \"stay\"; }; }; }; };", "to = \"ask\"", "to = \"ask\""),
        "stands in another place now");
}

static void all_reasons_are_told_at_once(void **state)
{
    (void)state;
    char *next = EDITED(WF_CODES, "version = 1", "version = 2", "note : { type", "remark : { type",
                        "ask : { type", "inquire : { type", "to = \"ask\"", "to = \"inquire\"",
                        "first = \"ask\"", "first = \"inquire\"");
    struct rig *r = rig_pair(WF_CODES, next);
    struct migration m;
    assert_int_equal(migration_init(&m, r->first, r->next, NULL, 0, &r->err), 0);
    assert_int_equal(migration_strands(&m, &r->s, NULL, NULL), 2);
    rig_destroy(&r);
}

static void only_an_operator_moves_cases_and_only_to_a_version(void **state)
{
    (void)state;
    struct rig *r = rig_pair(WF_CODES, EDITED(WF_CODES, "version = 1", "version = 2"));
    struct input in = from(EVENT_MIGRATE, TE);
    in.name = hash_text(r->next);
    assert_int_equal(rig_event(r, &in), -STO_E_NOT_ALLOWED);
    in.actor.org = COORD;
    in.name = "no hash";
    assert_int_equal(rig_event(r, &in), -STO_E_MALFORMED);
    in.name = "00000000000000000000000000000000000000000000000000000000000000ff";
    assert_int_equal(rig_event(r, &in), -STO_E_UNKNOWN_WORKFLOW);
    in.name = hash_text(r->first);
    assert_int_equal(rig_event(r, &in), -STO_E_WRONG_STATE);
    assert_int_equal(migrate(r, NULL, 0), 0);
    rig_destroy(&r);
    r = rig_pair(WF_CODES, EDITED(WF_CODES, "id = \"codes\"", "id = \"others\""));
    assert_int_equal(migrate(r, NULL, 0), -STO_E_REFUSED);
    rig_destroy(&r);
}

/* ------------------------------------------------------------------ goes on alike */

/* The same event for a twin whose exits have other numbers. */
static int twin_event(struct rig *r, const struct rig *of, const struct possible *p)
{
    static const struct in_name firm[] = {{"firm", "firm", ""}};
    struct input in = plain(r, p->kind, p->actor.org);
    in.actor = p->actor;
    in.token = p->token;
    in.entry = p->entry;
    in.offer = p->offer;
    in.exit = p->exit != 0 ? of->wf->exits[p->exit] : "";
    in.names = firm;
    in.n_names = strcmp(in.exit, "place") == 0;
    return rig_event(r, &in);
}

static void compare(const struct rig *a, const struct rig *b)
{
    assert_int_equal(a->s.status, b->s.status);
    assert_int_equal(a->s.holder.org, b->s.holder.org);
    assert_int_equal(a->s.n_tokens, b->s.n_tokens);
    assert_int_equal(a->s.n_offers, b->s.n_offers);
    assert_int_equal(a->s.n_clocks, b->s.n_clocks);
    for (unsigned i = 0; i < a->s.n_tokens; i++) {
        assert_string_equal(a->wf->steps[a->s.tokens[i].step].id,
                            b->wf->steps[b->s.tokens[i].step].id);
    }
    assert_int_equal(state_next_due_us(&a->s), state_next_due_us(&b->s));
}

/* One stays on its version, its twin is moved after some events; from then on both take the same
   events and clocks, and answer alike. */
static void walk(const char *workflow, uint32_t seed)
{
    struct rig *a = rig_pair(workflow, renumbered(workflow));
    struct rig *b = rig_pair(workflow, renumbered(workflow));
    unsigned when = seed % 12, moved = 0;
    for (unsigned i = 0; i < 40 && a->s.status == CASE_OPEN; i++) {
        struct possible v[256];
        seed = seed * 1664525u + 1013904223u;
        if (i == when) {
            assert_int_equal(migrate(b, NULL, 0), 0);
            moved++;
        }
        a->wf = rig_wf_of(a, &a->s);
        unsigned n = engine_possible(a->net, a->wf, &a->s, v, 256);
        if (n == 0 || seed >> 28 < 4) {
            int64_t due_us = state_next_due_us(&a->s);
            assert_int_equal(rig_until(a, due_us), rig_until(b, due_us));
        } else {
            const struct possible *p = &v[(seed >> 8) % n];
            assert_int_equal(twin_event(a, a, p), twin_event(b, a, p));
            assert_false(a->broken || b->broken);
        }
        compare(a, b);
    }
    assert_true(moved <= 1);
    rig_destroy(&a);
    rig_destroy(&b);
}

static void a_version_that_says_the_same_leads_on_alike(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        walk(WF_BRANCHES, seed);
        walk(WF_SERVICE, seed);
        walk(WF_TRANSFER, seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_case_stands_where_it_stood),
        cmocka_unit_test(answers_to_what_was_sent_before_are_taken),
        cmocka_unit_test(a_step_goes_by_the_name_that_the_map_gives),
        cmocka_unit_test(times_that_are_new_begin_and_those_that_are_gone_end),
        cmocka_unit_test(codes_are_known_by_their_words),
        cmocka_unit_test(whatever_has_no_counterpart_strands_the_case),
        cmocka_unit_test(all_reasons_are_told_at_once),
        cmocka_unit_test(only_an_operator_moves_cases_and_only_to_a_version),
        cmocka_unit_test(a_version_that_says_the_same_leads_on_alike),
    };
    return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
