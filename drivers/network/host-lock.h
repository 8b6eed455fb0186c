/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Links, rules and filters of a network namespace are one daemon's at a time: another one of root's, as of
 * root's session, would take them for what a dead one has left, and remove them. */

#include "config.h"
#include "core/error.h"
#include <stdbool.h>

/* They are this daemon's, with root's rights, until it ends; otherwise an error names the process that has
 * them. Where the system's daemon has run since the host's boot nobody else gets them, also while that is
 * down. Does not wait. */
int host_lock_claim(const Config *config, Error *error);
bool host_lock_is_ours(void);
