/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The recorded history of a real case, played again on another version of its workflow: what
 * organisations did they do again, at the same instants; what the clocks do is decided anew. Pure:
 * facts and contents are given.
 */
#ifndef HISTORY_H
#define HISTORY_H
#include "engine.h"

struct history_event {
    struct fact fact;   /* as recorded; everything borrowed */
    struct input input; /* of an organisation's event or mail; else only its kind */
};
struct history {
    struct sto_uuid id;
    struct history_event *v;
    size_t n;
    /* Versions of the record, by hash: NULL = not there. */
    const workflow_t *(*version)(void *arg, const uint8_t hash[32]);
    void *arg;
};

enum history_end {
    HISTORY_SAME,
    HISTORY_DIFFERS,
    HISTORY_UNREADABLE /* the record is not of this network's versions */
};
struct history_result {
    enum history_end end;
    size_t event;   /* DIFFERS: index of the first that differs */
    char what[256]; /* what is different there */
};

/* arena is reset for every event and must hold one decision. */
void history_play(const network_t *net, const workflow_t *to, const struct history *h,
                  sto_arena_t *arena, struct history_result *out);

#endif
