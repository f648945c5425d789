/* SPDX-License-Identifier: EUPL-1.2 */
/* saattod's settings: one table for parsing, --print-config and docs/reference/settings.md. */
#ifndef BROKER_SETTINGS_H
#define BROKER_SETTINGS_H
#include "sto_settings.h"
extern const struct sto_setting saattod_settings[];
#endif
