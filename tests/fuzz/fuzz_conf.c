/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as a configuration file: the front end answers with a tree or with
 * errors, never with neither, and every node of the tree knows its place.
 */
#include <stdint.h>

#include "sto_conf.h"
#include "sto_err.h"

static void walk(const struct sto_conf *node, const struct sto_conf *parent)
{
    size_t n = 0;

    STO_ASSERT(node->line > 0);
    STO_ASSERT(node->parent == parent);
    STO_ASSERT(node->type != STO_CONF_STRING || node->s);
    for (const struct sto_conf *child = node->child; child; child = child->next) {
        walk(child, node);
        n++;
    }
    STO_ASSERT(n == node->n_children);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"name", "steps", "within", NULL};
    sto_arena_t *arena = sto_arena_new((size_t)4 << 20);
    sto_diags_t *diags = sto_diags_new();
    const struct sto_conf *root = NULL;

    int rc = sto_conf_parse("fuzz.cfg", (const char *)data, size, arena, diags, &root);
    STO_ASSERT((rc == 0) == (sto_diags_errors(diags) == 0));
    STO_ASSERT(rc != 0 || root);
    if (root) {
        walk(root, NULL);
        if (root->type == STO_CONF_GROUP) {
            sto_conf_known(root, keys, "workflow", diags);
            (void)sto_conf_str(root, "name", "none", diags);
            (void)sto_conf_int(root, "within", 1, 0, 10, diags);
        }
    }
    sto_diags_sort(diags);
    for (size_t i = 0; i < sto_diags_count(diags); i++) {
        STO_ASSERT(sto_diags_at(diags, i)->text && sto_diags_at(diags, i)->code);
    }
    sto_diags_destroy(&diags);
    sto_arena_destroy(&arena);
    return 0;
}
