/* SPDX-License-Identifier: EUPL-1.2 */
/* Reads of the model store: committed rows only, all copies borrowed from the model's arena. */
#include <stdlib.h>
#include <string.h>

#include "model_rows.h"
#include "sim_model.h"
#include "sto_crypto.h"

static void *get(struct store_result *res, size_t n)
{
    void *p = sto_arena_alloc(res->arena, n + 1);
    STO_ASSERT(p);
    return p;
}

void model_head(struct model *m, uint16_t shard, struct store_result *res)
{
    struct shard_head *h = &res->head;
    const struct model_shard *sh = &m->shard[shard];
    h->shard = shard;
    h->epoch = sh->epoch;
    h->config = m->config;
    h->incarnation = 1;
    h->next_idx = sh->n_events + 1u;
    h->last_us = sh->last_us;
    h->inbox = get(res, m->n_inbox * sizeof(*h->inbox));
    for (uint32_t i = 0; i < m->n_inbox; i++) {
        if (m->inbox[i].shard == shard && m->plant != PLANT_WATERMARK_LOST) {
            h->inbox[h->n_inbox++] = m->inbox[i];
        }
    }
    h->cursors = get(res, 8 * sizeof(*h->cursors));
    h->heads = get(res, 8 * sizeof(*h->heads));
    for (uint16_t o = 1; o < 8; o++) {
        const struct model_queue *q = &m->queue[shard][o];
        if (q->head > 0) {
            h->cursors[h->n_cursors++] = (struct row_cursor){shard, o, q->acked};
            h->heads[h->n_heads++] = (struct row_cursor){shard, o, q->head};
        }
    }
    h->mails = get(res, m->n_mails * sizeof(*h->mails));
    for (uint32_t i = 0; i < m->n_mails; i++) {
        if (m->mails[i].dst == shard &&
            m->mails[i].seq > m->mail_upto[m->mails[i].src][m->mails[i].dst]) {
            h->mails[h->n_mails++] = m->mails[i];
            m->marks[MARK_MAIL_AFTER_RESTART]++;
        }
    }
    h->mails_in = get(res, 16 * sizeof(*h->mails_in));
    h->mails_out = get(res, 16 * sizeof(*h->mails_out));
    for (uint16_t s = 0; s < m->n_shards; s++) {
        uint64_t upto = m->mail_upto[s][shard];
        upto -= m->plant == PLANT_MAIL_TWICE && upto > 0;
        h->mails_in[h->n_mails_in++] = (struct row_mail_in){shard, s, upto};
        h->mails_out[h->n_mails_out++] = (struct row_mail_in){s, shard, m->mail_head[shard][s]};
    }
}

static void read_cases(struct model *m, const struct store_request *req, struct store_result *res)
{
    res->cases = get(res, req->n_ids * sizeof(*res->cases));
    for (uint32_t i = 0; i < req->n_ids; i++) {
        struct loaded_case *l = &res->cases[res->n_cases++];
        const struct row_case *row = model_case(m, &req->ids[i]);
        l->id = req->ids[i];
        l->found = row != NULL;
        if (row) {
            l->row = *row;
            l->has_key = model_key(m, row->dek, l->key);
        }
    }
    const struct model_case *c;
    res->clients = get(res, m->cases.n * (req->n_clients + 1) * sizeof(*res->clients));
    for (uint32_t k = 0; k < req->n_clients; k++) {
        for (size_t i = 0; (c = table_next(&m->cases, &i));) {
            if (c->row.once && c->row.open && sto_uuid_eq(&c->row.client, &req->clients[k])) {
                res->clients[res->n_clients++] =
                    (struct loaded_client){c->row.client, c->id, c->row.workflow_id};
            }
        }
    }
}

static void put_key(struct store_result *res, const char *key, uint16_t org, bool operator_key)
{
    struct loaded_orgkey *k = &res->orgkeys[res->n_orgkeys++];
    memset(k, 0, sizeof(*k));
    memcpy(k->public_key, key, 40);
    k->org = org;
    k->is_operator = operator_key;
}

static void read_config(struct model *m, struct store_result *res)
{
    const char *network = m->network_text ? m->network_text : sim_network;
    res->config = m->config;
    res->network_id = "sim";
    res->network = get(res, sizeof(*res->network));
    res->network[0] =
        (struct loaded_file){"network.cfg", {(const uint8_t *)network, (uint32_t)strlen(network)}};
    res->n_network = 1;
    res->orgkeys = get(res, 4 * sizeof(*res->orgkeys));
    put_key(res, SIM_KEY_TE, 1, false);
    put_key(res, SIM_KEY_TE2, 1, false);
    put_key(res, SIM_KEY_CITY, 2, false);
    put_key(res, SIM_KEY_OPERATOR, 1, true);
    res->manual_clock = m->manual_clock;
    res->clock_us = m->clock_us;
    memset(res->config_hash, (int)(m->config & 0xff), sizeof(res->config_hash));
}

static void read_workflows(struct store_result *res)
{
    res->workflows = get(res, sizeof(*res->workflows));
    struct loaded_workflow *w = &res->workflows[0];
    sto_sha256_2(sim_workflow, sizeof(sim_workflow) - 1, sim_texts, sizeof(sim_texts) - 1, w->hash);
    w->id = "small";
    w->version = 1;
    w->newest = true;
    w->cfg = (struct loaded_file){"workflow.cfg",
                                  {(const uint8_t *)sim_workflow, sizeof(sim_workflow) - 1}};
    w->texts =
        (struct loaded_file){"texts.cfg", {(const uint8_t *)sim_texts, sizeof(sim_texts) - 1}};
    res->n_workflows = 1;
}

static void read_answers(struct model *m, const struct store_request *req, struct store_result *res)
{
    res->answers = get(res, req->n_answers * sizeof(*res->answers));
    for (uint32_t k = 0; k < req->n_answers; k++) {
        struct loaded_answer *a = &res->answers[res->n_answers++];
        a->key = req->answers[k];
        const struct model_shard *sh = &m->shard[a->key.shard];
        for (uint32_t i = 0; i < sh->n_events; i++) {
            const struct row_event *e = &sh->events[i];
            if (e->org == a->key.org && e->stream == a->key.stream && e->seq == a->key.seq) {
                a->found = true;
                memcpy(a->msg_hash, e->msg_hash, 32);
                memcpy(a->leaf, e->leaf, 32);
                a->code = m->plant == PLANT_OTHER_ANSWER && e->code ? STO_E_FIELD : e->code;
                a->answer = e->answer;
            }
        }
    }
}

static void read_keys(struct model *m, const struct store_request *req, struct store_result *res)
{
    /* Handed out in small portions, so that running out of them happens. */
    uint32_t n = req->n_keys < 24 ? req->n_keys : 24;
    res->keys = get(res, n * sizeof(*res->keys));
    for (uint32_t i = 0; i < n; i++) {
        struct model_key *k = sto_arena_alloc(m->arena, sizeof(*k));
        STO_ASSERT(k);
        k->id = ++m->next_key;
        sto_sha256_2("key", 3, &k->id, sizeof(k->id), k->key);
        table_put(&m->keys, k);
        res->keys[res->n_keys].id = k->id;
        memcpy(res->keys[res->n_keys++].key, k->key, 32);
    }
}

static struct loaded_backlog as_backlog(struct model *m, const struct row_outbox *row)
{
    struct loaded_backlog l = {.seq = row->seq,
                               .case_id = row->case_id,
                               .kind = row->kind,
                               .categories = row->categories,
                               .purpose = row->purpose,
                               .basis_id = row->basis_id,
                               .basis_ver = row->basis_ver,
                               .ct = row->ct,
                               .dek = row->dek};
    l.has_key = model_key(m, row->dek, l.key);
    return l;
}

static void read_backlog(struct model *m, const struct store_request *req, struct store_result *res)
{
    const struct model_queue *q = &m->queue[req->shard][req->org];
    res->backlog = get(res, q->n * sizeof(*res->backlog));
    for (uint32_t i = 0; i < q->n && res->n_backlog < req->limit; i++) {
        if (q->v[i].seq > req->after) {
            res->backlog[res->n_backlog++] = as_backlog(m, &q->v[i]);
        }
    }
    m->marks[MARK_BACKLOG] += res->n_backlog > 0;
}

static void read_dead(struct model *m, const struct store_request *req, struct store_result *res)
{
    res->dead = get(res, m->n_dead * sizeof(*res->dead));
    res->backlog = get(res, m->n_dead * sizeof(*res->backlog));
    for (uint32_t i = 0; i < m->n_dead; i++) {
        const struct row_dead *d = &m->dead[i].d;
        bool named = d->shard == req->shard && d->seq == req->after;
        bool fits =
            !m->dead[i].done && (req->org == 0 || req->org == d->org) && (req->after == 0 || named);
        if (fits) {
            res->dead[res->n_dead++] = m->dead[i].d;
            res->backlog[res->n_backlog++] = as_backlog(m, &m->dead[i].row);
        }
    }
}

static void read_due(struct model *m, const struct store_request *req, struct store_result *res)
{
    const struct model_case *c;
    res->due = get(res, m->cases.n * sizeof(*res->due));
    for (size_t i = 0; (c = table_next(&m->cases, &i));) {
        if (c->row.shard == req->shard && c->row.open &&
            c->row.wake_h <= req->until_h - (m->plant == PLANT_WAKE_LATE ? 24 : 0)) {
            res->due[res->n_due++] = c->id;
        }
    }
}

static void read_counts(struct model *m, const struct store_request *req, struct store_result *res)
{
    const struct model_case *c;
    for (size_t i = 0; (c = table_next(&m->cases, &i));) {
        bool counts = c->row.shard == req->shard && c->row.open && c->row.aggregate == 0;
        res->n_open += counts;
        res->n_without_holder += counts && c->row.holder_org == 0;
    }
}

void model_read(struct model *m, const struct store_request *req, struct store_result *res)
{
    if (req->kind == STORE_BACKLOG) {
        read_backlog(m, req, res);
        return;
    }
    if (req->kind == STORE_DUE) {
        read_due(m, req, res);
        return;
    }
    switch (req->what) {
    case LOAD_CASES:
        read_cases(m, req, res);
        break;
    case LOAD_CONFIG:
        read_config(m, res);
        read_workflows(res);
        break;
    case LOAD_WORKFLOW:
        read_workflows(res);
        break;
    case LOAD_ANSWERS:
        read_answers(m, req, res);
        break;
    case LOAD_KEYS:
        read_keys(m, req, res);
        break;
    case LOAD_DEAD:
        read_dead(m, req, res);
        break;
    case LOAD_COUNTS:
        read_counts(m, req, res);
        break;
    }
}
