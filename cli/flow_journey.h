/* SPDX-License-Identifier: EUPL-1.2 */
/* Which journeys a `flow test` means, by file, folder or name, and playing them. */
#ifndef FLOW_JOURNEY_H
#define FLOW_JOURNEY_H
#include "command.h"
#include "model.h"
#include "scenario.h"

struct journey {
    char *path, *id; /* id: the file's name without .cfg */
    struct model_file file;
    struct journey_totals totals;
    sto_diags_t *diags;
    int64_t took_us;
};
struct journeys {
    struct journey *v;
    size_t n;
};

/* Takes the words of c that are journeys, and leaves the others in words[] (borrowed, room for
   all); without words: all of workflows/journeys. */
void journeys_of(const struct cli *c, const char **words, size_t *n_words, struct journeys *out);
void journeys_release(struct journeys *s);
/* Plays one; what failed is in its totals and diags. */
int journey_play(struct journey *j, const struct scenario_book *book, struct sto_err *err);
void journey_print(struct cli *c, const struct journey *j);

#endif
