/* SPDX-License-Identifier: EUPL-1.2 */
/* An event of a plan in libsaatto's form. Pure. */
#ifndef POLICY_EVENT_H
#define POLICY_EVENT_H
#include "policy_store.h"
#include "saatto.h"

/* The arrays that the event borrows; must outlive it. */
struct built_event {
    struct saatto_event event;
    struct saatto_field fields[POLICY_PAIRS_MAX];
    struct saatto_name names[POLICY_PAIRS_MAX];
};

/* Id of the field that `name` means at a step: inside a call ("support.feedback") of the called
 * workflow before the caller's. NULL = there is none. */
const char *policy_field(const workflow_t *wf, const char *step, const char *name);

/*
 * kind      what is sent: e->kind, or what it became (no-show, decline)
 * at_us     time of the meeting that it books, or that it is about; 0
 * row       the person's, may be NULL
 */
void policy_event_build(const struct plan *p, const struct policy_event *e, enum event_kind kind,
                        int64_t at_us, const struct record_row *row, const workflow_t *wf,
                        struct built_event *out);

#endif
