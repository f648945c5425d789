/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto: the command line. Parses, runs one verb, prints its error, ends with its status. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nouns.h"
#include "sto_crypto.h"
#include "sto_log.h"
#include "sto_time.h"

const struct noun command_nouns[] = {
    {"dev", "Run a whole Saatto on this machine", dev_verbs, false},
    {"doctor", "Look for what keeps Saatto from working here", doctor_verbs, false},
    {"status", "How the installation is doing, in a few lines", status_verbs, false},
    {"flow", "Workflows: check, test, deploy", flow_verbs, false},
    {"case", "Cases: start them, see where they stand and why", case_verbs, false},
    {"handover", "Every event that a person can make, as an organisation", handover_verbs, false},
    {"queue", "What waits for each organisation", queue_verbs, false},
    {"message", "Deliveries that were set aside", message_verbs, false},
    {"org", "Organisations and their keys", org_verbs, false},
    {"clock", "The installation's time", clock_verbs, false},
    {"audit", "Prove that state and ledger follow from the log", audit_verbs, false},
    {"report", "What cases came to, beside published figures", report_verbs, false},
    {"bench", "Measure durable handover hops and their latency", bench_verbs, false},
    {"explain", "What an error code means and what mends it", explain_verbs, false},
    {"version", "Versions of Saatto and its libraries", version_verbs, false},
    {"completion", "Completion for the shell", completion_verbs, false},
    {"help", "This overview", help_verbs, false},
    {0},
};

static int exit_status(const struct sto_err *err)
{
    const struct sto_err_row *row = sto_err_row(err->code);

    return row != NULL && row->exit_status != 0 ? row->exit_status : 1;
}

static void print_error(const struct sto_err *err)
{
    char text[1024];

    fprintf(stderr, "%s\n", sto_err_format(err, text, sizeof text));
}

int main(int argc, char **argv)
{
    struct cli c;
    struct sto_err err = {0};
    int status = 0;

    sto_time_init();
    sto_log_init("saatto", STO_WARN);
    signal(SIGPIPE, SIG_IGN);
    int rc = command_parse(argc - 1, argv + 1, &c, &err);
    if (rc == 0 && c.help) {
        command_help(c.noun, c.verb, stdout);
    } else if (rc == 0) {
        output_init(&c.out, c.mode, stdout);
        rc = sto_crypto_init(&err);
        rc = rc != 0 ? rc : c.verb->run(&c, &err);
        if (output_finish(&c.out) != 0 && rc == 0) {
            rc = sto_fail(&err, STO_E_IO, "could not write to standard output");
        }
    }
    if (rc != 0) {
        print_error(&err);
        status = exit_status(&err);
    }
    command_release(&c);
    return status;
}
