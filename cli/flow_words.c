/* SPDX-License-Identifier: EUPL-1.2 */
#include "flow_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"
#include "sto_buf.h"
#include "sto_file.h"
#include "sto_limits.h"

#define ARENA_BYTES ((size_t)32 * 1024 * 1024)

struct teller {
    const char *lang;
    const network_t *net;
    const workflow_t *wf;
    const struct sto_conf *words; /* group `texts` of words.cfg */
    sto_arena_t *arena;
};

static int read_words(teller_t *t, struct sto_err *err)
{
    const struct sto_conf *root = NULL;
    sto_diags_t *diags = sto_diags_new();
    char *home = sto_home_dir(), *path = sto_asprintf("%s/workflows/words.cfg", home), *text = NULL;
    size_t len = 0;
    int rc = sto_file_read(path, STO_CONF_FILE_BYTES_MAX, &text, &len, err);
    if (rc == 0 && sto_conf_parse("words.cfg", text, len, t->arena, diags, &root) != 0) {
        rc = sto_fail(err, STO_E_CONFIG, "'%s' has faults; saatto flow fmt names them", path);
    }
    t->words = root != NULL ? sto_conf_get(root, "texts") : NULL;
    sto_diags_destroy(&diags);
    free(text);
    free(path);
    free(home);
    return rc;
}

int teller_new(const char *lang, const network_t *net, const workflow_t *wf, teller_t **out,
               struct sto_err *err)
{
    *out = NULL;
    if (strcmp(lang, "fi") != 0 && strcmp(lang, "sv") != 0 && strcmp(lang, "en") != 0) {
        return sto_fail(err, STO_E_USAGE, "--lang is fi, sv or en, got '%s'", lang);
    }
    teller_t *t = sto_xcalloc(1, sizeof *t);
    *t = (teller_t){.lang = lang, .net = net, .wf = wf, .arena = sto_arena_new(ARENA_BYTES)};
    int rc = read_words(t, err);
    if (rc != 0) {
        teller_destroy(&t);
    }
    *out = t;
    return rc;
}

void teller_destroy(teller_t **self_p)
{
    if (self_p != NULL && *self_p != NULL) {
        sto_arena_destroy(&(*self_p)->arena);
        free(*self_p);
        *self_p = NULL;
    }
}

sto_arena_t *teller_arena(const teller_t *self)
{
    return self->arena;
}

const workflow_t *teller_workflow(const teller_t *self)
{
    return self->wf;
}

const network_t *teller_network(const teller_t *self)
{
    return self->net;
}

/* --------------------------------------------------------------------- words */

static const char *kept(const teller_t *t, const char *s, size_t n)
{
    const char *copy = sto_arena_strndup(t->arena, s, n);
    return copy != NULL ? copy : "";
}

static const char *word(const teller_t *t, const char *key)
{
    const struct sto_conf *g = t->words != NULL ? sto_conf_get(t->words, key) : NULL;
    const struct sto_conf *s =
        g != NULL && g->type == STO_CONF_GROUP ? sto_conf_get(g, t->lang) : NULL;
    return s != NULL && s->type == STO_CONF_STRING ? s->s : NULL;
}

static const char *filled(const teller_t *t, const char *pattern, const char *a, const char *b)
{
    struct sto_buf out;
    sto_buf_init(&out, 0);
    for (const char *p = pattern; *p != '\0'; p++) {
        bool place = p[0] == '{' && (p[1] == '1' || p[1] == '2') && p[2] == '}';
        const char *with = !place ? NULL : p[1] == '1' ? a : b;
        if (place) {
            sto_put_bytes(&out, with != NULL ? with : "", with != NULL ? strlen(with) : 0);
            p += 2;
        } else {
            sto_put_bytes(&out, p, 1);
        }
    }
    const char *s = kept(t, (const char *)out.data, out.len);
    sto_buf_release(&out);
    return s;
}

const char *tell(const teller_t *self, const char *key, const char *a, const char *b)
{
    const char *pattern = word(self, key);
    return pattern != NULL ? filled(self, pattern, a, b) : key;
}

const char *tell_join(const teller_t *self, const char *a, const char *between, const char *b)
{
    if (*a == '\0' || *b == '\0') {
        return *a == '\0' ? b : a;
    }
    char *s = sto_asprintf("%s%s%s", a, between, b);
    const char *copy = kept(self, s, strlen(s));
    free(s);
    return copy;
}

const char *tell_number(const teller_t *self, int64_t n)
{
    char s[24];
    snprintf(s, sizeof s, "%" PRId64, n);
    return kept(self, s, strlen(s));
}

/* --------------------------------------------------------------------- names */

/* Without the path of a call and the number of an each's branch: "support.find#2" is "find". */
static const char *last_part(const char *id)
{
    const char *dot = strrchr(id, '.');
    return dot != NULL ? dot + 1 : id;
}

static const char *text_of(const teller_t *t, const char *id)
{
    const char *s = workflow_text(t->wf, id, t->lang);
    if (*s == '\0') {
        const char *part = last_part(id);
        s = workflow_text(t->wf, kept(t, part, strcspn(part, "#")), t->lang);
    }
    return s;
}

const char *tell_name(const teller_t *self, const char *id)
{
    const char *s = text_of(self, id);
    if (*s != '\0') {
        return s;
    }
    const char *part = last_part(id);
    size_t n = strcspn(part, "#");
    char *bare = sto_arena_strndup(self->arena, part, n);
    for (char *p = bare; p != NULL && *p != '\0'; p++) {
        *p = *p == '-' || *p == '_' ? ' ' : *p;
    }
    return bare != NULL ? bare : "";
}

const char *tell_title(const teller_t *self)
{
    return tell_name(self, self->wf->id);
}

const char *tell_id(const teller_t *self, uint16_t step)
{
    const char *id = self->wf->steps[step].id;
    return kept(self, id, strcspn(id, "#"));
}

const char *tell_step(const teller_t *self, uint16_t step)
{
    return tell_name(self, self->wf->steps[step].id);
}

static const char *prefixed(const teller_t *t, const char *prefix, const char *id)
{
    char *key = sto_asprintf("%s-%s", prefix, id);
    const char *s = word(t, key);
    free(key);
    return s;
}

const char *tell_type(const teller_t *self, enum step_type type)
{
    static const char *const NAMES[STEP_TYPE_LAST + 1] = {
        "",        "task",    "meeting", "handover", "referral", "consult", "session",
        "decide",  "notify",  "wait",    "stage",    "end",      "panel",   "place",
        "consent", "measure", "plan",    "each",     "call"};
    const char *id = (unsigned)type <= STEP_TYPE_LAST ? NAMES[type] : "";
    const char *s = prefixed(self, "type", id);
    return s != NULL ? s : id;
}

const char *tell_party(const teller_t *self, unsigned party)
{
    if (party == PARTY_HOLDER || party == PARTY_SENDER || party == PARTY_CLIENT) {
        return tell(self,
                    party == PARTY_HOLDER   ? "party-holder"
                    : party == PARTY_SENDER ? "party-sender"
                                            : "party-client",
                    NULL, NULL);
    }
    return party < self->wf->n_roles ? tell_name(self, self->wf->roles[party].id) : "";
}

const char *tell_parties(const teller_t *self, const uint8_t *v, unsigned n)
{
    const char *s = "";
    for (unsigned i = 0; i < n; i++) {
        s = tell_join(self, s, ", ", tell_party(self, v[i]));
    }
    return s;
}

const char *tell_exit(const teller_t *self, unsigned exit)
{
    const char *id = self->wf->exits[exit];
    const char *s = text_of(self, id);
    if (*s != '\0') {
        return s;
    }
    s = prefixed(self, "exit", id);
    size_t n = strlen(id);
    if (s == NULL && n > 5 && strcmp(id + n - 5, "-lost") == 0) {
        s = tell(self, "lost", tell_name(self, kept(self, id, n - 5)), NULL);
    }
    return s != NULL ? s : tell_name(self, id);
}

const char *tell_fields(const teller_t *self, uint64_t fields)
{
    const char *s = "";
    for (unsigned i = 0; i < self->wf->n_fields; i++) {
        if (fields >> i & 1) {
            s = tell_join(self, s, ", ", tell_name(self, self->wf->fields[i].id));
        }
    }
    return s;
}

const char *tell_roles(const teller_t *self, uint32_t roles)
{
    const char *s = "";
    for (unsigned i = 0; i < self->wf->n_roles; i++) {
        if (roles >> i & 1) {
            s = tell_join(self, s, ", ", tell_name(self, self->wf->roles[i].id));
        }
    }
    return s;
}

const char *tell_outcome(const teller_t *self, const struct wf_step *end)
{
    return end->outcome != NULL && *end->outcome != '\0' ? tell_name(self, end->outcome) : "";
}

/* --------------------------------------------------------------------- times */

static const char *counted(const teller_t *t, int64_t n, const char *one, const char *several)
{
    return tell_join(t, tell_number(t, n), " ", tell(t, n == 1 ? one : several, NULL, NULL));
}

const char *tell_duration(const teller_t *self, struct sto_duration d)
{
    static const char *const ONE[] = {[STO_MINUTES] = "minute",
                                      [STO_HOURS] = "hour",
                                      [STO_DAYS] = "day",
                                      [STO_WEEKS] = "week",
                                      [STO_MONTHS] = "month",
                                      [STO_YEARS] = "year",
                                      [STO_BUSINESS_DAYS] = "business-day",
                                      [STO_BUSINESS_HOURS] = "business-hour"};
    static const char *const SEVERAL[] = {[STO_MINUTES] = "minutes",
                                          [STO_HOURS] = "hours",
                                          [STO_DAYS] = "days",
                                          [STO_WEEKS] = "weeks",
                                          [STO_MONTHS] = "months",
                                          [STO_YEARS] = "years",
                                          [STO_BUSINESS_DAYS] = "business-days",
                                          [STO_BUSINESS_HOURS] = "business-hours"};
    return counted(self, d.n, ONE[d.unit], SEVERAL[d.unit]);
}

static const char *setting(const teller_t *t, unsigned ix, bool days)
{
    if (ix >= t->wf->n_settings) {
        return "";
    }
    const struct wf_setting *s = &t->wf->settings[ix];
    const char *value = !days ? tell_duration(t, s->d_def)
                              : counted(t, s->def, "attendance-day", "attendance-days");
    return tell(t, "setting", value, s->id);
}

const char *tell_when(const teller_t *self, const struct wf_when *w)
{
    switch (w->kind) {
    case WHEN_DURATION:
        return tell_duration(self, w->d);
    case WHEN_SETTING:
        return setting(self, w->ix, false);
    case WHEN_UNTIL_FIELD:
        return tell(self, "until", tell_name(self, self->wf->fields[w->ix].id), NULL);
    case WHEN_ATTENDANCE:
        return w->days == 0 ? setting(self, w->ix, true)
                            : counted(self, w->days, "attendance-day", "attendance-days");
    case WHEN_NONE:
        break;
    }
    return "";
}

const char *tell_within(const teller_t *self, const struct wf_when *v, unsigned n)
{
    const char *s = "";
    for (unsigned i = 0; i < n; i++) {
        const char *one = tell_when(self, &v[i]);
        if (v[i].kind != WHEN_UNTIL_FIELD && *one != '\0') {
            one = tell(self, "within", one, NULL);
        }
        s = *s == '\0' ? one : tell(self, "within-or", s, one);
    }
    return s;
}

static const char *event_name(const teller_t *t, unsigned event)
{
    static const char *const EVENTS[] = {"",
                                         "exit-client-left",
                                         "exit-client-moved",
                                         "exit-client-died",
                                         "exit-asked-for",
                                         "exit-invited",
                                         "exit-moved",
                                         "exit-absent"};
    for (unsigned i = 0; i < t->wf->n_consents; i++) {
        if (event == WF_EVENT_CONSENT_LOST_0 + i) {
            return tell(t, "lost", tell_name(t, t->wf->consents[i].id), NULL);
        }
    }
    for (unsigned i = 0; i < t->wf->n_messages; i++) {
        if (event == WF_EVENT_MESSAGE_0 + i) {
            return tell_name(t, t->wf->messages[i].id);
        }
    }
    return tell(t, EVENTS[event < 8 ? event : 0], NULL, NULL);
}

const char *tell_starts(const teller_t *self, const struct wf_starts *s)
{
    bool days = s->kind == STARTS_ATTENDANCE, literal = s->d.n != 0 || s->days != 0;
    const char *time =
        s->kind == STARTS_NONE || s->kind == STARTS_EVENT || s->kind == STARTS_HALF_WAY ? ""
        : !literal ? setting(self, s->setting, days)
        : days     ? counted(self, s->days, "attendance-day", "attendance-days")
                   : tell_duration(self, s->d);
    switch (s->kind) {
    case STARTS_AFTER:
    case STARTS_ATTENDANCE:
        return tell(self, "starts-after", time, NULL);
    case STARTS_EVERY:
        return tell(self, "starts-every", time, NULL);
    case STARTS_BEFORE_END:
        return tell(self, "starts-before-end", time, NULL);
    case STARTS_HALF_WAY:
        return tell(self, "starts-half-way", NULL, NULL);
    case STARTS_EVENT:
        return tell(self, "starts-event", event_name(self, s->event), NULL);
    case STARTS_NONE:
        break;
    }
    return "";
}
