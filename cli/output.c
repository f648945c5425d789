/* SPDX-License-Identifier: EUPL-1.2 */
/* Tables, lines and JSON on stdout; see output.h. */
#include "output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sto_err.h"

#define COLUMNS_MAX 16
#define CELL_BYTES  256

void output_init(struct output *o, enum output_mode mode, FILE *file)
{
    *o = (struct output){.mode = mode, .file = file};
}

bool output_text(const struct output *o)
{
    return o->mode == OUTPUT_TEXT;
}

void output_say(struct output *o, const char *fmt, ...)
{
    va_list ap;

    if (o->mode != OUTPUT_TEXT) {
        return;
    }
    va_start(ap, fmt);
    vfprintf(o->file, fmt, ap);
    va_end(ap);
    fputc('\n', o->file);
    fflush(o->file);
}

void output_raw(struct output *o, const void *p, size_t n)
{
    if (o->mode == OUTPUT_TEXT && n > 0 && fwrite(p, 1, n, o->file) != n) {
        o->failed = true;
    }
}

static void dump(struct output *o, const json_t *v, size_t flags)
{
    if (json_dumpf(v, o->file, flags | JSON_ENCODE_ANY) != 0) {
        o->failed = true;
    }
    fputc('\n', o->file);
}

void output_table(struct output *o, const char *const *columns)
{
    STO_ASSERT(o->rows == NULL);
    o->columns = columns;
    o->rows = json_array();
}

void output_row(struct output *o, json_t *row)
{
    STO_ASSERT(o->rows != NULL);
    if (o->mode == OUTPUT_JSONL) {
        dump(o, row, JSON_COMPACT);
        json_decref(row);
        return;
    }
    json_array_append_new(o->rows, row);
}

/* One value as people read it. */
static void cell(const json_t *v, char *buf, size_t cap)
{
    if (v == NULL || json_is_null(v)) {
        snprintf(buf, cap, "–");
    } else if (json_is_string(v)) {
        snprintf(buf, cap, "%s", json_string_value(v));
    } else if (json_is_boolean(v)) {
        snprintf(buf, cap, "%s", json_is_true(v) ? "yes" : "no");
    } else if (json_is_integer(v)) {
        snprintf(buf, cap, "%lld", (long long)json_integer_value(v));
    } else if (json_is_array(v)) {
        size_t n = 0;
        buf[0] = '\0';
        for (size_t i = 0; i < json_array_size(v) && n < cap; i++) {
            char one[CELL_BYTES];
            cell(json_array_get(v, i), one, sizeof one);
            n += (size_t)snprintf(buf + n, cap - n, "%s%s", i != 0 ? ", " : "", one);
        }
    } else {
        char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        snprintf(buf, cap, "%s", text != NULL ? text : "");
        free(text);
    }
}

/* Characters, not bytes: headings and names are UTF-8. */
static size_t width(const char *s)
{
    size_t n = 0;

    for (; *s != '\0'; s++) {
        n += ((unsigned char)*s & 0xc0) != 0x80;
    }
    return n;
}

static void put_padded(FILE *f, const char *s, size_t to, bool last)
{
    fputs(s, f);
    for (size_t n = width(s); n < to && !last; n++) {
        fputc(' ', f);
    }
    fputs(last ? "\n" : "  ", f);
}

static const char *heading(const char *column, char *key, size_t cap)
{
    const char *eq = strchr(column, '=');

    STO_ASSERT(eq != NULL && (size_t)(eq - column) < cap);
    memcpy(key, column, (size_t)(eq - column));
    key[eq - column] = '\0';
    return eq + 1;
}

static void print_table(struct output *o)
{
    size_t wide[COLUMNS_MAX] = {0};
    size_t n = 0;
    char key[64], text[CELL_BYTES];

    for (; o->columns[n] != NULL; n++) {
        STO_ASSERT(n < COLUMNS_MAX);
        wide[n] = width(heading(o->columns[n], key, sizeof key));
        for (size_t r = 0; r < json_array_size(o->rows); r++) {
            cell(json_object_get(json_array_get(o->rows, r), key), text, sizeof text);
            wide[n] = width(text) > wide[n] ? width(text) : wide[n];
        }
    }
    for (size_t i = 0; i < n; i++) {
        put_padded(o->file, heading(o->columns[i], key, sizeof key), wide[i], i + 1 == n);
    }
    for (size_t r = 0; r < json_array_size(o->rows); r++) {
        for (size_t i = 0; i < n; i++) {
            heading(o->columns[i], key, sizeof key);
            cell(json_object_get(json_array_get(o->rows, r), key), text, sizeof text);
            put_padded(o->file, text, wide[i], i + 1 == n);
        }
    }
}

void output_table_end(struct output *o, const char *none)
{
    STO_ASSERT(o->rows != NULL);
    if (o->mode == OUTPUT_JSON) {
        dump(o, o->rows, JSON_INDENT(2));
    } else if (o->mode == OUTPUT_TEXT && json_array_size(o->rows) == 0) {
        fprintf(o->file, "%s\n", none);
    } else if (o->mode == OUTPUT_TEXT) {
        print_table(o);
    }
    json_decref(o->rows);
    o->rows = NULL;
}

void output_object(struct output *o, json_t *object, bool silent)
{
    if (o->mode == OUTPUT_JSONL) {
        dump(o, object, JSON_COMPACT);
    } else if (o->mode == OUTPUT_JSON) {
        dump(o, object, JSON_INDENT(2));
    } else if (!silent) {
        const char *key;
        json_t *value;
        char text[CELL_BYTES];
        json_object_foreach(object, key, value)
        {
            cell(value, text, sizeof text);
            fprintf(o->file, "%-18s %s\n", key, text);
        }
    }
    json_decref(object);
}

int output_finish(struct output *o)
{
    if (o->rows != NULL) { /* the verb failed in the middle of a table */
        json_decref(o->rows);
        o->rows = NULL;
    }
    return fflush(o->file) != 0 || ferror(o->file) || o->failed ? -1 : 0;
}
