/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Runs scenarios.cfg: each scenario is one case in a world of its own, from its
 * start along its timeline. A wrong expectation is an error at its line and the
 * scenario goes on; an event that is answered otherwise than expected ends it,
 * for what follows would be noise. Grammar: docs/reference/scenarios.md.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_play.h"
#include "sto_crypto.h"

#define TREE_ARENA_BYTES   (32u << 20)
#define SCENARIO_YEARS_MAX 20
#define SCENARIO_YEAR_END  2200
#define ENTRY_SLACK_US     999999 /* several events in one instant are a microsecond apart */

void play_err(struct play *p, const struct sto_conf *at, const char *code, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    load_err(p->l, at, code, "scenario '%s': %s", p->name, text);
    p->failed = true;
}

static void watch(void *arg, const struct sto_uuid *id, const struct case_state *before,
                  const struct fact *f, const struct case_state *after)
{
    struct play *p = arg;
    cover_watch(p->cover, id, before, f, after);
    for (unsigned i = 0; i < after->n_tokens; i++) {
        const struct token *t = &after->tokens[i];
        if (t->step < p->wf->n_steps && p->last_token[t->step] < t->id) {
            p->last_token[t->step] = t->id;
        }
    }
}

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

/* ---------------------------------------------------------------- timeline */

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

/* The aggregate that `session` names, or the case itself. */
static bool event_target(struct play *p, const struct sto_conf *entry, struct sto_uuid *out)
{
    const struct sto_conf *at = sto_conf_get(entry, "session");
    *out = p->id;
    if (!at) {
        return true;
    }
    const char *name = sto_conf_str(entry, "session", "", p->l->diags);
    const struct service *svc = network_service_by_id(p->net, name);
    if (!svc || svc->shape != SERVICE_SESSION) {
        play_err(p, at, "unknown-session", "'%s' is no service with dates", name);
        return false;
    }
    shared_id(p->net->id, svc->number, out);
    return true;
}

static bool play_event(struct play *p, const struct sto_conf *entry)
{
    struct made_input made;
    struct sto_uuid target;
    struct sto_err err = {0};
    if (!input_of_entry(p, entry, &made) || !event_target(p, entry, &target)) {
        p->failed = true;
        return false;
    }
    char event[80];
    (void)snprintf(event, sizeof event, "event '%s'", event_kind_name(made.in.kind));
    int rc = world_event(p->w, p->wf, &target, &made.in, &err);
    if (rc == -STO_E_INTERNAL) {
        play_err(p, entry, "engine-fault", "%s", err.what);
        return false;
    }
    return answered(p, entry, event, rc, &err);
}

/* An entry that only expects looks at the deliveries of the one before it. */
static bool happens(const struct sto_conf *entry)
{
    return sto_conf_get(entry, "after") || sto_conf_get(entry, "at") ||
           sto_conf_get(entry, "event");
}

static bool play_entry(struct play *p, const struct sto_conf *entry)
{
    static const char *const keys[] = {
        "after",    "at",      "by",     "event",        "step",    "offer",        "exit",
        "set",      "names",   "reason", "message",      "consent", "worker",       "at-time",
        "new-time", "to",      "desk",   "valid-reason", "place",   "by-client",    "text",
        "home",     "refused", "late",   "session",      "expect",  "second-admin", NULL};
    if (entry->type != STO_CONF_GROUP) {
        play_err(p, entry, "wrong-type", "an entry of the timeline must be a group { }");
        return false;
    }
    size_t errors = sto_diags_errors(p->l->diags);
    p->failed = false; /* what an earlier entry expected in vain ends nothing */
    sto_conf_known(entry, keys, "entry", p->l->diags);
    if (sto_diags_errors(p->l->diags) > errors) {
        p->failed = true;
        return false;
    }
    const struct world_send *sends;
    if (happens(entry)) {
        p->sends_seen = world_sends(p->w, &sends);
    }
    if (!entry_time(p, entry) || !advance(p, entry)) {
        return false;
    }
    if (sto_conf_get(entry, "event") && !play_event(p, entry)) {
        return false;
    }
    if (!sto_conf_get(entry, "event") && sto_conf_get(entry, "by")) {
        play_err(p, entry, "missing-key", "by without event");
        return false;
    }
    const struct sto_conf *expect = sto_conf_get(entry, "expect");
    if (expect) {
        expect_check(p, entry, expect);
    }
    return true;
}

/* ---------------------------------------------------------------- scenario */

static void case_id_of(const struct play *p, struct sto_uuid *out)
{
    uint8_t hash[32];
    sto_sha256_2(p->wf->id, strlen(p->wf->id) + 1, p->name, strlen(p->name), hash);
    sto_uuid_v8(out, hash, hash[31]);
}

/* true: the case is open and the timeline follows. */
static bool play_start(struct play *p, const struct sto_conf *scenario)
{
    const struct sto_conf *start = sto_conf_need(scenario, "start", STO_CONF_GROUP, p->l->diags);
    struct made_input made;
    struct sto_err err = {0};
    if (!start || !input_of_start(p, start, &made)) {
        p->failed = true;
        return false;
    }
    int rc = world_event(p->w, p->wf, &p->id, &made.in, &err);
    if (rc == -STO_E_INTERNAL) {
        play_err(p, start, "engine-fault", "%s", err.what);
        return false;
    }
    if (!answered(p, start, "the start", rc, &err) || rc != 0) {
        return false;
    }
    const struct sto_conf *expect = sto_conf_get(start, "expect");
    if (expect) {
        expect_check(p, start, expect);
    }
    return true;
}

static void play_scenario(struct play *p, const struct sto_conf *scenario)
{
    static const char *const keys[] = {"name", "at", "start", "timeline", "text", NULL};
    size_t errors = sto_diags_errors(p->l->diags);
    sto_conf_known(scenario, keys, "scenario", p->l->diags);
    const struct sto_conf *name = sto_conf_need(scenario, "name", STO_CONF_STRING, p->l->diags);
    p->name = name ? name->s : "?";
    case_id_of(p, &p->id);
    if (!sto_conf_need(scenario, "at", STO_CONF_STRING, p->l->diags) ||
        !play_time(p, scenario, "at", &p->time_us) || sto_diags_errors(p->l->diags) > errors) {
        p->failed = true;
        return;
    }
    p->start_us = p->time_us;
    if (p->start_us < sto_day_start_us(0) ||
        p->start_us >= sto_day_start_us(sto_day_from_civil(SCENARIO_YEAR_END, 1, 1))) {
        play_err(p, sto_conf_get(scenario, "at"), "time", "a scenario starts from 1970 to %d",
                 SCENARIO_YEAR_END - 1);
        return;
    }
    const struct sto_conf *timeline = sto_conf_get(scenario, "timeline");
    if (timeline && timeline->type != STO_CONF_LIST) {
        play_err(p, timeline, "wrong-type", "timeline must be a list ( )");
        return;
    }
    p->w = world_new(p->net, p->time_us);
    world_watch(p->w, watch, p);
    bool open = play_start(p, scenario);
    if (!open && !p->failed && timeline && timeline->child) {
        play_err(p, timeline, "timeline", "a refused start has no timeline");
    }
    for (const struct sto_conf *e = timeline ? timeline->child : NULL; open && e; e = e->next) {
        open = play_entry(p, e);
    }
    world_destroy(&p->w);
}

static void run_all(struct load *l, const struct sto_conf *list, const workflow_t *wf,
                    const network_t *net, struct cover *cover, struct scenario_totals *totals)
{
    for (const struct sto_conf *s = list->child; s; s = s->next) {
        size_t errors = sto_diags_errors(l->diags);
        struct play *p = sto_xcalloc(1, sizeof *p);
        *p = (struct play){.l = l, .net = net, .wf = wf, .cover = cover, .name = "?"};
        totals->scenarios++;
        if (s->type == STO_CONF_GROUP) {
            play_scenario(p, s);
        } else {
            load_err(l, s, "wrong-type", "a scenario must be a group { }");
        }
        totals->failed += sto_diags_errors(l->diags) > errors;
        free(p);
    }
}

int scenario_run(const struct model_file *file, const workflow_t *wf, const network_t *net,
                 sto_diags_t *diags, struct scenario_totals *totals)
{
    static const char *const keys[] = {"scenarios", NULL};
    struct scenario_totals sum = {0};
    size_t errors = sto_diags_errors(diags);
    sto_arena_t *arena = sto_arena_new(TREE_ARENA_BYTES);
    struct load l = {.arena = arena, .scratch = arena, .diags = diags};
    const struct sto_conf *root = NULL;
    struct cover *cover = cover_new(wf);
    if (sto_conf_parse(file->name, file->text, file->len, arena, diags, &root) == 0 && root) {
        sto_conf_known(root, keys, "file", diags);
        const struct sto_conf *list = sto_conf_need(root, "scenarios", STO_CONF_LIST, diags);
        if (list) {
            run_all(&l, list, wf, net, cover, &sum);
            cover_report(cover, &l, file->name, &sum);
        }
    }
    cover_destroy(&cover);
    sto_arena_destroy(&arena);
    if (totals) {
        *totals = sum;
    }
    return sto_diags_errors(diags) > errors
               ? sto_fail(NULL, STO_E_CONFIG, "the scenarios of '%s' fail", file->name)
               : 0;
}
