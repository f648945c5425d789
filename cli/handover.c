/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * saatto handover: every event that a person can make, sent with the organisation's own key and
 * answered by the broker's receipt or refusal; and what is under negotiation. The verbs are one
 * table: event, options that it takes, what it does.
 */
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "client.h"
#include "fields.h"
#include "handover_list.h"
#include "keyfile.h"
#include "nouns.h"
#include "service.h"
#include "sto_time.h"
#include "sto_uuid.h"

#define MAKE_FIELDS_MAX 64
#define MAKE_NAMES_MAX  16
#define ARENA_BYTES     (1u << 20)

/* What an event is made of, while it is made. */
struct making {
    struct reading r;
    sto_arena_t *arena;
    const char *org;
    const struct service *svc; /* the event goes to what cases share of it; NULL = to a case */
    uint8_t secret[32];
    struct saatto_event e;
    struct saatto_field fields[MAKE_FIELDS_MAX];
    struct saatto_name names[MAKE_NAMES_MAX];
};

static int take_number(const struct cli *c, const char *name, unsigned *out, struct sto_err *err)
{
    int64_t v = 0;
    int rc = cli_option_int(c, name, 0, 0, 65535, &v, err);

    *out = (unsigned)v;
    return rc;
}

static int take_time(const struct cli *c, const char *name, int64_t *out, struct sto_err *err)
{
    const char *text = cli_option(c, name);

    if (text == NULL || sto_us_parse(text, out, err) == 0) {
        return 0;
    }
    sto_err_context(err, "option '--%s'", name);
    err->code = STO_E_USAGE;
    sto_err_fix(err, "for instance \"2026-11-21 10:42\" (Helsinki) or 2026-11-21T08:42:00Z");
    return -STO_E_USAGE;
}

static int take_reason(const struct cli *c, unsigned *out, struct sto_err *err)
{
    const char *text = cli_option(c, "reason");

    if (text == NULL) {
        return 0;
    }
    *out = saatto_reason(text);
    if (*out != 0) {
        return 0;
    }
    const char *names[REASON_OTHER + 1] = {NULL};
    for (int r = REASON_CAPACITY; r <= REASON_OTHER; r++) {
        names[r - 1] = reason_name((enum reason)r);
    }
    const char *near = sto_nearest(text, names);
    sto_fail(err, STO_E_USAGE, "there is no reason '%s'", text);
    sto_err_fix(
        err,
        near != NULL
            ? "did you mean '%s'"
            : "%scapacity, not-eligible, wrong-service, client-wish, no-answer, sickness, … other",
        near != NULL ? near : "");
    return -STO_E_USAGE;
}

/* CASE is a case's id, or service:SERVICE (also session:SERVICE) for what cases share of it. */
static int take_case(struct making *m, const char *text, struct sto_err *err)
{
    struct sto_uuid id;
    int rc = 0;

    if (strncmp(text, "session:", 8) == 0 || strncmp(text, "service:", 8) == 0) {
        m->svc = service_find(&m->r, text + 8, err);
        if (m->svc == NULL) {
            return -STO_E_NOT_FOUND;
        }
        shared_id(m->r.net->id, m->svc->number, &id);
    } else {
        rc = case_find(&m->r, text, &id, err);
    }
    memcpy(m->e.case_id, id.b, sizeof id.b);
    return rc;
}

static int take_fields(const struct cli *c, struct making *m, struct sto_err *err)
{
    struct case_view *v = NULL;
    struct sto_uuid id;
    const char *text;
    int rc = 0;

    if (cli_option(c, "set") == NULL) {
        return 0;
    }
    v = sto_xcalloc(1, sizeof *v);
    memcpy(id.b, m->e.case_id, sizeof id.b);
    rc = case_load(&m->r, &id, v, err);
    if (rc == 0 && v->wf == NULL) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "the case's workflow version is not in the database");
    }
    for (size_t i = 0; rc == 0 && (text = cli_option_at(c, "set", i)) != NULL; i++) {
        char key[STO_NAME_BYTES_MAX + 1];
        const char *value = assignment_split(text, key, sizeof key);
        if (value == NULL || i == MAKE_FIELDS_MAX) {
            rc = sto_fail(err, STO_E_USAGE, "option '--set' takes FIELD=VALUE, got '%s'", text);
        } else {
            rc = field_from_text(v->wf, key, value, m->secret, m->arena, &m->fields[i], err);
            m->e.n_fields = i + 1;
        }
    }
    m->e.fields = m->fields;
    free(v);
    return rc;
}

static int take_names(const struct cli *c, struct making *m, struct sto_err *err)
{
    const char *text;

    for (size_t i = 0; (text = cli_option_at(c, "name", i)) != NULL; i++) {
        char role[STO_NAME_BYTES_MAX + 1];
        const char *org = assignment_split(text, role, sizeof role);
        if (org == NULL || i == MAKE_NAMES_MAX) {
            return sto_fail(err, STO_E_USAGE, "option '--name' takes ROLE=ORGANISATION, got '%s'",
                            text);
        }
        char *copy = sto_arena_strdup(m->arena, org);
        char *slash = strchr(copy, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        m->names[i] = (struct saatto_name){sto_arena_strdup(m->arena, role), copy,
                                           slash != NULL ? slash + 1 : ""};
        m->e.n_names = i + 1;
    }
    m->e.names = m->names;
    return 0;
}

/* One number of an event has two names, by what it counts. */
static const char *count_option(const struct cli *c)
{
    return cli_option(c, "plan-version") != NULL ? "plan-version" : "place";
}

static int take_options(const struct cli *c, struct making *m, struct sto_err *err)
{
    struct saatto_event *e = &m->e;
    const char *subject = cli_option(c, "subject");
    struct sto_uuid seat;
    int rc = take_number(c, "offer", &e->offer, err);

    rc = rc != 0 ? rc : take_number(c, "token", &e->token, err);
    rc = rc != 0 ? rc : take_number(c, "entry", &e->entry, err);
    rc = rc != 0 ? rc : take_number(c, count_option(c), &e->place, err);
    rc = rc != 0 ? rc : take_time(c, "at", &e->at_us, err);
    rc = rc != 0 ? rc : take_time(c, "new-at", &e->at2_us, err);
    rc = rc != 0 ? rc : take_reason(c, &e->reason, err);
    if (rc == 0 && subject != NULL) {
        rc = case_find(&m->r, subject, &seat, err);
        memcpy(e->subject_case, seat.b, sizeof seat.b);
    }
    e->exit = cli_option(c, "exit");
    e->desk = cli_option(c, "desk");
    e->worker = cli_option(c, "worker");
    e->text = cli_option(c, "text");
    e->name = cli_option(c, "to") != NULL ? cli_option(c, "to") : cli_option(c, "id");
    e->valid_reason = cli_flag(c, "valid");
    e->by_client = cli_flag(c, "by-client");
    rc = rc != 0 ? rc : take_fields(c, m, err);
    return rc != 0 ? rc : take_names(c, m, err);
}

/* Does such an event of the organisation fit the case's present state? */
static int case_would_take(const struct cli *c, struct making *m, struct sto_err *err)
{
    struct case_view *v = sto_xcalloc(1, sizeof *v);
    struct possible *p = sto_xcalloc(256, sizeof *p);
    const struct organisation *o = network_org_by_id(m->r.net, m->org);
    struct sto_uuid id;
    bool fits = false;

    memcpy(id.b, m->e.case_id, sizeof id.b);
    int rc = case_load(&m->r, &id, v, err);
    unsigned n = rc == 0 && v->wf != NULL ? engine_possible(m->r.net, v->wf, &v->state, p, 256) : 0;
    for (unsigned i = 0; i < n && o != NULL; i++) {
        fits = fits || ((unsigned)p[i].kind == m->e.kind && p[i].actor.org == o->number &&
                        (m->e.offer == 0 || p[i].offer == m->e.offer) &&
                        (m->e.token == 0 || p[i].token == m->e.token));
    }
    free(p);
    free(v);
    if (rc == 0 && !fits) {
        rc = sto_fail(err, STO_E_WRONG_STATE, "'%s' by '%s' does not fit the case's present state",
                      c->verb->name, m->org);
        sto_err_fix(err, "saatto case why says whose move it is");
    }
    return rc;
}

/* The same for what cases share: its own decision, without storing it. */
static int shared_would_take(const struct making *m, struct sto_err *err)
{
    const struct organisation *o = network_org_by_id(m->r.net, m->org);
    struct input in = {.kind = (enum event_kind)m->e.kind,
                       .actor = {o != NULL ? o->number : 0, 0},
                       .evidence = EVIDENCE_ORG,
                       .exit = m->e.exit,
                       .at_us = m->e.at_us,
                       .at2_us = m->e.at2_us,
                       .place = (uint16_t)m->e.place};

    memcpy(in.subject_case.b, m->e.subject_case, sizeof in.subject_case.b);
    return service_would_take(&m->r, m->svc, &in, err);
}

/* Says whether the event would be taken, without sending it. */
static int dry_run(struct cli *c, struct making *m, struct sto_err *err)
{
    int rc = m->svc != NULL ? shared_would_take(m, err) : case_would_take(c, m, err);

    if (rc == 0) {
        output_say(&c->out, "%s by %s would fit the present state. Nothing was sent.",
                   c->verb->name, m->org);
        output_object(&c->out,
                      json_pack("{s:s, s:s, s:b, s:b}", "event", c->verb->name, "organisation",
                                m->org, "dry_run", true, "fits", true),
                      true);
    }
    return rc;
}

static int report_answer(struct cli *c, const struct making *m, const struct client_answer *a,
                         struct sto_err *err)
{
    struct sto_uuid id;
    char text[37], leaf[65] = "";
    bool taken = a->code == 0 || a->code == STO_E_ALREADY;

    memcpy(id.b, m->e.case_id, sizeof id.b);
    sto_uuid_format(&id, text);
    if (a->has_leaf) {
        sto_hex(a->leaf, sizeof a->leaf, leaf);
    }
    output_say(&c->out, taken ? "%s: taken and durable%s%.16s" : "%s: refused%.0s%.0s",
               c->verb->name, a->has_leaf ? "; audit leaf " : "", leaf);
    output_object(&c->out,
                  json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s}", "event", c->verb->name, "case",
                            text, "organisation", m->org, "taken", taken, "code",
                            a->code == 0 ? "" : saatto_code_text(a->code), "what", a->what, "leaf",
                            leaf),
                  true);
    if (taken) {
        return 0;
    }
    const struct sto_err_row *row = sto_err_row(a->code);
    int rc = sto_fail(err, row != NULL ? (enum sto_code)a->code : STO_E_REFUSED, "%s",
                      a->what[0]    ? a->what
                      : row != NULL ? row->explain
                                    : "refused");
    sto_err_fix(err, "saatto case why %.36s says whose move it is", text);
    return rc;
}

static int send_event(struct cli *c, struct making *m, struct sto_err *err)
{
    client_t *client = NULL;
    int64_t ticket = 0;
    int rc = client_open(m->r.in, m->org, &client, err);

    if (rc == 0) {
        ticket = client_send(client, &m->e, err);
        rc = ticket < 0 ? (int)ticket : client_wait(client, CLIENT_TIMEOUT_MS, err);
    }
    if (rc == 0) {
        rc = report_answer(c, m, client_answer(client, ticket), err);
    }
    client_close(&client);
    return rc;
}

static int make_event(struct cli *c, struct sto_err *err)
{
    struct making m = {.arena = sto_arena_new(ARENA_BYTES)};
    int rc = cli_need(c, "org", &m.org, err);

    rc = rc != 0 ? rc : reading_open(c, &m.r, err);
    m.e.kind = saatto_event_kind(c->verb->name);
    STO_ASSERT(m.e.kind != 0);
    if (rc == 0) {
        char *path = installation_path(m.r.in, "keys/%s.secret", m.org);
        rc = keyfile_secret_read(path, m.secret, err);
        free(path);
    }
    rc = rc != 0 ? rc : take_case(&m, c->words[0], err);
    rc = rc != 0 ? rc : take_options(c, &m, err);
    if (rc == 0) {
        rc = cli_flag(c, "dry-run") ? dry_run(c, &m, err) : send_event(c, &m, err);
    }
    if (m.r.in != NULL) {
        reading_close(&m.r);
    }
    sto_arena_destroy(&m.arena);
    return rc;
}

/* -------------------------------------------------------------------- table */

/* clang-format off */
#define O_ORG {"org", "ORGANISATION", "who makes the event; its key in the installation signs the session (required)"}
#define O_DRY {"dry-run", NULL, "only say whether such an event fits the present state"}
#define O_OFFER {"offer", "N", "which offer; not needed when only one fits"}
#define O_TOKEN {"token", "N", "which piece of work; not needed when only one fits"}
#define O_ENTRY {"entry", "N", "which entry of that work"}
#define O_AT {"at", "TIME", "when: \"YYYY-MM-DD HH:MM\" in Helsinki, or RFC 3339"}
#define O_REASON {"reason", "CODE", "coded reason: capacity, not-eligible, wrong-service, client-wish, no-answer, no-show, employed, education, sickness, moved, provider, money, no-basis, consent, other"}
#define O_TEXT {"text", "TEXT", "free text for the other side"}
#define O_SET {"set", "FIELD=VALUE", "a field's value; may be repeated"}
#define O_NAME {"name", "ROLE=ORG[/DESK]", "bind a role; may be repeated"}
#define O_WORKER {"worker", "NAME", "person who acts or is named"}
#define O_EXIT {"exit", "EXIT", "which answer, by the names of the workflow"}
#define O_TO {"to", "ORGANISATION", "receiving organisation, or another service as advice"}
#define O_DESK {"desk", "DESK", "desk inside the organisation"}
#define O_VALID {"valid", NULL, "with a valid reason"}
#define O_CLIENT {"by-client", NULL, "on the client's own wish"}
#define O_PLACE {"place", "N", "place in the waiting list"}
#define O_ID {"id", "ID", "name of the message or consent"}
#define OPTIONS(...) (const struct option_row[]){O_ORG, __VA_ARGS__, O_DRY, {0}}
#define EVENT(event, what, ...) \
    {.name = event, .words = "CASE", .words_min = 1, .words_max = 1, .options = OPTIONS(__VA_ARGS__), .help = what, .run = make_event}

static const struct option_row list_options[] = {
    {"org", "ORGANISATION", "only those where it offers or receives"},
    {0},
};
const struct verb handover_verbs[] = {
    {.name = "list", .words = "", .options = list_options, .help = "Lists every offer under negotiation: between whom, since when, whose move, by when", .run = handover_list},
    {.name = "show", .words = "CASE", .words_min = 1, .words_max = 1, .help = "Shows the handovers of a case with all their offers", .run = handover_show},
    EVENT("offer", "Offers the client to a receiver (holder)", O_TOKEN, O_TO, O_DESK),
    EVENT("take-up", "Names the worker who looks at an offer (receiver)", O_OFFER, O_WORKER),
    EVENT("request-info", "Asks the sender a question (receiver)", O_OFFER, O_TEXT, O_SET),
    EVENT("give-info", "Answers the receiver's question (sender)", O_OFFER, O_TEXT, O_SET),
    EVENT("waitlist", "Puts the offer on the waiting list (receiver)", O_OFFER, O_PLACE),
    EVENT("place-free", "Says that a place is free (receiver)", O_OFFER, O_PLACE),
    EVENT("check-in", "Says that a waiting list's place is still current (receiver)", O_OFFER, O_PLACE),
    EVENT("accept", "Promises to take the client over; responsibility stays with the sender (receiver)", O_OFFER, O_WORKER),
    EVENT("decline", "Declines the offer (receiver)", O_OFFER, O_REASON, O_TEXT, O_TO),
    EVENT("redirect", "Moves the offer to another desk of the receiver", O_OFFER, O_DESK),
    EVENT("book", "Books the meeting of client, sender and receiver; again to move it", O_OFFER, O_AT),
    EVENT("no-show", "Records that the client did not come", O_OFFER, O_VALID, O_REASON),
    EVENT("met", "Records that client, sender and receiver have met", O_OFFER, O_AT),
    EVENT("dispute", "Disputes that the meeting took place", O_OFFER, O_AT),
    EVENT("confirm-takeover", "Takes responsibility for the client over (receiver)", O_OFFER),
    EVENT("give-back", "Gives the client back within the right of return (receiver)", O_REASON, O_TEXT),
    EVENT("report", "Reports the result of a service, or that the takeover holds (receiver)", O_OFFER, O_EXIT, O_SET, O_TEXT),
    EVENT("withdraw", "Withdraws an offer (sender, or either on the client's wish)", O_OFFER, O_CLIENT, O_REASON, O_TEXT),
    EVENT("cancel", "Cancels a handover that was returned or never offered (holder)", O_TOKEN, O_EXIT, O_REASON),
    EVENT("start-service", "Says that the referred service began (receiver)", O_OFFER, O_AT),
    EVENT("attendance", "Tells how many days more the client has attended a service (receiver)", O_OFFER, {"place", "N", "how many attendance days more"}),
    EVENT("interrupt", "Ends a referred service or a series of meetings before its time", O_OFFER, O_TOKEN, O_REASON, O_TEXT, O_SET),
    EVENT("answer", "Answers a consultation (receiver)", O_OFFER, O_SET, O_TEXT),
    EVENT("confirm-withdrawn", "Confirms that a withdrawn package was dropped (receiver)", O_OFFER),
    EVENT("task-result", "Answers a task, decides at a panel, agrees to a plan: one of the step's exits", O_TOKEN, O_ENTRY, O_EXIT, O_SET, O_NAME, O_WORKER, O_TEXT, O_CLIENT,
          {"id", "ROLE", "plan: whose word the holder records"}, {"plan-version", "N", "plan: the version that was read"}),
    EVENT("task-decline", "Gives a task back", O_TOKEN, O_ENTRY, O_REASON, O_TEXT),
    EVENT("task-take-up", "Names the worker who does a task", O_TOKEN, O_ENTRY, O_WORKER),
    EVENT("meeting-book", "Books a meeting step", O_TOKEN, O_AT),
    EVENT("meeting-no-show", "Records that the client did not come to a meeting step", O_TOKEN, O_VALID, O_REASON),
    EVENT("panel-answer", "Answers what a panel asks its members beforehand", O_TOKEN, O_ENTRY, O_SET, O_TEXT, {"to", "ORGANISATION", "for which member the holder records"}),
    EVENT("panel-postpone", "Puts the case off to the panel's next date (organiser)", O_TOKEN, O_ENTRY, O_REASON, O_TEXT),
    EVENT("plan-part", "Writes a part of the shared plan: a new version, to be agreed anew", O_TOKEN, O_ENTRY, O_SET, O_TEXT),
    EVENT("place-answer", "Answers an offered place: got or declined", O_TOKEN, O_ENTRY, O_EXIT, O_NAME, O_SET, O_TEXT),
    EVENT("message", "Sends a declared message of the workflow", O_ID, O_EXIT, O_SET, O_TEXT),
    EVENT("client-left", "Records that the client broke off", O_REASON, O_TEXT),
    EVENT("client-moved", "Records that the client moved away", O_REASON, O_TEXT),
    EVENT("client-died", "Records that the client died"  , O_REASON),
    EVENT("asked-for", "Asks the holder for the case (another organisation)", O_TEXT),
    EVENT("consent-give", "Records the client's consent; --text says how it was given", O_TOKEN, O_ID, O_AT, O_TEXT),
    EVENT("consent-withdraw", "Records that the client withdrew a consent; nothing more leaves on it", O_ID, O_REASON, O_TEXT),
    EVENT("consent-refuse", "Records that the client refused a consent", O_TOKEN, O_ID, O_REASON, O_TEXT),
    EVENT("correct", "Corrects field values (holder)", O_SET, O_REASON, O_TEXT),
    EVENT("close", "Closes the case (holder; nothing may be open)", O_REASON, O_TEXT),
    EVENT("reassign", "Moves the case to another desk or worker of the holder", O_DESK, O_WORKER, O_REASON),
    {.name = "session-record", .words = "service:SERVICE", .words_min = 1, .words_max = 1,
     .options = OPTIONS({"subject", "CASE", "whose seat"}, O_EXIT, O_AT, O_VALID),
     .help = "Records the attendance of a session's seat: attended, excused or absent (organiser)", .run = make_event},
    {.name = "session-move", .words = "service:SERVICE", .words_min = 1, .words_max = 1,
     .options = OPTIONS(O_AT, {"new-at", "TIME", "new date; without it the date is cancelled"}),
     .help = "Moves or cancels a date of a session, group or panel (organiser)", .run = make_event},
    {.name = "group-open", .words = "service:SERVICE", .words_min = 1, .words_max = 1, .options = OPTIONS(O_AT),
     .help = "Opens a date of a group for those who wait, once there are enough (organiser)", .run = make_event},
    {.name = "quota-return", .words = "service:SERVICE", .words_min = 1, .words_max = 1,
     .options = OPTIONS({"place", "N", "how many are available again"}),
     .help = "Gives back what was used of a quota (its owner)", .run = make_event},
    {0},
};
/* clang-format on */
