/* SPDX-License-Identifier: EUPL-1.2 */
#include "migrate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "state_record.h"
#include "turn.h"

/* -------------------------------------------------------------------- pairing */

static int pair(struct migration *m, const struct in_name *p, struct sto_err *err)
{
    uint16_t a = workflow_step(m->from, p->role), b = workflow_step(m->to, p->org);
    if (a == WF_NONE || b == WF_NONE) {
        const workflow_t *w = a == WF_NONE ? m->from : m->to;
        return sto_fail(err, STO_E_UNKNOWN_NAME, "workflow '%s' version %u has no step '%.64s'",
                        w->id, w->version, a == WF_NONE ? p->role : p->org);
    }
    m->step[a] = b;
    return 0;
}

int migration_init(struct migration *m, const workflow_t *from, const workflow_t *to,
                   const struct in_name *map, unsigned n, struct sto_err *err)
{
    *m = (struct migration){.from = from, .to = to};
    if (strcmp(from->id, to->id) != 0 || from->subject != to->subject) {
        return sto_fail(err, STO_E_REFUSED, "'%s' and '%s' are not versions of one workflow",
                        from->id, to->id);
    }
    for (uint16_t k = 0; k < from->n_steps; k++) {
        m->step[k] = workflow_step(to, from->steps[k].id);
    }
    for (unsigned i = 0; i < n; i++) {
        int rc = pair(m, &map[i], err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static uint16_t step_to(const struct migration *m, uint16_t step)
{
    return step < m->from->n_steps ? m->step[step] : (uint16_t)WF_NONE;
}

static int exit_to(const struct migration *m, unsigned exit)
{
    if (exit < EXIT_FIRST_OWN) {
        return (int)exit;
    }
    return exit < m->from->n_exits ? workflow_exit(m->to, m->from->exits[exit]) : -1;
}

static int consent_to(const struct migration *m, unsigned ix)
{
    for (unsigned k = 0; k < m->to->n_consents; k++) {
        if (strcmp(m->from->consents[ix].id, m->to->consents[k].id) == 0) {
            return (int)k;
        }
    }
    return -1;
}

static int message_to(const struct migration *m, unsigned ix)
{
    for (unsigned k = 0; k < m->to->n_messages; k++) {
        if (strcmp(m->from->messages[ix].id, m->to->messages[k].id) == 0) {
            return (int)k;
        }
    }
    return -1;
}

static const uint16_t *sides_of(const workflow_t *w, uint16_t host, unsigned *n)
{
    *n = host < w->n_steps ? w->steps[host].n_sides : w->n_sides;
    return host < w->n_steps ? w->steps[host].sides : w->sides;
}

/* Place of a side clock's step beside the new host; -1 = it is gone. host: WF_ROOT for the case. */
static int side_to(const struct migration *m, uint16_t host, unsigned side)
{
    unsigned n_from = 0, n_to = 0;
    uint16_t other = host < m->from->n_steps ? step_to(m, host) : (uint16_t)WF_ROOT;
    const uint16_t *from = sides_of(m->from, host, &n_from);
    const uint16_t *to = sides_of(m->to, other, &n_to);
    for (unsigned k = 0; side < n_from && k < n_to; k++) {
        if (to[k] == step_to(m, from[side])) {
            return (int)k;
        }
    }
    return -1;
}

/* -------------------------------------------------------------------- strands */

struct look {
    const struct migration *m;
    const struct case_state *s;
    migration_strand_fn *fn;
    void *arg;
    unsigned n;
};

static void strand(struct look *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void strand(struct look *l, const char *fmt, ...)
{
    char why[MIGRATION_WHY_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    l->n++;
    if (l->fn) {
        l->fn(l->arg, why);
    }
}

/* Lists whose positions the state remembers must be the same parties. */
static bool same_parties(const struct migration *m, const uint8_t *a, unsigned n_a,
                         const uint8_t *b, unsigned n_b)
{
    bool same = n_a == n_b;
    for (unsigned i = 0; i < n_a && same; i++) {
        bool role = a[i] < m->from->n_roles && b[i] < m->to->n_roles;
        same = role ? strcmp(m->from->roles[a[i]].id, m->to->roles[b[i]].id) == 0 &&
                          m->from->roles[a[i]].many == m->to->roles[b[i]].many
                    : a[i] == b[i];
    }
    return same;
}

static bool same_insides(const struct migration *m, const struct wf_step *a,
                         const struct wf_step *b)
{
    bool same = a->service == b->service && (a->message == 0xff) == (b->message == 0xff) &&
                (a->consent == 0xff) == (b->consent == 0xff);
    if (same && a->message != 0xff) {
        same = message_to(m, a->message) == (int)b->message;
    }
    if (same && a->consent != 0xff) {
        same = consent_to(m, a->consent) == (int)b->consent;
    }
    if (same && a->type == STEP_PLAN) {
        same = same_parties(m, a->agreed_by, a->n_agreed_by, b->agreed_by, b->n_agreed_by);
    }
    if (same && a->type == STEP_PANEL) {
        same = same_parties(m, a->asks, a->n_asks, b->asks, b->n_asks);
    }
    return same;
}

static bool same_place(const struct migration *m, uint16_t step, uint16_t other)
{
    const struct wf_step *a = &m->from->steps[step], *b = &m->to->steps[other];
    uint16_t stage = a->stage < m->from->n_steps ? step_to(m, a->stage) : a->stage;
    uint16_t host = a->host < m->from->n_steps ? step_to(m, a->host) : a->host;
    return stage == b->stage && host == b->host && stage != WF_NONE;
}

static void look_token(struct look *l, const struct token *t)
{
    const struct migration *m = l->m;
    const char *id = t->step < m->from->n_steps ? m->from->steps[t->step].id : "?";
    uint16_t other = step_to(m, t->step);
    if (other == WF_NONE) {
        strand(l, "stands on step '%s', which has no counterpart", id);
        return;
    }
    const struct wf_step *a = &m->from->steps[t->step], *b = &m->to->steps[other];
    if (a->type != b->type) {
        strand(l, "stands on step '%s', which is a %s and would be a %s", id,
               step_type_name(a->type), step_type_name(b->type));
    } else if (!same_place(m, t->step, other)) {
        strand(l, "stands on step '%s', which stands in another place now", id);
    } else if (!same_insides(m, a, b)) {
        strand(l, "stands on step '%s', which waits for something else now", id);
    }
}

static void look_names(struct look *l)
{
    const struct migration *m = l->m;
    const struct case_state *s = l->s;
    for (unsigned i = 0; i < m->from->n_roles; i++) {
        if (s->roles[i].at.org != 0 && workflow_role(m->to, m->from->roles[i].id) < 0) {
            strand(l, "role '%s' is somebody's and has no counterpart", m->from->roles[i].id);
        }
    }
    for (unsigned i = 0; i < m->from->n_fields; i++) {
        if (s->fields_set >> i & 1 && field_to(m->from, i, m->to) < 0) {
            bool there = workflow_field(m->to, m->from->fields[i].id) >= 0;
            strand(l, "field '%s' has a value and %s", m->from->fields[i].id,
                   there ? "is of another type" : "has no counterpart");
        }
    }
    for (unsigned i = 0; i < m->from->n_consents; i++) {
        if (s->consents[i].state != CONSENT_UNASKED && consent_to(m, i) < 0) {
            strand(l, "consent '%s' was asked and has no counterpart", m->from->consents[i].id);
        }
    }
    for (unsigned i = 0; i < m->from->n_messages; i++) {
        if (s->kept[i] != 0 && (message_to(m, i) < 0 || exit_to(m, s->kept[i]) < 0)) {
            strand(l, "message '%s' waits for its step and has no counterpart",
                   m->from->messages[i].id);
        }
    }
}

unsigned migration_strands(const struct migration *m, const struct case_state *s,
                           migration_strand_fn *fn, void *arg)
{
    struct look l = {.m = m, .s = s, .fn = fn, .arg = arg};
    for (unsigned i = 0; i < s->n_tokens; i++) {
        look_token(&l, &s->tokens[i]);
    }
    for (unsigned i = 0; i < s->n_holdings; i++) {
        uint16_t step = step_to(m, s->holdings[i].step);
        if (step == WF_NONE || m->to->steps[step].service != s->holdings[i].service) {
            strand(&l, "holds a place of a step that has no counterpart");
        }
    }
    if (s->right.valid && step_to(m, s->right.step) == WF_NONE) {
        strand(&l, "the right of return leads to step '%s', which has no counterpart",
               s->right.step < m->from->n_steps ? m->from->steps[s->right.step].id : "?");
    }
    look_names(&l);
    return l.n;
}

/* --------------------------------------------------------------------- moving */

static void move_steps(const struct migration *m, const struct case_state *old,
                       struct case_state *s)
{
    memset(s->last_exit, 0, sizeof s->last_exit);
    memset(s->entries, 0, sizeof s->entries);
    for (uint16_t k = 0; k < m->from->n_steps; k++) {
        uint16_t to = m->step[k];
        if (to != WF_NONE) {
            int exit = exit_to(m, old->last_exit[k]);
            s->last_exit[to] = (uint8_t)(exit > 0 ? exit : 0);
            s->entries[to] = old->entries[k];
        }
    }
    for (unsigned i = 0; i < s->n_tokens; i++) {
        s->tokens[i].step = step_to(m, old->tokens[i].step);
    }
    for (unsigned i = 0; i < s->n_holdings; i++) {
        s->holdings[i].step = step_to(m, old->holdings[i].step);
    }
    if (s->right.valid) {
        s->right.step = step_to(m, old->right.step);
    }
}

static void move_names(const struct migration *m, const struct case_state *old,
                       struct case_state *s)
{
    memset(s->roles, 0, sizeof s->roles);
    memset(s->consents, 0, sizeof s->consents);
    memset(s->kept, 0, sizeof s->kept);
    s->fields_set = 0;
    for (unsigned i = 0; i < m->from->n_roles; i++) {
        int k = workflow_role(m->to, m->from->roles[i].id);
        if (k >= 0) {
            s->roles[k] = old->roles[i];
        }
    }
    for (unsigned i = 0; i < m->from->n_consents; i++) {
        int k = consent_to(m, i);
        if (k >= 0) {
            s->consents[k] = old->consents[i];
        }
    }
    for (unsigned i = 0; i < m->from->n_messages; i++) {
        int k = message_to(m, i), exit = exit_to(m, old->kept[i]);
        if (k >= 0 && exit > 0) {
            s->kept[k] = (uint8_t)exit;
        }
    }
    for (unsigned i = 0; i < m->from->n_fields; i++) {
        int k = old->fields_set >> i & 1 ? field_to(m->from, i, m->to) : -1;
        s->fields_set |= k >= 0 ? UINT64_C(1) << k : 0;
    }
}

/* A case keeps the settings that it began with; new ones begin at their default. */
static void move_settings(const struct migration *m, const struct case_state *old,
                          struct case_state *s)
{
    memset(s->settings, 0, sizeof s->settings);
    for (unsigned k = 0; k < m->to->n_settings; k++) {
        const struct wf_setting *x = &m->to->settings[k];
        struct sto_duration d = x->d_def;
        s->settings[k] =
            x->is_duration ? (int64_t)((uint64_t)d.unit << 32 | (uint32_t)d.n) : x->def;
        for (unsigned i = 0; i < m->from->n_settings; i++) {
            if (strcmp(m->from->settings[i].id, x->id) == 0 &&
                m->from->settings[i].is_duration == x->is_duration) {
                s->settings[k] = old->settings[i];
            }
        }
    }
}

/* False: the clock has nothing to run for any more. */
static bool move_clock(const struct migration *m, const struct case_state *old, struct clock *c)
{
    const struct token *t = c->token != 0 ? state_token(old, c->token) : NULL;
    uint16_t step = t ? t->step : (uint16_t)WF_ROOT;
    int side = c->side;
    if (c->kind == CLOCK_SIDE) {
        side = side_to(m, step, c->side);
    } else if (c->kind == CLOCK_CONSENT) {
        side = consent_to(m, c->side);
    } else if (c->kind == CLOCK_WITHIN && (!t || step_is_stage(m->from->steps[step].type))) {
        /* What waits always has a clock; a stage or the workflow only if it says so. */
        uint16_t to = t ? step_to(m, step) : (uint16_t)WF_ROOT;
        bool has = to < m->to->n_steps ? m->to->steps[to].n_within > 0 : m->to->n_within > 0;
        side = has ? side : -1;
    }
    c->side = (uint8_t)(side >= 0 ? side : 0);
    return side >= 0;
}

void migration_apply(const struct migration *m, struct case_state *s)
{
    struct case_state old = *s;
    memcpy(s->workflow, m->to->hash, sizeof s->workflow);
    move_steps(m, &old, s);
    move_names(m, &old, s);
    move_settings(m, &old, s);
    memset(s->clocks, 0, sizeof s->clocks);
    s->n_clocks = 0;
    for (unsigned i = 0; i < old.n_clocks; i++) {
        struct clock c = old.clocks[i];
        if (move_clock(m, &old, &c)) {
            (void)clock_put(s, &c); /* no more than there were */
        }
    }
}

/* --------------------------------------------------------------------- engine */

struct first_why {
    char text[MIGRATION_WHY_BYTES];
};

static void remember_first(void *arg, const char *why)
{
    struct first_why *w = arg;
    if (w->text[0] == '\0') {
        snprintf(w->text, sizeof w->text, "%s", why);
    }
}

/* Stages, and the case itself, that have a time only now. */
static void start_new_times(struct turn *t)
{
    for (unsigned i = 0; i < t->s->n_tokens; i++) {
        uint16_t id = t->s->tokens[i].id;
        bool stage = step_is_stage(t->wf->steps[t->s->tokens[i].step].type);
        if (stage && !clock_find(t, CLOCK_WITHIN, id, 0, 0)) {
            within_start(t, id, t->now);
        }
    }
    if (!clock_find(t, CLOCK_WITHIN, 0, 0, 0)) {
        within_start(t, 0, t->now);
    }
}

static bool hash_of(const char *hex, uint8_t out[32])
{
    for (unsigned i = 0; i < 64; i++) {
        const char *digits = "0123456789abcdef";
        const char *at = hex[i] != '\0' ? strchr(digits, hex[i]) : NULL;
        if (!at) {
            return false;
        }
        out[i / 2] = (uint8_t)(i % 2 == 0 ? (at - digits) << 4 : out[i / 2] | (at - digits));
    }
    return hex[64] == '\0';
}

bool migrate_hash(const struct input *in, uint8_t out[32])
{
    return in->kind == EVENT_MIGRATE && in->name && hash_of(in->name, out);
}

int case_migrate(struct turn *t)
{
    uint8_t hash[32];
    struct migration m;
    struct first_why why = {""};
    if (t->in->actor.org == 0 || t->in->actor.org != t->net->coordinator_org) {
        return turn_fail(t, STO_E_NOT_ALLOWED,
                         "only an operator of the network's coordinator moves cases");
    }
    if (!migrate_hash(t->in, hash)) {
        return turn_fail(t, STO_E_MALFORMED, "name must be the hash of the new version in hex");
    }
    const workflow_t *to = t->ctx->version ? t->ctx->version(t->ctx->newest_arg, hash) : NULL;
    if (!to) {
        return turn_fail(t, STO_E_UNKNOWN_WORKFLOW, "no version with that hash is deployed");
    }
    int rc = migration_init(&m, t->wf, to, t->in->names, t->in->n_names, t->err);
    if (rc != 0) {
        t->rc = rc;
        return rc;
    }
    if (memcmp(to->hash, t->s->workflow, sizeof to->hash) == 0) {
        return turn_fail(t, STO_E_WRONG_STATE, "the case runs on that version already");
    }
    if (migration_strands(&m, t->s, remember_first, &why) > 0) {
        return turn_fail(t, STO_E_REFUSED, "the case would strand: it %s", why.text);
    }
    struct case_data *data = sto_arena_alloc(t->ctx->arena, sizeof *data);
    if (!data) {
        return turn_fail(t, STO_E_LIMIT, "the event needs more memory than is allowed");
    }
    if (t->data) {
        *data = *t->data;
        data_continue(t->wf, to, data);
    }
    migration_apply(&m, t->s);
    t->wf = to;
    t->data = data;
    start_new_times(t);
    return t->rc;
}
