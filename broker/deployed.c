/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The configuration as deployed: network, workflows by hash, keys of
 * organisations. Old workflow versions are loaded when a case needs them. A new
 * configuration is installed only when no batch is under commit; what was decided
 * under the old one and is not durable is decided again.
 */
#include "reactor_internal.h"

#include <stdio.h>
#include <string.h>

#include "sto_crypto.h"
#include "sto_log.h"

void deployed_ask(reactor_t *r)
{
    if (!r->cfg_loading) {
        r->cfg_loading = true;
        loads_ask(r, &(struct store_request){.kind = STORE_LOAD, .what = LOAD_CONFIG});
    }
}

static void wf_free(struct wf *w)
{
    workflow_destroy(&w->w);
    free(w);
}

void deployed_destroy(struct config **self_p)
{
    struct config *c = *self_p;
    if (!c) {
        return;
    }
    struct wf *w;
    void *e;
    for (size_t i = 0; (w = table_next(&c->wfs, &i));) {
        wf_free(w);
    }
    for (size_t i = 0; (e = table_next(&c->keys, &i));) {
        free(e);
    }
    for (size_t i = 0; (e = table_next(&c->services, &i));) {
        free(e);
    }
    table_release(&c->wfs);
    table_release(&c->keys);
    table_release(&c->services);
    network_destroy(&c->net);
    free(c);
    *self_p = NULL;
}

static void log_diags(const sto_diags_t *diags, const char *what)
{
    for (size_t i = 0; i < sto_diags_count(diags) && i < 5; i++) {
        const struct sto_diag *d = sto_diags_at(diags, i);
        sto_log(STO_ERROR, "config_error", "of", what, "file", d->file ? d->file : "", "line",
                sto_i(d->line), "what", d->text, NULL);
    }
}

static int load_network(struct config *c, const struct store_result *res)
{
    struct model_file *files = sto_xcalloc(res->n_network + 1, sizeof(*files));
    for (uint32_t i = 0; i < res->n_network; i++) {
        files[i].name = res->network[i].name;
        files[i].text = (const char *)res->network[i].text.p;
        files[i].len = res->network[i].text.n;
    }
    sto_diags_t *diags = sto_diags_new();
    int rc =
        network_load(res->network_id ? res->network_id : "", files, res->n_network, diags, &c->net);
    if (rc != 0) {
        log_diags(diags, "network");
    }
    sto_diags_destroy(&diags);
    free(files);
    return rc;
}

static struct wf *load_wf(struct config *c, const struct loaded_workflow *l)
{
    struct model_file cfg = {l->cfg.name, (const char *)l->cfg.text.p, l->cfg.text.n};
    struct model_file texts = {l->texts.name, (const char *)l->texts.text.p, l->texts.text.n};
    struct wf *w = table_get(&c->wfs, l->hash);
    if (w) {
        w->newest = w->newest || l->newest;
        return w;
    }
    w = sto_xcalloc(1, sizeof(*w));
    memcpy(w->hash, l->hash, sizeof(w->hash));
    w->newest = l->newest;
    sto_diags_t *diags = sto_diags_new();
    if (workflow_load(&cfg, &texts, c->net, diags, &w->w) != 0) {
        log_diags(diags, l->id);
        w->w = NULL; /* stands in the table as absent */
    } else {
        /* What the store calls this version is what cases name. */
        memcpy(w->w->hash, l->hash, sizeof(w->w->hash));
    }
    sto_diags_destroy(&diags);
    table_put(&c->wfs, w);
    return w;
}

static void load_orgkeys(struct config *c, const struct store_result *res)
{
    for (uint32_t i = 0; i < res->n_orgkeys; i++) {
        const struct loaded_orgkey *l = &res->orgkeys[i];
        uint8_t hash[32];
        struct orgkey *k = sto_xcalloc(1, sizeof(*k));
        snprintf(k->key, sizeof(k->key), "%s", l->public_key);
        sto_sha256(k->key, strlen(k->key), hash);
        memcpy(k->key8, hash, sizeof(k->key8));
        k->org = l->org;
        k->is_operator = l->is_operator;
        k->revoked = l->revoked;
        if (table_get(&c->keys, k->key)) {
            free(k);
        } else {
            table_put(&c->keys, k);
        }
    }
}

static void load_services(struct config *c)
{
    for (unsigned i = 0; i < c->net->n_services; i++) {
        if (!service_shared(&c->net->services[i])) {
            continue;
        }
        struct shared_service *s = sto_xcalloc(1, sizeof(*s));
        s->service = c->net->services[i].number;
        shared_id(c->net->id, s->service, &s->id);
        table_put(&c->services, s);
    }
}

static struct config *build(reactor_t *r, const struct store_result *res)
{
    uint64_t seed = table_mix(r->opt.core_id, res->config);
    struct config *c = sto_xcalloc(1, sizeof(*c));
    c->number = res->config;
    memcpy(c->hash, res->config_hash, sizeof(c->hash));
    c->manual_clock = res->manual_clock;
    table_init(&c->wfs, 32, seed);
    table_init(&c->keys, sizeof(((struct orgkey *)0)->key), seed);
    table_init(&c->services, sizeof(struct sto_uuid), seed);
    if (load_network(c, res) != 0) {
        deployed_destroy(&c);
        return NULL;
    }
    for (uint32_t i = 0; i < res->n_workflows; i++) {
        struct wf *w = load_wf(c, &res->workflows[i]);
        w->newest = w->w != NULL;
    }
    load_orgkeys(c, res);
    load_services(c);
    return c;
}

void deployed_loaded(reactor_t *r, const struct store_result *res)
{
    r->cfg_loading = false;
    const struct config *newest = r->cfg_next ? r->cfg_next : r->cfg;
    if (newest && res->config <= newest->number) {
        return;
    }
    struct config *c = build(r, res);
    if (!c) {
        rx_fatal(r, "the deployed network cannot be loaded");
        return;
    }
    if (res->clock_us > r->clock_us) {
        r->clock_us = res->clock_us;
    }
    deployed_destroy(&r->cfg_next);
    r->cfg_next = c;
    deployed_install(r);
}

void deployed_install(reactor_t *r)
{
    if (!r->cfg_next || r->commit == COMMIT_UNDER_WAY || r->commit == COMMIT_SETTLING) {
        return;
    }
    if (r->cfg) {
        batch_throw(r);
    }
    struct centry *e;
    for (size_t i = 0; (e = table_next(&r->cases, &i));) {
        e->wf = NULL;
    }
    deployed_destroy(&r->cfg);
    r->cfg = r->cfg_next;
    r->cfg_next = NULL;
    sto_log(STO_INFO, "config_installed", "number", sto_i((int64_t)r->cfg->number), "network",
            r->cfg->net->id, NULL);
    peer_config_changed(r);
    peer_keys_out(r, UINT32_MAX);
    kept_run(r, &r->misc);
    cw_horizon(r, rx_domain_us(r) + STO_US_PER_HOUR);
}

void deployed_workflow_loaded(reactor_t *r, const struct store_result *res, const uint8_t hash[32])
{
    if (!r->cfg) {
        return;
    }
    for (uint32_t i = 0; i < res->n_workflows; i++) {
        load_wf(r->cfg, &res->workflows[i]);
    }
    if (!table_get(&r->cfg->wfs, hash)) {
        struct wf *absent = sto_xcalloc(1, sizeof(*absent));
        memcpy(absent->hash, hash, sizeof(absent->hash));
        table_put(&r->cfg->wfs, absent);
        sto_log(STO_ERROR, "workflow_absent", NULL);
    }
    kept_run(r, &r->misc);
}

struct wf *deployed_newest(const reactor_t *r, const char *id)
{
    struct wf *w;
    for (size_t i = 0; (w = table_next(&r->cfg->wfs, &i));) {
        if (w->newest && w->w && strcmp(w->w->id, id) == 0) {
            return w;
        }
    }
    return NULL;
}

static bool being_loaded(const reactor_t *r, const uint8_t hash[32])
{
    for (unsigned i = 0; i < r->loads.n + r->again.n; i++) {
        const struct load *l = i < r->loads.n ? &r->loads.v[i] : &r->again.v[i - r->loads.n];
        if (l->req.kind == STORE_LOAD && l->req.what == LOAD_WORKFLOW &&
            memcmp(l->req.workflow, hash, 32) == 0) {
            return true;
        }
    }
    return false;
}

struct wf *deployed_wf(reactor_t *r, const uint8_t hash[32], bool *absent)
{
    struct wf *w = table_get(&r->cfg->wfs, hash);
    *absent = w && !w->w;
    if (w) {
        return w->w ? w : NULL;
    }
    if (!being_loaded(r, hash)) {
        struct store_request req = {.kind = STORE_LOAD, .what = LOAD_WORKFLOW};
        memcpy(req.workflow, hash, 32);
        loads_ask(r, &req);
    }
    return NULL;
}
