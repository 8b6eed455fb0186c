/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Links, rules and filters of a network namespace are one daemon's at a time: another one of root's, as of
 * root's session, would take them for what a dead one has left, and remove them. */

#include "core/error.h"
#include <stdbool.h>

/* They are this daemon's, with root's rights, until it ends; otherwise an error names the process that has
 * them. Does not wait. */
int host_lock_claim(Error *error);
bool host_lock_is_ours(void);
