/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Any bytes as a configuration file: the front end answers with a tree or with
 * errors, never with neither, and every node of the tree knows its place. What it
 * accepts libconfig reads too, as the same tree (but for integers, which wrap there).
 */
#include <libconfig.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static void same(const struct sto_conf *ours, const config_setting_t *theirs)
{
    const char *name = config_setting_name(theirs);
    STO_ASSERT(!name == !ours->name && (!name || strcmp(name, ours->name) == 0));
    int type = config_setting_type(theirs);
    int n = 0;

    switch (ours->type) {
    case STO_CONF_INT:
        STO_ASSERT(type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64);
        STO_ASSERT(ours->i < INT32_MIN || ours->i > INT32_MAX ||
                   config_setting_get_int64(theirs) == ours->i);
        return;
    case STO_CONF_FLOAT:
        STO_ASSERT(type == CONFIG_TYPE_FLOAT);
        return;
    case STO_CONF_BOOL:
        STO_ASSERT(type == CONFIG_TYPE_BOOL && config_setting_get_bool(theirs) == (int)ours->i);
        return;
    case STO_CONF_STRING:
        STO_ASSERT(type == CONFIG_TYPE_STRING);
        STO_ASSERT(strcmp(config_setting_get_string(theirs), ours->s) == 0);
        return;
    case STO_CONF_GROUP:
        STO_ASSERT(type == CONFIG_TYPE_GROUP);
        break;
    case STO_CONF_LIST:
        STO_ASSERT(type == CONFIG_TYPE_LIST);
        break;
    case STO_CONF_ARRAY:
        STO_ASSERT(type == CONFIG_TYPE_ARRAY);
        break;
    }
    STO_ASSERT((size_t)config_setting_length(theirs) == ours->n_children);
    for (const struct sto_conf *child = ours->child; child; child = child->next) {
        same(child, config_setting_get_elem(theirs, (unsigned)n++));
    }
}

static void compare(const struct sto_conf *root, const uint8_t *data, size_t size)
{
    size_t mark = size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    char *text = calloc(1, size - mark + 2);
    STO_ASSERT(text);
    if (size > mark) {
        memcpy(text, data + mark, size - mark);
    }
    text[size - mark] = '\n';
    config_t cfg;
    config_init(&cfg);
    STO_ASSERT(config_read_string(&cfg, text) == CONFIG_TRUE);
    same(root, config_root_setting(&cfg));
    config_destroy(&cfg);
    free(text);
}

/* That we report what libconfig refuses is not enough: we must say it ourselves, with our line. */
static void no_surprise(const sto_diags_t *diags)
{
    for (size_t i = 0; i < sto_diags_count(diags); i++) {
        STO_ASSERT(strcmp(sto_diags_at(diags, i)->code, "syntax") != 0);
    }
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
    no_surprise(diags);
    if (rc == 0) {
        compare(root, data, size);
    }
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
