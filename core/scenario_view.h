/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What the checks of an `expect` share: the case they look at, and how what was found is written.
 * scenario_expect.c has the table of checks.
 */
#ifndef SCENARIO_VIEW_H
#define SCENARIO_VIEW_H
#include "scenario_play.h"

#define TEXT_BYTES 300

struct view { /* what one expect group looks at */
    struct play *p;
    const workflow_t *wf;
    const struct case_state *s;
    struct sto_uuid id;
    const struct token
        *about; /* the token that the entry or expect.step names; NULL = none stands */
    bool about_named;
    const char *step; /* that names are seen from; NULL = the workflow */
};

/* Appends with ", ", as far as it fits. */
void text_add(char text[TEXT_BYTES], const char *more);
const char *party_text(const struct play *p, struct party party, bool with_desk, char *buf,
                       size_t cap);
/* "in_review" and "in-review" are one name. */
bool same_name(const char *a, const char *b);
/* NULL with an error if it is no text. */
const char *str_of(const struct view *v, const struct sto_conf *at);
/* Strings of an array or list; false with an error for anything else. */
bool strings(const struct view *v, const struct sto_conf *at);
/* `what` is `got`; is it who `text` at `at` says? */
void party_is(struct play *p, const struct sto_conf *at, const char *text, struct party got,
              const char *what);
void check_party(const struct view *v, const struct sto_conf *at, struct party got,
                 const char *what);
/* Does it stand on a step where somebody or something is waited for? */
bool waiting(const struct view *v, const struct token *t);
/* The token that an expectation is about: the named one, else the only one, else the earliest due.
 */
const struct token *token_about(const struct view *v);

const char *place_phase_name(uint8_t phase);

/* Texts that were found, for comparing with those wanted. */
struct found {
    unsigned n;
    char text[STO_CASE_CLOCKS_MAX][3 * STO_NAME_BYTES_MAX + 2];
};
/* Are they, in any order, exactly those of the array at `at`? `what`: "the running clocks are". */
void check_exactly(const struct view *v, const struct sto_conf *at, const char *code,
                   const struct found *f, const char *what);

typedef void expect_fn(const struct view *v, const struct sto_conf *at);
expect_fn expect_sent, expect_not_sent, expect_released, expect_held_back, expect_clear,
    expect_data;
expect_fn expect_waits_for, expect_clocks, expect_places, expect_consents, expect_count,
    expect_roles, expect_workflow, expect_kept, expect_left;

#endif
