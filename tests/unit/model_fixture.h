/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * A network and a workflow that hold every construct once, and how tests of the loaders break them:
 * one piece of text is replaced, and the expected line is that of the replacement.
 */
#ifndef MODEL_FIXTURE_H
#define MODEL_FIXTURE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check.h"
#include "network.h"
#include "sto_conf.h"
#include "workflow.h"

/* A file of the fixture is one literal, longer than the 4095 bytes that every C compiler must take.
 */
#pragma GCC diagnostic ignored "-Woverlength-strings"

static const char NETWORK_TEXT[] =
    "network : { id = \"testnet\"; version = 2; coordinator = \"city\";\n"
    "  categories = [ \"identity\", \"dealings\", \"plan\" ]; teaser-always = [ \"dealings\" ]; "
    "};\n"
    "calendars :\n"
    "{\n"
    "  office : { open = ( { days = [ \"mon\", \"fri\" ]; hours = [ \"08:00-11:30\", "
    "\"12:00-16:00\" ]; } );\n"
    "    closed = [ \"2008-07-07..2008-07-20\", \"2008-12-24\" ]; holidays = true; };\n"
    "  always : { open = ( { days = [ \"sun\" ]; hours = [ \"00:00-24:00\" ]; } ); holidays = "
    "false; };\n"
    "};\n"
    "ladders : { short : { rungs = ( { before = \"1 hour\"; to = \"ball\"; },\n"
    "    { after = \"1 hour\"; to = \"desk-lead\"; }, { after = \"1 day\"; to = \"coordinator\"; } "
    "); }; };\n"
    "organisations :\n"
    "{\n"
    "  te-2025 : { number = 3; name = \"Employment area\"; kinds = [ \"te-office\" ]; may-hold = "
    "true;\n"
    "    valid = [ \"2025-01-01\", \"\" ]; desks : { intake : { number = 1; }; }; };\n"
    "  te : { number = 1; name = \"TE office\"; kinds = [ \"te-office\" ]; may-hold = true; "
    "business-id = \"0737546-2\";\n"
    "    valid = [ \"2001-01-01\", \"2024-12-31\" ]; successor = \"te-2025\"; municipality = "
    "\"oulu\";\n"
    "    desks : { intake : { number = 1; lead = \"Lea Lead\"; }; back : { number = 2; calendar = "
    "\"always\"; }; }; };\n"
    "  city : { number = 2; name = \"City\"; kinds = [ \"municipality\" ]; may-hold = true; "
    "calendar = \"office\";\n"
    "    desks : { intake : { number = 1; }; }; };\n"
    "  firm : { number = 4; name = \"Firm\"; kinds = [ \"employer\", \"provider\" ];\n"
    "    desks : { shop : { number = 7; }; }; };\n"
    "};\n"
    "bases :\n"
    "{\n"
    "  act : { number = 1; version = 1; kind = \"statute\"; purpose = \"services\";\n"
    "    receivers : { kinds = [ \"te-office\", \"municipality\" ]; organisations = [ \"firm\" ]; "
    "};\n"
    "    categories = [ \"identity\", \"dealings\", \"plan\" ]; valid = [ \"2001-01-01\", \"\" ]; "
    "document = \"916/2012\"; };\n"
    "};\n"
    "clocks : { answer = \"3 business days\"; info-rounds = 2; };\n"
    "services :\n"
    "{\n"
    "  event : { number = 2; organisation = \"city\"; desk = \"intake\"; dates = "
    "\"FREQ=MONTHLY;BYDAY=2TU\";\n"
    "    from = \"2008-01-01\"; at = \"10:30\"; places = 40; invite = \"14 days\"; record = \"1 "
    "business day\"; obliging = true; };\n"
    "  guidance : { number = 1; organisation = \"city\"; };\n"
    "};\n"
    "settings : { model : { limit = 300; window = \"10 days\"; }; };\n";

static const char WORKFLOW_TEXT[] =
    "workflow :\n"
    "{\n"
    "  id = \"model\";  version = 3;  source = \"test\";  purpose = \"services\";\n"
    "  roles :\n"
    "  {\n"
    "    te       : { kind = \"te-office\";  choose = \"start\"; };\n"
    "    guidance : { kind = \"municipality\";  service = \"guidance\";  choose = \"home\";  "
    "worker = \"named\"; };\n"
    "    firm     : { kind = [ \"employer\", \"provider\" ];  choose = \"step\"; };\n"
    "  };\n"
    "  settings :\n"
    "  {\n"
    "    limit  : { type = \"integer\";  default = 500;  min = 100;  max = 1000; };\n"
    "    window : { type = \"duration\";  default = \"7 days\";  max = \"14 days\"; };\n"
    "  };\n"
    "  data :\n"
    "  {\n"
    "    days   : { type = \"integer\";  min = 0;  category = \"dealings\"; };\n"
    "    hetu   : { type = \"hetu\";  category = \"identity\";  sealed = true; };\n"
    "    valid  : { type = \"boolean\";  category = \"dealings\"; };\n"
    "    need   : { type = \"code\";  values = [ \"work\", \"study\", \"rest\" ];  category = "
    "\"plan\"; };\n"
    "    notes  : { type = \"text\";  bytes = 100;  category = \"plan\"; };\n"
    "    ends   : { type = \"date\";  min = \"2000-01-01\";  max = \"2030-12-31\";  category = "
    "\"plan\"; };\n"
    "    number : { type = \"hetu\";  category = \"identity\"; };\n"
    "  };\n"
    "  consents : { tell : { to = [ \"firm\" ];  categories = [ \"plan\" ];  form = \"written\";  "
    "lasts = \"12 months\"; }; };\n"
    "  messages : { verdict : { from = [ \"te\", \"holder\" ];  answers = [ \"granted\", "
    "\"refused\" ]; };  alarm : { from = [ \"firm\" ]; }; };\n"
    "  start : { by = [ \"te\" ];  requires = [ \"days\", \"hetu\", \"number\" ];  when = \"days "
    ">= limit\";  once = \"client\";  first = \"event\"; };\n"
    "  on : { client-left = \"gone\";  tell-lost = \"choose\"; };\n"
    "  meanwhile : { watch : { starts = \"every 1 month\";  type = \"notify\";  to = [ \"te\" ];  "
    "text = \"watching\";  next = \"join\"; }; };\n"
    "  steps :\n"
    "  {\n"
    "    event :\n"
    "    {\n"
    "      type = \"session\";  of = \"event\";  role = \"guidance\";  carries = [ \"hetu\" ];  "
    "obliging = true;\n"
    "      within = \"4 months\";  at-most = 3;  ladder = \"short\";\n"
    "      on : { attended = \"hand\";  excused = \"event\";  absent = \"why\";  expired = "
    "\"choose\";  too-often = \"choose\"; };\n"
    "    };\n"
    "    why : { type = \"task\";  role = \"client\";  helps = \"guidance\";  collects = [ "
    "\"valid\" ];  within = \"window\";\n"
    "      on : { done = \"judge\";  expired = \"tell-te\"; }; };\n"
    "    judge : { type = \"decide\";  rules = ( { when = \"valid and days < 1000\";  to = "
    "\"event\"; }, { to = \"tell-te\"; } ); };\n"
    "    tell-te : { type = \"notify\";  to = [ \"te\", \"client\" ];  carries = [ \"hetu\" ];  "
    "text = \"was-absent\";  next = \"choose\"; };\n"
    "    choose : { type = \"task\";  role = \"holder\";  within = \"5 business days\";\n"
    "      on : { again = \"event\";  work : { to = \"phase\";  names = [ \"firm\" ];  collects = "
    "[ \"need\", \"ends\" ]; };  ask = \"advice\";\n"
    "        stop = \"gone\";  expired = \"stay\"; }; };\n"
    "    advice : { type = \"consult\";  to = \"guidance\";  carries = [ \"days\" ];  collects = [ "
    "\"notes\" ];\n"
    "      on : { answered = \"choose\";  returned = \"choose\"; }; };\n"
    "    hand : { type = \"handover\";  to = \"guidance\";  meeting = \"at:event\";  teaser = [ "
    "\"days\" ];  carries = [ \"hetu\" ];\n"
    "      clocks : { answer = \"2 business days\";  stable = \"30 days\";  cap = \"window\"; };\n"
    "      on : { taken-over = \"talk\";  declined = \"choose\";  returned = \"choose\";  "
    "given-back = \"choose\"; }; };\n"
    "    talk : { type = \"meeting\";  role = \"holder\";  with = [ \"client\", \"te\" ];  within "
    "= \"20 business days\";  at-most = 2;\n"
    "      on : { held : { to = \"done-well\";  collects = [ \"need\" ]; };  no-show = \"talk\";  "
    "expired = \"stay\";  too-often = \"choose\"; }; };\n"
    "    phase :\n"
    "    {\n"
    "      type = \"stage\";  first = [ \"try\", \"verdict-wait\" ];  wait-for = 2;  within = \"8 "
    "months\";\n"
    "      steps :\n"
    "      {\n"
    "        try :\n"
    "        {\n"
    "          type = \"referral\";  to = \"firm\";  teaser = [ \"need\" ];  collects = [ "
    "\"notes\" ];  at-least = \"14 days\";\n"
    "          within = [ \"until ends\", \"5 months\" ];\n"
    "          meanwhile :\n"
    "          {\n"
    "            half   : { starts = \"half-way\";  type = \"task\";  role = \"holder\";  within = "
    "\"3 days\";\n"
    "              on : { fine = \"join\";  enough = \"leave:enough\";  expired = \"join\"; }; };\n"
    "            before : { starts = \"14 days before end\";  type = \"notify\";  to = [ "
    "\"holder\" ];  text = \"ending\";  next = \"join\"; };\n"
    "            alarmed : { starts = \"alarm\";  type = \"task\";  role = \"holder\";  within = "
    "\"1 day\";  on : { done = \"join\";  expired = \"join\"; }; };\n"
    "          };\n"
    "          on : { done = \"join\";  enough = \"join\";  expired = \"join\";  returned = "
    "\"rest\";  interrupted = \"rest\"; };\n"
    "        };\n"
    "        rest : { type = \"wait\";  for = \"10 days\";  on : { done = \"asks\"; }; };\n"
    "        asks : { type = \"decide\";  rules = ( { when = \"try is interrupted or need in "
    "[study, rest]\";  to = \"leave:broken\"; }, { to = \"join\"; } ); };\n"
    "        verdict-wait : { type = \"wait\";  message = \"verdict\";  within = \"2 months\";  on "
    ": { granted = \"join\";  refused = \"join\";  expired = \"stay\"; }; };\n"
    "      };\n"
    "      on : { done = \"talk\";  broken = \"choose\";  expired = \"choose\"; };\n"
    "    };\n"
    "    done-well : { type = \"end\";  outcome = \"done-well\";  records = [ \"need\" ]; };\n"
    "    gone : { type = \"end\";  outcome = \"gone\"; };\n"
    "  };\n"
    "};\n";

/* One fault: `from` is replaced by `to`; the error stands `lines` after the replacement begins. */
struct broken {
    const char *from, *to, *code;
    int lines;
};

static inline char *replaced(const char *text, const char *from, const char *to, int *line)
{
    const char *at = strstr(text, from);
    if (!at) {
        fail_msg("the fixture holds no '%s'", from);
        abort();
    }
    *line = 1;
    for (const char *p = text; p < at; p++) {
        *line += *p == '\n';
    }
    size_t head = (size_t)(at - text), n = strlen(text) - strlen(from) + strlen(to) + 1;
    char *out = malloc(n);
    assert_non_null(out);
    (void)snprintf(out, n, "%.*s%s%s", (int)head, text, to, at + strlen(from));
    return out;
}

static inline void print_diags(const sto_diags_t *d)
{
    for (size_t k = 0; k < sto_diags_count(d); k++) {
        const struct sto_diag *x = sto_diags_at(d, k);
        print_message("  %s:%d: %s [%s]\n", x->file, x->line, x->text, x->code);
    }
}

static inline bool has_finding(const sto_diags_t *d, const char *code, int line)
{
    for (size_t k = 0; k < sto_diags_count(d); k++) {
        const struct sto_diag *x = sto_diags_at(d, k);
        if (strcmp(x->code, code) == 0 && (line == 0 || x->line == line)) {
            return true;
        }
    }
    return false;
}

/* The network of NETWORK_TEXT; fails the test if it does not load. */
static inline network_t *load_network(const char *text)
{
    sto_diags_t *d = sto_diags_new();
    struct model_file file = {.name = "net.cfg", .text = text, .len = strlen(text)};
    network_t *n = NULL;
    if (network_load("testnet", &file, 1, d, &n)) {
        print_diags(d);
        fail_msg("the network must load");
    }
    sto_diags_destroy(&d);
    return n;
}

/* The text as a workflow without texts; NULL with the findings in d if it does not load. */
static inline workflow_t *load_workflow(const char *text, const network_t *net, sto_diags_t *d)
{
    struct model_file file = {.name = "workflow.cfg", .text = text, .len = strlen(text)};
    workflow_t *w = NULL;
    int rc = workflow_load(&file, NULL, net, d, &w);
    assert_int_equal(rc == 0, w != NULL);
    return w;
}

#endif
