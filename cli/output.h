/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * What a command prints. A verb gives rows and objects (jansson) and lines for people; the mode
 * decides which of them reach stdout: with json one value, with jsonl one value a line, with text
 * tables and lines. Nothing else may write to stdout.
 */
#ifndef OUTPUT_H
#define OUTPUT_H
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum output_mode { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_JSONL };

struct output {
    enum output_mode mode;
    FILE *file;
    const char *const *columns; /* "key=Heading", NULL-terminated; of the table that collects */
    json_t *rows;               /* collected rows; NULL = no table began */
    bool failed;
};

void output_init(struct output *o, enum output_mode mode, FILE *file);
bool output_text(const struct output *o);
/* A line for people; with json nothing. */
void output_say(struct output *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Bytes as they are, for what is a file of its own (pictures); with json nothing. */
void output_raw(struct output *o, const void *p, size_t n);
/* A table: columns (borrowed until output_table_end) in text, rows as objects else. row is
 * consumed. */
void output_table(struct output *o, const char *const *columns);
void output_row(struct output *o, json_t *row);
/* none: what text says when there was no row. */
void output_table_end(struct output *o, const char *none);
/* One object; consumed. In text its members as lines, unless the verb says it in its own words
 * (silent). */
void output_object(struct output *o, json_t *object, bool silent);
/* Writes what is left. Returns 0, or -1 if stdout could not be written. */
int output_finish(struct output *o);

#endif
