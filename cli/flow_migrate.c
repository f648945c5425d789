/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto flow migrate: running cases to another version, all or none of them. What would strand is
   told case by case; the moves themselves are events, decided by the engine. */
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "client.h"
#include "installation.h"
#include "migrate.h"
#include "nouns.h"
#include "sto_file.h"
#include "sto_limits.h"

#define MAP_ARENA_BYTES ((size_t)8 * 1024 * 1024)
#define AT_ONCE         256

struct move {
    struct cli *c;
    struct reading r;
    const workflow_t *from, *to;
    struct in_name map[STO_WF_ROLES_MAX]; /* strings in arena */
    unsigned n_map;
    sto_arena_t *arena;
    struct migration m;
    struct sto_uuid *cases; /* that can move */
    size_t n_cases, cap;
    size_t stranded, moved, failed;
};

/* ------------------------------------------------------------------------ map */

static int pair_of(struct move *x, const struct sto_conf *p, struct sto_err *err)
{
    const struct sto_conf *a = p->type == STO_CONF_ARRAY && p->n_children == 2 ? p->child : NULL;
    if (a == NULL || a->type != STO_CONF_STRING) {
        sto_fail(err, STO_E_CONFIG,
                 "line %d: a pair of the map must be [ \"old-step\", \"new-step\" ]", p->line);
        return -STO_E_CONFIG;
    }
    if (x->n_map == STO_WF_ROLES_MAX) {
        return sto_fail(err, STO_E_LIMIT, "the map has more than %u pairs", STO_WF_ROLES_MAX);
    }
    x->map[x->n_map++] = (struct in_name){.role = a->s, .org = a->next->s, .desk = ""};
    return 0;
}

/* map = ( [ "old", "new" ], … ); for steps that have another id. */
static int read_map(struct move *x, const char *path, struct sto_err *err)
{
    const struct sto_conf *root = NULL;
    sto_diags_t *diags = sto_diags_new();
    char *text = NULL;
    size_t len = 0;
    int rc = sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &len, err);
    if (rc == 0 && sto_conf_parse(path, text, len, x->arena, diags, &root) != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "'%s' has faults", path);
        model_print_diags(diags);
    }
    const struct sto_conf *map = rc == 0 ? sto_conf_get(root, "map") : NULL;
    if (rc == 0 && (map == NULL || map->type != STO_CONF_LIST || root->n_children != 1)) {
        rc = sto_fail(err, STO_E_CONFIG,
                      "'%s' must be map = ( [ \"old-step\", \"new-step\" ], … ); and nothing else",
                      path);
    }
    for (const struct sto_conf *p = rc == 0 ? map->child : NULL; p != NULL && rc == 0;
         p = p->next) {
        rc = pair_of(x, p, err);
    }
    sto_diags_destroy(&diags);
    free(text);
    return rc;
}

/* ---------------------------------------------------------------------- cases */

struct stranded {
    struct move *x;
    const struct case_view *v;
    json_t *whys;
};

static void tell_why(void *arg, const char *why)
{
    struct stranded *s = arg;
    char id[37];
    output_say(&s->x->c->out, "%s: %s", sto_uuid_format(&s->v->id, id), why);
    json_array_append_new(s->whys, json_string(why));
}

static void row(struct move *x, const struct case_view *v, json_t *whys)
{
    char id[37], steps[256];
    steps_words(v, steps, sizeof steps);
    if (output_text(&x->c->out)) {
        json_decref(whys);
    } else {
        output_row(&x->c->out,
                   json_pack("{s:s, s:s, s:b, s:o}", "case", sto_uuid_format(&v->id, id), "steps",
                             steps, "strands", json_array_size(whys) != 0, "why", whys));
    }
}

static int look_at(void *arg, const struct case_view *v)
{
    struct move *x = arg;
    if (memcmp(v->workflow, x->from->hash, 32) != 0) {
        return 0;
    }
    struct stranded s = {.x = x, .v = v, .whys = json_array()};
    if (migration_strands(&x->m, &v->state, tell_why, &s) != 0) {
        x->stranded++;
    } else {
        if (x->n_cases == x->cap) {
            x->cap = x->cap > 0 ? 2 * x->cap : 256;
            x->cases = sto_xrealloc(x->cases, x->cap * sizeof *x->cases);
        }
        x->cases[x->n_cases++] = v->id;
    }
    row(x, v, s.whys);
    return 0;
}

/* --------------------------------------------------------------------- moving */

static void hash_text(const workflow_t *w, char out[65])
{
    for (unsigned i = 0; i < 32; i++) {
        snprintf(out + (size_t)2 * i, 3, "%02x", w->hash[i]);
    }
}

static int send_some(struct move *x, client_t *client, size_t first, size_t end,
                     struct sto_err *err)
{
    struct saatto_name names[STO_WF_ROLES_MAX];
    char hash[65];
    int64_t tickets[AT_ONCE];
    int rc = 0;
    hash_text(x->to, hash);
    for (unsigned i = 0; i < x->n_map; i++) {
        names[i] =
            (struct saatto_name){.role = x->map[i].role, .organisation = x->map[i].org, .desk = ""};
    }
    for (size_t i = first; i < end && rc == 0; i++) {
        struct saatto_event e = {
            .kind = EVENT_MIGRATE, .name = hash, .names = names, .n_names = x->n_map};
        memcpy(e.case_id, x->cases[i].b, sizeof e.case_id);
        tickets[i - first] = client_send(client, &e, err);
        rc = tickets[i - first] < 0 ? (int)tickets[i - first] : 0;
    }
    rc = rc != 0 ? rc : client_wait(client, CLIENT_TIMEOUT_MS, err);
    for (size_t i = first; i < end && rc == 0; i++) {
        const struct client_answer *a = client_answer(client, tickets[i - first]);
        char id[37];
        x->moved += a->code == 0;
        x->failed += a->code != 0;
        if (a->code == STO_E_NOT_ALLOWED) {
            rc = sto_fail(err, STO_E_NOT_ALLOWED, "%s", a->what);
        } else if (a->code != 0) { /* it went on meanwhile */
            output_say(&x->c->out, "%s: not moved: %s", sto_uuid_format(&x->cases[i], id), a->what);
        }
    }
    return rc;
}

static int move_all(struct move *x, struct sto_err *err)
{
    const struct organisation *o = network_org(x->r.net, x->r.net->coordinator_org);
    const char *id = o != NULL ? o->id : "", *given = cli_option(x->c, "key");
    char *key =
        given != NULL ? sto_xstrdup(given) : installation_path(x->r.in, "keys/%s.operator.key", id);
    client_t *client = NULL;
    int rc = client_open_with(x->r.in, id, key, &client, err);
    if (rc == -STO_E_IO || rc == -STO_E_NOT_FOUND) {
        sto_err_fix(err, "saatto org key new %s --operator makes one; or name it with --key", id);
    }
    for (size_t i = 0; i < x->n_cases && rc == 0; i += AT_ONCE) {
        size_t end = i + AT_ONCE < x->n_cases ? i + AT_ONCE : x->n_cases;
        rc = send_some(x, client, i, end, err);
    }
    client_close(&client);
    free(key);
    return rc;
}

/* --------------------------------------------------------------------- command */

static int versions(struct move *x, struct sto_err *err)
{
    const char *id = x->c->words[0];
    int64_t from = 0, to = 0;
    const char *need = NULL;
    int rc = cli_need(x->c, "from", &need, err);
    rc = rc != 0 ? rc : cli_need(x->c, "to", &need, err);
    rc = rc != 0 ? rc : cli_option_int(x->c, "from", 0, 1, UINT32_MAX, &from, err);
    rc = rc != 0 ? rc : cli_option_int(x->c, "to", 0, 1, UINT32_MAX, &to, err);
    rc = rc != 0 ? rc : deployed_version(x->r.deployed, id, from, &x->from, err);
    rc = rc != 0 ? rc : deployed_version(x->r.deployed, id, to, &x->to, err);
    if (rc == 0 && from == to) {
        rc = sto_fail(err, STO_E_USAGE, "--from and --to name the same version");
    }
    return rc;
}

static int conclude(struct move *x, bool dry, struct sto_err *err)
{
    struct cli *c = x->c;
    if (x->stranded != 0) {
        sto_fail(err, STO_E_REFUSED, "%zu of %zu cases would strand; none was moved", x->stranded,
                 x->stranded + x->n_cases);
        sto_err_fix(err, "pair their steps with --map, or deploy a version that keeps what they "
                         "stand on");
        return -STO_E_REFUSED;
    }
    if (dry) {
        output_say(&c->out, "%zu cases would move from version %u to %u; nothing was changed.",
                   x->n_cases, x->from->version, x->to->version);
        return 0;
    }
    output_say(&c->out, "%zu cases moved from version %u to %u.", x->moved, x->from->version,
               x->to->version);
    if (x->failed != 0) {
        sto_fail(err, STO_E_DIFFERENT, "%zu cases were not moved: they went on meanwhile",
                 x->failed);
        sto_err_fix(err, "run it again; it takes those that are still on version %u",
                    x->from->version);
        return -STO_E_DIFFERENT;
    }
    return 0;
}

static int look_at_all(struct move *x, struct sto_err *err)
{
    struct case_filter open = {.open = 1, .workflow = x->c->words[0]};
    if (!output_text(&x->c->out)) {
        output_table(&x->c->out, NULL);
    }
    int rc = case_each(&x->r, &open, look_at, x, err);
    if (!output_text(&x->c->out)) {
        output_table_end(&x->c->out, "");
    }
    return rc;
}

int flow_migrate(struct cli *c, struct sto_err *err)
{
    struct move x = {.c = c, .arena = sto_arena_new(MAP_ARENA_BYTES)};
    bool dry = cli_flag(c, "dry-run");
    int rc = reading_open(c, &x.r, err);
    rc = rc != 0 ? rc : versions(&x, err);
    if (rc == 0 && cli_option(c, "map") != NULL) {
        rc = read_map(&x, cli_option(c, "map"), err);
    }
    rc = rc != 0 ? rc : migration_init(&x.m, x.from, x.to, x.map, x.n_map, err);
    rc = rc != 0 ? rc : look_at_all(&x, err);
    if (rc == 0 && x.stranded == 0 && !dry && x.n_cases > 0) {
        rc = move_all(&x, err);
    }
    rc = rc != 0 ? rc : conclude(&x, dry, err);
    reading_close(&x.r);
    free(x.cases);
    sto_arena_destroy(&x.arena);
    return rc;
}
