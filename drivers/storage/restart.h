/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The pools of a driver when the daemon begins. */

#include "drivers/storage/contents.h"

/* Starts the pool if it is to be started. */
typedef void PoolStart(Pool *pool, bool is_boot) AWAITS;

/* Calls `start` for every pool; all are done when it returns, unless the fiber was cancelled. */
void restart_pools(Driver *driver, bool is_boot, PoolStart *start) AWAITS;
