/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Bytes of facts and mails: what the log keeps of one event. Versioned, one form
 * for each value, no client content. Decoding bounds every count before it
 * allocates from the caller's arena.
 */
#include <string.h>

#include "engine.h"
#include "state_record.h"

#define FACT_VERSION 1
#define MAIL_VERSION 1

static void put_send(struct sto_buf *b, const struct send *s)
{
    sto_put_u8(b, s->kind);
    record_put_party(b, &s->to);
    sto_put_var(b, s->token);
    sto_put_var(b, s->entry);
    sto_put_var(b, s->offer);
    sto_put_var(b, s->step);
    sto_put_u8(b, s->event);
    sto_put_u8(b, s->clock);
    sto_put_u8(b, s->rung);
    sto_put_u8(b, s->with_reason);
    sto_put_var(b, s->fields);
    sto_put_var(b, s->held_back);
    sto_put_var(b, s->categories);
    for (unsigned i = 0; i < STO_CATEGORIES_MAX; i++) {
        if (s->categories >> i & 1) {
            sto_put_var(b, s->basis[i]);
            sto_put_var(b, s->basis_ver[i]);
        }
    }
    sto_put_svar(b, s->due_us);
    sto_put_svar(b, s->at_us);
}

static void get_send(struct sto_rd *r, struct send *s)
{
    s->kind = sto_get_u8(r);
    record_get_party(r, &s->to);
    s->token = (uint16_t)record_get_max(r, UINT16_MAX);
    s->entry = (uint16_t)record_get_max(r, UINT16_MAX);
    s->offer = (uint16_t)record_get_max(r, UINT16_MAX);
    s->step = (uint16_t)record_get_max(r, UINT16_MAX);
    s->event = sto_get_u8(r);
    s->clock = sto_get_u8(r);
    s->rung = sto_get_u8(r);
    s->with_reason = record_get_max(r, 1) != 0;
    s->fields = sto_get_var(r);
    s->held_back = sto_get_var(r);
    s->categories = (uint32_t)record_get_max(r, (UINT64_C(1) << STO_CATEGORIES_MAX) - 1);
    for (unsigned i = 0; i < STO_CATEGORIES_MAX; i++) {
        if (s->categories >> i & 1) {
            s->basis[i] = (uint16_t)record_get_max(r, UINT16_MAX);
            s->basis_ver[i] = (uint16_t)record_get_max(r, UINT16_MAX);
        }
    }
    s->due_us = sto_get_svar(r);
    s->at_us = sto_get_svar(r);
    r->failed = r->failed || s->kind == 0 || s->kind > SEND_RECORD;
}

static void put_mail(struct sto_buf *b, const struct mail *m)
{
    sto_put_u8(b, m->kind);
    sto_put_bytes(b, m->src.b, sizeof m->src.b);
    sto_put_bytes(b, m->dst.b, sizeof m->dst.b);
    sto_put_var(b, m->service);
    sto_put_var(b, m->token);
    sto_put_var(b, m->entry);
    sto_put_u8(b, m->exit);
    sto_put_svar(b, m->at_us);
    sto_put_svar(b, m->until_us);
    sto_put_var(b, m->n);
}

static void get_uuid(struct sto_rd *r, struct sto_uuid *id)
{
    const uint8_t *p = sto_get_bytes(r, sizeof id->b);
    if (p) {
        memcpy(id->b, p, sizeof id->b);
    }
}

static void get_mail(struct sto_rd *r, struct mail *m)
{
    m->kind = sto_get_u8(r);
    get_uuid(r, &m->src);
    get_uuid(r, &m->dst);
    m->service = (uint16_t)record_get_max(r, UINT16_MAX);
    m->token = (uint16_t)record_get_max(r, UINT16_MAX);
    m->entry = (uint16_t)record_get_max(r, UINT16_MAX);
    m->exit = sto_get_u8(r);
    m->at_us = sto_get_svar(r);
    m->until_us = sto_get_svar(r);
    m->n = (uint16_t)record_get_max(r, UINT16_MAX);
    r->failed = r->failed || m->kind < MAIL_SEAT_WANTED || m->kind > MAIL_KIND_LAST;
}

void mail_encode(const struct mail *m, struct sto_buf *out)
{
    sto_put_u8(out, MAIL_VERSION);
    put_mail(out, m);
}

int mail_decode(const uint8_t *p, size_t n, struct mail *out, struct sto_err *err)
{
    struct sto_rd r = sto_rd(p, n);
    struct mail m;
    memset(&m, 0, sizeof m);
    uint8_t version = sto_get_u8(&r);
    if (!r.failed && version != MAIL_VERSION) {
        return sto_fail(err, STO_E_VERSION, "mail of version %u is not known here", version);
    }
    get_mail(&r, &m);
    if (!sto_rd_done(&r)) {
        return sto_fail(err, STO_E_MALFORMED, "mail between aggregates cannot be read");
    }
    *out = m;
    return 0;
}

void fact_encode(const struct fact *f, struct sto_buf *out)
{
    sto_put_u8(out, FACT_VERSION);
    sto_put_u8(out, f->kind);
    sto_put_u8(out, f->evidence);
    sto_put_var(out, f->seq);
    sto_put_svar(out, f->now_us);
    sto_put_svar(out, f->late_us);
    record_put_party(out, &f->actor);
    record_put_party(out, &f->before);
    record_put_party(out, &f->after);
    sto_put_bytes(out, f->workflow, sizeof f->workflow);
    sto_put_var(out, f->token);
    sto_put_var(out, f->offer);
    sto_put_var(out, f->step);
    sto_put_u8(out, f->exit);
    sto_put_u8(out, f->reason);
    sto_put_svar(out, f->code);
    sto_put_var(out, f->fields_set);
    sto_put_var(out, f->n_ops);
    sto_put_blob(out, f->ops, f->ops_len);
    sto_put_var(out, f->n_sends);
    for (unsigned i = 0; i < f->n_sends; i++) {
        put_send(out, &f->sends[i]);
    }
    sto_put_var(out, f->n_mails);
    for (unsigned i = 0; i < f->n_mails; i++) {
        put_mail(out, &f->mails[i]);
    }
}

static void get_head(struct sto_rd *r, struct fact *f)
{
    f->kind = sto_get_u8(r);
    f->evidence = sto_get_u8(r);
    f->seq = (uint32_t)record_get_max(r, UINT32_MAX);
    f->now_us = sto_get_svar(r);
    f->late_us = sto_get_svar(r);
    record_get_party(r, &f->actor);
    record_get_party(r, &f->before);
    record_get_party(r, &f->after);
    const uint8_t *p = sto_get_bytes(r, sizeof f->workflow);
    if (p) {
        memcpy(f->workflow, p, sizeof f->workflow);
    }
    f->token = (uint16_t)record_get_max(r, UINT16_MAX);
    f->offer = (uint16_t)record_get_max(r, UINT16_MAX);
    f->step = (uint16_t)record_get_max(r, UINT16_MAX);
    f->exit = sto_get_u8(r);
    f->reason = sto_get_u8(r);
    int64_t code = sto_get_svar(r);
    r->failed = r->failed || code < 0 || code > INT16_MAX || f->reason > REASON_OTHER ||
                f->evidence > EVIDENCE_BROKER || event_kind_name(f->kind)[0] == '?';
    f->code = (int)code;
    f->fields_set = sto_get_var(r);
}

/* Ops, sends and mails; false = the arena is full. */
static bool get_lists(struct sto_rd *r, sto_arena_t *arena, struct fact *f)
{
    f->n_ops = (uint16_t)record_get_max(r, STO_FACT_OPS_MAX);
    size_t n = 0;
    const uint8_t *ops = sto_get_blob(r, &n);
    if (r->failed) {
        return true;
    }
    f->ops = sto_arena_alloc(arena, n > 0 ? n : 1);
    if (!f->ops) {
        return false;
    }
    f->ops_len = (uint32_t)n;
    if (n > 0) {
        memcpy(f->ops, ops, n);
    }
    f->n_sends = (uint16_t)record_get_max(r, STO_FACT_SENDS_MAX);
    f->sends = sto_arena_alloc(arena, (f->n_sends + 1u) * sizeof *f->sends);
    if (!f->sends) {
        return false;
    }
    for (unsigned i = 0; i < f->n_sends && !r->failed; i++) {
        get_send(r, &f->sends[i]);
    }
    f->n_mails = (uint16_t)record_get_max(r, STO_FACT_MAILS_MAX);
    f->mails = sto_arena_alloc(arena, (f->n_mails + 1u) * sizeof *f->mails);
    if (!f->mails) {
        return false;
    }
    for (unsigned i = 0; i < f->n_mails && !r->failed; i++) {
        get_mail(r, &f->mails[i]);
    }
    return true;
}

int fact_decode(const uint8_t *p, size_t n, sto_arena_t *arena, struct fact *out,
                struct sto_err *err)
{
    struct sto_rd r = sto_rd(p, n);
    struct fact f;
    memset(&f, 0, sizeof f);
    uint8_t version = sto_get_u8(&r);
    if (!r.failed && version != FACT_VERSION) {
        return sto_fail(err, STO_E_VERSION, "fact of version %u is not known here", version);
    }
    get_head(&r, &f);
    if (!get_lists(&r, arena, &f)) {
        return sto_fail(err, STO_E_LIMIT, "a fact is larger than its arena");
    }
    if (!sto_rd_done(&r)) {
        return sto_fail(err, STO_E_MALFORMED, "fact of a case cannot be read");
    }
    *out = f;
    return 0;
}
