/* SPDX-License-Identifier: Apache-2.0 */
#include "intake.h"

#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"

void intake_release(struct intake *in)
{
    free(in->v);
    *in = (struct intake){0};
}

static struct intake_item *find(struct intake *in, uint64_t seq, size_t *at)
{
    size_t lo = 0, hi = in->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (in->v[mid].seq < seq) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    *at = lo;
    return lo < in->n && in->v[lo].seq == seq ? &in->v[lo] : NULL;
}

/* Done ones next to the mark move it. */
static void settle(struct intake *in)
{
    size_t k = 0;

    while (k < in->n && in->v[k].seq == in->upto + 1 && in->v[k].state == INTAKE_DONE) {
        in->upto++;
        k++;
    }
    if (k != 0) {
        in->n -= k;
        memmove(in->v, in->v + k, in->n * sizeof *in->v);
    }
}

void intake_session(struct intake *in, uint32_t incarnation, uint64_t upto)
{
    if (in->incarnation != incarnation) {
        in->n = 0;
        in->epoch = 0;
        in->upto = in->told = upto;
        in->incarnation = incarnation;
    }
    in->upto = upto > in->upto ? upto : in->upto;
    in->told = 0; /* the new session may not know */
    in->fresh = true;
    size_t k = 0;
    for (size_t i = 0; i < in->n; i++) {
        if (in->v[i].state != INTAKE_DEFERRED && in->v[i].seq > in->upto) {
            in->v[i].told = false;
            in->v[k++] = in->v[i];
        }
    }
    in->n = k;
}

bool intake_take(struct intake *in, uint64_t epoch, uint64_t seq)
{
    size_t at;

    if (epoch < in->epoch) {
        return false; /* of an owner that was replaced */
    }
    in->epoch = epoch;
    if (in->fresh && in->n == 0 && seq > in->upto + 1) {
        in->upto = in->told = seq - 1; /* another session of the organisation had these */
    }
    in->fresh = false;
    if (seq <= in->upto) {
        /* it came again: what was said of it came before the sender knew the row, or was lost */
        in->told = in->told < seq ? in->told : seq - 1;
        return false;
    }
    struct intake_item *item = find(in, seq, &at);
    if (item != NULL) {
        if (item->state == INTAKE_DEFERRED) {
            item->state = INTAKE_OPEN;
            return true;
        }
        item->told = false; /* it came again: say again what is known */
        return false;
    }
    if (in->n == in->cap) {
        in->cap = in->cap == 0 ? 32 : in->cap * 2;
        in->v = sto_xrealloc(in->v, in->cap * sizeof *in->v);
    }
    memmove(in->v + at + 1, in->v + at, (in->n - at) * sizeof *in->v);
    in->v[at] = (struct intake_item){.seq = seq, .state = INTAKE_OPEN};
    in->n++;
    return true;
}

void intake_answer(struct intake *in, uint64_t seq, enum intake_state state, uint32_t after_ms)
{
    size_t at;
    struct intake_item *item = find(in, seq, &at);

    if (item == NULL || item->state != INTAKE_OPEN) {
        return;
    }
    item->state = (uint8_t)state;
    item->after_ms = after_ms;
    item->told = false;
    settle(in);
}

bool intake_news(const struct intake *in)
{
    if (in->upto > in->told) {
        return true;
    }
    for (size_t i = 0; i < in->n; i++) {
        if (in->v[i].state != INTAKE_OPEN && !in->v[i].told) {
            return true;
        }
    }
    return false;
}

size_t intake_open(const struct intake *in)
{
    size_t n = 0;

    for (size_t i = 0; i < in->n; i++) {
        n += in->v[i].state == INTAKE_OPEN;
    }
    return n;
}
