/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto flow deploy */
#include "deploy.h"
#include "installation.h"
#include "nouns.h"

int flow_deploy(struct cli *c, struct sto_err *err)
{
    static const char *const columns[] = {"what=WHAT", "deployed=CHANGE", NULL};
    struct flow_sources sources = {0};
    struct deploy_report report = {0};
    installation_t *in = NULL;
    PGconn *db = NULL;
    bool dry = cli_flag(c, "dry-run");
    int rc = installation_open(c, &in, err);

    rc = rc != 0 ? rc : flow_sources_of(c, false, &sources, err);
    rc = rc != 0 ? rc : db_open(in->dsn_deploy, &db, err);
    rc = rc != 0 ? rc
                 : deploy_run(db, &sources, cli_option(c, "network") != NULL, dry, &report, err);
    if (rc == 0) {
        output_table(&c->out, columns);
        for (size_t i = 0; i < report.n; i++) {
            const char *how = !report.v[i].is_new ? "unchanged"
                              : dry               ? "would be deployed"
                                                  : "deployed";
            output_row(&c->out,
                       json_pack("{s:s, s:s, s:b, s:I}", "what", report.v[i].what, "deployed", how,
                                 "dry_run", dry, "config", (json_int_t)report.config));
        }
        output_table_end(&c->out, "nothing to deploy");
        if (report.config == 0) {
            output_say(&c->out, "Nothing changed.");
        } else if (!dry) {
            output_say(&c->out, "Configuration %lld is in force; running cases keep their version.",
                       (long long)report.config);
        }
    }
    deploy_report_release(&report);
    PQfinish(db);
    flow_sources_release(&sources);
    installation_close(&in);
    return rc;
}
