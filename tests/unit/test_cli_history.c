/* SPDX-License-Identifier: EUPL-1.2 */
/* Recorded histories on another version: one that says the same goes the same way, whatever its
   numbers are; one that says otherwise is told where it first differs. */
#include "engine_fixture.h"

#include "history.h"

#define EVENTS_MAX 64

struct record {
    struct rig *r;
    struct history h;
    struct history_event v[EVENTS_MAX];
    sto_arena_t *arena; /* of the record */
};

static const workflow_t *version(void *arg, const uint8_t hash[32])
{
    const struct rig *r = arg;
    return memcmp(hash, r->first->hash, 32) == 0 ? r->first : NULL;
}

static struct record *record_new(const char *workflow)
{
    struct record *x = sto_xcalloc(1, sizeof *x);
    x->r = rig_new(workflow);
    x->arena = sto_arena_new(16u << 20);
    x->h = (struct history){.id = x->r->id, .v = x->v, .version = version, .arg = x->r};
    return x;
}

static void record_destroy(struct record **x_p)
{
    rig_destroy(&(*x_p)->r);
    sto_arena_destroy(&(*x_p)->arena);
    free(*x_p);
    *x_p = NULL;
}

/* The event that was taken last. */
static void keep(struct record *x, const struct input *in)
{
    struct sto_buf b;
    struct sto_err err = {0};
    assert_true(x->h.n < EVENTS_MAX);
    sto_buf_init(&b, 0);
    fact_encode(&x->r->f, &b);
    uint8_t *copy = sto_arena_alloc(x->arena, b.len);
    memcpy(copy, b.data, b.len);
    assert_int_equal(fact_decode(copy, b.len, x->arena, &x->v[x->h.n].fact, &err), 0);
    x->v[x->h.n++].input = *in;
    sto_buf_release(&b);
}

static const struct in_field START_FIELDS[] = {{"days", IN_INT, 500, NULL, 0},
                                               {"hetu", IN_SEALED, 0, (const uint8_t *)"s", 1},
                                               {"note", IN_TEXT, 0, (const uint8_t *)"n", 1}};
static const struct in_name FIRM_NAMED[] = {{"firm", "firm", ""}};

static void begin(struct record *x)
{
    struct input in = from(EVENT_START, TE);
    in.home = "city";
    in.fields = START_FIELDS;
    in.n_fields = 3;
    assert_int_equal(rig_event(x->r, &in), 0);
    keep(x, &in);
}

static void clock_fires(struct record *x)
{
    const struct input in = {.kind = EVENT_CLOCK};
    int64_t due_us = state_next_due_us(&x->r->s);
    x->r->now = (due_us > x->r->now ? due_us : x->r->now) + STO_US_PER_SEC; /* a little late */
    assert_int_equal(rig_event(x->r, &in), 0);
    keep(x, &in);
}

static int act(struct record *x, enum event_kind kind, uint16_t org, const char *exit)
{
    struct input in = plain(x->r, kind, org);
    in.exit = exit;
    in.names = FIRM_NAMED;
    in.n_names = strcmp(exit, "place") == 0;
    in.fields = &WITH_MORE;
    in.n_fields = kind == EVENT_ANSWER;
    x->r->now += 60 * STO_US_PER_SEC;
    int rc = rig_event(x->r, &in);
    if (rc == 0) {
        keep(x, &in);
    }
    return rc;
}

static workflow_t *loaded(const struct rig *r, const char *text)
{
    workflow_t *w = NULL;
    sto_diags_t *d = sto_diags_new();
    struct model_file file = {"workflow.cfg", text, strlen(text)};
    if (workflow_load(&file, NULL, r->net, d, &w) != 0) {
        rig_print(d);
        fail_msg("the other version does not load");
    }
    sto_diags_destroy(&d);
    return w;
}

/* The workflow's text with one place changed; malloc'd. */
static char *edited(const char *text, const char *what, const char *with)
{
    const char *at = strstr(text, what);
    if (!at) {
        fail_msg("the fixture does not say '%s'", what);
        return NULL;
    }
    struct sto_buf b;
    sto_buf_init(&b, 0);
    sto_put_bytes(&b, text, (size_t)(at - text));
    sto_put_bytes(&b, with, strlen(with));
    sto_put_bytes(&b, at + strlen(what), strlen(at + strlen(what)) + 1);
    char *s = sto_xstrdup((const char *)b.data);
    sto_buf_release(&b);
    return s;
}

static struct history_result played(struct record *x, char *text)
{
    struct history_result res;
    workflow_t *w = loaded(x->r, text);
    sto_arena_t *arena = sto_arena_new(4u << 20);
    history_play(x->r->net, w, &x->h, arena, &res);
    sto_arena_destroy(&arena);
    workflow_destroy(&w);
    free(text);
    return res;
}

static char *renumbered(const char *text)
{
    return edited(text, "  steps : {\n",
                  "  steps : { unused : { type = \"task\"; role = \"holder\"; within = \"1 day\"; "
                  "on : { odd = \"fin\"; expired = \"stay\"; }; };\n");
}

/* ---------------------------------------------------------------------- tests */

static void random_life(const char *workflow, uint32_t seed)
{
    struct record *x = record_new(workflow);
    begin(x);
    for (unsigned i = 0; i < 40 && x->r->s.status == CASE_OPEN && x->h.n < EVENTS_MAX; i++) {
        struct possible v[256];
        seed = seed * 1664525u + 1013904223u;
        unsigned n = engine_possible(x->r->net, x->r->wf, &x->r->s, v, 256);
        if (n == 0 || seed >> 28 < 5) {
            clock_fires(x);
            continue;
        }
        const struct possible *p = &v[(seed >> 8) % n];
        struct input in = plain(x->r, p->kind, p->actor.org);
        in.actor = p->actor;
        in.token = p->token;
        in.entry = p->entry;
        in.offer = p->offer;
        in.exit = p->exit != 0 ? x->r->wf->exits[p->exit] : "";
        in.names = FIRM_NAMED;
        in.n_names = strcmp(in.exit, "place") == 0;
        x->r->now += 60 * STO_US_PER_SEC;
        if (state_next_due_us(&x->r->s) > x->r->now && rig_event(x->r, &in) == 0) {
            keep(x, &in);
        }
    }
    struct history_result same = played(x, sto_xstrdup(workflow));
    if (same.end != HISTORY_SAME) {
        fail_msg("event %zu, on its own version: %s", same.event, same.what);
    }
    same = played(x, renumbered(workflow));
    if (same.end != HISTORY_SAME) {
        fail_msg("event %zu, on the renumbered version: %s", same.event, same.what);
    }
    record_destroy(&x);
}

static void a_version_that_says_the_same_goes_the_same_way(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        random_life(WF_SERVICE, seed);
        random_life(WF_TRANSFER, seed);
        random_life(WF_LOOP_CLOSED, seed);
    }
}

static struct record *served(void)
{
    struct record *x = record_new(WF_SERVICE);
    begin(x);
    assert_int_equal(act(x, EVENT_TASK_RESULT, TE, "health"), 0);
    assert_int_equal(act(x, EVENT_ANSWER, HEALTH, ""), 0);
    assert_int_equal(act(x, EVENT_TASK_RESULT, TE, "place"), 0);
    assert_int_equal(act(x, EVENT_ACCEPT, FIRM, ""), 0);
    assert_int_equal(act(x, EVENT_START_SERVICE, FIRM, ""), 0);
    return x;
}

static void the_first_difference_is_told(void **state)
{
    (void)state;
    struct record *x = served();
    struct history_result res =
        played(x, edited(WF_SERVICE, "answered = \"ask\"", "answered = \"talk\""));
    assert_int_equal(res.end, HISTORY_DIFFERS);
    assert_int_equal(res.event, 2);
    assert_non_null(strstr(res.what, "it stands on talk; in the record it stands on ask"));
    res = played(x, edited(WF_SERVICE, "health = \"advice\"", "doctor = \"advice\""));
    assert_int_equal(res.event, 1);
    assert_non_null(strstr(res.what, "'task_result' is refused"));
    record_destroy(&x);
}

static void clocks_run_by_the_new_version(void **state)
{
    (void)state;
    struct record *x = served();
    while (x->r->s.n_tokens == 1 && x->h.n < EVENTS_MAX) {
        clock_fires(x); /* until the review begins beside the service */
    }
    assert_int_equal(played(x, sto_xstrdup(WF_SERVICE)).end, HISTORY_SAME);
    struct history_result res =
        played(x, edited(WF_SERVICE, "within = \"30 days\"", "within = \"10 days\""));
    assert_int_equal(res.end, HISTORY_DIFFERS);
    assert_int_equal(x->v[res.event].fact.kind, EVENT_CLOCK);
    record_destroy(&x);
}

static void a_record_of_unknown_versions_cannot_be_played(void **state)
{
    (void)state;
    struct record *x = served();
    x->v[3].fact.seq = 99; /* a hole */
    x->v[3].fact.ops_len = 1;
    assert_int_equal(played(x, sto_xstrdup(WF_SERVICE)).end, HISTORY_UNREADABLE);
    record_destroy(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_that_says_the_same_goes_the_same_way),
        cmocka_unit_test(the_first_difference_is_told),
        cmocka_unit_test(clocks_run_by_the_new_version),
        cmocka_unit_test(a_record_of_unknown_versions_cannot_be_played),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
