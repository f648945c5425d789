/* SPDX-License-Identifier: EUPL-1.2 */
#include "capture.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sto_arena.h"
#include "sto_log.h"

#define VALUE_BYTES_MAX (64u << 20)
static const char magic[8] = {'S', 'A', 'A', 'T', 'T', 'O', 'C', '1'};

struct capture {
    FILE *file;
    bool failed;
};

struct capture_reader {
    FILE *file;
    uint8_t *value;
    size_t cap;
};

static void put(struct capture *c, uint32_t v)
{
    uint32_t be = htobe32(v);

    c->failed = fwrite(&be, sizeof be, 1, c->file) != 1 || c->failed;
}

int capture_new(const char *path, struct capture **out, struct sto_err *err)
{
    FILE *f = fopen(path, "we");

    if (f == NULL || fwrite(magic, sizeof magic, 1, f) != 1) {
        int rc = sto_fail(err, STO_E_IO, "could not write capture '%s': %s", path, strerror(errno));
        if (f != NULL) {
            fclose(f);
        }
        return rc;
    }
    setvbuf(f, NULL, _IOFBF, 1u << 20);
    struct capture *c = sto_xcalloc(1, sizeof *c);
    c->file = f;
    *out = c;
    return 0;
}

void capture_destroy(struct capture **self_p)
{
    if (self_p != NULL && *self_p != NULL) {
        fclose((*self_p)->file);
        free(*self_p);
        *self_p = NULL;
    }
}

void capture_write(struct capture *c, const struct pg_params *p, uint32_t events)
{
    if (c->failed) {
        return;
    }
    put(c, events);
    put(c, p->n_calls);
    for (unsigned i = 0; i < p->n_calls; i++) {
        put(c, p->calls[i].statement);
        put(c, p->calls[i].n);
        for (unsigned k = p->calls[i].first; k < p->calls[i].first + p->calls[i].n; k++) {
            size_t n = (size_t)p->values[k].len;
            put(c, (uint32_t)n);
            c->failed = fwrite(p->data + p->values[k].at, 1, n, c->file) != n || c->failed;
        }
    }
    if (c->failed) {
        sto_log(STO_WARN, "capture_failed", "error", strerror(errno), NULL);
    }
}

int capture_open(const char *path, struct capture_reader **out, struct sto_err *err)
{
    char head[sizeof magic];
    FILE *f = fopen(path, "re");

    if (f == NULL) {
        return sto_fail(err, STO_E_IO, "could not read capture '%s': %s", path, strerror(errno));
    }
    if (fread(head, sizeof head, 1, f) != 1 || memcmp(head, magic, sizeof magic) != 0) {
        fclose(f);
        return sto_fail(err, STO_E_CONFIG, "'%s' is no capture of batches", path);
    }
    struct capture_reader *r = sto_xcalloc(1, sizeof *r);
    r->file = f;
    *out = r;
    return 0;
}

void capture_close(struct capture_reader **self_p)
{
    if (self_p != NULL && *self_p != NULL) {
        fclose((*self_p)->file);
        free((*self_p)->value);
        free(*self_p);
        *self_p = NULL;
    }
}

static bool get(struct capture_reader *r, uint32_t *v)
{
    uint32_t be;

    if (fread(&be, sizeof be, 1, r->file) != 1) {
        return false;
    }
    *v = be32toh(be);
    return true;
}

static bool get_value(struct capture_reader *r, struct pg_params *p)
{
    uint32_t n;

    if (!get(r, &n) || n > VALUE_BYTES_MAX) {
        return false;
    }
    if (n > r->cap) {
        r->value = sto_xrealloc(r->value, n);
        r->cap = n;
    }
    if (n > 0 && fread(r->value, 1, n, r->file) != n) {
        return false;
    }
    pg_params_raw(p, r->value, (int)n);
    return true;
}

int capture_read(struct capture_reader *r, struct pg_params *p, uint32_t *events,
                 struct sto_err *err)
{
    uint32_t calls, statement, values;

    pg_params_clear(p);
    if (!get(r, events) || !get(r, &calls)) {
        return 0;
    }
    if (calls > PG_CALLS_MAX) {
        return sto_fail(err, STO_E_MALFORMED, "capture: a batch of %u calls", calls);
    }
    for (uint32_t i = 0; i < calls; i++) {
        if (!get(r, &statement) || !get(r, &values)) {
            return 0;
        }
        if (p->n_values + values > PG_VALUES_MAX) {
            return sto_fail(err, STO_E_MALFORMED, "capture: a call of %u values", values);
        }
        pg_params_call(p, statement);
        for (uint32_t k = 0; k < values; k++) {
            if (!get_value(r, p)) {
                return 0;
            }
        }
    }
    return 1;
}
