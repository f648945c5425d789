/* SPDX-License-Identifier: EUPL-1.2 */
/* Workflow files: consents and messages. */
#include <string.h>

#include "sto_limits.h"
#include "workflow_scope.h"

/* ------------------------------------------------------------------ consents, messages */

struct category_arg {
    struct wf_load *x;
    uint32_t bits;
};

static void add_category(void *arg, const struct sto_conf *at, const char *s)
{
    struct category_arg *a = arg;
    int bit = network_category(a->x->net, s);
    if (bit >= 0) {
        a->bits |= UINT32_C(1) << bit;
        return;
    }
    const char *names[STO_CATEGORIES_MAX + 1] = {0};
    memcpy(names, a->x->net->categories, a->x->net->n_categories * sizeof(names[0]));
    load_unknown(&a->x->l, at, "unknown-category", "category", s, names);
}

void wf_load_consents(struct wf_load *x)
{
    static const char *const KEYS[] = {"to", "categories", "purpose", "form", "lasts", NULL};
    static const char *const FORMS[] = {"any", "written", "electronic", "oral", NULL};
    struct load *l = &x->l;
    const struct sto_conf *g = load_group(l, x->scope->root, "consents");
    for (const struct sto_conf *c = wf_first_named(x, g ? g->child : NULL, "consent"); c;
         c = wf_first_named(x, c->next, "consent")) {
        if (wf_scope_alias(x->scope, NOUN_CONSENT, c->name)) {
            continue;
        }
        if (!wf_room(x, c, x->w->n_consents, STO_WF_CONSENTS_MAX, "consents")) {
            return;
        }
        sto_conf_known(c, KEYS, "consent", l->diags);
        struct wf_consent *k = &x->w->consents[x->w->n_consents++];
        struct category_arg a = {x, 0};
        k->id = wf_scoped(x, c, c->name);
        k->n_to = (uint8_t)wf_parties(x, c, "to", k->to);
        if (load_strings(l, c, "categories", STO_CATEGORIES_MAX, add_category, &a) == 0 ||
            k->n_to == 0) {
            load_err(l, c, "missing-key",
                     "consent '%s' names its receivers in to and what they get in categories",
                     c->name);
        }
        k->categories = a.bits;
        k->purpose = load_str(l, c, "purpose", x->w->purpose, STO_NAME_BYTES_MAX);
        const char *form = load_str(l, c, "form", "any", STO_NAME_BYTES_MAX);
        int f = load_choice(l, sto_conf_get(c, "form") ? sto_conf_get(c, "form") : c, form, "form",
                            FORMS);
        k->form = f < 0 ? FORM_ANY : (enum consent_form)f;
        k->lasts = load_duration(l, c, "lasts", (struct sto_duration){0, STO_DAYS});
    }
}

struct answer_arg {
    struct wf_load *x;
    struct wf_message *m;
};

static void add_answer(void *arg, const struct sto_conf *at, const char *s)
{
    struct answer_arg *a = arg;
    if (load_check_id(&a->x->l, at, "answer", s)) {
        a->m->answer_exits[a->m->n_answers] = wf_intern(a->x, at, s);
        a->m->answers[a->m->n_answers++] = load_keep(&a->x->l, s);
    }
}

void wf_load_messages(struct wf_load *x)
{
    static const char *const KEYS[] = {"from", "answers", "keep", NULL};
    struct load *l = &x->l;
    const struct sto_conf *g = load_group(l, x->scope->root, "messages");
    for (const struct sto_conf *c = wf_first_named(x, g ? g->child : NULL, "message"); c;
         c = wf_first_named(x, c->next, "message")) {
        if (wf_scope_alias(x->scope, NOUN_MESSAGE, c->name)) {
            continue;
        }
        if (!wf_room(x, c, x->w->n_messages, STO_WF_MESSAGES_MAX, "messages")) {
            return;
        }
        sto_conf_known(c, KEYS, "message", l->diags);
        struct wf_message *m = &x->w->messages[x->w->n_messages++];
        struct answer_arg a = {x, m};
        m->id = wf_scoped(x, c, c->name);
        m->n_from = (uint8_t)wf_parties(x, c, "from", m->from);
        if (m->n_from == 0) {
            load_err(l, c, "missing-key", "message '%s': from is missing; it names who may send it",
                     c->name);
        }
        load_strings(l, c, "answers", sizeof(m->answers) / sizeof(m->answers[0]), add_answer, &a);
        m->keep = sto_conf_bool(c, "keep", false, l->diags);
    }
}
