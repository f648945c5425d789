/* SPDX-License-Identifier: EUPL-1.2 */
/* saatto flow draw */
#include "flow_picture.h"
#include "flow_source.h"
#include "nouns.h"
#include "sto_file.h"

static int make(const struct cli *c, const teller_t *t, struct sto_buf *out, struct sto_err *err)
{
    return cli_flag(c, "bpmn")   ? flow_bpmn(t, out, err)
           : cli_flag(c, "text") ? flow_text(t, out, err)
                                 : flow_svg(t, out, err);
}

static int deliver(struct cli *c, const struct sto_buf *b, struct sto_err *err)
{
    const char *path = cli_option(c, "file");
    if (path != NULL) {
        int rc = sto_file_write(path, b->data, b->len, 0644, err);
        if (rc == 0) {
            output_say(&c->out, "%s", path);
        }
        return rc;
    }
    if (!output_text(&c->out)) {
        output_object(&c->out, json_pack("{s:s%}", "text", (const char *)b->data, b->len), true);
        return 0;
    }
    output_raw(&c->out, b->data, b->len);
    return 0;
}

int flow_draw(struct cli *c, struct sto_err *err)
{
    struct flow_sources sources = {0};
    sto_diags_t *diags = sto_diags_new();
    network_t *net = NULL;
    workflow_t *w = NULL;
    teller_t *t = NULL;
    struct sto_buf b;
    const char *lang = cli_option(c, "lang");
    sto_buf_init(&b, 0);
    int rc = cli_flag(c, "bpmn") && cli_flag(c, "text")
                 ? sto_fail(err, STO_E_USAGE, "--text and --bpmn exclude one another")
                 : flow_sources_of(c, false, &sources, err);
    if (rc == 0 && sources.n != 1) {
        rc = sto_fail(err, STO_E_USAGE, "name one workflow");
    }
    rc = rc != 0 ? rc : model_network_dir(sources.network, diags, &net, err);
    rc = rc != 0 ? rc : flow_source_load(&sources.v[0], net, diags, &w, err);
    if (rc == -STO_E_CONFIG) {
        model_print_diags(diags);
    }
    rc = rc != 0 ? rc : teller_new(lang != NULL ? lang : "fi", net, w, &t, err);
    rc = rc != 0 ? rc : make(c, t, &b, err);
    rc = rc != 0 ? rc : deliver(c, &b, err);
    teller_destroy(&t);
    workflow_destroy(&w);
    network_destroy(&net);
    flow_sources_release(&sources);
    sto_diags_destroy(&diags);
    sto_buf_release(&b);
    return rc;
}
