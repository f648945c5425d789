/* SPDX-License-Identifier: Apache-2.0 */
#include "sendlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sto_arena.h"
#include "sto_buf.h"
#include "sto_crypto.h"
#include "sto_file.h"
#include "sto_log.h"

#define LOG_VERSION      1
#define COMPACT_BYTES    1048576 /* a log this long, mostly of receipted events, is written anew */
#define RECORD_BYTES_MAX (STO_FRAME_BYTES_MAX + 64)

enum record {
    RECORD_HEAD = 'H',
    RECORD_EVENT = 'E',
    RECORD_RECEIPT = 'R',
    RECORD_TAKEN = 'T',
    RECORD_SHARDS = 'S'
};

struct queue {
    struct sendlog_event *v;
    size_t first, n, cap; /* v[first .. first+n) wait */
    uint64_t last;        /* number of the newest event */
};

struct sendlog {
    char *path;
    int fd, lock_fd;
    bool dirty;
    size_t file_bytes;
    uint64_t stream;
    int64_t last_ticket;
    unsigned n_shards;
    struct queue shard[STO_SHARDS_MAX]; /* [route] until the number of shards is known */
    struct {
        uint32_t incarnation;
        uint64_t upto;
    } taken[STO_SHARDS_MAX];
};

static void queue_push(struct queue *q, struct sendlog_event e)
{
    if (q->first + q->n == q->cap) {
        if (q->first > q->cap / 2) {
            memmove(q->v, q->v + q->first, q->n * sizeof *q->v);
        } else {
            size_t cap = q->cap == 0 ? 16 : q->cap * 2;
            struct sendlog_event *v = sto_xcalloc(cap, sizeof *v);
            if (q->n != 0) {
                memcpy(v, q->v + q->first, q->n * sizeof *v);
            }
            free(q->v);
            q->v = v;
            q->cap = cap;
        }
        q->first = 0;
    }
    q->v[q->first + q->n++] = e;
}

static unsigned queue_of(const struct sendlog *s, uint8_t route)
{
    return s->n_shards == 0 ? route : route & (s->n_shards - 1u);
}

static void add_event(struct sendlog *s, int64_t ticket, uint8_t route, const uint8_t *body,
                      size_t n)
{
    struct queue *q = &s->shard[queue_of(s, route)];
    struct sendlog_event e = {
        .ticket = ticket, .route = route, .n = (uint32_t)n, .body = sto_xcalloc(1, n + 1)};

    memcpy(e.body, body, n);
    if (s->n_shards != 0) {
        e.seq = ++q->last;
    }
    queue_push(q, e);
    s->last_ticket = ticket > s->last_ticket ? ticket : s->last_ticket;
}

static int by_ticket(const void *a, const void *b)
{
    const struct sendlog_event *x = a, *y = b;
    return x->ticket < y->ticket ? -1 : x->ticket > y->ticket;
}

/* Queues by route become queues by shard, in the order of their making. */
static void renumber(struct sendlog *s, unsigned n_shards)
{
    size_t n = sendlog_waiting(s), at = 0;
    struct sendlog_event *all = sto_xcalloc(n + 1, sizeof *all);

    for (unsigned i = 0; i < STO_SHARDS_MAX; i++) {
        struct queue *q = &s->shard[i];
        for (size_t k = 0; k < q->n; k++) {
            all[at++] = q->v[q->first + k];
        }
        q->n = q->first = 0;
    }
    qsort(all, n, sizeof *all, by_ticket);
    s->n_shards = n_shards;
    for (size_t i = 0; i < n; i++) {
        struct queue *q = &s->shard[queue_of(s, all[i].route)];
        all[i].seq = ++q->last;
        queue_push(q, all[i]);
    }
    free(all);
}

static void drop_upto(struct sendlog *s, unsigned shard, uint64_t upto,
                      void (*each)(void *arg, const struct sendlog_event *e), void *arg)
{
    struct queue *q = &s->shard[shard];

    while (q->n != 0 && q->v[q->first].seq <= upto) {
        struct sendlog_event *e = &q->v[q->first];
        if (each != NULL) {
            each(arg, e);
        }
        free(e->body);
        q->first++;
        q->n--;
    }
}

/* ---------------------------------------------------------------- file */

static int append_record(struct sendlog *s, const struct sto_buf *b, struct sto_err *err)
{
    struct sto_buf frame;
    ssize_t n;
    int rc = 0;

    if (s->fd < 0) {
        return 0;
    }
    sto_buf_init(&frame, 0);
    sto_put_u32(&frame, (uint32_t)b->len);
    sto_put_bytes(&frame, b->data, b->len);
    do {
        n = write(s->fd, frame.data, frame.len);
    } while (n < 0 && errno == EINTR);
    if (n != (ssize_t)frame.len) {
        rc = sto_fail(err, STO_E_IO, "could not append to outbox '%s': %s", s->path,
                      n < 0 ? strerror(errno) : "short write");
        if (n > 0 && ftruncate(s->fd, (off_t)s->file_bytes) != 0) {
            sto_log(STO_ERROR, "outbox_damaged", "path", s->path, NULL);
        }
    } else {
        s->file_bytes += frame.len;
        s->dirty = true;
    }
    sto_buf_release(&frame);
    return rc;
}

/* For what may be lost: no sync of its own. */
static int append_unsynced(struct sendlog *s, const struct sto_buf *b)
{
    bool dirty = s->dirty;
    int rc = append_record(s, b, NULL);

    s->dirty = dirty;
    return rc;
}

static void put_head(const struct sendlog *s, struct sto_buf *b)
{
    sto_put_u8(b, RECORD_HEAD);
    sto_put_u8(b, LOG_VERSION);
    sto_put_u64(b, s->stream);
    sto_put_u64(b, (uint64_t)s->last_ticket);
    sto_put_u16(b, (uint16_t)s->n_shards);
    for (unsigned i = 0; i < s->n_shards; i++) {
        const struct queue *q = &s->shard[i];
        sto_put_u64(b, q->last - q->n); /* numbers receipted before this log begins */
        sto_put_u32(b, s->taken[i].incarnation);
        sto_put_u64(b, s->taken[i].upto);
    }
}

static void put_event(const struct sendlog_event *e, struct sto_buf *b)
{
    sto_put_u8(b, RECORD_EVENT);
    sto_put_u64(b, (uint64_t)e->ticket);
    sto_put_u8(b, e->route);
    sto_put_blob(b, e->body, e->n);
}

static void replay_head(struct sendlog *s, struct sto_rd *r)
{
    if (sto_get_u8(r) != LOG_VERSION) {
        r->failed = true;
        return;
    }
    s->stream = sto_get_u64(r);
    s->last_ticket = (int64_t)sto_get_u64(r);
    s->n_shards = sto_get_u16(r);
    if (s->n_shards > STO_SHARDS_MAX) {
        r->failed = true;
        return;
    }
    for (unsigned i = 0; i < s->n_shards && !r->failed; i++) {
        s->shard[i].last = sto_get_u64(r);
        s->taken[i].incarnation = sto_get_u32(r);
        s->taken[i].upto = sto_get_u64(r);
    }
}

static void replay_record(struct sendlog *s, struct sto_rd *r)
{
    uint8_t kind = sto_get_u8(r);

    if (kind == RECORD_HEAD) {
        replay_head(s, r);
    } else if (kind == RECORD_EVENT) {
        int64_t ticket = (int64_t)sto_get_u64(r);
        uint8_t route = sto_get_u8(r);
        size_t n = 0;
        const uint8_t *body = sto_get_blob(r, &n);
        if (body != NULL) {
            add_event(s, ticket, route, body, n);
        }
    } else if (kind == RECORD_SHARDS) {
        unsigned n = sto_get_u16(r);
        if (n != 0 && n <= STO_SHARDS_MAX && s->n_shards == 0) {
            renumber(s, n);
        }
    } else if (kind == RECORD_RECEIPT) {
        unsigned shard = sto_get_u16(r);
        uint64_t upto = sto_get_u64(r);
        if (shard < STO_SHARDS_MAX) {
            drop_upto(s, shard, upto, NULL, NULL);
        }
    } else if (kind == RECORD_TAKEN) {
        unsigned shard = sto_get_u16(r);
        uint32_t incarnation = sto_get_u32(r);
        uint64_t upto = sto_get_u64(r);
        if (shard < STO_SHARDS_MAX) {
            s->taken[shard].incarnation = incarnation;
            s->taken[shard].upto = upto;
        }
    } else {
        r->failed = true;
    }
}

/* Reads the log; a torn tail (a crash while appending: it was never synced, so never sent) is cut
 * off. */
static int replay(struct sendlog *s, struct sto_err *err)
{
    char *data = NULL;
    size_t len = 0, at = 0;
    int rc = sto_file_read(s->path, (size_t)1 << 31, &data, &len, err);

    if (rc != 0) {
        return rc;
    }
    while (len - at >= 4) {
        struct sto_rd head = sto_rd(data + at, 4);
        size_t n = sto_get_u32(&head);
        if (n > RECORD_BYTES_MAX || n > len - at - 4) {
            break;
        }
        struct sto_rd r = sto_rd(data + at + 4, n);
        replay_record(s, &r);
        if (r.failed) {
            free(data);
            return sto_fail(err, STO_E_IO, "outbox '%s' is damaged at byte %zu", s->path, at);
        }
        at += 4 + n;
    }
    free(data);
    s->file_bytes = at;
    if (at < len && ftruncate(s->fd, (off_t)at) != 0) {
        return sto_fail(err, STO_E_IO, "could not cut the torn end of outbox '%s': %s", s->path,
                        strerror(errno));
    }
    return 0;
}

/* The whole log anew: head, then what waits. The lock moves with the new file. */
static int compact(struct sendlog *s, struct sto_err *err)
{
    struct sto_buf all, one;
    int rc;

    sto_buf_init(&all, (size_t)1 << 31);
    sto_buf_init(&one, 0);
    put_head(s, &one);
    sto_put_u32(&all, (uint32_t)one.len);
    sto_put_bytes(&all, one.data, one.len);
    for (unsigned i = 0; i < STO_SHARDS_MAX; i++) {
        const struct queue *q = &s->shard[i];
        for (size_t k = 0; k < q->n; k++) {
            sto_buf_clear(&one);
            put_event(&q->v[q->first + k], &one);
            sto_put_u32(&all, (uint32_t)one.len);
            sto_put_bytes(&all, one.data, one.len);
        }
    }
    rc = all.failed ? sto_fail(err, STO_E_LIMIT, "outbox '%s' is too large", s->path)
                    : sto_file_write(s->path, all.data, all.len, 0600, err);
    if (rc == 0) {
        int fd = open(s->path, O_RDWR | O_APPEND | O_CLOEXEC);
        if (fd < 0) {
            rc =
                sto_fail(err, STO_E_IO, "could not open outbox '%s': %s", s->path, strerror(errno));
        } else {
            close(s->fd);
            s->fd = fd;
            s->file_bytes = all.len;
            s->dirty = false;
        }
    }
    sto_buf_release(&all);
    sto_buf_release(&one);
    return rc;
}

static int open_file(struct sendlog *s, const char *dir, struct sto_err *err)
{
    char *lock = sto_asprintf("%s/outbox.lock", dir);
    int rc = sto_mkdirs(dir, 0700, err);

    s->path = sto_asprintf("%s/outbox.log", dir);
    if (rc == 0) {
        /* the lock file is never replaced, so the lock holds over compaction */
        s->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (s->lock_fd < 0 || flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
            rc = sto_fail(err, STO_E_BUSY, "outbox in '%s' is in use by another process", dir);
            sto_err_fix(err, "give each worker process a state folder of its own");
        } else {
            s->fd = open(s->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
            rc = s->fd < 0 ? sto_fail(err, STO_E_IO, "could not open outbox '%s': %s", s->path,
                                      strerror(errno))
                           : replay(s, err);
        }
    }
    free(lock);
    if (rc == 0 && s->stream == 0) {
        s->stream = sto_random_u64() | 1u;
    }
    return rc != 0 ? rc : compact(s, err);
}

int sendlog_open(const char *dir, sendlog_t **out, struct sto_err *err)
{
    sendlog_t *s = sto_xcalloc(1, sizeof *s);
    int rc = 0;

    s->fd = s->lock_fd = -1;
    if (dir != NULL) {
        rc = open_file(s, dir, err);
    } else {
        s->stream = sto_random_u64() | 1u;
    }
    if (rc != 0) {
        sendlog_close(&s);
        return rc;
    }
    *out = s;
    return 0;
}

void sendlog_close(sendlog_t **self_p)
{
    if (self_p == NULL || *self_p == NULL) {
        return;
    }
    sendlog_t *s = *self_p;
    for (unsigned i = 0; i < STO_SHARDS_MAX; i++) {
        for (size_t k = 0; k < s->shard[i].n; k++) {
            free(s->shard[i].v[s->shard[i].first + k].body);
        }
        free(s->shard[i].v);
    }
    if (s->fd >= 0) {
        fdatasync(s->fd);
        close(s->fd);
    }
    if (s->lock_fd >= 0) {
        close(s->lock_fd);
    }
    free(s->path);
    free(s);
    *self_p = NULL;
}

uint64_t sendlog_stream(const sendlog_t *s)
{
    return s->stream;
}

int64_t sendlog_append(sendlog_t *s, uint8_t route, const uint8_t *body, size_t n,
                       struct sto_err *err)
{
    struct sendlog_event e = {.ticket = s->last_ticket + 1,
                              .route = route,
                              .n = (uint32_t)n,
                              .body = (uint8_t *)(uintptr_t)body};
    int rc = 0;

    if (s->fd >= 0) {
        struct sto_buf b;
        sto_buf_init(&b, 0);
        put_event(&e, &b);
        rc = append_record(s, &b, err);
        sto_buf_release(&b);
    }
    if (rc != 0) {
        return rc;
    }
    add_event(s, e.ticket, route, body, n);
    return e.ticket;
}

int sendlog_sync(sendlog_t *s, struct sto_err *err)
{
    if (s->fd < 0 || !s->dirty) {
        return 0;
    }
    if (s->file_bytes > COMPACT_BYTES && sendlog_waiting(s) < 64) {
        return compact(s, err);
    }
    if (fdatasync(s->fd) != 0) {
        return sto_fail(err, STO_E_IO, "could not sync outbox '%s': %s", s->path, strerror(errno));
    }
    s->dirty = false;
    return 0;
}

int sendlog_shards(sendlog_t *s, unsigned n_shards, struct sto_err *err)
{
    struct sto_buf b;

    if (s->n_shards == n_shards) {
        return 0;
    }
    if (s->n_shards != 0) {
        int rc =
            sto_fail(err, STO_E_DIFFERENT, "the broker has %u shards, this outbox was made for %u",
                     n_shards, s->n_shards);
        sto_err_fix(err, "an outbox belongs to one installation: use another state folder");
        return rc;
    }
    renumber(s, n_shards);
    sto_buf_init(&b, 0);
    sto_put_u8(&b, RECORD_SHARDS);
    sto_put_u16(&b, (uint16_t)n_shards);
    int rc = append_record(s, &b, err);
    sto_buf_release(&b);
    return rc;
}

void sendlog_receipt(sendlog_t *s, unsigned shard, uint64_t upto,
                     void (*each)(void *arg, const struct sendlog_event *e), void *arg)
{
    STO_ASSERT(shard < STO_SHARDS_MAX);
    if (s->shard[shard].n == 0 || s->shard[shard].v[s->shard[shard].first].seq > upto) {
        return;
    }
    drop_upto(s, shard, upto, each, arg);
    if (s->fd >= 0) {
        struct sto_buf b;
        sto_buf_init(&b, 0);
        sto_put_u8(&b, RECORD_RECEIPT);
        sto_put_u16(&b, (uint16_t)shard);
        sto_put_u64(&b, upto);
        /* lost with a crash it only means that these events are sent again and answered as repeats
         */
        if (append_unsynced(s, &b) != 0) {
            sto_log(STO_WARN, "outbox_append_failed", "path", s->path, NULL);
        }
        sto_buf_release(&b);
    }
}

const struct sendlog_event *sendlog_at(const sendlog_t *s, unsigned shard, size_t i)
{
    const struct queue *q = &s->shard[shard];
    return i < q->n ? &q->v[q->first + i] : NULL;
}

size_t sendlog_waiting(const sendlog_t *s)
{
    size_t n = 0;
    unsigned queues = s->n_shards == 0 ? STO_SHARDS_MAX : s->n_shards;

    for (unsigned i = 0; i < queues; i++) {
        n += s->shard[i].n;
    }
    return n;
}

int64_t sendlog_last_ticket(const sendlog_t *s)
{
    return s->last_ticket;
}

bool sendlog_ticket_waits(const sendlog_t *s, int64_t ticket)
{
    for (unsigned i = 0; i < STO_SHARDS_MAX; i++) {
        const struct queue *q = &s->shard[i];
        for (size_t k = 0; k < q->n; k++) {
            if (q->v[q->first + k].ticket == ticket) {
                return true;
            }
        }
    }
    return false;
}

void sendlog_taken(sendlog_t *s, unsigned shard, uint32_t incarnation, uint64_t upto)
{
    STO_ASSERT(shard < STO_SHARDS_MAX);
    s->taken[shard].incarnation = incarnation;
    s->taken[shard].upto = upto;
    if (s->fd >= 0) {
        struct sto_buf b;
        sto_buf_init(&b, 0);
        sto_put_u8(&b, RECORD_TAKEN);
        sto_put_u16(&b, (uint16_t)shard);
        sto_put_u32(&b, incarnation);
        sto_put_u64(&b, upto);
        if (append_unsynced(s, &b) != 0) {
            sto_log(STO_WARN, "outbox_append_failed", "path", s->path, NULL);
        }
        sto_buf_release(&b);
    }
}

uint64_t sendlog_taken_upto(const sendlog_t *s, unsigned shard, uint32_t incarnation)
{
    return s->taken[shard].incarnation == incarnation ? s->taken[shard].upto : 0;
}
