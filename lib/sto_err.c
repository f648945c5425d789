/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The table of codes and the error value. Texts that do not fit are cut at a
 * whole UTF-8 character, never refused: an error about an error helps nobody.
 * Nothing is logged here except a failed assertion.
 */
#include "sto_err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_log.h"

static const struct sto_err_row ROWS[] = {
#define X(name, number, text, http, exit_code, retry, explain)                                     \
    {number, #name, text, http, exit_code, retry, explain},
    STO_ERR_TABLE(X)
#undef X
};
#define N_ROWS (sizeof(ROWS) / sizeof(ROWS[0]))

const struct sto_err_row *sto_err_row(int code)
{
    if (code < 0 && code > INT32_MIN) {
        code = -code; /* callers often hold what a function returned */
    }
    for (size_t i = 0; i < N_ROWS; i++) {
        if (ROWS[i].code == code) {
            return &ROWS[i];
        }
    }
    return NULL;
}

const struct sto_err_row *sto_err_row_by_text(const char *text)
{
    STO_ASSERT(text);
    for (size_t i = 0; i < N_ROWS; i++) {
        if (strcmp(ROWS[i].text, text) == 0) {
            return &ROWS[i];
        }
    }
    return NULL;
}

size_t sto_err_rows(const struct sto_err_row **rows)
{
    STO_ASSERT(rows);
    *rows = ROWS;
    return N_ROWS;
}

/* Drop a character that the cut at the buffer's end left incomplete. */
static void trim_cut_utf8(char *s, size_t cap, int wanted)
{
    if (wanted < 0 || (size_t)wanted < cap) {
        return;
    }
    size_t len = strlen(s);
    size_t start = len;
    while (start > 0 && ((unsigned char)s[start - 1] & 0xC0u) == 0x80u) {
        start--;
    }
    if (start == 0) {
        return;
    }
    unsigned char lead = (unsigned char)s[start - 1];
    size_t need = lead >= 0xF0u ? 4u : lead >= 0xE0u ? 3u : lead >= 0xC0u ? 2u : 1u;
    if (len - (start - 1) < need) {
        s[start - 1] = '\0';
    }
}

__attribute__((format(printf, 3, 0))) static void print_cut(char *buf, size_t cap, const char *fmt,
                                                            va_list ap)
{
    trim_cut_utf8(buf, cap, vsnprintf(buf, cap, fmt, ap));
}

int sto_fail(struct sto_err *err, enum sto_code code, const char *fmt, ...)
{
    STO_ASSERT(code != STO_OK);
    STO_ASSERT(fmt);
    if (err) {
        /* The arguments may point into err itself, so print before clearing. */
        char what[sizeof(err->what)];
        va_list ap;
        va_start(ap, fmt);
        print_cut(what, sizeof(what), fmt, ap);
        va_end(ap);
        memset(err, 0, sizeof(*err));
        err->code = (int)code;
        memcpy(err->what, what, sizeof(what));
        err->what[sizeof(err->what) - 1] = '\0';
    }
    return -(int)code;
}

void sto_err_fix(struct sto_err *err, const char *fmt, ...)
{
    STO_ASSERT(fmt);
    if (!err) {
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    print_cut(err->fix, sizeof(err->fix), fmt, ap);
    va_end(ap);
}

void sto_err_context(struct sto_err *err, const char *fmt, ...)
{
    STO_ASSERT(fmt);
    if (!err) {
        return;
    }
    char head[sizeof(err->what)];
    char both[2 * sizeof(err->what) + 2];
    va_list ap;
    va_start(ap, fmt);
    print_cut(head, sizeof(head), fmt, ap);
    va_end(ap);
    int n = snprintf(both, sizeof(both), "%s: %s", head, err->what);
    memcpy(err->what, both, sizeof(err->what));
    err->what[sizeof(err->what) - 1] = '\0';
    trim_cut_utf8(err->what, sizeof(err->what), n);
}

const char *sto_err_format(const struct sto_err *err, char *buf, size_t cap)
{
    STO_ASSERT(err);
    STO_ASSERT(buf && cap > 0);
    const struct sto_err_row *row = sto_err_row(err->code);
    char place[sizeof(err->file) + 16] = "";
    if (err->file[0] && err->line > 0) {
        snprintf(place, sizeof(place), "%s:%d: ", err->file, err->line);
    } else if (err->file[0]) {
        snprintf(place, sizeof(place), "%s: ", err->file);
    }
    int n = snprintf(buf, cap, "%s: %s%s.%s%s%s", row ? row->text : "E-unknown", place, err->what,
                     err->fix[0] ? " Fix: " : "", err->fix, err->fix[0] ? "." : "");
    trim_cut_utf8(buf, cap, n);
    return buf;
}

_Noreturn void sto_assert_failed(const char *expr, const char *file, int line)
{
    sto_log(STO_ERROR, "assert_failed", "expr", expr, "file", file, "line", sto_i(line), NULL);
    abort();
}
