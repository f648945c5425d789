/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any text as a condition: it is refused with a message that names a column, or it is a bounded
 * tree that evaluates to an answer or a refusal, twice alike, whatever the names hold.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "expr.h"
#include "sto_time.h"

static const char *const CODES[] = {"work", NULL, "study"};
static const char *const NAMES[] = {"i", "b", "c", "t", "d", "s", "k", "w", NULL};

static bool lookup(const void *arg, const char *name, struct expr_name *out)
{
    static const enum expr_type TYPES[] = {EXPR_INT,  EXPR_BOOL, EXPR_CODE,    EXPR_TEXT,
                                           EXPR_DATE, EXPR_STEP, EXPR_CONSENT, EXPR_DURATION};
    (void)arg;
    for (uint16_t k = 0; NAMES[k]; k++) {
        if (strcmp(NAMES[k], name) == 0) {
            *out = (struct expr_name){.type = TYPES[k], .ref = k, .values = CODES, .n_values = 3};
            return true;
        }
    }
    return false;
}

static const char *const *names(const void *arg)
{
    (void)arg;
    return NAMES;
}

/* The first byte of the input says which names are set and whether numbers are extreme. */
static void get(const void *arg, uint8_t domain, uint16_t ref, struct expr_value *out)
{
    uint8_t seed = *(const uint8_t *)arg;
    (void)domain;
    out->set = (seed >> (ref % 4)) & 1;
    out->i = seed & 0x10 ? INT64_MAX : seed & 0x20 ? INT64_MIN : (int64_t)(seed & 3);
    out->s = "work";
}

static void no_visit(void *arg, uint8_t domain, uint16_t ref)
{
    (void)domain;
    STO_ASSERT(ref < 8);
    ++*(unsigned *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct expr_scope scope = {lookup, names, NULL};
    struct sto_err err = {0};
    expr_t *e = NULL;
    if (size < 1 || size > 4096) {
        return 0;
    }
    sto_arena_t *arena = sto_arena_new((size_t)1 << 20);
    char *text = sto_arena_strndup(arena, (const char *)data + 1, size - 1);
    int rc = expr_parse(text, &scope, arena, &e, &err);
    STO_ASSERT((rc == 0) == (e != NULL));
    STO_ASSERT(rc == 0 || err.what[0]);
    if (rc == 0) {
        const struct expr_env env = {.get = get, .arg = data, .today = 14000};
        bool a = false, b = false;
        unsigned reads = 0;
        int r1 = expr_eval(e, &env, &a, &err), r2 = expr_eval(e, &env, &b, &err);
        STO_ASSERT(r1 == r2 && a == b);
        STO_ASSERT(r1 == 0 || r1 == -STO_E_CONDITION);
        expr_reads(e, no_visit, &reads);
        STO_ASSERT(reads <= 256);
    }
    sto_arena_destroy(&arena);
    return 0;
}
