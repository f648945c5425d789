/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Workflows for tests of the engine that have every kind of step: places of the network,
 * a panel, a consent, a plan, an instrument, a series, an each, an end that continues.
 */
#ifndef ENGINE_KINDS_H
#define ENGINE_KINDS_H
#include "engine_fixture.h"

/* clang-format off */
static const char WF_PLACES[] = ENGINE_HEAD("places")
    "  roles : { te : { kind = \"te-office\"; choose = \"start\"; };\n"
    "    firm : { kind = \"employer\"; choose = \"step\"; };\n"
    "    home : { kind = \"municipality\"; choose = \"home\"; }; };\n"
    "  start : { by = [ \"te\" ]; requires = [ \"days\" ]; first = \"phase\"; };\n"
    "  on : { client-left = \"fin\"; };\n"
    "  steps : {\n"
    "    phase : { type = \"stage\"; first = [ \"find\", \"vouch\" ]; within = \"8 months\";\n"
    "      steps : {\n"
    "        find : { type = \"place\"; of = \"pool\"; carries = [ \"note\" ]; must = [ \"note\" ]; names = [ \"firm\" ]; within = \"3 months\";\n"
    "          on : { got = \"try\"; none = \"leave:nothing\"; expired = \"leave:nothing\";\n"
    "            no-basis = \"leave:nothing\"; }; };\n"
    "        try : { type = \"referral\"; to = \"firm\"; teaser = [ \"days\" ]; carries = [ \"days\" ];\n"
    "          collects = [ \"note\" ]; at-least = \"2 days\";\n"
    "          within = [ \"10 attendance days\", \"60 days\" ];\n"
    "          meanwhile : { review : { starts = \"after 5 attendance days\"; type = \"task\";\n"
    "            role = \"holder\"; within = \"3 business days\";\n"
    "            on : { longer = \"join\"; enough = \"leave:enough\"; expired = \"join\"; }; }; };\n"
    "          on : { done = \"join\"; enough = \"join\"; expired = \"join\"; returned = \"find\";\n"
    "            interrupted = \"talk\"; }; };\n"
    "        talk : { type = \"task\"; role = \"holder\"; within = \"5 business days\";\n"
    "          on : { again = \"find\"; done = \"join\"; expired = \"stay\"; }; };\n"
    "        vouch : { type = \"place\"; of = \"voucher\"; within = \"1 month\";\n"
    "          on : { got = \"use\"; none = \"join\"; expired = \"join\"; }; };\n"
    "        use : { type = \"task\"; role = \"home\"; within = \"10 days\";\n"
    "          on : { done = \"chair\"; expired = \"join\"; }; };\n"
    "        chair : { type = \"place\"; of = \"spot\"; within = \"1 month\"; on : { got = \"sit\";\n"
    "          none = \"join\"; expired = \"join\"; }; };\n"
    "        sit : { type = \"meeting\"; role = \"holder\"; with = [ \"client\" ]; within = \"10 days\";\n"
    "          on : { held = \"join\"; no-show = \"join\"; expired = \"join\"; }; };\n"
    "      };\n"
    "      on : { done = \"result\"; nothing = \"result\"; expired = \"result\"; }; };\n"
    "    result : { type = \"task\"; role = \"holder\"; within = \"5 business days\";\n"
    "      on : { more = \"phase\"; close = \"fin\"; expired = \"stay\"; }; };\n"
    "    fin : { type = \"end\"; outcome = \"fine\"; };\n"
    "  }; };\n";

static const char WF_BOARD[] = ENGINE_HEAD("board")
    "  roles : { te : { kind = \"te-office\"; choose = \"start\"; };\n"
    "    firm : { kind = \"employer\"; choose = \"free\"; };\n"
    "    home : { kind = \"municipality\"; choose = \"home\"; };\n"
    "    nurse : { kind = \"health-station\"; choose = \"home\"; }; };\n"
    "  consents : { tell : { to = [ \"nurse\" ]; categories = [ \"plan\", \"health\" ];\n"
    "    lasts = \"200 days\"; }; };\n"
    "  messages : { letter : { from = [ \"home\", \"holder\" ]; answers = [ \"granted\", \"denied\" ];\n"
    "    keep = true; }; };\n"
    "  start : { by = [ \"te\" ]; requires = [ \"days\" ]; first = \"ask\"; };\n"
    "  on : { client-left = \"fin\"; };\n"
    "  steps : {\n"
    "    ask : { type = \"consent\"; of = \"tell\"; helps = \"home\"; within = \"7 days\";\n"
    "      remind = \"2 days\"; on : { given = \"group\"; refused = \"group\"; expired = \"stay\"; }; };\n"
    "    group : { type = \"panel\"; of = \"board\"; asks = [ \"nurse\", \"firm\" ];\n"
    "      asks-for = [ \"more\" ]; carries = [ \"secret\" ]; within = \"3 months\"; postpones = 1;\n"
    "      on : { plan = \"agree\"; private = \"quiet\"; expired = \"think\"; }; };\n"
    "    think : { type = \"task\"; role = \"holder\"; within = \"5 business days\"; collects = [ \"secret\" ];\n"
    "      on : { again = \"group\"; write = \"agree\"; stop = \"fin\"; expired = \"stay\"; }; };\n"
    "    quiet : { type = \"task\"; role = \"nurse\"; carries = [ \"secret\", \"note\" ]; must = [ \"secret\" ];\n"
    "      needs = \"tell\"; visible-to = [ \"nurse\" ]; within = \"5 business days\";\n"
    "      on : { done = \"mail\"; no-basis = \"think\"; expired = \"stay\"; }; };\n"
    "    agree : { type = \"plan\"; parts : { holder = [ \"note\" ]; nurse = [ \"more\" ]; };\n"
    "      agreed-by = [ \"client\", \"nurse\" ]; within = \"30 days\";\n"
    "      on : { agreed = \"mail\"; not-agreed = \"think\"; expired = \"stay\"; }; };\n"
    "    mail : { type = \"wait\"; message = \"letter\"; within = \"20 days\";\n"
    "      on : { granted = \"fin\"; denied = \"think\"; expired = \"fin\"; }; };\n"
    "    fin : { type = \"end\"; outcome = \"fine\"; };\n"
    "  }; };\n";

static const char WF_MANY[] = ENGINE_HEAD("many")
    "  roles : { te : { kind = \"te-office\"; choose = \"start\"; };\n"
    "    club : { kind = \"club\"; choose = \"turn\"; agreement = true; service = \"deal-work\"; };\n"
    "    actors : { kind = [ \"employer\", \"club\" ]; choose = \"step\"; many = 2; };\n"
    "    any : { kind = [ \"municipality\", \"health-station\" ]; choose = \"first-yes\"; }; };\n"
    "  start : { by = [ \"te\" ]; requires = [ \"days\" ]; first = \"pick\"; };\n"
    "  consents : { tell : { to = [ \"club\" ]; categories = [ \"plan\" ]; }; };\n"
    "  on : { client-left = \"fin\"; };\n"
    "  steps : {\n"
    "    pick : { type = \"task\"; role = \"holder\"; within = \"5 business days\";\n"
    "      on : { ask : { to = \"poll\"; names = [ \"actors\" ]; }; nobody = \"poll\"; on = \"score\";\n"
    "        expired = \"stay\"; }; };\n"
    "    poll : { type = \"each\"; over = \"actors\"; first = \"reply\"; within = \"30 days\";\n"
    "      steps : { reply : { type = \"task\"; role = \"actors\"; within = \"10 days\";\n"
    "        on : { done = \"join\"; expired = \"join\"; }; }; };\n"
    "      on : { done = \"score\"; expired = \"score\"; }; };\n"
    "    score : { type = \"measure\"; instrument = \"ability\"; point = \"beginning\"; role = \"client\";\n"
    "      helps = \"te\"; within = \"6 weeks\"; on : { done = \"course\"; expired = \"course\"; }; };\n"
    "    course : { type = \"session\"; of = \"event\"; role = \"club\"; meetings = 3; within = \"6 months\";\n"
    "      meanwhile : { gone : { starts = \"absent\"; type = \"task\"; role = \"club\"; within = \"2 days\";\n"
    "        on : { done = \"join\"; expired = \"join\"; }; }; };\n"
    "      on : { done = \"hand\"; interrupted = \"pick\"; expired = \"pick\"; }; };\n"
    "    hand : { type = \"handover\"; to = \"any\"; teaser = [ \"days\" ]; carries = [ \"days\" ];\n"
    "      meeting = \"by-phone\"; on : { taken-over = \"next\"; returned = \"pick\"; }; };\n"
    "    next : { type = \"end\"; outcome = \"on\"; continues = \"transfer\"; };\n"
    "    fin : { type = \"end\"; outcome = \"fine\"; };\n"
    "  }; };\n";
/* clang-format on */

/* What the network's aggregate tells the case at a step. */
static inline int rig_mail(struct rig *r, const char *step, struct mail m)
{
    const struct token *t = the_at(r, step);
    m.token = t->id;
    m.entry = t->entry;
    m.service = r->wf->steps[t->step].service;
    struct input in = {.kind = EVENT_MAIL, .mail = &m};
    return rig_event(r, &in);
}

static inline const struct mail *rig_mailed(const struct rig *r, enum mail_kind kind)
{
    for (unsigned i = 0; i < r->f.n_mails; i++) {
        if (r->f.mails[i].kind == kind) {
            return &r->f.mails[i];
        }
    }
    return NULL;
}
THE(struct mail, the_mail, rig_mailed(r, k), const struct rig *r, enum mail_kind k)

/* The result of the step's work, by its addressee, without fields. */
static inline int rig_result(struct rig *r, const char *step, uint16_t org, const char *exit)
{
    const struct token *t = the_at(r, step);
    struct input in = from(EVENT_TASK_RESULT, org);
    in.token = t->id;
    in.entry = t->entry;
    in.exit = exit;
    return rig_event(r, &in);
}

#endif
