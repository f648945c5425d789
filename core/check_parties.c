/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Checker: every role finds an organisation, whoever becomes responsible may hold, roles that exits
 * name are named, and what no legal basis of the network would let through.
 */
#include <string.h>

#include "check_parts.h"

static bool gives(const struct check *c, const struct wf_role *r, const struct organisation *o,
                  const int32_t *day)
{
    const struct service *s = network_service_by_id(c->net, r->service);
    return s && service_provider(s, o->number) && (!day || validity_holds(&s->valid, *day)) &&
           (!r->agreement || (s->agreement && *s->agreement));
}

static bool candidate(const struct check *c, unsigned role, const struct organisation *o,
                      const int32_t *day)
{
    const struct wf_role *r = &c->w->roles[role];
    if (day && !validity_holds(&o->valid, *day)) {
        return false;
    }
    for (unsigned k = 0; k < r->n_kinds; k++) {
        if (organisation_is(o, r->kinds[k])) {
            return !*r->service || gives(c, r, o, day);
        }
    }
    return false;
}

bool check_candidate(const struct check *c, unsigned role, const struct organisation *o)
{
    return candidate(c, role, o, NULL);
}

bool check_candidate_on(const struct check *c, unsigned role, const struct organisation *o,
                        int32_t day)
{
    return candidate(c, role, o, &day);
}

struct found {
    unsigned all, may_hold;
};

static struct found find_organisations(const struct check *c, unsigned role)
{
    struct found f = {0};
    for (unsigned k = 0; k < c->net->n_orgs; k++) {
        const struct organisation *o = &c->net->orgs[k];
        if (check_candidate(c, role, o)) {
            f.all++;
            f.may_hold += o->may_hold;
        }
    }
    return f;
}

static void check_roles(struct check *c)
{
    const workflow_t *w = c->w;
    for (unsigned r = 0; r < w->n_roles; r++) {
        struct found f = find_organisations(c, r);
        if (f.all == 0) {
            check_file_error(c, w->roles[r].file, w->roles[r].line, "role-without-organisation",
                             "role '%s' finds no organisation in network '%s'%s%s%s",
                             w->roles[r].id, c->net->id,
                             *w->roles[r].service ? " that gives service '" : "",
                             w->roles[r].service, *w->roles[r].service ? "'" : "");
        } else if ((w->start_by & (UINT32_C(1) << r)) && f.may_hold == 0) {
            check_file_error(c, w->roles[r].file, w->roles[r].line, "starter-cannot-hold",
                             "role '%s' starts cases and is their first holder, but no such "
                             "organisation may hold",
                             w->roles[r].id);
        }
    }
}

static void check_holders(struct check *c)
{
    const workflow_t *w = c->w;
    for (unsigned k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        if (s->type != STEP_HANDOVER || s->to[0] >= w->n_roles) {
            continue;
        }
        struct found f = find_organisations(c, s->to[0]);
        if (f.all > 0 && f.may_hold == 0) {
            check_step_error(
                c, (uint16_t)k, s->line, "cannot-hold",
                "handover '%s' goes to role '%s', but no such organisation may hold a case", s->id,
                w->roles[s->to[0]].id);
        } else if (f.may_hold < f.all) {
            check_step_warning(
                c, (uint16_t)k, s->line, "may-not-hold",
                "handover '%s': %u of the %u organisations of role '%s' may not hold a case", s->id,
                f.all - f.may_hold, f.all, w->roles[s->to[0]].id);
        }
    }
}

/* ------------------------------------------------------------------ named roles */

uint32_t check_uses(const workflow_t *w, const struct wf_step *s)
{
    uint32_t bits = 0;
    const struct {
        const uint8_t *p;
        unsigned n;
    } lists[] = {{&s->role, 1},        {&s->helps, 1},       {s->to, s->n_to},
                 {s->with, s->n_with}, {s->asks, s->n_asks}, {s->agreed_by, s->n_agreed_by}};
    for (unsigned k = 0; k < s->n_parts; k++) {
        bits |= s->parts[k].party < w->n_roles ? UINT32_C(1) << s->parts[k].party : 0;
    }
    for (unsigned k = 0; k < sizeof lists / sizeof lists[0]; k++) {
        for (unsigned j = 0; j < lists[k].n; j++) {
            if (lists[k].p[j] < w->n_roles) {
                bits |= UINT32_C(1) << lists[k].p[j];
            }
        }
    }
    return bits;
}

/* Roles with many whose branches do something. */
static uint32_t used_by_branches(const workflow_t *w, uint32_t used)
{
    uint32_t bits = 0;
    for (unsigned r = 0; r < w->n_roles; r++) {
        if ((used & (UINT32_C(1) << r)) && w->roles[r].branch) {
            bits |= UINT32_C(1) << (r - w->roles[r].branch);
        }
    }
    return bits;
}

static void check_named(struct check *c)
{
    const workflow_t *w = c->w;
    uint32_t named = 0, used = w->start_by;
    for (unsigned k = 0; k < w->n_steps; k++) {
        used |= check_uses(w, &w->steps[k]);
        used |= w->steps[k].type == STEP_EACH && w->steps[k].over < w->n_roles
                    ? UINT32_C(1) << w->steps[k].over
                    : 0;
        for (unsigned e = 0; e < w->steps[k].n_exits; e++) {
            named |= w->steps[k].exits[e].names;
        }
    }
    for (unsigned k = 0; k < w->n_consents; k++) {
        for (unsigned j = 0; j < w->consents[k].n_to; j++) {
            used |= w->consents[k].to[j] < w->n_roles ? UINT32_C(1) << w->consents[k].to[j] : 0;
        }
    }
    for (unsigned k = 0; k < w->n_messages; k++) {
        for (unsigned j = 0; j < w->messages[k].n_from; j++) {
            used |= w->messages[k].from[j] < w->n_roles ? UINT32_C(1) << w->messages[k].from[j] : 0;
        }
    }
    used |= used_by_branches(w, used);
    for (unsigned r = 0; r < w->n_roles; r++) {
        uint32_t bit = UINT32_C(1) << r;
        if (w->roles[r].branch) {
            continue; /* of a role with many: what is said of that holds */
        }
        if ((used & bit) && !(named & bit) && w->roles[r].choose == CHOOSE_STEP) {
            check_file_error(
                c, w->roles[r].file, w->roles[r].line, "never-named",
                "role '%s' is chosen by a step, but no exit names it; write names = [ \"%s\" ]",
                w->roles[r].id, w->roles[r].id);
        }
        /* a called workflow's role is what that one needs when it is started by itself */
        if (!(used & bit) && !strchr(w->roles[r].id, '.')) {
            check_file_warning(c, w->roles[r].file, w->roles[r].line, "unused-role",
                               "role '%s' does nothing", w->roles[r].id);
        }
    }
}

static void check_meetings(struct check *c)
{
    const workflow_t *w = c->w;
    for (unsigned k = 0; k < w->n_steps; k++) {
        const struct wf_step *s = &w->steps[k];
        if (s->meeting != MEETING_AT_STEP || s->meeting_step >= w->n_steps) {
            continue;
        }
        const struct wf_step *m = &w->steps[s->meeting_step];
        if (m->type != STEP_MEETING && m->type != STEP_SESSION) {
            check_step_error(
                c, (uint16_t)k, s->line, "at-no-meeting",
                "step '%s': meeting = \"at:%s\" names a %s; expected a meeting or a session", s->id,
                m->id, step_type_name(m->type));
        }
    }
}

void check_parties(struct check *c)
{
    check_roles(c);
    check_holders(c);
    check_named(c);
    check_meetings(c);
}
