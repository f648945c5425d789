/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto: the command line. Parses, runs one verb, prints its error, ends with its status. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nouns.h"
#include "sto_crypto.h"
#include "sto_log.h"
#include "sto_time.h"

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
        errno = 0;
        if (output_finish(&c.out) != 0 && rc == 0) {
            if (errno == EPIPE) {
                return 1; /* the reader went away, as `head` does: nobody is left to tell */
            }
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
