/* SPDX-License-Identifier: EUPL-1.2 */
#include "starts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fields.h"
#include "keyfile.h"
#include "sto_arena.h"
#include "sto_buf.h"
#include "sto_crypto.h"
#include "sto_file.h"

#define ARENA_BYTES    (1u << 20)
#define FILE_BYTES_MAX (64u << 20)
#define RECEIPTS_MS    60000

/* One start as an event; everything in arena. */
struct made {
    sto_arena_t *arena;
    struct saatto_event e;
    struct saatto_field fields[STO_WF_FIELDS_MAX];
    struct saatto_name names[STO_WF_ROLES_MAX];
};

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s != NULL ? s : "";
}

/* ------------------------------------------------------------------ starter */

int starter_init(struct starter *s, struct reading *r, struct sto_err *err)
{
    char *path = installation_path(r->in, "keys/network.key");

    *s = (struct starter){.r = r};
    int rc = keyfile_secret_read(path, s->network_key, err);
    free(path);
    return rc;
}

void starter_release(struct starter *s)
{
    for (size_t i = 0; i < s->n_orgs; i++) {
        client_close(&s->orgs[i].client);
        sto_wipe(s->orgs[i].secret, sizeof s->orgs[i].secret);
        free(s->orgs[i].organisation);
    }
    s->n_orgs = 0;
}

static int organisation_of(struct starter *s, const char *id, size_t *ix, struct sto_err *err)
{
    for (size_t i = 0; i < s->n_orgs; i++) {
        if (strcmp(s->orgs[i].organisation, id) == 0) {
            *ix = i;
            return 0;
        }
    }
    if (s->n_orgs == STARTS_ORGS_MAX) {
        return sto_fail(err, STO_E_LIMIT, "more than %d organisations start cases at once",
                        STARTS_ORGS_MAX);
    }
    if (network_org_by_id(s->r->net, id) == NULL) {
        return sto_fail(err, STO_E_NOT_FOUND, "there is no organisation '%s'", id);
    }
    char *path = installation_path(s->r->in, "keys/%s.secret", id);
    int rc = keyfile_secret_read(path, s->orgs[s->n_orgs].secret, err);
    free(path);
    if (rc == 0) {
        s->orgs[s->n_orgs].organisation = sto_xstrdup(id);
        *ix = s->n_orgs++;
    }
    return rc;
}

/* The same person for every organisation of the network, nobody to anybody else. */
static void client_reference(const struct starter *s, const char *text, struct sto_uuid *out)
{
    struct sto_err ignored = {0};
    uint8_t hash[32];

    if (sto_uuid_parse(text, out, &ignored) == 0) {
        return;
    }
    sto_hmac_sha256(s->network_key, text, strlen(text), hash);
    memcpy(out->b, hash, sizeof out->b);
}

static int make_fields(const workflow_t *wf, const json_t *set, const uint8_t secret[32],
                       struct made *m, struct sto_err *err)
{
    const char *key;
    json_t *value;
    uint64_t got = 0;

    json_object_foreach((json_t *)(uintptr_t)set, key, value)
    {
        const char *text = json_string_value(value);
        if (text == NULL || text[0] == '\0') {
            continue;
        }
        int rc =
            m->e.n_fields == STO_WF_FIELDS_MAX
                ? sto_fail(err, STO_E_LIMIT, "more than %u fields", STO_WF_FIELDS_MAX)
                : field_from_text(wf, key, text, secret, m->arena, &m->fields[m->e.n_fields], err);
        if (rc != 0) {
            return rc;
        }
        got |= UINT64_C(1) << workflow_field(wf, key);
        m->e.n_fields++;
    }
    for (unsigned i = 0; i < wf->n_fields; i++) {
        if ((wf->start_requires & ~got & (UINT64_C(1) << i)) != 0) {
            return sto_fail(err, STO_E_MISSING_FIELD,
                            "workflow '%s' cannot start without field '%s'", wf->id,
                            wf->fields[i].id);
        }
    }
    m->e.fields = m->fields;
    return 0;
}

static int make_names(const workflow_t *wf, const network_t *net, const json_t *names,
                      struct made *m, struct sto_err *err)
{
    const char *role;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)names, role, value)
    {
        const char *text = json_string_value(value);
        if (text == NULL || text[0] == '\0') {
            continue;
        }
        char *org = sto_arena_strdup(m->arena, text);
        char *slash = strchr(org, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        if (workflow_role(wf, role) < 0) {
            return sto_fail(err, STO_E_UNKNOWN_NAME, "workflow '%s' has no role '%s'", wf->id,
                            role);
        }
        if (network_org_by_id(net, org) == NULL) {
            return sto_fail(err, STO_E_UNKNOWN_NAME, "role '%s': there is no organisation '%s'",
                            role, org);
        }
        m->names[m->e.n_names++] = (struct saatto_name){role, org, slash != NULL ? slash + 1 : ""};
        if (m->e.n_names == STO_WF_ROLES_MAX) {
            break;
        }
    }
    m->e.names = m->names;
    return 0;
}

/* arena must be fresh. *ix: whose key. */
static int make_start(struct starter *s, const json_t *start, struct made *m, size_t *ix,
                      struct sto_err *err)
{
    const workflow_t *wf = NULL;
    struct sto_uuid client = {0};
    const char *record = text_of(start, "record");
    int rc = organisation_of(s, text_of(start, "organisation"), ix, err);

    rc = rc != 0 ? rc : deployed_newest(s->r->deployed, text_of(start, "workflow"), &wf, err);
    if (rc == 0 && record[0] == '\0') {
        rc = sto_fail(err, STO_E_USAGE, "a start needs a record key");
    }
    if (rc != 0) {
        return rc;
    }
    const char *who = text_of(start, "client");
    if (wf->subject == SUBJECT_CLIENT) {
        client_reference(s, who[0] != '\0' ? who : record, &client);
    }
    m->e = (struct saatto_event){.kind = EVENT_START,
                                 .start_workflow = wf->id,
                                 .start_home = sto_arena_strdup(m->arena, text_of(start, "home"))};
    memcpy(m->e.start_client, client.b, sizeof client.b);
    char *key = sto_asprintf("%s/%s", wf->id, record);
    saatto_case_id(s->orgs[*ix].secret, key, m->e.start_client, m->e.case_id);
    if (wf->subject != SUBJECT_CLIENT &&
        who[0] == '\0') { /* about nobody; the record key spreads it */
        memset(m->e.start_client, 0, sizeof m->e.start_client);
    }
    free(key);
    rc = make_fields(wf, json_object_get(start, "set"), s->orgs[*ix].secret, m, err);
    rc = rc != 0 ? rc : make_names(wf, s->r->net, json_object_get(start, "names"), m, err);
    if (rc != 0) {
        sto_err_context(err, "record '%s'", record);
    }
    return rc;
}

int starter_check(struct starter *s, const json_t *start, struct sto_err *err)
{
    struct sto_uuid ignored;

    return starter_case_id(s, start, &ignored, err);
}

int starter_case_id(struct starter *s, const json_t *start, struct sto_uuid *out,
                    struct sto_err *err)
{
    struct made *m = sto_xcalloc(1, sizeof *m);
    size_t ix = 0;

    m->arena = sto_arena_new(ARENA_BYTES);
    int rc = make_start(s, start, m, &ix, err);
    memcpy(out->b, m->e.case_id, sizeof out->b);
    sto_arena_destroy(&m->arena);
    free(m);
    return rc;
}

static int send_start(struct starter *s, const json_t *start, struct start_result *out,
                      struct sto_err *err)
{
    struct made *m = sto_xcalloc(1, sizeof *m);
    size_t ix = 0;

    m->arena = sto_arena_new(ARENA_BYTES);
    int rc = make_start(s, start, m, &ix, err);
    if (rc == 0 && s->orgs[ix].client == NULL) {
        rc = client_open(s->r->in, s->orgs[ix].organisation, &s->orgs[ix].client, err);
    }
    if (rc == 0) {
        *out = (struct start_result){.start = start, .client = s->orgs[ix].client};
        memcpy(out->case_id.b, m->e.case_id, sizeof out->case_id.b);
        out->ticket = client_send(out->client, &m->e, err);
        rc = out->ticket < 0 ? (int)out->ticket : 0;
    }
    sto_arena_destroy(&m->arena);
    free(m);
    return rc;
}

int starter_run(struct starter *s, json_t *const *starts, size_t n, struct start_result *results,
                struct sto_err *err)
{
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = send_start(s, starts[i], &results[i], err);
    }
    for (size_t i = 0; i < s->n_orgs && rc == 0; i++) {
        if (s->orgs[i].client != NULL) {
            rc = client_wait(s->orgs[i].client, RECEIPTS_MS, err);
        }
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        const struct client_answer *a = client_answer(results[i].client, results[i].ticket);
        results[i].code = a->code;
        snprintf(results[i].what, sizeof results[i].what, "%s", a->what);
    }
    return rc;
}

/* ------------------------------------------------------------------ waiting */

int starts_waiting(const installation_t *in, json_t **out, struct sto_err *err)
{
    char *path = installation_path(in, "starts.jsonl");
    char *text = NULL, *save = NULL;
    size_t n = 0;
    int rc = 0;

    *out = json_array();
    if (access(path, F_OK) == 0) {
        rc = sto_file_read(path, FILE_BYTES_MAX, &text, &n, err);
    }
    for (char *line = text != NULL ? strtok_r(text, "\n", &save) : NULL; line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        json_t *o = json_loads(line, 0, NULL);
        if (o != NULL) {
            json_array_append_new(*out, o);
        }
    }
    free(text);
    free(path);
    return rc;
}

static int by_time(const void *a, const void *b)
{
    const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
    json_int_t s = json_integer_value(json_object_get(x, "at_us")),
               t = json_integer_value(json_object_get(y, "at_us"));

    return s != t ? (s < t ? -1 : 1) : strcmp(text_of(x, "record"), text_of(y, "record"));
}

int starts_keep(const installation_t *in, const json_t *list, struct sto_err *err)
{
    size_t n = json_array_size(list);
    json_t **order = sto_xcalloc(n + 1, sizeof(json_t *));
    struct sto_buf b;

    for (size_t i = 0; i < n; i++) {
        order[i] = json_array_get(list, i);
    }
    qsort(order, n, sizeof(json_t *), by_time);
    sto_buf_init(&b, FILE_BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && json_equal(order[i - 1], order[i])) {
            continue; /* the same file was given twice */
        }
        char *line = json_dumps(order[i], JSON_COMPACT);
        sto_put_bytes(&b, line, strlen(line));
        sto_put_bytes(&b, "\n", 1);
        free(line);
    }
    free(order);
    char *path = installation_path(in, "starts.jsonl");
    int rc = b.failed
                 ? sto_fail(err, STO_E_LIMIT, "too many starts wait")
                 : sto_file_write(path, b.len != 0 ? (const void *)b.data : "", b.len, 0600, err);
    free(path);
    sto_buf_release(&b);
    return rc;
}
