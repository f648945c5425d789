/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Findings about input files. Texts quote input, so control characters are
 * replaced: a finding is printed on terminals and must stay one line.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_conf.h"
#include "sto_limits.h"

#define TEXT_BYTES 2048

struct sto_diags {
    struct sto_diag *items; /* one more than STO_DIAGS_MAX: the last says "too many" */
    size_t n, cap, n_errors;
};

sto_diags_t *sto_diags_new(void)
{
    return sto_xcalloc(1, sizeof(sto_diags_t));
}

void sto_diags_destroy(sto_diags_t **self_p)
{
    if (!self_p || !*self_p) {
        return;
    }
    sto_diags_t *self = *self_p;
    for (size_t i = 0; i < self->n; i++) {
        /* The list owns what `add` copied; the public struct shows it as const. */
        free((void *)(uintptr_t)self->items[i].file);
        free((void *)(uintptr_t)self->items[i].text);
        free((void *)(uintptr_t)self->items[i].code);
    }
    free(self->items);
    free(self);
    *self_p = NULL;
}

static void add(sto_diags_t *d, struct sto_diag item)
{
    if (d->n == d->cap) {
        d->cap = d->cap > 0 ? d->cap * 2 : 16;
        d->items = sto_xrealloc(d->items, d->cap * sizeof(*d->items));
    }
    item.file = sto_xstrdup(item.file ? item.file : "");
    item.text = sto_xstrdup(item.text);
    item.code = sto_xstrdup(item.code);
    d->items[d->n++] = item;
    d->n_errors += item.severity == STO_SEV_ERROR ? 1 : 0;
}

/* What stands after the limit: one entry, an error as soon as an error was dropped. */
static void add_overflow(sto_diags_t *d, enum sto_severity sev)
{
    if (d->n == STO_DIAGS_MAX) {
        add(d, (struct sto_diag){.severity = sev,
                                 .code = "too-many",
                                 .text = "more findings follow that are not shown"});
    } else if (sev == STO_SEV_ERROR && d->items[d->n - 1].severity != STO_SEV_ERROR) {
        for (size_t i = 0; i < d->n; i++) { /* a sort may have moved it */
            if (strcmp(d->items[i].code, "too-many") == 0) {
                d->n_errors += d->items[i].severity == STO_SEV_ERROR ? 0 : 1;
                d->items[i].severity = STO_SEV_ERROR;
            }
        }
    }
}

void sto_diag(sto_diags_t *d, enum sto_severity sev, const char *file, int line, const char *code,
              const char *fmt, ...)
{
    STO_ASSERT(d && code && fmt);
    STO_ASSERT(sev == STO_SEV_ERROR || sev == STO_SEV_WARNING);
    if (d->n >= STO_DIAGS_MAX) {
        add_overflow(d, sev);
        return;
    }
    char text[TEXT_BYTES];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    STO_ASSERT(n >= 0);
    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7F) {
            *p = '?';
        }
    }
    add(d,
        (struct sto_diag){.severity = sev, .line = line, .file = file, .text = text, .code = code});
}

static bool holds(const sto_diags_t *d, const struct sto_diag *x)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct sto_diag *y = &d->items[i];
        if (x->line == y->line && x->severity == y->severity && strcmp(x->text, y->text) == 0 &&
            strcmp(x->code, y->code) == 0 && strcmp(x->file, y->file) == 0) {
            return true;
        }
    }
    return false;
}

void sto_diags_merge(sto_diags_t *d, const sto_diags_t *from)
{
    STO_ASSERT(d && from);
    for (size_t i = 0; i < from->n; i++) {
        const struct sto_diag *x = &from->items[i];
        if (!holds(d, x)) {
            sto_diag(d, x->severity, x->file, x->line, x->code, "%s", x->text);
        }
    }
}

size_t sto_diags_count(const sto_diags_t *d)
{
    STO_ASSERT(d);
    return d->n;
}

size_t sto_diags_errors(const sto_diags_t *d)
{
    STO_ASSERT(d);
    return d->n_errors;
}

const struct sto_diag *sto_diags_at(const sto_diags_t *d, size_t i)
{
    STO_ASSERT(d);
    STO_ASSERT(i < d->n);
    return &d->items[i];
}

static bool after(const struct sto_diag *a, const struct sto_diag *b)
{
    bool a_last = strcmp(a->code, "too-many") == 0;
    bool b_last = strcmp(b->code, "too-many") == 0;
    if (a_last || b_last) {
        return a_last && !b_last;
    }
    int files = strcmp(a->file, b->file);
    return files > 0 || (files == 0 && a->line > b->line);
}

void sto_diags_sort(sto_diags_t *d)
{
    STO_ASSERT(d);
    for (size_t i = 1; i < d->n; i++) { /* insertion: stable, and there are at most 501 */
        struct sto_diag item = d->items[i];
        size_t j = i;
        for (; j > 0 && after(&d->items[j - 1], &item); j--) {
            d->items[j] = d->items[j - 1];
        }
        d->items[j] = item;
    }
}
