/* SPDX-License-Identifier: EUPL-1.2 */
/* Network files: working-time calendars (opening hours, closed weeks, public holidays). */
#include <stdio.h>
#include <string.h>

#include "network_load.h"
#include "sto_limits.h"

static const char *const DAYS[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

struct open_arg {
    struct load *l;
    struct calendar *cal;
    uint32_t days;
    struct calendar_span spans[CALENDAR_SPANS_MAX];
    unsigned n;
};

static void add_day(void *arg, const struct sto_conf *at, const char *s)
{
    struct open_arg *a = arg;
    int k = load_choice(a->l, at, s, "a day", DAYS);
    if (k >= 0) {
        a->days |= UINT32_C(1) << k;
    }
}

static int two_digits(const char *s)
{
    return s[0] >= '0' && s[0] <= '9' && s[1] >= '0' && s[1] <= '9' ? (s[0] - '0') * 10 + s[1] - '0'
                                                                    : -1000;
}

/* "08:00-16:00"; 24:00 as an end is midnight. */
static void add_span(void *arg, const struct sto_conf *at, const char *s)
{
    struct open_arg *a = arg;
    bool form = strlen(s) == 11 && s[2] == ':' && s[5] == '-' && s[8] == ':';
    int h1 = form ? two_digits(s) : -1, m1 = form ? two_digits(s + 3) : 0;
    int h2 = form ? two_digits(s + 6) : -1, m2 = form ? two_digits(s + 9) : 0;
    int from = h1 * 60 + m1, to = h2 * 60 + m2;
    if (h1 < 0 || h2 < 0 || m1 < 0 || m2 < 0 || m1 > 59 || m2 > 59 || from >= to || to > 24 * 60) {
        load_err(a->l, at, "bad-value", "hours: '%s' is no span of a day; expected \"08:00-16:00\"",
                 s);
        return;
    }
    if (a->n && from < a->spans[a->n - 1].to_min) {
        load_err(a->l, at, "bad-value", "hours: '%s' begins before the span before it ends", s);
        return;
    }
    a->spans[a->n++] = (struct calendar_span){(int16_t)from, (int16_t)to};
}

static void load_open(struct load *l, struct calendar *cal, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"days", "hours", NULL};
    if (c->type != STO_CONF_GROUP) {
        load_err(l, c, "wrong-type",
                 "open must hold groups { days = [ \"mon\" ]; hours = [ \"08:00-16:00\" ]; }");
        return;
    }
    sto_conf_known(c, KEYS, "opening hours", l->diags);
    struct open_arg a = {.l = l, .cal = cal};
    if (load_strings(l, c, "days", 7, add_day, &a) == 0 ||
        load_strings(l, c, "hours", CALENDAR_SPANS_MAX, add_span, &a) == 0) {
        load_err(l, c, "missing-key", "opening hours need days and hours");
        return;
    }
    for (unsigned day = 0; day < 7; day++) {
        if (!(a.days & (UINT32_C(1) << day))) {
            continue;
        }
        if (cal->open[day][0].to_min) {
            load_err(l, c, "duplicate", "%s already has hours in this calendar", DAYS[day]);
        }
        memcpy(cal->open[day], a.spans, sizeof(a.spans));
    }
}

/* "2008-07-07..2008-07-20" or one date. */
static void add_closed(void *arg, const struct sto_conf *at, const char *s)
{
    struct open_arg *a = arg;
    char from[16] = "", to[16] = "";
    const char *dots = strstr(s, "..");
    size_t n = dots ? (size_t)(dots - s) : strlen(s);
    int32_t d1 = 0, d2 = 0;
    bool bad = n >= sizeof(from) || (dots && strlen(dots + 2) >= sizeof(to));
    if (!bad) {
        (void)snprintf(from, sizeof(from), "%.*s", (int)n, s);
        (void)snprintf(to, sizeof(to), "%s", dots ? dots + 2 : from);
        bad = sto_day_parse(from, &d1, NULL) || sto_day_parse(to, &d2, NULL) || d1 > d2;
    }
    if (bad) {
        load_err(a->l, at, "bad-date",
                 "closed: '%.40s' is no range; expected \"2008-07-07..2008-07-20\"", s);
        return;
    }
    a->cal->closed[a->cal->n_closed].from_day = d1;
    a->cal->closed[a->cal->n_closed].to_day = d2;
    a->cal->n_closed++;
}

static void load_calendar(struct load *l, network_t *n, const struct sto_conf *c)
{
    static const char *const KEYS[] = {"open", "closed", "holidays", NULL};
    sto_conf_known(c, KEYS, "calendar", l->diags);
    struct calendar_def *def = &n->calendars[n->n_calendars++];
    def->id = load_keep(l, c->name);
    const struct sto_conf *open = sto_conf_need(c, "open", STO_CONF_LIST, l->diags);
    for (const struct sto_conf *o = open ? open->child : NULL; o; o = o->next) {
        load_open(l, &def->cal, o);
    }
    if (open && open->n_children == 0) {
        load_err(l, open, "bad-value", "calendar '%s' never opens; name at least one day", def->id);
    }
    struct open_arg a = {.l = l, .cal = &def->cal};
    load_strings(l, c, "closed", CALENDAR_CLOSED_MAX, add_closed, &a);
    def->cal.holidays = sto_conf_bool(c, "holidays", true, l->diags);
}

void network_load_calendars(struct load *l, network_t *n, const struct sto_conf *g)
{
    for (const struct sto_conf *c = g ? g->child : NULL; c; c = c->next) {
        if (c->type != STO_CONF_GROUP) {
            load_err(l, c, "wrong-type", "calendar '%s' must be a group { … }", c->name);
        } else if (n->n_calendars == STO_CALENDARS_MAX) {
            load_err(l, c, "too-many", "a network has at most %u calendars", STO_CALENDARS_MAX);
            return;
        } else if (load_check_id(l, c, "calendar", c->name)) {
            load_calendar(l, n, c);
        }
    }
    if (n->n_calendars == 0) {
        n->calendars[0].id = "office";
        calendar_default(&n->calendars[0].cal);
        n->n_calendars = 1;
    }
}

int network_load_calendar_ix(struct load *l, const network_t *n, const struct sto_conf *g,
                             int fallback)
{
    const char *id = load_str(l, g, "calendar", "", STO_NAME_BYTES_MAX);
    if (!*id) {
        return fallback;
    }
    const char *names[STO_CALENDARS_MAX + 1] = {0};
    for (int k = 0; k < n->n_calendars; k++) {
        if (strcmp(n->calendars[k].id, id) == 0) {
            return k;
        }
        names[k] = n->calendars[k].id;
    }
    load_unknown(l, sto_conf_get(g, "calendar"), "unknown-calendar", "calendar", id, names);
    return fallback;
}
