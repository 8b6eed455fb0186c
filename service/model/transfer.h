/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What callers say of transfers of a machine's memory, and ask of them: the same for every driver. */

#include "core/error.h"
#include <glib.h>

/* MigrateSetMaxSpeed: the most is no limit. */
#define TRANSFER_SPEED_MIB_MAX (INT64_MAX >> 20)

int transfer_check_speed(uint64_t speed_mib, Error *error);

/* GetJobStats, as far as its flags are about the last transfer that ended. `ended` is of type (ia{sv}), or
 * NULL, and is forgotten when it was told, unless the flags keep it. 1: the answer is there; 0: the transfer
 * that goes on is meant. */
int transfer_take_ended(uint32_t flags, GVariant **ended, GVariant **ret_stats, Error *error);
