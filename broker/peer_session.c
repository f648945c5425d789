/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Sessions of workers: who is at the other end of a reply path. A session's
 * organisation is its CURVE key's and nothing else; the routing id is a reply
 * path only. (A case's "session" is core/session.h's and has no part in this.)
 */
#include "reactor_internal.h"

#include <stdio.h>
#include <string.h>

#include "sto_log.h"

struct peer_session *peer_by_id(reactor_t *r, uint64_t id)
{
    return id != 0 ? table_get(&r->sessions, &id) : NULL;
}

static bool same_peer(const struct peer *a, const struct peer *b)
{
    return a->gate == b->gate && a->n_routing == b->n_routing &&
           memcmp(a->routing, b->routing, a->n_routing) == 0;
}

static const struct orgkey *key_of(const reactor_t *r, const char *public_key)
{
    char key[41] = {0};
    snprintf(key, sizeof(key), "%s", public_key);
    const struct orgkey *k = r->cfg ? table_get(&r->cfg->keys, key) : NULL;
    return k && !k->revoked ? k : NULL;
}

static void refuse_hello(reactor_t *r, const struct reactor_input *in, uint64_t nonce, int code,
                         const char *what)
{
    Saatto__V1__Refusal m = SAATTO__V1__REFUSAL__INIT;
    char text[128];
    snprintf(text, sizeof(text), "%s", what);
    m.code = (uint32_t)code;
    m.what = text;
    m.nonce = nonce;
    m.retry_ms = code == STO_E_BUSY ? RX_BUSY_RETRY_MS : 0;
    rx_refuse(r, &in->peer, &m);
}

static bool speaks_ours(const Saatto__V1__Hello *m)
{
    for (size_t i = 0; i < m->n_versions; i++) {
        if (m->versions[i] == SAATTO_WIRE_VERSION) {
            return true;
        }
    }
    return false;
}

static void welcome(reactor_t *r, const struct peer_session *s)
{
    Saatto__V1__Welcome m = SAATTO__V1__WELCOME__INIT;
    unsigned n = 0;
    Saatto__V1__Watermark *rows = sto_arena_alloc(r->out->arena, r->opt.n_shards * sizeof(*rows));
    Saatto__V1__Watermark **list =
        sto_arena_alloc(r->out->arena, r->opt.n_shards * sizeof(Saatto__V1__Watermark *));
    STO_ASSERT(rows && list);
    uint32_t incarnation = 0;
    for (unsigned i = 0; i < r->opt.n_shards; i++) {
        struct lane_key key = {
            .kind = LANE_STREAM, .shard = (uint16_t)i, .org = s->org, .stream = s->stream};
        const struct lane *lane = s->stream ? table_get(&r->lanes, &key) : NULL;
        if (r->shards[i].incarnation > incarnation) {
            incarnation = r->shards[i].incarnation;
        }
        if (lane && lane->applied.durable > 0) {
            saatto__v1__watermark__init(&rows[n]);
            rows[n].shard = (uint32_t)i;
            rows[n].last = lane->applied.durable;
            list[n] = &rows[n];
            n++;
        }
    }
    m.version = SAATTO_WIRE_VERSION;
    m.session = s->id;
    m.incarnation = incarnation;
    m.shards = r->opt.n_shards;
    m.n_watermarks = n;
    m.watermarks = list;
    m.events_in_flight = STO_BATCH_EVENTS_MAX;
    m.manual_clock = r->cfg->manual_clock;
    m.now_us = rx_domain_us(r);
    m.network = (char *)(uintptr_t)r->cfg->net->id;
    m.nonce = s->nonce;
    rx_frame(r, &s->peer, SAATTO__V1__FRAME_TYPE__WELCOME, &m.base);
}

/* The same HELLO again (a repeated frame) keeps its session; a new one of the same outbox or reply
 * path ends the former. */
static struct peer_session *replace_former(reactor_t *r, const struct reactor_input *in,
                                           const Saatto__V1__Hello *m, uint16_t org)
{
    struct peer_session *found = NULL, *s;
    enum peer_end why = END_DEAD;
    do {
        found = NULL;
        for (size_t i = 0; (s = table_next(&r->sessions, &i));) {
            bool same_path = same_peer(&s->peer, &in->peer);
            if (same_path && s->nonce == m->nonce && s->org == org) {
                return s;
            }
            if (same_path || (s->org == org && m->stream != 0 && s->stream == m->stream)) {
                found = s;
                why = same_path ? END_ANEW : END_DEAD;
                break;
            }
        }
        if (found) {
            peer_end(r, found, why);
        }
    } while (found);
    return NULL;
}

static struct peer_session *session_new(reactor_t *r, const struct reactor_input *in,
                                        const Saatto__V1__Hello *m, const struct orgkey *key)
{
    struct peer_session *s = sto_xcalloc(1, sizeof(*s));
    do {
        s->id = table_mix(r->opt.core_id ^ r->opt.seed, ++r->next_session);
    } while (s->id == 0 || table_get(&r->sessions, &s->id));
    s->peer = in->peer;
    memcpy(s->public_key, key->key, sizeof(s->public_key));
    memcpy(s->key8, key->key8, sizeof(s->key8));
    s->org = key->org;
    s->is_operator = key->is_operator;
    s->clock = m->clock;
    s->nonce = m->nonce;
    s->stream = m->stream;
    s->credit_messages =
        m->credit_messages < STO_SESSION_CREDIT_MSGS ? m->credit_messages : STO_SESSION_CREDIT_MSGS;
    s->credit_bytes =
        m->credit_bytes < STO_SESSION_CREDIT_BYTES ? m->credit_bytes : STO_SESSION_CREDIT_BYTES;
    s->heard_mono_us = r->mono_us;
    s->not_idle_since_us = r->mono_us;
    table_put(&r->sessions, s);
    if (s->credit_messages > 0) {
        struct org *o = org_get(r, s->org);
        o->sessions++;
        o->clock_sessions += s->clock;
        o->met = true;
        if (s->clock || !o->lost_clock) {
            o->back_until_us = 0;
            o->lost_clock = false;
        }
        org_want_dispatch(r, o);
    }
    return s;
}

void peer_hello(reactor_t *r, const struct reactor_input *in, const Saatto__V1__Hello *m)
{
    if (!speaks_ours(m)) {
        refuse_hello(r, in, m->nonce, STO_E_VERSION, "wire version 1 is spoken here");
        return;
    }
    if (!r->cfg || taking_over(r)) {
        refuse_hello(r, in, m->nonce, STO_E_BUSY, "starting");
        return;
    }
    const struct orgkey *key = key_of(r, in->public_key);
    const struct organisation *o = key ? network_org(r->cfg->net, key->org) : NULL;
    bool fits = key && (key->is_operator || (o && strcmp(o->id, m->organisation) == 0));
    if (!fits) {
        refuse_hello(r, in, m->nonce, STO_E_NOT_ALLOWED, "the key is not this organisation's");
        return;
    }
    struct peer_session *s = replace_former(r, in, m, key->org);
    if (!s) {
        if (r->sessions.n >= STO_SESSIONS_MAX) {
            refuse_hello(r, in, m->nonce, STO_E_BUSY, "too many sessions");
            return;
        }
        s = session_new(r, in, m, key);
    }
    welcome(r, s);
    if (s->clock && r->cfg->manual_clock) {
        Saatto__V1__Clock c = SAATTO__V1__CLOCK__INIT;
        c.session = s->id;
        c.now_us = r->clock_us;
        s->asked = true;
        rx_frame(r, &s->peer, SAATTO__V1__FRAME_TYPE__CLOCK, &c.base);
    }
}

struct peer_session *peer_of(reactor_t *r, const struct reactor_input *in, uint64_t id)
{
    struct peer_session *s = peer_by_id(r, id);
    if (s && same_peer(&s->peer, &in->peer) && strcmp(s->public_key, in->public_key) == 0) {
        return s;
    }
    Saatto__V1__Refusal m = SAATTO__V1__REFUSAL__INIT;
    m.code = STO_E_HELLO_REQUIRED;
    rx_refuse(r, &in->peer, &m);
    return NULL;
}

void peer_end(reactor_t *r, struct peer_session *s, enum peer_end why)
{
    struct peer_session *taken = table_take(&r->sessions, &s->id);
    STO_ASSERT(taken == s);
    if (s->credit_messages > 0) {
        struct org *o = org_get(r, s->org);
        o->sessions--;
        o->clock_sessions -= s->clock;
        bool last = o->sessions == 0 || (s->clock && o->clock_sessions == 0);
        if (last && why != END_BYE && why != END_REVOKED) {
            o->back_until_us = r->mono_us + RX_BACK_US;
            o->lost_clock = s->clock;
        }
        outq_session_ended(r, s, why);
    }
    barrier_session_ended(r, s);
    free(s);
}

void peer_gate_up(reactor_t *r, const struct reactor_input *in)
{
    struct peer_session *s;
    do {
        for (size_t i = 0; (s = table_next(&r->sessions, &i));) {
            if (s->peer.gate == in->peer.gate) {
                break;
            }
        }
        if (s) {
            peer_end(r, s, END_GATE);
        }
    } while (s);
    peer_keys_out(r, in->peer.gate);
}

void peer_tick(reactor_t *r)
{
    struct peer_session *s;
    do {
        for (size_t i = 0; (s = table_next(&r->sessions, &i));) {
            if (r->mono_us - s->heard_mono_us > RX_SILENCE_US) {
                break;
            }
        }
        if (s) {
            sto_log(STO_WARN, "session_silent", "org", sto_i(s->org), NULL);
            peer_end(r, s, END_DEAD);
        }
    } while (s);
}

void peer_config_changed(reactor_t *r)
{
    struct peer_session *s;
    do {
        for (size_t i = 0; (s = table_next(&r->sessions, &i));) {
            const struct orgkey *k = key_of(r, s->public_key);
            if (!k || k->org != s->org || k->is_operator != s->is_operator) {
                break;
            }
        }
        if (s) {
            peer_end(r, s, END_REVOKED);
        }
    } while (s);
}

void peer_keys_out(reactor_t *r, uint32_t gate)
{
    if (!r->cfg) {
        return;
    }
    const struct orgkey *k;
    uint8_t *p = sto_arena_alloc(r->out->arena, (r->cfg->keys.n + 1) * sizeof(k->key));
    STO_ASSERT(p);
    uint32_t n = 0;
    for (size_t i = 0; (k = table_next(&r->cfg->keys, &i));) {
        if (!k->revoked) {
            memcpy(p + n, k->key, sizeof(k->key));
            n += (uint32_t)sizeof(k->key);
        }
    }
    struct reactor_output *o = rx_put(r, RX_KEYS);
    o->peer.gate = gate;
    o->body = (struct blob){p, n};
}
