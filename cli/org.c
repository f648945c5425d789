/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto org: organisations of the deployed network, and the register of their keys. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "deploy.h"
#include "keyfile.h"
#include "nouns.h"
#include "org_keys.h"
#include "sto_file.h"
#include "sto_time.h"

/* ----------------------------------------------------------------- register */

static int add_one(PGconn *db, int64_t config, const struct org_key_row *k, unsigned *added,
                   struct sto_err *err)
{
    char number[12], config_text[24];
    const char *key[] = {k->public_key};
    const char *params[] = {k->public_key, number, k->org_id, k->is_operator ? "t" : "f",
                            config_text};
    PGresult *r = db_query(
        db, "SELECT org_id, revoked_at IS NOT NULL, operator FROM org_key WHERE public_key = $1", 1,
        key, err);
    int rc = r == NULL ? -STO_E_DB : 0;

    snprintf(number, sizeof number, "%u", k->org);
    snprintf(config_text, sizeof config_text, "%lld", (long long)config);
    if (rc == 0 && PQntuples(r) == 1) {
        bool same = strcmp(db_text(r, 0, 0), k->org_id) == 0 &&
                    db_text(r, 0, 2)[0] == (k->is_operator ? 't' : 'f');
        if (!same || db_text(r, 0, 1)[0] == 't') {
            rc = sto_fail(err, STO_E_REFUSED, "key %.8s… %s '%s'", k->public_key,
                          same ? "was revoked for" : "is registered for", db_text(r, 0, 0));
            sto_err_fix(err, "make a new one with saatto org key new");
        }
        PQclear(r);
        return rc;
    }
    PQclear(r);
    if (rc == 0) {
        r = db_query(db,
                     "INSERT INTO org_key (public_key, org, org_id, operator, config) VALUES ($1, "
                     "$2::int4, $3, $4::bool, $5::int8)",
                     5, params, err);
        rc = r == NULL ? -STO_E_DB : 0;
        PQclear(r);
        *added += rc == 0;
    }
    return rc;
}

int org_keys_add(PGconn *db, const struct org_key_row *rows, size_t n, bool dry, unsigned *added,
                 struct sto_err *err)
{
    int64_t config = 0;
    struct sto_err end = {0};
    int rc = deploy_begin(db, &config, err);

    *added = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = add_one(db, config, &rows[i], added, err);
    }
    int ended = deploy_end(db, config, rc == 0 && *added != 0 && !dry, &end);
    if (rc == 0 && ended != 0) {
        *err = end;
        rc = ended;
    }
    return rc;
}

/* --------------------------------------------------------------------- list */

static json_t *strings_json(const char *const *list, unsigned n)
{
    json_t *a = json_array();

    for (unsigned i = 0; i < n; i++) {
        json_array_append_new(a, json_string(list[i]));
    }
    return a;
}

static json_t *desks_json(const struct organisation *o)
{
    json_t *a = json_array();

    for (unsigned i = 0; i < o->n_desks; i++) {
        json_array_append_new(a, json_string(o->desks[i].id));
    }
    return a;
}

static int org_list(struct cli *c, struct sto_err *err)
{
    static const char *const columns[] = {"organisation=ORGANISATION",
                                          "number=NUMBER",
                                          "name=NAME",
                                          "kinds=KINDS",
                                          "desks=DESKS",
                                          "may_hold=MAY BE RESPONSIBLE",
                                          "in_force=IN FORCE",
                                          NULL};
    struct reading r;
    int rc = reading_open(c, &r, err);

    if (rc != 0) {
        return rc;
    }
    int32_t today = sto_day_of_us(r.now_us);
    output_table(&c->out, columns);
    for (unsigned i = 0; i < r.net->n_orgs; i++) {
        const struct organisation *o = &r.net->orgs[i];
        output_row(&c->out,
                   json_pack("{s:s, s:i, s:s, s:o, s:o, s:b, s:b}", "organisation", o->id, "number",
                             (int)o->number, "name", o->name, "kinds",
                             strings_json(o->kinds, o->n_kinds), "desks", desks_json(o), "may_hold",
                             o->may_hold, "in_force", validity_holds(&o->valid, today)));
    }
    output_table_end(&c->out, "no organisations");
    reading_close(&r);
    return 0;
}

/* ---------------------------------------------------------------------- keys */

static int key_list(struct cli *c, struct sto_err *err)
{
    static const char *const columns[] = {"organisation=ORGANISATION", "public_key=PUBLIC KEY",
                                          "operator=OPERATOR",         "added=ADDED",
                                          "revoked=REVOKED",           NULL};
    installation_t *in = NULL;
    PGconn *db = NULL;
    int rc = installation_open(c, &in, err);

    rc = rc != 0 ? rc : db_open_read(in, &db, err);
    PGresult *r = rc != 0 ? NULL
                          : db_query_binary(db,
                                            "SELECT org_id, public_key, operator, at, revoked_at "
                                            "FROM org_key ORDER BY org, at",
                                            0, NULL, err);
    rc = rc == 0 && r == NULL ? -STO_E_DB : rc;
    if (rc == 0) {
        output_table(&c->out, columns);
        for (int i = 0; i < PQntuples(r); i++) {
            output_row(&c->out,
                       json_pack("{s:s, s:s, s:b, s:o, s:o}", "organisation", db_text(r, i, 0),
                                 "public_key", db_text(r, i, 1), "operator", db_int(r, i, 2) != 0,
                                 "added", time_json(&c->out, db_time_us(r, i, 3)), "revoked",
                                 time_json(&c->out, db_time_us(r, i, 4))));
        }
        output_table_end(&c->out, "no key is registered");
    }
    PQclear(r);
    PQfinish(db);
    installation_close(&in);
    return rc;
}

/* Number of an organisation of the deployed network. */
static int find_org(PGconn *db, const char *id, uint16_t *number, struct sto_err *err)
{
    deployed_t *d = NULL;
    int rc = deployed_new(db, &d, err);
    const struct organisation *o = rc == 0 ? network_org_by_id(deployed_network(d), id) : NULL;

    if (rc == 0 && o == NULL) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "there is no organisation '%s'", id);
        sto_err_fix(err, "saatto org list names them");
    }
    *number = o != NULL ? o->number : 0;
    deployed_destroy(&d);
    return rc;
}

static int register_key(struct cli *c, const installation_t *in, const char *id,
                        const char *public_key, struct sto_err *err)
{
    struct org_key_row row = {
        .public_key = public_key, .org_id = id, .is_operator = cli_flag(c, "operator")};
    bool dry = cli_flag(c, "dry-run");
    unsigned added = 0;
    PGconn *db = NULL;
    int rc = db_open(in->dsn_deploy, &db, err);

    /* An operator's key may be of no organisation: then it makes no events. */
    if (rc == 0 && !(row.is_operator && strcmp(id, "operator") == 0)) {
        rc = find_org(db, id, &row.org, err);
    }
    rc = rc != 0 ? rc : org_keys_add(db, &row, 1, dry, &added, err);
    if (rc == 0) {
        output_say(&c->out, "Key %s %s for '%s'.", public_key,
                   added == 0 ? "was registered before"
                   : dry      ? "would be registered"
                              : "is registered",
                   id);
        output_object(&c->out,
                      json_pack("{s:s, s:s, s:b, s:b}", "organisation", id, "public_key",
                                public_key, "added", added != 0 && !dry, "dry_run", dry),
                      true);
    }
    PQfinish(db);
    return rc;
}

static int key_add(struct cli *c, struct sto_err *err)
{
    installation_t *in = NULL;
    int rc = installation_open(c, &in, err);

    if (rc == 0 && !keyfile_is_z85(c->words[1])) {
        rc = sto_fail(err, STO_E_CRYPTO, "'%s' is not a public key: 40 characters of Z85",
                      c->words[1]);
    }
    rc = rc != 0 ? rc : register_key(c, in, c->words[0], c->words[1], err);
    installation_close(&in);
    return rc;
}

static int key_new(struct cli *c, struct sto_err *err)
{
    installation_t *in = NULL;
    struct key_pair pair;
    uint8_t secret[32];
    char *path = NULL, *secret_path = NULL, *old = NULL;
    int rc = installation_open(c, &in, err);

    if (rc == 0) {
        /* An organisation's operator has a key beside the organisation's own. */
        bool beside = cli_flag(c, "operator") && strcmp(c->words[0], "operator") != 0;
        const char *file = cli_option(c, "file");
        path = file != NULL
                   ? sto_xstrdup(file)
                   : installation_path(in, "keys/%s%s.key", c->words[0], beside ? ".operator" : "");
        secret_path = installation_path(in, "keys/%s.secret", c->words[0]);
        old = sto_asprintf("%s.old", path);
        if (cli_flag(c, "dry-run")) {
            output_say(&c->out, "A fresh pair would stand in %s%s.", path,
                       access(path, F_OK) == 0 ? ", the present one in .key.old" : "");
            output_object(&c->out, json_pack("{s:s, s:b}", "file", path, "dry_run", true), true);
        } else {
            if (access(path, F_OK) == 0 && rename(path, old) != 0) {
                rc = sto_fail(err, STO_E_IO, "could not put '%s' aside", path);
            }
            rc = rc != 0 ? rc : keyfile_pair_ensure(path, &pair, err);
            rc = rc != 0 ? rc : keyfile_secret_ensure(secret_path, secret, err);
            rc = rc != 0 ? rc : register_key(c, in, c->words[0], pair.public_key, err);
        }
    }
    free(path);
    free(secret_path);
    free(old);
    installation_close(&in);
    return rc;
}

static int revoke_key(PGconn *db, const char *key, bool dry, char *org, size_t cap,
                      struct sto_err *err)
{
    const char *params[] = {key};
    struct sto_err end = {0};
    int64_t config = 0;
    int rc = deploy_begin(db, &config, err);
    PGresult *r = rc != 0 ? NULL
                          : db_query(db,
                                     "UPDATE org_key SET revoked_at = now() WHERE public_key = $1 "
                                     "AND revoked_at IS NULL RETURNING org_id",
                                     1, params, err);

    rc = rc == 0 && r == NULL ? -STO_E_DB : rc;
    if (rc == 0 && PQntuples(r) == 0) {
        rc = sto_fail(err, STO_E_NOT_FOUND, "no key %.8s… is in force", key);
        sto_err_fix(err, "saatto org key list shows them");
    }
    if (rc == 0) {
        snprintf(org, cap, "%s", db_text(r, 0, 0));
    }
    PQclear(r);
    int ended = deploy_end(db, config, rc == 0 && !dry, &end);
    if (rc == 0 && ended != 0) {
        *err = end;
        rc = ended;
    }
    return rc;
}

static int key_revoke(struct cli *c, struct sto_err *err)
{
    installation_t *in = NULL;
    PGconn *db = NULL;
    const char *reason = NULL;
    char org[STO_NAME_BYTES_MAX + 1];
    bool dry = cli_flag(c, "dry-run");
    int rc = cli_need(c, "reason", &reason, err);

    rc = rc != 0 ? rc : installation_open(c, &in, err);
    rc = rc != 0 ? rc : db_open(in->dsn_deploy, &db, err);
    rc = rc != 0 ? rc : revoke_key(db, c->words[0], dry, org, sizeof org, err);
    if (rc == 0) {
        output_say(&c->out, "Key %s of '%s' %s.", c->words[0], org,
                   dry ? "would be revoked" : "is revoked: sessions with it end");
        output_object(&c->out,
                      json_pack("{s:s, s:s, s:s, s:b}", "organisation", org, "public_key",
                                c->words[0], "reason", reason, "dry_run", dry),
                      true);
    }
    PQfinish(db);
    installation_close(&in);
    return rc;
}

/* --------------------------------------------------------------------- table */

static const struct option_row key_options[] = {
    {"operator", NULL,
     "an operator's key: moves the manual clock, redrives, of an organisation also succeeds (ORG "
     "'operator': of none)"},
    {"dry-run", NULL, "change nothing"},
    {0},
};
static const struct option_row new_options[] = {
    {"operator", NULL,
     "an operator's key: moves the manual clock, redrives, of an organisation also succeeds (ORG "
     "'operator': of none)"},
    {"file", "FILE", "write the pair there; an organisation's administrators have one each"},
    {"dry-run", NULL, "change nothing"},
    {0},
};
static const struct option_row revoke_options[] = {
    {"reason", "TEXT", "why (required)"},
    {"dry-run", NULL, "change nothing"},
    {0},
};
const struct verb org_verbs[] = {
    {.name = "list",
     .words = "",
     .help = "Lists the organisations of the deployed network",
     .run = org_list},
    {.name = "key list", .words = "", .help = "Lists the registered keys", .run = key_list},
    {.name = "key add",
     .words = "ORG PUBLICKEY",
     .words_min = 2,
     .words_max = 2,
     .options = key_options,
     .help = "Registers a public key that an organisation made itself",
     .run = key_add},
    {.name = "key new",
     .words = "ORG",
     .words_min = 1,
     .words_max = 1,
     .options = new_options,
     .help = "Makes a key pair in var/keys and registers it; a former pair is kept as .key.old",
     .run = key_new},
    {.name = "key revoke",
     .words = "PUBLICKEY",
     .words_min = 1,
     .words_max = 1,
     .options = revoke_options,
     .help = "Revokes a key: sessions with it end, new ones are refused",
     .run = key_revoke},
    {.name = "succeed",
     .words = "ORG SUCCESSOR",
     .words_min = 2,
     .words_max = 2,
     .options = org_succeed_options,
     .help =
         "Moves every open case of an organisation to its successor, in one recorded act of two "
         "administrators",
     .more =
         "Holder, desks, roles, offers and work under way are re-pointed, each case in an event "
         "of its own that names the\nact. The network must name the successor, which must be in "
         "force. Made again, it moves what is left.",
     .run = org_succeed},
    {0},
};
