/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The journal: records of length, checksum and changes. A torn or spoilt end (a
 * crash while appending, never reported as durable) is cut off. Written anew,
 * by a temporary file and rename, at the start and when it has grown.
 */
#include "policy_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sto_arena.h"
#include "sto_buf.h"
#include "sto_crypto.h"
#include "sto_file.h"
#include "sto_log.h"

#define JOURNAL_VERSION 1
#define KEYS_KEPT       4096u /* more than can ever come again: STO_SESSION_CREDIT_MSGS */
#define COMPACT_BYTES   4194304u
#define CHANGES_MAX     ((size_t)64 * 1024 * 1024)

_Static_assert(KEYS_KEPT > STO_SESSION_CREDIT_MSGS, "a repeated delivery is recognised");

enum change {
    CHANGE_HEAD = 'H',
    CHANGE_KEY = 'K',
    CHANGE_CASE = 'C',
    CHANGE_COUNT = 'N',
    CHANGE_FORGET = 'F',
    CHANGE_PLAN = 'P',
    CHANGE_DROP = 'D'
};

struct plan_store {
    char *path;
    int fd;
    size_t file_bytes, compact_at;
    uint64_t version, read_version, last_id;
    uint64_t keys[KEYS_KEPT];
    size_t next_key;
    struct known_case **cases; /* sorted by id */
    size_t n_cases, cap_cases;
    struct plan *plans;
    size_t n_plans, cap_plans;
    struct sto_buf changes; /* since the last commit */
    bool dirty;             /* written, not synced */
};

/* ---------------------------------------------------------------- memory */

static size_t case_place(const struct plan_store *s, const struct sto_uuid *id, bool *there)
{
    size_t lo = 0, hi = s->n_cases;

    *there = false;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = memcmp(s->cases[mid]->id.b, id->b, sizeof id->b);
        if (c == 0) {
            *there = true;
            return mid;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static struct known_case *case_need(struct plan_store *s, const struct sto_uuid *id)
{
    bool there;
    size_t at = case_place(s, id, &there);

    if (!there) {
        if (s->n_cases == s->cap_cases) {
            s->cap_cases = s->cap_cases == 0 ? 64 : s->cap_cases * 2;
            s->cases = sto_xrealloc(s->cases, s->cap_cases * sizeof(struct known_case *));
        }
        memmove(s->cases + at + 1, s->cases + at, (s->n_cases - at) * sizeof(struct known_case *));
        s->cases[at] = sto_xcalloc(1, sizeof(struct known_case));
        s->cases[at]->id = *id;
        s->n_cases++;
    }
    return s->cases[at];
}

static void case_free(struct known_case *c)
{
    free(c->counts);
    free(c);
}

static void case_forget(struct plan_store *s, const struct sto_uuid *id)
{
    bool there;
    size_t at = case_place(s, id, &there);

    if (there) {
        case_free(s->cases[at]);
        s->n_cases--;
        memmove(s->cases + at, s->cases + at + 1, (s->n_cases - at) * sizeof(struct known_case *));
    }
}

static void count_set(struct known_case *c, uint64_t what, uint32_t n)
{
    for (unsigned i = 0; i < c->n_counts; i++) {
        if (c->counts[i].what == what) {
            c->counts[i].n = n;
            return;
        }
    }
    c->counts = sto_xrealloc(c->counts, (c->n_counts + 1) * sizeof *c->counts);
    c->counts[c->n_counts].what = what;
    c->counts[c->n_counts++].n = n;
}

static uint32_t count_get(const struct known_case *c, uint64_t what)
{
    for (unsigned i = 0; i < c->n_counts; i++) {
        if (c->counts[i].what == what) {
            return c->counts[i].n;
        }
    }
    return 0;
}

static void key_add(struct plan_store *s, uint64_t key)
{
    s->keys[s->next_key] = key;
    s->next_key = (s->next_key + 1) % KEYS_KEPT;
}

static struct plan *plan_find(const struct plan_store *s, uint64_t id)
{
    for (size_t i = 0; i < s->n_plans; i++) {
        if (s->plans[i].id == id) {
            return &s->plans[i];
        }
    }
    return NULL;
}

static void plan_set(struct plan_store *s, const struct plan *p)
{
    struct plan *have = plan_find(s, p->id);

    if (have == NULL) {
        if (s->n_plans == s->cap_plans) {
            s->cap_plans = s->cap_plans == 0 ? 64 : s->cap_plans * 2;
            s->plans = sto_xrealloc(s->plans, s->cap_plans * sizeof *s->plans);
        }
        have = &s->plans[s->n_plans++];
    }
    *have = *p;
    s->last_id = p->id > s->last_id ? p->id : s->last_id;
}

static void plan_remove(struct plan_store *s, uint64_t id)
{
    struct plan *p = plan_find(s, id);

    if (p != NULL) {
        *p = s->plans[--s->n_plans];
    }
}

/* ---------------------------------------------------------------- changes as bytes */

static void put_case(struct sto_buf *b, const struct known_case *c)
{
    sto_put_u8(b, CHANGE_CASE);
    sto_put_bytes(b, c->id.b, sizeof c->id.b);
    sto_put_str(b, c->workflow);
    sto_put_str(b, c->session_step);
    sto_put_str(b, c->record);
}

static void put_count(struct sto_buf *b, const struct sto_uuid *id, uint64_t what, uint32_t n)
{
    sto_put_u8(b, CHANGE_COUNT);
    sto_put_bytes(b, id->b, sizeof id->b);
    sto_put_u64(b, what);
    sto_put_var(b, n);
}

static void put_plan(struct sto_buf *b, const struct plan *p)
{
    const struct occasion *o = &p->o;

    sto_put_u8(b, CHANGE_PLAN);
    sto_put_u64(b, p->id);
    sto_put_u64(b, o->key);
    sto_put_bytes(b, o->case_id.b, sizeof o->case_id.b);
    sto_put_bytes(b, o->session_id.b, sizeof o->session_id.b);
    sto_put_u8(b, (uint8_t)o->on);
    sto_put_str(b, o->workflow);
    sto_put_str(b, o->step);
    sto_put_str(b, o->desk);
    sto_put_u8(b, (uint8_t)o->event);
    sto_put_u8(b, o->referral);
    sto_put_var(b, o->token);
    sto_put_var(b, o->entry);
    sto_put_var(b, o->offer);
    sto_put_var(b, o->n);
    sto_put_svar(b, o->at_us);
    sto_put_svar(b, o->now_us);
    sto_put_str(b, p->record);
    sto_put_var(b, p->rule);
    sto_put_var(b, p->choice);
    sto_put_var(b, p->next);
    sto_put_svar(b, p->due_us);
    sto_put_svar(b, p->booked_us);
    sto_put_svar(b, p->ticket);
    sto_put_u8(b, (uint8_t)p->sent_kind);
    sto_put_u8(b, p->last);
    sto_put_u8(b, p->place);
}

static void get_uuid(struct sto_rd *r, struct sto_uuid *id)
{
    const uint8_t *p = sto_get_bytes(r, sizeof id->b);

    if (p != NULL) {
        memcpy(id->b, p, sizeof id->b);
    }
}

static unsigned get_unsigned(struct sto_rd *r)
{
    uint64_t v = sto_get_var(r);

    r->failed = r->failed || v > UINT32_MAX;
    return (unsigned)v;
}

static void get_plan(struct sto_rd *r, struct plan *p)
{
    struct occasion *o = &p->o;

    p->id = sto_get_u64(r);
    o->key = sto_get_u64(r);
    get_uuid(r, &o->case_id);
    get_uuid(r, &o->session_id);
    o->on = (enum policy_on)sto_get_u8(r);
    sto_get_str(r, o->workflow, sizeof o->workflow);
    sto_get_str(r, o->step, sizeof o->step);
    sto_get_str(r, o->desk, sizeof o->desk);
    o->event = (enum event_kind)sto_get_u8(r);
    o->referral = sto_get_u8(r) != 0;
    o->token = get_unsigned(r);
    o->entry = get_unsigned(r);
    o->offer = get_unsigned(r);
    o->n = get_unsigned(r);
    o->at_us = sto_get_svar(r);
    o->now_us = sto_get_svar(r);
    sto_get_str(r, p->record, sizeof p->record);
    p->rule = get_unsigned(r);
    p->choice = get_unsigned(r);
    p->next = get_unsigned(r);
    p->due_us = sto_get_svar(r);
    p->booked_us = sto_get_svar(r);
    p->ticket = sto_get_svar(r);
    p->sent_kind = sto_get_u8(r);
    p->last = sto_get_u8(r) != 0;
    p->place = sto_get_u8(r) != 0;
}

static void apply_case(struct plan_store *s, struct sto_rd *r)
{
    struct known_case c = {0};

    get_uuid(r, &c.id);
    sto_get_str(r, c.workflow, sizeof c.workflow);
    sto_get_str(r, c.session_step, sizeof c.session_step);
    sto_get_str(r, c.record, sizeof c.record);
    if (!r->failed) {
        struct known_case *have = case_need(s, &c.id);
        memcpy(have->workflow, c.workflow, sizeof c.workflow);
        memcpy(have->session_step, c.session_step, sizeof c.session_step);
        memcpy(have->record, c.record, sizeof c.record);
    }
}

static void apply_count(struct plan_store *s, struct sto_rd *r)
{
    struct sto_uuid id = {{0}};

    get_uuid(r, &id);
    uint64_t what = sto_get_u64(r);
    uint32_t n = (uint32_t)sto_get_var(r);
    if (!r->failed) {
        count_set(case_need(s, &id), what, n);
    }
}

static void apply_one(struct plan_store *s, struct sto_rd *r)
{
    struct sto_uuid id = {{0}};
    struct plan p = {0};

    switch (sto_get_u8(r)) {
    case CHANGE_HEAD:
        r->failed = r->failed || sto_get_u8(r) != JOURNAL_VERSION;
        s->read_version = sto_get_u64(r);
        s->last_id = sto_get_u64(r);
        break;
    case CHANGE_KEY:
        key_add(s, sto_get_u64(r));
        break;
    case CHANGE_CASE:
        apply_case(s, r);
        break;
    case CHANGE_COUNT:
        apply_count(s, r);
        break;
    case CHANGE_FORGET:
        get_uuid(r, &id);
        case_forget(s, &id);
        break;
    case CHANGE_PLAN:
        get_plan(r, &p);
        if (!r->failed) {
            plan_set(s, &p);
        }
        break;
    case CHANGE_DROP:
        plan_remove(s, sto_get_u64(r));
        break;
    default:
        r->failed = true;
        break;
    }
}

/* ---------------------------------------------------------------- file */

static uint32_t checksum(const uint8_t *p, size_t n)
{
    uint8_t hash[STO_SHA256_BYTES];

    sto_sha256(p, n, hash);
    return (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
}

static void frame(struct sto_buf *out, const struct sto_buf *changes)
{
    sto_put_u32(out, (uint32_t)changes->len);
    sto_put_u32(out, checksum(changes->data, changes->len));
    sto_put_bytes(out, changes->data, changes->len);
}

static int replay(struct plan_store *s, struct sto_err *err)
{
    char *data = NULL;
    size_t len = 0, at = 0;
    int rc = sto_file_read(s->path, (size_t)1 << 30, &data, &len, err);

    if (rc == -STO_E_NOT_FOUND) {
        return 0;
    }
    if (rc != 0) {
        return rc;
    }
    while (len - at >= 8) {
        struct sto_rd head = sto_rd(data + at, 8);
        size_t n = sto_get_u32(&head);
        uint32_t sum = sto_get_u32(&head);
        if (n == 0 || n > len - at - 8 || checksum((uint8_t *)data + at + 8, n) != sum) {
            break;
        }
        struct sto_rd r = sto_rd(data + at + 8, n);
        while (!r.failed && r.p < r.end) {
            apply_one(s, &r);
        }
        if (r.failed) {
            rc = sto_fail(err, STO_E_IO, "journal of plans '%s' is damaged at byte %zu", s->path,
                          at);
            break;
        }
        at += 8 + n;
    }
    if (rc == 0 && at < len) {
        sto_log(STO_WARN, "journal_end_cut", "bytes", sto_i((int64_t)(len - at)), NULL);
    }
    free(data);
    return rc;
}

/* Everything that is known, as changes. */
static void put_all(const struct plan_store *s, struct sto_buf *b)
{
    sto_put_u8(b, CHANGE_HEAD);
    sto_put_u8(b, JOURNAL_VERSION);
    sto_put_u64(b, s->version);
    sto_put_u64(b, s->last_id);
    for (size_t i = 0; i < KEYS_KEPT; i++) {
        uint64_t key = s->keys[(s->next_key + i) % KEYS_KEPT];
        if (key != 0) {
            sto_put_u8(b, CHANGE_KEY);
            sto_put_u64(b, key);
        }
    }
    for (size_t i = 0; i < s->n_cases; i++) {
        const struct known_case *c = s->cases[i];
        put_case(b, c);
        for (unsigned k = 0; k < c->n_counts; k++) {
            put_count(b, &c->id, c->counts[k].what, c->counts[k].n);
        }
    }
    for (size_t i = 0; i < s->n_plans; i++) {
        put_plan(b, &s->plans[i]);
    }
}

static int compact(struct plan_store *s, struct sto_err *err)
{
    struct sto_buf all, file;
    int rc;

    sto_buf_init(&all, (size_t)1 << 30);
    sto_buf_init(&file, (size_t)1 << 30);
    put_all(s, &all);
    frame(&file, &all);
    rc = file.failed ? sto_fail(err, STO_E_LIMIT, "journal of plans '%s' is too large", s->path)
                     : sto_file_write(s->path, file.data, file.len, 0600, err);
    if (rc == 0) {
        int fd = open(s->path, O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd < 0) {
            rc = sto_fail(err, STO_E_IO, "could not open journal '%s': %s", s->path,
                          strerror(errno));
        } else {
            if (s->fd >= 0) {
                close(s->fd);
            }
            s->fd = fd;
            s->file_bytes = file.len;
            s->compact_at = file.len * 4 > COMPACT_BYTES ? file.len * 4 : COMPACT_BYTES;
            s->dirty = false;
            sto_buf_clear(&s->changes);
        }
    }
    sto_buf_release(&all);
    sto_buf_release(&file);
    return rc;
}

int plan_store_open(const char *dir, uint64_t version, bool *same, plan_store_t **out,
                    struct sto_err *err)
{
    plan_store_t *s = sto_xcalloc(1, sizeof *s);

    s->fd = -1;
    s->version = version;
    s->read_version = version; /* of a journal that does not exist yet */
    s->path = sto_asprintf("%s/plans.log", dir);
    sto_buf_init(&s->changes, CHANGES_MAX);
    int rc = replay(s, err);
    rc = rc != 0 ? rc : compact(s, err);
    if (rc != 0) {
        plan_store_close(&s);
        return rc;
    }
    *same = s->read_version == version;
    *out = s;
    return 0;
}

void plan_store_close(plan_store_t **self_p)
{
    if (self_p == NULL || *self_p == NULL) {
        return;
    }
    plan_store_t *s = *self_p;
    if (s->fd >= 0) {
        close(s->fd);
    }
    for (size_t i = 0; i < s->n_cases; i++) {
        case_free(s->cases[i]);
    }
    free(s->cases);
    free(s->plans);
    free(s->path);
    sto_buf_release(&s->changes);
    free(s);
    *self_p = NULL;
}

static int append(struct plan_store *s, struct sto_err *err)
{
    struct sto_buf file;
    ssize_t n;
    int rc = 0;

    sto_buf_init(&file, CHANGES_MAX + 16);
    frame(&file, &s->changes);
    do {
        n = write(s->fd, file.data, file.len);
    } while (n < 0 && errno == EINTR);
    if (n != (ssize_t)file.len) {
        rc = sto_fail(err, STO_E_IO, "could not append to journal '%s': %s", s->path,
                      n < 0 ? strerror(errno) : "short write");
        if (n > 0 && ftruncate(s->fd, (off_t)s->file_bytes) != 0) {
            sto_log(STO_ERROR, "journal_damaged", "path", s->path, NULL);
        }
    } else {
        s->file_bytes += file.len;
        s->dirty = true;
        sto_buf_clear(&s->changes);
    }
    sto_buf_release(&file);
    return rc;
}

int plan_store_commit(plan_store_t *s, bool sync, struct sto_err *err)
{
    int rc = 0;

    if (s->changes.failed || s->file_bytes > s->compact_at) {
        return compact(s, err); /* holds the changes too, and is synced */
    }
    if (s->changes.len != 0) {
        rc = append(s, err);
    }
    if (rc == 0 && sync && s->dirty) {
        if (fdatasync(s->fd) != 0) {
            return sto_fail(err, STO_E_IO, "could not sync journal '%s': %s", s->path,
                            strerror(errno));
        }
        s->dirty = false;
    }
    return rc;
}

/* ---------------------------------------------------------------- calls */

bool plan_store_seen(const plan_store_t *s, uint64_t key)
{
    for (size_t i = 0; i < KEYS_KEPT; i++) {
        if (s->keys[i] == key) {
            return true;
        }
    }
    return false;
}

void plan_store_key(plan_store_t *s, uint64_t key)
{
    key_add(s, key);
    sto_put_u8(&s->changes, CHANGE_KEY);
    sto_put_u64(&s->changes, key);
}

const struct known_case *plan_store_case(const plan_store_t *s, const struct sto_uuid *id)
{
    bool there;
    size_t at = case_place(s, id, &there);

    return there ? s->cases[at] : NULL;
}

/* Keeps what fits; false = nothing new. */
static bool learn_text(char *have, size_t cap, const char *s)
{
    if (s == NULL || s[0] == '\0' || strlen(s) >= cap || strcmp(have, s) == 0) {
        return false;
    }
    memcpy(have, s, strlen(s) + 1);
    return true;
}

void plan_store_learn(plan_store_t *s, const struct sto_uuid *id, const char *workflow,
                      const char *session_step, const char *record)
{
    struct known_case *c = case_need(s, id);
    bool news = learn_text(c->workflow, sizeof c->workflow, workflow);

    news = learn_text(c->session_step, sizeof c->session_step, session_step) || news;
    news = learn_text(c->record, sizeof c->record, record) || news;
    if (news) {
        put_case(&s->changes, c);
    }
}

unsigned plan_store_count(plan_store_t *s, const struct sto_uuid *id, enum policy_on on,
                          const char *step)
{
    struct known_case *c = case_need(s, id);
    uint8_t head = (uint8_t)on, hash[STO_SHA256_BYTES];
    uint64_t what = 0;

    sto_sha256_2(&head, 1, step, strlen(step), hash);
    for (unsigned i = 0; i < 8; i++) {
        what = what << 8 | hash[i];
    }
    uint32_t n = count_get(c, what) + 1;
    count_set(c, what, n);
    put_count(&s->changes, id, what, n);
    return n;
}

void plan_store_forget(plan_store_t *s, const struct sto_uuid *id)
{
    struct sto_uuid copy = *id; /* may be the case's own */

    case_forget(s, &copy);
    sto_put_u8(&s->changes, CHANGE_FORGET);
    sto_put_bytes(&s->changes, copy.b, sizeof copy.b);
}

size_t plan_store_plans(const plan_store_t *s)
{
    return s->n_plans;
}

const struct plan *plan_store_at(const plan_store_t *s, size_t i)
{
    STO_ASSERT(i < s->n_plans);
    return &s->plans[i];
}

const struct plan *plan_store_ticket(const plan_store_t *s, int64_t ticket)
{
    for (size_t i = 0; i < s->n_plans; i++) {
        if (s->plans[i].ticket == ticket) {
            return &s->plans[i];
        }
    }
    return NULL;
}

uint64_t plan_store_put(plan_store_t *s, const struct plan *p)
{
    struct plan copy = *p;

    if (copy.id == 0) {
        copy.id = s->last_id + 1;
    }
    plan_set(s, &copy);
    put_plan(&s->changes, &copy);
    return copy.id;
}

void plan_store_drop(plan_store_t *s, uint64_t id)
{
    plan_remove(s, id);
    sto_put_u8(&s->changes, CHANGE_DROP);
    sto_put_u64(&s->changes, id);
}
