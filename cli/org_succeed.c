/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * saatto org succeed: one administrative act by which an organisation's open cases go to its
 * successor. Two administrators take part, of the predecessor (or the coordinator) and of the
 * successor; each proves an operator's key of its own by a session with the broker. The act is a
 * row that is written first; then each case that names the predecessor gets an event of its own,
 * whose leaf is kept beside the act. Which cases these are is asked of the stored states until none
 * is left, so an act that was broken off is made whole by another one.
 */
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "client.h"
#include "keyfile.h"
#include "nouns.h"
#include "sto_crypto.h"
#include "sto_file.h"
#include "sto_time.h"

#define WAIT_MS    60000
#define ROUNDS_MAX 5 /* cases may turn up while others are moved */

struct act {
    struct cli *c;
    struct reading r;
    PGconn *deploy;
    client_t *first, *second;
    const struct organisation *from, *to, *first_org;
    const char *reason;
    struct key_pair first_key, second_key;
    char id[37];
    struct sto_uuid *cases; /* of this round */
    int64_t *tickets;
    size_t n, cap;
    unsigned moved, refused;
};

/* ---------------------------------------------------------------------- who */

static int find_org(struct act *a, const char *id, const struct organisation **out,
                    struct sto_err *err)
{
    *out = network_org_by_id(a->r.net, id);
    if (*out != NULL) {
        return 0;
    }
    sto_fail(err, STO_E_NOT_FOUND, "there is no organisation '%s'", id);
    sto_err_fix(err, "saatto org list names them");
    return -STO_E_NOT_FOUND;
}

static int find_parties(struct act *a, struct sto_err *err)
{
    const char *by = cli_option(a->c, "by");
    int rc = find_org(a, a->c->words[0], &a->from, err);

    rc = rc != 0 ? rc : find_org(a, a->c->words[1], &a->to, err);
    rc = rc != 0 ? rc : find_org(a, by != NULL ? by : a->c->words[0], &a->first_org, err);
    if (rc != 0) {
        return rc;
    }
    if (a->from->successor != a->to->number) {
        sto_fail(err, STO_E_REFUSED, "the network names no succession of '%s' by '%s'", a->from->id,
                 a->to->id);
        sto_err_fix(err, "write successor = \"%s\" there and deploy it", a->to->id);
        return -STO_E_REFUSED;
    }
    if (!validity_holds(&a->to->valid, sto_day_of_us(a->r.now_us))) {
        return sto_fail(err, STO_E_NOT_IN_FORCE, "'%s' is not in force today", a->to->id);
    }
    if (a->first_org != a->from && a->first_org->number != a->r.net->coordinator_org) {
        return sto_fail(err, STO_E_REFUSED, "'%s' is neither '%s' nor the network's coordinator",
                        a->first_org->id, a->from->id);
    }
    return 0;
}

/* Is the key an operator's, of that organisation, in force? The session proves who holds it. */
static int is_administrator(struct act *a, const struct organisation *org, const char *public_key,
                            struct sto_err *err)
{
    const char *params[] = {public_key};
    PGresult *r = db_query_binary(a->r.db,
                                  "SELECT org, operator FROM org_key WHERE public_key = $1 AND "
                                  "revoked_at IS NULL",
                                  1, params, err);
    if (r == NULL) {
        return -STO_E_DB;
    }
    bool is = PQntuples(r) == 1 && db_int(r, 0, 0) == org->number && db_int(r, 0, 1) != 0;
    PQclear(r);
    if (is) {
        return 0;
    }
    sto_fail(err, STO_E_TWO_PERSONS, "the key is not that of an administrator of '%s'", org->id);
    sto_err_fix(err, "saatto org key new %s --operator --file FILE", org->id);
    return -STO_E_TWO_PERSONS;
}

static int sign_in(struct act *a, const struct organisation *org, const char *file,
                   struct key_pair *pair, client_t **client, struct sto_err *err)
{
    int rc = keyfile_pair_read(file, pair, err);

    rc = rc != 0 ? rc : is_administrator(a, org, pair->public_key, err);
    return rc != 0 ? rc : client_open_with(a->r.in, org->id, file, client, err);
}

static int both_sign_in(struct act *a, struct sto_err *err)
{
    const char *first = NULL, *second = NULL;
    int rc = cli_need(a->c, "key", &first, err);

    rc = rc != 0 ? rc : cli_need(a->c, "second", &second, err);
    rc = rc != 0 ? rc : sign_in(a, a->first_org, first, &a->first_key, &a->first, err);
    rc = rc != 0 ? rc : sign_in(a, a->to, second, &a->second_key, &a->second, err);
    if (rc == 0 && strcmp(a->first_key.public_key, a->second_key.public_key) == 0) {
        rc = sto_fail(err, STO_E_TWO_PERSONS, "one key cannot sign for both");
    }
    return rc;
}

/* -------------------------------------------------------------------- cases */

static bool names(const struct case_state *s, uint16_t org)
{
    bool found = s->holder.org == org || s->sender.org == org || s->home == org ||
                 (s->right.valid && s->right.back_to.org == org);
    for (unsigned i = 0; i < STO_WF_ROLES_MAX && !found; i++) {
        found = s->roles[i].at.org == org;
    }
    for (unsigned i = 0; i < s->n_tokens && !found; i++) {
        found = s->tokens[i].at.org == org;
    }
    for (unsigned i = 0; i < s->n_offers && !found; i++) {
        found = s->offers[i].from.org == org || s->offers[i].to.org == org;
    }
    return found;
}

static int take_case(void *arg, const struct case_view *v)
{
    struct act *a = arg;

    if (!names(&v->state, a->from->number)) {
        return 0;
    }
    if (a->n == a->cap) {
        a->cap = a->cap == 0 ? 64 : 2 * a->cap;
        a->cases = realloc(a->cases, a->cap * sizeof *a->cases);
        a->tickets = realloc(a->tickets, a->cap * sizeof *a->tickets);
        STO_ASSERT(a->cases != NULL && a->tickets != NULL);
    }
    a->cases[a->n++] = v->id;
    return 0;
}

static int find_cases(struct act *a, struct sto_err *err)
{
    const struct case_filter open = {.open = 1};

    a->n = 0;
    return case_each(&a->r, &open, take_case, a, err);
}

/* ---------------------------------------------------------------------- act */

static int write_act(struct act *a, struct sto_err *err)
{
    struct sto_uuid id;
    char from[8], to[8], first[8], at[40];
    const char *params[] = {
        a->id, at, from, to, first, a->first_key.public_key, a->second_key.public_key, a->reason};

    uint8_t drawn[16];
    sto_random(drawn, sizeof drawn);
    sto_uuid_v8(&id, drawn, 0);
    sto_uuid_format(&id, a->id);
    snprintf(from, sizeof from, "%u", a->from->number);
    snprintf(to, sizeof to, "%u", a->to->number);
    snprintf(first, sizeof first, "%u", a->first_org->number);
    snprintf(at, sizeof at, "%lld", (long long)a->r.now_us);
    PGresult *r =
        db_query(a->deploy,
                 "INSERT INTO succession (id, at, predecessor, successor, first_org, "
                 "first_key, second_key, reason) VALUES ($1::uuid, 'epoch'::timestamptz + "
                 "$2::int8 * interval '1 microsecond', $3::int4, $4::int4, $5::int4, $6, "
                 "$7, $8)",
                 8, params, err);
    int rc = r == NULL ? -STO_E_DB : 0;
    PQclear(r);
    return rc;
}

static int keep_leaf(struct act *a, const struct sto_uuid *id, const uint8_t leaf[32],
                     struct sto_err *err)
{
    char text[37], *hex = db_bytea(leaf, 32);
    const char *params[] = {a->id, sto_uuid_format(id, text), hex};
    PGresult *r =
        db_query(a->deploy, "INSERT INTO succession_case VALUES ($1::uuid, $2::uuid, $3::bytea)", 3,
                 params, err);
    int rc = r == NULL ? -STO_E_DB : 0;

    PQclear(r);
    free(hex);
    return rc;
}

static int send_all(struct act *a, struct sto_err *err)
{
    char *text = sto_asprintf("%s (act %s)", a->reason, a->id);
    int rc = 0;

    for (size_t i = 0; i < a->n && rc == 0; i++) {
        struct saatto_event e = {.kind = EVENT_SUCCEED,
                                 .name = a->from->id,
                                 .second_admin = a->to->number,
                                 .text = text};
        memcpy(e.case_id, a->cases[i].b, sizeof e.case_id);
        a->tickets[i] = client_send(a->first, &e, err);
        rc = a->tickets[i] < 0 ? (int)a->tickets[i] : 0;
    }
    rc = rc != 0 ? rc : client_wait(a->first, WAIT_MS, err);
    free(text);
    return rc;
}

static int take_answers(struct act *a, struct sto_err *err)
{
    int rc = 0;

    for (size_t i = 0; i < a->n && rc == 0; i++) {
        const struct client_answer *answer = client_answer(a->first, a->tickets[i]);
        char id[37];
        if (answer != NULL && answer->code == 0 && answer->has_leaf) {
            a->moved++;
            rc = keep_leaf(a, &a->cases[i], answer->leaf, err);
        } else {
            a->refused++;
            fprintf(stderr, "case %s was not moved: %s\n", sto_uuid_format(&a->cases[i], id),
                    answer != NULL ? answer->what : "no answer");
        }
    }
    return rc;
}

static int make_act(struct act *a, struct sto_err *err)
{
    int rc = write_act(a, err);

    for (unsigned round = 0; rc == 0 && a->n > 0 && round < ROUNDS_MAX; round++) {
        a->refused = 0;
        rc = send_all(a, err);
        rc = rc != 0 ? rc : take_answers(a, err);
        rc = rc != 0 ? rc : find_cases(a, err);
    }
    if (rc == 0 && a->n > 0) {
        rc = sto_fail(err, STO_E_REFUSED, "%zu open cases still name '%s'", a->n, a->from->id);
        sto_err_fix(err, "mend what is named above and make the act again");
    }
    return rc;
}

static void tell(struct act *a, bool dry)
{
    if (dry) {
        output_say(&a->c->out, "%zu open cases of '%s' would go to '%s'.", a->n, a->from->id,
                   a->to->id);
    } else {
        output_say(&a->c->out, "%u open cases of '%s' have gone to '%s': act %s.", a->moved,
                   a->from->id, a->to->id, a->id);
    }
    output_object(&a->c->out,
                  json_pack("{s:s, s:s, s:s, s:i, s:b}", "predecessor", a->from->id, "successor",
                            a->to->id, "act", a->id, "cases", dry ? (int)a->n : (int)a->moved,
                            "dry_run", dry),
                  true);
}

int org_succeed(struct cli *c, struct sto_err *err)
{
    struct act a = {.c = c};
    bool dry = cli_flag(c, "dry-run");
    int rc = cli_need(c, "reason", &a.reason, err);

    rc = rc != 0 ? rc : reading_open(c, &a.r, err);
    if (rc != 0) {
        return rc;
    }
    rc = find_parties(&a, err);
    rc = rc != 0 || dry ? rc : both_sign_in(&a, err);
    rc = rc != 0 ? rc : find_cases(&a, err);
    if (rc == 0 && !dry) {
        rc = db_open(a.r.in->dsn_deploy, &a.deploy, err);
        rc = rc != 0 ? rc : make_act(&a, err);
    }
    if (rc == 0) {
        tell(&a, dry);
    }
    client_close(&a.first);
    client_close(&a.second);
    PQfinish(a.deploy);
    free(a.cases);
    free(a.tickets);
    sto_wipe(&a.first_key, sizeof a.first_key);
    sto_wipe(&a.second_key, sizeof a.second_key);
    reading_close(&a.r);
    return rc;
}

const struct option_row org_succeed_options[] = {
    {"key", "FILE", "key pair of the first administrator, of ORG or the coordinator (required)"},
    {"by", "ORG", "organisation of the first administrator (default: the predecessor)"},
    {"second", "FILE", "key pair of the second administrator, of SUCCESSOR (required)"},
    {"reason", "TEXT", "act or decision that it rests on (required)"},
    {"dry-run", NULL, "count the cases, change nothing; needs no keys"},
    {0}};
