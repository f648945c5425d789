/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto explain, version, help, completion: what needs no installation. */
#include <string.h>

#include <libpq-fe.h>
#include <sodium.h>
#include <zmq.h>

#include "check.h"
#include "explain_finding.h"
#include "nouns.h"
#include "saatto_codec.h"
#include "sto_conf.h"

/* ----------------------------------------------------------------- explain */

static json_t *code_json(const struct sto_err_row *r)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:b, s:s}", "code", r->text, "number", r->code, "exit",
                     r->exit_status, "http", r->http, "retryable", r->retryable, "explain",
                     r->explain);
}

static int explain_all(struct cli *c)
{
    static const char *const columns[] = {"code=CODE",       "number=NUMBER",   "exit=EXIT",
                                          "retryable=RETRY", "explain=MEANING", NULL};
    const struct sto_err_row *rows = NULL;
    size_t n = sto_err_rows(&rows);

    output_table(&c->out, columns);
    for (size_t i = 0; i < n; i++) {
        output_row(&c->out, code_json(&rows[i]));
    }
    output_table_end(&c->out, "no codes");
    return 0;
}

static const struct sto_err_row *code_of(const char *word)
{
    char text[64];

    snprintf(text, sizeof text, "%s%s", strncmp(word, "E-", 2) == 0 ? "" : "E-", word);
    for (char *p = text + 2; *p != '\0'; p++) {
        *p = (char)(*p == '_' ? '-' : *p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    }
    return sto_err_row_by_text(text);
}

static int explain(struct cli *c, struct sto_err *err)
{
    if (cli_flag(c, "markdown")) {
        explain_findings_markdown(stdout);
        return 0;
    }
    if (c->n_words == 0) {
        return explain_all(c);
    }
    if (explain_finding(c, c->words[0])) {
        return 0;
    }
    const struct sto_err_row *r = code_of(c->words[0]);
    if (r == NULL) {
        const struct sto_err_row *rows = NULL;
        const struct check_code *found = NULL;
        const char *names[256] = {NULL};
        size_t n = sto_err_rows(&rows), n_found = check_codes(&found);
        for (size_t i = 0; i < n + n_found && i < 255; i++) {
            names[i] = i < n ? rows[i].text : found[i - n].code;
        }
        const char *near = sto_nearest(c->words[0], names);
        sto_fail(err, STO_E_NOT_FOUND, "there is no code '%s'", c->words[0]);
        sto_err_fix(err, near != NULL ? "did you mean '%s'" : "saatto explain%.0s lists them all",
                    near != NULL ? near : "");
        return -STO_E_NOT_FOUND;
    }
    output_say(&c->out, "%s (number %d)", r->text, r->code);
    output_say(&c->out, "%s.", r->explain);
    output_say(
        &c->out,
        "The command line ends with %d, HTTP answers %d; the same %s be sent again unchanged.",
        r->exit_status, r->http, r->retryable ? "may" : "must not");
    output_object(&c->out, code_json(r), true);
    return 0;
}

static const struct option_row explain_options[] = {
    {"markdown", NULL, "the page of all findings of flow check (docs/reference/checker.md)"},
    {0},
};
const struct verb explain_verbs[] = {
    {.name = "",
     .words = "[CODE]",
     .words_max = 1,
     .options = explain_options,
     .help = "Says what an error code or the code of a finding means; without one, all error codes",
     .run = explain},
    {0},
};

/* ----------------------------------------------------------------- version */

static int version(struct cli *c, struct sto_err *err)
{
    int major = 0, minor = 0, patch = 0;
    char zmq[32], pq[32];

    (void)err;
    zmq_version(&major, &minor, &patch);
    snprintf(zmq, sizeof zmq, "%d.%d.%d", major, minor, patch);
    snprintf(pq, sizeof pq, "%d.%d", PQlibVersion() / 10000, PQlibVersion() % 10000);
    output_object(&c->out,
                  json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "saatto", SAATTO_VERSION, "wire",
                            SAATTO_WIRE_VERSION, "libzmq", zmq, "libpq", pq, "libsodium",
                            sodium_version_string(), "jansson", JANSSON_VERSION, "protobuf-c",
                            protobuf_c_version()),
                  false);
    return 0;
}

const struct verb version_verbs[] = {
    {.name = "",
     .words = "",
     .help = "Prints the versions of Saatto, of its wire contract and of its libraries",
     .run = version},
    {0},
};

/* ----------------------------------------------------------- help, completion */

static int help(struct cli *c, struct sto_err *err)
{
    (void)err;
    if (cli_flag(c, "markdown")) {
        command_help_markdown(stdout);
    } else {
        command_help(NULL, NULL, stdout);
    }
    return 0;
}

static const struct option_row help_options[] = {
    {"markdown", NULL, "the whole reference page (docs/reference/command-line.md)"},
    {0},
};
const struct verb help_verbs[] = {
    {.name = "",
     .words = "",
     .options = help_options,
     .help = "Prints the overview of all commands",
     .run = help},
    {0},
};

static int completion_bash(struct cli *c, struct sto_err *err)
{
    (void)c;
    (void)err;
    command_completion_bash(stdout);
    return 0;
}

const struct verb completion_verbs[] = {
    {.name = "bash",
     .words = "",
     .help = "Prints a completion for bash",
     .more = "source <(saatto completion bash)",
     .run = completion_bash},
    {0},
};
