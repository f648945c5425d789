/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The world in memory: cases, sessions, mail between them and one virtual clock.
 *
 * It does what the broker does around the engine, without storage: decides,
 * evolves, carries mail, fires clocks in order of due time (ties: in order of
 * opening). It distrusts what it drives: every fact is encoded, decoded and
 * applied again, every state read back from its bytes, every invariant checked.
 * It does not know scenarios, keys or organisations' workers.
 */
#include <stdlib.h>
#include <string.h>

#include "scenario.h"
#include "world_items.h"

#define FACT_ARENA_BYTES    (4u << 20)
#define CONTENT_ARENA_BYTES (256u << 20)
#define SAME_INSTANT_MAX    100000u /* firings without the clock moving: something never rests */

struct world {
    const network_t *net;
    int64_t now_us;
    struct world_items items;
    struct mail *mails;
    size_t n_mails, next_mail, cap_mails;
    struct world_send *sends;
    size_t n_sends, cap_sends;
    sto_arena_t *facts;    /* one event's */
    sto_arena_t *contents; /* field values */
    struct sto_buf buf;
    int last_code;
    world_watch_fn *watch;
    void *watch_arg;
    workflow_find_fn *find;
    void *find_arg;
};

world_t *world_new(const network_t *net, int64_t start_us)
{
    world_t *w = sto_xcalloc(1, sizeof *w);
    w->net = net;
    w->now_us = start_us;
    w->facts = sto_arena_new(FACT_ARENA_BYTES);
    w->contents = sto_arena_new(CONTENT_ARENA_BYTES);
    world_items_init(&w->items);
    sto_buf_init(&w->buf, 0);
    return w;
}

void world_destroy(world_t **self_p)
{
    if (!self_p || !*self_p) {
        return;
    }
    world_t *w = *self_p;
    world_items_release(&w->items);
    sto_arena_destroy(&w->facts);
    sto_arena_destroy(&w->contents);
    sto_buf_release(&w->buf);
    free(w->mails);
    free(w->sends);
    free(w);
    *self_p = NULL;
}

int64_t world_now(const world_t *w)
{
    return w->now_us;
}

int world_last_code(const world_t *w)
{
    return w->last_code;
}

void world_watch(world_t *w, world_watch_fn *fn, void *arg)
{
    w->watch = fn;
    w->watch_arg = arg;
}

void world_workflows(world_t *w, workflow_find_fn *find, void *arg)
{
    w->find = find;
    w->find_arg = arg;
}

const struct case_state *world_case(const world_t *w, const struct sto_uuid *id)
{
    const struct world_item *it = world_items_find(&w->items, id);
    return it && !it->session ? it->state : NULL;
}

const struct case_data *world_data(const world_t *w, const struct sto_uuid *id)
{
    const struct world_item *it = world_items_find(&w->items, id);
    return it && !it->session ? it->data : NULL;
}

const workflow_t *world_workflow(const world_t *w, const struct sto_uuid *id)
{
    const struct world_item *it = world_items_find(&w->items, id);
    return it ? it->wf : NULL;
}

const struct shared_state *world_session(const world_t *w, const struct sto_uuid *id)
{
    const struct world_item *it = world_items_find(&w->items, id);
    return it ? it->session : NULL;
}

size_t world_sends(const world_t *w, const struct world_send **out)
{
    *out = w->sends;
    return w->n_sends;
}

/* ------------------------------------------------------------ what leaves */

static void keep_sends(world_t *w, const struct sto_uuid *id, const struct fact *f)
{
    for (unsigned i = 0; i < f->n_sends; i++) {
        if (w->n_sends == w->cap_sends) {
            w->cap_sends = w->cap_sends ? 2 * w->cap_sends : 64;
            w->sends = sto_xrealloc(w->sends, w->cap_sends * sizeof *w->sends);
        }
        w->sends[w->n_sends++] = (struct world_send){*id, f->now_us, f->sends[i]};
    }
}

static void keep_mails(world_t *w, const struct fact *f)
{
    for (unsigned i = 0; i < f->n_mails; i++) {
        if (w->n_mails == w->cap_mails) {
            w->cap_mails = w->cap_mails ? 2 * w->cap_mails : 64;
            w->mails = sto_xrealloc(w->mails, w->cap_mails * sizeof *w->mails);
        }
        w->mails[w->n_mails++] = f->mails[i];
    }
}

/* The fact as it would come back from the log. */
static int reread(world_t *w, const struct fact *f, struct fact *again, struct sto_err *err)
{
    sto_buf_clear(&w->buf);
    fact_encode(f, &w->buf);
    if (w->buf.failed) {
        return sto_fail(err, STO_E_INTERNAL, "the fact cannot be encoded");
    }
    return fact_decode(w->buf.data, w->buf.len, w->facts, again, err);
}

/* ------------------------------------------------------------------- cases */

/* The workflow of a state that may have gone on in the one that was asked for. */
static const workflow_t *workflow_of(const struct world_item *it, const workflow_t *asked,
                                     const struct case_state *s)
{
    bool went_on = asked && memcmp(s->workflow, asked->hash, sizeof s->workflow) == 0;
    return went_on ? asked : it->wf;
}

static int case_checks(world_t *w, const struct world_item *it, const workflow_t *wf,
                       const struct fact *again, const struct case_state *after,
                       struct sto_err *err)
{
    struct case_state replayed = *it->state;
    int rc = engine_evolve(&replayed, again, err);
    if (rc != 0) {
        return rc;
    }
    if (!state_equal(&replayed, after)) {
        return sto_fail(err, STO_E_INTERNAL, "the fact read back leads to another state");
    }
    sto_buf_clear(&w->buf);
    state_encode(after, &w->buf);
    rc = state_decode(w->buf.data, w->buf.len, &replayed, err);
    if (rc != 0) {
        return rc;
    }
    if (!state_equal(&replayed, after)) {
        return sto_fail(err, STO_E_INTERNAL, "the state read back is another state");
    }
    return engine_invariants(w->net, wf, it->state, again, after, err);
}

static void keep_contents(world_t *w, struct case_data *d, uint64_t fields)
{
    for (unsigned i = 0; i < STO_WF_FIELDS_MAX; i++) {
        struct field_value *v = &d->v[i];
        if ((fields >> i & 1) && v->set && v->n > 0) {
            uint8_t *copy = sto_arena_alloc(w->contents, v->n);
            STO_ASSERT(copy); /* 256 MiB of contents: no scenario comes near */
            memcpy(copy, v->s, v->n);
            v->s = copy;
        }
    }
}

/* What the engine is told of other workflows, and which one it asked for last. */
struct asked {
    world_t *w;
    const workflow_t *wf;
};

static const workflow_t *newest(void *arg, const char *id)
{
    struct asked *a = arg;
    a->wf = a->w->find ? a->w->find(a->w->find_arg, id) : NULL;
    return a->wf;
}

static bool is_lead(const struct world_item *it, const struct sto_uuid *client)
{
    return it->state && it->state->status == CASE_OPEN && !it->wf->side &&
           sto_uuid_eq(&it->state->client, client);
}

/* Holder of the client's open lead case. */
static struct party lead_holder(const world_t *w, const struct world_item *self,
                                const struct input *in)
{
    if (in->kind == EVENT_START && !sto_uuid_is_zero(&in->client)) {
        for (size_t i = 0; i < w->items.n; i++) {
            if (w->items.list[i] != self && is_lead(w->items.list[i], &in->client)) {
                return w->items.list[i]->state->holder;
            }
        }
    }
    return (struct party){0};
}

/* The case after the fact, as all checks agree. */
static int case_after(world_t *w, const struct world_item *it, const workflow_t *asked,
                      const struct fact *f, struct case_state *after, struct sto_err *err)
{
    struct fact again;
    struct sto_err why = {0};
    *after = *it->state;
    int rc = engine_evolve(after, f, &why);
    rc = rc != 0 ? rc : reread(w, f, &again, &why);
    rc = rc != 0 ? rc : case_checks(w, it, workflow_of(it, asked, after), &again, after, &why);
    if (rc != 0) {
        return sto_fail(err, STO_E_INTERNAL, "event '%s' breaks a check: %s",
                        event_kind_name((enum event_kind)f->kind), why.what);
    }
    return 0;
}

static int case_apply(world_t *w, struct world_item *it, const struct input *in, struct fact *f,
                      struct sto_err *err)
{
    struct asked asked = {.w = w};
    struct engine_ctx ctx = {.net = w->net,
                             .wf = it->wf,
                             .data = it->data,
                             .case_id = it->id,
                             .arena = w->facts,
                             .newest = newest,
                             .newest_arg = &asked,
                             .lead_holder = lead_holder(w, it, in)};
    struct case_state after;
    int64_t now_us = it->state->last_us >= w->now_us ? it->state->last_us + 1 : w->now_us;
    int rc = engine_decide(&ctx, it->state, in, now_us, f, err);
    rc = rc != 0 ? rc : case_after(w, it, asked.wf, f, &after, err);
    if (rc != 0) {
        return rc;
    }
    data_merge(it->wf, it->data, in, f);
    keep_contents(w, it->data, f->fields_set);
    struct case_state before = *it->state;
    *it->state = after;
    const workflow_t *now = workflow_of(it, asked.wf, &after);
    if (now != it->wf) {
        data_continue(it->wf, now, it->data);
        it->wf = now;
    }
    if (w->watch) {
        w->watch(w->watch_arg, &it->id, &before, f, it->state);
    }
    world_items_due(&w->items, it, state_next_due_us(it->state));
    return 0;
}

/* ---------------------------------------------------------------- sessions */

static int session_apply(world_t *w, struct world_item *it, const struct input *in, struct fact *f,
                         struct sto_err *err)
{
    int rc = shared_decide(w->net, &it->id, it->session, in, w->now_us, w->facts, f, err);
    if (rc != 0) {
        return rc;
    }
    struct shared_state after = *it->session, replayed = after;
    struct fact again;
    struct sto_err why = {0};
    rc = shared_evolve(&after, f, &why);
    rc = rc != 0 ? rc : reread(w, f, &again, &why);
    rc = rc != 0 ? rc : shared_evolve(&replayed, &again, &why);
    if (rc == 0 && !shared_equal(&after, &replayed)) {
        rc = sto_fail(&why, STO_E_INTERNAL, "the fact read back leads to another state");
    }
    rc = rc != 0 ? rc : shared_invariants(w->net, &after, &why);
    if (rc != 0) {
        return sto_fail(err, STO_E_INTERNAL, "session event '%s' breaks a check: %s",
                        event_kind_name(in->kind), why.what);
    }
    *it->session = after;
    world_items_due(&w->items, it, shared_next_due_us(w->net, it->session));
    return 0;
}

/* ------------------------------------------------------------------ events */

static int apply(world_t *w, struct world_item *it, const struct input *in, struct sto_err *err)
{
    struct fact f = {0};
    sto_arena_reset(w->facts);
    int rc = it->session ? session_apply(w, it, in, &f, err) : case_apply(w, it, in, &f, err);
    if (rc == 0) {
        keep_sends(w, &it->id, &f);
        keep_mails(w, &f);
        w->last_code = f.code;
    }
    return rc;
}

/* Whom a letter is for: what cases share exists from the first one on. */
static struct world_item *mail_item(world_t *w, const struct mail *m)
{
    struct world_item *it = world_items_find(&w->items, &m->dst);
    if (it) {
        return it;
    }
    const struct service *service = network_service(w->net, m->service);
    struct sto_uuid id;
    shared_id(w->net->id, m->service, &id);
    if (!sto_uuid_eq(&id, &m->dst) || !service || !service_shared(service)) {
        return NULL;
    }
    it = world_items_add(&w->items, &id);
    it->session = sto_xcalloc(1, sizeof *it->session);
    it->session->service = m->service;
    return it;
}

/* A case may have gone on while the letter was under way. */
static bool overtaken(int rc)
{
    return rc == -STO_E_LATE || rc == -STO_E_WRONG_STATE || rc == -STO_E_UNKNOWN_STEP;
}

static int carry_mail(world_t *w, struct sto_err *err)
{
    while (w->next_mail < w->n_mails) {
        struct mail m = w->mails[w->next_mail++];
        struct world_item *it = mail_item(w, &m);
        if (!it) {
            return sto_fail(err, STO_E_INTERNAL, "mail of kind %u for nobody", (unsigned)m.kind);
        }
        struct input in = {.kind = EVENT_MAIL, .evidence = EVIDENCE_BROKER, .mail = &m};
        struct sto_err why = {0};
        int rc = apply(w, it, &in, &why);
        if (rc != 0 && !overtaken(rc)) {
            return sto_fail(err, STO_E_INTERNAL, "mail of kind %u: %s", (unsigned)m.kind, why.what);
        }
    }
    w->next_mail = w->n_mails = 0;
    return 0;
}

/* once = "client": no second open case of this workflow, as in the broker. */
static bool once_stops(const world_t *w, const workflow_t *wf, const struct input *in)
{
    bool once = wf->once_client && !sto_uuid_is_zero(&in->client);
    for (size_t i = 0; once && i < w->items.n; i++) {
        const struct world_item *it = w->items.list[i];
        if (it->state && it->state->status == CASE_OPEN && strcmp(it->wf->id, wf->id) == 0 &&
            sto_uuid_eq(&it->state->client, &in->client)) {
            return true;
        }
    }
    return false;
}

static int start(world_t *w, const workflow_t *wf, const struct sto_uuid *id,
                 const struct input *in, struct sto_err *err)
{
    if (world_items_find(&w->items, id)) {
        return sto_fail(err, STO_E_ALREADY, "a case with this id is open already");
    }
    if (once_stops(w, wf, in)) {
        return sto_fail(err, STO_E_DUPLICATE_CASE, "the client has an open case of '%s'", wf->id);
    }
    struct world_item *it = world_items_add(&w->items, id);
    it->wf = wf;
    it->state = sto_xcalloc(1, sizeof *it->state);
    it->data = sto_xcalloc(1, sizeof *it->data);
    int rc = apply(w, it, in, err);
    if (rc != 0) {
        world_items_drop_last(&w->items);
    }
    return rc;
}

int world_event(world_t *w, const workflow_t *wf, const struct sto_uuid *id, const struct input *in,
                struct sto_err *err)
{
    int rc;
    if (in->kind == EVENT_START) {
        rc = start(w, wf, id, in, err);
    } else {
        struct world_item *it = world_items_find(&w->items, id);
        rc = it ? apply(w, it, in, err) : sto_fail(err, STO_E_UNKNOWN_CASE, "no case has that id");
    }
    if (rc != 0) {
        return rc;
    }
    int code = w->last_code;
    rc = carry_mail(w, err);
    w->last_code = code;
    return rc;
}

int world_advance(world_t *w, int64_t until_us, struct sto_err *err)
{
    unsigned fired = 0;
    for (struct world_item *it; (it = world_items_next(&w->items)) && it->due_us <= until_us;) {
        fired = it->due_us > w->now_us ? 0 : fired + 1;
        w->now_us = it->due_us > w->now_us ? it->due_us : w->now_us;
        if (fired > SAME_INSTANT_MAX) {
            return sto_fail(err, STO_E_INTERNAL, "clocks fire for ever at one instant");
        }
        struct input in = {.kind = EVENT_CLOCK, .evidence = EVIDENCE_BROKER};
        struct sto_err why = {0};
        int rc = apply(w, it, &in, &why);
        rc = rc != 0 ? rc : carry_mail(w, &why);
        if (rc != 0) {
            return sto_fail(err, STO_E_INTERNAL, "clock: %s", why.what);
        }
    }
    w->now_us = until_us > w->now_us ? until_us : w->now_us;
    return 0;
}
