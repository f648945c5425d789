/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Workflow files: the order of loading, the head and the start. Nouns have files of their own
 * (workflow_load_*.c). Everything reports and goes on; a workflow comes out only without errors, so
 * the engine may rely on every name, target, type and limit.
 */
#include "workflow_scope.h"

#include <stdlib.h>
#include <string.h>

#include "sto_crypto.h"
#include "sto_limits.h"

#define ARENA_BYTES_MAX   (8u << 20)
#define SCRATCH_BYTES_MAX (64u << 20)

static const char *const EXIT_NAMES[] = {[EXIT_NONE] = "",
                                         [EXIT_DONE] = "done",
                                         [EXIT_EXPIRED] = "expired",
                                         [EXIT_TAKEN_OVER] = "taken-over",
                                         [EXIT_RETURNED] = "returned",
                                         [EXIT_GIVEN_BACK] = "given-back",
                                         [EXIT_INTERRUPTED] = "interrupted",
                                         [EXIT_ANSWERED] = "answered",
                                         [EXIT_HELD] = "held",
                                         [EXIT_NO_SHOW] = "no-show",
                                         [EXIT_ATTENDED] = "attended",
                                         [EXIT_EXCUSED] = "excused",
                                         [EXIT_ABSENT] = "absent",
                                         [EXIT_TOO_OFTEN] = "too-often",
                                         [EXIT_DECLINED] = "declined",
                                         [EXIT_WITHDRAWN] = "withdrawn",
                                         [EXIT_NO_BASIS] = "no-basis",
                                         [EXIT_CLIENT_LEFT] = "client-left",
                                         [EXIT_CLIENT_MOVED] = "client-moved",
                                         [EXIT_CLIENT_DIED] = "client-died",
                                         [EXIT_ASKED_FOR] = "asked-for",
                                         [EXIT_JOINED] = "joined",
                                         [EXIT_GOT] = "got",
                                         [EXIT_NONE_FREE] = "none",
                                         [EXIT_GIVEN] = "given",
                                         [EXIT_REFUSED] = "refused",
                                         [EXIT_AGREED] = "agreed",
                                         [EXIT_NOT_AGREED] = "not-agreed"};
_Static_assert(sizeof(EXIT_NAMES) / sizeof(EXIT_NAMES[0]) == EXIT_FIRST_OWN,
               "every fixed exit has its name");

static void load_subject(struct wf_load *x, const struct sto_conf *root)
{
    static const char *const SUBJECTS[] = {"client", "group",  "agreement", "employer",
                                           "panel",  "survey", NULL};
    const char *s = load_str(&x->l, root, "subject", "client", STO_NAME_BYTES_MAX);
    const struct sto_conf *at = sto_conf_get(root, "subject"), *of = sto_conf_get(root, "of");
    int k = load_choice(&x->l, at ? at : root, s, "subject", SUBJECTS);
    x->w->subject = k < 0 ? SUBJECT_CLIENT : (enum subject)k;
    if (of && x->w->subject != SUBJECT_GROUP && x->w->subject != SUBJECT_PANEL) {
        load_err(&x->l, of, "bad-value", "of belongs to the subjects group and panel");
    } else if (of) {
        x->w->of =
            wf_service(x, root, "of", 1u << (k == SUBJECT_GROUP ? SERVICE_SESSION : SERVICE_PANEL));
    }
    x->w->side = sto_conf_bool(root, "side", false, x->l.diags);
    if (x->w->side && x->w->subject != SUBJECT_CLIENT) {
        load_err(&x->l, sto_conf_get(root, "side"), "bad-value",
                 "a side case stands beside the client's lead case; its subject is the client");
    }
}

void wf_check_root_keys(struct wf_load *x, const struct sto_conf *root)
{
    static const char *const KEYS[] = {"id",       "version",   "source",  "purpose",  "roles",
                                       "settings", "data",      "start",   "on",       "steps",
                                       "within",   "meanwhile", "subject", "consents", "of",
                                       "messages", "side",      NULL};
    static const char *const START[] = {"by", "requires", "when", "once", "first", NULL};
    sto_conf_known(root, KEYS, "workflow", x->l.diags);
    sto_conf_known(sto_conf_get(root, "start"), START, "start", x->l.diags);
}

static void load_head(struct wf_load *x)
{
    const struct sto_conf *root = x->root;
    workflow_t *w = x->w;
    wf_check_root_keys(x, root);
    w->id = load_need_str(&x->l, root, "id");
    if (*w->id) {
        load_check_id(&x->l, sto_conf_get(root, "id"), "workflow id", w->id);
    }
    sto_conf_need(root, "version", STO_CONF_INT, x->l.diags);
    w->version = (uint32_t)sto_conf_int(root, "version", 1, 1, UINT32_MAX, x->l.diags);
    w->source = load_str(&x->l, root, "source", "", 200);
    w->purpose = load_need_str(&x->l, root, "purpose");
    load_subject(x, root);
}

static void load_start(struct wf_load *x)
{
    workflow_t *w = x->w;
    const struct sto_conf *g = sto_conf_need(x->root, "start", STO_CONF_GROUP, x->l.diags);
    if (!g) {
        return;
    }
    w->start_line = g->line;
    w->start_by = wf_roles(x, g, "by");
    const struct sto_conf *by = sto_conf_get(g, "by");
    if (!by || (by->type != STO_CONF_STRING && by->n_children == 0)) {
        load_err(&x->l, g, "missing-key",
                 "start: by is missing; it names the roles that may open a case");
    }
    for (unsigned k = 0; k < w->n_roles; k++) {
        if ((w->start_by & (UINT32_C(1) << k)) && w->roles[k].choose != CHOOSE_START) {
            load_err(&x->l, sto_conf_get(g, "by"), "bad-value",
                     "by: role '%s' is chosen otherwise; give it choose = \"start\"",
                     w->roles[k].id);
        }
    }
    w->start_requires = wf_fields(x, g, "requires");
    const char *once = load_str(&x->l, g, "once", "", STO_NAME_BYTES_MAX);
    w->once_client = strcmp(once, "client") == 0;
    if (*once && !w->once_client) {
        load_err(&x->l, sto_conf_get(g, "once"), "bad-value", "once must be 'client', got '%s'",
                 once);
    }
    if (w->once_client && w->subject != SUBJECT_CLIENT) {
        load_err(&x->l, sto_conf_get(g, "once"), "bad-value",
                 "once = \"client\": the case is not about a client");
    }
    wf_first(x, g, WF_ROOT, w->first, &w->n_first);
}

static void load_body(struct wf_load *x, const struct wf_scope *own)
{
    x->scope = own;
    wf_load_roles(x);
    wf_load_settings(x);
    wf_load_fields(x);
    wf_load_messages(x);
    wf_load_consents(x);
    wf_check_names_differ(x, x->root);
    wf_collect_steps(x);
    if (!x->w->steps) {
        return;
    }
    wf_load_steps(x);
    x->scope = own;
    x->w->n_within = (uint8_t)wf_within(x, x->root, x->w->within);
    wf_load_exits(x, own);
    x->scope = own;
    load_start(x);
    wf_load_conditions(x, own);
    wf_check_exits(x, own);
    x->scope = own;
}

/* The workflows that come along, as workflow_bundle() writes them. */
static const struct sto_conf *called_list(struct wf_load *x, const struct sto_conf *root,
                                          const char *key)
{
    const char *const keys[] = {"id", key, NULL};
    const struct sto_conf *list = sto_conf_get(root, "called");
    if (list && list->type != STO_CONF_LIST) {
        load_err(&x->l, list, "wrong-type", "called must be a list ( … ); saatto flow writes it");
        return NULL;
    }
    for (const struct sto_conf *e = list ? list->child : NULL; e; e = e->next) {
        sto_conf_known(e, keys, "called", x->l.diags);
        sto_conf_need(e, "id", STO_CONF_STRING, x->l.diags);
        sto_conf_need(e, key, STO_CONF_GROUP, x->l.diags);
    }
    return list;
}

/* The group `key` of a file. */
static const struct sto_conf *main_group(struct wf_load *x, const struct model_file *file,
                                         const char *key, const struct sto_conf **called)
{
    const char *const keys[] = {key, "called", NULL};
    const struct sto_conf *root = NULL;
    sto_conf_parse(file->name, file->text, file->len, x->l.scratch, x->l.diags, &root);
    if (!root) {
        return NULL;
    }
    sto_conf_known(root, keys, key, x->l.diags);
    *called = called_list(x, root, key);
    return sto_conf_need(root, key, STO_CONF_GROUP, x->l.diags);
}

static void hash_files(workflow_t *w, const struct model_file *file, const struct model_file *texts)
{
    uint8_t h[2][STO_SHA256_BYTES];
    sto_sha256(file->text, file->len, h[0]);
    sto_sha256(texts ? texts->text : "", texts ? texts->len : 0, h[1]);
    sto_sha256(h, sizeof(h), w->hash);
}

static void load_all(struct wf_load *x, const struct model_file *file,
                     const struct model_file *texts)
{
    x->root = main_group(x, file, "workflow", &x->called);
    if (texts && texts->len) {
        x->texts = main_group(x, texts, "texts", &x->called_texts);
    }
    if (!x->root) {
        return;
    }
    const struct wf_scope own = {.root = x->root,
                                 .texts = x->texts,
                                 .prefix = "",
                                 .suffix = "",
                                 .call = WF_ROOT,
                                 .each = WF_NONE,
                                 .over = 0xff};
    load_head(x);
    load_body(x, &own);
    wf_load_texts(x, texts && texts->len);
}

int workflow_load(const struct model_file *file, const struct model_file *texts,
                  const network_t *net, sto_diags_t *diags, workflow_t **out)
{
    STO_ASSERT(file && net && diags && out);
    *out = NULL;
    /* Its own list: the same finding of a called file may stand in the caller's already. */
    sto_diags_t *own = sto_diags_new();
    workflow_t *w = sto_xcalloc(1, sizeof(*w));
    struct wf_load *x = sto_xcalloc(1, sizeof(*x));
    w->arena = sto_arena_new(ARENA_BYTES_MAX);
    w->id = w->source = w->purpose = "";
    memcpy(w->exits, EXIT_NAMES, sizeof(EXIT_NAMES));
    w->n_exits = EXIT_FIRST_OWN;
    x->l =
        (struct load){.arena = w->arena, .scratch = sto_arena_new(SCRATCH_BYTES_MAX), .diags = own};
    x->net = net;
    x->w = w;
    hash_files(w, file, texts);
    load_all(x, file, texts);
    bool good = sto_diags_errors(own) == 0;
    sto_arena_destroy(&x->l.scratch);
    free(x);
    sto_diags_merge(diags, own);
    sto_diags_destroy(&own);
    if (!good) {
        workflow_destroy(&w);
        return -STO_E_CONFIG;
    }
    *out = w;
    return 0;
}
