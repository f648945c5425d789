/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checker: fields that the start's condition reads without requiring them, that nothing sets, or
 * that nothing uses. Whether a field has a value where a step reads it is the explorer's.
 */
#include "check_parts.h"
#include "expr_node.h"

static uint64_t collects_of(const struct wf_step *s)
{
    uint64_t bits = s->collects | s->asks_for;
    for (unsigned k = 0; k < s->n_exits; k++) {
        bits |= s->exits[k].collects;
    }
    return bits;
}

/* Fields that a condition reads, and those it asks "is set" of. */
static void reads(const expr_t *e, uint64_t *read, uint64_t *asked)
{
    if (!e) {
        return;
    }
    if (e->domain == WF_DOMAIN_FIELD && e->kind == EXPR_NAME) {
        *read |= UINT64_C(1) << e->ref;
    }
    if (e->domain == WF_DOMAIN_FIELD && e->kind == EXPR_SET) {
        *asked |= UINT64_C(1) << e->ref;
    }
    reads(e->a, read, asked);
    reads(e->b, read, asked);
}

static void check_condition(struct check *c, const expr_t *when, uint64_t set, int line,
                            const char *where)
{
    uint64_t read = 0, asked = 0;
    reads(when, &read, &asked);
    uint64_t unsure = read & ~asked & ~set;
    for (unsigned f = 0; f < c->w->n_fields; f++) {
        if (unsure & (UINT64_C(1) << f)) {
            check_error(c, line, "may-be-unset",
                        "%s reads '%s', which may have no value there; ask '%s is set and …', or "
                        "collect it before",
                        where, c->w->fields[f].id, c->w->fields[f].id);
        }
    }
}

static void check_never_set(struct check *c)
{
    const workflow_t *w = c->w;
    uint64_t set = w->start_requires, used = 0;
    for (unsigned k = 0; k < w->n_steps; k++) {
        set |= collects_of(&w->steps[k]) | w->steps[k].asks_for;
        used |= w->steps[k].carries | w->steps[k].records;
    }
    for (unsigned f = 0; f < w->n_fields; f++) {
        uint64_t bit = UINT64_C(1) << f;
        if (!(set & bit)) {
            check_file_warning(
                c, w->fields[f].file, w->fields[f].line, used & bit ? "never-set" : "unused-field",
                "field '%s' %s", w->fields[f].id,
                used & bit ? "is sent or recorded, but nothing collects or requires it"
                           : "is collected by nothing");
        }
    }
}

void check_data(struct check *c)
{
    const workflow_t *w = c->w;
    check_condition(c, w->start_when, w->start_requires, w->start_line, "the condition of start");
    check_never_set(c);
}
