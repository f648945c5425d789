/* SPDX-License-Identifier: EUPL-1.2 */
/* A network of two organisations and one small workflow, for tests of what runs workflows. */
#ifndef SMALL_WORKFLOW_H
#define SMALL_WORKFLOW_H

static const char small_network[] =
    "network : { id = \"bench\"; version = 1; coordinator = \"te\";\n"
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

static const char small_workflow[] =
    "workflow : { id = \"small\"; version = 1; source = \"test\"; purpose = \"services\";\n"
    "  roles : { te : { kind = \"te-office\"; choose = \"start\"; };\n"
    "    city : { kind = \"municipality\"; service = \"guidance\"; choose = \"home\"; }; };\n"
    "  data : { days : { type = \"integer\"; min = 0; category = \"dealings\"; };\n"
    "    hetu : { type = \"hetu\"; category = \"identity\"; sealed = true; };\n"
    "    need : { type = \"code\"; values = [ \"work\", \"study\" ]; category = \"dealings\"; }; "
    "};\n"
    "  start : { by = [ \"te\" ]; requires = [ \"days\" ]; when = \"days >= 100\"; first = "
    "\"ask\"; };\n"
    "  on : { client-left = \"gone\"; };\n"
    "  steps : {\n"
    "    ask : { type = \"task\"; role = \"holder\"; collects = [ \"need\" ]; within = \"7 "
    "days\";\n"
    "      on : { done = \"hand\"; meet = \"event\"; expired = \"gone\"; }; };\n"
    "    event : { type = \"session\"; of = \"event\"; role = \"city\"; within = \"4 months\"; "
    "at-most = 3;\n"
    "      on : { attended = \"hand\"; excused = \"event\"; absent = \"ask-again\";\n"
    "        expired = \"ask-again\"; too-often = \"ask-again\"; }; };\n"
    "    ask-again : { type = \"task\"; role = \"holder\"; within = \"7 days\";\n"
    "      on : { done = \"hand\"; expired = \"gone\"; }; };\n"
    "    hand : { type = \"handover\"; to = \"city\"; meeting = \"documented\"; teaser = [ "
    "\"days\" ];\n"
    "      carries = [ \"days\", \"hetu\" ]; on : { taken-over = \"over\"; returned = "
    "\"ask-again\"; }; };\n"
    "    over : { type = \"end\"; outcome = \"over\"; };\n"
    "    gone : { type = \"end\"; outcome = \"gone\"; };\n"
    "  };\n"
    "};\n";

static const char small_texts[] =
    "texts : {\n"
    "  small : { fi = \"a\"; sv = \"a\"; en = \"a\"; }; ask : { fi = "
    "\"a\"; sv = \"a\"; en = \"a\"; };\n"
    "  event : { fi = \"a\"; sv = \"a\"; en = \"a\"; }; hand : { fi = "
    "\"a\"; sv = \"a\"; en = \"a\"; };\n"
    "  ask-again : { fi = \"a\"; sv = \"a\"; en = \"a\"; };\n"
    "  over : { fi = \"a\"; sv = \"a\"; en = \"a\"; }; gone : { fi = "
    "\"a\"; sv = \"a\"; en = \"a\"; };\n"
    "};\n";

#endif
