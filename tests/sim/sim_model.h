/* SPDX-License-Identifier: EUPL-1.2 */
/* The network and the workflow that the simulation runs: every kind of step that moves mail, clocks
 * or responsibility. */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

static const char sim_network[] =
    "network : { id = \"sim\"; version = 1; coordinator = \"te\";\n"
    "  categories = [ \"identity\", \"dealings\" ]; };\n"
    "organisations : {\n"
    "  te : { number = 1; name = \"TE\"; kinds = [ \"te-office\" ]; may-hold = true;\n"
    "    desks : { intake : { number = 1; }; }; };\n"
    "  city : { number = 2; name = \"City\"; kinds = [ \"municipality\" ]; municipality = "
    "\"city\";\n"
    "    may-hold = true; desks : { intake : { number = 1; }; guidance : { number = 2; }; }; };\n"
    "};\n"
    "calendars : { office : { open = ( { days = [ \"mon\", \"tue\", \"wed\", \"thu\", \"fri\" ];\n"
    "  hours = [ \"08:00-16:00\" ]; } ); holidays = true; }; };\n"
    "ladders : { default : { rungs = ( { before = \"1 business day\"; to = \"ball\"; },\n"
    "  { after = \"1 business day\"; to = \"desk-lead\"; } ); }; };\n"
    "bases : { act : { number = 1; version = 1; kind = \"statute\"; purpose = \"services\";\n"
    "  receivers : { kinds = [ \"te-office\", \"municipality\" ]; };\n"
    "  categories = [ \"dealings\" ]; valid = [ \"2001-01-01\", \"\" ]; document = \"act\"; }; };\n"
    "services : { guidance : { number = 1; organisation = \"city\"; desk = \"guidance\"; };\n"
    "  event : { number = 2; organisation = \"city\"; desk = \"guidance\";\n"
    "    dates = \"FREQ=WEEKLY;BYDAY=TU\"; from = \"2008-01-01\"; at = \"10:00\"; places = 2;\n"
    "    invite = \"7 days\"; record = \"1 business day\"; }; };\n";

static const char sim_workflow[] =
    "workflow : { id = \"small\"; version = 1; source = \"test\"; purpose = \"services\";\n"
    "  roles : { te : { kind = \"te-office\"; choose = \"start\"; };\n"
    "    city : { kind = \"municipality\"; service = \"guidance\"; choose = \"home\"; }; };\n"
    "  data : { days : { type = \"integer\"; min = 0; category = \"dealings\"; };\n"
    "    hetu : { type = \"hetu\"; category = \"identity\"; sealed = true; };\n"
    "    need : { type = \"code\"; values = [ \"work\", \"study\" ]; category = \"dealings\"; }; "
    "};\n"
    "  start : { by = [ \"te\" ]; requires = [ \"days\" ]; when = \"days >= 100\";\n"
    "    once = \"client\"; first = \"ask\"; };\n"
    "  on : { client-left = \"gone\"; };\n"
    "  steps : {\n"
    "    ask : { type = \"task\"; role = \"holder\"; collects = [ \"need\" ]; within = \"7 "
    "days\";\n"
    "      on : { done = \"hand\"; meet = \"event\"; expired = \"stay\"; }; };\n"
    "    event : { type = \"session\"; of = \"event\"; role = \"city\"; within = \"4 months\"; "
    "at-most = 3;\n"
    "      on : { attended = \"hand\"; excused = \"event\"; absent = \"ask-again\";\n"
    "        expired = \"ask-again\"; too-often = \"ask-again\"; }; };\n"
    "    ask-again : { type = \"task\"; role = \"holder\"; within = \"7 days\";\n"
    "      on : { done = \"hand\"; stop = \"gone\"; expired = \"stay\"; }; };\n"
    "    hand : { type = \"handover\"; to = \"city\"; meeting = \"documented\"; teaser = [ "
    "\"days\" ];\n"
    "      carries = [ \"days\", \"hetu\" ];\n"
    "      on : { taken-over = \"over\"; returned = \"ask-again\"; }; };\n"
    "    over : { type = \"end\"; outcome = \"over\"; };\n"
    "    gone : { type = \"end\"; outcome = \"gone\"; };\n"
    "  };\n"
    "};\n";

static const char sim_texts[] = "texts : {\n"
                                "  small : { fi = \"a\"; sv = \"a\"; en = \"a\"; }; ask : { fi = "
                                "\"a\"; sv = \"a\"; en = \"a\"; };\n"
                                "  event : { fi = \"a\"; sv = \"a\"; en = \"a\"; }; hand : { fi = "
                                "\"a\"; sv = \"a\"; en = \"a\"; };\n"
                                "  ask-again : { fi = \"a\"; sv = \"a\"; en = \"a\"; };\n"
                                "  over : { fi = \"a\"; sv = \"a\"; en = \"a\"; }; gone : { fi = "
                                "\"a\"; sv = \"a\"; en = \"a\"; };\n"
                                "};\n";

/* Keys of the organisations' processes: 40 characters as CURVE keys in Z85. */
#define SIM_KEY_TE       "TE00000000000000000000000000000000000001"
#define SIM_KEY_TE2      "TE00000000000000000000000000000000000002"
#define SIM_KEY_CITY     "CITY000000000000000000000000000000000001"
#define SIM_KEY_OPERATOR "OPERATOR00000000000000000000000000000001"

#endif
