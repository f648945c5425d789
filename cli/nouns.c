/* SPDX-License-Identifier: EUPL-1.2 */
/* All nouns of the command line, in the order of the help. */
#include "nouns.h"

const struct noun command_nouns[] = {
    {"dev", "Run a whole Saatto on this machine", dev_verbs, false},
    {"doctor", "Look for what keeps Saatto from working here", doctor_verbs, false},
    {"status", "How the installation is doing, in a few lines", status_verbs, false},
    {"flow", "Workflows: check, test, deploy", flow_verbs, false},
    {"case", "Cases: start them, see where they stand and why", case_verbs, false},
    {"handover", "Every event that a person can make, as an organisation", handover_verbs, false},
    {"service", "What cases share: dates, seats, places, quotas, agendas", service_verbs, false},
    {"queue", "What waits for each organisation", queue_verbs, false},
    {"message", "Deliveries that were set aside", message_verbs, false},
    {"org", "Organisations and their keys", org_verbs, false},
    {"clock", "The installation's time", clock_verbs, false},
    {"audit", "Prove that state and ledger follow from the log", audit_verbs, false},
    {"report", "What cases came to, beside published figures", report_verbs, false},
    {"instrument", "Questionnaires, and answers as a profile", instrument_verbs, false},
    {"bench", "Measure durable handover hops and their latency", bench_verbs, false},
    {"explain", "What an error code means and what mends it", explain_verbs, false},
    {"version", "Versions of Saatto and its libraries", version_verbs, false},
    {"completion", "Completion for the shell", completion_verbs, false},
    {"help", "This overview", help_verbs, false},
    {0},
};
