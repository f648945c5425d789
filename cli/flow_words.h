/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Words of people for what stands in a workflow, in one language: from its texts.cfg where that
 * has them, else from workflows/words.cfg, else the name as designers wrote it. Strings live as
 * long as the teller.
 */
#ifndef FLOW_WORDS_H
#define FLOW_WORDS_H
#include "sto_time.h"
#include "workflow.h"

typedef struct teller teller_t;

/* lang: "fi", "sv" or "en". net and wf are borrowed. */
int teller_new(const char *lang, const network_t *net, const workflow_t *wf, teller_t **out,
               struct sto_err *err);
void teller_destroy(teller_t **self_p);
sto_arena_t *teller_arena(const teller_t *self);
const workflow_t *teller_workflow(const teller_t *self);
const network_t *teller_network(const teller_t *self);

/* The word of a key of words.cfg with {1} and {2} filled in; a, b may be NULL. */
const char *tell(const teller_t *self, const char *key, const char *a, const char *b);
/* "a" + between + "b"; "" takes no part. */
const char *tell_join(const teller_t *self, const char *a, const char *between, const char *b);
const char *tell_number(const teller_t *self, int64_t n);

const char *tell_title(const teller_t *self);               /* of the workflow */
const char *tell_step(const teller_t *self, uint16_t step); /* its text */
/* Its id as designers wrote it: without the number of an each's branch. */
const char *tell_id(const teller_t *self, uint16_t step);
const char *tell_type(const teller_t *self, enum step_type); /* "meeting" */
const char *tell_name(const teller_t *self, const char *id); /* role, field, code, message… */
const char *tell_party(const teller_t *self, unsigned party);
const char *tell_parties(const teller_t *self, const uint8_t *v, unsigned n);
const char *tell_exit(const teller_t *self, unsigned exit);
const char *tell_fields(const teller_t *self, uint64_t fields);
const char *tell_roles(const teller_t *self, uint32_t roles);
const char *tell_duration(const teller_t *self, struct sto_duration d);
const char *tell_when(const teller_t *self, const struct wf_when *w);
/* "within 20 business days or until …"; "" if there is no clock. */
const char *tell_within(const teller_t *self, const struct wf_when *v, unsigned n);
const char *tell_starts(const teller_t *self, const struct wf_starts *s);
const char *tell_outcome(const teller_t *self, const struct wf_step *end);

#endif
