/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * The cases of a scenario by name: the scenario's own, further ones, and groups of alike ones
 * ("others#3"). What a case does is seen here too: where its tokens stood, and for coverage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_play.h"
#include "sto_crypto.h"

#define GROUP_MAX 500
#define CASES_MAX 2000

const char *case_text(const struct play_case *c, char *buf, size_t cap)
{
    if (c->number) {
        (void)snprintf(buf, cap, "%s#%u", c->name, c->number);
    } else {
        (void)snprintf(buf, cap, "%s", c->name[0] ? c->name : "the case");
    }
    return buf;
}

/* ------------------------------------------------------------------ naming */

/* "19" -> 19 and moves on; 0 = no number from 1 on. */
static unsigned number_of(const char **s)
{
    unsigned n = 0, digits = 0;
    for (; **s >= '0' && **s <= '9' && digits < 4; (*s)++, digits++) {
        n = 10 * n + (unsigned)(**s - '0');
    }
    return n;
}

/* "name", "name#n", "name#n-m": length of the name and the members, 0..UINT_MAX = all. */
static bool split(const char *text, size_t *n_name, unsigned *first, unsigned *last)
{
    const char *hash = strchr(text, '#');
    *n_name = hash ? (size_t)(hash - text) : strlen(text);
    *first = 0;
    *last = CASES_MAX;
    if (!hash) {
        return true;
    }
    const char *s = hash + 1;
    *first = *last = number_of(&s);
    if (*s == '-') {
        s++;
        *last = number_of(&s);
    }
    return *s == '\0' && *first > 0 && *last >= *first;
}

struct play_range case_named(const struct play *p, const char *name)
{
    struct play_range r = {0};
    size_t n;
    unsigned first, last;
    if (!split(name, &n, &first, &last)) {
        return r;
    }
    for (unsigned i = 0; i < p->n_cases; i++) {
        const struct play_case *c = &p->cases[i];
        if (strlen(c->name) == n && strncmp(c->name, name, n) == 0 && c->number >= first &&
            c->number <= last) {
            r.from = r.n == 0 ? i : r.from;
            r.n = i + 1 - r.from;
        }
    }
    return r;
}

bool case_range(struct play *p, const struct sto_conf *entry, struct play_range *out)
{
    const struct sto_conf *at = sto_conf_get(entry, "case");
    const char *name = sto_conf_str(entry, "case", NULL, p->l->diags);
    if (at && !name) {
        p->failed = true;
        return false;
    }
    *out = case_named(p, name ? name : "");
    if (out->n > 0) {
        return true;
    }
    if (!name) {
        play_err(p, entry, "missing-key", "case: which case is it about?");
        return false;
    }
    const char *names[65] = {NULL};
    for (unsigned i = 0, n = 0; i < p->n_cases && n < 64; i++) {
        if (p->cases[i].number <= 1 && p->cases[i].name[0]) {
            names[n++] = p->cases[i].name;
        }
    }
    play_unknown(p, at, "unknown-case", "case", name, names);
    return false;
}

/* ----------------------------------------------------------------- opening */

/* The id follows from the names, so that a scenario is the same each time. */
static void id_of(const struct play *p, const workflow_t *wf, struct play_case *c)
{
    char text[256];
    uint8_t hash[32];
    int n = snprintf(text, sizeof text, "%s/%s#%u", p->name, c->name, c->number);
    size_t len = n < 0 || (size_t)n >= sizeof text ? sizeof text - 1 : (size_t)n;
    sto_sha256_2(wf->id, strlen(wf->id) + 1, text, len, hash);
    sto_uuid_v8(&c->id, hash, hash[31]);
}

static const workflow_t *workflow_of(struct play *p, const struct sto_conf *start)
{
    const struct sto_conf *at = sto_conf_get(start, "workflow");
    const char *id = sto_conf_str(start, "workflow", NULL, p->l->diags);
    const workflow_t *wf = p->own;
    if (!id) {
        if (!wf && !at) {
            play_err(p, start, "missing-key", "workflow: which workflow does the case run on?");
        }
        p->failed = p->failed || at;
        return at ? NULL : wf;
    }
    if (!wf || strcmp(wf->id, id) != 0) {
        wf = p->book->find ? p->book->find(p->book->arg, id) : NULL;
    }
    if (!wf) {
        play_err(p, at, "unknown-workflow", "workflow '%s' is not known, or has errors", id);
    }
    return wf;
}

static struct play_case *add(struct play *p)
{
    if (p->n_cases == p->cap_cases) {
        p->cap_cases = p->cap_cases ? 2 * p->cap_cases : 4;
        p->cases = sto_xrealloc(p->cases, p->cap_cases * sizeof *p->cases);
    }
    memset(&p->cases[p->n_cases], 0, sizeof *p->cases);
    return &p->cases[p->n_cases++];
}

static bool name_free(struct play *p, const struct sto_conf *entry, const char *name)
{
    const struct sto_conf *at = sto_conf_get(entry, "case");
    if (at && !load_id_valid(name)) {
        play_err(p, at, "case", "case '%s': a name has small letters, digits and hyphens", name);
        return false;
    }
    if (case_named(p, name).n > 0) {
        play_err(p, at ? at : entry, "case", "%s%s%s is open already", at ? "case '" : "",
                 at ? name : "the scenario's own case", at ? "'" : "");
        return false;
    }
    return true;
}

bool case_add(struct play *p, const struct sto_conf *entry, const struct sto_conf *start,
              struct play_range *out)
{
    const char *name = sto_conf_str(entry, "case", "", p->l->diags);
    unsigned n = (unsigned)sto_conf_int(start, "count", 0, 1, GROUP_MAX, p->l->diags);
    unsigned cases = n ? n : 1;
    const workflow_t *wf = workflow_of(p, start);
    if (!wf || !name_free(p, entry, name)) {
        p->failed = true;
        return false;
    }
    if (n && !name[0]) {
        play_err(p, start, "case", "count: several cases need a name, case = \"…\"");
        return false;
    }
    if (p->n_cases + cases > CASES_MAX) {
        play_err(p, start, "case", "a scenario has at most %d cases", CASES_MAX);
        return false;
    }
    *out = (struct play_range){p->n_cases, cases};
    for (unsigned i = 0; i < cases; i++) {
        struct play_case *c = add(p);
        c->name = name;
        c->number = n ? i + 1 : 0;
        c->wf = wf;
        id_of(p, wf, c);
    }
    return true;
}

/* ---------------------------------------------------------------- watching */

static struct play_case *case_of(struct play *p, const struct sto_uuid *id)
{
    if (p->case_ix < p->n_cases && sto_uuid_eq(&play_case(p)->id, id)) {
        return play_case(p);
    }
    for (unsigned i = 0; i < p->n_cases; i++) {
        if (sto_uuid_eq(&p->cases[i].id, id)) {
            return &p->cases[i];
        }
    }
    return NULL;
}

void case_watch(void *arg, const struct sto_uuid *id, const struct case_state *before,
                const struct fact *f, const struct case_state *after)
{
    struct play *p = arg;
    struct play_case *c = case_of(p, id);
    STO_ASSERT(c); /* every case of the world was opened by the scenario */
    const workflow_t *wf = world_workflow(p->w, id);
    covers_see(p->covers, c->wf, wf, before, f, after);
    if (wf != c->wf) { /* it goes on in another workflow */
        memset(c->last_token, 0, sizeof c->last_token);
        c->wf = wf;
    }
    for (unsigned i = 0; i < after->n_tokens; i++) {
        const struct token *t = &after->tokens[i];
        if (t->step < wf->n_steps && c->last_token[t->step] <= t->id) {
            c->last_token[t->step] = t->id;
            c->last_entry[t->step] = t->entry;
        }
    }
}
