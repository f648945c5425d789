/* SPDX-License-Identifier: EUPL-1.2 */
#include "fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "sto_crypto.h"
#include "sto_time.h"

static const char seal_mark[] = "sealed:";

const char *assignment_split(const char *text, char *key, size_t cap)
{
    const char *eq = strchr(text, '=');

    if (eq == NULL || eq == text || (size_t)(eq - text) >= cap) {
        return NULL;
    }
    memcpy(key, text, (size_t)(eq - text));
    key[eq - text] = '\0';
    return eq + 1;
}

static int integer_from(const char *name, const char *text, struct saatto_field *out,
                        struct sto_err *err)
{
    char *end = NULL;

    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0) {
        return sto_fail(err, STO_E_FIELD, "field '%s' is an integer, got '%s'", name, text);
    }
    out->type = SAATTO_INTEGER;
    out->integer = v;
    return 0;
}

static int boolean_from(const char *name, const char *text, struct saatto_field *out,
                        struct sto_err *err)
{
    bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    bool no = strcmp(text, "no") == 0 || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;

    if (!yes && !no) {
        return sto_fail(err, STO_E_FIELD, "field '%s' is yes or no, got '%s'", name, text);
    }
    out->type = SAATTO_BOOLEAN;
    out->integer = yes;
    return 0;
}

static int sealed_from(const struct wf_field *f, const char *text, const uint8_t secret[32],
                       sto_arena_t *arena, struct saatto_field *out, struct sto_err *err)
{
    size_t n = strlen(text), mark = sizeof seal_mark - 1, total = mark + n + STO_AEAD_OVERHEAD;
    uint8_t *p = sto_arena_alloc(arena, total);

    if (p == NULL || (f->bytes_max != 0 && total > f->bytes_max)) {
        return sto_fail(err, STO_E_FIELD, "field '%s' is too long to be sealed: %zu bytes of %u",
                        f->id, total, f->bytes_max);
    }
    memcpy(p, seal_mark, mark);
    sto_aead_seal(secret, f->id, strlen(f->id), text, n, p + mark);
    out->type = SAATTO_SEALED;
    out->bytes = p;
    out->n_bytes = total;
    return 0;
}

int field_from_text(const workflow_t *wf, const char *name, const char *text,
                    const uint8_t secret[32], sto_arena_t *arena, struct saatto_field *out,
                    struct sto_err *err)
{
    int ix = workflow_field(wf, name);

    if (ix < 0) {
        const char *names[STO_WF_FIELDS_MAX + 1] = {NULL};
        for (unsigned i = 0; i < wf->n_fields; i++) {
            names[i] = wf->fields[i].id;
        }
        const char *near = sto_nearest(name, names);
        int rc = sto_fail(err, STO_E_UNKNOWN_NAME, "workflow '%s' has no field '%s'", wf->id, name);
        if (near != NULL) {
            sto_err_fix(err, "did you mean '%s'", near);
        }
        return rc;
    }
    const struct wf_field *f = &wf->fields[ix];
    *out = (struct saatto_field){.name = f->id, .type = SAATTO_TEXT};
    if (f->type == FIELD_HETU && !hetu_valid(text)) {
        return sto_fail(err, STO_E_FIELD, "field '%s' is not a valid identity code", name);
    }
    if (f->sealed) {
        return sealed_from(f, text, secret, arena, out, err);
    }
    if (f->type == FIELD_INTEGER) {
        return integer_from(name, text, out, err);
    }
    if (f->type == FIELD_BOOLEAN) {
        return boolean_from(name, text, out, err);
    }
    int32_t day;
    if (f->type == FIELD_DATE && sto_day_parse(text, &day, err) != 0) {
        sto_err_context(err, "field '%s'", name);
        return -STO_E_FIELD;
    }
    out->text = sto_arena_strdup(arena, text);
    return out->text != NULL ? 0 : sto_fail(err, STO_E_LIMIT, "field '%s' is too long", name);
}
