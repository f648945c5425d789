/* SPDX-License-Identifier: EUPL-1.2 */
/* The parts of the network loader, one noun each. Internal to core/. */
#ifndef NETWORK_LOAD_H
#define NETWORK_LOAD_H
#include "load.h"

/* Sections in loading order; each may be NULL (absent). */
void network_load_calendars(struct load *l, network_t *n, const struct sto_conf *g);
void network_load_ladders(struct load *l, network_t *n, const struct sto_conf *g);
void network_load_organisations(struct load *l, network_t *n, const struct sto_conf *g);
void network_load_bases(struct load *l, network_t *n, const struct sto_conf *g);
void network_load_clocks(struct load *l, network_t *n, const struct sto_conf *g);
void network_load_services(struct load *l, network_t *n, const struct sto_conf *services,
                           const struct sto_conf *panels);
void network_load_instruments(struct load *l, network_t *n, const struct sto_conf *g);
void network_load_settings(struct load *l, network_t *n, const struct sto_conf *g);

/* Two entries have one number: an error at the later one that names the place of both. */
void network_load_same_number(struct load *l, const char *what, unsigned number,
                              const struct sto_conf *a, const struct sto_conf *b);

/* Look-ups that report: index or number, or -1 / 0 with an error at `at`. */
int network_load_calendar_ix(struct load *l, const network_t *n, const struct sto_conf *g,
                             int fallback);
uint16_t network_load_org(struct load *l, const network_t *n, const struct sto_conf *at,
                          const char *id);
uint32_t network_load_categories(struct load *l, const network_t *n, const struct sto_conf *g,
                                 const char *key);

#endif
