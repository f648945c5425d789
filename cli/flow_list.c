/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto flow list: what is deployed, what it is about, calls and goes on in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "flow_source.h"
#include "installation.h"
#include "nouns.h"
#include "sto_arena.h"

#define SCRATCH_BYTES_MAX (64u << 20)

static const char *const list_columns[] = {"id=WORKFLOW",
                                           "version=VERSION",
                                           "newest=NEWEST",
                                           "open=OPEN",
                                           "closed=CLOSED",
                                           "subject=ABOUT",
                                           "calls=CALLS",
                                           "continues=CONTINUES IN",
                                           "deployed=DEPLOYED",
                                           "hash=HASH",
                                           NULL};

static int db_count(const PGresult *r, int row, int col)
{
    return (int)strtol(db_text(r, row, col), NULL, 10);
}

static const char *text_of(const struct sto_conf *g, const char *key, const char *fallback)
{
    const struct sto_conf *c = sto_conf_get(g, key);
    return c != NULL && c->type == STO_CONF_STRING ? c->s : fallback;
}

/* Adds id to the list "a, b", once. */
static void join(char *out, size_t cap, const char *id)
{
    size_t n = strlen(out), len = strlen(id);

    for (const char *at = out; (at = strstr(at, id)) != NULL && len > 0; at += len) {
        if ((at == out || at[-1] == ' ') && (at[len] == '\0' || at[len] == ',')) {
            return;
        }
    }
    if (len > 0) {
        snprintf(out + n, cap - n, "%s%s", n != 0 ? ", " : "", id);
    }
}

static json_t *row_of(const PGresult *r, int i)
{
    sto_arena_t *arena = sto_arena_new(SCRATCH_BYTES_MAX);
    sto_diags_t *ignored = sto_diags_new(); /* it was checked as it was deployed */
    const struct sto_conf *root = NULL;
    char calls[256] = "", continues[256] = "";
    const char *text = db_text(r, i, 8);

    sto_conf_parse("workflow.cfg", text, strlen(text), arena, ignored, &root);
    const struct sto_conf *w = sto_conf_get(root, "workflow");
    const struct sto_conf *steps = sto_conf_get(w, "steps");
    const char *const *ids = workflow_called_ids(sto_conf_get(root, "called"), arena);
    for (; *ids != NULL; ids++) {
        join(calls, sizeof calls, *ids);
    }
    for (const struct sto_conf *s = steps != NULL ? steps->child : NULL; s != NULL; s = s->next) {
        join(continues, sizeof continues, text_of(s, "continues", ""));
    }
    json_t *row = json_pack(
        "{s:s, s:i, s:b, s:b, s:s, s:s, s:i, s:i, s:s, s:s, s:s}", "id", db_text(r, i, 0),
        "version", db_count(r, i, 1), "newest", db_text(r, i, 2)[0] == 't', "retired",
        db_text(r, i, 3)[0] == 't', "deployed", db_text(r, i, 4), "hash", db_text(r, i, 5), "open",
        db_count(r, i, 6), "closed", db_count(r, i, 7), "subject", text_of(w, "subject", "client"),
        "calls", calls, "continues", continues);
    sto_diags_destroy(&ignored);
    sto_arena_destroy(&arena);
    return row;
}

int flow_list(struct cli *c, struct sto_err *err)
{
    installation_t *in = NULL;
    PGconn *db = NULL;
    int rc = installation_open(c, &in, err);

    rc = rc != 0 ? rc : db_open_read(in, &db, err);
    PGresult *r =
        rc != 0
            ? NULL
            : db_query(
                  db,
                  "SELECT w.id, w.version, w.version = max(w.version) OVER (PARTITION BY w.id), "
                  "w.retired, "
                  "to_char(w.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
                  "encode(w.hash, 'hex'), "
                  "coalesce(k.open, 0), coalesce(k.closed, 0), convert_from(w.cfg, 'UTF8') FROM "
                  "workflow_version w LEFT JOIN (SELECT "
                  "workflow, count(*) FILTER (WHERE open) AS open, count(*) FILTER (WHERE NOT "
                  "open) AS closed "
                  "FROM case_row WHERE aggregate = 0 GROUP BY workflow) k ON k.workflow = w.hash "
                  "ORDER BY w.id, w.version",
                  0, NULL, err);
    if (rc == 0 && r == NULL) {
        rc = -STO_E_DB;
    }
    if (rc == 0) {
        output_table(&c->out, list_columns);
        for (int i = 0; i < PQntuples(r); i++) {
            output_row(&c->out, row_of(r, i));
        }
        output_table_end(&c->out, "no workflow is deployed; saatto flow deploy deploys one");
    }
    PQclear(r);
    PQfinish(db);
    installation_close(&in);
    return rc;
}
