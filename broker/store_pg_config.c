/* SPDX-License-Identifier: EUPL-1.2 */
/* LOAD_CONFIG and LOAD_WORKFLOW: the deployed configuration in one snapshot, and its hash. */
#include <string.h>

#include "sto_buf.h"
#include "sto_crypto.h"
#include "sto_time.h"
#include "store_pg_impl.h"

enum { CONFIG_BEGIN, CONFIG_INSTALLATION, CONFIG_NETWORK, CONFIG_WORKFLOWS, CONFIG_KEYS };

static struct loaded_file file_from(struct work *w, const char *name, const PGresult *r, int row,
                                    int column)
{
    return (struct loaded_file){.name = name, .text = pg_blob(w, r, row, column)};
}

static void network_from(struct work *w, const PGresult *r)
{
    struct store_result *res = &w->result;
    int n = PQntuples(r);

    res->network_id = n > 0 ? pg_text(w, r, 0, 0) : "";
    res->network = work_alloc(w, (size_t)n * sizeof *res->network);
    for (int i = 0; i < n && !w->failed; i++) {
        res->network[res->n_network++] = file_from(w, pg_text(w, r, i, 1), r, i, 2);
    }
}

static void workflows_from(struct work *w, const PGresult *r, bool with_newest)
{
    struct store_result *res = &w->result;
    int n = PQntuples(r);

    res->workflows = work_alloc(w, (size_t)n * sizeof *res->workflows);
    for (int i = 0; i < n && !w->failed; i++) {
        struct loaded_workflow *f = &res->workflows[res->n_workflows++];
        pg_fixed(r, i, 0, f->hash, sizeof f->hash);
        f->id = pg_text(w, r, i, 1);
        f->version = (uint32_t)pg_int4(r, i, 2);
        f->cfg = file_from(w, "workflow.cfg", r, i, 3);
        f->texts = file_from(w, "texts.cfg", r, i, 4);
        f->newest = !with_newest || pg_bool(r, i, 5);
    }
}

static void keys_from(struct work *w, const PGresult *r)
{
    struct store_result *res = &w->result;
    int n = PQntuples(r);

    res->orgkeys = work_alloc(w, (size_t)n * sizeof *res->orgkeys);
    for (int i = 0; i < n && !w->failed; i++) {
        struct loaded_orgkey *k = &res->orgkeys[res->n_orgkeys++];
        pg_fixed(r, i, 0, (uint8_t *)k->public_key, sizeof k->public_key - 1);
        k->org = (uint16_t)pg_int4(r, i, 1);
        k->is_operator = pg_bool(r, i, 2);
        k->revoked = pg_bool(r, i, 3);
    }
}

static void config_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;
    struct work *w = &s->loading;

    if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        work_error(w, r);
    } else if (query == CONFIG_INSTALLATION && PQntuples(r) == 1) {
        w->result.config = (uint64_t)pg_int8(r, 0, 0);
        w->result.n_shards = (uint16_t)pg_int2(r, 0, 1);
        w->result.manual_clock = pg_bool(r, 0, 2);
        w->result.clock_us = pg_time_us(r, 0, 3);
    } else if (query == CONFIG_NETWORK) {
        network_from(w, r);
    } else if (query == CONFIG_WORKFLOWS) {
        workflows_from(w, r, false);
    } else if (query == CONFIG_KEYS) {
        keys_from(w, r);
    }
}

/*
 * What was in force, in one hash for the log: the network's files by name, the newest workflow of
 * each id, the organisations' keys. Everything in the order that the queries give.
 */
static void config_hash(struct store_result *res)
{
    struct sto_buf b;
    uint8_t hash[32];

    sto_buf_init(&b, 0);
    sto_put_str(&b, res->network_id);
    for (uint32_t i = 0; i < res->n_network; i++) {
        sto_sha256(res->network[i].text.p, res->network[i].text.n, hash);
        sto_put_str(&b, res->network[i].name);
        sto_put_bytes(&b, hash, sizeof hash);
    }
    for (uint32_t i = 0; i < res->n_workflows; i++) {
        sto_put_str(&b, res->workflows[i].id);
        sto_put_bytes(&b, res->workflows[i].hash, sizeof res->workflows[i].hash);
    }
    for (uint32_t i = 0; i < res->n_orgkeys; i++) {
        sto_put_str(&b, res->orgkeys[i].public_key);
        sto_put_u16(&b, res->orgkeys[i].org);
        sto_put_u8(&b, res->orgkeys[i].is_operator);
        sto_put_u8(&b, res->orgkeys[i].revoked);
    }
    sto_sha256(b.data, b.len, res->config_hash);
    sto_buf_release(&b);
}

static void config_done(void *arg, bool lost)
{
    struct store_pg *s = arg;

    if (!lost && s->loading.failed) {
        pg_link_discard(&s->load, "the configuration could not be read");
    } else if (!lost) {
        config_hash(&s->loading.result);
    }
    load_finish(s, lost);
}

void config_start(struct store_pg *s)
{
    struct pg_params p = {0};

    pg_params_call(&p, LD_BEGIN_READ);
    pg_params_call(&p, LD_CONFIG_INSTALLATION);
    pg_params_call(&p, LD_CONFIG_NETWORK);
    pg_params_call(&p, LD_CONFIG_WORKFLOWS);
    pg_params_call(&p, LD_CONFIG_KEYS);
    pg_params_call(&p, LD_COMMIT);
    load_send(s, &p, config_result, config_done);
    pg_params_release(&p);
}

static void workflow_result(void *arg, unsigned query, const PGresult *r)
{
    struct store_pg *s = arg;

    (void)query;
    if (PQresultStatus(r) == PGRES_FATAL_ERROR) {
        work_error(&s->loading, r);
    } else {
        workflows_from(&s->loading, r, true);
    }
}

static void workflow_done(void *arg, bool lost)
{
    load_finish(arg, lost);
}

void workflow_start(struct store_pg *s)
{
    struct pg_params p = {0};

    pg_params_call(&p, LD_WORKFLOW);
    pg_params_raw(&p, s->loading.request->workflow, sizeof s->loading.request->workflow);
    load_send(s, &p, workflow_result, workflow_done);
    pg_params_release(&p);
}
