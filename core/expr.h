/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The typed condition language (docs/reference/workflow-language.md "Conditions"):
 * and or not, is, is not, in, < <= > >=, is set, today, + - with durations and
 * integers. Total: no loops, bounded depth and nodes, every type known before
 * anything runs. Codes are bare words, texts single-quoted.
 */
#ifndef EXPR_H
#define EXPR_H
#include "sto_arena.h"
#include "sto_err.h"
#include "sto_time.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct expr expr_t;
enum expr_type {
    EXPR_BOOL = 1,
    EXPR_INT,
    EXPR_DATE,
    EXPR_CODE,
    EXPR_TEXT,
    EXPR_DURATION,
    EXPR_STEP,
    EXPR_CONSENT,
    EXPR_DECIMAL /* hundredths; mixes with INT */
};

/* What a name means. For CODE: values[]; for STEP (its last exit): the names of its exits; CONSENT:
   given refused lost. NULL entries are holes. An unset STEP or CONSENT equals nothing (`is` false,
   `is not` true). */
struct expr_name {
    enum expr_type type;
    uint16_t ref;
    uint8_t domain; /* caller's: 0 field, 1 step, 2 consent, 3 setting */
    const char *const *values;
    unsigned n_values;
};
struct expr_scope {
    bool (*lookup)(const void *arg, const char *name, struct expr_name *out);
    const char *const *(*names)(
        const void *arg); /* NULL-terminated list for "did you mean"; may be NULL */
    const void *arg;
};
/* Result must be boolean. Errors say column and what was expected. The tree lives in arena. */
int expr_parse(const char *text, const struct expr_scope *scope, sto_arena_t *arena, expr_t **out,
               struct sto_err *err);

struct expr_value {
    enum expr_type type;
    bool set;
    int64_t i; /* BOOL 0/1, INT, DECIMAL hundredths, DATE day, CODE/STEP/CONSENT value index */
    const char *s;
};
struct expr_env {
    void (*get)(const void *arg, uint8_t domain, uint16_t ref, struct expr_value *out);
    const void *arg;
    int32_t today;
};
/* Reads of an unset name outside `is set` or a guarded and/or are an error (STO_E_CONDITION), as is
 * 64-bit overflow. */
int expr_eval(const expr_t *e, const struct expr_env *env, bool *out, struct sto_err *err);
/* Fields, steps, consents, settings that it reads, for the checker. */
void expr_reads(const expr_t *e, void (*visit)(void *arg, uint8_t domain, uint16_t ref), void *arg);

#endif
