/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * One event = one write(2), so that lines of several threads and processes do not
 * mix. A line that is too long is cut and says so. Never blocks on a lock and
 * never allocates: it is called when memory has run out.
 */
#include "sto_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 4096
#define CUT_MARK   " cut=true"

/* The only global of the tree; set once in main before any thread starts. */
static struct {
    char prog[32];
    enum sto_level min;
} logger = {.prog = "saatto", .min = STO_INFO};

struct line {
    char text[LINE_BYTES];
    size_t len;
    bool cut;
};

void sto_log_init(const char *prog, enum sto_level min)
{
    snprintf(logger.prog, sizeof(logger.prog), "%s", prog ? prog : "saatto");
    logger.min = min;
}

static void add(struct line *l, const char *s, size_t n)
{
    if (l->cut || n > sizeof(l->text) - sizeof(CUT_MARK) - 1 - l->len) {
        l->cut = true;
        return;
    }
    memcpy(l->text + l->len, s, n);
    l->len += n;
}

static void add_str(struct line *l, const char *s)
{
    add(l, s, strlen(s));
}

static bool needs_quotes(const char *v)
{
    for (const char *p = v; *p; p++) {
        if ((unsigned char)*p <= ' ' || *p == '=' || *p == '"' || *p == '\\' || *p == 0x7F) {
            return true;
        }
    }
    return *v == '\0';
}

static void add_quoted_char(struct line *l, char c)
{
    char esc[8];
    if (c == '"' || c == '\\') {
        snprintf(esc, sizeof(esc), "\\%c", c);
    } else if (c == '\n') {
        snprintf(esc, sizeof(esc), "\\n");
    } else if ((unsigned char)c < ' ' || c == 0x7F) {
        snprintf(esc, sizeof(esc), "\\x%02x", (unsigned)(unsigned char)c);
    } else {
        add(l, &c, 1);
        return;
    }
    add_str(l, esc);
}

static void add_value(struct line *l, const char *v)
{
    if (!needs_quotes(v)) {
        add_str(l, v);
        return;
    }
    add_str(l, "\"");
    for (; *v; v++) {
        add_quoted_char(l, *v);
    }
    add_str(l, "\"");
}

static void add_head(struct line *l, enum sto_level level, const char *event)
{
    static const char *const LEVELS[] = {"debug", "info", "warn", "error"};
    struct timespec ts = {0};
    struct tm tm = {0};
    char buf[96];
    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    size_t n = strftime(buf, sizeof(buf), "ts=%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(buf + n, sizeof(buf) - n, ".%06ldZ level=%s prog=", ts.tv_nsec / 1000,
             LEVELS[level & 3u]);
    add_str(l, buf);
    add_value(l, logger.prog);
    add_str(l, " event=");
    add_value(l, event);
}

void sto_log(enum sto_level level, const char *event, ...)
{
    if (level < logger.min) {
        return;
    }
    struct line l;
    l.len = 0;
    l.cut = false;
    add_head(&l, level, event);
    va_list ap;
    va_start(ap, event);
    for (const char *key = va_arg(ap, const char *); key; key = va_arg(ap, const char *)) {
        const char *value = va_arg(ap, const char *);
        size_t whole = l.len;
        add_str(&l, " ");
        add_str(&l, key);
        add_str(&l, "=");
        add_value(&l, value ? value : "");
        if (l.cut) {
            l.len = whole; /* half a quoted value would swallow the mark */
            break;
        }
    }
    va_end(ap);
    if (l.cut) {
        memcpy(l.text + l.len, CUT_MARK, sizeof(CUT_MARK) - 1);
        l.len += sizeof(CUT_MARK) - 1;
    }
    l.text[l.len++] = '\n';
    ssize_t done = write(STDERR_FILENO, l.text, l.len);
    (void)done; /* nobody is left to tell */
}

const char *sto_i(int64_t v)
{
    static _Thread_local char bufs[8][24];
    static _Thread_local unsigned next;
    char *buf = bufs[next++ % 8u];
    snprintf(buf, sizeof(bufs[0]), "%" PRId64, v);
    return buf;
}
